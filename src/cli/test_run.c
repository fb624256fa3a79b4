/* SPDX-License-Identifier: Apache-2.0 */
/* Each test through the guard, and its answer held against what is expected.  The answer comes from fb_guard_why(), which
 * takes the very steps of fb_guard_decide(). */
#include "cli/test.h"

#include <inttypes.h>
#include <time.h>

#define TOKEN_SECONDS 3600
#define TOKEN_CEILING ((size_t)1 << 20)

struct runner {
    struct fb_test_run *run;
    const struct fb_dev_key *key;
    struct fb_arena arena;              /* of one test */
};

static bool wanted(const struct fb_test_run *run, const struct fb_test *test)
{
    if (run->only == NULL)
        return true;
    for (size_t i = 0; i < test->name.len; i++)
        if (fb_span_starts(fb_span_from(test->name, i), fb_span_z(run->only)))
            return true;
    return false;
}

static int64_t time_of(const struct fb_test_file *file, const struct fb_test *test)
{
    if (test->given.has_time || file->given.has_time)
        return test->given.has_time ? test->given.time_ms : file->given.time_ms;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void set_levels(struct fb_site *site, const struct fb_site *usual, const struct fb_test_given *file,
                       const struct fb_test_given *test)
{
    *site = *usual;
    const struct fb_test_given *given[] = {file, test};
    for (size_t i = 0; i < 2; i++) {
        if (given[i]->has_disclose)
            site->disclose = given[i]->disclose;
        if (given[i]->has_disclose_anonymous)
            site->disclose_anonymous = given[i]->disclose_anonymous;
        site->disclose_stated |= given[i]->has_disclose || given[i]->has_disclose_anonymous;
    }
}

/* A bearer token of the run's issuer; false: it cannot be made, *why says so. */
static bool add_token(struct runner *runner, const struct fb_test *test, int64_t now_ms, struct fb_http_field *field,
                      const char **why)
{
    struct fb_buffer text, token;
    *why = "out of memory";
    fb_buffer_init(&text, &fb_heap, TOKEN_CEILING);
    fb_buffer_init(&token, &fb_heap, TOKEN_CEILING);
    const char *comma = "";
    fb_buffer_add_char(&text, '{');
    if (!test->has_iss)
        fb_buffer_add_z(&text, "\"iss\":\"" FB_TEST_ISSUER "\""), comma = ",";
    if (!test->has_aud)
        fb_buffer_add_format(&text, "%s\"aud\":\"" FB_TEST_AUDIENCE "\"", comma), comma = ",";
    if (!test->has_exp)
        fb_buffer_add_format(&text, "%s\"exp\":%" PRId64, comma, now_ms / 1000 + TOKEN_SECONDS), comma = ",";
    fb_buffer_add_z(&text, test->claims.len != 0 ? comma : "");
    fb_buffer_add(&text, test->claims);
    fb_buffer_add_char(&text, '}');
    bool fine = !text.failed && fb_token_mint(runner->key, fb_buffer_span(&text), &token, why);
    if (fine)
        *field = (struct fb_http_field){
            FB_SPAN("Authorization"),
            fb_arena_format(&runner->arena, "Bearer %.*s", (int)token.len, token.ptr)};
    fb_buffer_release(&token);
    fb_buffer_release(&text);
    return fine;
}

/* What the client can read: its Accept fields and the like, the first line of each. */
static struct fb_audience audience_of(const struct fb_http_field *fields, size_t count)
{
    struct fb_audience audience = {.pages = NULL};
    const struct {
        struct fb_span name, *value;
    } rows[] = {{FB_SPAN("accept"), &audience.accept}, {FB_SPAN("accept-language"), &audience.accept_language},
                {FB_SPAN("content-type"), &audience.content_type}, {FB_SPAN("origin"), &audience.origin}};
    for (size_t i = count; i-- > 0;)
        for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
            if (fb_span_eq_nocase(fields[i].name, rows[k].name))
                *rows[k].value = fields[i].value;
    return audience;
}

static bool compare(struct runner *runner, struct fb_test_outcome *outcome)
{
    const struct fb_test *test = outcome->test;
    const struct fb_program *program = fb_policies_program(runner->run->site->policies);
    struct fb_test_failure *failures = fb_arena_array(&runner->arena, test->expects_count + 1, sizeof *failures);
    if (failures == NULL)
        return false;
    for (size_t i = 0; i < test->expects_count; i++) {
        struct fb_span got = fb_test_got(&test->expects[i], outcome, program, &runner->arena);
        if (!fb_span_eq(got, test->expects[i].value))
            failures[outcome->failures_count++] = (struct fb_test_failure){&test->expects[i], got};
    }
    outcome->failures = failures;
    return !runner->arena.failed;
}

static bool decide(struct runner *runner, struct fb_test_world *world, const struct fb_test_file *file,
                   const struct fb_test *test)
{
    struct fb_test_run *run = runner->run;
    struct fb_http_request http = test->http;
    struct fb_http_field_list list = {.list = test->fields, .count = test->fields_count};
    const char *why_not;
    http.now_ms = time_of(file, test);
    if (test->who == FB_TEST_CLAIMS) {
        if (!add_token(runner, test, http.now_ms, &test->fields[test->fields_count], &why_not)) {
            fb_cli_fail(run->cli, "test: %.*s: its token cannot be made: %s", (int)test->name.len, test->name.ptr, why_not);
            return false;
        }
        list.count++;
    }
    http.fields = fb_http_fields_of(&list);
    struct fb_why why;
    struct fb_site site;
    struct fb_response response;
    set_levels(&site, &world->site, &file->given, &test->given);
    fb_guard_why(world->guard, &site, &http, test->who == FB_TEST_ASSUMED ? &test->assumed : NULL, &why);
    struct fb_test_outcome outcome = {.file = file, .test = test, .http = &http, .why = &why};
    struct fb_arena *arena = fb_guard_arena(world->guard);
    struct fb_audience audience = audience_of(test->fields, test->fields_count);
    audience.cors = file->cors;
    if (!fb_span_is(http.method, "POST"))
        audience.content_type = FB_SPAN("");
    if (why.answer.preflighted ? fb_preflight_render(&why.answer.preflight, &audience, arena, &response)
                               : !why.answer.forward && fb_refusal_render(&why.answer.refusal, &audience, arena, &response))
        outcome.response = &response;
    bool fine = compare(runner, &outcome) && fb_cover_note(run->cover, &why, arena);
    if (fine) {
        run->done++;
        run->failed += outcome.failures_count != 0;
        fb_test_report(run, &outcome);
    } else {
        fb_cli_fail(run->cli, "test: %.*s: out of memory", (int)test->name.len, test->name.ptr);
    }
    fb_guard_release(world->guard);
    return fine;
}

/* The file's own world serves all tests that have nothing of their own in the store. */
static bool run_file(struct runner *runner, const struct fb_test_file *file)
{
    struct fb_test_run *run = runner->run;
    struct fb_test_world common, own;
    bool fine = fb_test_world_open(&common, run->site, runner->key, file, NULL);
    if (!fine)
        fb_cli_diags(run->cli, &common.diags, false);
    for (size_t i = 0; fine && i < file->count && !*run->stop; i++) {
        const struct fb_test *test = &file->tests[i];
        if (!wanted(run, test))
            continue;
        fb_arena_clear(&runner->arena);
        if (!test->given.stores) {
            fine = decide(runner, &common, file, test);
            continue;
        }
        fine = fb_test_world_open(&own, run->site, runner->key, file, test);
        if (fine)
            fine = decide(runner, &own, file, test);
        else
            fb_cli_diags(run->cli, &own.diags, false);
        fb_test_world_close(&own);
    }
    fb_test_world_close(&common);
    return fine;
}

bool fb_test_run(struct fb_test_run *run)
{
    const char *error = "out of memory";
    struct fb_dev_key *key = fb_dev_key_new(FB_DEV_EDDSA, &fb_heap, &error);
    if (key == NULL) {
        fb_cli_fail(run->cli, "test: no key could be made: %s", error);
        return false;
    }
    struct runner runner = {.run = run, .key = key};
    fb_arena_init(&runner.arena, &fb_heap, (size_t)64 << 20);
    size_t count = 0;
    for (size_t i = 0; i < run->tests->count; i++)
        for (size_t k = 0; k < run->tests->files[i]->count; k++)
            count += wanted(run, &run->tests->files[i]->tests[k]);
    bool fine = count != 0;
    if (!fine)
        fb_cli_fail(run->cli, "test: no test has '%s' in its name", run->only);
    else
        fb_test_report_begin(run, count);
    for (size_t i = 0; fine && i < run->tests->count && !*run->stop; i++)
        fine = run_file(&runner, run->tests->files[i]);
    if (fine)
        fb_test_report_end(run);
    fb_arena_release(&runner.arena);
    fb_dev_key_free(key);
    return fine;
}
