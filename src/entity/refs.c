/* SPDX-License-Identifier: Apache-2.0 */

/* Lists of uids, in the hand and at rest; and Cedar's `in` over them. */

#include "entity/refs.h"

#include <stdlib.h>

static int by_uid(const void *a, const void *b)
{
    const struct fb_uid *const *x = a, *const *y = b;
    return fb_uid_cmp(*x, *y);
}

bool fb_uid_list_join(struct fb_uid_list *list, struct fb_arena *arena, const struct fb_uid *const *a, size_t a_count,
                      const struct fb_uid *const *b, size_t b_count)
{
    *list = (struct fb_uid_list){0};
    size_t count = a_count + b_count;
    if (count == 0)
        return true;
    list->uids = fb_arena_array(arena, count, sizeof(const struct fb_uid *));
    if (list->uids == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        list->uids[i] = i < a_count ? a[i] : b[i - a_count];
    if (count > 1)
        qsort(list->uids, count, sizeof(const struct fb_uid *), by_uid);
    for (size_t i = 0; i < count; i++)
        if (list->count == 0 || !fb_uid_eq(list->uids[i], list->uids[list->count - 1]))
            list->uids[list->count++] = list->uids[i];
    return true;
}

void fb_ref_store(struct fb_ref *ref, const struct fb_uid *uid)
{
    ref->hash = uid->hash;
    ref->offset = (int64_t)((uintptr_t)uid - (uintptr_t)ref);
}

uint32_t fb_refs_bound(struct fb_refs refs, uint64_t hash)
{
    uint32_t low = 0, high = refs.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (refs.refs[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What a search through open ancestors has spent. */
struct search {
    const struct fb_entities *entities;
    const struct fb_uid *group;
    uint32_t finds;
};

static enum fb_found search_from(struct search *search, const struct fb_uid *uid, uint32_t depth)
{
    struct fb_entity entity;
    if (depth > FB_IN_DEPTH || search->finds++ == FB_IN_FINDS)
        return FB_BROKEN;
    enum fb_found found = search->entities->find(search->entities->self, uid, &entity);
    if (found != FB_FOUND)
        return found;
    if (fb_refs_contain(entity.ancestors, search->group))
        return FB_FOUND;
    if (entity.closed)
        return FB_ABSENT;
    if (fb_refs_contain(entity.parents, search->group))
        return FB_FOUND;
    found = FB_ABSENT;
    for (uint32_t i = 0; found == FB_ABSENT && i < entity.open.count; i++)
        found = search_from(search, fb_ref_uid(&entity.open.refs[i]), depth + 1);
    return found;
}

enum fb_found fb_entity_in(const struct fb_entities *entities, const struct fb_uid *uid, const struct fb_uid *group)
{
    if (fb_uid_eq(uid, group))
        return FB_FOUND;
    struct search search = {.entities = entities, .group = group};
    return search_from(&search, uid, 0);
}
