/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

/* Policies as JSON.  That the official engine writes and reads the same is forms.mjs's to show; here are
 * the forms themselves, the faults and their places, and the limits. */

static bool read_text(struct bench *bench, struct fb_policy_set *set, struct fb_span text)
{
    fb_policy_set_init(set, &bench->arena);
    return fb_policy_set_read(set, source_of(bench, text), &bench->diags);
}

static bool read_json(struct bench *bench, struct fb_policy_set *set, struct fb_span json)
{
    fb_policy_set_init(set, &bench->arena);
    return fb_policy_set_read_json(set, source_of(bench, json), &bench->diags);
}

static struct fb_span json_of(struct bench *bench, const struct fb_policy_set *set)
{
    fb_buffer_clear(&bench->out);
    fb_policy_set_write_json(&bench->out, set);
    assert_false(bench->out.failed);
    return fb_arena_copy(&bench->arena, fb_buffer_span(&bench->out));
}

#define HEAD "{\"effect\":\"permit\",\"principal\":{\"op\":\"All\"},\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"All\"},\"conditions\":["
#define WHEN(body) HEAD "{\"kind\":\"when\",\"body\":" body "}]}"

static void writes_and_reads(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"1 + 2 + 3", "{\"+\":{\"left\":{\"+\":{\"left\":{\"Value\":1},\"right\":{\"Value\":2}}},\"right\":{\"Value\":3}}}"},
        {"-9223372036854775808", "{\"Value\":-9223372036854775808}"},
        {"-(1)", "{\"neg\":{\"arg\":{\"Value\":1}}}"},
        {"context has a", "{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":\"a\"}}"},
        {"context has a.b.c", "{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[\"a\",\"b\",\"c\"]}}"},
        {"context has \"a b\"", "{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":\"a b\"}}"},
        {"context.a[\"b c\"]", "{\".\":{\"left\":{\".\":{\"left\":{\"Var\":\"context\"},\"attr\":\"a\"}},\"attr\":\"b c\"}}"},
        {"\"x\" like \"a*\\*\\u{e9}\"", "{\"like\":{\"left\":{\"Value\":\"x\"},\"pattern\":[{\"Literal\":\"a\"},\"Wildcard\",{\"Literal\":\"*\"},"
                                        "{\"Literal\":\"\u00e9\"}]}}"},
        {"principal is N::U in U::\"a\"", "{\"is\":{\"left\":{\"Var\":\"principal\"},\"entity_type\":\"N::U\",\"in\":{\"Value\":{\"__entity\":"
                                          "{\"type\":\"U\",\"id\":\"a\"}}}}}"},
        {"if true then [1] else {a: 1, \"b c\": \"\\n\"}",
         "{\"if-then-else\":{\"if\":{\"Value\":true},\"then\":{\"Set\":[{\"Value\":1}]},\"else\":{\"Record\":{\"a\":{\"Value\":1},"
         "\"b c\":{\"Value\":\"\\n\"}}}}}"},
        {"ip(\"::1\").isInRange(ip(\"::1\"))", "{\"isInRange\":[{\"ip\":[{\"Value\":\"::1\"}]},{\"ip\":[{\"Value\":\"::1\"}]}]}"},
        {"ip()", "{\"ip\":[]}"},
        {"[].isEmpty()", "{\"isEmpty\":{\"arg\":{\"Set\":[]}}}"},
        {"principal.hasTag(\"a\")", "{\"hasTag\":{\"left\":{\"Var\":\"principal\"},\"right\":{\"Value\":\"a\"}}}"},
        {"!(1 != 2 || 3 >= 4)", "{\"!\":{\"arg\":{\"||\":{\"left\":{\"!=\":{\"left\":{\"Value\":1},\"right\":{\"Value\":2}}},\"right\":"
                                "{\">=\":{\"left\":{\"Value\":3},\"right\":{\"Value\":4}}}}}}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fb_buffer_clear(&bench->out);
        fb_expr_write_json(&bench->out, expr_of(bench, fb_span_z(rows[i].text)));
        assert_string_equal(bench->out.ptr, rows[i].json);
        struct fb_policy_set set;
        struct fb_span whole = fb_arena_format(&bench->arena, HEAD "{\"kind\":\"when\",\"body\":%s}]}", rows[i].json);
        if (!read_json(bench, &set, whole))
            fail_msg("%s\n%s", rows[i].json, diags_text(bench));
        assert_true(fb_expr_eq(set.policies[0]->conditions[0].body, expr_of(bench, fb_span_z(rows[i].text))));
    }
}

/* What only JSON can say, or says in more than one way, as the text that it means. */
static void reads_other_forms(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *json, *text;
    } rows[] = {
        {"{\"Value\":[2,1,1]}", "[2, 1, 1]"},
        {"{\"Value\":{\"a\":{\"b\":true}}}", "{a: {b: true}}"},
        {"{\"Value\":{\"__entity\":5}}", "{\"__entity\": 5}"},
        {"{\"Value\":{\"__entity\":{\"id\":\"a\",\"type\":\"U\",\"z\":1}}}", "U::\"a\""},
        {"{\"Value\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}}}", "ip(\"::1\")"},
        {"{\"Value\":{\"__extn\":{\"fn\":\"isInRange\",\"args\":[1,{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}}]}}}",
         "1.isInRange(ip(\"::1\"))"},
        {"{\"Value\":{\"__extn\":{\"fn\":\"ip\",\"args\":\"::1\"}}}", "{\"__extn\": {fn: \"ip\", args: \"::1\"}}"},
        {"{\"&&\":{\"right\":{\"Value\":2},\"left\":{\"Value\":1}}}", "1 && 2"},
        {"{\"+\":{\"right\":{\"Value\":3},\"left\":{\"-\":{\"left\":{\"Value\":1},\"right\":{\"Value\":2}}}}}", "1 - 2 + 3"},
        {"{\"has\":{\"attr\":[\"a\"],\"left\":{\"Var\":\"context\"}}}", "context has a"},
        {"{\"has\":{\"attr\":[\"b c\"],\"left\":{\"Var\":\"context\"}}}", "context has \"b c\""},
        {"{\"like\":{\"pattern\":[{\"Literal\":\"ab\"},{\"Wildcard\":null},\"Wildcard\",{\"Literal\":\"*c\"}],\"left\":{\"Value\":\"\"}}}",
         "\"\" like \"ab**\\*c\""},
        {"{\"is\":{\"entity_type\":\"U\",\"left\":{\"Var\":\"context\"},\"in\":null}}", "context is U"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_policy_set set;
        if (!read_json(bench, &set, fb_arena_format(&bench->arena, HEAD "{\"kind\":\"when\",\"body\":%s}]}", rows[i].json)))
            fail_msg("%s\n%s", rows[i].json, diags_text(bench));
        if (!fb_expr_eq(set.policies[0]->conditions[0].body, expr_of(bench, fb_span_z(rows[i].text))))
            fail_msg("%s", rows[i].json);
    }
}

/* A path of names that are no identifiers is JSON's alone: the text says what it
 * means.  Nested that doubles, which the buffer must end. */
static void writes_paths_apart(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *json, *text;
    } rows[] = {
        {"{\"has\":{\"attr\":[\"a\",\"b c\"],\"left\":{\"Var\":\"context\"}}}", "(context has a && context.a has \"b c\")"},
        {"{\"has\":{\"attr\":[\"if\",\"b\",\"\"],\"left\":{\"neg\":{\"arg\":{\"Value\":1}}}}}",
         "(-(1) has \"if\" && (-(1))[\"if\"] has b && (-(1))[\"if\"].b has \"\")"},
    };
    struct fb_policy_set set;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_span json = fb_arena_format(&bench->arena, HEAD "{\"kind\":\"when\",\"body\":%s}]}", rows[i].json);
        assert_true(read_json(bench, &set, json));
        fb_buffer_clear(&bench->out);
        fb_expr_print(&bench->out, set.policies[0]->conditions[0].body);
        fb_buffer_add_char(&bench->out, '\0');
        assert_string_equal(bench->out.ptr, rows[i].text);
        assert_non_null(expr_of(bench, fb_span_z(rows[i].text)));
    }
    struct fb_span head = repeated(bench, HEAD "{\"kind\":\"when\",\"body\":", "{\"has\":{\"left\":", 100, "{\"Value\":1}");
    assert_true(read_json(bench, &set, repeated(bench, fb_arena_text(&bench->arena, head), ",\"attr\":[\"a b\",\"c\"]}}", 100, "}]}")));
    struct fb_buffer small;
    fb_buffer_init(&small, &fb_heap, 1u << 16);
    fb_expr_print(&small, set.policies[0]->conditions[0].body);
    assert_true(small.failed);
    fb_buffer_release(&small);
}

static const char whole_set[] =
    "@id(\"x\") @flag @empty(\"\") permit (principal == U::\"a\", action in [Action::\"a\", N::Action::\"b\"], resource in R::\"r\") "
    "when { true } unless { false };"
    "forbid (principal is U, action == Action::\"a\", resource is R in R::\"r\");"
    "permit (principal is U in ?principal, action in [], resource);"
    "permit (principal == ?principal, action in Action::\"a\", resource in ?resource);";

static void keeps_sets(void **state)
{
    struct bench *bench = *state;
    struct fb_policy_set set, again;
    const char *error;
    assert_true(read_text(bench, &set, fb_span_z(whole_set)));
    const struct fb_uid *uid = fb_uid_new(&bench->arena, FB_SPAN("U"), FB_SPAN("u"));
    assert_non_null(fb_policy_set_link(&set, FB_SPAN("policy2"), FB_SPAN("one"), uid, NULL, &error));
    assert_non_null(fb_policy_set_link(&set, FB_SPAN("policy3"), FB_SPAN("two"), uid, uid, &error));
    struct fb_span json = json_of(bench, &set);
    if (!read_json(bench, &again, json))
        fail_msg("%s", diags_text(bench));
    assert_int_equal(again.count, set.count);
    assert_int_equal(again.links_count, 2);
    for (size_t i = 0; i < set.count; i++)
        assert_true(fb_policy_eq(set.policies[i], fb_policy_set_find(&again, set.policies[i]->id)));
    assert_true(fb_span_eq(json_of(bench, &again), json));
    assert_true(fb_policy_set_rename(&again, &bench->diags));
    assert_non_null(fb_policy_set_find(&again, FB_SPAN("x")));
    assert_ptr_equal(again.links[0]->template_, fb_policy_set_find(&again, FB_SPAN("policy2")));
}

static void refuses(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *json, *code, *at;   /* `at`: where the place begins */
    } rows[] = {
        {"", "json.unfinished", ""},
        {"5", "json.type", "5"},
        {"{}", "json.missing", "}"},
        {"{\"nosuch\":1}", "json.unknown", "\"nosuch"},
        {HEAD "]", "json.unfinished", ""},
        {HEAD "],\"id\":1}", "json.unknown", "\"id\""},
        {"{\"effect\":\"allow\"}", "json.unknown", "\"allow\""},
        {"{\"effect\":\"permit\"}", "json.missing", "{"},
        {"{\"effect\":\"permit\",\"principal\":{}}", "json.missing", "{}"},
        {"{\"effect\":\"permit\",\"principal\":{\"op\":\"==\"}}", "json.missing", "{\"op"},
        {"{\"effect\":\"permit\",\"principal\":{\"op\":\"==\",\"slot\":\"?resource\"}}", "parse.slot", "\"?resource"},
        {"{\"effect\":\"permit\",\"principal\":{\"op\":\"==\",\"slot\":\"?x\"}}", "json.unknown", "\"?x"},
        {"{\"effect\":\"permit\",\"principal\":{\"op\":\"is\",\"entity_type\":\"A b\"}}", "json.type_name", "\"A b"},
        {"{\"effect\":\"permit\",\"principal\":{\"op\":\"is\",\"entity_type\":\"A\",\"x\":1}}", "json.ignored", "\"x"},
        {"{\"effect\":\"permit\",\"action\":{\"op\":\"is\"}}", "json.unknown", "{\"op"},
        {"{\"effect\":\"permit\",\"action\":{\"op\":\"==\",\"slot\":\"?principal\"}}", "parse.slot", "\"?principal"},
        {"{\"effect\":\"permit\",\"action\":{\"op\":\"==\",\"entity\":{\"type\":\"U\",\"id\":\"a\"}}}", "parse.action_type", "{\"op"},
        {"{\"effect\":\"permit\",\"annotations\":{\"a b\":\"\"}}", "json.annotation", "\"a b"},
        {"{\"effect\":\"permit\",\"annotations\":{\"a\":1}}", "json.type", "1"},
        {HEAD "{\"kind\":\"where\"}]}", "json.unknown", "\"where"},
        {HEAD "{\"kind\":\"when\"}]}", "json.missing", "{\"kind"},
        {WHEN("{}"), "json.missing", "}"},
        {WHEN("[]"), "json.type", "["},
        {WHEN("{\"Value\":null}"), "json.null", "null"},
        {WHEN("{\"Value\":1.5}"), "json.number", "1.5"},
        {WHEN("{\"Value\":9223372036854775808}"), "json.number", "9223372036854775808"},
        {WHEN("{\"Value\":{\"__expr\":\"1\"}}"), "json.escape", "{\"__expr"},
        {WHEN("{\"Value\":{\"__extn\":{\"fn\":\"nosuch\",\"arg\":1}}}"), "json.unknown", "\"nosuch"},
        {WHEN("{\"Value\":1,\"Var\":\"context\"}"), "json.type", "\"Var\""},
        {WHEN("{\"Var\":\"prinzipal\"}"), "json.unknown", "\"prinzipal"},
        {WHEN("{\"Slot\":\"?principal\"}"), "parse.slot", "\"Slot"},
        {WHEN("{\"!\":{\"arg\":{\"Value\":1},\"x\":1}}"), "json.unknown", "\"x"},
        {WHEN("{\"==\":{\"left\":{\"Value\":1}}}"), "json.missing", "\"=="},
        {WHEN("{\"&&\":{\"right\":{\"Value\":1}}}"), "json.missing", "\"&&"},
        {WHEN("{\"&&\":{\"left\":{\"Value\":1},\"left\":{\"Value\":1}}}"), "json.duplicate_key", "\"left\":{\"Value\":1}}}"},
        {WHEN("{\"has\":{\"left\":{\"Value\":1},\"attr\":[]}}"), "json.type", "]"},
        {WHEN("{\"like\":{\"left\":{\"Value\":1},\"pattern\":\"a\"}}"), "json.type", "\"a\""},
        {WHEN("{\"like\":{\"left\":{\"Value\":1},\"pattern\":[\"wildcard\"]}}"), "json.unknown", "\"wildcard"},
        {WHEN("{\"isIpv4\":[]}"), "json.missing", "\"isIpv4"},
        {WHEN("{\"isIPv4\":[]}"), "json.unknown", "\"isIPv4"},
        {"{\"staticPolicies\":{\"a\":" HEAD "]},\"a\":" HEAD "]}}}", "json.duplicate_key", "\"a\":" HEAD "]}}}"},
        {"{\"templates\":{\"a\":" HEAD "]}}}", "json.template", "\"a\""},
        {"{\"templateLinks\":[{\"newId\":\"a\",\"values\":{}}]}", "json.missing", "{\"newId"},
        {"{\"templateLinks\":[{\"newId\":\"a\",\"templateId\":\"b\",\"values\":{}}]}", "json.link", "{\"newId"},
        {"{\"staticPolicies\":{\"a\":" HEAD "]}},\"templates\":{\"a\":{\"effect\":\"permit\",\"principal\":{\"op\":\"==\",\"slot\":\"?principal\"},"
         "\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"All\"},\"conditions\":[]}}}", "policy.duplicate_id", "\"a\":{\"effect\":\"permit\",\"principal\":{\"op\":\"==\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_policy_set set;
        fb_diags_init(&bench->diags, &bench->arena);
        if (read_json(bench, &set, fb_span_z(rows[i].json)))
            fail_msg("read: %s", rows[i].json);
        if (strcmp(first_code(bench), rows[i].code) != 0 || (bench->diags.errors != 1))
            fail_msg("%s\n%s", rows[i].json, diags_text(bench));
        struct fb_range range = bench->diags.list[0].range;
        if (strncmp(rows[i].json + range.start, rows[i].at, strlen(rows[i].at)) != 0)
            fail_msg("%s\n%s", rows[i].json, diags_text(bench));
    }
}

static void limits(void **state)
{
    struct bench *bench = *state;
    struct fb_policy_set set;
    struct {
        const char *open, *inner, *close;
        size_t count;
        bool good;
    } rows[] = {
        {"{\"&&\":{\"left\":", "{\"Value\":true}", ",\"right\":{\"Value\":true}}}", FB_EXPR_SPINE, true},
        {"{\"&&\":{\"left\":", "{\"Value\":true}", ",\"right\":{\"Value\":true}}}", FB_EXPR_SPINE + 1, false},
        {"{\"&&\":{\"right\":", "{\"Value\":true}", ",\"left\":{\"Value\":true}}}", 900, true},
        {"{\"&&\":{\"right\":", "{\"Value\":true}", ",\"left\":{\"Value\":true}}}", 5000, false},
        {"{\".\":{\"left\":", "{\"Var\":\"context\"}", ",\"attr\":\"a\"}}", FB_EXPR_HEIGHT - 1, true},
        {"{\".\":{\"left\":", "{\"Var\":\"context\"}", ",\"attr\":\"a\"}}", FB_EXPR_HEIGHT, false},
        {"{\"Set\":[", "", "]}", 5000, false},
        {"{\"Value\":", "[", "]", 1, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fb_diags_init(&bench->diags, &bench->arena);
        struct fb_span head = repeated(bench, HEAD "{\"kind\":\"when\",\"body\":", rows[i].open, rows[i].count, rows[i].inner);
        struct fb_span text = repeated(bench, fb_arena_text(&bench->arena, head), rows[i].close, rows[i].count, "}]}");
        if (read_json(bench, &set, text) != rows[i].good)
            fail_msg("row %zu\n%s", i, diags_text(bench));
        if (rows[i].good)
            assert_true(read_json(bench, &set, json_of(bench, &set)));
    }
    struct fb_span deep = repeated(bench, WHEN("{\"Value\":1}") "", "[", 100000, "");
    assert_false(read_json(bench, &set, deep));
    assert_false(read_json(bench, &set, repeated(bench, HEAD "{\"kind\":\"when\",\"body\":{\"Value\":", "[", 100000, "")));
}

/* Every prefix is refused, and nothing is read beyond its end. */
static void survives_truncation(void **state)
{
    struct bench *bench = *state;
    struct fb_policy_set set;
    assert_true(read_text(bench, &set, fb_span_z(whole_set)));
    struct fb_span json = json_of(bench, &set);
    for (size_t n = 0; n < json.len; n++) {
        char *cut = malloc(n != 0 ? n : 1);
        memcpy(cut, json.ptr, n);
        struct fb_source source = {.name = FB_SPAN("cut"), .text = fb_span(cut, n)};
        struct fb_diags diags;
        fb_diags_init(&diags, &bench->arena);
        fb_policy_set_init(&set, &bench->arena);
        assert_false(fb_policy_set_read_json(&set, &source, &diags));
        assert_true(diags.errors > 0);
        free(cut);
    }
}

/* Every allocation fails once: never a crash, and never a success without everything. */
static void survives_failing_memory(void **state)
{
    struct bench *whole = *state;
    struct fb_policy_set set;
    assert_true(read_text(whole, &set, fb_span_z(whole_set)));
    struct fb_span json = json_of(whole, &set);
    bool more = true;
    for (size_t fail_at = 1; more; fail_at++) {
        struct failing_allocator failing;
        struct bench bench;
        failing_init(&failing, fail_at);
        bench_init(&bench, &failing.allocator);
        struct fb_source source = {.name = FB_SPAN("test"), .text = json};
        fb_policy_set_init(&set, &bench.arena);
        bool read = fb_policy_set_read_json(&set, &source, &bench.diags);
        more = failing.calls >= fail_at;
        assert_true(read != more);
        assert_true(read || bench.diags.errors > 0);
        bench_release(&bench);
        assert_int_equal(failing.blocks_out, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {BENCH_TEST(survives_failing_memory), BENCH_TEST(writes_and_reads), BENCH_TEST(reads_other_forms), BENCH_TEST(writes_paths_apart), BENCH_TEST(keeps_sets),
                                       BENCH_TEST(refuses), BENCH_TEST(limits), BENCH_TEST(survives_truncation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
