/* SPDX-License-Identifier: Apache-2.0 */
/* fb_target_read: each fault by its name, the splitting, the limits.  tests/targets has the larger
 * tables (test_targets.c). */
#include "routing.h"

static enum fb_target_fault read_target(const char *raw, const char *path, const char *query, struct fb_target *target)
{
    struct fb_http_request request = request_of("GET", path, query);
    request.raw_target = fb_span_z(raw);
    return fb_target_read(&request, target);
}

static void names_faults(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *path, *query;
        enum fb_target_fault fault;
    } cases[] = {
        {"/", "/", "", FB_TARGET_OK},
        {"/a/b?x=1", "/a/b", "x=1", FB_TARGET_OK},
        {"/a?", "/a", "", FB_TARGET_OK},
        {"/%61", "/a", "", FB_TARGET_OK},
        {"/a%25", "/a%", "", FB_TARGET_OK},
        {"/%25u00", "/%u00", "", FB_TARGET_OK},
        {"a", "a", "", FB_TARGET_FORM},
        {"*", "*", "", FB_TARGET_FORM},
        {"?a", "/", "a", FB_TARGET_FORM},
        {"http://h/a", "/a", "", FB_TARGET_FORM},
        {"/a b", "/a b", "", FB_TARGET_RAW_BYTE},
        {"/\xc3\xa9", "/\xc3\xa9", "", FB_TARGET_RAW_BYTE},
        {"/a?\xc3\xa9", "/a", "\xc3\xa9", FB_TARGET_RAW_BYTE},
        {"/a\x01", "/a\x01", "", FB_TARGET_RAW_BYTE},
        {"/a\x7f", "/a\x7f", "", FB_TARGET_RAW_BYTE},
        {"/a#b", "/a", "", FB_TARGET_FRAGMENT},
        {"/a?b#c", "/a", "b", FB_TARGET_FRAGMENT},
        {"/%", "/%", "", FB_TARGET_ENCODING},
        {"/%4", "/%4", "", FB_TARGET_ENCODING},
        {"/%4g", "/%4g", "", FB_TARGET_ENCODING},
        {"/%g4", "/%g4", "", FB_TARGET_ENCODING},
        {"/a%2fb", "/a/b", "", FB_TARGET_ENCODED_SLASH},
        {"/a%2Fb", "/a/b", "", FB_TARGET_ENCODED_SLASH},
        {"/a\\b", "/a\\b", "", FB_TARGET_BACKSLASH},
        {"/a%5cb", "/a\\b", "", FB_TARGET_BACKSLASH},
        {"/a;b", "/a;b", "", FB_TARGET_SEMICOLON},
        {"/a%3bb", "/a;b", "", FB_TARGET_SEMICOLON},
        {"/a%0a", "/a\n", "", FB_TARGET_CONTROL},
        {"/a%7f", "/a\x7f", "", FB_TARGET_CONTROL},
        {"/a%00", "/a", "", FB_TARGET_CONTROL},
        {"/a%c2%80", "/a\xc2\x80", "", FB_TARGET_CONTROL},
        {"/a%c2%a0", "/a\xc2\xa0", "", FB_TARGET_OK},
        {"/a%80", "/a\x80", "", FB_TARGET_NOT_UTF8},
        {"/a%c2", "/a\xc2", "", FB_TARGET_NOT_UTF8},
        {"/a%c2/%80", "/a\xc2/\x80", "", FB_TARGET_NOT_UTF8},
        {"//a", "/a", "", FB_TARGET_EMPTY_SEGMENT},
        {"//a", "//a", "", FB_TARGET_EMPTY_SEGMENT},
        {"/a//", "/a/", "", FB_TARGET_EMPTY_SEGMENT},
        {"/a/./b", "/a/b", "", FB_TARGET_DOT_SEGMENT},
        {"/a/%2e%2e/b", "/b", "", FB_TARGET_DOT_SEGMENT},
        {"/a/..", "/", "", FB_TARGET_DOT_SEGMENT},
        {"/%252e", "/%2e", "", FB_TARGET_TWICE_ENCODED},
        {"/%2541", "/%41", "", FB_TARGET_TWICE_ENCODED},
        {"/%25u0041", "/%u0041", "", FB_TARGET_TWICE_ENCODED},
        {"/a", "/b", "", FB_TARGET_OTHER_PATH},
        {"/a", "/a/", "", FB_TARGET_OTHER_PATH},
        {"/a", "", "", FB_TARGET_OTHER_PATH},
        {"/a?b", "/a", "c", FB_TARGET_OTHER_QUERY},
        {"/a?b", "/a", "", FB_TARGET_OTHER_QUERY},
        {"/a", "/a", "b", FB_TARGET_OTHER_QUERY},
        /* after a rewrite: the path alone */
        {"", "/a b", "", FB_TARGET_OK},
        {"", "/\xc3\xa9", "x", FB_TARGET_OK},
        {"", "/a//b", "", FB_TARGET_EMPTY_SEGMENT},
        {"", "/a/../b", "", FB_TARGET_DOT_SEGMENT},
        {"", "/a%41", "", FB_TARGET_TWICE_ENCODED},
        {"", "/a;b", "", FB_TARGET_SEMICOLON},
        {"", "/a", "b c", FB_TARGET_RAW_BYTE},
        {"", "a", "", FB_TARGET_FORM},
        {"", "", "", FB_TARGET_FORM},
    };
    static struct fb_target target;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum fb_target_fault fault = read_target(cases[i].raw, cases[i].path, cases[i].query, &target);
        if (fault != cases[i].fault)
            fail_msg("%s as %s: %s, expected: %s", cases[i].raw, cases[i].path, fb_target_fault_text(fault),
                     fb_target_fault_text(cases[i].fault));
    }
    assert_string_equal(fb_target_fault_text(FB_TARGET_FAULTS), "");
}

static void splits(void **state)
{
    (void)state;
    static struct fb_target target;
    static const char path[] = "/a/b c/";
    struct fb_http_request request = request_of("GET", path, "q");
    request.raw_target = FB_SPAN("/%61/b%20c/?q");
    assert_int_equal(fb_target_read(&request, &target), FB_TARGET_OK);
    assert_int_equal(target.count, 3);
    assert_span(target.segments[0], "a");
    assert_span(target.segments[1], "b c");
    assert_span(target.segments[2], "");
    assert_ptr_equal(target.segments[1].ptr, path + 3);
    assert_span(target.query, "q");
    assert_int_equal(read_target("/", "/", "", &target), FB_TARGET_OK);
    assert_int_equal(target.count, 1);
    assert_span(target.segments[0], "");
}

static void keeps_limits(void **state)
{
    (void)state;
    static struct fb_target target;
    static char text[FB_TARGET_MAX + 2];
    text[0] = '/';
    memset(text + 1, 'a', FB_TARGET_MAX - 1);
    assert_int_equal(read_target(text, text, "", &target), FB_TARGET_OK);
    assert_int_equal(read_target("", text, "", &target), FB_TARGET_OK);
    assert_int_equal(read_target("", text, "x", &target), FB_TARGET_LONG);
    text[FB_TARGET_MAX] = 'a';
    assert_int_equal(read_target(text, text, "", &target), FB_TARGET_LONG);
    assert_int_equal(read_target("", text, "", &target), FB_TARGET_LONG);
    memset(text, 0, sizeof text);
    for (unsigned i = 0; i < FB_SEGMENTS_MAX; i++)
        strcat(text, "/a");
    assert_int_equal(read_target(text, text, "", &target), FB_TARGET_OK);
    assert_int_equal(target.count, FB_SEGMENTS_MAX);
    strcat(text, "/");
    assert_int_equal(read_target(text, text, "", &target), FB_TARGET_DEEP);
}

/* A target in plain bytes takes a shorter way than one with an encoding in it: with one of its bytes
 * encoded it must be judged and split alike. */
static void short_and_long_way_agree(void **state)
{
    (void)state;
    static const char alphabet[] = "aab.-~/////.;\\#? \x7f\"";
    uint32_t random = 7;
    unsigned good = 0, faulty = 0;
    for (unsigned round = 0; round < 40000; round++) {
        char path[16] = "/", encoded[24] = "/";
        size_t len = 1, at = 0, to = 1;
        for (size_t n = round % 12; n > 0; n--) {
            random = random * 1664525 + 1013904223;
            path[len++] = alphabet[(random >> 16) % (sizeof alphabet - 1)];
        }
        for (size_t i = 1; i < len; i++) {
            if (at == 0 && path[i] == 'a') {
                at = i;
                memcpy(encoded + to, "%61", 3);
                to += 3;
            } else {
                encoded[to++] = path[i];
            }
        }
        if (at == 0 || memchr(path, '?', len) != NULL)
            continue;
        struct fb_target plain, longer;
        enum fb_target_fault fault = read_target(path, path, "", &plain);
        assert_int_equal(read_target(encoded, path, "", &longer), fault);
        good += fault == FB_TARGET_OK;
        faulty += fault != FB_TARGET_OK;
        if (fault != FB_TARGET_OK)
            continue;
        assert_int_equal(plain.count, longer.count);
        for (size_t i = 0; i < plain.count; i++)
            assert_true(fb_span_eq(plain.segments[i], longer.segments[i]));
    }
    assert_true(good > 500 && faulty > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_faults),
        cmocka_unit_test(splits),
        cmocka_unit_test(keeps_limits),
        cmocka_unit_test(short_and_long_way_agree),
    };
    return cmocka_run_group_tests_name("request/target", tests, NULL, NULL);
}
