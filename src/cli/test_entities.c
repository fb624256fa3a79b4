/* SPDX-License-Identifier: Apache-2.0 */
/* The entities that tests of `forbid test` are given: a list in the file of tests, or a file beside it. */
#include "cli/test_reader.h"

#include "cli/yaml.h"

#define ENTITIES_BYTES_MAX ((size_t)64 << 20)

/* The file up to the end of a part of it, all before the part blanked: so places within are those of the file. */
static struct fb_source *part_of(struct fb_test_reader *r, size_t start, size_t end)
{
    struct fb_source *source = fb_arena_alloc(&r->tests->arena, sizeof *source);
    char *text = fb_arena_alloc(&r->tests->arena, end + 1);
    if (source == NULL || text == NULL)
        return NULL;
    const char *whole = r->file->source->text.ptr;
    for (size_t i = 0; i < end; i++)
        text[i] = i >= start || whole[i] == '\n' ? whole[i] : ' ';
    *source = (struct fb_source){.name = r->file->source->name, .text = fb_span(text, end)};
    return source;
}

/* The directory of a path, with its slash; empty for a name alone. */
static struct fb_span directory_of(struct fb_span path)
{
    while (path.len != 0 && path.ptr[path.len - 1] != '/')
        path.len--;
    return path;
}

/* Of the file that the last string names, beside the tests.  *yaml: what it was made of, or NULL. */
static const struct fb_source *entities_file(struct fb_test_reader *r, const struct fb_yaml **yaml)
{
    struct fb_tests *tests = r->tests;
    struct fb_span dir = directory_of(r->file->source->name), name = r->json.string;
    bool absolute = fb_span_starts(name, FB_SPAN("/"));
    struct fb_span path = absolute ? name : fb_arena_format(&tests->arena, "%.*s%.*s", (int)dir.len, dir.ptr,
                                                            (int)name.len, name.ptr);
    int error;
    const struct fb_source *source = fb_test_source(tests, path, ENTITIES_BYTES_MAX, &error);
    if (source == NULL)
        fb_test_fault(r, "test.entities", r->json.range, "%.*s: %s", (int)path.len, path.ptr, strerror(error));
    const char **grown = fb_arena_grow(&tests->arena, tests->outside, tests->outside_count, &tests->outside_capacity,
                                       sizeof *grown);
    if (grown != NULL) {
        tests->outside = grown;
        dir = directory_of(path);
        tests->outside[tests->outside_count++] = fb_arena_text(&tests->arena, dir.len != 0 ? dir : FB_SPAN("."));
    }
    if (source == NULL || !fb_yaml_is(path))
        return source;
    *yaml = fb_yaml_read(&tests->arena, source, &tests->diags);
    return *yaml != NULL ? &(*yaml)->json : NULL;
}

/* A fault within a part stands at the same place of the file; one about no place, where the part begins. */
static void place_in_file(struct fb_diag *diag, const struct fb_source *part, const struct fb_source *file,
                          struct fb_range start)
{
    if (diag->source == NULL)
        diag->range = start;
    if (diag->source == NULL || diag->source == part)
        diag->source = file;
    if (diag->other == part)
        diag->other = file;
}

bool fb_test_read_entities(struct fb_test_reader *r, void *into)
{
    struct fb_test_given *given = into;
    struct fb_tests *tests = r->tests;
    const struct fb_source *source;
    const struct fb_yaml *yaml = NULL;
    enum fb_json_event event = fb_json_next(&r->json);
    const struct fb_range range = r->json.range;
    given->stores = true;
    if (event == FB_JSON_STRING) {
        source = entities_file(r, &yaml);
    } else if (event == FB_JSON_ARRAY) {
        if (!fb_json_skip(&r->json))
            return false;
        source = part_of(r, range.start, r->json.at);
    } else {
        return fb_test_wrong(r, "a list of entities as in entities.json, or the name of a file of them");
    }
    if (source == NULL)
        return true;
    size_t before = tests->diags.count;
    struct fb_entity_set *set = fb_entity_set_new(&tests->arena);
    const struct fb_value_hints hints = fb_schema_hints(tests->schema);
    bool fine = set != NULL && fb_entity_set_read_json(set, source, &hints, &tests->diags)
                && fb_conform_entities(tests->schema, set, source, &tests->arena, &tests->diags)
                && fb_entity_set_close(set, &tests->diags);
    for (size_t i = before; event == FB_JSON_ARRAY && i < tests->diags.count; i++)
        place_in_file(&tests->diags.list[i], source, r->file->source, range);
    if (yaml != NULL)
        fb_yaml_place(yaml, &tests->diags, before);
    given->entities = fine ? set : NULL;
    return true;
}
