/* SPDX-License-Identifier: Apache-2.0 */

/* duration: milliseconds, written as whole days, hours, minutes, seconds and milliseconds in this
 * order, each at most once: "1d2h3m4s5ms", "-90m". */

#include "entity/extension.h"

static const struct {
    const char *name;
    uint64_t ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
#define UNITS (sizeof units / sizeof units[0])

/* Digits from *at on; false without any.  What exceeds 64 bits sets *overflow. */
static bool digits(struct fb_span text, size_t *at, uint64_t *n, bool *overflow)
{
    size_t start = *at;
    *n = 0;
    for (; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; ++*at)
        if (__builtin_mul_overflow(*n, 10u, n) || __builtin_add_overflow(*n, (uint64_t)(text.ptr[*at] - '0'), n))
            *overflow = true;
    return *at != start;
}

/* The unit at *at, no earlier in the table than `from`; UNITS when there is none. */
static size_t unit_at(struct fb_span text, size_t *at, size_t from)
{
    size_t len = *at;
    while (len < text.len && text.ptr[len] >= 'a' && text.ptr[len] <= 'z')
        len++;
    struct fb_span name = fb_span(text.ptr + *at, len - *at);
    *at = len;
    while (from < UNITS && !fb_span_is(name, units[from].name))
        from++;
    return from;
}

const char *fb_duration_parse(struct fb_span text, int64_t *duration)
{
    bool negative = text.len != 0 && text.ptr[0] == '-', overflow = false;
    uint64_t total = 0, limit = (uint64_t)INT64_MAX + negative;
    size_t at = negative, next = 0;
    while (at < text.len || next == 0) {
        uint64_t n;
        size_t unit = digits(text, &at, &n, &overflow) ? unit_at(text, &at, next) : UNITS;
        if (unit == UNITS)
            return "a duration is written as days, hours, minutes, seconds and milliseconds in this order, such as "
                   "\"1d2h3m4s5ms\"";
        overflow = overflow || __builtin_mul_overflow(n, units[unit].ms, &n) || __builtin_add_overflow(total, n, &total)
                || total > limit;
        next = unit + 1;
    }
    if (overflow)
        return "a duration is at most 9223372036854775807 milliseconds";
    *duration = negative ? (int64_t)(0 - total) : (int64_t)total;
    return NULL;
}

void fb_duration_print(struct fb_buffer *out, int64_t duration)
{
    uint64_t rest = duration < 0 ? 0 - (uint64_t)duration : (uint64_t)duration;
    if (duration < 0)
        fb_buffer_add_char(out, '-');
    for (size_t i = 0; i < UNITS; rest %= units[i++].ms)
        if (rest / units[i].ms != 0 || (duration == 0 && i == UNITS - 1))
            fb_buffer_add_format(out, "%llu%s", (unsigned long long)(rest / units[i].ms), units[i].name);
}
