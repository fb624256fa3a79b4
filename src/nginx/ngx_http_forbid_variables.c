/* SPDX-License-Identifier: Apache-2.0 */
/* $forbid_…: for logs, for headers, and for what runs before the access phase.
 *
 * $forbid_principal runs the identity step when it is asked for before the decision, so that
 * limit_req can count by principal.  $forbid_id exists from the first time it is asked for.  The
 * others are not there until the decision.  Only what never changes again may be cached by nginx. */
#include "nginx/ngx_http_forbid.h"

typedef ngx_str_t (*value_t)(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx);

/* Data NULL: the variable is not there. */
static ngx_str_t absent(void)
{
    return (ngx_str_t)ngx_null_string;
}

static ngx_str_t decision_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    (void)r;
    if (!ctx->decided) {
        return absent();
    }
    if (ctx->shadowed) {
        return ctx->denied ? (ngx_str_t)ngx_string("shadow-deny") : (ngx_str_t)ngx_string("shadow-allow");
    }
    return ctx->denied ? (ngx_str_t)ngx_string("deny") : (ngx_str_t)ngx_string("allow");
}

static ngx_str_t number(ngx_http_request_t *r, uint64_t n)
{
    ngx_str_t text = ngx_null_string;
    text.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (text.data != NULL) {
        text.len = (size_t)(ngx_sprintf(text.data, "%uL", n) - text.data);
    }
    return text;
}

static ngx_str_t status_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    return ctx->decided && ctx->denied ? number(r, ctx->status) : absent();
}

static ngx_str_t time_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    return ctx->decided && ctx->time_ns != 0 ? number(r, ctx->time_ns) : absent();
}

static ngx_str_t reason_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    (void)r;
    return ctx->decided && ctx->denied && ctx->reason.len != 0 ? ctx->reason : absent();
}

static ngx_str_t policies_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    if (!ctx->decided || ctx->policies_count == 0) {
        return absent();
    }
    size_t length = 0;
    for (ngx_uint_t i = 0; i < ctx->policies_count; i++) {
        length += fb_program_id(ctx->program, ctx->policies[i]).len + 1;
    }
    ngx_str_t text = {0, ngx_pnalloc(r->pool, length)};
    if (text.data == NULL) {
        return absent();
    }
    u_char *at = text.data;
    for (ngx_uint_t i = 0; i < ctx->policies_count; i++) {
        struct fb_span id = fb_program_id(ctx->program, ctx->policies[i]);
        if (i != 0) {
            *at++ = ',';
        }
        if (id.len != 0) {
            at = ngx_cpymem(at, id.ptr, id.len);
        }
    }
    text.len = (size_t)(at - text.data);
    return text;
}

static ngx_str_t action_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    return ngx_http_forbid_uid_text(r->pool, ctx->action);
}

static ngx_str_t resource_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    return ngx_http_forbid_uid_text(r->pool, ctx->resource);
}

static ngx_str_t id_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    (void)r;
    return (ngx_str_t){sizeof(ctx->id), ctx->id};
}

static void identify(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    const ngx_http_forbid_loc_conf_t *conf = ngx_http_get_module_loc_conf(r->main, ngx_http_forbid_module);
    struct fb_guard *guard = ngx_http_forbid_guard();
    if (guard == NULL || conf->mode == NGX_HTTP_FORBID_OFF) {
        return;
    }
    struct fb_http_request request;
    ngx_http_forbid_fill(r->main, conf, ctx, &request);
    const struct fb_uid *principal = fb_guard_identify(guard, &conf->site, &request);
    ctx->principal = ngx_http_forbid_uid_text(r->main->pool, principal);
    ctx->identified = true;
    fb_guard_release(guard);
}

/* Empty, and there, for a client without valid credentials. */
static ngx_str_t principal_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    if (!ctx->identified) {
        identify(r, ctx);
    }
    if (!ctx->identified) {
        return absent();
    }
    return ctx->principal.data != NULL ? ctx->principal : (ngx_str_t)ngx_string("");
}

static const struct {
    const char *name;
    value_t value;
    ngx_uint_t flags;
} variables[] = {
    {"forbid_decision", decision_value, NGX_HTTP_VAR_NOCACHEABLE},
    {"forbid_status", status_value, NGX_HTTP_VAR_NOCACHEABLE},
    {"forbid_reason", reason_value, NGX_HTTP_VAR_NOCACHEABLE},
    {"forbid_policies", policies_value, NGX_HTTP_VAR_NOCACHEABLE},
    {"forbid_principal", principal_value, NGX_HTTP_VAR_NOCACHEABLE},
    {"forbid_action", action_value, NGX_HTTP_VAR_NOCACHEABLE},
    {"forbid_resource", resource_value, NGX_HTTP_VAR_NOCACHEABLE},
    {"forbid_id", id_value, 0},
    {"forbid_upstream_refusal", ngx_http_forbid_upstream_value, NGX_HTTP_VAR_NOCACHEABLE},
    {"forbid_return", ngx_http_forbid_return_value, 0},
    {"forbid_time_ns", time_value, NGX_HTTP_VAR_NOCACHEABLE},
};

static ngx_int_t get_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_forbid_ctx_t *ctx = ngx_http_forbid_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }
    ngx_str_t text = variables[data].value(r, ctx);
    if (text.data == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }
    /* The length of a variable is a bit field of 28 bits. */
    v->len = text.len & 0xfffffff;
    v->data = text.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    return NGX_OK;
}

ngx_int_t ngx_http_forbid_add_variables(ngx_conf_t *cf)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        ngx_str_t name = ngx_http_forbid_str(fb_span_z(variables[i].name));
        ngx_http_variable_t *variable = ngx_http_add_variable(cf, &name, variables[i].flags);
        if (variable == NULL) {
            return NGX_ERROR;
        }
        variable->get_handler = get_variable;
        variable->data = i;
    }
    return NGX_OK;
}

bool ngx_http_forbid_wants_time(ngx_conf_t *cf)
{
    const ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    const ngx_http_variable_t *named = core->variables.elts;
    for (ngx_uint_t i = 0; i < core->variables.nelts; i++) {
        if (fb_span_is(ngx_http_forbid_span(named[i].name), "forbid_time_ns")) {
            return true;
        }
    }
    return false;
}
