/* SPDX-License-Identifier: Apache-2.0 */
/* What a decider remembers from one request for the next must not show: entities, actions and links by turns, and
 * memory that is short now and then, against a decider that is new to each request. */
#include "testing.h"

#include <forbid/batch.h>

#define ACTIONS 150 /* more than are remembered */
#define REQUESTS 3000

static const char policies_text[] =
    "@id(\"write\") permit (principal, action in Action::\"write\", resource);\n"
    "@id(\"one\") permit (principal, action == Action::\"a7\", resource) when { resource has mine };\n"
    "@id(\"share\") permit (principal == ?principal, action in Action::\"write\", resource == ?resource);\n"
    "@id(\"not\") forbid (principal, action in [Action::\"hush\", Action::\"a9\"], resource);\n";

static forbid_policies *policies;
static forbid_entities *sets[4]; /* the last: none */
static forbid_links *links[2];

/* In the first set every other action is in `write`, in the second every third, and some in `hush`; in the third
 * none is there. */
static forbid_entities *make_set_with(const struct forbid_allocator *allocator, int which)
{
    size_t capacity = 200 * (ACTIONS + 3), len = 0;
    char *json = malloc(capacity);
    assert_non_null(json);
    len += (size_t)snprintf(json + len, capacity - len, "[{\"uid\":{\"type\":\"Doc\",\"id\":\"d\"},\"attrs\":{%s},"
                            "\"parents\":[]}", which != 1 ? "\"mine\":true" : "");
    for (int i = 0; i < ACTIONS && which < 2; i++)
        len += (size_t)snprintf(json + len, capacity - len,
                                ",{\"uid\":{\"type\":\"Action\",\"id\":\"a%d\"},\"attrs\":{},\"parents\":[%s%s%s]}", i,
                                i % (which + 2) == 0 ? "{\"type\":\"Action\",\"id\":\"write\"}" : "",
                                i % (which + 2) == 0 && i % 10 == 3 ? "," : "",
                                i % 10 == 3 ? "{\"type\":\"Action\",\"id\":\"hush\"}" : "");
    (void)snprintf(json + len, capacity - len, "]");
    forbid_entities *made;
    assert_int_equal(forbid_entities_parse(allocator, NULL, TEXT("e"), TEXT(json), &made, NULL), FORBID_OK);
    free(json);
    return made;
}

static forbid_entities *make_set(int which)
{
    return make_set_with(NULL, which);
}

static uint32_t number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

struct asked {
    char action[32];
    struct forbid_request request;
};

static void some_request(struct asked *asked, uint32_t *state)
{
    (void)snprintf(asked->action, sizeof asked->action, "Action::\"a%u\"",
                   number(state) % (number(state) % 2 ? 12 : ACTIONS));
    asked->request = (struct forbid_request){.size = sizeof asked->request, .principal = TEXT("User::\"u\""),
                                             .action = TEXT(asked->action), .resource = TEXT("Doc::\"d\""),
                                             .entities = sets[number(state) % 4]};
    if (number(state) % 4 == 0)
        asked->request.links = links[number(state) % 2];
}

static int same(const struct forbid_decision *a, const struct forbid_decision *b)
{
    int same = a->allow == b->allow && a->reasons_count == b->reasons_count && a->errors_count == b->errors_count;
    for (size_t i = 0; same && i < a->reasons_count; i++)
        same = a->reasons[i].len == b->reasons[i].len
               && memcmp(a->reasons[i].ptr, b->reasons[i].ptr, a->reasons[i].len) == 0;
    return same;
}

/* As one says who has just been made. */
static int is_right(const struct forbid_request *request, const struct forbid_decision *decision)
{
    forbid_decider *fresh = forbid_decider_new(NULL, policies, 0);
    struct forbid_decision expected = {.size = sizeof expected};
    assert_int_equal(forbid_authorize(fresh, request, &expected, NULL), FORBID_OK);
    int right = same(decision, &expected);
    forbid_decider_free(fresh);
    return right;
}

static void by_turns(void **state)
{
    (void)state;
    forbid_decider *decider = forbid_decider_new(NULL, policies, 0);
    uint32_t random = 1;
    int allows = 0, last = 0;
    static struct asked asked;
    for (int i = 0; i < REQUESTS; i++) {
        /* Twice the same action, of other entities. */
        forbid_entities *other = sets[number(&random) % 4];
        if (i % 2 == 0)
            some_request(&asked, &random);
        else
            asked.request.entities = other;
        struct forbid_decision decision = {.size = sizeof decision};
        assert_int_equal(forbid_authorize(decider, &asked.request, &decision, NULL), FORBID_OK);
        assert_true(is_right(&asked.request, &decision));
        allows += decision.allow;
        last += i % 2 != 0 && decision.reasons_count == 0;
    }
    assert_true(allows > REQUESTS / 10 && last > REQUESTS / 10);
    forbid_decider_free(decider);
}

static void batches_by_turns(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    static struct asked asked[COUNT];
    static struct forbid_request requests[COUNT];
    static struct forbid_batch_answer answers[COUNT];
    forbid_decider *decider = forbid_decider_new(NULL, policies, 0);
    uint32_t random = 2;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < COUNT; i++) {
            some_request(&asked[i], &random);
            requests[i] = asked[i].request;
            if (i % 4 != 0) /* the same again, of other entities or links */
                requests[i].action = requests[i - 1].action;
            answers[i].size = sizeof answers[i];
        }
        assert_int_equal(forbid_authorize_batch(decider, requests, COUNT, answers), FORBID_OK);
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(answers[i].status, FORBID_OK);
            assert_true(is_right(&requests[i], &answers[i].decision));
        }
    }
    forbid_decider_free(decider);
}

/* Gives the same addresses again once all has been freed. */
struct again {
    size_t used, out;
    _Alignas(16) char room[1 << 20];
};

static void *again_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    struct again *again = context;
    if (new_size == 0) {
        again->out -= block != NULL;
        if (again->out == 0)
            again->used = 0;
        return NULL;
    }
    size_t rounded = (new_size + 15) & ~(size_t)15;
    if (rounded > sizeof again->room - again->used)
        return NULL;
    char *made = again->room + again->used;
    again->used += rounded;
    if (block != NULL)
        memcpy(made, block, old_size < new_size ? old_size : new_size);
    else
        again->out++;
    return made;
}

/* Others that stand where the last ones stood. */
static void replaced_at_their_address(void **state)
{
    (void)state;
    static struct again again;
    const struct forbid_allocator allocator = {again_resize, &again};
    forbid_decider *decider = forbid_decider_new(NULL, policies, 0);
    const forbid_entities *before = NULL;
    int allows = 0;
    for (int i = 0; i < 20; i++) {
        forbid_entities *entities = make_set_with(&allocator, i % 2);
        assert_true(before == NULL || before == entities);
        before = entities;
        const struct forbid_request request = {.size = sizeof request, .principal = TEXT("User::\"u\""),
                                               .action = TEXT("Action::\"a2\""), .resource = TEXT("Doc::\"d\""),
                                               .entities = entities};
        struct forbid_decision decision = {.size = sizeof decision};
        assert_int_equal(forbid_authorize(decider, &request, &decision, NULL), FORBID_OK);
        assert_true(is_right(&request, &decision));
        allows += decision.allow;
        forbid_entities_free(entities);
    }
    assert_int_equal(allows, 10);
    forbid_decider_free(decider);
}

/* Fails at one call, and never again. */
struct once {
    long left;
    int failed;
};

static void *once_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    struct once *once = context;
    (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    if (once->left-- == 0) {
        once->failed = 1;
        return NULL;
    }
    return realloc(block, new_size);
}

static void memory_short_once(void **state)
{
    (void)state;
    int failed = 1, refused = 0, passed = 0;
    for (long n = 0; failed; n++) {
        struct once once = {.left = n};
        const struct forbid_allocator allocator = {once_resize, &once};
        forbid_decider *decider = forbid_decider_new(&allocator, policies, 0);
        uint32_t random = 3;
        for (int i = 0; i < 60 && decider != NULL; i++) {
            struct asked asked;
            struct forbid_decision decision = {.size = sizeof decision};
            int before = once.failed;
            some_request(&asked, &random);
            enum forbid_status status = forbid_authorize(decider, &asked.request, &decision, NULL);
            assert_true(status == FORBID_OK || (status == FORBID_NO_MEMORY && !before && once.failed));
            assert_true(status == FORBID_OK ? is_right(&asked.request, &decision) : !decision.allow);
            refused += status != FORBID_OK;
            passed += status == FORBID_OK && !before && once.failed; /* what is not remembered costs time alone */
        }
        forbid_decider_free(decider);
        failed = once.failed;
    }
    assert_true(refused > 0 && passed > 0);
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(forbid_policies_parse(NULL, TEXT("p"), TEXT(policies_text), 1, &policies, NULL), FORBID_OK);
    for (int i = 0; i < 3; i++)
        sets[i] = make_set(i);
    const struct forbid_link link = {.template_id = TEXT("share"), .id = TEXT("l"), .principal = TEXT("User::\"u\""),
                                     .resource = TEXT("Doc::\"d\"")};
    for (int i = 0; i < 2; i++)
        links[i] = forbid_links_new(NULL, policies);
    return forbid_links_add(links[0], &link, 1, NULL) != FORBID_OK;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        forbid_links_free(links[i]);
    for (int i = 0; i < 3; i++)
        forbid_entities_free(sets[i]);
    forbid_policies_free(policies);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_turns), cmocka_unit_test(batches_by_turns),
                                       cmocka_unit_test(replaced_at_their_address),
                                       cmocka_unit_test(memory_short_once)};
    return cmocka_run_group_tests_name("remember", tests, set_up, tear_down);
}
