/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors of lists: hexadecimal digits of
 *
 *   1 byte     version, 1
 *   4 bytes    of the hash of the uid, little-endian: a cursor of another type, or a mangled one, is told
 *   n bytes    the id
 *
 * The type is the query's own. */

#include "engine/list.h"

#define VERSION 1u
#define HEAD 5u

static const char digits[] = "0123456789abcdef";

static void add_byte(struct fb_buffer *out, uint8_t byte)
{
    fb_buffer_add_char(out, digits[byte >> 4]);
    fb_buffer_add_char(out, digits[byte & 15u]);
}

bool fb_list_cursor_print(struct fb_buffer *out, const struct fb_uid *next)
{
    struct fb_span id = fb_uid_id(next);
    add_byte(out, VERSION);
    for (unsigned i = 0; i < HEAD - 1; i++)
        add_byte(out, (uint8_t)(next->hash >> (8 * i)));
    for (size_t i = 0; i < id.len; i++)
        add_byte(out, (uint8_t)id.ptr[i]);
    return !out->failed;
}

static int digit(char c)
{
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

const struct fb_uid *fb_list_cursor_read(struct fb_arena *arena, struct fb_span type, struct fb_span cursor)
{
    size_t len = cursor.len / 2;
    if (cursor.len % 2 != 0 || len < HEAD || len - HEAD > FB_UID_ID_MAX)
        return NULL;
    char *bytes = fb_arena_alloc(arena, len);
    if (bytes == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        int high = digit(cursor.ptr[2 * i]), low = digit(cursor.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return NULL;
        bytes[i] = (char)(unsigned char)((unsigned)high << 4 | (unsigned)low);
    }
    const struct fb_uid *uid = fb_uid_new(arena, type, fb_span(bytes + HEAD, len - HEAD));
    if (uid == NULL || bytes[0] != VERSION)
        return NULL;
    for (unsigned i = 0; i < HEAD - 1; i++)
        if ((uint8_t)bytes[1 + i] != (uint8_t)(uid->hash >> (8 * i)))
            return NULL;
    return uid;
}
