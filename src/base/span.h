/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_SPAN_H
#define FB_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A run of bytes that somebody else owns, passed by value.
 *
 * Layout: length first, the order of nginx's ngx_str_t, so that request data crosses without a
 * copy.  The bytes are not NUL-terminated and need not be UTF-8 unless a function says so.
 * An empty span may have any pointer, NULL included; never compare pointers to test emptiness. */
struct fb_span {
    size_t len;
    const char *ptr;
};

/* A span over a string literal; the terminator is left out. */
#define FB_SPAN(literal) ((struct fb_span){sizeof(literal) - 1, (literal)})

/* The same as an initialiser of a static object. */
#define FB_SPAN_INIT(literal) {sizeof(literal) - 1, (literal)}

static inline struct fb_span fb_span(const char *ptr, size_t len)
{
    return (struct fb_span){len, ptr};
}

/* Over a NUL-terminated string; NULL gives the empty span. */
static inline struct fb_span fb_span_z(const char *text)
{
    return (struct fb_span){text != NULL ? strlen(text) : 0, text};
}

static inline bool fb_span_eq(struct fb_span a, struct fb_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool fb_span_is(struct fb_span a, const char *text)
{
    return fb_span_eq(a, fb_span_z(text));
}

/* ASCII case folded on both sides; for field names, schemes and hosts, never for Cedar text. */
bool fb_span_eq_nocase(struct fb_span a, struct fb_span b);

static inline bool fb_span_starts(struct fb_span s, struct fb_span prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* Bytes order, shorter first on a common prefix: <0, 0, >0. */
static inline int fb_span_cmp(struct fb_span a, struct fb_span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n != 0 ? memcmp(a.ptr, b.ptr, n) : 0;
    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

/* From offset to the end; beyond the end gives the empty span. */
static inline struct fb_span fb_span_from(struct fb_span s, size_t offset)
{
    return offset <= s.len && s.ptr != NULL ? fb_span(s.ptr + offset, s.len - offset) : fb_span(s.ptr, 0);
}

/* Up to `len` bytes from the start. */
static inline struct fb_span fb_span_head(struct fb_span s, size_t len)
{
    return fb_span(s.ptr, len < s.len ? len : s.len);
}

/* Index of the first `byte`, or s.len. */
static inline size_t fb_span_find(struct fb_span s, char byte)
{
    const char *at = s.len != 0 && s.len <= PTRDIFF_MAX ? memchr(s.ptr, byte, s.len) : NULL;
    return at != NULL ? (size_t)(at - s.ptr) : s.len;
}

/* Without spaces and tabs (HTTP's OWS, RFC 9110 section 5.6.3) at both ends. */
static inline struct fb_span fb_span_trim(struct fb_span s)
{
    while (s.len != 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = fb_span(s.ptr + 1, s.len - 1);
    while (s.len != 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* Decimal digits only, no sign, the whole span, at most `max`; false otherwise. */
bool fb_span_to_u64(struct fb_span s, uint64_t max, uint64_t *value);

#endif
