/* SPDX-License-Identifier: Apache-2.0 */
/* Key sets from JSON: which keys of a JWK Set can be used, and for which algorithms.  What cannot
 * is passed over with a warning, since issuers publish keys for other purposes beside.
 * Read RFC 7517 sections 4 and 5, RFC 8725 section 3.1; jwk.c makes the key from its numbers. */
#include "identity/jwks.h"

#include "identity/base64url.h"
#include "identity/keys.h"

#include <openssl/evp.h>

/* A JWK as it stands in the text. */
struct members {
    struct fb_span kty, crv, n, e, x, y, alg, use, kid;
    bool has_alg, has_use, has_ops, ops_verify;
    bool private_part, symmetric;
    const char *fault;
    struct fb_range range;
};

struct reader {
    struct fb_jwks *jwks;
    struct fb_json json;
    const struct fb_source *source;
    struct fb_diags *diags;
};

static struct fb_diag *report(struct reader *r, enum fb_severity severity, const char *code, const struct members *m,
                              const char *text, const char *why)
{
    struct fb_span kid = fb_span_head(m->kid, 64);
    if (kid.len == 0) {
        return fb_diag_add(r->diags, severity, code, r->source, m->range, "%s%s", text, why);
    }
    return fb_diag_add(r->diags, severity, code, r->source, m->range, "%s%s (kid \"%.*s\")", text, why,
                       (int)kid.len, kid.ptr);
}

static const struct {
    struct fb_span name;
    size_t at;
} string_members[] = {
    {{3, "kty"}, offsetof(struct members, kty)}, {{3, "crv"}, offsetof(struct members, crv)},
    {{1, "n"}, offsetof(struct members, n)},     {{1, "e"}, offsetof(struct members, e)},
    {{1, "x"}, offsetof(struct members, x)},     {{1, "y"}, offsetof(struct members, y)},
    {{3, "alg"}, offsetof(struct members, alg)}, {{3, "use"}, offsetof(struct members, use)},
    {{3, "kid"}, offsetof(struct members, kid)},
};

/* The place of the member in `m`, or NULL if the name is none of the above. */
static struct fb_span *string_member(struct members *m, struct fb_span name)
{
    for (size_t i = 0; i < sizeof string_members / sizeof string_members[0]; i++) {
        if (fb_span_eq(name, string_members[i].name)) {
            return (struct fb_span *)((char *)m + string_members[i].at);
        }
    }
    return NULL;
}

static bool is_private(struct fb_span name)
{
    static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (fb_span_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* The value of `key_ops`, its first event read. */
static void read_ops(struct reader *r, struct members *m)
{
    m->has_ops = true;
    if (r->json.event != FB_JSON_ARRAY) {
        m->fault = "its key_ops is not an array";
        (void)fb_json_skip(&r->json);
        return;
    }
    while (fb_json_next(&r->json) != FB_JSON_ARRAY_END && r->json.event != FB_JSON_ERROR) {
        m->ops_verify |= r->json.event == FB_JSON_STRING && fb_span_is(r->json.string, "verify");
        (void)fb_json_skip(&r->json);
    }
}

/* One member, its KEY just read. */
static void read_member(struct reader *r, struct members *m)
{
    struct fb_span name = r->json.string;
    struct fb_span *place = string_member(m, name);
    m->has_alg |= fb_span_is(name, "alg");
    m->has_use |= fb_span_is(name, "use");
    m->private_part |= is_private(name);
    m->symmetric |= fb_span_is(name, "k");
    bool ops = fb_span_is(name, "key_ops");
    enum fb_json_event event = fb_json_next(&r->json);
    if (ops) {
        read_ops(r, m);
    } else if (place != NULL && event == FB_JSON_STRING) {
        *place = r->json.string;
    } else {
        if (place != NULL) {
            m->fault = "a member that must be a string is none";
        }
        (void)fb_json_skip(&r->json);
    }
}

/* Decodes into `out`; a static text on failure.  Numbers (RSA's) lose leading zeros, which RFC 7518
 * section 2 forbids and some issuers write. */
static const char *decode(struct fb_span text, bool number, unsigned char *out, size_t room, size_t *len)
{
    unsigned char bytes[FB_JWK_MAIN_MAX + 16];
    size_t size = fb_base64url_room(text.len), zeros = 0;
    if (text.len == 0) {
        return "a member that its type needs is missing";
    }
    if (size > sizeof bytes) {
        return "one of its numbers is too large";
    }
    if (!fb_base64url_decode(text, bytes)) {
        return "one of its numbers is not base64url without padding";
    }
    while (number && zeros < size && bytes[zeros] == 0) {
        zeros++;
    }
    if (size - zeros > room) {
        return "one of its numbers is too large";
    }
    memcpy(out, bytes + zeros, size - zeros);
    *len = size - zeros;
    return NULL;
}

static const char *decode_numbers(const struct members *m, struct fb_jwk *jwk)
{
    bool rsa = jwk->type == FB_KEY_RSA;
    const char *fault = decode(rsa ? m->n : m->x, rsa, jwk->main, sizeof jwk->main, &jwk->main_len);
    if (fault == NULL && jwk->type != FB_KEY_OKP) {
        fault = decode(rsa ? m->e : m->y, rsa, jwk->side, sizeof jwk->side, &jwk->side_len);
    }
    return fault;
}

/* What the key may be used for; a static text if it is nothing. */
static const char *purpose(const struct members *m, struct fb_jwk *jwk, unsigned *algorithms)
{
    if (fb_span_is(m->kty, "RSA")) {
        jwk->type = FB_KEY_RSA;
    } else if (fb_span_is(m->kty, "EC")) {
        jwk->type = FB_KEY_EC;
        if (!fb_span_is(m->crv, "P-256")) {
            return "its curve is not P-256";
        }
    } else if (fb_span_is(m->kty, "OKP")) {
        jwk->type = FB_KEY_OKP;
        if (!fb_span_is(m->crv, "Ed25519")) {
            return "its curve is not Ed25519";
        }
    } else {
        return m->kty.len == 0 ? "it has no kty" : "its kty is none of RSA, EC, OKP";
    }
    if (m->has_use && !fb_span_is(m->use, "sig")) {
        return "its use is not \"sig\"";
    }
    if (m->has_ops && !m->ops_verify) {
        return "its key_ops do not hold \"verify\"";
    }
    *algorithms = fb_key_algorithms(jwk->type);
    if (m->has_alg) {
        *algorithms &= fb_algorithm_named(m->alg);
    }
    return *algorithms == 0 ? "its alg is not one that is supported for its type" : NULL;
}

/* Whether the key is new; warns where its kid is not. */
static bool is_new(struct reader *r, const struct members *m, const struct fb_key *key)
{
    bool named = false;
    for (size_t i = 0; i < r->jwks->count; i++) {
        const struct fb_key *old = &r->jwks->keys[i];
        bool same_kid = fb_span_eq(old->kid, key->kid);
        if (same_kid && old->algorithms == key->algorithms &&
            memcmp(old->thumbprint, key->thumbprint, sizeof key->thumbprint) == 0) {
            return false;
        }
        named |= same_kid && key->kid.len != 0 && (old->algorithms & key->algorithms) != 0;
    }
    if (named) {
        struct fb_diag *diag = report(r, FB_WARNING, "jwks.duplicate_kid", m, "another key has the same kid", "");
        diag->hint = FB_SPAN("tokens that name it are tried with each; give each key a kid of its own");
    }
    return true;
}

static void add_key(struct reader *r, const struct members *m)
{
    struct fb_jwk jwk = {.type = FB_KEY_RSA};
    struct fb_key key = {.pkey = NULL};
    const char *fault = m->fault;
    if (fault == NULL) {
        fault = purpose(m, &jwk, &key.algorithms);
    }
    if (fault == NULL && m->kid.len > FB_KID_MAX) {
        fault = "its kid is longer than 256 bytes";
    }
    if (fault == NULL) {
        fault = decode_numbers(m, &jwk);
    }
    if (fault == NULL) {
        key.pkey = fb_jwk_to_key(&jwk, &fault);
    }
    if (key.pkey == NULL) {
        (void)report(r, FB_WARNING, "jwks.unusable", m, "this key is passed over: ", fault);
        return;
    }
    key.type = jwk.type;
    key.kid = m->kid;
    key.signature_len = fb_jwk_signature_len(&jwk);
    struct fb_jwks *jwks = r->jwks;
    bool failed = !fb_jwk_thumbprint(&jwk, key.thumbprint);
    if (!failed && is_new(r, m, &key)) {
        struct fb_key *keys = fb_arena_grow(&jwks->arena, jwks->keys, jwks->count, &jwks->capacity, sizeof key);
        key.kid = fb_arena_copy(&jwks->arena, m->kid);
        failed = keys == NULL || jwks->arena.failed;
        if (!failed) {
            jwks->keys = keys;
            jwks->keys[jwks->count++] = key;
            return;
        }
    }
    EVP_PKEY_free(key.pkey);
    if (failed) {
        (void)fb_json_fail(&r->json, "jwks.memory", "there is not enough memory for the key set");
    }
}

/* One element of `keys`, its first event read. */
static void read_key(struct reader *r, size_t index)
{
    struct members m = {.range = r->json.range};
    if (r->json.event != FB_JSON_OBJECT) {
        (void)fb_json_fail(&r->json, "jwks.key", "a key must be a JSON object");
        return;
    }
    if (index >= FB_JWKS_KEYS_MAX) {
        (void)fb_json_fail(&r->json, "jwks.too_many", "a key set may have 256 keys");
        return;
    }
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        read_member(r, &m);
    }
    if (r->json.event != FB_JSON_OBJECT_END) {
        return;
    }
    if (m.symmetric || fb_span_is(m.kty, "oct")) {
        struct fb_diag *diag = report(r, FB_ERROR, "jwks.symmetric", &m, "this is a symmetric key", "");
        diag->hint = FB_SPAN("a key set holds public keys; change the secret, since it is known now");
        return;
    }
    if (m.private_part) {
        struct fb_diag *diag = report(r, FB_WARNING, "jwks.private", &m,
                                      "this is a private key; only its public half is used", "");
        diag->hint = FB_SPAN("leave d, p, q, dp, dq, qi out of a key set, and replace the key if the set was published");
    }
    add_key(r, &m);
}

static void read_set(struct reader *r)
{
    bool found = false, single = false;
    if (fb_json_next(&r->json) != FB_JSON_OBJECT) {
        (void)fb_json_fail(&r->json, r->json.error_code != NULL ? r->json.error_code : "jwks.shape",
                           r->json.error != NULL ? r->json.error : "a key set is a JSON object with \"keys\"");
        return;
    }
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        bool keys = fb_span_is(r->json.string, "keys");
        single |= fb_span_is(r->json.string, "kty");
        enum fb_json_event event = fb_json_next(&r->json);
        if (!keys) {
            (void)fb_json_skip(&r->json);
            continue;
        }
        found = true;
        if (event != FB_JSON_ARRAY) {
            (void)fb_json_fail(&r->json, "jwks.shape", "\"keys\" must be an array");
            return;
        }
        for (size_t i = 0; fb_json_next(&r->json) != FB_JSON_ARRAY_END && r->json.event != FB_JSON_ERROR; i++) {
            read_key(r, i);
        }
    }
    if (r->json.event == FB_JSON_OBJECT_END && fb_json_next(&r->json) == FB_JSON_END && !found) {
        (void)fb_json_fail(&r->json, "jwks.shape",
                           single ? "this is a single key; put it into {\"keys\": [ … ]}"
                                  : "a key set needs the member \"keys\"");
    }
}

struct fb_jwks *fb_jwks_read(const struct fb_source *source, struct fb_diags *diags,
                             const struct fb_allocator *allocator)
{
    struct fb_jwks *jwks = fb_alloc(allocator, sizeof *jwks);
    if (jwks == NULL) {
        (void)fb_diag_add(diags, FB_ERROR, "jwks.memory", source, (struct fb_range){0, 0}, "there is no memory left");
        return NULL;
    }
    *jwks = (struct fb_jwks){.allocator = allocator};
    fb_arena_init(&jwks->arena, allocator, (size_t)1 << 20);
    struct fb_arena scratch;
    fb_arena_init(&scratch, allocator, 4 * FB_JWKS_BYTES_MAX);
    size_t errors_before = diags->errors;
    struct reader r = {.jwks = jwks, .source = source, .diags = diags};
    fb_json_init(&r.json, source->text, &scratch,
                 (struct fb_json_limits){.depth = 16, .bytes = FB_JWKS_BYTES_MAX, .keys = 256});
    read_set(&r);
    if (r.json.error != NULL) {
        fb_json_report(&r.json, source, diags);
    } else if (jwks->count == 0 && diags->errors == errors_before) {
        struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "jwks.no_usable_key", source, (struct fb_range){0, 0},
                                           "the key set has no key that can be used");
        diag->hint = FB_SPAN("usable are RSA keys of 2048 to 8192 bits, EC keys on P-256, OKP keys on Ed25519");
    }
    fb_arena_release(&scratch);
    if (diags->errors != errors_before) {
        fb_jwks_free(jwks);
        return NULL;
    }
    return jwks;
}

void fb_jwks_free(struct fb_jwks *jwks)
{
    if (jwks == NULL) {
        return;
    }
    for (size_t i = 0; i < jwks->count; i++) {
        EVP_PKEY_free(jwks->keys[i].pkey);
    }
    fb_arena_release(&jwks->arena);
    fb_free(jwks->allocator, jwks, sizeof *jwks);
}

size_t fb_jwks_count(const struct fb_jwks *jwks)
{
    return jwks->count;
}

struct fb_jwks_key fb_jwks_at(const struct fb_jwks *jwks, size_t index)
{
    const struct fb_key *key = &jwks->keys[index];
    struct fb_jwks_key out = {.kid = key->kid};
    switch (key->algorithms) {
    case FB_RS256: out.algorithms = "RS256"; break;
    case FB_PS256: out.algorithms = "PS256"; break;
    case FB_RS256 | FB_PS256: out.algorithms = "RS256 PS256"; break;
    case FB_ES256: out.algorithms = "ES256"; break;
    default: out.algorithms = "EdDSA"; break;
    }
    memcpy(out.thumbprint, key->thumbprint, sizeof out.thumbprint);
    return out;
}
