/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what was found: by the probe's own rules (probe_rules.def) and by those of `forbid lint`; which of it an
 * earlier report has named already. */
#include "cli/probe.h"

#include <stdlib.h>

const struct fb_audit_text *fb_probe_rule_text(enum fb_probe_rule rule)
{
    static const struct fb_audit_text texts[] = {
#define FB_RULE(symbol, code, severity, what, change, source) [FB_PROBE_##symbol] = {code, FB_##severity, what, change, source},
#include "cli/probe_rules.def"
#undef FB_RULE
    };
    return &texts[rule];
}

static const char *kind_of(const struct fb_probe *probe, const struct fb_probe_cell *cell)
{
    switch (cell->target->kind) {
    case FB_PROBE_PLAIN:
        return "";
    case FB_PROBE_OWNED:
        return fb_probe_is_own(probe, cell->target, cell->identity) ? " own" : " other";
    case FB_PROBE_SHARED:
        return " shared";
    case FB_PROBE_ABSENT:
        return " absent";
    }
    return "";
}

static void add(struct fb_probe *probe, const struct fb_audit_text *rule, struct fb_probe_cell *cell, const struct fb_probe_cell *other, struct fb_span shown)
{
    struct fb_probe_finding *grown = fb_arena_grow(probe->arena, probe->findings, probe->findings_count, &probe->findings_capacity, sizeof *grown);
    if (grown == NULL)
        return;
    const struct fb_probe_route *route = cell->target->route;
    struct fb_span name = probe->world.list[cell->identity].name;
    unsigned marks = rule->severity == FB_ERROR ? 3 : rule->severity == FB_WARNING ? 2 : 1;
    probe->findings = grown;
    grown[probe->findings_count++] = (struct fb_probe_finding){
        .rule = rule, .cell = cell, .other = other, .shown = shown,
        /* By the route and not by the object, which may be another one in the next run. */
        .id = fb_arena_format(probe->arena, "%s %.*s%s as %.*s", rule->code, (int)route->title.len, route->title.ptr, kind_of(probe, cell), (int)name.len, name.ptr)};
    cell->marks = marks > cell->marks ? marks : cell->marks;
}

void fb_probe_found(struct fb_probe *probe, enum fb_probe_rule rule, struct fb_probe_cell *cell, const struct fb_probe_cell *other, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct fb_span shown = fb_arena_vformat(probe->arena, format, args);
    va_end(args);
    add(probe, fb_probe_rule_text(rule), cell, other, shown);
}

/* --- The rules of lint ------------------------------------------------------------------------------------- */

/* Those that the probe knows better, since it knows which object is whose; and credentials over http to this machine. */
static bool is_left_to_probe(const struct fb_probe *probe, enum fb_audit_rule rule, const struct fb_probe_cell *cell)
{
    /* Lint knows credentials by Authorization and Cookie; an identity may have them in a field of its own. */
    const struct fb_exchange *x = fb_probe_answer(probe, cell);
    if ((rule == FB_RULE_ANONYMOUS_403 || rule == FB_RULE_CURABLE_403 || rule == FB_RULE_ERROR_UNASKED) &&
        probe->world.list[cell->identity].fields_count != 0 && fb_exchange_presented(x) == FB_PRESENTED_NONE)
        return true;
    return rule == FB_RULE_ORACLE_STATUS || rule == FB_RULE_ORACLE_ANONYMOUS || rule == FB_RULE_ORACLE_FORM ||
           (rule == FB_RULE_CLEARTEXT && probe->loopback);
}

static struct fb_probe_cell **cells_by_exchange(const struct fb_probe *probe)
{
    struct fb_probe_cell **by = fb_arena_array(probe->arena, probe->exchanges.count, sizeof *by);
    for (size_t i = 0; by != NULL && i < probe->order_count; i++)
        if (probe->cells[i].status != 0)
            by[probe->cells[i].exchange] = &probe->cells[i];
    return by;
}

bool fb_probe_lint(struct fb_probe *probe)
{
    struct fb_findings found;
    struct fb_probe_cell **by = cells_by_exchange(probe);
    if (by == NULL || !fb_audit(&probe->exchanges, &found))
        return false;
    for (size_t i = 0; i < found.count; i++) {
        const struct fb_finding *finding = &found.list[i];
        struct fb_probe_cell *cell = by[finding->exchange - probe->exchanges.list];
        if (cell == NULL || is_left_to_probe(probe, finding->rule, cell))
            continue;
        struct fb_probe_cell *other = finding->other != NULL ? by[finding->other - probe->exchanges.list] : NULL;
        add(probe, fb_audit_text(finding->rule), cell, other, finding->shown);
    }
    return !probe->arena->failed;
}

/* --- What is known ---------------------------------------------------------------------------------------------- */

static bool read_known(struct fb_json *json, struct fb_map *known)
{
    if (fb_json_next(json) != FB_JSON_ARRAY)
        return fb_json_skip(json);
    while (fb_json_next(json) == FB_JSON_OBJECT) {
        while (fb_json_next(json) == FB_JSON_KEY) {
            bool is_id = fb_span_is(json->string, "id");
            fb_json_next(json);
            if (is_id && json->event == FB_JSON_STRING)
                fb_map_put(known, fb_arena_copy(json->arena, json->string), known);
            if (!fb_json_skip(json))
                return false;
        }
    }
    return json->event == FB_JSON_ARRAY_END;
}

bool fb_probe_baseline(struct fb_probe *probe, const struct fb_source *source, struct fb_diags *diags)
{
    struct fb_json json;
    struct fb_map known;
    bool any = false;
    fb_map_init(&known, probe->arena);
    fb_json_init(&json, source->text, probe->arena, FB_JSON_LIMITS);
    bool good = fb_json_next(&json) == FB_JSON_OBJECT;
    while (good && fb_json_next(&json) == FB_JSON_KEY) {
        bool here = fb_span_is(json.string, "findings");
        any |= here;
        good = here ? read_known(&json, &known) : fb_json_skip(&json);
    }
    good = good && json.event == FB_JSON_OBJECT_END && fb_json_next(&json) == FB_JSON_END;
    if (!good && json.error != NULL)
        fb_json_report(&json, source, diags);
    else if (!any)
        fb_diag_add(diags, FB_ERROR, "baseline.shape", source, (struct fb_range){0, 1}, "this is no report of `forbid probe --format json`: it has no findings");
    for (size_t i = 0; i < probe->findings_count; i++)
        probe->findings[i].known = fb_map_get(&known, probe->findings[i].id) != NULL;
    return good && any;
}

/* --- The order ---------------------------------------------------------------------------------------------------- */

/* The probe's own rules first, then lint's, each in the order of its table. */
static size_t place_of(const struct fb_audit_text *rule)
{
    for (unsigned i = 0; i < FB_PROBE_RULES; i++)
        if (fb_probe_rule_text((enum fb_probe_rule)i) == rule)
            return i;
    for (unsigned i = 0; i < FB_RULES; i++)
        if (fb_audit_text((enum fb_audit_rule)i) == rule)
            return FB_PROBE_RULES + i;
    return SIZE_MAX;
}

static int by_severity(const void *a, const void *b)
{
    const struct fb_probe_finding *x = a, *y = b;
    size_t of_x = place_of(x->rule), of_y = place_of(y->rule);
    if (x->rule->severity != y->rule->severity)
        return x->rule->severity < y->rule->severity ? -1 : 1;
    if (of_x != of_y)
        return of_x < of_y ? -1 : 1;
    /* Cells stand by target, then by identity. */
    return (x->cell > y->cell) - (x->cell < y->cell);
}

void fb_probe_settle(struct fb_probe *probe)
{
    if (probe->findings_count != 0)
        qsort(probe->findings, probe->findings_count, sizeof *probe->findings, by_severity);
    for (size_t i = 0; i < probe->findings_count; i++) {
        if (probe->findings[i].known)
            probe->known++;
        else
            probe->counts[probe->findings[i].rule->severity]++;
    }
}
