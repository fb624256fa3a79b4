/* SPDX-License-Identifier: Apache-2.0 */
/* The C interface with texts that are nested, long or wide: an answer or an error at a place, in stated memory. */
#include "testing.h"

#define DEEP 100000u
#define MILLION 1000000u
#define MIB ((size_t)1 << 20)

/* The heap, measured. */
struct meter {
    size_t now, peak;
};

static void *measure(void *context, void *block, size_t old_size, size_t new_size)
{
    struct meter *meter = context;
    meter->now += new_size - old_size;
    if (meter->now > meter->peak)
        meter->peak = meter->now;
    if (new_size != 0)
        return realloc(block, new_size);
    free(block);
    return NULL;
}

struct row {
    const char *head, *part;
    size_t count;
    const char *middle, *close, *tail;
    const char *code; /* NULL: it is read */
    size_t mebibytes;
};

/* The text that `*bytes` holds, which the caller frees. */
static struct forbid_text text_of(const struct row *row, char **bytes)
{
    size_t part = strlen(row->part), close = strlen(row->close);
    size_t len = strlen(row->head) + strlen(row->middle) + strlen(row->tail) + row->count * (part + close);
    char *text = malloc(len + 1), *at = text;
    assert_non_null(text);
    at = stpcpy(at, row->head);
    for (size_t i = 0; i < row->count; i++, at += part)
        memcpy(at, row->part, part);
    at = stpcpy(at, row->middle);
    for (size_t i = 0; i < row->count; i++, at += close)
        memcpy(at, row->close, close);
    strcpy(at, row->tail);
    *bytes = text;
    return (struct forbid_text){len, text};
}

static void check(const struct row *row, enum forbid_status status, const forbid_errors *errors,
                  const struct meter *meter)
{
    assert_int_equal(status, row->code != NULL ? FORBID_INVALID : FORBID_OK);
    if (row->code != NULL) {
        struct forbid_error error = forbid_errors_at(errors, 0);
        assert_string_equal(error.code, row->code);
        assert_true(error.place.line >= 1 && error.place.column >= 1 && error.message.len > 0
                    && error.message.len < 3000);
    }
    if (meter->peak > row->mebibytes * MIB)
        fail_msg("%s%s…: %zu bytes", row->head, row->part, meter->peak);
}

#define WHEN "permit(principal, action, resource) when { "

static void test_policies(void **state)
{
    static const struct row rows[] = {
        {WHEN, "(", DEEP, "true", ")", " };", "parse.too_deep", 16},
        {WHEN, "[", DEEP, "", "]", " == 1 };", "parse.too_deep", 16},
        {WHEN, "{a: ", DEEP, "1", "}", " == 1 };", "parse.too_deep", 16},
        {WHEN, "!", DEEP, "true", "", " };", "parse.unary", 16},
        {WHEN, "if true then ", DEEP, "true", " else true", " };", "parse.too_deep", 16},
        {WHEN "true", " && true", DEEP, "", "", " };", "parse.too_long", 64},
        {WHEN "principal", ".a", DEEP, "", "", " };", "parse.too_deep", 16},
        {"permit(principal == ", "(", DEEP, "U::\"a\"", ")", ", action, resource);", "parse.too_deep", 16},
        {WHEN "principal == U::\"", "x", MILLION, "\" };", "", "", "parse.id_too_long", 16},
        {WHEN "principal == ", "x", MILLION, "::\"a\" };", "", "", "parse.name_too_long", 16},
        {WHEN "principal.", "x", MILLION, "() };", "", "", "parse.unknown_method", 16},
        {WHEN "context has ", "x", MILLION, " };", "", "", NULL, 16},
        {"@a(\"", "x", MILLION, "\") permit(principal, action, resource);", "", "", NULL, 16},
        {WHEN "[", "1,", MILLION, "5].contains(5) };", "", "", NULL, 512},
        {"//", "x", 17 * MIB, "", "", "", "parse.too_large", 64},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct meter meter = {0, 0};
        const struct forbid_allocator allocator = {measure, &meter};
        char *bytes;
        struct forbid_text text = text_of(&rows[i], &bytes);
        forbid_policies *policies = NULL;
        forbid_errors *errors = NULL;
        enum forbid_status status =
            forbid_policies_parse(&allocator, (struct forbid_text){1, "p"}, text, 0, &policies, &errors);
        check(&rows[i], status, errors, &meter);
        forbid_errors_free(errors);
        forbid_policies_free(policies);
        free(bytes);
        assert_int_equal(meter.now, 0);
    }
}

static void test_entities(void **state)
{
    static const char alice[] = "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"parents\":[],\"attrs\":{\"s\":";
    static const struct row rows[] = {
        {alice, "[", DEEP, "", "]", "}}]", "entity.too_deep", 16},
        {alice, "{\"a\":", DEEP, "1", "}", "}}]", "entity.too_deep", 16},
        {"", "[", DEEP, "", "]", "", "entity.shape", 16},
        {"[{\"uid\":{\"type\":\"U\",\"id\":\"", "x", MILLION, "\"},\"attrs\":{},\"parents\":[]}]", "", "",
         "entity.uid_too_long", 16},
        {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"parents\":[],\"attrs\":{\"s\":[", "1,", MILLION, "5]}}]", "", "",
         NULL, 128},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct meter meter = {0, 0};
        const struct forbid_allocator allocator = {measure, &meter};
        char *bytes;
        struct forbid_text text = text_of(&rows[i], &bytes);
        forbid_entities *entities = NULL;
        forbid_errors *errors = NULL;
        enum forbid_status status =
            forbid_entities_parse(&allocator, NULL, (struct forbid_text){1, "e"}, text, &entities, &errors);
        check(&rows[i], status, errors, &meter);
        forbid_errors_free(errors);
        forbid_entities_free(entities);
        free(bytes);
        assert_int_equal(meter.now, 0);
    }
}

/* A context beyond a limit is an error, never an allow. */
static void test_contexts(void **state)
{
    static const struct row rows[] = {
        {"{\"s\":", "[", DEEP, "", "]", "}", "entity.too_deep", 0},
        {"{\"s\":", "{\"a\":", DEEP, "1", "}", "}", "entity.too_deep", 0},
        {"{\"s\":[", "1,", MILLION, "5]}", "", "", NULL, 0},
    };
    forbid_policies *policies = NULL;
    const struct forbid_text text = {sizeof WHEN "true };" - 1, WHEN "true };"};
    (void)state;
    assert_int_equal(forbid_policies_parse(NULL, (struct forbid_text){1, "p"}, text, 0, &policies, NULL), FORBID_OK);
    forbid_decider *decider = forbid_decider_new(NULL, policies, 64 * MIB);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *bytes;
        struct forbid_text context = text_of(&rows[i], &bytes);
        const struct forbid_text uid = {6, "U::\"a\""}, action = {11, "Action::\"x\""};
        const struct forbid_request request = {
            .size = sizeof request, .principal = uid, .action = action, .resource = uid, .context = context};
        struct forbid_decision decision = {.size = sizeof decision};
        const forbid_errors *errors = NULL;
        enum forbid_status status = forbid_authorize(decider, &request, &decision, &errors);
        assert_int_equal(status, rows[i].code != NULL ? FORBID_INVALID : FORBID_OK);
        assert_int_equal(decision.allow, rows[i].code == NULL);
        if (rows[i].code != NULL)
            assert_string_equal(forbid_errors_at(errors, 0).code, rows[i].code);
        free(bytes);
    }
    forbid_decider_free(decider);
    forbid_policies_free(policies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_entities),
        cmocka_unit_test(test_contexts),
    };
    return cmocka_run_group_tests_name("library/limits", tests, NULL, NULL);
}
