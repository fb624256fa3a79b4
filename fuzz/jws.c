/* SPDX-License-Identifier: Apache-2.0 */
/* A token as it comes from a client, taken apart; nothing is proved of it yet.  What is taken apart must be the
 * only text of its bytes. */
#include "fuzz.h"

#include "identity/base64url.h"
#include "identity/jws.h"

static void check_parts(struct fb_span token, const struct fb_jws *jws)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, (size_t)1 << 20);
    fuzz_must(jws->signed_text.ptr == token.ptr && jws->signed_text.len < token.len, "what is signed is the token's start");
    fb_buffer_add(&text, fb_span_head(jws->signed_text, fb_span_find(jws->signed_text, '.') + 1));
    fb_base64url_add(&text, jws->payload.ptr, jws->payload.len);
    fb_buffer_add_char(&text, '.');
    fb_base64url_add(&text, jws->signature, jws->signature_len);
    fuzz_must_show(fb_span_eq(fb_buffer_span(&text), token), "a token has one text", fb_buffer_span(&text));
    fb_buffer_release(&text);
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_jws jws;
    struct fb_token token;
    const char *detail = NULL;
    enum fb_token_status status = fb_jws_read(input, arena, &jws, &detail);
    fuzz_must(status == FB_TOKEN_GOOD || status == FB_TOKEN_MALFORMED || status == FB_TOKEN_ALGORITHM
                  || status == FB_TOKEN_BAD_SIGNATURE || arena->failed, "a token is taken apart or refused");
    if (status != FB_TOKEN_GOOD) {
        fuzz_must(detail != NULL, "a refusal says why");
        return;
    }
    check_parts(input, &jws);
    (void)fb_claims_read(jws.payload, arena, &token, &detail);
}
