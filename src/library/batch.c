/* SPDX-License-Identifier: Apache-2.0 */
/* Many requests, one after another.  What a request shares with the one before it is read once: uids and
 * context by their texts, the principal's entity, the policies that the action concerns.
 *
 * Three arenas: answers live in that of the batch; each decision has the decider's, within its ceiling;
 * requests are read into one with the same ceiling, which is begun anew when half of it is used, so that
 * one large request takes nothing from the next. */
#include "library/library.h"

#include <forbid/batch.h>

struct batch {
    struct forbid_decider *decider;
    struct fb_arena reading;
    struct fb_request_before before;
    /* The principal's entity, where it was found last. */
    struct fb_entities entities;
    const struct forbid_entities *of;
    const struct fb_uid *held; /* by address; NULL: none */
    enum fb_found found;
    struct fb_entity entity;
    /* The policies that this action concerns. */
    const struct fb_program *program;
    const struct fb_uid *action;
    const struct forbid_entities *action_of;
    const struct fb_concerned *concerned;
    struct forbid_errors *spare; /* empty, for the next request that is at fault */
};

/* The principal's entity: the last one's, or looked up.  NULL: there is none. */
static const struct fb_entity *principal_of(struct batch *batch, const struct forbid_request *given,
                                            const struct fb_uid *principal)
{
    if (batch->held != principal || batch->of != given->entities)
        batch->found = batch->entities.find(batch->entities.self, principal, &batch->entity);
    batch->of = given->entities;
    batch->held = principal;
    return batch->found == FB_FOUND ? &batch->entity : NULL;
}

static const struct fb_concerned *concerned_by(struct batch *batch, const struct forbid_request *given,
                                               const struct fb_program *program, const struct fb_request *asked)
{
    if (batch->program == program && batch->action == asked->action && batch->action_of == given->entities)
        return batch->concerned;
    /* Looked for at the second request with an action: it costs as much as one look-up. */
    bool again = batch->action == asked->action;
    batch->program = again ? program : NULL;
    batch->action_of = given->entities;
    batch->action = asked->action;
    batch->concerned =
        again ? fb_program_concerned(program, asked->action, asked->entities, &batch->decider->batch) : NULL;
    return batch->concerned;
}

/* Forgets what was read. */
static void read_anew(struct batch *batch)
{
    fb_arena_clear(&batch->reading);
    batch->before = (struct fb_request_before){.given = NULL};
    batch->held = NULL;
    batch->action = NULL;
    batch->program = NULL;
}

/* False after a fault, or without memory. */
static bool read_request(struct batch *batch, const struct forbid_request *given, struct fb_request *asked,
                         struct fb_diags *diags)
{
    if (batch->reading.used > batch->reading.ceiling / 2)
        read_anew(batch);
    bool shared = batch->before.given != NULL;
    bool fine = fb_request_read_next(given, &batch->reading, &batch->entities, &batch->before, asked, diags);
    /* It had what the ones before it left: again with all of it. */
    if (batch->reading.failed && shared && diags->count == 0) {
        read_anew(batch);
        fine = fb_request_read_next(given, &batch->reading, &batch->entities, &batch->before, asked, diags);
    }
    return fine;
}

static enum forbid_status answer(struct batch *batch, const struct forbid_request *given,
                                 struct forbid_batch_answer *answer)
{
    struct forbid_decider *decider = batch->decider;
    struct fb_diags *diags = &batch->spare->diags;
    const struct fb_program *program = fb_request_program(given, decider->policies);
    struct fb_request asked;
    struct fb_decision found;
    bool fine = read_request(batch, given, &asked, diags);
    fine = fb_request_whole(given, diags) && fine;
    if (batch->reading.failed) {
        read_anew(batch);
        return FORBID_NO_MEMORY;
    }
    if (!fine)
        return fb_errors_status(batch->spare, false);
    asked.principal_entity = principal_of(batch, given, asked.principal);
    asked.concerned = concerned_by(batch, given, program, &asked);
    struct forbid_decision made;
    fb_arena_clear(&decider->arena);
    if (decider->batch.failed || fb_decide(program, &asked, &decider->arena, &found) != FB_OK
        || !fb_decision_hand_out(&decider->batch, program, &found, &made))
        return FORBID_NO_MEMORY;
    answer->decision = made;
    return FORBID_OK;
}

/* Hands the errors of one request out; they are the decider's. */
static enum forbid_status give_errors(struct batch *batch, struct forbid_batch_answer *answer)
{
    struct forbid_decider *decider = batch->decider;
    struct forbid_errors **list = fb_arena_grow(&decider->batch, decider->batch_errors, decider->batch_errors_count,
                                                &decider->batch_errors_capacity, sizeof(struct forbid_errors *));
    if (list == NULL || !fb_errors_seal(batch->spare))
        return FORBID_NO_MEMORY;
    decider->batch_errors = list;
    list[decider->batch_errors_count++] = batch->spare;
    answer->errors = batch->spare;
    batch->spare = NULL;
    return FORBID_INVALID;
}

static bool run(struct batch *batch, const struct forbid_request *requests, size_t count,
                struct forbid_batch_answer *answers)
{
    for (size_t i = 0; i < count && !batch->decider->batch.failed; i++) {
        if (batch->spare == NULL)
            batch->spare = fb_errors_new(&batch->decider->allocator);
        if (batch->spare == NULL)
            return false;
        answers[i].status = answer(batch, &requests[i], &answers[i]);
        if (answers[i].status == FORBID_INVALID)
            answers[i].status = give_errors(batch, &answers[i]);
        if (batch->spare != NULL
            && (batch->spare->diags.count != 0
                || batch->spare->root.arena.failed)) { /* of what had no memory in the end */
            forbid_errors_free(batch->spare);
            batch->spare = NULL;
        }
    }
    return !batch->decider->batch.failed;
}

enum forbid_status forbid_authorize_batch(forbid_decider *decider, const struct forbid_request *requests, size_t count,
                                          struct forbid_batch_answer *answers)
{
    if (decider == NULL || (count != 0 && (requests == NULL || answers == NULL)))
        return FORBID_MISUSE;
    for (size_t i = 0; i < count; i++)
        if (answers[i].size != sizeof answers[i] || !fb_request_fits(&requests[i], decider->policies))
            return FORBID_MISUSE;
    for (size_t i = 0; i < count; i++)
        answers[i] = (struct forbid_batch_answer){
            .size = sizeof answers[i], .status = FORBID_NO_MEMORY, .decision = {.size = sizeof answers[i].decision}};
    if (!fb_decider_begin(decider))
        return FORBID_NO_MEMORY;
    size_t each = decider->arena.ceiling;
    fb_arena_init(&decider->batch, &decider->allocator, count < SIZE_MAX / each ? each * count : SIZE_MAX);
    struct batch batch = {.decider = decider};
    fb_arena_init(&batch.reading, &decider->allocator, each);
    bool done = run(&batch, requests, count, answers);
    forbid_errors_free(batch.spare);
    fb_arena_release(&batch.reading);
    return done ? FORBID_OK : FORBID_NO_MEMORY;
}
