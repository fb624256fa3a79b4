/* SPDX-License-Identifier: Apache-2.0 */
/* Rows looked up in a worker's snapshot, through the cache that reader.h describes. */
#include "store/reader.h"

static inline bool holds(const struct fb_slot *slot, uint64_t version, const struct fb_uid *uid, size_t len)
{
    return slot->hash == uid->hash && slot->version == version && slot->type_len == uid->type_len
        && slot->id_len == uid->id_len && fb_bytes_eq(slot->bytes, uid->bytes, len);
}

static inline struct fb_slot *set_of(const struct fb_reading *reading, const struct fb_uid *uid)
{
    return &reading->slots[uid->hash & (FB_SLOTS - FB_WAYS)];
}

/* The slot of the set that a new uid takes: the first that is of no use, else each in turn. */
static __attribute__((noinline)) struct fb_slot *take_slot(struct fb_reading *reading, const struct fb_uid *uid, size_t len)
{
    struct fb_slot *set = set_of(reading, uid), *victim = NULL;
    for (int way = 0; way < FB_WAYS && victim == NULL; way++)
        if (set[way].version != reading->version)
            victim = &set[way];
    if (victim == NULL)
        victim = &set[reading->turn++ % FB_WAYS];
    *victim = (struct fb_slot){.hash = uid->hash, .version = reading->version, .type_len = (uint8_t)uid->type_len,
                               .id_len = (uint8_t)uid->id_len};
    memcpy(victim->bytes, uid->bytes, len);
    return victim;
}

/* The uid's slot, emptied if it was another's; NULL for uids too long for one. */
static struct fb_slot *slot_of(struct fb_reading *reading, const struct fb_uid *uid)
{
    size_t len = (size_t)uid->type_len + uid->id_len;
    struct fb_slot *set = set_of(reading, uid);
    if (len > FB_SLOT_BYTES)
        return NULL;
    for (int way = 0; way < FB_WAYS; way++)
        if (holds(&set[way], reading->version, uid, len))
            return &set[way];
    return take_slot(reading, uid, len);
}

void fb_store_expect(const struct fb_store_reader *reader, const struct fb_uid *uid)
{
    const struct fb_slot *set = set_of(reader->reading, uid);
    if (!reader->reading->live) {
        __builtin_prefetch(set);
        __builtin_prefetch(set + 1);
        return;
    }
    for (int way = 0; way < FB_WAYS; way++) {
        if (set[way].hash != uid->hash || set[way].version != reader->reading->version)
            continue;
        const char *entity = (const char *)set[way].entity;
        for (size_t at = 0; at < 256 && entity != NULL; at += 64)
            __builtin_prefetch(entity + at);
        __builtin_prefetch(set[way].account);
        return;
    }
}

static enum fb_found get(const struct fb_store_reader *reader, enum fb_table table, const struct fb_uid *uid,
                         struct fb_span *row)
{
    struct fb_key key;
    MDB_val v;
    fb_key_make(&key, uid);
    MDB_val k = fb_key_val(&key);
    int code = mdb_get(reader->reading->txn, reader->env.tables[table], &k, &v);
    if (code != 0)
        return code == MDB_NOTFOUND ? FB_ABSENT : FB_BROKEN;
    *row = fb_val_span(v);
    return fb_aligned(row->ptr) ? FB_FOUND : FB_BROKEN;
}

/* A row of another uid: under a long key, which is a hash, that means that ours is not there; under
 * an exact one it is damage. */
static enum fb_found found_another(const struct fb_uid *uid)
{
    return (size_t)uid->type_len + uid->id_len + 2 > FB_KEY_MAX ? FB_ABSENT : FB_BROKEN;
}

static enum fb_found find_entity(const struct fb_store_reader *reader, const struct fb_uid *uid,
                                 struct fb_entity *entity, const struct fb_entity_block **block)
{
    struct fb_span row;
    enum fb_found found = get(reader, FB_TABLE_ENTITIES, uid, &row);
    if (found != FB_FOUND)
        return found;
    if (!fb_entity_check(row, false, entity))
        return FB_BROKEN;
    *block = (const void *)row.ptr;
    return fb_uid_eq(entity->uid, uid) ? FB_FOUND : found_another(uid);
}

static enum fb_found find(const void *self, const struct fb_uid *uid, struct fb_entity *entity)
{
    const struct fb_store_reader *reader = self;
    struct fb_reading *reading = reader->reading;
    if (!reading->live)
        return FB_BROKEN;
    struct fb_slot *slot = slot_of(reading, uid);
    if (slot != NULL && slot->entity_known) {
        if (slot->entity == NULL)
            return FB_ABSENT;
        fb_entity_open(slot->entity, entity);
        return FB_FOUND;
    }
    const struct fb_entity_block *block = NULL;
    enum fb_found found = find_entity(reader, uid, entity, &block);
    if (slot != NULL && found != FB_BROKEN) {
        slot->entity_known = true;
        slot->entity = found == FB_FOUND ? block : NULL;
    }
    return found;
}

struct fb_entities fb_store_entities(const struct fb_store_reader *reader)
{
    return (struct fb_entities){.find = find, .self = reader};
}

enum fb_found fb_store_exists(const struct fb_store_reader *reader, const struct fb_uid *uid)
{
    struct fb_entity entity;
    return find(reader, uid, &entity);
}

/* --- Accounts -------------------------------------------------------------------------------------------- */

static bool has_no_accounts(const struct fb_store_reader *reader)
{
    struct fb_reading *reading = reader->reading;
    MDB_stat stat;
    if (!reading->accounts_known) {
        reading->no_accounts = mdb_stat(reading->txn, reader->env.tables[FB_TABLE_ACCOUNTS], &stat) == 0
            && stat.ms_entries == 0;
        reading->accounts_known = true;
    }
    return reading->no_accounts;
}

static enum fb_found read_account(const struct fb_store_reader *reader, const struct fb_uid *uid,
                                  struct fb_account *account, const struct fb_account_row **row)
{
    struct fb_span bytes;
    enum fb_found found = get(reader, FB_TABLE_ACCOUNTS, uid, &bytes);
    if (found != FB_FOUND)
        return found;
    if (!fb_account_check(bytes, account))
        return FB_BROKEN;
    *row = (const void *)bytes.ptr;
    return fb_uid_eq(account->uid, uid) ? FB_FOUND : found_another(uid);
}

static enum fb_found find_account(const struct fb_store_reader *reader, const struct fb_uid *uid,
                                  struct fb_account *account)
{
    struct fb_slot *slot = slot_of(reader->reading, uid);
    if (slot != NULL && slot->account_known) {
        if (slot->account == NULL)
            return FB_ABSENT;
        fb_account_open(slot->account, account);
        return FB_FOUND;
    }
    const struct fb_account_row *row = NULL;
    enum fb_found found = read_account(reader, uid, account, &row);
    if (slot != NULL && found != FB_BROKEN) {
        slot->account_known = true;
        slot->account = found == FB_FOUND ? row : NULL;
    }
    return found;
}

enum fb_found fb_store_account(const struct fb_store_reader *reader, const struct fb_uid *uid,
                               struct fb_account *account)
{
    if (!reader->reading->live)
        return FB_BROKEN;
    enum fb_found found = has_no_accounts(reader) ? FB_ABSENT : find_account(reader, uid, account);
    if (found == FB_ABSENT)
        *account = (struct fb_account){.uid = uid, .state = FB_ACCOUNT_ACTIVE};
    return found;
}
