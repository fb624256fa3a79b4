/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes of whole policies, and "could it be allowed?" from them. */

#include "engine/unknown.h"

bool fb_rule_outcomes(struct fb_surmise *s, const struct fb_program *program, const struct fb_rule *rule,
                      uint8_t *outcomes)
{
    *outcomes = FB_CAN_FALSE;
    if (!fb_types_fit(rule, s->e.request))
        return true;
    uint8_t part;
    if (!fb_guess_principal(s, rule, outcomes) || !fb_guess_resource(s, rule, &part))
        return false;
    *outcomes = fb_outcomes_and(*outcomes, part);
    /* (By index: a program without conditions has no list of them to point into.) */
    for (uint32_t i = 0; i < rule->conjuncts_count && (*outcomes & FB_CAN_TRUE) != 0; i++) {
        if (!fb_guess_condition(s, program->conjuncts[rule->conjuncts + i].node, &part))
            return false;
        *outcomes = fb_outcomes_and(*outcomes, part);
    }
    return true;
}

enum fb_status fb_outcomes(const struct fb_program *program, const struct fb_request *request,
                           const struct fb_unknowns *unknowns, struct fb_arena *arena, const uint8_t **outcomes)
{
    struct fb_surmise s;
    struct fb_candidates candidates;
    uint8_t *list = fb_arena_alloc(arena, fb_program_count(program));
    fb_surmise_init(&s, program, request, unknowns, arena);
    if (list == NULL || !fb_candidates_init(&candidates, program, &s.e, s.vars))
        return FB_CANNOT;
    memset(list, FB_CAN_FALSE, fb_program_count(program));
    uint32_t rule;
    while ((rule = fb_candidates_next(&candidates, &s.e)) != UINT32_MAX) {
        const struct fb_rule found = fb_rule_of(program, rule);
        if (!fb_rule_outcomes(&s, program, &found, &list[rule]))
            return FB_CANNOT;
    }
    if (s.e.cannot || arena->failed)
        return FB_CANNOT;
    *outcomes = list;
    return FB_OK;
}

/* Each policy is asked by itself, as if another choice of the unknowns could be made for each: "could"
 * may be said too often, never too seldom. */
enum fb_status fb_could_allow(const struct fb_program *program, const struct fb_request *request,
                              const struct fb_unknowns *unknowns, const bool *skip, struct fb_arena *arena,
                              bool *could)
{
    struct fb_surmise s;
    struct fb_candidates candidates;
    *could = false;
    fb_surmise_init(&s, program, request, unknowns, arena);
    if (!fb_candidates_init(&candidates, program, &s.e, s.vars))
        return FB_CANNOT;
    bool permitted = false, forbidden = false;
    uint32_t rule;
    while (!forbidden && (rule = fb_candidates_next(&candidates, &s.e)) != UINT32_MAX) {
        uint8_t outcomes;
        const struct fb_rule found = fb_rule_of(program, rule);
        bool permit = found.effect == FB_PERMIT;
        if (permit ? permitted : skip != NULL && skip[rule])
            continue;
        if (!fb_rule_outcomes(&s, program, &found, &outcomes))
            return FB_CANNOT;
        if (permit)
            permitted = (outcomes & FB_CAN_TRUE) != 0;
        else
            forbidden = (outcomes & FB_CAN_FALSE) == 0;
    }
    if (s.e.cannot || arena->failed)
        return FB_CANNOT;
    *could = permitted && !forbidden;
    return FB_OK;
}

enum fb_status fb_hitting_forbid(const struct fb_program *program, const struct fb_request *request,
                                 const struct fb_unknowns *unknowns, const bool *last, struct fb_arena *arena,
                                 uint32_t *policy, bool *found)
{
    struct fb_surmise s;
    struct fb_candidates candidates;
    uint32_t rule;
    *found = false;
    fb_surmise_init(&s, program, request, unknowns, arena);
    if (!fb_candidates_init(&candidates, program, &s.e, s.vars))
        return FB_CANNOT;
    while ((!*found || last[*policy]) && (rule = fb_candidates_next(&candidates, &s.e)) != UINT32_MAX) {
        uint8_t outcomes;
        const struct fb_rule of = fb_rule_of(program, rule);
        if (of.effect != FB_FORBID || (*found && last[rule]))
            continue;
        if (!fb_rule_outcomes(&s, program, &of, &outcomes))
            return FB_CANNOT;
        if ((outcomes & (FB_CAN_TRUE | FB_CAN_FALSE)) == FB_CAN_TRUE) {
            *policy = rule;
            *found = true;
        }
    }
    return s.e.cannot || arena->failed ? FB_CANNOT : FB_OK;
}
