/* SPDX-License-Identifier: Apache-2.0 */
/* The formatter: what parses is formatted, means the same (it proves that itself), stays as it is when it is
 * formatted again, and has all its comments. */
#include "fuzz.h"

#include "cedar/cedar.h"

static bool format(struct fb_arena *arena, struct fb_span text, const struct fb_format_options *options,
                   struct fb_span *formatted)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_diags diags;
    struct fb_buffer out;
    *source = (struct fb_source){FB_SPAN("policies"), text};
    fb_diags_init(&diags, arena);
    fb_buffer_init(&out, &fb_heap, (size_t)64 << 20);
    bool good = fb_format_policies(&out, source, options, &diags);
    fuzz_must_show(good == (diags.errors == 0), "a fault is reported, and only a fault", text);
    for (size_t i = 0; i < diags.count; i++)
        fuzz_must_show(strcmp(diags.list[i].code, "format.changed") != 0, "formatting keeps what is meant", text);
    *formatted = fb_arena_copy(arena, fb_buffer_span(&out));
    fb_buffer_release(&out);
    return good;
}

/* Bytes of comments, without the spaces at their ends; a `//` in a string counts on both sides. */
static size_t slashes(struct fb_span text)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < text.len; i++)
        count += text.ptr[i] == '/' && text.ptr[i + 1] == '/';
    return count;
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_format_options options = {.width = fuzz_byte(&input), .indent = fuzz_byte(&input) & 7u};
    struct fb_span once, twice;
    if (!format(arena, input, &options, &once))
        return;
    fuzz_must_show(slashes(once) == slashes(input), "no comment is lost", input);
    fuzz_must_show(format(arena, once, &options, &twice), "what is formatted can be", once);
    fuzz_must_show(fb_span_eq(once, twice), "what is formatted stays as it is", input);
}
