/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that are good, and what the cache does. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void all_algorithms(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < KEYS; i++) {
        struct fb_span token = mint(f, (enum fb_dev_algorithm)i, CLAIMS);
        for (int round = 0; round < 2; round++) {
            expect_status(verify(f, token, NOW), FB_TOKEN_GOOD, "minted", f->bearer.detail);
            assert_true(fb_span_is(f->bearer.name, "alice"));
            assert_true(fb_span_is(f->bearer.token->issuer, ISSUER));
            assert_ptr_equal(f->bearer.issuer, fb_issuers_at(f->issuers, 0));
        }
    }
}

static const char *const headers[] = {
    "{\"alg\":\"EdDSA\"}",
    "{\"alg\":\"Ed25519\"}",
    "{\"typ\":\"JWT\",\"alg\":\"EdDSA\"}",
    "{\"typ\":\"jwt\",\"alg\":\"EdDSA\"}",
    "{\"typ\":\"application/at+jwt\",\"alg\":\"EdDSA\"}",
    "{\"alg\":\"EdDSA\",\"cty\":\"x\",\"x-unknown\":{\"a\":[1,2]}}",
    /* Brought keys are not looked at, and do no harm. */
    "{\"alg\":\"EdDSA\",\"jku\":\"https://evil.example/jwks\",\"x5u\":\"file:///etc/passwd\"}",
    "{\"alg\":\"EdDSA\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"},\"x5c\":[\"AAAA\"]}",
};

static void headers_without_kid(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct fb_span token = sign(f, FB_DEV_EDDSA, headers[i], CLAIMS);
        expect_status(verify(f, token, NOW), FB_TOKEN_GOOD, headers[i], f->bearer.detail);
    }
}

/* At the edges of exp and nbf, the leeway being 30 seconds, first on a miss, then on a hit. */
static void times(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *more;
        int64_t now;
        enum fb_token_status status;
    } table[] = {
        {"\"exp\":1700000000", 1700000029999, FB_TOKEN_GOOD},
        {"\"exp\":1700000000", 1700000030000, FB_TOKEN_EXPIRED},
        {"\"exp\":1700000000", 1800000000000, FB_TOKEN_EXPIRED},
        {"\"exp\":1700000000.5", 1700000030499, FB_TOKEN_GOOD},
        {"\"exp\":1700000000.5", 1700000030500, FB_TOKEN_EXPIRED},
        {"\"exp\":1.7e9", 1700000029999, FB_TOKEN_GOOD},
        {"\"exp\":17000000000E-1", 1700000030000, FB_TOKEN_EXPIRED},
        {"\"exp\":0", 1700000000000, FB_TOKEN_EXPIRED},
        {"\"exp\":253402300799", 1700000000000, FB_TOKEN_GOOD},
        {"\"exp\":1800000000,\"nbf\":1700000030", 1700000000000, FB_TOKEN_GOOD},
        {"\"exp\":1800000000,\"nbf\":1700000030", 1699999999999, FB_TOKEN_NOT_YET},
        {"\"exp\":1800000000,\"nbf\":1700000030.001", 1700000000000, FB_TOKEN_NOT_YET},
        {"\"exp\":1800000000,\"iat\":1700009999", 1700000000000, FB_TOKEN_GOOD},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char claims[256];
        snprintf(claims, sizeof claims, "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"t%zu\",%s}", i, table[i].more);
        struct fb_span token = mint(f, FB_DEV_ES256, claims);
        expect_status(verify(f, token, table[i].now), table[i].status, claims, f->bearer.detail);
        expect_status(verify(f, token, table[i].now), table[i].status, claims, f->bearer.detail);
    }
}

static void an_expired_token_is_refused_on_a_hit(void **state)
{
    struct fixture *f = *state;
    struct fb_span token = mint(f, FB_DEV_EDDSA, CLAIMS);
    expect_status(verify(f, token, NOW), FB_TOKEN_GOOD, "fresh", f->bearer.detail);
    uint64_t hits = fb_tokens_stats(f->tokens).hits;
    expect_status(verify(f, token, NOW + 631000), FB_TOKEN_EXPIRED, "later", f->bearer.detail);
    assert_int_equal(fb_tokens_stats(f->tokens).hits, hits + 1);
    assert_non_null(f->bearer.token);
    expect_status(verify(f, token, NOW), FB_TOKEN_GOOD, "the clock set back", f->bearer.detail);
}

static void a_changed_key_set_invalidates(void **state)
{
    struct fixture *f = *state;
    struct fb_span token = mint(f, FB_DEV_EDDSA, CLAIMS);
    expect_status(verify(f, token, NOW), FB_TOKEN_GOOD, "before", f->bearer.detail);
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 65536);
    jwks_of(f->keys, 0xf & ~(1u << FB_DEV_EDDSA), &text);
    struct fb_issuers *without = issuers_of(f, fb_buffer_span(&text));
    expect_status(fb_tokens_verify(f->tokens, without, token, NOW, &f->bearer), FB_TOKEN_UNKNOWN_KEY, "key removed",
                  f->bearer.detail);
    /* Another generation with the same keys is the same set. */
    struct fb_issuers *again = issuers_of(f, fb_buffer_span(&f->jwks));
    uint64_t hits = fb_tokens_stats(f->tokens).hits;
    expect_status(fb_tokens_verify(f->tokens, again, token, NOW, &f->bearer), FB_TOKEN_GOOD, "reloaded",
                  f->bearer.detail);
    assert_int_equal(fb_tokens_stats(f->tokens).hits, hits + 1);
    assert_ptr_equal(f->bearer.issuer, fb_issuers_at(again, 0));
    fb_issuers_free(without);
    fb_issuers_free(again);
    fb_buffer_release(&text);
}

static void audience_is_checked_on_a_hit(void **state)
{
    struct fixture *f = *state;
    struct fb_span token = mint(f, FB_DEV_EDDSA, CLAIMS);
    expect_status(verify(f, token, NOW), FB_TOKEN_GOOD, "before", f->bearer.detail);
    const struct fb_span other[] = {FB_SPAN("other")};
    struct fb_issuer issuer = plain_issuer();
    issuer.audiences = other;
    struct fb_issuers *changed = issuers_with(f, &issuer, fb_buffer_span(&f->jwks));
    expect_status(fb_tokens_verify(f->tokens, changed, token, NOW, &f->bearer), FB_TOKEN_AUDIENCE, "other audience",
                  f->bearer.detail);
    fb_issuers_free(changed);
}

/* The same ending, so the same set and hash, with another payload before it. */
static void a_hit_needs_the_whole_token(void **state)
{
    struct fixture *f = *state;
    struct fb_span good = mint(f, FB_DEV_EDDSA, CLAIMS);
    expect_status(verify(f, good, NOW), FB_TOKEN_GOOD, "good", f->bearer.detail);
    struct fb_span forged = mint(f, FB_DEV_EDDSA,
                                 "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"admin\",\"exp\":1700000600}");
    assert_int_equal(forged.len, good.len);
    char *text = fb_arena_text(&f->arena, forged);
    memcpy(text + forged.len - 86, good.ptr + good.len - 86, 86);
    expect_status(verify(f, fb_span(text, forged.len), NOW), FB_TOKEN_BAD_SIGNATURE, "forged", f->bearer.detail);
}

static void failures_are_not_stored(void **state)
{
    struct fixture *f = *state;
    char *text = fb_arena_text(&f->arena, mint(f, FB_DEV_EDDSA, CLAIMS));
    size_t len = strlen(text);
    text[len - 10] = text[len - 10] == 'A' ? 'B' : 'A';
    struct fb_tokens_stats before = fb_tokens_stats(f->tokens);
    for (int i = 0; i < 3; i++) {
        expect_status(verify(f, fb_span(text, len), NOW), FB_TOKEN_BAD_SIGNATURE, "broken", f->bearer.detail);
    }
    struct fb_tokens_stats after = fb_tokens_stats(f->tokens);
    assert_int_equal(after.entries, before.entries);
    assert_int_equal(after.hits, before.hits);
}

static struct fb_span numbered(struct fixture *f, int i, int64_t exp)
{
    char claims[256];
    snprintf(claims, sizeof claims, "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"user-%d\",\"exp\":%lld}", i,
             (long long)exp);
    return mint(f, FB_DEV_EDDSA, claims);
}

static void memory_and_entries_are_bounded(void **state)
{
    struct fixture *f = *state;
    struct fb_tokens *tokens = fb_tokens_new(&fb_heap, 16, 6000);
    for (int i = 0; i < 200; i++) {
        expect_status(fb_tokens_verify(tokens, f->issuers, numbered(f, i, 1700000600), NOW, &f->bearer), FB_TOKEN_GOOD,
                      "one of many", f->bearer.detail);
        struct fb_tokens_stats stats = fb_tokens_stats(tokens);
        assert_true(stats.entries <= 16 && stats.bytes <= 6000);
    }
    assert_true(fb_tokens_stats(tokens).evictions > 150);
    fb_tokens_free(tokens);
}

/* Tokens that are over do not push out those that are in use; in one set of eight. */
static void expired_tokens_push_nothing_out(void **state)
{
    struct fixture *f = *state;
    struct fb_tokens *tokens = fb_tokens_new(&fb_heap, 8, 0);
    struct fb_span live[8];
    for (int i = 0; i < 8; i++) {
        live[i] = numbered(f, i, 1700000600);
        expect_status(fb_tokens_verify(tokens, f->issuers, live[i], NOW, &f->bearer), FB_TOKEN_GOOD, "live", NULL);
    }
    for (int i = 0; i < 20; i++) {
        expect_status(fb_tokens_verify(tokens, f->issuers, numbered(f, 100 + i, 1600000000), NOW, &f->bearer),
                      FB_TOKEN_EXPIRED, "over", NULL);
    }
    uint64_t hits = fb_tokens_stats(tokens).hits;
    for (int i = 0; i < 8; i++) {
        expect_status(fb_tokens_verify(tokens, f->issuers, live[i], NOW, &f->bearer), FB_TOKEN_GOOD, "live", NULL);
    }
    assert_int_equal(fb_tokens_stats(tokens).hits, hits + 8);
    /* A ninth takes the place of the one used longest ago. */
    expect_status(fb_tokens_verify(tokens, f->issuers, numbered(f, 9, 1700000600), NOW, &f->bearer), FB_TOKEN_GOOD,
                  "ninth", NULL);
    (void)fb_tokens_verify(tokens, f->issuers, live[7], NOW, &f->bearer);
    assert_int_equal(fb_tokens_stats(tokens).hits, hits + 9);
    (void)fb_tokens_verify(tokens, f->issuers, live[0], NOW, &f->bearer);
    assert_int_equal(fb_tokens_stats(tokens).hits, hits + 9);
    fb_tokens_free(tokens);
}

/* An allocator that fails from call number `left` on. */
struct failing {
    long left, calls;
};

static void *failing_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    struct failing *failing = context;
    if (new_size != 0) {
        failing->calls++;
        if (failing->left-- <= 0) {
            return NULL;
        }
    }
    return fb_heap.resize(fb_heap.context, block, old_size, new_size);
}

static void every_allocation_may_fail(void **state)
{
    struct fixture *f = *state;
    struct fb_span token = mint(f, FB_DEV_EDDSA, CLAIMS);
    int good = 0;
    for (long n = 0; good < 2; n++) {
        struct failing failing = {.left = n};
        struct fb_allocator allocator = {failing_resize, &failing};
        struct fb_tokens *tokens = fb_tokens_new(&allocator, 8, 0);
        if (tokens != NULL) {
            enum fb_token_status status = fb_tokens_verify(tokens, f->issuers, token, NOW, &f->bearer);
            assert_true(status == FB_TOKEN_GOOD || status == FB_TOKEN_FAILED);
            good += status == FB_TOKEN_GOOD;
            fb_tokens_free(tokens);
        }
        assert_true(n < 1000);
    }
}

static void a_hit_takes_no_memory(void **state)
{
    struct fixture *f = *state;
    struct failing failing = {.left = 1000000};
    struct fb_allocator allocator = {failing_resize, &failing};
    struct fb_tokens *tokens = fb_tokens_new(&allocator, 8, 0);
    struct fb_span token = mint(f, FB_DEV_RS256, CLAIMS);
    expect_status(fb_tokens_verify(tokens, f->issuers, token, NOW, &f->bearer), FB_TOKEN_GOOD, "miss", NULL);
    long calls = failing.calls;
    for (int i = 0; i < 100; i++) {
        expect_status(fb_tokens_verify(tokens, f->issuers, token, NOW, &f->bearer), FB_TOKEN_GOOD, "hit", NULL);
    }
    assert_int_equal(failing.calls, calls);
    assert_int_equal(fb_tokens_stats(tokens).hits, 100);
    fb_tokens_free(tokens);
}

/* Two issuers: the keys of one do not verify the tokens of the other. */
static void keys_belong_to_their_issuer(void **state)
{
    struct fixture *f = *state;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 65536);
    jwks_of(f->keys, 1u << FB_DEV_EDDSA, &text);
    struct fb_issuer issuer = plain_issuer();
    issuer.prefix = FB_SPAN("a:");
    struct fb_issuers *two = issuers_with(f, &issuer, fb_buffer_span(&text));
    fb_buffer_clear(&text);
    jwks_of(f->keys, 1u << FB_DEV_ES256, &text);
    struct fb_source source = {FB_SPAN("b.json"), fb_buffer_span(&text)};
    issuer.url = FB_SPAN("https://other.example");
    issuer.prefix = FB_SPAN("b:");
    assert_true(fb_issuers_add(two, &issuer, fb_jwks_read(&source, &f->diags, &fb_heap), &f->diags));
    const char *other = "{\"iss\":\"https://other.example\",\"aud\":\"api\",\"sub\":\"bob\",\"exp\":1700000600}";
    expect_status(fb_tokens_verify(f->tokens, two, mint(f, FB_DEV_ES256, other), NOW, &f->bearer), FB_TOKEN_GOOD,
                  "its own", f->bearer.detail);
    assert_true(fb_span_is(fb_bearer_id(&f->bearer, &f->arena), "b:bob"));
    expect_status(fb_tokens_verify(f->tokens, two, mint(f, FB_DEV_EDDSA, other), NOW, &f->bearer),
                  FB_TOKEN_UNKNOWN_KEY, "the other's key", f->bearer.detail);
    expect_status(fb_tokens_verify(f->tokens, two, sign(f, FB_DEV_EDDSA, "{\"alg\":\"EdDSA\"}", other), NOW, &f->bearer),
                  FB_TOKEN_ALGORITHM, "the other's key, no kid", f->bearer.detail);
    expect_status(fb_tokens_verify(f->tokens, two, mint(f, FB_DEV_EDDSA, CLAIMS), NOW, &f->bearer), FB_TOKEN_GOOD,
                  "first", f->bearer.detail);
    assert_true(fb_span_is(fb_bearer_id(&f->bearer, &f->arena), "a:alice"));
    fb_issuers_free(two);
    fb_buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_algorithms), cmocka_unit_test(headers_without_kid), cmocka_unit_test(times),
        cmocka_unit_test(an_expired_token_is_refused_on_a_hit), cmocka_unit_test(a_changed_key_set_invalidates),
        cmocka_unit_test(audience_is_checked_on_a_hit), cmocka_unit_test(a_hit_needs_the_whole_token),
        cmocka_unit_test(failures_are_not_stored), cmocka_unit_test(memory_and_entries_are_bounded),
        cmocka_unit_test(expired_tokens_push_nothing_out), cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_hit_takes_no_memory), cmocka_unit_test(keys_belong_to_their_issuer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
