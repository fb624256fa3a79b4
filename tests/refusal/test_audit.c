/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule of `forbid lint` finds what it is for and lets pass what is right: tests/refusal/audit/rules.case. */
#include "refusal/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static struct fb_arena arena;
static struct fb_buffer cases;

static void read_file(const char *name, struct fb_buffer *into)
{
    char path[512];
    snprintf(path, sizeof path, "%s/refusal/audit/%s", getenv("FB_TESTS"), name);
    if (fb_buffer_read_file(into, path) != 0)
        fail_msg("%s cannot be read", path);
}

static struct fb_span take_line(struct fb_span *rest)
{
    size_t end = fb_span_find(*rest, '\n');
    struct fb_span line = fb_span_head(*rest, end);
    *rest = fb_span_from(*rest, end < rest->len ? end + 1 : end);
    return line;
}

/* The findings of a recording, or of the text of a section. */
static void audit(struct fb_span name, struct fb_span text, struct fb_findings *findings)
{
    struct fb_exchanges *exchanges = fb_arena_alloc(&arena, sizeof *exchanges);
    struct fb_source *source = fb_arena_alloc(&arena, sizeof *source);
    struct fb_diags diags;
    if (name.len != 0) {
        struct fb_buffer file;
        char path[128];
        fb_buffer_init(&file, &fb_heap, (size_t)1 << 20);
        snprintf(path, sizeof path, "recorded/%.*s.txt", (int)name.len, name.ptr);
        read_file(path, &file);
        text = fb_arena_copy(&arena, fb_buffer_span(&file));
        fb_buffer_release(&file);
        assert_true(fb_span_starts(text, FB_SPAN("* recorded from ")));
    }
    *source = (struct fb_source){FB_SPAN("exchange"), text};
    fb_diags_init(&diags, &arena);
    fb_exchanges_init(exchanges, &arena);
    if (!fb_exchanges_read(exchanges, source, &diags) || !fb_audit(exchanges, findings))
        fail_msg("%.*s is not read", (int)text.len, text.ptr);
}

static bool has(const struct fb_findings *findings, unsigned rule)
{
    for (size_t i = 0; i < findings->count; i++)
        if ((unsigned)findings->list[i].rule == rule)
            return true;
    return false;
}

static void test_rules(void **state)
{
    struct fb_span rest = fb_buffer_span(&cases);
    unsigned rule = FB_RULES, fails[FB_RULES] = {0}, passes[FB_RULES] = {0}, recorded = 0, wrong = 0;
    (void)state;
    while (rest.len != 0) {
        struct fb_span line = take_line(&rest);
        if (fb_span_starts(line, FB_SPAN("#### "))) {
            for (rule = 0; rule < FB_RULES && !fb_span_is(fb_span_from(line, 5), fb_audit_text((enum fb_audit_rule)rule)->code);)
                rule++;
            if (rule == FB_RULES)
                fail_msg("there is no rule %.*s", (int)line.len, line.ptr);
        } else if (fb_span_starts(line, FB_SPAN("== fail")) || fb_span_starts(line, FB_SPAN("== pass"))) {
            bool fail = fb_span_starts(line, FB_SPAN("== fail"));
            struct fb_span name = fb_span_trim(fb_span_from(line, 7)), text = rest;
            while (rest.len != 0 && !fb_span_starts(rest, FB_SPAN("== ")) && !fb_span_starts(rest, FB_SPAN("#### ")))
                (void)take_line(&rest);
            text = fb_span_head(text, (size_t)(rest.ptr - text.ptr));
            struct fb_findings findings;
            audit(name, text, &findings);
            if (has(&findings, rule) != fail) {
                print_message("# %s: %.*s\n", fb_audit_text((enum fb_audit_rule)rule)->code, (int)line.len, line.ptr);
                wrong++;
            }
            *(fail ? &fails[rule] : &passes[rule]) += 1;
            recorded += fail && name.len != 0;
        }
    }
    for (unsigned i = 0; i < FB_RULES; i++)
        if (fails[i] == 0 || passes[i] == 0)
            fail_msg("%s has no exchange that fails or none that passes", fb_audit_text((enum fb_audit_rule)i)->code);
    assert_true(FB_RULES >= 30 && recorded * 2 >= FB_RULES);
    assert_int_equal(wrong, 0);
    fb_arena_clear(&arena);
}

/* What Forbid itself answers is found fault with by no rule. */
static void test_our_own(void **state)
{
    static const char *const answers[] = {
        "GET /users/1 HTTP/1.1\nHost: api.example\nAccept: */*\n\nHTTP/1.1 401 Unauthorized\nCache-Control: no-store\n"
        "Content-Type: application/json\nVary: Accept\nX-Request-Id: 0\nWWW-Authenticate: Bearer realm=\"api\"\n\n{\"error\":\"unauthorized\"}",
        "DELETE /users/1 HTTP/1.1\nHost: api.example\nAuthorization: Bearer abcdefgh\n\nHTTP/1.1 403 Forbidden\nCache-Control: no-store\n"
        "Content-Type: application/json\nVary: Accept\nX-Request-Id: 0\n\n{\"error\":\"forbidden\",\"reason\":\"insufficient_role\"}",
        "GET /reports/1 HTTP/1.1\nHost: api.example\nAuthorization: Bearer abcdefgh\nOrigin: https://app.example\n\nHTTP/1.1 403 Forbidden\n"
        "Cache-Control: no-store\nContent-Type: application/json\nVary: Accept, Origin\nX-Request-Id: 0\n"
        "WWW-Authenticate: Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"reports\"\nAccess-Control-Allow-Origin: https://app.example\n"
        "Access-Control-Expose-Headers: WWW-Authenticate, Retry-After, Link, Allow, X-Request-Id, DPoP-Nonce\n\n"
        "{\"error\":\"forbidden\",\"reason\":\"insufficient_scope\",\"scope\":\"reports\"}",
        "GET / HTTP/1.1\nHost: api.example\n\nHTTP/1.1 503 Service Unavailable\nCache-Control: no-store\nRetry-After: 5\n"
        "Content-Type: application/json\n\n{\"error\":\"authorization_unavailable\"}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct fb_findings findings;
        audit(fb_span(NULL, 0), fb_span_z(answers[i]), &findings);
        for (size_t f = 0; f < findings.count; f++)
            if (findings.list[f].rule != FB_RULE_CLEARTEXT)
                fail_msg("%s", fb_audit_text(findings.list[f].rule)->code);
    }
    fb_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules), cmocka_unit_test(test_our_own)};
    fb_arena_init(&arena, &fb_heap, (size_t)64 << 20);
    fb_buffer_init(&cases, &fb_heap, (size_t)4 << 20);
    read_file("rules.case", &cases);
    int failed = cmocka_run_group_tests_name("audit", tests, NULL, NULL);
    fb_buffer_release(&cases);
    fb_arena_release(&arena);
    return failed;
}
