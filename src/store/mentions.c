/* SPDX-License-Identifier: Apache-2.0 */
/* Who mentions whom, kept by the writer: layout.h draws the table, way_back.c reads it.
 *
 * Invariant, in a store of format 2 whose record says that the table is whole: for each entity and each of
 * fb_mentions_of() there is a row, and no other.  What an entity mentions is a set of keys, so that two uids of
 * one hash make one row, which stays until the last of them is gone.
 *
 * Bounded: each mention is written when it comes or goes, never again with its entity; and an entity makes
 * at most FB_STORE_PARENTS_MAX rows for its parents and FB_STORE_MENTIONS_MAX for each attribute, whatever its
 * sets hold. */
#include "store/layout.h"

#include <stdlib.h>

static const size_t batch_rows = 1000;

static int compare(const void *a, const void *b)
{
    const struct fb_mention *x = a, *y = b;
    if (x->symbol != y->symbol)
        return x->symbol < y->symbol ? -1 : 1;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static bool add(struct fb_mentions *mentions, struct fb_arena *arena, uint64_t symbol, uint64_t hash)
{
    struct fb_mention *list = fb_arena_grow(arena, mentions->list, mentions->count, &mentions->capacity, sizeof *list);
    if (list == NULL)
        return false;
    mentions->list = list;
    list[mentions->count++] = (struct fb_mention){symbol, hash};
    return true;
}

static bool add_set(struct fb_mentions *mentions, struct fb_arena *arena, uint64_t symbol, struct fb_value set)
{
    uint32_t entities = 0;
    for (uint32_t i = 0; i < set.count; i++)
        entities += set.cells[i].kind == FB_ENTITY;
    if (entities > FB_STORE_MENTIONS_MAX)
        return add(mentions, arena, symbol, FB_MENTION_ANYBODY);
    for (uint32_t i = 0; i < set.count; i++) {
        struct fb_value element = fb_cell_load(&set.cells[i]);
        if (element.kind == FB_ENTITY && !add(mentions, arena, symbol, element.uid->hash))
            return false;
    }
    return true;
}

bool fb_mentions_of(struct fb_mentions *mentions, struct fb_arena *arena, const struct fb_record *attrs,
                    const struct fb_uids *parents)
{
    *mentions = (struct fb_mentions){0};
    bool fine = true;
    for (size_t i = 0; i < parents->count && fine; i++)
        fine = add(mentions, arena, FB_STORE_PARENT, parents->list[i]->hash);
    for (uint64_t i = 0; i < attrs->count && fine; i++) {
        struct fb_value value = fb_cell_load(&fb_record_values(attrs)[i]);
        if (value.kind == FB_ENTITY)
            fine = add(mentions, arena, attrs->symbols[i], value.uid->hash);
        else if (value.kind == FB_SET)
            fine = add_set(mentions, arena, attrs->symbols[i], value);
    }
    if (!fine)
        return false;
    size_t kept = 0;
    if (mentions->count > 1)
        qsort(mentions->list, mentions->count, sizeof *mentions->list, compare);
    for (size_t i = 0; i < mentions->count; i++)
        if (kept == 0 || compare(&mentions->list[kept - 1], &mentions->list[i]) != 0)
            mentions->list[kept++] = mentions->list[i];
    mentions->count = kept;
    return true;
}

enum fb_store_status fb_mention_enter(struct fb_store *store, const struct fb_mention *mention, struct fb_span key,
                                      struct fb_store_error *error)
{
    MDB_val k = fb_val(mention, sizeof *mention), v = fb_val(key.ptr, key.len);
    int code = mdb_put(store->txn, store->env.tables[FB_TABLE_MENTIONS], &k, &v, MDB_NODUPDATA);
    return code == 0 || code == MDB_KEYEXIST ? FB_STORE_OK : fb_store_fail_code(error, code, "write who mentions whom");
}

/* One that is not there is yet to be entered, and must not be then. */
static enum fb_store_status leave(struct fb_store *store, const struct fb_mention *mention, const struct fb_key *key,
                                  struct fb_store_error *error)
{
    MDB_val k = fb_val(mention, sizeof *mention), v = fb_key_val(key);
    int code = mdb_del(store->txn, store->env.tables[FB_TABLE_MENTIONS], &k, &v);
    if (code == MDB_NOTFOUND && store->pending != NULL)
        fb_pending_doubt(store->pending);
    return code == 0 || code == MDB_NOTFOUND ? FB_STORE_OK : fb_store_fail_code(error, code, "write who mentions whom");
}

static enum fb_store_status change_row(struct fb_store *store, const struct fb_mention *mention,
                                       const struct fb_key *key, bool enter, struct fb_store_error *error)
{
    if (!enter)
        return leave(store, mention, key, error);
    if (store->pending != NULL && fb_pending_add(store->pending, mention, key))
        return FB_STORE_OK;
    return fb_mention_enter(store, mention, fb_span(key->bytes, key->len), error);
}

enum fb_store_status fb_mentions_change(struct fb_store *store, const struct fb_uid *uid,
                                        const struct fb_mentions *old, const struct fb_mentions *now,
                                        struct fb_store_error *error)
{
    struct fb_key key;
    enum fb_store_status status = FB_STORE_OK;
    if (store->env.meta.version == FB_META_PLAIN)
        return FB_STORE_OK;
    fb_key_make(&key, uid);
    for (size_t a = 0, b = 0; status == FB_STORE_OK && (a < old->count || b < now->count);) {
        int order = a == old->count ? 1 : b == now->count ? -1 : compare(&old->list[a], &now->list[b]);
        if (order != 0)
            status = change_row(store, order < 0 ? &old->list[a] : &now->list[b], &key, order > 0, error);
        a += order <= 0;
        b += order >= 0;
    }
    return status;
}

/* --- Filling the table of a store that has rows ------------------------------------------------------- */

/* Format 2 first, so that from here on every writer keeps the table. */
static enum fb_store_status add_table(struct fb_store *store, struct fb_store_error *error)
{
    enum fb_store_status status = fb_store_begin(store, error);
    if (status != FB_STORE_OK)
        return status;
    if (store->env.meta.version == FB_META_PLAIN)
        status = fb_env_add_mentions(&store->env, store->txn, error);
    if (status == FB_STORE_OK)
        return fb_store_commit(store, error);   /* the next begin opens the table */
    fb_store_abort(store);
    return status;
}

/* The mark that it lacks rows becomes our own: whoever is writing many goes over to writing at once, and what
 * he had in memory is of entities that we shall see. */
static enum fb_store_status take_over(struct fb_store *store, bool *whole, struct fb_store_error *error)
{
    enum fb_store_status status = fb_pending_begin(store, store->pending, error);
    if (status != FB_STORE_OK)
        return status;
    *whole = fb_env_mark(&store->env, store->txn) == FB_MARK_WHOLE;
    if (!*whole)
        status = fb_pending_mark(store, store->pending, error);
    if (status == FB_STORE_OK)
        return fb_pending_commit(store, store->pending, error);
    fb_store_abort(store);
    return status;
}

static enum fb_store_status index_row(struct fb_store *store, struct fb_span row, struct fb_store_error *error)
{
    const struct fb_mentions none = {0};
    struct fb_mentions mentions;
    struct fb_uids parents = {0};
    struct fb_entity entity;
    fb_arena_clear(&store->arena);
    /* A copy, since what is written next may move the row. */
    struct fb_span copy = fb_arena_copy(&store->arena, row);
    if (copy.len == 0)
        return fb_store_fail(error, FB_STORE_MEMORY, "not enough memory for an entity");
    if (!fb_entity_check(copy, false, &entity))
        return fb_store_fail(error, FB_STORE_CORRUPT, "the row of an entity is damaged");
    if (!fb_uids_of_refs(&parents, &store->arena, entity.parents)
        || !fb_mentions_of(&mentions, &store->arena, entity.attrs, &parents))
        return fb_store_fail(error, FB_STORE_MEMORY, "not enough memory for an entity");
    return fb_mentions_change(store, entity.uid, &none, &mentions, error);
}

/* The rows behind *last; *more: there are further ones. */
static enum fb_store_status index_batch(struct fb_store *store, struct fb_key *last, size_t *done, bool *more,
                                        struct fb_store_error *error)
{
    uint64_t begun = fb_store_clock();
    MDB_cursor *cursor;
    MDB_val k = fb_key_val(last), v;
    int code = mdb_cursor_open(store->txn, store->env.tables[FB_TABLE_ENTITIES], &cursor);
    if (code != 0)
        return fb_store_fail_code(error, code, "read the store");
    enum fb_store_status status = FB_STORE_OK;
    code = mdb_cursor_get(cursor, &k, &v, last->len == 0 ? MDB_FIRST : MDB_SET_RANGE);
    if (code == 0 && last->len != 0 && fb_span_eq(fb_val_span(k), fb_span(last->bytes, last->len)))
        code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    for (size_t rows = 0; code == 0 && status == FB_STORE_OK; code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
        if (rows++ == batch_rows || fb_store_clock() - begun > FB_STORE_TURN_MS)
            break;
        last->len = k.mv_size <= FB_KEY_MAX ? k.mv_size : FB_KEY_MAX;
        memcpy(last->bytes, k.mv_data, last->len);
        status = index_row(store, fb_val_span(v), error);
        ++*done;
    }
    mdb_cursor_close(cursor);
    *more = code == 0;
    if (status == FB_STORE_OK && code != 0 && code != MDB_NOTFOUND)
        status = fb_store_fail_code(error, code, "read the store");
    return status;
}

static enum fb_store_status index_rows(struct fb_store *store, void (*progress)(void *context, size_t done),
                                       void *context, struct fb_store_error *error)
{
    struct fb_key last = {.len = 0};
    size_t done = 0;
    bool more = true;
    enum fb_store_status status = FB_STORE_OK;
    while (status == FB_STORE_OK && more) {
        status = fb_pending_begin(store, store->pending, error);
        if (status != FB_STORE_OK)
            break;
        if (!fb_pending_is_marked(store, store->pending))
            status = fb_store_fail(error, FB_STORE_EXISTS, "another process has begun to make the index");
        if (status == FB_STORE_OK)
            status = index_batch(store, &last, &done, &more, error);
        if (status == FB_STORE_OK)
            status = fb_pending_end(store, store->pending, error);
        fb_store_abort(store);
        if (status == FB_STORE_OK && (!more || fb_pending_is_full(store->pending)))
            status = fb_pending_write(store, store->pending, !more, error);
        if (progress != NULL)
            progress(context, done);
    }
    return status;
}

enum fb_store_status fb_store_index(struct fb_store *store, void (*progress)(void *context, size_t done), void *context,
                                    struct fb_store_error *error)
{
    bool whole = false;
    enum fb_store_status status = add_table(store, error);
    if (status != FB_STORE_OK)
        return status;
    store->pending = fb_pending_new(store->allocator);
    if (store->pending == NULL)
        return fb_store_fail(error, FB_STORE_MEMORY, "not enough memory to make the index");
    status = take_over(store, &whole, error);
    if (status == FB_STORE_OK && !whole)
        status = index_rows(store, progress, context, error);
    fb_pending_free(store->allocator, store->pending);
    store->pending = NULL;
    return status;
}
