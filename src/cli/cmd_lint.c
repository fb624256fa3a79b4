/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid lint`: recorded exchanges, and what is wrong with how they were refused.  The rules are src/refusal/audit*.c's;
 * exchanges over the network are lint_live.c's. */
#include "cli/lint.h"
#include "cli/sarif.h"

#define FILES_MAX 64u

struct options {
    struct fb_lint_live live;
    struct fb_words ignore;
    const char *fail_on;
    bool json, sarif, rules;
};

static const char help[] =
    "Reads exchanges (HAR files, what `curl -v`, `curl -i` or its traces printed) and says how refusals are wrong: a 403\n"
    "where credentials are missing, a 401 without a challenge, a sign-in page for a program, a stack trace, answers that\n"
    "tell what exists; each with what to change, and where the standard says so.\n"
    "\n"
    "  forbid lint session.har\n"
    "  curl -sv https://api.example/users 2>&1 | forbid lint\n"
    "  forbid lint --sarif session.har > lint.sarif\n"
    "\n"
    "With --url it makes the requests itself, each without credentials, with a token that is none, and with --token:\n"
    "\n"
    "  forbid lint --url https://api.example/users/1 --url https://api.example/users/2 --token \"$TOKEN\"\n"
    "\n"
    "Exit status: 0 nothing at or above --fail-on (error), 2 something, 1 the command failed.\n";

static enum fb_parsed parse(struct fb_cli *cli, struct options *o, int argc, char **argv, struct fb_words *words)
{
    const struct fb_option own[] = {
        {FB_OPTION_LIST, 0, "url", "URL", "make the requests to this", &o->live.urls},
        {FB_OPTION_LIST, 0, "token", "TOKEN", "with --url: a bearer token to try too", &o->live.tokens},
        {FB_OPTION_LIST, 0, "header", "FIELD", "with --url: 'Name: value', sent with each request", &o->live.headers},
        {FB_OPTION_TEXT, 0, "origin", "ORIGIN", "with --url: ask as a script of this origin, with a preflight", &o->live.origin},
        {FB_OPTION_NUMBER, 0, "timeout", "SECONDS", "with --url: for one request (10)", &o->live.timeout},
        {FB_OPTION_LIST, 0, "ignore", "RULE", "leave this rule out", &o->ignore},
        {FB_OPTION_TEXT, 0, "fail-on", "SEVERITY", "error, warning or note: from which on the status is 2", &o->fail_on},
        {FB_OPTION_FLAG, 0, "rules", NULL, "list the rules", &o->rules},
        {FB_OPTION_FLAG, 0, "json", NULL, "print one JSON object", &o->json},
        {FB_OPTION_FLAG, 0, "sarif", NULL, "print a SARIF 2.1.0 log", &o->sarif},
    };
    const struct fb_usage usage = {"lint", "forbid lint [FILE]... [--url URL]... [OPTIONS]", help, own,
                                   sizeof own / sizeof own[0], 0, FILES_MAX};
    return fb_options_parse(cli, &usage, argc, argv, words);
}

static const char *name_of(enum fb_severity severity)
{
    return severity == FB_ERROR ? "error" : severity == FB_WARNING ? "warning" : "note";
}

static bool is_rule(const char *code)
{
    for (unsigned rule = 0; rule < FB_RULES; rule++)
        if (strcmp(fb_audit_text((enum fb_audit_rule)rule)->code, code) == 0)
            return true;
    return false;
}

static bool is_ignored(const struct options *o, enum fb_audit_rule rule)
{
    for (size_t i = 0; i < o->ignore.count; i++)
        if (strcmp(o->ignore.list[i], fb_audit_text(rule)->code) == 0)
            return true;
    return false;
}

static bool options_are_good(struct fb_cli *cli, const struct options *o)
{
    for (size_t i = 0; i < o->ignore.count; i++)
        if (!is_rule(o->ignore.list[i]))
            return fb_cli_wrong(cli, "lint", "--ignore '%s': there is no such rule; --rules lists them", o->ignore.list[i]);
    if (o->fail_on != NULL && strcmp(o->fail_on, "error") != 0 && strcmp(o->fail_on, "warning") != 0 && strcmp(o->fail_on, "note") != 0)
        return fb_cli_wrong(cli, "lint", "--fail-on is 'error', 'warning' or 'note', not '%s'", o->fail_on);
    if (o->json && o->sarif)
        return fb_cli_wrong(cli, "lint", "--json and --sarif are two forms of one output; choose one");
    if (o->live.urls.count == 0 && (o->live.tokens.count != 0 || o->live.headers.count != 0 || o->live.origin != NULL))
        return fb_cli_wrong(cli, "lint", "--token, --header and --origin go with --url");
    return true;
}

/* --- Printing ------------------------------------------------------------------------------------------- */

/* Lines are counted on from the last one asked for: exchanges come in the order of their text, which may be long. */
struct place {
    const struct fb_source *source;
    uint32_t at, line;
};

static uint32_t line_of(struct place *place, const struct fb_exchange *exchange)
{
    if (place->source != exchange->source || place->at > exchange->at)
        *place = (struct place){.source = exchange->source, .line = 1};
    struct fb_span between = fb_span_head(fb_span_from(exchange->source->text, place->at), exchange->at - place->at);
    for (size_t end; (end = fb_span_find(between, '\n')) < between.len; between = fb_span_from(between, end + 1))
        place->line++;
    place->at = exchange->at;
    return place->line;
}

static void print_target(struct fb_buffer *out, const struct fb_exchange *x)
{
    if (x->method.len != 0) {
        fb_buffer_add_safe(out, x->method);
        fb_buffer_add_char(out, ' ');
        fb_buffer_add_safe(out, fb_span_head(x->url, 200));
        fb_buffer_add_z(out, "  ");
    }
    fb_buffer_add_format(out, "%u", x->status);
}

static void print_finding(struct fb_buffer *out, const struct fb_finding *finding, bool colour)
{
    const struct fb_audit_text *rule = fb_audit_text(finding->rule);
    const char *paint = rule->severity == FB_ERROR ? "\033[31m" : rule->severity == FB_WARNING ? "\033[33m" : "";
    fb_buffer_add_format(out, "  %s%s%s: %s [%s]\n", colour ? paint : "", name_of(rule->severity), colour && paint[0] != '\0' ? "\033[0m" : "",
                         rule->what, rule->code);
    if (finding->shown.len != 0) {
        fb_buffer_add_z(out, "    found: ");
        fb_buffer_add_safe(out, finding->shown);
        fb_buffer_add_char(out, '\n');
    }
    if (finding->other != NULL) {
        fb_buffer_add_z(out, "    beside: ");
        print_target(out, finding->other);
        fb_buffer_add_char(out, '\n');
    }
    fb_buffer_add_format(out, "    change: %s (%s)\n", rule->change, rule->source);
}

static void print_text(struct fb_buffer *out, const struct fb_exchanges *exchanges, const struct fb_findings *findings,
                       const struct options *o, bool colour)
{
    size_t counts[3] = {0, 0, 0};
    struct place place = {.source = NULL};
    const struct fb_exchange *last = NULL;
    for (size_t i = 0; i < findings->count; i++) {
        const struct fb_exchange *x = findings->list[i].exchange;
        if (is_ignored(o, findings->list[i].rule))
            continue;
        if (x != last) {
            fb_buffer_add_z(out, last != NULL ? "\n" : "");
            print_target(out, x);
            fb_buffer_add_z(out, "  ");
            fb_buffer_add_safe(out, x->source->name);
            fb_buffer_add_format(out, ":%u\n", line_of(&place, x));
            last = x;
        }
        counts[fb_audit_text(findings->list[i].rule)->severity]++;
        print_finding(out, &findings->list[i], colour);
    }
    fb_buffer_add_z(out, last != NULL ? "\n" : "");
    fb_buffer_add_format(out, "%zu exchange%s: %zu error%s, %zu warning%s, %zu note%s\n", exchanges->count, exchanges->count == 1 ? "" : "s",
                         counts[FB_ERROR], counts[FB_ERROR] == 1 ? "" : "s", counts[FB_WARNING], counts[FB_WARNING] == 1 ? "" : "s",
                         counts[FB_NOTE], counts[FB_NOTE] == 1 ? "" : "s");
}

static void json_exchange(struct fb_buffer *out, struct place *place, const struct fb_exchange *x)
{
    fb_buffer_add_z(out, "{\"file\":");
    fb_buffer_add_json(out, x->source->name);
    fb_buffer_add_format(out, ",\"line\":%u,\"method\":", line_of(place, x));
    fb_buffer_add_json(out, x->method);
    fb_buffer_add_z(out, ",\"url\":");
    fb_buffer_add_json(out, x->url);
    fb_buffer_add_format(out, ",\"status\":%u}", x->status);
}

static void print_json(struct fb_buffer *out, const struct fb_exchanges *exchanges, const struct fb_findings *findings, const struct options *o)
{
    bool first = true;
    struct place place = {.source = NULL}, beside = {.source = NULL};
    fb_buffer_add_format(out, "{\"exchanges\":%zu,\"findings\":[", exchanges->count);
    for (size_t i = 0; i < findings->count; i++) {
        const struct fb_finding *finding = &findings->list[i];
        const struct fb_audit_text *rule = fb_audit_text(finding->rule);
        if (is_ignored(o, finding->rule))
            continue;
        fb_buffer_add_format(out, "%s{\"rule\":\"%s\",\"severity\":\"%s\",\"what\":", first ? "" : ",", rule->code, name_of(rule->severity));
        first = false;
        fb_buffer_add_json(out, fb_span_z(rule->what));
        fb_buffer_add_z(out, ",\"change\":");
        fb_buffer_add_json(out, fb_span_z(rule->change));
        fb_buffer_add_z(out, ",\"source\":");
        fb_buffer_add_json(out, fb_span_z(rule->source));
        fb_buffer_add_z(out, ",\"found\":");
        fb_buffer_add_json(out, finding->shown);
        fb_buffer_add_z(out, ",\"exchange\":");
        json_exchange(out, &place, finding->exchange);
        if (finding->other != NULL) {
            fb_buffer_add_z(out, ",\"beside\":");
            json_exchange(out, &beside, finding->other);
        }
        fb_buffer_add_char(out, '}');
    }
    fb_buffer_add_z(out, "]}\n");
}

/* As diagnostics, which the writer of SARIF takes. */
static void print_sarif(struct fb_buffer *out, const struct fb_findings *findings, const struct options *o, struct fb_arena *arena)
{
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    diags.limit = 100000;
    for (size_t i = 0; i < findings->count; i++) {
        const struct fb_finding *finding = &findings->list[i];
        const struct fb_audit_text *rule = fb_audit_text(finding->rule);
        const struct fb_exchange *x = finding->exchange;
        struct fb_span code = fb_arena_format(arena, "lint.%s", rule->code);
        if (is_ignored(o, finding->rule) || code.len == 0)
            continue;
        /* Its first line, or as much of it as one looks at. */
        struct fb_span line = fb_source_line(x->source, x->at);
        uint32_t end = (uint32_t)(line.ptr + line.len - x->source->text.ptr);
        if (end > x->at + 80)
            end = x->at + 80;
        struct fb_diag *diag = fb_diag_add(&diags, rule->severity, code.ptr, x->source, (struct fb_range){x->at, end},
                                           "%s (%.*s %.*s, status %u)", rule->what, (int)x->method.len, x->method.ptr,
                                           (int)(x->url.len < 200 ? x->url.len : 200), x->url.ptr, x->status);
        diag->hint = fb_arena_format(arena, "%s (%s)", rule->change, rule->source);
    }
    fb_sarif_print(out, &diags, "exchanges");
}

static int print_rules_json(struct fb_cli *cli)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 20);
    fb_buffer_add_z(&out, "{\"rules\":[");
    for (unsigned i = 0; i < FB_RULES; i++) {
        const struct fb_audit_text *rule = fb_audit_text((enum fb_audit_rule)i);
        const char *const members[][2] = {{"rule", rule->code}, {"severity", name_of(rule->severity)}, {"what", rule->what},
                                          {"change", rule->change}, {"source", rule->source}};
        for (size_t m = 0; m < sizeof members / sizeof members[0]; m++) {
            fb_buffer_add_format(&out, "%s\"%s\":", m != 0 ? "," : i != 0 ? ",{" : "{", members[m][0]);
            fb_buffer_add_json(&out, fb_span_z(members[m][1]));
        }
        fb_buffer_add_char(&out, '}');
    }
    fb_buffer_add_z(&out, "]}\n");
    fb_cli_write(cli, &out);
    bool whole = !out.failed;
    fb_buffer_release(&out);
    return whole ? FB_EXIT_OK : fb_cli_fail(cli, "lint: out of memory");
}

static int print_rules(struct fb_cli *cli)
{
    for (unsigned i = 0; i < FB_RULES; i++) {
        const struct fb_audit_text *rule = fb_audit_text((enum fb_audit_rule)i);
        fprintf(cli->out, "%-20s %-8s %s\n%30s%s (%s)\n", rule->code, name_of(rule->severity), rule->what, "", rule->change, rule->source);
    }
    return FB_EXIT_OK;
}

/* --- The run --------------------------------------------------------------------------------------------- */

static bool read_file(struct fb_cli *cli, const char *path, struct fb_exchanges *exchanges, bool json)
{
    struct fb_arena *arena = exchanges->arena;
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_buffer text;
    struct fb_diags diags;
    fb_buffer_init(&text, &fb_heap, FB_EXCHANGES_BYTES);
    bool good = source != NULL && fb_cli_read(cli, path, &text);
    if (good) {
        struct fb_span name = fb_span_z(strcmp(path, "-") == 0 ? "<stdin>" : path);
        *source = (struct fb_source){name, fb_arena_copy(arena, fb_buffer_span(&text))};
        fb_diags_init(&diags, arena);
        good = fb_exchanges_read(exchanges, source, &diags);
        if (!good)
            fb_cli_diags(cli, &diags, json);
    }
    fb_buffer_release(&text);
    return good;
}

static bool is_failure(const struct options *o, const struct fb_findings *findings)
{
    enum fb_severity least = o->fail_on == NULL || strcmp(o->fail_on, "error") == 0 ? FB_ERROR
                             : strcmp(o->fail_on, "warning") == 0                   ? FB_WARNING
                                                                                    : FB_NOTE;
    for (size_t i = 0; i < findings->count; i++)
        if (!is_ignored(o, findings->list[i].rule) && fb_audit_text(findings->list[i].rule)->severity <= least)
            return true;
    return false;
}

static int audit(struct fb_cli *cli, const struct options *o, const struct fb_exchanges *exchanges)
{
    struct fb_findings findings;
    struct fb_buffer out;
    if (!fb_audit(exchanges, &findings))
        return fb_cli_fail(cli, "lint: out of memory");
    fb_buffer_init(&out, &fb_heap, (size_t)256 << 20);
    if (o->json)
        print_json(&out, exchanges, &findings, o);
    else if (o->sarif)
        print_sarif(&out, &findings, o, exchanges->arena);
    else
        print_text(&out, exchanges, &findings, o, cli->colour_out);
    fb_cli_write(cli, &out);
    bool whole = !out.failed && !exchanges->arena->failed;
    fb_buffer_release(&out);
    if (!whole)
        return fb_cli_fail(cli, "lint: out of memory");
    return is_failure(o, &findings) ? FB_EXIT_DENY : FB_EXIT_OK;
}

int fb_cmd_lint(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.json = false};
    struct fb_words words;
    enum fb_parsed parsed = parse(cli, &options, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (options.rules)
        return options.json ? print_rules_json(cli) : print_rules(cli);
    if (!options_are_good(cli, &options))
        return FB_EXIT_FAILED;
    struct fb_arena arena;
    struct fb_exchanges exchanges;
    fb_arena_init(&arena, &fb_heap, (size_t)2 << 30);
    fb_exchanges_init(&exchanges, &arena);
    bool good = true;
    for (size_t i = 0; good && i < words.count; i++)
        good = read_file(cli, words.list[i], &exchanges, options.json);
    if (good && words.count == 0 && options.live.urls.count == 0)
        good = read_file(cli, "-", &exchanges, options.json);
    if (good && options.live.urls.count != 0)
        good = fb_lint_live(cli, &options.live, &exchanges);
    int status = good ? audit(cli, &options, &exchanges) : FB_EXIT_FAILED;
    fb_arena_release(&arena);
    return status;
}
