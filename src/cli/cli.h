/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_CLI_H
#define FB_CLI_CLI_H

#include "base/base.h"

#include <stdio.h>

/* cli: the `forbid` command.  main.c finds the verb in verbs.def; each verb is one file,
 * cmd_<verb>.c, with one function of the type below. */

/* Exit statuses, those of the official command. */
enum {
    FB_EXIT_OK = 0,
    FB_EXIT_FAILED = 1,     /* usage, unreadable, unparsable */
    FB_EXIT_DENY = 2,
    FB_EXIT_INVALID = 3
};

struct fb_usage;
struct fb_cli {
    /* Set: a verb does nothing, but its options' table is handed to this. */
    void (*describe)(void *to, const struct fb_usage *usage);
    void *describe_to;
    FILE *out, *err;
    bool colour_out, colour_err;    /* a terminal, and NO_COLOR is not set */
    bool progress;                  /* err is a terminal: long work may draw */
};

typedef int fb_verb_fn(struct fb_cli *cli, int argc, char **argv);

#define FB_VERB(symbol, name, group, summary) fb_verb_fn fb_cmd_##symbol;
#include "cli/verbs.def"
#undef FB_VERB

struct fb_verb {
    const char *name, *group, *summary;     /* "check-parse"; no group: not shown */
    fb_verb_fn *run;
};
extern const struct fb_verb fb_verbs[];
extern const size_t fb_verbs_count;
extern const char fb_verbs_intro[];         /* what the command is for, two lines */
static inline bool fb_verb_is_shown(const struct fb_verb *verb)
{
    return verb->group[0] != '\0';
}
/* Also by `check_parse`.  NULL: there is none. */
const struct fb_verb *fb_verb_find(const char *word);
/* Hands the usage of a verb, its options with it, to the function; it lives as long as the call. */
void fb_verb_describe(const struct fb_cli *cli, const struct fb_verb *verb,
                      void (*describe)(void *to, const struct fb_usage *usage), void *to);
/* The words that an option's or, with NULL, an argument's value is one of, with spaces between; NULL: any. */
const char *fb_verb_values(const char *verb, const char *option);

/* --- Options --------------------------------------------------------------------------------------
 * A verb describes its options in a table; parsing, `--help`, "did you mean", completions and manual pages come
 * from it. */
enum fb_option_kind {
    FB_OPTION_FLAG,         /* bool * */
    FB_OPTION_TEXT,         /* const char ** */
    FB_OPTION_NUMBER,       /* uint64_t * */
    FB_OPTION_LIST          /* struct fb_words *: may be given several times */
};

#define FB_WORDS_MAX 64u
struct fb_words {
    const char *list[FB_WORDS_MAX];
    size_t count;
};

struct fb_option {
    enum fb_option_kind kind;
    char letter;                    /* 0: none */
    const char *name;               /* without dashes */
    const char *argument;           /* what stands for it in the help, "FILE"; NULL for flags */
    const char *help;
    void *into;
};

struct fb_usage {
    const char *verb;               /* "account" */
    const char *synopsis;           /* "forbid account VERB --store DIR [UID]" (lines) */
    const char *text;               /* what it does, with examples; ends in a newline */
    const struct fb_option *options;
    size_t options_count;
    size_t words_min, words_max;    /* of positional arguments */
};

enum fb_parsed { FB_PARSED_GO, FB_PARSED_HELP, FB_PARSED_WRONG };
/* argv[0] is the verb.  Options may stand anywhere, `--name=value` and `--name value`, `--` ends
 * them.  HELP: printed, exit 0.  WRONG: the error was printed, exit 1. */
enum fb_parsed fb_options_parse(struct fb_cli *cli, const struct fb_usage *usage, int argc, char **argv,
                                struct fb_words *words);

/* `forbid: message` on err (printf); returns FB_EXIT_FAILED, so that a verb may `return` it. */
int fb_cli_fail(struct fb_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `forbid: verb: message`; returns false, for functions that say whether all is well. */
bool fb_cli_wrong(struct fb_cli *cli, const char *verb, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* `--error-format`: human (also NULL), plain (no colours) or json.  False after it has said what is wrong. */
bool fb_cli_error_format(struct fb_cli *cli, const char *format, bool *json);
/* Diagnostics on err, for people or as JSON. */
void fb_cli_diags(struct fb_cli *cli, const struct fb_diags *diags, bool json);
/* A whole file ("-": standard input) into the buffer; false after it has said why not. */
bool fb_cli_read(struct fb_cli *cli, const char *path, struct fb_buffer *buffer);
/* Writes the buffer to out. */
void fb_cli_write(struct fb_cli *cli, const struct fb_buffer *buffer);
/* A line of progress on err, over the last one, at most ten a second; only if cli->progress. */
void fb_cli_progress(struct fb_cli *cli, const char *what, uint64_t done, uint64_t total);

#endif
