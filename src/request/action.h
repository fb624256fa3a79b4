/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REQUEST_ACTION_H
#define FB_REQUEST_ACTION_H

#include "request/annotation.h"
#include "request/request.h"

/* What the schema says of an action beside its routes: who is nobody, account states, disclosure,
 * context.  One struct fb_action per action of the schema, in its order; NULL without memory.
 * Faults are reported to `diags`. */
struct fb_action *fb_actions_read(struct fb_arena *arena, const struct fb_schema *schema, struct fb_diags *diags);

/* The plan for a context type: what to build, in which order.  Faults name attributes that no
 * request has, of wrong types, or required though a request may lack them.  `*wants` gets
 * FB_WANTS_…  NULL after a fault or without memory. */
const struct fb_context_plan *fb_context_plan_new(struct fb_arena *arena, const struct fb_schema_action *action,
                                                  uint8_t *wants, struct fb_diags *diags);

/* Do both build the same? */
bool fb_context_plan_eq(const struct fb_context_plan *a, const struct fb_context_plan *b);

/* Sets `conceal` of the actions that have `@conceal`. */
void fb_conceal_read(struct fb_action *actions, uint32_t count, struct fb_arena *arena, struct fb_diags *diags);

/* The annotation of an action. */
struct fb_annotated fb_action_annotated(const struct fb_schema_action *action, const char *key,
                                        struct fb_diags *diags);

#endif
