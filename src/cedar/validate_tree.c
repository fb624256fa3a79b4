/* SPDX-License-Identifier: Apache-2.0 */

/* Expressions made ready for the typechecker.  Recursion is bounded by FB_EXPR_HEIGHT: the left spines
 * of chains are walked in a loop, as ast.h asks. */

#include "cedar/validate_tree.h"

struct lowering {
    struct fb_tree *tree;
    struct fb_vtypes *types;
};

void fb_tree_clear(struct fb_tree *tree)
{
    tree->count = tree->items_count = tree->conditions_count = tree->spine_count = tree->shapes_count = 0;
    tree->uses = 0;
    if (tree->shapes_table.count != 0)
        memset(tree->shapes_table.slots, 0, ((size_t)tree->shapes_table.mask + 1) * sizeof(uint32_t));
    tree->shapes_table.count = 0;
}

bool fb_push(struct fb_arena *arena, uint32_t **stack, size_t *count, size_t *capacity, uint32_t value)
{
    uint32_t *grown = fb_arena_grow(arena, *stack, *count, capacity, sizeof *grown);
    if (grown == NULL)
        return false;
    *stack = grown;
    grown[(*count)++] = value;
    return true;
}

/* Its index; FB_NONE without memory.  `first` is where the run of its operands starts. */
static uint32_t add(struct lowering *l, struct fb_node node, uint32_t first)
{
    struct fb_tree *tree = l->tree;
    struct fb_node *nodes = fb_arena_grow(l->types->arena, tree->nodes, tree->count, &tree->capacity, sizeof *nodes);
    if (nodes == NULL)
        return FB_NONE;
    tree->nodes = nodes;
    node.first = first;
    nodes[tree->count] = node;
    return (uint32_t)tree->count++;
}

static uint32_t lower(struct lowering *l, const struct fb_expr *expr);

static uint32_t add_leaf(struct lowering *l, enum fb_node_kind kind, const struct fb_expr *expr)
{
    struct fb_node node = {.kind = (uint8_t)kind, .expr = expr, .entity = FB_NONE};
    if (kind == FB_N_VAR)
        l->tree->uses |= 1u << expr->var;
    if (kind == FB_N_UID) {
        const struct fb_ventity *entity = fb_ventity_find(l->types, fb_uid_type(expr->uid));
        node.action = fb_uid_is_action(expr->uid);
        bool known = entity != NULL && (!node.action || fb_schema_action(l->types->schema, expr->uid) != NULL);
        node.entity = known ? (uint32_t)(entity - l->types->entities) : FB_NONE;
    }
    return add(l, node, (uint32_t)l->tree->count);
}

static uint32_t add_one(struct lowering *l, enum fb_node_kind kind, const struct fb_expr *expr)
{
    uint32_t first = (uint32_t)l->tree->count;
    struct fb_node node = {.kind = (uint8_t)kind, .expr = expr, .a = lower(l, expr->left), .entity = FB_NONE};
    if (kind == FB_N_ATTR)
        node.hash = fb_hash(expr->text);
    if (kind == FB_N_HAS)
        node.hash = fb_hash(expr->names[0]);
    if (kind == FB_N_IS) {
        const struct fb_ventity *entity = fb_ventity_find(l->types, expr->text);
        node.entity = entity != NULL ? (uint32_t)(entity - l->types->entities) : FB_NONE;
        if (expr->right != NULL) {
            node.kind = FB_N_IS_IN;
            node.b = lower(l, expr->right);
        }
    }
    return add(l, node, first);
}

static uint32_t add_two(struct lowering *l, enum fb_node_kind kind, const struct fb_expr *expr)
{
    uint32_t first = (uint32_t)l->tree->count;
    struct fb_node node = {.kind = (uint8_t)kind, .expr = expr};
    node.a = lower(l, expr->left);
    node.b = lower(l, expr->right);
    if (kind == FB_N_IF)
        node.c = lower(l, expr->third);
    return add(l, node, first);
}

static uint32_t negated(struct lowering *l, uint32_t operand, const struct fb_expr *expr)
{
    if (operand == FB_NONE)
        return FB_NONE;
    return add(l, (struct fb_node){.kind = FB_N_NOT, .expr = expr, .a = operand}, l->tree->nodes[operand].first);
}

static uint32_t add_items(struct lowering *l, enum fb_node_kind kind, const struct fb_expr *expr)
{
    struct fb_tree *tree = l->tree;
    uint32_t first = (uint32_t)tree->count, mark = (uint32_t)tree->spine_count;
    for (uint32_t i = 0; i < expr->count; i++)
        if (!fb_push(l->types->arena, &tree->spine, &tree->spine_count, &tree->spine_capacity,
                     lower(l, expr->items[i])))
            return FB_NONE;
    struct fb_node node = {.kind = (uint8_t)kind, .expr = expr, .a = (uint32_t)tree->items_count, .b = expr->count};
    /* Operands have put theirs down by now, so these stand in one run. */
    for (size_t i = mark; i < tree->spine_count; i++)
        if (!fb_push(l->types->arena, &tree->items, &tree->items_count, &tree->items_capacity, tree->spine[i]))
            return FB_NONE;
    tree->spine_count = mark;
    return add(l, node, first);
}

static enum fb_node_kind chain_kind(const struct fb_expr *expr)
{
    return expr->kind == FB_E_AND ? FB_N_AND : expr->kind == FB_E_OR ? FB_N_OR : FB_N_ARITHMETIC;
}

static uint32_t joined_truth(uint8_t kind, const struct fb_node *a, const struct fb_node *b)
{
    uint32_t x = fb_literal_truth(a), y = fb_literal_truth(b);
    if (x == 0 || y == 0)
        return 0;
    return kind == FB_N_AND ? (x < y ? x : y) : (x > y ? x : y);
}

static uint32_t add_chain(struct lowering *l, const struct fb_expr *expr)
{
    uint32_t first = (uint32_t)l->tree->count, spine = expr->spine;
    const struct fb_expr **chain = fb_arena_array(l->types->arena, spine, sizeof(const struct fb_expr *));
    if (chain == NULL)
        return FB_NONE;
    for (uint32_t i = 0; i < spine; i++, expr = expr->left)
        chain[i] = expr;
    uint32_t left = lower(l, expr);
    while (spine-- > 0) {
        struct fb_node node = {.kind = (uint8_t)chain_kind(chain[spine]), .expr = chain[spine], .a = left};
        node.b = lower(l, chain[spine]->right);
        if (node.kind != FB_N_ARITHMETIC && node.a != FB_NONE && node.b != FB_NONE)
            node.c = joined_truth(node.kind, &l->tree->nodes[node.a], &l->tree->nodes[node.b]);
        left = add(l, node, first);
    }
    return left;
}

static uint32_t lower(struct lowering *l, const struct fb_expr *expr)
{
    switch (expr->kind) {
    case FB_E_BOOL: return add_leaf(l, FB_N_BOOL, expr);
    case FB_E_LONG: return add_leaf(l, FB_N_LONG, expr);
    case FB_E_STRING: return add_leaf(l, FB_N_STRING, expr);
    case FB_E_UID: return add_leaf(l, FB_N_UID, expr);
    case FB_E_VAR: return add_leaf(l, FB_N_VAR, expr);
    case FB_E_NOT: return add_one(l, FB_N_NOT, expr);
    case FB_E_NEG: return add_one(l, FB_N_NEG, expr);
    case FB_E_IS_EMPTY: return add_one(l, FB_N_IS_EMPTY, expr);
    case FB_E_ATTR: return add_one(l, FB_N_ATTR, expr);
    case FB_E_HAS: return add_one(l, FB_N_HAS, expr);
    case FB_E_LIKE: return add_one(l, FB_N_LIKE, expr);
    case FB_E_IS: return add_one(l, FB_N_IS, expr);
    case FB_E_AND:
    case FB_E_OR:
    case FB_E_ADD:
    case FB_E_SUB:
    case FB_E_MUL: return add_chain(l, expr);
    case FB_E_EQ: return add_two(l, FB_N_EQ, expr);
    case FB_E_NE: return negated(l, add_two(l, FB_N_EQ, expr), expr);
    case FB_E_LT:
    case FB_E_LE: return add_two(l, FB_N_LESS, expr);
    case FB_E_GT:
    case FB_E_GE: return negated(l, add_two(l, FB_N_LESS, expr), expr);
    case FB_E_IN: return add_two(l, FB_N_IN, expr);
    case FB_E_CONTAINS: return add_two(l, FB_N_CONTAINS, expr);
    case FB_E_CONTAINS_ALL:
    case FB_E_CONTAINS_ANY: return add_two(l, FB_N_CONTAINS_ALL_ANY, expr);
    case FB_E_GET_TAG: return add_two(l, FB_N_GET_TAG, expr);
    case FB_E_HAS_TAG: return add_two(l, FB_N_HAS_TAG, expr);
    case FB_E_IF: return add_two(l, FB_N_IF, expr);
    case FB_E_SET: return add_items(l, FB_N_SET, expr);
    case FB_E_RECORD: return add_items(l, FB_N_RECORD, expr);
    case FB_E_CALL: return add_items(l, FB_N_CALL, expr);
    }
    return FB_NONE;
}

bool fb_tree_add(struct fb_tree *tree, struct fb_vtypes *types, const struct fb_condition *condition)
{
    struct lowering l = {tree, types};
    uint32_t root = lower(&l, condition->body);
    if (condition->unless)
        root = negated(&l, root, condition->body);
    return fb_push(types->arena, &tree->conditions, &tree->conditions_count, &tree->conditions_capacity, root)
           && !types->arena->failed;
}
