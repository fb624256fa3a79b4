/* SPDX-License-Identifier: Apache-2.0 */
/* The table of tags (rows.h) against a plain list: entries come, go and are replaced, with hashes that spread and with
 * hashes that do not, so that lines spill and come together again. */

#include "engine/rows.h"

#include "testing.h"

#define ENTRIES 600u
#define STEPS 20000u

static uint64_t hashes[2 * ENTRIES + 1];
static bool present[2 * ENTRIES + 1];

static uint64_t hash_of(const struct fb_rows *rows, uint32_t entry)
{
    (void)rows;
    return hashes[entry];
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % limit;
}

static bool stands(const struct fb_tags *tags, uint32_t entry)
{
    bool found = false;
    uint16_t tag = fb_tag_of(hashes[entry]);
    for (const struct fb_tag_line *line = fb_tag_line_at(tags, hashes[entry]); line != NULL;
         line = fb_tag_line_more(tags, line)) {
        uint32_t matching = fb_tag_line_match(line, tag);
        for (uint32_t i = 0; i < FB_TAGS; i++) {
            assert_int_equal(matching >> i & 1, line->tag[i] == tag);
            if (line->entry[i] != entry)
                continue;
            assert_int_equal(line->tag[i], tag);
            assert_false(found);
            found = true;
        }
    }
    return found;
}

static void check(const struct fb_tags *tags)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= 2 * ENTRIES; i++) {
        assert_int_equal(stands(tags, i), present[i]);
        count += present[i];
    }
    assert_int_equal(tags->entries, count);
}

/* `kinds` of hashes; the same hash always for an entry and the one that takes its place. */
static void change(struct fb_rows *rows, uint32_t kinds, bool same_home)
{
    struct fb_tags tags = {.count = 0};
    uint64_t state = kinds;
    for (uint32_t i = 1; i <= ENTRIES; i++) {
        uint64_t kind = below(&state, kinds) + UINT64_C(1);
        hashes[i] = kind * UINT64_C(0x9e3779b97f4a7c15);
        if (same_home)
            hashes[i] &= ~(uint64_t)0xffffff;
        hashes[ENTRIES + i] = hashes[i];
        present[i] = present[ENTRIES + i] = false;
    }
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t at = below(&state, ENTRIES) + 1, other = ENTRIES + at;
        bool grows = step / 2500 % 2 == 0;
        uint32_t held = present[at] ? at : present[other] ? other : 0;
        if (held == 0 && (grows || below(&state, 4) == 0)) {
            assert_true(fb_tags_reserve(rows, &tags, hash_of));
            fb_tags_enter(&tags, hashes[at], at);
            present[at] = true;
        } else if (held != 0 && below(&state, 3) == 0) {
            fb_tags_replace(&tags, hashes[at], held, at + other - held);
            present[held] = false;
            present[at + other - held] = true;
        } else if (held != 0 && !grows) {
            fb_tags_leave(&tags, hashes[at], held);
            present[held] = false;
        }
        if (step % 500 == 499)
            check(&tags);
    }
    fb_tags_release(&tags, rows);
}

static void entries_come_and_go(void **state)
{
    (void)state;
    struct failing_allocator failing;
    struct fb_rows rows;
    failing_init(&failing, 0);
    assert_true(fb_rows_init(&rows, &failing.allocator, true));
    const uint32_t kinds[] = {1, 3, 40, 100000};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        change(&rows, kinds[i], false);
        change(&rows, kinds[i], true);
    }
    fb_rows_release(&rows);
    assert_int_equal(failing.blocks_out, 0);
    assert_int_equal(failing.bytes_out, 0);
}

/* Whatever cannot be had, what stood before still does. */
static void without_memory(void **state)
{
    (void)state;
    for (size_t fail_at = 1;; fail_at++) {
        struct failing_allocator failing;
        struct fb_rows rows;
        struct fb_tags tags = {.count = 0};
        bool all = true;
        failing_init(&failing, 0);
        assert_true(fb_rows_init(&rows, &failing.allocator, true));
        failing.fail_at = failing.calls + fail_at;
        for (uint32_t i = 1; i <= 2 * ENTRIES; i++) {
            hashes[i] = i * UINT64_C(0x9e3779b97f4a7c15) & ~(uint64_t)0xffff;
            all = all && fb_tags_reserve(&rows, &tags, hash_of);
            present[i] = all;
            if (all)
                fb_tags_enter(&tags, hashes[i], i);
        }
        if (tags.count != 0)
            check(&tags);
        fb_tags_release(&tags, &rows);
        fb_rows_release(&rows);
        assert_int_equal(failing.blocks_out, 0);
        if (all)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(entries_come_and_go), cmocka_unit_test(without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
