/* SPDX-License-Identifier: Apache-2.0 */
/* Counters in shared memory: what was decided, what nginx and the upstream refused by themselves (forbid_metrics,
 * whose page is metrics.c's).
 *
 * Each worker adds to a row of its own, so that an addition is one locked instruction on a line that no other
 * processor wants; and as a worker that drains after a reload may share its row with the one that took its place,
 * it stays an atomic one.  Nobody ever waits: a reader sums the rows as they are.
 *
 * What is counted by status and reason finds its column by a hash of these.  A column is claimed once, by whoever
 * comes first; two workers that claim one for the same key at once make two, and the reader adds them up.  Reasons
 * come from policies and tables, never from clients, so there are few; those that find no column are counted as
 * `other`.  A reload keeps the zone and so the counts. */
#include "nginx/ngx_http_forbid_count.h"

#include <stdatomic.h>

#define FORBID_ROWS 64u
#define FORBID_PROBES 64u
#define FORBID_KNOWN 64u

enum { FREE, CLAIMED, THERE };

struct column {
    _Atomic uint32_t state;
    ngx_http_forbid_counted_t what;
    u_char code[FORBID_CODE_MAX];
};

struct zone {
    struct column columns[FORBID_COLUMNS];
    _Atomic uint64_t counts[FORBID_ROWS][NGX_HTTP_FORBID_PLAIN + FORBID_COLUMNS];
};

/* A place that was found before.  Codes lie where the policies and tables lie, which a worker never leaves, so that the
 * same address is the same code. */
struct known {
    const u_char *code;
    size_t len;
    ngx_uint_t kind, status, place;
};

static struct {
    struct zone *zone;
    _Atomic uint64_t *row;
    struct known known[FORBID_KNOWN];
} counters;

static bool is_of(const struct column *column, ngx_uint_t kind, ngx_uint_t status, ngx_str_t code)
{
    return column->what.kind == kind && column->what.status == status && column->what.code.len == code.len
           && ngx_memcmp(column->code, code.data, code.len) == 0;
}

/* Its place among all counts; that of OTHER where none is left. */
static ngx_uint_t place_of(ngx_uint_t kind, ngx_uint_t status, ngx_str_t code)
{
    uint64_t hash = fb_hash(ngx_http_forbid_span(code)) + (kind << 10 | status) * UINT64_C(0x9e3779b97f4a7c15);
    if (code.len > FORBID_CODE_MAX) {
        return NGX_HTTP_FORBID_COUNT_OTHER;
    }
    for (size_t probe = 0; probe < FORBID_PROBES; probe++) {
        size_t at = (hash + probe) % FORBID_COLUMNS;
        struct column *column = &counters.zone->columns[at];
        uint32_t state = atomic_load_explicit(&column->state, memory_order_acquire);
        if (state == THERE && is_of(column, kind, status, code)) {
            return NGX_HTTP_FORBID_PLAIN + at;
        }
        if (state == FREE && atomic_compare_exchange_strong(&column->state, &state, CLAIMED)) {
            column->what = (ngx_http_forbid_counted_t){.kind = kind, .status = status, .code.len = code.len};
            ngx_memcpy(column->code, code.data, code.len);
            atomic_store_explicit(&column->state, THERE, memory_order_release);
            return NGX_HTTP_FORBID_PLAIN + at;
        }
    }
    return NGX_HTTP_FORBID_COUNT_OTHER;
}

void ngx_http_forbid_count(ngx_uint_t plain)
{
    if (counters.row != NULL) {
        (void)atomic_fetch_add_explicit(&counters.row[plain], 1, memory_order_relaxed);
    }
}

void ngx_http_forbid_count_refusal(ngx_uint_t kind, ngx_uint_t status, ngx_str_t code)
{
    if (counters.row == NULL) {
        return;
    }
    struct known *known = &counters.known[((uintptr_t)code.data ^ status ^ kind << 4) % FORBID_KNOWN];
    if (known->code != code.data || known->len != code.len || known->kind != kind || known->status != status) {
        *known = (struct known){code.data, code.len, kind, status, place_of(kind, status, code)};
    }
    ngx_http_forbid_count(known->place);
}

void ngx_http_forbid_count_decision(const ngx_http_forbid_ctx_t *ctx, bool preflighted)
{
    if (counters.row == NULL) {
        return;
    }
    if (ctx->denied) {
        ngx_http_forbid_count_refusal(ctx->shadowed ? NGX_HTTP_FORBID_COUNT_SHADOW_DENY : NGX_HTTP_FORBID_COUNT_DENY,
                                      ctx->status, ctx->reason);
    } else {
        ngx_http_forbid_count(preflighted     ? NGX_HTTP_FORBID_COUNT_PREFLIGHT
                              : ctx->shadowed ? NGX_HTTP_FORBID_COUNT_SHADOW_ALLOW
                                              : NGX_HTTP_FORBID_COUNT_ALLOW);
    }
}

static uint64_t sum_of(ngx_uint_t place)
{
    uint64_t sum = 0;
    for (size_t row = 0; row < FORBID_ROWS; row++) {
        sum += atomic_load_explicit(&counters.zone->counts[row][place], memory_order_relaxed);
    }
    return sum;
}

uint64_t ngx_http_forbid_count_of(ngx_uint_t plain)
{
    return counters.zone != NULL ? sum_of(plain) : 0;
}

/* Adds to one that is there, of a key that was claimed twice. */
static size_t add(ngx_http_forbid_counted_t *list, size_t count, const ngx_http_forbid_counted_t *what)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].kind == what->kind && list[i].status == what->status && list[i].code.len == what->code.len
            && ngx_memcmp(list[i].code.data, what->code.data, what->code.len) == 0) {
            list[i].count += what->count;
            return count;
        }
    }
    list[count] = *what;
    return count + 1;
}

size_t ngx_http_forbid_counts(ngx_http_forbid_counted_t list[FORBID_COLUMNS])
{
    size_t count = 0;
    for (size_t at = 0; counters.zone != NULL && at < FORBID_COLUMNS; at++) {
        struct column *column = &counters.zone->columns[at];
        if (atomic_load_explicit(&column->state, memory_order_acquire) == THERE) {
            ngx_http_forbid_counted_t what = column->what;
            what.code.data = column->code;
            what.count = sum_of(NGX_HTTP_FORBID_PLAIN + at);
            count = add(list, count, &what);
        }
    }
    return count;
}

static ngx_int_t init_zone(ngx_shm_zone_t *zone, void *old)
{
    ngx_slab_pool_t *pool = (ngx_slab_pool_t *)(void *)zone->shm.addr;
    if (old != NULL || zone->shm.exists) {
        zone->data = old != NULL ? old : pool->data;
        return NGX_OK;
    }
    zone->data = pool->data = ngx_slab_calloc(pool, sizeof(struct zone));
    return zone->data != NULL ? NGX_OK : NGX_ERROR;
}

ngx_int_t ngx_http_forbid_add_counters(ngx_conf_t *cf, ngx_http_forbid_main_conf_t *main)
{
    ngx_str_t name = ngx_string("forbid_counters");
    size_t size = ngx_align(sizeof(struct zone), ngx_pagesize) + 16 * ngx_pagesize;
    main->counters = ngx_shared_memory_add(cf, &name, size, &ngx_http_forbid_module);
    if (main->counters == NULL) {
        return NGX_ERROR;
    }
    main->counters->init = init_zone;
    return NGX_OK;
}

void ngx_http_forbid_start_counting(const ngx_http_forbid_main_conf_t *main)
{
    counters.zone = main->counters != NULL ? main->counters->data : NULL;
    counters.row = counters.zone != NULL ? counters.zone->counts[ngx_worker % FORBID_ROWS] : NULL;
}
