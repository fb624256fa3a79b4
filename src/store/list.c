/* SPDX-License-Identifier: Apache-2.0 */
/* Reading for tools: single rows, lists in order, counts; and lists in a reader's snapshot. */
#include "store/reader.h"

MDB_txn *fb_store_read(struct fb_store *store, struct fb_store_error *error)
{
    int code;
    if (store->txn != NULL)
        return store->txn;
    if (store->snapshot == NULL) {
        code = mdb_txn_begin(store->env.env, NULL, MDB_RDONLY, &store->snapshot);
        if (code != 0)
            store->snapshot = NULL;
    } else {
        if (store->reading)
            mdb_txn_reset(store->snapshot);
        code = mdb_txn_renew(store->snapshot);
    }
    store->reading = code == 0;
    if (code != 0)
        (void)fb_store_fail_code(error, code, "read the store");
    return code == 0 ? store->snapshot : NULL;
}

static enum fb_found get(struct fb_store *store, enum fb_table table, const struct fb_uid *uid, struct fb_span *row)
{
    struct fb_key key;
    MDB_val v;
    MDB_txn *txn = fb_store_read(store, NULL);
    if (txn == NULL)
        return FB_BROKEN;
    fb_key_make(&key, uid);
    MDB_val k = fb_key_val(&key);
    int code = mdb_get(txn, store->env.tables[table], &k, &v);
    if (code != 0)
        return code == MDB_NOTFOUND ? FB_ABSENT : FB_BROKEN;
    *row = fb_val_span(v);
    return FB_FOUND;
}

enum fb_found fb_store_find(struct fb_store *store, const struct fb_uid *uid, struct fb_entity *entity)
{
    struct fb_span row;
    enum fb_found found = get(store, FB_TABLE_ENTITIES, uid, &row);
    if (found != FB_FOUND)
        return found;
    if (!fb_aligned(row.ptr) || !fb_entity_check(row, false, entity))
        return FB_BROKEN;
    return fb_uid_eq(entity->uid, uid) ? FB_FOUND : FB_ABSENT;
}

enum fb_found fb_store_find_account(struct fb_store *store, const struct fb_uid *uid, struct fb_account *account)
{
    struct fb_span row;
    enum fb_found found = get(store, FB_TABLE_ACCOUNTS, uid, &row);
    if (found == FB_FOUND && !fb_account_check(row, account))
        found = FB_BROKEN;
    if (found == FB_FOUND && !fb_uid_eq(account->uid, uid))
        found = FB_ABSENT;
    if (found == FB_ABSENT)
        *account = (struct fb_account){.uid = uid, .state = FB_ACCOUNT_ACTIVE};
    return found;
}

/* --- Lists --------------------------------------------------------------------------------------------- */

static bool wanted(const struct fb_store_list *list, const struct fb_uid *uid)
{
    return (list->type.len == 0 || fb_span_eq(fb_uid_type(uid), list->type))
        && fb_span_starts(fb_uid_id(uid), list->prefix);
}

void fb_list_first_key(const struct fb_store_list *list, struct fb_key *key)
{
    size_t len = list->type.len + 1 + list->prefix.len;
    key->len = 0;
    if (list->after != NULL) {
        fb_key_make(key, list->after);
    } else if (list->type.len != 0 && len <= FB_KEY_MAX) {
        memcpy(key->bytes, list->type.ptr, list->type.len);
        key->bytes[list->type.len] = '\0';
        if (list->prefix.len != 0)
            memcpy(key->bytes + list->type.len + 1, list->prefix.ptr, list->prefix.len);
        key->len = len;
    }
}

bool fb_list_past(const struct fb_store_list *list, struct fb_span key)
{
    size_t len = list->type.len + 1;
    if (list->type.len == 0 || fb_key_is_long(key))
        return false;
    int order = fb_span_cmp(fb_span_head(key, list->type.len), list->type);
    if (order != 0)
        return order > 0;
    if (key.len <= list->type.len || key.ptr[list->type.len] != '\0')
        return true;        /* a type that continues ours sorts behind it */
    return fb_span_cmp(fb_span_head(fb_span_from(key, len), list->prefix.len), list->prefix) > 0;
}

/* A position in a table, moved to the next row that may be wanted. */
struct position {
    MDB_cursor *cursor;
    MDB_val key, value;
    bool jumped;            /* to the long keys */
    int code;               /* 0: at a row */
};

static void seek(struct position *at, const struct fb_store_list *list)
{
    struct fb_key first;
    fb_list_first_key(list, &first);
    if (first.len == 0) {
        at->code = mdb_cursor_get(at->cursor, &at->key, &at->value, MDB_FIRST);
        return;
    }
    at->key = fb_key_val(&first);
    at->code = mdb_cursor_get(at->cursor, &at->key, &at->value, MDB_SET_RANGE);
    if (at->code == 0 && list->after != NULL && fb_span_eq(fb_val_span(at->key), fb_span(first.bytes, first.len)))
        at->code = mdb_cursor_get(at->cursor, &at->key, &at->value, MDB_NEXT);
}

const struct fb_span fb_list_first_long = {8, "\xff\xff\xff\xff\xff\xff\xff\xff"};

static void jump(struct position *at, const struct fb_store_list *list)
{
    if (at->code == 0 && !at->jumped && fb_list_past(list, fb_val_span(at->key))) {
        at->jumped = true;
        at->key = fb_val(fb_list_first_long.ptr, fb_list_first_long.len);
        at->code = mdb_cursor_get(at->cursor, &at->key, &at->value, MDB_SET_RANGE);
    }
}

/* What a row is, and whom to tell. */
struct visitor {
    enum fb_table table;
    bool (*entity)(void *context, const struct fb_entity *entity);
    bool (*account)(void *context, const struct fb_account *account);
    void *context;
};

enum visit { GO_ON, PASSED_OVER, ENOUGH, DAMAGED };

static enum visit visit(const struct visitor *visitor, const struct fb_store_list *list, struct fb_span row)
{
    struct fb_entity entity;
    struct fb_account account;
    bool of_entities = visitor->table == FB_TABLE_ENTITIES;
    if (!fb_aligned(row.ptr))
        return DAMAGED;
    if (!(of_entities ? fb_entity_check(row, false, &entity) : fb_account_check(row, &account)))
        return DAMAGED;
    if (!wanted(list, of_entities ? entity.uid : account.uid))
        return PASSED_OVER;
    bool more = of_entities ? visitor->entity(visitor->context, &entity) : visitor->account(visitor->context, &account);
    return more ? GO_ON : ENOUGH;
}

static enum fb_store_status list_rows(MDB_txn *txn, const struct fb_env *env, const struct fb_store_list *list,
                                      const struct visitor *visitor, struct fb_store_error *error)
{
    struct position at = {0};
    size_t seen = 0;
    int code = mdb_cursor_open(txn, env->tables[visitor->table], &at.cursor);
    if (code != 0)
        return fb_store_fail_code(error, code, "read the store");
    enum fb_store_status status = FB_STORE_OK;
    seek(&at, list);
    for (jump(&at, list); at.code == 0; jump(&at, list)) {
        enum visit result = visit(visitor, list, fb_val_span(at.value));
        if (result == DAMAGED) {
            struct fb_span key = fb_val_span(at.key);
            status = fb_store_fail(error, FB_STORE_CORRUPT, "the row of %.*s is damaged",
                                   (int)fb_span_find(key, '\0'), key.ptr);
        }
        seen += result == GO_ON;
        if (result == DAMAGED || result == ENOUGH || (list->limit != 0 && seen >= list->limit))
            break;
        at.code = mdb_cursor_get(at.cursor, &at.key, &at.value, MDB_NEXT);
    }
    mdb_cursor_close(at.cursor);
    if (status == FB_STORE_OK && at.code != 0 && at.code != MDB_NOTFOUND)
        status = fb_store_fail_code(error, at.code, "read the store");
    return status;
}

static enum fb_store_status list_store(struct fb_store *store, const struct fb_store_list *list,
                                       const struct visitor *visitor, struct fb_store_error *error)
{
    if (error != NULL)
        *error = (struct fb_store_error){0};
    MDB_txn *txn = fb_store_read(store, error);
    if (txn == NULL)
        return error != NULL ? error->status : FB_STORE_FAILED;
    return list_rows(txn, &store->env, list, visitor, error);
}

enum fb_store_status fb_store_reader_list(const struct fb_store_reader *reader, const struct fb_store_list *list,
                                          bool (*each)(void *context, const struct fb_entity *entity), void *context,
                                          struct fb_store_error *error)
{
    const struct visitor visitor = {.table = FB_TABLE_ENTITIES, .entity = each, .context = context};
    if (error != NULL)
        *error = (struct fb_store_error){0};
    if (!reader->reading->live)
        return fb_store_fail(error, FB_STORE_FAILED, "no snapshot was taken of the store at %s", reader->dir);
    return list_rows(reader->reading->txn, &reader->env, list, &visitor, error);
}

int fb_store_order(const struct fb_uid *a, const struct fb_uid *b)
{
    struct fb_key one, other;
    fb_key_make(&one, a);
    fb_key_make(&other, b);
    return fb_span_cmp(fb_span(one.bytes, one.len), fb_span(other.bytes, other.len));
}

enum fb_store_status fb_store_list_entities(struct fb_store *store, const struct fb_store_list *list,
                                            bool (*each)(void *context, const struct fb_entity *entity),
                                            void *context, struct fb_store_error *error)
{
    const struct visitor visitor = {.table = FB_TABLE_ENTITIES, .entity = each, .context = context};
    return list_store(store, list, &visitor, error);
}

enum fb_store_status fb_store_list_accounts(struct fb_store *store, const struct fb_store_list *list,
                                            bool (*each)(void *context, const struct fb_account *account),
                                            void *context, struct fb_store_error *error)
{
    const struct visitor visitor = {.table = FB_TABLE_ACCOUNTS, .account = each, .context = context};
    return list_store(store, list, &visitor, error);
}

enum fb_store_status fb_store_info(struct fb_store *store, struct fb_store_info *info, struct fb_store_error *error)
{
    MDB_stat entities, accounts, whole;
    MDB_envinfo about;
    MDB_txn *txn = fb_store_read(store, error);
    if (txn == NULL)
        return error != NULL ? error->status : FB_STORE_FAILED;
    int code = mdb_stat(txn, store->env.tables[FB_TABLE_ENTITIES], &entities);
    if (code == 0)
        code = mdb_stat(txn, store->env.tables[FB_TABLE_ACCOUNTS], &accounts);
    if (code == 0)
        code = mdb_env_info(store->env.env, &about);
    if (code == 0)
        code = mdb_env_stat(store->env.env, &whole);
    if (code != 0)
        return fb_store_fail_code(error, code, "read the store");
    *info = (struct fb_store_info){.created_at = store->env.meta.created_at, .revision = mdb_txn_id(txn),
                                   .entities = entities.ms_entries, .accounts = accounts.ms_entries,
                                   .indexed = fb_env_mark(&store->env, txn) == FB_MARK_WHOLE,
                                   .used = (about.me_last_pgno + 1) * whole.ms_psize, .map = about.me_mapsize};
    memcpy(info->identity, store->env.meta.identity, sizeof info->identity);
    return FB_STORE_OK;
}
