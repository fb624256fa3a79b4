/* SPDX-License-Identifier: Apache-2.0 */

/* A set of entities in memory: built entity by entity, then closed (closure.c), then read by any
 * number of threads.  Each uid stands in the arena once, however often it is a parent. */

#include "entity/entity_set.h"
#include "entity/refs.h"

#include <assert.h>

#define NO_NODE UINT32_MAX

struct fb_entity_set *fb_entity_set_new(struct fb_arena *arena)
{
    struct fb_entity_set *set = fb_arena_alloc(arena, sizeof *set);
    if (set == NULL)
        return NULL;
    set->arena = arena;
    fb_map_init(&set->types, arena);
    return set;
}

/* The same for a uid that shares its whole hash with another.  fb_hash() is no secret, so whoever may choose ids can
 * make thousands of these; a hash that nobody can foresee, as it depends on where the set lies, spreads them. */
static __attribute__((noinline, cold)) struct fb_slot *slot_of_alike(const struct fb_entity_set *set,
                                                                     const struct fb_uid *uid)
{
    const struct fb_hash_key key = {(uint64_t)(uintptr_t)set, (uint64_t)(uintptr_t)set->arena};
    uint32_t tag = (uint32_t)(uid->hash >> 32);
    for (uint32_t at = (uint32_t)fb_hash_keyed(&key, fb_uid_id(uid)) & set->mask;; at = (at + 1) & set->mask) {
        struct fb_slot *slot = &set->slots[at];
        if (slot->node == 0 || (slot->tag == tag && fb_uid_eq(set->nodes[slot->node - 1].uid, uid)))
            return slot;
    }
}

/* The slot of that uid, or the free one where it belongs.  The table is never full.  The first of those with one hash
 * stands where the hash says, and none of the others before it, since slots are never left. */
static inline struct fb_slot *slot_of(const struct fb_entity_set *set, const struct fb_uid *uid)
{
    uint32_t tag = (uint32_t)(uid->hash >> 32);
    for (uint32_t at = (uint32_t)uid->hash & set->mask;; at = (at + 1) & set->mask) {
        struct fb_slot *slot = &set->slots[at];
        if (slot->node == 0)
            return slot;
        if (slot->tag != tag)
            continue;
        const struct fb_uid *other = set->nodes[slot->node - 1].uid;
        if (fb_uid_eq(other, uid))
            return slot;
        if (other->hash == uid->hash)
            return slot_of_alike(set, uid);
    }
}

static inline const struct fb_node *node_of(const struct fb_entity_set *set, const struct fb_uid *uid)
{
    const struct fb_slot *slot = set->slots != NULL ? slot_of(set, uid) : NULL;
    return slot != NULL && slot->node != 0 ? &set->nodes[slot->node - 1] : NULL;
}

#define LINE ((size_t)64)

/* Room for one more node, at the start of a cache line. */
static bool grow_nodes(struct fb_entity_set *set)
{
    if (set->nodes_count < set->nodes_capacity)
        return true;
    size_t capacity = set->nodes_capacity != 0 ? 2 * set->nodes_capacity : 4;
    char *block = fb_arena_room(set->arena, capacity * sizeof *set->nodes + LINE);
    if (block == NULL)
        return false;
    struct fb_node *nodes = (struct fb_node *)(void *)(block + (-(uintptr_t)block & (LINE - 1)));
    if (set->nodes_count != 0)
        memcpy(nodes, set->nodes, set->nodes_count * sizeof *nodes);
    fb_arena_give_back(set->arena, set->nodes_block, set->nodes_capacity * sizeof *nodes + LINE);
    set->nodes_block = block;
    set->nodes = nodes;
    set->nodes_capacity = capacity;
    return true;
}

const struct fb_node *fb_entity_set_node(const struct fb_entity_set *set, const struct fb_uid *uid)
{
    return node_of(set, uid);
}

/* Room for one more node, in the array and in the table. */
static bool make_room(struct fb_entity_set *set)
{
    if (set->nodes_count >= NO_NODE / 4 || !grow_nodes(set))
        return false;
    if (set->slots != NULL && (set->nodes_count + 1) * 2 <= (size_t)set->mask + 1)
        return true;
    uint32_t size = set->slots != NULL ? (set->mask + 1) * 2 : 16;
    struct fb_slot *slots = fb_arena_array(set->arena, size, sizeof *slots);
    if (slots == NULL)
        return false;
    if (set->slots != NULL)
        fb_arena_give_back(set->arena, set->slots, (set->mask + (size_t)1) * sizeof *slots);
    set->slots = slots;
    set->mask = size - 1;
    for (size_t i = 0; i < set->nodes_count; i++)
        *slot_of(set, set->nodes[i].uid) = (struct fb_slot){(uint32_t)(set->nodes[i].uid->hash >> 32), (uint32_t)i + 1};
    return true;
}

/* The node of that uid, made if need be; NO_NODE without memory. */
static uint32_t intern(struct fb_entity_set *set, const struct fb_uid *uid)
{
    if (!make_room(set))
        return NO_NODE;
    struct fb_slot *slot = slot_of(set, uid);
    if (slot->node != 0)
        return slot->node - 1;
    const struct fb_uid *copy = fb_uid_new(set->arena, fb_uid_type(uid), fb_uid_id(uid));
    if (copy == NULL)
        return NO_NODE;
    uint32_t index = (uint32_t)set->nodes_count++;
    set->nodes[index] = (struct fb_node){.uid = copy};
    *slot = (struct fb_slot){(uint32_t)(copy->hash >> 32), index + 1};
    return index;
}

static bool same_parents(struct fb_refs refs, struct fb_uid_list parents)
{
    if (refs.count != parents.count)
        return false;
    for (uint32_t i = 0; i < refs.count; i++)
        if (!fb_uid_eq(fb_ref_uid(&refs.refs[i]), parents.uids[i]))
            return false;
    return true;
}

static bool set_parents(struct fb_entity_set *set, uint32_t node, struct fb_uid_list parents)
{
    struct fb_ref *refs = fb_arena_array(set->arena, parents.count, sizeof *refs);
    uint32_t *nodes = fb_arena_array(set->arena, parents.count, sizeof *nodes);
    if (refs == NULL || nodes == NULL)
        return false;
    for (size_t i = 0; i < parents.count; i++) {
        nodes[i] = intern(set, parents.uids[i]);
        if (nodes[i] == NO_NODE)
            return false;
        fb_ref_store(&refs[i], set->nodes[nodes[i]].uid);
    }
    set->nodes[node].parent_nodes = nodes;
    set->nodes[node].parents = set->nodes[node].open = (struct fb_refs){refs, (uint32_t)parents.count};
    return true;
}

static uint64_t type_bit(const struct fb_uid *uid)
{
    return (uint64_t)1 << (uid->type_hash >> 58);
}

/* Lists the node as an entity.  The last step of an addition: only then has it attributes. */
static bool enlist(struct fb_entity_set *set, uint32_t index)
{
    uint32_t *entities =
        fb_arena_grow(set->arena, set->entities, set->entities_count, &set->entities_capacity, sizeof *entities);
    if (entities == NULL)
        return false;
    set->entities = entities;
    struct fb_span type = fb_uid_type(set->nodes[index].uid);
    if (fb_map_get(&set->types, type) == NULL && !fb_map_put(&set->types, type, set))
        return false;
    set->type_bits |= type_bit(set->nodes[index].uid);
    entities[set->entities_count++] = index;
    return true;
}

enum fb_added fb_entity_set_put(struct fb_entity_set *set, const struct fb_entity_parts *parts,
                                const struct fb_source *source, struct fb_range range)
{
    assert(!set->closed && parts->attrs.kind == FB_RECORD && parts->tags.kind == FB_RECORD);
    struct fb_uid_list parents;
    uint32_t index = intern(set, parts->uid);
    if (index == NO_NODE || !fb_uid_list_join(&parents, set->arena, parts->parents, parts->parents_count, NULL, 0))
        return FB_ADDED_NO_MEMORY;
    const struct fb_node *node = &set->nodes[index];
    if (node->attrs != NULL)
        return fb_value_eq(fb_value_of_record(node->attrs), parts->attrs)
                       && fb_value_eq(fb_value_of_record(node->tags), parts->tags) && same_parents(node->parents, parents)
                   ? FB_ADDED_BEFORE
                   : FB_ADDED_OTHER;
    struct fb_value attrs, tags;
    if (!fb_value_copy(set->arena, parts->attrs, &attrs) || !fb_value_copy(set->arena, parts->tags, &tags)
        || !set_parents(set, index, parents) || !enlist(set, index))
        return FB_ADDED_NO_MEMORY;
    struct fb_node *made = &set->nodes[index];
    made->attrs = attrs.record;
    made->tags = tags.record;
    made->source = source;
    made->range = range;
    made->closed = parents.count == 0;
    return FB_ADDED;
}

bool fb_entity_set_add(struct fb_entity_set *set, const struct fb_entity_parts *parts)
{
    enum fb_added added = fb_entity_set_put(set, parts, NULL, (struct fb_range){0});
    return added == FB_ADDED || added == FB_ADDED_BEFORE;
}

size_t fb_entity_set_count(const struct fb_entity_set *set)
{
    return set->entities_count;
}

void fb_entity_set_show(const struct fb_node *node, struct fb_entity *entity)
{
    *entity = (struct fb_entity){.uid = node->uid,
                                 .attrs = node->attrs,
                                 .tags = node->tags,
                                 .parents = node->parents,
                                 .ancestors = node->ancestors,
                                 .open = node->closed ? (struct fb_refs){NULL, 0} : node->open,
                                 .closed = node->closed};
}

void fb_entity_set_at(const struct fb_entity_set *set, size_t index, struct fb_entity *entity)
{
    assert(index < set->entities_count);
    fb_entity_set_show(&set->nodes[set->entities[index]], entity);
}

bool fb_entity_set_has_type(const struct fb_entity_set *set, struct fb_span type)
{
    return fb_map_get(&set->types, type) != NULL;
}

bool fb_entity_set_has_type_of(const struct fb_entity_set *set, const struct fb_uid *uid)
{
    return (set->type_bits & type_bit(uid)) != 0
           && fb_map_get_hashed(&set->types, uid->type_hash, fb_uid_type(uid)) != NULL;
}

static enum fb_found find(const void *self, const struct fb_uid *uid, struct fb_entity *entity)
{
    const struct fb_node *node = node_of(self, uid);
    if (node == NULL || node->attrs == NULL)
        return FB_ABSENT;
    fb_entity_set_show(node, entity);
    return FB_FOUND;
}

static enum fb_found find_attrs(const void *self, const struct fb_uid *uid, const struct fb_record **attrs)
{
    const struct fb_node *node = node_of(self, uid);
    if (node == NULL || node->attrs == NULL)
        return FB_ABSENT;
    *attrs = node->attrs;
    return FB_FOUND;
}

struct fb_entities fb_entity_set_source(const struct fb_entity_set *set)
{
    return (struct fb_entities){.find = find, .self = set, .find_attrs = find_attrs};
}
