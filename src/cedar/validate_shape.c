/* SPDX-License-Identifier: Apache-2.0 */

/* Shapes: equal expressions have equal numbers, wherever they stand.
 *
 * `principal has f && principal.f` is safe because both sides speak of one expression; which ones are
 * the same is asked by shape.  Only what stands before `has`, `.`, `hasTag` and `getTag` is ever
 * asked for. */

#include "cedar/validate_tree.h"

#include <stdlib.h>

struct fb_shape {
    uint8_t kind;
    uint8_t detail;                     /* operator, variable, function, … within the kind */
    uint32_t a, b, c;                   /* shapes; of SET, RECORD, CALL: the first item, how many */
    struct fb_span text;
    int64_t number;
    const struct fb_uid *uid;
    const struct fb_expr *expr;         /* whose names or pattern count, else NULL */
    const uint32_t *items;
    const struct fb_span *names;        /* RECORD: of the items, ascending */
};

struct wanted {
    const struct fb_tree *tree;
    const struct fb_shape *shape;
};

static uint64_t hash_shape(const struct fb_shape *shape)
{
    uint64_t hash = fb_hash_join((uint64_t)shape->kind << 8 | shape->detail, (uint64_t)shape->number);
    hash = fb_hash_join(hash, (uint64_t)shape->a << 32 | shape->b);
    hash = fb_hash_join(hash, shape->uid != NULL ? shape->uid->hash : shape->c);
    for (uint32_t i = 0; shape->items != NULL && i < shape->b; i++)
        hash = fb_hash_join(hash, shape->items[i]);
    return shape->text.len != 0 ? fb_hash_join(hash, fb_hash(shape->text)) : hash;
}

static uint64_t hash_of(const void *context, uint32_t index)
{
    return hash_shape(&((const struct wanted *)context)->tree->shapes[index]);
}

static bool same_pattern(const struct fb_pattern *a, const struct fb_pattern *b)
{
    if (a->wildcards != b->wildcards)
        return false;
    for (uint32_t i = 0; i <= a->wildcards; i++)
        if (!fb_span_eq(a->literals[i], b->literals[i]))
            return false;
    return true;
}

static bool same_names(const struct fb_span *a, const struct fb_span *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!fb_span_eq(a[i], b[i]))
            return false;
    return true;
}

static bool same_details(const struct fb_shape *x, const struct fb_shape *y)
{
    if (x->kind == FB_N_LIKE)
        return same_pattern(x->expr->pattern, y->expr->pattern);
    if (x->kind == FB_N_HAS)
        return x->expr->count == y->expr->count && same_names(x->expr->names, y->expr->names, x->expr->count);
    if (x->items != NULL && memcmp(x->items, y->items, x->b * sizeof *x->items) != 0)
        return false;
    return x->names == NULL || same_names(x->names, y->names, x->b);
}

static bool same(const void *context, uint32_t index)
{
    const struct wanted *wanted = context;
    const struct fb_shape *x = wanted->shape, *y = &wanted->tree->shapes[index];
    return x->kind == y->kind && x->detail == y->detail && x->a == y->a && x->b == y->b && x->c == y->c
           && x->number == y->number && fb_span_eq(x->text, y->text)
           && (x->uid == y->uid || (x->uid != NULL && y->uid != NULL && fb_uid_eq(x->uid, y->uid)))
           && same_details(x, y);
}

static uint32_t number_of(struct fb_tree *tree, struct fb_arena *arena, const struct fb_shape *shape)
{
    const struct wanted wanted = {tree, shape};
    uint32_t *slot = fb_vtable_slot(&tree->shapes_table, arena, hash_shape(shape), same, &wanted, hash_of);
    if (slot == NULL)
        return 0;
    if (*slot != 0)
        return *slot;
    struct fb_shape *shapes = fb_arena_grow(arena, tree->shapes, tree->shapes_count, &tree->shapes_capacity,
                                            sizeof *shapes);
    if (shapes == NULL)
        return 0;
    tree->shapes = shapes;
    shapes[tree->shapes_count++] = *shape;
    tree->shapes_table.count++;
    return *slot = (uint32_t)tree->shapes_count;
}

/* --- of nodes --- */

struct named {
    struct fb_span name;
    uint32_t shape;
};

static int by_name(const void *a, const void *b)
{
    return fb_span_cmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* The items' shapes as they stand; of a record in the order of the names, which is not part of it. */
static bool gather(struct fb_tree *tree, struct fb_arena *arena, const struct fb_node *node, struct fb_shape *shape)
{
    uint32_t *items = fb_arena_array(arena, node->b, sizeof *items);
    struct named *sorted = fb_arena_array(arena, node->b, sizeof *sorted);
    struct fb_span *names = fb_arena_array(arena, node->b, sizeof *names);
    if (items == NULL || sorted == NULL || names == NULL)
        return false;
    bool record = node->kind == FB_N_RECORD;
    for (uint32_t i = 0; i < node->b; i++)
        sorted[i] = (struct named){record ? node->expr->names[i] : FB_SPAN(""),
                                   tree->nodes[tree->items[node->a + i]].shape};
    if (record && node->b > 1)
        qsort(sorted, node->b, sizeof *sorted, by_name);
    for (uint32_t i = 0; i < node->b; i++) {
        items[i] = sorted[i].shape;
        names[i] = sorted[i].name;
    }
    shape->a = 0;
    shape->items = items;
    shape->names = record ? names : NULL;
    return true;
}

static void describe_leaf(const struct fb_node *node, struct fb_shape *shape)
{
    const struct fb_expr *expr = node->expr;
    if (node->kind == FB_N_BOOL || node->kind == FB_N_LONG)
        shape->number = expr->number;
    else if (node->kind == FB_N_STRING)
        shape->text = expr->text;
    else if (node->kind == FB_N_UID)
        shape->uid = expr->uid;
    else
        shape->detail = (uint8_t)expr->var;
}

/* `a <= b` and `a > b` differ by a NOT above, so only strictness counts. */
static uint8_t operator_of(const struct fb_node *node)
{
    enum fb_expr_kind kind = node->expr->kind;
    if (node->kind == FB_N_LESS)
        return kind == FB_E_LT || kind == FB_E_GE;
    bool matters = node->kind == FB_N_ARITHMETIC || node->kind == FB_N_CONTAINS_ALL_ANY;
    return matters ? (uint8_t)kind : 0;
}

/* Those of the operands are known. */
static uint32_t describe(struct fb_tree *tree, struct fb_arena *arena, const struct fb_node *node)
{
    const struct fb_node *nodes = tree->nodes;
    struct fb_shape shape = {.kind = node->kind, .expr = node->expr};
    if (node->kind <= FB_N_VAR) {
        describe_leaf(node, &shape);
        return number_of(tree, arena, &shape);
    }
    if (node->kind >= FB_N_SET) {
        shape.b = node->b;
        shape.detail = node->kind == FB_N_CALL ? (uint8_t)node->expr->function : 0;
        return gather(tree, arena, node, &shape) ? number_of(tree, arena, &shape) : 0;
    }
    shape.a = nodes[node->a].shape;
    shape.detail = operator_of(node);
    shape.text = node->kind == FB_N_ATTR || node->kind == FB_N_IS || node->kind == FB_N_IS_IN ? node->expr->text
                                                                                              : FB_SPAN("");
    if (node->kind >= FB_N_AND)
        shape.b = nodes[node->b].shape;
    if (node->kind == FB_N_IF)
        shape.c = nodes[node->c].shape;
    return number_of(tree, arena, &shape);
}

uint32_t fb_shape_of(struct fb_tree *tree, struct fb_arena *arena, uint32_t index)
{
    struct fb_node *node = &tree->nodes[index];
    if (node->shape != 0)
        return node->shape;
    /* A path is asked for from its start on; only the first time the whole run is gone through. */
    bool ready = node->kind == FB_N_ATTR && tree->nodes[node->a].shape != 0;
    for (uint32_t i = ready ? index : node->first; i <= index; i++)
        if (tree->nodes[i].shape == 0 && (tree->nodes[i].shape = describe(tree, arena, &tree->nodes[i])) == 0)
            return 0;
    return node->shape;
}

uint32_t fb_shape_attr(struct fb_tree *tree, struct fb_arena *arena, uint32_t base, struct fb_span name)
{
    return base == 0 ? 0 : number_of(tree, arena, &(struct fb_shape){.kind = FB_N_ATTR, .a = base, .text = name});
}

uint32_t fb_shape_tag(struct fb_tree *tree, struct fb_arena *arena, uint32_t base, uint32_t key)
{
    if (base == 0 || key == 0)
        return 0;
    return number_of(tree, arena, &(struct fb_shape){.kind = FB_N_GET_TAG, .a = base, .b = key});
}
