/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_HTTP_CHARS_H
#define FB_HTTP_CHARS_H

#include "base/base.h"

/* Characters by the classes of RFC 9110 and RFC 3986.  ctype.h is of no use here: it follows the
 * locale, and char may be signed. */

static inline bool fb_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline bool fb_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool fb_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool fb_is_hex(char c)
{
    return fb_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* memchr and not strchr: a NUL is in none of the sets. */
static inline bool fb_is_one_of(char c, struct fb_span set)
{
    return memchr(set.ptr, c, set.len) != NULL;
}

/* RFC 9110 section 5.6.2. */
static inline bool fb_is_tchar(char c)
{
    return fb_is_alpha(c) || fb_is_digit(c) || fb_is_one_of(c, FB_SPAN("!#$%&'*+-.^_`|~"));
}

/* unreserved, gen-delims and sub-delims of RFC 3986 section 2; `%` is for the caller. */
static inline bool fb_is_uri_char(char c)
{
    return fb_is_alpha(c) || fb_is_digit(c) || fb_is_one_of(c, FB_SPAN("-._~:/?#[]@!$&'()*+,;="));
}

/* The token at the start of `*at`, which moves on behind it; empty if none is there. */
static inline struct fb_span fb_take_token(struct fb_span *at)
{
    size_t n = 0;
    while (n < at->len && fb_is_tchar(at->ptr[n])) {
        n++;
    }
    struct fb_span token = fb_span_head(*at, n);
    *at = fb_span_from(*at, n);
    return token;
}

/* OWS, RFC 9110 section 5.6.3. */
static inline void fb_take_blanks(struct fb_span *at)
{
    while (at->len != 0 && fb_is_blank(at->ptr[0])) {
        *at = fb_span_from(*at, 1);
    }
}

static inline bool fb_take_char(struct fb_span *at, char c)
{
    if (at->len == 0 || at->ptr[0] != c) {
        return false;
    }
    *at = fb_span_from(*at, 1);
    return true;
}

/* A quoted-string at the start of `*at` (RFC 9110 section 5.6.4): what stands between its quotes,
 * escapes left in, and `*at` behind it.  False when it is not closed or holds a control. */
bool fb_take_quoted(struct fb_span *at, struct fb_span *contents);

#endif
