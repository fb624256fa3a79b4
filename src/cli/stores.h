/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_STORES_H
#define FB_CLI_STORES_H

#include "cli/cli.h"
#include "store/store.h"

/* What `account` and `entity` share: the store that `--store` names, uids as words, and who did it. */

struct fb_stores_options {
    const char *store, *group;
    bool json;
    bool plain;             /* a new store gets no index */
};

/* Opens it; NULL after saying why not.  With `create` it is made where there is none, for the group
 * that --group names, and that is said. */
struct fb_store *fb_stores_open(struct fb_cli *cli, const struct fb_stores_options *options, bool write, bool create);
/* `User::"alice"`; NULL after saying what is wrong. */
const struct fb_uid *fb_stores_uid(struct fb_cli *cli, struct fb_arena *arena, const char *word);
/* Who runs this: the user behind sudo, else the effective user.  In the arena. */
struct fb_span fb_stores_actor(struct fb_arena *arena);
/* "2026-01-31T12:00:00Z" from milliseconds since 1970. */
void fb_stores_print_time(struct fb_buffer *out, int64_t milliseconds);
/* `"uid":{"type":"User","id":"alice"}` */
void fb_stores_print_uid(struct fb_buffer *out, const struct fb_uid *uid);

#endif
