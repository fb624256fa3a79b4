/* SPDX-License-Identifier: Apache-2.0 */

/* Trees → Cedar text that parses to the same tree, with parentheses only where they are needed.
 * For people there is the formatter, which keeps comments and breaks lines. */

#include "cedar/cedar.h"

#include <assert.h>

/* How tightly an expression holds together; an operand that holds less tightly than its place asks
 * for stands in parentheses. */
enum { IF, OR, AND, RELATION, ADD, MULT, UNARY, MEMBER };

static int tightness(const struct fb_expr *expr)
{
    switch (expr->kind) {
    case FB_E_IF: return IF;
    case FB_E_OR: return OR;
    case FB_E_AND: return AND;
    case FB_E_EQ: case FB_E_NE: case FB_E_LT: case FB_E_LE: case FB_E_GT: case FB_E_GE: case FB_E_IN:
    case FB_E_HAS: case FB_E_LIKE: case FB_E_IS: return RELATION;
    case FB_E_ADD: case FB_E_SUB: return ADD;
    case FB_E_MUL: return MULT;
    case FB_E_NOT: case FB_E_NEG: return UNARY;
    case FB_E_LONG: return expr->number < 0 ? UNARY : MEMBER;
    case FB_E_BOOL: case FB_E_STRING: case FB_E_UID: case FB_E_VAR: case FB_E_IS_EMPTY: case FB_E_CONTAINS:
    case FB_E_CONTAINS_ALL: case FB_E_CONTAINS_ANY: case FB_E_GET_TAG: case FB_E_HAS_TAG: case FB_E_ATTR:
    case FB_E_SET: case FB_E_RECORD: case FB_E_CALL: return MEMBER;
    }
    return IF;
}

static const char *sign_of(enum fb_expr_kind kind)
{
    static const char *const signs[] = {
        [FB_E_NOT] = "!", [FB_E_NEG] = "-", [FB_E_AND] = " && ", [FB_E_OR] = " || ", [FB_E_EQ] = " == ",
        [FB_E_NE] = " != ", [FB_E_LT] = " < ", [FB_E_LE] = " <= ", [FB_E_GT] = " > ", [FB_E_GE] = " >= ",
        [FB_E_IN] = " in ", [FB_E_ADD] = " + ", [FB_E_SUB] = " - ", [FB_E_MUL] = " * ",
        [FB_E_IS_EMPTY] = "isEmpty", [FB_E_CONTAINS] = "contains", [FB_E_CONTAINS_ALL] = "containsAll",
        [FB_E_CONTAINS_ANY] = "containsAny", [FB_E_GET_TAG] = "getTag", [FB_E_HAS_TAG] = "hasTag",
    };
    return signs[kind];
}

static void print(struct fb_buffer *out, const struct fb_expr *expr);

static void print_within(struct fb_buffer *out, const struct fb_expr *expr, int least)
{
    bool parens = tightness(expr) < least;
    if (parens)
        fb_buffer_add_char(out, '(');
    print(out, expr);
    if (parens)
        fb_buffer_add_char(out, ')');
}

/* A chain's left spine, in a loop (ast.h). */
static void print_chain(struct fb_buffer *out, const struct fb_expr *expr)
{
    size_t count = expr->spine, size = count * sizeof(const struct fb_expr *);
    const struct fb_expr **nodes = fb_alloc(out->allocator, size);
    if (nodes == NULL) {
        out->failed = true;
        return;
    }
    nodes[0] = expr;
    for (size_t i = 1; i < count; i++) {
        nodes[i] = nodes[i - 1]->left;
        if (tightness(nodes[i]) < tightness(nodes[i - 1]))
            fb_buffer_add_char(out, '(');
    }
    print_within(out, nodes[count - 1]->left, tightness(nodes[count - 1]));
    for (size_t i = count; i-- > 0;) {
        fb_buffer_add_z(out, sign_of(nodes[i]->kind));
        print_within(out, nodes[i]->right, tightness(nodes[i]) + 1);
        if (i > 0 && tightness(nodes[i]) < tightness(nodes[i - 1]))
            fb_buffer_add_char(out, ')');
    }
    fb_free(out->allocator, nodes, size);
}

/* At most four `!` or `-` may follow each other, and never one the other. */
static void print_unary(struct fb_buffer *out, const struct fb_expr *expr)
{
    const struct fb_expr *operand = expr;
    for (int i = 0; i < 4 && operand->kind == expr->kind; i++) {
        fb_buffer_add_z(out, sign_of(expr->kind));
        operand = operand->left;
    }
    /* `-5` would be a literal, and so would the `-5` of `--5`. */
    bool number = expr->kind == FB_E_NEG && operand->kind == FB_E_LONG;
    print_within(out, operand, number ? MEMBER + 1 : MEMBER);
}

static void print_name(struct fb_buffer *out, struct fb_span name)
{
    if (fb_identifier_valid(name))
        fb_buffer_add(out, name);
    else
        fb_buffer_add_cedar(out, name);
}

static void print_attribute(struct fb_buffer *out, struct fb_span name, bool indexed)
{
    if (!indexed && fb_identifier_valid(name)) {
        fb_buffer_add_char(out, '.');
        fb_buffer_add(out, name);
        return;
    }
    fb_buffer_add_char(out, '[');
    fb_buffer_add_cedar(out, name);
    fb_buffer_add_char(out, ']');
}

/* A path that only JSON can have, since the syntax wants identifiers in one: as what it means,
 * `a has b && a.b has "c d"`.  Nested that doubles, so that a buffer that is full ends it. */
static void print_path_apart(struct fb_buffer *out, const struct fb_expr *expr)
{
    fb_buffer_add_char(out, '(');
    for (uint32_t i = 0; i < expr->count && !out->failed; i++) {
        if (i != 0)
            fb_buffer_add_z(out, " && ");
        print_within(out, expr->left, i == 0 ? ADD : MEMBER);
        for (uint32_t j = 0; j < i; j++)
            print_attribute(out, expr->names[j], false);
        fb_buffer_add_z(out, " has ");
        print_name(out, expr->names[i]);
    }
    fb_buffer_add_char(out, ')');
}

static bool is_syntax(const struct fb_expr *expr)
{
    if (expr->count == 1)
        return true;
    for (uint32_t i = 0; i < expr->count; i++)
        if (!fb_identifier_valid(expr->names[i]))
            return false;
    return true;
}

static void print_has(struct fb_buffer *out, const struct fb_expr *expr)
{
    if (!is_syntax(expr)) {
        print_path_apart(out, expr);
        return;
    }
    print_within(out, expr->left, ADD);
    fb_buffer_add_z(out, " has ");
    if (expr->indexed)
        fb_buffer_add_cedar(out, expr->names[0]);
    else
        print_name(out, expr->names[0]);
    for (uint32_t i = 1; i < expr->count; i++)
        print_attribute(out, expr->names[i], false);
}

/* A literal part of a pattern: as in a string, and its stars with a backslash. */
static void print_literal(struct fb_buffer *out, struct fb_span text)
{
    while (text.len != 0) {
        struct fb_span head = fb_span_head(text, fb_span_find(text, '*'));
        /* The text between the quotes that add_cedar writes. */
        size_t start = out->len;
        fb_buffer_add_cedar(out, head);
        if (out->failed)
            return;
        size_t inner = out->len - start - 2;
        memmove(out->ptr + start, out->ptr + start + 1, inner);
        out->len = start + inner;
        out->ptr[out->len] = 0;
        text = fb_span_from(text, head.len);
        if (text.len != 0) {
            fb_buffer_add_z(out, "\\*");
            text = fb_span_from(text, 1);
        }
    }
}

void fb_pattern_print(struct fb_buffer *out, const struct fb_pattern *pattern)
{
    fb_buffer_add_char(out, '"');
    for (uint32_t i = 0; i <= pattern->wildcards; i++) {
        if (i > 0)
            fb_buffer_add_char(out, '*');
        print_literal(out, pattern->literals[i]);
    }
    fb_buffer_add_char(out, '"');
}

static void print_items(struct fb_buffer *out, const struct fb_expr *expr, uint32_t from)
{
    for (uint32_t i = from; i < expr->count; i++) {
        if (i > from)
            fb_buffer_add_z(out, ", ");
        if (expr->kind == FB_E_RECORD) {
            print_name(out, expr->names[i]);
            fb_buffer_add_z(out, ": ");
        }
        print(out, expr->items[i]);
    }
}

static void print_brackets(struct fb_buffer *out, const struct fb_expr *expr, char open, uint32_t from, char close)
{
    fb_buffer_add_char(out, open);
    print_items(out, expr, from);
    fb_buffer_add_char(out, close);
}

static void print_call(struct fb_buffer *out, const struct fb_expr *expr)
{
    const struct fb_function_info *function = &fb_functions[expr->function];
    bool method = function->method && expr->count > 0;
    if (method) {
        print_within(out, expr->items[0], MEMBER);
        fb_buffer_add_char(out, '.');
    }
    fb_buffer_add(out, function->name);
    print_brackets(out, expr, '(', method ? 1 : 0, ')');
}

static void print_method(struct fb_buffer *out, const struct fb_expr *expr)
{
    print_within(out, expr->left, MEMBER);
    fb_buffer_add_char(out, '.');
    fb_buffer_add_z(out, sign_of(expr->kind));
    fb_buffer_add_char(out, '(');
    if (expr->right != NULL)
        print(out, expr->right);
    fb_buffer_add_char(out, ')');
}

static void print_relation(struct fb_buffer *out, const struct fb_expr *expr)
{
    print_within(out, expr->left, ADD);
    fb_buffer_add_z(out, sign_of(expr->kind));
    print_within(out, expr->right, ADD);
}

static void print_is(struct fb_buffer *out, const struct fb_expr *expr)
{
    print_within(out, expr->left, ADD);
    fb_buffer_add_z(out, " is ");
    fb_buffer_add(out, expr->text);
    if (expr->right == NULL)
        return;
    fb_buffer_add_z(out, " in ");
    print_within(out, expr->right, ADD);
}

static void print_if(struct fb_buffer *out, const struct fb_expr *expr)
{
    fb_buffer_add_z(out, "if ");
    print(out, expr->left);
    fb_buffer_add_z(out, " then ");
    print(out, expr->right);
    fb_buffer_add_z(out, " else ");
    print(out, expr->third);
}

static void print_variable(struct fb_buffer *out, enum fb_var var)
{
    static const char *const names[] = {"principal", "action", "resource", "context"};
    fb_buffer_add_z(out, names[var]);
}

static void print(struct fb_buffer *out, const struct fb_expr *expr)
{
    if (out->failed)
        return;
    switch (expr->kind) {
    case FB_E_BOOL: fb_buffer_add_z(out, expr->number != 0 ? "true" : "false"); break;
    case FB_E_LONG: fb_buffer_add_format(out, "%lld", (long long)expr->number); break;
    case FB_E_STRING: fb_buffer_add_cedar(out, expr->text); break;
    case FB_E_UID: fb_uid_print(out, expr->uid); break;
    case FB_E_VAR: print_variable(out, expr->var); break;
    case FB_E_NOT: case FB_E_NEG: print_unary(out, expr); break;
    case FB_E_AND: case FB_E_OR: case FB_E_ADD: case FB_E_SUB: case FB_E_MUL: print_chain(out, expr); break;
    case FB_E_EQ: case FB_E_NE: case FB_E_LT: case FB_E_LE: case FB_E_GT: case FB_E_GE: case FB_E_IN:
        print_relation(out, expr);
        break;
    case FB_E_IS_EMPTY: case FB_E_CONTAINS: case FB_E_CONTAINS_ALL: case FB_E_CONTAINS_ANY: case FB_E_GET_TAG:
    case FB_E_HAS_TAG:
        print_method(out, expr);
        break;
    case FB_E_IF: print_if(out, expr); break;
    case FB_E_ATTR:
        print_within(out, expr->left, MEMBER);
        print_attribute(out, expr->text, expr->indexed);
        break;
    case FB_E_HAS: print_has(out, expr); break;
    case FB_E_LIKE:
        print_within(out, expr->left, ADD);
        fb_buffer_add_z(out, " like ");
        fb_pattern_print(out, expr->pattern);
        break;
    case FB_E_IS: print_is(out, expr); break;
    case FB_E_SET: print_brackets(out, expr, '[', 0, ']'); break;
    case FB_E_RECORD: print_brackets(out, expr, '{', 0, '}'); break;
    case FB_E_CALL: print_call(out, expr); break;
    }
}

void fb_expr_print(struct fb_buffer *out, const struct fb_expr *expr)
{
    assert(expr->height <= FB_EXPR_HEIGHT);
    print(out, expr);
}

/* --- policies --- */

static void print_entity(struct fb_buffer *out, const struct fb_scope *scope, const char *slot)
{
    if (scope->slot)
        fb_buffer_add_z(out, slot);
    else
        fb_uid_print(out, scope->uid);
}

static void print_scope(struct fb_buffer *out, const struct fb_scope *scope, enum fb_var var, const char *slot)
{
    print_variable(out, var);
    switch (scope->op) {
    case FB_SCOPE_ANY: break;
    case FB_SCOPE_EQ:
    case FB_SCOPE_IN:
        fb_buffer_add_z(out, scope->op == FB_SCOPE_EQ ? " == " : " in ");
        print_entity(out, scope, slot);
        break;
    case FB_SCOPE_IS:
    case FB_SCOPE_IS_IN:
        fb_buffer_add_z(out, " is ");
        fb_buffer_add(out, scope->type);
        if (scope->op == FB_SCOPE_IS)
            break;
        fb_buffer_add_z(out, " in ");
        print_entity(out, scope, slot);
        break;
    case FB_SCOPE_IN_LIST:
        fb_buffer_add_z(out, " in [");
        for (uint32_t i = 0; i < scope->count; i++) {
            fb_buffer_add_z(out, i > 0 ? ", " : "");
            fb_uid_print(out, scope->list[i]);
        }
        fb_buffer_add_char(out, ']');
        break;
    }
}

void fb_policy_print(struct fb_buffer *out, const struct fb_policy *policy)
{
    for (uint32_t i = 0; i < policy->annotations_count; i++) {
        const struct fb_annotation *annotation = &policy->annotations[i];
        fb_buffer_add_char(out, '@');
        fb_buffer_add(out, annotation->key);
        if (annotation->has_value) {
            fb_buffer_add_char(out, '(');
            fb_buffer_add_cedar(out, annotation->value);
            fb_buffer_add_char(out, ')');
        }
        fb_buffer_add_char(out, '\n');
    }
    fb_buffer_add_z(out, policy->effect == FB_PERMIT ? "permit (" : "forbid (");
    print_scope(out, &policy->principal, FB_PRINCIPAL, "?principal");
    fb_buffer_add_z(out, ", ");
    print_scope(out, &policy->action, FB_ACTION, "");
    fb_buffer_add_z(out, ", ");
    print_scope(out, &policy->resource, FB_RESOURCE, "?resource");
    fb_buffer_add_char(out, ')');
    for (uint32_t i = 0; i < policy->conditions_count; i++) {
        fb_buffer_add_z(out, policy->conditions[i].unless ? "\nunless { " : "\nwhen { ");
        fb_expr_print(out, policy->conditions[i].body);
        fb_buffer_add_z(out, " }");
    }
    fb_buffer_add_z(out, ";");
}
