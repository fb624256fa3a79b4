/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_HTTP_LINE_H
#define FB_CLI_HTTP_LINE_H

#include "cli/cli.h"
#include "guard/guard.h"

/* A request as somebody writes it down, `GET /users/1?full`, becomes the request that a server would
 * hand to the guard. */

/* Sets method, raw target, path and query.  The path is decoded and normalised as nginx does it:
 * percent-decoded once, slashes merged, dot segments resolved; whether that may be is the guard's
 * business.  NULL, or a static text that says what is wrong. */
const char *fb_http_line_read(struct fb_span line, struct fb_arena *arena, struct fb_http_request *request);

/* `Name: value`.  False if it is not of that form. */
bool fb_http_field_read(struct fb_span line, struct fb_http_field *field);

#endif
