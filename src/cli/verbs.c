/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, and what is known of their options beside the options' own tables: which words
 * a value is one of.  That is for those who describe the command (the manual, completions); main.c runs it. */
#include "cli/cli.h"

const struct fb_verb fb_verbs[] = {
#define FB_VERB(symbol, name, group, summary) {name, group, summary, fb_cmd_##symbol},
#include "cli/verbs.def"
#undef FB_VERB
};
const size_t fb_verbs_count = sizeof fb_verbs / sizeof fb_verbs[0];

const char fb_verbs_intro[] = "forbid decides, by Cedar policies, whether an HTTP request may go through,\n"
                              "and refuses with the right status when it may not.\n";

static const struct {
    const char *verb, *option, *words;
} values[] = {
#define FB_VALUES(verb, option, words) {verb, option, words},
#include "cli/values.def"
#undef FB_VALUES
};

const struct fb_verb *fb_verb_find(const char *word)
{
    for (size_t i = 0; i < fb_verbs_count; i++) {
        const char *name = fb_verbs[i].name, *at = word;
        for (; *name != '\0' && (*at == *name || (*name == '-' && *at == '_')); name++)
            at++;
        if (*name == '\0' && *at == '\0')
            return &fb_verbs[i];
    }
    return NULL;
}

void fb_verb_describe(const struct fb_cli *cli, const struct fb_verb *verb,
                      void (*describe)(void *to, const struct fb_usage *usage), void *to)
{
    struct fb_cli silent = *cli;
    silent.describe = describe;
    silent.describe_to = to;
    char name[32];
    snprintf(name, sizeof name, "%s", verb->name);
    char *argv[] = {name, NULL};
    verb->run(&silent, 1, argv);
}

const char *fb_verb_values(const char *verb, const char *option)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        bool here = values[i].verb == NULL || strcmp(values[i].verb, verb) == 0;
        bool same = option == NULL || values[i].option == NULL ? option == values[i].option
                                                               : strcmp(values[i].option, option) == 0;
        if (here && same)
            return values[i].words;
    }
    return NULL;
}
