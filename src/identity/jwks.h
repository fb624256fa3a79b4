/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_JWKS_H
#define FB_IDENTITY_JWKS_H

#include "base/base.h"

/* Key sets: the public keys of one issuer, from a JWK Set (RFC 7517).
 *
 * Usable are RSA (2048 to 8192 bits, for RS256 and PS256), EC on P-256 (ES256) and OKP with
 * Ed25519 (EdDSA, also called Ed25519 by RFC 9864).  What a key may be used for is the key's to
 * say, never the token's: its type fixes the algorithms, `alg` narrows them to one, and `use` and
 * `key_ops` must admit verification.
 *
 * Diagnostics:
 *   jwks.json …             errors: no key set can be made of the text
 *   jwks.symmetric          an error: a secret has no place among public keys, and an HMAC key
 *                           there is how algorithm confusion starts
 *   jwks.no_usable_key      an error
 *   jwks.unusable           a warning: the key is passed over, with why
 *   jwks.private            a warning: the file holds private keys; only their public half is used
 *   jwks.duplicate_kid      a warning: tokens that name this kid are tried with each such key
 * A key that stands there twice is taken once.  Limits: 1 MiB, 256 keys, depth 16, a `kid` of
 * FB_KID_MAX bytes. */

#define FB_JWKS_BYTES_MAX ((size_t)1 << 20)
#define FB_JWKS_KEYS_MAX 256
#define FB_KID_MAX 256

struct fb_jwks;

/* NULL when there was an error.  The source need not outlive the key set.  Read-only afterwards:
 * any number of threads, and of processes after a fork. */
struct fb_jwks *fb_jwks_read(const struct fb_source *source, struct fb_diags *diags,
                             const struct fb_allocator *allocator);
/* NULL is fine. */
void fb_jwks_free(struct fb_jwks *jwks);
size_t fb_jwks_count(const struct fb_jwks *jwks);

/* For people and tests.  `algorithms` is "RS256 PS256", "ES256", …; `thumbprint` that of RFC 7638
 * with SHA-256, which names the key material whatever its kid. */
struct fb_jwks_key {
    struct fb_span kid;             /* empty: none */
    const char *algorithms;
    unsigned char thumbprint[32];
};
struct fb_jwks_key fb_jwks_at(const struct fb_jwks *jwks, size_t index);

#endif
