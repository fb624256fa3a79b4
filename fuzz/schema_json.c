/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas as JSON: what is read becomes text, which reads as a schema of the same meaning. */
#include "fuzz.h"

#include "cedar/cedar.h"

/* False: a fault, which was reported; JSON can say a few things that text cannot. */
static bool translate(struct fb_arena *arena, struct fb_span text, enum fb_schema_form form, struct fb_span *other)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_diags diags;
    struct fb_buffer out;
    *source = (struct fb_source){FB_SPAN("schema"), text};
    fb_diags_init(&diags, arena);
    fb_buffer_init(&out, &fb_heap, (size_t)64 << 20);
    bool good = fb_schema_translate(&out, arena, source, form, &diags);
    fuzz_must_show(good == (diags.errors == 0), "a fault is reported, and only a fault", text);
    fuzz_must(!out.failed, "a schema's other form is bounded");
    fuzz_show_diags(&diags);
    *other = fb_arena_copy(arena, fb_buffer_span(&out));
    fuzz_must_show(!good || form == FB_SCHEMA_TEXT || fuzz_is_json(*other, arena), "JSON is JSON", *other);
    fb_buffer_release(&out);
    return good;
}

static const struct fb_schema *read(struct fb_arena *arena, struct fb_span text, bool json)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_diags diags;
    *source = (struct fb_source){FB_SPAN("schema"), text};
    fb_diags_init(&diags, arena);
    const struct fb_schema *schema =
        json ? fb_schema_read_json(arena, source, &diags) : fb_schema_read(arena, source, &diags);
    fuzz_must_show((schema != NULL) == (diags.errors == 0), "a fault is reported, and only a fault", text);
    fuzz_show_diags(&diags);
    return schema;
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    const struct fb_schema *schema = read(arena, input, true);
    if (schema == NULL)
        return;
    struct fb_span text, resolved, again, last;
    if (!translate(arena, input, FB_SCHEMA_TEXT, &text))
        return;
    const struct fb_schema *same = read(arena, text, false);
    fuzz_must_show(same != NULL, "the text of a schema can be read", text);
    fuzz_must_show(same->types_count == schema->types_count && same->actions_count == schema->actions_count,
                   "… and declares the same", text);
    fuzz_must_show(translate(arena, text, FB_SCHEMA_JSON_RESOLVED, &resolved) && read(arena, resolved, true) != NULL,
                   "JSON that was written can be read", text);
    fuzz_must_show(translate(arena, resolved, FB_SCHEMA_TEXT, &again)
                       && translate(arena, again, FB_SCHEMA_JSON_RESOLVED, &last) && fb_span_eq(last, resolved),
                   "there and back is the same", resolved);
}
