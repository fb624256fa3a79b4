/* SPDX-License-Identifier: Apache-2.0 */
/* Abstract evaluation: to each node a set of outcomes that holds whatever the node comes to under
 * any choice of the unknowns.
 *
 * Why it is sound.  Let a choice fix the principal and the resource (any ids of their types, with
 * any attributes, tags and ancestors, in the store or not), the unknown fields of the context and the
 * unknown attributes of known entities (absent, or any value).  Claim: the outcome of each node under
 * the choice lies in its guess.  By induction over the code:
 *   - A node that reads no unknown variable has one outcome, and is evaluated as ever; unless
 *     attributes are unknown (`deep`): they can be read wherever an entity can be named, so then every
 *     node is walked, and what is known is read field by field.
 *   - A variable that is unknown is its own shape; a field or attribute that is unknown may be absent
 *     (an error, or `has` false) or anything.  A record that an unknown lies in is `partly` known: its
 *     other fields are as they stand, and the whole is equal only to itself for certain.  Entities are
 *     equal by their uids, so an unknown attribute makes no entity less known, and is found by the uid
 *     that it is read from, whichever way that was come by.
 *   - Strict operations: if every operand has one known value the operation itself is run on it
 *     (leaf.c, function.c, access.c).  Else the result is made from the kinds that the operands may
 *     have: true and false both, or any value of the result's kind, wherever some combination of
 *     kinds is not an error; error wherever some combination is one.  An operand that may err adds
 *     error; one that can only err leaves nothing else.
 *   - Where less than "true or false" is said of an unknown, it follows from its type alone (`is`;
 *     `==` and `contains` between types that differ), from its being one and the same thing within
 *     a choice (principal == principal, principal in principal), or from an empty set.
 *   - `&&`, `||` and `if` join what each outcome of their first operand leads to, and evaluate
 *     nothing that no outcome leads to.
 * Joins and kinds only ever add.  That two guesses are drawn from one choice is forgotten (x == 1 &&
 * x == 2 may be true): too large, never too small.
 *
 * The concrete evaluator pays nothing for this: nothing there asks whether a thing is known. */

#include "engine/unknown.h"

void fb_surmise_init(struct fb_surmise *s, const struct fb_program *program, const struct fb_request *request,
                     const struct fb_unknowns *unknowns, struct fb_arena *arena)
{
    fb_eval_init(&s->e, &program->code, request, arena);
    s->unknowns = unknowns;
    s->vars = 0;
    s->deep = false;
    if (unknowns == NULL)
        return;
    if (unknowns->principal)
        s->vars |= 1u << FB_PRINCIPAL;
    if (unknowns->resource)
        s->vars |= 1u << FB_RESOURCE;
    if (unknowns->context_count != 0)
        s->vars |= 1u << FB_CONTEXT;
    for (uint32_t i = 0; i < unknowns->attributes_count; i++) {
        if (unknowns->attributes[i].entity == NULL)
            s->vars |= 1u << FB_CONTEXT;
        else
            s->deep = true;
    }
}

static const struct fb_span token_scope[] = {FB_SPAN_INIT("token"), FB_SPAN_INIT("scope")};
static const struct fb_span token_acr[] = {FB_SPAN_INIT("token"), FB_SPAN_INIT("acr")};
static const struct fb_span token_amr[] = {FB_SPAN_INIT("token"), FB_SPAN_INIT("amr")};
static const struct fb_span token_auth_time[] = {FB_SPAN_INIT("token"), FB_SPAN_INIT("authTime")};
const struct fb_unknown_attribute fb_token_parts[FB_TOKEN_PARTS] = {
    {NULL, token_scope, 2}, {NULL, token_acr, 2}, {NULL, token_amr, 2}, {NULL, token_auth_time, 2}};

/* --- Lists ---------------------------------------------------------------------------------------- */

struct items {
    struct fb_value *values;    /* NULL unless each can have but one */
    bool erred, dead;           /* some may err; some can only err */
};

/* Guesses of the items, in order.  One that can only err ends the evaluation of all, but what the
 * others do cannot add more than that error. */
static bool guess_items(struct fb_surmise *s, const struct fb_node *node, struct items *items)
{
    struct fb_value *values = fb_arena_array(s->e.arena, node->third, sizeof *values);
    if (values == NULL)
        return fb_eval_cannot(&s->e);
    *items = (struct items){.values = values};
    for (uint32_t i = 0; i < node->third; i++) {
        struct fb_guess item;
        if (!fb_guess(s, s->e.code->lists[node->right + i] & ~FB_SUM_MINUS, &item))
            return false;
        items->erred = items->erred || (item.may & FB_CAN_ERR) != 0;
        items->dead = items->dead || (item.may & FB_CAN_VALUE) == 0;
        if (items->values != NULL && !fb_guess_only(&item, &values[i]))
            items->values = NULL;
    }
    return true;
}

static bool run_sum(struct fb_surmise *s, uint32_t index, const struct fb_node *node, const struct fb_value *values,
                    struct fb_value *out)
{
    const uint32_t *items = s->e.code->lists + node->right;
    if (values[0].kind != FB_LONG)
        return fb_fault_type(&s->e, items[0], "a long", values[0]);
    int64_t sum = values[0].number;
    for (uint32_t i = 1; i < node->third; i++)
        if (!fb_leaf_sum(&s->e, index, (enum fb_op)node->op, (items[i] & FB_SUM_MINUS) != 0,
                         items[i] & ~FB_SUM_MINUS, values[i], &sum))
            return false;
    *out = fb_value_number(FB_LONG, sum);
    return true;
}

static bool run_record(struct fb_surmise *s, const struct fb_node *node, const struct fb_value *values,
                       struct fb_value *out)
{
    struct fb_field *fields = fb_arena_array(s->e.arena, node->third, sizeof *fields);
    if (fields == NULL)
        return fb_eval_cannot(&s->e);
    for (uint32_t i = 0; i < node->third; i++)
        fields[i] = (struct fb_field){s->e.code->names[node->left + i].text, values[i]};
    return fb_value_record(s->e.arena, fields, node->third, out) || fb_eval_cannot(&s->e);
}

static bool run_list(struct fb_surmise *s, uint32_t index, const struct fb_node *node, struct fb_value *values,
                     struct fb_value *out)
{
    switch ((unsigned)node->op) {
    case FB_OP_SUM: case FB_OP_MUL:
        return run_sum(s, index, node, values, out);
    case FB_OP_SET:
        return fb_value_set(s->e.arena, values, node->third, out) || fb_eval_cannot(&s->e);
    case FB_OP_RECORD:
        return run_record(s, node, values, out);
    default:
        return fb_leaf_call(&s->e, index, values, out);
    }
}

/* Kinds of what the operation makes when it does not err. */
static struct fb_guess made_by(const struct fb_node *node)
{
    struct fb_guess made;
    switch ((unsigned)node->op) {
    case FB_OP_SUM: case FB_OP_MUL:
        return fb_guess_some(fb_kind_bit(FB_LONG));
    case FB_OP_SET: case FB_OP_RECORD:
        made = fb_guess_some(node->op == FB_OP_SET ? fb_kind_bit(FB_SET) : fb_kind_bit(FB_RECORD));
        made.may &= (uint8_t)~FB_CAN_ERR;       /* making one cannot fail */
        return made;
    default:
        if (fb_function_result(node->arg) != FB_BOOL)
            return fb_guess_some(fb_kind_bit(fb_function_result(node->arg)));
        return fb_guess_of(FB_CAN_ERR | fb_either());
    }
}

static bool fb_guess_list(struct fb_surmise *s, uint32_t index, const struct fb_node *node, struct fb_guess *out)
{
    struct items items;
    struct fb_value result = {0};
    if (!guess_items(s, node, &items))
        return false;
    bool miscounted = node->op == FB_OP_CALL && node->third != fb_functions[node->arg].arity;
    if (items.dead || miscounted)
        *out = fb_guess_of(FB_CAN_ERR);
    else if (items.values == NULL)
        *out = made_by(node);
    else if (!fb_guess_settle(s, run_list(s, index, node, items.values, &result), result, out))
        return false;
    if (items.erred)
        out->may |= FB_CAN_ERR;
    return true;
}

/* --- Choices -------------------------------------------------------------------------------------- */

static bool guess_logic(struct fb_surmise *s, const struct fb_node *node, struct fb_guess *out)
{
    const uint32_t *items = s->e.code->lists + node->right;
    uint8_t decides = node->op == FB_OP_OR ? FB_CAN_TRUE : FB_CAN_FALSE;
    uint8_t passes = node->op == FB_OP_OR ? FB_CAN_FALSE : FB_CAN_TRUE;
    uint8_t so_far = passes;
    for (uint32_t i = 0; i < node->third && (so_far & passes) != 0; i++) {
        uint8_t item;
        if (!fb_guess_condition(s, items[i], &item))
            return false;
        so_far = (uint8_t)((so_far & (decides | FB_CAN_ERR)) | item);
    }
    *out = fb_guess_of(so_far);
    return true;
}

static bool guess_if(struct fb_surmise *s, const struct fb_node *node, struct fb_guess *out)
{
    uint8_t condition;
    struct fb_guess branch;
    if (!fb_guess_condition(s, node->left, &condition))
        return false;
    *out = fb_guess_of(condition & FB_CAN_ERR);
    if ((condition & FB_CAN_TRUE) != 0) {
        if (!fb_guess(s, node->right, &branch))
            return false;
        *out = fb_guess_join(*out, branch);
    }
    if ((condition & FB_CAN_FALSE) != 0) {
        if (!fb_guess(s, node->third, &branch))
            return false;
        *out = fb_guess_join(*out, branch);
    }
    return true;
}

static bool guess_is_in(struct fb_surmise *s, uint32_t index, const struct fb_node *node, struct fb_guess *out)
{
    struct fb_guess a, b, within;
    struct fb_value value;
    if (!fb_guess(s, node->left, &a))
        return false;
    *out = fb_guess_of(a.may & FB_CAN_ERR);
    if ((a.may & FB_CAN_VALUE) == 0)
        return true;
    if (!fb_guess_only(&a, &value))
        *out = fb_guess_join(*out, fb_guess_is(s, node, &a));
    else if (value.kind != FB_ENTITY)
        *out = fb_guess_of(FB_CAN_ERR);
    else
        out->may |= fb_leaf_is(node, value.uid) ? FB_CAN_TRUE : FB_CAN_FALSE;
    if ((out->may & FB_CAN_TRUE) == 0)
        return true;
    if (!fb_guess(s, node->right, &b))
        return false;
    within = fb_guess_of(FB_CAN_ERR);
    if ((b.may & FB_CAN_VALUE) != 0 && !fb_guess_pair_of(s, index, &a, &b, &within))
        return false;
    *out = fb_guess_join(fb_guess_of((uint8_t)(out->may & ~FB_CAN_TRUE)), within);
    return true;
}

/* --- The walk ------------------------------------------------------------------------------------- */

static struct fb_guess guess_var(const struct fb_surmise *s, const struct fb_node *node)
{
    const struct fb_request *request = s->e.request;
    bool unknown = (s->vars & 1u << node->arg) != 0;
    switch ((enum fb_var)node->arg) {
    case FB_PRINCIPAL:
        return unknown ? fb_guess_shaped(FB_SHAPE_PRINCIPAL) : fb_guess_known(fb_value_entity(request->principal));
    case FB_ACTION:
        return fb_guess_known(fb_value_entity(request->action));
    case FB_RESOURCE:
        return unknown ? fb_guess_shaped(FB_SHAPE_RESOURCE) : fb_guess_known(fb_value_entity(request->resource));
    case FB_CONTEXT:
        break;
    }
    return unknown ? fb_guess_partly(request->context, NULL, 0) : fb_guess_known(request->context);
}

bool fb_guess(struct fb_surmise *s, uint32_t index, struct fb_guess *out)
{
    const struct fb_node *node = &s->e.code->nodes[index];
    if ((node->vars & s->vars) == 0 && !s->deep) {
        struct fb_value value = {0};
        bool done = fb_eval(&s->e, index, &value);
        return fb_guess_settle(s, done, value, out);
    }
    switch ((enum fb_op)node->op) {
    case FB_OP_VAR:
        *out = guess_var(s, node);
        return true;
    case FB_OP_AND: case FB_OP_OR:
        return guess_logic(s, node, out);
    case FB_OP_IF:
        return guess_if(s, node, out);
    case FB_OP_IS_IN:
        return guess_is_in(s, index, node, out);
    case FB_OP_NOT: case FB_OP_NEG: case FB_OP_EMPTY:
    case FB_OP_ATTR: case FB_OP_HAS: case FB_OP_PATH: case FB_OP_LIKE: case FB_OP_IS:
        return fb_guess_unary(s, index, node, out);
    case FB_OP_EQ: case FB_OP_NE: case FB_OP_LT: case FB_OP_LE: case FB_OP_GT: case FB_OP_GE:
    case FB_OP_IN: case FB_OP_CONTAINS: case FB_OP_CONTAINS_ALL: case FB_OP_CONTAINS_ANY:
    case FB_OP_GET_TAG: case FB_OP_HAS_TAG:
        return fb_guess_binary(s, index, node, out);
    case FB_OP_SUM: case FB_OP_MUL: case FB_OP_SET: case FB_OP_RECORD: case FB_OP_CALL:
        return fb_guess_list(s, index, node, out);
    case FB_OP_CONST:
        break;
    }
    *out = fb_guess_known(node->value);
    return true;
}

bool fb_guess_value(struct fb_surmise *s, uint32_t node, struct fb_value *value)
{
    struct fb_guess guess;
    return fb_guess(s, node, &guess) && (guess.may & FB_CAN_ERR) == 0 && fb_guess_only(&guess, value);
}

bool fb_guess_condition(struct fb_surmise *s, uint32_t node, uint8_t *may)
{
    struct fb_guess guess;
    if (!fb_guess(s, node, &guess))
        return false;
    *may = (uint8_t)((guess.may & (FB_CAN_TRUE | FB_CAN_FALSE | FB_CAN_ERR))
                     | ((guess.may & FB_CAN_OTHER) != 0 ? FB_CAN_ERR : 0));
    return true;
}

/* --- Scopes --------------------------------------------------------------------------------------- */

static bool guess_scope(struct fb_surmise *s, enum fb_scope_op op, struct fb_span type, const struct fb_uid *bound,
                        const struct fb_uid *uid, bool unknown, uint8_t *may)
{
    if (!unknown) {
        enum fb_found found = fb_scope_matches(&s->e, op, type, bound, uid);
        *may = found == FB_FOUND ? FB_CAN_TRUE : FB_CAN_FALSE;
        return found != FB_BROKEN;
    }
    switch (op) {
    case FB_SCOPE_ANY:
        *may = FB_CAN_TRUE;
        return true;
    case FB_SCOPE_EQ:
        *may = fb_uid_is(uid, bound->type_hash, fb_uid_type(bound)) ? fb_either() : FB_CAN_FALSE;
        return true;
    case FB_SCOPE_IS:
        *may = fb_span_eq(fb_uid_type(uid), type) ? FB_CAN_TRUE : FB_CAN_FALSE;
        return true;
    case FB_SCOPE_IS_IN:
        *may = fb_span_eq(fb_uid_type(uid), type) ? fb_either() : FB_CAN_FALSE;
        return true;
    case FB_SCOPE_IN: case FB_SCOPE_IN_LIST:
        break;
    }
    *may = fb_either();
    return true;
}

bool fb_guess_principal(struct fb_surmise *s, const struct fb_rule *rule, uint8_t *may)
{
    return guess_scope(s, (enum fb_scope_op)rule->principal_op, rule->policy->principal.type, rule->principal,
                       s->e.request->principal, (s->vars & 1u << FB_PRINCIPAL) != 0, may);
}

bool fb_guess_resource(struct fb_surmise *s, const struct fb_rule *rule, uint8_t *may)
{
    return guess_scope(s, (enum fb_scope_op)rule->resource_op, rule->policy->resource.type, rule->resource,
                       s->e.request->resource, (s->vars & 1u << FB_RESOURCE) != 0, may);
}
