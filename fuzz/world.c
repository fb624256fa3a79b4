/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#define TEXT_MAX 32768u

static const char entities_text[] =
    "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"k\":\"v\",\"n\":3},\n"
    "  \"attrs\":{\"n\":1,\"s\":\"abc\",\"b\":true,\"u\":{\"__entity\":{\"type\":\"U\",\"id\":\"b\"}},\"l\":[1,2,\"x\"],\n"
    "  \"r\":{\"n\":2,\"r\":{\"s\":\"deep\"}},\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.1.2.3\"}},\n"
    "  \"d\":{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.25\"}},\"t\":{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2024-05-01\"}},\n"
    "  \"p\":{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1d2h\"}}}},\n"
    " {\"uid\":{\"type\":\"U\",\"id\":\"b\"},\"parents\":[{\"type\":\"G\",\"id\":\"h\"},{\"type\":\"G\",\"id\":\"far\"}],\n"
    "  \"attrs\":{\"n\":-9223372036854775808,\"s\":\"\",\"b\":false,\"l\":[]}},\n"
    " {\"uid\":{\"type\":\"U\",\"id\":\"c\"},\"parents\":[],\"attrs\":{}},\n"
    " {\"uid\":{\"type\":\"G\",\"id\":\"g\"},\"parents\":[{\"type\":\"G\",\"id\":\"h\"}],\"attrs\":{\"n\":7}},\n"
    " {\"uid\":{\"type\":\"G\",\"id\":\"h\"},\"parents\":[],\"attrs\":{}},\n"
    " {\"uid\":{\"type\":\"R\",\"id\":\"r\"},\"parents\":[{\"type\":\"R\",\"id\":\"s\"}],\n"
    "  \"attrs\":{\"owner\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}},\"n\":9223372036854775807,\"l\":[{\"__entity\":\n"
    "  {\"type\":\"G\",\"id\":\"g\"}},{\"__entity\":{\"type\":\"U\",\"id\":\"c\"}}]}},\n"
    " {\"uid\":{\"type\":\"R\",\"id\":\"s\"},\"parents\":[],\"attrs\":{\"n\":0}}]";
static const char context_text[] =
    "{\"n\":5,\"s\":\"hello\",\"b\":true,\"l\":[\"a\",\"b\"],\"r\":{\"n\":1},\"u\":{\"__entity\":{\"type\":\"U\",\"id\":\"c\"}},\n"
    "\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}},\"t\":{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"1969-12-31\"}}}";

void world_init(struct world *world, struct fb_arena *arena)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_diags diags;
    struct fb_json json;
    *source = (struct fb_source){FB_SPAN("entities"), FB_SPAN(entities_text)};
    fb_diags_init(&diags, arena);
    struct fb_entity_set *set = fb_entity_set_new(arena);
    fuzz_must(fb_entity_set_read_json(set, source, NULL, &diags) && fb_entity_set_close(set, &diags), "entities are good");
    world->set = set;
    world->entities = fb_entity_set_source(set);
    static const char ids[] = "abcdrstxy";
    for (size_t i = 0; i < 4; i++)
        world->users[i] = fb_uid_new(arena, FB_SPAN("U"), fb_span(&ids[i], 1));
    for (size_t i = 0; i < 3; i++)
        world->resources[i] = fb_uid_new(arena, FB_SPAN("R"), fb_span(&ids[4 + i], 1));
    for (size_t i = 0; i < 2; i++)
        world->actions[i] = fb_uid_new(arena, FB_SPAN("Action"), fb_span(&ids[7 + i], 1));
    world->request = (struct fb_request){.principal = world->users[0], .action = world->actions[0],
                                         .resource = world->resources[0], .entities = &world->entities};
    fb_json_init(&json, FB_SPAN(context_text), arena, FB_JSON_LIMITS);
    (void)fb_json_next(&json);
    fuzz_must(fb_value_read_json(&json, arena, NULL, (struct fb_type_hint){.hint = FB_HINT_NONE}, &world->request.context),
              "the context is good");
}

/* In a pattern of a text: stars within one pair of quotes. */
static bool has_many_stars(struct fb_span text)
{
    size_t stars = 0;
    for (size_t i = 0; i < text.len; i++) {
        stars = text.ptr[i] == '"' ? 0 : stars + (text.ptr[i] == '*');
        if (stars > 5)
            return true;
    }
    return false;
}

static void link_templates(struct fb_arena *arena, struct fb_policy_set *set)
{
    const struct fb_uid *principal = fb_uid_new(arena, FB_SPAN("G"), FB_SPAN("h"));
    const struct fb_uid *resource = fb_uid_new(arena, FB_SPAN("R"), FB_SPAN("s"));
    for (size_t i = 0; i < set->count; i++) {
        const struct fb_policy *policy = set->policies[i];
        const char *error;
        struct fb_span id = fb_arena_format(arena, "link%u", (unsigned)i);
        if (policy->is_template)
            fuzz_must(fb_policy_set_link(set, policy->id, id, policy->principal.slot ? principal : NULL,
                                         policy->resource.slot ? resource : NULL, &error) != NULL,
                      "a template can be linked");
    }
}

struct fb_policy_set *world_policies(struct fb_arena *arena, struct fb_span text)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_policy_set *set = fb_arena_alloc(arena, sizeof *set);
    struct fb_diags diags;
    *source = (struct fb_source){FB_SPAN("policies"), text};
    fb_diags_init(&diags, arena);
    fb_policy_set_init(set, arena);
    if (text.len > TEXT_MAX || has_many_stars(text) || !fb_policy_set_read(set, source, &diags))
        return NULL;
    link_templates(arena, set);
    return set;
}

const struct fb_program *world_program(struct fb_arena *arena, const struct fb_policy_set *set)
{
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    const struct fb_program *program = fb_program_new(arena, set, &diags);
    fuzz_must(program != NULL && diags.errors == 0, "policies that were read can be compiled");
    return program;
}
