/* SPDX-License-Identifier: Apache-2.0 */
/* A schema is read, or refused with diagnostics; from what was read the table of routes is made, and the path
 * of each of its routes, with its parameters filled in, must lead to a route. */
#include "fuzz.h"

#include "request/request.h"

/* `/users/{id:int}/{rest...}` → `/users/7/7`.  Empty where that is no path that a request may have. */
static struct fb_span fill(struct fb_arena *arena, struct fb_span path)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 20);
    while (path.len != 0) {
        size_t open = fb_span_find(path, '{'), end = fb_span_find(path, '}');
        struct fb_span literal = fb_span_head(path, open), param = fb_span_head(path, end);
        fb_buffer_add(&out, literal);
        if (open < path.len)
            fb_buffer_add_z(&out, param.len > 5 && memcmp(param.ptr + param.len - 5, ":uuid", 5) == 0
                                      ? "01234567-89ab-cdef-0123-456789abcdef" : "7");
        path = fb_span_from(path, end < path.len && open < path.len ? end + 1 : path.len);
    }
    struct fb_span filled = fb_arena_copy(arena, fb_buffer_span(&out));
    fb_buffer_release(&out);
    return filled;
}

static void match(const struct fb_routes *routes, const struct fb_route *route, struct fb_arena *arena)
{
    struct fb_target target;
    struct fb_match found;
    struct fb_http_request request = {.method = route->method, .path = fill(arena, route->path), .query = route->query};
    if (fb_target_read(&request, &target) != FB_TARGET_OK)
        return;
    enum fb_routed routed = fb_routes_match(routes, &target, request.method, &found);
    fuzz_must_show(routed == FB_ROUTED || routed == FB_ROUTED_AMBIGUOUS, "a route's own path leads somewhere", request.path);
    if (routed == FB_ROUTED && !fb_route_resource_is_principal(found.route)) {
        const struct fb_uid *within;
        fuzz_must(fb_match_resource(&found, NULL, arena) != NULL, "a route names a resource");
        fuzz_must(fb_match_within(&found, arena, &within), "… and perhaps what it is in");
    }
    fuzz_must(fb_routes_allow(routes, &target, arena).len != 0, "a path with a route allows a method");
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_source source = {FB_SPAN("schema.cedarschema"), input};
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    const struct fb_schema *schema = fb_schema_read(arena, &source, &diags);
    fuzz_must((schema != NULL) == (diags.errors == 0), "a fault is reported, and only a fault");
    if (schema != NULL) {
        struct fb_entity_set *set = fb_entity_set_new(arena);
        fuzz_must(fb_schema_add_actions(schema, set) && fb_entity_set_close(set, &diags),
                  "the actions of a schema are sound entities");
        for (uint32_t i = 0; i < schema->types_count; i++)
            fuzz_must(fb_schema_type(schema, schema->types[i]->name) == schema->types[i], "types are found by name");
        for (uint32_t i = 0; i < schema->actions_count; i++)
            fuzz_must(fb_schema_action(schema, schema->actions[i]->uid) == schema->actions[i], "actions are found by uid");
        struct fb_routes *routes = fb_routes_new(arena, schema, &diags);
        fuzz_must((routes != NULL) == (diags.errors == 0), "a fault of a route is reported");
        for (size_t i = 0; routes != NULL && i < fb_routes_count(routes); i++)
            match(routes, fb_routes_at(routes, i), arena);
    }
    fuzz_show_diags(&diags);
}
