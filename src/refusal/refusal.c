/* SPDX-License-Identifier: Apache-2.0 */
/* The words of refusals: levels, reasons, and the `error` member of each status.  What is made of
 * them is in render.c. */
#include "refusal/refusal.h"

static const struct fb_span levels[] = {
    [FB_LEVEL_NONE] = FB_SPAN_INIT("none"),
    [FB_LEVEL_REASON] = FB_SPAN_INIT("reason"),
    [FB_LEVEL_DETAIL] = FB_SPAN_INIT("detail"),
    [FB_LEVEL_POLICY] = FB_SPAN_INIT("policy"),
};

static const struct {
    struct fb_span code, sentence;
} reasons[FB_REASONS] = {
#define FB_REASON(symbol, code_, sentence_) \
    [FB_REASON_##symbol] = {.code = FB_SPAN_INIT(code_), .sentence = FB_SPAN_INIT(sentence_)},
#include "refusal/reasons.def"
#undef FB_REASON
};

bool fb_level_parse(struct fb_span text, enum fb_level *level)
{
    for (unsigned i = 0; i <= FB_LEVEL_POLICY; i++) {
        if (fb_span_eq(text, levels[i])) {
            *level = (enum fb_level)i;
            return true;
        }
    }
    return false;
}

struct fb_span fb_level_name(enum fb_level level)
{
    return levels[level];
}

struct fb_span fb_reason_code(enum fb_reason reason)
{
    return reasons[reason].code;
}

struct fb_span fb_reason_sentence(enum fb_reason reason)
{
    return reasons[reason].sentence;
}

struct fb_span fb_reason_sentence_of(struct fb_span code)
{
    for (unsigned i = 0; i < FB_REASONS; i++)
        if (fb_span_eq(code, reasons[i].code))
            return reasons[i].sentence;
    return fb_span(NULL, 0);
}

/* One table of statuses: what a refusal can be, and its words. */
static const struct status {
    unsigned status;
    struct fb_span error, phrase;
} statuses[] = {
    {400, FB_SPAN_INIT("invalid_request"), FB_SPAN_INIT("Bad Request")},
    {401, FB_SPAN_INIT("unauthorized"), FB_SPAN_INIT("Unauthorized")},
    {403, FB_SPAN_INIT("forbidden"), FB_SPAN_INIT("Forbidden")},
    {404, FB_SPAN_INIT("not_found"), FB_SPAN_INIT("Not Found")},
    {405, FB_SPAN_INIT("method_not_allowed"), FB_SPAN_INIT("Method Not Allowed")},
    {413, FB_SPAN_INIT("content_too_large"), FB_SPAN_INIT("Content Too Large")},
    {414, FB_SPAN_INIT("uri_too_long"), FB_SPAN_INIT("URI Too Long")},
    {429, FB_SPAN_INIT("too_many_requests"), FB_SPAN_INIT("Too Many Requests")},
    {431, FB_SPAN_INIT("request_header_fields_too_large"), FB_SPAN_INIT("Request Header Fields Too Large")},
    {451, FB_SPAN_INIT("unavailable_for_legal_reasons"), FB_SPAN_INIT("Unavailable For Legal Reasons")},
    {503, FB_SPAN_INIT("authorization_unavailable"), FB_SPAN_INIT("Service Unavailable")},
};

static const struct status *find_status(unsigned status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].status == status)
            return &statuses[i];
    return NULL;
}

struct fb_span fb_error_of_status(unsigned status)
{
    const struct status *found = find_status(status);
    return found != NULL ? found->error : FB_SPAN("refused");
}

struct fb_span fb_phrase_of_status(unsigned status)
{
    const struct status *found = find_status(status);
    return found != NULL ? found->phrase : FB_SPAN("Refused");
}
