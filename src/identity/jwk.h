/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_JWK_H
#define FB_IDENTITY_JWK_H

#include "base/base.h"

#include <openssl/types.h>

/* One public key, as numbers (RFC 7518 section 6, RFC 8037 section 2) and as OpenSSL's object. */

enum fb_key_type { FB_KEY_RSA, FB_KEY_EC, FB_KEY_OKP };

/* Bits of a set. */
enum fb_algorithm { FB_RS256 = 1, FB_PS256 = 2, FB_ES256 = 4, FB_EDDSA = 8 };

/* The algorithm by its name in `alg`; 0 if it is none of ours.  "Ed25519" (RFC 9864) is EdDSA. */
unsigned fb_algorithm_named(struct fb_span name);
/* Those that a key of the type can be used with. */
unsigned fb_key_algorithms(enum fb_key_type type);

#define FB_RSA_BITS_MIN 2048
#define FB_RSA_BITS_MAX 8192
enum { FB_JWK_MAIN_MAX = FB_RSA_BITS_MAX / 8, FB_JWK_SIDE_MAX = 32 };

struct fb_jwk {
    enum fb_key_type type;
    size_t main_len, side_len;
    unsigned char main[FB_JWK_MAIN_MAX];    /* RSA: n; EC, OKP: x */
    unsigned char side[FB_JWK_SIDE_MAX];    /* RSA: e; EC: y */
};

/* NULL, and a static text, when the numbers are no sound public key: sizes, an even modulus, an
 * exponent of 1, a point off the curve. */
EVP_PKEY *fb_jwk_to_key(const struct fb_jwk *jwk, const char **error);
/* False for types that are not ours. */
bool fb_jwk_from_key(EVP_PKEY *key, struct fb_jwk *jwk);
/* Bytes of a signature: the modulus' length, or 64. */
size_t fb_jwk_signature_len(const struct fb_jwk *jwk);

/* The members `"crv":…,"kty":…,"x":…` in the order that RFC 7638 section 3 wants, in braces. */
void fb_jwk_write(const struct fb_jwk *jwk, struct fb_buffer *out);
/* RFC 7638 with SHA-256. */
bool fb_jwk_thumbprint(const struct fb_jwk *jwk, unsigned char out[32]);

bool fb_sha256(struct fb_span bytes, unsigned char out[32]);

#endif
