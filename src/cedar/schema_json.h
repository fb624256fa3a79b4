/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_SCHEMA_JSON_H
#define FB_CEDAR_SCHEMA_JSON_H

#include "cedar/schema_resolve.h"

/* The other forms of a schema as it was written.  Not for other parts.
 *
 *   schema_json.c    JSON → tree
 *   schema_write.c   tree → JSON
 *   schema_print.c   tree → Cedar syntax */

/* The namespaces of a JSON schema.  NULL after the first fault, which is reported. */
const struct fb_tree_namespace *fb_schema_parse_json(struct fb_arena *arena, const struct fb_source *source,
                                                     struct fb_diags *diags);
/* `names`: the resolver that has resolved the schema, if names are to be written as what they mean. */
void fb_tree_write_json(struct fb_buffer *out, const struct fb_tree_namespace *spaces, struct fb_resolver *names);
void fb_tree_print(struct fb_buffer *out, const struct fb_tree_namespace *spaces, struct fb_resolver *names);

#endif
