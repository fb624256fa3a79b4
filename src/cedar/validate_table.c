/* SPDX-License-Identifier: Apache-2.0 */

/* The hash table of the validator: indexes into an array that its owner keeps, so that one table
 * serves types, expressions and pairs alike.  Grows at half full. */

#include "cedar/validate_types.h"

static bool grow(struct fb_vtable *table, struct fb_arena *arena, const void *context,
                 uint64_t (*hash_of)(const void *context, uint32_t index))
{
    uint32_t size = table->slots != NULL ? (table->mask + 1) * 2 : 64;
    uint32_t *slots = fb_arena_array(arena, size, sizeof *slots);
    if (slots == NULL)
        return false;
    for (uint32_t i = 0; table->slots != NULL && i <= table->mask; i++) {
        if (table->slots[i] == 0)
            continue;
        uint32_t at = (uint32_t)hash_of(context, table->slots[i] - 1) & (size - 1);
        while (slots[at] != 0)
            at = (at + 1) & (size - 1);
        slots[at] = table->slots[i];
    }
    table->slots = slots;
    table->mask = size - 1;
    return true;
}

uint32_t *fb_vtable_slot(struct fb_vtable *table, struct fb_arena *arena, uint64_t hash,
                         bool (*same)(const void *context, uint32_t index), const void *context,
                         uint64_t (*hash_of)(const void *context, uint32_t index))
{
    if ((table->slots == NULL || table->count >= table->mask / 2) && !grow(table, arena, context, hash_of))
        return NULL;
    uint32_t at = (uint32_t)hash & table->mask;
    while (table->slots[at] != 0 && !same(context, table->slots[at] - 1))
        at = (at + 1) & table->mask;
    return &table->slots[at];
}
