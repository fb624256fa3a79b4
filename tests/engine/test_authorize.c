/* SPDX-License-Identifier: Apache-2.0 */
/* Whole decisions: cases/authorize.case, by the engine and by the oracle. */

#include "oracle.h"
#include "world.h"

#include "testing.h"

static struct world world;

struct authorize_case {
    struct fb_span name;
    struct fb_buffer policies;
    struct fb_span links[16];
    size_t links_count;
    struct fb_policy_set *set;      /* made with the first request */
    struct fb_program *program;
    struct fb_request request;
};

static const struct fb_uid *uid_of(struct fb_span word)
{
    const struct fb_uid *uid = fb_uid_parse(&world.arena, word);
    assert_non_null(uid);
    return uid;
}

static void add_link(struct fb_policy_set *set, struct fb_span line)
{
    struct fb_span id = world_word(&line), template_ = world_word(&line), word;
    const struct fb_uid *principal = NULL, *resource = NULL;
    const char *error;
    while ((word = world_word(&line)).len != 0) {
        bool first = fb_span_starts(word, FB_SPAN("principal="));
        const struct fb_uid *uid = uid_of(fb_span_from(word, fb_span_find(word, '=') + 1));
        *(first ? &principal : &resource) = uid;
    }
    assert_non_null(fb_policy_set_link(set, template_, id, principal, resource, &error));
}

static void prepare(struct authorize_case *c)
{
    if (c->program != NULL)
        return;
    c->set = world_policies(&world, fb_buffer_span(&c->policies));
    for (size_t i = 0; i < c->links_count; i++)
        add_link(c->set, c->links[i]);
    c->program = world_program(&world, c->set);
}

static void read_request(struct authorize_case *c, struct fb_span line)
{
    c->request = world.request;
    c->request.principal = uid_of(world_word(&line));
    c->request.action = uid_of(world_word(&line));
    c->request.resource = uid_of(world_word(&line));
    if (line.len != 0)
        c->request.context = world_json(&world, line);
}

/* Ids in program order, each after a space. */
static void add_ids(struct fb_buffer *out, const struct fb_program *program, const uint32_t *rules, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(i == 0 || rules[i - 1] < rules[i]);
        fb_buffer_add_char(out, ' ');
        fb_buffer_add(out, fb_program_id(program, rules[i]));
    }
}

static void engine_answer(const struct authorize_case *c, struct fb_buffer *out)
{
    struct fb_decision d;
    assert_int_equal(fb_decide(c->program, &c->request, &world.scratch, &d), FB_OK);
    bool forbidden = d.forbids_count != 0;
    fb_buffer_add_z(out, d.allow ? "allow" : "deny");
    add_ids(out, c->program, forbidden ? d.forbids : d.permits, forbidden ? d.forbids_count : d.permits_count);
    if (d.errors_count != 0)
        fb_buffer_add_z(out, " !");
    for (uint32_t i = 0; i < d.errors_count; i++) {
        assert_true(d.errors[i].message.len != 0 && d.errors[i].range.end > d.errors[i].range.start);
        assert_true(d.errors[i].range.end <= fb_program_policy(c->program, d.errors[i].policy)->source->text.len);
        add_ids(out, c->program, &d.errors[i].policy, 1);
    }
}

/* The same from the oracle's word on each policy. */
static void oracle_answer(const struct authorize_case *c, struct fb_buffer *out)
{
    struct oracle oracle = {&c->request, &world.scratch};
    uint32_t lists[3][64] = {{0}}, counts[3] = {0}, rule = 0;
    for (size_t i = 0; i < c->set->count + c->set->links_count; i++) {
        const struct fb_link *link = i >= c->set->count ? c->set->links[i - c->set->count] : NULL;
        const struct fb_policy *policy = link != NULL ? link->template_ : c->set->policies[i];
        if (link == NULL && policy->is_template)
            continue;
        char says = oracle_policy(&oracle, policy, link);
        int list = says == 'E' ? 2 : policy->effect == FB_FORBID;
        if (says != 'F')
            lists[list][counts[list]++] = rule;
        rule++;
    }
    bool allow = counts[0] != 0 && counts[1] == 0;
    fb_buffer_add_z(out, allow ? "allow" : "deny");
    add_ids(out, c->program, lists[!allow], counts[!allow]);
    if (counts[2] != 0)
        fb_buffer_add_z(out, " !");
    add_ids(out, c->program, lists[2], counts[2]);
}

static size_t expect(struct authorize_case *c, struct fb_span expected)
{
    size_t bad = 0;
    static void (*const askers[])(const struct authorize_case *, struct fb_buffer *) = {engine_answer, oracle_answer};
    for (int i = 0; i < 2; i++) {
        struct fb_buffer out;
        fb_buffer_init(&out, &fb_heap, 4096);
        askers[i](c, &out);
        if (!fb_span_eq(fb_buffer_span(&out), expected)) {
            print_error("%.*s\n  %s:  %.*s\n  expected %.*s\n", (int)c->name.len, c->name.ptr,
                        i == 0 ? "engine" : "oracle", (int)out.len, out.ptr, (int)expected.len, expected.ptr);
            bad++;
        }
        fb_buffer_release(&out);
    }
    fb_arena_clear(&world.scratch);
    return bad;
}

static void cases(void **state)
{
    (void)state;
    static struct authorize_case c;
    struct fb_span text = world_file(&world, "authorize.case"), line;
    size_t bad = 0, count = 0;
    fb_buffer_init(&c.policies, &fb_heap, 1 << 16);
    while (world_line(&text, &line)) {
        struct fb_span word = world_word(&line);
        if (fb_span_is(word, "case")) {
            fb_buffer_clear(&c.policies);
            c.name = line;
            c.links_count = 0;
            c.program = NULL;
        } else if (fb_span_is(word, "policy")) {
            fb_buffer_add(&c.policies, line);
            fb_buffer_add_char(&c.policies, '\n');
        } else if (fb_span_is(word, "link")) {
            c.links[c.links_count++] = line;
        } else if (fb_span_is(word, "request")) {
            prepare(&c);
            read_request(&c, line);
        } else if (fb_span_is(word, "expect")) {
            bad += expect(&c, line);
            count++;
        }
    }
    fb_buffer_release(&c.policies);
    print_message("%zu requests\n", count);
    assert_true(count > 35);
    assert_int_equal(bad, 0);
}

/* An action below more groups than the index has runs for. */
static void many_action_groups(void **state)
{
    (void)state;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1 << 16);
    fb_buffer_add_z(&text, "[");
    for (int i = 0; i < 40; i++)
        fb_buffer_add_format(&text, "{\"uid\":{\"type\":\"Action\",\"id\":\"g%d\"},\"attrs\":{},\"parents\":"
                             "[{\"type\":\"Action\",\"id\":\"g%d\"}]},", i, i + 1);
    fb_buffer_add_z(&text, "{\"uid\":{\"type\":\"Action\",\"id\":\"g40\"},\"attrs\":{},\"parents\":[]}]");
    struct world groups;
    world_init(&groups);
    world_entities(&groups, fb_buffer_span(&text), NULL);
    fb_buffer_release(&text);
    struct fb_request request = world.request;
    request.entities = &groups.entities;
    request.action = world_uid(&groups, "Action::\"g0\"");
    struct fb_program *program = world_program(&groups, world_policies(&groups, FB_SPAN(
        "permit(principal, action in Action::\"g40\", resource);"
        "permit(principal, action in [Action::\"g1\", Action::\"g39\"], resource);"
        "permit(principal, action in Action::\"g41\", resource);"
        "permit(principal, action == Action::\"g1\", resource);"
        "permit(principal, action == Action::\"g0\", resource);"
        "permit(principal, action, resource);")));
    struct fb_decision d;
    assert_int_equal(fb_decide(program, &request, &groups.scratch, &d), FB_OK);
    static const uint32_t expected[] = {0, 1, 4, 5};
    assert_int_equal(d.permits_count, 4);
    assert_memory_equal(d.permits, expected, sizeof expected);
    world_release(&groups);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(cases), cmocka_unit_test(many_action_groups)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
