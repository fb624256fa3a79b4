/* SPDX-License-Identifier: Apache-2.0 */

/* Tokens, faults, recovery and names, for all the parsers.  parse.h describes each; the grammar
 * itself is in parse_expr.c, parse_member.c, parse_scope.c, parse_policy.c and schema_parse.c. */

#include "cedar/parse.h"

#include <stdio.h>

bool fb_parser_init(struct fb_parser *parser, struct fb_arena *arena, const struct fb_source *source, bool schema,
                    struct fb_diags *diags)
{
    *parser = (struct fb_parser){.source = source, .diags = diags, .arena = arena, .fault_at = UINT32_MAX,
                                  .errors_before = diags->errors};
    if (!fb_lexer_init(&parser->lexer, source, schema, diags))
        return false;
    fb_lexer_next(&parser->lexer, &parser->token);
    return true;
}

void fb_parse_finish(struct fb_parser *parser)
{
    if (parser->arena->failed)
        fb_diag_add(parser->diags, FB_ERROR, "parse.memory", parser->source, parser->token.range,
                    "not enough memory to read on");
}

/* Without memory, or once a fault of this text finds the list of diagnostics full, there is nothing more to read: the text ends. */
void fb_parse_advance(struct fb_parser *parser)
{
    parser->last_start = parser->token.range.start;
    parser->last_end = parser->token.range.end;
    bool full = parser->diags->dropped != 0 && parser->diags->errors != parser->errors_before;
    if (parser->arena->failed || full)
        parser->lexer.at = (uint32_t)parser->source->text.len;
    fb_lexer_next(&parser->lexer, &parser->token);
}

bool fb_parse_at_word(const struct fb_parser *parser, const char *word)
{
    return parser->token.kind == FB_TOK_IDENT && parser->token.text.ptr[0] == word[0]
           && fb_span_is(parser->token.text, word);
}

bool fb_parse_take(struct fb_parser *parser, enum fb_token_kind kind)
{
    if (parser->token.kind != kind)
        return false;
    fb_parse_advance(parser);
    return true;
}

bool fb_parse_take_word(struct fb_parser *parser, const char *word)
{
    if (!fb_parse_at_word(parser, word))
        return false;
    fb_parse_advance(parser);
    return true;
}

bool fb_parse_expect(struct fb_parser *parser, enum fb_token_kind kind, const char *where)
{
    if (fb_parse_take(parser, kind))
        return true;
    char expected[128];
    snprintf(expected, sizeof expected, "%s%s%s", fb_token_name(kind), where[0] != 0 ? " " : "", where);
    fb_parse_unexpected(parser, expected);
    return false;
}

/* --- faults --- */

/* So much of a token stands in messages. */
#define SHOWN_BYTES 40u

/* What stands at the next token, in the words of a message. */
static struct fb_span describe(struct fb_parser *parser)
{
    const struct fb_token *token = &parser->token;
    struct fb_arena *arena = parser->diags->arena;
    if (token->kind == FB_TOK_END)
        return fb_span_z(fb_token_name(FB_TOK_END));
    if (token->kind == FB_TOK_STRING)
        return FB_SPAN("a string");
    size_t len = token->text.len;
    if (len > SHOWN_BYTES)
        for (len = SHOWN_BYTES; len > 0 && ((unsigned char)token->text.ptr[len] & 0xC0) == 0x80;)
            len--; /* not within a character */
    return fb_arena_format(arena, "`%.*s%s`%s", (int)len, token->text.ptr, len < token->text.len ? "…" : "",
                           token->word != FB_WORD_NONE ? ", a reserved word" : "");
}

/* Once memory has failed the text seems to end early: faults that follow are not the user's. */
__attribute__((format(printf, 4, 0)))
static struct fb_diag *add(struct fb_parser *parser, struct fb_range range, const char *code, const char *format,
                           va_list args)
{
    if (parser->arena->failed)
        return &parser->scratch;
    struct fb_span text = fb_arena_vformat(parser->diags->arena, format, args);
    return fb_diag_add(parser->diags, FB_ERROR, code, parser->source, range, "%.*s", (int)text.len,
                       text.ptr != NULL ? text.ptr : "");
}

struct fb_diag *fb_parse_fault(struct fb_parser *parser, struct fb_range range, const char *code, const char *format,
                               ...)
{
    va_list args;
    va_start(args, format);
    struct fb_diag *diag = add(parser, range, code, format, args);
    va_end(args);
    return diag;
}

bool fb_parse_is_echo(const struct fb_parser *parser)
{
    uint32_t start = parser->token.range.start, lexed = parser->lexer.fault_at;
    return parser->fault_at == start || lexed == start || (lexed == parser->last_start && parser->last_end != 0);
}

/* A string that ends on this line and began on another: likely the real fault. */
static void add_long_string(struct fb_parser *parser, struct fb_diag *diag)
{
    struct fb_range string = parser->lexer.long_string;
    uint32_t start = parser->token.range.start;
    if (string.end == 0 || start < string.end || start - string.end > 200)
        return;
    struct fb_span between = fb_span(parser->source->text.ptr + string.end, start - string.end);
    if (fb_span_find(between, '\n') < between.len)
        return;
    diag->other = parser->source;
    diag->other_range = (struct fb_range){string.start, string.start + 1};
    diag->other_message = FB_SPAN("a string runs over a line end here: is its closing quote missing?");
}

struct fb_diag *fb_parse_unexpected(struct fb_parser *parser, const char *expected)
{
    if (fb_parse_is_echo(parser)) {
        parser->echoes++;
        return &parser->scratch;
    }
    parser->fault_at = parser->token.range.start;
    struct fb_span found = describe(parser);
    struct fb_diag *diag = fb_parse_fault(parser, parser->token.range, "parse.unexpected_token",
                                          "expected %s, found %.*s", expected, (int)found.len,
                                          found.ptr != NULL ? found.ptr : "");
    add_long_string(parser, diag);
    return diag;
}

void fb_parse_hint(struct fb_parser *parser, struct fb_diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    diag->hint = fb_arena_vformat(parser->diags->arena, format, args);
    va_end(args);
}

void fb_parse_hint_near(struct fb_parser *parser, struct fb_diag *diag, struct fb_span word,
                        const struct fb_span *candidates, size_t count, const char *otherwise)
{
    struct fb_span near = fb_did_you_mean(word, candidates, count);
    if (near.len != 0)
        fb_parse_hint(parser, diag, "did you mean `%.*s`?", (int)near.len, near.ptr);
    else if (otherwise != NULL)
        diag->hint = fb_span_z(otherwise);
}

/* --- recovery --- */

bool fb_parse_follows(const struct fb_parser *parser, char byte)
{
    struct fb_span rest = fb_span_from(parser->source->text, parser->token.range.end);
    size_t i = 0;
    while (i < rest.len && i < 200 && (rest.ptr[i] == ' ' || (rest.ptr[i] >= 9 && rest.ptr[i] <= 13)))
        i++;
    return i < rest.len && rest.ptr[i] == byte;
}

bool fb_parse_at_policy(const struct fb_parser *parser)
{
    if (parser->token.kind == FB_TOK_AT)
        return true;
    return (fb_parse_at_word(parser, "permit") || fb_parse_at_word(parser, "forbid")) && fb_parse_follows(parser, '(');
}

/* There are at most FB_DIAGS_LIMIT, nearly in order. */
void fb_parse_sort(struct fb_diags *diags, size_t from)
{
    for (size_t i = from + 1; i < diags->count; i++) {
        struct fb_diag diag = diags->list[i];
        size_t at = i;
        for (; at > from && diags->list[at - 1].range.start > diag.range.start; at--)
            diags->list[at] = diags->list[at - 1];
        diags->list[at] = diag;
    }
}

static bool is_open(enum fb_token_kind kind)
{
    return kind == FB_TOK_LEFT_PAREN || kind == FB_TOK_LEFT_BRACE || kind == FB_TOK_LEFT_BRACKET;
}

static bool is_close(enum fb_token_kind kind)
{
    return kind == FB_TOK_RIGHT_PAREN || kind == FB_TOK_RIGHT_BRACE || kind == FB_TOK_RIGHT_BRACKET;
}

void fb_parse_skip(struct fb_parser *parser, bool list)
{
    uint32_t nested = 0;
    for (;;) {
        enum fb_token_kind kind = parser->token.kind;
        if (kind == FB_TOK_END || kind == FB_TOK_SEMICOLON)
            return;
        if (!parser->lexer.schema && fb_parse_at_policy(parser))
            return;
        if (nested == 0 && (is_close(kind) || (list && kind == FB_TOK_COMMA)))
            return;
        nested += is_open(kind);
        nested -= is_close(kind);
        fb_parse_advance(parser);
    }
}

void fb_parse_close(struct fb_parser *parser, enum fb_token_kind kind, struct fb_range open, const char *expected)
{
    if (fb_parse_take(parser, kind))
        return;
    struct fb_diag *diag = fb_parse_unexpected(parser, expected);
    if (diag->other == NULL) {
        diag->other = parser->source;
        diag->other_range = open;
        diag->other_message = FB_SPAN("opened here");
    }
    bool ends = is_close(parser->token.kind) || fb_parse_at(parser, FB_TOK_END) || fb_parse_at_policy(parser);
    if (fb_parse_at(parser, FB_TOK_SEMICOLON) && kind == FB_TOK_RIGHT_BRACE && fb_parse_follows(parser, '}')) {
        diag->hint = FB_SPAN("no `;` stands before the `}`");
        fb_parse_advance(parser);
    } else if (ends || fb_parse_at(parser, FB_TOK_SEMICOLON)) {
        fb_parse_hint(parser, diag, "%s is missing before it", fb_token_name(kind));
    }
    fb_parse_skip(parser, false);
    fb_parse_take(parser, kind);
}

bool fb_parse_enter(struct fb_parser *parser)
{
    if (parser->depth < FB_CEDAR_DEPTH) {
        parser->depth++;
        return true;
    }
    if (parser->fault_at != parser->token.range.start)
        fb_parse_fault(parser, parser->token.range, "parse.too_deep", "nested more than %u levels deep", FB_CEDAR_DEPTH)
            ->hint = FB_SPAN("split the policy, or take parentheses away");
    parser->fault_at = parser->token.range.start;
    return false;
}

/* --- names and literals --- */

void fb_parse_check_name(struct fb_parser *parser, const struct fb_token *token)
{
    if (token->word == FB_WORD_NONE)
        return;
    fb_parse_fault(parser, token->range, "parse.reserved", "`%.*s` is a reserved word", (int)token->text.len,
                   token->text.ptr);
}

/* Parts of a path whose text has white space or comments between them, joined anew. */
static struct fb_span append(struct fb_parser *parser, struct fb_span name, struct fb_span part)
{
    const char *end = name.ptr + name.len;
    if (part.ptr == end + 2)    /* `name::part` stands like that in the text */
        return fb_span(name.ptr, name.len + 2 + part.len);
    if (name.len + part.len > FB_UID_TYPE_MAX)
        return name;            /* too long, as the caller will report */
    return fb_arena_format(parser->arena, "%.*s::%.*s", (int)name.len, name.ptr, (int)part.len, part.ptr);
}

bool fb_parse_path_rest(struct fb_parser *parser, const struct fb_token *first, struct fb_span *name)
{
    fb_parse_check_name(parser, first);
    *name = first->text;
    size_t len = name->len;
    bool open = false;
    while (!open && fb_parse_take(parser, FB_TOK_PATH)) {
        if (fb_parse_at(parser, FB_TOK_IDENT)) {
            fb_parse_check_name(parser, &parser->token);
            len += 2 + parser->token.text.len;
            *name = append(parser, *name, parser->token.text);
            fb_parse_advance(parser);
        } else {
            open = true;
        }
    }
    if (len > FB_UID_TYPE_MAX) {
        struct fb_range range = {first->range.start, parser->last_end};
        fb_parse_fault(parser, range, "parse.name_too_long", "a name of %zu bytes; at most %u are read", len,
                       FB_UID_TYPE_MAX);
        *name = first->text.len <= FB_UID_TYPE_MAX ? first->text : fb_span_head(first->text, FB_UID_TYPE_MAX);
    }
    return open;
}

bool fb_parse_type(struct fb_parser *parser, struct fb_span *name)
{
    struct fb_token first = parser->token;
    bool reserved = first.word != FB_WORD_NONE && first.word != FB_WORD_CEDAR;
    if (reserved || !fb_parse_take(parser, FB_TOK_IDENT)) {
        struct fb_diag *diag = fb_parse_unexpected(parser, "an entity type behind `is`");
        if (first.kind == FB_TOK_STRING)
            diag->hint = FB_SPAN("types stand without quotes");
        return false;
    }
    if (fb_parse_path_rest(parser, &first, name)) {
        fb_parse_unexpected(parser, "an entity type behind `is`")->hint
            = FB_SPAN("`is` compares the type alone; use `==` to compare with one entity");
        return false;
    }
    return true;
}

struct fb_literal fb_parse_literal(const struct fb_parser *parser)
{
    return (struct fb_literal){.arena = parser->arena, .source = parser->source, .diags = parser->diags};
}

bool fb_is_action_type(struct fb_span type)
{
    struct fb_span tail = FB_SPAN("::Action");
    return fb_span_is(type, "Action")
           || (type.len > tail.len && fb_span_eq(fb_span_from(type, type.len - tail.len), tail));
}

const struct fb_uid *fb_parse_uid(struct fb_parser *parser, struct fb_span type, const struct fb_token *id,
                                  struct fb_range range)
{
    struct fb_literal literal = fb_parse_literal(parser);
    struct fb_span text = fb_literal_string(&literal, id->text);
    if (text.len > FB_UID_ID_MAX) {
        fb_parse_fault(parser, range, "parse.id_too_long", "an entity id of %zu bytes; at most %u are read", text.len,
                       FB_UID_ID_MAX);
        return NULL;
    }
    return fb_uid_new(parser->arena, type, text);
}

/* --- annotations --- */

static void parse_annotation_value(struct fb_parser *parser, struct fb_annotation *annotation)
{
    struct fb_range open = parser->token.range;
    if (!fb_parse_take(parser, FB_TOK_LEFT_PAREN))
        return;
    annotation->has_value = true;
    annotation->value_range = parser->token.range;
    if (fb_parse_at(parser, FB_TOK_STRING)) {
        struct fb_literal literal = fb_parse_literal(parser);
        annotation->value = fb_literal_string(&literal, parser->token.text);
        fb_parse_advance(parser);
    } else {
        struct fb_diag *diag = fb_parse_unexpected(parser, "the annotation's value, a string");
        if (fb_parse_at(parser, FB_TOK_RIGHT_PAREN))
            diag->hint = FB_SPAN("leave the parentheses away, or write `(\"\")`");
        fb_parse_skip(parser, false);
    }
    fb_parse_close(parser, FB_TOK_RIGHT_PAREN, open, "`)` behind the annotation's value");
}

/* Few annotations are compared one with another, many through a map. */
static void check_repeated(struct fb_parser *parser, struct fb_map *seen, struct fb_annotation *annotation)
{
    const struct fb_annotation *first = fb_map_get(seen, annotation->key);
    if (first == NULL) {
        fb_map_put(seen, annotation->key, annotation);
        return;
    }
    struct fb_diag *diag = fb_parse_fault(parser, annotation->key_range, "parse.duplicate_annotation",
                                          "the annotation `@%.*s` is given twice", (int)annotation->key.len,
                                          annotation->key.ptr);
    diag->other = parser->source;
    diag->other_range = first->key_range;
    diag->other_message = FB_SPAN("first given here");
}

const struct fb_annotation *fb_parse_annotations(struct fb_parser *parser, uint32_t *count)
{
    struct fb_annotation *list = NULL;
    size_t n = 0, capacity = 0;
    while (fb_parse_take(parser, FB_TOK_AT)) {
        struct fb_annotation annotation = {.key = parser->token.text, .key_range = parser->token.range};
        bool named = fb_parse_expect(parser, FB_TOK_IDENT, "to name the annotation");
        if (!named && (fb_parse_at(parser, FB_TOK_STRING) || fb_parse_at(parser, FB_TOK_NUMBER)))
            fb_parse_advance(parser);
        parse_annotation_value(parser, &annotation);
        if (!named)
            continue;   /* an annotation without a name is none: the policy goes on without it */
        struct fb_annotation *grown = fb_arena_grow(parser->arena, list, n, &capacity, sizeof *list);
        if (grown == NULL)
            break;
        list = grown;
        list[n++] = annotation;
    }
    if (n > 1) {
        struct fb_map seen;
        fb_map_init(&seen, parser->arena);
        for (size_t i = 0; i < n; i++)
            check_repeated(parser, &seen, &list[i]);
    }
    *count = (uint32_t)n;
    return list;
}
