/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: a request as text becomes the engine's, the engine's decision becomes texts. */
#include "library/library.h"

#define MEMORY_DEFAULT ((size_t)4 << 20)
#define CONCERNS_CEILING ((size_t)1 << 20)

forbid_decider *forbid_decider_new(const struct forbid_allocator *allocator, const forbid_policies *policies,
                                   size_t memory)
{
    const struct fb_allocator from = fb_allocator_of(allocator);
    struct forbid_decider *decider = policies != NULL ? fb_alloc(&from, sizeof *decider) : NULL;
    if (decider == NULL)
        return NULL;
    memset(decider, 0, sizeof *decider);
    decider->allocator = from;
    decider->policies = policies;
    fb_arena_init(&decider->arena, &decider->allocator, memory != 0 ? memory : MEMORY_DEFAULT);
    fb_arena_init(&decider->batch, &decider->allocator, 0);
    fb_arena_init(&decider->concerns_arena, &decider->allocator, CONCERNS_CEILING);
    return decider;
}

static void forget(struct forbid_decider *decider)
{
    forbid_errors_free(decider->errors);
    decider->errors = NULL;
    for (size_t i = 0; i < decider->batch_errors_count; i++)
        forbid_errors_free(decider->batch_errors[i]);
    decider->batch_errors = NULL;
    decider->batch_errors_count = decider->batch_errors_capacity = 0;
    fb_arena_release(&decider->batch);
}

bool fb_decider_begin(struct forbid_decider *decider)
{
    fb_arena_clear(&decider->arena);
    forget(decider);
    decider->errors = fb_errors_new(&decider->allocator);
    return decider->errors != NULL;
}

void forbid_decider_free(forbid_decider *decider)
{
    if (decider == NULL)
        return;
    forget(decider);
    fb_arena_release(&decider->arena);
    fb_arena_release(&decider->concerns_arena);
    struct fb_allocator allocator = decider->allocator;
    fb_free(&allocator, decider, sizeof *decider);
}

bool fb_decision_hand_out(struct fb_arena *arena, const struct fb_program *program, const struct fb_decision *from,
                          struct forbid_decision *to)
{
    const uint32_t *list = from->forbids_count != 0 ? from->forbids : from->permits;
    uint32_t count = from->forbids_count != 0 ? from->forbids_count : from->permits_count;
    struct forbid_text *reasons = fb_arena_array(arena, count + (size_t)1, sizeof *reasons);
    struct forbid_policy_error *errors = fb_arena_array(arena, from->errors_count + (size_t)1, sizeof *errors);
    if (reasons == NULL || errors == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        reasons[i] = fb_text_of(fb_arena_copy(arena, fb_program_id(program, list[i])));
    for (uint32_t i = 0; i < from->errors_count; i++) {
        const struct fb_policy_error *error = &from->errors[i];
        const struct fb_source *source = fb_program_policy(program, error->policy)->source;
        errors[i] = (struct forbid_policy_error){
            .policy = fb_text_of(fb_arena_copy(arena, fb_program_id(program, error->policy))),
            .message = fb_text_of(fb_arena_copy(arena, error->message)),
            .source = fb_text_of(fb_arena_copy(arena, source->name)),
            .start = error->range.start,
            .end = error->range.end};
    }
    to->reasons = reasons;
    to->reasons_count = count;
    to->errors = errors;
    to->errors_count = from->errors_count;
    to->allow = from->allow;
    to->size = sizeof *to;
    return !arena->failed;
}

/* The same as before?  Not by address alone: who replaces entities under a decider that lives on, which is against
 * forbid.h but easily done, mostly gets the address of the old ones, and must not get their answers. */
static bool are_the_same(const struct forbid_decider *decider, const struct forbid_entities *entities)
{
    return decider->concerns_known && decider->concerns_of == entities
           && (entities == NULL || (decider->concerns_made.tv_sec == entities->made.tv_sec
                                    && decider->concerns_made.tv_nsec == entities->made.tv_nsec));
}

/* What the request's action concerns, remembered from earlier ones as long as they ask about the same entities.  Links
 * that come and go are not for that. */
static const struct fb_concerned *concerned_by(struct forbid_decider *decider, const struct forbid_request *given,
                                               const struct fb_program *program, const struct fb_request *asked)
{
    if (given->links != NULL)
        return NULL;
    if (!are_the_same(decider, given->entities) || decider->concerns_arena.failed) {
        fb_arena_clear(&decider->concerns_arena);
        fb_concerns_init(&decider->concerns, program, asked->entities, &decider->concerns_arena);
        decider->concerns_of = given->entities;
        decider->concerns_made = given->entities != NULL ? given->entities->made : (struct timespec){0};
        decider->concerns_known = true;
    }
    return fb_concerns_of(&decider->concerns, asked->action);
}

static enum forbid_status decide(struct forbid_decider *decider, const struct forbid_request *request,
                                 struct forbid_decision *decision)
{
    const struct fb_program *program = fb_request_program(request, decider->policies);
    struct fb_diags *diags = &decider->errors->diags;
    struct fb_entities entities;
    struct fb_request asked;
    struct fb_decision found;
    bool fine = fb_request_read(request, &decider->arena, &entities, &asked, diags);
    fine = fb_request_whole(request, diags) && fine;
    if (decider->arena.failed)
        return FORBID_NO_MEMORY;
    if (!fine)
        return fb_errors_status(decider->errors, false);
    struct forbid_decision made = {.allow = 0};
    asked.concerned = concerned_by(decider, request, program, &asked);
    if (fb_decide(program, &asked, &decider->arena, &found) != FB_OK
        || !fb_decision_hand_out(&decider->arena, program, &found, &made))
        return FORBID_NO_MEMORY;
    *decision = made;
    return FORBID_OK;
}

enum forbid_status forbid_authorize(forbid_decider *decider, const struct forbid_request *request,
                                    struct forbid_decision *decision, const forbid_errors **errors)
{
    if (errors != NULL)
        *errors = NULL;
    if (decision == NULL || decision->size != sizeof *decision)
        return FORBID_MISUSE;
    *decision = (struct forbid_decision){.size = sizeof *decision};
    if (decider == NULL || !fb_request_fits(request, decider->policies))
        return FORBID_MISUSE;
    if (!fb_decider_begin(decider))
        return FORBID_NO_MEMORY;
    enum forbid_status status = decide(decider, request, decision);
    if (status == FORBID_INVALID && !fb_errors_seal(decider->errors))
        status = FORBID_NO_MEMORY;
    if (status == FORBID_INVALID && errors != NULL)
        *errors = decider->errors;
    return status;
}
