/* SPDX-License-Identifier: Apache-2.0 */

/* A schema as it was written → JSON.  A path may be an entity type or a common type, and that is what is
 * written (`EntityOrCommon`), unless names are wanted as what they mean. */

#include "cedar/schema_json.h"

struct writer {
    struct fb_buffer *out;
    struct fb_resolver *names;              /* NULL: as written */
    const struct fb_tree_namespace *space;
};

static void write_type(struct writer *w, const struct fb_tree_type *type, bool context);

static void write_string(struct writer *w, const char *before, struct fb_span text)
{
    fb_buffer_add_z(w->out, before);
    fb_buffer_add_json(w->out, text);
}

/* An annotation without a value has the empty one here. */
static void write_annotations(struct writer *w, const struct fb_annotation *list, uint32_t count)
{
    if (count == 0)
        return;
    fb_buffer_add_z(w->out, ",\"annotations\":{");
    for (uint32_t i = 0; i < count; i++) {
        write_string(w, i > 0 ? "," : "", list[i].key);
        write_string(w, ":", list[i].has_value ? list[i].value : FB_SPAN(""));
    }
    fb_buffer_add_char(w->out, '}');
}

/* --- types --- */

static void write_meaning(struct writer *w, const struct fb_tree_type *type)
{
    struct fb_meaning meaning = {.common = NULL};
    for (int inside = 1; inside >= 0 && meaning.common == NULL && meaning.entity.len == 0; inside--)
        fb_resolve_meaning(w->names, w->space, type, inside, &meaning);
    if (meaning.entity.len != 0) {
        write_string(w, "{\"type\":\"Entity\",\"name\":", meaning.entity);
        return;
    }
    struct fb_span name = type->path;
    if (meaning.common != NULL)
        name = fb_full_name(w->names, meaning.common->space, meaning.common->tree->name.text);
    write_string(w, "{\"type\":", name);
}

static void write_path(struct writer *w, const struct fb_tree_type *type, bool context)
{
    if (w->names != NULL)
        write_meaning(w, type);
    else if (context || type->ref == FB_REF_COMMON)
        write_string(w, "{\"type\":", type->path);
    else
        write_string(w, type->ref == FB_REF_ENTITY ? "{\"type\":\"Entity\",\"name\":"
                                                   : "{\"type\":\"EntityOrCommon\",\"name\":", type->path);
}

/* Of attributes given twice the last one counts. */
static bool is_last(const struct fb_tree_type *record, size_t index, const struct fb_map *last)
{
    return fb_map_get(last, record->attributes[index].name.text) == &record->attributes[index];
}

static void write_attribute(struct writer *w, const struct fb_tree_attribute *attribute, bool first)
{
    write_string(w, first ? "" : ",", attribute->name.text);
    fb_buffer_add_char(w->out, ':');
    write_type(w, attribute->type, false);
    write_annotations(w, attribute->annotations, attribute->annotations_count);
    fb_buffer_add_z(w->out, attribute->required ? "}" : ",\"required\":false}");
}

static void write_record(struct writer *w, const struct fb_tree_type *type)
{
    struct fb_arena scratch;
    struct fb_map last;
    fb_arena_init(&scratch, w->out->allocator, (size_t)1 << 30);
    fb_map_init(&last, &scratch);
    for (size_t i = 0; i < type->count; i++)
        fb_map_put(&last, type->attributes[i].name.text, &type->attributes[i]);
    w->out->failed |= scratch.failed;
    fb_buffer_add_z(w->out, "{\"type\":\"Record\",\"attributes\":{");
    bool first = true;
    for (size_t i = 0; i < type->count; i++) {
        if (!is_last(type, i, &last))
            continue;
        write_attribute(w, &type->attributes[i], first);
        first = false;
    }
    fb_buffer_add_char(w->out, '}');
    fb_arena_release(&scratch);
}

/* Without its closing brace, before which an attribute has more to say. */
static void write_type(struct writer *w, const struct fb_tree_type *type, bool context)
{
    switch (type->kind) {
    case FB_TREE_PATH: write_path(w, type, context); break;
    case FB_TREE_RECORD: write_record(w, type); break;
    case FB_TREE_SET:
        fb_buffer_add_z(w->out, "{\"type\":\"Set\",\"element\":");
        write_type(w, type->element, false);
        fb_buffer_add_char(w->out, '}');
        break;
    }
}

/* --- names of entity types --- */

static void write_names(struct writer *w, const char *before, const struct fb_tree_names *names)
{
    fb_buffer_add_z(w->out, before);
    for (size_t i = 0; i < names->count; i++) {
        struct fb_span name = names->list[i].text;
        if (w->names != NULL) {
            const struct fb_declared_entity *entity = fb_resolve_entity(w->names, w->space, &names->list[i]);
            name = entity != NULL ? entity->type->name : name;
        }
        write_string(w, i > 0 ? "," : "", name);
    }
    fb_buffer_add_char(w->out, ']');
}

/* --- declarations --- */

/* All members are optional, and each begins with a comma. */
static void drop_comma(struct fb_buffer *out, size_t start)
{
    if (out->failed || out->len == start)
        return;
    memmove(out->ptr + start, out->ptr + start + 1, out->len - start);  /* the NUL too */
    out->len--;
}

static void write_entity(struct writer *w, const struct fb_tree_entity *entity)
{
    fb_buffer_add_char(w->out, '{');
    size_t start = w->out->len;
    if (entity->is_enum) {
        fb_buffer_add_z(w->out, ",\"enum\":[");
        for (size_t i = 0; i < entity->ids.count; i++)
            write_string(w, i > 0 ? "," : "", entity->ids.list[i].text);
        fb_buffer_add_char(w->out, ']');
    }
    if (entity->parents.count != 0)
        write_names(w, ",\"memberOfTypes\":[", &entity->parents);
    if (entity->shape != NULL && (entity->shape->kind != FB_TREE_RECORD || entity->shape->count != 0)) {
        fb_buffer_add_z(w->out, ",\"shape\":");
        write_type(w, entity->shape, false);
        fb_buffer_add_char(w->out, '}');
    }
    if (entity->tags != NULL) {
        fb_buffer_add_z(w->out, ",\"tags\":");
        write_type(w, entity->tags, false);
        fb_buffer_add_char(w->out, '}');
    }
    write_annotations(w, entity->annotations, entity->annotations_count);
    drop_comma(w->out, start);
    fb_buffer_add_char(w->out, '}');
}

static void write_parents(struct writer *w, const struct fb_tree_action *action)
{
    fb_buffer_add_z(w->out, ",\"memberOf\":[");
    for (size_t i = 0; i < action->parents_count; i++) {
        const struct fb_tree_action_ref *ref = &action->parents[i];
        struct fb_span type = ref->type;
        const struct fb_uid *uid;
        if (w->names != NULL && fb_resolve_action_ref(w->names, w->space, ref, &uid) != NULL)
            type = fb_uid_type(uid);
        write_string(w, i > 0 ? ",{\"id\":" : "{\"id\":", ref->id);
        if (type.len != 0)
            write_string(w, ",\"type\":", type);
        fb_buffer_add_char(w->out, '}');
    }
    fb_buffer_add_char(w->out, ']');
}

static void write_action(struct writer *w, const struct fb_tree_action *action)
{
    write_names(w, "{\"appliesTo\":{\"resourceTypes\":[", &action->resources);
    write_names(w, ",\"principalTypes\":[", &action->principals);
    const struct fb_tree_type *context = action->context;
    if (context != NULL && (context->kind != FB_TREE_RECORD || context->count != 0)) {
        fb_buffer_add_z(w->out, ",\"context\":");
        write_type(w, context, true);
        fb_buffer_add_char(w->out, '}');
    }
    fb_buffer_add_char(w->out, '}');
    if (action->parents_count != 0)
        write_parents(w, action);
    write_annotations(w, action->annotations, action->annotations_count);
    fb_buffer_add_char(w->out, '}');
}

static void write_namespace(struct writer *w)
{
    const struct fb_tree_namespace *space = w->space;
    const char *comma = "";
    write_string(w, "", space->name.text);
    fb_buffer_add_z(w->out, ":{");
    if (space->commons != NULL)
        fb_buffer_add_z(w->out, "\"commonTypes\":{");
    for (const struct fb_tree_common *common = space->commons; common != NULL; common = common->next) {
        write_string(w, comma, common->name.text);
        fb_buffer_add_char(w->out, ':');
        write_type(w, common->type, false);
        write_annotations(w, common->annotations, common->annotations_count);
        fb_buffer_add_char(w->out, '}');
        comma = ",";
    }
    fb_buffer_add_z(w->out, space->commons != NULL ? "},\"entityTypes\":{" : "\"entityTypes\":{");
    comma = "";
    for (const struct fb_tree_entity *entity = space->entities; entity != NULL; entity = entity->next)
        for (size_t i = 0; i < entity->names.count; i++, comma = ",") {
            write_string(w, comma, entity->names.list[i].text);
            fb_buffer_add_char(w->out, ':');
            write_entity(w, entity);
        }
    fb_buffer_add_z(w->out, "},\"actions\":{");
    comma = "";
    for (const struct fb_tree_action *action = space->actions; action != NULL; action = action->next)
        for (size_t i = 0; i < action->names.count; i++, comma = ",") {
            write_string(w, comma, action->names.list[i].text);
            fb_buffer_add_char(w->out, ':');
            write_action(w, action);
        }
    fb_buffer_add_char(w->out, '}');
    write_annotations(w, space->annotations, space->annotations_count);
    fb_buffer_add_char(w->out, '}');
}

void fb_tree_write_json(struct fb_buffer *out, const struct fb_tree_namespace *spaces, struct fb_resolver *names)
{
    struct writer w = {.out = out, .names = names};
    bool first = true;
    fb_buffer_add_char(out, '{');
    for (w.space = spaces; w.space != NULL; w.space = w.space->next) {
        bool empty = w.space->commons == NULL && w.space->entities == NULL && w.space->actions == NULL;
        if (w.space->name.text.len == 0 && empty)
            continue;
        if (!first)
            fb_buffer_add_char(out, ',');
        first = false;
        write_namespace(&w);
    }
    fb_buffer_add_char(out, '}');
}
