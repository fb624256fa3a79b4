/* SPDX-License-Identifier: Apache-2.0 */
/* Links that come and go: after each few changes, decisions of the table, of a program made anew, and of the
 * oracle are the same; and so are outcomes with something unknown, for each choice of it. */

#include "generate.h"
#include "oracle.h"

#include "testing.h"

#include <time.h>

#define WORLDS 60
#define USERS 12u
#define GROUPS 48u          /* in some worlds one chain, longer than what is followed when it lies open */
#define RESOURCES 12u
#define LINKS 200u
#define STEPS 60
#define REQUESTS 8

static struct fb_arena arena, scratch;

/* --- Worlds ------------------------------------------------------------------------------------------- */

struct links_world {
    struct generator g;
    struct fb_entity_set *entities;
    struct fb_policy_set *set;
    struct fb_program *program;
    struct fb_link_table *table;
    struct fb_link links[LINKS];    /* what should be in the table */
    size_t count;
    uint32_t named;                 /* ids given so far */
    bool open, chain, sparse;
};

static struct links_world world;

static void add_entity(const char *type, uint32_t id, const struct fb_uid *const *parents, size_t count)
{
    struct fb_entity_parts parts = {.uid = generate_uid(&world.g, type, id), .parents = parents, .parents_count = count,
                                    .attrs = fb_value_of_record(&fb_record_empty), .tags = fb_value_of_record(&fb_record_empty)};
    assert_true(fb_entity_set_add(world.entities, &parts));
}

/* Up to `most` groups above `from`. */
static size_t some_groups(const struct fb_uid **parents, uint32_t from, uint32_t most)
{
    size_t count = 0;
    for (uint32_t i = 0; from < GROUPS && i < most; i++)
        if (generate_chance(&world.g, 50) && !(world.chain && from != 0))
            parents[count++] = generate_uid(&world.g, "G", from + generate_below(&world.g, GROUPS - from));
    return count;
}

static void make_entities(void)
{
    const struct fb_uid *parents[4];
    struct fb_diags diags;
    fb_diags_init(&diags, &arena);
    world.entities = fb_entity_set_new(&arena);
    for (uint32_t i = 0; i < GROUPS; i++) {
        size_t count = some_groups(parents, i + 1, 2);
        if (i + 1 < GROUPS && (world.chain || generate_chance(&world.g, 90)))
            parents[count++] = generate_uid(&world.g, "G", i + 1);
        if (world.chain || generate_chance(&world.g, 95))      /* some are missing */
            add_entity("G", i, parents, count);
    }
    for (uint32_t i = 0; i < USERS; i++)
        add_entity("U", i, parents, some_groups(parents, generate_chance(&world.g, 30) ? 0 : GROUPS / 2, 3));
    for (uint32_t i = 0; i < RESOURCES; i++)
        add_entity("R", i, parents, some_groups(parents, generate_chance(&world.g, 30) ? 0 : GROUPS / 2, 3));
    for (uint32_t i = 0; i < 3; i++) {
        parents[0] = generate_uid(&world.g, "Action", i + 1);
        add_entity("Action", i, parents, generate_chance(&world.g, 70) ? 1 : 0);
    }
    assert_true(fb_entity_set_close(world.entities, &diags));
}

/* The same entities with their parents alone, as the store has some. */
static enum fb_found find_open(const void *self, const struct fb_uid *uid, struct fb_entity *entity)
{
    struct fb_entities closed = fb_entity_set_source(world.entities);
    enum fb_found found = closed.find(closed.self, uid, entity);
    (void)self;
    if (found == FB_FOUND && (world.chain || entity->uid->hash % 4 != 0)) {
        entity->ancestors = (struct fb_refs){0};
        entity->open = entity->parents;
        entity->closed = entity->parents.count == 0;
    }
    return found;
}

/* Templates of every shape, and more static policies than are looked at without an index. */
static void make_policies(uint32_t count)
{
    world.set = fb_arena_alloc(&arena, sizeof *world.set);
    fb_policy_set_init(world.set, &arena);
    for (uint32_t i = 0; i < count; i++) {
        struct fb_policy *policy = (struct fb_policy *)(uintptr_t)generate_policy(&world.g, i < 20, 2);
        if (generate_chance(&world.g, 60))
            policy->conditions_count = 0;
        if (generate_chance(&world.g, 40))
            policy->action.op = FB_SCOPE_ANY;
        /* Where nearly all that is static forbids, what comes nearest is a link. */
        if (world.sparse && (!policy->is_template || generate_chance(&world.g, 30)))
            policy->effect = generate_chance(&world.g, 95) ? FB_FORBID : FB_PERMIT;
        assert_null(fb_policy_set_add(world.set, policy, fb_arena_format(&arena, "policy%u", i)));
    }
}

static const struct fb_uid *some_value(bool principal)
{
    static const char *const types[] = {"U", "R", "G", "G"};
    const char *type = types[generate_below(&world.g, 4)];
    if (generate_chance(&world.g, 40))
        type = principal ? "U" : "R";
    return generate_uid(&world.g, type, generate_below(&world.g, type[0] == 'G' ? GROUPS : USERS));
}

static void add_link(void)
{
    const struct fb_policy *template_ = world.set->policies[generate_below(&world.g, (uint32_t)world.set->count)];
    if (!template_->is_template || world.count == LINKS)
        return;
    struct fb_link link = {
        .id = fb_arena_format(&arena, "link%u", world.named++), .template_ = template_,
        .principal = template_->principal.slot ? some_value(true) : NULL,
        .resource = template_->resource.slot ? some_value(false) : NULL};
    assert_null(fb_link_table_add(world.table, template_, link.id, link.principal, link.resource));
    assert_non_null(fb_link_table_add(world.table, template_, link.id, link.principal, link.resource));
    world.links[world.count++] = link;
}

static void remove_link(void)
{
    if (world.count == 0)
        return;
    size_t at = generate_below(&world.g, (uint32_t)world.count);
    assert_true(fb_link_table_remove(world.table, world.links[at].id));
    assert_false(fb_link_table_remove(world.table, world.links[at].id));
    world.links[at] = world.links[--world.count];
}

/* --- What should come of a request ------------------------------------------------------------------------ */

static const struct fb_link *mirrored(struct fb_span id)
{
    for (size_t i = 0; i < world.count; i++)
        if (fb_span_eq(world.links[i].id, id))
            return &world.links[i];
    return NULL;
}

/* The oracle's word on a rule of the program; 0 where a link was. */
static char word(const struct fb_program *program, const struct fb_request *request, uint32_t rule)
{
    struct oracle oracle = {request, &scratch};
    const struct fb_policy *policy = fb_program_policy(program, rule);
    return policy != NULL ? oracle_policy(&oracle, policy, mirrored(fb_program_id(program, rule))) : 0;
}

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

static bool ascending(const uint32_t *list, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (list[i - 1] >= list[i])
            return false;
    return true;
}

static void check_decision(const struct fb_program *program, const struct fb_request *request, struct fb_decision *d)
{
    uint32_t permits = 0, forbids = 0, errors = 0;
    assert_int_equal(fb_decide(program, request, &scratch, d), FB_OK);
    for (uint32_t rule = 0; rule < fb_program_count(program); rule++) {
        char expected = word(program, request, rule);
        assert_int_equal(decided(d, rule), expected != 0 ? expected : 'F');
        if (expected == 0)
            continue;
        permits += expected == 'T' && fb_program_policy(program, rule)->effect == FB_PERMIT;
        forbids += expected == 'T' && fb_program_policy(program, rule)->effect == FB_FORBID;
        errors += expected == 'E';
    }
    assert_true(d->permits_count == permits && d->forbids_count == forbids && d->errors_count == errors);
    assert_true(ascending(d->permits, permits) && ascending(d->forbids, forbids));
    assert_int_equal(d->allow, permits != 0 && forbids == 0);
}

/* "Could" takes an allow in which a forbid erred for none. */
static bool forbid_erred(const struct fb_program *program, const struct fb_decision *d)
{
    bool erred = false;
    for (uint32_t i = 0; i < d->errors_count; i++)
        erred = erred || fb_program_policy(program, d->errors[i].policy)->effect == FB_FORBID;
    return erred;
}

/* Another of the same type. */
static const struct fb_uid *alike(const struct fb_uid *uid, uint32_t id)
{
    return fb_uid_new(&scratch, fb_uid_type(uid), fb_arena_format(&scratch, "%u", id));
}

/* Each choice of what is unknown lies within the outcomes. */
static void check_unknowns(const struct fb_program *program, const struct fb_request *request)
{
    for (unsigned which = 1; which <= 3; which++) {
        const struct fb_unknowns unknowns = {.principal = (which & 1) != 0, .resource = (which & 2) != 0};
        const uint8_t *outcomes;
        bool could, allowed = false;
        assert_int_equal(fb_outcomes(program, request, &unknowns, &scratch, &outcomes), FB_OK);
        assert_int_equal(fb_could_allow(program, request, &unknowns, NULL, &scratch, &could), FB_OK);
        for (uint32_t p = 0; p < (unknowns.principal ? 6 : 1); p++)
            for (uint32_t r = 0; r < (unknowns.resource ? 6 : 1); r++) {
                struct fb_request choice = *request;
                struct fb_decision d;
                if (unknowns.principal)
                    choice.principal = alike(request->principal, p);
                if (unknowns.resource)
                    choice.resource = alike(request->resource, r);
                check_decision(program, &choice, &d);
                allowed = allowed || (d.allow && !forbid_erred(program, &d));
                for (uint32_t rule = 0; rule < fb_program_count(program); rule++) {
                    char says = decided(&d, rule);
                    assert_true((outcomes[rule] & (says == 'T' ? FB_CAN_TRUE : says == 'F' ? FB_CAN_FALSE : FB_CAN_ERR)) != 0);
                }
            }
        assert_true(could || !allowed);
    }
}

/* The permit that fits with the fewest unmet clauses, the first of them: by a look at every policy. */
static bool nearest_of_all(const struct fb_program *program, const struct fb_request *request,
                           const struct fb_unknowns *unknowns, struct fb_explanation *nearest)
{
    bool found = false;
    for (uint32_t rule = 0; rule < fb_program_count(program); rule++) {
        const struct fb_policy *policy = fb_program_policy(program, rule);
        struct fb_explanation x;
        if (policy == NULL || policy->effect != FB_PERMIT)
            continue;
        assert_int_equal(fb_explain(program, rule, request, unknowns, false, &scratch, &x), FB_OK);
        if (!x.fits || (found && x.unmet >= nearest->unmet))
            continue;
        *nearest = x;
        found = true;
    }
    return found;
}

static size_t nearest_links, nearest_unmet;

static void check_nearest(const struct fb_program *program, const struct fb_request *request)
{
    const struct fb_span field = fb_span_z("b");
    for (unsigned which = 0; which < 8; which++) {
        const struct fb_unknowns unknowns = {.principal = (which & 1) != 0, .resource = (which & 2) != 0,
                                             .context = &field, .context_count = (which & 4) != 0};
        struct fb_explanation expected, x;
        bool found;
        assert_int_equal(fb_nearest_permit(program, request, &unknowns, false, &scratch, &x, &found), FB_OK);
        assert_int_equal(found, nearest_of_all(program, request, &unknowns, &expected));
        if (!found)
            continue;
        assert_int_equal(x.policy, expected.policy);
        assert_int_equal(x.unmet, expected.unmet);
        assert_int_equal(x.outcomes, expected.outcomes);
        nearest_links += mirrored(fb_program_id(program, x.policy)) != NULL;
        nearest_unmet += x.unmet != 0;
    }
}

/* The links as a set of their own, compiled from the beginning, and copied into a new table. */
static void check_rebuilt(const struct fb_request *request, const struct fb_decision *d)
{
    struct fb_policy_set again = {.arena = &scratch, .policies = world.set->policies, .count = world.set->count,
                                  .policies_by_id = world.set->policies_by_id};
    struct fb_decision other;
    const char *error;
    fb_map_init(&again.links_by_id, &scratch);
    for (size_t i = 0; i < world.count; i++)
        assert_non_null(fb_policy_set_link(&again, world.links[i].template_->id, world.links[i].id,
                                           world.links[i].principal, world.links[i].resource, &error));
    struct fb_program *program = fb_program_new(&scratch, &again, NULL);
    assert_non_null(program);
    assert_int_equal(fb_decide(program, request, &scratch, &other), FB_OK);
    check_nearest(program, request);
    assert_true(d->allow == other.allow && d->permits_count == other.permits_count
                && d->forbids_count == other.forbids_count && d->errors_count == other.errors_count);
    for (uint32_t i = 0; i < d->permits_count; i++) {
        bool met = false;
        struct fb_span id = fb_program_id(fb_link_table_program(world.table), d->permits[i]);
        for (uint32_t j = 0; j < other.permits_count; j++)
            met = met || fb_span_eq(id, fb_program_id(program, other.permits[j]));
        assert_true(met);
    }
}

static void check_table(void)
{
    assert_int_equal(fb_link_table_count(world.table), world.count);
    size_t met = 0;
    for (size_t place = 0; place < fb_link_table_places(world.table); place++) {
        struct fb_link link;
        if (!fb_link_table_at(world.table, place, &link))
            continue;
        const struct fb_link *own = mirrored(link.id);
        assert_non_null(own);
        assert_ptr_equal(link.template_, own->template_);
        assert_true((link.principal == NULL) == (own->principal == NULL) && (link.resource == NULL) == (own->resource == NULL));
        assert_true(link.principal == NULL || fb_uid_eq(link.principal, own->principal));
        assert_true(link.resource == NULL || fb_uid_eq(link.resource, own->resource));
        assert_int_equal(fb_link_table_find(world.table, link.id), place);
        met++;
    }
    assert_int_equal(met, world.count);
}

static bool check_requests(bool deep)
{
    static const struct fb_entities open = {.find = find_open};
    const struct fb_entities closed = fb_entity_set_source(world.entities);
    bool some = false;
    for (int i = 0; i < REQUESTS; i++) {
        struct fb_request request = {
            .principal = generate_uid(&world.g, generate_chance(&world.g, 80) ? "U" : "G", generate_below(&world.g, USERS + 1)),
            .action = generate_uid(&world.g, "Action", generate_below(&world.g, 5)),
            .resource = generate_uid(&world.g, generate_chance(&world.g, 80) ? "R" : "G", generate_below(&world.g, RESOURCES + 1)),
            .context = generate_context(&world.g), .entities = world.open ? &open : &closed};
        struct fb_decision d;
        check_decision(fb_link_table_program(world.table), &request, &d);
        some = some || d.permits_count + d.forbids_count > 2;
        check_nearest(fb_link_table_program(world.table), &request);
        check_rebuilt(&request, &d);
        if (deep && i == 0)
            check_unknowns(fb_link_table_program(world.table), &request);
        fb_arena_clear(&scratch);
    }
    return some;
}

static void change_worlds(uint64_t worlds)
{
    const char *text = getenv("FB_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 20240501;
    size_t some = 0;
    nearest_links = nearest_unmet = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t i = 0; i < worlds; i++) {
        world = (struct links_world){.g = {&arena, seed + i}, .open = i % 2 != 0, .chain = i % 4 == 3, .sparse = i % 5 >= 2};
        make_entities();
        make_policies(i % 3 == 0 ? 300 : 24);
        world.program = fb_program_new(&arena, world.set, NULL);
        world.table = fb_link_table_new(&fb_heap, world.program);
        assert_true(world.program != NULL && world.table != NULL);
        for (int step = 0; step < STEPS; step++) {
            /* It grows, shrinks, and grows again. */
            bool grows = (step / 10) % 3 != 1;
            for (uint32_t n = generate_below(&world.g, 12); n > 0; n--)
                generate_chance(&world.g, grows ? 80 : 10) ? add_link() : remove_link();
            if (step % 10 == 9) {
                check_table();
                some += check_requests(step % 30 == 29);
            }
        }
        fb_link_table_free(world.table);
        fb_arena_clear(&arena);
    }
    print_message("%d worlds, %zu times a decision with several policies; nearest permits: %zu unmet, %zu of links\n",
                  (int)worlds, some, nearest_unmet, nearest_links);
    assert_true(some > worlds && nearest_links > 20 * worlds && nearest_unmet > 20 * worlds);
}

static void changes(void **state)
{
    (void)state;
    change_worlds(WORLDS);
}

/* All ids of a type with one hash. */
static void changes_of_one_hash(void **state)
{
    (void)state;
    generate_alike = true;
    change_worlds(WORLDS / 4);
}

static int back_to_usual(void **state)
{
    (void)state;
    generate_alike = false;
    return 0;
}

/* --- Limits ------------------------------------------------------------------------------------------------- */

static const char policies[] =
    "permit (principal in ?principal, action == Action::\"0\", resource in ?resource);"
    "permit (principal == ?principal, action == Action::\"1\", resource);"
    "permit (principal == U::\"0\", action == Action::\"2\", resource);";

static void small_world(void)
{
    static const struct fb_source source = {FB_SPAN_INIT("links"), FB_SPAN_INIT(policies)};
    struct fb_diags diags;
    fb_diags_init(&diags, &arena);
    world = (struct links_world){.g = {&arena, 1}};
    world.entities = fb_entity_set_new(&arena);
    world.set = fb_arena_alloc(&arena, sizeof *world.set);
    fb_policy_set_init(world.set, &arena);
    assert_true(fb_policy_set_read(world.set, &source, &diags));
    world.program = fb_program_new(&arena, world.set, NULL);
    assert_non_null(world.program);
}

static const char *add(struct fb_link_table *table, const char *template_, const char *id, uint32_t user, uint32_t resource)
{
    const struct fb_policy *policy = fb_policy_set_find(world.set, fb_span_z(template_));
    return fb_link_table_add(table, policy, fb_span_z(id), generate_uid(&world.g, "U", user),
                             resource != UINT32_MAX ? generate_uid(&world.g, "R", resource) : NULL);
}

static void refused_links(void **state)
{
    (void)state;
    small_world();
    struct fb_link_table *table = fb_link_table_new(&fb_heap, world.program);
    assert_null(add(table, "policy0", "a", 1, 2));
    assert_string_equal(add(table, "policy0", "a", 1, 2), "the id of the link is taken");
    assert_string_equal(add(table, "policy0", "policy1", 1, 2), "the id of the link is taken");
    assert_string_equal(add(table, "policy0", "b", 1, UINT32_MAX), "the slot ?resource needs a value");
    assert_string_equal(add(table, "policy1", "b", 1, 2), "the template has no slot ?resource");
    assert_non_null(add(table, "policy2", "b", 1, 2));
    assert_non_null(add(table, "none", "b", 1, 2));
    assert_false(fb_link_table_remove(table, FB_SPAN("b")));
    assert_int_equal(fb_link_table_count(table), 1);
    assert_int_equal(fb_link_table_find(table, FB_SPAN("b")), 1);
    assert_int_equal(fb_program_count(fb_link_table_program(table)), 2);
    assert_int_equal(fb_program_count(world.program), 1);
    assert_true(fb_link_table_remove(table, FB_SPAN("a")));
    assert_null(fb_program_policy(fb_link_table_program(table), 1));
    assert_int_equal(fb_program_id(fb_link_table_program(table), 1).len, 0);
    fb_link_table_free(table);
    fb_arena_clear(&arena);
}

/* The Nth allocation fails: the link is not there, the others are, and the next try may succeed. */
static void links_without_memory(void **state)
{
    (void)state;
    small_world();
    bool made = false;
    for (size_t n = 1; !made; n++) {
        struct failing_allocator failing;
        failing_init(&failing, n);
        struct fb_link_table *table = fb_link_table_new(&failing.allocator, world.program);
        size_t count = 0, failed = 0;
        for (uint32_t i = 0; table != NULL && i < 100; i++) {
            const char *error = add(table, "policy0", fb_arena_text(&arena, fb_arena_format(&arena, "link%u", i)), i % 7, i);
            count += error == NULL;
            failed += error != NULL;
            assert_int_equal(fb_link_table_count(table), count);
        }
        made = table != NULL && failed == 0;
        for (uint32_t i = 0; table != NULL && i < 100; i++)
            count -= fb_link_table_remove(table, fb_arena_format(&arena, "link%u", i));
        assert_int_equal(count, 0);
        fb_link_table_free(table);
        assert_int_equal(failing.bytes_out, 0);
        assert_true(n < 1000);
    }
    fb_arena_clear(&arena);
}

/* What is taken out makes room for what comes. */
static void memory_is_used_again(void **state)
{
    (void)state;
    small_world();
    struct fb_link_table *table = fb_link_table_new(&fb_heap, world.program);
    size_t bytes = 0;
    for (int round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < 2000; i++)
            assert_null(add(table, "policy0", fb_arena_text(&scratch, fb_arena_format(&scratch, "%d/%u", round, i)), i / 10, i));
        size_t now = fb_program_size(fb_link_table_program(table)).links;
        assert_true(round == 0 || now == bytes);
        bytes = now;
        for (uint32_t i = 0; i < 2000; i++)
            assert_true(fb_link_table_remove(table, fb_arena_format(&scratch, "%d/%u", round, (i * 7) % 2000)));
        assert_int_equal(fb_link_table_count(table), 0);
    }
    print_message("%zu bytes a link\n", bytes / 2000);
    assert_true(bytes / 2000 < 250);
    fb_link_table_free(table);
    fb_arena_clear(&scratch);
    fb_arena_clear(&arena);
}

/* Of links that all name others the first is nearest, whichever come and go. */
static void first_of_those_left(void **state)
{
    (void)state;
    small_world();
    struct fb_link_table *table = fb_link_table_new(&fb_heap, world.program);
    const struct fb_program *program = fb_link_table_program(table);
    const struct fb_entities entities = fb_entity_set_source(world.entities);
    const struct fb_request request = {
        .principal = generate_uid(&world.g, "U", 1), .action = generate_uid(&world.g, "Action", 0),
        .resource = generate_uid(&world.g, "R", 1), .context = fb_value_of_record(&fb_record_empty), .entities = &entities};
    bool there[64] = {false};
    for (uint32_t step = 0; step < 2000; step++) {
        uint32_t which = generate_below(&world.g, 64);
        const struct fb_span id = fb_arena_format(&scratch, "%u", which);
        if (there[which])
            assert_true(fb_link_table_remove(table, id));
        else
            assert_null(add(table, "policy0", fb_arena_text(&scratch, id), 100 + which, 100 + which));
        there[which] = !there[which];
        struct fb_explanation nearest;
        struct fb_link link;
        bool found;
        size_t first = 0;
        while (first < fb_link_table_places(table) && !fb_link_table_at(table, first, &link))
            first++;
        assert_int_equal(fb_nearest_permit(program, &request, NULL, false, &scratch, &nearest, &found), FB_OK);
        assert_int_equal(found, first < fb_link_table_places(table));
        assert_true(!found || (nearest.policy == 1 + first && nearest.unmet == 2));
        fb_arena_clear(&scratch);
    }
    fb_link_table_free(table);
    fb_arena_clear(&arena);
}

/* Three users, three folders and the groups above them, each named by hundreds of links that come and go: what
 * stands for those that are alike is what a look at each finds. */
static const char busy_policies[] =
    "permit (principal in ?principal, action, resource == ?resource);\n"
    "permit (principal == ?principal, action, resource in ?resource) when { context has b };\n"
    "permit (principal in ?principal, action, resource in ?resource) when { context.n == 1 };\n"
    "permit (principal in ?principal, action == Action::\"0\", resource);\n"
    "permit (principal is U in ?principal, action, resource is R in ?resource) when { context has c };\n"
    "forbid (principal == ?principal, action, resource == ?resource);\n";
enum { BUSY_IDS = 900, BUSY_STEPS = 12000, BUSY_TEMPLATES = 6 };

static const struct fb_uid *busy_value(bool principal)
{
    const char *own = principal ? "U" : "R";
    uint32_t many = generate_chance(&world.g, 30) ? 400 : 3;
    return generate_chance(&world.g, 50) ? generate_uid(&world.g, "G", generate_below(&world.g, 3))
                                         : generate_uid(&world.g, own, generate_below(&world.g, many));
}

static void check_busy(const struct fb_program *program)
{
    const struct fb_entities entities = fb_entity_set_source(world.entities);
    struct fb_request request = {
        .principal = generate_uid(&world.g, "U", generate_below(&world.g, 5)),
        .action = generate_uid(&world.g, "Action", generate_below(&world.g, 2)),
        .resource = generate_uid(&world.g, "R", generate_below(&world.g, 5)), .context = generate_context(&world.g),
        .entities = &entities};
    check_nearest(program, &request);
    fb_arena_clear(&scratch);
}

static void busy_world(void)
{
    struct fb_source *source = fb_arena_alloc(&arena, sizeof *source);
    struct fb_diags diags;
    *source = (struct fb_source){.name = FB_SPAN("busy"), .text = FB_SPAN(busy_policies)};
    world = (struct links_world){.g = {&arena, 77}};
    fb_diags_init(&diags, &arena);
    make_entities();
    world.set = fb_arena_alloc(&arena, sizeof *world.set);
    fb_policy_set_init(world.set, &arena);
    assert_true(fb_policy_set_read(world.set, source, &diags));
    world.program = fb_program_new(&arena, world.set, &diags);
    assert_non_null(world.program);
}

static const char *add_busy(struct fb_link_table *table, uint32_t which)
{
    const struct fb_policy *template_ = world.set->policies[which % BUSY_TEMPLATES];
    return fb_link_table_add(table, template_, fb_arena_format(&arena, "%u", which), busy_value(true),
                             template_->resource.slot ? busy_value(false) : NULL);
}

static void least_of_those_alike(void **state)
{
    (void)state;
    busy_world();
    struct fb_link_table *table = fb_link_table_new(&fb_heap, world.program);
    bool there[BUSY_IDS] = {false};
    nearest_links = nearest_unmet = 0;
    for (uint32_t step = 0; step < BUSY_STEPS; step++) {
        /* Full, then in turns: the first go first, any go, all go. */
        uint32_t phase = step / 3000;
        uint32_t which = phase == 1 ? step % BUSY_IDS : generate_below(&world.g, BUSY_IDS);
        bool add_it = phase == 0 || (phase != 3 && generate_chance(&world.g, phase == 1 ? 30 : 50));
        if (there[which] && !add_it)
            assert_true(fb_link_table_remove(table, fb_arena_format(&arena, "%u", which)));
        else if (!there[which] && add_it)
            assert_null(add_busy(table, which));
        there[which] = add_it;
        if (step % 50 == 49)
            check_busy(fb_link_table_program(table));
    }
    print_message("nearest permits: %zu unmet\n", nearest_unmet);
    assert_true(nearest_unmet > 500);
    fb_link_table_free(table);
    fb_arena_clear(&arena);
}

/* The same of static policies, which never go. */
static void least_of_static_ones(void **state)
{
    static const char *const shapes[][3] = {
        {"permit (principal in G", "resource == R", ""}, {"permit (principal == U", "resource in G", ""},
        {"permit (principal in G", "resource in G", ""}, {"forbid (principal in G", "resource == R", ""},
        {"permit (principal in G", "resource == R", "when { context.n == 1 }"},
    };
    struct fb_source *source = fb_arena_alloc(&arena, sizeof *source);
    struct fb_buffer text;
    struct fb_diags diags;
    (void)state;
    busy_world();
    fb_diags_init(&diags, &arena);
    fb_buffer_init(&text, &fb_heap, 1 << 20);
    fb_buffer_add_z(&text, "permit (principal == U::\"4\", action == Action::\"4\", resource);\n");
    for (uint32_t i = 0; i < 700; i++) {
        const char *const *shape = shapes[generate_below(&world.g, 5)];
        uint32_t principal = generate_below(&world.g, 3), many = generate_chance(&world.g, 30) ? 400 : 3;
        fb_buffer_add_format(&text, "%s::\"%u\", action, %s::\"%u\") %s;\n", shape[0], principal, shape[1],
                             generate_below(&world.g, many), shape[2]);
    }
    *source = (struct fb_source){.name = FB_SPAN("static"), .text = fb_buffer_span(&text)};
    struct fb_policy_set *set = fb_arena_alloc(&arena, sizeof *set);
    fb_policy_set_init(set, &arena);
    assert_true(fb_policy_set_read(set, source, &diags));
    const struct fb_program *program = fb_program_new(&arena, set, &diags);
    assert_non_null(program);
    for (int i = 0; i < 100; i++)
        check_busy(program);
    fb_buffer_release(&text);
    fb_arena_clear(&arena);
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Links of a group to which all belong, each of another document: the time is printed, not asserted. */
static void a_refusal_among_links_of_everyone(void **state)
{
    static const uint32_t sizes[] = {10, 1000, 100000};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        busy_world();
        struct fb_link_table *table = fb_link_table_new(&fb_heap, world.program);
        const struct fb_uid *top = generate_uid(&world.g, "G", GROUPS - 1);
        for (uint32_t n = 0; n < sizes[i]; n++)
            assert_null(fb_link_table_add(table, world.set->policies[0], fb_arena_format(&arena, "%u", n), top,
                                          generate_uid(&world.g, "R", 100 + n)));
        const struct fb_entities entities = fb_entity_set_source(world.entities);
        const struct fb_request request = {
            .principal = top, .action = generate_uid(&world.g, "Action", 0), .resource = generate_uid(&world.g, "R", 1),
            .context = fb_value_of_record(&fb_record_empty), .entities = &entities};
        struct fb_explanation nearest;
        bool found = false;
        enum { ROUNDS = 200 };
        double start = now_us();
        for (int n = 0; n < ROUNDS; n++) {
            assert_int_equal(fb_nearest_permit(fb_link_table_program(table), &request, NULL, false, &scratch, &nearest, &found), FB_OK);
            fb_arena_clear(&scratch);
        }
        double nearer = (now_us() - start) / ROUNDS;
        struct fb_explained explained;
        start = now_us();
        assert_int_equal(fb_explain_decision(fb_link_table_program(table), &request, NULL, false, 0, &scratch, &explained), FB_OK);
        print_message("of %u links of everyone the nearest: %.2f us; all explained: %.0f us\n", sizes[i], nearer, now_us() - start);
        assert_int_equal(explained.count + explained.left_out, sizes[i]);
        fb_arena_clear(&scratch);
        assert_true(found && nearest.unmet == 1 && nearest.policy == fb_program_count(world.program));
        fb_link_table_free(table);
        fb_arena_clear(&arena);
    }
}

/* Where memory ends, they are walked. */
static void busy_keys_without_memory(void **state)
{
    (void)state;
    bool made = false;
    for (size_t n = 20; !made; n += 3) {
        struct failing_allocator failing;
        busy_world();
        failing_init(&failing, n);
        struct fb_link_table *table = fb_link_table_new(&failing.allocator, world.program);
        size_t failed = 0;
        for (uint32_t i = 0; table != NULL && i < 500; i++)
            failed += add_busy(table, i) != NULL;
        made = table != NULL && failed == 0;
        for (int i = 0; table != NULL && i < 5; i++)
            check_busy(fb_link_table_program(table));
        fb_link_table_free(table);
        assert_int_equal(failing.bytes_out, 0);
        fb_arena_clear(&arena);
    }
}

/* So many links of one user that no list of them is made while the resource is unknown. */
static void more_than_a_list_holds(void **state)
{
    (void)state;
    small_world();
    struct fb_link_table *table = fb_link_table_new(&fb_heap, world.program);
    for (uint32_t i = 0; i < 40000; i++)
        assert_null(add(table, "policy0", fb_arena_text(&scratch, fb_arena_format(&scratch, "%u", i)), i % 2, i));
    const struct fb_entities entities = fb_entity_set_source(world.entities);
    const struct fb_request request = {
        .principal = generate_uid(&world.g, "U", 1), .action = generate_uid(&world.g, "Action", 0),
        .resource = generate_uid(&world.g, "R", 39999), .context = fb_value_of_record(&fb_record_empty), .entities = &entities};
    const struct fb_program *program = fb_link_table_program(table);
    const struct fb_unknowns unknowns = {.resource = true}, both = {.principal = true, .resource = true};
    const uint8_t *outcomes;
    struct fb_decision d;
    assert_int_equal(fb_decide(program, &request, &scratch, &d), FB_OK);
    assert_true(d.allow && d.permits_count == 1);
    assert_span(fb_program_id(program, d.permits[0]), "39999");
    assert_int_equal(fb_outcomes(program, &request, &unknowns, &scratch, &outcomes), FB_OK);
    for (uint32_t i = 0; i < 40000; i++)
        assert_int_equal(outcomes[1 + i], i % 2 != 0 ? FB_CAN_TRUE | FB_CAN_FALSE : FB_CAN_FALSE);
    assert_int_equal(fb_outcomes(program, &request, &both, &scratch, &outcomes), FB_OK);
    for (uint32_t i = 0; i < 40000; i++)
        assert_int_equal(outcomes[1 + i], FB_CAN_TRUE | FB_CAN_FALSE);
    fb_link_table_free(table);
    fb_arena_clear(&scratch);
    fb_arena_clear(&arena);
}

/* Ids and names of every length keep apart, and their memory too. */
static void ids_of_every_length(void **state)
{
    (void)state;
    small_world();
    struct fb_link_table *table = fb_link_table_new(&fb_heap, world.program);
    const struct fb_policy *template_ = world.set->policies[1];
    char *text = fb_arena_alloc(&arena, 60000);
    memset(text, 'x', 60000);
    for (int round = 0; round < 2; round++) {
        for (size_t length = 0; length < 60000; length += length < 600 ? 1 : 7001) {
            const struct fb_uid *uid = fb_uid_new(&scratch, FB_SPAN("U"), fb_span(text, length));
            assert_null(fb_link_table_add(table, template_, fb_span(text, length), uid, NULL));
        }
        struct fb_link link;
        assert_true(fb_link_table_at(table, fb_link_table_find(table, fb_span(text, 599)), &link));
        assert_int_equal(fb_uid_id(link.principal).len, 599);
        for (size_t length = 0; length < 60000; length += length < 600 ? 1 : 7001)
            assert_true(fb_link_table_remove(table, fb_span(text, length)));
    }
    assert_int_equal(fb_link_table_count(table), 0);
    fb_link_table_free(table);
    fb_arena_clear(&scratch);
    fb_arena_clear(&arena);
}

static int set_up(void **state)
{
    (void)state;
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 28);
    fb_arena_init(&scratch, &fb_heap, (size_t)1 << 28);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fb_arena_release(&arena);
    fb_arena_release(&scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes),
        cmocka_unit_test_teardown(changes_of_one_hash, back_to_usual),
        cmocka_unit_test(refused_links),
        cmocka_unit_test(links_without_memory),
        cmocka_unit_test(memory_is_used_again),
        cmocka_unit_test(first_of_those_left),
        cmocka_unit_test(least_of_those_alike),
        cmocka_unit_test(least_of_static_ones),
        cmocka_unit_test(a_refusal_among_links_of_everyone),
        cmocka_unit_test(busy_keys_without_memory),
        cmocka_unit_test(more_than_a_list_holds),
        cmocka_unit_test(ids_of_every_length),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
