/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENTITY_REFS_H
#define FB_ENTITY_REFS_H

#include "entity/entity.h"

/* Lists of uids, in the hand and at rest.  Internal to entity. */

/* Sorted by fb_uid_cmp, none twice. */
struct fb_uid_list {
    const struct fb_uid **uids;
    size_t count;
};

/* The uids of both arrays; false without memory. */
bool fb_uid_list_join(struct fb_uid_list *list, struct fb_arena *arena, const struct fb_uid *const *a, size_t a_count,
                      const struct fb_uid *const *b, size_t b_count);

void fb_ref_store(struct fb_ref *ref, const struct fb_uid *uid);

/* The checksum that a block of this length and these contents must carry. */
uint64_t fb_entity_checksum(const struct fb_entity_block *block);

#endif
