/* SPDX-License-Identifier: Apache-2.0 */
/* Row 6 of the refusal rule: what another token of the same account could change.
 *
 * First whether any could: scope, acr, amr and authTime of the token unknown together.  If so, cures are
 * looked for among what the policies name (cures.h), and each is verified before it is told: the request is
 * decided again as if the token had exactly these scopes, this acr, a sign-in so long ago.  Where a cure
 * exists and none can be named the challenge goes without, which RFC 6750 section 3 and RFC 9470 section 3
 * allow.
 *
 * Scope alone is a 403 `insufficient_scope`; a stronger or fresher sign-in a 401
 * `insufficient_user_authentication`, with the scopes in the same challenge if those are needed too. */
#include "guard/cures.h"
#include "guard/steps.h"

/* For one refusal: decisions, and policies asked in all of them, so that a long list of candidates before a long
 * list of policies costs a client's neighbours little.  A thousand policies of some fifty clauses each, made to be hard,
 * took 14 to 27 ms. */
#define TRIES_MAX 512u
#define TRIES_MIN 16u
#define WORK_MAX 16384u
#define NO_AGE UINT32_MAX

struct search {
    struct fb_case *c;
    const struct fb_cures *cures;
    bool anywhere;              /* the resource is unknown */
    unsigned tries, limit;
    bool cannot;
    struct fb_span scopes[FB_CURES_MAX];    /* of the token that is being tried */
};

/* A token that another sign-in could bring.  The zero value is the one that is there. */
struct other {
    bool scoped;                /* exactly `scopes` */
    const struct fb_span *scopes;
    uint32_t scopes_count;
    struct fb_span acr;         /* empty: as it is */
    uint32_t age;               /* NO_AGE: as it is */
};

static const struct other same_token = {.age = NO_AGE};

/* Is the request allowed with that token; with the resource unknown, could it be? */
static bool works(struct search *s, const struct other *other)
{
    struct fb_case *c = s->c;
    struct fb_token_facts facts = c->facts;
    struct fb_request request = c->request;
    struct fb_span why;
    bool could = false;
    if (s->cannot || s->tries++ >= s->limit)
        return false;
    if (other->scoped) {
        facts.scopes = other->scopes;
        facts.scopes_count = other->scopes_count;
    }
    if (other->acr.len != 0) {
        facts.has_acr = true;
        facts.acr = other->acr;
    }
    if (other->age != NO_AGE) {
        facts.has_auth_time = true;
        /* Whole seconds, no more than `age` ago. */
        facts.auth_time = (c->http->now_ms + 999) / 1000 - (int64_t)other->age;
    }
    if (fb_context_build(c->action, c->http, &facts, c->site->geo, c->arena, &request.context, &why) != FB_CONTEXT_OK) {
        s->cannot = true;
        return false;
    }
    const struct fb_unknowns unknowns = {.resource = s->anywhere};
    s->cannot = !fb_case_could(c, &request, &unknowns, &could);
    return could && !s->cannot;
}

/* --- Scopes ---------------------------------------------------------------------------------------------- */

/* The next larger number with as many bits set. */
static uint32_t next_choice(uint32_t set)
{
    uint32_t low = set & (~set + 1), ripple = set + low;
    return ripple | ((ripple ^ set) >> 2) / low;
}

static void choose(struct search *s, uint32_t set, struct other *other)
{
    other->scoped = true;
    other->scopes = s->scopes;
    other->scopes_count = 0;
    for (uint32_t i = 0; i < s->cures->scopes_count; i++)
        if ((set & 1u << i) != 0)
            s->scopes[other->scopes_count++] = s->cures->scopes[i];
}

/* A smallest set of scopes with which `other` works; what the token has and needs is part of it.  No scope at
 * all is not asked for: a challenge could not say so. */
static bool find_scopes(struct search *s, struct other *other, unsigned tries)
{
    uint32_t n = s->cures->scopes_count, all = (1u << n) - 1;
    unsigned until = s->tries + tries;
    for (uint32_t size = 1; size <= n; size++) {
        uint32_t set = (1u << size) - 1;
        for (; set <= all && s->tries < until; set = next_choice(set)) {
            choose(s, set, other);
            if (works(s, other))
                return true;
        }
    }
    /* Too many to try: all of them, and then without each that is not needed. */
    choose(s, all, other);
    if (n == 0 || s->tries < until || !works(s, other)) {
        other->scoped = false;
        return false;
    }
    uint32_t set = all;
    for (uint32_t i = 0; i < n; i++) {
        choose(s, set & ~(1u << i), other);
        if (works(s, other))
            set &= ~(1u << i);
    }
    choose(s, set, other);
    return true;
}

/* --- Sign-ins ---------------------------------------------------------------------------------------------- */

/* The longest age that works, so that no more is asked than is needed.  Whoever has just signed in must be let
 * through as well, for that is what the client will do. */
static bool find_age(struct search *s, struct other *other)
{
    other->age = 0;
    for (uint32_t i = s->cures->ages_count; i > 0 && works(s, other); i--) {
        other->age = s->cures->ages[i - 1];
        if (works(s, other))
            return true;
        other->age = 0;
    }
    other->age = NO_AGE;
    return false;
}

/* An acr, an age, or both. */
static bool find_sign_in(struct search *s, struct other *other)
{
    for (uint32_t i = 0; i < s->cures->acrs_count; i++) {
        other->acr = s->cures->acrs[i];
        if (works(s, other))
            return true;
    }
    other->acr = fb_span(NULL, 0);
    if (find_age(s, other))
        return true;
    for (uint32_t i = 0; i < s->cures->acrs_count; i++) {
        other->acr = s->cures->acrs[i];
        if (find_age(s, other))
            return true;
    }
    other->acr = fb_span(NULL, 0);
    return false;
}

/* A permit with `@acr` or `@max_age` vouches that such a sign-in meets its clauses about sign-ins. */
static bool find_vouched(struct search *s, struct other *other)
{
    struct fb_case *c = s->c;
    const struct fb_policies *policies = c->site->policies;
    const uint8_t *outcomes;
    const struct fb_unknowns unknowns = fb_unknown_sign_in(s->anywhere);
    bool could = false;
    if (!s->cures->vouched)
        return false;
    struct fb_request request = c->request;
    struct fb_token_facts facts = c->facts;
    struct fb_span why;
    if (other->scoped) {
        facts.scopes = other->scopes;
        facts.scopes_count = other->scopes_count;
    }
    if (fb_context_build(c->action, c->http, &facts, c->site->geo, c->arena, &request.context, &why) != FB_CONTEXT_OK
        || !fb_case_could(c, &request, &unknowns, &could)
        || fb_outcomes(policies->program, &request, &unknowns, c->arena, &outcomes) != FB_OK) {
        s->cannot = true;
        return false;
    }
    size_t count = could ? fb_program_count(policies->program) : 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct fb_rule *rule = &policies->rules[i];
        if ((rule->acr.len == 0 && !rule->has_max_age) || (outcomes[i] & FB_CAN_TRUE) == 0)
            continue;
        other->acr = rule->acr;
        other->age = rule->has_max_age ? rule->max_age : NO_AGE;
        return true;
    }
    return false;
}

/* --- What is told ------------------------------------------------------------------------------------------ */

static struct fb_span join_scopes(struct fb_case *c, const struct other *other)
{
    struct fb_span joined = {0, NULL};
    for (uint32_t i = 0; other->scoped && i < other->scopes_count; i++)
        joined = fb_arena_format(c->arena, "%.*s%s%.*s", (int)joined.len, joined.ptr, i == 0 ? "" : " ",
                                 (int)other->scopes[i].len, other->scopes[i].ptr);
    return joined;
}

static void challenge(struct fb_case *c, unsigned status, enum fb_reason reason, const struct other *cure)
{
    fb_refuse(c, status, reason);
    struct fb_refusal *refusal = &c->answer->refusal;
    refusal->challenge = true;
    fb_case_offer(c, true);
    refusal->challenge_error = fb_reason_code(reason);
    refusal->scope = join_scopes(c, cure);
    if (status != 401)
        return;
    refusal->acr_values = cure->acr;
    refusal->has_max_age = cure->age != NO_AGE;
    refusal->max_age = refusal->has_max_age ? cure->age : 0;
}

/* A stronger or fresher sign-in, with the token's own scopes if they do, else with others: then all scopes that
 * the policies name first, to find the sign-in, and of those as few as do. */
static bool find_step_up(struct search *s, struct other *cure)
{
    uint32_t all = (1u << s->cures->scopes_count) - 1;
    *cure = same_token;
    if (find_vouched(s, cure) || find_sign_in(s, cure))
        return true;
    if (all != 0) {
        choose(s, all, cure);
        if (find_vouched(s, cure) || find_sign_in(s, cure)) {
            /* A sign-in that a permit only vouches for cannot be decided with: then all are named. */
            if (!find_scopes(s, cure, s->limit / 4))
                choose(s, all, cure);
            return true;
        }
    }
    *cure = same_token;
    return false;
}

static unsigned limit_of(const struct fb_case *c)
{
    size_t policies = c->request.concerned != NULL ? c->request.concerned->count
                                                   : fb_program_count(c->site->policies->program);
    size_t tries = WORK_MAX / (policies + 1);
    return tries > TRIES_MAX ? TRIES_MAX : tries < TRIES_MIN ? TRIES_MIN : (unsigned)tries;
}

bool fb_refuse_curable(struct fb_case *c, bool anywhere)
{
    struct search s = {.c = c, .cures = &c->site->policies->cures[c->action->index], .anywhere = anywhere,
                       .limit = limit_of(c)};
    struct other cure = same_token;
    bool could = false, by_scope = false;
    if (!s.cures->reads || (c->site->issuers == NULL && c->assumed == NULL))
        return false;
    const struct fb_unknowns all = fb_unknown_token(anywhere), scope = fb_unknown_scope(anywhere);
    if (!fb_case_could(c, &c->request, &all, &could) || (could && !fb_case_could(c, &c->request, &scope, &by_scope))) {
        fb_refuse_cannot(c, "the policies could not be evaluated");
        return true;
    }
    if (!could)
        return false;
    if (by_scope && find_scopes(&s, &cure, s.limit / 2))
        challenge(c, 403, FB_REASON_INSUFFICIENT_SCOPE, &cure);
    else if (find_step_up(&s, &cure) || !by_scope)
        challenge(c, 401, FB_REASON_INSUFFICIENT_SIGN_IN, &cure);
    else
        challenge(c, 403, FB_REASON_INSUFFICIENT_SCOPE, &same_token);
    if (s.cannot)
        fb_refuse_cannot(c, "the policies could not be evaluated");
    return true;
}
