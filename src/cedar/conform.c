/* SPDX-License-Identifier: Apache-2.0 */

/* Requests and entities held against a schema.  A schema's types are finite trees, so the depth of a
 * type bounds the recursion. */

#include "cedar/conform.h"

#include "cedar/validate_tree.h"

/* So many names a hint holds, and so many are candidates for what was meant. */
#define LISTED 8u
#define CANDIDATES 64u

/* Where in a value the check stands; printed only when something is wrong. */
struct place {
    const struct place *up;
    struct fb_span name; /* empty: an element of a set */
    bool tag;            /* of an entity, not an attribute; at the top alone */
};

struct check {
    const struct fb_schema *schema;
    const struct fb_source *source; /* named in messages; values do not know their places */
    struct fb_diags *diags;
    const char *code;
    const struct fb_uid *about; /* the entity; NULL: a request */
    struct fb_vtypes *types;                /* of entities: which may be above which */
};

static void print_place(struct fb_buffer *out, const struct place *place)
{
    if (place->up != NULL)
        print_place(out, place->up);
    else
        fb_buffer_add_z(out, place->tag ? "tag `" : "`");
    if (place->up != NULL && place->name.len != 0)
        fb_buffer_add_char(out, '.');
    fb_buffer_add(out, place->name.len != 0 ? place->name : FB_SPAN("[]"));
}

__attribute__((format(printf, 3, 0)))
static struct fb_diag *report(const struct check *check, const struct place *place, const char *format, va_list args)
{
    struct fb_buffer text;
    fb_buffer_init(&text, check->diags->arena->allocator, 64u << 10);
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
        fb_buffer_add_z(&text, "` ");
    }
    fb_buffer_add_vformat(&text, format, args);
    struct fb_diag *diag = fb_diag_add(check->diags, FB_ERROR, check->code, NULL, (struct fb_range){0, 0}, "%.*s",
                                       (int)text.len, text.ptr != NULL ? text.ptr : "");
    fb_buffer_release(&text);
    return diag;
}

static bool fault(const struct check *check, const struct place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool fault(const struct check *check, const struct place *place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(check, place, format, args);
    va_end(args);
    return false;
}

/* What the schema has where something else stands. */
struct choice {
    const char *lead;       /* of a list of them */
    struct fb_span word;    /* what stands there; empty: no guess */
    const struct fb_span *names;
    uint32_t count;
};

/* As fault(), with a hint: the name that was probably meant, else the first of all. */
static bool fault_among(const struct check *check, const struct place *place, const struct choice *choice,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));
static bool fault_among(const struct check *check, const struct place *place, const struct choice *choice,
                        const char *format, ...)
{
    struct fb_buffer text;
    uint32_t count = choice->count < CANDIDATES ? choice->count : CANDIDATES;
    struct fb_span near = fb_did_you_mean(choice->word, choice->names, count);
    va_list args;
    va_start(args, format);
    struct fb_diag *diag = report(check, place, format, args);
    va_end(args);
    fb_buffer_init(&text, check->diags->arena->allocator, 64u << 10);
    if (near.len != 0)
        fb_buffer_add_format(&text, "did you mean `%.*s`?", (int)near.len, near.ptr);
    for (uint32_t i = 0; near.len == 0 && i < count && i < LISTED; i++)
        fb_buffer_add_format(&text, "%s `%.*s`", i == 0 ? choice->lead : ",", (int)choice->names[i].len,
                             choice->names[i].ptr);
    if (near.len == 0 && choice->count > LISTED)
        fb_buffer_add_z(&text, ", …");
    if (text.len != 0 && !text.failed)
        diag->hint = fb_arena_copy(check->diags->arena, fb_buffer_span(&text));
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

static struct choice ids_of(const struct fb_entity_type *type, const struct fb_uid *uid)
{
    return (struct choice){"it lists", fb_uid_id(uid), type->enum_ids, type->enum_count};
}

/* As it is written in policies, for a message. */
static struct fb_span written(const struct check *check, const struct fb_uid *uid)
{
    struct fb_buffer text;
    fb_buffer_init(&text, check->diags->arena->allocator, 64u << 10);
    fb_uid_print(&text, uid);
    struct fb_span copy = text.failed ? FB_SPAN("…") : fb_arena_copy(check->diags->arena, fb_buffer_span(&text));
    fb_buffer_release(&text);
    return copy;
}

static bool value_fits(const struct check *check, const struct fb_type *type, struct fb_value value,
                       const struct place *place);

static bool entity_value_fits(const struct check *check, const struct fb_type *type, const struct fb_uid *uid,
                              const struct place *place)
{
    struct fb_span found = fb_uid_type(uid);
    if (!fb_span_eq(found, type->entity))
        return fault(check, place, "is a %.*s, and the schema wants a %.*s", (int)found.len, found.ptr,
                     (int)type->entity.len, type->entity.ptr);
    if (fb_uid_is_action(uid))
        return fb_schema_action(check->schema, uid) != NULL
               || fault(check, place, "is an action that the schema does not declare");
    const struct fb_entity_type *declared = fb_schema_type(check->schema, found);
    if (id_fits(declared, uid))
        return true;
    struct fb_span text = written(check, uid);
    struct choice ids = ids_of(declared, uid);
    return fault_among(check, place, &ids, "is %.*s, which the enum entity type does not list", (int)text.len,
                       text.ptr);
}

static bool undeclared(const struct check *check, const struct fb_type *type, const struct place *place)
{
    struct fb_span names[CANDIDATES];
    uint32_t count = type->attributes_count < CANDIDATES ? type->attributes_count : CANDIDATES;
    for (uint32_t i = 0; i < count; i++)
        names[i] = type->attributes[i].name;
    return fault_among(check, place, &(struct choice){"the schema has", place->name, names, count},
                       "is not declared in the schema");
}

static bool record_fits(const struct check *check, const struct fb_type *type, const struct fb_record *record,
                        const struct place *place)
{
    const struct fb_cell *names = fb_record_names(record), *values = fb_record_values(record);
    for (uint64_t i = 0; i < record->count; i++) {
        struct place field = {.up = place, .name = fb_value_text(fb_cell_load(&names[i]))};
        const struct fb_attribute *attribute = fb_type_attribute(type, field.name);
        if (attribute == NULL)
            return undeclared(check, type, &field);
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
    return type->kind != FB_T_ENTITY || entity_value_fits(check, type, value.uid, place);
}

static bool role_fits(const struct check *check, const struct fb_schema_action *action, const char *role,
                      const struct fb_uid *uid, const struct fb_entity_type *const *types, uint32_t count)
{
    struct fb_span name = fb_uid_type(uid), names[CANDIDATES];
    uint32_t listed = count < CANDIDATES ? count : CANDIDATES;
    for (uint32_t i = 0; i < count; i++) {
        if (!fb_span_eq(types[i]->name, name))
            continue;
        if (id_fits(types[i], uid))
            return true;
        struct fb_span text = written(check, uid);
        struct choice ids = ids_of(types[i], uid);
        return fault_among(check, NULL, &ids, "the %s is %.*s, which the enum entity type does not list", role,
                           (int)text.len, text.ptr);
    }
    for (uint32_t i = 0; i < listed; i++)
        names[i] = types[i]->name;
    if (fb_schema_type(check->schema, name) == NULL)
        return fault_among(check, NULL, &(struct choice){"the action accepts", name, names, listed},
                           "the %s's type %.*s is not declared in the schema", role, (int)name.len, name.ptr);
    struct fb_span text = written(check, action->uid);
    return fault_among(check, NULL, &(struct choice){"it accepts", FB_SPAN(""), names, listed},
                       "the action %.*s does not accept a %s of type %.*s", (int)text.len, text.ptr, role,
                       (int)name.len, name.ptr);
}

static const struct fb_schema_action *declared_action(struct check *check, const struct fb_uid *uid)
{
    const struct fb_schema_action *action = fb_schema_action(check->schema, uid);
    if (action == NULL) {
        check->about = uid;
        fault(check, NULL, "the schema declares no such action");
    }
    return action;
}

static bool context_fits(const struct check *check, const struct fb_schema_action *action, struct fb_value context)
{
    return value_fits(check, action->context, context, &(struct place){.name = FB_SPAN("context")});
}

bool fb_conform_context(const struct fb_schema *schema, const struct fb_uid *action, struct fb_value context,
                        const struct fb_source *source, struct fb_diags *diags)
{
    struct check check = {.schema = schema, .source = source, .diags = diags, .code = "request.invalid"};
    const struct fb_schema_action *declared = declared_action(&check, action);
    return declared != NULL && context_fits(&check, declared, context);
}

bool fb_conform_request(const struct fb_schema *schema, const struct fb_uid *principal, const struct fb_uid *action,
                        const struct fb_uid *resource, struct fb_value context, const struct fb_source *source,
                        struct fb_diags *diags)
{
    struct check check = {.schema = schema, .source = source, .diags = diags, .code = "request.invalid"};
    const struct fb_schema_action *declared = declared_action(&check, action);
    if (declared == NULL)
        return false;
    return role_fits(&check, declared, "principal", principal, (const struct fb_entity_type *const *)declared->principals,
                     declared->principals_count)
           && role_fits(&check, declared, "resource", resource, (const struct fb_entity_type *const *)declared->resources,
                        declared->resources_count)
           && context_fits(&check, declared, context);
}

/* --- entities --- */

/* What is above a parent's type is allowed as well: it would be an ancestor anyway. */
static bool parent_allowed(const struct check *check, const struct fb_entity_type *type, struct fb_span parent)
{
    struct fb_vtypes *types = check->types;
    const struct fb_ventity *upper = fb_ventity_find(types, parent);
    for (uint32_t i = 0; upper != NULL && i < type->parents_count; i++) {
        const struct fb_ventity *lower = fb_ventity_find(types, type->parents[i]);
        if (lower != NULL
            && fb_ventity_below(types, (uint32_t)(lower - types->entities), (uint32_t)(upper - types->entities)))
            return true;
    }
    return false;
}

static bool parents_fit(const struct check *check, const struct fb_entity_type *type, const struct fb_entity *entity)
{
    for (uint32_t i = 0; i < entity->parents.count; i++) {
        const struct fb_uid *parent = fb_ref_uid(&entity->parents.refs[i]);
        struct fb_span name = fb_uid_type(parent);
        if (!parent_allowed(check, type, name))
            return fault_among(check, NULL,
                               &(struct choice){"it allows", FB_SPAN(""), type->parents, type->parents_count},
                               "the schema does not allow a parent of type %.*s", (int)name.len, name.ptr);
        if (!id_fits(fb_schema_type(check->schema, name), parent))
            return fault(check, NULL, "a parent has an id that the enum entity type %.*s does not list",
                         (int)name.len, name.ptr);
    }
    return true;
}

static bool tags_fit(const struct check *check, const struct fb_entity_type *type, const struct fb_entity *entity)
{
    const struct fb_cell *names = fb_record_names(entity->tags), *values = fb_record_values(entity->tags);
    if (entity->tags->count != 0 && type->tags == NULL)
        return fault(check, NULL, "the schema gives its type no tags");
    for (uint64_t i = 0; i < entity->tags->count; i++) {
        struct place tag = {.name = fb_value_text(fb_cell_load(&names[i])), .tag = true};
        if (!value_fits(check, type->tags, fb_cell_load(&values[i]), &tag))
            return false;
    }
    return true;
}

/* --- actions --- */

/* Groups met on the way up, in the order of their discovery. */
struct groups {
    struct fb_map seen;
    const struct fb_uid **list;
    size_t count, capacity;
};

static bool add_group(struct groups *groups, struct fb_arena *arena, const struct fb_uid *uid)
{
    struct fb_span key = fb_span((const char *)uid, fb_uid_size(uid->type_len, uid->id_len));
    if (fb_map_get(&groups->seen, key) != NULL)
        return true;
    const struct fb_uid **list = fb_arena_grow(arena, groups->list, groups->count, &groups->capacity,
                                               sizeof(const struct fb_uid *));
    if (list == NULL || !fb_map_put(&groups->seen, key, groups))
        return false;
    groups->list = list;
    list[groups->count++] = uid;
    return true;
}

static bool climb_given(struct groups *groups, struct fb_arena *arena, const struct fb_entities *source,
                        const struct fb_entity *from)
{
    struct fb_entity entity = *from;
    bool found = true, good = true;
    fb_map_init(&groups->seen, arena);
    for (size_t at = 0;; at++) {
        for (uint32_t i = 0; found && good && i < entity.parents.count; i++)
            good = add_group(groups, arena, fb_ref_uid(&entity.parents.refs[i]));
        if (at == groups->count || !good)
            return good;
        found = source->find(source->self, groups->list[at], &entity) == FB_FOUND;
    }
}

static bool climb_declared(struct groups *groups, struct fb_arena *arena, const struct fb_schema *schema,
                           const struct fb_schema_action *action)
{
    bool good = true;
    fb_map_init(&groups->seen, arena);
    for (size_t at = 0; good; at++) {
        for (uint32_t i = 0; action != NULL && good && i < action->parents_count; i++)
            good = add_group(groups, arena, action->parents[i]);
        if (at == groups->count)
            break;
        action = fb_schema_action(schema, groups->list[at]);
    }
    return good;
}

static bool action_fits(const struct check *check, const struct fb_entity_set *set, const struct fb_entity *entity)
{
    const struct fb_schema_action *action = fb_schema_action(check->schema, entity->uid);
    if (action == NULL)
        return fault(check, NULL, "the schema declares no such action");
    if (entity->attrs->count != 0 || entity->tags->count != 0)
        return fault(check, NULL, "actions have neither attributes nor tags");
    struct groups given = {.count = 0}, declared = {.count = 0};
    const struct fb_entities source = fb_entity_set_source(set);
    struct fb_arena *arena = check->types->arena;
    if (!climb_given(&given, arena, &source, entity)
        || !climb_declared(&declared, arena, check->schema, action))
        return fault(check, NULL, "out of memory");
    bool same = given.count == declared.count;
    for (size_t i = 0; same && i < given.count; i++) {
        const struct fb_uid *uid = given.list[i];
        same = fb_map_get(&declared.seen, fb_span((const char *)uid, fb_uid_size(uid->type_len, uid->id_len))) != NULL;
    }
    return same || fault(check, NULL, "its groups are not those of the schema; leave actions out of the entities");
}

static bool entity_fits(const struct check *check, const struct fb_entity_set *set, const struct fb_entity *entity)
{
    if (fb_uid_is_action(entity->uid))
        return action_fits(check, set, entity);
    const struct fb_entity_type *type = fb_schema_type(check->schema, fb_uid_type(entity->uid));
    if (type == NULL)
        return fault(check, NULL, "its type is not declared in the schema");
    if (!id_fits(type, entity->uid)) {
        struct choice ids = ids_of(type, entity->uid);
        return fault_among(check, NULL, &ids, "the enum entity type does not list this id");
    }
    return record_fits(check, type->shape, entity->attrs, NULL) && parents_fit(check, type, entity)
           && tags_fit(check, type, entity);
}

bool fb_conform_entities(const struct fb_schema *schema, const struct fb_entity_set *entities,
                         const struct fb_source *source, struct fb_arena *scratch, struct fb_diags *diags)
{
    bool fine = true;
    struct fb_vtypes types;
    struct check check = {.schema = schema, .source = source, .diags = diags, .code = "entities.invalid",
                          .types = &types};
    if (!fb_vtypes_init(&types, scratch, schema, true))
        return fault(&check, NULL, "out of memory");
    for (size_t i = 0; i < fb_entity_set_count(entities); i++) {
        struct fb_entity entity;
        fb_entity_set_at(entities, i, &entity);
        check.about = entity.uid;
        fine &= entity_fits(&check, entities, &entity);
    }
    return fine;
}
