/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_VERIFIER_H
#define FB_IDENTITY_VERIFIER_H

#include "identity/keys.h"

#define FB_SIGNATURE_MAX FB_JWK_MAIN_MAX
#define FB_VERIFIER_SLOTS 16

/* Signatures checked, with OpenSSL's objects made once: fetching an algorithm and setting up a
 * context cost several microseconds, an ES256 check some 60.  One thread. */
struct fb_verifier {
    EVP_MD *sha256;
    EVP_MD_CTX *context;            /* for Ed25519, which takes the whole message */
    struct {
        unsigned char thumbprint[32];
        unsigned algorithm;
        EVP_PKEY_CTX *context;      /* holds the key by a count of its own */
    } slots[FB_VERIFIER_SLOTS];     /* the others, set up per key and algorithm */
    unsigned next;                  /* slot that is replaced next */
};

bool fb_verifier_init(struct fb_verifier *verifier);
void fb_verifier_release(struct fb_verifier *verifier);

/* FAILED: OpenSSL could not be asked. */
enum fb_signature { FB_SIGNATURE_FAILED, FB_SIGNATURE_GOOD, FB_SIGNATURE_BAD };

struct fb_proof;
struct fb_tokens;
/* A proof's signature, by the proof's own key (proof.h). */
enum fb_signature fb_tokens_check_proof(struct fb_tokens *tokens, const struct fb_proof *proof);

/* `algorithm` is one that the key admits.  The length of `signature` must be exactly the key's. */
enum fb_signature fb_verifier_check(struct fb_verifier *verifier, const struct fb_key *key, unsigned algorithm,
                                    struct fb_span signed_text, const unsigned char *signature, size_t len);

/* The signature of RFC 7518 section 3.4, r and s in 32 bytes each, as DER (SEC 1 section C.5), into
 * `out`; its length. */
#define FB_ECDSA_DER_MAX 72
size_t fb_ecdsa_to_der(const unsigned char signature[64], unsigned char out[FB_ECDSA_DER_MAX]);

#endif
