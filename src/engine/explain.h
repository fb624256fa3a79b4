/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENGINE_EXPLAIN_H
#define FB_ENGINE_EXPLAIN_H

#include "engine/engine.h"

/* Explanations for people and for programs.  Part of the engine's door.
 *
 * Texts and values come from policies, entities and requests: what is printed is safe for a terminal, and
 * a value is cut where it is long.  Memory is that of the buffer's allocator. */

#define FB_VALUE_COLUMNS ((size_t)100)  /* of a value as text */
#define FB_VALUE_BYTES 4096u            /* of a value as JSON; beyond that its text is given, cut */

struct fb_explain_style {
    bool colour;
    bool strict;                    /* of a guard: a forbid that errs closes the door; else it is skipped */
};

/* One policy: what it does, then its clauses with their lines, and the values of those that matter. */
void fb_explanation_print(struct fb_buffer *out, const struct fb_program *program,
                          const struct fb_explanation *explanation, struct fb_explain_style style);
/* The same as a JSON object. */
void fb_explanation_print_json(struct fb_buffer *out, const struct fb_program *program,
                               const struct fb_explanation *explanation);

/* A decision with all that explains it, as text: "ALLOW", a line for each error, the policies. */
void fb_explained_print(struct fb_buffer *out, const struct fb_program *program, const struct fb_decision *decision,
                        const struct fb_explained *explained, struct fb_explain_style style);
/* {"decision":"allow","reason":[…],"errors":[{…}],"policies":[…],"left_out":0}; `explained` NULL: without the
 * last two. */
void fb_explained_print_json(struct fb_buffer *out, const struct fb_program *program,
                             const struct fb_decision *decision, const struct fb_explained *explained);

/* A value as Cedar text, cut at `columns` with an ellipsis. */
void fb_value_print_cut(struct fb_buffer *out, struct fb_value value, size_t columns);
/* "true", "false", "error"; "unknown" where it may be several. */
const char *fb_outcomes_name(uint8_t outcomes);
/* "principal", …, "when", "unless" */
const char *fb_clause_part_name(enum fb_clause_part part);

/* excerpt.c: source lines of a range with a line number each, the range underlined with `mark`
 * ('^', '-') and `note` behind the last underline.  Long ranges are cut after `lines`. */
struct fb_excerpt {
    const struct fb_source *source;
    struct fb_range range;
    char mark;
    const char *colour;                     /* of the underline and the note: an SGR sequence, or "" */
    const char *note;
    unsigned lines;
    uint32_t printed;                       /* this line stands there already: only underline it; or 0 */
};
/* The number of the last line. */
uint32_t fb_excerpt_print(struct fb_buffer *out, const struct fb_excerpt *excerpt, bool colour);
/* Columns of the gutter that the excerpts begin with, for lines that go between them. */
#define FB_EXCERPT_GUTTER 7u
void fb_excerpt_gutter(struct fb_buffer *out, bool colour);
/* The text of a range on one line: white space runs become one space, cut at `columns`. */
void fb_excerpt_inline(struct fb_buffer *out, const struct fb_source *source, struct fb_range range, size_t columns);
/* Printed text cut at `columns`, with an ellipsis. */
void fb_excerpt_cut(struct fb_buffer *out, struct fb_span text, size_t columns);

#endif
