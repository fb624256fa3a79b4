/* SPDX-License-Identifier: Apache-2.0 */
/* Policy sets read, looked at, and written. */
#include "library/library.h"

/* --- Reading ------------------------------------------------------------------------------------------ */

enum form { TEXT, TEXT_RENAMED, JSON };

static bool fill(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const enum form *form = how;
    struct forbid_policies *made = (struct forbid_policies *)(void *)root;
    const struct fb_source *kept = fb_source_copy(&root->arena, source);
    fb_policy_set_init(&made->set, &root->arena);
    if (kept == NULL)
        return false;
    bool read = *form == JSON ? fb_policy_set_read_json(&made->set, kept, diags)
                              : fb_policy_set_read(&made->set, kept, diags);
    if (!read || (*form == TEXT_RENAMED && !fb_policy_set_rename(&made->set, diags)))
        return false;
    made->program = fb_program_new(&root->arena, &made->set, diags);
    return made->program != NULL;
}

static enum forbid_status parse(struct fb_making making, enum form form, forbid_policies **policies)
{
    struct fb_root *made;
    making.size = policies != NULL ? sizeof **policies : 0;
    making.fill = fill;
    making.how = &form;
    enum forbid_status status = fb_root_make(&making, &made);
    if (policies != NULL)
        *policies = (struct forbid_policies *)(void *)made;
    return status;
}

enum forbid_status forbid_policies_parse(const struct forbid_allocator *allocator, struct forbid_text name,
                                         struct forbid_text text, int rename, forbid_policies **policies,
                                         forbid_errors **errors)
{
    return parse((struct fb_making){.allocator = allocator, .name = name, .text = text, .errors = errors},
                 rename != 0 ? TEXT_RENAMED : TEXT, policies);
}

enum forbid_status forbid_policies_parse_json(const struct forbid_allocator *allocator, struct forbid_text name,
                                              struct forbid_text json, forbid_policies **policies,
                                              forbid_errors **errors)
{
    return parse((struct fb_making){.allocator = allocator, .name = name, .text = json, .errors = errors}, JSON,
                 policies);
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
