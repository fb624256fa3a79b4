/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on values that are at hand: arithmetic, comparison, sets, `like`, `is`.  Shared by the
 * concrete evaluator and the one with unknowns. */

#include "engine/eval.h"

bool fb_leaf_sum(struct fb_eval *e, uint32_t node, enum fb_op op, bool minus, uint32_t at, struct fb_value operand,
                 int64_t *sum)
{
    if (operand.kind != FB_LONG)
        return fb_fault_type(e, at, "a long", operand);
    int64_t result;
    bool over = op == FB_OP_MUL ? __builtin_mul_overflow(*sum, operand.number, &result)
                : minus ? __builtin_sub_overflow(*sum, operand.number, &result)
                        : __builtin_add_overflow(*sum, operand.number, &result);
    if (over) {
        e->fault.text = op == FB_OP_MUL ? "*" : minus ? "-" : "+";
        e->fault.b = operand;
        return fb_fault(e, node, FB_FAULT_OVERFLOW, fb_value_number(FB_LONG, *sum));
    }
    *sum = result;
    return true;
}

/* Literal texts with a wildcard between each two: the first must start the text and the last end
 * it; those between are taken at their leftmost place, which leaves the most for the rest.  Bytes
 * do for scalars, as UTF-8 texts are only found at the start of a scalar. */
bool fb_like(const struct fb_pattern *pattern, struct fb_span text)
{
    const struct fb_span *literals = pattern->literals;
    uint32_t wildcards = pattern->wildcards;
    if (wildcards == 0)
        return fb_span_eq(text, literals[0]);
    struct fb_span last = literals[wildcards];
    if (!fb_span_starts(text, literals[0]))
        return false;
    text = fb_span_from(text, literals[0].len);
    if (text.len < last.len || (last.len != 0 && memcmp(text.ptr + text.len - last.len, last.ptr, last.len) != 0))
        return false;
    text.len -= last.len;
    for (uint32_t i = 1; i < wildcards; i++) {
        if (literals[i].len == 0)
            continue;
        const char *at = text.len != 0 ? memmem(text.ptr, text.len, literals[i].ptr, literals[i].len) : NULL;
        if (at == NULL)
            return false;
        text = fb_span_from(text, (size_t)(at - text.ptr) + literals[i].len);
    }
    return true;
}

bool fb_leaf_unary(struct fb_eval *e, uint32_t index, struct fb_value a, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    switch ((unsigned)node->op) {
    case FB_OP_NOT:
        if (a.kind != FB_BOOL)
            return fb_fault_type(e, node->left, "a bool", a);
        *out = fb_value_bool(a.number == 0);
        return true;
    case FB_OP_NEG:
        if (a.kind != FB_LONG)
            return fb_fault_type(e, node->left, "a long", a);
        if (a.number == INT64_MIN) {
            e->fault.text = "-";
            e->fault.b = a;
            return fb_fault(e, index, FB_FAULT_OVERFLOW, fb_value_number(FB_LONG, 0));
        }
        *out = fb_value_number(FB_LONG, -a.number);
        return true;
    case FB_OP_EMPTY:
        if (a.kind != FB_SET)
            return fb_fault_type(e, node->left, "a set", a);
        *out = fb_value_bool(a.count == 0);
        return true;
    case FB_OP_LIKE:
        if (a.kind != FB_STRING)
            return fb_fault_type(e, node->left, "a string", a);
        *out = fb_value_bool(fb_like(node->pattern, fb_value_text(a)));
        return true;
    default: /* FB_OP_IS */
        if (a.kind != FB_ENTITY)
            return fb_fault_type(e, node->left, "an entity", a);
        *out = fb_value_bool(fb_leaf_is(node, a.uid));
        return true;
    }
}

static bool ordered(uint8_t kind)
{
    return kind == FB_LONG || kind == FB_DATETIME || kind == FB_DURATION;
}

static bool compare(struct fb_eval *e, const struct fb_node *node, struct fb_value a, struct fb_value b,
                    struct fb_value *out)
{
    if (!ordered(a.kind))
        return fb_fault_type(e, node->left, "a long, a datetime or a duration", a);
    if (b.kind != a.kind)
        return fb_fault_type(e, node->right, fb_kind_name(a.kind), b);
    bool holds = node->op == FB_OP_LT ? a.number < b.number
                 : node->op == FB_OP_LE ? a.number <= b.number
                 : node->op == FB_OP_GT ? a.number > b.number : a.number >= b.number;
    *out = fb_value_bool(holds);
    return true;
}

/* Is every element of `part` in `whole`?  Or, if `any`, is one? */
static bool overlap(struct fb_value whole, struct fb_value part, bool any)
{
    for (uint32_t i = 0; i < part.count; i++)
        if (fb_set_contains(whole, fb_cell_load(&part.cells[i])) == any)
            return any;
    return !any;
}

bool fb_leaf_binary(struct fb_eval *e, uint32_t index, struct fb_value a, struct fb_value b, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    switch ((unsigned)node->op) {
    case FB_OP_EQ: case FB_OP_NE:
        *out = fb_value_bool(fb_value_eq(a, b) == (node->op == FB_OP_EQ));
        return true;
    case FB_OP_LT: case FB_OP_LE: case FB_OP_GT: case FB_OP_GE:
        return compare(e, node, a, b, out);
    case FB_OP_CONTAINS:
        if (a.kind != FB_SET)
            return fb_fault_type(e, node->left, "a set", a);
        *out = fb_value_bool(fb_set_contains(a, b));
        return true;
    default: { /* FB_OP_CONTAINS_ALL, FB_OP_CONTAINS_ANY */
        if (a.kind != FB_SET)
            return fb_fault_type(e, node->left, "a set", a);
        if (b.kind != FB_SET)
            return fb_fault_type(e, node->right, "a set", b);
        bool any = node->op == FB_OP_CONTAINS_ANY;
        /* "Some element in common" is the same from both sides: walk the smaller set. */
        *out = fb_value_bool(any && a.count < b.count ? overlap(b, a, any) : overlap(a, b, any));
        return true;
    }
    }
}
