/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_ADVISE_H
#define FB_REFUSAL_ADVISE_H

#include "refusal/refusal.h"

/* advise: the inverse of a refusal.  Any server's answer, and what the client has and has tried, become the one
 * thing that the client may do next.  advise.c decides, advise_signs.c reads the answer.
 *
 * No advice repeats: each cure is given once for a request (`tried`), waiting a few times within a limit, so that
 * a client which follows always comes to an end.  Nothing that a server sends can change that. */

enum fb_cure {
    FB_CURE_GIVE_UP,        /* and why: fb_advice.why */
    FB_CURE_PROCEED,        /* not a refusal */
    FB_CURE_AUTHENTICATE,   /* get credentials, of `scheme` if it says one */
    FB_CURE_REFRESH,        /* once, without the user */
    FB_CURE_REQUEST_SCOPE,  /* a new authorization request for `scope` */
    FB_CURE_STEP_UP,        /* a new authorization request with `acr_values`, `max_age` (and `scope`) */
    FB_CURE_RETRY_NONCE,    /* the same request at once, with `nonce` in its DPoP proof */
    FB_CURE_WAIT,           /* the same request after `wait` seconds */
    FB_CURE_FIX_REQUEST,    /* other credentials change nothing: the request is wrong */
    FB_CURES
};
/* "give_up", "proceed", "authenticate", … */
struct fb_span fb_cure_name(enum fb_cure cure);

enum fb_ground {
#define FB_GROUND(symbol, code, sentence, source) FB_GROUND_##symbol,
#include "refusal/grounds.def"
#undef FB_GROUND
    FB_GROUNDS
};
struct fb_span fb_ground_code(enum fb_ground why);
struct fb_span fb_ground_sentence(enum fb_ground why);
/* "RFC 9110 section 15.5.4" */
struct fb_span fb_ground_source(enum fb_ground why);

/* An answer, from whichever server.  The spans must outlive the advice. */
struct fb_received {
    unsigned status;
    const struct fb_line *fields;   /* in their order, several of a name allowed */
    size_t fields_count;
    struct fb_span body;            /* decoded; or as much of it as there is */
};

enum fb_presented { FB_PRESENTED_NONE, FB_PRESENTED_BEARER, FB_PRESENTED_DPOP, FB_PRESENTED_BASIC, FB_PRESENTED_SESSION, FB_PRESENTED_OTHER };
/* "none", "bearer", "dpop", "basic", "session", "other". */
bool fb_presented_parse(struct fb_span text, enum fb_presented *presented);

#define FB_WAITS_MAX 4u             /* waits of one request */
#define FB_WAIT_DEFAULT 60u         /* seconds in all, where the client says nothing */

/* The client's side: what the request was sent with, and what was done for it before. */
struct fb_client {
    enum fb_presented presented;    /* the credentials of the request */
    bool can_refresh;               /* it has a refresh token, or another way that needs no user */
    bool strict;                    /* the server keeps to RFC 9110: its 403 without credentials is final */
    bool wants_html;                /* a person's browser: pages and redirects are what it asked for */
    struct fb_span method;          /* empty: GET */
    bool scopes_known;
    struct fb_span scopes, acr;     /* of the token, words with spaces; empty */
    bool has_auth_time;
    int64_t auth_time, now;         /* seconds since 1970 */
    unsigned tried;                 /* 1 << cure, of this request */
    unsigned waits;                 /* made for this request */
    uint64_t waited, wait_max;      /* seconds; 0: FB_WAIT_DEFAULT */
};

struct fb_advice {
    enum fb_cure cure;
    enum fb_ground why;
    bool sure;                      /* by a standard; false: guessed from what servers do */
    struct fb_span scheme, realm;   /* of the challenge that was followed; or empty */
    struct fb_span scope;           /* what to ask for: what was named, then what is held; REQUEST_SCOPE, STEP_UP */
    struct fb_span acr_values;
    bool has_max_age;
    uint64_t max_age;               /* seconds since the sign-in */
    struct fb_span nonce;
    uint64_t wait;                  /* seconds from now; set as well where waiting was given up */
    struct fb_span allow;           /* of a 405 */
    struct fb_span reason, detail;  /* the server's own word and sentence, unescaped */
    struct fb_span link;            /* Location, or who blocks; as written */
    struct fb_span resource_metadata;
};

/* Never fails: what cannot be read is not there.  Memory for joined scopes and unescaped texts from the arena
 * (at most some hundred KB); without memory they are empty and the advice holds.  An answer of gRPC (trailers
 * only) is read by its grpc-status. */
void fb_advise(const struct fb_received *seen, const struct fb_client *client, struct fb_arena *arena,
               struct fb_advice *advice);

#endif
