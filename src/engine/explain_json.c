/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations for programs. */

#include "engine/explain.h"

static void add_text(struct fb_buffer *out, const char *name, struct fb_span text)
{
    fb_buffer_add_format(out, "\"%s\":", name);
    fb_buffer_add_json(out, text);
}

/* "file":…,"start":{…},"end":{…} */
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

/* A value as JSON, and as Cedar text that may be cut; a long one as text alone. */
static void add_value(struct fb_buffer *out, struct fb_value value)
{
    struct fb_buffer text, json;
    fb_buffer_init(&text, out->allocator, 8 * FB_VALUE_COLUMNS);
    fb_value_print_cut(&text, value, FB_VALUE_COLUMNS);
    fb_buffer_init(&json, out->allocator, FB_VALUE_BYTES);
    if (fb_buffer_reserve(&json, FB_VALUE_BYTES - 1) == NULL || text.failed)
        out->failed = true;
    fb_value_print_json(&json, value);
    if (!json.failed) {
        fb_buffer_add_z(out, ",\"value\":");
        fb_buffer_add(out, fb_buffer_span(&json));
    }
    fb_buffer_add_char(out, ',');
    add_text(out, "cedar", fb_buffer_span(&text));
    fb_buffer_release(&json);
    fb_buffer_release(&text);
}

static void add_error(struct fb_buffer *out, const struct fb_source *source, const struct fb_clause *clause)
{
    if (clause->error.len == 0)
        return;
    fb_buffer_add_char(out, ',');
    add_text(out, "error", clause->error);
    fb_buffer_add_z(out, ",\"error_at\":{");
    add_text(out, "text", text_of(source, clause->error_range));
    fb_buffer_add_char(out, ',');
    add_range(out, source, clause->error_range);
    fb_buffer_add_char(out, '}');
}

static void add_clause(struct fb_buffer *out, const struct fb_source *source, const struct fb_clause *clause,
                       bool decisive)
{
    fb_buffer_add_char(out, '{');
    add_text(out, "part", fb_span_z(fb_clause_part_name(clause->part)));
    fb_buffer_add_char(out, ',');
    add_text(out, "text", text_of(source, clause->range));
    fb_buffer_add_format(out, ",\"about\":\"%s\",\"outcome\":\"%s\",\"decisive\":%s", fb_clause_codes[clause->about],
                         fb_outcomes_name(clause->outcomes), decisive ? "true" : "false");
    add_error(out, source, clause);
    fb_buffer_add_char(out, ',');
    add_range(out, source, clause->range);
    fb_buffer_add_z(out, ",\"values\":[");
    for (uint32_t i = 0; i < clause->values_count; i++) {
        fb_buffer_add_z(out, i != 0 ? ",{" : "{");
        add_text(out, "text", text_of(source, clause->values[i].range));
        add_value(out, clause->values[i].value);
        fb_buffer_add_char(out, '}');
    }
    fb_buffer_add_z(out, "]}");
}

void fb_explanation_print_json(struct fb_buffer *out, const struct fb_program *program,
                               const struct fb_explanation *explanation)
{
    const struct fb_policy *policy = fb_program_policy(program, explanation->policy);
    fb_buffer_add_char(out, '{');
    add_text(out, "id", fb_program_id(program, explanation->policy));
    fb_buffer_add_format(out, ",\"effect\":\"%s\",\"outcome\":\"%s\",\"unmet\":%u,",
                         policy->effect == FB_PERMIT ? "permit" : "forbid", fb_outcomes_name(explanation->outcomes),
                         explanation->unmet);
    add_range(out, policy->source, policy->range);
    fb_buffer_add_z(out, ",\"clauses\":[");
    for (uint32_t i = 0; i < explanation->clauses_count; i++) {
        if (i != 0)
            fb_buffer_add_char(out, ',');
        add_clause(out, policy->source, &explanation->clauses[i], &explanation->clauses[i] == explanation->decisive);
    }
    fb_buffer_add_z(out, "]}");
}

static void add_errors(struct fb_buffer *out, const struct fb_program *program, const struct fb_decision *decision)
{
    for (uint32_t i = 0; i < decision->errors_count; i++) {
        const struct fb_policy_error *error = &decision->errors[i];
        const struct fb_source *source = fb_program_policy(program, error->policy)->source;
        fb_buffer_add_z(out, i != 0 ? ",{" : "{");
        add_text(out, "policy", fb_program_id(program, error->policy));
        fb_buffer_add_char(out, ',');
        add_text(out, "message", error->message);
        fb_buffer_add_char(out, ',');
        add_text(out, "text", text_of(source, error->range));
        fb_buffer_add_char(out, ',');
        add_range(out, source, error->range);
        fb_buffer_add_char(out, '}');
    }
}

void fb_explained_print_json(struct fb_buffer *out, const struct fb_program *program,
                             const struct fb_decision *decision, const struct fb_explained *explained)
{
    bool forbidden = decision->forbids_count != 0;
    const uint32_t *list = forbidden ? decision->forbids : decision->permits;
    uint32_t count = forbidden ? decision->forbids_count : decision->permits_count;
    fb_buffer_add_format(out, "{\"decision\":\"%s\",\"reason\":[", decision->allow ? "allow" : "deny");
    for (uint32_t i = 0; i < count; i++) {
        if (i != 0)
            fb_buffer_add_char(out, ',');
        fb_buffer_add_json(out, fb_program_id(program, list[i]));
    }
    fb_buffer_add_z(out, "],\"errors\":[");
    add_errors(out, program, decision);
    if (explained == NULL) {
        fb_buffer_add_z(out, "]}");
        return;
    }
    fb_buffer_add_z(out, "],\"policies\":[");
    for (uint32_t i = 0; i < explained->count; i++) {
        if (i != 0)
            fb_buffer_add_char(out, ',');
        fb_explanation_print_json(out, program, &explained->policies[i]);
    }
    fb_buffer_add_format(out, "],\"left_out\":%u}", explained->left_out);
}
