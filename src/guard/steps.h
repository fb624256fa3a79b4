/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUARD_STEPS_H
#define FB_GUARD_STEPS_H

#include "guard/loaded.h"

/* One request on its way through the guard.  Private to src/guard/.
 *
 *   decide.c       the steps in order
 *   credentials.c  fields → none, bad or valid credentials, the principal
 *   possession.c   tokens that are bound to a key or a certificate
 *   offers.c       which challenges go with a refusal
 *   view.c         entities as this request sees them: directory, store, token
 *   could.c        what could be allowed with something unknown
 *   cures.c        what policies ask of a token, found when they are loaded
 *   cure.c         another token of the same account: scopes, step-up
 *   secrets.c      which actions are secret, found when they are loaded
 *   secret.c       what a secret action answers (secret.h)
 *   reason.c       which refusal it is, and what may be told of it */

struct fb_guard {
    struct fb_guard_options options;
    struct fb_arena arena;
    struct fb_tokens *tokens;
    struct fb_replays *replays;             /* NULL until a proof is used, where the options have none */
    void *own_replays;
    struct {
        const char *dir;
        struct fb_store_reader *reader;
    } stores[FB_GUARD_STORES_MAX];
    size_t stores_count;
};

/* Frees what its own memory of proofs took. */
void fb_guard_forget_proofs(struct fb_guard *guard);
/* The reader of the site's store, made at its first use.  NULL without memory, or beyond the limit. */
struct fb_store_reader *fb_guard_store(struct fb_guard *guard, const struct fb_site *site);

/* Entities of the directory over those of the store, the principal with the parents that its token
 * brings. */
struct fb_view {
    const struct fb_policies *policies;
    struct fb_entities directory, store;
    const struct fb_store_reader *reader;   /* of `store` */
    bool has_store;
    const struct fb_uid *overlaid;          /* this uid is `overlay`; or NULL */
    struct fb_entity overlay;
    struct fb_entity held[2];               /* those whose existence was asked for last */
    size_t held_count;
};
void fb_view_init(struct fb_view *view, const struct fb_policies *policies, const struct fb_store_reader *reader);
struct fb_entities fb_view_entities(const struct fb_view *view);
/* Adds parents to one entity, which need not exist.  False without memory, or when it cannot be read. */
bool fb_view_add_parents(struct fb_view *view, const struct fb_uid *uid, const struct fb_uid *const *parents,
                         size_t count, struct fb_arena *arena);
/* Of a type whose existence is ours: is it held?  Of another type: FB_FOUND.  *entity is what policies
 * then see, so that they need not ask again, or NULL; it stays until two others have been asked for. */
enum fb_found fb_view_holds(struct fb_view *view, const struct fb_uid *uid, const struct fb_entity **entity);
/* The same of a type whose existence is ours, for where it must cost the same whether it is held or not.
 * FB_ABSENT: *uid and *entity become another of its type, `stand_in` where the directory holds the type, else
 * one that the store holds beside it; or stay as they were, with *entity NULL, where there is none. */
enum fb_found fb_view_near(struct fb_view *view, const struct fb_uid *stand_in, const struct fb_uid **uid,
                           const struct fb_entity **entity);

enum fb_credentials { FB_CREDENTIALS_NONE, FB_CREDENTIALS_BAD, FB_CREDENTIALS_VALID };

struct fb_case {
    struct fb_guard *guard;
    const struct fb_site *site;
    const struct fb_http_request *http;
    struct fb_answer *answer;
    struct fb_arena *arena;
    const struct fb_assumed *assumed;       /* in place of credentials, or NULL */
    const struct fb_action *action;         /* NULL until the route is known */
    struct fb_store_reader *reader;         /* NULL: the site has no store */
    struct fb_entities entities;
    /* credentials */
    enum fb_credentials credentials;
    enum fb_token_status token;             /* of a bad one */
    enum fb_scheme scheme;                  /* that they are of, or have to be */
    bool proof_refused;                     /* bad for its proof, not for its token */
    bool identifying;                       /* before the decision, which will use the proof */
    struct fb_bearer bearer;
    /* the decision */
    struct fb_request request;
    struct fb_decision decision;
    enum fb_account_state account;          /* of a client that is signed in */
    bool evaluated;
    struct fb_unknowns unknowns;            /* with which the reason was found */
    /* Large, and not cleared: valid once they have been read. */
    struct fb_token_facts facts;            /* of valid credentials */
    struct fb_view view;
    struct fb_target target;
    struct fb_match match;
};

/* The Authorization field, if there is one that counts.  False: *answer is filled in. */
bool fb_case_read_credentials(struct fb_case *c);
/* A bearer token verified: credentials, principal, facts.  False: cannot (503). */
bool fb_case_verify(struct fb_case *c, struct fb_span token);
/* A token sent with the scheme DPoP, and its proof.  False: cannot. */
bool fb_case_verify_proved(struct fb_case *c, struct fb_span token);
/* The token as held with what is proved.  Sets c->token, c->bearer. */
void fb_case_hold(struct fb_case *c, struct fb_span token, struct fb_span key);
/* The number of fields of that name and the value of the first. */
unsigned fb_case_field(const struct fb_case *c, const char *name, struct fb_span *value);
/* What c->token means for the case: its principal, if it is good.  False: cannot. */
bool fb_case_take_token(struct fb_case *c);
/* The parents that the token brings (or that are assumed).  False: cannot. */
bool fb_case_add_parents(struct fb_case *c);

bool fb_case_accepts_type(const struct fb_case *c, const struct fb_uid *principal);

/* Could it be allowed with these unknown (NULL: none, and then it says whether it is), every forbid that may err
 * taken for one that hits?  False: cannot. */
bool fb_case_could(struct fb_case *c, const struct fb_request *request, const struct fb_unknowns *unknowns, bool *could);
/* Of the token: scope, acr, amr and authTime unknown together; scope alone; the other three.  The resource too? */
struct fb_unknowns fb_unknown_token(bool resource);
struct fb_unknowns fb_unknown_scope(bool resource);
struct fb_unknowns fb_unknown_sign_in(bool resource);

/* Could a client without valid credentials be allowed as somebody else?  (Row 5.)  False: cannot. */
bool fb_could_anybody(struct fb_case *c, bool *could);
/* Could this principal be allowed on some resource of the type?  (Row 7.) */
bool fb_could_somewhere(struct fb_case *c, bool *could);

/* Of a refusal with a challenge: all that this API accepts, with what is wrong told to the kind that was presented; or,
 * for a cure, that kind alone. */
void fb_case_offer(struct fb_case *c, bool cure);
/* Fills in answer->refusal.  The rest of the answer stays. */
void fb_refuse(struct fb_case *c, unsigned status, enum fb_reason reason);
/* 503, with what the log should say. */
void fb_refuse_cannot(struct fb_case *c, const char *fault);
/* Row 6: a challenge, if another token of this account could be allowed; with `anywhere` on some resource.  False:
 * none could. */
bool fb_refuse_curable(struct fb_case *c, bool anywhere);
/* Row 8: 403 with the reason of the forbid that matched, else of the nearest permit. */
void fb_refuse_by_policies(struct fb_case *c);
/* Row 3 and row 4 by c->decision, and an allow in which a forbid erred.  True: answered. */
bool fb_case_conclude_allow(struct fb_case *c);
bool fb_case_conclude_refusal(struct fb_case *c);
bool fb_case_forbid_erred(const struct fb_case *c, uint32_t *policy);
/* For the log: what erred. */
void fb_case_tell_fault(struct fb_case *c, uint32_t policy);
/* Row 4. */
void fb_refuse_legal(struct fb_case *c, uint32_t policy);
/* How much may be told. */
enum fb_level fb_case_level(const struct fb_case *c);
void fb_case_name_policies(struct fb_case *c, const uint32_t *list, uint32_t count);
void fb_case_run(struct fb_case *c);

#endif
