/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

/* Requests and entities held against a schema; each row with what the official engine 4.13 answers. */

static const char text[] =
    "entity O; entity G in O; entity E enum [\"x\"]; entity U in [G, E] {n?: Long, e?: E, s?: Set<E>, a?: Action,\n"
    "  r?: {q: Long, p?: String}} tags E;\n"
    "action a in [g] appliesTo {principal: [U, E], resource: [U, E], context: {e?: E, s?: Set<Long>}};\n"
    "action g in [h]; action h; action z;";

#define UID(type, id) "{\"type\":\"" type "\",\"id\":\"" id "\"}"
#define ENTITY(type, id, attrs, parents, rest) \
    "{\"uid\":" UID(type, id) ",\"attrs\":" attrs ",\"parents\":[" parents "]" rest "}"
#define USER(attrs) "[" ENTITY("U", "1", attrs, "", "") "]"

static void entities(void **state)
{
    (void)state;
    const struct {
        bool good;
        const char *json;
    } rows[] = {
        {true, "[]"},
        {true, "[" ENTITY("Action", "a", "{}", UID("Action", "g"), "") "," ENTITY("Action", "g", "{}", UID("Action", "h"), "") ","
                   ENTITY("Action", "h", "{}", "", "") "]"},
        {true, "[" ENTITY("Action", "a", "{}", UID("Action", "g") "," UID("Action", "h"), "") "]"},
        {false, "[" ENTITY("Action", "a", "{}", UID("Action", "g"), "") "]"},
        {false, "[" ENTITY("Action", "a", "{}", UID("Action", "h"), "") "]"},
        {true, "[" ENTITY("Action", "a", "{}", UID("Action", "g"), "") "," ENTITY("Action", "g", "{}", UID("Action", "h"), "") "]"},
        {false, "[" ENTITY("Action", "g", "{}", "", "") "]"},
        {true, "[" ENTITY("Action", "h", "{}", "", "") "]"},
        {false, "[" ENTITY("Action", "nope", "{}", "", "") "]"},
        {false, "[" ENTITY("N::Action", "q", "{}", "", "") "]"},
        {false, "[" ENTITY("Action", "z", "{\"x\":1}", "", "") "]"},
        {false, "[" ENTITY("Action", "z", "{}", "", ",\"tags\":{\"x\":1}") "]"},
        {false, "[" ENTITY("U", "1", "{}", UID("Action", "a"), "") "]"},
        {false, "[" ENTITY("U", "1", "{}", UID("E", "y"), "") "]"},
        {true, "[" ENTITY("U", "1", "{}", UID("E", "x"), "") "]"},
        {true, "[" ENTITY("U", "1", "{}", UID("G", "y"), "") "]"},
        {true, "[" ENTITY("U", "1", "{}", UID("O", "y"), "") "]"},
        {false, "[" ENTITY("U", "1", "{}", UID("U", "2"), "") "]"},
        {false, "[" ENTITY("U", "1", "{}", UID("X", "y"), "") "]"},
        {false, USER("{\"e\":" UID("E", "y") "}")},
        {true, USER("{\"e\":" UID("E", "x") "}")},
        {false, USER("{\"e\":" UID("U", "x") "}")},
        {false, USER("{\"s\":[" UID("E", "x") "," UID("E", "y") "]}")},
        {true, USER("{\"s\":[]}")},
        {false, USER("{\"a\":" UID("Action", "nope") "}")},
        {true, USER("{\"a\":" UID("Action", "a") "}")},
        {false, USER("{\"n\":\"1\"}")},
        {false, USER("{\"zz\":1}")},
        {true, USER("{\"r\":{\"q\":1}}")},
        {false, USER("{\"r\":{\"p\":\"\"}}")},
        {false, USER("{\"r\":{\"q\":1,\"o\":1}}")},
        {true, "[" ENTITY("U", "1", "{}", "", ",\"tags\":{\"k\":" UID("E", "x") "}") "]"},
        {false, "[" ENTITY("U", "1", "{}", "", ",\"tags\":{\"k\":" UID("E", "y") "}") "]"},
        {false, "[" ENTITY("G", "1", "{}", "", ",\"tags\":{\"k\":1}") "]"},
        {false, "[" ENTITY("E", "y", "{}", "", "") "]"},
        {true, "[" ENTITY("E", "x", "{}", "", "") "]"},
        {false, "[" ENTITY("E", "x", "{}", UID("G", "1"), "") "]"},
        {false, "[" ENTITY("E", "x", "{\"a\":1}", "", "") "]"},
        {false, "[" ENTITY("X", "x", "{}", "", "") "]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench;
        bench_init(&bench, &fb_heap);
        const struct fb_schema *schema = schema_of(&bench, text);
        const struct fb_value_hints hints = fb_schema_hints(schema);
        struct fb_entity_set *set = fb_entity_set_new(&bench.arena);
        const struct fb_source *source = source_of(&bench, fb_span_z(rows[i].json));
        bool good = fb_entity_set_read_json(set, source, &hints, &bench.diags)
                    && fb_conform_entities(schema, set, source, &bench.arena, &bench.diags);
        if (good != rows[i].good)
            fail_msg("%s: %s\n%s", rows[i].good ? "refused" : "taken", rows[i].json, diags_text(&bench));
        assert_int_equal(good, bench.diags.errors == 0);
        bench_release(&bench);
    }
}

static const struct fb_uid *uid(struct bench *bench, const char *written)
{
    const struct fb_uid *made = fb_uid_parse(&bench->arena, fb_span_z(written));
    assert_non_null(made);
    return made;
}

static void requests(void **state)
{
    struct bench *bench = *state;
    const struct fb_schema *schema = schema_of(bench, text);
    const struct {
        bool good;
        const char *principal, *action, *resource;
    } rows[] = {
        {true, "U::\"1\"", "Action::\"a\"", "U::\"2\""},      {true, "E::\"x\"", "Action::\"a\"", "U::\"2\""},
        {false, "E::\"y\"", "Action::\"a\"", "U::\"2\""},     {false, "U::\"1\"", "Action::\"a\"", "E::\"y\""},
        {false, "U::\"1\"", "Action::\"z\"", "U::\"2\""},     {false, "U::\"1\"", "Action::\"nope\"", "U::\"2\""},
        {false, "G::\"1\"", "Action::\"a\"", "U::\"2\""},     {false, "X::\"1\"", "Action::\"a\"", "U::\"2\""},
        {false, "Action::\"a\"", "Action::\"a\"", "U::\"2\""}, {false, "U::\"1\"", "Action::\"a\"", "G::\"2\""},
    };
    struct fb_value empty = fb_value_of_record(&fb_record_empty);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(fb_conform_request(schema, uid(bench, rows[i].principal), uid(bench, rows[i].action),
                                            uid(bench, rows[i].resource), empty, NULL, &bench->diags),
                         rows[i].good);
    assert_int_equal(bench->diags.errors, 8);
}

static void contexts(void **state)
{
    struct bench *bench = *state;
    const struct fb_schema *schema = schema_of(bench, text);
    const struct fb_uid *action = uid(bench, "Action::\"a\"");
    struct fb_value one = fb_value_number(FB_LONG, 1), numbers = one, mixed = one, record;
    struct fb_value list[] = {one, fb_value_string(FB_SPAN("a"))};
    assert_true(fb_value_set(&bench->arena, &one, 1, &numbers) && fb_value_set(&bench->arena, list, 2, &mixed));
    const struct {
        bool good;
        struct fb_field field;
    } rows[] = {
        {true, {FB_SPAN("s"), numbers}},
        {false, {FB_SPAN("s"), mixed}},
        {false, {FB_SPAN("zz"), one}},
        {true, {FB_SPAN("e"), fb_value_entity(uid(bench, "E::\"x\""))}},
        {false, {FB_SPAN("e"), fb_value_entity(uid(bench, "E::\"y\""))}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(fb_value_record(&bench->arena, &rows[i].field, 1, &record));
        assert_int_equal(fb_conform_context(schema, action, record, NULL, &bench->diags), rows[i].good);
    }
    assert_non_null(strstr(diags_text(bench), "context.s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(entities), BENCH_TEST(requests), BENCH_TEST(contexts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
