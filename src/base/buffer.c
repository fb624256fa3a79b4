/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers: growth by doubling up to the ceiling, and the writers of quoted text.
 *
 * `capacity` includes the byte for the NUL; a buffer that never grew points at a constant empty
 * string, so that its contents can be read as a C string too. */
#include "base/buffer.h"

#include "base/utf8.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FIRST_CAPACITY ((size_t)256)
#define READ_CHUNK ((size_t)65536)

static const char nothing[1];

void fb_buffer_init(struct fb_buffer *buffer, const struct fb_allocator *allocator, size_t ceiling)
{
    assert(ceiling < SIZE_MAX);
    *buffer = (struct fb_buffer){
        .ptr = (char *)(uintptr_t)nothing,  /* never written: its capacity is 0 */
        .allocator = allocator,
        .ceiling = ceiling,
    };
}

void fb_buffer_release(struct fb_buffer *buffer)
{
    if (buffer->capacity != 0)
        fb_free(buffer->allocator, buffer->ptr, buffer->capacity);
    fb_buffer_init(buffer, buffer->allocator, buffer->ceiling);
}

void fb_buffer_clear(struct fb_buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
    if (buffer->capacity != 0)
        buffer->ptr[0] = '\0';
}

/* Room for `more` bytes and the NUL. */
static bool make_room(struct fb_buffer *buffer, size_t more)
{
    if (buffer->failed)
        return false;
    if (more > buffer->ceiling - buffer->len) {
        buffer->failed = true;
        return false;
    }
    size_t needed = buffer->len + more + 1;
    if (needed <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity > SIZE_MAX / 2 ? needed : 2 * buffer->capacity;
    if (capacity < FIRST_CAPACITY)
        capacity = FIRST_CAPACITY;
    if (capacity > buffer->ceiling + 1)
        capacity = buffer->ceiling + 1;
    if (capacity < needed)
        capacity = needed;
    void *old = buffer->capacity != 0 ? buffer->ptr : NULL;
    char *ptr = buffer->allocator->resize(buffer->allocator->context, old, buffer->capacity, capacity);
    if (ptr == NULL) {
        buffer->failed = true;
        return false;
    }
    ptr[buffer->len] = '\0';
    buffer->ptr = ptr;
    buffer->capacity = capacity;
    return true;
}

void fb_buffer_add(struct fb_buffer *buffer, struct fb_span bytes)
{
    if (bytes.len == 0 || !make_room(buffer, bytes.len))
        return;
    memcpy(buffer->ptr + buffer->len, bytes.ptr, bytes.len);
    buffer->len += bytes.len;
    buffer->ptr[buffer->len] = '\0';
}

void fb_buffer_add_z(struct fb_buffer *buffer, const char *text)
{
    fb_buffer_add(buffer, fb_span_z(text));
}

void fb_buffer_add_char(struct fb_buffer *buffer, char byte)
{
    if (!make_room(buffer, 1))
        return;
    buffer->ptr[buffer->len++] = byte;
    buffer->ptr[buffer->len] = '\0';
}

/* Straight into the room there is; only what does not fit is formatted a second time. */
void fb_buffer_add_vformat(struct fb_buffer *buffer, const char *format, va_list args)
{
    if (buffer->failed)
        return;
    size_t room = buffer->capacity != 0 ? buffer->capacity - buffer->len : 0;
    char *at = room != 0 ? buffer->ptr + buffer->len : NULL;
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(at, room, format, again);
    va_end(again);
    if (room != 0 && (length < 0 || (size_t)length >= room))
        *at = '\0';
    if (length < 0)
        buffer->failed = true;
    else if (make_room(buffer, (size_t)length)) {
        if ((size_t)length >= room)
            (void)vsnprintf(buffer->ptr + buffer->len, (size_t)length + 1, format, args);
        buffer->len += (size_t)length;
    }
}

void fb_buffer_add_format(struct fb_buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fb_buffer_add_vformat(buffer, format, args);
    va_end(args);
}

/* The whole room is cleared, so that a NUL follows however much of it the caller uses. */
char *fb_buffer_reserve(struct fb_buffer *buffer, size_t len)
{
    if (!make_room(buffer, len))
        return NULL;
    return memset(buffer->ptr + buffer->len, 0, len + 1);
}

static void add_json_escape(struct fb_buffer *buffer, unsigned char byte)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i < sizeof short_forms - 1; i += 2) {
        if ((unsigned char)short_forms[i] == byte) {
            fb_buffer_add_char(buffer, '\\');
            fb_buffer_add_char(buffer, short_forms[i + 1]);
            return;
        }
    }
    fb_buffer_add_format(buffer, "\\u%04x", (unsigned)byte);
}

/* Do eight bytes stand for themselves in a JSON string?  ASCII without controls, `"` and `\\`; the high
 * bit of a byte tells, of the first bad one at least. */
static inline bool plain_8(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t bad = word | (word - 0x20 * ones) | ((word ^ '"' * ones) - ones) | ((word ^ '\\' * ones) - ones);
    return (bad & 0x80 * ones) == 0;
}

/* Bytes that stand for themselves in a JSON string, from the start of `text`. */
static size_t json_plain(struct fb_span text)
{
    size_t i = 0;
    while (text.len - i >= 8 && plain_8(text.ptr + i))
        i += 8;
    while (i < text.len) {
        unsigned char byte = (unsigned char)text.ptr[i];
        unsigned length = 0;
        if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\') {
            i++;
            continue;
        }
        if (byte >= 0x80)
            (void)fb_utf8_next(fb_span_from(text, i), &length);
        if (length == 0)
            break;
        i += length;
    }
    return i;
}

void fb_buffer_add_json(struct fb_buffer *buffer, struct fb_span text)
{
    fb_buffer_add_char(buffer, '"');
    while (text.len != 0) {
        size_t plain = json_plain(text);
        fb_buffer_add(buffer, fb_span_head(text, plain));
        text = fb_span_from(text, plain);
        if (text.len == 0)
            break;
        if ((unsigned char)text.ptr[0] < 0x80)
            add_json_escape(buffer, (unsigned char)text.ptr[0]);
        else
            fb_buffer_add_z(buffer, "\xef\xbf\xbd");
        text = fb_span_from(text, 1);
    }
    fb_buffer_add_char(buffer, '"');
}

static size_t cedar_plain(struct fb_span text)
{
    size_t i = 0;
    while (i < text.len && text.ptr[i] >= ' ' && text.ptr[i] <= '~' && text.ptr[i] != '"'
           && text.ptr[i] != '\\')
        i++;
    return i;
}

void fb_buffer_add_cedar(struct fb_buffer *buffer, struct fb_span text)
{
    fb_buffer_add_char(buffer, '"');
    while (text.len != 0) {
        size_t plain = cedar_plain(text);
        fb_buffer_add(buffer, fb_span_head(text, plain));
        text = fb_span_from(text, plain);
        if (text.len == 0)
            break;
        unsigned length;
        uint32_t scalar = fb_utf8_next(text, &length);
        if (length == 0) {
            scalar = 0xFFFD;
            length = 1;
        }
        if (scalar == '"' || scalar == '\\') {
            fb_buffer_add_char(buffer, '\\');
            fb_buffer_add_char(buffer, (char)scalar);
        } else {
            fb_buffer_add_format(buffer, "\\u{%x}", (unsigned)scalar);
        }
        text = fb_span_from(text, length);
    }
    fb_buffer_add_char(buffer, '"');
}

static ssize_t read_some(int fd, char *into, size_t len)
{
    ssize_t got;
    do
        got = read(fd, into, len);
    while (got < 0 && errno == EINTR);
    return got;
}

/* At the ceiling one more byte is asked for, to tell a file that just fits from one that does not. */
static int read_all(struct fb_buffer *buffer, int fd)
{
    for (;;) {
        size_t left = buffer->ceiling - buffer->len;
        size_t want = left < READ_CHUNK ? left : READ_CHUNK;
        char beyond;
        char *into = want != 0 ? fb_buffer_reserve(buffer, want) : &beyond;
        if (into == NULL)
            return ENOMEM;
        ssize_t got = read_some(fd, into, want != 0 ? want : 1);
        if (got < 0)
            return errno;
        if (got == 0)
            return 0;
        if (want == 0) {
            buffer->failed = true;
            return EFBIG;
        }
        buffer->len += (size_t)got;
    }
}

int fb_buffer_read_file(struct fb_buffer *buffer, const char *path)
{
    if (buffer->failed)
        return ENOMEM;
    bool standard_input = strcmp(path, "-") == 0;
    int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno;
    size_t before = buffer->len;
    int status = read_all(buffer, fd);
    if (status != 0) {
        buffer->len = before;
        if (buffer->capacity != 0)
            buffer->ptr[before] = '\0';
    }
    if (!standard_input)
        (void)close(fd);
    return status;
}
