/* SPDX-License-Identifier: Apache-2.0 */
/* The least rows of keys that many rows name.
 *
 * A refusal looks for the nearest permit among the rows that name the request's own principal, resource or an
 * ancestor (nearest.c).  If one of these is named by a hundred thousand links, a group to which all belong, most
 * of them differ in nothing but an other side that the request does not have: of one form and one type of that
 * side they lack the same, so the one with the least number stands for them.  Here these are known: for each
 * key and side with BUSY rows and more, by form and type of the other side, a heap of numbers.
 *
 * Rows that go are left in the heap until they come to the top; so a row needs no room for its place, and the first
 * is always one that is there.  A heap that is mostly of rows that have gone is made anew.  Without memory a
 * key is as if it were not busy: its rows are walked. */

#include "engine/rows.h"

#define BUSY 16u

static uint32_t hash_of(uint32_t key, enum fb_side side)
{
    return (uint32_t)((key * UINT64_C(2) + side + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static uint32_t *next_busy(const struct fb_rows *rows, uint32_t entry, uint32_t *hash)
{
    struct fb_busy *busy = fb_busy_at(rows, entry - 1);
    *hash = hash_of(busy->key, busy->side);
    return &busy->next;
}

static uint32_t skip(const struct fb_rows *rows, uint32_t at, uint32_t key, enum fb_side side)
{
    while (at != 0 && (fb_busy_at(rows, at - 1)->key != key || fb_busy_at(rows, at - 1)->side != side))
        at = fb_busy_at(rows, at - 1)->next;
    return at;
}

uint32_t fb_busy_first(const struct fb_rows *rows, uint32_t key, enum fb_side side)
{
    return rows->busy_live != 0 ? skip(rows, *fb_bucket_at(&rows->by_busy, hash_of(key, side)), key, side) : 0;
}

uint32_t fb_busy_next(const struct fb_rows *rows, uint32_t at)
{
    const struct fb_busy *busy = fb_busy_at(rows, at - 1);
    return skip(rows, busy->next, busy->key, busy->side);
}

/* --- Heaps ------------------------------------------------------------------------------------------ */

static uint32_t *slot(const struct fb_busy *busy, uint32_t place)
{
    return fb_segments_at(&busy->heap, place, sizeof(uint32_t));
}

static void sink(const struct fb_busy *busy, uint32_t place, uint32_t number)
{
    for (uint32_t below; (below = 2 * place + 1) < busy->size; place = below) {
        below += below + 1 < busy->size && *slot(busy, below + 1) < *slot(busy, below);
        if (*slot(busy, below) >= number)
            break;
        *slot(busy, place) = *slot(busy, below);
    }
    *slot(busy, place) = number;
}

static bool push(struct fb_rows *rows, struct fb_busy *busy, uint32_t number)
{
    if (fb_segments_reach(&busy->heap, rows, busy->size, sizeof(uint32_t)) == NULL)
        return false;
    uint32_t place = busy->size++;
    for (uint32_t above; place != 0 && *slot(busy, above = (place - 1) / 2) > number; place = above)
        *slot(busy, place) = *slot(busy, above);
    *slot(busy, place) = number;
    return true;
}

static uint64_t other_type(const struct fb_row *row, enum fb_side side)
{
    const struct fb_uid *uid = row->uid[side == FB_SIDE_PRINCIPAL ? FB_SIDE_RESOURCE : FB_SIDE_PRINCIPAL];
    return uid != NULL ? uid->type_hash : 0;
}

static bool belongs(const struct fb_busy *busy, const struct fb_row *row)
{
    return row->form == busy->form && row->key[busy->side] == busy->key && other_type(row, busy->side) == busy->type;
}

/* --- Entries ----------------------------------------------------------------------------------------- */

static struct fb_busy *find(const struct fb_rows *rows, const struct fb_row *row, enum fb_side side)
{
    uint32_t at = fb_busy_first(rows, row->key[side], side);
    while (at != 0 && !belongs(fb_busy_at(rows, at - 1), row))
        at = fb_busy_next(rows, at);
    return at != 0 ? fb_busy_at(rows, at - 1) : NULL;
}

static struct fb_busy *make(struct fb_rows *rows, const struct fb_row *row, enum fb_side side)
{
    struct fb_segments heap = {0};
    uint32_t at = rows->free_busy;
    if (!fb_buckets_reach(rows, &rows->by_busy, next_busy, rows->busy_count + 1))
        return NULL;
    if (at != 0) {
        rows->free_busy = fb_busy_at(rows, at - 1)->next;
        heap = fb_busy_at(rows, at - 1)->heap;  /* of one that was left */
    } else {
        if (fb_segments_reach(&rows->busy, rows, rows->busy_count, sizeof(struct fb_busy)) == NULL)
            return NULL;
        at = ++rows->busy_count;
    }
    struct fb_busy *busy = fb_busy_at(rows, at - 1);
    *busy = (struct fb_busy){.type = other_type(row, side), .form = row->form, .key = row->key[side], .side = side,
                             .heap = heap};
    fb_bucket_enter(rows, &rows->by_busy, next_busy, at);
    rows->busy_live++;
    return busy;
}

static void drop(struct fb_rows *rows, uint32_t at)
{
    struct fb_busy *busy = fb_busy_at(rows, at - 1);
    fb_bucket_leave(rows, &rows->by_busy, next_busy, at);
    busy->size = busy->live = 0;
    busy->next = rows->free_busy;
    rows->free_busy = at;
    rows->busy_live--;
}

static void drop_all(struct fb_rows *rows, uint32_t key, enum fb_side side)
{
    for (uint32_t at; (at = fb_busy_first(rows, key, side)) != 0;)
        drop(rows, at);
}

/* The first of a group that stays the first is looked at anyway. */
static bool counts(const struct fb_rows *rows, const struct fb_row *row)
{
    return rows->ids || row->place != 0;
}

static bool enter(struct fb_rows *rows, uint32_t number, enum fb_side side)
{
    const struct fb_row *row = fb_row_at(rows, number);
    if (!counts(rows, row))
        return true;
    struct fb_busy *busy = find(rows, row, side);
    if (busy == NULL)
        busy = make(rows, row, side);
    if (busy == NULL || !push(rows, busy, number))
        return false;
    busy->live++;
    return true;
}

static void enter_all(struct fb_rows *rows, uint32_t key, enum fb_side side)
{
    for (uint32_t number = fb_key_at(rows, key)->first[side]; number != 0; number = fb_row_at(rows, number - 1)->next[side])
        if (!enter(rows, number - 1, side)) {
            drop_all(rows, key, side);
            return;
        }
}

void fb_busy_enter(struct fb_rows *rows, uint32_t number)
{
    for (enum fb_side side = FB_SIDE_PRINCIPAL; side <= FB_SIDE_RESOURCE; side++) {
        uint32_t at = fb_row_at(rows, number)->key[side];
        const struct fb_key *key = fb_key_at(rows, at);
        uint32_t count = key->count[side];
        if (fb_busy_first(rows, at, side) != 0) {
            if (!enter(rows, number, side))
                drop_all(rows, at, side);
        } else if (count >= BUSY && (count & (count - 1)) == 0 && at != 0 && !fb_key_is_type(key)) {
            enter_all(rows, at, side);  /* now, or again where memory was short or nothing counted */
        }
    }
}

/* Of what is there alone. */
static void make_anew(struct fb_rows *rows, struct fb_busy *busy)
{
    busy->size = 0;
    uint32_t number = fb_key_at(rows, busy->key)->first[busy->side];
    for (; number != 0; number = fb_row_at(rows, number - 1)->next[busy->side])
        if (belongs(busy, fb_row_at(rows, number - 1)))
            (void)push(rows, busy, number - 1);     /* there is room: there were more */
}

void fb_busy_leave(struct fb_rows *rows, const struct fb_row *row)
{
    for (enum fb_side side = FB_SIDE_PRINCIPAL; side <= FB_SIDE_RESOURCE; side++) {
        uint32_t at = fb_busy_first(rows, row->key[side], side);
        while (at != 0 && !belongs(fb_busy_at(rows, at - 1), row))
            at = fb_busy_next(rows, at);
        if (at == 0)
            continue;
        struct fb_busy *busy = fb_busy_at(rows, at - 1);
        if (--busy->live == 0) {
            drop(rows, at);
            continue;
        }
        while (!belongs(busy, fb_row_at(rows, *slot(busy, 0)))) {
            busy->size--;
            sink(busy, 0, *slot(busy, busy->size));
        }
        if (busy->size > 2 * busy->live + BUSY)
            make_anew(rows, busy);
    }
}

void fb_busy_release(struct fb_rows *rows)
{
    for (uint32_t i = 0; i < rows->busy_count; i++)
        fb_segments_release(&fb_busy_at(rows, i)->heap, rows, sizeof(uint32_t));
    fb_segments_release(&rows->busy, rows, sizeof(struct fb_busy));
    fb_segments_release(&rows->by_busy.heads, rows, sizeof(uint32_t));
}
