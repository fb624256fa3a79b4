/* SPDX-License-Identifier: Apache-2.0 */
/* Who reads a refusal: what the request says of its client's languages and forms, and what the location
 * says of pages, of scripts from other origins, and of itself as a protected resource (forbid_pages, forbid_cors,
 * forbid_resource). */
#include "nginx/ngx_http_forbid.h"

#define FORBID_PAGES_CEILING ((size_t)64 << 20)

/* A request may carry a field in several lines; they are one list (RFC 9110 section 5.3). */
static void join(struct fb_span *list, ngx_str_t value, struct fb_arena *arena)
{
    struct fb_span more = ngx_http_forbid_span(value);
    *list = list->len == 0 ? more
                           : fb_arena_format(arena, "%.*s, %.*s", (int)list->len, list->ptr, (int)more.len, more.ptr);
}

static bool is_field(const ngx_table_elt_t *field, const char *name, size_t len)
{
    return field->key.len == len && ngx_strncasecmp(field->key.data, (u_char *)(uintptr_t)name, len) == 0;
}

static void take_field(const ngx_table_elt_t *field, struct fb_audience *audience, struct fb_arena *arena)
{
    switch (field->key.len) {
    case sizeof("accept") - 1:
        if (is_field(field, "accept", sizeof("accept") - 1)) {
            join(&audience->accept, field->value, arena);
        } else if (is_field(field, "origin", sizeof("origin") - 1)) {
            /* Two of them are nobody's origin. */
            audience->origin = audience->origin.len == 0 ? ngx_http_forbid_span(field->value) : fb_span_z(" ");
        }
        break;
    case sizeof("accept-language") - 1:
        if (is_field(field, "accept-language", sizeof("accept-language") - 1)) {
            join(&audience->accept_language, field->value, arena);
        }
        break;
    default:
        break;
    }
}

void ngx_http_forbid_audience(ngx_http_request_t *r, struct fb_arena *arena, struct fb_audience *audience)
{
    const ngx_http_forbid_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_forbid_module);
    *audience = (struct fb_audience){.pages = conf->pages, .cors = conf->cors, .login = conf->login != NULL};
    /* A call of gRPC is a POST: on anything else the type is a mistake, and a 200 would hide the refusal. */
    if (r->headers_in.content_type != NULL && r->method == NGX_HTTP_POST) {
        audience->content_type = ngx_http_forbid_span(r->headers_in.content_type->value);
    }
    const ngx_list_part_t *part = &r->headers_in.headers.part;
    for (; part != NULL; part = part->next) {
        const ngx_table_elt_t *fields = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            take_field(&fields[i], audience, arena);
        }
    }
}

/* --- Directives ------------------------------------------------------------------------------------------- */

static void release_arena(void *object)
{
    fb_arena_release(object);
}

/* An arena that lives as long as the configuration. */
static struct fb_arena *arena_of_conf(ngx_conf_t *cf)
{
    struct fb_arena *arena = ngx_palloc(cf->pool, sizeof(*arena));
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (arena == NULL || cleanup == NULL) {
        return NULL;
    }
    fb_arena_init(arena, &fb_heap, FORBID_PAGES_CEILING);
    cleanup->handler = release_arena;
    cleanup->data = arena;
    return arena;
}

char *ngx_http_forbid_set_cors(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    (void)cmd;
    ngx_http_forbid_loc_conf_t *location = conf;
    const ngx_str_t *args = cf->args->elts;
    size_t count = cf->args->nelts - 1;
    if (location->cors != NGX_CONF_UNSET_PTR) {
        return (char *)(uintptr_t)"is duplicate";
    }
    location->cors = NULL;
    if (count == 1 && ngx_strcmp(args[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }
    struct fb_arena *arena = arena_of_conf(cf);
    struct fb_span *words = arena != NULL ? fb_arena_array(arena, count, sizeof(*words)) : NULL;
    struct fb_cors *cors = arena != NULL ? fb_arena_alloc(arena, sizeof(*cors)) : NULL;
    if (words == NULL || cors == NULL) {
        return NGX_CONF_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        words[i] = ngx_http_forbid_span(args[i + 1]);
    }
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    if (!fb_cors_parse(words, count, arena, cors, &diags)) {
        ngx_http_forbid_report(cf, &diags);
        return (char *)(uintptr_t)"cannot be used";
    }
    location->cors = cors;
    return NGX_CONF_OK;
}

char *ngx_http_forbid_set_pages(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    (void)cmd;
    ngx_http_forbid_loc_conf_t *location = conf;
    const ngx_str_t *args = cf->args->elts;
    ngx_str_t dir = args[1];
    if (location->pages != NGX_CONF_UNSET_PTR) {
        return (char *)(uintptr_t)"is duplicate";
    }
    location->pages = NULL;
    if (ngx_strcmp(dir.data, "off") == 0) {
        return NGX_CONF_OK;
    }
    struct fb_arena *arena = arena_of_conf(cf);
    struct fb_diags diags;
    if (arena == NULL || ngx_conf_full_name(cf->cycle, &dir, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }
    fb_diags_init(&diags, arena);
    location->pages = fb_pages_load((const char *)dir.data, &diags);
    ngx_http_forbid_report(cf, &diags);
    return location->pages != NULL ? NGX_CONF_OK : (char *)(uintptr_t)"cannot be used";
}

char *ngx_http_forbid_set_resource(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    (void)cmd;
    ngx_http_forbid_loc_conf_t *location = conf;
    const ngx_str_t *args = cf->args->elts;
    if (location->resource != NGX_CONF_UNSET_PTR) {
        return (char *)(uintptr_t)"is duplicate";
    }
    location->resource = NULL;
    if (ngx_strcmp(args[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }
    const char *wrong = fb_resource_check(ngx_http_forbid_span(args[1]));
    if (wrong != NULL) {
        return (char *)(uintptr_t)wrong;
    }
    struct fb_arena *arena = arena_of_conf(cf);
    ngx_http_forbid_resource_t *resource = ngx_palloc(cf->pool, sizeof(*resource));
    if (arena == NULL || resource == NULL) {
        return NGX_CONF_ERROR;
    }
    resource->identifier = ngx_http_forbid_span(args[1]);
    resource->metadata_uri = fb_metadata_uri(resource->identifier, arena);
    resource->metadata_path = fb_metadata_path(resource->metadata_uri);
    location->resource = resource;
    return resource->metadata_uri.len != 0 ? NGX_CONF_OK : NGX_CONF_ERROR;
}
