/* SPDX-License-Identifier: Apache-2.0 */
/* The hierarchy at rest.
 *
 * Invariants, after each operation:
 *   I1  groups[g] = the number of entities whose direct parents include g (no row for 0);
 *   I2  an entity is inner if and only if groups has a row for it;
 *   I3  an entity is closed if and only if it is inner and all that it reaches over direct parents is
 *       in the store; that then are its ancestors.  One with an absent ancestor stays open, since
 *       another source (entities.json, a token) may know what is above it;
 *   I4  inner[g] = the keys of the inner entities whose direct parents include g;
 *   I5  no entity reaches itself.
 * Walks go over direct parents only and never trust a stored closure, so a closure can be worked
 * out in any order while several are being rewritten. */
#include "store/layout.h"

#include <stdio.h>
#include <stdlib.h>

bool fb_uids_add(struct fb_uids *uids, struct fb_arena *arena, const struct fb_uid *uid)
{
    const struct fb_uid **list = fb_arena_grow(arena, uids->list, uids->count, &uids->capacity, sizeof *uids->list);
    if (list == NULL || uid == NULL)
        return false;
    uids->list = list;
    uids->list[uids->count++] = uid;
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct fb_uid *const *x = a, *const *y = b;
    return fb_uid_cmp(*x, *y);
}

void fb_uids_sort(struct fb_uids *uids)
{
    size_t kept = 0;
    if (uids->count > 1)
        qsort(uids->list, uids->count, sizeof *uids->list, compare);
    for (size_t i = 0; i < uids->count; i++)
        if (kept == 0 || !fb_uid_eq(uids->list[kept - 1], uids->list[i]))
            uids->list[kept++] = uids->list[i];
    uids->count = kept;
}

bool fb_uids_contain(const struct fb_uids *uids, const struct fb_uid *uid)
{
    return uids->count != 0 && bsearch(&uid, uids->list, uids->count, sizeof *uids->list, compare) != NULL;
}

bool fb_uids_of_refs(struct fb_uids *uids, struct fb_arena *arena, struct fb_refs refs)
{
    for (uint32_t i = 0; i < refs.count; i++)
        if (!fb_uids_add(uids, arena, fb_ref_uid(&refs.refs[i])))
            return false;
    return true;
}

static enum fb_store_status no_memory(struct fb_store_error *error)
{
    return fb_store_fail(error, FB_STORE_MEMORY, "not enough memory to work out the ancestors");
}

static enum fb_store_status damaged(const struct fb_uid *uid, struct fb_store_error *error)
{
    return fb_store_fail(error, FB_STORE_CORRUPT, "the row of %.*s::\"%.*s\" is damaged", (int)uid->type_len, uid->bytes,
                         (int)(uid->id_len < 100 ? uid->id_len : 100), uid->bytes + uid->type_len);
}

/* --- Up ----------------------------------------------------------------------------------------------- */

/* A uid that the walk has reached, and by whom. */
struct reached {
    const struct fb_uid *uid;
    const struct reached *from;
};
struct walk {
    struct fb_store *store;
    struct fb_map seen;                     /* bytes of the uid → struct reached */
    const struct reached **queue;
    size_t count, capacity;
    bool whole;                             /* all that was reached is in the store */
};

static enum fb_store_status reach(struct walk *walk, const struct fb_uid *uid, const struct reached *from,
                                  struct fb_store_error *error)
{
    struct fb_arena *arena = &walk->store->arena;
    struct fb_span bytes = fb_span((const char *)uid, fb_uid_size(uid->type_len, uid->id_len));
    if (fb_map_get(&walk->seen, bytes) != NULL)
        return FB_STORE_OK;
    struct reached *found = fb_arena_alloc(arena, sizeof *found);
    const struct reached **queue = fb_arena_grow(arena, walk->queue, walk->count, &walk->capacity, sizeof *queue);
    if (found == NULL || queue == NULL || !fb_map_put(&walk->seen, bytes, found))
        return no_memory(error);
    *found = (struct reached){.uid = uid, .from = from};
    walk->queue = queue;
    walk->queue[walk->count++] = found;
    if (walk->count > FB_STORE_ANCESTORS_MAX)
        return fb_store_fail(error, FB_STORE_LIMIT, "an entity would have more than %u ancestors", FB_STORE_ANCESTORS_MAX);
    return FB_STORE_OK;
}

/* `User::"a" in Group::"b" in … in User::"a"`; a long middle is left out. */
static enum fb_store_status name_cycle(struct fb_store *store, const struct fb_uid *uid, const struct reached *last,
                                       struct fb_store_error *error)
{
    enum { SHOWN = 12, TEXT_MAX = 900 };
    const struct reached *path[SHOWN] = {NULL};
    size_t length = 0, shown;
    struct fb_buffer text;
    for (const struct reached *r = last; r != NULL; r = r->from)
        length++;
    shown = length < SHOWN ? length : SHOWN;
    for (const struct reached *r = last; r != NULL; r = r->from, length--)
        if (length <= shown)
            path[length - 1] = r;
    fb_buffer_init(&text, store->allocator, (size_t)FB_UID_ID_MAX * 64);
    fb_uid_print(&text, uid);
    for (size_t i = 0; i < shown; i++) {
        fb_buffer_add_z(&text, " in ");
        fb_uid_print(&text, path[i]->uid);
    }
    if (shown == SHOWN && !fb_uid_eq(path[shown - 1]->uid, uid)) {
        fb_buffer_add_z(&text, " in … in ");
        fb_uid_print(&text, uid);
    }
    bool whole = !text.failed && text.len < TEXT_MAX;
    (void)fb_store_fail(error, FB_STORE_CYCLE, "an entity cannot be its own ancestor: %.*s%s",
                        (int)(text.len < TEXT_MAX ? text.len : TEXT_MAX), text.ptr != NULL ? text.ptr : "", whole ? "" : "…");
    fb_buffer_release(&text);
    return FB_STORE_CYCLE;
}

static enum fb_store_status walk_up(struct walk *walk, const struct fb_uid *uid, const struct fb_uids *parents,
                                    struct fb_store_error *error)
{
    enum fb_store_status status = FB_STORE_OK;
    for (size_t i = 0; status == FB_STORE_OK && i < parents->count; i++)
        status = reach(walk, parents->list[i], NULL, error);
    for (size_t i = 0; status == FB_STORE_OK && i < walk->count; i++) {
        const struct reached *at = walk->queue[i];
        struct fb_entity entity;
        struct fb_key key;
        if (fb_uid_eq(at->uid, uid))
            return name_cycle(walk->store, uid, at, error);
        fb_key_make(&key, at->uid);
        enum fb_found found = fb_row_copy(walk->store, fb_span(key.bytes, key.len), &entity);
        if (found == FB_BROKEN)
            return walk->store->arena.failed ? no_memory(error) : damaged(at->uid, error);
        if (found == FB_ABSENT || !fb_uid_eq(entity.uid, at->uid)) {
            walk->whole = false;
            continue;
        }
        for (uint32_t p = 0; status == FB_STORE_OK && p < entity.parents.count; p++)
            status = reach(walk, fb_ref_uid(&entity.parents.refs[p]), at, error);
    }
    return status;
}

enum fb_store_status fb_tree_close(struct fb_store *store, const struct fb_uid *uid, const struct fb_uids *parents,
                                   struct fb_uids *ancestors, bool *whole, struct fb_store_error *error)
{
    struct walk walk = {.store = store, .whole = true};
    fb_map_init(&walk.seen, &store->arena);
    enum fb_store_status status = walk_up(&walk, uid, parents, error);
    for (size_t i = 0; status == FB_STORE_OK && i < walk.count; i++)
        if (!fb_uids_add(ancestors, &store->arena, walk.queue[i]->uid))
            status = no_memory(error);
    fb_uids_sort(ancestors);
    *whole = walk.whole;
    return status;
}

/* --- Rows ----------------------------------------------------------------------------------------------- */

enum fb_found fb_row_copy(struct fb_store *store, struct fb_span key, struct fb_entity *entity)
{
    MDB_val k = fb_val(key.ptr, key.len), v;
    int code = mdb_get(store->txn, store->env.tables[FB_TABLE_ENTITIES], &k, &v);
    if (code == MDB_NOTFOUND)
        return FB_ABSENT;
    if (code != 0)
        return FB_BROKEN;
    /* A copy, since the next write may move the row. */
    struct fb_span copy = fb_arena_copy(&store->arena, fb_val_span(v));
    return copy.len != 0 && fb_entity_check(copy, false, entity) ? FB_FOUND : FB_BROKEN;
}

enum fb_store_status fb_row_write(struct fb_store *store, const struct fb_entity_parts *parts,
                                  const struct fb_uids *parents, const struct fb_uids *ancestors,
                                  struct fb_store_error *error)
{
    struct fb_entity_parts whole = *parts;
    whole.parents = parents->list;
    whole.parents_count = parents->count;
    whole.closed = ancestors != NULL;
    whole.ancestors = ancestors != NULL ? ancestors->list : NULL;
    whole.ancestors_count = ancestors != NULL ? ancestors->count : 0;
    const struct fb_entity_block *block = fb_entity_encode(&store->arena, &whole);
    if (block == NULL)
        return store->arena.failed
            ? fb_store_fail(error, FB_STORE_MEMORY, "not enough memory to encode an entity")
            : fb_store_fail(error, FB_STORE_LIMIT, "an entity is larger than %u bytes", FB_ENTITY_MAX);
    struct fb_key key;
    fb_key_make(&key, parts->uid);
    MDB_val k = fb_key_val(&key), v = fb_val(block, block->length);
    int code = mdb_put(store->txn, store->env.tables[FB_TABLE_ENTITIES], &k, &v, 0);
    return code == 0 ? FB_STORE_OK : fb_store_fail_code(error, code, "write an entity");
}

/* The entity again, with the same contents and its closure as `inner` demands. */
static enum fb_store_status write_again(struct fb_store *store, const struct fb_entity *entity, bool inner,
                                        struct fb_store_error *error)
{
    struct fb_uids parents = {0}, ancestors = {0};
    struct fb_entity_parts parts = {
        .uid = entity->uid,
        .attrs = {.kind = FB_RECORD, .count = (uint32_t)entity->attrs->count, .record = entity->attrs},
        .tags = {.kind = FB_RECORD, .count = (uint32_t)entity->tags->count, .record = entity->tags},
    };
    if (!fb_uids_of_refs(&parents, &store->arena, entity->parents))
        return no_memory(error);
    bool whole = false;
    enum fb_store_status status = FB_STORE_OK;
    if (inner)
        status = fb_tree_close(store, entity->uid, &parents, &ancestors, &whole, error);
    if (status == FB_STORE_OK)
        status = fb_row_write(store, &parts, &parents, whole ? &ancestors : NULL, error);
    return status;
}

/* --- Counts --------------------------------------------------------------------------------------------- */

static enum fb_store_status get_count(struct fb_store *store, const struct fb_key *key, uint64_t *count,
                                      struct fb_store_error *error)
{
    MDB_val k = fb_key_val(key), v;
    int code = mdb_get(store->txn, store->env.tables[FB_TABLE_GROUPS], &k, &v);
    *count = 0;
    if (code == MDB_NOTFOUND)
        return FB_STORE_OK;
    if (code != 0)
        return fb_store_fail_code(error, code, "read the hierarchy");
    if (v.mv_size != sizeof *count)
        return fb_store_fail(error, FB_STORE_CORRUPT, "a row of the hierarchy is damaged");
    memcpy(count, v.mv_data, sizeof *count);
    return FB_STORE_OK;
}

static enum fb_store_status set_count(struct fb_store *store, const struct fb_key *key, uint64_t count,
                                      struct fb_store_error *error)
{
    MDB_val k = fb_key_val(key), v = fb_val(&count, sizeof count);
    MDB_dbi table = store->env.tables[FB_TABLE_GROUPS];
    int code = count != 0 ? mdb_put(store->txn, table, &k, &v, 0) : mdb_del(store->txn, table, &k, NULL);
    return code == 0 ? FB_STORE_OK : fb_store_fail_code(error, code, "write the hierarchy");
}

enum fb_store_status fb_tree_is_inner(struct fb_store *store, const struct fb_uid *uid, bool *inner,
                                      struct fb_store_error *error)
{
    struct fb_key key;
    uint64_t count;
    fb_key_make(&key, uid);
    enum fb_store_status status = get_count(store, &key, &count, error);
    *inner = count != 0;
    return status;
}

/* A leaf has got its first child, or an inner entity lost its last. */
static enum fb_store_status turn(struct fb_store *store, const struct fb_uid *uid, bool inner,
                                 struct fb_store_error *error)
{
    struct fb_entity entity;
    struct fb_key key;
    fb_key_make(&key, uid);
    enum fb_found found = fb_row_copy(store, fb_span(key.bytes, key.len), &entity);
    if (found == FB_BROKEN)
        return store->arena.failed ? no_memory(error) : damaged(uid, error);
    if (found == FB_ABSENT || !fb_uid_eq(entity.uid, uid))
        return FB_STORE_OK;
    enum fb_store_status status = write_again(store, &entity, inner, error);
    for (uint32_t i = 0; status == FB_STORE_OK && i < entity.parents.count; i++)
        status = fb_tree_index(store, fb_ref_uid(&entity.parents.refs[i]), uid, inner, error);
    return status;
}

enum fb_store_status fb_tree_link(struct fb_store *store, const struct fb_uid *parent, struct fb_store_error *error)
{
    struct fb_key key;
    uint64_t count;
    fb_key_make(&key, parent);
    enum fb_store_status status = get_count(store, &key, &count, error);
    if (status == FB_STORE_OK)
        status = set_count(store, &key, count + 1, error);
    return status == FB_STORE_OK && count == 0 ? turn(store, parent, true, error) : status;
}

enum fb_store_status fb_tree_unlink(struct fb_store *store, const struct fb_uid *parent, struct fb_store_error *error)
{
    struct fb_key key;
    uint64_t count;
    fb_key_make(&key, parent);
    enum fb_store_status status = get_count(store, &key, &count, error);
    if (status == FB_STORE_OK && count == 0)
        return fb_store_fail(error, FB_STORE_CORRUPT, "the hierarchy's counts are damaged");
    if (status == FB_STORE_OK)
        status = set_count(store, &key, count - 1, error);
    return status == FB_STORE_OK && count == 1 ? turn(store, parent, false, error) : status;
}

/* --- Down ------------------------------------------------------------------------------------------------ */

enum fb_store_status fb_tree_index(struct fb_store *store, const struct fb_uid *parent, const struct fb_uid *child,
                                   bool add, struct fb_store_error *error)
{
    struct fb_key from, to;
    fb_key_make(&from, parent);
    fb_key_make(&to, child);
    MDB_val k = fb_key_val(&from), v = fb_key_val(&to);
    MDB_dbi table = store->env.tables[FB_TABLE_INNER];
    int code = add ? mdb_put(store->txn, table, &k, &v, MDB_NODUPDATA) : mdb_del(store->txn, table, &k, &v);
    if (code == (add ? MDB_KEYEXIST : MDB_NOTFOUND))
        code = 0;
    return code == 0 ? FB_STORE_OK : fb_store_fail_code(error, code, "write the hierarchy");
}

struct below {
    struct fb_map seen;
    struct fb_span *keys;
    size_t count, capacity;
};

/* Adds the inner children of `key` that are not yet in the list. */
static enum fb_store_status add_children(struct fb_store *store, struct fb_span key, struct below *below,
                                         struct fb_store_error *error)
{
    MDB_cursor *cursor;
    MDB_val k = fb_val(key.ptr, key.len), v;
    int code = mdb_cursor_open(store->txn, store->env.tables[FB_TABLE_INNER], &cursor);
    if (code != 0)
        return fb_store_fail_code(error, code, "read the hierarchy");
    enum fb_store_status status = FB_STORE_OK;
    for (code = mdb_cursor_get(cursor, &k, &v, MDB_SET_KEY); code == 0 && status == FB_STORE_OK;
         code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT_DUP)) {
        if (fb_map_get(&below->seen, fb_val_span(v)) != NULL)
            continue;
        struct fb_span child = fb_arena_copy(&store->arena, fb_val_span(v));
        struct fb_span *keys = fb_arena_grow(&store->arena, below->keys, below->count, &below->capacity, sizeof *keys);
        if (store->arena.failed || keys == NULL || !fb_map_put(&below->seen, child, store)) {
            status = no_memory(error);
        } else {
            below->keys = keys;
            below->keys[below->count++] = child;
            if (below->count > FB_STORE_REWRITES_MAX)
                status = fb_store_fail(error, FB_STORE_LIMIT, "this would move more than %u groups at once",
                                       FB_STORE_REWRITES_MAX);
        }
    }
    mdb_cursor_close(cursor);
    if (status == FB_STORE_OK && code != MDB_NOTFOUND)
        status = fb_store_fail_code(error, code, "read the hierarchy");
    return status;
}

enum fb_store_status fb_tree_rewrite_below(struct fb_store *store, const struct fb_uid *uid,
                                           struct fb_store_error *error)
{
    struct below below = {0};
    struct fb_key key;
    fb_map_init(&below.seen, &store->arena);
    fb_key_make(&key, uid);
    enum fb_store_status status = add_children(store, fb_span(key.bytes, key.len), &below, error);
    for (size_t i = 0; status == FB_STORE_OK && i < below.count; i++)
        status = add_children(store, below.keys[i], &below, error);
    for (size_t i = 0; status == FB_STORE_OK && i < below.count; i++) {
        struct fb_entity entity;
        enum fb_found found = fb_row_copy(store, below.keys[i], &entity);
        if (found == FB_FOUND)
            status = write_again(store, &entity, true, error);
        else
            status = store->arena.failed ? no_memory(error)
                                         : fb_store_fail(error, FB_STORE_CORRUPT, "a group's row is damaged or missing");
    }
    return status;
}
