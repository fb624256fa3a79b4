/* SPDX-License-Identifier: Apache-2.0 */
/* A case, loaded as the guard loads a directory: policies parsed and named by their @id, links added,
 * entities read and closed, all compiled.  The time and the memory of each step is kept.
 *
 * Texts that policies point into live as long as the process. */

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void bench_need(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "bench_decide: %s\n", what);
    exit(1);
}

void *bench_alloc(size_t count, size_t size)
{
    void *block = calloc(count != 0 ? count : 1, size);
    bench_need(block != NULL, "out of memory");
    return block;
}

uint64_t bench_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void join(char *path, size_t size, const char *dir, const char *file)
{
    int length = snprintf(path, size, "%s/%s", dir, file);
    bench_need(length > 0 && (size_t)length < size, "a path is too long");
}

bool bench_exists(const char *dir, const char *file)
{
    char path[1024];
    join(path, sizeof path, dir, file);
    return access(path, R_OK) == 0;
}

struct fb_span bench_read(const char *dir, const char *file)
{
    char path[1024];
    struct fb_buffer buffer;
    join(path, sizeof path, dir, file);
    fb_buffer_init(&buffer, &fb_heap, (size_t)4 << 30);
    bench_need(fb_buffer_read_file(&buffer, path) == 0, path);
    return fb_buffer_span(&buffer);
}

/* A fault in a case is a fault of the generator or of ours: shown and the end. */
static void need_clean(const struct fb_diags *diags, bool good)
{
    struct fb_buffer out;
    if (good)
        return;
    fb_buffer_init(&out, &fb_heap, 1 << 20);
    fb_diags_print(&out, diags, false);
    bench_need(false, out.ptr != NULL ? out.ptr : "a case that cannot be read");
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void load_policies(struct bench_subject *subject, const char *dir)
{
    struct fb_source *source = bench_alloc(1, sizeof *source);
    struct fb_diags diags;
    fb_arena_init(&subject->policies, &fb_heap, (size_t)4 << 30);
    fb_diags_init(&diags, &subject->policies);
    *source = (struct fb_source){FB_SPAN("policies.cedar"), bench_read(dir, "policies.cedar")};
    uint64_t start = bench_now();
    fb_policy_set_init(&subject->set, &subject->policies);
    need_clean(&diags, fb_policy_set_read(&subject->set, source, &diags)
                       && fb_policy_set_rename(&subject->set, &diags));
    subject->parse_ns = bench_now() - start;
    for (size_t i = 0; i < subject->set.count; i++)
        subject->templates += subject->set.policies[i]->is_template;

    struct fb_span links = bench_read(dir, "links.json");
    start = bench_now();
    (void)bench_links_read(&subject->set, links);
    subject->links_ns = bench_now() - start;
    free((void *)(uintptr_t)links.ptr);

    start = bench_now();
    subject->program = fb_program_new(&subject->policies, &subject->set, &diags);
    subject->compile_ns = bench_now() - start;
    need_clean(&diags, subject->program != NULL);
    subject->policies_bytes = subject->policies.used;
}

/* One more link beside those that there are, until a program decides by it: the median of a few. */
static double add_link_us(struct bench_subject *subject)
{
    enum { ADDITIONS = 5 };
    double times[ADDITIONS];
    if (subject->set.links_count == 0)
        return -1;
    for (int i = 0; i < ADDITIONS; i++) {
        const struct fb_link *like = subject->set.links[subject->set.links_count / 2];
        struct fb_span id = fb_arena_format(&subject->policies, "added%d", i);
        struct fb_arena arena;
        struct fb_diags diags;
        const char *error = NULL;
        fb_arena_init(&arena, &fb_heap, (size_t)4 << 30);
        fb_diags_init(&diags, &arena);
        uint64_t start = bench_now();
        bench_need(fb_policy_set_link(&subject->set, like->template_->id, id, like->principal, like->resource, &error)
                   != NULL, error != NULL ? error : "out of memory");
        need_clean(&diags, fb_program_new(&arena, &subject->set, &diags) != NULL);
        times[i] = (double)(bench_now() - start) / 1e3;
        fb_arena_release(&arena);
    }
    qsort(times, ADDITIONS, sizeof *times, ascending);
    return times[ADDITIONS / 2];
}

static void load_entities(struct bench_subject *subject, const char *dir)
{
    struct fb_source source = {FB_SPAN("entities.json"), bench_read(dir, "entities.json")};
    struct fb_diags diags;
    fb_arena_init(&subject->entities_arena, &fb_heap, (size_t)4 << 30);
    fb_diags_init(&diags, &subject->entities_arena);
    uint64_t start = bench_now();
    subject->entity_set = fb_entity_set_new(&subject->entities_arena);
    bench_need(subject->entity_set != NULL, "out of memory");
    need_clean(&diags, fb_entity_set_read_json(subject->entity_set, &source, NULL, &diags)
                       && fb_entity_set_close(subject->entity_set, &diags));
    subject->entities_ns = bench_now() - start;
    subject->entities_bytes = subject->entities_arena.used;
    subject->entities = fb_entity_set_source(subject->entity_set);
    free((void *)(uintptr_t)source.text.ptr);
}

void bench_subject_load(struct bench_subject *subject, const char *dir)
{
    *subject = (struct bench_subject){.templates = 0};
    load_policies(subject, dir);
    subject->add_us = add_link_us(subject);
    load_entities(subject, dir);
}

void bench_subject_release(struct bench_subject *subject)
{
    fb_arena_release(&subject->policies);
    fb_arena_release(&subject->entities_arena);
}
