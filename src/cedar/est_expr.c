/* SPDX-License-Identifier: Apache-2.0 */

/* Expressions of JSON policies: an object with one member, whose key is the operator and whose value
 * holds the operands by name, in any order.
 *
 * A chain (`&&`, `||`, `+`, `-`, `*`) nests to its left a level an operand, so its left operands are
 * read in a loop, as everywhere (ast.h).  The node of a chain keeps what it has met of its operands in
 * `struct pending` until its own object closes. */

#include "cedar/est.h"

/* How the operands of an operator are written. */
enum shape {
    UNARY,      /* {arg} */
    BINARY,     /* {left, right} */
    CHAIN,      /* the same, of a chain */
    ATTR, HAS, LIKE, IS, IF, SET, RECORD, VALUE, VAR, SLOT
};

static const struct operator {
    struct fb_span name;
    enum shape shape;
    enum fb_expr_kind kind;
} operators[] = {
    {FB_SPAN_INIT("Value"), VALUE, FB_E_BOOL}, {FB_SPAN_INIT("Var"), VAR, FB_E_VAR},
    {FB_SPAN_INIT("Slot"), SLOT, FB_E_VAR}, {FB_SPAN_INIT("!"), UNARY, FB_E_NOT},
    {FB_SPAN_INIT("neg"), UNARY, FB_E_NEG}, {FB_SPAN_INIT("isEmpty"), UNARY, FB_E_IS_EMPTY},
    {FB_SPAN_INIT("&&"), CHAIN, FB_E_AND}, {FB_SPAN_INIT("||"), CHAIN, FB_E_OR},
    {FB_SPAN_INIT("+"), CHAIN, FB_E_ADD}, {FB_SPAN_INIT("-"), CHAIN, FB_E_SUB},
    {FB_SPAN_INIT("*"), CHAIN, FB_E_MUL}, {FB_SPAN_INIT("=="), BINARY, FB_E_EQ},
    {FB_SPAN_INIT("!="), BINARY, FB_E_NE}, {FB_SPAN_INIT("in"), BINARY, FB_E_IN},
    {FB_SPAN_INIT("<"), BINARY, FB_E_LT}, {FB_SPAN_INIT("<="), BINARY, FB_E_LE},
    {FB_SPAN_INIT(">"), BINARY, FB_E_GT}, {FB_SPAN_INIT(">="), BINARY, FB_E_GE},
    {FB_SPAN_INIT("contains"), BINARY, FB_E_CONTAINS}, {FB_SPAN_INIT("containsAll"), BINARY, FB_E_CONTAINS_ALL},
    {FB_SPAN_INIT("containsAny"), BINARY, FB_E_CONTAINS_ANY}, {FB_SPAN_INIT("getTag"), BINARY, FB_E_GET_TAG},
    {FB_SPAN_INIT("hasTag"), BINARY, FB_E_HAS_TAG}, {FB_SPAN_INIT("."), ATTR, FB_E_ATTR},
    {FB_SPAN_INIT("has"), HAS, FB_E_HAS}, {FB_SPAN_INIT("like"), LIKE, FB_E_LIKE},
    {FB_SPAN_INIT("is"), IS, FB_E_IS}, {FB_SPAN_INIT("if-then-else"), IF, FB_E_IF},
    {FB_SPAN_INIT("Set"), SET, FB_E_SET}, {FB_SPAN_INIT("Record"), RECORD, FB_E_RECORD},
};
#define OPERATORS (sizeof operators / sizeof operators[0])

/* --- nodes --- */

struct fb_expr *fb_est_new(struct fb_est *est, enum fb_expr_kind kind, struct fb_range mark)
{
    return fb_expr_new(&est->parser, kind, mark);
}

bool fb_est_finish(struct fb_est *est, struct fb_expr *expr, uint32_t start)
{
    est->parser.last_end = est->json.range.end;
    return fb_expr_finish(&est->parser, expr, start) != NULL;
}

bool fb_est_enter(struct fb_est *est)
{
    if (est->depth >= FB_EXPR_HEIGHT)
        return fb_est_fail(est, "parse.too_deep", "the expression is more than %u levels deep", FB_EXPR_HEIGHT);
    est->depth++;
    return true;
}

bool fb_est_add_item(struct fb_est *est, struct fb_est_items *items, struct fb_span name, const struct fb_expr *item)
{
    const struct fb_expr **list = fb_arena_grow(est->parser.arena, items->list, items->count, &items->capacity,
                                                sizeof(const struct fb_expr *));
    struct fb_span *names = fb_arena_grow(est->parser.arena, items->names, items->count, &items->names_capacity,
                                          sizeof *names);
    if (list == NULL || names == NULL)
        return false;
    items->list = list;
    items->names = names;
    names[items->count] = name;
    list[items->count++] = item;
    return true;
}

bool fb_est_function(struct fb_span name, enum fb_function *function)
{
    for (unsigned i = 0; i < FB_FUNCTIONS; i++)
        if (fb_span_eq(fb_functions[i].name, name)) {
            *function = (enum fb_function)i;
            return true;
        }
    return false;
}

bool fb_est_call(struct fb_est *est, enum fb_function function, const struct fb_est_items *items, struct fb_range mark,
                 uint32_t start, const struct fb_expr **expr)
{
    if (fb_functions[function].method && items->count == 0)
        return fb_est_fail_at(est, mark, "json.missing", "this is a method: its first argument is what it is called on");
    struct fb_expr *call = fb_est_new(est, FB_E_CALL, mark);
    if (call == NULL)
        return false;
    call->function = function;
    call->items = items->list;
    call->count = (uint32_t)items->count;
    *expr = call;
    return fb_est_finish(est, call, start);
}

/* --- operands by name --- */

static bool read_operand(struct fb_est *est, const struct fb_expr **operand)
{
    fb_json_next(&est->json);
    return fb_est_expr(est, operand);
}

static bool read_attr(struct fb_est *est, struct fb_expr *expr)
{
    if (!fb_est_expect(est, FB_JSON_STRING, "the name of an attribute"))
        return false;
    expr->text = est->json.string;
    return true;
}

/* A name, or a path of them, which need not be identifiers here: print.c writes such a path out. */
static bool read_path(struct fb_est *est, struct fb_expr *expr)
{
    struct fb_span *names = NULL;
    size_t count = 0, capacity = 0;
    fb_json_next(&est->json);
    bool list = est->json.event == FB_JSON_ARRAY;
    if (list)
        fb_json_next(&est->json);
    while (est->json.event == FB_JSON_STRING && count < FB_CEDAR_HAS) {
        names = fb_arena_grow(est->parser.arena, names, count, &capacity, sizeof *names);
        if (names == NULL)
            return false;
        names[count++] = est->json.string;
        if (!list)
            break;
        fb_json_next(&est->json);
    }
    expr->names = names;
    expr->count = (uint32_t)count;
    if (count == FB_CEDAR_HAS && est->json.event == FB_JSON_STRING)
        return fb_est_fail(est, "parse.too_long", "a path of more than %u attributes", FB_CEDAR_HAS);
    if (count == 0)
        return fb_est_fail(est, "json.type", "expected the name of an attribute, or an array of names");
    return !list || fb_est_is(est, FB_JSON_ARRAY_END, "the name of an attribute");
}

struct pieces {
    struct fb_span *list;       /* literals; a wildcard stands between each two */
    size_t wildcards, capacity;
    struct fb_buffer text;      /* the literal being put together; lives in the arena */
};

static bool end_piece(struct fb_est *est, struct pieces *pieces)
{
    pieces->list = fb_arena_grow(est->parser.arena, pieces->list, pieces->wildcards, &pieces->capacity,
                                 sizeof *pieces->list);
    if (pieces->list == NULL || pieces->text.failed)
        return false;
    pieces->list[pieces->wildcards] = fb_arena_copy(est->parser.arena, fb_buffer_span(&pieces->text));
    fb_buffer_clear(&pieces->text);
    return true;
}

/* "Wildcard", {"Wildcard": null}, {"Literal": text}. */
static bool read_piece(struct fb_est *est, struct pieces *pieces)
{
    bool object = est->json.event == FB_JSON_OBJECT;
    if (object)
        fb_json_next(&est->json);
    bool wildcard = fb_span_is(est->json.string, "Wildcard");
    static const struct fb_span known[] = {FB_SPAN_INIT("Wildcard"), FB_SPAN_INIT("Literal")};
    if (est->json.event != (object ? FB_JSON_KEY : FB_JSON_STRING))
        return fb_est_fail(est, "json.type", "expected \"Wildcard\" or {\"Literal\": \"…\"}");
    if (!wildcard && (!object || !fb_span_is(est->json.string, "Literal")))
        return fb_est_unknown(est, "part of a pattern", known, 2);
    if (object && !fb_est_expect(est, wildcard ? FB_JSON_NULL : FB_JSON_STRING, wildcard ? "null" : "a string"))
        return false;
    if (wildcard) {
        if (!end_piece(est, pieces))
            return false;
        pieces->wildcards++;
    } else {
        fb_buffer_add(&pieces->text, est->json.string);
    }
    return !object || fb_est_expect(est, FB_JSON_OBJECT_END, "`}`: a part of a pattern is one thing");
}

static bool read_pattern(struct fb_est *est, struct fb_expr *expr)
{
    struct pieces pieces = {0};
    struct fb_pattern *pattern = fb_arena_alloc(est->parser.arena, sizeof *pattern);
    if (pattern == NULL || !fb_est_expect(est, FB_JSON_ARRAY, "an array of the pattern's parts"))
        return false;
    fb_buffer_init(&pieces.text, est->parser.arena->allocator, FB_CEDAR_TEXT_MAX);
    bool good = true;
    while (good && fb_json_next(&est->json) != FB_JSON_ARRAY_END)
        good = read_piece(est, &pieces);
    good = good && end_piece(est, &pieces);
    fb_buffer_release(&pieces.text);
    *pattern = (struct fb_pattern){.literals = pieces.list, .wildcards = (uint32_t)pieces.wildcards};
    expr->pattern = pattern;
    return good;
}

static bool read_entity_type(struct fb_est *est, struct fb_expr *expr)
{
    return fb_est_expect(est, FB_JSON_STRING, "a type's name") && fb_est_type(est, &expr->text);
}

/* `in` of an `is`, which may be null. */
static bool read_is_in(struct fb_est *est, struct fb_expr *expr)
{
    fb_json_next(&est->json);
    return est->json.event == FB_JSON_NULL || fb_est_expr(est, &expr->right);
}

/* The member whose key was taken; *known unset: the operator has no such operand. */
static bool read_named(struct fb_est *est, enum shape shape, struct fb_expr *expr, bool *known)
{
    struct fb_span key = est->json.string;
    *known = true;
    if (shape == IF && fb_span_is(key, "if"))
        return read_operand(est, &expr->left);
    if (shape == IF && fb_span_is(key, "then"))
        return read_operand(est, &expr->right);
    if (shape == IF && fb_span_is(key, "else"))
        return read_operand(est, &expr->third);
    if (shape == UNARY && fb_span_is(key, "arg"))
        return read_operand(est, &expr->left);
    if (shape != UNARY && shape != IF && fb_span_is(key, "left"))
        return read_operand(est, &expr->left);
    if ((shape == BINARY || shape == CHAIN) && fb_span_is(key, "right"))
        return read_operand(est, &expr->right);
    if (shape == ATTR && fb_span_is(key, "attr"))
        return read_attr(est, expr);
    if (shape == HAS && fb_span_is(key, "attr"))
        return read_path(est, expr);
    if (shape == LIKE && fb_span_is(key, "pattern"))
        return read_pattern(est, expr);
    if (shape == IS && fb_span_is(key, "entity_type"))
        return read_entity_type(est, expr);
    if (shape == IS && fb_span_is(key, "in"))
        return read_is_in(est, expr);
    *known = shape == HAS;
    if (*known) {
        fb_est_ignored(est);
        return fb_json_skip(&est->json);
    }
    return false;
}

/* Which members make the operator whole. */
static const char *missing_of(enum shape shape, const struct fb_expr *expr)
{
    if (expr->left == NULL)
        return shape == UNARY ? "arg" : shape == IF ? "if" : "left";
    if ((shape == BINARY || shape == CHAIN) && expr->right == NULL)
        return "right";
    if (shape == IF && (expr->right == NULL || expr->third == NULL))
        return expr->right == NULL ? "then" : "else";
    if (shape == ATTR && expr->text.ptr == NULL)
        return "attr";
    if (shape == HAS && expr->count == 0)
        return "attr";
    if (shape == LIKE && expr->pattern == NULL)
        return "pattern";
    if (shape == IS && expr->text.len == 0)
        return "entity_type";
    return NULL;
}

/* Members up to the end of the operands' object.  With `deeper` it stops, true, behind the key `left` of
 * a chain whose left operand is still to be read. */
static bool read_members(struct fb_est *est, const struct operator *op, struct fb_expr *expr, bool *deeper)
{
    *deeper = false;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        bool known;
        if (op->shape == CHAIN && fb_span_is(est->json.string, "left")) {
            *deeper = true;
            return true;
        }
        if (!read_named(est, op->shape, expr, &known))
            return known ? false
                         : fb_est_fail(est, "json.unknown", "`%s` has no operand `%.*s`", op->name.ptr,
                                       (int)(est->json.string.len < 40 ? est->json.string.len : 40),
                                       est->json.string.ptr);
    }
    return fb_est_ended(est, FB_JSON_OBJECT_END);
}

/* Behind the operands' object: is all there, and does the expression end? */
static bool end_operator(struct fb_est *est, const struct operator *op, struct fb_expr *expr, uint32_t start)
{
    const char *missing = missing_of(op->shape, expr);
    if (missing != NULL)
        return fb_est_fail_at(est, expr->mark, "json.missing", "`%s` needs the operand `%s`", op->name.ptr, missing);
    return fb_est_expect(est, FB_JSON_OBJECT_END, "`}`: an expression has one operator")
           && fb_est_finish(est, expr, start);
}

/* --- lists --- */

static bool read_list(struct fb_est *est, struct fb_est_items *items)
{
    if (!fb_est_expect(est, FB_JSON_ARRAY, "an array of expressions"))
        return false;
    while (fb_json_next(&est->json) != FB_JSON_ARRAY_END) {
        const struct fb_expr *item = NULL;
        if (!fb_est_expr(est, &item) || !fb_est_add_item(est, items, FB_SPAN(""), item))
            return false;
    }
    return true;
}

static bool read_record(struct fb_est *est, struct fb_est_items *items)
{
    if (!fb_est_expect(est, FB_JSON_OBJECT, "an object of expressions"))
        return false;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        struct fb_span name = est->json.string;
        const struct fb_expr *item = NULL;
        if (!read_operand(est, &item) || !fb_est_add_item(est, items, name, item))
            return false;
    }
    return fb_est_ended(est, FB_JSON_OBJECT_END);
}

/* --- leaves --- */

static bool read_variable(struct fb_est *est, struct fb_expr *expr)
{
    static const struct fb_span known[] = {FB_SPAN_INIT("principal"), FB_SPAN_INIT("action"), FB_SPAN_INIT("resource"),
                                           FB_SPAN_INIT("context")};
    if (!fb_est_expect(est, FB_JSON_STRING, "a variable's name"))
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (fb_span_eq(est->json.string, known[i])) {
            expr->var = (enum fb_var)i;
            return true;
        }
    return fb_est_unknown(est, "variable", known, 4);
}

/* Behind the key of an operator that is no chain, to the end of the expression. */
static bool read_operator(struct fb_est *est, const struct operator *op, struct fb_range mark, uint32_t start,
                          const struct fb_expr **result)
{
    struct fb_est_items items = {0};
    bool read = false, deeper;
    if (op->shape == SLOT)
        return fb_est_fail(est, "parse.slot", "a slot cannot stand in a condition");
    if (op->shape == VALUE) {
        fb_json_next(&est->json);
        return fb_est_value(est, result) && fb_est_expect(est, FB_JSON_OBJECT_END, "`}`: an expression has one operator");
    }
    struct fb_expr *expr = fb_est_new(est, op->kind, mark);
    *result = expr;
    if (expr == NULL)
        return false;
    if (op->shape == VAR || op->shape == SET || op->shape == RECORD) {
        read = op->shape == VAR ? read_variable(est, expr)
                                : op->shape == SET ? read_list(est, &items) : read_record(est, &items);
        if (op->shape != VAR) {
            expr->items = items.list;
            expr->names = op->shape == RECORD ? items.names : NULL;
            expr->count = (uint32_t)items.count;
        }
        return read && fb_est_expect(est, FB_JSON_OBJECT_END, "`}`: an expression has one operator")
               && fb_est_finish(est, expr, start);
    }
    return fb_est_expect(est, FB_JSON_OBJECT, "an object of operands") && read_members(est, op, expr, &deeper)
           && end_operator(est, op, expr, start);
}

static bool read_call(struct fb_est *est, enum fb_function function, struct fb_range mark, uint32_t start,
                      const struct fb_expr **expr)
{
    struct fb_est_items items = {0};
    return read_list(est, &items) && fb_est_expect(est, FB_JSON_OBJECT_END, "`}`: an expression has one operator")
           && fb_est_call(est, function, &items, mark, start, expr);
}

static bool report_operator(struct fb_est *est)
{
    struct fb_span known[OPERATORS + FB_FUNCTIONS];
    for (size_t i = 0; i < OPERATORS; i++)
        known[i] = operators[i].name;
    for (size_t i = 0; i < FB_FUNCTIONS; i++)
        known[OPERATORS + i] = fb_functions[i].name;
    return fb_est_unknown(est, "operator or function", known, OPERATORS + FB_FUNCTIONS);
}

/* --- chains --- */

/* Nodes of chains whose left operand is being read, the outermost first. */
struct pending {
    struct {
        const struct operator *op;
        struct fb_expr *expr;
        uint32_t start;
    } *list;
    size_t count, capacity;
};

/* Behind the key of a chain's operator.  *deeper: its left operand comes next. */
static bool open_chain(struct fb_est *est, struct pending *pending, const struct operator *op, struct fb_range mark,
                       uint32_t start, bool *deeper)
{
    struct fb_expr *expr = fb_est_new(est, op->kind, mark);
    pending->list = fb_arena_grow(est->parser.arena, pending->list, pending->count, &pending->capacity,
                                  sizeof *pending->list);
    if (expr == NULL || pending->list == NULL)
        return false;
    pending->list[pending->count].op = op;
    pending->list[pending->count].expr = expr;
    pending->list[pending->count++].start = start;
    return fb_est_expect(est, FB_JSON_OBJECT, "an object of operands") && read_members(est, op, expr, deeper)
           && (*deeper || fb_est_fail_at(est, mark, "json.missing", "`%s` needs the operand `left`", op->name.ptr));
}

/* One expression, or the beginning of a chain: then *deeper is set, and its left operand comes next. */
static bool read_one(struct fb_est *est, struct pending *pending, const struct fb_expr **expr, bool *deeper)
{
    uint32_t start = est->json.range.start;
    enum fb_function function;
    *deeper = false;
    if (!fb_est_is(est, FB_JSON_OBJECT, "an expression, an object"))
        return false;
    if (fb_json_next(&est->json) != FB_JSON_KEY)
        return fb_est_fail(est, "json.missing", "an expression has an operator");
    struct fb_range mark = est->json.range;
    for (size_t i = 0; i < OPERATORS; i++) {
        if (!fb_span_eq(est->json.string, operators[i].name))
            continue;
        return operators[i].shape == CHAIN ? open_chain(est, pending, &operators[i], mark, start, deeper)
                                           : read_operator(est, &operators[i], mark, start, expr);
    }
    return fb_est_function(est->json.string, &function) ? read_call(est, function, mark, start, expr)
                                                        : report_operator(est);
}

/* The left operand of the innermost node was read: the rest of that node. */
static bool close_chain(struct fb_est *est, struct pending *pending, const struct fb_expr **expr)
{
    size_t top = --pending->count;
    const struct operator *op = pending->list[top].op;
    struct fb_expr *node = pending->list[top].expr;
    bool deeper;
    node->left = *expr;
    *expr = node;
    return read_members(est, op, node, &deeper) && end_operator(est, op, node, pending->list[top].start);
}

bool fb_est_expr(struct fb_est *est, const struct fb_expr **expr)
{
    struct pending pending = {0};
    bool deeper = true, good = fb_est_enter(est);
    while (good && deeper) {
        good = read_one(est, &pending, expr, &deeper);
        if (good && deeper)
            fb_json_next(&est->json);
    }
    while (good && pending.count > 0)
        good = close_chain(est, &pending, expr);
    fb_est_leave(est);
    return good;
}
