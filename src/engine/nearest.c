/* SPDX-License-Identifier: Apache-2.0 */
/* Which policies say most about a decision.  Candidates are counted without values and as far as they can
 * still matter; only those that are kept are explained. */

#include "engine/explainer.h"

/* --- The nearest permit --------------------------------------------------------------------------------
 * Rows of one group (rows.h) differ only in which sides of their scopes hold.  Those of which none does are
 * all as far away as each other, so the first of a group stands for them; the others name the request's own
 * principal, resource or an ancestor, and are found by that.  Conditions are a form's: counted once. */

#define FEW_LINKS 16u       /* that are looked at one by one */
#define TALLIES 16u

struct nearest {
    struct fb_explainer *x;
    uint32_t best, least;       /* UINT32_MAX: none yet */
    struct {
        uint32_t form;          /* number + 1 */
        uint32_t unmet;         /* of its conditions; UINT32_MAX: it does not concern the request */
    } tallies[TALLIES];
};

static void consider(struct nearest *n, uint32_t rule, uint32_t unmet)
{
    if (unmet > n->least || (unmet == n->least && rule > n->best))
        return;
    n->least = unmet;
    n->best = rule;
}

/* A rule whose action matches, by itself. */
static bool consider_rule(struct nearest *n, uint32_t rule)
{
    uint32_t unmet, enough = n->least != UINT32_MAX ? n->least + 1 : UINT32_MAX;
    uint8_t outcomes;
    const struct fb_rule policy = fb_rule_of(n->x->program, rule);
    if (policy.effect != FB_PERMIT || !fb_types_fit(&policy, n->x->s.e.request))
        return true;
    if (!fb_count_unmet(n->x, &policy, enough, &unmet, &outcomes))
        return false;
    consider(n, rule, unmet);
    return true;
}

static bool consider_each(struct nearest *n, struct fb_candidates *candidates)
{
    uint32_t rule;
    while ((rule = fb_candidates_next(candidates, &n->x->s.e)) != UINT32_MAX) {
        if (!consider_rule(n, rule))
            return false;
        if (n->least == 0 && rule >= n->best)
            break;      /* they ascend */
    }
    return !n->x->s.e.cannot;
}

static bool consider_all_links(struct nearest *n)
{
    const struct fb_program *program = n->x->program;
    for (uint32_t i = 0; i < program->links->count; i++) {
        uint32_t form = fb_row_at(program->links, i)->form;
        if (form == FB_ROW_FREE)
            continue;
        enum fb_found found = fb_action_matches(&n->x->s.e, &program->forms[form].policy->action);
        if (found == FB_BROKEN || (found == FB_FOUND && !consider_rule(n, program->statics.count + i)))
            return false;
    }
    return true;
}

/* What the conditions of a form lack. */
static bool tally(struct nearest *n, uint32_t number, uint32_t *unmet)
{
    const struct fb_form *form = &n->x->program->forms[number];
    uint32_t at = number % TALLIES;
    if (n->tallies[at].form != number + 1) {
        enum fb_found found = form->effect == FB_PERMIT ? fb_action_matches(&n->x->s.e, &form->policy->action) : FB_ABSENT;
        n->tallies[at].form = number + 1;
        n->tallies[at].unmet = UINT32_MAX;
        uint8_t outcomes;
        if (found == FB_BROKEN
            || (found == FB_FOUND && !fb_count_unmet_conditions(n->x, form, &n->tallies[at].unmet, &outcomes)))
            return false;
    }
    *unmet = n->tallies[at].unmet;
    return true;
}

static bool meet(void *self, uint32_t rule, uint32_t form, uint32_t sides)
{
    struct nearest *n = self;
    uint32_t unmet;
    if (!tally(n, form, &unmet))
        return false;
    if (unmet != UINT32_MAX)
        consider(n, rule, unmet + sides);
    return true;
}

static bool consider_firsts(struct nearest *n)
{
    const struct fb_program *program = n->x->program;
    const struct fb_request *request = n->x->s.e.request;
    for (uint32_t i = 0; i < program->links->groups_count; i++) {
        const struct fb_group *group = fb_group_at(program->links, i);
        const struct fb_form *form = &program->forms[group->form];
        if (group->count == 0 || form->effect != FB_PERMIT
            || (group->type[0] != 0 && group->type[0] != request->principal->type_hash)
            || (group->type[1] != 0 && group->type[1] != request->resource->type_hash))
            continue;
        enum fb_found found = fb_action_matches(&n->x->s.e, &form->policy->action);
        if (found == FB_BROKEN || (found == FB_FOUND && !consider_rule(n, program->statics.count + group->first)))
            return false;
    }
    return true;
}

/* Static policies, then links.  False: cannot. */
static bool find_nearest(struct nearest *n)
{
    struct fb_eval *e = &n->x->s.e;
    const struct fb_program *program = n->x->program;
    struct fb_sought sought = {program, &program->statics, 0, n->x->s.vars, 0, 0, 0};
    struct fb_candidates candidates;
    enum fb_gathered met = program->statics.followers != 0 ? fb_meet_named(e, &sought, meet, n) : FB_GATHER_PROVEN;
    if (met == FB_GATHER_CANNOT || !fb_candidates_static(&candidates, program, e, met != FB_GATHER_COSTLY)
        || !consider_each(n, &candidates))
        return false;
    if (program->links->live == 0 || n->least == 0)
        return true;
    if (program->links->live <= FEW_LINKS)
        return consider_all_links(n);
    sought.rows = program->links;
    sought.base = program->statics.count;
    met = fb_meet_named(e, &sought, meet, n);
    return met != FB_GATHER_CANNOT && (met == FB_GATHER_COSTLY ? consider_all_links(n) : consider_firsts(n));
}

enum fb_status fb_nearest_permit(const struct fb_program *program, const struct fb_request *request,
                                 const struct fb_unknowns *unknowns, bool values, struct fb_arena *arena,
                                 struct fb_explanation *explanation, bool *found)
{
    struct fb_explainer x;
    *found = false;
    fb_explainer_init(&x, program, request, unknowns, values, arena);
    struct nearest n = {.x = &x, .best = UINT32_MAX, .least = UINT32_MAX};
    if (!find_nearest(&n) || x.s.e.cannot || (n.best != UINT32_MAX && !fb_explain_rule(&x, n.best, explanation))
        || arena->failed)
        return FB_CANNOT;
    *found = n.best != UINT32_MAX;
    return FB_OK;
}

/* --- All that matter ----------------------------------------------------------------------------------- */

/* How much a policy says, the least number first. */
enum { DECIDES, MAY_CLOSE, NEARLY, REST };

static unsigned rank(uint8_t effect, uint8_t outcomes, bool allowed)
{
    bool permit = effect == FB_PERMIT, can = (outcomes & FB_CAN_TRUE) != 0;
    if (allowed) {
        if (permit)
            return can ? DECIDES : REST;
        return (outcomes & FB_CAN_ERR) != 0 ? MAY_CLOSE : NEARLY;
    }
    if (permit)
        return NEARLY;
    return can ? DECIDES : (outcomes & FB_CAN_ERR) != 0 ? MAY_CLOSE : REST;
}

struct kept {
    uint32_t rule, unmet;
    unsigned rank;
};

static bool says_more(const struct kept *a, const struct kept *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->unmet < b->unmet;
}

/* The list stays in order; equals stay in the order of their policies. */
static void keep(struct kept *list, uint32_t *count, uint32_t max, const struct kept *one)
{
    uint32_t at = *count;
    while (at > 0 && says_more(one, &list[at - 1]))
        at--;
    if (at == max)
        return;
    uint32_t moved = (*count < max ? *count : max - 1) - at;
    memmove(&list[at + 1], &list[at], moved * sizeof *list);
    list[at] = *one;
    *count += *count < max;
}

/* What the conditions of forms come to; those of links are their template's. */
struct weighed {
    struct {
        uint32_t form;          /* number + 1 */
        uint32_t unmet;
        uint8_t outcomes;
    } forms[TALLIES];
};

static bool weigh(struct fb_explainer *x, struct weighed *weighed, uint32_t rule, const struct fb_rule *policy,
                  struct kept *one, uint8_t *outcomes)
{
    uint32_t number = fb_program_row(x->program, rule)->form, at = number % TALLIES;
    if (!fb_count_unmet_scope(x, policy, UINT32_MAX, &one->unmet, outcomes))
        return false;
    if (weighed->forms[at].form != number + 1) {
        weighed->forms[at].form = 0;
        if (!fb_count_unmet_conditions(x, &x->program->forms[number], &weighed->forms[at].unmet,
                                       &weighed->forms[at].outcomes))
            return false;
        weighed->forms[at].form = number + 1;
    }
    one->unmet += weighed->forms[at].unmet;
    *outcomes = fb_outcomes_and(*outcomes, weighed->forms[at].outcomes);
    return true;
}

static bool find_most(struct fb_explainer *x, bool allowed, struct kept *list, uint32_t max,
                      struct fb_explained *explained)
{
    struct fb_candidates candidates;
    struct weighed weighed = {.forms = {{.form = 0}}};
    uint32_t rule, concerned = 0;
    if (!fb_candidates_by_action(&candidates, x->program, &x->s.e))
        return false;
    while ((rule = fb_candidates_next(&candidates, &x->s.e)) != UINT32_MAX) {
        struct kept one = {.rule = rule};
        uint8_t outcomes;
        const struct fb_rule policy = fb_rule_of(x->program, rule);
        if (!fb_types_fit(&policy, x->s.e.request))
            continue;
        if (!weigh(x, &weighed, rule, &policy, &one, &outcomes))
            return false;
        one.rank = rank(policy.effect, outcomes, allowed);
        if (one.rank == REST)
            continue;
        concerned++;
        keep(list, &explained->count, max, &one);
    }
    explained->left_out = concerned - explained->count;
    return !x->s.e.cannot;
}

enum fb_status fb_explain_decision(const struct fb_program *program, const struct fb_request *request,
                                   const struct fb_unknowns *unknowns, bool allowed, uint32_t max,
                                   struct fb_arena *arena, struct fb_explained *explained)
{
    struct fb_explainer x;
    *explained = (struct fb_explained){.count = 0};
    max = max == 0 ? FB_EXPLAINED : max < FB_EXPLAINED_MAX ? max : FB_EXPLAINED_MAX;
    struct kept *list = fb_arena_array(arena, max + (size_t)1, sizeof *list);
    fb_explainer_init(&x, program, request, unknowns, true, arena);
    if (list == NULL || !find_most(&x, allowed, list, max, explained))
        return FB_CANNOT;
    struct fb_explanation *policies = fb_arena_array(arena, explained->count + (size_t)1, sizeof *policies);
    if (policies == NULL)
        return FB_CANNOT;
    for (uint32_t i = 0; i < explained->count; i++)
        if (!fb_explain_rule(&x, list[i].rule, &policies[i]))
            return FB_CANNOT;
    explained->policies = policies;
    return arena->failed ? FB_CANNOT : FB_OK;
}
