/* SPDX-License-Identifier: Apache-2.0 */
/* Duplicate keys.  Up to FEW keys are compared one by one; beyond that a table under a hash whose
 * key is drawn at random for the reader, since the names are a client's choice. */
#include "base/json_keys.h"

#include <sys/random.h>
#include <time.h>

#define FEW 16u
#define FIRST_TABLE 64u

struct fb_json_key {
    struct fb_span name;
    uint64_t hash;              /* set above FEW keys */
};

void fb_json_keys_clear(struct fb_json_keys *keys)
{
    keys->count = 0;
    keys->mask = 0;
}

/* Without entropy (a kernel that has not booted yet) addresses and the clock must do: guessing them
 * gains an attacker some time of ours, within the limit of keys, and nothing else. */
static void draw_key(struct fb_json *json)
{
    if (getrandom(&json->key, sizeof json->key, GRND_NONBLOCK) != (ssize_t)sizeof json->key) {
        struct timespec now = {0};
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        json->key.k0 = fb_hash_join((uint64_t)now.tv_nsec, (uint64_t)(uintptr_t)json);
        json->key.k1 = fb_hash_join((uint64_t)(uintptr_t)json->arena, (uint64_t)now.tv_sec);
    }
    json->keyed = true;
}

/* Only the part of the table that the object needs is cleared and used: an object of 17 keys must
 * not pay for an earlier one of 60,000. */
static bool rebuild_table(struct fb_json_keys *keys, struct fb_json *json)
{
    if (keys->mask >= UINT32_MAX / 2)
        return false;
    uint32_t size = keys->mask == 0 ? FIRST_TABLE : 2 * (keys->mask + 1);
    if (size > keys->table_size) {
        uint32_t *table = fb_arena_array(json->arena, size, sizeof *table);
        if (table == NULL)
            return false;
        keys->table = table;
        keys->table_size = size;
    }
    memset(keys->table, 0, size * sizeof *keys->table);
    bool first = keys->mask == 0;
    keys->mask = size - 1;
    for (uint32_t i = 0; i < keys->count; i++) {
        struct fb_json_key *key = &keys->list[i];
        if (first)
            key->hash = fb_hash_keyed(&json->key, key->name);
        uint32_t at = (uint32_t)key->hash & keys->mask;
        while (keys->table[at] != 0)
            at = (at + 1) & keys->mask;
        keys->table[at] = i + 1;
    }
    return true;
}

static bool is_among_few(const struct fb_json_keys *keys, struct fb_span name)
{
    for (uint32_t i = 0; i < keys->count; i++) {
        if (fb_span_eq(keys->list[i].name, name))
            return true;
    }
    return false;
}

/* Where in the table the name is, or the empty place for it. */
static uint32_t *find(const struct fb_json_keys *keys, uint64_t hash, struct fb_span name)
{
    for (uint32_t at = (uint32_t)hash & keys->mask;; at = (at + 1) & keys->mask) {
        if (keys->table[at] == 0)
            return &keys->table[at];
        const struct fb_json_key *key = &keys->list[keys->table[at] - 1];
        if (key->hash == hash && fb_span_eq(key->name, name))
            return &keys->table[at];
    }
}

enum fb_json_key_status fb_json_keys_add(struct fb_json_keys *keys, struct fb_json *json,
                                         struct fb_span name)
{
    struct fb_json_key *list =
        fb_arena_grow(json->arena, keys->list, keys->count, &keys->capacity, sizeof *list);
    if (list == NULL)
        return FB_JSON_KEY_NO_MEMORY;
    keys->list = list;
    uint64_t hash = 0;
    if (keys->count < FEW) {
        if (is_among_few(keys, name))
            return FB_JSON_KEY_DUPLICATE;
    } else {
        if (!json->keyed)
            draw_key(json);
        if ((keys->mask == 0 || keys->count >= keys->mask / 2) && !rebuild_table(keys, json))
            return FB_JSON_KEY_NO_MEMORY;
        hash = fb_hash_keyed(&json->key, name);
        uint32_t *place = find(keys, hash, name);
        if (*place != 0)
            return FB_JSON_KEY_DUPLICATE;
        *place = keys->count + 1;
    }
    list[keys->count++] = (struct fb_json_key){.name = name, .hash = hash};
    return FB_JSON_KEY_NEW;
}
