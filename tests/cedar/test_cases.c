/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <dirent.h>

/* Faulty texts and what is said about them, byte for byte: cases/NAME.cedar or NAME.cedarschema
 * with NAME.expect.  With FB_UPDATE=1 in the environment the expectations are written anew; read the
 * difference before you commit it. */

struct one {
    char name[256], path[512], expect[512];
    bool schema;
};

static int is_case(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && (strcmp(dot, ".cedar") == 0 || strcmp(dot, ".cedarschema") == 0);
}

static bool matches(const struct one *one)
{
    struct bench bench;
    struct fb_buffer text, expected;
    bench_init(&bench, &fb_heap);
    fb_buffer_init(&text, &fb_heap, 1u << 20);
    fb_buffer_init(&expected, &fb_heap, 1u << 20);
    assert_int_equal(fb_buffer_read_file(&text, one->path), 0);
    struct fb_source source = {.name = fb_span_z(one->name), .text = fb_buffer_span(&text)};
    struct fb_policy_set set;
    fb_policy_set_init(&set, &bench.arena);
    bool good = one->schema ? fb_schema_read(&bench.arena, &source, &bench.diags) != NULL
                            : fb_policy_set_read(&set, &source, &bench.diags);
    assert_int_equal(good, bench.diags.errors == 0);
    const char *said = diags_text(&bench);
    if (getenv("FB_UPDATE") != NULL) {
        FILE *file = fopen(one->expect, "w");
        assert_non_null(file);
        fputs(said, file);
        fclose(file);
    }
    if (fb_buffer_read_file(&expected, one->expect) != 0)
        fb_buffer_add_z(&expected, "(no such file)");
    bool same = fb_span_eq(fb_buffer_span(&expected), fb_span_z(said));
    if (!same)
        print_error("%s says\n%s\nand not\n%.*s\n", one->name, said, (int)expected.len, expected.ptr);
    fb_buffer_release(&expected);
    fb_buffer_release(&text);
    bench_release(&bench);
    return same;
}

static void says_what_is_expected(void **state)
{
    (void)state;
    char folder[256];
    assert_non_null(getenv("FB_TESTS"));
    snprintf(folder, sizeof folder, "%s/cedar/cases", getenv("FB_TESTS"));
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_case, alphasort), wrong = 0;
    assert_true(count >= 20);
    for (int i = 0; i < count; i++) {
        struct one one;
        const char *dot = strrchr(entries[i]->d_name, '.');
        snprintf(one.name, sizeof one.name, "%s", entries[i]->d_name);
        snprintf(one.path, sizeof one.path, "%s/%s", folder, entries[i]->d_name);
        snprintf(one.expect, sizeof one.expect, "%s/%.*s.expect", folder, (int)(dot - entries[i]->d_name),
                 entries[i]->d_name);
        one.schema = strcmp(dot, ".cedarschema") == 0;
        wrong += !matches(&one);
        free(entries[i]);
    }
    free(entries);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_is_expected)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
