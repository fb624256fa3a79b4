/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations that would undo the decision are refused by `nginx -t`: `satisfy any`, and a cache
 * that would hand one client's answer to another.
 *
 * The settings of proxy_cache_key and proxy_pass are private to nginx's .c files.  So while the http
 * block is parsed, the setters of those directives (and of fastcgi's, uwsgi's and scgi's) are
 * replaced by ours, which look at the arguments and call the original.  They are put back when the
 * block ends and, should it end in an error, when the configuration's pool goes, which is before
 * this module can be unloaded.  Whether a cache is on is known from the merged ngx_http_upstream_conf_t,
 * whose place in the private struct the offset of `…_connect_timeout` tells.
 *
 * Not covered: caches that are no part of nginx, and what a script decides at run time. */
#include "nginx/ngx_http_forbid.h"

typedef char *(*setter_t)(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

static const char *const peer_names[NGX_HTTP_FORBID_PEERS] = {"proxy", "fastcgi", "uwsgi", "scgi"};

enum { WATCH_PASS, WATCH_KEY, WATCHES };

static struct {
    ngx_command_t *command;
    setter_t original;
} watched[NGX_HTTP_FORBID_PEERS][WATCHES];

static ngx_module_t *find_module(const ngx_cycle_t *cycle, const char *peer)
{
    u_char name[64];
    *ngx_snprintf(name, sizeof(name) - 1, "ngx_http_%s_module", peer) = '\0';
    for (ngx_uint_t i = 0; cycle->modules[i] != NULL; i++) {
        if (ngx_strcmp(cycle->modules[i]->name, name) == 0) {
            return cycle->modules[i];
        }
    }
    return NULL;
}

static ngx_command_t *find_command(const ngx_module_t *module, const char *peer, const char *suffix)
{
    u_char name[64];
    u_char *end = ngx_snprintf(name, sizeof(name), "%s_%s", peer, suffix);
    for (ngx_command_t *command = module->commands; command != NULL && command->name.len != 0; command++) {
        if (command->name.len == (size_t)(end - name) && ngx_memcmp(command->name.data, name, command->name.len) == 0) {
            return command;
        }
    }
    return NULL;
}

/* $name or ${name}, and not the beginning of a longer name. */
static bool has_variable(ngx_str_t text, const char *name)
{
    size_t length = ngx_strlen(name);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '$') {
            continue;
        }
        size_t at = i + 1;
        if (at < text.len && text.data[at] == '{') {
            at++;
        }
        if (at + length > text.len || ngx_memcmp(text.data + at, name, length) != 0) {
            continue;
        }
        u_char next = at + length < text.len ? text.data[at + length] : ' ';
        if (!((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || (next >= '0' && next <= '9') || next == '_')) {
            return true;
        }
    }
    return false;
}

/* Where the path of a proxy_pass begins, as far as its text tells: behind the host. */
static size_t path_of(ngx_str_t url)
{
    size_t path = 0;
    for (size_t i = 0; i + 3 <= url.len && path == 0; i++) {
        if (ngx_memcmp(url.data + i, "://", 3) == 0) {
            path = i + 3;
        }
    }
    while (path < url.len && url.data[path] != '/') {
        path++;
    }
    return path;
}

/* Variables that are not known to be forwarded as the client wrote them. */
static bool has_unknown(ngx_str_t text)
{
    static const char *const raw[] = {"request_uri", "is_args", "args", "query_string"};
    size_t variables = 0, harmless = 0;
    for (size_t i = 0; i < text.len; i++) {
        variables += text.data[i] == '$';
    }
    for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++) {
        harmless += has_variable(text, raw[i]);
    }
    return variables > harmless;
}

/* Variables in the path of proxy_pass are forwarded as they are: decoded if they come from the
 * normalised path.  Named captures cannot be told from other variables, so every variable counts
 * that stands in the path and is not known to be harmless.  One that stands where the host does may
 * bring a path with it (`http://backend$1`, `$url`) or not (`http://$backend`): that is seen when it
 * has a value. */
static ngx_int_t note_pass(ngx_conf_t *cf, ngx_http_forbid_loc_conf_t *location, ngx_str_t url)
{
    size_t path = path_of(url);
    ngx_str_t host = {path, url.data}, rest = {url.len - path, url.data + path};
    location->pass_raw = has_variable(url, "request_uri");
    location->pass_decoded = has_variable(url, "uri") || has_variable(url, "document_uri") || has_unknown(rest);
    if (location->pass_decoded || !has_unknown(host)) {
        return NGX_OK;
    }
    location->pass_url = ngx_palloc(cf->pool, sizeof(*location->pass_url));
    ngx_http_compile_complex_value_t compile = {.cf = cf, .value = &url, .complex_value = location->pass_url};
    return location->pass_url != NULL ? ngx_http_compile_complex_value(&compile) : NGX_ERROR;
}

static char *watch_setter(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_forbid_loc_conf_t *location = ngx_http_conf_get_module_loc_conf(cf, ngx_http_forbid_module);
    const ngx_str_t *args = cf->args->elts;
    for (size_t peer = 0; peer < NGX_HTTP_FORBID_PEERS; peer++) {
        if (cmd == watched[peer][WATCH_KEY].command) {
            location->peers[peer].keyed = has_variable(args[1], "forbid_principal");
            return watched[peer][WATCH_KEY].original(cf, cmd, conf);
        }
        if (cmd == watched[peer][WATCH_PASS].command) {
            location->peers[peer].passes = 1;
            if (peer == NGX_HTTP_FORBID_PROXY && note_pass(cf, location, args[1]) != NGX_OK) {
                return NGX_CONF_ERROR;
            }
            return watched[peer][WATCH_PASS].original(cf, cmd, conf);
        }
    }
    return NGX_CONF_ERROR;
}

void ngx_http_forbid_unwatch(void)
{
    for (size_t peer = 0; peer < NGX_HTTP_FORBID_PEERS; peer++) {
        for (size_t what = 0; what < WATCHES; what++) {
            if (watched[peer][what].command != NULL) {
                watched[peer][what].command->set = watched[peer][what].original;
                watched[peer][what].command = NULL;
            }
        }
    }
}

static void unwatch_at_pool_end(void *none)
{
    (void)none;
    ngx_http_forbid_unwatch();
}

ngx_int_t ngx_http_forbid_watch(ngx_conf_t *cf)
{
    static const char *const suffixes[WATCHES] = {[WATCH_PASS] = "pass", [WATCH_KEY] = "cache_key"};
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == NULL) {
        return NGX_ERROR;
    }
    ngx_http_forbid_unwatch();
    cleanup->handler = unwatch_at_pool_end;
    for (size_t peer = 0; peer < NGX_HTTP_FORBID_PEERS; peer++) {
        ngx_module_t *module = find_module(cf->cycle, peer_names[peer]);
        for (size_t what = 0; module != NULL && what < WATCHES; what++) {
            ngx_command_t *command = find_command(module, peer_names[peer], suffixes[what]);
            if (command != NULL) {
                watched[peer][what].command = command;
                watched[peer][what].original = command->set;
                command->set = watch_setter;
            }
        }
    }
    return NGX_OK;
}

/* Whether the module's cache is on in the location that is being merged; built-in modules are
 * merged before this one. */
static bool cache_is_on(ngx_conf_t *cf, const char *peer)
{
    const ngx_module_t *module = find_module(cf->cycle, peer);
    const ngx_command_t *command = module != NULL ? find_command(module, peer, "connect_timeout") : NULL;
    if (command == NULL) {
        return false;
    }
    const ngx_http_conf_ctx_t *ctx = cf->ctx;
    const char *settings = ctx->loc_conf[module->ctx_index];
    const void *at = settings + (command->offset - offsetof(ngx_http_upstream_conf_t, connect_timeout));
    const ngx_http_upstream_conf_t *upstream = at;
    return upstream->cache != 0;
}

static char *check_caches(ngx_conf_t *cf, const ngx_http_forbid_loc_conf_t *conf, const ngx_http_core_loc_conf_t *core)
{
    for (size_t peer = 0; peer < NGX_HTTP_FORBID_PEERS; peer++) {
        /* An `if` or limit_except block inherits the pass of its location. */
        if ((conf->peers[peer].passes || core->noname) && !conf->peers[peer].keyed && cache_is_on(cf, peer_names[peer])) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s_cache in location \"%V\" would hand one client's answers to another: "
                               "put $forbid_principal into %s_cache_key, or use \"%s_cache off\"",
                               peer_names[peer], &core->name, peer_names[peer], peer_names[peer]);
            return NGX_CONF_ERROR;
        }
    }
    return NGX_CONF_OK;
}

/* Each combination of settings once, not for every location that inherits it. */
static char *check_site(ngx_conf_t *cf, const struct fb_site *site)
{
    ngx_http_forbid_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_forbid_module);
    const struct fb_site *checked = main->checked.elts;
    for (ngx_uint_t i = 0; i < main->checked.nelts; i++) {
        if (checked[i].policies == site->policies && checked[i].issuers == site->issuers
            && checked[i].geo == site->geo && (checked[i].store == NULL) == (site->store == NULL)) {
            return NGX_CONF_OK;
        }
    }
    struct fb_arena arena;
    struct fb_diags diags;
    fb_arena_init(&arena, &fb_heap, (size_t)16 << 20);
    fb_diags_init(&diags, &arena);
    bool sound = fb_site_check(site, &diags);
    ngx_http_forbid_report(cf, &diags);
    fb_arena_release(&arena);
    struct fb_site *entry = ngx_array_push(&main->checked);
    if (entry == NULL) {
        return NGX_CONF_ERROR;
    }
    *entry = *site;
    if (!sound) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the policies do not fit the issuers, the store or the geo file");
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}

/* Each worker opens each store once, and so many of them. */
static char *count_store(ngx_conf_t *cf, ngx_str_t store)
{
    ngx_http_forbid_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_forbid_module);
    if (store.len == 0) {
        return NGX_CONF_OK;
    }
    for (ngx_uint_t i = 0; i < main->stores_count; i++) {
        if (main->stores[i].len == store.len && ngx_memcmp(main->stores[i].data, store.data, store.len) == 0) {
            return NGX_CONF_OK;
        }
    }
    if (main->stores_count == FB_GUARD_STORES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "forbid_store \"%V\": there may be %ui stores in all", &store,
                           (ngx_uint_t)FB_GUARD_STORES_MAX);
        return NGX_CONF_ERROR;
    }
    main->stores[main->stores_count++] = store;
    return NGX_CONF_OK;
}

char *ngx_http_forbid_check(ngx_conf_t *cf, ngx_http_forbid_loc_conf_t *conf)
{
    const ngx_http_core_loc_conf_t *core = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    if (conf->policies == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "forbid is not off in location \"%V\", but no forbid_policies is given",
                           &core->name);
        return NGX_CONF_ERROR;
    }
    if (core->satisfy == NGX_HTTP_SATISFY_ANY) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"satisfy any\" in location \"%V\" would let another module overrule forbid: "
                           "use \"satisfy all\", or \"forbid off\" there",
                           &core->name);
        return NGX_CONF_ERROR;
    }
    if (check_caches(cf, conf, core) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }
    if (count_store(cf, conf->store) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }
    return check_site(cf, &conf->site);
}
