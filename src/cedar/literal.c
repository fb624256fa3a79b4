/* SPDX-License-Identifier: Apache-2.0 */

/* String literals and `like` patterns: their escapes resolved.  literal.h has the rules. */

#include "cedar/literal.h"

struct reading {
    const struct fb_literal *literal;
    struct fb_span raw;
    size_t at;
};

static void fault(const struct reading *r, size_t start, size_t end, const char *why)
{
    size_t base = (size_t)(r->raw.ptr - r->literal->source->text.ptr);
    struct fb_range range = {(uint32_t)(base + start), (uint32_t)(base + end)};
    fb_diag_add(r->literal->diags, FB_ERROR, "parse.escape", r->literal->source, range, "%s", why)
        ->hint = FB_SPAN("escapes are \\n \\r \\t \\\\ \\0 \\' \\\" \\x00 to \\x7f and \\u{1} to \\u{10ffff}; "
                         "\\* in patterns");
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Behind `\x`. */
static int32_t read_hex_escape(struct reading *r, size_t start)
{
    int high = r->at < r->raw.len ? hex(r->raw.ptr[r->at]) : -1;
    int low = high >= 0 && r->at + 1 < r->raw.len ? hex(r->raw.ptr[r->at + 1]) : -1;
    if (low < 0) {
        fault(r, start, r->at, "`\\x` must be followed by two hexadecimal digits");
        return -1;
    }
    r->at += 2;
    if (high > 7) {
        fault(r, start, r->at, "`\\x` goes to 7f; use `\\u{…}` beyond");
        return -1;
    }
    return high * 16 + low;
}

/* Behind `\u`.  Underscores may stand between the digits, as in Rust. */
static int32_t read_unicode_escape(struct reading *r, size_t start)
{
    if (r->at >= r->raw.len || r->raw.ptr[r->at] != '{') {
        fault(r, start, r->at, "`\\u` must be followed by `{`, hexadecimal digits and `}`");
        return -1;
    }
    r->at++;
    uint32_t value = 0;
    unsigned digits = 0;
    bool bad = false;
    for (; r->at < r->raw.len && r->raw.ptr[r->at] != '}'; r->at++) {
        int digit = hex(r->raw.ptr[r->at]);
        if (digit < 0 && (r->raw.ptr[r->at] != '_' || digits == 0)) {
            bad = true;
            break;
        }
        if (digit >= 0 && ++digits <= 6)
            value = value * 16 + (uint32_t)digit;
    }
    if (bad || r->at >= r->raw.len || digits == 0) {
        fault(r, start, r->at, "`\\u{` must be followed by hexadecimal digits and `}`");
        return -1;
    }
    r->at++;
    char bytes[4];
    if (digits > 6 || fb_utf8_put(value, bytes) == 0) {
        fault(r, start, r->at, digits > 6 ? "`\\u{…}` has at most six digits"
                                          : "this is no Unicode scalar value");
        return -1;
    }
    return (int32_t)value;
}

/* Behind a backslash: the scalar meant, or -1 after a fault. */
static int32_t read_escape(struct reading *r)
{
    size_t start = r->at - 1;
    if (r->at >= r->raw.len) {
        fault(r, start, r->at, "an escape is cut off");
        return -1;
    }
    unsigned length;
    uint32_t c = fb_utf8_next(fb_span_from(r->raw, r->at), &length);
    r->at += length != 0 ? length : 1;
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '\\': return '\\';
    case '0': return 0;
    case '\'': return '\'';
    case '"': return '"';
    case 'x': return read_hex_escape(r, start);
    case 'u': return read_unicode_escape(r, start);
    case '\n': return -1;   /* the lexer has reported it */
    case '*':
        fault(r, start, r->at, "`\\*` is an escape of `like` patterns only");
        return -1;
    default:
        fault(r, start, r->at, "this is no escape");
        return -1;
    }
}

static bool is_plain(struct fb_span raw)
{
    return fb_span_find(raw, '\\') == raw.len && fb_span_find(raw, '\r') == raw.len;
}

/* One scalar of the literal at r->at into `out`; the bytes written. */
static unsigned read_scalar(struct reading *r, char *out)
{
    char c = r->raw.ptr[r->at++];
    if (c == '\r') {
        fault(r, r->at - 1, r->at, "a carriage return must be written as `\\r`");
        return 0;
    }
    if (c != '\\') {
        *out = c;
        return 1;
    }
    int32_t scalar = read_escape(r);
    return scalar >= 0 ? fb_utf8_put((uint32_t)scalar, out) : 0;
}

struct fb_span fb_literal_string(const struct fb_literal *literal, struct fb_span raw)
{
    if (is_plain(raw))
        return raw;
    /* No escape is shorter than what it stands for. */
    char *out = fb_arena_alloc(literal->arena, raw.len);
    if (out == NULL)
        return FB_SPAN("");
    struct reading r = {.literal = literal, .raw = raw};
    size_t len = 0;
    while (r.at < raw.len) {
        char bytes[4];
        unsigned n = read_scalar(&r, bytes);
        memcpy(out + len, bytes, n);
        len += n;
    }
    return fb_span(out, len);
}

const struct fb_pattern *fb_literal_pattern(const struct fb_literal *literal, struct fb_span raw)
{
    size_t stars = 0;
    for (size_t i = 0; i < raw.len; i++)
        stars += raw.ptr[i] == '*' || raw.ptr[i] == '\\';
    struct fb_pattern *pattern = fb_arena_alloc(literal->arena, sizeof *pattern);
    struct fb_span *literals = fb_arena_array(literal->arena, stars + 1, sizeof *literals);
    char *out = fb_arena_alloc(literal->arena, raw.len);
    if (pattern == NULL || literals == NULL || out == NULL)
        return NULL;
    struct reading r = {.literal = literal, .raw = raw};
    uint32_t wildcards = 0;
    size_t len = 0, from = 0;
    while (r.at < raw.len) {
        if (raw.ptr[r.at] == '\\' && r.at + 1 < raw.len && raw.ptr[r.at + 1] == '*') {
            out[len++] = '*';
            r.at += 2;
            continue;
        }
        char bytes[4];
        unsigned n = read_scalar(&r, bytes);
        /* Only `\*` is the character: a star by its number, such as `\x2a`, is a wildcard too, as upstream has it. */
        if (n == 1 && bytes[0] == '*') {
            literals[wildcards++] = fb_span(out + from, len - from);
            from = len;
            continue;
        }
        memcpy(out + len, bytes, n);
        len += n;
    }
    literals[wildcards] = fb_span(out + from, len - from);
    *pattern = (struct fb_pattern){.literals = literals, .wildcards = wildcards};
    return pattern;
}
