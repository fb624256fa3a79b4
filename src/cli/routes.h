/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_ROUTES_H
#define FB_CLI_ROUTES_H

#include "cli/cli.h"
#include "guard/guard.h"

/* The routes of a policy directory, for people and for programs.  The HEAD that goes with each GET is
 * left out. */
void fb_cli_routes_print(struct fb_buffer *out, const struct fb_policies *policies, bool colour);
/* An array of {method, path, action, resource, anonymous, secret}. */
void fb_cli_routes_json(struct fb_buffer *out, const struct fb_policies *policies);

/* The resource as its template is written: `User::{id}`. */
void fb_cli_route_resource(struct fb_buffer *out, const struct fb_route *route);

#endif
