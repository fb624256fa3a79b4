/* SPDX-License-Identifier: Apache-2.0 */

/* Expressions from `if` down to unary operators; operands are parse_member.c's.
 *
 *   Expr     ::= Or | 'if' Expr 'then' Expr 'else' Expr
 *   Or       ::= And {'||' And}            And ::= Relation {'&&' Relation}
 *   Relation ::= Add [RelOp Add] | Add 'has' … | Add 'like' … | Add 'is' Path ['in' Add]
 *   Add      ::= Mult {('+'|'-') Mult}     Mult ::= Unary {'*' Unary}
 *   Unary    ::= ['!'{1..4} | '-'{1..4}] Member
 *
 * Words of other languages (`and`, `=`, …) are reported and then taken for Cedar's.  All recursion
 * goes through fb_parse_expr, which counts its depth. */

#include "cedar/parse.h"


/* --- nodes --- */

struct fb_expr *fb_expr_new(struct fb_parser *parser, enum fb_expr_kind kind, struct fb_range mark)
{
    struct fb_expr *expr = fb_arena_alloc(parser->arena, sizeof *expr);
    if (expr != NULL) {
        expr->kind = kind;
        expr->mark = mark;
    }
    return expr;
}

struct fb_expr *fb_expr_finish(struct fb_parser *parser, struct fb_expr *expr, uint32_t start)
{
    if (expr == NULL)
        return NULL;
    expr->range = (struct fb_range){start, parser->last_end};
    if (fb_expr_measure(expr))
        return expr;
    if (expr->height > FB_EXPR_HEIGHT)
        fb_parse_fault(parser, expr->mark, "parse.too_deep", "the expression is more than %u levels deep",
                       FB_EXPR_HEIGHT);
    else
        fb_parse_fault(parser, expr->mark, "parse.too_long", "more than %u operators in a row", FB_EXPR_SPINE);
    parser->fault_at = parser->token.range.start;
    return NULL;
}

static struct fb_expr *binary(struct fb_parser *parser, enum fb_expr_kind kind, struct fb_range mark, uint32_t start,
                              const struct fb_expr *left, const struct fb_expr *right)
{
    struct fb_expr *expr = left != NULL && right != NULL ? fb_expr_new(parser, kind, mark) : NULL;
    if (expr == NULL)
        return NULL;
    expr->left = left;
    expr->right = right;
    return fb_expr_finish(parser, expr, start);
}

/* --- unary, *, + --- */

#define UNARY_MAX 4u

/* The operators; all are of the kind returned.  What goes beyond the rule is reported and dropped. */
static enum fb_token_kind parse_unary_operators(struct fb_parser *parser, struct fb_range *marks, uint32_t *count)
{
    enum fb_token_kind kind = parser->token.kind;
    bool reported = false;
    *count = 0;
    while (fb_parse_at(parser, FB_TOK_NOT) || fb_parse_at(parser, FB_TOK_MINUS)) {
        struct fb_range range = parser->token.range;
        if (fb_parse_at(parser, kind) && *count < UNARY_MAX) {
            marks[(*count)++] = range;
        } else if (!reported) {
            reported = true;
            if (fb_parse_at(parser, kind))
                fb_parse_fault(parser, range, "parse.unary", "more than %u operators %s in a row", UNARY_MAX,
                               fb_token_name(kind))
                    ->hint = FB_SPAN("two of them cancel each other");
            else
                fb_parse_fault(parser, range, "parse.unary", "`!` and `-` may not follow each other")
                    ->hint = FB_SPAN("put the inner one in parentheses");
        }
        fb_parse_advance(parser);
    }
    return kind;
}

/* What `-` is in front of.  A number alone becomes a negative literal, which is how the least
 * integer can be written. */
static struct fb_expr *parse_negated(struct fb_parser *parser, bool *literal)
{
    struct fb_token number = parser->token;
    *literal = false;
    if (!fb_parse_take(parser, FB_TOK_NUMBER))
        return fb_parse_member(parser);
    *literal = !fb_parse_at(parser, FB_TOK_DOT) && !fb_parse_at(parser, FB_TOK_LEFT_BRACKET)
               && !fb_parse_at(parser, FB_TOK_LEFT_PAREN);
    struct fb_expr *expr = fb_parse_number(parser, &number, *literal);
    return fb_parse_member_rest(parser, expr, number.range.start);
}

static struct fb_expr *parse_unary(struct fb_parser *parser)
{
    if (!fb_parse_at(parser, FB_TOK_NOT) && !fb_parse_at(parser, FB_TOK_MINUS))
        return fb_parse_member(parser);
    struct fb_range marks[UNARY_MAX];
    uint32_t count;
    bool literal = false;
    enum fb_token_kind kind = parse_unary_operators(parser, marks, &count);
    struct fb_expr *expr = kind == FB_TOK_MINUS ? parse_negated(parser, &literal) : fb_parse_member(parser);
    if (literal && expr != NULL) {
        expr->mark.start = marks[--count].start;
        expr->range.start = expr->mark.start;
    }
    while (expr != NULL && count-- > 0) {
        struct fb_expr *outer = fb_expr_new(parser, kind == FB_TOK_NOT ? FB_E_NOT : FB_E_NEG, marks[count]);
        if (outer == NULL)
            return NULL;
        outer->left = expr;
        expr = fb_expr_finish(parser, outer, marks[count].start);
    }
    return expr;
}

static struct fb_expr *parse_mult(struct fb_parser *parser)
{
    uint32_t start = parser->token.range.start;
    struct fb_expr *left = parse_unary(parser);
    while (left != NULL
           && (fb_parse_at(parser, FB_TOK_STAR) || fb_parse_at(parser, FB_TOK_SLASH)
               || fb_parse_at(parser, FB_TOK_PERCENT))) {
        struct fb_range mark = parser->token.range;
        if (!fb_parse_at(parser, FB_TOK_STAR))
            fb_parse_fault(parser, mark, "parse.unsupported_operator", "Cedar has no %s",
                           fb_parse_at(parser, FB_TOK_SLASH) ? "division" : "remainder");
        fb_parse_advance(parser);
        left = binary(parser, FB_E_MUL, mark, start, left, parse_unary(parser));
    }
    return left;
}

struct fb_expr *fb_parse_add(struct fb_parser *parser)
{
    uint32_t start = parser->token.range.start;
    struct fb_expr *left = parse_mult(parser);
    while (left != NULL && (fb_parse_at(parser, FB_TOK_PLUS) || fb_parse_at(parser, FB_TOK_MINUS))) {
        enum fb_expr_kind kind = fb_parse_at(parser, FB_TOK_PLUS) ? FB_E_ADD : FB_E_SUB;
        struct fb_range mark = parser->token.range;
        fb_parse_advance(parser);
        left = binary(parser, kind, mark, start, left, parse_mult(parser));
    }
    return left;
}

/* --- relations --- */

/* Behind `has`: a string, or identifiers joined by dots. */
static struct fb_expr *parse_has(struct fb_parser *parser, struct fb_expr *left, uint32_t start)
{
    struct fb_expr *expr = fb_expr_new(parser, FB_E_HAS, parser->token.range);
    if (expr == NULL)
        return NULL;
    expr->left = left;
    size_t count = 0, capacity = 0;
    bool more = true;
    expr->indexed = fb_parse_at(parser, FB_TOK_STRING);
    while (more) {
        struct fb_token token = parser->token;
        if (!fb_parse_at(parser, FB_TOK_IDENT) && !(count == 0 && expr->indexed)) {
            fb_parse_unexpected(parser, "the name of an attribute")->hint
                = FB_SPAN("write `has name`, `has a.b.c` or `has \"any text\"`");
            return NULL;
        }
        fb_parse_advance(parser);
        fb_parse_check_name(parser, &token);
        struct fb_span *names = fb_arena_grow(parser->arena, expr->names, count, &capacity, sizeof *names);
        if (names == NULL)
            return NULL;
        expr->names = names;
        struct fb_literal literal = fb_parse_literal(parser);
        names[count++] = expr->indexed ? fb_literal_string(&literal, token.text) : token.text;
        more = !expr->indexed && count < FB_CEDAR_HAS && fb_parse_take(parser, FB_TOK_DOT);
    }
    expr->count = (uint32_t)count;
    expr->mark.end = parser->last_end;
    if (fb_parse_at(parser, FB_TOK_DOT) && count == FB_CEDAR_HAS) {
        fb_parse_fault(parser, expr->mark, "parse.too_long", "more than %u names behind one `has`", FB_CEDAR_HAS);
        return NULL;
    }
    if (fb_parse_at(parser, FB_TOK_PATH) || fb_parse_at(parser, FB_TOK_LEFT_BRACKET) || fb_parse_at(parser, FB_TOK_DOT)
        || fb_parse_at(parser, FB_TOK_LEFT_PAREN)) {
        fb_parse_unexpected(parser, "the end of the `has`")->hint
            = FB_SPAN("write `has name`, `has a.b.c` or `has \"any text\"`");
        return NULL;
    }
    return fb_expr_finish(parser, expr, start);
}

static struct fb_expr *parse_like(struct fb_parser *parser, struct fb_expr *left, uint32_t start, struct fb_range mark)
{
    struct fb_expr *expr = fb_expr_new(parser, FB_E_LIKE, mark);
    struct fb_span raw = parser->token.text;
    if (!fb_parse_take(parser, FB_TOK_STRING)) {
        fb_parse_unexpected(parser, "a pattern in double quotes behind `like`");
        return NULL;
    }
    struct fb_literal literal = fb_parse_literal(parser);
    const struct fb_pattern *pattern = fb_literal_pattern(&literal, raw);
    if (expr == NULL || pattern == NULL)
        return NULL;
    expr->left = left;
    expr->pattern = pattern;
    return fb_expr_finish(parser, expr, start);
}

static struct fb_expr *parse_is(struct fb_parser *parser, struct fb_expr *left, uint32_t start)
{
    struct fb_token first = parser->token;
    struct fb_expr *expr = fb_expr_new(parser, FB_E_IS, first.range);
    if (expr == NULL || !fb_parse_type(parser, &expr->text))
        return NULL;
    expr->mark.end = parser->last_end;
    expr->left = left;
    if (fb_parse_take_word(parser, "in")) {
        expr->right = fb_parse_add(parser);
        if (expr->right == NULL)
            return NULL;
    }
    return fb_expr_finish(parser, expr, start);
}

/* Two signs that touch, and are one operator elsewhere; `=` alone is the last. */
static const struct {
    enum fb_token_kind first, second;
    enum fb_expr_kind meant;
    const char *hint;
} foreign[] = {
    {FB_TOK_EQ, FB_TOK_ASSIGN, FB_E_EQ, "use `==`"},    {FB_TOK_NE, FB_TOK_ASSIGN, FB_E_NE, "use `!=`"},
    {FB_TOK_LT, FB_TOK_GT, FB_E_NE, "use `!=`"},        {FB_TOK_ASSIGN, FB_TOK_LT, FB_E_LE, "use `<=`"},
    {FB_TOK_ASSIGN, FB_TOK_GT, FB_E_GE, "use `>=`"},    {FB_TOK_ASSIGN, FB_TOK_END, FB_E_EQ, "use `==`"},
};
#define FOREIGN (sizeof foreign / sizeof *foreign)

/* Behind a sign: reports it if, with the next one, it is an operator of other languages. */
static void check_foreign(struct fb_parser *parser, const struct fb_token *first, enum fb_expr_kind *kind)
{
    bool touches = parser->token.range.start == first->range.end;
    size_t i = 0;
    while (i < FOREIGN && !(first->kind == foreign[i].first && touches && fb_parse_at(parser, foreign[i].second)))
        i++;
    if (i < FOREIGN && foreign[i].second != FB_TOK_END)
        fb_parse_advance(parser);
    else if (first->kind == FB_TOK_ASSIGN)
        i = FOREIGN - 1;
    else
        return;
    *kind = foreign[i].meant;
    struct fb_range range = {first->range.start, parser->last_end};
    const char *text = parser->source->text.ptr + range.start;
    fb_parse_fault(parser, range, "parse.unknown_operator", "`%.*s` is no operator", (int)(range.end - range.start), text)
        ->hint = fb_span_z(foreign[i].hint);
}

/* A comparison at the next token, taken.  False: none stands there. */
static bool take_comparison(struct fb_parser *parser, enum fb_expr_kind *kind)
{
    static const struct {
        enum fb_token_kind token;
        enum fb_expr_kind kind;
    } table[] = {{FB_TOK_EQ, FB_E_EQ}, {FB_TOK_NE, FB_E_NE}, {FB_TOK_LT, FB_E_LT}, {FB_TOK_LE, FB_E_LE},
                 {FB_TOK_GT, FB_E_GT}, {FB_TOK_GE, FB_E_GE}, {FB_TOK_ASSIGN, FB_E_EQ}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fb_token first = parser->token;
        if (!fb_parse_take(parser, table[i].token))
            continue;
        *kind = table[i].kind;
        check_foreign(parser, &first, kind);
        return true;
    }
    *kind = FB_E_IN;
    return fb_parse_take_word(parser, "in");
}

/* One relation with its left side at hand; `left` itself when none follows. */
static struct fb_expr *parse_relation_rest(struct fb_parser *parser, struct fb_expr *left, uint32_t start, bool *found)
{
    struct fb_range mark = parser->token.range;
    enum fb_expr_kind kind;
    *found = true;
    if (fb_parse_take_word(parser, "has"))
        return parse_has(parser, left, start);
    if (fb_parse_take_word(parser, "like"))
        return parse_like(parser, left, start, mark);
    if (fb_parse_take_word(parser, "is"))
        return parse_is(parser, left, start);
    if (take_comparison(parser, &kind)) {
        mark.end = parser->last_end;
        return binary(parser, kind, mark, start, left, fb_parse_add(parser));
    }
    if (fb_parse_infix_method(parser))
        return binary(parser, FB_E_CONTAINS, mark, start, left, fb_parse_add(parser));
    *found = false;
    return left;
}

static struct fb_expr *parse_relation(struct fb_parser *parser)
{
    uint32_t start = parser->token.range.start;
    bool found;
    struct fb_expr *left = fb_parse_add(parser);
    if (left == NULL)
        return NULL;
    struct fb_expr *relation = parse_relation_rest(parser, left, start, &found);
    bool reported = false;
    while (relation != NULL && found) {
        struct fb_range mark = parser->token.range;
        struct fb_expr *next = parse_relation_rest(parser, left, start, &found);
        if (found && !reported) {
            reported = true;
            fb_parse_fault(parser, mark, "parse.chained_comparison", "comparisons do not chain")->hint
                = FB_SPAN("join two comparisons with `&&`, or use parentheses");
        }
        if (next == NULL)
            return NULL;
    }
    return relation;
}

/* --- && and || --- */

/* Takes `sign`, or the word that other languages have for it, which is reported. */
static bool take_junction(struct fb_parser *parser, enum fb_token_kind sign, const char *word, const char *upper)
{
    if (fb_parse_take(parser, sign))
        return true;
    if (!fb_parse_at_word(parser, word) && !fb_parse_at_word(parser, upper))
        return false;
    struct fb_diag *diag = fb_parse_fault(parser, parser->token.range, "parse.unknown_operator",
                                          "`%.*s` is no operator", (int)parser->token.text.len, parser->token.text.ptr);
    fb_parse_hint(parser, diag, "use %s", fb_token_name(sign));
    fb_parse_advance(parser);
    return true;
}

static struct fb_expr *parse_and(struct fb_parser *parser)
{
    uint32_t start = parser->token.range.start;
    struct fb_expr *left = parse_relation(parser);
    while (left != NULL) {
        struct fb_range mark = parser->token.range;
        if (!take_junction(parser, FB_TOK_AND, "and", "AND"))
            break;
        left = binary(parser, FB_E_AND, mark, start, left, parse_relation(parser));
    }
    return left;
}

static struct fb_expr *parse_or(struct fb_parser *parser)
{
    uint32_t start = parser->token.range.start;
    struct fb_expr *left = parse_and(parser);
    while (left != NULL) {
        struct fb_range mark = parser->token.range;
        if (!take_junction(parser, FB_TOK_OR, "or", "OR"))
            break;
        left = binary(parser, FB_E_OR, mark, start, left, parse_and(parser));
    }
    return left;
}

/* --- if --- */

static struct fb_expr *parse_if(struct fb_parser *parser)
{
    struct fb_token token = parser->token;
    fb_parse_advance(parser);
    struct fb_expr *expr = fb_expr_new(parser, FB_E_IF, token.range);
    if (expr == NULL)
        return NULL;
    static const char *const words[] = {"then", "else"};
    const struct fb_expr *parts[3];
    for (int i = 0; i < 3; i++) {
        if (i > 0 && !fb_parse_take_word(parser, words[i - 1])) {
            struct fb_diag *diag =
                fb_parse_unexpected(parser, i == 1 ? "an operator or `then`" : "an operator or `else`");
            diag->other = parser->source;
            diag->other_range = token.range;
            diag->other_message = FB_SPAN("of this `if`");
            return NULL;
        }
        parts[i] = fb_parse_expr(parser);
        if (parts[i] == NULL)
            return NULL;
    }
    expr->left = parts[0];
    expr->right = parts[1];
    expr->third = parts[2];
    return fb_expr_finish(parser, expr, token.range.start);
}

struct fb_expr *fb_parse_expr(struct fb_parser *parser)
{
    if (!fb_parse_enter(parser))
        return NULL;
    bool is_if = fb_parse_at(parser, FB_TOK_IDENT) && parser->token.word == FB_WORD_IF;
    struct fb_expr *expr = is_if ? parse_if(parser) : parse_or(parser);
    fb_parse_leave(parser);
    return expr;
}

const struct fb_expr *fb_expr_read(struct fb_arena *arena, const struct fb_source *source, struct fb_diags *diags)
{
    struct fb_parser parser;
    size_t errors = diags->errors, from = diags->count;
    if (!fb_parser_init(&parser, arena, source, false, diags))
        return NULL;
    struct fb_expr *expr = fb_parse_expr(&parser);
    if (expr != NULL && !fb_parse_at(&parser, FB_TOK_END))
        fb_parse_unexpected(&parser, "an operator or the end of the expression");
    fb_parse_finish(&parser);
    fb_parse_sort(diags, from);
    return diags->errors == errors ? expr : NULL;
}
