/* SPDX-License-Identifier: Apache-2.0 */
/* Which challenges go with a refusal: of what this API accepts, one for each scheme and realm (RFC 9110 section 11.6.1).
 *
 * An issuer's tokens are asked for by Bearer, by DPoP where they are bound to keys, or by both.  What is wrong with a
 * credential is told in the challenge of its kind alone: to the others it would be a lie. */
#include "guard/steps.h"

static void add_offer(struct fb_offer *list, size_t *count, enum fb_scheme scheme, struct fb_span realm)
{
    for (size_t i = 0; i < *count; i++)
        if (list[i].scheme == scheme && fb_span_eq(list[i].realm, realm))
            return;
    if (*count < FB_OFFERS_MAX)
        list[(*count)++] = (struct fb_offer){.scheme = scheme, .realm = realm,
                                             .algs = scheme == FB_SCHEME_DPOP ? FB_SPAN(FB_DPOP_ALGS) : FB_SPAN("")};
}

static struct fb_span realm_of(const struct fb_site *site, const struct fb_issuer *issuer)
{
    return issuer->realm.len != 0 ? issuer->realm : site->realm;
}

static struct fb_offer *make_offers(const struct fb_site *site, struct fb_arena *arena, size_t *count)
{
    size_t issuers = site->issuers != NULL ? fb_issuers_count(site->issuers) : 0;
    struct fb_offer *list = issuers != 0 ? fb_arena_array(arena, FB_OFFERS_MAX, sizeof *list) : NULL;
    *count = 0;
    for (size_t i = 0; list != NULL && i < issuers; i++) {
        const struct fb_issuer *issuer = fb_issuers_at(site->issuers, i);
        if (issuer->dpop != FB_DPOP_REQUIRED)
            add_offer(list, count, FB_SCHEME_BEARER, realm_of(site, issuer));
        if (issuer->dpop != FB_DPOP_OFF)
            add_offer(list, count, FB_SCHEME_DPOP, realm_of(site, issuer));
    }
    return list;
}

const struct fb_offer *fb_site_offers(const struct fb_site *site, struct fb_arena *arena, size_t *count)
{
    return make_offers(site, arena, count);
}

/* Is the offer of the kind of credentials that were presented, as far as these could be told? */
static bool is_of_kind(const struct fb_case *c, const struct fb_offer *offer)
{
    const struct fb_issuer *issuer = c->bearer.issuer;
    return offer->scheme == c->scheme && (issuer == NULL || fb_span_eq(realm_of(c->site, issuer), offer->realm));
}

void fb_case_offer(struct fb_case *c, bool cure)
{
    struct fb_refusal *refusal = &c->answer->refusal;
    size_t count, of_kind = 0, kept = 0;
    struct fb_offer *list = make_offers(c->site, c->arena, &count);
    for (size_t i = 0; i < count; i++)
        of_kind += is_of_kind(c, &list[i]);
    for (size_t i = 0; i < count; i++) {
        /* Of a kind that is not offered, as Bearer where proofs are required: then it is told to all. */
        list[i].quiet = of_kind != 0 && !is_of_kind(c, &list[i]);
        if (!cure || !list[i].quiet)
            list[kept++] = list[i];
    }
    refusal->offers = list;
    refusal->offers_count = kept;
}
