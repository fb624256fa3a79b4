/* SPDX-License-Identifier: Apache-2.0 */
/* Policy text decided on fixed entities, against the evaluator of tests/engine, which walks the trees; and
 * explanations against both. */
#include "world.h"

#include "../tests/engine/oracle.h"

/* What the decision says of a rule. */
static char decided(const struct fb_decision *d, uint32_t rule)
{
    char says = 'F';
    for (uint32_t i = 0; i < d->permits_count; i++)
        says = d->permits[i] == rule ? 'T' : says;
    for (uint32_t i = 0; i < d->forbids_count; i++)
        says = d->forbids[i] == rule ? 'T' : says;
    for (uint32_t i = 0; i < d->errors_count; i++)
        says = d->errors[i].policy == rule ? 'E' : says;
    return says;
}

static void explain(struct fb_arena *arena, const struct fb_program *program, const struct fb_request *request,
                    uint32_t rule, uint8_t outcomes)
{
    struct fb_explanation explanation;
    fuzz_must(fb_explain(program, rule, request, NULL, true, arena, &explanation) == FB_OK, "a policy can be explained");
    fuzz_must(explanation.outcomes == outcomes, "an explanation comes to what evaluation does");
    fuzz_must(!explanation.fits || (explanation.unmet == 0) == (outcomes == FB_CAN_TRUE), "met is what is true");
}

static void decide(struct fb_arena *arena, const struct fb_policy_set *set, const struct fb_program *program,
                   const struct fb_request *request)
{
    static const char letters[] = {'?', 'T', 'F', '?', 'E'};
    struct oracle oracle = {request, arena};
    struct fb_decision d;
    const uint8_t *outcomes;
    uint32_t rule = 0, permits = 0, forbids = 0;
    fuzz_must(fb_decide(program, request, arena, &d) == FB_OK, "a decision is made");
    fuzz_must(fb_outcomes(program, request, NULL, arena, &outcomes) == FB_OK, "outcomes are found");
    for (size_t i = 0; i < set->count + set->links_count; i++) {
        const struct fb_link *link = i >= set->count ? set->links[i - set->count] : NULL;
        const struct fb_policy *policy = link != NULL ? link->template_ : set->policies[i];
        if (link == NULL && policy->is_template)
            continue;
        char says = oracle_policy(&oracle, policy, link);
        fuzz_must_show(decided(&d, rule) == says, "the decision is the oracle's", fb_program_id(program, rule));
        fuzz_must_show(outcomes[rule] <= FB_CAN_ERR && letters[outcomes[rule]] == says, "… and so is the outcome",
                       fb_program_id(program, rule));
        explain(arena, program, request, rule, outcomes[rule]);
        permits += says == 'T' && policy->effect == FB_PERMIT;
        forbids += says == 'T' && policy->effect == FB_FORBID;
        rule++;
    }
    fuzz_must(rule == fb_program_count(program) && d.permits_count == permits && d.forbids_count == forbids,
              "each policy counts once");
    fuzz_must(d.allow == (permits != 0 && forbids == 0), "forbids beat permits, nothing denies");
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct world world;
    struct fb_explanation nearest;
    bool found;
    world_init(&world, arena);
    const struct fb_policy_set *set = world_policies(arena, input);
    if (set == NULL)
        return;
    const struct fb_program *program = world_program(arena, set);
    decide(arena, set, program, &world.request);
    for (size_t i = 1; i < 4; i++) {
        world.request.principal = world.users[i];
        world.request.resource = world.resources[i % 3];
        world.request.action = world.actions[i % 2];
        decide(arena, set, program, &world.request);
    }
    fuzz_must(fb_nearest_permit(program, &world.request, NULL, true, arena, &nearest, &found) == FB_OK,
              "the nearest permit is found, or none");
}
