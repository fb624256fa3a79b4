/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENTITY_SORTED_H
#define FB_ENTITY_SORTED_H

#include "entity/value.h"

/* A record's fields in the order of their names, for people: at rest they stand by their symbols.
 * Internal to entity. */
struct fb_by_name {
    uint32_t *fields;       /* indices into the record's columns */
    uint32_t few[32];       /* holds them while they are few */
    uint32_t count;
    const struct fb_allocator *allocator;
};

/* False without memory, and then nothing is to be released. */
bool fb_by_name_init(struct fb_by_name *order, const struct fb_record *record, const struct fb_allocator *allocator);
void fb_by_name_release(struct fb_by_name *order);

#endif
