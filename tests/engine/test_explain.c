/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations: cases/explain.case.  What the engine says is written in the form of the case and the two
 * are compared as texts. */

#include "world.h"

#include "testing.h"

static struct world world;

struct explain_case {
    struct fb_span name;
    struct fb_buffer policies, expected;
    struct fb_program *program;
    struct fb_request request;
    struct fb_unknowns unknowns;
    struct fb_span what;        /* the explain line; empty: none yet */
    size_t checked, bad;
};

static void add_outcomes(struct fb_buffer *out, uint8_t outcomes)
{
    fb_buffer_add_z(out, (outcomes & FB_CAN_TRUE) != 0 ? "T" : "");
    fb_buffer_add_z(out, (outcomes & FB_CAN_FALSE) != 0 ? "F" : "");
    fb_buffer_add_z(out, (outcomes & FB_CAN_ERR) != 0 ? "E" : "");
}

static struct fb_span part_of(const struct fb_policy *policy, struct fb_range range)
{
    assert_true(range.start < range.end && range.end <= policy->source->text.len);
    return fb_span_head(fb_span_from(policy->source->text, range.start), range.end - range.start);
}

static void add_clause(struct fb_buffer *out, const struct fb_policy *policy, const struct fb_clause *clause,
                       bool decisive)
{
    static const char *const parts[] = {"principal", "action", "resource", "when", "unless"};
    fb_buffer_add_format(out, "%sclause %s %s ", decisive ? "* " : "", parts[clause->part],
                         fb_clause_codes[clause->about]);
    add_outcomes(out, clause->outcomes);
    fb_buffer_add_char(out, ' ');
    fb_buffer_add(out, part_of(policy, clause->range));
    fb_buffer_add_char(out, '\n');
    for (uint32_t i = 0; i < clause->values_count; i++) {
        fb_buffer_add_z(out, "value ");
        fb_buffer_add(out, part_of(policy, clause->values[i].range));
        fb_buffer_add_z(out, " = ");
        fb_value_print(out, clause->values[i].value);
        fb_buffer_add_char(out, '\n');
    }
    if (clause->error.len != 0) {
        fb_buffer_add_z(out, "error ");
        fb_buffer_add(out, clause->error);
        fb_buffer_add_char(out, '\n');
    }
}

static void describe(const struct explain_case *c, const struct fb_explanation *x, bool nearest, struct fb_buffer *out)
{
    const struct fb_policy *policy = fb_program_policy(c->program, x->policy);
    fb_buffer_add_z(out, "outcome ");
    add_outcomes(out, x->outcomes);
    fb_buffer_add_format(out, " %u%s\n", (unsigned)x->unmet, x->fits ? "" : " unfit");
    if (nearest) {
        fb_buffer_add_z(out, "policy ");
        fb_buffer_add(out, fb_program_id(c->program, x->policy));
        fb_buffer_add_char(out, '\n');
    }
    for (uint32_t i = 0; i < x->clauses_count; i++)
        add_clause(out, policy, &x->clauses[i], x->decisive == &x->clauses[i]);
}

static uint32_t rule_of(const struct explain_case *c, struct fb_span id)
{
    for (uint32_t i = 0; i < fb_program_count(c->program); i++)
        if (fb_span_eq(fb_program_id(c->program, i), id))
            return i;
    fail_msg("no policy %.*s", (int)id.len, id.ptr);
    return 0;
}

static void ask(const struct explain_case *c, struct fb_buffer *out)
{
    struct fb_span line = c->what, id = world_word(&line), how = world_word(&line);
    struct fb_explanation x;
    bool values = fb_span_is(how, "values"), nearest = fb_span_is(id, "nearest"), found = true;
    if (nearest)
        assert_int_equal(fb_nearest_permit(c->program, &c->request, &c->unknowns, values, &world.scratch, &x, &found),
                         FB_OK);
    else
        assert_int_equal(fb_explain(c->program, rule_of(c, id), &c->request, &c->unknowns, values, &world.scratch, &x),
                         FB_OK);
    if (!found) {
        fb_buffer_add_z(out, "none\n");
    } else if (fb_span_is(how, "classes")) {
        for (uint32_t i = 0; i < x.clauses_count; i++)
            fb_buffer_add_format(out, "about %s\n", fb_clause_codes[x.clauses[i].about]);
    } else {
        describe(c, &x, nearest, out);
    }
}

/* The case's lines up to the next explain are there: compare. */
static void finish(struct explain_case *c)
{
    if (c->what.len == 0)
        return;
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, 1 << 20);
    ask(c, &out);
    c->checked++;
    if (!fb_span_eq(fb_buffer_span(&out), fb_buffer_span(&c->expected))) {
        print_error("%.*s, %.*s\n--- engine\n%.*s--- expected\n%.*s", (int)c->name.len, c->name.ptr,
                    (int)c->what.len, c->what.ptr, (int)out.len, out.ptr, (int)c->expected.len, c->expected.ptr);
        c->bad++;
    }
    fb_buffer_release(&out);
    fb_buffer_clear(&c->expected);
    fb_arena_clear(&world.scratch);
    c->what = (struct fb_span){0, NULL};
}

static const struct fb_uid *next_uid(struct fb_span *line)
{
    const struct fb_uid *uid = fb_uid_parse(&world.arena, world_word(line));
    assert_non_null(uid);
    return uid;
}

static void start_case(struct explain_case *c, struct fb_span name)
{
    finish(c);
    fb_buffer_clear(&c->policies);
    c->name = name;
    c->program = NULL;
    c->unknowns = (struct fb_unknowns){0};
}

static void start_request(struct explain_case *c, struct fb_span line)
{
    finish(c);
    if (c->program == NULL)
        c->program = world_program(&world, world_policies(&world, fb_buffer_span(&c->policies)));
    c->request = world.request;
    c->request.principal = next_uid(&line);
    c->request.action = next_uid(&line);
    c->request.resource = next_uid(&line);
}

/* Several classes may stand on one line. */
static void expect_classes(struct explain_case *c, struct fb_span line)
{
    for (struct fb_span word = world_word(&line); word.len != 0; word = world_word(&line))
        fb_buffer_add_format(&c->expected, "about %.*s\n", (int)word.len, word.ptr);
}

static void cases(void **state)
{
    (void)state;
    static struct explain_case c;
    struct fb_span text = world_file(&world, "explain.case"), whole;
    fb_buffer_init(&c.policies, &fb_heap, 1 << 16);
    fb_buffer_init(&c.expected, &fb_heap, 1 << 16);
    while (world_line(&text, &whole)) {
        struct fb_span line = whole, word = world_word(&line);
        if (word.len == 0 || word.ptr[0] == '#')
            continue;
        if (fb_span_is(word, "case")) {
            start_case(&c, line);
        } else if (fb_span_is(word, "policy") && c.what.len == 0) {
            fb_buffer_add(&c.policies, line);
            fb_buffer_add_char(&c.policies, '\n');
        } else if (fb_span_is(word, "unknown")) {
            c.unknowns.principal = true;
        } else if (fb_span_is(word, "request")) {
            start_request(&c, line);
        } else if (fb_span_is(word, "explain")) {
            finish(&c);
            c.what = line;
        } else if (fb_span_is(word, "about")) {
            expect_classes(&c, line);
        } else {
            fb_buffer_add(&c.expected, whole);
            fb_buffer_add_char(&c.expected, '\n');
        }
    }
    finish(&c);
    fb_buffer_release(&c.policies);
    fb_buffer_release(&c.expected);
    print_message("%zu explanations\n", c.checked);
    assert_true(c.checked > 15);
    assert_int_equal(c.bad, 0);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(cases)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
