/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_UTF8_H
#define FB_BASE_UTF8_H

#include "base/span.h"

/* UTF-8 by RFC 3629: no surrogates, nothing beyond U+10FFFF, no overlong forms. */

/* The scalar value at the start of `text` (not empty) and its length in bytes; length 0 if the
 * bytes are not UTF-8. */
uint32_t fb_utf8_next(struct fb_span text, unsigned *length);
/* Offset of the first byte that is not part of a valid sequence; text.len if all are. */
size_t fb_utf8_valid(struct fb_span text);
/* Writes 1 to 4 bytes; 0 if `scalar` is no Unicode scalar value. */
unsigned fb_utf8_put(uint32_t scalar, char out[4]);
/* Columns of a terminal that the text takes: scalars, with combining ones as 0 and wide ones as
 * 2, for carets under source lines. */
size_t fb_utf8_columns(struct fb_span text);

#endif
