/* SPDX-License-Identifier: Apache-2.0 */
/* What policies ask of a token that another sign-in of the same account could bring: scopes, `acr`, the time
 * of the sign-in.  Found in their trees when a directory is loaded, action by action, so that a refusal
 * knows in which cures to look for one that works (cure.c), and whether to look at all. */
#include "guard/cures.h"

/* What one policy says. */
struct said {
    struct fb_cures cures;
    uint32_t policy;
};

/* --- One policy ---------------------------------------------------------------------------------------- */

/* RFC 6749 appendix A.4: what can stand in a list of scopes or of acrs, which spaces part, in a challenge. */
static bool can_be_named(struct fb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '\\')
            return false;
    }
    return text.len != 0;
}

/* What no challenge can name is passed over: the cure goes without a name then. */
static void add_text(struct fb_span *list, uint32_t *count, struct fb_span text, bool *more)
{
    if (!can_be_named(text))
        return;
    for (uint32_t i = 0; i < *count; i++)
        if (fb_span_eq(list[i], text))
            return;
    if (*count == FB_CURES_MAX)
        *more = true;
    else
        list[(*count)++] = text;
}

static void add_age(struct fb_cures *cures, uint64_t seconds)
{
    uint32_t at = 0;
    if (seconds > UINT32_MAX)
        return;
    while (at < cures->ages_count && cures->ages[at] < seconds)
        at++;
    if (at < cures->ages_count && cures->ages[at] == seconds)
        return;
    if (cures->ages_count == FB_CURES_MAX) {
        cures->more = true;
        return;
    }
    memmove(&cures->ages[at + 1], &cures->ages[at], (cures->ages_count - at) * sizeof cures->ages[0]);
    cures->ages[at] = (uint32_t)seconds;
    cures->ages_count++;
}

static bool is_context(const struct fb_expr *expr)
{
    return expr->kind == FB_E_VAR && expr->var == FB_CONTEXT;
}

static bool is_token(const struct fb_expr *expr)
{
    return expr->kind == FB_E_ATTR && is_context(expr->left) && fb_span_is(expr->text, "token");
}

enum part { PART_NONE, PART_SCOPE, PART_ACR, PART_OTHER };

/* Which part of the token `name` is; NONE: one that describes the account. */
static enum part part_of(struct fb_span name)
{
    return fb_span_is(name, "scope") ? PART_SCOPE
           : fb_span_is(name, "acr") ? PART_ACR
           : fb_span_is(name, "amr") || fb_span_is(name, "authTime") ? PART_OTHER
                                                                      : PART_NONE;
}

static enum part read_part(const struct fb_expr *expr)
{
    return expr->kind == FB_E_ATTR && is_token(expr->left) ? part_of(expr->text) : PART_NONE;
}

/* The texts of a literal, or of a set of literals. */
static void take_texts(struct fb_cures *cures, enum part part, const struct fb_expr *expr)
{
    struct fb_span *list = part == PART_SCOPE ? cures->scopes : cures->acrs;
    uint32_t *count = part == PART_SCOPE ? &cures->scopes_count : &cures->acrs_count;
    if (expr->kind == FB_E_STRING)
        add_text(list, count, expr->text, &cures->more);
    else if (expr->kind == FB_E_SET)
        for (uint32_t i = 0; i < expr->count; i++)
            if (expr->items[i]->kind == FB_E_STRING)
                add_text(list, count, expr->items[i]->text, &cures->more);
}

/* `token.scope.contains("x")`, `token.acr == "x"`, `["x", "y"].contains(token.acr)`, and their kin. */
static void take_pair(struct fb_cures *cures, const struct fb_expr *expr)
{
    enum part left = read_part(expr->left), right = read_part(expr->right);
    if (left == PART_SCOPE || left == PART_ACR)
        take_texts(cures, left, expr->right);
    if (right == PART_SCOPE || right == PART_ACR)
        take_texts(cures, right, expr->left);
}

/* Durations that stand anywhere in a policy that reads the token: `duration("5m")`.  What is no age of a
 * sign-in is tried in vain. */
static void take_duration(struct fb_cures *cures, const struct fb_expr *expr)
{
    int64_t ms;
    if (expr->function == FB_F_DURATION && expr->count == 1 && expr->items[0]->kind == FB_E_STRING
        && fb_duration_parse(expr->items[0]->text, &ms) == NULL && ms >= 0)
        add_age(cures, (uint64_t)ms / 1000);
}

static void walk(struct fb_cures *cures, const struct fb_expr *expr);

static void walk_operands(struct fb_cures *cures, const struct fb_expr *expr)
{
    const struct fb_expr *operands[] = {expr->right, expr->third};
    for (int i = 0; i < 2; i++)
        if (operands[i] != NULL)
            walk(cures, operands[i]);
    if (expr->kind == FB_E_SET || expr->kind == FB_E_RECORD || expr->kind == FB_E_CALL)
        for (uint32_t i = 0; i < expr->count; i++)
            walk(cures, expr->items[i]);
}

/* Whether the node reads a part; `context` and `context.token` read whole count, for who knows what of them
 * matters. */
static bool reads(const struct fb_expr *expr, bool whole)
{
    if (expr->kind == FB_E_ATTR)
        return read_part(expr) != PART_NONE || (whole && is_token(expr));
    if (expr->kind == FB_E_HAS) {
        bool token = is_token(expr->left), context = is_context(expr->left) && fb_span_is(expr->names[0], "token");
        return (token && part_of(expr->names[0]) != PART_NONE)
               || (context && expr->count > 1 && part_of(expr->names[1]) != PART_NONE);
    }
    return whole && is_context(expr);
}

/* Left spines in the loop, the rest by recursion, which the parser's depth bounds.  `whole`: the value itself
 * is used, not a field of it. */
static void walk(struct fb_cures *cures, const struct fb_expr *expr)
{
    for (bool whole = true; expr != NULL; expr = expr->left) {
        cures->reads = cures->reads || reads(expr, whole);
        whole = expr->kind != FB_E_ATTR && expr->kind != FB_E_HAS;
        if (expr->kind == FB_E_EQ || expr->kind == FB_E_CONTAINS || expr->kind == FB_E_CONTAINS_ALL
            || expr->kind == FB_E_CONTAINS_ANY)
            take_pair(cures, expr);
        if (expr->kind == FB_E_CALL)
            take_duration(cures, expr);
        walk_operands(cures, expr);
    }
}

static void take_policy(struct fb_cures *cures, const struct fb_policy *policy)
{
    for (uint32_t i = 0; i < policy->conditions_count; i++)
        walk(cures, policy->conditions[i].body);
    const struct fb_annotation *acr = fb_policy_annotation(policy, "acr"), *age = fb_policy_annotation(policy, "max_age");
    uint64_t seconds;
    if (acr != NULL)
        add_text(cures->acrs, &cures->acrs_count, acr->value, &cures->more);
    if (age != NULL && fb_span_to_u64(age->value, 1u << 31, &seconds))
        add_age(cures, seconds);
    cures->vouched = cures->vouched || acr != NULL || age != NULL;
}

/* --- All policies, by action ------------------------------------------------------------------------------ */

static void join(struct fb_cures *into, const struct fb_cures *from)
{
    into->reads = true;
    into->more = into->more || from->more;
    into->vouched = into->vouched || from->vouched;
    for (uint32_t i = 0; i < from->scopes_count; i++)
        add_text(into->scopes, &into->scopes_count, from->scopes[i], &into->more);
    for (uint32_t i = 0; i < from->acrs_count; i++)
        add_text(into->acrs, &into->acrs_count, from->acrs[i], &into->more);
    for (uint32_t i = 0; i < from->ages_count; i++)
        add_age(into, from->ages[i]);
}

static bool concerns(const struct fb_policies *policies, const struct fb_policy *policy, const struct fb_uid *action)
{
    const struct fb_entities entities = fb_entity_set_source(policies->entities);
    const struct fb_scope *scope = &policy->action;
    switch (scope->op) {
    case FB_SCOPE_EQ:
        return fb_uid_eq(scope->uid, action);
    case FB_SCOPE_IN:
        return fb_entity_in(&entities, action, scope->uid) == FB_FOUND;
    case FB_SCOPE_IN_LIST:
        for (uint32_t i = 0; i < scope->count; i++)
            if (fb_entity_in(&entities, action, scope->list[i]) == FB_FOUND)
                return true;
        return false;
    case FB_SCOPE_ANY: case FB_SCOPE_IS: case FB_SCOPE_IS_IN:
        break;
    }
    return true;
}

/* A challenge goes without a name where only a computed set or a pattern says what is wanted. */
static void warn_unnamed(const struct fb_policy *policy, const struct fb_cures *cures, struct fb_diags *diags)
{
    if (cures->scopes_count + cures->acrs_count + cures->ages_count != 0 || cures->vouched)
        return;
    fb_diag_add(diags, FB_WARNING, "rule.unnamed_cure", policy->source, policy->conditions[0].range,
                "this asks something of the token that a refusal cannot name")->hint =
        policy->effect == FB_PERMIT
            ? FB_SPAN("compare with literals, or say what satisfies it: `@acr(\"…\")`, `@max_age(\"300\")`")
            : FB_SPAN("compare with literals: `context.token.scope.contains(\"read\")`");
}

bool fb_cures_find(struct fb_policies *policies, struct fb_diags *diags)
{
    const struct fb_schema *schema = policies->schema;
    size_t count = policies->set.count, found = 0, capacity = 0;
    struct said *list = NULL;
    struct fb_cures *cures = fb_arena_array(&policies->arena, schema->actions_count + (size_t)1, sizeof *cures);
    if (cures == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct said said = {.policy = (uint32_t)i};
        take_policy(&said.cures, policies->set.policies[i]);
        if (!said.cures.reads)
            continue;
        warn_unnamed(policies->set.policies[i], &said.cures, diags);
        list = fb_arena_grow(&policies->arena, list, found, &capacity, sizeof *list);
        if (list == NULL)
            return false;
        list[found++] = said;
    }
    for (uint32_t a = 0; a < schema->actions_count; a++) {
        cures[a] = (struct fb_cures){.reads = false};
        for (size_t i = 0; i < found; i++)
            if (concerns(policies, policies->set.policies[list[i].policy], schema->actions[a]->uid))
                join(&cures[a], &list[i].cures);
    }
    policies->cures = cures;
    return true;
}
