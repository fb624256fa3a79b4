/* SPDX-License-Identifier: Apache-2.0 */
/* Accept: which of our four bodies a client wants.  Read RFC 9110 section 12.5.1, and http.h for
 * where our choice is narrower than the RFC (HTML must be named; never a 406). */
#include "http/chars.h"
#include "http/http.h"

enum { MEDIA_COUNT = FB_MEDIA_HTML + 1, ELEMENTS_MAX = 64, Q_ONE = 1000 };

/* How closely a range fits a type; a closer range decides over one less close. */
enum fit { FIT_NONE, FIT_ANY, FIT_TYPE, FIT_NAMED };

static const struct {
    struct fb_span name, content_type;
    size_t type_len;    /* of "text" in "text/html" */
} media_table[MEDIA_COUNT] = {
    [FB_MEDIA_JSON] = {.name = {16, "application/json"}, .content_type = {16, "application/json"}, .type_len = 11},
    [FB_MEDIA_PROBLEM_JSON] = {.name = {24, "application/problem+json"},
                               .content_type = {24, "application/problem+json"}, .type_len = 11},
    [FB_MEDIA_TEXT] = {.name = {10, "text/plain"}, .content_type = {25, "text/plain; charset=utf-8"}, .type_len = 4},
    [FB_MEDIA_HTML] = {.name = {9, "text/html"}, .content_type = {24, "text/html; charset=utf-8"}, .type_len = 4},
};

struct fb_span fb_http_media_name(enum fb_http_media media, bool charset)
{
    return charset ? media_table[media].content_type : media_table[media].name;
}

struct wish {
    enum fit fit;
    unsigned q;     /* thousandths */
};

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), section 12.4.2. */
static bool read_q(struct fb_span text, unsigned *q)
{
    if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.')) {
        return false;
    }
    unsigned value = text.ptr[0] == '1' ? Q_ONE : 0, weight = 100;
    for (size_t i = 2; i < text.len; i++, weight /= 10) {
        if (!fb_is_digit(text.ptr[i])) {
            return false;
        }
        value += weight * (unsigned)(text.ptr[i] - '0');
    }
    *q = value;
    return value <= Q_ONE;
}

/* Parameters up to the comma or the end.  Those of the range (charset, profile) do not narrow it:
 * our bodies have one form each. */
static bool take_parameters(struct fb_span *at, unsigned *q)
{
    for (;;) {
        fb_take_blanks(at);
        if (!fb_take_char(at, ';')) {
            return at->len == 0 || at->ptr[0] == ',';
        }
        fb_take_blanks(at);
        struct fb_span name = fb_take_token(at), value = {0, NULL};
        if (name.len == 0) {
            continue;   /* ";;" and a trailing ";" are legal, section 5.6.6 */
        }
        if (fb_take_char(at, '=')) {
            if (at->len != 0 && at->ptr[0] == '"') {
                if (!fb_take_quoted(at, &value)) {
                    return false;
                }
            } else {
                value = fb_take_token(at);
            }
        }
        if (fb_span_eq_nocase(name, FB_SPAN("q")) && !read_q(value, q)) {
            return false;
        }
    }
}

static enum fit range_fits(struct fb_span type, struct fb_span subtype, enum fb_http_media media)
{
    struct fb_span name = media_table[media].name;
    size_t type_len = media_table[media].type_len;
    if (fb_span_is(type, "*")) {
        return fb_span_is(subtype, "*") ? FIT_ANY : FIT_NONE;
    }
    if (!fb_span_eq_nocase(type, fb_span_head(name, type_len))) {
        return FIT_NONE;
    }
    if (fb_span_is(subtype, "*")) {
        return FIT_TYPE;
    }
    return fb_span_eq_nocase(subtype, fb_span_from(name, type_len + 1)) ? FIT_NAMED : FIT_NONE;
}

/* Leaves `*at` at the next comma, or somewhere within a malformed element. */
static void take_element(struct fb_span *at, struct wish wishes[MEDIA_COUNT])
{
    unsigned q = Q_ONE;
    struct fb_span type = fb_take_token(at);
    if (type.len == 0 || !fb_take_char(at, '/')) {
        return;
    }
    struct fb_span subtype = fb_take_token(at);
    if (subtype.len == 0 || !take_parameters(at, &q)) {
        return;
    }
    for (unsigned i = 0; i < MEDIA_COUNT; i++) {
        enum fit fit = range_fits(type, subtype, (enum fb_http_media)i);
        /* The same range twice: the last one stands. */
        if (fit != FIT_NONE && fit >= wishes[i].fit) {
            wishes[i] = (struct wish){fit, q};
        }
    }
}

static bool better(const struct wish *a, const struct wish *b)
{
    return a->q > b->q || (a->q == b->q && a->fit == FIT_NAMED && b->fit != FIT_NAMED);
}

enum fb_http_media fb_http_negotiate(const struct fb_span *accept, size_t count)
{
    struct wish wishes[MEDIA_COUNT] = {{FIT_NONE, 0}};
    unsigned elements = 0;
    for (size_t i = 0; i < count; i++) {
        struct fb_span at = accept[i];
        while (at.len != 0 && elements < ELEMENTS_MAX) {
            fb_take_blanks(&at);
            if (!fb_take_char(&at, ',')) {
                elements++;
                take_element(&at, wishes);
                at = fb_span_from(at, fb_span_find(at, ','));
            }
        }
    }
    if (wishes[FB_MEDIA_HTML].fit != FIT_NAMED) {
        wishes[FB_MEDIA_HTML].q = 0;
    }
    enum fb_http_media best = FB_MEDIA_JSON;
    for (unsigned i = 1; i < MEDIA_COUNT; i++) {
        if (wishes[i].q != 0 && better(&wishes[i], &wishes[best])) {
            best = (enum fb_http_media)i;
        }
    }
    return best;
}
