/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENGINE_DECIDE_H
#define FB_ENGINE_DECIDE_H

#include "engine/eval.h"

/* --- index.c: candidates of a request, ascending, none twice -------------------------------------- */

#define FB_CANDIDATE_LISTS 16u

struct fb_candidates {
    struct fb_run {
        const uint32_t *at, *end;
    } runs[FB_CANDIDATE_LISTS];
    uint32_t runs_count;
    /* Where the action has too many ancestors for the lists above, or they are not closed: every
     * rule is looked at. */
    bool all;
    uint32_t next;
    const struct fb_program *program;
};

/* False: the action's entity cannot be read (e->cannot). */
bool fb_candidates_init(struct fb_candidates *candidates, const struct fb_program *program, struct fb_eval *e);
uint32_t fb_candidates_merge(struct fb_candidates *candidates, struct fb_eval *e);
/* The next rule whose action matches; UINT32_MAX when there is none, or when e->cannot. */
static inline uint32_t fb_candidates_next(struct fb_candidates *candidates, struct fb_eval *e)
{
    struct fb_run *run = &candidates->runs[0];
    if (candidates->runs_count == 1 && !candidates->all)
        return run->at < run->end ? *run->at++ : UINT32_MAX;
    return fb_candidates_merge(candidates, e);
}
/* One rule's action scope against the request. */
enum fb_found fb_action_matches(struct fb_eval *e, const struct fb_rule *rule);

/* --- decide.c -------------------------------------------------------------------------------------- */

/* Can the rule match requests with these types at all? */
static inline bool fb_types_fit(const struct fb_rule *rule, const struct fb_request *request)
{
    return !(rule->principal_typed && rule->principal_type != request->principal->type_hash)
           && !(rule->resource_typed && rule->resource_type != request->resource->type_hash);
}

/* The scope of one variable against a known uid.  FB_BROKEN: e->cannot is set. */
enum fb_found fb_scope_matches(struct fb_eval *e, enum fb_scope_op op, struct fb_span type,
                               const struct fb_uid *bound, const struct fb_uid *uid);

#endif
