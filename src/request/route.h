/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REQUEST_ROUTE_H
#define FB_REQUEST_ROUTE_H

#include "request/template.h"

/* The table of routes: a trie over path segments.
 *
 *                        ┌ "me" ──► node: GET
 *   root ── "users" ── node
 *                        └ {int} ──► node: GET, DELETE ── "posts" ──► node: GET, GET ?export
 *
 * A node has children by literal (a hash map) and one for each kind of parameter, and the routes
 * whose path ends there.  Parameters' names are the route's, not the node's. */
struct fb_route_node {
    struct fb_map literals;                             /* text → struct fb_route_node */
    struct fb_route_node *kinds[FB_SEGMENT_KINDS];      /* [LITERAL] is not used */
    const struct fb_route **routes;
    size_t count, capacity;
};

/* Each is compared with each when they are loaded. */
#define FB_ROUTES_MAX 16384u

struct fb_routes {
    const struct fb_schema *schema;
    struct fb_arena *arena;
    struct fb_action *actions;                          /* as many as the schema has, in its order */
    struct fb_map actions_by_uid;                       /* bytes of the uid → struct fb_action */
    struct fb_route **list;
    size_t count, capacity;
    struct fb_route_node *root;
};

#endif
