/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_FUZZ_WORLD_H
#define FB_FUZZ_WORLD_H

#include "fuzz.h"

#include "engine/engine.h"

/* A few fixed entities and a context that random policies are decided on: users "a", "b", "c" (and "d",
 * who is missing) in groups, resources "r", "s" (and "t", missing). */
struct world {
    struct fb_entity_set *set;
    struct fb_entities entities;
    struct fb_request request;          /* U::"a", Action::"x", R::"r", the context */
    const struct fb_uid *users[4], *resources[3], *actions[2];
};

void world_init(struct world *world, struct fb_arena *arena);

/* Policies from a text, its templates linked; NULL where the text is wrong, or or where the oracle,
 * which tries every way of matching a pattern, would take too long. */
struct fb_policy_set *world_policies(struct fb_arena *arena, struct fb_span text);
/* Must be: a set that was read can be compiled. */
const struct fb_program *world_program(struct fb_arena *arena, const struct fb_policy_set *set);

#endif
