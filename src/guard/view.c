/* SPDX-License-Identifier: Apache-2.0 */
/* Entities as one request sees them.
 *
 * A type that entities.json holds is owned by the directory, whole; all others are the store's.  So
 * no entity has two truths, and a store cannot add itself to a role by another id. */
#include "guard/steps.h"

static const struct fb_record no_fields = {.count = 0};

/* What directory and store say, without the overlay. */
static enum fb_found find_below(const struct fb_view *view, const struct fb_uid *uid, struct fb_entity *entity)
{
    if (!view->has_store || fb_entity_set_has_type_of(view->policies->entities, uid))
        return view->directory.find(view->directory.self, uid, entity);
    return view->store.find(view->store.self, uid, entity);
}

static enum fb_found find(const void *self, const struct fb_uid *uid, struct fb_entity *entity)
{
    const struct fb_view *view = self;
    if (view->overlaid != NULL && fb_uid_eq(uid, view->overlaid)) {
        *entity = view->overlay;
        return FB_FOUND;
    }
    return find_below(view, uid, entity);
}

static enum fb_found find_attrs(const void *self, const struct fb_uid *uid, const struct fb_record **attrs)
{
    const struct fb_view *view = self;
    struct fb_entity entity;
    bool overlaid = view->overlaid != NULL && fb_uid_eq(uid, view->overlaid);
    if (!overlaid && (!view->has_store || fb_entity_set_has_type_of(view->policies->entities, uid)))
        return view->directory.find_attrs(view->directory.self, uid, attrs);
    enum fb_found found = find(self, uid, &entity);
    if (found == FB_FOUND)
        *attrs = entity.attrs;
    return found;
}

void fb_view_init(struct fb_view *view, const struct fb_policies *policies, const struct fb_store_reader *reader)
{
    view->policies = policies;
    view->directory = fb_entity_set_source(policies->entities);
    view->has_store = reader != NULL;
    view->reader = reader;
    if (view->has_store)
        view->store = fb_store_entities(reader);
    view->overlaid = NULL;
    view->held_count = 0;
}

struct fb_entities fb_view_entities(const struct fb_view *view)
{
    return (struct fb_entities){.find = find, .self = view, .find_attrs = find_attrs};
}

static int by_hash(const struct fb_uid *a, const struct fb_uid *b)
{
    return fb_uid_cmp(a, b);
}

/* Insertion keeps the list sorted and without repetitions; a token brings a handful. */
static uint32_t insert(const struct fb_uid **list, uint32_t count, const struct fb_uid *uid)
{
    uint32_t at = count;
    while (at > 0 && by_hash(list[at - 1], uid) > 0)
        at--;
    if (at > 0 && fb_uid_eq(list[at - 1], uid))
        return count;
    memmove(&list[at + 1], &list[at], (count - at) * sizeof(*list));
    list[at] = uid;
    return count + 1;
}

/* The uids of `old` and of `more`. */
static bool join(struct fb_refs *refs, struct fb_refs old, const struct fb_uid *const *more, size_t count,
                 struct fb_arena *arena)
{
    const struct fb_uid **all = fb_arena_array(arena, old.count + count + 1, sizeof(*all));
    uint32_t n = 0;
    if (all == NULL)
        return false;
    for (uint32_t i = 0; i < old.count; i++)
        n = insert(all, n, fb_ref_uid(&old.refs[i]));
    for (size_t i = 0; i < count; i++)
        n = insert(all, n, more[i]);
    struct fb_ref *list = fb_arena_array(arena, n + (size_t)1, sizeof *list);
    if (list == NULL)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        list[i].hash = all[i]->hash;
        list[i].offset = (int64_t)((intptr_t)all[i] - (intptr_t)&list[i]);
    }
    *refs = (struct fb_refs){list, n};
    return true;
}

bool fb_view_add_parents(struct fb_view *view, const struct fb_uid *uid, const struct fb_uid *const *parents,
                         size_t count, struct fb_arena *arena)
{
    struct fb_entity below = {.uid = uid, .attrs = &no_fields, .tags = &no_fields};
    if (find_below(view, uid, &below) == FB_BROKEN)
        return false;
    /* What is known of its ancestors stands among its parents; what is above the new ones, and above those that
     * were open, has to be asked. */
    view->overlay = below;
    if (!join(&view->overlay.parents, below.closed ? below.ancestors : below.parents, parents, count, arena)
        || !join(&view->overlay.open, below.open, parents, count, arena))
        return false;
    view->overlay.uid = uid;
    view->overlay.closed = false;
    view->overlaid = uid;
    return true;
}

enum fb_found fb_view_holds(struct fb_view *view, const struct fb_uid *uid, const struct fb_entity **entity)
{
    const struct fb_entity_type *type = fb_schema_type_of(view->policies->schema, uid);
    *entity = NULL;
    if (type == NULL)
        return FB_ABSENT;
    if (!type->requires_attributes)
        return FB_FOUND;
    struct fb_entity *held = &view->held[view->held_count++ % 2];
    enum fb_found found = find_below(view, uid, held);
    if (found == FB_FOUND) {
        /* The same uid at an address that is at hand, so that the row's is not read for it again. */
        held->uid = uid;
        *entity = view->overlaid != NULL && fb_uid_eq(uid, view->overlaid) ? &view->overlay : held;
    }
    return found;
}

/* Whichever it is, the walk is the same; so the reader's cache, which knows where rows lie, is left out. */
static enum fb_found find_near(const struct fb_view *view, const struct fb_uid *stand_in, const struct fb_uid *uid,
                               struct fb_entity *entity)
{
    if (view->has_store && !fb_entity_set_has_type_of(view->policies->entities, uid))
        return fb_store_near(view->reader, uid, entity);
    struct fb_entity other;
    enum fb_found beside = stand_in != NULL ? view->directory.find(view->directory.self, stand_in, &other) : FB_ABSENT;
    enum fb_found found = view->directory.find(view->directory.self, uid, entity);
    if (found == FB_ABSENT && beside == FB_FOUND)
        *entity = other;
    else if (found == FB_ABSENT)
        entity->uid = NULL;
    return found;
}

enum fb_found fb_view_near(struct fb_view *view, const struct fb_uid *stand_in, const struct fb_uid **uid,
                           const struct fb_entity **entity)
{
    struct fb_entity *held = &view->held[view->held_count++ % 2];
    enum fb_found found = find_near(view, stand_in, *uid, held);
    *entity = NULL;
    if (found == FB_BROKEN || held->uid == NULL)
        return found;
    if (found == FB_FOUND)
        held->uid = *uid;
    *uid = held->uid;
    *entity = view->overlaid != NULL && fb_uid_eq(*uid, view->overlaid) ? &view->overlay : held;
    return found;
}
