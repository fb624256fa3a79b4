/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces that all fields share: tokens, names, values, methods, media types.
 * What a particular field means is in the file of that field.  Read RFC 9110 sections 5.5, 5.6. */
#include "http/chars.h"
#include "http/http.h"

bool fb_http_is_token(struct fb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!fb_is_tchar(text.ptr[i])) {
            return false;
        }
    }
    return text.len != 0;
}

bool fb_http_is_field_name(struct fb_span text)
{
    return text.len <= FB_HTTP_NAME_MAX && fb_http_is_token(text);
}

/* Are eight bytes ASCII without controls?  As most are; of others no is no answer yet. */
static inline bool visible_8(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return ((word | (word - 0x20 * ones) | ((word ^ 0x7f * ones) - ones)) & 0x80 * ones) == 0;
}

bool fb_http_is_field_value(struct fb_span text)
{
    if (text.len == 0) {
        return true;
    }
    if (text.len > FB_HTTP_FIELD_MAX || fb_is_blank(text.ptr[0]) || fb_is_blank(text.ptr[text.len - 1])) {
        return false;
    }
    size_t i = 0;
    while (text.len - i >= 8 && visible_8(text.ptr + i)) {
        i += 8;
    }
    for (; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

bool fb_http_is_method(struct fb_span text)
{
    return text.len <= FB_HTTP_METHOD_MAX && fb_http_is_token(text);
}

bool fb_http_media_is(struct fb_span content_type, struct fb_span essence)
{
    struct fb_span type = fb_span_trim(fb_span_head(content_type, fb_span_find(content_type, ';')));
    return fb_span_eq_nocase(type, essence);
}
