/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: a request as text becomes the engine's, the engine's decision becomes texts. */
#include "library/library.h"

#define MEMORY_DEFAULT ((size_t)4 << 20)

struct forbid_decider {
    struct fb_allocator allocator;
    struct fb_arena arena;
    const struct forbid_policies *policies;
    struct forbid_errors *errors;       /* of the last call */
};

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
    return decider;
}

void forbid_decider_free(forbid_decider *decider)
{
    if (decider == NULL)
        return;
    forbid_errors_free(decider->errors);
    fb_arena_release(&decider->arena);
    struct fb_allocator allocator = decider->allocator;
    fb_free(&allocator, decider, sizeof *decider);
}

static const struct fb_program *program_for(const struct forbid_decider *decider, const struct forbid_request *request)
{
    return request->links != NULL ? fb_links_program(request->links) : decider->policies->program;
}

static bool is_there(const char *what, struct forbid_text text, struct fb_diags *diags)
{
    if (text.len != 0)
        return true;
    struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "request.missing", NULL, (struct fb_range){0, 0},
                                       "the request has no %s", what);
    diag->hint = FB_SPAN("write it as Cedar text: User::\"alice\"");
    return false;
}

static bool hand_out(struct forbid_decider *decider, const struct fb_program *program, const struct fb_decision *from,
                     struct forbid_decision *to)
{
    const uint32_t *list = from->forbids_count != 0 ? from->forbids : from->permits;
    uint32_t count = from->forbids_count != 0 ? from->forbids_count : from->permits_count;
    struct forbid_text *reasons = fb_arena_array(&decider->arena, count + (size_t)1, sizeof *reasons);
    struct forbid_policy_error *errors =
        fb_arena_array(&decider->arena, from->errors_count + (size_t)1, sizeof *errors);
    if (reasons == NULL || errors == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        reasons[i] = fb_text_of(fb_program_id(program, list[i]));
    for (uint32_t i = 0; i < from->errors_count; i++) {
        const struct fb_policy_error *error = &from->errors[i];
        const struct fb_source *source = fb_program_policy(program, error->policy)->source;
        errors[i] = (struct forbid_policy_error){.policy = fb_text_of(fb_program_id(program, error->policy)),
                                                 .message = fb_text_of(error->message),
                                                 .source = fb_text_of(source->name),
                                                 .start = error->range.start,
                                                 .end = error->range.end};
    }
    to->reasons = reasons;
    to->reasons_count = count;
    to->errors = errors;
    to->errors_count = from->errors_count;
    to->allow = from->allow;
    return true;
}

static enum forbid_status decide(struct forbid_decider *decider, const struct forbid_request *request,
                                 struct forbid_decision *decision)
{
    const struct fb_program *program = program_for(decider, request);
    struct fb_diags *diags = &decider->errors->diags;
    struct fb_entities entities;
    struct fb_request asked;
    struct fb_decision found;
    bool fine = fb_request_read(request, &decider->arena, &entities, &asked, diags);
    fine = is_there("principal", request->principal, diags) && fine;
    fine = is_there("action", request->action, diags) && fine;
    fine = is_there("resource", request->resource, diags) && fine;
    if (decider->arena.failed)
        return FORBID_NO_MEMORY;
    if (!fine)
        return fb_errors_status(decider->errors, false);
    if (fb_decide(program, &asked, &decider->arena, &found) != FB_OK || !hand_out(decider, program, &found, decision))
        return FORBID_NO_MEMORY;
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
    if (decider == NULL || request == NULL || !fb_request_usable(request)
        || (request->links != NULL && !fb_links_are_of(request->links, decider->policies)))
        return FORBID_MISUSE;
    fb_arena_clear(&decider->arena);
    forbid_errors_free(decider->errors);
    decider->errors = fb_errors_new(&decider->allocator);
    if (decider->errors == NULL)
        return FORBID_NO_MEMORY;
    enum forbid_status status = decide(decider, request, decision);
    if (status == FORBID_INVALID && !fb_errors_seal(decider->errors))
        status = FORBID_NO_MEMORY;
    if (status == FORBID_INVALID && errors != NULL)
        *errors = decider->errors;
    return status;
}
