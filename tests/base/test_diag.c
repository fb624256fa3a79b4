/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "testing.h"

static struct fb_arena arena;
static struct fb_diags diags;
static struct fb_buffer out;

static int set_up(void **state)
{
    (void)state;
    fb_arena_init(&arena, &fb_heap, 1 << 22);
    fb_diags_init(&diags, &arena);
    fb_buffer_init(&out, &fb_heap, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fb_buffer_release(&out);
    fb_arena_release(&arena);
    return 0;
}

static void knows_lines_and_columns(void **state)
{
    (void)state;
    struct fb_source source = {FB_SPAN("p"), FB_SPAN("ab\r\nh\xc3\xa4t\n\nx")};
    static const struct {
        uint32_t offset, line, column;
        const char *text;
    } cases[] = {
        {0, 1, 1, "ab"}, {1, 1, 2, "ab"}, {2, 1, 3, "ab"}, {3, 1, 4, "ab"},
        {4, 2, 1, "h\xc3\xa4t"}, {5, 2, 2, "h\xc3\xa4t"}, {6, 2, 2, "h\xc3\xa4t"}, {7, 2, 3, "h\xc3\xa4t"},
        {8, 2, 4, "h\xc3\xa4t"}, {9, 3, 1, ""}, {10, 4, 1, "x"}, {11, 4, 2, "x"}, {99, 4, 2, "x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fb_position position = fb_source_position(&source, cases[i].offset);
        assert_int_equal(position.line, cases[i].line);
        assert_int_equal(position.column, cases[i].column);
        assert_span(fb_source_line(&source, cases[i].offset), cases[i].text);
    }
    struct fb_source empty = {0};
    assert_int_equal(fb_source_position(&empty, 5).line, 1);
    assert_int_equal(fb_source_position(&empty, 5).column, 1);
    assert_span(fb_source_line(&empty, 5), "");
}

/* One diagnostic about bytes [start, end) of the text, as it is printed. */
struct printing {
    const char *text;
    uint32_t start, end;
    const char *printed;
};

static void check(const struct printing *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fb_source source = {FB_SPAN("p.cedar"), fb_span_z(cases[i].text)};
        struct fb_range range = {cases[i].start, cases[i].end};
        struct fb_diag *diag = fb_diag_add(&diags, FB_ERROR, "t.code", &source, range, "wrong");
        fb_buffer_clear(&out);
        fb_diag_print(&out, diag, false);
        assert_span(fb_buffer_span(&out), cases[i].printed);
    }
}

static void prints_the_place(void **state)
{
    (void)state;
    static const struct printing cases[] = {
        {"permit (x);", 8, 9, "p.cedar:1:9: error: wrong [t.code]\n"
                              " 1 | permit (x);\n"
                              "   |         ^\n"},
        {"a\nbcd\ne", 2, 5, "p.cedar:2:1: error: wrong [t.code]\n"
                            " 2 | bcd\n"
                            "   | ^^^\n"},
        {"a\nbcd\ne", 3, 7, "p.cedar:2:2: error: wrong [t.code]\n"     /* over two lines */
                            " 2 | bcd\n"
                            "   |  ^^\n"},
        {"ab\n", 2, 2, "p.cedar:1:3: error: wrong [t.code]\n"          /* at the end of a line */
                       " 1 | ab\n"
                       "   |   ^\n"},
        {"ab\n", 3, 3, "p.cedar:2:1: error: wrong [t.code]\n"          /* at the end of the text */
                       " 2 | \n"
                       "   | ^\n"},
        {"ab", 90, 95, "p.cedar:1:3: error: wrong [t.code]\n"          /* beyond it */
                       " 1 | ab\n"
                       "   |   ^\n"},
        {"abc", 1, 0, "p.cedar:1:2: error: wrong [t.code]\n"           /* a range turned around */
                      " 1 | abc\n"
                      "   |  ^\n"},
        {"", 0, 0, "p.cedar:1:1: error: wrong [t.code]\n"
                   " 1 | \n"
                   "   | ^\n"},
        {"\n\n\n\n\n\n\n\n\nten", 9, 12, "p.cedar:10:1: error: wrong [t.code]\n"
                                         " 10 | ten\n"
                                         "    | ^^^\n"},
    };
    check(cases, sizeof cases / sizeof cases[0]);
}

static void lines_up_under_wide_and_hostile_text(void **state)
{
    (void)state;
    static const struct printing cases[] = {
        {"\tx\ty", 3, 4, "p.cedar:1:4: error: wrong [t.code]\n"
                         " 1 |     x   y\n"
                         "   |         ^\n"},
        {"x\ty", 1, 2, "p.cedar:1:2: error: wrong [t.code]\n"          /* the tab itself */
                       " 1 | x   y\n"
                       "   |  ^^^\n"},
        {"\xe6\xbc\xa2=\xe5\xad\x97;", 4, 7, "p.cedar:1:3: error: wrong [t.code]\n"
                                             " 1 | \xe6\xbc\xa2=\xe5\xad\x97;\n"
                                             "   |    ^^\n"},
        {"a\xcc\x88=b", 4, 5, "p.cedar:1:4: error: wrong [t.code]\n"   /* a combining diaeresis */
                              " 1 | a\xcc\x88=b\n"
                              "   |   ^\n"},
        {"\x1b[31mx", 5, 6, "p.cedar:1:6: error: wrong [t.code]\n"     /* a terminal escape */
                            " 1 | \\u{1b}[31mx\n"
                            "   |           ^\n"},
        {"a\r\x07\x7f" "b", 4, 5, "p.cedar:1:5: error: wrong [t.code]\n"
                                  " 1 | a\\u{d}\\u{7}\\u{7f}b\n"
                                  "   |                  ^\n"},
        {"\xe2\x80\xae" "x", 3, 4, "p.cedar:1:2: error: wrong [t.code]\n"   /* right-to-left override */
                                   " 1 | \\u{202e}x\n"
                                   "   |         ^\n"},
        {"\xc2\x9b" "x", 2, 3, "p.cedar:1:2: error: wrong [t.code]\n"  /* a control in C1 */
                               " 1 | \\u{9b}x\n"
                               "   |       ^\n"},
        {"a\xff" "b", 1, 2, "p.cedar:1:2: error: wrong [t.code]\n"
                            " 1 | a\\xffb\n"
                            "   |  ^^^^\n"},
    };
    check(cases, sizeof cases / sizeof cases[0]);
}

/* The caret stands under the marked byte, and no line is over the window and its frame. */
static void cuts_a_window_from_long_lines(void **state)
{
    (void)state;
    enum { LENGTH = 100000 };
    static const uint32_t places[] = {0, 59, 60, 61, 100, 159, 160, 161, 1000, 1023, 1024, 1025, 1100,
                                      50000, LENGTH - 200, LENGTH - 60, LENGTH - 1};
    char *text = malloc(LENGTH);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        memset(text, '.', LENGTH);
        text[places[i]] = '#';
        struct fb_source source = {FB_SPAN("p"), fb_span(text, LENGTH)};
        struct fb_range range = {places[i], places[i] + 1};
        struct fb_diag *diag = fb_diag_add(&diags, FB_WARNING, "t.code", &source, range, "m");
        fb_buffer_clear(&out);
        fb_diag_print(&out, diag, false);
        const char *excerpt = strchr(out.ptr, '\n') + 1, *carets = strchr(excerpt, '\n') + 1;
        size_t mark = (size_t)(strchr(excerpt, '#') - excerpt), caret = (size_t)(strchr(carets, '^') - carets);
        assert_int_equal(fb_utf8_columns(fb_span(excerpt, mark)), caret);
        assert_int_equal(carets[caret + 1], '\n');
        assert_in_range(fb_utf8_columns(fb_span(excerpt, (size_t)(carets - excerpt) - 1)), 60, 5 + 160 + 2);
    }
    free(text);
}

/* A line of combining marks has no width at all; it is cut nevertheless. */
static void cuts_lines_without_width(void **state)
{
    (void)state;
    enum { LENGTH = 100000 };
    char *text = malloc(LENGTH);
    assert_non_null(text);
    for (size_t i = 0; i < LENGTH; i += 2)
        memcpy(text + i, "\xcc\x88", 2);
    struct fb_source source = {FB_SPAN("p"), fb_span(text, LENGTH)};
    for (uint32_t at = 0; at < LENGTH; at += 12345) {
        struct fb_range range = {at, at + 9};
        struct fb_diag *diag = fb_diag_add(&diags, FB_ERROR, "t.code", &source, range, "m");
        fb_buffer_clear(&out);
        fb_diag_print(&out, diag, false);
        assert_in_range(out.len, 50, 6000);
        assert_int_equal(fb_utf8_valid(fb_buffer_span(&out)), out.len);
    }
    free(text);
}

static void prints_hints_and_second_places(void **state)
{
    (void)state;
    struct fb_source first = {FB_SPAN("a\x1b.cedar"), FB_SPAN("one\ntwo")};
    struct fb_source second = {FB_SPAN("b.cedar"), FB_SPAN("three")};
    struct fb_diag *diag = fb_diag_add(&diags, FB_WARNING, "t.twice", &first, (struct fb_range){4, 7},
                                       "%s is\n\x1b here twice", "two");
    diag->hint = FB_SPAN("remove\tit");
    diag->other = &second;
    diag->other_range = (struct fb_range){0, 5};
    diag->other_message = FB_SPAN("first here");
    (void)fb_diag_add(&diags, FB_ERROR, "t.nowhere", NULL, (struct fb_range){0}, "no place");
    fb_diags_print(&out, &diags, false);
    assert_span(fb_buffer_span(&out),
                "a\\u{1b}.cedar:2:1: warning: two is\\u{a}\\u{1b} here twice [t.twice]\n"
                " 2 | two\n"
                "   | ^^^\n"
                "  hint: remove it\n"
                "b.cedar:1:1: note: first here\n"
                " 1 | three\n"
                "   | ^^^^^\n"
                "error: no place [t.nowhere]\n");
    assert_int_equal(diags.errors, 1);
    fb_buffer_clear(&out);
    fb_diags_print(&out, &diags, true);
    size_t escapes = 0;
    for (size_t i = 0; i < out.len; i++)
        escapes += out.ptr[i] == '\033';
    assert_true(escapes > 10 && escapes % 2 == 0);      /* each colour is ended */
    assert_non_null(strstr(out.ptr, "\033[1;33mwarning: \033[0m"));
}

static void prints_json(void **state)
{
    (void)state;
    struct fb_source first = {FB_SPAN("a.cedar"), FB_SPAN("one\nt\"o")};
    fb_diags_print_json(&out, &diags);
    assert_span(fb_buffer_span(&out), "[]");
    fb_buffer_clear(&out);
    struct fb_diag *diag = fb_diag_add(&diags, FB_ERROR, "t.quote", &first, (struct fb_range){4, 7}, "\"");
    diag->hint = FB_SPAN("h");
    diag->other = &first;
    diag->other_message = FB_SPAN("m");
    (void)fb_diag_add(&diags, FB_NOTE, "t.n", NULL, (struct fb_range){0}, "n");
    fb_diags_print_json(&out, &diags);
    assert_span(fb_buffer_span(&out),
                "[{\"severity\":\"error\",\"code\":\"t.quote\",\"message\":\"\\\"\",\"hint\":\"h\","
                "\"file\":\"a.cedar\",\"start\":{\"offset\":4,\"line\":2,\"column\":1},"
                "\"end\":{\"offset\":7,\"line\":2,\"column\":4},"
                "\"related\":{\"message\":\"m\",\"file\":\"a.cedar\",\"start\":{\"offset\":0,\"line\":1,"
                "\"column\":1},\"end\":{\"offset\":0,\"line\":1,\"column\":1}}},"
                "{\"severity\":\"note\",\"code\":\"t.n\",\"message\":\"n\"}]");
}

static void counts_what_it_drops(void **state)
{
    (void)state;
    for (int i = 0; i < 250; i++) {
        struct fb_diag *diag = fb_diag_add(&diags, i % 2 == 0 ? FB_ERROR : FB_WARNING, "t.code", NULL,
                                           (struct fb_range){0}, "number %d", i);
        assert_non_null(diag);
        diag->hint = FB_SPAN("hint");
    }
    assert_int_equal(diags.count, FB_DIAGS_LIMIT);
    assert_int_equal(diags.dropped, 150);
    assert_int_equal(diags.errors, 125);
    assert_span(diags.list[99].message, "number 99");
    fb_diags_print(&out, &diags, false);
    assert_non_null(strstr(out.ptr, "and 150 more\n"));
}

/* Whatever fails, the error is counted and something can be said about it. */
static void survives_failing_memory(void **state)
{
    (void)state;
    for (size_t ceiling = 0; ceiling < 4000; ceiling += 16) {
        struct fb_arena small;
        struct fb_diags few;
        fb_arena_init(&small, &fb_heap, ceiling);
        fb_diags_init(&few, &small);
        for (int i = 0; i < 20; i++)
            fb_diag_add(&few, FB_ERROR, "t.code", NULL, (struct fb_range){0}, "%030d", i)->hint = FB_SPAN("h");
        assert_int_equal(few.errors, 20);
        assert_int_equal(few.count + few.dropped, 20);
        for (size_t i = 0; i < few.count; i++)
            assert_true(few.list[i].message.len != 0);
        fb_arena_release(&small);
    }
}

static void guesses(void **state)
{
    (void)state;
    static const struct fb_span names[] = {
        {4, "User"}, {5, "Users"}, {9, "principal"}, {8, "resource"}, {6, "action"}, {7, "context"}, {2, "in"},
        {8, "readFile"}, {0, NULL},
    };
    static const struct {
        const char *word, *meant;
    } cases[] = {
        {"principle", "principal"}, {"pricnipal", "principal"}, {"PRINCIPAL", "principal"},
        {"ressource", "resource"}, {"acton", "action"}, {"actoin", "action"}, {"contxt", "context"},
        {"Usr", "User"}, {"Userz", "User"}, {"user", "User"}, {"is", ""}, {"on", ""}, {"IN", "in"},
        {"", ""}, {"xyzzy", ""}, {"readfiles", "readFile"}, {"prxxxxxal", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_span(fb_did_you_mean(fb_span_z(cases[i].word), names, sizeof names / sizeof names[0]),
                    cases[i].meant);
    char longest[100];
    memset(longest, 'a', sizeof longest);
    struct fb_span candidates[] = {fb_span(longest, 63), fb_span(longest, 100)};
    assert_int_equal(fb_did_you_mean(fb_span(longest, 64), candidates, 2).len, 63);
    assert_int_equal(fb_did_you_mean(fb_span(longest, 65), candidates, 2).len, 0);
    assert_int_equal(fb_did_you_mean(FB_SPAN("word"), NULL, 0).len, 0);
}

#define DIAG_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIAG_TEST(knows_lines_and_columns),
        DIAG_TEST(prints_the_place),
        DIAG_TEST(lines_up_under_wide_and_hostile_text),
        DIAG_TEST(cuts_a_window_from_long_lines),
        DIAG_TEST(cuts_lines_without_width),
        DIAG_TEST(prints_hints_and_second_places),
        DIAG_TEST(prints_json),
        DIAG_TEST(counts_what_it_drops),
        DIAG_TEST(survives_failing_memory),
        DIAG_TEST(guesses),
    };
    return cmocka_run_group_tests_name("base/diag", tests, NULL, NULL);
}
