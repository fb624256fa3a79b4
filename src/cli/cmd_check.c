/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid check`: would a server take this directory?  What is at fault is shown where it stands; what
 * is fine is summed up, and with --routes laid out. */
#include "cli/routes.h"
#include "cli/sarif.h"
#include "cli/site.h"
#include "cli/validate.h"

struct options {
    struct fb_site_options site;
    const char *error_format;
    bool routes, json, sarif;
};

static const char help[] =
    "Reads a policy directory as the server would, and shows everything that is wrong with it:\n"
    "schema, routes, policies, entities, each fault with its line and what to write instead.  Policies\n"
    "are held against the schema as `forbid validate` does it, in strict mode; besides the faults there\n"
    "are warnings (policies that can never apply, files that nobody reads) and notes: actions by whose\n"
    "404 or 403 a client learns whether a resource exists, where that is not what `@conceal` hides.\n"
    "\n"
    "  forbid check policies                 faults, warnings, a summary\n"
    "  forbid check policies --routes        the table of routes: method, path, action, resource, and\n"
    "                                        which are open to anonymous clients, which secret\n"
    "\n"
    "For a code host, the same findings as a SARIF log:\n"
    "\n"
    "  forbid check policies --sarif > forbid.sarif\n"
    "\n"
    "Given what the server will have beside it (issuers, a store, location data), it also checks\n"
    "that these fit together:\n"
    "\n"
    "  forbid check policies --issuer https://login.example --jwks keys.json --audience api \\\n"
    "      --store /var/lib/forbid/store --geo country.mmdb\n"
    "\n"
    "Exit status: 0 the directory is good (there may be warnings), 3 it is not, 1 the command failed\n"
    "(also: the directory cannot be read).\n";

static enum fb_parsed parse(struct fb_cli *cli, struct options *options, int argc, char **argv, struct fb_words *words)
{
    struct fb_option rows[FB_SITE_OPTIONS_COUNT + 4] = {{.name = NULL}};
    const struct fb_option own[] = {
        {FB_OPTION_FLAG, 0, "routes", NULL, "print the table of routes", &options->routes},
        {FB_OPTION_FLAG, 0, "json", NULL, "all of it as one JSON object on standard output", &options->json},
        {FB_OPTION_FLAG, 0, "sarif", NULL, "the findings as a SARIF 2.1.0 log on standard output", &options->sarif},
        {FB_OPTION_TEXT, 'f', "error-format", "FORM", "of faults: human, plain or json", &options->error_format},
    };
    memcpy(rows, own, sizeof own);
    fb_site_options(&options->site, rows + 4);
    const struct fb_usage usage = {
        .verb = "check",
        .synopsis = "forbid check DIR [--routes] [--json | --sarif]",
        .text = help,
        .options = rows,
        .options_count = FB_SITE_OPTIONS_COUNT + 4,
        .words_min = 1,
        .words_max = 1,
    };
    return fb_options_parse(cli, &usage, argc, argv, words);
}

static size_t warnings(const struct fb_diags *diags)
{
    size_t count = 0;
    for (size_t i = 0; i < diags->count; i++)
        count += diags->list[i].severity == FB_WARNING;
    return count;
}

static size_t routes_written(const struct fb_policies *policies)
{
    const struct fb_routes *routes = fb_policies_routes(policies);
    size_t count = 0;
    for (size_t i = 0; i < fb_routes_count(routes); i++)
        count += !fb_routes_at(routes, i)->implicit;
    return count;
}

static void add_counted(struct fb_buffer *out, size_t count, const char *one, const char *many)
{
    fb_buffer_add_format(out, "%zu %s", count, count == 1 ? one : many);
}

static void print_summary(struct fb_buffer *out, const char *dir, const struct fb_cli_site *site, bool colour)
{
    size_t warned = warnings(&site->diags);
    fb_buffer_add_z(out, dir);
    if (site->policies == NULL || site->diags.errors != 0) {
        fb_buffer_add_format(out, ": %s", colour ? "\033[1;31m" : "");
        add_counted(out, site->diags.errors, "error", "errors");
    } else {
        fb_buffer_add_format(out, ": %sgood%s: ", colour ? "\033[1;32m" : "", colour ? "\033[0m" : "");
        add_counted(out, fb_program_count(fb_policies_program(site->policies)), "policy", "policies");
        fb_buffer_add_z(out, ", ");
        add_counted(out, fb_policies_schema(site->policies)->actions_count, "action", "actions");
        fb_buffer_add_z(out, ", ");
        add_counted(out, routes_written(site->policies), "route", "routes");
    }
    if (colour)
        fb_buffer_add_z(out, "\033[0m");
    if (warned != 0) {
        fb_buffer_add_z(out, ", ");
        add_counted(out, warned, "warning", "warnings");
    }
    fb_buffer_add_char(out, '\n');
}

static void print_json(struct fb_buffer *out, const struct fb_cli_site *site)
{
    bool good = site->policies != NULL && site->diags.errors == 0;
    fb_buffer_add_format(out, "{\"good\":%s,\"errors\":%zu,\"warnings\":%zu", good ? "true" : "false",
                         site->diags.errors, warnings(&site->diags));
    if (site->policies != NULL) {
        fb_buffer_add_format(out, ",\"policies\":%zu,\"actions\":%u,\"entities\":%zu,\"routes\":",
                             fb_program_count(fb_policies_program(site->policies)),
                             fb_policies_schema(site->policies)->actions_count,
                             fb_entity_set_count(fb_policies_entities(site->policies)));
        fb_cli_routes_json(out, site->policies);
    }
    fb_buffer_add_z(out, ",\"diagnostics\":");
    fb_diags_print_json(out, &site->diags);
    while (out->len != 0 && out->ptr[out->len - 1] == '\n')
        out->len--;
    fb_buffer_add_z(out, "}\n");
}

static bool wants_site(const struct fb_site_options *site)
{
    return site->issuers.count != 0 || site->store != NULL || site->geo != NULL;
}

int fb_cmd_check(struct fb_cli *cli, int argc, char **argv)
{
    struct options options = {.json = false};
    struct fb_words words;
    bool json;
    enum fb_parsed parsed = parse(cli, &options, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (!fb_cli_error_format(cli, options.error_format, &json))
        return FB_EXIT_FAILED;
    if (options.json && options.sarif)
        return fb_cli_fail(cli, "check: --json and --sarif are two forms of one output; choose one");
    const struct fb_load_options load = {.unread = true, .told = true};
    options.site.load = &load;
    struct fb_cli_site site;
    bool good = fb_cli_site_open(&site, &options.site, words.list[0]);
    /* Without any of the rest, `check` is about the directory alone. */
    if (good && wants_site(&options.site))
        good = fb_site_check(&site.site, &site.diags);
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)256 << 20);
    if (options.json) {
        print_json(&out, &site);
    } else if (options.sarif) {
        fb_sarif_print(&out, &site.diags, words.list[0]);
    } else {
        if (site.diags.count != 0)
            fb_cli_diags(cli, &site.diags, json);
        if (options.routes && site.policies != NULL)
            fb_cli_routes_print(&out, site.policies, cli->colour_out);
        print_summary(&out, words.list[0], &site, cli->colour_out);
    }
    fb_cli_write(cli, &out);
    fb_buffer_release(&out);
    const int status = fb_cli_verdict(&site.diags, good, false);
    fb_cli_site_close(&site);
    return status;
}
