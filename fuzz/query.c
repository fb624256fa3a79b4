/* SPDX-License-Identifier: Apache-2.0 */
/* Query parameters against a second reader that splits, decodes and compares one step after the other. */
#include "fuzz.h"

#include "request/query.h"

static const struct fb_span names[] = {FB_SPAN_INIT("q"), FB_SPAN_INIT("page"), FB_SPAN_INIT("a b"), FB_SPAN_INIT("\xc3\xa9")};
enum { NAMES = sizeof names / sizeof names[0] };

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* As the WHATWG's URL section 5.1 does: what is no encoding stays as it is. */
static struct fb_span decode(struct fb_span text, struct fb_arena *arena, bool *malformed)
{
    char *out = fb_arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%' && i + 2 < text.len && hex(text.ptr[i + 1]) >= 0 && hex(text.ptr[i + 2]) >= 0) {
            c = (char)(hex(text.ptr[i + 1]) * 16 + hex(text.ptr[i + 2]));
            i += 2;
        } else if (c == '%') {
            *malformed = true;
        } else if (c == '+') {
            c = ' ';
        }
        out[n++] = c;
    }
    return fb_span(out, n);
}

static int index_of(struct fb_span name)
{
    for (int i = 0; i < NAMES; i++)
        if (fb_span_eq(names[i], name))
            return i;
    return -1;
}

/* The next piece of the query with one of the names; its index, or -1. */
static int next(struct fb_span *rest, struct fb_arena *arena, struct fb_span *raw)
{
    while (rest->len != 0) {
        bool malformed = false;
        size_t end = fb_span_find(*rest, '&');
        struct fb_span piece = fb_span_head(*rest, end);
        *rest = fb_span_from(*rest, end < rest->len ? end + 1 : end);
        size_t equals = fb_span_find(piece, '=');
        int index = piece.len != 0 ? index_of(decode(fb_span_head(piece, equals), arena, &malformed)) : -1;
        *raw = fb_span_from(piece, equals < piece.len ? equals + 1 : equals);
        if (index >= 0)
            return index;
    }
    return -1;
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_query_reader reader;
    enum fb_query_step step;
    struct fb_span raw, expected, value, rest = input;
    size_t index;
    fb_query_start(&reader, input, names, NAMES);
    while ((step = fb_query_next(&reader, &index, &raw)) == FB_QUERY_FOUND) {
        bool malformed = false;
        fuzz_must(next(&rest, arena, &expected) == (int)index, "the next parameter is the same");
        fuzz_must(fb_span_eq(raw, expected), "… with the same value");
        struct fb_span plain = decode(raw, arena, &malformed);
        bool sound = !malformed && fb_utf8_valid(plain) == plain.len && fb_span_find(plain, '\0') == plain.len;
        fuzz_must(fb_query_decode(raw, arena, &value) == sound, "what is malformed is refused");
        fuzz_must(!sound || fb_span_eq(value, plain), "what is not is decoded");
    }
    if (step == FB_QUERY_END)
        fuzz_must(next(&rest, arena, &expected) < 0, "no parameter is missed");
}
