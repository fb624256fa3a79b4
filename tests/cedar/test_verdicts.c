/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

/* Texts that the official engine takes or refuses: verdicts/KIND.txt, each line `+ text` or `- text`.
 * What it says of them is its own business; the verdict is the language. */

enum kind { EXPRESSIONS, POLICIES, SCHEMAS };

static bool takes(struct bench *bench, enum kind kind, struct fb_span text)
{
    const struct fb_source *source = source_of(bench, text);
    if (kind == SCHEMAS)
        return fb_schema_read(&bench->arena, source, &bench->diags) != NULL;
    if (kind == EXPRESSIONS) {
        char *inner = fb_arena_text(&bench->arena, text);
        source = source_of(bench, repeated(bench, "permit(principal, action, resource) when { ", inner, 1, " };"));
    }
    struct fb_policy_set set;
    fb_policy_set_init(&set, &bench->arena);
    return fb_policy_set_read(&set, source, &bench->diags);
}

/* With ␤ and ␍ as what they stand for. */
static struct fb_span unescaped(struct bench *bench, struct fb_span line)
{
    char *text = fb_arena_alloc(&bench->arena, line.len);
    size_t len = 0;
    for (size_t i = 0; i < line.len; i++) {
        struct fb_span rest = fb_span_from(line, i);
        bool newline = fb_span_starts(rest, FB_SPAN("␤")), carriage = fb_span_starts(rest, FB_SPAN("␍"));
        text[len++] = newline ? '\n' : carriage ? '\r' : line.ptr[i];
        i += newline || carriage ? 2 : 0;
    }
    return fb_span(text, len);
}

static void check_file(const char *name, enum kind kind, size_t least)
{
    char path[512];
    struct fb_buffer file;
    fb_buffer_init(&file, &fb_heap, 1u << 24);
    assert_non_null(getenv("FB_TESTS"));
    snprintf(path, sizeof path, "%s/cedar/verdicts/%s.txt", getenv("FB_TESTS"), name);
    assert_int_equal(fb_buffer_read_file(&file, path), 0);
    struct fb_span rest = fb_buffer_span(&file);
    size_t checked = 0, wrong = 0;
    while (rest.len > 0) {
        struct fb_span line = fb_span_head(rest, fb_span_find(rest, '\n'));
        rest = fb_span_from(rest, line.len + 1);
        if (line.len < 2 || (line.ptr[0] != '+' && line.ptr[0] != '-'))
            continue;
        struct bench bench;
        bench_init(&bench, &fb_heap);
        bool taken = takes(&bench, kind, unescaped(&bench, fb_span_from(line, 2)));
        if (taken != (line.ptr[0] == '+')) {
            print_error("%.*s\n%s\n", (int)line.len, line.ptr, diags_text(&bench));
            wrong++;
        }
        checked++;
        bench_release(&bench);
    }
    fb_buffer_release(&file);
    assert_int_equal(wrong, 0);
    assert_true(checked >= least);
}

static void expressions(void **state)
{
    (void)state;
    check_file("expressions", EXPRESSIONS, 440);
}

static void policies(void **state)
{
    (void)state;
    check_file("policies", POLICIES, 120);
}

static void schemas(void **state)
{
    (void)state;
    check_file("schemas", SCHEMAS, 270);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(expressions), cmocka_unit_test(policies),
                                       cmocka_unit_test(schemas)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
