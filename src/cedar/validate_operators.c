/* SPDX-License-Identifier: Apache-2.0 */

/* The typechecker: equality, order, membership, attributes and tags. */

#include "cedar/validate_check.h"

bool fb_incompatible(struct fb_checker *c, struct fb_range range, const struct fb_vtype *a, const struct fb_vtype *b,
                     const char *where)
{
    if (!fb_report_new(c, "validate.incompatible_types", range))
        return false;
    struct fb_span x = fb_report_type(c, a), y = fb_report_type(c, b);
    struct fb_diag *diag = fb_report(c, FB_ERROR, "validate.incompatible_types", range,
                                     "%s must have one type, and these are %.*s and %.*s", where, (int)x.len, x.ptr,
                                     (int)y.len, y.ptr);
    if (a->kind == FB_V_RECORD && b->kind == FB_V_RECORD)
        diag->hint = FB_SPAN("records must have the same attributes, each required in both or optional in both");
    else if (a->kind == FB_V_ENTITY && b->kind == FB_V_ENTITY)
        diag->hint = FB_SPAN("ask for each entity type in a comparison of its own, joined by `||`");
    return false;
}

/* --- == --- */

static bool is_action_var(const struct fb_node *node)
{
    return node->kind == FB_N_VAR && node->expr->var == FB_ACTION;
}

/* A literal, or the action of the environment. */
static bool is_literal(const struct fb_node *node)
{
    return node->kind <= FB_N_UID || is_action_var(node) || fb_literal_truth(node) != 0;
}

static const struct fb_uid *uid_of(const struct fb_checker *c, const struct fb_node *node)
{
    if (is_action_var(node))
        return c->action->uid;
    return node->kind == FB_N_UID ? node->expr->uid : NULL;
}

static bool same_literal(const struct fb_checker *c, const struct fb_node *a, const struct fb_node *b)
{
    const struct fb_uid *x = uid_of(c, a), *y = uid_of(c, b);
    if (x != NULL || y != NULL)
        return x != NULL && y != NULL && fb_uid_eq(x, y);
    if (fb_literal_truth(a) != 0 || fb_literal_truth(b) != 0)
        return fb_literal_truth(a) == fb_literal_truth(b);
    if (a->kind != b->kind)
        return false;
    return a->kind == FB_N_STRING ? fb_span_eq(a->expr->text, b->expr->text) : a->expr->number == b->expr->number;
}

static bool disjoint(const struct fb_vtype *a, const struct fb_vtype *b)
{
    if (a == NULL || b == NULL || a->kind != FB_V_ENTITY || b->kind != FB_V_ENTITY)
        return false;
    for (uint32_t i = 0, j = 0; i < a->count && j < b->count;) {
        if (a->entities[i] == b->entities[j])
            return false;
        if (a->entities[i] < b->entities[j])
            i++;
        else
            j++;
    }
    return true;
}

/* Strict mode compares only what may be equal. */
static struct fb_answer comparable(struct fb_checker *c, const struct fb_node *node, const struct fb_vtype *a,
                                   const struct fb_vtype *b, const char *where)
{
    const struct fb_vtype *truth = fb_plain(c, FB_V_BOOL);
    if (!c->strict || a == NULL || b == NULL || fb_vtype_join(&c->types, a, b) != NULL)
        return fb_answer(truth);
    fb_incompatible(c, node->expr->range, a, b, where);
    return fb_failed(truth);
}

struct fb_answer fb_check_equal(struct fb_checker *c, const struct fb_node *node)
{
    struct fb_answer left = fb_check(c, node->a), right = fb_check(c, node->b), answer;
    const struct fb_node *a = &c->tree.nodes[node->a], *b = &c->tree.nodes[node->b];
    if (disjoint(left.type, right.type))
        answer = fb_answer(fb_truth(c, false));
    else if (is_literal(a) && is_literal(b))
        answer = fb_answer(fb_truth(c, same_literal(c, a, b)));
    else
        answer = comparable(c, node, left.type, right.type, "the two sides of a comparison");
    return fb_after(left, fb_after(right, answer));
}

/* --- < <= --- */

static bool has_order(const struct fb_vtype *type)
{
    return type->kind == FB_V_LONG || type->kind == FB_V_DATETIME || type->kind == FB_V_DURATION;
}

static void report_order(struct fb_checker *c, uint32_t node, struct fb_answer found, const struct fb_vtype *other)
{
    const char *expected = "a Long, a datetime or a duration";
    if (other != NULL)
        expected = other->kind == FB_V_LONG ? "a Long" : other->kind == FB_V_DATETIME ? "a datetime" : "a duration";
    const char *hint = NULL;
    if (found.type->kind == FB_V_DECIMAL)
        hint = "decimals are compared by `.lessThan(…)`, `.greaterThan(…)` and the like";
    else if (found.type->kind == FB_V_STRING)
        hint = "strings have no order in Cedar; dates are written `datetime(\"2024-12-31\")`";
    fb_wrong_type(c, found, node, expected, hint);
}

struct fb_answer fb_check_less(struct fb_checker *c, const struct fb_node *node)
{
    struct fb_answer left = fb_check(c, node->a), right = fb_check(c, node->b);
    struct fb_answer answer = {.type = fb_plain(c, FB_V_BOOL), .failed = true};
    if (left.type == NULL || right.type == NULL)
        return answer;
    bool never_left = left.type->kind == FB_V_NEVER, never_right = right.type->kind == FB_V_NEVER;
    if (never_left && never_right)
        return answer;
    bool good = (left.type == right.type && has_order(left.type)) || (never_left && has_order(right.type))
                || (never_right && has_order(left.type));
    answer.failed = !good || left.failed || right.failed;
    if (good)
        return answer;
    bool long_left = left.type->kind == FB_V_LONG, long_right = right.type->kind == FB_V_LONG;
    if (long_left || (has_order(left.type) && !long_right))
        report_order(c, node->b, right, left.type);
    else if (long_right || has_order(right.type))
        report_order(c, node->a, left, right.type);
    else {
        if (!never_left)
            report_order(c, node->a, left, NULL);
        if (!never_right)
            report_order(c, node->b, right, NULL);
    }
    return answer;
}

/* --- sets --- */

struct fb_answer fb_check_contains(struct fb_checker *c, const struct fb_node *node)
{
    struct fb_answer set = fb_check_kind(c, node->a, FB_V_SET), other, answer;
    if (node->kind == FB_N_CONTAINS) {
        other = fb_check(c, node->b);
        const struct fb_vtype *element = fb_is_kind(set, FB_V_SET) ? set.type->element : NULL;
        answer = comparable(c, node, element, other.type, "the elements of the set and what `contains` asks for");
    } else {
        other = fb_check(c, node->b);
        if (!fb_is_kind(other, FB_V_SET) && !fb_is_kind(other, FB_V_NEVER))
            other = fb_wrong_type(c, other, node->b, "a set", "for one element write `.contains(…)`");
        answer = comparable(c, node, set.type, other.type, "the two sets");
    }
    return fb_after(set, fb_after(other, answer));
}

/* --- in --- */

/* All groups above an action, found once. */
static const struct fb_map *groups_above(struct fb_checker *c, const struct fb_schema_action *action)
{
    struct fb_span own = fb_uid_bytes(action->uid);
    struct fb_map *above = fb_map_get(&c->groups, own);
    if (above != NULL)
        return above;
    const struct fb_schema_action **stack = NULL;
    size_t depth = 0, capacity = 0;
    above = fb_arena_alloc(c->arena, sizeof *above);
    if (above == NULL || !fb_map_put(&c->groups, own, above))
        return NULL;
    fb_map_init(above, c->arena);
    for (const struct fb_schema_action *at = action; at != NULL; at = depth > 0 ? stack[--depth] : NULL) {
        for (uint32_t i = 0; i < at->parents_count; i++) {
            struct fb_span key = fb_uid_bytes(at->parents[i]);
            const struct fb_schema_action *parent = fb_schema_action(c->schema, at->parents[i]);
            if (parent == NULL || fb_map_get(above, key) != NULL)
                continue;
            stack = fb_arena_grow(c->arena, stack, depth, &capacity, sizeof(const struct fb_schema_action *));
            if (stack == NULL || !fb_map_put(above, key, above))
                return NULL;
            stack[depth++] = parent;
        }
    }
    return above;
}

/* Most actions have at most one group: then nothing need be remembered. */
bool fb_action_in(struct fb_checker *c, const struct fb_schema_action *lower, const struct fb_uid *upper)
{
    while (lower != NULL && !fb_uid_eq(lower->uid, upper)) {
        if (lower->parents_count > 1) {
            const struct fb_map *above = groups_above(c, lower);
            return above != NULL && fb_map_get(above, fb_uid_bytes(upper)) != NULL;
        }
        lower = lower->parents_count == 1 ? fb_schema_action(c->schema, lower->parents[0]) : NULL;
    }
    return lower != NULL;
}

/* Whether something of the type `a` may be in something of the type `b`. */
static bool may_be_in(struct fb_checker *c, const struct fb_vtype *a, const struct fb_vtype *b)
{
    if (b->kind == FB_V_SET)
        b = b->element;
    if (a->kind != FB_V_ENTITY || b->kind != FB_V_ENTITY)
        return true;
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t j = 0; j < b->count; j++)
            if (fb_ventity_below(&c->types, a->entities[i], b->entities[j]))
                return true;
    return false;
}

/* An action in literal entities: the schema knows it all. */
static struct fb_answer action_in_literals(struct fb_checker *c, const struct fb_uid *action, const uint32_t *nodes,
                                           uint32_t count)
{
    const struct fb_schema_action *lower = fb_schema_action(c->schema, action);
    bool in = false, known = true;
    for (uint32_t i = 0; i < count; i++) {
        const struct fb_uid *upper = uid_of(c, &c->tree.nodes[nodes[i]]);
        if (!fb_uid_is_action(upper))
            continue;
        known = known && fb_schema_action(c->schema, upper) != NULL;
        in = in || (lower != NULL && fb_action_in(c, lower, upper));
    }
    return known ? fb_answer(fb_truth(c, in)) : fb_failed(fb_plain(c, FB_V_BOOL));
}

/* If the right side of `in` is a literal, or a set of nothing else: them. */
static const uint32_t *literals_of(const struct fb_checker *c, const uint32_t *node, uint32_t *count)
{
    const struct fb_node *right = &c->tree.nodes[*node];
    bool set = right->kind == FB_N_SET;
    /* An empty set has no items to point to. */
    const uint32_t *list = set && right->b > 0 ? c->tree.items + right->a : node;
    *count = set ? right->b : 1;
    for (uint32_t i = 0; i < *count; i++)
        if (uid_of(c, &c->tree.nodes[list[i]]) == NULL)
            return NULL;
    return list;
}

static struct fb_answer check_group(struct fb_checker *c, uint32_t node)
{
    struct fb_answer group = fb_check(c, node);
    const struct fb_vtype *type = group.type;
    if (type != NULL && type->kind == FB_V_SET)
        type = type->element;
    if (type != NULL && (type->kind == FB_V_ENTITY || type->kind == FB_V_NEVER))
        return group;
    const char *hint = NULL;
    if (fb_is_kind(group, FB_V_SET))
        hint = "whether a set has an element is asked with `.contains(…)`";
    else if (fb_is_kind(group, FB_V_STRING))
        hint = "whether a string contains another is asked with `like`";
    return fb_wrong_type(c, group, node, "an entity or a set of entities", hint);
}

static struct fb_answer answer_in(struct fb_checker *c, const struct fb_node *node, struct fb_answer left,
                                  struct fb_answer right)
{
    if (left.failed || right.failed)
        return fb_failed(fb_plain(c, FB_V_BOOL));
    const struct fb_uid *uid = uid_of(c, &c->tree.nodes[node->a]);
    uint32_t count;
    const uint32_t *literals = literals_of(c, &node->b, &count);
    if (uid != NULL && fb_uid_is_action(uid) && literals != NULL)
        return action_in_literals(c, uid, literals, count);
    return fb_answer(may_be_in(c, left.type, right.type) ? fb_plain(c, FB_V_BOOL) : fb_truth(c, false));
}

struct fb_answer fb_check_in(struct fb_checker *c, const struct fb_node *node)
{
    struct fb_answer left = fb_check_entity(c, node->a), right = check_group(c, node->b);
    return answer_in(c, node, left, right);
}

/* --- is --- */

static struct fb_answer answer_is(const struct fb_checker *c, const struct fb_node *node, struct fb_answer operand)
{
    if (!fb_is_kind(operand, FB_V_ENTITY))
        return fb_failed(fb_plain(c, FB_V_BOOL));
    const struct fb_vtype *type = operand.type;
    bool among = false;
    for (uint32_t i = 0; i < type->count; i++)
        among = among || type->entities[i] == node->entity;
    if (among && type->count > 1)
        return fb_after(operand, fb_answer(fb_plain(c, FB_V_BOOL)));
    return fb_after(operand, fb_answer(fb_truth(c, among)));
}

/* `e is T in g` is `e is T && e in g`; e is checked once, so that nesting does not double the work. */
struct fb_answer fb_check_is(struct fb_checker *c, const struct fb_node *node)
{
    struct fb_answer left = fb_check_entity(c, node->a), is = answer_is(c, node, left);
    if (node->kind == FB_N_IS || fb_is_kind(is, FB_V_FALSE))
        return is;
    struct fb_answer in = answer_in(c, node, left, check_group(c, node->b));
    const struct fb_vtype *type = fb_plain(c, FB_V_BOOL);
    if (fb_is_kind(in, FB_V_FALSE) || fb_is_kind(is, FB_V_TRUE))
        type = in.type;
    else if (fb_is_kind(in, FB_V_TRUE))
        type = is.type;
    return fb_after(is, fb_after(in, fb_answer(type)));
}
