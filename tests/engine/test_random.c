/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled program against the oracle, on random expressions and random policy sets.  FB_SEED chooses
 * another sequence; a failure prints the seed of its own case, which reproduces it alone. */

#include "generate.h"
#include "oracle.h"

#include "testing.h"

#define EXPRESSIONS 20000
#define POLICY_SETS 5000

static struct fb_arena arena;

static uint64_t first_seed(void)
{
    const char *text = getenv("FB_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 20240501;
    print_message("seed %llu\n", (unsigned long long)seed);
    return seed;
}

/* Nothing, the entity found beforehand, or that of another uid, which must not be looked at. */
static const struct fb_entity *some_entity(struct generator *g, const struct fb_entities *entities,
                                           const struct fb_uid *of, const struct fb_uid *another, struct fb_entity *room)
{
    unsigned kind = generate_below(g, 3);
    const struct fb_uid *uid = kind == 1 ? of : another;
    return kind != 0 && entities->find(entities->self, uid, room) == FB_FOUND ? room : NULL;
}

/* One uid in several roles, by one address or by two. */
static void mix_roles(struct generator *g, struct fb_request *request)
{
    const struct fb_uid *of = generate_chance(g, 70) ? request->principal : request->action;
    if (generate_chance(g, 50))
        of = fb_uid_new(&arena, fb_uid_type(of), fb_uid_id(of));
    if (generate_chance(g, 70))
        request->resource = of;
    else if (generate_chance(g, 50))
        request->principal = of;
    else
        request->action = of;
}

static struct fb_request some_request(struct generator *g, struct fb_entities *entities)
{
    static struct fb_entity rooms[2];
    *entities = fb_entity_set_source(generate_store(g));
    struct fb_request request = {
        .principal = generate_uid(g, generate_chance(g, 80) ? "U" : "G", generate_below(g, 5)),
        .action = generate_uid(g, "Action", generate_below(g, 4)),
        .resource = generate_uid(g, generate_chance(g, 80) ? "R" : "U", generate_below(g, 4)),
        .context = generate_context(g), .entities = entities};
    if (generate_chance(g, 20))
        mix_roles(g, &request);
    request.principal_entity = some_entity(g, entities, request.principal, request.resource, &rooms[0]);
    request.resource_entity = some_entity(g, entities, request.resource, request.principal, &rooms[1]);
    return request;
}

/* Values of every type, so that sets, records and extensions are compared whole. */
static void compare_expressions(uint64_t seed, bool alike)
{
    size_t erred_count = 0, trues = 0, bad = 0;
    for (uint64_t i = 0; i < EXPRESSIONS; i++) {
        struct generator g = {&arena, seed + i};
        struct fb_entities entities;
        generate_alike = alike;
        struct fb_request request = some_request(&g, &entities);
        const struct fb_expr *expr = generate_expr(&g, (enum generate_type)generate_below(&g, GENERATE_TYPES), 4);
        struct oracle oracle = {&request, &arena};
        struct fb_value value = {0}, expected = {0};
        struct fb_policy_error error;
        bool erred;
        assert_int_equal(fb_evaluate(expr, &request, &arena, &value, &error, &erred), FB_OK);
        bool valued = oracle_eval(&oracle, expr, &expected);
        bool same = valued && oracle_equal(value, expected) && fb_value_eq(value, expected);
        if (erred == valued || (valued && !same)) {
            print_error("seed %llu\n", (unsigned long long)(seed + i));
            bad++;
        }
        erred_count += erred;
        trues += !erred && value.kind == FB_BOOL && value.number != 0;
        fb_arena_clear(&arena);
    }
    print_message("%d expressions, %zu in error, %zu true\n", EXPRESSIONS, erred_count, trues);
    assert_int_equal(bad, 0);
    /* The sequence must get somewhere. */
    assert_true(erred_count > EXPRESSIONS / 20 && erred_count < EXPRESSIONS * 2 / 3);
}

static void expressions(void **state)
{
    (void)state;
    compare_expressions(first_seed(), false);
}

static void expressions_of_one_hash(void **state)
{
    (void)state;
    compare_expressions(first_seed(), true);
}

/* What the decision says of a rule. */
static char decided(const struct fb_decision *d, uint32_t rule)
{
    char says = 'F';
    for (uint32_t i = 0; i < d->permits_count; i++)
        says = d->permits[i] == rule ? 'T' : says;
    for (uint32_t i = 0; i < d->forbids_count; i++)
        says = d->forbids[i] == rule ? 'T' : says;
    for (uint32_t i = 0; i < d->errors_count; i++)
        says = d->errors[i].policy == rule ? 'E' : says;
    return says;
}

/* Rule by rule in the program's order, and the answer made of them; fb_outcomes without unknowns must
 * say the same. */
static bool agrees(const struct fb_policy_set *set, const struct fb_program *program, const struct fb_request *request,
                   const struct fb_decision *d)
{
    static const uint8_t letters[] = {[FB_CAN_TRUE] = 'T', [FB_CAN_FALSE] = 'F', [FB_CAN_ERR] = 'E', 0, 0, 0, 0, 0};
    struct oracle oracle = {request, &arena};
    const uint8_t *outcomes;
    uint32_t rule = 0, permits = 0, forbids = 0;
    assert_int_equal(fb_outcomes(program, request, NULL, &arena, &outcomes), FB_OK);
    for (size_t i = 0; i < set->count + set->links_count; i++) {
        const struct fb_link *link = i >= set->count ? set->links[i - set->count] : NULL;
        const struct fb_policy *policy = link != NULL ? link->template_ : set->policies[i];
        if (link == NULL && policy->is_template)
            continue;
        char says = oracle_policy(&oracle, policy, link);
        if (decided(d, rule) != says || letters[outcomes[rule]] != says || fb_program_policy(program, rule) != policy)
            return false;
        permits += says == 'T' && policy->effect == FB_PERMIT;
        forbids += says == 'T' && policy->effect == FB_FORBID;
        rule++;
    }
    return rule == fb_program_count(program) && d->permits_count == permits && d->forbids_count == forbids
           && d->allow == (permits != 0 && forbids == 0);
}

/* What an application may know beforehand must not change a decision: how records look (here often wrong), and what
 * the action concerns. */
static void know_beforehand(struct generator *g, struct fb_program *program, struct fb_request *request,
                            struct fb_entities *entities)
{
    static struct fb_concerns concerns;
    struct fb_entity entity;
    if (generate_chance(g, 50))
        entities->find_attrs = NULL;
    if (generate_chance(g, 50) && entities->find(entities->self, request->resource, &entity) == FB_FOUND)
        fb_program_expect(program, entity.attrs->symbols, (uint32_t)entity.attrs->count);
    if (generate_chance(g, 50)) {
        fb_concerns_init(&concerns, program, entities, &arena);
        for (uint32_t others = generate_below(g, 3); others > 0; others--)
            fb_concerns_of(&concerns, generate_uid(g, "Action", generate_below(g, 4)));
        request->concerned = fb_concerns_of(&concerns, request->action);
        assert_ptr_equal(fb_concerns_of(&concerns, request->action), request->concerned);
    }
}

static void compare_policy_sets(uint64_t seed, bool alike)
{
    size_t allows = 0, errors = 0, links = 0, bad = 0;
    for (uint64_t i = 0; i < POLICY_SETS; i++) {
        struct generator g = {&arena, seed + i};
        struct fb_entities entities;
        generate_alike = alike;
        struct fb_request request = some_request(&g, &entities);
        /* Now and then more than the index repeats in each of its lists. */
        uint32_t policies = i % 100 == 0 ? 250 : generate_below(&g, 9);
        struct fb_policy_set *set = generate_policies(&g, policies, true, 3);
        struct fb_program *program = fb_program_new(&arena, set, NULL);
        struct fb_decision d;
        assert_non_null(program);
        know_beforehand(&g, program, &request, &entities);
        assert_int_equal(fb_decide(program, &request, &arena, &d), FB_OK);
        if (!agrees(set, program, &request, &d)) {
            print_error("seed %llu\n", (unsigned long long)(seed + i));
            bad++;
        }
        allows += d.allow;
        errors += d.errors_count != 0;
        links += set->links_count;
        fb_arena_clear(&arena);
    }
    print_message("%d policy sets, %zu allow, %zu with errors, %zu links\n", POLICY_SETS, allows, errors, links);
    assert_int_equal(bad, 0);
    assert_true(allows > POLICY_SETS / 20 && errors > POLICY_SETS / 50 && links > 1000);
}

static void policy_sets(void **state)
{
    (void)state;
    compare_policy_sets(first_seed(), false);
}

static void policy_sets_of_one_hash(void **state)
{
    (void)state;
    compare_policy_sets(first_seed(), true);
}

static int back_to_usual(void **state)
{
    (void)state;
    generate_alike = false;
    return 0;
}

/* Or the tests with one hash show nothing. */
static void one_hash_is_one(void **state)
{
    (void)state;
    struct generator g = {&arena, 1};
    generate_alike = true;
    assert_true(generate_uid(&g, "U", 1)->hash == generate_uid(&g, "U", 2)->hash);
    assert_false(fb_uid_eq(generate_uid(&g, "U", 1), generate_uid(&g, "U", 2)));
    assert_true(fb_hash(generate_name(G_BOOL)) == fb_hash(generate_name(G_SPAN)));
    fb_arena_clear(&arena);
}

static int set_up(void **state)
{
    (void)state;
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 28);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fb_arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(one_hash_is_one, back_to_usual),
                                       cmocka_unit_test_teardown(expressions, back_to_usual),
                                       cmocka_unit_test_teardown(expressions_of_one_hash, back_to_usual),
                                       cmocka_unit_test_teardown(policy_sets, back_to_usual),
                                       cmocka_unit_test_teardown(policy_sets_of_one_hash, back_to_usual)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
