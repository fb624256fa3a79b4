/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_ENTITY_TESTING_H
#define FB_TESTS_ENTITY_TESTING_H

/* What the tests of entity share: an arena with diagnostics, values from JSON, texts of values. */
#include "../base/testing.h"
#include "entity/entity.h"

struct bench {
    struct fb_arena arena;
    struct fb_diags diags;
    struct fb_buffer out;
};

static inline void bench_init(struct bench *bench, const struct fb_allocator *allocator)
{
    fb_arena_init(&bench->arena, allocator, (size_t)1 << 31);
    fb_diags_init(&bench->diags, &bench->arena);
    fb_buffer_init(&bench->out, allocator, (size_t)64 << 20);
}

static inline void bench_release(struct bench *bench)
{
    fb_buffer_release(&bench->out);
    fb_arena_release(&bench->arena);
}

static inline int bench_setup(void **state)
{
    struct bench *bench = malloc(sizeof *bench);
    bench_init(bench, &fb_heap);
    *state = bench;
    return 0;
}

static inline int bench_teardown(void **state)
{
    bench_release(*state);
    free(*state);
    return 0;
}

/* A value from JSON, or false and the error's code in *code. */
static inline bool value_from_json(struct bench *bench, const char *text, const struct fb_value_hints *hints,
                                   struct fb_type_hint hint, struct fb_value *value, const char **code)
{
    struct fb_json json;
    struct fb_json_limits limits = FB_JSON_LIMITS;
    limits.depth = FB_VALUE_JSON_DEPTH;
    fb_json_init(&json, fb_span_z(text), &bench->arena, limits);
    fb_json_next(&json);
    bool read = fb_value_read_json(&json, &bench->arena, hints, hint, value) && fb_json_next(&json) == FB_JSON_END;
    *code = json.error_code;
    return read;
}

/* One that must be readable. */
static inline struct fb_value value_of(struct bench *bench, const char *text)
{
    struct fb_value value;
    const char *code;
    if (!value_from_json(bench, text, NULL, (struct fb_type_hint){0}, &value, &code))
        fail_msg("%s: %s", text, code);
    return value;
}

static inline const char *text_of(struct bench *bench, struct fb_value value)
{
    fb_buffer_clear(&bench->out);
    fb_value_print(&bench->out, value);
    assert_false(bench->out.failed);
    return bench->out.ptr;
}

static inline const char *json_of(struct bench *bench, struct fb_value value)
{
    fb_buffer_clear(&bench->out);
    fb_value_print_json(&bench->out, value);
    assert_false(bench->out.failed);
    return bench->out.ptr;
}

static inline const struct fb_uid *uid_of(struct bench *bench, const char *text)
{
    const struct fb_uid *uid = fb_uid_parse(&bench->arena, fb_span_z(text));
    if (uid == NULL)
        fail_msg("%s is no uid", text);
    return uid;
}

static inline void assert_uid(const struct fb_uid *uid, const char *text)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, 1u << 20);
    fb_uid_print(&out, uid);
    assert_string_equal(out.ptr, text);
    fb_buffer_release(&out);
}

#define BENCH_TEST(function) cmocka_unit_test_setup_teardown(function, bench_setup, bench_teardown)

#endif
