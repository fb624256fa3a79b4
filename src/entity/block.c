/* SPDX-License-Identifier: Apache-2.0 */

/* The one encoding of an entity, written and opened.  check.c decides whether bytes from outside are
 * such a block. */

#include "entity/entity.h"
#include "entity/layout.h"
#include "entity/refs.h"

#include <stdlib.h>

/* Bytes that the uids take. */
static size_t uids_size(struct fb_uid_list list)
{
    size_t size = 0;
    for (size_t i = 0; i < list.count; i++)
        size += fb_uid_size(list.uids[i]->type_len, list.uids[i]->id_len);
    return size;
}

/* Writes the uids of a sorted list and refs to them; what `known` has is referred to there. */
static void write_refs(struct fb_layout *layout, struct fb_ref *refs, struct fb_uid_list list, struct fb_refs known)
{
    for (size_t i = 0; i < list.count; i++) {
        const struct fb_ref *found = fb_refs_find(known, list.uids[i]);
        const struct fb_uid *uid = found != NULL ? fb_ref_uid(found) : fb_layout_uid(layout, list.uids[i]);
        fb_ref_store(&refs[i], uid);
    }
}

static void write_block(struct fb_entity_block *block, const struct fb_entity_parts *parts, struct fb_uid_list parents,
                        struct fb_uid_list ancestors, size_t aligned)
{
    char *start = (char *)block;
    struct fb_layout layout = {start + sizeof *block, start + aligned};
    struct fb_ref *parent_refs = (struct fb_ref *)(void *)layout.aligned;
    struct fb_ref *ancestor_refs = parent_refs + parents.count;
    layout.aligned = (char *)(ancestor_refs + ancestors.count);
    block->parents_count = (uint32_t)parents.count;
    block->ancestors_count = (uint32_t)ancestors.count;
    block->closed = parts->closed;
    block->parents = (const char *)parent_refs - start;
    block->ancestors = (const char *)ancestor_refs - start;
    block->attrs = fb_layout_value(&layout, parts->attrs).text - start;
    block->tags = fb_layout_value(&layout, parts->tags).text - start;
    block->uid = (const char *)fb_layout_uid(&layout, parts->uid) - start;
    write_refs(&layout, ancestor_refs, ancestors, (struct fb_refs){0});
    write_refs(&layout, parent_refs, parents, (struct fb_refs){ancestor_refs, block->ancestors_count});
    block->checksum = fb_entity_checksum(block);
}

uint64_t fb_entity_checksum(const struct fb_entity_block *block)
{
    size_t covered = offsetof(struct fb_entity_block, parents_count);
    return fb_hash(fb_span((const char *)block + covered, block->length - covered));
}

const struct fb_entity_block *fb_entity_encode(struct fb_arena *arena, const struct fb_entity_parts *parts)
{
    struct fb_uid_list parents = {0}, ancestors = {0};
    if (!fb_uid_list_join(&parents, arena, parts->parents, parts->parents_count, NULL, 0)
        || (parts->closed
            && !fb_uid_list_join(&ancestors, arena, parts->ancestors, parts->ancestors_count, parts->parents,
                                 parts->parents_count)))
        return NULL;
    struct fb_layout_size size = {0};
    if (!fb_layout_measure(&size, parts->attrs, FB_VALUE_DEPTH) || !fb_layout_measure(&size, parts->tags, FB_VALUE_DEPTH))
        return NULL;
    size.aligned += sizeof(struct fb_entity_block) + (parents.count + ancestors.count) * sizeof(struct fb_ref)
                  + fb_uid_size(parts->uid->type_len, parts->uid->id_len)
                  + uids_size(parts->closed ? ancestors : parents);
    size_t length = (size.aligned + size.text + 7) & ~(size_t)7;
    if (length > FB_ENTITY_MAX)
        return NULL;
    struct fb_entity_block *block = fb_arena_alloc(arena, length);
    if (block == NULL)
        return NULL;
    block->magic = FB_ENTITY_MAGIC;
    block->length = (uint32_t)length;
    write_block(block, parts, parents, ancestors, size.aligned);
    return block;
}

void fb_entity_open(const struct fb_entity_block *block, struct fb_entity *entity)
{
    const char *start = (const char *)block;
    entity->uid = (const struct fb_uid *)(const void *)(start + block->uid);
    entity->attrs = (const struct fb_record *)(const void *)(start + block->attrs);
    entity->tags = (const struct fb_record *)(const void *)(start + block->tags);
    entity->parents = (struct fb_refs){(const struct fb_ref *)(const void *)(start + block->parents), block->parents_count};
    entity->ancestors =
        (struct fb_refs){(const struct fb_ref *)(const void *)(start + block->ancestors), block->ancestors_count};
    entity->closed = block->closed != 0;
    entity->open = entity->closed ? (struct fb_refs){0} : entity->parents;
}
