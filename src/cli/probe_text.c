/* SPDX-License-Identifier: Apache-2.0 */
/* The report as text: the matrix, a line a route and a column an identity, then what was found, each with its places. */
#include "cli/probe.h"

#define ROUTE_MAX 52u       /* columns; a longer title goes on a line of its own */
#define PLACES 3u           /* routes of one warning or note that are shown */

/* --- A route's cells put together ------------------------------------------------------------------------ */

/* The most permissive first: what somebody gets at is what counts. */
static unsigned rank(unsigned status)
{
    if (status >= 200 && status < 300)
        return 6;
    if (status >= 300 && status < 400)
        return 5;
    if (status >= 500)
        return 4;
    return status == 403 ? 2 : status == 401 ? 1 : status == 404 ? 3 : status == 0 ? 0 : 4;
}

static void add_to(struct fb_probe_sum *sum, const struct fb_probe_cell *cell)
{
    sum->asked |= cell->sent;
    sum->marks = cell->marks > sum->marks ? cell->marks : sum->marks;
    if (cell->status == 0 || cell->status == sum->status)
        return;
    if (rank(cell->status) > rank(sum->status)) {
        sum->second = sum->status;
        sum->status = cell->status;
    } else if (sum->second == 0 || rank(cell->status) > rank(sum->second)) {
        sum->second = cell->status;
    }
}

void fb_probe_sum_up(const struct fb_probe *probe, const struct fb_probe_route *route, size_t identity, struct fb_probe_sum sums[FB_PROBE_COLUMNS])
{
    memset(sums, 0, FB_PROBE_COLUMNS * sizeof *sums);
    for (size_t t = route->from; t < route->end; t++) {
        const struct fb_probe_target *target = &probe->targets[t];
        bool own = target->kind == FB_PROBE_PLAIN || fb_probe_is_own(probe, target, identity);
        add_to(&sums[own ? FB_PROBE_OWN : target->kind == FB_PROBE_ABSENT ? FB_PROBE_NONE : FB_PROBE_OTHER], fb_probe_cell_at(probe, t, identity));
    }
}

/* --- The matrix --------------------------------------------------------------------------------------------- */

static const char *paint_of(const struct fb_probe_sum *sum)
{
    if (sum->marks >= 3)
        return "\033[1;31m";
    if (sum->marks == 2)
        return "\033[33m";
    return sum->status >= 200 && sum->status < 300 ? "\033[32m" : sum->status == 0 ? "" : "\033[2m";
}

static void add_spaces(struct fb_buffer *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fb_buffer_add_char(out, ' ');
}

static size_t width_of(const struct fb_probe *probe, size_t identity)
{
    size_t name = fb_utf8_columns(probe->world.list[identity].name);
    return name > 8 ? (name < 20 ? name : 20) : 8;
}

/* "200", "200/403", with a mark behind it. */
static void print_cell(struct fb_buffer *out, const struct fb_probe_sum *sum, size_t width, bool colour)
{
    char text[32];
    const char *mark = sum->marks >= 3 ? "!" : sum->marks == 2 ? "?" : "";
    int len = sum->status == 0 ? snprintf(text, sizeof text, "%s", sum->asked ? "none" : "\u00b7")
              : sum->second != 0 ? snprintf(text, sizeof text, "%u/%u%s", sum->status, sum->second, mark)
                                 : snprintf(text, sizeof text, "%u%s", sum->status, mark);
    const char *paint = colour ? paint_of(sum) : "";
    fb_buffer_add_format(out, "  %s%s%s", paint, text, paint[0] != '\0' ? "\033[0m" : "");
    size_t columns = sum->status == 0 && !sum->asked ? 1 : (size_t)len;
    add_spaces(out, width > columns ? width - columns : 0);
}

static void end_line(struct fb_buffer *out)
{
    while (out->len != 0 && out->ptr[out->len - 1] == ' ')
        out->len--;
    fb_buffer_add_char(out, '\n');
}

static void print_line(struct fb_buffer *out, const struct fb_probe *probe, const struct fb_probe_route *route, enum fb_probe_column column, bool colour)
{
    for (size_t i = 0; i < probe->world.count; i++) {
        struct fb_probe_sum sums[FB_PROBE_COLUMNS];
        fb_probe_sum_up(probe, route, i, sums);
        print_cell(out, &sums[column], width_of(probe, i), colour);
    }
    end_line(out);
}

static bool has_any(const struct fb_probe *probe, const struct fb_probe_route *route, enum fb_probe_column column)
{
    for (size_t t = route->from; t < route->end; t++) {
        const struct fb_probe_target *target = &probe->targets[t];
        if (column == FB_PROBE_NONE ? target->kind == FB_PROBE_ABSENT : column == FB_PROBE_OWN ? target->kind == FB_PROBE_OWNED : target->kind != FB_PROBE_ABSENT)
            return true;
    }
    return false;
}

static void print_route(struct fb_buffer *out, const struct fb_probe *probe, const struct fb_probe_route *route, size_t width, bool colour)
{
    static const char *const names[] = {"own", "other", "absent"};
    size_t title = fb_utf8_columns(route->title);
    bool first = true;
    fb_buffer_add_safe(out, route->title);
    if (title > width) {
        fb_buffer_add_char(out, '\n');
        title = 0;
    }
    for (unsigned column = 0; column < FB_PROBE_COLUMNS; column++) {
        bool objects = fb_probe_has_objects(route);
        if (objects ? !has_any(probe, route, (enum fb_probe_column)column) : column != FB_PROBE_OWN)
            continue;
        add_spaces(out, first ? width - title : width);
        fb_buffer_add_format(out, "  %-6s", objects ? names[column] : "");
        print_line(out, probe, route, (enum fb_probe_column)column, colour);
        first = false;
    }
}

static void print_matrix(struct fb_buffer *out, const struct fb_probe *probe, bool colour)
{
    size_t width = 0;
    for (size_t i = 0; i < probe->routes.count; i++) {
        size_t title = fb_utf8_columns(probe->routes.list[i].title);
        if (probe->routes.list[i].left_out == NULL && title > width && title <= ROUTE_MAX)
            width = title;
    }
    add_spaces(out, width + 8);
    for (size_t i = 0; i < probe->world.count; i++) {
        struct fb_span name = probe->world.list[i].name;
        size_t columns = fb_utf8_columns(name);
        fb_buffer_add_z(out, "  ");
        fb_buffer_add_safe(out, columns > 20 ? fb_span_head(name, 20) : name);
        add_spaces(out, width_of(probe, i) > columns ? width_of(probe, i) - columns : 0);
    }
    end_line(out);
    for (size_t i = 0; i < probe->routes.count; i++)
        if (probe->routes.list[i].left_out == NULL)
            print_route(out, probe, &probe->routes.list[i], width, colour);
}

/* --- The findings ------------------------------------------------------------------------------------------- */

static const char *name_of(enum fb_severity severity)
{
    return severity == FB_ERROR ? "error" : severity == FB_WARNING ? "warning" : "note";
}

static void print_place(struct fb_buffer *out, const struct fb_probe *probe, const struct fb_probe_finding *finding)
{
    const struct fb_probe_cell *cell = finding->cell;
    fb_buffer_add_z(out, "    ");
    fb_buffer_add_safe(out, cell->target->route->method);
    fb_buffer_add_char(out, ' ');
    fb_buffer_add_safe(out, fb_span_head(cell->target->path, 200));
    fb_buffer_add_z(out, " as ");
    fb_buffer_add_safe(out, probe->world.list[cell->identity].name);
    fb_buffer_add_z(out, ": ");
    if (finding->shown.len != 0)
        fb_buffer_add_safe(out, fb_span_head(finding->shown, 300));
    else
        fb_buffer_add_format(out, "%u", cell->status);
    if (finding->other != NULL) {
        fb_buffer_add_z(out, finding->other->identity == cell->identity ? " (beside " : " (as ");
        if (finding->other->identity == cell->identity)
            fb_buffer_add_safe(out, fb_span_head(finding->other->target->path, 200));
        else
            fb_buffer_add_safe(out, probe->world.list[finding->other->identity].name);
        fb_buffer_add_format(out, ": %u)", finding->other->status);
    }
    fb_buffer_add_char(out, '\n');
}

/* The identities of whom the same was found on the same route; where its findings end. */
static size_t print_likewise(struct fb_buffer *out, const struct fb_probe *probe, size_t from, size_t end)
{
    const struct fb_probe_route *route = probe->findings[from].cell->target->route;
    bool named[FB_PROBE_IDENTITIES_MAX] = {false}, any = false;
    named[probe->findings[from].cell->identity] = true;
    size_t i = from + 1;
    for (; i < end && probe->findings[i].cell->target->route == route; i++) {
        size_t who = probe->findings[i].cell->identity;
        if (probe->findings[i].known || named[who])
            continue;
        fb_buffer_add_z(out, any ? ", " : "      likewise as ");
        fb_buffer_add_safe(out, probe->world.list[who].name);
        named[who] = any = true;
    }
    fb_buffer_add_z(out, any ? "\n" : "");
    return i;
}

/* All findings of one rule from `from` on, those of the baseline left out; where they end. */
static size_t print_rule(struct fb_buffer *out, const struct fb_probe *probe, size_t from, bool colour)
{
    const struct fb_audit_text *rule = probe->findings[from].rule;
    const char *paint = !colour ? "" : rule->severity == FB_ERROR ? "\033[31m" : rule->severity == FB_WARNING ? "\033[33m" : "";
    size_t end = from, shown = 0, left = 0;
    for (; end < probe->findings_count && probe->findings[end].rule == rule; end++)
        left += !probe->findings[end].known;
    if (left == 0)
        return end;
    fb_buffer_add_format(out, "\n%s%s%s: %s [%s]\n", paint, name_of(rule->severity), paint[0] != '\0' ? "\033[0m" : "", rule->what, rule->code);
    for (size_t i = from, next; i < end; i = next) {
        next = i + 1;
        if (probe->findings[i].known)
            continue;
        /* Errors are shown for each route: each is to be mended. */
        if (rule->severity != FB_ERROR && shown++ == PLACES) {
            fb_buffer_add_z(out, "    and on more routes (--format json has them)\n");
            break;
        }
        print_place(out, probe, &probe->findings[i]);
        next = print_likewise(out, probe, i, end);
    }
    fb_buffer_add_format(out, "    change: %s (%s)\n", rule->change, rule->source);
    return end;
}

static void print_left_out(struct fb_buffer *out, const struct fb_probe *probe)
{
    size_t changes = 0, empty = 0;
    for (size_t i = 0; i < probe->routes.count; i++) {
        const struct fb_probe_route *route = &probe->routes.list[i];
        empty += route->left_out != NULL && route->lacks.len != 0;
        changes += route->left_out != NULL && strncmp(route->left_out, "it may", 6) == 0;
    }
    if (changes != 0 || empty != 0)
        fb_buffer_add_char(out, '\n');
    if (changes != 0)
        fb_buffer_add_format(out, "%zu route%s not asked: %s may change something (--unsafe METHOD)\n", changes, changes == 1 ? "" : "s", changes == 1 ? "it" : "they");
    for (size_t i = 0; i < probe->routes.count; i++) {
        const struct fb_probe_route *route = &probe->routes.list[i];
        if (route->left_out == NULL || route->lacks.len == 0)
            continue;
        fb_buffer_add_z(out, "not asked: ");
        fb_buffer_add_safe(out, route->title);
        fb_buffer_add_z(out, ": no value for {");
        fb_buffer_add_safe(out, route->lacks);
        fb_buffer_add_z(out, "}; give one in \"parameters\", or in an identity's \"owns\"\n");
    }
}

static void print_timed(struct fb_buffer *out, const struct fb_probe *probe)
{
    for (size_t i = 0; i < probe->timed_count; i++) {
        const struct fb_probe_timed *timed = &probe->timed[i];
        fb_buffer_add_z(out, i == 0 ? "\ntiming, there against not there:\n  " : "  ");
        fb_buffer_add_safe(out, timed->hidden->target->route->title);
        fb_buffer_add_z(out, " as ");
        fb_buffer_add_safe(out, probe->world.list[timed->hidden->identity].name);
        bool beyond = timed->area - 0.5 > timed->bound || 0.5 - timed->area > timed->bound;
        fb_buffer_add_format(out, ": AUC %.3f over %zu requests (0.5 \u00b1 %.3f), medians %.0f and %.0f \u00b5s: %s\n", timed->area, timed->requests, timed->bound,
                             timed->medians[0], timed->medians[1],
                             timed->told ? "it tells which exist"
                             : beyond    ? "no more than paths of two lengths may differ"
                                         : "it tells nothing");
    }
}

void fb_probe_print_text(struct fb_buffer *out, const struct fb_probe *probe, bool colour)
{
    print_matrix(out, probe, colour);
    for (size_t i = 0; i < probe->findings_count;)
        i = print_rule(out, probe, i, colour);
    print_timed(out, probe);
    print_left_out(out, probe);
    fb_buffer_add_format(out, "\n%llu request%s%s: %zu error%s, %zu warning%s, %zu note%s", (unsigned long long)probe->requests, probe->requests == 1 ? "" : "s",
                         probe->stopped ? ", then stopped" : "", probe->counts[FB_ERROR], probe->counts[FB_ERROR] == 1 ? "" : "s", probe->counts[FB_WARNING],
                         probe->counts[FB_WARNING] == 1 ? "" : "s", probe->counts[FB_NOTE], probe->counts[FB_NOTE] == 1 ? "" : "s");
    if (probe->known != 0)
        fb_buffer_add_format(out, "; %zu known", probe->known);
    fb_buffer_add_char(out, '\n');
}
