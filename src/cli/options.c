/* SPDX-License-Identifier: Apache-2.0 */
/* Options by table: one description gives parsing, `--help`, the hints for a misspelt name, and to others
 * (cmd_manual.c, cmd_completion.c) what they make of it.
 * getopt_long knows neither help texts nor what was meant. */
#include "cli/cli.h"

#include <stdlib.h>

static const struct fb_option *by_name(const struct fb_usage *usage, struct fb_span name)
{
    for (size_t i = 0; i < usage->options_count; i++)
        if (fb_span_is(name, usage->options[i].name))
            return &usage->options[i];
    return NULL;
}

static const struct fb_option *by_letter(const struct fb_usage *usage, char letter)
{
    for (size_t i = 0; i < usage->options_count; i++)
        if (usage->options[i].letter == letter)
            return &usage->options[i];
    return NULL;
}

static void print_option(FILE *to, const struct fb_option *option)
{
    char left[64];
    char letter[5] = "    ";
    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    fprintf(to, "  %-30s %s\n", left, option->help);
}

static void print_usage(FILE *to, const struct fb_usage *usage)
{
    fprintf(to, "Usage: %s\n\n%s\nOptions\n", usage->synopsis, usage->text);
    for (size_t i = 0; i < usage->options_count; i++)
        print_option(to, &usage->options[i]);
    print_option(to, &(struct fb_option){.letter = 'h', .name = "help", .help = "this text"});
}

static enum fb_parsed wrong(struct fb_cli *cli, const struct fb_usage *usage, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum fb_parsed wrong(struct fb_cli *cli, const struct fb_usage *usage, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fb_cli_fail(cli, "%s: %s\nUsage: %s", usage->verb, text, usage->synopsis);
    return FB_PARSED_WRONG;
}

static enum fb_parsed unknown(struct fb_cli *cli, const struct fb_usage *usage, const char *word, struct fb_span name)
{
    struct fb_span names[FB_WORDS_MAX];
    size_t count = usage->options_count < FB_WORDS_MAX ? usage->options_count : FB_WORDS_MAX;
    for (size_t i = 0; i < count; i++)
        names[i] = fb_span_z(usage->options[i].name);
    struct fb_span near = fb_did_you_mean(name, names, count);
    if (near.len != 0)
        return wrong(cli, usage, "there is no option '%s'; did you mean '--%.*s'?", word, (int)near.len, near.ptr);
    return wrong(cli, usage, "there is no option '%s'", word);
}

/* Puts a value where the option wants it. */
static enum fb_parsed set(struct fb_cli *cli, const struct fb_usage *usage, const struct fb_option *option,
                          const char *value)
{
    switch (option->kind) {
    case FB_OPTION_FLAG:
        *(bool *)option->into = true;
        return FB_PARSED_GO;
    case FB_OPTION_TEXT:
        /* An unset variable in a script must not become the root of the file system. */
        if (value[0] == '\0' && (strcmp(option->argument, "DIR") == 0 || strcmp(option->argument, "FILE") == 0))
            return wrong(cli, usage, "--%s wants a %s, not an empty word", option->name, option->argument);
        *(const char **)option->into = value;
        return FB_PARSED_GO;
    case FB_OPTION_NUMBER:
        if (!fb_span_to_u64(fb_span_z(value), UINT64_MAX, option->into))
            return wrong(cli, usage, "--%s wants a whole number, not '%s'", option->name, value);
        return FB_PARSED_GO;
    case FB_OPTION_LIST: {
        struct fb_words *words = option->into;
        if (words->count == FB_WORDS_MAX)
            return wrong(cli, usage, "--%s may be given %u times at most", option->name, FB_WORDS_MAX);
        words->list[words->count++] = value;
        return FB_PARSED_GO;
    }
    }
    return FB_PARSED_WRONG;
}

/* argv[*i] is an option; *i moves over a value of its own. */
static enum fb_parsed one_option(struct fb_cli *cli, const struct fb_usage *usage, int argc, char **argv, int *i)
{
    const char *word = argv[*i];
    const struct fb_option *option;
    const char *value = NULL;
    if (word[1] == '-') {
        struct fb_span name = fb_span_z(word + 2);
        size_t equals = fb_span_find(name, '=');
        if (equals < name.len)
            value = word + 2 + equals + 1;
        name = fb_span_head(name, equals);
        if (fb_span_is(name, "help")) {
            print_usage(cli->out, usage);
            return FB_PARSED_HELP;
        }
        option = by_name(usage, name);
        if (option == NULL)
            return unknown(cli, usage, word, name);
    } else {
        if (word[1] == 'h' && word[2] == '\0' && by_letter(usage, 'h') == NULL) {
            print_usage(cli->out, usage);
            return FB_PARSED_HELP;
        }
        option = by_letter(usage, word[1]);
        if (option == NULL)
            return wrong(cli, usage, "there is no option '-%c'", word[1]);
        if (word[2] != '\0')
            value = word + 2;
    }
    if (option->kind == FB_OPTION_FLAG) {
        if (value != NULL)
            return wrong(cli, usage, "--%s takes no value", option->name);
    } else if (value == NULL) {
        if (*i + 1 >= argc)
            return wrong(cli, usage, "--%s wants a value (%s)", option->name, option->argument);
        value = argv[++*i];
    }
    return set(cli, usage, option, value);
}

/* Commands that take files by options alone, as the official ones do: the first of these is what was meant. */
static enum fb_parsed one_too_many(struct fb_cli *cli, const struct fb_usage *usage, const char *word)
{
    for (size_t i = 0; usage->words_max == 0 && i < usage->options_count; i++) {
        const struct fb_option *option = &usage->options[i];
        if (option->argument != NULL && strcmp(option->argument, "FILE") == 0 && option->letter != 0)
            return wrong(cli, usage, "'%s' is one argument too many; a file is given as -%c %s", word, option->letter, word);
    }
    return wrong(cli, usage, "'%s' is one argument too many", word);
}

/* The synopsis names the arguments in their order, before its first option: "forbid why DIR 'METHOD /path' [--as …". */
static enum fb_parsed missing(struct fb_cli *cli, const struct fb_usage *usage, size_t given)
{
    struct fb_span rest = fb_span_z(usage->synopsis);
    for (size_t word = 0; rest.len != 0; word++) {
        bool quoted = rest.ptr[0] == '\'';
        size_t len = quoted ? fb_span_find(fb_span_from(rest, 1), '\'') + 2 : fb_span_find(rest, ' ');
        struct fb_span name = fb_span_head(rest, len);
        if (strchr("[-\n", name.len != 0 ? name.ptr[0] : '[') != NULL)
            break;
        bool placeholder = quoted || (name.ptr[0] >= 'A' && name.ptr[0] <= 'Z') || fb_span_find(name, '|') < name.len;
        if (word == given + 2 && placeholder) /* behind "forbid" and the verb */
            return wrong(cli, usage, "%.*s is missing", (int)name.len, name.ptr);
        rest = fb_span_from(rest, len + 1);
    }
    return wrong(cli, usage, "an argument is missing");
}

enum fb_parsed fb_options_parse(struct fb_cli *cli, const struct fb_usage *usage, int argc, char **argv,
                                struct fb_words *words)
{
    bool options = true;
    words->count = 0;
    if (cli->describe != NULL) {
        cli->describe(cli->describe_to, usage);
        return FB_PARSED_HELP;
    }
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (options && strcmp(word, "--") == 0) {
            options = false;
            continue;
        }
        if (options && word[0] == '-' && word[1] != '\0') {
            enum fb_parsed parsed = one_option(cli, usage, argc, argv, &i);
            if (parsed != FB_PARSED_GO)
                return parsed;
            continue;
        }
        if (word[0] == '\0')
            return wrong(cli, usage, "an argument is empty");
        if (words->count == usage->words_max || words->count == FB_WORDS_MAX)
            return one_too_many(cli, usage, word);
        words->list[words->count++] = word;
    }
    if (words->count < usage->words_min)
        return missing(cli, usage, words->count);
    return FB_PARSED_GO;
}
