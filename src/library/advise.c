/* SPDX-License-Identifier: Apache-2.0 */
/* forbid_advise(): the public words for src/refusal/advise.c, and memory of its own for each advice. */
#include "library/library.h"

#include "refusal/refusal.h"

#include <forbid/advise.h>

#define ADVICE_BYTES ((size_t)8 << 20)  /* a body of 256 KiB and its keys; fields */

struct memory {
    struct fb_allocator allocator;
    struct fb_arena arena;
};

_Static_assert((int)FORBID_FIX_REQUEST == (int)FB_CURE_FIX_REQUEST && (int)FORBID_WAIT == (int)FB_CURE_WAIT &&
                   (int)FORBID_GIVE_UP == (int)FB_CURE_GIVE_UP && (int)FORBID_STEP_UP == (int)FB_CURE_STEP_UP,
               "the cures are the same");
_Static_assert((int)FORBID_HELD_OTHER == (int)FB_PRESENTED_OTHER && (int)FORBID_HELD_DPOP == (int)FB_PRESENTED_DPOP, "so are the credentials");

static struct forbid_text out(struct fb_span span)
{
    return (struct forbid_text){span.len, span.ptr};
}

static struct fb_client client_of(const struct forbid_client *given)
{
    return (struct fb_client){
        .presented = (enum fb_presented)given->credentials,
        .can_refresh = given->can_refresh != 0,
        .strict = given->strict != 0,
        .wants_html = given->wants_html != 0,
        .method = fb_span_of(given->method),
        .scopes_known = given->scopes_known != 0,
        .scopes = fb_span_of(given->scopes),
        .acr = fb_span_of(given->acr),
        .has_auth_time = given->has_auth_time != 0,
        .auth_time = given->auth_time,
        .now = given->now,
        .tried = given->tried,
        .waits = given->waits,
        .waited = given->waited,
        .wait_max = given->wait_max,
    };
}

static void hand_out(const struct fb_advice *from, struct forbid_advice *to)
{
    to->cure = (enum forbid_cure)from->cure;
    to->sure = from->sure;
    to->why = fb_ground_code(from->why).ptr;
    to->sentence = fb_ground_sentence(from->why).ptr;
    to->source = fb_ground_source(from->why).ptr;
    to->scheme = out(from->scheme);
    to->realm = out(from->realm);
    to->resource_metadata = out(from->resource_metadata);
    to->scope = out(from->scope);
    to->acr_values = out(from->acr_values);
    to->has_max_age = from->has_max_age;
    to->max_age = from->max_age;
    to->nonce = out(from->nonce);
    to->wait = from->wait;
    to->allow = out(from->allow);
    to->reason = out(from->reason);
    to->detail = out(from->detail);
    to->link = out(from->link);
}

/* The fields as the inside has them. */
static bool read_answer(const struct forbid_answer *answer, struct fb_arena *arena, struct fb_received *seen)
{
    struct fb_line *lines = fb_arena_array(arena, answer->fields_count, sizeof *lines);
    if (lines == NULL)
        return false;
    for (size_t i = 0; i < answer->fields_count; i++)
        lines[i] = (struct fb_line){fb_span_of(answer->fields[i].name), fb_span_of(answer->fields[i].value)};
    *seen = (struct fb_received){answer->status, lines, answer->fields_count, fb_span_of(answer->body)};
    return true;
}

static void nothing(struct forbid_advice *advice)
{
    memset(advice, 0, sizeof *advice);
    advice->size = sizeof *advice;
    advice->why = advice->sentence = advice->source = "";
}

enum forbid_status forbid_advise(const struct forbid_allocator *allocator, const struct forbid_answer *answer,
                                 const struct forbid_client *client, struct forbid_advice *advice)
{
    if (advice == NULL || advice->size != sizeof *advice)
        return FORBID_MISUSE;
    nothing(advice);
    if (answer == NULL || answer->size != sizeof *answer || client == NULL || client->size != sizeof *client ||
        (answer->fields == NULL && answer->fields_count != 0) || (unsigned)client->credentials > FORBID_HELD_OTHER)
        return FORBID_MISUSE;
    struct fb_allocator from = fb_allocator_of(allocator);
    struct memory *memory = fb_alloc(&from, sizeof *memory);
    if (memory == NULL)
        return FORBID_NO_MEMORY;
    memory->allocator = from;
    fb_arena_init(&memory->arena, &memory->allocator, ADVICE_BYTES);
    advice->memory = memory;
    struct fb_received seen;
    struct fb_advice inside;
    struct fb_client inner = client_of(client);
    bool read = read_answer(answer, &memory->arena, &seen);
    if (read)
        fb_advise(&seen, &inner, &memory->arena, &inside);
    /* A body that could not be read for lack of memory might have said something else. */
    if (!read || memory->arena.failed) {
        forbid_advice_release(advice);
        return FORBID_NO_MEMORY;
    }
    hand_out(&inside, advice);
    return FORBID_OK;
}

void forbid_advice_release(struct forbid_advice *advice)
{
    struct memory *memory = advice != NULL ? advice->memory : NULL;
    if (memory == NULL)
        return;
    struct fb_allocator allocator = memory->allocator;
    fb_arena_release(&memory->arena);
    fb_free(&allocator, memory, sizeof *memory);
    nothing(advice);
}
