/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORBID_EXPLAIN_H
#define FORBID_EXPLAIN_H

/* Why a decision is as it is, clause by clause.
 *
 *   forbid_explanation *why;
 *   if (forbid_explain(NULL, policies, &request, 0, &why, NULL) == FORBID_OK) {
 *       fputs(forbid_explanation_text(why).ptr, stderr);
 *       forbid_explanation_free(why);
 *   }
 *
 * It evaluates every clause of every policy that the action and the types concern, so it is for who asks why,
 * not for each request; forbid_authorize() does nothing of it. */

#include <forbid/forbid.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a policy or a clause came to. */
enum forbid_outcome { FORBID_FALSE = 0, FORBID_TRUE = 1, FORBID_ERRED = 2 };

/* The scope's three elements; then each `when` split at its top `&&`, each `unless` at its top `||`. */
enum forbid_clause_part {
    FORBID_PART_PRINCIPAL = 0, FORBID_PART_ACTION, FORBID_PART_RESOURCE, FORBID_PART_WHEN, FORBID_PART_UNLESS
};

/* Something that a clause read. */
struct forbid_operand {
    struct forbid_text text;            /* as the policy writes it: `resource.owner` */
    struct forbid_text value;           /* Cedar text: `User::"bob"`; cut with an ellipsis at 100 columns */
    struct forbid_place place;
};

struct forbid_clause {
    enum forbid_clause_part part;
    enum forbid_outcome outcome;        /* of an `unless`: of its negation, so that TRUE is met */
    const char *about;                  /* "not_owner", "insufficient_role", …, "policy_denied" */
    struct forbid_text text;
    struct forbid_place place;
    const struct forbid_operand *operands;
    size_t operands_count;
    struct forbid_text error;           /* why it erred; or empty */
    struct forbid_place error_place;    /* of the expression that did */
};

struct forbid_explained_policy {
    struct forbid_text id;
    int permits;                        /* a permit; else a forbid */
    enum forbid_outcome outcome;
    size_t unmet;                       /* clauses that are not met */
    struct forbid_place place;
    const struct forbid_clause *clauses;    /* elements of the scope that constrain nothing are left out */
    size_t clauses_count;
    const struct forbid_clause *decisive;   /* the first that is not met; NULL if all are, for a permit */
};

/* Depends on nothing; immutable, any number of threads may read. */
typedef struct forbid_explanation forbid_explanation;

/* Decides the request and explains the decision by at most `max` policies (0: 8; 64 at the most), in this order:
 *   allowed   the permits that hold; forbids that err; forbids that do not hold
 *   denied    the forbids that hold; forbids that err; then permits, those with the fewest unmet clauses first
 * and among equals in the order of the text.  On FORBID_OK *explanation is the caller's; else it is NULL and
 * *errors, if `errors` is not NULL, is the caller's, or NULL if there is nothing to say. */
FORBID_API enum forbid_status forbid_explain(const struct forbid_allocator *allocator, const forbid_policies *policies,
                                             const struct forbid_request *request, size_t max,
                                             forbid_explanation **explanation, forbid_errors **errors);

/* The decision, as forbid_authorize() gives it; `size` is set. */
FORBID_API struct forbid_decision forbid_explanation_decision(const forbid_explanation *explanation);
FORBID_API size_t forbid_explanation_count(const forbid_explanation *explanation);
/* Beyond the last: a policy without an id. */
FORBID_API struct forbid_explained_policy forbid_explanation_at(const forbid_explanation *explanation, size_t index);
/* How many more there were of the same. */
FORBID_API size_t forbid_explanation_left_out(const forbid_explanation *explanation);
/* All of it for people, with source lines and the clauses underlined; all of it as one JSON object, as
 * `forbid authorize --explain --json` prints it.  A NUL stands behind each. */
FORBID_API struct forbid_text forbid_explanation_text(const forbid_explanation *explanation);
FORBID_API struct forbid_text forbid_explanation_json(const forbid_explanation *explanation);
FORBID_API void forbid_explanation_free(forbid_explanation *explanation);

#ifdef __cplusplus
}
#endif

#endif
