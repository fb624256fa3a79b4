/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENTITY_EXTENSION_H
#define FB_ENTITY_EXTENSION_H

#include "entity/value.h"

/* The four extension types: their constructors from text, their arithmetic and their text.
 * Parsers give NULL on success, else a static text that says what is wrong, for diagnostics and
 * evaluation errors. */

const char *fb_decimal_parse(struct fb_span text, int64_t *decimal);
const char *fb_datetime_parse(struct fb_span text, int64_t *datetime);
const char *fb_duration_parse(struct fb_span text, int64_t *duration);
const char *fb_ip_parse(struct fb_span text, struct fb_ip *ip);

bool fb_ip_is_loopback(const struct fb_ip *ip);
bool fb_ip_is_multicast(const struct fb_ip *ip);
/* Same family, and every address of `ip` lies in `range`. */
bool fb_ip_in_range(const struct fb_ip *ip, const struct fb_ip *range);
bool fb_ip_eq(const struct fb_ip *a, const struct fb_ip *b);

/* False on overflow. */
bool fb_datetime_offset(int64_t datetime, int64_t duration, int64_t *result);
bool fb_datetime_since(int64_t datetime, int64_t other, int64_t *duration);
bool fb_datetime_date(int64_t datetime, int64_t *midnight);
int64_t fb_datetime_time(int64_t datetime);

/* Within the years 0 to 9999, which the constructor can read? */
bool fb_datetime_has_text(int64_t datetime);

/* Text that the constructor reads back; of a datetime without such a text, one for people. */
void fb_decimal_print(struct fb_buffer *out, int64_t decimal);
void fb_datetime_print(struct fb_buffer *out, int64_t datetime);
void fb_duration_print(struct fb_buffer *out, int64_t duration);
void fb_ip_print(struct fb_buffer *out, const struct fb_ip *ip);

/* The constructor of that name ("ip", "decimal", "datetime", "duration") applied to a string; the
 * ip is put in the arena.  NULL, or what is wrong. */
const char *fb_extension_make(struct fb_arena *arena, enum fb_kind kind, struct fb_span text, struct fb_value *value);

/* Any constructor or method of an extension type, by its name, as an `__extn` of JSON applies it; of a
 * method the receiver is args[0]. */
#define FB_EXTENSION_ARGS 2u
struct fb_extension_call {
    struct fb_span function;
    struct fb_value args[FB_EXTENSION_ARGS];
    uint32_t count;         /* as given, perhaps more than there is room for */
    bool typed;             /* a string may stand for what a constructor would make of it */
};
/* NULL, or what is wrong. */
const char *fb_extension_call(struct fb_arena *arena, const struct fb_extension_call *call, struct fb_value *value);

#endif
