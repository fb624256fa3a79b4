/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_ENGINE_ORACLE_H
#define FB_TESTS_ENGINE_ORACLE_H

#include "engine/engine.h"

/* A second evaluator, straight from the trees and as slow as it likes: sugar is removed on the way
 * by Cedar's own definitions, membership is a search through parents, `like` tries everything,
 * equality compares each with each.  It shares no code with src/engine. */

struct oracle {
    const struct fb_request *request;
    struct fb_arena *arena;
};

/* True with a value, false in error. */
bool oracle_eval(const struct oracle *oracle, const struct fb_expr *expr, struct fb_value *value);
bool oracle_equal(struct fb_value a, struct fb_value b);

/* 'T', 'F' or 'E': a policy, by the trees of its scope and conditions.  `link` may be NULL. */
char oracle_policy(const struct oracle *oracle, const struct fb_policy *policy, const struct fb_link *link);

#endif
