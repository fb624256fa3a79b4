/* SPDX-License-Identifier: Apache-2.0 */
/* What a world is in other forms, and what the validator says of it.  Beside what the oracle is asked too it
 * says what must hold whatever the oracle says: that a form, read again, is what it was made of. */
#include "driver.h"

#include "cedar/validate.h"

#define FORM_CEILING ((size_t)64 << 20)

/* --- Forms of policies ---------------------------------------------------------------------------- */

static struct fb_span kept(struct world *world, struct fb_buffer *text)
{
    struct fb_span copy = text->failed ? FB_SPAN("") : fb_arena_copy(&world->arena, fb_buffer_span(text));
    fb_buffer_release(text);
    return copy;
}

static bool same_policies(const struct fb_policy_set *a, const struct fb_policy_set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!fb_policy_eq(a->policies[i], b->policies[i]))
            return false;
    return true;
}

static struct fb_span json_of(struct world *world, const struct fb_policy_set *set)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, FORM_CEILING);
    fb_policy_set_write_json(&text, set);
    return kept(world, &text);
}

/* Text gives the same trees again.  JSON gives the same JSON: it has one form for `in a` and `in [a]`. */
static bool reads_back(struct world *world, struct fb_span text, bool json)
{
    struct fb_policy_set again;
    struct fb_source *source = fb_arena_alloc(&world->arena, sizeof *source);
    *source = (struct fb_source){.name = FB_SPAN("again"), .text = text};
    fb_policy_set_init(&again, &world->arena);
    if (!(json ? fb_policy_set_read_json : fb_policy_set_read)(&again, source, &world->diags))
        return false;
    return json ? fb_span_eq(json_of(world, &again), text) : same_policies(&world->set, &again);
}

static void policy_forms(struct world *world)
{
    struct fb_buffer text;
    struct fb_span json = json_of(world, &world->set);
    fb_buffer_add_z(&world->out, ",\"policyJson\":");
    fb_buffer_add(&world->out, json.len != 0 ? json : FB_SPAN("null"));
    fb_buffer_add_format(&world->out, ",\"policyJsonAgain\":%s", reads_back(world, json, true) ? "true" : "false");
    if (world->set.links_count != 0)
        return;
    fb_buffer_init(&text, &fb_heap, FORM_CEILING);
    for (size_t i = 0; i < world->set.count; i++) {
        fb_policy_print(&text, world->set.policies[i]);
        fb_buffer_add_char(&text, '\n');
    }
    fb_buffer_add_format(&world->out, ",\"policyTextAgain\":%s",
                         reads_back(world, kept(world, &text), false) ? "true" : "false");
}

/* Formatted, the policies are the same; formatted again, the text is. */
static void formatted(struct world *world)
{
    const struct fb_format_options options = FB_FORMAT_OPTIONS;
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, FORM_CEILING);
    bool good = fb_format_policies(&text, world->policies, &options, &world->diags);
    struct fb_source once = {.name = FB_SPAN("formatted"), .text = kept(world, &text)};
    fb_buffer_init(&text, &fb_heap, FORM_CEILING);
    good = good && fb_format_policies(&text, &once, &options, &world->diags);
    good = good && fb_span_eq(kept(world, &text), once.text);
    fb_buffer_add_format(&world->out, ",\"formattedAgain\":%s",
                         good && (world->set.links_count != 0 || reads_back(world, once.text, false)) ? "true"
                                                                                                      : "false");
}

/* --- Forms of schemas ----------------------------------------------------------------------------- */

static struct fb_span schema_form(struct world *world, const struct fb_source *source, enum fb_schema_form form)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, FORM_CEILING);
    bool good = fb_schema_translate(&text, &world->arena, source, form, &world->diags);
    struct fb_span copy = kept(world, &text);
    return good ? copy : FB_SPAN("null");
}

/* From JSON to text and back: the same JSON but for what the text says otherwise, so only its reading counts. */
static bool schema_reads_back(struct world *world, struct fb_span json)
{
    struct fb_source source = {.name = FB_SPAN("again"), .text = json}, text = {.name = FB_SPAN("text")};
    if (fb_schema_read_json(&world->arena, &source, &world->diags) == NULL)
        return false;
    text.text = schema_form(world, &source, FB_SCHEMA_TEXT);
    return fb_schema_read(&world->arena, &text, &world->diags) != NULL;
}

static void schema_forms(struct world *world)
{
    struct fb_span json = schema_form(world, world->schema_text, FB_SCHEMA_JSON);
    fb_buffer_add_z(&world->out, ",\"schemaJson\":");
    fb_buffer_add(&world->out, json);
    fb_buffer_add_z(&world->out, ",\"schemaResolved\":");
    fb_buffer_add(&world->out, schema_form(world, world->schema_text, FB_SCHEMA_JSON_RESOLVED));
    fb_buffer_add_format(&world->out, ",\"schemaAgain\":%s", schema_reads_back(world, json) ? "true" : "false");
}

/* --- Validation ------------------------------------------------------------------------------------ */

static bool is_about(const struct fb_diag *diag, const struct fb_policy *policy)
{
    return diag->source == policy->source && diag->range.start >= policy->range.start
           && diag->range.start < policy->range.end;
}

/* The ids of the policies with a finding of that severity, and of that code if one is given. */
static void say_found(struct world *world, const char *member, const struct fb_diags *diags, enum fb_severity severity,
                      const char *code)
{
    bool first = true;
    fb_buffer_add_format(&world->out, ",\"%s\":[", member);
    for (size_t i = 0; i < world->set.count; i++) {
        const struct fb_policy *policy = world->set.policies[i];
        bool found = false;
        for (size_t j = 0; j < diags->count && !found; j++)
            found = diags->list[j].severity == severity && is_about(&diags->list[j], policy)
                    && (code == NULL || strcmp(diags->list[j].code, code) == 0);
        if (!found)
            continue;
        if (!first)
            fb_buffer_add_char(&world->out, ',');
        fb_buffer_add_json(&world->out, policy->id);
        first = false;
    }
    fb_buffer_add_char(&world->out, ']');
}

static struct fb_diags validate(struct world *world, struct fb_validate_options options, bool *valid)
{
    struct fb_diags diags;
    struct fb_arena scratch;
    fb_diags_init(&diags, &world->arena);
    diags.limit = SIZE_MAX;
    fb_arena_init(&scratch, &fb_heap, (size_t)1 << 30);
    *valid = fb_validate(&world->set, world->schema, &options, &scratch, &diags);
    fb_arena_release(&scratch);
    return diags;
}

static void validation(struct world *world)
{
    for (int permissive = 0; permissive < 2; permissive++) {
        struct fb_validate_options options = {.mode = permissive ? FB_VALIDATE_PERMISSIVE : FB_VALIDATE_STRICT};
        bool valid;
        struct fb_diags diags = validate(world, options, &valid);
        fb_buffer_add_format(&world->out, ",\"%s\":%s", permissive ? "permissive" : "strict", valid ? "true" : "false");
        say_found(world, permissive ? "permissiveErrors" : "strictErrors", &diags, FB_ERROR, NULL);
        if (!permissive)
            say_found(world, "impossible", &diags, FB_WARNING, "validate.impossible");
    }
}

/* The policies that reach too far at the levels 0 to 3, and at one that no policy exceeds. */
static void levels(struct world *world)
{
    static const char *const members[] = {"level0", "level1", "level2", "level3", "levelMost"};
    for (uint32_t i = 0; i < 5; i++) {
        struct fb_validate_options options = {.check_level = true, .level = i < 4 ? i : 1000};
        bool valid;
        struct fb_diags diags = validate(world, options, &valid);
        say_found(world, members[i], &diags, FB_ERROR, "validate.level");
    }
}

void driver_forms(struct world *world)
{
    if (world->schema != NULL) {
        schema_forms(world);
        validation(world);
        levels(world);
    }
    policy_forms(world);
    formatted(world);
}
