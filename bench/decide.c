/* SPDX-License-Identifier: Apache-2.0 */
/* One decision, in process: a code host with users in teams and repositories with five levels of access,
 * 50 entities of each type, distinct requests in random order, nothing remembered between decisions.
 *
 * Each request is timed by itself in many rounds over all of them; its time is the median of its
 * rounds, with the cost of reading the clock taken off.  Printed are the median and the 99th
 * percentile over the requests, and the mean of whole rounds with no clock inside.
 * Not a test: run it by hand, `ninja bench_decide && ./bench/bench_decide`. */

#include "engine/engine.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EACH 50
#define REQUESTS 1000
#define ROUNDS 201

static const char policies[] =
    "permit (principal, action in [Action::\"pull\", Action::\"fork\"], resource is Repo)\n"
    "    when { principal in resource.readers };\n"
    "permit (principal, action == Action::\"push\", resource is Repo) when { principal in resource.writers };\n"
    "permit (principal, action in Action::\"manage\", resource is Repo) when { principal in resource.admins };\n"
    "permit (principal, action == Action::\"close\", resource is Issue)\n"
    "    when { principal == resource.reporter && principal in resource.repo.readers };\n"
    "permit (principal, action in [Action::\"close\", Action::\"label\", Action::\"assign\"], resource is Issue)\n"
    "    when { principal in resource.repo.triagers };\n"
    "permit (principal, action == Action::\"drop\", resource is Issue)\n"
    "    when { principal in resource.repo.maintainers };\n"
    "forbid (principal, action, resource is Repo)\n"
    "    when { resource.archived } unless { action == Action::\"pull\" };\n";

static const char *const repo_actions[] = {"pull", "fork", "push", "invite", "rename"};
static const char *const issue_actions[] = {"close", "label", "assign", "drop"};
static const char *const levels[] = {"readers", "triagers", "writers", "maintainers", "admins"};

static struct bench {
    struct fb_arena arena;
    struct fb_entity_set *set;
    struct fb_entities entities;
    struct fb_program *program;
    struct fb_request requests[REQUESTS];
    uint64_t random;
} bench;

static uint32_t below(uint32_t n)
{
    bench.random = bench.random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(bench.random >> 33) % n;
}

static void need(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static const struct fb_uid *uid(const char *type, const char *name, int number)
{
    char id[64];
    (void)snprintf(id, sizeof id, number < 0 ? "%s" : "%s%d", name, number);
    const struct fb_uid *made = fb_uid_new(&bench.arena, fb_span_z(type), fb_span_z(id));
    need(made != NULL, "memory");
    return made;
}

/* --- The store ---------------------------------------------------------------------------------------- */

static void add(const struct fb_uid *entity, struct fb_field *fields, size_t fields_count,
                const struct fb_uid *const *parents, size_t parents_count)
{
    struct fb_entity_parts parts = {.uid = entity, .parents = parents, .parents_count = parents_count};
    need(fb_value_record(&bench.arena, fields, fields_count, &parts.attrs)
         && fb_value_record(&bench.arena, NULL, 0, &parts.tags) && fb_entity_set_add(bench.set, &parts), "entity");
}

/* A repository's groups: who may do more may do less, so each level is in the one below. */
static void add_repo(int number)
{
    struct fb_field fields[8];
    for (int level = 0; level < 5; level++) {
        char name[64];
        (void)snprintf(name, sizeof name, "repo%d-%s", number, levels[level]);
        const struct fb_uid *group = uid("Access", name, -1), *below_it = NULL;
        if (level > 0) {
            (void)snprintf(name, sizeof name, "repo%d-%s", number, levels[level - 1]);
            below_it = uid("Access", name, -1);
        }
        add(group, NULL, 0, &below_it, level > 0);
        fields[level] = (struct fb_field){fb_span_z(levels[level]), fb_value_entity(group)};
    }
    fields[5] = (struct fb_field){FB_SPAN("archived"), fb_value_bool(number % 10 == 0)};
    fields[6] = (struct fb_field){FB_SPAN("owner"), fb_value_entity(uid("Org", "org", number))};
    fields[7] = (struct fb_field){FB_SPAN("title"), fb_value_string(FB_SPAN("a repository"))};
    add(uid("Repo", "repo", number), fields, 8, NULL, 0);
    struct fb_field issue[] = {
        {FB_SPAN("repo"), fb_value_entity(uid("Repo", "repo", number))},
        {FB_SPAN("reporter"), fb_value_entity(uid("User", "user", (int)below(EACH)))},
    };
    add(uid("Issue", "issue", number), issue, 2, NULL, 0);
    add(uid("Org", "org", number), NULL, 0, NULL, 0);
}

/* Users in teams, and in some repositories' groups; teams in others. */
static void add_member(const char *type, const char *name, int number, bool in_team)
{
    const struct fb_uid *parents[8];
    size_t count = 0;
    if (in_team)
        parents[count++] = uid("Team", "team", (int)below(EACH));
    for (uint32_t i = in_team ? 3 : 5; i > 0; i--) {
        char group[64];
        (void)snprintf(group, sizeof group, "repo%u-%s", (unsigned)below(EACH), levels[below(5)]);
        parents[count++] = uid("Access", group, -1);
    }
    struct fb_field fields[] = {{FB_SPAN("name"), fb_value_string(FB_SPAN("somebody"))}};
    add(uid(type, name, number), fields, 1, parents, count);
}

static void make_store(void)
{
    const struct fb_uid *manage = uid("Action", "manage", -1);
    struct fb_diags diags;
    bench.set = fb_entity_set_new(&bench.arena);
    fb_diags_init(&diags, &bench.arena);
    for (int i = 0; i < EACH; i++) {
        add_repo(i);
        add_member("Team", "team", i, false);
        add_member("User", "user", i, true);
    }
    for (size_t i = 0; i < 5; i++)
        add(uid("Action", repo_actions[i], -1), NULL, 0, &manage, i >= 3);
    for (size_t i = 0; i < 4; i++)
        add(uid("Action", issue_actions[i], -1), NULL, 0, NULL, 0);
    add(manage, NULL, 0, NULL, 0);
    need(fb_entity_set_close(bench.set, &diags), "hierarchy");
    bench.entities = fb_entity_set_source(bench.set);
}

static void make_program(void)
{
    static struct fb_source source;
    static struct fb_policy_set set;
    struct fb_diags diags;
    source = (struct fb_source){FB_SPAN("bench"), fb_span_z(policies)};
    fb_diags_init(&diags, &bench.arena);
    fb_policy_set_init(&set, &bench.arena);
    need(fb_policy_set_read(&set, &source, &diags), "policies");
    bench.program = fb_program_new(&bench.arena, &set, &diags);
    need(bench.program != NULL, "program");
}

/* Distinct ones, in the random order in which they are drawn. */
static void make_requests(void)
{
    static bool taken[EACH][EACH][9];
    struct fb_value context;
    need(fb_value_record(&bench.arena, NULL, 0, &context), "context");
    for (int i = 0; i < REQUESTS;) {
        uint32_t user = below(EACH), thing = below(EACH), action = below(9);
        if (taken[user][thing][action])
            continue;
        taken[user][thing][action] = true;
        bool repo = action < 5;
        bench.requests[i++] = (struct fb_request){
            .principal = uid("User", "user", (int)user),
            .action = uid("Action", repo ? repo_actions[action] : issue_actions[action - 5], -1),
            .resource = repo ? uid("Repo", "repo", (int)thing) : uid("Issue", "issue", (int)thing),
            .context = context, .entities = &bench.entities};
    }
}

/* --- Measuring ---------------------------------------------------------------------------------------- */

static uint64_t now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t clock_cost(void)
{
    static uint64_t costs[10001];
    for (size_t i = 0; i < 10001; i++) {
        uint64_t start = now();
        costs[i] = now() - start;
    }
    qsort(costs, 10001, sizeof *costs, ascending);
    return costs[5000];
}

static bool decide_handles(struct fb_arena *arena, const struct fb_request *request)
{
    struct fb_decision decision;
    enum fb_status status = fb_decide(bench.program, request, arena, &decision);
    fb_arena_clear(arena);
    return status == FB_OK && decision.allow;
}

/* The three uids made anew from their type and id, as of a request that comes in. */
static bool decide_text(struct fb_arena *arena, const struct fb_request *request)
{
    struct fb_request made = *request;
    made.principal = fb_uid_new(arena, fb_uid_type(request->principal), fb_uid_id(request->principal));
    made.action = fb_uid_new(arena, fb_uid_type(request->action), fb_uid_id(request->action));
    made.resource = fb_uid_new(arena, fb_uid_type(request->resource), fb_uid_id(request->resource));
    return decide_handles(arena, &made);
}

/* What a refusal asks besides: could it be allowed to anybody, and which permit was nearest? */
static bool refuse(struct fb_arena *arena, const struct fb_request *request)
{
    struct fb_unknowns anybody = {.principal = true};
    struct fb_explanation explanation;
    bool could, found;
    fb_could_allow(bench.program, request, &anybody, NULL, arena, &could);
    fb_nearest_permit(bench.program, request, NULL, false, arena, &explanation, &found);
    fb_arena_clear(arena);
    return could && found;
}

/* A counter of user-space instructions, or -1. */
static int open_counter(void)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE, .size = sizeof attr,
                                   .config = PERF_COUNT_HW_INSTRUCTIONS, .disabled = 1, .exclude_kernel = 1,
                                   .exclude_hv = 1};
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static void run_rounds(struct fb_arena *arena, bool (*decide)(struct fb_arena *, const struct fb_request *),
                       uint64_t *allowed)
{
    *allowed = 0;
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < REQUESTS; i++)
            *allowed += decide(arena, &bench.requests[i]);
}

static void measure(const char *name, bool (*decide)(struct fb_arena *, const struct fb_request *))
{
    static uint64_t times[REQUESTS][ROUNDS], medians[REQUESTS];
    struct fb_arena arena;
    uint64_t allowed = 0, cost = clock_cost(), instructions = 0;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    run_rounds(&arena, decide, &allowed);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < REQUESTS; i++) {
            uint64_t start = now();
            (void)decide(&arena, &bench.requests[i]);
            uint64_t took = now() - start;
            times[i][round] = took > cost ? took - cost : 0;
        }
    for (int i = 0; i < REQUESTS; i++) {
        qsort(times[i], ROUNDS, sizeof times[i][0], ascending);
        medians[i] = times[i][ROUNDS / 2];
    }
    qsort(medians, REQUESTS, sizeof *medians, ascending);
    int counter = open_counter();
    if (counter >= 0)
        (void)ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
    uint64_t start = now();
    run_rounds(&arena, decide, &allowed);
    double mean = (double)(now() - start) / (ROUNDS * REQUESTS);
    bool counted = counter >= 0 && ioctl(counter, PERF_EVENT_IOC_DISABLE, 0) == 0
                   && read(counter, &instructions, sizeof instructions) == (ssize_t)sizeof instructions;
    if (counter >= 0)
        (void)close(counter);
    printf("%-24s %8llu %8llu %8.1f ", name, (unsigned long long)medians[REQUESTS / 2],
           (unsigned long long)medians[REQUESTS * 99 / 100], mean);
    if (counted)
        printf("%12.0f", (double)instructions / (ROUNDS * REQUESTS));
    else
        printf("%12s", "-");
    printf("%9.1f %%\n", 100.0 * (double)allowed / (ROUNDS * REQUESTS));
    fb_arena_release(&arena);
}

int main(void)
{
    fb_arena_init(&bench.arena, &fb_heap, 1 << 28);
    bench.random = 20240501;
    make_store();
    make_program();
    make_requests();
    printf("%zu policies, %zu entities, %d distinct requests, %d rounds\n", fb_program_count(bench.program),
           fb_entity_set_count(bench.set), REQUESTS, ROUNDS);
    printf("%-24s %8s %8s %8s %12s %10s\n", "", "median", "p99", "mean ns", "instructions", "yes");
    measure("decide, from handles", decide_handles);
    measure("decide, from text", decide_text);
    measure("could + nearest permit", refuse);
    int counter = open_counter();
    if (counter < 0)
        printf("instructions are not counted: perf_event_open: %s\n", strerror(errno));
    fb_arena_release(&bench.arena);
    return 0;
}
