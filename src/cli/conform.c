/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and entities held against a schema: what Cedar calls request validation and
 * entity conformance.  A schema's types are finite trees, so the depth of a type bounds the
 * recursion. */
#include "cli/inputs.h"

#include <stdlib.h>

/* Where in a value the check stands; printed only when something is wrong. */
struct place {
    const struct place *up;
    struct fb_span name; /* empty: an element of a set */
};

struct check {
    const struct fb_schema *schema;
    const struct fb_source *source; /* named in messages; values do not know their places */
    struct fb_diags *diags;
    const char *code;
    const struct fb_uid *about; /* the entity; NULL: a request */
};

static void print_place(struct fb_buffer *out, const struct place *place)
{
    if (place->up != NULL)
        print_place(out, place->up);
    if (place->up != NULL && place->name.len != 0)
        fb_buffer_add_char(out, '.');
    fb_buffer_add(out, place->name.len != 0 ? place->name : FB_SPAN("[]"));
}

static bool fault(const struct check *check, const struct place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool fault(const struct check *check, const struct place *place, const char *format, ...)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 64u << 10);
    if (check->source != NULL) {
        fb_buffer_add(&text, check->source->name);
        fb_buffer_add_z(&text, ": ");
    }
    if (check->about != NULL) {
        fb_uid_print(&text, check->about);
        fb_buffer_add_z(&text, ": ");
    }
    if (place != NULL) {
        print_place(&text, place);
        fb_buffer_add_char(&text, ' ');
    }
    va_list args;
    va_start(args, format);
    fb_buffer_add_vformat(&text, format, args);
    va_end(args);
    fb_diag_add(check->diags, FB_ERROR, check->code, NULL, (struct fb_range){0, 0}, "%.*s", (int)text.len,
                text.ptr != NULL ? text.ptr : "");
    fb_buffer_release(&text);
    return false;
}

static const char *kind_name(unsigned kind)
{
    static const char *const names[] = {
        [FB_BOOL] = "Bool",         [FB_LONG] = "Long",       [FB_STRING] = "String",   [FB_ENTITY] = "an entity",
        [FB_SET] = "Set",           [FB_RECORD] = "a record", [FB_DECIMAL] = "decimal", [FB_DATETIME] = "datetime",
        [FB_DURATION] = "duration", [FB_IP] = "ipaddr",
    };
    return names[kind];
}

static enum fb_kind kind_of_type(enum fb_type_kind kind)
{
    switch (kind) {
    case FB_T_BOOL: return FB_BOOL;
    case FB_T_LONG: return FB_LONG;
    case FB_T_STRING: return FB_STRING;
    case FB_T_SET: return FB_SET;
    case FB_T_RECORD: return FB_RECORD;
    case FB_T_ENTITY: return FB_ENTITY;
    case FB_T_DECIMAL: return FB_DECIMAL;
    case FB_T_DATETIME: return FB_DATETIME;
    case FB_T_DURATION: return FB_DURATION;
    case FB_T_IP: return FB_IP;
    }
    return FB_BOOL;
}

/* Enum entities have the ids that the schema lists and no others. */
static bool id_fits(const struct fb_entity_type *type, const struct fb_uid *uid)
{
    if (type == NULL || type->enum_ids == NULL)
        return true;
    for (uint32_t i = 0; i < type->enum_count; i++)
        if (fb_span_eq(type->enum_ids[i], fb_uid_id(uid)))
            return true;
    return false;
}

static bool value_fits(const struct check *check, const struct fb_type *type, struct fb_value value,
                       const struct place *place);

static bool record_fits(const struct check *check, const struct fb_type *type, const struct fb_record *record,
                        const struct place *place)
{
    const struct fb_cell *names = fb_record_names(record), *values = fb_record_values(record);
    for (uint64_t i = 0; i < record->count; i++) {
        struct place field = {.up = place, .name = fb_value_text(fb_cell_load(&names[i]))};
        const struct fb_attribute *attribute = fb_type_attribute(type, field.name);
        if (attribute == NULL)
            return fault(check, &field, "is not declared in the schema");
        if (!value_fits(check, attribute->type, fb_cell_load(&values[i]), &field))
            return false;
    }
    for (uint32_t i = 0; i < type->attributes_count; i++) {
        const struct fb_attribute *attribute = &type->attributes[i];
        if (attribute->required && fb_record_find(record, fb_hash(attribute->name), attribute->name) == NULL)
            return fault(check, &(struct place){.up = place, .name = attribute->name}, "is required and missing");
    }
    return true;
}

static bool value_fits(const struct check *check, const struct fb_type *type, struct fb_value value,
                       const struct place *place)
{
    enum fb_kind kind = kind_of_type(type->kind);
    if (value.kind != kind)
        return fault(check, place, "is %s, and the schema wants %s", kind_name(value.kind), kind_name(kind));
    if (type->kind == FB_T_RECORD)
        return record_fits(check, type, value.record, place);
    if (type->kind == FB_T_SET) {
        for (uint32_t i = 0; i < value.count; i++)
            if (!value_fits(check, type->element, fb_cell_load(&value.cells[i]), &(struct place){.up = place}))
                return false;
    }
    if (type->kind == FB_T_ENTITY) {
        struct fb_span found = fb_uid_type(value.uid);
        if (!fb_span_eq(found, type->entity))
            return fault(check, place, "is a %.*s, and the schema wants a %.*s", (int)found.len, found.ptr,
                         (int)type->entity.len, type->entity.ptr);
        if (!id_fits(fb_schema_type(check->schema, found), value.uid))
            return fault(check, place, "has an id that the enum entity type %.*s does not list", (int)found.len,
                         found.ptr);
    }
    return true;
}

static bool role_fits(const struct check *check, const char *role, const struct fb_uid *uid,
                      const struct fb_entity_type *const *types, uint32_t count)
{
    struct fb_span name = fb_uid_type(uid);
    for (uint32_t i = 0; i < count; i++) {
        if (!fb_span_eq(types[i]->name, name))
            continue;
        return id_fits(types[i], uid)
               || fault(check, NULL, "the %s has an id that the enum entity type %.*s does not list", role,
                        (int)name.len, name.ptr);
    }
    if (fb_schema_type(check->schema, name) == NULL)
        return fault(check, NULL, "the %s's type %.*s is not declared in the schema", role, (int)name.len, name.ptr);
    return fault(check, NULL, "the action does not accept a %s of type %.*s", role, (int)name.len, name.ptr);
}

bool fb_request_conforms(const struct fb_schema *schema, const struct fb_request *request,
                         const struct fb_source *source, struct fb_diags *diags)
{
    struct check check = {.schema = schema, .source = source, .diags = diags, .code = "request.invalid"};
    const struct fb_schema_action *action = fb_schema_action(schema, request->action);
    if (action == NULL) {
        check.about = request->action;
        return fault(&check, NULL, "the schema declares no such action");
    }
    return role_fits(&check, "principal", request->principal, action->principals, action->principals_count)
           && role_fits(&check, "resource", request->resource, action->resources, action->resources_count)
           && value_fits(&check, action->context, request->context, &(struct place){.name = FB_SPAN("context")});
}

/* A parent may be of any type that the schema lets stand above, by whatever way, as upstream has it, since the
 * entities between need not be there. */
static bool may_be_above(const struct check *check, const struct fb_entity_type *type, struct fb_span name)
{
    uint32_t known = 1, bound = check->schema->types_count + 1;
    const struct fb_entity_type **above = calloc(bound, sizeof *above);
    bool found = false;
    if (above == NULL)
        return false;
    above[0] = type;
    for (uint32_t i = 0; i < known && !found; i++) {
        for (uint32_t j = 0; j < above[i]->parents_count && !found; j++) {
            const struct fb_entity_type *parent = fb_schema_type(check->schema, above[i]->parents[j]);
            bool seen = parent == NULL;
            found = fb_span_eq(above[i]->parents[j], name);
            /* The first stands for where the way began; the type itself may be met again. */
            for (uint32_t k = 0; k < known && !seen; k++)
                seen = above[k] == parent;
            if (!seen && known < bound)
                above[known++] = parent;
        }
    }
    free(above);
    return found;
}

static bool parents_fit(const struct check *check, const struct fb_entity_type *type, const struct fb_entity *entity)
{
    for (uint32_t i = 0; i < entity->parents.count; i++) {
        const struct fb_uid *parent = fb_ref_uid(&entity->parents.refs[i]);
        struct fb_span name = fb_uid_type(parent);
        if (!may_be_above(check, type, name))
            return fault(check, NULL, "the schema does not allow a parent of type %.*s", (int)name.len, name.ptr);
        if (!id_fits(fb_schema_type(check->schema, name), parent))
            return fault(check, NULL, "a parent has an id that the enum entity type %.*s does not list", (int)name.len,
                         name.ptr);
    }
    return true;
}

static bool entity_fits(const struct check *check, const struct fb_entity *entity)
{
    if (fb_schema_action(check->schema, entity->uid) != NULL)
        return true;
    const struct fb_entity_type *type = fb_schema_type(check->schema, fb_uid_type(entity->uid));
    if (type == NULL)
        return fault(check, NULL, "its type is not declared in the schema");
    if (!id_fits(type, entity->uid))
        return fault(check, NULL, "the enum entity type does not list this id");
    if (!record_fits(check, type->shape, entity->attrs, NULL) || !parents_fit(check, type, entity))
        return false;
    const struct fb_cell *names = fb_record_names(entity->tags), *values = fb_record_values(entity->tags);
    if (entity->tags->count != 0 && type->tags == NULL)
        return fault(check, NULL, "the schema gives its type no tags");
    for (uint64_t i = 0; i < entity->tags->count; i++) {
        struct place tag = {.name = fb_value_text(fb_cell_load(&names[i]))};
        if (!value_fits(check, type->tags, fb_cell_load(&values[i]), &tag))
            return false;
    }
    return true;
}

bool fb_entities_conform(const struct fb_schema *schema, const struct fb_entity_set *entities,
                         const struct fb_source *source, struct fb_diags *diags)
{
    bool fine = true;
    struct check check = {.schema = schema, .source = source, .diags = diags, .code = "entities.invalid"};
    for (size_t i = 0; i < fb_entity_set_count(entities); i++) {
        struct fb_entity entity;
        fb_entity_set_at(entities, i, &entity);
        check.about = entity.uid;
        fine &= entity_fits(&check, &entity);
    }
    return fine;
}
