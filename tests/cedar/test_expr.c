/* SPDX-License-Identifier: Apache-2.0 */
#include "dump.h"

/* How expressions are understood, and how they print. */

static const struct {
    const char *text, *tree, *printed;  /* printed NULL: as it is written */
} rows[] = {
    {"true", "true", NULL},
    {"(((1)))", "1", "1"},
    {"007", "7", "7"},
    {"-5", "-5", NULL},
    {"- 5", "-5", "-5"},
    {"-(5)", "(neg 5)", NULL},
    {"--5", "(neg -5)", "-(-5)"},
    {"-9223372036854775808", "-9223372036854775808", NULL},
    {"9223372036854775807", "9223372036854775807", NULL},
    {"--9223372036854775808", "(neg -9223372036854775808)", "-(-9223372036854775808)"},
    {"-1.a", "(neg (. 1 a))", NULL},
    {"(-1).a", "(. -1 a)", NULL},
    {"!true", "(! true)", NULL},
    {"!!!!true", "(! (! (! (! true))))", NULL},
    {"!(!!!!true)", "(! (! (! (! (! true)))))", "!!!!(!true)"},
    {"!(-1)", "(! -1)", NULL},
    {"-(!true)", "(neg (! true))", NULL},
    {"----principal", "(neg (neg (neg (neg principal))))", NULL},
    {"1 - 2 - 3", "(- (- 1 2) 3)", NULL},
    {"1 - (2 - 3)", "(- 1 (- 2 3))", NULL},
    {"1 - -1", "(- 1 -1)", NULL},
    {"1 + 2 * 3 - 4", "(- (+ 1 (* 2 3)) 4)", NULL},
    {"(1 + 2) * 3", "(* (+ 1 2) 3)", NULL},
    {"2 * 3 * 4", "(* (* 2 3) 4)", NULL},
    {"1 + 2 == 3", "(== (+ 1 2) 3)", NULL},
    {"(1 == 2) == (3 != 4)", "(== (== 1 2) (!= 3 4))", NULL},
    {"1 < 2 && 3 <= 4 && 5 > 6 && 7 >= 8", "(&& (&& (&& (< 1 2) (<= 3 4)) (> 5 6)) (>= 7 8))", NULL},
    {"true || false && true", "(|| true (&& false true))", NULL},
    {"(true || false) && true", "(&& (|| true false) true)", NULL},
    {"true && (false && true)", "(&& true (&& false true))", NULL},
    {"true || (false || true)", "(|| true (|| false true))", NULL},
    {"principal in resource", "(in principal resource)", NULL},
    {"principal in [action, context]", "(in principal (set action context))", NULL},
    {"if true then 1 else 2", "(if true 1 2)", NULL},
    {"(if true then 1 else 2) + 3", "(+ (if true 1 2) 3)", NULL},
    {"if if true then true else false then 1 else if false then 2 else 3",
     "(if (if true true false) 1 (if false 2 3))", NULL},
    {"[if true then 1 else 2]", "(set (if true 1 2))", NULL},
    {"User::\"alice\"", "User::\"alice\"", NULL},
    {"A :: B // c\n ::\n\"x\"", "A::B::\"x\"", "A::B::\"x\""},
    {"principal::\"x\".y", "(. principal::\"x\" y)", NULL},
    {"principal.a.b", "(. (. principal a) b)", NULL},
    {"principal[\"a b\"]", "(. principal a b)", NULL},
    {"principal[\"a\"]", "(. principal a)", NULL},
    {"context.permit.principal", "(. (. context permit) principal)", NULL},
    {"principal.contains", "(. principal contains)", NULL},
    {"[1].contains(2)", "(contains (set 1) 2)", NULL},
    {"[1].contains(2,)", "(contains (set 1) 2)", "[1].contains(2)"},
    {"[1].containsAll([2]).x", "(. (containsAll (set 1) (set 2)) x)", NULL},
    {"[].containsAny([])", "(containsAny (set) (set))", NULL},
    {"[].isEmpty()", "(isEmpty (set))", NULL},
    {"principal.hasTag(\"a\") && principal.getTag(\"a\") == 1",
     "(&& (hasTag principal \"a\") (== (getTag principal \"a\") 1))", NULL},
    {"ip(\"1.1.1.1\").isInRange(ip(\"1.0.0.0/8\"))", "(call isInRange (call ip \"1.1.1.1\") (call ip \"1.0.0.0/8\"))",
     NULL},
    {"ip()", "(call ip)", NULL},
    {"decimal(1, 2)", "(call decimal 1 2)", NULL},
    {"principal.isInRange()", "(call isInRange principal)", NULL},
    {"(1 + 2).toDays()", "(call toDays (+ 1 2))", NULL},
    {"(-1).toDays()", "(call toDays -1)", NULL},
    {"context has a", "(has context \"a\")", NULL},
    {"context has \"a\"", "(has context \"a\")", NULL},
    {"context has \"if\"", "(has context \"if\")", NULL},
    {"context has a . b.c", "(has context \"a\" \"b\" \"c\")", "context has a.b.c"},
    {"1 + 2 has a", "(has (+ 1 2) \"a\")", NULL},
    {"(1 == 2) has a", "(has (== 1 2) \"a\")", NULL},
    {"principal is User", "(is principal User)", NULL},
    {"principal is A :: B in resource.c", "(is principal A::B (. resource c))", "principal is A::B in resource.c"},
    {"principal.a like \"x*y\\*z\"", "(like (. principal a) \"x*y\\*z\")", NULL},
    {"\"\" like \"\"", "(like \"\" \"\")", NULL},
    {"\"a\" like \"**\\\"\\\\*\"", "(like \"a\" \"**\\\"\\\\*\")", NULL},
    /* bug: a star by its number was a character in patterns */
    {"\"a\" like \"\\u{2a}*\"", "(like \"a\" \"**\")", "\"a\" like \"**\""},
    {"\"a\" like \"\\x2a\\*\"", "(like \"a\" \"*\\*\")", "\"a\" like \"*\\*\""},
    {"{}", "(record)", NULL},
    {"{a: 1, \"b c\": {if_: [2]}, \"if\": 3,}", "(record \"a\" 1 \"b c\" (record \"if_\" (set 2)) \"if\" 3)",
     "{a: 1, \"b c\": {if_: [2]}, \"if\": 3}"},
    {"{principal: 1}.principal", "(. (record \"principal\" 1) principal)", NULL},
    {"\"\\n\\r\\t\\\\\\0\\'\\\"\\x41\\u{4_2}\"", "\"\\u{a}\\u{d}\\u{9}\\\\\\u{0}'\\\"AB\"",
     "\"\\u{a}\\u{d}\\u{9}\\\\\\u{0}'\\\"AB\""},
    {"\"a\nb\"", "\"a\\u{a}b\"", "\"a\\u{a}b\""},
    {"\"\\u{1F600}\xc3\xa9\"", "\"\\u{1f600}\\u{e9}\"", "\"\\u{1f600}\\u{e9}\""},
    {"\xc2\xa0" "1\xe2\x80\xa8==\x0b\x0c\xe3\x80\x80" "2 // end", "(== 1 2)", "1 == 2"},
};

static void understands(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct fb_expr *expr = expr_of(bench, fb_span_z(rows[i].text));
        fb_buffer_clear(&bench->out);
        dump(&bench->out, expr);
        if (strcmp(bench->out.ptr, rows[i].tree) != 0)
            fail_msg("%s\n%s\nexpected %s", rows[i].text, bench->out.ptr, rows[i].tree);
    }
}

static void prints_what_reads_back(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct fb_expr *expr = expr_of(bench, fb_span_z(rows[i].text));
        const char *expected = rows[i].printed != NULL ? rows[i].printed : rows[i].text;
        fb_buffer_clear(&bench->out);
        fb_expr_print(&bench->out, expr);
        if (strcmp(bench->out.ptr, expected) != 0)
            fail_msg("%s\nprinted  %s\nexpected %s", rows[i].text, bench->out.ptr, expected);
        assert_true(fb_expr_eq(expr, expr_of(bench, fb_buffer_span(&bench->out))));
    }
}

/* Every two rows differ, but for those that say the same in other words. */
static void tells_trees_apart(void **state)
{
    struct bench *bench = *state;
    const size_t count = sizeof rows / sizeof *rows;
    for (size_t i = 0; i < count; i++) {
        const struct fb_expr *a = expr_of(bench, fb_span_z(rows[i].text));
        for (size_t j = 0; j < count; j++) {
            const struct fb_expr *b = expr_of(bench, fb_span_z(rows[j].text));
            if (fb_expr_eq(a, b) != (strcmp(rows[i].tree, rows[j].tree) == 0))
                fail_msg("%s\n%s", rows[i].text, rows[j].text);
        }
    }
}

/* Ranges and marks, as `start-end` of what they cover. */
static void keeps_places(void **state)
{
    static const struct {
        const char *text, *path, *range, *mark;     /* path: l, r, t or a digit a step down */
    } places[] = {
        {"(1 + 2) * 3", "", "(1 + 2) * 3", "*"},
        {"(1 + 2) * 3", "l", "1 + 2", "+"},
        {"(1 + 2) * 3", "lr", "2", "2"},
        {" a::\"b\" == - 5 ", "", "a::\"b\" == - 5", "=="},
        {" a::\"b\" == - 5 ", "r", "- 5", "- 5"},
        {" a::\"b\" == - 5 ", "l", "a::\"b\"", "a::\"b\""},
        {"!!principal.x", "", "!!principal.x", "!"},
        {"!!principal.x", "ll", "principal.x", "x"},
        {"principal[ \"x\" ].y", "l", "principal[ \"x\" ]", "\"x\""},
        {"context has a.b && true", "l", "context has a.b", "a.b"},
        {"context is A::B in c::\"d\"", "", "context is A::B in c::\"d\"", "A::B"},
        {"\"a\" like \"b\"", "", "\"a\" like \"b\"", "like"},
        {"if true then 1 else 2", "", "if true then 1 else 2", "if"},
        {"if true then 1 else 2", "t", "2", "2"},
        {"[1, {a: 22}]", "", "[1, {a: 22}]", "["},
        {"[1, {a: 22}]", "10", "22", "22"},
        {"ip(\"a\").isIpv4()", "", "ip(\"a\").isIpv4()", "isIpv4"},
        {"ip(\"a\").isIpv4()", "0", "ip(\"a\")", "ip"},
        {"[].contains(1) ", "", "[].contains(1)", "contains"},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *text = places[i].text;
        const struct fb_expr *expr = expr_of(bench, fb_span_z(text));
        for (const char *step = places[i].path; *step != 0; step++)
            expr = *step == 'l' ? expr->left : *step == 'r' ? expr->right : *step == 't' ? expr->third
                                                                                         : expr->items[*step - '0'];
        assert_span(fb_span(text + expr->range.start, expr->range.end - expr->range.start), places[i].range);
        assert_span(fb_span(text + expr->mark.start, expr->mark.end - expr->mark.start), places[i].mark);
    }
}

/* Quotes and parentheses are kept for the formatter. */
static void keeps_how_it_was_written(void **state)
{
    struct bench *bench = *state;
    assert_true(expr_of(bench, FB_SPAN("principal[\"a\"]"))->indexed);
    assert_false(expr_of(bench, FB_SPAN("principal.a"))->indexed);
    assert_true(expr_of(bench, FB_SPAN("principal has \"a\""))->indexed);
    assert_false(expr_of(bench, FB_SPAN("principal has a"))->indexed);
    assert_true(expr_of(bench, FB_SPAN("(1) == 2"))->left->parenthesised);
    assert_false(expr_of(bench, FB_SPAN("(1) == 2"))->right->parenthesised);
}

/* An attribute with a name that only the JSON form can put behind a dot. */
static void prints_attributes_of_any_name(void **state)
{
    struct bench *bench = *state;
    struct fb_expr attribute = *expr_of(bench, FB_SPAN("context.a"));
    attribute.text = FB_SPAN("if");
    fb_buffer_clear(&bench->out);
    fb_expr_print(&bench->out, &attribute);
    assert_string_equal(bench->out.ptr, "context[\"if\"]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(understands), BENCH_TEST(prints_what_reads_back), BENCH_TEST(tells_trees_apart),
        BENCH_TEST(keeps_places), BENCH_TEST(keeps_how_it_was_written), BENCH_TEST(prints_attributes_of_any_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
