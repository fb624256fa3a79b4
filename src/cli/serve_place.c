/* SPDX-License-Identifier: Apache-2.0 */
/* What `serve` needs around it, looked at before anything is started, so that what is wrong is said
 * in one sentence and not by a server that does not come up. */
#include "cli/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODULE "ngx_http_forbid_module.so"

/* --- The address to listen on ---------------------------------------------------------------------- */

/* "host:port" in two; "8403" is a port, "[::1]:8403" has its brackets taken off. */
static bool split_address(struct fb_span text, struct fb_span *host, struct fb_span *port)
{
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    *host = fb_span_head(text, colon != 0 ? colon - 1 : 0);
    *port = fb_span_from(text, colon);
    bool brackets = host->len >= 2 && host->ptr[0] == '[' && host->ptr[host->len - 1] == ']';
    if (brackets)
        *host = fb_span(host->ptr + 1, host->len - 2);
    return brackets || fb_span_find(*host, ':') == host->len;
}

static bool parse_inet(struct fb_serve *serve, const char *text)
{
    struct fb_span host, port_text;
    uint64_t port;
    if (!split_address(fb_span_z(text), &host, &port_text) || !fb_span_to_u64(port_text, 65535, &port))
        return fb_cli_wrong(serve->cli, "serve",
                            "--listen is ADDRESS:PORT (127.0.0.1:8403, [::1]:8403, 8403) or unix:/path, not '%s'",
                            text);
    if (host.len == 0 || fb_span_is(host, "localhost"))
        host = FB_SPAN("127.0.0.1");
    else if (fb_span_is(host, "*"))
        host = FB_SPAN("0.0.0.0");
    const char *name = fb_arena_text(&serve->arena, host);
    if (name != NULL && inet_pton(AF_INET, name, &serve->address.v4.sin_addr) == 1) {
        serve->address.v4.sin_family = AF_INET;
        serve->address.v4.sin_port = htons((uint16_t)port);
        serve->address_len = sizeof serve->address.v4;
    } else if (name != NULL && inet_pton(AF_INET6, name, &serve->address.v6.sin6_addr) == 1) {
        serve->address.v6.sin6_family = AF_INET6;
        serve->address.v6.sin6_port = htons((uint16_t)port);
        serve->address_len = sizeof serve->address.v6;
    } else {
        return fb_cli_wrong(serve->cli, "serve",
                            "--listen: '%.*s' is not an address of this machine; give its number, or * for all of them",
                            (int)host.len, host.ptr);
    }
    return true;
}

static bool parse_local(struct fb_serve *serve, const char *text)
{
    const char *path = text + strlen("unix:");
    if (path[0] != '/' || strlen(path) >= sizeof serve->address.local.sun_path)
        return fb_cli_wrong(serve->cli, "serve", "--listen: a unix socket has an absolute path of at most %zu bytes",
                            sizeof serve->address.local.sun_path - 1);
    serve->address.local.sun_family = AF_UNIX;
    memcpy(serve->address.local.sun_path, path, strlen(path) + 1);
    serve->address_len = sizeof serve->address.local;
    struct stat st;
    if (stat(path, &st) == 0)
        return fb_cli_wrong(serve->cli, "serve", "--listen: %s is there already; remove it if nothing uses it", path);
    return true;
}

/* Binds as nginx will.  Port 0 becomes a free one. */
static bool try_bind(struct fb_serve *serve, const char *text)
{
    int fd = socket(serve->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0)
        return fb_cli_wrong(serve->cli, "serve", "--listen: %s: %s", text, strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (serve->address.any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    bool fine = bind(fd, &serve->address.any, serve->address_len) == 0 && listen(fd, 1) == 0;
    int error = errno;
    if (fine) {
        socklen_t len = sizeof serve->address;
        fine = getsockname(fd, &serve->address.any, &len) == 0;
    }
    close(fd);
    if (fine)
        return true;
    if (error == EADDRINUSE)
        return fb_cli_wrong(serve->cli, "serve", "--listen: something else listens on %s already", text);
    if (error == EACCES)
        return fb_cli_wrong(serve->cli, "serve", "--listen: %s: ports below 1024 are for root", text);
    return fb_cli_wrong(serve->cli, "serve", "--listen: %s: %s", text, strerror(error));
}

static void name_address(struct fb_serve *serve)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (serve->address.any.sa_family == AF_INET) {
        unsigned port = ntohs(serve->address.v4.sin_port);
        inet_ntop(AF_INET, &serve->address.v4.sin_addr, host, sizeof host);
        serve->listen = fb_arena_format(&serve->arena, "%s:%u", host, port).ptr;
    } else if (serve->address.any.sa_family == AF_INET6) {
        unsigned port = ntohs(serve->address.v6.sin6_port);
        inet_ntop(AF_INET6, &serve->address.v6.sin6_addr, host, sizeof host);
        serve->listen = fb_arena_format(&serve->arena, "[%s]:%u", host, port).ptr;
    } else {
        serve->listen = fb_arena_format(&serve->arena, "unix:%s", serve->address.local.sun_path).ptr;
        serve->url = serve->listen;
        return;
    }
    serve->url = fb_arena_format(&serve->arena, "http://%s", serve->listen).ptr;
}

bool fb_serve_find_listen(struct fb_serve *serve)
{
    const char *text = serve->options->listen;
    if (strncmp(text, "unix:", 5) == 0) {
        if (!parse_local(serve, text))
            return false;
    } else if (!parse_inet(serve, text) || (!serve->options->print_config && !try_bind(serve, text))) {
        return false;
    }
    name_address(serve);
    return !serve->arena.failed || fb_cli_wrong(serve->cli, "serve", "out of memory");
}

/* --- The upstream ------------------------------------------------------------------------------------ */

/* What may stand in nginx's configuration without a second meaning. */
static bool is_plain(struct fb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                     || memchr("-._~:/[]", c, 8) != NULL;
        if (!plain)
            return false;
    }
    return true;
}

static bool resolves(struct fb_serve *serve, const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error == 0)
        freeaddrinfo(found);
    return error == 0 || fb_cli_wrong(serve->cli, "serve", "--upstream: %s: %s", host, gai_strerror(error));
}

static bool find_host(struct fb_serve *serve, struct fb_span rest, bool tls)
{
    struct fb_span host, port;
    uint64_t number = tls ? 443 : 80;
    bool ported = rest.len != 0 && rest.ptr[rest.len - 1] != ']' && fb_span_find(rest, ':') < rest.len;
    if (!ported)
        rest = fb_arena_format(&serve->arena, "%.*s:%d", (int)rest.len, rest.ptr, tls ? 443 : 80);
    if (!split_address(rest, &host, &port) || host.len == 0 || !fb_span_to_u64(port, 65535, &number) || number == 0)
        return fb_cli_wrong(serve->cli, "serve",
                            "--upstream is http://HOST:PORT, https://HOST:PORT or http://unix:/path, not '%s'",
                            serve->options->upstream);
    const char *name = fb_arena_text(&serve->arena, host);
    const char *service = fb_arena_text(&serve->arena, port);
    serve->upstream_host = name;
    serve->upstream_server = fb_arena_text(&serve->arena, rest);
    return name != NULL && service != NULL && resolves(serve, name, service);
}

bool fb_serve_find_upstream(struct fb_serve *serve)
{
    const char *url = serve->options->upstream;
    struct fb_span text = fb_span_z(url), rest;
    serve->upstream_tls = fb_span_starts(text, FB_SPAN("https://"));
    if (!serve->upstream_tls && !fb_span_starts(text, FB_SPAN("http://")))
        return fb_cli_wrong(serve->cli, "serve", "--upstream begins with http:// or https://, not '%s'", url);
    rest = fb_span_from(text, serve->upstream_tls ? 8 : 7);
    if (!is_plain(rest))
        return fb_cli_wrong(serve->cli, "serve", "--upstream: '%s' holds characters that a host and a port do not have",
                            url);
    if (fb_span_starts(rest, FB_SPAN("unix:/"))) {
        serve->upstream_host = "localhost";
        serve->upstream_server = fb_arena_text(&serve->arena, rest);
        return true;
    }
    if (rest.len != 0 && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    if (fb_span_find(rest, '/') < rest.len)
        return fb_cli_wrong(serve->cli, "serve",
                            "--upstream has no path, for the path that is decided is the one that is forwarded: '%s'",
                            url);
    return find_host(serve, rest, serve->upstream_tls);
}

/* --- nginx -------------------------------------------------------------------------------------------- */

static const char *in_path(struct fb_serve *serve, const char *name)
{
    const char *path = getenv("PATH");
    struct fb_span rest = fb_span_z(path);
    while (rest.len != 0) {
        size_t end = fb_span_find(rest, ':');
        struct fb_span full = fb_arena_format(&serve->arena, "%.*s/%s", (int)end, rest.ptr, name);
        if (end != 0 && full.ptr != NULL && access(full.ptr, X_OK) == 0)
            return full.ptr;
        rest = fb_span_from(rest, end + 1);
    }
    return NULL;
}

static const char *find_program(struct fb_serve *serve)
{
    static const char *const places[] = {"/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return in_path(serve, "nginx");
}

static const char *find_module(struct fb_serve *serve)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    while (len > 0 && self[len - 1] != '/')
        len--;
    struct fb_span beside = fb_arena_format(&serve->arena, "%.*s" MODULE, len > 0 ? (int)len : 0, self);
    if (len > 0 && beside.ptr != NULL && access(beside.ptr, R_OK) == 0)
        return beside.ptr;
    static const char *const places[] = {"/usr/lib/nginx/modules/" MODULE, "/usr/share/nginx/modules/" MODULE};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

bool fb_serve_find_nginx(struct fb_serve *serve)
{
    const struct fb_serve_options *options = serve->options;
    serve->nginx = options->nginx != NULL ? options->nginx : find_program(serve);
    if (serve->nginx == NULL && !options->print_config)
        return fb_cli_wrong(serve->cli, "serve",
                            "nginx is not installed (Debian: apt-get install nginx), or name it with --nginx FILE");
    if (options->nginx != NULL && access(options->nginx, X_OK) != 0)
        return fb_cli_wrong(serve->cli, "serve", "--nginx: %s: %s", options->nginx, strerror(errno));
    const char *module = options->module != NULL ? options->module : find_module(serve);
    if (module == NULL && options->print_config)
        module = "/usr/lib/nginx/modules/" MODULE;
    else if (module == NULL)
        return fb_cli_wrong(
            serve->cli, "serve",
            MODULE " is neither beside this command nor in /usr/lib/nginx/modules; name it with --module FILE");
    char full[PATH_MAX];
    if (realpath(module, full) == NULL && !options->print_config)
        return fb_cli_wrong(serve->cli, "serve", "--module: %s: %s", module, strerror(errno));
    serve->module = fb_arena_text(&serve->arena, fb_span_z(options->print_config ? module : full));
    return serve->module != NULL || fb_cli_wrong(serve->cli, "serve", "out of memory");
}

/* Workers that root starts must not stay root. */
bool fb_serve_find_user(struct fb_serve *serve)
{
    static const char *const names[] = {"www-data", "nginx", "nobody"};
    const struct passwd *found = NULL;
    serve->root = geteuid() == 0;
    serve->uid = geteuid();
    serve->gid = getegid();
    if (!serve->root)
        return serve->options->user == NULL
               || fb_cli_wrong(serve->cli, "serve", "--user is for root, which this is not");
    if (serve->options->user != NULL)
        found = getpwnam(serve->options->user);
    for (size_t i = 0; i < 3 && serve->options->user == NULL && found == NULL; i++)
        found = getpwnam(names[i]);
    if (found == NULL)
        return fb_cli_wrong(serve->cli, "serve",
                            "there is no user '%s' for the workers to run as; name one with --user",
                            serve->options->user != NULL ? serve->options->user : "www-data");
    serve->user = fb_arena_text(&serve->arena, fb_span_z(found->pw_name));
    serve->uid = found->pw_uid;
    serve->gid = found->pw_gid;
    return serve->user != NULL || fb_cli_wrong(serve->cli, "serve", "out of memory");
}

/* --- The runtime directory ---------------------------------------------------------------------------- */

bool fb_serve_make_runtime(struct fb_serve *serve)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL || base[0] != '/')
        base = "/tmp";
    struct fb_span template = fb_arena_format(&serve->arena, "%s/forbid-serve-XXXXXX", base);
    char *path = fb_arena_text(&serve->arena, template);
    if (path == NULL || mkdtemp(path) == NULL)
        return fb_cli_wrong(serve->cli, "serve", "no directory for nginx's files could be made in %s: %s", base,
                            strerror(errno));
    serve->runtime = path;
    serve->runtime_made = true;
    /* Workers of another user pass through it to their temporary files; they cannot list it. */
    return !serve->root || chmod(path, 0711) == 0 || fb_cli_wrong(serve->cli, "serve", "%s: %s", path, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void fb_serve_remove_runtime(struct fb_serve *serve)
{
    if (serve->runtime_made)
        nftw(serve->runtime, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (serve->address.any.sa_family == AF_UNIX && serve->runtime_made)
        unlink(serve->address.local.sun_path);
}
