/* SPDX-License-Identifier: Apache-2.0 */

/* Entities from Cedar's entity JSON.  A fault of the JSON itself or of a value ends the reading; what
 * is wrong with an entity as a whole (a key missing, a second definition) is reported and the next
 * one is read. */

#include "entity/entity_set.h"
#include "entity/json.h"

struct reader {
    struct fb_entity_set *set;
    const struct fb_source *source;
    const struct fb_value_hints *hints;
    struct fb_diags *diags;
    struct fb_json json;
    struct fb_json_limits limits;
    struct fb_arena text;       /* of the JSON reader, kept to the end */
    struct fb_arena scratch;    /* of one entity */
};

/* An entity as far as it is read. */
struct draft {
    const struct fb_uid *uid;
    struct fb_range uid_range;
    struct fb_value attrs, tags;
    bool has_attrs, has_tags, has_parents;
    size_t attrs_later, tags_later;     /* where they start, + 1, if they must wait for the uid's type */
    const struct fb_uid **parents;
    struct fb_range *parent_ranges;
    size_t parents_count, parents_capacity, ranges_capacity;
};

static bool fail(struct reader *r, const char *code, const char *error)
{
    if (r->json.error == NULL)
        fb_json_fail(&r->json, code, error);
    return false;
}

static bool read_uid(struct reader *r, struct draft *draft)
{
    draft->uid_range = r->json.range;
    draft->uid = fb_uid_read_json(&r->json, &r->scratch);
    draft->uid_range.end = r->json.range.end;
    return draft->uid != NULL;
}

static bool read_fields(struct reader *r, struct fb_json *json, enum fb_fields which, struct draft *draft)
{
    struct fb_span type = draft->uid != NULL ? fb_uid_type(draft->uid) : fb_span(NULL, 0);
    return fb_fields_read_json(json, &r->scratch, r->hints, which, type,
                               which == FB_FIELDS_ATTRS ? &draft->attrs : &draft->tags);
}

/* The attributes' or tags' object.  If a schema must be asked and the uid is not yet known, it is
 * passed over and read once more later. */
static bool take_fields(struct reader *r, enum fb_fields which, struct draft *draft)
{
    if (r->json.event != FB_JSON_OBJECT)
        return fail(r, "entity.shape", "attrs and tags are objects");
    *(which == FB_FIELDS_ATTRS ? &draft->has_attrs : &draft->has_tags) = true;
    if (draft->uid != NULL || r->hints == NULL)
        return read_fields(r, &r->json, which, draft);
    *(which == FB_FIELDS_ATTRS ? &draft->attrs_later : &draft->tags_later) = (size_t)r->json.range.start + 1;
    return fb_json_skip(&r->json);
}

/* A second reader over the same text, put to the object's start; on a fault the first one takes over
 * its error and place. */
static bool read_later(struct reader *r, size_t later, enum fb_fields which, struct draft *draft)
{
    struct fb_json again;
    if (later == 0)
        return true;
    fb_json_init(&again, r->source->text, &r->scratch, r->limits);
    again.at = later - 1;
    if (fb_json_next(&again) == FB_JSON_OBJECT && read_fields(r, &again, which, draft))
        return true;
    r->json.range = again.range;
    return fail(r, again.error_code, again.error);
}

static bool read_parents(struct reader *r, struct draft *draft)
{
    if (r->json.event != FB_JSON_ARRAY)
        return fail(r, "entity.shape", "parents are an array of entity uids");
    draft->has_parents = true;
    while (fb_json_next(&r->json) != FB_JSON_ARRAY_END) {
        size_t i = draft->parents_count;
        struct fb_range range = r->json.range;
        const struct fb_uid *parent = fb_uid_read_json(&r->json, &r->scratch);
        if (parent == NULL)
            return false;
        draft->parents = fb_arena_grow(&r->scratch, draft->parents, i, &draft->parents_capacity, sizeof(struct fb_uid *));
        draft->parent_ranges =
            fb_arena_grow(&r->scratch, draft->parent_ranges, i, &draft->ranges_capacity, sizeof(struct fb_range));
        if (draft->parents == NULL || draft->parent_ranges == NULL)
            return fail(r, FB_NO_MEMORY_CODE, FB_NO_MEMORY_TEXT);
        draft->parents[i] = parent;
        draft->parent_ranges[i] = (struct fb_range){range.start, r->json.range.end};
        draft->parents_count++;
    }
    return true;
}

/* Behind '{', to its end. */
static bool read_entity(struct reader *r, struct draft *draft)
{
    draft->attrs = draft->tags = fb_value_of_record(&fb_record_empty);
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        struct fb_span key = r->json.string;
        fb_json_next(&r->json);
        bool read = fb_span_is(key, "uid")       ? read_uid(r, draft)
                    : fb_span_is(key, "attrs")   ? take_fields(r, FB_FIELDS_ATTRS, draft)
                    : fb_span_is(key, "tags")    ? take_fields(r, FB_FIELDS_TAGS, draft)
                    : fb_span_is(key, "parents") ? read_parents(r, draft)
                                                 : fb_json_skip(&r->json);
        if (!read)
            return false;
    }
    return r->json.event == FB_JSON_OBJECT_END && (draft->uid == NULL || read_later(r, draft->attrs_later, FB_FIELDS_ATTRS, draft))
        && (draft->uid == NULL || read_later(r, draft->tags_later, FB_FIELDS_TAGS, draft));
}

static bool is_action(const struct fb_uid *uid)
{
    struct fb_span type = fb_uid_type(uid), name = FB_SPAN("Action");
    return fb_span_is(type, "Action")
        || (type.len > name.len + 2 && memcmp(type.ptr + type.len - name.len - 2, "::Action", name.len + 2) == 0);
}

/* What is wrong with an entity as a whole. */
static bool check_entity(struct reader *r, const struct draft *draft, struct fb_range range)
{
    const char *missing = draft->uid == NULL ? "uid" : !draft->has_attrs ? "attrs" : !draft->has_parents ? "parents" : NULL;
    if (missing != NULL) {
        struct fb_diag *diag = fb_diag_add(r->diags, FB_ERROR, "entity.missing_key", r->source, range,
                                           "this entity has no key \"%s\"", missing);
        diag->hint = FB_SPAN("an entity is written {\"uid\": {\"type\": ..., \"id\": ...}, \"attrs\": {}, \"parents\": []}");
        return false;
    }
    for (size_t i = 0; is_action(draft->uid) && i < draft->parents_count; i++)
        if (!is_action(draft->parents[i])) {
            fb_diag_add(r->diags, FB_ERROR, "entity.action_parent", r->source, draft->parent_ranges[i],
                        "an action's parents are actions");
            return false;
        }
    return true;
}

static void report_other(struct reader *r, const struct draft *draft)
{
    const struct fb_node *node = fb_entity_set_node(r->set, draft->uid);
    struct fb_buffer name;
    fb_buffer_init(&name, r->text.allocator, FB_UID_TYPE_MAX + FB_UID_ID_MAX * 12u);
    fb_uid_print(&name, draft->uid);
    struct fb_diag *diag = fb_diag_add(r->diags, FB_ERROR, "entity.duplicate", r->source, draft->uid_range,
                                       "%s is defined twice, differently", name.failed ? "this entity" : name.ptr);
    diag->other = node->source;
    diag->other_range = node->range;
    diag->other_message = FB_SPAN("first defined here");
    fb_buffer_release(&name);
}

/* False ends the reading. */
static bool add_entity(struct reader *r, struct fb_range start)
{
    struct draft draft = {0};
    if (!read_entity(r, &draft))
        return false;
    if (!check_entity(r, &draft, start))
        return true;
    struct fb_entity_parts parts = {.uid = draft.uid,
                                    .attrs = draft.attrs,
                                    .tags = draft.tags,
                                    .parents = draft.parents,
                                    .parents_count = draft.parents_count};
    switch (fb_entity_set_put(r->set, &parts, r->source, draft.uid_range)) {
    case FB_ADDED:
    case FB_ADDED_BEFORE:
        return true;
    case FB_ADDED_OTHER:
        report_other(r, &draft);
        return true;
    case FB_ADDED_NO_MEMORY:
        break;
    }
    return fail(r, FB_NO_MEMORY_CODE, FB_NO_MEMORY_TEXT);
}

static bool read_all(struct reader *r)
{
    if (fb_json_next(&r->json) != FB_JSON_ARRAY)
        return fail(r, "entity.shape", "entities are written as an array");
    while (fb_json_next(&r->json) == FB_JSON_OBJECT) {
        if (!add_entity(r, r->json.range))
            return false;
        fb_arena_clear(&r->scratch);
    }
    if (r->json.event != FB_JSON_ARRAY_END)
        return fail(r, "entity.shape", "an entity is an object");
    return fb_json_next(&r->json) == FB_JSON_END;
}

bool fb_entity_set_read_json(struct fb_entity_set *set, const struct fb_source *source,
                             const struct fb_value_hints *hints, struct fb_diags *diags)
{
    struct reader r = {.set = set, .source = source, .hints = hints, .diags = diags, .limits = FB_JSON_LIMITS};
    size_t before = diags->errors;
    /* An entity's values stand in two arrays or objects, and escapes add some more. */
    r.limits.depth = FB_VALUE_JSON_DEPTH + 2;
    fb_arena_init(&r.text, set->arena->allocator, set->arena->ceiling);
    fb_arena_init(&r.scratch, set->arena->allocator, set->arena->ceiling);
    fb_json_init(&r.json, source->text, &r.text, r.limits);
    if (!read_all(&r))
        fb_json_report(&r.json, source, diags);
    fb_arena_release(&r.scratch);
    fb_arena_release(&r.text);
    return diags->errors == before;
}
