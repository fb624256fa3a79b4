/* SPDX-License-Identifier: Apache-2.0 */

/* A resolved schema in use: lookups, hints for entity JSON, its actions as entities. */

#include "cedar/schema_resolve.h"

const struct fb_entity_type *fb_schema_type(const struct fb_schema *schema, struct fb_span name)
{
    return fb_map_get(&schema->types_by_name, name);
}

const struct fb_entity_type *fb_schema_type_of(const struct fb_schema *schema, const struct fb_uid *uid)
{
    return fb_map_get_hashed(&schema->types_by_name, uid->type_hash, fb_uid_type(uid));
}

const struct fb_schema_action *fb_schema_action(const struct fb_schema *schema, const struct fb_uid *uid)
{
    return fb_map_get(&schema->actions_by_text, fb_uid_key(uid));
}

const struct fb_attribute *fb_type_attribute(const struct fb_type *record, struct fb_span name)
{
    if (record->by_name != NULL)
        return fb_map_get(record->by_name, name);
    for (uint32_t i = 0; i < record->attributes_count; i++)
        if (fb_span_eq(record->attributes[i].name, name))
            return &record->attributes[i];
    return NULL;
}

/* --- hints --- */

struct fb_type_hint fb_schema_hint_of(const struct fb_type *type)
{
    struct fb_type_hint hint = {.hint = FB_HINT_NONE, .type = type};
    if (type == NULL)
        return hint;
    switch (type->kind) {
    case FB_T_SET: hint.hint = FB_HINT_SET; break;
    case FB_T_RECORD: hint.hint = FB_HINT_RECORD; break;
    case FB_T_ENTITY: hint.hint = FB_HINT_ENTITY; break;
    case FB_T_DECIMAL: hint.hint = FB_HINT_EXTENSION, hint.extension = FB_DECIMAL; break;
    case FB_T_DATETIME: hint.hint = FB_HINT_EXTENSION, hint.extension = FB_DATETIME; break;
    case FB_T_DURATION: hint.hint = FB_HINT_EXTENSION, hint.extension = FB_DURATION; break;
    case FB_T_IP: hint.hint = FB_HINT_EXTENSION, hint.extension = FB_IP; break;
    case FB_T_BOOL:
    case FB_T_LONG:
    case FB_T_STRING: break;
    }
    return hint;
}

static struct fb_type_hint hint_field(const void *schema, const void *type, struct fb_span name)
{
    (void)schema;
    const struct fb_attribute *attribute = fb_type_attribute(type, name);
    return fb_schema_hint_of(attribute != NULL ? attribute->type : NULL);
}

static struct fb_type_hint hint_element(const void *schema, const void *type)
{
    (void)schema;
    const struct fb_type *set = type;
    return fb_schema_hint_of(set->element);
}

static struct fb_type_hint hint_attribute(const void *schema, struct fb_span entity_type, struct fb_span name)
{
    const struct fb_entity_type *entity = fb_schema_type(schema, entity_type);
    return entity != NULL ? hint_field(schema, entity->shape, name) : fb_schema_hint_of(NULL);
}

static struct fb_type_hint hint_tag(const void *schema, struct fb_span entity_type)
{
    const struct fb_entity_type *entity = fb_schema_type(schema, entity_type);
    return fb_schema_hint_of(entity != NULL ? entity->tags : NULL);
}

struct fb_value_hints fb_schema_hints(const struct fb_schema *schema)
{
    return (struct fb_value_hints){.schema = schema, .attribute = hint_attribute, .tag = hint_tag,
                                   .element = hint_element, .field = hint_field};
}

/* --- actions as entities --- */

bool fb_schema_add_actions(const struct fb_schema *schema, struct fb_entity_set *set)
{
    const struct fb_value empty = fb_value_of_record(&fb_record_empty);
    const struct fb_entities given = fb_entity_set_source(set);
    for (uint32_t i = 0; i < schema->actions_count; i++) {
        const struct fb_schema_action *action = schema->actions[i];
        const struct fb_entity_parts parts = {.uid = action->uid, .attrs = empty, .tags = empty,
                                              .parents = action->parents, .parents_count = action->parents_count};
        struct fb_entity entity;
        if (given.find(given.self, action->uid, &entity) == FB_ABSENT && !fb_entity_set_add(set, &parts))
            return false;
    }
    return true;
}
