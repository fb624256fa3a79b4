/* SPDX-License-Identifier: Apache-2.0 */

/* Operands of expressions: literals, names, calls, sets, records, and what follows with `.` and
 * `[ ]`.
 *
 *   Member  ::= Primary { '.' IDENT ['(' [ExprList] ')'] | '[' STR ']' }
 *   Primary ::= 'true' | 'false' | INT | STR | Path '::' STR | Var | Fun '(' [ExprList] ')'
 *             | '(' Expr ')' | '[' [ExprList] ']' | '{' [Key ':' Expr {',' Key ':' Expr} [',']] '}'
 *
 * Methods of the language (contains, hasTag, …) have node kinds of their own and a fixed number of
 * arguments; those of the extension types are calls, whose arity only evaluation and the validator
 * check. */

#include "cedar/parse.h"

/* --- what may be called --- */

static const struct {
    const char *name;
    enum fb_expr_kind kind;
    uint8_t arguments;
} methods[] = {
    {"contains", FB_E_CONTAINS, 1}, {"containsAll", FB_E_CONTAINS_ALL, 1}, {"containsAny", FB_E_CONTAINS_ANY, 1},
    {"isEmpty", FB_E_IS_EMPTY, 0}, {"getTag", FB_E_GET_TAG, 1}, {"hasTag", FB_E_HAS_TAG, 1},
};
#define METHODS (sizeof methods / sizeof *methods)

static size_t find_method(struct fb_span name)
{
    size_t i = 0;
    while (i < METHODS && !fb_span_is(name, methods[i].name))
        i++;
    return i;
}

static size_t find_function(struct fb_span name)
{
    size_t i = 0;
    while (i < FB_FUNCTIONS && !fb_span_eq(name, fb_functions[i].name))
        i++;
    return i;
}

static void report_unknown(struct fb_parser *parser, struct fb_range range, struct fb_span name, bool method)
{
    struct fb_span candidates[METHODS + FB_FUNCTIONS];
    size_t count = 0;
    for (size_t i = 0; i < METHODS && method; i++)
        candidates[count++] = fb_span_z(methods[i].name);
    for (size_t i = 0; i < FB_FUNCTIONS; i++)
        if (fb_functions[i].method == method)
            candidates[count++] = fb_functions[i].name;
    struct fb_diag *diag = fb_parse_fault(parser, range, method ? "parse.unknown_method" : "parse.unknown_function",
                                          "there is no %s `%.*s`", method ? "method" : "function", (int)name.len,
                                          name.ptr);
    fb_parse_hint_near(parser, diag, name, candidates, count,
                       method ? NULL : "the functions are `ip`, `decimal`, `datetime` and `duration`");
}

bool fb_parse_infix_method(struct fb_parser *parser)
{
    struct fb_span name = parser->token.text;
    if (!fb_parse_at(parser, FB_TOK_IDENT) || find_method(name) == METHODS)
        return false;
    struct fb_diag *diag = fb_parse_fault(parser, parser->token.range, "parse.unknown_operator",
                                          "`%.*s` is no operator", (int)name.len, name.ptr);
    fb_parse_hint(parser, diag, "call it as a method: `x.%.*s(…)`", (int)name.len, name.ptr);
    fb_parse_advance(parser);
    return true;
}

/* --- leaves --- */

/* Stands for something whose fault was reported. */
static struct fb_expr *placeholder(struct fb_parser *parser, struct fb_range range)
{
    return fb_expr_finish(parser, fb_expr_new(parser, FB_E_BOOL, range), range.start);
}

struct fb_expr *fb_parse_number(struct fb_parser *parser, const struct fb_token *token, bool negative)
{
    const uint64_t most = (uint64_t)INT64_MAX + negative;
    uint64_t value = 0;
    struct fb_span digits = token->text;
    while (digits.len > 1 && digits.ptr[0] == '0')
        digits = fb_span_from(digits, 1);
    if (!fb_span_to_u64(digits, most, &value))
        fb_parse_fault(parser, token->range, "parse.integer", "this integer is too large")->hint
            = FB_SPAN("integers go from -9223372036854775808 to 9223372036854775807");
    struct fb_expr *expr = fb_expr_new(parser, FB_E_LONG, token->range);
    if (expr != NULL)
        expr->number = negative ? (int64_t)(0 - value) : (int64_t)value;
    return fb_expr_finish(parser, expr, token->range.start);
}

static struct fb_expr *parse_string(struct fb_parser *parser)
{
    struct fb_token token = parser->token;
    fb_parse_advance(parser);
    struct fb_literal literal = fb_parse_literal(parser);
    struct fb_expr *expr = fb_expr_new(parser, FB_E_STRING, token.range);
    if (expr != NULL)
        expr->text = fb_literal_string(&literal, token.text);
    return fb_expr_finish(parser, expr, token.range.start);
}

static struct fb_expr *make_bool(struct fb_parser *parser, const struct fb_token *token)
{
    struct fb_expr *expr = fb_expr_new(parser, FB_E_BOOL, token->range);
    if (expr != NULL)
        expr->number = token->word == FB_WORD_TRUE;
    return fb_expr_finish(parser, expr, token->range.start);
}

/* --- lists --- */

/* Begins an operand, so that a comma is missing before it. */
static bool at_operand(const struct fb_parser *parser)
{
    bool name = fb_parse_at(parser, FB_TOK_IDENT) && parser->token.word <= FB_WORD_FALSE && !fb_parse_at_policy(parser);
    return name || fb_parse_at(parser, FB_TOK_NUMBER) || fb_parse_at(parser, FB_TOK_STRING)
           || fb_parse_at(parser, FB_TOK_LEFT_PAREN) || fb_parse_at(parser, FB_TOK_LEFT_BRACKET)
           || fb_parse_at(parser, FB_TOK_LEFT_BRACE);
}

struct items {
    const struct fb_expr **list;
    size_t count, capacity;
};

static void push(struct fb_parser *parser, struct items *items, const struct fb_expr *expr)
{
    const struct fb_expr **grown = fb_arena_grow(parser->arena, items->list, items->count, &items->capacity,
                                                 sizeof(const struct fb_expr *));
    if (grown == NULL)
        return;
    items->list = grown;
    grown[items->count++] = expr;
}

/* After an item: true if another follows. */
static bool take_comma(struct fb_parser *parser, const char *expected)
{
    if (fb_parse_take(parser, FB_TOK_COMMA))
        return true;
    if (!at_operand(parser))
        return false;
    fb_parse_unexpected(parser, expected)->hint = FB_SPAN("a comma is missing before it");
    return true;
}

/* [Expr {',' Expr} [',']] and the closing bracket; the opening one was taken. */
static void parse_items(struct fb_parser *parser, enum fb_token_kind close, struct fb_range open, struct items *items)
{
    const char *expected = close == FB_TOK_RIGHT_PAREN ? "`,` or `)`" : "`,` or `]`";
    while (!fb_parse_at(parser, close)) {
        struct fb_expr *item = fb_parse_expr(parser);
        if (item == NULL)
            fb_parse_skip(parser, true);
        item = item != NULL ? item : placeholder(parser, open);
        if (item != NULL)
            push(parser, items, item);
        if (!take_comma(parser, expected))
            break;
    }
    fb_parse_close(parser, close, open, expected);
}

static struct fb_expr *parse_set(struct fb_parser *parser)
{
    struct fb_range open = parser->token.range;
    fb_parse_advance(parser);
    struct items items = {0};
    parse_items(parser, FB_TOK_RIGHT_BRACKET, open, &items);
    struct fb_expr *expr = fb_expr_new(parser, FB_E_SET, open);
    if (expr == NULL)
        return NULL;
    expr->items = items.list;
    expr->count = (uint32_t)items.count;
    return fb_expr_finish(parser, expr, open.start);
}

/* --- records --- */

struct record {
    struct items items;
    struct fb_span *names;
    size_t names_capacity;
    struct fb_map seen;
};

/* Key ':' of a record.  False after a fault of syntax. */
static bool parse_key(struct fb_parser *parser, struct fb_token *token, struct fb_span *name)
{
    *token = parser->token;
    if (!fb_parse_at(parser, FB_TOK_IDENT) && !fb_parse_at(parser, FB_TOK_STRING)) {
        fb_parse_unexpected(parser, "the name of an attribute");
        return false;
    }
    fb_parse_advance(parser);
    fb_parse_check_name(parser, token);
    struct fb_literal literal = fb_parse_literal(parser);
    *name = token->kind == FB_TOK_STRING ? fb_literal_string(&literal, token->text) : token->text;
    return fb_parse_expect(parser, FB_TOK_COLON, "behind the attribute's name");
}

static void parse_entry(struct fb_parser *parser, struct record *record)
{
    struct fb_token token;
    struct fb_span name;
    struct fb_expr *value = parse_key(parser, &token, &name) ? fb_parse_expr(parser) : NULL;
    if (value == NULL) {
        fb_parse_skip(parser, true);
        return;
    }
    struct fb_token *first = fb_map_get(&record->seen, name);
    if (first != NULL) {
        struct fb_diag *diag = fb_parse_fault(parser, token.range, "parse.duplicate_key",
                                              "the record has the attribute `%.*s` twice", (int)name.len, name.ptr);
        diag->other = parser->source;
        diag->other_range = first->range;
        diag->other_message = FB_SPAN("first given here");
        return;
    }
    struct fb_span *names = fb_arena_grow(parser->arena, record->names, record->items.count, &record->names_capacity,
                                          sizeof *names);
    struct fb_token *kept = fb_arena_alloc(parser->arena, sizeof *kept);
    if (names == NULL || kept == NULL)
        return;
    *kept = token;
    record->names = names;
    names[record->items.count] = name;
    fb_map_put(&record->seen, name, kept);
    push(parser, &record->items, value);
}

static struct fb_expr *parse_record(struct fb_parser *parser)
{
    struct fb_range open = parser->token.range;
    fb_parse_advance(parser);
    struct record record = {0};
    fb_map_init(&record.seen, parser->arena);
    while (!fb_parse_at(parser, FB_TOK_RIGHT_BRACE)) {
        parse_entry(parser, &record);
        if (!take_comma(parser, "`,` or `}`"))
            break;
    }
    fb_parse_close(parser, FB_TOK_RIGHT_BRACE, open, "`,` or `}`");
    struct fb_expr *expr = fb_expr_new(parser, FB_E_RECORD, open);
    if (expr == NULL)
        return NULL;
    expr->items = record.items.list;
    expr->names = record.names;
    expr->count = (uint32_t)record.items.count;
    return fb_expr_finish(parser, expr, open.start);
}

/* --- calls --- */

static struct fb_expr *make_call(struct fb_parser *parser, enum fb_function function, struct fb_range mark,
                                 const struct items *items, uint32_t start)
{
    struct fb_expr *expr = fb_expr_new(parser, FB_E_CALL, mark);
    if (expr == NULL)
        return NULL;
    expr->function = function;
    expr->items = items->list;
    expr->count = (uint32_t)items->count;
    return fb_expr_finish(parser, expr, start);
}

/* name '(' … : at the parenthesis. */
static struct fb_expr *parse_function(struct fb_parser *parser, struct fb_span name, struct fb_range mark)
{
    struct fb_range open = parser->token.range;
    fb_parse_advance(parser);
    struct items items = {0};
    parse_items(parser, FB_TOK_RIGHT_PAREN, open, &items);
    size_t function = find_function(name);
    if (function < FB_FUNCTIONS && !fb_functions[function].method)
        return make_call(parser, (enum fb_function)function, mark, &items, mark.start);
    if (function < FB_FUNCTIONS || find_method(name) < METHODS) {
        struct fb_diag *diag = fb_parse_fault(parser, mark, "parse.not_a_function",
                                              "`%.*s` is a method, not a function", (int)name.len, name.ptr);
        fb_parse_hint(parser, diag, "call it as `x.%.*s(…)`", (int)name.len, name.ptr);
    } else {
        report_unknown(parser, mark, name, false);
    }
    return placeholder(parser, mark);
}

static struct fb_expr *make_method(struct fb_parser *parser, size_t method, const struct items *items,
                                   struct fb_range mark, uint32_t start)
{
    size_t given = items->count - 1, needed = methods[method].arguments;
    if (given != needed) {
        fb_parse_fault(parser, mark, "parse.arguments", "`%s` takes %zu argument%s, not %zu", methods[method].name,
                       needed, needed == 1 ? "" : "s", given);
        return placeholder(parser, mark);
    }
    struct fb_expr *expr = fb_expr_new(parser, methods[method].kind, mark);
    if (expr == NULL)
        return NULL;
    expr->left = items->list[0];
    expr->right = needed == 1 ? items->list[1] : NULL;
    return fb_expr_finish(parser, expr, start);
}

/* receiver '.' name '(' … : at the parenthesis. */
static struct fb_expr *parse_method(struct fb_parser *parser, struct fb_expr *receiver, const struct fb_token *name,
                                    uint32_t start)
{
    struct fb_range open = parser->token.range;
    fb_parse_advance(parser);
    struct items items = {0};
    push(parser, &items, receiver);
    parse_items(parser, FB_TOK_RIGHT_PAREN, open, &items);
    if (items.count == 0)
        return NULL;    /* no memory */
    size_t method = find_method(name->text), function = find_function(name->text);
    if (method < METHODS)
        return make_method(parser, method, &items, name->range, start);
    if (function < FB_FUNCTIONS && fb_functions[function].method)
        return make_call(parser, (enum fb_function)function, name->range, &items, start);
    if (function < FB_FUNCTIONS) {
        struct fb_diag *diag =
            fb_parse_fault(parser, name->range, "parse.not_a_method", "`%.*s` is a function, not a method",
                           (int)name->text.len, name->text.ptr);
        fb_parse_hint(parser, diag, "call it as `%.*s(…)`", (int)name->text.len, name->text.ptr);
    } else {
        report_unknown(parser, name->range, name->text, true);
    }
    return placeholder(parser, name->range);
}

/* --- what follows a primary --- */

static struct fb_expr *make_attribute(struct fb_parser *parser, struct fb_expr *left, struct fb_span name,
                                      struct fb_range mark, bool indexed, uint32_t start)
{
    struct fb_expr *expr = fb_expr_new(parser, FB_E_ATTR, mark);
    if (expr == NULL)
        return NULL;
    expr->left = left;
    expr->text = name;
    expr->indexed = indexed;
    return fb_expr_finish(parser, expr, start);
}

static struct fb_expr *parse_dot(struct fb_parser *parser, struct fb_expr *left, uint32_t start)
{
    struct fb_token name = parser->token;
    if (!fb_parse_take(parser, FB_TOK_IDENT)) {
        struct fb_diag *diag = fb_parse_unexpected(parser, "the name of an attribute or method");
        if (fb_parse_at(parser, FB_TOK_STRING))
            diag->hint = FB_SPAN("write `[\"…\"]` without the dot");
        else if (fb_parse_at(parser, FB_TOK_NUMBER) && left->kind == FB_E_LONG)
            diag->hint = FB_SPAN("fractions are written `decimal(\"…\")`");
        return NULL;
    }
    if (fb_parse_at(parser, FB_TOK_LEFT_PAREN))
        return parse_method(parser, left, &name, start);
    if (name.word != FB_WORD_NONE) {
        struct fb_diag *diag = fb_parse_fault(parser, name.range, "parse.reserved", "`%.*s` is a reserved word",
                                              (int)name.text.len, name.text.ptr);
        fb_parse_hint(parser, diag, "write `[\"%.*s\"]`", (int)name.text.len, name.text.ptr);
    }
    return make_attribute(parser, left, name.text, name.range, false, start);
}

static struct fb_expr *parse_index(struct fb_parser *parser, struct fb_expr *left, uint32_t start, struct fb_range open)
{
    struct fb_token name = parser->token;
    struct fb_span text = FB_SPAN("");
    if (fb_parse_take(parser, FB_TOK_STRING)) {
        struct fb_literal literal = fb_parse_literal(parser);
        text = fb_literal_string(&literal, name.text);
    } else {
        fb_parse_unexpected(parser, "the name of an attribute in double quotes")->hint
            = FB_SPAN("names are literals; use `getTag` for a key that is computed");
        fb_parse_skip(parser, false);
    }
    fb_parse_close(parser, FB_TOK_RIGHT_BRACKET, open, "`]` behind the attribute's name");
    return make_attribute(parser, left, text, name.range, true, start);
}

struct fb_expr *fb_parse_member_rest(struct fb_parser *parser, struct fb_expr *left, uint32_t start)
{
    while (left != NULL) {
        struct fb_range open = parser->token.range;
        if (fb_parse_take(parser, FB_TOK_DOT)) {
            left = parse_dot(parser, left, start);
        } else if (fb_parse_take(parser, FB_TOK_LEFT_BRACKET)) {
            left = parse_index(parser, left, start, open);
        } else if (fb_parse_at(parser, FB_TOK_LEFT_PAREN)) {
            fb_parse_fault(parser, open, "parse.not_a_function", "only a name can be called");
            fb_parse_advance(parser);
            struct items items = {0};
            parse_items(parser, FB_TOK_RIGHT_PAREN, open, &items);
        } else {
            break;
        }
    }
    return left;
}

/* --- primaries --- */

static struct fb_expr *make_uid(struct fb_parser *parser, struct fb_span type, uint32_t start)
{
    struct fb_token id = parser->token;
    fb_parse_advance(parser);
    struct fb_range range = {start, id.range.end};
    size_t errors = parser->diags->errors;
    const struct fb_uid *uid = fb_parse_uid(parser, type, &id, range);
    if (uid == NULL)
        return parser->diags->errors != errors ? placeholder(parser, range) : NULL;
    struct fb_expr *expr = fb_expr_new(parser, FB_E_UID, range);
    if (expr != NULL)
        expr->uid = uid;
    return fb_expr_finish(parser, expr, start);
}

static struct fb_expr *make_variable(struct fb_parser *parser, struct fb_span name, struct fb_range mark)
{
    static const char *const names[] = {"principal", "action", "resource", "context"};
    for (unsigned i = 0; i < 4; i++) {
        if (!fb_span_is(name, names[i]))
            continue;
        struct fb_expr *expr = fb_expr_new(parser, FB_E_VAR, mark);
        if (expr != NULL)
            expr->var = (enum fb_var)i;
        return fb_expr_finish(parser, expr, mark.start);
    }
    return NULL;
}

/* A name that is no variable. */
static struct fb_expr *parse_unknown_name(struct fb_parser *parser, struct fb_span name, struct fb_range mark)
{
    static const struct fb_span known[] = {{9, "principal"}, {6, "action"}, {8, "resource"}, {7, "context"},
                                           {4, "true"}, {5, "false"}};
    if ((fb_span_is(name, "not") || fb_span_is(name, "NOT")) && at_operand(parser)) {
        fb_parse_fault(parser, mark, "parse.unknown_operator", "`%.*s` is no operator", (int)name.len, name.ptr)->hint
            = FB_SPAN("use `!`");
        if (!fb_parse_enter(parser))
            return NULL;
        struct fb_expr *operand = fb_parse_member(parser);
        fb_parse_leave(parser);
        return operand;
    }
    if (fb_span_find(name, ':') < name.len) {
        fb_parse_fault(parser, mark, "parse.no_id", "`%.*s` is no entity: its id is missing", (int)name.len, name.ptr)
            ->hint = FB_SPAN("the id stands in double quotes: `Type::\"id\"`");
        return placeholder(parser, mark);
    }
    struct fb_diag *diag = fb_parse_fault(parser, mark, "parse.unknown_variable", "there is no variable `%.*s`",
                                          (int)name.len, name.ptr);
    if (fb_span_eq_nocase(name, FB_SPAN("true")) || fb_span_eq_nocase(name, FB_SPAN("false")))
        diag->hint = FB_SPAN("`true` and `false` are written in small letters");
    else
        fb_parse_hint_near(parser, diag, name, known, sizeof known / sizeof *known,
                           "the variables are `principal`, `action`, `resource` and `context`; "
                           "strings stand in double quotes");
    return placeholder(parser, mark);
}

static struct fb_expr *parse_name(struct fb_parser *parser)
{
    struct fb_token first = parser->token;
    struct fb_span name;
    fb_parse_advance(parser);
    bool open = fb_parse_path_rest(parser, &first, &name);
    struct fb_range mark = {first.range.start, parser->last_end};
    if (open && fb_parse_at(parser, FB_TOK_STRING))
        return make_uid(parser, name, first.range.start);
    if (open) {
        fb_parse_unexpected(parser, "an entity's id in double quotes, or the rest of its type");
        if (fb_parse_at(parser, FB_TOK_LEFT_BRACE) || fb_parse_at(parser, FB_TOK_LEFT_PAREN)) {
            fb_parse_advance(parser);
            fb_parse_skip(parser, false);
            fb_parse_advance(parser);
        }
        return placeholder(parser, mark);
    }
    if (fb_parse_at(parser, FB_TOK_LEFT_PAREN) && !(fb_span_is(name, "not") || fb_span_is(name, "NOT")))
        return parse_function(parser, name, mark);
    struct fb_expr *variable = make_variable(parser, name, mark);
    return variable != NULL ? variable : parse_unknown_name(parser, name, mark);
}

static struct fb_expr *parse_parens(struct fb_parser *parser)
{
    struct fb_range open = parser->token.range;
    fb_parse_advance(parser);
    struct fb_expr *expr = fb_parse_expr(parser);
    if (expr == NULL)
        fb_parse_skip(parser, false);
    fb_parse_close(parser, FB_TOK_RIGHT_PAREN, open, "an operator or `)`");
    if (expr == NULL)
        return placeholder(parser, open);
    expr->parenthesised = true;
    return expr;
}

static struct fb_expr *parse_word(struct fb_parser *parser)
{
    struct fb_token token = parser->token;
    if (token.word == FB_WORD_NONE || token.word == FB_WORD_CEDAR)
        return parse_name(parser);
    if (token.word == FB_WORD_TRUE || token.word == FB_WORD_FALSE) {
        fb_parse_advance(parser);
        return make_bool(parser, &token);
    }
    if (token.word == FB_WORD_IF) {
        fb_parse_fault(parser, token.range, "parse.if", "an `if` behind an operator must stand in parentheses")->hint
            = FB_SPAN("write `(if … then … else …)`");
        return fb_parse_expr(parser);
    }
    fb_parse_unexpected(parser, "an expression");
    return NULL;
}

struct fb_expr *fb_parse_member(struct fb_parser *parser)
{
    uint32_t start = parser->token.range.start;
    struct fb_token token = parser->token;
    struct fb_expr *expr;
    if (fb_parse_at(parser, FB_TOK_IDENT)) {
        expr = parse_word(parser);
    } else if (fb_parse_take(parser, FB_TOK_NUMBER)) {
        expr = fb_parse_number(parser, &token, false);
    } else if (fb_parse_at(parser, FB_TOK_STRING)) {
        expr = parse_string(parser);
    } else if (fb_parse_at(parser, FB_TOK_LEFT_PAREN)) {
        expr = parse_parens(parser);
    } else if (fb_parse_at(parser, FB_TOK_LEFT_BRACKET)) {
        expr = parse_set(parser);
    } else if (fb_parse_at(parser, FB_TOK_LEFT_BRACE)) {
        expr = parse_record(parser);
    } else if (fb_parse_take(parser, FB_TOK_SLOT)) {
        fb_parse_fault(parser, token.range, "parse.slot", "`%.*s` cannot stand in a condition", (int)token.text.len,
                       token.text.ptr)
            ->hint = FB_SPAN("slots stand in the scope only, behind `==` or `in`");
        expr = placeholder(parser, token.range);
    } else {
        fb_parse_unexpected(parser, "an expression");
        return NULL;
    }
    return fb_parse_member_rest(parser, expr, start);
}
