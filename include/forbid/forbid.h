/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORBID_FORBID_H
#define FORBID_FORBID_H

/* libforbid: decisions by Cedar policies, in C.  This header includes those above `here`.
 *
 *   types.h      forbid_errors     why a text was not accepted
 *                forbid_string     a text that the library made
 *   schema.h     forbid_schema     what there can be                  immutable; any number of threads may use one
 *   policies.h   forbid_policies   parsed and compiled policies       likewise
 *                forbid_links      template links that come and go    readers, or one writer
 *   entities.h   forbid_entities   who and what there is              immutable
 *   here         forbid_decider    the workspace of one thread        one call at a time
 *   batch.h      many requests in one call of a decider
 *   explain.h    forbid_explanation    why a decision is as it is     immutable
 *   lists.h      forbid_lister     who may, and on what               one call at a time
 *   advise.h     (of its own) what a client may do about an answer
 *
 * Each is made with an allocator (NULL: malloc), which must outlive it, and freed by its own free
 * function, which takes NULL too.  Policies, entities, schemas and links must outlive the deciders and requests
 * that use them.  No function keeps a pointer to a text that it is given, sets a global, writes to
 * standard error, jumps or aborts.  Texts are UTF-8 with their length; no terminator is needed.
 * A function that may fail returns a status, and what it makes is NULL unless that is FORBID_OK.
 *
 * Decisions are Cedar's, exactly (language 4.5): a policy that errs is skipped and reported. */

#include <forbid/entities.h>
#include <forbid/policies.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Decisions --------------------------------------------------------------------------------------- */

/* Zero it, set `size`, fill it in. */
struct forbid_request {
    size_t size;                                    /* sizeof(struct forbid_request) */
    struct forbid_text principal, action, resource; /* Cedar text: `User::"alice"` */
    struct forbid_text context;                     /* a JSON object; empty: {} */
    const forbid_entities *entities;                /* NULL: none */
    const forbid_schema *schema;                    /* the context is read by its types, and the request must be
                                                     * one that it allows; NULL: any request */
    const forbid_links *links;                      /* of the decider's policies, instead of their own; or NULL */
};

struct forbid_policy_error {
    struct forbid_text policy, message;             /* the policy's id, or the link's; why it erred */
    struct forbid_text source;                      /* the name of the policy's text */
    size_t start, end;                              /* bytes of the expression in it */
};

/* The zero value is a deny.  Set `size` before the call. */
struct forbid_decision {
    size_t size;                                    /* sizeof(struct forbid_decision) */
    int allow;
    const struct forbid_text *reasons;              /* ids of the determining policies */
    size_t reasons_count;
    const struct forbid_policy_error *errors;       /* policies that erred */
    size_t errors_count;
};

typedef struct forbid_decider forbid_decider;
/* `memory`: bytes that one decision may take at the most; 0: 4 MiB.  NULL without memory. */
FORBID_API forbid_decider *forbid_decider_new(const struct forbid_allocator *allocator,
                                              const forbid_policies *policies, size_t memory);
FORBID_API void forbid_decider_free(forbid_decider *decider);

/* Decides.  Anything but FORBID_OK leaves a deny in *decision.  What *decision and *errors point to is
 * valid until the next call with this decider; *errors, if `errors` is not NULL, is its own and not
 * to be freed. */
FORBID_API enum forbid_status forbid_authorize(forbid_decider *decider, const struct forbid_request *request,
                                               struct forbid_decision *decision, const forbid_errors **errors);

/* --- Expressions --------------------------------------------------------------------------------------- */

/* The value of one expression, as Cedar's JSON (`__entity`, `__extn`).  `request` may be NULL, or leave out
 * what the expression does not ask for; a whole request with a schema must conform.  FORBID_INVALID if it
 * does not parse, asks for what is not there, or errs ("evaluate.error"). */
FORBID_API enum forbid_status forbid_evaluate(const struct forbid_allocator *allocator, struct forbid_text name,
                                              struct forbid_text expression, const struct forbid_request *request,
                                              forbid_string **json, forbid_errors **errors);

#ifdef __cplusplus
}
#endif

#endif
