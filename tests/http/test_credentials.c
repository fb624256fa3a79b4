/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* FB_SPAN is no constant expression under -Wpedantic, and this table is static. */
#define S(text) {sizeof(text) - 1, (text)}

static const struct {
    struct fb_span value;
    enum fb_http_credentials_kind kind;
    const char *scheme, *rest;
} table[] = {
    {S("Bearer mF_9.B5f-4.1JqM"), FB_CREDENTIALS_BEARER, "Bearer", "mF_9.B5f-4.1JqM"}, /* RFC 6750 2.1 */
    {S("bearer x"), FB_CREDENTIALS_BEARER, "bearer", "x"},
    {S("BEARER   x  "), FB_CREDENTIALS_BEARER, "BEARER", "x"},
    {S("Bearer a~+/=="), FB_CREDENTIALS_BEARER, "Bearer", "a~+/=="},
    {S("Bearer"), FB_CREDENTIALS_MALFORMED, "Bearer", ""},
    {S("Bearer "), FB_CREDENTIALS_MALFORMED, "Bearer", ""},
    {S("Bearer =="), FB_CREDENTIALS_MALFORMED, "Bearer", NULL},
    {S("Bearer a=b"), FB_CREDENTIALS_MALFORMED, "Bearer", NULL},
    {S("Bearer a b"), FB_CREDENTIALS_MALFORMED, "Bearer", NULL},
    {S("Bearer a, Bearer b"), FB_CREDENTIALS_MALFORMED, "Bearer", NULL},
    {S("Bearer \"a\""), FB_CREDENTIALS_MALFORMED, "Bearer", NULL},
    {S("Bearer\ta"), FB_CREDENTIALS_MALFORMED, "Bearer", NULL},
    {S("Bearer a\0b"), FB_CREDENTIALS_MALFORMED, "Bearer", NULL},
    {S("Bearer caf\xc3\xa9"), FB_CREDENTIALS_MALFORMED, "Bearer", NULL},
    {S("Bearer:a"), FB_CREDENTIALS_MALFORMED, "Bearer", NULL},
    {S("Bearera"), FB_CREDENTIALS_OTHER, "Bearera", ""},
    {S(""), FB_CREDENTIALS_MALFORMED, "", ""},
    {S("   "), FB_CREDENTIALS_MALFORMED, "", ""},
    {S("=a"), FB_CREDENTIALS_MALFORMED, "", NULL},
    {S("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), FB_CREDENTIALS_OTHER, "Basic", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
    {S("Negotiate"), FB_CREDENTIALS_OTHER, "Negotiate", ""},
    {S("DPoP abc"), FB_CREDENTIALS_OTHER, "DPoP", "abc"},
    {S("AWS4-HMAC-SHA256 Credential=A/2013/us/s3, SignedHeaders=host;range"), FB_CREDENTIALS_OTHER,
     "AWS4-HMAC-SHA256", "Credential=A/2013/us/s3, SignedHeaders=host;range"},
    {S("Basic a\rb"), FB_CREDENTIALS_MALFORMED, "Basic", NULL},
};

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fb_http_credentials out;
        enum fb_http_credentials_kind kind = fb_http_read_credentials(table[i].value, &out);
        if (kind != table[i].kind) {
            fail_msg("%s: kind %d", table[i].value.ptr, (int)kind);
        }
        assert_true(fb_span_is(out.scheme, table[i].scheme));
        if (table[i].rest != NULL) {
            assert_true(fb_span_is(out.rest, table[i].rest));
        }
    }
}

/* Every byte at every place of a block and of the rest behind it, against the RFC's list. */
static void b64token_takes_its_bytes_only(void **state)
{
    (void)state;
    const char *good = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
    char text[70];
    for (size_t len = 1; len <= sizeof text; len += 23) {
        for (size_t at = 0; at < len; at++) {
            for (int c = 0; c < 256; c++) {
                memset(text, 'a', len);
                text[at] = (char)c;
                bool fits = (c != 0 && strchr(good, c) != NULL) || (c == '=' && at == len - 1 && len > 1);
                assert_int_equal(fb_http_is_b64token(fb_span(text, len)), fits);
            }
        }
    }
    assert_false(fb_http_is_b64token(FB_SPAN("")));
}

static void length_is_limited(void **state)
{
    (void)state;
    static char text[FB_HTTP_FIELD_MAX + 1];
    memset(text, 'a', sizeof text);
    memcpy(text, "Bearer ", 7);
    struct fb_http_credentials out;
    assert_int_equal(fb_http_read_credentials(fb_span(text, sizeof text), &out), FB_CREDENTIALS_MALFORMED);
    assert_int_equal(fb_http_read_credentials(fb_span(text, sizeof text - 1), &out), FB_CREDENTIALS_BEARER);
}

/* A list as `name=value` lines, quoted ones in brackets; "!" where it is malformed. */
static const char *const lists[][2] = {
    {"", ""},
    {" , ,", ""},
    {"a=b", "a=b\n"},
    {"a = b , c=\"d e\"", "a=b\nc=[d e]\n"},
    {",a=b,,c=d,", "a=b\nc=d\n"},
    {"a=\"\"", "a=[]\n"},
    {"a=\"x\\\"y,z\"", "a=[x\\\"y,z]\n"},
    {"realm=\"foo\", charset=\"UTF-8\"", "realm=[foo]\ncharset=[UTF-8]\n"},
    {"a", "!"},
    {"a=", "!"},
    {"=b", "!"},
    {"a=b c=d", "!"},
    {"a=\"b", "!"},
    {"a=\"b\\", "!"},
    {"a=\"b\"c", "!"},
    {"a=b/c", "!"},
    {"a=b, ;", "a=b\n!"},
    {"a=\"\x01\"", "!"},
    {"a=\"\\\x01\"", "!"},
};

static void params(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct fb_buffer out;
        fb_buffer_init(&out, &fb_heap, 4096);
        struct fb_span list = fb_span_z(lists[i][0]);
        struct fb_http_param param;
        bool quoted;
        enum fb_http_next next;
        while ((next = fb_http_next_param(&list, &param, &quoted)) == FB_HTTP_PARAM) {
            fb_buffer_add_format(&out, quoted ? "%.*s=[%.*s]\n" : "%.*s=%.*s\n", (int)param.name.len, param.name.ptr,
                                 (int)param.value.len, param.value.ptr);
        }
        fb_buffer_add_z(&out, next == FB_HTTP_MALFORMED ? "!" : "");
        assert_true(fb_span_is(fb_buffer_span(&out), lists[i][1]) ||
                    (print_message("%s\n", lists[i][0]), false));
        fb_buffer_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads), cmocka_unit_test(b64token_takes_its_bytes_only),
        cmocka_unit_test(length_is_limited), cmocka_unit_test(params),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
