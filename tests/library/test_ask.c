/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations, batches and lists, as a stranger uses them; batches and lists against forbid_authorize(). */
#include "testing.h"

#include <forbid/batch.h>
#include <forbid/explain.h>
#include <forbid/lists.h>

#include <stdio.h>

static forbid_schema *schema;
static forbid_policies *policies;
static forbid_entities *entities;

static struct forbid_request ask(const char *principal, const char *action, const char *resource, const char *context)
{
    struct forbid_request request;
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.principal = TEXT(principal);
    request.action = TEXT(action);
    request.resource = TEXT(resource);
    request.context = TEXT(context);
    request.entities = entities;
    return request;
}

/* --- Explanations -------------------------------------------------------------------------------------- */

static void test_explain_deny(void **state)
{
    (void)state;
    forbid_explanation *why;
    struct forbid_request request = ask("User::\"a\"", "Action::\"edit\"", "Photo::\"p\"", "{\"hour\":9}");
    assert_int_equal(forbid_explain(NULL, policies, &request, 0, &why, NULL), FORBID_OK);
    assert_false(forbid_explanation_decision(why).allow);
    assert_int_equal(forbid_explanation_count(why), 0); /* no permit is about this action */
    assert_non_null(strstr(forbid_explanation_text(why).ptr, "DENY"));
    forbid_explanation_free(why);

    request = ask("User::\"z\"", "Action::\"see\"", "Photo::\"p\"", "{\"hour\":23}");
    assert_int_equal(forbid_explain(NULL, policies, &request, 1, &why, NULL), FORBID_OK);
    assert_int_equal(forbid_explanation_count(why), 1);
    assert_int_equal(forbid_explanation_left_out(why), 1);
    struct forbid_explained_policy night = forbid_explanation_at(why, 0);
    assert_true(text_is(night.id, "night") && !night.permits && night.outcome == FORBID_TRUE && night.unmet == 0);
    assert_int_equal(forbid_explanation_decision(why).reasons_count, 1);
    forbid_explanation_free(why);

    request = ask("User::\"z\"", "Action::\"see\"", "Photo::\"p\"", "{\"hour\":9}");
    assert_int_equal(forbid_explain(NULL, policies, &request, 0, &why, NULL), FORBID_OK);
    struct forbid_explained_policy friends = forbid_explanation_at(why, 0);
    assert_true(text_is(friends.id, "friends") && friends.permits && friends.outcome == FORBID_FALSE);
    assert_int_equal(friends.unmet, 1);
    assert_int_equal(friends.place.line, 1);
    assert_int_equal(friends.clauses_count, 2);
    const struct forbid_clause *clause = friends.decisive;
    assert_ptr_equal(clause, &friends.clauses[0]);
    assert_true(clause->part == FORBID_PART_PRINCIPAL && clause->outcome == FORBID_FALSE);
    assert_string_equal(clause->about, "not_a_member");
    assert_true(text_is(clause->text, "principal in Group::\"friends\""));
    assert_true(clause->place.line == 3 && clause->place.column == 9 && text_is(clause->place.source, "p.cedar"));
    assert_int_equal(clause->operands_count, 1);
    assert_true(text_is(clause->operands[0].value, "User::\"z\""));
    assert_int_equal(friends.clauses[1].outcome, FORBID_TRUE);
    assert_null(forbid_explanation_at(why, 1).id.ptr);
    forbid_explanation_free(why);
}

static void test_explain_errors(void **state)
{
    (void)state;
    forbid_explanation *why;
    /* hour is missing: the forbid errs, and is skipped. */
    struct forbid_request request = ask("User::\"a\"", "Action::\"see\"", "Photo::\"p\"", "");
    assert_int_equal(forbid_explain(NULL, policies, &request, 0, &why, NULL), FORBID_OK);
    struct forbid_decision decision = forbid_explanation_decision(why);
    assert_true(decision.allow && decision.errors_count == 1 && text_is(decision.errors[0].policy, "night"));
    assert_int_equal(forbid_explanation_count(why), 2);
    struct forbid_explained_policy night = forbid_explanation_at(why, 1);
    assert_true(text_is(forbid_explanation_at(why, 0).id, "friends") && text_is(night.id, "night"));
    const struct forbid_clause *clause = &night.clauses[0];
    assert_true(clause->outcome == FORBID_ERRED && clause->error.len != 0);
    assert_true(clause->error_place.line == clause->place.line && clause->error_place.end < clause->place.end);
    assert_non_null(strstr(forbid_explanation_json(why).ptr, "\"error_at\":{\"text\":\"context.hour\""));
    assert_non_null(strstr(forbid_explanation_text(why).ptr, "the record has no attribute \"hour\""));
    forbid_explanation_free(why);

    forbid_errors *errors;
    request.principal = TEXT("nobody");
    assert_int_equal(forbid_explain(NULL, policies, &request, 0, &why, &errors), FORBID_INVALID);
    assert_null(why);
    assert_true(has_error(errors, "request.uid"));
    forbid_errors_free(errors);
    request.principal = TEXT("");
    assert_int_equal(forbid_explain(NULL, policies, &request, 0, &why, &errors), FORBID_INVALID);
    assert_true(has_error(errors, "request.missing"));
    forbid_errors_free(errors);
    assert_int_equal(forbid_explain(NULL, NULL, &request, 0, &why, &errors), FORBID_MISUSE);
    assert_int_equal(forbid_explain(NULL, policies, NULL, 0, &why, &errors), FORBID_MISUSE);
    assert_int_equal(forbid_explain(NULL, policies, &request, 0, NULL, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_explanation_count(NULL) + forbid_explanation_left_out(NULL), 0);
    assert_false(forbid_explanation_decision(NULL).allow);
    assert_string_equal(forbid_explanation_text(NULL).ptr, "");
    assert_string_equal(forbid_explanation_json(NULL).ptr, "");
    forbid_explanation_free(NULL);
}

/* --- Batches --------------------------------------------------------------------------------------------- */

#define REQUESTS 500

/* Same or different principal, action, resource, context, in runs; some are no requests. */
static struct forbid_request varied(unsigned i)
{
    static const char *const principals[] = {"User::\"a\"", "User::\"z\"", "Group::\"friends\"", "Photo::\"p\"",
                                             "oops"};
    static const char *const actions[] = {"Action::\"see\"", "Action::\"edit\""};
    static const char *const resources[] = {"Photo::\"p\"", "Photo::\"none\"", ""};
    static const char *const contexts[] = {"{\"hour\":9}", "{\"hour\":23}", "", "{\"hour\":\"nine\"}", "[]"};
    unsigned n = i * 2654435761u;
    struct forbid_request request =
        ask(principals[i / 50 % 5], actions[i / 10 % 2], resources[n >> 28 == 0 ? 2 : n >> 30 & 1],
            contexts[n >> 26 & 31 ? n >> 20 & 3 : 4]);
    if ((n >> 12 & 7) == 0)
        request.entities = NULL;
    if ((n >> 15 & 7) == 0)
        request.schema = schema;
    return request;
}

static int same_text(struct forbid_text a, struct forbid_text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static int same_decision(const struct forbid_decision *a, const struct forbid_decision *b)
{
    if (a->allow != b->allow || a->reasons_count != b->reasons_count || a->errors_count != b->errors_count)
        return 0;
    for (size_t i = 0; i < a->reasons_count; i++)
        if (!same_text(a->reasons[i], b->reasons[i]))
            return 0;
    for (size_t i = 0; i < a->errors_count; i++)
        if (!same_text(a->errors[i].policy, b->errors[i].policy)
            || !same_text(a->errors[i].message, b->errors[i].message) || a->errors[i].start != b->errors[i].start
            || a->errors[i].end != b->errors[i].end)
            return 0;
    return 1;
}

static void test_batch(void **state)
{
    (void)state;
    static struct forbid_request requests[REQUESTS];
    static struct forbid_batch_answer answers[REQUESTS];
    forbid_decider *decider = forbid_decider_new(NULL, policies, 0), *alone = forbid_decider_new(NULL, policies, 0);
    size_t allowed = 0, invalid = 0, erred = 0;
    for (unsigned round = 0; round < 2; round++) {
        allowed = invalid = erred = 0;
        for (unsigned i = 0; i < REQUESTS; i++) {
            requests[i] = varied(i);
            answers[i] = (struct forbid_batch_answer){.size = sizeof answers[i]};
        }
        assert_int_equal(forbid_authorize_batch(decider, requests, REQUESTS, answers), FORBID_OK);
        for (unsigned i = 0; i < REQUESTS; i++) {
            struct forbid_decision decision = {.size = sizeof decision};
            const forbid_errors *errors;
            assert_int_equal(forbid_authorize(alone, &requests[i], &decision, &errors), answers[i].status);
            assert_true(same_decision(&decision, &answers[i].decision));
            assert_int_equal(forbid_errors_count(errors), forbid_errors_count(answers[i].errors));
            assert_string_equal(forbid_errors_text(errors), forbid_errors_text(answers[i].errors));
            allowed += decision.allow != 0;
            invalid += answers[i].status == FORBID_INVALID;
            erred += decision.errors_count != 0;
        }
    }
    print_message("# of %d: %zu allowed, %zu at fault, %zu with errors\n", REQUESTS, allowed, invalid, erred);
    assert_true(allowed > 20 && invalid > 20 && erred > 20);
    /* One decision afterwards, and none at all. */
    struct forbid_decision decision = {.size = sizeof decision};
    assert_int_equal(forbid_authorize(decider, &requests[0], &decision, NULL), answers[0].status);
    assert_int_equal(forbid_authorize_batch(decider, NULL, 0, NULL), FORBID_OK);
    forbid_decider_free(decider);
    forbid_decider_free(alone);
}

/* A request that is too large for one decision stops no other. */
static void test_batch_limits(void **state)
{
    (void)state;
    enum { LONG = 20000 };
    static char context[8 * LONG];
    size_t len = (size_t)snprintf(context, sizeof context, "{\"hour\":9,\"list\":[");
    for (unsigned i = 0; i < LONG; i++)
        len += (size_t)snprintf(context + len, sizeof context - len, "%s%u", i != 0 ? "," : "", i);
    (void)snprintf(context + len, sizeof context - len, "]}");
    struct forbid_request requests[4];
    struct forbid_batch_answer answers[4];
    for (unsigned i = 0; i < 4; i++) {
        requests[i] = ask("User::\"a\"", "Action::\"see\"", "Photo::\"p\"", "{\"hour\":9}");
        answers[i] = (struct forbid_batch_answer){.size = sizeof answers[i]};
    }
    requests[1].context = TEXT(context);
    forbid_decider *decider = forbid_decider_new(NULL, policies, 100000);
    assert_int_equal(forbid_authorize_batch(decider, requests, 4, answers), FORBID_OK);
    assert_int_equal(answers[0].status, FORBID_OK);
    assert_int_equal(answers[1].status, FORBID_NO_MEMORY);
    assert_false(answers[1].decision.allow);
    assert_true(answers[2].status == FORBID_OK && answers[2].decision.allow);
    assert_true(answers[3].status == FORBID_OK && answers[3].decision.allow);

    answers[3].size = 1;
    assert_int_equal(forbid_authorize_batch(decider, requests, 4, answers), FORBID_MISUSE);
    answers[3].size = sizeof answers[3];
    requests[2].size = 8;
    assert_int_equal(forbid_authorize_batch(decider, requests, 4, answers), FORBID_MISUSE);
    assert_int_equal(forbid_authorize_batch(decider, NULL, 4, answers), FORBID_MISUSE);
    assert_int_equal(forbid_authorize_batch(NULL, requests, 1, answers), FORBID_MISUSE);
    forbid_decider_free(decider);
}

/* --- Lists ------------------------------------------------------------------------------------------------- */

static const char docs_policies[] =
    "permit (principal, action == Action::\"read\", resource in Folder::\"f1\");\n"
    "permit (principal, action == Action::\"read\", resource) when { resource.owner == principal };\n"
    "permit (principal in Group::\"g0\", action == Action::\"print\", resource);\n"
    "forbid (principal, action, resource) when { resource.n == 3 };\n"
    "forbid (principal, action, resource) when { resource.missing };\n";

static char *docs_json(void)
{
    static char json[40000];
    size_t len = 0;
    len += (size_t)snprintf(json, sizeof json, "[");
    for (unsigned i = 0; i < 60; i++)
        len += (size_t)snprintf(
            json + len, sizeof json - len,
            "{\"uid\":{\"type\":\"Doc\",\"id\":\"d%u\"},\"attrs\":{\"n\":%u,\"owner\":{\"__entity\":{\"type\":"
            "\"User\",\"id\":\"u%u\"}}},\"parents\":[{\"type\":\"Folder\",\"id\":\"f%u\"}]},",
            i, i % 7, i % 4, i % 3);
    for (unsigned i = 0; i < 4; i++)
        len += (size_t)snprintf(
            json + len, sizeof json - len,
            "%s{\"uid\":{\"type\":\"User\",\"id\":\"u%u\"},\"attrs\":{},\"parents\":[{\"type\":\"Group\","
            "\"id\":\"g%u\"}]}",
            i != 0 ? "," : "", i, i % 2);
    (void)snprintf(json + len, sizeof json - len, "]");
    return json;
}

static int is_allowed(forbid_decider *decider, const forbid_entities *docs, struct forbid_request request,
                      struct forbid_text uid, int principals)
{
    struct forbid_decision decision = {.size = sizeof decision};
    *(principals ? &request.principal : &request.resource) = uid;
    request.entities = docs;
    assert_int_equal(forbid_authorize(decider, &request, &decision, NULL), FORBID_OK);
    return decision.allow;
}

static void compare_list(forbid_lister *lister, forbid_decider *decider, const forbid_entities *docs,
                         const struct forbid_list_query *asked, int principals)
{
    char listed[64][16];
    size_t count = 0;
    struct forbid_list_query query = *asked;
    struct forbid_list_page page = {.size = sizeof page};
    do {
        enum forbid_status status = principals ? forbid_list_principals(lister, &query, &page, NULL)
                                               : forbid_list_resources(lister, &query, &page, NULL);
        assert_int_equal(status, FORBID_OK);
        for (size_t i = 0; i < page.count; i++, count++) {
            assert_true(count < 64 && page.uids[i].len < sizeof listed[0]);
            memcpy(listed[count], page.uids[i].ptr, page.uids[i].len);
            listed[count][page.uids[i].len] = '\0';
            assert_true(count == 0 || strcmp(listed[count - 1], listed[count]) < 0);
        }
        query.after = page.next;
    } while (page.next.len != 0);
    size_t expected = 0;
    for (unsigned i = 0; i < (principals ? 4u : 60u); i++) {
        char uid[16];
        (void)snprintf(uid, sizeof uid, principals ? "User::\"u%u\"" : "Doc::\"d%u\"", i);
        int found = 0;
        for (size_t j = 0; j < count; j++)
            found = found || strcmp(listed[j], uid) == 0;
        assert_int_equal(found, is_allowed(decider, docs, asked->request, TEXT(uid), principals));
        expected += found != 0;
    }
    assert_int_equal(count, expected);
}

static void test_lists(void **state)
{
    (void)state;
    forbid_policies *rules;
    forbid_entities *docs;
    assert_int_equal(forbid_policies_parse(NULL, TEXT("p"), TEXT(docs_policies), 0, &rules, NULL), FORBID_OK);
    assert_int_equal(forbid_entities_parse(NULL, NULL, TEXT("e"), TEXT(docs_json()), &docs, NULL), FORBID_OK);
    forbid_lister *lister = forbid_lister_new(NULL, rules, docs, 0);
    forbid_decider *decider = forbid_decider_new(NULL, rules, 0);
    struct forbid_list_query query = {.size = sizeof query, .limit = 7, .type = TEXT("Doc")};
    query.request = ask("User::\"u1\"", "Action::\"read\"", "", "");
    query.request.entities = NULL;
    for (unsigned visits = 0; visits < 12; visits += 5) {
        query.visits = visits;
        query.type = TEXT("Doc");
        query.request.resource = TEXT("");
        query.request.principal = TEXT("User::\"u1\"");
        query.request.action = TEXT("Action::\"read\"");
        compare_list(lister, decider, docs, &query, 0);
        query.request.action = TEXT("Action::\"print\"");
        compare_list(lister, decider, docs, &query, 0);
        query.request.principal = TEXT("User::\"u2\"");
        compare_list(lister, decider, docs, &query, 0);
        query.type = TEXT("User");
        query.request.principal = TEXT("");
        query.request.resource = TEXT("Doc::\"d5\"");
        compare_list(lister, decider, docs, &query, 1);
        query.request.action = TEXT("Action::\"read\"");
        compare_list(lister, decider, docs, &query, 1);
        query.request.resource = TEXT("Doc::\"d3\"");
        compare_list(lister, decider, docs, &query, 1);
    }
    forbid_decider_free(decider);
    forbid_lister_free(lister);
    forbid_entities_free(docs);
    forbid_policies_free(rules);
}

static void test_list_faults(void **state)
{
    (void)state;
    forbid_lister *lister = forbid_lister_new(NULL, policies, entities, 0);
    struct forbid_list_query query = {.size = sizeof query, .type = TEXT("Photo")};
    struct forbid_list_page page = {.size = sizeof page};
    const forbid_errors *errors;
    query.request = ask("User::\"a\"", "Action::\"see\"", "", "{\"hour\":1}");
    assert_int_equal(forbid_list_resources(lister, &query, &page, &errors), FORBID_OK);
    assert_true(page.count == 1 && text_is(page.uids[0], "Photo::\"p\""));
    query.limit = 1;
    assert_int_equal(forbid_list_resources(lister, &query, &page, &errors), FORBID_OK);
    assert_true(page.next.len != 0);
    query.after = page.next;
    query.type = TEXT("User");
    assert_int_equal(forbid_list_resources(lister, &query, &page, &errors), FORBID_INVALID);
    assert_true(has_error(errors, "list.cursor") && page.count == 0);
    query.after = TEXT("");
    query.type = TEXT("no type");
    assert_int_equal(forbid_list_resources(lister, &query, &page, &errors), FORBID_INVALID);
    assert_true(has_error(errors, "list.type"));
    query.type = TEXT("Photo");
    query.request.principal = TEXT("");
    query.request.context = TEXT("[");
    assert_int_equal(forbid_list_resources(lister, &query, &page, &errors), FORBID_INVALID);
    assert_true(has_error(errors, "request.missing") && forbid_errors_count(errors) == 2);
    assert_int_equal(forbid_list_principals(lister, &query, &page, &errors), FORBID_INVALID);
    assert_int_equal(forbid_list_resources(NULL, &query, &page, &errors), FORBID_MISUSE);
    assert_null(errors);
    assert_int_equal(forbid_list_resources(lister, NULL, &page, NULL), FORBID_MISUSE);
    assert_int_equal(forbid_list_resources(lister, &query, NULL, NULL), FORBID_MISUSE);
    query.request.size = 1;
    assert_int_equal(forbid_list_resources(lister, &query, &page, NULL), FORBID_MISUSE);
    page.size = 1;
    query.request.size = sizeof query.request;
    assert_int_equal(forbid_list_resources(lister, &query, &page, NULL), FORBID_MISUSE);
    assert_null(forbid_lister_new(NULL, NULL, entities, 0));
    assert_null(forbid_lister_new(NULL, policies, NULL, 0));
    forbid_lister_free(lister);
    forbid_lister_free(NULL);
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(forbid_schema_parse(NULL, TEXT("s"), TEXT(sample_schema), &schema, NULL), FORBID_OK);
    assert_int_equal(forbid_policies_parse(NULL, TEXT("p.cedar"), TEXT(sample_policies), 1, &policies, NULL),
                     FORBID_OK);
    return forbid_entities_parse(NULL, schema, TEXT("e"), TEXT(sample_entities), &entities, NULL) != FORBID_OK;
}

static int tear_down(void **state)
{
    (void)state;
    forbid_entities_free(entities);
    forbid_policies_free(policies);
    forbid_schema_free(schema);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explain_deny), cmocka_unit_test(test_explain_errors), cmocka_unit_test(test_batch),
        cmocka_unit_test(test_batch_limits), cmocka_unit_test(test_lists),          cmocka_unit_test(test_list_faults),
    };
    return cmocka_run_group_tests_name("ask", tests, set_up, tear_down);
}
