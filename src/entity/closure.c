/* SPDX-License-Identifier: Apache-2.0 */

/* The ancestors of every entity of a set.
 *
 * A depth-first walk upwards, with a stack of its own so that a long chain cannot overflow the real
 * one, finishes each node behind its parents; then its ancestors are its parents and theirs.  A parent
 * that is still on the stack closes a cycle.  Inside, a node is known by its rank among all uids, so
 * that lists of ranks in ascending order are lists of uids in the order of fb_uid_cmp. */

#include "entity/entity_set.h"
#include "entity/refs.h"

#include <stdlib.h>

#define CYCLE_SHOWN 32u     /* names of a cycle that a message holds */

struct ranks {
    uint32_t *list;         /* ascending */
    uint32_t count;
};

struct frame {
    uint32_t node, next;    /* the next of its parents to look at */
};

enum colour { WHITE, GREY, BLACK };

struct closure {
    struct fb_entity_set *set;
    struct fb_diags *diags;
    struct fb_arena scratch;
    uint8_t *colours;           /* of nodes: unseen, on the stack, finished */
    struct frame *stack;
    size_t depth;
    uint32_t *rank_of, *node_of;
    uint32_t *marks;            /* of ranks: the last node that collected it, + 1 */
    struct ranks *ancestors;    /* of nodes */
    uint64_t total;             /* ancestors of all finished nodes */
    bool cyclic;                /* then only more cycles are looked for */
};

/* A uid and its node, for ranking. */
struct ranked {
    const struct fb_uid *uid;
    uint32_t node;
};

static int by_uid(const void *a, const void *b)
{
    return fb_uid_cmp(((const struct ranked *)a)->uid, ((const struct ranked *)b)->uid);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool prepare(struct closure *c)
{
    size_t n = c->set->nodes_count;
    struct ranked *ranked = fb_arena_array(&c->scratch, n, sizeof *ranked);
    c->colours = fb_arena_array(&c->scratch, n, sizeof *c->colours);
    c->stack = fb_arena_array(&c->scratch, n, sizeof *c->stack);
    c->rank_of = fb_arena_array(&c->scratch, n, sizeof *c->rank_of);
    c->node_of = fb_arena_array(&c->scratch, n, sizeof *c->node_of);
    c->marks = fb_arena_array(&c->scratch, n, sizeof *c->marks);
    c->ancestors = fb_arena_array(&c->scratch, n, sizeof *c->ancestors);
    if (c->scratch.failed)
        return false;
    for (uint32_t i = 0; i < n; i++)
        ranked[i] = (struct ranked){c->set->nodes[i].uid, i};
    if (n > 1)
        qsort(ranked, n, sizeof *ranked, by_uid);
    for (uint32_t i = 0; i < n; i++) {
        c->node_of[i] = ranked[i].node;
        c->rank_of[ranked[i].node] = i;
    }
    return true;
}

/* The message names each of the cycle once, from the entity where the walk entered it, and that one
 * again. */
static void report_cycle(struct closure *c, uint32_t first)
{
    c->cyclic = true;
    size_t from = c->depth;
    while (from != 0 && c->stack[from - 1].node != first)
        from--;
    from -= from != 0;
    const struct fb_node *node = &c->set->nodes[first];
    struct fb_buffer names;
    fb_buffer_init(&names, c->scratch.allocator, 64u << 10);
    for (size_t i = from; i < c->depth && i - from < CYCLE_SHOWN; i++) {
        fb_uid_print(&names, c->set->nodes[c->stack[i].node].uid);
        fb_buffer_add_z(&names, " in ");
    }
    if (c->depth - from > CYCLE_SHOWN)
        fb_buffer_add_format(&names, "... (%zu more) in ", c->depth - from - CYCLE_SHOWN);
    fb_uid_print(&names, node->uid);
    struct fb_diag *diag = fb_diag_add(c->diags, FB_ERROR, "entity.cycle", node->source, node->range,
                                       "the hierarchy has a cycle: %s", names.failed ? "(too long to show)" : names.ptr);
    diag->hint = FB_SPAN("an entity cannot be its own ancestor; remove one of these parents");
    fb_buffer_release(&names);
}

/* Collects parents and their ancestors, each once, unsorted. */
static uint32_t collect(struct closure *c, uint32_t node, uint32_t *out)
{
    const struct fb_node *of = &c->set->nodes[node];
    uint32_t count = 0;
    for (uint32_t i = 0; i < of->parents.count; i++) {
        uint32_t parent = of->parent_nodes[i], rank = c->rank_of[parent];
        struct ranks above = c->ancestors[parent];
        for (uint32_t j = 0; j <= above.count; j++) {
            uint32_t each = j < above.count ? above.list[j] : rank;
            if (c->marks[each] != node + 1) {
                c->marks[each] = node + 1;
                out[count++] = each;
            }
        }
    }
    return count;
}

/* Of a node with one parent: the parent put into its own list. */
static uint32_t insert(struct ranks above, uint32_t rank, uint32_t *out)
{
    uint32_t low = 0;
    while (low < above.count && above.list[low] < rank)
        low++;
    if (above.count != 0) {
        memcpy(out, above.list, low * sizeof *out);
        memcpy(out + low + 1, above.list + low, (above.count - low) * sizeof *out);
    }
    out[low] = rank;
    return above.count + 1;
}

/* Writes the node's refs from its ranks. */
static bool write_refs(struct closure *c, uint32_t index)
{
    struct fb_node *node = &c->set->nodes[index];
    struct ranks ranks = c->ancestors[index];
    uint32_t missing = 0;
    for (uint32_t i = 0; i < ranks.count; i++)
        missing += c->set->nodes[c->node_of[ranks.list[i]]].attrs == NULL;
    struct fb_ref *refs = fb_arena_array(c->set->arena, (size_t)ranks.count + missing, sizeof *refs);
    if (refs == NULL)
        return false;
    struct fb_ref *open = refs + ranks.count;
    for (uint32_t i = 0; i < ranks.count; i++) {
        const struct fb_node *ancestor = &c->set->nodes[c->node_of[ranks.list[i]]];
        fb_ref_store(&refs[i], ancestor->uid);
        if (ancestor->attrs == NULL)
            fb_ref_store(open++, ancestor->uid);
    }
    node->ancestors = (struct fb_refs){refs, ranks.count};
    node->open = (struct fb_refs){refs + ranks.count, missing};
    node->closed = missing == 0;
    return true;
}

/* The node's parents are finished: so is it.  False stops the walk. */
static bool finish(struct closure *c, uint32_t index)
{
    const struct fb_node *node = &c->set->nodes[index];
    uint64_t most = 0;
    for (uint32_t i = 0; i < node->parents.count; i++)
        most += c->ancestors[node->parent_nodes[i]].count + UINT64_C(1);
    if (most == 0 || c->cyclic)
        return true;
    uint64_t nodes = c->set->nodes_count;
    struct ranks *ranks = &c->ancestors[index];
    ranks->list = fb_arena_array(&c->scratch, (size_t)(most < nodes ? most : nodes), sizeof *ranks->list);
    if (ranks->list == NULL)
        return false;
    if (node->parents.count == 1) {
        uint32_t parent = node->parent_nodes[0];
        ranks->count = insert(c->ancestors[parent], c->rank_of[parent], ranks->list);
    } else {
        ranks->count = collect(c, index, ranks->list);
        qsort(ranks->list, ranks->count, sizeof *ranks->list, by_number);
    }
    c->total += ranks->count;
    if (c->total > FB_CLOSURE_MAX) {
        struct fb_diag *diag = fb_diag_add(c->diags, FB_ERROR, "entity.closure_too_large", node->source, node->range,
                                           "the entities have more than %u ancestors together", FB_CLOSURE_MAX);
        diag->hint = FB_SPAN("make the hierarchy flatter, or keep the entities in a store");
        return false;
    }
    return write_refs(c, index);
}

/* Walks up from one node. */
static bool walk(struct closure *c, uint32_t root)
{
    c->stack[c->depth++] = (struct frame){root, 0};
    c->colours[root] = GREY;
    while (c->depth != 0) {
        struct frame *top = &c->stack[c->depth - 1];
        const struct fb_node *node = &c->set->nodes[top->node];
        if (top->next == node->parents.count) {
            if (!finish(c, top->node))
                return false;
            c->colours[top->node] = BLACK;
            c->depth--;
            continue;
        }
        uint32_t parent = node->parent_nodes[top->next++];
        if (c->colours[parent] == GREY) {
            report_cycle(c, parent);
        } else if (c->colours[parent] == WHITE) {
            c->colours[parent] = GREY;
            c->stack[c->depth++] = (struct frame){parent, 0};
        }
    }
    return true;
}

bool fb_entity_set_close(struct fb_entity_set *set, struct fb_diags *diags)
{
    struct closure c = {.set = set, .diags = diags};
    size_t before = diags->errors;
    fb_arena_init(&c.scratch, set->arena->allocator, set->arena->ceiling);
    bool done = prepare(&c);
    for (uint32_t i = 0; done && i < set->nodes_count; i++)
        done = c.colours[i] != WHITE || walk(&c, i);
    if (!done && diags->errors == before)
        fb_diag_add(diags, FB_ERROR, FB_NO_MEMORY_CODE, NULL, (struct fb_range){0}, FB_NO_MEMORY_TEXT);
    fb_arena_release(&c.scratch);
    set->closed = true;
    return diags->errors == before;
}
