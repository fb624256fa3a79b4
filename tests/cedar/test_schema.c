/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

/* What names in schemas mean, and schemas in use. */

/* A type as text, with everything resolved. */
static void type_text(struct fb_buffer *out, const struct fb_type *type)
{
    static const char *const names[] = {[FB_T_BOOL] = "Bool", [FB_T_LONG] = "Long", [FB_T_STRING] = "String",
                                        [FB_T_DECIMAL] = "decimal", [FB_T_DATETIME] = "datetime",
                                        [FB_T_DURATION] = "duration", [FB_T_IP] = "ipaddr"};
    if (type->kind == FB_T_SET) {
        fb_buffer_add_z(out, "Set<");
        type_text(out, type->element);
        fb_buffer_add_z(out, ">");
    } else if (type->kind == FB_T_RECORD) {
        fb_buffer_add_z(out, "{");
        for (uint32_t i = 0; i < type->attributes_count; i++) {
            const struct fb_attribute *attribute = &type->attributes[i];
            fb_buffer_add_z(out, i > 0 ? ", " : "");
            for (uint32_t j = 0; j < attribute->annotations_count; j++) {
                fb_buffer_add_z(out, "@");
                fb_buffer_add(out, attribute->annotations[j].key);
                fb_buffer_add_z(out, " ");
            }
            fb_buffer_add(out, attribute->name);
            fb_buffer_add_z(out, attribute->required ? ": " : "?: ");
            type_text(out, attribute->type);
        }
        fb_buffer_add_z(out, "}");
    } else if (type->kind == FB_T_ENTITY) {
        fb_buffer_add_z(out, "entity ");
        fb_buffer_add(out, type->entity);
    } else {
        fb_buffer_add_z(out, names[type->kind]);
    }
}

static const char *shape_of(struct bench *bench, const struct fb_schema *schema, const char *entity)
{
    const struct fb_entity_type *type = fb_schema_type(schema, fb_span_z(entity));
    assert_non_null(type);
    fb_buffer_clear(&bench->out);
    type_text(&bench->out, type->shape);
    if (type->tags != NULL) {
        fb_buffer_add_z(&bench->out, " tags ");
        type_text(&bench->out, type->tags);
    }
    for (uint32_t i = 0; i < type->parents_count; i++) {
        fb_buffer_add_z(&bench->out, i == 0 ? " in " : ", ");
        fb_buffer_add(&bench->out, type->parents[i]);
    }
    return bench->out.ptr;
}

static void resolves_names(void **state)
{
    static const struct {
        const char *schema, *entity, *shape;
    } rows[] = {
        {"entity U;", "U", "{}"},
        {"entity U {};", "U", "{}"},
        {"entity U = {a: Long};", "U", "{a: Long}"},
        {"entity U {a: Bool, b?: String, \"c d\": ipaddr, e: decimal, f: datetime, g: duration,};", "U",
         "{a: Bool, b?: String, c d: ipaddr, e: decimal, f: datetime, g: duration}"},
        {"entity U {a: Set<Set<U>>} tags {x: __cedar::Long};", "U", "{a: Set<Set<entity U>>} tags {x: Long}"},
        {"entity U, V in [W, U]; entity W;", "V", "{} in W, U"},
        {"entity U in W {a: T}; entity W; type T = S; type S = {b: W};", "U", "{a: {b: entity W}} in W"},
        {"namespace N { entity U {a: U, b: N::U, c: V, d: M::U}; } entity V; namespace M { entity U; }", "N::U",
         "{a: entity N::U, b: entity N::U, c: entity V, d: entity M::U}"},
        /* Common before entity before builtin; the own namespace before the empty one. */
        {"entity T; type T = Long; entity U {a: T} tags Set<T>;", "U", "{a: Long} tags Set<Long>"},
        {"entity T; type T = Long; entity U in T;", "U", "{} in T"},
        {"entity Long; entity U {a: Long, b: __cedar::Long};", "U", "{a: entity Long, b: Long}"},
        {"type ipaddr = String; entity U {a: ipaddr, b: __cedar::ipaddr};", "U", "{a: String, b: ipaddr}"},
        {"namespace N { type ipaddr = Long; entity U {a: ipaddr}; } entity V {a: ipaddr};", "N::U", "{a: Long}"},
        {"namespace N { type ipaddr = Long; entity U {a: ipaddr}; } entity V {a: ipaddr};", "V", "{a: ipaddr}"},
        {"type T = {a: Long}; namespace N { entity U {b: T}; }", "N::U", "{b: {a: Long}}"},
        {"namespace N { type T = {a: S}; type S = Set<String>; } entity U {b: N::T};", "U", "{b: {a: Set<String>}}"},
        {"namespace N::M { entity U {a: U}; }", "N::M::U", "{a: entity N::M::U}"},
        /* Action types exist where actions do. */
        {"entity U {a: Action}; action x;", "U", "{a: entity Action}"},
        {"namespace N { entity U {a: Action}; action x; }", "N::U", "{a: entity N::Action}"},
        {"namespace N { entity U {a: Action}; } action x;", "N::U", "{a: entity Action}"},
        {"namespace N { type Action = Long; entity U {a: Action}; action x; }", "N::U", "{a: Long}"},
        /* The last of two attributes of one name counts, in the place of the first. */
        {"entity U {a: Long, b: Bool, a?: String};", "U", "{a?: String, b: Bool}"},
        {"entity U { @x a: Long, @y @z(\"1\") b: Long };", "U", "{@x a: Long, @y @z b: Long}"},
        {"entity entity { entity: Set<Set> }; entity Set;", "entity", "{entity: Set<entity Set>}"},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct fb_schema *schema = schema_of(bench, rows[i].schema);
        const char *shape = shape_of(bench, schema, rows[i].entity);
        if (strcmp(shape, rows[i].shape) != 0)
            fail_msg("%s\n%s\nexpected %s", rows[i].schema, shape, rows[i].shape);
    }
}

static const struct fb_schema_action *action_of(struct bench *bench, const struct fb_schema *schema, const char *type,
                                                const char *id)
{
    return fb_schema_action(schema, fb_uid_new(&bench->arena, fb_span_z(type), fb_span_z(id)));
}

static void resolves_actions(void **state)
{
    struct bench *bench = *state;
    const struct fb_schema *schema = schema_of(bench, "entity U; action top; namespace N { entity G; @route(\"GET /\") "
                                                      "action view, \"edit all\" in [all, Action::\"top\", "
                                                      "M::Action::\"m\"] appliesTo { principal: [U, G], resource: G, "
                                                      "context: C }; action all; type C = {ip: ipaddr}; } "
                                                      "namespace M { action m; }");
    assert_int_equal(schema->actions_count, 5);
    const struct fb_schema_action *view = action_of(bench, schema, "N::Action", "view");
    const struct fb_schema_action *edit = action_of(bench, schema, "N::Action", "edit all");
    assert_non_null(view);
    assert_non_null(edit);
    assert_ptr_not_equal(view, edit);
    assert_int_equal(edit->parents_count, 3);
    assert_span(fb_uid_type(edit->parents[0]), "N::Action");
    assert_span(fb_uid_type(edit->parents[1]), "Action");
    assert_span(fb_uid_type(edit->parents[2]), "M::Action");
    assert_int_equal(view->principals_count, 2);
    assert_span(view->principals[0]->name, "U");
    assert_span(view->resources[0]->name, "N::G");
    assert_int_equal(view->context->attributes_count, 1);
    assert_span(fb_annotation_find(view->annotations, view->annotations_count, "route")->value, "GET /");
    const struct fb_schema_action *all = action_of(bench, schema, "N::Action", "all");
    assert_int_equal(all->principals_count, 0);
    assert_int_equal(all->context->kind, FB_T_RECORD);
    assert_null(action_of(bench, schema, "N::Action", "top"));
    assert_null(action_of(bench, schema, "N::Actiona", "ll"));
}

static void knows_enums_and_duties(void **state)
{
    struct bench *bench = *state;
    const struct fb_schema *schema = schema_of(
        bench,
        "@a entity E, F enum [\"x\", \"\\u{79}\"]; entity A {a: Long, b?: Long}; entity B {b?: Long}; entity C;");
    const struct fb_entity_type *enumeration = fb_schema_type(schema, FB_SPAN("F"));
    assert_int_equal(enumeration->enum_count, 2);
    assert_span(enumeration->enum_ids[1], "y");
    assert_int_equal(enumeration->annotations_count, 1);
    assert_int_equal(enumeration->name_hash, fb_hash(FB_SPAN("F")));
    assert_null(fb_schema_type(schema, FB_SPAN("A"))->enum_ids);
    assert_true(fb_schema_type(schema, FB_SPAN("A"))->requires_attributes);
    assert_false(fb_schema_type(schema, FB_SPAN("B"))->requires_attributes);
    assert_false(fb_schema_type(schema, FB_SPAN("C"))->requires_attributes);
    assert_null(fb_schema_type(schema, FB_SPAN("D")));
}

/* Many attributes are found by a map, few one by one. */
static void finds_attributes(void **state)
{
    struct bench *bench = *state;
    for (int count = 0; count < 40; count += 13) {
        struct fb_buffer text;
        fb_buffer_init(&text, &fb_heap, 1u << 16);
        fb_buffer_add_z(&text, "entity U {");
        for (int i = 0; i < count; i++)
            fb_buffer_add_format(&text, "a%d?: Long,", i);
        fb_buffer_add_z(&text, "};");
        const struct fb_type *shape = fb_schema_type(schema_of(bench, text.ptr), FB_SPAN("U"))->shape;
        for (int i = 0; i < 40; i++) {
            char name[16];
            snprintf(name, sizeof name, "a%d", i);
            const struct fb_attribute *found = fb_type_attribute(shape, fb_span_z(name));
            assert_int_equal(found != NULL, i < count);
            if (found != NULL)
                assert_span(found->name, name);
        }
        fb_buffer_release(&text);
    }
}

/* Entity JSON in the forms that a schema allows, read through the hints. */
static void hints_for_json(void **state)
{
    static const char json[] =
        "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"parents\":[],\"attrs\":{\"f\":{\"type\":\"U\",\"id\":\"b\"},\"i\":"
        "\"1.2.3.4\","
        "\"s\":[\"1.5\"],\"r\":{\"t\":\"2024-01-01\",\"d\":\"1h\",\"n\":1},\"x\":{\"type\":\"U\",\"id\":\"b\"}},"
        "\"tags\":{\"k\":\"10.0.0.1\"}}]";
    struct bench *bench = *state;
    const struct fb_schema *schema =
        schema_of(bench, "entity U {f: U, i: ipaddr, s: Set<decimal>, r: {t: datetime, d: duration, n: Long}, x: "
                         "{type: String, id: String}} tags ipaddr;");
    struct fb_value_hints hints = fb_schema_hints(schema);
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    if (!fb_entity_set_read_json(set, source_of(bench, FB_SPAN(json)), &hints, &bench->diags))
        fail_msg("%s", diags_text(bench));
    struct fb_entity entity;
    fb_entity_set_at(set, 0, &entity);
    fb_entity_print_json(&bench->out, &entity);
    assert_non_null(strstr(bench->out.ptr, "{\"__entity\":{\"type\":\"U\",\"id\":\"b\"}}"));
    assert_non_null(strstr(bench->out.ptr, "\"i\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.4\"}}"));
    assert_non_null(strstr(bench->out.ptr, "{\"fn\":\"decimal\",\"arg\":\"1.5\"}"));
    assert_non_null(strstr(bench->out.ptr, "\"n\":1"));
    assert_non_null(strstr(bench->out.ptr, "\"x\":{\"id\":\"b\",\"type\":\"U\"}"));
    assert_non_null(strstr(bench->out.ptr, "\"k\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.1\"}}"));
    assert_int_equal(fb_schema_hint_of(NULL).hint, FB_HINT_NONE);
    assert_int_equal(hints.tag(schema, FB_SPAN("None")).hint, FB_HINT_NONE);
    assert_int_equal(hints.attribute(schema, FB_SPAN("None"), FB_SPAN("f")).hint, FB_HINT_NONE);
    assert_int_equal(hints.attribute(schema, FB_SPAN("U"), FB_SPAN("none")).hint, FB_HINT_NONE);
}

static void adds_its_actions(void **state)
{
    struct bench *bench = *state;
    const struct fb_schema *schema =
        schema_of(bench, "action a in b; action b in [c]; action c; namespace N { action d in c; }");
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    assert_true(fb_schema_add_actions(schema, set));
    assert_true(fb_entity_set_close(set, &bench->diags));
    assert_int_equal(fb_entity_set_count(set), 4);
    struct fb_entities entities = fb_entity_set_source(set);
    const struct fb_uid *a = fb_uid_new(&bench->arena, FB_SPAN("Action"), FB_SPAN("a"));
    const struct fb_uid *c = fb_uid_new(&bench->arena, FB_SPAN("Action"), FB_SPAN("c"));
    const struct fb_uid *d = fb_uid_new(&bench->arena, FB_SPAN("N::Action"), FB_SPAN("d"));
    assert_int_equal(fb_entity_in(&entities, a, c), FB_FOUND);
    assert_int_equal(fb_entity_in(&entities, d, c), FB_FOUND);
    assert_int_equal(fb_entity_in(&entities, c, a), FB_ABSENT);
    assert_int_equal(fb_entity_in(&entities, d, a), FB_ABSENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(resolves_names), BENCH_TEST(resolves_actions), BENCH_TEST(knows_enums_and_duties),
        BENCH_TEST(finds_attributes), BENCH_TEST(hints_for_json), BENCH_TEST(adds_its_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
