/* SPDX-License-Identifier: Apache-2.0 */

/* One policy: annotations, effect, scope (parse_scope.c), conditions, `;`.
 *
 *   Policy ::= {'@' IDENT ['(' STR ')']} ('permit'|'forbid') Scope {('when'|'unless') '{' Expr '}'} ';' */

#include "cedar/parse.h"

/* A word in place of `permit` or `forbid`. */
static enum fb_effect report_effect(struct fb_parser *parser)
{
    static const struct fb_span known[] = {{6, "permit"}, {6, "forbid"}};
    struct fb_span word = parser->token.text;
    struct fb_diag *diag = fb_parse_unexpected(parser, "`permit` or `forbid`");
    if (fb_span_eq_nocase(word, FB_SPAN("allow")) || fb_span_eq_nocase(word, known[0]))
        diag->hint = FB_SPAN("write `permit`");
    else if (fb_span_eq_nocase(word, FB_SPAN("deny")) || fb_span_eq_nocase(word, known[1]))
        diag->hint = FB_SPAN("write `forbid`");
    else
        fb_parse_hint_near(parser, diag, word, known, 2, NULL);
    return FB_FORBID;
}

/* False: no policy begins here, and nothing was taken. */
static bool parse_effect(struct fb_parser *parser, struct fb_policy *policy)
{
    policy->effect_range = parser->token.range;
    if (fb_parse_at_word(parser, "permit"))
        policy->effect = FB_PERMIT;
    else if (fb_parse_at_word(parser, "forbid"))
        policy->effect = FB_FORBID;
    else if (fb_parse_at(parser, FB_TOK_IDENT)) {
        policy->effect = report_effect(parser);
        fb_parse_advance(parser);
        if (!fb_parse_at(parser, FB_TOK_LEFT_PAREN))
            parser->fault_at = parser->token.range.start;   /* perhaps no policy at all: one fault is enough */
        return true;
    } else {
        fb_parse_unexpected(parser, policy->annotations_count != 0 ? "`@`, `permit` or `forbid`"
                                                                   : "a policy: `permit`, `forbid` or `@`");
        return false;
    }
    fb_parse_advance(parser);
    return true;
}

/* The body between its braces.  NULL after a fault. */
static const struct fb_expr *parse_body(struct fb_parser *parser, const struct fb_token *word)
{
    struct fb_range open = parser->token.range;
    fb_parse_advance(parser);
    if (fb_parse_take(parser, FB_TOK_RIGHT_BRACE)) {
        struct fb_range range = {open.start, parser->last_end};
        fb_parse_fault(parser, range, "parse.empty_condition", "the condition of this `%.*s` is empty",
                       (int)word->text.len, word->text.ptr)
            ->hint = FB_SPAN("write an expression between the braces, or leave the whole condition away");
        return NULL;
    }
    struct fb_expr *body = fb_parse_expr(parser);
    if (body == NULL)
        fb_parse_skip(parser, false);
    fb_parse_close(parser, FB_TOK_RIGHT_BRACE, open, "an operator or `}`");
    return body;
}

static void report_condition(struct fb_parser *parser)
{
    static const struct fb_span known[] = {{4, "when"}, {6, "unless"}};
    struct fb_diag *diag = fb_parse_unexpected(parser, "`when`, `unless` or `;`");
    if (parser->token.word == FB_WORD_IF || fb_span_eq_nocase(parser->token.text, FB_SPAN("where")))
        diag->hint = FB_SPAN("write `when`");
    else
        fb_parse_hint_near(parser, diag, parser->token.text, known, 2, NULL);
}

/* One condition, whose word (or a wrong one) is the next token.  False: there is none. */
static bool parse_condition(struct fb_parser *parser, struct fb_condition *condition)
{
    struct fb_token word = parser->token;
    condition->unless = fb_parse_at_word(parser, "unless");
    if (!fb_parse_at(parser, FB_TOK_IDENT) || fb_parse_at_policy(parser))
        return false;
    bool known = condition->unless || fb_parse_at_word(parser, "when");
    if (!known)
        report_condition(parser);
    fb_parse_advance(parser);
    if (fb_parse_at(parser, FB_TOK_LEFT_BRACE)) {
        condition->body = parse_body(parser, &word);
    } else if (known) {
        struct fb_diag *diag = fb_parse_unexpected(parser, "`{` before the condition");
        diag->hint = FB_SPAN("conditions stand in braces: `when { … }`");
        fb_parse_skip(parser, false);
        fb_parse_take(parser, FB_TOK_RIGHT_BRACE);
    } else {
        fb_parse_skip(parser, false);
    }
    condition->range = (struct fb_range){word.range.start, parser->last_end};
    return true;
}

static void parse_conditions(struct fb_parser *parser, struct fb_policy *policy)
{
    struct fb_condition *list = NULL;
    size_t count = 0, capacity = 0;
    struct fb_condition condition = {0};
    while (parse_condition(parser, &condition)) {
        struct fb_condition *grown = fb_arena_grow(parser->arena, list, count, &capacity, sizeof *list);
        if (grown == NULL)
            break;
        list = grown;
        list[count++] = condition;
        condition = (struct fb_condition){0};
    }
    policy->conditions = list;
    policy->conditions_count = (uint32_t)count;
}

/* The `;`.  Where it is missing before another policy, only that is said. */
static void parse_end(struct fb_parser *parser)
{
    if (fb_parse_take(parser, FB_TOK_SEMICOLON))
        return;
    bool next = fb_parse_at(parser, FB_TOK_END) || fb_parse_at_policy(parser);
    if (next && !fb_parse_is_echo(parser)) {
        struct fb_range range = {parser->last_end, parser->last_end};
        fb_parse_fault(parser, range, "parse.no_semicolon", "the policy has no `;` at its end")->hint
            = FB_SPAN("add `;` here");
    } else if (!next) {
        fb_parse_unexpected(parser, "`when`, `unless` or `;`");
        while (!next && !fb_parse_take(parser, FB_TOK_SEMICOLON)) {
            fb_parse_advance(parser);
            fb_parse_skip(parser, false);
            next = fb_parse_at(parser, FB_TOK_END) || fb_parse_at_policy(parser);
        }
    }
}

/* Not the start of a policy: on to the next one. */
static void skip_to_policy(struct fb_parser *parser)
{
    while (!fb_parse_at(parser, FB_TOK_END) && !fb_parse_at_policy(parser)) {
        if (fb_parse_take(parser, FB_TOK_SEMICOLON) && fb_parse_at(parser, FB_TOK_IDENT))
            return;
        if (!fb_parse_at(parser, FB_TOK_END) && !fb_parse_at_policy(parser))
            fb_parse_advance(parser);
    }
}

/* Those that were reported, and those that were not since they echo one. */
static size_t faults(const struct fb_parser *parser)
{
    return parser->diags->errors + parser->echoes;
}

struct fb_policy *fb_parse_policy(struct fb_parser *parser)
{
    const size_t before = faults(parser);
    uint32_t start = parser->token.range.start;
    struct fb_policy *policy = fb_arena_alloc(parser->arena, sizeof *policy);
    if (policy == NULL) {
        fb_parse_advance(parser);
        return NULL;
    }
    policy->source = parser->source;
    policy->annotations = fb_parse_annotations(parser, &policy->annotations_count);
    if (!parse_effect(parser, policy)) {
        skip_to_policy(parser);
        return NULL;
    }
    fb_parse_scope(parser, policy);
    parse_conditions(parser, policy);
    /* To take the `;` is to read on, and what is found then (a comment of another language) is not the policy's. */
    const bool good = faults(parser) == before && fb_parse_at(parser, FB_TOK_SEMICOLON);
    parse_end(parser);
    policy->range = (struct fb_range){start, parser->last_end};
    return good && !parser->arena->failed ? policy : NULL;
}
