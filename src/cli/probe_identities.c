/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: identities from a file, or one by one from --as.  Credentials stay in `fields`, which nothing prints.
 *
 *   {"identities": [{"name": "alice", "token_file": "alice.jwt", "owns": {"id": ["7"]}}, {"name": "nobody"}],
 *    "parameters": {"slug": ["welcome"]}, "absent": {"id": "999"},
 *    "open": ["GET /articles/{slug}"], "privileged": ["GET /admin/users"], "bodies": {"POST /users": {"name": "x"}}} */
#include "cli/probe.h"

#include <stdlib.h>

#define SECRET_MAX ((size_t)64 << 10)

const struct fb_probe_param *fb_probe_param_find(const struct fb_probe_params *params, struct fb_span name)
{
    for (size_t i = 0; i < params->count; i++)
        if (fb_span_eq(params->list[i].name, name))
            return &params->list[i];
    return NULL;
}

static struct fb_probe_param *new_param(struct fb_arena *arena, struct fb_probe_params *params, struct fb_span name)
{
    struct fb_probe_param *grown = fb_arena_grow(arena, params->list, params->count, &params->capacity, sizeof *grown);
    if (grown == NULL)
        return NULL;
    params->list = grown;
    grown[params->count] = (struct fb_probe_param){.name = name};
    return &grown[params->count++];
}

static bool add_value(struct fb_probe_world *world, struct fb_probe_params *params, struct fb_span name, struct fb_span value)
{
    struct fb_probe_param *param = NULL;
    for (size_t i = 0; i < params->count; i++)
        if (fb_span_eq(params->list[i].name, name))
            param = &params->list[i];
    if (param == NULL)
        param = new_param(world->arena, params, name);
    struct fb_span *values = param != NULL ? fb_arena_array(world->arena, param->count + 1, sizeof *values) : NULL;
    if (values == NULL || param->count == FB_PROBE_VALUES_MAX)
        return false;
    for (size_t i = 0; i < param->count; i++)
        values[i] = param->values[i];
    values[param->count++] = value;
    param->values = values;
    return true;
}

bool fb_probe_matches(struct fb_span pattern, struct fb_span text)
{
    /* The last star takes one byte more whenever what follows it does not fit. */
    size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

/* --- Credentials ------------------------------------------------------------------------------------------ */

static bool has_controls(struct fb_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

static const char *add_field(struct fb_probe_world *world, struct fb_probe_identity *who, struct fb_span line)
{
    if (fb_span_find(line, ':') == line.len || line.ptr[0] == ':')
        return "a header is written as 'Name: value'";
    if (has_controls(line))
        return "there is a line end or another control in the credentials";
    if (who->fields_count == sizeof who->fields / sizeof who->fields[0])
        return "more than 8 headers";
    char *text = fb_arena_text(world->arena, line);
    if (text == NULL)
        return "out of memory";
    who->fields[who->fields_count++] = text;
    return NULL;
}

static const char *add_token(struct fb_probe_world *world, struct fb_probe_identity *who, struct fb_span token)
{
    while (token.len != 0 && strchr(" \t\r\n", token.ptr[token.len - 1]) != NULL)
        token.len--;
    token = fb_span_trim(token);
    if (token.len == 0)
        return "the token is empty";
    return add_field(world, who, fb_arena_format(world->arena, "Authorization: Bearer %.*s", (int)token.len, token.ptr));
}

/* A file's name is no secret. */
static const char *told(struct fb_probe_world *world, struct fb_span path, const char *why)
{
    struct fb_span text = fb_arena_format(world->arena, "%.*s: %s", (int)path.len, path.ptr, why);
    return text.len != 0 ? fb_arena_text(world->arena, text) : why;
}

static const char *add_token_file(struct fb_probe_world *world, struct fb_probe_identity *who, struct fb_span path)
{
    struct fb_buffer text;
    char *name = fb_arena_text(world->arena, path);
    fb_buffer_init(&text, &fb_heap, SECRET_MAX);
    int error = name != NULL ? fb_buffer_read_file(&text, name) : 0;
    const char *why = name == NULL ? "out of memory" : error != 0 ? told(world, path, strerror(error)) : add_token(world, who, fb_buffer_span(&text));
    fb_buffer_release(&text);
    return why;
}

static const char *add_token_env(struct fb_probe_world *world, struct fb_probe_identity *who, struct fb_span variable)
{
    char *name = fb_arena_text(world->arena, variable);
    const char *value = name != NULL ? getenv(name) : NULL;
    return value != NULL ? add_token(world, who, fb_span_z(value)) : "there is no such variable in the environment";
}

static struct fb_probe_identity *new_identity(struct fb_probe_world *world, struct fb_span name, const char **why)
{
    *why = name.len == 0 || name.len > 64 || has_controls(name) ? "a name has 1 to 64 characters" : NULL;
    for (size_t i = 0; *why == NULL && i < world->count; i++)
        if (fb_span_eq(world->list[i].name, name))
            *why = "there are two of this name";
    if (*why == NULL && world->count == FB_PROBE_IDENTITIES_MAX)
        *why = "more than 64 identities";
    if (*why != NULL)
        return NULL;
    struct fb_probe_identity *who = &world->list[world->count++];
    *who = (struct fb_probe_identity){.name = name};
    return who;
}

bool fb_probe_identity_add(struct fb_cli *cli, struct fb_probe_world *world, const char *text)
{
    struct fb_span whole = fb_span_z(text);
    size_t equals = fb_span_find(whole, '=');
    struct fb_span name = fb_span_head(whole, equals), what = fb_span_from(whole, equals + 1);
    const char *why = NULL;
    /* What stands behind the name may be a secret, and is not repeated. */
    if (equals == whole.len || what.len == 0)
        return fb_cli_wrong(cli, "probe", "--as is NAME=TOKEN, NAME=@FILE, NAME='header:Name: value' or NAME=none");
    struct fb_probe_identity *who = new_identity(world, name, &why);
    if (who != NULL && what.ptr[0] == '@')
        why = add_token_file(world, who, fb_span_from(what, 1));
    else if (who != NULL && fb_span_starts(what, FB_SPAN("header:")))
        why = add_field(world, who, fb_span_trim(fb_span_from(what, strlen("header:"))));
    else if (who != NULL && !fb_span_is(what, "none"))
        why = add_token(world, who, what);
    return why == NULL || fb_cli_wrong(cli, "probe", "--as %.*s=…: %s", (int)name.len, name.ptr, why);
}

bool fb_probe_owns_add(struct fb_cli *cli, struct fb_probe_world *world, const char *text)
{
    struct fb_span whole = fb_span_z(text);
    size_t colon = fb_span_find(whole, ':');
    struct fb_span name = fb_span_head(whole, colon), rest = fb_span_from(whole, colon + 1);
    size_t equals = fb_span_find(rest, '=');
    if (colon == whole.len || equals == 0 || equals + 1 >= rest.len)
        return fb_cli_wrong(cli, "probe", "--owns is NAME:PARAMETER=VALUE, alice:id=7, not '%s'", text);
    for (size_t i = 0; i < world->count; i++)
        if (fb_span_eq(world->list[i].name, name))
            return add_value(world, &world->list[i].owns, fb_span_head(rest, equals), fb_span_from(rest, equals + 1)) ||
                   fb_cli_wrong(cli, "probe", "--owns: more than %u values, or no memory", FB_PROBE_VALUES_MAX);
    return fb_cli_wrong(cli, "probe", "--owns %s: there is no identity '%.*s'", text, (int)name.len, name.ptr);
}

bool fb_probe_add_nobody(struct fb_probe_world *world)
{
    const char *why;
    for (size_t i = 0; i < world->count; i++)
        if (world->list[i].fields_count == 0)
            return true;
    if (new_identity(world, FB_SPAN("nobody"), &why) == NULL)
        return false;
    struct fb_probe_identity nobody = world->list[world->count - 1];
    memmove(world->list + 1, world->list, (world->count - 1) * sizeof nobody);
    world->list[0] = nobody;
    return true;
}

/* --- The file ------------------------------------------------------------------------------------------------ */

struct reading {
    struct fb_probe_world *world;
    struct fb_json json;
};

static bool wrong(struct reading *r, const char *code, const char *what)
{
    fb_json_fail(&r->json, code, what);
    return false;
}

static bool expect(struct reading *r, enum fb_json_event event, const char *what)
{
    return fb_json_next(&r->json) == event || (r->json.event != FB_JSON_ERROR && wrong(r, "identities.shape", what));
}

static bool read_text(struct reading *r, struct fb_span *text)
{
    if (!expect(r, FB_JSON_STRING, "a text in quotes is expected here"))
        return false;
    *text = fb_arena_copy(r->world->arena, r->json.string);
    return !r->world->arena->failed;
}

/* A value of a parameter: a text, or a whole number. */
static bool is_value(const struct reading *r)
{
    return r->json.event == FB_JSON_STRING || r->json.event == FB_JSON_INTEGER;
}

/* "7", or ["7", "8"]. */
static bool read_values(struct reading *r, struct fb_span **list, size_t *count, bool values)
{
    struct fb_arena *arena = r->world->arena;
    bool many = fb_json_next(&r->json) == FB_JSON_ARRAY;
    size_t capacity = 0;
    *list = NULL;
    *count = 0;
    if (many)
        fb_json_next(&r->json);
    while (r->json.event == FB_JSON_STRING || (values && is_value(r))) {
        struct fb_span *grown = fb_arena_grow(arena, *list, *count, &capacity, sizeof **list);
        if (grown == NULL)
            return false;
        if (*count == FB_PROBE_VALUES_MAX)
            return wrong(r, "identities.too_many", "more than 64 of these");
        *list = grown;
        grown[(*count)++] = fb_arena_copy(arena, r->json.string);
        if (!many)
            return true;
        fb_json_next(&r->json);
    }
    return (many && r->json.event == FB_JSON_ARRAY_END) ||
           (r->json.event != FB_JSON_ERROR && wrong(r, "identities.shape", "a text or an array of texts is expected here"));
}

/* {"id": ["7"]} */
static bool read_params(struct reading *r, struct fb_probe_params *params)
{
    if (!expect(r, FB_JSON_OBJECT, "an object is expected here: {\"id\": [\"7\"]}"))
        return false;
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        struct fb_probe_param *param = new_param(r->world->arena, params, fb_arena_copy(r->world->arena, r->json.string));
        if (param == NULL || !read_values(r, &param->values, &param->count, true))
            return false;
    }
    return r->json.event == FB_JSON_OBJECT_END;
}

static bool read_headers(struct reading *r, struct fb_probe_identity *who)
{
    if (!expect(r, FB_JSON_OBJECT, "an object is expected here: {\"X-Api-Key\": \"…\"}"))
        return false;
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        struct fb_span name = r->json.string, value;
        if (!read_text(r, &value))
            return false;
        const char *why = add_field(r->world, who, fb_arena_format(r->world->arena, "%.*s: %.*s", (int)name.len, name.ptr, (int)value.len, value.ptr));
        if (why != NULL)
            return wrong(r, "identities.header", why);
    }
    return r->json.event == FB_JSON_OBJECT_END;
}

static bool read_uid(struct reading *r, const struct fb_uid **uid)
{
    struct fb_span text;
    if (!read_text(r, &text))
        return false;
    *uid = fb_uid_parse(r->world->arena, text);
    return *uid != NULL || wrong(r, "identities.uid", "this is no entity uid; one is written as \"User::\\\"alice\\\"\"");
}

static bool read_groups(struct reading *r, struct fb_probe_identity *who)
{
    struct fb_span *texts;
    if (!read_values(r, &texts, &who->groups_count, false))
        return false;
    who->groups = fb_arena_array(r->world->arena, who->groups_count, sizeof *who->groups);
    for (size_t i = 0; who->groups != NULL && i < who->groups_count; i++)
        if ((who->groups[i] = fb_uid_parse(r->world->arena, texts[i])) == NULL)
            return wrong(r, "identities.uid", "one of these is no entity uid; one is written as \"Role::\\\"admin\\\"\"");
    return who->groups != NULL;
}

static bool read_secret(struct reading *r, struct fb_probe_identity *who,
                        const char *(*add)(struct fb_probe_world *, struct fb_probe_identity *, struct fb_span))
{
    struct fb_span text;
    if (!read_text(r, &text))
        return false;
    const char *why = add(r->world, who, text);
    return why == NULL || wrong(r, "identities.token", why);
}

static bool read_flag(struct reading *r, bool *flag)
{
    fb_json_next(&r->json);
    *flag = r->json.event == FB_JSON_TRUE;
    return *flag || r->json.event == FB_JSON_FALSE || (r->json.event != FB_JSON_ERROR && wrong(r, "identities.shape", "true or false is expected here"));
}

static bool read_member(struct reading *r, struct fb_probe_identity *who)
{
    struct fb_span key = r->json.string;
    if (fb_span_is(key, "name"))
        return read_text(r, &who->name);
    if (fb_span_is(key, "token"))
        return read_secret(r, who, add_token);
    if (fb_span_is(key, "token_file"))
        return read_secret(r, who, add_token_file);
    if (fb_span_is(key, "token_env"))
        return read_secret(r, who, add_token_env);
    if (fb_span_is(key, "headers"))
        return read_headers(r, who);
    if (fb_span_is(key, "principal"))
        return read_uid(r, &who->principal);
    if (fb_span_is(key, "scopes"))
        return read_values(r, &who->scopes, &who->scopes_count, false);
    if (fb_span_is(key, "groups"))
        return read_groups(r, who);
    if (fb_span_is(key, "owns"))
        return read_params(r, &who->owns);
    if (fb_span_is(key, "privileged"))
        return read_flag(r, &who->privileged);
    return wrong(r, "identities.member", "an identity has name, token, token_file, token_env, headers, principal, scopes, groups, owns, privileged");
}

static bool read_identity(struct reading *r)
{
    struct fb_probe_identity draft = {.fields_count = 0};
    const char *why;
    struct fb_range at = r->json.range;
    while (fb_json_next(&r->json) == FB_JSON_KEY)
        if (!read_member(r, &draft))
            return false;
    if (r->json.event != FB_JSON_OBJECT_END)
        return false;
    struct fb_probe_identity *who = new_identity(r->world, draft.name, &why);
    if (who == NULL) {
        r->json.range = at;
        return wrong(r, "identities.name", draft.name.len == 0 ? "this identity has no \"name\"" : why);
    }
    *who = draft;
    return true;
}

static bool read_identities(struct reading *r)
{
    if (!expect(r, FB_JSON_ARRAY, "an array of identities is expected here"))
        return false;
    while (fb_json_next(&r->json) == FB_JSON_OBJECT)
        if (!read_identity(r))
            return false;
    return r->json.event == FB_JSON_ARRAY_END || (r->json.event != FB_JSON_ERROR && wrong(r, "identities.shape", "an identity is an object"));
}

/* {"POST /users": {…}}: the text of each body as it stands. */
static bool read_bodies(struct reading *r)
{
    struct fb_probe_world *world = r->world;
    if (!expect(r, FB_JSON_OBJECT, "an object is expected here: {\"POST /users\": {…}}"))
        return false;
    while (fb_json_next(&r->json) == FB_JSON_KEY) {
        struct fb_span route = fb_arena_copy(world->arena, r->json.string);
        struct fb_probe_body *grown = fb_arena_grow(world->arena, world->bodies, world->bodies_count, &world->bodies_capacity, sizeof *grown);
        fb_json_next(&r->json);
        uint32_t start = r->json.range.start;
        if (grown == NULL || !fb_json_skip(&r->json))
            return false;
        world->bodies = grown;
        grown[world->bodies_count++] = (struct fb_probe_body){route, fb_arena_copy(world->arena, fb_span(r->json.text.ptr + start, r->json.range.end - start))};
    }
    return r->json.event == FB_JSON_OBJECT_END;
}

static bool read_top(struct reading *r)
{
    struct fb_probe_world *world = r->world;
    struct fb_span key = r->json.string;
    if (fb_span_is(key, "identities"))
        return read_identities(r);
    if (fb_span_is(key, "parameters"))
        return read_params(r, &world->shared);
    if (fb_span_is(key, "absent"))
        return read_params(r, &world->absent);
    if (fb_span_is(key, "open"))
        return read_values(r, &world->open, &world->open_count, false);
    if (fb_span_is(key, "privileged"))
        return read_values(r, &world->privileged, &world->privileged_count, false);
    if (fb_span_is(key, "bodies"))
        return read_bodies(r);
    return wrong(r, "identities.member", "the file has identities, parameters, absent, open, privileged, bodies");
}

void fb_probe_hide_lines(struct fb_diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        struct fb_diag *diag = &diags->list[i];
        if (diag->source == NULL)
            continue;
        struct fb_position at = fb_source_position(diag->source, diag->range.start);
        diag->message = fb_arena_format(diags->arena, "%.*s:%u:%u: %.*s", (int)diag->source->name.len, diag->source->name.ptr, at.line, at.column,
                                        (int)diag->message.len, diag->message.ptr);
        diag->source = diag->other = NULL;
    }
}

bool fb_probe_identities_read(struct fb_probe_world *world, const struct fb_source *source, const struct fb_yaml *yaml, struct fb_diags *diags)
{
    struct reading r = {.world = world};
    fb_json_init(&r.json, source->text, world->arena, FB_JSON_LIMITS);
    bool good = expect(&r, FB_JSON_OBJECT, "an object with \"identities\" is expected here");
    while (good && fb_json_next(&r.json) == FB_JSON_KEY)
        good = read_top(&r);
    good = good && r.json.event == FB_JSON_OBJECT_END && fb_json_next(&r.json) == FB_JSON_END && !world->arena->failed;
    if (good)
        return true;
    if (r.json.error != NULL)
        fb_json_report(&r.json, source, diags);
    else
        fb_diag_add(diags, FB_ERROR, "identities.memory", NULL, (struct fb_range){0, 0}, "out of memory");
    if (yaml != NULL)
        fb_yaml_place(yaml, diags, 0);
    fb_probe_hide_lines(diags);
    return false;
}
