/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

/* One value of each shape, in ascending order of fb_value_cmp within a kind, kinds ascending. */
static const char *const ordered[] = {
    "false", "true", "-9223372036854775808", "-1", "0", "9223372036854775807", "\"\"", "\"a\"", "\"aa\"", "\"b\"",
    "[]", "[1]", "[2]", "[1,2]", "[[]]", "[[],1]",
    "{}", "{\"a\":1}", "{\"a\":2}",
    "{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"-1.0\"}}", "{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}",
    "{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"1969-01-01\"}}", "{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2024-01-01\"}}",
    "{\"__extn\":{\"fn\":\"duration\",\"arg\":\"-1d\"}}", "{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1d\"}}",
    "{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.4\"}}", "{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.5/8\"}}",
    "{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.5\"}}", "{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::\"}}",
};
#define ORDERED (sizeof ordered / sizeof ordered[0])

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void has_a_total_order(void **state)
{
    struct bench *bench = *state;
    struct fb_value values[ORDERED + 3];
    size_t count = ORDERED;
    for (size_t i = 0; i < ORDERED; i++)
        values[i] = value_of(bench, ordered[i]);
    /* Entities are ordered by hash, so where each stands is not for the test to say. */
    values[count++] = value_of(bench, "{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}");
    values[count++] = value_of(bench, "{\"__entity\":{\"type\":\"U\",\"id\":\"b\"}}");
    values[count++] = value_of(bench, "{\"__entity\":{\"type\":\"V\",\"id\":\"a\"}}");
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            int c = sign(fb_value_cmp(values[i], values[j]));
            assert_int_equal(c, -sign(fb_value_cmp(values[j], values[i])));
            assert_int_equal(c == 0, fb_value_eq(values[i], values[j]));
            assert_int_equal(c == 0, i == j);
            /* `{…}` and `[[…]]` sort by symbol and by kind of their parts: only kinds that the test
             * wrote ascending are compared with its order. */
            if (i < ORDERED && j < ORDERED && values[i].kind == values[j].kind && values[i].kind != FB_SET)
                assert_int_equal(c, sign((int)i - (int)j));
            for (size_t k = 0; k < count; k++)
                if (c < 0 && fb_value_cmp(values[j], values[k]) < 0)
                    assert_true(fb_value_cmp(values[i], values[k]) < 0);
        }
}

static void equals_as_cedar(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"1", "\"1\"", false},
        {"true", "1", false},
        {"[1,2,1]", "[2,1]", true},
        {"[1,2,1]", "[2,1,3]", false},
        {"[]", "[1]", false},
        {"[]", "{}", false},
        {"[1,[2,3]]", "[[3,2,2],1]", true},
        {"[1,\"a\",true]", "[true,1,\"a\"]", true},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
        {"{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", false},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
        {"{\"a\":[{\"b\":[]}]}", "{\"a\":[{\"b\":[]}]}", true},
        {"[{\"a\":1},{\"a\":1}]", "[{\"a\":1}]", true},
        {"\"\u00e9\"", "\"e\u0301\"", false},
        {"{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}", "{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}", true},
        {"{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}", "\"a\"", false},
        {"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}", "{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.00\"}}", true},
        {"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.4\"}}", "{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.4/32\"}}", true},
        {"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.1/8\"}}", "{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.0/8\"}}", false},
        {"{\"__extn\":{\"fn\":\"duration\",\"arg\":\"0ms\"}}", "0", false},
        {"{\"__extn\":{\"fn\":\"duration\",\"arg\":\"60s\"}}", "{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1m\"}}", true},
        {"{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"1970-01-01\"}}", "{\"__extn\":{\"fn\":\"duration\",\"arg\":\"0ms\"}}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_value a = value_of(bench, rows[i].a), b = value_of(bench, rows[i].b);
        if (fb_value_eq(a, b) != rows[i].equal || fb_value_eq(b, a) != rows[i].equal
            || (fb_value_cmp(a, b) == 0) != rows[i].equal)
            fail_msg("%s == %s", rows[i].a, rows[i].b);
    }
}

/* Records and sets of each size around the places where the search changes its way. */
static void finds_fields(void **state)
{
    struct bench *bench = *state;
    for (size_t count = 0; count <= 200; count = count < 20 ? count + 1 : count * 3) {
        struct fb_field *fields = fb_arena_array(&bench->arena, count, sizeof *fields);
        for (size_t i = 0; i < count; i++)
            fields[i] = (struct fb_field){fb_arena_format(&bench->arena, "field%zu", i),
                                          fb_value_number(FB_LONG, (int64_t)i)};
        struct fb_value record;
        assert_true(fb_value_record(&bench->arena, fields, count, &record));
        assert_int_equal(record.record->count, count);
        for (size_t i = 0; i < count + 3; i++) {
            struct fb_span name = fb_arena_format(&bench->arena, "field%zu", i);
            const struct fb_cell *cell = fb_record_find(record.record, fb_hash(name), name);
            assert_int_equal(cell != NULL, i < count);
            if (cell != NULL)
                assert_int_equal(fb_cell_load(cell).number, i);
        }
        assert_null(fb_record_find(record.record, 0, FB_SPAN("")));
        assert_null(fb_record_find(record.record, UINT64_MAX, FB_SPAN("")));
    }
}

/* Names that share a symbol: hashes can be forged, so a record is made by hand here. */
static void tells_colliding_names_apart(void **state)
{
    struct bench *bench = *state;
    enum { COUNT = 12 };
    struct fb_record *record = fb_arena_alloc(&bench->arena, fb_record_size(COUNT));
    record->count = COUNT;
    struct fb_cell *values = (struct fb_cell *)(void *)(record->symbols + COUNT), *names = values + COUNT;
    for (size_t i = 0; i < COUNT; i++) {
        record->symbols[i] = i < 3 ? 5 : i < 9 ? 7 : 9;
        fb_cell_store(&values[i], fb_value_number(FB_LONG, (int64_t)i));
        fb_cell_store(&names[i], fb_value_string(fb_arena_format(&bench->arena, "%c", (int)('a' + i))));
    }
    for (size_t i = 0; i < COUNT; i++) {
        char name = (char)('a' + i);
        const struct fb_cell *cell = fb_record_find(record, record->symbols[i], fb_span(&name, 1));
        assert_non_null(cell);
        assert_int_equal(cell->bits, i);
        assert_null(fb_record_find(record, record->symbols[i] + 1, fb_span(&name, 1)));
    }
    assert_null(fb_record_find(record, 7, FB_SPAN("a")));
    assert_null(fb_record_find(record, 7, FB_SPAN("z")));
}

static void finds_elements(void **state)
{
    struct bench *bench = *state;
    for (size_t count = 0; count <= 300; count = count < 20 ? count + 1 : count * 3) {
        struct fb_value values[300];
        for (size_t i = 0; i < count; i++)
            values[i] = i % 2 == 0 ? fb_value_number(FB_LONG, (int64_t)i)
                                   : fb_value_string(fb_arena_format(&bench->arena, "%zu", i));
        struct fb_value set;
        assert_true(fb_value_set(&bench->arena, values, count, &set));
        assert_int_equal(set.count, count);
        for (size_t i = 0; i < count + 4; i++) {
            struct fb_value number = fb_value_number(FB_LONG, (int64_t)i);
            struct fb_value text = fb_value_string(fb_arena_format(&bench->arena, "%zu", i));
            assert_int_equal(fb_set_contains(set, number), i < count && i % 2 == 0);
            assert_int_equal(fb_set_contains(set, text), i < count && i % 2 == 1);
        }
        assert_false(fb_set_contains(set, fb_value_bool(true)));
        assert_false(fb_set_contains(set, fb_value_number(FB_DECIMAL, 0)));
    }
}

static void keeps_sets_sorted_and_distinct(void **state)
{
    struct bench *bench = *state;
    struct fb_value values[] = {fb_value_number(FB_LONG, 3), fb_value_number(FB_LONG, 1), fb_value_number(FB_LONG, 3),
                                fb_value_bool(true), fb_value_number(FB_LONG, 1)};
    struct fb_value set;
    assert_true(fb_value_set(&bench->arena, values, 5, &set));
    assert_string_equal(text_of(bench, set), "[true, 1, 3]");
    assert_int_equal(set.count, 3);
}

/* A copy is whole: the first is freed before it is read. */
static void copies_deeply(void **state)
{
    struct bench *bench = *state;
    static const char text[] = "{\"s\":\"text\",\"e\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}},\"z\":\"\","
                               "\"set\":[1,\"x\",[],{\"deep\":[{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.0/8\"}}]}],"
                               "\"d\":{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.5\"}},\"t\":true,\"r\":{}}";
    struct bench other;
    bench_init(&other, &fb_heap);
    struct fb_value copy;
    assert_true(fb_value_copy(&bench->arena, value_of(&other, text), &copy));
    bench_release(&other);
    assert_true(fb_value_eq(copy, value_of(bench, text)));
    assert_string_equal(text_of(bench, copy),
                        "{\"d\": decimal(\"1.5\"), \"e\": U::\"a\", \"r\": {}, \"s\": \"text\", \"set\": [1, \"x\", [], "
                        "{\"deep\": [ip(\"10.0.0.0/8\")]}], \"t\": true, \"z\": \"\"}");
}

static void prints_cedar_and_json(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *json, *cedar, *again;   /* again NULL: as `json` */
    } rows[] = {
        {"true", "true", NULL},
        {"-9223372036854775808", "-9223372036854775808", NULL},
        {"\"a\\\"b\\\\\"", "\"a\\\"b\\\\\"", NULL},
        {"\"\\u00e9\"", "\"\\u{e9}\"", "\"\u00e9\""},
        {"\"\\u0000\"", "\"\\u{0}\"", NULL},
        {"[]", "[]", NULL},
        {"{}", "{}", NULL},
        {"[3,1,2]", "[1, 2, 3]", "[1,2,3]"},
        {"{\"b\":1,\"a\":{\"if\":2,\"c d\":3}}", "{\"a\": {\"c d\": 3, \"if\": 2}, \"b\": 1}",
         "{\"a\":{\"c d\":3,\"if\":2},\"b\":1}"},
        {"{\"__entity\":{\"type\":\"A::B\",\"id\":\"x\\\"y\"}}", "A::B::\"x\\\"y\"", NULL},
        {"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.1/8\"}}", "ip(\"10.0.0.1/8\")", NULL},
        {"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.5000\"}}", "decimal(\"1.5\")",
         "{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.5\"}}"},
        {"{\"__extn\":{\"fn\":\"duration\",\"arg\":\"90m\"}}", "duration(\"1h30m\")",
         "{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1h30m\"}}"},
        {"{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2024-01-01T10:00:00+0100\"}}", "datetime(\"2024-01-01T09:00:00Z\")",
         "{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2024-01-01T09:00:00Z\"}}"},
        {"{\"__extn\":{\"fn\":\"offset\",\"args\":[{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"1970-01-01\"}},"
         "{\"__extn\":{\"fn\":\"duration\",\"arg\":\"-106751991167d\"}}]}}",
         "datetime(\"1970-01-01\").offset(duration(\"-106751991167d\"))", NULL},
        {"{\"__extn\":{\"fn\":\"offset\",\"args\":[{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"1970-01-01\"}},"
         "{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1h\"}}]}}",
         "datetime(\"1970-01-01T01:00:00Z\")", "{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"1970-01-01T01:00:00Z\"}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_value value = value_of(bench, rows[i].json);
        assert_string_equal(text_of(bench, value), rows[i].cedar);
        assert_string_equal(json_of(bench, value), rows[i].again != NULL ? rows[i].again : rows[i].json);
        /* What is printed reads back as the same. */
        char *copy = strdup(json_of(bench, value));
        assert_true(fb_value_eq(value, value_of(bench, copy)));
        free(copy);
    }
}

/* Many fields are sorted by another way than few; both by name. */
static void prints_fields_by_name(void **state)
{
    struct bench *bench = *state;
    for (int count = 1; count <= 100; count += 33) {
        struct fb_field fields[100];
        struct fb_buffer expected;
        fb_buffer_init(&expected, &fb_heap, 1u << 20);
        fb_buffer_add_char(&expected, '{');
        for (int i = 0; i < count; i++) {
            fields[(i * 7) % count] = (struct fb_field){fb_arena_format(&bench->arena, "f%03d", i), fb_value_bool(true)};
            fb_buffer_add_format(&expected, "%s\"f%03d\": true", i != 0 ? ", " : "", i);
        }
        fb_buffer_add_char(&expected, '}');
        struct fb_value record;
        assert_true(fb_value_record(&bench->arena, fields, (size_t)count, &record));
        assert_string_equal(text_of(bench, record), expected.ptr);
        fb_buffer_release(&expected);
    }
}

/* A set made of values that lie elsewhere refers to them; moving it as a whole with them is what
 * blocks do, moving it alone is not allowed, so only the first is tried: in test_block.c. */
static void refers_across_allocations(void **state)
{
    struct bench *bench = *state;
    char *far = strdup("far away");
    struct fb_value values[] = {fb_value_string(fb_span_z(far)), fb_value_string(fb_span(NULL, 0))}, set;
    assert_true(fb_value_set(&bench->arena, values, 2, &set));
    assert_ptr_equal(fb_cell_load(&set.cells[1]).text, far);
    assert_string_equal(text_of(bench, set), "[\"\", \"far away\"]");
    free(far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(has_a_total_order),  BENCH_TEST(equals_as_cedar),
        BENCH_TEST(finds_fields),       BENCH_TEST(tells_colliding_names_apart),
        BENCH_TEST(finds_elements),     BENCH_TEST(keeps_sets_sorted_and_distinct),
        BENCH_TEST(copies_deeply),      BENCH_TEST(prints_cedar_and_json),
        BENCH_TEST(prints_fields_by_name), BENCH_TEST(refers_across_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
