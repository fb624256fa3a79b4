/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENTITY_LAYOUT_H
#define FB_ENTITY_LAYOUT_H

#include "entity/value.h"

/* Values copied into one run of bytes: measured, then written.  Internal to entity.
 *
 * The run has two areas: what must be aligned (records, cells, uids, addresses) in the order of a
 * walk, and behind it all strings, which need no alignment. */

/* How much room, in bytes. */
struct fb_layout_size {
    size_t aligned, text;
};

/* Adds what the value needs outside of its own cell.  False when sets and records are nested more
 * than `depth` deep. */
bool fb_layout_measure(struct fb_layout_size *size, struct fb_value value, unsigned depth);

/* Where to write next. */
struct fb_layout {
    char *aligned, *text;
};

/* Copies what the value refers to; returns the value that refers to the copy. */
struct fb_value fb_layout_value(struct fb_layout *layout, struct fb_value value);
const struct fb_uid *fb_layout_uid(struct fb_layout *layout, const struct fb_uid *uid);

#endif
