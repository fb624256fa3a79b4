/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_HASH_H
#define FB_BASE_HASH_H

#include "base/span.h"

/* The hash of names and entity uids.  Fast, with a fixed seed, and part of the store's format: the
 * same bytes give the same 64 bits on every machine and in every version (golden test).  It does
 * not resist an adversary, so nothing may rest on it alone: a match is always confirmed by the
 * bytes. */
uint64_t fb_hash(struct fb_span bytes);

/* Two hashes into one; not commutative. */
uint64_t fb_hash_join(uint64_t first, uint64_t second);

/* SipHash-2-4 (Aumasson, Bernstein 2012) under a secret key: for tables whose keys a client
 * chooses. */
struct fb_hash_key {
    uint64_t k0, k1;
};
uint64_t fb_hash_keyed(const struct fb_hash_key *key, struct fb_span bytes);
/* Of 16 bytes, in a tenth of the time: two products under the key.  Who does not know the key cannot
 * aim at a place, but no proof says so; for tables whose keys a client can hardly choose. */
uint64_t fb_hash_keyed_16(const struct fb_hash_key *key, const char bytes[16]);
/* Its 128-bit variant, as its authors' code has it; hash[0] is the first half. */
void fb_hash_keyed_wide(const struct fb_hash_key *key, struct fb_span bytes, uint64_t hash[2]);

#endif
