/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_LEXER_H
#define FB_CEDAR_LEXER_H

#include "base/base.h"

/* Text → tokens, for policies and schemas.  Not for other parts.
 *
 * A fault in a token (a character of no token, an open string, …) is reported here; the lexer then
 * goes on with what was probably meant, so the parser sees whole tokens only. */

enum fb_token_kind {
#define FB_TOKEN(symbol, name) FB_TOK_##symbol,
#include "cedar/tokens.def"
#undef FB_TOKEN
    FB_TOKENS
};

/* The words that may not name an attribute, a type, a function or an entity. */
enum fb_word {
    FB_WORD_NONE,       /* not a reserved word */
    FB_WORD_TRUE, FB_WORD_FALSE, FB_WORD_IF, FB_WORD_THEN, FB_WORD_ELSE,
    FB_WORD_IN, FB_WORD_IS, FB_WORD_LIKE, FB_WORD_HAS,
    FB_WORD_CEDAR       /* __cedar */
};

struct fb_token {
    enum fb_token_kind kind;
    enum fb_word word;          /* of an IDENT */
    struct fb_range range;
    struct fb_span text;        /* as written; of a STRING what stands between its quotes */
};

struct fb_lexer {
    const struct fb_source *source;
    struct fb_diags *diags;
    uint32_t at;                /* offset of the next byte */
    bool schema;                /* `?` is a token of its own, slots are none */
    bool open_string;           /* one was reported: later strings end with their line */
    struct fb_range long_string;/* the last string that runs over a line end, for hints */
    uint32_t fault_at;          /* start of the last token in or before which a fault was reported */
};

/* False, with a diagnostic, when the text is too large or not UTF-8. */
bool fb_lexer_init(struct fb_lexer *lexer, const struct fb_source *source, bool schema, struct fb_diags *diags);
/* The next token; END for ever at the end. */
void fb_lexer_next(struct fb_lexer *lexer, struct fb_token *token);

/* How messages call a kind of token: "`(`", "a string", … */
const char *fb_token_name(enum fb_token_kind kind);
enum fb_word fb_word_of(struct fb_span text);

#endif
