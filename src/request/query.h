/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REQUEST_QUERY_H
#define FB_REQUEST_QUERY_H

#include "base/base.h"

/* Query parameters, application/x-www-form-urlencoded (WHATWG URL section 5.1), of which only some
 * names matter.
 *
 * Upstreams disagree on what a parameter's name is: some split at `;` too, some fold case, some
 * decode twice, PHP drops spaces and turns `.` into `_`, many read `a[]` as `a`.  A name that is
 * one of ours under such a reading, yet not by the standard, makes the query ambiguous: deciding
 * as if the parameter were not there is how a bypass begins. */

#define FB_QUERY_PIECES_MAX 512u

struct fb_query_reader {
    struct fb_span rest;
    const struct fb_span *names;        /* decoded, none twice */
    size_t count;
    unsigned pieces;
    bool ended;
};

enum fb_query_step { FB_QUERY_END, FB_QUERY_FOUND, FB_QUERY_AMBIGUOUS };

void fb_query_start(struct fb_query_reader *reader, struct fb_span query, const struct fb_span *names, size_t count);
/* The next parameter that has one of the names: its index and its value as it stands. */
enum fb_query_step fb_query_next(struct fb_query_reader *reader, size_t *index, struct fb_span *raw_value);

/* The value decoded: the span itself where nothing is encoded, else a copy in the arena.  False: a
 * malformed encoding, bytes that are not UTF-8, a NUL, or no memory (arena->failed). */
bool fb_query_decode(struct fb_span raw, struct fb_arena *arena, struct fb_span *value);

#endif
