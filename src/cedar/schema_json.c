/* SPDX-License-Identifier: Apache-2.0 */

/* JSON → a schema as the Cedar syntax would have written it, for the same resolver.
 *
 *   {NS: {entityTypes: {T: {memberOfTypes?, shape?, tags?, annotations?} | {enum, annotations?}},
 *         actions: {a: {appliesTo?: {principalTypes, resourceTypes, context?}, memberOf?: [{id, type?}],
 *                       annotations?}},
 *         commonTypes?: {T: Type}, annotations?}}
 *
 * Where the two forms differ: a builtin type is `__cedar::Long` in the tree, so that nothing shadows it,
 * and a path may be for an entity or for a common type only.  Members that are not known are faults; the
 * first fault ends the reading. */

#include "cedar/est.h"
#include "cedar/schema_json.h"

/* Where a type stands, and so what may stand beside it. */
enum place { PLAIN, ATTRIBUTE, COMMON };

static const struct fb_tree_type *read_type(struct fb_est *est, enum place place, struct fb_tree_attribute *with);

static bool is_key(const struct fb_est *est, const char *name)
{
    return fb_span_is(est->json.string, name);
}

static bool unknown_member(struct fb_est *est, const char *of)
{
    return fb_est_fail(est, "json.unknown", "there is no member `%.*s` of %s",
                       (int)(est->json.string.len < 60 ? est->json.string.len : 60), est->json.string.ptr, of);
}

/* A type's name or path, a string that comes next. */
static bool read_name(struct fb_est *est, bool qualified, struct fb_tree_name *name)
{
    if (!fb_est_expect(est, FB_JSON_STRING, "a name"))
        return false;
    *name = (struct fb_tree_name){est->json.string, est->json.range};
    struct fb_span builtin = FB_SPAN("__cedar::"), text = name->text;
    if (qualified && fb_span_starts(text, builtin))
        text = fb_span_from(text, builtin.len);
    bool valid = qualified ? fb_type_name_valid(text) : fb_identifier_valid(text);
    if (!valid)
        return fb_est_fail(est, "json.type_name", "a name is written as `User`%s, without white space and reserved words",
                           qualified ? " or `App::User`" : "");
    return text.len <= FB_UID_TYPE_MAX
           || fb_est_fail(est, "parse.name_too_long", "a name of %zu bytes; at most %u are read", text.len, FB_UID_TYPE_MAX);
}

/* A string, or names, in an array that comes next. */
static bool read_names(struct fb_est *est, bool strings, struct fb_tree_names *names)
{
    if (!fb_est_expect(est, FB_JSON_ARRAY, "an array of names"))
        return false;
    for (;;) {
        /* A name wants to take its own event, so the end is looked for first. */
        fb_json_next(&est->json);
        if (est->json.event == FB_JSON_ARRAY_END)
            return true;
        if (!fb_est_is(est, FB_JSON_STRING, "a string"))
            return false;
        struct fb_span text = est->json.string;
        if (!strings && !fb_type_name_valid(text))
            return fb_est_fail(est, "json.type_name", "a type's name is written as `User` or `App::User`");
        names->list = fb_arena_grow(est->parser.arena, names->list, names->count, &names->capacity, sizeof *names->list);
        if (names->list == NULL)
            return false;
        names->list[names->count++] = (struct fb_tree_name){text, est->json.range};
    }
}

/* --- types --- */

/* Members as they come. */
struct draft {
    struct fb_span type;
    struct fb_range type_range;
    struct fb_tree_name name;
    const struct fb_tree_type *element;
    struct fb_tree_type *record;
    bool has_type, has_name, has_additional, additional;
};

static struct fb_tree_type *new_type(struct fb_est *est, enum fb_tree_kind kind, struct fb_range range)
{
    struct fb_tree_type *type = fb_arena_alloc(est->parser.arena, sizeof *type);
    if (type != NULL) {
        type->kind = kind;
        type->range = range;
    }
    return type;
}

/* {name: Type} into draft->record. */
static bool read_attributes(struct fb_est *est, struct draft *draft)
{
    if (!fb_est_expect(est, FB_JSON_OBJECT, "an object of attributes"))
        return false;
    struct fb_tree_type *record = new_type(est, FB_TREE_RECORD, est->json.range);
    if (record == NULL)
        return false;
    draft->record = record;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        struct fb_tree_attribute attribute = {.name = {est->json.string, est->json.range}, .required = true};
        attribute.type = read_type(est, ATTRIBUTE, &attribute);
        record->attributes = fb_arena_grow(est->parser.arena, record->attributes, record->count, &record->capacity,
                                           sizeof *record->attributes);
        if (attribute.type == NULL || record->attributes == NULL)
            return false;
        record->attributes[record->count++] = attribute;
    }
    return fb_est_ended(est, FB_JSON_OBJECT_END);
}

static bool read_bool(struct fb_est *est, bool *value)
{
    fb_json_next(&est->json);
    *value = est->json.event == FB_JSON_TRUE;
    return *value || fb_est_is(est, FB_JSON_FALSE, "true or false");
}

static bool read_type_member(struct fb_est *est, enum place place, struct draft *draft, struct fb_tree_attribute *with)
{
    if (is_key(est, "type")) {
        draft->has_type = true;
        if (!fb_est_expect(est, FB_JSON_STRING, "a type's name"))
            return false;
        draft->type = est->json.string;
        draft->type_range = est->json.range;
        return true;
    }
    if (is_key(est, "element")) {
        draft->element = read_type(est, PLAIN, NULL);
        return draft->element != NULL;
    }
    if (is_key(est, "attributes"))
        return read_attributes(est, draft);
    if (is_key(est, "additionalAttributes")) {
        draft->has_additional = true;
        return read_bool(est, &draft->additional);
    }
    if (is_key(est, "name")) {
        draft->has_name = true;
        return read_name(est, true, &draft->name);
    }
    if (place == ATTRIBUTE && is_key(est, "required"))
        return read_bool(est, &with->required);
    if (place != PLAIN && is_key(est, "annotations"))
        return fb_est_annotations(est, &with->annotations, &with->annotations_count);
    return unknown_member(est, "a type");
}

static const struct fb_tree_type *make_path(struct fb_est *est, const struct draft *draft, enum fb_tree_ref ref,
                                            struct fb_span path)
{
    struct fb_tree_type *type = new_type(est, FB_TREE_PATH, draft->type_range);
    if (type != NULL) {
        type->ref = ref;
        type->path = path;
    }
    return type;
}

static const struct fb_tree_type *fail_type(struct fb_est *est, const struct draft *draft, const char *text)
{
    fb_est_fail_at(est, draft->type_range, "json.type", "%s", text);
    return NULL;
}

/* `Entity`, `EntityOrCommon` and `Extension`, which have a name. */
static const struct fb_tree_type *make_named(struct fb_est *est, const struct draft *draft)
{
    if (!draft->has_name)
        return fail_type(est, draft, "this type needs a `name`");
    struct fb_span name = draft->name.text;
    if (!fb_span_is(draft->type, "Extension"))
        return make_path(est, draft, fb_span_is(draft->type, "Entity") ? FB_REF_ENTITY : FB_REF_ANY, name);
    if (!fb_span_is(name, "ipaddr") && !fb_span_is(name, "decimal") && !fb_span_is(name, "datetime")
        && !fb_span_is(name, "duration"))
        return fail_type(est, draft, "the extension types are ipaddr, decimal, datetime and duration");
    return make_path(est, draft, FB_REF_ANY,
                     fb_arena_format(est->parser.arena, "__cedar::%.*s", (int)name.len, name.ptr));
}

/* Nothing else may stand beside a type that it does not need. */
static bool has_excess(const struct draft *draft, bool element, bool attributes, bool name)
{
    return (draft->element != NULL && !element) || (draft->record != NULL && !attributes)
           || (draft->has_additional && !attributes) || (draft->has_name && !name);
}

static const struct fb_tree_type *make_type(struct fb_est *est, const struct draft *draft)
{
    struct fb_span type = draft->type;
    bool set = fb_span_is(type, "Set"), record = fb_span_is(type, "Record");
    bool named = fb_span_is(type, "Entity") || fb_span_is(type, "EntityOrCommon") || fb_span_is(type, "Extension");
    if (has_excess(draft, set, record, named))
        return fail_type(est, draft, "a member beside this type does not belong to it");
    if (named)
        return make_named(est, draft);
    if (set) {
        struct fb_tree_type *made = new_type(est, FB_TREE_SET, draft->type_range);
        if (draft->element == NULL)
            return fail_type(est, draft, "a `Set` needs an `element`");
        if (made != NULL)
            made->element = draft->element;
        return made;
    }
    if (record && draft->record == NULL)
        return fail_type(est, draft, "a `Record` needs `attributes`");
    if (record && draft->additional)
        return fail_type(est, draft, "`additionalAttributes` are not supported");
    if (record)
        return draft->record;
    if (fb_span_is(type, "Long") || fb_span_is(type, "String") || fb_span_is(type, "Boolean")) {
        struct fb_span name = fb_span_is(type, "Boolean") ? FB_SPAN("Bool") : type;
        return make_path(est, draft, FB_REF_ANY,
                         fb_arena_format(est->parser.arena, "__cedar::%.*s", (int)name.len, name.ptr));
    }
    struct fb_span builtin = FB_SPAN("__cedar::");
    if (!fb_type_name_valid(fb_span_starts(type, builtin) ? fb_span_from(type, builtin.len) : type)
        || type.len > FB_UID_TYPE_MAX)
        return fail_type(est, draft, "this is no type, and no name of one");
    return make_path(est, draft, FB_REF_COMMON, type);
}

/* A type, of which nothing was taken; `with` has what may stand beside it. */
static const struct fb_tree_type *read_type(struct fb_est *est, enum place place, struct fb_tree_attribute *with)
{
    if (!fb_est_expect(est, FB_JSON_OBJECT, "a type, an object"))
        return NULL;
    if (est->depth >= FB_CEDAR_DEPTH) {
        fb_est_fail(est, "parse.too_deep", "nested more than %u levels deep", FB_CEDAR_DEPTH);
        return NULL;
    }
    struct draft draft = {.type_range = est->json.range};
    est->depth++;
    while (fb_json_next(&est->json) == FB_JSON_KEY)
        if (!read_type_member(est, place, &draft, with))
            return NULL;
    est->depth--;
    if (!fb_est_ended(est, FB_JSON_OBJECT_END))
        return NULL;
    return draft.has_type ? make_type(est, &draft) : fail_type(est, &draft, "a type needs a `type`");
}

/* --- entity types --- */

static bool read_entity_member(struct fb_est *est, struct fb_tree_entity *entity)
{
    if (is_key(est, "memberOfTypes"))
        return read_names(est, false, &entity->parents);
    if (is_key(est, "shape")) {
        entity->shape = read_type(est, PLAIN, NULL);
        return entity->shape != NULL;
    }
    if (is_key(est, "tags")) {
        entity->tags = read_type(est, PLAIN, NULL);
        return entity->tags != NULL;
    }
    if (is_key(est, "enum")) {
        struct fb_range range = est->json.range;
        entity->is_enum = true;
        return read_names(est, true, &entity->ids)
               && (entity->ids.count != 0 || fb_est_fail_at(est, range, "schema.enum", "an enumeration has at least one id"));
    }
    if (is_key(est, "annotations"))
        return fb_est_annotations(est, &entity->annotations, &entity->annotations_count);
    return unknown_member(est, "an entity type");
}

static bool add_name(struct fb_est *est, struct fb_tree_names *names)
{
    names->list = fb_arena_grow(est->parser.arena, names->list, 0, &names->capacity, sizeof *names->list);
    if (names->list == NULL)
        return false;
    names->list[0] = (struct fb_tree_name){est->json.string, est->json.range};
    names->count = 1;
    return true;
}

static bool check_identifier(struct fb_est *est)
{
    return fb_identifier_valid(est->json.string)
           || fb_est_fail(est, "json.type_name", "a type is declared by an identifier that is no reserved word");
}

static bool read_entities(struct fb_est *est, struct fb_tree_namespace *space)
{
    if (!fb_est_expect(est, FB_JSON_OBJECT, "an object of entity types"))
        return false;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        struct fb_tree_entity *entity = fb_arena_alloc(est->parser.arena, sizeof *entity);
        struct fb_range name = est->json.range;
        if (entity == NULL || !check_identifier(est) || !add_name(est, &entity->names)
            || !fb_est_expect(est, FB_JSON_OBJECT, "an entity type, an object"))
            return false;
        bool others = false;
        while (fb_json_next(&est->json) == FB_JSON_KEY) {
            others |= is_key(est, "memberOfTypes") || is_key(est, "shape") || is_key(est, "tags");
            if (!read_entity_member(est, entity))
                return false;
        }
        if (!fb_est_ended(est, FB_JSON_OBJECT_END))
            return false;
        if (entity->is_enum && others)
            return fb_est_fail_at(est, name, "schema.enum", "an enumeration has nothing but its ids and annotations");
        *space->entities_end = entity;
        space->entities_end = &entity->next;
    }
    return fb_est_ended(est, FB_JSON_OBJECT_END);
}

/* --- common types --- */

static bool read_commons(struct fb_est *est, struct fb_tree_namespace *space)
{
    if (!fb_est_expect(est, FB_JSON_OBJECT, "an object of common types"))
        return false;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        struct fb_tree_common *common = fb_arena_alloc(est->parser.arena, sizeof *common);
        if (common == NULL || !check_identifier(est))
            return false;
        common->name = (struct fb_tree_name){est->json.string, est->json.range};
        struct fb_tree_attribute with = {.required = true};
        common->type = read_type(est, COMMON, &with);
        if (common->type == NULL)
            return false;
        common->annotations = with.annotations;
        common->annotations_count = with.annotations_count;
        *space->commons_end = common;
        space->commons_end = &common->next;
    }
    return fb_est_ended(est, FB_JSON_OBJECT_END);
}

/* --- actions --- */

/* {id, type?}, whose brace was taken. */
static bool read_parent(struct fb_est *est, struct fb_tree_action *action)
{
    struct fb_tree_action_ref ref = {.range = est->json.range};
    bool has_id = false;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        if (is_key(est, "id")) {
            if (!fb_est_expect(est, FB_JSON_STRING, "an action's id"))
                return false;
            ref.id = est->json.string;
            has_id = true;
        } else if (is_key(est, "type")) {
            fb_json_next(&est->json);
            if (est->json.event == FB_JSON_NULL)
                continue;
            if (!fb_est_is(est, FB_JSON_STRING, "an action's type") || !fb_est_type(est, &ref.type))
                return false;
        } else {
            return unknown_member(est, "an action's group");
        }
    }
    if (!fb_est_ended(est, FB_JSON_OBJECT_END))
        return false;
    if (!has_id)
        return fb_est_fail_at(est, ref.range, "json.missing", "an action's group needs an `id`");
    action->parents = fb_arena_grow(est->parser.arena, action->parents, action->parents_count,
                                    &action->parents_capacity, sizeof *action->parents);
    if (action->parents == NULL)
        return false;
    action->parents[action->parents_count++] = ref;
    return true;
}

static bool read_parents(struct fb_est *est, struct fb_tree_action *action)
{
    fb_json_next(&est->json);
    if (est->json.event == FB_JSON_NULL)
        return true;
    if (!fb_est_is(est, FB_JSON_ARRAY, "an array of action groups"))
        return false;
    while (fb_json_next(&est->json) == FB_JSON_OBJECT)
        if (!read_parent(est, action))
            return false;
    return fb_est_is(est, FB_JSON_ARRAY_END, "an action group, an object");
}

static bool read_applies(struct fb_est *est, struct fb_tree_action *action)
{
    fb_json_next(&est->json);
    if (est->json.event == FB_JSON_NULL)
        return true;
    struct fb_range open = est->json.range;
    bool principals = false, resources = false;
    if (!fb_est_is(est, FB_JSON_OBJECT, "an object with principalTypes and resourceTypes"))
        return false;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        bool read = true;
        if (is_key(est, "principalTypes")) {
            principals = true;
            read = read_names(est, false, &action->principals);
        } else if (is_key(est, "resourceTypes")) {
            resources = true;
            read = read_names(est, false, &action->resources);
        } else if (is_key(est, "context")) {
            action->context = read_type(est, PLAIN, NULL);
            read = action->context != NULL;
        } else {
            return unknown_member(est, "`appliesTo`");
        }
        if (!read)
            return false;
    }
    if (!fb_est_ended(est, FB_JSON_OBJECT_END))
        return false;
    return (principals && resources)
           || fb_est_fail_at(est, open, "schema.applies_to", "`appliesTo` needs `principalTypes` and `resourceTypes`");
}

static bool read_action_member(struct fb_est *est, struct fb_tree_action *action)
{
    if (is_key(est, "memberOf"))
        return read_parents(est, action);
    if (is_key(est, "appliesTo"))
        return read_applies(est, action);
    if (is_key(est, "annotations"))
        return fb_est_annotations(est, &action->annotations, &action->annotations_count);
    if (is_key(est, "attributes")) {
        fb_json_next(&est->json);
        return est->json.event == FB_JSON_NULL || fb_est_fail(est, "schema.attributes", "actions cannot have attributes");
    }
    return unknown_member(est, "an action");
}

static bool read_actions(struct fb_est *est, struct fb_tree_namespace *space)
{
    if (!fb_est_expect(est, FB_JSON_OBJECT, "an object of actions"))
        return false;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        struct fb_tree_action *action = fb_arena_alloc(est->parser.arena, sizeof *action);
        if (action == NULL || !add_name(est, &action->names)
            || !fb_est_expect(est, FB_JSON_OBJECT, "an action, an object"))
            return false;
        while (fb_json_next(&est->json) == FB_JSON_KEY)
            if (!read_action_member(est, action))
                return false;
        if (!fb_est_ended(est, FB_JSON_OBJECT_END))
            return false;
        *space->actions_end = action;
        space->actions_end = &action->next;
    }
    return fb_est_ended(est, FB_JSON_OBJECT_END);
}

/* --- namespaces --- */

static bool read_namespace_member(struct fb_est *est, struct fb_tree_namespace *space, unsigned *met)
{
    if (is_key(est, "entityTypes")) {
        *met |= 1;
        return read_entities(est, space);
    }
    if (is_key(est, "actions")) {
        *met |= 2;
        return read_actions(est, space);
    }
    if (is_key(est, "commonTypes"))
        return read_commons(est, space);
    if (!is_key(est, "annotations"))
        return unknown_member(est, "a namespace");
    struct fb_range range = est->json.range;
    if (!fb_est_annotations(est, &space->annotations, &space->annotations_count))
        return false;
    return space->name.text.len != 0 || space->annotations_count == 0
           || fb_est_fail_at(est, range, "schema.annotations", "what stands in no namespace has no annotations");
}

/* Behind its key. */
static struct fb_tree_namespace *read_namespace(struct fb_est *est)
{
    struct fb_tree_namespace *space = fb_arena_alloc(est->parser.arena, sizeof *space);
    if (space == NULL)
        return NULL;
    space->name = (struct fb_tree_name){est->json.string, est->json.range};
    space->entities_end = &space->entities;
    space->actions_end = &space->actions;
    space->commons_end = &space->commons;
    if (space->name.text.len != 0 && !fb_est_type(est, &space->name.text))
        return NULL;
    if (!fb_est_expect(est, FB_JSON_OBJECT, "a namespace, an object"))
        return NULL;
    struct fb_range open = est->json.range;
    unsigned met = 0;
    while (fb_json_next(&est->json) == FB_JSON_KEY)
        if (!read_namespace_member(est, space, &met))
            return NULL;
    if (!fb_est_ended(est, FB_JSON_OBJECT_END))
        return NULL;
    if (met == 3)
        return space;
    fb_est_fail_at(est, open, "json.missing", "a namespace needs `entityTypes` and `actions`, empty ones perhaps");
    return NULL;
}

/* The namespaces, with an empty one in front if the schema has none. */
static struct fb_tree_namespace *read_document(struct fb_est *est)
{
    struct fb_tree_namespace *first = NULL, **end = &first;
    if (!fb_est_expect(est, FB_JSON_OBJECT, "a schema, an object of namespaces"))
        return NULL;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        *end = read_namespace(est);
        if (*end == NULL)
            return NULL;
        end = &(*end)->next;
    }
    if (!fb_est_ended(est, FB_JSON_OBJECT_END) || fb_json_next(&est->json) != FB_JSON_END)
        return NULL;
    return first != NULL ? first : fb_arena_alloc(est->parser.arena, sizeof *first);
}

const struct fb_tree_namespace *fb_schema_parse_json(struct fb_arena *arena, const struct fb_source *source,
                                                     struct fb_diags *diags)
{
    size_t errors = diags->errors;
    struct fb_json_limits limits = {.depth = 4 * FB_CEDAR_DEPTH, .bytes = FB_CEDAR_TEXT_MAX, .keys = 1u << 20};
    struct fb_est est = {.parser = {.source = source, .diags = diags, .arena = arena, .fault_at = UINT32_MAX}};
    fb_json_init(&est.json, source->text, arena, limits);
    const struct fb_tree_namespace *spaces = read_document(&est);
    if (spaces == NULL && est.json.error != NULL)
        fb_json_report(&est.json, source, diags);
    else if (spaces == NULL && diags->errors == errors)
        fb_diag_add(diags, FB_ERROR, "parse.memory", source, (struct fb_range){0, 0},
                    "not enough memory for the schema");
    return spaces;
}
