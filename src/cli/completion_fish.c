/* SPDX-License-Identifier: Apache-2.0 */
/* Completions for fish: one `complete` an option. */
#include "cli/completion.h"

#define TEXT_ESCAPED "\\'"

static const char head[] =
    "# fish completion for forbid, made by `forbid completion fish`.\n"
    "# Is that the command?  Of no argument: is there none yet?\n"
    "function __forbid_command_is\n"
    "    set -l words (commandline -opc)\n"
    "    set -e words[1]\n"
    "    while set -q words[1]; and string match -q -- '-*' $words[1]\n"
    "        contains -- $words[1] -f --error-format; and set -e words[1]\n"
    "        set -e words[1]\n"
    "    end\n"
    "    test \"$words[1]\" = \"$argv[1]\"\n"
    "end\n"
    "complete -c forbid -f\n"
    "complete -c forbid -n __forbid_command_is -s h -l help -d 'the commands'\n"
    "complete -c forbid -n __forbid_command_is -s V -l version -d 'the version'\n";

/* `-n` and its condition, behind which an option of the verb is described. */
static void print_start(FILE *to, const char *verb)
{
    fprintf(to, "complete -c forbid -n '__forbid_command_is %s'", verb);
}

static void print_option(FILE *to, const char *verb, const struct fb_option *option)
{
    print_start(to, verb);
    if (option->letter != 0)
        fprintf(to, " -s %c", option->letter);
    fprintf(to, " -l %s", option->name);
    switch (fb_completion_kind(verb, option)) {
    case FB_COMPLETE_NOTHING: break;
    case FB_COMPLETE_WORDS: fprintf(to, " -x -a '%s'", fb_verb_values(verb, option->name)); break;
    case FB_COMPLETE_FILES: fputs(" -r -F", to); break;
    case FB_COMPLETE_DIRECTORIES: fputs(" -x -a '(__fish_complete_directories)'", to); break;
    case FB_COMPLETE_FREELY: fputs(" -x", to); break;
    }
    fputs(" -d '", to);
    fb_completion_text(to, option->help, TEXT_ESCAPED, false);
    fputs("'\n", to);
}

static void print_verb(void *out, const struct fb_usage *usage)
{
    FILE *to = out;
    const char *words = fb_verb_values(usage->verb, NULL);
    if (words != NULL) {
        fprintf(to, "complete -c forbid -n '__forbid_command_is %s; and not __fish_seen_subcommand_from %s' -a '%s'\n",
                usage->verb, words, words);
        fprintf(to, "complete -c forbid -n '__forbid_command_is %s; and __fish_seen_subcommand_from %s' -F\n",
                usage->verb, words);
    } else if (usage->words_max > 0) {
        print_start(to, usage->verb);
        fputs(" -F\n", to);
    }
    for (size_t i = 0; i < usage->options_count; i++)
        print_option(to, usage->verb, &usage->options[i]);
    print_start(to, usage->verb);
    fputs(" -s h -l help -d 'this text'\n", to);
}

void fb_completion_fish(struct fb_cli *cli)
{
    fputs(head, cli->out);
    fprintf(cli->out, "complete -c forbid -n __forbid_command_is -s f -l error-format -x -a '%s'\n",
            fb_verb_values("", "error-format"));
    for (size_t i = 0; i < fb_verbs_count; i++) {
        if (!fb_verb_is_shown(&fb_verbs[i]))
            continue;
        fprintf(cli->out, "complete -c forbid -n __forbid_command_is -a %s -d '", fb_verbs[i].name);
        fb_completion_text(cli->out, fb_verbs[i].summary, TEXT_ESCAPED, false);
        fputs("'\n", cli->out);
    }
    for (size_t i = 0; i < fb_verbs_count; i++)
        if (fb_verb_is_shown(&fb_verbs[i]))
            fb_verb_describe(cli, &fb_verbs[i], print_verb, cli->out);
}
