/* SPDX-License-Identifier: Apache-2.0 */
/* A text is read to its end and its events are written down, one word each: brackets as they are,
 * k:key s:string i:integer n:number t f 0 and . for the end; !code@start-end for an error. */
#include "base/base.h"
#include "testing.h"

static void write_event(struct fb_buffer *out, const struct fb_json *json, enum fb_json_event event)
{
    static const char *const words[] = {
        [FB_JSON_ERROR] = "!", [FB_JSON_END] = ".", [FB_JSON_OBJECT] = "{", [FB_JSON_OBJECT_END] = "}",
        [FB_JSON_ARRAY] = "[", [FB_JSON_ARRAY_END] = "]", [FB_JSON_KEY] = "k:", [FB_JSON_STRING] = "s:",
        [FB_JSON_INTEGER] = "i:", [FB_JSON_NUMBER] = "n:", [FB_JSON_TRUE] = "t", [FB_JSON_FALSE] = "f",
        [FB_JSON_NULL] = "0"
    };
    if (out->len != 0)
        fb_buffer_add_char(out, ' ');
    fb_buffer_add_z(out, words[event]);
    if (event == FB_JSON_KEY || event == FB_JSON_STRING || event == FB_JSON_NUMBER)
        fb_buffer_add(out, json->string);
    if (event == FB_JSON_INTEGER)
        fb_buffer_add_format(out, "%lld", (long long)json->integer);
    if (event == FB_JSON_ERROR)
        fb_buffer_add_format(out, "%s@%u-%u", json->error_code, json->range.start, json->range.end);
}

static void read_all(struct fb_buffer *out, struct fb_span text, struct fb_arena *arena,
                     struct fb_json_limits limits)
{
    struct fb_json json;
    enum fb_json_event event;
    fb_json_init(&json, text, arena, limits);
    do {
        event = fb_json_next(&json);
        write_event(out, &json, event);
    } while (event != FB_JSON_ERROR && event != FB_JSON_END);
    assert_int_equal(fb_json_next(&json), event);       /* and it stays so */
    assert_true((event == FB_JSON_ERROR) == (json.error != NULL));
    assert_true(event != FB_JSON_END || json.depth == 0);
}

struct reading {
    struct fb_span text;
    const char *events;
};

#define READING(text, events) {{sizeof(text) - 1, (text)}, (events)}

/* The text is copied to a block of its exact size, so that the address sanitizer sees an overrun. */
static void check(const struct reading *cases, size_t count, struct fb_json_limits limits)
{
    for (size_t i = 0; i < count; i++) {
        struct fb_arena arena;
        struct fb_buffer out;
        size_t len = cases[i].text.len;
        char *copy = malloc(len != 0 ? len : 1);
        assert_non_null(copy);
        memcpy(copy, cases[i].text.ptr, len);
        fb_arena_init(&arena, &fb_heap, 1 << 24);
        fb_buffer_init(&out, &fb_heap, 1 << 20);
        read_all(&out, fb_span(copy, len), &arena, limits);
        assert_span(fb_buffer_span(&out), cases[i].events);
        fb_buffer_release(&out);
        fb_arena_release(&arena);
        free(copy);
    }
}

static void reads_values(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        READING("true", "t ."),
        READING(" \t\r\nfalse \t\r\n", "f ."),
        READING("null", "0 ."),
        READING("\"\"", "s: ."),
        READING("\"a\x7f/b\"", "s:a\x7f/b ."),
        READING("{}", "{ } ."),
        READING("[]", "[ ] ."),
        READING("[ ]", "[ ] ."),
        READING("[1,[2,{\"a\":[]}],3]", "[ i:1 [ i:2 { k:a [ ] } ] i:3 ] ."),
        READING("{\"a\" : 1 , \"b\":{\"a\":null}, \"\" : \"x\"}", "{ k:a i:1 k:b { k:a 0 } k: s:x } ."),
        READING("[true,false,null]", "[ t f 0 ] ."),
        READING("[{\"a\":1},{\"a\":2}]", "[ { k:a i:1 } { k:a i:2 } ] ."),
    };
    check(cases, sizeof cases / sizeof cases[0], FB_JSON_LIMITS);
}

static void reads_numbers(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        READING("0", "i:0 ."),
        READING("-0", "i:0 ."),
        READING("9223372036854775807", "i:9223372036854775807 ."),
        READING("9223372036854775808", "n:9223372036854775808 ."),
        READING("-9223372036854775808", "i:-9223372036854775808 ."),
        READING("-9223372036854775809", "n:-9223372036854775809 ."),
        READING("18446744073709551617", "n:18446744073709551617 ."),
        READING("1.0", "n:1.0 ."),
        READING("-0.5e-10", "n:-0.5e-10 ."),
        READING("1E5", "n:1E5 ."),
        READING("[1e+2]", "[ n:1e+2 ] ."),
        READING("-", "!json.unfinished@1-1"),
        READING("-a", "!json.unexpected@1-2"),
        READING("01", "!json.number@0-2"),
        READING("-00", "!json.number@0-3"),
        READING("1.", "!json.unfinished@2-2"),
        READING("[1.]", "[ !json.unexpected@3-4"),
        READING("1.e1", "!json.unexpected@2-3"),
        READING("1e", "!json.unfinished@2-2"),
        READING("1e+ ", "!json.unexpected@3-4"),
        READING("+1", "!json.unexpected@0-1"),
        READING(".5", "!json.unexpected@0-1"),
        READING("0x10", "i:0 !json.unexpected@1-2"),
        READING("1-2", "i:1 !json.unexpected@1-2"),
        READING("NaN", "!json.unexpected@0-1"),
        READING("Infinity", "!json.unexpected@0-1"),
    };
    check(cases, sizeof cases / sizeof cases[0], FB_JSON_LIMITS);
}

static void reads_strings(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        READING("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s:\"\\/\b\f\n\r\t ."),
        READING("\"\\u0041\\u00e4\\u20AC\\ud83d\\uDE00\"", "s:A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 ."),
        READING("\"long enough plain text \\u0041 and more of it behind\"",
                "s:long enough plain text A and more of it behind ."),
        READING("{\"\\u0061\":1}", "{ k:a i:1 } ."),
        READING("\"h\xc3\xa4t \xf0\x9f\x98\x80\"", "s:h\xc3\xa4t \xf0\x9f\x98\x80 ."),
        READING("\"\\uffff\\u0000", "!json.unfinished@13-13"),
        READING("\"", "!json.unfinished@1-1"),
        READING("\"abcdefghijklmnop", "!json.unfinished@17-17"),
        READING("\"\\", "!json.unfinished@2-2"),
        READING("\"\\\"", "!json.unfinished@3-3"),
        READING("\"a\nb\"", "!json.unexpected@2-3"),
        READING("\"abcdefghij\x01\"", "!json.unexpected@11-12"),
        READING("\"a\0b\"", "!json.unexpected@2-3"),
        READING("\"\\x41\"", "!json.escape@1-3"),
        READING("\"\\\n\"", "!json.escape@1-3"),
        READING("\"\\u12g4\"", "!json.escape@1-3"),
        READING("\"\\u12\"", "!json.escape@1-3"),
        READING("\"\\ud800\"", "!json.surrogate@1-7"),
        READING("\"ab\\udc00\"", "!json.surrogate@3-9"),
        READING("\"\\ud800\\ud800\"", "!json.surrogate@1-7"),
        READING("\"\\udc00\\udc00\"", "!json.surrogate@1-7"),
        READING("\"\\ud83dx\\ude00\"", "!json.surrogate@1-7"),
        READING("\"\\ud83d\\n\"", "!json.surrogate@1-7"),
        READING("\"a\xff\"", "!json.utf8@2-3"),
        READING("\"12345678\x85" "12345678\"", "!json.utf8@9-10"),
        READING("\"\xc3\"", "!json.utf8@1-2"),
        READING("\"\xc3", "!json.utf8@1-2"),
        READING("\"\xed\xa0\x80\"", "!json.utf8@1-2"),
        READING("\"\xc0\x80\"", "!json.utf8@1-2"),
        READING("'a'", "!json.unexpected@0-1"),
    };
    check(cases, sizeof cases / sizeof cases[0], FB_JSON_LIMITS);
}

static void refuses_other_texts(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        READING("", "!json.unfinished@0-0"),
        READING("  ", "!json.unfinished@2-2"),
        READING("\xef\xbb\xbf{}", "!json.byte_order_mark@0-3"),
        READING("\xff\xfe{\0", "!json.utf8@0-1"),
        READING("1 2", "i:1 !json.unexpected@2-3"),
        READING("{} x", "{ } !json.unexpected@3-4"),
        READING("[]\0", "[ ] !json.unexpected@2-3"),
        READING("truex", "t !json.unexpected@4-5"),
        READING("tru", "!json.unexpected@0-1"),
        READING("True", "!json.unexpected@0-1"),
        READING("[1,]", "[ i:1 !json.unexpected@3-4"),
        READING("[,1]", "[ !json.unexpected@1-2"),
        READING("[1 2]", "[ i:1 !json.unexpected@3-4"),
        READING("[1}", "[ i:1 !json.unexpected@2-3"),
        READING("{\"a\":1]", "{ k:a i:1 !json.unexpected@6-7"),
        READING("[", "[ !json.unfinished@1-1"),
        READING("[1", "[ i:1 !json.unfinished@2-2"),
        READING("{", "{ !json.unfinished@1-1"),
        READING("{\"a\"", "{ !json.unfinished@4-4"),
        READING("{\"a\":", "{ k:a !json.unfinished@5-5"),
        READING("{\"a\":1,}", "{ k:a i:1 !json.unexpected@7-8"),
        READING("{\"a\":1,", "{ k:a i:1 !json.unfinished@7-7"),
        READING("{,}", "{ !json.unexpected@1-2"),
        READING("{\"a\" 1}", "{ !json.unexpected@5-6"),
        READING("{\"a\":}", "{ k:a !json.unexpected@5-6"),
        READING("{\"a\":,}", "{ k:a !json.unexpected@5-6"),
        READING("{\"a\"::1}", "{ k:a !json.unexpected@5-6"),
        READING("{a:1}", "{ !json.unexpected@1-2"),
        READING("{1:1}", "{ !json.unexpected@1-2"),
        READING("]", "!json.unexpected@0-1"),
        READING("/* c */ 1", "!json.unexpected@0-1"),
        READING("[1]\xc2\xa0", "[ i:1 ] !json.unexpected@3-5"),
        READING("\x0c" "1", "!json.unexpected@0-1"),
        READING("{\"a\":1,\"a\":2}", "{ k:a i:1 !json.duplicate_key@7-10"),
        READING("{\"a\":1,\"\\u0061\":2}", "{ k:a i:1 !json.duplicate_key@7-15"),
        READING("{\"\":1,\"b\":{\"\":1},\"\":2}", "{ k: i:1 k:b { k: i:1 } !json.duplicate_key@17-19"),
    };
    check(cases, sizeof cases / sizeof cases[0], FB_JSON_LIMITS);
}

static void keeps_to_its_limits(void **state)
{
    (void)state;
    static const struct fb_json_limits limits = {.depth = 2, .bytes = 24, .keys = 2};
    static const struct reading cases[] = {
        READING("[[1]]", "[ [ i:1 ] ] ."),
        READING("[[],[]]", "[ [ ] [ ] ] ."),
        READING("[[[]]]", "[ [ !json.too_deep@2-3"),
        READING("[{\"a\":{}}]", "[ { k:a !json.too_deep@6-7"),
        READING("{\"a\":1,\"b\":2}", "{ k:a i:1 k:b i:2 } ."),
        READING("{\"a\":1,\"b\":2,\"c\":3}", "{ k:a i:1 k:b i:2 !json.too_many_keys@13-16"),
        READING("[                      ]", "[ ] ."),
        READING("[                       ]", "!json.too_long@0-0"),
    };
    check(cases, sizeof cases / sizeof cases[0], limits);
    static const struct reading flat[] = {READING("1", "i:1 ."), READING("[]", "!json.too_deep@0-1")};
    check(flat, 2, (struct fb_json_limits){.bytes = 10});
}

/* A message says how much is read. */
static void states_its_limits(void **state)
{
    (void)state;
    static const struct fb_json_limits limits = {.depth = 2, .bytes = 24, .keys = 2};
    static const struct {
        const char *text, *error;
    } rows[] = {{"[[[]]]", "arrays and objects are nested more than 2 deep"},
                {"{\"a\":1,\"b\":2,\"c\":3}", "an object has more than 2 keys"},
                {"[                       ]", "the text has more than 24 bytes"}};
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_json json;
        fb_json_init(&json, fb_span_z(rows[i].text), &arena, limits);
        while (fb_json_next(&json) != FB_JSON_ERROR)
            assert_int_not_equal(json.event, FB_JSON_END);
        assert_string_equal(json.error, rows[i].error);
    }
    fb_arena_release(&arena);
}

/* A hundred thousand brackets are an error at the limit, and cost what the limit allows. */
static void is_not_impressed_by_depth(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    char *text = malloc(COUNT);
    struct fb_arena arena;
    struct fb_json json;
    assert_non_null(text);
    memset(text, '[', COUNT);
    fb_arena_init(&arena, &fb_heap, 1 << 16);
    fb_json_init(&json, fb_span(text, COUNT), &arena, FB_JSON_LIMITS);
    assert_int_equal(fb_json_next(&json), FB_JSON_ARRAY);
    assert_false(fb_json_skip(&json));
    assert_string_equal(json.error_code, "json.too_deep");
    assert_int_equal(json.range.start, 64);
    fb_arena_release(&arena);
    free(text);
}

/* `count` keys, the last of them equal to the one with the number `repeated` if there is such. */
static void write_object(struct fb_buffer *out, size_t count, size_t repeated)
{
    fb_buffer_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        size_t number = i + 1 == count && repeated < count ? repeated : i;
        fb_buffer_add_format(out, "%s\"k%zu\":%zu", i != 0 ? "," : "", number, i);
    }
    fb_buffer_add_char(out, '}');
}

static void finds_duplicates_among_many(void **state)
{
    (void)state;
    static const size_t counts[] = {2, 15, 16, 17, 18, 33, 48, 49, 64, 65, 1000, 60000};
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1 << 24);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        size_t count = counts[i];
        size_t repeated[] = {0, count / 2 - 1, count - 2, SIZE_MAX};
        for (size_t j = 0; j < 4; j++) {
            struct fb_arena arena;
            struct fb_json json;
            fb_arena_init(&arena, &fb_heap, 1 << 24);
            fb_buffer_clear(&text);
            write_object(&text, count, repeated[j]);
            fb_json_init(&json, fb_buffer_span(&text), &arena, FB_JSON_LIMITS);
            assert_int_equal(fb_json_next(&json), FB_JSON_OBJECT);
            assert_int_equal(fb_json_skip(&json), repeated[j] == SIZE_MAX);
            if (repeated[j] != SIZE_MAX)
                assert_string_equal(json.error_code, "json.duplicate_key");
            else
                assert_int_equal(fb_json_next(&json), FB_JSON_END);
            fb_arena_release(&arena);
        }
    }
    fb_buffer_release(&text);
}

/* Objects of all sizes one behind the other share one table, and must not see each other's keys. */
static void forgets_the_keys_of_closed_objects(void **state)
{
    (void)state;
    struct fb_buffer text;
    struct fb_arena arena;
    struct fb_json json;
    fb_buffer_init(&text, &fb_heap, 1 << 24);
    fb_arena_init(&arena, &fb_heap, 1 << 22);
    fb_buffer_add_z(&text, "[{}");
    for (size_t i = 0; i < 300; i++) {
        fb_buffer_add_char(&text, ',');
        write_object(&text, (i * 37) % 150 + (i == 100 ? 5000 : 0), SIZE_MAX);
    }
    fb_buffer_add_char(&text, ']');
    fb_json_init(&json, fb_buffer_span(&text), &arena, FB_JSON_LIMITS);
    assert_int_equal(fb_json_next(&json), FB_JSON_ARRAY);
    assert_true(fb_json_skip(&json));
    assert_int_equal(fb_json_next(&json), FB_JSON_END);
    fb_arena_release(&arena);
    fb_buffer_release(&text);
}

static void skips(void **state)
{
    (void)state;
    struct fb_arena arena;
    struct fb_json json;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    fb_json_init(&json, FB_SPAN("{\"a\":[1,{\"b\":[]},2],\"c\":7,\"d\":{\"e\":1},\"f\":true}"), &arena,
                 FB_JSON_LIMITS);
    assert_int_equal(fb_json_next(&json), FB_JSON_OBJECT);
    assert_int_equal(fb_json_next(&json), FB_JSON_KEY);
    assert_int_equal(fb_json_next(&json), FB_JSON_ARRAY);
    assert_true(fb_json_skip(&json));
    assert_int_equal(fb_json_next(&json), FB_JSON_KEY);
    assert_span(json.string, "c");
    assert_int_equal(fb_json_next(&json), FB_JSON_INTEGER);
    assert_true(fb_json_skip(&json));
    assert_int_equal(fb_json_next(&json), FB_JSON_KEY);
    assert_span(json.string, "d");
    assert_true(fb_json_skip(&json));
    assert_int_equal(fb_json_next(&json), FB_JSON_KEY);
    assert_span(json.string, "f");
    assert_int_equal(fb_json_next(&json), FB_JSON_TRUE);
    assert_int_equal(fb_json_next(&json), FB_JSON_OBJECT_END);
    assert_int_equal(fb_json_next(&json), FB_JSON_END);
    fb_arena_release(&arena);
}

static void reports_once(void **state)
{
    (void)state;
    struct fb_source source = {FB_SPAN("e.json"), FB_SPAN("{\n  \"age\": \"x\"\n}")};
    struct fb_arena arena;
    struct fb_json json;
    struct fb_diags diags;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    fb_diags_init(&diags, &arena);
    fb_json_init(&json, source.text, &arena, FB_JSON_LIMITS);
    for (int i = 0; i < 3; i++)
        (void)fb_json_next(&json);
    assert_int_equal(fb_json_fail(&json, "e.type", "an age is a number"), FB_JSON_ERROR);
    assert_int_equal(fb_json_next(&json), FB_JSON_ERROR);
    assert_false(fb_json_skip(&json));
    fb_json_report(&json, &source, &diags);
    assert_int_equal(diags.errors, 1);
    assert_string_equal(diags.list[0].code, "e.type");
    assert_span(diags.list[0].message, "an age is a number");
    assert_int_equal(diags.list[0].range.start, 11);
    assert_int_equal(diags.list[0].range.end, 14);
    fb_arena_release(&arena);
}

static void survives_failing_memory(void **state)
{
    (void)state;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1 << 20);
    fb_buffer_add_z(&text, "[[[[\"\\u00e4\",");
    write_object(&text, 700, SIZE_MAX);
    fb_buffer_add_z(&text, "]],{\"\\u0061\":[\"\\n\"]}]]");
    bool worked = false;
    for (size_t n = 1; !worked; n++) {
        struct failing_allocator memory;
        struct fb_arena arena;
        struct fb_json json;
        failing_init(&memory, n);
        fb_arena_init(&arena, &memory.allocator, SIZE_MAX);
        fb_json_init(&json, fb_buffer_span(&text), &arena, FB_JSON_LIMITS);
        (void)fb_json_next(&json);
        worked = fb_json_skip(&json) && fb_json_next(&json) == FB_JSON_END;
        if (!worked)
            assert_string_equal(json.error_code, "json.memory");
        fb_arena_release(&arena);
        assert_int_equal(memory.blocks_out, 0);
        assert_int_equal(memory.bytes_out, 0);
        assert_true(n < 100);
    }
    fb_buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_strings),
        cmocka_unit_test(refuses_other_texts),
        cmocka_unit_test(keeps_to_its_limits), cmocka_unit_test(states_its_limits),
        cmocka_unit_test(is_not_impressed_by_depth),
        cmocka_unit_test(finds_duplicates_among_many),
        cmocka_unit_test(forgets_the_keys_of_closed_objects),
        cmocka_unit_test(skips),
        cmocka_unit_test(reports_once),
        cmocka_unit_test(survives_failing_memory),
    };
    return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
