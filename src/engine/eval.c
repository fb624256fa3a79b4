/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluator: walks the code, evaluates operands in Cedar's order, leaves the operations to
 * leaf.c, function.c and access.c.  Its recursion is bounded by FB_NODE_DEPTH (compile.c), so its
 * frame is kept small.  Memory is taken only for sets and records made as it goes. */

#include "engine/eval.h"

#include <assert.h>

static void start_seen(struct fb_seen *seen, const struct fb_uid *uid, const struct fb_entity *entity)
{
    seen->uid = uid;
    seen->found = entity != NULL && fb_uid_eq(entity->uid, uid) ? entity : NULL;
    seen->absent = false;
    seen->opened = NULL;
}

void fb_eval_init(struct fb_eval *e, const struct fb_code *code, const struct fb_request *request,
                  struct fb_arena *arena)
{
    e->code = code;
    e->request = request;
    e->arena = arena;
    e->cannot = false;
    start_seen(&e->seen[FB_PRINCIPAL], request->principal, request->principal_entity);
    start_seen(&e->seen[FB_ACTION], request->action, NULL);
    start_seen(&e->seen[FB_RESOURCE], request->resource, request->resource_entity);
    memset(e->known_path, 0, sizeof e->known_path);
    e->known_path[FB_CONTEXT] = FB_PATH_VAR + FB_CONTEXT;
    e->known_fields[FB_CONTEXT] = request->context.kind == FB_RECORD ? request->context.record : NULL;
    for (uint32_t var = FB_PRINCIPAL; var <= FB_RESOURCE; var++)
        if (e->seen[var].found != NULL) {
            e->known_path[var] = FB_PATH_VAR + var;
            e->known_fields[var] = e->seen[var].found->attrs;
        }
}

static inline struct fb_value variable(const struct fb_request *request, uint8_t var)
{
    switch ((enum fb_var)var) {
    case FB_PRINCIPAL: return fb_value_entity(request->principal);
    case FB_ACTION: return fb_value_entity(request->action);
    case FB_RESOURCE: return fb_value_entity(request->resource);
    case FB_CONTEXT: break;
    }
    return request->context;
}

/* Where an operand's fields are; NULL where there are none to be had, and then leaf.c and access.c say
 * why. */
static inline const struct fb_record *fields_of(struct fb_eval *e, struct fb_value of)
{
    return of.kind == FB_RECORD ? of.record : of.kind == FB_ENTITY ? fb_attrs(e, of.uid) : NULL;
}

/* By its path; if that leads nowhere, or there is none, step by step. */
static bool eval_attr(struct fb_eval *e, uint32_t index, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    const struct fb_cell *cell = node->right != FB_PATH_NONE ? fb_path_cell(e, node->right) : NULL;
    if (cell == NULL) {
        if (e->cannot || !fb_eval(e, node->left, out))
            return false;
        const struct fb_record *fields = fields_of(e, *out);
        cell = fields != NULL ? fb_record_find(fields, node->symbol, fb_node_name(node)) : NULL;
        if (cell == NULL) {
            struct fb_value of = *out;
            return !e->cannot && fb_leaf_attr(e, index, of, out);
        }
    }
    *out = fb_cell_load(cell);
    return true;
}

/* fb_eval with its commonest cases in place: most operands are constants, variables and attributes. */
static inline bool eval_operand(struct fb_eval *e, uint32_t index, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    if (node->op == FB_OP_ATTR)
        return eval_attr(e, index, out);
    if (node->op == FB_OP_CONST)
        *out = node->value;
    else if (node->op == FB_OP_VAR)
        *out = variable(e->request, node->arg);
    else
        return fb_eval(e, index, out);
    return true;
}

static bool eval_logic(struct fb_eval *e, const struct fb_node *node, struct fb_value *out)
{
    const uint32_t *items = e->code->lists + node->right;
    int64_t decides = node->op == FB_OP_OR;
    for (uint32_t i = 0; i < node->third; i++) {
        if (!fb_eval(e, items[i], out))
            return false;
        if (out->kind != FB_BOOL)
            return fb_fault_type(e, items[i], "a bool", *out);
        if (out->number == decides)
            break;
    }
    return true;
}

static bool eval_sum(struct fb_eval *e, uint32_t index, const struct fb_node *node, struct fb_value *out)
{
    const uint32_t *items = e->code->lists + node->right;
    int64_t sum = 0;
    struct fb_value first = {0};
    if (!fb_eval(e, items[0] & ~FB_SUM_MINUS, &first))
        return false;
    for (uint32_t i = 1; i < node->third; i++) {
        uint32_t at = items[i] & ~FB_SUM_MINUS;
        /* Both operands are evaluated before either's type is looked at. */
        if (!fb_eval(e, at, out))
            return false;
        if (i == 1) {
            if (first.kind != FB_LONG)
                return fb_fault_type(e, items[0], "a long", first);
            sum = first.number;
        }
        if (!fb_leaf_sum(e, index, (enum fb_op)node->op, (items[i] & FB_SUM_MINUS) != 0, at, *out, &sum))
            return false;
    }
    *out = fb_value_number(FB_LONG, sum);
    return true;
}

static struct fb_value *eval_items(struct fb_eval *e, const struct fb_node *node)
{
    struct fb_value *values = fb_arena_array(e->arena, node->third, sizeof *values);
    if (values == NULL) {
        fb_eval_cannot(e);
        return NULL;
    }
    for (uint32_t i = 0; i < node->third; i++)
        if (!fb_eval(e, e->code->lists[node->right + i], &values[i]))
            return NULL;
    return values;
}

static bool eval_set(struct fb_eval *e, const struct fb_node *node, struct fb_value *out)
{
    struct fb_value *values = eval_items(e, node);
    return values != NULL && (fb_value_set(e->arena, values, node->third, out) || fb_eval_cannot(e));
}

static bool eval_record(struct fb_eval *e, const struct fb_node *node, struct fb_value *out)
{
    struct fb_field *fields = fb_arena_array(e->arena, node->third, sizeof *fields);
    if (fields == NULL)
        return fb_eval_cannot(e);
    for (uint32_t i = 0; i < node->third; i++) {
        fields[i].name = e->code->names[node->left + i].text;
        if (!fb_eval(e, e->code->lists[node->right + i], &fields[i].value))
            return false;
    }
    return fb_value_record(e->arena, fields, node->third, out) || fb_eval_cannot(e);
}

/* Functions have at most two arguments; a call with more errs, after its arguments. */
static bool eval_call(struct fb_eval *e, uint32_t index, const struct fb_node *node, struct fb_value *out)
{
    struct fb_value values[2];
    for (uint32_t i = 0; i < node->third; i++)
        if (!fb_eval(e, e->code->lists[node->right + i], i < 2 ? &values[i] : out))
            return false;
    return fb_leaf_call(e, index, values, out);
}

/* `e is T in x`: x is not evaluated unless e is T. */
static bool eval_is_in(struct fb_eval *e, uint32_t index, const struct fb_node *node, struct fb_value *out)
{
    struct fb_value a = {0}, b = {0};
    if (!fb_eval(e, node->left, &a))
        return false;
    if (a.kind != FB_ENTITY)
        return fb_fault_type(e, node->left, "an entity", a);
    if (!fb_leaf_is(node, a.uid)) {
        *out = fb_value_bool(false);
        return true;
    }
    return fb_eval(e, node->right, &b) && fb_leaf_in(e, index, a, b, out);
}

static bool eval_unary(struct fb_eval *e, uint32_t index, const struct fb_node *node, struct fb_value *out)
{
    struct fb_value a = {0};
    if (!eval_operand(e, node->left, &a))
        return false;
    if (node->op == FB_OP_NOT && a.kind == FB_BOOL) {
        *out = fb_value_bool(a.number == 0);
        return true;
    }
    if (node->op == FB_OP_HAS) {
        const struct fb_record *fields = fields_of(e, a);
        if (fields == NULL)
            return !e->cannot && fb_leaf_has(e, index, a, out);
        *out = fb_value_bool(fb_record_find(fields, node->symbol, fb_node_name(node)) != NULL);
        return true;
    }
    return node->op == FB_OP_PATH ? fb_leaf_path(e, index, a, out) : fb_leaf_unary(e, index, a, out);
}

static inline bool compares(uint8_t op, int64_t a, int64_t b)
{
    switch ((unsigned)op) {
    case FB_OP_LT: return a < b;
    case FB_OP_LE: return a <= b;
    case FB_OP_GT: return a > b;
    default: return a >= b;     /* FB_OP_GE */
    }
}

static bool eval_binary(struct fb_eval *e, uint32_t index, const struct fb_node *node, struct fb_value *out)
{
    struct fb_value a = {0}, b = {0};
    if (!eval_operand(e, node->left, &a) || !eval_operand(e, node->right, &b))
        return false;
    switch ((unsigned)node->op) {
    case FB_OP_EQ: case FB_OP_NE:
        *out = fb_value_bool(fb_value_eq(a, b) == (node->op == FB_OP_EQ));
        return true;
    case FB_OP_LT: case FB_OP_LE: case FB_OP_GT: case FB_OP_GE:
        if ((a.kind != FB_LONG && a.kind != FB_DATETIME) || a.kind != b.kind)
            return fb_leaf_binary(e, index, a, b, out);
        *out = fb_value_bool(compares(node->op, a.number, b.number));
        return true;
    case FB_OP_IN:
        return fb_leaf_in(e, index, a, b, out);
    case FB_OP_GET_TAG: case FB_OP_HAS_TAG:
        return fb_leaf_tag(e, index, a, b, out);
    default:
        return fb_leaf_binary(e, index, a, b, out);
    }
}

bool fb_eval(struct fb_eval *e, uint32_t index, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    switch ((enum fb_op)node->op) {
    case FB_OP_CONST:
        *out = node->value;
        return true;
    case FB_OP_VAR:
        *out = variable(e->request, node->arg);
        return true;
    case FB_OP_AND: case FB_OP_OR:
        return eval_logic(e, node, out);
    case FB_OP_SUM: case FB_OP_MUL:
        return eval_sum(e, index, node, out);
    case FB_OP_IF:
        if (!fb_eval(e, node->left, out))
            return false;
        if (out->kind != FB_BOOL)
            return fb_fault_type(e, node->left, "a bool", *out);
        return fb_eval(e, out->number != 0 ? node->right : node->third, out);
    case FB_OP_ATTR:
        return eval_attr(e, index, out);
    case FB_OP_NOT: case FB_OP_NEG: case FB_OP_EMPTY:
    case FB_OP_HAS: case FB_OP_PATH: case FB_OP_LIKE: case FB_OP_IS:
        return eval_unary(e, index, node, out);
    case FB_OP_EQ: case FB_OP_NE: case FB_OP_LT: case FB_OP_LE: case FB_OP_GT: case FB_OP_GE:
    case FB_OP_IN: case FB_OP_CONTAINS: case FB_OP_CONTAINS_ALL: case FB_OP_CONTAINS_ANY:
    case FB_OP_GET_TAG: case FB_OP_HAS_TAG:
        return eval_binary(e, index, node, out);
    case FB_OP_IS_IN:
        return eval_is_in(e, index, node, out);
    case FB_OP_SET:
        return eval_set(e, node, out);
    case FB_OP_RECORD:
        return eval_record(e, node, out);
    case FB_OP_CALL:
        return eval_call(e, index, node, out);
    }
    assert(false);  /* every op is listed */
    return fb_eval_cannot(e);
}
