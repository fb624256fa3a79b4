/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts of other origins (Fetch section 3.3): which may read what is refused, and the answer to a preflight.
 * Without these fields a script sees a network error where there was a 401 with its cure. */
#include "refusal/cors.h"

#include "http/http.h"

#define MAX_AGE 86400u      /* browsers cap it at less */

/* --- What a location says ------------------------------------------------------------------------------ */

static bool fault(struct fb_diags *diags, struct fb_span word, const char *what, struct fb_span hint)
{
    fb_diag_add(diags, FB_ERROR, "cors.origin", NULL, (struct fb_range){0, 0}, "`%.*s` %s", (int)word.len, word.ptr, what)->hint =
        hint;
    return false;
}

/* scheme "://" host [ ":" port ] and nothing behind it (RFC 6454 section 6.2), as browsers write it: in lower
 * case.  `null` is sent by everybody's sandboxed frames, so allowing it allows everybody. */
static bool is_origin(struct fb_span word)
{
    size_t colon = fb_span_find(word, ':');
    struct fb_span rest = fb_span_from(word, colon);
    if (!fb_span_starts(rest, FB_SPAN("://")) || rest.len == 3 || colon == 0)
        return false;
    rest = fb_span_from(rest, 3);
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] >= 'A' && word.ptr[i] <= 'Z')
            return false;
    return fb_http_is_uri(word) && fb_span_find(rest, '/') == rest.len && fb_span_find(rest, '?') == rest.len
           && fb_span_find(rest, '#') == rest.len && fb_span_find(rest, '@') == rest.len;
}

static bool take_word(struct fb_span word, struct fb_span *origins, struct fb_cors *cors, struct fb_diags *diags)
{
    static const struct fb_span max_age = FB_SPAN_INIT("max_age=");
    uint64_t seconds;
    if (fb_span_is(word, "*")) {
        cors->any = true;
    } else if (fb_span_is(word, "credentials")) {
        cors->credentials = true;
    } else if (fb_span_starts(word, max_age)) {
        if (!fb_span_to_u64(fb_span_from(word, max_age.len), MAX_AGE, &seconds))
            return fault(diags, word, "is no number of seconds up to 86400", FB_SPAN("write max_age=600"));
        cors->max_age = (unsigned)seconds;
    } else if (is_origin(word)) {
        origins[cors->origins_count++] = word;
    } else {
        return fault(diags, word, "is no origin", FB_SPAN("write scheme and host in lower case, with nothing behind them: "
                                                          "https://app.example"));
    }
    return true;
}

bool fb_cors_parse(const struct fb_span *words, size_t count, struct fb_arena *arena, struct fb_cors *cors,
                   struct fb_diags *diags)
{
    struct fb_span *origins = fb_arena_array(arena, count + 1, sizeof *origins);
    bool good = origins != NULL;
    *cors = (struct fb_cors){.origins = origins, .max_age = 600};
    for (size_t i = 0; good && i < count; i++)
        good = take_word(words[i], origins, cors, diags);
    if (good && !cors->any && cors->origins_count == 0)
        return fault(diags, FB_SPAN("forbid_cors"), "names no origin", FB_SPAN("name one, or `*`"));
    if (good && cors->any && (cors->credentials || cors->origins_count != 0))
        return fault(diags, FB_SPAN("*"), "stands for every origin, without credentials",
                     FB_SPAN("name the origins that may send credentials"));
    return good;
}

/* --- What an answer says -------------------------------------------------------------------------------- */

/* What a script may read beyond the few fields that it always may.  The last two for upstreams that answer
 * scripts' calls of grpc-web by a header alone. */
static const struct fb_span exposed =
    FB_SPAN_INIT("WWW-Authenticate, Retry-After, Link, Allow, X-Request-Id, DPoP-Nonce, grpc-status, grpc-message");

static void line(struct fb_response *response, const char *name, struct fb_span value)
{
    response->lines[response->lines_count++] = (struct fb_line){fb_span_z(name), value};
}

static bool allowed(const struct fb_audience *audience)
{
    const struct fb_cors *cors = audience->cors;
    if (cors == NULL || audience->origin.len == 0)
        return false;
    for (size_t i = 0; i < cors->origins_count; i++)
        if (fb_span_eq(cors->origins[i], audience->origin))
            return true;
    return cors->any;
}

/* Whoever is allowed is named, except where everybody is. */
static void add_origin(const struct fb_audience *audience, struct fb_response *response)
{
    line(response, "Access-Control-Allow-Origin", audience->cors->any ? FB_SPAN("*") : audience->origin);
    if (audience->cors->credentials && !audience->cors->any)
        line(response, "Access-Control-Allow-Credentials", FB_SPAN("true"));
}

void fb_cors_add(const struct fb_audience *audience, struct fb_response *response)
{
    if (!allowed(audience))
        return;
    add_origin(audience, response);
    line(response, "Access-Control-Expose-Headers", exposed);
}

/* The names that a script wants to send, if that is what they are; nothing of a request is sent back that
 * is not a list of field names. */
static bool is_name_list(struct fb_span list)
{
    if (list.len > 4096)
        return false;
    while (list.len != 0) {
        size_t comma = fb_span_find(list, ',');
        struct fb_span name = fb_span_trim(fb_span_head(list, comma));
        if (name.len != 0 && !fb_http_is_field_name(name))
            return false;
        list = fb_span_from(list, comma + 1);
    }
    return true;
}

bool fb_preflight_render(const struct fb_preflight *preflight, const struct fb_audience *audience,
                         struct fb_arena *arena, struct fb_response *response)
{
    *response = (struct fb_response){.status = 204};
    line(response, "Cache-Control", FB_SPAN("no-store"));
    line(response, "Vary", FB_SPAN("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"));
    if (!allowed(audience))
        return true;
    add_origin(audience, response);
    line(response, "Access-Control-Allow-Methods", preflight->methods);
    if (preflight->fields.len != 0 && is_name_list(preflight->fields))
        line(response, "Access-Control-Allow-Headers", preflight->fields);
    if (audience->cors->max_age != 0)
        line(response, "Access-Control-Max-Age", fb_arena_format(arena, "%u", audience->cors->max_age));
    return !arena->failed;
}
