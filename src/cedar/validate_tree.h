/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_VALIDATE_TREE_H
#define FB_CEDAR_VALIDATE_TREE_H

#include "cedar/validate_types.h"

/* A policy's conditions as the typechecker walks them, once for each request environment: sugar
 * removed (`a > b` is !(a <= b)), names hashed, literals looked up in the schema, all in one array.
 *
 * Operands stand before their operator, so a subtree is a run of the array that ends in its root. */
enum fb_node_kind {
    /* leaves */
    FB_N_BOOL, FB_N_LONG, FB_N_STRING, FB_N_UID, FB_N_VAR,
    /* a */
    FB_N_NOT, FB_N_NEG, FB_N_IS_EMPTY,
    FB_N_ATTR, FB_N_HAS, FB_N_LIKE, FB_N_IS,
    /* a, b */
    FB_N_AND, FB_N_OR, FB_N_EQ, FB_N_LESS, FB_N_ARITHMETIC, FB_N_IN, FB_N_IS_IN,
    FB_N_CONTAINS, FB_N_CONTAINS_ALL_ANY, FB_N_GET_TAG, FB_N_HAS_TAG,
    /* a, b, c */
    FB_N_IF,
    /* items[a … a+b-1] */
    FB_N_SET, FB_N_RECORD, FB_N_CALL
};

#define FB_NONE UINT32_MAX

struct fb_node {
    uint8_t kind;                       /* enum fb_node_kind */
    bool action;                        /* UID: `Action` or `NS::Action` */
    uint32_t a, b, c;                   /* AND, OR: c is what fb_literal_truth() says */
    uint32_t first;                     /* of the subtree's run */
    uint32_t shape;                     /* 0: not asked yet; see validate_shape.c */
    uint32_t entity;                    /* UID, IS: index of the entity type; FB_NONE: unknown */
    uint64_t hash;                      /* ATTR: of the name.  HAS: of its first name */
    const struct fb_expr *expr;         /* where it stands, and its texts */
    const struct fb_vtype *type;        /* level checking: as found in the environment `stamp` */
    uint32_t stamp;
};

/* 0, or 1 + the value of a bool that is a literal.  `&&` and `||` of two literals count as one, since the official
 * parser makes them one; and then the validator compares them as it does literals. */
static inline uint32_t fb_literal_truth(const struct fb_node *node)
{
    if (node->kind == FB_N_BOOL)
        return node->expr->number != 0 ? 2 : 1;
    return node->kind == FB_N_AND || node->kind == FB_N_OR ? node->c : 0;
}

/* What a tree mentions of the request: decides which environments look alike to it. */
enum { FB_USES_PRINCIPAL = 1, FB_USES_ACTION = 2, FB_USES_RESOURCE = 4, FB_USES_CONTEXT = 8 };

struct fb_tree {
    struct fb_node *nodes;
    size_t count, capacity;
    uint32_t *items;
    size_t items_count, items_capacity;
    uint32_t *conditions;               /* roots; `unless` has its NOT */
    size_t conditions_count, conditions_capacity;
    uint32_t *spine;                    /* scratch of whoever walks chains */
    size_t spine_count, spine_capacity;
    unsigned uses;

    /* Equal subtrees have equal shapes: small numbers from 1. */
    struct fb_shape *shapes;
    size_t shapes_count, shapes_capacity;
    struct fb_vtable shapes_table;
};

static inline bool fb_node_is_chain(const struct fb_node *node)
{
    return node->kind == FB_N_AND || node->kind == FB_N_OR || node->kind == FB_N_ARITHMETIC;
}

/* Of a type of actions: `Action` or `NS::Action`. */
static inline bool fb_uid_is_action(const struct fb_uid *uid)
{
    struct fb_span type = fb_uid_type(uid), base = FB_SPAN("Action");
    struct fb_span end = fb_span_from(type, type.len >= base.len ? type.len - base.len : 0);
    return fb_span_eq(end, base) && (type.len == base.len || type.ptr[type.len - base.len - 1] == ':');
}

/* Forgets the last policy. */
void fb_tree_clear(struct fb_tree *tree);
/* Appends a condition; false without memory. */
bool fb_tree_add(struct fb_tree *tree, struct fb_vtypes *types, const struct fb_condition *condition);

/* The shape of a node; of `base.name` (which `base has name` is about); of `base.getTag(key)`.
 * 0 without memory. */
uint32_t fb_shape_of(struct fb_tree *tree, struct fb_arena *arena, uint32_t node);
uint32_t fb_shape_attr(struct fb_tree *tree, struct fb_arena *arena, uint32_t base, struct fb_span name);
uint32_t fb_shape_tag(struct fb_tree *tree, struct fb_arena *arena, uint32_t base, uint32_t key);

/* One more on a stack that the arena holds; false without memory. */
bool fb_push(struct fb_arena *arena, uint32_t **stack, size_t *count, size_t *capacity, uint32_t value);

#endif
