/* SPDX-License-Identifier: Apache-2.0 */
/* HAR 1.2, as browsers and proxies export it: log.entries[] with request and response.  What no finding needs
 * (timings, cookies again, pages) is passed over.  Faults of the JSON are diagnostics with their place. */
#include "refusal/exchange_read.h"

static struct fb_json_limits limits(void)
{
    return (struct fb_json_limits){.depth = 64, .bytes = FB_EXCHANGES_BYTES, .keys = 65536};
}

/* The text of a member, or what it had if it is no text; false on an error. */
static bool text_member(struct fb_json *json, struct fb_span *out)
{
    if (fb_json_next(json) == FB_JSON_STRING)
        *out = json->string;
    else if (!fb_json_skip(json))
        return false;
    return json->event != FB_JSON_ERROR;
}

static bool read_header(struct fb_exchange_reader *reader, struct fb_json *json, bool request)
{
    struct fb_span name = {0, NULL}, value = {0, NULL};
    while (fb_json_next(json) == FB_JSON_KEY) {
        struct fb_span key = json->string, other;
        if (!text_member(json, fb_span_is(key, "name") ? &name : fb_span_is(key, "value") ? &value : &other))
            return false;
    }
    /* HTTP/2's own fields begin with a colon. */
    if (json->event == FB_JSON_OBJECT_END && name.len != 0 && name.ptr[0] != ':')
        fb_exchange_add_pair(reader, request, name, value);
    return json->event == FB_JSON_OBJECT_END;
}

static bool read_headers(struct fb_exchange_reader *reader, struct fb_json *json, bool request)
{
    if (fb_json_next(json) != FB_JSON_ARRAY)
        return fb_json_skip(json);
    while (fb_json_next(json) != FB_JSON_ARRAY_END)
        if (json->event == FB_JSON_OBJECT ? !read_header(reader, json, request) : !fb_json_skip(json))
            return false;
    return true;
}

static bool read_request(struct fb_exchange_reader *reader, struct fb_json *json)
{
    struct fb_exchange *exchange = fb_exchange_last(reader);
    if (fb_json_next(json) != FB_JSON_OBJECT)
        return fb_json_skip(json);
    while (fb_json_next(json) == FB_JSON_KEY) {
        struct fb_span key = json->string;
        bool whole;
        if (fb_span_is(key, "method"))
            whole = text_member(json, &exchange->method);
        else if (fb_span_is(key, "url"))
            whole = text_member(json, &exchange->url);
        else if (fb_span_is(key, "headers"))
            whole = read_headers(reader, json, true);
        else
            whole = fb_json_skip(json);
        if (!whole)
            return false;
    }
    exchange->request_known = true;
    return json->event == FB_JSON_OBJECT_END;
}

/* RFC 4648 section 4; blanks are passed over, anything else ends it. */
static struct fb_span from_base64(struct fb_arena *arena, struct fb_span text)
{
    char *out = fb_arena_alloc(arena, text.len / 4 * 3 + 3);
    size_t n = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; out != NULL && i < text.len; i++) {
        char c = text.ptr[i];
        unsigned value = c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') : c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 26 :
                         c >= '0' && c <= '9' ? (unsigned)(c - '0') + 52 : c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : 64;
        if (c == '\n' || c == '\r' || c == ' ')
            continue;
        if (value == 64)
            break;
        bits = (bits << 6 | value) & 0xffffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[n++] = (char)(unsigned char)(bits >> held & 0xff);
        }
    }
    return fb_span(out, out != NULL ? n : 0);
}

static bool read_content(struct fb_exchange_reader *reader, struct fb_json *json)
{
    struct fb_exchange *exchange = fb_exchange_last(reader);
    struct fb_span encoding = {0, NULL}, type = {0, NULL}, other;
    bool there = false;
    if (fb_json_next(json) != FB_JSON_OBJECT)
        return fb_json_skip(json);
    while (fb_json_next(json) == FB_JSON_KEY) {
        struct fb_span key = json->string;
        bool text = fb_span_is(key, "text");
        there |= text;
        if (!text_member(json, text ? &exchange->body : fb_span_is(key, "encoding") ? &encoding : fb_span_is(key, "mimeType") ? &type : &other))
            return false;
    }
    exchange->body_known = there;
    if (fb_span_is(encoding, "base64"))
        exchange->body = from_base64(reader->out->arena, exchange->body);
    return json->event == FB_JSON_OBJECT_END;
}

static bool read_response(struct fb_exchange_reader *reader, struct fb_json *json)
{
    struct fb_exchange *exchange = fb_exchange_last(reader);
    if (fb_json_next(json) != FB_JSON_OBJECT)
        return fb_json_skip(json);
    while (fb_json_next(json) == FB_JSON_KEY) {
        struct fb_span key = json->string;
        bool whole;
        if (fb_span_is(key, "status")) {
            whole = fb_json_next(json) == FB_JSON_INTEGER || fb_json_skip(json);
            if (whole && json->event == FB_JSON_INTEGER && json->integer >= 100 && json->integer <= 999)
                exchange->status = (unsigned)json->integer;
        } else if (fb_span_is(key, "statusText")) {
            whole = text_member(json, &exchange->phrase);
        } else if (fb_span_is(key, "headers")) {
            whole = read_headers(reader, json, false);
        } else if (fb_span_is(key, "content")) {
            whole = read_content(reader, json);
        } else {
            whole = fb_json_skip(json);
        }
        if (!whole)
            return false;
    }
    return json->event == FB_JSON_OBJECT_END;
}

static bool read_entry(struct fb_exchange_reader *reader, struct fb_json *json)
{
    if (fb_exchange_begin(reader, json->range.start) == NULL)
        return false;
    while (fb_json_next(json) == FB_JSON_KEY) {
        struct fb_span key = json->string;
        bool whole = fb_span_is(key, "request")    ? read_request(reader, json)
                     : fb_span_is(key, "response") ? read_response(reader, json)
                                                   : fb_json_skip(json);
        if (!whole || reader->failed)
            return false;
    }
    return json->event == FB_JSON_OBJECT_END;
}

static bool read_entries(struct fb_exchange_reader *reader, struct fb_json *json)
{
    if (fb_json_next(json) != FB_JSON_ARRAY)
        return fb_json_skip(json);
    while (fb_json_next(json) != FB_JSON_ARRAY_END)
        if (json->event == FB_JSON_OBJECT ? !read_entry(reader, json) : !fb_json_skip(json))
            return false;
    return true;
}

/* The members of an object, of which one is read. */
static bool descend(struct fb_exchange_reader *reader, struct fb_json *json, const char *name,
                    bool (*read)(struct fb_exchange_reader *, struct fb_json *))
{
    while (fb_json_next(json) == FB_JSON_KEY)
        if (fb_span_is(json->string, name) ? !read(reader, json) : !fb_json_skip(json))
            return false;
    return json->event == FB_JSON_OBJECT_END;
}

static bool read_log(struct fb_exchange_reader *reader, struct fb_json *json)
{
    return fb_json_next(json) == FB_JSON_OBJECT ? descend(reader, json, "entries", read_entries) : fb_json_skip(json);
}

bool fb_exchanges_read_har(struct fb_exchange_reader *reader, struct fb_span text)
{
    struct fb_json json;
    fb_json_init(&json, text, reader->out->arena, limits());
    if (fb_json_next(&json) == FB_JSON_OBJECT && descend(reader, &json, "log", read_log) && fb_json_next(&json) == FB_JSON_END)
        return true;
    if (reader->out->arena->failed)
        reader->failed = true;
    else if (json.error != NULL)
        fb_json_report(&json, reader->source, reader->diags);
    else
        fb_diag_add(reader->diags, FB_ERROR, "exchange.har", reader->source, json.range, "this is no HAR: an object with `log` is wanted");
    return false;
}
