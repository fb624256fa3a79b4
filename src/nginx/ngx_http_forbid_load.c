/* SPDX-License-Identifier: Apache-2.0 */
/* What the directives name is read here, while nginx parses its configuration: in the master, at a
 * reload, and in `nginx -t`.  A fault refuses the configuration, so that the old workers go on with
 * the old policies.  Everything is freed with the configuration's pool; nothing is written, and
 * nothing that must not cross a fork is opened. */
#include "nginx/ngx_http_forbid.h"

#define FORBID_TEXTS_CEILING ((size_t)1 << 30)
#define FORBID_DIAGS_CEILING ((size_t)64 << 20)
#define FORBID_STORE_MAP_MIN ((off_t)1 << 20)

/* One severity a log level; a diagnostic has several lines (source, caret, hint), and nginx cuts an
 * entry at 2048 bytes, so each line is an entry. */
static void report_one(ngx_conf_t *cf, const struct fb_diag *diag)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 20);
    fb_diag_print(&out, diag, false);
    ngx_uint_t level = diag->severity == FB_ERROR ? NGX_LOG_EMERG : NGX_LOG_WARN;
    struct fb_span rest = fb_buffer_span(&out);
    while (rest.len != 0) {
        ngx_str_t line = ngx_http_forbid_str(fb_span_head(rest, fb_span_find(rest, '\n')));
        if (line.len != 0) {
            ngx_log_error(level, cf->log, 0, "%V", &line);
        }
        rest = fb_span_from(rest, line.len + 1);
    }
    fb_buffer_release(&out);
}

void ngx_http_forbid_report(ngx_conf_t *cf, const struct fb_diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        report_one(cf, &diags->list[i]);
    }
    if (diags->dropped != 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "forbid: %uz more diagnostics are not shown", diags->dropped);
    }
}

static char *fault(ngx_conf_t *cf, const char *text)
{
    const ngx_str_t *args = cf->args->elts;
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %s", &args[0], text);
    return NGX_CONF_ERROR;
}

/* An argument as an absolute path with a NUL, against the configuration's directory. */
static bool full_path(ngx_conf_t *cf, ngx_str_t text, ngx_str_t *path)
{
    if (text.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the path is empty");
        return false;
    }
    *path = text;
    return ngx_conf_full_name(cf->cycle, path, 1) == NGX_OK;
}

static bool same(ngx_str_t a, ngx_str_t b)
{
    return a.len == b.len && ngx_memcmp(a.data, b.data, a.len) == 0;
}

static bool on_pool_end(ngx_conf_t *cf, ngx_pool_cleanup_pt free_it, void *object)
{
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == NULL) {
        free_it(object);
        return false;
    }
    cleanup->handler = free_it;
    cleanup->data = object;
    return true;
}

static void free_policies(void *object)
{
    fb_policies_free(object);
}

static void free_issuers(void *object)
{
    fb_issuers_free(object);
}

static void release_arena(void *object)
{
    fb_arena_release(object);
}

static void close_geo(void *object)
{
    fb_geo_close(object);
}

/* The texts that were read lie in the arena of the diagnostics, and what is made of them points
 * there: it stays as long as the policies, so its cleanup is added before theirs (last in, first out). */
static struct fb_arena *arena_of_texts(ngx_conf_t *cf)
{
    struct fb_arena *arena = ngx_palloc(cf->pool, sizeof(*arena));
    if (arena == NULL) {
        return NULL;
    }
    fb_arena_init(arena, &fb_heap, FORBID_TEXTS_CEILING);
    return on_pool_end(cf, release_arena, arena) ? arena : NULL;
}

static struct fb_policies *load_policies(ngx_conf_t *cf, ngx_str_t dir)
{
    struct fb_diags diags;
    struct fb_arena *arena = arena_of_texts(cf);
    if (arena == NULL) {
        return NULL;
    }
    fb_diags_init(&diags, arena);
    struct fb_policies *policies = fb_policies_load(&fb_heap, (const char *)dir.data, &diags);
    ngx_http_forbid_report(cf, &diags);
    if (policies == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the policies in \"%V\" cannot be used: %uz error%s", &dir,
                           diags.errors, diags.errors == 1 ? "" : "s");
    }
    return policies;
}

char *ngx_http_forbid_set_policies(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    (void)cmd;
    ngx_http_forbid_loc_conf_t *location = conf;
    ngx_http_forbid_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_forbid_module);
    const ngx_str_t *args = cf->args->elts;
    ngx_str_t dir;
    if (location->policies != NGX_CONF_UNSET_PTR) {
        return fault(cf, "is duplicate");
    }
    if (!full_path(cf, args[1], &dir)) {
        return NGX_CONF_ERROR;
    }
    const ngx_http_forbid_policies_t *loaded = main->policies.elts;
    for (ngx_uint_t i = 0; i < main->policies.nelts; i++) {
        if (same(loaded[i].dir, dir)) {
            location->policies = loaded[i].policies;
            return NGX_CONF_OK;
        }
    }
    struct fb_policies *policies = load_policies(cf, dir);
    if (policies == NULL || !on_pool_end(cf, free_policies, policies)) {
        return NGX_CONF_ERROR;
    }
    ngx_http_forbid_policies_t *entry = ngx_array_push(&main->policies);
    if (entry == NULL) {
        return NGX_CONF_ERROR;
    }
    *entry = (ngx_http_forbid_policies_t){dir, policies};
    location->policies = policies;
    return NGX_CONF_OK;
}

/* `name=value` among the arguments: the value, or false. */
static bool option(ngx_str_t argument, const char *name, ngx_str_t *value)
{
    size_t length = ngx_strlen(name);
    if (argument.len <= length || ngx_strncmp(argument.data, name, length) != 0 || argument.data[length] != '=') {
        return false;
    }
    value->data = argument.data + length + 1;
    value->len = argument.len - length - 1;
    return true;
}

/* The store is opened by each worker after the fork; a directory that is not there is no fault of
 * the configuration: the guard refuses with 503 until it is. */
char *ngx_http_forbid_set_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    (void)cmd;
    ngx_http_forbid_loc_conf_t *location = conf;
    const ngx_str_t *args = cf->args->elts;
    if (location->store.data != NULL) {
        return fault(cf, "is duplicate");
    }
    location->store_map = 0;
    if (ngx_strcmp(args[1].data, "off") == 0) {
        ngx_str_set(&location->store, "");
        return cf->args->nelts == 2 ? NGX_CONF_OK : fault(cf, "takes nothing after \"off\"");
    }
    if (cf->args->nelts == 3) {
        ngx_str_t value;
        off_t map = option(args[2], "map", &value) ? ngx_parse_offset(&value) : NGX_ERROR;
        if (map < FORBID_STORE_MAP_MIN) {
            return fault(cf, "takes a directory and map=SIZE, of 1m or more");
        }
        location->store_map = ngx_align((size_t)map, ngx_pagesize);
    }
    return full_path(cf, args[1], &location->store) ? NGX_CONF_OK : NGX_CONF_ERROR;
}

/* Reads one line of an issuer and adds it to the location's. */
static bool add_issuer(ngx_conf_t *cf, struct fb_issuers *issuers, struct fb_arena *arena, struct fb_diags *diags)
{
    const ngx_str_t *args = cf->args->elts;
    size_t count = cf->args->nelts - 1;
    struct fb_span *words = fb_arena_array(arena, count, sizeof(*words));
    if (words == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        words[i] = ngx_http_forbid_span(args[i + 1]);
    }
    struct fb_issuer issuer;
    if (!fb_issuer_parse(words, count, arena, &issuer, diags)) {
        return false;
    }
    ngx_str_t file = {0, NULL};
    file.len = issuer.jwks.len;
    file.data = ngx_pnalloc(cf->pool, file.len + 1);
    if (file.data == NULL) {
        return false;
    }
    *ngx_cpymem(file.data, issuer.jwks.ptr, file.len) = '\0';
    if (!full_path(cf, file, &file)) {
        return false;
    }
    issuer.jwks = ngx_http_forbid_span(file);
    return fb_issuers_add_file(issuers, &issuer, diags);
}

char *ngx_http_forbid_set_issuer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    (void)cmd;
    ngx_http_forbid_loc_conf_t *location = conf;
    if (location->own_issuers == NULL) {
        struct fb_issuers *issuers = fb_issuers_new(&fb_heap);
        if (issuers == NULL || !on_pool_end(cf, free_issuers, issuers)) {
            return NGX_CONF_ERROR;
        }
        location->own_issuers = issuers;
        location->issuers = issuers;
    }
    struct fb_arena arena;
    struct fb_diags diags;
    fb_arena_init(&arena, &fb_heap, FORBID_DIAGS_CEILING);
    fb_diags_init(&diags, &arena);
    bool added = add_issuer(cf, location->own_issuers, &arena, &diags);
    ngx_http_forbid_report(cf, &diags);
    fb_arena_release(&arena);
    if (!added) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the issuer cannot be used");
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}

static const struct fb_geo *open_geo(ngx_conf_t *cf, ngx_str_t file, ngx_str_t path)
{
    ngx_http_forbid_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_forbid_module);
    const ngx_http_forbid_geo_t *opened = main->geo.elts;
    for (ngx_uint_t i = 0; i < main->geo.nelts; i++) {
        if (same(opened[i].file, file) && same(opened[i].path, path)) {
            return opened[i].geo;
        }
    }
    const char *error = NULL;
    struct fb_geo *geo = fb_geo_open(&fb_heap, (const char *)file.data,
                                     path.len != 0 ? (const char *)path.data : NULL, &error);
    if (geo == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the location database \"%V\" cannot be used: %s", &file, error);
        return NULL;
    }
    ngx_http_forbid_geo_t *entry = NULL;
    if (!on_pool_end(cf, close_geo, geo) || (entry = ngx_array_push(&main->geo)) == NULL) {
        return NULL;
    }
    *entry = (ngx_http_forbid_geo_t){file, path, geo};
    return geo;
}

char *ngx_http_forbid_set_geo(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    (void)cmd;
    ngx_http_forbid_loc_conf_t *location = conf;
    const ngx_str_t *args = cf->args->elts;
    ngx_str_t file, path = ngx_null_string;
    if (location->geo != NGX_CONF_UNSET_PTR) {
        return fault(cf, "is duplicate");
    }
    if (ngx_strcmp(args[1].data, "off") == 0) {
        location->geo = NULL;
        return cf->args->nelts == 2 ? NGX_CONF_OK : fault(cf, "takes nothing after \"off\"");
    }
    if (cf->args->nelts == 3 && !option(args[2], "path", &path)) {
        return fault(cf, "takes a file and path=KEY[.KEY]");
    }
    if (!full_path(cf, args[1], &file)) {
        return NGX_CONF_ERROR;
    }
    location->geo = open_geo(cf, file, path);
    return location->geo != NULL ? NGX_CONF_OK : NGX_CONF_ERROR;
}

char *ngx_http_forbid_set_disclose(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    (void)cmd;
    ngx_http_forbid_loc_conf_t *location = conf;
    const ngx_str_t *args = cf->args->elts;
    ngx_str_t value;
    enum fb_level level;
    if (location->disclose != NGX_CONF_UNSET_UINT) {
        return fault(cf, "is duplicate");
    }
    if (!fb_level_parse(ngx_http_forbid_span(args[1]), &level)) {
        return fault(cf, "takes none, reason, detail or policy");
    }
    location->disclose = level;
    location->disclose_stated = 1;
    if (cf->args->nelts == 3) {
        if (!option(args[2], "anonymous", &value) || !fb_level_parse(ngx_http_forbid_span(value), &level)) {
            return fault(cf, "takes anonymous=none, reason, detail or policy as its second argument");
        }
        location->disclose_anonymous = level;
    }
    return NGX_CONF_OK;
}
