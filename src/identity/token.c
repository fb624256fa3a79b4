/* SPDX-License-Identifier: Apache-2.0 */
/* A token is checked: envelope, issuer, key, signature, then what it claims about itself, in that
 * order, so that nothing it says is believed before its signature is.  jws.c and claims.c read,
 * verifier.c computes, token_cache.c remembers.
 * Read RFC 7519 section 7.2, RFC 9068 section 4, RFC 8725. */
#include "identity/token.h"

#include "identity/jws.h"
#include "identity/proof.h"
#include "identity/token_cache.h"
#include "identity/verifier.h"

/* Sets are chosen by chance: with as many sets as this, a thousand busy tokens do not come to nine in
 * one of eight places, which would then verify each of the nine anew, at 30 µs, whenever it comes. */
enum { ENTRIES = 16384 };

struct fb_tokens {
    const struct fb_allocator *allocator;
    struct fb_verifier verifier;
    struct fb_verifier proofs;      /* of its own, since each client's key would push an issuer's out */
    struct fb_cache cache;
    struct fb_arena scratch;        /* of the last token that was not found in the cache */
    struct fb_token token;
};

const char *fb_token_status_name(enum fb_token_status status)
{
    static const char *const names[] = {
        [FB_TOKEN_FAILED] = "failed",
        [FB_TOKEN_GOOD] = "good",
        [FB_TOKEN_MALFORMED] = "malformed",
        [FB_TOKEN_TOO_LARGE] = "too_large",
        [FB_TOKEN_ALGORITHM] = "algorithm",
        [FB_TOKEN_UNKNOWN_ISSUER] = "unknown_issuer",
        [FB_TOKEN_UNKNOWN_KEY] = "unknown_key",
        [FB_TOKEN_BAD_SIGNATURE] = "bad_signature",
        [FB_TOKEN_AUDIENCE] = "audience",
        [FB_TOKEN_EXPIRED] = "expired",
        [FB_TOKEN_NOT_YET] = "not_yet",
        [FB_TOKEN_MISSING_CLAIM] = "missing_claim",
        [FB_TOKEN_BOUND] = "bound",
    };
    return names[status];
}

struct fb_tokens *fb_tokens_new(const struct fb_allocator *allocator, size_t entries, size_t ceiling)
{
    struct fb_tokens *tokens = fb_alloc(allocator, sizeof *tokens);
    if (tokens == NULL) {
        return NULL;
    }
    *tokens = (struct fb_tokens){.allocator = allocator};
    fb_arena_init(&tokens->scratch, allocator, (size_t)1 << 20);
    if (!fb_verifier_init(&tokens->verifier) || !fb_verifier_init(&tokens->proofs) ||
        !fb_cache_init(&tokens->cache, allocator, entries != 0 ? entries : ENTRIES,
                       ceiling != 0 ? ceiling : (size_t)32 << 20)) {
        fb_tokens_free(tokens);
        return NULL;
    }
    return tokens;
}

void fb_tokens_free(struct fb_tokens *tokens)
{
    if (tokens == NULL) {
        return;
    }
    fb_cache_release(&tokens->cache);
    fb_verifier_release(&tokens->verifier);
    fb_verifier_release(&tokens->proofs);
    fb_arena_release(&tokens->scratch);
    fb_free(tokens->allocator, tokens, sizeof *tokens);
}

struct fb_tokens_stats fb_tokens_stats(const struct fb_tokens *tokens)
{
    return tokens->cache.stats;
}

static enum fb_token_status refuse(struct fb_bearer *out, enum fb_token_status status, const char *detail)
{
    out->detail = detail;
    return status;
}

static const struct fb_issuer_entry *issuer_of(const struct fb_issuers *issuers, struct fb_span url)
{
    for (size_t i = 0; i < issuers->count; i++) {
        if (fb_span_eq(issuers->entries[i].config.url, url)) {
            return &issuers->entries[i];
        }
    }
    return NULL;
}

/* The keys that the token may be signed with: of its kid if it names one, else any that its
 * algorithm fits; the first FB_TOKEN_TRIES of them. */
static enum fb_token_status check_signature(struct fb_tokens *tokens, const struct fb_jwks *keys,
                                            const struct fb_jws *jws, struct fb_bearer *out)
{
    bool named = false;
    unsigned tries = 0;
    for (size_t i = 0; i < keys->count && tries < FB_TOKEN_TRIES; i++) {
        const struct fb_key *key = &keys->keys[i];
        if (jws->has_kid && !fb_span_eq(key->kid, jws->kid)) {
            continue;
        }
        named = true;
        if ((key->algorithms & jws->algorithm) == 0) {
            continue;
        }
        tries++;
        switch (fb_verifier_check(&tokens->verifier, key, jws->algorithm, jws->signed_text, jws->signature,
                                  jws->signature_len)) {
        case FB_SIGNATURE_GOOD: return FB_TOKEN_GOOD;
        case FB_SIGNATURE_FAILED: return refuse(out, FB_TOKEN_FAILED, "OpenSSL failed");
        case FB_SIGNATURE_BAD: break;
        }
    }
    if (!named) {
        return refuse(out, FB_TOKEN_UNKNOWN_KEY, "the issuer has no key of this kid");
    }
    if (tries == 0) {
        return refuse(out, FB_TOKEN_ALGORITHM, "the key is not for this alg");
    }
    return refuse(out, FB_TOKEN_BAD_SIGNATURE, "the signature does not verify");
}

static bool meant_for(const struct fb_token *token, const struct fb_issuer *issuer)
{
    for (size_t i = 0; i < token->audience.count; i++) {
        for (size_t j = 0; j < issuer->audiences_count; j++) {
            if (fb_span_eq(token->audience.list[i], issuer->audiences[j])) {
                return true;
            }
        }
    }
    return false;
}

/* What a token must be held with, and what it is held with. */
static const char *binding_fault(const struct fb_token *token, const struct fb_issuer *issuer, const struct fb_possession *held)
{
    bool proved = held != NULL && held->key.len != 0;
    if (token->bound_otherwise) {
        return "it is bound (cnf) to what is not supported";
    }
    if (token->key.len == 0 && (proved || issuer->dpop == FB_DPOP_REQUIRED)) {
        return proved ? "it came with a proof and is bound to no key" : "its issuer's tokens must be bound to a key";
    }
    if (token->key.len != 0 && issuer->dpop == FB_DPOP_OFF) {
        return "it is bound to a key, and its issuer has no dpop=";
    }
    if (token->key.len != 0 && !(proved && fb_span_eq(token->key, held->key))) {
        return proved ? "it is bound to another key than the proof's" : "it is bound to a key and came without a proof";
    }
    if (token->certificate.len != 0
        && (held == NULL || held->certificate == NULL || !fb_certificate_is(held->certificate(held->self), token->certificate))) {
        return "it is bound to a certificate that the connection does not have";
    }
    return NULL;
}

/* What the token claims about itself, on a hit as on a miss.  Sets out->name. */
static enum fb_token_status check_claims(const struct fb_token *token, const struct fb_issuer *issuer,
                                         int64_t now_ms, const struct fb_possession *held, struct fb_bearer *out)
{
    int64_t leeway_ms = issuer->leeway_s * 1000;
    if (token->expires_ms < 0) {
        return refuse(out, FB_TOKEN_MISSING_CLAIM, "it has no exp");
    }
    if (!meant_for(token, issuer)) {
        return refuse(out, FB_TOKEN_AUDIENCE, "its aud is none of the audiences");
    }
    if (now_ms >= token->expires_ms + leeway_ms) {
        return refuse(out, FB_TOKEN_EXPIRED, "its exp is over");
    }
    if (token->has_not_before && now_ms + leeway_ms < token->not_before_ms) {
        return refuse(out, FB_TOKEN_NOT_YET, "its nbf is to come");
    }
    if (token->bound || (held != NULL && held->key.len != 0) || issuer->dpop == FB_DPOP_REQUIRED) {
        const char *fault = binding_fault(token, issuer, held);
        if (fault != NULL) {
            return refuse(out, FB_TOKEN_BOUND, fault);
        }
    }
    out->name = token->subject;
    if (!fb_span_is(issuer->claim, "sub")) {
        const struct fb_claim *claim = fb_token_claim(token, issuer->claim);
        out->name = claim != NULL && claim->kind == FB_CLAIM_STRING ? claim->strings.list[0] : fb_span("", 0);
    }
    if (out->name.len == 0) {
        return refuse(out, FB_TOKEN_MISSING_CLAIM, "the claim that names the principal is missing, or no string");
    }
    return FB_TOKEN_GOOD;
}

/* A token that is not in the cache. */
static enum fb_token_status verify_new(struct fb_tokens *tokens, const struct fb_issuers *issuers,
                                       struct fb_span text, int64_t now_ms, const struct fb_possession *held,
                                       struct fb_bearer *out)
{
    struct fb_jws jws;
    fb_arena_clear(&tokens->scratch);
    enum fb_token_status status = fb_jws_read(text, &tokens->scratch, &jws, &out->detail);
    if (status != FB_TOKEN_GOOD) {
        return status;
    }
    status = fb_claims_read(jws.payload, &tokens->scratch, &tokens->token, &out->detail);
    if (status != FB_TOKEN_GOOD) {
        return status;
    }
    const struct fb_issuer_entry *issuer = issuer_of(issuers, tokens->token.issuer);
    if (issuer == NULL) {
        return refuse(out, FB_TOKEN_UNKNOWN_ISSUER, "its iss is none of the issuers");
    }
    status = check_signature(tokens, issuer->keys, &jws, out);
    if (status != FB_TOKEN_GOOD) {
        return status;
    }
    out->token = &tokens->token;
    out->issuer = &issuer->config;
    status = check_claims(&tokens->token, &issuer->config, now_ms, held, out);
    (void)fb_cache_put(&tokens->cache, issuer, text, &tokens->token, now_ms, status != FB_TOKEN_GOOD);
    return status;
}

enum fb_token_status fb_tokens_verify(struct fb_tokens *tokens, const struct fb_issuers *issuers,
                                      struct fb_span token, int64_t now_ms, struct fb_bearer *out)
{
    return fb_tokens_verify_held(tokens, issuers, token, now_ms, NULL, out);
}

enum fb_token_status fb_tokens_verify_held(struct fb_tokens *tokens, const struct fb_issuers *issuers, struct fb_span token,
                                           int64_t now_ms, const struct fb_possession *held, struct fb_bearer *out)
{
    *out = (struct fb_bearer){.token = NULL};
    if (token.len > FB_TOKEN_MAX) {
        return refuse(out, FB_TOKEN_TOO_LARGE, "it is longer than 16 KiB");
    }
    const struct fb_issuer_entry *issuer;
    out->token = fb_cache_find(&tokens->cache, issuers, token, &issuer);
    if (out->token == NULL) {
        return verify_new(tokens, issuers, token, now_ms, held, out);
    }
    out->issuer = &issuer->config;
    return check_claims(out->token, &issuer->config, now_ms, held, out);
}

enum fb_signature fb_tokens_check_proof(struct fb_tokens *tokens, const struct fb_proof *proof)
{
    return fb_verifier_check(&tokens->proofs, &proof->keys->keys[0], proof->algorithm, proof->signed_text,
                             (const unsigned char *)proof->signature.ptr, proof->signature.len);
}

struct fb_span fb_bearer_id(const struct fb_bearer *bearer, struct fb_arena *arena)
{
    struct fb_span prefix = bearer->issuer->prefix;
    if (prefix.len == 0) {
        return bearer->name;
    }
    char *bytes = fb_arena_alloc(arena, prefix.len + bearer->name.len);
    if (bytes == NULL) {
        return fb_span(NULL, 0);
    }
    memcpy(bytes, prefix.ptr, prefix.len);
    memcpy(bytes + prefix.len, bearer->name.ptr, bearer->name.len);
    return fb_span(bytes, prefix.len + bearer->name.len);
}
