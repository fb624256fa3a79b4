/* SPDX-License-Identifier: Apache-2.0 */
/* Abstract evaluation: to each node a set of outcomes that holds whatever the node comes to under
 * any choice of the unknowns.
 *
 * Why it is sound.  Let a choice fix the principal and the resource (any ids of their types, with
 * any attributes, tags and ancestors, in the store or not) and the unknown fields of the context
 * (absent, or any value).  Claim: the outcome of each node under the choice lies in its guess.  By
 * induction over the code:
 *   - A node that reads no unknown variable has one outcome; it is evaluated as ever.
 *   - A variable that is unknown is its own shape; a field of the context that is unknown may be
 *     absent (an error, or `has` false) or anything.
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

#define KIND(k) ((uint16_t)(1u << (k)))
#define ANYTHING ((uint16_t)(KIND(FB_LONG) | KIND(FB_STRING) | KIND(FB_ENTITY) | KIND(FB_SET) | KIND(FB_RECORD) \
                             | KIND(FB_DECIMAL) | KIND(FB_DATETIME) | KIND(FB_DURATION) | KIND(FB_IP)))
#define ORDERED ((uint16_t)(KIND(FB_LONG) | KIND(FB_DATETIME) | KIND(FB_DURATION)))
#define VALUES (FB_CAN_TRUE | FB_CAN_FALSE | FB_CAN_OTHER)

#ifdef FB_ENGINE_FAULTS
uint8_t fb_surmise_fault;
#endif

/* True or false, one does not know. */
static uint8_t either(void)
{
#ifdef FB_ENGINE_FAULTS
    return (uint8_t)((FB_CAN_TRUE | FB_CAN_FALSE) & ~fb_surmise_fault);
#else
    return FB_CAN_TRUE | FB_CAN_FALSE;
#endif
}

void fb_surmise_init(struct fb_surmise *s, const struct fb_program *program, const struct fb_request *request,
                     const struct fb_unknowns *unknowns, struct fb_arena *arena)
{
    fb_eval_init(&s->e, &program->code, request, arena);
    s->unknowns = unknowns;
    s->vars = 0;
    if (unknowns == NULL)
        return;
    if (unknowns->principal)
        s->vars |= 1u << FB_PRINCIPAL;
    if (unknowns->resource)
        s->vars |= 1u << FB_RESOURCE;
    if (unknowns->context_count != 0)
        s->vars |= 1u << FB_CONTEXT;
}

/* --- Guesses ----------------------------------------------------------------------------------- */

static struct fb_guess outcomes(uint8_t may)
{
    return (struct fb_guess){.may = may};
}

static struct fb_guess known(struct fb_value value)
{
    if (value.kind == FB_BOOL)
        return outcomes(value.number != 0 ? FB_CAN_TRUE : FB_CAN_FALSE);
    return (struct fb_guess){.may = FB_CAN_OTHER, .shape = FB_SHAPE_KNOWN, .value = value};
}

static struct fb_guess shaped(enum fb_shape shape)
{
    return (struct fb_guess){.may = FB_CAN_OTHER, .shape = (uint8_t)shape};
}

/* Some value of these kinds, or an error. */
static struct fb_guess some(uint16_t kinds)
{
    return (struct fb_guess){.may = FB_CAN_OTHER | FB_CAN_ERR, .shape = FB_SHAPE_ANY, .kinds = kinds};
}

/* Any value at all, or an error: what comes of reading an unknown. */
static struct fb_guess anything(void)
{
    struct fb_guess guess = some(ANYTHING);
    guess.may |= either();
    return guess;
}

static uint16_t other_kinds(const struct fb_guess *guess)
{
    if ((guess->may & FB_CAN_OTHER) == 0)
        return 0;
    switch ((enum fb_shape)guess->shape) {
    case FB_SHAPE_KNOWN: return KIND(guess->value.kind);
    case FB_SHAPE_PRINCIPAL: case FB_SHAPE_RESOURCE: return KIND(FB_ENTITY);
    case FB_SHAPE_CONTEXT: return KIND(FB_RECORD);
    case FB_SHAPE_ANY: break;
    }
    return guess->kinds;
}

static uint16_t kinds_of(const struct fb_guess *guess)
{
    return (uint16_t)(other_kinds(guess) | ((guess->may & (FB_CAN_TRUE | FB_CAN_FALSE)) != 0 ? KIND(FB_BOOL) : 0));
}

/* The only value that the guess can have (errors apart). */
static bool only_value(const struct fb_guess *guess, struct fb_value *value)
{
    uint8_t values = guess->may & VALUES;
    if (values == FB_CAN_TRUE || values == FB_CAN_FALSE)
        *value = fb_value_bool(values == FB_CAN_TRUE);
    else if (values == FB_CAN_OTHER && guess->shape == FB_SHAPE_KNOWN)
        *value = guess->value;
    else
        return false;
    return true;
}

/* The unknown entity that the guess is (errors apart), or NULL: its uid, of which only the type
 * counts. */
static const struct fb_uid *unknown_entity(const struct fb_surmise *s, const struct fb_guess *guess)
{
    if ((guess->may & VALUES) != FB_CAN_OTHER)
        return NULL;
    return guess->shape == FB_SHAPE_PRINCIPAL ? s->e.request->principal
           : guess->shape == FB_SHAPE_RESOURCE ? s->e.request->resource : NULL;
}

/* Both are the one unknown thing. */
static bool same_unknown(const struct fb_guess *a, const struct fb_guess *b)
{
    return (a->may & VALUES) == FB_CAN_OTHER && (b->may & VALUES) == FB_CAN_OTHER && a->shape == b->shape
           && a->shape != FB_SHAPE_KNOWN && a->shape != FB_SHAPE_ANY;
}

static bool same_other(const struct fb_guess *a, const struct fb_guess *b)
{
    return a->shape == b->shape && a->shape != FB_SHAPE_ANY
           && (a->shape != FB_SHAPE_KNOWN || fb_value_eq(a->value, b->value));
}

static struct fb_guess join(struct fb_guess a, struct fb_guess b)
{
    uint8_t may = a.may | b.may;
    if ((a.may & FB_CAN_OTHER) == 0)
        a = b;
    else if ((b.may & FB_CAN_OTHER) != 0 && !same_other(&a, &b))
        a = (struct fb_guess){.shape = FB_SHAPE_ANY, .kinds = other_kinds(&a) | other_kinds(&b)};
    a.may = may;
    return a;
}

/* What came of running an operation on known values. */
static bool settle(struct fb_surmise *s, bool done, struct fb_value value, struct fb_guess *out)
{
    *out = done ? known(value) : outcomes(FB_CAN_ERR);
    return !s->e.cannot;
}

/* Outcomes of a test that only operands of `good` kinds pass without error. */
static struct fb_guess test(uint16_t kinds, uint16_t good)
{
    return outcomes((uint8_t)((kinds & good) != 0 ? either() : 0)
                    | (uint8_t)((kinds & ~good) != 0 ? FB_CAN_ERR : 0));
}

/* --- Reading ------------------------------------------------------------------------------------ */

static bool field_unknown(const struct fb_surmise *s, struct fb_span name)
{
    for (uint32_t i = 0; i < s->unknowns->context_count; i++)
        if (fb_span_eq(s->unknowns->context[i], name))
            return true;
    return false;
}

/* `from has name` in *has and, where that is true, `from.name` in *out (which has no error of its
 * own then). */
static bool guess_field(struct fb_surmise *s, uint32_t node, const struct fb_guess *from, uint64_t symbol,
                        struct fb_span name, uint8_t *has, struct fb_guess *out)
{
    struct fb_value value, result = {0};
    bool partly = (from->may & VALUES) == FB_CAN_OTHER && from->shape == FB_SHAPE_CONTEXT;
    *out = anything();
    out->may &= (uint8_t)~FB_CAN_ERR;
    if (partly && field_unknown(s, name)) {
        *has = either();
    } else if (partly || only_value(from, &value)) {
        bool present = false;
        if (!fb_read_field(&s->e, node, partly ? s->e.request->context : value, symbol, name, &result, &present))
            *has = FB_CAN_ERR;
        else
            *has = present ? FB_CAN_TRUE : FB_CAN_FALSE;
        if (present)
            *out = known(result);
    } else {
        *has = test(kinds_of(from), KIND(FB_ENTITY) | KIND(FB_RECORD)).may;
    }
    return !s->e.cannot;
}

static bool guess_attr(struct fb_surmise *s, uint32_t index, const struct fb_guess *from, struct fb_guess *out)
{
    const struct fb_node *node = &s->e.code->nodes[index];
    uint8_t has;
    if (!guess_field(s, index, from, node->symbol, fb_node_name(node), &has, out))
        return false;
    if ((has & FB_CAN_TRUE) == 0)
        *out = outcomes(0);
    if ((has & (FB_CAN_FALSE | FB_CAN_ERR)) != 0)
        out->may |= FB_CAN_ERR;
    return true;
}

/* e has a.b.c: as e has a && e.a has b && …; the reads cannot err where `has` was true. */
static bool guess_path(struct fb_surmise *s, uint32_t index, struct fb_guess from, struct fb_guess *out)
{
    const struct fb_node *node = &s->e.code->nodes[index];
    uint8_t so_far = FB_CAN_TRUE;
    uint32_t count = node->op == FB_OP_PATH ? node->third : 1;
    for (uint32_t i = 0; i < count && (so_far & FB_CAN_TRUE) != 0; i++) {
        struct fb_name name = node->op == FB_OP_PATH ? s->e.code->names[node->right + i]
                                                     : (struct fb_name){node->symbol, fb_node_name(node)};
        uint8_t has;
        struct fb_guess next;
        if (!guess_field(s, index, &from, name.symbol, name.text, &has, &next))
            return false;
        so_far = fb_outcomes_and(so_far, has);
        from = next;
    }
    *out = outcomes(so_far);
    return true;
}

/* --- Strict operations ---------------------------------------------------------------------------- */

static struct fb_guess guess_is(const struct fb_surmise *s, const struct fb_node *node, const struct fb_guess *a)
{
    const struct fb_uid *entity = unknown_entity(s, a);
    if (entity != NULL)
        return outcomes(fb_leaf_is(node, entity) ? FB_CAN_TRUE : FB_CAN_FALSE);
    return test(kinds_of(a), KIND(FB_ENTITY));
}

static bool guess_unary(struct fb_surmise *s, uint32_t index, const struct fb_node *node, struct fb_guess *out)
{
    struct fb_guess a;
    struct fb_value value, result = {0};
    if (!fb_guess(s, node->left, &a))
        return false;
    uint8_t erred = a.may & FB_CAN_ERR;
    if ((a.may & VALUES) == 0) {
        *out = a;
        return true;
    }
    if (node->op == FB_OP_ATTR || node->op == FB_OP_HAS || node->op == FB_OP_PATH) {
        if (!(node->op == FB_OP_ATTR ? guess_attr(s, index, &a, out) : guess_path(s, index, a, out)))
            return false;
    } else if (only_value(&a, &value)) {
        if (!settle(s, fb_leaf_unary(&s->e, index, value, &result), result, out))
            return false;
    } else if (node->op == FB_OP_NOT) {
        *out = outcomes((uint8_t)((a.may & FB_CAN_TRUE) != 0 ? FB_CAN_FALSE : 0)
                        | (uint8_t)((a.may & FB_CAN_FALSE) != 0 ? FB_CAN_TRUE : 0)
                        | (uint8_t)((a.may & FB_CAN_OTHER) != 0 ? FB_CAN_ERR : 0));
    } else if (node->op == FB_OP_NEG) {
        *out = some(KIND(FB_LONG));
    } else if (node->op == FB_OP_IS) {
        *out = guess_is(s, node, &a);
    } else {
        *out = test(kinds_of(&a), node->op == FB_OP_EMPTY ? KIND(FB_SET) : KIND(FB_STRING));
    }
    out->may |= erred;
    return true;
}

/* Can the two be equal under some choice? */
static bool can_equal(const struct fb_surmise *s, const struct fb_guess *a, const struct fb_guess *b)
{
    if ((kinds_of(a) & kinds_of(b)) == 0)
        return false;
    const struct fb_uid *one = unknown_entity(s, a), *other = unknown_entity(s, b);
    struct fb_value value;
    if (one != NULL && other == NULL && only_value(b, &value))
        other = value.uid;
    else if (other != NULL && one == NULL && only_value(a, &value))
        one = value.uid;
    return one == NULL || other == NULL || fb_uid_is(one, other->type_hash, fb_uid_type(other));
}

static uint8_t guess_equal(const struct fb_surmise *s, const struct fb_guess *a, const struct fb_guess *b)
{
    if (same_unknown(a, b))
        return FB_CAN_TRUE;
    return can_equal(s, a, b) ? either() : FB_CAN_FALSE;
}

static uint8_t negate(uint8_t may)
{
    return (uint8_t)((may & FB_CAN_TRUE) != 0 ? FB_CAN_FALSE : 0)
           | (uint8_t)((may & FB_CAN_FALSE) != 0 ? FB_CAN_TRUE : 0);
}

static struct fb_guess guess_order(const struct fb_guess *a, const struct fb_guess *b)
{
    uint16_t one = kinds_of(a), other = kinds_of(b), common = one & other & ORDERED;
    bool single = one == other && (one & (one - 1)) == 0;
    return outcomes((uint8_t)(common != 0 ? either() : 0)
                    | (uint8_t)(common != 0 && single ? 0 : FB_CAN_ERR));
}

/* a in b, not both known. */
static struct fb_guess guess_in(const struct fb_guess *a, const struct fb_guess *b)
{
    uint8_t may = 0;
    uint16_t groups = kinds_of(b);
    struct fb_value set;
    if ((kinds_of(a) & ~KIND(FB_ENTITY)) != 0)
        may |= FB_CAN_ERR;
    if ((kinds_of(a) & KIND(FB_ENTITY)) == 0)
        return outcomes(may);
    if (same_unknown(a, b))
        return outcomes(may | FB_CAN_TRUE);
    if (only_value(b, &set) && set.kind == FB_SET) {
        for (uint32_t i = 0; i < set.count; i++)
            if (set.cells[i].kind != FB_ENTITY)
                return outcomes(FB_CAN_ERR);
        return outcomes(may | (set.count != 0 ? either() : FB_CAN_FALSE));
    }
    if ((groups & (KIND(FB_ENTITY) | KIND(FB_SET))) != 0)
        may |= either();
    if ((groups & ~KIND(FB_ENTITY)) != 0)
        may |= FB_CAN_ERR;      /* no group at all, or a set with something else in it */
    return outcomes(may);
}

static struct fb_guess guess_contains(const struct fb_surmise *s, const struct fb_guess *a, const struct fb_guess *b)
{
    struct fb_value set;
    if (!only_value(a, &set) || set.kind != FB_SET)
        return test(kinds_of(a), KIND(FB_SET));
    for (uint32_t i = 0; i < set.count; i++) {
        struct fb_guess element = known(fb_cell_load(&set.cells[i]));
        if (can_equal(s, &element, b))
            return outcomes(either());
    }
    return outcomes(FB_CAN_FALSE);
}

/* Two operands of which one at least is unknown. */
static struct fb_guess guess_pair(const struct fb_surmise *s, enum fb_op op, const struct fb_guess *a,
                                  const struct fb_guess *b)
{
    struct fb_guess tags;
    switch ((unsigned)op) {
    case FB_OP_EQ:
        return outcomes(guess_equal(s, a, b));
    case FB_OP_NE:
        return outcomes(negate(guess_equal(s, a, b)));
    case FB_OP_LT: case FB_OP_LE: case FB_OP_GT: case FB_OP_GE:
        return guess_order(a, b);
    case FB_OP_IN: case FB_OP_IS_IN:
        return guess_in(a, b);
    case FB_OP_CONTAINS:
        return guess_contains(s, a, b);
    case FB_OP_CONTAINS_ALL: case FB_OP_CONTAINS_ANY:
        tags = test(kinds_of(a), KIND(FB_SET));
        return join(tags, test(kinds_of(b), KIND(FB_SET)));
    default: /* FB_OP_GET_TAG, FB_OP_HAS_TAG */
        tags = join(test(kinds_of(a), KIND(FB_ENTITY)), test(kinds_of(b), KIND(FB_STRING)));
        return op == FB_OP_HAS_TAG ? tags : anything();
    }
}

static bool run_pair(struct fb_surmise *s, uint32_t index, enum fb_op op, struct fb_value a, struct fb_value b,
                     struct fb_guess *out)
{
    struct fb_value result = {0};
    bool done = op == FB_OP_IN || op == FB_OP_IS_IN ? fb_leaf_in(&s->e, index, a, b, &result)
                : op == FB_OP_GET_TAG || op == FB_OP_HAS_TAG ? fb_leaf_tag(&s->e, index, a, b, &result)
                                                             : fb_leaf_binary(&s->e, index, a, b, &result);
    return settle(s, done, result, out);
}

/* The operation on two guesses, neither of which can only err. */
static bool guess_on_pair(struct fb_surmise *s, uint32_t index, const struct fb_guess *a, const struct fb_guess *b,
                          struct fb_guess *out)
{
    enum fb_op op = (enum fb_op)s->e.code->nodes[index].op;
    struct fb_value one, other;
    if (only_value(a, &one) && only_value(b, &other)) {
        if (!run_pair(s, index, op, one, other, out))
            return false;
    } else {
        *out = guess_pair(s, op, a, b);
    }
    out->may |= (a->may | b->may) & FB_CAN_ERR;
    return true;
}

static bool guess_binary(struct fb_surmise *s, uint32_t index, const struct fb_node *node, struct fb_guess *out)
{
    struct fb_guess a, b;
    if (!fb_guess(s, node->left, &a) || !fb_guess(s, node->right, &b))
        return false;
    if ((a.may & VALUES) != 0 && (b.may & VALUES) != 0)
        return guess_on_pair(s, index, &a, &b, out);
    *out = outcomes(FB_CAN_ERR);
    return true;
}

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
        items->dead = items->dead || (item.may & VALUES) == 0;
        if (items->values != NULL && !only_value(&item, &values[i]))
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
    static const uint8_t results[FB_FUNCTIONS] = {
#define FB_FUNCTION(symbol, name, method, arity, result) [FB_F_##symbol] = result,
#include "cedar/functions.def"
#undef FB_FUNCTION
    };
    struct fb_guess made;
    switch ((unsigned)node->op) {
    case FB_OP_SUM: case FB_OP_MUL:
        return some(KIND(FB_LONG));
    case FB_OP_SET: case FB_OP_RECORD:
        made = some(node->op == FB_OP_SET ? KIND(FB_SET) : KIND(FB_RECORD));
        made.may &= (uint8_t)~FB_CAN_ERR;       /* making one cannot fail */
        return made;
    default:
        if (results[node->arg] != FB_BOOL)
            return some(KIND(results[node->arg]));
        return outcomes(FB_CAN_ERR | either());
    }
}

static bool guess_list(struct fb_surmise *s, uint32_t index, const struct fb_node *node, struct fb_guess *out)
{
    struct items items;
    struct fb_value result = {0};
    if (!guess_items(s, node, &items))
        return false;
    bool miscounted = node->op == FB_OP_CALL && node->third != fb_functions[node->arg].arity;
    if (items.dead || miscounted)
        *out = outcomes(FB_CAN_ERR);
    else if (items.values == NULL)
        *out = made_by(node);
    else if (!settle(s, run_list(s, index, node, items.values, &result), result, out))
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
    *out = outcomes(so_far);
    return true;
}

static bool guess_if(struct fb_surmise *s, const struct fb_node *node, struct fb_guess *out)
{
    uint8_t condition;
    struct fb_guess branch;
    if (!fb_guess_condition(s, node->left, &condition))
        return false;
    *out = outcomes(condition & FB_CAN_ERR);
    if ((condition & FB_CAN_TRUE) != 0) {
        if (!fb_guess(s, node->right, &branch))
            return false;
        *out = join(*out, branch);
    }
    if ((condition & FB_CAN_FALSE) != 0) {
        if (!fb_guess(s, node->third, &branch))
            return false;
        *out = join(*out, branch);
    }
    return true;
}

static bool guess_is_in(struct fb_surmise *s, uint32_t index, const struct fb_node *node, struct fb_guess *out)
{
    struct fb_guess a, b, within;
    struct fb_value value;
    if (!fb_guess(s, node->left, &a))
        return false;
    *out = outcomes(a.may & FB_CAN_ERR);
    if ((a.may & VALUES) == 0)
        return true;
    if (!only_value(&a, &value))
        *out = join(*out, guess_is(s, node, &a));
    else if (value.kind != FB_ENTITY)
        *out = outcomes(FB_CAN_ERR);
    else
        out->may |= fb_leaf_is(node, value.uid) ? FB_CAN_TRUE : FB_CAN_FALSE;
    if ((out->may & FB_CAN_TRUE) == 0)
        return true;
    if (!fb_guess(s, node->right, &b))
        return false;
    within = outcomes(FB_CAN_ERR);
    if ((b.may & VALUES) != 0 && !guess_on_pair(s, index, &a, &b, &within))
        return false;
    *out = join(outcomes((uint8_t)(out->may & ~FB_CAN_TRUE)), within);
    return true;
}

/* --- The walk ------------------------------------------------------------------------------------- */

static struct fb_guess guess_var(const struct fb_node *node)
{
    return node->arg == FB_PRINCIPAL ? shaped(FB_SHAPE_PRINCIPAL)
           : node->arg == FB_RESOURCE ? shaped(FB_SHAPE_RESOURCE) : shaped(FB_SHAPE_CONTEXT);
}

bool fb_guess(struct fb_surmise *s, uint32_t index, struct fb_guess *out)
{
    const struct fb_node *node = &s->e.code->nodes[index];
    if ((node->vars & s->vars) == 0) {
        struct fb_value value = {0};
        bool done = fb_eval(&s->e, index, &value);
        return settle(s, done, value, out);
    }
    switch ((enum fb_op)node->op) {
    case FB_OP_VAR:
        *out = guess_var(node);
        return true;
    case FB_OP_AND: case FB_OP_OR:
        return guess_logic(s, node, out);
    case FB_OP_IF:
        return guess_if(s, node, out);
    case FB_OP_IS_IN:
        return guess_is_in(s, index, node, out);
    case FB_OP_NOT: case FB_OP_NEG: case FB_OP_EMPTY:
    case FB_OP_ATTR: case FB_OP_HAS: case FB_OP_PATH: case FB_OP_LIKE: case FB_OP_IS:
        return guess_unary(s, index, node, out);
    case FB_OP_EQ: case FB_OP_NE: case FB_OP_LT: case FB_OP_LE: case FB_OP_GT: case FB_OP_GE:
    case FB_OP_IN: case FB_OP_CONTAINS: case FB_OP_CONTAINS_ALL: case FB_OP_CONTAINS_ANY:
    case FB_OP_GET_TAG: case FB_OP_HAS_TAG:
        return guess_binary(s, index, node, out);
    case FB_OP_SUM: case FB_OP_MUL: case FB_OP_SET: case FB_OP_RECORD: case FB_OP_CALL:
        return guess_list(s, index, node, out);
    case FB_OP_CONST:
        break;      /* reads no variable: done above */
    }
    return fb_eval_cannot(&s->e);
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
        *may = fb_uid_is(uid, bound->type_hash, fb_uid_type(bound)) ? either() : FB_CAN_FALSE;
        return true;
    case FB_SCOPE_IS:
        *may = fb_span_eq(fb_uid_type(uid), type) ? FB_CAN_TRUE : FB_CAN_FALSE;
        return true;
    case FB_SCOPE_IS_IN:
        *may = fb_span_eq(fb_uid_type(uid), type) ? either() : FB_CAN_FALSE;
        return true;
    case FB_SCOPE_IN: case FB_SCOPE_IN_LIST:
        break;
    }
    *may = either();
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
