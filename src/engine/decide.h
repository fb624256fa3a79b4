/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENGINE_DECIDE_H
#define FB_ENGINE_DECIDE_H

#include "engine/eval.h"

/* --- candidates.c: candidates of a request, ascending, none twice ------------------------------ */

#define FB_CANDIDATE_LISTS 16u

struct fb_run {
    const uint32_t *at, *end;
};

/* In this order, so that numbers ascend: */
struct fb_candidates {
    struct fb_run now;                          /* one list, as it stands */
    /* Static policies by action, from several lists; … */
    struct fb_run runs[FB_CANDIDATE_LISTS];
    uint32_t runs_count;
    /* … each rule of a range, where the action has too many ancestors for the lists above, or they are not
     * closed, or nothing is known that would find a link; … */
    uint32_t next, end;
    /* … those found by their scopes. */
    struct fb_run found;
    bool found_proven, proven;                  /* scopes hold, the action's too: of those found; of the last one */
    const struct fb_program *program;
    const struct fb_index *index;
};

/* `unknown`: 1 << enum fb_var of the principal and resource that may be any of their type.  Known ones must be
 * what the request says, entities too.  False: e->cannot. */
bool fb_candidates_init(struct fb_candidates *candidates, const struct fb_program *program, struct fb_eval *e,
                        uint8_t unknown);
/* The same by action alone. */
bool fb_candidates_by_action(struct fb_candidates *candidates, const struct fb_program *program, struct fb_eval *e);
/* Of these the static policies; with `firsts`, those that are not the first of their group may be left out. */
bool fb_candidates_static(struct fb_candidates *candidates, const struct fb_program *program, struct fb_eval *e,
                          bool firsts);
uint32_t fb_candidates_more(struct fb_candidates *candidates, struct fb_eval *e);
/* The next rule whose action matches; UINT32_MAX when there is none, or when e->cannot. */
static inline uint32_t fb_candidates_next(struct fb_candidates *candidates, struct fb_eval *e)
{
    return candidates->now.at < candidates->now.end ? *candidates->now.at++ : fb_candidates_more(candidates, e);
}
/* These rules as what an action concerns.  False without memory. */
bool fb_concern(const struct fb_program *program, const uint32_t *rules, uint32_t count, struct fb_arena *arena,
                struct fb_concerned *concerned);
/* The action's scope of a policy against the request. */
enum fb_found fb_action_matches(struct fb_eval *e, const struct fb_scope *scope);

/* --- scope.c: rows found by whom they name ------------------------------------------------------ */

struct fb_sought {
    const struct fb_program *program;
    const struct fb_rows *rows;
    uint32_t base;          /* added to the numbers of rows */
    uint8_t unknown;        /* as above */
    uint64_t enough_proven, enough_some;        /* more rows than so many are too many, for the result below */
    uint64_t enough_walked;                     /* … and of those that pairs lead to, whatever their action is */
};
enum fb_gathered {
    FB_GATHER_CANNOT,
    FB_GATHER_COSTLY,       /* nothing known finds few: *numbers is as it was */
    FB_GATHER_SOME,         /* scopes hold as far as they are known */
    FB_GATHER_PROVEN        /* all scopes hold */
};
struct fb_numbers {
    uint32_t *list;
    size_t count, capacity;
};
/* Adds the rows that may match, ascending. */
enum fb_gathered fb_gather(struct fb_eval *e, const struct fb_sought *sought, struct fb_numbers *numbers);
/* Calls `meet` for each row that names on a known side what the request is or is under, whose types fit, and that is
 * not the first of its group; perhaps twice.  `unmet`: sides that cannot hold.  False from `meet`: e->cannot.  PROVEN
 * or SOME when that is done. */
typedef bool fb_meet(void *self, uint32_t number, uint32_t form, uint32_t unmet);
enum fb_gathered fb_meet_named(struct fb_eval *e, const struct fb_sought *sought, fb_meet *meet, void *self);
void fb_numbers_sort(uint32_t *list, size_t count);
bool fb_numbers_add(struct fb_eval *e, struct fb_numbers *numbers, uint32_t number);

/* --- pairs.c: the same by pairs, where both sides are known and name few --------------------------- */

/* COSTLY: they are not few, and nothing has been added; `many`: nor are their rows, so that no other way is better.
 * Else PROVEN or CANNOT. */
enum fb_gathered fb_gather_pairs(struct fb_eval *e, const struct fb_sought *sought, struct fb_numbers *numbers,
                                 bool *many);

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
