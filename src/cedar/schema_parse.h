/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_SCHEMA_PARSE_H
#define FB_CEDAR_SCHEMA_PARSE_H

#include "cedar/schema_tree.h"

/* Types and names of schemas, for the parser of declarations.  Not for other parts. */

void fb_tree_add_name(struct fb_parser *parser, struct fb_tree_names *names, struct fb_span text,
                      struct fb_range range);
/* An identifier that is not reserved; `expected` says what it names. */
void fb_tree_add_ident(struct fb_parser *parser, struct fb_tree_names *names, const char *expected);
/* A path.  False after a fault of syntax, and then nothing is skipped. */
bool fb_tree_parse_name(struct fb_parser *parser, const char *expected, struct fb_tree_name *name);
/* A fault at a closing bracket behind a comma: that no comma may stand there. */
void fb_tree_hint_comma(const struct fb_parser *parser, struct fb_diag *diag);
/* Path, or '[' Path {',' Path} ']'; `empty`: the list may be. */
void fb_tree_parse_paths(struct fb_parser *parser, struct fb_tree_names *names, bool empty);
/* NULL after a fault of syntax, behind which the parser has skipped. */
const struct fb_tree_type *fb_tree_parse_path(struct fb_parser *parser);
const struct fb_tree_type *fb_tree_parse_type(struct fb_parser *parser);
/* At its `{`. */
const struct fb_tree_type *fb_tree_parse_record(struct fb_parser *parser);

#endif
