/* SPDX-License-Identifier: Apache-2.0 */
/* Policies and entities from their texts. */
#include "library/library.h"

const char *forbid_version(void)
{
    return FB_VERSION;
}

const struct fb_source *fb_source_copy(struct fb_arena *arena, struct forbid_text name, struct forbid_text text)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    if (source == NULL)
        return NULL;
    source->name = fb_arena_copy(arena, fb_span_of(name));
    source->text = fb_arena_copy(arena, fb_span_of(text));
    return arena->failed ? NULL : source;
}

/* Readers with working memory of their own say so in a diagnostic. */
static bool about_memory(const struct fb_diags *diags)
{
    const struct fb_span suffix = FB_SPAN(".memory");
    for (size_t i = 0; i < diags->count; i++) {
        struct fb_span code = fb_span_z(diags->list[i].code);
        if (code.len >= suffix.len && fb_span_eq(fb_span_from(code, code.len - suffix.len), suffix))
            return true;
    }
    return false;
}

/* Hands the errors out, or drops them: where memory was short they are about nothing else. */
static enum forbid_status give_up(struct forbid_errors *found, bool no_memory, forbid_errors **errors)
{
    enum forbid_status status = !no_memory && found != NULL && !found->arena.failed && found->diags.errors != 0
                                          && !about_memory(&found->diags)
                                    ? FORBID_INVALID : FORBID_NO_MEMORY;
    if (errors == NULL || status != FORBID_INVALID) {
        forbid_errors_free(found);
        return status;
    }
    fb_errors_seal(found);
    *errors = found;
    return status;
}

static bool parse(struct forbid_policies *policies, const struct fb_source *source, bool rename, struct fb_diags *diags)
{
    fb_policy_set_init(&policies->set, &policies->arena);
    if (source == NULL || !fb_policy_set_read(&policies->set, source, diags)
        || (rename && !fb_policy_set_rename(&policies->set, diags)))
        return false;
    policies->program = fb_program_new(&policies->arena, &policies->set, diags);
    return policies->program != NULL;
}

enum forbid_status forbid_policies_parse(const struct forbid_allocator *allocator, struct forbid_text name,
                                         struct forbid_text text, int rename, forbid_policies **policies,
                                         forbid_errors **errors)
{
    if (errors != NULL)
        *errors = NULL;
    if (policies == NULL)
        return FORBID_MISUSE;
    *policies = NULL;
    const struct fb_allocator memory = fb_allocator_of(allocator);
    struct forbid_errors *found = fb_errors_new(&memory);
    struct forbid_policies *made = fb_alloc(&memory, sizeof *made);
    if (found == NULL || made == NULL) {
        fb_free(&memory, made, sizeof *made);
        return give_up(found, true, errors);
    }
    memset(made, 0, sizeof *made);
    made->allocator = memory;
    fb_arena_init(&made->arena, &made->allocator, FB_ROOT_BYTES);
    /* Two copies: errors may outlive a set that failed, and a set its errors. */
    const struct fb_source *shown = fb_source_copy(&found->arena, name, text);
    const struct fb_source *kept = fb_source_copy(&made->arena, name, text);
    bool fine = shown != NULL && parse(made, kept, rename != 0, &found->diags);
    for (size_t i = 0; i < found->diags.count; i++)
        found->diags.list[i].source = shown;
    if (!fine) {
        enum forbid_status status = give_up(found, made->arena.failed, errors);
        forbid_policies_free(made);
        return status;
    }
    forbid_errors_free(found);
    *policies = made;
    return FORBID_OK;
}

size_t forbid_policies_count(const forbid_policies *policies)
{
    return policies != NULL ? policies->set.count : 0;
}

void forbid_policies_free(forbid_policies *policies)
{
    if (policies == NULL)
        return;
    fb_arena_release(&policies->arena);
    struct fb_allocator allocator = policies->allocator;
    fb_free(&allocator, policies, sizeof *policies);
}

enum forbid_status forbid_entities_parse(const struct forbid_allocator *allocator, struct forbid_text name,
                                         struct forbid_text json, forbid_entities **entities, forbid_errors **errors)
{
    if (errors != NULL)
        *errors = NULL;
    if (entities == NULL)
        return FORBID_MISUSE;
    *entities = NULL;
    const struct fb_allocator memory = fb_allocator_of(allocator);
    struct forbid_errors *found = fb_errors_new(&memory);
    struct forbid_entities *made = fb_alloc(&memory, sizeof *made);
    if (found == NULL || made == NULL) {
        fb_free(&memory, made, sizeof *made);
        return give_up(found, true, errors);
    }
    memset(made, 0, sizeof *made);
    made->allocator = memory;
    fb_arena_init(&made->arena, &made->allocator, FB_ROOT_BYTES);
    const struct fb_source *source = fb_source_copy(&found->arena, name, json);
    made->set = source != NULL ? fb_entity_set_new(&made->arena) : NULL;
    if (made->set == NULL || !fb_entity_set_read_json(made->set, source, NULL, &found->diags)
        || !fb_entity_set_close(made->set, &found->diags)) {
        bool no_memory = made->arena.failed;
        forbid_entities_free(made);
        return give_up(found, no_memory, errors);
    }
    forbid_errors_free(found);
    *entities = made;
    return FORBID_OK;
}

size_t forbid_entities_count(const forbid_entities *entities)
{
    return entities != NULL ? fb_entity_set_count(entities->set) : 0;
}

void forbid_entities_free(forbid_entities *entities)
{
    if (entities == NULL)
        return;
    fb_arena_release(&entities->arena);
    struct fb_allocator allocator = entities->allocator;
    fb_free(&allocator, entities, sizeof *entities);
}
