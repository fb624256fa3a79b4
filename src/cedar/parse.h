/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_PARSE_H
#define FB_CEDAR_PARSE_H

#include "cedar/cedar.h"
#include "cedar/lexer.h"
#include "cedar/literal.h"

/* The machinery that the parsers of policies, expressions and schemas share: one token of
 * lookahead, faults, recovery, names.  Not for other parts.
 *
 * Recovery: a fault of syntax is reported where it stands; the parser then skips to where the
 * innermost bracket, list item, declaration or policy ends, and goes on from there.  A fault of
 * meaning (an unknown method) skips nothing.  At most one fault of syntax is reported a token. */

struct fb_parser {
    struct fb_lexer lexer;
    struct fb_token token;          /* the next one, not yet taken */
    uint32_t last_start, last_end;  /* where the last one taken stood */
    uint32_t depth;                 /* of brackets and `if`s */
    uint32_t fault_at;              /* start of the last token with a fault of syntax; UINT32_MAX */
    size_t echoes;                  /* faults that were not reported since one stood there already */
    const struct fb_source *source;
    struct fb_diags *diags;
    size_t errors_before;           /* in diags, from other texts */
    struct fb_arena *arena;
    struct fb_diag scratch;         /* what a fault that is not reported is written to */
};

/* False when the text cannot be read at all (reported). */
bool fb_parser_init(struct fb_parser *parser, struct fb_arena *arena, const struct fb_source *source, bool schema,
                    struct fb_diags *diags);
/* At the end: reports that memory was short, if it was. */
void fb_parse_finish(struct fb_parser *parser);

/* --- tokens --- */
void fb_parse_advance(struct fb_parser *parser);
static inline bool fb_parse_at(const struct fb_parser *parser, enum fb_token_kind kind)
{
    return parser->token.kind == kind;
}
/* An identifier, reserved or not, of that text? */
bool fb_parse_at_word(const struct fb_parser *parser, const char *word);
/* Takes the token if it is of that kind. */
bool fb_parse_take(struct fb_parser *parser, enum fb_token_kind kind);
bool fb_parse_take_word(struct fb_parser *parser, const char *word);
/* Takes it, or reports "expected `kind`", and recovers nothing. */
bool fb_parse_expect(struct fb_parser *parser, enum fb_token_kind kind, const char *where);

/* --- faults --- */
/* Would a fault of syntax at the next token only echo one that was reported there, or just before it
 * by the lexer? */
bool fb_parse_is_echo(const struct fb_parser *parser);
/* A fault at the next token: "expected …, found …".  A scratch diagnostic if one of syntax was
 * reported there already. */
struct fb_diag *fb_parse_unexpected(struct fb_parser *parser, const char *expected);
struct fb_diag *fb_parse_fault(struct fb_parser *parser, struct fb_range range, const char *code, const char *format,
                               ...) __attribute__((format(printf, 4, 5)));
void fb_parse_hint(struct fb_parser *parser, struct fb_diag *diag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "did you mean `x`?", if any candidate is near; else the given text (NULL: nothing). */
void fb_parse_hint_near(struct fb_parser *parser, struct fb_diag *diag, struct fb_span word,
                        const struct fb_span *candidates, size_t count, const char *otherwise);

/* --- recovery --- */
/* Skips to the end of the innermost bracket: before a closing one without its opening, before `;`,
 * the start of a policy, or the end; with `list` also before a `,` of this level. */
void fb_parse_skip(struct fb_parser *parser, bool list);
/* The closing bracket `kind` for one opened at `open`; else reports what was expected, skips to
 * the end of the bracket, and takes the closing one if it is there. */
void fb_parse_close(struct fb_parser *parser, enum fb_token_kind kind, struct fb_range open, const char *expected);
/* One level deeper.  False, reported, at the limit: the caller then takes nothing and fails. */
bool fb_parse_enter(struct fb_parser *parser);
static inline void fb_parse_leave(struct fb_parser *parser)
{
    parser->depth--;
}
/* Is that the first byte behind the next token, white space aside? */
bool fb_parse_follows(const struct fb_parser *parser, char byte);
/* At the end of a reader: the diagnostics from the given one on, in the order of their places. */
void fb_parse_sort(struct fb_diags *diags, size_t from);
/* Does a policy begin at the next token?  (`permit` or `forbid` before a parenthesis, or `@`.) */
bool fb_parse_at_policy(const struct fb_parser *parser);

/* --- names and literals --- */
/* An identifier was read as a name: reserved ones are reported.  `cedar_too`: `__cedar` is one. */
void fb_parse_check_name(struct fb_parser *parser, const struct fb_token *token);
/* The rest of a path whose first identifier was taken: `::` IDENT …, normalised into *name, with
 * every part checked.  Stops behind a `::` that no identifier follows, and returns true then. */
bool fb_parse_path_rest(struct fb_parser *parser, const struct fb_token *first, struct fb_span *name);
/* An entity type behind `is`.  False after a fault of syntax. */
bool fb_parse_type(struct fb_parser *parser, struct fb_span *name);
struct fb_literal fb_parse_literal(const struct fb_parser *parser);
/* `Action`, or it in a namespace? */
bool fb_is_action_type(struct fb_span type);
/* A uid of a name and a string token; limits are reported, and NULL given. */
const struct fb_uid *fb_parse_uid(struct fb_parser *parser, struct fb_span type, const struct fb_token *id,
                                  struct fb_range range);
/* {'@' key ['(' string ')']} into an array.  Reports keys given twice. */
const struct fb_annotation *fb_parse_annotations(struct fb_parser *parser, uint32_t *count);

/* --- expressions (parse_expr.c, parse_member.c) --- */
/* NULL after a fault of syntax, reported; the caller recovers. */
struct fb_expr *fb_parse_expr(struct fb_parser *parser);
struct fb_expr *fb_parse_add(struct fb_parser *parser);
struct fb_expr *fb_parse_member(struct fb_parser *parser);
/* What may follow a primary that began at `start`: attributes, indexes, methods. */
struct fb_expr *fb_parse_member_rest(struct fb_parser *parser, struct fb_expr *primary, uint32_t start);
/* `a contains b`: a method's name between two operands, reported and taken. */
bool fb_parse_infix_method(struct fb_parser *parser);
/* A literal of a number token; `negative`: a minus stands before it. */
struct fb_expr *fb_parse_number(struct fb_parser *parser, const struct fb_token *token, bool negative);
/* Nodes.  Both give NULL without memory; finish sets range, height and spine and reports limits. */
struct fb_expr *fb_expr_new(struct fb_parser *parser, enum fb_expr_kind kind, struct fb_range mark);
struct fb_expr *fb_expr_finish(struct fb_parser *parser, struct fb_expr *expr, uint32_t start);

/* --- policies (parse_policy.c, parse_scope.c) --- */
/* Reads the scope between its parentheses, which it takes too. */
void fb_parse_scope(struct fb_parser *parser, struct fb_policy *policy);
/* One policy, at the first token of which the parser stands.  NULL if it has a fault. */
struct fb_policy *fb_parse_policy(struct fb_parser *parser);

#endif
