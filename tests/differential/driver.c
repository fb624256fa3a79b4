/* SPDX-License-Identifier: Apache-2.0 */
/* The engine as a peer for differential tests: a world a line in, its answers a line out.
 *
 *   {"policies": TEXT, "links": [{template_id, link_id, args}], "schema": TEXT, "entities": [...],
 *    "requests": [{principal, action, resource, context}], "validate": true, "forms": true}
 *
 * All but `policies` may be absent.  The answer says for each text whether it was read, and for each
 * request what was decided, as `forbid authorize --requests` does; a request of a world that could not be
 * loaded has no answer. */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES ((size_t)64 << 20)
#define WORLD_CEILING ((size_t)1 << 30)
#define DEPTH 512u

/* --- Reading a line ------------------------------------------------------------------------------- */

static struct fb_source *source_of(struct world *world, const char *name, struct fb_span text)
{
    struct fb_source *source = fb_arena_alloc(&world->arena, sizeof *source);
    *source = (struct fb_source){.name = fb_span_z(name), .text = text};
    return source;
}

/* The JSON text of the value whose first event was taken. */
static struct fb_span raw(struct fb_json *json)
{
    size_t start = json->range.start;
    if (!fb_json_skip(json))
        return FB_SPAN("");
    return fb_span_head(fb_span_from(json->text, start), json->range.end - start);
}

static bool read_requests(struct world *world, struct fb_json *json)
{
    size_t capacity = 0;
    while (fb_json_next(json) == FB_JSON_OBJECT) {
        world->requests =
            fb_arena_grow(&world->arena, world->requests, world->requests_count, &capacity, sizeof *world->requests);
        if (world->requests == NULL)
            return false;
        world->requests[world->requests_count++] = raw(json);
    }
    return json->event == FB_JSON_ARRAY_END;
}

static bool read_world(struct world *world, struct fb_span line)
{
    struct fb_json json;
    const struct {
        const char *name;
        struct fb_source **to;
    } texts[] = {{"policies", &world->policies},
                 {"schema", &world->schema_text},
                 {"links", &world->links},
                 {"entities", &world->entities_text}};
    fb_json_init(&json, line, &world->arena, (struct fb_json_limits){.depth = DEPTH, .bytes = SIZE_MAX, .keys = 65536});
    if (fb_json_next(&json) != FB_JSON_OBJECT)
        return false;
    while (fb_json_next(&json) == FB_JSON_KEY) {
        struct fb_span key = json.string;
        if (fb_json_next(&json) == FB_JSON_ERROR)
            return false;
        if (fb_span_is(key, "requests")) {
            if (json.event != FB_JSON_ARRAY || !read_requests(world, &json))
                return false;
            continue;
        }
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            if (fb_span_is(key, texts[i].name))
                *texts[i].to = source_of(world, texts[i].name, json.event == FB_JSON_STRING ? json.string : raw(&json));
        if (fb_span_is(key, "forms"))
            world->forms = json.event == FB_JSON_TRUE;
        else if (fb_span_is(key, "validate"))
            world->validate = json.event == FB_JSON_TRUE;
        else if (!fb_json_skip(&json))
            return false;
    }
    return fb_json_next(&json) == FB_JSON_END;
}

/* --- Loading it ----------------------------------------------------------------------------------- */

static void say(struct world *world, const char *member, bool good)
{
    fb_buffer_add_format(&world->out, "%s\"%s\":%s", world->out.len == 1 ? "" : ",", member, good ? "true" : "false");
}

static bool load_entities(struct world *world)
{
    const struct fb_schema *schema = world->schema;
    struct fb_value_hints hints;
    world->entities = fb_entity_set_new(&world->arena);
    if (schema != NULL)
        hints = fb_schema_hints(schema);
    if (world->entities_text != NULL
        && (!fb_entity_set_read_json(world->entities, world->entities_text, schema != NULL ? &hints : NULL,
                                     &world->diags)
            || (schema != NULL
                && !fb_conform_entities(schema, world->entities, world->entities_text, &world->arena, &world->diags))))
        return false;
    return (schema == NULL || fb_schema_add_actions(schema, world->entities))
           && fb_entity_set_close(world->entities, &world->diags);
}

static bool load(struct world *world)
{
    bool good = true;
    if (world->schema_text != NULL) {
        world->schema = fb_schema_read(&world->arena, world->schema_text, &world->diags);
        say(world, "schema", world->schema != NULL);
        good = world->schema != NULL;
    }
    if (world->policies != NULL) {
        bool read = fb_policy_set_read(&world->set, world->policies, &world->diags);
        say(world, "policies", read);
        if (read && world->links != NULL) {
            read = fb_links_read(&world->set, world->links, &world->diags);
            say(world, "links", read);
        }
        good = good && read;
    }
    if (world->schema_text == NULL || world->schema != NULL) {
        bool read = load_entities(world);
        say(world, "entities", read);
        good = good && read;
    }
    return good;
}

/* --- Answering ------------------------------------------------------------------------------------ */

static void say_ids(struct world *world, const uint32_t *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i != 0)
            fb_buffer_add_char(&world->out, ',');
        fb_buffer_add_json(&world->out, fb_program_id(world->program, list[i]));
    }
}

static void say_decision(struct world *world, const struct fb_decision *decision)
{
    bool forbidden = decision->forbids_count != 0;
    fb_buffer_add_format(&world->out, "{\"decision\":\"%s\",\"reason\":[", decision->allow ? "allow" : "deny");
    say_ids(world, forbidden ? decision->forbids : decision->permits,
            forbidden ? decision->forbids_count : decision->permits_count);
    fb_buffer_add_z(&world->out, "],\"errors\":[");
    for (uint32_t i = 0; i < decision->errors_count; i++) {
        if (i != 0)
            fb_buffer_add_char(&world->out, ',');
        say_ids(world, &decision->errors[i].policy, 1);
    }
    fb_buffer_add_z(&world->out, "]}");
}

static void answer(struct world *world, struct fb_span text)
{
    const struct fb_source *source = source_of(world, "request", text);
    struct fb_entities entities = fb_entity_set_source(world->entities);
    struct fb_request request = {.entities = &entities};
    struct fb_decision decision;
    bool fine = fb_request_read_json(source, world->schema, &world->arena, &world->diags, &request);
    if (fine && world->schema != NULL)
        fine = world->validate ? fb_request_conforms(world->schema, &request, source, &world->diags)
                               : fb_context_conforms(world->schema, &request, source, &world->diags);
    if (!fine)
        fb_buffer_add_z(&world->out, "{\"error\":\"request\"}");
    else if (fb_decide(world->program, &request, &world->arena, &decision) != FB_OK)
        fb_buffer_add_z(&world->out, "{\"error\":\"cannot\"}");
    else
        say_decision(world, &decision);
}

static void say_diags(struct world *world)
{
    fb_buffer_add_z(&world->out, ",\"diags\":[");
    for (size_t i = 0; i < world->diags.count; i++) {
        if (i != 0)
            fb_buffer_add_char(&world->out, ',');
        fb_buffer_add_json(&world->out, world->diags.list[i].message);
    }
    fb_buffer_add_char(&world->out, ']');
}

static void run(struct world *world, struct fb_span line)
{
    fb_diags_init(&world->diags, &world->arena);
    fb_policy_set_init(&world->set, &world->arena);
    fb_buffer_add_char(&world->out, '{');
    if (!read_world(world, line)) {
        fb_buffer_add_z(&world->out, "\"broken\":true}\n");
        return;
    }
    bool good = load(world);
    world->program = good && world->policies != NULL ? fb_program_new(&world->arena, &world->set, &world->diags) : NULL;
    if (good)
        say(world, "program", world->program != NULL);
    fb_buffer_add_z(&world->out, ",\"answers\":[");
    for (size_t i = 0; world->program != NULL && i < world->requests_count; i++) {
        if (i != 0)
            fb_buffer_add_char(&world->out, ',');
        answer(world, world->requests[i]);
    }
    fb_buffer_add_char(&world->out, ']');
    if (world->program != NULL && world->forms)
        driver_forms(world);
    if (world->diags.count != 0)
        say_diags(world);
    fb_buffer_add_z(&world->out, "}\n");
}

int main(void)
{
    static struct world world;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    fb_arena_init(&world.arena, &fb_heap, WORLD_CEILING);
    fb_buffer_init(&world.out, &fb_heap, LINE_MAX_BYTES);
    while ((length = getline(&line, &capacity, stdin)) > 0) {
        struct world next = {.arena = world.arena, .out = world.out};
        world = next;
        fb_buffer_clear(&world.out);
        run(&world, fb_span(line, (size_t)length));
        if (world.out.failed)
            return 1;
        fwrite(world.out.ptr, 1, world.out.len, stdout);
        fflush(stdout);
        fb_arena_clear(&world.arena);
    }
    free(line);
    fb_buffer_release(&world.out);
    fb_arena_release(&world.arena);
    return 0;
}
