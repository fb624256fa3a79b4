/* SPDX-License-Identifier: Apache-2.0 */
/* Which clauses of a policy were met.  The clauses are evaluated each by itself, so one that is
 * guarded by another (`context has token && context.token.…`) errs where its guard is not met; the
 * first unmet one is what decides.  On the path of every refusal: without `values` nothing but
 * outcomes is computed. */

#include "engine/explainer.h"

#define VALUES_MAX 16u      /* of one clause */

/* --- Clauses ------------------------------------------------------------------------------------- */

/* One of the scope elements: its outcomes, whether it constrains anything, and what it is about. */
static bool scope_clause(struct fb_explainer *x, const struct fb_rule *rule, enum fb_clause_part part,
                         struct fb_clause *clause, bool *constrains)
{
    const struct fb_policy *policy = rule->policy;
    const struct fb_scope *scope = part == FB_PART_PRINCIPAL ? &policy->principal
                                   : part == FB_PART_ACTION ? &policy->action : &policy->resource;
    *constrains = scope->op != FB_SCOPE_ANY;
    *clause = (struct fb_clause){.part = part, .about = FB_CLAUSE_OTHER, .range = scope->range};
    if (!*constrains)
        return true;
    if (part == FB_PART_ACTION) {
        enum fb_found found = fb_action_matches(&x->s.e, scope);
        clause->outcomes = found == FB_FOUND ? FB_CAN_TRUE : FB_CAN_FALSE;
        return found != FB_BROKEN;
    }
    if (part == FB_PART_RESOURCE)
        return fb_guess_resource(&x->s, rule, &clause->outcomes);
    if (scope->op == FB_SCOPE_IN || scope->op == FB_SCOPE_IS_IN)
        clause->about = fb_classify_group(rule->principal);
    return fb_guess_principal(&x->s, rule, &clause->outcomes);
}

static bool condition_clause(struct fb_explainer *x, const struct fb_conjunct *conjunct, struct fb_clause *clause)
{
    *clause = (struct fb_clause){.part = (enum fb_clause_part)conjunct->part,
                                 .about = (enum fb_clause_class)conjunct->about, .range = conjunct->range};
    return fb_guess_condition(&x->s, conjunct->node, &clause->outcomes);
}

/* --- Values -------------------------------------------------------------------------------------- */

struct values {
    struct fb_clause_value *list;
    uint32_t count;
};

/* Adds what the node came to, if that is one value; the context as a whole says too much. */
static bool add_value(struct fb_explainer *x, uint32_t index, struct values *values)
{
    const struct fb_node *node = &x->program->code.nodes[index];
    struct fb_value value = {0};
    if ((node->op == FB_OP_VAR && node->arg == FB_CONTEXT) || values->count == VALUES_MAX
        || !fb_guess_value(&x->s, index, &value))
        return false;
    for (uint32_t i = 0; i < values->count; i++)
        if (fb_value_eq(values->list[i].value, value)
            && values->list[i].range.end - values->list[i].range.start
                   == x->program->code.ranges[index].end - x->program->code.ranges[index].start)
            return true;    /* most likely the same operand again */
    values->list[values->count++] = (struct fb_clause_value){x->program->code.ranges[index], value};
    return true;
}

static void collect(struct fb_explainer *x, uint32_t index, struct values *values)
{
    const struct fb_node *node = &x->program->code.nodes[index];
    if (node->vars == 0 || x->s.e.cannot)
        return;
    switch ((enum fb_op)node->op) {
    case FB_OP_CONST:
        return;
    case FB_OP_VAR: case FB_OP_ATTR: case FB_OP_GET_TAG:
        if (!add_value(x, index, values) && node->op != FB_OP_VAR)
            collect(x, node->left, values);
        return;
    case FB_OP_NOT: case FB_OP_NEG: case FB_OP_EMPTY: case FB_OP_HAS: case FB_OP_PATH: case FB_OP_LIKE:
    case FB_OP_IS:
        collect(x, node->left, values);
        return;
    case FB_OP_IF:
        collect(x, node->left, values);
        collect(x, node->right, values);
        collect(x, node->third, values);
        return;
    case FB_OP_EQ: case FB_OP_NE: case FB_OP_LT: case FB_OP_LE: case FB_OP_GT: case FB_OP_GE:
    case FB_OP_IN: case FB_OP_CONTAINS: case FB_OP_CONTAINS_ALL: case FB_OP_CONTAINS_ANY:
    case FB_OP_HAS_TAG: case FB_OP_IS_IN:
        collect(x, node->left, values);
        collect(x, node->right, values);
        return;
    case FB_OP_AND: case FB_OP_OR: case FB_OP_SUM: case FB_OP_MUL:
    case FB_OP_SET: case FB_OP_RECORD: case FB_OP_CALL:
        for (uint32_t i = 0; i < node->third; i++)
            collect(x, x->program->code.lists[node->right + i] & ~FB_SUM_MINUS, values);
        return;
    }
}

/* The clause's error in words, where it certainly errs and nothing unknown is read. */
static void tell_error(struct fb_explainer *x, const struct fb_conjunct *conjunct, struct fb_clause *clause)
{
    struct fb_value value;
    if (clause->outcomes != FB_CAN_ERR || (x->program->code.nodes[conjunct->node].vars & x->s.vars) != 0 || x->s.deep)
        return;
    if (fb_eval(&x->s.e, conjunct->node, &value))
        fb_fault_type(&x->s.e, conjunct->node, "a bool", value);
    if (x->s.e.cannot)
        return;
    clause->error = fb_fault_message(&x->s.e);
    clause->error_range = fb_fault_range(&x->s.e);
}

static bool condition_values(struct fb_explainer *x, const struct fb_conjunct *conjunct, struct fb_clause *clause)
{
    struct values values = {.list = fb_arena_array(x->s.e.arena, VALUES_MAX, sizeof *values.list)};
    if (values.list == NULL)
        return false;
    collect(x, conjunct->node, &values);
    clause->values = values.list;
    clause->values_count = values.count;
    tell_error(x, conjunct, clause);
    return !x->s.e.cannot;
}

/* Of a scope element: the uid that it was tested against. */
static bool scope_values(struct fb_explainer *x, struct fb_clause *clause)
{
    const struct fb_request *request = x->s.e.request;
    const struct fb_uid *uid = clause->part == FB_PART_PRINCIPAL ? request->principal
                               : clause->part == FB_PART_ACTION ? request->action : request->resource;
    uint8_t var = clause->part == FB_PART_PRINCIPAL ? 1u << FB_PRINCIPAL
                  : clause->part == FB_PART_ACTION ? 1u << FB_ACTION : 1u << FB_RESOURCE;
    if ((x->s.vars & var) != 0)
        return true;
    struct fb_clause_value *value = fb_arena_alloc(x->s.e.arena, sizeof *value);
    if (value == NULL)
        return false;
    *value = (struct fb_clause_value){clause->range, fb_value_entity(uid)};
    clause->values = value;
    clause->values_count = 1;
    return true;
}

/* --- Policies ------------------------------------------------------------------------------------ */

/* The first unmet clause, if there is one.  Else, of a forbid: of the classes of its clauses the one of highest
 * rank, and of these the last, which tends to be the most particular. */
static const struct fb_clause *decisive(const struct fb_explanation *explanation, enum fb_effect effect)
{
    const struct fb_clause *found = NULL;
    for (uint32_t i = 0; i < explanation->clauses_count; i++) {
        const struct fb_clause *clause = &explanation->clauses[i];
        if (fb_clause_unmet(clause))
            return clause;
        if (effect == FB_FORBID && (found == NULL || clause->about <= found->about))
            found = clause;
    }
    return found;
}

/* Takes a clause into the sums; clauses that constrain nothing never come here. */
static void count_clause(struct fb_explanation *explanation, const struct fb_clause *clause)
{
    explanation->outcomes = fb_outcomes_and(explanation->outcomes, clause->outcomes);
    explanation->unmet += fb_clause_unmet(clause);
    explanation->clauses_count++;
}

bool fb_explain_rule(struct fb_explainer *x, uint32_t number, struct fb_explanation *explanation)
{
    const struct fb_rule of = fb_rule_of(x->program, number), *rule = &of;
    struct fb_clause *clauses = fb_arena_array(x->s.e.arena, 3 + (size_t)rule->conjuncts_count, sizeof *clauses);
    if (clauses == NULL)
        return false;
    *explanation = (struct fb_explanation){.policy = number, .clauses = clauses, .outcomes = FB_CAN_TRUE,
                                           .fits = fb_types_fit(rule, x->s.e.request)};
    for (int part = FB_PART_PRINCIPAL; part <= FB_PART_RESOURCE; part++) {
        struct fb_clause *clause = &clauses[explanation->clauses_count];
        bool constrains;
        if (!scope_clause(x, rule, (enum fb_clause_part)part, clause, &constrains)
            || (constrains && x->values && !scope_values(x, clause)))
            return false;
        if (!constrains)
            continue;
        if (part == FB_PART_ACTION && fb_clause_unmet(clause))
            explanation->fits = false;
        count_clause(explanation, clause);
    }
    for (uint32_t i = 0; i < rule->conjuncts_count; i++) {
        const struct fb_conjunct *conjunct = &x->program->conjuncts[rule->conjuncts + i];
        struct fb_clause *clause = &clauses[explanation->clauses_count];
        if (!condition_clause(x, conjunct, clause) || (x->values && !condition_values(x, conjunct, clause)))
            return false;
        count_clause(explanation, clause);
    }
    explanation->decisive = decisive(explanation, (enum fb_effect)rule->effect);
    return true;
}

void fb_explainer_init(struct fb_explainer *x, const struct fb_program *program, const struct fb_request *request,
                       const struct fb_unknowns *unknowns, bool values, struct fb_arena *arena)
{
    x->program = program;
    x->values = values;
    fb_surmise_init(&x->s, program, request, unknowns, arena);
}

enum fb_status fb_explain(const struct fb_program *program, uint32_t policy, const struct fb_request *request,
                          const struct fb_unknowns *unknowns, bool values, struct fb_arena *arena,
                          struct fb_explanation *explanation)
{
    struct fb_explainer x;
    if (fb_program_policy(program, policy) == NULL)
        return FB_CANNOT;   /* a link that is gone */
    fb_explainer_init(&x, program, request, unknowns, values, arena);
    bool done = fb_explain_rule(&x, policy, explanation);
    return done && !arena->failed ? FB_OK : FB_CANNOT;
}

bool fb_count_unmet_scope(struct fb_explainer *x, const struct fb_rule *rule, uint32_t enough, uint32_t *count,
                          uint8_t *outcomes)
{
    struct fb_clause clause;
    bool constrains;
    *count = 0;
    *outcomes = FB_CAN_TRUE;
    for (int part = FB_PART_PRINCIPAL; part <= FB_PART_RESOURCE && *count < enough; part += 2) {
        if (!scope_clause(x, rule, (enum fb_clause_part)part, &clause, &constrains))
            return false;
        if (!constrains)
            continue;
        *count += fb_clause_unmet(&clause);
        *outcomes = fb_outcomes_and(*outcomes, clause.outcomes);
    }
    return true;
}

/* The conditions from `first` on, added to what is counted. */
static bool count_conditions(struct fb_explainer *x, uint32_t first, uint32_t conditions, uint32_t enough,
                             uint32_t *count, uint8_t *outcomes)
{
    struct fb_clause clause;
    for (uint32_t i = 0; i < conditions && *count < enough; i++) {
        if (!condition_clause(x, &x->program->conjuncts[first + i], &clause))
            return false;
        *count += fb_clause_unmet(&clause);
        *outcomes = fb_outcomes_and(*outcomes, clause.outcomes);
    }
    return true;
}

bool fb_count_unmet(struct fb_explainer *x, const struct fb_rule *rule, uint32_t enough, uint32_t *count,
                    uint8_t *outcomes)
{
    return fb_count_unmet_scope(x, rule, enough, count, outcomes)
           && count_conditions(x, rule->conjuncts, rule->conjuncts_count, enough, count, outcomes);
}

bool fb_count_unmet_conditions(struct fb_explainer *x, const struct fb_form *form, uint32_t *count, uint8_t *outcomes)
{
    *count = 0;
    *outcomes = FB_CAN_TRUE;
    return count_conditions(x, form->conjuncts, form->conjuncts_count, UINT32_MAX, count, outcomes);
}
