/* SPDX-License-Identifier: Apache-2.0 */
/* A token's payload. */
#include "fuzz.h"

#include "identity/jws.h"

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_token token;
    const char *detail = NULL;
    enum fb_token_status status = fb_claims_read(input, arena, &token, &detail);
    if (status != FB_TOKEN_GOOD) {
        fuzz_must(status == FB_TOKEN_MALFORMED && detail != NULL, "a refusal says why");
        return;
    }
    fuzz_must(fuzz_is_json(input, arena), "claims are JSON");
    for (size_t i = 0; i < token.claims_count; i++) {
        const struct fb_claim *claim = &token.claims[i];
        fuzz_must(fb_token_claim(&token, claim->name) == claim, "claims are found by name");
        fuzz_must(claim->kind != FB_CLAIM_STRING || claim->strings.count == 1, "a string is a list of one");
        for (size_t j = 0; j < claim->strings.count; j++)
            fuzz_must(fb_utf8_valid(claim->strings.list[j]) == claim->strings.list[j].len, "strings are UTF-8");
    }
    const struct fb_claim *scope = fb_token_claim(&token, FB_SPAN("scope"));
    for (size_t i = 0; scope != NULL && scope->kind == FB_CLAIM_STRING && i < token.scope.count; i++)
        fuzz_must(token.scope.list[i].len != 0 && fb_span_find(token.scope.list[i], ' ') == token.scope.list[i].len,
                  "the scopes of a text are split at its spaces");
}
