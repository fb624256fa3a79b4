/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid visualize`: entities and what they are in, as a graph for graphviz. */
#include "cli/inputs.h"

#include <stdlib.h>

static const char help[] =
    "Prints the hierarchy of entities as a graph: a box a type, an arrow from each entity to its parents.\n"
    "\n"
    "  forbid visualize --entities entities.json | dot -Tsvg > entities.svg\n"
    "\n"
    "Exit status: 0 done, 1 failed.\n";

/* As a string of the graph's language: only quotes and backslashes mean something there. */
static void add_quoted(struct fb_buffer *out, struct fb_span text)
{
    fb_buffer_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            fb_buffer_add_char(out, '\\');
        fb_buffer_add_char(out, text.ptr[i]);
    }
    fb_buffer_add_char(out, '"');
}

static void add_uid(struct fb_buffer *out, const struct fb_uid *uid)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, (size_t)1 << 20);
    fb_uid_print(&text, uid);
    out->failed |= text.failed;
    add_quoted(out, fb_buffer_span(&text));
    fb_buffer_release(&text);
}

/* By type, then by id. */
static int compare(const void *a, const void *b)
{
    const struct fb_entity *one = a, *other = b;
    int order = fb_span_cmp(fb_uid_type(one->uid), fb_uid_type(other->uid));
    return order != 0 ? order : fb_span_cmp(fb_uid_id(one->uid), fb_uid_id(other->uid));
}

static void add_boxes(struct fb_buffer *out, const struct fb_entity *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fb_span type = fb_uid_type(list[i].uid);
        bool first = i == 0 || !fb_span_eq(type, fb_uid_type(list[i - 1].uid));
        bool last = i + 1 == count || !fb_span_eq(type, fb_uid_type(list[i + 1].uid));
        if (first)
            fb_buffer_add_format(out, "  subgraph \"cluster_%.*s\" {\n    label=\"%.*s\"\n", (int)type.len, type.ptr,
                                 (int)type.len, type.ptr);
        fb_buffer_add_z(out, "    ");
        add_uid(out, list[i].uid);
        fb_buffer_add_z(out, " [label=");
        add_quoted(out, fb_uid_id(list[i].uid));
        fb_buffer_add_z(out, last ? "]\n  }\n" : "]\n");
    }
}

static void add_arrows(struct fb_buffer *out, const struct fb_entity *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < list[i].parents.count; j++) {
            fb_buffer_add_z(out, "  ");
            add_uid(out, list[i].uid);
            fb_buffer_add_z(out, " -> ");
            add_uid(out, fb_ref_uid(&list[i].parents.refs[j]));
            fb_buffer_add_char(out, '\n');
        }
}

static bool run(struct fb_cli *cli, struct fb_inputs *inputs, const char *path)
{
    if (!fb_inputs_entities(inputs, path))
        return false;
    size_t count = fb_entity_set_count(inputs->entities);
    struct fb_entity *list = fb_arena_array(&inputs->arena, count, sizeof *list);
    if (list == NULL)
        return fb_inputs_fault(inputs, "input.memory", "out of memory");
    for (size_t i = 0; i < count; i++)
        fb_entity_set_at(inputs->entities, i, &list[i]);
    qsort(list, count, sizeof *list, compare);
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 30);
    fb_buffer_add_z(&out, "strict digraph {\n  ordering=\"out\"\n  node [shape=box]\n");
    add_boxes(&out, list, count);
    add_arrows(&out, list, count);
    fb_buffer_add_z(&out, "}\n");
    bool whole = !out.failed || fb_inputs_fault(inputs, "input.memory", "out of memory");
    if (whole)
        fb_cli_write(cli, &out);
    fb_buffer_release(&out);
    return whole;
}

int fb_cmd_visualize(struct fb_cli *cli, int argc, char **argv)
{
    struct fb_inputs_options options = {.policies = NULL};
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 0, "entities", "FILE", "entities, as JSON", &options.entities},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of errors: human, plain or json", &options.error_format},
    };
    const struct fb_usage usage = {
        .verb = "visualize",
        .synopsis = "forbid visualize --entities FILE",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
    };
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (options.entities == NULL)
        return fb_cli_fail(cli, "visualize: --entities is missing");
    struct fb_inputs inputs;
    bool good = false;
    if (fb_inputs_init(&inputs, cli, &options)) {
        good = run(cli, &inputs, options.entities);
        fb_inputs_report(cli, &inputs);
    }
    fb_inputs_release(&inputs);
    return good ? FB_EXIT_OK : FB_EXIT_FAILED;
}
