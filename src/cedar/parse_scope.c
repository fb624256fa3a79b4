/* SPDX-License-Identifier: Apache-2.0 */

/* The scope of a policy: ( principal … , action … , resource … ).
 *
 *   Principal ::= 'principal' ['==' (Ref|'?principal') | 'in' (Ref|'?principal')
 *                             | 'is' Path ['in' (Ref|'?principal')]]
 *   Resource  ::= the same with ?resource
 *   Action    ::= 'action' ['==' Ref | 'in' Ref | 'in' '[' [Ref {',' Ref} [',']] ']']
 *
 * The type of every Ref of an action is `Action`, perhaps in a namespace.  Parentheses may stand
 * around a Ref, a slot and a list. */

#include "cedar/parse.h"

struct element {
    enum fb_var var;
    struct fb_scope *scope;
};

static const char *const variables[] = {"principal", "action", "resource"};

static const char where_to_put[] = "a scope compares each variable with one entity or type; put other conditions "
                                   "into `when { … }`";

static void check_action(struct fb_parser *parser, const struct fb_uid *uid, struct fb_range range)
{
    struct fb_span type = fb_uid_type(uid);
    if (!fb_is_action_type(type))
        fb_parse_fault(parser, range, "parse.action_type", "an action's type is `Action`, not `%.*s`", (int)type.len,
                       type.ptr)
            ->hint = FB_SPAN("write `Action::\"…\"`, with its namespace in front if it has one");
}

/* A slot, which must be the variable's own. */
static void parse_slot(struct fb_parser *parser, const struct element *element)
{
    struct fb_token slot = parser->token;
    fb_parse_advance(parser);
    struct fb_span name = fb_span_from(slot.text, 1);
    const char *own = variables[element->var];
    element->scope->slot = true;
    if (element->var == FB_ACTION)
        fb_parse_fault(parser, slot.range, "parse.slot", "the scope of the action takes no slot");
    else if (!fb_span_is(name, "principal") && !fb_span_is(name, "resource"))
        fb_parse_fault(parser, slot.range, "parse.slot", "there is no slot `%.*s`", (int)slot.text.len, slot.text.ptr)
            ->hint = FB_SPAN("the slots are `?principal` and `?resource`");
    else if (!fb_span_is(name, own))
        fb_parse_fault(parser, slot.range, "parse.slot", "`%.*s` cannot stand for the %s", (int)slot.text.len,
                       slot.text.ptr, own);
}

/* Something else than a Ref: said in its own words, and skipped. */
static void report_no_ref(struct fb_parser *parser, const struct element *element)
{
    const char *expected = element->var == FB_ACTION ? "an entity like `Action::\"view\"`"
                                                     : "an entity like `Type::\"id\"`, or a slot";
    struct fb_diag *diag = fb_parse_unexpected(parser, expected);
    if (fb_parse_at(parser, FB_TOK_STRING))
        diag->hint = FB_SPAN("put the entity's type in front: `Type::\"…\"`");
    fb_parse_skip(parser, true);
}

/* Path '::' STR.  NULL after a fault. */
static const struct fb_uid *parse_uid(struct fb_parser *parser, const struct element *element)
{
    struct fb_token first = parser->token;
    struct fb_span type;
    if (!fb_parse_at(parser, FB_TOK_IDENT) || (first.word != FB_WORD_NONE && first.word != FB_WORD_CEDAR)) {
        report_no_ref(parser, element);
        return NULL;
    }
    fb_parse_advance(parser);
    bool open = fb_parse_path_rest(parser, &first, &type);
    struct fb_token id = parser->token;
    struct fb_range range = {first.range.start, id.range.end};
    if (!open || !fb_parse_take(parser, FB_TOK_STRING)) {
        if (open) {
            fb_parse_unexpected(parser, "an entity's id in double quotes");
        } else {
            range.end = parser->last_end;
            fb_parse_fault(parser, range, "parse.no_id", "`%.*s` is no entity: its id is missing", (int)type.len,
                           type.ptr)
                ->hint = element->var == FB_ACTION ? FB_SPAN("write `Action::\"id\"`")
                                                   : FB_SPAN("write `Type::\"id\"`, or `is Type` to test the type");
        }
        fb_parse_skip(parser, true);
        return NULL;
    }
    const struct fb_uid *uid = fb_parse_uid(parser, type, &id, range);
    if (uid != NULL && element->var == FB_ACTION)
        check_action(parser, uid, range);
    return uid;
}

/* '(' … : how many were taken; their places for the closing ones, the first 8 of them. */
#define OPEN_KEPT 8u
struct parens {
    uint32_t count;
    struct fb_range open[OPEN_KEPT];
};

static void open_parens(struct fb_parser *parser, struct parens *parens)
{
    parens->count = 0;
    while (fb_parse_at(parser, FB_TOK_LEFT_PAREN)) {
        if (parens->count == FB_CEDAR_DEPTH)
            fb_parse_fault(parser, parser->token.range, "parse.too_deep", "nested more than %u levels deep",
                           FB_CEDAR_DEPTH)
                ->hint = FB_SPAN("an entity needs no parentheses");
        parens->open[parens->count < OPEN_KEPT ? parens->count : OPEN_KEPT - 1] = parser->token.range;
        parens->count++;
        fb_parse_advance(parser);
    }
}

static void close_parens(struct fb_parser *parser, const struct parens *parens)
{
    for (uint32_t i = parens->count; i-- > 0;) {
        if (fb_parse_take(parser, FB_TOK_RIGHT_PAREN))
            continue;
        struct fb_diag *diag = fb_parse_unexpected(parser, "`)`");
        diag->other = parser->source;
        diag->other_range = parens->open[i < OPEN_KEPT ? i : OPEN_KEPT - 1];
        diag->other_message = FB_SPAN("opened here");
        fb_parse_skip(parser, true);
        return;
    }
}

/* A Ref or a slot, perhaps in parentheses. */
static void parse_ref(struct fb_parser *parser, const struct element *element)
{
    struct parens parens;
    open_parens(parser, &parens);
    if (fb_parse_at(parser, FB_TOK_SLOT)) {
        parse_slot(parser, element);
    } else if (fb_parse_at(parser, FB_TOK_LEFT_BRACKET)) {
        fb_parse_fault(parser, parser->token.range, "parse.one_entity", "one entity is expected here, not a list")
            ->hint = element->var == FB_ACTION ? FB_SPAN("use `in [ … ]`")
                                               : FB_SPAN("put a list into `when { principal in [ … ] }`");
        fb_parse_skip(parser, true);
    } else {
        element->scope->uid = parse_uid(parser, element);
    }
    close_parens(parser, &parens);
}

/* '[' [Ref {',' Ref} [',']] ']' of an action. */
static void parse_action_list(struct fb_parser *parser, const struct element *element)
{
    struct fb_scope *scope = element->scope;
    struct fb_range open = parser->token.range;
    const struct fb_uid **list = NULL;
    size_t count = 0, capacity = 0;
    scope->op = FB_SCOPE_IN_LIST;
    fb_parse_advance(parser);
    while (!fb_parse_at(parser, FB_TOK_RIGHT_BRACKET)) {
        struct parens parens;
        open_parens(parser, &parens);
        const struct fb_uid *uid = parse_uid(parser, element);
        close_parens(parser, &parens);
        const struct fb_uid **grown =
            fb_arena_grow(parser->arena, list, count, &capacity, sizeof(const struct fb_uid *));
        if (grown != NULL) {
            list = grown;
            list[count] = uid;
            count += uid != NULL;
        }
        if (!fb_parse_take(parser, FB_TOK_COMMA))
            break;
    }
    fb_parse_close(parser, FB_TOK_RIGHT_BRACKET, open, "`,` or `]`");
    scope->list = list;
    scope->count = (uint32_t)count;
}

/* Behind `in`. */
static void parse_in(struct fb_parser *parser, const struct element *element, enum fb_scope_op op)
{
    element->scope->op = op;
    if (element->var != FB_ACTION) {
        parse_ref(parser, element);
        return;
    }
    struct parens parens;
    open_parens(parser, &parens);
    if (fb_parse_at(parser, FB_TOK_LEFT_BRACKET))
        parse_action_list(parser, element);
    else
        parse_ref(parser, element);
    close_parens(parser, &parens);
}

static void parse_is(struct fb_parser *parser, const struct element *element, struct fb_range mark)
{
    element->scope->op = FB_SCOPE_IS;
    if (element->var == FB_ACTION)
        fb_parse_fault(parser, mark, "parse.scope_operator", "the scope of the action takes no `is`")->hint
            = FB_SPAN("use `==` or `in`");
    if (!fb_parse_type(parser, &element->scope->type)) {
        fb_parse_skip(parser, true);
        return;
    }
    if (fb_parse_take_word(parser, "in"))
        parse_in(parser, element, FB_SCOPE_IS_IN);
}

/* `principal: Type`, which early Cedar had. */
static void parse_colon(struct fb_parser *parser)
{
    struct fb_range mark = parser->token.range;
    fb_parse_advance(parser);
    fb_parse_fault(parser, mark, "parse.scope_operator", "`:` does not constrain a type")->hint
        = FB_SPAN("use `is`");
    struct fb_token first = parser->token;
    struct fb_span name;
    if (fb_parse_take(parser, FB_TOK_IDENT))
        fb_parse_path_rest(parser, &first, &name);
}

/* `)`, or what follows it: a condition, where then only the `)` is missing. */
static bool at_scope_end(const struct fb_parser *parser)
{
    return fb_parse_at(parser, FB_TOK_RIGHT_PAREN)
           || ((fb_parse_at_word(parser, "when") || fb_parse_at_word(parser, "unless"))
               && fb_parse_follows(parser, '{'));
}

/* What may stand behind the variable. */
static void parse_constraint(struct fb_parser *parser, const struct element *element)
{
    struct fb_token mark = parser->token;
    if (fb_parse_at(parser, FB_TOK_COLON))
        parse_colon(parser);
    if (fb_parse_take_word(parser, "is")) {
        parse_is(parser, element, mark.range);
    } else if (fb_parse_take_word(parser, "in")) {
        parse_in(parser, element, FB_SCOPE_IN);
    } else if (fb_parse_take(parser, FB_TOK_EQ)) {
        element->scope->op = FB_SCOPE_EQ;
        parse_ref(parser, element);
    } else if (!fb_parse_at(parser, FB_TOK_COMMA) && !at_scope_end(parser)) {
        struct fb_diag *diag = fb_parse_unexpected(parser, element->var == FB_ACTION
                                                               ? "`==`, `in`, `,` or `)` in the scope"
                                                               : "`==`, `in`, `is`, `,` or `)` in the scope");
        if (fb_parse_at(parser, FB_TOK_ASSIGN))
            diag->hint = FB_SPAN("use `==`");
        else if (!fb_parse_at(parser, FB_TOK_IDENT) || parser->token.word != FB_WORD_NONE)
            diag->hint = fb_span_z(where_to_put);
        fb_parse_skip(parser, true);
    }
}

/* Behind a constraint only `,` or `)` may stand. */
static void end_element(struct fb_parser *parser, const struct element *element)
{
    if (fb_parse_at(parser, FB_TOK_COMMA) || at_scope_end(parser))
        return;
    struct fb_diag *diag = fb_parse_unexpected(parser, "`,` or `)` in the scope");
    if (fb_parse_at_word(parser, "is") && element->scope->op == FB_SCOPE_IN)
        diag->hint = FB_SPAN("`is` stands before `in`: `principal is Type in Group::\"…\"`");
    else if (fb_parse_at_word(parser, "action") || fb_parse_at_word(parser, "resource"))
        diag->hint = FB_SPAN("a comma is missing before it");
    else
        diag->hint = fb_span_z(where_to_put);
    if (!fb_parse_at_word(parser, "action") && !fb_parse_at_word(parser, "resource"))
        fb_parse_skip(parser, true);
}

/* Which variable the next token names; the one of `place` when it names none. */
static enum fb_var parse_variable(struct fb_parser *parser, uint32_t place)
{
    for (unsigned i = 0; i < 3; i++) {
        if (!fb_parse_at_word(parser, variables[i]))
            continue;
        if (i != place && place < 3)
            fb_parse_fault(parser, parser->token.range, "parse.scope_order", "`%s` stands where `%s` is expected",
                           variables[i], variables[place])
                ->hint = FB_SPAN("a scope is `(principal, action, resource)`, in this order");
        fb_parse_advance(parser);
        return (enum fb_var)i;
    }
    if (place < 3) {
        struct fb_span known[3] = {FB_SPAN("principal"), FB_SPAN("action"), FB_SPAN("resource")};
        char expected[16];
        size_t len = known[place].len;
        expected[0] = '`';
        memcpy(expected + 1, known[place].ptr, len);
        memcpy(expected + 1 + len, "`", 2);
        struct fb_diag *diag = fb_parse_unexpected(parser, expected);
        if (fb_parse_at(parser, FB_TOK_IDENT))
            fb_parse_hint_near(parser, diag, parser->token.text, known, 3, NULL);
    }
    if (!fb_parse_take(parser, FB_TOK_IDENT))
        fb_parse_skip(parser, true);
    return (enum fb_var)(place < 3 ? place : FB_RESOURCE);
}

static void parse_element(struct fb_parser *parser, struct fb_policy *policy, uint32_t place)
{
    struct fb_scope *scopes[3] = {&policy->principal, &policy->action, &policy->resource};
    struct fb_scope extra = {0};
    uint32_t start = parser->token.range.start;
    if (place == 3)
        fb_parse_fault(parser, parser->token.range, "parse.scope_order", "a scope has three elements only")->hint
            = FB_SPAN("a scope is `(principal, action, resource)`, in this order");
    struct element element = {.var = parse_variable(parser, place), .scope = place < 3 ? scopes[place] : &extra};
    parse_constraint(parser, &element);
    end_element(parser, &element);
    element.scope->range = (struct fb_range){start, parser->last_end};
}

void fb_parse_scope(struct fb_parser *parser, struct fb_policy *policy)
{
    struct fb_range open = parser->token.range;
    if (!fb_parse_expect(parser, FB_TOK_LEFT_PAREN, "before the scope")) {
        fb_parse_skip(parser, false);
        return;
    }
    uint32_t place = 0;
    size_t errors = parser->diags->errors;
    while (!at_scope_end(parser)) {
        parse_element(parser, policy, place);
        place++;
        bool next = fb_parse_at_word(parser, "action") || fb_parse_at_word(parser, "resource");
        if (!fb_parse_take(parser, FB_TOK_COMMA) && !next)
            break;
    }
    struct fb_range close = parser->token.range;
    if (at_scope_end(parser) && !fb_parse_at(parser, FB_TOK_RIGHT_PAREN))
        fb_parse_unexpected(parser, "`)` at the end of the scope")->hint = FB_SPAN("`)` is missing before it");
    else
        fb_parse_close(parser, FB_TOK_RIGHT_PAREN, open, "`,` or `)` in the scope");
    if (place < 3 && parser->diags->errors == errors)
        fb_parse_fault(parser, close, "parse.scope_order", "the scope ends before its `%s`", variables[place])->hint
            = FB_SPAN("a scope is `(principal, action, resource)`, in this order");
    policy->is_template = policy->principal.slot || policy->resource.slot;
}
