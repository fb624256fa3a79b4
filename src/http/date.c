/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP-date in its three forms, and Retry-After, which may be one.
 * Read RFC 9110 sections 5.6.7 and 10.2.3. */
#include "http/chars.h"
#include "http/http.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct stamp {
    uint64_t year, month, day, hour, minute, second;
};

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar: years are counted from March, so that
 * the leap day is the last of its year. */
static int64_t days_of(const struct stamp *at)
{
    int64_t year = (int64_t)at->year - (at->month <= 2), month = (int64_t)at->month;
    int64_t era = year / 400, of_era = year % 400;
    int64_t day = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)at->day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day - 719468;
}

static bool take_number(struct fb_span *at, size_t digits, uint64_t max, uint64_t *value)
{
    if (at->len < digits || !fb_span_to_u64(fb_span_head(*at, digits), max, value))
        return false;
    *at = fb_span_from(*at, digits);
    return true;
}

static bool take_month(struct fb_span *at, uint64_t *month)
{
    for (size_t i = 0; at->len >= 3 && i < 12; i++)
        if (memcmp(at->ptr, months + 3 * i, 3) == 0) {
            *month = i + 1;
            *at = fb_span_from(*at, 3);
            return true;
        }
    return false;
}

static bool take_clock(struct fb_span *at, struct stamp *out)
{
    return take_number(at, 2, 23, &out->hour) && fb_take_char(at, ':') && take_number(at, 2, 59, &out->minute) &&
           fb_take_char(at, ':') && take_number(at, 2, 60, &out->second);
}

/* `Sun, 06 Nov 1994 08:49:37 GMT`, and `Sunday, 06-Nov-94 08:49:37 GMT`, behind the comma. */
static bool read_after_comma(struct fb_span at, struct stamp *out, uint64_t this_year)
{
    if (!fb_take_char(&at, ' ') || !take_number(&at, 2, 31, &out->day))
        return false;
    bool obsolete = fb_take_char(&at, '-');
    if (!obsolete && !fb_take_char(&at, ' '))
        return false;
    if (!take_month(&at, &out->month) || !fb_take_char(&at, obsolete ? '-' : ' ') ||
        !take_number(&at, obsolete ? 2 : 4, 9999, &out->year))
        return false;
    if (obsolete) {
        /* Two digits over 50 years ahead are of the century before. */
        out->year += this_year / 100 * 100;
        if (out->year > this_year + 50)
            out->year -= 100;
    }
    return fb_take_char(&at, ' ') && take_clock(&at, out) && fb_span_is(at, " GMT");
}

/* `Sun Nov  6 08:49:37 1994`, behind the day's name. */
static bool read_asctime(struct fb_span at, struct stamp *out)
{
    return fb_take_char(&at, ' ') && take_month(&at, &out->month) && fb_take_char(&at, ' ') &&
           (fb_take_char(&at, ' ') ? take_number(&at, 1, 9, &out->day) : take_number(&at, 2, 31, &out->day)) &&
           fb_take_char(&at, ' ') && take_clock(&at, out) && fb_take_char(&at, ' ') &&
           take_number(&at, 4, 9999, &out->year) && at.len == 0;
}

bool fb_http_read_date(struct fb_span value, int64_t now, int64_t *seconds)
{
    struct stamp at = {0};
    value = fb_span_trim(value);
    size_t comma = fb_span_find(value, ',');
    uint64_t this_year = now > 0 ? (uint64_t)now / 31556952 + 1970 : 1970;
    if (comma < value.len ? !read_after_comma(fb_span_from(value, comma + 1), &at, this_year)
                          : !read_asctime(fb_span_from(value, 3), &at))
        return false;
    if (at.day == 0 || at.year < 1601)
        return false;
    *seconds = days_of(&at) * 86400 + (int64_t)(at.hour * 3600 + at.minute * 60 + at.second);
    return true;
}

bool fb_http_read_retry_after(struct fb_span value, int64_t now, int64_t *seconds)
{
    uint64_t delay;
    value = fb_span_trim(value);
    if (fb_span_to_u64(value, UINT32_MAX, &delay)) {
        *seconds = (int64_t)delay;
        return true;
    }
    if (!fb_http_read_date(value, now, seconds))
        return false;
    *seconds = *seconds > now ? *seconds - now : 0;
    return true;
}
