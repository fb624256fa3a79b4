/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid probe`: the command, from its options to its exit status.  probe.h says which file does what. */
#include "cli/probe.h"
#include "cli/probe_report.h"

#define ARENA_MAX ((size_t)2 << 30)
#define FILE_MAX ((size_t)64 << 20)
#define BODY_MAX ((size_t)64 << 10)     /* of one answer: what is compared; the rest is not read */
#define RATE 50u
#define REQUESTS 5000u
#define TIMED 5000u

struct options {
    struct fb_site_options site;
    const char *policies, *openapi, *identities, *baseline, *fail_on, *ca;
    struct fb_words as, owns, headers;
    struct fb_probe_filter filter;
    struct fb_probe_report report;
    uint64_t rate, max_requests, timeout, timing_requests;
    bool plan, timing, ways_around;
};

static const char help[] =
    "Asks a running API for each of its routes as each of several identities, safely, and says who gets what: a matrix,\n"
    "and what is wrong with it. Objects of one identity that another gets, functions that answer who may not call them,\n"
    "refusals that tell what exists, and what `forbid lint` finds. With a policy directory each answer is held against\n"
    "what the policies say.\n"
    "\n"
    "  forbid probe https://staging.example --policies policies --identities who.json\n"
    "  forbid probe http://127.0.0.1:8080 --openapi api.json --as alice=@alice.jwt --as bob=@bob.jwt --owns alice:id=7 --plan\n"
    "  forbid probe https://staging.example --openapi api.json --identities who.json --output matrix.svg --output probe.sarif\n"
    "\n"
    "Who asks: --as NAME=TOKEN, NAME=@FILE (a file with the token), NAME='header:X-Api-Key: …', NAME=none; or a file:\n"
    "\n"
    "  {\"identities\": [{\"name\": \"alice\", \"token_file\": \"alice.jwt\", \"principal\": \"User::\\\"7\\\"\", \"owns\": {\"id\": [\"7\"]}},\n"
    "                  {\"name\": \"root\", \"token_env\": \"ROOT_TOKEN\", \"privileged\": true}],\n"
    "   \"parameters\": {\"slug\": [\"welcome\"]}, \"open\": [\"GET /articles/*\"], \"privileged\": [\"* /admin/*\"]}\n"
    "\n"
    "Somebody without credentials asks always. Only GET, HEAD and OPTIONS are sent, unless --unsafe names other methods.\n"
    "Probe what is yours, or what you are asked to probe.\n"
    "\n"
    "Exit status: 0 nothing at or above --fail-on (error), 2 something, 1 the command failed or was stopped.\n";

static enum fb_parsed parse(struct fb_cli *cli, struct options *o, int argc, char **argv, struct fb_words *words)
{
    const struct fb_option own[] = {
        {FB_OPTION_TEXT, 0, "policies", "DIR", "routes from this policy directory, answers held against it", &o->policies},
        {FB_OPTION_TEXT, 0, "openapi", "FILE", "routes from an OpenAPI document (JSON, YAML)", &o->openapi},
        {FB_OPTION_TEXT, 0, "identities", "FILE", "who asks, and what is whose (JSON, YAML)", &o->identities},
        {FB_OPTION_LIST, 0, "as", "NAME=WHAT", "one who asks: NAME=TOKEN, NAME=@FILE, NAME='header:Name: value', NAME=none", &o->as},
        {FB_OPTION_LIST, 0, "owns", "NAME:PARAMETER=VALUE", "what is whose: alice:id=7", &o->owns},
        {FB_OPTION_LIST, 0, "header", "FIELD", "'Name: value', sent with each request", &o->headers},
        {FB_OPTION_FLAG, 0, "plan", NULL, "print what would be sent, and send nothing", &o->plan},
        {FB_OPTION_LIST, 0, "only", "TEXT", "only routes with this in 'METHOD /path'; * is any run of characters", &o->filter.only},
        {FB_OPTION_LIST, 0, "skip", "TEXT", "not these routes", &o->filter.skip},
        {FB_OPTION_LIST, 0, "unsafe", "METHODS", "send these too: POST,PUT,PATCH,DELETE", &o->filter.unsafe},
        {FB_OPTION_NUMBER, 0, "rate", "NUMBER", "requests a second at the most (50); 0: as fast as answers come", &o->rate},
        {FB_OPTION_NUMBER, 0, "max-requests", "NUMBER", "more than this are not sent (5000)", &o->max_requests},
        {FB_OPTION_NUMBER, 0, "timeout", "SECONDS", "for one request (10)", &o->timeout},
        {FB_OPTION_TEXT, 0, "ca", "FILE", "certificates to trust in place of the system's", &o->ca},
        {FB_OPTION_FLAG, 0, "ways-around", NULL, "ask for what was refused by other spellings, and HEAD", &o->ways_around},
        {FB_OPTION_FLAG, 0, "timing", NULL, "measure whether times tell what exists", &o->timing},
        {FB_OPTION_NUMBER, 0, "timing-requests", "NUMBER", "with --timing: for each pair of objects (5000)", &o->timing_requests},
        {FB_OPTION_TEXT, 0, "format", "FORMAT", "text, json, svg or sarif (text)", &o->report.format},
        {FB_OPTION_LIST, 0, "output", "FILE", "write a report there: .json, .svg, .sarif, .txt; may be repeated", &o->report.files},
        {FB_OPTION_TEXT, 0, "baseline", "FILE", "a report in JSON whose findings are known and do not fail", &o->baseline},
        {FB_OPTION_TEXT, 0, "fail-on", "SEVERITY", "error, warning or note: from which on the status is 2", &o->fail_on},
    };
    enum { OWN = sizeof own / sizeof own[0] };
    struct fb_option rows[FB_SITE_OPTIONS_COUNT + OWN] = {{.name = NULL}};
    memcpy(rows, own, sizeof own);
    fb_site_options(&o->site, rows + OWN);
    const struct fb_usage usage = {"probe", "forbid probe URL [--policies DIR] [--openapi FILE] [--identities FILE] [--as NAME=WHAT]... [OPTIONS]",
                                   help, rows, FB_SITE_OPTIONS_COUNT + OWN, 1, 1};
    return fb_options_parse(cli, &usage, argc, argv, words);
}

static bool options_are_good(struct fb_cli *cli, const struct options *o)
{
    if (o->policies == NULL && o->openapi == NULL)
        return fb_cli_wrong(cli, "probe", "the routes come from --policies DIR or --openapi FILE; give one, or both");
    if (o->identities == NULL && o->as.count == 0)
        return fb_cli_wrong(cli, "probe", "who asks?  --identities FILE, or --as NAME=TOKEN; --as anybody=none for somebody without credentials alone");
    if (o->fail_on != NULL && strcmp(o->fail_on, "error") != 0 && strcmp(o->fail_on, "warning") != 0 && strcmp(o->fail_on, "note") != 0)
        return fb_cli_wrong(cli, "probe", "--fail-on is 'error', 'warning' or 'note', not '%s'", o->fail_on);
    if (o->rate > 100000)
        return fb_cli_wrong(cli, "probe", "--rate is 100000 at the most; 0 is as fast as answers come");
    if (o->timing_requests < 100 || o->timing_requests > 1000000)
        return fb_cli_wrong(cli, "probe", "--timing-requests is from 100 to 1000000");
    for (size_t i = 0; i < o->headers.count; i++)
        if (strchr(o->headers.list[i], ':') == NULL)
            return fb_cli_wrong(cli, "probe", "--header is 'Name: value', not '%s'", o->headers.list[i]);
    return fb_probe_report_is_good(cli, &o->report);
}

/* --- The URL -------------------------------------------------------------------------------------------------- */

static bool read_url(struct fb_probe *probe, const char *text)
{
    struct fb_span url = fb_span_z(text);
    probe->tls = fb_span_starts(url, FB_SPAN("https://"));
    if (!probe->tls && !fb_span_starts(url, FB_SPAN("http://")))
        return fb_cli_wrong(probe->cli, "probe", "'%s' is no URL of an API; one is written as https://api.example/v1", text);
    struct fb_span rest = fb_span_from(url, probe->tls ? 8 : 7);
    struct fb_span authority = fb_span_head(rest, fb_span_find(rest, '/'));
    if (fb_span_find(authority, '@') != authority.len)
        return fb_cli_wrong(probe->cli, "probe", "credentials do not stand in the URL: an identity has them (--as NAME='header:Authorization: Basic …')");
    if (authority.len == 0 || fb_span_find(url, '?') != url.len || fb_span_find(url, '#') != url.len)
        return fb_cli_wrong(probe->cli, "probe", "'%s': the URL is a base, to which paths are added; without ? and #", text);
    while (url.ptr[url.len - 1] == '/')
        url.len--;
    bool literal = authority.ptr[0] == '[';
    struct fb_span host = literal ? fb_span_head(authority, fb_span_find(authority, ']') + 1) : fb_span_head(authority, fb_span_find(authority, ':'));
    probe->host = host;
    probe->loopback = fb_span_starts(host, FB_SPAN("127.")) || fb_span_is(host, "localhost") || fb_span_is(host, "[::1]");
    bool has_path = fb_span_find(rest, '/') < rest.len && url.len > (size_t)(authority.ptr + authority.len - text);
    probe->base = fb_arena_text(probe->arena, url);
    if (!has_path && probe->routes.prefix.len != 0)
        probe->base = fb_arena_text(probe->arena, fb_arena_format(probe->arena, "%.*s%.*s", (int)url.len, url.ptr, (int)probe->routes.prefix.len, probe->routes.prefix.ptr));
    return probe->base != NULL || fb_cli_wrong(probe->cli, "probe", "out of memory");
}

/* --- Who and what ----------------------------------------------------------------------------------------------- */

static bool read_file(struct fb_probe *probe, const char *path, struct fb_source *source)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, FILE_MAX);
    bool good = fb_cli_read(probe->cli, path, &text);
    *source = (struct fb_source){fb_span_z(path), good ? fb_arena_copy(probe->arena, fb_buffer_span(&text)) : fb_span(NULL, 0)};
    fb_buffer_release(&text);
    return good && (!probe->arena->failed || fb_cli_wrong(probe->cli, "probe", "out of memory"));
}

/* A file in JSON, or in YAML by its name: then as the JSON that it stands for, and *yaml says where each thing was.
 * NULL after it has said what is wrong; no line of it, where it is `secret`. */
static const struct fb_source *read_json(struct fb_probe *probe, const char *path, bool secret, const struct fb_yaml **yaml, struct fb_diags *diags)
{
    struct fb_source *source = fb_arena_alloc(probe->arena, sizeof *source);
    *yaml = NULL;
    if (source == NULL || !read_file(probe, path, source))
        return NULL;
    if (!fb_yaml_is(source->name))
        return source;
    *yaml = fb_yaml_read(probe->arena, source, diags);
    if (*yaml == NULL) {
        if (secret)
            fb_probe_hide_lines(diags);
        fb_cli_diags(probe->cli, diags, false);
    }
    return *yaml != NULL ? &(*yaml)->json : NULL;
}

static bool read_identities(struct fb_probe *probe, const struct options *o, struct fb_diags *diags)
{
    const struct fb_yaml *yaml = NULL;
    const struct fb_source *source = o->identities != NULL ? read_json(probe, o->identities, true, &yaml, diags) : NULL;
    if (o->identities != NULL && source == NULL)
        return false;
    if (source != NULL && !fb_probe_identities_read(&probe->world, source, yaml, diags)) {
        fb_cli_diags(probe->cli, diags, false);
        return false;
    }
    for (size_t i = 0; i < o->as.count; i++)
        if (!fb_probe_identity_add(probe->cli, &probe->world, o->as.list[i]))
            return false;
    for (size_t i = 0; i < o->owns.count; i++)
        if (!fb_probe_owns_add(probe->cli, &probe->world, o->owns.list[i]))
            return false;
    for (size_t i = 0; i < probe->world.count; i++)
        if (probe->world.list[i].fields_count == 0 && probe->world.list[i].principal != NULL)
            return fb_cli_wrong(probe->cli, "probe", "%.*s has a principal and no credentials to ask with", (int)probe->world.list[i].name.len, probe->world.list[i].name.ptr);
    return fb_probe_add_nobody(&probe->world) || fb_cli_wrong(probe->cli, "probe", "more than %u identities", FB_PROBE_IDENTITIES_MAX);
}

static bool read_routes(struct fb_probe *probe, const struct options *o, struct fb_diags *diags)
{
    const struct fb_yaml *yaml = NULL;
    const struct fb_source *source = o->openapi != NULL ? read_json(probe, o->openapi, false, &yaml, diags) : NULL;
    if (o->openapi != NULL && source == NULL)
        return false;
    if (source != NULL && !fb_probe_routes_of_openapi(&probe->routes, source, probe->site != NULL, probe->arena, diags)) {
        if (yaml != NULL)
            fb_yaml_place(yaml, diags, 0);
        fb_cli_diags(probe->cli, diags, false);
        return false;
    }
    if (probe->site != NULL && !fb_probe_routes_of_policies(&probe->routes, probe->site->policies, probe->arena))
        return fb_cli_wrong(probe->cli, "probe", "out of memory");
    fb_probe_routes_settle(&probe->routes, &probe->world, &o->filter);
    return true;
}

/* --- The run --------------------------------------------------------------------------------------------------------- */

/* "mia, otto": those of whom it is true. */
struct names {
    char text[512];
    size_t len, count;
};

static void add_name(struct names *names, struct fb_span name)
{
    int len = snprintf(names->text + names->len, sizeof names->text - names->len, "%s%.*s", names->count != 0 ? ", " : "", (int)name.len, name.ptr);
    names->count++;
    if (len > 0 && (size_t)len < sizeof names->text - names->len)
        names->len += (size_t)len;
    else
        names->text[names->len] = '\0';
}

/* A token that is not taken makes a matrix of 401s, which is seen better in words. */
static void warn_of_strangers(const struct fb_probe *probe)
{
    struct names names = {.len = 0};
    for (size_t i = 0; i < probe->world.count; i++) {
        size_t refused = 0, answered = 0;
        for (size_t t = 0; t < probe->targets_count; t++) {
            const struct fb_probe_cell *cell = fb_probe_cell_at(probe, t, i);
            bool meant = cell->expected.known && cell->expected.status == 401;
            answered += cell->status != 0;
            refused += cell->status == 401 && !meant;
        }
        if (refused != 0 && refused == answered && probe->world.list[i].fields_count != 0)
            add_name(&names, probe->world.list[i].name);
    }
    if (names.count != 0)
        fb_cli_fail(probe->cli, "probe: %s: 401 from every route: are the credentials still good?", names.text);
}

/* Policies that do not know somebody refuse all that they ask for. */
static void warn_of_unknown(const struct fb_probe *probe)
{
    struct names names = {.len = 0};
    for (size_t i = 0; i < probe->world.count; i++) {
        size_t unknown = 0;
        for (size_t t = 0; t < probe->targets_count; t++)
            unknown += fb_span_is(fb_probe_cell_at(probe, t, i)->expected.reason, "account_unknown");
        if (unknown != 0)
            add_name(&names, probe->world.list[i].name);
    }
    if (names.count != 0)
        fb_cli_fail(probe->cli, "probe: the policies know no account of %s: is it in the directory's entities.json, or in a --store?", names.text);
}

static void warn_of_uncompared(const struct fb_probe *probe)
{
    struct names names = {.len = 0};
    for (size_t i = 0; i < probe->world.count; i++)
        if (probe->site != NULL && probe->targets_count != 0 && !fb_probe_cell_at(probe, 0, i)->expected.known)
            add_name(&names, probe->world.list[i].name);
    if (names.count != 0)
        fb_cli_fail(probe->cli, "probe: not held against the policies, which cannot tell who it is: %s; give --issuer, --jwks and --audience, or a \"principal\" in the file of identities",
                    names.text);
}

/* All of it 404: the paths are likely not below this URL. */
static void warn_of_wrong_base(const struct fb_probe *probe)
{
    size_t answered = 0, missing = 0;
    for (size_t i = 0; i < probe->order_count; i++) {
        answered += probe->cells[i].status != 0;
        missing += probe->cells[i].status == 404;
    }
    if (answered != 0 && missing == answered)
        fb_cli_fail(probe->cli, "probe: every answer is 404: are the paths right below %s?  The first was %.*s", probe->base, (int)probe->targets[0].path.len,
                    probe->targets[0].path.ptr);
}

/* Or the server's own limit is what was measured. */
static void warn_of_limits(const struct fb_probe *probe)
{
    size_t limited = 0;
    for (size_t i = 0; i < probe->order_count; i++)
        limited += probe->cells[i].status == 429;
    if (limited != 0)
        fb_cli_fail(probe->cli, "probe: %zu requests were answered 429 and say nothing: lower --rate", limited);
}

static bool find(struct fb_probe *probe, const struct options *o)
{
    fb_probe_compare(probe);
    fb_probe_objects(probe);
    /* By the index in the list, which grows when pairs are asked for again: before the rules of lint point into it. */
    fb_probe_oracles(probe);
    if (o->ways_around)
        fb_probe_ways_around(probe);
    if (o->timing && !probe->stopped)
        fb_probe_timing(probe, (size_t)o->timing_requests);
    if (!fb_probe_lint(probe))
        return fb_cli_wrong(probe->cli, "probe", "out of memory");
    if (o->baseline != NULL) {
        struct fb_diags diags;
        struct fb_source *source = fb_arena_alloc(probe->arena, sizeof *source);
        fb_diags_init(&diags, probe->arena);
        if (source == NULL || !read_file(probe, o->baseline, source))
            return false;
        if (!fb_probe_baseline(probe, source, &diags)) {
            fb_cli_diags(probe->cli, &diags, false);
            return false;
        }
    }
    fb_probe_settle(probe);
    return true;
}

static int status_of(const struct fb_probe *probe, const struct options *o)
{
    size_t failing = probe->counts[FB_ERROR];
    if (o->fail_on != NULL && strcmp(o->fail_on, "error") != 0)
        failing += probe->counts[FB_WARNING] + (strcmp(o->fail_on, "note") == 0 ? probe->counts[FB_NOTE] : 0);
    return failing != 0 ? FB_EXIT_DENY : probe->stopped ? FB_EXIT_FAILED : FB_EXIT_OK;
}

static int run(struct fb_probe *probe, const struct options *o)
{
    const char *why;
    const struct fb_live_options options = {.agent = "forbid-probe", .timeout = o->timeout, .body_max = BODY_MAX, .ca = o->ca};
    if (probe->order_count > probe->max_requests)
        return fb_cli_fail(probe->cli, "probe: that makes %zu requests, more than --max-requests %llu: raise it, or take fewer routes (--only, --skip); --plan lists them",
                           probe->order_count, (unsigned long long)probe->max_requests);
    if (probe->order_count == 0)
        return fb_cli_fail(probe->cli, "probe: nothing is left to ask for; --plan says why");
    if (!fb_probe_expect(probe))
        return fb_cli_fail(probe->cli, "probe: out of memory");
    probe->live = fb_live_new(&options, &why);
    if (probe->live == NULL)
        return fb_cli_fail(probe->cli, "probe: %s", why);
    fb_probe_catch_interrupt();
    bool good = fb_probe_run(probe) && find(probe, o);
    fb_probe_release_interrupt();
    fb_live_free(probe->live);
    if (good) {
        warn_of_strangers(probe);
        warn_of_unknown(probe);
        warn_of_uncompared(probe);
        warn_of_limits(probe);
        warn_of_wrong_base(probe);
    }
    good = good && fb_probe_report(probe, &o->report, o->policies != NULL ? o->policies : o->openapi);
    return good ? status_of(probe, o) : FB_EXIT_FAILED;
}

static int plan(struct fb_probe *probe, const struct options *o)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)256 << 20);
    if (o->report.format != NULL && strcmp(o->report.format, "json") == 0)
        fb_probe_print_plan_json(&out, probe);
    else
        fb_probe_print_plan(&out, probe);
    fb_probe_scrub(&out, probe);
    fb_cli_write(probe->cli, &out);
    bool whole = !out.failed;
    fb_buffer_release(&out);
    return whole ? FB_EXIT_OK : fb_cli_fail(probe->cli, "probe: out of memory");
}

static int probe_site(struct fb_probe *probe, const struct options *o, const char *url)
{
    struct fb_diags diags;
    fb_diags_init(&diags, probe->arena);
    probe->by_token = o->site.issuers.count != 0;
    if (!read_identities(probe, o, &diags) || !read_routes(probe, o, &diags) || !read_url(probe, url))
        return FB_EXIT_FAILED;
    if (!fb_probe_identify(probe) || !fb_probe_plan(probe))
        return fb_cli_fail(probe->cli, "probe: out of memory");
    return o->plan ? plan(probe, o) : run(probe, o);
}

static int with_policies(struct fb_probe *probe, const struct options *o, const char *url)
{
    struct fb_cli_site site;
    int status = FB_EXIT_FAILED;
    if (o->policies == NULL)
        return probe_site(probe, o, url);
    bool open = fb_cli_site_open(&site, &o->site, o->policies);
    /* Somebody can sign in, wherever: as `forbid why` takes it. */
    if (open && site.issuers == NULL)
        site.site.issuers = site.issuers = fb_issuers_new(&fb_heap);
    probe->site = &site;
    if (!open)
        fb_cli_diags(probe->cli, &site.diags, false);
    else
        status = probe_site(probe, o, url);
    fb_cli_site_close(&site);
    return status;
}

int fb_cmd_probe(struct fb_cli *cli, int argc, char **argv)
{
    struct options o = {.rate = RATE, .max_requests = REQUESTS, .timing_requests = TIMED};
    struct fb_words words;
    enum fb_parsed parsed = parse(cli, &o, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (!options_are_good(cli, &o))
        return FB_EXIT_FAILED;
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, ARENA_MAX);
    struct fb_probe *probe = fb_arena_alloc(&arena, sizeof *probe);
    int status = FB_EXIT_FAILED;
    if (probe == NULL) {
        fb_cli_fail(cli, "probe: out of memory");
    } else {
        *probe = (struct fb_probe){.cli = cli, .arena = &arena, .world = {.arena = &arena}, .headers = o.headers, .rate = o.rate, .max_requests = o.max_requests};
        fb_exchanges_init(&probe->exchanges, &arena);
        status = with_policies(probe, &o, words.list[0]);
    }
    fb_arena_release(&arena);
    return status;
}
