/* SPDX-License-Identifier: Apache-2.0 */
/* A target that can be read in one way only.
 *
 * The policy is decided on nginx's normalised path, the upstream gets the raw target.  They mean the
 * same if the raw path, percent-decoded once, is the normalised path byte for byte, and if no common
 * upstream reads more into it (a second decoding, `;` parameters, `\` as a slash).  What does not
 * pass is a 400 and is never repaired.  Matching is match.c's; docs/decisions/0002 has the table. */
#include "request/request.h"

static const char *const fault_texts[FB_TARGET_FAULTS] = {
#define FB_TARGET_FAULT(symbol, sentence) [FB_TARGET_##symbol] = (sentence),
#include "request/targets.def"
#undef FB_TARGET_FAULT
};

const char *fb_target_fault_text(enum fb_target_fault fault)
{
    return (unsigned)fault < FB_TARGET_FAULTS ? fault_texts[fault] : "";
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* RFC 9112 knows ASCII targets alone.  Bytes beyond are read as Latin-1 by some servers and as
 * UTF-8 by others, so they pass only when percent-encoded. */
static inline bool is_raw(char c)
{
    return (unsigned char)c > 0x20 && (unsigned char)c < 0x7f;
}

/* A first pass without a branch in it, which compilers make one over 16 bytes at a time. */
static enum fb_target_fault check_raw(struct fb_span text)
{
    bool faulty = false;
    for (size_t i = 0; i < text.len; i++)
        faulty |= !is_raw(text.ptr[i]) | (text.ptr[i] == '#');
    for (size_t i = 0; faulty && i < text.len; i++) {
        if (text.ptr[i] == '#')
            return FB_TARGET_FRAGMENT;
        if (!is_raw(text.ptr[i]))
            return FB_TARGET_RAW_BYTE;
    }
    return FB_TARGET_OK;
}

/* Once, into `out` of at least raw.len bytes. */
static enum fb_target_fault decode(struct fb_span raw, char *out, size_t *len)
{
    size_t n = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '%') {
            int high = i + 1 < raw.len ? hex_digit(raw.ptr[i + 1]) : -1;
            int low = i + 2 < raw.len ? hex_digit(raw.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return FB_TARGET_ENCODING;
            c = (char)(high * 16 + low);
            if (c == '/')
                return FB_TARGET_ENCODED_SLASH;
            i += 2;
        }
        out[n++] = c;
    }
    *len = n;
    return FB_TARGET_OK;
}

/* Would a second decoding change it?  `%u002f` is how IIS decodes. */
static bool starts_encoding(struct fb_span s)
{
    size_t digits = s.len > 1 && (s.ptr[1] == 'u' || s.ptr[1] == 'U') ? 4 : 2;
    size_t from = digits == 4 ? 2 : 1;
    if (s.len < from + digits)
        return false;
    for (size_t i = from; i < from + digits; i++)
        if (hex_digit(s.ptr[i]) < 0)
            return false;
    return true;
}

/* One scalar of the decoded path; *length is its length. */
static enum fb_target_fault check_scalar(struct fb_span rest, unsigned *length)
{
    unsigned char c = (unsigned char)rest.ptr[0];
    *length = 1;
    if (c < 0x20 || c == 0x7f)
        return FB_TARGET_CONTROL;
    if (c == '\\')
        return FB_TARGET_BACKSLASH;
    if (c == ';')
        return FB_TARGET_SEMICOLON;
    if (c == '%' && starts_encoding(rest))
        return FB_TARGET_TWICE_ENCODED;
    if (c < 0x80)
        return FB_TARGET_OK;
    uint32_t scalar = fb_utf8_next(rest, length);
    if (*length == 0)
        return FB_TARGET_NOT_UTF8;
    return scalar < 0xa0 ? FB_TARGET_CONTROL : FB_TARGET_OK;
}

/* Bytes that check_scalar() lets pass without a look at their neighbours. */
static inline bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '\\' && c != ';' && c != '%';
}

static enum fb_target_fault check_segment(struct fb_span segment)
{
    if (fb_span_is(segment, ".") || fb_span_is(segment, ".."))
        return FB_TARGET_DOT_SEGMENT;
    for (size_t i = 0; i < segment.len;) {
        if (is_plain(segment.ptr[i])) {
            i++;
            continue;
        }
        unsigned length = 0;
        enum fb_target_fault fault = check_scalar(fb_span_from(segment, i), &length);
        if (fault != FB_TARGET_OK)
            return fault;
        i += length;
    }
    return FB_TARGET_OK;
}

/* Splits a decoded path that begins with a slash and checks every segment.  Only the last may be
 * empty. */
static enum fb_target_fault split(struct fb_span path, struct fb_target *target)
{
    struct fb_span rest = fb_span_from(path, 1);
    target->count = 0;
    for (;;) {
        size_t len = fb_span_find(rest, '/');
        struct fb_span segment = fb_span_head(rest, len);
        if (segment.len == 0 && len < rest.len)
            return FB_TARGET_EMPTY_SEGMENT;
        enum fb_target_fault fault = check_segment(segment);
        if (fault != FB_TARGET_OK)
            return fault;
        if (target->count == FB_SEGMENTS_MAX)
            return FB_TARGET_DEEP;
        target->segments[target->count++] = segment;
        if (len == rest.len)
            return FB_TARGET_OK;
        rest = fb_span_from(rest, len + 1);
    }
}

/* The raw target's own soundness comes first, so that a fault is named for what the client wrote
 * and not for how nginx normalised it. */
static enum fb_target_fault read_raw(const struct fb_http_request *request, struct fb_target *target)
{
    struct fb_span raw = request->raw_target;
    if (raw.len > FB_TARGET_MAX)
        return FB_TARGET_LONG;
    if (raw.ptr[0] != '/')
        return FB_TARGET_FORM;
    enum fb_target_fault fault = check_raw(raw);
    if (fault != FB_TARGET_OK)
        return fault;
    size_t mark = fb_span_find(raw, '?');
    char room[FB_TARGET_MAX];
    struct fb_span decoded = fb_span_head(raw, mark);
    if (fb_span_find(decoded, '%') != decoded.len) {
        fault = decode(decoded, room, &decoded.len);
        decoded.ptr = room;
        if (fault != FB_TARGET_OK)
            return fault;
    }
    fault = split(decoded, target);
    if (fault != FB_TARGET_OK)
        return fault;
    if (!fb_span_eq(decoded, request->path))
        return FB_TARGET_OTHER_PATH;
    if (!fb_span_eq(fb_span_from(raw, mark + 1), request->query))
        return FB_TARGET_OTHER_QUERY;
    /* the same bytes, but of the path: those on the stack go */
    for (size_t i = 0; i < target->count; i++)
        target->segments[i].ptr = request->path.ptr + (target->segments[i].ptr - decoded.ptr);
    return FB_TARGET_OK;
}

/* Bytes that mean themselves, raw and decoded, wherever they stand in a segment: ASCII but for controls
 * and blank, # % / ; ? and the backslash; a bit each. */
static inline bool is_itself(char c)
{
    static const uint64_t bits[4] = {UINT64_C(0x77ff7fd600000000), UINT64_C(0x7fffffffefffffff), 0, 0};
    unsigned char byte = (unsigned char)c;
    return (bits[byte >> 6] >> (byte & 63) & 1) != 0;
}

/* Most targets are written in such bytes alone: then decoding changes nothing, and one pass checks and
 * splits.  False where one is not, or where anything is wrong: read_raw() then says what. */
static bool read_plain(const struct fb_http_request *request, struct fb_target *target)
{
    struct fb_span raw = request->raw_target, path = request->path, query = request->query;
    bool asks = raw.len != path.len;
    if (raw.len > FB_TARGET_MAX || path.len == 0 || raw.len != path.len + asks + query.len
        || !fb_bytes_eq(raw.ptr, path.ptr, path.len) || path.ptr[0] != '/')
        return false;
    if (asks && (raw.ptr[path.len] != '?' || !fb_bytes_eq(raw.ptr + path.len + 1, query.ptr, query.len)
                 || check_raw(query) != FB_TARGET_OK))
        return false;
    size_t start = 1, count = 0;
    for (size_t i = 1;; i++) {
        if (i < path.len && is_itself(path.ptr[i]))
            continue;
        size_t len = i - start;
        bool last = i == path.len, dots = len != 0 && len <= 2 && path.ptr[start] == '.';
        if ((!last && (path.ptr[i] != '/' || len == 0)) || dots || count == FB_SEGMENTS_MAX)
            return false;
        target->segments[count++] = fb_span(path.ptr + start, len);
        if (last)
            break;
        start = i + 1;
    }
    target->count = count;
    return true;
}

enum fb_target_fault fb_target_read(const struct fb_http_request *request, struct fb_target *target)
{
    target->path = request->path;
    target->query = request->query;
    target->count = 0;
    if (request->raw_target.len != 0)
        return read_plain(request, target) ? FB_TARGET_OK : read_raw(request, target);
    if (request->path.len + request->query.len > FB_TARGET_MAX)
        return FB_TARGET_LONG;
    if (request->path.len == 0 || request->path.ptr[0] != '/')
        return FB_TARGET_FORM;
    enum fb_target_fault fault = check_raw(request->query);
    return fault != FB_TARGET_OK ? fault : split(request->path, target);
}
