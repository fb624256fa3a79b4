/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

/* Policies: their parts, ids, templates and links. */

static void read_into(struct bench *bench, struct fb_policy_set *set, const char *text)
{
    if (!fb_policy_set_read(set, source_of(bench, fb_span_z(text)), &bench->diags))
        fail_msg("%s", diags_text(bench));
}

static void has_all_parts(void **state)
{
    static const char text[] =
        "@id(\"one\") @note\n"
        "forbid (principal is NS::User in NS::Group::\"g\", action in [Action::\"a\", N::Action::\"b\"],\n"
        "        resource == R::\"r\") when { true } unless { false } when { principal.x };";
    struct bench *bench = *state;
    struct fb_policy_set set;
    fb_policy_set_init(&set, &bench->arena);
    read_into(bench, &set, text);
    assert_int_equal(set.count, 1);
    const struct fb_policy *policy = set.policies[0];
    assert_int_equal(policy->effect, FB_FORBID);
    assert_false(policy->is_template);
    assert_int_equal(policy->annotations_count, 2);
    assert_span(fb_policy_annotation(policy, "id")->value, "one");
    assert_true(fb_policy_annotation(policy, "id")->has_value);
    assert_false(fb_policy_annotation(policy, "note")->has_value);
    assert_null(fb_policy_annotation(policy, "i"));
    assert_int_equal(policy->principal.op, FB_SCOPE_IS_IN);
    assert_span(policy->principal.type, "NS::User");
    assert_span(fb_uid_type(policy->principal.uid), "NS::Group");
    assert_int_equal(policy->action.op, FB_SCOPE_IN_LIST);
    assert_int_equal(policy->action.count, 2);
    assert_span(fb_uid_type(policy->action.list[1]), "N::Action");
    assert_int_equal(policy->resource.op, FB_SCOPE_EQ);
    assert_span(fb_uid_id(policy->resource.uid), "r");
    assert_int_equal(policy->conditions_count, 3);
    assert_true(policy->conditions[1].unless);
    assert_false(policy->conditions[2].unless);
    assert_span(fb_span(text + policy->range.start, policy->range.end - policy->range.start), text);
    struct fb_range scope = policy->resource.range, condition = policy->conditions[1].range;
    assert_span(fb_span(text + scope.start, scope.end - scope.start), "resource == R::\"r\"");
    assert_span(fb_span(text + condition.start, condition.end - condition.start), "unless { false }");
    assert_span(fb_span(text + policy->effect_range.start, 6), "forbid");
}

static void reads_every_scope(void **state)
{
    static const struct {
        const char *scope;
        enum fb_scope_op principal, action, resource;
    } rows[] = {
        {"principal, action, resource", FB_SCOPE_ANY, FB_SCOPE_ANY, FB_SCOPE_ANY},
        {"principal == A::\"a\", action == Action::\"a\", resource == A::\"a\"", FB_SCOPE_EQ, FB_SCOPE_EQ, FB_SCOPE_EQ},
        {"principal in A::\"a\", action in Action::\"a\", resource in A::\"a\"", FB_SCOPE_IN, FB_SCOPE_IN, FB_SCOPE_IN},
        {"principal is A, action in [], resource is B", FB_SCOPE_IS, FB_SCOPE_IN_LIST, FB_SCOPE_IS},
        {"principal is A in A::\"a\", action, resource is B in ?resource", FB_SCOPE_IS_IN, FB_SCOPE_ANY,
         FB_SCOPE_IS_IN},
        {"principal in ?principal, action, resource", FB_SCOPE_IN, FB_SCOPE_ANY, FB_SCOPE_ANY},
        {"principal == ?principal, action, resource == ?resource", FB_SCOPE_EQ, FB_SCOPE_ANY, FB_SCOPE_EQ},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fb_policy_set set;
        fb_policy_set_init(&set, &bench->arena);
        struct fb_span text = repeated(bench, "permit (", rows[i].scope, 1, ");");
        assert_true(fb_policy_set_read(&set, source_of(bench, text), &bench->diags));
        const struct fb_policy *policy = set.policies[0];
        assert_int_equal(policy->principal.op, rows[i].principal);
        assert_int_equal(policy->action.op, rows[i].action);
        assert_int_equal(policy->resource.op, rows[i].resource);
        assert_int_equal(policy->is_template, strchr(rows[i].scope, '?') != NULL);
        assert_int_equal(policy->principal.slot, strstr(rows[i].scope, "?principal") != NULL);
        fb_buffer_clear(&bench->out);
        fb_policy_print(&bench->out, policy);
        assert_true(fb_span_eq(fb_buffer_span(&bench->out), text));
    }
}

/* Positions run through all sources, and count policies with faults too. */
static void numbers_policies(void **state)
{
    struct bench *bench = *state;
    struct fb_policy_set set;
    fb_policy_set_init(&set, &bench->arena);
    read_into(bench, &set, "permit(principal, action, resource); permit(principal in ?principal, action, resource);");
    struct fb_span faulty =
        FB_SPAN("forbid(principal, action, resource) when { x };\nforbid(principal, action, resource);");
    assert_false(fb_policy_set_read(&set, source_of(bench, faulty), &bench->diags));
    read_into(bench, &set, "");
    read_into(bench, &set, "permit(principal, action, resource);");
    assert_int_equal(set.count, 4);
    static const char *const ids[] = {"policy0", "policy1", "policy3", "policy4"};
    for (size_t i = 0; i < 4; i++) {
        assert_span(set.policies[i]->id, ids[i]);
        assert_ptr_equal(fb_policy_set_find(&set, fb_span_z(ids[i])), set.policies[i]);
    }
    assert_null(fb_policy_set_find(&set, FB_SPAN("policy2")));
    assert_int_equal(set.policies[2]->position, 3);
}

/* A list of diagnostics that other texts have filled hides no fault, and no policy. */
static void reads_on_with_a_full_list(void **state)
{
    struct bench *bench = *state;
    struct fb_policy_set set;
    fb_policy_set_init(&set, &bench->arena);
    struct fb_span faulty = repeated(bench, "", "permit(principal, action, resource) when { x };", FB_DIAGS_LIMIT + 9, "");
    assert_false(fb_policy_set_read(&set, source_of(bench, faulty), &bench->diags));
    assert_int_equal(bench->diags.count, FB_DIAGS_LIMIT);
    assert_int_equal(set.count, 0);
    read_into(bench, &set, "permit(principal, action, resource); permit(principal, action, resource);");
    assert_int_equal(set.count, 2);
    assert_false(fb_policy_set_read(&set, source_of(bench, FB_SPAN("permit();")), &bench->diags));
}

static void renames_by_annotation(void **state)
{
    struct bench *bench = *state;
    struct fb_policy_set set;
    fb_policy_set_init(&set, &bench->arena);
    read_into(bench, &set,
              "@id(\"a\") permit(principal, action, resource); permit(principal, action, resource);"
              "@id(\"b\\u{63}\") permit(principal == ?principal, action, resource);");
    assert_true(fb_policy_set_rename(&set, &bench->diags));
    assert_span(set.policies[0]->id, "a");
    assert_span(set.policies[1]->id, "policy1");
    assert_span(set.policies[2]->id, "bc");
    assert_ptr_equal(fb_policy_set_find(&set, FB_SPAN("a")), set.policies[0]);
    assert_null(fb_policy_set_find(&set, FB_SPAN("policy0")));
}

static void refuses_equal_ids(void **state)
{
    static const char *const texts[] = {
        "@id(\"a\") permit(principal, action, resource); @id(\"a\") forbid(principal, action, resource);",
        "@id(\"policy1\") permit(principal, action, resource); forbid(principal, action, resource);",
        "@id permit(principal, action, resource); @id(\"\") forbid(principal, action, resource);",
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct fb_policy_set set;
        fb_diags_init(&bench->diags, &bench->arena);
        fb_policy_set_init(&set, &bench->arena);
        read_into(bench, &set, texts[i]);
        assert_false(fb_policy_set_rename(&set, &bench->diags));
        assert_string_equal(first_code(bench), "policy.duplicate_id");
        assert_non_null(bench->diags.list[0].other);
    }
}

static void links_templates(void **state)
{
    static const struct {
        const char *template_, *id;
        bool principal, resource;
        const char *error;
    } rows[] = {
        {"both", "link1", true, true, NULL},
        {"one", "link2", true, false, NULL},
        {"both", "link1", true, true, "the id of the link is taken"},
        {"both", "static", true, true, "the id of the link is taken"},
        {"both", "one", true, true, "the id of the link is taken"},
        {"both", "l", true, false, "the slot ?resource needs a value"},
        {"both", "l", false, true, "the slot ?principal needs a value"},
        {"one", "l", true, true, "the template has no slot ?resource"},
        {"static", "l", false, false, "the policy has no slot, so it cannot be linked"},
        {"link1", "l", true, true, "there is no policy of that id"},
        {"none", "l", true, true, "there is no policy of that id"},
    };
    struct bench *bench = *state;
    struct fb_policy_set set;
    fb_policy_set_init(&set, &bench->arena);
    read_into(bench, &set,
              "@id(\"both\") permit(principal in ?principal, action, resource is R in ?resource);"
              "@id(\"one\") permit(principal == ?principal, action, resource);"
              "@id(\"static\") permit(principal, action, resource);");
    assert_true(fb_policy_set_rename(&set, &bench->diags));
    const struct fb_uid *uid = fb_uid_new(&bench->arena, FB_SPAN("U"), FB_SPAN("u"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *error = "not set";
        const struct fb_link *link = fb_policy_set_link(&set, fb_span_z(rows[i].template_), fb_span_z(rows[i].id),
                                                        rows[i].principal ? uid : NULL, rows[i].resource ? uid : NULL,
                                                        &error);
        assert_int_equal(link != NULL, rows[i].error == NULL);
        if (link == NULL)
            assert_string_equal(error, rows[i].error);
        else
            assert_span(link->id, rows[i].id);
    }
    assert_int_equal(set.links_count, 2);
    assert_ptr_equal(set.links[0]->template_, fb_policy_set_find(&set, FB_SPAN("both")));
}

static void compares_policies(void **state)
{
    static const char text[] =
        "permit(principal, action, resource); forbid(principal, action, resource);"
        "permit(principal == A::\"a\", action, resource); permit(principal in A::\"a\", action, resource);"
        "permit(principal == ?principal, action, resource); permit(principal is A, action, resource);"
        "permit(principal is B, action, resource); permit(principal, action in [], resource);"
        "permit(principal, action in [Action::\"a\"], resource); permit(principal, action in [Action::\"b\"], "
        "resource);"
        "permit(principal, action == Action::\"a\", resource); permit(principal, action, resource == A::\"a\");"
        "@a permit(principal, action, resource); @a(\"\") permit(principal, action, resource);"
        "@a(\"b\") permit(principal, action, resource); @b(\"b\") permit(principal, action, resource);"
        "permit(principal, action, resource) when { true }; permit(principal, action, resource) unless { true };"
        "permit(principal, action, resource) when { true } when { true };";
    struct bench *bench = *state;
    struct fb_policy_set set, same;
    fb_policy_set_init(&set, &bench->arena);
    fb_policy_set_init(&same, &bench->arena);
    read_into(bench, &set, text);
    fb_buffer_clear(&bench->out);
    for (size_t i = 0; i < set.count; i++)
        fb_policy_print(&bench->out, set.policies[i]);
    assert_true(fb_policy_set_read(&same, source_of(bench, fb_buffer_span(&bench->out)), &bench->diags));
    assert_int_equal(set.count, same.count);
    for (size_t i = 0; i < set.count; i++)
        for (size_t j = 0; j < set.count; j++)
            assert_int_equal(fb_policy_eq(set.policies[i], same.policies[j]), i == j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(has_all_parts), BENCH_TEST(reads_every_scope), BENCH_TEST(numbers_policies), BENCH_TEST(reads_on_with_a_full_list),
        BENCH_TEST(renames_by_annotation), BENCH_TEST(refuses_equal_ids), BENCH_TEST(links_templates),
        BENCH_TEST(compares_policies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
