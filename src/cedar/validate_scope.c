/* SPDX-License-Identifier: Apache-2.0 */

/* The scope of a policy: what it is in a request environment, and whether it fits any. */

#include "cedar/validate_check.h"

/* --- in an environment --- */

static bool uid_known(const struct fb_checker *c, const struct fb_uid *uid, const struct fb_ventity **entity)
{
    *entity = fb_ventity_find(&c->types, fb_uid_type(uid));
    return *entity != NULL && (!fb_uid_is_action(uid) || fb_schema_action(c->schema, uid) != NULL);
}

static uint32_t index_of(const struct fb_checker *c, const struct fb_ventity *entity)
{
    return (uint32_t)(entity - c->types.entities);
}

/* `type` is that of one entity type.  A slot can be filled so that the scope may hold: `==` with the
 * same type, `in` with any that is above. */
static struct fb_answer relate(struct fb_checker *c, const struct fb_scope *scope, const struct fb_vtype *type)
{
    const struct fb_ventity *entity;
    if (scope->slot)
        return fb_answer(fb_plain(c, FB_V_BOOL));
    if (!uid_known(c, scope->uid, &entity))
        return fb_failed(fb_plain(c, FB_V_BOOL));
    bool possible = scope->op == FB_SCOPE_EQ ? entity->self == type
                                             : fb_ventity_below(&c->types, type->entities[0], index_of(c, entity));
    return fb_answer(possible ? fb_plain(c, FB_V_BOOL) : fb_truth(c, false));
}

struct fb_answer fb_check_scope(struct fb_checker *c, const struct fb_scope *scope, const struct fb_vtype *type)
{
    if (scope->op == FB_SCOPE_ANY)
        return fb_answer(fb_truth(c, true));
    if (scope->op == FB_SCOPE_EQ || scope->op == FB_SCOPE_IN)
        return relate(c, scope, type);
    bool is = fb_span_eq(c->types.entities[type->entities[0]].name, scope->type);
    if (!is || scope->op == FB_SCOPE_IS)
        return fb_answer(fb_truth(c, is));
    return relate(c, scope, type);
}

/* `action in […]`: a set of literals, which must be of one type in strict mode. */
static struct fb_answer check_list(struct fb_checker *c, const struct fb_scope *scope)
{
    const struct fb_vtype *type = fb_plain(c, FB_V_NEVER), *odd = NULL;
    bool known = true, in = false;
    for (uint32_t i = 0; i < scope->count; i++) {
        const struct fb_ventity *entity;
        known = uid_known(c, scope->list[i], &entity) && known;
        if (!known || odd != NULL)
            continue;
        const struct fb_vtype *joined = fb_vtype_join(&c->types, type, entity->self);
        if (joined == NULL)
            odd = entity->self;
        else
            type = joined;
        in = in || fb_action_in(c, c->action, scope->list[i]);
    }
    if (known && odd != NULL)
        fb_incompatible(c, scope->range, type, odd, "the actions of a list");
    if (c->strict && scope->count == 0) {
        known = false;
        if (fb_report_new(c, "validate.empty_set", scope->range))
            fb_report(c, FB_ERROR, "validate.empty_set", scope->range,
                      "the list of actions is empty, so the policy can never apply")
                ->hint = FB_SPAN("name the actions, or write `action` alone for all of them");
    }
    return known && odd == NULL ? fb_answer(fb_truth(c, in)) : fb_failed(fb_plain(c, FB_V_BOOL));
}

struct fb_answer fb_check_action_scope(struct fb_checker *c)
{
    const struct fb_scope *scope = &c->policy->action;
    if (scope->op == FB_SCOPE_ANY)
        return fb_answer(fb_truth(c, true));
    if (scope->op == FB_SCOPE_IN_LIST)
        return check_list(c, scope);
    bool known = fb_schema_action(c->schema, scope->uid) != NULL;
    if (scope->op == FB_SCOPE_EQ) {
        /* Of two literals all is known, even of one that is not declared. */
        struct fb_answer same = fb_answer(fb_truth(c, fb_uid_eq(scope->uid, c->action->uid)));
        return known ? same : fb_failed(same.type);
    }
    return known ? fb_answer(fb_truth(c, fb_action_in(c, c->action, scope->uid)))
                 : fb_failed(fb_plain(c, FB_V_BOOL));
}

/* --- in any --- */

/* May an entity of this type stand there?  `uid`: what fills the slot, if there is one. */
static bool type_fits(struct fb_checker *c, const struct fb_scope *scope, const struct fb_uid *uid,
                      const struct fb_entity_type *type)
{
    bool of_type = scope->op == FB_SCOPE_IS || scope->op == FB_SCOPE_IS_IN;
    if (scope->op == FB_SCOPE_ANY || (of_type && !fb_span_eq(type->name, scope->type)))
        return scope->op == FB_SCOPE_ANY;
    if (scope->op == FB_SCOPE_IS || uid == NULL)
        return true;
    if (scope->op == FB_SCOPE_EQ)
        return fb_span_eq(type->name, fb_uid_type(uid));
    const struct fb_ventity *lower = fb_ventity_find(&c->types, type->name);
    const struct fb_ventity *upper = fb_ventity_find(&c->types, fb_uid_type(uid));
    if (lower == NULL || upper == NULL)
        return fb_span_eq(type->name, fb_uid_type(uid));
    return fb_ventity_below(&c->types, index_of(c, lower), index_of(c, upper));
}

static bool action_fits(struct fb_checker *c, const struct fb_schema_action *action)
{
    const struct fb_scope *scope = &c->policy->action;
    if (scope->op == FB_SCOPE_ANY)
        return true;
    if (scope->op == FB_SCOPE_EQ)
        return fb_uid_eq(scope->uid, action->uid);
    const struct fb_uid *const *list = (const struct fb_uid *const *)scope->list;
    uint32_t count = scope->count;
    if (scope->op == FB_SCOPE_IN) {
        list = (const struct fb_uid *const *)&scope->uid;
        count = 1;
    }
    bool in = false;
    for (uint32_t i = 0; i < count; i++) {
        if (fb_schema_action(c->schema, list[i]) == NULL)
            return false;
        in = in || fb_action_in(c, action, list[i]);
    }
    return in;
}

static bool any_fits(struct fb_checker *c, const struct fb_scope *scope, const struct fb_uid *uid,
                     const struct fb_entity_type *const *types, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (type_fits(c, scope, uid, types[i]))
            return true;
    return false;
}

static void report_application(struct fb_checker *c)
{
    struct fb_range range = c->policy->effect_range;
    if (!fb_report_new(c, "validate.no_applicable_action", range))
        return;
    struct fb_diag *diag = fb_report(c, FB_WARNING, "validate.no_applicable_action", range,
                                     "no action applies to such a principal and such a resource: the policy has no "
                                     "effect");
    diag->hint = FB_SPAN("see `appliesTo` of the actions in the schema");
}

void fb_check_application(struct fb_checker *c, const struct fb_uid *principal, const struct fb_uid *resource)
{
    const struct fb_policy *policy = c->policy;
    for (uint32_t i = 0; i < c->schema->actions_count; i++) {
        const struct fb_schema_action *action = c->schema->actions[i];
        if (action_fits(c, action)
            && any_fits(c, &policy->principal, principal, (const struct fb_entity_type *const *)action->principals,
                        action->principals_count)
            && any_fits(c, &policy->resource, resource, (const struct fb_entity_type *const *)action->resources,
                        action->resources_count))
            return;
    }
    report_application(c);
}
