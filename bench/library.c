/* SPDX-License-Identifier: Apache-2.0 */
/* A case through the C interface, as a program that links libforbid has it: all from texts, at each
 * decision too. */

#include "bench.h"

#include <forbid/forbid.h>

#include <stdlib.h>

struct bench_library {
    forbid_policies *policies;
    forbid_links *links;
    forbid_entities *entities;
    forbid_decider *decider;
    struct forbid_request *requests;
    struct fb_buffer text;                  /* of their uids */
};

static struct forbid_text text_of(struct fb_span span)
{
    return (struct forbid_text){span.len, span.ptr};
}

static void free_span(struct fb_span span)
{
    free((void *)(uintptr_t)span.ptr);
}

/* Links are added by the thousand. */
enum { LINKS_AT_ONCE = 1024 };

struct links {
    struct bench_library *library;
    struct fb_arena arena;
    struct forbid_link list[LINKS_AT_ONCE];
    size_t count;
};

static void flush_links(struct links *links)
{
    bench_need(forbid_links_add(links->library->links, links->list, links->count, NULL) == FORBID_OK,
               "the C interface does not take a link");
    links->count = 0;
    fb_arena_clear(&links->arena);
}

static struct forbid_text print_uid(struct fb_arena *arena, const struct fb_uid *uid)
{
    const struct fb_allocator allocator = fb_arena_allocator(arena);
    struct fb_buffer buffer;
    fb_buffer_init(&buffer, &allocator, 1 << 16);
    fb_uid_print(&buffer, uid);
    return text_of(fb_buffer_span(&buffer));
}

static void take_link(void *context, const struct bench_link *link)
{
    struct links *links = context;
    links->list[links->count++] = (struct forbid_link){
        .template_id = text_of(fb_arena_copy(&links->arena, link->template_id)),
        .id = text_of(fb_arena_copy(&links->arena, link->id)),
        .principal = print_uid(&links->arena, link->principal), .resource = print_uid(&links->arena, link->resource)};
    if (links->count == LINKS_AT_ONCE)
        flush_links(links);
}

static void load_links(struct bench_library *library, const char *dir)
{
    struct fb_span text = bench_read(dir, "links.json");
    struct links *links = bench_alloc(1, sizeof *links);
    links->library = library;
    fb_arena_init(&links->arena, &fb_heap, 1 << 24);
    library->links = forbid_links_new(NULL, library->policies);
    bench_need(library->links != NULL, "out of memory");
    bench_links_read(text, take_link, links);
    flush_links(links);
    fb_arena_release(&links->arena);
    free(links);
    free_span(text);
}

/* The uids' texts stand in one buffer, whose place is known when all of them are there. */
static void write_requests(struct bench_library *library, const struct bench_requests *requests)
{
    size_t (*ends)[3] = bench_alloc(requests->count, sizeof *ends), start = 0;
    fb_buffer_init(&library->text, &fb_heap, (size_t)1 << 30);
    for (size_t i = 0; i < requests->count; i++) {
        const struct fb_request *request = &requests->list[i];
        const struct fb_uid *const uids[] = {request->principal, request->action, request->resource};
        for (int part = 0; part < 3; part++) {
            fb_uid_print(&library->text, uids[part]);
            ends[i][part] = library->text.len;
        }
    }
    library->requests = bench_alloc(requests->count, sizeof *library->requests);
    for (size_t i = 0; i < requests->count; i++) {
        struct forbid_request *request = &library->requests[i];
        struct forbid_text *const texts[] = {&request->principal, &request->action, &request->resource};
        for (int part = 0; part < 3; part++) {
            *texts[part] = (struct forbid_text){ends[i][part] - start, library->text.ptr + start};
            start = ends[i][part];
        }
        request->size = sizeof *request;
        request->entities = library->entities;
        request->links = library->links;
    }
    free(ends);
}

struct bench_library *bench_library_new(const char *dir, const struct bench_requests *requests)
{
    struct bench_library *library = bench_alloc(1, sizeof *library);
    struct fb_span policies = bench_read(dir, "policies.cedar"), entities = bench_read(dir, "entities.json");
    const struct forbid_text name = {4, "case"};
    bench_need(forbid_policies_parse(NULL, name, text_of(policies), 1, &library->policies, NULL) == FORBID_OK
               && forbid_entities_parse(NULL, NULL, name, text_of(entities), &library->entities, NULL) == FORBID_OK,
               "the C interface does not take a case");
    free_span(policies);
    free_span(entities);
    if (requests->subject->count > requests->subject->set.count - requests->subject->templates)
        load_links(library, dir);
    library->decider = forbid_decider_new(NULL, library->policies, 0);
    bench_need(library->decider != NULL, "out of memory");
    write_requests(library, requests);
    return library;
}

void bench_library_free(struct bench_library *library)
{
    if (library == NULL)
        return;
    forbid_decider_free(library->decider);
    forbid_links_free(library->links);
    forbid_entities_free(library->entities);
    forbid_policies_free(library->policies);
    fb_buffer_release(&library->text);
    free(library->requests);
    free(library);
}

unsigned bench_library_decide(struct bench_requests *requests, size_t index, struct fb_arena *arena)
{
    struct forbid_decision decision = {.size = sizeof decision};
    (void)arena;
    return forbid_authorize(requests->library->decider, &requests->library->requests[index], &decision, NULL)
           == FORBID_OK && decision.allow;
}
