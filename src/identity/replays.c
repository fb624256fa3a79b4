/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs that were used, so that none is used twice (RFC 9449 section 11.1): a table of fixed size in memory that the
 * workers of a machine may share.
 *
 * A proof is known by a keyed hash of its key and its `jti`: the hash chooses a bucket of WAYS slots, and 40 more bits of
 * it stand in a slot with the second at which the proof is too old to be used anyway.  So a slot is one word, taken by
 * one compare-and-swap.  Two that bring the same proof at the same moment may take two slots: each looks again after it
 * took one, and who finds the other is refused; at the worst both are, never neither.  That a fresh proof is taken for a
 * used one has a chance of WAYS in 2^40.  A full bucket is said to be full and forgets nothing. */
#include "identity/proof.h"

#include <assert.h>
#include <openssl/rand.h>
#include <stdatomic.h>

enum { WAYS = 16, TRIES = 32, TIME_BITS = 24 };
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

struct fb_replays {
    struct fb_hash_key key;
    size_t buckets;             /* a power of two */
    _Atomic uint64_t slots[];
};

size_t fb_replays_bytes(size_t room)
{
    return sizeof(struct fb_replays) + room * sizeof(_Atomic uint64_t);
}

struct fb_replays *fb_replays_init(void *memory, size_t room)
{
    struct fb_replays *replays = memory;
    assert(room >= WAYS && (room & (room - 1)) == 0);
    if (RAND_bytes((unsigned char *)&replays->key, sizeof replays->key) != 1)
        return NULL;
    replays->buckets = room / WAYS;
    for (size_t i = 0; i < room; i++)
        atomic_init(&replays->slots[i], 0);
    return replays;
}

static bool is_live(uint64_t slot, uint64_t now_s)
{
    /* Seconds modulo 194 days, of a future of minutes. */
    return slot != 0 && ((slot - now_s) & TIME_MASK) < TIME_MASK / 2;
}

/* How many slots of the bucket hold the proof; *free_at is one that may be taken, or WAYS. */
static unsigned look(_Atomic uint64_t *bucket, uint64_t tag, uint64_t now_s, size_t *free_at, uint64_t *old)
{
    unsigned found = 0;
    *free_at = WAYS;
    for (size_t i = 0; i < WAYS; i++) {
        uint64_t slot = atomic_load(&bucket[i]);
        if (!is_live(slot, now_s)) {
            if (*free_at == WAYS) {
                *free_at = i;
                *old = slot;
            }
        } else if (slot >> TIME_BITS == tag) {
            found++;
        }
    }
    return found;
}

enum fb_replay fb_replays_add(struct fb_replays *replays, const struct fb_proof *proof, const struct fb_proof_use *use)
{
    char text[FB_THUMBPRINT_LEN + FB_PROOF_ID_MAX];
    if (proof->key.len != FB_THUMBPRINT_LEN || proof->id.len > FB_PROOF_ID_MAX)
        return FB_REPLAY_FULL;
    memcpy(text, proof->key.ptr, proof->key.len);
    memcpy(text + proof->key.len, proof->id.ptr, proof->id.len);
    uint64_t hash[2];
    fb_hash_keyed_wide(&replays->key, fb_span(text, proof->key.len + proof->id.len), hash);
    _Atomic uint64_t *bucket = &replays->slots[(hash[0] & (replays->buckets - 1)) * WAYS];
    uint64_t tag = hash[1] >> TIME_BITS | 1, now_s = (uint64_t)(use->now_ms / 1000);
    /* One second more than it can be used, for what is cut off. */
    uint64_t until = (uint64_t)((proof->issued_ms + use->leeway_ms) / 1000) + FB_PROOF_AGE_S + 1;
    uint64_t entry = tag << TIME_BITS | (until & TIME_MASK), old = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        size_t at;
        if (look(bucket, tag, now_s, &at, &old) != 0)
            return FB_REPLAY_SEEN;
        if (at == WAYS)
            return FB_REPLAY_FULL;
        if (atomic_compare_exchange_strong(&bucket[at], &old, entry))
            return look(bucket, tag, now_s, &at, &old) == 1 ? FB_REPLAY_FRESH : FB_REPLAY_SEEN;
    }
    return FB_REPLAY_FULL;
}
