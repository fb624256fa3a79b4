/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_LIVE_H
#define FB_CLI_LIVE_H

#include "cli/cli.h"

#include "refusal/refusal.h"

/* Requests over the network, for those who look at other people's servers: `lint --url` and `probe`.  libcurl makes them
 * where the build has it.  A redirect is an answer and is not followed; proxies of the environment count; certificates
 * are verified; what was said over the wire is kept as an exchange.  One thread, one request at a time. */
struct fb_live;

struct fb_live_options {
    const char *agent;              /* User-Agent */
    uint64_t timeout;               /* seconds for one request; 0: 10 */
    size_t body_max;                /* bytes of an answer's body that are read; what follows is cut off */
    const char *ca;                 /* file of certificates to trust in place of the system's; NULL: the system's */
};

/* NULL: this build has no libcurl, or it does not start; *why says which (static). */
struct fb_live *fb_live_new(const struct fb_live_options *options, const char **why);
void fb_live_free(struct fb_live *live);

struct fb_live_request {
    const char *method, *url;
    const char *const *fields;      /* "Name: value" */
    size_t fields_count;
    struct fb_span body;            /* sent if `has_body` */
    bool has_body;
};

struct fb_live_answer {
    unsigned status;
    uint64_t head_ns;               /* from handing the request over to the answer's first line, in nanoseconds */
    bool connected;                 /* a connection was made for it, and that time counts in */
};

/* Appends an exchange, unless `exchanges` is NULL.  False if no answer came: *why says why (static). */
bool fb_live_send(struct fb_live *live, const struct fb_live_request *request, struct fb_exchanges *exchanges,
                  struct fb_live_answer *answer, const char **why);

#endif
