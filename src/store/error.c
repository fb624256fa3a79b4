/* SPDX-License-Identifier: Apache-2.0 */
/* Failures of the world in an operator's words.  Permissions get most of them: a store is shared by
 * users (an administrator who writes, a server's workers who read), so "permission denied" alone
 * would leave out all that is needed to put it right. */
#include "store/layout.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

const char *const fb_store_codes[FB_STORE_STATUSES] = {
#define FB_STORE_STATUS(symbol, code) [FB_STORE_##symbol] = (code),
#include "store/statuses.def"
#undef FB_STORE_STATUS
};

const char *const fb_account_state_names[FB_ACCOUNT_STATES] = {
#define FB_ACCOUNT_STATE(symbol, name) [FB_ACCOUNT_##symbol] = (name),
#include "store/states.def"
#undef FB_ACCOUNT_STATE
};

enum fb_store_status fb_store_fail(struct fb_store_error *error, enum fb_store_status status, const char *format, ...)
{
    if (error != NULL) {
        va_list args;
        va_start(args, format);
        error->status = status;
        (void)vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
    }
    return status;
}

static enum fb_store_status status_of(int code)
{
    switch (code) {
    case 0: return FB_STORE_OK;
    case MDB_CORRUPTED: case MDB_PAGE_NOTFOUND: case MDB_PANIC: return FB_STORE_CORRUPT;
    case MDB_INVALID: case MDB_VERSION_MISMATCH: case MDB_INCOMPATIBLE: return FB_STORE_FOREIGN;
    case MDB_MAP_FULL: case ENOSPC: case EDQUOT: return FB_STORE_FULL;
    case MDB_TXN_FULL: case MDB_READERS_FULL: return FB_STORE_LIMIT;
    case EACCES: case EPERM: case EROFS: return FB_STORE_DENIED;
    case ENOENT: case ENOTDIR: return FB_STORE_MISSING;
    case ENOMEM: return FB_STORE_MEMORY;
    default: return FB_STORE_FAILED;
    }
}

enum fb_store_status fb_store_fail_code(struct fb_store_error *error, int code, const char *doing)
{
    const char *why = mdb_strerror(code);
    if (code == MDB_MAP_FULL)
        why = "its map is full; open it with a larger one";
    else if (code == MDB_TXN_FULL)
        why = "one transaction changes too much; use smaller batches";
    else if (code == MDB_READERS_FULL)
        why = "too many processes read it at once";
    else if (code == ENOMEM)
        why = "not enough memory or address space for its map";
    return fb_store_fail(error, status_of(code), "cannot %s: %s", doing, why);
}

/* "www-data (33)" */
static const char *name_user(uid_t user, char text[80])
{
    char room[1024];
    struct passwd entry, *found = NULL;
    const char *name = getpwuid_r(user, &entry, room, sizeof room, &found) == 0 && found != NULL ? found->pw_name : "?";
    (void)snprintf(text, 80, "%.60s (%u)", name, (unsigned)user);
    return text;
}

static const char *name_group(gid_t group, char text[80])
{
    char room[4096];
    struct group entry, *found = NULL;
    const char *name = getgrgid_r(group, &entry, room, sizeof room, &found) == 0 && found != NULL ? found->gr_name : "?";
    (void)snprintf(text, 80, "%.60s (%u)", name, (unsigned)group);
    return text;
}

/* The first of the directory and its files that is not as it must be for us. */
static bool find_obstacle(const char *dir, bool write, char path[4096], const char **need)
{
    static const struct { const char *name; int reader, writer; const char *reader_needs, *writer_needs; } things[] = {
        {"", R_OK | X_OK, R_OK | W_OK | X_OK, "r-x (0750, owned by the group)", "rwx (its owner's)"},
        {"data.mdb", R_OK, R_OK | W_OK, "r (0640)", "rw (its owner's)"},
        {"lock.mdb", R_OK | W_OK, R_OK | W_OK, "rw (0660: readers register in it)", "rw (0660)"},
    };
    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        if (!fb_file_path(path, dir, things[i].name))
            return false;
        if (eaccess(path, write ? things[i].writer : things[i].reader) != 0 && errno != ENOENT) {
            *need = write ? things[i].writer_needs : things[i].reader_needs;
            return true;
        }
    }
    return false;
}

enum fb_store_status fb_store_fail_denied(struct fb_store_error *error, const char *dir, bool write)
{
    char path[4096], me[80], my_group[80], owner[80], group[80];
    const char *need = "";
    struct stat facts;
    (void)name_user(geteuid(), me);
    (void)name_group(getegid(), my_group);
    if (!find_obstacle(dir, write, path, &need) || stat(path, &facts) != 0)
        return fb_store_fail(error, FB_STORE_DENIED, "user %s, group %s, may not %s the store %s: a directory above it, "
                             "or the file system, does not allow it", me, my_group, write ? "write" : "read", dir);
    return fb_store_fail(error, FB_STORE_DENIED, "user %s, group %s, may not %s the store: %.300s is %04o %s:%s and "
                         "must allow %s; %s", me, my_group, write ? "write" : "read", path,
                         (unsigned)(facts.st_mode & 07777u), name_user(facts.st_uid, owner),
                         name_group(facts.st_gid, group), need,
                         write ? "run this as its owner"
                               : "give the directory and its files to a group that the reader is in (chgrp -R)");
}
