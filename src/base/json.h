/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_JSON_H
#define FB_BASE_JSON_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/hash.h"

/* A pull reader for JSON (RFC 8259) that keeps positions, streams, and refuses what is ambiguous:
 * duplicate keys (RFC 7493 section 2.3), invalid UTF-8, lone surrogates, numbers that a 64-bit integer
 * cannot hold where an integer is asked for, anything behind the value, and more depth or bytes
 * than its limits.  Errors are reported once, as a code, a static text and an offset; after one,
 * every call returns FB_JSON_ERROR.
 *
 * Use: call fb_json_next() in a loop.  In an object keys and values alternate: FB_JSON_KEY, then
 * the value's event.  fb_json_skip() passes over a whole value after its first event.
 * The whole text is given at the start and must outlive the reader; strings without escapes are
 * spans into it, others are unescaped into the arena.  One thread. */

enum fb_json_event {
    FB_JSON_ERROR, FB_JSON_END,     /* END: the one value is over and only white space follows */
    FB_JSON_OBJECT, FB_JSON_OBJECT_END,
    FB_JSON_ARRAY, FB_JSON_ARRAY_END,
    FB_JSON_KEY, FB_JSON_STRING, FB_JSON_INTEGER, FB_JSON_NUMBER,
    FB_JSON_TRUE, FB_JSON_FALSE, FB_JSON_NULL
};

struct fb_json_limits {
    uint32_t depth;     /* nesting of arrays and objects */
    size_t bytes;       /* of the text */
    uint32_t keys;      /* of one object */
};
#define FB_JSON_LIMITS ((struct fb_json_limits){.depth = 64, .bytes = 64u << 20, .keys = 65536})

struct fb_json {
    struct fb_span text;
    struct fb_arena *arena;
    struct fb_json_limits limits;
    size_t at;                      /* offset of the next byte */
    struct fb_json_frame *frames;   /* one an open array or object, the innermost first */
    struct fb_json_frame *spare;    /* closed ones, to be used again */
    struct fb_hash_key key;         /* secret, of the tables that find duplicate keys */
    bool keyed;
    uint32_t depth;
    enum fb_json_event event;       /* the last one returned */
    struct fb_range range;          /* of the last event's token */
    struct fb_span string;          /* KEY, STRING: the contents.  NUMBER, INTEGER: as written */
    int64_t integer;                /* INTEGER: no fraction, no exponent, within 64 bits */
    const char *error;              /* static text or the arena's, or NULL */
    const char *error_code;         /* "json.duplicate_key", …; static */
    bool done;
};

/* Nothing is read yet.  A text over the limits (4 GiB at most), or one that opens with a byte order
 * mark, is refused by the first fb_json_next().  Key tables and unescaped strings come from `arena`. */
void fb_json_init(struct fb_json *json, struct fb_span text, struct fb_arena *arena,
                  struct fb_json_limits limits);
enum fb_json_event fb_json_next(struct fb_json *json);
/* After OBJECT or ARRAY: reads to its end.  After KEY: reads its whole value.  After another value:
 * nothing.  False on an error. */
bool fb_json_skip(struct fb_json *json);
/* Sets the error by hand (a value of the wrong type, …) at the last token; returns FB_JSON_ERROR. */
enum fb_json_event fb_json_fail(struct fb_json *json, const char *code, const char *error);
/* The reader's error as a diagnostic. */
void fb_json_report(const struct fb_json *json, const struct fb_source *source, struct fb_diags *diags);

#endif
