/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_LAYOUT_H
#define FB_CEDAR_LAYOUT_H

#include "base/base.h"

/* Text that may be broken into lines, after Wadler ("A prettier printer", 1998).  For the formatter.
 *
 * A document is text with places where a line may break.  A group is laid out on one line if it fits the
 * width, together with what follows it up to the next place that breaks; else every place of its own
 * breaks, and the groups within it are tried in turn.  Documents are built in an arena; a NULL one is the
 * empty document, so without memory they only become shorter, which the arena knows. */
struct fb_doc;

const struct fb_doc *fb_doc_text(struct fb_arena *arena, struct fb_span text);
/* A place that may break: flat it is `text`. */
const struct fb_doc *fb_doc_line(struct fb_arena *arena, const char *text);
/* One that always does: no group with it fits. */
const struct fb_doc *fb_doc_break(struct fb_arena *arena);
const struct fb_doc *fb_doc_join(struct fb_arena *arena, const struct fb_doc *first, const struct fb_doc *second);
/* Lines that begin within are indented by that many spaces more. */
const struct fb_doc *fb_doc_nest(struct fb_arena *arena, uint32_t indent, const struct fb_doc *inner);
const struct fb_doc *fb_doc_group(struct fb_arena *arena, const struct fb_doc *inner);

/* Laid out in lines of `width` columns where that is possible.  The arena is used meanwhile. */
void fb_doc_render(struct fb_buffer *out, struct fb_arena *arena, const struct fb_doc *doc, uint32_t width);

#endif
