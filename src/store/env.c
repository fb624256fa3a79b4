/* SPDX-License-Identifier: Apache-2.0 */
/* One open environment: made, opened, recognised, closed.
 *
 * Everything that LMDB is told, and why: MDB_NOTLS, so that a reader's slot belongs to its
 * transaction and not to a thread; MDB_NORDAHEAD once the file is larger than what one wants read
 * ahead of random lookups; 1024 readers, since a reload of a server doubles its workers for a while;
 * a check for slots of dead processes at each opening, since those would keep old pages alive. */
#include "store/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { READERS_MAX = 1024, DIR_MODE = 02750, DATA_MODE = 0640, LOCK_MODE = 0660 };
static const off_t read_ahead_below = (off_t)1 << 30;

static const struct { const char *name; unsigned flags; } tables[FB_TABLES] = {
    [FB_TABLE_META] = {"meta", 0},
    [FB_TABLE_ENTITIES] = {"entities", 0},
    [FB_TABLE_ACCOUNTS] = {"accounts", 0},
    [FB_TABLE_GROUPS] = {"groups", 0},
    [FB_TABLE_INNER] = {"inner", MDB_DUPSORT},
    [FB_TABLE_MENTIONS] = {"mentions", MDB_DUPSORT},
};
static const struct fb_span meta_key = {8, "store\0\0\0"};
static const struct fb_span whole_key = {8, "mentions"};

uint64_t fb_meta_golden(void)
{
    return fb_hash(FB_SPAN("forbid"));
}

/* Opens the files; no table is touched. */
static enum fb_store_status open_files(struct fb_env *env, const char *dir, const struct fb_store_options *options,
                                       struct fb_store_error *error)
{
    struct fb_file data = {0};
    (void)fb_file_stat(dir, "data.mdb", &data);
    unsigned flags = MDB_NOTLS;
    flags |= options->write ? 0u : MDB_RDONLY;
    flags |= options->unsafe ? MDB_NOSYNC : 0u;
    flags |= data.size >= read_ahead_below ? MDB_NORDAHEAD : 0u;
    int code = mdb_env_create(&env->env);
    if (code != 0) {
        env->env = NULL;
        return fb_store_fail_code(error, code, "open the store");
    }
    if ((code = mdb_env_set_maxdbs(env->env, FB_TABLES)) != 0
        || (code = mdb_env_set_maxreaders(env->env, READERS_MAX)) != 0
        || (code = mdb_env_set_mapsize(env->env, options->map != 0 ? options->map : FB_STORE_MAP)) != 0
        || (code = mdb_env_open(env->env, dir, flags, LOCK_MODE)) != 0) {
        if (code == EACCES)
            return fb_store_fail_denied(error, dir, options->write);
        return fb_store_fail_code(error, code, "open the store");
    }
    return FB_STORE_OK;
}

/* A lock file that the opening made takes the umask's mode and our group: give it what readers
 * need.  Only its owner can; for others it is as it must be or they were refused. */
static void fit_lock(const char *dir)
{
    char path[4096];
    struct stat of_dir;
    if (!fb_file_path(path, dir, "lock.mdb") || stat(dir, &of_dir) != 0)
        return;
    if (chown(path, (uid_t)-1, of_dir.st_gid) == 0)
        (void)chmod(path, LOCK_MODE);
}

/* What was opened must be what is at the path now, else we would watch one file and read another. */
static enum fb_store_status recognise_files(struct fb_env *env, const char *dir, struct fb_store_error *error)
{
    struct stat opened;
    int fd;
    if (mdb_env_get_fd(env->env, &fd) != 0 || fstat(fd, &opened) != 0
        || fb_file_stat(dir, "data.mdb", &env->data) != 0 || fb_file_stat(dir, "lock.mdb", &env->lock) != 0
        || opened.st_dev != env->data.dev || opened.st_ino != env->data.ino)
        return fb_store_fail(error, FB_STORE_GONE, "the store at %s was replaced while it was being opened", dir);
    return FB_STORE_OK;
}

static enum fb_store_status get_meta(const struct fb_env *env, MDB_txn *txn, struct fb_meta *meta,
                                     struct fb_store_error *error)
{
    MDB_val key = fb_val(meta_key.ptr, meta_key.len), value;
    int code = mdb_get(txn, env->tables[FB_TABLE_META], &key, &value);
    *meta = (struct fb_meta){0};
    if (code == 0 && value.mv_size >= sizeof *meta)
        memcpy(meta, value.mv_data, sizeof *meta);
    return code == 0 || code == MDB_NOTFOUND ? FB_STORE_OK : fb_store_fail_code(error, code, "read the store's record");
}

static enum fb_store_status open_table(struct fb_env *env, MDB_txn *txn, int table, const char *dir,
                                       struct fb_store_error *error)
{
    int code = mdb_dbi_open(txn, tables[table].name, tables[table].flags, &env->tables[table]);
    if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE)
        return fb_store_fail(error, FB_STORE_FOREIGN, "%s/data.mdb was not made by forbid", dir);
    return code == 0 ? FB_STORE_OK : fb_store_fail_code(error, code, "read the store's tables");
}

static enum fb_store_status read_meta(struct fb_env *env, MDB_txn *txn, const char *dir, struct fb_store_error *error)
{
    enum fb_store_status status = FB_STORE_OK;
    for (int i = 0; i < FB_TABLE_MENTIONS && status == FB_STORE_OK; i++)
        status = open_table(env, txn, i, dir, error);
    if (status == FB_STORE_OK)
        status = get_meta(env, txn, &env->meta, error);
    if (status != FB_STORE_OK)
        return status;
    if (env->meta.magic != FB_META_MAGIC)
        return fb_store_fail(error, FB_STORE_FOREIGN, "%s/data.mdb was not made by forbid", dir);
    if (env->meta.version < FB_META_PLAIN || env->meta.version > FB_META_VERSION || env->meta.golden != fb_meta_golden())
        return fb_store_fail(error, FB_STORE_FOREIGN,
                             "the store at %s has format %u, and this forbid reads formats %u to %u: use the forbid that "
                             "wrote it, or put its entities into a new store", dir, env->meta.version, FB_META_PLAIN,
                             FB_META_VERSION);
    return env->meta.version != FB_META_PLAIN ? open_table(env, txn, FB_TABLE_MENTIONS, dir, error) : FB_STORE_OK;
}

enum fb_store_status fb_env_open_tables(struct fb_env *env, const char *dir, struct fb_store_error *error)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn);
    if (code != 0)
        return fb_store_fail_code(error, code, "read the store");
    enum fb_store_status status = read_meta(env, txn, dir, error);
    if (status != FB_STORE_OK)
        mdb_txn_abort(txn);
    else if ((code = mdb_txn_commit(txn)) != 0)     /* a commit is what keeps the tables' handles */
        status = fb_store_fail_code(error, code, "read the store");
    return status;
}

enum fb_store_status fb_env_open(struct fb_env *env, const char *dir, const struct fb_store_options *options,
                                 struct fb_store_error *error)
{
    struct fb_file lock;
    int dead = 0;
    *env = (struct fb_env){0};
    enum fb_store_status status = fb_file_probe(dir, error);
    if (status != FB_STORE_OK)
        return status;
    bool locked_before = fb_file_stat(dir, "lock.mdb", &lock) == 0;
    status = open_files(env, dir, options, error);
    if (status == FB_STORE_OK && !locked_before)
        fit_lock(dir);
    if (status == FB_STORE_OK)
        status = recognise_files(env, dir, error);
    if (status == FB_STORE_OK)
        status = fb_env_open_tables(env, dir, error);
    if (status == FB_STORE_OK)
        (void)mdb_reader_check(env->env, &dead);
    if (status != FB_STORE_OK)
        fb_env_close(env);
    return status;
}

void fb_env_close(struct fb_env *env)
{
    if (env->env != NULL)
        mdb_env_close(env->env);
    env->env = NULL;
}

void fb_env_settle(const struct fb_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat facts;
    int fd;
    if (mdb_env_info(env->env, &info) != 0 || mdb_env_stat(env->env, &stat) != 0
        || mdb_env_get_fd(env->env, &fd) != 0 || fstat(fd, &facts) != 0)
        return;
    off_t want = (off_t)((info.me_last_pgno + 1) * stat.ms_psize);
    if (facts.st_size < want)
        (void)posix_fallocate(fd, want - 1, 1);     /* never shortens, unlike ftruncate beside other writers */
}

/* --- The table of mentions ------------------------------------------------------------------------- */

enum fb_store_status fb_env_recheck(struct fb_env *env, MDB_txn *txn, bool *changed, struct fb_store_error *error)
{
    struct fb_meta meta;
    enum fb_store_status status = get_meta(env, txn, &meta, error);
    *changed = status == FB_STORE_OK && meta.version != env->meta.version;
    return status;
}

enum fb_store_status fb_env_add_mentions(struct fb_env *env, MDB_txn *txn, struct fb_store_error *error)
{
    struct fb_meta meta = env->meta;
    MDB_val key = fb_val(meta_key.ptr, meta_key.len), value = fb_val(&meta, sizeof meta);
    MDB_dbi table;
    meta.version = FB_META_VERSION;
    int code = mdb_dbi_open(txn, tables[FB_TABLE_MENTIONS].name, tables[FB_TABLE_MENTIONS].flags | MDB_CREATE, &table);
    if (code == 0)
        code = mdb_put(txn, env->tables[FB_TABLE_META], &key, &value, 0);
    return code == 0 ? FB_STORE_OK : fb_store_fail_code(error, code, "add the table of mentions");
}

uint64_t fb_env_mark(const struct fb_env *env, MDB_txn *txn)
{
    MDB_val key = fb_val(whole_key.ptr, whole_key.len), value;
    uint64_t mark = FB_MARK_NONE;
    if (env->meta.version != FB_META_PLAIN && mdb_get(txn, env->tables[FB_TABLE_META], &key, &value) == 0
        && value.mv_size == sizeof mark)
        memcpy(&mark, value.mv_data, sizeof mark);
    return mark;
}

enum fb_store_status fb_env_set_mark(const struct fb_env *env, MDB_txn *txn, uint64_t mark, struct fb_store_error *error)
{
    MDB_val key = fb_val(whole_key.ptr, whole_key.len), value = fb_val(&mark, sizeof mark);
    int code = mdb_put(txn, env->tables[FB_TABLE_META], &key, &value, 0);
    return code == 0 ? FB_STORE_OK : fb_store_fail_code(error, code, "write the store's record");
}

/* --- Making one ------------------------------------------------------------------------------------ */

static enum fb_store_status write_meta(struct fb_env *env, MDB_txn *txn, bool plain, struct fb_store_error *error)
{
    struct fb_meta meta = {.magic = FB_META_MAGIC, .version = plain ? FB_META_PLAIN : FB_META_VERSION,
                           .golden = fb_meta_golden()};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    meta.created_at = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (getrandom(meta.identity, sizeof meta.identity, 0) != (ssize_t)sizeof meta.identity)
        return fb_store_fail(error, FB_STORE_FAILED, "the system has no random bytes: %s", strerror(errno));
    for (int i = 0; i < (plain ? FB_TABLE_MENTIONS : FB_TABLES); i++) {
        int code = mdb_dbi_open(txn, tables[i].name, tables[i].flags | MDB_CREATE, &env->tables[i]);
        if (code != 0)
            return fb_store_fail_code(error, code, "make the store's tables");
    }
    MDB_val key = fb_val(meta_key.ptr, meta_key.len), value = fb_val(&meta, sizeof meta);
    int code = mdb_put(txn, env->tables[FB_TABLE_META], &key, &value, MDB_NOOVERWRITE);
    if (code == MDB_KEYEXIST)
        return fb_store_fail(error, FB_STORE_EXISTS, "there is a store already");
    if (code != 0)
        return fb_store_fail_code(error, code, "write the store's record");
    return plain ? FB_STORE_OK : fb_env_set_mark(env, txn, FB_MARK_WHOLE, error);
}

/* In one transaction, so that a store is whole or not there. */
static enum fb_store_status make_tables(struct fb_env *env, const char *dir, bool plain, struct fb_store_error *error)
{
    MDB_txn *txn;
    MDB_dbi unnamed;    /* the table of tables */
    MDB_stat stat;
    int code = mdb_txn_begin(env->env, NULL, 0, &txn);
    if (code != 0)
        return fb_store_fail_code(error, code, "make the store");
    code = mdb_dbi_open(txn, NULL, 0, &unnamed);
    if (code != 0 || (code = mdb_stat(txn, unnamed, &stat)) != 0 || stat.ms_entries != 0) {
        mdb_txn_abort(txn);
        return code != 0 ? fb_store_fail_code(error, code, "read the store")
                         : fb_store_fail(error, FB_STORE_EXISTS, "%s holds a store already, or another database", dir);
    }
    enum fb_store_status status = write_meta(env, txn, plain, error);
    if (status != FB_STORE_OK)
        mdb_txn_abort(txn);
    else if ((code = mdb_txn_commit(txn)) != 0)
        status = fb_store_fail_code(error, code, "make the store");
    return status;
}

/* Owner, group and modes, whatever the umask. */
static enum fb_store_status fit_modes(const char *dir, const struct fb_store_options *options,
                                      struct fb_store_error *error)
{
    static const struct { const char *name; mode_t mode; } things[] = {
        {"", DIR_MODE}, {"data.mdb", DATA_MODE}, {"lock.mdb", LOCK_MODE},
    };
    struct stat of_dir;
    char path[4096];
    if (stat(dir, &of_dir) != 0)
        return fb_store_fail_code(error, errno, "look at the store's directory");
    gid_t group = options->set_group ? options->group : of_dir.st_gid;
    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        if (!fb_file_path(path, dir, things[i].name))
            return fb_store_fail(error, FB_STORE_FAILED, "the store's path is too long");
        struct stat facts;
        bool other = stat(path, &facts) != 0 || facts.st_gid != group;
        if (other && chown(path, (uid_t)-1, group) != 0)
            return fb_store_fail(error, FB_STORE_DENIED, "cannot give %s to group %u: %s", path, (unsigned)group,
                                 strerror(errno));
        if (chmod(path, things[i].mode) != 0)
            return fb_store_fail(error, FB_STORE_DENIED, "cannot set the mode of %s: %s", path, strerror(errno));
    }
    return FB_STORE_OK;
}

static enum fb_store_status make_directory(const char *dir, struct fb_store_error *error)
{
    char path[4096];
    if (mkdir(dir, 0750) == 0)
        return FB_STORE_OK;
    if (errno != EEXIST)
        return fb_store_fail(error, errno == EACCES ? FB_STORE_DENIED : FB_STORE_FAILED, "cannot make the directory %s: %s",
                             dir, strerror(errno));
    /* It may be there already, with an owner and a group that somebody chose; but not with another
     * program's data file, which LMDB would take for its own or die of. */
    struct stat facts;
    if (!fb_file_path(path, dir, "data.mdb"))
        return fb_store_fail(error, FB_STORE_FAILED, "the store's path is too long");
    if (stat(path, &facts) == 0 && facts.st_size != 0 && fb_file_probe(dir, error) != FB_STORE_OK)
        return fb_store_fail(error, FB_STORE_EXISTS, "%s exists, and is no store", path);
    return FB_STORE_OK;
}

enum fb_store_status fb_env_create(const char *dir, const struct fb_store_options *options,
                                   struct fb_store_error *error)
{
    struct fb_env env = {0};
    struct fb_store_options writing = *options;
    writing.write = true;
    enum fb_store_status status = make_directory(dir, error);
    if (status != FB_STORE_OK)
        return status;
    status = open_files(&env, dir, &writing, error);
    if (status == FB_STORE_OK)
        status = make_tables(&env, dir, options->plain, error);
    if (status == FB_STORE_OK)
        status = fit_modes(dir, options, error);
    if (status == FB_STORE_OK)
        fb_env_settle(&env);
    fb_env_close(&env);
    return status;
}

enum fb_store_status fb_store_create(const char *dir, const struct fb_store_options *options,
                                     struct fb_store_error *error)
{
    static const struct fb_store_options none;
    return fb_env_create(dir, options != NULL ? options : &none, error);
}
