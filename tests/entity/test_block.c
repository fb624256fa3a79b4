/* SPDX-License-Identifier: Apache-2.0 */
#include "entity/refs.h"
#include "testing.h"

/* Parts from the JSON of attributes and tags, and from uids in Cedar text. */
static struct fb_entity_parts parts_of(struct bench *bench, const char *uid, const char *attrs, const char *tags)
{
    return (struct fb_entity_parts){.uid = uid_of(bench, uid), .attrs = value_of(bench, attrs), .tags = value_of(bench, tags)};
}

static const char rich_attrs[] =
    "{\"bool\":true,\"long\":-2,\"text\":\"h\u00e9llo\",\"nothing\":\"\","
    "\"friend\":{\"__entity\":{\"type\":\"App::User\",\"id\":\"bob\"}},\"set\":[\"x\",2,1,false,1],\"none\":[],"
    "\"record\":{\"b c\":{},\"a\":1},\"decimal\":{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"-1.5\"}},"
    "\"datetime\":{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2024-01-01T00:00:00.123Z\"}},"
    "\"duration\":{\"__extn\":{\"fn\":\"duration\",\"arg\":\"-1d\"}},"
    "\"v4\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.1/8\"}},\"v6\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"2001:db8::1\"}}}";

/* The three entities of golden/. */
static const struct fb_entity_block *sample(struct bench *bench, const char *name)
{
    const struct fb_uid *uids[4];
    struct fb_entity_parts parts;
    if (strcmp(name, "empty") == 0) {
        parts = parts_of(bench, "U::\"a\"", "{}", "{}");
    } else if (strcmp(name, "values") == 0) {
        parts = parts_of(bench, "App::User::\"alice\"", rich_attrs, "{\"team\":\"blue\"}");
        uids[0] = uid_of(bench, "Role::\"admin\"");
        uids[1] = uid_of(bench, "Team::\"red\"");
        parts.parents = uids;
        parts.parents_count = 2;
    } else {
        parts = parts_of(bench, "App::User::\"alice\"", "{\"n\":7}", "{}");
        uids[0] = uid_of(bench, "Role::\"admin\"");
        uids[1] = uid_of(bench, "Role::\"staff\"");
        uids[2] = uid_of(bench, "Org::\"o\"");
        uids[3] = uids[1];
        parts.parents = uids;
        parts.parents_count = 1;
        parts.ancestors = uids + 1;     /* the parent is one though it is not listed */
        parts.ancestors_count = 3;
        parts.closed = true;
    }
    const struct fb_entity_block *block = fb_entity_encode(&bench->arena, &parts);
    assert_non_null(block);
    return block;
}

static const char *const samples[] = {"empty", "values", "closed"};

static struct fb_span span_of(const struct fb_entity_block *block)
{
    return fb_span((const char *)block, block->length);
}

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

/* A copy that may be broken, in a piece of its own for the sanitizer. */
static struct fb_entity_block *copy_of(const struct fb_entity_block *block)
{
    struct fb_entity_block *copy = malloc(block->length);
    memcpy(copy, block, block->length);
    return copy;
}

/* Whatever passes the deep check can be walked to its ends, and encoded again. */
static void walk(struct bench *bench, const struct fb_entity *entity)
{
    fb_buffer_clear(&bench->out);
    fb_entity_print_json(&bench->out, entity);
    const struct fb_record *records[] = {entity->attrs, entity->tags};
    for (size_t r = 0; r < 2; r++) {
        for (uint64_t i = 0; i < records[r]->count; i++) {
            struct fb_span name = fb_value_text(fb_cell_load(&fb_record_names(records[r])[i]));
            assert_ptr_equal(fb_record_find(records[r], records[r]->symbols[i], name), &fb_record_values(records[r])[i]);
        }
        assert_true(fb_value_eq(fb_value_of_record(records[r]), fb_value_of_record(records[r])));
    }
    const struct fb_uid *parents[64], *ancestors[64];
    assert_true(entity->parents.count <= 64 && entity->ancestors.count <= 64);
    for (uint32_t i = 0; i < entity->parents.count; i++) {
        parents[i] = fb_ref_uid(&entity->parents.refs[i]);
        assert_true(fb_refs_contain(entity->parents, parents[i]));
        assert_true(!entity->closed || fb_refs_contain(entity->ancestors, parents[i]));
    }
    for (uint32_t i = 0; i < entity->ancestors.count; i++) {
        ancestors[i] = fb_ref_uid(&entity->ancestors.refs[i]);
        assert_true(fb_refs_contain(entity->ancestors, ancestors[i]));
    }
    struct fb_entity_parts parts = {.uid = entity->uid,
                                    .attrs = fb_value_of_record(entity->attrs),
                                    .tags = fb_value_of_record(entity->tags),
                                    .parents = parents,
                                    .parents_count = entity->parents.count,
                                    .ancestors = ancestors,
                                    .ancestors_count = entity->ancestors.count,
                                    .closed = entity->closed};
    struct bench again;
    struct fb_entity copy;
    bench_init(&again, &fb_heap);
    const struct fb_entity_block *block = fb_entity_encode(&again.arena, &parts);
    assert_non_null(block);
    assert_true(fb_entity_check(span_of(block), true, &copy));
    assert_true(fb_uid_eq(copy.uid, entity->uid));
    assert_true(fb_value_eq(fb_value_of_record(copy.attrs), parts.attrs));
    assert_true(fb_value_eq(fb_value_of_record(copy.tags), parts.tags));
    bench_release(&again);
}

/* Mends the checksum, as one who forges would; true if the block still passes. */
static bool passes(struct bench *bench, struct fb_entity_block *block)
{
    struct fb_entity entity;
    block->checksum = fb_entity_checksum(block);
    bool sound = fb_entity_check(span_of(block), true, &entity);
    if (sound)
        walk(bench, &entity);
    return sound;
}

static void sees_flipped_bits(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct fb_entity_block *block = copy_of(sample(bench, samples[i]));
        for (size_t bit = 0; bit < (size_t)block->length * 8; bit++) {
            unsigned char *byte = (unsigned char *)block + bit / 8;
            struct fb_entity entity;
            uint32_t length = block->length;
            *byte = (unsigned char)(*byte ^ 1u << bit % 8);
            assert_false(fb_entity_check(fb_span((char *)block, length), false, &entity));
            assert_false(fb_entity_check(fb_span((char *)block, length), true, &entity));
            *byte = (unsigned char)(*byte ^ 1u << bit % 8);
        }
        free(block);
    }
}

static void survives_forged_bytes(void **state)
{
    struct bench *bench = *state;
    static const unsigned char bytes[] = {0x00, 0x01, 0x05, 0x08, 0x10, 0x40, 0x7F, 0x80, 0xFF};
    size_t passed = 0, tried = 0;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct fb_entity_block *block = copy_of(sample(bench, samples[i]));
        for (size_t at = offsetof(struct fb_entity_block, parents_count); at < block->length; at++)
            for (size_t b = 0; b < sizeof bytes + 8; b++) {
                unsigned char *byte = (unsigned char *)block + at, kept = *byte;
                unsigned forged = b < sizeof bytes ? bytes[b] : kept ^ 1u << (b - sizeof bytes);
                *byte = (unsigned char)forged;
                tried++;
                passed += *byte != kept && passes(bench, block);
                *byte = kept;
            }
        assert_true(passes(bench, block));
        free(block);
    }
    /* Some do pass: a changed number is a number. */
    assert_true(passed > 100 && passed < tried / 4);
}

/* Words at random places, of which many point somewhere in the block. */
static void survives_forged_words(void **state)
{
    struct bench *bench = *state;
    uint64_t random = 99;
    for (int round = 0; round < 60000; round++) {
        struct fb_entity_block *block = copy_of(sample(bench, samples[round % 3]));
        for (int change = 0; change <= round % 4; change++) {
            random = fb_hash_join(random, (uint64_t)round);
            size_t words = block->length / 8, at = 2 + (size_t)(random % (words - 2));
            int64_t near = (int64_t)(random >> 20) % (int64_t)(block->length * 2) - (int64_t)block->length;
            int64_t word = random >> 61 == 0 ? INT64_MIN : random >> 61 == 1 ? (int64_t)(random << 3) : near / 8 * 8;
            memcpy((char *)block + at * 8, &word, 8);
        }
        (void)passes(bench, block);
        free(block);
        if (round % 1000 == 0)
            fb_arena_clear(&bench->arena);
    }
}

static void survives_truncation(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const struct fb_entity_block *whole = sample(bench, samples[i]);
        for (uint32_t length = 0; length < whole->length; length++) {
            struct fb_entity_block *block = malloc(length != 0 ? length : 1);
            memcpy(block, whole, length);
            struct fb_entity entity;
            assert_false(fb_entity_check(fb_span((char *)block, length), true, &entity));
            if (length >= sizeof *block) {
                block->length = length;
                assert_false(passes(bench, block));
            }
            free(block);
        }
        /* And with something behind it. */
        struct fb_entity_block *longer = calloc(1, whole->length + 8);
        memcpy(longer, whole, whole->length);
        struct fb_entity entity;
        assert_false(fb_entity_check(fb_span((char *)longer, whole->length + 8), true, &entity));
        free(longer);
    }
    struct fb_entity entity;
    assert_false(fb_entity_check(fb_span(NULL, 0), true, &entity));
}

/* The cell of attribute "x" in a block made of this JSON. */
static struct fb_cell *cell_of(struct fb_entity_block *block)
{
    struct fb_entity entity;
    fb_entity_open(block, &entity);
    size_t at = (size_t)((const char *)fb_record_find(entity.attrs, fb_hash(FB_SPAN("x")), FB_SPAN("x")) - (char *)block);
    return (struct fb_cell *)(void *)((char *)block + at);
}

static struct fb_entity_block *block_of(struct bench *bench, const char *attrs)
{
    struct fb_entity_parts parts = parts_of(bench, "U::\"a\"", attrs, "{}");
    struct fb_entity_block *block = copy_of(fb_entity_encode(&bench->arena, &parts));
    assert_true(passes(bench, block));
    return block;
}

static struct fb_cell *element(struct fb_cell *set, uint32_t i)
{
    return (struct fb_cell *)(void *)((char *)set + set->bits) + i;
}

static void refuse(struct bench *bench, struct fb_entity_block *block)
{
    assert_false(passes(bench, block));
    free(block);
}

static void refuses_bad_values(void **state)
{
    struct bench *bench = *state;
    struct fb_entity_block *block;
    struct fb_cell *x;
    block = block_of(bench, "{\"x\":true}"); x = cell_of(block); x->bits = 2; refuse(bench, block);
    block = block_of(bench, "{\"x\":1}"); x = cell_of(block); x->kind = FB_IP + 1; refuse(bench, block);
    block = block_of(bench, "{\"x\":1}"); x = cell_of(block); x->count = 1; refuse(bench, block);
    block = block_of(bench, "{\"x\":1}"); x = cell_of(block); x->reserved[2] = 1; refuse(bench, block);
    block = block_of(bench, "{\"x\":\"a\"}"); x = cell_of(block); *((char *)x + x->bits) = '\xff'; refuse(bench, block);
    block = block_of(bench, "{\"x\":\"a\"}"); x = cell_of(block); x->count = 1000; refuse(bench, block);
    block = block_of(bench, "{\"x\":\"\"}"); x = cell_of(block); x->bits = 8; refuse(bench, block);
    block = block_of(bench, "{\"x\":[1,2]}"); x = cell_of(block); element(x, 0)->bits = 3; refuse(bench, block);
    block = block_of(bench, "{\"x\":[1,2]}"); x = cell_of(block); element(x, 0)->bits = 2; refuse(bench, block);
    block = block_of(bench, "{\"x\":[1,2]}"); x = cell_of(block); x->bits += 4; refuse(bench, block);
    block = block_of(bench, "{\"x\":[1,2]}"); x = cell_of(block); x->count = UINT32_MAX; refuse(bench, block);
    block = block_of(bench, "{\"x\":[]}"); x = cell_of(block); x->bits = -8; refuse(bench, block);
    static const char ip[] = "{\"x\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.4\"}}}";
    block = block_of(bench, ip); x = cell_of(block); ((struct fb_ip *)(void *)element(x, 0))->prefix = 33; refuse(bench, block);
    block = block_of(bench, ip); x = cell_of(block); ((struct fb_ip *)(void *)element(x, 0))->family = 5; refuse(bench, block);
    block = block_of(bench, ip); x = cell_of(block); ((struct fb_ip *)(void *)element(x, 0))->address[4] = 1; refuse(bench, block);
    block = block_of(bench, ip); x = cell_of(block); ((struct fb_ip *)(void *)element(x, 0))->reserved[0] = 1; refuse(bench, block);
    static const char uid[] = "{\"x\":{\"__entity\":{\"type\":\"U\",\"id\":\"b\"}}}";
    block = block_of(bench, uid); x = cell_of(block); ((struct fb_uid *)(void *)element(x, 0))->hash++; refuse(bench, block);
    block = block_of(bench, uid); x = cell_of(block); ((struct fb_uid *)(void *)element(x, 0))->bytes[7] = 1; refuse(bench, block);
    block = block_of(bench, uid); x = cell_of(block); ((struct fb_uid *)(void *)element(x, 0))->id_len = 3; refuse(bench, block);
    block = block_of(bench, uid); x = cell_of(block); x->bits = INT64_MAX; refuse(bench, block);
    block = block_of(bench, uid); x = cell_of(block); x->bits = INT64_MIN; refuse(bench, block);
    block = block_of(bench, "{\"x\":1}"); block->reserved = 1; refuse(bench, block);
    block = block_of(bench, "{\"x\":1}"); block->closed = 2; refuse(bench, block);
    block = block_of(bench, "{\"x\":1}"); block->uid += 8; refuse(bench, block);
}

/* A set that holds itself, and sets that hold one set over and over: a walk would not end, or not
 * soon. */
static void refuses_endless_walks(void **state)
{
    struct bench *bench = *state;
    struct fb_entity_block *block = block_of(bench, "{\"x\":[[1]]}");
    struct fb_cell *x = cell_of(block), *inner = element(x, 0);
    inner->bits = 0;    /* its one element is itself */
    refuse(bench, block);

    /* 28 sets of two, each pointing to the next twice: 2^28 paths in 900 bytes. */
    char text[2000] = "{\"x\":1", *end = text + strlen(text);
    for (int i = 0; i < 28; i++)
        end += sprintf(end, ",\"s%02d\":[[%d],[%d,%d]]", i, i, i, i + 1);
    strcpy(end, "}");
    struct fb_entity_parts parts = parts_of(bench, "U::\"a\"", text, "{}");
    block = copy_of(fb_entity_encode(&bench->arena, &parts));
    struct fb_entity entity;
    fb_entity_open(block, &entity);
    struct fb_cell *sets[28];
    for (int i = 0; i < 28; i++) {
        struct fb_span name = fb_arena_format(&bench->arena, "s%02d", i);
        size_t at = (size_t)((const char *)fb_record_find(entity.attrs, fb_hash(name), name) - (char *)block);
        sets[i] = (struct fb_cell *)(void *)((char *)block + at);
    }
    for (int i = 0; i + 1 < 28; i++) {
        struct fb_cell *next = element(sets[i + 1], 0);
        for (uint32_t e = 0; e < 2; e++) {
            /* One element, then two: in order, and both from the same cells. */
            struct fb_cell *cell = element(sets[i], e);
            *cell = (struct fb_cell){.kind = FB_SET, .count = e + 1, .bits = (char *)next - (char *)cell};
        }
    }
    refuse(bench, block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(keeps_its_bytes),       BENCH_TEST(opens_what_it_wrote),   BENCH_TEST(stands_at_any_aligned_place),
        BENCH_TEST(keeps_its_limits),      BENCH_TEST(sees_flipped_bits),     BENCH_TEST(survives_forged_bytes),
        BENCH_TEST(survives_forged_words), BENCH_TEST(survives_truncation),   BENCH_TEST(refuses_bad_values),
        BENCH_TEST(refuses_endless_walks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
