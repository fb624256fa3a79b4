/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a refusal: JSON for programs, problem details (RFC 9457), plain text, a page for people.  All
 * of them tell the same, which is what the level admits; page.c has the page's template. */
#include "refusal/body.h"

#include "refusal/page.h"

static void member(struct fb_buffer *body, const char *name, struct fb_span value)
{
    if (value.len == 0)
        return;
    fb_buffer_add_z(body, body->len > 1 ? ",\"" : "\"");
    fb_buffer_add_z(body, name);
    fb_buffer_add_z(body, "\":");
    fb_buffer_add_json(body, value);
}

/* The cure stands in the challenge whatever the level is: a program reads it here just as well. */
static void add_cure(const struct fb_refusal *refusal, struct fb_buffer *body)
{
    member(body, "scope", refusal->scope);
    member(body, "acr_values", refusal->acr_values);
    if (refusal->has_max_age)
        fb_buffer_add_format(body, ",\"max_age\":%u", refusal->max_age);
}

/* What both JSON forms have, by the level. */
static void add_told(const struct fb_refusal *refusal, struct fb_buffer *body)
{
    member(body, "error", fb_error_of_status(refusal->status));
    if (refusal->level >= FB_LEVEL_REASON) {
        member(body, "reason", refusal->reason);
        member(body, "request_id", refusal->request_id);
    }
    add_cure(refusal, body);
    if (refusal->level >= FB_LEVEL_DETAIL) {
        member(body, "detail", refusal->detail.len != 0 ? refusal->detail : fb_reason_sentence_of(refusal->reason));
        member(body, "help", refusal->help);
    }
    if (refusal->level >= FB_LEVEL_POLICY && refusal->policies_count != 0) {
        fb_buffer_add_z(body, ",\"policies\":[");
        for (size_t i = 0; i < refusal->policies_count; i++) {
            if (i != 0)
                fb_buffer_add_char(body, ',');
            fb_buffer_add_json(body, refusal->policies[i]);
        }
        fb_buffer_add_char(body, ']');
    }
    if (refusal->level >= FB_LEVEL_POLICY && refusal->clause_json.len != 0) {
        fb_buffer_add_z(body, ",\"clause\":");
        fb_buffer_add(body, refusal->clause_json);
    }
}

static void write_json(const struct fb_refusal *refusal, struct fb_buffer *body)
{
    fb_buffer_add_char(body, '{');
    add_told(refusal, body);
    fb_buffer_add_char(body, '}');
}

/* What the refusal is called, by what may be told: its reason, else the error of its status. */
static struct fb_span code_of(const struct fb_refusal *refusal)
{
    return refusal->level >= FB_LEVEL_REASON && refusal->reason.len != 0 ? refusal->reason
                                                                          : fb_error_of_status(refusal->status);
}

/* RFC 9457 section 3.  The type is the code's, in the URN namespace that problem types of no site in
 * particular go by; its title stays the status's phrase, which is the same for every occurrence. */
static void write_problem(const struct fb_refusal *refusal, struct fb_arena *arena, struct fb_buffer *body)
{
    struct fb_span code = code_of(refusal);
    fb_buffer_add_char(body, '{');
    member(body, "type", fb_arena_format(arena, "urn:problem-type:forbid:%.*s", (int)code.len, code.ptr));
    member(body, "title", fb_phrase_of_status(refusal->status));
    fb_buffer_add_format(body, ",\"status\":%u", refusal->status);
    add_told(refusal, body);
    fb_buffer_add_char(body, '}');
}

/* --- For people --------------------------------------------------------------------------------------- */

static struct fb_span sentence_of(const struct fb_refusal *refusal)
{
    return refusal->detail.len != 0 ? refusal->detail : fb_reason_sentence_of(refusal->reason);
}

/* A line `name: value`; what is not UTF-8, or would end the line, becomes U+FFFD. */
static void text_line(struct fb_buffer *body, const char *name, struct fb_span value)
{
    if (value.len == 0)
        return;
    fb_buffer_add_format(body, "%s: ", name);
    while (value.len != 0) {
        unsigned length;
        uint32_t scalar = fb_utf8_next(value, &length);
        if (length == 0 || scalar < ' ' || scalar == 0x7f)
            fb_buffer_add_z(body, "\xef\xbf\xbd");
        else
            fb_buffer_add(body, fb_span_head(value, length));
        value = fb_span_from(value, length == 0 ? 1 : length);
    }
    fb_buffer_add_char(body, '\n');
}

static struct fb_span policies_of(const struct fb_refusal *refusal, struct fb_arena *arena)
{
    struct fb_span list = {0, NULL};
    for (size_t i = 0; refusal->level >= FB_LEVEL_POLICY && i < refusal->policies_count; i++)
        list = fb_arena_format(arena, "%.*s%s%.*s", (int)list.len, list.ptr, i == 0 ? "" : ", ",
                               (int)refusal->policies[i].len, refusal->policies[i].ptr);
    return list;
}

static void write_text(const struct fb_refusal *refusal, struct fb_arena *arena, struct fb_buffer *body)
{
    struct fb_span phrase = fb_phrase_of_status(refusal->status);
    fb_buffer_add_format(body, "%u %.*s\n", refusal->status, (int)phrase.len, phrase.ptr);
    text_line(body, "error", fb_error_of_status(refusal->status));
    if (refusal->level >= FB_LEVEL_REASON) {
        text_line(body, "reason", refusal->reason);
        text_line(body, "request_id", refusal->request_id);
    }
    if (refusal->level >= FB_LEVEL_DETAIL) {
        text_line(body, "detail", sentence_of(refusal));
        text_line(body, "help", refusal->help);
    }
    text_line(body, "policies", policies_of(refusal, arena));
    if (refusal->level >= FB_LEVEL_POLICY)
        text_line(body, "clause", refusal->clause);
}

static struct fb_span word(const struct fb_language *language, enum fb_word which)
{
    return language->words[which].len != 0 ? language->words[which] : fb_word_text(which);
}

/* The word whose key is `prefix` and the status. */
static struct fb_span word_of_status(const struct fb_language *language, const char *prefix, unsigned status,
                                     struct fb_arena *arena)
{
    struct fb_span key = fb_arena_format(arena, "%s.%u", prefix, status);
    for (unsigned i = 0; i < FB_WORDS; i++)
        if (fb_span_eq(fb_word_key((enum fb_word)i), key))
            return word(language, (enum fb_word)i);
    return fb_phrase_of_status(status);
}

/* A policy's own `@detail` is in the language that its author chose, unless the directory has the code. */
static struct fb_span translated(const struct fb_language *language, const struct fb_refusal *refusal)
{
    for (size_t i = 0; i < language->codes_count; i++)
        if (fb_span_eq(language->codes[i], refusal->reason))
            return language->sentences[i];
    return sentence_of(refusal);
}

/* "Signing in again will not change that" is not so where the refusal is curable. */
static struct fb_span message_of(const struct fb_language *language, const struct fb_refusal *refusal,
                                 struct fb_arena *arena)
{
    if (fb_span_is(refusal->challenge_error, "insufficient_scope"))
        return word(language, FB_WORD_MESSAGE_SCOPE);
    if (fb_span_is(refusal->challenge_error, "insufficient_user_authentication"))
        return word(language, FB_WORD_MESSAGE_SIGN_IN);
    return word_of_status(language, "message", refusal->status, arena);
}

static void write_page(const struct fb_refusal *refusal, const struct fb_audience *audience, struct fb_arena *arena,
                       struct fb_buffer *body)
{
    const struct fb_language *language = fb_pages_choose(audience->pages, audience->accept_language);
    struct fb_span values[FB_PAGE_NAMES] = {
        [FB_PAGE_LANG] = language->tag,
        [FB_PAGE_TITLE] = word_of_status(language, "title", refusal->status, arena),
        [FB_PAGE_MESSAGE] = message_of(language, refusal, arena),
        [FB_PAGE_HELP_LABEL] = word(language, FB_WORD_LABEL_HELP),
        [FB_PAGE_BLOCKED_BY] = refusal->blocked_by,
        [FB_PAGE_BLOCKED_BY_LABEL] = word(language, FB_WORD_LABEL_BLOCKED_BY),
        [FB_PAGE_STATUS] = fb_arena_format(arena, "%u", refusal->status),
        [FB_PAGE_STATUS_LABEL] = word(language, FB_WORD_LABEL_STATUS),
        [FB_PAGE_REASON_LABEL] = word(language, FB_WORD_LABEL_REASON),
        [FB_PAGE_POLICIES] = policies_of(refusal, arena),
        [FB_PAGE_POLICIES_LABEL] = word(language, FB_WORD_LABEL_POLICIES),
        [FB_PAGE_REQUEST_ID_LABEL] = word(language, FB_WORD_LABEL_REQUEST),
    };
    if (refusal->level >= FB_LEVEL_REASON) {
        values[FB_PAGE_REASON] = refusal->reason;
        values[FB_PAGE_REQUEST_ID] = refusal->request_id;
    }
    if (refusal->level >= FB_LEVEL_DETAIL) {
        values[FB_PAGE_DETAIL] = translated(language, refusal);
        values[FB_PAGE_HELP] = refusal->help;
    }
    fb_page_fill(language->page.len != 0 ? language->page : fb_page_built_in(), values, body);
}

void fb_body_write(const struct fb_refusal *refusal, const struct fb_audience *audience, enum fb_http_media media,
                   struct fb_arena *arena, struct fb_buffer *body)
{
    switch (media) {
    case FB_MEDIA_JSON:
        write_json(refusal, body);
        break;
    case FB_MEDIA_PROBLEM_JSON:
        write_problem(refusal, arena, body);
        break;
    case FB_MEDIA_TEXT:
        write_text(refusal, arena, body);
        break;
    case FB_MEDIA_HTML:
        write_page(refusal, audience, arena, body);
        break;
    }
}
