/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid serve`: a gateway in one line.  Everything that can be wrong is looked at first and said in a
 * sentence; then nginx runs in the foreground until it is stopped. */
#include "cli/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CONFIG_MAX ((size_t)1 << 20)
#define WORKERS_MAX 512

static const char help[] =
    "Stands in front of an HTTP API and lets through what the policies permit.\n"
    "\n"
    "  forbid serve policies --listen 127.0.0.1:8403 --upstream http://127.0.0.1:3000 \\\n"
    "      --issuer https://login.example --jwks keys.json --audience api --store store\n"
    "\n"
    "It is nginx with the Forbid module: all inputs are checked first, a configuration is written\n"
    "for it, and it runs in the foreground. Control-C stops it, a hangup (kill -HUP) reads\n"
    "the policies again: faulty ones are reported, and the old ones stay.\n"
    "\n"
    "To grow out of it, begin with its configuration:\n"
    "\n"
    "  forbid serve policies --listen 80 --upstream http://10.0.0.5:3000 --print-config > nginx.conf\n"
    "\n"
    "As root, workers run as www-data (or --user), and the store must be readable for them; that\n"
    "is proved before anything is served.\n"
    "Behind a load balancer, --real-ip-from says whose X-Forwarded-For is believed.\n";

static enum fb_parsed parse(struct fb_cli *cli, struct fb_serve_options *options, int argc, char **argv,
                            struct fb_words *words)
{
    const struct fb_option own[] = {
        {FB_OPTION_TEXT, 'l', "listen", "ADDRESS:PORT", "where it listens; also PORT, or unix:/path", &options->listen},
        {FB_OPTION_TEXT, 'u', "upstream", "URL", "what it stands in front of: http://HOST:PORT", &options->upstream},
        {FB_OPTION_LIST, 0, "real-ip-from", "CIDR", "proxies whose X-Forwarded-For counts", &options->real_ip},
        {FB_OPTION_TEXT, 0, "workers", "N", "worker processes (one a processor)", &options->workers},
        {FB_OPTION_TEXT, 0, "access-log", "FILE", "a line of JSON for each request (- for standard output)",
         &options->access_log},
        {FB_OPTION_TEXT, 0, "user", "NAME", "as root: the user of the workers (www-data)", &options->user},
        {FB_OPTION_TEXT, 0, "nginx", "FILE", "nginx itself", &options->nginx},
        {FB_OPTION_TEXT, 0, "module", "FILE", "ngx_http_forbid_module.so", &options->module},
        {FB_OPTION_FLAG, 0, "print-config", NULL, "print nginx's configuration and stop", &options->print_config},
    };
    enum { OWN = sizeof own / sizeof own[0] };
    struct fb_option rows[FB_SITE_OPTIONS_COUNT + OWN] = {{.name = NULL}};
    memcpy(rows, own, sizeof own);
    fb_site_options(&options->site, rows + OWN);
    const struct fb_usage usage = {
        .verb = "serve",
        .synopsis = "forbid serve DIR --listen ADDRESS:PORT --upstream URL [--issuer URL --jwks FILE --audience NAME]",
        .text = help,
        .options = rows,
        .options_count = FB_SITE_OPTIONS_COUNT + OWN,
        .words_min = 1,
        .words_max = 1,
    };
    return fb_options_parse(cli, &usage, argc, argv, words);
}

static bool check_options(struct fb_cli *cli, const struct fb_serve_options *options)
{
    const char *missing = options->listen == NULL     ? "--listen ADDRESS:PORT"
                          : options->upstream == NULL ? "--upstream URL"
                                                      : NULL;
    if (missing != NULL) {
        return fb_cli_wrong(cli, "serve", "%s is missing; `forbid serve --help` has an example", missing);
    }
    uint64_t workers;
    if (options->workers != NULL && strcmp(options->workers, "auto") != 0
        && (!fb_span_to_u64(fb_span_z(options->workers), WORKERS_MAX, &workers) || workers == 0)) {
        return fb_cli_wrong(cli, "serve", "--workers is a number from 1 to %d, or auto, not '%s'", WORKERS_MAX,
                            options->workers);
    }
    return true;
}

/* Policies and what is beside them.  Warnings are nginx's to say when it reads the same. */
static bool load(struct fb_serve *serve)
{
    bool fine = fb_cli_site_open(&serve->site, &serve->options->site, serve->dir)
                && fb_site_check(&serve->site.site, &serve->site.diags);
    if (serve->site.diags.count != 0 && (!fine || serve->options->print_config))
        fb_cli_diags(serve->cli, &serve->site.diags, false);
    return fine || fb_cli_wrong(serve->cli, "serve", "not started");
}

static bool write_config(struct fb_serve *serve, const struct fb_buffer *text, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool fine = fd >= 0 && write(fd, text->ptr, text->len) == (ssize_t)text->len;
    fine = (fd < 0 || close(fd) == 0) && fine;
    return fine || fb_cli_wrong(serve->cli, "serve", "%s: %s", path, strerror(errno));
}

static int start(struct fb_serve *serve)
{
    struct fb_buffer config;
    int status = FB_EXIT_FAILED;
    fb_buffer_init(&config, &fb_heap, CONFIG_MAX);
    if (fb_serve_make_runtime(serve) && fb_serve_config(serve, &config)) {
        struct fb_span path = fb_arena_format(&serve->arena, "%s/nginx.conf", serve->runtime);
        if (path.ptr != NULL && write_config(serve, &config, path.ptr) && fb_serve_test(serve, path.ptr))
            status = fb_serve_run(serve, path.ptr);
    }
    fb_serve_remove_runtime(serve);
    fb_buffer_release(&config);
    return status;
}

static int print_config(struct fb_serve *serve)
{
    struct fb_buffer config;
    fb_buffer_init(&config, &fb_heap, CONFIG_MAX);
    serve->runtime = "/run/forbid";
    bool fine = fb_serve_config(serve, &config);
    if (fine)
        fb_cli_write(serve->cli, &config);
    fb_buffer_release(&config);
    return fine ? FB_EXIT_OK : FB_EXIT_FAILED;
}

int fb_cmd_serve(struct fb_cli *cli, int argc, char **argv)
{
    struct fb_serve_options options = {.print_config = false};
    struct fb_words words;
    enum fb_parsed parsed = parse(cli, &options, argc, argv, &words);
    if (parsed != FB_PARSED_GO)
        return parsed == FB_PARSED_HELP ? FB_EXIT_OK : FB_EXIT_FAILED;
    if (!check_options(cli, &options))
        return FB_EXIT_FAILED;
    struct fb_serve serve = {.cli = cli, .options = &options, .dir = words.list[0]};
    fb_arena_init(&serve.arena, &fb_heap, (size_t)16 << 20);
    int status = FB_EXIT_FAILED;
    if (fb_serve_find_user(&serve) && fb_serve_find_listen(&serve) && fb_serve_find_upstream(&serve)
        && fb_serve_find_nginx(&serve) && load(&serve)) {
        if (options.print_config)
            status = print_config(&serve);
        else if (fb_serve_prove_store(&serve))
            status = start(&serve);
    }
    fb_cli_site_close(&serve.site);
    fb_arena_release(&serve.arena);
    return status;
}
