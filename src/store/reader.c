/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's view of a store that others change, move and break.
 *
 * Between looks a snapshot is a renewed transaction: 15 ns and no system call.  Each FB_STORE_LOOK_MS
 * the reader looks at the path: the file that is open must be the file that is there, and no shorter
 * than it was.  Whatever differs ends in the same way: the environment is closed, the answer is
 * "cannot decide", and each later look tries to open what is there then.  So one path of code serves
 * a store that is late, removed, replaced, cut, unreadable for a while, and restored. */
#include "store/reader.h"

#include <time.h>
#include <unistd.h>

uint64_t fb_store_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct fb_store_reader *fb_store_reader_new(const char *dir, const struct fb_store_reader_options *options)
{
    const struct fb_allocator *allocator = options->allocator != NULL ? options->allocator : &fb_heap;
    size_t len = strlen(dir), size = sizeof(struct fb_store_reader) + len + 1;
    struct fb_store_reader *reader = fb_alloc(allocator, size);
    struct fb_reading *reading = fb_alloc(allocator, sizeof *reading);
    void *room = fb_alloc(allocator, FB_SLOTS_ROOM);
    if (reader == NULL || reading == NULL || room == NULL) {
        fb_free(allocator, reader, size);
        fb_free(allocator, reading, sizeof *reading);
        fb_free(allocator, room, FB_SLOTS_ROOM);
        return NULL;
    }
    *reading = (struct fb_reading){.room = room, .slots = (void *)((char *)room + (-(uintptr_t)room & 63))};
    memset(reading->slots, 0, FB_SLOTS * sizeof *reading->slots);
    *reader = (struct fb_store_reader){.allocator = allocator, .reading = reading, .map = options->map,
                                       .crashes = options->crashes, .size = size};
    memcpy(reader->dir, dir, len + 1);
    (void)fb_store_fail(&reader->error, FB_STORE_GONE, "the store at %s is not open yet", reader->dir);
    return reader;
}

/* --- Young deaths ------------------------------------------------------------------------------------ */

/* Before mapping.  False: too many of our predecessors died young. */
static bool count_birth(struct fb_store_reader *reader)
{
    if (reader->crashes == NULL)
        return true;
    if (atomic_fetch_add(reader->crashes, 1) >= FB_STORE_CRASHES) {
        atomic_fetch_sub(reader->crashes, 1);
        return false;
    }
    reader->young = true;
    return true;
}

static void come_of_age(struct fb_store_reader *reader)
{
    if (reader->young)
        atomic_store(reader->crashes, 0);
    reader->young = false;
}

/* --- Opening and closing ------------------------------------------------------------------------------- */

static void close_env(struct fb_store_reader *reader)
{
    struct fb_reading *reading = reader->reading;
    /* What a fork carried here is forgotten and stays mapped: to end its transaction would free the
     * slot of the parent, whose pages could then be overwritten while it reads them. */
    bool ours = reader->pid == getpid();
    if (reading->back != NULL && ours)
        mdb_cursor_close(reading->back);
    if (reading->txn != NULL && ours)
        mdb_txn_abort(reading->txn);
    reading->txn = NULL;
    reading->back = NULL;
    reading->live = false;
    /* Another store may have come to the same version by other changes. */
    memset(reading->slots, 0, FB_SLOTS * sizeof *reading->slots);
    reading->accounts_known = false;
    reading->version = 0;
    if (ours)
        fb_env_close(&reader->env);
    reader->env.env = NULL;
}

void fb_store_reader_free(struct fb_store_reader *reader)
{
    if (reader == NULL)
        return;
    const struct fb_allocator *allocator = reader->allocator;
    close_env(reader);
    come_of_age(reader);
    fb_free(allocator, reader->reading->room, FB_SLOTS_ROOM);
    fb_free(allocator, reader->reading, sizeof *reader->reading);
    fb_free(allocator, reader, reader->size);
}

bool fb_store_reader_is(const struct fb_store_reader *reader, const char *dir)
{
    struct stat mine, other;
    if (strcmp(reader->dir, dir) == 0)
        return true;
    return stat(reader->dir, &mine) == 0 && stat(dir, &other) == 0
        && mine.st_dev == other.st_dev && mine.st_ino == other.st_ino;
}

static void open_env(struct fb_store_reader *reader, uint64_t now)
{
    const struct fb_store_options options = {.map = reader->map};
    struct fb_reading *reading = reader->reading;
    /* A path that has nothing to map costs no birth: else a store that is merely late would close
     * the worker. */
    if (fb_file_probe(reader->dir, &reader->error) != FB_STORE_OK)
        return;
    if (reader->watched_closed && now - reader->opened_at < FB_STORE_RETRY_MS)
        return;
    if (reader->watched_closed) {       /* one more try: leave room for it, and for it alone */
        reader->watched_closed = false;
        atomic_store(reader->crashes, FB_STORE_CRASHES - 1);
    }
    reader->opened_at = now;
    if (!count_birth(reader)) {
        reader->watched_closed = true;
        (void)fb_store_fail(&reader->error, FB_STORE_CLOSED, "workers died %u times of mapping the store at %s, so it "
                            "is not mapped; the next try is in %u seconds", FB_STORE_CRASHES, reader->dir,
                            FB_STORE_RETRY_MS / 1000);
        return;
    }
    if (fb_env_open(&reader->env, reader->dir, &options, &reader->error) != FB_STORE_OK)
        return;
    int code = mdb_txn_begin(reader->env.env, NULL, MDB_RDONLY, &reading->txn);
    if (code != 0) {
        reading->txn = NULL;
        (void)fb_store_fail_code(&reader->error, code, "read the store");
        fb_env_close(&reader->env);
        return;
    }
    mdb_txn_reset(reading->txn);
    reader->pid = getpid();
    reader->openings++;
    reader->short_once = false;
    reader->error = (struct fb_store_error){0};
}

/* --- The look --------------------------------------------------------------------------------------------- */

/* LMDB extends its file when it writes pages, which may be a moment after a head names them, and our
 * writers settle the length after each commit.  So short by its pages is judged at the second look,
 * and shorter than it was at the first. */
static bool is_cut(struct fb_store_reader *reader, const struct fb_file *data)
{
    MDB_envinfo info;
    MDB_stat stat;
    if (data->size < reader->env.data.size)
        return true;
    reader->env.data.size = data->size;
    if (mdb_env_info(reader->env.env, &info) != 0 || mdb_env_stat(reader->env.env, &stat) != 0)
        return true;
    bool is_short = (uint64_t)data->size / stat.ms_psize < info.me_last_pgno + 1;
    bool cut = is_short && reader->short_once;
    reader->short_once = is_short;
    return cut;
}

static const char *what_happened(struct fb_store_reader *reader)
{
    const struct fb_env *env = &reader->env;
    struct fb_file data, lock;
    if (reader->pid != getpid())
        return "was opened before the fork";
    if (fb_file_stat(reader->dir, "data.mdb", &data) != 0)
        return "was removed";
    if (data.dev != env->data.dev || data.ino != env->data.ino)
        return "was replaced";
    if (is_cut(reader, &data))
        return "was cut short";
    /* With another lock file writers would not see our slot, and reuse the pages that we read. */
    if (fb_file_stat(reader->dir, "lock.mdb", &lock) != 0)
        return "lost its lock file";
    if (lock.dev != env->lock.dev || lock.ino != env->lock.ino || lock.size < env->lock.size)
        return "has another lock file";
    return NULL;
}

static void look(struct fb_store_reader *reader, uint64_t now)
{
    reader->looked = true;
    reader->looked_at = now;
    if (reader->env.env != NULL) {
        const char *happened = what_happened(reader);
        if (happened == NULL) {
            if (now - reader->opened_at >= FB_STORE_CALM_MS)
                come_of_age(reader);
            return;
        }
        (void)fb_store_fail(&reader->error, FB_STORE_GONE, "the store at %s %s", reader->dir, happened);
        close_env(reader);
        /* That it went is no crash; what comes in its place is counted anew. */
        come_of_age(reader);
    }
    open_env(reader, now);
}

/* --- Snapshots ---------------------------------------------------------------------------------------------- */

enum fb_store_status fb_store_snapshot(struct fb_store_reader *reader, uint64_t now)
{
    struct fb_reading *reading = reader->reading;
    if (reading->live)
        return FB_STORE_OK;
    if (!reader->looked || now - reader->looked_at >= FB_STORE_LOOK_MS)
        look(reader, now);
    if (reader->env.env == NULL)
        return reader->error.status;
    int code = mdb_txn_renew(reading->txn);
    if (code != 0) {        /* grown beyond our map, or worse: open it anew at the next look */
        (void)fb_store_fail_code(&reader->error, code, "read the store");
        close_env(reader);
        return reader->error.status;
    }
    reading->live = true;
    uint64_t version = mdb_txn_id(reading->txn) + 1;    /* never the 0 of an empty slot */
    if (version != reading->version) {
        reading->version = version;
        reading->accounts_known = false;
    }
    return FB_STORE_OK;
}

void fb_store_release(struct fb_store_reader *reader)
{
    if (reader->reading->live)
        mdb_txn_reset(reader->reading->txn);
    reader->reading->live = false;
}

void fb_store_reader_state(const struct fb_store_reader *reader, struct fb_store_state *state)
{
    bool open = reader->env.env != NULL;
    *state = (struct fb_store_state){.status = open ? FB_STORE_OK : reader->error.status,
                                     .text = open ? "" : reader->error.text, .openings = reader->openings};
    if (reader->reading->version != 0)      /* 0: no snapshot yet of what is open */
        state->revision = reader->reading->version - 1;
    memcpy(state->identity, reader->env.meta.identity, sizeof state->identity);
}
