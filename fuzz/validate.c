/* SPDX-License-Identifier: Apache-2.0 */
/* The validator is sound: a policy that it accepts, decided on entities and requests that conform to the
 * schema, errs only where numbers overflow or an entity is missing; and one that it calls impossible is never
 * true. */
#include "fuzz.h"

#include "cedar/validate.h"
#include "engine/engine.h"

static const char schema_text[] =
    "entity G in [G] { n?: Long };\n"
    "entity U in [G] { n: Long, s: String, b: Bool, u?: U, l: Set<Long>, r: {n: Long, r?: {s: String}}, ip: ipaddr,\n"
    "  d: decimal, t: datetime, p: duration, g: Set<G> } tags String;\n"
    "entity R in [R] { owner: U, n: Long } tags Set<Long>;\n"
    "entity K enum [\"a\", \"b\"];\n"
    "action z; action x, y in [z] appliesTo {principal: U, resource: R, context: {n: Long, s?: String, ip: ipaddr, k: K}};\n"
    "action w appliesTo {principal: [U, G], resource: [R, U], context: {}};\n";
static const char entities_text[] =
    "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"k\":\"v\"},\"attrs\":{\"n\":1,\"s\":\"abc\",\n"
    "  \"b\":true,\"u\":{\"type\":\"U\",\"id\":\"b\"},\"l\":[1,2],\"r\":{\"n\":2,\"r\":{\"s\":\"d\"}},\"ip\":\"10.0.0.1\",\"d\":\"1.5\",\"t\":\"2024-05-01\",\n"
    "  \"p\":\"1d\",\"g\":[{\"type\":\"G\",\"id\":\"g\"}]}},\n"
    " {\"uid\":{\"type\":\"U\",\"id\":\"b\"},\"parents\":[],\"attrs\":{\"n\":-9223372036854775808,\"s\":\"\",\"b\":false,\"l\":[],\"r\":{\"n\":0},\n"
    "  \"ip\":\"::1\",\"d\":\"-0.1\",\"t\":\"1969-12-31\",\"p\":\"-1ms\",\"g\":[]}},\n"
    " {\"uid\":{\"type\":\"G\",\"id\":\"g\"},\"parents\":[{\"type\":\"G\",\"id\":\"h\"}],\"attrs\":{\"n\":7}},\n"
    " {\"uid\":{\"type\":\"G\",\"id\":\"h\"},\"parents\":[],\"attrs\":{}},\n"
    " {\"uid\":{\"type\":\"R\",\"id\":\"r\"},\"parents\":[{\"type\":\"R\",\"id\":\"s\"}],\"tags\":{\"k\":[1]},\"attrs\":{\"owner\":\n"
    "  {\"type\":\"U\",\"id\":\"a\"},\"n\":5}},\n"
    " {\"uid\":{\"type\":\"R\",\"id\":\"s\"},\"parents\":[],\"attrs\":{\"owner\":{\"type\":\"U\",\"id\":\"b\"},\"n\":9223372036854775807}}]";
static const char context_text[] = "{\"n\":3,\"s\":\"x\",\"ip\":\"10.1.1.1\",\"k\":{\"type\":\"K\",\"id\":\"a\"}}";
static const char bare_context_text[] = "{\"n\":0,\"ip\":\"::\",\"k\":{\"type\":\"K\",\"id\":\"b\"}}";

static const struct {
    const char *principal, *action, *resource, *context;
} requests[] = {
    {"U::\"a\"", "Action::\"x\"", "R::\"r\"", context_text},
    {"U::\"b\"", "Action::\"y\"", "R::\"s\"", bare_context_text},
    {"U::\"b\"", "Action::\"x\"", "R::\"r\"", bare_context_text},
    {"G::\"g\"", "Action::\"w\"", "U::\"b\"", "{}"},
    {"U::\"a\"", "Action::\"w\"", "R::\"s\"", "{}"},
    {"G::\"h\"", "Action::\"w\"", "R::\"r\"", "{}"},
};

static const struct fb_source *source_of(struct fb_arena *arena, struct fb_span text)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    *source = (struct fb_source){FB_SPAN("fuzz"), text};
    return source;
}

static struct fb_value context_of(struct fb_arena *arena, const struct fb_schema *schema, const struct fb_uid *action,
                                  const char *text)
{
    struct fb_value_hints hints = fb_schema_hints(schema);
    struct fb_json json;
    struct fb_value context;
    fb_json_init(&json, fb_span_z(text), arena, FB_JSON_LIMITS);
    (void)fb_json_next(&json);
    fuzz_must(fb_value_read_json(&json, arena, &hints, fb_schema_hint_of(fb_schema_action(schema, action)->context), &context),
              "the context is good");
    return context;
}

static bool contains(struct fb_span text, const char *part)
{
    for (size_t i = 0; i < text.len; i++)
        if (fb_span_starts(fb_span_from(text, i), fb_span_z(part)))
            return true;
    return false;
}

/* What no validator can see. */
static bool is_excused(struct fb_span error)
{
    return contains(error, "does not fit into 64 bits") || contains(error, "leaves the range")
           || contains(error, "there is no entity");
}

static void decide(struct fb_arena *arena, const struct fb_policy_set *set, const struct fb_schema *schema,
                   const struct fb_diags *findings)
{
    struct fb_diags diags;
    struct fb_entity_set *entities = fb_entity_set_new(arena);
    struct fb_value_hints hints = fb_schema_hints(schema);
    fb_diags_init(&diags, arena);
    fuzz_must(fb_entity_set_read_json(entities, source_of(arena, FB_SPAN(entities_text)), &hints, &diags)
                  && fb_schema_add_actions(schema, entities) && fb_entity_set_close(entities, &diags), "entities are good");
    struct fb_entities store = fb_entity_set_source(entities);
    const struct fb_program *program = fb_program_new(arena, set, &diags);
    fuzz_must(program != NULL, "policies that were read can be compiled");
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct fb_decision d;
        const struct fb_uid *action = fb_uid_parse(arena, fb_span_z(requests[i].action));
        struct fb_request request = {.principal = fb_uid_parse(arena, fb_span_z(requests[i].principal)),
                                     .action = action,
                                     .resource = fb_uid_parse(arena, fb_span_z(requests[i].resource)),
                                     .context = context_of(arena, schema, action, requests[i].context),
                                     .entities = &store};
        fuzz_must(fb_decide(program, &request, arena, &d) == FB_OK, "a decision is made");
        for (uint32_t e = 0; e < d.errors_count; e++)
            fuzz_must_show(is_excused(d.errors[e].message), "what is valid does not err", d.errors[e].message);
        for (size_t f = 0; set->count == 1 && f < findings->count; f++)
            fuzz_must(strcmp(findings->list[f].code, "validate.impossible") != 0 || d.permits_count + d.forbids_count == 0,
                      "what is impossible is not true");
    }
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_diags diags, permissive, level;
    struct fb_policy_set set;
    fb_diags_init(&diags, arena);
    fb_diags_init(&permissive, arena);
    fb_diags_init(&level, arena);
    fb_policy_set_init(&set, arena);
    const struct fb_schema *schema = fb_schema_read(arena, source_of(arena, FB_SPAN(schema_text)), &diags);
    fuzz_must(schema != NULL, "the schema is good");
    if (!fb_policy_set_read(&set, source_of(arena, input), &diags))
        return;
    bool strict = fb_validate(&set, schema, NULL, arena, &diags);
    fuzz_must(strict == (diags.errors == 0), "a fault is reported, and only a fault");
    fuzz_show_diags(&diags);
    bool loose = fb_validate(&set, schema, &(struct fb_validate_options){.mode = FB_VALIDATE_PERMISSIVE}, arena, &permissive);
    fuzz_must(loose || !strict, "permissive admits what strict does");
    (void)fb_validate(&set, schema, &(struct fb_validate_options){.check_level = true, .level = 1}, arena, &level);
    fuzz_must(level.errors != 0 || strict, "a level is one more thing to ask");
    if (strict)
        decide(arena, &set, schema, &diags);
}
