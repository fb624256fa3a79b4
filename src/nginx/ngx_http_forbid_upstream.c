/* SPDX-License-Identifier: Apache-2.0 */
/* What an upstream refuses by itself, after Forbid let the request through (forbid_upstream_refusals).
 *
 * Applications answer 401 without a challenge and 403 where nobody is signed in; `normalize` gives such an answer
 * the challenge that RFC 9110 section 15.5.2 wants, the status that says what helps, and a body in the form that
 * the client reads.  The application's own challenge stays, if it has one, and so do its other fields; its body and
 * what describes that go.  `$forbid_upstream_refusal` says which kind it was, in either mode, so that logs count them. */
#include "nginx/ngx_http_forbid_count.h"

static ngx_http_output_header_filter_pt next_header_filter;
static ngx_http_output_body_filter_pt next_body_filter;

static const ngx_str_t kind_names[] = {
    [NGX_HTTP_FORBID_UPSTREAM_NONE] = ngx_null_string,
    [NGX_HTTP_FORBID_UPSTREAM_401] = ngx_string("401"),
    [NGX_HTTP_FORBID_UPSTREAM_401_BARE] = ngx_string("401-without-challenge"),
    [NGX_HTTP_FORBID_UPSTREAM_403] = ngx_string("403"),
    [NGX_HTTP_FORBID_UPSTREAM_403_STRANGER] = ngx_string("403-without-credentials"),
};

static bool has_credentials(ngx_http_request_t *r)
{
    return r->headers_in.authorization != NULL;
}

/* (nginx does not note the field of an upstream in headers_out.www_authenticate.) */
static bool has_challenge(ngx_http_request_t *r)
{
    for (const ngx_list_part_t *part = &r->headers_out.headers.part; part != NULL; part = part->next) {
        const ngx_table_elt_t *fields = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (fields[i].hash != 0 && fb_span_eq_nocase(ngx_http_forbid_span(fields[i].key), fb_span_z("www-authenticate"))) {
                return true;
            }
        }
    }
    return false;
}

static ngx_http_forbid_upstream_kind_t kind_of(ngx_http_request_t *r)
{
    if (r->headers_out.status == NGX_HTTP_UNAUTHORIZED) {
        return has_challenge(r) ? NGX_HTTP_FORBID_UPSTREAM_401 : NGX_HTTP_FORBID_UPSTREAM_401_BARE;
    }
    if (r->headers_out.status != NGX_HTTP_FORBIDDEN) {
        return NGX_HTTP_FORBID_UPSTREAM_NONE;
    }
    return has_credentials(r) ? NGX_HTTP_FORBID_UPSTREAM_403 : NGX_HTTP_FORBID_UPSTREAM_403_STRANGER;
}

ngx_str_t ngx_http_forbid_upstream_kind(ngx_uint_t kind)
{
    return kind_names[kind];
}

ngx_str_t ngx_http_forbid_upstream_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    (void)r;
    return kind_names[ctx->upstream_kind];
}

static void drop_fields(ngx_http_request_t *r, const char *const *names, size_t count)
{
    for (ngx_list_part_t *part = &r->headers_out.headers.part; part != NULL; part = part->next) {
        ngx_table_elt_t *fields = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            for (size_t k = 0; k < count; k++) {
                if (fb_span_eq_nocase(ngx_http_forbid_span(fields[i].key), fb_span_z(names[k]))) {
                    fields[i].hash = 0;
                }
            }
        }
    }
}

/* Fields that say how the body may be kept or read, and ours, which are set anew. */
static void drop_described(ngx_http_request_t *r)
{
    static const char *const described[] = {"cache-control", "expires", "pragma", "vary", "content-encoding", "content-language",
                                            "content-location", "content-md5", "accept-ranges", "x-request-id"};
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);
    r->headers_out.content_encoding = NULL;
    r->headers_out.cache_control.nelts = 0;
    drop_fields(r, described, sizeof(described) / sizeof(described[0]));
}

/* Where forbid_cors lets the script read, the application's own word on that goes: browsers that find two of a
 * field let no script read at all. */
static void drop_shared(ngx_http_request_t *r, const struct fb_response *response)
{
    static const char *const shared[] = {"access-control-allow-origin", "access-control-allow-credentials",
                                         "access-control-expose-headers"};
    for (size_t i = 0; i < response->lines_count; i++) {
        if (fb_span_eq_nocase(response->lines[i].name, fb_span_z(shared[0]))) {
            drop_fields(r, shared, sizeof(shared) / sizeof(shared[0]));
            return;
        }
    }
}

static void refusal_of(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf, const ngx_http_forbid_ctx_t *ctx,
                       struct fb_refusal *refusal)
{
    bool stranger = ctx->upstream_kind == NGX_HTTP_FORBID_UPSTREAM_403_STRANGER;
    *refusal = (struct fb_refusal){
        .status = stranger ? NGX_HTTP_UNAUTHORIZED : (unsigned)r->headers_out.status,
        .level = ctx->anonymous ? conf->site.disclose_anonymous : conf->site.disclose,
        .reason = fb_reason_code(FB_REASON_UPSTREAM_REFUSED),
        .detail = fb_reason_sentence(FB_REASON_UPSTREAM_REFUSED),
        .realm = conf->site.realm,
        .resource_metadata = conf->site.metadata_uri,
    };
    if (refusal->status == NGX_HTTP_UNAUTHORIZED && !has_challenge(r)) {
        refusal->challenge = true;
        refusal->offers = fb_site_offers(&conf->site, ngx_http_forbid_arena(), &refusal->offers_count);
        /* The application does not take what the client showed. */
        refusal->challenge_error = has_credentials(r) ? fb_span_z("invalid_token") : fb_span_z("");
    }
}

static ngx_int_t normalize(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf, ngx_http_forbid_ctx_t *ctx)
{
    struct fb_refusal refusal;
    struct fb_response response;
    refusal_of(r, conf, ctx, &refusal);
    drop_described(r);
    ngx_http_forbid_render(r, ctx, &refusal, &response);
    drop_shared(r, &response);
    ctx->own_body = ngx_http_forbid_put(r, &response);
    fb_arena_clear(ngx_http_forbid_arena());
    if (ctx->own_body == NULL) {
        return NGX_ERROR;
    }
    ctx->replaced = true;
    return next_header_filter(r);
}

static ngx_int_t header_filter(ngx_http_request_t *r)
{
    /* With err_status it is a page of the operator's (proxy_intercept_errors, error_page), or nginx's own. */
    if (r->upstream == NULL || r != r->main || r->err_status != 0) {
        return next_header_filter(r);
    }
    const ngx_http_forbid_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_forbid_module);
    ngx_http_forbid_ctx_t *ctx = ngx_http_forbid_find_ctx(r);
    if (ctx == NULL || !ctx->decided || (ctx->denied && !ctx->shadowed) || conf->mode == NGX_HTTP_FORBID_OFF) {
        return next_header_filter(r);
    }
    ctx->upstream_kind = kind_of(r);
    if (ctx->upstream_kind == NGX_HTTP_FORBID_UPSTREAM_NONE) {
        return next_header_filter(r);
    }
    ngx_http_forbid_count(NGX_HTTP_FORBID_COUNT_UPSTREAM + ctx->upstream_kind);
    if (!conf->normalize || conf->mode != NGX_HTTP_FORBID_ON) {
        return next_header_filter(r);
    }
    return normalize(r, conf, ctx);
}

/* The upstream's body is taken and left. */
static void consume(ngx_chain_t *in)
{
    for (; in != NULL; in = in->next) {
        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }
}

static ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_forbid_ctx_t *ctx = r->upstream != NULL && r == r->main ? ngx_http_forbid_find_ctx(r) : NULL;
    if (ctx == NULL || !ctx->replaced) {
        return next_body_filter(r, in);
    }
    consume(in);
    if (ctx->own_body == NULL) {
        return NGX_OK;
    }
    ngx_chain_t own = {ctx->own_body, NULL};
    ctx->own_body = NULL;
    return next_body_filter(r, &own);
}

void ngx_http_forbid_init_upstream_filters(void)
{
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
}
