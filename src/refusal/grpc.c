/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC reads the status of a call in `grpc-status`, not in HTTP's: a refusal is a 200 whose header says all
 * ("Trailers-Only" in gRPC's protocol over HTTP/2), or a client would take a 404 for UNIMPLEMENTED and a 400
 * for INTERNAL.  grpc-web has the same two fields. */
#include "refusal/grpc.h"

#include "http/http.h"

static const struct {
    unsigned status, code;
} codes[] = {
    {400, 3},   /* INVALID_ARGUMENT */
    {401, 16},  /* UNAUTHENTICATED */
    {403, 7},   /* PERMISSION_DENIED */
    {404, 5},   /* NOT_FOUND */
    {405, 12},  /* UNIMPLEMENTED */
    {413, 8},   /* RESOURCE_EXHAUSTED */
    {414, 3},
    {429, 8},
    {431, 8},
    {451, 7},
    {503, 14},  /* UNAVAILABLE */
};

unsigned fb_grpc_status(unsigned status)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].status == status)
            return codes[i].code;
    return 2;   /* UNKNOWN */
}

bool fb_grpc_asked(struct fb_span content_type, struct fb_span *answer)
{
    static const struct fb_span grpc = FB_SPAN_INIT("application/grpc"), web = FB_SPAN_INIT("application/grpc-web"),
                                text = FB_SPAN_INIT("application/grpc-web-text");
    struct fb_span essence = fb_span_trim(fb_span_head(content_type, fb_span_find(content_type, ';')));
    essence = fb_span_head(essence, fb_span_find(essence, '+'));
    *answer = fb_span_eq_nocase(essence, grpc)   ? grpc
              : fb_span_eq_nocase(essence, web)  ? web
              : fb_span_eq_nocase(essence, text) ? text
                                                 : fb_span(NULL, 0);
    return answer->len != 0;
}

/* Percent-encoded but for printable ASCII without `%`, as gRPC's protocol wants grpc-message. */
static void add_message(struct fb_buffer *out, struct fb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < ' ' || c > '~' || c == '%')
            fb_buffer_add_format(out, "%%%02X", c);
        else
            fb_buffer_add_char(out, (char)c);
    }
}

struct fb_span fb_grpc_message(const struct fb_refusal *refusal, struct fb_arena *arena)
{
    const struct fb_allocator memory = fb_arena_allocator(arena);
    struct fb_buffer out;
    fb_buffer_init(&out, &memory, 4096);
    struct fb_span code = refusal->level >= FB_LEVEL_REASON && refusal->reason.len != 0
                              ? refusal->reason : fb_error_of_status(refusal->status);
    add_message(&out, code);
    struct fb_span detail = refusal->detail.len != 0 ? refusal->detail : fb_reason_sentence_of(refusal->reason);
    if (refusal->level >= FB_LEVEL_DETAIL && detail.len != 0) {
        fb_buffer_add_z(&out, ": ");
        add_message(&out, detail);
    }
    return out.failed ? FB_SPAN("") : fb_buffer_span(&out);
}
