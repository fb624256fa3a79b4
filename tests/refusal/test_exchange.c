/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange, recorded by curl in each of its forms, comes out as the same; HAR; what is none. */
#include "refusal/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static struct fb_arena arena;

static bool read_text(struct fb_span text, struct fb_exchanges *exchanges, struct fb_diags *diags)
{
    struct fb_source *source = fb_arena_alloc(&arena, sizeof *source);
    *source = (struct fb_source){FB_SPAN("recorded"), fb_arena_copy(&arena, text)};
    fb_diags_init(diags, &arena);
    fb_exchanges_init(exchanges, &arena);
    return fb_exchanges_read(exchanges, source, diags);
}

static void read_file(const char *name, struct fb_exchanges *exchanges)
{
    struct fb_buffer file;
    struct fb_diags diags;
    char path[512];
    snprintf(path, sizeof path, "%s/refusal/exchange/%s", getenv("FB_TESTS"), name);
    fb_buffer_init(&file, &fb_heap, (size_t)1 << 20);
    assert_int_equal(fb_buffer_read_file(&file, path), 0);
    if (!read_text(fb_buffer_span(&file), exchanges, &diags))
        fail_msg("%s is not read", name);
    fb_buffer_release(&file);
}

static void test_forms_of_curl(void **state)
{
    static const struct {
        const char *file;
        bool request, exact;
        size_t count;
    } forms[] = {{"verbose-piped.txt", true, true, 1}, {"verbose-terminal.txt", true, true, 1}, {"trace-ascii.txt", true, false, 1},
                 {"trace.txt", true, true, 1}, {"message.txt", false, true, 1}, {"verbose-two.txt", true, true, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct fb_exchanges exchanges;
        read_file(forms[i].file, &exchanges);
        print_message("# %s\n", forms[i].file);
        assert_int_equal(exchanges.count, forms[i].count);
        const struct fb_exchange *one = &exchanges.list[exchanges.count - 1];
        assert_int_equal(one->status, 403);
        assert_true(fb_span_is(one->phrase, "Forbidden"));
        assert_int_equal(one->request_known, forms[i].request);
        assert_int_equal(one->body_altered, false);
        assert_true(fb_span_starts(fb_response_field(one, "www-authenticate"), FB_SPAN("Bearer realm=\"api\", error=\"insufficient")));
        assert_int_equal(fb_response_field(one, "www-authenticate").len, 155);
        assert_true(fb_span_is(fb_span_from(fb_response_field(one, "www-authenticate"), 134), "token\", scope=\"write\""));
        assert_int_equal(one->response_count, 6);
        if (exchanges.count == 1 || forms[i].exact)
            assert_true(fb_span_starts(one->body, FB_SPAN("{\"error\":\"insufficient_scope\"}")));
        if (!forms[i].request)
            continue;
        assert_true(fb_span_is(exchanges.list[0].method, "GET"));
        assert_true(fb_span_is(exchanges.list[0].url, "http://127.0.0.1:18499/api/users?page=2"));
        assert_true(fb_span_is(fb_request_field(one, "Authorization"), "Bearer abc"));
        assert_int_equal(fb_exchange_presented(one), FB_PRESENTED_BEARER);
    }
    fb_arena_clear(&arena);
}

static void test_har(void **state)
{
    struct fb_exchanges exchanges;
    (void)state;
    read_file("firefox.har", &exchanges);
    assert_int_equal(exchanges.count, 1);
    const struct fb_exchange *one = exchanges.list;
    assert_true(fb_span_is(one->method, "GET") && fb_span_is(one->url, "https://api.example/users/1"));
    assert_int_equal(one->status, 401);
    assert_int_equal(one->request_count, 2);
    assert_true(fb_span_is(one->body, "{\"error\":\"invalid_token\"}"));
    assert_true(one->body_known && one->request_known);
    fb_arena_clear(&arena);
}

static void test_interim_answers(void **state)
{
    struct fb_exchanges exchanges;
    struct fb_diags diags;
    (void)state;
    assert_true(read_text(FB_SPAN("POST /a HTTP/1.1\r\nHost: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"
                                  "\r\nHTTP/1.1 403 Forbidden\r\nServer: y\r\n\r\nno\r\nGET /b HTTP/1.1\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
                          &exchanges, &diags));
    assert_int_equal(exchanges.count, 2);
    assert_int_equal(exchanges.list[0].status, 403);
    assert_int_equal(exchanges.list[0].response_count, 1);
    assert_true(fb_span_is(exchanges.list[0].url, "http://x/a"));
    assert_true(fb_span_starts(exchanges.list[0].body, FB_SPAN("no")));
    assert_int_equal(exchanges.list[1].status, 204);
    fb_arena_clear(&arena);
}

static void test_a_body_with_marks(void **state)
{
    struct fb_exchanges exchanges;
    struct fb_diags diags;
    (void)state;
    assert_true(read_text(FB_SPAN("* Connected to x\n> GET / HTTP/1.1\n> Host: x\n> \n< HTTP/1.1 403 Forbidden\n< Server: y\n< \n"
                                  "> quoted\n< tag\n* a list\n\nend* Connection #0 to host x left intact\n"),
                          &exchanges, &diags));
    assert_int_equal(exchanges.count, 1);
    assert_true(fb_span_is(exchanges.list[0].body, "> quoted\n< tag\n* a list\n\nend"));
    fb_arena_clear(&arena);
}

static void test_none(void **state)
{
    static const char *const texts[] = {"", "\n\n", "hello", "{\"log\":{\"entries\":[]}}", "{\"a\":1}", "{\"log\":{\"entries\":[{\"request\":"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fb_exchanges exchanges;
        struct fb_diags diags;
        assert_false(read_text(fb_span_z(texts[i]), &exchanges, &diags));
        assert_int_equal(diags.errors, 1);
    }
    fb_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms_of_curl), cmocka_unit_test(test_har), cmocka_unit_test(test_interim_answers),
                                       cmocka_unit_test(test_a_body_with_marks), cmocka_unit_test(test_none)};
    fb_arena_init(&arena, &fb_heap, (size_t)64 << 20);
    int failed = cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
    fb_arena_release(&arena);
    return failed;
}
