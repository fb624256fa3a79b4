/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that have much of something: groups above the principal, folders above the resource, templates that name
 * both; against a look at each policy. */

#include "generate.h"

#include "testing.h"

#define GROUPS 40u
#define FOLDERS 30u
#define WORLDS 40u

static struct fb_arena arena, scratch;
static struct generator g = {.arena = &arena};
static struct fb_policy_set *set;
static struct fb_entity_set *entities;

/* An entity in each other of so many groups, by chance. */
static void add_in(const char *type, const char *group, uint32_t groups, uint32_t percent)
{
    const struct fb_uid *parents[GROUPS];
    struct fb_entity_parts parts = {.uid = generate_uid(&g, type, 0), .parents = parents,
                                    .attrs = fb_value_of_record(&fb_record_empty),
                                    .tags = fb_value_of_record(&fb_record_empty)};
    for (uint32_t i = 0; i < groups; i++) {
        struct fb_entity_parts above = parts;
        above.uid = generate_uid(&g, group, i);
        above.parents = NULL;
        assert_true(fb_entity_set_add(entities, &above));
    }
    for (uint32_t i = 0; i < groups; i++)
        if (generate_chance(&g, percent))
            parents[parts.parents_count++] = generate_uid(&g, group, i);
    assert_true(fb_entity_set_add(entities, &parts));
}

static void read_policies(struct fb_span text)
{
    struct fb_source *source = fb_arena_alloc(&arena, sizeof *source);
    struct fb_diags diags;
    *source = (struct fb_source){.name = FB_SPAN("wide"), .text = text};
    fb_diags_init(&diags, &arena);
    set = fb_arena_alloc(&arena, sizeof *set);
    fb_policy_set_init(set, &arena);
    assert_true(fb_policy_set_read(set, source, &diags));
}

static struct fb_request request_of(const struct fb_entities *source)
{
    return (struct fb_request){.principal = generate_uid(&g, "U", 0), .action = generate_uid(&g, "Action", 0),
                               .resource = generate_uid(&g, "R", 0),
                               .context = fb_value_of_record(&fb_record_empty), .entities = source};
}

static void link_to(struct fb_link_table *table, const char *template_, uint32_t id, const struct fb_uid *principal,
                    const struct fb_uid *resource)
{
    assert_null(fb_link_table_add(table, fb_policy_set_find(set, fb_span_z(template_)),
                                  fb_arena_format(&arena, "link%u", id), principal, resource));
}

/* --- Many groups ------------------------------------------------------------------------------------------ */

/* How many links hold, one after another. */
static uint32_t count_links(const struct fb_link_table *table, const struct fb_request *request)
{
    uint32_t held = 0;
    struct fb_link link;
    for (size_t i = 0; i < fb_link_table_places(table); i++)
        held += fb_link_table_at(table, i, &link)
                && fb_entity_in(request->entities, request->principal, link.principal) == FB_FOUND
                && fb_entity_in(request->entities, request->resource, link.resource) == FB_FOUND;
    return held;
}

/* More groups than pairs are asked for, each named by some link; the keys of a side are then searched. */
static void groups_and_folders(void **state)
{
    (void)state;
    uint32_t held = 0;
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        g.state = seed;
        entities = fb_entity_set_new(&arena);
        struct fb_diags diags;
        fb_diags_init(&diags, &arena);
        add_in("U", "G", GROUPS, seed % 2 ? 50 : 95);
        add_in("R", "F", FOLDERS, seed % 3 ? 50 : 95);
        assert_true(fb_entity_set_close(entities, &diags));
        const struct fb_entities source = fb_entity_set_source(entities);
        read_policies(FB_SPAN("permit (principal in ?principal, action, resource in ?resource);"));
        struct fb_program *program = fb_program_new(&arena, set, NULL);
        struct fb_link_table *table = fb_link_table_new(&fb_heap, program);
        const struct fb_request request = request_of(&source);
        /* Few and many: by pairs, and by the rows of either side. */
        for (uint32_t i = 0; i < (seed % 4 < 2 ? 200 : 3000); i++)
            link_to(table, "policy0", i, generate_uid(&g, "G", generate_below(&g, seed % 5 ? 2 * GROUPS : GROUPS)),
                    generate_uid(&g, "F", generate_below(&g, seed % 5 ? FOLDERS : 3 * FOLDERS)));
        struct fb_decision d;
        assert_int_equal(fb_decide(fb_link_table_program(table), &request, &scratch, &d), FB_OK);
        assert_int_equal(d.permits_count, count_links(table, &request));
        held += d.permits_count;
        fb_link_table_free(table);
        fb_arena_clear(&scratch);
        fb_arena_clear(&arena);
    }
    print_message("%u worlds, %u links held\n", WORLDS, held);
    assert_true(held > 10 * WORLDS);
}

/* --- Many templates ---------------------------------------------------------------------------------------- */

#define TEMPLATES 40u

/* Each template with two links, of somebody else and then of this one; all but one lack more.  What the conditions of
 * a form lack is remembered for some forms alone. */
static void nearest_of_many_templates(void **state)
{
    (void)state;
    entities = fb_entity_set_new(&arena);
    struct fb_diags diags;
    fb_diags_init(&diags, &arena);
    assert_true(fb_entity_set_close(entities, &diags));
    const struct fb_entities source = fb_entity_set_source(entities);
    for (uint32_t near = 0; near < TEMPLATES; near++) {
        struct fb_buffer text;
        fb_buffer_init(&text, &fb_heap, 1 << 20);
        for (uint32_t i = 0; i < TEMPLATES; i++)
            fb_buffer_add_format(&text, "permit (principal == ?principal, action, resource) when { context has b%s };\n",
                                 i == near ? "" : " && context has c && context has d");
        read_policies(fb_arena_copy(&arena, fb_buffer_span(&text)));
        fb_buffer_release(&text);
        struct fb_program *program = fb_program_new(&arena, set, NULL);
        struct fb_link_table *table = fb_link_table_new(&fb_heap, program);
        for (uint32_t i = 0; i < TEMPLATES; i++) {
            char template_[16];
            (void)snprintf(template_, sizeof template_, "policy%u", i);
            link_to(table, template_, 2 * i, generate_uid(&g, "U", 1), NULL);
            link_to(table, template_, 2 * i + 1, generate_uid(&g, "U", 0), NULL);
        }
        const struct fb_request request = request_of(&source);
        struct fb_explanation nearest;
        bool found;
        assert_int_equal(fb_nearest_permit(fb_link_table_program(table), &request, NULL, false, &scratch, &nearest,
                                           &found), FB_OK);
        assert_true(found && nearest.unmet == 1);
        assert_int_equal(nearest.policy, fb_program_count(program) + 2 * near + 1);
        fb_link_table_free(table);
        fb_arena_clear(&scratch);
    }
    fb_arena_clear(&arena);
}

static int set_up(void **state)
{
    (void)state;
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 28);
    fb_arena_init(&scratch, &fb_heap, (size_t)1 << 26);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(groups_and_folders), cmocka_unit_test(nearest_of_many_templates)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
