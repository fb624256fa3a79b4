/* SPDX-License-Identifier: Apache-2.0 */
/* Directives, their defaults, and how they are inherited from http to server to location.
 * directives.def has the table; load.c the setters that read files; check.c what is refused. */
#include "nginx/ngx_http_forbid.h"

static ngx_conf_enum_t ngx_http_forbid_modes[] = {
    {ngx_string("off"), NGX_HTTP_FORBID_OFF},
    {ngx_string("on"), NGX_HTTP_FORBID_ON},
    {ngx_string("shadow"), NGX_HTTP_FORBID_SHADOW},
    {ngx_null_string, 0},
};

static ngx_conf_enum_t ngx_http_forbid_unmatched[] = {
    {ngx_string("404"), FB_UNMATCHED_404},
    {ngx_string("403"), FB_UNMATCHED_403},
    {ngx_string("pass"), FB_UNMATCHED_PASS},
    {ngx_null_string, 0},
};

static ngx_conf_enum_t ngx_http_forbid_upstream_modes[] = {
    {ngx_string("pass"), 0},
    {ngx_string("normalize"), 1},
    {ngx_null_string, 0},
};

static char *check_retry_after(ngx_conf_t *cf, void *post, void *data)
{
    const time_t *seconds = data;
    (void)cf;
    (void)post;
    return *seconds >= 1 && *seconds <= 86400 ? NGX_CONF_OK : (char *)(uintptr_t)"takes a time from 1s to 1d";
}

static ngx_conf_post_t ngx_http_forbid_retry_after = {check_retry_after};

ngx_command_t ngx_http_forbid_commands[] = {
#define FB_DIRECTIVE(symbol, word, arguments, setter, field, values, fallback, inheritance, line)                \
    {ngx_string(word), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | (arguments), setter,           \
     NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_http_forbid_loc_conf_t, field), values},
#include "nginx/directives.def"
#undef FB_DIRECTIVE
    ngx_null_command,
};

void *ngx_http_forbid_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_forbid_main_conf_t *conf = ngx_pcalloc(cf->pool, sizeof(*conf));
    if (conf == NULL || ngx_array_init(&conf->policies, cf->pool, 2, sizeof(ngx_http_forbid_policies_t)) != NGX_OK
        || ngx_array_init(&conf->geo, cf->pool, 1, sizeof(ngx_http_forbid_geo_t)) != NGX_OK
        || ngx_array_init(&conf->checked, cf->pool, 4, sizeof(struct fb_site)) != NGX_OK) {
        return NULL;
    }
    return conf;
}

void *ngx_http_forbid_create_srv_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_forbid_srv_conf_t));
}

void *ngx_http_forbid_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_forbid_loc_conf_t *conf = ngx_pcalloc(cf->pool, sizeof(*conf));
    if (conf == NULL) {
        return NULL;
    }
    conf->mode = NGX_CONF_UNSET_UINT;
    conf->policies = NGX_CONF_UNSET_PTR;
    conf->issuers = NGX_CONF_UNSET_PTR;
    conf->geo = NGX_CONF_UNSET_PTR;
    conf->store = (ngx_str_t)ngx_null_string;
    conf->store_map = NGX_CONF_UNSET_SIZE;
    conf->disclose = NGX_CONF_UNSET_UINT;
    conf->disclose_anonymous = NGX_CONF_UNSET_UINT;
    conf->disclose_stated = NGX_CONF_UNSET;
    conf->unmatched = NGX_CONF_UNSET_UINT;
    conf->pages = NGX_CONF_UNSET_PTR;
    conf->cors = NGX_CONF_UNSET_PTR;
    conf->resource = NGX_CONF_UNSET_PTR;
    conf->login = NGX_CONF_UNSET_PTR;
    conf->retry_after = NGX_CONF_UNSET;
    conf->normalize = NGX_CONF_UNSET_UINT;
    for (size_t i = 0; i < NGX_HTTP_FORBID_PEERS; i++) {
        conf->peers[i].keyed = NGX_CONF_UNSET;
    }
    return conf;
}

/* Counts the locations that decide, and notes which settings dress a server's early errors. */
static void note_location(ngx_conf_t *cf, ngx_http_forbid_loc_conf_t *conf)
{
    ngx_http_forbid_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_forbid_module);
    ngx_http_forbid_srv_conf_t *server = ngx_http_conf_get_module_srv_conf(cf, ngx_http_forbid_module);
    ngx_http_core_loc_conf_t *core = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    main->locations++;
    main->proves = main->proves || fb_site_proves(&conf->site);
    if (server->dress == NULL) {
        server->dress = conf;
    }
    if (conf->mode == NGX_HTTP_FORBID_SHADOW && main->shadows++ == 0) {
        main->first_shadow = core->name;
    }
}

/* An `if` or limit_except block answers as its location does: with its proxy_pass, if it has none of its own, and
 * with its forbid_metrics, whose callers stay who they are. */
static void inherit_handler(ngx_conf_t *cf, const ngx_http_forbid_loc_conf_t *prev, ngx_http_forbid_loc_conf_t *conf)
{
    const ngx_http_core_loc_conf_t *core = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    if (core->noname) {
        conf->callers = prev->callers;
    }
    if (core->noname && !conf->peers[NGX_HTTP_FORBID_PROXY].passes) {
        conf->pass_decoded = prev->pass_decoded;
        conf->pass_raw = prev->pass_raw;
        conf->pass_url = prev->pass_url;
    }
}

char *ngx_http_forbid_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_forbid_loc_conf_t *prev = parent, *conf = child;
    ngx_conf_merge_uint_value(conf->mode, prev->mode, NGX_HTTP_FORBID_OFF);
    ngx_conf_merge_ptr_value(conf->policies, prev->policies, NULL);
    ngx_conf_merge_ptr_value(conf->issuers, prev->issuers, NULL);
    ngx_conf_merge_ptr_value(conf->geo, prev->geo, NULL);
    ngx_conf_merge_str_value(conf->store, prev->store, "");
    ngx_conf_merge_size_value(conf->store_map, prev->store_map, 0);
    ngx_conf_merge_uint_value(conf->disclose, prev->disclose, FB_LEVEL_REASON);
    ngx_conf_merge_uint_value(conf->disclose_anonymous, prev->disclose_anonymous, FB_LEVEL_NONE);
    ngx_conf_merge_value(conf->disclose_stated, prev->disclose_stated, 0);
    ngx_conf_merge_uint_value(conf->unmatched, prev->unmatched, FB_UNMATCHED_404);
    ngx_conf_merge_ptr_value(conf->pages, prev->pages, NULL);
    ngx_conf_merge_ptr_value(conf->cors, prev->cors, NULL);
    ngx_conf_merge_ptr_value(conf->resource, prev->resource, NULL);
    ngx_conf_merge_ptr_value(conf->login, prev->login, NULL);
    ngx_conf_merge_sec_value(conf->retry_after, prev->retry_after, 1);
    ngx_conf_merge_uint_value(conf->normalize, prev->normalize, 0);
    for (size_t i = 0; i < NGX_HTTP_FORBID_PEERS; i++) {
        ngx_conf_merge_value(conf->peers[i].keyed, prev->peers[i].keyed, 0);
    }
    inherit_handler(cf, prev, conf);
    conf->site = (struct fb_site){
        .policies = conf->policies,
        .issuers = conf->issuers,
        .geo = conf->geo,
        .store = conf->store.len != 0 ? (const char *)conf->store.data : NULL,
        .store_map = conf->store_map,
        .disclose = (enum fb_level)conf->disclose,
        .disclose_anonymous = (enum fb_level)conf->disclose_anonymous,
        .disclose_stated = conf->disclose_stated != 0,
        .unmatched = (enum fb_unmatched)conf->unmatched,
        .preflights = conf->cors != NULL,
        .retry_after = (unsigned)conf->retry_after,
    };
    if (conf->resource != NULL) {
        conf->site.resource = conf->resource->identifier;
        conf->site.metadata_uri = conf->resource->metadata_uri;
        conf->site.metadata_path = conf->resource->metadata_path;
    }
    if (conf->mode == NGX_HTTP_FORBID_OFF) {
        return NGX_CONF_OK;
    }
    note_location(cf, conf);
    return ngx_http_forbid_check(cf, conf);
}
