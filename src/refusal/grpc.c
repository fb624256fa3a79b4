/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC reads the status of a call in `grpc-status`, not in HTTP's: a refusal is a 200 whose header says all
 * ("Trailers-Only" in gRPC's protocol over HTTP/2), or a client would take a 404 for UNIMPLEMENTED and a 400
 * for INTERNAL.  grpc-web, whose scripts cannot see trailers, has the same two fields in a last frame of the
 * body: a byte with the highest bit set, four of length, and lines; as text (grpc-web-text) in base64. */
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

enum fb_grpc_form fb_grpc_asked(struct fb_span content_type)
{
    struct fb_span essence = fb_span_trim(fb_span_head(content_type, fb_span_find(content_type, ';')));
    essence = fb_span_head(essence, fb_span_find(essence, '+'));
    return fb_span_eq_nocase(essence, FB_SPAN("application/grpc"))            ? FB_GRPC
           : fb_span_eq_nocase(essence, FB_SPAN("application/grpc-web"))      ? FB_GRPC_WEB
           : fb_span_eq_nocase(essence, FB_SPAN("application/grpc-web-text")) ? FB_GRPC_WEB_TEXT
                                                                              : FB_GRPC_NONE;
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

static void put_base64(struct fb_buffer *out, struct fb_span bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = (const unsigned char *)bytes.ptr;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t three = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) | (left > 2 ? at[i + 2] : 0);
        fb_buffer_add_char(out, digits[three >> 18]);
        fb_buffer_add_char(out, digits[three >> 12 & 63]);
        fb_buffer_add_char(out, left > 1 ? digits[three >> 6 & 63] : '=');
        fb_buffer_add_char(out, left > 2 ? digits[three & 63] : '=');
    }
}

struct fb_span fb_grpc_frame(const struct fb_refusal *refusal, bool text, struct fb_arena *arena)
{
    const struct fb_allocator memory = fb_arena_allocator(arena);
    struct fb_span message = fb_grpc_message(refusal, arena);
    struct fb_span lines = fb_arena_format(arena, "grpc-status: %u\r\ngrpc-message: %.*s\r\n", fb_grpc_status(refusal->status),
                                           (int)message.len, message.ptr);
    struct fb_buffer frame, encoded;
    fb_buffer_init(&frame, &memory, 8192);
    fb_buffer_init(&encoded, &memory, 16384);
    fb_buffer_add_char(&frame, (char)0x80);
    for (int shift = 24; shift >= 0; shift -= 8)
        fb_buffer_add_char(&frame, (char)(lines.len >> shift & 0xff));
    fb_buffer_add(&frame, lines);
    if (!text)
        return fb_buffer_span(&frame);
    put_base64(&encoded, fb_buffer_span(&frame));
    return fb_buffer_span(&encoded);
}
