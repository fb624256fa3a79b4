/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_BUFFER_H
#define FB_BASE_BUFFER_H

#include "base/alloc.h"
#include "base/span.h"

#include <stdarg.h>

/* Bytes that grow at their end, up to a ceiling set when the buffer is made.
 *
 * An append that fails (ceiling, memory) changes nothing and sets `failed`; later appends do
 * nothing.  Check once, at the end.  The contents always have a NUL behind them.  One thread. */
struct fb_buffer {
    char *ptr;
    size_t len, capacity, ceiling;
    const struct fb_allocator *allocator;
    bool failed;
};

void fb_buffer_init(struct fb_buffer *buffer, const struct fb_allocator *allocator, size_t ceiling);
void fb_buffer_release(struct fb_buffer *buffer);
/* Empties, keeps the memory, clears `failed`. */
void fb_buffer_clear(struct fb_buffer *buffer);

void fb_buffer_add(struct fb_buffer *buffer, struct fb_span bytes);
void fb_buffer_add_z(struct fb_buffer *buffer, const char *text);
void fb_buffer_add_char(struct fb_buffer *buffer, char byte);
void fb_buffer_add_format(struct fb_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void fb_buffer_add_vformat(struct fb_buffer *buffer, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* As a JSON string with its quotes (RFC 8259 section 7): `"`, `\` and controls escaped, other
 * bytes as they are where they are UTF-8, U+FFFD for each byte that is not. */
void fb_buffer_add_json(struct fb_buffer *buffer, struct fb_span text);
/* As a Cedar string literal with its quotes: printable ASCII as it is, the rest \u{…}. */
void fb_buffer_add_cedar(struct fb_buffer *buffer, struct fb_span text);
/* Room for `len` more bytes to be written by the caller, who then adds to buffer->len; NULL on
 * failure. */
char *fb_buffer_reserve(struct fb_buffer *buffer, size_t len);

static inline struct fb_span fb_buffer_span(const struct fb_buffer *buffer)
{
    return fb_span(buffer->ptr, buffer->len);
}

/* A whole file, or the rest of a stream, appended.  0, or the errno of the failure, in which case
 * the contents are as before; EFBIG at the ceiling and ENOMEM set `failed` as every append does.
 * `path` "-" is standard input. */
int fb_buffer_read_file(struct fb_buffer *buffer, const char *path);

#endif
