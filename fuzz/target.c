/* SPDX-License-Identifier: Apache-2.0 */
/* A request line's target, as nginx hands it on and as an upstream splits it: whatever passes is routed as the
 * upstream would route it.  The first byte chooses the method; the rest is the target.  The table of routes is
 * one with every kind of segment. */
#include "fuzz.h"

#include "../tests/request/nginx_uri.h"

static const char schema_text[] =
    "entity User; entity Doc;\n"
    "@route(\"GET /\") @resource(\"Doc::root\") action home appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /users/{id:int}, DELETE /users/{id}\") action user appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /users/me\") @resource(\"Doc::me\") action me appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /users/{id}/files/{file...}\") @resource(\"Doc::{id}/{file}\")\n"
    "  action files appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /a/{x}/c\") action crossed appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /a/b/{y}\") action crossing appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /a/{id:uuid}/, GET /a/{id:slug}\") action spelled appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /admin\") @resource(\"Doc::admin\") action admin appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /users?export, GET /users?import\") @resource(\"Doc::export\")\n"
    "  action export appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /users\") @resource(\"Doc::list\") action list appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /tail/{rest...}/\") action tail appliesTo {principal: User, resource: Doc};\n";

static struct fb_routes *routes_of(struct fb_arena *arena)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_diags diags;
    *source = (struct fb_source){FB_SPAN("schema"), FB_SPAN(schema_text)};
    fb_diags_init(&diags, arena);
    const struct fb_schema *schema = fb_schema_read(arena, source, &diags);
    struct fb_routes *routes = schema != NULL ? fb_routes_new(arena, schema, &diags) : NULL;
    if (routes == NULL)
        fuzz_show_diags(&diags);
    fuzz_must(routes != NULL, "the table of routes is good");
    return routes;
}

static void check_segments(const struct fb_target *target)
{
    for (size_t i = 0; i < target->count; i++) {
        struct fb_span s = target->segments[i];
        fuzz_must(s.len != 0 || i + 1 == target->count, "only the last segment is empty");
        fuzz_must(!fb_span_is(s, ".") && !fb_span_is(s, "..") && fb_span_find(s, '/') == s.len
                      && fb_span_find(s, '\\') == s.len && fb_utf8_valid(s) == s.len, "a segment is a plain name");
    }
}

static void route(struct fb_arena *arena, const struct fb_routes *routes, const struct fb_http_request *request,
                  const char *method, const char *raw)
{
    static struct linear seen;
    struct fb_target target;
    struct fb_match match;
    if (fb_target_read(request, &target) != FB_TARGET_OK)
        return;
    check_segments(&target);
    enum fb_routed routed = fb_routes_match(routes, &target, request->method, &match);
    if (routed == FB_ROUTED_METHOD)
        fuzz_must(fb_routes_allow(routes, &target, arena).len != 0, "a 405 says what is allowed");
    if (!linear_match(routes, method, raw, &seen))
        fuzz_must(false, "a target that passes can be decoded");
    if (routed == FB_ROUTED) {
        fuzz_must_show(seen.route == match.route && !seen.torn, "the upstream takes the same route", target.path);
        for (size_t i = 0; i < match.params_count; i++)
            fuzz_must(fb_span_is(match.params[i], seen.params[i]), "… with the same parameters");
        fuzz_must(fb_match_resource(&match, NULL, arena) != NULL, "… for one resource");
    } else if (routed != FB_ROUTED_AMBIGUOUS) {
        fuzz_must_show(seen.route == NULL && seen.other_method == (routed == FB_ROUTED_METHOD), "nobody takes it", target.path);
    }
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    static const char *const methods[] = {"GET", "HEAD", "DELETE", "POST"};
    static struct nginx_uri uri;
    static char raw[2048];
    const struct fb_routes *routes = routes_of(arena);
    const char *method = methods[fuzz_byte(&input) % 4];
    /* A request line has no NUL in it. */
    if (input.len >= sizeof raw || fb_span_find(input, '\0') < input.len)
        return;
    memcpy(raw, input.len != 0 ? input.ptr : "", input.len);
    raw[input.len] = '\0';
    if (!nginx_read(raw, &uri))
        return;
    struct fb_http_request request = {.method = fb_span_z(method), .raw_target = fb_span_z(uri.raw),
                                      .path = fb_span_z(uri.uri), .query = fb_span_z(uri.args)};
    route(arena, routes, &request, method, uri.raw);
    /* A pair that no nginx would send. */
    struct fb_target target;
    request.path = input;
    if (fb_target_read(&request, &target) == FB_TARGET_OK)
        check_segments(&target);
}
