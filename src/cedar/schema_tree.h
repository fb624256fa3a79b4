/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_SCHEMA_TREE_H
#define FB_CEDAR_SCHEMA_TREE_H

#include "cedar/parse.h"

/* A schema as it was written: names not yet resolved.  schema_parse.c makes it, schema_resolve.c
 * turns it into a struct fb_schema.  Not for other parts. */

/* A name or path, normalised, and where it stands. */
struct fb_tree_name {
    struct fb_span text;
    struct fb_range range;
};

struct fb_tree_names {
    struct fb_tree_name *list;
    size_t count, capacity;
};

enum fb_tree_kind { FB_TREE_PATH, FB_TREE_SET, FB_TREE_RECORD };

/* What a path may mean: only the JSON form can say that it is not either. */
enum fb_tree_ref { FB_REF_ANY, FB_REF_ENTITY, FB_REF_COMMON };

struct fb_tree_type {
    enum fb_tree_kind kind;
    enum fb_tree_ref ref;                       /* PATH */
    struct fb_span path;                        /* PATH; of a builtin type from JSON `__cedar::Long` */
    const struct fb_tree_type *element;         /* SET */
    struct fb_tree_attribute *attributes;       /* RECORD */
    size_t count, capacity;
    struct fb_range range;
};

struct fb_tree_attribute {
    struct fb_tree_name name;
    bool required;
    const struct fb_tree_type *type;
    const struct fb_annotation *annotations;
    uint32_t annotations_count;
};

/* An action named in another's `in`: `"b c"`, `b`, or `NS::Action::"b"`. */
struct fb_tree_action_ref {
    struct fb_span type;                        /* empty: not given */
    struct fb_span id;
    struct fb_range range;
};

struct fb_tree_entity {
    struct fb_tree_names names, parents;
    const struct fb_tree_type *shape, *tags;    /* or NULL */
    bool is_enum;
    struct fb_tree_names ids;                   /* of an enum */
    const struct fb_annotation *annotations;
    uint32_t annotations_count;
    struct fb_tree_entity *next;
};

struct fb_tree_action {
    struct fb_tree_names names;
    struct fb_tree_action_ref *parents;
    size_t parents_count, parents_capacity;
    struct fb_tree_names principals, resources; /* empty without `appliesTo` */
    const struct fb_tree_type *context;         /* or NULL */
    const struct fb_annotation *annotations;
    uint32_t annotations_count;
    struct fb_tree_action *next;
};

struct fb_tree_common {
    struct fb_tree_name name;
    const struct fb_tree_type *type;
    const struct fb_annotation *annotations;
    uint32_t annotations_count;
    struct fb_tree_common *next;
};

/* Declarations in source order. */
struct fb_tree_namespace {
    struct fb_tree_name name;                   /* empty: what stands in no namespace */
    const struct fb_annotation *annotations;
    uint32_t annotations_count;
    struct fb_tree_entity *entities, **entities_end;
    struct fb_tree_action *actions, **actions_end;
    struct fb_tree_common *commons, **commons_end;
    struct fb_tree_namespace *next;
};

/* The namespaces, the empty one first.  Faults are reported; what could be read is in the tree.
 * NULL without memory or when the text cannot be read at all. */
const struct fb_tree_namespace *fb_schema_parse(struct fb_arena *arena, const struct fb_source *source,
                                                struct fb_diags *diags);

#endif
