/* SPDX-License-Identifier: Apache-2.0 */
/* A forbid that reads an optional attribute without asking `has` first errs on data that the schema
 * allows, and then closes the door to everybody.  Found when a directory is loaded.
 *
 * A small part of what a validator knows, for forbids alone: types of attribute paths in each
 * request environment, and which `has` tests hold where.  What it cannot type it leaves alone. */
#include "guard/loaded.h"

#define FACTS_MAX 128u
#define ENVIRONMENTS_MAX 20000u     /* walks of one policy */

/* `subject has name` is known to hold; the subject by its printed text. */
struct fact {
    struct fb_span subject, name;
};

struct facts {
    struct fact list[FACTS_MAX];
    size_t count;
};

struct walk {
    const struct fb_policies *policies;
    const struct fb_policy *policy;
    const struct fb_schema_action *action;
    const struct fb_entity_type *principal, *resource;
    struct fb_diags *diags;
    struct fb_arena *scratch;
    struct facts facts;
    bool reported;
};

static struct fb_span text_of(struct walk *walk, const struct fb_expr *expr)
{
    const struct fb_allocator memory = fb_arena_allocator(walk->scratch);
    struct fb_buffer text;
    fb_buffer_init(&text, &memory, 1 << 16);
    fb_expr_print(&text, expr);
    return text.failed ? fb_span(NULL, 0) : fb_buffer_span(&text);
}

/* --- Types ------------------------------------------------------------------------------------------ */

static const struct fb_attribute *attribute_of(struct walk *walk, const struct fb_expr *subject, struct fb_span name);

static const struct fb_type *shape_of_entity(const struct walk *walk, struct fb_span name)
{
    const struct fb_entity_type *type = fb_schema_type(walk->policies->schema, name);
    return type != NULL ? type->shape : NULL;
}

/* The record whose fields `expr.name` reads; NULL when it is not known. */
static const struct fb_type *record_of(struct walk *walk, const struct fb_expr *expr)
{
    const struct fb_attribute *attribute;
    if (expr->kind == FB_E_VAR) {
        switch (expr->var) {
        case FB_PRINCIPAL: return walk->principal->shape;
        case FB_RESOURCE: return walk->resource->shape;
        case FB_CONTEXT: return walk->action->context;
        case FB_ACTION: return NULL;
        }
    }
    if (expr->kind == FB_E_UID)
        return shape_of_entity(walk, fb_uid_type(expr->uid));
    if (expr->kind != FB_E_ATTR || (attribute = attribute_of(walk, expr->left, expr->text)) == NULL)
        return NULL;
    if (attribute->type->kind == FB_T_ENTITY)
        return shape_of_entity(walk, attribute->type->entity);
    return attribute->type->kind == FB_T_RECORD ? attribute->type : NULL;
}

static const struct fb_attribute *attribute_of(struct walk *walk, const struct fb_expr *subject, struct fb_span name)
{
    const struct fb_type *record = record_of(walk, subject);
    return record != NULL ? fb_type_attribute(record, name) : NULL;
}

/* --- What is known to hold ----------------------------------------------------------------------------- */

static void learn(struct walk *walk, struct fb_span subject, struct fb_span name)
{
    if (walk->facts.count < FACTS_MAX && subject.len != 0)
        walk->facts.list[walk->facts.count++] = (struct fact){subject, name};
}

static bool knows(const struct walk *walk, struct fb_span subject, struct fb_span name)
{
    for (size_t i = 0; i < walk->facts.count; i++)
        if (fb_span_eq(walk->facts.list[i].subject, subject) && fb_span_eq(walk->facts.list[i].name, name))
            return true;
    return false;
}

/* `a has b.c` says that a has b and that a.b has c. */
static void learn_has(struct walk *walk, const struct fb_expr *expr)
{
    struct fb_span subject = text_of(walk, expr->left);
    for (uint32_t i = 0; i < expr->count; i++) {
        learn(walk, subject, expr->names[i]);
        subject = fb_arena_format(walk->scratch, "%.*s.%.*s", (int)subject.len, subject.ptr, (int)expr->names[i].len,
                                  expr->names[i].ptr);
    }
}

/* Learns what holds when `expr` is `outcome`. */
static void assume(struct walk *walk, const struct fb_expr *expr, bool outcome)
{
    while (expr->kind == FB_E_NOT) {
        expr = expr->left;
        outcome = !outcome;
    }
    if (expr->kind == FB_E_HAS && outcome)
        learn_has(walk, expr);
    else if (expr->kind == (outcome ? FB_E_AND : FB_E_OR)) {
        /* The left spine may be thousands long. */
        for (; expr->kind == (outcome ? FB_E_AND : FB_E_OR); expr = expr->left)
            assume(walk, expr->right, outcome);
        assume(walk, expr, outcome);
    }
}

/* --- The walk --------------------------------------------------------------------------------------------- */

static void check(struct walk *walk, const struct fb_expr *expr);

static void check_attribute(struct walk *walk, const struct fb_expr *expr)
{
    const struct fb_attribute *attribute = attribute_of(walk, expr->left, expr->text);
    if (attribute == NULL || attribute->required || knows(walk, text_of(walk, expr->left), expr->text))
        return;
    walk->reported = true;
    struct fb_span subject = text_of(walk, expr->left);
    struct fb_diag *diag = fb_diag_add(walk->diags, FB_ERROR, "rule.optional_attribute", walk->policy->source, expr->range,
                                       "this forbid errs where `%.*s` has no `%.*s`, which the schema allows",
                                       (int)subject.len, subject.ptr, (int)expr->text.len, expr->text.ptr);
    diag->hint = fb_arena_format(walk->diags->arena, "an erring forbid refuses everybody; ask first: `%.*s has %.*s && …`",
                                 (int)subject.len, subject.ptr, (int)expr->text.len, expr->text.ptr);
}

/* `left op right` where right is evaluated only if left is `outcome`. */
static void check_chain(struct walk *walk, const struct fb_expr *expr, enum fb_expr_kind kind, bool outcome)
{
    const struct fb_expr *spine[512];
    size_t depth = 0;
    for (; expr->kind == kind && depth < 512; expr = expr->left)
        spine[depth++] = expr;
    size_t facts = walk->facts.count;
    check(walk, expr);
    assume(walk, expr, outcome);
    while (depth-- > 0) {
        check(walk, spine[depth]->right);
        assume(walk, spine[depth]->right, outcome);
    }
    walk->facts.count = facts;
}

static void check_if(struct walk *walk, const struct fb_expr *expr)
{
    size_t facts = walk->facts.count;
    check(walk, expr->left);
    assume(walk, expr->left, true);
    check(walk, expr->right);
    walk->facts.count = facts;
    assume(walk, expr->left, false);
    check(walk, expr->third);
    walk->facts.count = facts;
}

static void check(struct walk *walk, const struct fb_expr *expr)
{
    if (walk->reported)
        return;
    if (expr->kind == FB_E_AND || expr->kind == FB_E_OR) {
        check_chain(walk, expr, expr->kind, expr->kind == FB_E_AND);
        return;
    }
    if (expr->kind == FB_E_IF) {
        check_if(walk, expr);
        return;
    }
    /* Chains of + may be long as well: walk their left spine without recursion. */
    for (const struct fb_expr *at = expr; at != NULL; at = at->left) {
        if (at != expr && (at->kind == FB_E_AND || at->kind == FB_E_OR || at->kind == FB_E_IF)) {
            check(walk, at);
            return;
        }
        if (at->kind == FB_E_ATTR)
            check_attribute(walk, at);
        if (at->right != NULL)
            check(walk, at->right);
        for (uint32_t i = 0; at->items != NULL && i < at->count; i++)
            check(walk, at->items[i]);
    }
}

static void walk_policy(struct walk *walk)
{
    walk->facts.count = 0;
    for (uint32_t i = 0; i < walk->policy->conditions_count; i++) {
        const struct fb_condition *condition = &walk->policy->conditions[i];
        check(walk, condition->body);
        assume(walk, condition->body, !condition->unless);
    }
}

/* --- Where a policy applies ---------------------------------------------------------------------------- */

static bool action_in(const struct fb_policies *policies, const struct fb_uid *action, const struct fb_uid *group)
{
    const struct fb_entities entities = fb_entity_set_source(policies->entities);
    return fb_entity_in(&entities, action, group) == FB_FOUND;
}

static bool admits_action(const struct fb_policies *policies, const struct fb_scope *scope, const struct fb_uid *action)
{
    switch (scope->op) {
    case FB_SCOPE_EQ: return fb_uid_eq(scope->uid, action);
    case FB_SCOPE_IN: return action_in(policies, action, scope->uid);
    case FB_SCOPE_IN_LIST:
        for (uint32_t i = 0; i < scope->count; i++)
            if (action_in(policies, action, scope->list[i]))
                return true;
        return false;
    case FB_SCOPE_ANY:
    case FB_SCOPE_IS:
    case FB_SCOPE_IS_IN:
        break;
    }
    return true;
}

static bool admits_type(const struct fb_scope *scope, const struct fb_entity_type *type)
{
    if (scope->op == FB_SCOPE_IS || scope->op == FB_SCOPE_IS_IN)
        return fb_span_eq(scope->type, type->name);
    return scope->op != FB_SCOPE_EQ || scope->slot || fb_span_eq(fb_uid_type(scope->uid), type->name);
}

static void walk_action(struct walk *walk, size_t *environments)
{
    const struct fb_schema_action *action = walk->action;
    for (uint32_t p = 0; p < action->principals_count; p++)
        for (uint32_t r = 0; r < action->resources_count && !walk->reported; r++) {
            walk->principal = action->principals[p];
            walk->resource = action->resources[r];
            if (!admits_type(&walk->policy->principal, walk->principal)
                || !admits_type(&walk->policy->resource, walk->resource) || ++*environments > ENVIRONMENTS_MAX)
                continue;
            walk_policy(walk);
            fb_arena_clear(walk->scratch);
        }
}

bool fb_forbids_check(const struct fb_policies *policies, struct fb_diags *diags)
{
    size_t errors = diags->errors;
    struct fb_arena scratch;
    fb_arena_init(&scratch, policies->allocator, (size_t)16 << 20);
    for (size_t i = 0; i < policies->set.count; i++) {
        if (policies->set.policies[i]->effect != FB_FORBID)
            continue;
        struct walk walk = {.policies = policies, .policy = policies->set.policies[i], .diags = diags, .scratch = &scratch};
        size_t environments = 0;
        for (uint32_t a = 0; a < policies->schema->actions_count && !walk.reported; a++) {
            walk.action = policies->schema->actions[a];
            if (admits_action(policies, &walk.policy->action, walk.action->uid))
                walk_action(&walk, &environments);
        }
    }
    fb_arena_release(&scratch);
    return diags->errors == errors;
}
