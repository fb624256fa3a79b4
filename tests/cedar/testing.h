/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_CEDAR_TESTING_H
#define FB_TESTS_CEDAR_TESTING_H

/* What the tests of cedar share: an arena with diagnostics, sources, files, printed diagnostics. */
#include "../base/testing.h"
#include "cedar/cedar.h"

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

#define BENCH_TEST(function) cmocka_unit_test_setup_teardown(function, bench_setup, bench_teardown)

/* A source in the bench's arena. */
static inline const struct fb_source *source_of(struct bench *bench, struct fb_span text)
{
    struct fb_source *source = fb_arena_alloc(&bench->arena, sizeof *source);
    assert_non_null(source);
    *source = (struct fb_source){.name = FB_SPAN("test"), .text = fb_arena_copy(&bench->arena, text)};
    return source;
}

static inline const char *diags_text(struct bench *bench)
{
    fb_buffer_clear(&bench->out);
    fb_diags_print(&bench->out, &bench->diags, false);
    return bench->out.ptr != NULL ? bench->out.ptr : "";
}

/* An expression that must be readable. */
static inline const struct fb_expr *expr_of(struct bench *bench, struct fb_span text)
{
    const struct fb_expr *expr = fb_expr_read(&bench->arena, source_of(bench, text), &bench->diags);
    if (expr == NULL)
        fail_msg("%.*s\n%s", (int)text.len, text.ptr, diags_text(bench));
    return expr;
}

static inline const struct fb_schema *schema_of(struct bench *bench, const char *text)
{
    const struct fb_schema *schema = fb_schema_read(&bench->arena, source_of(bench, fb_span_z(text)), &bench->diags);
    if (schema == NULL)
        fail_msg("%s\n%s", text, diags_text(bench));
    return schema;
}

/* The code of the first diagnostic, or "". */
static inline const char *first_code(const struct bench *bench)
{
    return bench->diags.count > 0 ? bench->diags.list[0].code : "";
}

/* `count` times `part`, between `head` and `tail`, in the arena. */
static inline struct fb_span repeated(struct bench *bench, const char *head, const char *part, size_t count,
                                      const char *tail)
{
    size_t n = strlen(part), before = strlen(head), after = strlen(tail);
    char *text = fb_arena_alloc(&bench->arena, before + n * count + after);
    assert_non_null(text);
    memcpy(text, head, before);
    for (size_t i = 0; i < count; i++)
        memcpy(text + before + i * n, part, n);
    memcpy(text + before + n * count, tail, after);
    return fb_span(text, before + n * count + after);
}

#endif
