/* SPDX-License-Identifier: Apache-2.0 */
/* An answer in the form of expectations.  What a client sees is taken from the response as it would be sent; reason,
 * detail, uids and policies are what an operator sees in the log. */
#include "cli/test.h"

#include "http/http.h"

#define GOT_CEILING ((size_t)1 << 20)
#define NAMES_MAX 64u

struct got {
    struct fb_buffer out;
    const struct fb_test_expect *expect;
    const struct fb_test_outcome *outcome;
    struct fb_arena *arena;
};

static void add_optional(struct got *got, struct fb_span text)
{
    if (text.len != 0)
        fb_buffer_add_json(&got->out, text);
    else
        fb_buffer_add_z(&got->out, "null");
}

static void add_uid(struct got *got, const struct fb_uid *uid)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, GOT_CEILING);
    if (uid != NULL)
        fb_uid_print(&text, uid);
    add_optional(got, fb_buffer_span(&text));
    fb_buffer_release(&text);
}

static void add_status(struct got *got)
{
    const struct fb_answer *answer = &got->outcome->why->answer;
    if (answer->forward)
        fb_buffer_add_z(&got->out, "\"forward\"");
    else
        fb_buffer_add_format(&got->out, "%u", answer->preflighted ? 204 : answer->refusal.status);
}

/* All lines of that name, joined as a recipient may (RFC 9110 section 5.3). */
static void add_field(struct got *got)
{
    const struct fb_response *response = got->outcome->response;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, GOT_CEILING);
    for (size_t i = 0; response != NULL && i < response->lines_count; i++)
        if (response->lines[i].value.len != 0 && fb_span_eq_nocase(response->lines[i].name, got->expect->name)) {
            fb_buffer_add_z(&text, text.len != 0 ? ", " : "");
            fb_buffer_add(&text, response->lines[i].value);
        }
    if (response != NULL && fb_span_eq_nocase(got->expect->name, FB_SPAN("content-type")))
        fb_buffer_add(&text, response->content_type);
    add_optional(got, fb_buffer_span(&text));
    fb_buffer_release(&text);
}

/* The Bearer challenge, or one of its parameters. */
static void add_challenge(struct got *got)
{
    const struct fb_response *response = got->outcome->response;
    for (size_t i = 0; response != NULL && i < response->lines_count; i++) {
        struct fb_span value = response->lines[i].value;
        struct fb_http_challenge challenge;
        if (!fb_span_eq_nocase(response->lines[i].name, FB_SPAN("WWW-Authenticate")))
            continue;
        while (value.len != 0 && fb_http_next_challenge(&value, &challenge) == FB_HTTP_PARAM) {
            if (!fb_span_eq_nocase(challenge.scheme, FB_SPAN("Bearer")))
                continue;
            if (got->expect->name.len == 0)
                fb_buffer_add_z(&got->out, "{}");
            else
                add_optional(got, fb_http_challenge_param(&challenge,
                                                          fb_arena_text(got->arena, got->expect->name)));
            return;
        }
    }
    fb_buffer_add_z(&got->out, "null");
}

/* --- The body ------------------------------------------------------------------------------------ */

static bool open_body(struct got *got, struct fb_json *json)
{
    const struct fb_response *response = got->outcome->response;
    if (response == NULL || response->body.len == 0)
        return false;
    fb_json_init(json, response->body, got->arena, FB_JSON_LIMITS);
    return fb_json_next(json) == FB_JSON_OBJECT;
}

static void add_member(struct got *got)
{
    struct fb_json json;
    bool open = open_body(got, &json);
    while (open && fb_json_next(&json) == FB_JSON_KEY) {
        if (fb_span_eq(json.string, got->expect->name)) {
            fb_json_next(&json);
            fb_test_compact(&json, &got->out);
            return;
        }
        if (!fb_json_skip(&json))
            break;
    }
    fb_buffer_add_z(&got->out, "null");
}

static void add_disclosed(struct got *got)
{
    struct fb_json json;
    struct fb_span names[NAMES_MAX];
    size_t count = 0;
    bool open = open_body(got, &json);
    while (open && count < NAMES_MAX && fb_json_next(&json) == FB_JSON_KEY) {
        names[count++] = json.string;
        if (!fb_json_skip(&json))
            break;
    }
    fb_test_names(&got->out, names, count);
}

/* A part of the text is expected: if it is there, that is what came, else the whole. */
static void add_body(struct got *got)
{
    const struct fb_response *response = got->outcome->response;
    struct fb_span body = response != NULL ? response->body : FB_SPAN("");
    struct fb_json json;
    fb_json_init(&json, got->expect->value, got->arena, FB_JSON_LIMITS);
    struct fb_span part = fb_json_next(&json) == FB_JSON_STRING ? json.string : FB_SPAN("");
    for (size_t i = 0; i < body.len; i++)
        if (fb_span_starts(fb_span_from(body, i), part)) {
            fb_buffer_add(&got->out, got->expect->value);
            return;
        }
    fb_buffer_add_json(&got->out, body);
}

static void add_policies(struct got *got, const struct fb_program *program)
{
    const struct fb_answer *answer = &got->outcome->why->answer;
    struct fb_span *names = fb_arena_array(got->arena, answer->policies_count + 1u, sizeof *names);
    if (names == NULL)
        return;
    for (uint32_t i = 0; i < answer->policies_count; i++)
        names[i] = fb_program_id(program, answer->policies[i]);
    fb_test_names(&got->out, names, answer->policies_count);
}

struct fb_span fb_test_got(const struct fb_test_expect *expect, const struct fb_test_outcome *outcome,
                           const struct fb_program *program, struct fb_arena *arena)
{
    const struct fb_answer *answer = &outcome->why->answer;
    bool refused = !answer->forward && !answer->preflighted;
    struct got got = {.expect = expect, .outcome = outcome, .arena = arena};
    fb_buffer_init(&got.out, &fb_heap, GOT_CEILING);
    switch (expect->aspect) {
    case FB_ASPECT_FORWARD: fb_buffer_add_z(&got.out, answer->forward ? "true" : "false"); break;
    case FB_ASPECT_STATUS: add_status(&got); break;
    case FB_ASPECT_REASON: add_optional(&got, refused ? answer->refusal.reason : FB_SPAN("")); break;
    case FB_ASPECT_DETAIL: add_optional(&got, refused ? answer->refusal.detail : FB_SPAN("")); break;
    case FB_ASPECT_CHALLENGE: add_challenge(&got); break;
    case FB_ASPECT_FIELDS: add_field(&got); break;
    case FB_ASPECT_BODY: expect->name.len != 0 ? add_member(&got) : add_body(&got); break;
    case FB_ASPECT_DISCLOSED: add_disclosed(&got); break;
    case FB_ASPECT_PRINCIPAL: add_uid(&got, answer->principal); break;
    case FB_ASPECT_ACTION: add_uid(&got, answer->action); break;
    case FB_ASPECT_RESOURCE: add_uid(&got, answer->resource); break;
    case FB_ASPECT_HIDDEN: fb_buffer_add_z(&got.out, answer->hidden ? "true" : "false"); break;
    case FB_ASPECT_POLICIES: add_policies(&got, program); break;
    case FB_ASPECTS: break;
    }
    struct fb_span text = fb_arena_copy(arena, fb_buffer_span(&got.out));
    fb_buffer_release(&got.out);
    return text;
}
