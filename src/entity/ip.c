/* SPDX-License-Identifier: Apache-2.0 */

/* ipaddr: an IPv4 or IPv6 address with a prefix length, as written: "10.0.0.1/8" and "10.0.0.0/8" are
 * different values, though the same range.  The grammar is that of Cedar: no zones, no IPv4 within
 * IPv6, no leading zeros in an octet or a prefix. */

#include "entity/extension.h"

#define TEXT_MAX 43u    /* eight groups of four, seven colons, "/128" */
#define BAD SIZE_MAX

static const char form[] = "an IP address is written such as \"192.0.2.1\", \"192.0.2.0/24\" or \"2001:db8::/32\"";

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* A decimal number without leading zeros, the whole span, at most `max`. */
static bool plain_number(struct fb_span text, uint64_t max, uint64_t *n)
{
    return (text.len == 1 || (text.len != 0 && text.ptr[0] != '0')) && text.len <= 3 && fb_span_to_u64(text, max, n);
}

static bool parse_v4(struct fb_span text, uint8_t address[16])
{
    for (size_t i = 0; i < 4; i++) {
        size_t len = fb_span_find(text, '.');
        uint64_t octet;
        if ((len == text.len) != (i == 3) || !plain_number(fb_span_head(text, len), 255, &octet))
            return false;
        address[i] = (uint8_t)octet;
        text = fb_span_from(text, len + 1);
    }
    return true;
}

/* Groups of up to four hexadecimal digits, joined by colons, up to the end or to a "::"; at most
 * `room`.  Returns their number, or BAD. */
static size_t parse_groups(struct fb_span *text, uint8_t *out, size_t room)
{
    size_t count = 0;
    while (text->len != 0 && text->ptr[0] != ':') {
        size_t len = 0;
        unsigned value = 0;
        for (; len < text->len && hex_digit(text->ptr[len]) >= 0; len++) {
            if (len == 4)
                return BAD;
            value = value << 4 | (unsigned)hex_digit(text->ptr[len]);
        }
        if (len == 0 || count == room)
            return BAD;
        out[count * 2] = (uint8_t)(value >> 8);
        out[count * 2 + 1] = (uint8_t)value;
        count++;
        *text = fb_span_from(*text, len);
        if (text->len == 0 || fb_span_starts(*text, FB_SPAN("::")))
            break;
        if (text->ptr[0] != ':' || text->len == 1)
            return BAD;
        *text = fb_span_from(*text, 1);
    }
    return count;
}

static bool parse_v6(struct fb_span text, uint8_t address[16])
{
    size_t head = parse_groups(&text, address, 8);
    if (head == BAD)
        return false;
    if (text.len == 0)
        return head == 8;
    /* "::" stands for one group of zeroes at least. */
    uint8_t tail[16];
    if (head == 8 || !fb_span_starts(text, FB_SPAN("::")))
        return false;
    text = fb_span_from(text, 2);
    size_t count = parse_groups(&text, tail, 7 - head);
    if (count == BAD || text.len != 0)
        return false;
    memset(address + head * 2, 0, 16 - head * 2);
    memcpy(address + 16 - count * 2, tail, count * 2);
    return true;
}

const char *fb_ip_parse(struct fb_span text, struct fb_ip *ip)
{
    *ip = (struct fb_ip){.family = 4};
    size_t slash = fb_span_find(text, '/');
    struct fb_span address = fb_span_head(text, slash);
    if (text.len > TEXT_MAX)
        return form;
    if (fb_span_find(address, ':') != address.len) {
        ip->family = 6;
        if (fb_span_find(address, '.') != address.len)
            return "an IPv4 address within an IPv6 address is not allowed";
    }
    if (ip->family == 4 ? !parse_v4(address, ip->address) : !parse_v6(address, ip->address))
        return form;
    uint64_t prefix = ip->family == 4 ? 32 : 128;
    if (slash != text.len && !plain_number(fb_span_from(text, slash + 1), prefix, &prefix))
        return "a prefix is a number from 0 to 32 (IPv4) or 128 (IPv6), without leading zeros";
    ip->prefix = (uint8_t)prefix;
    return NULL;
}

/* Do the first `bits` agree? */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;
    if (memcmp(a, b, bytes) != 0)
        return false;
    return rest == 0 || ((a[bytes] ^ b[bytes]) >> (8 - rest)) == 0;
}

bool fb_ip_is_loopback(const struct fb_ip *ip)
{
    static const uint8_t one[16] = {[15] = 1};
    if (ip->family == 4)
        return ip->address[0] == 127 && ip->prefix >= 8;
    return memcmp(ip->address, one, 16) == 0 && ip->prefix == 128;
}

bool fb_ip_is_multicast(const struct fb_ip *ip)
{
    if (ip->family == 4)
        return ip->address[0] >> 4 == 14 && ip->prefix >= 4;
    return ip->address[0] == 0xFF && ip->prefix >= 8;
}

bool fb_ip_in_range(const struct fb_ip *ip, const struct fb_ip *range)
{
    return ip->family == range->family && ip->prefix >= range->prefix
        && same_prefix(ip->address, range->address, range->prefix);
}

bool fb_ip_eq(const struct fb_ip *a, const struct fb_ip *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* RFC 5952: lower case, no leading zeros, "::" for the first longest run of two zero groups or more;
 * but never the dotted form, which the parser refuses. */
static void print_v6(struct fb_buffer *out, const uint8_t address[16])
{
    size_t run_start = 8, run_len = 1;
    for (size_t i = 0; i < 8; i++) {
        size_t len = 0;
        while (i + len < 8 && address[(i + len) * 2] == 0 && address[(i + len) * 2 + 1] == 0)
            len++;
        if (len > run_len) {
            run_start = i;
            run_len = len;
        }
    }
    for (size_t i = 0; i < 8; i++) {
        if (i == run_start) {
            fb_buffer_add_z(out, "::");
            i += run_len - 1;
            continue;
        }
        if (i != 0 && i != run_start + run_len)
            fb_buffer_add_char(out, ':');
        fb_buffer_add_format(out, "%x", (unsigned)(address[i * 2] << 8 | address[i * 2 + 1]));
    }
}

void fb_ip_print(struct fb_buffer *out, const struct fb_ip *ip)
{
    if (ip->family == 4)
        fb_buffer_add_format(out, "%u.%u.%u.%u", ip->address[0], ip->address[1], ip->address[2], ip->address[3]);
    else
        print_v6(out, ip->address);
    if (ip->prefix != (ip->family == 4 ? 32 : 128))
        fb_buffer_add_format(out, "/%u", ip->prefix);
}
