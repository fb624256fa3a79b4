/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAPI documents, as far as routes need them: methods, paths, the types of path parameters, and
 * whether an operation is open to clients without credentials.  Parameters are shared by
 * reference and may stand behind the paths that use them, so the text is gone through twice. */
#include "cli/init.h"

#define LIMITS ((struct fb_json_limits){.depth = 128, .bytes = (size_t)256 << 20, .keys = 65536})
#define OPERATIONS_MAX 16384u

struct reading {
    struct fb_api *api;
    struct fb_json json;
    struct fb_map shared; /* of components.parameters, by name */
};

static bool read_object(struct reading *r)
{
    if (fb_json_next(&r->json) == FB_JSON_OBJECT)
        return true;
    if (r->json.event != FB_JSON_ERROR)
        fb_json_fail(&r->json, "openapi.shape", "an object is expected here");
    return false;
}

/* The value as text; anything else is passed over and leaves it as it was. */
static bool read_text(struct reading *r, struct fb_span *text)
{
    if (fb_json_next(&r->json) == FB_JSON_STRING) {
        *text = fb_arena_copy(r->api->arena, r->json.string);
        return !r->api->arena->failed;
    }
    return fb_json_skip(&r->json);
}

/* --- Parameters ---------------------------------------------------------------------------------------- */

struct draft {
    struct fb_span name, in, type, format, ref;
};

static bool read_type(struct reading *r, struct draft *draft)
{
    if (fb_json_next(&r->json) != FB_JSON_OBJECT)
        return fb_json_skip(&r->json);
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        bool fine = fb_span_is(r->json.string, "type")     ? read_text(r, &draft->type)
                    : fb_span_is(r->json.string, "format") ? read_text(r, &draft->format)
                                                           : fb_json_skip(&r->json);
        if (!fine)
            return false;
    }
    return r->json.event == FB_JSON_OBJECT_END;
}

static bool read_param_member(struct reading *r, struct draft *draft)
{
    struct fb_span key = r->json.string;
    if (fb_span_is(key, "name"))
        return read_text(r, &draft->name);
    if (fb_span_is(key, "in"))
        return read_text(r, &draft->in);
    if (fb_span_is(key, "$ref"))
        return read_text(r, &draft->ref);
    if (fb_span_is(key, "schema"))
        return read_type(r, draft);
    /* Swagger 2 has the type beside the name. */
    if (fb_span_is(key, "type"))
        return read_text(r, &draft->type);
    if (fb_span_is(key, "format"))
        return read_text(r, &draft->format);
    return fb_json_skip(&r->json);
}

/* The object's first event was taken.  *param is NULL for a reference to what is not there. */
static bool read_param(struct reading *r, struct fb_api_param **param)
{
    struct draft draft = {.name = {0, NULL}};
    while (fb_json_next(&r->json) == FB_JSON_KEY)
        if (!read_param_member(r, &draft))
            return false;
    if (r->json.event != FB_JSON_OBJECT_END)
        return false;
    if (draft.ref.len != 0) {
        size_t slash = draft.ref.len;
        while (slash > 0 && draft.ref.ptr[slash - 1] != '/')
            slash--;
        *param = fb_map_get(&r->shared, fb_span_from(draft.ref, slash));
        return true;
    }
    *param = fb_arena_alloc(r->api->arena, sizeof **param);
    if (*param == NULL)
        return false;
    **param = (struct fb_api_param){.name = draft.name, .in_path = fb_span_is(draft.in, "path")};
    if (fb_span_is(draft.type, "integer"))
        (*param)->kind = FB_API_INT;
    else if (fb_span_is(draft.format, "uuid"))
        (*param)->kind = FB_API_UUID;
    return true;
}

static bool read_params(struct reading *r, struct fb_api_param *list, size_t *count)
{
    if (fb_json_next(&r->json) != FB_JSON_ARRAY)
        return fb_json_skip(&r->json);
    while (fb_json_next(&r->json) == FB_JSON_OBJECT) {
        struct fb_api_param *param;
        if (!read_param(r, &param))
            return false;
        if (param != NULL && param->in_path && *count < FB_API_PARAMS_MAX)
            list[(*count)++] = *param;
    }
    return r->json.event == FB_JSON_ARRAY_END;
}

static bool read_shared(struct reading *r)
{
    if (!read_object(r))
        return false;
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        struct fb_span name = fb_arena_copy(r->api->arena, r->json.string);
        struct fb_api_param *param;
        if (fb_json_next(&r->json) != FB_JSON_OBJECT) {
            if (!fb_json_skip(&r->json))
                return false;
            continue;
        }
        if (!read_param(r, &param) || (param != NULL && !fb_map_put(&r->shared, name, param)))
            return false;
    }
    return r->json.event == FB_JSON_OBJECT_END;
}

/* --- Operations ---------------------------------------------------------------------------------------- */

/* An array of alternatives; open if it is empty, or one of them asks for nothing. */
static bool read_security(struct reading *r, enum fb_api_security *security)
{
    if (fb_json_next(&r->json) != FB_JSON_ARRAY)
        return fb_json_skip(&r->json);
    bool any = false, open = false;
    while (fb_json_next(&r->json) == FB_JSON_OBJECT) {
        bool asks = false;
        while (fb_json_next(&r->json) == FB_JSON_KEY) {
            asks = true;
            if (!fb_json_skip(&r->json))
                return false;
        }
        any = true;
        open |= !asks;
    }
    *security = !any || open ? FB_API_OPEN : FB_API_SIGNED_IN;
    return r->json.event == FB_JSON_ARRAY_END;
}

static const char *method_of(struct fb_span key)
{
    static const char *const methods[][2] = {
        {"get", "GET"}, {"put", "PUT"}, {"post", "POST"}, {"delete", "DELETE"}, {"patch", "PATCH"}};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (fb_span_is(key, methods[i][0]))
            return methods[i][1];
    return NULL;
}

static struct fb_api_operation *new_operation(struct reading *r, const char *method, struct fb_span path)
{
    struct fb_api *api = r->api;
    if (api->count == OPERATIONS_MAX) {
        fb_json_fail(&r->json, "openapi.too_many", "more than 16384 operations");
        return NULL;
    }
    struct fb_api_operation *grown =
        fb_arena_grow(api->arena, api->operations, api->count, &api->capacity, sizeof *grown);
    if (grown == NULL)
        return NULL;
    api->operations = grown;
    grown[api->count] = (struct fb_api_operation){.method = fb_span_z(method), .path = path};
    return &grown[api->count++];
}

static bool read_operation(struct reading *r, const char *method, struct fb_span path)
{
    if (!read_object(r))
        return false;
    struct fb_api_operation *operation = new_operation(r, method, path);
    if (operation == NULL)
        return false;
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        struct fb_span key = r->json.string;
        bool fine = fb_span_is(key, "operationId")  ? read_text(r, &operation->id)
                    : fb_span_is(key, "summary")    ? read_text(r, &operation->summary)
                    : fb_span_is(key, "security")   ? read_security(r, &operation->security)
                    : fb_span_is(key, "parameters") ? read_params(r, operation->params, &operation->params_count)
                                                    : fb_json_skip(&r->json);
        if (!fine)
            return false;
    }
    return r->json.event == FB_JSON_OBJECT_END;
}

/* What the path says of its parameters holds where the operation says nothing. */
static void inherit(struct fb_api_operation *operation, const struct fb_api_param *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool own = false;
        for (size_t j = 0; j < operation->params_count; j++)
            own |= fb_span_eq(operation->params[j].name, list[i].name);
        if (!own && operation->params_count < FB_API_PARAMS_MAX)
            operation->params[operation->params_count++] = list[i];
    }
}

static bool read_path(struct reading *r, struct fb_span path)
{
    if (!read_object(r))
        return false;
    size_t first = r->api->count;
    struct fb_api_param shared[FB_API_PARAMS_MAX];
    size_t shared_count = 0;
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        const char *method = method_of(r->json.string);
        bool fine = method != NULL                             ? read_operation(r, method, path)
                    : fb_span_is(r->json.string, "parameters") ? read_params(r, shared, &shared_count)
                                                               : fb_json_skip(&r->json);
        if (!fine)
            return false;
    }
    for (size_t i = first; i < r->api->count; i++)
        inherit(&r->api->operations[i], shared, shared_count);
    return r->json.event == FB_JSON_OBJECT_END;
}

static bool read_paths(struct reading *r)
{
    if (!read_object(r))
        return false;
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        struct fb_span path = fb_arena_copy(r->api->arena, r->json.string);
        bool fine = path.len != 0 && path.ptr[0] == '/' ? read_path(r, path) : fb_json_skip(&r->json);
        if (!fine)
            return false;
    }
    return r->json.event == FB_JSON_OBJECT_END;
}

/* --- The document ---------------------------------------------------------------------------------------- */

/* The path of "https://api.example.com/v1/". */
static struct fb_span path_of_url(struct fb_span url)
{
    for (size_t i = 0; i + 2 < url.len; i++)
        if (memcmp(url.ptr + i, "://", 3) == 0) {
            url = fb_span_from(url, i + 3);
            break;
        }
    struct fb_span path = fb_span_from(url, fb_span_find(url, '/'));
    while (path.len != 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    /* A server with variables says nothing definite. */
    return fb_span_find(path, '{') < path.len ? fb_span(NULL, 0) : path;
}

static bool read_servers(struct reading *r)
{
    if (fb_json_next(&r->json) != FB_JSON_ARRAY)
        return fb_json_skip(&r->json);
    bool first = true;
    while (fb_json_next(&r->json) == FB_JSON_OBJECT) {
        struct fb_span url = {0, NULL};
        while (fb_json_next(&r->json) == FB_JSON_KEY)
            if (!(fb_span_is(r->json.string, "url") ? read_text(r, &url) : fb_json_skip(&r->json)))
                return false;
        if (first)
            r->api->prefix = path_of_url(url);
        first = false;
    }
    return r->json.event == FB_JSON_ARRAY_END;
}

/* Into an object, for one of its members. */
static bool read_within(struct reading *r, const char *name, bool (*read)(struct reading *))
{
    if (fb_json_next(&r->json) != FB_JSON_OBJECT)
        return fb_json_skip(&r->json);
    while (fb_json_next(&r->json) == FB_JSON_KEY)
        if (!(fb_span_is(r->json.string, name) ? read(r) : fb_json_skip(&r->json)))
            return false;
    return r->json.event == FB_JSON_OBJECT_END;
}

static bool read_title(struct reading *r)
{
    return read_text(r, &r->api->title);
}

static bool first_pass(struct reading *r, bool *has_paths)
{
    struct fb_span base = {0, NULL};
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        struct fb_span key = r->json.string;
        *has_paths |= fb_span_is(key, "paths");
        bool fine = fb_span_is(key, "components")   ? read_within(r, "parameters", read_shared)
                    : fb_span_is(key, "parameters") ? read_shared(r)
                    : fb_span_is(key, "info")       ? read_within(r, "title", read_title)
                    : fb_span_is(key, "servers")    ? read_servers(r)
                    : fb_span_is(key, "basePath")   ? read_text(r, &base)
                    : fb_span_is(key, "security")   ? read_security(r, &r->api->security)
                                                    : fb_json_skip(&r->json);
        if (!fine)
            return false;
    }
    if (base.len != 0)
        r->api->prefix = path_of_url(base);
    return r->json.event == FB_JSON_OBJECT_END && fb_json_next(&r->json) == FB_JSON_END;
}

bool fb_api_read(struct fb_api *api, const struct fb_source *source, struct fb_arena *arena, struct fb_diags *diags)
{
    *api = (struct fb_api){.arena = arena};
    struct reading r = {.api = api};
    bool has_paths = false;
    fb_map_init(&r.shared, arena);
    fb_json_init(&r.json, source->text, arena, LIMITS);
    bool fine = read_object(&r) && first_pass(&r, &has_paths);
    if (fine && !has_paths) {
        fb_diag_add(diags, FB_ERROR, "openapi.shape", source, (struct fb_range){0, 1},
                    "this is no OpenAPI document: it has no paths");
        return false;
    }
    if (fine) {
        fb_json_init(&r.json, source->text, arena, LIMITS);
        fb_json_next(&r.json);
        while (fine && fb_json_next(&r.json) == FB_JSON_KEY)
            fine = fb_span_is(r.json.string, "paths") ? read_paths(&r) : fb_json_skip(&r.json);
    }
    if (fine && !arena->failed && api->count == 0) {
        fb_diag_add(diags, FB_ERROR, "openapi.empty", source, (struct fb_range){0, 1},
                    "this document has no operations, so there is nothing to make actions of");
        return false;
    }
    if (fine && !arena->failed)
        return true;
    if (r.json.error != NULL)
        fb_json_report(&r.json, source, diags);
    else
        fb_diag_add(diags, FB_ERROR, "openapi.memory", NULL, (struct fb_range){0, 0}, "out of memory");
    if (source->text.len != 0 && strchr("{[\"", source->text.ptr[0]) == NULL && diags->count != 0)
        diags->list[diags->count - 1].hint = FB_SPAN("a document of YAML is a file named *.yaml or *.yml");
    return false;
}
