/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_FORMAT_H
#define FB_CEDAR_FORMAT_H

#include "cedar/layout.h"
#include "cedar/parse.h"

/* What the two files of the formatter share.  Not for other parts.
 *
 *   format.c        a text as a whole; policies
 *   format_expr.c   expressions
 *
 * The formatter goes through the tokens of a text that is known to parse, and so needs no tree: each
 * token is written where its turn is, with the comments that stand at it. */

struct fb_format_token {
    struct fb_token token;
    struct fb_span *leading;        /* comments on lines of their own before it */
    uint32_t leading_count;
    struct fb_span trailing;        /* one behind it on its line; empty: none */
};

struct fb_formatter {
    struct fb_arena *arena;         /* of the policy being formatted */
    struct fb_format_token *tokens; /* comments that were written out of turn are taken from them */
    size_t at;                      /* the next one */
    uint32_t indent;
};

/* Documents of the formatter's arena. */
static inline const struct fb_doc *fb_format_text(struct fb_formatter *f, const char *text)
{
    return fb_doc_text(f->arena, fb_span_z(text));
}
static inline const struct fb_doc *fb_format_join(struct fb_formatter *f, const struct fb_doc *first,
                                                  const struct fb_doc *second)
{
    return fb_doc_join(f->arena, first, second);
}
static inline const struct fb_doc *fb_format_line(struct fb_formatter *f)
{
    return fb_doc_line(f->arena, " ");
}

/* Comments as documents: those before it on lines of their own; that behind it, which ends its line, or
 * `otherwise` if there is none. */
const struct fb_doc *fb_format_leading(struct fb_formatter *f, const struct fb_format_token *token);
const struct fb_doc *fb_format_trailing(struct fb_formatter *f, const struct fb_format_token *token,
                                        const struct fb_doc *otherwise);
/* The text alone. */
const struct fb_doc *fb_format_bare(struct fb_formatter *f, const struct fb_format_token *token);
/* The next token, taken: its text between its comments. */
const struct fb_doc *fb_format_take(struct fb_formatter *f, const struct fb_doc *otherwise);
/* The next token is taken and left out, but for its comments: a comma before a closing bracket. */
const struct fb_doc *fb_format_drop(struct fb_formatter *f);

static inline bool fb_format_at(const struct fb_formatter *f, enum fb_token_kind kind)
{
    return f->tokens[f->at].token.kind == kind;
}
bool fb_format_at_word(const struct fb_formatter *f, enum fb_word word);

/* An expression at the next token, taken. */
const struct fb_doc *fb_format_expr(struct fb_formatter *f);
/* An operand without `&&`, `||` and relations: what a scope compares with. */
const struct fb_doc *fb_format_add(struct fb_formatter *f);
/* A type's name: IDENT {'::' IDENT}. */
const struct fb_doc *fb_format_name(struct fb_formatter *f);

#endif
