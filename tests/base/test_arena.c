/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "testing.h"

static void gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 1 << 24);
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < 3000; size += 7) {
            char *piece = fb_arena_alloc(&arena, size);
            assert_non_null(piece);
            assert_int_equal((uintptr_t)piece % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(piece[i], 0);
            memset(piece, 0x5A, size);
        }
        fb_arena_clear(&arena);
    }
    fb_arena_release(&arena);
}

static void keeps_pieces_apart(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    struct fb_arena arena;
    struct fb_span *pieces[COUNT];
    fb_arena_init(&arena, &fb_heap, 1 << 24);
    for (size_t i = 0; i < COUNT; i++) {
        pieces[i] = fb_arena_alloc(&arena, sizeof **pieces);
        char *bytes = fb_arena_alloc(&arena, i % 300);
        memset(bytes, (int)(i % 256), i % 300);
        *pieces[i] = fb_span(bytes, i % 300);
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < pieces[i]->len; j++)
            assert_int_equal((unsigned char)pieces[i]->ptr[j], i % 256);
    }
    fb_arena_release(&arena);
}

static void stops_at_its_ceiling(void **state)
{
    (void)state;
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 10000);
    assert_null(fb_arena_alloc(&arena, 10001));
    assert_true(arena.failed);
    fb_arena_clear(&arena);
    assert_false(arena.failed);
    assert_null(fb_arena_alloc(&arena, SIZE_MAX));
    assert_null(fb_arena_alloc(&arena, SIZE_MAX - 20));
    assert_null(fb_arena_array(&arena, SIZE_MAX / 2, 3));
    assert_null(fb_arena_text(&arena, fb_span("", SIZE_MAX)));
    fb_arena_clear(&arena);
    size_t got = 0;
    while (fb_arena_alloc(&arena, 16) != NULL)
        got += 16;
    assert_in_range(got, 9984, 10000);
    assert_true(arena.failed);
    assert_true(arena.used <= 10000);
    fb_arena_release(&arena);

    fb_arena_init(&arena, &fb_heap, 0);
    assert_null(fb_arena_alloc(&arena, 1));
    assert_true(arena.failed);
    fb_arena_release(&arena);
}

/* What fitted a new arena fits a cleared one, whatever block the clear kept. */
static void holds_as_much_after_a_clear(void **state)
{
    (void)state;
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 64000);
    for (size_t size = 1000; size <= 64000; size += 1000) {
        assert_non_null(fb_arena_alloc(&arena, size));
        while (fb_arena_alloc(&arena, 500) != NULL)
            continue;
        fb_arena_clear(&arena);
        assert_false(arena.failed);
    }
    fb_arena_release(&arena);
}

static void takes_memory_late_and_keeps_one_block(void **state)
{
    (void)state;
    struct failing_allocator memory;
    struct fb_arena arena;
    failing_init(&memory, 0);
    fb_arena_init(&arena, &memory.allocator, SIZE_MAX);
    assert_int_equal(memory.calls, 0);
    for (int i = 0; i < 4000; i++)
        assert_non_null(fb_arena_alloc(&arena, 1000));
    fb_arena_clear(&arena);
#ifdef FB_ARENA_MALLOC
    assert_int_equal(memory.blocks_out, 0);
#else
    assert_in_range(memory.calls, 9, 16);       /* 4 KiB, 8 KiB, … 1 MiB, 1 MiB, … */
    assert_int_equal(memory.blocks_out, 1);
    assert_int_equal(arena.used, 1 << 20);
    size_t calls = memory.calls;
    for (int i = 0; i < 1000; i++)
        assert_non_null(fb_arena_alloc(&arena, 1000));
    assert_int_equal(memory.calls, calls);
#endif
    fb_arena_release(&arena);
    assert_int_equal(memory.blocks_out, 0);
    assert_int_equal(memory.bytes_out, 0);
    fb_arena_release(&arena);                   /* twice does no harm */
}

static void copies_and_formats(void **state)
{
    (void)state;
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    struct fb_span copy = fb_arena_copy(&arena, FB_SPAN("a\0b"));
    assert_true(fb_span_eq(copy, FB_SPAN("a\0b")));
    assert_int_equal(fb_arena_copy(&arena, fb_span(NULL, 0)).len, 0);
    assert_string_equal(fb_arena_text(&arena, FB_SPAN("abc")), "abc");
    assert_string_equal(fb_arena_text(&arena, fb_span(NULL, 0)), "");
    struct fb_span text = fb_arena_format(&arena, "%s-%d", "x", 42);
    assert_span(text, "x-42");
    assert_int_equal(text.ptr[text.len], 0);
    assert_int_equal(fb_arena_format(&arena, "%5000d", 1).len, 5000);
    fb_arena_release(&arena);
}

static void grows_arrays(void **state)
{
    (void)state;
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 40000);
    size_t capacity = 0, count = 0;
    uint32_t *array = NULL;
    for (;;) {
        uint32_t *larger = fb_arena_grow(&arena, array, count, &capacity, sizeof *array);
        if (larger == NULL)
            break;
        array = larger;
        array[count] = (uint32_t)count;
        count++;
    }
    assert_true(arena.failed);
    assert_int_equal(count, capacity);          /* the last good array is whole, and still there */
    assert_true(count >= 1024);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(array[i], i);
    size_t huge = SIZE_MAX / 2 + 1;
    assert_null(fb_arena_grow(&arena, array, huge, &huge, 1));
    fb_arena_release(&arena);
}

static bool use_arena(struct fb_arena *arena)
{
    struct fb_span *list = NULL;
    size_t capacity = 0;
    for (size_t i = 0; i < 3000; i++) {
        struct fb_span *larger = fb_arena_grow(arena, list, i, &capacity, sizeof *list);
        if (larger == NULL)
            return false;
        list = larger;
        list[i] = fb_arena_format(arena, "piece %zu", i);
        if (list[i].ptr == NULL && list[i].len != 0)
            return false;
    }
    return !arena->failed;
}

static void survives_failing_memory(void **state)
{
    (void)state;
    bool worked = false;
    for (size_t n = 1; !worked; n++) {
        struct failing_allocator memory;
        struct fb_arena arena;
        failing_init(&memory, n);
        fb_arena_init(&arena, &memory.allocator, SIZE_MAX);
        worked = use_arena(&arena);
        assert_true(worked || arena.failed);
        memory.fail_at = 0;
        fb_arena_clear(&arena);
        assert_true(use_arena(&arena));
        fb_arena_release(&arena);
        assert_int_equal(memory.blocks_out, 0);
        assert_int_equal(memory.bytes_out, 0);
        assert_true(n < 10000);
#ifdef FB_ARENA_MALLOC
        n += 60;        /* a piece an allocation: every one of them would take minutes */
#endif
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory),
        cmocka_unit_test(keeps_pieces_apart),
        cmocka_unit_test(stops_at_its_ceiling),
        cmocka_unit_test(holds_as_much_after_a_clear),
        cmocka_unit_test(takes_memory_late_and_keeps_one_block),
        cmocka_unit_test(copies_and_formats),
        cmocka_unit_test(grows_arrays),
        cmocka_unit_test(survives_failing_memory),
    };
    return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
