/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid language-version`: the version of Cedar that policies are read as. */
#include "cli/cli.h"

static const char help[] =
    "Prints the version of the Cedar language:\n"
    "\n"
    "  $ forbid language-version\n"
    "  Cedar language version: 4.5\n";

int fb_cmd_language_version(struct fb_cli *cli, int argc, char **argv)
{
    const char *error_format = NULL;    /* taken as by every command of Cedar's; nothing here can be at fault */
    bool json;
    const struct fb_option rows[] = {
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of errors: human, plain or json", &error_format},
    };
    const struct fb_usage usage = {.verb = "language-version",
                                   .synopsis = "forbid language-version",
                                   .text = help,
                                   .options = rows,
                                   .options_count = 1};
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (!fb_cli_error_format(cli, error_format, &json))
        return FB_EXIT_FAILED;
    fputs("Cedar language version: 4.5\n", cli->out);
    return FB_EXIT_OK;
}
