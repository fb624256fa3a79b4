/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void tokens(void **state)
{
    (void)state;
    const char *good = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        assert_int_equal(fb_http_is_token(fb_span(&byte, 1)), c != 0 && strchr(good, c) != NULL);
    }
    assert_false(fb_http_is_token(FB_SPAN("")));
    assert_false(fb_http_is_token(FB_SPAN("a b")));
    assert_false(fb_http_is_token(FB_SPAN("a\0")));
}

static void names_and_methods(void **state)
{
    (void)state;
    char text[FB_HTTP_NAME_MAX + 1];
    memset(text, 'x', sizeof text);
    assert_true(fb_http_is_field_name(fb_span(text, FB_HTTP_NAME_MAX)));
    assert_false(fb_http_is_field_name(fb_span(text, FB_HTTP_NAME_MAX + 1)));
    assert_false(fb_http_is_field_name(FB_SPAN("X-A:")));
    assert_true(fb_http_is_method(FB_SPAN("DELETE")));
    assert_true(fb_http_is_method(FB_SPAN("M-SEARCH")));
    assert_true(fb_http_is_method(fb_span(text, FB_HTTP_METHOD_MAX)));
    assert_false(fb_http_is_method(fb_span(text, FB_HTTP_METHOD_MAX + 1)));
    assert_false(fb_http_is_method(FB_SPAN("")));
    assert_false(fb_http_is_method(FB_SPAN("GET /")));
}

static void values(void **state)
{
    (void)state;
    assert_true(fb_http_is_field_value(FB_SPAN("")));
    assert_true(fb_http_is_field_value(FB_SPAN("a\tb c")));
    assert_true(fb_http_is_field_value(FB_SPAN("caf\xc3\xa9")));
    const struct fb_span bad[] = {FB_SPAN(" a"), FB_SPAN("a "), FB_SPAN("\ta"), FB_SPAN("a\rb"), FB_SPAN("a\nb"),
                                  FB_SPAN("a\0b"), FB_SPAN("a\x7f" "b"), FB_SPAN("a\x1b[0m")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(fb_http_is_field_value(bad[i]));
    }
}

static void media(void **state)
{
    (void)state;
    struct fb_span json = FB_SPAN("application/json");
    assert_true(fb_http_media_is(FB_SPAN("application/json"), json));
    assert_true(fb_http_media_is(FB_SPAN("Application/JSON ; charset=utf-8"), json));
    assert_true(fb_http_media_is(FB_SPAN(" application/json;"), json));
    assert_false(fb_http_media_is(FB_SPAN("application/jsonp"), json));
    assert_false(fb_http_media_is(FB_SPAN("application/json text"), json));
    assert_false(fb_http_media_is(FB_SPAN(""), json));
    assert_false(fb_http_media_is(FB_SPAN("text/plain; a=application/json"), json));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens), cmocka_unit_test(names_and_methods), cmocka_unit_test(values),
        cmocka_unit_test(media),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
