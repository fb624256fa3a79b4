/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <time.h>

/* Whatever is nested, repeated or cut off: diagnostics, in a bounded time and stack. */

static const struct {
    const char *head, *part, *tail, *code;  /* of 100,000 parts */
} many[] = {
    {"", "(", "", "parse.too_deep"},
    {"", "(", "1", "parse.too_deep"},
    {"", "[", "]", "parse.too_deep"},
    {"", "{a:", "1", "parse.too_deep"},
    {"", "{", "", "parse.unexpected_token"},
    {"", "ip(", "1", "parse.too_deep"},
    {"", "principal.contains(", "1", "parse.too_deep"},
    {"", "if ", "1", "parse.too_deep"},
    {"", "if true then ", "1", "parse.too_deep"},
    {"", "if true then true else ", "1", "parse.too_deep"},
    {"", "1 + if ", "1", "parse.if"},
    {"", "not ", "true", "parse.unknown_operator"},
    {"", "!", "true", "parse.unary"},
    {"", "-", "1", "parse.unary"},
    {"", "!-", "1", "parse.unary"},
    {"", "!(", "1", "parse.too_deep"},
    {"1", " && 1", "", "parse.too_long"},
    {"1", " || 1", "", "parse.too_long"},
    {"1", " + 1", "", "parse.too_long"},
    {"1", " * 1", "", "parse.too_long"},
    {"1", " == 1", "", "parse.chained_comparison"},
    {"1", " < 1 && 1", "", "parse.too_long"},
    {"principal", ".a", "", "parse.too_deep"},
    {"principal", "[\"a\"]", "", "parse.too_deep"},
    {"principal", ".isEmpty()", "", "parse.too_deep"},
    {"principal", ".isIpv4()", "", "parse.too_deep"},
    {"principal", "(1)", "", "parse.unknown_function"},
    {"principal has a", ".a", "", "parse.too_long"},
    {"a", "::a", "", "parse.name_too_long"},
    {"a", " :: a", "", "parse.name_too_long"},
    {"\"a\" like \"", "*", "", "parse.open_string"},
    {"", ")", "", "parse.unexpected_token"},
    {"", "]", "", "parse.unexpected_token"},
    {"", "\\\"\n", "", "parse.unknown_character"},
    {"\"", "\\\"\n", "", "parse.open_string"},
    {"\"", "\\\n", "\"", "parse.escape"},
    {"", "'\n", "", "parse.single_quotes"},
    {"", "#", "", "parse.unknown_character"},
    {"", "/*", "", "parse.comment"},
    {"", "\xc3\xa9 ", "", "parse.unknown_character"},
    {"", "@", "", "parse.unexpected_token"},
    {"[", "1 ", "]", "parse.unexpected_token"},
    {"[", "1,,", "]", "parse.unexpected_token"},
    {"", "a::\"", "", "parse.unknown_character"},
};

static void bounds_expressions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) {
        struct bench bench;
        bench_init(&bench, &fb_heap);
        struct fb_span text = repeated(&bench, many[i].head, many[i].part, 100000, many[i].tail);
        clock_t start = clock();
        assert_null(fb_expr_read(&bench.arena, source_of(&bench, text), &bench.diags));
        if (strcmp(first_code(&bench), many[i].code) != 0 && strcmp(many[i].code, "parse.unknown_character") != 0)
            fail_msg("%s%s…: %s", many[i].head, many[i].part, first_code(&bench));
        assert_true(bench.diags.count <= FB_DIAGS_LIMIT);
        /* Linear: far below a second even under a sanitizer. */
        if (clock() - start > 5 * CLOCKS_PER_SEC)
            fail_msg("%s%s… took too long", many[i].head, many[i].part);
        bench_release(&bench);
    }
}

/* The same within a policy, and broken off at every length up to 300 parts. */
static void bounds_policies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) {
        for (size_t count = 0; count < 300; count += 1 + count / 8) {
            struct bench bench;
            bench_init(&bench, &fb_heap);
            struct fb_span inner = repeated(&bench, many[i].head, many[i].part, count, many[i].tail);
            char *body = fb_arena_text(&bench.arena, inner);
            struct fb_span text = repeated(&bench, "permit(principal, action, resource) when { ", body, 1,
                                           " }; forbid(principal, action, resource); x");
            struct fb_policy_set set;
            fb_policy_set_init(&set, &bench.arena);
            assert_false(fb_policy_set_read(&set, source_of(&bench, text), &bench.diags));
            assert_true(bench.diags.errors > 0);
            bench_release(&bench);
        }
    }
}

static void bounds_scopes(void **state)
{
    static const struct {
        const char *head, *part, *tail;
    } rows[] = {
        {"permit(principal == ", "(", "A::\"b\", action, resource);"},
        {"permit(principal, action in ", "(", "[A::\"b\"], action, resource);"},
        {"permit(principal, action in [", "[", "], resource);"},
        {"permit(", "principal,", ");"},
        {"permit(principal, action, resource)", " when { true", ";"},
        {"permit(principal, action, resource)", " when", ";"},
        {"permit(principal, action, resource)", " x {", ";"},
        {"permit", "(", ""},
        {"", "permit(", ""},
        {"", "permit ", ""},
        {"", "@a ", ""},
        {"", "@a(", ""},
        {"", "@a(\"b\") permit ", ""},
        {"", ";", ""},
        {"", "permit(principal, action, resource)", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench bench;
        bench_init(&bench, &fb_heap);
        struct fb_span text = repeated(&bench, rows[i].head, rows[i].part, 100000, rows[i].tail);
        struct fb_policy_set set;
        fb_policy_set_init(&set, &bench.arena);
        clock_t start = clock();
        assert_false(fb_policy_set_read(&set, source_of(&bench, text), &bench.diags));
        if (clock() - start > 5 * CLOCKS_PER_SEC)
            fail_msg("%s%s… took too long", rows[i].head, rows[i].part);
        bench_release(&bench);
    }
}

static void bounds_schemas(void **state)
{
    static const struct {
        const char *head, *part, *tail;
    } rows[] = {
        {"type T = ", "Set<", "Long;"},
        {"type T = ", "{a: ", "Long;"},
        {"type T = ", "{", ""},
        {"", "namespace A { ", ""},
        {"", "}", ""},
        {"", "entity ", ";"},
        {"entity A in [", "A,", "];"},
        {"entity A", "::A", ";"},
        {"entity A { ", "a ", "};"},
        {"entity A { ", "a: Long ", "};"},
        {"entity A enum [", "\"a\" ", "];"},
        {"", "@a(", ""},
        {"", "?", ""},
        {"action A in [", "b,", "];"},
        {"action A appliesTo {", "principal: A,", "};"},
        {"", "action a;", ""},
        {"", "entity A;", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench bench;
        bench_init(&bench, &fb_heap);
        struct fb_span text = repeated(&bench, rows[i].head, rows[i].part, 100000, rows[i].tail);
        clock_t start = clock();
        assert_null(fb_schema_read(&bench.arena, source_of(&bench, text), &bench.diags));
        assert_true(bench.diags.errors > 0);
        if (clock() - start > 5 * CLOCKS_PER_SEC)
            fail_msg("%s%s… took too long", rows[i].head, rows[i].part);
        bench_release(&bench);
    }
}

/* Chains are what generated policies have: 10,000 operands are fine, read, printed and compared. */
static void reads_long_chains(void **state)
{
    static const char *const signs[] = {" && principal.a", " || principal.a", " + 1", " - 1", " * 1",
                                        " && true || false"};
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        struct fb_span text = repeated(bench, "principal.a", signs[i], 9999, "");
        const struct fb_expr *expr = expr_of(bench, text);
        assert_true(expr->height <= 4);
        fb_buffer_clear(&bench->out);
        fb_expr_print(&bench->out, expr);
        assert_true(fb_span_eq(fb_buffer_span(&bench->out), text));
        assert_true(fb_expr_eq(expr, expr_of(bench, text)));
    }
    const struct fb_expr *chain = expr_of(bench, FB_SPAN("1 + 2 * 3 == 4 && true && false || true"));
    assert_int_equal(chain->spine, 3);
    assert_int_equal(chain->left->spine, 2);
    assert_int_equal(chain->left->left->left->left->spine, 1);
}

/* Exactly at the limits, and one beyond. */
static void keeps_its_limits(void **state)
{
    static const struct {
        const char *head, *part, *middle, *close;
        size_t most;
    } rows[] = {
        {"", "(", "1", ")", FB_CEDAR_DEPTH - 1},
        {"", "[", "1", "]", FB_CEDAR_DEPTH - 1},
        {"", "if true then 1 else ", "1", "", FB_CEDAR_DEPTH - 1},
        {"1", " + 1", "", "", FB_EXPR_SPINE},
        {"principal", ".a", "", "", FB_EXPR_HEIGHT - 1},
        {"principal has a", ".a", "", "", FB_CEDAR_HAS - 1},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t more = 0; more < 2; more++) {
            size_t count = rows[i].most + more;
            struct fb_span open = repeated(bench, rows[i].head, rows[i].part, count, rows[i].middle);
            struct fb_span text = repeated(bench, fb_arena_text(&bench->arena, open), rows[i].close, count, "");
            const struct fb_expr *expr = fb_expr_read(&bench->arena, source_of(bench, text), &bench->diags);
            if ((expr != NULL) != (more == 0))
                fail_msg("%s%s… %zu times\n%s", rows[i].head, rows[i].part, count, diags_text(bench));
        }
}

static void refuses_large_texts(void **state)
{
    struct bench *bench = *state;
    struct fb_policy_set set;
    fb_policy_set_init(&set, &bench->arena);
    struct fb_span most = repeated(bench, "", " ", FB_CEDAR_TEXT_MAX, "");
    assert_true(fb_policy_set_read(&set, source_of(bench, most), &bench->diags));
    struct fb_span more = repeated(bench, "", " ", FB_CEDAR_TEXT_MAX + 1, "");
    assert_false(fb_policy_set_read(&set, source_of(bench, more), &bench->diags));
    assert_string_equal(first_code(bench), "parse.too_large");
    assert_null(fb_schema_read(&bench->arena, source_of(bench, more), &bench->diags));
}

static void refuses_other_encodings(void **state)
{
    static const char *const texts[] = {"\"\xff\"", "\"\xc3\"", "\xed\xa0\x80", "// \x80"};
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        fb_diags_init(&bench->diags, &bench->arena);
        assert_null(fb_expr_read(&bench->arena, source_of(bench, fb_span_z(texts[i])), &bench->diags));
        assert_string_equal(first_code(bench), "parse.not_utf8");
    }
}

/* Common types that double at each step, and chains of them. */
static void bounds_expanded_types(void **state)
{
    struct bench *bench = *state;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1u << 20);
    fb_buffer_add_z(&text, "type T0 = Long;");
    for (int i = 1; i < 40; i++)
        fb_buffer_add_format(&text, "type T%d = {a: T%d, b: T%d};", i, i - 1, i - 1);
    assert_null(fb_schema_read(&bench->arena, source_of(bench, fb_buffer_span(&text)), &bench->diags));
    assert_string_equal(first_code(bench), "schema.too_large");
    static const char *const forms[] = {"type T%d = Set<T%d>;", "type T%d = T%d;"};
    for (int form = 0; form < 2; form++)
        for (int backwards = 0; backwards < 2; backwards++) {
            fb_buffer_clear(&text);
            fb_diags_init(&bench->diags, &bench->arena);
            fb_buffer_add_z(&text, "type T0 = Long;");
            for (int i = 1; i < 20000; i++) {
                int n = backwards ? 20000 - i : i;
                if (form == 0)
                    fb_buffer_add_format(&text, "type T%d = Set<T%d>;", n, n - 1);
                else
                    fb_buffer_add_format(&text, "type T%d = T%d;", n, n - 1);
            }
            bool read = fb_schema_read(&bench->arena, source_of(bench, fb_buffer_span(&text)), &bench->diags) != NULL;
            if (read != (form == 1 && !backwards))
                fail_msg("%s, %d: %s", forms[form], backwards, diags_text(bench));
        }
    fb_buffer_release(&text);
}

/* Groups nested 20,000 deep, and as a circle. */
static void walks_deep_action_groups(void **state)
{
    struct bench *bench = *state;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1u << 22);
    for (int i = 0; i < 20000; i++)
        fb_buffer_add_format(&text, "action a%d in a%d;", i, i + 1);
    fb_buffer_add_z(&text, "action a20000;");
    assert_non_null(fb_schema_read(&bench->arena, source_of(bench, fb_buffer_span(&text)), &bench->diags));
    fb_buffer_add_z(&text, "action b in b;");
    text.len -= strlen("action a20000;action b in b;");
    fb_buffer_add_z(&text, "action a20000 in a0;");
    assert_null(fb_schema_read(&bench->arena, source_of(bench, fb_buffer_span(&text)), &bench->diags));
    assert_string_equal(first_code(bench), "schema.action_cycle");
    assert_int_equal(bench->diags.count, 1);
    fb_buffer_release(&text);
}

/* Every allocation fails once: never a crash, and never a success without everything. */
static const char torture_policies[] =
    "@id(\"a\\u{62}\") @b permit(principal is A::B in C :: D::\"e\", action in "
    "[Action::\"f\", Action::\"g\"], resource == ?resource) when { context has a.b && "
    "principal.x like \"a*\\*\" || [1, {a: 2, b: ip(\"1.1.1.1\").isIpv4()}].contains(-5) "
    "+ 1 } unless { foo } ; forbid(principal, action, resource) whn {1};";
static const char torture_schema[] =
    "@a(\"b\") namespace N { entity A, B in [C] { @d a?: Set<T>, \"b\\n\": {c: D} } tags T; entity C "
    "enum [\"x\"]; type T = U; type U = {x: decimal}; action a in [b, N::Action::\"c\"] appliesTo "
    "{principal: [A, B], resource: C, context: U}; action b, c; } entity Q {a: X};";

static void survives_failing_memory(void **state)
{
    (void)state;
    for (int schema = 0; schema < 2; schema++) {
        struct fb_span text = schema ? fb_span_z(torture_schema) : fb_span_z(torture_policies);
        bool more = true;
        for (size_t fail_at = 1; more; fail_at++) {
            struct failing_allocator failing;
            failing_init(&failing, fail_at);
            struct bench bench;
            bench_init(&bench, &failing.allocator);
            struct fb_source source = {.name = FB_SPAN("test"), .text = text};
            struct fb_policy_set set;
            fb_policy_set_init(&set, &bench.arena);
            bool read = schema ? fb_schema_read(&bench.arena, &source, &bench.diags) != NULL
                               : fb_policy_set_read(&set, &source, &bench.diags);
            assert_false(read);
            more = failing.calls >= fail_at;
            bench_release(&bench);
            assert_int_equal(failing.blocks_out, 0);
        }
    }
}

/* The same by the ceiling of the arena, in small steps, with texts that have no fault: what is read
 * is read whole. */
static void keeps_to_the_ceiling(void **state)
{
    static const char policies[] = "permit(principal, action, resource) when { [1, 2, {a: principal.b}] == \"\\n\" };"
                                   "@id(\"x\") forbid(principal, action, resource);";
    static const char schema[] =
        "entity A { a: Set<T> }; type T = {x: Long}; action a, b appliesTo {principal: A, resource: A};";
    (void)state;
    for (size_t ceiling = 0; ceiling < 40000; ceiling += 97) {
        struct fb_arena arena;
        struct bench bench;
        bench_init(&bench, &fb_heap);
        fb_arena_init(&arena, &fb_heap, ceiling);
        struct fb_source first = {.name = FB_SPAN("test"), .text = FB_SPAN(policies)};
        struct fb_source second = {.name = FB_SPAN("test"), .text = FB_SPAN(schema)};
        struct fb_policy_set set;
        fb_policy_set_init(&set, &arena);
        bool read = fb_policy_set_read(&set, &first, &bench.diags);
        assert_int_equal(read, bench.diags.errors == 0);
        if (read)
            assert_int_equal(set.count, 2);
        else
            assert_string_equal(first_code(&bench), "parse.memory");
        fb_arena_clear(&arena);
        const struct fb_schema *resolved = fb_schema_read(&arena, &second, &bench.diags);
        if (resolved != NULL)
            assert_int_equal(resolved->actions_count, 2);
        else
            assert_string_equal(first_code(&bench), "parse.memory");
        fb_arena_release(&arena);
        bench_release(&bench);
    }
}

/* Beyond the limit of diagnostics none is guessed at: time and memory would grow with the square. */
static void many_unknown_names_are_not_guessed_at(void **state)
{
    struct bench *bench = *state;
    struct fb_buffer text;
    clock_t start = clock();
    fb_buffer_init(&text, &fb_heap, 4u << 20);
    for (int i = 0; i < 20000; i++)
        fb_buffer_add_format(&text, "entity Entity%d = {a: Kind%d}; action a%d in [b%d];\n", i, i, i, i);
    assert_null(fb_schema_read(&bench->arena, source_of(bench, fb_buffer_span(&text)), &bench->diags));
    assert_int_equal(bench->diags.count, FB_DIAGS_LIMIT);
    assert_true(bench->arena.used < (size_t)128 << 20);
    assert_true((clock() - start) / CLOCKS_PER_SEC < 20);
    fb_buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(bounds_expressions), BENCH_TEST(bounds_policies), BENCH_TEST(bounds_scopes),
        BENCH_TEST(bounds_schemas), BENCH_TEST(reads_long_chains), BENCH_TEST(keeps_its_limits),
        BENCH_TEST(refuses_large_texts), BENCH_TEST(refuses_other_encodings), BENCH_TEST(bounds_expanded_types),
        BENCH_TEST(walks_deep_action_groups), BENCH_TEST(survives_failing_memory), BENCH_TEST(keeps_to_the_ceiling),
        BENCH_TEST(many_unknown_names_are_not_guessed_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
