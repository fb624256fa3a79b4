/* SPDX-License-Identifier: Apache-2.0 */
/* From the Authorization field to a principal: none, bad or valid credentials (DESIGN §2,
 * "Credentials").  Present and bad is never taken for none. */
#include "guard/steps.h"

#include "http/http.h"

/* More than one field is for the caller to refuse: RFC 6750 section 3.1, RFC 9449 section 4.3. */
unsigned fb_case_field(const struct fb_case *c, const char *name, struct fb_span *value)
{
    const struct fb_http_request *http = c->http;
    struct fb_span wanted = fb_span_z(name);
    unsigned count = 0;
    struct fb_http_cursor cursor = {NULL, 0};
    struct fb_http_field field;
    if (http->fields.named != NULL)
        return http->fields.named(http->fields.self, wanted, value);
    if (http->fields.next == NULL)
        return 0;
    while (http->fields.next(http->fields.self, &cursor, &field)) {
        if (field.name.len == wanted.len && fb_span_eq_nocase(field.name, wanted) && count++ == 0)
            *value = field.value;
    }
    return count;
}

static bool claim_value(const void *self, struct fb_span name, struct fb_arena *arena, struct fb_value *value)
{
    const struct fb_claim *claim = fb_token_claim(self, name);
    if (claim == NULL)
        return false;
    switch (claim->kind) {
    case FB_CLAIM_STRING:
        *value = fb_value_string(claim->strings.list[0]);
        return true;
    case FB_CLAIM_LONG:
        *value = fb_value_number(FB_LONG, claim->integer);
        return true;
    case FB_CLAIM_BOOL:
        *value = fb_value_bool(claim->boolean);
        return true;
    case FB_CLAIM_STRINGS: {
        struct fb_value *items = fb_arena_array(arena, claim->strings.count + 1, sizeof *items);
        if (items == NULL)
            return false;
        for (size_t i = 0; i < claim->strings.count; i++)
            items[i] = fb_value_string(claim->strings.list[i]);
        return fb_value_set(arena, items, claim->strings.count, value);
    }
    case FB_CLAIM_OTHER:
        break;
    }
    return false;
}

static struct fb_token_facts facts_of(const struct fb_token *token)
{
    return (struct fb_token_facts){
        .issuer = token->issuer,
        .audiences = token->audience.list, .audiences_count = token->audience.count,
        .scopes = token->scope.list, .scopes_count = token->scope.count,
        .amr = token->amr.list, .amr_count = token->amr.count,
        .acr = token->acr,
        .has_acr = token->has_acr, .has_amr = token->has_amr, .has_auth_time = token->has_auth_time,
        .auth_time = token->auth_time_ms / 1000,
        .claim = claim_value, .self = token,
    };
}

#define GROUPS_MAX 256u     /* that one token may bring */

/* Can every claim that brings groups be read?  One that is there and cannot would leave the principal
 * out of groups that a forbid may name, so such a token is no good.  FB_TOKEN_MAX bounds the rest. */
static bool groups_readable(const struct fb_bearer *bearer)
{
    size_t count = 0;
    for (size_t i = 0; i < bearer->issuer->parents_count; i++) {
        const struct fb_claim *claim = fb_token_claim(bearer->token, bearer->issuer->parents[i].claim);
        if (claim == NULL)
            continue;
        if (claim->kind != FB_CLAIM_STRING && claim->kind != FB_CLAIM_STRINGS)
            return false;
        count += claim->strings.count;
    }
    return count <= GROUPS_MAX;
}

bool fb_case_verify(struct fb_case *c, struct fb_span token)
{
    fb_case_hold(c, token, fb_span(NULL, 0));
    return fb_case_take_token(c);
}

bool fb_case_take_token(struct fb_case *c)
{
    if (c->token == FB_TOKEN_FAILED) {
        fb_refuse_cannot(c, "a token could not be checked");
        return false;
    }
    if (c->token == FB_TOKEN_GOOD && !groups_readable(&c->bearer))
        c->token = FB_TOKEN_MALFORMED;
    if (c->token != FB_TOKEN_GOOD) {
        c->credentials = FB_CREDENTIALS_BAD;
        /* Good but for its proof: the challenge that says so is DPoP's (RFC 9449 section 7.2). */
        if (c->token == FB_TOKEN_BOUND && c->bearer.token->key.len != 0 && c->bearer.issuer->dpop != FB_DPOP_OFF)
            c->scheme = FB_SCHEME_DPOP;
        return true;
    }
    const struct fb_issuer *issuer = c->bearer.issuer;
    const struct fb_uid *uid = fb_uid_of_type(c->arena, issuer->principal, issuer->principal_hash,
                                              fb_bearer_id(&c->bearer, c->arena));
    if (uid == NULL) {
        fb_refuse_cannot(c, "no memory for a principal");
        return false;
    }
    c->credentials = FB_CREDENTIALS_VALID;
    c->request.principal = uid;
    c->facts = facts_of(c->bearer.token);
    return true;
}

bool fb_case_add_parents(struct fb_case *c)
{
    const struct fb_issuer *issuer = c->bearer.issuer;
    if (c->assumed != NULL && c->assumed->parents_count != 0)
        return fb_view_add_parents(&c->view, c->request.principal, c->assumed->parents, c->assumed->parents_count, c->arena);
    if (issuer == NULL || issuer->parents_count == 0)
        return true;
    const struct fb_uid *parents[GROUPS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < issuer->parents_count; i++) {
        const struct fb_claim *claim = fb_token_claim(c->bearer.token, issuer->parents[i].claim);
        for (size_t s = 0; claim != NULL && s < claim->strings.count && count < GROUPS_MAX; s++) {
            parents[count] = fb_uid_new(c->arena, issuer->parents[i].type, claim->strings.list[s]);
            if (parents[count++] == NULL)
                return false;
        }
    }
    return count == 0 || fb_view_add_parents(&c->view, c->request.principal, parents, count, c->arena);
}

static bool refuse_malformed(struct fb_case *c)
{
    c->credentials = FB_CREDENTIALS_NONE;
    fb_refuse(c, 400, FB_REASON_MALFORMED_CREDENTIALS);
    return false;
}

/* A token that is good has the grammar of one; so that is looked at when it turns out not to be. */
static bool read_token(struct fb_case *c, struct fb_span token, bool (*verify)(struct fb_case *, struct fb_span))
{
    bool accepted = c->site->issuers != NULL;
    /* RFC 6750 section 2.3: the token as a query parameter.  We do not take it from there, but an
     * upstream may, so that beside a field it makes two credentials. */
    bool twice = accepted && c->target.query.len != 0 && fb_query_mentions(c->target.query, FB_SPAN("access_token"));
    if (accepted && !twice && !verify(c, token))
        return false;
    if (c->credentials != FB_CREDENTIALS_VALID && !fb_http_is_b64token(token))
        return refuse_malformed(c);
    if (twice)
        fb_refuse(c, 400, FB_REASON_TWO_CREDENTIALS);
    return !twice;
}

/* A scheme that this API does not accept counts as none where the anonymous type is accepted; else
 * row 5 answers it, without an error code (RFC 6750 section 3.1). */
static bool read_field(struct fb_case *c, struct fb_span value)
{
    struct fb_http_credentials read;
    switch (fb_http_split_credentials(value, &read)) {
    case FB_CREDENTIALS_BEARER:
        return read_token(c, read.rest, fb_case_verify);
    case FB_CREDENTIALS_OTHER:
        if (!fb_span_eq_nocase(read.scheme, FB_SPAN("DPoP")) || !fb_site_proves(c->site))
            return true;
        c->scheme = FB_SCHEME_DPOP;
        return read_token(c, read.rest, fb_case_verify_proved);
    case FB_CREDENTIALS_MALFORMED:
        break;
    }
    return refuse_malformed(c);
}

bool fb_case_read_credentials(struct fb_case *c)
{
    struct fb_span value = {0, NULL};
    unsigned count = fb_case_field(c, "Authorization", &value);
    if (count > 1) {
        fb_refuse(c, 400, FB_REASON_TWO_CREDENTIALS);
        return false;
    }
    return count == 0 || read_field(c, value);
}
