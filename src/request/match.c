/* SPDX-License-Identifier: Apache-2.0 */
/* A path and a method meet the table of routes.
 *
 * The walk tries a node's children from the narrowest to the widest and comes back where a branch
 * leads to nothing, so of all routes that fit it finds the one that is first in the first segment in which
 * they differ.  It visits at most the nodes that fit the path's beginning: how many other routes
 * there are does not matter.  Nothing is allocated. */
#include "request/query.h"
#include "request/route.h"

/* --- the walk --------------------------------------------------------------------------------------- */

enum step { GO_ON, STOP };

struct walk {
    const struct fb_target *target;
    struct fb_span *params; /* FB_PARAMS_MAX of them */
    size_t count;
    /* at a node where the path ends */
    enum step (*arrive)(struct walk *walk, const struct fb_route_node *node);
    struct fb_span method;
    uint64_t method_key;
    const struct fb_route *found;
    bool ambiguous, other_method;
    struct fb_span *allow; /* collected by fb_routes_allow() */
    size_t allow_count, allow_capacity;
    struct fb_arena *arena;
};

static enum step visit(struct walk *walk, const struct fb_route_node *node, size_t at);

static enum step visit_param(struct walk *walk, const struct fb_route_node *child, struct fb_span value, size_t next)
{
    walk->params[walk->count++] = value;
    enum step step = visit(walk, child, next);
    if (step == GO_ON)
        walk->count--;
    return step;
}

/* `{name...}`: all that is left, without the empty last segment, which is then one of its own. */
static enum step visit_rest(struct walk *walk, const struct fb_route_node *child, size_t at)
{
    const struct fb_target *target = walk->target;
    size_t end = target->count;
    if (target->segments[end - 1].len == 0)
        end--;
    if (end <= at)
        return GO_ON;
    const char *from = target->segments[at].ptr;
    const char *to = target->segments[end - 1].ptr + target->segments[end - 1].len;
    return visit_param(walk, child, fb_span(from, (size_t)(to - from)), end);
}

static enum step visit(struct walk *walk, const struct fb_route_node *node, size_t at)
{
    if (at == walk->target->count)
        return node->count != 0 ? walk->arrive(walk, node) : GO_ON;
    struct fb_span segment = walk->target->segments[at];
    const struct fb_route_node *child = fb_route_literal(node, segment);
    if (child != NULL && visit(walk, child, at + 1) == STOP)
        return STOP;
    for (enum fb_segment_kind kind = FB_SEGMENT_INT; kind <= FB_SEGMENT_ANY; kind++) {
        child = node->kinds[kind];
        if (child != NULL && fb_segment_spelled(kind, segment) && visit_param(walk, child, segment, at + 1) == STOP)
            return STOP;
    }
    child = node->kinds[FB_SEGMENT_REST];
    return child != NULL ? visit_rest(walk, child, at) : GO_ON;
}

/* --- query conditions ------------------------------------------------------------------------------- */

enum presence { ABSENT, PRESENT, UNCLEAR };

static enum presence presence_of(struct fb_span query, struct fb_span name)
{
    struct fb_query_reader reader;
    size_t index = 0;
    struct fb_span value;
    enum presence presence = ABSENT;
    fb_query_start(&reader, query, &name, 1);
    for (;;) {
        switch (fb_query_next(&reader, &index, &value)) {
        case FB_QUERY_END: return presence;
        case FB_QUERY_FOUND: presence = PRESENT; break;
        case FB_QUERY_AMBIGUOUS: return UNCLEAR;
        }
    }
}

static enum presence condition(const struct walk *walk, const struct fb_route *route)
{
    if (route->query.len == 0)
        return PRESENT;
    return walk->target->query.len == 0 ? ABSENT : presence_of(walk->target->query, route->query);
}

/* --- finding ---------------------------------------------------------------------------------------- */

/* Of the routes here for the method: the one whose `?name` is there, else the one without.  Two
 * names that are both there: the upstream may look at either. */
static enum step arrive_match(struct walk *walk, const struct fb_route_node *node)
{
    const struct fb_route *plain = NULL, *conditional = NULL;
    for (size_t i = 0; i < node->count; i++) {
        const struct fb_route_end *end = &node->ends[i];
        bool same = fb_route_ends_with(end, walk->method_key, walk->method);
        enum presence presence = end->conditional ? condition(walk, end->route) : PRESENT;
        if (!same) {
            walk->other_method |= presence != ABSENT;
        } else if (!end->conditional) {
            plain = end->route;
        } else if (presence == UNCLEAR || (presence == PRESENT && conditional != NULL)) {
            walk->ambiguous = true;
            return STOP;
        } else if (presence == PRESENT) {
            conditional = end->route;
        }
    }
    walk->found = conditional != NULL ? conditional : plain;
    return walk->found != NULL ? STOP : GO_ON;
}

static bool fits(const struct fb_route *route, const struct fb_target *target)
{
    for (size_t i = 0; i < route->segments_count; i++) {
        const struct fb_path_segment *segment = &route->segments[i];
        if (segment->kind == FB_SEGMENT_REST) {
            bool slash = i + 1 < route->segments_count;
            size_t end = target->count - (target->segments[target->count - 1].len == 0);
            return end > i && slash == (end < target->count);
        }
        if (i >= target->count)
            return false;
        if (segment->kind == FB_SEGMENT_LITERAL ? !fb_span_eq(segment->text, target->segments[i])
                                                : !fb_segment_spelled(segment->kind, target->segments[i]))
            return false;
    }
    return route->segments_count == target->count;
}

/* Would a router that prefers other segments take another route? */
static bool has_rival(const struct walk *walk)
{
    for (size_t i = 0; i < walk->found->rivals_count; i++) {
        const struct fb_route *rival = walk->found->rivals[i];
        if (fits(rival, walk->target) && condition(walk, rival) != ABSENT)
            return true;
    }
    return false;
}

enum fb_routed fb_routes_match(const struct fb_routes *routes, const struct fb_target *target, struct fb_span method,
                               struct fb_match *match)
{
    struct walk walk = {.target = target, .params = match->params, .method = method,
                        .method_key = fb_method_key(method), .arrive = arrive_match};
    (void)visit(&walk, routes->root, 0);
    if (walk.ambiguous || (walk.found != NULL && has_rival(&walk)))
        return FB_ROUTED_AMBIGUOUS;
    if (walk.found == NULL)
        return walk.other_method ? FB_ROUTED_METHOD : FB_ROUTED_NOWHERE;
    match->route = walk.found;
    match->params_count = walk.count;
    return FB_ROUTED;
}

/* --- Allow ------------------------------------------------------------------------------------------ */

static enum step arrive_allow(struct walk *walk, const struct fb_route_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        struct fb_span method = node->ends[i].route->method;
        if (condition(walk, node->ends[i].route) == ABSENT)
            continue;
        size_t at = 0;
        while (at < walk->allow_count && fb_span_cmp(walk->allow[at], method) < 0)
            at++;
        if (at < walk->allow_count && fb_span_eq(walk->allow[at], method))
            continue;
        struct fb_span *list =
            fb_arena_grow(walk->arena, walk->allow, walk->allow_count, &walk->allow_capacity, sizeof *list);
        if (list == NULL)
            return STOP;
        walk->allow = list;
        memmove(list + at + 1, list + at, (walk->allow_count - at) * sizeof *list);
        list[at] = method;
        walk->allow_count++;
    }
    return GO_ON;
}

struct fb_span fb_routes_allow(const struct fb_routes *routes, const struct fb_target *target, struct fb_arena *arena)
{
    struct fb_span params[FB_PARAMS_MAX];
    struct walk walk = {.target = target, .params = params, .arrive = arrive_allow, .arena = arena};
    (void)visit(&walk, routes->root, 0);
    size_t len = 0;
    for (size_t i = 0; i < walk.allow_count; i++)
        len += walk.allow[i].len + 2;
    char *text = arena->failed ? NULL : fb_arena_alloc(arena, len);
    if (text == NULL)
        return fb_span(NULL, 0);
    size_t at = 0;
    for (size_t i = 0; i < walk.allow_count; i++) {
        if (i != 0) {
            text[at++] = ',';
            text[at++] = ' ';
        }
        memcpy(text + at, walk.allow[i].ptr, walk.allow[i].len);
        at += walk.allow[i].len;
    }
    return fb_span(text, at);
}

/* --- resources -------------------------------------------------------------------------------------- */

bool fb_route_resource_is_principal(const struct fb_route *route)
{
    return route->resource->principal;
}

const struct fb_uid *fb_match_resource(const struct fb_match *match, const struct fb_uid *principal,
                                       struct fb_arena *arena)
{
    const struct fb_uid_template *resource = match->route->resource;
    return resource->principal ? principal : fb_uid_template_make(resource, match, arena);
}

bool fb_match_within(const struct fb_match *match, struct fb_arena *arena, const struct fb_uid **within)
{
    *within = NULL;
    if (match->route->within == NULL)
        return true;
    *within = fb_uid_template_make(match->route->within, match, arena);
    return *within != NULL;
}
