/* SPDX-License-Identifier: Apache-2.0 */
/* A refusal as fields and a body.  All memory is the arena's; a refusal that cannot be written (a
 * value that no field may carry, no memory) is told to the caller, who then sends the bare status:
 * the status never depends on what is said about it. */
#include "refusal/body.h"
#include "refusal/cors.h"
#include "refusal/grpc.h"

#define TEXT_MAX ((size_t)16384)        /* of one field */
#define BODY_MAX ((size_t)512 << 10)    /* a page may be made of a template of 256 KiB (pages.c) */

static void line(struct fb_response *response, const char *name, struct fb_span value)
{
    response->lines[response->lines_count++] = (struct fb_line){fb_span_z(name), value};
}

/* A value of the caller's, as it stands.  False where it would break its field. */
static bool add_line(struct fb_response *response, const char *name, struct fb_span value)
{
    if (!fb_http_is_field_value(value))
        return false;
    line(response, name, value);
    return true;
}

static void param(struct fb_http_param *params, size_t *count, const char *name, struct fb_span value)
{
    if (value.len != 0)
        params[(*count)++] = (struct fb_http_param){fb_span_z(name), value};
}

/* RFC 6750 section 3: at least one parameter, so the realm always stands there; no error code
 * where no credentials were given (section 3.1).  DPoP has the same ones and `algs` (RFC 9449 section 7.1). */
static size_t token_params(const struct fb_refusal *refusal, const struct fb_offer *offer, struct fb_arena *arena,
                           struct fb_http_param *params)
{
    size_t count = 0;
    param(params, &count, "realm", offer->realm);
    if (!offer->quiet) {
        param(params, &count, "error", refusal->challenge_error);
        param(params, &count, "error_description", refusal->challenge_description);
        param(params, &count, "scope", refusal->scope);
        param(params, &count, "acr_values", refusal->acr_values);
        if (refusal->has_max_age)
            param(params, &count, "max_age", fb_arena_format(arena, "%u", refusal->max_age));
    }
    if (offer->scheme == FB_SCHEME_DPOP)
        param(params, &count, "algs", offer->algs);
    param(params, &count, "resource_metadata", refusal->resource_metadata);
    return count;
}

static bool add_challenge(const struct fb_refusal *refusal, const struct fb_offer *given, struct fb_arena *arena,
                          const struct fb_allocator *memory, struct fb_response *response)
{
    static const struct fb_span names[] = {
        [FB_SCHEME_BEARER] = FB_SPAN_INIT("Bearer"), [FB_SCHEME_DPOP] = FB_SPAN_INIT("DPoP"), [FB_SCHEME_BASIC] = FB_SPAN_INIT("Basic")};
    struct fb_http_param params[9];
    struct fb_offer offer = *given;
    size_t count = 0;
    if (offer.realm.len == 0)
        offer.realm = refusal->realm.len != 0 ? refusal->realm : FB_SPAN("api");
    if (offer.scheme == FB_SCHEME_BASIC) {
        /* RFC 7617 section 2.1. */
        param(params, &count, "realm", offer.realm);
        param(params, &count, "charset", FB_SPAN("UTF-8"));
    } else {
        count = token_params(refusal, &offer, arena, params);
    }
    struct fb_buffer value;
    fb_buffer_init(&value, memory, TEXT_MAX);
    if (!fb_http_write_challenge(&value, names[offer.scheme], params, count))
        return false;
    line(response, "WWW-Authenticate", fb_buffer_span(&value));
    return true;
}

static bool add_challenges(const struct fb_refusal *refusal, struct fb_arena *arena, const struct fb_allocator *memory,
                           struct fb_response *response)
{
    static const struct fb_offer bearer = {.scheme = FB_SCHEME_BEARER};
    const struct fb_offer *offers = refusal->offers_count != 0 ? refusal->offers : &bearer;
    size_t count = refusal->offers_count > FB_OFFERS_MAX ? FB_OFFERS_MAX : refusal->offers_count == 0 ? 1 : refusal->offers_count;
    for (size_t i = 0; i < count; i++)
        if (!add_challenge(refusal, &offers[i], arena, memory, response))
            return false;
    return true;
}

static bool add_link(struct fb_span uri, struct fb_span rel, const struct fb_allocator *memory,
                     struct fb_response *response)
{
    struct fb_buffer value;
    fb_buffer_init(&value, memory, TEXT_MAX);
    if (!fb_http_write_link(&value, uri, rel))
        return false;
    line(response, "Link", fb_buffer_span(&value));
    return true;
}

/* What chose this answer, beside the method and the target (RFC 9110 section 12.5.5). */
static struct fb_span vary(const struct fb_audience *audience, struct fb_arena *arena)
{
    if (audience->pages == NULL && audience->cors == NULL && !audience->login)
        return FB_SPAN("Accept");
    return fb_arena_format(arena, "Accept%s%s%s", audience->pages != NULL ? ", Accept-Language" : "",
                           audience->cors != NULL ? ", Origin" : "", audience->login ? ", Sec-Fetch-Mode" : "");
}

static bool add_fields(const struct fb_refusal *refusal, const struct fb_audience *audience, struct fb_arena *arena,
                       const struct fb_allocator *memory, struct fb_response *response)
{
    line(response, "Cache-Control", FB_SPAN("no-store"));
    line(response, "Vary", vary(audience, arena));
    if (refusal->request_id.len != 0 && !add_line(response, "X-Request-Id", refusal->request_id))
        return false;
    if (refusal->challenge && !add_challenges(refusal, arena, memory, response))
        return false;
    if ((refusal->allow.len != 0 || refusal->status == 405) && !add_line(response, "Allow", refusal->allow))
        return false;
    if (refusal->blocked_by.len != 0 && !add_link(refusal->blocked_by, FB_SPAN("blocked-by"), memory, response))
        return false;
    if (refusal->help.len != 0 && refusal->level >= FB_LEVEL_DETAIL
        && !add_link(refusal->help, FB_SPAN("help"), memory, response))
        return false;
    if (refusal->retry_after != 0)
        line(response, "Retry-After", fb_arena_format(arena, "%u", refusal->retry_after));
    return !arena->failed;
}

/* The same refusal for a call of gRPC; false if it is none. */
static bool answer_grpc(const struct fb_refusal *refusal, const struct fb_audience *audience, struct fb_arena *arena,
                        struct fb_response *response)
{
    static const struct fb_span types[] = {
        [FB_GRPC] = FB_SPAN_INIT("application/grpc"), [FB_GRPC_WEB] = FB_SPAN_INIT("application/grpc-web"),
        [FB_GRPC_WEB_TEXT] = FB_SPAN_INIT("application/grpc-web-text")};
    enum fb_grpc_form form = fb_grpc_asked(audience->content_type);
    if (form == FB_GRPC_NONE)
        return false;
    response->status = 200;
    response->content_type = types[form];
    if (form != FB_GRPC) {
        response->body = fb_grpc_frame(refusal, form == FB_GRPC_WEB_TEXT, arena);
        return true;
    }
    line(response, "grpc-status", fb_arena_format(arena, "%u", fb_grpc_status(refusal->status)));
    line(response, "grpc-message", fb_grpc_message(refusal, arena));
    return true;
}

bool fb_refusal_render(const struct fb_refusal *refusal, const struct fb_audience *audience,
                       struct fb_arena *arena, struct fb_response *response)
{
    *response = (struct fb_response){.status = refusal->status};
    const struct fb_allocator memory = fb_arena_allocator(arena);
    if (!add_fields(refusal, audience, arena, &memory, response))
        return false;
    fb_cors_add(audience, response);
    if (audience->content_type.len != 0 && answer_grpc(refusal, audience, arena, response))
        return !arena->failed;
    struct fb_buffer body;
    fb_buffer_init(&body, &memory, BODY_MAX);
    enum fb_http_media media = fb_http_negotiate(&audience->accept, audience->accept.len != 0);
    response->content_type = fb_http_media_name(media, true);
    fb_body_write(refusal, audience, media, arena, &body);
    response->body = fb_buffer_span(&body);
    return !body.failed && !arena->failed;
}
