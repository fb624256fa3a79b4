/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

static void lies_as_drawn(void **state)
{
    struct bench *bench = *state;
    const struct fb_uid *uid = fb_uid_new(&bench->arena, FB_SPAN("App::User"), FB_SPAN("alice"));
    assert_int_equal(fb_uid_size(9, 5), 40);
    assert_int_equal(uid->type_hash, fb_hash(FB_SPAN("App::User")));
    assert_int_equal(uid->hash, fb_hash_join(fb_hash(FB_SPAN("App::User")), fb_hash(FB_SPAN("alice"))));
    assert_span(fb_uid_type(uid), "App::User");
    assert_span(fb_uid_id(uid), "alice");
    assert_memory_equal(uid->bytes, "App::Useralice\0", 16);
    assert_true(fb_uid_is(uid, fb_hash(FB_SPAN("App::User")), FB_SPAN("App::User")));
    assert_false(fb_uid_is(uid, fb_hash(FB_SPAN("User")), FB_SPAN("User")));
    /* Padding is written, also where the block held something else. */
    uint64_t dirty[5];
    memset(dirty, 0xFF, sizeof dirty);
    assert_memory_equal(fb_uid_write(dirty, FB_SPAN("App::User"), FB_SPAN("alice")), uid, 40);
}

static void compares_by_contents(void **state)
{
    struct bench *bench = *state;
    const struct fb_uid *a = fb_uid_new(&bench->arena, FB_SPAN("A"), FB_SPAN("BC"));
    const struct fb_uid *b = fb_uid_new(&bench->arena, FB_SPAN("AB"), FB_SPAN("C"));
    const struct fb_uid *c = fb_uid_new(&bench->arena, FB_SPAN("A"), FB_SPAN("BC"));
    assert_true(fb_uid_eq(a, c));
    assert_int_equal(fb_uid_cmp(a, c), 0);
    assert_false(fb_uid_eq(a, b));
    assert_int_not_equal(fb_uid_cmp(a, b), 0);
    assert_int_equal(fb_uid_cmp(a, b), -fb_uid_cmp(b, a));
    /* A hash may be forged, so the bytes decide. */
    struct fb_uid *forged = fb_arena_alloc(&bench->arena, fb_uid_size(2, 1));
    memcpy(forged, b, fb_uid_size(2, 1));
    forged->hash = a->hash;
    assert_false(fb_uid_eq(a, forged));
    assert_int_not_equal(fb_uid_cmp(a, forged), 0);
}

static void keeps_its_limits(void **state)
{
    struct bench *bench = *state;
    char *big = calloc(1, FB_UID_ID_MAX + 2);
    memset(big, 'a', FB_UID_ID_MAX + 1);
    assert_non_null(fb_uid_new(&bench->arena, fb_span(big, FB_UID_TYPE_MAX), fb_span(big, FB_UID_ID_MAX)));
    assert_null(fb_uid_new(&bench->arena, fb_span(big, FB_UID_TYPE_MAX + 1), FB_SPAN("a")));
    assert_null(fb_uid_new(&bench->arena, FB_SPAN("A"), fb_span(big, FB_UID_ID_MAX + 1)));
    free(big);
    assert_non_null(fb_uid_new(&bench->arena, FB_SPAN("A"), fb_span(NULL, 0)));
}

static void knows_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool identifier, type;
    } rows[] = {
        {"User", true, true},       {"_", true, true},        {"a1_B", true, true},   {"permit", true, true},
        {"principal", true, true},  {"A::B", false, true},    {"A::B::C", false, true}, {"__cedarx", true, true},
        {"x__cedar", true, true},   {"iff", true, true},      {"If", true, true},     {"__entity", true, true},
        {"", false, false},         {"1a", false, false},     {"a-b", false, false},  {"a b", false, false},
        {" a", false, false},       {"a ", false, false},     {"a.b", false, false},  {"\u00e9", false, false},
        {"true", false, false},     {"false", false, false},  {"if", false, false},   {"then", false, false},
        {"else", false, false},     {"in", false, false},     {"is", false, false},   {"like", false, false},
        {"has", false, false},      {"__cedar", false, false}, {"A::", false, false}, {"::A", false, false},
        {"A::::B", false, false},   {"A:B", false, false},    {"A:", false, false},   {"A:::B", false, false},
        {"A ::B", false, false},    {"A:: B", false, false},  {"A::if", false, false}, {"if::A", false, false},
        {"__cedar::A", false, false}, {"A::__cedar", false, false}, {"A::1", false, false}, {":", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (fb_identifier_valid(fb_span_z(rows[i].name)) != rows[i].identifier
            || fb_type_name_valid(fb_span_z(rows[i].name)) != rows[i].type)
            fail_msg("\"%s\"", rows[i].name);
    assert_false(fb_identifier_valid(fb_span("a\0", 2)));
}

/* Each was tried with the official engine. */
static void reads_cedar_text(void **state)
{
    static const struct {
        const char *text, *printed;     /* NULL: refused */
    } rows[] = {
        {"User::\"alice\"", "User::\"alice\""},
        {"A::B::C::\"\"", "A::B::C::\"\""},
        {" User :: \"alice\" ", "User::\"alice\""},
        {"User\n::\t\"alice\"", "User::\"alice\""},
        {"User//x\n::\"alice\"", "User::\"alice\""},
        {"// x\r\nA // y\n :: B::\"a\" // z", "A::B::\"a\""},
        {"User::\u00a0\"a\"", "User::\"a\""},
        {"User::\u2028\u3000\"a\"", "User::\"a\""},
        {"U::\"a\\\"b\"", "U::\"a\\\"b\""},
        {"U::\"\\n\\r\\t\\\\\\'\"", "U::\"\\u{a}\\u{d}\\u{9}\\\\'\""},
        {"U::\"\\x41\\x7f\"", "U::\"A\\u{7f}\""},
        {"U::\"\\u{41}\\u{4_1_}\\u{1F600}\"", "U::\"AA\\u{1f600}\""},
        {"U::\"\\u{10ffff}\\u{000041}\"", "U::\"\\u{10ffff}A\""},
        {"U::\"a\nb\"", "U::\"a\\u{a}b\""},
        {"U::\"\u00e9\"", "U::\"\\u{e9}\""},
        {"U::\"// no comment\"", "U::\"// no comment\""},
        {"principal::\"x\"", "principal::\"x\""},
        {"U::\"a*b\"", "U::\"a*b\""},
        {"", NULL},
        {"U", NULL},
        {"U::", NULL},
        {"\"a\"", NULL},
        {"::\"a\"", NULL},
        {"U:\"a\"", NULL},
        {"U: :\"a\"", NULL},
        {"Ux:\"a\"", NULL},
        {"U:x\"a\"", NULL},
        {"U::\"a", NULL},
        {"U::a", NULL},
        {"U::\"a\"x", NULL},
        {"U::\"a\"::\"b\"", NULL},
        {"U::'a'", NULL},
        {"U::\"\\\"", NULL},
        {"U::\"\\q\"", NULL},
        {"U::\"\\*\"", NULL},
        {"U::\"\\x80\"", NULL},
        {"U::\"\\x4\"", NULL},
        {"U::\"\\xg0\"", NULL},
        {"U::\"\\u{}\"", NULL},
        {"U::\"\\u{_41}\"", NULL},
        {"U::\"\\u{0000041}\"", NULL},
        {"U::\"\\u{110000}\"", NULL},
        {"U::\"\\u{d800}\"", NULL},
        {"U::\"\\u41\"", NULL},
        {"U::\"\\u{41\"", NULL},
        {"U::\"a\rb\"", NULL},
        {"U::\"a\\\nb\"", NULL},
        {"if::\"a\"", NULL},
        {"U::__cedar::\"a\"", NULL},
        {"1::\"a\"", NULL},
        {"U::{\"a\"}", NULL},
        {"U /* x */::\"a\"", NULL},
        {"\xff::\"a\"", NULL},
        {"U::\"\xff\"", NULL},
        {"U // \xff\n::\"a\"", NULL},
        {"?principal", NULL},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct fb_uid *uid = fb_uid_parse(&bench->arena, fb_span_z(rows[i].text));
        if ((uid != NULL) != (rows[i].printed != NULL))
            fail_msg("%s is %s", rows[i].text, uid != NULL ? "read" : "refused");
        if (uid == NULL)
            continue;
        assert_uid(uid, rows[i].printed);
        const struct fb_uid *again = fb_uid_parse(&bench->arena, fb_span_z(rows[i].printed));
        assert_non_null(again);
        assert_true(fb_uid_eq(uid, again));
    }
    const struct fb_uid *zero = uid_of(bench, "U::\"a\\0b\"");
    assert_int_equal(fb_uid_id(zero).len, 3);
    assert_memory_equal(fb_uid_id(zero).ptr, "a\0b", 3);
    assert_null(fb_uid_parse(&bench->arena, fb_span(NULL, 0)));
}

/* A type's text may be long; what does not fit is refused, not cut. */
static void limits_cedar_text(void **state)
{
    struct bench *bench = *state;
    char text[FB_UID_TYPE_MAX + 16];
    for (size_t len = FB_UID_TYPE_MAX - 3; len <= FB_UID_TYPE_MAX + 1; len++) {
        memset(text, 'a', len);
        memcpy(text + len, "::\"x\"", 6);
        const struct fb_uid *uid = fb_uid_parse(&bench->arena, fb_span_z(text));
        if (uid != NULL)
            assert_int_equal(uid->type_len, len);
        assert_int_equal(uid != NULL, len <= FB_UID_TYPE_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(lies_as_drawn), BENCH_TEST(compares_by_contents), BENCH_TEST(keeps_its_limits),
        BENCH_TEST(knows_names),   BENCH_TEST(reads_cedar_text),     BENCH_TEST(limits_cedar_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
