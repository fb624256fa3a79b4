/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_PROBE_REPORT_H
#define FB_CLI_PROBE_REPORT_H

#include "cli/probe.h"

/* Which reports go where. */
struct fb_probe_report {
    const char *format;             /* NULL: text */
    struct fb_words files;
};

bool fb_probe_report_is_good(struct fb_cli *cli, const struct fb_probe_report *report);
/* Without files `format` on standard output; with them text there, and each file in the form of its name, else in
 * `format`.  `about`: the file or directory that the routes are from.  False after it has said what is wrong. */
bool fb_probe_report(const struct fb_probe *probe, const struct fb_probe_report *report, const char *about);
/* Whatever of the credentials stands in the text, since a server repeated it, goes. */
void fb_probe_scrub(struct fb_buffer *out, const struct fb_probe *probe);

#endif
