/* SPDX-License-Identifier: Apache-2.0 */
/* Entities of directory and store as a source of lists.  A type is owned by one of the two (view.c), but the
 * hierarchy leads from each into the other: an entity of the directory can have a parent in the store, and the
 * other way round, and a token can give the principal parents of either.
 *
 * The way down from a group G, complete: let the *seeds* be G, those uids that the directory has as
 * parents without holding them and that are in G, and the principal with its token's groups if it is in G; for
 * these few the way up tells.  From whatever is in G follow its parents until the first seed: either none
 * of the steps leaves the directory, and the directory's own order has the way down from the seed; or there is a
 * step out of it, at which there would be a seed; or all lie in the store, whose groups are followed
 * from the seeds and from what the directory has below them. */
#include "guard/list_source.h"

/* --- Of the store ----------------------------------------------------------------------------------- */

static bool scan_store(const void *self, struct fb_span type, const struct fb_uid *after, fb_list_each *each,
                       void *context)
{
    const struct fb_held *held = self;
    const struct fb_store_list list = {.type = type, .after = after};
    return fb_store_reader_list(held->reader, &list, each, context, NULL) == FB_STORE_OK;
}

static bool next_of_store(const void *self, uint64_t symbol, const struct fb_uid *of, struct fb_span type,
                          const struct fb_uid *after, struct fb_arena *arena, const struct fb_uid **next)
{
    const struct fb_held *held = self;
    return fb_store_reader_next(held->reader, symbol, of, type, after, arena, next);
}

static uint64_t count_of_store(const void *self, uint64_t symbol, const struct fb_uid *of)
{
    const struct fb_held *held = self;
    return fb_store_reader_mentions(held->reader, symbol, of);
}

/* --- Of the directory -------------------------------------------------------------------------------- */

static bool scan_directory(const void *self, struct fb_span type, const struct fb_uid *after, fb_list_each *each,
                           void *context)
{
    const struct fb_list_source order = fb_list_source_of(((const struct fb_held *)self)->order);
    return order.scan(order.self, type, after, each, context);
}

static bool next_of_directory(const void *self, uint64_t symbol, const struct fb_uid *of, struct fb_span type,
                              const struct fb_uid *after, struct fb_arena *arena, const struct fb_uid **next)
{
    const struct fb_list_source order = fb_list_source_of(((const struct fb_held *)self)->order);
    return order.next(order.self, symbol, of, type, after, arena, next);
}

static uint64_t count_of_directory(const void *self, uint64_t symbol, const struct fb_uid *of)
{
    const struct fb_list_source order = fb_list_source_of(((const struct fb_held *)self)->order);
    return order.count(order.self, symbol, of);
}

/* --- The way down -------------------------------------------------------------------------------------- */

struct descent {
    const struct fb_held *held;
    const struct fb_uid *group;
    struct fb_arena *arena;
    struct fb_map seen;
    const struct fb_uid **queue;    /* groups of the store whose groups are to be followed */
    size_t count, capacity;
    bool (*add)(void *context, const struct fb_uid *group);
    void *context;
    bool of_directory;              /* the type listed is the directory's */
    bool enough, failed;
};

static bool fail(struct descent *d)
{
    d->failed = true;
    return false;
}

/* A group of the store that has members there. */
static bool enter(void *context, const struct fb_uid *group)
{
    struct descent *d = context;
    struct fb_span bytes = fb_span((const char *)group, fb_uid_size(group->type_len, group->id_len));
    if (fb_map_get(&d->seen, bytes) != NULL)
        return true;
    const struct fb_uid **queue = fb_arena_grow(d->arena, d->queue, d->count, &d->capacity, sizeof(const struct fb_uid *));
    if (queue == NULL || !fb_map_put(&d->seen, bytes, d))
        return fail(d);
    d->queue = queue;
    queue[d->count++] = group;
    d->enough = !d->add(d->context, group);
    return !d->enough;
}

static bool enter_if_parent(struct descent *d, const struct fb_uid *uid)
{
    return fb_store_reader_mentions(d->held->reader, FB_STORE_PARENT, uid) == 0 || enter(d, uid);
}

static bool enter_seed(struct descent *d, const struct fb_uid *seed)
{
    if (d->of_directory) {
        d->enough = !d->add(d->context, seed);
        return !d->enough;
    }
    if (!enter_if_parent(d, seed))
        return false;
    const struct fb_positions members = fb_entity_order_members(d->held->order, seed, FB_SPAN(""), NULL);
    for (uint32_t i = 0; i < members.count; i++) {
        struct fb_entity entity;
        fb_entity_order_at(d->held->order, members.list[i], &entity);
        if (!enter_if_parent(d, entity.uid))
            return false;
    }
    return true;
}

/* The uid is a seed if it is in the group. */
static bool enter_if_inside(struct descent *d, const struct fb_uid *uid)
{
    if (fb_uid_eq(uid, d->group))
        return true;    /* entered first */
    enum fb_found found = fb_entity_in(d->held->entities, uid, d->group);
    if (found == FB_BROKEN)
        return fail(d);
    return found == FB_ABSENT || enter_seed(d, uid);
}

static bool enter_seeds(struct descent *d)
{
    const struct fb_uid *overlaid = d->held->view->overlaid, *outside;
    if (!enter_seed(d, d->group) || (overlaid != NULL && !enter_if_inside(d, overlaid)))
        return false;
    for (uint32_t at = 0; (outside = fb_entity_order_outside(d->held->order, &at)) != NULL;)
        if (!enter_if_inside(d, outside))
            return false;
    return true;
}

static bool below(const void *self, const struct fb_uid *group, struct fb_arena *arena,
                  bool (*add)(void *context, const struct fb_uid *group), void *context)
{
    const struct fb_held *held = self;
    struct descent d = {.held = held, .group = group, .arena = arena, .add = add, .context = context};
    d.of_directory = fb_entity_set_has_type(held->view->policies->entities, held->type);
    fb_map_init(&d.seen, arena);
    bool more = enter_seeds(&d);
    for (size_t i = 0; i < d.count && more && !d.enough; i++)
        more = fb_store_reader_groups(held->reader, d.queue[i], arena, enter, &d);
    return !d.failed && (more || d.enough);
}

bool fb_held_open(struct fb_held *held, struct fb_arena *arena, struct fb_list_source *source)
{
    const struct fb_entity_set *entities = held->view->policies->entities;
    held->order = fb_entity_order_new(arena, entities);
    if (held->order == NULL)
        return false;
    if (held->reader == NULL) {
        *source = fb_list_source_of(held->order);
        return true;
    }
    bool indexed = fb_store_reader_indexed(held->reader);
    if (fb_entity_set_has_type(entities, held->type))
        *source = (struct fb_list_source){.scan = scan_directory, .next = next_of_directory, .count = count_of_directory,
                                          .compare = fb_uid_order};
    else
        *source = (struct fb_list_source){.scan = scan_store, .next = indexed ? next_of_store : NULL,
                                          .count = count_of_store, .compare = fb_store_order};
    /* To entities of the directory the seeds alone lead. */
    source->below = indexed || source->scan == scan_directory ? below : NULL;
    source->self = held;
    return true;
}
