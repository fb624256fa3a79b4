/* SPDX-License-Identifier: Apache-2.0 */
/* The `forbid` command: finds the verb and hands over.  What a verb does is in cmd_<verb>.c; options
 * are parsed by options.c. */
#include "cli/cli.h"

#include <stdlib.h>
#include <unistd.h>

struct verb {
    const char *name, *group, *summary;
    fb_verb_fn *run;
};

static const struct verb verbs[] = {
#define FB_VERB(name, group, summary) {#name, group, summary, fb_cmd_##name},
#include "cli/verbs.def"
#undef FB_VERB
};
enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

/* Verbs are C identifiers in the table; people write `check-parse`. */
static bool is_verb(const char *name, const char *word)
{
    for (; *name != '\0' && *word != '\0'; name++, word++)
        if (*name != (*word == '-' ? '_' : *word))
            return false;
    return *name == *word;
}

static void print_help(FILE *to)
{
    fputs("forbid decides, by Cedar policies, whether an HTTP request may go through,\n"
          "and refuses with the right status when it may not.\n\n"
          "Usage: forbid COMMAND [ARGUMENTS]\n",
          to);
    const char *group = "";
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(group, verbs[i].group) != 0)
            fprintf(to, "\n%s\n", verbs[i].group);
        group = verbs[i].group;
        fprintf(to, "  %-17s %s\n", verbs[i].name, verbs[i].summary);
    }
    fputs("\n`forbid COMMAND --help` teaches each.\n", to);
}

static int unknown_verb(struct fb_cli *cli, const char *word)
{
    struct fb_span names[VERBS];
    for (size_t i = 0; i < VERBS; i++)
        names[i] = fb_span_z(verbs[i].name);
    struct fb_span near = fb_did_you_mean(fb_span_z(word), names, VERBS);
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
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return written(&cli, FB_EXIT_OK);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("forbid " FB_VERSION);
        return written(&cli, FB_EXIT_OK);
    }
    for (size_t i = 0; i < VERBS; i++) {
        if (is_verb(verbs[i].name, argv[1]))
            return written(&cli, verbs[i].run(&cli, argc - 1, argv + 1));
    }
    return unknown_verb(&cli, argv[1]);
}
