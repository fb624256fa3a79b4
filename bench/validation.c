/* SPDX-License-Identifier: Apache-2.0 */
/* bench_validate: what it takes to read and validate a policy set, in process, for bench/validation.mjs.
 *
 *   bench_validate SCHEMA POLICIES ROUNDS
 *
 * Each round reads both texts and validates in strict mode, from nothing, and gives all memory back.
 * On standard output one JSON object: the processor's time of each round in nanoseconds, of its reading and of
 * all of it, and the ids of the policies with errors. */

#include "cedar/cedar.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS_MAX = 1000 };
#define CEILING ((size_t)4 << 30)

struct round {
    uint64_t read_ns, all_ns;
};

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_validate: %s\n", what);
    exit(1);
}

static uint64_t processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct fb_source read_source(const char *path)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, CEILING);
    need(fb_buffer_read_file(&text, path) == 0, path);
    return (struct fb_source){.name = fb_span_z(path), .text = fb_buffer_span(&text)};
}

static bool has_error(const struct fb_diags *diags, const struct fb_policy *policy)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct fb_diag *diag = &diags->list[i];
        if (diag->severity == FB_ERROR && diag->range.start >= policy->range.start
            && diag->range.start < policy->range.end)
            return true;
    }
    return false;
}

static void print_faulty(const struct fb_policy_set *set, const struct fb_diags *diags)
{
    bool first = true;
    for (size_t i = 0; i < set->count; i++) {
        struct fb_span id = set->policies[i]->id;
        if (!has_error(diags, set->policies[i]))
            continue;
        printf("%s\"%.*s\"", first ? "" : ",", (int)id.len, id.ptr);
        first = false;
    }
}

static struct round run(const struct fb_source *schema_text, const struct fb_source *policies, bool print)
{
    const struct fb_validate_options options = {.mode = FB_VALIDATE_STRICT};
    struct fb_arena arena, scratch;
    struct fb_diags diags;
    struct fb_policy_set set;
    struct round round;
    uint64_t start = processor_time();
    fb_arena_init(&arena, &fb_heap, CEILING);
    fb_arena_init(&scratch, &fb_heap, CEILING);
    fb_diags_init(&diags, &arena);
    diags.limit = SIZE_MAX;
    fb_policy_set_init(&set, &arena);
    const struct fb_schema *schema = fb_schema_read(&arena, schema_text, &diags);
    need(schema != NULL && fb_policy_set_read(&set, policies, &diags), "the case does not parse");
    round.read_ns = processor_time() - start;
    (void)fb_validate(&set, schema, &options, &scratch, &diags);
    need(!arena.failed && !scratch.failed, "out of memory");
    if (print)
        print_faulty(&set, &diags);
    fb_arena_release(&scratch);
    fb_arena_release(&arena);
    round.all_ns = processor_time() - start;
    return round;
}

int main(int count, char **words)
{
    need(count == 4, "usage: bench_validate SCHEMA POLICIES ROUNDS");
    struct fb_source schema = read_source(words[1]), policies = read_source(words[2]);
    int wanted = atoi(words[3]);
    need(wanted > 0 && wanted <= ROUNDS_MAX, "so many rounds are not run");
    printf("{\"errors\":[");
    (void)run(&schema, &policies, true);
    printf("],\"rounds\":[");
    for (int i = 0; i < wanted; i++) {
        struct round round = run(&schema, &policies, false);
        printf("%s[%llu,%llu]", i == 0 ? "" : ",", (unsigned long long)round.read_ns,
               (unsigned long long)round.all_ns);
    }
    puts("]}");
    return 0;
}
