/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NGX_HTTP_FORBID_H
#define NGX_HTTP_FORBID_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "guard/guard.h"

/* The nginx module: nginx knows Forbid, Forbid never knows nginx.
 *
 *   module.c      the phases, and what happens to a request in each
 *   context.c     what is known of a request, found again after internal redirects
 *   request.c     ngx_http_request_t → struct fb_http_request
 *   fields.c      the request's own header list: what is dropped, what is told to the upstream
 *   answer.c      one function that sends every refusal
 *   hold.c        when refusals of secret actions leave
 *   audience.c    who reads it: Accept and its kin, forbid_pages, forbid_cors
 *   login.c       people who navigate are sent to sign in: forbid_login
 *   dress.c       nginx's own 400, 405, 413, 414, 429 and 431 get the same body and fields
 *   upstream.c    what an upstream refuses by itself: forbid_upstream_refusals
 *   count.c       counters that the workers share
 *   metrics.c     the page that shows them: forbid_metrics; metrics_conf.c, who may read it
 *   variables.c   $forbid_…
 *   worker.c      what a worker process has: the guard, request ids
 *   conf.c        directives (directives.def), their defaults and inheritance
 *   load.c        policies, issuers, locations read while nginx parses its configuration
 *   check.c       configurations that would undo the decision, refused by `nginx -t`
 *
 * Life: load.c runs in the master (and in `nginx -t`), so what it makes is shared by the workers
 * copy-on-write and never written again; worker.c runs after the fork.  Memory of one decision is
 * the guard's and gone at fb_guard_release(); what must outlive it is copied to the request's pool. */

typedef enum {
    NGX_HTTP_FORBID_OFF,
    NGX_HTTP_FORBID_ON,
    NGX_HTTP_FORBID_SHADOW          /* decides and records, never refuses */
} ngx_http_forbid_mode_t;

/* Modules whose caches would serve one client's answer to another. */
typedef enum {
    NGX_HTTP_FORBID_PROXY,
    NGX_HTTP_FORBID_FASTCGI,
    NGX_HTTP_FORBID_UWSGI,
    NGX_HTTP_FORBID_SCGI,
    NGX_HTTP_FORBID_PEERS
} ngx_http_forbid_peer_t;

/* What check.c notes about a location while its `…_pass` and `…_cache_key` are parsed. */
typedef struct {
    ngx_flag_t passes;              /* not inherited, as `…_pass` is not */
    ngx_flag_t keyed;               /* the cache key holds $forbid_principal */
} ngx_http_forbid_peer_conf_t;

typedef struct {
    ngx_array_t policies;           /* of ngx_http_forbid_policies_t: each directory once */
    ngx_array_t geo;                /* of ngx_http_forbid_geo_t: each file once */
    ngx_array_t checked;            /* of struct fb_site: combinations found sound */
    ngx_str_t stores[FB_GUARD_STORES_MAX];
    ngx_uint_t stores_count;
    ngx_uint_t locations;           /* that decide */
    ngx_uint_t shadows;             /* of these, in shadow */
    ngx_str_t first_shadow;         /* name of one, for the notice */
    ngx_shm_zone_t *crashes;
    ngx_shm_zone_t *proofs;         /* that were used; NULL: no issuer takes any */
    bool proves;
    ngx_shm_zone_t *counters;       /* NULL: nobody reads them, so nothing is counted */
    ngx_array_t *doors;             /* locations with forbid_metrics (metrics_conf.c); NULL: none */
    bool timed;                     /* $forbid_time_ns is asked for */
} ngx_http_forbid_main_conf_t;

/* A protected resource: RFC 9728. */
typedef struct {
    struct fb_span identifier, metadata_uri, metadata_path;
} ngx_http_forbid_resource_t;

typedef struct ngx_http_forbid_loc_conf_s ngx_http_forbid_loc_conf_t;

typedef struct {
    /* Whose settings dress an error that nginx raised before it chose a location: the server's own
     * if it decides, else its first location that does.  NULL: none does. */
    ngx_http_forbid_loc_conf_t *dress;
} ngx_http_forbid_srv_conf_t;

struct ngx_http_forbid_loc_conf_s {
    /* location settings { (each has a default and a merge rule: tools/lint/directives) */
    ngx_uint_t mode;                            /* ngx_http_forbid_mode_t */
    const struct fb_policies *policies;
    const struct fb_issuers *issuers;           /* all lines of one level; a deeper level replaces them */
    const struct fb_geo *geo;
    ngx_str_t store;                            /* absolute, NUL-terminated; empty: none */
    size_t store_map;                           /* bytes of address space; 0: the store's default */
    ngx_uint_t disclose;                        /* enum fb_level */
    ngx_uint_t disclose_anonymous;
    ngx_flag_t disclose_stated;                 /* forbid_disclose stands there or above */
    ngx_uint_t unmatched;                       /* enum fb_unmatched */
    const struct fb_pages *pages;               /* NULL: the built-in page */
    const struct fb_cors *cors;                 /* NULL: none */
    const ngx_http_forbid_resource_t *resource; /* NULL: none */
    ngx_http_complex_value_t *login;            /* NULL: nobody is sent to sign in */
    time_t retry_after;                         /* seconds that a 429 and a 503 ask a client to wait */
    ngx_uint_t normalize;                       /* of the upstream's own refusals: 0 passes them as they are */
    /* } location settings */

    ngx_array_t *callers;                       /* of ngx_cidr_t: who may read its metrics; NULL: whoever gets here */
    struct fb_site site;                        /* the above, merged, as the guard wants it */
    struct fb_issuers *own_issuers;             /* while the lines of this level are read */
    ngx_http_forbid_peer_conf_t peers[NGX_HTTP_FORBID_PEERS];
    ngx_flag_t pass_decoded;                    /* proxy_pass forwards decoded text: $uri, $1 */
    ngx_flag_t pass_raw;                        /* proxy_pass forwards $request_uri */
    ngx_http_complex_value_t *pass_url;         /* NULL, or only its value tells whether it has a path */
};

/* What an upstream answered to a request that was let through. */
typedef enum {
    NGX_HTTP_FORBID_UPSTREAM_NONE,              /* no refusal */
    NGX_HTTP_FORBID_UPSTREAM_401,
    NGX_HTTP_FORBID_UPSTREAM_401_BARE,          /* without a challenge */
    NGX_HTTP_FORBID_UPSTREAM_403,
    NGX_HTTP_FORBID_UPSTREAM_403_STRANGER,      /* to a client that showed no credentials */
    NGX_HTTP_FORBID_UPSTREAM_KINDS
} ngx_http_forbid_upstream_kind_t;

/* What is known of one client request.  On its pool; found by redirects and subrequests. */
typedef struct {
    u_char id[32];                              /* 128 bits in hex, no NUL */
    bool decided, denied, shadowed, anonymous;
    bool hidden;                                /* 404 of what is there: for the log */
    uint64_t secret_since;                      /* of a secret action: when its decision was begun; else 0 */
    bool proof_used;                            /* a decision used the request's proof: fb_answer */
    bool identified;                            /* `principal` is known, before or by the decision */
    bool error_page;                            /* nginx runs the phases again for an `error_page` */
    ngx_uint_t status;                          /* of the refusal; 0: none */
    uint64_t time_ns;                           /* what the decision took; 0: not measured */
    ngx_str_t reason;
    ngx_str_t principal;                        /* as Cedar text, printable ASCII; empty: anonymous */
    const struct fb_uid *action, *resource;     /* NULL: not reached */
    const struct fb_program *program;
    uint32_t *policies;                         /* by program index */
    ngx_uint_t policies_count;
    ngx_table_elt_t *principal_field;           /* in r->headers_in, once set */
    ngx_table_elt_t *shadow_field;
    ngx_str_t path;                             /* the path decided, in the request's own memory */
    bool raw_decided;                           /* the client's own target is known to mean the same */
    ngx_http_forbid_upstream_kind_t upstream_kind;
    bool replaced;                              /* upstream.c: `own_body` goes out in place of the upstream's */
    ngx_buf_t *own_body;                        /* NULL: gone out */
    bool held;                                  /* dress.c: the header waits for the body to be seen */
} ngx_http_forbid_ctx_t;

extern ngx_module_t ngx_http_forbid_module;
extern ngx_command_t ngx_http_forbid_commands[];

static inline struct fb_span ngx_http_forbid_span(ngx_str_t text)
{
    return fb_span((const char *)text.data, text.len);
}

/* nginx's strings are not const; what is made here is only read. */
static inline ngx_str_t ngx_http_forbid_str(struct fb_span span)
{
    union {
        const char *from;
        u_char *to;
    } ptr = {.from = span.ptr};
    return (ngx_str_t){span.len, ptr.to};
}

/* A copy in the pool; on failure data is NULL and the length 0. */
ngx_str_t ngx_http_forbid_copy(ngx_pool_t *pool, struct fb_span span);

/* --- context.c ---------------------------------------------------------------------------------------- */
/* The context of the client request that `r` belongs to, or NULL if there is none yet. */
ngx_http_forbid_ctx_t *ngx_http_forbid_find_ctx(ngx_http_request_t *r);
/* The same, made if need be, with an id; NULL without memory. */
ngx_http_forbid_ctx_t *ngx_http_forbid_get_ctx(ngx_http_request_t *r);
/* A uid as Cedar text (printable ASCII) in the pool; empty without memory. */
ngx_str_t ngx_http_forbid_uid_text(ngx_pool_t *pool, const struct fb_uid *uid);
/* Keeps what the decision found out, for variables, fields and logs. */
ngx_int_t ngx_http_forbid_record(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf,
                                 ngx_http_forbid_ctx_t *ctx, const struct fb_answer *answer);

/* --- request.c ---------------------------------------------------------------------------------------- */
/* Spans into r and its pool. */
void ngx_http_forbid_fill(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf,
                          const ngx_http_forbid_ctx_t *ctx, struct fb_http_request *request);
/* The first field of that name (in lower case); empty if there is none. */
struct fb_span ngx_http_forbid_field(const ngx_http_request_t *r, const char *name);
/* What this location forwards could be read as another path than the one decided: 400. */
bool ngx_http_forbid_unforwardable(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf);
/* The same, of a location that a request reached after its decision. */
bool ngx_http_forbid_strayed(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf,
                             const ngx_http_forbid_ctx_t *ctx);

/* --- fields.c ------------------------------------------------------------------------------------------ */
/* Takes out of the request what only Forbid may say to an upstream: X-Forbid-…, in any spelling. */
ngx_int_t ngx_http_forbid_drop_identity(ngx_http_request_t *r);
/* Takes out what would make the upstream act on another method or target than the one decided. */
ngx_int_t ngx_http_forbid_drop_overrides(ngx_http_request_t *r);
/* X-Forbid-Id and X-Forbid-Principal, and X-Forbid-Shadow where shadow spared a refusal. */
ngx_int_t ngx_http_forbid_tell_upstream(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx);
/* Once, in the master. */
void ngx_http_forbid_init_fields(void);

/* --- answer.c ------------------------------------------------------------------------------------------ */
/* Renders a refusal and sends it: the one way out for every refusal of ours.  NGX_DONE, with the
 * request finalised. */
ngx_int_t ngx_http_forbid_refuse(ngx_http_request_t *r, const ngx_http_forbid_ctx_t *ctx,
                                 struct fb_refusal *refusal);
/* Status, fields and length of a rendered refusal into r->headers_out, and its body as one buffer.
 * NULL without memory. */
ngx_buf_t *ngx_http_forbid_put(ngx_http_request_t *r, const struct fb_response *response);
/* Sends a rendered answer, clears the worker's arena, ends the request: NGX_DONE. */
ngx_int_t ngx_http_forbid_send(ngx_http_request_t *r, const struct fb_response *response);
/* Renders into the worker's arena; falls back to a bare body when that fails. */
void ngx_http_forbid_render(ngx_http_request_t *r, const ngx_http_forbid_ctx_t *ctx, struct fb_refusal *refusal,
                            struct fb_response *response);

/* --- hold.c -------------------------------------------------------------------------------------------- */
/* A refusal of a secret action leaves at the first tick that is at least this long after its decision was begun;
 * docs/decisions/0008 has why so long. */
#define FORBID_TICK_NS UINT64_C(4000000)
#define FORBID_GRACE_NS UINT64_C(2000000)
/* Takes over a request whose answer is ready in r->headers_out, and sends it with its body later.  `since`: when the
 * decision was begun, of CLOCK_MONOTONIC.  NGX_DONE, also where it had to end the request. */
ngx_int_t ngx_http_forbid_hold(ngx_http_request_t *r, ngx_buf_t *body, uint64_t since);
/* At the start of a worker that may hold something, while there still are connections for a clock; and at its end. */
void ngx_http_forbid_begin_hold(ngx_log_t *log);
void ngx_http_forbid_end_hold(void);
#ifdef FB_PLANT
/* tests/e2e/plant.c: makes hidden ones take longer, for a test that must see it. */
void ngx_http_forbid_plant(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx, const struct fb_answer *answer);
#endif

/* What a script asks before its request (row 0 of the refusal rule). */
ngx_int_t ngx_http_forbid_answer_preflight(ngx_http_request_t *r, const struct fb_preflight *preflight);

/* Is this a request for the metadata of the location's resource, or a script's preflight for it?  Then it is answered:
 * NGX_DONE. */
bool ngx_http_forbid_asks_metadata(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf);
ngx_int_t ngx_http_forbid_answer_metadata(ngx_http_request_t *r, const ngx_http_forbid_loc_conf_t *conf);

/* --- audience.c ---------------------------------------------------------------------------------------- */
/* Spans into r, its location and the arena. */
void ngx_http_forbid_audience(ngx_http_request_t *r, struct fb_arena *arena, struct fb_audience *audience);
char *ngx_http_forbid_set_cors(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_forbid_set_resource(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_forbid_set_pages(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* --- login.c -------------------------------------------------------------------------------------------- */
/* Turns a rendered 401 into a redirect to the location's login, for a person who navigates; else false. */
bool ngx_http_forbid_login(ngx_http_request_t *r, const struct fb_refusal *refusal, struct fb_response *response);
/* $forbid_return */
ngx_str_t ngx_http_forbid_return_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx);
char *ngx_http_forbid_set_login(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* --- dress.c ------------------------------------------------------------------------------------------- */
void ngx_http_forbid_init_filters(void);

/* --- upstream.c ----------------------------------------------------------------------------------------- */
void ngx_http_forbid_init_upstream_filters(void);
/* "401-without-challenge", …: static, NUL-terminated. */
ngx_str_t ngx_http_forbid_upstream_kind(ngx_uint_t kind);
/* $forbid_upstream_refusal */
ngx_str_t ngx_http_forbid_upstream_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx);

/* --- metrics.c, metrics_conf.c --------------------------------------------------------------------------- */
ngx_int_t ngx_http_forbid_metrics_handler(ngx_http_request_t *r);
char *ngx_http_forbid_set_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* Of the whole configuration: NGX_ERROR, with the reason in the log, where anybody could read them. */
ngx_int_t ngx_http_forbid_check_doors(ngx_conf_t *cf, const ngx_http_forbid_main_conf_t *main);

/* --- variables.c ---------------------------------------------------------------------------------------- */
ngx_int_t ngx_http_forbid_add_variables(ngx_conf_t *cf);
/* Does the configuration, which has been read, name $forbid_time_ns? */
bool ngx_http_forbid_wants_time(ngx_conf_t *cf);

/* --- worker.c ------------------------------------------------------------------------------------------- */
ngx_int_t ngx_http_forbid_init_process(ngx_cycle_t *cycle);
void ngx_http_forbid_exit_process(ngx_cycle_t *cycle);
/* NULL: it could not be made, and everything is refused with 503. */
struct fb_guard *ngx_http_forbid_guard(void);
/* For rendering one answer; cleared by ngx_http_forbid_render(). */
struct fb_arena *ngx_http_forbid_arena(void);
void ngx_http_forbid_make_id(u_char id[32]);
/* To the error log, at most once a second and worker; the number of those left out is told. */
void ngx_http_forbid_log_fault(ngx_http_request_t *r, const ngx_http_forbid_ctx_t *ctx, struct fb_span text);
ngx_int_t ngx_http_forbid_add_crash_zone(ngx_conf_t *cf, ngx_http_forbid_main_conf_t *main);
/* Where an issuer takes proofs. */
ngx_int_t ngx_http_forbid_add_proof_zone(ngx_conf_t *cf, ngx_http_forbid_main_conf_t *main);

/* --- conf.c ---------------------------------------------------------------------------------------------- */
void *ngx_http_forbid_create_main_conf(ngx_conf_t *cf);
void *ngx_http_forbid_create_srv_conf(ngx_conf_t *cf);
void *ngx_http_forbid_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_forbid_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);

/* --- load.c: setters of directives -------------------------------------------------------------------------- */
typedef struct {
    ngx_str_t dir;
    struct fb_policies *policies;
} ngx_http_forbid_policies_t;

typedef struct {
    ngx_str_t file, path;
    struct fb_geo *geo;
} ngx_http_forbid_geo_t;

char *ngx_http_forbid_set_policies(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_forbid_set_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_forbid_set_issuer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_forbid_set_geo(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_forbid_set_disclose(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* Prints diagnostics to nginx's log, a line each, so that `nginx -t` shows them. */
void ngx_http_forbid_report(ngx_conf_t *cf, const struct fb_diags *diags);

/* --- check.c ------------------------------------------------------------------------------------------------- */
/* Before and after the http block is parsed. */
ngx_int_t ngx_http_forbid_watch(ngx_conf_t *cf);
void ngx_http_forbid_unwatch(void);
/* Of a merged location that decides: NGX_CONF_OK or NGX_CONF_ERROR with the reason in the log. */
char *ngx_http_forbid_check(ngx_conf_t *cf, ngx_http_forbid_loc_conf_t *conf);

#endif
