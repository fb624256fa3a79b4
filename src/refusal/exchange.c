/* SPDX-License-Identifier: Apache-2.0 */
/* The list of exchanges, messages as they are on the wire, and which form a text has.
 * The forms of curl and of browsers are exchange_curl.c's and exchange_har.c's.
 * Read RFC 9112 sections 2 to 5; the reading is lenient, since what is to be found are faults. */
#include "refusal/exchange_read.h"

#include "http/http.h"

void fb_exchanges_init(struct fb_exchanges *exchanges, struct fb_arena *arena)
{
    *exchanges = (struct fb_exchanges){.arena = arena};
}

struct fb_exchange *fb_exchange_begin(struct fb_exchange_reader *reader, size_t at)
{
    struct fb_exchanges *out = reader->out;
    struct fb_exchange *list = fb_arena_grow(out->arena, out->list, out->count, &out->capacity, sizeof *list);
    if (list == NULL) {
        reader->failed = true;
        return NULL;
    }
    out->list = list;
    reader->request_room = reader->response_room = 0;
    list[out->count] = (struct fb_exchange){.source = reader->source, .at = (uint32_t)at, .body_known = true};
    return &list[out->count++];
}

struct fb_span fb_exchange_line(struct fb_span *rest)
{
    size_t end = fb_span_find(*rest, '\n');
    struct fb_span line = fb_span_head(*rest, end);
    *rest = fb_span_from(*rest, end < rest->len ? end + 1 : end);
    while (line.len != 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

bool fb_exchange_request_line(struct fb_span line, struct fb_span *method, struct fb_span *target)
{
    size_t first = fb_span_find(line, ' ');
    struct fb_span rest = fb_span_from(line, first + 1);
    size_t second = fb_span_find(rest, ' ');
    *method = fb_span_head(line, first);
    *target = fb_span_head(rest, second);
    return fb_http_is_method(*method) && target->len != 0 && fb_span_starts(fb_span_from(rest, second + 1), FB_SPAN("HTTP/"));
}

bool fb_exchange_status_line(struct fb_span line, unsigned *status, struct fb_span *phrase)
{
    size_t space = fb_span_find(line, ' ');
    struct fb_span rest = fb_span_from(line, space + 1);
    uint64_t value;
    if (!fb_span_starts(line, FB_SPAN("HTTP/")) || space > 8 || !fb_span_to_u64(fb_span_head(rest, 3), 999, &value) ||
        rest.len < 3 || value < 100 || (rest.len > 3 && rest.ptr[3] != ' '))
        return false;
    *status = (unsigned)value;
    *phrase = fb_span_trim(fb_span_from(rest, 3));
    return true;
}

void fb_exchange_add_pair(struct fb_exchange_reader *reader, bool request, struct fb_span name, struct fb_span value)
{
    struct fb_exchange *exchange = fb_exchange_last(reader);
    struct fb_line **list = request ? &exchange->request : &exchange->response;
    size_t *count = request ? &exchange->request_count : &exchange->response_count;
    if (*count == FB_EXCHANGE_FIELDS)
        return;
    struct fb_line *grown = fb_arena_grow(reader->out->arena, *list, *count,
                                          request ? &reader->request_room : &reader->response_room, sizeof *grown);
    if (grown == NULL) {
        reader->failed = true;
        return;
    }
    *list = grown;
    grown[(*count)++] = (struct fb_line){name, fb_span_trim(value)};
}

void fb_exchange_add_field(struct fb_exchange_reader *reader, bool request, struct fb_span line)
{
    /* HTTP/2's own fields begin with a colon. */
    struct fb_span rest = line.len != 0 && line.ptr[0] == ':' ? fb_span_from(line, 1) : line;
    size_t colon = fb_span_find(rest, ':');
    if (rest.ptr == line.ptr && colon < rest.len && fb_http_is_field_name(fb_span_head(rest, colon)))
        fb_exchange_add_pair(reader, request, fb_span_head(rest, colon), fb_span_from(rest, colon + 1));
}

void fb_exchange_answer(struct fb_exchange_reader *reader, unsigned status, struct fb_span phrase)
{
    struct fb_exchange *exchange = fb_exchange_last(reader);
    exchange->status = status;
    exchange->phrase = phrase;
    exchange->response = NULL;
    exchange->response_count = 0;
    reader->response_room = 0;
}

void fb_exchange_complete_url(struct fb_exchange_reader *reader, struct fb_exchange *exchange)
{
    struct fb_span host = fb_request_field(exchange, "host");
    if (host.len == 0 || exchange->url.len == 0 || exchange->url.ptr[0] != '/')
        return;
    struct fb_span url = fb_arena_format(reader->out->arena, "%s://%.*s%.*s", reader->https ? "https" : "http", (int)host.len,
                                         host.ptr, (int)exchange->url.len, exchange->url.ptr);
    if (url.len != 0)
        exchange->url = url;
}

static struct fb_span field_of(const struct fb_line *fields, size_t count, const char *name, bool *present)
{
    for (size_t i = 0; i < count; i++)
        if (fb_span_eq_nocase(fields[i].name, fb_span_z(name))) {
            *present = true;
            return fields[i].value;
        }
    *present = false;
    return fb_span(NULL, 0);
}

struct fb_span fb_request_field(const struct fb_exchange *exchange, const char *name)
{
    bool present;
    return field_of(exchange->request, exchange->request_count, name, &present);
}

struct fb_span fb_response_field(const struct fb_exchange *exchange, const char *name)
{
    bool present;
    return field_of(exchange->response, exchange->response_count, name, &present);
}

bool fb_request_has(const struct fb_exchange *exchange, const char *name)
{
    bool present;
    (void)field_of(exchange->request, exchange->request_count, name, &present);
    return present;
}

bool fb_response_has(const struct fb_exchange *exchange, const char *name)
{
    bool present;
    (void)field_of(exchange->response, exchange->response_count, name, &present);
    return present;
}

enum fb_presented fb_exchange_presented(const struct fb_exchange *exchange)
{
    struct fb_span authorization = fb_request_field(exchange, "authorization");
    struct fb_span scheme = fb_span_head(authorization, fb_span_find(authorization, ' '));
    if (fb_span_eq_nocase(scheme, FB_SPAN("Bearer")))
        return FB_PRESENTED_BEARER;
    if (fb_span_eq_nocase(scheme, FB_SPAN("DPoP")))
        return FB_PRESENTED_DPOP;
    if (fb_span_eq_nocase(scheme, FB_SPAN("Basic")))
        return FB_PRESENTED_BASIC;
    if (scheme.len != 0 || fb_request_has(exchange, "x-api-key") || fb_request_has(exchange, "api-key"))
        return FB_PRESENTED_OTHER;
    return fb_request_has(exchange, "cookie") ? FB_PRESENTED_SESSION : FB_PRESENTED_NONE;
}

/* --- Messages as they are -------------------------------------------------------------------------------- */

/* Fields up to the empty line. */
static void read_fields(struct fb_exchange_reader *reader, bool request, struct fb_span *rest)
{
    while (rest->len != 0) {
        struct fb_span line = fb_exchange_line(rest);
        if (line.len == 0)
            return;
        fb_exchange_add_field(reader, request, line);
    }
}

static bool is_head(struct fb_span text)
{
    unsigned status;
    struct fb_span method, target, line = fb_exchange_line(&text);
    return fb_exchange_status_line(line, &status, &method) || fb_exchange_request_line(line, &method, &target);
}

/* Up to the next head, which can only stand at a line's start. */
static struct fb_span take_body(struct fb_span *rest)
{
    struct fb_span at = *rest;
    while (at.len != 0 && !is_head(at))
        (void)fb_exchange_line(&at);
    struct fb_span body = fb_span(rest->ptr, rest->len - at.len);
    *rest = at;
    return body;
}

bool fb_exchanges_read_messages(struct fb_exchange_reader *reader, struct fb_span text)
{
    struct fb_span rest = text;
    bool open = false;              /* a request without its answer yet */
    while (rest.len != 0 && !reader->failed) {
        size_t at = text.len - rest.len;
        struct fb_span method, target, phrase, line = fb_exchange_line(&rest);
        unsigned status;
        if (fb_exchange_request_line(line, &method, &target)) {
            struct fb_exchange *exchange = fb_exchange_begin(reader, at);
            if (exchange == NULL)
                break;
            exchange->method = method;
            exchange->url = target;
            exchange->request_known = open = true;
            read_fields(reader, true, &rest);
            exchange->request_body = take_body(&rest);
            fb_exchange_complete_url(reader, exchange);
        } else if (fb_exchange_status_line(line, &status, &phrase)) {
            if (!open && fb_exchange_begin(reader, at) == NULL)
                break;
            fb_exchange_answer(reader, status, phrase);
            read_fields(reader, false, &rest);
            struct fb_span body = take_body(&rest);
            fb_exchange_last(reader)->body = body;
            open = status < 200 && status != 101;
        }
    }
    return !reader->failed;
}

/* --- Which form ----------------------------------------------------------------------------------------------- */

enum form { FORM_NONE, FORM_MESSAGES, FORM_VERBOSE, FORM_TRACE, FORM_HAR };

static bool is_trace_line(struct fb_span line)
{
    /* A time may stand before it. */
    for (size_t i = 0; i + 3 < line.len && i < 32; i++) {
        struct fb_span at = fb_span_from(line, i);
        if (fb_span_starts(at, FB_SPAN("=> Send ")) || fb_span_starts(at, FB_SPAN("<= Recv ")) || fb_span_starts(at, FB_SPAN("== Info")))
            return true;
    }
    return false;
}

static enum form form_of(struct fb_span text)
{
    struct fb_span rest = text;
    bool first = true;              /* JSON begins with what it is */
    while (rest.len != 0) {
        struct fb_span line = fb_span_trim(fb_exchange_line(&rest)), method, target;
        unsigned status;
        if (line.len == 0)
            continue;
        if (line.ptr[0] == '{' && first && !fb_span_starts(line, FB_SPAN("{ [")))
            return FORM_HAR;
        first = false;
        if (is_trace_line(line))
            return FORM_TRACE;
        if (fb_span_starts(line, FB_SPAN("* ")) || fb_span_starts(line, FB_SPAN("> ")) || fb_span_starts(line, FB_SPAN("< ")))
            return FORM_VERBOSE;
        if (fb_exchange_status_line(line, &status, &method) || fb_exchange_request_line(line, &method, &target))
            return FORM_MESSAGES;
    }
    return FORM_NONE;
}

static bool read_form(struct fb_exchange_reader *reader, struct fb_span text, enum form form)
{
    switch (form) {
    case FORM_MESSAGES: return fb_exchanges_read_messages(reader, text);
    case FORM_VERBOSE: return fb_exchanges_read_verbose(reader, text);
    case FORM_TRACE: return fb_exchanges_read_trace(reader, text);
    case FORM_HAR: return fb_exchanges_read_har(reader, text);
    case FORM_NONE: break;
    }
    return true;
}

static bool fault(struct fb_exchange_reader *reader, const char *code, const char *message, const char *hint)
{
    struct fb_diag *diag = fb_diag_add(reader->diags, FB_ERROR, code, reader->source, (struct fb_range){0, 0}, "%s", message);
    diag->hint = fb_span_z(hint);
    return false;
}

bool fb_exchanges_read(struct fb_exchanges *exchanges, const struct fb_source *source, struct fb_diags *diags)
{
    struct fb_exchange_reader reader = {.out = exchanges, .source = source, .diags = diags};
    size_t before = exchanges->count, errors = diags->errors;
    if (source->text.len > FB_EXCHANGES_BYTES)
        return fault(&reader, "exchange.too_large", "the text is over 256 MiB", "split it");
    bool whole = read_form(&reader, source->text, form_of(source->text));
    if (reader.failed)
        return fault(&reader, "exchange.memory", "there is not enough memory for these exchanges", "split the file");
    if (!whole || diags->errors != errors)
        return false;
    if (exchanges->count == before)
        return fault(&reader, "exchange.none", "there is no HTTP exchange in this text",
                     "give what `curl -i`, `curl -v`, `curl --trace-ascii FILE` printed, or a HAR file");
    return true;
}
