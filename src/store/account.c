/* SPDX-License-Identifier: Apache-2.0 */
/* Account rows, and the steps between their states.  The table of store.h is the table below. */
#include "store/layout.h"

#include <stddef.h>

static size_t pad(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static struct fb_span summed(const struct fb_account_row *row)
{
    size_t from = offsetof(struct fb_account_row, checksum) + sizeof row->checksum;
    return fb_span((const char *)row + from, row->length - from);
}

const struct fb_account_row *fb_account_encode(struct fb_arena *arena, const struct fb_account *account)
{
    size_t uid_size = fb_uid_size(account->uid->type_len, account->uid->id_len);
    size_t length = pad(sizeof(struct fb_account_row) + uid_size + account->reason.len + account->changed_by.len);
    struct fb_account_row *row = fb_arena_alloc(arena, length);
    if (row == NULL)
        return NULL;
    *row = (struct fb_account_row){.magic = FB_ACCOUNT_MAGIC, .length = (uint32_t)length,
                                   .changed_at = account->changed_at, .state = (uint32_t)account->state,
                                   .reason_len = (uint32_t)account->reason.len,
                                   .by_len = (uint32_t)account->changed_by.len};
    char *at = (char *)(row + 1);
    (void)fb_uid_write(at, fb_uid_type(account->uid), fb_uid_id(account->uid));
    at += uid_size;
    if (account->reason.len != 0)
        memcpy(at, account->reason.ptr, account->reason.len);
    if (account->changed_by.len != 0)
        memcpy(at + account->reason.len, account->changed_by.ptr, account->changed_by.len);
    row->checksum = fb_hash(summed(row));
    return row;
}

void fb_account_open(const struct fb_account_row *row, struct fb_account *account)
{
    const struct fb_uid *uid = (const struct fb_uid *)(const void *)(row + 1);
    const char *texts = (const char *)uid + fb_uid_size(uid->type_len, uid->id_len);
    *account = (struct fb_account){.uid = uid, .state = (enum fb_account_state)row->state,
                                   .changed_at = row->changed_at,
                                   .reason = fb_span(texts, row->reason_len),
                                   .changed_by = fb_span(texts + row->reason_len, row->by_len)};
}

bool fb_account_check(struct fb_span bytes, struct fb_account *account)
{
    const struct fb_account_row *row = (const void *)bytes.ptr;
    if (!fb_aligned(row) || bytes.len < sizeof *row + sizeof(struct fb_uid) || row->magic != FB_ACCOUNT_MAGIC
        || row->length != bytes.len || row->checksum != fb_hash(summed(row)) || row->state >= FB_ACCOUNT_STATES)
        return false;
    /* The checksum holds, so we wrote it; its lengths are looked at all the same. */
    const struct fb_uid *uid = (const struct fb_uid *)(const void *)(row + 1);
    if (uid->type_len > FB_UID_TYPE_MAX || uid->id_len > FB_UID_ID_MAX
        || row->reason_len > FB_STORE_REASON_MAX || row->by_len > FB_STORE_REASON_MAX
        || sizeof *row + fb_uid_size(uid->type_len, uid->id_len) + row->reason_len + row->by_len > row->length)
        return false;
    fb_account_open(row, account);
    return true;
}

/* --- Steps ------------------------------------------------------------------------------------------- */

enum outcome { NOTHING, WRITE, REFUSE };
enum { NO_ROW = FB_ACCOUNT_STATES, COLUMNS };

static const struct { enum fb_account_state becomes; uint8_t from[COLUMNS]; } steps[] = {
    /*                                              active   suspended disabled deleted  no row */
    [FB_ACCOUNT_ADD]     = {FB_ACCOUNT_ACTIVE,    {NOTHING, REFUSE,   REFUSE,  WRITE,   WRITE}},
    [FB_ACCOUNT_SUSPEND] = {FB_ACCOUNT_SUSPENDED, {WRITE,   WRITE,    WRITE,   REFUSE,  WRITE}},
    [FB_ACCOUNT_RESTORE] = {FB_ACCOUNT_ACTIVE,    {NOTHING, WRITE,    WRITE,   REFUSE,  NOTHING}},
    [FB_ACCOUNT_DISABLE] = {FB_ACCOUNT_DISABLED,  {WRITE,   WRITE,    WRITE,   REFUSE,  WRITE}},
    [FB_ACCOUNT_DELETE]  = {FB_ACCOUNT_DELETED,   {WRITE,   WRITE,    WRITE,   NOTHING, WRITE}},
};

static enum fb_store_status refuse(const struct fb_account *account, struct fb_store_error *error)
{
    const char *state = fb_account_state_names[account->state];
    return fb_store_fail(error, FB_STORE_REFUSED, "the account is %s; %s", state,
                         account->state == FB_ACCOUNT_DELETED ? "`add` brings it back" : "`restore` makes it active");
}

static enum fb_store_status step(struct fb_store *store, const struct fb_account_change *change, bool *changed,
                                 struct fb_store_error *error)
{
    struct fb_account account;
    enum fb_found found = fb_store_find_account(store, change->uid, &account);
    if (found == FB_BROKEN)
        return fb_store_fail(error, FB_STORE_CORRUPT, "the account's row is damaged");
    switch ((enum outcome)steps[change->step].from[found == FB_FOUND ? (int)account.state : NO_ROW]) {
    case NOTHING: return FB_STORE_OK;
    case REFUSE: return refuse(&account, error);
    case WRITE: break;
    }
    account = (struct fb_account){.uid = change->uid, .state = steps[change->step].becomes, .changed_at = change->at,
                                  .reason = change->reason, .changed_by = change->by};
    const struct fb_account_row *row = fb_account_encode(&store->arena, &account);
    if (row == NULL)
        return fb_store_fail(error, FB_STORE_MEMORY, "not enough memory for an account's row");
    struct fb_key key;
    fb_key_make(&key, change->uid);
    MDB_val k = fb_key_val(&key), v = fb_val(row, row->length);
    int code = mdb_put(store->txn, store->env.tables[FB_TABLE_ACCOUNTS], &k, &v, 0);
    if (code != 0)
        return fb_store_fail_code(error, code, "write the account");
    *changed = true;
    return FB_STORE_OK;
}

enum fb_store_status fb_store_change_account(struct fb_store *store, const struct fb_account_change *change,
                                             bool *changed, struct fb_store_error *error)
{
    bool written = false;
    if (change->reason.len > FB_STORE_REASON_MAX || change->by.len > FB_STORE_REASON_MAX)
        return fb_store_fail(error, FB_STORE_LIMIT, "a reason, or an actor's name, has at most %u bytes",
                             FB_STORE_REASON_MAX);
    if (!fb_type_name_valid(fb_uid_type(change->uid)))
        return fb_store_fail(error, FB_STORE_FAILED, "an account's type must be a Cedar type name");
    enum fb_store_status status = fb_store_enter(store, error);
    if (status == FB_STORE_OK)
        status = fb_store_leave(store, step(store, change, &written, error), error);
    if (changed != NULL)
        *changed = written && status == FB_STORE_OK;
    return status;
}
