/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: exact, in order, of lengths that keep rows aligned. */
#include "testing.h"

#include "store/layout.h"

static struct fb_key key_of(struct place *place, struct fb_span type, struct fb_span id)
{
    struct fb_key key = {0};
    const struct fb_uid *uid = fb_uid_new(&place->arena, type, id);
    assert_non_null(uid);
    fb_key_make(&key, uid);
    assert_int_equal(key.len % 8, 0);
    assert_true(key.len >= 8 && key.len <= FB_KEY_MAX);
    return key;
}

static struct fb_span span_of(const struct fb_key *key)
{
    return fb_span(key->bytes, key->len);
}

/* Each pair differs in a way that padding or the separator could hide. */
static void tells_uids_apart(void **state)
{
    struct place *place = *state;
    static const struct { struct fb_span type, id; } uids[] = {
        {{1, "A"}, {0, ""}}, {{1, "A"}, {1, "\0"}}, {{1, "A"}, {2, "\0\0"}}, {{1, "A"}, {1, "\6"}},
        {{1, "A"}, {1, "\5"}}, {{1, "A"}, {2, "\5\5"}}, {{1, "A"}, {6, "\6\6\6\6\6\6"}},
        {{1, "A"}, {7, "\6\6\6\6\6\6\6"}}, {{1, "A"}, {14, "\6\6\6\6\6\6\10\10\10\10\10\10\10\10"}},
        {{4, "A::B"}, {1, "c"}}, {{1, "A"}, {4, "::Bc"}}, {{2, "AB"}, {1, "c"}}, {{1, "A"}, {2, "Bc"}},
    };
    enum { COUNT = sizeof uids / sizeof *uids };
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++) {
            struct fb_key a = key_of(place, uids[i].type, uids[i].id), b = key_of(place, uids[j].type, uids[j].id);
            assert_int_equal(fb_span_eq(span_of(&a), span_of(&b)), i == j);
        }
}

static void sorts_as_people_expect(void **state)
{
    struct place *place = *state;
    static const char *const names[] = {"Group::a", "Group::b", "User::", "User::a", "User::al", "User::alice",
                                        "User::alice2", "User::b", "UserGroup::a"};
    struct fb_key last = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct fb_uid *uid = uid_of(place, names[i]);
        struct fb_key key = key_of(place, fb_uid_type(uid), fb_uid_id(uid));
        assert_true(i == 0 || fb_span_cmp(span_of(&last), span_of(&key)) < 0);
        last = key;
    }
}

static void hashes_only_what_is_too_long(void **state)
{
    struct place *place = *state;
    char id[4000];
    memset(id, 'x', sizeof id);
    for (size_t len = 480; len < 520; len++) {
        struct fb_key key = key_of(place, FB_SPAN("User"), fb_span(id, len));
        bool is_long = len + 6 > FB_KEY_MAX;
        assert_int_equal(fb_key_is_long(span_of(&key)), is_long);
        assert_int_equal(key.len, is_long ? 24 : (len + 5) / 8 * 8 + 8);
    }
    struct fb_key a = key_of(place, FB_SPAN("User"), fb_span(id, sizeof id));
    id[3999] = 'y';
    struct fb_key b = key_of(place, FB_SPAN("User"), fb_span(id, sizeof id));
    assert_false(fb_span_eq(span_of(&a), span_of(&b)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(tells_uids_apart),
        in_place(sorts_as_people_expect),
        in_place(hashes_only_what_is_too_long),
    };
    return cmocka_run_group_tests_name("store/key", tests, NULL, NULL);
}
