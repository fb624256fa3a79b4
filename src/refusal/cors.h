/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_CORS_H
#define FB_REFUSAL_CORS_H

#include "refusal/refusal.h"

/* Adds the fields that let a script of an allowed origin read an answer; none for other origins. */
void fb_cors_add(const struct fb_audience *audience, struct fb_response *response);

#endif
