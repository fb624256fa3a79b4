/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static enum fb_http_media one(const char *accept)
{
    struct fb_span line = fb_span_z(accept);
    return fb_http_negotiate(&line, 1);
}

static const struct {
    const char *accept;
    enum fb_http_media media;
} table[] = {
    /* Nothing said, or nothing that names one of ours. */
    {"", FB_MEDIA_JSON},
    {"*/*", FB_MEDIA_JSON},
    {"application/*", FB_MEDIA_JSON},
    {"image/png", FB_MEDIA_JSON},
    {"application/json", FB_MEDIA_JSON},
    {"application/json;q=0", FB_MEDIA_JSON},
    {"*/*;q=0", FB_MEDIA_JSON},
    {"application/xhtml+xml", FB_MEDIA_JSON},
    /* curl, axios, fetch, browsers. */
    {"application/json, text/plain, */*", FB_MEDIA_JSON},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", FB_MEDIA_HTML},
    {"text/html, application/xhtml+xml, */*", FB_MEDIA_HTML},
    {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", FB_MEDIA_HTML},
    {"application/grpc", FB_MEDIA_JSON},
    /* Problem details. */
    {"application/problem+json", FB_MEDIA_PROBLEM_JSON},
    {"application/problem+json, application/json", FB_MEDIA_JSON},
    {"application/problem+json, application/json;q=0.9", FB_MEDIA_PROBLEM_JSON},
    {"application/json;q=0.9, application/problem+json", FB_MEDIA_PROBLEM_JSON},
    {"application/problem+json;q=0.5, application/json;q=0.6", FB_MEDIA_JSON},
    {"application/problem+json, */*", FB_MEDIA_PROBLEM_JSON},
    {"application/problem+json;q=0.1, */*", FB_MEDIA_JSON},
    {"application/problem+json;q=0.2, application/*;q=0.1", FB_MEDIA_PROBLEM_JSON},
    {"application/json;q=0, application/*", FB_MEDIA_PROBLEM_JSON},
    /* HTML only when named. */
    {"text/*", FB_MEDIA_TEXT},
    {"text/html", FB_MEDIA_HTML},
    {"TEXT/HTML", FB_MEDIA_HTML},
    {"text/html;level=1", FB_MEDIA_HTML},
    {"text/html;q=0", FB_MEDIA_JSON},
    {"text/html;q=0, text/*", FB_MEDIA_TEXT},
    {"text/html, application/json", FB_MEDIA_JSON},
    {"text/html, application/json;q=0.999", FB_MEDIA_HTML},
    {"text/html;q=0.001", FB_MEDIA_HTML},
    /* Plain text. */
    {"text/plain", FB_MEDIA_TEXT},
    {"text/plain, text/html;q=0.9", FB_MEDIA_TEXT},
    {"text/plain;q=0.5, */*;q=0.5", FB_MEDIA_TEXT},
    /* The closer range decides, wherever it stands. */
    {"application/json;q=0.1, */*;q=0.9, text/plain;q=0.5", FB_MEDIA_PROBLEM_JSON},
    {"*/*;q=0.9, application/json;q=0.1, application/problem+json;q=0.1, text/plain;q=0.5", FB_MEDIA_TEXT},
    {"text/plain;q=0.2, text/plain;q=0.9, application/json;q=0.5", FB_MEDIA_TEXT},
    /* Forms of the grammar. */
    {"  text/plain  ", FB_MEDIA_TEXT},
    {",, ,text/plain,,", FB_MEDIA_TEXT},
    {"text/plain ; q=1.000", FB_MEDIA_TEXT},
    {"text/plain;Q=0, application/json;q=0.1", FB_MEDIA_JSON},
    {"text/plain;q=0.", FB_MEDIA_JSON},
    {"text/plain;charset=\"a,b;q=0\";q=1", FB_MEDIA_TEXT},
    {"text/plain;a=\"\\\"\";q=0, application/problem+json;q=0.3", FB_MEDIA_PROBLEM_JSON},
    {"text/plain;;", FB_MEDIA_TEXT},
    {"application/json;profile=\"https://e/x\";q=0.2, text/plain;q=0.1", FB_MEDIA_JSON},
    /* Malformed elements are passed over, the rest is heard. */
    {"text/html;q=2", FB_MEDIA_JSON},
    {"text/html;q=1.001", FB_MEDIA_JSON},
    {"text/html;q=0.1234", FB_MEDIA_JSON},
    {"text/html;q=-1", FB_MEDIA_JSON},
    {"text/html;q=", FB_MEDIA_JSON},
    {"text/html;q", FB_MEDIA_JSON},
    {"text/html;q=x, text/plain", FB_MEDIA_TEXT},
    {"text", FB_MEDIA_JSON},
    {"text/", FB_MEDIA_JSON},
    {"/html", FB_MEDIA_JSON},
    {"*/html", FB_MEDIA_JSON},
    {"text/html text/plain", FB_MEDIA_JSON},
    {"text/html;a=\"open, text/plain", FB_MEDIA_TEXT},
    {"<script>, text/plain", FB_MEDIA_TEXT},
};

static void negotiates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (one(table[i].accept) != table[i].media) {
            fail_msg("%s: got %s", table[i].accept, fb_http_media_name(one(table[i].accept), false).ptr);
        }
    }
}

static void several_fields_are_one_list(void **state)
{
    (void)state;
    struct fb_span lines[] = {FB_SPAN("application/json;q=0.5"), FB_SPAN("text/html"), FB_SPAN("*/*")};
    assert_int_equal(fb_http_negotiate(lines, 3), FB_MEDIA_HTML);
    assert_int_equal(fb_http_negotiate(lines, 1), FB_MEDIA_JSON);
    assert_int_equal(fb_http_negotiate(NULL, 0), FB_MEDIA_JSON);
}

static void elements_are_limited(void **state)
{
    (void)state;
    char many[1024] = "";
    for (int i = 0; i < 64; i++) {
        strcat(many, "a/b,");
    }
    strcat(many, "text/html");
    assert_int_equal(one(many), FB_MEDIA_JSON);
    assert_int_equal(one(many + 4), FB_MEDIA_HTML);
}

static void names(void **state)
{
    (void)state;
    for (int i = FB_MEDIA_JSON; i <= FB_MEDIA_HTML; i++) {
        struct fb_span name = fb_http_media_name((enum fb_http_media)i, false);
        assert_int_equal(name.len, strlen(name.ptr));
        struct fb_span type = fb_http_media_name((enum fb_http_media)i, true);
        assert_int_equal(type.len, strlen(type.ptr));
        assert_true(fb_http_media_is(type, name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(negotiates), cmocka_unit_test(several_fields_are_one_list),
        cmocka_unit_test(elements_are_limited), cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
