/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_AUTHORIZE_H
#define FB_CLI_AUTHORIZE_H

#include "cli/inputs.h"

/* One decision after another, for `authorize --requests`.  One request a line in, one answer a line
 * out, in order:
 *
 *      {"decision":"allow","reason":["policy0"],"errors":[]}
 *      {"error":{"line":3,"code":"json.syntax","message":"…"}}        this line could not be decided
 *
 * Empty lines are passed over.  Memory does not grow with the number of lines, and what was answered is
 * written before more is waited for, so that a program may talk to it over a pipe. */
struct fb_batch {
    const struct fb_program *program;
    const struct fb_inputs *inputs;
    bool validate;              /* hold each request against the schema, if there is one */
    bool messages;              /* add what the errors said */
};

#define FB_BATCH_LINE_MAX ((size_t)4 << 20)

/* OK if every line was decided; FAILED if one was not, or the file could not be read. */
int fb_batch_run(struct fb_cli *cli, const struct fb_batch *batch, const char *path);

#endif
