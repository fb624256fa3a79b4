/* SPDX-License-Identifier: Apache-2.0 */

/* The typechecker: leaves, logic, and the walk over expressions.
 *
 * It goes on behind an error with what is still known: an && is a Bool whatever its operands are, an
 * attribute has its type though it may be missing.  An unknown type (NULL) is never reported again. */

#include "cedar/validate_check.h"

/* --- what an operand must be --- */

struct fb_answer fb_wrong_type(struct fb_checker *c, struct fb_answer answer, uint32_t node, const char *expected,
                               const char *hint)
{
    if (answer.type == NULL)
        return fb_failed(NULL);
    const struct fb_expr *expr = c->tree.nodes[node].expr;
    if (fb_report_new(c, "validate.type", expr->range)) {
        struct fb_span type = fb_report_type(c, answer.type);
        struct fb_diag *diag = fb_report(c, FB_ERROR, "validate.type", expr->range, "this is %s%.*s, where %s is needed",
                                         answer.type->kind == FB_V_RECORD ? "a record " : "", (int)type.len, type.ptr,
                                         expected);
        diag->hint = fb_span_z(hint);
    }
    return fb_failed(NULL);
}

static const char *article(enum fb_vkind kind)
{
    static const char *const words[] = {
        [FB_V_NEVER] = "nothing",     [FB_V_TRUE] = "a Bool",         [FB_V_FALSE] = "a Bool",
        [FB_V_BOOL] = "a Bool",       [FB_V_LONG] = "a Long",         [FB_V_STRING] = "a String",
        [FB_V_DECIMAL] = "a decimal", [FB_V_DATETIME] = "a datetime", [FB_V_DURATION] = "a duration",
        [FB_V_IP] = "an ipaddr",      [FB_V_SET] = "a set",           [FB_V_RECORD] = "a record",
        [FB_V_ENTITY] = "an entity",
    };
    return words[kind];
}

static const char *hint_for(enum fb_vkind kind, const struct fb_vtype *found)
{
    if (found == NULL)
        return NULL;
    if (kind == FB_V_SET && found->kind == FB_V_ENTITY)
        return "membership in an entity is asked with `in`";
    if (kind == FB_V_SET && found->kind == FB_V_RECORD)
        return "whether a record has an attribute is asked with `has`";
    if (kind == FB_V_SET && found->kind == FB_V_STRING)
        return "whether a string contains another is asked with `like`: `like \"*text*\"`";
    if (kind == FB_V_ENTITY && found->kind == FB_V_SET)
        return "whether a set has an element is asked with `.contains(…)`";
    if (kind == FB_V_STRING && found->kind == FB_V_ENTITY)
        return "entities are compared with `==`, their types asked with `is`";
    if (kind == FB_V_LONG && found->kind == FB_V_STRING)
        return "Cedar neither joins strings nor makes numbers of them";
    if (kind == FB_V_LONG && found->kind == FB_V_DECIMAL)
        return "decimals are compared by `.lessThan(…)` and the like, and not calculated with";
    if (kind == FB_V_BOOL && (found->kind == FB_V_LONG || found->kind == FB_V_STRING))
        return "compare it with something: only true and false are conditions";
    return NULL;
}

struct fb_answer fb_check_kind(struct fb_checker *c, uint32_t node, enum fb_vkind kind)
{
    struct fb_answer answer = fb_check(c, node);
    if (fb_is_kind(answer, kind) || fb_is_kind(answer, FB_V_NEVER))
        return answer;
    return fb_wrong_type(c, answer, node, article(kind), hint_for(kind, answer.type));
}

struct fb_answer fb_check_entity(struct fb_checker *c, uint32_t node)
{
    return fb_check_kind(c, node, FB_V_ENTITY);
}

static struct fb_answer expect_bool(struct fb_checker *c, struct fb_answer answer, uint32_t node)
{
    if (answer.type != NULL && (fb_vtype_is_bool(answer.type) || answer.type->kind == FB_V_NEVER))
        return answer;
    return fb_wrong_type(c, answer, node, "a Bool", hint_for(FB_V_BOOL, answer.type));
}

struct fb_answer fb_check_bool(struct fb_checker *c, uint32_t node)
{
    return expect_bool(c, fb_check(c, node), node);
}

/* --- leaves --- */

static struct fb_answer check_uid(const struct fb_checker *c, const struct fb_node *node)
{
    /* What is not declared is reported once for the policy, in validate_names.c. */
    return node->entity != FB_NONE ? fb_answer(c->types.entities[node->entity].self) : fb_failed(NULL);
}

/* --- logic --- */

struct fb_answer fb_check_not(struct fb_checker *c, const struct fb_node *node)
{
    struct fb_answer operand = fb_check_bool(c, node->a);
    if (operand.type == NULL)
        return fb_failed(fb_plain(c, FB_V_BOOL));
    enum fb_vkind kind = operand.type->kind;
    bool known = kind == FB_V_TRUE || kind == FB_V_FALSE;
    return fb_after(operand, fb_answer(known ? fb_truth(c, kind == FB_V_FALSE) : fb_plain(c, FB_V_BOOL)));
}

struct fb_answer fb_join_and(struct fb_checker *c, struct fb_answer left, struct fb_answer right)
{
    struct fb_answer joined = {.failed = left.failed || right.failed};
    fb_caps caps = 0;
    if (left.type == NULL || right.type == NULL) {
        joined.type = fb_plain(c, FB_V_BOOL);
        joined.failed = true;
    } else if (right.type->kind == FB_V_FALSE) {
        joined.type = right.type;
    } else if (right.type->kind == FB_V_TRUE) {
        joined.type = left.type;
        caps = fb_caps_union(c, left.caps, right.caps);
    } else if (left.type->kind == FB_V_TRUE) {
        joined.type = right.type;
        /* The official validator forgets those of the left here. */
        caps = right.caps;
    } else {
        joined.type = fb_plain(c, FB_V_BOOL);
        caps = fb_caps_union(c, left.caps, right.caps);
    }
    joined.caps = joined.failed ? 0 : caps;
    return joined;
}

static struct fb_answer join_or(struct fb_checker *c, struct fb_answer left, struct fb_answer right)
{
    struct fb_answer joined = {.failed = left.failed || right.failed};
    fb_caps caps = 0;
    if (left.type == NULL || right.type == NULL) {
        joined.type = fb_plain(c, FB_V_BOOL);
        joined.failed = true;
    } else if (right.type->kind == FB_V_FALSE) {
        joined.type = left.type;
        caps = left.caps;
    } else if (right.type->kind == FB_V_TRUE || left.type->kind == FB_V_FALSE) {
        joined.type = right.type;
        caps = right.caps;
    } else {
        joined.type = fb_plain(c, FB_V_BOOL);
        caps = joined.failed ? 0 : fb_caps_both(c, left.caps, right.caps);
    }
    joined.caps = joined.failed ? 0 : caps;
    return joined;
}

static struct fb_answer check_test(struct fb_checker *c, uint32_t branch, fb_caps held)
{
    fb_caps_hold(c, held);
    struct fb_answer answer = fb_check(c, branch);
    fb_caps_drop(c, held);
    return answer;
}

static struct fb_answer check_branches(struct fb_checker *c, const struct fb_node *node, struct fb_answer test)
{
    struct fb_answer yes = check_test(c, node->b, test.caps), no = fb_check(c, node->c);
    struct fb_answer both = {.failed = test.failed || yes.failed || no.failed};
    if (!yes.failed)
        yes.caps = fb_caps_union(c, yes.caps, test.caps);
    if (yes.type == NULL || no.type == NULL)
        return fb_failed(NULL);
    both.type = fb_vtype_join(&c->types, yes.type, no.type);
    if (both.type == NULL) {
        fb_incompatible(c, node->expr->range, yes.type, no.type, "the branches of an `if`");
        return fb_failed(NULL);
    }
    both.caps = both.failed ? 0 : fb_caps_both(c, no.caps, yes.caps);
    return both;
}

static struct fb_answer check_if(struct fb_checker *c, const struct fb_node *node)
{
    struct fb_answer test = fb_check_bool(c, node->a);
    if (fb_is_kind(test, FB_V_TRUE)) {
        struct fb_answer yes = check_test(c, node->b, test.caps);
        if (!yes.failed)
            yes.caps = fb_caps_union(c, yes.caps, test.caps);
        return fb_after(test, yes);
    }
    if (fb_is_kind(test, FB_V_FALSE))
        return fb_after(test, fb_check(c, node->c));
    return check_branches(c, node, test);
}

/* --- the walk --- */

static struct fb_answer check_arithmetic(struct fb_checker *c, const struct fb_node *node, struct fb_answer left)
{
    if (!fb_is_kind(left, FB_V_LONG) && !fb_is_kind(left, FB_V_NEVER))
        left = fb_wrong_type(c, left, node->a, "a Long", hint_for(FB_V_LONG, left.type));
    struct fb_answer right = fb_check_kind(c, node->b, FB_V_LONG);
    return (struct fb_answer){.type = fb_plain(c, FB_V_LONG), .failed = left.failed || right.failed};
}

/* One link: `left` is known, and of it `*held` are held already; they may stay held for the next link. */
static struct fb_answer check_link(struct fb_checker *c, const struct fb_node *node, struct fb_answer left,
                                   fb_caps *held)
{
    if (node->kind == FB_N_ARITHMETIC)
        return check_arithmetic(c, node, left);
    left = expect_bool(c, left, node->a);
    if (node->kind == FB_N_AND) {
        if (fb_is_kind(left, FB_V_FALSE)) {
            left.caps = 0;
            return left;
        }
        *held = fb_caps_replace(c, *held, left.caps);
        return fb_join_and(c, left, fb_check_bool(c, node->b));
    }
    if (fb_is_kind(left, FB_V_TRUE))
        return left;
    *held = fb_caps_replace(c, *held, 0);
    return join_or(c, left, fb_check_bool(c, node->b));
}

static void keep(struct fb_checker *c, struct fb_node *node, struct fb_answer answer)
{
    if (c->keep_types) {
        node->type = answer.type;
        node->stamp = c->stamp;
    }
}

static struct fb_answer check_chain(struct fb_checker *c, uint32_t index)
{
    struct fb_tree *tree = &c->tree;
    size_t base = tree->spine_count;
    for (; fb_node_is_chain(&tree->nodes[index]); index = tree->nodes[index].a)
        if (!fb_push(c->arena, &tree->spine, &tree->spine_count, &tree->spine_capacity, index))
            return fb_failed(NULL);
    struct fb_answer answer = fb_check(c, index);
    fb_caps held = 0;
    while (tree->spine_count > base) {
        struct fb_node *node = &tree->nodes[tree->spine[--tree->spine_count]];
        answer = check_link(c, node, answer, &held);
        keep(c, node, answer);
    }
    fb_caps_drop(c, held);
    return answer;
}

static struct fb_answer check_like(struct fb_checker *c, const struct fb_node *node)
{
    return fb_after(fb_check_kind(c, node->a, FB_V_STRING), fb_answer(fb_plain(c, FB_V_BOOL)));
}

static struct fb_answer check_node(struct fb_checker *c, uint32_t index)
{
    const struct fb_node *node = &c->tree.nodes[index];
    switch ((enum fb_node_kind)node->kind) {
    case FB_N_BOOL: return fb_answer(fb_truth(c, node->expr->number != 0));
    case FB_N_LONG: return fb_answer(fb_plain(c, FB_V_LONG));
    case FB_N_STRING: return fb_answer(fb_plain(c, FB_V_STRING));
    case FB_N_UID: return check_uid(c, node);
    case FB_N_VAR: return fb_answer(c->vars[node->expr->var]);
    case FB_N_NOT: return fb_check_not(c, node);
    case FB_N_NEG: return fb_after(fb_check_kind(c, node->a, FB_V_LONG), fb_answer(fb_plain(c, FB_V_LONG)));
    case FB_N_IS_EMPTY: return fb_after(fb_check_kind(c, node->a, FB_V_SET), fb_answer(fb_plain(c, FB_V_BOOL)));
    case FB_N_ATTR: return fb_check_attr(c, index);
    case FB_N_HAS: return fb_check_has(c, index);
    case FB_N_LIKE: return check_like(c, node);
    case FB_N_IS:
    case FB_N_IS_IN: return fb_check_is(c, node);
    case FB_N_AND:
    case FB_N_OR:
    case FB_N_ARITHMETIC: return check_chain(c, index);
    case FB_N_EQ: return fb_check_equal(c, node);
    case FB_N_LESS: return fb_check_less(c, node);
    case FB_N_IN: return fb_check_in(c, node);
    case FB_N_CONTAINS:
    case FB_N_CONTAINS_ALL_ANY: return fb_check_contains(c, node);
    case FB_N_GET_TAG: return fb_check_get_tag(c, index);
    case FB_N_HAS_TAG: return fb_check_has_tag(c, index);
    case FB_N_IF: return check_if(c, node);
    case FB_N_SET: return fb_check_set(c, node);
    case FB_N_RECORD: return fb_check_record(c, node);
    case FB_N_CALL: return fb_check_call(c, node);
    }
    return fb_failed(NULL);
}

struct fb_answer fb_check(struct fb_checker *c, uint32_t index)
{
    struct fb_answer answer = check_node(c, index);
    keep(c, &c->tree.nodes[index], answer);
    return answer;
}
