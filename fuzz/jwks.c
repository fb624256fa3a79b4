/* SPDX-License-Identifier: Apache-2.0 */
/* Key sets. */
#include "fuzz.h"

#include "identity/identity.h"

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_source source = {FB_SPAN("jwks.json"), input};
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    struct fb_jwks *jwks = fb_jwks_read(&source, &diags, &fb_heap);
    fuzz_must((jwks != NULL) == (diags.errors == 0), "a fault is reported, and only a fault");
    fuzz_show_diags(&diags);
    if (jwks == NULL)
        return;
    fuzz_must(fb_jwks_count(jwks) != 0 && fb_jwks_count(jwks) <= FB_JWKS_KEYS_MAX, "a set has keys");
    for (size_t i = 0; i < fb_jwks_count(jwks); i++)
        fuzz_must(fb_jwks_at(jwks, i).algorithms[0] != '\0', "a key is good for something");
    fb_jwks_free(jwks);
}
