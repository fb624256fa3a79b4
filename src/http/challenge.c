/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate, written so that what a client reads is what we meant: one challenge a field,
 * every value quoted, each parameter held to the grammar of its own standard.
 * Which challenges a refusal carries is refusal's business.
 * Read RFC 9110 section 11.6.1, RFC 6750 section 3, RFC 9470 section 3, RFC 9728 section 5.1. */
#include "http/chars.h"
#include "http/http.h"

static bool is_error_char(char c)
{
    return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

bool fb_http_is_error_text(struct fb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_error_char(text.ptr[i])) {
            return false;
        }
    }
    return text.len != 0;
}

bool fb_http_is_scope_token(struct fb_span text)
{
    return fb_http_is_error_text(text) && fb_span_find(text, ' ') == text.len;
}

/* Tokens with exactly one space between them. */
static bool is_scope(struct fb_span text)
{
    for (;;) {
        size_t space = fb_span_find(text, ' ');
        if (!fb_http_is_scope_token(fb_span_head(text, space))) {
            return false;
        }
        if (space == text.len) {
            return true;
        }
        text = fb_span_from(text, space + 1);
    }
}

static bool is_digits(struct fb_span text)
{
    uint64_t value;
    return fb_span_to_u64(text, INT64_MAX, &value);
}

/* What quoted-string can carry and every client reads alike: ASCII without controls. */
static bool is_quotable(struct fb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

static const struct {
    struct fb_span name;
    bool (*fits)(struct fb_span value);
} grammars[] = {
    {{5, "error"}, fb_http_is_error_text},
    {{17, "error_description"}, fb_http_is_error_text},
    {{10, "acr_values"}, is_scope},
    {{5, "scope"}, is_scope},
    {{9, "error_uri"}, fb_http_is_uri},
    {{17, "resource_metadata"}, fb_http_is_uri},
    {{7, "max_age"}, is_digits},
};

static bool param_fits(const struct fb_http_param *param)
{
    if (!fb_http_is_field_name(param->name)) {
        return false;
    }
    for (size_t i = 0; i < sizeof grammars / sizeof grammars[0]; i++) {
        if (fb_span_eq_nocase(param->name, grammars[i].name)) {
            return grammars[i].fits(param->value);
        }
    }
    return is_quotable(param->value);
}

static bool params_fit(const struct fb_http_param *params, size_t count)
{
    if (count > FB_HTTP_PARAMS_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!param_fits(&params[i])) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (fb_span_eq_nocase(params[i].name, params[j].name)) {
                return false;
            }
        }
    }
    return true;
}

static size_t quoted_len(struct fb_span value)
{
    size_t len = value.len + 2;
    for (size_t i = 0; i < value.len; i++) {
        len += value.ptr[i] == '"' || value.ptr[i] == '\\';
    }
    return len;
}

static void add_quoted(struct fb_buffer *out, struct fb_span value)
{
    fb_buffer_add_char(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\') {
            fb_buffer_add_char(out, '\\');
        }
        fb_buffer_add_char(out, value.ptr[i]);
    }
    fb_buffer_add_char(out, '"');
}

bool fb_http_write_challenge(struct fb_buffer *out, struct fb_span scheme,
                             const struct fb_http_param *params, size_t count)
{
    if (!fb_http_is_field_name(scheme) || !params_fit(params, count)) {
        return false;
    }
    /* All the room first, so that nothing after this can fail half-way. */
    size_t len = scheme.len;
    for (size_t i = 0; i < count; i++) {
        len += (i == 0 ? 2u : 3u) + params[i].name.len + quoted_len(params[i].value);
    }
    if (fb_buffer_reserve(out, len) == NULL) {
        return false;
    }
    fb_buffer_add(out, scheme);
    for (size_t i = 0; i < count; i++) {
        fb_buffer_add_z(out, i == 0 ? " " : ", ");
        fb_buffer_add(out, params[i].name);
        fb_buffer_add_char(out, '=');
        add_quoted(out, params[i].value);
    }
    return !out->failed;
}
