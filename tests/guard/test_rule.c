/* SPDX-License-Identifier: Apache-2.0 */
/* The refusal rule by cases: each file in cases/ is a policy directory and the requests that are
 * tried on it.
 *
 *   === schema | policies | entities | store      the text of a file, or entities for the store
 *   === requests                                  then blocks separated by blank lines:
 *   account suspend User::"a"                     changes the store first
 *   disclose detail [none]                        the location's levels (signed in, strangers)
 *   no issuer                                     the location takes no tokens
 *   GET /path                                     the request, then what it carries:
 *     as "sub":"a","scope":"read"                 a token with these claims
 *     expired "sub":"a"                           one that expired a minute ago
 *     field Name: value                           any field
 *     ip 1.2.3.4 | country XX
 *     -> 403 not_owner                            status and reason; `-> forward`
 *     -> challenge Bearer invalid_token           the challenge's error code, `none` for none
 *     -> scope a b | -> acr x | -> max_age 60      its cure, `none` for none
 *     -> allow GET, HEAD | -> level none          what else must be
 *     -> hidden yes | -> secret no                a 404 of what is there; of a secret action
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static struct fb_span take_line(struct fb_span *text)
{
    size_t end = fb_span_find(*text, '\n');
    struct fb_span line = fb_span_head(*text, end);
    *text = fb_span_from(*text, end < text->len ? end + 1 : end);
    return line;
}

static bool take(struct fb_span *line, const char *word)
{
    struct fb_span w = fb_span_z(word);
    if (!fb_span_starts(*line, w))
        return false;
    *line = fb_span_trim(fb_span_from(*line, w.len));
    return true;
}

struct run {
    struct world world;
    const char *name;
    unsigned line_number;
    struct exchange exchange;
    struct fb_answer answer;
    bool open;                  /* a request was begun */
    bool decided;
    unsigned checks;
};

static void decide(struct run *run)
{
    if (run->decided)
        return;
    fb_guard_release(run->world.guard);
    fb_guard_decide(run->world.guard, &run->world.site, &run->exchange.http, &run->answer);
    run->decided = true;
}

static void wrong(const struct run *run, const char *what, struct fb_span got, struct fb_span want)
{
    fail_msg("%s:%u: %s is '%.*s', not '%.*s'", run->name, run->line_number, what, (int)got.len, got.ptr, (int)want.len,
             want.ptr);
}

static void expect_status(struct run *run, struct fb_span want)
{
    const struct fb_refusal *refusal = &run->answer.refusal;
    struct fb_span got = run->answer.forward ? FB_SPAN("forward")
                                             : fb_arena_format(&run->world.arena, "%u %.*s", refusal->status,
                                                               (int)refusal->reason.len, refusal->reason.ptr);
    if (!fb_span_eq(got, want))
        wrong(run, "the answer", got, want);
}

/* Of a challenge; `none`: it has no such parameter. */
static void expect_part(struct run *run, const char *what, struct fb_span got, struct fb_span want)
{
    if (!fb_span_eq(got.len != 0 ? got : FB_SPAN("none"), want))
        wrong(run, what, got, want);
}

static void expect(struct run *run, struct fb_span want)
{
    decide(run);
    const struct fb_refusal *refusal = &run->answer.refusal;
    run->checks++;
    if (take(&want, "challenge ")) {
        struct fb_span got = !refusal->challenge ? FB_SPAN("none")
                             : refusal->challenge_error.len != 0 ? fb_arena_format(&run->world.arena, "Bearer %.*s", (int)refusal->challenge_error.len, refusal->challenge_error.ptr)
                                                                 : FB_SPAN("Bearer");
        if (!fb_span_eq(got, want))
            wrong(run, "the challenge", got, want);
    } else if (take(&want, "allow ")) {
        if (!fb_span_eq(refusal->allow, want))
            wrong(run, "Allow", refusal->allow, want);
    } else if (take(&want, "blocked-by ")) {
        if (!fb_span_eq(refusal->blocked_by, want))
            wrong(run, "blocked-by", refusal->blocked_by, want);
    } else if (take(&want, "detail ")) {
        if (!fb_span_eq(refusal->detail, want))
            wrong(run, "the detail", refusal->detail, want);
    } else if (take(&want, "level ")) {
        if (!fb_span_eq(fb_level_name(refusal->level), want))
            wrong(run, "the level", fb_level_name(refusal->level), want);
    } else if (take(&want, "scope ")) {
        expect_part(run, "the scope", refusal->scope, want);
    } else if (take(&want, "acr ")) {
        expect_part(run, "acr_values", refusal->acr_values, want);
    } else if (take(&want, "max_age ")) {
        expect_part(run, "max_age", refusal->has_max_age ? fb_arena_format(&run->world.arena, "%u", refusal->max_age)
                                                         : FB_SPAN(""), want);
    } else if (take(&want, "fault")) {
        assert_true(run->answer.fault);
    } else if (take(&want, "hidden ")) {
        expect_part(run, "hidden", run->answer.hidden ? FB_SPAN("yes") : FB_SPAN("no"), want);
        assert_true(run->answer.secret && run->answer.policies_count == 0 && !run->answer.refusal.challenge);
    } else if (take(&want, "secret ")) {
        expect_part(run, "secret", run->answer.secret ? FB_SPAN("yes") : FB_SPAN("no"), want);
    } else {
        expect_status(run, want);
    }
}

static void change_account(struct run *run, struct fb_span line)
{
    static const struct { const char *word; enum fb_account_step step; } steps[] = {
        {"add ", FB_ACCOUNT_ADD}, {"suspend ", FB_ACCOUNT_SUSPEND}, {"restore ", FB_ACCOUNT_RESTORE},
        {"disable ", FB_ACCOUNT_DISABLE}, {"delete ", FB_ACCOUNT_DELETE}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (take(&line, steps[i].word)) {
            world_account(&run->world, steps[i].step, fb_arena_text(&run->world.arena, line));
            return;
        }
    fail_msg("%s:%u: no such step", run->name, run->line_number);
}

static void set_level(struct run *run, struct fb_span line)
{
    size_t space = fb_span_find(line, ' ');
    run->world.site.disclose_stated = true;
    assert_true(fb_level_parse(fb_span_head(line, space), &run->world.site.disclose));
    if (space < line.len)
        assert_true(fb_level_parse(fb_span_from(line, space + 1), &run->world.site.disclose_anonymous));
}

static void bearer(struct run *run, struct fb_span claims, int64_t expires)
{
    struct fb_span token = world_token(&run->world, claims, expires);
    exchange_field(&run->exchange, FB_SPAN("Authorization"),
                   fb_arena_format(&run->world.arena, "Bearer %.*s", (int)token.len, token.ptr));
}

/* A line of a block; those of a request are indented. */
static void request_line(struct run *run, struct fb_span line)
{
    if (take(&line, "as ")) {
        bearer(run, line, 3600);
    } else if (take(&line, "expired ")) {
        bearer(run, line, -60);
    } else if (take(&line, "field ")) {
        size_t colon = fb_span_find(line, ':');
        exchange_field(&run->exchange, fb_span_head(line, colon), fb_span_trim(fb_span_from(line, colon + 1)));
    } else if (take(&line, "ip ")) {
        assert_null(fb_ip_parse(line, &run->exchange.http.peer));
    } else if (take(&line, "country ")) {
        run->exchange.http.country = line;
    } else if (take(&line, "-> ")) {
        expect(run, line);
    } else {
        fail_msg("%s:%u: cannot read this line", run->name, run->line_number);
    }
}

static void block_line(struct run *run, struct fb_span line)
{
    if (take(&line, "account ")) {
        change_account(run, line);
    } else if (take(&line, "disclose ")) {
        set_level(run, line);
    } else if (fb_span_is(line, "no issuer")) {
        run->world.site.issuers = NULL;
    } else if (take(&line, "unmatched ")) {
        run->world.site.unmatched = fb_span_is(line, "pass") ? FB_UNMATCHED_PASS
                                    : fb_span_is(line, "403") ? FB_UNMATCHED_403 : FB_UNMATCHED_404;
    } else {
        exchange_init(&run->exchange, &run->world, line);
        run->decided = false;
    }
}

static void load(struct run *run)
{
    if (world_load(&run->world))
        return;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1 << 20);
    fb_diags_print(&text, &run->world.diags, false);
    fail_msg("%s does not load:\n%s", run->name, text.ptr);
}

static void run_requests(struct run *run, struct fb_span text)
{
    while (text.len != 0) {
        struct fb_span line = take_line(&text);
        run->line_number++;
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (line.ptr[0] == ' ')
            request_line(run, fb_span_trim(line));
        else
            block_line(run, line);
    }
}

/* The text up to the next `=== `. */
static struct fb_span take_section(struct run *run, struct fb_span *text)
{
    struct fb_span start = *text;
    while (text->len != 0 && !fb_span_starts(*text, FB_SPAN("=== "))) {
        (void)take_line(text);
        run->line_number++;
    }
    return fb_span_head(start, start.len - text->len);
}

static void run_case(void **state)
{
    struct run run = {.name = *state};
    struct fb_buffer file;
    fb_buffer_init(&file, &fb_heap, 1 << 20);
    char path[512];
    snprintf(path, sizeof path, "%s/guard/cases/%s", getenv("FB_TESTS"), run.name);
    assert_int_equal(fb_buffer_read_file(&file, path), 0);
    world_init(&run.world);
    struct fb_span text = fb_buffer_span(&file), store = {0, NULL};
    (void)take_section(&run, &text);
    while (text.len != 0) {
        struct fb_span title = take_line(&text);
        run.line_number++;
        unsigned line_number = run.line_number;
        struct fb_span body = take_section(&run, &text);
        if (fb_span_is(title, "=== schema"))
            world_write(&run.world, "schema.cedarschema", body);
        else if (fb_span_is(title, "=== policies"))
            world_write(&run.world, "a.cedar", body);
        else if (fb_span_is(title, "=== entities"))
            world_write(&run.world, "entities.json", body);
        else if (fb_span_is(title, "=== store"))
            store = body;
        else if (fb_span_is(title, "=== requests")) {
            load(&run);
            if (store.len != 0)
                world_put(&run.world, store);
            run.line_number = line_number;
            run_requests(&run, body);
        } else
            fail_msg("%s:%u: no such section", run.name, line_number);
    }
    assert_true(run.checks > 0);
    world_release(&run.world);
    fb_buffer_release(&file);
}

#define CASES_MAX 128

int main(void)
{
    static char names[CASES_MAX][64];
    static struct CMUnitTest tests[CASES_MAX];
    size_t count = 0;
    char path[512];
    snprintf(path, sizeof path, "%s/guard/cases", getenv("FB_TESTS"));
    DIR *dir = opendir(path);
    if (dir == NULL)
        return 1;
    for (const struct dirent *at; (at = readdir(dir)) != NULL && count < CASES_MAX;) {
        if (strstr(at->d_name, ".case") == NULL || strlen(at->d_name) >= sizeof names[0])
            continue;
        strcpy(names[count], at->d_name);
        tests[count] = (struct CMUnitTest){names[count], run_case, NULL, NULL, names[count]};
        count++;
    }
    closedir(dir);
    if (count == 0)
        return 1;
    return _cmocka_run_group_tests("guard/rule", tests, count, NULL, NULL);
}
