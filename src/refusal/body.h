/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_BODY_H
#define FB_REFUSAL_BODY_H

#include "http/http.h"
#include "refusal/refusal.h"

/* What the body of a refusal says, in each of its four forms; by the level, never beyond it. */
void fb_body_write(const struct fb_refusal *refusal, const struct fb_audience *audience, enum fb_http_media media,
                   struct fb_arena *arena, struct fb_buffer *body);

#endif
