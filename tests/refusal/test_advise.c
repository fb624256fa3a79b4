/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of tests/refusal/advise, and that no server, whatever it answers, makes a client go round for ever.
 * With FB_WRITE set, what came out is put into the files. */
#include "refusal/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static struct fb_arena arena;

static void number(struct fb_span text, int64_t *value)
{
    uint64_t read;
    assert_true(fb_span_to_u64(text, INT64_MAX, &read));
    *value = (int64_t)read;
}

static void client_line(struct fb_client *client, struct fb_span key, struct fb_span value)
{
    int64_t n;
    if (fb_span_is(key, "credentials"))
        assert_true(fb_presented_parse(value, &client->presented));
    else if (fb_span_is(key, "refresh"))
        client->can_refresh = fb_span_is(value, "yes");
    else if (fb_span_is(key, "strict"))
        client->strict = fb_span_is(value, "yes");
    else if (fb_span_is(key, "html"))
        client->wants_html = fb_span_is(value, "yes");
    else if (fb_span_is(key, "scopes")) {
        client->scopes = value;
        client->scopes_known = true;
    } else if (fb_span_is(key, "acr"))
        client->acr = value;
    else if (fb_span_is(key, "method"))
        client->method = value;
    else if (fb_span_is(key, "tried")) {
        for (unsigned cure = 0; cure < FB_CURES; cure++)
            if (strstr(fb_arena_text(&arena, value), fb_cure_name((enum fb_cure)cure).ptr) != NULL)
                client->tried |= 1u << cure;
    } else {
        number(value, &n);
        if (fb_span_is(key, "now"))
            client->now = n;
        else if (fb_span_is(key, "waits"))
            client->waits = (unsigned)n;
        else if (fb_span_is(key, "waited"))
            client->waited = (uint64_t)n;
        else if (fb_span_is(key, "wait_max"))
            client->wait_max = (uint64_t)n;
        else if (fb_span_is(key, "auth_time")) {
            client->auth_time = n;
            client->has_auth_time = true;
        } else
            fail_msg("what is %.*s?", (int)key.len, key.ptr);
    }
}

static struct fb_span take_line(struct fb_span *rest)
{
    size_t end = fb_span_find(*rest, '\n');
    struct fb_span line = fb_span_head(*rest, end);
    *rest = fb_span_from(*rest, end < rest->len ? end + 1 : end);
    return line;
}

static void read_client(struct fb_span text, struct fb_client *client)
{
    while (text.len != 0) {
        struct fb_span line = take_line(&text);
        size_t colon = fb_span_find(line, ':');
        if (colon < line.len)
            client_line(client, fb_span_head(line, colon), fb_span_trim(fb_span_from(line, colon + 1)));
    }
}

static void add(struct fb_buffer *out, const char *name, struct fb_span value)
{
    if (value.len != 0)
        fb_buffer_add_format(out, "%s: %.*s\n", name, (int)value.len, value.ptr);
}

static void show(struct fb_buffer *out, const struct fb_advice *advice)
{
    add(out, "cure", fb_cure_name(advice->cure));
    add(out, "why", fb_ground_code(advice->why));
    fb_buffer_add_z(out, advice->sure ? "" : "sure: no\n");
    add(out, "scheme", advice->scheme);
    add(out, "realm", advice->realm);
    add(out, "scope", advice->scope);
    add(out, "acr_values", advice->acr_values);
    if (advice->has_max_age)
        fb_buffer_add_format(out, "max_age: %llu\n", (unsigned long long)advice->max_age);
    add(out, "nonce", advice->nonce);
    if (advice->wait != 0)
        fb_buffer_add_format(out, "wait: %llu\n", (unsigned long long)advice->wait);
    add(out, "allow", advice->allow);
    add(out, "reason", advice->reason);
    add(out, "detail", advice->detail);
    add(out, "link", advice->link);
    add(out, "resource_metadata", advice->resource_metadata);
}

/* The lines between `== NAME` and the next mark. */
static struct fb_span section(struct fb_span text, const char *name)
{
    char mark[32];
    snprintf(mark, sizeof mark, "== %s\n", name);
    const char *at = strstr(text.ptr, mark);
    assert_non_null(at);
    at += strlen(mark);
    const char *end = strstr(at, "\n== ");
    return fb_span(at, end != NULL ? (size_t)(end - at) + 1 : strlen(at));
}

static void advise_case(const char *text, struct fb_buffer *out)
{
    struct fb_exchanges exchanges;
    struct fb_diags diags;
    struct fb_client client = {0};
    struct fb_advice advice;
    const struct fb_source source = {FB_SPAN("answer"), section(fb_span_z(text), "answer")};
    fb_diags_init(&diags, &arena);
    fb_exchanges_init(&exchanges, &arena);
    if (!fb_exchanges_read(&exchanges, &source, &diags) || exchanges.count != 1)
        fail_msg("not one answer: %s", text);
    read_client(section(fb_span_z(text), "client"), &client);
    const struct fb_exchange *one = exchanges.list;
    const struct fb_received seen = {one->status, one->response, one->response_count, one->body};
    fb_advise(&seen, &client, &arena, &advice);
    show(out, &advice);
}

/* Both with one line's end. */
static bool same(struct fb_span a, struct fb_span b)
{
    while (a.len != 0 && a.ptr[a.len - 1] == '\n')
        a.len--;
    while (b.len != 0 && b.ptr[b.len - 1] == '\n')
        b.len--;
    return fb_span_eq(a, b);
}

static void check_file(void **state)
{
    struct fb_buffer file, again;
    char path[512];
    unsigned wrong = 0, count = 0;
    snprintf(path, sizeof path, "%s/refusal/advise/%s", getenv("FB_TESTS"), (const char *)*state);
    fb_buffer_init(&file, &fb_heap, (size_t)16 << 20);
    fb_buffer_init(&again, &fb_heap, (size_t)16 << 20);
    assert_int_equal(fb_buffer_read_file(&file, path), 0);
    char *rest = strstr(file.ptr, "#### ");
    assert_non_null(rest);
    fb_buffer_add(&again, fb_span(file.ptr, (size_t)(rest - file.ptr)));
    while (rest != NULL && *rest != '\0') {
        char *next = strstr(rest, "\n#### ");
        struct fb_span one = fb_span(rest, next != NULL ? (size_t)(next - rest) : strlen(rest));
        const char *text = fb_arena_text(&arena, one);
        struct fb_buffer out;
        fb_buffer_init(&out, &fb_heap, 65536);
        advise_case(text, &out);
        if (!same(section(fb_span_z(text), "advice"), fb_buffer_span(&out))) {
            fprintf(stderr, "# %.*s\n# it is:\n%s", (int)strcspn(text, "\n"), text, out.ptr);
            wrong++;
        }
        count++;
        fb_buffer_add(&again, fb_span(text, (size_t)(strstr(text, "== advice\n") - text) + strlen("== advice\n")));
        fb_buffer_add_format(&again, "%s%s", out.ptr, next != NULL ? "\n" : "");
        fb_buffer_release(&out);
        rest = next != NULL ? next + 1 : NULL;
    }
    if (getenv("FB_WRITE") != NULL) {
        FILE *to = fopen(path, "w");
        assert_non_null(to);
        fwrite(again.ptr, 1, again.len, to);
        fclose(to);
    }
    assert_true(count > 40);
    fb_buffer_release(&file);
    fb_buffer_release(&again);
    fb_arena_clear(&arena);
    assert_int_equal(wrong, 0);
}

/* Whatever answers come, in whatever order, a client that follows comes to an end: no cure twice, few waits. */
static void test_comes_to_an_end(void **state)
{
    static const unsigned statuses[] = {200, 302, 400, 401, 403, 404, 407, 413, 425, 429, 440, 498, 502, 503, 504, 500};
    static const char *const challenges[] = {"", "Bearer", "Bearer error=\"invalid_token\"", "Bearer error=\"insufficient_scope\", scope=\"a\"",
        "Bearer error=\"insufficient_user_authentication\", acr_values=\"x\"", "DPoP error=\"use_dpop_nonce\"", "Basic realm=\"x\""};
    uint64_t random = 88172645463325252ull;
    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        struct fb_client client = {.presented = FB_PRESENTED_BEARER, .can_refresh = true, .method = FB_SPAN("GET")};
        unsigned steps = 0;
        for (;; steps++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            const struct fb_line fields[] = {{FB_SPAN("WWW-Authenticate"), fb_span_z(challenges[(random >> 8) % 7])},
                                             {FB_SPAN("DPoP-Nonce"), FB_SPAN("n")},
                                             {FB_SPAN("Retry-After"), FB_SPAN("2")}};
            const struct fb_received seen = {statuses[random % 16], fields, (random >> 16) % 2 ? 3 : 2, FB_SPAN("")};
            struct fb_advice advice;
            fb_advise(&seen, &client, &arena, &advice);
            if (advice.cure == FB_CURE_GIVE_UP || advice.cure == FB_CURE_PROCEED || advice.cure == FB_CURE_FIX_REQUEST)
                break;
            if (advice.cure == FB_CURE_WAIT) {
                client.waits++;
                client.waited += advice.wait;
            } else {
                assert_false(client.tried & (1u << advice.cure));
                client.tried |= 1u << advice.cure;
            }
        }
        assert_true(steps <= 5 + FB_WAITS_MAX && client.waited <= FB_WAIT_DEFAULT);
        fb_arena_clear(&arena);
    }
}

int main(void)
{
    static char standard[] = "standard.case", servers[] = "servers.case";
    const struct CMUnitTest tests[] = {
        {"what the standards say", check_file, NULL, NULL, standard},
        {"what servers say", check_file, NULL, NULL, servers},
        cmocka_unit_test(test_comes_to_an_end),
    };
    fb_arena_init(&arena, &fb_heap, (size_t)64 << 20);
    int failed = cmocka_run_group_tests_name("advise", tests, NULL, NULL);
    fb_arena_release(&arena);
    return failed;
}
