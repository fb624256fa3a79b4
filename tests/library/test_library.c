/* SPDX-License-Identifier: Apache-2.0 */
/* The C interface, used as a stranger would: only the installed header, linked with libforbid. */
#include <forbid/forbid.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>     /* asks for those above */

static struct forbid_text text(const char *z)
{
    return (struct forbid_text){strlen(z), z};
}

static const char policies_text[] =
    "@id(\"friends\") permit (principal in Group::\"friends\", action, resource);\n"
    "@id(\"not-at-night\") forbid (principal, action, resource) when { context.hour >= 22 };\n";
static const char entities_text[] = "[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{},"
                                    "\"parents\":[{\"type\":\"Group\",\"id\":\"friends\"}]}]";

static enum forbid_status ask(forbid_decider *decider, const forbid_entities *entities, const char *principal,
                              const char *context, struct forbid_decision *decision, const forbid_errors **errors)
{
    const struct forbid_request request = {.size = sizeof request,
                                           .principal = text(principal),
                                           .action = text("Action::\"see\""),
                                           .resource = text("Photo::\"p\""),
                                           .context = text(context),
                                           .entities = entities};
    decision->size = sizeof *decision;
    return forbid_authorize(decider, &request, decision, errors);
}

static void test_decisions(void **state)
{
    (void)state;
    forbid_policies *policies;
    forbid_entities *entities;
    assert_int_equal(forbid_policies_parse(NULL, text("p.cedar"), text(policies_text), 1, &policies, NULL), FORBID_OK);
    assert_int_equal(forbid_policies_count(policies), 2);
    assert_int_equal(forbid_entities_parse(NULL, NULL, text("e.json"), text(entities_text), &entities, NULL),
                     FORBID_OK);
    assert_int_equal(forbid_entities_count(entities), 1);
    forbid_decider *decider = forbid_decider_new(NULL, policies, 0);
    struct forbid_decision decision;
    assert_int_equal(ask(decider, entities, "User::\"a\"", "{\"hour\":9}", &decision, NULL), FORBID_OK);
    assert_true(decision.allow && decision.reasons_count == 1 && decision.errors_count == 0);
    assert_memory_equal(decision.reasons[0].ptr, "friends", 7);
    assert_int_equal(ask(decider, entities, "User::\"a\"", "{\"hour\":23}", &decision, NULL), FORBID_OK);
    assert_true(!decision.allow && decision.reasons_count == 1);
    assert_memory_equal(decision.reasons[0].ptr, "not-at-night", 12);
    assert_int_equal(ask(decider, entities, "User::\"b\"", "", &decision, NULL), FORBID_OK);
    assert_true(!decision.allow && decision.reasons_count == 0 && decision.errors_count == 1);
    assert_memory_equal(decision.errors[0].policy.ptr, "not-at-night", 12);
    assert_true(decision.errors[0].source.len == 7 && memcmp(decision.errors[0].source.ptr, "p.cedar", 7) == 0);
    assert_true(decision.errors[0].message.len > 0 && decision.errors[0].end > decision.errors[0].start);
    forbid_decider_free(decider);
    forbid_entities_free(entities);
    forbid_policies_free(policies);
}

static void test_errors(void **state)
{
    (void)state;
    forbid_policies *policies;
    forbid_errors *errors;
    assert_int_equal(forbid_policies_parse(NULL, text("p.cedar"), text("permit (principal, action);\nforbid (oops"), 0,
                                           &policies, &errors),
                     FORBID_INVALID);
    assert_null(policies);
    assert_true(forbid_errors_count(errors) >= 2);
    struct forbid_error first = forbid_errors_at(errors, 0);
    assert_int_equal(first.severity, FORBID_ERROR);
    assert_int_equal(first.place.line, 1);
    assert_memory_equal(first.place.source.ptr, "p.cedar", 7);
    assert_non_null(strstr(forbid_errors_text(errors), "p.cedar:1:"));
    assert_null(forbid_errors_at(errors, 1000).code);
    forbid_errors_free(errors);

    assert_int_equal(forbid_policies_parse(NULL, text("p"), text(policies_text), 0, &policies, &errors), FORBID_OK);
    assert_null(errors);
    forbid_decider *decider = forbid_decider_new(NULL, policies, 0);
    const forbid_errors *why;
    struct forbid_decision decision = {.allow = 1};
    assert_int_equal(ask(decider, NULL, "User:a", "[1", &decision, &why), FORBID_INVALID);
    assert_false(decision.allow);
    assert_int_equal(forbid_errors_count(why), 2);
    const struct forbid_request small = {.size = 8};
    assert_int_equal(forbid_authorize(decider, &small, &decision, NULL), FORBID_MISUSE);
    forbid_decider_free(decider);
    forbid_policies_free(policies);
    forbid_policies_free(NULL);
    forbid_entities_free(NULL);
    forbid_errors_free(NULL);
    forbid_decider_free(NULL);
}

/* An allocator that fails from the Nth call on, and counts what is out. */
struct scarce {
    long left, out;
};

static void *scarce_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    struct scarce *scarce = context;
    (void)old_size;
    if (new_size == 0) {
        scarce->out -= block != NULL;
        free(block);
        return NULL;
    }
    if (scarce->left-- <= 0)
        return NULL;
    scarce->out += block == NULL;
    return realloc(block, new_size);
}

static void test_scarce_memory(void **state)
{
    (void)state;
    int allowed = 0;
    for (long n = 0; n < 400 && !allowed; n++) {
        struct scarce scarce = {.left = n};
        const struct forbid_allocator allocator = {scarce_resize, &scarce};
        forbid_policies *policies = NULL;
        forbid_entities *entities = NULL;
        forbid_errors *errors = NULL;
        struct forbid_decision decision = {.size = sizeof decision};
        if (forbid_policies_parse(&allocator, text("p"), text(policies_text), 1, &policies, &errors) == FORBID_OK
            && forbid_entities_parse(&allocator, NULL, text("e"), text(entities_text), &entities, &errors)
                   == FORBID_OK) {
            forbid_decider *decider = forbid_decider_new(&allocator, policies, 0);
            if (decider != NULL && ask(decider, entities, "User::\"a\"", "{\"hour\":9}", &decision, NULL) == FORBID_OK)
                allowed = decision.allow;
            forbid_decider_free(decider);
        }
        if (errors != NULL)
            print_message("# after %ld calls: %s\n", n, forbid_errors_text(errors));
        assert_null(errors);
        forbid_entities_free(entities);
        forbid_policies_free(policies);
        assert_int_equal(scarce.out, 0);
    }
    assert_true(allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decisions), cmocka_unit_test(test_errors),
                                       cmocka_unit_test(test_scarce_memory)};
    return cmocka_run_group_tests_name("library", tests, NULL, NULL);
}
