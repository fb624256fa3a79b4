/* SPDX-License-Identifier: Apache-2.0 */
/* nginx's own refusals, dressed like ours: 400, 405, 413, 414, 431 (which nginx calls 494), and the
 * 429 of its limit_req and limit_conn.
 *
 * nginx raises most of these before it has chosen a location or run any phase, so neither a handler
 * nor an `error_page` reaches all of them, and an `error_page` would run the phases again: another
 * module could refuse the error page, and a decision would be made about it.  A filter sees them
 * all.  Ours stands first in both chains: it holds back the header of what may be nginx's page, looks at the page when it
 * comes (in the same call), and replaces both.  What turns out to be anything else, an operator's
 * own error page above all, goes out as it was.
 *
 * HTTP/0.9 knows no header fields and stays as it is. */
#include "nginx/ngx_http_forbid_count.h"

static ngx_http_output_header_filter_pt next_header_filter;
static ngx_http_output_body_filter_pt next_body_filter;

/* The settings that dress an error of this request, or NULL. */
static const ngx_http_forbid_loc_conf_t *dressing(ngx_http_request_t *r)
{
    const ngx_http_forbid_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_forbid_module);
    if (conf->mode != NGX_HTTP_FORBID_OFF) {
        return conf;
    }
    /* Still in the server's own settings: no location has been chosen. */
    const ngx_http_core_srv_conf_t *server = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
    const ngx_http_forbid_srv_conf_t *own = ngx_http_get_module_srv_conf(r, ngx_http_forbid_module);
    return r->loc_conf == server->ctx->loc_conf ? own->dress : NULL;
}

static bool is_ours_to_dress(ngx_uint_t status)
{
    return status == NGX_HTTP_BAD_REQUEST || status == NGX_HTTP_NOT_ALLOWED
           || status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE || status == NGX_HTTP_REQUEST_URI_TOO_LARGE
           || status == NGX_HTTP_TOO_MANY_REQUESTS;
}

/* nginx's page is made with err_status set, as HTML, and of no file. */
static bool may_be_own_page(ngx_http_request_t *r)
{
    return r == r->main && r->err_status == r->headers_out.status && is_ours_to_dress(r->err_status)
           && r->headers_out.last_modified_time == -1 && r->headers_out.content_length_n > 0
           && r->headers_out.content_type.len == sizeof("text/html") - 1
           && ngx_strncmp(r->headers_out.content_type.data, "text/html", sizeof("text/html") - 1) == 0
           && !r->header_only;
}

static ngx_int_t header_filter(ngx_http_request_t *r)
{
    if (r->err_status != 0 && may_be_own_page(r) && dressing(r) != NULL) {
        ngx_http_forbid_ctx_t *ctx = ngx_http_forbid_get_ctx(r);
        if (ctx == NULL) {
            return NGX_ERROR;
        }
        if (!ctx->error_page) {
            ctx->held = true;
            return NGX_OK;
        }
    }
    return next_header_filter(r);
}

/* The status that nginx's page names, 431 for its 494; 0: not nginx's page. */
static unsigned page_status(const ngx_chain_t *in, ngx_uint_t status)
{
    static const char opening[] = "<html>\r\n<head><title>", fields[] = "400 Request Header Or Cookie Too Large";
    const ngx_buf_t *buf = in != NULL ? in->buf : NULL;
    if (buf == NULL || !buf->memory || (size_t)(buf->last - buf->pos) < sizeof(opening) - 1 + sizeof(fields) - 1
        || ngx_memcmp(buf->pos, opening, sizeof(opening) - 1) != 0) {
        return 0;
    }
    const u_char *title = buf->pos + sizeof(opening) - 1;
    if (ngx_memcmp(title, fields, sizeof(fields) - 1) == 0) {
        return 431;
    }
    return (ngx_uint_t)(title[0] - '0') * 100 + (ngx_uint_t)(title[1] - '0') * 10 + (ngx_uint_t)(title[2] - '0') == status
               ? (unsigned)status
               : 0;
}

/* nginx answers two Authorization lines with a 400 of its own (RFC 6750 section 2). */
static bool two_credentials(ngx_http_request_t *r)
{
    struct fb_http_cursor cursor = {NULL, 0};
    struct fb_http_request request;
    struct fb_http_field field;
    ngx_http_forbid_ctx_t none = {.held = false};
    ngx_http_forbid_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_forbid_module);
    size_t lines = 0;
    ngx_http_forbid_fill(r, conf, &none, &request);
    while (request.fields.next(request.fields.self, &cursor, &field)) {
        lines += fb_span_eq_nocase(field.name, fb_span_z("authorization"));
    }
    return lines > 1;
}

static void refusal_of(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf, unsigned status,
                       struct fb_refusal *refusal)
{
    enum fb_reason reason = FB_REASON_MALFORMED_REQUEST;
    switch (status) {
    case 405:
        reason = FB_REASON_METHOD_NOT_ALLOWED;
        /* nginx's own handlers (files, stub_status and the like) have these two. */
        refusal->allow = fb_span_z("GET, HEAD");
        break;
    case 413:
        reason = FB_REASON_CONTENT_TOO_LARGE;
        break;
    case 414:
        reason = FB_REASON_TARGET_TOO_LONG;
        break;
    case 429:
        reason = FB_REASON_QUOTA_EXCEEDED;
        refusal->retry_after = (unsigned)conf->retry_after;
        break;
    case 431:
        reason = FB_REASON_FIELDS_TOO_LARGE;
        break;
    default:
        if (two_credentials(r)) {
            reason = FB_REASON_TWO_CREDENTIALS;
            refusal->challenge = true;
            refusal->offers = fb_site_offers(&conf->site, ngx_http_forbid_arena(), &refusal->offers_count);
            refusal->challenge_error = fb_span_z("invalid_request");
        }
        break;
    }
    refusal->reason = fb_reason_code(reason);
    refusal->detail = fb_reason_sentence(reason);
}

/* nginx refuses TRACE before any phase.  Whether the path is sound and known, and with which methods, is
 * said as for any other method that a route lacks. */
static bool ask_about_trace(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf,
                            const ngx_http_forbid_ctx_t *ctx, struct fb_refusal *refusal)
{
    struct fb_guard *guard = ngx_http_forbid_guard();
    if (guard == NULL || ctx->decided || r->uri.len == 0
        || (r->method != NGX_HTTP_TRACE && r->method != NGX_HTTP_CONNECT)) {
        return false;
    }
    struct fb_http_request request;
    struct fb_answer answer;
    ngx_http_forbid_fill(r, conf, ctx, &request);
    fb_guard_decide(guard, &conf->site, &request, &answer);
    unsigned said = answer.refusal.status;
    if (answer.forward || (said != 400 && said != 404 && said != 405)) {
        fb_guard_release(guard);
        return false;
    }
    *refusal = answer.refusal;
    return true;
}

/* Puts our header and body in place of nginx's. */
static ngx_buf_t *dress(ngx_http_request_t *r, const ngx_http_forbid_ctx_t *ctx, unsigned status)
{
    const ngx_http_forbid_loc_conf_t *conf = dressing(r);
    struct fb_refusal refusal = {.status = status, .level = conf->site.disclose_anonymous, .realm = conf->site.realm,
                                 .resource_metadata = conf->site.metadata_uri};
    struct fb_response response;
    bool asked = status == 405 && ask_about_trace(r, conf, ctx, &refusal);
    if (!asked) {
        refusal_of(r, conf, status, &refusal);
    }
    ngx_http_forbid_count_refusal(NGX_HTTP_FORBID_COUNT_NGINX, refusal.status, ngx_http_forbid_str(refusal.reason));
    ngx_http_forbid_render(r, ctx, &refusal, &response);
    /* Logged and sent. */
    r->err_status = response.status;
    ngx_buf_t *buf = ngx_http_forbid_put(r, &response);
    fb_arena_clear(ngx_http_forbid_arena());
    if (asked) {
        fb_guard_release(ngx_http_forbid_guard());
    }
    return buf;
}

static ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_forbid_ctx_t *ctx = r->err_status != 0 && r == r->main ? ngx_http_forbid_find_ctx(r) : NULL;
    if (ctx == NULL || !ctx->held) {
        return next_body_filter(r, in);
    }
    ctx->held = false;
    ngx_chain_t own = {NULL, NULL};
    unsigned status = page_status(in, r->err_status);
    if (status != 0) {
        own.buf = dress(r, ctx, status);
        if (own.buf == NULL) {
            return NGX_ERROR;
        }
        in = &own;
    }
    ngx_int_t rc = next_header_filter(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    return next_body_filter(r, in);
}

void ngx_http_forbid_init_filters(void)
{
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
}
