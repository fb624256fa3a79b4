/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENGINE_EXPLAINER_H
#define FB_ENGINE_EXPLAINER_H

#include "engine/unknown.h"

/* What explanations share.  Private to the engine: explain.c explains one policy, nearest.c finds those
 * that say most. */
struct fb_explainer {
    struct fb_surmise s;
    const struct fb_program *program;
    bool values;
};

void fb_explainer_init(struct fb_explainer *x, const struct fb_program *program, const struct fb_request *request,
                       const struct fb_unknowns *unknowns, bool values, struct fb_arena *arena);
bool fb_explain_rule(struct fb_explainer *x, uint32_t number, struct fb_explanation *explanation);
/* Of a candidate, whose action matches: how many clauses are unmet, as far as that is less than `enough`;
 * and what the policy may come to, valid if all were looked at. */
bool fb_count_unmet(struct fb_explainer *x, const struct fb_rule *rule, uint32_t enough, uint32_t *count,
                    uint8_t *outcomes);

/* Of its scope alone; of the conditions of a form, which all of its rows share. */
bool fb_count_unmet_scope(struct fb_explainer *x, const struct fb_rule *rule, uint32_t enough, uint32_t *count,
                          uint8_t *outcomes);
bool fb_count_unmet_conditions(struct fb_explainer *x, const struct fb_form *form, uint32_t *count, uint8_t *outcomes);

static inline bool fb_clause_unmet(const struct fb_clause *clause)
{
    return (clause->outcomes & FB_CAN_TRUE) == 0;
}

#endif
