/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals as their clients see them: every status by level and Accept, and what must not get out. */
#include "refusal/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

/* The whole answer as text: status, fields in order, a blank line, the body. */
static const char *render(struct fb_arena *arena, const struct fb_refusal *refusal, const char *accept)
{
    struct fb_response response;
    if (!fb_refusal_render(refusal, &(struct fb_audience){.accept = fb_span_z(accept)}, arena, &response))
        return "(cannot)";
    struct fb_buffer text;
    const struct fb_allocator *memory = fb_arena_alloc(arena, sizeof *memory);
    struct fb_allocator here = fb_arena_allocator(arena);
    memcpy((void *)(uintptr_t)memory, &here, sizeof here);
    fb_buffer_init(&text, memory, 65536);
    fb_buffer_add_format(&text, "%u\nContent-Type: %.*s\n", response.status, (int)response.content_type.len,
                         response.content_type.ptr);
    for (size_t i = 0; i < response.lines_count; i++)
        fb_buffer_add_format(&text, "%.*s: %.*s\n", (int)response.lines[i].name.len, response.lines[i].name.ptr,
                             (int)response.lines[i].value.len, response.lines[i].value.ptr);
    fb_buffer_add_format(&text, "\n%.*s", (int)response.body.len, response.body.ptr);
    return text.ptr;
}

#define COMMON "Cache-Control: no-store\nVary: Accept\n"

static const struct {
    const char *name;
    struct fb_refusal refusal;
    const char *accept, *expected;
} cases[] = {
    {"forbidden, told nothing", {.status = 403, .reason = FB_SPAN_INIT("insufficient_role"), .detail = FB_SPAN_INIT("x")}, "",
     "403\nContent-Type: application/json\n" COMMON "\n{\"error\":\"forbidden\"}"},
    {"forbidden, with the reason",
     {.status = 403, .level = FB_LEVEL_REASON, .reason = FB_SPAN_INIT("insufficient_role"), .detail = FB_SPAN_INIT("x"),
      .request_id = FB_SPAN_INIT("abc")}, "",
     "403\nContent-Type: application/json\n" COMMON "X-Request-Id: abc\n\n"
     "{\"error\":\"forbidden\",\"reason\":\"insufficient_role\",\"request_id\":\"abc\"}"},
    {"forbidden, with detail and help",
     {.status = 403, .level = FB_LEVEL_DETAIL, .reason = FB_SPAN_INIT("insufficient_role"),
      .detail = FB_SPAN_INIT("Only \"admins\"."), .help = FB_SPAN_INIT("https://help.example/a?b=c")}, "*/*",
     "403\nContent-Type: application/json\n" COMMON "Link: <https://help.example/a?b=c>; rel=\"help\"\n\n"
     "{\"error\":\"forbidden\",\"reason\":\"insufficient_role\",\"detail\":\"Only \\\"admins\\\".\","
     "\"help\":\"https://help.example/a?b=c\"}"},
    {"a reason of ours brings its sentence",
     {.status = 403, .level = FB_LEVEL_DETAIL, .reason = FB_SPAN_INIT("account_suspended")}, "",
     "403\nContent-Type: application/json\n" COMMON "\n{\"error\":\"forbidden\",\"reason\":\"account_suspended\","
     "\"detail\":\"This account is suspended.\"}"},
    {"a challenge without an error", {.status = 401, .challenge = true}, "",
     "401\nContent-Type: application/json\n" COMMON "WWW-Authenticate: Bearer realm=\"api\"\n\n{\"error\":\"unauthorized\"}"},
    {"several schemes, a line each, the error where it belongs",
     {.status = 401, .challenge = true, .challenge_error = FB_SPAN_INIT("invalid_token"), .scope = FB_SPAN_INIT("a b"),
      .resource_metadata = FB_SPAN_INIT("https://a/m"), .offers_count = 3,
      .offers = (const struct fb_offer[]){{.scheme = FB_SCHEME_BEARER, .quiet = true, .realm = FB_SPAN_INIT("x")},
                                          {.scheme = FB_SCHEME_DPOP, .algs = FB_SPAN_INIT("ES256 EdDSA")},
                                          {.scheme = FB_SCHEME_BASIC, .realm = FB_SPAN_INIT("y")}}}, "",
     "401\nContent-Type: application/json\n" COMMON
     "WWW-Authenticate: Bearer realm=\"x\", resource_metadata=\"https://a/m\"\n"
     "WWW-Authenticate: DPoP realm=\"api\", error=\"invalid_token\", scope=\"a b\", algs=\"ES256 EdDSA\", "
     "resource_metadata=\"https://a/m\"\n"
     "WWW-Authenticate: Basic realm=\"y\", charset=\"UTF-8\"\n\n{\"error\":\"unauthorized\",\"scope\":\"a b\"}"},
    {"a challenge for an expired token",
     {.status = 401, .challenge = true, .realm = FB_SPAN_INIT("users"), .challenge_error = FB_SPAN_INIT("invalid_token"),
      .challenge_description = FB_SPAN_INIT("The access token has expired")}, "",
     "401\nContent-Type: application/json\n" COMMON "WWW-Authenticate: Bearer realm=\"users\", error=\"invalid_token\", "
     "error_description=\"The access token has expired\"\n\n{\"error\":\"unauthorized\"}"},
    {"405 names the methods", {.status = 405, .allow = FB_SPAN_INIT("GET, HEAD")}, "",
     "405\nContent-Type: application/json\n" COMMON "Allow: GET, HEAD\n\n{\"error\":\"method_not_allowed\"}"},
    {"405 without any method still has Allow (RFC 9110 15.5.6)", {.status = 405}, "",
     "405\nContent-Type: application/json\n" COMMON "Allow: \n\n{\"error\":\"method_not_allowed\"}"},
    {"451 names who blocks", {.status = 451, .blocked_by = FB_SPAN_INIT("https://isp.example/")}, "",
     "451\nContent-Type: application/json\n" COMMON "Link: <https://isp.example/>; rel=\"blocked-by\"\n\n"
     "{\"error\":\"unavailable_for_legal_reasons\"}"},
    {"503 says when to come back", {.status = 503, .retry_after = 1}, "",
     "503\nContent-Type: application/json\n" COMMON "Retry-After: 1\n\n{\"error\":\"authorization_unavailable\"}"},
    {"problem details", {.status = 404, .level = FB_LEVEL_REASON, .reason = FB_SPAN_INIT("resource_not_found")},
     "application/problem+json",
     "404\nContent-Type: application/problem+json\n" COMMON "\n{\"type\":\"urn:problem-type:forbid:resource_not_found\",\"title\":\"Not Found\",\"status\":404,"
     "\"error\":\"not_found\",\"reason\":\"resource_not_found\"}"},
    {"problem details that tell nothing but the status", {.status = 403, .reason = FB_SPAN_INIT("insufficient_role")},
     "application/problem+json",
     "403\nContent-Type: application/problem+json\n" COMMON "\n{\"type\":\"urn:problem-type:forbid:forbidden\","
     "\"title\":\"Forbidden\",\"status\":403,\"error\":\"forbidden\"}"},
    {"plain text, a line a fact",
     {.status = 403, .level = FB_LEVEL_POLICY, .reason = FB_SPAN_INIT("insufficient_role"), .detail = FB_SPAN_INIT("a\nb\xff"),
      .policies = (const struct fb_span[]){FB_SPAN_INIT("p0"), FB_SPAN_INIT("p1")}, .policies_count = 2}, "text/plain",
     "403\nContent-Type: text/plain; charset=utf-8\n" COMMON "\n403 Forbidden\nerror: forbidden\nreason: insufficient_role\n"
     "detail: a\xef\xbf\xbd" "b\xef\xbf\xbd\npolicies: p0, p1\n"},
    {"a scope that cures it (RFC 6750 3.1)",
     {.status = 403, .challenge = true, .challenge_error = FB_SPAN_INIT("insufficient_scope"), .scope = FB_SPAN_INIT("docs:read docs:write")},
     "", "403\nContent-Type: application/json\n" COMMON "WWW-Authenticate: Bearer realm=\"api\", error=\"insufficient_scope\", "
     "scope=\"docs:read docs:write\"\n\n{\"error\":\"forbidden\",\"scope\":\"docs:read docs:write\"}"},
    {"a sign-in that cures it (RFC 9470 3)",
     {.status = 401, .challenge = true, .challenge_error = FB_SPAN_INIT("insufficient_user_authentication"),
      .acr_values = FB_SPAN_INIT("mfa"), .has_max_age = true, .max_age = 300}, "",
     "401\nContent-Type: application/json\n" COMMON "WWW-Authenticate: Bearer realm=\"api\", "
     "error=\"insufficient_user_authentication\", acr_values=\"mfa\", max_age=\"300\"\n\n"
     "{\"error\":\"unauthorized\",\"acr_values\":\"mfa\",\"max_age\":300}"},
    {"the protected resource's metadata (RFC 9728 5.1)",
     {.status = 401, .challenge = true, .resource_metadata = FB_SPAN_INIT("https://api.example/.well-known/oauth-protected-resource")}, "",
     "401\nContent-Type: application/json\n" COMMON "WWW-Authenticate: Bearer realm=\"api\", "
     "resource_metadata=\"https://api.example/.well-known/oauth-protected-resource\"\n\n{\"error\":\"unauthorized\"}"},
    {"policies only for operators",
     {.status = 403, .level = FB_LEVEL_POLICY, .reason = FB_SPAN_INIT("policy_denied"),
      .policies = (const struct fb_span[]){FB_SPAN_INIT("a"), FB_SPAN_INIT("b\"")}, .policies_count = 2}, "",
     "403\nContent-Type: application/json\n" COMMON "\n{\"error\":\"forbidden\",\"reason\":\"policy_denied\","
     "\"policies\":[\"a\",\"b\\\"\"]}"},
    {"a link that would break its field is refused whole", {.status = 451, .blocked_by = FB_SPAN_INIT("https://a>\r\nX: y")}, "",
     "(cannot)"},
    {"a realm that would break its field is refused whole", {.status = 401, .challenge = true, .realm = FB_SPAN_INIT("a\r\nb")},
     "", "(cannot)"},
    {"a request id that would break its field is refused whole", {.status = 403, .request_id = FB_SPAN_INIT("a\r\nX: y")},
     "", "(cannot)"},
    {"an Allow that would break its field is refused whole", {.status = 405, .allow = FB_SPAN_INIT("GET\nX: y")},
     "", "(cannot)"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fb_arena arena;
        fb_arena_init(&arena, &fb_heap, 1 << 20);
        const char *got = render(&arena, &cases[i].refusal, cases[i].accept);
        if (strcmp(got, cases[i].expected) != 0)
            print_message("# case: %s\n", cases[i].name);
        assert_string_equal(got, cases[i].expected);
        fb_arena_release(&arena);
    }
}

/* Below its level nothing of a refusal is told, whatever it holds. */
static void test_levels_hide(void **state)
{
    (void)state;
    const struct fb_refusal whole = {.status = 403, .reason = FB_SPAN("r-secret"), .detail = FB_SPAN("d-secret"),
                                     .help = FB_SPAN("https://h-secret/"), .request_id = FB_SPAN("rid"),
                                     .policies = (const struct fb_span[]){FB_SPAN("p-secret")}, .policies_count = 1,
                                     .clause = FB_SPAN("c-secret"), .clause_json = FB_SPAN("{\"text\":\"c-secret\"}")};
    static const struct { const char *text; enum fb_level from; } told[] = {
        {"r-secret", FB_LEVEL_REASON}, {"d-secret", FB_LEVEL_DETAIL}, {"h-secret", FB_LEVEL_DETAIL},
        {"p-secret", FB_LEVEL_POLICY}};
    const char *const accepts[] = {"", "application/problem+json", "text/html", "text/plain", "garbage;;;"};
    for (unsigned level = 0; level <= FB_LEVEL_POLICY; level++)
        for (size_t a = 0; a < 5; a++) {
            struct fb_arena arena;
            fb_arena_init(&arena, &fb_heap, 1 << 20);
            struct fb_refusal refusal = whole;
            refusal.level = (enum fb_level)level;
            const char *got = render(&arena, &refusal, accepts[a]);
            for (size_t t = 0; t < 4; t++)
                assert_int_equal(strstr(got, told[t].text) != NULL, level >= told[t].from);
            /* The page for people has no clauses. */
            assert_int_equal(strstr(got, "c-secret") != NULL, level >= FB_LEVEL_POLICY && strcmp(accepts[a], "text/html") != 0);
            fb_arena_release(&arena);
        }
}

/* Without memory, at every size: no crash, and never half an answer. */
static void test_no_memory(void **state)
{
    (void)state;
    const struct fb_refusal refusal = {.status = 401, .level = FB_LEVEL_REASON, .challenge = true,
                                       .reason = FB_SPAN("missing_credentials"), .request_id = FB_SPAN("id")};
    bool worked = false;
    for (size_t ceiling = 0; ceiling < 16384 && !worked; ceiling += 16) {
        struct fb_arena arena;
        fb_arena_init(&arena, &fb_heap, ceiling);
        struct fb_response response;
        worked = fb_refusal_render(&refusal, &(struct fb_audience){.accept = FB_SPAN("")}, &arena, &response);
        if (worked)
            assert_true(fb_span_eq(response.body, FB_SPAN("{\"error\":\"unauthorized\",\"reason\":\"missing_credentials\","
                                                         "\"request_id\":\"id\"}")));
        fb_arena_release(&arena);
    }
    assert_true(worked);
}

static void test_words(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FB_REASONS; i++) {
        struct fb_span code = fb_reason_code((enum fb_reason)i);
        assert_true(code.len > 0 && code.len <= 64);
        for (size_t c = 0; c < code.len; c++)
            assert_non_null(strchr("abcdefghijklmnopqrstuvwxyz0123456789_", code.ptr[c]));
        assert_true(fb_span_eq(fb_reason_sentence_of(code), fb_reason_sentence((enum fb_reason)i)));
    }
    enum fb_level level;
    assert_true(fb_level_parse(FB_SPAN("detail"), &level) && level == FB_LEVEL_DETAIL);
    assert_false(fb_level_parse(FB_SPAN("Detail"), &level));
    assert_false(fb_level_parse(FB_SPAN(""), &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_levels_hide),
                                       cmocka_unit_test(test_no_memory), cmocka_unit_test(test_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
