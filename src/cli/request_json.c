/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as JSON.  A context is read by the type that its action declares, and members may stand in
 * any order; so where the context comes before the action, the text is gone through twice. */
#include "cli/inputs.h"

/* A context has no more depth than a value may have, and the object around it. */
#define LIMITS ((struct fb_json_limits){.depth = FB_VALUE_DEPTH + 2u, .bytes = 16u << 20, .keys = 65536})

static const struct fb_record no_fields = {.count = 0};

struct fb_value fb_context_empty(void)
{
    return (struct fb_value){.kind = FB_RECORD, .record = &no_fields};
}

struct reading {
    const struct fb_source *source;
    const struct fb_schema *schema;
    struct fb_value_hints hints;
    struct fb_arena *arena;
    struct fb_request *request;
    struct fb_json json;
    bool put_off; /* a context was passed over */
};

static struct fb_type_hint hint_for(const struct reading *reading, const struct fb_uid *action)
{
    const struct fb_schema_action *declared = fb_schema_action(reading->schema, action);
    return declared != NULL ? fb_schema_hint_of(declared->context) : (struct fb_type_hint){.hint = FB_HINT_NONE};
}

/* The first event of the value was taken. */
static bool read_context(struct reading *reading, struct fb_value *context)
{
    struct fb_json *json = &reading->json;
    bool typed = reading->schema != NULL;
    if (json->event != FB_JSON_OBJECT) {
        fb_json_fail(json, "request.context", "a context is an object");
        return false;
    }
    struct fb_type_hint hint = {.hint = FB_HINT_NONE};
    if (typed)
        hint = hint_for(reading, reading->request->action);
    if (!fb_value_read_json(json, reading->arena, typed ? &reading->hints : NULL, hint, context))
        return false;
    if (context->kind != FB_RECORD) {
        fb_json_fail(json, "request.context", "a context is a record");
        return false;
    }
    return true;
}

static bool read_uid(struct reading *reading, const struct fb_uid **uid)
{
    struct fb_json *json = &reading->json;
    enum fb_json_event event = fb_json_next(json);
    if (event == FB_JSON_STRING) {
        *uid = fb_uid_parse(reading->arena, json->string);
        if (*uid == NULL)
            fb_json_fail(json, "request.uid", "this is not an entity uid; one is written as User::\"alice\"");
    } else if (event == FB_JSON_OBJECT) {
        *uid = fb_uid_read_json(json, reading->arena);
    } else if (event != FB_JSON_ERROR) {
        fb_json_fail(json, "request.uid", "an entity uid is a string or an object with type and id");
    }
    return *uid != NULL && json->event != FB_JSON_ERROR;
}

static bool read_member(struct reading *reading)
{
    struct fb_json *json = &reading->json;
    struct fb_request *request = reading->request;
    if (fb_span_is(json->string, "principal"))
        return read_uid(reading, &request->principal);
    if (fb_span_is(json->string, "action"))
        return read_uid(reading, &request->action);
    if (fb_span_is(json->string, "resource"))
        return read_uid(reading, &request->resource);
    if (!fb_span_is(json->string, "context"))
        return fb_json_skip(json);
    if (reading->schema != NULL && request->action == NULL) {
        reading->put_off = true;
        return fb_json_skip(json);
    }
    return fb_json_next(json) != FB_JSON_ERROR && read_context(reading, &request->context);
}

static bool read_members(struct reading *reading)
{
    struct fb_json *json = &reading->json;
    if (fb_json_next(json) != FB_JSON_OBJECT) {
        if (json->event != FB_JSON_ERROR)
            fb_json_fail(json, "request.shape", "a request is an object with principal, action, resource and context");
        return false;
    }
    while (fb_json_next(json) == FB_JSON_KEY)
        if (!read_member(reading))
            return false;
    return json->event == FB_JSON_OBJECT_END && fb_json_next(json) == FB_JSON_END;
}

static bool read_context_again(struct reading *reading)
{
    struct fb_json *json = &reading->json;
    fb_json_init(json, reading->source->text, reading->arena, LIMITS);
    fb_json_next(json);
    while (fb_json_next(json) == FB_JSON_KEY) {
        if (fb_span_is(json->string, "context"))
            return fb_json_next(json) != FB_JSON_ERROR && read_context(reading, &reading->request->context);
        if (!fb_json_skip(json))
            return false;
    }
    return false;
}

bool fb_request_read_json(const struct fb_source *source, const struct fb_schema *schema, struct fb_arena *arena,
                          struct fb_diags *diags, struct fb_request *request)
{
    struct reading reading = {.source = source, .schema = schema, .arena = arena, .request = request};
    if (schema != NULL)
        reading.hints = fb_schema_hints(schema);
    request->principal = request->action = request->resource = NULL;
    request->context = fb_context_empty();
    fb_json_init(&reading.json, source->text, arena, LIMITS);
    if (!read_members(&reading)) {
        fb_json_report(&reading.json, source, diags);
        return false;
    }
    const char *missing = request->principal == NULL  ? "principal"
                          : request->action == NULL   ? "action"
                          : request->resource == NULL ? "resource"
                                                      : NULL;
    if (missing != NULL) {
        fb_diag_add(diags, FB_ERROR, "request.missing", source, (struct fb_range){0, 1}, "the request has no %s",
                    missing);
        return false;
    }
    if (reading.put_off && !read_context_again(&reading)) {
        fb_json_report(&reading.json, source, diags);
        return false;
    }
    return true;
}

bool fb_context_read_json(const struct fb_source *source, const struct fb_schema *schema, const struct fb_uid *action,
                          struct fb_arena *arena, struct fb_diags *diags, struct fb_value *context)
{
    struct fb_request request = {.action = action};
    struct reading reading = {.source = source, .schema = schema, .arena = arena, .request = &request};
    if (schema != NULL)
        reading.hints = fb_schema_hints(schema);
    fb_json_init(&reading.json, source->text, arena, LIMITS);
    if (fb_json_next(&reading.json) != FB_JSON_ERROR && read_context(&reading, context)
        && fb_json_next(&reading.json) == FB_JSON_END)
        return true;
    fb_json_report(&reading.json, source, diags);
    return false;
}
