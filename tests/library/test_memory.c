/* SPDX-License-Identifier: Apache-2.0 */
/* Every entry point with an allocator that fails from the Nth call on, for every N: the call says that memory is
 * short, hands out nothing, keeps nothing; and with enough memory it ends as it should. */
#include "testing.h"

#include <forbid/batch.h>
#include <forbid/explain.h>
#include <forbid/lists.h>

struct scarce {
    long left, out;
};

/* In front of each block stands its size, to see that the library knows what it gives back. */
#define HEAD 16

static void *scarce_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    struct scarce *scarce = context;
    char *start = block != NULL ? (char *)block - HEAD : NULL;
    assert_true(start != NULL ? *(size_t *)(void *)start == old_size : old_size == 0);
    if (new_size == 0) {
        scarce->out -= block != NULL;
        free(start);
        return NULL;
    }
    if (scarce->left-- <= 0)
        return NULL;
    start = realloc(start, HEAD + new_size);
    if (start == NULL)
        return NULL;
    scarce->out += block == NULL;
    *(size_t *)(void *)start = new_size;
    return start + HEAD;
}

/* Objects that are there before the memory gets scarce. */
static forbid_schema *schema;
static forbid_policies *policies;
static forbid_entities *entities;

struct run {
    const struct forbid_allocator *memory;
    forbid_errors *errors;
    int made; /* whether what the call makes was there */
};

/* --- The entry points --------------------------------------------------------------------------------- */

static const char bad_policies[] = "permit (principal, action);\n@id(\"x\") forbid (principal, action, resource)\n"
                                   "when { ip(\"1.2.3.4\").isLoopback( };";
static const char json_policies[] =
    "{\"staticPolicies\":{\"a\":{\"effect\":\"permit\",\"principal\":{\"op\":\"All\"},\"action\":{\"op\":\"All\"},"
    "\"resource\":{\"op\":\"All\"},\"conditions\":[{\"kind\":\"when\",\"body\":{\"like\":{\"left\":{\"Value\":\"ab\"},"
    "\"pattern\":[{\"Literal\":\"a\"},\"Wildcard\"]}}}]}},\"templates\":{\"t\":{\"effect\":\"forbid\",\"principal\":"
    "{\"op\":\"==\",\"slot\":\"?principal\"},\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"All\"},\"conditions\":["
    "]}},"
    "\"templateLinks\":[{\"templateId\":\"t\",\"newId\":\"l\",\"values\":{\"?principal\":{\"type\":\"U\",\"id\":\"b\"}}"
    "}]}";

static enum forbid_status parse_policies(struct run *run)
{
    forbid_policies *made;
    enum forbid_status status =
        forbid_policies_parse(run->memory, TEXT("p"), TEXT(sample_policies), 1, &made, &run->errors);
    run->made = made != NULL;
    forbid_policies_free(made);
    return status;
}

static enum forbid_status parse_bad_policies(struct run *run)
{
    forbid_policies *made;
    enum forbid_status status =
        forbid_policies_parse(run->memory, TEXT("p"), TEXT(bad_policies), 1, &made, &run->errors);
    run->made = made != NULL;
    return status;
}

static enum forbid_status parse_json(struct run *run)
{
    forbid_policies *made;
    enum forbid_status status =
        forbid_policies_parse_json(run->memory, TEXT("p"), TEXT(json_policies), &made, &run->errors);
    run->made = made != NULL;
    forbid_policies_free(made);
    return status;
}

static enum forbid_status parse_bad_json(struct run *run)
{
    forbid_policies *made;
    enum forbid_status status =
        forbid_policies_parse_json(run->memory, TEXT("p"), TEXT("{\"effect\":\"allow\"}"), &made, &run->errors);
    run->made = made != NULL;
    return status;
}

static enum forbid_status parse_schema(struct run *run)
{
    forbid_schema *made;
    enum forbid_status status = forbid_schema_parse(run->memory, TEXT("s"), TEXT(sample_schema), &made, &run->errors);
    run->made = made != NULL;
    forbid_schema_free(made);
    return status;
}

static enum forbid_status parse_bad_schema(struct run *run)
{
    forbid_schema *made;
    enum forbid_status status = forbid_schema_parse(
        run->memory, TEXT("s"), TEXT("entity User in [Grop]; entity Group; action a appliesTo {"), &made, &run->errors);
    run->made = made != NULL;
    return status;
}

static enum forbid_status translate_schema(struct run *run)
{
    forbid_string *json, *text = NULL;
    enum forbid_status status =
        forbid_schema_to_json(run->memory, TEXT("s"), TEXT(sample_schema), 1, &json, &run->errors);
    if (status == FORBID_OK)
        status = forbid_schema_to_text(run->memory, TEXT("s"), forbid_string_text(json), &text, &run->errors);
    run->made = text != NULL;
    forbid_string_free(json);
    forbid_string_free(text);
    return status;
}

static enum forbid_status parse_schema_json(struct run *run)
{
    static const char json[] = "{\"\":{\"entityTypes\":{\"U\":{\"shape\":{\"type\":\"Record\",\"attributes\":{\"a\":{"
                               "\"type\":\"Long\"}}}}},\"actions\":{\"v\":{}}}}";
    forbid_schema *made;
    enum forbid_status status = forbid_schema_parse_json(run->memory, TEXT("s"), TEXT(json), &made, &run->errors);
    run->made = made != NULL;
    forbid_schema_free(made);
    return status;
}

static enum forbid_status parse_entities(struct run *run)
{
    forbid_entities *made;
    enum forbid_status status =
        forbid_entities_parse(run->memory, schema, TEXT("e"), TEXT(sample_entities), &made, &run->errors);
    run->made = made != NULL;
    forbid_entities_free(made);
    return status;
}

static enum forbid_status parse_bad_entities(struct run *run)
{
    static const char json[] = "[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{\"age\":\"x\"},\"parents\":[]}]";
    forbid_entities *made;
    enum forbid_status status = forbid_entities_parse(run->memory, schema, TEXT("e"), TEXT(json), &made, &run->errors);
    run->made = made != NULL;
    return status;
}

static enum forbid_status validate(struct run *run)
{
    run->made = 1;
    enum forbid_status status = forbid_validate(run->memory, policies, schema, NULL, &run->errors);
    run->made = status == FORBID_OK;
    return status;
}

static enum forbid_status validate_bad(struct run *run)
{
    static const char text[] = "permit (principal, action == Action::\"sea\", resource) when { principal.aeg > 1 };\n"
                               "permit (principal is User, action, resource) when { principal.home.isLoopback() && "
                               "resource.owner.age == \"x\" };";
    forbid_policies *made;
    forbid_policies_parse(NULL, TEXT("p"), TEXT(text), 0, &made, NULL);
    enum forbid_status status = forbid_validate(run->memory, made, schema, NULL, &run->errors);
    forbid_policies_free(made);
    return status;
}

static enum forbid_status format(struct run *run)
{
    forbid_string *made;
    enum forbid_status status = forbid_format(run->memory, TEXT("p"), TEXT(sample_policies), NULL, &made, &run->errors);
    run->made = made != NULL;
    forbid_string_free(made);
    return status;
}

static enum forbid_status write_out(struct run *run)
{
    forbid_string *made[4] = {NULL, NULL, NULL, NULL};
    enum forbid_status status = forbid_policies_to_text(run->memory, policies, &made[0], &run->errors);
    if (status == FORBID_OK)
        status = forbid_policies_to_json(run->memory, policies, &made[1]);
    if (status == FORBID_OK)
        status = forbid_policy_to_text(run->memory, policies, 2, &made[2]);
    if (status == FORBID_OK)
        status = forbid_policy_to_json(run->memory, policies, 2, &made[3]);
    run->made = made[3] != NULL;
    for (int i = 0; i < 4; i++)
        forbid_string_free(made[i]);
    return status;
}

static enum forbid_status link_and_unlink(struct run *run)
{
    const struct forbid_link added[] = {
        {TEXT("share"), TEXT("one"), TEXT("User::\"a\""), TEXT("Photo::\"p\"")},
        {TEXT("share"), TEXT("two"), TEXT("User::\"b\""), TEXT("Photo::\"q\"")},
    };
    forbid_links *links = forbid_links_new(run->memory, policies);
    enum forbid_status status = links != NULL ? FORBID_OK : FORBID_NO_MEMORY;
    if (status == FORBID_OK) {
        status = forbid_links_add(links, added, 2, &run->errors);
        /* All or nothing. */
        assert_int_equal(forbid_links_count(links), status == FORBID_OK ? 2 : 0);
    }
    if (status == FORBID_OK) {
        status = forbid_links_remove(links, &added[0].id, 1, &run->errors);
        assert_int_equal(forbid_links_count(links), status == FORBID_OK ? 1 : 2);
    }
    run->made = status == FORBID_OK;
    forbid_links_free(links);
    return status;
}

static enum forbid_status link_badly(struct run *run)
{
    const struct forbid_link added[] = {{TEXT("shar"), TEXT("one"), TEXT("User::\"a\""), TEXT("Photo::\"p\"")},
                                        {TEXT("share"), TEXT("two"), TEXT("User"), TEXT("Photo::\"p\"")}};
    forbid_links *links = forbid_links_new(run->memory, policies);
    enum forbid_status status = links != NULL ? forbid_links_add(links, added, 2, &run->errors) : FORBID_NO_MEMORY;
    if (links != NULL)
        assert_int_equal(forbid_links_count(links), 0);
    forbid_links_free(links);
    return status;
}

static void ask(struct forbid_request *request, const char *context)
{
    memset(request, 0, sizeof *request);
    request->size = sizeof *request;
    request->principal = TEXT("User::\"a\"");
    request->action = TEXT("Action::\"see\"");
    request->resource = TEXT("Photo::\"p\"");
    request->context = TEXT(context);
    request->entities = entities;
    request->schema = schema;
}

static enum forbid_status authorize(struct run *run)
{
    struct forbid_request request;
    struct forbid_decision decision = {.size = sizeof decision};
    ask(&request, "{\"hour\":9,\"from\":\"10.0.0.1\"}");
    forbid_decider *decider = forbid_decider_new(run->memory, policies, 0);
    enum forbid_status status =
        decider != NULL ? forbid_authorize(decider, &request, &decision, NULL) : FORBID_NO_MEMORY;
    run->made = decision.allow;
    forbid_decider_free(decider);
    return status;
}

static enum forbid_status authorize_badly(struct run *run)
{
    struct forbid_request request;
    struct forbid_decision decision = {.size = sizeof decision};
    const forbid_errors *errors = NULL;
    ask(&request, "{\"hour\":\"nine\"}");
    request.principal = TEXT("User");
    forbid_decider *decider = forbid_decider_new(run->memory, policies, 0);
    enum forbid_status status =
        decider != NULL ? forbid_authorize(decider, &request, &decision, &errors) : FORBID_NO_MEMORY;
    assert_int_equal(forbid_errors_count(errors) != 0, status == FORBID_INVALID);
    run->made = decision.allow;
    forbid_decider_free(decider);
    return status;
}

static enum forbid_status evaluate(struct run *run)
{
    struct forbid_request request;
    forbid_string *made;
    ask(&request, "{\"hour\":9}");
    enum forbid_status status = forbid_evaluate(
        run->memory, TEXT("x"), TEXT("{a: [principal.age + context.hour, 2], b: ip(\"10.0.0.1\"), c: resource}"),
        &request, &made, &run->errors);
    run->made = made != NULL;
    forbid_string_free(made);
    return status;
}

static enum forbid_status evaluate_badly(struct run *run)
{
    forbid_string *made;
    enum forbid_status status = forbid_evaluate(run->memory, TEXT("x"), TEXT("1 + \"a\""), NULL, &made, &run->errors);
    run->made = made != NULL;
    return status;
}

static enum forbid_status explain(struct run *run)
{
    struct forbid_request request;
    forbid_explanation *made;
    ask(&request, "{\"hour\":23}");
    request.principal = TEXT("User::\"z\"");
    enum forbid_status status = forbid_explain(run->memory, policies, &request, 0, &made, &run->errors);
    run->made = made != NULL;
    forbid_explanation_free(made);
    return status;
}

static enum forbid_status authorize_batch(struct run *run)
{
    struct forbid_request requests[4];
    struct forbid_batch_answer answers[4];
    for (int i = 0; i < 4; i++) {
        ask(&requests[i], i == 3 ? "{\"hour\":\"nine\"}" : "{\"hour\":9}");
        answers[i] = (struct forbid_batch_answer){.size = sizeof answers[i]};
    }
    forbid_decider *decider = forbid_decider_new(run->memory, policies, 0);
    enum forbid_status status =
        decider != NULL ? forbid_authorize_batch(decider, requests, 4, answers) : FORBID_NO_MEMORY;
    /* Each answer is its own: those that were made are good, the others say what was wrong. */
    for (int i = 0; i < 4; i++) {
        int fine = answers[i].status == (i == 3 ? FORBID_INVALID : FORBID_OK);
        assert_true(fine || answers[i].status == FORBID_NO_MEMORY || decider == NULL);
        assert_int_equal(answers[i].decision.allow, fine && i != 3 && decider != NULL);
        assert_true((answers[i].errors != NULL) == (answers[i].status == FORBID_INVALID));
        if (status == FORBID_OK && !fine)
            status = FORBID_NO_MEMORY;
    }
    run->made = status == FORBID_OK;
    forbid_decider_free(decider);
    return status;
}

static enum forbid_status list_resources(struct run *run)
{
    struct forbid_list_query query = {.size = sizeof query, .type = TEXT("Photo"), .limit = 1};
    struct forbid_list_page page = {.size = sizeof page};
    ask(&query.request, "{\"hour\":9}");
    query.request.resource = TEXT("");
    forbid_lister *lister = forbid_lister_new(run->memory, policies, entities, 0);
    enum forbid_status status =
        lister != NULL ? forbid_list_resources(lister, &query, &page, NULL) : FORBID_NO_MEMORY;
    run->made = page.count == 1;
    forbid_lister_free(lister);
    return status;
}

static enum forbid_status list_badly(struct run *run)
{
    struct forbid_list_query query = {.size = sizeof query, .type = TEXT("Photo"), .after = TEXT("oops")};
    struct forbid_list_page page = {.size = sizeof page};
    ask(&query.request, "{\"hour\":9}");
    forbid_lister *lister = forbid_lister_new(run->memory, policies, entities, 0);
    enum forbid_status status =
        lister != NULL ? forbid_list_principals(lister, &query, &page, NULL) : FORBID_NO_MEMORY;
    run->made = page.count != 0;
    forbid_lister_free(lister);
    return status;
}

/* --- The test ----------------------------------------------------------------------------------------- */

static const struct entry {
    const char *name;
    enum forbid_status (*run)(struct run *run);
    enum forbid_status ends;
} entries[] = {
    {"policies_parse", parse_policies, FORBID_OK},
    {"policies_parse, faults", parse_bad_policies, FORBID_INVALID},
    {"policies_parse_json", parse_json, FORBID_OK},
    {"policies_parse_json, a fault", parse_bad_json, FORBID_INVALID},
    {"schema_parse", parse_schema, FORBID_OK},
    {"schema_parse, faults", parse_bad_schema, FORBID_INVALID},
    {"schema_parse_json", parse_schema_json, FORBID_OK},
    {"schema_to_json, schema_to_text", translate_schema, FORBID_OK},
    {"entities_parse", parse_entities, FORBID_OK},
    {"entities_parse, a fault", parse_bad_entities, FORBID_INVALID},
    {"validate", validate, FORBID_OK},
    {"validate, faults", validate_bad, FORBID_INVALID},
    {"format", format, FORBID_OK},
    {"policies_to_text, …", write_out, FORBID_OK},
    {"links_add, links_remove", link_and_unlink, FORBID_OK},
    {"links_add, faults", link_badly, FORBID_INVALID},
    {"authorize", authorize, FORBID_OK},
    {"authorize, faults", authorize_badly, FORBID_INVALID},
    {"explain", explain, FORBID_OK},
    {"authorize_batch", authorize_batch, FORBID_OK},
    {"list_resources", list_resources, FORBID_OK},
    {"list_principals, a fault", list_badly, FORBID_INVALID},
    {"evaluate", evaluate, FORBID_OK},
    {"evaluate, a fault", evaluate_badly, FORBID_INVALID},
};

static void test_entry(const struct entry *entry)
{
    enum forbid_status status = FORBID_NO_MEMORY;
    long n;
    for (n = 0; n < 3000 && status == FORBID_NO_MEMORY; n++) {
        struct scarce scarce = {.left = n};
        const struct forbid_allocator memory = {scarce_resize, &scarce};
        struct run run = {.memory = &memory};
        status = entry->run(&run);
        if (status == FORBID_NO_MEMORY) {
            assert_null(run.errors);
            assert_false(run.made);
        }
        forbid_errors_free(run.errors);
        if (scarce.out != 0)
            print_message("# %s after %ld allocations: %ld are left\n", entry->name, n, scarce.out);
        assert_int_equal(scarce.out, 0);
        if (status == FORBID_OK)
            assert_true(run.made);
    }
    print_message("# %s: %ld allocations\n", entry->name, n - 1);
    if (status != entry->ends)
        print_message("# %s ended with %d\n", entry->name, (int)status);
    assert_int_equal(status, entry->ends);
    assert_true(n > 2);
}

static void test_scarce_memory(void **state)
{
    (void)state;
    assert_int_equal(forbid_schema_parse(NULL, TEXT("s"), TEXT(sample_schema), &schema, NULL), FORBID_OK);
    assert_int_equal(forbid_policies_parse(NULL, TEXT("p"), TEXT(sample_policies), 1, &policies, NULL), FORBID_OK);
    assert_int_equal(forbid_entities_parse(NULL, schema, TEXT("e"), TEXT(sample_entities), &entities, NULL), FORBID_OK);
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        test_entry(&entries[i]);
    forbid_entities_free(entities);
    forbid_policies_free(policies);
    forbid_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scarce_memory)};
    return cmocka_run_group_tests_name("library/memory", tests, NULL, NULL);
}
