/* SPDX-License-Identifier: Apache-2.0 */
/* Policy sets read, looked at, and written. */
#include "library/library.h"

/* --- Reading ------------------------------------------------------------------------------------------ */

struct reading {
    bool json, rename;
    const struct forbid_source *sources;
    size_t count;
};

/* Trees point into the texts, which are kept with them. */
static bool fill(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const struct reading *reading = how;
    struct forbid_policies *made = (struct forbid_policies *)(void *)root;
    bool fine = true;
    (void)source;
    fb_policy_set_init(&made->set, &root->arena);
    for (size_t i = 0; i < reading->count; i++) {
        const struct fb_source given = {fb_span_of(reading->sources[i].name), fb_span_of(reading->sources[i].text)};
        const struct fb_source *kept = fb_source_copy(&root->arena, &given);
        if (kept == NULL)
            return false;
        bool read = reading->json ? fb_policy_set_read_json(&made->set, kept, diags)
                                  : fb_policy_set_read(&made->set, kept, diags);
        fine = read && fine;
    }
    if (!fine || (reading->rename && !fb_policy_set_rename(&made->set, diags)))
        return false;
    made->program = fb_program_new(&root->arena, &made->set, diags);
    return made->program != NULL;
}

static bool usable(const struct reading *reading)
{
    bool fine = reading->sources != NULL || reading->count == 0;
    for (size_t i = 0; fine && i < reading->count; i++)
        fine = !fb_text_bad(reading->sources[i].name) && !fb_text_bad(reading->sources[i].text);
    return fine;
}

static enum forbid_status parse(const struct forbid_allocator *allocator, const struct reading *reading,
                                forbid_policies **policies, forbid_errors **errors)
{
    const struct fb_making making = {.allocator = allocator, .fill = fill, .how = reading, .errors = errors,
                                     .size = policies != NULL && usable(reading) ? sizeof **policies : 0};
    struct fb_root *made;
    enum forbid_status status = fb_root_make(&making, &made);
    if (policies != NULL)
        *policies = (struct forbid_policies *)(void *)made;
    return status;
}

enum forbid_status forbid_policies_parse(const struct forbid_allocator *allocator, struct forbid_text name,
                                         struct forbid_text text, int rename, forbid_policies **policies,
                                         forbid_errors **errors)
{
    const struct forbid_source source = {name, text};
    return parse(allocator, &(struct reading){.rename = rename != 0, .sources = &source, .count = 1}, policies, errors);
}

enum forbid_status forbid_policies_parse_all(const struct forbid_allocator *allocator,
                                             const struct forbid_source *sources, size_t count, int rename,
                                             forbid_policies **policies, forbid_errors **errors)
{
    return parse(allocator, &(struct reading){.rename = rename != 0, .sources = sources, .count = count}, policies,
                 errors);
}

enum forbid_status forbid_policies_parse_json(const struct forbid_allocator *allocator, struct forbid_text name,
                                              struct forbid_text json, forbid_policies **policies,
                                              forbid_errors **errors)
{
    const struct forbid_source source = {name, json};
    return parse(allocator, &(struct reading){.json = true, .sources = &source, .count = 1}, policies, errors);
}

void forbid_policies_free(forbid_policies *policies)
{
    if (policies != NULL)
        fb_root_free(&policies->root);
}

/* --- Looking at them ---------------------------------------------------------------------------------- */

size_t forbid_policies_count(const forbid_policies *policies)
{
    return policies != NULL ? policies->set.count : 0;
}

struct forbid_policy forbid_policies_at(const forbid_policies *policies, size_t index)
{
    struct forbid_policy shown;
    memset(&shown, 0, sizeof shown);
    if (index >= forbid_policies_count(policies))
        return shown;
    const struct fb_policy *policy = policies->set.policies[index];
    shown.id = fb_text_of(policy->id);
    shown.effect = policy->effect == FB_PERMIT ? FORBID_PERMIT : FORBID_FORBID;
    shown.principal_slot = policy->principal.slot;
    shown.resource_slot = policy->resource.slot;
    shown.annotations_count = policy->annotations_count;
    shown.place = fb_place_of(policy->source, policy->range);
    return shown;
}

struct forbid_annotation forbid_policies_annotation(const forbid_policies *policies, size_t index, size_t annotation)
{
    struct forbid_annotation shown;
    memset(&shown, 0, sizeof shown);
    if (index >= forbid_policies_count(policies) || annotation >= policies->set.policies[index]->annotations_count)
        return shown;
    const struct fb_annotation *found = &policies->set.policies[index]->annotations[annotation];
    shown.key = fb_text_of(found->key);
    shown.value = found->has_value ? fb_text_of(found->value) : (struct forbid_text){0, ""};
    return shown;
}

size_t forbid_policies_find(const forbid_policies *policies, struct forbid_text id)
{
    size_t count = forbid_policies_count(policies);
    const struct fb_policy *found = count != 0 ? fb_policy_set_find(&policies->set, fb_span_of(id)) : NULL;
    for (size_t i = 0; found != NULL && i < count; i++)
        if (policies->set.policies[i] == found)
            return i;
    return count;
}

/* --- Writing them ------------------------------------------------------------------------------------- */

static bool write_policy_text(struct fb_root *root, const struct fb_source *source, const void *how,
                              struct fb_diags *diags)
{
    (void)source;
    (void)diags;
    fb_policy_print(fb_string_buffer(root), how);
    return true;
}

static bool write_policy_json(struct fb_root *root, const struct fb_source *source, const void *how,
                              struct fb_diags *diags)
{
    (void)source;
    (void)diags;
    fb_policy_write_json(fb_string_buffer(root), how);
    return true;
}

enum forbid_status forbid_policy_to_text(const struct forbid_allocator *allocator, const forbid_policies *policies,
                                         size_t index, forbid_string **text)
{
    bool there = index < forbid_policies_count(policies);
    const struct fb_making making = {.allocator = allocator, .fill = write_policy_text,
                                     .how = there ? policies->set.policies[index] : NULL};
    return there ? fb_string_make(&making, text) : fb_string_misuse(text);
}

enum forbid_status forbid_policy_to_json(const struct forbid_allocator *allocator, const forbid_policies *policies,
                                         size_t index, forbid_string **json)
{
    bool there = index < forbid_policies_count(policies);
    const struct fb_making making = {.allocator = allocator, .fill = write_policy_json,
                                     .how = there ? policies->set.policies[index] : NULL};
    return there ? fb_string_make(&making, json) : fb_string_misuse(json);
}

static bool write_text(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const struct fb_policy_set *set = how;
    struct fb_buffer *out = fb_string_buffer(root);
    (void)source;
    if (set->links_count != 0) {
        struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "translate.links", NULL, (struct fb_range){0, 0},
                                           "template links cannot be written in the Cedar syntax");
        diag->hint = FB_SPAN("write the policy set as JSON");
        return false;
    }
    for (size_t i = 0; i < set->count; i++) {
        if (i != 0)
            fb_buffer_add_char(out, '\n');
        fb_policy_print(out, set->policies[i]);
        fb_buffer_add_char(out, '\n');
    }
    return true;
}

enum forbid_status forbid_policies_to_text(const struct forbid_allocator *allocator, const forbid_policies *policies,
                                           forbid_string **text, forbid_errors **errors)
{
    const struct fb_making making = {.allocator = allocator, .fill = write_text, .errors = errors,
                                     .how = policies != NULL ? &policies->set : NULL};
    if (policies != NULL)
        return fb_string_make(&making, text);
    if (errors != NULL)
        *errors = NULL;
    return fb_string_misuse(text);
}

static bool write_json(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    (void)source;
    (void)diags;
    fb_policy_set_write_json(fb_string_buffer(root), how);
    return true;
}

enum forbid_status fb_set_to_json(const struct forbid_allocator *allocator, const struct fb_policy_set *set,
                                  forbid_string **json)
{
    const struct fb_making making = {.allocator = allocator, .fill = write_json, .how = set};
    return set != NULL ? fb_string_make(&making, json) : fb_string_misuse(json);
}

enum forbid_status forbid_policies_to_json(const struct forbid_allocator *allocator, const forbid_policies *policies,
                                           forbid_string **json)
{
    return fb_set_to_json(allocator, policies != NULL ? &policies->set : NULL, json);
}
