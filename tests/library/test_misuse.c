/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller gets wrong is told apart from what a text gets wrong: FORBID_MISUSE, nothing made, nothing read. */
#include "testing.h"

static const struct forbid_text nowhere = {3, NULL}; /* a length without a text */

/* Outputs start out wrong, to see that they are set. */
static union {
    forbid_errors *errors;
    forbid_string *string;
} unset;

#define ERRORS_UNSET ((forbid_errors *)(void *)&unset)

static void test_nulls(void **state)
{
    (void)state;
    forbid_errors *errors = ERRORS_UNSET;
    assert_int_equal(forbid_policies_parse(NULL, TEXT("p"), TEXT(""), 0, NULL, &errors), FORBID_MISUSE);
    assert_null(errors);
    assert_int_equal(forbid_policies_parse_json(NULL, TEXT("p"), TEXT(""), NULL, NULL), FORBID_MISUSE);
    forbid_policies *policies = (forbid_policies *)(void *)&unset;
    assert_int_equal(forbid_policies_parse_all(NULL, NULL, 1, 0, &policies, NULL), FORBID_MISUSE);
    assert_null(policies);
    assert_int_equal(forbid_schema_parse(NULL, TEXT("s"), TEXT(""), NULL, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_schema_parse_json(NULL, TEXT("s"), TEXT(""), NULL, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_schema_to_json(NULL, TEXT("s"), TEXT(""), 0, NULL, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_schema_to_text(NULL, TEXT("s"), TEXT(""), NULL, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_entities_parse(NULL, NULL, TEXT("e"), TEXT("[]"), NULL, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_format(NULL, TEXT("p"), TEXT(""), NULL, NULL, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_evaluate(NULL, TEXT("x"), TEXT("1"), NULL, NULL, NULL), FORBID_MISUSE);
    assert_null(forbid_decider_new(NULL, NULL, 0));
    assert_null(forbid_links_new(NULL, NULL));
    errors = ERRORS_UNSET;
    assert_int_equal(forbid_links_add(NULL, NULL, 0, &errors), FORBID_MISUSE);
    assert_null(errors);
    assert_int_equal(forbid_links_remove(NULL, NULL, 0, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_validate(NULL, NULL, NULL, NULL, NULL), FORBID_MISUSE);
    forbid_string *string = (forbid_string *)(void *)&unset;
    assert_int_equal(forbid_policies_to_json(NULL, NULL, &string), FORBID_MISUSE);
    assert_null(string);
    assert_int_equal(forbid_policies_to_text(NULL, NULL, &string, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_policy_to_text(NULL, NULL, 0, &string), FORBID_MISUSE);
    assert_int_equal(forbid_policy_to_json(NULL, NULL, 0, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_links_to_json(NULL, NULL, &string), FORBID_MISUSE);
}

static void test_nothing(void **state)
{
    (void)state;
    assert_int_equal(forbid_policies_count(NULL), 0);
    assert_int_equal(forbid_policies_find(NULL, TEXT("a")), 0);
    assert_null(forbid_policies_at(NULL, 0).id.ptr);
    assert_int_equal(forbid_entities_count(NULL), 0);
    assert_int_equal(forbid_links_count(NULL), 0);
    assert_int_equal(forbid_links_places(NULL), 0);
    assert_int_equal(forbid_links_find(NULL, TEXT("a")), 0);
    assert_null(forbid_links_at(NULL, 0).id.ptr);
    assert_int_equal(forbid_errors_count(NULL), 0);
    assert_null(forbid_errors_at(NULL, 0).code);
    assert_string_equal(forbid_errors_text(NULL), "");
    assert_string_equal(forbid_string_text(NULL).ptr, "");
    assert_int_equal(TEXT(NULL).len, 0);
    forbid_policies_free(NULL);
    forbid_entities_free(NULL);
    forbid_schema_free(NULL);
    forbid_links_free(NULL);
    forbid_string_free(NULL);
    forbid_errors_free(NULL);
    forbid_decider_free(NULL);
}

static void test_texts(void **state)
{
    (void)state;
    forbid_policies *policies;
    forbid_schema *schema;
    forbid_string *string;
    assert_int_equal(forbid_policies_parse(NULL, TEXT("p"), nowhere, 0, &policies, NULL), FORBID_MISUSE);
    assert_null(policies);
    assert_int_equal(forbid_policies_parse(NULL, nowhere, TEXT(""), 0, &policies, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_schema_parse(NULL, TEXT("s"), nowhere, &schema, NULL), FORBID_MISUSE);
    assert_null(schema);
    assert_int_equal(forbid_format(NULL, TEXT("p"), nowhere, NULL, &string, NULL), FORBID_MISUSE);
    assert_null(string);
    /* Nothing at all is a text: no policies, no types. */
    assert_int_equal(forbid_policies_parse(NULL, TEXT(NULL), TEXT(NULL), 0, &policies, NULL), FORBID_OK);
    assert_int_equal(forbid_policies_count(policies), 0);
    assert_int_equal(forbid_schema_parse(NULL, TEXT(NULL), TEXT(NULL), &schema, NULL), FORBID_OK);
    assert_int_equal(forbid_validate(NULL, policies, schema, NULL, NULL), FORBID_OK);
    assert_int_equal(forbid_policies_to_text(NULL, policies, &string, NULL), FORBID_OK);
    assert_true(string_is(string, ""));
    forbid_string_free(string);
    forbid_policies_free(policies);
    forbid_schema_free(schema);
}

/* Structs of a size that this library does not know, and values that they cannot have. */
static void test_structs(void **state)
{
    (void)state;
    forbid_policies *policies, *others;
    forbid_schema *schema;
    forbid_string *string;
    assert_int_equal(forbid_policies_parse(NULL, TEXT("p"), TEXT(sample_policies), 1, &policies, NULL), FORBID_OK);
    assert_int_equal(forbid_policies_parse(NULL, TEXT("p"), TEXT(sample_policies), 1, &others, NULL), FORBID_OK);
    assert_int_equal(forbid_schema_parse(NULL, TEXT("s"), TEXT(sample_schema), &schema, NULL), FORBID_OK);
    forbid_links *links = forbid_links_new(NULL, others);
    forbid_decider *decider = forbid_decider_new(NULL, policies, 0);

    const struct forbid_format_options formats[] = {
        {0, 80, 2}, {sizeof formats[0], 10001, 2}, {sizeof formats[0], 80, 65}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(forbid_format(NULL, TEXT("p"), TEXT(""), &formats[i], &string, NULL), FORBID_MISUSE);

    struct forbid_validate_options options = {.size = sizeof options + 8};
    assert_int_equal(forbid_validate(NULL, policies, schema, &options, NULL), FORBID_MISUSE);
    options = (struct forbid_validate_options){.size = sizeof options, .mode = (enum forbid_validation_mode)7};
    assert_int_equal(forbid_validate(NULL, policies, schema, &options, NULL), FORBID_MISUSE);
    options = (struct forbid_validate_options){.size = sizeof options, .links = links}; /* of another set */
    assert_int_equal(forbid_validate(NULL, policies, schema, &options, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_validate(NULL, policies, NULL, NULL, NULL), FORBID_MISUSE);

    struct forbid_request request = {.size = sizeof request,
                                     .principal = TEXT("U::\"a\""),
                                     .action = TEXT("Action::\"b\""),
                                     .resource = TEXT("U::\"c\"")};
    struct forbid_decision decision = {.size = sizeof decision, .allow = 1};
    assert_int_equal(forbid_authorize(decider, &request, &decision, NULL), FORBID_OK);
    decision.allow = 1;
    assert_int_equal(forbid_authorize(NULL, &request, &decision, NULL), FORBID_MISUSE);
    assert_false(decision.allow);
    decision.allow = 1;
    assert_int_equal(forbid_authorize(decider, NULL, &decision, NULL), FORBID_MISUSE);
    assert_false(decision.allow);
    assert_int_equal(forbid_authorize(decider, &request, NULL, NULL), FORBID_MISUSE);
    struct forbid_decision unsized = {.size = 0};
    assert_int_equal(forbid_authorize(decider, &request, &unsized, NULL), FORBID_MISUSE);
    request.links = links;
    assert_int_equal(forbid_authorize(decider, &request, &decision, NULL), FORBID_MISUSE);
    request.links = NULL;
    request.context = nowhere;
    assert_int_equal(forbid_authorize(decider, &request, &decision, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_evaluate(NULL, TEXT("x"), TEXT("1"), &request, &string, NULL), FORBID_MISUSE);
    assert_null(string);
    request = (struct forbid_request){.size = 8};
    assert_int_equal(forbid_authorize(decider, &request, &decision, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_evaluate(NULL, TEXT("x"), TEXT("1"), &request, &string, NULL), FORBID_MISUSE);

    const struct forbid_link link = {TEXT("share"), nowhere, TEXT("U::\"a\""), TEXT("U::\"a\"")};
    assert_int_equal(forbid_links_add(links, &link, 1, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_links_add(links, NULL, 1, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_links_add(links, NULL, 0, NULL), FORBID_OK);
    assert_int_equal(forbid_links_remove(links, &nowhere, 1, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_policy_to_text(NULL, policies, 3, &string), FORBID_MISUSE);
    assert_int_equal(forbid_policy_to_json(NULL, policies, 3, &string), FORBID_MISUSE);
    forbid_decider_free(decider);
    forbid_links_free(links);
    forbid_schema_free(schema);
    forbid_policies_free(others);
    forbid_policies_free(policies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nulls), cmocka_unit_test(test_nothing),
                                       cmocka_unit_test(test_texts), cmocka_unit_test(test_structs)};
    return cmocka_run_group_tests_name("library/misuse", tests, NULL, NULL);
}
