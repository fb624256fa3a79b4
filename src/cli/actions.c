/* SPDX-License-Identifier: Apache-2.0 */
/* A schema's actions among the entities of a file.  The file may leave them out; where it has one, its
 * groups must come to the schema's, whether it names the direct ones or all of them: both are
 * in use. */
#include "cli/inputs.h"

static bool has_actions(const struct fb_schema *schema, const struct fb_entity_set *set)
{
    for (uint32_t i = 0; i < schema->actions_count; i++)
        if (fb_entity_set_has_type(set, fb_uid_type(schema->actions[i]->uid)))
            return true;
    return false;
}

/* Lists of ancestors are sorted. */
static bool same_ancestors(const struct fb_entity *a, const struct fb_entity *b)
{
    if (!a->closed || !b->closed || a->ancestors.count != b->ancestors.count)
        return false;
    for (uint32_t i = 0; i < a->ancestors.count; i++)
        if (!fb_uid_eq(fb_ref_uid(&a->ancestors.refs[i]), fb_ref_uid(&b->ancestors.refs[i])))
            return false;
    return true;
}

static bool compare(struct fb_inputs *inputs, const char *file)
{
    struct fb_entity_set *declared = fb_entity_set_new(&inputs->arena);
    if (declared == NULL || !fb_schema_add_actions(inputs->schema, declared)
        || !fb_entity_set_close(declared, &inputs->diags))
        return fb_inputs_fault(inputs, "input.memory", "out of memory");
    struct fb_entities theirs = fb_entity_set_source(inputs->entities), ours = fb_entity_set_source(declared);
    bool fine = true;
    for (uint32_t i = 0; i < inputs->schema->actions_count; i++) {
        const struct fb_uid *uid = inputs->schema->actions[i]->uid;
        struct fb_entity their, our;
        if (theirs.find(theirs.self, uid, &their) != FB_FOUND || ours.find(ours.self, uid, &our) != FB_FOUND
            || same_ancestors(&their, &our))
            continue;
        struct fb_span id = fb_uid_id(uid);
        fine =
            fb_inputs_fault(inputs, "entities.action", "%s: the action \"%.*s\" is in other groups than in the schema",
                            file, (int)id.len, id.ptr);
    }
    return fine;
}

bool fb_inputs_add_actions(struct fb_inputs *inputs, const char *file)
{
    if (inputs->schema == NULL)
        return fb_entity_set_close(inputs->entities, &inputs->diags);
    bool given = has_actions(inputs->schema, inputs->entities);
    if (!fb_schema_add_actions(inputs->schema, inputs->entities))
        return fb_inputs_fault(inputs, "input.memory", "out of memory");
    return fb_entity_set_close(inputs->entities, &inputs->diags) && (!given || compare(inputs, file));
}
