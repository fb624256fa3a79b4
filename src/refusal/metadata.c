/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata of a protected resource (RFC 9728): where a client that was refused finds out whom to ask for a
 * token, and which scopes there are.  Public, the same for everybody, and made of what is configured. */
#include "http/http.h"
#include "refusal/refusal.h"

static const struct fb_span well_known = FB_SPAN_INIT("/.well-known/oauth-protected-resource");

/* Where the path of a URI begins; its length if it has none. */
static size_t path_of(struct fb_span uri)
{
    size_t at = fb_span_find(uri, ':');
    if (!fb_span_starts(fb_span_from(uri, at), FB_SPAN("://")))
        return uri.len;
    at += 3;
    return at + fb_span_find(fb_span_from(uri, at), '/');
}

const char *fb_resource_check(struct fb_span resource)
{
    size_t path = path_of(resource);
    struct fb_span host = fb_span_from(fb_span_head(resource, path), fb_span_find(resource, ':') + 3);
    bool scheme = fb_span_starts(resource, FB_SPAN("https://")) || fb_span_starts(resource, FB_SPAN("http://"));
    if (!scheme || host.len == 0 || !fb_http_is_uri(resource))
        return "is no URI of this API: write https://api.example, with its path if it has one";
    if (fb_span_find(resource, '#') != resource.len || fb_span_find(resource, '?') != resource.len)
        return "has a query or a fragment, which RFC 9728 section 1.2 leaves out";
    return NULL;
}

/* RFC 9728 section 3.1: the well-known part stands between host and path; a path of `/` alone is none. */
struct fb_span fb_metadata_uri(struct fb_span resource, struct fb_arena *arena)
{
    size_t at = path_of(resource);
    struct fb_span path = fb_span_from(resource, at);
    if (fb_span_is(path, "/"))
        path = fb_span(NULL, 0);
    return fb_arena_format(arena, "%.*s%.*s%.*s", (int)at, resource.ptr, (int)well_known.len, well_known.ptr, (int)path.len,
                           path.len != 0 ? path.ptr : "");
}

struct fb_span fb_metadata_path(struct fb_span uri)
{
    return fb_span_from(uri, path_of(uri));
}

static void add_list(struct fb_buffer *body, const char *name, const struct fb_span *list, size_t count)
{
    if (count == 0)
        return;
    fb_buffer_add_format(body, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            fb_buffer_add_char(body, ',');
        fb_buffer_add_json(body, list[i]);
    }
    fb_buffer_add_char(body, ']');
}

static void add_dpop(struct fb_buffer *body, const struct fb_metadata *metadata)
{
    struct fb_span names[8], rest = metadata->dpop_algs;
    size_t count = 0;
    while (rest.len != 0 && count < sizeof names / sizeof names[0]) {
        size_t end = fb_span_find(rest, ' ');
        names[count++] = fb_span_head(rest, end);
        rest = fb_span_from(rest, end + 1);
    }
    add_list(body, "dpop_signing_alg_values_supported", names, count);
    if (metadata->dpop_required)
        fb_buffer_add_z(body, ",\"dpop_bound_access_tokens_required\":true");
}

bool fb_metadata_render(const struct fb_metadata *metadata, struct fb_arena *arena, struct fb_response *response)
{
    const struct fb_allocator memory = fb_arena_allocator(arena);
    struct fb_buffer body;
    fb_buffer_init(&body, &memory, (size_t)1 << 20);
    fb_buffer_add_z(&body, "{\"resource\":");
    fb_buffer_add_json(&body, metadata->resource);
    add_list(&body, "authorization_servers", metadata->issuers, metadata->issuers_count);
    add_list(&body, "scopes_supported", metadata->scopes, metadata->scopes_count);
    fb_buffer_add_z(&body, ",\"bearer_methods_supported\":[\"header\"]");
    add_dpop(&body, metadata);
    fb_buffer_add_char(&body, '}');
    *response = (struct fb_response){.status = 200, .content_type = FB_SPAN("application/json"), .body = fb_buffer_span(&body)};
    /* Any script may read what anybody may; it changes with the configuration alone. */
    response->lines[response->lines_count++] = (struct fb_line){FB_SPAN("Cache-Control"), FB_SPAN("public, max-age=300")};
    response->lines[response->lines_count++] = (struct fb_line){FB_SPAN("Access-Control-Allow-Origin"), FB_SPAN("*")};
    return !body.failed && !arena->failed;
}
