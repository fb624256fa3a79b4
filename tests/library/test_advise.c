/* SPDX-License-Identifier: Apache-2.0 */
/* forbid_advise() as another program uses it; which advice it is, tests/refusal/advise says. */
#include <forbid/advise.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct forbid_text text(const char *z)
{
    return (struct forbid_text){strlen(z), z};
}

static int is(struct forbid_text got, const char *expected)
{
    return got.len == strlen(expected) && memcmp(got.ptr, expected, got.len) == 0;
}

/* A client that follows: refresh, sign in, more scope, and then it is through. */
static void test_follows(void **state)
{
    const struct {
        unsigned status;
        const char *challenge;
        enum forbid_cure cure;
    } steps[] = {{401, "Bearer error=\"invalid_token\"", FORBID_REFRESH},
                 {401, "Bearer error=\"invalid_token\"", FORBID_AUTHENTICATE},
                 {403, "Bearer error=\"insufficient_scope\", scope=\"write\"", FORBID_REQUEST_SCOPE},
                 {403, "Bearer error=\"insufficient_scope\", scope=\"write\"", FORBID_GIVE_UP},
                 {200, "", FORBID_PROCEED}};
    struct forbid_client client = {.size = sizeof client, .credentials = FORBID_HELD_BEARER, .can_refresh = 1,
                                   .scopes_known = 1, .scopes = text("read")};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const struct forbid_field field = {text("www-authenticate"), text(steps[i].challenge)};
        const struct forbid_answer answer = {.size = sizeof answer, .status = steps[i].status, .fields = &field, .fields_count = 1};
        struct forbid_advice advice = {.size = sizeof advice};
        assert_int_equal(forbid_advise(NULL, &answer, &client, &advice), FORBID_OK);
        assert_int_equal(advice.cure, steps[i].cure);
        assert_true(advice.sure && advice.why[0] != '\0' && strncmp(advice.source, "RFC ", 4) == 0);
        if (advice.cure == FORBID_REQUEST_SCOPE)
            assert_true(is(advice.scope, "write read"));
        client.tried |= 1u << advice.cure;
        forbid_advice_release(&advice);
        forbid_advice_release(&advice);
    }
}

static void test_misuse(void **state)
{
    const struct forbid_answer answer = {.size = sizeof answer, .status = 200}, old = {.size = 8};
    const struct forbid_client client = {.size = sizeof client};
    struct forbid_advice advice = {.size = sizeof advice}, unknown = {.size = 1};
    (void)state;
    assert_int_equal(forbid_advise(NULL, &old, &client, &advice), FORBID_MISUSE);
    assert_int_equal(advice.cure, FORBID_GIVE_UP);
    assert_int_equal(forbid_advise(NULL, NULL, &client, &advice), FORBID_MISUSE);
    assert_int_equal(forbid_advise(NULL, &answer, NULL, &advice), FORBID_MISUSE);
    assert_int_equal(forbid_advise(NULL, &answer, &client, &unknown), FORBID_MISUSE);
    assert_int_equal(forbid_advise(NULL, &answer, &client, NULL), FORBID_MISUSE);
    forbid_advice_release(NULL);
}

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

/* With the Nth allocation failing: nothing is lost, and the advice is to give up. */
static void test_scarce_memory(void **state)
{
    const struct forbid_field fields[] = {{text("content-type"), text("application/json")}};
    const struct forbid_answer answer = {.size = sizeof answer, .status = 403, .fields = fields, .fields_count = 1,
                                         .body = text("{\"error\":\"token_expired\",\"message\":\"\\u00e9\"}")};
    const struct forbid_client client = {.size = sizeof client, .credentials = FORBID_HELD_BEARER, .can_refresh = 1};
    enum forbid_status status = FORBID_NO_MEMORY;
    (void)state;
    for (long n = 0; n < 100 && status != FORBID_OK; n++) {
        struct scarce scarce = {.left = n};
        const struct forbid_allocator allocator = {scarce_resize, &scarce};
        struct forbid_advice advice = {.size = sizeof advice};
        status = forbid_advise(&allocator, &answer, &client, &advice);
        assert_int_equal(advice.cure, status == FORBID_OK ? FORBID_REFRESH : FORBID_GIVE_UP);
        forbid_advice_release(&advice);
        assert_int_equal(scarce.out, 0);
    }
    assert_int_equal(status, FORBID_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_follows), cmocka_unit_test(test_misuse),
                                       cmocka_unit_test(test_scarce_memory)};
    return cmocka_run_group_tests_name("advise", tests, NULL, NULL);
}
