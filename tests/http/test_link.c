/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* FB_SPAN is no constant expression under -Wpedantic, and this table is static. */
#define S(text) {sizeof(text) - 1, (text)}

static const struct {
    struct fb_span text;
    bool is_uri;
} uris[] = {
    {S("https://example.org/legal?a=b&c#d"), true},
    {S("https://spqr.example.org/legislatione"), true},   /* RFC 7725 section 3 */
    {S("http://[2001:db8::1]:8403/x"), true},
    {S("mailto:legal@example.org"), true},
    {S("urn:ietf:rfc:7725"), true},
    {S("a+b-c.1:x"), true},
    {S("https://e/%C3%A9"), true},
    {S(""), false},
    {S("/path"), false},
    {S("https"), false},
    {S("https:"), false},
    {S("1a:b"), false},
    {S(":b"), false},
    {S("https://e/a b"), false},
    {S("https://e/a>b"), false},
    {S("https://e/<"), false},
    {S("https://e/\""), false},
    {S("https://e/\\"), false},
    {S("https://e/%"), false},
    {S("https://e/%4"), false},
    {S("https://e/%4g"), false},
    {S("https://e/\xc3\xa9"), false},
    {S("https://e/\r\nX: y"), false},
    {S("https://e/\0"), false},
    {S("https://e/{id}"), false},
};

static void uri_characters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        if (fb_http_is_uri(uris[i].text) != uris[i].is_uri) {
            fail_msg("%s", uris[i].text.ptr);
        }
    }
    static char text[FB_HTTP_URI_MAX + 1];
    memset(text, 'a', sizeof text);
    memcpy(text, "urn:", 4);
    assert_true(fb_http_is_uri(fb_span(text, FB_HTTP_URI_MAX)));
    assert_false(fb_http_is_uri(fb_span(text, FB_HTTP_URI_MAX + 1)));
}

static void writes(void **state)
{
    (void)state;
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, 4096);
    assert_true(fb_http_write_link(&out, FB_SPAN("https://e/legal"), FB_SPAN("blocked-by")));
    assert_string_equal(out.ptr, "<https://e/legal>; rel=\"blocked-by\"");
    fb_buffer_clear(&out);
    assert_true(fb_http_write_link(&out, FB_SPAN("https://e/h"), FB_SPAN("help https://e/rel")));
    assert_string_equal(out.ptr, "<https://e/h>; rel=\"help https://e/rel\"");
    fb_buffer_clear(&out);
    const struct fb_span bad[] = {FB_SPAN(""), FB_SPAN("Help"), FB_SPAN("a  b"), FB_SPAN("a\""), FB_SPAN("-a"),
                                  FB_SPAN(" a"), FB_SPAN("a "), FB_SPAN("a:"), FB_SPAN("a\r\n")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(fb_http_write_link(&out, FB_SPAN("https://e/"), bad[i]));
    }
    assert_false(fb_http_write_link(&out, FB_SPAN("https://e/>; rel=x"), FB_SPAN("help")));
    assert_int_equal(out.len, 0);
    fb_buffer_release(&out);
    fb_buffer_init(&out, &fb_heap, 20);
    assert_false(fb_http_write_link(&out, FB_SPAN("https://e/legal"), FB_SPAN("blocked-by")));
    assert_int_equal(out.len, 0);
    fb_buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(uri_characters), cmocka_unit_test(writes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
