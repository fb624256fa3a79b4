/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* FB_SPAN is no constant expression under -Wpedantic, and these tables are static. */
#define P(n, v) {{sizeof(n) - 1, (n)}, {sizeof(v) - 1, (v)}}

/* text NULL: refused. */
static const struct {
    const char *scheme, *text;
    struct fb_http_param params[4];
} table[] = {
    {"Bearer", "Bearer", {{{0, NULL}, {0, NULL}}}},
    {"Bearer", "Bearer realm=\"api\"", {P("realm", "api")}},
    {"Bearer", "Bearer realm=\"\"", {P("realm", "")}},
    {"Bearer", "Bearer realm=\"a \\\"b\\\\c\"", {P("realm", "a \"b\\c")}},
    {"Bearer", "Bearer realm=\"x\", error=\"invalid_token\", error_description=\"The token expired\"",
     {P("realm", "x"), P("error", "invalid_token"), P("error_description", "The token expired")}},
    {"Bearer", "Bearer error=\"insufficient_scope\", scope=\"users:read users:write\"",
     {P("error", "insufficient_scope"), P("scope", "users:read users:write")}},
    /* RFC 9470 section 3, with its values quoted. */
    {"Bearer", "Bearer error=\"insufficient_user_authentication\", error_description=\"A different authentication"
               " level is required\", acr_values=\"myACR\", max_age=\"5\"",
     {P("error", "insufficient_user_authentication"),
      P("error_description", "A different authentication level is required"), P("acr_values", "myACR"),
      P("max_age", "5")}},
    {"Bearer", "Bearer resource_metadata=\"https://r.example/.well-known/oauth-protected-resource\"",
     {P("resource_metadata", "https://r.example/.well-known/oauth-protected-resource")}},
    {"Basic", "Basic realm=\"a, b=c\"", {P("realm", "a, b=c")}},
    /* What would not be read back. */
    {"", NULL, {P("realm", "api")}},
    {"Bea rer", NULL, {P("realm", "api")}},
    {"Bearer\r\nX: y", NULL, {P("realm", "api")}},
    {"Bearer", NULL, {P("realm", "a\r\nSet-Cookie: b")}},
    {"Bearer", NULL, {P("realm", "a\nb")}},
    {"Bearer", NULL, {P("realm", "a\0b")}},
    {"Bearer", NULL, {P("realm", "a\tb")}},
    {"Bearer", NULL, {P("realm", "a\x7f")}},
    {"Bearer", NULL, {P("realm", "caf\xc3\xa9")}},
    {"Bearer", NULL, {P("realm", "a"), P("realm", "b")}},
    {"Bearer", NULL, {P("realm", "a"), P("REALM", "b")}},
    {"Bearer", NULL, {P("re alm", "a")}},
    {"Bearer", NULL, {P("realm=", "a")}},
    {"Bearer", NULL, {P("error_description", "a \"quoted\" word")}},
    {"Bearer", NULL, {P("error_description", "back\\slash")}},
    {"Bearer", NULL, {P("error_description", "")}},
    {"Bearer", NULL, {P("Error_Description", "a\"")}},
    {"Bearer", NULL, {P("error", "a\"b")}},
    {"Bearer", NULL, {P("scope", "")}},
    {"Bearer", NULL, {P("scope", " a")}},
    {"Bearer", NULL, {P("scope", "a ")}},
    {"Bearer", NULL, {P("scope", "a  b")}},
    {"Bearer", NULL, {P("scope", "a\"b")}},
    {"Bearer", NULL, {P("acr_values", "a\\b")}},
    {"Bearer", NULL, {P("max_age", "")}},
    {"Bearer", NULL, {P("max_age", "-1")}},
    {"Bearer", NULL, {P("max_age", "5s")}},
    {"Bearer", NULL, {P("error_uri", "not a uri")}},
    {"Bearer", NULL, {P("resource_metadata", "/relative")}},
};

static size_t params_of(const struct fb_http_param *params)
{
    size_t n = 0;
    while (n < 4 && params[n].name.len != 0) {
        n++;
    }
    return n;
}

static void writes_or_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fb_buffer out;
        fb_buffer_init(&out, &fb_heap, 4096);
        fb_buffer_add_z(&out, "kept ");
        bool written = fb_http_write_challenge(&out, fb_span_z(table[i].scheme), table[i].params,
                                               params_of(table[i].params));
        if (written != (table[i].text != NULL)) {
            fail_msg("%zu: %s: %s", i, table[i].scheme, written ? out.ptr : "refused");
        }
        assert_true(fb_span_starts(fb_buffer_span(&out), FB_SPAN("kept ")));
        assert_string_equal(out.ptr + 5, written ? table[i].text : "");
        fb_buffer_release(&out);
    }
}

/* What is written is read back by our own reader as the same names and values. */
static void reads_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0] && table[i].text != NULL; i++) {
        struct fb_http_credentials challenge;
        struct fb_span text = fb_span_z(table[i].text);
        if (text.len > strlen(table[i].scheme)) {
            fb_http_read_credentials(text, &challenge);
            size_t count = 0;
            struct fb_http_param param;
            bool quoted;
            while (fb_http_next_param(&challenge.rest, &param, &quoted) == FB_HTTP_PARAM) {
                assert_true(quoted);
                assert_true(fb_span_eq(param.name, table[i].params[count].name));
                count++;
            }
            assert_int_equal(count, params_of(table[i].params));
            assert_int_equal(challenge.rest.len, 0);
        }
    }
}

static void too_many_params(void **state)
{
    (void)state;
    struct fb_http_param params[FB_HTTP_PARAMS_MAX + 1];
    static char names[FB_HTTP_PARAMS_MAX + 1][2];
    for (int i = 0; i <= FB_HTTP_PARAMS_MAX; i++) {
        names[i][0] = (char)('a' + i);
        params[i] = (struct fb_http_param){fb_span(names[i], 1), FB_SPAN("v")};
    }
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, 4096);
    assert_false(fb_http_write_challenge(&out, FB_SPAN("Bearer"), params, FB_HTTP_PARAMS_MAX + 1));
    assert_true(fb_http_write_challenge(&out, FB_SPAN("Bearer"), params, FB_HTTP_PARAMS_MAX));
    fb_buffer_release(&out);
}

static void a_full_buffer_is_left_alone(void **state)
{
    (void)state;
    const struct fb_http_param realm = P("realm", "0123456789");
    for (size_t ceiling = 1; ceiling < 64; ceiling++) {
        struct fb_buffer out;
        fb_buffer_init(&out, &fb_heap, ceiling);
        bool written = fb_http_write_challenge(&out, FB_SPAN("Bearer"), &realm, 1);
        assert_int_equal(out.len, written ? strlen("Bearer realm=\"0123456789\"") : 0);
        fb_buffer_release(&out);
    }
}

static void scope_tokens(void **state)
{
    (void)state;
    assert_true(fb_http_is_scope_token(FB_SPAN("users:read")));
    assert_true(fb_http_is_scope_token(FB_SPAN("https://www.example/auth/x?y#!")));
    assert_false(fb_http_is_scope_token(FB_SPAN("")));
    assert_false(fb_http_is_scope_token(FB_SPAN("a b")));
    assert_false(fb_http_is_scope_token(FB_SPAN("a\"")));
    assert_false(fb_http_is_scope_token(FB_SPAN("\xc3\xa9")));
    assert_true(fb_http_is_error_text(FB_SPAN("a b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_or_refuses), cmocka_unit_test(reads_back), cmocka_unit_test(too_many_params),
        cmocka_unit_test(a_full_buffer_is_left_alone), cmocka_unit_test(scope_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
