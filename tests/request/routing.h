/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_REQUEST_ROUTING_H
#define FB_TESTS_REQUEST_ROUTING_H

/* What the tests of src/request/ share: a table of routes from schema text, requests from literals. */
#include "../base/testing.h"

#include <stdio.h>

#include "request/request.h"

struct routing {
    struct fb_arena arena;
    struct fb_source source;
    struct fb_diags diags;
    const struct fb_schema *schema;
    struct fb_routes *routes;
};

/* `text` must outlive it.  Where the schema itself does not parse, the test is broken. */
static inline void routing_load(struct routing *r, const char *name, struct fb_span text)
{
    fb_arena_init(&r->arena, &fb_heap, (size_t)1 << 30);
    r->source = (struct fb_source){fb_span_z(name), text};
    fb_diags_init(&r->diags, &r->arena);
    r->schema = fb_schema_read(&r->arena, &r->source, &r->diags);
    r->routes = r->schema != NULL ? fb_routes_new(&r->arena, r->schema, &r->diags) : NULL;
}

static inline void routing_print(const struct routing *r)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, 1 << 20);
    fb_diags_print(&out, &r->diags, false);
    print_error("%.*s\n", (int)out.len, out.len != 0 ? out.ptr : "");
    fb_buffer_release(&out);
}

/* Must be without errors. */
static inline void routing_expect(struct routing *r, const char *name, struct fb_span text)
{
    routing_load(r, name, text);
    if (r->routes == NULL) {
        routing_print(r);
        fail_msg("%s does not load", name);
    }
}

static inline void routing_release(struct routing *r)
{
    fb_arena_release(&r->arena);
}

/* The path as it stands, no raw target. */
static inline struct fb_http_request request_of(const char *method, const char *path, const char *query)
{
    return (struct fb_http_request){.method = fb_span_z(method), .path = fb_span_z(path), .query = fb_span_z(query)};
}

static inline void read_test_file(struct fb_buffer *out, const char *folder, const char *name)
{
    char path[1024];
    const char *tests = getenv("FB_TESTS");
    (void)snprintf(path, sizeof path, "%s/%s/%s", tests != NULL ? tests : "tests", folder, name);
    fb_buffer_init(out, &fb_heap, 64u << 20);
    if (fb_buffer_read_file(out, path) != 0)
        fail_msg("cannot read %s", path);
}

/* A file of an npm package: the one that the environment names, else where ./check puts packages.
 * False: not there. */
static inline bool npm_file(const char *variable, const char *name, char path[1024])
{
    const char *named = getenv(variable), *root = getenv("FB_ROOT");
    if (named != NULL && *named != '\0')
        (void)snprintf(path, 1024, "%s", named);
    else
        (void)snprintf(path, 1024, "%s/node_modules/%s", root != NULL ? root : ".", name);
    FILE *file = fopen(path, "rb");
    if (file != NULL)
        (void)fclose(file);
    return file != NULL;
}

#endif
