/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REQUEST_REQUEST_H
#define FB_REQUEST_REQUEST_H

#include "cedar/cedar.h"

/* request: an HTTP request becomes an authorization request.  The door of src/request/.
 *
 *   target    raw target + normalised path → a path that can be read in one way only, or 400
 *   routes    method + path → action, parameters; 404; 405
 *   resource  parameters → entity uid
 *   address   socket address → ip;  geo: ip → country
 *   context   request + token → the context record that the action declares
 *
 * Loading (fb_routes_new, fb_geo_open) happens once, in the process that reads the configuration;
 * what it yields is immutable and may be read by any number of forked workers and threads.  What
 * runs per request allocates from the arena given and nowhere else.  Whatever is not understood is
 * refused.  docs/decisions/0002 has the rules for targets and why they are so. */

/* --- The request -------------------------------------------------------------------------------
 * Filled by the caller (nginx, the command line) with spans into its own memory, which must outlive
 * the decision.  Nothing is copied on the way in. */

/* One header field line.  `value` without the white space around it. */
struct fb_http_field {
    struct fb_span name, value;
};

/* Where an iteration over fields stands; zeroed to begin.  The caller of `next` does not look
 * inside; an implementation uses both members as it likes (nginx: a list part and an index). */
struct fb_http_cursor {
    const void *part;
    size_t index;
};

/* The header fields, in the order received, one line each. */
struct fb_http_fields {
    /* The next line, or false at the end. */
    bool (*next)(const void *self, struct fb_http_cursor *cursor, struct fb_http_field *field);
    const void *self;
    /* How many lines have this name, in whatever case, and the value of the first: the same as by next(),
     * from an owner that can tell faster.  NULL: by next(). */
    unsigned (*named)(const void *self, struct fb_span name, struct fb_span *first);
};

/* Over an array, for tests and tools.  `list` must outlive the fields. */
struct fb_http_field_list {
    const struct fb_http_field *list;
    size_t count;
};
struct fb_http_fields fb_http_fields_of(const struct fb_http_field_list *list);

struct fb_http_request {
    struct fb_span id;                  /* X-Request-Id and X-Forbid-Id of this request */
    struct fb_span method;              /* as sent; methods are case-sensitive */
    /* The target as it will be forwarded, origin-form with its query (nginx: unparsed_uri).  Empty
     * when what is forwarded is made from `path` instead, by escaping it (after a rewrite). */
    struct fb_span raw_target;
    /* The target as the client sent it, whatever became of it since: what a proof of possession names.  Empty: raw_target. */
    struct fb_span sent_target;
    struct fb_span path;                /* normalised and decoded (nginx: $uri) */
    struct fb_span query;               /* raw, without its `?` (nginx: $args) */
    struct fb_span host;                /* lower case, without port (nginx: $host) */
    struct fb_ip peer;                  /* the client's address; family 0: none (unix socket) */
    bool tls;
    struct fb_span tls_version, tls_cipher;
    struct fb_span tls_server_name, tls_client_subject;     /* empty: none */
    int64_t now_ms;                     /* since 1970-01-01T00:00:00Z */
    struct fb_span country;             /* assumed (`why --country`): counts in place of what geo says; else empty */
    struct fb_http_fields fields;       /* next NULL: none */
    /* The client's certificate in PEM, asked for where it matters; NULL: there is none. */
    struct fb_span (*certificate)(const void *self);
    const void *connection;             /* for `certificate` */
    bool proof_used;                    /* an earlier decision about this request used its proof (fb_answer) */
};

/* --- The target ---------------------------------------------------------------------------------
 * RFC 9112 section 3.2, RFC 3986.  Every fault but FB_TARGET_OK is a 400 (FB_TARGET_LONG a 414);
 * the list and its sentences are in targets.def. */
enum fb_target_fault {
#define FB_TARGET_FAULT(symbol, sentence) FB_TARGET_##symbol,
#include "request/targets.def"
#undef FB_TARGET_FAULT
    FB_TARGET_FAULTS
};
/* Static, for logs and `why`. */
const char *fb_target_fault_text(enum fb_target_fault fault);

#define FB_TARGET_MAX 8192u     /* bytes of the raw target */
#define FB_SEGMENTS_MAX 64u

/* A path in segments: `/a/b` has two, `/a/b/` three of which the last is empty, `/` one that is
 * empty.  Spans into request->path. */
struct fb_target {
    struct fb_span path, query;
    struct fb_span segments[FB_SEGMENTS_MAX];
    size_t count;
};

/* Checks raw target, path and query against each other and splits the path.  Allocates nothing.
 * `target` is valid only after FB_TARGET_OK. */
enum fb_target_fault fb_target_read(const struct fb_http_request *request, struct fb_target *target);

/* Whether some upstream would find a parameter of this name in the query: by the standard, or as
 * docs/decisions/0002 lists it. */
bool fb_query_mentions(struct fb_span query, struct fb_span name);

/* --- Actions as HTTP sees them -------------------------------------------------------------------- */

/* Account states, beside `active`, that an action is open to (`@accounts`). */
enum { FB_OPEN_SUSPENDED = 1, FB_OPEN_DISABLED = 2 };
/* Facts that the context asks for and that this deployment must be able to give. */
enum { FB_WANTS_COUNTRY = 1, FB_WANTS_ASN = 2, FB_WANTS_IP = 4, FB_WANTS_TOKEN = 8 };

struct fb_context_plan;

struct fb_action {
    const struct fb_uid *uid;
    /* The principal of clients without credentials: the `@anonymous` enum entity whose type the
     * action accepts.  NULL: it accepts nobody without credentials. */
    const struct fb_uid *anonymous;
    const struct fb_context_plan *plan;
    const struct fb_entity_type *const *principals; /* that it accepts */
    uint32_t principals_count;
    uint32_t index;                     /* among the actions of the schema */
    bool anonymous_only;                /* no other principal type is accepted: credentials are not read */
    uint8_t accounts;                   /* FB_OPEN_… */
    uint8_t wants;                      /* FB_WANTS_… */
    struct fb_span disclose;            /* "none", "reason", "detail", "policy"; empty: not said */
    /* `@conceal`: who may not do this action on a resource must not learn that it exists.  NULL: not said. */
    const struct fb_action *conceal;
    const struct fb_schema_action *declared;
};

/* --- Routes ----------------------------------------------------------------------------------------
 * The table is a trie over path segments, so the time of a match depends on the path and not on the
 * number of routes.  At each segment a literal comes before a parameter, `{:int}` and `{:uuid}`
 * before `{:slug}`, that before `{}`, that before `{...}`; the first segment that differs decides.
 * Two routes for one method whose templates are alike are a conflict.  Two of which neither is the
 * more specific (`/a/{x}/c` and `/a/b/{y}`) are a warning, and the request that both match is a 400:
 * an upstream may order them otherwise. */

#define FB_PARAMS_MAX 16u

struct fb_routes;

struct fb_route {
    const struct fb_action *action;
    const struct fb_uid_template *resource, *within;    /* internal, as are segments and rivals */
    const struct fb_route **rivals;     /* routes that overlap with it, neither the more specific */
    uint8_t segments_count, params_count, rivals_count;
    bool implicit;                      /* the HEAD that a GET takes with it */
    struct fb_range range;              /* in the source of the action */
    const struct fb_path_segment *segments;
    struct fb_span method, path;        /* "GET", "/users/{id:int}" */
    struct fb_span query;               /* of `?export`: "export"; else empty */
};

/* Reads the annotations of every action and entity type, and plans every action's context.  Schema,
 * sources and `arena` must outlive the table.  All faults are reported in one run, each at its
 * place within the annotation; NULL if any was an error, or without memory. */
struct fb_routes *fb_routes_new(struct fb_arena *arena, const struct fb_schema *schema, struct fb_diags *diags);

/* In source order, implicit HEADs included. */
size_t fb_routes_count(const struct fb_routes *routes);
const struct fb_route *fb_routes_at(const struct fb_routes *routes, size_t index);
/* Every action of the schema has one, with a route or without.  NULL: not in the schema. */
const struct fb_action *fb_routes_action(const struct fb_routes *routes, const struct fb_uid *uid);

enum fb_routed {
    FB_ROUTED_NOWHERE,                  /* 404: no route has this path */
    FB_ROUTED_METHOD,                   /* 405: one has, with another method: fb_routes_allow() */
    FB_ROUTED_AMBIGUOUS,                /* 400: two readings of path or query lead to two routes */
    FB_ROUTED
};

struct fb_match {
    const struct fb_route *route;
    struct fb_span params[FB_PARAMS_MAX];   /* into target->path, in the order of the template */
    size_t params_count;
};

/* Allocates nothing.  `match` is valid only after FB_ROUTED. */
enum fb_routed fb_routes_match(const struct fb_routes *routes, const struct fb_target *target, struct fb_span method,
                               struct fb_match *match);
/* The value of Allow after FB_ROUTED_METHOD: sorted, with the HEAD of every GET, the same for
 * every client.  Empty without memory. */
struct fb_span fb_routes_allow(const struct fb_routes *routes, const struct fb_target *target, struct fb_arena *arena);

/* The resource that the route names.  `principal` serves `@resource("principal")` and may be NULL
 * where fb_route_resource_is_principal() is false.  NULL without memory. */
const struct fb_uid *fb_match_resource(const struct fb_match *match, const struct fb_uid *principal,
                                       struct fb_arena *arena);
bool fb_route_resource_is_principal(const struct fb_route *route);
/* `@within`: the resource must be in this entity, else it counts as absent.  *within is NULL where
 * the route has none.  False without memory. */
bool fb_match_within(const struct fb_match *match, struct fb_arena *arena, const struct fb_uid **within);

/* --- Address and location ------------------------------------------------------------------------ */

struct sockaddr;
/* IPv4, IPv6, and IPv4 mapped into IPv6 as IPv4; the prefix is that of one address.  Anything else:
 * false, and family 0. */
bool fb_ip_of_sockaddr(const struct sockaddr *address, size_t length, struct fb_ip *ip);

/* A location database (MaxMind DB format), memory-mapped.  Open it before forking. */
struct fb_geo;

/* `country_path`: keys with dots between, "country_code", "country.iso_code"; NULL tries these
 * two.  On failure NULL, and *error is a static text. */
struct fb_geo *fb_geo_open(const struct fb_allocator *allocator, const char *file, const char *country_path,
                           const char **error);
void fb_geo_close(struct fb_geo *geo);
/* Two capital letters of ISO 3166-1, valid until the close.  FB_ABSENT: the database has none for
 * this address.  FB_BROKEN: it cannot be read there, so nothing may rest on "no country". */
enum fb_found fb_geo_country(const struct fb_geo *geo, const struct fb_ip *ip, struct fb_span *country);
/* The number of the autonomous system, where the file has one. */
enum fb_found fb_geo_asn(const struct fb_geo *geo, const struct fb_ip *ip, int64_t *asn);

/* --- Context -----------------------------------------------------------------------------------------
 * What an action's context type may declare, and of which type:
 *
 *   method, host, path: String      ip: ipaddr      time: datetime
 *   country?: String                asn?: Long
 *   query: { name: String | Set<String>, … }      headers: { "x-name": String | Set<String>, … }
 *   tls?: { version: String, cipher: String, serverName?: String, clientSubject?: String }
 *   token?: { issuer: String, audience, scope: Set<String>, acr?: String, amr?: Set<String>,
 *             authTime?: datetime, claim?: String | Bool | Long | Set<String>, … }
 *
 * What a request may lack must be declared optional, with the exception of query parameters and
 * header fields: a request that lacks a required one is a 400.  In the name of a header `_` and
 * `-` are the same and so is case, in the schema and in the request: upstreams that turn fields
 * into variables cannot tell them apart either.  A required Set<String> may be empty.  Only what is declared
 * is built.  Query parameters are read as application/x-www-form-urlencoded. */

/* What a valid token says; filled by whoever verified it. */
struct fb_token_facts {
    struct fb_span issuer;
    const struct fb_span *audiences, *scopes, *amr;
    size_t audiences_count, scopes_count, amr_count;
    struct fb_span acr;
    bool has_acr, has_amr, has_auth_time;
    int64_t auth_time;                  /* seconds since 1970 */
    /* Any other claim as a value: String, Bool, Long, or Set of String, memory from the arena.
     * False: not in the token, or of another kind.  NULL: no such claims. */
    bool (*claim)(const void *self, struct fb_span name, struct fb_arena *arena, struct fb_value *value);
    const void *self;
};

enum fb_contexted {
    FB_CONTEXT_CANNOT,                  /* 503: no memory, a broken location database, no address */
    FB_CONTEXT_BAD,                     /* 400: a parameter or field missing, repeated, malformed */
    FB_CONTEXT_OK
};

/* The context of a request for this action.  `geo` NULL: no location is known; `token` NULL: the
 * client has none.  The record points into request, token and geo.  Unless OK, *why says what was
 * wrong (static, or in the arena). */
enum fb_contexted fb_context_build(const struct fb_action *action, const struct fb_http_request *request,
                                   const struct fb_token_facts *token, const struct fb_geo *geo,
                                   struct fb_arena *arena, struct fb_value *context, struct fb_span *why);

#endif
