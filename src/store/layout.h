/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_STORE_LAYOUT_H
#define FB_STORE_LAYOUT_H

#include "store/store.h"

#include <lmdb.h>
#include <sys/stat.h>

/* What lies in a store, and the open environment.  Private to src/store/.
 *
 *   table      key          value
 *   meta       "store"      struct fb_meta
 *   entities   uid's key    struct fb_entity_block
 *   accounts   uid's key    struct fb_account_row
 *   groups     uid's key    uint64_t: how many entities have it as a direct parent; never 0.
 *                           An entity with a row here is *inner*, else it is a leaf
 *   inner      uid's key    the keys of its inner children, sorted (several values a key): the way
 *                           down, for when a group moves.  Leaves are not in it
 *   mentions   fb_mention   the keys of the entities that mention a uid as a parent or in an attribute,
 *                           sorted (several values a key): the way back, for lists.  In stores of
 *                           format 2; the row "mentions" of meta, a uint64_t,
 *                           says whether it is whole
 *
 * Alignment.  Rows are read where they lie, and want 8.  LMDB packs the nodes of a leaf page from
 * the page's end downwards, each 8 bytes of header, key, value; large values get pages of their own
 * behind a header of 16.  So when all keys and values of a table have lengths that are multiples of
 * 8, all values are 8-aligned; tests/store/test_alignment.c holds us (and LMDB) to it, and readers
 * take a row that is not aligned for a broken one. */
enum fb_table { FB_TABLE_META, FB_TABLE_ENTITIES, FB_TABLE_ACCOUNTS, FB_TABLE_GROUPS, FB_TABLE_INNER, FB_TABLE_MENTIONS, FB_TABLES };

/* --- Keys ----------------------------------------------------------------------------------------
 * A uid's key is its type, a NUL, its id, and 1 to 8 bytes of padding to a multiple of 8, each with
 * the number of padding bytes as its value: unambiguous, and in an order that people expect.  Uids
 * too long for that get 8 bytes of 0xff (no type begins so), then two hashes; such a row must be
 * confirmed by the uid in it. */
#define FB_KEY_MAX 504u     /* LMDB's 511, down to a multiple of 8 */
struct fb_key {
    size_t len;
    _Alignas(8) char bytes[FB_KEY_MAX];
};
void fb_key_make(struct fb_key *key, const struct fb_uid *uid);
bool fb_key_is_long(struct fb_span key);

static inline MDB_val fb_val(const void *bytes, size_t len)
{
    /* LMDB's struct has no const; what we give it is never written to. */
    union { const void *from; void *to; } pointer = {.from = bytes};
    return (MDB_val){.mv_size = len, .mv_data = pointer.to};
}

static inline MDB_val fb_key_val(const struct fb_key *key)
{
    return fb_val(key->bytes, key->len);
}

static inline struct fb_span fb_val_span(MDB_val value)
{
    return fb_span(value.mv_data, value.mv_size);
}

/* --- Rows ---------------------------------------------------------------------------------------- */
#define FB_META_MAGIC 0x31534246u       /* "FBS1" */
#define FB_META_PLAIN 1u                /* without mentions: older, or made so */
#define FB_META_VERSION 2u
struct fb_meta {
    uint32_t magic, version;
    uint8_t identity[16];
    int64_t created_at;
    uint64_t golden;                    /* fb_hash("forbid"): a build with another hash must not read this */
};
uint64_t fb_meta_golden(void);

/* Who mentions whom: by fb_hash of the attribute's name, FB_STORE_PARENT for parents; and by the uid's
 * hash.  Neither is confirmed, so there may be others among those found, never too few. */
struct fb_mention {
    uint64_t symbol, hash;
};
#define FB_MENTION_ANYBODY UINT64_C(0)  /* the hash for a set too large to be entered one by one */

#define FB_ACCOUNT_MAGIC 0x31414246u    /* "FBA1" */
struct fb_account_row {
    uint32_t magic, length;             /* length: of the whole row, a multiple of 8 */
    uint64_t checksum;                  /* fb_hash of the bytes behind this field */
    int64_t changed_at;
    uint32_t state;
    uint32_t reason_len, by_len, reserved;
    /* then the struct fb_uid, the reason, the actor, zeroes to 8 */
};
/* Encodes into the arena; NULL without memory. */
const struct fb_account_row *fb_account_encode(struct fb_arena *arena, const struct fb_account *account);
/* Checks everything; false: corrupt. */
bool fb_account_check(struct fb_span bytes, struct fb_account *account);
/* Opens a row that was checked in this snapshot. */
void fb_account_open(const struct fb_account_row *row, struct fb_account *account);

static inline bool fb_aligned(const void *pointer)
{
    return ((uintptr_t)pointer & 7u) == 0;
}

/* --- The files, looked at from outside -------------------------------------------------------------
 * LMDB trusts its file: garbage can make it abort, and a file shorter than its pages is a bus error.
 * So the file is judged before it is mapped. */
struct fb_file {
    dev_t dev;
    ino_t ino;
    off_t size;
};
/* Is `dir`/data.mdb a plain file with two sound heads, as long as they say? */
enum fb_store_status fb_file_probe(const char *dir, struct fb_store_error *error);
/* 0 and the facts of dir/name if that is a plain file, else an errno. */
int fb_file_stat(const char *dir, const char *name, struct fb_file *file);
bool fb_file_path(char path[4096], const char *dir, const char *name);

/* --- The environment -------------------------------------------------------------------------------- */
struct fb_env {
    MDB_env *env;                       /* NULL: not open */
    MDB_dbi tables[FB_TABLES];
    struct fb_file data, lock;          /* as they were when last looked at */
    struct fb_meta meta;
};
/* Opens for reading or (options->write) for writing, without creating anything. */
enum fb_store_status fb_env_open(struct fb_env *env, const char *dir, const struct fb_store_options *options,
                                 struct fb_store_error *error);
/* Reads the record again at the start of a write: another process may have given the store a table of
 * mentions, which then must be kept.  *changed: it has, and the table is open from the next transaction on. */
enum fb_store_status fb_env_recheck(struct fb_env *env, MDB_txn *txn, bool *changed, struct fb_store_error *error);
/* Opens the tables that are there. */
enum fb_store_status fb_env_open_tables(struct fb_env *env, const char *dir, struct fb_store_error *error);
/* Rewrites the record to say format 2, with an empty table. */
enum fb_store_status fb_env_add_mentions(struct fb_env *env, MDB_txn *txn, struct fb_store_error *error);
/* What the record says of the table: FB_MARK_NONE, it lacks rows; FB_MARK_WHOLE; else the number of who is writing
 * many and has some of them in memory yet. */
#define FB_MARK_NONE UINT64_C(0)
#define FB_MARK_WHOLE UINT64_C(1)
uint64_t fb_env_mark(const struct fb_env *env, MDB_txn *txn);
enum fb_store_status fb_env_set_mark(const struct fb_env *env, MDB_txn *txn, uint64_t mark, struct fb_store_error *error);
/* Makes the directory, the files, the tables and the meta record, and leaves it closed. */
enum fb_store_status fb_env_create(const char *dir, const struct fb_store_options *options,
                                   struct fb_store_error *error);
/* All transactions must be over. */
void fb_env_close(struct fb_env *env);
/* After a commit: makes the file as long as its last page.  LMDB leaves pages that were taken and
 * freed again at the end unwritten, and a file that is too short looks cut. */
void fb_env_settle(const struct fb_env *env);

/* --- Errors ------------------------------------------------------------------------------------------ */
/* Fills *error (may be NULL) and returns the status. */
enum fb_store_status fb_store_fail(struct fb_store_error *error, enum fb_store_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* From what LMDB or the system returned while `doing` ("open the store /x"). */
enum fb_store_status fb_store_fail_code(struct fb_store_error *error, int code, const char *doing);
/* DENIED, with who we are, what the directory and its files allow, and what would help. */
enum fb_store_status fb_store_fail_denied(struct fb_store_error *error, const char *dir, bool write);

/* --- An open store: what the files of the writer share -------------------------------------------------- */
struct fb_store {
    const struct fb_allocator *allocator;
    char *dir;
    size_t dir_size;
    struct fb_store_options options;
    struct fb_env env;
    MDB_txn *txn;                       /* the write transaction, or NULL */
    MDB_txn *snapshot;                  /* a read transaction for finds and lists, perhaps reset */
    bool reading;                       /* `snapshot` is live */
    bool explicit;                      /* txn is the caller's own begin … commit */
    bool poisoned;                      /* something failed in it */
    struct fb_pending *pending;         /* mentions to be written later; NULL: at once */
    struct fb_arena arena;              /* of one operation */
};
/* The transaction to read by: the write transaction or a fresh snapshot; NULL on failure. */
MDB_txn *fb_store_read(struct fb_store *store, struct fb_store_error *error);

/* Around each operation that writes: takes the transaction (the caller's, or one of its own), and ends
 * it by the operation's status. */
enum fb_store_status fb_store_enter(struct fb_store *store, struct fb_store_error *error);
enum fb_store_status fb_store_leave(struct fb_store *store, enum fb_store_status status, struct fb_store_error *error);

/* --- Keys in lists (list.c) ------------------------------------------------------------------------------ */
/* The first key that can be wanted: behind `after`, else the type and the prefix. */
void fb_list_first_key(const struct fb_store_list *list, struct fb_key *key);
/* Is the key behind all that are wanted, save the long ones? */
bool fb_list_past(const struct fb_store_list *list, struct fb_span key);
extern const struct fb_span fb_list_first_long;

/* --- Mentions (mentions.c); in the write transaction, memory from store->arena ---------------------------- */
struct fb_uids;
struct fb_mentions {
    struct fb_mention *list;            /* sorted, none twice */
    size_t count, capacity;
};
bool fb_mentions_of(struct fb_mentions *mentions, struct fb_arena *arena, const struct fb_record *attrs,
                    const struct fb_uids *parents);
/* `uid` mentions `now` where it mentioned `old`: only the difference is written. */
enum fb_store_status fb_mentions_change(struct fb_store *store, const struct fb_uid *uid,
                                        const struct fb_mentions *old, const struct fb_mentions *now,
                                        struct fb_store_error *error);

/* A row that is there already is fine. */
enum fb_store_status fb_mention_enter(struct fb_store *store, const struct fb_mention *mention, struct fb_span key,
                                      struct fb_store_error *error);

/* --- Many mentions (bulk.c) ------------------------------------------------------------------------------- */
struct fb_pending;
struct fb_pending *fb_pending_new(const struct fb_allocator *allocator);
void fb_pending_free(const struct fb_allocator *allocator, struct fb_pending *pending);
/* False: no room; it must be written at once. */
bool fb_pending_add(struct fb_pending *pending, const struct fb_mention *mention, const struct fb_key *key);
bool fb_pending_is_full(const struct fb_pending *pending);      /* nearly: time to write */
size_t fb_pending_count(const struct fb_pending *pending);
/* One of them may not be so any more. */
void fb_pending_doubt(struct fb_pending *pending);
/* Back to so many: what came since was of a transaction that is void. */
void fb_pending_cut(struct fb_pending *pending, size_t count);
/* fb_store_begin() and fb_store_commit() while there are pending ones. */
enum fb_store_status fb_pending_begin(struct fb_store *store, struct fb_pending *pending, struct fb_store_error *error);
enum fb_store_status fb_pending_commit(struct fb_store *store, struct fb_pending *pending, struct fb_store_error *error);
/* Of a transaction that has only read, unless there was no room: what commits nothing takes no number. */
enum fb_store_status fb_pending_end(struct fb_store *store, struct fb_pending *pending, struct fb_store_error *error);
/* In the transaction: sets a mark of our own; is it still there? */
enum fb_store_status fb_pending_mark(struct fb_store *store, struct fb_pending *pending, struct fb_store_error *error);
bool fb_pending_is_marked(const struct fb_store *store, const struct fb_pending *pending);
/* Writes them all, in transactions of its own, others getting their turn; `whole`: and then the table is.  Nothing
 * if the mark is no longer ours. */
enum fb_store_status fb_pending_write(struct fb_store *store, struct fb_pending *pending, bool whole,
                                      struct fb_store_error *error);

/* --- The hierarchy (tree.c); in the write transaction, memory from store->arena ---------------------------- */
struct fb_uids {
    const struct fb_uid **list;
    size_t count, capacity;
};
bool fb_uids_add(struct fb_uids *uids, struct fb_arena *arena, const struct fb_uid *uid);
bool fb_uids_contain(const struct fb_uids *uids, const struct fb_uid *uid);    /* sorted */
/* Sorts and removes repetitions. */
void fb_uids_sort(struct fb_uids *uids);
/* The entity's row copied into the arena: FOUND, ABSENT; BROKEN also without memory. */
enum fb_found fb_row_copy(struct fb_store *store, struct fb_span key, struct fb_entity *entity);
bool fb_uids_of_refs(struct fb_uids *uids, struct fb_arena *arena, struct fb_refs refs);

/* All ancestors by the direct parents given; CYCLE (named) if `uid` is among them.  *whole: the
 * store holds them all, so the entity may be closed. */
enum fb_store_status fb_tree_close(struct fb_store *store, const struct fb_uid *uid, const struct fb_uids *parents,
                                   struct fb_uids *ancestors, bool *whole, struct fb_store_error *error);
/* Has it children? */
enum fb_store_status fb_tree_is_inner(struct fb_store *store, const struct fb_uid *uid, bool *inner,
                                      struct fb_store_error *error);
/* `child` gains or loses a parent: counts, and the parent's becoming inner or a leaf. */
enum fb_store_status fb_tree_link(struct fb_store *store, const struct fb_uid *parent, struct fb_store_error *error);
enum fb_store_status fb_tree_unlink(struct fb_store *store, const struct fb_uid *parent, struct fb_store_error *error);
/* The way down: parent → inner child. */
enum fb_store_status fb_tree_index(struct fb_store *store, const struct fb_uid *parent, const struct fb_uid *child,
                                   bool add, struct fb_store_error *error);
/* Closes again every inner descendant of `uid`, which has moved, come or gone. */
enum fb_store_status fb_tree_rewrite_below(struct fb_store *store, const struct fb_uid *uid,
                                           struct fb_store_error *error);
/* Writes the row of `entity` with the parents given; closed if `ancestors` is not NULL. */
enum fb_store_status fb_row_write(struct fb_store *store, const struct fb_entity_parts *parts,
                                  const struct fb_uids *parents, const struct fb_uids *ancestors,
                                  struct fb_store_error *error);

#endif
