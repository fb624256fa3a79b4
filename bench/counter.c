/* SPDX-License-Identifier: Apache-2.0 */
/* Cycles and instructions of this thread in user space, from perf_event_open(2).  Virtual machines often
 * have no such counters; then the whole program is run under callgrind, which counts instructions in
 * bench_counted() alone. */

#include "bench.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_one(uint64_t event)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE, .size = sizeof attr, .config = event, .disabled = 1,
                                   .exclude_kernel = 1, .exclude_hv = 1};
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

struct bench_counter bench_counter_open(void)
{
    return (struct bench_counter){open_one(PERF_COUNT_HW_INSTRUCTIONS), open_one(PERF_COUNT_HW_CPU_CYCLES)};
}

void bench_counter_start(const struct bench_counter *counter)
{
    const int both[] = {counter->instructions, counter->cycles};
    for (int i = 0; i < 2; i++)
        if (both[i] >= 0) {
            (void)ioctl(both[i], PERF_EVENT_IOC_RESET, 0);
            (void)ioctl(both[i], PERF_EVENT_IOC_ENABLE, 0);
        }
}

static double stop_one(int fd)
{
    uint64_t count = 0;
    bool good = fd >= 0 && ioctl(fd, PERF_EVENT_IOC_DISABLE, 0) == 0
                && read(fd, &count, sizeof count) == (ssize_t)sizeof count && count != 0;
    return good ? (double)count : -1;
}

void bench_counter_stop(const struct bench_counter *counter, double *instructions, double *cycles)
{
    *instructions = stop_one(counter->instructions);
    *cycles = stop_one(counter->cycles);
}

void bench_counter_close(struct bench_counter *counter)
{
    if (counter->instructions >= 0)
        (void)close(counter->instructions);
    if (counter->cycles >= 0)
        (void)close(counter->cycles);
}

/* Not inlined, so that there is a name to collect by. */
__attribute__((noinline)) unsigned bench_counted(bench_decide *decide, struct bench_requests *requests,
                                                 struct fb_arena *arena)
{
    unsigned allowed = 0;
    for (size_t i = 0; i < requests->count; i++)
        allowed += decide(requests, i, arena);
    return allowed;
}
