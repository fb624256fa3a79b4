/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of an API: the routes of a policy directory's schema, or the operations of an OpenAPI document
 * (init_openapi.c reads it), in one form. */
#include "cli/init.h"
#include "cli/probe.h"

#include <stdlib.h>

/* `{id:int}` → name and form; *rest moves on behind it.  False: no parameter is left. */
static bool next_param(struct fb_span *rest, struct fb_span *name, enum fb_probe_form *form)
{
    size_t open = fb_span_find(*rest, '{');
    struct fb_span inner = fb_span_from(*rest, open + 1);
    size_t close = fb_span_find(inner, '}');
    if (open >= rest->len || close >= inner.len)
        return false;
    *rest = fb_span_from(inner, close + 1);
    inner = fb_span_head(inner, close);
    size_t colon = fb_span_find(inner, ':');
    struct fb_span said = fb_span_from(inner, colon + 1);
    *name = fb_span_head(inner, colon);
    if (name->len > 3 && memcmp(name->ptr + name->len - 3, "...", 3) == 0)
        name->len -= 3;
    *form = fb_span_is(said, "int") ? FB_PROBE_INT : fb_span_is(said, "uuid") ? FB_PROBE_UUID : FB_PROBE_TEXT;
    return true;
}

static struct fb_probe_route *add_route(struct fb_probe_routes *routes, struct fb_arena *arena, struct fb_span method, struct fb_span path, struct fb_span query)
{
    struct fb_probe_route *grown = fb_arena_grow(arena, routes->list, routes->count, &routes->capacity, sizeof *grown);
    if (grown == NULL)
        return NULL;
    routes->list = grown;
    struct fb_probe_route *route = &grown[routes->count++];
    *route = (struct fb_probe_route){.method = method, .path = path, .query = query};
    struct fb_span rest = path;
    while (route->params_count < FB_PARAMS_MAX && next_param(&rest, &route->params[route->params_count], &route->forms[route->params_count]))
        route->params_count++;
    struct fb_buffer title;
    struct fb_allocator memory = fb_arena_allocator(arena);
    fb_buffer_init(&title, &memory, 65536);
    fb_buffer_add_format(&title, "%.*s ", (int)method.len, method.ptr);
    /* Without what is said of the form of a parameter. */
    for (size_t i = 0, inside = 0, form = 0; i < path.len; i++) {
        inside = path.ptr[i] == '{' ? 1 : inside;
        form = inside && path.ptr[i] == ':' ? 1 : path.ptr[i] == '}' ? 0 : form;
        inside = path.ptr[i] == '}' ? 0 : inside;
        if (!form)
            fb_buffer_add_char(&title, path.ptr[i]);
    }
    if (query.len != 0)
        fb_buffer_add_format(&title, "?%.*s", (int)query.len, query.ptr);
    route->title = fb_buffer_span(&title);
    return title.failed ? NULL : route;
}

bool fb_probe_routes_of_policies(struct fb_probe_routes *routes, const struct fb_policies *policies, struct fb_arena *arena)
{
    const struct fb_routes *all = fb_policies_routes(policies);
    for (size_t i = 0; i < fb_routes_count(all); i++) {
        const struct fb_route *from = fb_routes_at(all, i);
        if (from->implicit)
            continue;
        struct fb_probe_route *route = add_route(routes, arena, from->method, from->path, from->query);
        if (route == NULL)
            return false;
        route->route = from;
    }
    return true;
}

/* A name that the path itself does not know the form of. */
static void set_forms(struct fb_probe_route *route, const struct fb_api_operation *operation)
{
    for (size_t i = 0; i < route->params_count; i++)
        for (size_t j = 0; j < operation->params_count; j++)
            if (fb_span_eq(route->params[i], operation->params[j].name))
                route->forms[i] = operation->params[j].kind == FB_API_INT    ? FB_PROBE_INT
                                  : operation->params[j].kind == FB_API_UUID ? FB_PROBE_UUID
                                                                             : FB_PROBE_TEXT;
}

bool fb_probe_routes_of_openapi(struct fb_probe_routes *routes, const struct fb_source *source, bool whole, struct fb_arena *arena, struct fb_diags *diags)
{
    struct fb_api api;
    if (!fb_api_read(&api, source, arena, diags))
        return false;
    routes->prefix = whole ? fb_span(NULL, 0) : api.prefix;
    for (size_t i = 0; i < api.count; i++) {
        const struct fb_api_operation *operation = &api.operations[i];
        enum fb_api_security security = operation->security != FB_API_UNSAID ? operation->security : api.security;
        struct fb_span path = operation->path;
        if (whole && api.prefix.len != 0)
            path = fb_arena_format(arena, "%.*s%.*s", (int)api.prefix.len, api.prefix.ptr, (int)path.len, path.ptr);
        struct fb_probe_route *route = add_route(routes, arena, operation->method, path, fb_span(NULL, 0));
        if (route == NULL) {
            fb_diag_add(diags, FB_ERROR, "openapi.memory", NULL, (struct fb_range){0, 0}, "out of memory");
            return false;
        }
        set_forms(route, operation);
        route->open = security == FB_API_OPEN;
        route->signed_in = security == FB_API_SIGNED_IN;
    }
    return true;
}

/* --- Which of them, and what is said of them ------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
    static const char *const order[] = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"};
    const struct fb_probe_route *x = a, *y = b;
    int c = fb_span_cmp(fb_span_from(x->title, x->method.len), fb_span_from(y->title, y->method.len));
    for (size_t i = 0; c == 0 && i < sizeof order / sizeof order[0]; i++)
        c = fb_span_is(y->method, order[i]) - fb_span_is(x->method, order[i]);
    c = c != 0 ? c : fb_span_cmp(x->title, y->title);
    /* What the policies say of a route counts, where a document has it too. */
    return c != 0 ? c : (y->route != NULL) - (x->route != NULL);
}

static bool contains(struct fb_span text, const char *part)
{
    size_t len = strlen(part);
    if (strchr(part, '*') != NULL)
        return fb_probe_matches(fb_span_z(part), text);
    for (size_t i = 0; i + len <= text.len; i++)
        if (memcmp(text.ptr + i, part, len) == 0)
            return true;
    return false;
}

static bool any_contains(const struct fb_words *words, struct fb_span title)
{
    for (size_t i = 0; i < words->count; i++)
        if (contains(title, words->list[i]))
            return true;
    return false;
}

static bool any_matches(const struct fb_span *patterns, size_t count, struct fb_span title)
{
    for (size_t i = 0; i < count; i++)
        if (fb_probe_matches(patterns[i], title))
            return true;
    return false;
}

/* GET, HEAD and OPTIONS change nothing (RFC 9110 section 9.2.1); others are asked for by name. */
static bool may_be_sent(struct fb_span method, const struct fb_words *unsafe)
{
    if (fb_span_is(method, "GET") || fb_span_is(method, "HEAD") || fb_span_is(method, "OPTIONS"))
        return true;
    for (size_t i = 0; i < unsafe->count; i++) {
        struct fb_span rest = fb_span_z(unsafe->list[i]);
        while (rest.len != 0) {
            size_t comma = fb_span_find(rest, ',');
            if (fb_span_eq_nocase(fb_span_trim(fb_span_head(rest, comma)), method))
                return true;
            rest = fb_span_from(rest, comma + 1);
        }
    }
    return false;
}

/* Of a route that both the policies and the document have, theirs stands first and is kept, with what the document
 * says of it. */
static void drop_doubles(struct fb_probe_routes *routes)
{
    size_t kept = 0;
    for (size_t i = 0; i < routes->count; i++) {
        struct fb_probe_route *last = kept != 0 ? &routes->list[kept - 1] : NULL;
        if (last == NULL || !fb_span_eq(routes->list[i].title, last->title)) {
            routes->list[kept++] = routes->list[i];
            continue;
        }
        last->open |= routes->list[i].open;
        last->signed_in |= routes->list[i].signed_in;
    }
    routes->count = kept;
}

void fb_probe_routes_settle(struct fb_probe_routes *routes, const struct fb_probe_world *world, const struct fb_probe_filter *filter)
{
    if (routes->count != 0)
        qsort(routes->list, routes->count, sizeof *routes->list, by_path);
    drop_doubles(routes);
    for (size_t i = 0; i < routes->count; i++) {
        struct fb_probe_route *route = &routes->list[i];
        route->open |= any_matches(world->open, world->open_count, route->title);
        route->function = any_matches(world->privileged, world->privileged_count, route->title);
        if (!may_be_sent(route->method, &filter->unsafe))
            route->left_out = "it may change something; --unsafe names the methods that are sent all the same";
        else if ((filter->only.count != 0 && !any_contains(&filter->only, route->title)) || any_contains(&filter->skip, route->title))
            route->left_out = "--only and --skip leave it out";
    }
}
