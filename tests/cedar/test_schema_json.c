/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

/* Schemas as JSON.  forms.mjs holds them against the official engine and the corpus; here are the forms
 * themselves, the faults and their places. */

static const char *translated(struct bench *bench, const char *text, enum fb_schema_form form)
{
    fb_buffer_clear(&bench->out);
    fb_diags_init(&bench->diags, &bench->arena);
    if (!fb_schema_translate(&bench->out, &bench->arena, source_of(bench, fb_span_z(text)), form, &bench->diags))
        fail_msg("%s\n%s", text, diags_text(bench));
    assert_false(bench->out.failed);
    const char *copy = fb_arena_text(&bench->arena, fb_buffer_span(&bench->out));
    assert_non_null(copy);
    return copy;
}

static void writes(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *text, *json, *resolved;
    } rows[] = {
        {"", "{}", "{}"},
        {"namespace N {}", "{\"N\":{\"entityTypes\":{},\"actions\":{}}}", "{\"N\":{\"entityTypes\":{},\"actions\":{}}}"},
        {"type T = Set<Long>;", "{\"\":{\"commonTypes\":{\"T\":{\"type\":\"Set\",\"element\":{\"type\":\"EntityOrCommon\",\"name\":\"Long\"}}},"
         "\"entityTypes\":{},\"actions\":{}}}",
         "{\"\":{\"commonTypes\":{\"T\":{\"type\":\"Set\",\"element\":{\"type\":\"Long\"}}},\"entityTypes\":{},\"actions\":{}}}"},
        {"@x(\"y\") namespace N { @f action a in [b] appliesTo {principal: E, resource: [E], context: C}; action b; entity E enum [\"i\"]; "
         "type C = {@q a?: E, \"b c\": C2}; type C2 = ipaddr; }",
         "{\"N\":{\"commonTypes\":{\"C\":{\"type\":\"Record\",\"attributes\":{\"a\":{\"type\":\"EntityOrCommon\",\"name\":\"E\",\"annotations\":"
         "{\"q\":\"\"},\"required\":false},\"b c\":{\"type\":\"EntityOrCommon\",\"name\":\"C2\"}}},\"C2\":{\"type\":\"EntityOrCommon\",\"name\":"
         "\"ipaddr\"}},\"entityTypes\":{\"E\":{\"enum\":[\"i\"]}},\"actions\":{\"a\":{\"appliesTo\":{\"resourceTypes\":[\"E\"],"
         "\"principalTypes\":[\"E\"],\"context\":{\"type\":\"C\"}},\"memberOf\":[{\"id\":\"b\"}],\"annotations\":{\"f\":\"\"}},\"b\":"
         "{\"appliesTo\":{\"resourceTypes\":[],\"principalTypes\":[]}}},\"annotations\":{\"x\":\"y\"}}}",
         "{\"N\":{\"commonTypes\":{\"C\":{\"type\":\"Record\",\"attributes\":{\"a\":{\"type\":\"Entity\",\"name\":\"N::E\",\"annotations\":"
         "{\"q\":\"\"},\"required\":false},\"b c\":{\"type\":\"N::C2\"}}},\"C2\":{\"type\":\"ipaddr\"}},\"entityTypes\":{\"E\":"
         "{\"enum\":[\"i\"]}},\"actions\":{\"a\":{\"appliesTo\":{\"resourceTypes\":[\"N::E\"],\"principalTypes\":[\"N::E\"],\"context\":"
         "{\"type\":\"N::C\"}},\"memberOf\":[{\"id\":\"b\",\"type\":\"N::Action\"}],\"annotations\":{\"f\":\"\"}},\"b\":{\"appliesTo\":"
         "{\"resourceTypes\":[],\"principalTypes\":[]}}},\"annotations\":{\"x\":\"y\"}}}"},
        {"entity A, B in [A] { a: Long, a: String } tags Bool;",
         "{\"\":{\"entityTypes\":{\"A\":{\"memberOfTypes\":[\"A\"],\"shape\":{\"type\":\"Record\",\"attributes\":{\"a\":{\"type\":"
         "\"EntityOrCommon\",\"name\":\"String\"}}},\"tags\":{\"type\":\"EntityOrCommon\",\"name\":\"Bool\"}},\"B\":{\"memberOfTypes\":[\"A\"],"
         "\"shape\":{\"type\":\"Record\",\"attributes\":{\"a\":{\"type\":\"EntityOrCommon\",\"name\":\"String\"}}},\"tags\":{\"type\":"
         "\"EntityOrCommon\",\"name\":\"Bool\"}}},\"actions\":{}}}",
         NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(translated(bench, rows[i].text, FB_SCHEMA_JSON), rows[i].json);
        if (rows[i].resolved != NULL)
            assert_string_equal(translated(bench, rows[i].text, FB_SCHEMA_JSON_RESOLVED), rows[i].resolved);
        /* And there again: the text of the JSON has the same meaning. */
        const char *text = translated(bench, rows[i].json, FB_SCHEMA_TEXT);
        assert_string_equal(translated(bench, text, FB_SCHEMA_JSON_RESOLVED),
                            translated(bench, rows[i].text, FB_SCHEMA_JSON_RESOLVED));
    }
}

static void prints(void **state)
{
    struct bench *bench = *state;
    const char *text = translated(bench,
                                  "{\"\":{\"entityTypes\":{\"U\":{\"shape\":{\"type\":\"Record\",\"attributes\":{\"n\":{\"type\":\"Long\"},\"if\":"
                                  "{\"type\":\"Extension\",\"name\":\"ipaddr\",\"required\":false}}}}},\"actions\":{\"go\":{\"appliesTo\":"
                                  "{\"principalTypes\":[\"U\"],\"resourceTypes\":[\"U\"]}}}},\"N\":{\"entityTypes\":{\"V\":{}},\"actions\":{\"in\":"
                                  "{}},\"annotations\":{\"doc\":\"x\"}}}",
                                  FB_SCHEMA_TEXT);
    assert_string_equal(text, "entity U = {\n  n: __cedar::Long,\n  \"if\"?: __cedar::ipaddr\n};\n\n"
                              "action \"go\" appliesTo {\n  principal: [U],\n  resource: [U]\n};\n\n"
                              "@doc(\"x\")\nnamespace N {\n  entity V;\n\n  action \"in\";\n}\n");
}

/* What a path of each kind may mean. */
static void tells_references_apart(void **state)
{
    struct bench *bench = *state;
    const char *json = "{\"\":{\"commonTypes\":{\"X\":{\"type\":\"Long\"},\"Long2\":{\"type\":\"Bool\"}},\"entityTypes\":{\"X\":{},\"U\":{\"shape\":"
                       "{\"type\":\"Record\",\"attributes\":{\"a\":{\"type\":\"Entity\",\"name\":\"X\"},\"b\":{\"type\":\"X\"},\"c\":"
                       "{\"type\":\"EntityOrCommon\",\"name\":\"X\"},\"d\":{\"type\":\"Long2\"}}}}},\"actions\":{}}}";
    const struct fb_schema *schema = fb_schema_read_json(&bench->arena, source_of(bench, fb_span_z(json)), &bench->diags);
    if (schema == NULL)
        fail_msg("%s", diags_text(bench));
    const struct fb_type *shape = fb_schema_type(schema, FB_SPAN("U"))->shape;
    static const enum fb_type_kind kinds[] = {FB_T_ENTITY, FB_T_LONG, FB_T_LONG, FB_T_BOOL};
    for (int i = 0; i < 4; i++)
        assert_int_equal(shape->attributes[i].type->kind, kinds[i]);
}

#define TYPE(type) "{\"\":{\"entityTypes\":{\"U\":{\"shape\":{\"type\":\"Record\",\"attributes\":{\"a\":" type "}}}},\"actions\":{}}}"
#define ENTITY(body) "{\"\":{\"entityTypes\":{\"U\":" body "},\"actions\":{}}}"
#define ACTION(body) "{\"\":{\"entityTypes\":{\"U\":{}},\"actions\":{\"a\":" body "}}}"

static void refuses(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *json, *code, *at;
    } rows[] = {
        {"", "json.unfinished", ""},
        {"[]", "json.type", "["},
        {"{} 1", "json.unexpected", "1"},
        {"{\"\":{}}", "json.missing", "{}"},
        {"{\"\":{\"entityTypes\":{}}}", "json.missing", "{\"entity"},
        {"{\"N ::M\":{\"entityTypes\":{},\"actions\":{}}}", "json.type_name", "\"N ::M"},
        {"{\"__cedar\":{\"entityTypes\":{},\"actions\":{}}}", "json.type_name", "\"__cedar"},
        {"{\"\":{\"entityTypes\":{},\"actions\":{},\"x\":1}}", "json.unknown", "\"x"},
        {"{\"\":{\"entityTypes\":{},\"actions\":{},\"annotations\":{\"a\":\"b\"}}}", "schema.annotations", "\"annotations"},
        {"{\"\":{\"entityTypes\":{},\"actions\":{},\"commonTypes\":{\"Long\":{\"type\":\"String\"}}}}", "schema.reserved", "\"Long"},
        {ENTITY("{\"x\":1}"), "json.unknown", "\"x"},
        {ENTITY("{\"enum\":[]}"), "schema.enum", "\"enum"},
        {ENTITY("{\"enum\":[\"a\"],\"tags\":{\"type\":\"Long\"}}"), "schema.enum", "\"U\""},
        {ENTITY("{\"shape\":{\"type\":\"Long\"}}"), "schema.shape", "\"Long"},
        {ENTITY("{\"shape\":null}"), "json.type", "null"},
        {ENTITY("{\"memberOfTypes\":[\"V\"]}"), "schema.unknown_type", "\"V"},
        {ENTITY("{\"memberOfTypes\":[\"V V\"]}"), "json.type_name", "\"V V"},
        {TYPE("5"), "json.type", "5"},
        {TYPE("{}"), "json.type", "{}"},
        {TYPE("{\"type\":5}"), "json.type", "5"},
        {TYPE("{\"type\":\"U\"}"), "schema.unknown_type", "\"U\"}"},
        {TYPE("{\"type\":\"Entity\",\"name\":\"Long\"}"), "schema.unknown_type", "\"Entity"},
        {TYPE("{\"type\":\"Entity\"}"), "json.type", "\"Entity"},
        {TYPE("{\"type\":\"Extension\",\"name\":\"ip\"}"), "json.type", "\"Extension"},
        {TYPE("{\"type\":\"Set\"}"), "json.type", "\"Set"},
        {TYPE("{\"type\":\"Long\",\"element\":{\"type\":\"Long\"}}"), "json.type", "\"Long\",\"el"},
        {TYPE("{\"type\":\"Record\"}"), "json.type", "\"Record\"}"},
        {TYPE("{\"type\":\"Record\",\"attributes\":{},\"additionalAttributes\":true}"), "json.type", "\"Record\",\"attributes\":{},"},
        {TYPE("{\"type\":\"Long\",\"required\":null}"), "json.type", "null"},
        {TYPE("{\"type\":\"Set\",\"element\":{\"type\":\"Long\",\"required\":true}}"), "json.unknown", "\"required"},
        {ACTION("{\"attributes\":{}}"), "schema.attributes", "{}"},
        {ACTION("{\"memberOf\":[{\"type\":\"Action\"}]}"), "json.missing", "{\"type"},
        {ACTION("{\"memberOf\":[{\"id\":\"b\"}]}"), "schema.unknown_action", "{"},
        {ACTION("{\"appliesTo\":{\"principalTypes\":[\"U\"]}}"), "schema.applies_to", "{\"principal"},
        {ACTION("{\"appliesTo\":{\"principalTypes\":[\"U\"],\"resourceTypes\":[\"U\"],\"context\":{\"type\":\"Long\"}}}"), "schema.context", "\"Long"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fb_diags_init(&bench->diags, &bench->arena);
        if (fb_schema_read_json(&bench->arena, source_of(bench, fb_span_z(rows[i].json)), &bench->diags) != NULL)
            fail_msg("read: %s", rows[i].json);
        if (strcmp(first_code(bench), rows[i].code) != 0)
            fail_msg("%s\n%s", rows[i].json, diags_text(bench));
        if (strncmp(rows[i].json + bench->diags.list[0].range.start, rows[i].at, strlen(rows[i].at)) != 0)
            fail_msg("%s\n%s", rows[i].json, diags_text(bench));
    }
}

static void limits_depth(void **state)
{
    struct bench *bench = *state;
    const char *set = "{\"type\":\"Set\",\"element\":";
    struct fb_span head = repeated(bench, "{\"\":{\"commonTypes\":{\"T\":", set, FB_CEDAR_DEPTH - 1, "{\"type\":\"Long\"}");
    const char *tail = "},\"entityTypes\":{},\"actions\":{}}}";
    struct fb_span good = repeated(bench, fb_arena_text(&bench->arena, head), "}", FB_CEDAR_DEPTH - 1, tail);
    assert_non_null(fb_schema_read_json(&bench->arena, source_of(bench, good), &bench->diags));
    struct fb_span deep = repeated(bench, "{\"\":{\"commonTypes\":{\"T\":", set, 100000, "");
    assert_null(fb_schema_read_json(&bench->arena, source_of(bench, deep), &bench->diags));
    assert_string_equal(first_code(bench), "parse.too_deep");
}

static void survives_failing_memory(void **state)
{
    (void)state;
    const char *json = "{\"N\":{\"commonTypes\":{\"C\":{\"type\":\"Set\",\"element\":{\"type\":\"Long\"}}},\"entityTypes\":{\"U\":"
                       "{\"memberOfTypes\":[\"U\"],\"shape\":{\"type\":\"Record\",\"attributes\":{\"a\":{\"type\":\"C\",\"annotations\":"
                       "{\"x\":null}}}}},\"E\":{\"enum\":[\"a\"]}},\"actions\":{\"g\":{},\"a\":{\"memberOf\":[{\"id\":\"g\"}],"
                       "\"appliesTo\":{\"principalTypes\":[\"U\"],\"resourceTypes\":[\"E\"]}}}}}";
    bool more = true;
    for (size_t fail_at = 1; more; fail_at++) {
        struct failing_allocator failing;
        struct bench bench;
        failing_init(&failing, fail_at);
        bench_init(&bench, &failing.allocator);
        struct fb_source source = {.name = FB_SPAN("test"), .text = fb_span_z(json)};
        bool read = fb_schema_read_json(&bench.arena, &source, &bench.diags) != NULL;
        more = failing.calls >= fail_at;
        assert_true(read != more);
        bench_release(&bench);
        assert_int_equal(failing.blocks_out, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {BENCH_TEST(survives_failing_memory), BENCH_TEST(writes), BENCH_TEST(prints), BENCH_TEST(tells_references_apart),
                                       BENCH_TEST(refuses), BENCH_TEST(limits_depth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
