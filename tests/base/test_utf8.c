/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "testing.h"

static void carries_every_scalar(void **state)
{
    (void)state;
    for (uint32_t scalar = 0; scalar <= 0x110010; scalar++) {
        char bytes[4];
        unsigned written = fb_utf8_put(scalar, bytes), length;
        bool surrogate = scalar >= 0xD800 && scalar <= 0xDFFF;
        if (surrogate || scalar > 0x10FFFF) {
            assert_int_equal(written, 0);
            continue;
        }
        unsigned expected = scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
        assert_int_equal(written, expected);
        assert_int_equal(fb_utf8_next(fb_span(bytes, written), &length), scalar);
        assert_int_equal(length, written);
        for (unsigned cut = 1; cut < written; cut++) {
            (void)fb_utf8_next(fb_span(bytes, cut), &length);
            assert_int_equal(length, 0);
        }
    }
    char bytes[4];
    assert_int_equal(fb_utf8_put(UINT32_MAX, bytes), 0);
}

/* A second decoder, slow and plain: read by the shape of the lead, then judge the value. */
static unsigned plain_length(const unsigned char *p)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned length = p[0] < 0x80 ? 1 : (p[0] & 0xE0) == 0xC0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3
                    : (p[0] & 0xF8) == 0xF0 ? 4 : 0;
    if (length < 2)
        return length;
    uint32_t scalar = p[0] & (0xFFu >> (length + 1));
    for (unsigned i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        scalar = scalar << 6 | (p[i] & 0x3Fu);
    }
    bool good = scalar >= least[length] && scalar <= 0x10FFFF && (scalar < 0xD800 || scalar > 0xDFFF);
    return good ? length : 0;
}

/* All two-byte beginnings, with the bytes at the edges of each rule behind them. */
static void refuses_all_that_is_not_utf8(void **state)
{
    (void)state;
    static const unsigned char edges[] = {0x00, 0x22, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
    size_t refused = 0;
    for (unsigned lead = 0; lead < 65536; lead++) {
        for (unsigned tail = 0; tail < sizeof edges * sizeof edges; tail++) {
            unsigned char p[4] = {(unsigned char)(lead >> 8), (unsigned char)lead,
                                  edges[tail / sizeof edges], edges[tail % sizeof edges]};
            unsigned length;
            (void)fb_utf8_next(fb_span((const char *)p, 4), &length);
            assert_int_equal(length, plain_length(p));
            refused += length == 0;
        }
    }
    assert_true(refused > 100000);
}

static void finds_the_first_bad_byte(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {
        {"", 0},
        {"plain ASCII of some length", 26},
        {"h\xc3\xa4t und \xe2\x82\xac und \xf0\x9f\x90\x8c am Ende", 29},
        {"12345678\xff", 8},
        {"1234567\xff" "9012345678", 7},
        {"abc\xc3", 3},
        {"abc\xe2\x82", 3},
        {"\xed\xa0\x80", 0},
        {"a\xc0\xaf", 1},
        {"a\xf4\x90\x80\x80", 1},
        {"12345678\xc3\xa4" "12345678\xbf", 18},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(fb_utf8_valid(fb_span_z(cases[i].text)), cases[i].at);
    assert_int_equal(fb_utf8_valid(fb_span(NULL, 0)), 0);
    assert_int_equal(fb_utf8_valid(FB_SPAN("a\0b")), 3);
}

static void counts_columns(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t columns;
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {"h\xc3\xa4t", 3},
        {"a\xcc\x88", 1},                      /* a, combining diaeresis */
        {"\xe6\xbc\xa2\xe5\xad\x97", 4},        /* two ideographs */
        {"\xf0\x9f\x98\x80", 2},                /* an emoji */
        {"\xef\xbc\xa1", 2},                    /* fullwidth A */
        {"\xe2\x82\xac", 1},                    /* the euro sign */
        {"\xea\xb0\x80", 2},                    /* a Hangul syllable */
        {"\xe1\x84\x80\xe1\x85\xa1", 2},        /* the same from its letters */
        {"\xf0\xa0\x80\x80", 2},                /* plane 2 */
        {"a\xff" "b", 3},                       /* a stray byte */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(fb_utf8_columns(fb_span_z(cases[i].text)), cases[i].columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_every_scalar),
        cmocka_unit_test(refuses_all_that_is_not_utf8),
        cmocka_unit_test(finds_the_first_bad_byte),
        cmocka_unit_test(counts_columns),
    };
    return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
