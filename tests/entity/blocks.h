/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_ENTITY_BLOCKS_H
#define FB_TESTS_ENTITY_BLOCKS_H

/* Sound blocks to look at and to break. */
#include "entity/refs.h"
#include "testing.h"

/* Parts from the JSON of attributes and tags, and from uids in Cedar text. */
static inline struct fb_entity_parts parts_of(struct bench *bench, const char *uid, const char *attrs, const char *tags)
{
    return (struct fb_entity_parts){
        .uid = uid_of(bench, uid), .attrs = value_of(bench, attrs), .tags = value_of(bench, tags)};
}

static const char rich_attrs[] =
    "{\"bool\":true,\"long\":-2,\"text\":\"h\u00e9llo\",\"nothing\":\"\","
    "\"friend\":{\"__entity\":{\"type\":\"App::User\",\"id\":\"bob\"}},\"set\":[\"x\",2,1,false,1],\"none\":[],"
    "\"record\":{\"b c\":{},\"a\":1},\"decimal\":{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"-1.5\"}},"
    "\"datetime\":{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2024-01-01T00:00:00.123Z\"}},"
    "\"duration\":{\"__extn\":{\"fn\":\"duration\",\"arg\":\"-1d\"}},"
    "\"v4\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.1/"
    "8\"}},\"v6\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"2001:db8::1\"}}}";

/* The three entities of golden/. */
static inline const struct fb_entity_block *sample(struct bench *bench, const char *name)
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
        parts.ancestors = uids + 1; /* the parent is one though it is not listed */
        parts.ancestors_count = 3;
        parts.closed = true;
    }
    const struct fb_entity_block *block = fb_entity_encode(&bench->arena, &parts);
    assert_non_null(block);
    return block;
}

static const char *const samples[] = {"empty", "values", "closed"};

static inline struct fb_span span_of(const struct fb_entity_block *block)
{
    return fb_span((const char *)block, block->length);
}

/* A copy that may be broken, in a piece of its own for the sanitizer. */
static inline struct fb_entity_block *copy_of(const struct fb_entity_block *block)
{
    struct fb_entity_block *copy = malloc(block->length);
    memcpy(copy, block, block->length);
    return copy;
}

#endif
