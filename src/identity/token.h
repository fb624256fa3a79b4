/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_TOKEN_H
#define FB_IDENTITY_TOKEN_H

#include "identity/issuer.h"
#include "identity/possession.h"

/* Bearer tokens: JWTs (RFC 7519) in JWS compact form (RFC 7515), as access tokens of RFC 9068 or
 * of those who came before it.
 *
 * Refused without looking further: more than FB_TOKEN_MAX bytes; base64url that is not canonical;
 * an algorithm that is none of RS256, PS256, ES256, EdDSA (`none` and HMAC above all); any `crit`
 * or `b64`; a `typ` of another kind of JWT (RFC 8725 section 3.11); a key, of those the operator
 * gave, whose type or `alg` does not fit the token's.  Keys that the token itself brings or
 * points to (jwk, jku, x5c, x5u) are never looked at.  Duplicate members refuse the token. */

#define FB_TOKEN_MAX 16384
#define FB_TOKEN_CLAIMS_MAX 256
#define FB_TOKEN_TRIES 8            /* keys tried for a token, with or without a kid */

/* A refusal is the zero value.  To clients every one but GOOD and FAILED is invalid_token, and only
 * EXPIRED may be named; FAILED is a 503. */
enum fb_token_status {
    FB_TOKEN_FAILED,                /* out of memory, or OpenSSL failed: nothing is known of the token */
    FB_TOKEN_GOOD,
    FB_TOKEN_MALFORMED,
    FB_TOKEN_TOO_LARGE,
    FB_TOKEN_ALGORITHM,             /* not supported, or not one that the key may be used with */
    FB_TOKEN_UNKNOWN_ISSUER,
    FB_TOKEN_UNKNOWN_KEY,
    FB_TOKEN_BAD_SIGNATURE,
    FB_TOKEN_AUDIENCE,
    FB_TOKEN_EXPIRED,
    FB_TOKEN_NOT_YET,
    FB_TOKEN_MISSING_CLAIM,
    FB_TOKEN_BOUND                  /* `cnf`: bound to a key or certificate that was not proved (RFC 9449, 8705), or
                                       not bound where it must be */
};
/* "expired", "unknown_issuer", …: static, for logs. */
const char *fb_token_status_name(enum fb_token_status status);

struct fb_strings {
    const struct fb_span *list;
    size_t count;
};

/* A member of the token's payload.  OTHER: null, an object, a fraction, an array that is not all
 * strings. */
enum fb_claim_kind { FB_CLAIM_OTHER, FB_CLAIM_STRING, FB_CLAIM_LONG, FB_CLAIM_BOOL, FB_CLAIM_STRINGS };

struct fb_claim {
    struct fb_span name;
    enum fb_claim_kind kind;
    bool boolean;
    int64_t integer;
    struct fb_strings strings;      /* STRINGS; and STRING, as a list of one */
};

/* Times are milliseconds since 1970. */
struct fb_token {
    struct fb_span issuer, subject; /* subject empty: no `sub` */
    struct fb_strings audience;
    struct fb_strings scope;        /* of `scope` (split at spaces), else of `scp`; empty without both */
    struct fb_span acr;
    struct fb_strings amr;
    bool has_acr, has_amr, has_auth_time, has_not_before, has_issued;
    bool bound, bound_otherwise;    /* there is a `cnf`; and it has what is neither of the two below */
    struct fb_span key, certificate;    /* the thumbprints in `cnf`: jkt, x5t#S256; or empty */
    int64_t expires_ms, not_before_ms, issued_ms, auth_time_ms;
    const struct fb_claim *claims;  /* every member, the ones above too, in the token's order */
    size_t claims_count;
};

/* The claim of that name, or NULL. */
const struct fb_claim *fb_token_claim(const struct fb_token *token, struct fb_span name);

/* What a token says, once it is GOOD. */
struct fb_bearer {
    const struct fb_token *token;
    const struct fb_issuer *issuer;
    struct fb_span name;            /* the value of the issuer's `claim`; the entity id is prefix + name */
    const char *detail;             /* refused: what exactly was wrong; static, for logs only */
};

/* The principal's entity id: prefix and name.  In `arena` if there is a prefix; without memory empty,
 * which no name is, and arena->failed. */
struct fb_span fb_bearer_id(const struct fb_bearer *bearer, struct fb_arena *arena);

/* A worker's own: OpenSSL contexts, and the cache of tokens whose signature was good.
 *
 * The cache holds that a signature was good, and the claims of that token, which are a function of
 * its bytes.  Issuer, key set, audience, times are checked at every use, so that a hit differs from
 * a miss in speed alone.  It is set-associative; failures are never stored, so nobody without a
 * good token can push anything out.  Memory is `entries` × 32 bytes and what is stored, at most
 * `ceiling` bytes.
 * A hit takes no memory.  Make it after the fork.  One thread. */
struct fb_tokens;

/* `entries` is rounded up to a power of two, at least 8 (0: 16384); `ceiling` 0: 32 MiB.  NULL without
 * memory or randomness. */
struct fb_tokens *fb_tokens_new(const struct fb_allocator *allocator, size_t entries, size_t ceiling);
void fb_tokens_free(struct fb_tokens *tokens);

/* Checks a token.  `now_ms` is the caller's clock.  `out` is set in every case; its token and issuer
 * are NULL before they are known, and the token set on later failures too (expired, audience), for
 * logs.  What `out` points to lives until the next call with the same `tokens`, and no longer than
 * `issuers`. */
enum fb_token_status fb_tokens_verify(struct fb_tokens *tokens, const struct fb_issuers *issuers,
                                      struct fb_span token, int64_t now_ms, struct fb_bearer *out);

/* The same, and a bound token is good with what it is bound to.  With a proof, only a token that is bound to the proof's
 * key is (RFC 9449 section 7.1). */
enum fb_token_status fb_tokens_verify_held(struct fb_tokens *tokens, const struct fb_issuers *issuers, struct fb_span token,
                                           int64_t now_ms, const struct fb_possession *held, struct fb_bearer *out);

struct fb_tokens_stats {
    uint64_t hits, misses, evictions;
    size_t entries, bytes;
};
struct fb_tokens_stats fb_tokens_stats(const struct fb_tokens *tokens);

#endif
