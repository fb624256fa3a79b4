/* SPDX-License-Identifier: Apache-2.0 */
/* Query parameters by their names: see query.h.  Values are for context.c, routes on `?name` for
 * match.c. */
#include "request/query.h"
#include "request/request.h"

#define NAME_MAX 256u

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte at the start of *text, decoded; a malformed encoding stands for itself, as the standard
 * has it.  *bad then. */
static char take_byte(struct fb_span *text, bool *bad)
{
    char c = text->ptr[0];
    size_t taken = 1;
    if (c == '+') {
        c = ' ';
    } else if (c == '%') {
        int high = text->len > 2 ? hex_digit(text->ptr[1]) : -1;
        int low = text->len > 2 ? hex_digit(text->ptr[2]) : -1;
        if (high >= 0 && low >= 0) {
            c = (char)(high * 16 + low);
            taken = 3;
        } else {
            *bad = true;
        }
    }
    *text = fb_span_from(*text, taken);
    return c;
}

/* Decodes at most NAME_MAX bytes, leading blanks left out where asked for. */
static struct fb_span decode_name(struct fb_span raw, char out[NAME_MAX], bool skip_blanks)
{
    size_t n = 0;
    bool bad = false;
    while (raw.len != 0 && n < NAME_MAX) {
        char c = take_byte(&raw, &bad);
        if (skip_blanks && n == 0 && (c == ' ' || c == '\t'))
            continue;
        out[n++] = c;
    }
    /* a longer name than any that is declared: not to be taken for its beginning */
    return fb_span(out, raw.len == 0 || skip_blanks ? n : 0);
}

static bool strict_match(const struct fb_query_reader *reader, struct fb_span raw_name, size_t *index)
{
    char buffer[NAME_MAX];
    struct fb_span name = decode_name(raw_name, buffer, false);
    for (size_t i = 0; i < reader->count; i++) {
        if (fb_span_eq(name, reader->names[i])) {
            *index = i;
            return true;
        }
    }
    return false;
}

static char loose(char c)
{
    if (c == '.' || c == ' ')
        return '_';
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool loosely_equal(struct fb_span a, struct fb_span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (loose(a.ptr[i]) != loose(b.ptr[i]))
            return false;
    return true;
}

/* Without what some upstreams leave away: blanks and a NUL with what follows, `[…]`. */
static struct fb_span core_of(struct fb_span name)
{
    name = fb_span_trim(fb_span_head(name, fb_span_find(name, '[')));
    return fb_span_trim(fb_span_head(name, fb_span_find(name, '\0')));
}

static bool loose_match(const struct fb_query_reader *reader, struct fb_span raw_name)
{
    char once[NAME_MAX], twice[NAME_MAX];
    struct fb_span name = decode_name(raw_name, once, true);
    struct fb_span again = decode_name(name, twice, true);
    for (size_t i = 0; i < reader->count; i++) {
        struct fb_span wanted = core_of(reader->names[i]);
        if (wanted.len != 0 && (loosely_equal(core_of(name), wanted) || loosely_equal(core_of(again), wanted)))
            return true;
    }
    return false;
}

void fb_query_start(struct fb_query_reader *reader, struct fb_span query, const struct fb_span *names, size_t count)
{
    *reader = (struct fb_query_reader){.rest = query, .names = names, .count = count, .ended = query.len == 0};
}

/* What stands between two `&`; the parts behind a `;` may be parameters to somebody. */
static bool hides_parameter(const struct fb_query_reader *reader, struct fb_span piece, bool first_matched)
{
    bool first = true;
    for (;;) {
        size_t end = fb_span_find(piece, ';');
        struct fb_span part = fb_span_head(piece, end);
        struct fb_span name = fb_span_head(part, fb_span_find(part, '='));
        if (!(first && first_matched) && name.len != 0 && loose_match(reader, name))
            return true;
        if (end == piece.len)
            return false;
        piece = fb_span_from(piece, end + 1);
        first = false;
    }
}

enum fb_query_step fb_query_next(struct fb_query_reader *reader, size_t *index, struct fb_span *raw_value)
{
    while (!reader->ended && reader->count != 0) {
        if (++reader->pieces > FB_QUERY_PIECES_MAX)
            return FB_QUERY_AMBIGUOUS;
        size_t end = fb_span_find(reader->rest, '&');
        struct fb_span piece = fb_span_head(reader->rest, end);
        reader->ended = end == reader->rest.len;
        reader->rest = fb_span_from(reader->rest, end + 1);
        size_t equals = fb_span_find(piece, '=');
        bool found = piece.len != 0 && strict_match(reader, fb_span_head(piece, equals), index);
        if (hides_parameter(reader, piece, found))
            return FB_QUERY_AMBIGUOUS;
        if (found) {
            *raw_value = fb_span_from(piece, equals + 1);
            return FB_QUERY_FOUND;
        }
    }
    return FB_QUERY_END;
}

bool fb_query_mentions(struct fb_span query, struct fb_span name)
{
    struct fb_query_reader reader;
    size_t index = 0;
    struct fb_span value;
    fb_query_start(&reader, query, &name, 1);
    while (fb_query_next(&reader, &index, &value) != FB_QUERY_END) {
        if (reader.pieces <= FB_QUERY_PIECES_MAX)
            return true;
        /* Only the count of pieces stopped it; here it may be any number. */
        reader.pieces = 0;
    }
    return false;
}

bool fb_query_decode(struct fb_span raw, struct fb_arena *arena, struct fb_span *value)
{
    if (fb_span_find(raw, '%') == raw.len && fb_span_find(raw, '+') == raw.len) {
        *value = raw;
    } else {
        char *out = fb_arena_alloc(arena, raw.len);
        if (out == NULL)
            return false;
        size_t n = 0;
        bool bad = false;
        while (raw.len != 0)
            out[n++] = take_byte(&raw, &bad);
        if (bad)
            return false;
        *value = fb_span(out, n);
    }
    return fb_utf8_valid(*value) == value->len && fb_span_find(*value, '\0') == value->len;
}
