/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_KEYS_H
#define FB_IDENTITY_KEYS_H

#include "identity/issuer.h"
#include "identity/jwk.h"

/* What jwks.c and issuer.c build and the verifying files read.  Never written once it is built:
 * nginx's workers share it after the fork. */

struct fb_key {
    enum fb_key_type type;
    unsigned algorithms;            /* a set of enum fb_algorithm */
    struct fb_span kid;             /* empty: none */
    EVP_PKEY *pkey;
    size_t signature_len;
    unsigned char thumbprint[32];
};

struct fb_jwks {
    const struct fb_allocator *allocator;
    struct fb_arena arena;
    struct fb_key *keys;
    size_t count, capacity;
};

/* What the cache compares: a digest of the issuer's URL and of its keys with what they may be used
 * for.  It moves whenever a signature might be judged differently. */
struct fb_fingerprint {
    unsigned char bytes[32];
};

struct fb_issuer_entry {
    struct fb_issuer config;
    struct fb_jwks *keys;
    struct fb_fingerprint fingerprint;
};

struct fb_issuers {
    const struct fb_allocator *allocator;
    struct fb_arena arena;
    struct fb_issuer_entry entries[FB_ISSUERS_MAX];
    size_t count;
};

#endif
