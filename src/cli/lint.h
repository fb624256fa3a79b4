/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_LINT_H
#define FB_CLI_LINT_H

#include "cli/cli.h"

#include "refusal/refusal.h"

/* lint_live.c: exchanges made for `forbid lint`, by libcurl where the build has it. */
struct fb_lint_live {
    struct fb_words urls, tokens, headers;
    const char *origin;             /* NULL: not as a script of another origin */
    uint64_t timeout;               /* seconds; 0: 10 */
};
/* GETs of each URL: without credentials, with a token that is none, with each token; and a preflight if there is an
 * origin.  Appends the exchanges.  False after it has said what is wrong. */
bool fb_lint_live(struct fb_cli *cli, const struct fb_lint_live *live, struct fb_exchanges *exchanges);

#endif
