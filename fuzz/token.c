/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens whose signature is good, so that what is behind it is reached: the input's first line is the header,
 * the rest the payload.  What is accepted must have been meant for us and for now; a second look, from the
 * cache, must come to the same. */
#include "fuzz.h"

#include "identity/identity.h"

#define NOW_MS INT64_C(1700000000000)

static struct fb_dev_key *key;
static struct fb_issuers *issuers;
static struct fb_tokens *tokens;

/* Once: OpenSSL's keys are slow to make, and outlive every input. */
static void set_up(struct fb_arena *arena)
{
    static const struct fb_span audiences[] = {FB_SPAN_INIT("api")};
    struct fb_issuer issuer = {.url = FB_SPAN("https://id.example"), .jwks = FB_SPAN("keys"), .audiences = audiences,
                               .audiences_count = 1, .principal = FB_SPAN("User"), .claim = FB_SPAN("sub"),
                               .leeway_s = FB_LEEWAY_DEFAULT};
    struct fb_buffer text;
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    fb_buffer_init(&text, &fb_heap, (size_t)1 << 16);
    key = fb_dev_key_new(FB_DEV_EDDSA, &fb_heap, NULL);
    issuers = fb_issuers_new(&fb_heap);
    tokens = fb_tokens_new(&fb_heap, 64, (size_t)1 << 20);
    fuzz_must(key != NULL && fb_dev_key_jwks(key, &text), "a key is made");
    struct fb_source source = {FB_SPAN("keys"), fb_buffer_span(&text)};
    fuzz_must(fb_issuers_add(issuers, &issuer, fb_jwks_read(&source, &diags, &fb_heap), &diags), "an issuer is added");
    fb_buffer_release(&text);
}

static bool contains(struct fb_strings strings, const char *text)
{
    for (size_t i = 0; i < strings.count; i++)
        if (fb_span_is(strings.list[i], text))
            return true;
    return false;
}

static void check_good(const struct fb_bearer *bearer, struct fb_arena *arena)
{
    const struct fb_token *token = bearer->token;
    fuzz_must(token != NULL && bearer->issuer != NULL && bearer->name.len != 0, "a good token names somebody");
    fuzz_must(fb_span_is(token->issuer, "https://id.example") && contains(token->audience, "api"), "… to us");
    fuzz_must(token->expires_ms + FB_LEEWAY_DEFAULT * 1000 > NOW_MS && !token->bound, "… for now");
    fuzz_must(!token->has_not_before || token->not_before_ms - FB_LEEWAY_DEFAULT * 1000 <= NOW_MS, "… and not for later");
    fuzz_must(fb_span_eq(fb_bearer_id(bearer, arena), bearer->name), "the id is the name");
    for (size_t i = 0; i < token->claims_count; i++)
        fuzz_must(fb_token_claim(token, token->claims[i].name) == &token->claims[i], "claims are found by name");
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_bearer bearer;
    struct fb_buffer text;
    if (key == NULL)
        set_up(arena);
    fb_buffer_init(&text, &fb_heap, (size_t)1 << 20);
    struct fb_span header = fuzz_line(&input);
    fuzz_must(fb_token_sign(key, header, input, &text, NULL), "anything can be signed");
    enum fb_token_status first = fb_tokens_verify(tokens, issuers, fb_buffer_span(&text), NOW_MS, &bearer);
    fuzz_must(first != FB_TOKEN_FAILED, "a token is judged");
    if (first == FB_TOKEN_GOOD)
        check_good(&bearer, arena);
    else
        fuzz_must(fb_token_status_name(first)[0] != '\0' && bearer.detail != NULL, "a refusal says why");
    fuzz_must(fb_tokens_verify(tokens, issuers, fb_buffer_span(&text), NOW_MS, &bearer) == first, "the cache agrees");
    if (text.len != 0 && first == FB_TOKEN_GOOD) {
        char *last = text.ptr + text.len - 3;
        *last = *last == 'A' ? 'B' : 'A';
        fuzz_must(fb_tokens_verify(tokens, issuers, fb_buffer_span(&text), NOW_MS, &bearer) == FB_TOKEN_BAD_SIGNATURE,
                  "another signature is refused");
    }
    fb_buffer_release(&text);
}
