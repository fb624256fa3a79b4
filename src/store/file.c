/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a store, judged before they are mapped.
 *
 * LMDB checks a magic number and trusts the rest.  A file cut short is a bus error at the first page
 * behind its end, a page number out of range is a wild read.  What can be told from the two heads
 * ("meta pages", lmdb 0.9's mdb.c) is told here; damage further in is left to checksums and to the
 * counter of young deaths. */
#include "store/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A head as it lies in the file on a 64-bit machine: page header, then the record. */
struct table_record {
    uint32_t page_size;         /* in the first table's record only */
    uint16_t flags, depth;
    uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;
};
struct head {
    uint64_t page_number;
    uint16_t pad, flags;
    uint16_t lower, upper;
    uint32_t magic, version;
    uint64_t address, map_size;
    struct table_record free_pages, main;
    uint64_t last_page, transaction;
};
_Static_assert(sizeof(struct table_record) == 48 && sizeof(struct head) == 152, "LMDB 0.9, 64-bit");

enum { HEAD_MAGIC_FLAG = 0x08 };
static const uint32_t head_magic = 0xBEEFC0DEu;

bool fb_file_path(char path[4096], const char *dir, const char *name)
{
    int len = *name != '\0' ? snprintf(path, 4096, "%s/%s", dir, name) : snprintf(path, 4096, "%s", dir);
    return len > 0 && len < 4096;
}

int fb_file_stat(const char *dir, const char *name, struct fb_file *file)
{
    char path[4096];
    struct stat facts;
    if (!fb_file_path(path, dir, name))
        return ENAMETOOLONG;
    if (stat(path, &facts) != 0)
        return errno;
    if (!S_ISREG(facts.st_mode))
        return EINVAL;
    *file = (struct fb_file){.dev = facts.st_dev, .ino = facts.st_ino, .size = facts.st_size};
    return 0;
}

static bool sound_root(uint64_t root, uint64_t last_page)
{
    return root == UINT64_MAX || (root >= 2 && root <= last_page);
}

static bool sound_head(const struct head *head, uint64_t number, uint32_t page_size)
{
    return head->page_number == number && head->magic == head_magic && head->version == 1
        && (head->flags & HEAD_MAGIC_FLAG) != 0 && head->free_pages.page_size == page_size
        && head->last_page >= 1 && head->last_page < UINT64_MAX / page_size - 1
        && sound_root(head->free_pages.root, head->last_page) && sound_root(head->main.root, head->last_page);
}

static enum fb_store_status judge(int fd, const char *dir, struct fb_store_error *error)
{
    struct head heads[2];
    struct stat facts;
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode))
        return fb_store_fail(error, FB_STORE_FOREIGN, "%s/data.mdb is not a plain file", dir);
    if (pread(fd, &heads[0], sizeof heads[0], 0) != (ssize_t)sizeof heads[0])
        return fb_store_fail(error, FB_STORE_FOREIGN, "%s/data.mdb is too short to be a store", dir);
    uint32_t page_size = heads[0].free_pages.page_size;
    bool sane = page_size >= 512 && page_size <= 65536 && (page_size & (page_size - 1)) == 0;
    if (!sane || !sound_head(&heads[0], 0, page_size))
        return fb_store_fail(error, FB_STORE_FOREIGN, "%s/data.mdb is not a store", dir);
    if (pread(fd, &heads[1], sizeof heads[1], (off_t)page_size) != (ssize_t)sizeof heads[1])
        return fb_store_fail(error, FB_STORE_CORRUPT, "%s/data.mdb is cut short", dir);
    if (!sound_head(&heads[1], 1, page_size))
        return fb_store_fail(error, FB_STORE_CORRUPT, "%s/data.mdb has a damaged head", dir);
    const struct head *newest = heads[1].transaction > heads[0].transaction ? &heads[1] : &heads[0];
    if ((uint64_t)facts.st_size / page_size < newest->last_page + 1)
        return fb_store_fail(error, FB_STORE_CORRUPT, "%s/data.mdb is cut short: %llu pages, %llu bytes", dir,
                             (unsigned long long)newest->last_page + 1, (unsigned long long)facts.st_size);
    return FB_STORE_OK;
}

enum fb_store_status fb_file_probe(const char *dir, struct fb_store_error *error)
{
    char path[4096];
    struct fb_file lock;
    if (!fb_file_path(path, dir, "data.mdb"))
        return fb_store_fail(error, FB_STORE_MISSING, "the store's path is too long");
    /* O_NONBLOCK: a named pipe put here must not hang a worker. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        if (errno == EACCES)
            return fb_store_fail_denied(error, dir, false);
        if (errno == ENOENT || errno == ENOTDIR)
            return fb_store_fail(error, FB_STORE_MISSING, "there is no store at %s", dir);
        return fb_store_fail(error, FB_STORE_FAILED, "cannot open %s: %s", path, strerror(errno));
    }
    enum fb_store_status status = judge(fd, dir, error);
    close(fd);
    /* The lock file may be missing (a restored copy): opening makes it. */
    if (status == FB_STORE_OK && fb_file_stat(dir, "lock.mdb", &lock) == EINVAL)
        status = fb_store_fail(error, FB_STORE_FOREIGN, "%s/lock.mdb is not a plain file", dir);
    return status;
}
