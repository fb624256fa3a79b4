/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_VALIDATE_H
#define FB_CLI_VALIDATE_H

#include "cli/cli.h"
#include "engine/engine.h"

/* What the two forms of `forbid validate` share: files (cmd_validate.c) and a policy directory. */
struct fb_report_options {
    bool json;              /* findings on standard error as JSON */
    bool sarif;             /* findings on standard output, as SARIF */
    bool deny_warnings;
};

int fb_cli_validate_directory(struct fb_cli *cli, const char *dir, const struct fb_validate_options *validate,
                              const struct fb_report_options *report);
/* The exit status of what was found; that of a failed command if something could not be read. */
int fb_cli_verdict(const struct fb_diags *diags, bool valid, bool deny_warnings);
/* Prints what was found, and `valid` if that is the status. */
void fb_cli_findings(struct fb_cli *cli, const struct fb_diags *diags, const char *about, int status,
                     const struct fb_report_options *report);

#endif
