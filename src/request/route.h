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
 * A node has children by literal (a hash table) and one for each kind of parameter, and the routes
 * whose path ends there.  Parameters' names are the route's, not the node's.
 *
 * Among a thousand routes a match is a walk through memory that no cache of the processor holds, so
 * what it looks at lies together: tables and lists of one or two are in the node itself, a literal's
 * text is behind its node, and a route's method stands beside the pointer to it. */
struct fb_route_branch {
    uint64_t hash;                      /* fb_hash(node->text) */
    struct fb_route_node *node;         /* NULL: free */
};

struct fb_route_end {
    uint64_t method;                    /* fb_method_key() */
    bool conditional;                   /* route->query is not empty */
    const struct fb_route *route;
};

struct fb_route_node {
    struct fb_span text;                /* of a literal */
    struct fb_route_branch *branches;   /* open addressing, mask + 1 places, at most half of them taken */
    uint32_t mask, branches_count;
    struct fb_route_branch first_branches[2];
    struct fb_route_end *ends;
    size_t count, capacity;
    struct fb_route_node *kinds[FB_SEGMENT_KINDS];      /* [LITERAL] is not used */
    struct fb_route_end first_ends[2];
};

/* A method of up to 7 letters as one number, its length included; of any other 0. */
static inline uint64_t fb_method_key(struct fb_span method)
{
    char bytes[8] = {0};
    uint64_t key;
    if (method.len > 7)
        return 0;
    fb_bytes_copy(bytes, method.ptr, method.len);
    bytes[7] = (char)method.len;
    memcpy(&key, bytes, sizeof key);
    return key;
}

static inline bool fb_route_ends_with(const struct fb_route_end *end, uint64_t key, struct fb_span method)
{
    return key != 0 ? end->method == key : end->method == 0 && fb_span_eq(end->route->method, method);
}

/* The child for that literal, or NULL. */
static inline struct fb_route_node *fb_route_literal(const struct fb_route_node *node, struct fb_span text)
{
    if (node->branches_count == 0)
        return NULL;
    uint64_t hash = fb_hash(text);
    for (uint32_t i = (uint32_t)hash & node->mask;; i = (i + 1) & node->mask) {
        const struct fb_route_branch *branch = &node->branches[i];
        if (branch->node == NULL || (branch->hash == hash && fb_span_eq(branch->node->text, text)))
            return branch->node;
    }
}

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
