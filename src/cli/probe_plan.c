/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests a probe makes, and in which order: for each route its objects, for each object every identity.  What
 * changes nothing comes first, deletions last; of one object strangers come first and its owner last, so that nothing
 * is missing because somebody who may has already taken it away. */
#include "cli/probe.h"

#include <stdlib.h>

static bool is_there(const struct fb_probe *probe, const struct fb_probe_route *route, struct fb_span path)
{
    for (size_t i = probe->targets_count; i-- > 0 && probe->targets[i].route == route;)
        if (fb_span_eq(probe->targets[i].path, path))
            return true;
    return false;
}

/* All values of one kind; how many there were. */
static size_t add_targets(struct fb_probe *probe, struct fb_probe_route *route, enum fb_probe_kind kind, size_t owner)
{
    struct fb_probe_target target;
    size_t added = 0;
    for (size_t nth = 0; fb_probe_values(probe, route, kind, owner, nth, &target, &route->lacks); nth++) {
        if (is_there(probe, route, target.path))
            continue;
        struct fb_probe_target *grown = fb_arena_grow(probe->arena, probe->targets, probe->targets_count, &probe->targets_capacity, sizeof *grown);
        if (grown == NULL)
            return added;
        target.route = route;
        probe->targets = grown;
        grown[probe->targets_count++] = target;
        added++;
    }
    return added;
}

static void plan_route(struct fb_probe *probe, struct fb_probe_route *route)
{
    if (route->params_count == 0) {
        add_targets(probe, route, FB_PROBE_PLAIN, 0);
        return;
    }
    size_t objects = 0;
    for (size_t i = 0; i < probe->world.count; i++)
        objects += add_targets(probe, route, FB_PROBE_OWNED, i);
    objects += add_targets(probe, route, FB_PROBE_SHARED, 0);
    if (objects == 0)
        route->left_out = "its parameter has no value: give one in \"parameters\", or in an identity's \"owns\"";
    else
        add_targets(probe, route, FB_PROBE_ABSENT, 0);
}

/* --- The order ---------------------------------------------------------------------------------------------- */

static unsigned danger(struct fb_span method)
{
    return fb_span_is(method, "GET") || fb_span_is(method, "HEAD") || fb_span_is(method, "OPTIONS") ? 0 : fb_span_is(method, "DELETE") ? 2 : 1;
}

struct step {
    size_t cell;
    unsigned danger;
    bool last;      /* whoever may: the owner, a privileged identity */
};

static int by_danger(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->danger != y->danger)
        return x->danger < y->danger ? -1 : 1;
    /* Of what changes something: first all who should be refused. */
    if (x->danger != 0 && x->last != y->last)
        return x->last ? 1 : -1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

static bool put_in_order(struct fb_probe *probe)
{
    struct step *steps = fb_arena_array(probe->arena, probe->order_count, sizeof *steps);
    for (size_t i = 0; steps != NULL && i < probe->order_count; i++) {
        const struct fb_probe_cell *cell = &probe->cells[i];
        bool owner = fb_probe_is_own(probe, cell->target, cell->identity);
        steps[i] = (struct step){i, danger(cell->target->route->method), owner || probe->world.list[cell->identity].privileged};
    }
    if (steps == NULL)
        return false;
    if (probe->order_count != 0)
        qsort(steps, probe->order_count, sizeof *steps, by_danger);
    for (size_t i = 0; i < probe->order_count; i++)
        probe->order[i] = steps[i].cell;
    return true;
}

bool fb_probe_plan(struct fb_probe *probe)
{
    for (size_t i = 0; i < probe->routes.count; i++) {
        struct fb_probe_route *route = &probe->routes.list[i];
        route->from = probe->targets_count;
        if (route->left_out == NULL)
            plan_route(probe, route);
        route->end = probe->targets_count;
    }
    probe->order_count = probe->targets_count * probe->world.count;
    probe->cells = fb_arena_array(probe->arena, probe->order_count, sizeof *probe->cells);
    probe->order = fb_arena_array(probe->arena, probe->order_count, sizeof *probe->order);
    if (probe->cells == NULL || probe->order == NULL || probe->arena->failed)
        return false;
    for (size_t t = 0; t < probe->targets_count; t++)
        for (size_t i = 0; i < probe->world.count; i++)
            *fb_probe_cell_at(probe, t, i) = (struct fb_probe_cell){.target = &probe->targets[t], .identity = i, .exchange = SIZE_MAX};
    return put_in_order(probe);
}

/* --- --plan ------------------------------------------------------------------------------------------------- */

static void print_left_out(struct fb_buffer *out, const struct fb_probe *probe)
{
    size_t count = 0;
    for (size_t i = 0; i < probe->routes.count; i++) {
        const struct fb_probe_route *route = &probe->routes.list[i];
        if (route->left_out == NULL)
            continue;
        fb_buffer_add_z(out, count++ == 0 ? "\nnot asked:\n  " : "  ");
        fb_buffer_add_safe(out, route->title);
        fb_buffer_add_z(out, ": ");
        if (route->lacks.len != 0) {
            fb_buffer_add_char(out, '{');
            fb_buffer_add_safe(out, route->lacks);
            fb_buffer_add_z(out, "}: ");
        }
        fb_buffer_add_format(out, "%s\n", route->left_out);
    }
}

void fb_probe_print_plan(struct fb_buffer *out, const struct fb_probe *probe)
{
    for (size_t i = 0; i < probe->order_count; i++) {
        const struct fb_probe_cell *cell = &probe->cells[probe->order[i]];
        const struct fb_probe_target *target = cell->target;
        fb_buffer_add_safe(out, target->route->method);
        fb_buffer_add_format(out, " %s", probe->base);
        fb_buffer_add_safe(out, target->path);
        fb_buffer_add_z(out, "  as ");
        fb_buffer_add_safe(out, probe->world.list[cell->identity].name);
        if (target->kind == FB_PROBE_OWNED) {
            bool own = fb_probe_is_own(probe, target, cell->identity);
            fb_buffer_add_z(out, own ? "  (its own" : "  (");
            if (!own) {
                fb_buffer_add_safe(out, probe->world.list[target->owner].name);
                fb_buffer_add_z(out, "'s");
            }
            fb_buffer_add_char(out, ')');
        } else if (target->kind == FB_PROBE_ABSENT) {
            fb_buffer_add_z(out, "  (not there)");
        }
        fb_buffer_add_char(out, '\n');
    }
    print_left_out(out, probe);
    fb_buffer_add_format(out, "\n%zu request%s, %llu a second: nothing was sent\n", probe->order_count, probe->order_count == 1 ? "" : "s",
                         (unsigned long long)probe->rate);
}
