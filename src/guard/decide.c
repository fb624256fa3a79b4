/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of one request, in the order of the refusal rule (DESIGN §2, its table): the first row
 * that applies answers.  Each step returns false when it has answered.
 *
 *      0  a script's preflight                     204
 *      1  target, credential fields, parameters    400
 *      2  route                                    404, 405
 *      –  store                                    503
 *      3  the policies allow                       forward
 *      4  all but the legal forbids do             451
 *      5  a sign-in could help                     401
 *      6  another token of this account could      401, 403 with a challenge
 *      7  there is no such resource                404
 *      8  otherwise                                403
 *
 * Rows 3 to 8 of secret actions are secret.c's.
 *
 * What is wrong with the account is told in place of rows 4 to 8, since nothing else matters to who
 * is suspended. */
#include "guard/secret.h"

static bool read_target(struct fb_case *c)
{
    enum fb_target_fault fault = fb_target_read(c->http, &c->target);
    if (fault == FB_TARGET_OK)
        return true;
    if (fault == FB_TARGET_LONG) {
        fb_refuse(c, 414, FB_REASON_TARGET_TOO_LONG);
    } else {
        fb_refuse(c, 400, FB_REASON_AMBIGUOUS_TARGET);
        c->answer->refusal.detail = fb_span_z(fb_target_fault_text(fault));
    }
    return false;
}

/* Row 0: a script asks what it may send (Fetch section 4.8).  It has no credentials to show, and is told what
 * anybody is told by a 405.  A route that no path has, or that only takes OPTIONS, goes on as any request. */
static bool is_preflight(struct fb_case *c)
{
    struct fb_http_cursor cursor = {NULL, 0};
    struct fb_http_field field;
    struct fb_span origin = {0, NULL}, method = {0, NULL}, fields = {0, NULL};
    if (!c->site->preflights || !fb_span_is(c->http->method, "OPTIONS"))
        return false;
    while (c->http->fields.next(c->http->fields.self, &cursor, &field)) {
        if (fb_span_eq_nocase(field.name, FB_SPAN("origin")))
            origin = field.value;
        else if (fb_span_eq_nocase(field.name, FB_SPAN("access-control-request-method")))
            method = field.value;
        else if (fb_span_eq_nocase(field.name, FB_SPAN("access-control-request-headers")))
            fields = field.value;
    }
    struct fb_span methods = fb_routes_allow(c->site->policies->routes, &c->target, c->arena);
    if (origin.len == 0 || method.len == 0 || methods.len == 0)
        return false;
    c->answer->preflighted = true;
    c->answer->preflight = (struct fb_preflight){methods, fields};
    return true;
}

static void refuse_unmatched(struct fb_case *c)
{
    switch (c->site->unmatched) {
    case FB_UNMATCHED_PASS:
        c->answer->forward = true;
        return;
    case FB_UNMATCHED_403:
        fb_refuse(c, 403, FB_REASON_NO_ROUTE);
        return;
    case FB_UNMATCHED_404:
        break;
    }
    fb_refuse(c, 404, FB_REASON_NO_ROUTE);
}

static bool find_route(struct fb_case *c)
{
    const struct fb_routes *routes = c->site->policies->routes;
    switch (fb_routes_match(routes, &c->target, c->http->method, &c->match)) {
    case FB_ROUTED:
        c->action = c->match.route->action;
        c->request.action = c->action->uid;
        c->request.concerned = c->site->policies->concerned[c->action->index];
        return true;
    case FB_ROUTED_METHOD:
        fb_refuse(c, 405, FB_REASON_METHOD_NOT_ALLOWED);
        c->answer->refusal.allow = fb_routes_allow(routes, &c->target, c->arena);
        if (c->answer->refusal.allow.len == 0)
            fb_refuse_cannot(c, "no memory for Allow");
        return false;
    case FB_ROUTED_AMBIGUOUS:
        fb_refuse(c, 400, FB_REASON_AMBIGUOUS_TARGET);
        return false;
    case FB_ROUTED_NOWHERE:
        break;
    }
    refuse_unmatched(c);
    return false;
}

/* A row that no cache of the processor holds takes it as long as all else here; so it is told early
 * what will be read: where the rows lie, and then the rows. */
static void expect_rows(struct fb_case *c)
{
    if (c->reader == NULL)
        return;
    if (c->request.principal != NULL)
        fb_store_expect(c->reader, c->request.principal);
    /* (Of a secret one it must not matter whether its row is known.) */
    if (c->request.resource != NULL && c->request.resource != c->request.principal && !c->answer->secret)
        fb_store_expect(c->reader, c->request.resource);
}

static bool open_store(struct fb_case *c)
{
    if (c->site->store != NULL) {
        if (c->reader == NULL) {
            fb_refuse_cannot(c, "no memory for a store, or more than 8 of them");
            return false;
        }
        enum fb_store_status status = fb_store_snapshot(c->reader, fb_store_clock());
        if (status != FB_STORE_OK) {
            struct fb_store_state state;
            fb_store_reader_state(c->reader, &state);
            fb_refuse_cannot(c, state.text);
            return false;
        }
        expect_rows(c);
    }
    fb_view_init(&c->view, c->site->policies, c->reader);
    c->entities = fb_view_entities(&c->view);
    c->request.entities = &c->entities;
    return true;
}

static bool build_context(struct fb_case *c)
{
    struct fb_span why = {0, NULL};
    const struct fb_token_facts *token = c->credentials == FB_CREDENTIALS_VALID ? &c->facts : NULL;
    switch (fb_context_build(c->action, c->http, token, c->site->geo, c->arena, &c->request.context, &why)) {
    case FB_CONTEXT_OK:
        return true;
    case FB_CONTEXT_BAD:
        fb_refuse(c, 400, FB_REASON_INVALID_PARAMETER);
        c->answer->refusal.detail = why;
        return false;
    case FB_CONTEXT_CANNOT:
        break;
    }
    fb_refuse_cannot(c, "the context could not be built");
    c->answer->fault_text = why.len != 0 ? why : c->answer->fault_text;
    return false;
}

/* The resource that the route names.  For nobody, `@resource("principal")` names nothing yet. */
static bool name_resource(struct fb_case *c)
{
    if (c->request.principal == NULL && fb_route_resource_is_principal(c->match.route))
        return true;
    c->request.resource = fb_match_resource(&c->match, c->request.principal, c->arena);
    if (c->request.resource != NULL) {
        c->answer->resource = c->request.resource;
        return true;
    }
    fb_refuse_cannot(c, "no memory for a resource");
    return false;
}

bool fb_case_accepts_type(const struct fb_case *c, const struct fb_uid *principal)
{
    const struct fb_action *action = c->action;
    for (uint32_t i = 0; i < action->principals_count; i++)
        if (fb_uid_is(principal, action->principals[i]->name_hash, action->principals[i]->name))
            return true;
    return false;
}

/* --- Who asks ----------------------------------------------------------------------------------- */

static bool account_refuses(struct fb_case *c, enum fb_account_state state)
{
    switch (state) {
    case FB_ACCOUNT_ACTIVE:
        return false;
    case FB_ACCOUNT_SUSPENDED:
        if ((c->action->accounts & FB_OPEN_SUSPENDED) != 0)
            return false;
        fb_refuse(c, 403, FB_REASON_ACCOUNT_SUSPENDED);
        return true;
    case FB_ACCOUNT_DISABLED:
        if ((c->action->accounts & FB_OPEN_DISABLED) != 0)
            return false;
        fb_refuse(c, 403, FB_REASON_ACCOUNT_DISABLED);
        return true;
    case FB_ACCOUNT_DELETED:
    case FB_ACCOUNT_STATES:
        break;
    }
    fb_refuse(c, 403, FB_REASON_ACCOUNT_DELETED);
    return true;
}

static bool check_account(struct fb_case *c)
{
    struct fb_account account = {.state = FB_ACCOUNT_ACTIVE};
    if (c->reader != NULL && fb_store_account(c->reader, c->request.principal, &account) == FB_BROKEN) {
        fb_refuse_cannot(c, "the state of an account cannot be read");
        return false;
    }
    c->account = account.state;
    if (account_refuses(c, account.state))
        return false;
    switch (fb_view_holds(&c->view, c->request.principal, &c->request.principal_entity)) {
    case FB_FOUND:
        break;
    case FB_ABSENT:
        fb_refuse(c, 403, FB_REASON_ACCOUNT_UNKNOWN);
        return false;
    case FB_BROKEN:
        fb_refuse_cannot(c, "the principal's entity cannot be read");
        return false;
    }
    if (!fb_case_accepts_type(c, c->request.principal)) {
        fb_refuse(c, 403, FB_REASON_PRINCIPAL_TYPE);
        return false;
    }
    if (!fb_case_add_parents(c)) {
        fb_refuse_cannot(c, "the token's groups could not be added");
        return false;
    }
    if (c->view.overlaid != NULL)
        c->request.principal_entity = &c->view.overlay;
    return true;
}

/* --- Rows 3 to 8 ---------------------------------------------------------------------------------- */

/* Does the resource count as there?  Its type's existence may be ours, and `@within` narrows it. */
static enum fb_found find_resource(struct fb_case *c)
{
    enum fb_found found = fb_view_holds(&c->view, c->request.resource, &c->request.resource_entity);
    const struct fb_uid *within = NULL;
    if (found != FB_FOUND)
        return found;
    if (!fb_match_within(&c->match, c->arena, &within))
        return FB_BROKEN;
    return within == NULL ? FB_FOUND : fb_entity_in(&c->entities, c->request.resource, within);
}

bool fb_case_forbid_erred(const struct fb_case *c, uint32_t *policy)
{
    for (uint32_t i = 0; i < c->decision.errors_count; i++) {
        *policy = c->decision.errors[i].policy;
        if (fb_program_policy(c->site->policies->program, *policy)->effect == FB_FORBID)
            return true;
    }
    return false;
}

/* Row 4: the only satisfied forbids are legal ones, and a permit is satisfied. */
static bool only_law_forbids(const struct fb_case *c)
{
    if (c->decision.permits_count == 0 || c->decision.forbids_count == 0)
        return false;
    for (uint32_t i = 0; i < c->decision.forbids_count; i++)
        if (!c->site->policies->legal[c->decision.forbids[i]])
            return false;
    return true;
}

void fb_case_tell_fault(struct fb_case *c, uint32_t policy)
{
    struct fb_span id = fb_program_id(c->site->policies->program, policy);
    struct fb_span why = {0, NULL};
    for (uint32_t i = 0; i < c->decision.errors_count; i++)
        if (c->decision.errors[i].policy == policy)
            why = c->decision.errors[i].message;
    c->answer->fault = true;
    c->answer->fault_text = fb_arena_format(c->arena, "the forbid \"%.*s\" erred: %.*s", (int)id.len, id.ptr,
                                            (int)why.len, why.ptr);
}

static void refuse_erring(struct fb_case *c, uint32_t policy)
{
    fb_refuse(c, 403, FB_REASON_POLICY_ERROR);
    fb_case_name_policies(c, &policy, 1);
    fb_case_tell_fault(c, policy);
}

bool fb_case_conclude_allow(struct fb_case *c)
{
    uint32_t policy;
    if (!c->decision.allow || fb_case_forbid_erred(c, &policy))
        return false;
    c->answer->forward = true;
    fb_case_name_policies(c, c->decision.permits, c->decision.permits_count);
    return true;
}

/* An allow in which a forbid erred is refused here to who is signed in; a stranger goes on to rows 5 to 8, which
 * do not look at the resource, since what it is told must not depend on the store. */
bool fb_case_conclude_refusal(struct fb_case *c)
{
    uint32_t policy;
    bool erred = fb_case_forbid_erred(c, &policy);
    if (erred && c->decision.forbids_count == 0 && c->decision.permits_count != 0) {
        refuse_erring(c, policy);
        return c->credentials == FB_CREDENTIALS_VALID;
    }
    if (!erred && only_law_forbids(c)) {
        fb_refuse_legal(c, c->decision.forbids[0]);
        return true;
    }
    return false;
}

/* Rows 3 and 4, for somebody who is known (the anonymous client too).  True: answered. */
static bool answer_by_decision(struct fb_case *c)
{
    c->evaluated = true;
    if (fb_decide(c->site->policies->program, &c->request, c->arena, &c->decision) != FB_OK) {
        fb_refuse_cannot(c, "the policies could not be evaluated");
        return true;
    }
    return fb_case_conclude_allow(c) || fb_case_conclude_refusal(c);
}

static void answer_signed_in(struct fb_case *c)
{
    bool could;
    switch (find_resource(c)) {
    case FB_FOUND:
        if (!answer_by_decision(c) && !fb_refuse_curable(c, false))
            fb_refuse_by_policies(c);
        return;
    case FB_ABSENT:
        /* Row 7 for who could be allowed on some such resource; else as if it were there. */
        c->evaluated = true;
        if (!fb_could_somewhere(c, &could))
            fb_refuse_cannot(c, "the policies could not be evaluated");
        else if (could)
            fb_refuse(c, 404, FB_REASON_NOT_FOUND);
        else if (!fb_refuse_curable(c, true))
            fb_refuse_by_policies(c);
        return;
    case FB_BROKEN:
        break;
    }
    fb_refuse_cannot(c, "the resource's entity cannot be read");
}

/* The same where it must not show whether the resource is there. */
static bool answer_anonymous_secretly(struct fb_case *c, const struct fb_secret *secret)
{
    bool within = false;
    c->evaluated = true;
    if (!fb_secret_decide_anonymous(c, secret, &within))
        return true;
    return within && (fb_case_conclude_allow(c) || fb_case_conclude_refusal(c));
}

/* Rows 3 and 4 for the anonymous client.  True: answered.  An absent resource is no answer to it. */
static bool answer_anonymous(struct fb_case *c)
{
    const struct fb_uid *within = NULL;
    c->request.principal = c->action->anonymous;
    if (c->request.resource == NULL && !name_resource(c))
        return true;
    const struct fb_secret *secret = fb_case_secret(c);
    if (secret != NULL)
        return answer_anonymous_secretly(c, secret);
    if (!fb_match_within(&c->match, c->arena, &within)) {
        fb_refuse_cannot(c, "no memory for a resource");
        return true;
    }
    if (within != NULL) {
        enum fb_found in = fb_entity_in(&c->entities, c->request.resource, within);
        if (in == FB_BROKEN)
            fb_refuse_cannot(c, "the resource's entity cannot be read");
        if (in != FB_FOUND)
            return in == FB_BROKEN;
    }
    return answer_by_decision(c);
}

static void answer_stranger(struct fb_case *c)
{
    if (c->credentials == FB_CREDENTIALS_NONE && c->action->anonymous != NULL) {
        c->answer->principal = c->action->anonymous;
        if (answer_anonymous(c))
            return;
    }
    bool could;
    c->evaluated = true;
    if (!fb_could_anybody(c, &could))
        fb_refuse_cannot(c, "the policies could not be evaluated");
    else if (!could)
        fb_refuse_by_policies(c);
    else if (c->credentials == FB_CREDENTIALS_NONE)
        /* Where no credential is accepted there is no challenge to offer, hence no honest 401. */
        fb_refuse(c, c->site->issuers != NULL ? 401 : 403, FB_REASON_MISSING_CREDENTIALS);
    else
        fb_refuse(c, 401, c->proof_refused ? FB_REASON_INVALID_PROOF
                          : c->token == FB_TOKEN_EXPIRED ? FB_REASON_TOKEN_EXPIRED : FB_REASON_INVALID_TOKEN);
}

void fb_case_run(struct fb_case *c)
{
    struct fb_answer *answer = c->answer;
    *answer = (struct fb_answer){.forward = false};
    if (!read_target(c) || is_preflight(c) || !find_route(c))
        return;
    answer->action = c->request.action;
    if (!c->action->anonymous_only && c->request.principal == NULL && !fb_case_read_credentials(c))
        return;
    answer->anonymous = c->credentials != FB_CREDENTIALS_VALID;
    answer->principal = c->request.principal;
    if (!name_resource(c))
        return;
    const struct fb_secret *secret = fb_case_secret(c);
    answer->secret = secret != NULL;
    if (c->site->store != NULL)
        c->reader = fb_guard_store(c->guard, c->site);
    expect_rows(c);
    if (!build_context(c) || !open_store(c))
        return;
    if (c->credentials == FB_CREDENTIALS_VALID) {
        if (!check_account(c))
            return;
        if (secret != NULL)
            fb_secret_answer(c, secret);
        else
            answer_signed_in(c);
    } else {
        answer_stranger(c);
    }
}

static void init_case(struct fb_case *c, struct fb_guard *guard, const struct fb_site *site,
                      const struct fb_http_request *request, struct fb_answer *answer)
{
    memset(c, 0, offsetof(struct fb_case, facts));
    c->guard = guard;
    c->site = site;
    c->http = request;
    c->answer = answer;
    c->arena = &guard->arena;
}

void fb_guard_decide(struct fb_guard *guard, const struct fb_site *site, const struct fb_http_request *request,
                     struct fb_answer *answer)
{
    struct fb_case c;
    init_case(&c, guard, site, request, answer);
    fb_case_run(&c);
}

const struct fb_uid *fb_guard_identify(struct fb_guard *guard, const struct fb_site *site,
                                       const struct fb_http_request *request)
{
    struct fb_answer answer;
    struct fb_case c;
    init_case(&c, guard, site, request, &answer);
    c.target.query = request->query;
    c.identifying = true;
    answer.proof_used = false;
    if (site->issuers == NULL || !fb_case_read_credentials(&c))
        return NULL;
    return c.credentials == FB_CREDENTIALS_VALID ? c.request.principal : NULL;
}
