/* SPDX-License-Identifier: Apache-2.0 */

/* A schema's names where they are used → the declarations they mean.
 *
 * An unqualified T in a namespace N is: the common type N::T, the entity type N::T, the common type
 * T, the entity type T, the builtin T; the first that exists.  A qualified one is the common or
 * entity type of exactly that name, or with `__cedar::` a builtin.  Where only an entity type may
 * stand, common and builtin types are passed over.  Common types are expanded where they are used,
 * each resolved once; a cycle of them is a fault. */

#include "cedar/schema_json.h"

/* --- builtin types --- */

static const struct {
    const char *name;
    struct fb_type type;
} builtins[] = {
    {"Bool", {.kind = FB_T_BOOL, .depth = 1, .size = 1}},
    {"Long", {.kind = FB_T_LONG, .depth = 1, .size = 1}},
    {"String", {.kind = FB_T_STRING, .depth = 1, .size = 1}},
    {"ipaddr", {.kind = FB_T_IP, .depth = 1, .size = 1}},
    {"decimal", {.kind = FB_T_DECIMAL, .depth = 1, .size = 1}},
    {"datetime", {.kind = FB_T_DATETIME, .depth = 1, .size = 1}},
    {"duration", {.kind = FB_T_DURATION, .depth = 1, .size = 1}},
};
#define BUILTINS (sizeof builtins / sizeof *builtins)

static const struct fb_type empty_record = {.kind = FB_T_RECORD, .depth = 1, .size = 1};

const struct fb_type *fb_empty_record(void)
{
    return &empty_record;
}

const struct fb_type *fb_builtin_type(struct fb_span name)
{
    for (size_t i = 0; i < BUILTINS; i++)
        if (fb_span_is(name, builtins[i].name))
            return &builtins[i].type;
    return NULL;
}

/* --- names --- */

static bool is_qualified(struct fb_span name)
{
    size_t colon = fb_span_find(name, ':');
    return colon < name.len;
}

/* In the namespace first, then as it is; a qualified name as it is only. */
static void *find(const struct fb_map *map, const struct fb_tree_namespace *space,
                  struct fb_span name, bool inside)
{
    if (!inside)
        return fb_map_get(map, name);
    if (is_qualified(name) || space->name.text.len == 0)
        return NULL;
    char full[2 * FB_UID_TYPE_MAX + 2];
    struct fb_span prefix = space->name.text;
    if (prefix.len + 2 + name.len > sizeof full)
        return NULL;
    memcpy(full, prefix.ptr, prefix.len);
    memcpy(full + prefix.len, "::", 2);
    memcpy(full + prefix.len + 2, name.ptr, name.len);
    return fb_map_get(map, fb_span(full, prefix.len + 2 + name.len));
}

static void collect_known(struct fb_resolver *r)
{
    size_t room = r->entity_count + r->common_count + BUILTINS;
    struct fb_span *known = fb_arena_array(r->arena, room, sizeof *known);
    if (known == NULL)
        return;
    for (size_t i = 0; i < BUILTINS; i++)
        known[r->known_count++] = fb_span_z(builtins[i].name);
    for (size_t i = 0; i < r->entity_count; i++)
        known[r->known_count++] = r->entity_list[i]->type->name;
    for (size_t i = 0; i < r->common_count; i++)
        known[r->known_count++] = fb_full_name(r, r->common_list[i]->space, r->common_list[i]->tree->name.text);
    r->known = known;
}

/* What people write who know other languages' types. */
static const char *usual_name(struct fb_span name)
{
    static const char *const table[][2] = {
        {"Boolean", "Bool"}, {"bool", "Bool"}, {"boolean", "Bool"}, {"string", "String"}, {"str", "String"},
        {"Int", "Long"}, {"int", "Long"}, {"Integer", "Long"}, {"integer", "Long"}, {"Number", "Long"},
        {"number", "Long"}, {"long", "Long"}, {"ip", "ipaddr"}, {"IP", "ipaddr"}, {"IpAddr", "ipaddr"},
        {"Decimal", "decimal"}, {"float", "decimal"}, {"Float", "decimal"}, {"DateTime", "datetime"},
        {"Datetime", "datetime"}, {"timestamp", "datetime"}, {"Duration", "duration"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (fb_span_is(name, table[i][0]))
            return table[i][1];
    return NULL;
}

static void report_unknown(struct fb_resolver *r, struct fb_range range, struct fb_span name, const char *what)
{
    struct fb_diag *diag = fb_resolve_fault(r, FB_ERROR, range, "schema.unknown_type", "there is no %s `%.*s`", what,
                                            (int)name.len, name.ptr);
    if (!fb_diag_kept(r->diags, diag))
        return;
    if (r->known == NULL)
        collect_known(r);
    const char *usual = usual_name(name);
    struct fb_span near = usual != NULL ? fb_span_z(usual) : fb_did_you_mean(name, r->known, r->known_count);
    if (fb_span_is(name, "Set"))
        diag->hint = FB_SPAN("say of what: `Set<String>`");
    else if (fb_span_is(name, "Record"))
        diag->hint = FB_SPAN("write the attributes of the record between `{` and `}`");
    else if (near.len != 0 && !fb_span_eq(near, name))
        diag->hint = fb_arena_format(r->diags->arena, "did you mean `%.*s`?", (int)near.len, near.ptr);
}

const struct fb_declared_entity *fb_resolve_entity(struct fb_resolver *r, const struct fb_tree_namespace *space,
                                                   const struct fb_tree_name *name)
{
    const struct fb_declared_entity *entity = find(&r->entities, space, name->text, true);
    if (entity == NULL)
        entity = find(&r->entities, space, name->text, false);
    if (entity == NULL)
        report_unknown(r, name->range, name->text, "entity type");
    return entity;
}

/* --- types --- */

static struct fb_type *new_type(struct fb_resolver *r, enum fb_type_kind kind, struct fb_range range)
{
    struct fb_type *type = fb_arena_alloc(r->arena, sizeof *type);
    if (type != NULL)
        *type = (struct fb_type){.kind = kind, .depth = 1, .size = 1, .range = range};
    return type;
}

/* Takes the measure of a part into the whole. */
static void measure(struct fb_type *type, const struct fb_type *part)
{
    uint64_t size = (uint64_t)type->size + part->size;
    type->size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
    if (part->depth + 1 > type->depth)
        type->depth = part->depth + 1;
}

/* NULL, reported, when the type has grown beyond what one may be. */
static const struct fb_type *limited(struct fb_resolver *r, const struct fb_type *type)
{
    if (type->depth <= FB_CEDAR_DEPTH && type->size <= FB_TYPE_SIZE)
        return type;
    bool deep = type->depth > FB_CEDAR_DEPTH;
    fb_resolve_fault(r, FB_ERROR, type->range, "schema.too_large",
                     "with its common types written out, this type %s %u %s", deep ? "nests more than" : "has more than",
                     deep ? FB_CEDAR_DEPTH : FB_TYPE_SIZE, deep ? "levels deep" : "parts");
    return NULL;
}

static const struct fb_type *entity_type(struct fb_resolver *r, struct fb_span name, struct fb_range range)
{
    struct fb_type *type = new_type(r, FB_T_ENTITY, range);
    if (type != NULL)
        type->entity = name;
    return type;
}

/* The names of an open cycle that comes back to `common`. */
static void report_cycle(struct fb_resolver *r, const struct fb_common *common, struct fb_range range)
{
    struct fb_span name = common->tree->name.text;
    struct fb_diag *diag = fb_resolve_fault(r, FB_ERROR, range, "schema.type_cycle",
                                            "the common type `%.*s` contains itself", (int)name.len, name.ptr);
    fb_resolve_other(r, diag, common->tree->name.range, "declared here");
    diag->hint = FB_SPAN("a type cannot be its own part; refer to an entity instead");
}

static const struct fb_type *resolve_common(struct fb_resolver *r, struct fb_common *common, struct fb_range range)
{
    if (common->state == FB_COMMON_DONE)
        return common->type;
    if (common->state == FB_COMMON_OPEN) {
        if (r->extent == FB_RESOLVE_ALL)
            report_cycle(r, common, range);
        return NULL;
    }
    if (r->depth >= FB_CEDAR_DEPTH) {
        fb_resolve_fault(r, FB_ERROR, range, "schema.too_large", "more than %u common types lead to one another",
                         FB_CEDAR_DEPTH);
        return NULL;
    }
    if (common->tree->type == NULL)
        return NULL;    /* its fault of syntax was reported */
    common->state = FB_COMMON_OPEN;
    r->depth++;
    common->type = fb_resolve_type(r, common->space, common->tree->type);
    r->depth--;
    common->state = FB_COMMON_DONE;
    return common->type;
}

void fb_resolve_meaning(struct fb_resolver *r, const struct fb_tree_namespace *space, const struct fb_tree_type *tree,
                        bool inside, struct fb_meaning *meaning)
{
    *meaning = (struct fb_meaning){.common = NULL};
    if (tree->ref != FB_REF_ENTITY)
        meaning->common = find(&r->commons, space, tree->path, inside);
    if (meaning->common != NULL || tree->ref == FB_REF_COMMON)
        return;
    const struct fb_declared_entity *entity = find(&r->entities, space, tree->path, inside);
    const struct fb_declared_action *action = find(&r->action_types, space, tree->path, inside);
    if (entity != NULL)
        meaning->entity = entity->type->name;
    else if (action != NULL)
        meaning->entity = fb_uid_type(action->action->uid);
}

/* The namespace's own names, then those outside of all. */
static const struct fb_type *resolve_path(struct fb_resolver *r, const struct fb_tree_namespace *space,
                                          const struct fb_tree_type *tree)
{
    struct fb_span builtin = FB_SPAN("__cedar::");
    const struct fb_type *type = NULL;
    if (fb_span_starts(tree->path, builtin)) {
        type = tree->ref == FB_REF_ENTITY ? NULL : fb_builtin_type(fb_span_from(tree->path, builtin.len));
        if (type == NULL)
            report_unknown(r, tree->range, tree->path, "type");
        return type;
    }
    if (fb_span_is(tree->path, "__cedar"))
        return NULL;        /* reported as a reserved word */
    for (int inside = 1; inside >= 0; inside--) {
        struct fb_meaning meaning;
        fb_resolve_meaning(r, space, tree, inside, &meaning);
        if (meaning.common != NULL)
            return resolve_common(r, meaning.common, tree->range);
        if (meaning.entity.len != 0)
            return entity_type(r, meaning.entity, tree->range);
    }
    type = is_qualified(tree->path) || tree->ref == FB_REF_ENTITY ? NULL : fb_builtin_type(tree->path);
    if (type == NULL)
        report_unknown(r, tree->range, tree->path, "type");
    return type;
}

static const struct fb_type *resolve_set(struct fb_resolver *r, const struct fb_tree_namespace *space,
                                         const struct fb_tree_type *tree)
{
    struct fb_type *set = new_type(r, FB_T_SET, tree->range);
    const struct fb_type *element = fb_resolve_type(r, space, tree->element);
    if (set == NULL || element == NULL)
        return NULL;
    set->element = element;
    measure(set, element);
    return limited(r, set);
}

/* The place for an attribute: behind the others, or that of an earlier one of its name, which it
 * replaces before that one's type is looked at, as in the official engine. */
static uint32_t place_attribute(struct fb_resolver *r, struct fb_map *names, struct fb_attribute *list, uint32_t count,
                                const struct fb_tree_attribute *tree)
{
    struct fb_attribute *first = fb_map_get(names, tree->name.text);
    if (first == NULL) {
        fb_map_put(names, tree->name.text, &list[count]);
        return count;
    }
    struct fb_diag *diag = fb_resolve_fault(r, FB_WARNING, tree->name.range, "schema.duplicate_attribute",
                                            "the attribute `%.*s` is declared twice; this one counts",
                                            (int)tree->name.text.len, tree->name.text.ptr);
    fb_resolve_other(r, diag, first->range, "first declared here");
    return (uint32_t)(first - list);
}

#define LINEAR_MAX 12u   /* attributes: with more of them, a record has a map */

static const struct fb_type *resolve_record(struct fb_resolver *r, const struct fb_tree_namespace *space,
                                            const struct fb_tree_type *tree)
{
    struct fb_type *record = new_type(r, FB_T_RECORD, tree->range);
    struct fb_attribute *list = fb_arena_array(r->arena, tree->count, sizeof *list);
    const struct fb_tree_type **types = fb_arena_array(r->arena, tree->count, sizeof(const struct fb_tree_type *));
    struct fb_map *names = fb_arena_alloc(r->arena, sizeof *names);
    if (record == NULL || list == NULL || types == NULL || names == NULL)
        return NULL;
    fb_map_init(names, r->arena);
    uint32_t count = 0;
    for (size_t i = 0; i < tree->count; i++) {
        const struct fb_tree_attribute *attribute = &tree->attributes[i];
        uint32_t place = place_attribute(r, names, list, count, attribute);
        count += place == count;
        list[place] = (struct fb_attribute){.name = attribute->name.text, .required = attribute->required,
                                            .annotations = attribute->annotations,
                                            .annotations_count = attribute->annotations_count,
                                            .range = attribute->name.range};
        types[place] = attribute->type;
    }
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        list[i].type = fb_resolve_type(r, space, types[i]);
        good = good && list[i].type != NULL;
        if (list[i].type != NULL)
            measure(record, list[i].type);
    }
    record->attributes = list;
    record->attributes_count = count;
    record->by_name = count > LINEAR_MAX ? names : NULL;
    return good ? limited(r, record) : NULL;
}

const struct fb_type *fb_resolve_type(struct fb_resolver *r, const struct fb_tree_namespace *space,
                                      const struct fb_tree_type *tree)
{
    switch (tree->kind) {
    case FB_TREE_PATH: return resolve_path(r, space, tree);
    case FB_TREE_SET: return resolve_set(r, space, tree);
    case FB_TREE_RECORD: return resolve_record(r, space, tree);
    }
    return NULL;
}

/* --- entity types --- */

static void resolve_enum(struct fb_resolver *r, const struct fb_declared_entity *entity)
{
    const struct fb_tree_names *ids = &entity->tree->ids;
    struct fb_span *list = fb_arena_array(r->arena, ids->count, sizeof *list);
    if (list == NULL)
        return;
    for (size_t i = 0; i < ids->count; i++)
        list[i] = ids->list[i].text;
    entity->type->enum_ids = list;
    entity->type->enum_count = (uint32_t)ids->count;
}

static void resolve_parents(struct fb_resolver *r, const struct fb_declared_entity *entity)
{
    const struct fb_tree_names *parents = &entity->tree->parents;
    struct fb_span *list = fb_arena_array(r->arena, parents->count, sizeof *list);
    if (list == NULL)
        return;
    uint32_t count = 0;
    for (size_t i = 0; i < parents->count; i++) {
        const struct fb_declared_entity *parent = fb_resolve_entity(r, entity->space, &parents->list[i]);
        if (parent != NULL)
            list[count++] = parent->type->name;
    }
    entity->type->parents = list;
    entity->type->parents_count = count;
}

static bool has_required(const struct fb_type *shape)
{
    for (uint32_t i = 0; i < shape->attributes_count; i++)
        if (shape->attributes[i].required)
            return true;
    return false;
}

/* `entity A, B …`: B shares what A has got. */
static void resolve_entity_type(struct fb_resolver *r, const struct fb_declared_entity *entity,
                                const struct fb_declared_entity *before)
{
    struct fb_entity_type *type = entity->type;
    if (before != NULL && before->tree == entity->tree) {
        type->shape = before->type->shape;
        type->tags = before->type->tags;
        type->parents = before->type->parents;
        type->parents_count = before->type->parents_count;
        type->enum_ids = before->type->enum_ids;
        type->enum_count = before->type->enum_count;
        type->requires_attributes = before->type->requires_attributes;
        return;
    }
    type->shape = &empty_record;
    if (entity->tree->is_enum) {
        resolve_enum(r, entity);
        return;
    }
    resolve_parents(r, entity);
    if (entity->tree->shape != NULL)
        type->shape = fb_resolve_type(r, entity->space, entity->tree->shape);
    if (type->shape != NULL && type->shape->kind != FB_T_RECORD) {  /* from JSON */
        fb_resolve_fault(r, FB_ERROR, entity->tree->shape->range, "schema.shape",
                         "the shape of an entity type is a record; this is none");
        type->shape = NULL;
    }
    if (type->shape == NULL)
        type->shape = &empty_record;
    if (entity->tree->tags != NULL)
        type->tags = fb_resolve_type(r, entity->space, entity->tree->tags);
    type->requires_attributes = has_required(type->shape);
}

static void finish_schema(struct fb_resolver *r)
{
    struct fb_schema *schema = r->schema;
    schema->types = fb_arena_array(r->arena, r->entity_count, sizeof(const struct fb_entity_type *));
    schema->actions = fb_arena_array(r->arena, r->action_count, sizeof(const struct fb_schema_action *));
    if (schema->types == NULL || schema->actions == NULL)
        return;
    for (size_t i = 0; i < r->entity_count; i++) {
        schema->types[i] = r->entity_list[i]->type;
        fb_map_put(&schema->types_by_name, r->entity_list[i]->type->name, r->entity_list[i]->type);
    }
    for (size_t i = 0; i < r->action_count; i++) {
        schema->actions[i] = r->action_list[i]->action;
        fb_map_put(&schema->actions_by_text, fb_uid_key(r->action_list[i]->action->uid), r->action_list[i]->action);
    }
    schema->types_count = (uint32_t)r->entity_count;
    schema->actions_count = (uint32_t)r->action_count;
}

static void resolve(struct fb_resolver *r, const struct fb_tree_namespace *spaces)
{
    fb_schema_declare(r, spaces);
    if (r->extent == FB_RESOLVE_DECLARED)
        return;
    for (size_t i = 0; i < r->common_count; i++)
        resolve_common(r, r->common_list[i], r->common_list[i]->tree->name.range);
    for (size_t i = 0; i < r->entity_count; i++)
        resolve_entity_type(r, r->entity_list[i], i > 0 ? r->entity_list[i - 1] : NULL);
    fb_resolve_actions(r);
    finish_schema(r);
}

const struct fb_schema *fb_schema_resolve(struct fb_resolver *r, struct fb_arena *arena, const struct fb_source *source,
                                          const struct fb_tree_namespace *spaces, enum fb_resolve_extent extent,
                                          struct fb_diags *diags)
{
    struct fb_schema *schema = fb_arena_alloc(arena, sizeof *schema);
    if (schema == NULL)
        return NULL;
    *schema = (struct fb_schema){.arena = arena};
    fb_map_init(&schema->types_by_name, arena);
    fb_map_init(&schema->actions_by_text, arena);
    *r = (struct fb_resolver){.extent = extent, .arena = arena, .source = source, .diags = diags,
                              .schema = schema};
    fb_map_init(&r->commons, arena);
    fb_map_init(&r->entities, arena);
    fb_map_init(&r->actions, arena);
    fb_map_init(&r->action_types, arena);
    resolve(r, spaces);
    if (arena->failed) {
        fb_diag_add(diags, FB_ERROR, "parse.memory", source, (struct fb_range){0, 0},
                    "not enough memory for the schema");
        return NULL;
    }
    return schema;
}

/* All faults are reported, those of names too where the syntax had one. */
static const struct fb_schema *read(struct fb_resolver *r, const struct fb_tree_namespace **spaces,
                                    struct fb_arena *arena, const struct fb_source *source, bool json,
                                    enum fb_resolve_extent extent, struct fb_diags *diags)
{
    size_t errors = diags->errors, from = diags->count;
    *spaces = json ? fb_schema_parse_json(arena, source, diags) : fb_schema_parse(arena, source, diags);
    if (*spaces == NULL)
        return NULL;
    const struct fb_schema *schema = fb_schema_resolve(r, arena, source, *spaces, extent, diags);
    fb_parse_sort(diags, from);
    return diags->errors == errors ? schema : NULL;
}

const struct fb_schema *fb_schema_read(struct fb_arena *arena, const struct fb_source *source, struct fb_diags *diags)
{
    struct fb_resolver r;
    const struct fb_tree_namespace *spaces;
    return read(&r, &spaces, arena, source, false, FB_RESOLVE_ALL, diags);
}

const struct fb_schema *fb_schema_read_json(struct fb_arena *arena, const struct fb_source *source,
                                            struct fb_diags *diags)
{
    struct fb_resolver r;
    const struct fb_tree_namespace *spaces;
    return read(&r, &spaces, arena, source, true, FB_RESOLVE_ALL, diags);
}

static bool translate(struct fb_buffer *out, struct fb_arena *arena, const struct fb_source *source,
                      enum fb_schema_form form, enum fb_resolve_extent extent, struct fb_diags *diags)
{
    struct fb_resolver r;
    const struct fb_tree_namespace *spaces;
    if (read(&r, &spaces, arena, source, form == FB_SCHEMA_TEXT, extent, diags) == NULL)
        return false;
    if (form != FB_SCHEMA_TEXT) {
        fb_tree_write_json(out, spaces, form == FB_SCHEMA_JSON_RESOLVED ? &r : NULL);
        return true;
    }
    size_t errors = diags->errors;
    fb_tree_print(out, spaces, &r);
    return diags->errors == errors;
}

bool fb_schema_translate(struct fb_buffer *out, struct fb_arena *arena, const struct fb_source *source,
                         enum fb_schema_form form, struct fb_diags *diags)
{
    return translate(out, arena, source, form, FB_RESOLVE_ALL, diags);
}

bool fb_schema_translate_fragment(struct fb_buffer *out, struct fb_arena *arena, const struct fb_source *source,
                                  enum fb_schema_form form, struct fb_diags *diags)
{
    return translate(out, arena, source, form,
                     form == FB_SCHEMA_JSON_RESOLVED ? FB_RESOLVE_NAMES : FB_RESOLVE_DECLARED, diags);
}
