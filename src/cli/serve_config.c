/* SPDX-License-Identifier: Apache-2.0 */
/* nginx's configuration, as somebody would write it by hand; `--print-config` shows it so that one can
 * go on from there. */
#include "cli/serve.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* A word of the configuration.  `$` would be a variable in some directives, so it is not let in. */
static bool add_word(struct fb_serve *serve, struct fb_buffer *out, struct fb_span word)
{
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.ptr[i];
        if (c < 0x20 || c == 0x7F || c == '$') {
            return fb_cli_wrong(serve->cli, "serve",
                                "'%.*s' cannot stand in nginx's configuration: it holds a control "
                                "character or a $",
                                (int)word.len, word.ptr);
        }
    }
    fb_buffer_add_char(out, '"');
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] == '"' || word.ptr[i] == '\\')
            fb_buffer_add_char(out, '\\');
        fb_buffer_add_char(out, word.ptr[i]);
    }
    fb_buffer_add_char(out, '"');
    return true;
}

/* A path made absolute: nginx resolves relative ones against its own prefix. */
static bool add_path(struct fb_serve *serve, struct fb_buffer *out, const char *before, struct fb_span path)
{
    char full[PATH_MAX];
    const char *text = fb_arena_text(&serve->arena, path);
    if (text == NULL || realpath(text, full) == NULL) {
        return fb_cli_wrong(serve->cli, "serve", "%.*s: %s", (int)path.len, path.ptr, strerror(errno));
    }
    struct fb_span word = fb_arena_format(&serve->arena, "%s%s", before, full);
    return add_word(serve, out, word);
}

static bool add_pair(struct fb_serve *serve, struct fb_buffer *out, const char *name, struct fb_span value)
{
    if (value.len == 0)
        return true;
    struct fb_span word = fb_arena_format(&serve->arena, "%s=%.*s", name, (int)value.len, value.ptr);
    fb_buffer_add_char(out, ' ');
    return add_word(serve, out, word);
}

static bool add_issuer(struct fb_serve *serve, struct fb_buffer *out, const struct fb_issuer *issuer)
{
    fb_buffer_add_z(out, "            forbid_issuer ");
    bool fine = add_word(serve, out, issuer->url);
    fb_buffer_add_char(out, ' ');
    fine = fine && add_path(serve, out, "jwks=", issuer->jwks);
    for (size_t i = 0; i < issuer->audiences_count; i++)
        fine = fine && add_pair(serve, out, "audience", issuer->audiences[i]);
    if (!fb_span_is(issuer->principal, "User"))
        fine = fine && add_pair(serve, out, "principal", issuer->principal);
    if (!fb_span_is(issuer->claim, "sub"))
        fine = fine && add_pair(serve, out, "claim", issuer->claim);
    fine = fine && add_pair(serve, out, "prefix", issuer->prefix);
    for (size_t i = 0; i < issuer->parents_count; i++) {
        const struct fb_issuer_parent *parent = &issuer->parents[i];
        fine = fine
               && add_pair(serve, out, "parents",
                           fb_arena_format(&serve->arena, "%.*s:%.*s", (int)parent->claim.len, parent->claim.ptr,
                                           (int)parent->type.len, parent->type.ptr));
    }
    if (issuer->leeway_s != FB_LEEWAY_DEFAULT)
        fb_buffer_add_format(out, " leeway=%lld", (long long)issuer->leeway_s);
    fb_buffer_add_z(out, ";\n");
    return fine;
}

static bool add_directive(struct fb_serve *serve, struct fb_buffer *out, const char *name, const char *path)
{
    if (path == NULL)
        return true;
    fb_buffer_add_format(out, "            %s ", name);
    bool fine = add_path(serve, out, "", fb_span_z(path));
    fb_buffer_add_z(out, ";\n");
    return fine;
}

static bool add_forbid(struct fb_serve *serve, struct fb_buffer *out)
{
    const struct fb_site_options *options = &serve->options->site;
    fb_buffer_add_z(out, "            forbid on;\n");
    bool fine = add_directive(serve, out, "forbid_policies", serve->dir)
                && add_directive(serve, out, "forbid_store", options->store)
                && add_directive(serve, out, "forbid_geo", options->geo);
    size_t issuers = serve->site.issuers != NULL ? fb_issuers_count(serve->site.issuers) : 0;
    for (size_t i = 0; i < issuers && fine; i++)
        fine = add_issuer(serve, out, fb_issuers_at(serve->site.issuers, i));
    if (serve->site.site.disclose_stated) {
        struct fb_span level = fb_level_name(serve->site.site.disclose);
        struct fb_span anonymous = fb_level_name(serve->site.site.disclose_anonymous);
        fb_buffer_add_format(out, "            forbid_disclose %.*s anonymous=%.*s;\n", (int)level.len, level.ptr,
                             (int)anonymous.len, anonymous.ptr);
    }
    return fine;
}

static const char proxy[] = "\n"
                            "            proxy_pass %s://forbid_upstream;\n"
                            "            proxy_http_version 1.1;\n"
                            "            proxy_set_header Host $host;\n"
                            "            proxy_set_header X-Forwarded-For $remote_addr;\n"
                            "            proxy_set_header X-Forwarded-Proto $scheme;\n"
                            "            proxy_set_header Upgrade $http_upgrade;\n"
                            "            proxy_set_header Connection $forbid_connection;\n";

static bool add_location(struct fb_serve *serve, struct fb_buffer *out)
{
    fb_buffer_add_z(out, "\n        location / {\n");
    if (!add_forbid(serve, out))
        return false;
    fb_buffer_add_format(out, proxy, serve->upstream_tls ? "https" : "http");
    if (serve->upstream_tls) {
        static const char roots[] = "/etc/ssl/certs/ca-certificates.crt";
        fb_buffer_add_format(out,
                             "            proxy_ssl_server_name on;\n"
                             "            proxy_ssl_name \"%s\";\n",
                             serve->upstream_host);
        if (access(roots, R_OK) == 0)
            fb_buffer_add_format(out,
                                 "            proxy_ssl_trusted_certificate %s;\n"
                                 "            proxy_ssl_verify on;\n"
                                 "            proxy_ssl_verify_depth 4;\n",
                                 roots);
    }
    fb_buffer_add_z(out, "        }\n");
    return true;
}

static const char log_format[] =
    "    log_format forbid escape=json\n"
    "        '{\"time\":\"$time_iso8601\",\"id\":\"$forbid_id\",\"client\":\"$remote_addr\",'\n"
    "        '\"request\":\"$request\",\"status\":\"$status\",\"seconds\":$request_time,'\n"
    "        '\"decision\":\"$forbid_decision\",\"reason\":\"$forbid_reason\",'\n"
    "        '\"principal\":\"$forbid_principal\",\"action\":\"$forbid_action\",\"resource\":\"$forbid_resource\"}';\n";

static bool add_access_log(struct fb_serve *serve, struct fb_buffer *out)
{
    const char *file = serve->options->access_log;
    if (file == NULL) {
        fb_buffer_add_z(out, "    access_log off;\n");
        return true;
    }
    fb_buffer_add_z(out, log_format);
    fb_buffer_add_z(out, "    access_log ");
    char here[PATH_MAX];
    struct fb_span path = strcmp(file, "-") == 0 ? FB_SPAN("/dev/stdout") : fb_span_z(file);
    if (path.len != 0 && path.ptr[0] != '/' && getcwd(here, sizeof here) != NULL)
        path = fb_arena_format(&serve->arena, "%s/%s", here, file);
    bool fine = add_word(serve, out, path);
    fb_buffer_add_z(out, " forbid;\n");
    return fine;
}

static bool add_real_ip(struct fb_serve *serve, struct fb_buffer *out)
{
    const struct fb_words *from = &serve->options->real_ip;
    bool fine = true;
    for (size_t i = 0; i < from->count && fine; i++) {
        fb_buffer_add_z(out, "    set_real_ip_from ");
        fine = add_word(serve, out, fb_span_z(from->list[i]));
        fb_buffer_add_z(out, ";\n");
    }
    if (from->count != 0)
        fb_buffer_add_z(out, "    real_ip_header X-Forwarded-For;\n    real_ip_recursive on;\n");
    return fine;
}

static bool add_head(struct fb_serve *serve, struct fb_buffer *out)
{
    fb_buffer_add_z(out, "# Written by `forbid serve`; a start for a configuration of one's own.\nload_module ");
    if (!add_word(serve, out, fb_span_z(serve->module)))
        return false;
    fb_buffer_add_z(out, ";\n");
    if (serve->root)
        fb_buffer_add_format(out, "user %s;\n", serve->user);
    fb_buffer_add_format(out, "worker_processes %s;\n",
                         serve->options->workers != NULL ? serve->options->workers : "auto");
    fb_buffer_add_format(out, "pid %s/nginx.pid;\nerror_log stderr warn;\n\n", serve->runtime);
    fb_buffer_add_z(out, "events {\n    worker_connections 1024;\n}\n\nhttp {\n");
    static const char *const temporary[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    for (size_t i = 0; i < sizeof temporary / sizeof temporary[0]; i++)
        fb_buffer_add_format(out, "    %s_temp_path %s/%s;\n", temporary[i], serve->runtime, temporary[i]);
    fb_buffer_add_z(out, "    server_tokens off;\n");
    return true;
}

bool fb_serve_config(struct fb_serve *serve, struct fb_buffer *out)
{
    if (!add_head(serve, out) || !add_access_log(serve, out) || !add_real_ip(serve, out))
        return false;
    fb_buffer_add_format(
        out,
        "\n    # Connections to the upstream are kept open, and switched where the client asks for it.\n"
        "    map $http_upgrade $forbid_connection {\n"
        "        default upgrade;\n"
        "        \"\" \"\";\n"
        "    }\n"
        "    upstream forbid_upstream {\n"
        "        server %s;\n"
        "        keepalive 64;\n"
        "    }\n\n"
        "    server {\n"
        "        listen %s;\n"
        "        client_max_body_size 0;   # the upstream knows what is too large\n",
        serve->upstream_server, serve->listen);
    if (!add_location(serve, out))
        return false;
    fb_buffer_add_z(out, "    }\n}\n");
    return !out->failed && !serve->arena.failed;
}
