/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUARD_SECRET_H
#define FB_GUARD_SECRET_H

#include "guard/steps.h"

/* Secret actions.  Private to src/guard/.
 *
 *   secrets.c   which they are, found when a directory is loaded
 *   secret.c    what they answer */

struct fb_secret {
    const struct fb_action *viewing;        /* `@conceal`: who may do this may know; NULL: not said */
    bool by_forbid;                         /* a `@conceal` forbid may hit it */
    const struct fb_uid **stand_ins;        /* by resource type: one that the directory holds, or NULL */
};

static inline bool fb_secret_is(const struct fb_secret *secret)
{
    return secret->viewing != NULL || secret->by_forbid;
}

/* Fills in policies->secrets, conceals and any_secret; faults where a forbid would conceal what is the upstream's to
 * know.  False without memory. */
bool fb_secrets_find(struct fb_policies *policies, struct fb_diags *diags);
/* A note at each action that is not secret, by which somebody learns whether a resource exists. */
void fb_secrets_note(const struct fb_policies *policies, struct fb_diags *diags);

/* The secret that the request is about, once its action and resource are known; NULL: none. */
const struct fb_secret *fb_case_secret(const struct fb_case *c);
/* Rows 3 to 8 for a client that is signed in. */
void fb_secret_answer(struct fb_case *c, const struct fb_secret *secret);
/* The concealing forbid that hit by c->decision, or erred; false: none. */
bool fb_secret_concealing(const struct fb_case *c, uint32_t *policy);
/* c->decision of the anonymous client; false: answered, with 503. */
bool fb_secret_decide_anonymous(struct fb_case *c, const struct fb_secret *secret, bool *within);

#endif
