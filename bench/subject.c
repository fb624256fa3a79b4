/* SPDX-License-Identifier: Apache-2.0 */
/* A case, loaded: policies parsed, named by their @id and compiled, links added to a table of the program's,
 * entities read and closed.  The time and the memory of each step is kept.
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

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bench_now(void)
{
    return read_clock(CLOCK_MONOTONIC_RAW);
}

/* What this process took of a processor: loading is long enough to be interrupted by others. */
static uint64_t cpu_now(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static void *resize_counted(void *context, void *block, size_t old_size, size_t new_size)
{
    struct bench_heap *heap = context;
    void *moved = fb_heap.resize(fb_heap.context, block, old_size, new_size);
    if (moved != NULL || new_size == 0)
        heap->used += new_size - old_size;
    return moved;
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

static void parse_policies(struct bench_subject *subject, const char *dir, struct fb_diags *diags)
{
    struct fb_source *source = bench_alloc(1, sizeof *source);
    *source = (struct fb_source){FB_SPAN("policies.cedar"), bench_read(dir, "policies.cedar")};
    uint64_t start = cpu_now();
    fb_policy_set_init(&subject->set, &subject->policies);
    need_clean(diags, fb_policy_set_read(&subject->set, source, diags) && fb_policy_set_rename(&subject->set, diags));
    subject->parse_ns = cpu_now() - start;
    for (size_t i = 0; i < subject->set.count; i++)
        subject->templates += subject->set.policies[i]->is_template;
}

static void add_link(void *context, const struct bench_link *link)
{
    struct bench_subject *subject = context;
    const struct fb_policy *template_ = fb_policy_set_find(&subject->set, link->template_id);
    bench_need(template_ != NULL, "a link of no template");
    const char *error = fb_link_table_add(subject->links, template_, link->id, link->principal, link->resource);
    bench_need(error == NULL, error);
}

static void load_links(struct bench_subject *subject, const char *dir)
{
    struct fb_span text = bench_read(dir, "links.json");
    subject->heap = (struct bench_heap){{resize_counted, &subject->heap}, 0};
    subject->links = fb_link_table_new(&subject->heap.allocator, subject->program);
    bench_need(subject->links != NULL, "out of memory");
    size_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    uint64_t start = cpu_now();
    fb_link_table_expect(subject->links, lines);
    bench_links_read(text, add_link, subject);
    subject->links_ns = cpu_now() - start;
    subject->program = fb_link_table_program(subject->links);
    free((void *)(uintptr_t)text.ptr);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One more link beside those that there are, of what is linked already: the median of many, each of which
 * is taken out again. */
static double add_link_us(struct bench_subject *subject)
{
    enum { ADDITIONS = 1001 };
    static double times[ADDITIONS];
    size_t count = fb_link_table_count(subject->links);
    if (count == 0)
        return -1;
    for (size_t i = 0; i < ADDITIONS; i++) {
        struct fb_link like;
        char id[32];
        int length = snprintf(id, sizeof id, "added%zu", i);
        bench_need(length > 0 && fb_link_table_at(subject->links, i * 7919 % count, &like), "a link that is gone");
        uint64_t start = bench_now();
        const char *error = fb_link_table_add(subject->links, like.template_, fb_span(id, (size_t)length),
                                              like.principal, like.resource);
        times[i] = (double)(bench_now() - start) / 1e3;
        bench_need(error == NULL, error);
        bench_need(fb_link_table_remove(subject->links, fb_span(id, (size_t)length)), "a link that is gone");
    }
    qsort(times, ADDITIONS, sizeof *times, ascending);
    return times[ADDITIONS / 2];
}

static void load_policies(struct bench_subject *subject, const char *dir)
{
    struct fb_diags diags;
    fb_arena_init(&subject->policies, &fb_heap, (size_t)4 << 30);
    fb_diags_init(&diags, &subject->policies);
    parse_policies(subject, dir, &diags);
    uint64_t start = cpu_now();
    subject->program = subject->compiled = fb_program_new(&subject->policies, &subject->set, &diags);
    subject->compile_ns = cpu_now() - start;
    need_clean(&diags, subject->program != NULL);
    load_links(subject, dir);
    subject->count = fb_program_count(subject->program);
    subject->policies_bytes = subject->policies.used + subject->heap.used;
    subject->add_us = add_link_us(subject);
}

/* What the guard knows from the schema: how records look. */
static void expect_records(const struct bench_subject *subject)
{
    for (size_t i = 0; i < fb_entity_set_count(subject->entity_set); i++) {
        struct fb_entity entity;
        fb_entity_set_at(subject->entity_set, i, &entity);
        fb_program_expect(subject->compiled, entity.attrs->symbols, (uint32_t)entity.attrs->count);
    }
}

static void load_entities(struct bench_subject *subject, const char *dir)
{
    struct fb_source source = {FB_SPAN("entities.json"), bench_read(dir, "entities.json")};
    struct fb_diags diags;
    fb_arena_init(&subject->entities_arena, &fb_heap, (size_t)4 << 30);
    fb_diags_init(&diags, &subject->entities_arena);
    uint64_t start = cpu_now();
    subject->entity_set = fb_entity_set_new(&subject->entities_arena);
    bench_need(subject->entity_set != NULL, "out of memory");
    need_clean(&diags, fb_entity_set_read_json(subject->entity_set, &source, NULL, &diags)
                       && fb_entity_set_close(subject->entity_set, &diags));
    subject->entities_ns = cpu_now() - start;
    subject->entities_bytes = subject->entities_arena.used;
    subject->entities = fb_entity_set_source(subject->entity_set);
    expect_records(subject);
    free((void *)(uintptr_t)source.text.ptr);
}

void bench_subject_load(struct bench_subject *subject, const char *dir)
{
    *subject = (struct bench_subject){.templates = 0};
    load_policies(subject, dir);
    load_entities(subject, dir);
}

void bench_subject_release(struct bench_subject *subject)
{
    fb_link_table_free(subject->links);
    fb_arena_release(&subject->policies);
    fb_arena_release(&subject->entities_arena);
}
