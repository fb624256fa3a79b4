/* SPDX-License-Identifier: Apache-2.0 */
/* Which refusal it is, and what may be told of it. */
#include "guard/cures.h"
#include "guard/steps.h"

/* The `detail` where no `@detail` says it better, by what the decisive clause is about. */
static const struct fb_span sentences[FB_CLAUSE_CLASSES] = {
    [FB_CLAUSE_SCOPE] = FB_SPAN_INIT("The access token lacks a scope that this needs."),
    [FB_CLAUSE_SIGN_IN] = FB_SPAN_INIT("This needs a stronger or a more recent sign-in."),
    [FB_CLAUSE_ROLE] = FB_SPAN_INIT("This needs a role that this account does not have."),
    [FB_CLAUSE_GROUP] = FB_SPAN_INIT("This account is not a member of the group that this needs."),
    [FB_CLAUSE_OWNER] = FB_SPAN_INIT("This belongs to another account."),
    [FB_CLAUSE_LOCATION] = FB_SPAN_INIT("This is not available at this location."),
    [FB_CLAUSE_TIME] = FB_SPAN_INIT("This is not available at this time."),
    [FB_CLAUSE_OTHER] = FB_SPAN_INIT("This is not allowed."),
};

enum fb_level fb_case_level(const struct fb_case *c)
{
    bool signed_in = c->credentials == FB_CREDENTIALS_VALID;
    enum fb_level level = signed_in ? c->site->disclose : c->site->disclose_anonymous;
    enum fb_level said;
    if (c->action == NULL || c->action->disclose.len == 0 || !fb_level_parse(c->action->disclose, &said))
        return level;
    /* `@disclose` can only lower what the location states, and what strangers are told. */
    if (said < level || (signed_in && !c->site->disclose_stated))
        return said;
    return level;
}

static struct fb_refusal *begin(struct fb_case *c, unsigned status)
{
    struct fb_answer *answer = c->answer;
    answer->forward = false;
    answer->refusal = (struct fb_refusal){
        .status = status, .level = fb_case_level(c), .request_id = c->http->id, .realm = c->site->realm,
        .resource_metadata = c->site->metadata_uri};
    return &answer->refusal;
}

void fb_refuse(struct fb_case *c, unsigned status, enum fb_reason reason)
{
    struct fb_refusal *refusal = begin(c, status);
    refusal->reason = fb_reason_code(reason);
    refusal->detail = fb_reason_sentence(reason);
    if (status == 401 || (status == 400 && (reason == FB_REASON_TWO_CREDENTIALS || reason == FB_REASON_MALFORMED_CREDENTIALS))) {
        /* RFC 6750 section 3.1. */
        refusal->challenge = true;
        fb_case_offer(c, false);
        if (status == 400)
            refusal->challenge_error = FB_SPAN("invalid_request");
        else if (c->credentials == FB_CREDENTIALS_BAD)
            refusal->challenge_error = c->proof_refused ? FB_SPAN("invalid_dpop_proof") : FB_SPAN("invalid_token");
        if (reason == FB_REASON_TOKEN_EXPIRED)
            refusal->challenge_description = FB_SPAN("The access token has expired");
    }
}

void fb_refuse_cannot(struct fb_case *c, const char *fault)
{
    fb_refuse(c, 503, FB_REASON_UNAVAILABLE);
    c->answer->refusal.retry_after = c->site->retry_after != 0 ? c->site->retry_after : 1;
    c->answer->fault = true;
    c->answer->fault_text = fb_span_z(fault);
}

void fb_case_name_policies(struct fb_case *c, const uint32_t *list, uint32_t count)
{
    struct fb_answer *answer = c->answer;
    uint32_t *copy = fb_arena_array(c->arena, count + (size_t)1, sizeof *copy);
    if (copy == NULL)
        return;
    if (count != 0)
        memcpy(copy, list, count * sizeof *copy);
    answer->policies = copy;
    answer->policies_count = count;
    if (answer->refusal.level < FB_LEVEL_POLICY || answer->forward)
        return;
    struct fb_span *names = fb_arena_array(c->arena, count + (size_t)1, sizeof *names);
    if (names == NULL)
        return;
    for (uint32_t i = 0; i < count; i++)
        names[i] = fb_program_id(c->site->policies->program, copy[i]);
    answer->refusal.policies = names;
    answer->refusal.policies_count = count;
}

/* The words of a policy that is why. */
static void tell(struct fb_case *c, const struct fb_explanation *why)
{
    const struct fb_rule *rule = &c->site->policies->rules[why->policy];
    struct fb_refusal *refusal = &c->answer->refusal;
    enum fb_clause_class about = why->decisive != NULL ? why->decisive->about : FB_CLAUSE_OTHER;
    refusal->reason = rule->reason.len != 0 ? rule->reason
                      : rule->legal.len != 0 ? fb_reason_code(FB_REASON_LEGAL)
                                             : fb_span_z(fb_clause_codes[about]);
    refusal->detail = rule->detail.len != 0 ? rule->detail : sentences[about];
    refusal->help = rule->help;
    fb_case_name_policies(c, &why->policy, 1);
}

/* For operators: the clause that decided, as the policy has it, and what its operands were.  Not on the path of any
 * other level. */
static void show_clause(struct fb_case *c, uint32_t policy)
{
    const struct fb_program *program = c->site->policies->program;
    const struct fb_source *source = fb_program_policy(program, policy)->source;
    const struct fb_allocator memory = fb_arena_allocator(c->arena);
    struct fb_explanation e;
    struct fb_buffer json, text;
    if (fb_explain(program, policy, &c->request, &c->unknowns, true, c->arena, &e) != FB_OK || e.decisive == NULL)
        return;
    fb_buffer_init(&json, &memory, (size_t)1 << 16);
    fb_buffer_init(&text, &memory, (size_t)1 << 16);
    fb_excerpt_inline(&text, source, e.decisive->range, FB_VALUE_COLUMNS);
    fb_buffer_add_format(&json, "{\"part\":\"%s\",\"text\":", fb_clause_part_name(e.decisive->part));
    fb_buffer_add_json(&json, fb_buffer_span(&text));
    fb_buffer_add_z(&json, ",\"values\":{");
    for (uint32_t i = 0; i < e.decisive->values_count; i++) {
        struct fb_buffer name, value;
        fb_buffer_init(&name, &memory, (size_t)1 << 16);
        fb_buffer_init(&value, &memory, (size_t)1 << 16);
        fb_excerpt_inline(&name, source, e.decisive->values[i].range, FB_VALUE_COLUMNS);
        fb_value_print_cut(&value, e.decisive->values[i].value, FB_VALUE_COLUMNS);
        if (i != 0)
            fb_buffer_add_char(&json, ',');
        fb_buffer_add_json(&json, fb_buffer_span(&name));
        fb_buffer_add_char(&json, ':');
        fb_buffer_add_json(&json, fb_buffer_span(&value));
    }
    fb_buffer_add_z(&json, "}}");
    if (json.failed || text.failed)
        return;
    c->answer->refusal.clause = fb_buffer_span(&text);
    c->answer->refusal.clause_json = fb_buffer_span(&json);
}

/* Fills in *why: the forbid that hits, else the nearest permit.  False: cannot. */
static bool find_why(struct fb_case *c, struct fb_explanation *why, bool *found)
{
    const struct fb_policies *policies = c->site->policies;
    const struct fb_program *program = policies->program;
    uint32_t policy;
    /* A legal one only if there is no other. */
    if (fb_hitting_forbid(program, &c->request, &c->unknowns, policies->legal, c->arena, &policy, found) != FB_OK)
        return false;
    if (*found)
        return fb_explain(program, policy, &c->request, &c->unknowns, false, c->arena, why) == FB_OK;
    return fb_nearest_permit(program, &c->request, &c->unknowns, false, c->arena, why, found) == FB_OK;
}

void fb_refuse_by_policies(struct fb_case *c)
{
    struct fb_explanation why;
    bool found;
    /* What another token could bring is never the reason: row 6 has found that it would not help. */
    if (c->credentials == FB_CREDENTIALS_VALID && c->site->policies->cures[c->action->index].reads)
        c->unknowns = fb_unknown_token(c->unknowns.resource);
    if (!find_why(c, &why, &found)) {
        fb_refuse_cannot(c, "the policies could not be evaluated");
        return;
    }
    struct fb_refusal *refusal = begin(c, 403);
    refusal->reason = FB_SPAN("policy_denied");
    refusal->detail = sentences[FB_CLAUSE_OTHER];
    if (!found)
        return;
    /* A permit that nothing stands against, and still no allow: a forbid can only err. */
    if (fb_program_policy(c->site->policies->program, why.policy)->effect == FB_PERMIT && why.unmet == 0) {
        refusal->reason = fb_reason_code(FB_REASON_POLICY_ERROR);
        refusal->detail = fb_reason_sentence(FB_REASON_POLICY_ERROR);
        return;
    }
    tell(c, &why);
    if (refusal->level >= FB_LEVEL_POLICY)
        show_clause(c, why.policy);
}

void fb_refuse_legal(struct fb_case *c, uint32_t policy)
{
    const struct fb_rule *rule = &c->site->policies->rules[policy];
    struct fb_refusal *refusal = begin(c, 451);
    refusal->reason = rule->reason.len != 0 ? rule->reason : fb_reason_code(FB_REASON_LEGAL);
    refusal->detail = rule->detail.len != 0 ? rule->detail : fb_reason_sentence(FB_REASON_LEGAL);
    refusal->help = rule->help;
    refusal->blocked_by = rule->legal;
    fb_case_name_policies(c, &policy, 1);
}
