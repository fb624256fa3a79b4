/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid translate-schema`: a schema from the Cedar syntax to JSON and back. */
#include "cli/inputs.h"

static const char help[] =
    "Translates a schema to JSON or back, without loss of meaning (comments are lost):\n"
    "\n"
    "  forbid translate-schema --direction cedar-to-json -s schema.cedarschema\n"
    "  forbid translate-schema --direction json-to-cedar -s schema.json\n"
    "\n"
    "cedar-to-json writes names as they stand; cedar-to-json-with-resolved-types writes what they\n"
    "mean: full names, and whether each is an entity type or a common type.\n"
    "\n"
    "What is given may be a part of a schema: a name that is not declared in it is kept as it stands.\n"
    "Only what names mean cannot be said then.  `forbid check-parse -s` looks at a whole schema.\n"
    "\n"
    "Exit status: 0 done, 1 failed.\n";

static bool run(struct fb_cli *cli, struct fb_inputs *inputs, const char *path, enum fb_schema_form form)
{
    const struct fb_source *source = fb_inputs_source(inputs, path, FB_CEDAR_TEXT_MAX);
    if (source == NULL)
        return false;
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 30);
    bool good = fb_schema_translate_fragment(&out, &inputs->arena, source, form, &inputs->diags);
    if (!good)
        fb_inputs_hint_form(inputs, source, form == FB_SCHEMA_TEXT, 0);
    if (form != FB_SCHEMA_TEXT)
        fb_buffer_add_char(&out, '\n');
    if (good && out.failed)
        good = fb_inputs_fault(inputs, "input.memory", "out of memory");
    if (good)
        fb_cli_write(cli, &out);
    fb_buffer_release(&out);
    return good;
}

int fb_cmd_translate_schema(struct fb_cli *cli, int argc, char **argv)
{
    static const char *const ways[] = {[FB_SCHEMA_JSON] = "cedar-to-json",
                                       [FB_SCHEMA_JSON_RESOLVED] = "cedar-to-json-with-resolved-types",
                                       [FB_SCHEMA_TEXT] = "json-to-cedar"};
    struct fb_inputs_options options = {.policies = NULL};
    const char *direction = NULL;
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 0, "direction", "WAY", "cedar-to-json, cedar-to-json-with-resolved-types or json-to-cedar",
         &direction},
        {FB_OPTION_TEXT, 's', "schema", "FILE", "what to translate (standard input if not given)", &options.schema},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of errors: human, plain or json", &options.error_format},
    };
    const struct fb_usage usage = {
        .verb = "translate-schema",
        .synopsis = "forbid translate-schema --direction WAY [-s FILE]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
    };
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    unsigned form = FB_SCHEMA_JSON;
    while (form <= FB_SCHEMA_TEXT && (direction == NULL || strcmp(direction, ways[form]) != 0))
        form++;
    if (form > FB_SCHEMA_TEXT)
        return fb_cli_fail(cli, "translate-schema: --direction is 'cedar-to-json', "
                                "'cedar-to-json-with-resolved-types' or 'json-to-cedar'");
    struct fb_inputs inputs;
    bool good = false;
    if (fb_inputs_init(&inputs, cli, &options)) {
        good = run(cli, &inputs, options.schema, (enum fb_schema_form)form);
        fb_inputs_report(cli, &inputs);
    }
    fb_inputs_release(&inputs);
    return good ? FB_EXIT_OK : FB_EXIT_FAILED;
}
