/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

/* The rows say what Cedar 4.5 does; each was tried with the official engine. */

#define BAD INT64_MIN + 1   /* no row has this result */

struct number_row {
    const char *text;
    int64_t number;
    const char *printed;    /* NULL: as `text` */
};

static void check_numbers(struct bench *bench, const struct number_row *rows, size_t count,
                          const char *(*parse)(struct fb_span, int64_t *), void (*print)(struct fb_buffer *, int64_t))
{
    for (size_t i = 0; i < count; i++) {
        int64_t number = 0;
        const char *error = parse(fb_span_z(rows[i].text), &number);
        if ((error != NULL) != (rows[i].number == BAD) || (error == NULL && number != rows[i].number))
            fail_msg("\"%s\": %s, %lld", rows[i].text, error != NULL ? error : "no error", (long long)number);
        if (error != NULL)
            continue;
        fb_buffer_clear(&bench->out);
        print(&bench->out, number);
        assert_string_equal(bench->out.ptr, rows[i].printed != NULL ? rows[i].printed : rows[i].text);
        int64_t again;
        assert_null(parse(fb_buffer_span(&bench->out), &again));
        assert_int_equal(again, number);
    }
}

static void reads_decimals(void **state)
{
    static const struct number_row rows[] = {
        {"0.0", 0, NULL},
        {"1.5", 15000, NULL},
        {"1.00", 10000, "1.0"},
        {"0001.5", 15000, "1.5"},
        {"-0.5", -5000, NULL},
        {"-0.0", 0, "0.0"},
        {"0.0001", 1, NULL},
        {"-0.0001", -1, NULL},
        {"12.0340", 120340, "12.034"},
        {"922337203685477.5807", INT64_MAX, NULL},
        {"-922337203685477.5808", INT64_MIN, NULL},
        {"000000000000000000000000000001.0", 10000, "1.0"},
        {"922337203685477.5808", BAD, NULL},
        {"-922337203685477.5809", BAD, NULL},
        {"922337203685478.0", BAD, NULL},
        {"99999999999999999999.0", BAD, NULL},
        {"1.00000", BAD, NULL},
        {"1", BAD, NULL},
        {"1.", BAD, NULL},
        {".5", BAD, NULL},
        {"-.5", BAD, NULL},
        {"-", BAD, NULL},
        {".", BAD, NULL},
        {"", BAD, NULL},
        {"+1.0", BAD, NULL},
        {"1.-5", BAD, NULL},
        {"1.0.0", BAD, NULL},
        {"1e2", BAD, NULL},
        {"1.0 ", BAD, NULL},
        {" 1.0", BAD, NULL},
        {"1.0\n", BAD, NULL},
        {"1,0", BAD, NULL},
        {"0x1.0", BAD, NULL},
        {"\u0663.\u0663", BAD, NULL},
    };
    check_numbers(*state, rows, sizeof rows / sizeof rows[0], fb_decimal_parse, fb_decimal_print);
}

static void reads_datetimes(void **state)
{
    static const struct number_row rows[] = {
        {"1970-01-01", 0, NULL},
        {"1970-01-01T00:00:00Z", 0, "1970-01-01"},
        {"2024-01-01", 1704067200000, NULL},
        {"2024-01-01T00:00:00.000Z", 1704067200000, "2024-01-01"},
        {"2024-01-01T00:00:00+0100", 1704063600000, "2023-12-31T23:00:00Z"},
        {"2024-01-01T00:00:00-0100", 1704070800000, "2024-01-01T01:00:00Z"},
        {"2024-01-01T00:00:00+2359", 1703980860000, "2023-12-31T00:01:00Z"},
        {"2024-01-01T00:00:00.123-0000", 1704067200123, "2024-01-01T00:00:00.123Z"},
        {"1969-12-31T23:59:59.999Z", -1, NULL},
        {"0000-01-01", -62167219200000, NULL},
        {"0000-02-29", -62162121600000, NULL},
        {"0001-01-01", -62135596800000, NULL},
        {"2000-02-29", 951782400000, NULL},
        {"1900-02-28", -2203977600000, NULL},
        {"2024-02-29T12:34:56.007Z", 1709210096007, NULL},
        {"9999-12-31T23:59:59.999Z", 253402300799999, NULL},
        {"1900-02-29", BAD, NULL},
        {"2024-02-30", BAD, NULL},
        {"2023-02-29", BAD, NULL},
        {"2024-04-31", BAD, NULL},
        {"2024-13-01", BAD, NULL},
        {"2024-00-01", BAD, NULL},
        {"2024-01-00", BAD, NULL},
        {"2024-01-32", BAD, NULL},
        {"2024-01-01T24:00:00Z", BAD, NULL},
        {"2024-01-01T23:59:60Z", BAD, NULL},
        {"2024-01-01T00:60:00Z", BAD, NULL},
        {"2024-01-01T00:00Z", BAD, NULL},
        {"2024-01-01T00:00:00", BAD, NULL},
        {"2024-01-01T00:00:00z", BAD, NULL},
        {"2024-01-01t00:00:00Z", BAD, NULL},
        {"2024-01-01 00:00:00Z", BAD, NULL},
        {"2024-01-01T00:00:00.1Z", BAD, NULL},
        {"2024-01-01T00:00:00.1234Z", BAD, NULL},
        {"2024-01-01T00:00:00.Z", BAD, NULL},
        {"2024-01-01T00:00:00.000", BAD, NULL},
        {"2024-01-01T00:00:00+01:00", BAD, NULL},
        {"2024-01-01T00:00:00+2400", BAD, NULL},
        {"2024-01-01T00:00:00+0060", BAD, NULL},
        {"2024-01-01T00:00:00+01", BAD, NULL},
        {"2024-01-01T00:00:00Zx", BAD, NULL},
        {"24-01-01", BAD, NULL},
        {"12024-01-01", BAD, NULL},
        {"+10000-01-01", BAD, NULL},
        {"-001-01-01", BAD, NULL},
        {"2024-1-1", BAD, NULL},
        {"2024-01-01Z", BAD, NULL},
        {"2024-01-01T", BAD, NULL},
        {"2024-01-01 ", BAD, NULL},
        {"2024/01/01", BAD, NULL},
        {"2024-01", BAD, NULL},
        {"", BAD, NULL},
    };
    check_numbers(*state, rows, sizeof rows / sizeof rows[0], fb_datetime_parse, fb_datetime_print);
}

static void reads_durations(void **state)
{
    static const struct number_row rows[] = {
        {"0ms", 0, NULL},
        {"-0d", 0, "0ms"},
        {"1d2h3m4s5ms", 93784005, NULL},
        {"-1d", -86400000, NULL},
        {"1m1ms", 60001, NULL},
        {"00001d", 86400000, "1d"},
        {"90m", 5400000, "1h30m"},
        {"25h", 90000000, "1d1h"},
        {"0d0h0m0s0ms", 0, "0ms"},
        {"9223372036854775807ms", INT64_MAX, "106751991167d7h12m55s807ms"},
        {"-9223372036854775808ms", INT64_MIN, "-106751991167d7h12m55s808ms"},
        {"106751991167d7h12m55s807ms", INT64_MAX, NULL},
        {"-106751991167d7h12m55s808ms", INT64_MIN, NULL},
        {"106751991167d7h12m55s808ms", BAD, NULL},
        {"-106751991167d7h12m55s809ms", BAD, NULL},
        {"9223372036854775808ms", BAD, NULL},
        {"-9223372036854775809ms", BAD, NULL},
        {"18446744073709551616ms", BAD, NULL},
        {"18446744073709551616d", BAD, NULL},
        {"9223372036854775807d", BAD, NULL},
        {"", BAD, NULL},
        {"-", BAD, NULL},
        {"--1d", BAD, NULL},
        {"+1d", BAD, NULL},
        {"1", BAD, NULL},
        {"ms", BAD, NULL},
        {"d", BAD, NULL},
        {"1h1d", BAD, NULL},
        {"1ms1s", BAD, NULL},
        {"1s1m", BAD, NULL},
        {"1d1d", BAD, NULL},
        {"1.5d", BAD, NULL},
        {"1D", BAD, NULL},
        {"1d 2h", BAD, NULL},
        {"1d-2h", BAD, NULL},
        {"1w", BAD, NULL},
        {"1d2", BAD, NULL},
        {"1dh", BAD, NULL},
        {" 1d", BAD, NULL},
    };
    check_numbers(*state, rows, sizeof rows / sizeof rows[0], fb_duration_parse, fb_duration_print);
}

static void reads_addresses(void **state)
{
    static const struct {
        const char *text, *printed;     /* printed NULL: refused */
    } rows[] = {
        {"1.2.3.4", "1.2.3.4"},
        {"1.2.3.4/32", "1.2.3.4"},
        {"10.0.0.1/8", "10.0.0.1/8"},
        {"1.2.3.4/0", "1.2.3.4/0"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"::/0", "::/0"},
        {"::/128", "::"},
        {"::ABCD", "::abcd"},
        {"0001::", "1::"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"1:0:0:4:0:0:0:8", "1:0:0:4::8"},
        {"1:0:0:4:5:0:0:8", "1::4:5:0:0:8"},
        {"::ffff:7f00:1", "::ffff:7f00:1"},
        {"2001:db8::/32", "2001:db8::/32"},
        {"1111:2222:3333:4444:5555:6666:7777:8888/128", "1111:2222:3333:4444:5555:6666:7777:8888"},
        {"01.2.3.4", NULL},
        {"00.2.3.4", NULL},
        {"1.2.3", NULL},
        {"1.2.3.4.5", NULL},
        {"1.2.3.256", NULL},
        {"1.2.3.", NULL},
        {".1.2.3", NULL},
        {"1..2.3", NULL},
        {" 1.2.3.4", NULL},
        {"1.2.3.4 ", NULL},
        {"1.2.3.4/", NULL},
        {"1.2.3.4/08", NULL},
        {"1.2.3.4/00", NULL},
        {"1.2.3.4/33", NULL},
        {"1.2.3.4/+8", NULL},
        {"1.2.3.4/-1", NULL},
        {"1.2.3.4/8/8", NULL},
        {"1.2.3.4/4294967304", NULL},
        {"/8", NULL},
        {"::/129", NULL},
        {"::/0128", NULL},
        {"::1%eth0", NULL},
        {"[::1]", NULL},
        {"::ffff:1.2.3.4", NULL},
        {"::1.2", NULL},
        {"1:2:3:4:5:6:7::8", NULL},
        {"1:2:3:4:5:6:7", NULL},
        {"1:2:3:4:5:6:7:8:9", NULL},
        {"1:2:3:4:5:6:7:8:", NULL},
        {"1:2:3:4:5:6:7:8::", NULL},
        {"::1:2:3:4:5:6:7:8", NULL},
        {"1::2::3", NULL},
        {":::", NULL},
        {":", NULL},
        {":1", NULL},
        {"1:", NULL},
        {"1:::2", NULL},
        {"00001::", NULL},
        {"g::", NULL},
        {"1111:2222:3333:4444:5555:6666:7777:8888/0128", NULL},
        {"00", NULL},
        {"a", NULL},
        {"", NULL},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_ip ip, again;
        const char *error = fb_ip_parse(fb_span_z(rows[i].text), &ip);
        if ((error == NULL) != (rows[i].printed != NULL))
            fail_msg("\"%s\": %s", rows[i].text, error != NULL ? error : "no error");
        if (error != NULL)
            continue;
        fb_buffer_clear(&bench->out);
        fb_ip_print(&bench->out, &ip);
        assert_string_equal(bench->out.ptr, rows[i].printed);
        assert_null(fb_ip_parse(fb_buffer_span(&bench->out), &again));
        assert_true(fb_ip_eq(&ip, &again));
    }
}

static struct fb_ip ip_of(const char *text)
{
    struct fb_ip ip;
    assert_null(fb_ip_parse(fb_span_z(text), &ip));
    return ip;
}

static void compares_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal, a_in_b;
    } rows[] = {
        {"1.2.3.4", "1.2.3.4/32", true, true},
        {"10.0.0.1/8", "10.0.0.0/8", false, true},
        {"10.0.0.0/8", "10.0.0.1/8", false, true},
        {"1.2.3.4", "10.0.0.0/8", false, false},
        {"1.2.3.4/24", "1.2.3.0/24", false, true},
        {"1.2.3.0/23", "1.2.3.0/24", false, false},
        {"1.2.3.4/32", "0.0.0.0/0", false, true},
        {"0.0.0.0/0", "1.2.3.4/32", false, false},
        {"255.0.0.0/1", "128.0.0.0/1", false, true},
        {"127.0.0.0/1", "128.0.0.0/1", false, false},
        {"::/0", "0.0.0.0/0", false, false},
        {"0.0.0.0/0", "::/0", false, false},
        {"::1", "::1", true, true},
        {"2001:db8::1", "2001:db8::/32", false, true},
        {"2001:db9::1", "2001:db8::/32", false, false},
        {"2001:db8:7f::1", "2001:db8::/41", false, true},
        {"2001:db8:80::1", "2001:db8::/41", false, false},
        {"1.2.3.4", "102:304::/32", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_ip a = ip_of(rows[i].a), b = ip_of(rows[i].b);
        if (fb_ip_eq(&a, &b) != rows[i].equal || fb_ip_in_range(&a, &b) != rows[i].a_in_b)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
    }
}

static void knows_special_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool loopback, multicast;
    } rows[] = {
        {"127.0.0.1", true, false},  {"127.1.2.3/8", true, false},  {"127.0.0.1/7", false, false},
        {"128.0.0.1", false, false}, {"::1", true, false},          {"::1/64", false, false},
        {"::2", false, false},       {"::ffff:7f00:1", false, false}, {"224.0.0.0/4", false, true},
        {"224.0.0.0/3", false, false}, {"239.255.255.255", false, true}, {"240.0.0.0", false, false},
        {"223.255.255.255", false, false}, {"ff00::/8", false, true}, {"ff00::/7", false, false},
        {"ff02::1", false, true},    {"fe80::1", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_ip ip = ip_of(rows[i].text);
        if (fb_ip_is_loopback(&ip) != rows[i].loopback || fb_ip_is_multicast(&ip) != rows[i].multicast)
            fail_msg("%s", rows[i].text);
    }
}

static void reckons_with_datetimes(void **state)
{
    (void)state;
    static const struct {
        int64_t datetime, midnight, time;   /* midnight BAD: underflow */
    } rows[] = {
        {0, 0, 0},
        {86399999, 0, 86399999},
        {86400000, 86400000, 0},
        {-1, -86400000, 86399999},
        {-1000, -86400000, 86399000},
        {-86400000, -86400000, 0},
        {-86400001, -172800000, 86399999},
        {INT64_MAX, 9223372036828800000, 25975807},
        {-9223372036828800000, -9223372036828800000, 0},
        {-9223372036828800001, BAD, 86399999},
        {INT64_MIN, BAD, 60424192},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t midnight;
        bool dated = fb_datetime_date(rows[i].datetime, &midnight);
        assert_int_equal(dated, rows[i].midnight != BAD);
        if (dated)
            assert_int_equal(midnight, rows[i].midnight);
        assert_int_equal(fb_datetime_time(rows[i].datetime), rows[i].time);
    }
    int64_t result;
    assert_true(fb_datetime_offset(INT64_MAX - 1, 1, &result));
    assert_int_equal(result, INT64_MAX);
    assert_false(fb_datetime_offset(INT64_MAX, 1, &result));
    assert_false(fb_datetime_offset(INT64_MIN, -1, &result));
    assert_true(fb_datetime_since(-5, 10, &result));
    assert_int_equal(result, -15);
    assert_false(fb_datetime_since(0, INT64_MIN, &result));
}

/* Each day of ten thousand years, by adding a day at a time. */
static void counts_every_day(void **state)
{
    struct bench *bench = *state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t ms = -62167219200000;
    for (int year = 0; year <= 9999; year++)
        for (int month = 1; month <= 12; month++) {
            bool leap = year % 400 == 0 || (year % 100 != 0 && year % 4 == 0);
            int days = lengths[month - 1] + (month == 2 && leap);
            for (int day = 1; day <= days; day++, ms += 86400000) {
                char text[64];
                int64_t parsed;
                snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
                if (fb_datetime_parse(fb_span(text, 10), &parsed) != NULL || parsed != ms)
                    fail_msg("%s", text);
                if (day == 1 || day == days) {
                    fb_buffer_clear(&bench->out);
                    fb_datetime_print(&bench->out, ms);
                    assert_string_equal(bench->out.ptr, text);
                }
            }
        }
    assert_int_equal(ms, INT64_C(253402300800000));
}

/* Beyond the years that the constructor reads, the text is for people; the ends must not overflow. */
static void shows_far_datetimes(void **state)
{
    struct bench *bench = *state;
    static const struct {
        int64_t datetime;
        const char *text;
    } rows[] = {
        {253402300800000, "+10000-01-01"},
        {-62167219200001, "-0001-12-31T23:59:59.999Z"},
        {INT64_MAX, "+292278994-08-17T07:12:55.807Z"},
        {INT64_MIN, "-292275055-05-16T16:47:04.192Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fb_buffer_clear(&bench->out);
        fb_datetime_print(&bench->out, rows[i].datetime);
        assert_string_equal(bench->out.ptr, rows[i].text);
        assert_false(fb_datetime_has_text(rows[i].datetime));
    }
    assert_true(fb_datetime_has_text(253402300799999));
    assert_true(fb_datetime_has_text(-62167219200000));
}

/* Bytes behind a span's end are not read as part of it: each text is cut at each length. */
static void keeps_to_the_span(void **state)
{
    (void)state;
    static const char *const texts[] = {"-123.4567", "2024-02-29T12:34:56.789+0130", "-1d2h3m4s5ms",
                                        "1111:2222:3333:4444::8888/128", "255.255.255.255/32"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (size_t len = 0; len <= strlen(texts[i]); len++) {
            char *cut = malloc(len != 0 ? len : 1);
            memcpy(cut, texts[i], len);
            struct fb_span span = fb_span(cut, len);
            int64_t number;
            struct fb_ip ip;
            (void)fb_decimal_parse(span, &number);
            (void)fb_datetime_parse(span, &number);
            (void)fb_duration_parse(span, &number);
            (void)fb_ip_parse(span, &ip);
            free(cut);
        }
}

static void makes_by_kind(void **state)
{
    struct bench *bench = *state;
    struct fb_value value;
    assert_null(fb_extension_make(&bench->arena, FB_IP, FB_SPAN("10.0.0.0/8"), &value));
    assert_string_equal(text_of(bench, value), "ip(\"10.0.0.0/8\")");
    assert_null(fb_extension_make(&bench->arena, FB_DECIMAL, FB_SPAN("1.50"), &value));
    assert_string_equal(text_of(bench, value), "decimal(\"1.5\")");
    assert_null(fb_extension_make(&bench->arena, FB_DATETIME, FB_SPAN("2024-01-01"), &value));
    assert_string_equal(text_of(bench, value), "datetime(\"2024-01-01\")");
    assert_null(fb_extension_make(&bench->arena, FB_DURATION, FB_SPAN("1h"), &value));
    assert_string_equal(text_of(bench, value), "duration(\"1h\")");
    assert_non_null(fb_extension_make(&bench->arena, FB_IP, FB_SPAN("x"), &value));
    assert_non_null(fb_extension_make(&bench->arena, FB_DURATION, FB_SPAN("x"), &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(reads_decimals),        BENCH_TEST(reads_datetimes),          BENCH_TEST(reads_durations),
        BENCH_TEST(reads_addresses),       BENCH_TEST(compares_addresses),       BENCH_TEST(knows_special_addresses),
        BENCH_TEST(reckons_with_datetimes), BENCH_TEST(counts_every_day),        BENCH_TEST(shows_far_datetimes),
        BENCH_TEST(keeps_to_the_span),     BENCH_TEST(makes_by_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
