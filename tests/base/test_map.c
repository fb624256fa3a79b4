/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "testing.h"

#define MANY 5000

struct fixture {
    char names[MANY][8];
    int values[MANY];
};
static struct fixture fixture;

static struct fb_span name(size_t i)
{
    return fb_span_z(fixture.names[i]);
}

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < MANY; i++)
        (void)snprintf(fixture.names[i], sizeof fixture.names[i], "n%d", i);
    return 0;
}

static void finds_what_was_put(void **state)
{
    (void)state;
    struct fb_arena arena;
    struct fb_map map;
    fb_arena_init(&arena, &fb_heap, 1 << 24);
    fb_map_init(&map, &arena);
    assert_null(fb_map_get(&map, FB_SPAN("n0")));
    for (size_t i = 0; i < MANY; i++) {
        assert_null(fb_map_get(&map, name(i)));
        assert_true(fb_map_put(&map, name(i), &fixture.values[i]));
        assert_int_equal(map.count, i + 1);
    }
    for (size_t i = 0; i < MANY; i++)
        assert_ptr_equal(fb_map_get(&map, name(i)), &fixture.values[i]);
    assert_null(fb_map_get(&map, FB_SPAN("n")));
    assert_null(fb_map_get(&map, FB_SPAN("n5000")));
    assert_null(fb_map_get(&map, FB_SPAN("")));
    fb_arena_release(&arena);
}

static void replaces(void **state)
{
    (void)state;
    struct fb_arena arena;
    struct fb_map map;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    fb_map_init(&map, &arena);
    assert_true(fb_map_put(&map, fb_span(NULL, 0), &fixture.values[0]));
    assert_true(fb_map_put(&map, FB_SPAN(""), &fixture.values[1]));
    assert_true(fb_map_put(&map, FB_SPAN("a\0b"), &fixture.values[2]));
    assert_true(fb_map_put(&map, FB_SPAN("a\0c"), &fixture.values[3]));
    assert_int_equal(map.count, 3);
    assert_ptr_equal(fb_map_get(&map, FB_SPAN("")), &fixture.values[1]);
    assert_ptr_equal(fb_map_get(&map, FB_SPAN("a\0b")), &fixture.values[2]);
    assert_ptr_equal(fb_map_get(&map, FB_SPAN("a\0c")), &fixture.values[3]);
    fb_arena_release(&arena);
}

/* The hash is not made to resist: names that open with the bytes which cancel its first factor all
 * collide.  They are told apart by their bytes. */
static void tells_colliding_names_apart(void **state)
{
    (void)state;
    char names[100][17];
    struct fb_arena arena;
    struct fb_map map;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    fb_map_init(&map, &arena);
    for (size_t i = 0; i < 100; i++) {
        (void)snprintf(names[i], sizeof names[i], "\x3b\xa7\xca\x84\x85\xae\x67\xbb%08zu", i);
        struct fb_span key = fb_span_z(names[i]);
        assert_int_equal(fb_hash(key), fb_hash(fb_span_z(names[0])));
        assert_null(fb_map_get(&map, key));
        assert_true(fb_map_put(&map, key, &fixture.values[i]));
    }
    for (size_t i = 0; i < 100; i++)
        assert_ptr_equal(fb_map_get(&map, fb_span_z(names[i])), &fixture.values[i]);
    fb_arena_release(&arena);
}

/* However many allocations succeed, what was put before is still found. */
static void survives_failing_memory(void **state)
{
    (void)state;
    size_t put = 0;
    for (size_t n = 1; put < MANY; n++) {
        struct failing_allocator memory;
        struct fb_arena arena;
        struct fb_map map;
        failing_init(&memory, n);
        fb_arena_init(&arena, &memory.allocator, SIZE_MAX);
        fb_map_init(&map, &arena);
        for (put = 0; put < MANY && fb_map_put(&map, name(put), &fixture.values[put]); put++)
            continue;
        assert_int_equal(map.count, put);
        for (size_t i = 0; i < put; i++)
            assert_ptr_equal(fb_map_get(&map, name(i)), &fixture.values[i]);
        assert_true(put == MANY || arena.failed);
        fb_arena_release(&arena);
        assert_int_equal(memory.bytes_out, 0);
        assert_int_equal(memory.blocks_out, 0);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(replaces),
        cmocka_unit_test(tells_colliding_names_apart),
        cmocka_unit_test(survives_failing_memory),
    };
    return cmocka_run_group_tests_name("base/map", tests, set_up, NULL);
}
