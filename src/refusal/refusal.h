/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_REFUSAL_H
#define FB_REFUSAL_REFUSAL_H

#include "base/base.h"

/* refusal: what a client is told.  The door of src/refusal/.
 *
 * The guard decides which refusal it is; this part turns it into a status, fields and a body, by
 * what the client may know (the level) and what it can read (Accept).  RFC 9110 section 15.5, RFC
 * 6750 section 3, RFC 7725, RFC 9457, RFC 9470 section 3, RFC 9728 section 5.1, Fetch section 3.3. */

enum fb_level { FB_LEVEL_NONE, FB_LEVEL_REASON, FB_LEVEL_DETAIL, FB_LEVEL_POLICY };
/* "none", "reason", "detail", "policy"; false for anything else. */
bool fb_level_parse(struct fb_span text, enum fb_level *level);
struct fb_span fb_level_name(enum fb_level level);

enum fb_reason {
#define FB_REASON(symbol, code, sentence) FB_REASON_##symbol,
#include "refusal/reasons.def"
#undef FB_REASON
    FB_REASONS
};
struct fb_span fb_reason_code(enum fb_reason reason);
struct fb_span fb_reason_sentence(enum fb_reason reason);
/* The sentence that goes with a code of ours; empty for a code that a policy made up. */
struct fb_span fb_reason_sentence_of(struct fb_span code);

/* The `error` member by status: "unauthorized", "forbidden", "not_found", "invalid_request", … */
struct fb_span fb_error_of_status(unsigned status);
/* "Forbidden", …: RFC 9110 section 15.5. */
struct fb_span fb_phrase_of_status(unsigned status);

/* What a challenge asks for (RFC 9110 section 11.6.1): a line of its own for each. */
enum fb_scheme { FB_SCHEME_BEARER, FB_SCHEME_DPOP, FB_SCHEME_BASIC };
struct fb_offer {
    enum fb_scheme scheme;
    bool quiet;                         /* the refusal's error and cure are not about credentials of this kind */
    struct fb_span realm;
    struct fb_span algs;                /* DPoP: of proofs, RFC 9449 section 7.1 */
};
#define FB_OFFERS_MAX 8u

/* A refusal before it is written.  Spans must outlive the rendering. */
struct fb_refusal {
    unsigned status;                    /* 400 401 403 404 405 413 414 429 431 451 503 */
    enum fb_level level;
    struct fb_span reason;              /* a code */
    struct fb_span detail, help;        /* may be empty */
    struct fb_span request_id;
    /* fields */
    bool challenge;                     /* challenges go with it */
    const struct fb_offer *offers;      /* at most FB_OFFERS_MAX; none: one of Bearer, with the realm below */
    size_t offers_count;
    struct fb_span realm;               /* where an offer says none; empty: "api" */
    struct fb_span challenge_error;     /* RFC 6750, 9449, 9470: "", "invalid_request", "invalid_token",
                                           "insufficient_scope", "insufficient_user_authentication",
                                           "invalid_dpop_proof" */
    struct fb_span challenge_description;   /* "The access token has expired", or empty */
    struct fb_span scope, acr_values;   /* the cure: words with single spaces; or empty */
    bool has_max_age;
    unsigned max_age;                   /* seconds since the sign-in; RFC 9470 section 3 */
    struct fb_span resource_metadata;   /* a URI, RFC 9728 section 5.1; or empty */
    struct fb_span allow;               /* 405 */
    struct fb_span blocked_by;          /* 451 */
    unsigned retry_after;               /* seconds, 503; 0: none */
    /* level `policy` */
    const struct fb_span *policies;
    size_t policies_count;
    struct fb_span clause, clause_json; /* the one that decided: its text; {"part":…,"text":…,"values":{…}} */
};

/* Pages for people in the languages of a directory (pages.c says what its files are): immutable, any thread.
 * All memory is from the arena of `diags`, which must outlive them.  NULL, with errors among `diags`, where the
 * directory cannot be read or its files have faults. */
struct fb_pages;
const struct fb_pages *fb_pages_load(const char *dir, struct fb_diags *diags);

/* Whose scripts may read what is refused, and call at all (Fetch section 3.3). */
struct fb_cors {
    const struct fb_span *origins;      /* "https://app.example", compared byte by byte */
    size_t origins_count;
    bool any;                           /* every origin: then without credentials */
    bool credentials;                   /* cookies and the like may go along */
    unsigned max_age;                   /* seconds for which a preflight's answer holds */
};

/* From words: `*` or origins, then `credentials`, `max_age=SECONDS`.  The spans are those of the words, the list
 * is the arena's.  False with errors among `diags`: what is no origin, credentials for everybody. */
bool fb_cors_parse(const struct fb_span *words, size_t count, struct fb_arena *arena, struct fb_cors *cors,
                   struct fb_diags *diags);

/* What the client can read. */
struct fb_audience {
    struct fb_span accept;              /* the Accept fields, joined with commas; or empty */
    struct fb_span accept_language;     /* likewise */
    struct fb_span content_type;        /* of a POST, else empty: gRPC's calls, all POSTs, are answered its way */
    struct fb_span origin;              /* the Origin field, or empty */
    const struct fb_pages *pages;       /* NULL: the built-in page */
    const struct fb_cors *cors;         /* NULL: no fields for scripts */
    bool login;                         /* some are sent to sign in instead, by Sec-Fetch-Mode */
};

struct fb_line {
    struct fb_span name, value;
};

/* Ready to be sent.  `body` is what GET gets, its length is what Content-Length says, HEAD included. */
struct fb_response {
    unsigned status;
    struct fb_span content_type;        /* static */
    struct fb_line lines[24];           /* the other fields, in order; static names */
    size_t lines_count;
    struct fb_span body;
};

/* Fields: Cache-Control: no-store, Content-Type, Vary, X-Request-Id, WWW-Authenticate (a line each),
 * Allow, Link, Retry-After, and those for scripts of allowed origins.  Body by level and Accept:
 * application/json, problem+json, text/plain, text/html.  A call of gRPC gets a 200 with grpc-status and no
 * body, one of grpc-web a 200 with these in its body.  All memory from the arena.  False without memory: the caller then sends the bare status. */
bool fb_refusal_render(const struct fb_refusal *refusal, const struct fb_audience *audience,
                       struct fb_arena *arena, struct fb_response *response);

/* What a script asks before its request (Fetch section 4.8): 204, with the methods of the route and the
 * fields that it wants to send; without a field for an origin that is not allowed. */
struct fb_preflight {
    struct fb_span methods;             /* "GET, HEAD, DELETE" */
    struct fb_span fields;              /* of Access-Control-Request-Headers; or empty */
};
/* --- A protected resource's own metadata: RFC 9728 ---------------------------------------------------- */

struct fb_metadata {
    struct fb_span resource;            /* its identifier, section 1.2 */
    const struct fb_span *issuers;      /* authorization_servers */
    size_t issuers_count;
    const struct fb_span *scopes;       /* scopes_supported */
    size_t scopes_count;
    struct fb_span dpop_algs;           /* with single spaces; empty: no proofs are taken */
    bool dpop_required;                 /* no token without one is */
};
/* NULL: an identifier of a protected resource; else what is wrong with it (static). */
const char *fb_resource_check(struct fb_span resource);
/* Where its metadata is found (section 3.1), and the path of that. */
struct fb_span fb_metadata_uri(struct fb_span resource, struct fb_arena *arena);
struct fb_span fb_metadata_path(struct fb_span uri);
/* 200 with the document of section 3.2.  False without memory. */
bool fb_metadata_render(const struct fb_metadata *metadata, struct fb_arena *arena, struct fb_response *response);

/* --- Preflights ------------------------------------------------------------------------------------------ */

bool fb_preflight_render(const struct fb_preflight *preflight, const struct fb_audience *audience,
                         struct fb_arena *arena, struct fb_response *response);

/* advise.h     an answer → what its client may do        exchange.h   requests with their answers, as recorded
 * audit.h      exchanges → what is wrong with them */
#include "refusal/advise.h"
#include "refusal/audit.h"
#include "refusal/exchange.h"

#endif
