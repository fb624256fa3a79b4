/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BENCH_BENCH_H
#define FB_BENCH_BENCH_H

#include "engine/engine.h"

/* bench_decide: one decision, in process, measured over the cases that bench/generate.mjs writes.
 *
 *   subject.c   a case's policies, links and entities, loaded; what that takes, and one link more
 *   rows.c      its links and requests, one JSON object a line
 *   library.c   the same through the C interface
 *   measure.c   each request timed by itself, many rounds
 *   counter.c   cycles and instructions, by the kernel's counters or by callgrind
 *   main.c      options, the modes, one JSON object a result on standard output
 *
 * Nothing here survives a fault: it says what is wrong and exits. */

void bench_need(bool good, const char *what);
void *bench_alloc(size_t count, size_t size);
uint64_t bench_now(void);                   /* nanoseconds, monotonic */
/* The whole file with a NUL behind it; the caller's to free, or never. */
struct fb_span bench_read(const char *dir, const char *file);
bool bench_exists(const char *dir, const char *file);

/* --- What is asked ------------------------------------------------------------------------------------ */

/* An allocator that knows how much it has given out. */
struct bench_heap {
    struct fb_allocator allocator;
    size_t used;
};

struct bench_subject {
    struct fb_arena policies, entities_arena;
    struct bench_heap heap;                 /* of the links */
    struct fb_policy_set set;
    struct fb_entity_set *entity_set;
    struct fb_entities entities;
    struct fb_link_table *links;            /* NULL: there are none */
    struct fb_program *compiled;
    const struct fb_program *program;       /* with the links */
    size_t count;                           /* of policies and links */
    size_t templates;                       /* of set.count; they decide nothing by themselves */
    uint64_t parse_ns, links_ns, compile_ns, entities_ns;
    double add_us;                          /* one link added to these; negative: there are none */
    size_t policies_bytes, entities_bytes;
};

/* Reads policies.cedar, links.json and entities.json of a case. */
void bench_subject_load(struct bench_subject *subject, const char *dir);
void bench_subject_release(struct bench_subject *subject);

struct bench_link {
    struct fb_span template_id, id;
    const struct fb_uid *principal, *resource;
};
/* Gives the links of `text`, one a line, each valid during the call. */
void bench_links_read(struct fb_span text, void (*take)(void *context, const struct bench_link *link), void *context);

struct bench_library;

struct bench_requests {
    struct fb_arena arena;
    const struct bench_subject *subject;
    struct fb_request *list;                /* each with its entities and its action's policies, as the guard has them */
    size_t count;
    struct fb_concerns concerns;            /* what their actions concern, all asked for once */
    struct bench_library *library;          /* NULL: not loaded */
};
void bench_requests_read(struct bench_requests *requests, const struct bench_subject *subject, struct fb_span text);

/* --- Measuring ---------------------------------------------------------------------------------------- */

/* One decision, about the request of that index; *arena is the worker's, and cleared.  1: allow. */
typedef unsigned bench_decide(struct bench_requests *requests, size_t index, struct fb_arena *arena);

/* By the C interface, from texts alone: the same case loaded through it. */
struct bench_library *bench_library_new(const char *dir, const struct bench_requests *requests);
void bench_library_free(struct bench_library *library);
bench_decide bench_library_decide;

struct bench_times {
    uint32_t rounds;
    uint64_t median_ns, p99_ns;             /* over the requests, each of which stands for its median round */
    double mean_ns;                         /* of the same times */
    double instructions, cycles;            /* of one decision; negative: not counted */
};

/* Rounds over the requests for about `budget_ms`, three at the least; requests->count is cut where they are
 * too many for that. */
struct bench_times bench_measure(bench_decide *decide, struct bench_requests *requests, uint32_t budget_ms);

/* --- Counting ------------------------------------------------------------------------------------------- */

/* The kernel's counters of this thread in user space; `fd` are -1 where the machine has none. */
struct bench_counter {
    int instructions, cycles;
};
struct bench_counter bench_counter_open(void);
void bench_counter_start(const struct bench_counter *counter);
/* Negative: not counted. */
void bench_counter_stop(const struct bench_counter *counter, double *instructions, double *cycles);
void bench_counter_close(struct bench_counter *counter);

/* One round.  callgrind collects inside this function alone: --toggle-collect=bench_counted. */
unsigned bench_counted(bench_decide *decide, struct bench_requests *requests, struct fb_arena *arena);

#endif
