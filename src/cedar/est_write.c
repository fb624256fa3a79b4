/* SPDX-License-Identifier: Apache-2.0 */

/* Policies → JSON, in the form that Cedar documents and upstream writes: sugar is kept, a literal is
 * `Value`, a pattern is a list of scalars and wildcards.  Members stand in upstream's order. */

#include "cedar/cedar.h"

/* The names of operators, for both directions. */
static const char *const operators[] = {
    [FB_E_NOT] = "!", [FB_E_NEG] = "neg", [FB_E_IS_EMPTY] = "isEmpty", [FB_E_AND] = "&&", [FB_E_OR] = "||",
    [FB_E_EQ] = "==", [FB_E_NE] = "!=", [FB_E_LT] = "<", [FB_E_LE] = "<=", [FB_E_GT] = ">", [FB_E_GE] = ">=",
    [FB_E_IN] = "in", [FB_E_ADD] = "+", [FB_E_SUB] = "-", [FB_E_MUL] = "*", [FB_E_CONTAINS] = "contains",
    [FB_E_CONTAINS_ALL] = "containsAll", [FB_E_CONTAINS_ANY] = "containsAny", [FB_E_GET_TAG] = "getTag",
    [FB_E_HAS_TAG] = "hasTag", [FB_E_ATTR] = ".", [FB_E_HAS] = "has", [FB_E_LIKE] = "like", [FB_E_IS] = "is",
    [FB_E_IF] = "if-then-else", [FB_E_SET] = "Set", [FB_E_RECORD] = "Record",
};

static void write(struct fb_buffer *out, const struct fb_expr *expr);

static void write_string(struct fb_buffer *out, const char *key, struct fb_span text)
{
    fb_buffer_add_z(out, key);
    fb_buffer_add_json(out, text);
}

static void write_uid(struct fb_buffer *out, const struct fb_uid *uid)
{
    write_string(out, "{\"type\":", fb_uid_type(uid));
    write_string(out, ",\"id\":", fb_uid_id(uid));
    fb_buffer_add_char(out, '}');
}

static void open_operator(struct fb_buffer *out, enum fb_expr_kind kind)
{
    fb_buffer_add_format(out, "{\"%s\":", operators[kind]);
}

/* A chain's left spine, in a loop (ast.h). */
static void write_chain(struct fb_buffer *out, const struct fb_expr *expr)
{
    size_t count = expr->spine, size = count * sizeof(const struct fb_expr *);
    const struct fb_expr **nodes = fb_alloc(out->allocator, size);
    if (nodes == NULL) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        nodes[i] = i == 0 ? expr : nodes[i - 1]->left;
        open_operator(out, nodes[i]->kind);
        fb_buffer_add_z(out, "{\"left\":");
    }
    write(out, nodes[count - 1]->left);
    for (size_t i = count; i-- > 0;) {
        fb_buffer_add_z(out, ",\"right\":");
        write(out, nodes[i]->right);
        fb_buffer_add_z(out, "}}");
    }
    fb_free(out->allocator, nodes, size);
}

static void write_operand(struct fb_buffer *out, const char *key, const struct fb_expr *operand)
{
    fb_buffer_add_z(out, key);
    write(out, operand);
}

static void write_has(struct fb_buffer *out, const struct fb_expr *expr)
{
    write_operand(out, "{\"left\":", expr->left);
    fb_buffer_add_z(out, expr->count > 1 ? ",\"attr\":[" : ",\"attr\":");
    for (uint32_t i = 0; i < expr->count; i++)
        write_string(out, i > 0 ? "," : "", expr->names[i]);
    fb_buffer_add_z(out, expr->count > 1 ? "]}" : "}");
}

static void write_pattern(struct fb_buffer *out, const struct fb_pattern *pattern)
{
    const char *comma = "";
    for (uint32_t i = 0; i <= pattern->wildcards; i++) {
        if (i > 0) {
            fb_buffer_add_format(out, "%s\"Wildcard\"", comma);
            comma = ",";
        }
        struct fb_span rest = pattern->literals[i];
        while (rest.len != 0) {
            unsigned length;
            fb_utf8_next(rest, &length);
            length = length != 0 ? length : 1;
            fb_buffer_add_z(out, comma);
            write_string(out, "{\"Literal\":", fb_span_head(rest, length));
            fb_buffer_add_char(out, '}');
            rest = fb_span_from(rest, length);
            comma = ",";
        }
    }
}

static void write_is(struct fb_buffer *out, const struct fb_expr *expr)
{
    write_operand(out, "{\"left\":", expr->left);
    write_string(out, ",\"entity_type\":", expr->text);
    if (expr->right != NULL)
        write_operand(out, ",\"in\":", expr->right);
    fb_buffer_add_char(out, '}');
}

static void write_items(struct fb_buffer *out, const struct fb_expr *expr)
{
    bool record = expr->kind == FB_E_RECORD;
    fb_buffer_add_char(out, record ? '{' : '[');
    for (uint32_t i = 0; i < expr->count; i++) {
        fb_buffer_add_z(out, i > 0 ? "," : "");
        if (record) {
            fb_buffer_add_json(out, expr->names[i]);
            fb_buffer_add_char(out, ':');
        }
        write(out, expr->items[i]);
    }
    fb_buffer_add_char(out, record ? '}' : ']');
}

/* What stands behind the operator's name. */
static void write_operands(struct fb_buffer *out, const struct fb_expr *expr)
{
    switch (expr->kind) {
    case FB_E_NOT: case FB_E_NEG: case FB_E_IS_EMPTY:
        write_operand(out, "{\"arg\":", expr->left);
        fb_buffer_add_char(out, '}');
        break;
    case FB_E_IF:
        write_operand(out, "{\"if\":", expr->left);
        write_operand(out, ",\"then\":", expr->right);
        write_operand(out, ",\"else\":", expr->third);
        fb_buffer_add_char(out, '}');
        break;
    case FB_E_ATTR:
        write_operand(out, "{\"left\":", expr->left);
        write_string(out, ",\"attr\":", expr->text);
        fb_buffer_add_char(out, '}');
        break;
    case FB_E_LIKE:
        write_operand(out, "{\"left\":", expr->left);
        fb_buffer_add_z(out, ",\"pattern\":[");
        write_pattern(out, expr->pattern);
        fb_buffer_add_z(out, "]}");
        break;
    case FB_E_HAS: write_has(out, expr); break;
    case FB_E_IS: write_is(out, expr); break;
    case FB_E_SET: case FB_E_RECORD: case FB_E_CALL: write_items(out, expr); break;
    case FB_E_EQ: case FB_E_NE: case FB_E_LT: case FB_E_LE: case FB_E_GT: case FB_E_GE: case FB_E_IN:
    case FB_E_CONTAINS: case FB_E_CONTAINS_ALL: case FB_E_CONTAINS_ANY: case FB_E_GET_TAG: case FB_E_HAS_TAG:
        write_operand(out, "{\"left\":", expr->left);
        write_operand(out, ",\"right\":", expr->right);
        fb_buffer_add_char(out, '}');
        break;
    case FB_E_BOOL: case FB_E_LONG: case FB_E_STRING: case FB_E_UID: case FB_E_VAR: case FB_E_AND: case FB_E_OR:
    case FB_E_ADD: case FB_E_SUB: case FB_E_MUL: break;
    }
}

static void write(struct fb_buffer *out, const struct fb_expr *expr)
{
    static const char *const variables[] = {"principal", "action", "resource", "context"};
    switch (expr->kind) {
    case FB_E_BOOL: fb_buffer_add_format(out, "{\"Value\":%s}", expr->number != 0 ? "true" : "false"); return;
    case FB_E_LONG: fb_buffer_add_format(out, "{\"Value\":%lld}", (long long)expr->number); return;
    case FB_E_VAR: fb_buffer_add_format(out, "{\"Var\":\"%s\"}", variables[expr->var]); return;
    case FB_E_STRING:
        write_string(out, "{\"Value\":", expr->text);
        fb_buffer_add_char(out, '}');
        return;
    case FB_E_UID:
        fb_buffer_add_z(out, "{\"Value\":{\"__entity\":");
        write_uid(out, expr->uid);
        fb_buffer_add_z(out, "}}");
        return;
    case FB_E_AND: case FB_E_OR: case FB_E_ADD: case FB_E_SUB: case FB_E_MUL: write_chain(out, expr); return;
    case FB_E_CALL:
        write_string(out, "{", fb_functions[expr->function].name);
        fb_buffer_add_char(out, ':');
        break;
    case FB_E_NOT: case FB_E_NEG: case FB_E_IS_EMPTY: case FB_E_EQ: case FB_E_NE: case FB_E_LT: case FB_E_LE:
    case FB_E_GT: case FB_E_GE: case FB_E_IN: case FB_E_CONTAINS: case FB_E_CONTAINS_ALL: case FB_E_CONTAINS_ANY:
    case FB_E_GET_TAG: case FB_E_HAS_TAG: case FB_E_IF: case FB_E_ATTR: case FB_E_HAS: case FB_E_LIKE: case FB_E_IS:
    case FB_E_SET: case FB_E_RECORD:
        open_operator(out, expr->kind);
        break;
    }
    write_operands(out, expr);
    fb_buffer_add_char(out, '}');
}

void fb_expr_write_json(struct fb_buffer *out, const struct fb_expr *expr)
{
    write(out, expr);
}

/* --- policies --- */

static void write_entity(struct fb_buffer *out, const struct fb_scope *scope, const char *slot)
{
    if (scope->slot) {
        fb_buffer_add_format(out, "\"slot\":\"%s\"}", slot);
        return;
    }
    fb_buffer_add_z(out, "\"entity\":");
    write_uid(out, scope->uid);
    fb_buffer_add_char(out, '}');
}

static void write_scope(struct fb_buffer *out, const struct fb_scope *scope, const char *slot)
{
    switch (scope->op) {
    case FB_SCOPE_ANY: fb_buffer_add_z(out, "{\"op\":\"All\"}"); break;
    case FB_SCOPE_EQ:
    case FB_SCOPE_IN:
        fb_buffer_add_z(out, scope->op == FB_SCOPE_EQ ? "{\"op\":\"==\"," : "{\"op\":\"in\",");
        write_entity(out, scope, slot);
        break;
    case FB_SCOPE_IS:
    case FB_SCOPE_IS_IN:
        write_string(out, "{\"op\":\"is\",\"entity_type\":", scope->type);
        if (scope->op == FB_SCOPE_IS_IN) {
            fb_buffer_add_z(out, ",\"in\":{");
            write_entity(out, scope, slot);
        }
        fb_buffer_add_char(out, '}');
        break;
    case FB_SCOPE_IN_LIST:
        if (scope->count == 1) {    /* as upstream has it: a list of one is that one */
            fb_buffer_add_z(out, "{\"op\":\"in\",\"entity\":");
            write_uid(out, scope->list[0]);
            fb_buffer_add_char(out, '}');
            break;
        }
        fb_buffer_add_z(out, "{\"op\":\"in\",\"entities\":[");
        for (uint32_t i = 0; i < scope->count; i++) {
            fb_buffer_add_z(out, i > 0 ? "," : "");
            write_uid(out, scope->list[i]);
        }
        fb_buffer_add_z(out, "]}");
        break;
    }
}

static void write_annotations(struct fb_buffer *out, const struct fb_annotation *list, uint32_t count)
{
    if (count == 0)
        return;
    fb_buffer_add_z(out, ",\"annotations\":{");
    for (uint32_t i = 0; i < count; i++) {
        write_string(out, i > 0 ? "," : "", list[i].key);
        fb_buffer_add_char(out, ':');
        if (list[i].has_value)
            fb_buffer_add_json(out, list[i].value);
        else
            fb_buffer_add_z(out, "null");
    }
    fb_buffer_add_char(out, '}');
}

void fb_policy_write_json(struct fb_buffer *out, const struct fb_policy *policy)
{
    fb_buffer_add_format(out, "{\"effect\":\"%s\",\"principal\":", policy->effect == FB_PERMIT ? "permit" : "forbid");
    write_scope(out, &policy->principal, "?principal");
    fb_buffer_add_z(out, ",\"action\":");
    write_scope(out, &policy->action, "");
    fb_buffer_add_z(out, ",\"resource\":");
    write_scope(out, &policy->resource, "?resource");
    fb_buffer_add_z(out, ",\"conditions\":[");
    for (uint32_t i = 0; i < policy->conditions_count; i++) {
        const struct fb_condition *condition = &policy->conditions[i];
        fb_buffer_add_format(out, "%s{\"kind\":\"%s\",\"body\":", i > 0 ? "," : "",
                             condition->unless ? "unless" : "when");
        write(out, condition->body);
        fb_buffer_add_char(out, '}');
    }
    fb_buffer_add_char(out, ']');
    write_annotations(out, policy->annotations, policy->annotations_count);
    fb_buffer_add_char(out, '}');
}

static void write_policies(struct fb_buffer *out, const struct fb_policy_set *set, bool templates)
{
    const char *comma = "";
    for (size_t i = 0; i < set->count; i++) {
        const struct fb_policy *policy = set->policies[i];
        if (policy->is_template != templates)
            continue;
        write_string(out, comma, policy->id);
        fb_buffer_add_char(out, ':');
        fb_policy_write_json(out, policy);
        comma = ",";
    }
}

static void write_link(struct fb_buffer *out, const struct fb_link *link)
{
    write_string(out, "{\"templateId\":", link->template_->id);
    write_string(out, ",\"newId\":", link->id);
    fb_buffer_add_z(out, ",\"values\":{");
    if (link->principal != NULL) {
        fb_buffer_add_z(out, "\"?principal\":");
        write_uid(out, link->principal);
    }
    if (link->resource != NULL) {
        fb_buffer_add_z(out, link->principal != NULL ? ",\"?resource\":" : "\"?resource\":");
        write_uid(out, link->resource);
    }
    fb_buffer_add_z(out, "}}");
}

void fb_policy_set_write_json(struct fb_buffer *out, const struct fb_policy_set *set)
{
    fb_buffer_add_z(out, "{\"templates\":{");
    write_policies(out, set, true);
    fb_buffer_add_z(out, "},\"staticPolicies\":{");
    write_policies(out, set, false);
    fb_buffer_add_z(out, "},\"templateLinks\":[");
    for (size_t i = 0; i < set->links_count; i++) {
        fb_buffer_add_z(out, i > 0 ? "," : "");
        write_link(out, set->links[i]);
    }
    fb_buffer_add_z(out, "]}");
}
