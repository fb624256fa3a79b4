/* SPDX-License-Identifier: Apache-2.0 */

/* Expressions as documents, by the grammar of parse_expr.c and parse_member.c.  Where lines may break is
 * what the official formatter has made usual: behind `&&` and `||`, before a `.`, between the items of
 * lists; a condition, a pair of parentheses and a record are groups. */

#include "cedar/format.h"

static const struct fb_doc *space(struct fb_formatter *f)
{
    return fb_format_text(f, " ");
}

/* --- lists --- */

/* Items up to the closing bracket, which is not taken. */
static const struct fb_doc *format_items(struct fb_formatter *f, enum fb_token_kind close,
                                         const struct fb_doc *(*item)(struct fb_formatter *))
{
    const struct fb_doc *doc = NULL;
    while (!fb_format_at(f, close)) {
        doc = fb_format_join(f, doc, item(f));
        if (!fb_format_at(f, FB_TOK_COMMA))
            break;
        if (f->tokens[f->at + 1].token.kind == close) {
            doc = fb_format_join(f, doc, fb_format_drop(f));
            break;
        }
        doc = fb_format_join(f, doc, fb_format_take(f, NULL));
        doc = fb_format_join(f, doc, fb_format_line(f));
    }
    return doc;
}

static const struct fb_doc *format_init(struct fb_formatter *f)
{
    const struct fb_doc *doc = fb_format_take(f, NULL);
    doc = fb_format_join(f, doc, fb_format_take(f, NULL));
    return fb_format_join(f, doc, fb_format_join(f, space(f), fb_format_expr(f)));
}

static const struct fb_doc *format_set(struct fb_formatter *f)
{
    const struct fb_doc *doc = fb_format_take(f, NULL);
    const struct fb_doc *items = format_items(f, FB_TOK_RIGHT_BRACKET, fb_format_expr);
    doc = fb_format_join(f, doc, fb_doc_nest(f->arena, 1, items));
    return fb_format_join(f, doc, fb_format_take(f, NULL));
}

/* Comments at its braces are no reason to break a record. */
static const struct fb_doc *format_record(struct fb_formatter *f)
{
    const struct fb_doc *doc = fb_format_take(f, NULL);
    const struct fb_doc *inner = format_items(f, FB_TOK_RIGHT_BRACE, format_init);
    if (inner != NULL) {
        inner = fb_doc_nest(f->arena, f->indent, fb_format_join(f, fb_format_line(f), inner));
        inner = fb_format_join(f, inner, fb_format_line(f));
        doc = fb_format_join(f, doc, fb_doc_group(f->arena, inner));
    }
    return fb_format_join(f, doc, fb_format_take(f, NULL));
}

/* --- members --- */

const struct fb_doc *fb_format_name(struct fb_formatter *f)
{
    const struct fb_doc *doc = fb_format_take(f, NULL);
    while (fb_format_at(f, FB_TOK_PATH)) {
        doc = fb_format_join(f, doc, fb_format_take(f, NULL));
        doc = fb_format_join(f, doc, fb_format_take(f, NULL));  /* an identifier, or the id of a uid */
    }
    return doc;
}

static const struct fb_doc *format_primary(struct fb_formatter *f)
{
    if (fb_format_at(f, FB_TOK_LEFT_BRACKET))
        return format_set(f);
    if (fb_format_at(f, FB_TOK_LEFT_BRACE))
        return format_record(f);
    if (!fb_format_at(f, FB_TOK_LEFT_PAREN))
        return fb_format_name(f);
    const struct fb_doc *doc = fb_format_take(f, NULL);
    doc = fb_format_join(f, doc, fb_doc_nest(f->arena, 1, fb_format_expr(f)));
    return fb_doc_group(f->arena, fb_format_join(f, doc, fb_format_take(f, NULL)));
}

/* '(' … ')' behind a primary. */
static const struct fb_doc *format_call(struct fb_formatter *f)
{
    const struct fb_doc *doc = fb_format_take(f, NULL);
    if (fb_format_at(f, FB_TOK_RIGHT_PAREN))
        return fb_format_join(f, doc, fb_format_take(f, NULL));
    const struct fb_doc *args = fb_doc_line(f->arena, "");
    args = fb_format_join(f, args, format_items(f, FB_TOK_RIGHT_PAREN, fb_format_expr));
    doc = fb_format_join(f, doc, fb_doc_nest(f->arena, f->indent, args));
    doc = fb_format_join(f, doc, fb_doc_line(f->arena, ""));
    return fb_format_join(f, doc, fb_format_take(f, NULL));
}

/* '[' … ']' behind a primary. */
static const struct fb_doc *format_index(struct fb_formatter *f)
{
    const struct fb_doc *doc = fb_format_take(f, NULL);
    doc = fb_format_join(f, doc, fb_format_expr(f));
    return fb_format_join(f, doc, fb_format_take(f, NULL));
}

static bool at_access(const struct fb_formatter *f)
{
    return fb_format_at(f, FB_TOK_DOT) || fb_format_at(f, FB_TOK_LEFT_PAREN) || fb_format_at(f, FB_TOK_LEFT_BRACKET);
}

static const struct fb_doc *format_member(struct fb_formatter *f)
{
    const struct fb_doc *item = format_primary(f), *accesses = NULL;
    for (bool first = true; at_access(f); first = false) {
        if (!first)
            accesses = fb_format_join(f, accesses, fb_doc_line(f->arena, ""));
        const struct fb_doc *access = NULL;
        if (fb_format_at(f, FB_TOK_DOT)) {
            access = fb_format_take(f, NULL);
            access = fb_format_join(f, access, fb_format_take(f, NULL));
        } else {
            access = fb_format_at(f, FB_TOK_LEFT_PAREN) ? format_call(f) : format_index(f);
        }
        accesses = fb_format_join(f, accesses, access);
    }
    return fb_doc_group(f->arena, fb_format_join(f, item, fb_doc_nest(f->arena, f->indent, accesses)));
}

/* --- operators --- */

static const struct fb_doc *format_unary(struct fb_formatter *f)
{
    const struct fb_doc *doc = NULL;
    while (fb_format_at(f, FB_TOK_NOT) || fb_format_at(f, FB_TOK_MINUS))
        doc = fb_format_join(f, doc, fb_format_take(f, NULL));
    return fb_format_join(f, doc, format_member(f));
}

/* ` op` and a place to break, then the next operand. */
static const struct fb_doc *format_infix(struct fb_formatter *f, const struct fb_doc *left,
                                         const struct fb_doc *(*operand)(struct fb_formatter *))
{
    const struct fb_doc *doc = fb_format_join(f, left, space(f));
    doc = fb_format_join(f, doc, fb_format_take(f, NULL));
    doc = fb_format_join(f, doc, fb_format_line(f));
    return fb_format_join(f, doc, operand(f));
}

static const struct fb_doc *format_mult(struct fb_formatter *f)
{
    const struct fb_doc *doc = format_unary(f);
    while (fb_format_at(f, FB_TOK_STAR))
        doc = format_infix(f, doc, format_unary);
    return fb_doc_group(f->arena, doc);
}

const struct fb_doc *fb_format_add(struct fb_formatter *f)
{
    const struct fb_doc *doc = format_mult(f);
    while (fb_format_at(f, FB_TOK_PLUS) || fb_format_at(f, FB_TOK_MINUS))
        doc = format_infix(f, doc, format_mult);
    return fb_doc_group(f->arena, doc);
}

/* Behind the left operand, at `has` or `like`. */
static const struct fb_doc *format_has(struct fb_formatter *f, const struct fb_doc *left)
{
    const struct fb_doc *doc = fb_format_join(f, left, fb_format_line(f));
    doc = fb_format_join(f, doc, fb_format_take(f, NULL));
    doc = fb_format_join(f, doc, fb_format_line(f));
    doc = fb_format_join(f, doc, fb_doc_nest(f->arena, f->indent, fb_format_add(f)));
    return fb_doc_group(f->arena, doc);
}

static const struct fb_doc *format_is(struct fb_formatter *f, const struct fb_doc *left)
{
    const struct fb_doc *doc = fb_format_join(f, left, space(f));
    doc = fb_format_join(f, doc, fb_format_take(f, NULL));
    doc = fb_format_join(f, doc, space(f));
    doc = fb_format_join(f, doc, fb_doc_nest(f->arena, f->indent, fb_format_name(f)));
    if (fb_format_at_word(f, FB_WORD_IN)) {
        doc = fb_format_join(f, doc, fb_format_line(f));
        doc = fb_format_join(f, doc, fb_format_take(f, NULL));
        doc = fb_format_join(f, doc, space(f));
        doc = fb_format_join(f, doc, fb_doc_nest(f->arena, f->indent, fb_format_add(f)));
    }
    return fb_doc_group(f->arena, doc);
}

static bool at_relation(const struct fb_formatter *f)
{
    enum fb_token_kind kind = f->tokens[f->at].token.kind;
    return kind == FB_TOK_EQ || kind == FB_TOK_NE || kind == FB_TOK_LT || kind == FB_TOK_LE || kind == FB_TOK_GT
           || kind == FB_TOK_GE || fb_format_at_word(f, FB_WORD_IN);
}

static const struct fb_doc *format_relation(struct fb_formatter *f)
{
    const struct fb_doc *doc = fb_format_add(f);
    if (fb_format_at_word(f, FB_WORD_HAS) || fb_format_at_word(f, FB_WORD_LIKE))
        return format_has(f, doc);
    if (fb_format_at_word(f, FB_WORD_IS))
        return format_is(f, doc);
    if (!at_relation(f))
        return doc;
    doc = fb_format_join(f, doc, space(f));
    doc = fb_format_join(f, doc, fb_format_take(f, NULL));
    doc = fb_format_join(f, doc, space(f));
    return fb_format_join(f, doc, fb_format_add(f));
}

/* Operands of `&&` or `||`: all on one line or each on its own, as the group around them has it. */
static const struct fb_doc *format_logic(struct fb_formatter *f, enum fb_token_kind kind,
                                         const struct fb_doc *(*operand)(struct fb_formatter *))
{
    const struct fb_doc *doc = operand(f);
    while (fb_format_at(f, kind)) {
        doc = fb_format_join(f, doc, space(f));
        doc = fb_format_join(f, doc, fb_format_take(f, fb_format_line(f)));
        doc = fb_format_join(f, doc, operand(f));
    }
    return doc;
}

static const struct fb_doc *format_and(struct fb_formatter *f)
{
    return format_logic(f, FB_TOK_AND, format_relation);
}

/* `if`, `then` or `else` with what follows it. */
static const struct fb_doc *format_part(struct fb_formatter *f)
{
    const struct fb_doc *word = fb_format_take(f, NULL);
    const struct fb_doc *rest = fb_format_join(f, fb_format_line(f), fb_format_expr(f));
    return fb_format_join(f, word, fb_doc_nest(f->arena, f->indent, rest));
}

const struct fb_doc *fb_format_expr(struct fb_formatter *f)
{
    if (!fb_format_at_word(f, FB_WORD_IF))
        return format_logic(f, FB_TOK_OR, format_and);
    const struct fb_doc *doc = format_part(f);
    for (int i = 0; i < 2; i++) {
        doc = fb_format_join(f, doc, fb_format_line(f));
        doc = fb_format_join(f, doc, format_part(f));
    }
    return fb_doc_group(f->arena, doc);
}
