/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_GRPC_H
#define FB_REFUSAL_GRPC_H

#include "refusal/refusal.h"

/* Does this Content-Type belong to a call of gRPC or grpc-web?  `answer` is then the media type of its
 * answer (static). */
bool fb_grpc_asked(struct fb_span content_type, struct fb_span *answer);
/* The status code of gRPC for a status of HTTP. */
unsigned fb_grpc_status(unsigned status);
/* What grpc-message says, percent-encoded; by the level. */
struct fb_span fb_grpc_message(const struct fb_refusal *refusal, struct fb_arena *arena);

#endif
