/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid why`: one request, imagined or with a real token, through the very steps that the server
 * takes; what it would answer, and why. */
#include "cli/http_line.h"
#include "cli/why.h"

#include <time.h>

#define TEXT_CEILING ((size_t)64 << 20)

struct options {
    struct fb_site_options site;
    const char *as, *token, *ip, *country, *time;
    struct fb_words scopes, groups, headers;
    bool anonymous, tls, all, json;
};

static const char help[] =
    "Says what a request would get, and why: the status, the reason, what the client would see,\n"
    "and for each policy that mattered the clause that decided, with its values.\n"
    "\n"
    "  forbid why policies 'DELETE /api/users/123' --as 'User::\"456\"' --store store\n"
    "\n"
    "Who asks is one of\n"
    "  --as UID      somebody, with no token at hand; --in and --scope say what it would bring\n"
    "  --token JWT   whoever the token names (needs --issuer, --jwks, --audience)\n"
    "  --anonymous   nobody; so it is without either\n"
    "\n"
    "  forbid why policies 'GET /api/reports' --as 'User::\"alice\"' --in 'Role::\"admin\"' --scope read\n"
    "  forbid why policies 'GET /api/articles/welcome' --ip 203.0.113.7 --country KP\n"
    "  forbid why policies 'PATCH /api/users/1' --token \"$TOKEN\" --time 2026-12-24T18:00:00Z \\\n"
    "      --issuer https://login.example --jwks keys.json --audience api\n"
    "\n"
    "Exit status: 0 it would be forwarded, 2 refused, 1 the command failed.\n";

static enum fb_parsed parse(struct fb_cli *cli, struct options *options, int argc, char **argv, struct fb_words *words)
{
    const struct fb_option own[] = {
        {FB_OPTION_TEXT, 0, "as", "UID", "who asks: User::\"alice\"", &options->as},
        {FB_OPTION_LIST, 0, "in", "UID", "with --as: a group that the token would name (Role::\"admin\")",
         &options->groups},
        {FB_OPTION_LIST, 0, "scope", "NAME", "with --as: a scope of the token", &options->scopes},
        {FB_OPTION_TEXT, 0, "token", "JWT", "a bearer token", &options->token},
        {FB_OPTION_FLAG, 0, "anonymous", NULL, "nobody is signed in (default)", &options->anonymous},
        {FB_OPTION_TEXT, 0, "ip", "ADDRESS", "the client's address (127.0.0.1)", &options->ip},
        {FB_OPTION_TEXT, 0, "country", "CC", "its country, whatever --geo says", &options->country},
        {FB_OPTION_LIST, 0, "header", "'NAME: VALUE'", "a header field", &options->headers},
        {FB_OPTION_FLAG, 0, "tls", NULL, "over TLS", &options->tls},
        {FB_OPTION_TEXT, 0, "time", "TIME", "when: 2026-12-24T18:00:00Z (now)", &options->time},
        {FB_OPTION_FLAG, 0, "all", NULL, "show policies that had no part in it, too", &options->all},
        {FB_OPTION_FLAG, 0, "json", NULL, "as one JSON object", &options->json},
    };
    enum { OWN = sizeof own / sizeof own[0] };
    struct fb_option rows[FB_SITE_OPTIONS_COUNT + OWN] = {{.name = NULL}};
    memcpy(rows, own, sizeof own);
    fb_site_options(&options->site, rows + OWN);
    const struct fb_usage usage = {
        .verb = "why",
        .synopsis = "forbid why DIR 'METHOD /path' [--as UID | --token JWT | --anonymous]",
        .text = help,
        .options = rows,
        .options_count = FB_SITE_OPTIONS_COUNT + OWN,
        .words_min = 2,
        .words_max = 3,
    };
    return fb_options_parse(cli, &usage, argc, argv, words);
}

/* The request and everything that it points to. */
struct asked {
    struct fb_arena arena;
    struct fb_http_request http;
    struct fb_http_field fields[FB_WORDS_MAX + 1];
    struct fb_http_field_list list;
    struct fb_assumed assumed;
    struct fb_span scopes[FB_WORDS_MAX];
    const struct fb_uid *groups[FB_WORDS_MAX];
};

static bool check_who(struct fb_cli *cli, const struct options *options)
{
    if ((options->as != NULL) + (options->token != NULL) + options->anonymous > 1)
        return fb_cli_wrong(cli, "why", "--as, --token and --anonymous are three ways to say who asks; give one");
    if (options->as == NULL && (options->scopes.count != 0 || options->groups.count != 0))
        return fb_cli_wrong(cli, "why", "--scope and --in go with --as; a token brings its own");
    if (options->token != NULL && options->site.issuers.count == 0)
        return fb_cli_wrong(cli, "why",
                            "--token needs the issuer whose token it is: --issuer URL --jwks FILE --audience NAME");
    return true;
}

static bool read_uid(struct fb_cli *cli, struct asked *asked, const char *option, const char *text,
                     const struct fb_uid **uid)
{
    *uid = fb_uid_parse(&asked->arena, fb_span_z(text));
    return *uid != NULL
           || fb_cli_wrong(cli, "why", "%s: '%s' is not an entity uid; one is written as User::\"alice\"", option,
                           text);
}

static bool read_who(struct fb_cli *cli, const struct options *options, struct asked *asked)
{
    if (options->as == NULL)
        return true;
    struct fb_assumed *assumed = &asked->assumed;
    if (!read_uid(cli, asked, "--as", options->as, &assumed->principal))
        return false;
    for (size_t i = 0; i < options->scopes.count; i++)
        asked->scopes[i] = fb_span_z(options->scopes.list[i]);
    for (size_t i = 0; i < options->groups.count; i++)
        if (!read_uid(cli, asked, "--in", options->groups.list[i], &asked->groups[i]))
            return false;
    assumed->scopes = asked->scopes;
    assumed->scopes_count = options->scopes.count;
    assumed->parents = asked->groups;
    assumed->parents_count = options->groups.count;
    return true;
}

static bool read_fields(struct fb_cli *cli, const struct options *options, struct asked *asked)
{
    asked->http.host = FB_SPAN("localhost");
    for (size_t i = 0; i < options->headers.count; i++) {
        struct fb_http_field *field = &asked->fields[asked->list.count];
        if (!fb_http_field_read(fb_span_z(options->headers.list[i]), field))
            return fb_cli_wrong(cli, "why", "--header is 'Name: value', not '%s'", options->headers.list[i]);
        if (fb_span_eq_nocase(field->name, FB_SPAN("host")))
            asked->http.host = field->value;
        asked->list.count++;
    }
    if (options->token != NULL)
        asked->fields[asked->list.count++] = (struct fb_http_field){
            FB_SPAN("Authorization"), fb_arena_format(&asked->arena, "Bearer %s", options->token)};
    asked->list.list = asked->fields;
    asked->http.fields = fb_http_fields_of(&asked->list);
    return true;
}

static bool read_circumstances(struct fb_cli *cli, const struct options *options, struct asked *asked)
{
    struct fb_http_request *http = &asked->http;
    const char *ip = options->ip != NULL ? options->ip : "127.0.0.1";
    const char *fault = fb_ip_parse(fb_span_z(ip), &http->peer);
    if (fault != NULL || strchr(ip, '/') != NULL)
        return fb_cli_wrong(cli, "why", "--ip: '%s' is not the address of a client%s%s", ip, fault != NULL ? ": " : "",
                            fault != NULL ? fault : "");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    http->now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    fault = options->time != NULL ? fb_datetime_parse(fb_span_z(options->time), &http->now_ms) : NULL;
    if (fault != NULL)
        return fb_cli_wrong(cli, "why", "--time: '%s' is not a time like 2026-12-24T18:00:00Z: %s", options->time,
                            fault);
    http->country = fb_span_z(options->country);
    bool two = http->country.len == 2;
    for (size_t i = 0; i < http->country.len; i++)
        two = two && http->country.ptr[i] >= 'A' && http->country.ptr[i] <= 'Z';
    if (options->country != NULL && !two)
        return fb_cli_wrong(cli, "why", "--country is two capital letters, not '%s'", options->country);
    http->tls = options->tls;
    if (options->tls) {
        http->tls_version = FB_SPAN("TLSv1.3");
        http->tls_cipher = FB_SPAN("TLS_AES_128_GCM_SHA256");
    }
    return true;
}

static bool read_request(struct fb_cli *cli, const struct options *options, const struct fb_words *words,
                         struct asked *asked)
{
    struct fb_span line = words->count == 3 ? fb_arena_format(&asked->arena, "%s %s", words->list[1], words->list[2])
                                            : fb_span_z(words->list[1]);
    const char *fault = fb_http_line_read(line, &asked->arena, &asked->http);
    if (fault != NULL)
        return fb_cli_wrong(cli, "why", "'%.*s': %s", (int)line.len, line.ptr, fault);
    return check_who(cli, options) && read_who(cli, options, asked) && read_fields(cli, options, asked)
           && read_circumstances(cli, options, asked);
}

static struct fb_span accept_of(const struct asked *asked)
{
    for (size_t i = 0; i < asked->list.count; i++)
        if (fb_span_eq_nocase(asked->fields[i].name, FB_SPAN("accept")))
            return asked->fields[i].value;
    return FB_SPAN("");
}

static int answer(struct fb_cli *cli, const struct options *options, const struct fb_cli_site *site,
                  const struct asked *asked, struct fb_guard *guard)
{
    struct fb_why why;
    struct fb_response response;
    struct fb_why_shown shown = {.site = site,
                                 .http = &asked->http,
                                 .why = &why,
                                 .all = options->all,
                                 .has_token = options->token != NULL,
                                 .assumed = asked->assumed.principal != NULL ? &asked->assumed : NULL};
    fb_guard_why(guard, &site->site, &asked->http, shown.assumed, &why);
    struct fb_audience audience = {.accept = accept_of(asked)};
    if (!why.answer.forward && fb_refusal_render(&why.answer.refusal, &audience, fb_guard_arena(guard), &response))
        shown.response = &response;
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, TEXT_CEILING);
    if (options->json)
        fb_why_print_json(&out, &shown);
    else
        fb_why_print(&out, &shown, cli->colour_out);
    fb_cli_write(cli, &out);
    bool whole = !out.failed;
    fb_buffer_release(&out);
    fb_guard_release(guard);
    if (!whole)
        return fb_cli_fail(cli, "why: out of memory");
    return why.answer.forward ? FB_EXIT_OK : FB_EXIT_DENY;
}

/* A server takes no issuer of principals that the schema has no type for, so nobody can ask as one. */
static bool types_known(struct fb_cli *cli, const struct fb_cli_site *site, const struct asked *asked)
{
    const struct fb_assumed *assumed = &asked->assumed;
    if (assumed->principal != NULL && !fb_cli_type_known(cli, "why", "--as", site, assumed->principal))
        return false;
    for (size_t i = 0; i < assumed->parents_count; i++)
        if (!fb_cli_type_known(cli, "why", "--in", site, assumed->parents[i]))
            return false;
    return true;
}

static int ask(struct fb_cli *cli, const struct options *options, const char *dir, const struct asked *asked)
{
    struct fb_cli_site site;
    int status = FB_EXIT_FAILED;
    bool open = fb_cli_site_open(&site, &options->site, dir);
    /* Without an issuer nobody could sign in, and every answer would be about that; what is asked is
     * how it is where one can. */
    if (open && site.issuers == NULL)
        site.site.issuers = site.issuers = fb_issuers_new(&fb_heap);
    /* Warnings are `check`'s to show. */
    if (!open) {
        fb_cli_diags(cli, &site.diags, options->json);
    } else if (types_known(cli, &site, asked)) {
        struct fb_guard *guard =
            fb_guard_new(&(struct fb_guard_options){.allocator = &fb_heap, .arena_bytes = TEXT_CEILING});
        status = guard != NULL ? answer(cli, options, &site, asked, guard) : fb_cli_fail(cli, "out of memory");
        fb_guard_free(guard);
    }
    fb_cli_site_close(&site);
    return status;
}

int fb_cmd_why(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.json = false};
    struct fb_words words;
    enum fb_parsed parsed = parse(cli, &options, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    struct asked asked = {.list = {.count = 0}};
    fb_arena_init(&asked.arena, &fb_heap, (size_t)16 << 20);
    int status = FB_EXIT_FAILED;
    if (read_request(cli, &options, &words, &asked))
        status = ask(cli, &options, words.list[0], &asked);
    fb_arena_release(&asked.arena);
    return status;
}
