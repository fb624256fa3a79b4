/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

/* The formatter.  That its layout is the official one, byte for byte, is forms.mjs's to show; here are the
 * rules themselves, and what must hold of every text: what is formatted stays as it is, and no comment is
 * lost. */

static const char *formatted(struct bench *bench, struct fb_span text, struct fb_format_options options)
{
    fb_buffer_clear(&bench->out);
    fb_diags_init(&bench->diags, &bench->arena);
    if (!fb_format_policies(&bench->out, source_of(bench, text), &options, &bench->diags))
        return NULL;
    return fb_arena_text(&bench->arena, fb_buffer_span(&bench->out));
}

static size_t comments_of(const char *text)
{
    size_t count = 0;
    for (const char *at = strstr(text, "//"); at != NULL; at = strstr(at + 2, "//"))
        count++;
    return count;
}

static void lays_out(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *text, *expected;
        uint32_t width, indent;
    } rows[] = {
        {"", "\n", 80, 2},
        {"// only\n", "\n// only\n", 80, 2},
        {"permit(principal,action,resource,);", "permit (principal, action, resource);\n", 80, 2},
        {"@a(\"x\")@b permit(principal is U,action,resource);",
         "@a(\"x\")\n@b\npermit (\n  principal is U,\n  action,\n  resource\n);\n", 80, 2},
        {"permit(principal,action,resource) when{007==7}unless{[]=={}};",
         "permit (principal, action, resource)\nwhen { 7 == 7 }\nunless { [] == {} };\n", 80, 2},
        {"permit(principal,action,resource) when {{a:1,\"b c\" :  2,} == [1,2,]};",
         "permit (principal, action, resource)\nwhen { { a: 1, \"b c\": 2 } == [1, 2] };\n", 80, 2},
        {"permit(principal,action,resource) when{principal.one&&principal.two||principal.three};",
         "permit (principal, action, resource)\nwhen\n{\n    principal.one &&\n    principal.two ||\n    principal.three\n};\n", 40, 4},
        {"permit(principal,action,resource) when{principal.a.contains(context.bbbbbbbbbb)};",
         "permit\n(principal, action, resource)\nwhen\n{\n  principal.a\n    .contains\n    (\n      context.bbbbbbbbbb\n    )\n};\n", 30, 2},
        {"permit(principal,action,resource) when { \"a\n\n\nb\" == \"\" };",
         "permit (principal, action, resource)\nwhen { \"a\n\n\nb\" == \"\" };\n", 80, 2},
        {"// lead\npermit(principal,action,resource); // trail\n\n\n// next\nforbid(principal,action,resource); // last\n  // eof1\n\n // eof2",
         "// lead\npermit (principal, action, resource); // trail\n\n// next\nforbid (principal, action, resource); // last\n// eof1\n// eof2\n",
         80, 2},
        {"permit(principal,action,resource) when { [1, // one\n2, // two\n] == {a: 1, // three\n} };", NULL, 80, 2},
        {"permit(principal,action,resource, // one\n) // two\n;", NULL, 80, 2},
        {"permit(principal // 1\n, // 2\n action // 3\n in // 4\n [ // 5\n Action // 6\n :: // 7\n \"a\" // 8\n , // 9\n ] // 10\n , resource // 11\n);",
         NULL, 80, 2},
        {"permit(principal,action,resource) when { // \"1\"\n true // \"2\n && // 3\r\n false // 4\n\n // 5\n\n // 6\n};", NULL, 80, 2},
        {"permit(principal,action,resource) when { \"// none\" == \"\\\"\" // one\n};", NULL, 80, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_format_options options = {.width = rows[i].width, .indent = rows[i].indent};
        const char *once = formatted(bench, fb_span_z(rows[i].text), options);
        if (once == NULL)
            fail_msg("%s\n%s", rows[i].text, diags_text(bench));
        if (rows[i].expected != NULL)
            assert_string_equal(once, rows[i].expected);
        assert_int_equal(comments_of(once), comments_of(rows[i].text));
        assert_string_equal(formatted(bench, fb_span_z(once), options), once);
    }
}

static void refuses_what_does_not_parse(void **state)
{
    struct bench *bench = *state;
    assert_null(formatted(bench, FB_SPAN("permit(principal,action);"), FB_FORMAT_OPTIONS));
    assert_int_equal(bench->out.len, 0);
    assert_true(bench->diags.errors > 0);
    assert_null(formatted(bench, FB_SPAN("permit(principal,action,resource) when { '\xff' };"), FB_FORMAT_OPTIONS));
}

static void bug_faults_of_other_texts_made_it_fail(void **state)
{
    struct bench *bench = *state;
    struct fb_format_options options = FB_FORMAT_OPTIONS;
    fb_buffer_clear(&bench->out);
    fb_diags_init(&bench->diags, &bench->arena);
    fb_diag_add(&bench->diags, FB_ERROR, "other.text", NULL, (struct fb_range){0, 0}, "of another text");
    assert_true(fb_format_policies(&bench->out, source_of(bench, FB_SPAN("permit(principal,action,resource);")), &options,
                                   &bench->diags));
    assert_string_equal(bench->out.ptr, "permit (principal, action, resource);\n");
}

static void stays_within_limits(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *head, *part, *tail;
        size_t count;
    } rows[] = {
        {"permit(principal,action,resource) when { true", " && true", " };", 19000},
        {"permit(principal,action,resource) when { 1", " + 1", " == 1 };", 19000},
        {"permit(principal,action,resource) when { context", ".a", " };", 900},
        {"permit(principal,action,resource) when { ", "(", "1", 120},
        {"", "permit(principal,action,resource);", "", 20000},
        {"permit(principal,action in [Action::\"a\"", ",Action::\"a\"", "],resource);", 20000},
        {"", "// c\n", "", 20000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_span text = repeated(bench, rows[i].head, rows[i].part, rows[i].count, rows[i].tail);
        if (strcmp(rows[i].part, "(") == 0)
            text = repeated(bench, fb_arena_text(&bench->arena, text), ")", rows[i].count, " };");
        const char *once = formatted(bench, text, FB_FORMAT_OPTIONS);
        if (once == NULL)
            fail_msg("row %zu\n%s", i, diags_text(bench));
        assert_string_equal(formatted(bench, fb_span_z(once), FB_FORMAT_OPTIONS), once);
    }
    /* Any width is one. */
    assert_non_null(formatted(bench, FB_SPAN("permit(principal,action,resource) when {1==1};"),
                              (struct fb_format_options){.width = 0, .indent = 0}));
    assert_non_null(formatted(bench, FB_SPAN("permit(principal,action,resource) when {1==1};"),
                              (struct fb_format_options){.width = UINT32_MAX, .indent = 1000}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {BENCH_TEST(lays_out), BENCH_TEST(refuses_what_does_not_parse),
                                       BENCH_TEST(bug_faults_of_other_texts_made_it_fail),
                                       BENCH_TEST(stays_within_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
