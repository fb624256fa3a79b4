/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

/* Memory that runs out at the Nth request, for every N: each operation then says so, gives back what
 * it took, and nothing is left half done. */

static const char json[] =
    "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"s\":[1,2,[3]],\"r\":{\"x\":\"\\u00e9\"},\"a0\":0,\"a1\":1,\"a2\":2,"
    "\"a3\":3,\"a4\":4,\"a5\":5,\"a6\":6,\"a7\":7,\"a8\":8,\"a9\":9,\"b0\":0,\"b1\":1,\"b2\":2,\"b3\":3,\"b4\":4,\"b5\":5,"
    "\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}},\"e\":{\"__entity\":{\"type\":\"U\",\"id\":\"b\"}}},"
    "\"parents\":[{\"type\":\"G\",\"id\":\"1\"},{\"type\":\"G\",\"id\":\"2\"}],\"tags\":{\"k\":true}},"
    "{\"uid\":{\"type\":\"G\",\"id\":\"1\"},\"attrs\":{},\"parents\":[{\"type\":\"G\",\"id\":\"3\"}]},"
    "{\"uid\":{\"type\":\"G\",\"id\":\"2\"},\"attrs\":{},\"parents\":[{\"type\":\"G\",\"id\":\"3\"}]}]";

/* Reads, closes, encodes, checks, prints.  False as soon as something is refused. */
static bool everything(const struct fb_allocator *allocator, struct fb_arena *reports)
{
    struct fb_source source = {FB_SPAN("x"), FB_SPAN(json)};
    struct bench bench;
    bench_init(&bench, allocator);
    struct fb_diags diags;
    fb_diags_init(&diags, reports);
    struct fb_entity_set *set = fb_entity_set_new(&bench.arena);
    bool done = set != NULL && fb_entity_set_read_json(set, &source, NULL, &diags) && fb_entity_set_close(set, &diags);
    if (set != NULL && !done) {
        assert_true(diags.errors != 0);
        if (strstr(diags.list[0].code, ".memory") == NULL)
            fail_msg("%s", diags.list[0].code);
    }
    for (size_t i = 0; done && i < fb_entity_set_count(set); i++) {
        struct fb_entity entity;
        fb_entity_set_at(set, i, &entity);
        struct fb_entity_parts parts = {.uid = entity.uid,
                                        .attrs = fb_value_of_record(entity.attrs),
                                        .tags = fb_value_of_record(entity.tags)};
        const struct fb_entity_block *block = fb_entity_encode(&bench.arena, &parts);
        done = block != NULL && fb_entity_check(fb_span((const char *)block, block->length), true, &entity);
        if (done)
            fb_entity_print_json(&bench.out, &entity);
        done = done && !bench.out.failed;
    }
    done = done && fb_uid_parse(&bench.arena, FB_SPAN("U::\"\\u{e9}\"")) != NULL;
    bench_release(&bench);
    return done;
}

static void fails_at_every_allocation(void **state)
{
    (void)state;
    struct fb_arena reports;
    fb_arena_init(&reports, &fb_heap, 1u << 20);
    size_t n = 1;
    for (bool done = false; !done; n++) {
        struct failing_allocator failing;
        failing_init(&failing, n);
        done = everything(&failing.allocator, &reports);
        assert_int_equal(failing.blocks_out, 0);
        assert_int_equal(failing.bytes_out, 0);
        assert_true(!done || failing.calls < n);
        fb_arena_clear(&reports);
    }
    assert_true(n > 5);
    fb_arena_release(&reports);
}

/* The same by the arena's own ceiling, which fails at every step of a block too. */
static void fails_at_every_ceiling(void **state)
{
    (void)state;
    struct fb_source source = {FB_SPAN("x"), FB_SPAN(json)};
    size_t fewest = 0;
    for (size_t ceiling = 0; fewest == 0; ceiling += 64) {
        struct fb_arena arena, reports;
        struct fb_diags diags;
        fb_arena_init(&arena, &fb_heap, ceiling);
        fb_arena_init(&reports, &fb_heap, 1u << 20);
        fb_diags_init(&diags, &reports);
        struct fb_entity_set *set = fb_entity_set_new(&arena);
        bool done = set != NULL && fb_entity_set_read_json(set, &source, NULL, &diags) && fb_entity_set_close(set, &diags);
        if (set != NULL && !done) {
            assert_true(diags.errors != 0);
            assert_non_null(strstr(diags.list[0].code, ".memory"));
        }
        if (done) {
            fewest = ceiling;
            assert_int_equal(fb_entity_set_count(set), 3);
        }
        fb_arena_release(&arena);
        fb_arena_release(&reports);
    }
    assert_true(fewest > 1000 && fewest < 100000);
}

/* After a failed addition the set stands as before. */
static void keeps_the_set_sound(void **state)
{
    (void)state;
    for (size_t ceiling = 256; ceiling < 20000; ceiling += 16) {
        struct bench bench;
        struct fb_arena arena;
        bench_init(&bench, &fb_heap);
        fb_arena_init(&arena, &fb_heap, ceiling);
        struct fb_entity_set *set = fb_entity_set_new(&arena);
        const struct fb_uid *group = uid_of(&bench, "G::\"g\"");
        struct fb_entity_parts parts = {.attrs = value_of(&bench, "{\"x\":[1,2,3]}"),
                                        .tags = fb_value_of_record(&fb_record_empty),
                                        .parents = &group,
                                        .parents_count = 1};
        size_t added = 0;
        for (int i = 0; set != NULL && i < 60; i++) {
            parts.uid = fb_uid_new(&bench.arena, FB_SPAN("U"), fb_arena_format(&bench.arena, "%d", i));
            added += fb_entity_set_add(set, &parts);
        }
        struct fb_entities source = {0};
        if (set != NULL) {
            assert_int_equal(fb_entity_set_count(set), added);
            source = fb_entity_set_source(set);
        }
        size_t found = 0;
        for (int i = 0; set != NULL && i < 60; i++) {
            struct fb_entity entity;
            const struct fb_uid *uid = fb_uid_new(&bench.arena, FB_SPAN("U"), fb_arena_format(&bench.arena, "%d", i));
            if (source.find(source.self, uid, &entity) == FB_FOUND) {
                found++;
                assert_true(fb_value_eq(fb_value_of_record(entity.attrs), parts.attrs));
                assert_true(fb_refs_contain(entity.parents, group));
            }
        }
        assert_int_equal(found, added);
        fb_arena_release(&arena);
        bench_release(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fails_at_every_allocation),
        cmocka_unit_test(fails_at_every_ceiling),
        cmocka_unit_test(keeps_the_set_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
