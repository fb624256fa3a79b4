/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_SCHEMA_RESOLVE_H
#define FB_CEDAR_SCHEMA_RESOLVE_H

#include "cedar/schema_tree.h"

/* What the three files that resolve a schema share.  Not for other parts.
 *
 *   schema_declare.c   the names that are declared: twice, reserved, shadowing
 *   schema_resolve.c   names and types where they are used
 *   schema_action.c    actions and the cycles of their groups */

/* A common type; resolved when it is first used. */
struct fb_common {
    const struct fb_tree_namespace *space;
    const struct fb_tree_common *tree;
    const struct fb_type *type;         /* once resolved; NULL after a fault */
    enum { FB_COMMON_NEW, FB_COMMON_OPEN, FB_COMMON_DONE } state;
};

struct fb_declared_entity {
    struct fb_entity_type *type;
    const struct fb_tree_namespace *space;
    const struct fb_tree_entity *tree;
};

struct fb_declared_action {
    struct fb_schema_action *action;
    const struct fb_tree_namespace *space;
    const struct fb_tree_action *tree;
    struct fb_declared_action **parents;    /* as many as action->parents_count, in their order */
    const struct fb_range *parent_ranges;
    uint32_t next_parent;                   /* of the search for cycles */
    enum { FB_ACTION_NEW, FB_ACTION_OPEN, FB_ACTION_DONE } state;
};

/* How far a schema is looked at.  Each holds those before it. */
enum fb_resolve_extent {
    FB_RESOLVE_DECLARED,                /* what is declared, twice perhaps; a fragment may use what stands elsewhere */
    FB_RESOLVE_NAMES,                   /* every name means something */
    FB_RESOLVE_ALL                      /* a schema: nothing shadows, nothing contains itself */
};

struct fb_resolver {
    enum fb_resolve_extent extent;
    struct fb_arena *arena;
    const struct fb_source *source;
    struct fb_diags *diags;
    struct fb_schema *schema;
    struct fb_map commons;              /* full name → struct fb_common */
    struct fb_map entities;             /* full name → struct fb_declared_entity */
    struct fb_map actions;              /* the bytes of the uid → struct fb_declared_action */
    struct fb_map action_types;         /* `NS::Action` of each namespace with actions */
    struct fb_declared_entity **entity_list;
    struct fb_declared_action **action_list;
    struct fb_common **common_list;
    size_t entity_count, action_count, common_count, entity_capacity, action_capacity, common_capacity;
    const struct fb_span *known;        /* names for "did you mean"; made when first needed */
    size_t known_count;
    uint32_t depth;                     /* of common types being resolved */
};

/* `text` in the namespace; the arena's memory if it has a name. */
struct fb_span fb_full_name(struct fb_resolver *r, const struct fb_tree_namespace *space, struct fb_span text);
/* The whole block of a uid, as a key of maps. */
struct fb_span fb_uid_key(const struct fb_uid *uid);

struct fb_diag *fb_resolve_fault(struct fb_resolver *r, enum fb_severity severity, struct fb_range range,
                                 const char *code, const char *format, ...) __attribute__((format(printf, 5, 6)));
void fb_resolve_other(struct fb_resolver *r, struct fb_diag *diag, struct fb_range range, const char *message);

/* The builtin type of that name, or NULL. */
const struct fb_type *fb_builtin_type(struct fb_span name);

void fb_schema_declare(struct fb_resolver *r, const struct fb_tree_namespace *spaces);
/* An entity type that is declared, or NULL, reported. */
const struct fb_declared_entity *fb_resolve_entity(struct fb_resolver *r, const struct fb_tree_namespace *space,
                                                   const struct fb_tree_name *name);
/* NULL after a fault. */
const struct fb_type *fb_resolve_type(struct fb_resolver *r, const struct fb_tree_namespace *space,
                                      const struct fb_tree_type *tree);
/* What a path means in the namespace (`inside`) or as it stands: at most one of both is set. */
struct fb_meaning {
    struct fb_common *common;
    struct fb_span entity;              /* full name */
};
void fb_resolve_meaning(struct fb_resolver *r, const struct fb_tree_namespace *space, const struct fb_tree_type *tree,
                        bool inside, struct fb_meaning *meaning);
/* The action that a name in `in` means, and its uid; NULL: there is none. */
struct fb_declared_action *fb_resolve_action_ref(struct fb_resolver *r, const struct fb_tree_namespace *space,
                                                 const struct fb_tree_action_ref *ref, const struct fb_uid **uid);
/* As far as the extent asks, with a resolver that may be asked for meanings later.  NULL without memory; faults
 * are reported. */
const struct fb_schema *fb_schema_resolve(struct fb_resolver *r, struct fb_arena *arena, const struct fb_source *source,
                                          const struct fb_tree_namespace *spaces, enum fb_resolve_extent extent,
                                          struct fb_diags *diags);
const struct fb_type *fb_empty_record(void);
void fb_resolve_actions(struct fb_resolver *r);

#endif
