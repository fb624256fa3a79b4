/* SPDX-License-Identifier: Apache-2.0 */
/* The page of `forbid_metrics`: the counters (count.c) as text for Prometheus, or as OpenMetrics where that is asked
 * for by name.  Who may read it is said in metrics_conf.c; anybody else gets a 403. */
#include "nginx/ngx_http_forbid_count.h"

#define FORBID_PAGE_CEILING ((size_t)512 << 10)

struct page {
    struct fb_buffer out;
    bool open;                  /* OpenMetrics */
};

/* OpenMetrics names a family without the `_total` that its samples have. */
static void begin_family(struct page *page, const char *name, const char *help)
{
    const char *suffix = page->open ? "" : "_total";
    fb_buffer_add_format(&page->out, "# HELP %s%s %s\n# TYPE %s%s counter\n", name, suffix, help, name, suffix);
}

static void add_plain(struct page *page, const char *name, const char *label, const char *value, uint64_t count)
{
    fb_buffer_add_format(&page->out, "%s_total{%s=\"%s\"} %" PRIu64 "\n", name, label, value, count);
}

/* `label` with a comma behind it, or nothing.  Codes are `[a-z0-9_]`, which no label has to escape. */
static void add_refusals(struct page *page, const char *name, const char *label, ngx_uint_t kind,
                         const ngx_http_forbid_counted_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].kind == kind) {
            fb_buffer_add_format(&page->out, "%s_total{%sstatus=\"%u\",reason=\"%.*s\"} %" PRIu64 "\n", name, label,
                                 (unsigned)list[i].status, (int)list[i].code.len, (const char *)list[i].code.data, list[i].count);
        }
    }
}

static void write_page(struct page *page, const ngx_http_forbid_counted_t *list, size_t count)
{
    static const char decisions[] = "forbid_decisions", nginx[] = "forbid_nginx_refusals", upstream[] = "forbid_upstream_refusals";
    begin_family(page, decisions, "Requests decided, by outcome; refusals by status and reason.");
    add_plain(page, decisions, "decision", "allow", ngx_http_forbid_count_of(NGX_HTTP_FORBID_COUNT_ALLOW));
    add_plain(page, decisions, "decision", "shadow-allow", ngx_http_forbid_count_of(NGX_HTTP_FORBID_COUNT_SHADOW_ALLOW));
    add_plain(page, decisions, "decision", "preflight", ngx_http_forbid_count_of(NGX_HTTP_FORBID_COUNT_PREFLIGHT));
    add_plain(page, decisions, "decision", "other", ngx_http_forbid_count_of(NGX_HTTP_FORBID_COUNT_OTHER));
    add_refusals(page, decisions, "decision=\"deny\",", NGX_HTTP_FORBID_COUNT_DENY, list, count);
    add_refusals(page, decisions, "decision=\"shadow-deny\",", NGX_HTTP_FORBID_COUNT_SHADOW_DENY, list, count);
    begin_family(page, nginx, "Requests that nginx itself refused, in the form of a refusal by Forbid.");
    add_refusals(page, nginx, "", NGX_HTTP_FORBID_COUNT_NGINX, list, count);
    begin_family(page, upstream, "Requests let through that the upstream refused, as it answered them.");
    for (ngx_uint_t kind = NGX_HTTP_FORBID_UPSTREAM_NONE + 1; kind < NGX_HTTP_FORBID_UPSTREAM_KINDS; kind++) {
        ngx_str_t name = ngx_http_forbid_upstream_kind(kind);
        add_plain(page, upstream, "kind", (const char *)name.data,
                  ngx_http_forbid_count_of(NGX_HTTP_FORBID_COUNT_UPSTREAM + kind));
    }
    if (page->open) {
        fb_buffer_add_z(&page->out, "# EOF\n");
    }
}

static bool asks_open(ngx_http_request_t *r)
{
    static const struct fb_span name = FB_SPAN_INIT("application/openmetrics-text");
    struct fb_span accept = ngx_http_forbid_field(r, "accept");
    for (size_t i = 0; i + name.len <= accept.len; i++) {
        if (fb_span_eq_nocase(fb_span_head(fb_span_from(accept, i), name.len), name)) {
            return true;
        }
    }
    return false;
}

static ngx_int_t refuse(ngx_http_request_t *r, unsigned status, enum fb_reason reason)
{
    ngx_http_forbid_ctx_t *ctx = ngx_http_forbid_get_ctx(r);
    struct fb_refusal refusal = {.status = status, .reason = fb_reason_code(reason), .detail = fb_reason_sentence(reason)};
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (status == NGX_HTTP_NOT_ALLOWED) {
        refusal.allow = fb_span_z("GET, HEAD");
    }
    return ngx_http_forbid_refuse(r, ctx, &refusal);
}

static ngx_int_t show(ngx_http_request_t *r)
{
    struct fb_arena *arena = ngx_http_forbid_arena();
    const struct fb_allocator memory = fb_arena_allocator(arena);
    ngx_http_forbid_counted_t *list = fb_arena_array(arena, FORBID_COLUMNS, sizeof(*list));
    struct page page = {.open = asks_open(r)};
    fb_buffer_init(&page.out, &memory, FORBID_PAGE_CEILING);
    if (list != NULL) {
        write_page(&page, list, ngx_http_forbid_counts(list));
    }
    if (list == NULL || page.out.failed) {
        fb_arena_clear(arena);
        return refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE, FB_REASON_UNAVAILABLE);
    }
    const struct fb_response response = {
        .status = NGX_HTTP_OK,
        .content_type = page.open ? FB_SPAN("application/openmetrics-text; version=1.0.0; charset=utf-8")
                                  : FB_SPAN("text/plain; version=0.0.4; charset=utf-8"),
        .lines = {{FB_SPAN("Cache-Control"), FB_SPAN("no-store")}, {FB_SPAN("Vary"), FB_SPAN("Accept")}},
        .lines_count = 2,
        .body = fb_buffer_span(&page.out),
    };
    return ngx_http_forbid_send(r, &response);
}

ngx_int_t ngx_http_forbid_metrics_handler(ngx_http_request_t *r)
{
    const ngx_http_forbid_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_forbid_module);
    /* What answers ends the request by itself, and nginx once more with what a content handler returns. */
    r->main->count++;
    if (conf->callers != NULL && ngx_cidr_match(r->connection->sockaddr, conf->callers) != NGX_OK) {
        return refuse(r, NGX_HTTP_FORBIDDEN, FB_REASON_CALLER);
    }
    if (r->method != NGX_HTTP_GET && r->method != NGX_HTTP_HEAD) {
        return refuse(r, NGX_HTTP_NOT_ALLOWED, FB_REASON_METHOD_NOT_ALLOWED);
    }
    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }
    return show(r);
}
