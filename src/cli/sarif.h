/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_SARIF_H
#define FB_CLI_SARIF_H

#include "cli/cli.h"

/* Findings as a SARIF 2.1.0 log of one run (OASIS, 27 March 2020), the form in which code hosts take
 * what a checker found.  `about` is the file or directory that was looked at: what is about no text in
 * particular stands there. */
void fb_sarif_print(struct fb_buffer *out, const struct fb_diags *diags, const char *about);

#endif
