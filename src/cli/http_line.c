/* SPDX-License-Identifier: Apache-2.0 */
/* Request lines typed by people, and the part of nginx that turns a raw target into $uri. */
#include "cli/http_line.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Once.  What is no escape stays as it is, for the guard to refuse. */
static size_t decode(struct fb_span raw, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        int high = raw.ptr[i] == '%' && i + 2 < raw.len ? hex(raw.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex(raw.ptr[i + 2]) : -1;
        if (low >= 0) {
            out[len++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[len++] = raw.ptr[i];
        }
    }
    return len;
}

/* In place: `//` and `/./` vanish, `/../` takes the segment before it along.  The result is never
 * longer than what it was made from. */
static size_t normalise(char *path, size_t len)
{
    size_t to = 0, at = 0;
    while (at < len) {
        size_t end = at; /* path[at] is a slash */
        while (end + 1 < len && path[end + 1] != '/')
            end++;
        struct fb_span segment = fb_span(path + at + 1, end - at);
        bool last = end + 1 >= len;
        if (fb_span_is(segment, "..")) {
            while (to > 0 && path[--to] != '/')
                ;
        } else if (segment.len != 0 && !fb_span_is(segment, ".")) {
            memmove(path + to, path + at, segment.len + 1);
            to += segment.len + 1;
        }
        bool hollow = segment.len == 0 || fb_span_is(segment, ".") || fb_span_is(segment, "..");
        if (last && hollow)
            path[to++] = '/';
        at = end + 1;
    }
    return to;
}

const char *fb_http_line_read(struct fb_span line, struct fb_arena *arena, struct fb_http_request *request)
{
    line = fb_span_trim(line);
    size_t space = fb_span_find(line, ' ');
    struct fb_span method = fb_span_head(line, space), target = fb_span_trim(fb_span_from(line, space));
    if (method.len == 0 || target.len == 0)
        return "a request is a method and a target: 'GET /users/1'";
    if (fb_span_find(target, ' ') < target.len)
        return "a target has no spaces; write %20";
    if (target.ptr[0] != '/')
        return "a target begins with a slash";
    for (size_t i = 0; i < method.len; i++)
        if (method.ptr[i] >= 'a' && method.ptr[i] <= 'z')
            return "methods are written in capitals; nginx answers others with its 400";
    request->method = method;
    request->raw_target = target;
    size_t question = fb_span_find(target, '?');
    request->query = fb_span_from(target, question + 1);
    struct fb_span raw = fb_span_head(target, question);
    raw = fb_span_head(raw, fb_span_find(raw, '#'));
    char *path = fb_arena_alloc(arena, raw.len + 2);
    if (path == NULL)
        return "out of memory";
    request->path = fb_span(path, normalise(path, decode(raw, path)));
    return NULL;
}

bool fb_http_field_read(struct fb_span line, struct fb_http_field *field)
{
    size_t colon = fb_span_find(line, ':');
    field->name = fb_span_trim(fb_span_head(line, colon));
    field->value = fb_span_trim(fb_span_from(line, colon + 1));
    return colon < line.len && field->name.len != 0;
}
