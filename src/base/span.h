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

/* Are `len` bytes the same?  Names, ids and path segments are short: up to 32 bytes are compared as
 * words that overlap, which takes half the time of a call. */
static inline bool fb_bytes_eq(const char *a, const char *b, size_t len)
{
    uint64_t x[2], y[2];
    uint32_t v[2], w[2];
    if (len > 32)
        return memcmp(a, b, len) == 0;
    if (len > 16) {
        memcpy(x, a, 16);
        memcpy(y, b, 16);
        if (((x[0] ^ y[0]) | (x[1] ^ y[1])) != 0)
            return false;
        a += len - 16;
        b += len - 16;
        len = 16;
    }
    if (len >= 8) {
        memcpy(&x[0], a, 8);
        memcpy(&x[1], a + len - 8, 8);
        memcpy(&y[0], b, 8);
        memcpy(&y[1], b + len - 8, 8);
        return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
    }
    if (len >= 4) {
        memcpy(&v[0], a, 4);
        memcpy(&v[1], a + len - 4, 4);
        memcpy(&w[0], b, 4);
        memcpy(&w[1], b + len - 4, 4);
        return ((v[0] ^ w[0]) | (v[1] ^ w[1])) == 0;
    }
    return len == 0 || (a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1]);
}

/* memcpy of a few bytes, up to 32 of them without a call. */
static inline void fb_bytes_copy(char *to, const char *from, size_t len)
{
    uint64_t x[4];
    uint32_t v[2];
    if (len > 32) {
        memcpy(to, from, len);
    } else if (len >= 16) {
        memcpy(&x[0], from, 16);
        memcpy(&x[2], from + len - 16, 16);
        memcpy(to, &x[0], 16);
        memcpy(to + len - 16, &x[2], 16);
    } else if (len >= 8) {
        memcpy(&x[0], from, 8);
        memcpy(&x[1], from + len - 8, 8);
        memcpy(to, &x[0], 8);
        memcpy(to + len - 8, &x[1], 8);
    } else if (len >= 4) {
        memcpy(&v[0], from, 4);
        memcpy(&v[1], from + len - 4, 4);
        memcpy(to, &v[0], 4);
        memcpy(to + len - 4, &v[1], 4);
    } else if (len > 0) {
        char first = from[0], middle = from[len / 2], last = from[len - 1];
        to[0] = first;
        to[len / 2] = middle;
        to[len - 1] = last;
    }
}

static inline bool fb_span_eq(struct fb_span a, struct fb_span b)
{
    return a.len == b.len && fb_bytes_eq(a.ptr, b.ptr, a.len);
}

static inline bool fb_span_is(struct fb_span a, const char *text)
{
    return fb_span_eq(a, fb_span_z(text));
}

/* ASCII case folded on both sides; for field names, schemes and hosts, never for Cedar text. */
bool fb_span_eq_nocase(struct fb_span a, struct fb_span b);

static inline bool fb_span_starts(struct fb_span s, struct fb_span prefix)
{
    return s.len >= prefix.len && fb_bytes_eq(s.ptr, prefix.ptr, prefix.len);
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
    if (offset == 0)
        return s;       /* NULL has no successors, not even at 0 */
    return offset <= s.len ? fb_span(s.ptr + offset, s.len - offset) : fb_span(s.ptr, 0);
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
