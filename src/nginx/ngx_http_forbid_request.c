/* SPDX-License-Identifier: Apache-2.0 */
/* An nginx request as the guard sees it.  Nothing is copied: spans into the request.
 *
 * The target.  As long as nobody rewrote it, what nginx forwards is the client's own target
 * (r->unparsed_uri), and the guard compares that with nginx's normalised path.  After a `rewrite`,
 * a `set $args` or an internal redirect (r->valid_unparsed_uri = 0) nginx makes the forwarded
 * target from r->uri, escaping it again; then there is no raw target, and r->uri is decided.  The
 * client's address is the connection's, which realip has set by then. */
#include "nginx/ngx_http_forbid.h"

/* cursor->part is the list part that the cursor is in, cursor->index the element. */
static bool next_field(const void *self, struct fb_http_cursor *cursor, struct fb_http_field *field)
{
    const ngx_http_request_t *r = self;
    const ngx_list_part_t *part = cursor->part != NULL ? cursor->part : &r->headers_in.headers.part;
    size_t index = cursor->index;
    for (;;) {
        while (part != NULL && index >= part->nelts) {
            part = part->next;
            index = 0;
        }
        if (part == NULL) {
            return false;
        }
        const ngx_table_elt_t *line = (const ngx_table_elt_t *)part->elts + index++;
        if (line->hash != 0) {
            field->name = ngx_http_forbid_span(line->key);
            field->value = fb_span_trim(ngx_http_forbid_span(line->value));
            cursor->part = part;
            cursor->index = index;
            return true;
        }
    }
}

/* Most names differ in their length, so that most lines are passed over at once. */
static unsigned count_named(const void *self, struct fb_span name, struct fb_span *first)
{
    const ngx_http_request_t *r = self;
    unsigned count = 0;
    for (const ngx_list_part_t *part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        const ngx_table_elt_t *lines = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (lines[i].key.len == name.len && lines[i].hash != 0
                && fb_span_eq_nocase(ngx_http_forbid_span(lines[i].key), name) && count++ == 0) {
                *first = fb_span_trim(ngx_http_forbid_span(lines[i].value));
            }
        }
    }
    return count;
}

struct fb_span ngx_http_forbid_field(const ngx_http_request_t *r, const char *name)
{
    struct fb_span value = {0, NULL};
    (void)count_named(r, fb_span_z(name), &value);
    return value;
}

#if (NGX_HTTP_SSL)
static struct fb_span client_certificate(const void *connection)
{
    const ngx_http_request_t *r = connection;
    ngx_str_t pem = ngx_null_string;
    if (r->connection->ssl == NULL || ngx_ssl_get_raw_certificate(r->connection, r->pool, &pem) != NGX_OK) {
        return fb_span(NULL, 0);
    }
    return ngx_http_forbid_span(pem);
}
#endif

static void fill_tls(ngx_http_request_t *r, struct fb_http_request *request)
{
#if (NGX_HTTP_SSL)
    request->certificate = client_certificate;
    ngx_connection_t *c = r->connection;
    ngx_str_t text;
    if (c->ssl == NULL) {
        return;
    }
    request->tls = true;
    if (ngx_ssl_get_protocol(c, r->pool, &text) == NGX_OK) {
        request->tls_version = ngx_http_forbid_span(text);
    }
    if (ngx_ssl_get_cipher_name(c, r->pool, &text) == NGX_OK) {
        request->tls_cipher = ngx_http_forbid_span(text);
    }
    if (ngx_ssl_get_server_name(c, r->pool, &text) == NGX_OK) {
        request->tls_server_name = ngx_http_forbid_span(text);
    }
    if (ngx_ssl_get_subject_dn(c, r->pool, &text) == NGX_OK) {
        request->tls_client_subject = ngx_http_forbid_span(text);
    }
#else
    (void)r;
    (void)request;
#endif
}

static struct fb_span host_of(ngx_http_request_t *r)
{
    if (r->headers_in.server.len != 0) {
        return ngx_http_forbid_span(r->headers_in.server);
    }
    const ngx_http_core_srv_conf_t *server = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
    return ngx_http_forbid_span(server->server_name);
}

void ngx_http_forbid_fill(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf,
                          const ngx_http_forbid_ctx_t *ctx, struct fb_http_request *request)
{
    const ngx_time_t *now = ngx_timeofday();
    *request = (struct fb_http_request){
        .id = fb_span((const char *)ctx->id, sizeof(ctx->id)),
        .method = ngx_http_forbid_span(r->method_name),
        .path = ngx_http_forbid_span(r->uri),
        .query = ngx_http_forbid_span(r->args),
        .host = host_of(r),
        .now_ms = (int64_t)now->sec * 1000 + (int64_t)now->msec,
        .fields = {.next = next_field, .named = count_named, .self = r},
        .sent_target = ngx_http_forbid_span(r->unparsed_uri),
        .connection = r,
        .proof_used = ctx->proof_used,
    };
    /* proxy_pass with $request_uri forwards the client's target even after a rewrite: then that is
     * compared with the path decided, and a difference is a 400. */
    if (r->valid_unparsed_uri || conf->pass_raw) {
        request->raw_target = ngx_http_forbid_span(r->unparsed_uri);
    }
    fb_ip_of_sockaddr(r->connection->sockaddr, r->connection->socklen, &request->peer);
    fill_tls(r, request);
}

/* Whether the value of a proxy_pass has a path of its own, which is then forwarded as it is. */
static bool has_path(ngx_str_t url)
{
    struct fb_span rest = ngx_http_forbid_span(url);
    size_t colon = fb_span_find(rest, ':');
    if (fb_span_starts(fb_span_from(rest, colon), FB_SPAN("://"))) {
        rest = fb_span_from(rest, colon + 3);
    }
    if (fb_span_starts(rest, FB_SPAN("unix:"))) {
        rest = fb_span_from(rest, sizeof("unix:") - 1);
        return fb_span_find(rest, ':') != rest.len;
    }
    return fb_span_find(rest, '/') != rest.len || fb_span_find(rest, '?') != rest.len;
}

static bool passes_decoded(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf)
{
    ngx_str_t url;
    if (conf->pass_decoded || conf->pass_url == NULL) {
        return conf->pass_decoded != 0;
    }
    return ngx_http_complex_value(r, conf->pass_url, &url) != NGX_OK || has_path(url);
}

bool ngx_http_forbid_unforwardable(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf)
{
    if (!passes_decoded(r, conf)) {
        return false;
    }
    /* proxy_pass has $uri, $1 or the like in its path and would forward these bytes unescaped. */
    for (size_t i = 0; i < r->uri.len; i++) {
        u_char c = r->uri.data[i];
        if (c <= ' ' || c >= 0x7f || c == '%' || c == '?' || c == '#') {
            return true;
        }
    }
    return false;
}

bool ngx_http_forbid_strayed(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf,
                             const ngx_http_forbid_ctx_t *ctx)
{
    if (ngx_http_forbid_unforwardable(r, conf) || (conf->pass_raw && !ctx->raw_decided)) {
        return true;
    }
    /* Where nginx makes a new target of the old path (`try_files … /app$uri`), it splits it at a `?`
     * that was part of the path.  An error page is the operator's own. */
    bool moved = !fb_span_eq(ngx_http_forbid_span(r->uri), ngx_http_forbid_span(ctx->path));
    return moved && r->err_status < NGX_HTTP_BAD_REQUEST && fb_span_find(ngx_http_forbid_span(ctx->path), '?') != ctx->path.len;
}
