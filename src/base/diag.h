/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_DIAG_H
#define FB_BASE_DIAG_H

#include "base/arena.h"
#include "base/buffer.h"

/* Faults in the user's text.
 *
 * A reader that meets a fault adds a diagnostic and goes on where it can, so that one run shows
 * all of them.  A diagnostic has a code ("parse.unexpected_token": stable, dotted, part first),
 * a place, a message that says what is wrong, and a hint that says what to write instead. */

/* A text that diagnostics point into.  Both spans must outlive the diagnostics. */
struct fb_source {
    struct fb_span name;    /* a path, or "<stdin>" */
    struct fb_span text;
};

/* Bytes [start, end) of a source. */
struct fb_range {
    uint32_t start, end;
};

enum fb_severity { FB_ERROR, FB_WARNING, FB_NOTE };

struct fb_diag {
    enum fb_severity severity;
    const char *code;                   /* static */
    const struct fb_source *source;     /* NULL: about no text in particular */
    struct fb_range range;
    struct fb_span message, hint;       /* hint may be empty */
    const struct fb_source *other;      /* a second place ("first defined here"), or NULL */
    struct fb_range other_range;
    struct fb_span other_message;
};

/* A list of them, in an arena, at most `limit`; what comes after is counted and dropped. */
struct fb_diags {
    struct fb_arena *arena;
    struct fb_diag *list;
    size_t count, capacity, limit, dropped;
    size_t errors;              /* diagnostics of severity FB_ERROR, the dropped ones included */
    struct fb_diag scratch;     /* what a dropped one is written to */
};

#define FB_DIAGS_LIMIT 100

void fb_diags_init(struct fb_diags *diags, struct fb_arena *arena);
/* Adds one with a printf message and returns it, for the hint and the second place to be set before
 * the next one is added; never NULL (beyond the limit or without memory a scratch one is returned,
 * and counted in `dropped`). */
struct fb_diag *fb_diag_add(struct fb_diags *diags, enum fb_severity severity, const char *code,
                            const struct fb_source *source, struct fb_range range,
                            const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Will it be shown?  Beyond the limit it will not, and a hint that costs time (a guess among all names of
 * a large file) would make many faults cost the square of it. */
static inline bool fb_diag_kept(const struct fb_diags *diags, const struct fb_diag *diag)
{
    return diag != &diags->scratch;
}

/* Line and column of an offset, both from 1; the column counts Unicode scalars. */
struct fb_position {
    uint32_t line, column;
};
struct fb_position fb_source_position(const struct fb_source *source, uint32_t offset);
/* The line that holds the offset, without its end. */
struct fb_span fb_source_line(const struct fb_source *source, uint32_t offset);

/* For people: `path:line:col: error: message [code]`, the source line, carets, the hint, the
 * second place.  `colour` for terminals.  What came from the user (names, messages, lines) is shown
 * with controls, bidirectional marks and bytes that are not UTF-8 as escapes, so that a text under
 * inspection cannot act on the terminal. */
void fb_diag_print(struct fb_buffer *out, const struct fb_diag *diag, bool colour);
void fb_diags_print(struct fb_buffer *out, const struct fb_diags *diags, bool colour);
/* As a JSON array of objects: severity, code, message, hint, file, start and end {offset, line,
 * column}, related. */
void fb_diags_print_json(struct fb_buffer *out, const struct fb_diags *diags);

/* Text from elsewhere as diagnostics show it: what could act on a terminal as escapes, a tab as a space. */
void fb_buffer_add_safe(struct fb_buffer *buffer, struct fb_span text);

/* The name among `count` candidates that `word` was probably meant to be (edit distance at most a
 * third of its length, ASCII case aside; the nearest, then the first), or the empty span: for "did
 * you mean" hints.  Words over 64 bytes are not guessed at. */
struct fb_span fb_did_you_mean(struct fb_span word, const struct fb_span *candidates, size_t count);

#endif
