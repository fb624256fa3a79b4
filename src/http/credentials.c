/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization: a scheme and what follows it.  Which schemes are accepted, and what two
 * credentials in one request mean, is for request and guard.
 * Read RFC 9110 section 11.4 and RFC 6750 section 2.1. */
#include "http/chars.h"
#include "http/http.h"

/* The check below runs on tokens of some 800 bytes, whoever sends them, so it takes 16 bytes at a
 * time (a vector type of gcc and clang): 76 ns, byte by byte 750 ns. */
typedef unsigned char block __attribute__((vector_size(16)));

/* 0xff where a byte is none of the alphabet's.  c | 0x20 folds the letters and lifts nothing else
 * among them; '-' to '9' holds '-' '.' '/' and the digits. */
static inline block outside_b64(block c)
{
    block letters = (block)((c | 0x20) - 'a' < 26);
    block digits = (block)(c - '-' <= '9' - '-');
    block marks = (block)((c == '_') | (c == '~') | (c == '+'));
    return ~(letters | digits | marks);
}

static bool all_b64(const char *at, size_t len)
{
    block outside = {0}, c;
    for (; len >= sizeof c; at += sizeof c, len -= sizeof c) {
        memcpy(&c, at, sizeof c);
        outside |= outside_b64(c);
    }
    memset(&c, 'a', sizeof c);
    memcpy(&c, at, len);
    outside |= outside_b64(c);
    uint64_t halves[2];
    memcpy(halves, &outside, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

bool fb_http_is_b64token(struct fb_span text)
{
    size_t len = text.len;
    while (len != 0 && text.ptr[len - 1] == '=') {
        len--;
    }
    return len != 0 && all_b64(text.ptr, len);
}

enum fb_http_credentials_kind fb_http_split_credentials(struct fb_span value, struct fb_http_credentials *out)
{
    /* As nearly everybody writes it: the same answer sooner. */
    static const char usual[] = "Bearer ";
    enum { USUAL = sizeof usual - 1 };
    if (value.len > USUAL && value.len <= FB_HTTP_FIELD_MAX && memcmp(value.ptr, usual, USUAL) == 0
        && !fb_is_blank(value.ptr[USUAL]) && !fb_is_blank(value.ptr[value.len - 1])) {
        *out = (struct fb_http_credentials){.scheme = fb_span_head(value, USUAL - 1), .rest = fb_span_from(value, USUAL)};
        return FB_CREDENTIALS_BEARER;
    }
    struct fb_span at = fb_span_trim(value);
    out->scheme = fb_take_token(&at);
    out->rest = at;
    if (out->scheme.len == 0 || value.len > FB_HTTP_FIELD_MAX) {
        return FB_CREDENTIALS_MALFORMED;
    }
    /* 1*SP, not a tab: section 11.4. */
    if (at.len != 0 && at.ptr[0] != ' ') {
        return FB_CREDENTIALS_MALFORMED;
    }
    while (fb_take_char(&at, ' ')) {
    }
    out->rest = at;
    if (fb_span_eq_nocase(out->scheme, FB_SPAN("Bearer"))) {
        return FB_CREDENTIALS_BEARER;
    }
    return fb_http_is_field_value(at) ? FB_CREDENTIALS_OTHER : FB_CREDENTIALS_MALFORMED;
}

enum fb_http_credentials_kind fb_http_read_credentials(struct fb_span value, struct fb_http_credentials *out)
{
    enum fb_http_credentials_kind kind = fb_http_split_credentials(value, out);
    return kind == FB_CREDENTIALS_BEARER && !fb_http_is_b64token(out->rest) ? FB_CREDENTIALS_MALFORMED : kind;
}

bool fb_take_quoted(struct fb_span *at, struct fb_span *contents)
{
    struct fb_span text = *at;
    if (!fb_take_char(&text, '"')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"') {
            *contents = fb_span_head(text, i);
            *at = fb_span_from(text, i + 1);
            return true;
        }
        /* A quoted-pair may hold what a text may, so both go through the same check. */
        if (c == '\\' && ++i < text.len) {
            c = (unsigned char)text.ptr[i];
        }
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return false;
}

enum fb_http_next fb_http_next_param(struct fb_span *list, struct fb_http_param *out, bool *quoted)
{
    struct fb_span at = *list;
    do {
        fb_take_blanks(&at);
    } while (fb_take_char(&at, ','));
    if (at.len == 0) {
        *list = at;
        return FB_HTTP_OVER;
    }
    out->name = fb_take_token(&at);
    fb_take_blanks(&at);
    if (out->name.len == 0 || !fb_take_char(&at, '=')) {
        return FB_HTTP_MALFORMED;
    }
    fb_take_blanks(&at);
    bool in_quotes = at.len != 0 && at.ptr[0] == '"';
    if (in_quotes) {
        if (!fb_take_quoted(&at, &out->value)) {
            return FB_HTTP_MALFORMED;
        }
    } else {
        out->value = fb_take_token(&at);
        if (out->value.len == 0) {
            return FB_HTTP_MALFORMED;
        }
    }
    fb_take_blanks(&at);
    if (at.len != 0 && at.ptr[0] != ',') {
        return FB_HTTP_MALFORMED;
    }
    if (quoted != NULL) {
        *quoted = in_quotes;
    }
    *list = at;
    return FB_HTTP_PARAM;
}
