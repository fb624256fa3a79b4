/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_LITERAL_H
#define FB_CEDAR_LITERAL_H

#include "cedar/ast.h"

/* What stands between the quotes → values.  Not for other parts.
 *
 * Escapes are \n \r \t \\ \0 \' \" \xHH (to 7f) and \u{…} with one to six hexadecimal digits; in a
 * pattern also \*.  Each fault is reported with its place; the value then goes on without it. */

struct fb_literal {
    struct fb_arena *arena;
    const struct fb_source *source;
    struct fb_diags *diags;
};

/* `raw` is a part of the source's text.  Without escapes the result is `raw` itself. */
struct fb_span fb_literal_string(const struct fb_literal *literal, struct fb_span raw);
/* NULL without memory. */
const struct fb_pattern *fb_literal_pattern(const struct fb_literal *literal, struct fb_span raw);

#endif
