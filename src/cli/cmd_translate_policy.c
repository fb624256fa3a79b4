/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid translate-policy`: policies from the Cedar syntax to JSON and back. */
#include "cli/inputs.h"

static const char help[] =
    "Translates policies to JSON or back, without loss of meaning (comments are lost):\n"
    "\n"
    "  forbid translate-policy --direction cedar-to-json -p policies.cedar\n"
    "  forbid translate-policy --direction json-to-cedar -p policies.json\n"
    "\n"
    "The JSON is a policy set, or when reading also a single policy.  A set with template links\n"
    "has no text in the Cedar syntax.\n"
    "\n"
    "Exit status: 0 done, 1 failed.\n";

static void print_text(struct fb_buffer *out, const struct fb_policy_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        fb_buffer_add_z(out, i > 0 ? "\n" : "");
        fb_policy_print(out, set->policies[i]);
        fb_buffer_add_char(out, '\n');
    }
}

static bool run(struct fb_cli *cli, struct fb_inputs *inputs, const struct fb_inputs_options *options)
{
    if (fb_inputs_policies(inputs, options) == NULL)
        return false;
    bool from_json = fb_format_is_json(options->policy_format);
    if (from_json && inputs->set.links_count != 0)
        return fb_inputs_fault(inputs, "translate.links", "template links cannot be written in the Cedar syntax");
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 30);
    if (from_json) {
        print_text(&out, &inputs->set);
    } else {
        fb_policy_set_write_json(&out, &inputs->set);
        fb_buffer_add_char(&out, '\n');
    }
    bool whole = !out.failed || fb_inputs_fault(inputs, "input.memory", "out of memory");
    if (whole)
        fb_cli_write(cli, &out);
    fb_buffer_release(&out);
    return whole;
}

int fb_cmd_translate_policy(struct fb_cli *cli, int argc, char **argv)
{
    struct fb_inputs_options options = {.policies = NULL};
    const char *direction = NULL;
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 0, "direction", "WAY", "cedar-to-json or json-to-cedar", &direction},
        {FB_OPTION_TEXT, 'p', "policies", "FILE", "what to translate (standard input if not given)", &options.policies},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of errors: human, plain or json", &options.error_format},
    };
    const struct fb_usage usage = {
        .verb = "translate-policy",
        .synopsis = "forbid translate-policy --direction WAY [-p FILE]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
    };
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    bool to_json = direction != NULL && strcmp(direction, "cedar-to-json") == 0;
    if (direction == NULL || (!to_json && strcmp(direction, "json-to-cedar") != 0))
        return fb_cli_fail(cli, "translate-policy: --direction is 'cedar-to-json' or 'json-to-cedar'");
    options.policy_format = to_json ? "cedar" : "json";
    struct fb_inputs inputs;
    bool good = false;
    if (fb_inputs_init(&inputs, cli, &options)) {
        good = run(cli, &inputs, &options);
        fb_inputs_report(cli, &inputs);
    }
    fb_inputs_release(&inputs);
    return good ? FB_EXIT_OK : FB_EXIT_FAILED;
}
