/* SPDX-License-Identifier: Apache-2.0 */
/* A DPoP proof: taken apart, then held against the request and its own key.  Everything in it is the client's word until
 * the signature is checked, its key too: that key counts for nothing but being the one that the token is bound to.
 * Read RFC 9449 sections 4.2 and 4.3; replays.c remembers those that were used. */
#include "identity/proof.h"

#include "identity/base64url.h"
#include "identity/jws.h"
#include "identity/keys.h"
#include "identity/verifier.h"

static bool bad(const char **detail, const char *text)
{
    *detail = text;
    return false;
}

static bool decode(struct fb_span text, struct fb_arena *arena, struct fb_span *out)
{
    unsigned char *bytes = fb_arena_alloc(arena, fb_base64url_room(text.len) + 1);
    if (bytes == NULL || !fb_base64url_decode(text, bytes))
        return false;
    *out = fb_span((char *)bytes, fb_base64url_room(text.len));
    return true;
}

/* --- The header -------------------------------------------------------------------------------------- */

struct header {
    struct fb_span alg, jwk;
    bool typed;
    const char *fault;
};

/* One member, the first event of its value read. */
static void read_header_member(struct fb_json *json, struct fb_span name, struct header *header)
{
    bool string = json->event == FB_JSON_STRING;
    uint32_t start = json->range.start;
    if (fb_span_is(name, "typ"))
        header->typed = string && fb_span_is(json->string, "dpop+jwt");
    else if (fb_span_is(name, "alg") && string)
        header->alg = json->string;
    else if (fb_span_is(name, "crit") || fb_span_is(name, "b64"))
        header->fault = "the proof's header has critical extensions";
    bool object = json->event == FB_JSON_OBJECT;
    (void)fb_json_skip(json);
    if (fb_span_is(name, "jwk") && object && json->event != FB_JSON_ERROR)
        header->jwk = fb_span_from(fb_span_head(json->text, json->at), start);
}

static bool read_header(struct fb_span text, struct fb_arena *arena, struct header *header, const char **detail)
{
    struct fb_json json;
    *header = (struct header){.typed = false};
    fb_json_init(&json, text, arena, (struct fb_json_limits){.depth = 8, .bytes = FB_PROOF_MAX, .keys = 64});
    if (fb_json_next(&json) != FB_JSON_OBJECT)
        return bad(detail, "the proof's header is not a JSON object");
    while (fb_json_next(&json) == FB_JSON_KEY) {
        struct fb_span name = json.string;
        if (fb_json_next(&json) != FB_JSON_ERROR)
            read_header_member(&json, name, header);
    }
    if (json.event != FB_JSON_OBJECT_END || fb_json_next(&json) != FB_JSON_END)
        return bad(detail, "the proof's header is not sound JSON");
    if (header->fault != NULL)
        return bad(detail, header->fault);
    if (!header->typed)
        return bad(detail, "the proof's typ is not dpop+jwt");
    return header->jwk.len != 0 || bad(detail, "the proof's header has no jwk");
}

/* The key as a set of one, so that it is read as an operator's keys are; but what is only worth a warning there
 * (a private key: section 4.3) is refused. */
static bool read_key(struct fb_span jwk, const struct fb_allocator *allocator, struct fb_arena *arena, struct fb_proof *proof,
                     const char **detail)
{
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    struct fb_span set = fb_arena_format(arena, "{\"keys\":[%.*s]}", (int)jwk.len, jwk.ptr);
    const struct fb_source source = {.name = FB_SPAN("proof"), .text = set};
    proof->keys = set.len != 0 ? fb_jwks_read(&source, &diags, allocator) : NULL;
    if (proof->keys == NULL || fb_jwks_count(proof->keys) != 1 || diags.count != 0) {
        fb_proof_release(proof);
        return bad(detail, "the proof's jwk is no public key that can be used");
    }
    struct fb_buffer name;
    const struct fb_allocator memory = fb_arena_allocator(arena);
    fb_buffer_init(&name, &memory, 64);
    fb_base64url_add(&name, proof->keys->keys[0].thumbprint, 32);
    proof->key = fb_buffer_span(&name);
    return !name.failed || bad(detail, "no memory");
}

/* --- The payload -------------------------------------------------------------------------------------- */

static bool read_payload(struct fb_span text, struct fb_arena *arena, struct fb_proof *proof, const char **detail)
{
    const struct {
        struct fb_span name, *place;
    } members[] = {{FB_SPAN("htm"), &proof->method}, {FB_SPAN("htu"), &proof->uri}, {FB_SPAN("ath"), &proof->token_hash},
                   {FB_SPAN("jti"), &proof->id}};
    struct fb_json json;
    bool dated = false;
    fb_json_init(&json, text, arena, (struct fb_json_limits){.depth = 16, .bytes = FB_PROOF_MAX, .keys = 64});
    if (fb_json_next(&json) != FB_JSON_OBJECT)
        return bad(detail, "the proof's payload is not a JSON object");
    while (fb_json_next(&json) == FB_JSON_KEY) {
        struct fb_span name = json.string;
        enum fb_json_event event = fb_json_next(&json);
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
            if (event == FB_JSON_STRING && fb_span_eq(name, members[i].name))
                *members[i].place = json.string;
        if (fb_span_is(name, "iat") && (event == FB_JSON_INTEGER || event == FB_JSON_NUMBER))
            dated = fb_numeric_date(json.string, &proof->issued_ms);
        (void)fb_json_skip(&json);
    }
    if (json.event != FB_JSON_OBJECT_END || fb_json_next(&json) != FB_JSON_END)
        return bad(detail, "the proof's payload is not sound JSON");
    if (!dated || proof->method.len == 0 || proof->uri.len == 0 || proof->token_hash.len == 0)
        return bad(detail, "the proof lacks one of htm, htu, iat, ath");
    return (proof->id.len != 0 && proof->id.len <= FB_PROOF_ID_MAX) || bad(detail, "the proof's jti is no string of up to 256 bytes");
}

/* --- Reading ------------------------------------------------------------------------------------------- */

bool fb_proof_read(struct fb_span text, const struct fb_allocator *allocator, struct fb_arena *arena, struct fb_proof *proof,
                   const char **detail)
{
    size_t first = fb_span_find(text, '.');
    struct fb_span rest = fb_span_from(text, first + 1), header_text, payload;
    size_t second = fb_span_find(rest, '.');
    struct fb_span last = fb_span_from(rest, second + 1);
    struct header header;
    *proof = (struct fb_proof){.keys = NULL};
    if (text.len > FB_PROOF_MAX)
        return bad(detail, "the proof is longer than 8 KiB");
    if (first == text.len || second == rest.len || fb_span_find(last, '.') != last.len)
        return bad(detail, "the proof does not have three parts");
    proof->signed_text = fb_span_head(text, first + 1 + second);
    if (!decode(fb_span_head(text, first), arena, &header_text) || !decode(fb_span_head(rest, second), arena, &payload)
        || !decode(last, arena, &proof->signature))
        return bad(detail, "the proof is not canonical base64url");
    if (!read_header(header_text, arena, &header, detail) || !read_payload(payload, arena, proof, detail))
        return false;
    proof->algorithm = fb_algorithm_named(header.alg);
    if (proof->algorithm == 0)
        return bad(detail, "the proof's alg is none of ES256, EdDSA, PS256, RS256");
    if (!read_key(header.jwk, allocator, arena, proof, detail))
        return false;
    if ((proof->keys->keys[0].algorithms & proof->algorithm) != 0)
        return true;
    fb_proof_release(proof);
    return bad(detail, "the proof's key is not for its alg");
}

void fb_proof_release(struct fb_proof *proof)
{
    fb_jwks_free(proof->keys);
    proof->keys = NULL;
}

/* --- Against the request -------------------------------------------------------------------------------- */

struct address {
    struct fb_span scheme, host, port;
};

/* Splits "scheme://host:port" off `uri`; what is left is its path.  False: it is no such URI. */
static bool split(struct fb_span uri, struct address *out, struct fb_span *path)
{
    size_t colon = fb_span_find(uri, ':');
    out->scheme = fb_span_head(uri, colon);
    struct fb_span rest = fb_span_from(uri, colon);
    if (colon == 0 || !fb_span_starts(rest, FB_SPAN("://")))
        return false;
    rest = fb_span_from(rest, 3);
    size_t end = 0, at = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' && rest.ptr[end] != '#')
        end++;
    struct fb_span authority = fb_span_head(rest, end);
    *path = fb_span_from(rest, end);
    if (fb_span_find(authority, '@') != authority.len)
        return false;
    /* The last colon, unless it stands within the brackets of an IPv6 address. */
    for (at = authority.len; at > 0 && authority.ptr[at - 1] != ':' && authority.ptr[at - 1] != ']'; at--) {
    }
    bool has_port = at > 0 && authority.ptr[at - 1] == ':';
    out->host = has_port ? fb_span_head(authority, at - 1) : authority;
    out->port = has_port ? fb_span_from(authority, at) : fb_span("", 0);
    if (out->port.len == 0)
        out->port = fb_span_eq_nocase(out->scheme, FB_SPAN("https")) ? FB_SPAN("443") : FB_SPAN("80");
    return out->host.len != 0;
}

static struct fb_span without_query(struct fb_span path)
{
    path = fb_span_head(path, fb_span_find(path, '?'));
    path = fb_span_head(path, fb_span_find(path, '#'));
    return path.len != 0 ? path : FB_SPAN("/");
}

/* RFC 9449 section 4.3: scheme and host without regard to case, the scheme's own port said or not, an empty path for
 * `/` (RFC 3986 section 6.2.3); else as it stands. */
static bool same_uri(struct fb_span uri, const struct fb_proof_use *use)
{
    struct address there, here;
    struct fb_span path, none;
    return split(uri, &there, &path) && split(use->origin, &here, &none) && fb_span_eq_nocase(there.scheme, here.scheme)
           && fb_span_eq_nocase(there.host, here.host) && fb_span_eq(there.port, here.port)
           && fb_span_eq(without_query(path), without_query(use->path));
}

static bool is_hash_of(struct fb_span text, struct fb_span token)
{
    unsigned char digest[32], said[33];
    return text.len == FB_THUMBPRINT_LEN && fb_base64url_decode(text, said) && fb_sha256(token, digest)
           && memcmp(said, digest, sizeof digest) == 0;
}

enum fb_proof_status fb_proof_check(struct fb_tokens *tokens, const struct fb_proof *proof, const struct fb_proof_use *use,
                                    const char **detail)
{
    *detail = NULL;
    if (!fb_span_eq(proof->method, use->method))
        *detail = "the proof is for another method";
    else if (!same_uri(proof->uri, use))
        *detail = "the proof is for another URI";
    else if (proof->issued_ms > use->now_ms + use->leeway_ms)
        *detail = "the proof's iat is to come";
    else if (proof->issued_ms + FB_PROOF_AGE_S * INT64_C(1000) + use->leeway_ms < use->now_ms)
        *detail = "the proof is too old";
    else if (!is_hash_of(proof->token_hash, use->token))
        *detail = "the proof is for another token";
    if (*detail != NULL)
        return FB_PROOF_BAD;
    switch (fb_tokens_check_proof(tokens, proof)) {
    case FB_SIGNATURE_GOOD:
        return FB_PROOF_GOOD;
    case FB_SIGNATURE_FAILED:
        *detail = "OpenSSL failed";
        return FB_PROOF_FAILED;
    case FB_SIGNATURE_BAD:
        break;
    }
    *detail = "the proof's signature does not verify";
    return FB_PROOF_BAD;
}
