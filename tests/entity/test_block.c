/* SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"

/* The files were written by a second implementation, in another language, from the drawing in
 * entity.h.  What they hold is in stores: a difference is a new format. */
static void keeps_its_bytes(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const struct fb_entity_block *block = sample(bench, samples[i]);
        struct fb_buffer file, hex;
        fb_buffer_init(&file, &fb_heap, 1u << 20);
        fb_buffer_init(&hex, &fb_heap, 1u << 20);
        char path[512];
        snprintf(path, sizeof path, "%s/entity/golden/%s.hex", getenv("FB_TESTS"), samples[i]);
        assert_int_equal(fb_buffer_read_file(&file, path), 0);
        const unsigned char *bytes = (const unsigned char *)block;
        for (size_t at = 0; at < block->length; at++)
            fb_buffer_add_format(&hex, "%02x%c", bytes[at], at % 16 == 15 || at + 1 == block->length ? '\n' : ' ');
        if (!fb_span_eq(fb_buffer_span(&file), fb_buffer_span(&hex)))
            fail_msg("%s is now\n%s", path, hex.ptr);
        fb_buffer_release(&file);
        fb_buffer_release(&hex);
    }
}

static void opens_what_it_wrote(void **state)
{
    struct bench *bench = *state;
    struct fb_entity entity;
    fb_entity_open(sample(bench, "values"), &entity);
    assert_uid(entity.uid, "App::User::\"alice\"");
    assert_true(fb_value_eq(fb_value_of_record(entity.attrs), value_of(bench, rich_attrs)));
    assert_int_equal(entity.parents.count, 2);
    assert_int_equal(entity.open.count, 2);
    assert_int_equal(entity.ancestors.count, 0);
    assert_false(entity.closed);
    assert_true(fb_refs_contain(entity.parents, uid_of(bench, "Role::\"admin\"")));
    assert_true(fb_refs_contain(entity.parents, uid_of(bench, "Team::\"red\"")));
    assert_false(fb_refs_contain(entity.parents, uid_of(bench, "Team::\"blue\"")));
    const struct fb_cell *team = fb_record_find(entity.tags, fb_hash(FB_SPAN("team")), FB_SPAN("team"));
    assert_string_equal(text_of(bench, fb_cell_load(team)), "\"blue\"");

    fb_entity_open(sample(bench, "closed"), &entity);
    assert_true(entity.closed);
    assert_int_equal(entity.parents.count, 1);
    assert_int_equal(entity.ancestors.count, 3);
    assert_int_equal(entity.open.count, 0);
    assert_true(fb_refs_contain(entity.ancestors, uid_of(bench, "Role::\"admin\"")));
    assert_true(fb_refs_contain(entity.ancestors, uid_of(bench, "Org::\"o\"")));
    /* The parent's uid stands once. */
    assert_ptr_equal(fb_ref_uid(&entity.parents.refs[0]),
                     fb_ref_uid(fb_refs_find(entity.ancestors, uid_of(bench, "Role::\"admin\""))));
}

static void stands_at_any_aligned_place(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct fb_span bytes = span_of(sample(bench, samples[i]));
        uint64_t *room = malloc(bytes.len + 8);
        for (size_t at = 0; at < 9; at++) {
            char *copy = (char *)room + (at < 8 ? at : 0);
            memmove(copy, bytes.ptr, bytes.len);
            struct fb_entity entity;
            assert_int_equal(fb_entity_check(fb_span(copy, bytes.len), true, &entity), at % 8 == 0);
            assert_int_equal(fb_entity_check(fb_span(copy, bytes.len), false, &entity), at % 8 == 0);
        }
        free(room);
    }
}

static void keeps_its_limits(void **state)
{
    struct bench *bench = *state;
    struct fb_entity_parts parts = parts_of(bench, "U::\"a\"", "{}", "{}");
    struct fb_entity entity;
    char *text = calloc(1, FB_ENTITY_MAX);
    memset(text, 'a', FB_ENTITY_MAX);
    struct fb_field field = {FB_SPAN("x"), fb_value_string(fb_span(text, FB_ENTITY_MAX - 200))};
    assert_true(fb_value_record(&bench->arena, &field, 1, &parts.attrs));
    const struct fb_entity_block *block = fb_entity_encode(&bench->arena, &parts);
    assert_non_null(block);
    assert_true(fb_entity_check(span_of(block), true, &entity));
    field.value = fb_value_string(fb_span(text, FB_ENTITY_MAX));
    assert_true(fb_value_record(&bench->arena, &field, 1, &parts.attrs));
    assert_null(fb_entity_encode(&bench->arena, &parts));
    free(text);
    /* Attributes are one level; the innermost set of the second try is one too deep. */
    for (unsigned deep = FB_VALUE_DEPTH - 1; deep <= FB_VALUE_DEPTH; deep++) {
        struct fb_value value = {.kind = FB_SET};
        for (unsigned i = 1; i < deep; i++) {
            struct fb_value inner = value;
            assert_true(fb_value_set(&bench->arena, &inner, 1, &value));
        }
        field.value = value;
        assert_true(fb_value_record(&bench->arena, &field, 1, &parts.attrs));
        block = fb_entity_encode(&bench->arena, &parts);
        assert_int_equal(block != NULL, deep < FB_VALUE_DEPTH);
        assert_true(block == NULL || fb_entity_check(span_of(block), true, &entity));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(keeps_its_bytes),
        BENCH_TEST(opens_what_it_wrote),
        BENCH_TEST(stands_at_any_aligned_place),
        BENCH_TEST(keeps_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
