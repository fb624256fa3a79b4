/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid advise`: what a client may do about an answer, from the text that curl printed.
 * The rules are src/refusal/advise.c's. */
#include "cli/cli.h"

#include "refusal/refusal.h"

#include <time.h>

#define TEXT_CEILING ((size_t)256 << 20)

struct options {
    const char *credentials, *scopes, *acr, *method;
    struct fb_words tried, fields;
    uint64_t status, waits, waited, wait_max, now, auth_time;
    bool refresh, strict, html, json;
};

static const char help[] =
    "Says what a client may do about an answer: authenticate, refresh, request more scope, step up, retry with the\n"
    "server's nonce, wait, fix the request; or give up, and why.  Reads what `curl -i` or `curl -v` printed, its traces,\n"
    "or a HAR file (of several exchanges the last counts), from FILE or standard input.\n"
    "\n"
    "  curl -sv https://api.example/users 2>&1 | forbid advise\n"
    "  forbid advise answer.txt --credentials bearer --refresh --scopes 'read write'\n"
    "  forbid advise --status 403 --field 'WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"write\"' \\\n"
    "      --credentials bearer\n"
    "\n"
    "What the request was sent with is taken from it where the text shows it.  A cure is given once: --tried says\n"
    "which were.\n"
    "\n"
    "Exit status: 0 there is something to do that cures it, or nothing is wrong; 2 give up, or the request is wrong;\n"
    "1 the command failed.\n";

static enum fb_parsed parse(struct fb_cli *cli, struct options *o, int argc, char **argv, struct fb_words *words)
{
    const struct fb_option own[] = {
        {FB_OPTION_TEXT, 0, "credentials", "KIND", "what was sent: none, bearer, dpop, basic, session, other", &o->credentials},
        {FB_OPTION_FLAG, 0, "refresh", NULL, "the client can get a new token without the user", &o->refresh},
        {FB_OPTION_TEXT, 0, "scopes", "WORDS", "the scopes of the token", &o->scopes},
        {FB_OPTION_TEXT, 0, "acr", "WORD", "the strength of the sign-in", &o->acr},
        {FB_OPTION_NUMBER, 0, "auth-time", "SECONDS", "when it was, since 1970", &o->auth_time},
        {FB_OPTION_LIST, 0, "tried", "CURE", "a cure that was tried for this request", &o->tried},
        {FB_OPTION_NUMBER, 0, "waits", "N", "how often it waited", &o->waits},
        {FB_OPTION_NUMBER, 0, "waited", "SECONDS", "and how long in all", &o->waited},
        {FB_OPTION_NUMBER, 0, "wait-max", "SECONDS", "how long it would (60)", &o->wait_max},
        {FB_OPTION_TEXT, 0, "method", "METHOD", "of the request (GET)", &o->method},
        {FB_OPTION_FLAG, 0, "strict", NULL, "the server keeps to RFC 9110: a 403 without credentials is final", &o->strict},
        {FB_OPTION_FLAG, 0, "html", NULL, "the client is a browser: sign-in pages are what it asked for", &o->html},
        {FB_OPTION_NUMBER, 0, "now", "SECONDS", "the time, since 1970", &o->now},
        {FB_OPTION_NUMBER, 0, "status", "STATUS", "the answer's status, instead of a text", &o->status},
        {FB_OPTION_LIST, 0, "field", "FIELD", "with --status: 'Name: value'", &o->fields},
        {FB_OPTION_FLAG, 0, "json", NULL, "print one JSON object", &o->json},
    };
    const struct fb_usage usage = {"advise", "forbid advise [FILE] [OPTIONS]", help, own, sizeof own / sizeof own[0], 0, 1};
    return fb_options_parse(cli, &usage, argc, argv, words);
}

static bool set_tried(struct fb_cli *cli, const struct fb_words *tried, unsigned *set)
{
    for (size_t i = 0; i < tried->count; i++) {
        unsigned cure = 0;
        struct fb_span word = fb_span_z(tried->list[i]);
        while (cure < FB_CURES && !fb_span_eq(fb_cure_name((enum fb_cure)cure), word))
            cure++;
        if (cure == FB_CURES)
            return fb_cli_wrong(cli, "advise", "--tried '%s' is no cure: authenticate, refresh, request_scope, step_up, retry_nonce",
                                tried->list[i]);
        *set |= 1u << cure;
    }
    return true;
}

static bool set_client(struct fb_cli *cli, const struct options *o, const struct fb_exchange *from, struct fb_client *client)
{
    *client = (struct fb_client){
        .can_refresh = o->refresh, .strict = o->strict, .wants_html = o->html, .acr = fb_span_z(o->acr),
        .scopes_known = o->scopes != NULL, .scopes = fb_span_z(o->scopes),
        .has_auth_time = o->auth_time != 0, .auth_time = (int64_t)(o->auth_time & INT64_MAX),
        .now = o->now != 0 ? (int64_t)(o->now & INT64_MAX) : (int64_t)time(NULL),
        .waits = (unsigned)(o->waits < 1000 ? o->waits : 1000), .waited = o->waited, .wait_max = o->wait_max,
    };
    client->method = o->method != NULL ? fb_span_z(o->method) : from->method;
    client->presented = fb_exchange_presented(from);
    if (o->credentials != NULL && !fb_presented_parse(fb_span_z(o->credentials), &client->presented))
        return fb_cli_wrong(cli, "advise", "--credentials '%s': none, bearer, dpop, basic, session, other", o->credentials);
    return set_tried(cli, &o->tried, &client->tried);
}

/* --- Printing -------------------------------------------------------------------------------------------- */

static void say(struct fb_buffer *out, const char *name, struct fb_span value)
{
    if (value.len == 0)
        return;
    fb_buffer_add_format(out, "  %-18s ", name);
    fb_buffer_add_safe(out, value);
    fb_buffer_add_char(out, '\n');
}

static const char *in_words(enum fb_cure cure)
{
    static const char *const words[FB_CURES] = {"give up", "proceed", "authenticate", "refresh the token, once",
        "ask for more scope", "step up the sign-in", "retry with the nonce", "wait", "fix the request"};
    return words[cure];
}

static void print_text(struct fb_buffer *out, unsigned status, const struct fb_advice *advice, bool colour)
{
    fb_buffer_add_format(out, "%u: %s%s%s", status, colour ? "\033[1m" : "", in_words(advice->cure), colour ? "\033[0m" : "");
    if (advice->cure == FB_CURE_WAIT)
        fb_buffer_add_format(out, " %llu s", (unsigned long long)advice->wait);
    fb_buffer_add_format(out, "%s\n  %s (%s)\n", advice->sure ? "" : " (a guess)", fb_ground_sentence(advice->why).ptr,
                         fb_ground_source(advice->why).ptr);
    say(out, "why", fb_ground_code(advice->why));
    say(out, "scheme", advice->scheme);
    say(out, "realm", advice->realm);
    say(out, "scope", advice->scope);
    say(out, "acr_values", advice->acr_values);
    if (advice->has_max_age)
        fb_buffer_add_format(out, "  %-18s %llu s\n", "max_age", (unsigned long long)advice->max_age);
    say(out, "nonce", advice->nonce);
    if (advice->cure == FB_CURE_GIVE_UP && advice->wait != 0)
        fb_buffer_add_format(out, "  %-18s %llu s\n", "not before", (unsigned long long)advice->wait);
    say(out, "allow", advice->allow);
    say(out, "resource_metadata", advice->resource_metadata);
    say(out, "link", advice->link);
    say(out, "the server's code", advice->reason);
    say(out, "the server says", advice->detail);
}

static void member(struct fb_buffer *out, const char *name, struct fb_span value)
{
    if (value.len == 0)
        return;
    fb_buffer_add_format(out, ",\"%s\":", name);
    fb_buffer_add_json(out, value);
}

static void print_json(struct fb_buffer *out, unsigned status, const struct fb_advice *advice)
{
    fb_buffer_add_format(out, "{\"status\":%u,\"cure\":\"%s\",\"why\":\"%s\",\"sure\":%s", status, fb_cure_name(advice->cure).ptr,
                         fb_ground_code(advice->why).ptr, advice->sure ? "true" : "false");
    member(out, "sentence", fb_ground_sentence(advice->why));
    member(out, "source", fb_ground_source(advice->why));
    member(out, "scheme", advice->scheme);
    member(out, "realm", advice->realm);
    member(out, "scope", advice->scope);
    member(out, "acr_values", advice->acr_values);
    if (advice->has_max_age)
        fb_buffer_add_format(out, ",\"max_age\":%llu", (unsigned long long)advice->max_age);
    member(out, "nonce", advice->nonce);
    if (advice->wait != 0 || advice->cure == FB_CURE_WAIT)
        fb_buffer_add_format(out, ",\"wait\":%llu", (unsigned long long)advice->wait);
    member(out, "allow", advice->allow);
    member(out, "resource_metadata", advice->resource_metadata);
    member(out, "link", advice->link);
    member(out, "reason", advice->reason);
    member(out, "detail", advice->detail);
    fb_buffer_add_z(out, "}\n");
}

/* --- Where the answer comes from ------------------------------------------------------------------------------ */

static bool from_options(struct fb_cli *cli, const struct options *o, struct fb_arena *arena, struct fb_exchange *one)
{
    if (o->status < 100 || o->status > 999)
        return fb_cli_wrong(cli, "advise", "--status is three digits");
    one->status = (unsigned)o->status;
    one->response = fb_arena_array(arena, o->fields.count, sizeof *one->response);
    for (size_t i = 0; one->response != NULL && i < o->fields.count; i++) {
        struct fb_span line = fb_span_z(o->fields.list[i]);
        size_t colon = fb_span_find(line, ':');
        if (colon == 0 || colon == line.len)
            return fb_cli_wrong(cli, "advise", "--field '%s' is not 'Name: value'", o->fields.list[i]);
        one->response[one->response_count++] =
            (struct fb_line){fb_span_head(line, colon), fb_span_trim(fb_span_from(line, colon + 1))};
    }
    return one->response != NULL || fb_cli_wrong(cli, "advise", "out of memory");
}

static bool from_text(struct fb_cli *cli, const char *path, bool json, struct fb_buffer *text, struct fb_arena *arena,
                      struct fb_exchange *one)
{
    if (!fb_cli_read(cli, path, text))
        return false;
    struct fb_source source = {fb_span_z(strcmp(path, "-") == 0 ? "<stdin>" : path), fb_buffer_span(text)};
    struct fb_exchanges exchanges;
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    fb_exchanges_init(&exchanges, arena);
    if (!fb_exchanges_read(&exchanges, &source, &diags)) {
        fb_cli_diags(cli, &diags, json);
        return false;
    }
    *one = exchanges.list[exchanges.count - 1];
    return one->status != 0 || fb_cli_wrong(cli, "advise", "%s: no answer came to the last request", path);
}

static int advise(struct fb_cli *cli, const struct options *o, const struct fb_exchange *one, struct fb_arena *arena)
{
    const struct fb_received seen = {one->status, one->response, one->response_count, one->body};
    struct fb_client client;
    struct fb_advice advice;
    struct fb_buffer out;
    if (!set_client(cli, o, one, &client))
        return FB_EXIT_FAILED;
    fb_advise(&seen, &client, arena, &advice);
    fb_buffer_init(&out, &fb_heap, (size_t)4 << 20);
    if (o->json)
        print_json(&out, one->status, &advice);
    else
        print_text(&out, one->status, &advice, cli->colour_out);
    fb_cli_write(cli, &out);
    bool whole = !out.failed && !arena->failed;
    fb_buffer_release(&out);
    if (!whole)
        return fb_cli_fail(cli, "advise: out of memory");
    return advice.cure == FB_CURE_GIVE_UP || advice.cure == FB_CURE_FIX_REQUEST ? FB_EXIT_DENY : FB_EXIT_OK;
}

int fb_cmd_advise(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.json = false};
    struct fb_words words;
    enum fb_parsed parsed = parse(cli, &options, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (options.status != 0 && words.count != 0)
        return fb_cli_fail(cli, "advise: either a text or --status");
    if (options.status == 0 && options.fields.count != 0)
        return fb_cli_fail(cli, "advise: --field goes with --status");
    struct fb_exchange one = {.status = 0};
    struct fb_arena arena;
    struct fb_buffer text;
    fb_arena_init(&arena, &fb_heap, (size_t)1 << 30);
    fb_buffer_init(&text, &fb_heap, TEXT_CEILING);
    int status = FB_EXIT_FAILED;
    if (options.status != 0 ? from_options(cli, &options, &arena, &one)
                            : from_text(cli, words.count != 0 ? words.list[0] : "-", options.json, &text, &arena, &one))
        status = advise(cli, &options, &one, &arena);
    fb_buffer_release(&text);
    fb_arena_release(&arena);
    return status;
}
