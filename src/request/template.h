/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REQUEST_TEMPLATE_H
#define FB_REQUEST_TEMPLATE_H

#include "request/annotation.h"
#include "request/request.h"

/* Path templates and uid templates, as `@route` and `@resource` write them.
 *
 *   routes   = route *("," route)
 *   route    = METHOD 1*SP 1*("/" segment) ["?" name]
 *   segment  = literal / "{" name [":" spelling] "}" / "{" name "...}" (last, perhaps before a final "/")
 *   spelling = "int" / "uuid" / "slug"
 *   uid      = "principal" / type "::" 1*(text / "{" name "}") */

/* In the order in which a match tries them. */
enum fb_segment_kind { FB_SEGMENT_LITERAL, FB_SEGMENT_INT, FB_SEGMENT_UUID, FB_SEGMENT_SLUG, FB_SEGMENT_ANY,
                       FB_SEGMENT_REST };
#define FB_SEGMENT_KINDS (FB_SEGMENT_REST + 1)

struct fb_path_segment {
    enum fb_segment_kind kind;
    struct fb_span text;                /* of a literal; else the parameter's name */
};

/* Is the segment written as the kind demands?  One spelling for one value, so that two paths never
 * name one resource.  For REST and LITERAL: not empty. */
bool fb_segment_spelled(enum fb_segment_kind kind, struct fb_span segment);

/* One route of the list, `piece`.  False when a fault was reported or memory is short.  Sets method,
 * path, query, segments, params_count, range. */
bool fb_route_read(const struct fb_annotated *at, struct fb_span piece, struct fb_arena *arena, struct fb_route *route);
/* The segment of the n-th parameter. */
const struct fb_path_segment *fb_route_param(const struct fb_route *route, size_t index);

/* How two templates, or two routes for one method, stand to each other by the requests they match. */
enum fb_relation { FB_DISJOINT, FB_EQUAL, FB_NARROWER, FB_WIDER, FB_CROSSING };
enum fb_relation fb_routes_relation(const struct fb_route *a, const struct fb_route *b);

/* --- Uids ---------------------------------------------------------------------------------------- */

struct fb_uid_piece {
    struct fb_span text;                /* literal text, or the parameter's name */
    int param;                          /* index of the parameter; -1: literal text */
};

struct fb_uid_template {
    bool principal;
    const struct fb_entity_type *type;
    const struct fb_uid_piece *pieces;
    size_t count;
};

#define FB_UID_PIECES_MAX 33u

/* Reads the text, parameters not resolved yet.  NULL after a fault or without memory. */
const struct fb_uid_template *fb_uid_template_read(const struct fb_annotated *at, const struct fb_schema *schema,
                                                   struct fb_arena *arena);
/* `Type::{name}` of a route with one parameter. */
const struct fb_uid_template *fb_uid_template_default(const struct fb_entity_type *type, const struct fb_route *route,
                                                      struct fb_arena *arena);
/* For one route: its parameters instead of names.  `used` gets a true for each parameter that occurs.
 * NULL after a fault (a name that the route does not have; pieces that cannot be told apart in the
 * result) or without memory. */
const struct fb_uid_template *fb_uid_template_bind(const struct fb_uid_template *read, const struct fb_annotated *at,
                                                   const struct fb_route *route, bool used[FB_PARAMS_MAX],
                                                   struct fb_arena *arena);
/* Do two that are bound make the same uids? */
bool fb_uid_template_eq(const struct fb_uid_template *a, const struct fb_uid_template *b);
const struct fb_uid *fb_uid_template_make(const struct fb_uid_template *bound, const struct fb_match *match,
                                          struct fb_arena *arena);

#endif
