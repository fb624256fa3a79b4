/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_VALIDATE_TYPES_H
#define FB_CEDAR_VALIDATE_TYPES_H

#include "cedar/cedar.h"

/* The validator's types.
 *
 * They are finer than a schema's (the singletons True and False, unions of entity types, records that
 * may have more attributes than are known), and each exists once: equal types are one pointer, so
 * that comparing is free and a request environment allocates nothing that an earlier one had. */
enum fb_vkind {
    FB_V_NEVER,                     /* of the elements of `[]` */
    FB_V_TRUE, FB_V_FALSE, FB_V_BOOL, FB_V_LONG, FB_V_STRING,
    FB_V_DECIMAL, FB_V_DATETIME, FB_V_DURATION, FB_V_IP,
    FB_V_SET, FB_V_RECORD, FB_V_ENTITY
};
#define FB_V_PLAIN FB_V_SET         /* kinds before it have one type each */

struct fb_vtype;

struct fb_vfield {
    struct fb_span name;
    uint64_t hash;                  /* fb_hash(name) */
    const struct fb_vtype *type;
    bool required;
};

struct fb_vtype {
    enum fb_vkind kind;
    bool open;                      /* RECORD: there may be more */
    uint32_t id;                    /* small and unique */
    uint32_t count;                 /* of fields or entities */
    const struct fb_vtype *element; /* SET */
    const struct fb_vfield *fields; /* RECORD: ascending by hash, then name */
    const uint32_t *entities;       /* ENTITY: indexes of fb_ventity, ascending; at least one */
    const struct fb_vtype *shape;   /* ENTITY: its attributes as a record, once somebody asked */
};

/* An entity type, or a type of actions (`NS::Action`), as the validator sees it. */
struct fb_ventity {
    struct fb_span name;
    const struct fb_entity_type *type;  /* NULL: of actions */
    const struct fb_vtype *self;        /* the entities of this type */
    const struct fb_vtype *tags;        /* once somebody asked; NULL: none */
    bool tags_known;
    const uint64_t *ancestors;          /* bit set over all: which types may be above it; once asked */
};

/* Open addressing over 32-bit values that are indexes + 1 into an array of the owner's. */
struct fb_vtable {
    uint32_t *slots;
    uint32_t mask, count;
};

struct fb_vtypes {
    struct fb_arena *arena;
    const struct fb_schema *schema;
    bool strict;
    const struct fb_vtype *plain[FB_V_PLAIN];
    const struct fb_vtype *record_empty;

    struct fb_vtype **list;             /* all of them, by id */
    size_t count, capacity;
    struct fb_vtable interned;

    struct fb_ventity *entities;        /* the schema's entity types in its order, then those of actions */
    uint32_t entities_count, declared;  /* `declared` of them are the schema's */
    struct fb_map by_name;              /* name → struct fb_ventity */

    struct fb_vseen *seen;              /* the schema's types that were converted */
    size_t seen_count, seen_capacity;
    struct fb_vtable seen_table;
    struct fb_vjoin *joins;             /* least upper bounds that were computed */
    size_t joins_count, joins_capacity;
    struct fb_vtable joins_table;
};

/* False without memory. */
bool fb_vtypes_init(struct fb_vtypes *types, struct fb_arena *arena, const struct fb_schema *schema, bool strict);

/* NULL: neither declared nor a type of declared actions. */
struct fb_ventity *fb_ventity_find(const struct fb_vtypes *types, struct fb_span name);
/* May an entity of the type `lower` be in one of `upper`?  For types of actions: by the groups. */
bool fb_ventity_below(struct fb_vtypes *types, uint32_t lower, uint32_t upper);
/* NULL: the type has no tags. */
const struct fb_vtype *fb_ventity_tags(struct fb_vtypes *types, uint32_t entity);

/* All these may return NULL without memory (the arena says so); fb_vtype_join also where the two
 * types have no upper bound that the mode allows. */
const struct fb_vtype *fb_vtype_of(struct fb_vtypes *types, const struct fb_type *type);
const struct fb_vtype *fb_vtype_plain(struct fb_vtypes *types, enum fb_vkind kind);
const struct fb_vtype *fb_vtype_set(struct fb_vtypes *types, const struct fb_vtype *element);
/* `entities` ascending. */
const struct fb_vtype *fb_vtype_entities(struct fb_vtypes *types, const uint32_t *entities, uint32_t count);
/* `fields` are sorted here and copied when the type is new; names must outlive the validator. */
const struct fb_vtype *fb_vtype_record(struct fb_vtypes *types, struct fb_vfield *fields, uint32_t count, bool open);
const struct fb_vtype *fb_vtype_join(struct fb_vtypes *types, const struct fb_vtype *a, const struct fb_vtype *b);
/* The attributes of an entity or a record as a record; NULL for others. */
const struct fb_vtype *fb_vtype_shape(struct fb_vtypes *types, const struct fb_vtype *type);

/* The field, or NULL. */
const struct fb_vfield *fb_vtype_field(const struct fb_vtype *record, struct fb_span name, uint64_t hash);
/* For messages; long ones are cut short. */
void fb_vtype_print(const struct fb_vtypes *types, struct fb_buffer *out, const struct fb_vtype *type);

static inline bool fb_vtype_is_bool(const struct fb_vtype *type)
{
    return type->kind == FB_V_TRUE || type->kind == FB_V_FALSE || type->kind == FB_V_BOOL;
}

/* The table's slot of that hash for which `same` holds, or the free one; NULL without memory.  What
 * is in the slot is the index + 1, 0 if free; after filling a free one count it. */
uint32_t *fb_vtable_slot(struct fb_vtable *table, struct fb_arena *arena, uint64_t hash,
                         bool (*same)(const void *context, uint32_t index), const void *context,
                         uint64_t (*hash_of)(const void *context, uint32_t index));

#endif
