/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions become code: sugar removed as LANGUAGE's desugaring says (so that what errs and what
 * is skipped stays exact), constants folded, names hashed.
 *
 * Chains of `&&`, `||`, `+`, `-` and `*` lean to the left and may be thousands long: their spine is
 * walked in a loop.  All else nests at most FB_NODE_DEPTH deep, which also bounds every recursion
 * over code (eval.c, unknown.c). */

#include "engine/program.h"

#include <assert.h>

/* Where we are: depth counts the nodes above. */
struct place {
    struct fb_compiler *to;
    unsigned depth;
};

static bool compile(struct place at, const struct fb_expr *expr, uint32_t *node);

static struct place below(struct place at)
{
    return (struct place){at.to, at.depth + 1};
}

static bool too_much(struct fb_compiler *to, const struct fb_expr *expr, const char *what)
{
    if (to->diags != NULL)
        fb_diag_add(to->diags, FB_ERROR, "engine.limit", to->source, expr->range, "%s", what);
    return false;
}

/* Whether the operation asks for the entity that its left operand is. */
static bool looks_left(uint8_t op)
{
    return op == FB_OP_ATTR || op == FB_OP_HAS || op == FB_OP_PATH || op == FB_OP_IN || op == FB_OP_IS_IN
           || op == FB_OP_GET_TAG || op == FB_OP_HAS_TAG;
}

/* Appends a node; its children must have been appended. */
static bool emit(struct fb_compiler *to, struct fb_node node, struct fb_range range, uint32_t *index)
{
    struct fb_code *code = to->code;
    if (looks_left(node.op) && code->nodes[node.left].op == FB_OP_VAR)
        node.vars |= (uint8_t)FB_VARS_LOOKED(code->nodes[node.left].arg);
    struct fb_node *nodes = fb_arena_grow_alone(to->arena, code->nodes, code->nodes_count, &code->nodes_capacity,
                                                sizeof *nodes);
    if (nodes == NULL)
        return false;
    code->nodes = nodes;
    struct fb_range *ranges = fb_arena_grow_alone(to->arena, code->ranges, code->nodes_count, &code->ranges_capacity,
                                                  sizeof *ranges);
    if (ranges == NULL)
        return false;
    code->ranges = ranges;
    if (code->nodes_count >= FB_NODES_MAX)
        return false;
    nodes[code->nodes_count] = node;
    ranges[code->nodes_count] = range;
    *index = (uint32_t)code->nodes_count++;
    return true;
}

/* Room for `count` indices, to be filled in as the children are compiled. */
static bool reserve_list(struct fb_compiler *to, uint32_t count, uint32_t *first)
{
    struct fb_code *code = to->code;
    if (code->lists_count + count > UINT32_MAX)
        return false;
    *first = (uint32_t)code->lists_count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t *lists = fb_arena_grow_alone(to->arena, code->lists, code->lists_count, &code->lists_capacity,
                                              sizeof *lists);
        if (lists == NULL)
            return false;
        code->lists = lists;
        lists[code->lists_count++] = 0;
    }
    return true;
}

static bool add_names(struct fb_compiler *to, const struct fb_span *texts, uint32_t count, uint32_t *first)
{
    struct fb_code *code = to->code;
    if (code->names_count + count > UINT32_MAX)
        return false;
    *first = (uint32_t)code->names_count;
    for (uint32_t i = 0; i < count; i++) {
        struct fb_name *names = fb_arena_grow_alone(to->arena, code->names, code->names_count, &code->names_capacity,
                                                    sizeof *names);
        if (names == NULL)
            return false;
        code->names = names;
        names[code->names_count++] = (struct fb_name){fb_hash(texts[i]), texts[i]};
    }
    return true;
}

static uint8_t vars_of(const struct fb_code *code, uint32_t node)
{
    return code->nodes[node].vars;
}

static bool constant(struct fb_compiler *to, struct fb_value value, struct fb_range range, uint32_t *node)
{
    return emit(to, (struct fb_node){.op = FB_OP_CONST, .value = value}, range, node);
}

/* --- Chains ------------------------------------------------------------------------------------ */

static bool in_chain(enum fb_op op, enum fb_expr_kind kind)
{
    switch ((unsigned)op) {
    case FB_OP_AND: return kind == FB_E_AND;
    case FB_OP_OR: return kind == FB_E_OR;
    case FB_OP_MUL: return kind == FB_E_MUL;
    default: return kind == FB_E_ADD || kind == FB_E_SUB;
    }
}

/* (((a op b) op c) op d): list a, b, c, d.  Evaluating them left to right, each checked as it
 * comes, is what evaluating the pairs does. */
static bool compile_chain(struct place at, enum fb_op op, const struct fb_expr *expr, uint32_t *node)
{
    uint32_t count = 1;
    const struct fb_expr *first = expr;
    for (; in_chain(op, first->kind); first = first->left)
        count++;
    uint32_t list;
    if (!reserve_list(at.to, count, &list) || !compile(below(at), first, node))
        return false;
    struct fb_code *code = at.to->code;
    code->lists[list] = *node;
    uint8_t vars = vars_of(code, *node);
    /* From the right end, as that is where the spine is held. */
    const struct fb_expr *spine = expr;
    for (uint32_t i = count - 1; i > 0; i--, spine = spine->left) {
        uint32_t item;
        if (!compile(below(at), spine->right, &item))
            return false;
        code->lists[list + i] = item | (spine->kind == FB_E_SUB ? FB_SUM_MINUS : 0);
        vars |= vars_of(code, item);
    }
    return emit(at.to, (struct fb_node){.op = (uint8_t)op, .vars = vars, .right = list, .third = count},
                expr->range, node);
}

/* --- Sets, records, calls ---------------------------------------------------------------------- */

/* Compiles the items; *constants tells whether all are. */
static bool compile_items(struct place at, const struct fb_expr *expr, struct fb_node *parent, bool *constants)
{
    struct fb_code *code = at.to->code;
    if (!reserve_list(at.to, expr->count, &parent->right))
        return false;
    parent->third = expr->count;
    *constants = true;
    for (uint32_t i = 0; i < expr->count; i++) {
        uint32_t item;
        if (!compile(below(at), expr->items[i], &item))
            return false;
        code->lists[parent->right + i] = item;
        parent->vars |= vars_of(code, item);
        *constants = *constants && code->nodes[item].op == FB_OP_CONST;
    }
    return true;
}

/* The value of an item known to be constant. */
static struct fb_value item_value(const struct fb_code *code, const struct fb_node *parent, uint32_t i)
{
    return code->nodes[code->lists[parent->right + i]].value;
}

static bool compile_set(struct place at, const struct fb_expr *expr, uint32_t *node)
{
    struct fb_node set = {.op = FB_OP_SET};
    bool constants;
    if (!compile_items(at, expr, &set, &constants))
        return false;
    if (!constants)
        return emit(at.to, set, expr->range, node);
    struct fb_value *values = fb_arena_array(at.to->arena, expr->count, sizeof *values), value;
    if (values == NULL)
        return false;
    for (uint32_t i = 0; i < expr->count; i++)
        values[i] = item_value(at.to->code, &set, i);
    return fb_value_set(at.to->arena, values, expr->count, &value) && constant(at.to, value, expr->range, node);
}

static bool compile_record(struct place at, const struct fb_expr *expr, uint32_t *node)
{
    struct fb_node record = {.op = FB_OP_RECORD};
    bool constants;
    if (!compile_items(at, expr, &record, &constants))
        return false;
    if (!constants)
        return add_names(at.to, expr->names, expr->count, &record.left)
               && emit(at.to, record, expr->range, node);
    struct fb_field *fields = fb_arena_array(at.to->arena, expr->count, sizeof *fields);
    struct fb_value value;
    if (fields == NULL)
        return false;
    for (uint32_t i = 0; i < expr->count; i++)
        fields[i] = (struct fb_field){expr->names[i], item_value(at.to->code, &record, i)};
    return fb_value_record(at.to->arena, fields, expr->count, &value)
           && constant(at.to, value, expr->range, node);
}

/* The kind that a constructor makes; false for methods. */
static bool constructs(enum fb_function function, enum fb_kind *kind)
{
    if (function == FB_F_DECIMAL)
        *kind = FB_DECIMAL;
    else if (function == FB_F_IP)
        *kind = FB_IP;
    else if (function == FB_F_DATETIME)
        *kind = FB_DATETIME;
    else if (function == FB_F_DURATION)
        *kind = FB_DURATION;
    else
        return false;
    return true;
}

/* A constructor on a good literal is a constant; on a bad one it stays, to err when it is reached. */
static bool compile_call(struct place at, const struct fb_expr *expr, uint32_t *node)
{
    struct fb_node call = {.op = FB_OP_CALL, .arg = (uint8_t)expr->function};
    bool constants;
    enum fb_kind kind;
    if (!compile_items(at, expr, &call, &constants))
        return false;
    if (constants && expr->count == 1 && constructs(expr->function, &kind)) {
        struct fb_value text = item_value(at.to->code, &call, 0), value;
        if (text.kind == FB_STRING
            && fb_extension_make(at.to->arena, kind, fb_value_text(text), &value) == NULL)
            return constant(at.to, value, expr->range, node);
    }
    return emit(at.to, call, expr->range, node);
}

/* --- The rest ---------------------------------------------------------------------------------- */

static bool compile_fixed(struct place at, const struct fb_expr *expr, struct fb_node made, uint32_t *node)
{
    const struct fb_expr *operands[] = {expr->left, expr->right, expr->third};
    uint32_t *slots[] = {&made.left, &made.right, &made.third};
    for (int i = 0; i < 3 && operands[i] != NULL; i++) {
        if (!compile(below(at), operands[i], slots[i]))
            return false;
        made.vars |= vars_of(at.to->code, *slots[i]);
    }
    return emit(at.to, made, expr->range, node);
}

/* The path of an attribute of a variable, or of an attribute that has one. */
static bool find_path(struct fb_compiler *to, struct fb_node *attr)
{
    const struct fb_node *from = &to->code->nodes[attr->left];
    uint32_t parent = from->op == FB_OP_VAR ? FB_PATH_VAR + from->arg : from->op == FB_OP_ATTR ? from->right
                                                                                             : FB_PATH_NONE;
    return parent == FB_PATH_NONE || fb_path_of(to, parent, attr->symbol, fb_node_name(attr), &attr->right);
}

static bool compile_named(struct place at, const struct fb_expr *expr, enum fb_op op, struct fb_span name,
                          uint32_t *node)
{
    struct fb_node made = {.op = (uint8_t)op};
    if (!compile(below(at), expr->left, &made.left))
        return false;
    made.vars = vars_of(at.to->code, made.left);
    if (op == FB_OP_IS_IN) {
        if (!compile(below(at), expr->right, &made.right))
            return false;
        made.vars |= vars_of(at.to->code, made.right);
    }
    made.third = (uint32_t)name.len;
    made.symbol = fb_hash(name);
    made.name = name.ptr;
    if (op == FB_OP_ATTR && !find_path(at.to, &made))
        return false;
    return emit(at.to, made, expr->range, node);
}

/* `e has a.b.c` is e has a && e.a has b && e.a.b has c.  e has one value however often it is asked,
 * so PATH asks once. */
static bool compile_has(struct place at, const struct fb_expr *expr, uint32_t *node)
{
    if (expr->count == 1)
        return compile_named(at, expr, FB_OP_HAS, expr->names[0], node);
    struct fb_node path = {.op = FB_OP_PATH, .third = expr->count};
    if (!compile(below(at), expr->left, &path.left)
        || !add_names(at.to, expr->names, expr->count, &path.right))
        return false;
    path.vars = vars_of(at.to->code, path.left);
    return emit(at.to, path, expr->range, node);
}

static enum fb_op plain_op(enum fb_expr_kind kind)
{
    static const uint8_t ops[] = {
        [FB_E_NOT] = FB_OP_NOT, [FB_E_NEG] = FB_OP_NEG, [FB_E_IS_EMPTY] = FB_OP_EMPTY,
        [FB_E_EQ] = FB_OP_EQ, [FB_E_NE] = FB_OP_NE, [FB_E_LT] = FB_OP_LT, [FB_E_LE] = FB_OP_LE,
        [FB_E_GT] = FB_OP_GT, [FB_E_GE] = FB_OP_GE, [FB_E_IN] = FB_OP_IN,
        [FB_E_CONTAINS] = FB_OP_CONTAINS, [FB_E_CONTAINS_ALL] = FB_OP_CONTAINS_ALL,
        [FB_E_CONTAINS_ANY] = FB_OP_CONTAINS_ANY, [FB_E_GET_TAG] = FB_OP_GET_TAG,
        [FB_E_HAS_TAG] = FB_OP_HAS_TAG, [FB_E_IF] = FB_OP_IF,
    };
    return (enum fb_op)ops[kind];
}

static bool compile(struct place at, const struct fb_expr *expr, uint32_t *node)
{
    struct fb_compiler *to = at.to;
    if (at.depth >= FB_NODE_DEPTH)
        return too_much(to, expr, "the expression nests too deeply");
    switch (expr->kind) {
    case FB_E_BOOL:
        return constant(to, fb_value_bool(expr->number != 0), expr->range, node);
    case FB_E_LONG:
        return constant(to, fb_value_number(FB_LONG, expr->number), expr->range, node);
    case FB_E_STRING:
        return constant(to, fb_value_string(expr->text), expr->range, node);
    case FB_E_UID:
        return constant(to, fb_value_entity(expr->uid), expr->range, node);
    case FB_E_VAR:
        return emit(to, (struct fb_node){.op = FB_OP_VAR, .arg = (uint8_t)expr->var,
                                         .vars = (uint8_t)(1u << expr->var)}, expr->range, node);
    case FB_E_AND:
        return compile_chain(at, FB_OP_AND, expr, node);
    case FB_E_OR:
        return compile_chain(at, FB_OP_OR, expr, node);
    case FB_E_ADD: case FB_E_SUB:
        return compile_chain(at, FB_OP_SUM, expr, node);
    case FB_E_MUL:
        return compile_chain(at, FB_OP_MUL, expr, node);
    case FB_E_NOT: case FB_E_NEG: case FB_E_IS_EMPTY:
    case FB_E_EQ: case FB_E_NE: case FB_E_LT: case FB_E_LE: case FB_E_GT: case FB_E_GE: case FB_E_IN:
    case FB_E_CONTAINS: case FB_E_CONTAINS_ALL: case FB_E_CONTAINS_ANY:
    case FB_E_GET_TAG: case FB_E_HAS_TAG: case FB_E_IF:
        return compile_fixed(at, expr, (struct fb_node){.op = (uint8_t)plain_op(expr->kind)}, node);
    case FB_E_LIKE:
        return compile_fixed(at, expr, (struct fb_node){.op = FB_OP_LIKE, .pattern = expr->pattern}, node);
    case FB_E_ATTR:
        return compile_named(at, expr, FB_OP_ATTR, expr->text, node);
    case FB_E_IS:
        return compile_named(at, expr, expr->right != NULL ? FB_OP_IS_IN : FB_OP_IS, expr->text, node);
    case FB_E_HAS:
        return compile_has(at, expr, node);
    case FB_E_SET:
        return compile_set(at, expr, node);
    case FB_E_RECORD:
        return compile_record(at, expr, node);
    case FB_E_CALL:
        return compile_call(at, expr, node);
    }
    assert(false);  /* every kind is listed */
    return false;
}

bool fb_compile(struct fb_compiler *compiler, const struct fb_expr *expr, uint32_t *node)
{
    return compile((struct place){compiler, 0}, expr, node);
}

bool fb_compile_not(struct fb_compiler *compiler, uint32_t operand, struct fb_range range, uint32_t *node)
{
    return emit(compiler, (struct fb_node){.op = FB_OP_NOT, .vars = vars_of(compiler->code, operand),
                                           .left = operand}, range, node);
}
