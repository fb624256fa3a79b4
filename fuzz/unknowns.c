/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation with unknowns is sound: whatever a policy comes to for some choice of them lies in what was
 * guessed without knowing.  The first byte says what is unknown. */
#include "world.h"

#include "../tests/engine/oracle.h"

static const struct fb_span names[] = {FB_SPAN_INIT("n"), FB_SPAN_INIT("s"), FB_SPAN_INIT("u"), FB_SPAN_INIT("new")};

struct choices {
    struct fb_value contexts[8];
    size_t count;
};

/* The context without the unknown fields, and with one value for all of them. */
static struct fb_value context_with(struct fb_arena *arena, struct fb_value context, const struct fb_unknowns *unknowns,
                                    const struct fb_value *value)
{
    struct fb_field fields[32];
    size_t count = 0;
    for (uint64_t i = 0; i < context.record->count; i++) {
        struct fb_span name = fb_value_text(fb_cell_load(&fb_record_names(context.record)[i]));
        bool unknown = false;
        for (uint32_t j = 0; j < unknowns->context_count; j++)
            unknown = unknown || fb_span_eq(name, unknowns->context[j]);
        if (!unknown)
            fields[count++] = (struct fb_field){name, fb_cell_load(&fb_record_values(context.record)[i])};
    }
    for (uint32_t j = 0; value != NULL && j < unknowns->context_count; j++)
        fields[count++] = (struct fb_field){unknowns->context[j], *value};
    struct fb_value made;
    fuzz_must(fb_value_record(arena, fields, count, &made), "a context can be made");
    return made;
}

static void choose(struct fb_arena *arena, const struct world *world, const struct fb_unknowns *unknowns,
                   struct choices *choices)
{
    struct fb_value context = world->request.context;
    struct fb_value values[] = {fb_value_bool(false), fb_value_number(FB_LONG, 5), fb_value_string(FB_SPAN("hello")),
                                fb_value_entity(world->users[1]), context, fb_value_number(FB_DECIMAL, 12500)};
    choices->count = 0;
    choices->contexts[choices->count++] = context_with(arena, context, unknowns, NULL);
    for (size_t i = 0; unknowns->context_count != 0 && i < sizeof values / sizeof values[0]; i++)
        choices->contexts[choices->count++] = context_with(arena, context, unknowns, &values[i]);
}

/* One choice: each outcome lies in the guess.  Is it allowed, without a forbid that errs? */
static bool try_choice(struct fb_arena *arena, const struct fb_policy_set *set, const struct fb_request *request,
                       const uint8_t *guessed)
{
    struct oracle oracle = {request, arena};
    bool permitted = false, forbidden = false;
    uint32_t rule = 0;
    for (size_t i = 0; i < set->count + set->links_count; i++) {
        const struct fb_link *link = i >= set->count ? set->links[i - set->count] : NULL;
        const struct fb_policy *policy = link != NULL ? link->template_ : set->policies[i];
        if (link == NULL && policy->is_template)
            continue;
        char says = oracle_policy(&oracle, policy, link);
        uint8_t bit = says == 'T' ? FB_CAN_TRUE : says == 'F' ? FB_CAN_FALSE : FB_CAN_ERR;
        fuzz_must((guessed[rule++] & bit) != 0, "an outcome was guessed");
        permitted = permitted || (policy->effect == FB_PERMIT && says == 'T');
        forbidden = forbidden || (policy->effect == FB_FORBID && says != 'F');
    }
    return permitted && !forbidden;
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct world world;
    struct choices choices;
    uint8_t what = fuzz_byte(&input);
    struct fb_unknowns unknowns = {.principal = what & 1, .resource = what & 2, .context = names,
                                   .context_count = (what & 4) != 0 ? sizeof names / sizeof names[0] : 0};
    world_init(&world, arena);
    const struct fb_policy_set *set = world_policies(arena, input);
    if (set == NULL)
        return;
    const struct fb_program *program = world_program(arena, set);
    const uint8_t *guessed;
    bool could, allowed = false;
    choose(arena, &world, &unknowns, &choices);
    fuzz_must(fb_outcomes(program, &world.request, &unknowns, arena, &guessed) == FB_OK, "outcomes are guessed");
    fuzz_must(fb_could_allow(program, &world.request, &unknowns, NULL, arena, &could) == FB_OK, "… and the decision");
    for (size_t p = 0; p < (unknowns.principal ? 4 : 1); p++)
        for (size_t r = 0; r < (unknowns.resource ? 3 : 1); r++)
            for (size_t c = 0; c < choices.count; c++) {
                struct fb_request request = world.request;
                request.principal = world.users[p];
                request.resource = world.resources[r];
                request.context = choices.contexts[c];
                allowed = try_choice(arena, set, &request, guessed) || allowed;
            }
    fuzz_must(could || !allowed, "what some choice allows could be allowed");
    for (uint32_t i = 0; i < fb_program_count(program); i++) {
        struct fb_explanation explanation;
        fuzz_must(fb_explain(program, i, &world.request, &unknowns, true, arena, &explanation) == FB_OK, "it is explained");
    }
}
