/* SPDX-License-Identifier: Apache-2.0 */
/* What a clause is about, so that a refusal can name a reason that nobody wrote down.  Works on the
 * trees, once, when a policy is compiled; clauses.def has the classes in their order of rank, and
 * the first class that any part of the clause belongs to is the clause's. */

#include "engine/program.h"

static bool is_var(const struct fb_expr *expr, enum fb_var var)
{
    return expr != NULL && expr->kind == FB_E_VAR && expr->var == var;
}

/* One of the names in a list that ends with NULL. */
static bool one_of(struct fb_span name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (fb_span_is(name, *names))
            return true;
    return false;
}

/* The class of reading `name` of the context, or of its token. */
static enum fb_clause_class field_class(struct fb_span name, bool of_token)
{
    static const char *const sign_in[] = {"acr", "amr", "authTime", NULL};
    static const char *const location[] = {"country", "asn", "ip", NULL};
    if (of_token)
        return fb_span_is(name, "scope") ? FB_CLAUSE_SCOPE
               : one_of(name, sign_in) ? FB_CLAUSE_SIGN_IN : FB_CLAUSE_OTHER;
    return one_of(name, location) ? FB_CLAUSE_LOCATION
           : fb_span_is(name, "time") ? FB_CLAUSE_TIME : FB_CLAUSE_OTHER;
}

static bool is_token(const struct fb_expr *expr)
{
    return expr->kind == FB_E_ATTR && is_var(expr->left, FB_CONTEXT) && fb_span_is(expr->text, "token");
}

/* context.x, context.token.x, and the same asked with `has`. */
static enum fb_clause_class class_of_read(const struct fb_expr *expr)
{
    if (expr->kind == FB_E_ATTR) {
        if (is_var(expr->left, FB_CONTEXT))
            return field_class(expr->text, false);
        return is_token(expr->left) ? field_class(expr->text, true) : FB_CLAUSE_OTHER;
    }
    if (is_token(expr->left))
        return field_class(expr->names[0], true);
    if (!is_var(expr->left, FB_CONTEXT))
        return FB_CLAUSE_OTHER;
    if (expr->count > 1 && fb_span_is(expr->names[0], "token"))
        return field_class(expr->names[1], true);
    return field_class(expr->names[0], false);
}

enum fb_clause_class fb_classify_group(const struct fb_uid *group)
{
    struct fb_span type = fb_uid_type(group);
    static const char role[] = "Role";
    size_t length = sizeof role - 1;
    if (type.len < length || memcmp(type.ptr + type.len - length, role, length) != 0)
        return FB_CLAUSE_GROUP;
    return type.len == length || type.ptr[type.len - length - 1] == ':' ? FB_CLAUSE_ROLE : FB_CLAUSE_GROUP;
}

/* `principal in x`, `principal is T in x`. */
static enum fb_clause_class class_of_in(const struct fb_expr *expr)
{
    const struct fb_expr *group = expr->right;
    if (group == NULL)
        return FB_CLAUSE_OTHER;
    if (!is_var(expr->left, FB_PRINCIPAL))
        return is_var(expr->left, FB_RESOURCE) && is_var(group, FB_PRINCIPAL) ? FB_CLAUSE_OWNER : FB_CLAUSE_OTHER;
    if (group->kind == FB_E_UID)
        return fb_classify_group(group->uid);
    if (group->kind == FB_E_SET)
        for (uint32_t i = 0; i < group->count; i++)
            if (group->items[i]->kind == FB_E_UID && fb_classify_group(group->items[i]->uid) == FB_CLAUSE_ROLE)
                return FB_CLAUSE_ROLE;
    return FB_CLAUSE_GROUP;
}

/* The principal compared with the resource or an attribute of something. */
static bool owns(const struct fb_expr *one, const struct fb_expr *other)
{
    return is_var(one, FB_PRINCIPAL)
           && (is_var(other, FB_RESOURCE) || other->kind == FB_E_ATTR || other->kind == FB_E_GET_TAG);
}

static enum fb_clause_class own_class(const struct fb_expr *expr)
{
    switch ((unsigned)expr->kind) {
    case FB_E_ATTR: case FB_E_HAS:
        return class_of_read(expr);
    case FB_E_IN: case FB_E_IS:
        return class_of_in(expr);
    case FB_E_EQ: case FB_E_NE: case FB_E_CONTAINS:
        return owns(expr->left, expr->right) || owns(expr->right, expr->left) ? FB_CLAUSE_OWNER : FB_CLAUSE_OTHER;
    default:
        return FB_CLAUSE_OTHER;
    }
}

/* Left spines are walked in the loop, the rest by recursion, which the parser's depth bounds. */
enum fb_clause_class fb_classify(const struct fb_expr *expr)
{
    enum fb_clause_class best = FB_CLAUSE_OTHER;
    for (; expr != NULL && best != 0; expr = expr->left) {
        enum fb_clause_class other = own_class(expr);
        best = other < best ? other : best;
        const struct fb_expr *operands[] = {expr->right, expr->third};
        for (int i = 0; i < 2; i++) {
            other = operands[i] != NULL ? fb_classify(operands[i]) : FB_CLAUSE_OTHER;
            best = other < best ? other : best;
        }
        if (expr->kind == FB_E_SET || expr->kind == FB_E_RECORD || expr->kind == FB_E_CALL)
            for (uint32_t i = 0; i < expr->count; i++) {
                other = fb_classify(expr->items[i]);
                best = other < best ? other : best;
            }
    }
    return best;
}
