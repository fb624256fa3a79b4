/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENTITY_SET_H
#define FB_ENTITY_SET_H

#include "entity/entity.h"

/* The inside of a set of entities: a graph whose nodes are all uids that it mentions, and a hash table
 * over them.  Internal to entity: entity_set.c builds it, closure.c finds the ancestors. */

/* Two cache lines; a decision reads the first. */
struct fb_node {
    const struct fb_uid *uid;
    const struct fb_record *attrs, *tags;   /* attrs NULL: mentioned as a parent, not an entity here */
    struct fb_refs parents, ancestors;
    bool closed;
    struct fb_refs open;                    /* empty if closed */
    const uint32_t *parent_nodes;           /* beside parents.refs */
    const struct fb_source *source;         /* where it was read, or NULL */
    struct fb_range range;
    uint64_t reserved[3];
};
_Static_assert(sizeof(struct fb_node) == 128, "two cache lines");

/* Open addressing, linear probing, at most half full. */
struct fb_slot {
    uint32_t tag;       /* high half of the uid's hash */
    uint32_t node;      /* index + 1; 0: free */
};

struct fb_entity_set {
    struct fb_arena *arena;
    void *nodes_block;          /* in which they stand */
    struct fb_node *nodes;
    size_t nodes_count, nodes_capacity;
    struct fb_slot *slots;
    uint32_t mask;
    uint32_t *entities;         /* the nodes that are entities, in the order of addition */
    size_t entities_count, entities_capacity;
    struct fb_map types;        /* types of the entities */
    uint64_t type_bits;         /* a bit for each, by six bits of its hash: most others are told apart by that */
    bool closed;
};

enum fb_added { FB_ADDED, FB_ADDED_BEFORE, FB_ADDED_OTHER, FB_ADDED_NO_MEMORY };

/* Adds an entity that was read at `range` of `source` (NULL: made by hand).  FB_ADDED_BEFORE: it is
 * there already, equal.  FB_ADDED_OTHER: it is there and different. */
enum fb_added fb_entity_set_put(struct fb_entity_set *set, const struct fb_entity_parts *parts,
                                const struct fb_source *source, struct fb_range range);
/* The node of that uid, or NULL. */
const struct fb_node *fb_entity_set_node(const struct fb_entity_set *set, const struct fb_uid *uid);

void fb_entity_set_show(const struct fb_node *node, struct fb_entity *entity);

/* What a diagnostic says when memory runs out. */
#define FB_NO_MEMORY_CODE "entity.memory"
#define FB_NO_MEMORY_TEXT "out of memory, or more data than this reader may hold"

#endif
