/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

/* A hierarchy in a few words: "a>b,c b>d": a is in b and c, b is in d.  Only what stands before a '>'
 * is an entity; the others are mentioned. */
static struct fb_entity_set *draw(struct bench *bench, const char *text)
{
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    char *copy = strdup(text), *rest = copy;
    for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
        const struct fb_uid *parents[16];
        struct fb_entity_parts parts = {.attrs = fb_value_of_record(&fb_record_empty),
                                        .tags = fb_value_of_record(&fb_record_empty),
                                        .parents = parents};
        char *list = strchr(word, '>');
        *list++ = '\0';
        parts.uid = fb_uid_new(&bench->arena, FB_SPAN("G"), fb_span_z(word));
        for (char *name; (name = strtok_r(list, ",", &list)) != NULL;)
            parents[parts.parents_count++] = fb_uid_new(&bench->arena, FB_SPAN("G"), fb_span_z(name));
        assert_true(fb_entity_set_add(set, &parts));
    }
    free(copy);
    return set;
}

static const struct fb_uid *node(struct bench *bench, const char *name)
{
    return fb_uid_new(&bench->arena, FB_SPAN("G"), fb_span_z(name));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The ids of a list, sorted, joined by commas. */
static const char *names(struct bench *bench, struct fb_refs refs)
{
    char *list[64];
    assert_true(refs.count <= 64);
    for (uint32_t i = 0; i < refs.count; i++) {
        const struct fb_uid *uid = fb_ref_uid(&refs.refs[i]);
        assert_int_equal(refs.refs[i].hash, uid->hash);
        assert_true(i == 0 || refs.refs[i - 1].hash < uid->hash);
        list[i] = fb_arena_text(&bench->arena, fb_uid_id(uid));
    }
    if (refs.count > 1)
        qsort(list, refs.count, sizeof list[0], by_text);
    fb_buffer_clear(&bench->out);
    for (uint32_t i = 0; i < refs.count; i++)
        fb_buffer_add_format(&bench->out, "%s%s", i != 0 ? "," : "", list[i]);
    return refs.count != 0 ? bench->out.ptr : "";
}

static void finds_ancestors(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *drawing, *of, *ancestors, *open;
        bool closed;
    } rows[] = {
        {"a>", "a", "", "", true},
        {"a>b b>", "a", "b", "", true},
        {"b> a>b", "a", "b", "", true},
        {"a>b b>c c>d d>", "a", "b,c,d", "", true},
        {"d> c>d b>c a>b", "a", "b,c,d", "", true},
        {"a>b,c b>d c>d d>", "a", "b,c,d", "", true},
        {"a>b,c,d b>c c>d d>", "a", "b,c,d", "", true},
        {"a>d,c,b b>c c>d d>", "b", "c,d", "", true},
        {"a>b,b b>", "a", "b", "", true},
        {"a>b,c b>d,e c>e,f d>g e>g,h f>h g>i h>i i>", "a", "b,c,d,e,f,g,h,i", "", true},
        {"a>b,c b>d,e c>e,f d>g e>g,h f>h g>i h>i i>", "e", "g,h,i", "", true},
        /* Parents that are not there are ancestors, and open. */
        {"a>b", "a", "b", "b", false},
        {"a>b b>c", "a", "b,c", "c", false},
        {"a>b,x b>c,y c>", "a", "b,c,x,y", "x,y", false},
        {"a>b,x b>c,y c>", "b", "c,y", "y", false},
        {"a>b,x b>c,y c>", "c", "", "", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_entity_set *set = draw(bench, rows[i].drawing);
        assert_true(fb_entity_set_close(set, &bench->diags));
        struct fb_entities source = fb_entity_set_source(set);
        struct fb_entity entity;
        assert_int_equal(source.find(source.self, node(bench, rows[i].of), &entity), FB_FOUND);
        if (strcmp(names(bench, entity.ancestors), rows[i].ancestors) != 0)
            fail_msg("%s: %s has %s", rows[i].drawing, rows[i].of, bench->out.ptr);
        assert_string_equal(names(bench, entity.open), rows[i].open);
        assert_int_equal(entity.closed, rows[i].closed);
    }
}

static void answers_in(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *drawing, *uid, *group;
        bool in;
    } rows[] = {
        {"a>b b>c c>", "a", "a", true},  {"a>b b>c c>", "a", "b", true},   {"a>b b>c c>", "a", "c", true},
        {"a>b b>c c>", "b", "a", false}, {"a>b b>c c>", "c", "a", false},  {"a>b b>c c>", "a", "d", false},
        {"a>b b>c c>", "x", "x", true},  {"a>b b>c c>", "x", "a", false},  {"a>b b>x", "a", "x", true},
        {"a>b b>x", "x", "a", false},    {"a>b,c b>d c>d d>", "a", "d", true}, {"a>x,y", "a", "y", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int closed = 0; closed < 2; closed++) {
            struct fb_entity_set *set = draw(bench, rows[i].drawing);
            assert_true(!closed || fb_entity_set_close(set, &bench->diags));
            struct fb_entities source = fb_entity_set_source(set);
            enum fb_found in = fb_entity_in(&source, node(bench, rows[i].uid), node(bench, rows[i].group));
            if (in != (rows[i].in ? FB_FOUND : FB_ABSENT))
                fail_msg("%s: %s in %s: %d", rows[i].drawing, rows[i].uid, rows[i].group, in);
        }
}

static void names_cycles(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *drawing, *message;
    } rows[] = {
        {"a>a", "the hierarchy has a cycle: G::\"a\" in G::\"a\""},
        {"a>b b>a", "the hierarchy has a cycle: G::\"a\" in G::\"b\" in G::\"a\""},
        {"x>a a>b b>c c>a", "the hierarchy has a cycle: G::\"a\" in G::\"b\" in G::\"c\" in G::\"a\""},
        {"a>d,b d> b>c c>d,b", "the hierarchy has a cycle: G::\"b\" in G::\"c\" in G::\"b\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_diags diags;
        fb_diags_init(&diags, &bench->arena);
        assert_false(fb_entity_set_close(draw(bench, rows[i].drawing), &diags));
        assert_int_equal(diags.count, 1);
        assert_string_equal(diags.list[0].code, "entity.cycle");
        assert_span(diags.list[0].message, rows[i].message);
    }
    /* Two cycles are two faults. */
    assert_false(fb_entity_set_close(draw(bench, "a>b b>a c>d d>c"), &bench->diags));
    assert_int_equal(bench->diags.count, 2);
}

static void names_cycles_at_their_place(void **state)
{
    struct bench *bench = *state;
    static const char json[] = "[{\"uid\":{\"type\":\"G\",\"id\":\"a\"},\"attrs\":{},\"parents\":[{\"type\":\"G\",\"id\":\"b\"}]},\n"
                               " {\"uid\":{\"type\":\"G\",\"id\":\"b\"},\"attrs\":{},\"parents\":[{\"type\":\"G\",\"id\":\"a\"}]}]";
    struct fb_source source = {FB_SPAN("entities.json"), FB_SPAN(json)};
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    assert_true(fb_entity_set_read_json(set, &source, NULL, &bench->diags));
    assert_false(fb_entity_set_close(set, &bench->diags));
    assert_ptr_equal(bench->diags.list[0].source, &source);
    assert_int_equal(bench->diags.list[0].range.start, 8);
    assert_int_equal(bench->diags.list[0].range.end, 29);
}

/* Faults that stood there before are not its own. */
static void counts_its_own_faults(void **state)
{
    struct bench *bench = *state;
    (void)fb_diag_add(&bench->diags, FB_ERROR, "other.fault", NULL, (struct fb_range){0}, "another");
    struct fb_entity_set *set = draw(bench, "a>b b>c c>");
    assert_true(fb_entity_set_close(set, &bench->diags));
    struct fb_entity entity;
    fb_entity_set_at(set, 0, &entity);
    assert_int_equal(entity.ancestors.count, 2);
}

/* A chain; `ring` joins its end to its start. */
static struct fb_entity_set *chain(struct bench *bench, int length, bool ring, bool from_top)
{
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    for (int n = 0; n < length; n++) {
        int i = from_top ? length - 1 - n : n;
        const struct fb_uid *parent = fb_uid_new(&bench->arena, FB_SPAN("G"), fb_arena_format(&bench->arena, "%d", (i + 1) % length));
        struct fb_entity_parts parts = {.attrs = fb_value_of_record(&fb_record_empty),
                                        .tags = fb_value_of_record(&fb_record_empty),
                                        .parents = &parent,
                                        .parents_count = ring || i + 1 < length};
        parts.uid = fb_uid_new(&bench->arena, FB_SPAN("G"), fb_arena_format(&bench->arena, "%d", i));
        assert_true(fb_entity_set_add(set, &parts));
    }
    return set;
}

static void closes_long_chains(void **state)
{
    struct bench *bench = *state;
    for (int from_top = 0; from_top < 2; from_top++) {
        struct fb_entity_set *set = chain(bench, 2000, false, from_top);
        assert_true(fb_entity_set_close(set, &bench->diags));
        struct fb_entities source = fb_entity_set_source(set);
        for (int i = 0; i < 2000; i += 37) {
            struct fb_entity entity;
            const struct fb_uid *uid = fb_uid_new(&bench->arena, FB_SPAN("G"), fb_arena_format(&bench->arena, "%d", i));
            assert_int_equal(source.find(source.self, uid, &entity), FB_FOUND);
            assert_int_equal(entity.ancestors.count, 1999 - i);
            assert_int_equal(fb_entity_in(&source, uid, node(bench, "1998")), i <= 1998 ? FB_FOUND : FB_ABSENT);
            assert_int_equal(fb_entity_in(&source, uid, node(bench, "0")), i == 0 ? FB_FOUND : FB_ABSENT);
        }
    }
}

/* Ten thousand deep: fifty million ancestors.  Refused with its reason, not with the machine's
 * memory, and without a deep stack. */
static void has_a_ceiling(void **state)
{
    struct bench *bench = *state;
    assert_false(fb_entity_set_close(chain(bench, 10000, false, false), &bench->diags));
    assert_int_equal(bench->diags.count, 1);
    assert_string_equal(bench->diags.list[0].code, "entity.closure_too_large");
}

static void names_long_cycles(void **state)
{
    struct bench *bench = *state;
    assert_false(fb_entity_set_close(chain(bench, 10000, true, false), &bench->diags));
    assert_int_equal(bench->diags.count, 1);
    assert_string_equal(bench->diags.list[0].code, "entity.cycle");
    char *message = fb_arena_text(&bench->arena, bench->diags.list[0].message);
    assert_non_null(strstr(message, "G::\"0\" in G::\"1\" in "));
    assert_non_null(strstr(message, "(9968 more) in G::\"0\""));
}

/* One group with ten thousand members, and one member of three thousand groups. */
static void closes_wide_hierarchies(void **state)
{
    struct bench *bench = *state;
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    const struct fb_uid *groups[3000];
    struct fb_entity_parts parts = {.attrs = fb_value_of_record(&fb_record_empty),
                                    .tags = fb_value_of_record(&fb_record_empty)};
    for (int i = 0; i < 3000; i++) {
        groups[i] = fb_uid_new(&bench->arena, FB_SPAN("G"), fb_arena_format(&bench->arena, "%d", i));
        parts.uid = groups[i];
        assert_true(fb_entity_set_add(set, &parts));
    }
    parts.parents = groups;
    for (int i = 0; i < 10000; i++) {
        parts.uid = fb_uid_new(&bench->arena, FB_SPAN("U"), fb_arena_format(&bench->arena, "%d", i));
        parts.parents_count = i == 0 ? 3000 : 1;
        assert_true(fb_entity_set_add(set, &parts));
    }
    assert_true(fb_entity_set_close(set, &bench->diags));
    struct fb_entities source = fb_entity_set_source(set);
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(fb_entity_in(&source, uid_of(bench, "U::\"0\""), groups[i]), FB_FOUND);
        assert_int_equal(fb_entity_in(&source, uid_of(bench, "U::\"1\""), groups[i]), i == 0 ? FB_FOUND : FB_ABSENT);
    }
}

/* Random graphs without cycles against a matrix that Warshall closes. */
static void agrees_with_a_matrix(void **state)
{
    struct bench *bench = *state;
    uint32_t random = 12345;
    for (int round = 0; round < 200; round++) {
        enum { N = 24 };
        bool in[N][N] = {{false}}, is_entity[N];
        struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
        const struct fb_uid *uids[N], *parents[N];
        for (int i = 0; i < N; i++)
            uids[i] = fb_uid_new(&bench->arena, FB_SPAN("G"), fb_arena_format(&bench->arena, "%d", i));
        for (int i = N; i-- != 0;) {
            struct fb_entity_parts parts = {.uid = uids[i],
                                            .attrs = fb_value_of_record(&fb_record_empty),
                                            .tags = fb_value_of_record(&fb_record_empty),
                                            .parents = parents};
            random = random * 1664525u + 1013904223u;
            is_entity[i] = random >> 29 != 0;
            for (int j = i + 1; is_entity[i] && j < N; j++) {
                random = random * 1664525u + 1013904223u;
                if (random >> 28 < 3) {
                    parents[parts.parents_count++] = uids[j];
                    in[i][j] = true;
                }
            }
            if (is_entity[i])
                assert_true(fb_entity_set_add(set, &parts));
        }
        for (int k = 0; k < N; k++)
            for (int i = 0; i < N; i++)
                for (int j = 0; j < N; j++)
                    in[i][j] = in[i][j] || (in[i][k] && in[k][j]);
        if (round % 2 == 0)
            assert_true(fb_entity_set_close(set, &bench->diags));
        struct fb_entities source = fb_entity_set_source(set);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                assert_int_equal(fb_entity_in(&source, uids[i], uids[j]), in[i][j] || i == j ? FB_FOUND : FB_ABSENT);
                struct fb_entity entity;
                if (round % 2 == 0 && source.find(source.self, uids[i], &entity) == FB_FOUND)
                    assert_int_equal(fb_refs_contain(entity.ancestors, uids[j]), in[i][j]);
            }
    }
}

/* Sources one upon the other, each asked in turn, as the engine stacks them. */
struct stack {
    struct fb_entities sources[2];
    int broken;     /* the source that cannot say; -1: none */
};

static enum fb_found find_in_stack(const void *self, const struct fb_uid *uid, struct fb_entity *entity)
{
    const struct stack *stack = self;
    for (int i = 0; i < 2; i++) {
        if (i == stack->broken)
            return FB_BROKEN;
        if (stack->sources[i].find(stack->sources[i].self, uid, entity) == FB_FOUND)
            return FB_FOUND;
    }
    return FB_ABSENT;
}

/* A token's principal names groups that another source knows. */
static void goes_on_in_another_source(void **state)
{
    struct bench *bench = *state;
    struct fb_entity_set *token = draw(bench, "user>role,ghost"), *store = draw(bench, "role>staff staff>all all> ghost>");
    assert_true(fb_entity_set_close(token, &bench->diags));
    assert_true(fb_entity_set_close(store, &bench->diags));
    struct stack stack = {{fb_entity_set_source(token), fb_entity_set_source(store)}, -1};
    struct fb_entities all = {.find = find_in_stack, .self = &stack};
    const struct fb_uid *user = node(bench, "user");
    assert_int_equal(fb_entity_in(&all, user, node(bench, "role")), FB_FOUND);
    assert_int_equal(fb_entity_in(&all, user, node(bench, "all")), FB_FOUND);
    assert_int_equal(fb_entity_in(&all, user, node(bench, "other")), FB_ABSENT);
    stack.broken = 1;
    assert_int_equal(fb_entity_in(&all, user, node(bench, "role")), FB_FOUND);
    assert_int_equal(fb_entity_in(&all, user, node(bench, "all")), FB_BROKEN);
    stack.broken = 0;
    assert_int_equal(fb_entity_in(&all, user, node(bench, "role")), FB_BROKEN);
    assert_int_equal(fb_entity_in(&all, user, user), FB_FOUND);
}

/* Two sources may close a cycle that neither sees; and nobody may have closed a set at all. */
static void ends_in_cycles_and_depths(void **state)
{
    struct bench *bench = *state;
    struct fb_entity_set *one = draw(bench, "a>b"), *two = draw(bench, "b>a");
    assert_true(fb_entity_set_close(one, &bench->diags));
    assert_true(fb_entity_set_close(two, &bench->diags));
    struct stack stack = {{fb_entity_set_source(one), fb_entity_set_source(two)}, -1};
    struct fb_entities all = {.find = find_in_stack, .self = &stack};
    assert_int_equal(fb_entity_in(&all, node(bench, "a"), node(bench, "x")), FB_BROKEN);
    assert_int_equal(fb_entity_in(&all, node(bench, "a"), node(bench, "b")), FB_FOUND);
    struct fb_entities ring = fb_entity_set_source(draw(bench, "a>b,c b>a,c c>a,b"));
    assert_int_equal(fb_entity_in(&ring, node(bench, "a"), node(bench, "x")), FB_BROKEN);
    struct fb_entities deep = fb_entity_set_source(chain(bench, 1000, false, false));
    assert_int_equal(fb_entity_in(&deep, node(bench, "0"), node(bench, "60")), FB_FOUND);
    assert_int_equal(fb_entity_in(&deep, node(bench, "0"), node(bench, "999")), FB_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(finds_ancestors),       BENCH_TEST(answers_in),
        BENCH_TEST(names_cycles),          BENCH_TEST(names_cycles_at_their_place),
        BENCH_TEST(counts_its_own_faults), BENCH_TEST(closes_long_chains),
        BENCH_TEST(has_a_ceiling),         BENCH_TEST(names_long_cycles),
        BENCH_TEST(closes_wide_hierarchies), BENCH_TEST(agrees_with_a_matrix),
        BENCH_TEST(goes_on_in_another_source), BENCH_TEST(ends_in_cycles_and_depths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
