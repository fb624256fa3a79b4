/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENGINE_LIST_H
#define FB_ENGINE_LIST_H

#include "engine/engine.h"

/* Lists: which resources of a type may this principal …, and which principals may … this resource.
 * Part of the engine's door.
 *
 * What is listed are entities that a source holds, each decided as a request of its own would be.
 * First the policies are evaluated once with the one asked for unknown:
 *   nobody     no permit can be true, or a forbid certainly is         nothing is looked at
 *   everybody  a permit certainly is true, and no forbid can be        nothing is evaluated
 *   named      each permit that can be true names whom it can be true of (`resource == X`, `resource
 *              in G`, `principal.docs.contains(resource)`, `resource.owner == principal`, …)
 *                                                                      those are evaluated
 *   scan       else each of the type is
 * and of the policies only those that can matter are evaluated for each. */

/* Where the entities that are listed come from, in an order of the source's own.  False: the source cannot
 * be read, or there is no memory. */
typedef bool fb_list_each(void *context, const struct fb_entity *entity);
struct fb_list_source {
    /* `each` is called with entities of the type behind `after` (NULL: from the first) until it says false; an
     * entity is valid during that call. */
    bool (*scan)(const void *self, struct fb_span type, const struct fb_uid *after, fb_list_each *each, void *context);
    /* `add` is called with groups until it says false: so that whatever is in `group`, itself apart, has one of
     * them as a parent (as `next` sees it).  Uids live in the arena.  NULL: the source does not know the way down. */
    bool (*below)(const void *self, const struct fb_uid *group, struct fb_arena *arena,
                  bool (*add)(void *context, const struct fb_uid *group), void *context);
    /* The first of the type behind `after` whose attribute `symbol` is `of`, or a set that has it, or that has
     * it as a parent (FB_LIST_PARENT); perhaps one of which that is not so.  *next NULL: there is none.  It
     * lives in the arena.  NULL: the source does not know. */
    bool (*next)(const void *self, uint64_t symbol, const struct fb_uid *of, struct fb_span type,
                 const struct fb_uid *after, struct fb_arena *arena, const struct fb_uid **next);
    /* About how many these are, all types and places together. */
    uint64_t (*count)(const void *self, uint64_t symbol, const struct fb_uid *of);
    int (*compare)(const struct fb_uid *a, const struct fb_uid *b);
    const void *self;
};
#define FB_LIST_PARENT UINT64_C(0)
#define FB_LIST_GROUPS 4096u        /* below one that a permit names; where there are more, all are looked at */

struct fb_list_source fb_list_source_of(const struct fb_entity_order *order);

#define FB_LIST_LIMIT 100u          /* of a page, where a query has none */
#define FB_LIST_LIMIT_MAX 10000u
#define FB_LIST_VISITS 100000u      /* entities a page looks at */

struct fb_list_query {
    const struct fb_program *program;
    const struct fb_request *request;       /* of the one asked for only the uid's type counts */
    enum fb_var asked;                      /* FB_PRINCIPAL or FB_RESOURCE */
    const struct fb_list_source *source;
    bool strict;                            /* an allow in which a forbid erred does not count */
    /* What else must hold of an entity, or NULL; an error of its own it keeps in its context. */
    fb_list_each *wanted;
    void *context;
    const struct fb_uid *after;             /* the page begins behind this one; or NULL */
    uint32_t limit, visits;                 /* 0: as above */
};

enum fb_list_plan { FB_LIST_NOBODY, FB_LIST_EVERYBODY, FB_LIST_NAMED, FB_LIST_SCAN };

/* A page ends at its limit, or when it has looked at `visits` entities: then it may hold fewer than
 * its limit, even none, and yet not be the last. */
struct fb_list_page {
    const struct fb_uid *const *uids;       /* in the arena */
    uint32_t count;
    const struct fb_uid *next;              /* the next page is behind this one; NULL: there is none */
    enum fb_list_plan plan;
    uint32_t visited, evaluated;
};

/* `scratch` is cleared before each decision; its ceiling is that of one.  FB_CANNOT: memory, or a broken
 * source. */
enum fb_status fb_list(const struct fb_list_query *query, struct fb_arena *arena, struct fb_arena *scratch,
                       struct fb_list_page *page);

/* A page's end as text to hand out and take back: opaque, safe in a URL.  It names the one asked for
 * behind which the next page begins, so it stays good whatever is added or removed meanwhile. */
bool fb_list_cursor_print(struct fb_buffer *out, const struct fb_uid *next);
/* NULL when it is none for this type, or without memory. */
const struct fb_uid *fb_list_cursor_read(struct fb_arena *arena, struct fb_span type, struct fb_span cursor);

#endif
