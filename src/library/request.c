/* SPDX-License-Identifier: Apache-2.0 */
/* A request as a caller writes it, texts and JSON, becomes the engine's. */
#include "library/library.h"

static enum fb_found find_nothing(const void *self, const struct fb_uid *uid, struct fb_entity *entity)
{
    (void)self;
    (void)uid;
    (void)entity;
    return FB_ABSENT;
}

bool fb_request_usable(const struct forbid_request *given)
{
    return given->size == sizeof *given && !fb_text_bad(given->principal) && !fb_text_bad(given->action)
           && !fb_text_bad(given->resource) && !fb_text_bad(given->context);
}

bool fb_request_fits(const struct forbid_request *given, const struct forbid_policies *policies)
{
    return given != NULL && fb_request_usable(given)
           && (given->links == NULL || fb_links_are_of(given->links, policies));
}

static bool is_there(const char *what, struct forbid_text text, struct fb_diags *diags)
{
    if (text.len != 0)
        return true;
    struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "request.missing", NULL, (struct fb_range){0, 0},
                                       "the request has no %s", what);
    diag->hint = FB_SPAN("write it as Cedar text: User::\"alice\"");
    return false;
}

bool fb_request_whole(const struct forbid_request *given, struct fb_diags *diags)
{
    bool whole = is_there("principal", given->principal, diags);
    whole = is_there("action", given->action, diags) && whole;
    return is_there("resource", given->resource, diags) && whole;
}

/* NULL where there is no text.  False: there is one, and it is none. */
static bool read_uid(struct fb_arena *arena, const char *what, struct forbid_text text, const struct fb_uid **uid,
                     struct fb_diags *diags)
{
    *uid = text.len != 0 ? fb_uid_parse(arena, fb_span_of(text)) : NULL;
    if (*uid != NULL || text.len == 0 || arena->failed)
        return !arena->failed;
    struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "request.uid", NULL, (struct fb_range){0, 0},
                                       "the %s is not an entity uid", what);
    diag->hint = FB_SPAN("write it as Cedar text: User::\"alice\"");
    return false;
}

/* The context by the type that its action declares. */
static bool read_context(struct fb_arena *arena, const struct fb_schema *schema, const struct fb_uid *action,
                         const struct fb_source *source, struct fb_value *context, struct fb_diags *diags)
{
    const struct fb_schema_action *declared =
        schema != NULL && action != NULL ? fb_schema_action(schema, action) : NULL;
    struct fb_value_hints hints;
    struct fb_type_hint hint = {.hint = FB_HINT_NONE};
    if (declared != NULL) {
        hints = fb_schema_hints(schema);
        hint = fb_schema_hint_of(declared->context);
    }
    struct fb_json json;
    struct fb_json_limits limits = FB_JSON_LIMITS;
    limits.depth = FB_VALUE_JSON_DEPTH; /* so that nesting is the value's fault, and as deep as an entity's */
    fb_json_init(&json, source->text, arena, limits);
    if (fb_json_next(&json) != FB_JSON_ERROR && json.event != FB_JSON_OBJECT)
        fb_json_fail(&json, "request.context", "a context is a JSON object");
    bool fine = json.error == NULL && fb_value_read_json(&json, arena, declared != NULL ? &hints : NULL, hint, context)
                && fb_json_next(&json) == FB_JSON_END;
    if (fine && context->kind != FB_RECORD) {
        fb_json_fail(&json, "request.context", "a context is a record");
        fine = false;
    }
    if (!fine)
        fb_json_report(&json, source, diags);
    return fine;
}

/* The arena keeps the context's text: values point into it, and so may diagnostics. */
static const struct fb_source *context_source(const struct forbid_request *given, struct fb_arena *arena)
{
    const struct fb_source source = {.name = FB_SPAN("context"),
                                     .text = given->context.len != 0 ? fb_span_of(given->context) : FB_SPAN("{}")};
    return fb_source_copy(arena, &source);
}

static bool same(struct forbid_text a, struct forbid_text b)
{
    return a.len == b.len && (a.ptr == b.ptr || a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Taken from the request before where that has the same text, else read. */
static bool next_uid(struct fb_arena *arena, const char *what, struct forbid_text text, struct forbid_text text_before,
                     const struct fb_uid *before, const struct fb_uid **uid, struct fb_diags *diags)
{
    if (before == NULL || !same(text, text_before))
        return read_uid(arena, what, text, uid, diags);
    *uid = before;
    return true;
}

static bool next_context(const struct forbid_request *given, struct fb_arena *arena, const struct fb_schema *schema,
                         struct fb_request_before *before, struct fb_request *request, struct fb_diags *diags)
{
    const struct forbid_request *last = before->given;
    if (last != NULL && before->context && given->schema == last->schema && same(given->context, last->context)
        && (schema == NULL || same(given->action, last->action))) {
        request->context = before->read.context;
        return true;
    }
    const struct fb_source *source = context_source(given, arena);
    before->context = source != NULL
                      && read_context(arena, schema, request->action, source, &request->context, diags);
    return before->context;
}

bool fb_request_read_next(const struct forbid_request *given, struct fb_arena *arena, struct fb_entities *entities,
                          struct fb_request_before *before, struct fb_request *request, struct fb_diags *diags)
{
    static const struct forbid_request nothing = {.size = sizeof nothing};
    const struct fb_schema *schema = given->schema != NULL ? given->schema->schema : NULL;
    const struct forbid_request *last = before->given != NULL ? before->given : &nothing;
    const struct fb_request *read = &before->read;
    *request = (struct fb_request){.entities = entities};
    *entities = given->entities != NULL ? fb_entity_set_source(given->entities->set)
                                        : (struct fb_entities){.find = find_nothing};
    bool fine = next_uid(arena, "principal", given->principal, last->principal, read->principal, &request->principal,
                         diags);
    fine = next_uid(arena, "action", given->action, last->action, read->action, &request->action, diags) && fine;
    fine = next_uid(arena, "resource", given->resource, last->resource, read->resource, &request->resource, diags)
           && fine;
    fine = next_context(given, arena, schema, before, request, diags) && fine;
    before->given = given;
    before->read = *request;
    bool whole = request->principal != NULL && request->action != NULL && request->resource != NULL;
    return fine && (schema == NULL || !whole
                    || fb_conform_request(schema, request->principal, request->action, request->resource,
                                          request->context, NULL, diags));
}

bool fb_request_read(const struct forbid_request *given, struct fb_arena *arena, struct fb_entities *entities,
                     struct fb_request *request, struct fb_diags *diags)
{
    struct fb_request_before before = {.given = NULL};
    return fb_request_read_next(given, arena, entities, &before, request, diags);
}
