/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_GRPC_H
#define FB_REFUSAL_GRPC_H

#include "refusal/refusal.h"

enum fb_grpc_form { FB_GRPC_NONE, FB_GRPC, FB_GRPC_WEB, FB_GRPC_WEB_TEXT };
/* Which kind of call has this Content-Type? */
enum fb_grpc_form fb_grpc_asked(struct fb_span content_type);
/* The status code of gRPC for a status of HTTP. */
unsigned fb_grpc_status(unsigned status);
/* What grpc-message says, percent-encoded; by the level. */
struct fb_span fb_grpc_message(const struct fb_refusal *refusal, struct fb_arena *arena);
/* The last frame of grpc-web with status and message, in base64 if it is to be text.  Empty without memory. */
struct fb_span fb_grpc_frame(const struct fb_refusal *refusal, bool text, struct fb_arena *arena);

#endif
