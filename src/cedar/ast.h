/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_AST_H
#define FB_CEDAR_AST_H

#include "entity/entity.h"

/* Cedar policies as trees, close to their text: sugar (`!=`, `>`, `unless`, `has a.b.c`, `is … in`)
 * is kept, so that formatter, JSON form and explanations speak the user's words; the compiler of
 * the engine removes it.  Nodes are made by the parser, live in its arena, and never change. */

enum fb_var { FB_PRINCIPAL, FB_ACTION, FB_RESOURCE, FB_CONTEXT };

enum fb_expr_kind {
    /* leaves */
    FB_E_BOOL, FB_E_LONG, FB_E_STRING, FB_E_UID, FB_E_VAR,
    /* one operand: left */
    FB_E_NOT, FB_E_NEG, FB_E_IS_EMPTY,
    /* two operands: left, right */
    FB_E_AND, FB_E_OR,
    FB_E_EQ, FB_E_NE, FB_E_LT, FB_E_LE, FB_E_GT, FB_E_GE, FB_E_IN,
    FB_E_ADD, FB_E_SUB, FB_E_MUL,
    FB_E_CONTAINS, FB_E_CONTAINS_ALL, FB_E_CONTAINS_ANY,
    FB_E_GET_TAG, FB_E_HAS_TAG,
    /* others */
    FB_E_IF,        /* condition = left, then = right, else = third */
    FB_E_ATTR,      /* left.name or left["name"] */
    FB_E_HAS,       /* left has names[0].names[1]… */
    FB_E_LIKE,      /* left like pattern */
    FB_E_IS,        /* left is name [in right]; right may be NULL */
    FB_E_SET,       /* items */
    FB_E_RECORD,    /* items with names */
    FB_E_CALL       /* function(items); of a method the receiver is items[0] */
};

/* Extension functions and methods: src/cedar/functions.def has the table. */
enum fb_function {
#define FB_FUNCTION(symbol, name, method, arity, result) FB_F_##symbol,
#include "cedar/functions.def"
#undef FB_FUNCTION
    FB_FUNCTIONS
};

struct fb_function_info {
    struct fb_span name;
    bool method;
    uint8_t arity;          /* receiver included */
};
extern const struct fb_function_info fb_functions[FB_FUNCTIONS];

/* A `like` pattern. */
struct fb_pattern {
    struct fb_span *literals;   /* wildcards + 1 of them, perhaps empty, with a `*` between each two */
    uint32_t wildcards;
};

/* How deep trees are.
 *
 * `a && b && c …` (and ||, +, -, *) nests to the left once an operand, and real policies have
 * thousands of operands.  So whoever walks a tree goes down the left side of such chains in a loop
 * and recurs elsewhere:
 *
 *      walk(e):  if fb_expr_is_chain(e)
 *                    nodes[e->spine] = e, e->left, e->left->left, … while they are chain nodes
 *                    walk(the last one's left)
 *                    for each node from the last to the first: walk(node->right)
 *
 * Then no recursion is deeper than FB_EXPR_HEIGHT, and no spine longer than FB_EXPR_SPINE: both are
 * limits of every reader, and `height` and `spine` of each node say what it has. */
#define FB_EXPR_HEIGHT 1000u
#define FB_EXPR_SPINE 20000u

struct fb_expr {
    enum fb_expr_kind kind;
    enum fb_var var;                    /* VAR */
    enum fb_function function;          /* CALL */
    bool parenthesised;                 /* stood in parentheses */
    bool indexed;                       /* ATTR written with [""], HAS with a string */
    uint16_t height;                    /* 1 for a leaf; see above */
    uint32_t spine;                     /* of a chain node: the chain nodes down its left side, itself included */
    struct fb_range range;              /* of the whole expression */
    struct fb_range mark;               /* of what an error is about: operator, name, … */
    union {
        int64_t number;                 /* BOOL, LONG */
        struct fb_span text;            /* STRING: its value.  ATTR, IS: the name */
        const struct fb_uid *uid;       /* UID */
        const struct fb_pattern *pattern;
        struct fb_span *names;          /* HAS, RECORD: `count` of them */
    };
    uint32_t count;                     /* of names or items */
    const struct fb_expr *left, *right, *third;
    const struct fb_expr **items;       /* SET, RECORD, CALL */
};

static inline bool fb_expr_is_chain(const struct fb_expr *expr)
{
    return expr->kind == FB_E_AND || expr->kind == FB_E_OR || expr->kind == FB_E_ADD || expr->kind == FB_E_SUB
           || expr->kind == FB_E_MUL;
}

/* Sets height and spine from the children's.  False beyond the limits.  Every maker of nodes calls it. */
bool fb_expr_measure(struct fb_expr *expr);
/* Equal trees, wherever they were written: ranges, parentheses and quotes aside. */
bool fb_expr_eq(const struct fb_expr *a, const struct fb_expr *b);
/* Which variables it reads: 1 << enum fb_var each. */
unsigned fb_expr_variables(const struct fb_expr *expr);

struct fb_annotation {
    struct fb_span key, value;          /* without a value: empty */
    bool has_value;
    struct fb_range key_range, value_range;
};

enum fb_scope_op {
    FB_SCOPE_ANY, FB_SCOPE_EQ, FB_SCOPE_IN, FB_SCOPE_IS, FB_SCOPE_IS_IN,
    FB_SCOPE_IN_LIST            /* action in [ … ] */
};

struct fb_scope {
    enum fb_scope_op op;
    bool slot;                          /* the entity is ?principal or ?resource */
    const struct fb_uid *uid;           /* EQ, IN, IS_IN without a slot */
    struct fb_span type;                /* IS, IS_IN */
    const struct fb_uid **list;         /* IN_LIST */
    uint32_t count;
    struct fb_range range;              /* of the whole element, `principal …` */
};

struct fb_condition {
    bool unless;
    const struct fb_expr *body;
    struct fb_range range;              /* `when { … }` */
};

enum fb_effect { FB_PERMIT, FB_FORBID };

/* A static policy or a template (one with a slot). */
struct fb_policy {
    enum fb_effect effect;
    struct fb_span id;                  /* "policy0", …; or what a caller renamed it to */
    uint32_t position;                  /* counted over the whole set, templates included */
    const struct fb_annotation *annotations;
    uint32_t annotations_count;
    struct fb_scope principal, action, resource;
    const struct fb_condition *conditions;
    uint32_t conditions_count;
    bool is_template;
    const struct fb_source *source;
    struct fb_range range, effect_range;
};

/* The same policy, its annotations included; ids, places and sources aside. */
bool fb_policy_eq(const struct fb_policy *a, const struct fb_policy *b);
/* The annotation of that key, or NULL. */
const struct fb_annotation *fb_policy_annotation(const struct fb_policy *policy, const char *key);

/* A template link: values for exactly the template's slots. */
struct fb_link {
    struct fb_span id;
    const struct fb_policy *template_;
    const struct fb_uid *principal, *resource;  /* NULL where the template has no such slot */
};

/* Static policies, templates and links.  In source order; positions run through all sources.
 * Spans point into the sources, which must outlive the set. */
struct fb_policy_set {
    struct fb_arena *arena;
    uint32_t positions;                 /* policies met so far, those with faults included */
    struct fb_map policies_by_id, links_by_id;
    const struct fb_policy **policies;  /* static policies and templates */
    size_t count, capacity;
    const struct fb_link **links;
    size_t links_count, links_capacity;
};

#endif
