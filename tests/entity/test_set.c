/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <time.h>

/* Entity JSON as a whole: which files are read, and what is said of those that are not.  Each row
 * was tried with the official engine, apart from those marked. */
static const struct {
    const char *json, *code;    /* NULL: read */
} files[] = {
    {"[]", NULL},
    {" [ ] \n", NULL},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}]", NULL},
    {"[{\"uid\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}},\"attrs\":{},\"parents\":[]}]", NULL},
    {"[{\"uid\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"},\"z\":1},\"attrs\":{},\"parents\":[]}]", NULL},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\",\"z\":[1]},\"attrs\":{},\"parents\":[]}]", NULL},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"\"},\"attrs\":{},\"parents\":[],\"tags\":{}}]", NULL},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[],\"zz\":{\"x\":[null,1.5]}}]", NULL},
    {"[{\"parents\":[],\"tags\":{\"k\":1},\"attrs\":{\"x\":1},\"uid\":{\"type\":\"U\",\"id\":\"a\"}}]", NULL},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[{\"__entity\":{\"type\":\"U\",\"id\":\"b\"}},"
     "{\"type\":\"U\",\"id\":\"b\"}]}]", NULL},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}},\"parents\":[]}]", NULL},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"x\"}},\"parents\":[]}]", NULL},
    {"[{\"uid\":{\"type\":\"Action\",\"id\":\"a\"},\"attrs\":{},\"parents\":[{\"type\":\"Action\",\"id\":\"b\"}]}]", NULL},
    {"[{\"uid\":{\"type\":\"N::Action\",\"id\":\"a\"},\"attrs\":{},\"parents\":[{\"type\":\"Action\",\"id\":\"b\"}]}]", NULL},
    {"[{\"uid\":{\"type\":\"XAction\",\"id\":\"a\"},\"attrs\":{},\"parents\":[{\"type\":\"U\",\"id\":\"b\"}]}]", NULL},
    /* twice, the same: in another order of keys, of set elements, of parents */
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"s\":[1,2]},\"parents\":[{\"type\":\"G\",\"id\":\"1\"},"
     "{\"type\":\"G\",\"id\":\"2\"}]},{\"parents\":[{\"type\":\"G\",\"id\":\"2\"},{\"type\":\"G\",\"id\":\"1\"}],"
     "\"tags\":{},\"attrs\":{\"s\":[2,1,1]},\"uid\":{\"type\":\"U\",\"id\":\"a\"}}]", NULL},
    {"", "json.unfinished"},
    {"{}", "entity.shape"},
    {"[] []", "json.unexpected"},
    {"[3]", "entity.shape"},
    {"[null]", "entity.shape"},
    {"[[]]", "entity.shape"},
    {"[{}]", "entity.missing_key"},
    {"[{\"attrs\":{},\"parents\":[]}]", "entity.missing_key"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"parents\":[]}]", "entity.missing_key"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{}}]", "entity.missing_key"},
    {"[{\"uid\":\"U::\\\"a\\\"\",\"attrs\":{},\"parents\":[]}]", "entity.uid"},
    {"[{\"uid\":null,\"attrs\":{},\"parents\":[]}]", "entity.uid"},
    {"[{\"uid\":{\"__expr\":\"U::\\\"a\\\"\"},\"attrs\":{},\"parents\":[]}]", "entity.uid"},
    {"[{\"uid\":{\"type\":\"U\"},\"attrs\":{},\"parents\":[]}]", "entity.uid"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":1},\"attrs\":{},\"parents\":[]}]", "entity.uid"},
    {"[{\"uid\":{\"__entity\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}},\"attrs\":{},\"parents\":[]}]", "entity.uid"},
    {"[{\"uid\":{\"type\":\" U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}]", "entity.type_name"},
    {"[{\"uid\":{\"type\":\"U::\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}]", "entity.type_name"},
    {"[{\"uid\":{\"type\":\"\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}]", "entity.type_name"},
    {"[{\"uid\":{\"type\":\"if\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}]", "entity.type_name"},
    {"[{\"uid\":{\"type\":\"__cedar::X\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}]", "entity.type_name"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":[],\"parents\":[]}]", "entity.shape"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":null,\"parents\":[]}]", "entity.shape"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":{}}]", "entity.shape"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[\"U::\\\"b\\\"\"]}]", "entity.uid"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[],\"tags\":null}]", "entity.shape"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[],\"tags\":[]}]", "entity.shape"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"n\":null},\"parents\":[]}]", "entity.null"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"attrs\":{},\"parents\":[]}]", "json.duplicate_key"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"x\":1,\"x\":1},\"parents\":[]}]", "json.duplicate_key"},
    {"[{\"uid\":{\"type\":\"Action\",\"id\":\"a\"},\"attrs\":{},\"parents\":[{\"type\":\"U\",\"id\":\"b\"}]}]",
     "entity.action_parent"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"x\":1},\"parents\":[]},"
     "{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"x\":2},\"parents\":[]}]", "entity.duplicate"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[],\"tags\":{\"x\":1}},"
     "{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}]", "entity.duplicate"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]},"
     "{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[{\"type\":\"G\",\"id\":\"1\"}]}]", "entity.duplicate"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}", "json.unfinished"},
    {"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]},]", "json.unexpected"},
};

static void reads_files(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct fb_source source = {FB_SPAN("entities.json"), fb_span_z(files[i].json)};
        struct fb_diags diags;
        fb_diags_init(&diags, &bench->arena);
        bool read = fb_entity_set_read_json(fb_entity_set_new(&bench->arena), &source, NULL, &diags);
        assert_int_equal(read, diags.errors == 0);
        const char *code = diags.count != 0 ? diags.list[0].code : NULL;
        if (read != (files[i].code == NULL) || (!read && strcmp(code, files[i].code) != 0))
            fail_msg("%s: %s", files[i].json, code != NULL ? code : "no fault");
    }
}

static struct fb_entity_set *set_of(struct bench *bench, const char *json)
{
    static struct fb_source source;
    source = (struct fb_source){FB_SPAN("entities.json"), fb_span_z(json)};
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    if (!fb_entity_set_read_json(set, &source, NULL, &bench->diags) || !fb_entity_set_close(set, &bench->diags))
        fail_msg("%s", bench->diags.list[0].code);
    return set;
}

static void finds_what_it_read(void **state)
{
    struct bench *bench = *state;
    static const char json[] =
        "[{\"uid\":{\"type\":\"U\",\"id\":\"b\"},\"attrs\":{\"n\":1,\"s\":[2,1],\"e\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}},"
        "\"parents\":[{\"type\":\"G\",\"id\":\"x\"}],\"tags\":{\"k\":\"v\"}},"
        "{\"uid\":{\"type\":\"G\",\"id\":\"x\"},\"attrs\":{},\"parents\":[]}]";
    char *text = strdup(json);
    struct fb_entity_set *set = set_of(bench, text);
    memset(text, '!', strlen(text));    /* the set keeps nothing of the text */
    free(text);
    assert_int_equal(fb_entity_set_count(set), 2);
    assert_true(fb_entity_set_has_type(set, FB_SPAN("U")));
    assert_true(fb_entity_set_has_type(set, FB_SPAN("G")));
    assert_false(fb_entity_set_has_type(set, FB_SPAN("V")));
    struct fb_entities source = fb_entity_set_source(set);
    struct fb_entity entity, at;
    assert_int_equal(source.find(source.self, uid_of(bench, "U::\"b\""), &entity), FB_FOUND);
    assert_uid(entity.uid, "U::\"b\"");
    fb_entity_set_at(set, 0, &at);
    assert_ptr_equal(at.uid, entity.uid);
    fb_buffer_clear(&bench->out);
    fb_entity_print_json(&bench->out, &entity);
    assert_string_equal(bench->out.ptr,
                        "{\"uid\":{\"type\":\"U\",\"id\":\"b\"},\"attrs\":{\"e\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}},"
                        "\"n\":1,\"s\":[1,2]},\"parents\":[{\"type\":\"G\",\"id\":\"x\"}],\"tags\":{\"k\":\"v\"}}");
    assert_int_equal(source.find(source.self, uid_of(bench, "U::\"a\""), &entity), FB_ABSENT);
    assert_int_equal(source.find(source.self, uid_of(bench, "G::\"x\""), &entity), FB_FOUND);
    assert_int_equal(entity.tags->count, 0);
    fb_buffer_clear(&bench->out);
    fb_entity_print_json(&bench->out, &entity);
    assert_string_equal(bench->out.ptr, "{\"uid\":{\"type\":\"G\",\"id\":\"x\"},\"attrs\":{},\"parents\":[]}");
}

/* A parent that is only mentioned is no entity: not found, not counted, of no type. */
static void mentions_are_no_entities(void **state)
{
    struct bench *bench = *state;
    struct fb_entity_set *set =
        set_of(bench, "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[{\"type\":\"G\",\"id\":\"g\"}]}]");
    struct fb_entities source = fb_entity_set_source(set);
    struct fb_entity entity;
    assert_int_equal(fb_entity_set_count(set), 1);
    assert_false(fb_entity_set_has_type(set, FB_SPAN("G")));
    assert_int_equal(source.find(source.self, uid_of(bench, "G::\"g\""), &entity), FB_ABSENT);
}

static void empty_set_finds_nothing(void **state)
{
    struct bench *bench = *state;
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    assert_true(fb_entity_set_close(set, &bench->diags));
    struct fb_entities source = fb_entity_set_source(set);
    struct fb_entity entity;
    assert_int_equal(fb_entity_set_count(set), 0);
    assert_int_equal(source.find(source.self, uid_of(bench, "U::\"a\""), &entity), FB_ABSENT);
    assert_int_equal(fb_entity_in(&source, uid_of(bench, "U::\"a\""), uid_of(bench, "U::\"a\"")), FB_FOUND);
    assert_int_equal(fb_entity_in(&source, uid_of(bench, "U::\"a\""), uid_of(bench, "U::\"b\"")), FB_ABSENT);
}

static void adds_by_hand(void **state)
{
    struct bench *bench = *state;
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    char *name = strdup("name"), *type = strdup("U::\"a\"");
    struct fb_field field = {fb_span_z(name), fb_value_string(fb_span_z(name))};
    struct fb_entity_parts parts = {.tags = fb_value_of_record(&fb_record_empty)};
    struct bench other;
    bench_init(&other, &fb_heap);
    parts.uid = uid_of(&other, type);
    const struct fb_uid *group = uid_of(&other, "G::\"g\"");
    parts.parents = &group;
    parts.parents_count = 1;
    assert_true(fb_value_record(&other.arena, &field, 1, &parts.attrs));
    assert_true(fb_entity_set_add(set, &parts));
    assert_true(fb_entity_set_add(set, &parts));
    parts.parents_count = 0;
    assert_false(fb_entity_set_add(set, &parts));
    bench_release(&other);
    free(name);
    free(type);
    assert_true(fb_entity_set_close(set, &bench->diags));
    assert_int_equal(fb_entity_set_count(set), 1);
    struct fb_entities source = fb_entity_set_source(set);
    struct fb_entity entity;
    assert_int_equal(source.find(source.self, uid_of(bench, "U::\"a\""), &entity), FB_FOUND);
    assert_string_equal(text_of(bench, fb_value_of_record(entity.attrs)), "{\"name\": \"name\"}");
}

static const struct fb_uid *plain(struct fb_arena *arena, int i)
{
    return fb_uid_new(arena, FB_SPAN("U"), fb_arena_format(arena, "%d", i));
}

/* All with one hash: of 129 bytes these eight undo what it has taken in before, so that the first eight are free. */
static const struct fb_uid *alike(struct fb_arena *arena, int i)
{
    static const unsigned char undo[8] = {0x78, 0x66, 0x04, 0x1e, 0x0e, 0x74, 0x43, 0x27};
    char id[129];
    memset(id, 'x', sizeof id);
    struct fb_span number = fb_arena_format(arena, "%d", i);
    memcpy(id, number.ptr, number.len);
    memcpy(id + 8, undo, sizeof undo);
    return fb_uid_new(arena, FB_SPAN("U"), fb_span(id, sizeof id));
}

/* Ten thousand, found each; and as many that are not there. */
static void grow(struct bench *bench, const struct fb_uid *(*uid_at)(struct fb_arena *arena, int i))
{
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    struct fb_entity_parts parts = {.attrs = fb_value_of_record(&fb_record_empty),
                                    .tags = fb_value_of_record(&fb_record_empty)};
    enum { COUNT = 10000 };
    for (int i = 0; i < COUNT; i++) {
        parts.uid = uid_at(&bench->arena, i);
        assert_true(fb_entity_set_add(set, &parts));
        assert_true(fb_entity_set_add(set, &parts));
    }
    assert_true(fb_entity_set_close(set, &bench->diags));
    assert_int_equal(fb_entity_set_count(set), COUNT);
    struct fb_entities source = fb_entity_set_source(set);
    struct fb_entity entity;
    for (int i = 0; i < 2 * COUNT; i++) {
        const struct fb_uid *uid = uid_at(&bench->arena, i);
        assert_int_equal(source.find(source.self, uid, &entity), i < COUNT ? FB_FOUND : FB_ABSENT);
        if (i < COUNT)
            assert_true(fb_uid_eq(entity.uid, uid));
    }
}

static void grows(void **state)
{
    grow(*state, plain);
}

/* Whoever may choose ids must not make a set slow: without more ado this takes a hundred times as long. */
static void ids_of_one_hash_are_found_soon(void **state)
{
    struct bench *bench = *state;
    assert_true(alike(&bench->arena, 1)->hash == alike(&bench->arena, 2)->hash);
    clock_t start = clock();
    grow(bench, plain);
    clock_t then = clock();
    grow(bench, alike);
    clock_t end = clock();
    print_message("of as many hashes %.1f ms, of one %.1f ms\n", 1e3 * (double)(then - start) / CLOCKS_PER_SEC,
                  1e3 * (double)(end - then) / CLOCKS_PER_SEC);
    assert_true(end - then < 30 * (then - start) + CLOCKS_PER_SEC / 20);
}

/* Every fault of whole entities in one run, each at its place. */
static void reports_all(void **state)
{
    struct bench *bench = *state;
    static const char json[] = "[\n"
                               "{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]},\n"
                               "{\"uid\":{\"type\":\"U\",\"id\":\"b\"},\"parents\":[]},\n"
                               "{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"x\":1},\"parents\":[]},\n"
                               "{\"uid\":{\"type\":\"U\",\"id\":\"c\"},\"attrs\":{\"x\":[1,null]},\"parents\":[]}\n"
                               "]";
    struct fb_source source = {FB_SPAN("entities.json"), FB_SPAN(json)};
    struct fb_entity_set *set = fb_entity_set_new(&bench->arena);
    assert_false(fb_entity_set_read_json(set, &source, NULL, &bench->diags));
    assert_int_equal(bench->diags.count, 3);
    static const struct {
        const char *code;
        uint32_t line, column;
    } expected[] = {{"entity.missing_key", 3, 1}, {"entity.duplicate", 4, 8}, {"entity.null", 5, 46}};
    for (size_t i = 0; i < 3; i++) {
        const struct fb_diag *diag = &bench->diags.list[i];
        struct fb_position at = fb_source_position(&source, diag->range.start);
        assert_string_equal(diag->code, expected[i].code);
        assert_int_equal(at.line, expected[i].line);
        assert_int_equal(at.column, expected[i].column);
    }
    assert_ptr_equal(bench->diags.list[1].other, &source);
    assert_int_equal(fb_source_position(&source, bench->diags.list[1].other_range.start).line, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(reads_files),             BENCH_TEST(finds_what_it_read), BENCH_TEST(mentions_are_no_entities),
        BENCH_TEST(empty_set_finds_nothing), BENCH_TEST(adds_by_hand),       BENCH_TEST(grows),
        BENCH_TEST(ids_of_one_hash_are_found_soon), BENCH_TEST(reports_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
