/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid manual`: the manual pages, which the build writes and installs.  What they say is what `--help`
 * says, so neither can be wrong alone: paragraphs are filled, indented lines stay as they are.  The format
 * is man(7), in ASCII, since that is what every reader of manual pages can do. */
#include "cli/cli.h"

static const char help[] =
    "Prints a manual page: of a command, or of all of them.\n"
    "\n"
    "  forbid manual | man -l -\n"
    "  forbid manual validate | man -l -\n";

/* --- Text ------------------------------------------------------------------------------------------------- */

/* What roff would take for something else, or show as another character. */
static const char *special(unsigned char c)
{
    switch (c) {
    case '\\': return "\\e";
    case '-': return "\\-";
    case '\'': return "\\(aq";
    case '`': return "\\(ga";
    case '^': return "\\(ha";
    case '~': return "\\(ti";
    case '"': return "\\(dq";
    default: return NULL;
    }
}

static void print_text(FILE *to, struct fb_span text)
{
    if (text.len != 0 && text.ptr[0] == '.')
        fputs("\\&", to);
    while (text.len != 0) {
        unsigned length = 1;
        const unsigned char c = (unsigned char)text.ptr[0];
        const char *name = special(c);
        if (c >= 0x80)
            fprintf(to, "\\[u%04X]", (unsigned)fb_utf8_next(text, &length));
        else if (name != NULL)
            fputs(name, to);
        else
            fputc(c, to);
        text = fb_span_from(text, length);
    }
}

static void print_z(FILE *to, const char *text)
{
    print_text(to, fb_span_z(text));
}

/* The next line; *text moves behind it. */
static struct fb_span take_line(struct fb_span *text)
{
    size_t end = fb_span_find(*text, '\n');
    struct fb_span line = fb_span_head(*text, end);
    *text = fb_span_from(*text, end < text->len ? end + 1 : end);
    return line;
}

/* Help as roff: an empty line parts paragraphs, indented lines are examples and tables. */
static void print_paragraphs(FILE *to, const char *help_text)
{
    enum { FIRST, APART, FILLED, AS_IS } at = FIRST;
    for (struct fb_span rest = fb_span_z(help_text); rest.len != 0;) {
        const struct fb_span line = take_line(&rest);
        if (line.len == 0) {
            fputs(at == AS_IS ? ".fi\n" : "", to);
            at = APART;
            continue;
        }
        const bool indented = line.ptr[0] == ' ';
        if (at == AS_IS && !indented)
            fputs(".fi\n.br\n", to);
        else if (at == APART)
            fputs(".PP\n", to);
        if (indented && at != AS_IS)
            fputs(".nf\n", to);
        at = indented ? AS_IS : FILLED;
        print_text(to, line);
        fputc('\n', to);
    }
    fputs(at == AS_IS ? ".fi\n" : "", to);
}

/* --- A page ----------------------------------------------------------------------------------------------- */

/* No date: the same source makes the same page. */
static void print_head(FILE *to, const char *name, const char *summary)
{
    fputs(".\\\" Made by `forbid manual` from the command's own tables.\n.TH ", to);
    for (const char *at = name; *at != '\0'; at++)
        fputc(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at, to);
    fputs(" 1 \"\" \"forbid " FB_VERSION "\" \"Forbid\"\n.nh\n.ad l\n.SH NAME\n", to);
    print_z(to, name);
    fputs(" \\- ", to);
    print_z(to, summary);
    fputc('\n', to);
}

/* Unless the help names them. */
static void print_values(FILE *to, const char *values, const char *option_help)
{
    if (values == NULL)
        return;
    const struct fb_span all = fb_span_z(values), first = fb_span_head(all, fb_span_find(all, ' '));
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)first.len, first.ptr);
    if (strstr(option_help, word) != NULL)
        return;
    const char *before = "; one of ";
    for (struct fb_span rest = all, next; rest.len != 0; rest = next, before = ", ") {
        const size_t end = fb_span_find(rest, ' ');
        next = fb_span_from(rest, end < rest.len ? end + 1 : end);
        fputs(before, to);
        print_text(to, fb_span_head(rest, end));
    }
}

static void print_option(FILE *to, const char *verb, const struct fb_option *option)
{
    fputs(".TP\n", to);
    if (option->letter != 0)
        fprintf(to, "\\fB\\-%c\\fR, ", option->letter);
    fputs("\\fB\\-\\-", to);
    print_z(to, option->name);
    fputs("\\fR", to);
    if (option->argument != NULL) {
        fputs(" \\fI", to);
        print_z(to, option->argument);
        fputs("\\fR", to);
    }
    fputc('\n', to);
    print_z(to, option->help);
    if (option->kind != FB_OPTION_FLAG)
        print_values(to, fb_verb_values(verb, option->name), option->help);
    fputc('\n', to);
}

static void print_synopsis(FILE *to, const char *synopsis)
{
    fputs(".SH SYNOPSIS\n.nf\n", to);
    for (struct fb_span rest = fb_span_z(synopsis); rest.len != 0;) {
        print_text(to, fb_span_trim(take_line(&rest)));
        fputc('\n', to);
    }
    fputs(".fi\n", to);
}

static void print_see_also(FILE *to, const char *verb)
{
    fputs(".SH SEE ALSO\n.BR forbid (1)", to);
    const struct fb_verb *this = fb_verb_find(verb);
    for (size_t i = 0; i < fb_verbs_count; i++)
        if (&fb_verbs[i] != this && strcmp(fb_verbs[i].group, this->group) == 0) {
            fputs(",\n.BR forbid\\-", to);
            print_z(to, fb_verbs[i].name);
            fputs(" (1)", to);
        }
    fputc('\n', to);
}

static void print_verb(void *out, const struct fb_usage *usage)
{
    FILE *to = out;
    char name[64];
    snprintf(name, sizeof name, "forbid-%s", usage->verb);
    print_head(to, name, fb_verb_find(usage->verb)->summary);
    print_synopsis(to, usage->synopsis);
    fputs(".SH DESCRIPTION\n", to);
    print_paragraphs(to, usage->text);
    fputs(".SH OPTIONS\n", to);
    for (size_t i = 0; i < usage->options_count; i++)
        print_option(to, usage->verb, &usage->options[i]);
    print_option(to, usage->verb, &(struct fb_option){.letter = 'h', .name = "help", .help = "print what this page says"});
    print_see_also(to, usage->verb);
}

/* forbid(1): the commands. */
static void print_all(FILE *to)
{
    print_head(to, "forbid", "decide HTTP requests by Cedar policies");
    print_synopsis(to, "forbid COMMAND [ARGUMENTS]\nforbid COMMAND --help\nforbid --version");
    fputs(".SH DESCRIPTION\n", to);
    print_paragraphs(to, fb_verbs_intro);
    const char *group = "";
    for (size_t i = 0; i < fb_verbs_count; i++) {
        const struct fb_verb *verb = &fb_verbs[i];
        if (!fb_verb_is_shown(verb))
            continue;
        fputs(i == 0 ? ".SH COMMANDS\n" : "", to);
        if (strcmp(group, verb->group) != 0)
            fprintf(to, ".SS %s\n", verb->group);
        group = verb->group;
        fputs(".TP\n.BR forbid\\-", to);
        print_z(to, verb->name);
        fputs(" (1)\n", to);
        print_z(to, verb->summary);
        fputc('\n', to);
    }
    fputs(".SH EXIT STATUS\n", to);
    print_paragraphs(to, "  0  done; allowed; forwarded\n"
                         "  1  the command failed: usage, something unreadable or at fault\n"
                         "  2  the decision is deny, the request would be refused\n"
                         "  3  the policies or the policy directory are not good\n");
    fputs(".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nif it is not empty, there is no colour on terminals either\n", to);
}

int fb_cmd_manual(struct fb_cli *cli, int argc, char **argv)
{
    const struct fb_usage usage = {.verb = "manual", .synopsis = "forbid manual [COMMAND]", .text = help,
                                   .words_max = 1};
    struct fb_words words;
    enum fb_parsed parsed = fb_options_parse(cli, &usage, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (words.count == 0) {
        print_all(cli->out);
        return FB_EXIT_OK;
    }
    const struct fb_verb *verb = fb_verb_find(words.list[0]);
    if (verb == NULL)
        return fb_cli_fail(cli, "manual: there is no command '%s'", words.list[0]);
    fb_verb_describe(cli, verb, print_verb, cli->out);
    return FB_EXIT_OK;
}
