/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of good signatures; token_cache.h says why it is sound.  What a stored token is still
 * good for is decided in token.c at each use. */
#include "identity/token_cache.h"

#include <openssl/rand.h>

#include <assert.h>

enum { HAND_STEPS = 64 };

bool fb_cache_init(struct fb_cache *cache, const struct fb_allocator *allocator, size_t entries, size_t ceiling)
{
    size_t count = FB_CACHE_WAYS;
    while (count < entries && count < (size_t)1 << 24) {
        count *= 2;
    }
    *cache = (struct fb_cache){.allocator = allocator, .slots_count = count, .ceiling = ceiling};
    cache->slots = fb_alloc(allocator, count * sizeof *cache->slots);
    if (cache->slots == NULL || RAND_bytes((unsigned char *)&cache->key, sizeof cache->key) != 1) {
        fb_cache_release(cache);
        return false;
    }
    memset(cache->slots, 0, count * sizeof *cache->slots);
    return true;
}

static void drop(struct fb_cache *cache, struct fb_cache_slot *slot)
{
    if (slot->cached != NULL) {
        cache->stats.bytes -= slot->cached->size;
        cache->stats.entries--;
        fb_free(cache->allocator, slot->cached, slot->cached->size);
        slot->cached = NULL;
    }
}

void fb_cache_release(struct fb_cache *cache)
{
    if (cache->slots == NULL) {
        return;
    }
    for (size_t i = 0; cache->stats.entries != 0; i++) {
        drop(cache, &cache->slots[i]);
    }
    fb_free(cache->allocator, cache->slots, cache->slots_count * sizeof *cache->slots);
    cache->slots = NULL;
}

static uint64_t hash_of(const struct fb_cache *cache, struct fb_span text)
{
    char tail[FB_CACHE_TAIL] = {0};
    size_t len = text.len < FB_CACHE_TAIL ? text.len : FB_CACHE_TAIL;
    fb_bytes_copy(tail, text.ptr + (text.len - len), len);
    return fb_hash_keyed_16(&cache->key, tail);
}

static struct fb_cache_slot *set_of(const struct fb_cache *cache, uint64_t hash)
{
    return &cache->slots[(size_t)hash & (cache->slots_count - FB_CACHE_WAYS)];
}

/* A hit reads nearly all of the block's busy part, and among many busy tokens it lies far from the
 * processor: its lines are asked for at once instead of one after the other. */
static inline void fetch(const struct fb_cache_slot *slot)
{
    enum { LINE = 64, BYTES_MAX = 32 * LINE };
    const char *at = (const char *)slot->cached, *end = at + (slot->busy < BYTES_MAX ? slot->busy : BYTES_MAX);
    for (; at < end; at += LINE) {
        __builtin_prefetch(at);
    }
}

const struct fb_token *fb_cache_find(struct fb_cache *cache, const struct fb_issuers *issuers, struct fb_span text,
                                     const struct fb_issuer_entry **issuer)
{
    uint64_t hash = hash_of(cache, text);
    struct fb_cache_slot *slot = set_of(cache, hash);
    for (size_t i = 0; i < FB_CACHE_WAYS; i++, slot++) {
        if (slot->hash != hash || slot->cached == NULL) {
            continue;
        }
        fetch(slot);
        if (!fb_span_eq(slot->cached->text, text)) {
            continue;
        }
        for (size_t j = 0; j < issuers->count; j++) {
            if (memcmp(&issuers->entries[j].fingerprint, &slot->cached->fingerprint,
                       sizeof slot->cached->fingerprint) == 0) {
                slot->used = ++cache->clock;
                cache->stats.hits++;
                *issuer = &issuers->entries[j];
                return &slot->cached->token;
            }
        }
    }
    cache->stats.misses++;
    return NULL;
}

/* Copies what a token points to into one block.  The first run, without a block, measures. */
struct packer {
    struct fb_span *spans;          /* NULL while measuring */
    char *bytes;
    size_t spans_used, bytes_used;
};

static struct fb_span pack_text(struct packer *p, struct fb_span text)
{
    size_t at = p->bytes_used;
    p->bytes_used += text.len;
    if (p->spans == NULL || text.len == 0) {
        return fb_span("", 0);
    }
    memcpy(p->bytes + at, text.ptr, text.len);
    return fb_span(p->bytes + at, text.len);
}

static struct fb_strings pack_list(struct packer *p, struct fb_strings strings)
{
    size_t at = p->spans_used;
    p->spans_used += strings.count;
    for (size_t i = 0; i < strings.count; i++) {
        struct fb_span copy = pack_text(p, strings.list[i]);
        if (p->spans != NULL) {
            p->spans[at + i] = copy;
        }
    }
    return (struct fb_strings){p->spans != NULL ? p->spans + at : NULL, strings.count};
}

static void pack(struct packer *p, struct fb_token *token, const struct fb_claim *from, struct fb_claim *to)
{
    token->issuer = pack_text(p, token->issuer);
    token->subject = pack_text(p, token->subject);
    token->acr = pack_text(p, token->acr);
    token->key = pack_text(p, token->key);
    token->certificate = pack_text(p, token->certificate);
    token->audience = pack_list(p, token->audience);
    token->scope = pack_list(p, token->scope);
    token->amr = pack_list(p, token->amr);
    for (size_t i = 0; i < token->claims_count; i++) {
        struct fb_claim claim = from[i];
        claim.name = pack_text(p, claim.name);
        claim.strings = pack_list(p, claim.strings);
        if (to != NULL) {
            to[i] = claim;
        }
    }
    token->claims = to;
}

static struct fb_cached *copy_of(struct fb_cache *cache, struct fb_span text, const struct fb_token *token)
{
    struct packer measure = {.spans = NULL};
    struct fb_token scratch = *token;
    pack(&measure, &scratch, token->claims, NULL);
    /* What every hit reads comes first, the claims one by one last. */
    size_t spans_bytes = measure.spans_used * sizeof(struct fb_span);
    size_t busy = (sizeof(struct fb_cached) + spans_bytes + measure.bytes_used + text.len + 7) & ~(size_t)7;
    size_t size = busy + token->claims_count * sizeof(struct fb_claim);
    if (size > cache->ceiling) {
        return NULL;
    }
    struct fb_cached *cached = fb_alloc(cache->allocator, size);
    if (cached == NULL) {
        return NULL;
    }
    struct fb_claim *claims = (struct fb_claim *)(void *)((char *)cached + busy);
    struct packer packer = {.spans = (struct fb_span *)(cached + 1)};
    packer.bytes = (char *)(packer.spans + measure.spans_used);
    *cached = (struct fb_cached){.size = size, .busy = busy, .token = *token};
    pack(&packer, &cached->token, token->claims, claims);
    assert(packer.bytes_used == measure.bytes_used && packer.spans_used == measure.spans_used);
    memcpy(packer.bytes + packer.bytes_used, text.ptr, text.len);
    cached->text = fb_span(packer.bytes + packer.bytes_used, text.len);
    return cached;
}

static bool is_expired(const struct fb_cached *cached, int64_t now_ms)
{
    return cached->token.expires_ms + FB_LEEWAY_MAX * INT64_C(1000) < now_ms;
}

/* The slot of the set that a new record takes: that of the same token, a free one, an expired one,
 * else the one whose last use is oldest. */
static struct fb_cache_slot *victim_of(struct fb_cache_slot *set, struct fb_span text, int64_t now_ms, bool weak)
{
    struct fb_cache_slot *free_slot = NULL, *expired = NULL, *oldest = &set[0];
    for (size_t i = 0; i < FB_CACHE_WAYS; i++) {
        struct fb_cache_slot *slot = &set[i];
        if (slot->cached == NULL) {
            /* The first, so that a set that is not full is found through in its first line. */
            free_slot = free_slot != NULL ? free_slot : slot;
        } else if (fb_span_eq(slot->cached->text, text)) {
            return slot;
        } else if (is_expired(slot->cached, now_ms)) {
            expired = slot;
        } else if (slot->used < oldest->used) {
            oldest = slot;
        }
    }
    if (free_slot != NULL) {
        return free_slot;
    }
    return expired != NULL ? expired : weak ? NULL : oldest;
}

/* Below the ceiling with `size` more bytes, by dropping what a hand that goes round comes upon, for
 * a bounded number of steps. */
static bool make_room(struct fb_cache *cache, size_t size, bool weak)
{
    for (unsigned i = 0; i < HAND_STEPS && !weak && cache->stats.bytes + size > cache->ceiling; i++) {
        struct fb_cache_slot *slot = &cache->slots[cache->hand++ & (cache->slots_count - 1)];
        cache->stats.evictions += slot->cached != NULL;
        drop(cache, slot);
    }
    return cache->stats.bytes + size <= cache->ceiling;
}

const struct fb_token *fb_cache_put(struct fb_cache *cache, const struct fb_issuer_entry *issuer,
                                    struct fb_span text, const struct fb_token *token, int64_t now_ms, bool weak)
{
    uint64_t hash = hash_of(cache, text);
    struct fb_cache_slot *slot = victim_of(set_of(cache, hash), text, now_ms, weak);
    if (slot == NULL) {
        return NULL;
    }
    struct fb_cached *cached = copy_of(cache, text, token);
    if (cached == NULL) {
        return NULL;
    }
    cache->stats.evictions += slot->cached != NULL;
    drop(cache, slot);
    if (!make_room(cache, cached->size, weak)) {
        fb_free(cache->allocator, cached, cached->size);
        return NULL;
    }
    cached->fingerprint = issuer->fingerprint;
    *slot = (struct fb_cache_slot){.hash = hash, .used = ++cache->clock, .cached = cached, .busy = cached->busy};
    cache->stats.bytes += cached->size;
    cache->stats.entries++;
    return &cached->token;
}
