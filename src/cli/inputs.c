/* SPDX-License-Identifier: Apache-2.0 */
/* The files that the commands of Cedar's own tool read, loaded in their order: schema, policies, links,
 * entities.  A later one is read where an earlier one was at fault, so that one run shows
 * as much as it can. */
#include "cli/inputs.h"

#include <errno.h>

#define MEMORY_CEILING ((size_t)4 << 30)
#define ENTITIES_BYTES_MAX ((size_t)256 << 20)
#define LINKS_BYTES_MAX ((size_t)256 << 20)

void fb_inputs_options(struct fb_inputs_options *options, struct fb_option rows[FB_INPUTS_OPTIONS_COUNT])
{
    const struct fb_option all[FB_INPUTS_OPTIONS_COUNT] = {
        {FB_OPTION_TEXT, 'p', "policies", "FILE", "policies and templates (standard input if not given)",
         &options->policies},
        {FB_OPTION_TEXT, 0, "policy-format", "FORM", "their form: cedar (default) or json", &options->policy_format},
        {FB_OPTION_TEXT, 'k', "template-linked", "FILE", "template links, as JSON", &options->links},
        {FB_OPTION_TEXT, 's', "schema", "FILE", "schema", &options->schema},
        {FB_OPTION_TEXT, 0, "schema-format", "FORM", "its form: cedar (default) or json", &options->schema_format},
        {FB_OPTION_TEXT, 0, "entities", "FILE", "entities, as JSON", &options->entities},
        {FB_OPTION_TEXT, 0, "policy-ids", "WAY", "annotation: policies are named by @id (default); position",
         &options->policy_ids},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of errors: human, plain or json", &options->error_format},
    };
    memcpy(rows, all, sizeof all);
}

static bool is_format(struct fb_cli *cli, const char *option, const char *format)
{
    if (format == NULL || strcmp(format, "cedar") == 0 || strcmp(format, "json") == 0)
        return true;
    fb_cli_fail(cli, "--%s is 'cedar' or 'json', not '%s'", option, format);
    return false;
}

bool fb_inputs_init(struct fb_inputs *inputs, struct fb_cli *cli, const struct fb_inputs_options *options)
{
    *inputs = (struct fb_inputs){.json = false};
    fb_arena_init(&inputs->arena, &fb_heap, MEMORY_CEILING);
    fb_diags_init(&inputs->diags, &inputs->arena);
    fb_policy_set_init(&inputs->set, &inputs->arena);
    if (!fb_cli_error_format(cli, options->error_format, &inputs->json))
        return false;
    const char *ids = options->policy_ids;
    if (ids != NULL && strcmp(ids, "annotation") != 0 && strcmp(ids, "position") != 0) {
        fb_cli_fail(cli, "--policy-ids is 'annotation' or 'position', not '%s'", ids);
        return false;
    }
    return is_format(cli, "policy-format", options->policy_format)
           && is_format(cli, "schema-format", options->schema_format);
}

void fb_inputs_release(struct fb_inputs *inputs)
{
    fb_arena_release(&inputs->arena);
}

bool fb_inputs_fault(struct fb_inputs *inputs, const char *code, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fb_diag_add(&inputs->diags, FB_ERROR, code, NULL, (struct fb_range){0, 0}, "%s", text);
    return false;
}

const struct fb_source *fb_inputs_source(struct fb_inputs *inputs, const char *path, size_t limit)
{
    bool is_stdin = path == NULL || strcmp(path, "-") == 0;
    struct fb_buffer bytes;
    fb_buffer_init(&bytes, &fb_heap, limit);
    int error = fb_buffer_read_file(&bytes, is_stdin ? "-" : path);
    struct fb_source *source = NULL;
    if (error == EFBIG)
        fb_inputs_fault(inputs, "input.too_large", "%s: larger than the limit of %zu MiB; split it into several",
                        is_stdin ? "<stdin>" : path, limit >> 20);
    else if (error != 0)
        fb_inputs_fault(inputs, "input.unreadable", "%s: %s", is_stdin ? "<stdin>" : path, strerror(error));
    else
        source = fb_arena_alloc(&inputs->arena, sizeof *source);
    if (source != NULL)
        *source = (struct fb_source){.name = is_stdin ? FB_SPAN("<stdin>") : fb_span_z(path),
                                     .text = fb_arena_copy(&inputs->arena, fb_buffer_span(&bytes))};
    fb_buffer_release(&bytes);
    if (inputs->arena.failed) {
        fb_inputs_fault(inputs, "input.memory", "out of memory");
        return NULL;
    }
    if (error == EISDIR && inputs->diags.count != 0)
        inputs->diags.list[inputs->diags.count - 1].hint =
            FB_SPAN("a file is read here; `check`, `why`, `test` and `list` take a policy directory");
    return source;
}

void fb_inputs_hint_form(struct fb_inputs *inputs, const struct fb_source *source, bool as_json, size_t first)
{
    struct fb_span text = source->text;
    while (text.len != 0 && strchr(" \t\r\n", text.ptr[0]) != NULL)
        text = fb_span_from(text, 1);
    bool is_json = text.len != 0 && (text.ptr[0] == '{' || text.ptr[0] == '[');
    if (text.len == 0 || is_json == as_json || inputs->diags.count <= first || inputs->diags.list[first].hint.len != 0)
        return;
    inputs->diags.list[first].hint = is_json ? FB_SPAN("this looks like JSON, and is read as the Cedar syntax")
                                             : FB_SPAN("this does not look like JSON, and is read as JSON");
}

bool fb_inputs_schema(struct fb_inputs *inputs, const struct fb_inputs_options *options)
{
    if (options->schema == NULL)
        return true;
    const struct fb_source *source = fb_inputs_source(inputs, options->schema, FB_CEDAR_TEXT_MAX);
    if (source == NULL)
        return false;
    bool json = fb_format_is_json(options->schema_format);
    size_t first = inputs->diags.count;
    inputs->schema = json ? fb_schema_read_json(&inputs->arena, source, &inputs->diags)
                          : fb_schema_read(&inputs->arena, source, &inputs->diags);
    if (inputs->schema == NULL) {
        fb_inputs_hint_form(inputs, source, json, first);
        return false;
    }
    inputs->hints = fb_schema_hints(inputs->schema);
    return true;
}

const struct fb_source *fb_inputs_policies(struct fb_inputs *inputs, const struct fb_inputs_options *options)
{
    const struct fb_source *source = fb_inputs_source(inputs, options->policies, FB_CEDAR_TEXT_MAX);
    if (source == NULL)
        return NULL;
    bool json = fb_format_is_json(options->policy_format);
    size_t first = inputs->diags.count;
    bool read = json ? fb_policy_set_read_json(&inputs->set, source, &inputs->diags)
                     : fb_policy_set_read(&inputs->set, source, &inputs->diags);
    if (!read)
        fb_inputs_hint_form(inputs, source, json, first);
    return read ? source : NULL;
}

bool fb_inputs_policy_set(struct fb_inputs *inputs, const struct fb_inputs_options *options)
{
    if (fb_inputs_policies(inputs, options) == NULL)
        return false;
    bool by_position = options->policy_ids != NULL && strcmp(options->policy_ids, "position") == 0;
    if (!by_position && !fb_policy_set_rename(&inputs->set, &inputs->diags))
        return false;
    if (options->links == NULL)
        return true;
    const struct fb_source *links = fb_inputs_source(inputs, options->links, LINKS_BYTES_MAX);
    return links != NULL && fb_links_read(&inputs->set, links, &inputs->diags);
}

bool fb_inputs_entities_of(struct fb_inputs *inputs, const struct fb_source *source, const char *file)
{
    inputs->entities = fb_entity_set_new(&inputs->arena);
    if (inputs->entities == NULL)
        return fb_inputs_fault(inputs, "input.memory", "out of memory");
    if (source != NULL) {
        const struct fb_value_hints *hints = inputs->schema != NULL ? &inputs->hints : NULL;
        if (!fb_entity_set_read_json(inputs->entities, source, hints, &inputs->diags))
            return false;
        if (inputs->schema != NULL
            && !fb_conform_entities(inputs->schema, inputs->entities, source, &inputs->arena, &inputs->diags))
            return false;
    }
    return fb_inputs_add_actions(inputs, file);
}

bool fb_inputs_entities(struct fb_inputs *inputs, const char *path)
{
    const struct fb_source *source = path != NULL ? fb_inputs_source(inputs, path, ENTITIES_BYTES_MAX) : NULL;
    return (path == NULL || source != NULL) && fb_inputs_entities_of(inputs, source, path);
}

bool fb_inputs_load(struct fb_inputs *inputs, const struct fb_inputs_options *options)
{
    bool schema = fb_inputs_schema(inputs, options);
    bool policies = fb_inputs_policy_set(inputs, options);
    /* Entities mean something else under a schema, so without it their faults would mislead. */
    bool entities = schema && fb_inputs_entities(inputs, options->entities);
    if (inputs->arena.failed && inputs->diags.errors == 0)
        fb_inputs_fault(inputs, "input.memory", "out of memory");
    return schema && policies && entities && inputs->diags.errors == 0;
}

void fb_inputs_report(struct fb_cli *cli, const struct fb_inputs *inputs)
{
    if (inputs->diags.count != 0)
        fb_cli_diags(cli, &inputs->diags, inputs->json);
}
