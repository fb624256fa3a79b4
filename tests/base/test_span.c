/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "testing.h"

static void compares(void **state)
{
    (void)state;
    struct fb_span empty = {0};
    assert_true(fb_span_eq(empty, FB_SPAN("")));
    assert_true(fb_span_is(empty, ""));
    assert_true(fb_span_eq(FB_SPAN("abc"), fb_span_z("abc")));
    assert_false(fb_span_eq(FB_SPAN("abc"), FB_SPAN("abd")));
    assert_false(fb_span_eq(FB_SPAN("abc"), FB_SPAN("ab")));
    assert_true(fb_span_starts(FB_SPAN("abc"), FB_SPAN("ab")));
    assert_true(fb_span_starts(empty, empty));
    assert_false(fb_span_starts(FB_SPAN("ab"), FB_SPAN("abc")));
    assert_true(fb_span_cmp(FB_SPAN("ab"), FB_SPAN("abc")) < 0);
    assert_true(fb_span_cmp(FB_SPAN("b"), FB_SPAN("abc")) > 0);
    assert_true(fb_span_cmp(FB_SPAN("\xff"), FB_SPAN("a")) > 0);
    assert_int_equal(fb_span_cmp(empty, FB_SPAN("")), 0);
    assert_int_equal(fb_span_z(NULL).len, 0);
}

/* At every length and place, on memory that ends where the bytes do. */
static void compares_and_copies_each_byte(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 70; len++) {
        char *a = malloc(len != 0 ? len : 1), *b = malloc(len != 0 ? len : 1), *to = malloc(len + 1);
        assert_true(a != NULL && b != NULL && to != NULL);
        for (size_t i = 0; i < len; i++)
            a[i] = b[i] = (char)(i * 37 + len);
        assert_true(fb_bytes_eq(a, b, len));
        for (size_t i = 0; i < len; i++) {
            b[i] = (char)(b[i] ^ 0x10);
            assert_false(fb_bytes_eq(a, b, len));
            b[i] = a[i];
        }
        memset(to, '#', len + 1);
        fb_bytes_copy(to, a, len);
        assert_memory_equal(to, a, len);
        assert_int_equal(to[len], '#');
        free(a);
        free(b);
        free(to);
    }
}

static void folds_ascii_case_only(void **state)
{
    (void)state;
    assert_true(fb_span_eq_nocase(FB_SPAN("Content-TYPE"), FB_SPAN("content-type")));
    assert_false(fb_span_eq_nocase(FB_SPAN("a["), FB_SPAN("a{")));
    assert_false(fb_span_eq_nocase(FB_SPAN("a@"), FB_SPAN("a`")));
    assert_false(fb_span_eq_nocase(FB_SPAN("\xc3\x84"), FB_SPAN("\xc3\xa4")));
    assert_false(fb_span_eq_nocase(FB_SPAN("ab"), FB_SPAN("abc")));
}

static void cuts(void **state)
{
    (void)state;
    struct fb_span empty = {0};
    assert_span(fb_span_from(FB_SPAN("abc"), 1), "bc");
    assert_span(fb_span_from(FB_SPAN("abc"), 3), "");
    assert_span(fb_span_from(FB_SPAN("abc"), 4), "");
    assert_span(fb_span_from(empty, 0), "");
    assert_span(fb_span_head(FB_SPAN("abc"), 2), "ab");
    assert_span(fb_span_head(FB_SPAN("abc"), 9), "abc");
    assert_int_equal(fb_span_find(FB_SPAN("abc"), 'c'), 2);
    assert_int_equal(fb_span_find(FB_SPAN("abc"), 'x'), 3);
    assert_int_equal(fb_span_find(empty, 'x'), 0);
    assert_span(fb_span_trim(FB_SPAN(" \t a b\t ")), "a b");
    assert_span(fb_span_trim(FB_SPAN(" \t ")), "");
    assert_span(fb_span_trim(FB_SPAN("\r\na\n")), "\r\na\n");
    assert_span(fb_span_trim(empty), "");
}

static void reads_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        bool good;
        uint64_t value;
    } cases[] = {
        {"0", 0, true, 0},
        {"00", 9, true, 0},
        {"9", 9, true, 9},
        {"10", 9, false, 0},
        {"9", 8, false, 0},
        {"5", 3, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"28446744073709551615", UINT64_MAX, false, 0},
        {"184467440737095516150", UINT64_MAX, false, 0},
        {"65535", 65535, true, 65535},
        {"65536", 65535, false, 0},
        {"", 9, false, 0},
        {"-1", 9, false, 0},
        {"+1", 9, false, 0},
        {" 1", 9, false, 0},
        {"1 ", 9, false, 0},
        {"0x1", 99, false, 0},
        {":", 99, false, 0},
        {"/", 99, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 77;
        bool good = fb_span_to_u64(fb_span_z(cases[i].text), cases[i].max, &value);
        if (good != cases[i].good || value != (good ? cases[i].value : 77))
            fail_msg("%s at most %llu", cases[i].text, (unsigned long long)cases[i].max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(compares_and_copies_each_byte),
        cmocka_unit_test(folds_ascii_case_only),
        cmocka_unit_test(cuts),
        cmocka_unit_test(reads_numbers),
    };
    return cmocka_run_group_tests_name("base/span", tests, NULL, NULL);
}
