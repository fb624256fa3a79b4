/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENGINE_LIST_PLAN_H
#define FB_ENGINE_LIST_PLAN_H

#include "engine/list.h"
#include "engine/unknown.h"

/* Whom a permit can be true of, by an entity that is known.  Private to the lists. */
struct fb_term {
    const struct fb_uid *uid;
    enum { FB_TERM_ITSELF, FB_TERM_MENTIONING } who;
    uint64_t symbol;        /* MENTIONING: in which attribute, or as a parent */
    uint64_t cost;          /* about how many these are */
};

struct fb_bound {
    struct fb_term *terms;
    size_t count, capacity;
    uint64_t cost;          /* of all terms */
    bool all;               /* nothing is known: anybody */
};
#define FB_BOUND_TERMS 65536u

struct fb_plan {
    enum fb_list_plan kind;
    struct fb_bound bound;              /* NAMED */
    struct fb_concerned concerned;      /* NAMED, SCAN: the policies that can matter */
};

/* False: cannot. */
bool fb_plan_make(const struct fb_list_query *query, struct fb_arena *arena, struct fb_plan *plan);

#endif
