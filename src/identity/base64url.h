/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_BASE64URL_H
#define FB_IDENTITY_BASE64URL_H

#include "base/base.h"

/* base64url without padding (RFC 4648 section 5, RFC 7515 section 2). */

/* Bytes that `text_len` characters decode to. */
static inline size_t fb_base64url_room(size_t text_len)
{
    return text_len / 4 * 3 + (text_len % 4 != 0 ? text_len % 4 - 1 : 0);
}

/* Canonical text only: no padding, no blanks, no other alphabet, unused bits zero, so that each
 * byte string has exactly one text.  Writes fb_base64url_room(text.len) bytes; false, with `out`
 * in any state, if the text is not that. */
bool fb_base64url_decode(struct fb_span text, unsigned char *out);

void fb_base64url_add(struct fb_buffer *out, const void *bytes, size_t len);

#endif
