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

static void add_range(struct fb_buffer *out, const struct fb_source *source, struct fb_range range)
{
    struct fb_position start = fb_source_position(source, range.start), end = fb_source_position(source, range.end);
    add_text(out, "file", source->name);
    fb_buffer_add_format(out,
                         ",\"start\":{\"offset\":%u,\"line\":%u,\"column\":%u}"
                         ",\"end\":{\"offset\":%u,\"line\":%u,\"column\":%u}",
                         range.start, start.line, start.column, range.end, end.line, end.column);
}

static struct fb_span text_of(const struct fb_source *source, struct fb_range range)
{
    return fb_span_from(fb_span_head(source->text, range.end), range.start);
}

static const char *outcome_name(uint8_t outcomes)
{
    switch (outcomes) {
    case FB_CAN_TRUE: return "true";
    case FB_CAN_FALSE: return "false";
    case FB_CAN_ERR: return "error";
    default: return "unknown";
    }
}

static const char *part_name(enum fb_clause_part part)
{
    switch (part) {
    case FB_PART_PRINCIPAL: return "principal";
    case FB_PART_ACTION: return "action";
    case FB_PART_RESOURCE: return "resource";
    case FB_PART_WHEN: return "when";
    case FB_PART_UNLESS: return "unless";
    }
    return "when";
}

static void add_clause(struct fb_buffer *out, const struct fb_source *source, const struct fb_clause *clause,
                       bool decisive)
{
    fb_buffer_add_char(out, '{');
    add_text(out, "part", fb_span_z(part_name(clause->part)));
    add_text(out, "text", text_of(source, clause->range));
    add_text(out, "about", fb_span_z(fb_clause_codes[clause->about]));
    add_text(out, "outcome", fb_span_z(outcome_name(clause->outcomes)));
    add_name(out, "decisive");
    fb_buffer_add_z(out, decisive ? "true" : "false");
    add_optional(out, "error", clause->error);
    add_range(out, source, clause->range);
    add_name(out, "values");
    fb_buffer_add_char(out, '[');
    for (uint32_t i = 0; i < clause->values_count; i++) {
        fb_buffer_add_z(out, i != 0 ? ",{" : "{");
        add_text(out, "text", text_of(source, clause->values[i].range));
        add_name(out, "value");
        fb_value_print_json(out, clause->values[i].value);
        fb_buffer_add_char(out, '}');
    }
    fb_buffer_add_z(out, "]}");
}

static void add_policy(struct fb_buffer *out, const struct fb_program *program,
                       const struct fb_explanation *explanation)
{
    const struct fb_policy *policy = fb_program_policy(program, explanation->policy);
    fb_buffer_add_char(out, '{');
    add_text(out, "id", fb_program_id(program, explanation->policy));
    add_text(out, "effect", policy->effect == FB_PERMIT ? FB_SPAN("permit") : FB_SPAN("forbid"));
    add_text(out, "outcome", fb_span_z(outcome_name(explanation->outcomes)));
    add_name(out, "unmet");
    fb_buffer_add_format(out, "%u", explanation->unmet);
    add_range(out, policy->source, policy->range);
    add_name(out, "clauses");
    fb_buffer_add_char(out, '[');
    for (uint32_t i = 0; i < explanation->clauses_count; i++) {
        if (i != 0)
            fb_buffer_add_char(out, ',');
        add_clause(out, policy->source, &explanation->clauses[i], &explanation->clauses[i] == explanation->decisive);
    }
    fb_buffer_add_z(out, "]}");
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
        add_policy(out, program, &why->policies[i]);
    }
    fb_buffer_add_char(out, ']');
    if (shown->response != NULL)
        add_response(out, shown->response);
    fb_buffer_add_z(out, "}\n");
}
