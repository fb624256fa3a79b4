/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORBID_BATCH_H
#define FORBID_BATCH_H

/* Many requests decided in one call. */

#include <forbid/forbid.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Set `size` before the call. */
struct forbid_batch_answer {
    size_t size;                        /* sizeof(struct forbid_batch_answer) */
    enum forbid_status status;          /* of this request */
    struct forbid_decision decision;    /* a deny unless the status is FORBID_OK */
    const forbid_errors *errors;        /* why it is FORBID_INVALID, else NULL; not to be freed */
};

/* Decides `count` requests; answers[i] is of requests[i].  A request that is at fault, or takes more memory than
 * the decider has for one, is answered so by itself and stops no other.  Each is decided exactly as
 * forbid_authorize() would; what a request has in common with the one before it (principal, action, resource,
 * context, to the byte) is read once, so sort them by what they share.
 *
 * FORBID_OK: every request has its answer.  FORBID_NO_MEMORY: at some point there was none for answers, and
 * those from there on say so.  FORBID_MISUSE: nothing was decided, and no answer was written.
 * Answers are valid until the next call with this decider. */
FORBID_API enum forbid_status forbid_authorize_batch(forbid_decider *decider, const struct forbid_request *requests,
                                                     size_t count, struct forbid_batch_answer *answers);

#ifdef __cplusplus
}
#endif

#endif
