/* SPDX-License-Identifier: Apache-2.0 */

/* The Cedar syntax of schemas → a tree with the names as written.
 *
 *   Schema ::= {{Annot} ('namespace' Path '{' {{Annot} Decl} '}' | Decl)}
 *   Decl   ::= 'entity' Ident{,Ident} ['in' (Path|'['[Path{,Path}]']')] [['='] Record] ['tags' Type] ';'
 *            | 'entity' Ident{,Ident} 'enum' '[' STR{,STR} ']' ';'
 *            | 'action' Name{,Name} ['in' (QName|'['QName{,QName}']')] ['appliesTo' '{' App{,App}[','] '}']
 *                       ['attributes' '{' '}'] ';'
 *            | 'type' Ident '=' Type ';'
 *
 * Types and lists of types are schema_parse_type.c's.  The words of declarations are not reserved:
 * `entity entity;` is fine. */

#include "cedar/schema_parse.h"

/* --- entity --- */

static void parse_enum(struct fb_parser *parser, struct fb_tree_entity *entity)
{
    struct fb_range open = parser->token.range;
    entity->is_enum = true;
    if (!fb_parse_expect(parser, FB_TOK_LEFT_BRACKET, "before the ids of the enum"))
        return;
    do {
        struct fb_token id = parser->token;
        if (!fb_parse_take(parser, FB_TOK_STRING)) {
            fb_tree_hint_comma(parser, fb_parse_unexpected(parser, "an id in double quotes"));
            fb_parse_skip(parser, true);
            continue;
        }
        struct fb_literal literal = fb_parse_literal(parser);
        fb_tree_add_name(parser, &entity->ids, fb_literal_string(&literal, id.text), id.range);
    } while (fb_parse_take(parser, FB_TOK_COMMA));
    fb_parse_close(parser, FB_TOK_RIGHT_BRACKET, open, "`,` or `]`");
}

static void parse_entity(struct fb_parser *parser, struct fb_tree_entity *entity)
{
    do
        fb_tree_add_ident(parser, &entity->names, "the name of an entity type");
    while (fb_parse_take(parser, FB_TOK_COMMA));
    if (fb_parse_take_word(parser, "enum")) {
        parse_enum(parser, entity);
        return;
    }
    if (fb_parse_take_word(parser, "in"))
        fb_tree_parse_paths(parser, &entity->parents, true);
    bool assign = fb_parse_take(parser, FB_TOK_ASSIGN);
    if (fb_parse_at(parser, FB_TOK_LEFT_BRACE))
        entity->shape = fb_tree_parse_record(parser);
    else if (assign)
        fb_parse_unexpected(parser, "`{` before the attributes");
    if (fb_parse_take_word(parser, "tags"))
        entity->tags = fb_tree_parse_type(parser);
    if (fb_parse_at(parser, FB_TOK_LEFT_BRACE) && entity->tags != NULL)
        fb_parse_unexpected(parser, "`;`")->hint = FB_SPAN("the attributes stand before `tags`");
    if (fb_parse_at(parser, FB_TOK_PATH))
        fb_parse_unexpected(parser, "`;`")->hint = FB_SPAN("declare it in `namespace … { }`");
}

/* --- action --- */

/* Name ::= Ident | STR */
static bool parse_action_name(struct fb_parser *parser, struct fb_tree_names *names)
{
    struct fb_token token = parser->token;
    if (!fb_parse_at(parser, FB_TOK_STRING)) {
        if (!fb_parse_at(parser, FB_TOK_IDENT)) {
            fb_parse_unexpected(parser, "the name of an action");
            return false;
        }
        if (token.word != FB_WORD_CEDAR)
            fb_parse_check_name(parser, &token);
        fb_parse_advance(parser);
        fb_tree_add_name(parser, names, token.text, token.range);
        return true;
    }
    fb_parse_advance(parser);
    struct fb_literal literal = fb_parse_literal(parser);
    fb_tree_add_name(parser, names, fb_literal_string(&literal, token.text), token.range);
    return true;
}

static void add_parent(struct fb_parser *parser, struct fb_tree_action *action, struct fb_tree_action_ref ref)
{
    struct fb_tree_action_ref *grown = fb_arena_grow(parser->arena, action->parents, action->parents_count,
                                                     &action->parents_capacity, sizeof *grown);
    if (grown == NULL)
        return;
    action->parents = grown;
    grown[action->parents_count++] = ref;
}

/* QName ::= Name | Path '::' STR */
static void parse_parent(struct fb_parser *parser, struct fb_tree_action *action)
{
    struct fb_token first = parser->token;
    struct fb_literal literal = fb_parse_literal(parser);
    if (fb_parse_take(parser, FB_TOK_STRING)) {
        add_parent(parser, action, (struct fb_tree_action_ref){.id = fb_literal_string(&literal, first.text),
                                                               .range = first.range});
        return;
    }
    if (!fb_parse_take(parser, FB_TOK_IDENT)) {
        fb_tree_hint_comma(parser, fb_parse_unexpected(parser, "the name of an action"));
        fb_parse_skip(parser, true);
        return;
    }
    if (!fb_parse_at(parser, FB_TOK_PATH)) {
        if (first.word != FB_WORD_CEDAR)
            fb_parse_check_name(parser, &first);
        add_parent(parser, action, (struct fb_tree_action_ref){.id = first.text, .range = first.range});
        return;
    }
    struct fb_span type;
    bool open = fb_parse_path_rest(parser, &first, &type);
    struct fb_token id = parser->token;
    if (!open || !fb_parse_take(parser, FB_TOK_STRING)) {
        fb_parse_unexpected(parser, "an action's id in double quotes")->hint
            = FB_SPAN("write `NS::Action::\"id\"`");
        fb_parse_skip(parser, true);
        return;
    }
    struct fb_range range = {first.range.start, id.range.end};
    add_parent(parser, action,
               (struct fb_tree_action_ref){.type = type, .id = fb_literal_string(&literal, id.text), .range = range});
}

static void parse_parents(struct fb_parser *parser, struct fb_tree_action *action)
{
    struct fb_range open = parser->token.range;
    if (!fb_parse_take(parser, FB_TOK_LEFT_BRACKET)) {
        parse_parent(parser, action);
        return;
    }
    do
        parse_parent(parser, action);
    while (fb_parse_take(parser, FB_TOK_COMMA));
    fb_parse_close(parser, FB_TOK_RIGHT_BRACKET, open, "`,` or `]`");
}

static void report_twice(struct fb_parser *parser, const struct fb_token *word, struct fb_range first)
{
    struct fb_diag *diag = fb_parse_fault(parser, word->range, "schema.duplicate", "`%.*s` is given twice",
                                          (int)word->text.len, word->text.ptr);
    diag->other = parser->source;
    diag->other_range = first;
    diag->other_message = FB_SPAN("first given here");
}

/* The three parts of `appliesTo`, where each was given (end 0: not). */
enum { PRINCIPAL, RESOURCE, CONTEXT, PARTS };
static const char *const part_names[PARTS] = {"principal", "resource", "context"};

/* App ::= ('principal'|'resource') ':' (Path|'['Path{,Path}']') | 'context' ':' (Path|Record) */
static void parse_part(struct fb_parser *parser, struct fb_tree_action *action, struct fb_range *given)
{
    static const struct fb_span known[PARTS] = {{9, "principal"}, {8, "resource"}, {7, "context"}};
    struct fb_token word = parser->token;
    int part = 0;
    while (part < PARTS && !fb_parse_at_word(parser, part_names[part]))
        part++;
    if (part == PARTS) {
        struct fb_diag *diag = fb_parse_unexpected(parser, "`principal`, `resource` or `context`");
        if (fb_parse_at(parser, FB_TOK_IDENT))
            fb_parse_hint_near(parser, diag, word.text, known, PARTS, NULL);
        fb_parse_skip(parser, true);
        return;
    }
    fb_parse_advance(parser);
    if (given[part].end != 0)
        report_twice(parser, &word, given[part]);
    given[part] = word.range;
    if (!fb_parse_expect(parser, FB_TOK_COLON, "behind this word")) {
        fb_parse_skip(parser, true);
        return;
    }
    if (part == CONTEXT) {
        action->context = fb_parse_at(parser, FB_TOK_LEFT_BRACE) ? fb_tree_parse_record(parser)
                                                                 : fb_tree_parse_path(parser);
        if (fb_parse_at(parser, FB_TOK_LT)) {
            fb_parse_unexpected(parser, "the end of the context")->hint = FB_SPAN("a context is a record");
            action->context = NULL;
            fb_parse_skip(parser, true);
        }
        return;
    }
    fb_tree_parse_paths(parser, part == PRINCIPAL ? &action->principals : &action->resources, false);
}

static void parse_applies_to(struct fb_parser *parser, struct fb_tree_action *action)
{
    struct fb_range open = parser->token.range, given[PARTS] = {{0, 0}};
    size_t errors = parser->diags->errors;
    if (!fb_parse_expect(parser, FB_TOK_LEFT_BRACE, "behind `appliesTo`"))
        return;
    do
        parse_part(parser, action, given);
    while (fb_parse_take(parser, FB_TOK_COMMA) && !fb_parse_at(parser, FB_TOK_RIGHT_BRACE));
    fb_parse_close(parser, FB_TOK_RIGHT_BRACE, open, "`,` or `}`");
    for (int part = PRINCIPAL; part <= RESOURCE && parser->diags->errors == errors; part++)
        if (given[part].end == 0)
            fb_parse_fault(parser, open, "schema.applies_to", "this `appliesTo` has no `%s`", part_names[part])->hint
                = FB_SPAN("give both: `appliesTo { principal: [ … ], resource: [ … ] }`");
}

static void parse_attributes(struct fb_parser *parser)
{
    struct fb_range open = parser->token.range;
    if (!fb_parse_expect(parser, FB_TOK_LEFT_BRACE, "behind `attributes`"))
        return;
    if (!fb_parse_at(parser, FB_TOK_RIGHT_BRACE)) {
        fb_parse_unexpected(parser, "`}`")->hint = FB_SPAN("actions cannot have attributes");
        fb_parse_skip(parser, false);
    }
    fb_parse_close(parser, FB_TOK_RIGHT_BRACE, open, "`}`");
}

static void parse_action(struct fb_parser *parser, struct fb_tree_action *action)
{
    bool good = true;
    do
        good = parse_action_name(parser, &action->names);
    while (good && fb_parse_take(parser, FB_TOK_COMMA));
    if (fb_parse_take_word(parser, "in"))
        parse_parents(parser, action);
    if (fb_parse_take_word(parser, "appliesTo"))
        parse_applies_to(parser, action);
    if (fb_parse_take_word(parser, "attributes"))
        parse_attributes(parser);
    if (fb_parse_at_word(parser, "in"))
        fb_parse_unexpected(parser, "`;`")->hint = FB_SPAN("`in` stands before `appliesTo`");
}

/* --- declarations --- */

static bool parse_common(struct fb_parser *parser, struct fb_tree_common *common)
{
    struct fb_tree_names names = {0};
    fb_tree_add_ident(parser, &names, "the name of a type");
    if (names.count == 0)
        return false;
    common->name = names.list[0];
    if (fb_parse_expect(parser, FB_TOK_ASSIGN, "behind the name of the type"))
        common->type = fb_tree_parse_type(parser);
    return true;
}

struct annotations {
    const struct fb_annotation *list;
    uint32_t count;
};

/* One declaration behind its annotations, without the `;`.  False: none begins here. */
static bool parse_declaration(struct fb_parser *parser, struct fb_tree_namespace *space, struct annotations annotations)
{
    if (fb_parse_take_word(parser, "entity")) {
        struct fb_tree_entity *entity = fb_arena_alloc(parser->arena, sizeof *entity);
        if (entity == NULL)
            return true;
        entity->annotations = annotations.list;
        entity->annotations_count = annotations.count;
        parse_entity(parser, entity);
        *space->entities_end = entity;
        space->entities_end = &entity->next;
        return true;
    }
    if (fb_parse_take_word(parser, "action")) {
        struct fb_tree_action *action = fb_arena_alloc(parser->arena, sizeof *action);
        if (action == NULL)
            return true;
        action->annotations = annotations.list;
        action->annotations_count = annotations.count;
        parse_action(parser, action);
        *space->actions_end = action;
        space->actions_end = &action->next;
        return true;
    }
    if (!fb_parse_take_word(parser, "type"))
        return false;
    struct fb_tree_common *common = fb_arena_alloc(parser->arena, sizeof *common);
    if (common != NULL && parse_common(parser, common)) {
        common->annotations = annotations.list;
        common->annotations_count = annotations.count;
        *space->commons_end = common;
        space->commons_end = &common->next;
    }
    return true;
}

static bool at_declaration(const struct fb_parser *parser)
{
    return fb_parse_at(parser, FB_TOK_AT) || fb_parse_at_word(parser, "entity") || fb_parse_at_word(parser, "action")
           || fb_parse_at_word(parser, "type") || fb_parse_at_word(parser, "namespace");
}

/* The `;`.  Where it is missing before another declaration, only that is said. */
static void parse_end(struct fb_parser *parser)
{
    if (fb_parse_take(parser, FB_TOK_SEMICOLON))
        return;
    if (at_declaration(parser) || fb_parse_at(parser, FB_TOK_END) || fb_parse_at(parser, FB_TOK_RIGHT_BRACE)) {
        if (fb_parse_is_echo(parser))
            return;
        fb_parse_fault(parser, (struct fb_range){parser->last_end, parser->last_end}, "parse.no_semicolon",
                       "the declaration has no `;` at its end")
            ->hint = FB_SPAN("add `;` here");
        return;
    }
    fb_parse_unexpected(parser, "`;`");
    fb_parse_skip(parser, false);
    fb_parse_take(parser, FB_TOK_SEMICOLON);
}

static void report_no_declaration(struct fb_parser *parser, bool top)
{
    static const struct fb_span known[] = {{6, "entity"}, {6, "action"}, {4, "type"}, {9, "namespace"}};
    struct fb_diag *diag = fb_parse_unexpected(parser, top ? "`entity`, `action`, `type` or `namespace`"
                                                           : "`entity`, `action`, `type` or `}`");
    if (fb_parse_at(parser, FB_TOK_IDENT))
        fb_parse_hint_near(parser, diag, parser->token.text, known, top ? 4 : 3, NULL);
    if (fb_parse_at_word(parser, "namespace"))
        diag->hint = FB_SPAN("namespaces do not nest: write `namespace A::B { … }`");
    if (fb_parse_at(parser, FB_TOK_SEMICOLON))
        diag->hint = FB_SPAN("no `;` stands here");
    fb_parse_advance(parser);
    if (!fb_parse_at(parser, FB_TOK_SEMICOLON) && !at_declaration(parser))
        fb_parse_skip(parser, false);
    fb_parse_take(parser, FB_TOK_SEMICOLON);
}

static struct fb_tree_namespace *new_namespace(struct fb_parser *parser)
{
    struct fb_tree_namespace *space = fb_arena_alloc(parser->arena, sizeof *space);
    if (space != NULL) {
        space->entities_end = &space->entities;
        space->actions_end = &space->actions;
        space->commons_end = &space->commons;
    }
    return space;
}

/* Behind the word `namespace`. */
static struct fb_tree_namespace *parse_namespace(struct fb_parser *parser)
{
    struct fb_tree_namespace *space = new_namespace(parser);
    if (space == NULL)
        return NULL;
    bool named = fb_tree_parse_name(parser, "the name of the namespace", &space->name);
    if (!named)
        fb_parse_take(parser, FB_TOK_STRING);
    struct fb_range open = parser->token.range;
    if (!fb_parse_expect(parser, FB_TOK_LEFT_BRACE, "before the declarations of the namespace")) {
        fb_parse_skip(parser, false);
        fb_parse_take(parser, FB_TOK_SEMICOLON);
        return NULL;
    }
    while (!fb_parse_at(parser, FB_TOK_RIGHT_BRACE) && !fb_parse_at(parser, FB_TOK_END)) {
        struct annotations annotations;
        annotations.list = fb_parse_annotations(parser, &annotations.count);
        if (parse_declaration(parser, space, annotations))
            parse_end(parser);
        else
            report_no_declaration(parser, false);
    }
    fb_parse_close(parser, FB_TOK_RIGHT_BRACE, open, "`}` at the end of the namespace");
    return named ? space : NULL;
}

const struct fb_tree_namespace *fb_schema_parse(struct fb_arena *arena, const struct fb_source *source,
                                                struct fb_diags *diags)
{
    struct fb_parser parser;
    if (!fb_parser_init(&parser, arena, source, true, diags))
        return NULL;
    struct fb_tree_namespace *top = new_namespace(&parser);
    struct fb_tree_namespace **end = top != NULL ? &top->next : NULL;
    while (top != NULL && !fb_parse_at(&parser, FB_TOK_END)) {
        struct annotations annotations;
        annotations.list = fb_parse_annotations(&parser, &annotations.count);
        if (fb_parse_take_word(&parser, "namespace")) {
            struct fb_tree_namespace *space = parse_namespace(&parser);
            if (space == NULL)
                continue;
            space->annotations = annotations.list;
            space->annotations_count = annotations.count;
            *end = space;
            end = &space->next;
        } else if (parse_declaration(&parser, top, annotations)) {
            parse_end(&parser);
        } else {
            report_no_declaration(&parser, true);
        }
    }
    fb_parse_finish(&parser);
    return arena->failed ? NULL : top;
}
