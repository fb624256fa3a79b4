/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_SCHEMA_H
#define FB_CEDAR_SCHEMA_H

#include "cedar/ast.h"

/* A Cedar schema with its names resolved (common types expanded, entity types by their full
 * names).  Lives in the arena of its reader; immutable.  Spans point into the source, which must
 * outlive it.  A type that is used twice is one struct: expanded, a schema's types are at most
 * FB_TYPE_SIZE large, so that walking one as a tree is bounded. */
#define FB_TYPE_SIZE (1u << 20)

enum fb_type_kind {
    FB_T_BOOL, FB_T_LONG, FB_T_STRING, FB_T_SET, FB_T_RECORD, FB_T_ENTITY,
    FB_T_DECIMAL, FB_T_DATETIME, FB_T_DURATION, FB_T_IP
};

struct fb_attribute {
    struct fb_span name;
    const struct fb_type *type;
    bool required;
    const struct fb_annotation *annotations;
    uint32_t annotations_count;
    struct fb_range range;              /* of the name */
};

struct fb_type {
    enum fb_type_kind kind;
    const struct fb_type *element;              /* SET */
    const struct fb_attribute *attributes;      /* RECORD: in source order, names distinct */
    uint32_t attributes_count;
    const struct fb_map *by_name;               /* of a large RECORD: its attributes, else NULL */
    struct fb_span entity;                      /* ENTITY: full name; `Action` types are none of `types` */
    uint32_t depth;                             /* of nested sets and records: at most FB_CEDAR_DEPTH */
    struct fb_range range;                      /* where it is written; zeroes for builtin types */
    uint32_t size;                              /* types within, each counted as often as it is reached */
};

struct fb_entity_type {
    struct fb_span name;                        /* full: `NS::User` */
    uint64_t name_hash;                         /* fb_hash(name) */
    const struct fb_type *shape;                /* a RECORD, perhaps without attributes */
    const struct fb_type *tags;                 /* or NULL */
    const struct fb_span *parents;              /* `in`: full names */
    uint32_t parents_count;
    const struct fb_span *enum_ids;             /* enum entities: their ids; else NULL */
    uint32_t enum_count;
    bool requires_attributes;                   /* at least one is required: its existence is ours */
    const struct fb_annotation *annotations;
    uint32_t annotations_count;
    const struct fb_source *source;
    struct fb_range range;                      /* of its name */
};

struct fb_schema_action {
    const struct fb_uid *uid;                   /* `NS::Action::"view"` */
    const struct fb_uid **parents;              /* direct action groups */
    uint32_t parents_count;
    const struct fb_entity_type **principals, **resources;  /* appliesTo; both empty without it */
    uint32_t principals_count, resources_count;
    const struct fb_type *context;              /* a RECORD */
    const struct fb_annotation *annotations;
    uint32_t annotations_count;
    const struct fb_source *source;
    struct fb_range range;                      /* of its name */
};

struct fb_schema {
    struct fb_arena *arena;
    const struct fb_entity_type **types;
    uint32_t types_count;
    const struct fb_schema_action **actions;
    uint32_t actions_count;
    struct fb_map types_by_name, actions_by_text;
};

const struct fb_entity_type *fb_schema_type(const struct fb_schema *schema, struct fb_span name);
const struct fb_entity_type *fb_schema_type_of(const struct fb_schema *schema, const struct fb_uid *uid);
const struct fb_schema_action *fb_schema_action(const struct fb_schema *schema, const struct fb_uid *uid);
const struct fb_attribute *fb_type_attribute(const struct fb_type *record, struct fb_span name);
/* The annotation of that key in a list, or NULL. */
const struct fb_annotation *fb_annotation_find(const struct fb_annotation *list, uint32_t count, const char *key);

/* Reads the Cedar syntax.  All faults are reported; NULL if there was an error or no memory. */
const struct fb_schema *fb_schema_read(struct fb_arena *arena, const struct fb_source *source, struct fb_diags *diags);

/* Reads the JSON form: https://docs.cedarpolicy.com/schema/json-schema.html.  NULL after a fault. */
const struct fb_schema *fb_schema_read_json(struct fb_arena *arena, const struct fb_source *source,
                                            struct fb_diags *diags);

/* A schema in another form.  To JSON from the Cedar syntax: names as they were written, or as what they
 * mean; to the Cedar syntax from JSON.  False after a fault; comments are lost. */
enum fb_schema_form { FB_SCHEMA_JSON, FB_SCHEMA_JSON_RESOLVED, FB_SCHEMA_TEXT };
bool fb_schema_translate(struct fb_buffer *out, struct fb_arena *arena, const struct fb_source *source,
                         enum fb_schema_form form, struct fb_diags *diags);
/* The same of a fragment, as the official command does it: names may stand for what is declared elsewhere,
 * unless what they mean is asked for; cycles and shadows are for the reader of the whole schema to find. */
bool fb_schema_translate_fragment(struct fb_buffer *out, struct fb_arena *arena, const struct fb_source *source,
                                  enum fb_schema_form form, struct fb_diags *diags);

/* Adds the schema's actions with their groups to a set of entities, but for those that it has: whether they have
 * the schema's groups is for fb_conform_entities() to say.  False without memory. */
bool fb_schema_add_actions(const struct fb_schema *schema, struct fb_entity_set *set);
/* For reading entity JSON and contexts by the schema's types. */
struct fb_value_hints fb_schema_hints(const struct fb_schema *schema);
/* The hint that reads a whole context record of an action. */
struct fb_type_hint fb_schema_hint_of(const struct fb_type *type);

#endif
