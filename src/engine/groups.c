/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are alike to who is not named by them, and the first of each such group (rows.h): what a refusal
 * looks at in place of all of them.  Which requests a group concerns is left to nearest.c. */

#include "engine/rows.h"

static uint32_t hash_of(uint32_t form, const uint64_t type[2])
{
    uint64_t mixed = (form + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ type[0];
    mixed = mixed * UINT64_C(0xff51afd7ed558ccd) ^ type[1];
    return (uint32_t)((mixed ^ mixed >> 29) * UINT64_C(0xc4ceb9fe1a85ec53) >> 32);
}

static uint32_t *next_group(const struct fb_rows *rows, uint32_t entry, uint32_t *hash)
{
    struct fb_group *group = fb_group_at(rows, entry - 1);
    *hash = hash_of(group->form, group->type);
    return &group->next;
}

/* The type that `==` asks for; 0 of other operators. */
static uint64_t type_of(const struct fb_rows *rows, uint32_t at, bool member)
{
    const struct fb_key *key = fb_key_at(rows, at);
    return at == 0 || member || fb_key_is_type(key) ? 0 : key->uid->type_hash;
}

static uint32_t find(const struct fb_rows *rows, uint32_t form, const uint64_t type[2])
{
    if (rows->by_group.count == 0)
        return 0;
    uint32_t at = *fb_bucket_at(&rows->by_group, hash_of(form, type));
    while (at != 0) {
        const struct fb_group *group = fb_group_at(rows, at - 1);
        if (group->form == form && group->type[0] == type[0] && group->type[1] == type[1])
            return at;
        at = group->next;
    }
    return 0;
}

/* An empty group; one that was left keeps its heap.  0 without memory. */
static uint32_t make(struct fb_rows *rows, uint32_t form, const uint64_t type[2])
{
    uint32_t at = rows->free_group;
    if (!fb_buckets_reach(rows, &rows->by_group, next_group, rows->groups_count + 1))
        return 0;
    if (at != 0) {
        rows->free_group = fb_group_at(rows, at - 1)->next;
    } else {
        struct fb_group *made = fb_segments_reach(&rows->groups, rows, rows->groups_count, sizeof *made);
        if (made == NULL)
            return 0;
        *made = (struct fb_group){.count = 0};
        at = ++rows->groups_count;
    }
    struct fb_group *group = fb_group_at(rows, at - 1);
    group->form = form;
    group->type[0] = type[0];
    group->type[1] = type[1];
    fb_bucket_enter(rows, &rows->by_group, next_group, at);
    return at;
}

bool fb_group_reserve(struct fb_rows *rows, uint32_t form, const uint32_t keys[2], const bool member[2],
                      uint32_t *group)
{
    const uint64_t type[2] = {type_of(rows, keys[0], member[0]), type_of(rows, keys[1], member[1])};
    uint32_t at = find(rows, form, type);
    if (at == 0)
        at = make(rows, form, type);
    if (at == 0)
        return false;
    *group = at - 1;
    struct fb_group *reserved = fb_group_at(rows, at - 1);
    return !rows->ids || fb_segments_reach(&reserved->heap, rows, reserved->count, sizeof(uint32_t)) != NULL;
}

/* --- The heap ------------------------------------------------------------------------------------ */

static uint32_t *slot(const struct fb_group *group, uint32_t place)
{
    return fb_segments_at(&group->heap, place, sizeof(uint32_t));
}

static void put(const struct fb_rows *rows, struct fb_group *group, uint32_t place, uint32_t number)
{
    *slot(group, place) = number;
    fb_row_at(rows, number)->place = place;
    if (place == 0)
        group->first = number;
}

/* A number finds its place from `place` on, towards the first and then away from it. */
static void settle(const struct fb_rows *rows, struct fb_group *group, uint32_t place, uint32_t number)
{
    for (uint32_t above; place != 0 && *slot(group, above = (place - 1) / 2) > number; place = above)
        put(rows, group, place, *slot(group, above));
    for (uint32_t below; (below = 2 * place + 1) < group->count; place = below) {
        below += below + 1 < group->count && *slot(group, below + 1) < *slot(group, below);
        if (*slot(group, below) > number)
            break;
        put(rows, group, place, *slot(group, below));
    }
    put(rows, group, place, number);
}

void fb_group_enter(struct fb_rows *rows, uint32_t at, uint32_t number)
{
    struct fb_group *group = fb_group_at(rows, at);
    uint32_t place = group->count++;
    if (rows->ids) {
        *slot(group, place) = number;
        settle(rows, group, place, number);
        return;
    }
    /* Numbers ascend where none is given again. */
    if (place == 0)
        group->first = number;
    rows->followers += place != 0;
    fb_row_at(rows, number)->place = place != 0;
}

void fb_group_leave(struct fb_rows *rows, uint32_t number, const bool member[2])
{
    const struct fb_row *row = fb_row_at(rows, number);
    const uint64_t type[2] = {type_of(rows, row->key[0], member[0]), type_of(rows, row->key[1], member[1])};
    uint32_t at = find(rows, row->form, type);
    struct fb_group *group = fb_group_at(rows, at - 1);
    uint32_t last = *slot(group, --group->count);
    if (last != number)
        settle(rows, group, row->place, last);
    if (group->count != 0)
        return;
    fb_bucket_leave(rows, &rows->by_group, next_group, at);
    group->next = rows->free_group;
    rows->free_group = at;
}

void fb_groups_release(struct fb_rows *rows)
{
    for (uint32_t i = 0; i < rows->groups_count; i++)
        fb_segments_release(&fb_group_at(rows, i)->heap, rows, sizeof(uint32_t));
    fb_segments_release(&rows->groups, rows, sizeof(struct fb_group));
    fb_segments_release(&rows->by_group.heads, rows, sizeof(uint32_t));
}
