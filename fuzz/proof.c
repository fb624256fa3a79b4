/* SPDX-License-Identifier: Apache-2.0 */
/* A proof of possession as it comes from a client, taken apart and held against a request.  Nobody can sign for a key
 * that the input chose, save whoever made the corpus; whatever is read must be whole. */
#include "fuzz.h"

#include "identity/proof.h"

#define NOW_MS INT64_C(1562262618000)

static struct fb_tokens *tokens;

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_proof proof;
    const char *detail = NULL;
    if (tokens == NULL)
        tokens = fb_tokens_new(&fb_heap, 8, 0);
    if (!fb_proof_read(input, &fb_heap, arena, &proof, &detail)) {
        fuzz_must(detail != NULL && proof.keys == NULL, "a refusal says why, and leaves nothing");
        return;
    }
    fuzz_must(proof.key.len == FB_THUMBPRINT_LEN && proof.id.len != 0 && proof.method.len != 0, "a proof is whole");
    fuzz_must(proof.signed_text.ptr == input.ptr && proof.signed_text.len < input.len, "what is signed is its start");
    const struct fb_proof_use use = {.method = proof.method, .origin = FB_SPAN("https://resource.example.org"),
                                     .path = FB_SPAN("/protectedresource"), .token = FB_SPAN("t"), .now_ms = NOW_MS};
    fuzz_must(fb_proof_check(tokens, &proof, &use, &detail) != FB_PROOF_GOOD || detail == NULL, "a refusal says why");
    fb_proof_release(&proof);
}
