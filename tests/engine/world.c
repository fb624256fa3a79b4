/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

static _Noreturn void give_up(const struct fb_diags *diags, const char *what, struct fb_span text)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, 1 << 20);
    if (diags != NULL)
        fb_diags_print(&out, diags, false);
    (void)fprintf(stderr, "%s: %.*s\n%.*s\n", what, (int)text.len, text.ptr, (int)out.len, out.ptr);
    fb_buffer_release(&out);
    exit(99);
}

static struct fb_source *source_of(struct world *world, struct fb_span text)
{
    struct fb_source *source = fb_arena_alloc(&world->arena, sizeof *source);
    *source = (struct fb_source){FB_SPAN("<test>"), fb_arena_copy(&world->arena, text)};
    return source;
}

void world_init(struct world *world)
{
    memset(world, 0, sizeof *world);
    fb_arena_init(&world->arena, &fb_heap, (size_t)1 << 30);
    fb_arena_init(&world->scratch, &fb_heap, (size_t)1 << 26);
}

void world_release(struct world *world)
{
    fb_arena_release(&world->arena);
    fb_arena_release(&world->scratch);
}

struct fb_span world_file(struct world *world, const char *name)
{
    const char *tests = getenv("FB_TESTS");
    char path[512];
    struct fb_buffer bytes;
    (void)snprintf(path, sizeof path, "%s/engine/cases/%s", tests != NULL ? tests : "tests", name);
    fb_buffer_init(&bytes, &fb_heap, 1 << 26);
    if (fb_buffer_read_file(&bytes, path) != 0)
        give_up(NULL, "cannot read", fb_span_z(path));
    struct fb_span text = fb_arena_copy(&world->arena, fb_buffer_span(&bytes));
    fb_buffer_release(&bytes);
    return text;
}

const struct fb_uid *world_uid(struct world *world, const char *text)
{
    const struct fb_uid *uid = fb_uid_parse(&world->arena, fb_span_z(text));
    if (uid == NULL)
        give_up(NULL, "not a uid", fb_span_z(text));
    return uid;
}

struct fb_value world_json(struct world *world, struct fb_span text)
{
    struct fb_json json;
    struct fb_value value;
    fb_json_init(&json, fb_arena_copy(&world->arena, text), &world->arena, FB_JSON_LIMITS);
    (void)fb_json_next(&json);
    if (!fb_value_read_json(&json, &world->arena, NULL, (struct fb_type_hint){.hint = FB_HINT_NONE}, &value))
        give_up(NULL, json.error != NULL ? json.error : "not a value", text);
    return value;
}

void world_entities(struct world *world, struct fb_span json, const struct fb_value_hints *hints)
{
    struct fb_diags diags;
    fb_diags_init(&diags, &world->arena);
    world->set = fb_entity_set_new(&world->arena);
    if (!fb_entity_set_read_json(world->set, source_of(world, json), hints, &diags)
        || !fb_entity_set_close(world->set, &diags))
        give_up(&diags, "entities", fb_span_head(json, 200));
    world->entities = fb_entity_set_source(world->set);
}

void world_read(struct world *world, const char *name)
{
    struct fb_json json;
    struct fb_span text = world_file(world, name);
    fb_json_init(&json, text, &world->arena, FB_JSON_LIMITS);
    (void)fb_json_next(&json);
    while (fb_json_next(&json) == FB_JSON_KEY) {
        bool entities = fb_span_is(json.string, "entities");
        (void)fb_json_next(&json);
        size_t start = json.range.start;
        if (!fb_json_skip(&json))
            break;
        struct fb_span part = fb_span_head(fb_span_from(text, start), json.range.end - start);
        if (entities)
            world_entities(world, part, NULL);
        else
            world->context = world_json(world, part);
    }
    if (json.error != NULL)
        give_up(NULL, json.error, fb_span_z(name));
    world->request = (struct fb_request){
        .principal = world_uid(world, "U::\"a\""), .action = world_uid(world, "Action::\"x\""),
        .resource = world_uid(world, "R::\"r\""), .context = world->context, .entities = &world->entities};
}

const struct fb_expr *world_expr(struct world *world, struct fb_span text, bool may_fail)
{
    struct fb_diags diags;
    fb_diags_init(&diags, &world->arena);
    const struct fb_expr *expr = fb_expr_read(&world->arena, source_of(world, text), &diags);
    if ((expr == NULL || diags.errors != 0) && !may_fail)
        give_up(&diags, "expression", text);
    return diags.errors == 0 ? expr : NULL;
}

struct fb_policy_set *world_policies(struct world *world, struct fb_span text)
{
    struct fb_diags diags;
    fb_diags_init(&diags, &world->arena);
    struct fb_policy_set *set = fb_arena_alloc(&world->arena, sizeof *set);
    fb_policy_set_init(set, &world->arena);
    if (!fb_policy_set_read(set, source_of(world, text), &diags))
        give_up(&diags, "policies", text);
    return set;
}

struct fb_program *world_program(struct world *world, const struct fb_policy_set *set)
{
    struct fb_diags diags;
    fb_diags_init(&diags, &world->arena);
    struct fb_program *program = fb_program_new(&world->arena, set, &diags);
    if (program == NULL)
        give_up(&diags, "program", FB_SPAN(""));
    return program;
}

bool world_line(struct fb_span *text, struct fb_span *line)
{
    if (text->len == 0)
        return false;
    size_t end = fb_span_find(*text, '\n');
    *line = fb_span_head(*text, end);
    *text = fb_span_from(*text, end < text->len ? end + 1 : end);
    return true;
}

struct fb_span world_word(struct fb_span *line)
{
    *line = fb_span_trim(*line);
    struct fb_span word = fb_span_head(*line, fb_span_find(*line, ' '));
    *line = fb_span_trim(fb_span_from(*line, word.len));
    return word;
}
