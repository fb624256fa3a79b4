/* SPDX-License-Identifier: Apache-2.0 */
/* The list of diagnostics, places in a text, and guesses at what was meant.  How they are shown is
 * in diag_print.c. */
#include "base/diag.h"

#include "base/utf8.h"

void fb_diags_init(struct fb_diags *diags, struct fb_arena *arena)
{
    *diags = (struct fb_diags){.arena = arena, .limit = FB_DIAGS_LIMIT};
}

/* A message may quote a name of a megabyte; its ends are enough. */
#define MESSAGE_MAX 2000u

static struct fb_span shortened(struct fb_arena *arena, struct fb_span text)
{
    if (text.len <= MESSAGE_MAX)
        return text;
    size_t head = MESSAGE_MAX / 2, tail = text.len - MESSAGE_MAX / 2;
    while (head > 0 && ((unsigned char)text.ptr[head] & 0xC0) == 0x80)
        head--;
    while (tail < text.len && ((unsigned char)text.ptr[tail] & 0xC0) == 0x80)
        tail++;
    struct fb_span rest = fb_span_from(text, tail);
    return fb_arena_format(arena, "%.*s…%.*s", (int)head, text.ptr, (int)rest.len, rest.ptr);
}

/* The next place in the list; the scratch one when there is none. */
static struct fb_diag *next_diag(struct fb_diags *diags)
{
    if (diags->count < diags->limit) {
        struct fb_diag *list =
            fb_arena_grow(diags->arena, diags->list, diags->count, &diags->capacity, sizeof *list);
        if (list != NULL) {
            diags->list = list;
            return &diags->list[diags->count++];
        }
    }
    diags->dropped++;
    return &diags->scratch;
}

struct fb_diag *fb_diag_add(struct fb_diags *diags, enum fb_severity severity, const char *code,
                            const struct fb_source *source, struct fb_range range,
                            const char *format, ...)
{
    struct fb_diag *diag = next_diag(diags);
    *diag = (struct fb_diag){.severity = severity, .code = code, .source = source, .range = range};
    if (severity == FB_ERROR)
        diags->errors++;
    if (diag == &diags->scratch)
        return diag;
    va_list args;
    va_start(args, format);
    diag->message = shortened(diags->arena, fb_arena_vformat(diags->arena, format, args));
    va_end(args);
    if (diag->message.ptr == NULL)
        diag->message = FB_SPAN("(no memory left for the message)");
    return diag;
}

static size_t line_start(struct fb_span text, size_t offset)
{
    const char *end_before = offset != 0 ? memrchr(text.ptr, '\n', offset) : NULL;
    return end_before != NULL ? (size_t)(end_before - text.ptr) + 1 : 0;
}

static size_t clamp(const struct fb_source *source, uint32_t offset)
{
    return offset < source->text.len ? offset : source->text.len;
}

/* Lead bytes are counted, so that an offset within a scalar gives that scalar's column. */
struct fb_position fb_source_position(const struct fb_source *source, uint32_t offset)
{
    struct fb_span text = source->text;
    size_t end = clamp(source, offset);
    size_t start = line_start(text, end);
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < start; i++)  /* byte by byte: a search for each line is slow where lines are short */
        line += text.ptr[i] == '\n';
    while (end > start && end < text.len && ((unsigned char)text.ptr[end] & 0xC0) == 0x80)
        end--;
    for (size_t i = start; i < end; i++)
        column += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return (struct fb_position){line, column};
}

struct fb_span fb_source_line(const struct fb_source *source, uint32_t offset)
{
    size_t start = line_start(source->text, clamp(source, offset));
    struct fb_span line = fb_span_from(source->text, start);
    line = fb_span_head(line, fb_span_find(line, '\n'));
    if (line.len != 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

#define WORD_LIMIT 64u

static unsigned char fold(char byte)
{
    unsigned char c = (unsigned char)byte;
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Insertions, removals, changes and swaps of neighbours that turn one word into the other; a
 * difference in ASCII case alone costs nothing.  Both words within WORD_LIMIT bytes. */
static unsigned distance(struct fb_span a, struct fb_span b)
{
    unsigned rows[3][WORD_LIMIT + 1];
    for (unsigned j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *twice_above = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned char x = fold(a.ptr[i - 1]), y = fold(b.ptr[j - 1]);
            unsigned cost = above[j - 1] + (x != y);
            cost = least(cost, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == fold(b.ptr[j - 2]) && y == fold(a.ptr[i - 2]))
                cost = least(cost, twice_above[j - 2] + 1);
            row[j] = cost;
        }
    }
    return rows[a.len % 3][b.len];
}

struct fb_span fb_did_you_mean(struct fb_span word, const struct fb_span *candidates, size_t count)
{
    struct fb_span best = {0};
    if (word.len == 0 || word.len > WORD_LIMIT)
        return best;
    unsigned best_distance = (unsigned)word.len / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].len == 0 || candidates[i].len > WORD_LIMIT)
            continue;
        unsigned d = distance(word, candidates[i]);
        if (d < best_distance) {
            best = candidates[i];
            best_distance = d;
        }
    }
    return best;
}
