/* SPDX-License-Identifier: Apache-2.0 */
/* The envelope of a token: three parts and the header.  All of it is written by whoever sent it,
 * so nothing here does what the header says; it only learns which algorithm and kid it claims.
 * Read RFC 7515 sections 4 and 5.2, RFC 8725. */
#include "identity/jws.h"

#include "identity/base64url.h"
#include "identity/verifier.h"

enum { HEADER_MAX = 4096 };

static enum fb_token_status malformed(const char **detail, const char *text)
{
    *detail = text;
    return FB_TOKEN_MALFORMED;
}

/* A JSON error of the arena is the world's fault, any other the token's. */
static enum fb_token_status json_status(const struct fb_json *json, const char **detail)
{
    *detail = json->error;
    return json->arena->failed ? FB_TOKEN_FAILED : FB_TOKEN_MALFORMED;
}

static bool decode(struct fb_span text, struct fb_arena *arena, struct fb_span *out)
{
    unsigned char *bytes = fb_arena_alloc(arena, fb_base64url_room(text.len));
    if (bytes == NULL || !fb_base64url_decode(text, bytes)) {
        return false;
    }
    *out = fb_span((char *)bytes, fb_base64url_room(text.len));
    return true;
}

/* Access tokens are "at+jwt" (RFC 9068) or, from before it, "JWT" or nothing; a media type may have
 * its "application/".  Other kinds of JWT (logout, DPoP proof, security event) are none. */
static bool typ_fits(struct fb_span typ)
{
    static const char *const types[] = {"JWT", "at+jwt", "JOSE"};
    struct fb_span prefix = FB_SPAN("application/");
    if (fb_span_eq_nocase(fb_span_head(typ, prefix.len), prefix)) {
        typ = fb_span_from(typ, prefix.len);
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (fb_span_eq_nocase(typ, fb_span_z(types[i]))) {
            return true;
        }
    }
    return false;
}

struct header {
    struct fb_span alg, kid;
    bool has_alg, has_kid;
};

/* One member, its name and the first event of its value read; a static text if the token must be
 * refused for it.  Members that are none of these are passed over, jku, jwk, x5u and x5c among
 * them: keys come from the operator only. */
static const char *read_member(struct fb_json *json, struct fb_span name, struct header *header)
{
    bool string = json->event == FB_JSON_STRING;
    if (fb_span_is(name, "alg")) {
        header->has_alg = true;
        header->alg = json->string;
        return string ? NULL : "the header's alg is not a string";
    }
    if (fb_span_is(name, "kid")) {
        header->has_kid = true;
        header->kid = json->string;
        return string && json->string.len <= FB_KID_MAX ? NULL : "the header's kid is not a string of up to 256 bytes";
    }
    if (fb_span_is(name, "typ")) {
        return string && typ_fits(json->string) ? NULL : "the header's typ is not that of an access token";
    }
    if (fb_span_is(name, "crit")) {
        return "the header has critical extensions";
    }
    if (fb_span_is(name, "b64")) {
        return "the header has b64";
    }
    return NULL;
}

static enum fb_token_status read_header(struct fb_span text, struct fb_arena *arena, struct header *header,
                                        const char **detail)
{
    struct fb_json json;
    fb_json_init(&json, text, arena, (struct fb_json_limits){.depth = 8, .bytes = HEADER_MAX, .keys = 64});
    if (fb_json_next(&json) != FB_JSON_OBJECT) {
        return json.error != NULL ? json_status(&json, detail)
                                  : malformed(detail, "the header is not a JSON object");
    }
    while (fb_json_next(&json) == FB_JSON_KEY) {
        struct fb_span name = json.string;
        if (fb_json_next(&json) == FB_JSON_ERROR) {
            break;
        }
        const char *fault = read_member(&json, name, header);
        if (fault != NULL) {
            return malformed(detail, fault);
        }
        (void)fb_json_skip(&json);
    }
    if (json.event != FB_JSON_OBJECT_END || fb_json_next(&json) != FB_JSON_END) {
        return json_status(&json, detail);
    }
    return header->has_alg ? FB_TOKEN_GOOD : malformed(detail, "the header has no alg");
}

enum fb_token_status fb_jws_read(struct fb_span token, struct fb_arena *arena, struct fb_jws *out,
                                 const char **detail)
{
    size_t first = fb_span_find(token, '.');
    struct fb_span rest = fb_span_from(token, first + 1);
    size_t second = fb_span_find(rest, '.');
    struct fb_span signature = fb_span_from(rest, second + 1), header_text, bytes;
    if (first == token.len || second == rest.len || fb_span_find(signature, '.') != signature.len) {
        return malformed(detail, "it does not have three parts");
    }
    *out = (struct fb_jws){.signed_text = fb_span_head(token, first + 1 + second)};
    struct header header = {.has_alg = false};
    if (!decode(fb_span_head(token, first), arena, &header_text)) {
        return arena->failed ? FB_TOKEN_FAILED : malformed(detail, "the header is not canonical base64url");
    }
    enum fb_token_status status = read_header(header_text, arena, &header, detail);
    if (status != FB_TOKEN_GOOD) {
        return status;
    }
    out->kid = header.kid;
    out->has_kid = header.has_kid;
    out->algorithm = fb_algorithm_named(header.alg);
    if (out->algorithm == 0) {
        *detail = "the header's alg is none of RS256, PS256, ES256, EdDSA";
        return FB_TOKEN_ALGORITHM;
    }
    if (!decode(fb_span_head(rest, second), arena, &out->payload)) {
        return arena->failed ? FB_TOKEN_FAILED : malformed(detail, "the payload is not canonical base64url");
    }
    if (!decode(signature, arena, &bytes)) {
        return arena->failed ? FB_TOKEN_FAILED : malformed(detail, "the signature is not canonical base64url");
    }
    out->signature = (const unsigned char *)bytes.ptr;
    out->signature_len = bytes.len;
    return FB_TOKEN_GOOD;
}
