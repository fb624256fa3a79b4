/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions in their clear cases: what most policies ask of most requests (a comparison, a membership, a flag),
 * without the frames and the copies that Cedar's every case takes.  What is not clear (an attribute that is absent,
 * operands of other kinds, ancestors that are open) is answered -1, and the caller asks fb_eval(), which starts
 * from the beginning; so nothing here may have an effect, and what is answered must be what fb_eval() gives. */

#include "engine/eval.h"

static inline bool operand(struct fb_eval *e, uint32_t index, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    if (node->op == FB_OP_VAR) {
        *out = node->arg == FB_CONTEXT ? e->request->context : fb_value_entity(e->seen[node->arg].uid);
        return true;
    }
    if (node->op == FB_OP_CONST) {
        *out = node->value;
        return true;
    }
    const struct fb_cell *cell = node->op == FB_OP_ATTR && node->right != FB_PATH_NONE ? fb_path_cell(e, node->right) : NULL;
    if (cell == NULL)
        return false;
    *out = fb_cell_load(cell);
    return true;
}

/* Membership of the request's own entities, whose ancestors are mostly all there. */
static int is_in(struct fb_eval *e, const struct fb_uid *uid, const struct fb_uid *group)
{
    if (fb_uid_eq(uid, group))
        return 1;
    const struct fb_seen *seen = e->seen;
    int i = uid == seen[0].uid ? 0 : uid == seen[2].uid ? 2 : -1;
    if (i < 0)
        return -1;
    const struct fb_entity *entity = fb_find_own(e, (uint32_t)i);
    if (entity == NULL)
        return e->cannot ? -1 : 0;
    if (entity->closed)
        return fb_refs_contain(entity->ancestors, group);
    enum fb_found found = fb_in(e, uid, group);
    return found == FB_BROKEN ? -1 : found == FB_FOUND;
}

/* Numbers of one kind that has an order; the commonest two. */
static int compares(uint8_t op, struct fb_value a, struct fb_value b)
{
    if (a.kind != b.kind || (a.kind != FB_LONG && a.kind != FB_DATETIME))
        return -1;
    return op == FB_OP_LT ? a.number < b.number : op == FB_OP_LE ? a.number <= b.number
           : op == FB_OP_GT ? a.number > b.number : a.number >= b.number;
}

static int quick_binary(struct fb_eval *e, const struct fb_node *node)
{
    struct fb_value a, b;
    if (!operand(e, node->left, &a) || !operand(e, node->right, &b))
        return -1;
    switch ((unsigned)node->op) {
    case FB_OP_EQ: case FB_OP_NE:
        return (a.kind == FB_ENTITY && b.kind == FB_ENTITY ? fb_uid_eq(a.uid, b.uid) : fb_value_eq(a, b))
               == (node->op == FB_OP_EQ);
    case FB_OP_IN:
        return a.kind == FB_ENTITY && b.kind == FB_ENTITY ? is_in(e, a.uid, b.uid) : -1;
    case FB_OP_CONTAINS:
        return a.kind == FB_SET ? fb_set_contains(a, b) : -1;
    default:
        return compares(node->op, a, b);
    }
}

static int quick_unary(struct fb_eval *e, const struct fb_node *node)
{
    struct fb_value a;
    if (!operand(e, node->left, &a))
        return -1;
    if (node->op == FB_OP_IS)
        return a.kind == FB_ENTITY ? fb_leaf_is(node, a.uid) : -1;
    const struct fb_record *fields = a.kind == FB_RECORD ? a.record : a.kind == FB_ENTITY ? fb_attrs(e, a.uid) : NULL;
    return fields != NULL ? fb_record_find(fields, node->symbol, fb_node_name(node)) != NULL : -1;
}

/* Kept apart, so that what is common needs no frame of a recursion.  Whose depth is bounded as fb_eval()'s. */
static __attribute__((noinline)) int quick_logic(struct fb_eval *e, const struct fb_node *node)
{
    int decides = node->op == FB_OP_OR, result = !decides;
    for (uint32_t i = 0; i < node->third && result == !decides; i++)
        result = fb_quick(e, e->code->lists[node->right + i]);
    return result;
}

static __attribute__((noinline)) int quick_not(struct fb_eval *e, const struct fb_node *node)
{
    int result = fb_quick(e, node->left);
    return result < 0 ? -1 : !result;
}

static inline int quick_flag(struct fb_eval *e, const struct fb_node *node)
{
    const struct fb_cell *cell = node->right != FB_PATH_NONE ? fb_path_cell(e, node->right) : NULL;
    return cell != NULL && cell->kind == FB_BOOL ? cell->bits != 0 : -1;
}

int fb_quick(struct fb_eval *e, uint32_t index)
{
    const struct fb_node *node = &e->code->nodes[index];
    switch ((unsigned)node->op) {
    case FB_OP_ATTR:
        return quick_flag(e, node);
    case FB_OP_CONST:
        return node->value.kind == FB_BOOL ? node->value.number != 0 : -1;
    case FB_OP_EQ: case FB_OP_NE: case FB_OP_IN: case FB_OP_CONTAINS:
    case FB_OP_LT: case FB_OP_LE: case FB_OP_GT: case FB_OP_GE:
        return quick_binary(e, node);
    case FB_OP_HAS: case FB_OP_IS:
        return quick_unary(e, node);
    case FB_OP_NOT:
        return quick_not(e, node);
    case FB_OP_AND: case FB_OP_OR:
        return quick_logic(e, node);
    default:
        return -1;
    }
}
