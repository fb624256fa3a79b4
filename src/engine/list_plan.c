/* SPDX-License-Identifier: Apache-2.0 */
/* What has to be looked at for a list, from one evaluation with the one asked for unknown.
 *
 * A bound of an expression is a set of entities outside of which it cannot be true.  Of a conjunction
 * any operand's bound is one, so the smallest is taken; of a disjunction the union of all.  `resource ==
 * x`, `resource in x`, `x.contains(resource)`, and `resource.a == x`, `resource.a.contains(x)` and `x in
 * resource.a` have one where x is known; everything else has none.
 * Too large a bound costs time; too small a one would hide somebody, so whatever is not understood has
 * none. */

#include "engine/list_plan.h"

struct planner {
    struct fb_surmise s;
    const struct fb_list_query *query;
    struct fb_arena *arena;
};

/* --- Bounds ------------------------------------------------------------------------------------- */

static bool add_term(struct planner *p, struct fb_bound *bound, struct fb_term term)
{
    if (bound->all || bound->count == FB_BOUND_TERMS) {
        bound->all = true;
        return true;
    }
    struct fb_term *terms = fb_arena_grow(p->arena, bound->terms, bound->count, &bound->capacity, sizeof *terms);
    if (terms == NULL)
        return fb_eval_cannot(&p->s.e);
    bound->terms = terms;
    terms[bound->count++] = term;
    bound->cost += term.cost;
    return true;
}

static bool add_itself(struct planner *p, struct fb_bound *bound, const struct fb_uid *uid)
{
    return add_term(p, bound, (struct fb_term){.uid = uid, .who = FB_TERM_ITSELF, .cost = 1});
}

static bool add_mentioning(struct planner *p, struct fb_bound *bound, uint64_t symbol, const struct fb_uid *of)
{
    const struct fb_list_source *source = p->query->source;
    bound->all = bound->all || source->next == NULL;
    if (bound->all)
        return true;
    const uint64_t found = source->count(source->self, symbol, of);
    return add_term(p, bound,
                    (struct fb_term){.uid = of, .who = FB_TERM_MENTIONING, .symbol = symbol, .cost = 1 + found});
}

/* The groups below one, as the source names them. */
struct below {
    struct planner *p;
    struct fb_bound *bound;
    size_t end; /* so many terms are too many */
    bool fine;
};

static bool add_below(void *context, const struct fb_uid *group)
{
    struct below *below = context;
    below->bound->all = below->bound->all || below->bound->count >= below->end;
    below->fine = add_mentioning(below->p, below->bound, FB_LIST_PARENT, group);
    return below->fine && !below->bound->all;
}

/* Those in the group, itself among them. */
static bool add_group(struct planner *p, struct fb_bound *bound, const struct fb_uid *group)
{
    const struct fb_list_source *source = p->query->source;
    bound->all = bound->all || source->below == NULL || source->next == NULL;
    if (bound->all)
        return true;
    struct below below = {p, bound, bound->count + FB_LIST_GROUPS, true};
    if (!add_itself(p, bound, group) || !source->below(source->self, group, p->arena, add_below, &below))
        return fb_eval_cannot(&p->s.e);
    return below.fine;
}

static bool add_bound(struct planner *p, struct fb_bound *to, const struct fb_bound *from)
{
    to->all = to->all || from->all;
    for (size_t i = 0; i < from->count && !to->all; i++)
        if (!add_term(p, to, from->terms[i]))
            return false;
    return true;
}

static uint64_t cost(const struct fb_bound *bound)
{
    return bound->all ? UINT64_MAX : bound->cost;
}

static void take_cheaper(struct fb_bound *best, const struct fb_bound *other)
{
    if (cost(other) < cost(best))
        *best = *other;
}

static bool is_asked(const struct planner *p, uint32_t index)
{
    const struct fb_node *node = &p->s.e.code->nodes[index];
    return node->op == FB_OP_VAR && node->arg == p->query->asked;
}

/* The entity that node `index` comes to, or those in the set; what is no entity equals none.  `group`: and
 * those in it. */
static bool bound_by_value(struct planner *p, uint32_t index, bool group, struct fb_bound *bound)
{
    struct fb_value value;
    *bound = (struct fb_bound){.all = true};
    if (!fb_guess_value(&p->s, index, &value))
        return !p->s.e.cannot;
    bound->all = false;
    bool (*const add)(struct planner *, struct fb_bound *, const struct fb_uid *) = group ? add_group : add_itself;
    if (value.kind == FB_ENTITY)
        return add(p, bound, value.uid);
    for (uint32_t i = 0; value.kind == FB_SET && i < value.count && !bound->all; i++) {
        struct fb_value element = fb_cell_load(&value.cells[i]);
        if (element.kind == FB_ENTITY && !add(p, bound, element.uid))
            return false;
    }
    return true;
}

/* An attribute of the one asked for? */
static bool is_attribute(const struct planner *p, uint32_t index, uint64_t *symbol)
{
    const struct fb_node *node = &p->s.e.code->nodes[index];
    *symbol = node->symbol;
    return node->op == FB_OP_ATTR && is_asked(p, node->left);
}

/* `x.a == node`, `x.a.contains(node)`: of a known entity; anything else may be equal too. */
static bool bound_by_attribute(struct planner *p, uint32_t index, uint64_t symbol, struct fb_bound *bound)
{
    struct fb_value value;
    *bound = (struct fb_bound){.all = true};
    if (!fb_guess_value(&p->s, index, &value) || value.kind != FB_ENTITY)
        return !p->s.e.cannot;
    bound->all = false;
    return add_mentioning(p, bound, symbol, value.uid);
}

static bool add_refs(struct planner *p, struct fb_bound *bound, uint64_t symbol, struct fb_refs refs)
{
    for (uint32_t i = 0; i < refs.count && !bound->all; i++)
        if (!add_mentioning(p, bound, symbol, fb_ref_uid(&refs.refs[i])))
            return false;
    return true;
}

/* `node in x.a`: the entity or one of its ancestors is the attribute, or in it.  Ancestors that are left open
 * are asked further. */
static bool bound_by_ancestors(struct planner *p, uint32_t index, uint64_t symbol, struct fb_bound *bound)
{
    struct fb_value value;
    *bound = (struct fb_bound){.all = true};
    if (!fb_guess_value(&p->s, index, &value) || value.kind != FB_ENTITY)
        return !p->s.e.cannot;
    const struct fb_uid **asked = fb_arena_array(p->arena, FB_LIST_GROUPS, sizeof(const struct fb_uid *));
    uint32_t count = 0;
    if (asked == NULL)
        return fb_eval_cannot(&p->s.e);
    bound->all = false;
    asked[count++] = value.uid;
    if (!add_mentioning(p, bound, symbol, value.uid))
        return false;
    for (uint32_t i = 0; i < count && !bound->all; i++) {
        struct fb_entity room;
        const struct fb_entity *entity = fb_find(&p->s.e, asked[i], &room);
        if (p->s.e.cannot)
            return false;
        if (entity == NULL)
            continue;
        if (!add_refs(p, bound, symbol, entity->closed ? entity->ancestors : entity->parents)
            || (!entity->closed && !add_refs(p, bound, symbol, entity->ancestors)))
            return false;
        for (uint32_t j = 0; j < entity->open.count && !bound->all; j++) {
            bound->all = count == FB_LIST_GROUPS;
            if (!bound->all)
                asked[count++] = fb_ref_uid(&entity->open.refs[j]);
        }
    }
    return true;
}

static bool bound_of(struct planner *p, uint32_t index, struct fb_bound *bound);

static bool bound_of_logic(struct planner *p, const struct fb_node *node, struct fb_bound *bound)
{
    bool both = node->op == FB_OP_AND;
    *bound = (struct fb_bound){.all = both};
    for (uint32_t i = 0; i < node->third; i++) {
        uint32_t item = p->s.e.code->lists[node->right + i];
        struct fb_bound other;
        uint8_t may;
        if (!both && !fb_guess_condition(&p->s, item, &may))
            return false;
        if (!both && (may & FB_CAN_TRUE) == 0)
            continue;
        if (!bound_of(p, item, &other))
            return false;
        if (both)
            take_cheaper(bound, &other);
        else if (!add_bound(p, bound, &other))
            return false;
    }
    return true;
}

static bool bound_of_eq(struct planner *p, uint32_t one, uint32_t other, struct fb_bound *bound)
{
    uint64_t symbol;
    if (is_asked(p, one))
        return bound_by_value(p, other, false, bound);
    return !is_attribute(p, one, &symbol) || bound_by_attribute(p, other, symbol, bound);
}

/* The recursion follows && and || alone, within FB_NODE_DEPTH. */
static bool bound_of(struct planner *p, uint32_t index, struct fb_bound *bound)
{
    const struct fb_node *node = &p->s.e.code->nodes[index];
    struct fb_bound other = {.all = true};
    uint64_t symbol;
    *bound = other;
    switch ((unsigned)node->op) {
    case FB_OP_AND:
    case FB_OP_OR: return bound_of_logic(p, node, bound);
    case FB_OP_EQ:
        if (!bound_of_eq(p, node->left, node->right, bound) || !bound_of_eq(p, node->right, node->left, &other))
            return false;
        take_cheaper(bound, &other);
        return true;
    case FB_OP_IN:
    case FB_OP_IS_IN:
        if (is_asked(p, node->left))
            return bound_by_value(p, node->right, true, bound);
        return !is_attribute(p, node->right, &symbol) || bound_by_ancestors(p, node->left, symbol, bound);
    case FB_OP_CONTAINS:
        if (is_asked(p, node->right))
            return bound_by_value(p, node->left, false, bound);
        return !is_attribute(p, node->left, &symbol) || bound_by_attribute(p, node->right, symbol, bound);
    default: return true;
    }
}

static bool bound_of_rule(struct planner *p, const struct fb_rule *rule, struct fb_bound *best)
{
    bool principal = p->query->asked == FB_PRINCIPAL;
    enum fb_scope_op op = (enum fb_scope_op)(principal ? rule->principal_op : rule->resource_op);
    struct fb_bound other;
    *best = (struct fb_bound){.all = true};
    if (op == FB_SCOPE_EQ || op == FB_SCOPE_IN || op == FB_SCOPE_IS_IN) {
        best->all = false;
        const struct fb_uid *uid = principal ? rule->principal : rule->resource;
        if (!(op != FB_SCOPE_EQ ? add_group(p, best, uid) : add_itself(p, best, uid)))
            return false;
    }
    for (uint32_t i = 0; i < rule->conjuncts_count && cost(best) > 1; i++) {
        if (!bound_of(p, p->query->program->conjuncts[rule->conjuncts + i].node, &other))
            return false;
        take_cheaper(best, &other);
    }
    return true;
}

/* --- The plan ------------------------------------------------------------------------------------- */

/* What the policies said so far. */
struct tally {
    uint32_t *rules;
    size_t count, capacity;
    bool permits, forbids;     /* some can matter */
    bool permitted, forbidden; /* for certain */
};

static bool count_rule(struct planner *p, struct tally *tally, uint32_t number)
{
    const struct fb_rule of = fb_rule_of(p->query->program, number), *rule = &of;
    bool permit = rule->effect == FB_PERMIT;
    uint8_t outcomes, counts = FB_CAN_TRUE;
    if (!fb_rule_outcomes(&p->s, p->query->program, rule, &outcomes))
        return false;
    if (!permit && p->query->strict)
        counts |= FB_CAN_ERR;
    if ((outcomes & counts) == 0)
        return true;
    bool certain = (outcomes & ~counts) == 0;
    tally->permits |= permit;
    tally->forbids |= !permit;
    tally->permitted |= permit && certain;
    tally->forbidden |= !permit && certain;
    uint32_t *rules = fb_arena_grow(p->arena, tally->rules, tally->count, &tally->capacity, sizeof *rules);
    if (rules == NULL)
        return fb_eval_cannot(&p->s.e);
    tally->rules = rules;
    rules[tally->count++] = number;
    return true;
}

static bool bound_permits(struct planner *p, struct fb_plan *plan)
{
    plan->kind = FB_LIST_NAMED;
    for (uint32_t i = 0; i < plan->concerned.count && !plan->bound.all; i++) {
        const struct fb_rule of = fb_rule_of(p->query->program, plan->concerned.list[i]), *rule = &of;
        struct fb_bound bound;
        if (rule->effect != FB_PERMIT)
            continue;
        if (!bound_of_rule(p, rule, &bound) || !add_bound(p, &plan->bound, &bound))
            return false;
    }
    if (plan->bound.all)
        plan->kind = FB_LIST_SCAN;
    return true;
}

bool fb_plan_make(const struct fb_list_query *query, struct fb_arena *arena, struct fb_plan *plan)
{
    const struct fb_unknowns unknowns = {.principal = query->asked == FB_PRINCIPAL,
                                         .resource = query->asked == FB_RESOURCE};
    struct planner p = {.query = query, .arena = arena};
    struct fb_candidates candidates;
    struct tally tally = {0};
    *plan = (struct fb_plan){.kind = FB_LIST_NOBODY};
    fb_surmise_init(&p.s, query->program, query->request, &unknowns, arena);
    if (!fb_candidates_init(&candidates, query->program, &p.s.e, p.s.vars))
        return false;
    uint32_t rule;
    while (!tally.forbidden && (rule = fb_candidates_next(&candidates, &p.s.e)) != UINT32_MAX)
        if (!count_rule(&p, &tally, rule))
            return false;
    if (p.s.e.cannot || !fb_concern(query->program, tally.rules, (uint32_t)tally.count, arena, &plan->concerned)
        || arena->failed)
        return false;
    if (tally.forbidden || !tally.permits)
        return true;
    if (tally.permitted && !tally.forbids) {
        plan->kind = FB_LIST_EVERYBODY;
        return true;
    }
    return bound_permits(&p, plan) && !arena->failed;
}
