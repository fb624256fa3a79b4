/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_CONFORM_H
#define FB_CEDAR_CONFORM_H

#include "cedar/schema.h"

/* Requests and entities held against a schema: what Cedar calls request validation and entity
 * conformance.  A fault is a diagnostic (`request.invalid`, `entities.invalid`) that names the entity
 * and the path within it; values do not know their places, so `source`, which may be NULL, is named in
 * the message.  The verdicts are those of the official engine 4.13. */

/* The action is declared; principal and resource are of types that it applies to; ids of enum entities
 * are listed; the context has what the action says and nothing more. */
bool fb_conform_request(const struct fb_schema *schema, const struct fb_uid *principal, const struct fb_uid *action,
                        const struct fb_uid *resource, struct fb_value context, const struct fb_source *source,
                        struct fb_diags *diags);
/* A context alone. */
bool fb_conform_context(const struct fb_schema *schema, const struct fb_uid *action, struct fb_value context,
                        const struct fb_source *source, struct fb_diags *diags);

/* Every entity: its type is declared; attributes and tags have their types, none is missing, none too
 * many; parents are of types that may be above it; ids of enum entities are listed.  An action must be
 * the schema's: no attributes, no tags, and the groups that it has within the set must be all of its
 * groups.  So call it before the schema's own actions are added.  All entities at fault are reported,
 * one fault each. */
bool fb_conform_entities(const struct fb_schema *schema, const struct fb_entity_set *entities,
                         const struct fb_source *source, struct fb_arena *scratch, struct fb_diags *diags);

#endif
