/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUARD_CURES_H
#define FB_GUARD_CURES_H

#include "guard/loaded.h"

/* What the policies about one action name of `token.scope`, `token.acr` and the age of a sign-in: the
 * candidates among which a cure is looked for.  Each is tried before it is named, so one too many costs a
 * try, and one too few a name. */
#define FB_CURES_MAX 16u

struct fb_cures {
    bool reads;                 /* some policy reads scope, acr, amr or authTime; else nothing cures */
    bool more;                  /* there were more than FB_CURES_MAX of a kind */
    bool vouched;               /* some permit has @acr or @max_age */
    struct fb_span scopes[FB_CURES_MAX], acrs[FB_CURES_MAX];    /* in the order of the policies */
    uint32_t ages[FB_CURES_MAX];                                /* seconds, ascending */
    uint32_t scopes_count, acrs_count, ages_count;
};

/* Fills in policies->cures, by the action's index; warns of policies whose cures cannot be named.  False without
 * memory. */
bool fb_cures_find(struct fb_policies *policies, struct fb_diags *diags);

#endif
