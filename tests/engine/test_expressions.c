/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions against answers of the official engine: cases/expressions.case, one a line, and
 * cases/operators.case, every operator on every kind of operand.  The tests' own oracle is held to
 * the same answers, so that it may be trusted elsewhere. */

#include "oracle.h"
#include "world.h"

#include "testing.h"

static struct world world;

/* 'T', 'F', 'E'; '?' where the value is no bool. */
static char letter(bool valued, struct fb_value value)
{
    return !valued ? 'E' : value.kind != FB_BOOL ? '?' : value.number != 0 ? 'T' : 'F';
}

static char engine_says(const struct fb_expr *expr, struct fb_span *message)
{
    struct fb_value value = {0};
    struct fb_policy_error error = {0};
    bool erred;
    assert_int_equal(fb_evaluate(expr, &world.request, &world.scratch, &value, &error, &erred), FB_OK);
    if (erred) {
        assert_true(error.message.len > 0);
        assert_true(error.range.start < error.range.end);
    }
    *message = error.message;
    return letter(!erred, value);
}

static char oracle_says(const struct fb_expr *expr)
{
    struct oracle oracle = {&world.request, &world.scratch};
    struct fb_value value = {0};
    bool valued = oracle_eval(&oracle, expr, &value);
    return letter(valued, value);
}

/* Policies make errors of values that are no bools; in the tables all others are bools. */
static size_t check(struct fb_span text, char expected)
{
    struct fb_span message = {0};
    const struct fb_expr *expr = world_expr(&world, text, false);
    char engine = engine_says(expr, &message), oracle = oracle_says(expr);
    engine = engine == '?' ? 'E' : engine;
    oracle = oracle == '?' ? 'E' : oracle;
    bool good = engine == expected && oracle == expected;
    if (!good)
        print_error("%.*s: expected %c, engine %c, oracle %c (%.*s)\n", (int)text.len, text.ptr, expected, engine,
                    oracle, (int)message.len, message.ptr);
    fb_arena_clear(&world.scratch);
    return !good;
}

static void single_expressions(void **state)
{
    (void)state;
    struct fb_span text = world_file(&world, "expressions.case"), line;
    size_t count = 0, bad = 0;
    while (world_line(&text, &line)) {
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        size_t arrow = line.len;
        while (arrow > 4 && !fb_span_starts(fb_span_from(line, arrow - 4), FB_SPAN(" => ")))
            arrow--;
        char expected = line.ptr[arrow];
        count++;
        bad += check(fb_span_head(line, arrow - 4), expected == 't' ? 'T' : expected == 'f' ? 'F' : 'E');
    }
    print_message("%zu expressions\n", count);
    assert_true(count > 400);
    assert_int_equal(bad, 0);
}

#define OPERANDS_MAX 32

/* The template with its {a} and {b} replaced, each in parentheses if it starts with a minus. */
static struct fb_span fill(struct fb_span template_, struct fb_span a, struct fb_span b)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, 4096);
    for (size_t i = 0; i < template_.len; i++) {
        struct fb_span rest = fb_span_from(template_, i);
        bool first = fb_span_starts(rest, FB_SPAN("{a}"));
        if (!first && !fb_span_starts(rest, FB_SPAN("{b}"))) {
            fb_buffer_add_char(&out, template_.ptr[i]);
            continue;
        }
        struct fb_span operand = first ? a : b;
        bool minus = operand.ptr[0] == '-';
        fb_buffer_add_z(&out, minus ? "(" : "");
        fb_buffer_add(&out, operand);
        fb_buffer_add_z(&out, minus ? ")" : "");
        i += 2;
    }
    struct fb_span text = fb_arena_copy(&world.arena, fb_buffer_span(&out));
    fb_buffer_release(&out);
    return text;
}

static void every_operator(void **state)
{
    (void)state;
    struct fb_span text = world_file(&world, "operators.case"), line, op = {0}, operands[OPERANDS_MAX];
    size_t known = 0, row = 0, count = 0, bad = 0;
    while (world_line(&text, &line)) {
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (fb_span_starts(line, FB_SPAN("operand "))) {
            assert_true(known < OPERANDS_MAX);
            operands[known++] = fb_span_from(line, 8);
            continue;
        }
        if (fb_span_starts(line, FB_SPAN("op "))) {
            op = fb_span_from(line, 3);
            row = 0;
            continue;
        }
        bool pairs = memmem(op.ptr, op.len, "{b}", 3) != NULL;
        assert_int_equal(line.len, known);
        for (size_t column = 0; column < known; column++, count++)
            bad += check(pairs ? fill(op, operands[row], operands[column]) : fill(op, operands[column], operands[0]),
                         line.ptr[column]);
        row++;
    }
    print_message("%zu combinations\n", count);
    assert_true(count > 5000);
    assert_int_equal(bad, 0);
}

struct message_case {
    const char *expression, *marked, *message;
};

static void errors_say_what_and_where(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"1 + \"a\" == 2", "\"a\"", "type error: wanted a long, got a string: \"a\""},
        {"true && principal", "principal", "type error: wanted a bool, got an entity: U::\"a\""},
        {"9223372036854775807 + 1 == 0", "9223372036854775807 + 1",
         "the result does not fit into 64 bits: 9223372036854775807 + 1"},
        {"principal.zz == 1", "principal.zz", "U::\"a\" has no attribute \"zz\""},
        {"U::\"q\".zz == 1", "U::\"q\".zz", "there is no entity U::\"q\""},
        {"context.zz == 1", "context.zz", "the record has no attribute \"zz\""},
        {"{mail: 1, age: 2}.mial == 1", "{mail: 1, age: 2}.mial",
         "the record has no attribute \"mial\"; did you mean \"mail\"?"},
        {"{}.mail == 1", "{}.mail", "the record has no attribute \"mail\", nor any other"},
        {"principal.getTag(\"no\") == 1", "principal.getTag(\"no\")", "U::\"a\" has no tag \"no\""},
        {"ip(\"1.2.3.4\").isInRange() == true", "ip(\"1.2.3.4\").isInRange()",
         "wrong number of arguments for `isInRange`: wanted 2, got 1 (a method's receiver counts)"},
        {"principal in [principal, 1]", "[principal, 1]", "type error: wanted entities in the set, got a long: 1"},
        {"datetime(\"9999-12-31\").offset(duration(\"9223372036854775807ms\")) == 1",
         "datetime(\"9999-12-31\").offset(duration(\"9223372036854775807ms\"))", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fb_value value;
        struct fb_policy_error error;
        bool erred;
        struct fb_span text = fb_span_z(cases[i].expression);
        const struct fb_expr *expr = world_expr(&world, text, false);
        assert_int_equal(fb_evaluate(expr, &world.request, &world.scratch, &value, &error, &erred), FB_OK);
        assert_true(erred);
        assert_span(fb_span_head(fb_span_from(text, error.range.start), error.range.end - error.range.start),
                    cases[i].marked);
        if (cases[i].message != NULL)
            assert_span(error.message, cases[i].message);
    }
}

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    world_read(&world, "world.json");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_release(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_expressions),
        cmocka_unit_test(every_operator),
        cmocka_unit_test(errors_say_what_and_where),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
