/* SPDX-License-Identifier: Apache-2.0 */
/* A decision explained: the engine's explanation, copied so that it depends on nothing. */
#include "library/library.h"

#include <forbid/explain.h>

#define TEXT_BYTES ((size_t)256 << 20)

struct forbid_explanation {
    struct fb_root root;
    struct forbid_decision decision;
    struct forbid_explained_policy *policies;
    size_t count, left_out;
    struct fb_span text, json;
};

struct question {
    const struct forbid_policies *policies;
    const struct forbid_request *request;
    size_t max;
};

/* What is copied, and from which policy. */
struct copier {
    struct fb_arena *arena;
    const struct fb_source *source; /* a copy without its text, for its name */
    const struct fb_policy *policy;
};

static enum forbid_outcome outcome_of(uint8_t outcomes)
{
    return outcomes == FB_CAN_TRUE ? FORBID_TRUE : outcomes == FB_CAN_FALSE ? FORBID_FALSE : FORBID_ERRED;
}

static struct forbid_text copy_range(struct copier *c, struct fb_range range)
{
    struct fb_span text = fb_span_from(fb_span_head(c->policy->source->text, range.end), range.start);
    return fb_text_of(fb_arena_copy(c->arena, text));
}

static struct forbid_place place_of(struct copier *c, struct fb_range range)
{
    struct forbid_place place = fb_place_of(c->policy->source, range);
    place.source = fb_text_of(c->source->name);
    return place;
}

static bool copy_operands(struct copier *c, const struct fb_clause *from, struct forbid_clause *to)
{
    struct forbid_operand *operands = fb_arena_array(c->arena, from->values_count + (size_t)1, sizeof *operands);
    if (operands == NULL)
        return false;
    for (uint32_t i = 0; i < from->values_count; i++) {
        struct fb_buffer value;
        fb_buffer_init(&value, c->arena->allocator, TEXT_BYTES);
        fb_value_print_cut(&value, from->values[i].value, FB_VALUE_COLUMNS);
        operands[i] = (struct forbid_operand){.text = copy_range(c, from->values[i].range),
                                              .value = fb_text_of(fb_arena_copy(c->arena, fb_buffer_span(&value))),
                                              .place = place_of(c, from->values[i].range)};
        bool failed = value.failed;
        fb_buffer_release(&value);
        if (failed)
            return false;
    }
    to->operands = operands;
    to->operands_count = from->values_count;
    return true;
}

static bool copy_policy(struct copier *c, const struct fb_explanation *from, struct forbid_explained_policy *to)
{
    struct forbid_clause *clauses = fb_arena_array(c->arena, from->clauses_count + (size_t)1, sizeof *clauses);
    if (clauses == NULL)
        return false;
    for (uint32_t i = 0; i < from->clauses_count; i++) {
        const struct fb_clause *clause = &from->clauses[i];
        clauses[i] = (struct forbid_clause){.part = (enum forbid_clause_part)clause->part,
                                            .outcome = outcome_of(clause->outcomes),
                                            .about = fb_clause_codes[clause->about],
                                            .text = copy_range(c, clause->range),
                                            .place = place_of(c, clause->range),
                                            .error = fb_text_of(fb_arena_copy(c->arena, clause->error))};
        if (clause->error.len != 0)
            clauses[i].error_place = place_of(c, clause->error_range);
        if (!copy_operands(c, clause, &clauses[i]))
            return false;
        if (clause == from->decisive)
            to->decisive = &clauses[i];
    }
    to->permits = c->policy->effect == FB_PERMIT;
    to->outcome = outcome_of(from->outcomes);
    to->unmet = from->unmet;
    to->place = place_of(c, c->policy->range);
    to->clauses = clauses;
    to->clauses_count = from->clauses_count;
    return true;
}

static bool copy_policies(struct forbid_explanation *made, const struct fb_program *program,
                          const struct fb_explained *explained)
{
    struct fb_arena *arena = &made->root.arena;
    made->policies = fb_arena_array(arena, explained->count + (size_t)1, sizeof *made->policies);
    if (made->policies == NULL)
        return false;
    for (uint32_t i = 0; i < explained->count; i++) {
        const struct fb_explanation *policy = &explained->policies[i];
        struct copier c = {.arena = arena, .policy = fb_program_policy(program, policy->policy)};
        const struct fb_source named = {.name = c.policy->source->name};
        c.source = fb_source_copy(arena, &named);
        if (c.source == NULL || !copy_policy(&c, policy, &made->policies[i]))
            return false;
        made->policies[i].id = fb_text_of(fb_arena_copy(arena, fb_program_id(program, policy->policy)));
    }
    made->count = explained->count;
    made->left_out = explained->left_out;
    return true;
}

static bool write_texts(struct forbid_explanation *made, const struct fb_program *program,
                        const struct fb_decision *decision, const struct fb_explained *explained)
{
    struct fb_arena *arena = &made->root.arena;
    struct fb_buffer out;
    fb_buffer_init(&out, &made->root.allocator, TEXT_BYTES);
    fb_explained_print(&out, program, decision, explained, (struct fb_explain_style){.colour = false});
    made->text = fb_span(fb_arena_text(arena, fb_buffer_span(&out)), out.len);
    bool fine = !out.failed;
    fb_buffer_clear(&out);
    fb_explained_print_json(&out, program, decision, explained);
    made->json = fb_span(fb_arena_text(arena, fb_buffer_span(&out)), out.len);
    fine = fine && !out.failed && made->text.ptr != NULL && made->json.ptr != NULL;
    fb_buffer_release(&out);
    return fine;
}

static bool fill(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    struct forbid_explanation *made = (struct forbid_explanation *)(void *)root;
    const struct question *question = how;
    const struct fb_program *program = fb_request_program(question->request, question->policies);
    struct fb_entities entities;
    struct fb_request asked;
    struct fb_decision decision;
    struct fb_explained explained;
    (void)source;
    bool fine = fb_request_read(question->request, &root->arena, &entities, &asked, diags);
    if (!fb_request_whole(question->request, diags) || !fine)
        return false;
    uint32_t max = question->max < FB_EXPLAINED_MAX ? (uint32_t)question->max : FB_EXPLAINED_MAX;
    return fb_decide(program, &asked, &root->arena, &decision) == FB_OK
           && fb_explain_decision(program, &asked, NULL, decision.allow, max, &root->arena, &explained) == FB_OK
           && fb_decision_hand_out(&root->arena, program, &decision, &made->decision)
           && copy_policies(made, program, &explained) && write_texts(made, program, &decision, &explained);
}

enum forbid_status forbid_explain(const struct forbid_allocator *allocator, const forbid_policies *policies,
                                  const struct forbid_request *request, size_t max, forbid_explanation **explanation,
                                  forbid_errors **errors)
{
    const struct question question = {policies, request, max};
    struct fb_making making = {.allocator = allocator, .fill = fill, .how = &question, .errors = errors};
    struct fb_root *made;
    if (explanation != NULL && policies != NULL && fb_request_fits(request, policies))
        making.size = sizeof **explanation;
    enum forbid_status status = fb_root_make(&making, &made);
    if (explanation != NULL)
        *explanation = (struct forbid_explanation *)(void *)made;
    return status;
}

struct forbid_decision forbid_explanation_decision(const forbid_explanation *explanation)
{
    struct forbid_decision decision = {.size = sizeof decision};
    return explanation != NULL ? explanation->decision : decision;
}

size_t forbid_explanation_count(const forbid_explanation *explanation)
{
    return explanation != NULL ? explanation->count : 0;
}

struct forbid_explained_policy forbid_explanation_at(const forbid_explanation *explanation, size_t index)
{
    struct forbid_explained_policy nothing;
    memset(&nothing, 0, sizeof nothing);
    return index < forbid_explanation_count(explanation) ? explanation->policies[index] : nothing;
}

size_t forbid_explanation_left_out(const forbid_explanation *explanation)
{
    return explanation != NULL ? explanation->left_out : 0;
}

struct forbid_text forbid_explanation_text(const forbid_explanation *explanation)
{
    return explanation != NULL ? fb_text_of(explanation->text) : (struct forbid_text){0, ""};
}

struct forbid_text forbid_explanation_json(const forbid_explanation *explanation)
{
    return explanation != NULL ? fb_text_of(explanation->json) : (struct forbid_text){0, ""};
}

void forbid_explanation_free(forbid_explanation *explanation)
{
    if (explanation != NULL)
        fb_root_free(&explanation->root);
}
