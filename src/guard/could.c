/* SPDX-License-Identifier: Apache-2.0 */
/* Counterfactuals: what could be allowed with something unknown (DESIGN §2, "Could").
 *
 * For a client without valid credentials the principal ranges over every one that the action
 * accepts, type by type, with any token; the resource is unknown whether or not it exists, so that
 * the answer does not depend on the store. */
#include "guard/steps.h"

static const struct fb_span token_field[] = {FB_SPAN_INIT("token")};

/* The parts of a token that another sign-in of the same account may bring; its other claims are the account's.
 * Scope is the first of them. */
struct fb_unknowns fb_unknown_token(bool resource)
{
    return (struct fb_unknowns){.resource = resource, .attributes = fb_token_parts, .attributes_count = FB_TOKEN_PARTS};
}

struct fb_unknowns fb_unknown_scope(bool resource)
{
    return (struct fb_unknowns){.resource = resource, .attributes = fb_token_parts, .attributes_count = 1};
}

struct fb_unknowns fb_unknown_sign_in(bool resource)
{
    return (struct fb_unknowns){.resource = resource, .attributes = fb_token_parts + 1, .attributes_count = FB_TOKEN_PARTS - 1};
}

/* An entity of that type, which one left open. */
static const struct fb_uid *any_of(struct fb_case *c, struct fb_span type)
{
    return fb_uid_new(c->arena, type, FB_SPAN(""));
}

bool fb_case_could(struct fb_case *c, const struct fb_request *request, const struct fb_unknowns *unknowns, bool *could)
{
    return fb_could_allow(c->site->policies->program, request, unknowns, NULL, c->arena, could) == FB_OK;
}

static bool is_anonymous(const struct fb_case *c, const struct fb_entity_type *type)
{
    return c->action->anonymous != NULL && fb_span_eq(type->name, fb_uid_type(c->action->anonymous));
}

/* `principal` unknown, of one type.  Nobody is known, and has no token. */
static bool could_as(struct fb_case *c, const struct fb_entity_type *type, bool *could)
{
    struct fb_request request = c->request;
    bool nobody = is_anonymous(c, type);
    const struct fb_unknowns unknowns = {.principal = !nobody, .resource = true, .context = token_field, .context_count = nobody ? 0 : 1};
    request.principal = nobody ? c->action->anonymous : any_of(c, type->name);
    if (request.principal == NULL)
        return false;
    if (fb_route_resource_is_principal(c->match.route))
        request.resource = request.principal;
    if (!fb_case_could(c, &request, &unknowns, could))
        return false;
    /* What is then explained: who could be allowed, else the first who could not. */
    if (*could || !c->unknowns.principal) {
        c->request = request;
        c->unknowns = unknowns;
    }
    return true;
}

/* Being nobody again is no sign-in: the anonymous type counts only for a client that would have to
 * drop a bad credential to be it. */
static bool counts(const struct fb_case *c, const struct fb_entity_type *type)
{
    return c->credentials == FB_CREDENTIALS_BAD || !is_anonymous(c, type);
}

bool fb_could_anybody(struct fb_case *c, bool *could)
{
    const struct fb_schema_action *declared = c->action->declared;
    *could = false;
    for (uint32_t i = 0; i < declared->principals_count && !*could; i++) {
        if (counts(c, declared->principals[i]) && !could_as(c, declared->principals[i], could))
            return false;
    }
    if (!*could && !c->unknowns.principal) {
        /* Only the anonymous type is accepted: explain as that client sees it. */
        if (c->action->anonymous == NULL && declared->principals_count == 0)
            return false;
        c->request.principal = c->action->anonymous != NULL ? c->action->anonymous
                                                            : any_of(c, declared->principals[0]->name);
        if (fb_route_resource_is_principal(c->match.route))
            c->request.resource = c->request.principal;
        c->unknowns = (struct fb_unknowns){.principal = c->action->anonymous == NULL, .resource = true};
        return c->request.principal != NULL;
    }
    return true;
}

bool fb_could_somewhere(struct fb_case *c, bool *could)
{
    c->unknowns = (struct fb_unknowns){.resource = true};
    return fb_case_could(c, &c->request, &c->unknowns, could);
}
