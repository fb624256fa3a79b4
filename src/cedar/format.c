/* SPDX-License-Identifier: Apache-2.0 */

/* Policies written anew, in the layout of the official formatter, with their comments.
 *
 * Comments are kept at tokens: what stands behind a token on its line is that token's, what stands on
 * later lines is the next one's.  A text is formatted until formatting changes nothing any more; what
 * comes out is read again, and must be the same policies. */

#include "cedar/format.h"

/* Of each arena and buffer here.  A text of the largest size takes about 100 bytes for each of its own. */
#define FORMAT_CEILING ((size_t)1 << 30)

/* --- comments --- */

const struct fb_doc *fb_format_leading(struct fb_formatter *f, const struct fb_format_token *token)
{
    if (token->leading_count == 0)
        return NULL;
    const struct fb_doc *doc = fb_doc_break(f->arena);
    for (uint32_t i = 0; i < token->leading_count; i++) {
        doc = fb_format_join(f, doc, fb_doc_text(f->arena, token->leading[i]));
        doc = fb_format_join(f, doc, fb_doc_break(f->arena));
    }
    return doc;
}

const struct fb_doc *fb_format_trailing(struct fb_formatter *f, const struct fb_format_token *token,
                                        const struct fb_doc *otherwise)
{
    if (token->trailing.len == 0)
        return otherwise;
    const struct fb_doc *doc = fb_format_join(f, fb_format_text(f, " "), fb_doc_text(f->arena, token->trailing));
    return fb_format_join(f, doc, fb_doc_break(f->arena));
}

const struct fb_doc *fb_format_bare(struct fb_formatter *f, const struct fb_format_token *token)
{
    uint32_t start = token->token.range.start;
    struct fb_span text = token->token.text;
    if (token->token.kind == FB_TOK_STRING)
        text = fb_span(text.ptr - 1, token->token.range.end - start); /* with its quotes */
    while (token->token.kind == FB_TOK_NUMBER && text.len > 1 && text.ptr[0] == '0')
        text = fb_span_from(text, 1);
    return fb_doc_text(f->arena, text);
}

const struct fb_doc *fb_format_take(struct fb_formatter *f, const struct fb_doc *otherwise)
{
    const struct fb_format_token *token = &f->tokens[f->at++];
    const struct fb_doc *doc = fb_format_join(f, fb_format_leading(f, token), fb_format_bare(f, token));
    return fb_format_join(f, doc, fb_format_trailing(f, token, otherwise));
}

const struct fb_doc *fb_format_drop(struct fb_formatter *f)
{
    const struct fb_format_token *token = &f->tokens[f->at++];
    return fb_format_join(f, fb_format_leading(f, token), fb_format_trailing(f, token, NULL));
}

bool fb_format_at_word(const struct fb_formatter *f, enum fb_word word)
{
    const struct fb_token *token = &f->tokens[f->at].token;
    return token->kind == FB_TOK_IDENT && token->word == word;
}

/* --- the scope --- */

static bool ends_element(enum fb_token_kind kind)
{
    return kind == FB_TOK_COMMA || kind == FB_TOK_RIGHT_PAREN;
}

/* ` is T` behind the variable, or nothing. */
static const struct fb_doc *format_scope_is(struct fb_formatter *f)
{
    if (!fb_format_at_word(f, FB_WORD_IS))
        return NULL;
    const struct fb_doc *is = fb_doc_group(f->arena, fb_format_join(f, fb_format_line(f), fb_format_take(f, NULL)));
    const struct fb_doc *type = fb_format_join(f, fb_format_line(f), fb_format_name(f));
    return fb_doc_group(f->arena, fb_doc_nest(f->arena, f->indent, fb_format_join(f, is, type)));
}

/* A copy of the token; its comments then stand at the copy only. */
static struct fb_format_token steal(struct fb_format_token *token)
{
    struct fb_format_token copy = *token;
    token->leading_count = 0;
    token->trailing = FB_SPAN("");
    return copy;
}

/* A variable with what it is compared with. */
static const struct fb_doc *format_element(struct fb_formatter *f)
{
    const struct fb_format_token variable = steal(&f->tokens[f->at++]);
    const struct fb_doc *lead = fb_format_leading(f, &variable);
    const struct fb_doc *doc = fb_format_join(f, fb_format_bare(f, &variable), fb_format_trailing(f, &variable, NULL));
    doc = fb_format_join(f, doc, format_scope_is(f));
    if (ends_element(f->tokens[f->at].token.kind))
        return fb_format_join(f, lead, doc);
    doc = fb_format_join(f, doc, fb_format_line(f));
    doc = fb_doc_group(f->arena, fb_format_join(f, doc, fb_format_take(f, NULL)));
    const struct fb_doc *right = fb_format_join(f, fb_format_line(f), fb_format_add(f));
    doc = fb_format_join(f, doc, fb_doc_nest(f->arena, f->indent, right));
    return fb_format_join(f, lead, fb_doc_group(f->arena, doc));
}

/* Are all three variables without a constraint? */
static bool is_open_scope(const struct fb_formatter *f)
{
    for (size_t i = 0; i < 3; i++)
        if (!ends_element(f->tokens[f->at + 2 * i + 1].token.kind))
            return false;
    return true;
}

/* Between the parentheses: on one line if nothing is constrained, else a variable a line. */
static const struct fb_doc *format_scope(struct fb_formatter *f)
{
    bool open = is_open_scope(f);
    const struct fb_doc *doc = NULL;
    for (int i = 0; i < 3; i++) {
        doc = fb_format_join(f, doc, format_element(f));
        if (i < 2)
            doc = fb_format_join(f, doc, fb_format_take(f, open ? fb_format_text(f, " ") : fb_doc_break(f->arena)));
    }
    if (fb_format_at(f, FB_TOK_COMMA))
        doc = fb_format_join(f, doc, fb_format_drop(f));
    if (open)
        return fb_doc_group(f->arena, fb_doc_nest(f->arena, f->indent, doc));
    doc = fb_doc_nest(f->arena, f->indent, fb_format_join(f, fb_doc_break(f->arena), doc));
    return fb_format_join(f, doc, fb_doc_break(f->arena));
}

/* --- policies --- */

static const struct fb_doc *format_annotation(struct fb_formatter *f)
{
    const struct fb_doc *doc = fb_format_take(f, NULL);
    if (f->tokens[f->at + 1].token.kind != FB_TOK_LEFT_PAREN)
        return fb_format_join(f, doc, fb_format_take(f, fb_doc_break(f->arena)));
    for (int i = 0; i < 3; i++)
        doc = fb_format_join(f, doc, fb_format_take(f, NULL));
    return fb_format_join(f, doc, fb_format_take(f, fb_doc_break(f->arena)));
}

static const struct fb_doc *format_condition(struct fb_formatter *f)
{
    const struct fb_format_token word = steal(&f->tokens[f->at++]), open = steal(&f->tokens[f->at++]);
    struct fb_format_token *first = &f->tokens[f->at];
    const struct fb_doc *inner = fb_format_join(f, fb_format_trailing(f, &open, NULL), fb_format_line(f));
    inner = fb_format_join(f, inner, fb_format_leading(f, first));
    first->leading_count = 0;
    inner = fb_format_join(f, inner, fb_doc_group(f->arena, fb_format_expr(f)));
    inner = fb_format_join(f, fb_doc_nest(f->arena, f->indent, inner), fb_format_line(f));
    inner = fb_doc_group(f->arena, fb_format_join(f, inner, fb_format_take(f, NULL)));
    const struct fb_doc *doc = fb_format_join(f, fb_format_bare(f, &word), fb_format_trailing(f, &word, NULL));
    doc = fb_format_join(f, doc, fb_format_line(f));
    doc = fb_format_join(f, doc, fb_format_leading(f, &open));
    doc = fb_format_join(f, doc, fb_format_bare(f, &open));
    doc = fb_doc_group(f->arena, fb_format_join(f, doc, inner));
    return fb_format_join(f, fb_format_leading(f, &word), doc);
}

static const struct fb_doc *format_policy(struct fb_formatter *f)
{
    const struct fb_doc *doc = NULL;
    while (fb_format_at(f, FB_TOK_AT))
        doc = fb_format_join(f, doc, format_annotation(f));
    const struct fb_format_token effect = steal(&f->tokens[f->at++]);
    const struct fb_doc *head = fb_format_join(f, fb_format_bare(f, &effect), fb_format_trailing(f, &effect, NULL));
    head = fb_format_join(f, fb_format_join(f, head, fb_format_line(f)), fb_format_take(f, NULL));
    doc = fb_format_join(f, doc, fb_format_leading(f, &effect));
    doc = fb_format_join(f, doc, fb_doc_group(f->arena, head));
    doc = fb_format_join(f, doc, format_scope(f));
    bool conditions = f->tokens[f->at + 1].token.kind != FB_TOK_SEMICOLON;
    doc = fb_format_join(f, doc, fb_format_take(f, conditions ? fb_doc_break(f->arena) : NULL));
    while (!fb_format_at(f, FB_TOK_SEMICOLON)) {
        doc = fb_format_join(f, doc, format_condition(f));
        if (!fb_format_at(f, FB_TOK_SEMICOLON))
            doc = fb_format_join(f, doc, fb_doc_break(f->arena));
    }
    return fb_format_join(f, doc, fb_format_take(f, NULL));
}

/* --- empty lines --- */

/* Where the comment or string ends that begins at `i`; `i` itself if none does. */
static size_t skip_whole(struct fb_span text, size_t i)
{
    if (text.ptr[i] == '/' && i + 1 < text.len && text.ptr[i + 1] == '/')
        return i + fb_span_find(fb_span_from(text, i), '\n');
    if (text.ptr[i] != '"')
        return i;
    for (size_t end = i + 1; end < text.len; end++) {
        if (text.ptr[end] == '"')
            return end + 1;
        end += text.ptr[end] == '\\';
    }
    return text.len;
}

static bool is_blank(struct fb_span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] != ' ' && line.ptr[i] != '\n')
            return false;
    return true;
}

/* Adds what stands between two comments or strings, without lines that are blank; the ends of it belong to
 * lines that are not. */
static void add_between(struct fb_buffer *out, struct fb_span text)
{
    if (text.len != 0 && text.ptr[0] == '\n')
        fb_buffer_add_char(out, '\n');
    while (text.len != 0) {
        size_t end = fb_span_find(text, '\n');
        bool whole = end < text.len;
        struct fb_span line = fb_span_head(text, end + whole);
        if (!whole || !is_blank(line))
            fb_buffer_add(out, line);
        text = fb_span_from(text, line.len);
    }
}

/* Adds a policy as it was laid out, without blank lines and without space at its ends. */
static void add_policy(struct fb_buffer *out, struct fb_span text)
{
    while (text.len != 0 && (text.ptr[0] == '\n' || text.ptr[0] == ' '))
        text = fb_span_from(text, 1);
    while (text.len != 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == ' '))
        text = fb_span_head(text, text.len - 1);
    size_t from = 0, i = 0;
    while (i < text.len) {
        size_t end = skip_whole(text, i);
        if (end == i) {
            i++;
            continue;
        }
        add_between(out, fb_span(text.ptr + from, i - from));
        fb_buffer_add(out, fb_span(text.ptr + i, end - i));
        from = i = end;
    }
    add_between(out, fb_span_from(text, from));
}

/* --- the text as a whole --- */

struct tokens {
    struct fb_format_token *list;
    size_t count;
};

/* The first comment of a text of white space and comments, or the empty span; *rest is what follows it.  A lone
 * carriage return ends a comment for the lexer, but no line: what follows it on the line goes with it. */
static struct fb_span next_comment(struct fb_span gap, struct fb_span *rest)
{
    size_t start = 0;
    while (start < gap.len && gap.ptr[start] != '/')
        start++;
    struct fb_span comment = fb_span_from(gap, start);
    comment = fb_span_head(comment, fb_span_find(comment, '\n'));
    *rest = fb_span_from(gap, start + comment.len);
    while (comment.len != 0 && memchr(" \t\r", comment.ptr[comment.len - 1], 3) != NULL)
        comment.len--;
    return comment;
}

static void add_leading(struct fb_arena *arena, struct fb_format_token *token, struct fb_span gap)
{
    size_t capacity = 0, count = 0;
    struct fb_span *list = NULL;
    for (struct fb_span comment = next_comment(gap, &gap); comment.len != 0; comment = next_comment(gap, &gap)) {
        list = fb_arena_grow(arena, list, count, &capacity, sizeof *list);
        if (list == NULL)
            return;
        list[count++] = comment;
    }
    token->leading = list;
    token->leading_count = (uint32_t)count;
}

/* Counted first, since a list of millions that doubles leaves as many behind. */
static size_t count_tokens(const struct fb_source *source, struct fb_diags *diags)
{
    struct fb_lexer lexer;
    struct fb_token token;
    size_t count = 0;
    if (!fb_lexer_init(&lexer, source, false, diags))
        return 0;
    do {
        fb_lexer_next(&lexer, &token);
        count++;
    } while (token.kind != FB_TOK_END);
    return count;
}

/* All tokens, the END included, with their comments.  False without memory. */
static bool read_tokens(struct fb_arena *arena, const struct fb_source *source, struct fb_diags *diags,
                        struct tokens *tokens)
{
    struct fb_lexer lexer;
    uint32_t end = 0;
    size_t count = count_tokens(source, diags);
    tokens->list = fb_arena_array(arena, count, sizeof *tokens->list);
    if (count == 0 || tokens->list == NULL || !fb_lexer_init(&lexer, source, false, diags))
        return false;
    while (tokens->count < count) {
        struct fb_format_token *token = &tokens->list[tokens->count++];
        fb_lexer_next(&lexer, &token->token);
        struct fb_span gap = fb_span(source->text.ptr + end, token->token.range.start - end);
        if (tokens->count > 1) {
            size_t line = fb_span_find(gap, '\n');
            struct fb_span rest;
            token[-1].trailing = next_comment(fb_span_head(gap, line), &rest);
            gap = fb_span_from(gap, line);
        }
        add_leading(arena, token, gap);
        end = token->token.range.end;
    }
    return !arena->failed;
}

/* One time through.  The source is known to parse. */
static bool format_tokens(struct fb_buffer *out, const struct tokens *tokens, const struct fb_format_options *options)
{
    struct fb_buffer laid;
    struct fb_arena scratch;
    fb_arena_init(&scratch, out->allocator, FORMAT_CEILING);
    fb_buffer_init(&laid, out->allocator, FORMAT_CEILING);
    struct fb_formatter f = {.arena = &scratch, .tokens = tokens->list, .indent = options->indent};
    bool good = true;
    while (good && !fb_format_at(&f, FB_TOK_END)) {
        if (f.at > 0)
            fb_buffer_add_z(out, "\n\n");
        fb_doc_render(&laid, &scratch, format_policy(&f), options->width);
        good = !scratch.failed && !laid.failed;
        add_policy(out, fb_buffer_span(&laid));
        fb_buffer_clear(&laid);
        fb_arena_clear(&scratch);
    }
    fb_buffer_add_char(out, '\n');
    const struct fb_format_token *end = &tokens->list[tokens->count - 1];
    for (uint32_t i = 0; i < end->leading_count; i++) {
        fb_buffer_add(out, end->leading[i]);
        fb_buffer_add_char(out, '\n');
    }
    fb_buffer_release(&laid);
    fb_arena_release(&scratch);
    return good && !out->failed;
}

/* The tokens have an arena of their own: they take many times the bytes of the text, once for each pass. */
static bool format_once(struct fb_buffer *out, const struct fb_source *source, const struct fb_format_options *options,
                        struct fb_diags *diags)
{
    struct tokens tokens = {0};
    struct fb_arena arena;
    fb_arena_init(&arena, out->allocator, FORMAT_CEILING);
    bool good = read_tokens(&arena, source, diags, &tokens) && format_tokens(out, &tokens, options);
    fb_arena_release(&arena);
    return good;
}

static bool same_policies(struct fb_arena *arena, const struct fb_policy_set *set, const struct fb_source *source)
{
    struct fb_policy_set again;
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    fb_policy_set_init(&again, arena);
    bool same = fb_policy_set_read(&again, source, &diags) && again.count == set->count;
    for (size_t i = 0; same && i < set->count; i++)
        same = fb_policy_eq(again.policies[i], set->policies[i]);
    return same;
}

/* A comment moved by one pass may move a line break in the next; a few passes settle it. */
#define PASSES_MAX 6

/* False after a diagnostic. */
static bool settle(struct fb_buffer *text, const struct fb_source *source, const struct fb_format_options *options,
                   struct fb_diags *diags)
{
    struct fb_buffer before;
    struct fb_source now = *source;
    bool good = true, settled = false;
    fb_buffer_init(&before, text->allocator, FORMAT_CEILING);
    for (int pass = 0; good && !settled && pass < PASSES_MAX; pass++) {
        fb_buffer_clear(text);
        good = format_once(text, &now, options, diags);
        settled = pass > 0 && fb_span_eq(fb_buffer_span(text), now.text);
        fb_buffer_clear(&before);
        fb_buffer_add(&before, fb_buffer_span(text));
        now.text = fb_buffer_span(&before);
        if (!good || before.failed) {
            good = false;
            fb_diag_add(diags, FB_ERROR, "parse.memory", source, (struct fb_range){0, 0},
                        "not enough memory to format this; at most 1 GiB is taken")
                ->hint = FB_SPAN("split the file");
        } else if (text->len > FB_CEDAR_TEXT_MAX) {
            good = false;
            fb_diag_add(diags, FB_ERROR, "format.too_large", source, (struct fb_range){0, 0},
                        "formatted, these policies would have %zu bytes; at most %u could be read again", text->len,
                        FB_CEDAR_TEXT_MAX)
                ->hint = FB_SPAN("split the file");
        }
    }
    fb_buffer_release(&before);
    return good;
}

bool fb_format_policies(struct fb_buffer *out, const struct fb_source *source, const struct fb_format_options *options,
                        struct fb_diags *diags)
{
    struct fb_arena arena;
    struct fb_policy_set set;
    struct fb_buffer text;
    fb_arena_init(&arena, out->allocator, FORMAT_CEILING);
    fb_buffer_init(&text, out->allocator, FORMAT_CEILING);
    fb_policy_set_init(&set, &arena);
    size_t errors = diags->errors; /* the caller's, of other texts */
    bool good = fb_policy_set_read(&set, source, diags) && settle(&text, source, options, diags);
    if (good) {
        struct fb_source formatted = {.name = source->name, .text = fb_buffer_span(&text)};
        if (!same_policies(&arena, &set, &formatted))
            fb_diag_add(diags, FB_ERROR, "format.changed", source, (struct fb_range){0, 0},
                        "formatting would change what these policies mean, so nothing was done");
        else
            fb_buffer_add(out, formatted.text);
    }
    good = good && diags->errors == errors;
    fb_buffer_release(&text);
    fb_arena_release(&arena);
    return good && !out->failed;
}
