/* SPDX-License-Identifier: Apache-2.0 */
/* base64url as JOSE uses it: no padding, and one text for each byte string.  A decoder that lets
 * the unused bits of the last character be anything would let one signature be written in several
 * ways. */
#include "identity/base64url.h"

enum { BAD = 0xff };

/* The six bits of a character, or BAD. */
static inline unsigned char bits_of(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (unsigned char)(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return (unsigned char)(c - 'a' + 26);
    }
    if (c >= '0' && c <= '9') {
        return (unsigned char)(c - '0' + 52);
    }
    return c == '-' ? 62 : c == '_' ? 63 : BAD;
}

bool fb_base64url_decode(struct fb_span text, unsigned char *out)
{
    uint32_t group = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char six = bits_of(text.ptr[i]);
        if (six == BAD) {
            return false;
        }
        group = group << 6 | six;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *out++ = (unsigned char)(group >> bits);
            group &= (1u << bits) - 1;
        }
    }
    /* Six bits over: one character that carries no byte.  Else the two or four bits must be 0. */
    return bits < 6 && group == 0;
}

void fb_base64url_add(struct fb_buffer *out, const void *bytes, size_t len)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *in = bytes;
    uint32_t group = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < len; i++) {
        group = (group << 8 | in[i]) & 0xffff;
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            fb_buffer_add_char(out, alphabet[group >> bits & 63]);
        }
    }
    if (bits != 0) {
        fb_buffer_add_char(out, alphabet[group << (6 - bits) & 63]);
    }
}
