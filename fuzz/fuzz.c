/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_must_show(bool holds, const char *what, struct fb_span shown)
{
    if (holds)
        return;
    (void)fprintf(stderr, "does not hold: %s\n%.*s\n", what, (int)shown.len, shown.len != 0 ? shown.ptr : "");
    abort();
}

void fuzz_must(bool holds, const char *what)
{
    fuzz_must_show(holds, what, FB_SPAN(""));
}

uint8_t fuzz_byte(struct fb_span *input)
{
    if (input->len == 0)
        return 0;
    uint8_t byte = (uint8_t)*input->ptr;
    *input = fb_span_from(*input, 1);
    return byte;
}

struct fb_span fuzz_line(struct fb_span *input)
{
    size_t end = fb_span_find(*input, '\n');
    struct fb_span line = fb_span_head(*input, end);
    *input = fb_span_from(*input, end < input->len ? end + 1 : end);
    return line;
}

bool fuzz_is_json(struct fb_span text, struct fb_arena *arena)
{
    struct fb_json json;
    fb_json_init(&json, text, arena, FB_JSON_LIMITS);
    enum fb_json_event event;
    do
        event = fb_json_next(&json);
    while (event != FB_JSON_ERROR && event != FB_JSON_END);
    return event == FB_JSON_END;
}

void fuzz_show_diags(const struct fb_diags *diags)
{
    struct fb_buffer out;
    struct fb_arena arena;  /* its own, since the input's may be full */
    fb_arena_init(&arena, &fb_heap, FUZZ_ARENA);
    fb_buffer_init(&out, &fb_heap, (size_t)64 << 20);
    fb_diags_print(&out, diags, true);
    fuzz_must(!out.failed, "diagnostics fit a buffer");
    fuzz_must_show(fb_utf8_valid(fb_buffer_span(&out)) == out.len, "diagnostics are UTF-8", fb_buffer_span(&out));
    fb_buffer_clear(&out);
    fb_diags_print_json(&out, diags);
    fuzz_must_show(fuzz_is_json(fb_buffer_span(&out), &arena), "diagnostics as JSON are JSON", fb_buffer_span(&out));
    fb_buffer_release(&out);
    fb_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, FUZZ_ARENA);
    fuzz_one(&arena, fb_span((const char *)bytes, size));
    fuzz_must(!arena.failed, "the input takes a bounded amount of memory");
    fb_arena_release(&arena);
    return 0;
}
