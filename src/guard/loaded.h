/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUARD_LOADED_H
#define FB_GUARD_LOADED_H

#include "guard/guard.h"

/* What a policy directory becomes.  Private to src/guard/.  All of it lives in one arena and is
 * immutable once loaded. */

/* The annotations of one policy, checked (DESIGN §3.2).  By program index. */
struct fb_rule {
    struct fb_span reason;      /* `@reason`; empty: inferred from the decisive clause */
    struct fb_span detail, help;
    struct fb_span legal;       /* `@legal` of a forbid: the URI of who blocks; else empty */
    struct fb_span acr;         /* `@acr` of a permit: the sign-in that satisfies it; else empty */
    bool has_max_age;
    uint32_t max_age;           /* `@max_age` of a permit, seconds */
};

struct fb_policies {
    const struct fb_allocator *allocator;
    struct fb_arena arena;
    const char *dir;
    const struct fb_schema *schema;
    struct fb_policy_set set;
    struct fb_program *program;
    struct fb_entity_set *entities;     /* entities.json and the schema's actions */
    const struct fb_routes *routes;
    const struct fb_rule *rules;        /* fb_program_count() */
    const struct fb_concerned **concerned;  /* by the action's index: by which policies; or NULL */
    const struct fb_cures *cures;       /* by the action's index: cures.h */
    const bool *legal;                  /* by program index: has `@legal` */
    bool any_legal;
    const struct fb_secret *secrets;    /* by the action's index: secret.h */
    const bool *conceals;               /* by program index: a forbid with `@conceal` */
    bool any_secret;
};

/* The files of a directory as they were at one moment. */
struct fb_files {
    const struct fb_source **policies;  /* *.cedar, in byte order of their names */
    size_t policies_count;
    const struct fb_source *schema, *entities;  /* NULL: not there */
};
/* False, with a diagnostic, when something cannot be read or keeps changing. */
bool fb_files_read(const char *dir, struct fb_arena *arena, struct fb_files *files, struct fb_diags *diags);

/* Checks the annotations of every policy and fills in rules, legal and any_legal. */
bool fb_rules_read(struct fb_policies *policies, struct fb_diags *diags);

/* Warns of what lies in the directory and nobody reads: a second schema, policies in folders, unknown names. */
void fb_files_warn_unread(const char *dir, struct fb_diags *diags);

#endif
