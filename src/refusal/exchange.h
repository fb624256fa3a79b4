/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_EXCHANGE_H
#define FB_REFUSAL_EXCHANGE_H

#include "refusal/refusal.h"

/* exchange: requests with their answers, from whatever recorded them.  What advise and lint read.
 *
 *   exchange.c        the list; messages as they are on the wire (`curl -i`); which form a text has
 *   exchange_curl.c   `curl -v`, `--trace-ascii`, `--trace`
 *   exchange_har.c    HAR 1.2 (JSON), from a browser or a proxy
 *
 * Spans point into the source or into the arena of the list, and both must outlive it. */

#define FB_EXCHANGES_BYTES ((size_t)256 << 20)  /* of one text */
#define FB_EXCHANGE_FIELDS 256u                 /* of one message */

struct fb_exchange {
    const struct fb_source *source;
    uint32_t at;                    /* offset of its first byte there */
    struct fb_span method, url;     /* url: absolute where the host is known, else the target; or empty */
    struct fb_line *request;        /* fields */
    size_t request_count;
    struct fb_span request_body;
    unsigned status;                /* 0: no answer came */
    struct fb_span phrase;
    struct fb_line *response;
    size_t response_count;
    struct fb_span body;
    bool request_known;             /* `curl -i` shows the answer alone */
    bool body_known;                /* HAR may leave it out */
    bool body_altered;              /* `--trace-ascii` prints line ends as dots */
};

struct fb_exchanges {
    struct fb_arena *arena;
    struct fb_exchange *list;
    size_t count, capacity;
};
void fb_exchanges_init(struct fb_exchanges *exchanges, struct fb_arena *arena);

/* Appends those of a text in whichever form it has.  False, with errors among `diags`, where it has none, or
 * without memory; what was read before that stays. */
bool fb_exchanges_read(struct fb_exchanges *exchanges, const struct fb_source *source, struct fb_diags *diags);

/* The first field of that name in any case, trimmed; the empty span. */
struct fb_span fb_request_field(const struct fb_exchange *exchange, const char *name);
struct fb_span fb_response_field(const struct fb_exchange *exchange, const char *name);
bool fb_request_has(const struct fb_exchange *exchange, const char *name);
bool fb_response_has(const struct fb_exchange *exchange, const char *name);
/* What the request was sent with, by its Authorization and Cookie fields. */
enum fb_presented fb_exchange_presented(const struct fb_exchange *exchange);

#endif
