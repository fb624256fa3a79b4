/* SPDX-License-Identifier: Apache-2.0 */

/* Trees as such: how deep they are, and whether two are the same wherever they were written (for the
 * validator's capabilities, and for the proof that printing and formatting keep what is meant). */

#include "cedar/cedar.h"

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t height_of(const struct fb_expr *expr)
{
    return expr != NULL ? expr->height : 0;
}

bool fb_expr_measure(struct fb_expr *expr)
{
    uint32_t height;
    if (fb_expr_is_chain(expr)) {
        bool goes_on = fb_expr_is_chain(expr->left);
        expr->spine = goes_on ? expr->left->spine + 1 : 1;
        height = max(expr->left->height + (goes_on ? 0u : 1u), expr->right->height + 1u);
    } else {
        height = max(height_of(expr->left), max(height_of(expr->right), height_of(expr->third)));
        for (uint32_t i = 0; expr->items != NULL && i < expr->count; i++)
            height = max(height, expr->items[i]->height);
        height++;
    }
    expr->height = (uint16_t)height;    /* the children's are limited, so it fits */
    return height <= FB_EXPR_HEIGHT && expr->spine <= FB_EXPR_SPINE;
}

static bool patterns_equal(const struct fb_pattern *a, const struct fb_pattern *b)
{
    bool equal = a->wildcards == b->wildcards;
    for (uint32_t i = 0; equal && i <= a->wildcards; i++)
        equal = fb_span_eq(a->literals[i], b->literals[i]);
    return equal;
}

static bool names_equal(const struct fb_expr *a, const struct fb_expr *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (!fb_span_eq(a->names[i], b->names[i]))
            return false;
    return true;
}

static bool both_equal(const struct fb_expr *a, const struct fb_expr *b)
{
    return a == b || (a != NULL && b != NULL && fb_expr_eq(a, b));
}

/* What a node has beside its operands. */
static bool nodes_equal(const struct fb_expr *a, const struct fb_expr *b)
{
    if (a->kind != b->kind || a->count != b->count)
        return false;
    switch (a->kind) {
    case FB_E_BOOL: case FB_E_LONG: return a->number == b->number;
    case FB_E_STRING: case FB_E_ATTR: case FB_E_IS: return fb_span_eq(a->text, b->text);
    case FB_E_UID: return fb_uid_eq(a->uid, b->uid);
    case FB_E_VAR: return a->var == b->var;
    case FB_E_HAS: case FB_E_RECORD: return names_equal(a, b);
    case FB_E_LIKE: return patterns_equal(a->pattern, b->pattern);
    case FB_E_CALL: return a->function == b->function;
    case FB_E_NOT: case FB_E_NEG: case FB_E_IS_EMPTY: case FB_E_AND: case FB_E_OR: case FB_E_EQ: case FB_E_NE:
    case FB_E_LT: case FB_E_LE: case FB_E_GT: case FB_E_GE: case FB_E_IN: case FB_E_ADD: case FB_E_SUB:
    case FB_E_MUL: case FB_E_CONTAINS: case FB_E_CONTAINS_ALL: case FB_E_CONTAINS_ANY: case FB_E_GET_TAG:
    case FB_E_HAS_TAG: case FB_E_IF: case FB_E_SET: return true;
    }
    return false;
}

bool fb_expr_eq(const struct fb_expr *a, const struct fb_expr *b)
{
    /* Left sides in a loop: chains are long to the left (ast.h). */
    for (;;) {
        if (a == b)
            return true;
        if (a == NULL || b == NULL || !nodes_equal(a, b) || !both_equal(a->right, b->right)
            || !both_equal(a->third, b->third))
            return false;
        for (uint32_t i = 0; a->items != NULL && i < a->count; i++)
            if (!fb_expr_eq(a->items[i], b->items[i]))
                return false;
        a = a->left;
        b = b->left;
    }
}

/* Left spines in the loop, since chains lean there. */
unsigned fb_expr_variables(const struct fb_expr *expr)
{
    unsigned used = 0;
    for (; expr != NULL; expr = expr->left) {
        if (expr->kind == FB_E_VAR)
            used |= 1u << expr->var;
        if (expr->right != NULL)
            used |= fb_expr_variables(expr->right);
        if (expr->third != NULL)
            used |= fb_expr_variables(expr->third);
        for (uint32_t i = 0; expr->items != NULL && i < expr->count; i++)
            used |= fb_expr_variables(expr->items[i]);
    }
    return used;
}

static bool scopes_equal(const struct fb_scope *a, const struct fb_scope *b)
{
    bool uids = a->uid == b->uid || (a->uid != NULL && b->uid != NULL && fb_uid_eq(a->uid, b->uid));
    if (a->op != b->op || a->slot != b->slot || !uids || !fb_span_eq(a->type, b->type) || a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!fb_uid_eq(a->list[i], b->list[i]))
            return false;
    return true;
}

bool fb_policy_eq(const struct fb_policy *a, const struct fb_policy *b)
{
    if (a->effect != b->effect || !scopes_equal(&a->principal, &b->principal) || !scopes_equal(&a->action, &b->action)
        || !scopes_equal(&a->resource, &b->resource) || a->annotations_count != b->annotations_count
        || a->conditions_count != b->conditions_count)
        return false;
    for (uint32_t i = 0; i < a->annotations_count; i++)
        if (!fb_span_eq(a->annotations[i].key, b->annotations[i].key)
            || !fb_span_eq(a->annotations[i].value, b->annotations[i].value)
            || a->annotations[i].has_value != b->annotations[i].has_value)
            return false;
    for (uint32_t i = 0; i < a->conditions_count; i++)
        if (a->conditions[i].unless != b->conditions[i].unless
            || !fb_expr_eq(a->conditions[i].body, b->conditions[i].body))
            return false;
    return true;
}
