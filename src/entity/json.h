/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENTITY_JSON_H
#define FB_ENTITY_JSON_H

#include "entity/entity.h"

/* An entity's attributes or tags from JSON: an object whose keys are never escapes.  Internal to
 * entity; the rest of value_json.c is declared in entity.h. */

enum fb_fields { FB_FIELDS_ATTRS, FB_FIELDS_TAGS };

/* The object's first event has been taken.  On a fault the reader's error is set. */
bool fb_fields_read_json(struct fb_json *json, struct fb_arena *arena, const struct fb_value_hints *hints,
                         enum fb_fields which, struct fb_span entity_type, struct fb_value *record);

#endif
