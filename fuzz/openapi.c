/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid init --from`: whatever an OpenAPI document says, the schema and the policies made of it are good. */
#include "fuzz.h"

#include "cli/init.h"
#include "request/request.h"

#define ACTIONS_MAX 4096u    /* a table of routes has a limit of its own */

static void check_schema(struct fb_arena *arena, struct fb_span text)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_diags diags;
    *source = (struct fb_source){FB_SPAN("schema.cedarschema"), fb_arena_copy(arena, text)};
    fb_diags_init(&diags, arena);
    const struct fb_schema *schema = fb_schema_read(arena, source, &diags);
    if (schema == NULL)
        fuzz_show_diags(&diags);
    fuzz_must_show(schema != NULL && fb_routes_new(arena, schema, &diags) != NULL, "the schema is good",
                   diags.count != 0 ? diags.list[0].message : text);
}

static void check_policies(struct fb_arena *arena, struct fb_span text)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_policy_set set;
    struct fb_diags diags;
    *source = (struct fb_source){FB_SPAN("policies.cedar"), fb_arena_copy(arena, text)};
    fb_diags_init(&diags, arena);
    fb_policy_set_init(&set, arena);
    fuzz_must_show(fb_policy_set_read(&set, source, &diags), "the policies are good", text);
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_source source = {FB_SPAN("openapi.json"), input};
    struct fb_api api = {0};
    struct fb_diags diags;
    struct fb_buffer schema, policies;
    struct fb_init_counts counts = {.actions = 0};
    fb_diags_init(&diags, arena);
    bool good = fb_api_read(&api, &source, arena, &diags);
    fuzz_must(good || diags.errors != 0, "what is refused has a diagnostic");
    fuzz_show_diags(&diags);
    if (!good)
        return;
    fb_buffer_init(&schema, &fb_heap, (size_t)16 << 20);
    fb_buffer_init(&policies, &fb_heap, (size_t)16 << 20);
    fuzz_must(fb_init_from_api(&api, &schema, &policies, &counts), "a document gives a schema");
    if (counts.actions != 0 && counts.actions < ACTIONS_MAX) {
        check_schema(arena, fb_buffer_span(&schema));
        check_policies(arena, fb_buffer_span(&policies));
    }
    fb_buffer_release(&schema);
    fb_buffer_release(&policies);
}
