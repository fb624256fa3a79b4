/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of schemas, in either form: what is translated can be translated back, and then says the same.  Names may be
 * declared elsewhere, so nothing here is resolved; schema_json.c is about whole schemas. */
#include "fuzz.h"

#include "cedar/cedar.h"

static bool translate(struct fb_arena *arena, struct fb_span text, enum fb_schema_form form, struct fb_span *other)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_diags diags;
    struct fb_buffer out;
    *source = (struct fb_source){FB_SPAN("fragment"), text};
    fb_diags_init(&diags, arena);
    fb_buffer_init(&out, &fb_heap, (size_t)64 << 20);
    bool good = fb_schema_translate_fragment(&out, arena, source, form, &diags);
    fuzz_must_show(good == (diags.errors == 0), "a fault is reported, and only a fault", text);
    fuzz_must(!out.failed, "a fragment's other form is bounded");
    fuzz_show_diags(&diags);
    *other = fb_arena_copy(arena, fb_buffer_span(&out));
    fuzz_must_show(!good || form == FB_SCHEMA_TEXT || fuzz_is_json(*other, arena), "JSON is JSON", *other);
    fb_buffer_release(&out);
    return good;
}

static bool looks_like_json(struct fb_span input)
{
    size_t i = 0;
    while (i < input.len && (input.ptr[i] == ' ' || input.ptr[i] == '\n' || input.ptr[i] == '\t' || input.ptr[i] == '\r'))
        i++;
    return i < input.len && input.ptr[i] == '{'; /* no declaration begins with one */
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_span text, json, again, last;
    if (looks_like_json(input)) {
        if (!translate(arena, input, FB_SCHEMA_TEXT, &text))
            return;
    } else {
        if (!translate(arena, input, FB_SCHEMA_JSON, &json))
            return;
        fuzz_must_show(translate(arena, json, FB_SCHEMA_TEXT, &text), "JSON that was written can be read", json);
        translate(arena, input, FB_SCHEMA_JSON_RESOLVED, &last); /* may say that a name means nothing here */
    }
    fuzz_must_show(translate(arena, text, FB_SCHEMA_JSON, &again), "text that was written can be read", text);
    fuzz_must_show(translate(arena, again, FB_SCHEMA_TEXT, &last), "… and its JSON", again);
    fuzz_must_show(fb_span_eq(text, last), "there and back is the same", text);
}
