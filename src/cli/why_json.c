/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid why --json`: the same as one JSON object. */
#include "cli/why.h"

/* Members after the first one bring their comma. */
static void add_name(struct fb_buffer *out, const char *name)
{
    char before = out->len != 0 ? out->ptr[out->len - 1] : '{';
    fb_buffer_add_format(out, before == '{' || before == '[' ? "\"%s\":" : ",\"%s\":", name);
}

static void add_text(struct fb_buffer *out, const char *name, struct fb_span text)
{
    add_name(out, name);
    fb_buffer_add_json(out, text);
}

static void add_optional(struct fb_buffer *out, const char *name, struct fb_span text)
{
    if (text.len != 0)
        add_text(out, name, text);
}

static void add_uid(struct fb_buffer *out, const char *name, const struct fb_uid *uid)
{
    if (uid == NULL)
        return;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1u << 20);
    fb_uid_print(&text, uid);
    add_text(out, name, fb_buffer_span(&text));
    fb_buffer_release(&text);
}

static void add_response(struct fb_buffer *out, const struct fb_response *response)
{
    add_name(out, "response");
    fb_buffer_add_format(out, "{\"status\":%u,\"fields\":[", response->status);
    for (size_t i = 0; i < response->lines_count; i++) {
        fb_buffer_add_z(out, i != 0 ? ",[" : "[");
        fb_buffer_add_json(out, response->lines[i].name);
        fb_buffer_add_char(out, ',');
        fb_buffer_add_json(out, response->lines[i].value);
        fb_buffer_add_char(out, ']');
    }
    fb_buffer_add_char(out, ']');
    add_text(out, "content_type", response->content_type);
    add_text(out, "body", response->body);
    fb_buffer_add_char(out, '}');
}

static void add_answer(struct fb_buffer *out, const struct fb_why *why)
{
    const struct fb_answer *answer = &why->answer;
    const struct fb_refusal *refusal = &answer->refusal;
    add_name(out, "forward");
    fb_buffer_add_z(out, answer->forward ? "true" : "false");
    if (!answer->forward) {
        add_name(out, "status");
        fb_buffer_add_format(out, "%u", refusal->status);
        add_optional(out, "reason", refusal->reason);
        add_optional(out, "detail", refusal->detail);
        add_text(out, "level", fb_level_name(refusal->level));
    }
    add_optional(out, "fault", answer->fault_text);
    add_uid(out, "principal", answer->principal);
    add_uid(out, "action", answer->action);
    add_uid(out, "resource", answer->resource);
    add_name(out, "anonymous");
    fb_buffer_add_z(out, answer->anonymous ? "true" : "false");
    add_name(out, "secret");
    fb_buffer_add_z(out, answer->secret ? "true" : "false");
    add_name(out, "hidden");
    fb_buffer_add_z(out, answer->hidden ? "true" : "false");
    if (why->route == NULL)
        return;
    add_name(out, "route");
    fb_buffer_add_char(out, '{');
    add_text(out, "method", why->route->method);
    add_text(out, "path", why->route->path);
    fb_buffer_add_char(out, '}');
}

static void add_ids(struct fb_buffer *out, const struct fb_program *program, const struct fb_answer *answer)
{
    add_name(out, "determining");
    fb_buffer_add_char(out, '[');
    for (uint32_t i = 0; i < answer->policies_count; i++) {
        if (i != 0)
            fb_buffer_add_char(out, ',');
        fb_buffer_add_json(out, fb_program_id(program, answer->policies[i]));
    }
    fb_buffer_add_char(out, ']');
}

void fb_why_print_json(struct fb_buffer *out, const struct fb_why_shown *shown)
{
    const struct fb_why *why = shown->why;
    const struct fb_program *program = fb_policies_program(shown->site->policies);
    fb_buffer_add_char(out, '{');
    add_text(out, "method", shown->http->method);
    add_text(out, "target", shown->http->raw_target);
    add_answer(out, why);
    add_name(out, "unknown");
    fb_buffer_add_format(out, "[%s%s%s]", why->unknown_principal ? "\"principal\"" : "",
                         why->unknown_principal && why->unknown_resource ? "," : "",
                         why->unknown_resource ? "\"resource\"" : "");
    if (why->evaluated) {
        add_name(out, "context");
        fb_value_print_json(out, why->request.context);
    }
    add_ids(out, program, &why->answer);
    add_name(out, "policies");
    fb_buffer_add_char(out, '[');
    for (size_t i = 0; i < why->policies_count; i++) {
        if (i != 0)
            fb_buffer_add_char(out, ',');
        fb_explanation_print_json(out, program, &why->policies[i]);
    }
    fb_buffer_add_char(out, ']');
    if (shown->response != NULL)
        add_response(out, shown->response);
    fb_buffer_add_z(out, "}\n");
}
