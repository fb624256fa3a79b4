/* SPDX-License-Identifier: Apache-2.0 */

/* The validator's types, each made once.  What two of them have in common is in validate_join.c, what
 * the schema says of entity types in validate_entities.c. */

#include "cedar/validate_types.h"

#include <stdlib.h>

struct wanted {
    const struct fb_vtypes *types;
    const struct fb_vtype *type;
};

static uint64_t hash_fields(const struct fb_vtype *type, uint64_t hash)
{
    for (uint32_t i = 0; i < type->count; i++) {
        const struct fb_vfield *field = &type->fields[i];
        hash = fb_hash_join(hash, field->hash ^ ((uint64_t)field->type->id << 1) ^ field->required);
    }
    return hash;
}

static uint64_t hash_type(const struct fb_vtype *type)
{
    uint64_t hash = fb_hash_join((uint64_t)type->kind << 1 | type->open, type->count);
    if (type->kind == FB_V_SET)
        return fb_hash_join(hash, type->element->id);
    if (type->kind == FB_V_RECORD)
        return hash_fields(type, hash);
    for (uint32_t i = 0; i < type->count; i++)
        hash = fb_hash_join(hash, type->entities[i]);
    return hash;
}

static uint64_t hash_of(const void *context, uint32_t index)
{
    const struct wanted *wanted = context;
    return hash_type(wanted->types->list[index]);
}

static bool same_fields(const struct fb_vtype *a, const struct fb_vtype *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct fb_vfield *x = &a->fields[i], *y = &b->fields[i];
        if (x->type != y->type || x->required != y->required || x->hash != y->hash || !fb_span_eq(x->name, y->name))
            return false;
    }
    return true;
}

static bool same(const void *context, uint32_t index)
{
    const struct wanted *wanted = context;
    const struct fb_vtype *a = wanted->type, *b = wanted->types->list[index];
    if (a->kind != b->kind || a->open != b->open || a->count != b->count || a->element != b->element)
        return false;
    if (a->kind == FB_V_RECORD)
        return same_fields(a, b);
    return a->count == 0 || memcmp(a->entities, b->entities, a->count * sizeof *a->entities) == 0;
}

/* The one type that looks like this, which is copied, with what it points to, if it is new. */
static const struct fb_vtype *intern(struct fb_vtypes *types, const struct fb_vtype *type)
{
    const struct wanted wanted = {types, type};
    uint32_t *slot = fb_vtable_slot(&types->interned, types->arena, hash_type(type), same, &wanted, hash_of);
    if (slot == NULL)
        return NULL;
    if (*slot != 0)
        return types->list[*slot - 1];
    struct fb_vtype *made = fb_arena_alloc(types->arena, sizeof *made);
    struct fb_vtype **list = fb_arena_grow(types->arena, types->list, types->count, &types->capacity,
                                           sizeof(struct fb_vtype *));
    size_t size = type->kind == FB_V_RECORD ? sizeof(struct fb_vfield) : sizeof(uint32_t);
    const void *from = type->kind == FB_V_RECORD ? (const void *)type->fields : (const void *)type->entities;
    void *parts = fb_arena_array(types->arena, type->count, size);
    if (made == NULL || list == NULL || parts == NULL)
        return NULL;
    types->list = list;
    if (type->count != 0)
        memcpy(parts, from, type->count * size);
    *made = *type;
    made->id = (uint32_t)types->count;
    made->fields = type->kind == FB_V_RECORD ? parts : NULL;
    made->entities = type->kind == FB_V_ENTITY ? parts : NULL;
    list[types->count++] = made;
    *slot = (uint32_t)types->count;
    types->interned.count++;
    return made;
}

const struct fb_vtype *fb_vtype_plain(struct fb_vtypes *types, enum fb_vkind kind)
{
    return intern(types, &(struct fb_vtype){.kind = kind});
}

const struct fb_vtype *fb_vtype_set(struct fb_vtypes *types, const struct fb_vtype *element)
{
    return element != NULL ? intern(types, &(struct fb_vtype){.kind = FB_V_SET, .element = element}) : NULL;
}

const struct fb_vtype *fb_vtype_entities(struct fb_vtypes *types, const uint32_t *entities, uint32_t count)
{
    return intern(types, &(struct fb_vtype){.kind = FB_V_ENTITY, .entities = entities, .count = count});
}

static int by_hash(const void *a, const void *b)
{
    const struct fb_vfield *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return fb_span_cmp(x->name, y->name);
}

const struct fb_vtype *fb_vtype_record(struct fb_vtypes *types, struct fb_vfield *fields, uint32_t count, bool open)
{
    if (count > 1)
        qsort(fields, count, sizeof *fields, by_hash);
    return intern(types, &(struct fb_vtype){.kind = FB_V_RECORD, .fields = fields, .count = count, .open = open});
}

const struct fb_vfield *fb_vtype_field(const struct fb_vtype *record, struct fb_span name, uint64_t hash)
{
    uint32_t low = 0, high = record->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (record->fields[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < record->count && record->fields[low].hash == hash; low++)
        if (fb_span_eq(record->fields[low].name, name))
            return &record->fields[low];
    return NULL;
}

/* --- from the schema's types --- */

/* The schema's types are shared, and so are their conversions: without that a small schema could
 * ask for a million of them. */
struct fb_vseen {
    const struct fb_type *type;
    const struct fb_vtype *made;
};

struct seen_wanted {
    const struct fb_vtypes *types;
    const struct fb_type *type;
};

static uint64_t hash_pointer(const struct fb_type *type)
{
    return fb_hash_join((uint64_t)(uintptr_t)type, 1);
}

static uint64_t seen_hash_of(const void *context, uint32_t index)
{
    const struct seen_wanted *wanted = context;
    return hash_pointer(wanted->types->seen[index].type);
}

static bool seen_same(const void *context, uint32_t index)
{
    const struct seen_wanted *wanted = context;
    return wanted->types->seen[index].type == wanted->type;
}

static uint32_t *seen_slot(struct fb_vtypes *types, const struct fb_type *type)
{
    const struct seen_wanted wanted = {types, type};
    return fb_vtable_slot(&types->seen_table, types->arena, hash_pointer(type), seen_same, &wanted, seen_hash_of);
}

static bool remember(struct fb_vtypes *types, const struct fb_type *type, const struct fb_vtype *made)
{
    struct fb_vseen *seen = fb_arena_grow(types->arena, types->seen, types->seen_count, &types->seen_capacity,
                                          sizeof *seen);
    uint32_t *slot = seen_slot(types, type);
    if (seen == NULL || slot == NULL)
        return false;
    types->seen = seen;
    seen[types->seen_count++] = (struct fb_vseen){type, made};
    *slot = (uint32_t)types->seen_count;
    types->seen_table.count++;
    return true;
}

static const struct fb_vtype *convert_record(struct fb_vtypes *types, const struct fb_type *type)
{
    struct fb_vfield *fields = fb_arena_array(types->arena, type->attributes_count, sizeof *fields);
    if (fields == NULL)
        return NULL;
    for (uint32_t i = 0; i < type->attributes_count; i++) {
        const struct fb_attribute *from = &type->attributes[i];
        fields[i] = (struct fb_vfield){.name = from->name, .hash = fb_hash(from->name), .required = from->required,
                                       .type = fb_vtype_of(types, from->type)};
        if (fields[i].type == NULL)
            return NULL;
    }
    return fb_vtype_record(types, fields, type->attributes_count, false);
}

static const struct fb_vtype *convert(struct fb_vtypes *types, const struct fb_type *type)
{
    switch (type->kind) {
    case FB_T_BOOL: return types->plain[FB_V_BOOL];
    case FB_T_LONG: return types->plain[FB_V_LONG];
    case FB_T_STRING: return types->plain[FB_V_STRING];
    case FB_T_DECIMAL: return types->plain[FB_V_DECIMAL];
    case FB_T_DATETIME: return types->plain[FB_V_DATETIME];
    case FB_T_DURATION: return types->plain[FB_V_DURATION];
    case FB_T_IP: return types->plain[FB_V_IP];
    case FB_T_SET: return fb_vtype_set(types, fb_vtype_of(types, type->element));
    case FB_T_RECORD: return convert_record(types, type);
    case FB_T_ENTITY: {
        /* The reader of the schema has resolved it. */
        const struct fb_ventity *entity = fb_ventity_find(types, type->entity);
        return entity != NULL ? entity->self : NULL;
    }
    }
    return NULL;
}

/* Recurs as deep as types nest: FB_CEDAR_DEPTH. */
const struct fb_vtype *fb_vtype_of(struct fb_vtypes *types, const struct fb_type *type)
{
    uint32_t *slot = seen_slot(types, type);
    if (slot == NULL)
        return NULL;
    if (*slot != 0)
        return types->seen[*slot - 1].made;
    const struct fb_vtype *made = convert(types, type);
    return made != NULL && remember(types, type, made) ? made : NULL;
}
