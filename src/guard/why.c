/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid why`: the same steps as a real request takes, and then each policy that mattered, clause by
 * clause.  Nothing here decides anything. */
#include "guard/secret.h"

static void explain_all(struct fb_case *c, struct fb_why *why)
{
    struct fb_unknowns unknowns = c->unknowns;
    struct fb_explained explained;
    /* The reason was looked for as if any token might come; an operator wants to see this one. */
    if (c->credentials == FB_CREDENTIALS_VALID)
        unknowns.attributes_count = 0;
    why->unknowns = unknowns;
    if (fb_explain_decision(c->site->policies->program, &c->request, &unknowns, c->answer->forward, FB_WHY_MAX, c->arena,
                            &explained) != FB_OK)
        return;
    memcpy(why->policies, explained.policies, explained.count * sizeof *why->policies);
    why->policies_count = explained.count;
}

static const struct fb_span *name_concealing(struct fb_case *c)
{
    uint32_t policy;
    struct fb_span *id = fb_secret_concealing(c, &policy) ? fb_arena_alloc(c->arena, sizeof *id) : NULL;
    if (id != NULL)
        *id = fb_program_id(c->site->policies->program, policy);
    return id;
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
    if (why->answer.hidden)
        why->concealing = name_concealing(c);
    if (c->evaluated)
        explain_all(c, why);
}
