/* SPDX-License-Identifier: Apache-2.0 */
/* Entity JSON, with and without a schema's hints: what is read closes or has a cycle, encodes to blocks that
 * pass the deep check, and prints as JSON that reads back as the same entities. */
#include "fuzz.h"

#include "cedar/cedar.h"

static const char schema_text[] =
    "entity User in [User, Group] = {name: String, age?: Long, ip?: ipaddr, when?: datetime, friend?: User,\n"
    "  friends?: Set<User>, score?: Set<decimal>, home?: {lat: decimal, span?: duration}} tags ipaddr;\n"
    "entity Group;\n";

static const struct fb_uid **uids_of(struct fb_arena *arena, struct fb_refs refs)
{
    const struct fb_uid **uids = fb_arena_array(arena, refs.count, sizeof *uids);
    for (uint32_t i = 0; i < refs.count; i++) {
        uids[i] = fb_ref_uid(&refs.refs[i]);
        fuzz_must(fb_refs_contain(refs, uids[i]), "a list contains its uids");
    }
    return uids;
}

static void encode(struct fb_arena *arena, const struct fb_entity *entity)
{
    struct fb_entity copy;
    struct fb_entity_parts parts = {.uid = entity->uid, .attrs = fb_value_of_record(entity->attrs),
                                    .tags = fb_value_of_record(entity->tags),
                                    .parents = uids_of(arena, entity->parents), .parents_count = entity->parents.count,
                                    .ancestors = uids_of(arena, entity->ancestors),
                                    .ancestors_count = entity->ancestors.count, .closed = entity->closed};
    const struct fb_entity_block *block = fb_entity_encode(arena, &parts);
    if (block == NULL)
        return;     /* deeper than a block may be */
    fuzz_must(fb_entity_check(fb_span((const char *)block, block->length), true, &copy), "a block passes the deep check");
    fuzz_must(fb_uid_eq(copy.uid, entity->uid) && copy.parents.count == entity->parents.count
                  && fb_value_eq(fb_value_of_record(copy.attrs), parts.attrs)
                  && fb_value_eq(fb_value_of_record(copy.tags), parts.tags), "a block holds the entity");
}

/* All entities as one JSON array. */
static struct fb_span print(struct fb_arena *arena, const struct fb_entity_set *set)
{
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)64 << 20);
    fb_buffer_add_char(&out, '[');
    for (size_t i = 0; i < fb_entity_set_count(set); i++) {
        struct fb_entity entity;
        fb_entity_set_at(set, i, &entity);
        fb_buffer_add_z(&out, i != 0 ? ",\n" : "");
        fb_entity_print_json(&out, &entity);
        encode(arena, &entity);
    }
    fb_buffer_add_char(&out, ']');
    fuzz_must(!out.failed, "entities print in bounded room");
    struct fb_span text = fb_arena_copy(arena, fb_buffer_span(&out));
    fb_buffer_release(&out);
    return text;
}

static void read(struct fb_arena *arena, struct fb_span input, const struct fb_value_hints *hints)
{
    struct fb_source source = {FB_SPAN("entities.json"), input};
    struct fb_diags diags;
    struct fb_entity_set *set = fb_entity_set_new(arena), *again = fb_entity_set_new(arena);
    fb_diags_init(&diags, arena);
    bool good = fb_entity_set_read_json(set, &source, hints, &diags) && fb_entity_set_close(set, &diags);
    fuzz_must(good == (diags.errors == 0), "a fault is reported, and only a fault");
    fuzz_show_diags(&diags);
    if (!good)
        return;
    struct fb_source printed = {FB_SPAN("printed.json"), print(arena, set)};
    fuzz_must_show(fb_entity_set_read_json(again, &printed, NULL, &diags), "printed entities can be read", printed.text);
    /* The same uid with other contents would be a fault. */
    fuzz_must_show(fb_entity_set_count(again) == fb_entity_set_count(set)
                       && fb_entity_set_read_json(again, &source, hints, &diags), "… as the same", printed.text);
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_source source = {FB_SPAN("schema"), FB_SPAN(schema_text)};
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    const struct fb_schema *schema = fb_schema_read(arena, &source, &diags);
    fuzz_must(schema != NULL, "the schema is good");
    struct fb_value_hints hints = fb_schema_hints(schema);
    read(arena, input, NULL);
    read(arena, input, &hints);
}
