/* SPDX-License-Identifier: Apache-2.0 */

/* The four constructors as one. */

#include "entity/extension.h"

#include <assert.h>

static const char *make_ip(struct fb_arena *arena, struct fb_span text, struct fb_value *value)
{
    struct fb_ip ip;
    const char *error = fb_ip_parse(text, &ip);
    if (error != NULL)
        return error;
    struct fb_ip *kept = fb_arena_alloc(arena, sizeof *kept);
    if (kept == NULL)
        return "out of memory";
    *kept = ip;
    *value = (struct fb_value){.kind = FB_IP, .ip = kept};
    return NULL;
}

const char *fb_extension_make(struct fb_arena *arena, enum fb_kind kind, struct fb_span text, struct fb_value *value)
{
    if (kind == FB_IP)
        return make_ip(arena, text, value);
    assert(kind == FB_DECIMAL || kind == FB_DATETIME || kind == FB_DURATION);
    int64_t number = 0;
    const char *error = kind == FB_DECIMAL   ? fb_decimal_parse(text, &number)
                        : kind == FB_DATETIME ? fb_datetime_parse(text, &number)
                                              : fb_duration_parse(text, &number);
    if (error == NULL)
        *value = fb_value_number(kind, number);
    return error;
}
