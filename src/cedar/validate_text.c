/* SPDX-License-Identifier: Apache-2.0 */

/* Text that may look like another one: marks that reorder it, letters of several scripts in one word
 * (the Cyrillic `а` in an otherwise Latin name), characters that no identifier should have.
 *
 * After UTS 39: a text is of one script if its characters have one in common (section 5.1); identifiers
 * keep to the General Security Profile (section 3.1), or are printable ASCII.  Names are ids of
 * entities, attributes and keys; type names are ASCII by the grammar. */

#include "cedar/validate_check.h"

struct scripts {
    uint64_t bits[3];
};

#define UNICODE_FROM(first, set)
#define UNICODE_ALLOWED(first, last)
static const struct scripts sets[] = {
#define UNICODE_SET(a, b, c) {{a, b, c}},
#include "cedar/unicode.def"
#undef UNICODE_SET
};
#undef UNICODE_FROM
#undef UNICODE_ALLOWED

struct from {
    uint32_t first;
    uint16_t set;
};

#define UNICODE_SET(a, b, c)
#define UNICODE_ALLOWED(first, last)
static const struct from runs[] = {
#define UNICODE_FROM(first, set) {first, set},
#include "cedar/unicode.def"
#undef UNICODE_FROM
};
#undef UNICODE_ALLOWED

#define UNICODE_FROM(first, set)
static const uint32_t allowed[][2] = {
#define UNICODE_ALLOWED(first, last) {first, last},
#include "cedar/unicode.def"
#undef UNICODE_ALLOWED
};
#undef UNICODE_FROM
#undef UNICODE_SET

static const struct scripts *scripts_of(uint32_t scalar)
{
    size_t low = 0, high = sizeof runs / sizeof runs[0];
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (runs[middle].first <= scalar)
            low = middle;
        else
            high = middle;
    }
    return &sets[runs[low].set];
}

static bool is_allowed(uint32_t scalar)
{
    size_t low = 0, high = sizeof allowed / sizeof allowed[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (allowed[middle][1] < scalar)
            low = middle + 1;
        else
            high = middle;
    }
    return (scalar >= 0x20 && scalar < 0x7f) || (low < sizeof allowed / sizeof allowed[0] && allowed[low][0] <= scalar);
}

static bool is_bidirectional(uint32_t scalar)
{
    return (scalar >= 0x202a && scalar <= 0x202e) || (scalar >= 0x2066 && scalar <= 0x2069);
}

struct look {
    bool bidirectional, mixed;
    uint32_t odd;               /* the first character that identifiers should not have; 0: none */
};

static bool is_plain(struct fb_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || (unsigned char)text.ptr[i] >= 0x7f)
            return false;
    return true;
}

static void look_at(struct fb_span text, struct look *look, struct scripts *common)
{
    while (text.len > 0) {
        unsigned length;
        uint32_t scalar = fb_utf8_next(text, &length);
        const struct scripts *own = scripts_of(scalar);
        look->bidirectional = look->bidirectional || is_bidirectional(scalar);
        if (look->odd == 0 && !is_allowed(scalar))
            look->odd = scalar != 0 ? scalar : UINT32_MAX;
        for (int i = 0; i < 3; i++)
            common->bits[i] &= own->bits[i];
        text = fb_span_from(text, length != 0 ? length : 1);
    }
    look->mixed = (common->bits[0] | common->bits[1] | common->bits[2]) == 0;
}

static void warn(struct fb_checker *c, const char *code, struct fb_range range, const char *kind, const char *what,
                 struct fb_span hint)
{
    if (fb_report_new(c, code, range))
        fb_report(c, FB_WARNING, code, range, "%s %s", kind, what)->hint = hint;
}

static void report(struct fb_checker *c, struct fb_range range, const struct look *look, bool name)
{
    const char *kind = name ? "this name" : "this string";
    if (look->bidirectional)
        warn(c, "validate.bidirectional", range, kind,
             "has marks that reorder text, so that it does not read as it is compared",
             FB_SPAN("write the marks as escapes: `\\u{202e}`"));
    else if (name && look->odd != 0)
        warn(c, "validate.confusable", range, kind, "has a character that names should not have",
             fb_report_text(c, "U+%04X is neither printable ASCII nor fit for identifiers",
                            look->odd != UINT32_MAX ? look->odd : 0));
    else if (look->mixed)
        warn(c, "validate.mixed_script", range, kind, "mixes scripts: letters in it may look like others",
             FB_SPAN("a Cyrillic `\\u{430}` looks like a Latin `a`; keep to one script"));
}

static void check_text(struct fb_checker *c, struct fb_span text, struct fb_range range, bool name)
{
    if (is_plain(text))
        return;
    struct look look = {.odd = 0};
    struct scripts common = sets[0];
    look_at(text, &look, &common);
    report(c, range, &look, name);
}

static void check_pattern(struct fb_checker *c, const struct fb_expr *expr)
{
    struct look look = {.odd = 0};
    struct scripts common = sets[0];
    for (uint32_t i = 0; i <= expr->pattern->wildcards; i++)
        look_at(expr->pattern->literals[i], &look, &common);
    report(c, expr->mark, &look, false);
}

static void check_scope(struct fb_checker *c, const struct fb_scope *scope)
{
    bool one = scope->op == FB_SCOPE_EQ || scope->op == FB_SCOPE_IN || scope->op == FB_SCOPE_IS_IN;
    if (one && !scope->slot)
        check_text(c, fb_uid_id(scope->uid), scope->range, true);
    for (uint32_t i = 0; scope->op == FB_SCOPE_IN_LIST && i < scope->count; i++)
        check_text(c, fb_uid_id(scope->list[i]), scope->range, true);
}

void fb_check_texts(struct fb_checker *c)
{
    check_scope(c, &c->policy->principal);
    check_scope(c, &c->policy->action);
    check_scope(c, &c->policy->resource);
    for (size_t i = 0; i < c->tree.count; i++) {
        const struct fb_node *node = &c->tree.nodes[i];
        const struct fb_expr *expr = node->expr;
        if (node->kind == FB_N_STRING)
            check_text(c, expr->text, expr->range, false);
        else if (node->kind == FB_N_UID)
            check_text(c, fb_uid_id(expr->uid), expr->range, true);
        else if (node->kind == FB_N_ATTR)
            check_text(c, expr->text, expr->mark, true);
        else if (node->kind == FB_N_LIKE)
            check_pattern(c, expr);
        for (uint32_t j = 0; (node->kind == FB_N_HAS || node->kind == FB_N_RECORD) && j < expr->count; j++)
            check_text(c, expr->names[j], expr->mark, true);
    }
}
