/* SPDX-License-Identifier: Apache-2.0 */
/* Link fields (RFC 8288), for rel="blocked-by" (RFC 7725) and help; and which URIs may stand in
 * a field at all.  Resolving or fetching URIs is nobody's business in this part. */
#include "http/chars.h"
#include "http/http.h"

static bool take_scheme(struct fb_span *at)
{
    size_t n = 0;
    while (n < at->len && (fb_is_alpha(at->ptr[n]) || (n != 0 && (fb_is_digit(at->ptr[n]) ||
           fb_is_one_of(at->ptr[n], FB_SPAN("+-.")))))) {
        n++;
    }
    *at = fb_span_from(*at, n);
    return n != 0 && fb_take_char(at, ':');
}

bool fb_http_is_uri(struct fb_span text)
{
    if (text.len > FB_HTTP_URI_MAX || !take_scheme(&text) || text.len == 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%') {
            if (text.len - i < 3 || !fb_is_hex(text.ptr[i + 1]) || !fb_is_hex(text.ptr[i + 2])) {
                return false;
            }
        } else if (!fb_is_uri_char(text.ptr[i])) {
            return false;
        }
    }
    return true;
}

/* reg-rel-type = LOALPHA *( LOALPHA / DIGIT / "." / "-" ), or a URI. */
static bool is_relation(struct fb_span text)
{
    if (fb_span_find(text, ':') != text.len) {
        return fb_http_is_uri(text);
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool lower = c >= 'a' && c <= 'z';
        if (!lower && (i == 0 || !(fb_is_digit(c) || c == '.' || c == '-'))) {
            return false;
        }
    }
    return text.len != 0;
}

bool fb_http_write_link(struct fb_buffer *out, struct fb_span uri, struct fb_span rel)
{
    if (!fb_http_is_uri(uri) || rel.len > FB_HTTP_URI_MAX) {
        return false;
    }
    for (struct fb_span rest = rel;;) {
        size_t space = fb_span_find(rest, ' ');
        if (!is_relation(fb_span_head(rest, space))) {
            return false;
        }
        if (space == rest.len) {
            break;
        }
        rest = fb_span_from(rest, space + 1);
    }
    static const char middle[] = ">; rel=\"";
    if (fb_buffer_reserve(out, uri.len + rel.len + sizeof middle + 1) == NULL) {
        return false;
    }
    fb_buffer_add_char(out, '<');
    fb_buffer_add(out, uri);
    fb_buffer_add_z(out, middle);
    fb_buffer_add(out, rel);
    fb_buffer_add_char(out, '"');
    return !out->failed;
}
