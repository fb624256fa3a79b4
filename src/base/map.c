/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with linear probing, at most two thirds full.  A slot keeps its hash, so that a
 * miss seldom looks at a key and growth never does.  Old tables stay in the arena: since sizes
 * double they add up to less than the newest. */
#include "base/map.h"

#include "base/hash.h"

#include <assert.h>

struct fb_map_slot {
    uint64_t hash;
    struct fb_span key;
    void *value;        /* NULL: the slot is empty */
};

#define FIRST_SLOTS 8u

void fb_map_init(struct fb_map *map, struct fb_arena *arena)
{
    *map = (struct fb_map){.arena = arena};
}

/* The slot that holds the key, or the empty one where it would go. */
static struct fb_map_slot *find(const struct fb_map *map, uint64_t hash, struct fb_span key)
{
    assert(map->slots != NULL);
    for (uint32_t i = (uint32_t)hash & map->mask;; i = (i + 1) & map->mask) {
        struct fb_map_slot *slot = &map->slots[i];
        if (slot->value == NULL || (slot->hash == hash && fb_span_eq(slot->key, key)))
            return slot;
    }
}

void *fb_map_get_hashed(const struct fb_map *map, uint64_t hash, struct fb_span key)
{
    return map->slots != NULL ? find(map, hash, key)->value : NULL;
}

void *fb_map_get(const struct fb_map *map, struct fb_span key)
{
    return fb_map_get_hashed(map, fb_hash(key), key);
}

static bool grow(struct fb_map *map)
{
    uint32_t old_slots = map->slots != NULL ? map->mask + 1 : 0;
    if (old_slots > UINT32_MAX / 2)
        return false;
    uint32_t new_slots = old_slots != 0 ? 2 * old_slots : FIRST_SLOTS;
    struct fb_map_slot *slots = fb_arena_array(map->arena, new_slots, sizeof *slots);
    if (slots == NULL)
        return false;
    struct fb_map larger = {.arena = map->arena, .slots = slots, .count = map->count,
                            .mask = new_slots - 1};
    for (uint32_t i = 0; i < old_slots; i++) {
        const struct fb_map_slot *slot = &map->slots[i];
        if (slot->value != NULL)
            *find(&larger, slot->hash, slot->key) = *slot;
    }
    fb_arena_give_back(map->arena, map->slots, old_slots * sizeof *slots);
    *map = larger;
    return true;
}

bool fb_map_put(struct fb_map *map, struct fb_span key, void *value)
{
    assert(value != NULL);
    uint64_t hash = fb_hash(key);
    struct fb_map_slot *slot = map->slots != NULL ? find(map, hash, key) : NULL;
    if (slot == NULL || slot->value == NULL) {
        if (slot == NULL || map->count >= (map->mask + 1) / 3 * 2) {
            if (!grow(map))
                return false;
            slot = find(map, hash, key);
        }
        map->count++;
    }
    *slot = (struct fb_map_slot){.hash = hash, .key = key, .value = value};
    return true;
}
