/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <dirent.h>
#include <unistd.h>

/* The validator.  validate/NAME.txt: a schema, a line `---`, then cases, a line each:
 *
 *   STRICT PERMISSIVE | text
 *
 * Both sides are `ok`, or the codes of the findings without `validate.`, in the order of the text,
 * joined by commas (a warning in parentheses); `=` as PERMISSIVE: the same.  The text is a policy, or
 * an expression for `permit(principal, action == Action::"a", resource) when { … };`.  `␤` is a newline. */

static void add_codes(struct bench *bench)
{
    fb_buffer_clear(&bench->out);
    for (size_t i = 0; i < bench->diags.count; i++) {
        const struct fb_diag *diag = &bench->diags.list[i];
        bool warning = diag->severity == FB_WARNING;
        fb_buffer_add_z(&bench->out, i > 0 ? "," : "");
        fb_buffer_add_z(&bench->out, warning ? "(" : "");
        fb_buffer_add_z(&bench->out, diag->code + strlen("validate."));
        fb_buffer_add_z(&bench->out, warning ? ")" : "");
    }
    if (bench->diags.count == 0)
        fb_buffer_add_z(&bench->out, "ok");
}

static bool validate(struct bench *bench, const struct fb_schema *schema, struct fb_span text,
                     const struct fb_validate_options *options)
{
    struct fb_policy_set set;
    struct fb_arena scratch;
    fb_policy_set_init(&set, &bench->arena);
    if (!fb_policy_set_read(&set, source_of(bench, text), &bench->diags))
        fail_msg("%.*s\n%s", (int)text.len, text.ptr, diags_text(bench));
    fb_arena_init(&scratch, &fb_heap, (size_t)1 << 30);
    bool valid = fb_validate(&set, schema, options, &scratch, &bench->diags);
    assert_int_equal(valid, bench->diags.errors == 0);
    fb_arena_release(&scratch);
    return valid;
}

static struct fb_span policy_of(struct bench *bench, struct fb_span text)
{
    bool whole = fb_span_starts(text, FB_SPAN("permit(")) || fb_span_starts(text, FB_SPAN("forbid("));
    char *inner = fb_arena_text(&bench->arena, text);
    return whole ? text
                 : repeated(bench, "permit(principal, action == Action::\"a\", resource) when { ", inner, 1, " };");
}

/* Also from JSON-like places: nothing of a verdict may rest on white space. */
static bool check_mode(const char *schema_text, struct fb_span text, struct fb_span expected,
                       enum fb_validate_mode mode)
{
    struct bench bench;
    bench_init(&bench, &fb_heap);
    const struct fb_schema *schema = schema_of(&bench, schema_text);
    validate(&bench, schema, policy_of(&bench, text), &(struct fb_validate_options){.mode = mode});
    add_codes(&bench);
    bool good = fb_span_eq(fb_buffer_span(&bench.out), expected);
    if (!good)
        print_error("%s: %.*s\n  expected %.*s\n  found    %.*s\n", mode == FB_VALIDATE_STRICT ? "strict" : "permissive",
                    (int)text.len, text.ptr, (int)expected.len, expected.ptr, (int)bench.out.len, bench.out.ptr);
    bench_release(&bench);
    return good;
}

static bool check_line(const char *schema, struct fb_span line)
{
    struct fb_span strict = fb_span_head(line, fb_span_find(line, ' '));
    struct fb_span rest = fb_span_trim(fb_span_from(line, strict.len));
    struct fb_span permissive = fb_span_head(rest, fb_span_find(rest, ' '));
    struct fb_span text = fb_span_trim(fb_span_from(rest, fb_span_find(rest, '|') + 1));
    bool good = check_mode(schema, text, strict, FB_VALIDATE_STRICT);
    return check_mode(schema, text, fb_span_is(permissive, "=") ? strict : permissive, FB_VALIDATE_PERMISSIVE) && good;
}

static size_t check_file(const char *name, size_t *wrong)
{
    char path[512];
    struct fb_buffer file;
    fb_buffer_init(&file, &fb_heap, 1u << 24);
    snprintf(path, sizeof path, "%s/cedar/validate/%s", getenv("FB_TESTS"), name);
    assert_int_equal(fb_buffer_read_file(&file, path), 0);
    char *cases = strstr(file.ptr, "\n---\n");
    assert_non_null(cases);
    *cases = '\0';
    size_t checked = 0;
    struct fb_span rest = fb_span_z(cases + 5);
    while (rest.len > 0) {
        struct fb_span line = fb_span_head(rest, fb_span_find(rest, '\n'));
        rest = fb_span_from(rest, line.len + 1);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        checked++;
        *wrong += !check_line(file.ptr, line);
    }
    fb_buffer_release(&file);
    return checked;
}

static void cases(void **state)
{
    (void)state;
    char path[512];
    assert_non_null(getenv("FB_TESTS"));
    snprintf(path, sizeof path, "%s/cedar/validate", getenv("FB_TESTS"));
    DIR *folder = opendir(path);
    assert_non_null(folder);
    size_t checked = 0, wrong = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (fb_span_find(fb_span_z(entry->d_name), '.') != 0)
            checked += check_file(entry->d_name, &wrong);
    closedir(folder);
    assert_int_equal(wrong, 0);
    assert_true(checked >= 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
