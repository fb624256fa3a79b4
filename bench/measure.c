/* SPDX-License-Identifier: Apache-2.0 */
/* Each request is timed by itself, in many rounds over all of them, so that between two times of one
 * request all others pass through the caches.  A request's time is the median of its rounds, less what
 * the clock itself takes; the mean is that of these times, so that other work on the machine counts little.
 * What the processor counts, where it does, it counts over whole rounds with no clock inside. */

#include "bench.h"

#include <stdlib.h>

enum { ROUNDS_MIN = 3, ROUNDS_MAX = 201, REQUESTS_MIN = 100, CLOCK_READINGS = 10001 };

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t median_of(uint32_t *list, size_t count)
{
    qsort(list, count, sizeof *list, ascending);
    return list[count / 2];
}

static uint32_t clock_cost(void)
{
    static uint32_t costs[CLOCK_READINGS];
    for (size_t i = 0; i < CLOCK_READINGS; i++) {
        uint64_t start = bench_now();
        costs[i] = (uint32_t)(bench_now() - start);
    }
    return median_of(costs, CLOCK_READINGS);
}

static void time_round(bench_decide *decide, struct bench_requests *requests, struct fb_arena *arena,
                       uint32_t *times)
{
    for (size_t i = 0; i < requests->count; i++) {
        uint64_t start = bench_now();
        (void)decide(requests, i, arena);
        uint64_t took = bench_now() - start;
        times[i] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
    }
}

static void spread(struct bench_times *result, const uint32_t *times, size_t count)
{
    uint32_t cost = clock_cost(), *one = bench_alloc(result->rounds, sizeof *one);
    uint32_t *medians = bench_alloc(count, sizeof *medians);
    for (size_t i = 0; i < count; i++) {
        for (uint32_t round = 0; round < result->rounds; round++)
            one[round] = times[round * count + i];
        uint32_t median = median_of(one, result->rounds);
        medians[i] = median > cost ? median - cost : 0;
    }
    qsort(medians, count, sizeof *medians, ascending);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += medians[i];
    result->mean_ns = (double)sum / (double)count;
    result->median_ns = medians[count / 2];
    result->p99_ns = medians[count * 99 / 100];
    free(one);
    free(medians);
}

/* As many requests as a quarter of the budget is enough for, in the order given, a hundred at the least;
 * the caches are warm with them then. */
static size_t reach(bench_decide *decide, struct bench_requests *requests, struct fb_arena *arena,
                    uint32_t budget_ms)
{
    uint64_t end = bench_now() + (uint64_t)budget_ms * 250000u;
    size_t reached = 0;
    while (reached < requests->count && (reached < REQUESTS_MIN || bench_now() < end))
        (void)decide(requests, reached++, arena);
    return reached;
}

/* Cycles and instructions over a few whole rounds. */
static void count_rounds(struct bench_times *result, bench_decide *decide, struct bench_requests *requests,
                         struct fb_arena *arena)
{
    struct bench_counter counter = bench_counter_open();
    double decisions = ROUNDS_MIN * (double)requests->count;
    bench_counter_start(&counter);
    for (int round = 0; round < ROUNDS_MIN; round++)
        (void)bench_counted(decide, requests, arena);
    bench_counter_stop(&counter, &result->instructions, &result->cycles);
    result->instructions /= decisions;
    result->cycles /= decisions;
    bench_counter_close(&counter);
}

struct bench_times bench_measure(bench_decide *decide, struct bench_requests *requests, uint32_t budget_ms)
{
    struct bench_times result = {.rounds = 0};
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 1 << 22);
    size_t count = requests->count = reach(decide, requests, &arena, budget_ms);
    uint32_t *times = bench_alloc(count * ROUNDS_MAX, sizeof *times);

    uint64_t end = bench_now() + (uint64_t)budget_ms * 750000u;
    while (result.rounds < ROUNDS_MAX && (result.rounds < ROUNDS_MIN || bench_now() < end))
        time_round(decide, requests, &arena, times + count * result.rounds++);
    spread(&result, times, count);

    count_rounds(&result, decide, requests, &arena);
    fb_arena_release(&arena);
    free(times);
    return result;
}
