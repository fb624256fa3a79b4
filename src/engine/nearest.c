/* SPDX-License-Identifier: Apache-2.0 */
/* Which policies say most about a decision.  All candidates are counted, without values and as far as they
 * can still matter; only those that are kept are explained. */

#include "engine/explainer.h"

/* --- The nearest permit ------------------------------------------------------------------------------ */

enum fb_status fb_nearest_permit(const struct fb_program *program, const struct fb_request *request,
                                 const struct fb_unknowns *unknowns, bool values, struct fb_arena *arena,
                                 struct fb_explanation *explanation, bool *found)
{
    struct fb_explainer x;
    struct fb_candidates candidates;
    *found = false;
    fb_explainer_init(&x, program, request, unknowns, values, arena);
    if (!fb_candidates_by_action(&candidates, program, &x.s.e))
        return FB_CANNOT;
    uint32_t best = UINT32_MAX, least = UINT32_MAX, rule;
    while (least != 0 && (rule = fb_candidates_next(&candidates, &x.s.e)) != UINT32_MAX) {
        uint32_t count;
        uint8_t outcomes;
        const struct fb_rule policy = fb_rule_of(program, rule);
        if (policy.effect != FB_PERMIT || !fb_types_fit(&policy, request))
            continue;
        if (!fb_count_unmet(&x, &policy, least, &count, &outcomes))
            return FB_CANNOT;
        if (count < least) {
            least = count;
            best = rule;
        }
    }
    if (x.s.e.cannot || (best != UINT32_MAX && !fb_explain_rule(&x, best, explanation)) || arena->failed)
        return FB_CANNOT;
    *found = best != UINT32_MAX;
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

static bool find_most(struct fb_explainer *x, bool allowed, struct kept *list, uint32_t max,
                      struct fb_explained *explained)
{
    struct fb_candidates candidates;
    uint32_t rule, concerned = 0;
    if (!fb_candidates_by_action(&candidates, x->program, &x->s.e))
        return false;
    while ((rule = fb_candidates_next(&candidates, &x->s.e)) != UINT32_MAX) {
        struct kept one = {.rule = rule};
        uint8_t outcomes;
        const struct fb_rule policy = fb_rule_of(x->program, rule);
        if (!fb_types_fit(&policy, x->s.e.request))
            continue;
        if (!fb_count_unmet(x, &policy, UINT32_MAX, &one.unmet, &outcomes))
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
