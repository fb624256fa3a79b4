/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate read, and dates.  Each row says what comes out as one line of text. */
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct {
    const char *value, *read;
} rows[] = {
    {"Bearer", "Bearer()"},
    {"Bearer realm=\"a\"", "Bearer(realm=a)"},
    {"Bearer realm=a", "Bearer(realm=a bare)"},
    {"bearer realm = \"a\" , error=\"x\"", "bearer(realm=a error=x)"},
    {"Basic realm=\"simple\", Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\"",
     "Basic(realm=simple) Newauth(realm=apps type=1 title=Login to \\\"apps\\\" bare)"},
    {"Bearer, DPoP algs=\"ES256\"", "Bearer() DPoP(algs=ES256)"},
    {"Negotiate", "Negotiate()"},
    {"Negotiate oRQwEqADCgEBoQsG==", "Negotiate(68:oRQwEqADCgEBoQsG==)"},
    {"NTLM TlRMTVNTUAACAAAA=, Basic realm=\"x\"", "NTLM(68:TlRMTVNTUAACAAAA=) Basic(realm=x)"},
    {"Negotiate, NTLM", "Negotiate() NTLM()"},
    {", ,Bearer a=\"b\",,c=\"d\",", "Bearer(a=b c=d)"},
    {"Bearer a=\"x, Basic y=\\\"z\\\"\"", "Bearer(a=x, Basic y=\\\"z\\\")"},
    {"Bearer a=\"b\" c=\"d\"", "Bearer(a=b c=d unparted)"},
    {"Bearer a=\"1\", A=\"2\"", "Bearer(a=1 A=2 repeated)"},
    {"", ""},
    {"Bearer realm=\"a", "malformed"},
    {"Bearer error=\"x\", error_description=The token", "Bearer(error=x unparted malformed)"},
    {"\"Bearer\"", "malformed"},
    {"Bearer/x", "malformed"},
    {"Bearer realm=\"a\"junk", "malformed"},
};

static void show(struct fb_buffer *out, const struct fb_http_challenge *c, bool malformed)
{
    fb_buffer_add(out, c->scheme);
    fb_buffer_add_char(out, '(');
    size_t before = out->len;
    if (c->token68.len != 0)
        fb_buffer_add_format(out, "68:%.*s", (int)c->token68.len, c->token68.ptr);
    for (size_t i = 0; i < c->count; i++)
        fb_buffer_add_format(out, "%s%.*s=%.*s", i != 0 ? " " : "", (int)c->params[i].name.len, c->params[i].name.ptr,
                             (int)c->params[i].value.len, c->params[i].value.ptr);
    const char *marks[] = {c->bare ? "bare" : "", c->repeated ? "repeated" : "", c->unparted ? "unparted" : "",
                           malformed ? "malformed" : ""};
    for (size_t i = 0; i < 4; i++)
        if (marks[i][0] != '\0')
            fb_buffer_add_format(out, "%s%s", out->len != before ? " " : "", marks[i]);
    fb_buffer_add_char(out, ')');
}

static void test_challenges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_span value = fb_span_z(rows[i].value);
        struct fb_http_challenge c;
        struct fb_buffer out;
        fb_buffer_init(&out, &fb_heap, 4096);
        fb_buffer_add_z(&out, "");
        enum fb_http_next next;
        while ((next = fb_http_next_challenge(&value, &c)) == FB_HTTP_PARAM) {
            fb_buffer_add_z(&out, out.len != 0 ? " " : "");
            show(&out, &c, false);
        }
        if (next == FB_HTTP_MALFORMED && c.count == 0)
            fb_buffer_add_z(&out, "malformed");
        else if (next == FB_HTTP_MALFORMED)
            show(&out, &c, true);
        const char *got = out.len != 0 ? out.ptr : "";
        /* What is malformed may show more of its first parameter or less; that it is malformed is the point. */
        if (strcmp(got, rows[i].read) != 0 && !(strcmp(rows[i].read, "malformed") == 0 && strstr(got, "malformed") != NULL))
            fail_msg("%s: %s, not %s", rows[i].value, got, rows[i].read);
        fb_buffer_release(&out);
    }
}

static void test_challenge_param(void **state)
{
    struct fb_span value = FB_SPAN("Bearer Realm=\"x\"");
    struct fb_http_challenge c;
    (void)state;
    assert_int_equal(fb_http_next_challenge(&value, &c), FB_HTTP_PARAM);
    assert_true(fb_span_is(fb_http_challenge_param(&c, "realm"), "x"));
    assert_int_equal(fb_http_challenge_param(&c, "scope").len, 0);
}

static const struct {
    const char *text;
    int64_t seconds;    /* -1: no date */
} dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},   /* RFC 9110 section 5.6.7 */
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
    {"Fri, 01 Mar 2024 00:00:00 GMT", 1709251200},
    {"Wed, 31 Dec 2098 12:00:00 GMT", 4070865600},
    {"Sunday, 06-Nov-74 08:49:37 GMT", 3308719777},     /* not over 50 years ahead of 2026 */
    {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
    {"Sun, 06 Nov 1994 24:49:37 GMT", -1},
    {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nov 1994", -1},
    {"06 Nov 1994 08:49:37 GMT", -1},
    {"1994-11-06T08:49:37Z", -1},
    {"Su", -1},
    {"", -1},
};

static void test_dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        int64_t seconds = -1;
        if (!fb_http_read_date(fb_span_z(dates[i].text), 1795000000, &seconds))
            seconds = -1;
        if (seconds != dates[i].seconds)
            fail_msg("%s: %lld", dates[i].text, (long long)seconds);
    }
}

static void test_retry_after(void **state)
{
    int64_t seconds;
    (void)state;
    assert_true(fb_http_read_retry_after(FB_SPAN(" 120 "), 0, &seconds) && seconds == 120);
    assert_true(fb_http_read_retry_after(FB_SPAN("Sun, 06 Nov 1994 08:49:37 GMT"), 784111770, &seconds) && seconds == 7);
    assert_true(fb_http_read_retry_after(FB_SPAN("Sun, 06 Nov 1994 08:49:37 GMT"), 784111780, &seconds) && seconds == 0);
    assert_false(fb_http_read_retry_after(FB_SPAN("-1"), 0, &seconds));
    assert_false(fb_http_read_retry_after(FB_SPAN("1.5"), 0, &seconds));
    assert_false(fb_http_read_retry_after(FB_SPAN("99999999999"), 0, &seconds));
    assert_false(fb_http_read_retry_after(FB_SPAN("soon"), 0, &seconds));
    assert_false(fb_http_read_retry_after(FB_SPAN(""), 0, &seconds));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_challenges), cmocka_unit_test(test_challenge_param),
                                       cmocka_unit_test(test_dates), cmocka_unit_test(test_retry_after)};
    return cmocka_run_group_tests_name("challenges", tests, NULL, NULL);
}
