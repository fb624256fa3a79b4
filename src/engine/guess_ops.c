/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on guesses: reads of fields, and all that is strict in its operands.  unknown.c says why
 * this is sound. */

#include "engine/unknown.h"

/* The unknown entity that the guess is (errors apart), or NULL: its uid, of which only the type
 * counts. */
static const struct fb_uid *unknown_entity(const struct fb_surmise *s, const struct fb_guess *guess)
{
    if ((guess->may & FB_CAN_VALUE) != FB_CAN_OTHER)
        return NULL;
    return guess->shape == FB_SHAPE_PRINCIPAL ? s->e.request->principal
           : guess->shape == FB_SHAPE_RESOURCE ? s->e.request->resource : NULL;
}

/* Both are the one unknown thing. */
static bool same_unknown(const struct fb_guess *a, const struct fb_guess *b)
{
    return (a->may & FB_CAN_VALUE) == FB_CAN_OTHER && (b->may & FB_CAN_VALUE) == FB_CAN_OTHER && a->shape == b->shape
           && a->shape != FB_SHAPE_KNOWN && a->shape != FB_SHAPE_ANY && a->via == b->via && a->depth == b->depth;
}

/* Outcomes of a test that only operands of `good` kinds pass without error. */
static struct fb_guess test(uint16_t kinds, uint16_t good)
{
    return fb_guess_of((uint8_t)((kinds & good) != 0 ? fb_either() : 0)
                    | (uint8_t)((kinds & ~good) != 0 ? FB_CAN_ERR : 0));
}

/* The same of two operands, of which both must pass. */
static struct fb_guess test_both(const struct fb_guess *a, unsigned good_a, const struct fb_guess *b, unsigned good_b)
{
    struct fb_guess one = test(fb_guess_kinds(a), fb_kind_bit(good_a));
    struct fb_guess other = test(fb_guess_kinds(b), fb_kind_bit(good_b));
    if ((one.may & ~FB_CAN_ERR) == 0 || (other.may & ~FB_CAN_ERR) == 0)
        return fb_guess_of(FB_CAN_ERR);
    return fb_guess_join(one, other);
}

/* --- Reading ------------------------------------------------------------------------------------ */

enum reach { NOT_AT_ALL, IN_PART, WHOLLY };

/* What a field is read from: an entity, the context, or a record within one of them. */
struct place {
    const struct fb_uid *entity;                /* NULL: the context */
    const struct fb_unknown_attribute *via;     /* its first `depth` names lead here */
    uint32_t depth;
};

static bool leads_here(const struct fb_unknown_attribute *attribute, const struct place *place)
{
    if (attribute->depth <= place->depth || (attribute->entity == NULL) != (place->entity == NULL)
        || (place->entity != NULL && !fb_uid_eq(attribute->entity, place->entity)))
        return false;
    for (uint32_t i = 0; i < place->depth; i++)
        if (!fb_span_eq(attribute->path[i], place->via->path[i]))
            return false;
    return true;
}

/* Is the field unknown?  IN_PART: something within it is, and the first attribute that says so is *via,
 * which thereby is the same for the same place. */
static enum reach field_unknown(const struct fb_surmise *s, const struct place *place, struct fb_span name,
                                const struct fb_unknown_attribute **via)
{
    enum reach reach = NOT_AT_ALL;
    for (uint32_t i = 0; place->entity == NULL && place->depth == 0 && i < s->unknowns->context_count; i++)
        if (fb_span_eq(s->unknowns->context[i], name))
            return WHOLLY;
    for (uint32_t i = 0; i < s->unknowns->attributes_count; i++) {
        const struct fb_unknown_attribute *attribute = &s->unknowns->attributes[i];
        if (!leads_here(attribute, place) || !fb_span_eq(attribute->path[place->depth], name))
            continue;
        if (attribute->depth == place->depth + 1)
            return WHOLLY;
        *via = reach == NOT_AT_ALL ? attribute : *via;
        reach = IN_PART;
    }
    return reach;
}

/* Reads the field of `from`, which is known but for some fields. */
static bool read_known(struct fb_surmise *s, uint32_t node, struct fb_value from, const struct place *place,
                       struct fb_name name, uint8_t *has, struct fb_guess *out)
{
    const struct fb_unknown_attribute *via = NULL;
    enum reach reach = place != NULL ? field_unknown(s, place, name.text, &via) : NOT_AT_ALL;
    struct fb_value result = {0};
    bool present = false;
    if (reach == WHOLLY) {
        *has = fb_either();
        return true;
    }
    if (!fb_read_field(&s->e, node, from, name.symbol, name.text, &result, &present))
        *has = FB_CAN_ERR;
    else
        *has = present ? FB_CAN_TRUE : FB_CAN_FALSE;
    if (present)
        *out = reach == IN_PART && result.kind == FB_RECORD ? fb_guess_partly(result, via, place->depth + 1)
                                                            : fb_guess_known(result);
    return !s->e.cannot;
}

/* `from has name` in *has and, where that is true, `from.name` in *out (which has no error of its
 * own then). */
static bool guess_field(struct fb_surmise *s, uint32_t node, const struct fb_guess *from, struct fb_name name,
                        uint8_t *has, struct fb_guess *out)
{
    struct fb_value value;
    *out = fb_guess_anything();
    out->may &= (uint8_t)~FB_CAN_ERR;
    if ((from->may & FB_CAN_VALUE) == FB_CAN_OTHER && from->shape == FB_SHAPE_PARTLY) {
        struct place within = {from->via != NULL ? from->via->entity : NULL, from->via, from->depth};
        return read_known(s, node, from->value, &within, name, has, out);
    }
    if (fb_guess_only(from, &value)) {
        struct place entity = {.entity = value.uid};
        return read_known(s, node, value, s->deep && value.kind == FB_ENTITY ? &entity : NULL, name, has, out);
    }
    *has = test(fb_guess_kinds(from), fb_kind_bit(FB_ENTITY) | fb_kind_bit(FB_RECORD)).may;
    return true;
}

static bool guess_attr(struct fb_surmise *s, uint32_t index, const struct fb_guess *from, struct fb_guess *out)
{
    const struct fb_node *node = &s->e.code->nodes[index];
    uint8_t has;
    if (!guess_field(s, index, from, (struct fb_name){node->symbol, fb_node_name(node)}, &has, out))
        return false;
    if ((has & FB_CAN_TRUE) == 0)
        *out = fb_guess_of(0);
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
        if (!guess_field(s, index, &from, name, &has, &next))
            return false;
        so_far = fb_outcomes_and(so_far, has);
        from = next;
    }
    *out = fb_guess_of(so_far);
    return true;
}

/* --- Strict operations ---------------------------------------------------------------------------- */

struct fb_guess fb_guess_is(const struct fb_surmise *s, const struct fb_node *node, const struct fb_guess *a)
{
    const struct fb_uid *entity = unknown_entity(s, a);
    if (entity != NULL)
        return fb_guess_of(fb_leaf_is(node, entity) ? FB_CAN_TRUE : FB_CAN_FALSE);
    return test(fb_guess_kinds(a), fb_kind_bit(FB_ENTITY));
}

bool fb_guess_unary(struct fb_surmise *s, uint32_t index, const struct fb_node *node, struct fb_guess *out)
{
    struct fb_guess a;
    struct fb_value value, result = {0};
    if (!fb_guess(s, node->left, &a))
        return false;
    uint8_t erred = a.may & FB_CAN_ERR;
    if ((a.may & FB_CAN_VALUE) == 0) {
        *out = a;
        return true;
    }
    if (node->op == FB_OP_ATTR || node->op == FB_OP_HAS || node->op == FB_OP_PATH) {
        if (!(node->op == FB_OP_ATTR ? guess_attr(s, index, &a, out) : guess_path(s, index, a, out)))
            return false;
    } else if (fb_guess_only(&a, &value)) {
        if (!fb_guess_settle(s, fb_leaf_unary(&s->e, index, value, &result), result, out))
            return false;
    } else if (node->op == FB_OP_NOT) {
        *out = fb_guess_of((uint8_t)((a.may & FB_CAN_TRUE) != 0 ? FB_CAN_FALSE : 0)
                        | (uint8_t)((a.may & FB_CAN_FALSE) != 0 ? FB_CAN_TRUE : 0)
                        | (uint8_t)((a.may & FB_CAN_OTHER) != 0 ? FB_CAN_ERR : 0));
    } else if (node->op == FB_OP_NEG) {
        *out = fb_guess_some(fb_kind_bit(FB_LONG));
    } else if (node->op == FB_OP_IS) {
        *out = fb_guess_is(s, node, &a);
    } else {
        *out = test(fb_guess_kinds(&a), node->op == FB_OP_EMPTY ? fb_kind_bit(FB_SET) : fb_kind_bit(FB_STRING));
    }
    out->may |= erred;
    return true;
}

/* Can the two be equal under some choice? */
static bool can_equal(const struct fb_surmise *s, const struct fb_guess *a, const struct fb_guess *b)
{
    if ((fb_guess_kinds(a) & fb_guess_kinds(b)) == 0)
        return false;
    const struct fb_uid *one = unknown_entity(s, a), *other = unknown_entity(s, b);
    struct fb_value value;
    if (one != NULL && other == NULL && fb_guess_only(b, &value))
        other = value.uid;
    else if (other != NULL && one == NULL && fb_guess_only(a, &value))
        one = value.uid;
    return one == NULL || other == NULL || fb_uid_is(one, other->type_hash, fb_uid_type(other));
}

static uint8_t guess_equal(const struct fb_surmise *s, const struct fb_guess *a, const struct fb_guess *b)
{
    if (same_unknown(a, b))
        return FB_CAN_TRUE;
    return can_equal(s, a, b) ? fb_either() : FB_CAN_FALSE;
}

static uint8_t negate(uint8_t may)
{
    return (uint8_t)((may & FB_CAN_TRUE) != 0 ? FB_CAN_FALSE : 0)
           | (uint8_t)((may & FB_CAN_FALSE) != 0 ? FB_CAN_TRUE : 0);
}

static struct fb_guess guess_order(const struct fb_guess *a, const struct fb_guess *b)
{
    uint16_t ordered = fb_kind_bit(FB_LONG) | fb_kind_bit(FB_DATETIME) | fb_kind_bit(FB_DURATION);
    uint16_t one = fb_guess_kinds(a), other = fb_guess_kinds(b), common = one & other & ordered;
    bool single = one == other && (one & (one - 1)) == 0;
    return fb_guess_of((uint8_t)(common != 0 ? fb_either() : 0)
                    | (uint8_t)(common != 0 && single ? 0 : FB_CAN_ERR));
}

/* a in b, not both known. */
static struct fb_guess guess_in(const struct fb_guess *a, const struct fb_guess *b)
{
    uint8_t may = 0;
    uint16_t groups = fb_guess_kinds(b);
    struct fb_value set;
    if ((fb_guess_kinds(a) & ~fb_kind_bit(FB_ENTITY)) != 0)
        may |= FB_CAN_ERR;
    if ((fb_guess_kinds(a) & fb_kind_bit(FB_ENTITY)) == 0)
        return fb_guess_of(may);
    if (same_unknown(a, b))
        return fb_guess_of(may | FB_CAN_TRUE);
    if (fb_guess_only(b, &set) && set.kind == FB_SET) {
        for (uint32_t i = 0; i < set.count; i++)
            if (set.cells[i].kind != FB_ENTITY)
                return fb_guess_of(FB_CAN_ERR);
        return fb_guess_of(may | (set.count != 0 ? fb_either() : FB_CAN_FALSE));
    }
    if ((groups & (fb_kind_bit(FB_ENTITY) | fb_kind_bit(FB_SET))) != 0)
        may |= fb_either();
    if ((groups & ~fb_kind_bit(FB_ENTITY)) != 0)
        may |= FB_CAN_ERR;      /* no group at all, or a set with something else in it */
    return fb_guess_of(may);
}

static struct fb_guess guess_contains(const struct fb_surmise *s, const struct fb_guess *a, const struct fb_guess *b)
{
    struct fb_value set;
    if (!fb_guess_only(a, &set) || set.kind != FB_SET)
        return test(fb_guess_kinds(a), fb_kind_bit(FB_SET));
    for (uint32_t i = 0; i < set.count; i++) {
        struct fb_guess element = fb_guess_known(fb_cell_load(&set.cells[i]));
        if (can_equal(s, &element, b))
            return fb_guess_of(fb_either());
    }
    return fb_guess_of(FB_CAN_FALSE);
}

/* Two operands of which one at least is unknown. */
static struct fb_guess guess_pair(const struct fb_surmise *s, enum fb_op op, const struct fb_guess *a,
                                  const struct fb_guess *b)
{
    struct fb_guess tags;
    switch ((unsigned)op) {
    case FB_OP_EQ:
        return fb_guess_of(guess_equal(s, a, b));
    case FB_OP_NE:
        return fb_guess_of(negate(guess_equal(s, a, b)));
    case FB_OP_LT: case FB_OP_LE: case FB_OP_GT: case FB_OP_GE:
        return guess_order(a, b);
    case FB_OP_IN: case FB_OP_IS_IN:
        return guess_in(a, b);
    case FB_OP_CONTAINS:
        return guess_contains(s, a, b);
    case FB_OP_CONTAINS_ALL: case FB_OP_CONTAINS_ANY:
        return test_both(a, FB_SET, b, FB_SET);
    default: /* FB_OP_GET_TAG, FB_OP_HAS_TAG */
        tags = test_both(a, FB_ENTITY, b, FB_STRING);
        return op == FB_OP_HAS_TAG || tags.may == FB_CAN_ERR ? tags : fb_guess_anything();
    }
}

static bool run_pair(struct fb_surmise *s, uint32_t index, enum fb_op op, struct fb_value a, struct fb_value b,
                     struct fb_guess *out)
{
    struct fb_value result = {0};
    bool done = op == FB_OP_IN || op == FB_OP_IS_IN ? fb_leaf_in(&s->e, index, a, b, &result)
                : op == FB_OP_GET_TAG || op == FB_OP_HAS_TAG ? fb_leaf_tag(&s->e, index, a, b, &result)
                                                             : fb_leaf_binary(&s->e, index, a, b, &result);
    return fb_guess_settle(s, done, result, out);
}

bool fb_guess_pair_of(struct fb_surmise *s, uint32_t index, const struct fb_guess *a, const struct fb_guess *b,
                          struct fb_guess *out)
{
    enum fb_op op = (enum fb_op)s->e.code->nodes[index].op;
    struct fb_value one, other;
    if (fb_guess_only(a, &one) && fb_guess_only(b, &other)) {
        if (!run_pair(s, index, op, one, other, out))
            return false;
    } else {
        *out = guess_pair(s, op, a, b);
    }
    out->may |= (a->may | b->may) & FB_CAN_ERR;
    return true;
}

bool fb_guess_binary(struct fb_surmise *s, uint32_t index, const struct fb_node *node, struct fb_guess *out)
{
    struct fb_guess a, b;
    if (!fb_guess(s, node->left, &a) || !fb_guess(s, node->right, &b))
        return false;
    if ((a.may & FB_CAN_VALUE) != 0 && (b.may & FB_CAN_VALUE) != 0)
        return fb_guess_pair_of(s, index, &a, &b, out);
    *out = fb_guess_of(FB_CAN_ERR);
    return true;
}
