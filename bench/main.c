/* SPDX-License-Identifier: Apache-2.0 */
/* One decision, in process.
 *
 *   bench_decide [--budget MS] [--count MODE] CASE…
 *
 * A case is a folder that bench/generate.mjs wrote.  Without --count each mode of each case is timed, and
 * with each result come the answers, so that they can be held against those of others.  With --count one
 * round of MODE is made in bench_counted(), for callgrind.  Modes:
 *
 *   handles   principal and resource have been found and the action's policies are known, as when the guard asks
 *   uids      the request's three uids are there, hashed; no entity has been looked up, and what the actions concern
 *             is a table of the application's
 *   text      they are made from their type and id at each decision
 *   library   forbid_authorize() of the C interface, from the texts of the three uids and the context
 *   refuse    what a refusal asks in addition: could anybody, and which permit was nearest?
 *
 * Not a test; bench/run runs it. */

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned decide(const struct bench_requests *requests, const struct fb_request *request, struct fb_arena *arena)
{
    struct fb_decision decision;
    enum fb_status status = fb_decide(requests->subject->program, request, arena, &decision);
    fb_arena_clear(arena);
    return status == FB_OK && decision.allow;
}

static unsigned decide_handles(struct bench_requests *requests, size_t index, struct fb_arena *arena)
{
    return decide(requests, &requests->list[index], arena);
}

/* Nothing looked up. */
static struct fb_request by_uids(const struct fb_request *request)
{
    return (struct fb_request){.principal = request->principal, .action = request->action,
                               .resource = request->resource, .context = request->context,
                               .entities = request->entities};
}

static unsigned decide_uids(struct bench_requests *requests, size_t index, struct fb_arena *arena)
{
    struct fb_request made = by_uids(&requests->list[index]);
    made.concerned = fb_concerns_of(&requests->concerns, made.action);
    return decide(requests, &made, arena);
}

static unsigned decide_text(struct bench_requests *requests, size_t index, struct fb_arena *arena)
{
    struct fb_request made = by_uids(&requests->list[index]);
    made.principal = fb_uid_new(arena, fb_uid_type(made.principal), fb_uid_id(made.principal));
    made.action = fb_uid_new(arena, fb_uid_type(made.action), fb_uid_id(made.action));
    made.resource = fb_uid_new(arena, fb_uid_type(made.resource), fb_uid_id(made.resource));
    made.concerned = fb_concerns_of(&requests->concerns, made.action);
    return decide(requests, &made, arena);
}

static unsigned refuse(struct bench_requests *requests, size_t index, struct fb_arena *arena)
{
    const struct fb_program *program = requests->subject->program;
    const struct fb_request made = by_uids(&requests->list[index]), *request = &made;
    struct fb_unknowns anybody = {.principal = true};
    struct fb_explanation explanation;
    bool could = false, found = false;
    (void)fb_could_allow(program, request, &anybody, NULL, arena, &could);
    (void)fb_nearest_permit(program, request, NULL, false, arena, &explanation, &found);
    fb_arena_clear(arena);
    return could && found;
}

#define LIBRARY_MAX 100000u

static const struct mode {
    const char *name;
    bench_decide *decide;
    size_t policies_max;        /* beyond, a run would take too long */
} modes[] = {{"handles", decide_handles, SIZE_MAX}, {"uids", decide_uids, SIZE_MAX},
             {"text", decide_text, SIZE_MAX}, {"library", bench_library_decide, LIBRARY_MAX}, {"refuse", refuse, SIZE_MAX}};
enum { MODES = sizeof modes / sizeof *modes };

static const struct mode *find_mode(const char *name)
{
    for (size_t i = 0; i < MODES; i++)
        if (strcmp(modes[i].name, name) == 0)
            return &modes[i];
    bench_need(false, "no such mode");
    return NULL;
}

static void print_answers(const struct mode *mode, struct bench_requests *requests)
{
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 1 << 22);
    (void)printf(",\"answers\":\"");
    for (size_t i = 0; i < requests->count; i++)
        (void)putchar('0' + (int)mode->decide(requests, i, &arena));
    (void)printf("\"");
    fb_arena_release(&arena);
}

static void print_counted(const char *name, double value)
{
    if (value >= 0)
        (void)printf(",\"%s\":%.3f", name, value);
}

static void report(const struct mode *mode, const char *dir, const char *series, struct bench_requests asked,
                   uint32_t budget_ms)
{
    const struct bench_subject *subject = asked.subject;
    size_t policies = subject->count, entities = fb_entity_set_count(subject->entity_set);
    struct bench_times times = bench_measure(mode->decide, &asked, budget_ms);
    (void)printf("{\"peer\":\"forbid\",\"mode\":\"%s\",\"case\":\"%s\",\"series\":\"%s\",\"requests\":%zu,\"rounds\":%u,"
                 "\"median_ns\":%llu,\"p99_ns\":%llu,\"mean_ns\":%.1f",
                 mode->name, strrchr(dir, '/') != NULL ? strrchr(dir, '/') + 1 : dir, series, asked.count,
                 times.rounds, (unsigned long long)times.median_ns, (unsigned long long)times.p99_ns, times.mean_ns);
    print_counted("instructions", times.instructions);
    print_counted("cycles", times.cycles);
    (void)printf(",\"policies\":%zu,\"templates\":%zu,\"entities\":%zu,\"policies_bytes\":%zu,\"entities_bytes\":%zu,"
                 "\"parse_ms\":%.3f,\"links_ms\":%.3f,\"compile_ms\":%.3f,\"entities_ms\":%.3f",
                 policies, subject->templates, entities, subject->policies_bytes, subject->entities_bytes,
                 (double)subject->parse_ns / 1e6, (double)subject->links_ns / 1e6, (double)subject->compile_ns / 1e6,
                 (double)subject->entities_ns / 1e6);
    print_counted("add_us", subject->add_us);
    if (mode->decide != refuse)
        print_answers(mode, &asked);
    (void)printf("}\n");
    (void)fflush(stdout);
}

static const char *const series_names[] = {"all", "hot", "uniform"};
static const char *const series_files[] = {"requests.jsonl", "requests.hot.jsonl", "requests.uniform.jsonl"};

/* One round to warm up, one that is counted; how many decisions that was goes to standard output. */
static void count_round(const struct mode *mode, struct bench_requests *requests)
{
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 1 << 22);
    for (size_t i = 0; i < requests->count; i++)
        (void)mode->decide(requests, i, &arena);
    (void)bench_counted(mode->decide, requests, &arena);
    (void)printf("%zu\n", requests->count);
    fb_arena_release(&arena);
}

static void run_case(const char *dir, const struct mode *counted, uint32_t budget_ms)
{
    struct bench_subject subject;
    bench_subject_load(&subject, dir);
    for (size_t s = 0; s < sizeof series_files / sizeof *series_files; s++) {
        if (!bench_exists(dir, series_files[s]))
            continue;
        struct bench_requests requests;
        struct fb_span text = bench_read(dir, series_files[s]);
        bench_requests_read(&requests, &subject, text);
        if (subject.count <= LIBRARY_MAX && (counted == NULL || counted->decide == bench_library_decide))
            requests.library = bench_library_new(dir, &requests);
        if (counted != NULL) {
            requests.count = requests.count < 2000 ? requests.count : 2000;
            count_round(counted, &requests);
            exit(0);
        }
        for (size_t i = 0; i < MODES; i++)
            if (subject.count <= modes[i].policies_max)
                report(&modes[i], dir, series_names[s], requests, budget_ms);
        bench_library_free(requests.library);
        free(requests.list);
        fb_arena_release(&requests.arena);
    }
    bench_subject_release(&subject);
}

int main(int argc, char **argv)
{
    const struct mode *counted = NULL;
    uint32_t budget_ms = 500;
    int at = 1;
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--budget") == 0)
            budget_ms = (uint32_t)strtoul(argv[at + 1], NULL, 10);
        else if (strcmp(argv[at], "--count") == 0)
            counted = find_mode(argv[at + 1]);
        else
            bench_need(false, "the options are --budget MS and --count MODE");
    }
    bench_need(at < argc, "usage: bench_decide [--budget MS] [--count MODE] CASE…");
    for (; at < argc; at++)
        run_case(argv[at], counted, budget_ms);
    return 0;
}
