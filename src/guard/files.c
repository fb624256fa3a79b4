/* SPDX-License-Identifier: Apache-2.0 */
/* A policy directory is read as a whole or not at all.  Its files are opened through one directory
 * descriptor, so that a switched symlink gives the old directory or the new one; and when any
 * file has changed by the time the last one is read, all are read again, so half a checkout never
 * serves. */
#include "guard/loaded.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX 4096u
#define FILE_MAX_BYTES ((size_t)16 << 20)
#define ENTITIES_MAX_BYTES ((size_t)64 << 20)
#define TRIES 10
#define PAUSE_NS 50000000       /* between two tries */

/* What tells a changed file from the same one. */
struct mark {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct entry {
    char *name;
    struct mark mark;
    bool dangling;
    struct fb_source *source;
};

struct reading {
    const char *dir;
    int fd;
    struct fb_arena *arena;
    struct fb_diags *diags;
    struct entry *entries;
    size_t count, capacity;
    bool changed;               /* something moved while it was read */
};

static bool fail(struct reading *reading, const char *code, const char *name, const char *why)
{
    fb_diag_add(reading->diags, FB_ERROR, code, NULL, (struct fb_range){0, 0}, "%s%s%s: %s", reading->dir,
                *name != '\0' ? "/" : "", name, why);
    return false;
}

/* Naming a file of the directory instead is the likely slip. */
static bool not_opened(struct reading *reading, int error)
{
    struct fb_diag *diag = fb_diag_add(reading->diags, FB_ERROR, "load.unreadable", NULL, (struct fb_range){0, 0},
                                       "%s: %s", reading->dir, strerror(error));
    if (error == ENOTDIR)
        diag->hint = FB_SPAN("policies are read as a directory, with the schema beside them: name the directory");
    return false;
}

static struct mark mark_of(const struct stat *st)
{
    return (struct mark){st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_mark(const struct mark *a, const struct mark *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size
           && same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

static bool ends(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);
    return n > s && strcmp(name + n - s, suffix) == 0;
}

/* Hidden files are left alone: editors keep their own there. */
static bool is_wanted(const char *name)
{
    return name[0] != '.'
           && (ends(name, ".cedar") || strcmp(name, "schema.cedarschema") == 0 || strcmp(name, "entities.json") == 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* The names that matter, sorted. */
static bool list(struct reading *reading)
{
    int fd = openat(reading->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return fail(reading, "load.unreadable", "", strerror(errno));
    }
    reading->count = 0;
    bool fine = true;
    for (const struct dirent *at; fine && (at = readdir(dir)) != NULL;) {
        if (!is_wanted(at->d_name))
            continue;
        if (reading->count == FILES_MAX) {
            fine = fail(reading, "load.too_many_files", "", "more than 4096 files");
            break;
        }
        struct entry *grown = fb_arena_grow(reading->arena, reading->entries, reading->count, &reading->capacity,
                                            sizeof *grown);
        if (grown == NULL) {
            fine = fail(reading, "load.memory", "", "out of memory");
            break;
        }
        reading->entries = grown;
        grown[reading->count++] = (struct entry){.name = fb_arena_text(reading->arena, fb_span_z(at->d_name))};
    }
    closedir(dir);
    if (!fine || reading->arena->failed)
        return false;
    if (reading->count != 0)
        qsort(reading->entries, reading->count, sizeof reading->entries[0], by_name);
    return true;
}

static bool read_all(struct reading *reading, const char *name, int fd, size_t size, struct fb_span *text)
{
    char *bytes = fb_arena_alloc(reading->arena, size + 1);
    if (bytes == NULL)
        return fail(reading, "load.memory", name, "out of memory");
    size_t have = 0;
    while (have < size) {
        ssize_t n = read(fd, bytes + have, size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(reading, "load.unreadable", name, strerror(errno));
        if (n == 0)
            break;
        have += (size_t)n;
    }
    if (have != size)
        reading->changed = true;
    *text = fb_span(bytes, have);
    return true;
}

static bool read_one(struct reading *reading, struct entry *entry)
{
    int fd = openat(reading->fd, entry->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        if (errno == ENOENT) {
            struct stat link;
            entry->dangling = fstatat(reading->fd, entry->name, &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode);
            reading->changed = true;
            return true;
        }
        return fail(reading, "load.unreadable", entry->name, strerror(errno));
    }
    struct stat st;
    bool fine = fstat(fd, &st) == 0 || fail(reading, "load.unreadable", entry->name, strerror(errno));
    if (fine && !S_ISREG(st.st_mode))
        fine = fail(reading, "load.not_a_file", entry->name, "not a regular file");
    size_t limit = strcmp(entry->name, "entities.json") == 0 ? ENTITIES_MAX_BYTES : FILE_MAX_BYTES;
    if (fine && (size_t)st.st_size > limit)
        fine = fail(reading, "load.too_large", entry->name,
                    limit == FILE_MAX_BYTES ? "larger than 16 MiB" : "larger than 64 MiB; large data belongs in the store");
    struct fb_span text = {0, NULL};
    fine = fine && read_all(reading, entry->name, fd, (size_t)st.st_size, &text);
    close(fd);
    if (!fine)
        return false;
    entry->mark = mark_of(&st);
    entry->source = fb_arena_alloc(reading->arena, sizeof *entry->source);
    if (entry->source == NULL)
        return fail(reading, "load.memory", entry->name, "out of memory");
    *entry->source = (struct fb_source){.name = fb_arena_format(reading->arena, "%s/%s", reading->dir, entry->name),
                                        .text = text};
    return true;
}

/* Are the names and the files still those that were read? */
static bool still_same(struct reading *reading)
{
    struct entry *before = reading->entries;
    size_t count = reading->count, capacity = reading->capacity;
    reading->entries = NULL;
    reading->capacity = 0;
    bool same = list(reading) && reading->count == count;
    for (size_t i = 0; same && i < count; i++) {
        struct stat st;
        struct mark now;
        same = strcmp(before[i].name, reading->entries[i].name) == 0
               && fstatat(reading->fd, before[i].name, &st, 0) == 0;
        if (same) {
            now = mark_of(&st);
            same = same_mark(&before[i].mark, &now);
        }
    }
    reading->entries = before;
    reading->count = count;
    reading->capacity = capacity;
    return same;
}

/* "schema.cedar", "app.cedarschema": what may have been meant for the schema; empty if nothing looks like it. */
static struct fb_span other_schema(const struct reading *reading)
{
    struct fb_span found = {0, NULL};
    DIR *dir = opendir(reading->dir);
    for (const struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        struct fb_span name = fb_span_z(entry->d_name);
        if (fb_span_is(name, "schema.cedar")
            || (name.len > 12 && fb_span_is(fb_span_from(name, name.len - 12), ".cedarschema")))
            found = fb_arena_copy(reading->arena, name);
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

static bool collect(struct reading *reading, struct fb_files *files)
{
    files->policies = fb_arena_array(reading->arena, reading->count + 1, sizeof(struct fb_source *));
    if (files->policies == NULL)
        return fail(reading, "load.memory", "", "out of memory");
    for (size_t i = 0; i < reading->count; i++) {
        const struct entry *entry = &reading->entries[i];
        if (strcmp(entry->name, "schema.cedarschema") == 0)
            files->schema = entry->source;
        else if (strcmp(entry->name, "entities.json") == 0)
            files->entities = entry->source;
        else
            files->policies[files->policies_count++] = entry->source;
    }
    if (files->schema == NULL) {
        struct fb_span other = other_schema(reading);
        fb_diag_add(reading->diags, FB_ERROR, "load.no_schema", NULL, (struct fb_range){0, 0},
                    "%s/schema.cedarschema: there is no such file", reading->dir)->hint =
            other.len != 0
                ? fb_arena_format(reading->arena, "the schema has this name; if %.*s is it, rename that",
                                  (int)other.len, other.ptr)
                : FB_SPAN("a policy directory has a schema, which says which HTTP route each action stands for; "
                          "`forbid init` writes one to begin with");
        return false;
    }
    return true;
}

bool fb_files_read(const char *dir, struct fb_arena *arena, struct fb_files *files, struct fb_diags *diags)
{
    *files = (struct fb_files){.schema = NULL};
    struct reading reading = {.dir = dir, .arena = arena, .diags = diags};
    for (int try = 0; try < TRIES; try++) {
        reading.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (reading.fd < 0)
            return not_opened(&reading, errno);
        reading.changed = false;
        reading.entries = NULL;
        reading.capacity = 0;
        bool fine = list(&reading);
        for (size_t i = 0; fine && i < reading.count && !reading.changed; i++)
            fine = read_one(&reading, &reading.entries[i]);
        bool whole = fine && !reading.changed && still_same(&reading);
        close(reading.fd);
        if (!fine)
            return false;
        if (whole)
            return collect(&reading, files);
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    for (size_t i = 0; i < reading.count; i++)
        if (reading.entries[i].dangling)
            return fail(&reading, "load.unreadable", reading.entries[i].name, "a symbolic link to nothing");
    return fail(&reading, "load.changing", "", "its files keep changing; deploy by switching a symbolic link");
}
