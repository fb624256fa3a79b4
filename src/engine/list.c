/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: walks what the plan (list_plan.c) says must be looked at, in the source's order, and decides
 * each.  Work and memory of a page are bounded by its visits, whatever the store holds. */

#include "engine/list_plan.h"

#define STEPS 16u /* for each entity that a page may look at: one can be in several groups, or be gone */

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

/* Each term is a stream of entities in order; a heap merges them, so that a page costs what it looks at, however
 * many a group holds.  A stream is known by its last entity alone: nothing is held between two steps. */
struct stream {
    const struct fb_uid *at;
    const struct fb_term *term;
};

struct merge {
    struct lister *l;
    struct fb_span type;
    struct stream *heap; /* the least first */
    size_t count;
};

static bool is_less(const struct merge *m, size_t one, size_t other)
{
    return m->l->query->source->compare(m->heap[one].at, m->heap[other].at) < 0;
}

static void sink(struct merge *m, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < m->count; at = child) {
        child += child + 1 < m->count && is_less(m, child + 1, child);
        if (!is_less(m, child, at))
            return;
        const struct stream moved = m->heap[at];
        m->heap[at] = m->heap[child];
        m->heap[child] = moved;
    }
}

/* The stream's first behind `after`; *at NULL: none. */
static bool advance(const struct merge *m, const struct fb_term *term, const struct fb_uid *after,
                    const struct fb_uid **at)
{
    const struct fb_list_source *source = m->l->query->source;
    if (term->who == FB_TERM_MENTIONING)
        return source->next(source->self, term->symbol, term->uid, m->type, after, m->l->arena, at);
    bool behind = fb_span_eq(fb_uid_type(term->uid), m->type)
                  && (after == NULL || source->compare(term->uid, after) > 0);
    *at = behind ? term->uid : NULL;
    return true;
}

static bool start(struct merge *m, const struct fb_bound *bound)
{
    m->heap = fb_arena_array(m->l->arena, bound->count + 1, sizeof *m->heap);
    if (m->heap == NULL)
        return false;
    for (size_t i = 0; i < bound->count; i++) {
        struct stream *stream = &m->heap[m->count];
        stream->term = &bound->terms[i];
        if (!advance(m, stream->term, m->l->query->after, &stream->at))
            return false;
        m->count += stream->at != NULL;
    }
    for (size_t i = m->count / 2; i-- > 0;)
        sink(m, i);
    return true;
}

/* The least of all goes on. */
static bool step(struct merge *m)
{
    const struct stream first = m->heap[0];
    if (!advance(m, first.term, first.at, &m->heap[0].at))
        return false;
    if (m->heap[0].at == NULL)
        m->heap[0] = m->heap[--m->count];
    sink(m, 0);
    return true;
}

static bool visit_uid(struct lister *l, const struct fb_uid *uid)
{
    const struct fb_entities *entities = l->query->request->entities;
    struct fb_entity entity;
    enum fb_found found = entities->find(entities->self, uid, &entity);
    if (found == FB_FOUND)
        visit(l, &entity);
    return found != FB_BROKEN && !l->cannot;
}

static bool walk_named(struct lister *l, const struct fb_uid *like)
{
    struct merge m = {.l = l, .type = fb_uid_type(like)};
    const struct fb_uid *last = NULL;
    if (!start(&m, &l->plan.bound))
        return false;
    for (uint64_t steps = (uint64_t)l->visits * STEPS; m.count != 0 && !l->ended; steps--) {
        const struct fb_uid *uid = m.heap[0].at;
        bool again = last != NULL && fb_uid_eq(uid, last);
        if (!again && steps == 0) {
            end_page(l, last);
            break;
        }
        steps += steps == 0;
        last = uid;
        if ((!again && !visit_uid(l, uid)) || (!l->ended && !step(&m)))
            return false;
    }
    return true;
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

/* Its members are known at all depths. */
static bool below_of_order(const void *self, const struct fb_uid *group, struct fb_arena *arena,
                           bool (*add)(void *context, const struct fb_uid *group), void *context)
{
    (void)self, (void)arena;
    add(context, group);
    return true;
}

static struct fb_positions mentioning(const struct fb_entity_order *order, uint64_t symbol, const struct fb_uid *of,
                                      struct fb_span type, const struct fb_uid *after)
{
    return symbol == FB_LIST_PARENT ? fb_entity_order_members(order, of, type, after)
                                    : fb_entity_order_referring(order, symbol, of, type, after);
}

static bool next_of_order(const void *self, uint64_t symbol, const struct fb_uid *of, struct fb_span type,
                          const struct fb_uid *after, struct fb_arena *arena, const struct fb_uid **next)
{
    const struct fb_positions positions = mentioning(self, symbol, of, type, after);
    struct fb_entity entity;
    (void)arena;
    *next = NULL;
    if (positions.count == 0)
        return true;
    fb_entity_order_at(self, positions.list[0], &entity);
    if (fb_span_eq(fb_uid_type(entity.uid), type))
        *next = entity.uid;
    return true;
}

static uint64_t count_of_order(const void *self, uint64_t symbol, const struct fb_uid *of)
{
    return mentioning(self, symbol, of, FB_SPAN(""), NULL).count;
}

struct fb_list_source fb_list_source_of(const struct fb_entity_order *order)
{
    return (struct fb_list_source){.scan = scan_order,
                                   .below = below_of_order,
                                   .next = next_of_order,
                                   .count = count_of_order,
                                   .compare = fb_uid_order,
                                   .self = order};
}
