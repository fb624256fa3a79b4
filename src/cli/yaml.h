/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_YAML_H
#define FB_CLI_YAML_H

#include "base/base.h"

/* YAML, as another way to write JSON: a text becomes JSON, which the readers of JSON take, and what these say of
 * places in it is led back to the YAML.  So there is one reader of each thing, with the same faults.
 *
 * Scalars are those of YAML 1.2's core schema (https://yaml.org/spec/1.2.2 section 10.3): `true`, `null`, numbers as
 * JSON has them; `no`, `on`, `NO`, dates and times are strings.  What one cannot tell at a glance is refused: numbers
 * that JSON has no form of (`007`, `0x1f`, `.5`, `+1`), anchors and aliases, tags, `<<`, keys that are no scalars,
 * the line ends of YAML 1.1 alone, a second document.  Keys are text: `401:` is "401". */

/* One token of the JSON and where it stands in the YAML. */
struct fb_yaml_place {
    uint32_t json;          /* where the token begins */
    struct fb_range yaml;
};

struct fb_yaml {
    const struct fb_source *source; /* the YAML */
    struct fb_source json;          /* the same as JSON, under the same name */
    struct fb_yaml_place *places;   /* in order */
    size_t count, capacity;
};

/* By its name: *.yaml, *.yml. */
bool fb_yaml_is(struct fb_span name);

/* Reads a whole text.  NULL after a diagnostic about `source`; the result and what the diagnostics say live in
 * `arena`, which holds at the most some 20 times the text.  Lists and mappings within one another: 128. */
const struct fb_yaml *fb_yaml_read(struct fb_arena *arena, const struct fb_source *source, struct fb_diags *diags);

/* What a range of the JSON is in the YAML: whole tokens. */
struct fb_range fb_yaml_range(const struct fb_yaml *yaml, struct fb_range json);
/* Diagnostics about the JSON, from the one of number `first` on, become diagnostics about the YAML. */
void fb_yaml_place(const struct fb_yaml *yaml, struct fb_diags *diags, size_t first);

#endif
