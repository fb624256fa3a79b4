/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORBID_ADVISE_H
#define FORBID_ADVISE_H

/* What a client may do about an answer.
 *
 * A server refuses, or fails, or sends a sign-in page; the client knows what it sent and what it tried before.
 * forbid_advise() turns both into one thing to do.  By the standards where they say (RFC 9110, 6750, 9470, 9449,
 * 6585, 7725), else by what servers are known to mean, which `sure` tells apart.
 *
 * A client that follows comes to an end: set `1u << advice.cure` in `tried` after each cure, count waits, and no
 * advice comes twice for one request.  No function here keeps state; any thread. */

#include <forbid/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum forbid_cure {
    FORBID_GIVE_UP = 0,         /* and `why` says why */
    FORBID_PROCEED = 1,         /* not a refusal */
    FORBID_AUTHENTICATE = 2,    /* get credentials (of `scheme`, where it is not empty), and repeat the request */
    FORBID_REFRESH = 3,         /* get a new token without the user, and repeat */
    FORBID_REQUEST_SCOPE = 4,   /* a new authorization request for `scope`; a refresh cannot add scope */
    FORBID_STEP_UP = 5,         /* a new authorization request with `acr_values`, `max_age`, and `scope` if there is one */
    FORBID_RETRY_NONCE = 6,     /* repeat at once, with `nonce` in the DPoP proof */
    FORBID_WAIT = 7,            /* repeat after `wait` seconds (add some jitter) */
    FORBID_FIX_REQUEST = 8      /* the request is wrong; other credentials change nothing */
};

enum forbid_credentials {
    FORBID_HELD_NONE = 0, FORBID_HELD_BEARER = 1, FORBID_HELD_DPOP = 2, FORBID_HELD_BASIC = 3,
    FORBID_HELD_SESSION = 4,    /* a cookie */
    FORBID_HELD_OTHER = 5       /* an API key, a certificate, a signature */
};

struct forbid_field {
    struct forbid_text name, value;
};

/* Zero it, set `size`, fill it in.  Fields in the order in which they came. */
struct forbid_answer {
    size_t size;                /* sizeof(struct forbid_answer) */
    unsigned status;
    const struct forbid_field *fields;
    size_t fields_count;
    struct forbid_text body;    /* without content and transfer codings; may be cut or empty */
};

/* Zero it, set `size`, fill in what is known. */
struct forbid_client {
    size_t size;                /* sizeof(struct forbid_client) */
    enum forbid_credentials credentials;    /* that the request was sent with */
    int can_refresh;            /* a new token can be had without the user */
    int strict;                 /* the server keeps to RFC 9110 section 15.5.4 (as Forbid does): its 403 to a client
                                   without credentials is final.  0: try to sign in once, as many servers mean that */
    int wants_html;             /* a person's browser: pages and redirects are what it asked for */
    struct forbid_text method;  /* empty: GET.  Decides whether a request whose answer was lost may be repeated */
    int scopes_known;
    struct forbid_text scopes;  /* of the token, with single spaces */
    struct forbid_text acr;     /* of the token, or empty */
    int has_auth_time;
    int64_t auth_time;          /* when the user signed in, seconds since 1970 */
    int64_t now;                /* seconds since 1970; for times that answers name */
    unsigned tried;             /* 1u << cure, for each cure of this request so far */
    unsigned waits;             /* waits for this request so far; there are four at the most */
    uint64_t waited, wait_max;  /* seconds so far, and in all; wait_max 0: 60 */
};

/* Set `size` before the call.  The texts point into the answer, the client, or `memory`. */
struct forbid_advice {
    size_t size;                /* sizeof(struct forbid_advice) */
    enum forbid_cure cure;
    int sure;                   /* a standard says so; 0: servers are known to mean it */
    const char *why;            /* a code, "insufficient_scope"; static, stable */
    const char *sentence;       /* for people; static */
    const char *source;         /* "RFC 9110 section 15.5.4"; static */
    struct forbid_text scheme, realm, resource_metadata;    /* of the challenge; RFC 9728 section 5.1 */
    struct forbid_text scope;   /* what to ask for: what was named, then what is held */
    struct forbid_text acr_values;
    int has_max_age;
    uint64_t max_age;           /* seconds */
    struct forbid_text nonce;
    uint64_t wait;              /* seconds; set too where the wait was too long */
    struct forbid_text allow;   /* the methods of a 405 */
    struct forbid_text reason, detail;  /* the server's own code and sentence.  Text of the server: escape it */
    struct forbid_text link;    /* Location, or who blocks (451); as the server wrote it */
    void *memory;               /* to be freed by forbid_advice_release() */
};

/* FORBID_OK, or FORBID_NO_MEMORY or FORBID_MISUSE, which leave an advice to give up.  What is malformed in an answer
 * is no error: it says nothing.  `allocator` (NULL: malloc) must outlive the advice. */
FORBID_API enum forbid_status forbid_advise(const struct forbid_allocator *allocator, const struct forbid_answer *answer,
                                            const struct forbid_client *client, struct forbid_advice *advice);
/* Frees what its texts may point to.  A zeroed advice, or one that was released, is fine. */
FORBID_API void forbid_advice_release(struct forbid_advice *advice);

#ifdef __cplusplus
}
#endif

#endif
