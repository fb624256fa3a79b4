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

/* Entities that the scope names: equal ones first, as membership may need a look-up. */
static enum verdict names_verdict(struct fb_eval *e, const struct fb_program *program, const struct fb_form *form,
                                  uint32_t rule)
{
    const struct fb_uid *uids[2] = {e->request->principal, e->request->resource};
    const struct fb_rows *rows = rule < program->statics.count ? &program->statics : program->links;
    const struct fb_row *row = fb_program_row(program, rule);
    for (int side = 0; side < 2; side++)
        if (form->op[side] == FB_SCOPE_EQ && !fb_uid_eq(uids[side], fb_key_at(rows, row->key[side])->uid))
            return NO;
    for (int side = 0; side < 2; side++) {
        if (form->op[side] != FB_SCOPE_IN && form->op[side] != FB_SCOPE_IS_IN)
            continue;
        enum fb_found found = fb_in(e, uids[side], fb_key_at(rows, row->key[side])->uid);
        if (found != FB_FOUND)
            return found == FB_ABSENT ? NO : CANNOT;
    }
    return YES;
}

static inline bool type_fits(const struct fb_form *form, enum fb_side side, const struct fb_uid *uid)
{
    return uid->type_hash == form->type[side] && uid->type_len == form->type_len[side]
           && fb_bytes_eq(uid->bytes, form->type_name[side], uid->type_len);
}

static inline enum verdict scope_verdict(struct fb_eval *e, const struct fb_program *program,
                                         const struct fb_form *form, uint32_t rule)
{
    if ((form->asks & FB_ASKS_RESOURCE_TYPE) != 0 && !type_fits(form, FB_SIDE_RESOURCE, e->request->resource))
        return NO;
    if ((form->asks & FB_ASKS_PRINCIPAL_TYPE) != 0 && !type_fits(form, FB_SIDE_PRINCIPAL, e->request->principal))
        return NO;
    return (form->asks & FB_ASKS_NAMES) != 0 ? names_verdict(e, program, form, rule) : YES;
}

/* A condition that is not clear at first sight. */
static enum verdict full_verdict(struct fb_eval *e, uint32_t node)
{
    struct fb_value value;
    if (e->cannot || !fb_eval(e, node, &value))
        return e->cannot ? CANNOT : ERRED;
    if (value.kind != FB_BOOL) {
        fb_fault_type(e, node, "a bool", value);
        return ERRED;
    }
    return value.number != 0 ? YES : NO;
}

static inline enum verdict conditions_verdict(struct fb_eval *e, const struct fb_program *program,
                                              const struct fb_form *form)
{
    /* A program without conditions has no conjuncts to point at. */
    const struct fb_conjunct *conjunct = form->conjuncts_count != 0 ? program->conjuncts + form->conjuncts : NULL;
    for (uint32_t left = form->conjuncts_count; left > 0; left--, conjunct++) {
        int clear = fb_quick(e, conjunct->node);
        enum verdict verdict = clear == 0 ? NO : clear > 0 ? YES : full_verdict(e, conjunct->node);
        if (verdict != YES)
            return verdict;
    }
    return YES;
}

/* Lists of a decision while they grow. */
struct lists {
    uint32_t *satisfied[2];     /* by enum fb_effect */
    size_t counts[2], capacities[2];
    struct fb_policy_error *errors;
    size_t errors_count, errors_capacity;
};

#define FEW_SATISFIED 8u

static bool add_satisfied(struct fb_arena *arena, struct lists *lists, uint8_t effect, uint32_t rule)
{
    uint32_t *list = lists->satisfied[effect];
    if (lists->counts[effect] == lists->capacities[effect]) {
        /* The first few without a clear: all that is counted is written. */
        if (list == NULL && (list = fb_arena_room(arena, FEW_SATISFIED * sizeof *list)) != NULL)
            lists->capacities[effect] = FEW_SATISFIED;
        else
            list = fb_arena_grow(arena, list, lists->counts[effect], &lists->capacities[effect], sizeof *list);
        if (list == NULL)
            return false;
        lists->satisfied[effect] = list;
    }
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

/* What a rule whose action matches adds.  `proven`: its scope holds.  False: cannot. */
static inline bool weigh(struct fb_eval *e, const struct fb_program *program, uint32_t rule,
                         const struct fb_form *form, bool proven, struct lists *lists)
{
    enum verdict verdict = proven ? YES : scope_verdict(e, program, form, rule);
    if (verdict == YES)
        verdict = conditions_verdict(e, program, form);
    if (verdict == NO)
        return true;
    return verdict == YES ? add_satisfied(e->arena, lists, form->effect, rule)
                          : verdict == ERRED && add_error(e, lists, rule);
}

static bool weigh_candidates(struct fb_eval *e, const struct fb_program *program, struct lists *lists)
{
    struct fb_candidates candidates;
    uint32_t rule;
    if (!fb_candidates_init(&candidates, program, e, 0))
        return false;
    while ((rule = fb_candidates_next(&candidates, e)) != UINT32_MAX)
        if (!weigh(e, program, rule, fb_program_form(program, rule), candidates.proven, lists))
            return false;
    return true;
}

/* The entities that are asked for sooner or later, at once, so that the processor waits for both together.  False:
 * cannot. */
static bool find_looked(struct fb_eval *e, uint8_t looked)
{
    static const uint8_t vars[] = {FB_PRINCIPAL, FB_RESOURCE};
    for (int i = 0; i < 2; i++) {
        uint8_t var = vars[i];
        if ((looked >> var & 1) == 0 || e->seen[var].found != NULL)
            continue;
        const struct fb_entity *entity = fb_find_seen(e, &e->seen[var]);
        e->known_path[var] = FB_PATH_VAR + var;
        e->known_fields[var] = entity != NULL ? entity->attrs : NULL;
    }
    return !e->cannot;
}

static bool weigh_concerned(struct fb_eval *e, const struct fb_program *program, const struct fb_concerned *concerned,
                            struct lists *lists)
{
    if (!find_looked(e, concerned->looked))
        return false;
    for (uint32_t i = 0; i < concerned->count; i++)
        if (!weigh(e, program, concerned->list[i], concerned->forms[i], false, lists))
            return false;
    return true;
}

enum fb_status fb_decide(const struct fb_program *program, const struct fb_request *request,
                         struct fb_arena *arena, struct fb_decision *decision)
{
    struct fb_eval e;
    struct lists lists = {0};
    fb_eval_init(&e, &program->code, request, arena);
    bool weighed = request->concerned != NULL ? weigh_concerned(&e, program, request->concerned, &lists)
                                              : weigh_candidates(&e, program, &lists);
    /* An arena that once ran dry may have cut a message short, or worse. */
    if (!weighed || e.cannot || arena->failed) {
        *decision = (struct fb_decision){0};
        return FB_CANNOT;
    }
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
