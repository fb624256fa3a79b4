/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of one client request.
 *
 * nginx clears module contexts at every internal redirect, so the context also hangs on a cleanup of
 * the request's pool, where it is found again: a redirected request inherits the decision.
 * Subrequests look at the request that they belong to. */
#include "nginx/ngx_http_forbid.h"

/* Marks the pool cleanup that holds a context. */
static void context_mark(void *context)
{
    (void)context;
}

ngx_str_t ngx_http_forbid_copy(ngx_pool_t *pool, struct fb_span span)
{
    ngx_str_t copy = ngx_null_string;
    copy.data = ngx_pnalloc(pool, span.len != 0 ? span.len : 1);
    if (copy.data != NULL && span.len != 0) {
        ngx_memcpy(copy.data, span.ptr, span.len);
        copy.len = span.len;
    }
    return copy;
}

ngx_http_forbid_ctx_t *ngx_http_forbid_find_ctx(ngx_http_request_t *r)
{
    r = r->main;
    ngx_http_forbid_ctx_t *ctx = ngx_http_get_module_ctx(r, ngx_http_forbid_module);
    if (ctx != NULL || !(r->internal || r->filter_finalize)) {
        return ctx;
    }
    for (ngx_pool_cleanup_t *cleanup = r->pool->cleanup; cleanup != NULL; cleanup = cleanup->next) {
        if (cleanup->handler == context_mark) {
            ctx = cleanup->data;
            ngx_http_set_ctx(r, ctx, ngx_http_forbid_module);
            return ctx;
        }
    }
    return NULL;
}

ngx_http_forbid_ctx_t *ngx_http_forbid_get_ctx(ngx_http_request_t *r)
{
    ngx_http_forbid_ctx_t *ctx = ngx_http_forbid_find_ctx(r);
    if (ctx != NULL) {
        return ctx;
    }
    r = r->main;
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, sizeof(*ctx));
    if (cleanup == NULL) {
        return NULL;
    }
    ctx = cleanup->data;
    ngx_memzero(ctx, sizeof(*ctx));
    cleanup->handler = context_mark;
    ngx_http_forbid_make_id(ctx->id);
    ngx_http_set_ctx(r, ctx, ngx_http_forbid_module);
    return ctx;
}

/* Bytes that a Cedar string literal shows as they are. */
static bool plain(struct fb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\') {
            return false;
        }
    }
    return true;
}

ngx_str_t ngx_http_forbid_uid_text(ngx_pool_t *pool, const struct fb_uid *uid)
{
    ngx_str_t text = ngx_null_string;
    if (uid == NULL) {
        return text;
    }
    struct fb_span type = fb_uid_type(uid), id = fb_uid_id(uid);
    /* Types are identifiers, with `::` between. */
    if (plain(id)) {
        text.data = ngx_pnalloc(pool, type.len + id.len + 4);
        if (text.data != NULL) {
            u_char *at = ngx_cpymem(text.data, type.ptr, type.len);
            at = ngx_cpymem(at, "::\"", 3);
            at = ngx_cpymem(at, id.ptr, id.len);
            *at++ = '"';
            text.len = (size_t)(at - text.data);
        }
        return text;
    }
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)1 << 20);
    fb_uid_print(&out, uid);
    if (!out.failed) {
        text = ngx_http_forbid_copy(pool, fb_buffer_span(&out));
    }
    fb_buffer_release(&out);
    return text;
}

/* The guard's uids end with the decision. */
static const struct fb_uid *copy_uid(ngx_pool_t *pool, const struct fb_uid *uid)
{
    if (uid == NULL) {
        return NULL;
    }
    size_t size = fb_uid_size(uid->type_len, uid->id_len);
    void *copy = ngx_palloc(pool, size);
    if (copy != NULL) {
        ngx_memcpy(copy, uid, size);
    }
    return copy;
}

ngx_int_t ngx_http_forbid_record(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf,
                                 ngx_http_forbid_ctx_t *ctx, const struct fb_answer *answer)
{
    ngx_pool_t *pool = r->pool;
    ctx->decided = true;
    ctx->identified = true;
    bool refused = !answer->forward && !answer->preflighted;
    ctx->denied = refused;
    ctx->proof_used = answer->proof_used;
    ctx->anonymous = answer->anonymous || answer->principal == NULL;
    ctx->status = refused ? answer->refusal.status : 0;
    ctx->hidden = answer->hidden;
    ctx->principal = ctx->anonymous ? (ngx_str_t)ngx_null_string : ngx_http_forbid_uid_text(pool, answer->principal);
    /* Actions and reasons live as long as the policies. */
    ctx->action = answer->action;
    ctx->resource = copy_uid(pool, answer->resource);
    ctx->reason = refused ? ngx_http_forbid_str(answer->refusal.reason) : (ngx_str_t)ngx_null_string;
    ctx->program = fb_policies_program(conf->policies);
    ctx->policies_count = 0;
    if (answer->policies_count != 0) {
        size_t size = answer->policies_count * sizeof(*ctx->policies);
        ctx->policies = ngx_palloc(pool, size);
        if (ctx->policies == NULL) {
            return NGX_ERROR;
        }
        ngx_memcpy(ctx->policies, answer->policies, size);
        ctx->policies_count = answer->policies_count;
    }
    /* An upstream must never take a principal that could not be copied for nobody. */
    bool lost = (!ctx->anonymous && ctx->principal.data == NULL) || (answer->resource != NULL && ctx->resource == NULL);
    return lost ? NGX_ERROR : NGX_OK;
}
