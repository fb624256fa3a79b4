/* SPDX-License-Identifier: Apache-2.0 */
/* The module that conceal.test.mjs plants a difference in: five microseconds of work more for what is hidden than for
 * what is not there.  A field of the request says whether the answer then waits for its tick (`X-Plant: tick`), where
 * nothing must be seen of it, or leaves at once (`X-Plant: bare`), where it must be seen, else the test could
 * see nothing at all.  `X-Plant: even`: leaves at once, with nothing planted. */
#include "nginx/ngx_http_forbid.h"

#define PLANTED_NS 5000u

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct fb_span mode_of(ngx_http_request_t *r)
{
    for (const ngx_list_part_t *part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        const ngx_table_elt_t *fields = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (fb_span_eq_nocase(ngx_http_forbid_span(fields[i].key), fb_span_z("x-plant"))) {
                return ngx_http_forbid_span(fields[i].value);
            }
        }
    }
    return fb_span_z("");
}

void ngx_http_forbid_plant(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx, const struct fb_answer *answer)
{
    struct fb_span mode = mode_of(r);
    if (answer->hidden && (fb_span_eq(mode, fb_span_z("bare")) || fb_span_eq(mode, fb_span_z("tick")))) {
        for (uint64_t until = now_ns() + PLANTED_NS; now_ns() < until;) {
        }
    }
    if (fb_span_eq(mode, fb_span_z("bare")) || fb_span_eq(mode, fb_span_z("even"))) {
        ctx->secret_since = 0;
    }
}
