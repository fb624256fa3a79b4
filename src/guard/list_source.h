/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUARD_LIST_SOURCE_H
#define FB_GUARD_LIST_SOURCE_H

#include "guard/steps.h"

/* What directory and store hold together, for one list.  Private to the lists. */
struct fb_held {
    const struct fb_view *view;
    const struct fb_entities *entities;     /* the view's */
    const struct fb_store_reader *reader;   /* with a snapshot; NULL: no store */
    struct fb_span type;                    /* that is listed */
    const struct fb_entity_order *order;    /* the directory's: fb_held_open() makes it */
};

/* Entities of the type, from whichever owns it, with the ways down and back that are known.  *source points to
 * `held`.  False: no memory. */
bool fb_held_open(struct fb_held *held, struct fb_arena *arena, struct fb_list_source *source);

#endif
