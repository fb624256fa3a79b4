/* SPDX-License-Identifier: Apache-2.0 */
/* What exists, told by the clock: refusals for an object that is there and for one that is not, asked for in turn over
 * one connection, and how well the time to the first line tells them apart.  auc.h has the measure: 0.5 tells
 * nothing, 0 or 1 everything. */
#include "cli/auc.h"
#include "cli/probe.h"

#include <math.h>
#include <stdlib.h>

#define LEAST 100u              /* answers, below which nothing is said */
#define BOUND 0.03              /* from 0.5, however many answers there are */
#define ERRORS 4.0              /* standard errors of the statistic, where they are more */
#define READING 2.0             /* microseconds between the medians that paths of two lengths may have */
#define PAIRS 16u               /* measured in one run */

/* Microseconds, of what is there and of what is not. */
struct times {
    double *list[2];
    size_t count[2];
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *list, size_t count)
{
    qsort(list, count, sizeof *list, by_size);
    return list[count / 2];
}

/* xorshift64*: which of the two is asked next, so that no rhythm of the server's falls on one side alone. */
static unsigned coin(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (unsigned)((*state * 2685821657736338717u) >> 63);
}

static void measure(struct fb_probe *probe, const struct fb_probe_timed *pair, struct times *times, size_t requests)
{
    uint64_t state = 0x9e3779b97f4a7c15u + probe->requests;
    times->count[0] = times->count[1] = 0;
    for (size_t i = 0, before = 0; i < requests && !probe->stopped; i++) {
        /* Of each two one. */
        size_t side = i % 2 == 0 ? coin(&state) : 1 - before;
        const struct fb_probe_cell *cell = side == 0 ? pair->hidden : pair->absent;
        struct fb_live_answer answer;
        const char *why;
        before = side;
        fb_cli_progress(probe->cli, "timed requests", i + 1, requests);
        if (fb_probe_ask(probe, cell->target, cell->identity, false, &answer, &why) && answer.status == cell->status && !answer.connected)
            times->list[side][times->count[side]++] = (double)answer.head_ns / 1000;
    }
}

static void judge(struct fb_probe *probe, struct fb_probe_timed *pair, struct fb_probe_cell *hidden, struct times *times)
{
    struct fb_auc auc;
    size_t count = times->count[0] + times->count[1];
    if (count < LEAST || !fb_auc(times->list[1], times->count[1], times->list[0], times->count[0], &auc))
        return;
    pair->area = auc.area;
    pair->bound = ERRORS * auc.error_null > BOUND ? ERRORS * auc.error_null : BOUND;
    pair->requests = count;
    for (size_t side = 0; side < 2; side++)
        pair->medians[side] = median(times->list[side], times->count[side]);
    /* A longer path takes longer to read, which is not the object's doing. */
    bool alike = hidden->target->path.len == pair->absent->target->path.len;
    pair->told = fabs(pair->area - 0.5) > pair->bound && (alike || fabs(pair->medians[0] - pair->medians[1]) > READING);
    struct fb_probe_timed *grown = fb_arena_grow(probe->arena, probe->timed, probe->timed_count, &probe->timed_capacity, sizeof *grown);
    if (grown == NULL)
        return;
    probe->timed = grown;
    grown[probe->timed_count++] = *pair;
    if (pair->told)
        fb_probe_found(probe, FB_PROBE_EXISTENCE_TIMING, hidden, pair->absent,
                       "AUC %.3f over %zu requests (within 0.5 \u00b1 %.3f it tells nothing); medians %.0f and %.0f \u00b5s", pair->area, count, pair->bound,
                       pair->medians[0], pair->medians[1]);
}

static void time_all(struct fb_probe *probe, struct times *times, size_t requests)
{
    size_t done[2] = {SIZE_MAX, SIZE_MAX};      /* routes */
    for (size_t t = 0; t < probe->targets_count; t++) {
        const struct fb_probe_route *route = probe->targets[t].route;
        size_t this = (size_t)(route - probe->routes.list);
        for (size_t i = 0; i < probe->world.count && !probe->stopped && probe->timed_count < PAIRS; i++) {
            /* Of each route one identity that is signed in, and one that is not. */
            bool nobody = probe->world.list[i].fields_count == 0;
            struct fb_probe_cell *hidden;
            struct fb_probe_timed pair = {.area = 0.5};
            if (done[nobody] == this || !fb_span_is(route->method, "GET") || !fb_probe_pair(probe, t, i, &hidden, &pair.absent) || hidden->status != pair.absent->status)
                continue;
            done[nobody] = this;
            pair.hidden = hidden;
            measure(probe, &pair, times, requests);
            judge(probe, &pair, hidden, times);
        }
    }
}

void fb_probe_timing(struct fb_probe *probe, size_t requests)
{
    struct times times = {.list = {calloc(requests + 1, sizeof(double)), calloc(requests + 1, sizeof(double))}};
    if (times.list[0] != NULL && times.list[1] != NULL)
        time_all(probe, &times, requests);
    free(times.list[0]);
    free(times.list[1]);
}
