/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of policies shown to people: numbered lines with what matters underlined. */
#include "engine/explain.h"

#define LINE_BYTES_MAX 400u /* of a source line that is shown */

void fb_excerpt_gutter(struct fb_buffer *out, bool colour)
{
    fb_buffer_add_z(out, colour ? "      \033[34m│\033[0m " : "      │ ");
}

void fb_excerpt_cut(struct fb_buffer *out, struct fb_span text, size_t columns)
{
    size_t len = 0, width = 0;
    while (len < text.len) {
        unsigned size;
        fb_utf8_next(fb_span_from(text, len), &size);
        size = size != 0 ? size : 1;
        width += fb_utf8_columns(fb_span(text.ptr + len, size));
        if (width > columns)
            break;
        len += size;
    }
    fb_buffer_add_safe(out, fb_span_head(text, len));
    if (len < text.len)
        fb_buffer_add_z(out, "…");
}

void fb_excerpt_inline(struct fb_buffer *out, const struct fb_source *source, struct fb_range range, size_t columns)
{
    struct fb_span text = fb_span_from(fb_span_head(source->text, range.end), range.start);
    struct fb_buffer line;
    fb_buffer_init(&line, out->allocator, 64u << 10);
    bool space = false;
    for (size_t i = 0; i < text.len && line.len < 4 * columns; i++) {
        char c = text.ptr[i];
        bool white = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!white && space && line.len != 0)
            fb_buffer_add_char(&line, ' ');
        if (!white)
            fb_buffer_add_char(&line, c);
        space = white;
    }
    fb_excerpt_cut(out, fb_buffer_span(&line), columns);
    out->failed = out->failed || line.failed;
    fb_buffer_release(&line);
}

static size_t shown_columns(struct fb_buffer *out, struct fb_span text)
{
    struct fb_buffer safe;
    fb_buffer_init(&safe, out->allocator, 64u << 10);
    fb_buffer_add_safe(&safe, text);
    size_t columns = fb_utf8_columns(fb_buffer_span(&safe));
    out->failed = out->failed || safe.failed;
    fb_buffer_release(&safe);
    return columns;
}

/* The part of a line that is underlined: of the range, without the indent of a line in its middle. */
static struct fb_range part_of(struct fb_span line, size_t at, struct fb_range range)
{
    size_t start = range.start > at ? range.start - at : 0;
    size_t end = range.end - at < line.len ? range.end - at : line.len;
    while (start < end && (line.ptr[start] == ' ' || line.ptr[start] == '\t'))
        start++;
    while (end > start && (line.ptr[end - 1] == ' ' || line.ptr[end - 1] == '\t' || line.ptr[end - 1] == '\r'))
        end--;
    return (struct fb_range){(uint32_t)start, (uint32_t)end};
}

static void print_marks(struct fb_buffer *out, const struct fb_excerpt *excerpt, struct fb_span line,
                        struct fb_range part, bool last, bool colour)
{
    size_t before = shown_columns(out, fb_span_head(line, part.start));
    size_t width = shown_columns(out, fb_span_from(fb_span_head(line, part.end), part.start));
    fb_excerpt_gutter(out, colour);
    for (size_t i = 0; i < before; i++)
        fb_buffer_add_char(out, ' ');
    if (colour)
        fb_buffer_add_z(out, excerpt->colour);
    for (size_t i = 0; i < width || i == 0; i++)
        fb_buffer_add_char(out, excerpt->mark);
    if (last && excerpt->note != NULL)
        fb_buffer_add_format(out, " %s", excerpt->note);
    fb_buffer_add_z(out, colour ? "\033[0m\n" : "\n");
}

uint32_t fb_excerpt_print(struct fb_buffer *out, const struct fb_excerpt *excerpt, bool colour)
{
    const struct fb_source *source = excerpt->source;
    struct fb_span text = source->text;
    uint32_t end = excerpt->range.end < text.len ? excerpt->range.end : (uint32_t)text.len;
    size_t at = excerpt->range.start < end ? excerpt->range.start : end;
    uint32_t number = fb_source_position(source, (uint32_t)at).line;
    while (at > 0 && text.ptr[at - 1] != '\n')
        at--;
    for (unsigned shown = 0;; shown++, number++) {
        struct fb_span rest = fb_span_from(text, at);
        size_t length = fb_span_find(rest, '\n');
        struct fb_span line = fb_span_head(fb_span_head(rest, length), LINE_BYTES_MAX);
        bool last = at + length >= end;
        if (shown + 1 == excerpt->lines && !last)
            last = true;
        if (number != excerpt->printed) {
            fb_buffer_add_format(out, colour ? "\033[34m%5u │\033[0m " : "%5u │ ", number);
            fb_buffer_add_safe(out, line);
            fb_buffer_add_z(out, last && at + length < end ? " …\n" : "\n");
        }
        struct fb_range part = part_of(line, at, (struct fb_range){excerpt->range.start, end});
        if (part.start < part.end || last)
            print_marks(out, excerpt, line, part, last, colour);
        if (last)
            return number;
        at += length + 1;
    }
}
