/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_TOKEN_CACHE_H
#define FB_IDENTITY_TOKEN_CACHE_H

#include "identity/keys.h"
#include "identity/token.h"

/* Tokens whose signature was good.
 *
 * A set-associative table: the hash picks a set of eight slots, so finding and evicting look at
 * eight slots and no more.  The key of the hash is random per cache, and its input the last 16
 * characters of the token, which are of the signature.  That is enough: only tokens that verified
 * are ever stored, and to place many of those in one set one would have to choose the signatures
 * of an issuer, and know the key.  Whoever sends a bad token with the ending of a good one costs
 * us one comparison, as the stored token is compared whole.
 *
 * A record is good for exactly one fingerprint (issuer and key set, keys.h): when a key is added,
 * removed or restricted, what was stored under the old set no longer matches.  That covers the
 * identity of the key that verified, since the set is the same only if each key is. */

enum { FB_CACHE_WAYS = 8, FB_CACHE_TAIL = 16 };

/* One block of memory: this, and behind it the arrays and bytes that it points to. */
struct fb_cached {
    struct fb_fingerprint fingerprint;
    size_t size, busy;              /* bytes; of these the first, which a hit reads */
    struct fb_span text;
    struct fb_token token;
};

struct fb_cache_slot {
    uint64_t hash, used;            /* `used`: the cache's clock at the last hit */
    struct fb_cached *cached;       /* NULL: free */
    size_t busy;                    /* as in it */
};

struct fb_cache {
    const struct fb_allocator *allocator;
    struct fb_hash_key key;
    struct fb_cache_slot *slots;
    size_t slots_count, hand, ceiling;
    uint64_t clock;
    struct fb_tokens_stats stats;
};

bool fb_cache_init(struct fb_cache *cache, const struct fb_allocator *allocator, size_t entries, size_t ceiling);
void fb_cache_release(struct fb_cache *cache);

/* The issuer among `issuers` under which the token was stored, and the token; or NULL. */
const struct fb_token *fb_cache_find(struct fb_cache *cache, const struct fb_issuers *issuers, struct fb_span text,
                                     const struct fb_issuer_entry **issuer);
/* Stores a copy; the copy, or NULL if there is no room.  With `weak` (a token that is of no use now)
 * only a free slot or that of an expired token is taken.  May free any other record. */
const struct fb_token *fb_cache_put(struct fb_cache *cache, const struct fb_issuer_entry *issuer,
                                    struct fb_span text, const struct fb_token *token, int64_t now_ms, bool weak);

#endif
