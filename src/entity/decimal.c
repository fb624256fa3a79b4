/* SPDX-License-Identifier: Apache-2.0 */

/* decimal: a signed number with four digits behind the point, held as an int64_t scaled by 10,000. */

#include "entity/extension.h"

#define FRACTION_DIGITS 4u

/* magnitude = magnitude * 10 + digit, within `limit`. */
static bool push_digit(uint64_t *magnitude, char c, uint64_t limit)
{
    uint64_t digit = (uint64_t)(c - '0');
    if (*magnitude > (limit - digit) / 10)
        return false;
    *magnitude = *magnitude * 10 + digit;
    return true;
}

const char *fb_decimal_parse(struct fb_span text, int64_t *decimal)
{
    static const char form[] = "a decimal is written as digits, a point, and one to four digits, such as \"1.25\"";
    bool negative = text.len != 0 && text.ptr[0] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + negative, magnitude = 0;
    bool overflow = false;
    size_t at = negative, point = fb_span_find(text, '.');
    if (point == text.len || point == at || point + 1 == text.len)
        return form;
    for (; at < text.len; at++) {
        if (at == point)
            continue;
        if (text.ptr[at] < '0' || text.ptr[at] > '9')
            return form;
        overflow = overflow || !push_digit(&magnitude, text.ptr[at], limit);
    }
    size_t digits = text.len - point - 1;
    if (digits > FRACTION_DIGITS)
        return "a decimal has at most four digits behind its point";
    for (; digits < FRACTION_DIGITS; digits++)
        overflow = overflow || !push_digit(&magnitude, '0', limit);
    if (overflow)
        return "a decimal lies between -922337203685477.5808 and 922337203685477.5807";
    *decimal = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return NULL;
}

void fb_decimal_print(struct fb_buffer *out, int64_t decimal)
{
    uint64_t magnitude = decimal < 0 ? 0 - (uint64_t)decimal : (uint64_t)decimal;
    char fraction[FRACTION_DIGITS + 1];
    uint64_t rest = magnitude % 10000;
    for (size_t i = FRACTION_DIGITS; i-- != 0; rest /= 10)
        fraction[i] = (char)('0' + rest % 10);
    size_t digits = FRACTION_DIGITS;
    while (digits > 1 && fraction[digits - 1] == '0')
        digits--;
    fraction[digits] = '\0';
    fb_buffer_add_format(out, "%s%llu.%s", decimal < 0 ? "-" : "", (unsigned long long)(magnitude / 10000), fraction);
}
