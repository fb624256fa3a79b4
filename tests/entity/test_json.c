/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#define ENTITY(type, id) "{\"__entity\":{\"type\":\"" type "\",\"id\":\"" id "\"}}"
#define EXTN(fn, arg) "{\"__extn\":{\"fn\":\"" fn "\",\"arg\":\"" arg "\"}}"

/* Values without a schema.  Each row was tried with the official engine; where we refuse what it
 * takes, the row says so. */
static void reads_values(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *json, *cedar, *code;    /* cedar NULL: refused with this code */
    } rows[] = {
        {"true", "true", NULL},
        {"-9223372036854775808", "-9223372036854775808", NULL},
        {"9223372036854775807", "9223372036854775807", NULL},
        {"9223372036854775808", NULL, "entity.number"},
        {"-9223372036854775809", NULL, "entity.number"},
        {"1.0", NULL, "entity.number"},
        {"1.5", NULL, "entity.number"},
        {"1e2", NULL, "entity.number"},
        {"null", NULL, "entity.null"},
        {"[null]", NULL, "entity.null"},
        {"{\"a\":null}", NULL, "entity.null"},
        {"{\"a\":{\"b\":[[null]]}}", NULL, "entity.null"},
        {"[1,\"a\",true,[],{}]", "[true, 1, \"a\", [], {}]", NULL},
        {"[1,1,1]", "[1]", NULL},
        {"{\"\":1}", "{\"\": 1}", NULL},
        {"{\"a\":1,\"a\":1}", NULL, "json.duplicate_key"},
        {"{\"a\":1,\"\\u0061\":1}", NULL, "json.duplicate_key"},
        {"{\"type\":\"U\",\"id\":\"a\"}", "{\"id\": \"a\", \"type\": \"U\"}", NULL},
        {"{\"fn\":\"ip\",\"arg\":\"1.2.3.4\"}", "{\"arg\": \"1.2.3.4\", \"fn\": \"ip\"}", NULL},
        /* __entity */
        {ENTITY("U", "a"), "U::\"a\"", NULL},
        {ENTITY("U", ""), "U::\"\"", NULL},
        {ENTITY("A::B", "a"), "A::B::\"a\"", NULL},
        {ENTITY("__cedarx", ""), "__cedarx::\"\"", NULL},
        {"{\"__entity\":{\"id\":\"a\",\"type\":\"U\",\"z\":1}}", "U::\"a\"", NULL},
        {"{\"__entity\":{\"type\":\"U\",\"id\":\"a\"},\"z\":1}",
         "{\"__entity\": {\"id\": \"a\", \"type\": \"U\"}, \"z\": 1}", NULL},
        {"{\"z\":1,\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}",
         "{\"__entity\": {\"id\": \"a\", \"type\": \"U\"}, \"z\": 1}", NULL},
        {"{\"__entity\":3,\"z\":1}", "{\"__entity\": 3, \"z\": 1}", NULL},
        {ENTITY(" U", "a"), NULL, "entity.type_name"},
        {ENTITY("U::", "a"), NULL, "entity.type_name"},
        {ENTITY("", "a"), NULL, "entity.type_name"},
        {ENTITY("if", "a"), NULL, "entity.type_name"},
        {ENTITY("a::__cedar", "a"), NULL, "entity.type_name"},
        /* an escape's key without its shape: a record, as upstream has it */
        {"{\"__entity\":3}", "{\"__entity\": 3}", NULL},
        {"{\"__entity\":\"U::\\\"a\\\"\"}", "{\"__entity\": \"U::\\\"a\\\"\"}", NULL},
        {"{\"__entity\":{\"type\":\"U\"}}", "{\"__entity\": {\"type\": \"U\"}}", NULL},
        {"{\"__entity\":{\"type\":\"U\",\"id\":3}}", "{\"__entity\": {\"id\": 3, \"type\": \"U\"}}", NULL},
        {"{\"__entity\":{\"type\":\"U\",\"id\":null}}", NULL, "entity.null"},
        {"{\"__extn\":3}", "{\"__extn\": 3}", NULL},
        {"{\"__extn\":{}}", "{\"__extn\": {}}", NULL},
        {"{\"__extn\":{\"fn\":\"ip\"}}", "{\"__extn\": {\"fn\": \"ip\"}}", NULL},
        {"{\"__extn\":{\"fn\":3,\"arg\":\"::1\"}}", "{\"__extn\": {\"arg\": \"::1\", \"fn\": 3}}", NULL},
        {"{\"__extn\":{\"fn\":\"ip\",\"args\":\"::1\"}}", "{\"__extn\": {\"args\": \"::1\", \"fn\": \"ip\"}}", NULL},
        {"{\"__expr\":3}", "{\"__expr\": 3}", NULL},
        /* __extn */
        {EXTN("ip", "1.2.3.4"), "ip(\"1.2.3.4\")", NULL},
        {EXTN("decimal", "1.50"), "decimal(\"1.5\")", NULL},
        {EXTN("datetime", "2024-01-01"), "datetime(\"2024-01-01\")", NULL},
        {EXTN("duration", "60s"), "duration(\"1m\")", NULL},
        {"{\"__extn\":{\"arg\":\"1.2.3.4\",\"fn\":\"ip\",\"z\":1}}", "ip(\"1.2.3.4\")", NULL},
        {"{\"__extn\":{\"fn\":\"ip\",\"args\":[\"1.2.3.4\"]}}", "ip(\"1.2.3.4\")", NULL},
        {"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.4\"},\"z\":1}",
         "{\"__extn\": {\"arg\": \"1.2.3.4\", \"fn\": \"ip\"}, \"z\": 1}", NULL},
        {"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"x\"}}", NULL, "entity.extension"},
        {"{\"__extn\":{\"fn\":\"ip\",\"arg\":3}}", NULL, "entity.extension"},
        {"{\"__extn\":{\"fn\":\"ip\",\"args\":[]}}", NULL, "entity.extension"},
        {"{\"__extn\":{\"fn\":\"ip\",\"args\":[\"1.2.3.4\",\"1.2.3.4\"]}}", NULL, "entity.extension"},
        {"{\"__extn\":{\"fn\":\"nosuch\",\"arg\":\"1\"}}", NULL, "entity.extension"},
        {"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1\"}}", NULL, "entity.extension"},
        {"{\"__extn\":{\"args\":[\"x\"],\"fn\":\"ip\",\"arg\":\"::1\"}}", "ip(\"::1\")", NULL},
        {"{\"__extn\":{\"arg\":\"::1\",\"fn\":\"ip\",\"args\":[\"x\"]}}", "ip(\"::1\")", NULL},
        /* methods are functions too */
        {"{\"__extn\":{\"fn\":\"isIpv4\",\"arg\":" EXTN("ip", "::1") "}}", "false", NULL},
        {"{\"__extn\":{\"fn\":\"isIpv6\",\"arg\":" EXTN("ip", "::1") "}}", "true", NULL},
        {"{\"__extn\":{\"fn\":\"isLoopback\",\"arg\":" EXTN("ip", "::1") "}}", "true", NULL},
        {"{\"__extn\":{\"fn\":\"isMulticast\",\"arg\":" EXTN("ip", "::1") "}}", "false", NULL},
        {"{\"__extn\":{\"fn\":\"isInRange\",\"args\":[" EXTN("ip", "10.0.0.1") "," EXTN("ip", "10.0.0.0/8") "]}}", "true",
         NULL},
        {"{\"__extn\":{\"fn\":\"lessThan\",\"args\":[" EXTN("decimal", "1.0") "," EXTN("decimal", "2.0") "]}}", "true", NULL},
        {"{\"__extn\":{\"fn\":\"lessThanOrEqual\",\"args\":[" EXTN("decimal", "2.0") "," EXTN("decimal", "2.0") "]}}", "true",
         NULL},
        {"{\"__extn\":{\"fn\":\"greaterThan\",\"args\":[" EXTN("decimal", "2.0") "," EXTN("decimal", "2.0") "]}}", "false",
         NULL},
        {"{\"__extn\":{\"fn\":\"greaterThanOrEqual\",\"args\":[" EXTN("decimal", "2.0") "," EXTN("decimal", "2.0") "]}}",
         "true", NULL},
        {"{\"__extn\":{\"fn\":\"durationSince\",\"args\":[" EXTN("datetime", "1970-01-03") "," EXTN("datetime", "1970-01-01")
         "]}}", "duration(\"2d\")", NULL},
        {"{\"__extn\":{\"fn\":\"toDate\",\"arg\":" EXTN("datetime", "1970-01-03T01:00:00Z") "}}", "datetime(\"1970-01-03\")",
         NULL},
        {"{\"__extn\":{\"fn\":\"toTime\",\"arg\":" EXTN("datetime", "1970-01-03T01:00:00Z") "}}", "duration(\"1h\")", NULL},
        {"{\"__extn\":{\"fn\":\"toMilliseconds\",\"arg\":" EXTN("duration", "1s") "}}", "1000", NULL},
        {"{\"__extn\":{\"fn\":\"toSeconds\",\"arg\":" EXTN("duration", "1m") "}}", "60", NULL},
        {"{\"__extn\":{\"fn\":\"toMinutes\",\"arg\":" EXTN("duration", "1h") "}}", "60", NULL},
        {"{\"__extn\":{\"fn\":\"toHours\",\"arg\":" EXTN("duration", "1d") "}}", "24", NULL},
        {"{\"__extn\":{\"fn\":\"toDays\",\"arg\":" EXTN("duration", "-47h") "}}", "-1", NULL},
        {"{\"__extn\":{\"fn\":\"toDays\",\"arg\":" EXTN("datetime", "1970-01-01") "}}", NULL, "entity.extension"},
        {"{\"__extn\":{\"fn\":\"lessThan\",\"arg\":" EXTN("decimal", "1.0") "}}", NULL, "entity.extension"},
        /* offset: arguments in their order */
        {"{\"__extn\":{\"fn\":\"offset\",\"args\":[" EXTN("datetime", "1970-01-01") "," EXTN("duration", "5ms") "]}}",
         "datetime(\"1970-01-01T00:00:00.005Z\")", NULL},
        {"{\"__extn\":{\"args\":[" EXTN("datetime", "1970-01-02") "," EXTN("duration", "-1d") "],\"fn\":\"offset\"}}",
         "datetime(\"1970-01-01\")", NULL},
        {"{\"__extn\":{\"fn\":\"offset\",\"args\":[" EXTN("duration", "5ms") "," EXTN("datetime", "1970-01-01") "]}}", NULL,
         "entity.extension"},
        {"{\"__extn\":{\"fn\":\"offset\",\"args\":[" EXTN("datetime", "1970-01-01") "]}}", NULL, "entity.extension"},
        {"{\"__extn\":{\"fn\":\"offset\",\"args\":[\"1970-01-01\",\"5ms\"]}}", NULL, "entity.extension"},
        {"{\"__extn\":{\"fn\":\"offset\",\"args\":[" EXTN("datetime", "2024-01-01") ","
         EXTN("duration", "9223372036854775807ms") "]}}", NULL, "entity.extension"},
        /* __expr */
        {"{\"__expr\":\"1\"}", NULL, "entity.escape"},
        {"{\"__expr\":\"1\",\"z\":1}", "{\"__expr\": \"1\", \"z\": 1}", NULL},
        /* escapes within */
        {"[" ENTITY("U", "a") ",{\"x\":" EXTN("ip", "::1") "}," ENTITY("U", "a") "]",
         "[U::\"a\", {\"x\": ip(\"::1\")}]", NULL},
        {"", NULL, "json.unfinished"},
        {"[1,", NULL, "json.unfinished"},
        {"[1 2]", NULL, "json.unexpected"},
        {"{\"a\"}", NULL, "json.unexpected"},
        {"1 2", NULL, "json.unexpected"},
        {"\"\xff\"", NULL, "json.utf8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_value value;
        const char *code;
        bool read = value_from_json(bench, rows[i].json, NULL, (struct fb_type_hint){0}, &value, &code);
        if (read != (rows[i].cedar != NULL) || (!read && strcmp(code, rows[i].code) != 0))
            fail_msg("%s: %s", rows[i].json, read ? "read" : code);
        if (read)
            assert_string_equal(text_of(bench, value), rows[i].cedar);
    }
}

/* A schema of one entity type and a few shapes, for the forms that need one. */
enum shape { PLAIN, USER, ADDRESS, MONEY, TIME, USERS, ADDRESSES, OWNED };

static struct fb_type_hint hint(enum shape shape)
{
    static const enum shape shapes[] = {PLAIN, USER, ADDRESS, MONEY, TIME, USERS, ADDRESSES, OWNED};
    static const struct fb_type_hint hints[] = {
        [USER] = {.hint = FB_HINT_ENTITY},
        [ADDRESS] = {.hint = FB_HINT_EXTENSION, .extension = FB_IP},
        [MONEY] = {.hint = FB_HINT_EXTENSION, .extension = FB_DECIMAL},
        [TIME] = {.hint = FB_HINT_EXTENSION, .extension = FB_DATETIME},
        [USERS] = {.hint = FB_HINT_SET},
        [ADDRESSES] = {.hint = FB_HINT_SET},
        [OWNED] = {.hint = FB_HINT_RECORD},
    };
    struct fb_type_hint made = hints[shape];
    made.type = &shapes[shape];
    return made;
}

static const int schema = 1;

static enum shape named(struct fb_span name)
{
    static const struct {
        const char *name;
        enum shape shape;
    } names[] = {{"user", USER}, {"ip", ADDRESS}, {"money", MONEY}, {"time", TIME}, {"users", USERS},
                 {"ips", ADDRESSES}, {"owned", OWNED}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (fb_span_is(name, names[i].name))
            return names[i].shape;
    return PLAIN;
}

static struct fb_type_hint attribute(const void *of, struct fb_span entity_type, struct fb_span name)
{
    assert_ptr_equal(of, &schema);
    return hint(fb_span_is(entity_type, "Doc") ? named(name) : PLAIN);
}

static struct fb_type_hint tag(const void *of, struct fb_span entity_type)
{
    assert_ptr_equal(of, &schema);
    return hint(fb_span_is(entity_type, "Doc") ? ADDRESS : PLAIN);
}

static struct fb_type_hint element(const void *of, const void *type)
{
    assert_ptr_equal(of, &schema);
    return hint(*(const enum shape *)type == USERS ? USER : ADDRESS);
}

static struct fb_type_hint field(const void *of, const void *type, struct fb_span name)
{
    assert_ptr_equal(of, &schema);
    assert_int_equal(*(const enum shape *)type, OWNED);
    return hint(named(name));
}

static const struct fb_value_hints hints = {&schema, attribute, tag, element, field};

static void reads_by_schema(void **state)
{
    struct bench *bench = *state;
    static const struct {
        enum shape shape;
        const char *json, *cedar, *code;
    } rows[] = {
        {USER, "{\"type\":\"U\",\"id\":\"a\"}", "U::\"a\"", NULL},
        {USER, "{\"id\":\"a\",\"type\":\"U\",\"z\":1}", "U::\"a\"", NULL},
        {USER, ENTITY("U", "a"), "U::\"a\"", NULL},
        {USER, "{\"type\":\"U\"}", "{\"type\": \"U\"}", NULL},
        {USER, "\"a\"", "\"a\"", NULL},
        {USER, "{\"type\":\"U U\",\"id\":\"a\"}", NULL, "entity.type_name"},
        {ADDRESS, "\"1.2.3.4\"", "ip(\"1.2.3.4\")", NULL},
        {ADDRESS, EXTN("ip", "1.2.3.4"), "ip(\"1.2.3.4\")", NULL},
        {ADDRESS, "{\"fn\":\"ip\",\"arg\":\"1.2.3.4\"}", "ip(\"1.2.3.4\")", NULL},
        {ADDRESS, "\"1.2.3\"", NULL, "entity.extension"},
        {ADDRESS, "1", "1", NULL},
        {ADDRESS, "{\"fn\":\"ip\"}", "{\"fn\": \"ip\"}", NULL},
        {MONEY, "\"1.5\"", "decimal(\"1.5\")", NULL},
        {MONEY, "\"1\"", NULL, "entity.extension"},
        {TIME, "\"2024-01-01\"", "datetime(\"2024-01-01\")", NULL},
        {TIME, "{\"fn\":\"offset\",\"args\":[" EXTN("datetime", "1970-01-01") "," EXTN("duration", "1h") "]}",
         "datetime(\"1970-01-01T01:00:00Z\")", NULL},
        {TIME, "{\"fn\":\"offset\",\"args\":[\"1970-01-01\",\"1h\"]}", "datetime(\"1970-01-01T01:00:00Z\")", NULL},
        {TIME, "{\"__extn\":{\"args\":[{\"fn\":\"toDate\",\"arg\":\"1970-01-01T02:00:00Z\"},{\"arg\":\"1h\",\"fn\":\"duration\"}],"
               "\"fn\":\"offset\"}}", "datetime(\"1970-01-01T01:00:00Z\")", NULL},
        {TIME, "{\"fn\":\"offset\",\"args\":[\"x\",\"1h\"]}", NULL, "entity.extension"},
        {PLAIN, "{\"__extn\":{\"fn\":\"offset\",\"args\":[\"1970-01-01\",\"1h\"]}}", NULL, "entity.extension"},
        {USER, "{\"__entity\":3}", "{\"__entity\": 3}", NULL},
        {USERS, "[{\"type\":\"U\",\"id\":\"a\"}," ENTITY("U", "a") "]", "[U::\"a\"]", NULL},
        {ADDRESSES, "[\"::1\",\"::1/128\"]", "[ip(\"::1\")]", NULL},
        {OWNED, "{\"user\":{\"type\":\"U\",\"id\":\"a\"},\"ips\":[\"::1\"],\"x\":\"::1\"}",
         "{\"ips\": [ip(\"::1\")], \"user\": U::\"a\", \"x\": \"::1\"}", NULL},
        {OWNED, "{\"owned\":{\"owned\":{\"money\":\"2.0\"}}}", "{\"owned\": {\"owned\": {\"money\": decimal(\"2.0\")}}}", NULL},
        {OWNED, "{\"owned\":[\"2.0\"]}", "{\"owned\": [\"2.0\"]}", NULL},
        {PLAIN, "{\"money\":\"2.0\"}", "{\"money\": \"2.0\"}", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_value value;
        const char *code;
        bool read = value_from_json(bench, rows[i].json, &hints, hint(rows[i].shape), &value, &code);
        if (read != (rows[i].cedar != NULL) || (!read && strcmp(code, rows[i].code) != 0))
            fail_msg("%s: %s", rows[i].json, read ? "read" : code);
        if (read)
            assert_string_equal(text_of(bench, value), rows[i].cedar);
    }
}

static struct fb_entity_set *read_set(struct bench *bench, const char *json, const struct fb_value_hints *with)
{
    static struct fb_source source;
    source = (struct fb_source){FB_SPAN("entities.json"), fb_span_z(json)};
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    fb_diags_init(&bench->diags, &bench->arena);
    return fb_entity_set_read_json(set, &source, with, &bench->diags) ? set : NULL;
}

/* Whether the uid comes first or last, the schema is asked about the right type. */
static void reads_entities_by_schema(void **state)
{
    struct bench *bench = *state;
    static const char *const orders[] = {
        "[{\"uid\":{\"type\":\"Doc\",\"id\":\"1\"},\"attrs\":{\"ip\":\"::1\",\"user\":{\"type\":\"U\",\"id\":\"a\"},"
        "\"type\":\"x\"},\"parents\":[],\"tags\":{\"k\":\"1.2.3.4\"}}]",
        "[{\"tags\":{\"k\":\"1.2.3.4\"},\"attrs\":{\"type\":\"x\",\"user\":{\"type\":\"U\",\"id\":\"a\"},\"ip\":\"::1\"},"
        "\"parents\":[],\"uid\":{\"type\":\"Doc\",\"id\":\"1\"}}]"};
    for (int i = 0; i < 2; i++) {
        struct fb_entity_set *set = read_set(bench, orders[i], &hints);
        struct fb_entity entity;
        assert_non_null(set);
        fb_entity_set_at(set, 0, &entity);
        assert_string_equal(text_of(bench, fb_value_of_record(entity.attrs)),
                            "{\"ip\": ip(\"::1\"), \"type\": \"x\", \"user\": U::\"a\"}");
        assert_string_equal(text_of(bench, fb_value_of_record(entity.tags)), "{\"k\": ip(\"1.2.3.4\")}");
    }
    /* A fault in what is read late is reported at its own place. */
    assert_null(read_set(bench, "[{\"attrs\":{\"ip\":\"x\"},\"uid\":{\"type\":\"Doc\",\"id\":\"1\"},\"parents\":[]}]", &hints));
    assert_string_equal(bench->diags.list[0].code, "entity.extension");
    assert_int_equal(bench->diags.list[0].range.start, 16);
    assert_non_null(read_set(bench, "[{\"attrs\":{\"ip\":\"x\"},\"uid\":{\"type\":\"U\",\"id\":\"1\"},\"parents\":[]}]", &hints));
    assert_null(read_set(bench, "[{\"attrs\":{\"ip\":\"::1\"},\"parents\":[]}]", &hints));
    assert_string_equal(bench->diags.list[0].code, "entity.missing_key");
}

static void report_places(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *json;
        uint32_t start, end;    /* of the value's text */
    } rows[] = {
        {"[1,null]", 3, 7},
        {"[{\"__extn\":{\"fn\":\"ip\",\"arg\":\"x\"}}]", 1, 2},
        {"[{\"__entity\":{\"type\":\"U \",\"id\":\"a\"}}]", 1, 2},
        {"{\"a\":1.5}", 5, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_json json;
        struct fb_value value;
        fb_json_init(&json, fb_span_z(rows[i].json), &bench->arena, FB_JSON_LIMITS);
        fb_json_next(&json);
        assert_false(fb_value_read_json(&json, &bench->arena, NULL, (struct fb_type_hint){0}, &value));
        assert_int_equal(json.range.start, rows[i].start);
        assert_int_equal(json.range.end, rows[i].end);
    }
}

/* `depth` arrays or objects around the given value. */
static struct fb_span nested(struct bench *bench, unsigned depth, bool objects, const char *inner)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 16u << 20);
    for (unsigned i = 0; i < depth; i++)
        fb_buffer_add_z(&text, objects ? "{\"a\":" : "[");
    fb_buffer_add_z(&text, inner);
    for (unsigned i = 0; i < depth; i++)
        fb_buffer_add_char(&text, objects ? '}' : ']');
    struct fb_span span = fb_arena_copy(&bench->arena, fb_buffer_span(&text));
    fb_buffer_release(&text);
    return span;
}

static bool read_deep(struct bench *bench, struct fb_span text, const char **code)
{
    struct fb_json json;
    struct fb_value value;
    struct fb_json_limits limits = FB_JSON_LIMITS;
    limits.depth = 1000;
    fb_json_init(&json, text, &bench->arena, limits);
    fb_json_next(&json);
    bool read = fb_value_read_json(&json, &bench->arena, NULL, (struct fb_type_hint){0}, &value);
    *code = json.error_code;
    return read;
}

static void limits_depth(void **state)
{
    struct bench *bench = *state;
    const char *code;
    for (int objects = 0; objects < 2; objects++) {
        assert_true(read_deep(bench, nested(bench, FB_VALUE_DEPTH, objects, "1"), &code));
        assert_false(read_deep(bench, nested(bench, FB_VALUE_DEPTH + 1, objects, "1"), &code));
        assert_string_equal(code, "entity.too_deep");
        assert_false(read_deep(bench, nested(bench, 999, objects, "1"), &code));
        assert_string_equal(code, "entity.too_deep");
        /* Escapes are values, not levels. */
        assert_true(read_deep(bench, nested(bench, FB_VALUE_DEPTH, objects, ENTITY("U", "a")), &code));
        assert_true(read_deep(bench, nested(bench, FB_VALUE_DEPTH, objects, EXTN("ip", "::1")), &code));
        assert_true(read_deep(bench, nested(bench, FB_VALUE_DEPTH, objects, "{\"__extn\":{\"fn\":\"offset\",\"args\":["
                              EXTN("datetime", "1970-01-01") "," EXTN("duration", "5ms") "]}}"), &code));
    }
    /* A record has no more levels for its key being an escape's. */
    assert_true(read_deep(bench, nested(bench, FB_VALUE_DEPTH - 1, true, "{\"__entity\":1}"), &code));
    assert_false(read_deep(bench, nested(bench, FB_VALUE_DEPTH, true, "{\"__entity\":1}"), &code));
    assert_false(read_deep(bench, nested(bench, FB_VALUE_DEPTH - 1, false, "{\"__entity\":[1]}"), &code));
    assert_string_equal(code, "entity.too_deep");
    assert_false(read_deep(bench, nested(bench, 900, true, "1"), &code));
    /* Escapes in escapes do not help. */
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 16u << 20);
    for (int i = 0; i < 450; i++)
        fb_buffer_add_z(&text, "{\"__extn\":{\"args\":");
    assert_false(read_deep(bench, fb_buffer_span(&text), &code));
    assert_string_equal(code, "entity.too_deep");
    fb_buffer_release(&text);
}

/* What the reader's depth lets through is encoded, so nothing is lost on the way to a store. */
static void encodes_what_it_reads(void **state)
{
    struct bench *bench = *state;
    static const char *const leaves[] = {"1", ENTITY("U", "a"), EXTN("ip", "::1"), "[1]"};
    for (size_t i = 0; i < 4; i++)
        for (unsigned depth = FB_VALUE_DEPTH - 2; depth <= FB_VALUE_DEPTH; depth++) {
            struct fb_span value = nested(bench, depth, false, leaves[i]);
            struct fb_span json = fb_arena_format(
                &bench->arena, "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"x\":%.*s},\"parents\":[]}]", (int)value.len,
                value.ptr);
            struct fb_entity_set *set = read_set(bench, fb_arena_text(&bench->arena, json), NULL);
            /* The attributes are a level, "[1]" is one more. */
            assert_int_equal(set != NULL, 1 + depth + (i == 3) <= FB_VALUE_DEPTH);
            if (set == NULL)
                continue;
            struct fb_entity entity;
            fb_entity_set_at(set, 0, &entity);
            struct fb_entity_parts parts = {.uid = entity.uid,
                                            .attrs = fb_value_of_record(entity.attrs),
                                            .tags = fb_value_of_record(entity.tags)};
            assert_non_null(fb_entity_encode(&bench->arena, &parts));
        }
}

/* Every prefix of a text that has everything: none is read, none reads beyond its end. */
static void survives_truncation(void **state)
{
    struct bench *bench = *state;
    static const char whole[] =
        "[{\"uid\":{\"__entity\":{\"type\":\"Doc\",\"id\":\"\\u00e9\"}},\"attrs\":{\"a\":[1,-2,{\"b\":true}],\"c\":" EXTN("ip", "::1")
        ",\"d\":{\"__extn\":{\"fn\":\"offset\",\"args\":[" EXTN("datetime", "1970-01-01") "," EXTN("duration", "1h")
        "]}}},\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"t\":\"x\\n\"},\"more\":[{}]}]";
    for (size_t len = 0; len <= sizeof whole - 1; len++) {
        char *cut = malloc(len != 0 ? len : 1);
        memcpy(cut, whole, len);
        struct fb_source source = {FB_SPAN("x"), fb_span(cut, len)};
        fb_diags_init(&bench->diags, &bench->arena);
        bool read = fb_entity_set_read_json(fb_entity_set_new(&bench->arena), &source, NULL, &bench->diags);
        assert_int_equal(read, len == sizeof whole - 1);
        free(cut);
        fb_arena_clear(&bench->arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(reads_values),  BENCH_TEST(reads_by_schema), BENCH_TEST(reads_entities_by_schema),
        BENCH_TEST(report_places), BENCH_TEST(limits_depth),    BENCH_TEST(encodes_what_it_reads),
        BENCH_TEST(survives_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
