/* SPDX-License-Identifier: Apache-2.0 */
/* Many mentions at once.
 *
 * Mentions come in the order of entities and lie in the order of who is mentioned: written one by one, each takes
 * a page of its own, and an import of a million entities would write twenty gigabytes.  So an import, and the
 * making of an index, keep them in memory and write them sorted, a page at a time for many.  Until then lists
 * must do without: the mark in the record (layout.h) says so.
 *
 * Another process may write between an entity and its mentions, and take one away that is yet to come.  That
 * somebody has written is told by the number of the transaction; then each mention is held against the entity's
 * row before it is entered. */
#include "store/layout.h"

#include <stdlib.h>

#define ROWS ((size_t)1 << 20)
#define KEY_BYTES ((size_t)32 << 20)

struct row {
    struct fb_mention mention;
    const char *key;
    size_t len;
};

struct fb_pending {
    struct row *rows;
    char *keys;
    size_t count, used;     /* rows; bytes of keys */
    uint64_t mark, known;   /* known: the last commit of all that we know of; 0: none */
    bool doubtful;          /* one of them may no longer be so: somebody has written, or one was taken away */
    bool overflowed;        /* one did not fit and was written */
};

struct fb_pending *fb_pending_new(const struct fb_allocator *allocator)
{
    struct fb_pending *pending = fb_alloc(allocator, sizeof *pending);
    struct row *rows = fb_alloc(allocator, ROWS * sizeof *rows);
    char *keys = fb_alloc(allocator, KEY_BYTES);
    if (pending == NULL || rows == NULL || keys == NULL) {
        fb_free(allocator, pending, sizeof *pending);
        fb_free(allocator, rows, ROWS * sizeof *rows);
        fb_free(allocator, keys, KEY_BYTES);
        return NULL;
    }
    *pending = (struct fb_pending){.rows = rows, .keys = keys};
    return pending;
}

void fb_pending_free(const struct fb_allocator *allocator, struct fb_pending *pending)
{
    if (pending == NULL)
        return;
    fb_free(allocator, pending->rows, ROWS * sizeof *pending->rows);
    fb_free(allocator, pending->keys, KEY_BYTES);
    fb_free(allocator, pending, sizeof *pending);
}

/* The last one's key, if it is this: an entity's mentions come together. */
static const char *last_key(const struct fb_pending *pending, const struct fb_key *key)
{
    if (pending->count == 0)
        return NULL;
    const struct row *last = &pending->rows[pending->count - 1];
    return fb_span_eq(fb_span(last->key, last->len), fb_span(key->bytes, key->len)) ? last->key : NULL;
}

bool fb_pending_add(struct fb_pending *pending, const struct fb_mention *mention, const struct fb_key *key)
{
    const char *at = last_key(pending, key);
    pending->overflowed |= pending->count == ROWS || (at == NULL && KEY_BYTES - pending->used < key->len);
    if (pending->overflowed)
        return false;
    if (at == NULL) {
        memcpy(pending->keys + pending->used, key->bytes, key->len);
        at = pending->keys + pending->used;
        pending->used += key->len;
    }
    pending->rows[pending->count++] = (struct row){*mention, at, key->len};
    return true;
}

bool fb_pending_is_full(const struct fb_pending *pending)
{
    return pending->count > ROWS / 4 * 3 || pending->used > KEY_BYTES / 4 * 3;
}

size_t fb_pending_count(const struct fb_pending *pending)
{
    return pending->count;
}

void fb_pending_doubt(struct fb_pending *pending)
{
    pending->doubtful = true;
}

void fb_pending_cut(struct fb_pending *pending, size_t count)
{
    pending->count = count;
}

/* --- Transactions ------------------------------------------------------------------------------------ */

enum fb_store_status fb_pending_begin(struct fb_store *store, struct fb_pending *pending, struct fb_store_error *error)
{
    enum fb_store_status status = fb_store_begin(store, error);
    if (status != FB_STORE_OK)
        return status;
    uint64_t before = mdb_txn_id(store->txn) - 1;
    pending->doubtful = pending->count != 0 && (pending->doubtful || before != pending->known);
    pending->overflowed = false;
    pending->known = before;
    return FB_STORE_OK;
}

enum fb_store_status fb_pending_commit(struct fb_store *store, struct fb_pending *pending, struct fb_store_error *error)
{
    uint64_t number = mdb_txn_id(store->txn);
    enum fb_store_status status = fb_store_commit(store, error);
    if (status == FB_STORE_OK)
        pending->known = number;
    return status;
}

enum fb_store_status fb_pending_end(struct fb_store *store, struct fb_pending *pending, struct fb_store_error *error)
{
    if (pending->overflowed)
        return fb_pending_commit(store, pending, error);
    fb_store_abort(store);
    return FB_STORE_OK;
}

enum fb_store_status fb_pending_mark(struct fb_store *store, struct fb_pending *pending, struct fb_store_error *error)
{
    /* No other has or will have this number. */
    pending->mark = FB_MARK_WHOLE + mdb_txn_id(store->txn);
    return fb_env_set_mark(&store->env, store->txn, pending->mark, error);
}

bool fb_pending_is_marked(const struct fb_store *store, const struct fb_pending *pending)
{
    return fb_env_mark(&store->env, store->txn) == pending->mark;
}

/* --- Writing ----------------------------------------------------------------------------------------- */

/* The order of the table: bytes. */
static int by_place(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = memcmp(&x->mention, &y->mention, sizeof x->mention);
    return order != 0 ? order : fb_span_cmp(fb_span(x->key, x->len), fb_span(y->key, y->len));
}

/* Does the entity still mention it?  False without memory too, and then *status says so. */
static bool holds(struct fb_store *store, const struct row *row, enum fb_store_status *status,
                  struct fb_store_error *error)
{
    struct fb_uids parents = {0};
    struct fb_mentions mentions;
    struct fb_entity entity;
    fb_arena_clear(&store->arena);
    enum fb_found found = fb_row_copy(store, fb_span(row->key, row->len), &entity);
    if (found == FB_ABSENT)
        return false;
    if (found == FB_FOUND && fb_uids_of_refs(&parents, &store->arena, entity.parents)
        && fb_mentions_of(&mentions, &store->arena, entity.attrs, &parents)) {
        for (size_t i = 0; i < mentions.count; i++)
            if (memcmp(&mentions.list[i], &row->mention, sizeof row->mention) == 0)
                return true;
        return false;
    }
    *status = fb_store_fail(error, store->arena.failed ? FB_STORE_MEMORY : FB_STORE_CORRUPT,
                            "the row of an entity cannot be read again");
    return false;
}

/* From *at on, until the turn is over. */
static enum fb_store_status write_turn(struct fb_store *store, const struct fb_pending *pending, size_t *at,
                                       struct fb_store_error *error)
{
    uint64_t begun = fb_store_clock();
    enum fb_store_status status = FB_STORE_OK;
    for (; *at < pending->count && status == FB_STORE_OK; ++*at) {
        const struct row *row = &pending->rows[*at];
        if (*at % 64 == 63 && fb_store_clock() - begun > FB_STORE_TURN_MS)
            break;
        if (pending->doubtful && !holds(store, row, &status, error))
            continue;
        status = fb_mention_enter(store, &row->mention, fb_span(row->key, row->len), error);
    }
    return status;
}

enum fb_store_status fb_pending_write(struct fb_store *store, struct fb_pending *pending, bool whole,
                                      struct fb_store_error *error)
{
    enum fb_store_status status = FB_STORE_OK;
    size_t at = 0;
    bool done = false;
    if (pending->count > 1)
        qsort(pending->rows, pending->count, sizeof *pending->rows, by_place);
    while (status == FB_STORE_OK && !done) {
        status = fb_pending_begin(store, pending, error);
        if (status != FB_STORE_OK)
            break;
        done = !fb_pending_is_marked(store, pending);    /* another has taken it over, and will see our entities */
        if (!done) {
            status = write_turn(store, pending, &at, error);
            done = at == pending->count;
            if (status == FB_STORE_OK && done && whole)
                status = fb_env_set_mark(&store->env, store->txn, FB_MARK_WHOLE, error);
        }
        if (status == FB_STORE_OK)
            status = fb_pending_commit(store, pending, error);
        else
            fb_store_abort(store);
    }
    pending->count = pending->used = 0;
    return status;
}
