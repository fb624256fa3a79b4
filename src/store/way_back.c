/* SPDX-License-Identifier: Apache-2.0 */
/* The way back in a reader's snapshot: from one who is mentioned to those who mention it, in order.  Each
 * step is a search of its own in one cursor, half a microsecond hot, so that a list over many groups holds no
 * cursor for each, and nothing between two pages.  mentions.c keeps the table. */
#include "store/reader.h"

bool fb_store_reader_indexed(const struct fb_store_reader *reader)
{
    return reader->reading->live && fb_env_mark(&reader->env, reader->reading->txn) == FB_MARK_WHOLE;
}

/* The uid behind a key, which is one of an entity's row; NULL: damaged, or no memory. */
static const struct fb_uid *uid_of_key(const struct fb_store_reader *reader, struct fb_span key, struct fb_arena *arena)
{
    if (!fb_key_is_long(key)) {
        size_t padding = key.len != 0 ? (unsigned char)key.ptr[key.len - 1] : 0;
        size_t type = fb_span_find(key, '\0');
        if (padding < 1 || padding > 8 || type + 1 + padding > key.len)
            return NULL;
        return fb_uid_new(arena, fb_span_head(key, type), fb_span(key.ptr + type + 1, key.len - padding - type - 1));
    }
    struct fb_entity entity;
    MDB_val k = fb_val(key.ptr, key.len), v;
    if (mdb_get(reader->reading->txn, reader->env.tables[FB_TABLE_ENTITIES], &k, &v) != 0
        || !fb_aligned(v.mv_data) || !fb_entity_check(fb_val_span(v), false, &entity))
        return NULL;
    return fb_uid_new(arena, fb_uid_type(entity.uid), fb_uid_id(entity.uid));
}

/* At the values of one key. */
struct place {
    MDB_cursor *cursor;
    struct fb_mention mention;
    struct fb_span at;      /* the value, if code is 0 */
    int code;
};

static void seek(struct place *place, struct fb_span first)
{
    MDB_val k = fb_val(&place->mention, sizeof place->mention), v = fb_val(first.ptr, first.len);
    place->code = mdb_cursor_get(place->cursor, &k, &v, first.len != 0 ? MDB_GET_BOTH_RANGE : MDB_SET_KEY);
    place->at = place->code == 0 ? fb_val_span(v) : FB_SPAN("");
}

static void step(struct place *place)
{
    MDB_val k, v;
    place->code = mdb_cursor_get(place->cursor, &k, &v, MDB_NEXT_DUP);
    place->at = place->code == 0 ? fb_val_span(v) : FB_SPAN("");
}

/* The first of the type behind `after`: *next, or NULL.  Long keys come last, and do not say their type. */
static bool find_next(const struct fb_store_reader *reader, struct place *place, const struct fb_store_list *list,
                      struct fb_arena *arena, const struct fb_uid **next)
{
    struct fb_key first;
    fb_list_first_key(list, &first);
    struct fb_span from = fb_span(first.bytes, first.len);
    seek(place, from);
    if (place->code == 0 && list->after != NULL && fb_span_eq(place->at, from))
        step(place);
    if (place->code == 0 && fb_list_past(list, place->at))
        seek(place, fb_list_first_long);
    for (; place->code == 0; step(place)) {
        const struct fb_uid *uid = uid_of_key(reader, place->at, arena);
        if (uid == NULL)
            return false;
        if (!fb_span_eq(fb_uid_type(uid), list->type))
            continue;
        *next = uid;
        return true;
    }
    return place->code == MDB_NOTFOUND;
}

/* Opened once for each version of the store. */
static MDB_cursor *cursor_of(const struct fb_store_reader *reader)
{
    struct fb_reading *reading = reader->reading;
    if (!reading->live || reader->env.meta.version == FB_META_PLAIN)
        return NULL;
    int code = reading->back == NULL
                   ? mdb_cursor_open(reading->txn, reader->env.tables[FB_TABLE_MENTIONS], &reading->back)
                   : mdb_cursor_renew(reading->txn, reading->back);
    return code == 0 ? reading->back : NULL;
}

bool fb_store_reader_next(const struct fb_store_reader *reader, uint64_t symbol, const struct fb_uid *of,
                          struct fb_span type, const struct fb_uid *after, struct fb_arena *arena,
                          const struct fb_uid **next)
{
    const struct fb_store_list list = {.type = type, .after = after};
    struct place place = {.cursor = cursor_of(reader), .mention = {symbol, of->hash}};
    const struct fb_uid *other = NULL;
    *next = NULL;
    if (place.cursor == NULL || !find_next(reader, &place, &list, arena, next))
        return false;
    if (symbol == FB_STORE_PARENT)
        return true;
    place.mention.hash = FB_MENTION_ANYBODY;
    if (!find_next(reader, &place, &list, arena, &other))
        return false;
    if (*next == NULL || (other != NULL && fb_store_order(other, *next) < 0))
        *next = other;
    return true;
}

static uint64_t count_at(MDB_cursor *cursor, const struct fb_mention *mention)
{
    MDB_val k = fb_val(mention, sizeof *mention), v;
    size_t count = 0;
    if (mdb_cursor_get(cursor, &k, &v, MDB_SET_KEY) != 0 || mdb_cursor_count(cursor, &count) != 0)
        return 0;
    return count;
}

uint64_t fb_store_reader_mentions(const struct fb_store_reader *reader, uint64_t symbol, const struct fb_uid *of)
{
    MDB_cursor *cursor = cursor_of(reader);
    if (cursor == NULL)
        return 0;
    uint64_t count = count_at(cursor, &(struct fb_mention){symbol, of->hash});
    return symbol == FB_STORE_PARENT ? count : count + count_at(cursor, &(struct fb_mention){symbol, FB_MENTION_ANYBODY});
}

bool fb_store_reader_groups(const struct fb_store_reader *reader, const struct fb_uid *group, struct fb_arena *arena,
                            bool (*each)(void *context, const struct fb_uid *group), void *context)
{
    struct fb_key key;
    MDB_cursor *cursor;
    fb_key_make(&key, group);
    MDB_val k = fb_key_val(&key), v;
    if (!reader->reading->live
        || mdb_cursor_open(reader->reading->txn, reader->env.tables[FB_TABLE_INNER], &cursor) != 0)
        return false;
    bool fine = true, more = true;
    int code = mdb_cursor_get(cursor, &k, &v, MDB_SET_KEY);
    for (; code == 0 && fine && more; code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT_DUP)) {
        const struct fb_uid *uid = uid_of_key(reader, fb_val_span(v), arena);
        fine = uid != NULL;
        more = fine && each(context, uid);
    }
    mdb_cursor_close(cursor);
    return fine && (code == 0 || code == MDB_NOTFOUND);
}
