/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <dirent.h>
#include <time.h>
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

/* --- levels --- */

static const char people[] = "entity G in [G]; entity U in [G] {n: Long, boss: U, r: {boss: U}} tags U;\n"
                             "action a appliesTo {principal: U, resource: U, context: {u: U}};";

static void levels(void **state)
{
    (void)state;
    const struct {
        uint32_t level;
        const char *text, *expected;
    } rows[] = {
        {0, "permit(principal, action, resource);", "ok"},
        {0, "permit(principal == U::\"a\", action == Action::\"a\", resource is U);", "ok"},
        {0, "permit(principal in G::\"a\", action, resource);", "level"},
        {1, "permit(principal in G::\"a\", action in [Action::\"a\"], resource);", "ok"},
        {0, "permit(principal, action in [Action::\"a\"], resource);", "level"},
        {0, "principal.n == 1", "level"},
        {1, "principal.n == 1", "ok"},
        {0, "context.u == principal", "ok"},
        {0, "context.u.n == 1", "level"},
        {1, "principal.boss.n == 1", "level"},
        {2, "principal.boss.n == 1", "ok"},
        {1, "principal.r.boss == resource", "ok"},
        {1, "principal.r.boss.n == 1", "level"},
        {2, "principal.r.boss.n == 1", "ok"},
        {1, "principal.boss == principal.boss.boss", "level"},
        {1, "principal has boss", "ok"},
        {1, "principal has boss.n", "level"},
        {2, "principal has boss.n", "ok"},
        {2, "principal has boss.boss.n", "level"},
        {1, "principal has r.boss", "ok"},
        {1, "principal has r.boss.n", "level"},
        {2, "principal has r.boss.n", "ok"},
        {0, "{a: principal, b: principal.n}.b == 1", "level"},
        {1, "{a: principal, b: principal.boss.n}.a.n == 1", "level"},
        {1, "{a: principal, b: 1}.a.n == 1", "ok"},
        {1, "{a: {b: principal.boss}}.a.b.n == 1", "level"},
        {2, "{a: {b: principal.boss}}.a.b.n == 1", "ok"},
        {2, "(if principal.n == 1 then principal else principal.boss).n == 1", "ok"},
        {1, "(if principal.n == 1 then principal else principal.boss).n == 1", "level"},
        {1, "principal.hasTag(\"k\") && principal.getTag(\"k\") == resource", "ok"},
        {1, "principal.hasTag(\"k\") && principal.getTag(\"k\").n == 1", "level"},
        {2, "principal.hasTag(\"k\") && principal.getTag(\"k\").n == 1", "ok"},
        {1, "principal in principal.boss", "ok"},
        {1, "principal.boss in principal", "level"},
        {1, "principal is U in G::\"g\"", "ok"},
        {0, "principal is U in G::\"g\"", "level"},
        {0, "principal is G in principal.boss", "(impossible)"},
        {9, "U::\"a\".n == 1", "level"},
        {9, "Action::\"a\" in Action::\"a\"", "ok"},
        /* What is never looked at does not count. */
        {0, "false && principal.n == 1", "(impossible)"},
        {0, "true || principal.n == 1", "ok"},
        {0, "if true then true else principal.n == 1", "ok"},
        /* Only what has no other error. */
        {0, "principal.n == 1 && principal.zz", "unknown_attribute"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench;
        bench_init(&bench, &fb_heap);
        const struct fb_validate_options options = {.check_level = true, .level = rows[i].level};
        validate(&bench, schema_of(&bench, people), policy_of(&bench, fb_span_z(rows[i].text)), &options);
        add_codes(&bench);
        if (!fb_span_is(fb_buffer_span(&bench.out), rows[i].expected) && strcmp(rows[i].expected, "level") != 0)
            fail_msg("level %u: %s: %s", rows[i].level, rows[i].text, bench.out.ptr);
        if (strcmp(rows[i].expected, "level") == 0 && strcmp(first_code(&bench), "validate.level") != 0)
            fail_msg("level %u: %s: %s", rows[i].level, rows[i].text, bench.out.ptr);
        bench_release(&bench);
    }
}

/* --- words and places --- */

static void words(void **state)
{
    struct bench *bench = *state;
    const struct fb_schema *schema = schema_of(
        bench, "namespace App { entity User {name: String, age?: Long}; entity Doc {owner: User};\n"
               "action view, edit appliesTo {principal: User, resource: [User, Doc]}; }");
    static const char text[] =
        "permit(principal == Usr::\"a\", action == App::Action::\"viw\", resource)\n"
        "  when { principal.nam == 1 };\n"
        "permit(principal, action, resource is App::Doc) when { principal.age > 1 && resource.owner.nme == \"\" };\n"
        "permit(principal is User, action, resource) when { resource.owner == principal };";
    validate(bench, schema, fb_span_z(text), NULL);
    static const char *const expected[] = {
        "did you mean `App::Action::\"view\"`?",
        "ask first: `principal has age && …`",
        "did you mean `name`?",
        "did you mean `App::User`?",
    };
    const char *printed = diags_text(bench);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        if (strstr(printed, expected[i]) == NULL)
            fail_msg("%s is not in\n%s", expected[i], printed);
    for (size_t i = 0; i < bench->diags.count; i++) {
        const struct fb_diag *diag = &bench->diags.list[i];
        assert_true(diag->range.end > diag->range.start && diag->range.end <= sizeof text);
        assert_true(diag->message.len > 10);
    }
}

/* One place is one finding, however many environments are at fault there, and it says which. */
static void once(void **state)
{
    struct bench *bench = *state;
    const struct fb_schema *schema = schema_of(
        bench, "entity A {x: Long}; entity B {x: Long}; entity C;\n"
               "action a, b, c appliesTo {principal: [A, B, C], resource: [A, B, C]};");
    validate(bench, schema, FB_SPAN("permit(principal, action, resource) when { principal.x == 1 && resource.x == 1 };"),
             NULL);
    assert_int_equal(bench->diags.count, 2);
    assert_non_null(strstr(diags_text(bench), "for this action with principal C and resource"));
}

static void links(void **state)
{
    struct bench *bench = *state;
    const struct fb_schema *schema = schema_of(bench, people);
    struct fb_policy_set set;
    const char *error;
    fb_policy_set_init(&set, &bench->arena);
    assert_true(fb_policy_set_read(&set, source_of(bench, FB_SPAN("permit(principal in ?principal, action, resource);")),
                                   &bench->diags));
    static const char *const values[] = {"G::\"x\"", "U::\"x\"", "Nope::\"x\""};
    for (size_t i = 0; i < 3; i++) {
        char id[8];
        snprintf(id, sizeof id, "l%zu", i);
        assert_non_null(fb_policy_set_link(&set, FB_SPAN("policy0"), fb_span_z(id),
                                           fb_uid_parse(&bench->arena, fb_span_z(values[i])), NULL, &error));
    }
    assert_false(fb_validate(&set, schema, NULL, &bench->arena, &bench->diags));
    add_codes(bench);
    assert_string_equal(bench->out.ptr, "unknown_entity_type,(no_applicable_action)");
    assert_non_null(strstr(diags_text(bench), "link `l2`"));
}

/* --- limits --- */

static void chains(void **state)
{
    (void)state;
    const struct {
        const char *head, *part, *tail, *expected;
        size_t count;
    } rows[] = {
        {"principal.n == 1", " && principal.n == 1", "", "ok", 15000},
        {"principal.n == 1", " || principal.n == 1", "", "ok", 15000},
        {"principal.n", " + 1", " == 1", "ok", 15000},
        {"principal.n", " * \"a\"", " == 1", "type", 15000},
        {"principal has boss", " && principal has boss && principal.boss has n", "", "ok", 5000},
        {"principal has boss", " || (principal has boss && principal has n)", "", "ok", 5000},
        {"principal", ".boss", ".n == 1", "ok", 500},
        {"principal has boss", ".boss", "", "ok", 100},
        {"[1", ", 1", "].contains(2)", "ok", 100000},
        {"[1", ", \"a\"", "].contains(2)", "incompatible_types", 100000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench;
        bench_init(&bench, &fb_heap);
        struct fb_span text = repeated(&bench, rows[i].head, rows[i].part, rows[i].count, rows[i].tail);
        validate(&bench, schema_of(&bench, people), policy_of(&bench, text),
                 &(struct fb_validate_options){.check_level = true, .level = 1000});
        bool good = strcmp(rows[i].expected, "ok") == 0 ? bench.diags.count == 0
                                                        : strstr(first_code(&bench), rows[i].expected) != NULL;
        if (!good)
            fail_msg("%s%s…: %s", rows[i].head, rows[i].part, first_code(&bench));
        bench_release(&bench);
    }
}

/* Nested `has` paths and `is … in` must not double the work at each level. */
static void nesting(void **state)
{
    struct bench *bench = *state;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1u << 20);
    fb_buffer_add_z(&text, "principal");
    for (int i = 0; i < 40; i++) {
        struct fb_span inner = fb_arena_copy(&bench->arena, fb_buffer_span(&text));
        fb_buffer_clear(&text);
        fb_buffer_add_format(&text, "(if %.*s %s then principal else resource)", (int)inner.len, inner.ptr,
                             i % 2 != 0 ? "is U in G::\"g\"" : "has boss.boss.boss.n");
    }
    fb_buffer_add_z(&text, ".n == 1");
    validate(bench, schema_of(bench, people), policy_of(bench, fb_buffer_span(&text)), NULL);
    fb_buffer_release(&text);
    assert_int_equal(bench->diags.count, 0);
}

/* A type that is a million large as a tree and 20 as a graph. */
static void shared_types(void **state)
{
    struct bench *bench = *state;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1u << 20);
    fb_buffer_add_z(&text, "type T0 = {x: Long}; type S0 = {x: Bool};\n");
    for (int i = 1; i < 17; i++)
        fb_buffer_add_format(&text, "type T%d = {a: T%d, b: T%d}; type S%d = {a: S%d, b: S%d};\n", i, i - 1, i - 1, i,
                             i - 1, i - 1);
    fb_buffer_add_z(&text, "entity U {t: T16, s: S16};\naction a appliesTo {principal: U, resource: U};");
    const struct fb_schema *schema = schema_of(bench, text.ptr);
    fb_buffer_release(&text);
    validate(bench, schema, policy_of(bench, FB_SPAN("principal.t == resource.t && principal.t == principal.s")), NULL);
    assert_int_equal(bench->diags.count, 1);
    assert_string_equal(first_code(bench), "validate.incompatible_types");
}

static void survives_failing_memory(void **state)
{
    (void)state;
    bool more = true;
    for (size_t fail_at = 1; more; fail_at++) {
        struct bench bench;
        struct failing_allocator failing;
        struct fb_arena scratch;
        struct fb_policy_set set;
        bench_init(&bench, &fb_heap);
        failing_init(&failing, fail_at);
        fb_arena_init(&scratch, &failing.allocator, (size_t)1 << 30);
        const struct fb_schema *schema = schema_of(&bench, people);
        fb_policy_set_init(&set, &bench.arena);
        fb_policy_set_read(&set, source_of(&bench, FB_SPAN("permit(principal, action, resource) when { principal has "
                                                           "boss && [{a: 1}].contains({a: principal.n}) && "
                                                           "(principal.hasTag(\"k\") || principal.zz) };")),
                           &bench.diags);
        bool valid = fb_validate(&set, schema, &(struct fb_validate_options){.check_level = true}, &scratch, &bench.diags);
        assert_false(valid);
        more = scratch.failed;
        if (more)
            assert_string_equal(bench.diags.list[bench.diags.count - 1].code, "validate.memory");
        fb_arena_release(&scratch);
        bench_release(&bench);
    }
}

/* --- the corpus, where it is at hand: FB_CORPUS, a folder with the archive unpacked --- */

static bool read_text(struct bench *bench, const char *folder, const char *name, const char *ending,
                      struct fb_span *text)
{
    char path[768];
    int len = snprintf(path, sizeof path, "%s/%s%s", folder, name, ending);
    if (len < 0 || (size_t)len >= sizeof path)
        return false;
    fb_buffer_clear(&bench->out);
    if (fb_buffer_read_file(&bench->out, path) != 0)
        return false;
    *text = fb_arena_copy(&bench->arena, fb_buffer_span(&bench->out));
    return true;
}

static bool contains(struct fb_span text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/* Policies whose only fault was an action that cannot apply are valid since language 4.5. */
static bool corpus_case(const char *root, const char *name)
{
    struct bench bench;
    struct fb_span policies, schema_text, request, report;
    char folder[600], reports[600];
    bench_init(&bench, &fb_heap);
    snprintf(folder, sizeof folder, "%s/corpus-tests", root);
    snprintf(reports, sizeof reports, "%s/corpus-tests-validation", root);
    bool good = read_text(&bench, folder, name, ".cedar", &policies)
                && read_text(&bench, folder, name, ".cedarschema", &schema_text)
                && read_text(&bench, folder, name, ".json", &request);
    bool reported = good && read_text(&bench, reports, name, ".validation.json", &report);
    const struct fb_schema *schema = good ? schema_of(&bench, fb_arena_text(&bench.arena, schema_text)) : NULL;
    for (int mode = 0; good && mode < (reported ? 2 : 1); mode++) {
        size_t first = bench.diags.count, errors = bench.diags.errors;
        struct fb_policy_set set;
        fb_policy_set_init(&set, &bench.arena);
        fb_policy_set_read(&set, source_of(&bench, policies), &bench.diags);
        bool valid = fb_validate(&set, schema, &(struct fb_validate_options){.mode = (enum fb_validate_mode)mode},
                                 &bench.arena, &bench.diags);
        bool expected = contains(request, "\"shouldValidate\": true");
        if (mode == FB_VALIDATE_PERMISSIVE)
            expected = contains(fb_span_head(report, fb_span_find(report, '}')), "\"permissive\": true");
        bool inapplicable = false;
        for (size_t i = first; i < bench.diags.count; i++)
            inapplicable = inapplicable || strcmp(bench.diags.list[i].code, "validate.no_applicable_action") == 0;
        good = valid == expected || (valid && inapplicable);
        assert_int_equal(valid, bench.diags.errors == errors);
    }
    bench_release(&bench);
    return good;
}

static void corpus(void **state)
{
    (void)state;
    const char *root = getenv("FB_CORPUS");
    char path[600];
    snprintf(path, sizeof path, "%s/corpus-tests", root != NULL ? root : "");
    DIR *folder = root != NULL ? opendir(path) : NULL;
    if (folder == NULL) {
        print_message("# FB_CORPUS does not lead to the corpus\n");
        return;
    }
    size_t checked = 0, wrong = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *ending = strstr(entry->d_name, ".cedarschema");
        if (ending == NULL)
            continue;
        *ending = '\0';
        checked++;
        if (!corpus_case(root, entry->d_name)) {
            print_error("%s\n", entry->d_name);
            wrong++;
        }
    }
    closedir(folder);
    assert_int_equal(wrong, 0);
    assert_true(checked > 3000);
}

/* Each is found at its own place; the search for it once began at the start of the list each time. */
static void long_lists_of_unknown_actions_take_little_time(void **state)
{
    (void)state;
    struct bench bench;
    struct fb_policy_set set;
    struct fb_buffer text;
    clock_t start = clock();
    bench_init(&bench, &fb_heap);
    fb_buffer_init(&text, &fb_heap, 8u << 20);
    fb_buffer_add_z(&text, "permit(principal, action in [Action::\"a\"");
    for (int i = 0; i < 50000; i++)
        fb_buffer_add_format(&text, ", Action::\"%d\"", i);
    fb_buffer_add_z(&text, "], resource);");
    const struct fb_schema *schema = schema_of(&bench, "entity U; action a appliesTo {principal: U, resource: U};");
    fb_policy_set_init(&set, &bench.arena);
    assert_true(fb_policy_set_read(&set, source_of(&bench, fb_buffer_span(&text)), &bench.diags));
    assert_false(fb_validate(&set, schema, NULL, &bench.arena, &bench.diags));
    assert_int_equal(bench.diags.errors, 50000);
    assert_int_equal(bench.diags.list[1].range.end, bench.diags.list[0].range.end + strlen(", Action::\"1\""));
    assert_true((clock() - start) / CLOCKS_PER_SEC < 20);
    fb_buffer_release(&text);
    bench_release(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases),   cmocka_unit_test(levels),  BENCH_TEST(words),
        BENCH_TEST(once),          BENCH_TEST(links),         cmocka_unit_test(chains),
        BENCH_TEST(nesting),       BENCH_TEST(shared_types),  cmocka_unit_test(survives_failing_memory),
        cmocka_unit_test(corpus),
        cmocka_unit_test(long_lists_of_unknown_actions_take_little_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
