/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_CEDAR_DUMP_H
#define FB_TESTS_CEDAR_DUMP_H

#include "testing.h"

/* Trees as nested lists, `(&& a b)`, so that tests show how an expression was understood.  Small
 * trees only: chains are walked by recursion. */

static inline const char *dump_head(enum fb_expr_kind kind)
{
    static const char *const heads[] = {
        [FB_E_NOT] = "!", [FB_E_NEG] = "neg", [FB_E_IS_EMPTY] = "isEmpty", [FB_E_AND] = "&&", [FB_E_OR] = "||",
        [FB_E_EQ] = "==", [FB_E_NE] = "!=", [FB_E_LT] = "<", [FB_E_LE] = "<=", [FB_E_GT] = ">", [FB_E_GE] = ">=",
        [FB_E_IN] = "in", [FB_E_ADD] = "+", [FB_E_SUB] = "-", [FB_E_MUL] = "*", [FB_E_CONTAINS] = "contains",
        [FB_E_CONTAINS_ALL] = "containsAll", [FB_E_CONTAINS_ANY] = "containsAny", [FB_E_GET_TAG] = "getTag",
        [FB_E_HAS_TAG] = "hasTag", [FB_E_IF] = "if", [FB_E_ATTR] = ".", [FB_E_HAS] = "has", [FB_E_LIKE] = "like",
        [FB_E_IS] = "is", [FB_E_SET] = "set", [FB_E_RECORD] = "record", [FB_E_CALL] = "call",
    };
    return heads[kind];
}

static inline void dump(struct fb_buffer *out, const struct fb_expr *expr)
{
    static const char *const vars[] = {"principal", "action", "resource", "context"};
    if (expr->kind == FB_E_BOOL || expr->kind == FB_E_LONG) {
        if (expr->kind == FB_E_BOOL)
            fb_buffer_add_z(out, expr->number != 0 ? "true" : "false");
        else
            fb_buffer_add_format(out, "%lld", (long long)expr->number);
        return;
    }
    if (expr->kind == FB_E_STRING) {
        fb_buffer_add_cedar(out, expr->text);
        return;
    }
    if (expr->kind == FB_E_UID) {
        fb_uid_print(out, expr->uid);
        return;
    }
    if (expr->kind == FB_E_VAR) {
        fb_buffer_add_z(out, vars[expr->var]);
        return;
    }
    fb_buffer_add_char(out, '(');
    fb_buffer_add_z(out, dump_head(expr->kind));
    if (expr->kind == FB_E_CALL) {
        fb_buffer_add_char(out, ' ');
        fb_buffer_add(out, fb_functions[expr->function].name);
    }
    const struct fb_expr *operands[] = {expr->left, expr->right, expr->third};
    for (int i = 0; i < 3; i++) {
        if (operands[i] == NULL)
            continue;
        fb_buffer_add_char(out, ' ');
        dump(out, operands[i]);
        if (i == 0 && (expr->kind == FB_E_ATTR || expr->kind == FB_E_IS)) {
            fb_buffer_add_char(out, ' ');
            fb_buffer_add(out, expr->text);
        }
    }
    if (expr->kind == FB_E_LIKE) {
        fb_buffer_add_char(out, ' ');
        fb_pattern_print(out, expr->pattern);
    }
    for (uint32_t i = 0; i < expr->count; i++) {
        if (expr->kind == FB_E_RECORD || expr->kind == FB_E_HAS) {
            fb_buffer_add_char(out, ' ');
            fb_buffer_add_cedar(out, expr->names[i]);
        }
        if (expr->items == NULL)
            continue;
        fb_buffer_add_char(out, ' ');
        dump(out, expr->items[i]);
    }
    fb_buffer_add_char(out, ')');
}

#endif
