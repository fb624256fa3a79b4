/* SPDX-License-Identifier: Apache-2.0 */

/* The names that a schema declares: full names, declarations given twice, reserved names, and
 * names that shadow others (RFC 70: a name in a namespace may not be one of the empty namespace). */

#include "cedar/schema_resolve.h"

struct fb_span fb_full_name(struct fb_resolver *r, const struct fb_tree_namespace *space, struct fb_span text)
{
    if (space->name.text.len == 0)
        return text;
    return fb_arena_format(r->arena, "%.*s::%.*s", (int)space->name.text.len, space->name.text.ptr, (int)text.len,
                           text.ptr);
}

struct fb_span fb_uid_key(const struct fb_uid *uid)
{
    return fb_span((const char *)uid, fb_uid_size(uid->type_len, uid->id_len));
}

struct fb_diag *fb_resolve_fault(struct fb_resolver *r, enum fb_severity severity, struct fb_range range,
                                 const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct fb_span text = fb_arena_vformat(r->diags->arena, format, args);
    va_end(args);
    return fb_diag_add(r->diags, severity, code, r->source, range, "%.*s", (int)text.len,
                       text.ptr != NULL ? text.ptr : "");
}

void fb_resolve_other(struct fb_resolver *r, struct fb_diag *diag, struct fb_range range, const char *message)
{
    diag->other = r->source;
    diag->other_range = range;
    diag->other_message = fb_span_z(message);
}

static void report_twice(struct fb_resolver *r, const char *what, const struct fb_tree_name *name,
                         struct fb_range first)
{
    struct fb_diag *diag =
        fb_resolve_fault(r, FB_ERROR, name->range, "schema.duplicate", "the %s `%.*s` is declared twice", what,
                         (int)name->text.len, name->text.ptr);
    fb_resolve_other(r, diag, first, "first declared here");
}

/* False, reported: longer than names may be. */
static bool check_length(struct fb_resolver *r, const struct fb_tree_name *name, size_t length, size_t limit)
{
    if (length <= limit)
        return true;
    fb_resolve_fault(r, FB_ERROR, name->range, "parse.name_too_long", "a name of %zu bytes; at most %zu are read",
                     length, limit);
    return false;
}

static void warn_builtin(struct fb_resolver *r, const struct fb_tree_name *name)
{
    if (fb_builtin_type(name->text) == NULL)
        return;
    struct fb_diag *diag = fb_resolve_fault(r, FB_WARNING, name->range, "schema.shadows_builtin",
                                            "`%.*s` hides the builtin type of that name", (int)name->text.len,
                                            name->text.ptr);
    diag->hint = fb_arena_format(r->diags->arena, "the builtin type is then `__cedar::%.*s` only", (int)name->text.len,
                                 name->text.ptr);
}

/* --- entity types --- */

static void declare_entity(struct fb_resolver *r, const struct fb_tree_namespace *space,
                           const struct fb_tree_entity *tree, const struct fb_tree_name *name)
{
    struct fb_span full = fb_full_name(r, space, name->text);
    if (!check_length(r, name, full.len, FB_UID_TYPE_MAX))
        return;
    if (fb_span_is(name->text, "Action")) {
        fb_resolve_fault(r, FB_ERROR, name->range, "schema.reserved", "no entity type may be called `Action`")->hint
            = FB_SPAN("actions are declared with `action`");
        return;
    }
    const struct fb_declared_entity *first = fb_map_get(&r->entities, full);
    if (first != NULL) {
        report_twice(r, "entity type", name, first->type->range);
        return;
    }
    warn_builtin(r, name);
    struct fb_declared_entity *entity = fb_arena_alloc(r->arena, sizeof *entity);
    struct fb_entity_type *type = fb_arena_alloc(r->arena, sizeof *type);
    struct fb_declared_entity **grown = fb_arena_grow(r->arena, r->entity_list, r->entity_count, &r->entity_capacity,
                                                      sizeof *grown);
    if (entity == NULL || type == NULL || grown == NULL)
        return;
    *type = (struct fb_entity_type){.name = full, .name_hash = fb_hash(full), .annotations = tree->annotations,
                                    .annotations_count = tree->annotations_count, .source = r->source,
                                    .range = name->range};
    *entity = (struct fb_declared_entity){.type = type, .space = space, .tree = tree};
    r->entity_list = grown;
    grown[r->entity_count++] = entity;
    fb_map_put(&r->entities, full, entity);
}

/* --- common types --- */

static bool is_reserved_common(struct fb_span name)
{
    static const char *const reserved[] = {"Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (fb_span_is(name, reserved[i]))
            return true;
    return false;
}

static void declare_common(struct fb_resolver *r, const struct fb_tree_namespace *space,
                           const struct fb_tree_common *tree)
{
    struct fb_span full = fb_full_name(r, space, tree->name.text);
    if (!check_length(r, &tree->name, full.len, FB_UID_TYPE_MAX))
        return;
    if (is_reserved_common(tree->name.text)) {
        fb_resolve_fault(r, FB_ERROR, tree->name.range, "schema.reserved",
                         "`%.*s` is reserved: no common type may be called so", (int)tree->name.text.len,
                         tree->name.text.ptr);
        return;
    }
    const struct fb_common *first = fb_map_get(&r->commons, full);
    if (first != NULL) {
        report_twice(r, "common type", &tree->name, first->tree->name.range);
        return;
    }
    warn_builtin(r, &tree->name);
    const struct fb_declared_entity *entity = fb_map_get(&r->entities, full);
    if (entity != NULL) {
        struct fb_diag *diag = fb_resolve_fault(r, FB_WARNING, tree->name.range, "schema.shadows_entity",
                                                "the common type `%.*s` hides the entity type of that name",
                                                (int)full.len, full.ptr);
        fb_resolve_other(r, diag, entity->type->range, "the entity type");
    }
    struct fb_common *common = fb_arena_alloc(r->arena, sizeof *common);
    struct fb_common **grown = fb_arena_grow(r->arena, r->common_list, r->common_count, &r->common_capacity,
                                             sizeof *grown);
    if (common == NULL || grown == NULL)
        return;
    *common = (struct fb_common){.space = space, .tree = tree};
    r->common_list = grown;
    grown[r->common_count++] = common;
    fb_map_put(&r->commons, full, common);
}

/* --- actions --- */

static void declare_action(struct fb_resolver *r, const struct fb_tree_namespace *space, struct fb_span type,
                           const struct fb_tree_action *tree, const struct fb_tree_name *name)
{
    if (!check_length(r, name, type.len, FB_UID_TYPE_MAX) || !check_length(r, name, name->text.len, FB_UID_ID_MAX))
        return;
    const struct fb_uid *uid = fb_uid_new(r->arena, type, name->text);
    if (uid == NULL)
        return;
    const struct fb_declared_action *first = fb_map_get(&r->actions, fb_uid_key(uid));
    if (first != NULL) {
        report_twice(r, "action", name, first->action->range);
        return;
    }
    struct fb_declared_action *declared = fb_arena_alloc(r->arena, sizeof *declared);
    struct fb_schema_action *action = fb_arena_alloc(r->arena, sizeof *action);
    struct fb_declared_action **grown = fb_arena_grow(r->arena, r->action_list, r->action_count, &r->action_capacity,
                                                      sizeof *grown);
    if (declared == NULL || action == NULL || grown == NULL)
        return;
    *action = (struct fb_schema_action){.uid = uid, .annotations = tree->annotations,
                                        .annotations_count = tree->annotations_count, .source = r->source,
                                        .range = name->range};
    *declared = (struct fb_declared_action){.action = action, .space = space, .tree = tree};
    r->action_list = grown;
    grown[r->action_count++] = declared;
    fb_map_put(&r->actions, fb_uid_key(uid), declared);
    fb_map_put(&r->action_types, type, declared);
}

/* --- namespaces --- */

static void declare_in(struct fb_resolver *r, const struct fb_tree_namespace *space)
{
    for (const struct fb_tree_entity *entity = space->entities; entity != NULL; entity = entity->next)
        for (size_t i = 0; i < entity->names.count; i++)
            declare_entity(r, space, entity, &entity->names.list[i]);
    for (const struct fb_tree_common *common = space->commons; common != NULL; common = common->next)
        declare_common(r, space, common);
    if (space->actions == NULL)
        return;
    struct fb_span type = fb_full_name(r, space, FB_SPAN("Action"));
    for (const struct fb_tree_action *action = space->actions; action != NULL; action = action->next)
        for (size_t i = 0; i < action->names.count; i++)
            declare_action(r, space, type, action, &action->names.list[i]);
}

/* `__cedar`, alone or in front; elsewhere in a path the parser has reported it. */
static bool is_cedar_namespace(struct fb_span name)
{
    return fb_span_is(name, "__cedar") || fb_span_starts(name, FB_SPAN("__cedar::"));
}

static bool check_namespace(struct fb_resolver *r, struct fb_map *seen, const struct fb_tree_namespace *space)
{
    if (space->name.text.len == 0)
        return true;
    if (is_cedar_namespace(space->name.text) && !fb_span_is(space->name.text, "__cedar"))
        fb_resolve_fault(r, FB_ERROR, space->name.range, "schema.reserved", "the namespace `__cedar` is reserved");
    const struct fb_tree_name *first = fb_map_get(seen, space->name.text);
    if (first != NULL) {
        report_twice(r, "namespace", &space->name, first->range);
        return false;
    }
    struct fb_tree_name *name = fb_arena_alloc(r->arena, sizeof *name);
    if (name == NULL)
        return false;
    *name = space->name;
    return fb_map_put(seen, name->text, name);
}

/* --- shadowing --- */

static void report_shadow(struct fb_resolver *r, struct fb_range range, struct fb_span full, struct fb_span hidden,
                          struct fb_range first)
{
    struct fb_diag *diag = fb_resolve_fault(r, FB_ERROR, range, "schema.shadows", "`%.*s` shadows `%.*s`",
                                            (int)full.len, full.ptr, (int)hidden.len, hidden.ptr);
    diag->hint = FB_SPAN("a name outside of all namespaces may not be declared in one again (RFC 70)");
    fb_resolve_other(r, diag, first, "declared here");
}

/* A type declared in a namespace, against the types of the empty one. */
static void check_type_shadow(struct fb_resolver *r, const struct fb_tree_namespace *space, struct fb_span text,
                              struct fb_range range)
{
    if (space->name.text.len == 0)
        return;
    const struct fb_declared_entity *entity = fb_map_get(&r->entities, text);
    const struct fb_common *common = fb_map_get(&r->commons, text);
    if (entity != NULL)
        report_shadow(r, range, fb_full_name(r, space, text), text, entity->type->range);
    else if (common != NULL)
        report_shadow(r, range, fb_full_name(r, space, text), text, common->tree->name.range);
}

static void check_action_shadow(struct fb_resolver *r, const struct fb_declared_action *declared)
{
    if (declared->space->name.text.len == 0)
        return;
    const struct fb_uid *uid = declared->action->uid;
    const struct fb_uid *top = fb_uid_new(r->arena, FB_SPAN("Action"), fb_uid_id(uid));
    const struct fb_declared_action *hidden = top != NULL ? fb_map_get(&r->actions, fb_uid_key(top)) : NULL;
    if (hidden == NULL)
        return;
    struct fb_span id = fb_uid_id(uid), type = fb_uid_type(uid);
    struct fb_span full =
        fb_arena_format(r->diags->arena, "%.*s::\"%.*s\"", (int)type.len, type.ptr, (int)id.len, id.ptr);
    struct fb_span name = fb_arena_format(r->diags->arena, "Action::\"%.*s\"", (int)id.len, id.ptr);
    report_shadow(r, declared->action->range, full, name, hidden->action->range);
}

void fb_schema_declare(struct fb_resolver *r, const struct fb_tree_namespace *spaces)
{
    struct fb_map seen;
    fb_map_init(&seen, r->arena);
    for (const struct fb_tree_namespace *space = spaces; space != NULL; space = space->next)
        if (check_namespace(r, &seen, space))
            declare_in(r, space);
    if (r->extent != FB_RESOLVE_ALL)
        return;
    for (size_t i = 0; i < r->entity_count; i++) {
        const struct fb_declared_entity *entity = r->entity_list[i];
        size_t prefix = entity->space->name.text.len;
        struct fb_span text = fb_span_from(entity->type->name, prefix != 0 ? prefix + 2 : 0);
        check_type_shadow(r, entity->space, text, entity->type->range);
    }
    for (size_t i = 0; i < r->common_count; i++)
        check_type_shadow(r, r->common_list[i]->space, r->common_list[i]->tree->name.text,
                          r->common_list[i]->tree->name.range);
    for (size_t i = 0; i < r->action_count; i++)
        check_action_shadow(r, r->action_list[i]);
}
