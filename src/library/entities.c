/* SPDX-License-Identifier: Apache-2.0 */
/* Entities from their JSON, by the types of a schema if there is one. */
#include "library/library.h"

static bool conform(const struct fb_schema *schema, struct forbid_entities *made, const struct fb_source *source,
                    struct fb_diags *diags)
{
    struct fb_arena scratch;
    fb_arena_init(&scratch, &made->root.allocator, FB_ROOT_BYTES);
    bool fine = fb_conform_entities(schema, made->set, source, &scratch, diags);
    /* A check that was cut short says nothing of the entities. */
    made->root.arena.failed |= scratch.failed;
    fb_arena_release(&scratch);
    return fine && !made->root.arena.failed;
}

static bool fill(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const struct forbid_schema *schema = how;
    struct forbid_entities *made = (struct forbid_entities *)(void *)root;
    made->set = fb_entity_set_new(&root->arena);
    (void)clock_gettime(CLOCK_MONOTONIC, &made->made);
    if (made->set == NULL)
        return false;
    if (schema != NULL) {
        const struct fb_value_hints hints = fb_schema_hints(schema->schema);
        if (!fb_entity_set_read_json(made->set, source, &hints, diags) || !conform(schema->schema, made, source, diags)
            || !fb_schema_add_actions(schema->schema, made->set))
            return false;
    } else if (!fb_entity_set_read_json(made->set, source, NULL, diags)) {
        return false;
    }
    return fb_entity_set_close(made->set, diags);
}

enum forbid_status forbid_entities_parse(const struct forbid_allocator *allocator, const forbid_schema *schema,
                                         struct forbid_text name, struct forbid_text json, forbid_entities **entities,
                                         forbid_errors **errors)
{
    const struct fb_making making = {.allocator = allocator, .size = entities != NULL ? sizeof **entities : 0,
                                     .name = name, .text = json, .fill = fill, .how = schema, .errors = errors};
    struct fb_root *made;
    enum forbid_status status = fb_root_make(&making, &made);
    if (entities != NULL)
        *entities = (struct forbid_entities *)(void *)made;
    return status;
}

size_t forbid_entities_count(const forbid_entities *entities)
{
    return entities != NULL ? fb_entity_set_count(entities->set) : 0;
}

void forbid_entities_free(forbid_entities *entities)
{
    if (entities != NULL)
        fb_root_free(&entities->root);
}
