/* SPDX-License-Identifier: Apache-2.0 */
/* Rows entered, taken out, and found by whom they name.  What a row means is left to decide.c, which rows a
 * request needs to candidates.c; rows.h draws it all. */

#include "engine/rows.h"

#include <assert.h>

/* --- Buckets ------------------------------------------------------------------------------------- */

static struct fb_span id_of(const struct fb_row *row)
{
    const struct fb_row_id *id = row->origin;
    return fb_span(id->bytes, id->len);
}

static uint32_t *next_row(const struct fb_rows *rows, uint32_t entry, uint32_t *hash)
{
    struct fb_row *row = fb_row_at(rows, entry - 1);
    *hash = (uint32_t)fb_hash(id_of(row));
    return &row->next_id;
}

/* One bucket more: what its elder half held for it moves over. */
static bool add_bucket(struct fb_rows *rows, struct fb_buckets *buckets, fb_next_of *next)
{
    uint32_t *made = fb_segments_reach(&buckets->heads, rows, buckets->count, sizeof *made);
    if (made == NULL)
        return false;
    if (buckets->count != 0 && buckets->count > buckets->mask)
        buckets->mask = 2 * buckets->mask + 1;
    uint32_t added = buckets->count++;
    *made = 0;
    if (added == 0)
        return true;
    uint32_t *from = fb_segments_at(&buckets->heads, added & (buckets->mask >> 1), sizeof *from);
    while (*from != 0) {
        uint32_t entry = *from, hash;
        uint32_t *link = next(rows, entry, &hash);
        if ((hash & buckets->mask) != added) {
            from = link;
            continue;
        }
        *from = *link;
        *link = *made;
        *made = entry;
    }
    return true;
}

bool fb_buckets_reach(struct fb_rows *rows, struct fb_buckets *buckets, fb_next_of *next, uint32_t wanted)
{
    while (buckets->count < wanted)
        if (!add_bucket(rows, buckets, next))
            return false;
    return true;
}

void fb_bucket_enter(const struct fb_rows *rows, struct fb_buckets *buckets, fb_next_of *next, uint32_t entry)
{
    uint32_t hash;
    uint32_t *link = next(rows, entry, &hash), *head = fb_bucket_at(buckets, hash);
    *link = *head;
    *head = entry;
}

void fb_bucket_leave(const struct fb_rows *rows, struct fb_buckets *buckets, fb_next_of *next, uint32_t entry)
{
    uint32_t hash, other;
    uint32_t *link = next(rows, entry, &hash), *at = fb_bucket_at(buckets, hash);
    while (*at != entry)
        at = next(rows, *at, &other);
    *at = *link;
    *link = 0;
}

/* --- Keys ---------------------------------------------------------------------------------------- */

/* A key's place in its table. */
static uint64_t mixed(uint64_t hash)
{
    return fb_pair_hash(hash, 0);
}

static uint64_t hash_of_key(const struct fb_rows *rows, uint32_t entry)
{
    return mixed(fb_key_at(rows, entry)->hash);
}

static uint64_t hash_of_pair(const struct fb_rows *rows, uint32_t entry)
{
    const struct fb_row *row = fb_row_at(rows, entry - 1);
    return fb_pair_hash(fb_key_at(rows, row->key[0])->hash, fb_key_at(rows, row->key[1])->hash);
}

/* Of types the name, and of what is owned the uid too, is the rows' own. */
static bool is_owned(const struct fb_rows *rows, const struct fb_key *key)
{
    return rows->ids || fb_key_is_type(key);
}

/* The key with that hash of that uid, or where `type` is set of its type. */
static uint32_t find_key(const struct fb_rows *rows, uint64_t hash, const struct fb_uid *uid, bool type)
{
    uint64_t place = mixed(hash);
    uint16_t tag = fb_tag_of(place);
    for (const struct fb_tag_line *line = fb_tag_line_at(&rows->by_uid, place); line != NULL;
         line = fb_tag_line_more(&rows->by_uid, line)) {
        for (uint32_t found = fb_tag_line_match(line, tag); found != 0; found &= found - 1) {
            uint32_t i = (uint32_t)__builtin_ctz(found);
            const struct fb_key *key = fb_key_at(rows, line->entry[i]);
            if (key->hash == hash
                && (type ? fb_uid_is(key->uid, uid->type_hash, fb_uid_type(uid)) : fb_uid_eq(key->uid, uid)))
                return line->entry[i];
        }
    }
    return 0;
}

uint32_t fb_rows_key(const struct fb_rows *rows, const struct fb_uid *uid)
{
    return find_key(rows, fb_uid_side_hash(uid), uid, false);
}

uint32_t fb_rows_type_key(const struct fb_rows *rows, const struct fb_uid *uid)
{
    return rows->types != 0 ? find_key(rows, fb_type_side_hash(uid->type_hash), uid, true) : 0;
}

static const struct fb_uid *keep_uid(struct fb_rows *rows, struct fb_span type, struct fb_span id)
{
    void *block = fb_piece_new(rows, fb_uid_size(type.len, id.len));
    return block != NULL ? fb_uid_write(block, type, id) : NULL;
}

static uint32_t take_key(struct fb_rows *rows)
{
    uint32_t key = rows->free_key;
    if (key != 0) {
        rows->free_key = fb_key_at(rows, key)->first[0];
        return key;
    }
    if (rows->keys_count == UINT32_MAX
        || fb_segments_reach(&rows->keys, rows, rows->keys_count, sizeof(struct fb_key)) == NULL)
        return 0;
    return rows->keys_count++;
}

static void drop_key(struct fb_rows *rows, uint32_t at)
{
    struct fb_key *key = fb_key_at(rows, at);
    if (at == 0 || key->count[0] != 0 || key->count[1] != 0)
        return;
    fb_tags_leave(&rows->by_uid, hash_of_key(rows, at), at);
    rows->keys_live--;
    rows->types -= fb_key_is_type(key);
    if (is_owned(rows, key))
        fb_piece_free(rows, (void *)(uintptr_t)key->uid, fb_uid_size(key->uid->type_len, key->uid->id_len));
    *key = (struct fb_key){.first = {rows->free_key}};
    rows->free_key = at;
}

/* The key for a name, made if need be; rows are not yet counted on it. */
static bool key_for(struct fb_rows *rows, const struct fb_named *name, uint32_t *at)
{
    *at = 0;
    bool type = name->uid == NULL;
    if (type && name->type.len == 0)
        return true;
    bool owned = type || rows->ids;
    const struct fb_uid *uid = type ? keep_uid(rows, name->type, fb_span("", 0)) : name->uid;
    if (uid == NULL)
        return false;
    *at = type ? fb_rows_type_key(rows, uid) : fb_rows_key(rows, uid);
    bool known = *at != 0;
    if (!known && !type && owned)
        uid = keep_uid(rows, fb_uid_type(uid), fb_uid_id(uid));
    if (!known && uid != NULL && fb_tags_reserve(rows, &rows->by_uid, hash_of_key))
        *at = take_key(rows);
    if (known || *at == 0) {
        if (uid != NULL && owned && uid != name->uid)
            fb_piece_free(rows, (void *)(uintptr_t)uid, fb_uid_size(uid->type_len, uid->id_len));
        return known;
    }
    *fb_key_at(rows, *at) = (struct fb_key){
        .uid = uid, .hash = type ? fb_type_side_hash(uid->type_hash) : fb_uid_side_hash(uid)};
    rows->types += type;
    rows->keys_live++;
    fb_tags_enter(&rows->by_uid, hash_of_key(rows, *at), *at);
    return true;
}

/* --- Rows ---------------------------------------------------------------------------------------- */

static void list_row(struct fb_rows *rows, uint32_t number, enum fb_side side)
{
    struct fb_row *row = fb_row_at(rows, number);
    struct fb_key *key = fb_key_at(rows, row->key[side]);
    row->prev[side] = 0;
    row->next[side] = key->first[side];
    if (row->next[side] != 0)
        fb_row_at(rows, row->next[side] - 1)->prev[side] = number + 1;
    key->first[side] = number + 1;
    key->count[side]++;
}

static void unlist_row(struct fb_rows *rows, const struct fb_row *row, enum fb_side side)
{
    struct fb_key *key = fb_key_at(rows, row->key[side]);
    if (row->next[side] != 0)
        fb_row_at(rows, row->next[side] - 1)->prev[side] = row->prev[side];
    if (row->prev[side] != 0)
        fb_row_at(rows, row->prev[side] - 1)->next[side] = row->next[side];
    else
        key->first[side] = row->next[side];
    key->count[side]--;
}

uint32_t fb_rows_pair(const struct fb_rows *rows, const uint32_t keys[2])
{
    uint64_t hash = fb_pair_hash(fb_key_at(rows, keys[0])->hash, fb_key_at(rows, keys[1])->hash);
    uint16_t tag = fb_tag_of(hash);
    for (const struct fb_tag_line *line = fb_tag_line_at(&rows->by_pair, hash); line != NULL;
         line = fb_tag_line_more(&rows->by_pair, line)) {
        for (uint32_t found = fb_tag_line_match(line, tag); found != 0; found &= found - 1) {
            uint32_t i = (uint32_t)__builtin_ctz(found);
            const struct fb_row *row = fb_row_at(rows, line->entry[i] - 1);
            if (row->key[0] == keys[0] && row->key[1] == keys[1])
                return line->entry[i];
        }
    }
    return 0;
}

/* Behind the first of its pair, which stays so, or as the first. */
static void pair_row(struct fb_rows *rows, uint32_t number)
{
    struct fb_row *row = fb_row_at(rows, number);
    uint32_t first = fb_rows_pair(rows, row->key);
    if (first == 0) {
        fb_tags_enter(&rows->by_pair, hash_of_pair(rows, number + 1), number + 1);
        return;
    }
    row->next_pair = fb_row_at(rows, first - 1)->next_pair;
    fb_row_at(rows, first - 1)->next_pair = number + 1;
}

static void unpair_row(struct fb_rows *rows, uint32_t number)
{
    struct fb_row *row = fb_row_at(rows, number);
    uint32_t first = fb_rows_pair(rows, row->key);
    if (first != number + 1) {
        uint32_t *link = &fb_row_at(rows, first - 1)->next_pair;
        while (*link != number + 1)
            link = &fb_row_at(rows, *link - 1)->next_pair;
        *link = row->next_pair;
        return;
    }
    uint64_t hash = hash_of_pair(rows, first);
    if (row->next_pair != 0)
        fb_tags_replace(&rows->by_pair, hash, first, row->next_pair);
    else
        fb_tags_leave(&rows->by_pair, hash, first);
}

static bool take_row(struct fb_rows *rows, uint32_t *number)
{
    if (rows->free_row != 0) {
        *number = rows->free_row - 1;
        rows->free_row = fb_row_at(rows, *number)->next_id;
        return true;
    }
    if (rows->count >= UINT32_MAX / 2
        || fb_segments_reach(&rows->rows, rows, rows->count, sizeof(struct fb_row)) == NULL)
        return false;
    *number = rows->count++;
    return true;
}

static void give_row(struct fb_rows *rows, uint32_t number)
{
    *fb_row_at(rows, number) = (struct fb_row){.form = FB_ROW_FREE, .next_id = rows->free_row};
    rows->free_row = number + 1;
}

static const struct fb_row_id *keep_id(struct fb_rows *rows, struct fb_span text)
{
    struct fb_row_id *id = text.len < UINT32_MAX ? fb_piece_new(rows, sizeof *id + text.len) : NULL;
    if (id == NULL)
        return NULL;
    id->len = (uint32_t)text.len;
    if (text.len != 0)
        memcpy(id->bytes, text.ptr, text.len);
    return id;
}

static void free_id(struct fb_rows *rows, const void *origin)
{
    const struct fb_row_id *id = origin;
    fb_piece_free(rows, (void *)(uintptr_t)origin, sizeof *id + id->len);
}

bool fb_rows_add(struct fb_rows *rows, uint32_t form, bool shared, const struct fb_named names[2], struct fb_span id,
                 const void *origin, uint32_t *number)
{
    uint32_t keys[2] = {0, 0}, group = 0;
    const bool member[2] = {names[0].member, names[1].member};
    if (!fb_tags_reserve(rows, &rows->by_pair, hash_of_pair)
        || (rows->ids && !fb_buckets_reach(rows, &rows->by_id, next_row, rows->live + 1)))
        return false;
    const void *kept = rows->ids ? keep_id(rows, id) : origin;
    bool fine = (kept != NULL || !rows->ids) && key_for(rows, &names[0], &keys[0]) && key_for(rows, &names[1], &keys[1])
                && (!shared || fb_group_reserve(rows, form, keys, member, &group)) && take_row(rows, number);
    if (!fine) {
        if (rows->ids && kept != NULL)
            free_id(rows, kept);
        drop_key(rows, keys[0]);
        if (keys[1] != keys[0])
            drop_key(rows, keys[1]);
        return false;
    }
    *fb_row_at(rows, *number) = (struct fb_row){.form = form, .key = {keys[0], keys[1]}, .origin = kept,
                                                 .uid = {fb_key_at(rows, keys[0])->uid, fb_key_at(rows, keys[1])->uid}};
    for (enum fb_side side = FB_SIDE_PRINCIPAL; side <= FB_SIDE_RESOURCE; side++) {
        list_row(rows, *number, side);
        rows->members[side] += member[side];
    }
    if (shared)
        fb_group_enter(rows, group, *number);
    pair_row(rows, *number);
    if (rows->ids)
        fb_bucket_enter(rows, &rows->by_id, next_row, *number + 1);
    fb_busy_enter(rows, *number);
    rows->live++;
    return true;
}

void fb_rows_remove(struct fb_rows *rows, uint32_t number, const bool member[2])
{
    struct fb_row row = *fb_row_at(rows, number);
    assert(row.form != FB_ROW_FREE && rows->ids);
    fb_group_leave(rows, number, member);
    unpair_row(rows, number);
    fb_bucket_leave(rows, &rows->by_id, next_row, number + 1);
    free_id(rows, row.origin);
    for (enum fb_side side = FB_SIDE_PRINCIPAL; side <= FB_SIDE_RESOURCE; side++) {
        unlist_row(rows, &row, side);
        rows->members[side] -= member[side];
    }
    fb_row_at(rows, number)->form = FB_ROW_FREE;
    fb_busy_leave(rows, &row);
    drop_key(rows, row.key[0]);
    if (row.key[1] != row.key[0])
        drop_key(rows, row.key[1]);
    give_row(rows, number);
    rows->live--;
}

uint32_t fb_rows_find(const struct fb_rows *rows, struct fb_span id)
{
    assert(rows->ids);
    if (rows->by_id.count == 0)
        return UINT32_MAX;
    uint32_t at = *fb_bucket_at(&rows->by_id, (uint32_t)fb_hash(id));
    while (at != 0 && !fb_span_eq(id_of(fb_row_at(rows, at - 1)), id))
        at = fb_row_at(rows, at - 1)->next_id;
    return at != 0 ? at - 1 : UINT32_MAX;
}

/* --- All of them --------------------------------------------------------------------------------- */

bool fb_rows_init(struct fb_rows *rows, const struct fb_allocator *allocator, bool ids)
{
    *rows = (struct fb_rows){.allocator = *allocator, .ids = ids};
    if (fb_segments_reach(&rows->keys, rows, 0, sizeof(struct fb_key)) == NULL
        || !fb_tags_reserve(rows, &rows->by_uid, hash_of_key) || !fb_tags_reserve(rows, &rows->by_pair, hash_of_pair)) {
        fb_rows_release(rows);
        return false;
    }
    *fb_key_at(rows, 0) = (struct fb_key){.hash = FB_ANYBODY_HASH};
    rows->keys_count = 1;   /* anybody */
    return true;
}

void fb_rows_release(struct fb_rows *rows)
{
    fb_segments_release(&rows->rows, rows, sizeof(struct fb_row));
    fb_segments_release(&rows->keys, rows, sizeof(struct fb_key));
    fb_tags_release(&rows->by_uid, rows);
    fb_tags_release(&rows->by_pair, rows);
    fb_segments_release(&rows->by_id.heads, rows, sizeof(uint32_t));
    fb_groups_release(rows);
    fb_busy_release(rows);
    fb_pieces_release(rows);
}
