/* SPDX-License-Identifier: Apache-2.0 */
/* YAML: what is made of it is JSON, but for keys that come twice; each token of it has a place in the YAML. */
#include "fuzz.h"

#include "cli/yaml.h"

static void check_places(const struct fb_yaml *yaml, struct fb_arena *arena)
{
    const struct fb_span text = yaml->source->text;
    struct fb_json json;
    fb_json_init(&json, yaml->json.text, arena, (struct fb_json_limits){.depth = 128, .bytes = SIZE_MAX, .keys = UINT32_MAX});
    do {
        fb_json_next(&json);
        struct fb_range range = fb_yaml_range(yaml, json.range);
        fuzz_must_show(range.start <= range.end && range.end <= text.len, "a place is within the text", yaml->json.text);
    } while (json.event != FB_JSON_END && json.event != FB_JSON_ERROR);
    if (json.event == FB_JSON_ERROR)
        fuzz_must_show(fb_span_is(fb_span_z(json.error_code), "json.duplicate_key"), "JSON is JSON", yaml->json.text);
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    const struct fb_source source = {FB_SPAN("tests.yaml"), input};
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    const struct fb_yaml *yaml = fb_yaml_read(arena, &source, &diags);
    fuzz_must((yaml != NULL) == (diags.errors == 0), "a fault is reported, and only a fault");
    fuzz_show_diags(&diags);
    if (yaml != NULL)
        check_places(yaml, arena);
}
