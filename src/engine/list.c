/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: walks what the plan (list_plan.c) says must be looked at, in the source's order, and decides
 * each.  Work and memory of a page are bounded by its visits, whatever the store holds. */

#include "engine/list_plan.h"

struct lister {
    const struct fb_list_query *query;
    struct fb_arena *arena, *scratch;
    struct fb_list_page *page;
    struct fb_plan plan;
    struct fb_request request;
    struct fb_entity given; /* of the one that is given: looked up once */
    const struct fb_uid **uids;
    size_t capacity;
    uint32_t limit, visits;
    bool cannot, ended; /* ended: the page, before its source */
};

static bool decide(struct lister *l, const struct fb_entity *entity, bool *allowed)
{
    struct fb_decision decision;
    fb_arena_clear(l->scratch);
    if (l->query->asked == FB_PRINCIPAL) {
        l->request.principal = entity->uid;
        l->request.principal_entity = entity;
    } else {
        l->request.resource = entity->uid;
        l->request.resource_entity = entity;
    }
    enum fb_status status = fb_decide(l->query->program, &l->request, l->scratch, &decision);
    /* The entity is only seen while it is looked at. */
    if (l->query->asked == FB_PRINCIPAL)
        l->request.principal_entity = NULL;
    else
        l->request.resource_entity = NULL;
    l->page->evaluated++;
    *allowed = decision.allow;
    for (uint32_t i = 0; l->query->strict && i < decision.errors_count; i++)
        if (fb_program_form(l->query->program, decision.errors[i].policy)->effect == FB_FORBID)
            *allowed = false;
    return status == FB_OK;
}

static const struct fb_uid *copy_uid(struct lister *l, const struct fb_uid *uid)
{
    size_t size = fb_uid_size(uid->type_len, uid->id_len);
    void *copy = fb_arena_alloc(l->arena, size);
    if (copy != NULL)
        memcpy(copy, uid, size);
    return copy;
}

static bool give_up(struct lister *l)
{
    l->cannot = true;
    return false;
}

/* The page ends behind this entity. */
static bool end_page(struct lister *l, const struct fb_uid *uid)
{
    l->ended = true;
    l->page->next = uid;
    return false;
}

/* Looks at one entity.  False: no more. */
static bool visit(void *context, const struct fb_entity *entity)
{
    struct lister *l = context;
    bool allowed = l->plan.kind == FB_LIST_EVERYBODY;
    l->page->visited++;
    if (!allowed && !decide(l, entity, &allowed))
        return give_up(l);
    if (allowed && l->query->wanted != NULL)
        allowed = l->query->wanted(l->query->context, entity);
    const struct fb_uid *uid = NULL;
    if (allowed) {
        const struct fb_uid **uids =
            fb_arena_grow(l->arena, l->uids, l->page->count, &l->capacity, sizeof(const struct fb_uid *));
        uid = copy_uid(l, entity->uid);
        if (uids == NULL || uid == NULL)
            return give_up(l);
        l->uids = uids;
        uids[l->page->count++] = uid;
    }
    if (l->page->count < l->limit && l->page->visited < l->visits)
        return true;
    uid = uid != NULL ? uid : copy_uid(l, entity->uid);
    return uid != NULL ? end_page(l, uid) : give_up(l);
}

/* --- Those that the policies name ----------------------------------------------------------------- */

/* The single ones, and the first of each group and of those that refer: no more of these are needed than a
 * page looks at. */
struct gathered {
    struct lister *l;
    const struct fb_uid **uids;
    size_t count, capacity;
    uint32_t of_group;
};

static bool gather(struct gathered *gathered, const struct fb_uid *uid)
{
    const struct fb_uid **uids = fb_arena_grow(gathered->l->arena, gathered->uids, gathered->count, &gathered->capacity,
                                               sizeof(const struct fb_uid *));
    if (uids == NULL)
        return give_up(gathered->l);
    gathered->uids = uids;
    uids[gathered->count++] = uid;
    return true;
}

static bool gather_member(void *context, const struct fb_entity *entity)
{
    struct gathered *gathered = context;
    const struct fb_uid *uid = copy_uid(gathered->l, entity->uid);
    if (uid == NULL)
        return give_up(gathered->l);
    return gather(gathered, uid) && ++gathered->of_group <= gathered->l->visits;
}

static bool gather_term(struct gathered *gathered, const struct fb_term *term, const struct fb_uid *like)
{
    const struct fb_list_query *query = gathered->l->query;
    const struct fb_list_source *source = query->source;
    struct fb_span type = fb_uid_type(like);
    bool itself = term->who != FB_TERM_REFERRING && fb_uid_is(term->uid, like->type_hash, type);
    if (itself && (query->after == NULL || source->compare(term->uid, query->after) > 0)
        && !gather(gathered, term->uid))
        return false;
    gathered->of_group = 0;
    bool fine = true;
    if (term->who == FB_TERM_GROUP)
        fine = source->members(source->self, term->uid, type, query->after, gather_member, gathered);
    else if (term->who == FB_TERM_REFERRING)
        fine = source->referring(source->self, term->symbol, term->uid, type, query->after, gather_member, gathered);
    return fine && !gathered->l->cannot;
}

/* Sorts by merging, since the order is the source's own and qsort cannot be told of it. */
static void sort(const struct fb_uid **uids, const struct fb_uid **room, size_t count,
                 int (*compare)(const struct fb_uid *, const struct fb_uid *))
{
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            size_t middle = at + width < count ? at + width : count;
            size_t end = middle + width < count ? middle + width : count;
            size_t a = at, b = middle;
            for (size_t to = at; to < end; to++)
                room[to] = a < middle && (b == end || compare(uids[a], uids[b]) <= 0) ? uids[a++] : uids[b++];
        }
        memcpy(uids, room, count * sizeof(const struct fb_uid *));
    }
}

static bool walk_named(struct lister *l, const struct fb_uid *like)
{
    struct gathered gathered = {.l = l};
    const struct fb_list_source *source = l->query->source;
    const struct fb_entities *entities = l->query->request->entities;
    for (size_t i = 0; i < l->plan.bound.count; i++)
        if (!gather_term(&gathered, &l->plan.bound.terms[i], like))
            return false;
    const struct fb_uid **room = fb_arena_array(l->arena, gathered.count + 1, sizeof(const struct fb_uid *));
    if (room == NULL)
        return false;
    sort(gathered.uids, room, gathered.count, source->compare);
    for (size_t i = 0; i < gathered.count && !l->ended && !l->cannot; i++) {
        struct fb_entity entity;
        if (i > 0 && fb_uid_eq(gathered.uids[i], gathered.uids[i - 1]))
            continue;
        enum fb_found found = entities->find(entities->self, gathered.uids[i], &entity);
        if (found == FB_BROKEN)
            return false;
        if (found == FB_FOUND)
            visit(l, &entity);
    }
    return !l->cannot;
}

/* The one that is given; absent is fine.  False: the source cannot say. */
static bool find_given(struct lister *l)
{
    bool principals = l->query->asked == FB_PRINCIPAL;
    const struct fb_entities *entities = l->request.entities;
    enum fb_found found =
        entities->find(entities->self, principals ? l->request.resource : l->request.principal, &l->given);
    const struct fb_entity *entity = found == FB_FOUND ? &l->given : NULL;
    l->request.principal_entity = principals ? NULL : entity;
    l->request.resource_entity = principals ? entity : NULL;
    return found != FB_BROKEN;
}

enum fb_status fb_list(const struct fb_list_query *query, struct fb_arena *arena, struct fb_arena *scratch,
                       struct fb_list_page *page)
{
    struct lister l = {.query = query,
                       .arena = arena,
                       .scratch = scratch,
                       .page = page,
                       .request = *query->request,
                       .limit = query->limit != 0 ? query->limit : FB_LIST_LIMIT,
                       .visits = query->visits != 0 ? query->visits : FB_LIST_VISITS};
    *page = (struct fb_list_page){.count = 0};
    if (l.limit > FB_LIST_LIMIT_MAX)
        l.limit = FB_LIST_LIMIT_MAX;
    if (!fb_plan_make(query, arena, &l.plan) || !find_given(&l))
        return FB_CANNOT;
    l.request.concerned = &l.plan.concerned;
    page->plan = l.plan.kind;
    const struct fb_uid *like = query->asked == FB_PRINCIPAL ? query->request->principal : query->request->resource;
    bool fine = true;
    if (l.plan.kind == FB_LIST_NAMED)
        fine = walk_named(&l, like);
    else if (l.plan.kind != FB_LIST_NOBODY)
        fine = query->source->scan(query->source->self, fb_uid_type(like), query->after, visit, &l);
    page->uids = l.uids;
    return fine && !l.cannot && !arena->failed ? FB_OK : FB_CANNOT;
}

/* --- From memory --------------------------------------------------------------------------------------- */

static bool scan_order(const void *self, struct fb_span type, const struct fb_uid *after, fb_list_each *each,
                       void *context)
{
    const struct fb_entity_order *order = self;
    uint32_t count = fb_entity_order_count(order);
    for (uint32_t i = fb_entity_order_from(order, type, after); i < count; i++) {
        struct fb_entity entity;
        fb_entity_order_at(order, i, &entity);
        if (!fb_span_eq(fb_uid_type(entity.uid), type) || !each(context, &entity))
            break;
    }
    return true;
}

static bool each_position(const struct fb_entity_order *order, struct fb_positions positions, struct fb_span type,
                          fb_list_each *each, void *context)
{
    for (uint32_t i = 0; i < positions.count; i++) {
        struct fb_entity entity;
        fb_entity_order_at(order, positions.list[i], &entity);
        if (!fb_span_eq(fb_uid_type(entity.uid), type) || !each(context, &entity))
            break;
    }
    return true;
}

static bool members_of_order(const void *self, const struct fb_uid *group, struct fb_span type,
                             const struct fb_uid *after, fb_list_each *each, void *context)
{
    return each_position(self, fb_entity_order_members(self, group, type, after), type, each, context);
}

static bool referring_in_order(const void *self, uint64_t symbol, const struct fb_uid *to, struct fb_span type,
                               const struct fb_uid *after, fb_list_each *each, void *context)
{
    return each_position(self, fb_entity_order_referring(self, symbol, to, type, after), type, each, context);
}

struct fb_list_source fb_list_source_of(const struct fb_entity_order *order)
{
    return (struct fb_list_source){scan_order, members_of_order, referring_in_order, fb_uid_order, order};
}
