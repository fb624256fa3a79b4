/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid completion`: a script by which a shell completes commands, options and the values that are one
 * of a few words.  All of it comes from the tables of options; nothing is asked of the command while
 * somebody types.  Here is bash; completion_zsh.c and completion_fish.c are the others. */
#include "cli/completion.h"

static const char help[] =
    "Prints a script by which a shell completes commands, options and values.\n"
    "\n"
    "  eval \"$(forbid completion bash)\"                                        in ~/.bashrc\n"
    "  forbid completion zsh > ~/.zsh/_forbid                                  with ~/.zsh in $fpath\n"
    "  forbid completion fish > ~/.config/fish/completions/forbid.fish\n"
    "\n"
    "Where Forbid was installed by its build, all three are in place.\n";

/* --- What a value is -------------------------------------------------------------------------------------- */

enum fb_completion_kind fb_completion_kind(const char *verb, const struct fb_option *option)
{
    if (option->kind == FB_OPTION_FLAG)
        return FB_COMPLETE_NOTHING;
    if (fb_verb_values(verb, option->name) != NULL)
        return FB_COMPLETE_WORDS;
    if (strcmp(option->argument, "FILE") == 0)
        return FB_COMPLETE_FILES;
    return strcmp(option->argument, "DIR") == 0 ? FB_COMPLETE_DIRECTORIES : FB_COMPLETE_FREELY;
}

void fb_completion_text(FILE *to, const char *text, const char *escaped, bool close)
{
    for (; *text != '\0'; text++) {
        if (close && *text == '\'')
            fputs("'\\'", to);
        else if (strchr(escaped, *text) != NULL)
            fputc('\\', to);
        fputc(*text, to);
    }
}

/* --- bash ------------------------------------------------------------------------------------------------- */

static const char bash_head[] =
    "# bash completion for forbid, made by `forbid completion bash`.\n"
    "_forbid()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= at=1\n"
    "    local options= words= values= kind=files IFS=$' \\t\\n'\n"
    "    COMPREPLY=()\n"
    "    # `=` is a word of its own.\n"
    "    if [ \"$cur\" = = ]; then\n"
    "        cur=\n"
    "    elif [ \"$prev\" = = ]; then\n"
    "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n"
    "    # --error-format may stand before the command.\n"
    "    while [ $at -lt $COMP_CWORD ] && [ -z \"$verb\" ]; do\n"
    "        case ${COMP_WORDS[at]} in\n"
    "        -f | --error-format) at=$((at + 1)); [ \"${COMP_WORDS[at]}\" = = ] && at=$((at + 1)) ;;\n"
    "        -*) ;;\n"
    "        *) verb=${COMP_WORDS[at]} ;;\n"
    "        esac\n"
    "        at=$((at + 1))\n"
    "    done\n"
    "    case $verb in\n";

static const char bash_tail[] =
    "    esac\n"
    "    # Of a few words one is given once; behind it come files.\n"
    "    while [ -n \"$verb\" ] && [ $at -lt $COMP_CWORD ]; do\n"
    "        case \" $words \" in *\" ${COMP_WORDS[at]} \"*) words= ;; esac\n"
    "        at=$((at + 1))\n"
    "    done\n"
    "    case $kind:$cur in\n"
    "    values:*) words=$values ;;\n"
    "    free:*) return ;;\n"
    "    none:* | files:-*) words=$options ;;\n"
    "    esac\n"
    "    if [ -n \"$words\" ]; then\n"
    "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
    "        return\n"
    "    fi\n"
    "    compopt -o filenames 2> /dev/null\n"
    "    IFS=$'\\n'\n"
    "    case $kind in\n"
    "    directories) COMPREPLY=($(compgen -d -- \"$cur\")) ;;\n"
    "    *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
    "    esac\n"
    "}\n"
    "complete -F _forbid forbid\n";

static void bash_pattern(FILE *to, const struct fb_option *option)
{
    if (option->letter != 0)
        fprintf(to, "-%c | ", option->letter);
    fprintf(to, "--%s", option->name);
}

static void bash_value(FILE *to, const char *verb, const struct fb_option *option)
{
    const enum fb_completion_kind kind = fb_completion_kind(verb, option);
    if (kind == FB_COMPLETE_NOTHING)
        return;
    fputs("        ", to);
    bash_pattern(to, option);
    switch (kind) {
    case FB_COMPLETE_WORDS: fprintf(to, ") kind=values values='%s'", fb_verb_values(verb, option->name)); break;
    case FB_COMPLETE_FILES: fputs(") kind=file words=", to); break;
    case FB_COMPLETE_DIRECTORIES: fputs(") kind=directories words=", to); break;
    case FB_COMPLETE_FREELY:
    case FB_COMPLETE_NOTHING: fputs(") kind=free", to); break;
    }
    fputs(" ;;\n", to);
}

static void bash_verb(void *out, const struct fb_usage *usage)
{
    FILE *to = out;
    fprintf(to, "    %s)\n        options='", usage->verb);
    for (size_t i = 0; i < usage->options_count; i++)
        fprintf(to, "--%s ", usage->options[i].name);
    fputs("--help'\n", to);
    const char *words = fb_verb_values(usage->verb, NULL);
    if (words != NULL)
        fprintf(to, "        words='%s'\n", words);
    if (usage->words_max == 0)
        fputs("        kind=none\n", to);
    fputs("        case $prev in\n", to);
    for (size_t i = 0; i < usage->options_count; i++)
        bash_value(to, usage->verb, &usage->options[i]);
    fputs("        esac\n        ;;\n", to);
}

static void print_bash(struct fb_cli *cli)
{
    fputs(bash_head, cli->out);
    fputs("    '')\n        options='--help --version --error-format'\n        words='", cli->out);
    for (size_t i = 0; i < fb_verbs_count; i++)
        if (fb_verb_is_shown(&fb_verbs[i]))
            fprintf(cli->out, "%s%s", i > 0 ? " " : "", fb_verbs[i].name);
    fprintf(cli->out, "'\n        case $prev in\n        -f | --error-format) kind=values values='%s' ;;\n        esac\n        ;;\n",
            fb_verb_values("", "error-format"));
    for (size_t i = 0; i < fb_verbs_count; i++)
        if (fb_verb_is_shown(&fb_verbs[i]))
            fb_verb_describe(cli, &fb_verbs[i], bash_verb, cli->out);
    fputs(bash_tail, cli->out);
}

/* --- The command ------------------------------------------------------------------------------------------ */

int fb_cmd_completion(struct fb_cli *cli, int argc, char **argv)
{
    const struct fb_usage usage = {
        .verb = "completion",
        .synopsis = "forbid completion bash|zsh|fish",
        .text = help,
        .words_min = 1,
        .words_max = 1,
    };
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (strcmp(words.list[0], "bash") == 0)
        print_bash(cli);
    else if (strcmp(words.list[0], "zsh") == 0)
        fb_completion_zsh(cli);
    else if (strcmp(words.list[0], "fish") == 0)
        fb_completion_fish(cli);
    else
        return fb_cli_fail(cli, "completion: the shells are bash, zsh and fish, not '%s'", words.list[0]);
    return FB_EXIT_OK;
}
