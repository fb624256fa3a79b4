/* SPDX-License-Identifier: Apache-2.0 */

/* What the schema says of entity types: which may be above which, their attributes, their tags.  Types
 * of actions (`NS::Action`) take part: their hierarchy is that of the action groups, and they have
 * neither attributes nor tags. */

#include "cedar/validate_types.h"

struct fb_ventity *fb_ventity_find(const struct fb_vtypes *types, struct fb_span name)
{
    return fb_map_get(&types->by_name, name);
}

static bool add_entity(struct fb_vtypes *types, struct fb_span name, const struct fb_entity_type *type)
{
    if (fb_ventity_find(types, name) != NULL)
        return true;
    uint32_t index = types->entities_count++;
    struct fb_ventity *entity = &types->entities[index];
    *entity = (struct fb_ventity){.name = name, .type = type, .self = fb_vtype_entities(types, &index, 1)};
    return entity->self != NULL && fb_map_put(&types->by_name, name, entity);
}

/* A type of actions without any action may still be named as the type of an attribute. */
static bool add_actions(struct fb_vtypes *types)
{
    for (uint32_t i = 0; i < types->schema->actions_count; i++)
        if (!add_entity(types, fb_uid_type(types->schema->actions[i]->uid), NULL))
            return false;
    return true;
}

bool fb_vtypes_init(struct fb_vtypes *types, struct fb_arena *arena, const struct fb_schema *schema, bool strict)
{
    *types = (struct fb_vtypes){.arena = arena, .schema = schema, .strict = strict, .declared = schema->types_count};
    for (int kind = 0; kind < FB_V_PLAIN; kind++)
        if ((types->plain[kind] = fb_vtype_plain(types, (enum fb_vkind)kind)) == NULL)
            return false;
    types->record_empty = fb_vtype_record(types, NULL, 0, false);
    fb_map_init(&types->by_name, arena);
    types->entities = fb_arena_array(arena, (size_t)schema->types_count + schema->actions_count,
                                     sizeof *types->entities);
    if (types->entities == NULL || types->record_empty == NULL)
        return false;
    for (uint32_t i = 0; i < schema->types_count; i++)
        if (!add_entity(types, schema->types[i]->name, schema->types[i]))
            return false;
    return add_actions(types);
}

/* --- the hierarchy --- */

struct climb {
    uint64_t *above;
    uint32_t *stack;
    size_t depth;
};

static void reach(struct climb *climb, uint32_t index)
{
    if ((climb->above[index / 64] >> (index % 64) & 1) != 0)
        return;
    climb->above[index / 64] |= (uint64_t)1 << (index % 64);
    climb->stack[climb->depth++] = index;
}

static void climb_types(struct fb_vtypes *types, struct climb *climb, uint32_t from)
{
    reach(climb, from);
    while (climb->depth > 0) {
        const struct fb_entity_type *type = types->entities[climb->stack[--climb->depth]].type;
        for (uint32_t i = 0; type != NULL && i < type->parents_count; i++) {
            const struct fb_ventity *parent = fb_ventity_find(types, type->parents[i]);
            if (parent != NULL)
                reach(climb, (uint32_t)(parent - types->entities));
        }
    }
}

/* Which types of actions are above `from`: those of all the groups of each of its actions.  Every
 * action is visited at most once; `stack` has room for all. */
static void climb_actions(struct fb_vtypes *types, struct climb *climb, uint32_t from)
{
    const struct fb_schema *schema = types->schema;
    const struct fb_schema_action **stack =
        fb_arena_array(types->arena, schema->actions_count, sizeof(const struct fb_schema_action *));
    struct fb_map seen;
    size_t depth = 0;
    fb_map_init(&seen, types->arena);
    for (uint32_t i = 0; stack != NULL && i < schema->actions_count; i++)
        if (fb_span_eq(fb_uid_type(schema->actions[i]->uid), types->entities[from].name))
            stack[depth++] = schema->actions[i];
    while (depth > 0) {
        const struct fb_schema_action *action = stack[--depth];
        for (uint32_t i = 0; i < action->parents_count; i++) {
            const struct fb_schema_action *parent = fb_schema_action(schema, action->parents[i]);
            if (parent == NULL)
                continue;
            const struct fb_ventity *type = fb_ventity_find(types, fb_uid_type(parent->uid));
            reach(climb, (uint32_t)(type - types->entities));
            struct fb_span key = fb_span((const char *)parent->uid,
                                         fb_uid_size(parent->uid->type_len, parent->uid->id_len));
            /* One of the type `from` is on the stack from the start. */
            if (type - types->entities == from || fb_map_get(&seen, key) != NULL)
                continue;
            if (!fb_map_put(&seen, key, climb))
                return;
            stack[depth++] = parent;
        }
    }
}

/* The bit set of what may be above, itself included. */
static const uint64_t *ancestors(struct fb_vtypes *types, uint32_t index)
{
    struct fb_ventity *entity = &types->entities[index];
    if (entity->ancestors != NULL)
        return entity->ancestors;
    struct climb climb = {
        .above = fb_arena_array(types->arena, types->entities_count / 64 + 1, sizeof(uint64_t)),
        .stack = fb_arena_array(types->arena, types->entities_count, sizeof(uint32_t)),
    };
    if (climb.above == NULL || climb.stack == NULL)
        return NULL;
    if (entity->type != NULL) {
        climb_types(types, &climb, index);
    } else {
        reach(&climb, index);
        climb_actions(types, &climb, index);
    }
    return entity->ancestors = climb.above;
}

bool fb_ventity_below(struct fb_vtypes *types, uint32_t lower, uint32_t upper)
{
    const uint64_t *above = ancestors(types, lower);
    return above == NULL || (above[upper / 64] >> (upper % 64) & 1) != 0;
}

/* --- attributes and tags --- */

const struct fb_vtype *fb_ventity_tags(struct fb_vtypes *types, uint32_t index)
{
    struct fb_ventity *entity = &types->entities[index];
    if (!entity->tags_known) {
        bool has = entity->type != NULL && entity->type->tags != NULL;
        entity->tags = has ? fb_vtype_of(types, entity->type->tags) : NULL;
        entity->tags_known = true;
    }
    return entity->tags;
}

static const struct fb_vtype *shape_of_one(struct fb_vtypes *types, uint32_t index)
{
    const struct fb_entity_type *type = types->entities[index].type;
    return type != NULL ? fb_vtype_of(types, type->shape) : types->record_empty;
}

/* Of a union: the attributes that all its members have.  Only permissive mode makes unions. */
static const struct fb_vtype *shape_of_union(struct fb_vtypes *types, const struct fb_vtype *type)
{
    const struct fb_vtype *shape = shape_of_one(types, type->entities[0]);
    for (uint32_t i = 1; i < type->count && shape != NULL; i++) {
        const struct fb_vtype *next = shape_of_one(types, type->entities[i]);
        shape = next != NULL ? fb_vtype_join(types, shape, next) : NULL;
    }
    return shape;
}

const struct fb_vtype *fb_vtype_shape(struct fb_vtypes *types, const struct fb_vtype *type)
{
    if (type->kind == FB_V_RECORD)
        return type;
    if (type->kind != FB_V_ENTITY)
        return NULL;
    if (type->shape == NULL)
        types->list[type->id]->shape = shape_of_union(types, type);
    return type->shape;
}
