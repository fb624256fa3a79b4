/* SPDX-License-Identifier: Apache-2.0 */
/* An entity's block as it may stand in a store: any bytes, with the header's magic, length and checksum made
 * right, as one who forges would.  Whatever passes the deep check can be walked to its ends and written again. */
#include "fuzz.h"

#include "entity/refs.h"

static void walk_value(struct fb_value value)
{
    if (value.kind == FB_SET) {
        for (uint32_t i = 0; i < value.count; i++) {
            fuzz_must(fb_set_contains(value, fb_cell_load(&value.cells[i])), "a set contains its elements");
            walk_value(fb_cell_load(&value.cells[i]));
        }
    } else if (value.kind == FB_RECORD) {
        for (uint64_t i = 0; i < value.record->count; i++) {
            struct fb_span name = fb_value_text(fb_cell_load(&fb_record_names(value.record)[i]));
            const struct fb_cell *cell = fb_record_find(value.record, value.record->symbols[i], name);
            fuzz_must(cell == &fb_record_values(value.record)[i], "a field is found by its name");
            walk_value(fb_cell_load(cell));
        }
    }
}

static const struct fb_uid **uids_of(struct fb_arena *arena, struct fb_refs refs)
{
    const struct fb_uid **uids = fb_arena_array(arena, refs.count, sizeof *uids);
    for (uint32_t i = 0; i < refs.count; i++) {
        uids[i] = fb_ref_uid(&refs.refs[i]);
        fuzz_must(fb_refs_contain(refs, uids[i]), "a list contains its uids");
    }
    return uids;
}

static void walk(struct fb_arena *arena, const struct fb_entity *entity)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)64 << 20);
    fb_entity_print_json(&out, entity);
    fuzz_must_show(fuzz_is_json(fb_buffer_span(&out), arena), "an entity prints as JSON", fb_buffer_span(&out));
    fb_buffer_release(&out);
    struct fb_entity_parts parts = {.uid = entity->uid, .attrs = fb_value_of_record(entity->attrs),
                                    .tags = fb_value_of_record(entity->tags),
                                    .parents = uids_of(arena, entity->parents), .parents_count = entity->parents.count,
                                    .ancestors = uids_of(arena, entity->ancestors),
                                    .ancestors_count = entity->ancestors.count, .closed = entity->closed};
    walk_value(parts.attrs);
    walk_value(parts.tags);
    struct fb_entity copy;
    const struct fb_entity_block *again = fb_entity_encode(arena, &parts);
    fuzz_must(again != NULL && fb_entity_check(fb_span((const char *)again, again->length), true, &copy),
              "what passes can be written again");
    fuzz_must(fb_uid_eq(copy.uid, entity->uid) && fb_value_eq(fb_value_of_record(copy.attrs), parts.attrs)
                  && fb_value_eq(fb_value_of_record(copy.tags), parts.tags), "… as the same");
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_entity entity;
    size_t length = input.len / 8 * 8;
    if (length < sizeof(struct fb_entity_block))
        return;
    struct fb_entity_block *block = fb_arena_alloc(arena, length);
    memcpy(block, input.ptr, length);
    block->magic = FB_ENTITY_MAGIC;
    block->length = (uint32_t)length;
    block->checksum = fb_entity_checksum(block);
    struct fb_span bytes = fb_span((const char *)block, length);
    bool shallow = fb_entity_check(bytes, false, &entity), deep = fb_entity_check(bytes, true, &entity);
    fuzz_must(shallow || !deep, "the deep check asks for more");
    if (deep)
        walk(arena, &entity);
}
