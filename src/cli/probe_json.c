/* SPDX-License-Identifier: Apache-2.0 */
/* The report for programs: everything that was asked, every answer, every finding; and as SARIF for code hosts, where a
 * finding stands at its route in the schema if the routes came from there.  Of an identity there is its name alone. */
#include "cli/probe.h"
#include "cli/sarif.h"

static const char *name_of(enum fb_severity severity)
{
    return severity == FB_ERROR ? "error" : severity == FB_WARNING ? "warning" : "note";
}

static void member(struct fb_buffer *out, const char *before, struct fb_span text)
{
    fb_buffer_add_z(out, before);
    fb_buffer_add_json(out, text);
}

static void add_expected(struct fb_buffer *out, const struct fb_probe_expected *expected)
{
    if (!expected->known)
        return;
    fb_buffer_add_z(out, ",\"expected\":");
    if (expected->forward) {
        fb_buffer_add_z(out, "{\"forward\":true}");
        return;
    }
    fb_buffer_add_format(out, "{\"forward\":false,\"status\":%u", expected->status);
    if (expected->reason.len != 0)
        member(out, ",\"reason\":", expected->reason);
    if (expected->error.len != 0)
        member(out, ",\"error\":", expected->error);
    if (expected->scope.len != 0)
        member(out, ",\"scope\":", expected->scope);
    if (expected->acr_values.len != 0)
        member(out, ",\"acr_values\":", expected->acr_values);
    fb_buffer_add_char(out, '}');
}

static void add_cell(struct fb_buffer *out, const struct fb_probe *probe, const struct fb_probe_cell *cell)
{
    static const char *const kinds[] = {"plain", "owned", "shared", "absent"};
    const struct fb_probe_target *target = cell->target;
    member(out, "{\"method\":", target->route->method);
    member(out, ",\"path\":", target->path);
    member(out, ",\"route\":", target->route->title);
    member(out, ",\"identity\":", probe->world.list[cell->identity].name);
    fb_buffer_add_format(out, ",\"object\":\"%s\"", kinds[target->kind]);
    if (target->kind == FB_PROBE_OWNED)
        member(out, ",\"owner\":", probe->world.list[fb_probe_is_own(probe, target, cell->identity) ? cell->identity : target->owner].name);
    if (cell->status != 0)
        fb_buffer_add_format(out, ",\"status\":%u", cell->status);
    else if (cell->sent)
        fb_buffer_add_z(out, ",\"status\":null");
    add_expected(out, &cell->expected);
    fb_buffer_add_char(out, '}');
}

static void add_finding(struct fb_buffer *out, const struct fb_probe *probe, const struct fb_probe_finding *finding)
{
    fb_buffer_add_format(out, "{\"rule\":\"%s\",\"severity\":\"%s\"", finding->rule->code, name_of(finding->rule->severity));
    member(out, ",\"id\":", finding->id);
    member(out, ",\"what\":", fb_span_z(finding->rule->what));
    member(out, ",\"change\":", fb_span_z(finding->rule->change));
    member(out, ",\"source\":", fb_span_z(finding->rule->source));
    member(out, ",\"found\":", finding->shown);
    fb_buffer_add_format(out, ",\"known\":%s,\"cell\":", finding->known ? "true" : "false");
    add_cell(out, probe, finding->cell);
    if (finding->other != NULL) {
        fb_buffer_add_z(out, ",\"beside\":");
        add_cell(out, probe, finding->other);
    }
    fb_buffer_add_char(out, '}');
}

static void add_not_asked(struct fb_buffer *out, const struct fb_probe *probe)
{
    const char *comma = "";
    fb_buffer_add_z(out, "],\"not_asked\":[");
    for (size_t i = 0; i < probe->routes.count; i++) {
        const struct fb_probe_route *route = &probe->routes.list[i];
        if (route->left_out == NULL)
            continue;
        fb_buffer_add_z(out, comma);
        member(out, "{\"route\":", route->title);
        member(out, ",\"why\":", fb_span_z(route->left_out));
        if (route->lacks.len != 0)
            member(out, ",\"lacks\":", route->lacks);
        fb_buffer_add_char(out, '}');
        comma = ",\n";
    }
}

void fb_probe_print_plan_json(struct fb_buffer *out, const struct fb_probe *probe)
{
    member(out, "{\"url\":", fb_span_z(probe->base));
    fb_buffer_add_z(out, ",\"requests\":[");
    for (size_t i = 0; i < probe->order_count; i++) {
        fb_buffer_add_z(out, i == 0 ? "" : ",\n");
        add_cell(out, probe, &probe->cells[probe->order[i]]);
    }
    add_not_asked(out, probe);
    fb_buffer_add_z(out, "]}\n");
}

void fb_probe_print_json(struct fb_buffer *out, const struct fb_probe *probe)
{
    const char *comma = "";
    member(out, "{\"url\":", fb_span_z(probe->base));
    fb_buffer_add_format(out, ",\"requests\":%llu,\"complete\":%s,\"identities\":[", (unsigned long long)probe->requests, probe->stopped ? "false" : "true");
    for (size_t i = 0; i < probe->world.count; i++)
        member(out, i == 0 ? "" : ",", probe->world.list[i].name);
    fb_buffer_add_z(out, "],\"matrix\":[");
    for (size_t i = 0; i < probe->order_count; i++)
        if (probe->cells[i].sent) {
            fb_buffer_add_z(out, comma);
            add_cell(out, probe, &probe->cells[i]);
            comma = ",\n";
        }
    add_not_asked(out, probe);
    fb_buffer_add_z(out, "],\"findings\":[");
    for (size_t i = 0; i < probe->findings_count; i++) {
        fb_buffer_add_z(out, i == 0 ? "" : ",\n");
        add_finding(out, probe, &probe->findings[i]);
    }
    fb_buffer_add_z(out, "],\"timing\":[");
    for (size_t i = 0; i < probe->timed_count; i++) {
        const struct fb_probe_timed *timed = &probe->timed[i];
        member(out, i == 0 ? "{\"route\":" : ",{\"route\":", timed->hidden->target->route->title);
        member(out, ",\"identity\":", probe->world.list[timed->hidden->identity].name);
        fb_buffer_add_format(out, ",\"auc\":%.4f,\"bound\":%.4f,\"requests\":%zu,\"median_us\":[%.1f,%.1f],\"told\":%s}", timed->area, timed->bound, timed->requests,
                             timed->medians[0], timed->medians[1], timed->told ? "true" : "false");
    }
    fb_buffer_add_format(out, "],\"errors\":%zu,\"warnings\":%zu,\"notes\":%zu,\"known\":%zu}\n", probe->counts[FB_ERROR], probe->counts[FB_WARNING],
                         probe->counts[FB_NOTE], probe->known);
}

/* As diagnostics, which the writer of SARIF takes. */
void fb_probe_print_sarif(struct fb_buffer *out, const struct fb_probe *probe, const char *about)
{
    struct fb_diags diags;
    fb_diags_init(&diags, probe->arena);
    diags.limit = 100000;
    for (size_t i = 0; i < probe->findings_count; i++) {
        const struct fb_probe_finding *finding = &probe->findings[i];
        const struct fb_probe_route *route = finding->cell->target->route;
        struct fb_span code = fb_arena_format(probe->arena, "probe.%s", finding->rule->code);
        struct fb_span name = probe->world.list[finding->cell->identity].name, path = fb_span_head(finding->cell->target->path, 200);
        if (finding->known || code.len == 0)
            continue;
        const struct fb_source *source = route->route != NULL ? route->route->action->declared->source : NULL;
        struct fb_diag *diag = fb_diag_add(&diags, finding->rule->severity, code.ptr, source, source != NULL ? route->route->range : (struct fb_range){0, 0},
                                           "%s (%.*s %.*s as %.*s: %.*s)", finding->rule->what, (int)route->method.len, route->method.ptr, (int)path.len,
                                           path.ptr, (int)name.len, name.ptr, (int)finding->shown.len, finding->shown.ptr);
        diag->hint = fb_arena_format(probe->arena, "%s (%s)", finding->rule->change, finding->rule->source);
    }
    fb_sarif_print(out, &diags, about);
}
