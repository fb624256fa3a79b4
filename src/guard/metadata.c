/* SPDX-License-Identifier: Apache-2.0 */
/* What a location says of itself as a protected resource (RFC 9728): its issuers, and the scopes that its
 * policies name. */
#include "guard/cures.h"

#define SCOPES_MAX 256u

bool fb_site_describe(const struct fb_site *site, struct fb_arena *arena, struct fb_metadata *metadata)
{
    size_t issuers = site->issuers != NULL ? fb_issuers_count(site->issuers) : 0;
    struct fb_span *urls = fb_arena_array(arena, issuers + 1, sizeof *urls);
    struct fb_span *scopes = fb_arena_array(arena, SCOPES_MAX, sizeof *scopes);
    size_t count = 0;
    if (urls == NULL || scopes == NULL)
        return false;
    size_t bound = 0, required = 0;
    for (size_t i = 0; i < issuers; i++) {
        bound += fb_issuers_at(site->issuers, i)->dpop != FB_DPOP_OFF;
        required += fb_issuers_at(site->issuers, i)->dpop == FB_DPOP_REQUIRED;
    }
    for (size_t i = 0; i < issuers; i++)
        urls[i] = fb_issuers_at(site->issuers, i)->url;
    for (uint32_t a = 0; a < site->policies->schema->actions_count; a++)
        for (uint32_t s = 0; s < site->policies->cures[a].scopes_count; s++) {
            struct fb_span scope = site->policies->cures[a].scopes[s];
            bool known = false;
            for (size_t k = 0; k < count && !known; k++)
                known = fb_span_eq(scopes[k], scope);
            if (!known && count < SCOPES_MAX)
                scopes[count++] = scope;
        }
    *metadata = (struct fb_metadata){.resource = site->resource, .issuers = urls, .issuers_count = issuers, .scopes = scopes,
                                     .scopes_count = count, .dpop_algs = bound != 0 ? FB_SPAN(FB_DPOP_ALGS) : FB_SPAN(""),
                                     .dpop_required = issuers != 0 && required == issuers};
    return true;
}
