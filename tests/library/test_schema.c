/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas through the C interface: read, translated; entities, requests and expressions under one. */
#include "testing.h"

static forbid_schema *read_schema(void)
{
    forbid_schema *schema;
    assert_int_equal(forbid_schema_parse(NULL, TEXT("s"), TEXT(sample_schema), &schema, NULL), FORBID_OK);
    return schema;
}

static void test_schema(void **state)
{
    (void)state;
    forbid_schema *schema;
    forbid_errors *errors;
    assert_int_equal(forbid_schema_parse(NULL, TEXT("s"), TEXT(sample_schema), &schema, &errors), FORBID_OK);
    assert_null(errors);
    forbid_schema_free(schema);
    assert_int_equal(forbid_schema_parse(NULL, TEXT("s.cedarschema"), TEXT("entity Group;\nentity User in [Grop];"),
                                         &schema, &errors),
                     FORBID_INVALID);
    assert_null(schema);
    assert_int_equal(forbid_errors_at(errors, 0).place.line, 2);
    assert_non_null(strstr(forbid_errors_text(errors), "Group"));
    forbid_errors_free(errors);
    assert_int_equal(
        forbid_schema_parse_json(NULL, TEXT("s"), TEXT("{\"\":{\"entityTypes\":{},\"actions\":[]}}"), &schema, &errors),
        FORBID_INVALID);
    assert_true(forbid_errors_count(errors) == 1);
    forbid_errors_free(errors);
}

/* text → JSON → text → JSON: the JSON is the same both times if names are as they were written. */
static void test_translation(void **state)
{
    (void)state;
    for (int resolved = 0; resolved < 2; resolved++) {
        forbid_string *json, *text, *again;
        forbid_schema *schema;
        assert_int_equal(forbid_schema_to_json(NULL, TEXT("s"), TEXT(sample_schema), resolved, &json, NULL), FORBID_OK);
        assert_int_equal(strstr(forbid_string_text(json).ptr, "EntityOrCommon") == NULL, resolved);
        assert_int_equal(forbid_schema_parse_json(NULL, TEXT("s"), forbid_string_text(json), &schema, NULL), FORBID_OK);
        assert_int_equal(forbid_schema_to_text(NULL, TEXT("s"), forbid_string_text(json), &text, NULL), FORBID_OK);
        assert_int_equal(forbid_schema_to_json(NULL, TEXT("s"), forbid_string_text(text), resolved, &again, NULL),
                         FORBID_OK);
        /* Resolved names are written so that no type of the user's can come between. */
        if (!resolved)
            assert_string_equal(forbid_string_text(json).ptr, forbid_string_text(again).ptr);
        forbid_schema_free(schema);
        forbid_string_free(json);
        forbid_string_free(text);
        forbid_string_free(again);
    }
    forbid_string *json;
    forbid_errors *errors;
    assert_int_equal(forbid_schema_to_json(NULL, TEXT("s"), TEXT("entity"), 0, &json, &errors), FORBID_INVALID);
    assert_null(json);
    assert_true(forbid_errors_count(errors) != 0);
    forbid_errors_free(errors);
}

static void test_entities(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } rows[] = {
        {"[{\"uid\":{\"type\":\"Usr\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}]", "not declared"},
        {"[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}]", "`age` is required"},
        {"[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{\"age\":\"x\"},\"parents\":[]}]", "wants Long"},
        {"[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{\"age\":1},\"parents\":[{\"type\":\"Photo\",\"id\":"
         "\"p\"}]}]",
         "does not allow a parent"},
        {"[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{\"age\":1},\"parents\":[],\"tags\":{\"t\":\"v\"}}]",
         "no tags"},
        {"[{\"uid\":{\"type\":\"Action\",\"id\":\"sea\"},\"attrs\":{},\"parents\":[]}]", "no such action"},
        {"[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{\"age\":1},\"parents\":[]},{}]", "uid"},
    };
    forbid_schema *schema = read_schema();
    forbid_entities *entities;
    forbid_errors *errors;
    assert_int_equal(forbid_entities_parse(NULL, schema, TEXT("e"), TEXT(sample_entities), &entities, &errors),
                     FORBID_OK);
    assert_null(errors);
    assert_int_equal(forbid_entities_count(entities), 5); /* the schema's two actions with them */
    forbid_entities_free(entities);
    assert_int_equal(forbid_entities_parse(NULL, NULL, TEXT("e"), TEXT(sample_entities), &entities, NULL), FORBID_OK);
    assert_int_equal(forbid_entities_count(entities), 3);
    forbid_entities_free(entities);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(forbid_entities_parse(NULL, schema, TEXT("e.json"), TEXT(rows[i].json), &entities, &errors),
                         FORBID_INVALID);
        assert_null(entities);
        if (strstr(forbid_errors_text(errors), rows[i].says) == NULL)
            fail_msg("`%s` is not in: %s", rows[i].says, forbid_errors_text(errors));
        forbid_errors_free(errors);
    }
    forbid_schema_free(schema);
}

/* Actions that the text has, under the groups of the schema, stay; those that it leaves out are added. */
static void test_action_groups(void **state)
{
    (void)state;
    static const char text[] =
        "action all; action read in [all]; action list in [read] appliesTo { principal: U, resource: U }; entity U;";
    static const char given[] =
        "[{\"uid\":{\"type\":\"Action\",\"id\":\"list\"},\"attrs\":{},\"parents\":[{\"type\":\"Action\",\"id\":"
        "\"read\"},"
        "{\"type\":\"Action\",\"id\":\"all\"}]},{\"uid\":{\"type\":\"Action\",\"id\":\"read\"},\"attrs\":{},"
        "\"parents\":[{\"type\":\"Action\",\"id\":\"all\"}]}]";
    const char *const texts[] = {"[]", given};
    forbid_schema *schema;
    forbid_policies *policies;
    assert_int_equal(forbid_schema_parse(NULL, TEXT("s"), TEXT(text), &schema, NULL), FORBID_OK);
    assert_int_equal(forbid_policies_parse(NULL, TEXT("p"),
                                           TEXT("permit (principal, action in Action::\"all\", resource);"), 0,
                                           &policies, NULL),
                     FORBID_OK);
    forbid_decider *decider = forbid_decider_new(NULL, policies, 0);
    for (size_t i = 0; i < 2; i++) {
        forbid_entities *entities;
        struct forbid_decision decision = {.size = sizeof decision};
        assert_int_equal(forbid_entities_parse(NULL, schema, TEXT("e"), TEXT(texts[i]), &entities, NULL), FORBID_OK);
        assert_int_equal(forbid_entities_count(entities), 3);
        struct forbid_request request = {.size = sizeof request,
                                         .principal = TEXT("U::\"a\""),
                                         .action = TEXT("Action::\"list\""),
                                         .resource = TEXT("U::\"b\""),
                                         .entities = entities,
                                         .schema = schema};
        assert_int_equal(forbid_authorize(decider, &request, &decision, NULL), FORBID_OK);
        assert_true(decision.allow);
        forbid_entities_free(entities);
    }
    forbid_decider_free(decider);
    forbid_policies_free(policies);
    forbid_schema_free(schema);
}

static void test_requests(void **state)
{
    (void)state;
    static const struct {
        const char *principal, *action, *resource, *context, *says; /* NULL: it conforms */
    } rows[] = {
        {"User::\"a\"", "Action::\"see\"", "Photo::\"p\"", "{\"hour\":9,\"from\":\"10.0.0.1\"}", NULL},
        {"Group::\"g\"", "Action::\"see\"", "Photo::\"p\"", "{\"hour\":9}", "does not accept a principal"},
        {"User::\"a\"", "Action::\"sea\"", "Photo::\"p\"", "{\"hour\":9}", "no such action"},
        {"User::\"a\"", "Action::\"see\"", "User::\"a\"", "{\"hour\":9}", "does not accept a resource"},
        {"User::\"a\"", "Action::\"see\"", "Photo::\"p\"", "", "hour` is required"},
        {"User::\"a\"", "Action::\"see\"", "Photo::\"p\"", "{\"hour\":9,\"day\":1}", "context"},
        {"User::\"a\"", "Action::\"see\"", "Photo::\"p\"", "{\"hour\":9,\"from\":\"nowhere\"}", "context"},
        {"", "Action::\"see\"", "Photo::\"p\"", "{\"hour\":9}", "no principal"},
    };
    forbid_schema *schema = read_schema();
    forbid_policies *policies;
    assert_int_equal(
        forbid_policies_parse(
            NULL, TEXT("p"),
            TEXT("permit (principal, action, resource) when { context.from.isInRange(ip(\"10.0.0.0/8\")) };"), 0,
            &policies, NULL),
        FORBID_OK);
    forbid_decider *decider = forbid_decider_new(NULL, policies, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct forbid_request request = {.size = sizeof request,
                                         .principal = TEXT(rows[i].principal),
                                         .action = TEXT(rows[i].action),
                                         .resource = TEXT(rows[i].resource),
                                         .context = TEXT(rows[i].context),
                                         .schema = schema};
        struct forbid_decision decision = {.size = sizeof decision, .allow = 1};
        const forbid_errors *errors;
        enum forbid_status status = forbid_authorize(decider, &request, &decision, &errors);
        assert_int_equal(status, rows[i].says == NULL ? FORBID_OK : FORBID_INVALID);
        assert_int_equal(decision.allow, rows[i].says == NULL);
        if (rows[i].says != NULL && strstr(forbid_errors_text(errors), rows[i].says) == NULL)
            fail_msg("`%s` is not in: %s", rows[i].says, forbid_errors_text(errors));
    }
    forbid_decider_free(decider);
    forbid_policies_free(policies);
    forbid_schema_free(schema);
}

static void test_evaluate(void **state)
{
    (void)state;
    static const struct {
        const char *expression, *json, *code;
    } rows[] = {
        {"1 + 2 * 3", "7", NULL},
        {"[2, 1, 2].contains(2)", "true", NULL},
        {"{\"a b\": \"x\\n\", c: []}", "{\"a b\":\"x\\n\",\"c\":[]}", NULL},
        {"principal", "{\"__entity\":{\"type\":\"User\",\"id\":\"a\"}}", NULL},
        {"principal.age + context.hour", "39", NULL},
        {"principal in Group::\"friends\"", "true", NULL},
        {"resource.getTag(\"t\")", "\"v\"", NULL},
        {"principal.home", "{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.1\"}}", NULL},
        {"1 +", NULL, "parse.unexpected_token"},
        {"principal.nope", NULL, "evaluate.error"},
        {"9223372036854775807 + 1", NULL, "evaluate.error"},
    };
    forbid_schema *schema = read_schema();
    forbid_entities *entities;
    assert_int_equal(forbid_entities_parse(NULL, schema, TEXT("e"), TEXT(sample_entities), &entities, NULL), FORBID_OK);
    const struct forbid_request request = {.size = sizeof request,
                                           .principal = TEXT("User::\"a\""),
                                           .action = TEXT("Action::\"see\""),
                                           .resource = TEXT("Photo::\"p\""),
                                           .context = TEXT("{\"hour\":9}"),
                                           .entities = entities,
                                           .schema = schema};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        forbid_string *json;
        forbid_errors *errors;
        enum forbid_status status =
            forbid_evaluate(NULL, TEXT("x"), TEXT(rows[i].expression), &request, &json, &errors);
        assert_int_equal(status, rows[i].code == NULL ? FORBID_OK : FORBID_INVALID);
        if (rows[i].json != NULL)
            assert_string_equal(forbid_string_text(json).ptr, rows[i].json);
        assert_true(has_error(errors, rows[i].code));
        forbid_string_free(json);
        forbid_errors_free(errors);
    }
    forbid_string *json;
    forbid_errors *errors;
    assert_int_equal(forbid_evaluate(NULL, TEXT("x"), TEXT("2 > 1"), NULL, &json, NULL), FORBID_OK);
    assert_true(string_is(json, "true"));
    forbid_string_free(json);
    assert_int_equal(forbid_evaluate(NULL, TEXT("x"), TEXT("true && (if 1 < 2 then [resource] else []).isEmpty()"),
                                     NULL, &json, &errors),
                     FORBID_INVALID);
    assert_true(has_error(errors, "request.missing"));
    forbid_errors_free(errors);
    forbid_entities_free(entities);
    forbid_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_schema),   cmocka_unit_test(test_translation),
                                       cmocka_unit_test(test_entities), cmocka_unit_test(test_action_groups),
                                       cmocka_unit_test(test_requests), cmocka_unit_test(test_evaluate)};
    return cmocka_run_group_tests_name("library/schema", tests, NULL, NULL);
}
