/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_STORE_STORE_H
#define FB_STORE_STORE_H

#include "entity/entity.h"

#include <sys/types.h>

/* store: entities and accounts at rest, shared by every process of one machine.  The door of
 * src/store/, and the only part that knows LMDB (none of its words appear here).
 *
 * A store is a directory, DIR:
 *
 *      DIR            02750  setgid: what is made in it belongs to the workers' group
 *      DIR/data.mdb   0640   the rows; workers map it read-only
 *      DIR/lock.mdb   0660   who reads which version; a reader too must write its slot here, so this
 *                            one file, and nothing else, is writable by the workers' group.  A worker
 *                            that is taken over thus cannot lift a suspension.
 *
 * Readers never wait: they see the version of the last commit when their snapshot was taken.
 * Writers take turns and should hold their turn for milliseconds (fb_store_import makes batches).
 *
 * Hard rules of the thing below: a process has a store open at most once (fb_store_reader_is()); it
 * is opened after the fork, never carried through one; all processes that share it live in one pid
 * namespace, on a local file system. */

enum fb_store_status {
#define FB_STORE_STATUS(symbol, code) FB_STORE_##symbol,
#include "store/statuses.def"
#undef FB_STORE_STATUS
    FB_STORE_STATUSES
};
extern const char *const fb_store_codes[FB_STORE_STATUSES];

struct fb_store_error {
    enum fb_store_status status;
    char text[1024];            /* one sentence for an operator, no newline; empty if OK */
};

#define FB_STORE_MAP ((size_t)64 << 30)     /* address space, not memory nor disk */
#define FB_STORE_LOOK_MS 50u                /* between two looks at the path */
#define FB_STORE_CRASHES 3u                 /* young deaths after which a worker starts closed */
#define FB_STORE_CALM_MS 1000u              /* a map older than this is no longer young */
#define FB_STORE_RETRY_MS 10000u            /* a closed reader tries again after this */
#define FB_STORE_TURN_MS 250u               /* an import's batch ends when it has lasted longer */
#define FB_STORE_PARENTS_MAX 10000u         /* direct parents of one entity */
#define FB_STORE_ANCESTORS_MAX 20000u       /* all ancestors of one entity */
#define FB_STORE_REWRITES_MAX 100000u       /* groups whose ancestors one move may change */
#define FB_STORE_REASON_MAX 1000u           /* bytes of an account's reason, and of the actor */

/* --- Accounts ------------------------------------------------------------------------------------
 * A table of its own, for principals of every type.  An account that has no row is active.  A row
 * outlives its entity, and `deleted` is a row too (a tombstone): adding the entity again does not
 * bring the account back, only `add` does. */
enum fb_account_state {
#define FB_ACCOUNT_STATE(symbol, name) FB_ACCOUNT_##symbol,
#include "store/states.def"
#undef FB_ACCOUNT_STATE
    FB_ACCOUNT_STATES
};
extern const char *const fb_account_state_names[FB_ACCOUNT_STATES];

struct fb_account {
    const struct fb_uid *uid;
    enum fb_account_state state;
    int64_t changed_at;                     /* milliseconds since 1970 */
    struct fb_span reason, changed_by;      /* perhaps empty */
};

/* --- Reading while serving -----------------------------------------------------------------------
 * One reader a worker and store.  Per decision: fb_store_snapshot(), finds, fb_store_release(); a
 * snapshot must not be held across a wait, or writers cannot reuse space.  One thread. */
struct fb_store_reader;

struct fb_store_reader_options {
    const struct fb_allocator *allocator;   /* NULL: fb_heap */
    size_t map;                             /* 0: FB_STORE_MAP */
    /* In memory that outlives this process (or NULL): how often in a row this worker died while its
     * map was young.  Each worker slot needs a counter of its own, found again by the worker that
     * takes the slot over.  Corruption can kill a process that maps the file (an abort, a bus
     * error); so the reader adds one before it maps and sets zero when the map is FB_STORE_CALM_MS
     * old or closed in order; a worker that finds FB_STORE_CRASHES here answers CLOSED without
     * mapping, and tries once every FB_STORE_RETRY_MS. */
    _Atomic uint32_t *crashes;
};

/* Opens nothing yet (that happens at the first snapshot, so a store may appear later).  `dir` is
 * copied.  NULL without memory. */
struct fb_store_reader *fb_store_reader_new(const char *dir, const struct fb_store_reader_options *options);
void fb_store_reader_free(struct fb_store_reader *reader);
/* Is `dir` this reader's directory (by any path)?  Then share the reader instead of a second one. */
bool fb_store_reader_is(const struct fb_store_reader *reader, const char *dir);

/* Takes a snapshot; the last commit is visible.  OK, or why there is none: the caller must then
 * refuse (503).  `now` is any monotonic clock in milliseconds, say fb_store_clock(); when
 * FB_STORE_LOOK_MS have passed since the last look, the path is compared with the open file:
 * removed, replaced or cut short → closed, GONE, until a sound store is found at a later look.
 * 15 ns between looks.  With a snapshot taken already: OK, nothing happens. */
enum fb_store_status fb_store_snapshot(struct fb_store_reader *reader, uint64_t now);
/* Ends the snapshot and all pointers into it.  Without one: nothing. */
void fb_store_release(struct fb_store_reader *reader);
/* Milliseconds of CLOCK_MONOTONIC_COARSE. */
uint64_t fb_store_clock(void);

/* The rows, in place.  Valid as long as the reader; finds need a snapshot (else FB_BROKEN).  A row
 * with a bad checksum is FB_BROKEN and stays so. */
struct fb_entities fb_store_entities(const struct fb_store_reader *reader);
enum fb_found fb_store_exists(const struct fb_store_reader *reader, const struct fb_uid *uid);
/* The entity, or where there is none one that lies beside it: FB_ABSENT, and *entity is another of its type, or has
 * no uid where the store has none.  For who must not tell which: either way it costs the same steps (short of what
 * the disk takes), past the cache that finds use.  FB_BROKEN only for the one that is asked for. */
enum fb_found fb_store_near(const struct fb_store_reader *reader, const struct fb_uid *uid, struct fb_entity *entity);
/* This uid will be asked for: fetches towards the processor what a find of it will read.  Before the
 * snapshot where its row is known to lie, with one the row.  Promises nothing. */
void fb_store_expect(const struct fb_store_reader *reader, const struct fb_uid *uid);
/* FB_FOUND fills *account; FB_ABSENT: no row, so active, and *account says so; FB_BROKEN: unknown,
 * which must refuse.  Points into the snapshot. */
enum fb_found fb_store_account(const struct fb_store_reader *reader, const struct fb_uid *uid,
                               struct fb_account *account);

struct fb_store_state {
    enum fb_store_status status;
    const char *text;                       /* why it is not OK, or "" */
    uint64_t revision;                      /* of the last snapshot, or 0; grows by one with each commit */
    uint32_t openings;                      /* grows at each (re)opening: for a log line */
    uint8_t identity[16];                   /* of the store, random */
};
void fb_store_reader_state(const struct fb_store_reader *reader, struct fb_store_state *state);

/* --- Lists ----------------------------------------------------------------------------------------
 * In order of type and id (ids that are longer than some 490 bytes last). */
struct fb_store_list {
    struct fb_span type;                    /* empty: all */
    struct fb_span prefix;                  /* of the id; needs a type */
    const struct fb_uid *after;             /* begin behind this one, there or not, for paging; or NULL */
    size_t limit;                           /* 0: no limit */
};
/* The entities of the reader's snapshot, from each of which finds are fine; until `each` says false. */
enum fb_store_status fb_store_reader_list(const struct fb_store_reader *reader, const struct fb_store_list *list,
                                          bool (*each)(void *context, const struct fb_entity *entity), void *context,
                                          struct fb_store_error *error);
/* That order. */
int fb_store_order(const struct fb_uid *a, const struct fb_uid *b);

/* --- The way back ---------------------------------------------------------------------------------
 * A store keeps who *mentions* whom: as a direct parent, as an attribute, or in a set that is one.  So a list
 * need not look at every entity of a type (docs/lists.md).  Each mention is a row, written only when it
 * comes or goes; an attribute with more than FB_STORE_MENTIONS_MAX entities in its set takes a single row, and its
 * entity is then found for whomever one asks.  Stores of an older forbid have none of this (nor those
 * that were made `plain`) until fb_store_index() adds it.
 * All of these need a snapshot, in which the uids that they make stay good for as long as the arena. */
#define FB_STORE_PARENT UINT64_C(0)         /* in place of the symbol (fb_hash) of an attribute's name */
#define FB_STORE_MENTIONS_MAX 1000u
bool fb_store_reader_indexed(const struct fb_store_reader *reader);
/* The first of the type behind `after` (or NULL), in the order of lists, that mentions `of` in the attribute;
 * perhaps one that does not.  *next NULL: none.  False: memory, or a damaged row. */
bool fb_store_reader_next(const struct fb_store_reader *reader, uint64_t symbol, const struct fb_uid *of,
                          struct fb_span type, const struct fb_uid *after, struct fb_arena *arena,
                          const struct fb_uid **next);
/* How many there are, of whatever type; about. */
uint64_t fb_store_reader_mentions(const struct fb_store_reader *reader, uint64_t symbol, const struct fb_uid *of);
/* The children of `group` that have children of their own, in order, until `each` says false. */
bool fb_store_reader_groups(const struct fb_store_reader *reader, const struct fb_uid *group, struct fb_arena *arena,
                            bool (*each)(void *context, const struct fb_uid *group), void *context);

/* --- Tools and writers ----------------------------------------------------------------------------
 * For the command and the agent.  Blocks while another process writes.  One thread. */
struct fb_store;

struct fb_store_options {
    const struct fb_allocator *allocator;   /* NULL: fb_heap */
    size_t map;                             /* 0: FB_STORE_MAP */
    bool write;                             /* else nothing can be changed */
    bool create;                            /* make it where there is none (needs `write`) */
    bool set_group;                         /* a new store's group: `group`; else its directory's */
    gid_t group;
    bool unsafe;                            /* no fsync at each commit: for loads that can be repeated */
    bool plain;                             /* a new store without mentions (below) */
};

/* Makes a store: EXISTS if there is one.  DIR may exist, without a data file. */
enum fb_store_status fb_store_create(const char *dir, const struct fb_store_options *options,
                                     struct fb_store_error *error);
/* NULL on failure.  `error` may be NULL here and below. */
struct fb_store *fb_store_open(const char *dir, const struct fb_store_options *options, struct fb_store_error *error);
/* Drops an unfinished transaction. */
void fb_store_close(struct fb_store *store);

struct fb_store_info {
    uint8_t identity[16];
    int64_t created_at;                     /* milliseconds since 1970 */
    uint64_t revision, entities, accounts;
    bool indexed;                           /* keeps mentions, and all of them */
    uint64_t used, map;                     /* bytes */
};
enum fb_store_status fb_store_info(struct fb_store *store, struct fb_store_info *info, struct fb_store_error *error);

/* Changes are made one by one, each a transaction of its own; or several, all or none, between
 * begin and commit.  There, after any failure only abort remains (commit aborts and says FAILED). */
enum fb_store_status fb_store_begin(struct fb_store *store, struct fb_store_error *error);
enum fb_store_status fb_store_commit(struct fb_store *store, struct fb_store_error *error);
void fb_store_abort(struct fb_store *store);

/* Adds or replaces an entity; of `parts` uid, attrs, tags and parents count, the store works out
 * the ancestors.  Parents need not exist.  A cycle is refused, and named.
 * Leaves keep direct parents only; an entity that has children keeps all its ancestors, so that
 * moving a group rewrites the groups below it but not their members.  An entity with an ancestor
 * that the store does not hold stays open, for another source to answer. */
enum fb_store_status fb_store_put(struct fb_store *store, const struct fb_entity_parts *parts,
                                  struct fb_store_error *error);
enum fb_store_status fb_store_put_entity(struct fb_store *store, const struct fb_entity *entity,
                                         struct fb_store_error *error);
/* ABSENT if it is not there.  Children keep their parent; the account's row stays. */
enum fb_store_status fb_store_delete(struct fb_store *store, const struct fb_uid *uid, struct fb_store_error *error);

struct fb_store_import {
    /* The next entity, valid until the next call; false: no more. */
    bool (*next)(void *context, struct fb_entity *entity);
    void (*progress)(void *context, size_t done);   /* after each batch; or NULL */
    void *context;
    size_t batch;                           /* entities a transaction at most; 0: 1000 */
};
/* Puts them in batches: each is all or none, and other writers get their turn between two.  On a
 * failure *done entities are in, those of the failing batch are not. */
enum fb_store_status fb_store_import(struct fb_store *store, const struct fb_store_import *import, size_t *done,
                                     struct fb_store_error *error);

/* Gives the store what it lacks of its mentions, in batches as an import does: writers get their turn,
 * lists do without until it is whole.  Stopped half way, it can be called again.  OK if nothing is lacking.
 * A process with an older forbid that writes at the same time must be stopped before. */
enum fb_store_status fb_store_index(struct fb_store *store, void (*progress)(void *context, size_t done), void *context,
                                    struct fb_store_error *error);

/* The steps of an account's life:
 *
 *              no row    active     suspended  disabled   deleted
 *   add        active    –          REFUSED    REFUSED    active
 *   suspend    suspended suspended  suspended  suspended  REFUSED
 *   restore    –         –          active     active     REFUSED
 *   disable    disabled  disabled   disabled   disabled   REFUSED
 *   delete     deleted   deleted    deleted    deleted    –            (–: nothing to do, OK) */
enum fb_account_step { FB_ACCOUNT_ADD, FB_ACCOUNT_SUSPEND, FB_ACCOUNT_RESTORE, FB_ACCOUNT_DISABLE, FB_ACCOUNT_DELETE };

struct fb_account_change {
    enum fb_account_step step;
    const struct fb_uid *uid;
    struct fb_span reason, by;              /* at most FB_STORE_REASON_MAX bytes each */
    int64_t at;                             /* milliseconds since 1970 */
};
/* *changed: whether a row was written. */
enum fb_store_status fb_store_change_account(struct fb_store *store, const struct fb_account_change *change,
                                             bool *changed, struct fb_store_error *error);

/* What is found is valid until the next call on this store. */
enum fb_found fb_store_find(struct fb_store *store, const struct fb_uid *uid, struct fb_entity *entity);
enum fb_found fb_store_find_account(struct fb_store *store, const struct fb_uid *uid, struct fb_account *account);

/* Calls back for each until it says false.  No change to the store meanwhile. */
enum fb_store_status fb_store_list_entities(struct fb_store *store, const struct fb_store_list *list,
                                            bool (*each)(void *context, const struct fb_entity *entity),
                                            void *context, struct fb_store_error *error);
enum fb_store_status fb_store_list_accounts(struct fb_store *store, const struct fb_store_list *list,
                                            bool (*each)(void *context, const struct fb_account *account),
                                            void *context, struct fb_store_error *error);

#endif
