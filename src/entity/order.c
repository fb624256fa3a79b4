/* SPDX-License-Identifier: Apache-2.0 */

/* A closed set of entities in order, and the way down: which entities are in a group.  Made once, for
 * lists; decisions need only the way up.  And the way back along attributes: which entities name another.
 * Both stand as positions in the order, ascending, so that several can be merged. */

#include "entity/entity_set.h"

#include <stdlib.h>

#define SCRATCH_BYTES ((size_t)1 << 30)

struct fb_entity_order {
    const struct fb_entity_set *set;
    uint32_t *nodes; /* of the entities, by type and id */
    uint32_t count;
    uint32_t *starts;  /* of a node's members in `members`; one more at the end */
    uint32_t *members; /* positions in `nodes` */
    /* Each entity that an attribute is, or has in its set: by the hash of the two, then by position.  Hashes
     * are not confirmed: who asks decides each anyway, and one too many is only looked at. */
    uint64_t *keys;
    uint32_t *referring;
    uint32_t referring_count;
};

struct placed {
    const struct fb_uid *uid;
    uint32_t node;
};

int fb_uid_order(const struct fb_uid *a, const struct fb_uid *b)
{
    int order = fb_span_cmp(fb_uid_type(a), fb_uid_type(b));
    return order != 0 ? order : fb_span_cmp(fb_uid_id(a), fb_uid_id(b));
}

static int by_place(const void *a, const void *b)
{
    return fb_uid_order(((const struct placed *)a)->uid, ((const struct placed *)b)->uid);
}

static bool sort_entities(struct fb_entity_order *order, struct fb_arena *arena, struct fb_arena *scratch)
{
    const struct fb_entity_set *set = order->set;
    size_t count = set->entities_count;
    struct placed *placed = fb_arena_array(scratch, count + 1, sizeof *placed);
    order->nodes = fb_arena_array(arena, count + 1, sizeof *order->nodes);
    if (placed == NULL || order->nodes == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        placed[i] = (struct placed){set->nodes[set->entities[i]].uid, set->entities[i]};
    if (count > 1)
        qsort(placed, count, sizeof *placed, by_place);
    for (size_t i = 0; i < count; i++)
        order->nodes[i] = placed[i].node;
    order->count = (uint32_t)count;
    return true;
}

/* What the two passes over all memberships do: count, then enter. */
struct pass {
    struct fb_entity_order *order;
    uint32_t *last; /* of nodes: the last position that was counted, + 1 */
    uint32_t *ends; /* NULL in the first pass: of nodes, where its next member goes */
};

static void take(struct pass *pass, uint32_t position, struct fb_refs groups)
{
    const struct fb_entity_set *set = pass->order->set;
    for (uint32_t i = 0; i < groups.count; i++) {
        const struct fb_node *group = fb_entity_set_node(set, fb_ref_uid(&groups.refs[i]));
        if (group == NULL)
            continue;
        size_t node = (size_t)(group - set->nodes);
        if (pass->last[node] == position + 1)
            continue; /* a parent is an ancestor too */
        pass->last[node] = position + 1;
        if (pass->ends == NULL)
            pass->order->starts[node + 1]++;
        else
            pass->order->members[pass->ends[node]++] = position;
    }
}

static void run_pass(struct pass *pass)
{
    for (uint32_t i = 0; i < pass->order->count; i++) {
        const struct fb_node *node = &pass->order->set->nodes[pass->order->nodes[i]];
        take(pass, i, node->ancestors);
        take(pass, i, node->parents);
        take(pass, i, node->open);
    }
}

static bool find_members(struct fb_entity_order *order, struct fb_arena *arena, struct fb_arena *scratch)
{
    size_t nodes = order->set->nodes_count;
    struct pass pass = {.order = order, .last = fb_arena_array(scratch, nodes + 1, sizeof *pass.last)};
    uint32_t *ends = fb_arena_array(scratch, nodes + 1, sizeof *ends);
    order->starts = fb_arena_array(arena, nodes + 1, sizeof *order->starts);
    if (pass.last == NULL || ends == NULL || order->starts == NULL)
        return false;
    run_pass(&pass);
    /* FB_CLOSURE_MAX and the direct parents keep the sum within 32 bits. */
    uint64_t total = 0;
    for (size_t i = 1; i <= nodes; i++) {
        total += order->starts[i];
        if (total > UINT32_MAX)
            return false;
        order->starts[i] = (uint32_t)total;
    }
    order->members = fb_arena_array(arena, (size_t)total + 1, sizeof *order->members);
    if (order->members == NULL)
        return false;
    memcpy(ends, order->starts, nodes * sizeof *ends);
    memset(pass.last, 0, nodes * sizeof *pass.last);
    pass.ends = ends;
    run_pass(&pass);
    return true;
}

/* --- Attributes ----------------------------------------------------------------------------------- */

struct reference {
    uint64_t key;
    uint32_t position;
};

struct references {
    struct reference *list;
    size_t count, capacity;
    struct fb_arena *arena;
    bool failed;
};

static int by_key(const void *a, const void *b)
{
    const struct reference *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

static uint64_t key_of(uint64_t symbol, const struct fb_uid *uid)
{
    return fb_hash_join(symbol, uid->hash);
}

static void add_reference(struct references *references, uint64_t symbol, struct fb_value value, uint32_t position)
{
    if (value.kind != FB_ENTITY || references->failed)
        return;
    struct reference *list =
        fb_arena_grow(references->arena, references->list, references->count, &references->capacity, sizeof *list);
    references->failed = list == NULL || references->count == UINT32_MAX;
    if (references->failed)
        return;
    references->list = list;
    list[references->count++] = (struct reference){key_of(symbol, value.uid), position};
}

static void collect_references(const struct fb_entity_order *order, struct references *references)
{
    for (uint32_t i = 0; i < order->count; i++) {
        const struct fb_record *attrs = order->set->nodes[order->nodes[i]].attrs;
        for (uint32_t j = 0; j < attrs->count; j++) {
            struct fb_value value = fb_cell_load(&fb_record_values(attrs)[j]);
            uint64_t symbol = fb_hash(fb_value_text(fb_cell_load(&fb_record_names(attrs)[j])));
            add_reference(references, symbol, value, i);
            for (uint32_t k = 0; value.kind == FB_SET && k < value.count; k++)
                add_reference(references, symbol, fb_cell_load(&value.cells[k]), i);
        }
    }
}

static bool find_references(struct fb_entity_order *order, struct fb_arena *arena, struct fb_arena *scratch)
{
    struct references references = {.arena = scratch};
    collect_references(order, &references);
    order->keys = fb_arena_array(arena, references.count + 1, sizeof *order->keys);
    order->referring = fb_arena_array(arena, references.count + 1, sizeof *order->referring);
    if (references.failed || order->keys == NULL || order->referring == NULL)
        return false;
    if (references.count > 1)
        qsort(references.list, references.count, sizeof *references.list, by_key);
    for (size_t i = 0; i < references.count; i++) {
        order->keys[i] = references.list[i].key;
        order->referring[i] = references.list[i].position;
    }
    order->referring_count = (uint32_t)references.count;
    return true;
}

struct fb_entity_order *fb_entity_order_new(struct fb_arena *arena, const struct fb_entity_set *set)
{
    struct fb_entity_order *order = fb_arena_alloc(arena, sizeof *order);
    struct fb_arena scratch;
    if (order == NULL)
        return NULL;
    order->set = set;
    fb_arena_init(&scratch, arena->allocator, SCRATCH_BYTES);
    bool done = sort_entities(order, arena, &scratch) && find_members(order, arena, &scratch)
                && find_references(order, arena, &scratch);
    fb_arena_release(&scratch);
    return done ? order : NULL;
}

void fb_entity_order_at(const struct fb_entity_order *order, uint32_t position, struct fb_entity *entity)
{
    fb_entity_set_show(&order->set->nodes[order->nodes[position]], entity);
}

/* Is the entity at the position behind the type and, if there is one, `after`? */
static bool is_before(const struct fb_entity_order *order, uint32_t position, struct fb_span type,
                      const struct fb_uid *after)
{
    const struct fb_uid *uid = order->set->nodes[order->nodes[position]].uid;
    int types = fb_span_cmp(fb_uid_type(uid), type);
    if (types != 0)
        return types < 0;
    return after != NULL && fb_span_cmp(fb_uid_id(uid), fb_uid_id(after)) <= 0;
}

/* The first of `count` ascending positions (NULL: all) that is not before. */
static uint32_t first_of(const struct fb_entity_order *order, const uint32_t *positions, uint32_t count,
                         struct fb_span type, const struct fb_uid *after)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_before(order, positions != NULL ? positions[middle] : middle, type, after))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t fb_entity_order_from(const struct fb_entity_order *order, struct fb_span type, const struct fb_uid *after)
{
    return first_of(order, NULL, order->count, type, after);
}

uint32_t fb_entity_order_count(const struct fb_entity_order *order)
{
    return order->count;
}

struct fb_positions fb_entity_order_members(const struct fb_entity_order *order, const struct fb_uid *group,
                                            struct fb_span type, const struct fb_uid *after)
{
    const struct fb_node *node = fb_entity_set_node(order->set, group);
    if (node == NULL)
        return (struct fb_positions){NULL, 0};
    size_t index = (size_t)(node - order->set->nodes);
    const uint32_t *members = order->members + order->starts[index];
    uint32_t count = order->starts[index + 1] - order->starts[index];
    uint32_t first = first_of(order, members, count, type, after);
    return (struct fb_positions){members + first, count - first};
}

const struct fb_uid *fb_entity_order_outside(const struct fb_entity_order *order, uint32_t *at)
{
    while (*at < order->set->nodes_count) {
        const struct fb_node *node = &order->set->nodes[(*at)++];
        if (node->attrs == NULL)
            return node->uid;
    }
    return NULL;
}

/* The first key that is not less. */
static uint32_t first_key(const struct fb_entity_order *order, uint64_t key)
{
    uint32_t low = 0, high = order->referring_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (order->keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct fb_positions fb_entity_order_referring(const struct fb_entity_order *order, uint64_t symbol,
                                              const struct fb_uid *to, struct fb_span type, const struct fb_uid *after)
{
    uint64_t key = key_of(symbol, to);
    uint32_t from = first_key(order, key);
    uint32_t end = key == UINT64_MAX ? order->referring_count : first_key(order, key + 1);
    uint32_t first = first_of(order, order->referring + from, end - from, type, after);
    return (struct fb_positions){order->referring + from + first, end - from - first};
}
