/* SPDX-License-Identifier: Apache-2.0 */
/* A policy directory becomes a generation: parsed, checked, compiled, immutable.  As many faults as
 * possible are reported in one run, so a later step goes on where an earlier one failed but left
 * enough to go on with. */
#include "guard/cures.h"
#include "guard/secret.h"

#include <stdlib.h>

#define LOAD_CEILING ((size_t)4 << 30)

static bool read_schema(struct fb_policies *policies, const struct fb_files *files, struct fb_diags *diags)
{
    policies->schema = fb_schema_read(&policies->arena, files->schema, diags);
    if (policies->schema == NULL)
        return false;
    policies->routes = fb_routes_new(&policies->arena, policies->schema, diags);
    return policies->routes != NULL;
}

static bool read_policies(struct fb_policies *policies, const struct fb_files *files, struct fb_diags *diags)
{
    bool fine = true;
    fb_policy_set_init(&policies->set, &policies->arena);
    for (size_t i = 0; i < files->policies_count; i++)
        fine &= fb_policy_set_read(&policies->set, files->policies[i], diags);
    return fine && fb_policy_set_rename(&policies->set, diags);
}

/* What the validator promises of policies holds for entities that are what the schema says. */
static bool conform(const struct fb_policies *policies, const struct fb_source *source, struct fb_diags *diags)
{
    struct fb_arena scratch;
    fb_arena_init(&scratch, policies->allocator, LOAD_CEILING);
    bool fine = fb_conform_entities(policies->schema, policies->entities, source, &scratch, diags);
    fb_arena_release(&scratch);
    return fine;
}

static bool read_entities(struct fb_policies *policies, const struct fb_files *files, struct fb_diags *diags)
{
    policies->entities = fb_entity_set_new(&policies->arena);
    if (policies->entities == NULL)
        return false;
    const struct fb_value_hints hints = fb_schema_hints(policies->schema);
    bool fine = files->entities == NULL
                || (fb_entity_set_read_json(policies->entities, files->entities, &hints, diags)
                    && conform(policies, files->entities, diags));
    return fb_schema_add_actions(policies->schema, policies->entities) && fine
           && fb_entity_set_close(policies->entities, diags);
}

/* Most actions concern one of a few lists, so equal ones become one, which stays in the processor's
 * caches. */
#define SHARED_LISTS 64u

static const struct fb_concerned *share(const struct fb_concerned **lists, size_t *count, const struct fb_concerned *made)
{
    for (size_t i = 0; made != NULL && i < *count; i++)
        if (lists[i]->count == made->count
            && memcmp(lists[i]->list, made->list, made->count * sizeof *made->list) == 0)
            return lists[i];
    if (made != NULL && *count < SHARED_LISTS)
        lists[(*count)++] = made;
    return made;
}

/* Actions are the directory's, so what concerns them is known once it is loaded. */
static bool find_concerned(struct fb_policies *policies)
{
    const struct fb_schema *schema = policies->schema;
    const struct fb_entities entities = fb_entity_set_source(policies->entities);
    policies->concerned = fb_arena_array(&policies->arena, schema->actions_count + (size_t)1, sizeof *policies->concerned);
    if (policies->concerned == NULL)
        return false;
    const struct fb_concerned *lists[SHARED_LISTS];
    size_t count = 0;
    for (uint32_t i = 0; i < schema->actions_count; i++)
        policies->concerned[i] = share(lists, &count, fb_program_concerned(policies->program, schema->actions[i]->uid,
                                                                           &entities, &policies->arena));
    return true;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Records of this type, all optional fields present. */
static bool expect(struct fb_program *program, const struct fb_type *record, struct fb_arena *scratch)
{
    uint64_t *symbols = fb_arena_array(scratch, record->attributes_count + (size_t)1, sizeof *symbols);
    if (symbols == NULL)
        return false;
    for (uint32_t i = 0; i < record->attributes_count; i++)
        symbols[i] = fb_hash(record->attributes[i].name);
    qsort(symbols, record->attributes_count, sizeof *symbols, ascending);
    fb_program_expect(program, symbols, record->attributes_count);
    return true;
}

static bool expect_types(const struct fb_policies *policies)
{
    const struct fb_schema *schema = policies->schema;
    struct fb_arena scratch;
    bool fine = true;
    fb_arena_init(&scratch, policies->allocator, LOAD_CEILING);
    for (uint32_t i = 0; i < schema->actions_count && fine; i++)
        fine = expect(policies->program, schema->actions[i]->context, &scratch);
    for (uint32_t i = 0; i < schema->types_count && fine; i++)
        fine = expect(policies->program, schema->types[i]->shape, &scratch);
    fb_arena_release(&scratch);
    return fine;
}

static bool compile(struct fb_policies *policies, struct fb_diags *diags)
{
    policies->program = fb_program_new(&policies->arena, &policies->set, diags);
    return policies->program != NULL && (policies->schema == NULL || expect_types(policies))
           && fb_rules_read(policies, diags);
}

/* A forbid that errs refuses everybody, a permit that errs permits nobody: what the validator finds is
 * found here rather than by a request.  Policies of a file that does not parse as a whole are looked at too. */
static bool validate(const struct fb_policies *policies, const struct fb_validate_options *options,
                     struct fb_diags *diags)
{
    struct fb_arena scratch;
    fb_arena_init(&scratch, policies->allocator, LOAD_CEILING);
    bool valid = fb_validate(&policies->set, policies->schema, options, &scratch, diags);
    fb_arena_release(&scratch);
    return valid;
}

struct fb_policies *fb_policies_load(const struct fb_allocator *allocator, const char *dir, struct fb_diags *diags)
{
    return fb_policies_load_with(allocator, dir, &(struct fb_load_options){.validate = {.errors_only = true}}, diags);
}

struct fb_policies *fb_policies_load_with(const struct fb_allocator *allocator, const char *dir,
                                          const struct fb_load_options *options, struct fb_diags *diags)
{
    struct fb_policies *policies = fb_alloc(allocator, sizeof *policies);
    if (policies == NULL)
        return NULL;
    memset(policies, 0, sizeof *policies);
    policies->allocator = allocator;
    fb_arena_init(&policies->arena, allocator, LOAD_CEILING);
    /* Diagnostics point into the sources, which must not go with a directory that failed. */
    struct fb_files files;
    if (!fb_files_read(dir, diags->arena, &files, diags)) {
        fb_policies_free(policies);
        return NULL;
    }
    size_t errors = diags->errors;
    bool schema = read_schema(policies, &files, diags);
    bool parsed = read_policies(policies, &files, diags);
    bool valid = policies->schema != NULL
                 && (options->not_validated || validate(policies, &options->validate, diags));
    bool entities = policies->schema != NULL && read_entities(policies, &files, diags);
    bool compiled = parsed && compile(policies, diags);
    bool fine = schema && valid && entities && compiled && find_concerned(policies) && fb_cures_find(policies, diags)
                && fb_secrets_find(policies, diags);
    if (options->unread)
        fb_files_warn_unread(dir, diags);
    if (options->unread && compiled && fb_program_count(policies->program) == 0)
        fb_diag_add(diags, FB_WARNING, "load.no_policies", NULL, (struct fb_range){0, 0},
                    "%s: there are no policies, so everything is refused", dir)
            ->hint = FB_SPAN("policies are read from files whose names end in .cedar");
    if (options->told && fine && diags->errors == errors)
        fb_secrets_note(policies, diags);
    if (!fine || diags->errors != errors || policies->arena.failed || diags->arena->failed) {
        if (diags->errors == errors)
            fb_diag_add(diags, FB_ERROR, "load.memory", NULL, (struct fb_range){0, 0}, "%s: out of memory", dir);
        fb_policies_free(policies);
        return NULL;
    }
    return policies;
}

void fb_policies_free(struct fb_policies *policies)
{
    if (policies == NULL)
        return;
    fb_arena_release(&policies->arena);
    fb_free(policies->allocator, policies, sizeof *policies);
}

const struct fb_schema *fb_policies_schema(const struct fb_policies *policies)
{
    return policies->schema;
}

const struct fb_routes *fb_policies_routes(const struct fb_policies *policies)
{
    return policies->routes;
}

const struct fb_program *fb_policies_program(const struct fb_policies *policies)
{
    return policies->program;
}

const struct fb_entity_set *fb_policies_entities(const struct fb_policies *policies)
{
    return policies->entities;
}
