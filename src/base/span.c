/* SPDX-License-Identifier: Apache-2.0 */
/* What spans need beyond one-liners. */
#include "base/span.h"

static unsigned char fold(char byte)
{
    unsigned char c = (unsigned char)byte;
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

bool fb_span_eq_nocase(struct fb_span a, struct fb_span b)
{
    if (fb_span_eq(a, b))   /* as most names are spelt */
        return true;
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (fold(a.ptr[i]) != fold(b.ptr[i]))
            return false;
    }
    return true;
}

bool fb_span_to_u64(struct fb_span s, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (sum > max / 10 || sum * 10 > max - digit || digit > max)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}
