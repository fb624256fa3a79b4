/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_YAML_SCALAR_H
#define FB_CLI_YAML_SCALAR_H

#include "base/base.h"

/* ODD_NUMBER: a number that JSON has no form of, or that readers of YAML differ on: 007, 0x1f, +1, .5, .inf.
 * NUMBER: as JSON has it, to be taken over as it stands. */
enum fb_yaml_plain { FB_YAML_TEXT, FB_YAML_NULL, FB_YAML_TRUE, FB_YAML_FALSE, FB_YAML_NUMBER, FB_YAML_ODD_NUMBER };

/* Of a scalar without quotes, tag and block indicator.  Any text has a meaning. */
enum fb_yaml_plain fb_yaml_plain(struct fb_span text);

#endif
