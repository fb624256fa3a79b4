/* SPDX-License-Identifier: Apache-2.0 */
/* What a token says reaches its reader with the right type, from a miss and from the cache alike. */
#include "fixture.h"

#include "identity/jws.h"

#include <stdio.h>

static struct fb_strings none(void)
{
    return (struct fb_strings){NULL, 0};
}

static struct fb_strings strings_of(const struct fb_token *token, const char *name)
{
    const struct fb_claim *claim = fb_token_claim(token, fb_span_z(name));
    return claim != NULL ? claim->strings : none();
}

static void expect_strings(struct fb_strings got, const char *want)
{
    char text[256] = "";
    for (size_t i = 0; i < got.count; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "[%.*s]", (int)got.list[i].len, got.list[i].ptr);
    }
    assert_string_equal(text, want);
}

static const char all[] =
    "{\"iss\":\"" ISSUER "\",\"sub\":\"alice\",\"aud\":[\"other\",\"api\"],\"exp\":1700000600.25,\"nbf\":1699999999,"
    "\"iat\":1699999998.5,\"auth_time\":1699990000,\"acr\":\"urn:mfa\",\"amr\":[\"pwd\",\"otp\"],"
    "\"scope\":\"users:read  users:write \",\"scp\":[\"ignored\"],\"roles\":[\"admin\",\"support\"],\"team\":\"r\\u00e9d\","
    "\"level\":-7,\"staff\":true,\"guest\":false,\"ratio\":1.5,\"nothing\":null,\"address\":{\"country\":\"DE\"},"
    "\"mixed\":[\"a\",1,[\"b\"]],\"empty\":[],\"\":\"no name\"}";

static void typed_claims(void **state)
{
    struct fixture *f = *state;
    struct fb_span token = mint(f, FB_DEV_EDDSA, all);
    for (int round = 0; round < 2; round++) {
        expect_status(verify(f, token, NOW), FB_TOKEN_GOOD, "all", f->bearer.detail);
        const struct fb_token *t = f->bearer.token;
        assert_true(fb_span_is(t->subject, "alice"));
        expect_strings(t->audience, "[other][api]");
        expect_strings(t->scope, "[users:read][users:write]");
        expect_strings(t->amr, "[pwd][otp]");
        assert_true(t->has_acr && fb_span_is(t->acr, "urn:mfa"));
        assert_true(t->has_amr && t->has_auth_time && t->has_not_before && t->has_issued && !t->bound);
        assert_int_equal(t->expires_ms, 1700000600250);
        assert_int_equal(t->not_before_ms, 1699999999000);
        assert_int_equal(t->issued_ms, 1699999998500);
        assert_int_equal(t->auth_time_ms, 1699990000000);
        expect_strings(strings_of(t, "roles"), "[admin][support]");
        expect_strings(strings_of(t, "team"), "[r\xc3\xa9" "d]");
        expect_strings(strings_of(t, ""), "[no name]");
        expect_strings(strings_of(t, "mixed"), "");
        assert_int_equal(fb_token_claim(t, FB_SPAN("team"))->kind, FB_CLAIM_STRING);
        assert_int_equal(fb_token_claim(t, FB_SPAN("roles"))->kind, FB_CLAIM_STRINGS);
        assert_int_equal(fb_token_claim(t, FB_SPAN("empty"))->kind, FB_CLAIM_STRINGS);
        assert_int_equal(fb_token_claim(t, FB_SPAN("level"))->integer, -7);
        assert_int_equal(fb_token_claim(t, FB_SPAN("exp"))->kind, FB_CLAIM_OTHER);
        assert_int_equal(fb_token_claim(t, FB_SPAN("nbf"))->kind, FB_CLAIM_LONG);
        assert_true(fb_token_claim(t, FB_SPAN("staff"))->boolean);
        assert_int_equal(fb_token_claim(t, FB_SPAN("guest"))->kind, FB_CLAIM_BOOL);
        assert_false(fb_token_claim(t, FB_SPAN("guest"))->boolean);
        const char *const others[] = {"ratio", "nothing", "address", "mixed"};
        for (int i = 0; i < 4; i++) {
            assert_int_equal(fb_token_claim(t, fb_span_z(others[i]))->kind, FB_CLAIM_OTHER);
        }
        assert_null(fb_token_claim(t, FB_SPAN("country")));
        assert_null(fb_token_claim(t, FB_SPAN("Roles")));
    }
    assert_true(fb_tokens_stats(f->tokens).hits >= 1);
}

static void scopes(void **state)
{
    struct fixture *f = *state;
    static const char *const table[][2] = {
        {"", ""},
        {",\"scope\":\"\"", ""},
        {",\"scope\":\"  \"", ""},
        {",\"scope\":\"a\"", "[a]"},
        {",\"scope\":\" a b\"", "[a][b]"},
        {",\"scope\":[\"a\",\"b c\"]", "[a][b c]"},
        {",\"scp\":\"a b\"", "[a][b]"},
        {",\"scp\":[\"a\",\"b\"]", "[a][b]"},
        {",\"scp\":\"x\",\"scope\":\"\"", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char claims[256];
        snprintf(claims, sizeof claims, "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"s\",\"exp\":1700000600%s}",
                 table[i][0]);
        expect_status(verify(f, mint(f, FB_DEV_EDDSA, claims), NOW), FB_TOKEN_GOOD, claims, f->bearer.detail);
        expect_strings(f->bearer.token->scope, table[i][1]);
        assert_false(f->bearer.token->has_acr || f->bearer.token->has_amr || f->bearer.token->has_auth_time);
    }
}

static void principal_from_another_claim(void **state)
{
    struct fixture *f = *state;
    struct fb_issuer issuer = plain_issuer();
    issuer.claim = FB_SPAN("https://example.com/uid");
    issuer.prefix = FB_SPAN("corp|");
    struct fb_issuers *issuers = issuers_with(f, &issuer, fb_buffer_span(&f->jwks));
    static const struct {
        const char *value;
        enum fb_token_status status;
    } table[] = {
        {"\"u-1\"", FB_TOKEN_GOOD}, {"\"\"", FB_TOKEN_MISSING_CLAIM}, {"1", FB_TOKEN_MISSING_CLAIM},
        {"[\"u-1\"]", FB_TOKEN_MISSING_CLAIM}, {"null", FB_TOKEN_MISSING_CLAIM},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char claims[256];
        snprintf(claims, sizeof claims, "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"exp\":1700000600,"
                 "\"https://example.com/uid\":%s}", table[i].value);
        struct fb_span token = mint(f, FB_DEV_EDDSA, claims);
        expect_status(fb_tokens_verify(f->tokens, issuers, token, NOW, &f->bearer), table[i].status, claims,
                      f->bearer.detail);
        if (table[i].status == FB_TOKEN_GOOD) {
            assert_true(fb_span_is(fb_bearer_id(&f->bearer, &f->arena), "corp|u-1"));
        }
    }
    fb_issuers_free(issuers);
}

static const struct {
    const char *number;
    int64_t ms;     /* -1: refused */
} dates[] = {
    {"0", 0}, {"1", 1000}, {"0.001", 1}, {"0.0009", 0}, {"1.9999", 1999}, {"1700000000", 1700000000000},
    {"1700000000.123456789123456789", 1700000000123}, {"1.7e9", 1700000000000}, {"1.7E+9", 1700000000000},
    {"17000000000e-1", 1700000000000}, {"170000000000000000000e-11", 1700000000000}, {"0e999", 0},
    {"0.00000000000000000000017e31", 1700000000000}, {"253402300799", 253402300799000},
    {"253402300799.999", 253402300799999}, {"253402300800", -1}, {"1e12", -1}, {"1e1000", -1}, {"1e1001", -1},
    {"1e-1000", 0}, {"1e99999999999999999999", -1}, {"-1", -1}, {"-0", -1}, {"99999999999999999999", -1},
    {"9223372036854775808", -1}, {"", -1},
};

static void numeric_dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        int64_t ms = -1;
        bool taken = fb_numeric_date(fb_span_z(dates[i].number), &ms);
        if (taken != (dates[i].ms >= 0) || (taken && ms != dates[i].ms)) {
            fail_msg("%s: %lld", dates[i].number, (long long)ms);
        }
    }
}

static void status_names(void **state)
{
    (void)state;
    for (int i = FB_TOKEN_FAILED; i <= FB_TOKEN_BOUND; i++) {
        assert_non_null(fb_token_status_name((enum fb_token_status)i));
    }
    assert_string_equal(fb_token_status_name(FB_TOKEN_EXPIRED), "expired");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typed_claims), cmocka_unit_test(scopes), cmocka_unit_test(principal_from_another_claim),
        cmocka_unit_test(numeric_dates), cmocka_unit_test(status_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
