/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate, read: one field may hold several challenges, and the comma that parts them is the
 * same that parts the parameters of one.  A token with `=` behind it is a parameter, one without is the
 * scheme of a next challenge.  How far a malformed value can be trusted is for the caller to say.
 * Read RFC 9110 sections 11.3, 11.6.1 and RFC 7235's errata on the ambiguity. */
#include "http/chars.h"
#include "http/http.h"

/* Does an auth-param begin here?  A token68 may also end in `=`, but nothing follows that. */
static bool at_param(struct fb_span at)
{
    struct fb_span name = fb_take_token(&at);
    fb_take_blanks(&at);
    if (name.len == 0 || !fb_take_char(&at, '='))
        return false;
    fb_take_blanks(&at);
    return at.len != 0 && at.ptr[0] != ',' && at.ptr[0] != '=';
}

/* One parameter at the start of `*at`. */
static bool take_param(struct fb_span *at, struct fb_http_param *param, bool *quoted)
{
    param->name = fb_take_token(at);
    fb_take_blanks(at);
    if (param->name.len == 0 || !fb_take_char(at, '='))
        return false;
    fb_take_blanks(at);
    *quoted = at->len != 0 && at->ptr[0] == '"';
    if (*quoted)
        return fb_take_quoted(at, &param->value);
    param->value = fb_take_token(at);
    return param->value.len != 0;
}

static struct fb_span take_token68(struct fb_span *at)
{
    size_t n = 0;
    while (n < at->len && at->ptr[n] != ',' && !fb_is_blank(at->ptr[n]))
        n++;
    struct fb_span text = fb_span_head(*at, n);
    *at = fb_span_from(*at, n);
    return text;
}

static void take_separators(struct fb_span *at)
{
    do {
        fb_take_blanks(at);
    } while (fb_take_char(at, ','));
}

/* The parameters of a challenge up to the next scheme.  False where something is neither. */
static bool take_params(struct fb_span *at, struct fb_http_challenge *out)
{
    for (;;) {
        struct fb_http_param param;
        bool quoted;
        struct fb_span ahead = *at;
        take_separators(&ahead);
        if (ahead.len == 0 || !at_param(ahead)) {
            /* `scheme1, scheme2` and `scheme1 a="b", scheme2`: what follows is another challenge's. */
            *at = ahead;
            return true;
        }
        if (!take_param(&ahead, &param, &quoted))
            return false;
        fb_take_blanks(&ahead);
        if (ahead.len != 0 && ahead.ptr[0] != ',') {
            out->unparted = true;
            if (!at_param(ahead))
                return false;
        }
        *at = ahead;
        if (out->count == FB_HTTP_PARAMS_MAX)
            return false;
        for (size_t i = 0; i < out->count; i++)
            out->repeated |= fb_span_eq_nocase(out->params[i].name, param.name);
        out->bare |= !quoted;
        out->params[out->count++] = param;
    }
}

enum fb_http_next fb_http_next_challenge(struct fb_span *value, struct fb_http_challenge *out)
{
    struct fb_span at = *value;
    memset(out, 0, sizeof *out);
    take_separators(&at);
    if (at.len == 0)
        return FB_HTTP_OVER;
    out->scheme = fb_take_token(&at);
    if (out->scheme.len == 0 || value->len > FB_HTTP_FIELD_MAX)
        return FB_HTTP_MALFORMED;
    if (at.len != 0 && at.ptr[0] != ' ' && at.ptr[0] != '\t' && at.ptr[0] != ',')
        return FB_HTTP_MALFORMED;
    fb_take_blanks(&at);
    if (at.len != 0 && at.ptr[0] != ',' && !at_param(at)) {
        out->token68 = take_token68(&at);
        fb_take_blanks(&at);
        if (at.len != 0 && at.ptr[0] != ',')
            return FB_HTTP_MALFORMED;
    } else if (at.len != 0 && !take_params(&at, out)) {
        return FB_HTTP_MALFORMED;
    }
    *value = at;
    return FB_HTTP_PARAM;
}

struct fb_span fb_http_challenge_param(const struct fb_http_challenge *challenge, const char *name)
{
    for (size_t i = 0; i < challenge->count; i++)
        if (fb_span_eq_nocase(challenge->params[i].name, fb_span_z(name)))
            return challenge->params[i].value;
    return fb_span(NULL, 0);
}
