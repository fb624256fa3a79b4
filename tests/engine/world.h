/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_ENGINE_WORLD_H
#define FB_TESTS_ENGINE_WORLD_H

#include "engine/engine.h"

/* What most tests of the engine stand on: a store and a context from JSON, policies and expressions
 * from text.  A fault in a test's own text prints its diagnostics and ends the test. */
struct world {
    struct fb_arena arena;          /* what stays */
    struct fb_arena scratch;        /* cleared by the tests as they like */
    struct fb_entity_set *set;
    struct fb_entities entities;
    struct fb_value context;
    struct fb_request request;      /* U::"a", Action::"x", R::"r", the context, the store */
};

void world_init(struct world *world);
void world_release(struct world *world);
/* {"entities": […], "context": {…}} from a file of tests/engine/cases. */
void world_read(struct world *world, const char *name);
/* A file of tests/engine/cases, in the arena. */
struct fb_span world_file(struct world *world, const char *name);

const struct fb_uid *world_uid(struct world *world, const char *text);
struct fb_value world_json(struct world *world, struct fb_span text);
void world_entities(struct world *world, struct fb_span json, const struct fb_value_hints *hints);
/* NULL where the text is wrong and `may_fail`. */
const struct fb_expr *world_expr(struct world *world, struct fb_span text, bool may_fail);
struct fb_policy_set *world_policies(struct world *world, struct fb_span text);
struct fb_program *world_program(struct world *world, const struct fb_policy_set *set);

/* The next line of *text, without its end; false at the end. */
bool world_line(struct fb_span *text, struct fb_span *line);
/* Cuts the next word off *line (separated by spaces); empty at the end. */
struct fb_span world_word(struct fb_span *line);

#endif
