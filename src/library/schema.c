/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas read, and translated from one form into the other. */
#include "library/library.h"

/* --- Reading ------------------------------------------------------------------------------------------ */

/* Names and annotations point into the text, which is kept with the schema. */
static bool fill(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const bool *json = how;
    struct forbid_schema *made = (struct forbid_schema *)(void *)root;
    const struct fb_source *kept = fb_source_copy(&root->arena, source);
    if (kept != NULL)
        made->schema = *json ? fb_schema_read_json(&root->arena, kept, diags)
                             : fb_schema_read(&root->arena, kept, diags);
    return made->schema != NULL;
}

static enum forbid_status parse(struct fb_making making, bool json, forbid_schema **schema)
{
    struct fb_root *made;
    making.size = schema != NULL ? sizeof **schema : 0;
    making.fill = fill;
    making.how = &json;
    enum forbid_status status = fb_root_make(&making, &made);
    if (schema != NULL)
        *schema = (struct forbid_schema *)(void *)made;
    return status;
}

enum forbid_status forbid_schema_parse(const struct forbid_allocator *allocator, struct forbid_text name,
                                       struct forbid_text text, forbid_schema **schema, forbid_errors **errors)
{
    return parse((struct fb_making){.allocator = allocator, .name = name, .text = text, .errors = errors}, false,
                 schema);
}

enum forbid_status forbid_schema_parse_json(const struct forbid_allocator *allocator, struct forbid_text name,
                                            struct forbid_text json, forbid_schema **schema, forbid_errors **errors)
{
    return parse((struct fb_making){.allocator = allocator, .name = name, .text = json, .errors = errors}, true,
                 schema);
}

void forbid_schema_free(forbid_schema *schema)
{
    if (schema != NULL)
        fb_root_free(&schema->root);
}

/* --- Translation -------------------------------------------------------------------------------------- */

static bool translate(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const enum fb_schema_form *form = how;
    struct fb_arena scratch;
    fb_arena_init(&scratch, &root->allocator, FB_ROOT_BYTES);
    bool fine = fb_schema_translate(fb_string_buffer(root), &scratch, source, *form, diags);
    root->arena.failed |= scratch.failed;
    fb_arena_release(&scratch);
    return fine;
}

enum forbid_status forbid_schema_to_json(const struct forbid_allocator *allocator, struct forbid_text name,
                                         struct forbid_text text, int resolved, forbid_string **json,
                                         forbid_errors **errors)
{
    const enum fb_schema_form form = resolved != 0 ? FB_SCHEMA_JSON_RESOLVED : FB_SCHEMA_JSON;
    const struct fb_making making = {.allocator = allocator, .name = name, .text = text, .fill = translate,
                                     .how = &form, .errors = errors};
    return fb_string_make(&making, json);
}

enum forbid_status forbid_schema_to_text(const struct forbid_allocator *allocator, struct forbid_text name,
                                         struct forbid_text json, forbid_string **text, forbid_errors **errors)
{
    const enum fb_schema_form form = FB_SCHEMA_TEXT;
    const struct fb_making making = {.allocator = allocator, .name = name, .text = json, .fill = translate,
                                     .how = &form, .errors = errors};
    return fb_string_make(&making, text);
}
