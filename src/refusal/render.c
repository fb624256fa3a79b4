/* SPDX-License-Identifier: Apache-2.0 */
/* A refusal as fields and a body.  All memory is the arena's; a refusal that cannot be written (a
 * value that no field may carry, no memory) is told to the caller, who then sends the bare status:
 * the status never depends on what is said about it. */
#include "refusal/refusal.h"

#include "http/http.h"

#define TEXT_MAX ((size_t)16384)    /* of one body, or one field */

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

/* RFC 6750 section 3: at least one parameter, so the realm always stands there; no error code
 * where no credentials were given (section 3.1). */
static bool add_challenge(const struct fb_refusal *refusal, const struct fb_allocator *memory,
                          struct fb_response *response)
{
    struct fb_http_param params[3];
    size_t count = 0;
    params[count++] = (struct fb_http_param){
        FB_SPAN("realm"), refusal->realm.len != 0 ? refusal->realm : FB_SPAN("api")};
    if (refusal->challenge_error.len != 0)
        params[count++] = (struct fb_http_param){FB_SPAN("error"), refusal->challenge_error};
    if (refusal->challenge_description.len != 0)
        params[count++] = (struct fb_http_param){FB_SPAN("error_description"), refusal->challenge_description};
    struct fb_buffer value;
    fb_buffer_init(&value, memory, TEXT_MAX);
    if (!fb_http_write_challenge(&value, FB_SPAN("Bearer"), params, count))
        return false;
    line(response, "WWW-Authenticate", fb_buffer_span(&value));
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

static bool add_fields(const struct fb_refusal *refusal, struct fb_arena *arena, const struct fb_allocator *memory,
                       struct fb_response *response)
{
    line(response, "Cache-Control", FB_SPAN("no-store"));
    line(response, "Vary", FB_SPAN("Accept"));
    if (refusal->request_id.len != 0 && !add_line(response, "X-Request-Id", refusal->request_id))
        return false;
    if (refusal->challenge && !add_challenge(refusal, memory, response))
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

static void member(struct fb_buffer *body, const char *name, struct fb_span value)
{
    if (value.len == 0)
        return;
    fb_buffer_add_z(body, body->len > 1 ? ",\"" : "\"");
    fb_buffer_add_z(body, name);
    fb_buffer_add_z(body, "\":");
    fb_buffer_add_json(body, value);
}

/* What both JSON forms have, by the level. */
static void add_told(const struct fb_refusal *refusal, struct fb_buffer *body)
{
    member(body, "error", fb_error_of_status(refusal->status));
    if (refusal->level >= FB_LEVEL_REASON) {
        member(body, "reason", refusal->reason);
        member(body, "request_id", refusal->request_id);
    }
    if (refusal->level >= FB_LEVEL_DETAIL) {
        member(body, "detail", refusal->detail.len != 0 ? refusal->detail : fb_reason_sentence_of(refusal->reason));
        member(body, "help", refusal->help);
    }
    if (refusal->level >= FB_LEVEL_POLICY && refusal->policies_count != 0) {
        fb_buffer_add_z(body, ",\"policies\":[");
        for (size_t i = 0; i < refusal->policies_count; i++) {
            if (i != 0)
                fb_buffer_add_char(body, ',');
            fb_buffer_add_json(body, refusal->policies[i]);
        }
        fb_buffer_add_char(body, ']');
    }
}

static void write_json(const struct fb_refusal *refusal, struct fb_buffer *body)
{
    fb_buffer_add_char(body, '{');
    add_told(refusal, body);
    fb_buffer_add_char(body, '}');
}

/* RFC 9457 section 3: with `about:blank` the title is the status's phrase (section 4.2.1). */
static void write_problem(const struct fb_refusal *refusal, struct fb_buffer *body)
{
    fb_buffer_add_char(body, '{');
    member(body, "type", FB_SPAN("about:blank"));
    member(body, "title", fb_phrase_of_status(refusal->status));
    fb_buffer_add_format(body, ",\"status\":%u", refusal->status);
    add_told(refusal, body);
    fb_buffer_add_char(body, '}');
}

bool fb_refusal_render(const struct fb_refusal *refusal, const struct fb_audience *audience,
                       struct fb_arena *arena, struct fb_response *response)
{
    *response = (struct fb_response){.status = refusal->status};
    const struct fb_allocator memory = fb_arena_allocator(arena);
    if (!add_fields(refusal, arena, &memory, response))
        return false;
    struct fb_buffer body;
    fb_buffer_init(&body, &memory, TEXT_MAX);
    enum fb_http_media media = fb_http_negotiate(&audience->accept, audience->accept.len != 0);
    if (media == FB_MEDIA_PROBLEM_JSON) {
        response->content_type = fb_http_media_name(media, true);
        write_problem(refusal, &body);
    } else {
        response->content_type = fb_http_media_name(FB_MEDIA_JSON, true);
        write_json(refusal, &body);
    }
    response->body = fb_buffer_span(&body);
    return !body.failed && !arena->failed;
}
