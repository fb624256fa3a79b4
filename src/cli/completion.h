/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_COMPLETION_H
#define FB_CLI_COMPLETION_H

#include "cli/cli.h"

/* The scripts of `forbid completion`: one file a shell.  Each prints to cli->out what the tables of options
 * say. */
void fb_completion_zsh(struct fb_cli *cli);
void fb_completion_fish(struct fb_cli *cli);

/* What stands for an option's value. */
enum fb_completion_kind {
    FB_COMPLETE_NOTHING,        /* a flag */
    FB_COMPLETE_WORDS,          /* one of those that fb_verb_values() has */
    FB_COMPLETE_FILES,
    FB_COMPLETE_DIRECTORIES,
    FB_COMPLETE_FREELY          /* whatever it is */
};
enum fb_completion_kind fb_completion_kind(const char *verb, const struct fb_option *option);

/* The text with a backslash before every one of the given characters; `'` as shells without an escape for it
 * within single quotes want it, if `close`. */
void fb_completion_text(FILE *to, const char *text, const char *escaped, bool close);

#endif
