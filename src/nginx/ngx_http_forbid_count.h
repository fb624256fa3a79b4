/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NGX_HTTP_FORBID_COUNT_H
#define NGX_HTTP_FORBID_COUNT_H

#include "nginx/ngx_http_forbid.h"

/* Counters that all workers share, since nginx was started; a reload keeps them.  They exist only where the
 * configuration has a `forbid_metrics`, and counting is nothing else than a comparison without.
 * Any worker, no locks.  metrics.c prints them. */

/* Those that need no more than their name come first: each has a place of its own. */
typedef enum {
    NGX_HTTP_FORBID_COUNT_ALLOW,
    NGX_HTTP_FORBID_COUNT_SHADOW_ALLOW,
    NGX_HTTP_FORBID_COUNT_PREFLIGHT,
    NGX_HTTP_FORBID_COUNT_OTHER,                /* with a status or reason for which there was no room */
    NGX_HTTP_FORBID_COUNT_UPSTREAM,             /* and as many behind it as there are kinds of an upstream's refusals */
    NGX_HTTP_FORBID_PLAIN = NGX_HTTP_FORBID_COUNT_UPSTREAM + NGX_HTTP_FORBID_UPSTREAM_KINDS,
    /* by status and reason */
    NGX_HTTP_FORBID_COUNT_DENY = NGX_HTTP_FORBID_PLAIN,
    NGX_HTTP_FORBID_COUNT_SHADOW_DENY,
    NGX_HTTP_FORBID_COUNT_NGINX                 /* refused by nginx itself, and dressed */
} ngx_http_forbid_count_t;

#define FORBID_CODE_MAX 64u                     /* of a reason: `[a-z][a-z0-9_]{0,63}` */
#define FORBID_COLUMNS 512u                     /* pairs of status and reason */

typedef struct {
    ngx_uint_t kind, status;
    ngx_str_t code;
    uint64_t count;
} ngx_http_forbid_counted_t;

/* One more of a plain kind (an upstream's: UPSTREAM + kind). */
void ngx_http_forbid_count(ngx_uint_t plain);
/* One more of a kind that is counted by status and reason. */
void ngx_http_forbid_count_refusal(ngx_uint_t kind, ngx_uint_t status, ngx_str_t code);
/* What was recorded of a decision. */
void ngx_http_forbid_count_decision(const ngx_http_forbid_ctx_t *ctx, bool preflighted);

/* The sum over all workers. */
uint64_t ngx_http_forbid_count_of(ngx_uint_t plain);
/* Those by status and reason, in no order; how many.  `code` points into shared memory. */
size_t ngx_http_forbid_counts(ngx_http_forbid_counted_t list[FORBID_COLUMNS]);

ngx_int_t ngx_http_forbid_add_counters(ngx_conf_t *cf, ngx_http_forbid_main_conf_t *main);
/* In a worker, after the fork. */
void ngx_http_forbid_start_counting(const ngx_http_forbid_main_conf_t *main);

#endif
