/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 decoded, checked and written; the width of text on a terminal. */
#include "base/utf8.h"

#include "base/utf8_width.h"

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* RFC 3629 section 4: the lead byte gives the length, and for some leads a narrower range for the
 * second byte, which is what shuts out overlong forms, surrogates and U+110000. */
uint32_t fb_utf8_next(struct fb_span text, unsigned *length)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    *length = 0;
    if (p[0] < 0x80) {
        *length = 1;
        return p[0];
    }
    if (p[0] < 0xC2 || p[0] > 0xF4 || text.len < 2 || !is_continuation(p[1]))
        return 0;
    if (p[0] < 0xE0) {
        *length = 2;
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    }
    if (text.len < 3 || !is_continuation(p[2]))
        return 0;
    if (p[0] < 0xF0) {
        if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
            return 0;
        *length = 3;
        return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    }
    if (text.len < 4 || !is_continuation(p[3]) || (p[0] == 0xF0 && p[1] < 0x90)
        || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    *length = 4;
    return (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

/* Most text is ASCII, so eight bytes are looked at together first. */
size_t fb_utf8_valid(struct fb_span text)
{
    size_t i = 0;
    while (i < text.len) {
        uint64_t word;
        if (text.len - i >= sizeof word) {
            memcpy(&word, text.ptr + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        unsigned length;
        (void)fb_utf8_next(fb_span(text.ptr + i, text.len - i), &length);
        if (length == 0)
            return i;
        i += length;
    }
    return text.len;
}

unsigned fb_utf8_put(uint32_t scalar, char out[4])
{
    if (scalar < 0x80) {
        out[0] = (char)scalar;
        return 1;
    }
    if (scalar < 0x800) {
        out[0] = (char)(0xC0 | scalar >> 6);
        out[1] = (char)(0x80 | (scalar & 0x3F));
        return 2;
    }
    if (scalar < 0x10000) {
        if (scalar >= 0xD800 && scalar <= 0xDFFF)
            return 0;
        out[0] = (char)(0xE0 | scalar >> 12);
        out[1] = (char)(0x80 | (scalar >> 6 & 0x3F));
        out[2] = (char)(0x80 | (scalar & 0x3F));
        return 3;
    }
    if (scalar > 0x10FFFF)
        return 0;
    out[0] = (char)(0xF0 | scalar >> 18);
    out[1] = (char)(0x80 | (scalar >> 12 & 0x3F));
    out[2] = (char)(0x80 | (scalar >> 6 & 0x3F));
    out[3] = (char)(0x80 | (scalar & 0x3F));
    return 4;
}

static bool is_among(uint32_t scalar, const struct scalars *ranges, size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (scalar > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && scalar >= ranges[low].first;
}

static size_t scalar_columns(uint32_t scalar)
{
    if (scalar < no_column[0].first)
        return 1;
    if (is_among(scalar, no_column, sizeof no_column / sizeof no_column[0]))
        return 0;
    return is_among(scalar, two_columns, sizeof two_columns / sizeof two_columns[0]) ? 2 : 1;
}

/* A byte that is not UTF-8 counts as one column. */
size_t fb_utf8_columns(struct fb_span text)
{
    size_t columns = 0;
    while (text.len != 0) {
        unsigned length;
        uint32_t scalar = fb_utf8_next(text, &length);
        columns += length != 0 ? scalar_columns(scalar) : 1;
        text = fb_span_from(text, length != 0 ? length : 1);
    }
    return columns;
}
