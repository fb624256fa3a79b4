/* SPDX-License-Identifier: Apache-2.0 */

/* Names, lists of names and types of schemas.
 *
 *   Type   ::= Path | 'Set' '<' Type '>' | Record
 *   Record ::= '{' [Attr {',' Attr} [',']] '}'     Attr ::= {Annot} (Ident|STR) ['?'] ':' Type */

#include "cedar/schema_parse.h"

void fb_tree_add_name(struct fb_parser *parser, struct fb_tree_names *names, struct fb_span text,
                      struct fb_range range)
{
    struct fb_tree_name *grown = fb_arena_grow(parser->arena, names->list, names->count, &names->capacity,
                                               sizeof *grown);
    if (grown == NULL)
        return;
    names->list = grown;
    grown[names->count++] = (struct fb_tree_name){text, range};
}

void fb_tree_add_ident(struct fb_parser *parser, struct fb_tree_names *names, const char *expected)
{
    struct fb_token token = parser->token;
    if (!fb_parse_take(parser, FB_TOK_IDENT)) {
        fb_parse_unexpected(parser, expected);
        return;
    }
    fb_parse_check_name(parser, &token);
    fb_tree_add_name(parser, names, token.text, token.range);
}

void fb_tree_hint_comma(const struct fb_parser *parser, struct fb_diag *diag)
{
    bool behind = parser->last_end > 0 && parser->source->text.ptr[parser->last_end - 1] == ',';
    if (behind && fb_parse_at(parser, FB_TOK_RIGHT_BRACKET))
        diag->hint = FB_SPAN("take the last comma away");
}

bool fb_tree_parse_name(struct fb_parser *parser, const char *expected, struct fb_tree_name *name)
{
    struct fb_token first = parser->token;
    if (!fb_parse_take(parser, FB_TOK_IDENT)) {
        struct fb_diag *diag = fb_parse_unexpected(parser, expected);
        fb_tree_hint_comma(parser, diag);
        if (first.kind == FB_TOK_STRING)
            diag->hint = FB_SPAN("names of types and namespaces stand without quotes");
        return false;
    }
    /* `__cedar` is the namespace of the builtin types: whether it may stand here is for the resolver. */
    bool builtin = first.word == FB_WORD_CEDAR && fb_parse_at(parser, FB_TOK_PATH);
    if (builtin)
        first.word = FB_WORD_NONE;
    if (fb_parse_path_rest(parser, &first, &name->text)) {
        fb_parse_unexpected(parser, "the rest of the name behind `::`");
        return false;
    }
    name->range = (struct fb_range){first.range.start, parser->last_end};
    return true;
}

void fb_tree_parse_paths(struct fb_parser *parser, struct fb_tree_names *names, bool empty)
{
    struct fb_range open = parser->token.range;
    struct fb_tree_name name;
    if (!fb_parse_take(parser, FB_TOK_LEFT_BRACKET)) {
        if (fb_tree_parse_name(parser, "an entity type or `[`", &name))
            fb_tree_add_name(parser, names, name.text, name.range);
        else
            fb_parse_skip(parser, true);
        return;
    }
    if (empty && fb_parse_take(parser, FB_TOK_RIGHT_BRACKET))
        return;
    do {
        if (fb_tree_parse_name(parser, "an entity type", &name))
            fb_tree_add_name(parser, names, name.text, name.range);
        else
            fb_parse_skip(parser, true);
    } while (fb_parse_take(parser, FB_TOK_COMMA));
    fb_parse_close(parser, FB_TOK_RIGHT_BRACKET, open, "`,` or `]`");
}

static struct fb_tree_type *new_type(struct fb_parser *parser, enum fb_tree_kind kind)
{
    struct fb_tree_type *type = fb_arena_alloc(parser->arena, sizeof *type);
    if (type != NULL) {
        type->kind = kind;
        type->range = parser->token.range;
    }
    return type;
}

const struct fb_tree_type *fb_tree_parse_path(struct fb_parser *parser)
{
    struct fb_tree_type *type = new_type(parser, FB_TREE_PATH);
    struct fb_tree_name name;
    if (type == NULL)
        return NULL;
    if (!fb_tree_parse_name(parser, "a name", &name)) {
        fb_parse_skip(parser, true);
        return NULL;
    }
    type->path = name.text;
    type->range = name.range;
    return type;
}

/* '<' Type '>' behind `Set`. */
static const struct fb_tree_type *parse_set(struct fb_parser *parser, struct fb_range start)
{
    struct fb_tree_type *type = new_type(parser, FB_TREE_SET);
    fb_parse_advance(parser);
    const struct fb_tree_type *element = fb_tree_parse_type(parser);
    if (element != NULL && !fb_parse_expect(parser, FB_TOK_GT, "behind the type of the elements")) {
        fb_parse_skip(parser, true);
        element = NULL;
    }
    if (type == NULL || element == NULL)
        return NULL;
    type->element = element;
    type->range = (struct fb_range){start.start, parser->last_end};
    return type;
}

static const struct fb_tree_type *parse_inner(struct fb_parser *parser)
{
    if (fb_parse_at(parser, FB_TOK_LEFT_BRACE))
        return fb_tree_parse_record(parser);
    struct fb_tree_type *type = new_type(parser, FB_TREE_PATH);
    struct fb_tree_name name;
    if (type == NULL)
        return NULL;
    if (!fb_tree_parse_name(parser, "a type", &name)) {
        fb_parse_skip(parser, true);
        return NULL;
    }
    if (fb_span_is(name.text, "Set") && fb_parse_at(parser, FB_TOK_LT))
        return parse_set(parser, name.range);
    type->path = name.text;
    type->range = name.range;
    return type;
}

const struct fb_tree_type *fb_tree_parse_type(struct fb_parser *parser)
{
    if (!fb_parse_enter(parser)) {
        fb_parse_skip(parser, true);
        return NULL;
    }
    const struct fb_tree_type *type = parse_inner(parser);
    fb_parse_leave(parser);
    return type;
}

/* --- records --- */

static void add_attribute(struct fb_parser *parser, struct fb_tree_type *record,
                          const struct fb_tree_attribute *attribute)
{
    struct fb_tree_attribute *grown = fb_arena_grow(parser->arena, record->attributes, record->count,
                                                    &record->capacity, sizeof *grown);
    if (grown == NULL)
        return;
    record->attributes = grown;
    grown[record->count++] = *attribute;
}

static void parse_attribute(struct fb_parser *parser, struct fb_tree_type *record)
{
    struct fb_tree_attribute attribute = {.required = true};
    attribute.annotations = fb_parse_annotations(parser, &attribute.annotations_count);
    struct fb_token name = parser->token;
    struct fb_literal literal = fb_parse_literal(parser);
    if (fb_parse_take(parser, FB_TOK_STRING)) {
        attribute.name.text = fb_literal_string(&literal, name.text);
    } else if (fb_parse_take(parser, FB_TOK_IDENT)) {
        attribute.name.text = name.text;
        if (name.word != FB_WORD_NONE && name.word != FB_WORD_CEDAR) {
            struct fb_diag *diag = fb_parse_fault(parser, name.range, "parse.reserved", "`%.*s` is a reserved word",
                                                  (int)name.text.len, name.text.ptr);
            fb_parse_hint(parser, diag, "write `\"%.*s\"`", (int)name.text.len, name.text.ptr);
        }
    } else {
        fb_parse_unexpected(parser, "the name of an attribute or `}`");
        fb_parse_skip(parser, true);
        return;
    }
    attribute.name.range = name.range;
    attribute.required = !fb_parse_take(parser, FB_TOK_QUESTION);
    if (!fb_parse_expect(parser, FB_TOK_COLON, "behind the attribute's name")) {
        fb_parse_skip(parser, true);
        return;
    }
    attribute.type = fb_tree_parse_type(parser);
    if (attribute.type != NULL)
        add_attribute(parser, record, &attribute);
}

/* After an attribute: true if another follows. */
static bool take_comma(struct fb_parser *parser)
{
    if (fb_parse_take(parser, FB_TOK_COMMA))
        return true;
    if (fb_parse_at(parser, FB_TOK_QUESTION)) {
        fb_parse_unexpected(parser, "`,` or `}`")->hint = FB_SPAN("the `?` stands behind the attribute's name");
        fb_parse_advance(parser);
        return fb_parse_take(parser, FB_TOK_COMMA);
    }
    if (!fb_parse_at(parser, FB_TOK_IDENT) && !fb_parse_at(parser, FB_TOK_STRING) && !fb_parse_at(parser, FB_TOK_AT))
        return false;
    fb_parse_unexpected(parser, "`,` or `}`")->hint = FB_SPAN("a comma is missing before it");
    return true;
}

const struct fb_tree_type *fb_tree_parse_record(struct fb_parser *parser)
{
    struct fb_range open = parser->token.range;
    struct fb_tree_type *record = new_type(parser, FB_TREE_RECORD);
    fb_parse_advance(parser);
    if (record == NULL)
        return NULL;
    while (!fb_parse_at(parser, FB_TOK_RIGHT_BRACE)) {
        parse_attribute(parser, record);
        if (!take_comma(parser))
            break;
    }
    fb_parse_close(parser, FB_TOK_RIGHT_BRACE, open, "`,` or `}`");
    record->range.end = parser->last_end;
    return record;
}
