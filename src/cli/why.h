/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_WHY_H
#define FB_CLI_WHY_H

#include "cli/site.h"

/* What `forbid why` found out, and the two ways of showing it. */
struct fb_why_shown {
    const struct fb_cli_site *site;
    const struct fb_http_request *http;
    const struct fb_assumed *assumed;       /* NULL: the credentials of the request */
    bool has_token;
    const struct fb_why *why;
    const struct fb_response *response;     /* of a refusal */
    bool all;                               /* policies that did not matter much, too */
};

void fb_why_print(struct fb_buffer *out, const struct fb_why_shown *shown, bool colour);
void fb_why_print_json(struct fb_buffer *out, const struct fb_why_shown *shown);

/* excerpt.c: source lines of a range with a line number each, the range underlined with `mark`
 * ('^', '-') and `note` behind the last underline.  Long ranges are cut after `lines`. */
struct fb_excerpt {
    const struct fb_source *source;
    struct fb_range range;
    char mark;
    const char *colour;                     /* of the underline and the note: an SGR sequence, or "" */
    const char *note;
    unsigned lines;
    uint32_t printed;                       /* this line stands there already: only underline it; or 0 */
};
/* The number of the last line. */
uint32_t fb_excerpt_print(struct fb_buffer *out, const struct fb_excerpt *excerpt, bool colour);
/* Columns of the gutter that the excerpts begin with, for lines that go between them. */
#define FB_EXCERPT_GUTTER 7u
void fb_excerpt_gutter(struct fb_buffer *out, bool colour);
/* The text of a range on one line: white space runs become one space, cut at `columns`. */
void fb_excerpt_inline(struct fb_buffer *out, const struct fb_source *source, struct fb_range range, size_t columns);
/* Printed text cut at `columns`, with an ellipsis. */
void fb_excerpt_cut(struct fb_buffer *out, struct fb_span text, size_t columns);

#endif
