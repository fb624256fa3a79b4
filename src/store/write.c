/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a store: transactions, entities put and deleted, imports.  The hierarchy is kept by
 * tree.c, whose invariants each operation here leaves intact. */
#include "store/layout.h"

static const size_t operation_ceiling = (size_t)1 << 30;

struct fb_store *fb_store_open(const char *dir, const struct fb_store_options *options, struct fb_store_error *error)
{
    const struct fb_allocator *allocator = options->allocator != NULL ? options->allocator : &fb_heap;
    struct fb_store *store = fb_alloc(allocator, sizeof *store);
    size_t size = strlen(dir) + 1;
    char *copy = fb_alloc(allocator, size);
    if (error != NULL)
        *error = (struct fb_store_error){0};
    if (store == NULL || copy == NULL) {
        fb_free(allocator, store, sizeof *store);
        fb_free(allocator, copy, size);
        (void)fb_store_fail(error, FB_STORE_MEMORY, "not enough memory");
        return NULL;
    }
    memcpy(copy, dir, size);
    *store = (struct fb_store){.allocator = allocator, .dir = copy, .dir_size = size, .options = *options};
    fb_arena_init(&store->arena, allocator, operation_ceiling);
    enum fb_store_status status = fb_env_open(&store->env, dir, options, error);
    if (status == FB_STORE_MISSING && options->create && options->write) {
        status = fb_env_create(dir, options, error);
        if (status == FB_STORE_OK || status == FB_STORE_EXISTS)     /* or somebody else was faster */
            status = fb_env_open(&store->env, dir, options, error);
    }
    if (status != FB_STORE_OK) {
        fb_store_close(store);
        return NULL;
    }
    return store;
}

void fb_store_close(struct fb_store *store)
{
    if (store == NULL)
        return;
    const struct fb_allocator *allocator = store->allocator;
    fb_store_abort(store);
    if (store->snapshot != NULL)
        mdb_txn_abort(store->snapshot);
    if (store->env.env != NULL && store->options.unsafe && store->options.write)
        (void)mdb_env_sync(store->env.env, 1);
    fb_env_close(&store->env);
    fb_arena_release(&store->arena);
    fb_free(allocator, store->dir, store->dir_size);
    fb_free(allocator, store, sizeof *store);
}

/* --- Transactions ------------------------------------------------------------------------------------ */

static void end_reading(struct fb_store *store)
{
    if (store->reading)
        mdb_txn_reset(store->snapshot);
    store->reading = false;
}

static enum fb_store_status begin_once(struct fb_store *store, bool *changed, struct fb_store_error *error)
{
    int code = mdb_txn_begin(store->env.env, NULL, 0, &store->txn);
    *changed = false;
    if (code != 0) {
        store->txn = NULL;
        return fb_store_fail_code(error, code, "begin to write");
    }
    enum fb_store_status status = fb_env_recheck(&store->env, store->txn, changed, error);
    if (status != FB_STORE_OK || *changed)
        fb_store_abort(store);
    return status;
}

static enum fb_store_status begin(struct fb_store *store, struct fb_store_error *error)
{
    bool changed;
    if (!store->options.write)
        return fb_store_fail(error, FB_STORE_REFUSED, "the store was opened for reading");
    end_reading(store);
    enum fb_store_status status = begin_once(store, &changed, error);
    if (status == FB_STORE_OK && changed)
        status = fb_env_open_tables(&store->env, store->dir, error);
    if (status == FB_STORE_OK && changed)
        status = begin_once(store, &changed, error);
    if (status == FB_STORE_OK && changed)
        status = fb_store_fail(error, FB_STORE_FAILED, "the store's format keeps changing");
    store->poisoned = false;
    return status;
}

static enum fb_store_status commit(struct fb_store *store, struct fb_store_error *error)
{
    int code = mdb_txn_commit(store->txn);
    store->txn = NULL;
    if (code != 0)
        return fb_store_fail_code(error, code, "write to disk");
    fb_env_settle(&store->env);
    return FB_STORE_OK;
}

enum fb_store_status fb_store_begin(struct fb_store *store, struct fb_store_error *error)
{
    if (store->txn != NULL)
        return fb_store_fail(error, FB_STORE_FAILED, "a transaction has begun already");
    enum fb_store_status status = begin(store, error);
    store->explicit = status == FB_STORE_OK;
    return status;
}

enum fb_store_status fb_store_commit(struct fb_store *store, struct fb_store_error *error)
{
    if (store->txn == NULL || store->poisoned) {
        fb_store_abort(store);
        return fb_store_fail(error, FB_STORE_FAILED, "nothing was written, since a change of the transaction failed");
    }
    store->explicit = false;
    return commit(store, error);
}

void fb_store_abort(struct fb_store *store)
{
    if (store->txn != NULL)
        mdb_txn_abort(store->txn);
    store->txn = NULL;
    store->explicit = store->poisoned = false;
}

enum fb_store_status fb_store_enter(struct fb_store *store, struct fb_store_error *error)
{
    if (error != NULL)
        *error = (struct fb_store_error){0};
    fb_arena_clear(&store->arena);
    if (store->explicit)
        return store->poisoned ? fb_store_fail(error, FB_STORE_FAILED, "an earlier change of the transaction failed")
                               : FB_STORE_OK;
    return begin(store, error);
}

enum fb_store_status fb_store_leave(struct fb_store *store, enum fb_store_status status, struct fb_store_error *error)
{
    if (store->explicit) {
        store->poisoned |= status != FB_STORE_OK;
        return status;
    }
    if (status == FB_STORE_OK)
        return commit(store, error);
    fb_store_abort(store);
    return status;
}

/* --- Entities ------------------------------------------------------------------------------------------- */

static enum fb_store_status no_memory(struct fb_store_error *error)
{
    return fb_store_fail(error, FB_STORE_MEMORY, "not enough memory for an entity");
}

/* What the row says now. */
struct old {
    bool exists;
    struct fb_uids parents;
    struct fb_mentions mentions;
};

/* A long key's row may be another uid's: two of the same hashes cannot both be kept. */
static enum fb_store_status read_old(struct fb_store *store, const struct fb_uid *uid, struct old *was,
                                     struct fb_store_error *error)
{
    struct fb_key key;
    struct fb_entity old;
    fb_key_make(&key, uid);
    *was = (struct old){.exists = false};
    enum fb_found found = fb_row_copy(store, fb_span(key.bytes, key.len), &old);
    was->exists = found == FB_FOUND;
    if (found == FB_ABSENT)
        return FB_STORE_OK;
    if (found == FB_BROKEN)
        return store->arena.failed ? no_memory(error)
                                   : fb_store_fail(error, FB_STORE_CORRUPT, "the entity's row is damaged");
    if (!fb_uid_eq(old.uid, uid))
        return fb_store_fail(error, FB_STORE_EXISTS, "the hash of this very long id belongs to another entity");
    if (!fb_uids_of_refs(&was->parents, &store->arena, old.parents)
        || !fb_mentions_of(&was->mentions, &store->arena, old.attrs, &was->parents))
        return no_memory(error);
    fb_uids_sort(&was->parents);
    return FB_STORE_OK;
}

/* Counts and the way down, for the parents in `of` that are not in `but`.  An entity that is itself
 * inner stands in the way down of each of its parents. */
static enum fb_store_status change_links(struct fb_store *store, const struct fb_uid *uid, bool inner, bool add,
                                         const struct fb_uids *of, const struct fb_uids *but,
                                         struct fb_store_error *error)
{
    enum fb_store_status status = FB_STORE_OK;
    for (size_t i = 0; status == FB_STORE_OK && i < of->count; i++) {
        if (fb_uids_contain(but, of->list[i]))
            continue;
        status = add ? fb_tree_link(store, of->list[i], error) : fb_tree_unlink(store, of->list[i], error);
        if (status == FB_STORE_OK && inner)
            status = fb_tree_index(store, of->list[i], uid, add, error);
    }
    return status;
}

static bool same(const struct fb_uids *a, const struct fb_uids *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = fb_uid_eq(a->list[i], b->list[i]);
    return equal;
}

static enum fb_store_status put(struct fb_store *store, const struct fb_entity_parts *parts,
                                struct fb_store_error *error)
{
    struct fb_uids parents = {0}, ancestors = {0};
    struct fb_mentions mentions = {0};
    struct old old;
    bool inner, whole = false;
    for (size_t i = 0; i < parts->parents_count; i++)
        if (!fb_uids_add(&parents, &store->arena, parts->parents[i]))
            return no_memory(error);
    fb_uids_sort(&parents);
    if (!fb_mentions_of(&mentions, &store->arena, parts->attrs.record, &parents))
        return no_memory(error);
    enum fb_store_status status = read_old(store, parts->uid, &old, error);
    if (status == FB_STORE_OK)
        status = fb_tree_is_inner(store, parts->uid, &inner, error);
    if (status != FB_STORE_OK)
        return status;
    bool moved = !same(&old.parents, &parents);     /* one that is new had none */
    /* A leaf cannot close a cycle, unless it names itself. */
    if (inner || fb_uids_contain(&parents, parts->uid))
        status = fb_tree_close(store, parts->uid, &parents, &ancestors, &whole, error);
    if (status == FB_STORE_OK)
        status = fb_row_write(store, parts, &parents, whole ? &ancestors : NULL, error);
    if (status == FB_STORE_OK && moved)
        status = change_links(store, parts->uid, inner, true, &parents, &old.parents, error);
    if (status == FB_STORE_OK && moved)
        status = change_links(store, parts->uid, inner, false, &old.parents, &parents, error);
    if (status == FB_STORE_OK && inner && (moved || !old.exists))
        status = fb_tree_rewrite_below(store, parts->uid, error);
    return status == FB_STORE_OK ? fb_mentions_change(store, parts->uid, &old.mentions, &mentions, error) : status;
}

enum fb_store_status fb_store_put(struct fb_store *store, const struct fb_entity_parts *parts,
                                  struct fb_store_error *error)
{
    if (parts->parents_count > FB_STORE_PARENTS_MAX)
        return fb_store_fail(error, FB_STORE_LIMIT, "an entity has at most %u parents", FB_STORE_PARENTS_MAX);
    if (!fb_type_name_valid(fb_uid_type(parts->uid)))
        return fb_store_fail(error, FB_STORE_FAILED, "an entity's type must be a Cedar type name");
    enum fb_store_status status = fb_store_enter(store, error);
    return status == FB_STORE_OK ? fb_store_leave(store, put(store, parts, error), error) : status;
}

enum fb_store_status fb_store_put_entity(struct fb_store *store, const struct fb_entity *entity,
                                         struct fb_store_error *error)
{
    if (entity->parents.count > FB_STORE_PARENTS_MAX)
        return fb_store_fail(error, FB_STORE_LIMIT, "an entity has at most %u parents", FB_STORE_PARENTS_MAX);
    size_t size = (entity->parents.count + 1) * sizeof(const struct fb_uid *);
    const struct fb_uid **parents = fb_alloc(store->allocator, size);
    if (parents == NULL)
        return no_memory(error);
    for (uint32_t i = 0; i < entity->parents.count; i++)
        parents[i] = fb_ref_uid(&entity->parents.refs[i]);
    struct fb_entity_parts parts = {
        .uid = entity->uid,
        .attrs = {.kind = FB_RECORD, .count = (uint32_t)entity->attrs->count, .record = entity->attrs},
        .tags = {.kind = FB_RECORD, .count = (uint32_t)entity->tags->count, .record = entity->tags},
        .parents = parents,
        .parents_count = entity->parents.count,
    };
    enum fb_store_status status = fb_store_put(store, &parts, error);
    fb_free(store->allocator, parents, size);
    return status;
}

static enum fb_store_status delete(struct fb_store *store, const struct fb_uid *uid, struct fb_store_error *error)
{
    const struct fb_uids none = {0};
    const struct fb_mentions nobody = {0};
    struct old old;
    bool inner = false;
    struct fb_key key;
    enum fb_store_status status = read_old(store, uid, &old, error);
    if (status == FB_STORE_EXISTS || (status == FB_STORE_OK && !old.exists))
        return fb_store_fail(error, FB_STORE_ABSENT, "there is no such entity");
    if (status == FB_STORE_OK)
        status = fb_tree_is_inner(store, uid, &inner, error);
    if (status != FB_STORE_OK)
        return status;
    fb_key_make(&key, uid);
    MDB_val k = fb_key_val(&key);
    int code = mdb_del(store->txn, store->env.tables[FB_TABLE_ENTITIES], &k, NULL);
    if (code != 0)
        return fb_store_fail_code(error, code, "delete an entity");
    status = change_links(store, uid, inner, false, &old.parents, &none, error);
    if (status == FB_STORE_OK && inner)
        status = fb_tree_rewrite_below(store, uid, error);
    return status == FB_STORE_OK ? fb_mentions_change(store, uid, &old.mentions, &nobody, error) : status;
}

enum fb_store_status fb_store_delete(struct fb_store *store, const struct fb_uid *uid, struct fb_store_error *error)
{
    enum fb_store_status status = fb_store_enter(store, error);
    return status == FB_STORE_OK ? fb_store_leave(store, delete(store, uid, error), error) : status;
}

/* --- Imports ----------------------------------------------------------------------------------------------- */

/* In the first transaction of a batch but the first: mentions are kept for later if the table is whole but for
 * them.  Without memory they are written at once. */
static enum fb_store_status defer_mentions(struct fb_store *store, struct fb_pending *pending,
                                           struct fb_store_error *error)
{
    if (store->pending == NULL && fb_env_mark(&store->env, store->txn) == FB_MARK_WHOLE) {
        store->pending = pending;
        return fb_pending_mark(store, pending, error);
    }
    if (store->pending != NULL && !fb_pending_is_marked(store, pending)) {
        fb_pending_cut(pending, 0);     /* somebody makes the index anew */
        store->pending = NULL;
    }
    return FB_STORE_OK;
}

static enum fb_store_status import_batch(struct fb_store *store, const struct fb_store_import *import,
                                         struct fb_pending *pending, size_t *count, struct fb_store_error *error)
{
    size_t batch = import->batch != 0 ? import->batch : 1000;
    uint64_t begun = fb_store_clock();
    enum fb_store_status status = pending != NULL ? fb_pending_begin(store, pending, error) : fb_store_begin(store, error);
    struct fb_entity entity;
    *count = 0;
    if (status == FB_STORE_OK && pending != NULL)
        status = defer_mentions(store, pending, error);
    size_t before = pending != NULL ? fb_pending_count(pending) : 0;
    /* A batch that moves many groups is cut short, for a suspension may be waiting for its turn. */
    for (; status == FB_STORE_OK && *count < batch && import->next(import->context, &entity); ++*count) {
        status = fb_store_put_entity(store, &entity, error);
        if (fb_store_clock() - begun > FB_STORE_TURN_MS)
            batch = *count;
    }
    if (status == FB_STORE_OK && *count != 0)
        status = pending != NULL ? fb_pending_commit(store, pending, error) : fb_store_commit(store, error);
    fb_store_abort(store);
    if (status != FB_STORE_OK && pending != NULL)
        fb_pending_cut(pending, before);
    return status;
}

/* What is pending; the index is whole again. */
static enum fb_store_status finish_mentions(struct fb_store *store, enum fb_store_status status,
                                            struct fb_store_error *error)
{
    struct fb_store_error another;
    if (store->pending == NULL)
        return status;
    enum fb_store_status wrote = fb_pending_write(store, store->pending, true, &another);
    store->pending = NULL;
    if (status == FB_STORE_OK && wrote != FB_STORE_OK && error != NULL)
        *error = another;
    return status == FB_STORE_OK ? wrote : status;
}

enum fb_store_status fb_store_import(struct fb_store *store, const struct fb_store_import *import, size_t *done,
                                     struct fb_store_error *error)
{
    struct fb_pending *pending = NULL;
    enum fb_store_status status;
    size_t count;
    *done = 0;
    do {
        status = import_batch(store, import, pending, &count, error);
        if (status != FB_STORE_OK)
            break;
        *done += count;
        if (count != 0 && import->progress != NULL)
            import->progress(import->context, *done);
        /* From the second batch on it is worth while. */
        if (pending == NULL && count != 0 && store->env.meta.version != FB_META_PLAIN)
            pending = fb_pending_new(store->allocator);
        if (store->pending != NULL && fb_pending_is_full(pending))
            status = fb_pending_write(store, pending, false, error);
    } while (count != 0 && status == FB_STORE_OK);
    status = finish_mentions(store, status, error);
    fb_pending_free(store->allocator, pending);
    return status;
}
