/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid check-parse`: does it parse?  Policies, an expression, a schema, entities, each if it is given. */
#include "cli/inputs.h"

static const char help[] =
    "Says what is wrong with the syntax of policies, an expression, a schema, entities; nothing if they\n"
    "are fine:\n"
    "\n"
    "  forbid check-parse -p policies.cedar -s schema.cedarschema --entities entities.json\n"
    "  forbid check-parse --expression 'principal.age > 18'\n"
    "\n"
    "Without any of them policies are read from standard input.\n"
    "\n"
    "Exit status: 0 all of it parses, 1 something does not.\n";

static bool check_expression(struct fb_inputs *inputs, const char *expression)
{
    struct fb_source *source = fb_arena_alloc(&inputs->arena, sizeof *source);
    if (source == NULL)
        return fb_inputs_fault(inputs, "input.memory", "out of memory");
    *source = (struct fb_source){.name = FB_SPAN("<expression>"), .text = fb_span_z(expression)};
    return fb_expr_read(&inputs->arena, source, &inputs->diags) != NULL;
}

static bool run(struct fb_inputs *inputs, const struct fb_inputs_options *options, const char *expression)
{
    bool nothing = options->policies == NULL && options->schema == NULL && options->entities == NULL
                   && expression == NULL;
    bool good = true, schema = fb_inputs_schema(inputs, options);
    if (nothing || options->policies != NULL)
        good = fb_inputs_policy_set(inputs, options);
    if (expression != NULL)
        good = check_expression(inputs, expression) && good;
    if (schema && options->entities != NULL)
        good = fb_inputs_entities(inputs, options->entities) && good;
    return good && schema;
}

int fb_cmd_check_parse(struct fb_cli *cli, int argc, char **argv)
{
    struct fb_inputs_options options = {.policies = NULL};
    const char *expression = NULL;
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 'p', "policies", "FILE", "policies and templates", &options.policies},
        {FB_OPTION_TEXT, 0, "policy-format", "FORM", "their form: cedar (default) or json", &options.policy_format},
        {FB_OPTION_TEXT, 'k', "template-linked", "FILE", "template links, as JSON", &options.links},
        {FB_OPTION_TEXT, 0, "expression", "TEXT", "one expression", &expression},
        {FB_OPTION_TEXT, 's', "schema", "FILE", "schema", &options.schema},
        {FB_OPTION_TEXT, 0, "schema-format", "FORM", "its form: cedar (default) or json", &options.schema_format},
        {FB_OPTION_TEXT, 0, "entities", "FILE", "entities, as JSON", &options.entities},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of errors: human, plain or json", &options.error_format},
    };
    const struct fb_usage usage = {
        .verb = "check-parse",
        .synopsis = "forbid check-parse [-p FILE] [--expression TEXT] [-s FILE] [--entities FILE]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
    };
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    struct fb_inputs inputs;
    bool good = false;
    if (fb_inputs_init(&inputs, cli, &options)) {
        good = run(&inputs, &options, expression);
        fb_inputs_report(cli, &inputs);
    }
    fb_inputs_release(&inputs);
    return good ? FB_EXIT_OK : FB_EXIT_FAILED;
}
