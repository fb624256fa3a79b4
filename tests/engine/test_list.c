/* SPDX-License-Identifier: Apache-2.0 */
/* Lists against brute force: every entity of the type decided by itself, in order.  Random policies and
 * stores, pages of one to five, entities that come and go between pages; then what a list costs. */

#include "generate.h"
#include "world.h"

#include "testing.h"

#define CASES 6000
#define POLICIES 5

static struct fb_arena arena, scratch;

struct list_case {
    struct fb_entity_set *set;
    struct fb_entity_order *order;
    struct fb_entities entities;
    struct fb_list_source source;
    struct fb_request request;
    struct fb_list_query query;
};

static bool permits(const struct list_case *c, const struct fb_uid *uid)
{
    struct fb_request request = c->request;
    struct fb_decision decision;
    if (c->query.asked == FB_PRINCIPAL)
        request.principal = uid;
    else
        request.resource = uid;
    assert_int_equal(fb_decide(c->query.program, &request, &arena, &decision), FB_OK);
    bool allow = decision.allow;
    for (uint32_t i = 0; c->query.strict && i < decision.errors_count; i++)
        allow = allow && fb_program_policy(c->query.program, decision.errors[i].policy)->effect != FB_FORBID;
    return allow;
}

/* Those of the type behind `after`, in order, by deciding each: the next one that is allowed. */
static const struct fb_uid *next_allowed(const struct list_case *c, struct fb_span type, const struct fb_uid *after)
{
    const struct fb_uid *best = NULL;
    for (size_t i = 0; i < fb_entity_set_count(c->set); i++) {
        struct fb_entity entity;
        fb_entity_set_at(c->set, i, &entity);
        if (fb_span_eq(fb_uid_type(entity.uid), type) && (after == NULL || fb_uid_order(entity.uid, after) > 0)
            && (best == NULL || fb_uid_order(entity.uid, best) < 0) && permits(c, entity.uid))
            best = entity.uid;
    }
    return best;
}

/* Policies that name whom they are about in each way that is understood, and in some that are not. */
static const char *const pool[] = {
    "permit (principal, action, resource) when { resource.e == principal };",
    "permit (principal, action, resource) when { principal == resource.e || resource.h == G::\"1\" };",
    "permit (principal, action, resource) when { resource.g.contains(principal) || resource.g.contains(G::\"0\") };",
    "permit (principal, action, resource) when { principal in resource.h };",
    "permit (principal, action, resource) when { principal in resource.g && resource has g };",
    "permit (principal, action, resource) when { resource in principal.g || resource in principal.h };",
    "permit (principal, action, resource) when { principal.e == resource.e && principal.l.contains(resource.e) };",
    "permit (principal, action, resource) when { [U::\"0\", U::\"1\"].contains(resource.e) };",
    "permit (principal, action, resource) when { principal.g.contains(resource.h) };",
    "permit (principal, action, resource) when { resource.e in G::\"1\" };",
    "permit (principal, action, resource) when { resource.e.e == principal };",
    "permit (principal, action, resource) when { resource.n == 1 || resource.e == principal.e };",
    "permit (principal, action, resource) when { resource.g.contains(1) };",
    "permit (principal in G::\"1\", action, resource in G::\"2\");",
    "permit (principal is U in G::\"0\", action, resource is R in R::\"1\");",
    "permit (principal == U::\"1\", action, resource == R::\"1\");",
    "forbid (principal, action, resource) when { resource.e == principal };",
    "forbid (principal, action, resource) when { principal.n + resource.n == 2 };",
    "forbid (principal in G::\"2\", action, resource);",
};

static struct fb_policy_set *chosen_policies(struct generator *g)
{
    struct fb_policy_set *set = fb_arena_alloc(&arena, sizeof *set);
    struct fb_source *source = fb_arena_alloc(&arena, sizeof *source);
    struct fb_diags diags;
    fb_diags_init(&diags, &arena);
    fb_policy_set_init(set, &arena);
    *source = (struct fb_source){.name = FB_SPAN("test"), .text = FB_SPAN("")};
    for (uint32_t i = 0, count = 1 + generate_below(g, 3); i < count; i++)
        source->text = fb_arena_format(&arena, "%.*s%s\n", (int)source->text.len, source->text.ptr,
                                       pool[generate_below(g, sizeof pool / sizeof pool[0])]);
    assert_true(fb_policy_set_read(set, source, &diags));
    return set;
}

static void make_case(struct list_case *c, uint64_t seed)
{
    static const char *const types[] = {"U", "R", "G"};
    struct generator g = {&arena, seed};
    memset(c, 0, sizeof *c);
    c->set = generate_store(&g);
    c->order = fb_entity_order_new(&arena, c->set);
    c->entities = fb_entity_set_source(c->set);
    c->source = fb_list_source_of(c->order);
    if (generate_chance(&g, 20))
        c->source.below = NULL;
    if (generate_chance(&g, 10))
        c->source.next = NULL;
    bool chosen = generate_chance(&g, 50);
    c->request = (struct fb_request){.principal = generate_uid(&g, "U", generate_below(&g, GENERATE_USERS)),
                                     .resource = generate_uid(&g, "R", generate_below(&g, GENERATE_RESOURCES)),
                                     .action = generate_uid(&g, "Action", generate_below(&g, 3)),
                                     .context = generate_context(&g),
                                     .entities = &c->entities};
    c->query = (struct fb_list_query){
        .program = fb_program_new(
            &arena, chosen ? chosen_policies(&g) : generate_policies(&g, 1 + generate_below(&g, POLICIES), true, 2),
            NULL),
        .request = &c->request,
        .source = &c->source,
        .asked = generate_chance(&g, 50) ? FB_PRINCIPAL : FB_RESOURCE,
        .strict = generate_chance(&g, 30),
        .limit = 1 + generate_below(&g, 5),
        .visits = generate_below(&g, 4)};
    /* Groups may be asked for, too. */
    const struct fb_uid **asked = c->query.asked == FB_PRINCIPAL ? &c->request.principal : &c->request.resource;
    *asked = generate_uid(&g, generate_chance(&g, 80) ? types[c->query.asked == FB_RESOURCE] : types[2], 0);
    assert_non_null(c->query.program);
}

struct counts {
    size_t plans[FB_LIST_SCAN + 1], listed, bad, pages;
};

static void compare_pages(struct list_case *c, uint64_t seed, struct counts *counts)
{
    struct fb_span type = fb_uid_type(c->query.asked == FB_PRINCIPAL ? c->request.principal : c->request.resource);
    const struct fb_uid *expected = next_allowed(c, type, NULL);
    struct fb_list_page page;
    do {
        assert_int_equal(fb_list(&c->query, &arena, &scratch, &page), FB_OK);
        counts->pages++;
        for (uint32_t i = 0; i < page.count; i++, counts->listed++) {
            bool right = expected != NULL && fb_uid_eq(expected, page.uids[i]);
            if (!right)
                print_error("seed %llu, plan %d: listed %s\n", (unsigned long long)seed, page.plan,
                            page.uids[i]->bytes);
            counts->bad += !right;
            expected = next_allowed(c, type, page.uids[i]);
        }
        assert_true(page.count <= c->query.limit);
        assert_true(page.next == NULL || page.visited != 0);
        c->query.after = page.next;
    } while (page.next != NULL);
    counts->plans[page.plan]++;
    if (expected != NULL) {
        print_error("seed %llu, plan %d: left out %s\n", (unsigned long long)seed, page.plan, expected->bytes);
        counts->bad++;
    }
}

static void pages_hold_who_is_allowed(void **state)
{
    (void)state;
    const char *text = getenv("FB_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 20261124;
    struct counts counts = {0};
    for (uint64_t i = 0; i < CASES; i++) {
        struct list_case c;
        make_case(&c, seed + i);
        compare_pages(&c, seed + i, &counts);
        fb_arena_clear(&arena);
    }
    print_message("# seed %llu: %zu pages, %zu listed; nobody %zu, everybody %zu, named %zu, scan %zu\n",
                  (unsigned long long)seed, counts.pages, counts.listed, counts.plans[FB_LIST_NOBODY],
                  counts.plans[FB_LIST_EVERYBODY], counts.plans[FB_LIST_NAMED], counts.plans[FB_LIST_SCAN]);
    assert_int_equal(counts.bad, 0);
    for (size_t i = 0; i <= FB_LIST_SCAN; i++)
        assert_true(counts.plans[i] > 100);
}

/* --- Cost --------------------------------------------------------------------------------------------- */

#define MANY 100000u
#define FEW 20u

/* Documents in folders of twenty, an owner each. */
static struct fb_entity_set *many_documents(void)
{
    struct generator g = {&arena, 1};
    struct fb_entity_set *set = fb_entity_set_new(&arena);
    struct fb_field owner = {FB_SPAN("owner"), {0}};
    for (uint32_t i = 0; i < MANY; i++) {
        const struct fb_uid *folder = generate_uid(&g, "F", i / FEW);
        struct fb_entity_parts parts = {.uid = generate_uid(&g, "R", i),
                                        .parents = &folder,
                                        .parents_count = 1,
                                        .tags = fb_value_of_record(&fb_record_empty)};
        owner.value = fb_value_entity(generate_uid(&g, "U", i % 5000));
        assert_true(fb_value_record(&arena, &owner, 1, &parts.attrs) && fb_entity_set_add(set, &parts));
    }
    const struct fb_uid *docs[FEW];
    struct fb_value cells[FEW];
    for (uint32_t i = 0; i < FEW; i++)
        cells[i] = fb_value_entity(docs[i] = generate_uid(&g, "R", 7 * i));
    struct fb_field shared = {FB_SPAN("docs"), {0}};
    struct fb_entity_parts user = {.uid = generate_uid(&g, "U", 0), .tags = fb_value_of_record(&fb_record_empty)};
    assert_true(fb_value_set(&arena, cells, FEW, &shared.value) && fb_value_record(&arena, &shared, 1, &user.attrs)
                && fb_entity_set_add(set, &user));
    struct fb_diags diags;
    fb_diags_init(&diags, &arena);
    assert_true(fb_entity_set_close(set, &diags));
    return set;
}

static const struct {
    const char *policies;
    enum fb_list_plan plan;
    uint32_t count, visited, evaluated; /* of all pages */
} costs[] = {
    {"permit (principal, action, resource in F::\"77\");", FB_LIST_NAMED, FEW, FEW, FEW},
    {"permit (principal, action, resource in F::\"77\") unless { resource == R::\"1541\" };", FB_LIST_NAMED, FEW - 1,
     FEW, FEW},
    {"permit (principal, action, resource) when { principal.docs.contains(resource) };", FB_LIST_NAMED, FEW, FEW, FEW},
    {"permit (principal, action, resource) when { resource in [F::\"1\", F::\"2\"] && principal has docs };",
     FB_LIST_NAMED, 2 * FEW, 2 * FEW, 2 * FEW},
    {"permit (principal, action, resource) when { principal.docs.contains(R::\"7\") && resource in F::\"1\" };",
     FB_LIST_NAMED, FEW, FEW, FEW},
    {"permit (principal, action, resource) when { principal == U::\"0\" || resource in F::\"1\" };", FB_LIST_EVERYBODY,
     MANY, MANY, 0},
    {"permit (principal, action, resource) when { principal == U::\"1\" || resource in F::\"1\" || resource == "
     "R::\"1\" };",
     FB_LIST_NAMED, FEW + 1, FEW + 1, FEW + 1},
    {"permit (principal, action, resource == R::\"5\"); permit (principal == U::\"1\", action, resource);",
     FB_LIST_NAMED, 1, 1, 1},
    {"permit (principal, action, resource); forbid (principal == U::\"1\", action, resource);", FB_LIST_EVERYBODY, MANY,
     MANY, 0},
    {"permit (principal, action, resource is R); forbid (principal, action, resource in F::\"1\");", FB_LIST_SCAN,
     MANY - FEW, MANY, MANY},
    {"permit (principal, action, resource) when { resource.owner == principal };", FB_LIST_NAMED, FEW, FEW, FEW},
    {"permit (principal, action, resource) when { U::\"4\" == resource.owner || resource.owner == principal.docs };",
     FB_LIST_SCAN, FEW, MANY, MANY},
    {"permit (principal, action, resource) when { principal in resource.owner };", FB_LIST_NAMED, FEW, FEW, FEW},
    {"permit (principal, action, resource) when { resource.owner.owner == principal };", FB_LIST_SCAN, 0, MANY, MANY},
    {"permit (principal, action, resource); forbid (principal, action, resource) when { principal is U };",
     FB_LIST_NOBODY, 0, 0, 0},
    {"permit (principal in F::\"1\", action, resource);", FB_LIST_NOBODY, 0, 0, 0},
};

static void what_is_looked_at(void **state)
{
    (void)state;
    struct generator g = {&arena, 1};
    struct list_case c = {.set = many_documents()};
    c.order = fb_entity_order_new(&arena, c.set);
    c.entities = fb_entity_set_source(c.set);
    c.source = fb_list_source_of(c.order);
    c.request = (struct fb_request){.principal = generate_uid(&g, "U", 0),
                                    .action = generate_uid(&g, "Action", 0),
                                    .resource = generate_uid(&g, "R", 0),
                                    .entities = &c.entities,
                                    .context = fb_value_of_record(&fb_record_empty)};
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        struct fb_source source = {FB_SPAN("test"), fb_span_z(costs[i].policies)};
        struct fb_policy_set set;
        struct fb_diags diags;
        fb_diags_init(&diags, &arena);
        fb_policy_set_init(&set, &arena);
        assert_true(fb_policy_set_read(&set, &source, &diags));
        c.query = (struct fb_list_query){.program = fb_program_new(&arena, &set, &diags),
                                         .request = &c.request,
                                         .source = &c.source,
                                         .asked = FB_RESOURCE,
                                         .limit = FB_LIST_LIMIT_MAX};
        uint32_t count = 0, visited = 0, evaluated = 0;
        struct fb_list_page page;
        do {
            assert_int_equal(fb_list(&c.query, &arena, &scratch, &page), FB_OK);
            count += page.count;
            visited += page.visited;
            evaluated += page.evaluated;
            c.query.after = page.next;
        } while (page.next != NULL);
        print_message("# %u allowed of %u: %u looked at, %u evaluated: %s\n", count, MANY, visited, evaluated,
                      costs[i].policies);
        assert_int_equal(page.plan, costs[i].plan);
        assert_int_equal(count, costs[i].count);
        assert_int_equal(visited, costs[i].visited);
        assert_int_equal(evaluated, costs[i].evaluated);
    }
}

/* --- Cursors ------------------------------------------------------------------------------------------- */

static void cursors_are_told_from_others(void **state)
{
    (void)state;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1 << 20);
    const struct fb_uid *uid = fb_uid_new(&arena, FB_SPAN("NS::Doc"), FB_SPAN("a \0 \xc3\xa9\""));
    assert_true(fb_list_cursor_print(&text, uid));
    struct fb_span cursor = fb_buffer_span(&text);
    const struct fb_uid *read = fb_list_cursor_read(&arena, FB_SPAN("NS::Doc"), cursor);
    assert_true(read != NULL && fb_uid_eq(read, uid));
    assert_null(fb_list_cursor_read(&arena, FB_SPAN("Doc"), cursor));
    assert_null(fb_list_cursor_read(&arena, FB_SPAN("NS::Doc"), fb_span_head(cursor, cursor.len - 1)));
    assert_null(fb_list_cursor_read(&arena, FB_SPAN("NS::Doc"), fb_span_head(cursor, cursor.len - 2)));
    assert_null(fb_list_cursor_read(&arena, FB_SPAN("NS::Doc"), fb_span_from(cursor, 2)));
    assert_null(fb_list_cursor_read(&arena, FB_SPAN("NS::Doc"), FB_SPAN("")));
    assert_null(fb_list_cursor_read(&arena, FB_SPAN("NS::Doc"), FB_SPAN("01000000zz")));
    text.ptr[1] = '2';
    assert_null(fb_list_cursor_read(&arena, FB_SPAN("NS::Doc"), cursor));
    fb_buffer_release(&text);
}

static int set_up(void **state)
{
    (void)state;
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 30);
    fb_arena_init(&scratch, &fb_heap, (size_t)4 << 20);
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
        cmocka_unit_test(pages_hold_who_is_allowed),
        cmocka_unit_test(what_is_looked_at),
        cmocka_unit_test(cursors_are_told_from_others),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
