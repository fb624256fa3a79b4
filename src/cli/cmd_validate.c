/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid validate`: policies held against a schema, as the official command does it.  A policy
 * directory is validate_directory.c's. */
#include "cli/inputs.h"
#include "cli/validate.h"

struct options {
    struct fb_inputs_options inputs;
    const char *mode;
    uint64_t level;
    bool deny_warnings, sarif;
};

static const char help[] =
    "Holds policies against a schema: types, attributes, actions, tags, and what can never apply.\n"
    "\n"
    "  forbid validate -p policies.cedar -s schema.cedarschema\n"
    "\n"
    "  forbid validate policies              a policy directory, with its routes, annotations, entities\n"
    "\n"
    "In strict mode (the default) what passes cannot fail for a type at run time; permissive mode\n"
    "also lets through mixed sets and comparisons of different types.  --level N refuses policies that\n"
    "reach over more than N entities from principal, action, resource or context.\n"
    "\n"
    "Exit status: 0 valid, 3 not valid (of a directory: whatever is at fault), 1 failed (something is\n"
    "unreadable or does not parse).\n";

static enum fb_parsed parse(struct fb_cli *cli, struct options *options, int argc, char **argv, struct fb_words *words)
{
    struct fb_inputs_options *inputs = &options->inputs;
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 's', "schema", "FILE", "the schema", &inputs->schema},
        {FB_OPTION_TEXT, 0, "schema-format", "FORM", "its form", &inputs->schema_format},
        {FB_OPTION_TEXT, 'p', "policies", "FILE", "policies and templates (standard input if not given)",
         &inputs->policies},
        {FB_OPTION_TEXT, 0, "policy-format", "FORM", "their form: cedar (default) or json", &inputs->policy_format},
        {FB_OPTION_TEXT, 'k', "template-linked", "FILE", "template links, as JSON", &inputs->links},
        {FB_OPTION_TEXT, 0, "validation-mode", "MODE", "strict (default) or permissive", &options->mode},
        {FB_OPTION_NUMBER, 0, "level", "N", "how many entities away from the request policies may look",
         &options->level},
        {FB_OPTION_FLAG, 0, "deny-warnings", NULL, "warnings make the policies not valid", &options->deny_warnings},
        {FB_OPTION_FLAG, 0, "sarif", NULL, "the findings as a SARIF 2.1.0 log on standard output", &options->sarif},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of findings: human, plain or json", &inputs->error_format},
    };
    const struct fb_usage usage = {
        .verb = "validate",
        .synopsis = "forbid validate DIR [options]\n       forbid validate -s FILE [-p FILE] [options]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
        .words_max = 1,
    };
    return fb_options_parse(cli, &usage, argc, argv, words);
}

static bool read_options(struct fb_cli *cli, const struct options *options, const char *dir,
                         struct fb_validate_options *validate)
{
    bool permissive = options->mode != NULL && strcmp(options->mode, "permissive") == 0;
    const struct fb_inputs_options *inputs = &options->inputs;
    bool files = inputs->schema != NULL || inputs->policies != NULL || inputs->links != NULL
                 || inputs->policy_format != NULL || inputs->schema_format != NULL;
    if (dir != NULL && files)
        return fb_cli_wrong(cli, "validate", "a policy directory has its schema and policies; name it, or files, not both");
    if (dir == NULL && inputs->schema == NULL)
        return fb_cli_wrong(cli, "validate", "-s, --schema is missing (or name a policy directory)");
    if (options->mode != NULL && !permissive && strcmp(options->mode, "strict") != 0) {
        fb_cli_wrong(cli, "validate", "--validation-mode is 'strict' or 'permissive', not '%s'", options->mode);
        return false;
    }
    bool level = options->level != UINT64_MAX;
    if (level && options->level >= UINT32_MAX) {
        fb_cli_wrong(cli, "validate", "--level is too large");
        return false;
    }
    *validate = (struct fb_validate_options){.mode = permissive ? FB_VALIDATE_PERMISSIVE : FB_VALIDATE_STRICT,
                                             .check_level = level,
                                             .level = level ? (uint32_t)options->level : 0};
    return true;
}

static int run(struct fb_inputs *inputs, const struct options *options, const struct fb_validate_options *validate)
{
    if (!fb_inputs_load(inputs, &options->inputs))
        return FB_EXIT_FAILED;
    struct fb_arena scratch;
    fb_arena_init(&scratch, &fb_heap, (size_t)4 << 30);
    bool valid = fb_validate(&inputs->set, inputs->schema, validate, &scratch, &inputs->diags);
    bool whole = !scratch.failed;
    fb_arena_release(&scratch);
    if (!whole)
        return FB_EXIT_FAILED;
    return fb_cli_verdict(&inputs->diags, valid, options->deny_warnings);
}

int fb_cmd_validate(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.level = UINT64_MAX};
    struct fb_validate_options validate;
    struct fb_words words;
    enum fb_parsed parsed = parse(cli, &options, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    const char *dir = words.count != 0 ? words.list[0] : NULL;
    struct fb_report_options report = {.sarif = options.sarif, .deny_warnings = options.deny_warnings};
    if (!read_options(cli, &options, dir, &validate)
        || !fb_cli_error_format(cli, options.inputs.error_format, &report.json))
        return FB_EXIT_FAILED;
    if (dir != NULL)
        return fb_cli_validate_directory(cli, dir, &validate, &report);
    struct fb_inputs inputs;
    int status = FB_EXIT_FAILED;
    if (fb_inputs_init(&inputs, cli, &options.inputs)) {
        status = run(&inputs, &options, &validate);
        fb_cli_findings(cli, &inputs.diags, options.inputs.policies != NULL ? options.inputs.policies : "stdin", status,
                        &report);
    }
    fb_inputs_release(&inputs);
    return status;
}
