/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid format`: policies in the usual layout. */
#include "cli/inputs.h"

#define WIDTH_MAX 10000u
#define INDENT_MAX 64u

struct options {
    struct fb_inputs_options inputs;
    uint64_t width, indent;
    bool write, check;
};

static const char help[] =
    "Lays policies out in the usual way, comments kept, and prints them:\n"
    "\n"
    "  forbid format -p policies.cedar            to standard output\n"
    "  forbid format -p policies.cedar --write    into the file\n"
    "  forbid format -p policies.cedar --check    only: is it formatted already?\n"
    "\n"
    "Exit status: 0 done (with --check: formatted), 1 failed (with --check: or not formatted).\n";

static int run(struct fb_cli *cli, struct fb_inputs *inputs, const struct options *options)
{
    const char *path = options->inputs.policies;
    const struct fb_source *source = fb_inputs_source(inputs, path, FB_CEDAR_TEXT_MAX);
    if (source == NULL)
        return FB_EXIT_FAILED;
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 30);
    const struct fb_format_options how = {.width = (uint32_t)options->width, .indent = (uint32_t)options->indent};
    bool good = fb_format_policies(&out, source, &how, &inputs->diags);
    bool same = good && fb_span_eq(fb_buffer_span(&out), source->text);
    int status = good ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (good && options->check && !same) {
        status = FB_EXIT_FAILED;
        fprintf(cli->err, "forbid: %.*s is not formatted\n", (int)source->name.len, source->name.ptr);
    } else if (good && options->write && !same) {
        status = fb_inputs_write(inputs, path, fb_buffer_span(&out)) ? FB_EXIT_OK : FB_EXIT_FAILED;
    } else if (good && !options->check && !options->write) {
        fb_cli_write(cli, &out);
    }
    fb_buffer_release(&out);
    return status;
}

int fb_cmd_format(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.width = FB_FORMAT_OPTIONS.width, .indent = FB_FORMAT_OPTIONS.indent};
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 'p', "policies", "FILE", "what to format (standard input if not given)",
         &options.inputs.policies},
        {FB_OPTION_NUMBER, 'l', "line-width", "N", "columns of a line (80)", &options.width},
        {FB_OPTION_NUMBER, 'i', "indent-width", "N", "spaces of a level (2)", &options.indent},
        {FB_OPTION_FLAG, 'w', "write", NULL, "write the file anew", &options.write},
        {FB_OPTION_FLAG, 'c', "check", NULL, "print nothing; say whether it is formatted", &options.check},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of errors: human, plain or json", &options.inputs.error_format},
    };
    const struct fb_usage usage = {
        .verb = "format",
        .synopsis = "forbid format [-p FILE] [-w | -c] [-l N] [-i N]",
        .text = help,
        .options = rows,
        .options_count = sizeof rows / sizeof rows[0],
    };
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (options.write && options.check)
        return fb_cli_fail(cli, "format: give either --write or --check");
    if (options.write && (options.inputs.policies == NULL || strcmp(options.inputs.policies, "-") == 0))
        return fb_cli_fail(cli, "format: --write needs a file: give -p FILE");
    if (options.width > WIDTH_MAX || options.indent > INDENT_MAX)
        return fb_cli_fail(cli, "format: lines have at most %u columns, levels at most %u", WIDTH_MAX, INDENT_MAX);
    struct fb_inputs inputs;
    int status = FB_EXIT_FAILED;
    if (fb_inputs_init(&inputs, cli, &options.inputs)) {
        status = run(cli, &inputs, &options);
        fb_inputs_report(cli, &inputs);
    }
    fb_inputs_release(&inputs);
    return status;
}
