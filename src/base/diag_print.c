/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics shown: to people with the source line and carets, to programs as JSON.
 *
 * A source line is walked cell by cell: one scalar, or one escape for what must not reach a
 * terminal, with the columns that it takes.  A line that is too wide is shown through a window
 * around the caret, and walked only near it, so that a diagnostic in a
 * file of one enormous line costs no more than others. */
#include "base/diag.h"

#include "base/utf8.h"

#include <stdio.h>

#define TAB_STOP 4u
#define WINDOW 160u             /* columns of a source line that are shown */
#define BEFORE_CARET 60u        /* of them before the caret, when the line is cut */
#define BYTES_BEFORE 1024u      /* how far before the caret a walk begins */
#define BYTES_BEHIND 4096u      /* and how far behind it ends */

static const char *const severity_names[] = {
    [FB_ERROR] = "error", [FB_WARNING] = "warning", [FB_NOTE] = "note"
};
static const char *const severity_colours[] = {
    [FB_ERROR] = "\033[1;31m", [FB_WARNING] = "\033[1;33m", [FB_NOTE] = "\033[1;36m"
};
#define BOLD "\033[1m"
#define BLUE "\033[34m"
#define PLAIN "\033[0m"

struct cell {
    size_t bytes;               /* of the source */
    size_t columns;
    char text[16];              /* what is shown */
};

/* Controls, and what turns the reading direction or is not to be seen at all. */
static bool is_unsafe(uint32_t scalar)
{
    return scalar < 0x20 || (scalar >= 0x7F && scalar <= 0x9F) || scalar == 0xAD || scalar == 0x61C
        || (scalar >= 0x200B && scalar <= 0x200F) || (scalar >= 0x2028 && scalar <= 0x202E)
        || (scalar >= 0x2060 && scalar <= 0x206F) || scalar == 0xFEFF
        || (scalar >= 0xFFF9 && scalar <= 0xFFFB) || (scalar >= 0xE0000 && scalar <= 0xE0FFF);
}

/* The first cell of `rest` (not empty), which begins at `column` of its line. */
static struct cell next_cell(struct fb_span rest, size_t column)
{
    unsigned length;
    uint32_t scalar = fb_utf8_next(rest, &length);
    struct cell cell = {.bytes = length != 0 ? length : 1};
    if (length == 0) {
        (void)snprintf(cell.text, sizeof cell.text, "\\x%02x", (unsigned)(unsigned char)rest.ptr[0]);
    } else if (scalar == '\t') {
        cell.columns = TAB_STOP - column % TAB_STOP;
        memset(cell.text, ' ', cell.columns);
        return cell;
    } else if (is_unsafe(scalar)) {
        (void)snprintf(cell.text, sizeof cell.text, "\\u{%x}", (unsigned)scalar);
    } else {
        memcpy(cell.text, rest.ptr, length);
        cell.columns = fb_utf8_columns(fb_span_head(rest, length));
        return cell;
    }
    cell.columns = strlen(cell.text);
    return cell;
}

/* Columns from `column` on that the text takes; more than `enough` are not counted. */
static size_t walk(struct fb_span text, size_t column, size_t enough)
{
    size_t columns = 0;
    while (text.len != 0 && columns <= enough) {
        struct cell cell = next_cell(text, column + columns);
        columns += cell.columns;
        text = fb_span_from(text, cell.bytes);
    }
    return columns;
}

void fb_buffer_add_safe(struct fb_buffer *out, struct fb_span text)
{
    while (text.len != 0) {
        struct cell cell = next_cell(text, 0);
        if (text.ptr[0] == '\t')
            fb_buffer_add_char(out, ' ');
        else
            fb_buffer_add_z(out, cell.text);
        text = fb_span_from(text, cell.bytes);
    }
}

static void add_repeated(struct fb_buffer *out, char byte, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fb_buffer_add_char(out, byte);
}

static void add_sgr(struct fb_buffer *out, bool colour, const char *sgr)
{
    if (colour)
        fb_buffer_add_z(out, sgr);
}

/* What of a line is shown, in columns counted from where the walk began. */
struct view {
    struct fb_span text;        /* from where the walk begins to the end of the line */
    size_t from, to;            /* the window */
    size_t caret, caret_end;
    bool cut, cut_end;          /* something before the window, behind the text is left out */
};

static bool splits_scalar(struct fb_span text, size_t at)
{
    return at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80;
}

static struct view view_of(struct fb_span line, size_t start, size_t end)
{
    size_t skip = start > BYTES_BEFORE ? start - BYTES_BEFORE : 0;
    while (skip < start && splits_scalar(line, skip))
        skip++;
    size_t stop = line.len - start > BYTES_BEHIND ? start + BYTES_BEHIND : line.len;
    while (stop > start && splits_scalar(line, stop))
        stop--;
    struct view view = {.text = fb_span_from(fb_span_head(line, stop), skip), .to = WINDOW,
                        .cut = skip != 0, .cut_end = stop < line.len};
    size_t whole = walk(view.text, 0, WINDOW);
    view.caret = walk(fb_span_head(view.text, start - skip), 0, SIZE_MAX);
    if ((whole > WINDOW || view.cut) && view.caret > BEFORE_CARET) {
        view.from = view.caret - BEFORE_CARET;
        view.to = view.from + WINDOW;
        view.cut = true;
    }
    struct fb_span marked = fb_span_from(fb_span_head(line, end < stop ? end : stop), start);
    view.caret_end = view.caret + walk(marked, view.caret, view.to - view.caret);
    if (view.caret_end > view.to)
        view.caret_end = view.to;
    if (view.caret_end <= view.caret)
        view.caret_end = view.caret + 1;
    return view;
}

static void add_window(struct fb_buffer *out, const struct view *view)
{
    struct fb_span rest = view->text;
    size_t column = 0, shown = view->from;
    bool cut_end = view->cut_end;
    if (view->cut)
        fb_buffer_add_z(out, "…");
    while (rest.len != 0) {
        struct cell cell = next_cell(rest, column);
        if (column >= view->from) {
            if (column + cell.columns > view->to) {
                cut_end = true;
                break;
            }
            add_repeated(out, ' ', column - shown);     /* half of a cell that the window cut */
            fb_buffer_add_z(out, cell.text);
            shown = column + cell.columns;
        }
        column += cell.columns;
        rest = fb_span_from(rest, cell.bytes);
    }
    if (cut_end)
        fb_buffer_add_z(out, "…");
}

/* The line with its number, and carets under the range, or under its part on the first line. */
static void add_excerpt(struct fb_buffer *out, const struct fb_source *source, struct fb_range range,
                        const char *caret_colour, bool colour)
{
    struct fb_span line = fb_source_line(source, range.start);
    size_t line_at = line.len != 0 ? (size_t)(line.ptr - source->text.ptr) : 0;
    size_t start = range.start - line_at < line.len ? range.start - line_at : line.len;
    size_t end = range.end > range.start ? range.end - line_at : start;
    if (end > line.len)
        end = line.len;
    if (end < start)
        end = start;
    struct view view = view_of(line, start, end);
    char number[16];
    int width = snprintf(number, sizeof number, "%u", fb_source_position(source, range.start).line);

    add_sgr(out, colour, BLUE);
    fb_buffer_add_format(out, " %s | ", number);
    add_sgr(out, colour, PLAIN);
    add_window(out, &view);
    fb_buffer_add_char(out, '\n');
    add_sgr(out, colour, BLUE);
    fb_buffer_add_format(out, " %*s | ", width, "");
    add_sgr(out, colour, PLAIN);
    add_repeated(out, ' ', view.caret - view.from + (view.cut ? 1 : 0));
    add_sgr(out, colour, caret_colour);
    add_repeated(out, '^', view.caret_end - view.caret);
    add_sgr(out, colour, PLAIN);
    fb_buffer_add_char(out, '\n');
}

static void add_place(struct fb_buffer *out, const struct fb_source *source, struct fb_range range,
                      bool colour)
{
    if (source == NULL)
        return;
    struct fb_position position = fb_source_position(source, range.start);
    add_sgr(out, colour, BOLD);
    fb_buffer_add_safe(out, source->name);
    fb_buffer_add_format(out, ":%u:%u: ", position.line, position.column);
    add_sgr(out, colour, PLAIN);
}

static void add_head(struct fb_buffer *out, enum fb_severity severity, struct fb_span message,
                     bool colour)
{
    add_sgr(out, colour, severity_colours[severity]);
    fb_buffer_add_format(out, "%s: ", severity_names[severity]);
    add_sgr(out, colour, PLAIN);
    add_sgr(out, colour, BOLD);
    fb_buffer_add_safe(out, message);
    add_sgr(out, colour, PLAIN);
}

void fb_diag_print(struct fb_buffer *out, const struct fb_diag *diag, bool colour)
{
    add_place(out, diag->source, diag->range, colour);
    add_head(out, diag->severity, diag->message, colour);
    if (diag->code != NULL)
        fb_buffer_add_format(out, " [%s]", diag->code);
    fb_buffer_add_char(out, '\n');
    if (diag->source != NULL)
        add_excerpt(out, diag->source, diag->range, severity_colours[diag->severity], colour);
    if (diag->hint.len != 0) {
        add_sgr(out, colour, BOLD);
        fb_buffer_add_z(out, "  hint: ");
        add_sgr(out, colour, PLAIN);
        fb_buffer_add_safe(out, diag->hint);
        fb_buffer_add_char(out, '\n');
    }
    if (diag->other != NULL) {
        add_place(out, diag->other, diag->other_range, colour);
        add_head(out, FB_NOTE, diag->other_message, colour);
        fb_buffer_add_char(out, '\n');
        add_excerpt(out, diag->other, diag->other_range, severity_colours[FB_NOTE], colour);
    }
}

void fb_diags_print(struct fb_buffer *out, const struct fb_diags *diags, bool colour)
{
    for (size_t i = 0; i < diags->count; i++)
        fb_diag_print(out, &diags->list[i], colour);
    if (diags->dropped != 0)
        fb_buffer_add_format(out, "and %zu more\n", diags->dropped);
}

static void add_json_position(struct fb_buffer *out, const char *name, const struct fb_source *source,
                              uint32_t offset)
{
    struct fb_position position = fb_source_position(source, offset);
    fb_buffer_add_format(out, ",\"%s\":{\"offset\":%u,\"line\":%u,\"column\":%u}", name, offset,
                         position.line, position.column);
}

static void add_json_place(struct fb_buffer *out, const struct fb_source *source, struct fb_range range)
{
    fb_buffer_add_z(out, ",\"file\":");
    fb_buffer_add_json(out, source->name);
    add_json_position(out, "start", source, range.start);
    add_json_position(out, "end", source, range.end);
}

static void add_json_diag(struct fb_buffer *out, const struct fb_diag *diag)
{
    fb_buffer_add_format(out, "{\"severity\":\"%s\",\"code\":", severity_names[diag->severity]);
    fb_buffer_add_json(out, fb_span_z(diag->code));
    fb_buffer_add_z(out, ",\"message\":");
    fb_buffer_add_json(out, diag->message);
    if (diag->hint.len != 0) {
        fb_buffer_add_z(out, ",\"hint\":");
        fb_buffer_add_json(out, diag->hint);
    }
    if (diag->source != NULL)
        add_json_place(out, diag->source, diag->range);
    if (diag->other != NULL) {
        fb_buffer_add_z(out, ",\"related\":{\"message\":");
        fb_buffer_add_json(out, diag->other_message);
        add_json_place(out, diag->other, diag->other_range);
        fb_buffer_add_char(out, '}');
    }
    fb_buffer_add_char(out, '}');
}

void fb_diags_print_json(struct fb_buffer *out, const struct fb_diags *diags)
{
    fb_buffer_add_char(out, '[');
    for (size_t i = 0; i < diags->count; i++) {
        if (i != 0)
            fb_buffer_add_char(out, ',');
        add_json_diag(out, &diags->list[i]);
    }
    fb_buffer_add_char(out, ']');
}
