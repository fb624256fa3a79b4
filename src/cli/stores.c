/* SPDX-License-Identifier: Apache-2.0 */
/* The store as the command line sees it. */
#include "cli/stores.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A name, or a number. */
static bool find_group(const char *name, gid_t *group)
{
    uint64_t number;
    struct group *entry = getgrnam(name);
    if (entry != NULL)
        *group = entry->gr_gid;
    else if (fb_span_to_u64(fb_span_z(name), UINT32_MAX - 1, &number))
        *group = (gid_t)number;
    else
        return false;
    return true;
}

struct fb_store *fb_stores_open(struct fb_cli *cli, const struct fb_stores_options *options, bool write, bool create)
{
    struct fb_store_error error;
    struct fb_store_options how = {.write = write, .plain = options->plain};
    if (options->store == NULL) {
        fb_cli_fail(cli, "which store?  Give its directory by --store DIR");
        return NULL;
    }
    if (options->group != NULL && !find_group(options->group, &how.group)) {
        fb_cli_fail(cli, "there is no group '%s'", options->group);
        return NULL;
    }
    how.set_group = options->group != NULL;
    struct fb_store *store = fb_store_open(options->store, &how, &error);
    if (store == NULL && error.status == FB_STORE_MISSING && create) {
        how.create = true;
        store = fb_store_open(options->store, &how, &error);
        if (store != NULL)
            fprintf(cli->err, "forbid: made the store %s\n", options->store);
    }
    if (store == NULL)
        fb_cli_fail(cli, "%s%s", error.text, error.status == FB_STORE_MISSING && write
                    ? "; `forbid entity put` and `forbid account add` make one" : "");
    return store;
}

const struct fb_uid *fb_stores_uid(struct fb_cli *cli, struct fb_arena *arena, const char *word)
{
    const struct fb_uid *uid = fb_uid_parse(arena, fb_span_z(word));
    if (uid == NULL)
        fb_cli_fail(cli, "'%s' is no entity uid; write a type and a quoted id, within quotes for the shell: "
                    "'User::\"alice\"'", word);
    return uid;
}

struct fb_span fb_stores_actor(struct fb_arena *arena)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *entry = getpwuid(geteuid());
    if (sudo != NULL && *sudo != '\0' && geteuid() == 0)
        return fb_arena_copy(arena, fb_span_z(sudo));
    if (entry != NULL)
        return fb_arena_copy(arena, fb_span_z(entry->pw_name));
    return fb_arena_format(arena, "uid %u", (unsigned)geteuid());
}

void fb_stores_print_time(struct fb_buffer *out, int64_t milliseconds)
{
    time_t seconds = (time_t)(milliseconds / 1000);
    struct tm fields;
    char text[40];
    if (gmtime_r(&seconds, &fields) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &fields) != 0)
        fb_buffer_add_z(out, text);
}

void fb_stores_print_uid(struct fb_buffer *out, const struct fb_uid *uid)
{
    fb_buffer_add_z(out, "\"uid\":{\"type\":");
    fb_buffer_add_json(out, fb_uid_type(uid));
    fb_buffer_add_z(out, ",\"id\":");
    fb_buffer_add_json(out, fb_uid_id(uid));
    fb_buffer_add_char(out, '}');
}
