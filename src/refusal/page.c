/* SPDX-License-Identifier: Apache-2.0 */
/* Page templates: checked once when they are loaded, filled in where a person is refused.  The grammar is
 * in page.h.  Speed does not matter here: people do not come by the thousand a second. */
#include "refusal/page.h"

static const struct fb_span names[FB_PAGE_NAMES] = {
#define FB_PAGE_NAME(symbol, name) [FB_PAGE_##symbol] = FB_SPAN_INIT(name),
#include "refusal/page_names.def"
#undef FB_PAGE_NAME
};

static const char built_in[] =
#include "refusal/page.inc"
    ;

struct fb_span fb_page_built_in(void)
{
    return fb_span(built_in, sizeof built_in - 1);
}

static bool find_name(struct fb_span text, enum fb_page_name *name)
{
    for (unsigned i = 0; i < FB_PAGE_NAMES; i++)
        if (fb_span_eq(names[i], text)) {
            *name = (enum fb_page_name)i;
            return true;
        }
    return false;
}

/* --- Tags ------------------------------------------------------------------------------------------- */

enum tag_kind { TAG_NONE, TAG_VALUE, TAG_OPEN, TAG_CLOSE, TAG_UNCLOSED };

struct tag {
    size_t start, end;          /* of `{{…}}` */
    struct fb_span name;
};

/* Where `two` first stands in text[from …), or the text's length. */
static size_t find_two(struct fb_span text, size_t from, char c)
{
    for (size_t i = from; i + 1 < text.len; i++)
        if (text.ptr[i] == c && text.ptr[i + 1] == c)
            return i;
    return text.len;
}

static enum tag_kind next_tag(struct fb_span text, size_t from, struct tag *tag)
{
    tag->start = find_two(text, from, '{');
    if (tag->start == text.len)
        return TAG_NONE;
    size_t close = find_two(text, tag->start + 2, '}');
    if (close == text.len)
        return TAG_UNCLOSED;
    tag->end = close + 2;
    tag->name = fb_span_trim(fb_span(text.ptr + tag->start + 2, close - tag->start - 2));
    char sign = tag->name.len != 0 ? tag->name.ptr[0] : '\0';
    if (sign != '#' && sign != '/')
        return TAG_VALUE;
    tag->name = fb_span_trim(fb_span_from(tag->name, 1));
    return sign == '#' ? TAG_OPEN : TAG_CLOSE;
}

/* --- Checking ----------------------------------------------------------------------------------------- */

static struct fb_range range_of(const struct tag *tag)
{
    return (struct fb_range){(uint32_t)tag->start, (uint32_t)tag->end};
}

static void add_names(struct fb_diags *diags, struct fb_diag *diag)
{
    struct fb_span list = FB_SPAN("there are");
    for (unsigned i = 0; i < FB_PAGE_NAMES; i++)
        list = fb_arena_format(diags->arena, "%.*s%s %.*s", (int)list.len, list.ptr, i == 0 ? "" : ",", (int)names[i].len,
                               names[i].ptr);
    diag->hint = list;
}

struct checking {
    const struct fb_source *source;
    struct fb_diags *diags;
    struct tag open[FB_PAGE_NAMES];
    enum fb_page_name opened[FB_PAGE_NAMES];
    size_t depth;
};

static void check_tag(struct checking *c, enum tag_kind kind, const struct tag *tag)
{
    enum fb_page_name name;
    if (!find_name(tag->name, &name)) {
        add_names(c->diags, fb_diag_add(c->diags, FB_ERROR, "page.unknown_name", c->source, range_of(tag),
                                        "no value is called \"%.*s\"", (int)tag->name.len, tag->name.ptr));
        return;
    }
    if (kind == TAG_OPEN) {
        for (size_t i = 0; i < c->depth; i++)
            if (c->opened[i] == name) {
                fb_diag_add(c->diags, FB_ERROR, "page.nested", c->source, range_of(tag),
                            "the section \"%.*s\" stands within itself", (int)tag->name.len, tag->name.ptr);
                return;
            }
        c->open[c->depth] = *tag;
        c->opened[c->depth++] = name;
    } else if (kind == TAG_CLOSE) {
        if (c->depth != 0 && c->opened[c->depth - 1] == name)
            c->depth--;
        else
            fb_diag_add(c->diags, FB_ERROR, "page.unopened", c->source, range_of(tag),
                        "this closes a section that is not the one opened last")->hint =
                FB_SPAN("sections end in the opposite order of their beginnings");
    }
}

bool fb_page_check(const struct fb_source *source, struct fb_diags *diags)
{
    struct checking c = {.source = source, .diags = diags};
    size_t before = diags->errors;
    struct tag tag;
    enum tag_kind kind;
    for (size_t at = 0; (kind = next_tag(source->text, at, &tag)) != TAG_NONE; at = tag.end) {
        if (kind == TAG_UNCLOSED) {
            fb_diag_add(diags, FB_ERROR, "page.unclosed", source,
                        (struct fb_range){(uint32_t)tag.start, (uint32_t)tag.start + 2}, "`{{` without `}}`");
            break;
        }
        check_tag(&c, kind, &tag);
    }
    for (size_t i = 0; i < c.depth && diags->errors == before; i++)
        fb_diag_add(diags, FB_ERROR, "page.unclosed", source, range_of(&c.open[i]), "this section is never closed")->hint =
            fb_arena_format(diags->arena, "write `{{/%.*s}}` where it ends", (int)c.open[i].name.len, c.open[i].name.ptr);
    return diags->errors == before;
}

/* --- Filling in ---------------------------------------------------------------------------------------- */

/* Text between tags or within quoted attributes.  What is not UTF-8 becomes U+FFFD, and controls go, which no
 * page may hold. */
static void add_escaped(struct fb_buffer *out, struct fb_span text)
{
    while (text.len != 0) {
        unsigned length;
        uint32_t scalar = fb_utf8_next(text, &length);
        switch (length == 0 ? 0xfffd : scalar) {
        case '&': fb_buffer_add_z(out, "&amp;"); break;
        case '<': fb_buffer_add_z(out, "&lt;"); break;
        case '>': fb_buffer_add_z(out, "&gt;"); break;
        case '"': fb_buffer_add_z(out, "&quot;"); break;
        case '\'': fb_buffer_add_z(out, "&#39;"); break;
        case 0xfffd: fb_buffer_add_z(out, "\xef\xbf\xbd"); break;
        default:
            if (scalar >= ' ' && scalar != 0x7f)
                fb_buffer_add(out, fb_span_head(text, length));
            break;
        }
        text = fb_span_from(text, length == 0 ? 1 : length);
    }
}

void fb_page_fill(struct fb_span template, const struct fb_span values[FB_PAGE_NAMES], struct fb_buffer *out)
{
    struct tag tag;
    enum tag_kind kind;
    size_t at = 0;
    unsigned hidden = 0;        /* depth of sections that are left out */
    while ((kind = next_tag(template, at, &tag)) != TAG_NONE && kind != TAG_UNCLOSED) {
        enum fb_page_name name;
        if (hidden == 0)
            fb_buffer_add(out, fb_span(template.ptr + at, tag.start - at));
        at = tag.end;
        if (!find_name(tag.name, &name))
            continue;
        if (kind == TAG_VALUE && hidden == 0)
            add_escaped(out, values[name]);
        else if (kind == TAG_OPEN && (hidden != 0 || values[name].len == 0))
            hidden++;
        else if (kind == TAG_CLOSE && hidden != 0)
            hidden--;
    }
    if (hidden == 0)
        fb_buffer_add(out, fb_span_from(template, at));
}
