/* SPDX-License-Identifier: Apache-2.0 */
/* What a secret action answers, so that who may not know of a resource cannot tell it from one that is not there
 * (DESIGN §2, "Existence"; docs/decisions/0008 says what is hidden and how well).
 *
 * First the resource is taken as unknown.  If none could be allowed, that is the answer for each, and no row is
 * read.  Else a resource is weighed: the one that is asked for or, where it is not there, another of its type that
 * stands in for it, so that absent and hidden cost the same walk down the store, the same evaluations, the same
 * page.  What the stand-in comes to is thrown away.
 *
 *      absent                                                             404
 *      allowed                                                            forward
 *      refused, and a concealing forbid hit or erred, or this client
 *      may not do the action that `@conceal` names                        404
 *      else                                                               rows 4, 6 and 8
 *
 * Whatever closes is taken for hidden: a concealing forbid that errs might have hit; whose account is not open
 * for the viewing action, or is of a type or in circumstances that it does not take, may not do it. */
#include "guard/secret.h"

/* What was weighed: the resource, or what stood in for it. */
struct subject {
    bool there;                         /* it is the resource, and where the path says */
    const struct fb_uid *uid;
    const struct fb_entity *entity;
};

const struct fb_secret *fb_case_secret(const struct fb_case *c)
{
    const struct fb_policies *policies = c->site->policies;
    if (!policies->any_secret || c->action == NULL)
        return NULL;
    const struct fb_secret *secret = &policies->secrets[c->action->index];
    if (!fb_secret_is(secret) || c->request.resource == NULL)
        return NULL;
    /* A forbid may conceal one of an action's types, and the upstream know of the other. */
    const struct fb_entity_type *type = fb_schema_type_of(policies->schema, c->request.resource);
    return type != NULL && type->requires_attributes ? secret : NULL;
}

static const struct fb_uid *stand_in_of(const struct fb_case *c, const struct fb_secret *secret)
{
    const struct fb_schema_action *action = c->action->declared;
    for (uint32_t i = 0; i < action->resources_count; i++)
        if (fb_uid_is(c->request.resource, action->resources[i]->name_hash, action->resources[i]->name))
            return secret->stand_ins[i];
    return NULL;
}

static bool cannot(struct fb_case *c, const char *fault)
{
    fb_refuse_cannot(c, fault);
    return false;
}

/* Finds what is weighed.  False: answered, with 503. */
static bool find_subject(struct fb_case *c, const struct fb_secret *secret, struct subject *subject)
{
    const struct fb_uid *within = NULL;
    subject->uid = c->request.resource;
    enum fb_found found = fb_view_near(&c->view, stand_in_of(c, secret), &subject->uid, &subject->entity);
    if (found == FB_BROKEN)
        return cannot(c, "the resource's entity cannot be read");
    subject->there = found == FB_FOUND;
    if (!fb_match_within(&c->match, c->arena, &within))
        return cannot(c, "no memory for a resource");
    enum fb_found in = within != NULL ? fb_entity_in(&c->entities, subject->uid, within) : FB_FOUND;
    if (in == FB_BROKEN && subject->there)
        return cannot(c, "the resource's entity cannot be read");
    subject->there = subject->there && in == FB_FOUND;
    return true;
}

/* --- Weighing ---------------------------------------------------------------------------------------------------- */

static bool forbid_erred(const struct fb_case *c, const struct fb_decision *decision)
{
    for (uint32_t i = 0; i < decision->errors_count; i++)
        if (fb_program_policy(c->site->policies->program, decision->errors[i].policy)->effect == FB_FORBID)
            return true;
    return false;
}

static bool is_open(const struct fb_case *c, const struct fb_action *action)
{
    return c->account == FB_ACCOUNT_ACTIVE || (c->account == FB_ACCOUNT_SUSPENDED && (action->accounts & FB_OPEN_SUSPENDED) != 0)
           || (c->account == FB_ACCOUNT_DISABLED && (action->accounts & FB_OPEN_DISABLED) != 0);
}

static bool accepts_type(const struct fb_action *action, const struct fb_uid *principal)
{
    for (uint32_t i = 0; i < action->principals_count; i++)
        if (fb_uid_is(principal, action->principals[i]->name_hash, action->principals[i]->name))
            return true;
    return false;
}

/* Could this client do the viewing action on anything; and the request for it, but for the resource.  Before the
 * resource is looked at, since it is the same for each.  False: answered, with 503. */
static bool prepare_viewing(struct fb_case *c, const struct fb_action *viewing, struct fb_request *request, bool *open)
{
    struct fb_span why;
    *request = c->request;
    *open = is_open(c, viewing) && accepts_type(viewing, c->request.principal);
    if (viewing == c->action)
        return true;
    request->action = viewing->uid;
    request->concerned = c->site->policies->concerned[viewing->index];
    switch (fb_context_build(viewing, c->http, &c->facts, c->site->geo, c->arena, &request->context, &why)) {
    case FB_CONTEXT_OK:
        return true;
    case FB_CONTEXT_BAD:
        *open = false;
        request->context = c->request.context;
        return true;
    case FB_CONTEXT_CANNOT:
        break;
    }
    return cannot(c, "the context of the viewing action could not be built");
}

static bool decide(struct fb_case *c, struct fb_request *request, const struct subject *subject, struct fb_decision *decision)
{
    request->resource = subject->uid;
    request->resource_entity = subject->entity;
    return fb_decide(c->site->policies->program, request, c->arena, decision) == FB_OK
           || cannot(c, "the policies could not be evaluated");
}

/* Did a concealing forbid hit, or might it have? */
bool fb_secret_concealing(const struct fb_case *c, uint32_t *policy)
{
    const bool *conceals = c->site->policies->conceals;
    bool hit = false;
    for (uint32_t i = 0; i < c->decision.errors_count; i++)
        if (conceals[c->decision.errors[i].policy]) {
            *policy = c->decision.errors[i].policy;
            hit = true;
        }
    for (uint32_t i = 0; i < c->decision.forbids_count; i++)
        if (conceals[c->decision.forbids[i]]) {
            *policy = c->decision.forbids[i];
            hit = true;
        }
    return hit;
}

/* c->decision of the subject, and whether this client may know of it.  False: answered, with 503. */
static bool weigh(struct fb_case *c, const struct fb_secret *secret, const struct subject *subject, bool *may_know)
{
    struct fb_request viewing_request;
    struct fb_decision viewing;
    uint32_t policy;
    bool open = true;
    if (secret->viewing != NULL && !prepare_viewing(c, secret->viewing, &viewing_request, &open))
        return false;
    if (!decide(c, &c->request, subject, &c->decision))
        return false;
    *may_know = !fb_secret_concealing(c, &policy);
    if (secret->viewing == NULL)
        return true;
    if (secret->viewing == c->action)
        viewing = c->decision;
    else if (!decide(c, &viewing_request, subject, &viewing))
        return false;
    *may_know = *may_know && open && viewing.allow && !forbid_erred(c, &viewing);
    return true;
}

/* --- Answers ------------------------------------------------------------------------------------------------------ */

/* Nobody could be allowed on any: by the law alone, by this token, or at all. */
static void refuse_everywhere(struct fb_case *c)
{
    const struct fb_policies *policies = c->site->policies;
    uint32_t policy;
    bool could = false, found = false;
    if (policies->any_legal
        && (fb_could_allow(policies->program, &c->request, &c->unknowns, policies->legal, c->arena, &could) != FB_OK
            || (could && fb_hitting_forbid(policies->program, &c->request, &c->unknowns, policies->legal, c->arena, &policy, &found) != FB_OK))) {
        cannot(c, "the policies could not be evaluated");
        return;
    }
    if (found && policies->legal[policy])
        fb_refuse_legal(c, policy);
    else if (!fb_refuse_curable(c, true))
        fb_refuse_by_policies(c);
}

/* The one page.  What it hides is for the log. */
static void refuse_as_absent(struct fb_case *c, bool hidden)
{
    uint32_t policy;
    bool faulty = hidden && fb_case_forbid_erred(c, &policy);
    fb_refuse(c, 404, FB_REASON_NOT_FOUND);
    c->answer->hidden = hidden;
    if (faulty)
        fb_case_tell_fault(c, policy);
}

void fb_secret_answer(struct fb_case *c, const struct fb_secret *secret)
{
    const struct fb_uid *resource = c->request.resource;
    struct subject subject = {.there = false};
    bool could, may_know = false;
    c->evaluated = true;
    if (!fb_could_somewhere(c, &could)) {
        fb_refuse_cannot(c, "the policies could not be evaluated");
        return;
    }
    if (!could) {
        refuse_everywhere(c);
        return;
    }
    c->unknowns = (struct fb_unknowns){.resource = false};
    if (!find_subject(c, secret, &subject) || !weigh(c, secret, &subject, &may_know))
        return;
    c->request.resource = resource;
    if (!subject.there) {
        c->request.resource_entity = NULL;
        c->unknowns.resource = true;
        refuse_as_absent(c, false);
    } else if (!fb_case_conclude_allow(c)) {
        if (!may_know)
            refuse_as_absent(c, true);
        else if (!fb_case_conclude_refusal(c) && !fb_refuse_curable(c, false))
            fb_refuse_by_policies(c);
    }
}

/* Rows 3 and 4 look at the resource for somebody who is nobody, too, even at one that is not there.  So both that
 * one and one that is there are decided on in each case, in the same order, and one of the two counts. */
bool fb_secret_decide_anonymous(struct fb_case *c, const struct fb_secret *secret, bool *within)
{
    const struct fb_uid *resource = c->request.resource, *narrowed = NULL;
    struct subject subject = {.there = false}, absent = {.uid = resource};
    struct fb_decision with, without;
    if (!find_subject(c, secret, &subject))
        return false;
    bool there = fb_uid_eq(subject.uid, resource);
    if (there) {
        struct fb_span id = fb_uid_id(resource), type = fb_uid_type(resource);
        absent.uid = fb_uid_of_type(c->arena, type, resource->type_hash, fb_arena_format(c->arena, "%.*s~", (int)id.len, id.ptr));
    }
    if (absent.uid == NULL || !fb_match_within(&c->match, c->arena, &narrowed))
        return cannot(c, "no memory for a resource");
    if (!decide(c, &c->request, &subject, &with) || !decide(c, &c->request, &absent, &without))
        return false;
    c->decision = there ? with : without;
    c->request.resource = resource;
    c->request.resource_entity = NULL;
    *within = subject.there || narrowed == NULL;
    return true;
}
