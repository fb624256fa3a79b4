/* SPDX-License-Identifier: Apache-2.0 */

/* What a policy names: entity types, actions, ids of enum entities.  Once for the policy, whether an
 * environment reaches the place or not. */

#include "cedar/validate_check.h"

static bool action_type(struct fb_span name)
{
    return fb_span_is(name, "Action") || (name.len > 8 && fb_span_is(fb_span_from(name, name.len - 8), "::Action"));
}

static struct fb_span similar_type(struct fb_checker *c, struct fb_span name)
{
    struct fb_span *names = fb_arena_array(c->arena, c->types.declared, sizeof *names);
    for (uint32_t i = 0; names != NULL && i < c->types.declared; i++) {
        names[i] = c->types.entities[i].name;
        /* `User` for `App::User`. */
        struct fb_span end = fb_span_from(names[i], names[i].len > name.len ? names[i].len - name.len : 0);
        if (names[i].len > name.len + 1 && fb_span_eq(end, name) && names[i].ptr[names[i].len - name.len - 1] == ':')
            return names[i];
    }
    return names != NULL ? fb_did_you_mean(name, names, c->types.declared) : FB_SPAN("");
}

void fb_check_unknown_type(struct fb_checker *c, struct fb_span name, struct fb_range range)
{
    static const char code[] = "validate.unknown_entity_type";
    if (action_type(name) || fb_ventity_find(&c->types, name) != NULL || !fb_report_new(c, code, range))
        return;
    struct fb_diag *diag = fb_report(c, FB_ERROR, code, range, "the schema declares no entity type `%.*s`",
                                     (int)name.len, name.ptr);
    struct fb_span similar = fb_diag_kept(c->diags, diag) ? similar_type(c, name) : FB_SPAN("");
    if (similar.len != 0)
        diag->hint = fb_report_text(c, "did you mean `%.*s`?", (int)similar.len, similar.ptr);
}

static void check_enum(struct fb_checker *c, const struct fb_uid *uid, struct fb_range range)
{
    const struct fb_entity_type *type = fb_schema_type(c->schema, fb_uid_type(uid));
    if (type == NULL || type->enum_ids == NULL)
        return;
    for (uint32_t i = 0; i < type->enum_count; i++)
        if (fb_span_eq(type->enum_ids[i], fb_uid_id(uid)))
            return;
    if (!fb_report_new(c, "validate.enum_id", range))
        return;
    struct fb_span similar = fb_did_you_mean(fb_uid_id(uid), type->enum_ids, type->enum_count);
    if (similar.len == 0)
        similar = type->enum_ids[0];
    struct fb_span text = fb_report_uid(c, uid);
    fb_report(c, FB_ERROR, "validate.enum_id", range, "`%.*s` is none of the entities that the schema lists for its type",
              (int)text.len, text.ptr)
        ->hint = fb_report_text(c, "there is `%.*s::\"%.*s\"`%s", (int)type->name.len, type->name.ptr, (int)similar.len,
                                similar.ptr, type->enum_count > 1 ? ", among others" : "");
}

/* The action with a similar id, or the same id in another namespace. */
static const struct fb_uid *similar_action(struct fb_checker *c, const struct fb_uid *uid)
{
    uint32_t count = c->schema->actions_count;
    struct fb_span *ids = fb_arena_array(c->arena, count, sizeof *ids);
    for (uint32_t i = 0; ids != NULL && i < count; i++)
        ids[i] = fb_uid_id(c->schema->actions[i]->uid);
    struct fb_span similar = ids != NULL ? fb_did_you_mean(fb_uid_id(uid), ids, count) : FB_SPAN("");
    for (uint32_t i = 0; similar.len != 0 && i < count; i++)
        if (fb_span_eq(ids[i], similar))
            return c->schema->actions[i]->uid;
    return NULL;
}

static void check_action(struct fb_checker *c, const struct fb_uid *uid, struct fb_range range)
{
    if (fb_schema_action(c->schema, uid) != NULL || !fb_report_new(c, "validate.unknown_action", range))
        return;
    struct fb_span text = fb_report_uid(c, uid);
    struct fb_diag *diag = fb_report(c, FB_ERROR, "validate.unknown_action", range,
                                     "the schema declares no action `%.*s`", (int)text.len, text.ptr);
    const struct fb_uid *similar = fb_diag_kept(c->diags, diag) ? similar_action(c, uid) : NULL;
    if (similar == NULL)
        return;
    text = fb_report_uid(c, similar);
    diag->hint = fb_report_text(c, "did you mean `%.*s`?", (int)text.len, text.ptr);
}

static void check_uid(struct fb_checker *c, const struct fb_uid *uid, struct fb_range range)
{
    if (fb_uid_is_action(uid)) {
        check_action(c, uid, range);
        return;
    }
    fb_check_unknown_type(c, fb_uid_type(uid), range);
    check_enum(c, uid, range);
}

/* Where in the scope's text the word stands, from `*start` on, which moves behind it; the element as a whole
 * if it does not (white space around `::`, escapes). */
static struct fb_range place_in(const struct fb_checker *c, struct fb_range range, uint32_t *start, struct fb_span word)
{
    struct fb_span text = c->source != NULL ? c->source->text : FB_SPAN("");
    if (range.end > text.len || word.len == 0 || *start >= range.end)
        return range;
    const char *found = memmem(text.ptr + *start, range.end - *start, word.ptr, word.len);
    if (found == NULL)
        return range;
    uint32_t at = (uint32_t)(found - text.ptr);
    *start = at + (uint32_t)word.len;
    return (struct fb_range){at, *start};
}

static bool is_fine(const struct fb_checker *c, const struct fb_uid *uid)
{
    if (fb_uid_is_action(uid))
        return fb_schema_action(c->schema, uid) != NULL;
    const struct fb_entity_type *type = fb_schema_type(c->schema, fb_uid_type(uid));
    return type != NULL && type->enum_ids == NULL;
}

/* Of a list one after the other: its names are looked for behind those before, or long lists would take
 * the square of their length. */
static void check_scope_uid(struct fb_checker *c, const struct fb_scope *scope, uint32_t *start,
                            const struct fb_uid *uid)
{
    if (!is_fine(c, uid))
        check_uid(c, uid, place_in(c, scope->range, start, fb_report_uid(c, uid)));
}

static void check_scope(struct fb_checker *c, const struct fb_scope *scope)
{
    uint32_t start = scope->range.start;
    if (scope->op == FB_SCOPE_IS || scope->op == FB_SCOPE_IS_IN)
        fb_check_unknown_type(c, scope->type, place_in(c, scope->range, &start, scope->type));
    bool one = scope->op == FB_SCOPE_EQ || scope->op == FB_SCOPE_IN || scope->op == FB_SCOPE_IS_IN;
    if (one && !scope->slot)
        check_scope_uid(c, scope, &start, scope->uid);
    for (uint32_t i = 0; scope->op == FB_SCOPE_IN_LIST && i < scope->count; i++)
        check_scope_uid(c, scope, &start, scope->list[i]);
}

void fb_check_names(struct fb_checker *c)
{
    check_scope(c, &c->policy->principal);
    check_scope(c, &c->policy->action);
    check_scope(c, &c->policy->resource);
    for (size_t i = 0; i < c->tree.count; i++) {
        const struct fb_node *node = &c->tree.nodes[i];
        if (node->kind == FB_N_UID && !is_fine(c, node->expr->uid))
            check_uid(c, node->expr->uid, node->expr->range);
        else if (node->kind == FB_N_IS || node->kind == FB_N_IS_IN)
            fb_check_unknown_type(c, node->expr->text, node->expr->mark);
    }
}
