/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUARD_GUARD_H
#define FB_GUARD_GUARD_H

#include "engine/engine.h"
#include "identity/identity.h"
#include "refusal/refusal.h"
#include "request/request.h"
#include "store/store.h"

/* guard: the steps of one request, in order; the only place that runs them.  The door of
 * src/guard/.  nginx, the doors and the command line all call fb_guard_decide().
 *
 *   target → route → credential → account → decision → answer
 *
 * Processes.  A policy directory, issuers and a geo file are loaded once (nginx: in the master,
 * while it parses its configuration) and are immutable, so workers share them copy-on-write.  A
 * `struct fb_guard` is made by each worker after the fork and holds what it alone uses: the arena of
 * decisions, the token cache, the store readers.  One thread. */

/* --- A policy directory, loaded as a whole ------------------------------------------------------- */
struct fb_policies;

/* Reads DIR: schema.cedarschema, *.cedar in byte order of their names, entities.json.  Files that
 * change while they are read are read again; half a checkout never serves.  Entities must conform to
 * the schema, policies must be valid in Cedar's strict mode (the validator's warnings are not
 * reported; docs/decisions/0006).  NULL when there is any error among `diags`.  The sources are read into the arena of `diags`, which diagnostics and policies
 * point into: it must outlive both. */
struct fb_policies *fb_policies_load(const struct fb_allocator *allocator, const char *dir, struct fb_diags *diags);
void fb_policies_free(struct fb_policies *policies);

/* The same for those who look closer than a server does: `check` and `validate`. */
struct fb_load_options {
    struct fb_validate_options validate;    /* the zero value: strict, as the server does */
    bool not_validated;                     /* take any: for tests of what is answered when policies err */
    bool unread;                            /* warn of files that nobody reads, and if there are no policies */
    bool told;                              /* note actions that tell whether a resource exists */
};
struct fb_policies *fb_policies_load_with(const struct fb_allocator *allocator, const char *dir,
                                          const struct fb_load_options *options, struct fb_diags *diags);
/* For `check` and `why`. */
const struct fb_schema *fb_policies_schema(const struct fb_policies *policies);
const struct fb_routes *fb_policies_routes(const struct fb_policies *policies);
const struct fb_program *fb_policies_program(const struct fb_policies *policies);
const struct fb_entity_set *fb_policies_entities(const struct fb_policies *policies);
/* Must who may not know of a resource not learn of it from this action?  NULL: from any of them. */
bool fb_policies_secret(const struct fb_policies *policies, const struct fb_action *action);

/* --- What a location says ---------------------------------------------------------------------- */
enum fb_unmatched { FB_UNMATCHED_404, FB_UNMATCHED_403, FB_UNMATCHED_PASS };

struct fb_site {
    const struct fb_policies *policies;
    const struct fb_issuers *issuers;       /* NULL: no bearer tokens are accepted */
    const struct fb_geo *geo;               /* NULL: no country is known */
    const char *store;                      /* directory, or NULL */
    size_t store_map;                       /* bytes of address space for it; 0: 64 GiB.  The first to open it says */
    /* How much is told, to clients that are signed in and to those that are not.  Where the location
     * itself says it (`stated`), an action's `@disclose` can lower it; else `@disclose` replaces it. */
    enum fb_level disclose, disclose_anonymous;
    bool disclose_stated;
    enum fb_unmatched unmatched;
    bool preflights;                        /* of scripts are answered here: row 0 */
    unsigned retry_after;                   /* seconds, of a 503; 0: 1 */
    struct fb_span realm;
    /* As a protected resource (RFC 9728): its identifier, and where its metadata is, whole and as a path.  Empty:
     * it is none. */
    struct fb_span resource, metadata_uri, metadata_path;
};

/* What only shows when the parts meet: an issuer's principal type that the schema does not have, two
 * issuers that mint one type without prefixes, a rule on the country without a geo file, … */
bool fb_site_check(const struct fb_site *site, struct fb_diags *diags);
/* Does an issuer of the site take tokens with proofs (RFC 9449)? */
bool fb_site_proves(const struct fb_site *site);
/* The challenges of a 401 there: each scheme and realm that its issuers take tokens by.  In the arena; none without
 * issuers or memory. */
const struct fb_offer *fb_site_offers(const struct fb_site *site, struct fb_arena *arena, size_t *count);
/* What its metadata says; spans into the site, lists in the arena.  False without memory. */
bool fb_site_describe(const struct fb_site *site, struct fb_arena *arena, struct fb_metadata *metadata);

/* --- A worker --------------------------------------------------------------------------------------- */
struct fb_guard;

/* A guard opens so many stores; decisions on a further one are refused with 503. */
#define FB_GUARD_STORES_MAX 8u

struct fb_guard_options {
    const struct fb_allocator *allocator;
    size_t arena_bytes;                     /* ceiling of one decision; 0: 4 MiB */
    uint32_t tokens;                        /* entries of the token cache; 0: 16384 */
    struct fb_replays *replays;             /* proofs that were used, shared by workers (identity); NULL: its own */
    _Atomic uint32_t *crashes;              /* of this worker's slot, in shared memory (store.h), or NULL */
};

struct fb_guard *fb_guard_new(const struct fb_guard_options *options);
void fb_guard_free(struct fb_guard *guard);

/* The outcome of one request.  The zero value refuses.  `action` and `refusal.reason` live as long as
 * the policies, whatever else it points to until fb_guard_release(). */
struct fb_answer {
    bool forward;                           /* the request may go through */
    bool preflighted;                       /* neither: a script asks first, and `preflight` says what it is told */
    struct fb_preflight preflight;
    struct fb_refusal refusal;              /* else: status, reason, what may be told */
    /* for logs, variables and identity fields; NULL or empty where a step was not reached */
    const struct fb_uid *principal, *action, *resource;
    bool anonymous;                         /* no valid credential was presented */
    bool secret;                            /* of a secret action: when a refusal leaves must not tell what it took */
    bool hidden;                            /* the 404 is one of a resource that is there; for the operator alone */
    const uint32_t *policies;               /* determining, or nearest, by program index */
    uint32_t policies_count;
    bool proof_used;                        /* the request's proof was good, and will not be again for another one */
    bool fault;                             /* a policy erred, a store was gone: for the error log */
    struct fb_span fault_text;
};

/* Decides.  Always fills *answer, whatever fails: then with 503.  `request` and `site` must outlive
 * the release. */
void fb_guard_decide(struct fb_guard *guard, const struct fb_site *site, const struct fb_http_request *request,
                     struct fb_answer *answer);
/* The identity step alone (target and route untouched), for variables that are asked for before the
 * access phase.  NULL: nobody. */
const struct fb_uid *fb_guard_identify(struct fb_guard *guard, const struct fb_site *site,
                                       const struct fb_http_request *request);
/* Ends the decision: resets the store's snapshot, clears the arena. */
void fb_guard_release(struct fb_guard *guard);
/* Memory of the current decision, for rendering its answer before the release. */
struct fb_arena *fb_guard_arena(struct fb_guard *guard);

/* Everything that `why` shows: the steps, and for each policy that mattered its clauses. */
#define FB_WHY_MAX 16u
struct fb_why {
    struct fb_answer answer;
    const struct fb_route *route;           /* NULL: none matched */
    struct fb_request request;              /* as it was evaluated last */
    bool evaluated;                         /* the policies were asked at all */
    bool unknown_principal, unknown_resource;   /* with these unknown */
    struct fb_unknowns unknowns;            /* the same with all the rest that was, as the policies below were asked */
    const struct fb_span *concealing;       /* of a hidden one: the id of the `@conceal` forbid that hit or erred; or NULL */
    /* Policies that mattered, in the order of fb_explain_decision(): those that decided; then, where it is
     * forwarded, forbids that did not hold, else forbids that may block and the permits that came nearest. */
    struct fb_explanation policies[FB_WHY_MAX];
    size_t policies_count;
};

/* A client as an operator imagines it: `why --as` asks for somebody whose token nobody has.  Stands
 * in place of the request's credentials, which are not read; everything after the identity step is as
 * for a valid bearer token that says no more than this (its issuer is empty). */
struct fb_assumed {
    const struct fb_uid *principal;         /* not NULL */
    const struct fb_span *scopes;
    size_t scopes_count;
    const struct fb_uid *const *parents;    /* what a token's claims would add: roles */
    size_t parents_count;
};

/* `assumed` may be NULL: then the request's own credentials count.  As with fb_guard_decide(), what
 * *why points to lives until fb_guard_release(). */
void fb_guard_why(struct fb_guard *guard, const struct fb_site *site, const struct fb_http_request *request,
                  const struct fb_assumed *assumed, struct fb_why *why);

/* --- Lists ----------------------------------------------------------------------------------------
 * Which resources of a type may this principal, and which principals may this resource: by the policies,
 * account states and the types that the action accepts; of what directory and store hold. */
struct fb_guard_list {
    const struct fb_uid *principal, *resource;  /* NULL: the one asked for */
    const struct fb_uid *action;
    struct fb_span type;                        /* of those asked for */
    struct fb_value context;                    /* a record */
    const struct fb_uid *const *parents;        /* what a token's claims would add to the principal: roles */
    size_t parents_count;
    const struct fb_uid *after;                 /* as in fb_list_query */
    uint32_t limit, visits;
};

enum fb_guard_listed {
    FB_LISTED,              /* *why: empty, or what made it look at every entity: "the store has no index" */
    FB_LISTED_ACCOUNT,      /* nothing: the principal's account is not open, *why: "suspended", …, "unknown" */
    FB_LISTED_CANNOT        /* *why: a sentence */
};

/* One page, in one snapshot; good until fb_guard_release(). */
enum fb_guard_listed fb_guard_list(struct fb_guard *guard, const struct fb_site *site, const struct fb_guard_list *list,
                                   struct fb_list_page *page, const char **why);

#endif
