/* SPDX-License-Identifier: Apache-2.0 */
/* A row, or the one beside it, by one walk that is the same for both.
 *
 * Keys are in order of type and id, so a cursor that is sent to a key stands at it or at the next one, and the one
 * before is a step away; all three mostly lie in one page.  Each step is taken whether it is needed or not, and
 * one row is checked.  The cache of reader.h would know rows that were asked for lately from those that were not, so
 * it has no part in this.  A key that is a hash (layout.h) has neighbours of any type: then the type's first row is
 * looked for as well. */
#include "store/reader.h"

/* A row beside, while the cursor is moved on: LMDB's pages stay where they are. */
struct place {
    MDB_val key, value;
    bool there;
};

static bool is_of_type(const struct place *place, const struct fb_uid *uid)
{
    const char *key = place->key.mv_data;
    return place->there && place->key.mv_size > uid->type_len && key[uid->type_len] == '\0'
           && fb_bytes_eq(key, uid->bytes, uid->type_len);
}

/* FB_BROKEN: LMDB failed. */
static enum fb_found move(MDB_cursor *cursor, MDB_cursor_op op, struct fb_span key, struct place *place)
{
    place->key = fb_val(key.ptr, key.len);
    int code = mdb_cursor_get(cursor, &place->key, &place->value, op);
    place->there = code == 0;
    return code == 0 ? FB_FOUND : code == MDB_NOTFOUND ? FB_ABSENT : FB_BROKEN;
}

static bool open_row(const struct place *place, struct fb_entity *entity)
{
    struct fb_span row = fb_val_span(place->value);
    return place->there && fb_aligned(row.ptr) && fb_entity_check(row, false, entity);
}

static enum fb_found walk(MDB_cursor *cursor, const struct fb_uid *uid, struct fb_entity *entity)
{
    struct fb_key key, first = {.len = (size_t)uid->type_len + 1};
    struct place at, before, other = {.there = false};
    fb_key_make(&key, uid);
    struct fb_span exact = fb_span(key.bytes, key.len);
    if (fb_key_is_long(exact) && first.len <= FB_KEY_MAX) {
        memcpy(first.bytes, uid->bytes, uid->type_len);
        first.bytes[uid->type_len] = '\0';
        if (move(cursor, MDB_SET_RANGE, fb_span(first.bytes, first.len), &other) == FB_BROKEN)
            return FB_BROKEN;
    }
    if (move(cursor, MDB_SET_RANGE, exact, &at) == FB_BROKEN || move(cursor, MDB_PREV, fb_span(NULL, 0), &before) == FB_BROKEN)
        return FB_BROKEN;
    bool same = at.there && fb_span_eq(fb_val_span(at.key), exact);
    const struct place *chosen = same || is_of_type(&at, uid) ? &at : is_of_type(&before, uid) ? &before
                                 : is_of_type(&other, uid) ? &other : NULL;
    bool sound = chosen != NULL && open_row(chosen, entity);
    if (same && sound && fb_uid_eq(entity->uid, uid))
        return FB_FOUND;
    /* (Under a hash another uid may stand; under an exact key that is damage.) */
    if (same && (!sound || !fb_key_is_long(exact)))
        return FB_BROKEN;
    if (!sound || entity->uid->type_hash != uid->type_hash)
        entity->uid = NULL;
    return FB_ABSENT;
}

enum fb_found fb_store_near(const struct fb_store_reader *reader, const struct fb_uid *uid, struct fb_entity *entity)
{
    MDB_cursor *cursor;
    *entity = (struct fb_entity){.uid = NULL};
    if (!reader->reading->live || mdb_cursor_open(reader->reading->txn, reader->env.tables[FB_TABLE_ENTITIES], &cursor) != 0)
        return FB_BROKEN;
    enum fb_found found = walk(cursor, uid, entity);
    mdb_cursor_close(cursor);
    return found;
}
