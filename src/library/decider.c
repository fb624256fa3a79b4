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

static const struct fb_uid *read_uid(struct forbid_decider *decider, const char *what, struct forbid_text text)
{
    const struct fb_uid *uid = fb_uid_parse(&decider->arena, fb_span_of(text));
    if (uid != NULL || decider->arena.failed)
        return uid;
    struct fb_diag *diag = fb_diag_add(&decider->errors->diags, FB_ERROR, "request.uid", NULL, (struct fb_range){0, 0},
                                       "the %s is not an entity uid", what);
    diag->hint = FB_SPAN("write it as Cedar text: User::\"alice\"");
    return NULL;
}

static bool read_context(struct forbid_decider *decider, struct forbid_text text, struct fb_value *context)
{
    static const struct forbid_text name = {sizeof "context" - 1, "context"};
    static const struct forbid_text nothing = {2, "{}"};
    const struct fb_source *source = fb_source_copy(&decider->errors->arena, name, text.len != 0 ? text : nothing);
    if (source == NULL)
        return false;
    struct fb_json json;
    fb_json_init(&json, source->text, &decider->arena, FB_JSON_LIMITS);
    if (fb_json_next(&json) != FB_JSON_ERROR && json.event != FB_JSON_OBJECT)
        fb_json_fail(&json, "request.context", "a context is a JSON object");
    bool fine = json.error == NULL
                && fb_value_read_json(&json, &decider->arena, NULL, (struct fb_type_hint){.hint = FB_HINT_NONE}, context)
                && fb_json_next(&json) == FB_JSON_END;
    if (fine && context->kind != FB_RECORD) {
        fb_json_fail(&json, "request.context", "a context is a record");
        fine = false;
    }
    if (!fine)
        fb_json_report(&json, source, &decider->errors->diags);
    return fine;
}

static struct forbid_text text_of(struct fb_span span)
{
    return (struct forbid_text){span.len, span.ptr};
}

static bool hand_out(struct forbid_decider *decider, const struct fb_decision *from, struct forbid_decision *to)
{
    const struct fb_program *program = decider->policies->program;
    const uint32_t *list = from->forbids_count != 0 ? from->forbids : from->permits;
    uint32_t count = from->forbids_count != 0 ? from->forbids_count : from->permits_count;
    struct forbid_text *reasons = fb_arena_array(&decider->arena, count + (size_t)1, sizeof *reasons);
    struct forbid_policy_error *errors = fb_arena_array(&decider->arena, from->errors_count + (size_t)1, sizeof *errors);
    if (reasons == NULL || errors == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        reasons[i] = text_of(fb_program_id(program, list[i]));
    for (uint32_t i = 0; i < from->errors_count; i++)
        errors[i] = (struct forbid_policy_error){.policy = text_of(fb_program_id(program, from->errors[i].policy)),
                                                 .message = text_of(from->errors[i].message),
                                                 .start = from->errors[i].range.start,
                                                 .end = from->errors[i].range.end};
    to->reasons = reasons;
    to->reasons_count = count;
    to->errors = errors;
    to->errors_count = from->errors_count;
    to->allow = from->allow;
    return true;
}

static enum fb_found find_nothing(const void *self, const struct fb_uid *uid, struct fb_entity *entity)
{
    (void)self;
    (void)uid;
    (void)entity;
    return FB_ABSENT;
}

static enum forbid_status decide(struct forbid_decider *decider, const struct forbid_request *request,
                                 struct forbid_decision *decision)
{
    const struct fb_entities entities = request->entities != NULL ? fb_entity_set_source(request->entities->set)
                                                                  : (struct fb_entities){.find = find_nothing};
    struct fb_request asked = {.principal = read_uid(decider, "principal", request->principal),
                               .action = read_uid(decider, "action", request->action),
                               .resource = read_uid(decider, "resource", request->resource),
                               .entities = &entities};
    bool context = read_context(decider, request->context, &asked.context);
    if (decider->errors->diags.errors != 0)
        return FORBID_INVALID;
    struct fb_decision found;
    if (asked.principal == NULL || asked.action == NULL || asked.resource == NULL || !context
        || fb_decide(decider->policies->program, &asked, &decider->arena, &found) != FB_OK
        || !hand_out(decider, &found, decision))
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
    if (decider == NULL || request == NULL || request->size != sizeof *request)
        return FORBID_MISUSE;
    fb_arena_clear(&decider->arena);
    forbid_errors_free(decider->errors);
    decider->errors = fb_errors_new(&decider->allocator);
    if (decider->errors == NULL)
        return FORBID_NO_MEMORY;
    enum forbid_status status = decide(decider, request, decision);
    if (status == FORBID_INVALID) {
        fb_errors_seal(decider->errors);
        if (errors != NULL)
            *errors = decider->errors;
    }
    return status;
}
