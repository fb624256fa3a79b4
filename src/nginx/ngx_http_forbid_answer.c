/* SPDX-License-Identifier: Apache-2.0 */
/* Every refusal leaves through ngx_http_forbid_refuse().
 *
 * What matters is the body that a client may still be sending: no byte of it may be taken for the
 * next request, and it must not be asked for (RFC 9110 section 10.1.1).  So nginx discards it, and
 * the connection ends where that cannot be done, or where the client waits for a `100 Continue`
 * that never comes and may or may not send its body. */
#include "nginx/ngx_http_forbid.h"

/* Without memory for a real answer. */
static const struct fb_line bare_lines[] = {
    {{13, "Cache-Control"}, {8, "no-store"}},
};

static void bare_response(unsigned status, struct fb_response *response)
{
    *response = (struct fb_response){.status = status, .content_type = fb_span_z("application/json")};
    response->lines[0] = bare_lines[0];
    response->lines_count = 1;
    response->body = status == NGX_HTTP_FORBIDDEN ? fb_span_z("{\"error\":\"forbidden\"}")
                                                  : fb_span_z("{\"error\":\"authorization_unavailable\"}");
    if (status != NGX_HTTP_FORBIDDEN) {
        response->status = NGX_HTTP_SERVICE_UNAVAILABLE;
    }
}

void ngx_http_forbid_render(ngx_http_request_t *r, const ngx_http_forbid_ctx_t *ctx, struct fb_refusal *refusal,
                            struct fb_response *response)
{
    struct fb_arena *arena = ngx_http_forbid_arena();
    refusal->request_id = fb_span((const char *)ctx->id, sizeof(ctx->id));
    struct fb_audience audience;
    ngx_http_forbid_audience(r, arena, &audience);
    if (!fb_refusal_render(refusal, &audience, arena, response)) {
        bare_response(refusal->status, response);
    }
}

/* Statuses that nginx 1.22 has no phrase for, or one that is not RFC 9110's. */
static ngx_str_t status_line(unsigned status)
{
    switch (status) {
    case NGX_HTTP_NOT_ALLOWED:
        return (ngx_str_t)ngx_string("405 Method Not Allowed");
    case 431:
        return (ngx_str_t)ngx_string("431 Request Header Fields Too Large");
    case 451:
        return (ngx_str_t)ngx_string("451 Unavailable For Legal Reasons");
    default:
        return (ngx_str_t)ngx_null_string;
    }
}

static ngx_int_t put_line(ngx_http_request_t *r, const struct fb_line *line)
{
    ngx_table_elt_t *out = ngx_list_push(&r->headers_out.headers);
    if (out == NULL) {
        return NGX_ERROR;
    }
    out->hash = 1;
    out->lowcase_key = NULL;
    out->key = ngx_http_forbid_str(line->name);
    out->value = ngx_http_forbid_copy(r->pool, line->value);
    if (out->value.data == NULL) {
        out->hash = 0;
        return NGX_ERROR;
    }
    if (r->headers_out.www_authenticate == NULL && fb_span_eq_nocase(line->name, fb_span_z("WWW-Authenticate"))) {
        r->headers_out.www_authenticate = out;
    }
    return NGX_OK;
}

ngx_buf_t *ngx_http_forbid_put(ngx_http_request_t *r, const struct fb_response *response)
{
    r->headers_out.status = response->status;
    r->headers_out.status_line = status_line(response->status);
    r->headers_out.content_type = ngx_http_forbid_str(response->content_type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset.len = 0;
    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);
    r->headers_out.content_length_n = (off_t)response->body.len;
    if (response->body.len == 0) {
        /* Nothing but a header: a preflight's answer, or a call of gRPC, whose clients take the end of the
         * stream on the header for its trailers. */
        r->header_only = 1;
        r->headers_out.content_length_n = r->stream != NULL || response->status == NGX_HTTP_NO_CONTENT ? -1 : 0;
    }
    for (size_t i = 0; i < response->lines_count; i++) {
        if (put_line(r, &response->lines[i]) != NGX_OK) {
            return NULL;
        }
    }
    ngx_buf_t *buf = ngx_create_temp_buf(r->pool, response->body.len != 0 ? response->body.len : 1);
    if (buf == NULL) {
        return NULL;
    }
    if (response->body.len != 0) {
        buf->last = ngx_cpymem(buf->last, response->body.ptr, response->body.len);
    }
    buf->last_buf = r == r->main;
    buf->last_in_chain = 1;
    return buf;
}

/* Before the header goes out, which says whether the connection stays. */
static void discard_body(ngx_http_request_t *r)
{
    r->expect_tested = 1;
    if (r->headers_in.expect != NULL) {
        r->keepalive = 0;
    }
    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }
}

/* Sends a rendered answer and ends the request; later, where `secret_since` is not 0. */
static ngx_int_t send_or_hold(ngx_http_request_t *r, const struct fb_response *response, uint64_t secret_since)
{
    ngx_buf_t *buf = ngx_http_forbid_put(r, response);
    fb_arena_clear(ngx_http_forbid_arena());
    if (buf == NULL) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return NGX_DONE;
    }
    if (secret_since != 0) {
        return ngx_http_forbid_hold(r, buf, secret_since);
    }
    ngx_int_t rc = ngx_http_send_header(r);
    if (rc != NGX_ERROR && rc <= NGX_OK && !r->header_only) {
        ngx_chain_t out = {buf, NULL};
        rc = ngx_http_output_filter(r, &out);
    }
    ngx_http_finalize_request(r, rc);
    return NGX_DONE;
}

ngx_int_t ngx_http_forbid_send(ngx_http_request_t *r, const struct fb_response *response)
{
    return send_or_hold(r, response, 0);
}

ngx_int_t ngx_http_forbid_refuse(ngx_http_request_t *r, const ngx_http_forbid_ctx_t *ctx, struct fb_refusal *refusal)
{
    struct fb_response response;
    discard_body(r);
    ngx_http_forbid_render(r, ctx, refusal, &response);
    (void)ngx_http_forbid_login(r, refusal, &response);
    /* An `error_page` that led here must not put its status over ours. */
    r->err_status = 0;
    return send_or_hold(r, &response, ctx->secret_since);
}

ngx_int_t ngx_http_forbid_answer_preflight(ngx_http_request_t *r, const struct fb_preflight *preflight)
{
    struct fb_arena *arena = ngx_http_forbid_arena();
    struct fb_audience audience;
    struct fb_response response;
    discard_body(r);
    ngx_http_forbid_audience(r, arena, &audience);
    if (!fb_preflight_render(preflight, &audience, arena, &response)) {
        bare_response(NGX_HTTP_SERVICE_UNAVAILABLE, &response);
    }
    return ngx_http_forbid_send(r, &response);
}

static bool is_preflight(const ngx_http_request_t *r)
{
    return r->method == NGX_HTTP_OPTIONS && ngx_http_forbid_field(r, "origin").len != 0
           && ngx_http_forbid_field(r, "access-control-request-method").len != 0;
}

bool ngx_http_forbid_asks_metadata(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf)
{
    return conf->resource != NULL && fb_span_eq(ngx_http_forbid_span(r->uri), conf->resource->metadata_path)
           && (r->method == NGX_HTTP_GET || r->method == NGX_HTTP_HEAD || is_preflight(r));
}

/* Any script may read the document, so any origin's preflight is granted. */
static ngx_int_t answer_metadata_preflight(ngx_http_request_t *r)
{
    static const struct fb_cors everybody = {.any = true, .max_age = 600};
    const struct fb_preflight preflight = {.methods = FB_SPAN("GET, HEAD"),
                                           .fields = ngx_http_forbid_field(r, "access-control-request-headers")};
    const struct fb_audience audience = {.cors = &everybody, .origin = ngx_http_forbid_field(r, "origin")};
    struct fb_response response;
    if (!fb_preflight_render(&preflight, &audience, ngx_http_forbid_arena(), &response)) {
        bare_response(NGX_HTTP_SERVICE_UNAVAILABLE, &response);
    }
    return ngx_http_forbid_send(r, &response);
}

ngx_int_t ngx_http_forbid_answer_metadata(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf)
{
    struct fb_arena *arena = ngx_http_forbid_arena();
    struct fb_metadata metadata;
    struct fb_response response;
    discard_body(r);
    if (r->method == NGX_HTTP_OPTIONS) {
        return answer_metadata_preflight(r);
    }
    if (!fb_site_describe(&conf->site, arena, &metadata) || !fb_metadata_render(&metadata, arena, &response)) {
        bare_response(NGX_HTTP_SERVICE_UNAVAILABLE, &response);
    }
    return ngx_http_forbid_send(r, &response);
}
