/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid why`: the same steps as a real request takes, and then each policy that mattered, clause by
 * clause.  Nothing here decides anything. */
#include "guard/steps.h"

/* Does the explanation say why?  What it adds is sorted by rank, then by unmet clauses. */
static unsigned rank(const struct fb_program *program, const struct fb_explanation *e)
{
    bool permit = fb_program_policy(program, e->policy)->effect == FB_PERMIT;
    if (!permit && (e->outcomes & FB_CAN_TRUE) != 0)
        return 0;
    if (!permit && (e->outcomes & FB_CAN_ERR) != 0)
        return 1;
    if (permit && (e->outcomes & FB_CAN_TRUE) != 0)
        return 2;
    return permit ? 3 : 4;
}

static bool before(const struct fb_program *program, const struct fb_explanation *a, const struct fb_explanation *b)
{
    unsigned ra = rank(program, a), rb = rank(program, b);
    return ra != rb ? ra < rb : a->unmet < b->unmet;
}

/* Keeps the FB_WHY_MAX that matter most, in order. */
static void keep(struct fb_why *why, const struct fb_program *program, const struct fb_explanation *e)
{
    size_t at = why->policies_count;
    while (at > 0 && before(program, e, &why->policies[at - 1]))
        at--;
    if (at == FB_WHY_MAX)
        return;
    size_t moved = why->policies_count - at;
    if (why->policies_count < FB_WHY_MAX)
        why->policies_count++;
    else
        moved--;
    memmove(&why->policies[at + 1], &why->policies[at], moved * sizeof *e);
    why->policies[at] = *e;
}

static void explain_all(struct fb_case *c, struct fb_why *why)
{
    const struct fb_program *program = c->site->policies->program;
    size_t count = fb_program_count(program);
    struct fb_unknowns unknowns = c->unknowns;
    /* The reason was looked for as if any token might come; an operator wants to see this one. */
    if (c->credentials == FB_CREDENTIALS_VALID)
        unknowns.attributes_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct fb_explanation e;
        if (fb_explain(program, i, &c->request, &unknowns, true, c->arena, &e) != FB_OK)
            return;
        /* A forbid that cannot hit explains nothing. */
        if (e.fits && rank(program, &e) < 4)
            keep(why, program, &e);
    }
}

void fb_guard_why(struct fb_guard *guard, const struct fb_site *site, const struct fb_http_request *request,
                  const struct fb_assumed *assumed, struct fb_why *why)
{
    *why = (struct fb_why){.evaluated = false};
    /* It lives as long as the answer: explanations and the request point into it. */
    struct fb_case *c = fb_arena_alloc(&guard->arena, sizeof *c);
    if (c == NULL) {
        why->answer.refusal = (struct fb_refusal){.status = 503, .reason = fb_reason_code(FB_REASON_UNAVAILABLE)};
        return;
    }
    *c = (struct fb_case){.guard = guard, .site = site, .http = request, .answer = &why->answer, .arena = &guard->arena,
                          .assumed = assumed};
    if (assumed != NULL) {
        c->request.principal = assumed->principal;
        c->credentials = FB_CREDENTIALS_VALID;
        c->facts = (struct fb_token_facts){.scopes = assumed->scopes, .scopes_count = assumed->scopes_count};
    }
    fb_case_run(c);
    why->route = c->action != NULL ? c->match.route : NULL;
    why->request = c->request;
    why->evaluated = c->evaluated;
    why->unknown_principal = c->unknowns.principal;
    why->unknown_resource = c->unknowns.resource;
    if (c->evaluated)
        explain_all(c, why);
}
