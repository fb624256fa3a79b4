/* SPDX-License-Identifier: Apache-2.0 */
/* The module: the phases in which a request meets it.
 *
 *   post read   the client's X-Forbid-… are taken out, in every server and mode
 *   rewrite     method overrides and foreign Upgrades too, where requests are decided; before the
 *               rewrite module could keep them in a variable
 *   access      one decision; refused here or told to the upstream
 *
 * nginx runs the handlers of a phase in the reverse order of their registration, so ours comes
 * before those built into nginx (allow, auth_basic, auth_request), which still run after an allow;
 * only a module loaded by a later load_module line comes first.
 *
 * One decision per client request: redirects that nginx makes afterwards (error_page, try_files,
 * index, X-Accel-Redirect, named locations) run the access phase again and inherit it.  A request
 * that was redirected before any decision (by `return 418` and an error_page, say) is decided where
 * it lands, by the target that it then has.  What was spared by shadow is decided again by a
 * location that enforces.  Subrequests (SSI, mirror, auth_request, njs) are nginx's own doing and
 * carry the fields of the request that they belong to; the access phase does not see them. */
#include "nginx/ngx_http_forbid_count.h"

static ngx_int_t post_read_handler(ngx_http_request_t *r)
{
    return ngx_http_forbid_drop_identity(r) == NGX_OK ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

static ngx_int_t rewrite_handler(ngx_http_request_t *r)
{
    const ngx_http_forbid_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_forbid_module);
    if (r != r->main) {
        return NGX_DECLINED;
    }
    if (r->err_status != 0) {
        /* The phases run again for an error page of the operator's. */
        ngx_http_forbid_ctx_t *ctx = ngx_http_forbid_get_ctx(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
        ctx->error_page = true;
    }
    if (conf->mode == NGX_HTTP_FORBID_OFF) {
        return NGX_DECLINED;
    }
    return ngx_http_forbid_drop_overrides(r) == NGX_OK ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

/* What the module itself must refuse, as an answer of the guard's kind. */
static void refuse_by(struct fb_answer *answer, const ngx_http_forbid_loc_conf_t *conf, unsigned status,
                      enum fb_reason reason)
{
    *answer = (struct fb_answer){
        .anonymous = true,
        .refusal = {
            .status = status,
            .retry_after = status == NGX_HTTP_SERVICE_UNAVAILABLE ? (unsigned)conf->retry_after : 0,
            .level = conf->site.disclose_anonymous,
            .reason = fb_reason_code(reason),
            .detail = fb_reason_sentence(reason),
        },
    };
}

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void ask(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf, ngx_http_forbid_ctx_t *ctx,
                struct fb_http_request *request, struct fb_answer *answer)
{
    const ngx_http_forbid_main_conf_t *main = ngx_http_get_module_main_conf(r, ngx_http_forbid_module);
    struct fb_guard *guard = ngx_http_forbid_guard();
    /* Two looks at the clock are a twentieth of what a decision takes. */
    bool some_secret = fb_policies_secret(conf->policies, NULL);
    uint64_t begun = main->timed || some_secret ? clock_ns() : 0;
    if (guard == NULL) {
        refuse_by(answer, conf, NGX_HTTP_SERVICE_UNAVAILABLE, FB_REASON_UNAVAILABLE);
        answer->fault = true;
        answer->fault_text = fb_span_z("the guard could not be started");
    } else if (ngx_http_forbid_unforwardable(r, conf)) {
        refuse_by(answer, conf, NGX_HTTP_BAD_REQUEST, FB_REASON_AMBIGUOUS_TARGET);
    } else {
        ngx_http_forbid_fill(r, conf, ctx, request);
        fb_guard_decide(guard, &conf->site, request, answer);
    }
    ctx->time_ns = main->timed ? clock_ns() - begun : 0;
    ctx->secret_since = answer->secret ? begun : 0;
}

static void release(void)
{
    if (ngx_http_forbid_guard() != NULL) {
        fb_guard_release(ngx_http_forbid_guard());
    }
}

static void log_denial(ngx_http_request_t *r, const ngx_http_forbid_ctx_t *ctx)
{
    if (r->connection->log->log_level < NGX_LOG_INFO) {
        return;
    }
    ngx_str_t action = ngx_http_forbid_uid_text(r->pool, ctx->action);
    ngx_str_t resource = ngx_http_forbid_uid_text(r->pool, ctx->resource);
    ngx_str_t id = {sizeof(ctx->id), (u_char *)(uintptr_t)ctx->id};
    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "forbid: %s %ui %V%s, principal [%V], action [%V], resource [%V], id %V",
                  ctx->shadowed ? "would refuse" : "refused", ctx->status, &ctx->reason, ctx->hidden ? " (hidden)" : "",
                  &ctx->principal, &action, &resource, &id);
}

/* In shadow nothing is refused but a target that could be read in two ways: to forward that is to
 * forward what was not decided. */
static bool spared(const ngx_http_forbid_loc_conf_t *conf, const struct fb_answer *answer)
{
    return conf->mode == NGX_HTTP_FORBID_SHADOW
           && !fb_span_eq(answer->refusal.reason, fb_reason_code(FB_REASON_AMBIGUOUS_TARGET));
}

static ngx_int_t decide(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf, ngx_http_forbid_ctx_t *ctx)
{
    struct fb_http_request request;
    struct fb_answer answer;
    ctx->path = r->uri;
    ctx->raw_decided = r->valid_unparsed_uri || conf->pass_raw;
    ask(r, conf, ctx, &request, &answer);
#ifdef FB_PLANT
    ngx_http_forbid_plant(r, ctx, &answer);
#endif
    ngx_int_t rc = ngx_http_forbid_record(r, conf, ctx, &answer);
    if (answer.fault) {
        ngx_http_forbid_log_fault(r, ctx, answer.fault_text);
    }
    ctx->shadowed = !ctx->denied ? conf->mode == NGX_HTTP_FORBID_SHADOW : spared(conf, &answer);
    ngx_http_forbid_count_decision(ctx, answer.preflighted);
    if (rc == NGX_OK && answer.preflighted && !ctx->shadowed) {
        rc = ngx_http_forbid_answer_preflight(r, &answer.preflight);
        release();
        return rc;
    }
    if (rc == NGX_OK && ctx->denied) {
        log_denial(r, ctx);
    }
    if (rc == NGX_OK && ctx->denied && !ctx->shadowed) {
        rc = ngx_http_forbid_refuse(r, ctx, &answer.refusal);
        release();
        return rc;
    }
    release();
    if (rc != NGX_OK || ngx_http_forbid_tell_upstream(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return NGX_DECLINED;
}

/* The decision holds, but this location would forward another path than the one decided. */
static ngx_int_t refuse_strayed(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf, ngx_http_forbid_ctx_t *ctx)
{
    struct fb_answer answer;
    refuse_by(&answer, conf, NGX_HTTP_BAD_REQUEST, FB_REASON_AMBIGUOUS_TARGET);
    ctx->denied = true;
    ctx->shadowed = false;
    ctx->secret_since = 0;
    ctx->status = answer.refusal.status;
    ctx->reason = ngx_http_forbid_str(answer.refusal.reason);
    ctx->policies_count = 0;
    ngx_http_forbid_count_decision(ctx, false);
    log_denial(r, ctx);
    return ngx_http_forbid_refuse(r, ctx, &answer.refusal);
}

static ngx_int_t access_handler(ngx_http_request_t *r)
{
    const ngx_http_forbid_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_forbid_module);
    ngx_http_forbid_ctx_t *ctx = ngx_http_forbid_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    bool holds = ctx->decided && !(ctx->shadowed && conf->mode == NGX_HTTP_FORBID_ON);
    if (holds) {
        return ngx_http_forbid_strayed(r, conf, ctx) ? refuse_strayed(r, conf, ctx) : NGX_DECLINED;
    }
    if (conf->mode == NGX_HTTP_FORBID_OFF) {
        return ngx_http_forbid_tell_upstream(r, ctx) == NGX_OK ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (ngx_http_forbid_asks_metadata(r, conf)) {
        return ngx_http_forbid_answer_metadata(r, conf);
    }
    return decide(r, conf, ctx);
}

static ngx_int_t add_handler(ngx_conf_t *cf, ngx_http_phases phase, ngx_http_handler_pt handler)
{
    ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_handler_pt *slot = ngx_array_push(&core->phases[phase].handlers);
    if (slot == NULL) {
        return NGX_ERROR;
    }
    *slot = handler;
    return NGX_OK;
}

static ngx_int_t before_http(ngx_conf_t *cf)
{
    return ngx_http_forbid_watch(cf) == NGX_OK ? ngx_http_forbid_add_variables(cf) : NGX_ERROR;
}

static ngx_int_t after_http(ngx_conf_t *cf)
{
    ngx_http_forbid_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_forbid_module);
    ngx_http_forbid_unwatch();
    ngx_http_forbid_init_filters();
    ngx_http_forbid_init_upstream_filters();
    ngx_http_forbid_init_fields();
    main->timed = ngx_http_forbid_wants_time(cf);
    if (add_handler(cf, NGX_HTTP_POST_READ_PHASE, post_read_handler) != NGX_OK
        || add_handler(cf, NGX_HTTP_REWRITE_PHASE, rewrite_handler) != NGX_OK
        || add_handler(cf, NGX_HTTP_ACCESS_PHASE, access_handler) != NGX_OK) {
        return NGX_ERROR;
    }
    if (ngx_http_forbid_check_doors(cf, main) != NGX_OK
        || (main->doors != NULL && ngx_http_forbid_add_counters(cf, main) != NGX_OK)) {
        return NGX_ERROR;
    }
    if (main->proves && ngx_http_forbid_add_proof_zone(cf, main) != NGX_OK) {
        return NGX_ERROR;
    }
    return main->locations == 0 ? NGX_OK : ngx_http_forbid_add_crash_zone(cf, main);
}

/* At each start and reload: a shadow that was meant for a day should not be forgotten. */
static ngx_int_t init_module(ngx_cycle_t *cycle)
{
    const ngx_http_forbid_main_conf_t *main = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_forbid_module);
    if (main != NULL && main->shadows != 0) {
        ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                      "forbid: %ui location%s in shadow, \"%V\" for one: decisions are recorded there, not enforced",
                      main->shadows, main->shadows == 1 ? " is" : "s are", &main->first_shadow);
    }
    return NGX_OK;
}

static ngx_http_module_t module_context = {
    .preconfiguration = before_http,
    .postconfiguration = after_http,
    .create_main_conf = ngx_http_forbid_create_main_conf,
    .create_srv_conf = ngx_http_forbid_create_srv_conf,
    .create_loc_conf = ngx_http_forbid_create_loc_conf,
    .merge_loc_conf = ngx_http_forbid_merge_loc_conf,
};

ngx_module_t ngx_http_forbid_module = {
    NGX_MODULE_V1,
    &module_context,
    ngx_http_forbid_commands,
    NGX_HTTP_MODULE,
    NULL,                           /* init master */
    init_module,
    ngx_http_forbid_init_process,
    NULL,                           /* init thread */
    NULL,                           /* exit thread */
    ngx_http_forbid_exit_process,
    NULL,                           /* exit master */
    NGX_MODULE_V1_PADDING,
};

/* What nginx looks for in a dynamic module; forbid.map keeps all other names to ourselves. */
#define FORBID_EXPORTED __attribute__((visibility("default")))
extern FORBID_EXPORTED ngx_module_t *ngx_modules[];
extern FORBID_EXPORTED char *ngx_module_names[];
extern FORBID_EXPORTED char *ngx_module_order[];
static char module_name[] = "ngx_http_forbid_module";

ngx_module_t *ngx_modules[] = {&ngx_http_forbid_module, NULL};
char *ngx_module_names[] = {module_name, NULL};
char *ngx_module_order[] = {NULL};
