/* SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"

/* Blocks that are broken on purpose, with a checksum that fits: the deep check refuses them, or what is
 * left can be walked to its ends. */

/* Whatever passes the deep check can be walked to its ends, and encoded again. */
static void walk(struct bench *bench, const struct fb_entity *entity)
{
    fb_buffer_clear(&bench->out);
    fb_entity_print_json(&bench->out, entity);
    const struct fb_record *records[] = {entity->attrs, entity->tags};
    for (size_t r = 0; r < 2; r++) {
        for (uint64_t i = 0; i < records[r]->count; i++) {
            struct fb_span name = fb_value_text(fb_cell_load(&fb_record_names(records[r])[i]));
            assert_ptr_equal(fb_record_find(records[r], records[r]->symbols[i], name),
                             &fb_record_values(records[r])[i]);
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
    size_t at =
        (size_t)((const char *)fb_record_find(entity.attrs, fb_hash(FB_SPAN("x")), FB_SPAN("x")) - (char *)block);
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

/* One field of a sound block set to a value, or moved by it. */
enum place { HEADER, CELL, TARGET }; /* of the block; attribute "x"; what "x" points to */

static void refuses_bad_values(void **state)
{
    struct bench *bench = *state;
#define MEMBER(type, member) offsetof(struct type, member), sizeof((struct type *)NULL)->member
    static const char ip4[] = "{\"x\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.4\"}}}";
    static const char ip6[] = "{\"x\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}}}";
    static const char uid[] = "{\"x\":{\"__entity\":{\"type\":\"U\",\"id\":\"b\"}}}";
    static const struct {
        const char *attrs;
        enum place place;
        size_t at, size;
        bool moved;
        uint64_t value;
    } rows[] = {
        {"{\"x\":1}", HEADER, MEMBER(fb_entity_block, reserved), false, 1},
        {"{\"x\":1}", HEADER, MEMBER(fb_entity_block, closed), false, 2},
        {"{\"x\":1}", HEADER, MEMBER(fb_entity_block, uid), true, 8},
        {"{\"x\":1}", HEADER, MEMBER(fb_entity_block, attrs), true, 4},
        {"{\"x\":1}", HEADER, MEMBER(fb_entity_block, tags), false, UINT64_MAX},
        {"{\"x\":1}", HEADER, MEMBER(fb_entity_block, parents_count), false, UINT32_MAX},
        {"{\"x\":1}", HEADER, MEMBER(fb_entity_block, parents), false, UINT64_C(1) << 63},
        {"{\"x\":true}", CELL, MEMBER(fb_cell, bits), false, 2},
        {"{\"x\":1}", CELL, MEMBER(fb_cell, kind), false, FB_IP + 1},
        {"{\"x\":1}", CELL, MEMBER(fb_cell, count), false, 1},
        {"{\"x\":1}", CELL, MEMBER(fb_cell, reserved), false, 1 << 16},
        {"{\"x\":\"a\"}", CELL, MEMBER(fb_cell, count), false, 1000},
        {"{\"x\":\"a\"}", TARGET, 0, 1, false, 0xFF},
        {"{\"x\":\"\"}", CELL, MEMBER(fb_cell, bits), false, 8},
        {"{\"x\":[1,2]}", TARGET, MEMBER(fb_cell, bits), false, 3},
        {"{\"x\":[1,2]}", TARGET, MEMBER(fb_cell, bits), false, 2},
        {"{\"x\":[1,2]}", CELL, MEMBER(fb_cell, bits), true, 4},
        {"{\"x\":[1,2]}", CELL, MEMBER(fb_cell, count), false, UINT32_MAX},
        {"{\"x\":[]}", CELL, MEMBER(fb_cell, bits), false, UINT64_MAX - 7},
        {ip4, TARGET, MEMBER(fb_ip, prefix), false, 33},
        {ip4, TARGET, MEMBER(fb_ip, family), false, 5},
        {ip4, TARGET, offsetof(struct fb_ip, address) + 4, 1, false, 1},
        {ip4, TARGET, MEMBER(fb_ip, reserved), false, 1},
        {ip6, TARGET, MEMBER(fb_ip, prefix), false, 129},
        {uid, TARGET, MEMBER(fb_uid, hash), true, 1},
        {uid, TARGET, MEMBER(fb_uid, id_len), false, 3},
        {uid, TARGET, offsetof(struct fb_uid, bytes) + 7, 1, false, 1},
        {uid, CELL, MEMBER(fb_cell, bits), false, UINT64_C(1) << 63},
        {uid, CELL, MEMBER(fb_cell, bits), false, INT64_MAX},
        /* a count whose size wraps around to that of an empty record */
        {"{\"x\":{}}", TARGET, MEMBER(fb_record, count), false, UINT64_C(1) << 61},
    };
#undef MEMBER
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fb_entity_block *block = block_of(bench, rows[i].attrs);
        struct fb_cell *x = cell_of(block);
        char *at = (rows[i].place == HEADER ? (char *)block
                    : rows[i].place == CELL ? (char *)x
                                            : (char *)element(x, 0))
                   + rows[i].at;
        uint64_t value = 0;
        memcpy(&value, at, rows[i].size);
        value = rows[i].moved ? value + rows[i].value : rows[i].value;
        memcpy(at, &value, rows[i].size);
        if (passes(bench, block))
            fail_msg("row %zu: %s", i, rows[i].attrs);
        free(block);
    }
}

/* Uids that the encoder copies without a look, since it trusts its caller. */
static void refuses_bad_uids(void **state)
{
    struct bench *bench = *state;
    static char long_type[FB_UID_TYPE_MAX + 2];
    memset(long_type, 'a', FB_UID_TYPE_MAX + 1);
    const struct {
        struct fb_span type, id;
        bool sound;
    } rows[] = {
        {FB_SPAN("U"), FB_SPAN("\u00e9"), true},
        {fb_span(long_type, FB_UID_TYPE_MAX), FB_SPAN(""), true},
        {fb_span(long_type, FB_UID_TYPE_MAX + 1), FB_SPAN(""), false},
        {FB_SPAN(""), FB_SPAN("a"), false},
        {FB_SPAN("if"), FB_SPAN("a"), false},
        {FB_SPAN("a b"), FB_SPAN("a"), false},
        {FB_SPAN("U"), FB_SPAN("\xff"), false},
        {FB_SPAN("U"), FB_SPAN("\xc3"), false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int place = 0; place < 3; place++) {
            struct fb_entity_parts parts = parts_of(bench, "U::\"a\"", "{}", "{}");
            const struct fb_uid *uid = fb_uid_write(
                fb_arena_alloc(&bench->arena, fb_uid_size(rows[i].type.len, rows[i].id.len)), rows[i].type, rows[i].id);
            struct fb_field field = {FB_SPAN("x"), fb_value_entity(uid)};
            parts.uid = place == 0 ? uid : parts.uid;
            parts.parents = &uid;
            parts.parents_count = place == 1;
            if (place == 2)
                assert_true(fb_value_record(&bench->arena, &field, 1, &parts.attrs));
            struct fb_entity_block *block = copy_of(fb_entity_encode(&bench->arena, &parts));
            assert_int_equal(passes(bench, block), rows[i].sound);
            free(block);
        }
    /* A hash that is made of a wrong hash of the type. */
    struct fb_entity_block *block = copy_of(sample(bench, "empty"));
    struct fb_uid *uid = (struct fb_uid *)(void *)((char *)block + block->uid);
    uid->type_hash++;
    uid->hash = fb_hash_join(uid->type_hash, fb_hash(FB_SPAN("a")));
    refuse(bench, block);
}

/* Whatever is sorted must be; a search would miss what it holds. */
static void refuses_bad_orders(void **state)
{
    struct bench *bench = *state;
    struct fb_entity_block *block = copy_of(sample(bench, "values"));
    struct fb_ref *refs = (struct fb_ref *)(void *)((char *)block + block->parents), kept[2] = {refs[0], refs[1]};
    const int64_t step = sizeof(struct fb_ref);
    refs[1] = (struct fb_ref){kept[0].hash, kept[0].offset - step};
    assert_false(passes(bench, block)); /* twice the same */
    refs[0] = (struct fb_ref){kept[1].hash, kept[1].offset + step};
    assert_false(passes(bench, block)); /* descending */
    refs[0] = kept[0];
    refs[1] = kept[1];
    assert_true(passes(bench, block));
    free(block);

    block = block_of(bench, "{\"x\":1,\"y\":2}");
    struct fb_record *record = (struct fb_record *)(void *)((char *)block + block->attrs);
    struct fb_cell *values = (struct fb_cell *)(void *)(record->symbols + 2), *names = values + 2;
    uint64_t symbol = record->symbols[0];
    struct fb_cell name = names[0];
    record->symbols[0] = record->symbols[1];
    record->symbols[1] = symbol;
    names[0] = (struct fb_cell){.kind = FB_STRING, .count = 1, .bits = names[1].bits + (int64_t)sizeof name};
    names[1] = (struct fb_cell){.kind = FB_STRING, .count = 1, .bits = name.bits - (int64_t)sizeof name};
    assert_false(passes(bench, block)); /* descending */
    record->symbols[1] = record->symbols[0];
    names[1] = (struct fb_cell){.kind = FB_STRING, .count = 1, .bits = names[0].bits - (int64_t)sizeof name};
    refuse(bench, block); /* twice the same */

    block = block_of(bench, "{\"x\":1}");
    ((struct fb_record *)(void *)((char *)block + block->attrs))->symbols[0]++;
    refuse(bench, block); /* not the name's */
    block = copy_of(sample(bench, "closed"));
    block->closed = 0;
    refuse(bench, block); /* ancestors that are not all */
    block = copy_of(sample(bench, "closed"));
    block->ancestors_count = 0;
    refuse(bench, block); /* a parent that is no ancestor */
}

/* Two sound halves put together are too deep. */
static void refuses_depth(void **state)
{
    struct bench *bench = *state;
    for (int kind = FB_SET; kind <= FB_RECORD; kind++) {
        struct fb_value deepest = fb_value_number(FB_LONG, 1), value = deepest;
        for (unsigned i = 1; i < FB_VALUE_DEPTH; i++) {
            struct fb_value inner = value;
            assert_true(fb_value_set(&bench->arena, &inner, 1, &value));
        }
        struct fb_field fields[] = {
            {FB_SPAN("x"), value}, {FB_SPAN("y"), value_of(bench, "[5]")}, {FB_SPAN("z"), value_of(bench, "{}")}};
        struct fb_entity_parts parts = parts_of(bench, "U::\"a\"", "{}", "{}");
        assert_true(fb_value_record(&bench->arena, fields, 3, &parts.attrs));
        struct fb_entity_block *block = copy_of(fb_entity_encode(&bench->arena, &parts));
        assert_true(passes(bench, block));
        struct fb_entity entity;
        fb_entity_open(block, &entity);
        const struct fb_cell *other = kind == FB_SET
                                          ? fb_record_find(entity.attrs, fb_hash(FB_SPAN("y")), FB_SPAN("y"))
                                          : fb_record_find(entity.attrs, fb_hash(FB_SPAN("z")), FB_SPAN("z"));
        struct fb_cell *leaf = cell_of(block);
        while (leaf->kind == FB_SET)
            leaf = element(leaf, 0);
        *leaf = (struct fb_cell){.kind = (uint8_t)kind, .count = other->count};
        leaf->bits = (const char *)other + other->bits - (const char *)leaf;
        refuse(bench, block);
    }
}

/* Sound but for its length. */
static void refuses_giants(void **state)
{
    struct bench *bench = *state;
    const struct fb_entity_block *sound = sample(bench, "empty");
    for (uint32_t length = FB_ENTITY_MAX; length <= FB_ENTITY_MAX + 8; length += 8) {
        struct fb_entity_block *block = calloc(1, length);
        memcpy(block, sound, sound->length);
        block->length = length;
        assert_int_equal(passes(bench, block), length == FB_ENTITY_MAX);
        free(block);
    }
}

/* A set that holds itself, and sets that hold one set over and over: a walk would not end, or not
 * soon. */
static void refuses_endless_walks(void **state)
{
    struct bench *bench = *state;
    struct fb_entity_block *block = block_of(bench, "{\"x\":[[1]]}");
    struct fb_cell *x = cell_of(block), *inner = element(x, 0);
    inner->bits = 0; /* its one element is itself */
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
        BENCH_TEST(sees_flipped_bits),   BENCH_TEST(survives_forged_bytes), BENCH_TEST(survives_forged_words),
        BENCH_TEST(survives_truncation), BENCH_TEST(refuses_bad_values),    BENCH_TEST(refuses_bad_uids),
        BENCH_TEST(refuses_bad_orders),  BENCH_TEST(refuses_depth),         BENCH_TEST(refuses_giants),
        BENCH_TEST(refuses_endless_walks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
