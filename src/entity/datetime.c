/* SPDX-License-Identifier: Apache-2.0 */

/* datetime: milliseconds since 1970-01-01T00:00:00Z in the proleptic Gregorian calendar.
 *
 *   YYYY-MM-DD
 *   YYYY-MM-DDThh:mm:ss[.SSS](Z|±hhmm)
 *
 * The text holds years of four digits only; arithmetic may leave that range, and such a datetime is
 * shown by value_text.c as an offset from 1970. */

#include "entity/extension.h"

#define DAY_MS INT64_C(86400000)

/* Exactly `digits` digits at `at`; -1 if they are not. */
static int number_at(struct fb_span text, size_t at, size_t digits)
{
    int n = 0;
    if (at + digits > text.len)
        return -1;
    for (size_t i = at; i < at + digits; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        n = n * 10 + (text.ptr[i] - '0');
    }
    return n;
}

static bool char_at(struct fb_span text, size_t at, char c)
{
    return at < text.len && text.ptr[at] == c;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Days from 1970-01-01.  Years are counted from March, so that a leap day is a year's last; 146,097
 * days are 400 years (Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

/* `Z` or `±hhmm` to the end, in minutes east. */
static const char *zone(struct fb_span text, size_t at, int *minutes)
{
    *minutes = 0;
    if (char_at(text, at, 'Z') && at + 1 == text.len)
        return NULL;
    int hh = number_at(text, at + 1, 2), mm = number_at(text, at + 3, 2);
    if (at + 5 != text.len || hh < 0 || mm < 0 || (text.ptr[at] != '+' && text.ptr[at] != '-'))
        return "a datetime with a time ends in Z or in an offset such as +0100, behind seconds or exactly three digits "
               "of milliseconds";
    if (hh > 23 || mm > 59)
        return "a datetime's offset lies within 23 hours and 59 minutes";
    *minutes = (hh * 60 + mm) * (text.ptr[at] == '-' ? -1 : 1);
    return NULL;
}

static const char *time_of_day(struct fb_span text, int64_t *ms)
{
    int hour = number_at(text, 11, 2), minute = number_at(text, 14, 2), second = number_at(text, 17, 2), milli = 0;
    if (!char_at(text, 10, 'T') || !char_at(text, 13, ':') || !char_at(text, 16, ':') || hour < 0 || minute < 0
        || second < 0)
        return "the time of a datetime is written Thh:mm:ss";
    if (hour > 23 || minute > 59 || second > 59)
        return "a datetime's hours reach 23, its minutes and seconds 59";
    size_t at = 19;
    if (char_at(text, at, '.')) {
        milli = number_at(text, at + 1, 3);
        if (milli < 0)
            return "a datetime's milliseconds are exactly three digits";
        at += 4;
    }
    int east;
    const char *error = zone(text, at, &east);
    *ms = ((hour * 60 + minute - east) * INT64_C(60) + second) * 1000 + milli;
    return error;
}

const char *fb_datetime_parse(struct fb_span text, int64_t *datetime)
{
    int year = number_at(text, 0, 4), month = number_at(text, 5, 2), day = number_at(text, 8, 2);
    if (year < 0 || !char_at(text, 4, '-') || month < 0 || !char_at(text, 7, '-') || day < 0)
        return "a datetime is written YYYY-MM-DD, or YYYY-MM-DDThh:mm:ssZ";
    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return "there is no such day in the calendar";
    int64_t ms = 0;
    const char *error = text.len > 10 ? time_of_day(text, &ms) : NULL;
    if (error == NULL)
        *datetime = days_of(year, month, day) * DAY_MS + ms;
    return error;
}

bool fb_datetime_offset(int64_t datetime, int64_t duration, int64_t *result)
{
    return !__builtin_add_overflow(datetime, duration, result);
}

bool fb_datetime_since(int64_t datetime, int64_t other, int64_t *duration)
{
    return !__builtin_sub_overflow(datetime, other, duration);
}

bool fb_datetime_date(int64_t datetime, int64_t *midnight)
{
    return !__builtin_sub_overflow(datetime, fb_datetime_time(datetime), midnight);
}

int64_t fb_datetime_time(int64_t datetime)
{
    int64_t ms = datetime % DAY_MS;
    return ms < 0 ? ms + DAY_MS : ms;
}

bool fb_datetime_has_text(int64_t datetime)
{
    return datetime >= INT64_C(-62167219200000) && datetime <= INT64_C(253402300799999);
}

void fb_datetime_print(struct fb_buffer *out, int64_t datetime)
{
    int64_t time = fb_datetime_time(datetime), year, days = datetime / DAY_MS - (datetime % DAY_MS < 0);
    int month, day;
    date_of(days, &year, &month, &day);
    fb_buffer_add_format(out, year < 0 || year > 9999 ? "%+05lld-%02d-%02d" : "%04lld-%02d-%02d", (long long)year, month,
                         day);
    if (time == 0)
        return;
    int seconds = (int)(time / 1000), milli = (int)(time % 1000);
    fb_buffer_add_format(out, "T%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (milli != 0)
        fb_buffer_add_format(out, ".%03d", milli);
    fb_buffer_add_char(out, 'Z');
}
