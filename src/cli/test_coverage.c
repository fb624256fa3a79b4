/* SPDX-License-Identifier: Apache-2.0 */
/* Which policies, clauses and routes the tests are about.  A policy is covered when it was among those that decided.  A clause is
 * covered when it was met, and once was the only one that was missing: a clause that never was could be deleted, and every
 * test would still hold.  (One that is guarded by another, `context has x && context.x > 1`, errs where its guard is
 * missing; then the guard alone is.) */
#include "cli/inputs.h"
#include "cli/test.h"

static bool counted(const struct fb_policy *policy, enum fb_clause_part part)
{
    switch (part) {
    case FB_PART_PRINCIPAL: return policy->principal.op != FB_SCOPE_IS;
    case FB_PART_RESOURCE: return policy->resource.op != FB_SCOPE_IS;
    case FB_PART_ACTION: return false;
    case FB_PART_WHEN:
    case FB_PART_UNLESS: break;
    }
    return true;
}

/* The clauses of a policy are the same whatever is asked, so they are had from a request about nothing. */
static bool list_clauses(struct fb_cover *cover, const struct fb_request *nothing, uint32_t index)
{
    struct fb_explanation explanation;
    struct fb_cover_policy *into = &cover->policies[index];
    if (fb_explain(cover->program, index, nothing, NULL, false, &cover->arena, &explanation) != FB_OK)
        return false;
    into->clauses = fb_arena_array(&cover->arena, explanation.clauses_count + 1u, sizeof *into->clauses);
    if (into->clauses == NULL)
        return false;
    into->count = explanation.clauses_count;
    for (uint32_t i = 0; i < into->count; i++)
        into->clauses[i] = (struct fb_cover_clause){
            .range = explanation.clauses[i].range,
            .part = explanation.clauses[i].part,
            .counted = counted(fb_program_policy(cover->program, index), explanation.clauses[i].part)};
    return true;
}

bool fb_cover_init(struct fb_cover *cover, const struct fb_policies *policies)
{
    *cover = (struct fb_cover){.program = fb_policies_program(policies), .routes = fb_policies_routes(policies)};
    fb_arena_init(&cover->arena, &fb_heap, (size_t)1 << 30);
    cover->count = fb_program_count(cover->program);
    cover->policies = fb_arena_array(&cover->arena, cover->count + 1, sizeof *cover->policies);
    cover->asked = fb_arena_array(&cover->arena, fb_routes_count(cover->routes) + 1, sizeof *cover->asked);
    const struct fb_uid *nobody = fb_uid_new(&cover->arena, FB_SPAN("Nobody"), FB_SPAN(""));
    if (cover->policies == NULL || cover->asked == NULL || nobody == NULL)
        return false;
    struct fb_entity_set *none = fb_entity_set_new(&cover->arena);
    if (none == NULL)
        return false;
    const struct fb_entities entities = fb_entity_set_source(none);
    const struct fb_request nothing = {.principal = nobody, .action = nobody, .resource = nobody,
                                       .context = fb_context_empty(), .entities = &entities};
    for (uint32_t i = 0; i < cover->count; i++)
        if (!list_clauses(cover, &nothing, i))
            return false;
    return true;
}

void fb_cover_release(struct fb_cover *cover)
{
    fb_arena_release(&cover->arena);
}

static bool can_be_met(const struct fb_clause *clause)
{
    return (clause->outcomes & FB_CAN_TRUE) != 0;
}

/* The one clause without which the policy would have held, or NULL: the first unmet, if what else is unmet could not even
 * be evaluated. */
static const struct fb_clause *missing(const struct fb_explanation *explanation)
{
    const struct fb_clause *first = NULL;
    for (uint32_t i = 0; i < explanation->clauses_count; i++) {
        const struct fb_clause *clause = &explanation->clauses[i];
        if (can_be_met(clause))
            continue;
        if (first != NULL && clause->outcomes != FB_CAN_ERR)
            return NULL;
        if (first == NULL)
            first = clause;
    }
    return first;
}

static bool is_about_action(const struct fb_explanation *explanation)
{
    for (uint32_t i = 0; i < explanation->clauses_count; i++)
        if (explanation->clauses[i].part == FB_PART_ACTION && !can_be_met(&explanation->clauses[i]))
            return false;
    return true;
}

static bool is_named(const struct fb_answer *answer, uint32_t policy)
{
    for (uint32_t i = 0; i < answer->policies_count; i++)
        if (answer->policies[i] == policy)
            return true;
    return false;
}

static void note(struct fb_cover *cover, const struct fb_why *why, const struct fb_explanation *explanation)
{
    struct fb_cover_policy *into = &cover->policies[explanation->policy];
    bool forbids = fb_program_policy(cover->program, explanation->policy)->effect == FB_FORBID;
    bool holds = (explanation->outcomes & FB_CAN_TRUE) != 0;
    const struct fb_clause *only = missing(explanation);
    into->evaluated += explanation->fits;
    into->held += holds;
    into->decided += holds && is_named(&why->answer, explanation->policy) && forbids != why->answer.forward;
    for (uint32_t i = 0; i < into->count && i < explanation->clauses_count; i++) {
        const struct fb_clause *clause = &explanation->clauses[i];
        into->clauses[i].met += clause->outcomes == FB_CAN_TRUE;
        into->clauses[i].unmet += !can_be_met(clause);
        into->clauses[i].decided += clause == only;
    }
}

/* A HEAD that goes with a GET asks for the GET's. */
static void note_route(struct fb_cover *cover, const struct fb_route *asked)
{
    for (size_t i = 0; i < fb_routes_count(cover->routes); i++) {
        const struct fb_route *route = fb_routes_at(cover->routes, i);
        cover->asked[i] += route == asked
                           || (asked->implicit && route->action == asked->action && fb_span_eq(route->path, asked->path));
    }
}

bool fb_cover_note(struct fb_cover *cover, const struct fb_why *why, struct fb_arena *arena)
{
    if (why->route != NULL)
        note_route(cover, why->route);
    if (!why->evaluated)
        return true;
    for (uint32_t i = 0; i < cover->count; i++) {
        struct fb_explanation explanation;
        if (fb_explain(cover->program, i, &why->request, &why->unknowns, false, arena, &explanation) != FB_OK)
            return false;
        if (is_about_action(&explanation))
            note(cover, why, &explanation);
    }
    return true;
}

struct fb_cover_sums fb_cover_sums(const struct fb_cover *cover)
{
    struct fb_cover_sums sums = {.policies = cover->count};
    for (size_t i = 0; i < cover->count; i++) {
        const struct fb_cover_policy *policy = &cover->policies[i];
        sums.policies_decided += policy->decided != 0;
        for (uint32_t k = 0; k < policy->count; k++) {
            sums.clauses += policy->clauses[k].counted;
            sums.clauses_decided += policy->clauses[k].counted && fb_cover_whole(&policy->clauses[k]);
        }
    }
    for (size_t i = 0; i < fb_routes_count(cover->routes); i++) {
        bool written = !fb_routes_at(cover->routes, i)->implicit;
        sums.routes += written;
        sums.routes_asked += written && cover->asked[i] != 0;
    }
    return sums;
}
