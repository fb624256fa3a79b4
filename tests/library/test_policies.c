/* SPDX-License-Identifier: Apache-2.0 */
/* Policy sets through the C interface: looked at, written, formatted, linked, validated. */
#include "testing.h"

static forbid_policies *read_policies(const char *text)
{
    forbid_policies *policies;
    assert_int_equal(forbid_policies_parse(NULL, TEXT("p.cedar"), TEXT(text), 1, &policies, NULL), FORBID_OK);
    return policies;
}

static void test_looking(void **state)
{
    (void)state;
    forbid_policies *policies = read_policies(sample_policies);
    assert_int_equal(forbid_policies_count(policies), 3);
    struct forbid_policy first = forbid_policies_at(policies, 0), second = forbid_policies_at(policies, 1);
    assert_true(text_is(first.id, "friends") && first.effect == FORBID_PERMIT && !first.principal_slot);
    assert_true(text_is(first.place.source, "p.cedar") && first.place.line == 1 && first.place.start == 0);
    assert_int_equal(first.place.end_line, 3);
    assert_true(second.principal_slot && second.resource_slot);
    assert_int_equal(forbid_policies_at(policies, 2).effect, FORBID_FORBID);
    assert_null(forbid_policies_at(policies, 3).id.ptr);
    assert_int_equal(first.annotations_count, 3);
    struct forbid_annotation why = forbid_policies_annotation(policies, 0, 1);
    assert_true(text_is(why.key, "why") && text_is(why.value, "they asked"));
    assert_true(text_is(forbid_policies_annotation(policies, 0, 2).value, ""));
    assert_null(forbid_policies_annotation(policies, 0, 3).key.ptr);
    assert_null(forbid_policies_annotation(policies, 9, 0).key.ptr);
    assert_int_equal(forbid_policies_find(policies, TEXT("night")), 2);
    assert_int_equal(forbid_policies_find(policies, TEXT("policy0")), 3);
    forbid_policies_free(policies);
}

/* The files of a directory: one set, and all faults of all of them. */
static void test_several_texts(void **state)
{
    (void)state;
    const struct forbid_source sources[] = {
        {TEXT("a.cedar"), TEXT("permit (principal, action, resource);\n@id(\"b\") permit (principal, action, resource);")},
        {TEXT("empty.cedar"), TEXT("// nothing yet")},
        {TEXT("b.cedar"), TEXT("forbid (principal, action, resource);")},
    };
    forbid_policies *policies;
    forbid_errors *errors;
    assert_int_equal(forbid_policies_parse_all(NULL, sources, 3, 1, &policies, &errors), FORBID_OK);
    assert_null(errors);
    assert_int_equal(forbid_policies_count(policies), 3);
    struct forbid_policy last = forbid_policies_at(policies, 2);
    assert_true(text_is(last.id, "policy2") && text_is(last.place.source, "b.cedar") && last.place.line == 1);
    forbid_policies_free(policies);
    assert_int_equal(forbid_policies_parse_all(NULL, NULL, 0, 1, &policies, NULL), FORBID_OK);
    assert_int_equal(forbid_policies_count(policies), 0);
    forbid_policies_free(policies);

    const struct forbid_source wrong[] = {{TEXT("a.cedar"), TEXT("permit (")}, sources[0], {TEXT("c.cedar"), TEXT("forbid (")}};
    assert_int_equal(forbid_policies_parse_all(NULL, wrong, 3, 1, &policies, &errors), FORBID_INVALID);
    assert_null(policies);
    assert_int_equal(forbid_errors_count(errors), 2);
    assert_true(text_is(forbid_errors_at(errors, 0).place.source, "a.cedar"));
    assert_true(text_is(forbid_errors_at(errors, 1).place.source, "c.cedar"));
    forbid_errors_free(errors);

    const struct forbid_source twice[] = {sources[0], sources[0]};
    assert_int_equal(forbid_policies_parse_all(NULL, twice, 2, 1, &policies, &errors), FORBID_INVALID);
    assert_true(has_error(errors, "policy.duplicate_id"));
    forbid_errors_free(errors);
}

/* text → set → JSON → set → text → set: the same policies. */
static void test_writing(void **state)
{
    (void)state;
    forbid_policies *policies = read_policies(sample_policies), *again, *third;
    forbid_string *json, *text, *one;
    assert_int_equal(forbid_policies_to_json(NULL, policies, &json), FORBID_OK);
    assert_int_equal(forbid_policies_parse_json(NULL, TEXT("p.json"), forbid_string_text(json), &again, NULL),
                     FORBID_OK);
    assert_int_equal(forbid_policies_count(again), 3);
    assert_int_equal(forbid_policies_to_text(NULL, again, &text, NULL), FORBID_OK);
    third = read_policies(forbid_string_text(text).ptr);
    assert_int_equal(forbid_policies_count(third), 3);
    assert_true(forbid_policies_find(third, TEXT("share")) < 3);
    forbid_string_free(text);
    forbid_string_free(json);
    size_t night = forbid_policies_find(policies, TEXT("night"));
    assert_int_equal(forbid_policy_to_text(NULL, policies, night, &one), FORBID_OK);
    assert_true(string_is(one, "@id(\"night\")\nforbid (principal, action, resource)\nwhen { context.hour >= 22 }\n"
                               "unless { resource.owner == principal };"));
    forbid_string_free(one);
    assert_int_equal(forbid_policy_to_json(NULL, policies, 1, &one), FORBID_OK);
    assert_non_null(strstr(forbid_string_text(one).ptr, "\"slot\":\"?principal\""));
    forbid_string_free(one);
    forbid_policies_free(policies);
    forbid_policies_free(again);
    forbid_policies_free(third);
}

static void test_one_policy_of_json(void **state)
{
    (void)state;
    static const char json[] = "{\"effect\":\"forbid\",\"principal\":{\"op\":\"All\"},\"action\":{\"op\":\"All\"},"
                               "\"resource\":{\"op\":\"All\"},\"conditions\":[]}";
    forbid_policies *policies;
    forbid_errors *errors;
    assert_int_equal(forbid_policies_parse_json(NULL, TEXT("p"), TEXT(json), &policies, &errors), FORBID_OK);
    assert_null(errors);
    assert_true(text_is(forbid_policies_at(policies, 0).id, "policy0"));
    forbid_policies_free(policies);
    assert_int_equal(
        forbid_policies_parse_json(NULL, TEXT("p.json"), TEXT("{\n \"effect\": \"allow\"}"), &policies, &errors),
        FORBID_INVALID);
    assert_null(policies);
    struct forbid_error error = forbid_errors_at(errors, 0);
    assert_true(error.place.line == 2 && error.place.column == 12 && text_is(error.place.source, "p.json"));
    forbid_errors_free(errors);
}

/* The first definition is shown beside the second, after the policies that failed are gone. */
static void test_second_place(void **state)
{
    (void)state;
    static const char text[] =
        "@id(\"a\") permit (principal, action, resource);\n@id(\"a\") forbid (principal, action, resource);";
    forbid_policies *policies;
    forbid_errors *errors;
    assert_int_equal(forbid_policies_parse(NULL, TEXT("p.cedar"), TEXT(text), 1, &policies, &errors), FORBID_INVALID);
    struct forbid_error error = forbid_errors_at(errors, 0);
    assert_string_equal(error.code, "policy.duplicate_id");
    assert_true(error.place.line == 2 && error.place.end_line == 2 && error.place.end_column > error.place.column);
    assert_true(error.other.line == 1 && text_is(error.other.source, "p.cedar") && error.other_message.len != 0);
    assert_true(error.hint.len != 0);
    assert_non_null(strstr(forbid_errors_text(errors), "p.cedar:2:"));
    forbid_errors_free(errors);
}

static void test_format(void **state)
{
    (void)state;
    static const char text[] = "permit(principal,action,resource)// all\nwhen{principal.abc&&principal.def};";
    struct forbid_format_options options = {.size = sizeof options, .width = 20, .indent = 4};
    forbid_string *laid, *again;
    forbid_errors *errors;
    assert_int_equal(forbid_format(NULL, TEXT("p"), TEXT(text), NULL, &laid, &errors), FORBID_OK);
    assert_null(errors);
    assert_true(
        string_is(laid, "permit (principal, action, resource) // all\nwhen { principal.abc && principal.def };\n"));
    assert_int_equal(forbid_format(NULL, TEXT("p"), forbid_string_text(laid), NULL, &again, NULL), FORBID_OK);
    assert_true(string_is(again, forbid_string_text(laid).ptr));
    forbid_string_free(again);
    forbid_string_free(laid);
    assert_int_equal(forbid_format(NULL, TEXT("p"), TEXT(text), &options, &laid, NULL), FORBID_OK);
    assert_non_null(strstr(forbid_string_text(laid).ptr, "    principal.abc &&\n"));
    forbid_string_free(laid);
    assert_int_equal(forbid_format(NULL, TEXT("p"), TEXT("permit ("), NULL, &laid, &errors), FORBID_INVALID);
    assert_null(laid);
    assert_true(forbid_errors_count(errors) != 0);
    forbid_errors_free(errors);
}

/* --- Links -------------------------------------------------------------------------------------------- */

static int allows(forbid_decider *decider, const forbid_links *links, const char *principal, const char *reason)
{
    struct forbid_request request = {.size = sizeof request,
                                     .principal = TEXT(principal),
                                     .action = TEXT("Action::\"see\""),
                                     .resource = TEXT("Photo::\"p\""),
                                     .context = TEXT("{\"hour\":9}"),
                                     .links = links};
    struct forbid_decision decision = {.size = sizeof decision};
    assert_int_equal(forbid_authorize(decider, &request, &decision, NULL), FORBID_OK);
    assert_true(!decision.allow || (decision.reasons_count == 1 && text_is(decision.reasons[0], reason)));
    return decision.allow;
}

static void test_links(void **state)
{
    (void)state;
    forbid_policies *policies = read_policies(sample_policies);
    forbid_decider *decider = forbid_decider_new(NULL, policies, 0);
    forbid_links *links = forbid_links_new(NULL, policies);
    forbid_errors *errors;
    const struct forbid_link alice = {TEXT("share"), TEXT("share-1"), TEXT("User::\"alice\""), TEXT("Photo::\"p\"")};
    const struct forbid_link bob = {TEXT("share"), TEXT("share-2"), TEXT("User::\"bob\""), TEXT("Photo::\"p\"")};
    assert_int_equal(forbid_links_count(links), 0);
    assert_int_equal(forbid_links_add(links, &alice, 1, &errors), FORBID_OK);
    assert_null(errors);
    assert_int_equal(forbid_links_add(links, &bob, 1, NULL), FORBID_OK);
    assert_int_equal(forbid_links_count(links), 2);
    assert_true(forbid_links_places(links) >= 2);
    size_t place = forbid_links_find(links, TEXT("share-2"));
    struct forbid_linked second = forbid_links_at(links, place);
    assert_true(text_is(second.template_id, "share") && text_is(second.id, "share-2")
                && text_is(second.principal.type, "User") &&
                text_is(second.principal.id, "bob") && text_is(second.resource.type, "Photo"));
    assert_null(forbid_links_at(links, forbid_links_places(links)).id.ptr);
    assert_int_equal(forbid_links_find(links, TEXT("share-3")), forbid_links_places(links));
    assert_true(allows(decider, links, "User::\"alice\"", "share-1"));
    assert_true(allows(decider, links, "User::\"bob\"", "share-2"));
    assert_false(allows(decider, NULL, "User::\"bob\"", ""));
    const struct forbid_text gone = TEXT("share-1"), unknown = TEXT("share-9");
    assert_int_equal(forbid_links_remove(links, &unknown, 1, &errors), FORBID_INVALID);
    assert_true(has_error(errors, "links.unknown"));
    forbid_errors_free(errors);
    assert_int_equal(forbid_links_remove(links, &gone, 1, NULL), FORBID_OK);
    assert_false(allows(decider, links, "User::\"alice\"", ""));
    assert_true(allows(decider, links, "User::\"bob\"", "share-2"));
    assert_int_equal(forbid_links_add(links, &alice, 1, NULL), FORBID_OK); /* the id is free again */
    forbid_links_free(links);
    forbid_decider_free(decider);
    forbid_policies_free(policies);
}

/* One by one, which takes minutes if each looks at the others; half are taken out again, and places used anew. */
static void test_many_links(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    forbid_policies *policies = read_policies(sample_policies);
    forbid_decider *decider = forbid_decider_new(NULL, policies, 0);
    forbid_links *links = forbid_links_new(NULL, policies);
    char id[32], user[48];
    struct forbid_link link = {.template_id = TEXT("share"), .resource = TEXT("Photo::\"p\"")};
    for (int round = 0; round < 2; round++) {
        for (int i = round; i < MANY; i += 1 + round) {
            snprintf(id, sizeof id, "link-%d", i);
            snprintf(user, sizeof user, "User::\"u%d\"", i);
            link.id = TEXT(id);
            link.principal = TEXT(user);
            assert_int_equal(forbid_links_add(links, &link, 1, NULL), FORBID_OK);
        }
        assert_int_equal(forbid_links_count(links), MANY);
        assert_true(forbid_links_places(links) <= MANY);
        assert_true(allows(decider, links, "User::\"u777\"", "link-777"));
        for (int i = 1; i < MANY; i += 2) {
            snprintf(id, sizeof id, "link-%d", i);
            const struct forbid_text gone = TEXT(id);
            assert_int_equal(forbid_links_remove(links, &gone, 1, NULL), FORBID_OK);
        }
        assert_int_equal(forbid_links_count(links), MANY / 2);
        assert_false(allows(decider, links, "User::\"u777\"", ""));
        assert_true(allows(decider, links, "User::\"u776\"", "link-776"));
    }
    forbid_links_free(links);
    forbid_decider_free(decider);
    forbid_policies_free(policies);
}

static void test_link_faults(void **state)
{
    (void)state;
    static const struct {
        const char *template_id, *id, *principal, *resource, *code, *message;
    } rows[] = {
        {"shar", "x", "U::\"a\"", "P::\"p\"", "links.link", "no policy of that id"},
        {"night", "x", "U::\"a\"", "P::\"p\"", "links.link", "no slot"},
        {"share", "x", "", "P::\"p\"", "links.link", "?principal needs a value"},
        {"share", "x", "U::\"a\"", "", "links.link", "?resource needs a value"},
        {"half", "x", "U::\"a\"", "P::\"p\"", "links.link", "no slot ?resource"},
        {"share", "night", "U::\"a\"", "P::\"p\"", "links.link", "is taken"},
        {"share", "half", "U::\"a\"", "P::\"p\"", "links.link", "is taken"},
        {"share", "there", "U::\"a\"", "P::\"p\"", "links.link", "is taken"},
        {"share", "x", "U:a", "P::\"p\"", "links.uid", "?principal is not an entity uid"},
    };
    forbid_policies *policies =
        read_policies("@id(\"share\") permit (principal == ?principal, action, resource == ?resource);"
                      "@id(\"half\") permit (principal in ?principal, action, resource);"
                      "@id(\"night\") forbid (principal, action, resource);");
    forbid_links *links = forbid_links_new(NULL, policies);
    const struct forbid_link there = {TEXT("half"), TEXT("there"), TEXT("U::\"a\""), TEXT("")};
    assert_int_equal(forbid_links_add(links, &there, 1, NULL), FORBID_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct forbid_link both[] = {
            {TEXT("half"), TEXT("new"), TEXT("U::\"a\""), TEXT("")},
            {TEXT(rows[i].template_id), TEXT(rows[i].id), TEXT(rows[i].principal), TEXT(rows[i].resource)},
        };
        forbid_errors *errors;
        assert_int_equal(forbid_links_add(links, both, 2, &errors), FORBID_INVALID);
        assert_int_equal(forbid_errors_count(errors), 1);
        assert_true(has_error(errors, rows[i].code));
        assert_non_null(strstr(forbid_errors_text(errors), rows[i].message));
        forbid_errors_free(errors);
        assert_int_equal(forbid_links_count(links), 1);
    }
    forbid_links_free(links);
    forbid_policies_free(policies);
}

static void test_links_of_json(void **state)
{
    (void)state;
    forbid_policies *policies = read_policies(sample_policies), *linked;
    forbid_links *links = forbid_links_new(NULL, policies);
    const struct forbid_link link = {TEXT("share"), TEXT("l"), TEXT("User::\"z\\u{e9}\""), TEXT("Photo::\"p\"")};
    forbid_string *json, *text;
    forbid_errors *errors;
    assert_int_equal(forbid_links_add(links, &link, 1, NULL), FORBID_OK);
    assert_int_equal(forbid_links_to_json(NULL, links, &json), FORBID_OK);
    forbid_links_free(links);
    assert_int_equal(forbid_policies_parse_json(NULL, TEXT("p.json"), forbid_string_text(json), &linked, NULL),
                     FORBID_OK);
    assert_int_equal(forbid_policies_count(linked), 3);
    assert_int_equal(forbid_policies_to_text(NULL, linked, &text, &errors), FORBID_INVALID);
    assert_null(text);
    assert_true(has_error(errors, "translate.links"));
    forbid_errors_free(errors);
    links = forbid_links_new(NULL, linked); /* starts with those of the set */
    assert_int_equal(forbid_links_count(links), 1);
    assert_true(text_is(forbid_links_at(links, forbid_links_find(links, TEXT("l"))).principal.id, "z\xc3\xa9"));
    assert_int_equal(forbid_links_remove(links, &link.id, 1, NULL), FORBID_OK);
    assert_int_equal(forbid_links_count(links), 0);
    forbid_decider *decider = forbid_decider_new(NULL, linked, 0);
    assert_true(allows(decider, NULL, "User::\"z\\u{e9}\"", "l"));
    assert_false(allows(decider, links, "User::\"z\\u{e9}\"", ""));
    forbid_decider_free(decider);
    forbid_links_free(links);
    forbid_string_free(json);
    forbid_policies_free(linked);
    forbid_policies_free(policies);
}

/* --- Validation --------------------------------------------------------------------------------------- */

static enum forbid_status validate(const char *text, const struct forbid_validate_options *options,
                                   forbid_errors **errors)
{
    forbid_schema *schema;
    forbid_policies *policies = read_policies(text);
    assert_int_equal(forbid_schema_parse(NULL, TEXT("s.cedarschema"), TEXT(sample_schema), &schema, NULL), FORBID_OK);
    enum forbid_status status = forbid_validate(NULL, policies, schema, options, errors);
    forbid_policies_free(policies);
    forbid_schema_free(schema);
    return status;
}

static void test_validate(void **state)
{
    (void)state;
    forbid_errors *errors;
    assert_int_equal(validate(sample_policies, NULL, &errors), FORBID_OK);
    assert_null(errors);
    assert_int_equal(validate("permit (principal, action, resource)\n  when { principal.aeg > 1 };", NULL, &errors),
                     FORBID_INVALID);
    struct forbid_error error = forbid_errors_at(errors, 0);
    assert_string_equal(error.code, "validate.unknown_attribute");
    assert_true(error.severity == FORBID_ERROR && error.place.line == 2 && error.hint.len != 0);
    assert_non_null(strstr(forbid_errors_text(errors), "age"));
    forbid_errors_free(errors);
    /* Warnings leave policies valid, and are handed out. */
    assert_int_equal(validate("permit (principal is Group, action == Action::\"see\", resource);", NULL, &errors),
                     FORBID_OK);
    assert_true(has_error(errors, "validate.no_applicable_action")
                && forbid_errors_at(errors, 0).severity == FORBID_WARNING);
    forbid_errors_free(errors);
}

static void test_validate_options(void **state)
{
    (void)state;
    static const char heterogeneous[] = "permit (principal, action, resource) when { context.hour == \"x\" };";
    static const char far[] = "permit (principal, action, resource) when { resource.owner.age > 1 };";
    struct forbid_validate_options options = {.size = sizeof options};
    forbid_errors *errors;
    assert_int_equal(validate(heterogeneous, &options, &errors), FORBID_INVALID);
    assert_true(has_error(errors, "validate.incompatible_types"));
    forbid_errors_free(errors);
    options.mode = FORBID_PERMISSIVE;
    assert_int_equal(validate(heterogeneous, &options, &errors), FORBID_OK);
    assert_true(has_error(errors, NULL));
    options = (struct forbid_validate_options){.size = sizeof options, .check_level = 1, .level = 1};
    assert_int_equal(validate(far, &options, &errors), FORBID_INVALID);
    assert_true(has_error(errors, "validate.level"));
    forbid_errors_free(errors);
    options.level = 2;
    assert_int_equal(validate(far, &options, NULL), FORBID_OK);
}

static void test_validate_links(void **state)
{
    (void)state;
    forbid_schema *schema;
    forbid_policies *policies = read_policies(sample_policies);
    forbid_links *links = forbid_links_new(NULL, policies);
    const struct forbid_link link = {TEXT("share"), TEXT("l"), TEXT("Usr::\"a\""), TEXT("Photo::\"p\"")};
    struct forbid_validate_options options = {.size = sizeof options, .links = links};
    forbid_errors *errors;
    assert_int_equal(forbid_links_add(links, &link, 1, NULL), FORBID_OK);
    assert_int_equal(forbid_schema_parse(NULL, TEXT("s"), TEXT(sample_schema), &schema, NULL), FORBID_OK);
    assert_int_equal(forbid_validate(NULL, policies, schema, NULL, NULL), FORBID_OK);
    assert_int_equal(forbid_validate(NULL, policies, schema, &options, &errors), FORBID_INVALID);
    assert_true(has_error(errors, "validate.unknown_entity_type"));
    forbid_errors_free(errors);
    forbid_schema_free(schema);
    forbid_links_free(links);
    forbid_policies_free(policies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looking),
        cmocka_unit_test(test_several_texts), cmocka_unit_test(test_writing),
        cmocka_unit_test(test_one_policy_of_json),
        cmocka_unit_test(test_second_place),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_many_links), cmocka_unit_test(test_link_faults),
        cmocka_unit_test(test_links_of_json),
        cmocka_unit_test(test_validate),
        cmocka_unit_test(test_validate_options),
        cmocka_unit_test(test_validate_links),
    };
    return cmocka_run_group_tests_name("library/policies", tests, NULL, NULL);
}
