/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain scalar of YAML means: https://yaml.org/spec/1.2.2 section 10.3.2, the core schema, as far as JSON can
 * say it.  What YAML 1.1 made of `yes`, `no`, `on`, `off`, of dates and of numbers with colons is text here. */
#include "cli/yaml_scalar.h"

static bool is_one_of(struct fb_span text, const char *a, const char *b, const char *c)
{
    return fb_span_is(text, a) || fb_span_is(text, b) || fb_span_is(text, c);
}

static size_t digits(struct fb_span text, size_t at)
{
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
        at++;
    return at;
}

/* The end of an exponent, if one begins at `at`; else `at`. */
static size_t exponent(struct fb_span text, size_t at)
{
    if (at == text.len || (text.ptr[at] != 'e' && text.ptr[at] != 'E'))
        return at;
    size_t sign = at + 1 < text.len && (text.ptr[at + 1] == '+' || text.ptr[at + 1] == '-');
    size_t end = digits(text, at + 1 + sign);
    return end > at + 1 + sign ? end : at;
}

/* RFC 8259 section 6. */
static bool is_json_number(struct fb_span text)
{
    size_t start = text.len != 0 && text.ptr[0] == '-', at = digits(text, start);
    if (at == start || (text.ptr[start] == '0' && at > start + 1))
        return false;
    if (at < text.len && text.ptr[at] == '.') {
        size_t end = digits(text, at + 1);
        if (end == at + 1)
            return false;
        at = end;
    }
    return exponent(text, at) == text.len;
}

/* What the core schema takes for a number though JSON has no such form (or YAML 1.1 takes for another one). */
static bool is_odd_number(struct fb_span text)
{
    size_t sign = text.len != 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    struct fb_span bare = fb_span_from(text, sign);
    if (is_one_of(bare, ".inf", ".Inf", ".INF") || is_one_of(text, ".nan", ".NaN", ".NAN"))
        return true;
    if (bare.len > 2 && bare.ptr[0] == '0' && (bare.ptr[1] == 'x' || bare.ptr[1] == 'o')) {
        size_t at = 2;
        while (at < bare.len && strchr("0123456789abcdefABCDEF", bare.ptr[at]) != NULL && bare.ptr[at] != '\0')
            at++;
        return at == bare.len;
    }
    size_t whole = digits(bare, 0), at = whole;
    if (at < bare.len && bare.ptr[at] == '.')
        at = digits(bare, at + 1);
    bool any = whole != 0 || at > 1;
    return any && exponent(bare, at) == bare.len;
}

enum fb_yaml_plain fb_yaml_plain(struct fb_span text)
{
    if (text.len == 0 || fb_span_is(text, "~") || is_one_of(text, "null", "Null", "NULL"))
        return FB_YAML_NULL;
    if (is_one_of(text, "true", "True", "TRUE"))
        return FB_YAML_TRUE;
    if (is_one_of(text, "false", "False", "FALSE"))
        return FB_YAML_FALSE;
    if (is_json_number(text))
        return FB_YAML_NUMBER;
    return is_odd_number(text) ? FB_YAML_ODD_NUMBER : FB_YAML_TEXT;
}
