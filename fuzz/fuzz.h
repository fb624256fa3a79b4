/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_FUZZ_FUZZ_H
#define FB_FUZZ_FUZZ_H

/* What the fuzz targets share.  A target is one file with one fuzz_one(), which takes any bytes at all and
 * aborts where something that must hold does not.  With -Dfuzz=true it is linked with libFuzzer, else with
 * replay.c, which feeds it the corpus as a test. */

#include "base/base.h"

/* What one input may take in memory before that counts as a finding. */
#define FUZZ_ARENA ((size_t)256 << 20)

/* Defined by the target.  The arena is released afterwards; nothing else may be kept. */
void fuzz_one(struct fb_arena *arena, struct fb_span input);
/* What libFuzzer and replay.c call. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Says what does not hold, and aborts. */
void fuzz_must(bool holds, const char *what);
/* The same, showing a text that tells more. */
void fuzz_must_show(bool holds, const char *what, struct fb_span shown);

/* The first byte of the input, which moves on; 0 at its end. */
uint8_t fuzz_byte(struct fb_span *input);
/* The next line, without its end; the rest, if there is none. */
struct fb_span fuzz_line(struct fb_span *input);

/* A list of diagnostics whose texts and JSON are made as well: what an editor or a terminal would see must
 * be printable, and the JSON must be JSON. */
void fuzz_show_diags(const struct fb_diags *diags);
/* RFC 8259, by base/json. */
bool fuzz_is_json(struct fb_span text, struct fb_arena *arena);

#endif
