/* SPDX-License-Identifier: Apache-2.0 */
/* The `forbid` command: finds the verb and hands over.  The table of verbs
 * is in verbs.c; what a verb does is in cmd_<verb>.c; options are parsed by options.c. */
#include "cli/cli.h"

#include <stdlib.h>
#include <unistd.h>

static void print_help(FILE *to)
{
    fprintf(to, "%s\nUsage: forbid COMMAND [ARGUMENTS]\n", fb_verbs_intro);
    const char *group = "";
    for (size_t i = 0; i < fb_verbs_count; i++) {
        const struct fb_verb *verb = &fb_verbs[i];
        if (!fb_verb_is_shown(verb))
            continue;
        if (strcmp(group, verb->group) != 0)
            fprintf(to, "\n%s\n", verb->group);
        group = verb->group;
        fprintf(to, "  %-17s %s\n", verb->name, verb->summary);
    }
    fputs("\n`forbid COMMAND --help` teaches each.\n", to);
}

static int unknown_verb(struct fb_cli *cli, const char *word)
{
    struct fb_span names[FB_WORDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < fb_verbs_count && count < FB_WORDS_MAX; i++)
        if (fb_verb_is_shown(&fb_verbs[i]))
            names[count++] = fb_span_z(fb_verbs[i].name);
    struct fb_span near = fb_did_you_mean(fb_span_z(word), names, count);
    if (near.len != 0)
        return fb_cli_fail(cli, "there is no command '%s'; did you mean '%.*s'?", word, (int)near.len, near.ptr);
    return fb_cli_fail(cli, "there is no command '%s'; `forbid --help` lists them", word);
}

/* An answer that could not be written is no answer. */
static int written(struct fb_cli *cli, int status)
{
    if (fflush(cli->out) != 0 || ferror(cli->out))
        return fb_cli_fail(cli, "the output could not be written");
    return status;
}

/* The official command takes `--error-format` before the verb as well: it is moved behind it. */
static void move_error_format(int argc, char **argv)
{
    int words = 0;
    if (argc > 2 && (strcmp(argv[1], "-f") == 0 || strcmp(argv[1], "--error-format") == 0))
        words = 2;
    else if (argc > 1 && (strncmp(argv[1], "--error-format=", 15) == 0 || (strncmp(argv[1], "-f", 2) == 0 && argv[1][2] != '\0')))
        words = 1;
    if (words == 0 || argc <= words + 1)
        return;
    char *verb = argv[words + 1];
    memmove(argv + 2, argv + 1, (size_t)words * sizeof *argv);
    argv[1] = verb;
}

int main(int argc, char **argv)
{
    move_error_format(argc, argv);
    const char *no_colour = getenv("NO_COLOR");
    bool plain = no_colour != NULL && *no_colour != '\0';
    struct fb_cli cli = {
        .out = stdout,
        .err = stderr,
        .colour_out = !plain && isatty(STDOUT_FILENO),
        .colour_err = !plain && isatty(STDERR_FILENO),
        .progress = isatty(STDERR_FILENO),
    };
    if (argc < 2) {
        print_help(stderr);
        return FB_EXIT_FAILED;
    }
    if (argc > 2 && strcmp(argv[1], "help") == 0 && argv[2][0] != '-') {
        char help[] = "--help", *words[] = {argv[2], help, NULL};
        const struct fb_verb *taught = fb_verb_find(argv[2]);
        return taught != NULL ? written(&cli, taught->run(&cli, 2, words)) : unknown_verb(&cli, argv[2]);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return written(&cli, FB_EXIT_OK);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("forbid " FB_VERSION);
        return written(&cli, FB_EXIT_OK);
    }
    const struct fb_verb *verb = fb_verb_find(argv[1]);
    return verb != NULL ? written(&cli, verb->run(&cli, argc - 1, argv + 1)) : unknown_verb(&cli, argv[1]);
}
