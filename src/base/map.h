/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_MAP_H
#define FB_BASE_MAP_H

#include "base/arena.h"

/* A hash map from byte strings to pointers, in an arena.  Keys are not copied and must outlive the
 * map.  For names that the operator wrote; its hash has a fixed seed (hash.h), so keys that a
 * client chooses go elsewhere.  One thread writes; any number may read once it no longer changes. */
struct fb_map {
    struct fb_arena *arena;
    struct fb_map_slot *slots;
    uint32_t count, mask;
};

void fb_map_init(struct fb_map *map, struct fb_arena *arena);
/* The value, or NULL. */
void *fb_map_get(const struct fb_map *map, struct fb_span key);
/* The same where fb_hash(key) is known already. */
void *fb_map_get_hashed(const struct fb_map *map, uint64_t hash, struct fb_span key);
/* Sets or replaces; value must not be NULL.  False when out of memory. */
bool fb_map_put(struct fb_map *map, struct fb_span key, void *value);

#endif
