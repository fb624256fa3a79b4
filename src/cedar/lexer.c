/* SPDX-License-Identifier: Apache-2.0 */

/* Text → tokens.  The rules are Cedar's: only `//` comments, Unicode white space between tokens,
 * ASCII identifiers, strings that may hold raw newlines.  Unescaping is literal.c's; what the
 * tokens mean together is the parsers'.
 *
 * Every byte is looked at a bounded number of times: a string without its closing quote is searched
 * to the end of the text once, and from then on strings end with their line. */

#include "cedar/lexer.h"

#include "cedar/cedar.h"

static const char *const token_names[FB_TOKENS] = {
#define FB_TOKEN(symbol, name) [FB_TOK_##symbol] = (name),
#include "cedar/tokens.def"
#undef FB_TOKEN
};

const char *fb_token_name(enum fb_token_kind kind)
{
    return token_names[kind];
}

enum fb_word fb_word_of(struct fb_span text)
{
    static const struct {
        struct fb_span text;
        enum fb_word word;
    } words[] = {
        {FB_SPAN_INIT("true"), FB_WORD_TRUE}, {FB_SPAN_INIT("false"), FB_WORD_FALSE},
        {FB_SPAN_INIT("if"), FB_WORD_IF}, {FB_SPAN_INIT("then"), FB_WORD_THEN},
        {FB_SPAN_INIT("else"), FB_WORD_ELSE}, {FB_SPAN_INIT("in"), FB_WORD_IN},
        {FB_SPAN_INIT("is"), FB_WORD_IS}, {FB_SPAN_INIT("like"), FB_WORD_LIKE},
        {FB_SPAN_INIT("has"), FB_WORD_HAS}, {FB_SPAN_INIT("__cedar"), FB_WORD_CEDAR},
    };
    /* Every identifier comes by here, and most are longer. */
    for (size_t i = 0; text.len <= sizeof "__cedar" - 1 && i < sizeof words / sizeof *words; i++)
        if (fb_span_eq(text, words[i].text))
            return words[i].word;
    return FB_WORD_NONE;
}

bool fb_lexer_init(struct fb_lexer *lexer, const struct fb_source *source, bool schema, struct fb_diags *diags)
{
    *lexer = (struct fb_lexer){.source = source, .diags = diags, .schema = schema, .fault_at = UINT32_MAX};
    if (source->text.len > FB_CEDAR_TEXT_MAX) {
        fb_diag_add(diags, FB_ERROR, "parse.too_large", source, (struct fb_range){0, 0},
                    "the text has %zu bytes; at most %u are read", source->text.len, FB_CEDAR_TEXT_MAX);
        return false;
    }
    size_t valid = fb_utf8_valid(source->text);
    if (valid < source->text.len) {
        struct fb_range range = {(uint32_t)valid, (uint32_t)valid + 1};
        fb_diag_add(diags, FB_ERROR, "parse.not_utf8", source, range, "the text is not UTF-8: byte 0x%02x",
                    (unsigned)(unsigned char)source->text.ptr[valid])
            ->hint = FB_SPAN("save the file as UTF-8");
        return false;
    }
    return true;
}

/* The byte at an offset, or 0 behind the end (a real NUL is no token either). */
static unsigned char byte_at(const struct fb_lexer *lexer, size_t offset)
{
    return offset < lexer->source->text.len ? (unsigned char)lexer->source->text.ptr[offset] : 0;
}

static bool is_start(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Unicode's White_Space property. */
static bool is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680
           || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f
           || c == 0x3000;
}

static struct fb_diag *fault(struct fb_lexer *lexer, uint32_t start, uint32_t end, const char *code,
                             const char *message)
{
    return fb_diag_add(lexer->diags, FB_ERROR, code, lexer->source, (struct fb_range){start, end}, "%s", message);
}

static void skip_line(struct fb_lexer *lexer)
{
    while (lexer->at < lexer->source->text.len && byte_at(lexer, lexer->at) != '\n'
           && byte_at(lexer, lexer->at) != '\r')
        lexer->at++;
}

static void skip_block_comment(struct fb_lexer *lexer)
{
    uint32_t start = lexer->at;
    struct fb_span text = lexer->source->text;
    lexer->at += 2;
    while (lexer->at < text.len && !(byte_at(lexer, lexer->at) == '*' && byte_at(lexer, lexer->at + 1) == '/'))
        lexer->at++;
    lexer->at = lexer->at < text.len ? lexer->at + 2 : (uint32_t)text.len;
    fault(lexer, start, start + 2, "parse.comment", "Cedar has no `/* … */` comments, only `//` to the end of the line")
        ->hint = FB_SPAN("begin each line of the comment with `//`");
}

/* White space and comments. */
static void skip_space(struct fb_lexer *lexer)
{
    struct fb_span text = lexer->source->text;
    while (lexer->at < text.len) {
        unsigned char c = byte_at(lexer, lexer->at);
        if (c == ' ' || (c >= 0x09 && c <= 0x0d)) {
            lexer->at++;
        } else if (c == '/' && byte_at(lexer, lexer->at + 1) == '/') {
            skip_line(lexer);
        } else if (c == '/' && byte_at(lexer, lexer->at + 1) == '*') {
            skip_block_comment(lexer);
        } else if (c >= 0x80) {
            unsigned length;
            if (!is_space(fb_utf8_next(fb_span_from(text, lexer->at), &length)))
                return;
            lexer->at += length;
        } else {
            return;
        }
    }
}

static void make(struct fb_lexer *lexer, struct fb_token *token, enum fb_token_kind kind, uint32_t length)
{
    token->kind = kind;
    token->word = FB_WORD_NONE;
    token->range = (struct fb_range){lexer->at, lexer->at + length};
    token->text = fb_span(lexer->source->text.ptr + lexer->at, length);
    lexer->at += length;
}

static void lex_ident(struct fb_lexer *lexer, struct fb_token *token)
{
    uint32_t length = 1;
    while (is_start(byte_at(lexer, lexer->at + length)) || is_digit(byte_at(lexer, lexer->at + length)))
        length++;
    make(lexer, token, FB_TOK_IDENT, length);
    token->word = fb_word_of(token->text);
}

static void lex_number(struct fb_lexer *lexer, struct fb_token *token)
{
    uint32_t length = 1;
    while (is_digit(byte_at(lexer, lexer->at + length)))
        length++;
    make(lexer, token, FB_TOK_NUMBER, length);
}

/* Where a string's closing quote stands, or the length of the text.  A backslash takes the next
 * character with it; one at the end of a line is a fault, reported if `report`. */
static uint32_t find_quote(struct fb_lexer *lexer, uint32_t at, char quote, bool one_line, bool report)
{
    size_t len = lexer->source->text.len;
    while (at < len && byte_at(lexer, at) != (unsigned char)quote) {
        unsigned char c = byte_at(lexer, at);
        if (one_line && (c == '\n' || c == '\r'))
            return (uint32_t)len;
        if (c == '\\' && byte_at(lexer, at + 1) == '\n' && report)
            fault(lexer, at, at + 1, "parse.escape", "a backslash at the end of a line is no escape")
                ->hint = FB_SPAN("a newline may stand in a string as it is, or as `\\n`");
        at += c == '\\' && at + 1 < len ? 2 : 1;
    }
    return at < len ? at : (uint32_t)len;
}

/* A string that has no closing quote: it is taken to end with its line. */
static void lex_open_string(struct fb_lexer *lexer, struct fb_token *token)
{
    uint32_t start = lexer->at;
    struct fb_diag *diag = fault(lexer, start, start + 1, "parse.open_string", "this string is never closed");
    diag->hint = FB_SPAN("add the closing `\"`");
    if (lexer->long_string.end != 0) {
        diag->other = lexer->source;
        diag->other_range = (struct fb_range){lexer->long_string.start, lexer->long_string.start + 1};
        diag->other_message = FB_SPAN("a string runs over a line end here: is its closing quote missing?");
    }
    lexer->open_string = true;
    skip_line(lexer);
    uint32_t end = lexer->at;
    lexer->at = start;
    make(lexer, token, FB_TOK_STRING, end - start);
    token->text = FB_SPAN("");
}

static void lex_string(struct fb_lexer *lexer, struct fb_token *token)
{
    uint32_t start = lexer->at;
    uint32_t end = find_quote(lexer, start + 1, '"', lexer->open_string, false);
    if (end >= lexer->source->text.len) {
        lex_open_string(lexer, token);
        return;
    }
    find_quote(lexer, start + 1, '"', lexer->open_string, true);
    make(lexer, token, FB_TOK_STRING, end + 1 - start);
    token->text = fb_span(token->text.ptr + 1, token->text.len - 2);
    if (fb_span_find(token->text, '\n') < token->text.len)
        lexer->long_string = token->range;
}

/* 'text': taken for a string with double quotes. */
static void lex_single_quote(struct fb_lexer *lexer, struct fb_token *token)
{
    uint32_t start = lexer->at;
    uint32_t end = find_quote(lexer, start + 1, '\'', true, false);
    if (end >= lexer->source->text.len)
        end = start;
    fault(lexer, start, end + 1, "parse.single_quotes", "strings stand in double quotes, not in single ones")
        ->hint = FB_SPAN("write `\"…\"`");
    make(lexer, token, FB_TOK_STRING, end + 1 - start);
    token->text = end > start ? fb_span(token->text.ptr + 1, token->text.len - 2) : FB_SPAN("");
}

/* The tokens of one or two signs.  False: none begins here. */
static bool lex_sign(struct fb_lexer *lexer, struct fb_token *token)
{
    static const struct {
        char text[3];
        uint8_t kind;
    } pairs[] = {
        {"::", FB_TOK_PATH}, {"&&", FB_TOK_AND}, {"||", FB_TOK_OR}, {"==", FB_TOK_EQ}, {"!=", FB_TOK_NE},
        {"<=", FB_TOK_LE}, {">=", FB_TOK_GE},
    };
    static const uint8_t singles[128] = {   /* 0, which is the end's, for none */
        ['('] = FB_TOK_LEFT_PAREN, [')'] = FB_TOK_RIGHT_PAREN, ['{'] = FB_TOK_LEFT_BRACE,
        ['}'] = FB_TOK_RIGHT_BRACE, ['['] = FB_TOK_LEFT_BRACKET, [']'] = FB_TOK_RIGHT_BRACKET,
        [','] = FB_TOK_COMMA, [';'] = FB_TOK_SEMICOLON, [':'] = FB_TOK_COLON, ['.'] = FB_TOK_DOT,
        ['@'] = FB_TOK_AT, ['!'] = FB_TOK_NOT, ['<'] = FB_TOK_LT, ['>'] = FB_TOK_GT, ['='] = FB_TOK_ASSIGN,
        ['+'] = FB_TOK_PLUS, ['-'] = FB_TOK_MINUS, ['*'] = FB_TOK_STAR, ['/'] = FB_TOK_SLASH,
        ['%'] = FB_TOK_PERCENT,
    };
    unsigned char first = byte_at(lexer, lexer->at), second = byte_at(lexer, lexer->at + 1);
    bool pair = second == '=' || second == ':' || second == '&' || second == '|';
    for (size_t i = 0; pair && i < sizeof pairs / sizeof *pairs; i++)
        if (first == (unsigned char)pairs[i].text[0] && second == (unsigned char)pairs[i].text[1]) {
            make(lexer, token, (enum fb_token_kind)pairs[i].kind, 2);
            return true;
        }
    if (first >= sizeof singles || singles[first] == 0)
        return false;
    make(lexer, token, (enum fb_token_kind)singles[first], 1);
    return true;
}

_Static_assert(FB_TOK_END == 0, "no sign");

/* Signs that are no tokens but whose meaning is plain.  False: not one of them. */
static bool lex_half_sign(struct fb_lexer *lexer, struct fb_token *token)
{
    unsigned char c = byte_at(lexer, lexer->at);
    if (c != '&' && c != '|')
        return false;
    struct fb_diag *diag = fault(lexer, lexer->at, lexer->at + 1, "parse.unknown_character",
                                 c == '&' ? "`&` is no operator" : "`|` is no operator");
    diag->hint = c == '&' ? FB_SPAN("use `&&`") : FB_SPAN("use `||`");
    make(lexer, token, c == '&' ? FB_TOK_AND : FB_TOK_OR, 1);
    return true;
}

/* As word processors make them of `"`, and other languages' own. */
static bool is_quote(uint32_t c)
{
    return c == 0x201c || c == 0x201d || c == 0xab || c == 0xbb || c == 0x201e;
}

static struct fb_span hint_for(uint32_t c)
{
    if (c == '#')
        return FB_SPAN("comments begin with `//`");
    if (is_quote(c))
        return FB_SPAN("strings stand in plain double quotes: `\"`");
    if (c == 0xfeff)
        return FB_SPAN("save the file without a byte order mark");
    if (c == '?')
        return FB_SPAN("the slots of templates are `?principal` and `?resource`");
    if (c >= 0x80)
        return FB_SPAN("a name has only a to z, A to Z, 0 to 9 and `_`; an attribute of another name stands in quotes: "
                       "`x[\"…\"]`");
    return FB_SPAN("");
}

/* The rest of a word in letters that no name has, so that it is one fault: its last byte's offset plus one. */
static uint32_t end_of_word(const struct fb_lexer *lexer, uint32_t at)
{
    struct fb_span text = lexer->source->text;
    while (at < text.len) {
        unsigned char c = byte_at(lexer, at);
        unsigned length = 1;
        if (c >= 0x80) {
            uint32_t scalar = fb_utf8_next(fb_span_from(text, at), &length);
            if (length == 0 || is_space(scalar) || is_quote(scalar) || scalar == 0xfeff)
                return at;
        } else if (!is_start(c) && !is_digit(c)) {
            return at;
        }
        at += length;
    }
    return at;
}

/* Bytes that begin no token; a run of them is one fault. */
static void skip_unknown(struct fb_lexer *lexer)
{
    struct fb_span text = lexer->source->text;
    uint32_t start = lexer->at;
    unsigned length = 1;
    uint32_t scalar = fb_utf8_next(fb_span_from(text, lexer->at), &length);
    lexer->at += length;
    if (scalar >= 0x80 && !is_quote(scalar) && scalar != 0xfeff)
        lexer->at = end_of_word(lexer, lexer->at);
    struct fb_range range = {start, lexer->at};
    struct fb_diag *diag;
    if (scalar < 0x20 || scalar == 0x7f || scalar == 0xfeff)
        diag = fb_diag_add(lexer->diags, FB_ERROR, "parse.unknown_character", lexer->source, range,
                           "unexpected character U+%04X", scalar);
    else
        diag = fb_diag_add(lexer->diags, FB_ERROR, "parse.unknown_character", lexer->source, range,
                           "unexpected character `%.*s`", (int)length, text.ptr + start);
    diag->hint = hint_for(scalar);
    if (scalar == '#')
        skip_line(lexer);
    while (lexer->at < text.len && byte_at(lexer, lexer->at) == byte_at(lexer, start) && scalar < 0x80)
        lexer->at++;
}

static void next(struct fb_lexer *lexer, struct fb_token *token)
{
    for (;;) {
        skip_space(lexer);
        if (lexer->at >= lexer->source->text.len) {
            lexer->at = (uint32_t)lexer->source->text.len;
            make(lexer, token, FB_TOK_END, 0);
            return;
        }
        unsigned char c = byte_at(lexer, lexer->at);
        if (is_start(c)) {
            lex_ident(lexer, token);
            return;
        }
        if (is_digit(c)) {
            lex_number(lexer, token);
            return;
        }
        if (c == '"') {
            lex_string(lexer, token);
            return;
        }
        if (c == '\'') {
            lex_single_quote(lexer, token);
            return;
        }
        if (c == '?' && lexer->schema) {
            make(lexer, token, FB_TOK_QUESTION, 1);
            return;
        }
        if (c == '?' && is_start(byte_at(lexer, lexer->at + 1))) {
            lexer->at++;
            lex_ident(lexer, token);
            token->kind = FB_TOK_SLOT;
            token->range.start--;
            token->text = fb_span(token->text.ptr - 1, token->text.len + 1);
            return;
        }
        if (lex_sign(lexer, token) || lex_half_sign(lexer, token))
            return;
        skip_unknown(lexer);
    }
}

void fb_lexer_next(struct fb_lexer *lexer, struct fb_token *token)
{
    size_t errors = lexer->diags->errors;
    next(lexer, token);
    if (lexer->diags->errors != errors)
        lexer->fault_at = token->range.start;
}
