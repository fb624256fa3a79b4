/* SPDX-License-Identifier: Apache-2.0 */

/* Levels (RFC 76): over how many entities a policy reaches from principal, action, resource and
 * context.  `principal.manager.name` takes two steps; a service that loads only what is one step away
 * must refuse it.  What the typechecker has skipped (the right of `false && …`) does not count: those
 * nodes have no type of this environment.  Runs on policies without errors only. */

#include "cedar/validate_check.h"

/* The attributes that lead to an entity through records, innermost first: of a record literal only
 * that branch is followed. */
struct path {
    struct fb_span name;
    const struct path *up;
};

static const struct fb_node *seen(const struct fb_checker *c, uint32_t index)
{
    const struct fb_node *node = &c->tree.nodes[index];
    return node->stamp == c->stamp && node->type != NULL ? node : NULL;
}

static void check_expr(struct fb_checker *c, uint32_t index);
static uint32_t level_of(struct fb_checker *c, uint32_t index, const struct path *path);

static void report_literal(struct fb_checker *c, const struct fb_expr *expr)
{
    if (fb_report_new(c, "validate.level", expr->range))
        fb_report(c, FB_ERROR, "validate.level", expr->range,
                  "a literal entity is dereferenced, which no level allows")
            ->hint = FB_SPAN("start from principal, action, resource or context");
}

static void report_level(struct fb_checker *c, const struct fb_expr *expr, uint32_t level)
{
    if (fb_report_new(c, "validate.level", expr->range))
        fb_report(c, FB_ERROR, "validate.level", expr->range,
                  "this needs entities of level %u, and the maximum is %u", level, c->options.level)
            ->hint = FB_SPAN("put what is needed into an attribute nearer to the request");
}

static void check_target(struct fb_checker *c, const struct fb_node *node, uint32_t level)
{
    if (level >= c->options.level)
        report_level(c, node->expr, level + 1);
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t level_of_record(struct fb_checker *c, const struct fb_node *node, const struct path *path)
{
    uint32_t level = 0;
    for (uint32_t i = 0; i < node->b; i++) {
        uint32_t item = c->tree.items[node->a + i];
        if (path != NULL && fb_span_eq(node->expr->names[i], path->name))
            level = level_of(c, item, path->up);
        else
            check_expr(c, item);
    }
    return level;
}

static uint32_t level_of_attr(struct fb_checker *c, const struct fb_node *node, const struct path *path)
{
    const struct fb_node *base = seen(c, node->a);
    if (base == NULL)
        return 0;
    if (base->type->kind == FB_V_ENTITY)
        return level_of(c, node->a, path) + 1;
    return level_of(c, node->a, &(struct path){.name = node->expr->text, .up = path});
}

/* The level of the entity that an expression gives, when it is about to be dereferenced. */
static uint32_t level_of(struct fb_checker *c, uint32_t index, const struct path *path)
{
    const struct fb_node *node = seen(c, index);
    if (node == NULL)
        return 0;
    if (node->kind == FB_N_UID && !fb_uid_eq(node->expr->uid, c->action->uid))
        report_literal(c, node->expr);
    if (node->kind == FB_N_IF) {
        check_expr(c, node->a);
        uint32_t yes = level_of(c, node->b, path);
        return larger(yes, level_of(c, node->c, path));
    }
    if (node->kind == FB_N_ATTR)
        return level_of_attr(c, node, path);
    if (node->kind == FB_N_RECORD)
        return level_of_record(c, node, path);
    if (node->kind == FB_N_GET_TAG) {
        uint32_t level = level_of(c, node->a, path);
        check_expr(c, node->b);
        return level + 1;
    }
    return 0;
}

/* --- has --- */

/* `e has a.b.c` asks e, e.a and e.a.b, each of which may be an entity. */
static void check_has(struct fb_checker *c, const struct fb_node *node)
{
    const struct fb_node *base = seen(c, node->a);
    if (base == NULL)
        return;
    const struct fb_expr *expr = node->expr;
    const struct fb_vtype *type = base->type;
    struct path links[FB_CEDAR_HAS], *path = NULL;
    bool reached = false;
    uint32_t level = 0;
    for (uint32_t i = 0; i < expr->count && type != NULL; i++) {
        if (type->kind == FB_V_ENTITY) {
            level = reached ? level + 1 : level_of(c, node->a, path);
            reached = true;
            check_target(c, node, level);
        } else if (!reached) {
            if (i == 0)
                check_expr(c, node->a);
            /* Taken from the record's innermost side. */
            links[i] = (struct path){.name = expr->names[i]};
            if (i > 0)
                links[i - 1].up = &links[i];
            path = links;
        }
        const struct fb_vtype *shape = fb_vtype_shape(&c->types, type);
        const struct fb_vfield *field = shape != NULL ? fb_vtype_field(shape, expr->names[i], fb_hash(expr->names[i]))
                                                      : NULL;
        type = field != NULL ? field->type : NULL;
    }
}

static void check_access(struct fb_checker *c, const struct fb_node *node)
{
    const struct fb_node *base = seen(c, node->a);
    if (base != NULL && base->type->kind == FB_V_ENTITY)
        check_target(c, node, level_of(c, node->a, NULL));
    else if (base != NULL)
        check_expr(c, node->a);
}

/* --- the walk --- */

static void check_chain(struct fb_checker *c, uint32_t index)
{
    struct fb_tree *tree = &c->tree;
    while (fb_node_is_chain(&tree->nodes[index])) {
        uint32_t right = tree->nodes[index].b;
        if (seen(c, right) != NULL && seen(c, index) != NULL)
            check_expr(c, right);
        index = tree->nodes[index].a;
    }
    check_expr(c, index);
}

static void check_membership(struct fb_checker *c, const struct fb_node *node)
{
    if (node->kind == FB_N_IS_IN)
        check_expr(c, node->a);
    if (node->kind == FB_N_IS_IN && seen(c, node->b) == NULL)
        return;     /* `is` is false */
    check_target(c, node, level_of(c, node->a, NULL));
    check_expr(c, node->b);
}

static void check_items(struct fb_checker *c, const struct fb_node *node)
{
    for (uint32_t i = 0; i < node->b; i++)
        check_expr(c, c->tree.items[node->a + i]);
}

static void check_expr(struct fb_checker *c, uint32_t index)
{
    const struct fb_node *node = seen(c, index);
    if (node == NULL)
        return;
    switch ((enum fb_node_kind)node->kind) {
    case FB_N_BOOL:
    case FB_N_LONG:
    case FB_N_STRING:
    case FB_N_UID:
    case FB_N_VAR: break;
    case FB_N_NOT:
    case FB_N_NEG:
    case FB_N_IS_EMPTY:
    case FB_N_LIKE:
    case FB_N_IS: check_expr(c, node->a); break;
    case FB_N_ATTR: check_access(c, node); break;
    case FB_N_HAS: check_has(c, node); break;
    case FB_N_AND:
    case FB_N_OR:
    case FB_N_ARITHMETIC: check_chain(c, index); break;
    case FB_N_IN:
    case FB_N_IS_IN:
    case FB_N_GET_TAG:
    case FB_N_HAS_TAG: check_membership(c, node); break;
    case FB_N_EQ:
    case FB_N_LESS:
    case FB_N_CONTAINS:
    case FB_N_CONTAINS_ALL_ANY:
        check_expr(c, node->a);
        check_expr(c, node->b);
        break;
    case FB_N_IF:
        check_expr(c, node->a);
        check_expr(c, node->b);
        check_expr(c, node->c);
        break;
    case FB_N_SET:
    case FB_N_RECORD:
    case FB_N_CALL: check_items(c, node); break;
    }
}

/* --- a policy --- */

/* `principal in G::"g"` asks for the ancestors of the principal: one step. */
void fb_check_scope_level(struct fb_checker *c, const struct fb_scope *scope)
{
    bool asks = scope->op == FB_SCOPE_IN || scope->op == FB_SCOPE_IS_IN || scope->op == FB_SCOPE_IN_LIST;
    if (asks && c->options.level == 0 && fb_report_new(c, "validate.level", scope->range))
        fb_report(c, FB_ERROR, "validate.level", scope->range,
                  "`in` needs entities of level 1, and the maximum is 0");
}

void fb_check_levels(struct fb_checker *c, uint32_t conditions)
{
    for (uint32_t i = 0; i < conditions; i++)
        check_expr(c, c->tree.conditions[i]);
}
