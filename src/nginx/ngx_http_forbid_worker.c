/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker process has of its own, made after the fork: the guard with its arena, token cache
 * and store readers; the key of its request ids; memory to render one answer.
 *
 * A worker whose guard cannot be made serves on and refuses everything: closed, and visible, where
 * a worker that exits would be started again and again. */
#include "nginx/ngx_http_forbid_count.h"

#include <sys/random.h>

#define FORBID_ANSWER_CEILING ((size_t)2 << 20)     /* a page of 512 KiB, which grows by doubling */
#define FORBID_WORKERS_MAX 1024u
#define FORBID_PROOFS ((size_t)1 << 19)

static struct {
    struct fb_guard *guard;
    struct fb_arena answer;
    struct fb_hash_key id_key;
    uint64_t ids;
    time_t fault_logged;        /* second of the last fault in the error log */
    ngx_uint_t faults_dropped;  /* since then */
} worker;

struct fb_guard *ngx_http_forbid_guard(void)
{
    return worker.guard;
}

struct fb_arena *ngx_http_forbid_arena(void)
{
    return &worker.answer;
}

/* Eight hex digits, all at once: the half bytes are spread over the bytes of a word, and those from
 * ten on get the distance from '9' to 'a' on top. */
static void put_hex(u_char out[8], uint64_t bits)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    bits = (bits & 0xffff0000u) << 16 | (bits & 0xffffu);
    bits = (bits & UINT64_C(0x0000ff000000ff00)) << 8 | (bits & UINT64_C(0x000000ff000000ff));
    bits = (bits & UINT64_C(0x00f000f000f000f0)) << 4 | (bits & UINT64_C(0x000f000f000f000f));
    uint64_t letters = (bits + 6 * ones) >> 4 & ones;
    bits += '0' * ones + ('a' - '9' - 1) * letters;
    ngx_memcpy(out, &bits, 8);
}

/* Unique and not to be guessed, without a system call: a counter under a keyed hash of 128 bits. */
void ngx_http_forbid_make_id(u_char id[32])
{
    uint64_t counter = worker.ids++, bits[2];
    fb_hash_keyed_wide(&worker.id_key, fb_span((const char *)&counter, sizeof(counter)), bits);
    for (size_t half = 0; half < 2; half++) {
        put_hex(id + 16 * half, bits[half]);
        put_hex(id + 16 * half + 8, bits[half] >> 32);
    }
}

void ngx_http_forbid_log_fault(ngx_http_request_t *r, const ngx_http_forbid_ctx_t *ctx, struct fb_span text)
{
    ngx_str_t what = ngx_http_forbid_str(text), id = ngx_http_forbid_str(fb_span((const char *)ctx->id, sizeof(ctx->id)));
    if (worker.fault_logged == ngx_time()) {
        worker.faults_dropped++;
        return;
    }
    worker.fault_logged = ngx_time();
    if (worker.faults_dropped != 0) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "forbid: %ui more faults were not logged", worker.faults_dropped);
        worker.faults_dropped = 0;
    }
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "forbid: cannot decide: %V, id %V", &what, &id);
}

/* Counters that outlive a worker: the store's reader notes there that it is about to map a file that
 * may kill it, and a worker that takes over the slot of one that died that way starts closed. */
static ngx_int_t init_zone(ngx_shm_zone_t *zone, void *old)
{
    ngx_slab_pool_t *pool = (ngx_slab_pool_t *)(void *)zone->shm.addr;
    if (old != NULL) {
        zone->data = old;
        return NGX_OK;
    }
    if (zone->shm.exists) {
        zone->data = pool->data;
        return NGX_OK;
    }
    pool->data = ngx_slab_calloc(pool, FORBID_WORKERS_MAX * sizeof(_Atomic uint32_t));
    zone->data = pool->data;
    return zone->data != NULL ? NGX_OK : NGX_ERROR;
}

ngx_int_t ngx_http_forbid_add_crash_zone(ngx_conf_t *cf, ngx_http_forbid_main_conf_t *main)
{
    ngx_str_t name = ngx_string("forbid_crashes");
    main->crashes = ngx_shared_memory_add(cf, &name, 8 * ngx_pagesize, &ngx_http_forbid_module);
    if (main->crashes == NULL) {
        return NGX_ERROR;
    }
    main->crashes->init = init_zone;
    return NGX_OK;
}

/* Proofs that were used, by whichever worker: 4,000 a second, while each can be used. */
static ngx_int_t init_proofs(ngx_shm_zone_t *zone, void *old)
{
    ngx_slab_pool_t *pool = (ngx_slab_pool_t *)(void *)zone->shm.addr;
    if (old != NULL || zone->shm.exists) {
        zone->data = old != NULL ? old : pool->data;
        return NGX_OK;
    }
    void *memory = ngx_slab_alloc(pool, fb_replays_bytes(FORBID_PROOFS));
    zone->data = pool->data = memory != NULL ? fb_replays_init(memory, FORBID_PROOFS) : NULL;
    return zone->data != NULL ? NGX_OK : NGX_ERROR;
}

ngx_int_t ngx_http_forbid_add_proof_zone(ngx_conf_t *cf, ngx_http_forbid_main_conf_t *main)
{
    ngx_str_t name = ngx_string("forbid_proofs");
    size_t size = ngx_align(fb_replays_bytes(FORBID_PROOFS), ngx_pagesize);
    /* The slab's own table takes a part of it. */
    main->proofs = ngx_shared_memory_add(cf, &name, size + size / 64 + 16 * ngx_pagesize, &ngx_http_forbid_module);
    if (main->proofs == NULL) {
        return NGX_ERROR;
    }
    main->proofs->init = init_proofs;
    return NGX_OK;
}

static _Atomic uint32_t *crash_counter(const ngx_http_forbid_main_conf_t *main)
{
    _Atomic uint32_t *counters = main->crashes != NULL ? main->crashes->data : NULL;
    return counters != NULL ? &counters[ngx_worker % FORBID_WORKERS_MAX] : NULL;
}

static bool some_secret(const ngx_http_forbid_main_conf_t *main)
{
    const ngx_http_forbid_policies_t *all = main->policies.elts;
    for (ngx_uint_t i = 0; i < main->policies.nelts; i++) {
        if (fb_policies_secret(all[i].policies, NULL)) {
            return true;
        }
    }
    return false;
}

ngx_int_t ngx_http_forbid_init_process(ngx_cycle_t *cycle)
{
    const ngx_http_forbid_main_conf_t *main = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_forbid_module);
    bool serves = ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE;
    if (main == NULL || !serves) {
        return NGX_OK;
    }
    fb_arena_init(&worker.answer, &fb_heap, FORBID_ANSWER_CEILING);
    if (getrandom(&worker.id_key, sizeof(worker.id_key), 0) != (ssize_t)sizeof(worker.id_key)) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno, "forbid: no random bytes from the kernel");
        return NGX_ERROR;
    }
    ngx_http_forbid_start_counting(main);
    if (main->locations == 0) {
        return NGX_OK;
    }
    if (some_secret(main)) {
        ngx_http_forbid_begin_hold(cycle->log);
    }
    const struct fb_guard_options options = {.allocator = &fb_heap, .crashes = crash_counter(main),
                                             .replays = main->proofs != NULL ? main->proofs->data : NULL};
    worker.guard = fb_guard_new(&options);
    if (worker.guard == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "forbid: this worker cannot decide and refuses every request");
    }
    return NGX_OK;
}

void ngx_http_forbid_exit_process(ngx_cycle_t *cycle)
{
    (void)cycle;
    ngx_http_forbid_end_hold();
    if (worker.guard != NULL) {
        fb_guard_free(worker.guard);
        worker.guard = NULL;
    }
    fb_arena_release(&worker.answer);
}
