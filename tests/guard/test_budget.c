/* SPDX-License-Identifier: Apache-2.0 */
/* The search for a cure (src/guard/cure.c) has a budget: what a directory of policies says, or a client asks, may not
 * buy more of a worker's time.  The policies here name as many scopes, acrs and ages as are kept, and want of them what
 * no token has, in a way that only deciding finds out: 2^16 sets of scopes before 16 acrs and 16 ages.
 *
 * Counted are contexts built, one for each token that is tried: the action's context has a header field, and the
 * request's fields say how often they are read.  Times are only told. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#define TRIES_MAX 512u      /* tokens tried for one refusal */
#define WORK_MAX 16384u     /* policies asked in all of them, but for the fewest tries that there always are */
#define TRIES_MIN 16u
#define ALWAYS 8u           /* credentials, the decision itself, what could be */
enum { NAMED = 16 };

static const char schema[] =
    "entity User = { level: Long };\n"
    "entity Place;\n"
    "@route(\"GET /hard\") @resource(\"Place::hard\") action hard appliesTo { principal: User, resource: Place, context: {\n"
    "  token?: { scope: Set<String>, acr?: String, authTime?: datetime }, time: datetime, headers: { x?: String } } };\n";

/* Fields that count how often they are read from the start. */
struct counted {
    struct fb_http_fields inner;
    unsigned *reads;
};

static bool next(const void *self, struct fb_http_cursor *cursor, struct fb_http_field *field)
{
    const struct counted *counted = self;
    if (cursor->part == NULL && cursor->index == 0)
        ++*counted->reads;
    return counted->inner.next(counted->inner.self, cursor, field);
}

/* Wants one of many scopes, and one scope both to be and not to be there; of the sign-in, an acr and an age of many. */
static void write_hard(struct fb_buffer *out, const char *id, bool sign_in)
{
    fb_buffer_add_format(out, "@id(\"%s\") permit (principal, action, resource) when { context has token && (", id);
    for (unsigned i = 0; i < NAMED; i++)
        fb_buffer_add_format(out, "%scontext.token.scope.contains(\"s%u\")", i == 0 ? "" : " || ", i);
    fb_buffer_add_z(out, ") && context.token.scope.contains(\"s0\") && !context.token.scope.contains(\"s0\")");
    fb_buffer_add_z(out, sign_in ? " && context.token has acr && (" : " };\n");
    if (!sign_in)
        return;
    for (unsigned i = 0; i < NAMED; i++)
        fb_buffer_add_format(out, "%scontext.token.acr == \"a%u\"", i == 0 ? "" : " || ", i);
    fb_buffer_add_z(out, ") && context.token has authTime && (");
    for (unsigned i = 0; i < NAMED; i++)
        fb_buffer_add_format(out, "%scontext.time.durationSince(context.token.authTime) < duration(\"%us\")", i == 0 ? "" : " || ", 10 * i + 10);
    fb_buffer_add_z(out, ") };\n");
}

static unsigned tries(unsigned policies, bool sign_in, double *ms)
{
    static struct world world;
    struct fb_buffer text;
    struct exchange exchange;
    struct fb_answer answer;
    struct timespec begun, ended;
    unsigned reads = 0;
    world_init(&world);
    fb_buffer_init(&text, &fb_heap, (size_t)8 << 20);
    char id[32];
    for (unsigned i = 0; i < policies; i++) {
        snprintf(id, sizeof id, "p%u", i);
        write_hard(&text, id, sign_in);
    }
    world_write(&world, "schema.cedarschema", FB_SPAN(schema));
    world_write(&world, "p.cedar", fb_buffer_span(&text));
    assert_true(world_load(&world));
    world_put(&world, FB_SPAN("[{\"uid\":{\"type\":\"User\",\"id\":\"u\"},\"attrs\":{\"level\":1},\"parents\":[]}]"));
    struct fb_span token = world_token(&world, FB_SPAN("\"sub\":\"u\",\"scope\":\"other\""), 3600);
    exchange_init(&exchange, &world, FB_SPAN("GET /hard"));
    exchange_field(&exchange, FB_SPAN("Authorization"), fb_arena_format(&world.arena, "Bearer %.*s", (int)token.len, token.ptr));
    const struct counted counted = {exchange.http.fields, &reads};
    exchange.http.fields = (struct fb_http_fields){.next = next, .self = &counted};
    clock_gettime(CLOCK_MONOTONIC, &begun);
    fb_guard_decide(world.guard, &world.site, &exchange.http, &answer);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    *ms = (double)(ended.tv_sec - begun.tv_sec) * 1e3 + (double)(ended.tv_nsec - begun.tv_nsec) / 1e6;
    /* It could be cured as far as unknowns tell, and by nothing that was tried: a challenge without a name. */
    assert_false(answer.forward);
    assert_true(answer.refusal.status == 401 || answer.refusal.status == 403);
    assert_true(answer.refusal.challenge && answer.refusal.scope.len == 0 && answer.refusal.acr_values.len == 0);
    fb_buffer_release(&text);
    world_release(&world);
    return reads;
}

static void within_budget(bool sign_in)
{
    static const unsigned counts[] = {1, 31, 200, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        double ms;
        unsigned tried = tries(counts[i], sign_in, &ms), limit = WORK_MAX / (counts[i] + 1);
        limit = limit > TRIES_MAX ? TRIES_MAX : limit < TRIES_MIN ? TRIES_MIN : limit;
        print_message("# %u policies: %u tokens tried, of at most %u; %.2f ms\n", counts[i], tried, limit, ms);
        assert_true(tried <= limit + ALWAYS);
        /* The search did take place, or the limit shows nothing. */
        assert_true(tried >= (sign_in ? 16 : limit / 2));
    }
}

static void test_scopes(void **state)
{
    (void)state;
    within_budget(false);
}

static void test_sign_ins(void **state)
{
    (void)state;
    within_budget(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scopes), cmocka_unit_test(test_sign_ins)};
    return cmocka_run_group_tests_name("guard/budget", tests, NULL, NULL);
}
