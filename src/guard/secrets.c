/* SPDX-License-Identifier: Apache-2.0 */
/* Which actions are secret: those with `@conceal`, and those that a `@conceal` forbid may hit, by its scope and
 * the schema (DESIGN §2, "Existence").  Found when a directory is loaded; too many is safe, too few is not, so
 * conditions are not looked at.  What a secret action answers is secret.c's.
 *
 * And, for who looks closer than a server does, a note at each action that is not secret and tells whether a
 * resource exists by a 404 in place of a 403. */
#include "guard/secret.h"

/* --- Can a scope hold? ------------------------------------------------------------------------------------ */

/* Is the action the one named, or in it?  Depth bounded by the number of actions, for groups can be nested. */
static bool action_in(const struct fb_schema *schema, const struct fb_schema_action *action, const struct fb_uid *group,
                      uint32_t depth)
{
    if (fb_uid_eq(action->uid, group))
        return true;
    for (uint32_t i = 0; depth != 0 && i < action->parents_count; i++) {
        const struct fb_schema_action *parent = fb_schema_action(schema, action->parents[i]);
        if (parent != NULL && action_in(schema, parent, group, depth - 1))
            return true;
    }
    return false;
}

static bool action_fits(const struct fb_schema *schema, const struct fb_scope *scope, const struct fb_schema_action *action)
{
    if (scope->op == FB_SCOPE_ANY)
        return true;
    if (scope->op == FB_SCOPE_EQ)
        return fb_uid_eq(scope->uid, action->uid);
    if (scope->op == FB_SCOPE_IN)
        return action_in(schema, action, scope->uid, schema->actions_count);
    for (uint32_t i = 0; i < scope->count; i++)
        if (action_in(schema, action, scope->list[i], schema->actions_count))
            return true;
    return false;
}

/* Can an entity of that type be in one of that name, by the schema? */
static bool type_in(const struct fb_schema *schema, const struct fb_entity_type *type, struct fb_span group, uint32_t depth)
{
    if (fb_span_eq(type->name, group))
        return true;
    for (uint32_t i = 0; depth != 0 && i < type->parents_count; i++) {
        const struct fb_entity_type *parent = fb_schema_type(schema, type->parents[i]);
        if (parent != NULL && parent != type && type_in(schema, parent, group, depth - 1))
            return true;
    }
    return false;
}

/* Can an entity of that type stand there?  `bound`: what the policy or its link names; NULL: not known. */
static bool type_fits(const struct fb_schema *schema, const struct fb_scope *scope, const struct fb_uid *bound,
                      const struct fb_entity_type *type)
{
    bool of_type = scope->op == FB_SCOPE_IS || scope->op == FB_SCOPE_IS_IN;
    if (of_type && !fb_span_eq(scope->type, type->name))
        return false;
    if (scope->op == FB_SCOPE_ANY || scope->op == FB_SCOPE_IS || bound == NULL)
        return true;
    if (scope->op == FB_SCOPE_EQ)
        return fb_uid_is(bound, type->name_hash, type->name);
    return type_in(schema, type, fb_uid_type(bound), schema->types_count);
}

/* --- Forbids that conceal ----------------------------------------------------------------------------------- */

struct finding {
    struct fb_policies *policies;
    struct fb_secret *secrets;
    struct fb_diags *diags;
};

static void report_upstreams(const struct finding *f, const struct fb_policy *policy, const struct fb_schema_action *action,
                             const struct fb_entity_type *type)
{
    const struct fb_annotation *mark = fb_policy_annotation(policy, "conceal");
    struct fb_span name = fb_uid_id(action->uid);
    struct fb_diag *diag = fb_diag_add(f->diags, FB_ERROR, "rule.conceal_existence", policy->source, mark->key_range,
                                       "whether some %.*s exists is known to the upstream alone, so it cannot be concealed "
                                       "here; this may hit \"%.*s\", which is about such", (int)type->name.len, type->name.ptr,
                                       (int)name.len, name.ptr);
    diag->hint = FB_SPAN("narrow the scope to actions and types whose entities are kept here, as in `resource is Document`, or give "
                         "the type a required attribute");
    diag->other = type->source;
    diag->other_range = type->range;
    diag->other_message = FB_SPAN("the type requires no attributes");
}

/* One concealing forbid, or a link of one: marks each action that it may hit.  One fault is enough. */
static void mark_hit(const struct finding *f, const struct fb_policy *policy, const struct fb_uid *principal,
                     const struct fb_uid *resource)
{
    const struct fb_schema *schema = f->policies->schema;
    bool faulty = false;
    for (uint32_t i = 0; i < schema->actions_count; i++) {
        const struct fb_schema_action *action = schema->actions[i];
        bool asked = false;
        if (!action_fits(schema, &policy->action, action))
            continue;
        for (uint32_t k = 0; k < action->principals_count && !asked; k++)
            asked = type_fits(schema, &policy->principal, principal, action->principals[k]);
        for (uint32_t k = 0; k < action->resources_count && asked; k++) {
            if (!type_fits(schema, &policy->resource, resource, action->resources[k]))
                continue;
            f->secrets[i].by_forbid = true;
            if (!action->resources[k]->requires_attributes && !faulty)
                report_upstreams(f, policy, action, action->resources[k]);
            faulty |= !action->resources[k]->requires_attributes;
        }
    }
}

static bool conceals(const struct fb_policy *policy)
{
    return policy->effect == FB_FORBID && fb_policy_annotation(policy, "conceal") != NULL;
}

static void mark_forbids(const struct finding *f)
{
    const struct fb_policy_set *set = &f->policies->set;
    for (size_t i = 0; i < set->count; i++) {
        const struct fb_policy *policy = set->policies[i];
        if (conceals(policy) && !policy->is_template)
            mark_hit(f, policy, policy->principal.uid, policy->resource.uid);
    }
    for (size_t i = 0; i < set->links_count; i++) {
        const struct fb_link *link = set->links[i];
        const struct fb_policy *policy = link->template_;
        if (conceals(policy))
            mark_hit(f, policy, policy->principal.slot ? link->principal : policy->principal.uid,
                     policy->resource.slot ? link->resource : policy->resource.uid);
    }
}

static bool mark_policies(struct fb_policies *policies)
{
    size_t count = fb_program_count(policies->program);
    bool *marks = fb_arena_array(&policies->arena, count + 1, sizeof *marks);
    if (marks == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        marks[i] = conceals(fb_program_policy(policies->program, i));
    policies->conceals = marks;
    return true;
}

/* --- Stand-ins ------------------------------------------------------------------------------------------------ */

/* For types that the directory holds: the first of each, for an absent one to be weighed by. */
static bool find_stand_ins(struct fb_policies *policies, struct fb_secret *secret, const struct fb_schema_action *action)
{
    const struct fb_entity_set *set = policies->entities;
    size_t count = fb_entity_set_count(set);
    secret->stand_ins = fb_arena_array(&policies->arena, action->resources_count + (size_t)1, sizeof *secret->stand_ins);
    if (secret->stand_ins == NULL)
        return false;
    for (uint32_t k = 0; k < action->resources_count; k++) {
        const struct fb_entity_type *type = action->resources[k];
        secret->stand_ins[k] = NULL;
        for (size_t i = 0; i < count && fb_entity_set_has_type(set, type->name) && secret->stand_ins[k] == NULL; i++) {
            struct fb_entity entity;
            fb_entity_set_at(set, i, &entity);
            if (fb_uid_is(entity.uid, type->name_hash, type->name))
                secret->stand_ins[k] = entity.uid;
        }
    }
    return true;
}

bool fb_secrets_find(struct fb_policies *policies, struct fb_diags *diags)
{
    const struct fb_schema *schema = policies->schema;
    struct fb_secret *secrets = fb_arena_array(&policies->arena, schema->actions_count + (size_t)1, sizeof *secrets);
    if (secrets == NULL || !mark_policies(policies))
        return false;
    for (uint32_t i = 0; i < schema->actions_count; i++)
        secrets[i] = (struct fb_secret){.viewing = fb_routes_action(policies->routes, schema->actions[i]->uid)->conceal};
    const struct finding f = {policies, secrets, diags};
    mark_forbids(&f);
    for (uint32_t i = 0; i < schema->actions_count; i++) {
        if (!fb_secret_is(&secrets[i]))
            continue;
        policies->any_secret = true;
        if (!find_stand_ins(policies, &secrets[i], schema->actions[i]))
            return false;
    }
    policies->secrets = secrets;
    return true;
}

bool fb_policies_secret(const struct fb_policies *policies, const struct fb_action *action)
{
    return action == NULL ? policies->any_secret : fb_secret_is(&policies->secrets[action->index]);
}

/* --- What the others tell ------------------------------------------------------------------------------------- */

/* Does it tell resources of a type apart?  What the law takes down is told with a 451, on purpose. */
static bool looks_at_resource(const struct fb_policy *policy)
{
    unsigned variables = 0;
    if (policy->effect == FB_FORBID && fb_policy_annotation(policy, "legal") != NULL)
        return false;
    if (policy->resource.op != FB_SCOPE_ANY && policy->resource.op != FB_SCOPE_IS)
        return true;
    for (uint32_t i = 0; i < policy->conditions_count; i++)
        variables |= fb_expr_variables(policy->conditions[i].body);
    return (variables & 1u << FB_RESOURCE) != 0;
}

static bool some_policy_looks(const struct fb_policies *policies, const struct fb_schema_action *action)
{
    for (size_t i = 0; i < policies->set.count; i++) {
        const struct fb_policy *policy = policies->set.policies[i];
        if (looks_at_resource(policy) && action_fits(policies->schema, &policy->action, action))
            return true;
    }
    return false;
}

/* The type of a resource that a route of the action names, whose existence is ours; NULL: none. */
static const struct fb_entity_type *told_of(const struct fb_policies *policies, const struct fb_action *action)
{
    const struct fb_entity_type *type = NULL;
    bool routed = false;
    for (size_t i = 0; i < fb_routes_count(policies->routes) && !routed; i++) {
        const struct fb_route *route = fb_routes_at(policies->routes, i);
        routed = route->action == action && route->params_count != 0 && !fb_route_resource_is_principal(route);
    }
    for (uint32_t i = 0; i < action->declared->resources_count && routed && type == NULL; i++)
        if (action->declared->resources[i]->requires_attributes)
            type = action->declared->resources[i];
    return type;
}

void fb_secrets_note(const struct fb_policies *policies, struct fb_diags *diags)
{
    bool first = true;
    const struct fb_schema *schema = policies->schema;
    for (uint32_t i = 0; i < schema->actions_count; i++) {
        const struct fb_action *action = fb_routes_action(policies->routes, schema->actions[i]->uid);
        const struct fb_entity_type *type = action->anonymous_only ? NULL : told_of(policies, action);
        if (type == NULL || fb_secret_is(&policies->secrets[i]) || !some_policy_looks(policies, action->declared))
            continue;
        struct fb_span name = fb_uid_id(action->uid);
        struct fb_diag *diag = fb_diag_add(diags, FB_NOTE, "existence.told", action->declared->source, action->declared->range,
                                           "who may do \"%.*s\" on some %.*s learns of any whether it exists: 403 if so, else 404",
                                           (int)name.len, name.ptr, (int)type->name.len, type->name.ptr);
        if (first)
            diag->hint = FB_SPAN("if that is a secret, write @conceal on the action, naming the one that those may do who may know");
        first = false;
    }
}
