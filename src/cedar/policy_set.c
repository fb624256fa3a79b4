/* SPDX-License-Identifier: Apache-2.0 */

/* Policy sets: reading, ids, links.  Ids are one space: static policies, templates and links. */

#include "cedar/parse.h"

#include <assert.h>

const struct fb_annotation *fb_annotation_find(const struct fb_annotation *list, uint32_t count, const char *key)
{
    for (uint32_t i = 0; i < count; i++)
        if (fb_span_is(list[i].key, key))
            return &list[i];
    return NULL;
}

const struct fb_annotation *fb_policy_annotation(const struct fb_policy *policy, const char *key)
{
    return fb_annotation_find(policy->annotations, policy->annotations_count, key);
}

void fb_policy_set_init(struct fb_policy_set *set, struct fb_arena *arena)
{
    *set = (struct fb_policy_set){.arena = arena};
    fb_map_init(&set->policies_by_id, arena);
    fb_map_init(&set->links_by_id, arena);
}

static bool add(struct fb_policy_set *set, struct fb_policy *policy)
{
    const struct fb_policy **grown = fb_arena_grow_alone(set->arena, set->policies, set->count, &set->capacity,
                                                         sizeof(const struct fb_policy *));
    if (grown == NULL)
        return false;
    set->policies = grown;
    grown[set->count++] = policy;
    return fb_map_put(&set->policies_by_id, policy->id, policy);
}

const char *fb_policy_set_add(struct fb_policy_set *set, struct fb_policy *policy, struct fb_span id)
{
    if (fb_map_get(&set->policies_by_id, id) != NULL || fb_map_get(&set->links_by_id, id) != NULL)
        return "another policy has this id";
    policy->id = id;
    policy->position = set->positions++;
    return add(set, policy) ? NULL : "not enough memory for the policy";
}

bool fb_policy_set_read(struct fb_policy_set *set, const struct fb_source *source, struct fb_diags *diags)
{
    struct fb_parser parser;
    size_t errors = diags->errors, from = diags->count;
    if (!fb_parser_init(&parser, set->arena, source, false, diags))
        return false;
    while (!fb_parse_at(&parser, FB_TOK_END)) {
        uint32_t position = set->positions++;
        struct fb_policy *policy = fb_parse_policy(&parser);
        assert(parser.depth == 0);
        if (policy == NULL)
            continue;
        policy->position = position;
        policy->id = fb_arena_format(set->arena, "policy%u", position);
        if (set->arena->failed || !add(set, policy))
            break;
    }
    fb_parse_finish(&parser);
    fb_parse_sort(diags, from);
    return diags->errors == errors;
}

static void report_same_id(struct fb_diags *diags, const struct fb_policy *policy, const struct fb_policy *first)
{
    const struct fb_annotation *id = fb_policy_annotation(policy, "id");
    const struct fb_annotation *other = fb_policy_annotation(first, "id");
    struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "policy.duplicate_id", policy->source,
                                       id != NULL ? id->key_range : policy->effect_range,
                                       "two policies have the id `%.*s`", (int)policy->id.len, policy->id.ptr);
    diag->hint = FB_SPAN("give each policy an `@id` of its own");
    diag->other = first->source;
    diag->other_range = other != NULL ? other->key_range : first->effect_range;
    diag->other_message = FB_SPAN("the first one");
}

/* The links lead to templates that were copied to be renamed; `renamed` has the copies by the old ids. */
static void relink(struct fb_policy_set *set, const struct fb_map *renamed)
{
    for (size_t i = 0; i < set->links_count; i++) {
        struct fb_link *link = fb_arena_alloc(set->arena, sizeof *link);
        if (link == NULL)
            return;
        *link = *set->links[i];
        link->template_ = fb_map_get(renamed, link->template_->id);
        set->links[i] = link;
        fb_map_put(&set->links_by_id, link->id, link);
    }
}

/* An id given by `@id` that a link has. */
static void check_against_links(const struct fb_policy_set *set, const struct fb_policy *policy, struct fb_diags *diags)
{
    if (fb_map_get(&set->links_by_id, policy->id) != NULL)
        fb_diag_add(diags, FB_ERROR, "policy.duplicate_id", policy->source, policy->effect_range,
                    "a template link has the id `%.*s` too", (int)policy->id.len, policy->id.ptr);
}

bool fb_policy_set_rename(struct fb_policy_set *set, struct fb_diags *diags)
{
    size_t errors = diags->errors;
    struct fb_map ids, renamed;
    fb_map_init(&ids, set->arena);
    fb_map_init(&renamed, set->arena);
    for (size_t i = 0; i < set->count; i++) {
        const struct fb_annotation *id = fb_policy_annotation(set->policies[i], "id");
        struct fb_policy *policy = id != NULL ? fb_arena_alloc(set->arena, sizeof *policy)
                                              : (struct fb_policy *)(uintptr_t)set->policies[i];
        if (policy == NULL)
            break;
        if (id != NULL) {
            *policy = *set->policies[i];
            policy->id = id->value;
        }
        const struct fb_policy *first = fb_map_get(&ids, policy->id);
        if (first != NULL)
            report_same_id(diags, policy, first);
        else
            fb_map_put(&ids, policy->id, policy);
        check_against_links(set, policy, diags);
        if (policy->is_template && set->links_count != 0)
            fb_map_put(&renamed, set->policies[i]->id, policy);
        set->policies[i] = policy;
    }
    if (!set->arena->failed)
        relink(set, &renamed);
    set->policies_by_id = ids;
    if (set->arena->failed)
        fb_diag_add(diags, FB_ERROR, "parse.memory", NULL, (struct fb_range){0, 0},
                    "not enough memory for the policies");
    return diags->errors == errors;
}

const struct fb_policy *fb_policy_set_find(const struct fb_policy_set *set, struct fb_span id)
{
    return fb_map_get(&set->policies_by_id, id);
}

const char *fb_policy_slots_check(const struct fb_policy *template_, const struct fb_uid *principal,
                                  const struct fb_uid *resource)
{
    if (!template_->is_template)
        return "the policy has no slot, so it cannot be linked";
    if (template_->principal.slot != (principal != NULL))
        return principal != NULL ? "the template has no slot ?principal" : "the slot ?principal needs a value";
    if (template_->resource.slot != (resource != NULL))
        return resource != NULL ? "the template has no slot ?resource" : "the slot ?resource needs a value";
    return NULL;
}

static const char *check_link(const struct fb_policy_set *set, const struct fb_policy *template_, struct fb_span new_id,
                              const struct fb_uid *principal, const struct fb_uid *resource)
{
    if (template_ == NULL)
        return "there is no policy of that id";
    const char *error = fb_policy_slots_check(template_, principal, resource);
    if (error != NULL)
        return error;
    if (fb_map_get(&set->policies_by_id, new_id) != NULL || fb_map_get(&set->links_by_id, new_id) != NULL)
        return "the id of the link is taken";
    return NULL;
}

const struct fb_link *fb_policy_set_link(struct fb_policy_set *set, struct fb_span template_id, struct fb_span new_id,
                                         const struct fb_uid *principal, const struct fb_uid *resource,
                                         const char **error)
{
    const struct fb_policy *template_ = fb_policy_set_find(set, template_id);
    *error = check_link(set, template_, new_id, principal, resource);
    if (*error != NULL)
        return NULL;
    struct fb_link *link = fb_arena_alloc(set->arena, sizeof *link);
    const struct fb_link **grown = fb_arena_grow_alone(set->arena, set->links, set->links_count, &set->links_capacity,
                                                       sizeof(const struct fb_link *));
    struct fb_span id = fb_arena_copy(set->arena, new_id);
    *error = "not enough memory for the link";
    if (grown != NULL)
        set->links = grown;
    if (link == NULL || grown == NULL || id.len != new_id.len)
        return NULL;
    *link = (struct fb_link){.id = id, .template_ = template_, .principal = principal, .resource = resource};
    if (!fb_map_put(&set->links_by_id, id, link))
        return NULL;
    grown[set->links_count++] = link;
    *error = NULL;
    return link;
}
