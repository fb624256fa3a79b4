/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage for people, as JSON, and as lcov's tracefile, which editors and code hosts show beside the lines: a policy is a
 * function, run as often as it decided; a clause is a branch with two ways, met and missed. */
#include "cli/test.h"

#include <stdlib.h>

#define CLAUSE_COLUMNS 60u

static void add_place(struct fb_buffer *out, const struct fb_source *source, uint32_t offset)
{
    struct fb_position at = fb_source_position(source, offset);
    fb_buffer_add_safe(out, source->name);
    fb_buffer_add_format(out, ":%u:%u", at.line, at.column);
}

/* --- Text ---------------------------------------------------------------------------------------- */

static const char *word_of_policy(const struct fb_cover_policy *policy)
{
    if (policy->evaluated == 0)
        return "never looked at";
    return policy->held == 0 ? "never held" : "held, and never decided";
}

static const char *word_of_clause(const struct fb_cover_clause *clause)
{
    if (clause->met == 0 && clause->unmet == 0)
        return "never looked at";
    if (clause->met == 0)
        return "never met";
    return "never what was missing";
}

static void add_policy(struct fb_buffer *out, const struct fb_cover *cover, uint32_t index)
{
    const struct fb_cover_policy *cov = &cover->policies[index];
    const struct fb_policy *policy = fb_program_policy(cover->program, index);
    if (cov->decided == 0) {
        fb_buffer_add_z(out, "  ");
        add_place(out, policy->source, policy->effect_range.start);
        fb_buffer_add_z(out, policy->effect == FB_FORBID ? "  forbid " : "  permit ");
        fb_buffer_add_safe(out, fb_program_id(cover->program, index));
        fb_buffer_add_format(out, ": %s\n", word_of_policy(cov));
    }
    for (uint32_t i = 0; cov->evaluated != 0 && i < cov->count; i++) {
        const struct fb_cover_clause *clause = &cov->clauses[i];
        if (!clause->counted || fb_cover_whole(clause))
            continue;
        fb_buffer_add_z(out, "  ");
        add_place(out, policy->source, clause->range.start);
        fb_buffer_add_z(out, "  ");
        fb_excerpt_inline(out, policy->source, clause->range, CLAUSE_COLUMNS);
        fb_buffer_add_format(out, ": %s\n", word_of_clause(clause));
    }
}

static void add_route(struct fb_buffer *out, const struct fb_route *route, uint32_t asked)
{
    if (route->implicit || asked != 0)
        return;
    fb_buffer_add_z(out, "  ");
    add_place(out, route->action->declared->source, route->range.start);
    fb_buffer_add_z(out, "  route ");
    fb_buffer_add_safe(out, route->method);
    fb_buffer_add_char(out, ' ');
    fb_buffer_add_safe(out, route->path);
    fb_buffer_add_z(out, ": never asked for\n");
}

void fb_cover_print(struct fb_buffer *out, const struct fb_cover *cover, bool all)
{
    struct fb_cover_sums sums = fb_cover_sums(cover);
    fb_buffer_add_format(out, "coverage: %zu of %zu policies and %zu of %zu clauses decided something, ",
                         sums.policies_decided, sums.policies, sums.clauses_decided, sums.clauses);
    fb_buffer_add_format(out, "%zu of %zu routes were asked for\n", sums.routes_asked, sums.routes);
    for (uint32_t i = 0; all && i < cover->count; i++)
        add_policy(out, cover, i);
    for (size_t i = 0; all && i < fb_routes_count(cover->routes); i++)
        add_route(out, fb_routes_at(cover->routes, i), cover->asked[i]);
}

/* --- JSON ---------------------------------------------------------------------------------------- */

static void add_range(struct fb_buffer *out, const struct fb_source *source, struct fb_range range)
{
    struct fb_position start = fb_source_position(source, range.start), end = fb_source_position(source, range.end);
    fb_buffer_add_format(out, "\"start\":{\"line\":%u,\"column\":%u},\"end\":{\"line\":%u,\"column\":%u}", start.line,
                         start.column, end.line, end.column);
}

static void add_clause_json(struct fb_buffer *out, const struct fb_source *source, const struct fb_cover_clause *clause)
{
    fb_buffer_add_format(out, "{\"part\":\"%s\",\"text\":", fb_clause_part_name(clause->part));
    fb_buffer_add_json(out, fb_span(source->text.ptr + clause->range.start, clause->range.end - clause->range.start));
    fb_buffer_add_char(out, ',');
    add_range(out, source, clause->range);
    fb_buffer_add_format(out, ",\"met\":%u,\"unmet\":%u,\"decided\":%u}", clause->met, clause->unmet, clause->decided);
}

void fb_cover_print_json(struct fb_buffer *out, const struct fb_cover *cover)
{
    struct fb_cover_sums sums = fb_cover_sums(cover);
    fb_buffer_add_format(out, "{\"policies\":{\"count\":%zu,\"decided\":%zu},\"clauses\":{\"count\":%zu,\"decided\":%zu},"
                         "\"routes\":{\"count\":%zu,\"asked\":%zu},\"by_policy\":[", sums.policies, sums.policies_decided, sums.clauses, sums.clauses_decided,
                         sums.routes, sums.routes_asked);
    for (uint32_t i = 0; i < cover->count; i++) {
        const struct fb_cover_policy *cov = &cover->policies[i];
        const struct fb_policy *policy = fb_program_policy(cover->program, i);
        fb_buffer_add_z(out, i != 0 ? ",{\"policy\":" : "{\"policy\":");
        fb_buffer_add_json(out, fb_program_id(cover->program, i));
        fb_buffer_add_format(out, ",\"effect\":\"%s\",\"file\":", policy->effect == FB_FORBID ? "forbid" : "permit");
        fb_buffer_add_json(out, policy->source->name);
        fb_buffer_add_char(out, ',');
        add_range(out, policy->source, policy->range);
        fb_buffer_add_format(out, ",\"evaluated\":%u,\"held\":%u,\"decided\":%u,\"clauses\":[", cov->evaluated, cov->held,
                             cov->decided);
        const char *comma = "";
        for (uint32_t k = 0; k < cov->count; k++) {
            if (!cov->clauses[k].counted)
                continue;
            fb_buffer_add_z(out, comma);
            add_clause_json(out, policy->source, &cov->clauses[k]);
            comma = ",";
        }
        fb_buffer_add_z(out, "]}");
    }
    fb_buffer_add_z(out, "],\"by_route\":[");
    const char *comma = "";
    for (size_t i = 0; i < fb_routes_count(cover->routes); i++) {
        const struct fb_route *route = fb_routes_at(cover->routes, i);
        if (route->implicit)
            continue;
        fb_buffer_add_format(out, "%s{\"method\":", comma);
        fb_buffer_add_json(out, route->method);
        fb_buffer_add_z(out, ",\"path\":");
        fb_buffer_add_json(out, route->path);
        fb_buffer_add_format(out, ",\"asked\":%u}", cover->asked[i]);
        comma = ",";
    }
    fb_buffer_add_z(out, "]}");
}

/* --- lcov ---------------------------------------------------------------------------------------- */

struct line {
    uint32_t line, count;
};

struct lines {
    struct line *list;
    size_t count;
};

static int by_line(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    return (x->line > y->line) - (x->line < y->line);
}

/* Of what shares a line the least counts: a line is only as covered as all that stands on it. */
static void add_lines(struct fb_buffer *out, struct lines *lines)
{
    size_t found = 0, hit = 0;
    if (lines->count != 0)
        qsort(lines->list, lines->count, sizeof *lines->list, by_line);
    for (size_t i = 0; i < lines->count;) {
        struct line line = lines->list[i];
        for (; i < lines->count && lines->list[i].line == line.line; i++)
            line.count = lines->list[i].count < line.count ? lines->list[i].count : line.count;
        fb_buffer_add_format(out, "DA:%u,%u\n", line.line, line.count);
        found++;
        hit += line.count != 0;
    }
    fb_buffer_add_format(out, "LF:%zu\nLH:%zu\n", found, hit);
}

static void add_functions(struct fb_buffer *out, const struct fb_cover *cover, const struct fb_source *source,
                          struct lines *lines)
{
    size_t found = 0, hit = 0;
    for (uint32_t i = 0; i < cover->count; i++) {
        const struct fb_policy *policy = fb_program_policy(cover->program, i);
        if (policy->source != source)
            continue;
        uint32_t line = fb_source_position(source, policy->effect_range.start).line, count = cover->policies[i].decided;
        struct fb_span id = fb_program_id(cover->program, i);
        fb_buffer_add_format(out, "FN:%u,", line);
        fb_buffer_add_safe(out, id);
        fb_buffer_add_format(out, "\nFNDA:%u,", count);
        fb_buffer_add_safe(out, id);
        fb_buffer_add_char(out, '\n');
        lines->list[lines->count++] = (struct line){line, count};
        found++;
        hit += count != 0;
    }
    fb_buffer_add_format(out, "FNF:%zu\nFNH:%zu\n", found, hit);
}

static void add_branches(struct fb_buffer *out, const struct fb_cover *cover, const struct fb_source *source,
                         struct lines *lines)
{
    size_t found = 0, hit = 0;
    for (uint32_t i = 0; i < cover->count; i++) {
        const struct fb_cover_policy *cov = &cover->policies[i];
        if (fb_program_policy(cover->program, i)->source != source)
            continue;
        for (uint32_t k = 0; k < cov->count; k++) {
            const struct fb_cover_clause *clause = &cov->clauses[k];
            if (!clause->counted)
                continue;
            uint32_t line = fb_source_position(source, clause->range.start).line;
            fb_buffer_add_format(out, "BRDA:%u,%u,%u,", line, i, 2 * k);
            fb_buffer_add_format(out, cov->evaluated != 0 ? "%u\n" : "-\n", clause->met);
            fb_buffer_add_format(out, "BRDA:%u,%u,%u,", line, i, 2 * k + 1);
            fb_buffer_add_format(out, cov->evaluated != 0 ? "%u\n" : "-\n", clause->decided);
            lines->list[lines->count++] = (struct line){line, clause->met < clause->decided ? clause->met : clause->decided};
            found += 2;
            hit += (size_t)(clause->met != 0) + (size_t)(clause->decided != 0);
        }
    }
    fb_buffer_add_format(out, "BRF:%zu\nBRH:%zu\n", found, hit);
}

static bool is_first_of_source(const struct fb_cover *cover, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (fb_program_policy(cover->program, i)->source == fb_program_policy(cover->program, index)->source)
            return false;
    return true;
}

void fb_cover_print_lcov(struct fb_buffer *out, const struct fb_cover *cover)
{
    size_t most = cover->count;
    for (size_t i = 0; i < cover->count; i++)
        most += cover->policies[i].count;
    struct lines lines = {.list = calloc(most + 1, sizeof *lines.list)};
    if (lines.list == NULL) {
        out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < cover->count; i++) {
        if (!is_first_of_source(cover, i))
            continue;
        const struct fb_source *source = fb_program_policy(cover->program, i)->source;
        lines.count = 0;
        fb_buffer_add_z(out, "TN:\nSF:");
        fb_buffer_add_safe(out, source->name);
        fb_buffer_add_char(out, '\n');
        add_functions(out, cover, source, &lines);
        add_branches(out, cover, source, &lines);
        add_lines(out, &lines);
        fb_buffer_add_z(out, "end_of_record\n");
    }
    free(lines.list);
}
