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

#endif
