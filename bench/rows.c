/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of a case, read line by line, so that a million links take no more memory than they need:
 *
 *   links.json       {"template_id": "…", "link_id": "…", "args": {"?principal": "User::\"a\"", …}},
 *   requests.jsonl   {"principal": "User::\"a\"", "action": …, "resource": …, "context": {…}} */

#include "bench.h"

#include <stdlib.h>

/* The next line that holds an object, without a comma at its end; empty: none. */
static struct fb_span next_object(struct fb_span *rest)
{
    while (rest->len != 0) {
        size_t length = fb_span_find(*rest, '\n');
        struct fb_span line = fb_span_head(*rest, length);
        *rest = fb_span_from(*rest, length + 1);
        if (line.len != 0 && line.ptr[line.len - 1] == ',')
            line.len--;
        if (line.len > 2 && line.ptr[0] == '{')
            return line;
    }
    return fb_span(NULL, 0);
}

static const struct fb_uid *read_uid(struct fb_json *json, struct fb_arena *arena)
{
    bench_need(fb_json_next(json) == FB_JSON_STRING, "a uid is a string");
    const struct fb_uid *uid = fb_uid_parse(arena, json->string);
    bench_need(uid != NULL, "this is not a uid");
    return uid;
}

static void read_args(struct fb_json *json, struct fb_arena *arena, struct bench_link *link)
{
    bench_need(fb_json_next(json) == FB_JSON_OBJECT, "args is an object");
    while (fb_json_next(json) == FB_JSON_KEY) {
        bool principal = fb_span_is(json->string, "?principal");
        *(principal ? &link->principal : &link->resource) = read_uid(json, arena);
    }
}

static struct bench_link read_link(struct fb_span line, struct fb_arena *arena)
{
    struct bench_link link = {.id = {0, NULL}};
    struct fb_json json;
    fb_json_init(&json, line, arena, FB_JSON_LIMITS);
    bench_need(fb_json_next(&json) == FB_JSON_OBJECT, "a link is an object");
    while (fb_json_next(&json) == FB_JSON_KEY) {
        if (fb_span_is(json.string, "args")) {
            read_args(&json, arena, &link);
            continue;
        }
        struct fb_span *text = fb_span_is(json.string, "link_id") ? &link.id : &link.template_id;
        bench_need(fb_json_next(&json) == FB_JSON_STRING, "an id is a string");
        *text = json.string;
    }
    bench_need(json.event == FB_JSON_OBJECT_END, "a link that is not JSON");
    return link;
}

void bench_links_read(struct fb_span text, void (*take)(void *context, const struct bench_link *link), void *context)
{
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    for (struct fb_span line = next_object(&text); line.len != 0; line = next_object(&text)) {
        struct bench_link link = read_link(line, &arena);
        take(context, &link);
        fb_arena_clear(&arena);
    }
    fb_arena_release(&arena);
}

static struct fb_request read_request(struct fb_span line, struct fb_arena *arena)
{
    struct fb_request request = {.principal = NULL};
    struct fb_json json;
    fb_json_init(&json, line, arena, FB_JSON_LIMITS);
    bench_need(fb_json_next(&json) == FB_JSON_OBJECT, "a request is an object");
    while (fb_json_next(&json) == FB_JSON_KEY) {
        if (fb_span_is(json.string, "principal")) {
            request.principal = read_uid(&json, arena);
        } else if (fb_span_is(json.string, "action")) {
            request.action = read_uid(&json, arena);
        } else if (fb_span_is(json.string, "resource")) {
            request.resource = read_uid(&json, arena);
        } else {
            (void)fb_json_next(&json);
            struct fb_type_hint none = {.hint = FB_HINT_NONE};
            bench_need(fb_value_read_json(&json, arena, NULL, none, &request.context), "a context is a record");
        }
    }
    bench_need(json.event == FB_JSON_OBJECT_END && request.principal != NULL && request.action != NULL
               && request.resource != NULL, "a request that is none");
    return request;
}

/* NULL: there is no such entity. */
static const struct fb_entity *find_entity(const struct bench_subject *subject, const struct fb_uid *uid,
                                           struct fb_arena *arena)
{
    struct fb_entity entity;
    if (subject->entities.find(subject->entities.self, uid, &entity) != FB_FOUND)
        return NULL;
    struct fb_entity *kept = fb_arena_alloc(arena, sizeof *kept);
    bench_need(kept != NULL, "out of memory");
    *kept = entity;
    kept->uid = uid;    /* the same at an address that is at hand, as the guard has it */
    return kept;
}

/* What the guard knows before it asks: the action, a uid of its own, with its policies since it loaded them, and both
 * entities, whose uids are then the request's. */
static void resolve(struct bench_requests *requests, struct fb_request *request)
{
    const struct bench_subject *subject = requests->subject;
    request->entities = &subject->entities;
    request->principal_entity = find_entity(subject, request->principal, &requests->arena);
    request->resource_entity = find_entity(subject, request->resource, &requests->arena);
    if (request->principal_entity != NULL)
        request->principal = request->principal_entity->uid;
    if (request->resource_entity != NULL)
        request->resource = request->resource_entity->uid;
    for (size_t i = 0; i < requests->count; i++)
        if (fb_uid_eq(requests->list[i].action, request->action)) {
            request->action = requests->list[i].action;
            break;
        }
    request->concerned = fb_concerns_of(&requests->concerns, request->action);
}

void bench_requests_read(struct bench_requests *requests, const struct bench_subject *subject, struct fb_span text)
{
    size_t capacity = 0;
    *requests = (struct bench_requests){.subject = subject};
    fb_arena_init(&requests->arena, &fb_heap, (size_t)1 << 30);
    fb_concerns_init(&requests->concerns, subject->program, &subject->entities, &requests->arena);
    for (struct fb_span line = next_object(&text); line.len != 0; line = next_object(&text)) {
        if (requests->count == capacity) {
            capacity = capacity != 0 ? 2 * capacity : 1024;
            requests->list = realloc(requests->list, capacity * sizeof *requests->list);
            bench_need(requests->list != NULL, "out of memory");
        }
        struct fb_request request = read_request(line, &requests->arena);
        resolve(requests, &request);
        requests->list[requests->count++] = request;
    }
}
