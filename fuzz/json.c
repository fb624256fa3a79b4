/* SPDX-License-Identifier: Apache-2.0 */
/* The pull reader: every event is written down again, and that text must give the same events; skipping must
 * end where reading does. */
#include "fuzz.h"

struct copy {
    struct fb_buffer text;
    bool comma;
};

static void separate(struct copy *copy)
{
    if (copy->comma)
        fb_buffer_add_char(&copy->text, ',');
}

static void write(struct copy *copy, const struct fb_json *json)
{
    static const char *const words[] = {[FB_JSON_OBJECT] = "{", [FB_JSON_ARRAY] = "[", [FB_JSON_TRUE] = "true",
                                        [FB_JSON_FALSE] = "false", [FB_JSON_NULL] = "null",
                                        [FB_JSON_OBJECT_END] = "}", [FB_JSON_ARRAY_END] = "]"};
    bool closes = json->event == FB_JSON_OBJECT_END || json->event == FB_JSON_ARRAY_END;
    if (!closes)
        separate(copy);
    if (json->event == FB_JSON_KEY || json->event == FB_JSON_STRING)
        fb_buffer_add_json(&copy->text, json->string);
    else if (json->event == FB_JSON_INTEGER || json->event == FB_JSON_NUMBER)
        fb_buffer_add(&copy->text, json->string);
    else
        fb_buffer_add_z(&copy->text, words[json->event]);
    if (json->event == FB_JSON_KEY)
        fb_buffer_add_char(&copy->text, ':');
    copy->comma = json->event != FB_JSON_KEY && json->event != FB_JSON_OBJECT && json->event != FB_JSON_ARRAY;
}

/* The reader's faults are one diagnostic. */
static void report(const struct fb_json *json, struct fb_span text, struct fb_arena *arena)
{
    struct fb_source source = {FB_SPAN("input.json"), text};
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    fuzz_must(json->error != NULL && json->error_code != NULL, "an error has a text");
    fb_json_report(json, &source, &diags);
    fuzz_show_diags(&diags);
}

static bool copy_events(struct fb_span text, struct fb_arena *arena, struct copy *copy)
{
    struct fb_json json;
    uint32_t last = 0;
    fb_json_init(&json, text, arena, FB_JSON_LIMITS);
    while (fb_json_next(&json) != FB_JSON_ERROR && json.event != FB_JSON_END) {
        fuzz_must(json.range.start >= last && json.range.end >= json.range.start && json.range.end <= text.len,
                  "tokens follow each other");
        last = json.range.end;
        if (json.event == FB_JSON_STRING || json.event == FB_JSON_KEY)
            fuzz_must(fb_utf8_valid(json.string) == json.string.len, "strings are UTF-8");
        write(copy, &json);
    }
    if (json.event == FB_JSON_ERROR)
        report(&json, text, arena);
    fuzz_must(fb_json_next(&json) == json.event, "the end stays the end");
    return json.event == FB_JSON_END;
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct copy first = {.comma = false}, second = {.comma = false};
    fb_buffer_init(&first.text, &fb_heap, (size_t)64 << 20);
    fb_buffer_init(&second.text, &fb_heap, (size_t)64 << 20);
    bool good = copy_events(input, arena, &first);
    if (good) {
        fuzz_must_show(copy_events(fb_buffer_span(&first.text), arena, &second), "a copy reads", fb_buffer_span(&first.text));
        fuzz_must_show(fb_span_eq(fb_buffer_span(&first.text), fb_buffer_span(&second.text)), "… as the same",
                       fb_buffer_span(&first.text));
    }
    struct fb_json json;
    fb_json_init(&json, input, arena, FB_JSON_LIMITS);
    bool skipped = fb_json_next(&json) != FB_JSON_ERROR && fb_json_skip(&json) && fb_json_next(&json) == FB_JSON_END;
    fuzz_must(skipped == good, "skipping sees the same faults");
    fb_buffer_release(&first.text);
    fb_buffer_release(&second.text);
}
