/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REQUEST_ANNOTATION_H
#define FB_REQUEST_ANNOTATION_H

#include "cedar/cedar.h"

/* What all readers of schema annotations share: places within a value, and lists in one. */

/* The annotation `owner` has under `key`, with what diagnostics need. */
struct fb_annotated {
    const struct fb_annotation *annotation;     /* NULL: not there */
    const struct fb_source *source;
    struct fb_diags *diags;
};

/* Where bytes [offset, offset + len) of the value stand in the source, escapes considered. */
struct fb_range fb_annotated_range(const struct fb_annotated *at, size_t offset, size_t len);

/* An error at a part of the value, which must be a piece of annotation->value (empty is fine). */
struct fb_diag *fb_annotated_fault(const struct fb_annotated *at, struct fb_span part, const char *code,
                                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A hint, in the memory of the diagnostics. */
void fb_diag_hint(struct fb_diags *diags, struct fb_diag *diag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The next piece of a list with commas, without the blanks around it; false at the end.  `*rest`
 * starts as the whole value, `*begun` as false. */
bool fb_next_piece(struct fb_span *rest, bool *begun, struct fb_span *piece);

/* Faults of the annotations on actions and entity types that concern their names: misspelt, on the
 * wrong kind of declaration, without or with a value where it must be otherwise, not supported. */
void fb_annotations_check(const struct fb_schema *schema, struct fb_diags *diags);

/* The index of a word among `count`; a fault with a hint, and -1, if it is none. */
int fb_annotated_word(const struct fb_annotated *at, struct fb_span word, const struct fb_span *words, size_t count);

#endif
