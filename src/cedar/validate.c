/* SPDX-License-Identifier: Apache-2.0 */

/* Policies held against a schema: which environments there are, what holds of a policy in all of them,
 * and the checks that need none.  validate_check.h lists the other files. */

#include "cedar/validate_check.h"

/* Environments in which a policy cannot tell apart what it mentions have one answer; the answers of a
 * policy, by what it mentions. */
struct outcome {
    const struct fb_vtype *vars[4];
    const struct fb_schema_action *action;  /* NULL: not mentioned */
    bool is_false;
};

struct outcomes {
    struct outcome *list;
    size_t count, capacity;
    struct fb_vtable table;
    struct outcome wanted;                  /* what is searched for */
};

/* An action with the types that it applies to. */
struct applies {
    const struct fb_schema_action *action;
    const struct fb_vtype *type, *context;
    const struct fb_vtype **principals, **resources;
};

struct run {
    struct fb_checker *c;
    struct applies *applies;                /* as many as the schema has actions */
    struct outcomes outcomes;
    uint32_t environments;                  /* looked into, for the current policy */
    bool all_false;
    bool levels;                            /* the second round */
};

/* --- remembered outcomes --- */

static uint64_t hash_outcome(const struct outcome *outcome)
{
    uint64_t hash = fb_hash_join((uint64_t)(uintptr_t)outcome->action, 1);
    for (int i = 0; i < 4; i++)
        hash = fb_hash_join(hash, (uint64_t)(uintptr_t)outcome->vars[i]);
    return hash;
}

static uint64_t outcome_hash_of(const void *context, uint32_t index)
{
    return hash_outcome(&((const struct outcomes *)context)->list[index]);
}

static bool outcome_same(const void *context, uint32_t index)
{
    const struct outcomes *outcomes = context;
    const struct outcome *a = &outcomes->wanted, *b = &outcomes->list[index];
    return a->action == b->action && memcmp(a->vars, b->vars, sizeof a->vars) == 0;
}

static void forget_outcomes(struct outcomes *outcomes)
{
    outcomes->count = 0;
    if (outcomes->table.count != 0)
        memset(outcomes->table.slots, 0, ((size_t)outcomes->table.mask + 1) * sizeof(uint32_t));
    outcomes->table.count = 0;
}

/* What there is of an environment like this one; NULL: nothing yet, `*slot` is for it. */
static const struct outcome *recall(struct run *run, uint32_t **slot)
{
    const struct fb_checker *c = run->c;
    struct outcomes *outcomes = &run->outcomes;
    /* Literal actions count for the levels when they are the request's. */
    unsigned uses = c->tree.uses | (run->levels ? FB_USES_ACTION : 0);
    outcomes->wanted = (struct outcome){.action = uses & FB_USES_ACTION ? c->action : NULL};
    for (int i = 0; i < 4; i++)
        outcomes->wanted.vars[i] = uses & (1u << i) ? c->vars[i] : NULL;
    *slot = fb_vtable_slot(&outcomes->table, c->arena, hash_outcome(&outcomes->wanted), outcome_same, outcomes,
                           outcome_hash_of);
    return *slot != NULL && **slot != 0 ? &outcomes->list[**slot - 1] : NULL;
}

static void note(struct run *run, uint32_t *slot, struct outcome outcome)
{
    struct outcomes *outcomes = &run->outcomes;
    struct outcome *list = fb_arena_grow(run->c->arena, outcomes->list, outcomes->count, &outcomes->capacity,
                                         sizeof *list);
    if (list == NULL || slot == NULL)
        return;
    outcomes->list = list;
    list[outcomes->count++] = outcome;
    *slot = (uint32_t)outcomes->count;
    outcomes->table.count++;
}

/* --- one environment --- */

/* The conditions, as a && (b && (c && …)): one that is false ends them, and makes the policy false unless one
 * before it has no type, for && has none then.  Each may rely on what those before it have asked. */
static bool check_conditions(struct fb_checker *c)
{
    struct fb_tree *tree = &c->tree;
    fb_caps held = 0;
    bool is_false = false, typed = true;
    uint32_t checked = 0;
    for (; checked < tree->conditions_count && !is_false; checked++) {
        struct fb_answer answer = fb_check_bool(c, tree->conditions[checked]);
        held = fb_caps_replace(c, held, fb_caps_union(c, held, answer.failed ? 0 : answer.caps));
        is_false = fb_is_kind(answer, FB_V_FALSE);
        typed = typed && answer.type != NULL;
    }
    fb_caps_drop(c, held);
    if (c->keep_types)
        fb_check_levels(c, checked);
    return is_false && typed;
}

/* Whose scope holds, as far as types can tell. */
static bool check_environment(struct run *run)
{
    struct fb_checker *c = run->c;
    uint32_t *slot;
    const struct outcome *known = recall(run, &slot);
    if (known != NULL)
        return known->is_false;
    c->stamp++;
    c->caps_count = 0;
    c->walk_count = 0;
    run->environments++;
    struct outcome outcome = run->outcomes.wanted;
    outcome.is_false = check_conditions(c);
    note(run, slot, outcome);
    return outcome.is_false;
}

/* --- all of them ---
 * A policy is principal && (action && (resource && conditions)): what is false hides what follows. */

static bool scope_is_false(struct run *run, const struct fb_scope *scope, struct fb_answer answer)
{
    if (run->levels)
        fb_check_scope_level(run->c, scope);
    return fb_is_kind(answer, FB_V_FALSE);
}

static void check_resources(struct run *run, const struct applies *applies)
{
    struct fb_checker *c = run->c;
    const struct fb_scope *scope = &c->policy->resource;
    for (uint32_t i = 0; i < applies->action->resources_count; i++) {
        c->vars[FB_RESOURCE] = applies->resources[i];
        if (!scope_is_false(run, scope, fb_check_scope(c, scope, applies->resources[i])) && !check_environment(run))
            run->all_false = false;
    }
}

static void check_action(struct run *run, const struct applies *applies)
{
    struct fb_checker *c = run->c;
    const struct fb_policy *policy = c->policy;
    c->action = applies->action;
    c->vars[FB_ACTION] = applies->type;
    c->vars[FB_CONTEXT] = applies->context;
    for (uint32_t i = 0; applies->action->resources_count > 0 && i < applies->action->principals_count; i++) {
        c->vars[FB_PRINCIPAL] = applies->principals[i];
        c->vars[FB_RESOURCE] = applies->resources[0];
        if (!scope_is_false(run, &policy->principal, fb_check_scope(c, &policy->principal, applies->principals[i]))
            && !scope_is_false(run, &policy->action, fb_check_action_scope(c)))
            check_resources(run, applies);
    }
}

static void check_environments(struct run *run)
{
    run->environments = 0;
    run->all_false = true;
    forget_outcomes(&run->outcomes);
    for (uint32_t i = 0; i < run->c->schema->actions_count && !run->c->arena->failed; i++)
        check_action(run, &run->applies[i]);
}

/* --- policies and links --- */

static void warn_impossible(struct fb_checker *c)
{
    struct fb_range range = c->policy->effect_range;
    if (fb_report_new(c, "validate.impossible", range))
        fb_report(c, FB_WARNING, "validate.impossible", range,
                  "the policy is false for every request that the schema allows");
}

static void leave_environments(struct fb_checker *c)
{
    c->action = NULL;
    c->stamp++;
}

static bool prepare(struct fb_checker *c, const struct fb_policy *policy)
{
    fb_report_begin(c, policy);
    fb_tree_clear(&c->tree);
    leave_environments(c);
    for (uint32_t i = 0; i < policy->conditions_count; i++)
        if (!fb_tree_add(&c->tree, &c->types, &policy->conditions[i]))
            return false;
    return true;
}

static void check_policy(struct run *run, const struct fb_policy *policy)
{
    struct fb_checker *c = run->c;
    size_t first = c->diags->count;
    if (!prepare(c, policy))
        return;
    fb_check_names(c);
    fb_check_application(c, policy->principal.uid, policy->resource.uid);
    check_environments(run);
    uint32_t environments = run->environments;
    bool impossible = run->all_false;
    if (c->options.check_level && c->policy_errors == 0) {
        run->levels = c->keep_types = true;
        check_environments(run);
        run->levels = c->keep_types = false;
    }
    leave_environments(c);
    if (impossible)
        warn_impossible(c);
    fb_check_texts(c);
    fb_report_end(c, environments, first);
}

/* A link is checked for its slots; the rest is the template's. */
static void check_link(struct fb_checker *c, const struct fb_link *link)
{
    const struct fb_policy *policy = link->template_;
    const struct fb_uid *values[] = {link->principal, link->resource};
    fb_report_begin(c, policy);
    leave_environments(c);
    size_t first = c->diags->count;
    for (int i = 0; i < 2; i++)
        if (values[i] != NULL)
            fb_check_unknown_type(c, fb_uid_type(values[i]), policy->effect_range);
    fb_check_application(c, link->principal != NULL ? link->principal : policy->principal.uid,
                         link->resource != NULL ? link->resource : policy->resource.uid);
    for (; first < c->diags->count; first++)
        c->diags->list[first].message = fb_report_text(c, "link `%.*s`: %.*s", (int)link->id.len, link->id.ptr,
                                                       (int)c->diags->list[first].message.len,
                                                       c->diags->list[first].message.ptr);
}

/* --- the beginning --- */

static const struct fb_vtype **types_of(struct fb_checker *c, const struct fb_entity_type *const *types, uint32_t count)
{
    const struct fb_vtype **list = fb_arena_array(c->arena, count, sizeof(const struct fb_vtype *));
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        const struct fb_ventity *entity = fb_ventity_find(&c->types, types[i]->name);
        list[i] = entity->self;
    }
    return list;
}

static bool init(struct run *run)
{
    struct fb_checker *c = run->c;
    const struct fb_schema *schema = c->schema;
    fb_map_init(&c->groups, c->arena);
    run->applies = fb_arena_array(c->arena, schema->actions_count, sizeof *run->applies);
    if (run->applies == NULL || !fb_vtypes_init(&c->types, c->arena, schema, c->strict))
        return false;
    for (uint32_t i = 0; i < schema->actions_count; i++) {
        const struct fb_schema_action *action = schema->actions[i];
        struct applies *applies = &run->applies[i];
        *applies = (struct applies){
            .action = action,
            .type = fb_ventity_find(&c->types, fb_uid_type(action->uid))->self,
            .context = fb_vtype_of(&c->types, action->context),
            .principals = types_of(c, (const struct fb_entity_type *const *)action->principals,
                                   action->principals_count),
            .resources = types_of(c, (const struct fb_entity_type *const *)action->resources, action->resources_count),
        };
        if (applies->context == NULL || applies->principals == NULL || applies->resources == NULL)
            return false;
    }
    return true;
}

bool fb_validate(const struct fb_policy_set *set, const struct fb_schema *schema,
                 const struct fb_validate_options *options, struct fb_arena *scratch, struct fb_diags *diags)
{
    struct fb_checker *c = fb_arena_alloc(scratch, sizeof *c);
    if (c != NULL) {
        c->arena = scratch;
        c->diags = diags;
        c->schema = schema;
        c->options = options != NULL ? *options : (struct fb_validate_options){.mode = FB_VALIDATE_STRICT};
        c->strict = c->options.mode == FB_VALIDATE_STRICT;
        struct run run = {.c = c};
        bool ready = init(&run);
        for (size_t i = 0; ready && i < set->count && !scratch->failed; i++)
            check_policy(&run, set->policies[i]);
        for (size_t i = 0; ready && i < set->links_count && !scratch->failed; i++)
            check_link(c, set->links[i]);
    }
    if (c == NULL || scratch->failed) {
        fb_diag_add(diags, FB_ERROR, "validate.memory", NULL, (struct fb_range){0, 0},
                    "not enough memory to validate the policies");
        return false;
    }
    return c->errors == 0;
}
