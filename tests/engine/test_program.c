/* SPDX-License-Identifier: Apache-2.0 */
/* Programs at their limits: long chains, deep nests, large sets, short memory, broken sources. */

#include "oracle.h"
#include "world.h"

#include "testing.h"

#include <time.h>

static struct world world;

static enum fb_status decide(struct fb_program *program, struct fb_decision *decision)
{
    return fb_decide(program, &world.request, &world.scratch, decision);
}

static struct fb_program *program_of(const char *text)
{
    return world_program(&world, world_policies(&world, fb_span_z(text)));
}

/* --- Long and deep --------------------------------------------------------------------------------------- */

/* `permit … when { first op item op item … };` */
static struct fb_span chain(const char *first, const char *item, size_t count, const char *end)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, 1 << 24);
    fb_buffer_add_format(&out, "permit (principal, action, resource) when { %s", first);
    for (size_t i = 0; i < count; i++)
        fb_buffer_add_z(&out, item);
    fb_buffer_add_format(&out, "%s };", end);
    struct fb_span text = fb_arena_copy(&world.arena, fb_buffer_span(&out));
    fb_buffer_release(&out);
    return text;
}

static void long_chains(void **state)
{
    (void)state;
    static const struct {
        const char *first, *item, *end;
        bool allow;
    } cases[] = {
        {"true", " && true", "", true},
        {"true", " && true", " && false", false},
        {"false", " || false", " || true", true},
        {"false", " || false", "", false},
        {"0", " + 1", " == 10000", true},
        {"10000", " - 1", " == 0", true},
        {"1", " * 1", " == 1", true},
        {"context.yes && true", " && true", " || false", true},
        {"(context.yes && true", " && context.yes", ") == true", true},
        {"0", " + principal.n - 1", " == 0", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fb_decision d;
        struct fb_program *program = world_program(&world, world_policies(&world,
            chain(cases[i].first, cases[i].item, 10000, cases[i].end)));
        assert_int_equal(decide(program, &d), FB_OK);
        assert_int_equal(d.allow, cases[i].allow);
        assert_int_equal(d.errors_count, 0);
        /* The same with something unknown, and explained. */
        struct fb_unknowns unknowns = {.principal = true};
        struct fb_explanation x;
        const uint8_t *outcomes;
        assert_int_equal(fb_outcomes(program, &world.request, &unknowns, &world.scratch, &outcomes), FB_OK);
        assert_true((outcomes[0] & (cases[i].allow ? FB_CAN_TRUE : FB_CAN_FALSE)) != 0);
        assert_int_equal(fb_explain(program, 0, &world.request, NULL, true, &world.scratch, &x), FB_OK);
        assert_int_equal(x.outcomes, cases[i].allow ? FB_CAN_TRUE : FB_CAN_FALSE);
        fb_arena_clear(&world.scratch);
    }
}

static struct fb_expr *node(enum fb_expr_kind kind, const struct fb_expr *left)
{
    struct fb_expr *x = fb_arena_alloc(&world.arena, sizeof *x);
    x->kind = kind;
    x->left = left;
    x->range = (struct fb_range){0, 1};
    return x;
}

/* Deeper than any parser makes it: a diagnostic, not a crash. */
static void deep_nests(void **state)
{
    (void)state;
    struct fb_expr *x = node(FB_E_BOOL, NULL);
    x->number = 1;
    struct fb_value value;
    struct fb_policy_error error;
    bool erred;
    for (int i = 0; i < 500; i++)
        x = node(FB_E_NOT, x);
    assert_int_equal(fb_evaluate(x, &world.request, &world.scratch, &value, &error, &erred), FB_OK);
    assert_true(!erred && value.number == 1);
    for (int i = 0; i < 100000; i++)
        x = node(FB_E_NOT, x);
    assert_int_equal(fb_evaluate(x, &world.request, &world.scratch, &value, &error, &erred), FB_CANNOT);

    struct fb_source source = {FB_SPAN("deep"), FB_SPAN(" ")};
    struct fb_condition condition = {.body = x};
    struct fb_policy policy = {.conditions = &condition, .conditions_count = 1, .source = &source};
    const struct fb_policy *list = &policy;
    struct fb_policy_set set = {.arena = &world.arena, .policies = &list, .count = 1};
    struct fb_diags diags;
    fb_diags_init(&diags, &world.arena);
    assert_null(fb_program_new(&world.arena, &set, &diags));
    assert_int_equal(diags.errors, 1);
    assert_string_equal(diags.list[0].code, "engine.limit");
    assert_ptr_equal(diags.list[0].source, &source);
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A pattern that a matcher with backtracking never finishes. */
static void like_takes_no_exponential_time(void **state)
{
    (void)state;
    struct fb_span text = chain("\"", "a", 20000, "\" like \"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b\"");
    struct fb_program *program = world_program(&world, world_policies(&world, text));
    struct fb_decision d;
    double start = seconds();
    assert_int_equal(decide(program, &d), FB_OK);
    assert_false(d.allow);
    assert_true(seconds() - start < 0.5);
}

static void large_constant_sets(void **state)
{
    (void)state;
    struct fb_span text = chain("[0", ", 7, 8, 9", 5000, ", principal].containsAll([7, 8, 9, 0, principal])");
    struct fb_program *program = world_program(&world, world_policies(&world, text));
    struct fb_decision d;
    assert_int_equal(decide(program, &d), FB_OK);
    assert_true(d.allow);
    fb_arena_clear(&world.scratch);
}

/* --- What cannot be decided -------------------------------------------------------------------------------- */

/* A source that breaks at the lookup of that number (from 1), over the world's own. */
struct breaking {
    size_t calls, break_at;
};

static enum fb_found find_or_break(const void *self, const struct fb_uid *uid, struct fb_entity *entity)
{
    const struct breaking *const *holder = self;
    struct breaking *b = *(struct breaking *const *)(const void *)holder;
    if (++b->calls == b->break_at)
        return FB_BROKEN;
    return world.entities.find(world.entities.self, uid, entity);
}

static const char every_lookup[] =
    "permit (principal in G::\"top\", action in Action::\"all\", resource in F::\"root\")"
    "  when { principal.e.n == 2 && principal.e has n && principal has e.n && U::\"b\".n == 2 }"
    "  when { resource.owner in [G::\"other\", G::\"top\"] && principal.hasTag(\"k\") && U::\"b\" in U::\"b\" }"
    "  when { principal.getTag(\"k\") == \"v\" && principal is U in G::\"mid\" && !U::\"b\".hasTag(\"k\") };"
    "forbid (principal is U in G::\"none\", action, resource) when { U::\"ghost\" has x };"
    "forbid (principal, action, resource) unless { principal.e in [U::\"b\"] };";

/* Every one of the lookups fails in turn: no decision is made of what is left. */
static void broken_sources(void **state)
{
    (void)state;
    struct fb_program *program = program_of(every_lookup);
    struct breaking b = {0}, *holder = &b;
    struct fb_entities entities = {.find = find_or_break, .self = &holder};
    struct fb_request request = world.request;
    struct fb_decision d;
    request.entities = &entities;
    assert_int_equal(fb_decide(program, &request, &world.scratch, &d), FB_OK);
    assert_true(d.allow && d.errors_count == 0);
    size_t lookups = b.calls;
    assert_true(lookups > 5);
    for (size_t i = 1; i <= lookups; i++) {
        const uint8_t *outcomes;
        bool could = true, found;
        struct fb_explanation x;
        struct fb_unknowns unknowns = {.resource = true};
        b = (struct breaking){.break_at = i};
        assert_int_equal(fb_decide(program, &request, &world.scratch, &d), FB_CANNOT);
        assert_false(d.allow);
        b = (struct breaking){.break_at = i};
        assert_int_equal(fb_outcomes(program, &request, NULL, &world.scratch, &outcomes), FB_CANNOT);
        b = (struct breaking){.break_at = i};
        enum fb_status status = fb_could_allow(program, &request, &unknowns, NULL, &world.scratch, &could);
        assert_true(b.calls < i || (status == FB_CANNOT && !could));
        b = (struct breaking){.break_at = i};
        status = fb_explain(program, 0, &request, NULL, true, &world.scratch, &x);
        assert_true(b.calls < i || status == FB_CANNOT);
        b = (struct breaking){.break_at = i};
        status = fb_nearest_permit(program, &request, NULL, false, &world.scratch, &x, &found);
        assert_true(b.calls < i || status == FB_CANNOT);
    }
    fb_arena_clear(&world.scratch);
}

/* More actions than a table remembers: the rest is looked up at each decision, and decided alike. */
static void concerns_have_an_end(void **state)
{
    (void)state;
    struct fb_program *program = program_of("permit (principal, action == Action::\"a7\", resource);"
                                            "permit (principal, action == Action::\"a200\", resource);");
    struct fb_concerns concerns;
    unsigned known = 0, allowed = 0;
    fb_concerns_init(&concerns, program, &world.entities, &world.scratch);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 256; i++) {
            char name[8];
            int len = snprintf(name, sizeof name, "a%u", i);
            struct fb_request request = world.request;
            struct fb_decision d;
            request.action = fb_uid_new(&world.scratch, FB_SPAN("Action"), fb_span(name, (size_t)len));
            request.concerned = fb_concerns_of(&concerns, request.action);
            known += request.concerned != NULL;
            assert_int_equal(fb_decide(program, &request, &world.scratch, &d), FB_OK);
            assert_int_equal(d.allow, i == 7 || i == 200);
            allowed += d.allow;
        }
    assert_int_equal(known, 2 * 128);
    assert_int_equal(allowed, 4);
    fb_arena_clear(&world.scratch);
}

/* More paths than a decision remembers, each to another record: one must not be taken for another. */
static void more_paths_than_are_remembered(void **state)
{
    (void)state;
    enum { PATHS = 40 };
    struct fb_buffer out;
    struct fb_field fields[PATHS], number = {.name = FB_SPAN("n")};
    fb_buffer_init(&out, &fb_heap, 1 << 16);
    fb_buffer_add_z(&out, "permit (principal, action, resource) when { true");
    for (unsigned i = 0; i < 2 * PATHS; i++)
        fb_buffer_add_format(&out, " && context.r%u.n == %u", i % PATHS, i % PATHS);
    fb_buffer_add_z(&out, " };");
    for (unsigned i = 0; i < PATHS; i++) {
        number.value = fb_value_number(FB_LONG, i);
        fields[i].name = fb_arena_format(&world.arena, "r%u", i);
        assert_true(fb_value_record(&world.arena, &number, 1, &fields[i].value));
    }
    struct fb_program *program =
        world_program(&world, world_policies(&world, fb_arena_copy(&world.arena, fb_buffer_span(&out))));
    fb_buffer_release(&out);
    struct fb_request request = world.request;
    struct fb_decision d;
    assert_true(fb_value_record(&world.arena, fields, PATHS, &request.context));
    assert_int_equal(fb_decide(program, &request, &world.scratch, &d), FB_OK);
    assert_true(d.allow);
    fb_arena_clear(&world.scratch);
}

/* So many policies with each of so many actions, that name nobody. */
static struct fb_program *program_of_actions(unsigned actions, unsigned policies)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, 1 << 24);
    for (unsigned i = 0; i < actions * policies; i++)
        fb_buffer_add_format(&out, "permit (principal, action == Action::\"a%u\", resource) when { context.yes == %u };\n",
                             i % actions, i);
    struct fb_program *program =
        world_program(&world, world_policies(&world, fb_arena_copy(&world.arena, fb_buffer_span(&out))));
    fb_buffer_release(&out);
    return program;
}

/* The least time of a few tries. */
static double time_of(struct fb_program *program, const struct fb_request *request)
{
    double best = 1;
    for (int i = 0; i < 20; i++) {
        struct fb_decision d;
        double start = seconds();
        fb_arena_clear(&world.scratch);
        assert_int_equal(fb_decide(program, request, &world.scratch, &d), FB_OK);
        double took = seconds() - start;
        assert_false(d.allow);
        best = took < best ? took : best;
    }
    return best;
}

/* Rows that name nobody are one pair, whatever their action: nor does finding policies by whom they name walk them,
 * where those of the action alone are fewer. */
static void policies_of_other_actions_cost_nothing(void **state)
{
    (void)state;
    struct fb_request request = world.request;
    request.action = fb_uid_new(&world.arena, FB_SPAN("Action"), FB_SPAN("a1"));
    double few = time_of(program_of_actions(2, 70), &request), many = time_of(program_of_actions(400, 70), &request);
    print_message("of 140 policies %.2f us, of 28,000 %.2f us\n", few * 1e6, many * 1e6);
    assert_true(many < 20 * few);
    fb_arena_clear(&world.scratch);
}

/* Principal, action and resource are looked up once a decision, however often they are read. */
static void own_entities_are_looked_up_once(void **state)
{
    (void)state;
    struct fb_program *program = program_of(
        "permit (principal in G::\"top\", action in Action::\"all\", resource in F::\"root\")"
        " when { principal.n == 1 && principal.k == 1 && resource.owner == principal && resource.owner.n == 1 };"
        "permit (principal in G::\"low\", action, resource) when { resource.title == \"x\" && principal.hasTag(\"k\")"
        " };");
    struct breaking b = {0}, *holder = &b;
    struct fb_entities entities = {.find = find_or_break, .self = &holder};
    struct fb_request request = world.request;
    struct fb_decision d;
    request.entities = &entities;
    assert_int_equal(fb_decide(program, &request, &world.scratch, &d), FB_OK);
    assert_true(d.allow);
    assert_int_equal(b.calls, 3);

    /* Nor are ancestors that they leave open: here G::"absent", which nobody has. */
    program = program_of("permit (principal in G::\"x\", action, resource); permit (principal in G::\"y\", action,"
                         " resource) when { principal in [G::\"z\"] }; permit (principal in G::\"absent\", action,"
                         " resource) unless { principal in G::\"other\" || principal.e in G::\"z\" };");
    b = (struct breaking){0};
    assert_int_equal(fb_decide(program, &request, &world.scratch, &d), FB_OK);
    assert_true(d.allow);
    assert_int_equal(b.calls, 3);   /* and U::"b" */
}

/* A source that keeps direct parents alone, as the store does for entities without children. */
static enum fb_found find_open(const void *self, const struct fb_uid *uid, struct fb_entity *entity)
{
    (void)self;
    enum fb_found found = world.entities.find(world.entities.self, uid, entity);
    if (found == FB_FOUND && !fb_span_is(fb_uid_type(uid), "G")) {
        entity->ancestors = (struct fb_refs){0};
        entity->open = entity->parents;
        entity->closed = entity->parents.count == 0;
    }
    return found;
}

static void open_ancestors_are_asked(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        bool allow;
    } cases[] = {
        {"principal in G::\"low\"", true}, {"principal in G::\"top\"", true}, {"principal in G::\"absent\"", true},
        {"principal in G::\"other\"", false}, {"principal in [G::\"other\", G::\"mid\"]", true},
        {"context.self in G::\"top\"", true}, {"resource in F::\"root\"", true}, {"resource in F::\"f\"", true},
        {"resource in F::\"other\"", false}, {"action in Action::\"all\"", true},
        {"F::\"f\" in F::\"root\"", true}, {"F::\"f\" in R::\"r\"", false},
    };
    struct fb_entities entities = {.find = find_open};
    struct fb_request request = world.request;
    request.entities = &entities;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fb_decision d;
        struct fb_program *program = world_program(&world, world_policies(&world, fb_arena_format(&world.arena,
            "permit (principal, action in [Action::\"all\"], resource) when { %s };", cases[i].condition)));
        assert_int_equal(fb_decide(program, &request, &world.scratch, &d), FB_OK);
        if (d.allow != cases[i].allow)
            fail_msg("%s", cases[i].condition);
    }
}

/* A ceiling of the arena at every size: no decision, or the right one. */
static void short_memory(void **state)
{
    (void)state;
    struct fb_program *program = program_of(
        "permit (principal, action, resource) when { [principal, resource].contains(principal) };"
        "permit (principal, action, resource) when { {a: [principal.n, 2], b: context} has a };"
        "permit (principal, action, resource) when { principal.n + \"a\" == 1 };"
        "permit (principal, action, resource) when { ip(principal.s).isIpv4() };"
        "forbid (principal, action, resource) when { principal.missing };");
    size_t good = 0, cannot = 0;
    for (size_t ceiling = 0; ceiling < 64 << 10; ceiling += ceiling < 4096 ? 64 : 2048) {
        struct fb_arena arena;
        struct fb_decision d;
        fb_arena_init(&arena, &fb_heap, ceiling);
        if (fb_decide(program, &world.request, &arena, &d) == FB_OK) {
            assert_true(d.allow && d.permits_count == 2 && d.errors_count == 3);
            for (uint32_t i = 0; i < 3; i++)
                assert_true(d.errors[i].message.len > 10);
            good++;
        } else {
            assert_true(!d.allow && d.permits == NULL);
            cannot++;
        }
        fb_arena_release(&arena);
    }
    assert_true(good > 0 && cannot > 0);
}

/* Compiling fails cleanly at every allocation. */
static void compiling_without_memory(void **state)
{
    (void)state;
    struct fb_policy_set *set = world_policies(&world, fb_span_z(every_lookup));
    size_t made = 0;
    for (size_t n = 1; made == 0; n++) {
        struct failing_allocator failing;
        struct fb_arena arena;
        failing_init(&failing, n);
        fb_arena_init(&arena, &failing.allocator, 1 << 24);
        made += fb_program_new(&arena, set, NULL) != NULL;
        fb_arena_release(&arena);
        assert_int_equal(failing.bytes_out, 0);
        assert_true(n < 10000);
    }
}

/* --- The rest of the door -------------------------------------------------------------------------------------- */

static void programs_name_their_policies(void **state)
{
    (void)state;
    struct fb_policy_set *set = world_policies(&world, FB_SPAN(
        "permit (principal, action, resource); permit (principal == ?principal, action, resource);"
        "forbid (principal, action, resource);"));
    const char *error;
    const struct fb_uid *uid = world_uid(&world, "U::\"a\"");
    assert_non_null(fb_policy_set_link(set, FB_SPAN("policy1"), FB_SPAN("one"), uid, NULL, &error));
    assert_non_null(fb_policy_set_link(set, FB_SPAN("policy1"), FB_SPAN("two"), uid, NULL, &error));
    struct fb_program *program = world_program(&world, set);
    static const char *const ids[] = {"policy0", "policy2", "one", "two"};
    assert_int_equal(fb_program_count(program), 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_span(fb_program_id(program, i), ids[i]);
    assert_ptr_equal(fb_program_policy(program, 3), set->policies[1]);
}

static void could_allow_skips_what_it_is_told(void **state)
{
    (void)state;
    struct fb_program *program = program_of(
        "permit (principal, action, resource); forbid (principal, action, resource) when { context.yes };"
        "forbid (principal, action, resource) when { principal.missing };");
    bool could, skip[3] = {false};
    assert_int_equal(fb_could_allow(program, &world.request, NULL, NULL, &world.scratch, &could), FB_OK);
    assert_false(could);
    skip[1] = true;
    assert_int_equal(fb_could_allow(program, &world.request, NULL, skip, &world.scratch, &could), FB_OK);
    assert_false(could);        /* a forbid that can only err blocks */
    skip[2] = true;
    assert_int_equal(fb_could_allow(program, &world.request, NULL, skip, &world.scratch, &could), FB_OK);
    assert_true(could);
    skip[0] = true;             /* of permits it says nothing */
    assert_int_equal(fb_could_allow(program, &world.request, NULL, skip, &world.scratch, &could), FB_OK);
    assert_true(could);
}

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    world_read(&world, "world.json");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_release(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_chains),
        cmocka_unit_test(deep_nests),
        cmocka_unit_test(like_takes_no_exponential_time),
        cmocka_unit_test(large_constant_sets),
        cmocka_unit_test(concerns_have_an_end), cmocka_unit_test(broken_sources),
        cmocka_unit_test(more_paths_than_are_remembered),
        cmocka_unit_test(policies_of_other_actions_cost_nothing),
        cmocka_unit_test(own_entities_are_looked_up_once),
        cmocka_unit_test(open_ancestors_are_asked),
        cmocka_unit_test(short_memory),
        cmocka_unit_test(compiling_without_memory),
        cmocka_unit_test(programs_name_their_policies),
        cmocka_unit_test(could_allow_skips_what_it_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
