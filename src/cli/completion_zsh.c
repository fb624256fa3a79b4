/* SPDX-License-Identifier: Apache-2.0 */
/* Completions for zsh: an autoloaded function, whose options are in the words of zsh's `_arguments`. */
#include "cli/completion.h"

#define TEXT_ESCAPED "\\[]:"

static const char head[] =
    "#compdef forbid\n"
    "# zsh completion for forbid, made by `forbid completion zsh`.\n"
    "_forbid() {\n"
    "    local -a commands\n"
    "    # --error-format may stand before the command.\n"
    "    if [[ $words[2] == (-f|--error-format) ]] && (( CURRENT > 3 )); then\n"
    "        words[2,3]=()\n"
    "        (( CURRENT -= 2 ))\n"
    "    elif [[ $words[2] == --error-format=* ]] && (( CURRENT > 2 )); then\n"
    "        words[2]=()\n"
    "        (( CURRENT -= 1 ))\n"
    "    fi\n"
    "    commands=(\n";

static const char before_verbs[] =
    "    )\n"
    "    if (( CURRENT == 2 )); then\n"
    "        if [[ $words[2] == -* ]]; then\n"
    "            compadd -- --help --version --error-format\n"
    "        else\n"
    "            _describe -t commands command commands\n"
    "        fi\n"
    "        return\n"
    "    fi\n"
    "    shift words\n"
    "    (( CURRENT -= 1 ))\n"
    "    case $words[1] in\n";

static const char tail[] =
    "    esac\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _forbid ]; then\n"
    "    _forbid \"$@\"\n"
    "else\n"
    "    compdef _forbid forbid\n"
    "fi\n";

static void print_value(FILE *to, const char *verb, const struct fb_option *option)
{
    const enum fb_completion_kind kind = fb_completion_kind(verb, option);
    if (kind == FB_COMPLETE_NOTHING)
        return;
    fputc(':', to);
    fb_completion_text(to, option->argument, TEXT_ESCAPED, true);
    switch (kind) {
    case FB_COMPLETE_WORDS: fprintf(to, ":(%s)", fb_verb_values(verb, option->name)); break;
    case FB_COMPLETE_FILES: fputs(":_files", to); break;
    case FB_COMPLETE_DIRECTORIES: fputs(":_files -/", to); break;
    case FB_COMPLETE_FREELY:
    case FB_COMPLETE_NOTHING: fputs(": ", to); break;
    }
}

static void print_option(FILE *to, const char *verb, const struct fb_option *option)
{
    const bool list = option->kind == FB_OPTION_LIST;
    const char *equals = option->kind == FB_OPTION_FLAG ? "" : "=";
    fputs(" \\\n            ", to);
    if (list)
        fputs("'*'", to);
    else if (option->letter != 0)
        fprintf(to, "'(-%c --%s)'", option->letter, option->name);
    if (option->letter != 0)
        fprintf(to, "{-%c,--%s%s}'", option->letter, option->name, equals);
    else
        fprintf(to, "'--%s%s", option->name, equals);
    fputc('[', to);
    fb_completion_text(to, option->help, TEXT_ESCAPED, true);
    fputc(']', to);
    print_value(to, verb, option);
    fputc('\'', to);
}

static void print_verb(void *out, const struct fb_usage *usage)
{
    FILE *to = out;
    fprintf(to, "    %s)\n        _arguments -s -S", usage->verb);
    for (size_t i = 0; i < usage->options_count; i++)
        print_option(to, usage->verb, &usage->options[i]);
    fputs(" \\\n            '(-h --help)'{-h,--help}'[this text]'", to);
    const char *words = fb_verb_values(usage->verb, NULL);
    if (words != NULL)
        fprintf(to, " \\\n            '1:word:(%s)'", words);
    if (usage->words_max > (words != NULL ? 1 : 0))
        fputs(" \\\n            '*:file:_files'", to);
    fputs("\n        ;;\n", to);
}

void fb_completion_zsh(struct fb_cli *cli)
{
    fputs(head, cli->out);
    for (size_t i = 0; i < fb_verbs_count; i++) {
        if (!fb_verb_is_shown(&fb_verbs[i]))
            continue;
        fprintf(cli->out, "        '%s:", fb_verbs[i].name);
        fb_completion_text(cli->out, fb_verbs[i].summary, "\\:", true);
        fputs("'\n", cli->out);
    }
    fputs(before_verbs, cli->out);
    fprintf(cli->out, "    -f | --error-format) compadd -- %s ;;\n", fb_verb_values("", "error-format"));
    for (size_t i = 0; i < fb_verbs_count; i++)
        if (fb_verb_is_shown(&fb_verbs[i]))
            fb_verb_describe(cli, &fb_verbs[i], print_verb, cli->out);
    fputs(tail, cli->out);
}
