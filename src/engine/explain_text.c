/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations for people: a policy with its clauses underlined where they stand, what each came to, and
 * the values that made it so. */

#include "engine/explain.h"

#define GREEN "\033[32m"
#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

#define LINES_SHOWN 8u    /* of a clause that does not hold */
#define PRINTED_MAX 4096u /* bytes of a value, before it is cut */

/* A string is cut before it is printed, since it is printed in one piece: each of its scalars takes a
 * column or more. */
static struct fb_value shortened(struct fb_value value, size_t columns)
{
    struct fb_span text = value.kind == FB_STRING ? fb_value_text(value) : FB_SPAN("");
    size_t end = 4 * (columns + 1);
    if (text.len <= end)
        return value;
    while (end > 0 && ((unsigned char)text.ptr[end] & 0xc0) == 0x80)
        end--;
    return fb_value_string(fb_span_head(text, end));
}

void fb_value_print_cut(struct fb_buffer *out, struct fb_value value, size_t columns)
{
    struct fb_buffer text;
    fb_buffer_init(&text, out->allocator, PRINTED_MAX);
    /* All at once, so that what fails from here on is too long and not short of memory. */
    if (fb_buffer_reserve(&text, PRINTED_MAX - 1) == NULL) {
        out->failed = true;
        return;
    }
    fb_value_print(&text, shortened(value, columns));
    struct fb_span printed = fb_buffer_span(&text);
    fb_excerpt_cut(out, printed, columns);
    if (text.failed && fb_utf8_columns(printed) <= columns)
        fb_buffer_add_z(out, "…");
    fb_buffer_release(&text);
}

const char *fb_outcomes_name(uint8_t outcomes)
{
    switch (outcomes) {
    case FB_CAN_TRUE: return "true";
    case FB_CAN_FALSE: return "false";
    case FB_CAN_ERR: return "error";
    default: return "unknown";
    }
}

const char *fb_clause_part_name(enum fb_clause_part part)
{
    switch (part) {
    case FB_PART_PRINCIPAL: return "principal";
    case FB_PART_ACTION: return "action";
    case FB_PART_RESOURCE: return "resource";
    case FB_PART_WHEN: return "when";
    case FB_PART_UNLESS: break;
    }
    return "unless";
}

/* --- Clauses ------------------------------------------------------------------------------------- */

struct look {
    char mark;
    const char *colour, *sign;
};

/* Met, not met, erred; or not known, where something is unknown. */
static struct look look_of(const struct fb_clause *clause, bool decisive)
{
    switch (clause->outcomes) {
    case FB_CAN_TRUE: return (struct look){'-', GREEN, "✓"};
    case FB_CAN_FALSE: return (struct look){decisive ? '^' : '-', RED, "✗"};
    case FB_CAN_ERR: return (struct look){'^', RED, "✗ error"};
    default: return (struct look){'-', YELLOW, "? depends on who asks"};
    }
}

static void print_error(struct fb_buffer *out, const struct fb_source *source, const struct fb_clause *clause,
                        bool colour)
{
    if (clause->error.len == 0)
        return;
    fb_excerpt_gutter(out, colour);
    fb_buffer_add_z(out, "    ");
    if (clause->error_range.start != clause->range.start || clause->error_range.end != clause->range.end) {
        fb_excerpt_inline(out, source, clause->error_range, FB_VALUE_COLUMNS / 2);
        fb_buffer_add_z(out, ": ");
    }
    fb_buffer_add_safe(out, clause->error);
    fb_buffer_add_char(out, '\n');
}

static void print_values(struct fb_buffer *out, const struct fb_source *source, const struct fb_clause *clause,
                         bool colour)
{
    for (uint32_t i = 0; i < clause->values_count; i++) {
        fb_excerpt_gutter(out, colour);
        fb_buffer_add_z(out, "    ");
        /* A scope element says what it is about with its first word. */
        if (clause->part == FB_PART_WHEN || clause->part == FB_PART_UNLESS)
            fb_excerpt_inline(out, source, clause->values[i].range, FB_VALUE_COLUMNS / 2);
        else
            fb_buffer_add_z(out, fb_clause_part_name(clause->part));
        fb_buffer_add_z(out, colour ? " = " BOLD : " = ");
        fb_value_print_cut(out, clause->values[i].value, FB_VALUE_COLUMNS);
        fb_buffer_add_z(out, colour ? PLAIN "\n" : "\n");
    }
}

/* --- Policies -------------------------------------------------------------------------------------- */

static const char *verdict_of(bool permit, const struct fb_explanation *explanation, bool strict)
{
    if (explanation->outcomes == FB_CAN_TRUE)
        return permit ? "permits it" : "forbids it";
    if (explanation->outcomes == FB_CAN_ERR) {
        if (permit)
            return "could not be evaluated, so it permits nothing";
        return strict ? "could not be evaluated, so the door stays shut" : "could not be evaluated, so it is skipped";
    }
    if ((explanation->outcomes & FB_CAN_TRUE) != 0)
        return permit ? "could permit it" : "may forbid it";
    return permit ? "does not permit it" : "does not forbid it";
}

static void print_head(struct fb_buffer *out, const struct fb_program *program,
                       const struct fb_explanation *explanation, struct fb_explain_style style)
{
    const struct fb_policy *policy = fb_program_policy(program, explanation->policy);
    bool permit = policy->effect == FB_PERMIT;
    fb_buffer_add_z(out, permit ? "  permit " : "  forbid ");
    fb_buffer_add_z(out, style.colour ? BOLD : "");
    fb_buffer_add_safe(out, fb_program_id(program, explanation->policy));
    fb_buffer_add_format(out, "%s %s", style.colour ? PLAIN : "", verdict_of(permit, explanation, style.strict));
    if (explanation->unmet != 0 && explanation->clauses_count > 1)
        fb_buffer_add_format(out, ": %u of %u clauses %s not met", explanation->unmet, explanation->clauses_count,
                             explanation->unmet == 1 ? "is" : "are");
    fb_buffer_add_z(out, style.colour ? "  " DIM : "  ");
    fb_buffer_add_safe(out, policy->source->name);
    struct fb_position at = fb_source_position(policy->source, policy->effect_range.start);
    fb_buffer_add_format(out, ":%u:%u%s\n", at.line, at.column, style.colour ? PLAIN : "");
}

void fb_explanation_print(struct fb_buffer *out, const struct fb_program *program,
                          const struct fb_explanation *explanation, struct fb_explain_style style)
{
    const struct fb_policy *policy = fb_program_policy(program, explanation->policy);
    print_head(out, program, explanation, style);
    uint32_t line = 0;
    for (uint32_t i = 0; i < explanation->clauses_count; i++) {
        const struct fb_clause *clause = &explanation->clauses[i];
        struct look look = look_of(clause, clause == explanation->decisive);
        const struct fb_excerpt excerpt = {
            .source = policy->source,
            .range = clause->range,
            .mark = look.mark,
            .colour = look.colour,
            .note = look.sign,
            /* What holds is no more than named. */
            .lines = clause->outcomes == FB_CAN_TRUE ? 1 : LINES_SHOWN,
            .printed = line,
        };
        line = fb_excerpt_print(out, &excerpt, style.colour);
        print_error(out, policy->source, clause, style.colour);
        /* The action is what was asked for; its value says nothing. */
        if (clause->part != FB_PART_ACTION || clause->outcomes != FB_CAN_TRUE)
            print_values(out, policy->source, clause, style.colour);
    }
}

/* --- Decisions -------------------------------------------------------------------------------------- */

static void print_errors(struct fb_buffer *out, const struct fb_program *program, const struct fb_decision *decision)
{
    for (uint32_t i = 0; i < decision->errors_count; i++) {
        const struct fb_policy_error *error = &decision->errors[i];
        const struct fb_source *source = fb_program_policy(program, error->policy)->source;
        struct fb_position at = fb_source_position(source, error->range.start);
        fb_buffer_add_z(out, "  error in ");
        fb_buffer_add_safe(out, fb_program_id(program, error->policy));
        fb_buffer_add_z(out, ": ");
        fb_buffer_add_safe(out, error->message);
        fb_buffer_add_z(out, "  ");
        fb_buffer_add_safe(out, source->name);
        fb_buffer_add_format(out, ":%u:%u\n", at.line, at.column);
    }
}

void fb_explained_print(struct fb_buffer *out, const struct fb_program *program, const struct fb_decision *decision,
                        const struct fb_explained *explained, struct fb_explain_style style)
{
    const char *colour = decision->allow ? GREEN : RED;
    fb_buffer_add_format(out, "%s%s%s\n", style.colour ? colour : "", decision->allow ? "ALLOW" : "DENY",
                         style.colour ? PLAIN : "");
    if (decision->errors_count != 0)
        fb_buffer_add_char(out, '\n');
    print_errors(out, program, decision);
    for (uint32_t i = 0; i < explained->count; i++) {
        fb_buffer_add_char(out, '\n');
        fb_explanation_print(out, program, &explained->policies[i], style);
    }
    if (explained->left_out != 0)
        fb_buffer_add_format(out, "\n  %u more %s further from it.\n", explained->left_out,
                             explained->left_out == 1 ? "policy is" : "policies are");
    if (explained->count == 0)
        fb_buffer_add_z(out,
                        "\n  No policy is about this action and these types, and what nothing permits is denied.\n");
}
