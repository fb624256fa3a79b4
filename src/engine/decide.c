/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: candidates by action, types, scopes, conditions; then Cedar's rule of combination.
 * Which policies need no look: those whose action, type or scope cannot match, as a scope never
 * errs. */

#include "engine/decide.h"

enum fb_found fb_scope_matches(struct fb_eval *e, enum fb_scope_op op, struct fb_span type,
                               const struct fb_uid *bound, const struct fb_uid *uid)
{
    switch (op) {
    case FB_SCOPE_ANY:
        return FB_FOUND;
    case FB_SCOPE_EQ:
        return fb_uid_eq(uid, bound) ? FB_FOUND : FB_ABSENT;
    case FB_SCOPE_IN:
        return fb_in(e, uid, bound);
    case FB_SCOPE_IS:
        return fb_span_eq(fb_uid_type(uid), type) ? FB_FOUND : FB_ABSENT;
    case FB_SCOPE_IS_IN:
        return fb_span_eq(fb_uid_type(uid), type) ? fb_in(e, uid, bound) : FB_ABSENT;
    case FB_SCOPE_IN_LIST:
        break;      /* of actions only: candidates.c */
    }
    return FB_ABSENT;
}

enum verdict { NO, YES, ERRED, CANNOT };

/* What needs no entity first: types and equal uids of both sides, then membership. */
static enum verdict scope_verdict(struct fb_eval *e, const struct fb_form *form, const struct fb_rows *rows,
                                  const struct fb_row *row)
{
    const struct fb_uid *uids[2] = {e->request->principal, e->request->resource};
    const struct fb_scope *scopes[2] = {&form->policy->principal, &form->policy->resource};
    for (int side = 0; side < 2; side++) {
        uint8_t op = form->op[side];
        if (op == FB_SCOPE_EQ && !fb_uid_eq(uids[side], fb_key_at(rows, row->key[side])->uid))
            return NO;
        if ((op == FB_SCOPE_IS || op == FB_SCOPE_IS_IN) && !fb_uid_is(uids[side], form->type[side], scopes[side]->type))
            return NO;
    }
    for (int side = 0; side < 2; side++) {
        if (form->op[side] != FB_SCOPE_IN && form->op[side] != FB_SCOPE_IS_IN)
            continue;
        enum fb_found found = fb_in(e, uids[side], fb_key_at(rows, row->key[side])->uid);
        if (found != FB_FOUND)
            return found == FB_ABSENT ? NO : CANNOT;
    }
    return YES;
}

static enum verdict rule_verdict(const struct fb_program *program, struct fb_eval *e, uint32_t rule, bool proven,
                                 uint8_t *effect)
{
    bool fixed = rule < program->statics.count;
    const struct fb_rows *rows = fixed ? &program->statics : program->links;
    const struct fb_row *row = fb_row_at(rows, fixed ? rule : rule - program->statics.count);
    const struct fb_form *form = &program->forms[row->form];
    *effect = form->effect;
    enum verdict verdict = proven ? YES : scope_verdict(e, form, rows, row);
    /* A program without conditions has no conjuncts to point at. */
    const struct fb_conjunct *conjunct = form->conjuncts_count != 0 ? program->conjuncts + form->conjuncts : NULL;
    for (uint32_t i = 0; i < form->conjuncts_count && verdict == YES; i++, conjunct++) {
        struct fb_value value;
        if (!fb_eval(e, conjunct->node, &value))
            return e->cannot ? CANNOT : ERRED;
        if (value.kind != FB_BOOL) {
            fb_fault_type(e, conjunct->node, "a bool", value);
            return ERRED;
        }
        verdict = value.number != 0 ? YES : NO;
    }
    return verdict;
}

/* Lists of a decision while they grow. */
struct lists {
    uint32_t *satisfied[2];     /* by enum fb_effect */
    size_t counts[2], capacities[2];
    struct fb_policy_error *errors;
    size_t errors_count, errors_capacity;
};

static bool add_satisfied(struct fb_arena *arena, struct lists *lists, uint8_t effect, uint32_t rule)
{
    uint32_t *list = fb_arena_grow(arena, lists->satisfied[effect], lists->counts[effect],
                                   &lists->capacities[effect], sizeof *list);
    if (list == NULL)
        return false;
    lists->satisfied[effect] = list;
    list[lists->counts[effect]++] = rule;
    return true;
}

static bool add_error(struct fb_eval *e, struct lists *lists, uint32_t rule)
{
    struct fb_policy_error *errors = fb_arena_grow(e->arena, lists->errors, lists->errors_count,
                                                   &lists->errors_capacity, sizeof *errors);
    if (errors == NULL)
        return false;
    lists->errors = errors;
    errors[lists->errors_count++] = (struct fb_policy_error){
        .policy = rule, .range = fb_fault_range(e), .message = fb_fault_message(e)};
    return true;
}

static void conclude(const struct lists *lists, struct fb_decision *decision)
{
    *decision = (struct fb_decision){
        .allow = lists->counts[FB_PERMIT] != 0 && lists->counts[FB_FORBID] == 0,
        .permits = lists->satisfied[FB_PERMIT], .permits_count = (uint32_t)lists->counts[FB_PERMIT],
        .forbids = lists->satisfied[FB_FORBID], .forbids_count = (uint32_t)lists->counts[FB_FORBID],
        .errors = lists->errors, .errors_count = (uint32_t)lists->errors_count,
    };
}

enum fb_status fb_decide(const struct fb_program *program, const struct fb_request *request,
                         struct fb_arena *arena, struct fb_decision *decision)
{
    *decision = (struct fb_decision){0};
    struct fb_eval e;
    struct fb_candidates candidates;
    fb_eval_init(&e, &program->code, request, arena);
    if (!fb_candidates_init(&candidates, program, &e, 0))
        return FB_CANNOT;
    struct lists lists = {0};
    uint32_t rule;
    while ((rule = fb_candidates_next(&candidates, &e)) != UINT32_MAX) {
        bool kept = true;
        uint8_t effect;
        switch (rule_verdict(program, &e, rule, candidates.proven, &effect)) {
        case NO: break;
        case YES: kept = add_satisfied(arena, &lists, effect, rule); break;
        case ERRED: kept = add_error(&e, &lists, rule); break;
        case CANNOT: kept = false; break;
        }
        if (!kept)
            return FB_CANNOT;
    }
    /* An arena that once ran dry may have cut a message short, or worse. */
    if (e.cannot || arena->failed)
        return FB_CANNOT;
    conclude(&lists, decision);
    return FB_OK;
}

enum fb_status fb_evaluate(const struct fb_expr *expr, const struct fb_request *request, struct fb_arena *arena,
                           struct fb_value *value, struct fb_policy_error *error, bool *erred)
{
    struct fb_code code = {0};
    struct fb_compiler compiler = {.arena = arena, .code = &code};
    uint32_t node;
    struct fb_eval e;
    *erred = false;
    if (!fb_compile(&compiler, expr, &node))
        return FB_CANNOT;
    fb_eval_init(&e, &code, request, arena);
    if (fb_eval(&e, node, value))
        return e.cannot || arena->failed ? FB_CANNOT : FB_OK;
    if (e.cannot || arena->failed)
        return FB_CANNOT;
    *erred = true;
    *error = (struct fb_policy_error){.range = fb_fault_range(&e), .message = fb_fault_message(&e)};
    return FB_OK;
}
