/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_PROOF_H
#define FB_IDENTITY_PROOF_H

#include "identity/token.h"

/* Proofs of possession: DPoP, RFC 9449 section 4.  A client signs method, URI and time of its request, and the hash of
 * its token, with a key of its own that the token is bound to.
 *
 * First the proof is taken apart; then the token is verified as held with the proof's key (fb_tokens_verify_held());
 * then the proof itself is checked, and last remembered, so that only who has a good token can fill that memory.
 *
 * Accepted are ES256, EdDSA, RS256 and PS256 with a public key in `jwk` that could stand in a key set.  A proof is good
 * for FB_PROOF_AGE_S seconds after its `iat`, give or take the issuer's leeway, and once (section 11.1).  Nonces are not
 * asked for (section 8). */

#define FB_PROOF_MAX 8192u
#define FB_PROOF_AGE_S 60
#define FB_PROOF_ID_MAX 256u            /* bytes of a `jti` */

struct fb_proof {
    struct fb_jwks *keys;               /* the one that it brings */
    struct fb_span key;                 /* that one's thumbprint, as `jkt` has it */
    struct fb_span signed_text, signature;
    struct fb_span method, uri, token_hash, id;     /* htm, htu, ath, jti */
    int64_t issued_ms;                  /* iat */
    unsigned algorithm;
};

/* False, with `detail` set to a static text for logs, when it is none; then there is nothing to release.  Points into
 * `text` and `arena`. */
bool fb_proof_read(struct fb_span text, const struct fb_allocator *allocator, struct fb_arena *arena, struct fb_proof *proof,
                   const char **detail);
void fb_proof_release(struct fb_proof *proof);

/* The request that it must be for. */
struct fb_proof_use {
    struct fb_span method;
    struct fb_span origin;              /* "https://api.example", a port if it is not the scheme's own */
    struct fb_span path;                /* as the client sent it; what stands behind a `?` does not count */
    struct fb_span token;
    int64_t now_ms, leeway_ms;
};
enum fb_proof_status { FB_PROOF_FAILED, FB_PROOF_GOOD, FB_PROOF_BAD };
/* FAILED: OpenSSL could not be asked. */
enum fb_proof_status fb_proof_check(struct fb_tokens *tokens, const struct fb_proof *proof, const struct fb_proof_use *use,
                                    const char **detail);

/* --- Proofs that were used ------------------------------------------------------------------------------
 * In memory of the caller's, which processes may share: no locks, nobody waits. */
struct fb_replays;

/* For so many proofs at a time; a power of two, at least 64. */
size_t fb_replays_bytes(size_t room);
/* `memory` is aligned as malloc's is, and not yet shared.  NULL without randomness. */
struct fb_replays *fb_replays_init(void *memory, size_t room);

enum fb_replay { FB_REPLAY_FRESH, FB_REPLAY_SEEN, FB_REPLAY_FULL };
/* Remembers a proof until it is too old to be used.  FULL: more were used than there is room for; whoever cannot
 * remember must refuse. */
enum fb_replay fb_replays_add(struct fb_replays *replays, const struct fb_proof *proof, const struct fb_proof_use *use);

#endif
