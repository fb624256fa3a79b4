/* SPDX-License-Identifier: Apache-2.0 */
/* A schema out of the operations of an API.
 *
 *   GET /repos/{owner}/{repo}/issues/{issue_number}
 *
 * becomes an action on `Issue::"{owner}/{repo}/{issue_number}"`: the type is the word before the last run of
 * parameters, in the singular, and the id all parameters, so that it names one thing.  A path without
 * parameters is about `Api::"api"`.  Actions that read are in the group `read`, all others in `write`,
 * so that a first policy needs no list of a thousand names. */
#include "cli/init.h"

#include <stdlib.h>

struct writing {
    const struct fb_api *api;
    struct fb_arena *arena;
    struct fb_buffer *schema;
    struct fb_map types, names, routes; /* routes: without the names of their parameters */
    struct fb_span *type_list;
    size_t types_count, types_capacity;
    bool guests;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool ends(struct fb_span word, const char *suffix)
{
    struct fb_span end = fb_span_z(suffix);
    return word.len > end.len && fb_span_eq(fb_span_from(word, word.len - end.len), end);
}

/* English enough for paths: repositories → repository, issues → issue, branches → branch, status. */
static struct fb_span singular(struct writing *w, struct fb_span word)
{
    if (ends(word, "ies") && word.len > 4)
        return fb_arena_format(w->arena, "%.*sy", (int)(word.len - 3), word.ptr);
    if (ends(word, "sses") || ends(word, "xes") || ends(word, "ches") || ends(word, "shes"))
        return fb_span_head(word, word.len - 2);
    if (ends(word, "s") && !ends(word, "ss") && !ends(word, "us") && !ends(word, "is"))
        return fb_span_head(word, word.len - 1);
    return word;
}

/* "code-scanning" → "CodeScanning".  Names that mean something else in a schema get `Item` behind. */
static struct fb_span type_name(struct writing *w, struct fb_span word)
{
    static const char *const taken[] = {"Action", "Guest",     "Role", "Api",    "Bool", "Boolean",
                                        "Entity", "Extension", "Long", "Record", "Set",  "String"};
    struct fb_buffer name;
    fb_buffer_init(&name, &fb_heap, 256);
    bool upper = true;
    for (size_t i = 0; i < word.len && i < 100; i++) {
        char c = word.ptr[i];
        if (!is_letter(c) && !is_digit(c)) {
            upper = true;
            continue;
        }
        if (name.len == 0 && is_digit(c))
            fb_buffer_add_char(&name, 'T');
        fb_buffer_add_char(&name, upper && c >= 'a' && c <= 'z' ? (char)(c - 32) : c);
        upper = false;
    }
    if (name.len == 0)
        fb_buffer_add_z(&name, "Item");
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (fb_span_is(fb_buffer_span(&name), taken[i]))
            fb_buffer_add_z(&name, "Item");
    struct fb_span copy = fb_arena_copy(w->arena, fb_buffer_span(&name));
    fb_buffer_release(&name);
    return copy;
}

/* --- Paths --------------------------------------------------------------------------------------------- */

static bool literal_fits(struct fb_span segment)
{
    for (size_t i = 0; i < segment.len; i++) {
        char c = segment.ptr[i];
        if (!is_letter(c) && !is_digit(c) && memchr("-._~@:!$&'*+=", c, 13) == NULL)
            return false;
    }
    return segment.len != 0 && !fb_span_is(segment, ".") && !fb_span_is(segment, "..");
}

static bool is_param(struct fb_span segment)
{
    return segment.len > 2 && segment.ptr[0] == '{' && fb_span_find(segment, '}') == segment.len - 1
           && fb_span_find(fb_span_from(segment, 1), '{') == segment.len - 1;
}

/* A route's parameter has a name of letters, digits and _. */
static void add_param_name(struct fb_buffer *out, struct fb_span name)
{
    if (is_digit(name.ptr[0]))
        fb_buffer_add_char(out, '_');
    for (size_t i = 0; i < name.len; i++)
        fb_buffer_add_char(out, is_letter(name.ptr[i]) || is_digit(name.ptr[i]) ? name.ptr[i] : '_');
}

static enum fb_api_kind kind_of(const struct fb_api_operation *operation, struct fb_span name)
{
    for (size_t i = 0; i < operation->params_count; i++)
        if (fb_span_eq(operation->params[i].name, name))
            return operation->params[i].kind;
    return FB_API_TEXT;
}

struct drawn {
    struct fb_buffer route, id; /* "/users/{id:int}", "{id}" */
    struct fb_buffer shape;     /* "/users/{:int}": two such routes would be one */
    struct fb_buffer example;   /* "/users/1": a path that has it */
    struct fb_span word;        /* what the resource's type is called after */
    size_t params;
    bool repeats;               /* a parameter's name, which a route has once */
};

/* Is there a parameter "{name" already? */
static bool is_drawn(const struct drawn *drawn, struct fb_span written)
{
    struct fb_span id = fb_buffer_span(&drawn->id);
    while (id.len != 0) {
        size_t end = fb_span_find(id, '}');
        if (fb_span_eq(fb_span_head(id, end), written))
            return true;
        id = fb_span_from(id, end + 2);
    }
    return false;
}

static bool draw_segment(struct drawn *drawn, const struct fb_api_operation *operation, struct fb_span segment,
                         struct fb_span before)
{
    fb_buffer_add_char(&drawn->route, '/');
    fb_buffer_add_char(&drawn->shape, '/');
    fb_buffer_add_char(&drawn->example, '/');
    if (!is_param(segment)) {
        fb_buffer_add(&drawn->route, segment);
        fb_buffer_add(&drawn->shape, segment);
        fb_buffer_add(&drawn->example, segment);
        return literal_fits(segment);
    }
    struct fb_span name = fb_span(segment.ptr + 1, segment.len - 2);
    enum fb_api_kind kind = kind_of(operation, name);
    const char *spelling = kind == FB_API_INT ? ":int}" : kind == FB_API_UUID ? ":uuid}" : "}";
    size_t start = drawn->route.len;
    fb_buffer_add_char(&drawn->route, '{');
    add_param_name(&drawn->route, name);
    struct fb_span written = fb_span_from(fb_buffer_span(&drawn->route), start);
    drawn->repeats |= is_drawn(drawn, written);
    fb_buffer_add_z(&drawn->id, drawn->params != 0 ? "/" : "");
    fb_buffer_add(&drawn->id, written);
    fb_buffer_add_char(&drawn->id, '}');
    fb_buffer_add_z(&drawn->route, spelling);
    fb_buffer_add_char(&drawn->shape, '{');
    fb_buffer_add_z(&drawn->shape, spelling);
    fb_buffer_add_z(&drawn->example, kind == FB_API_UUID ? "00000000-0000-4000-8000-000000000001" : "1");
    /* A run of parameters is called after the literal before it. */
    if (!is_param(before))
        drawn->word = before.len != 0 ? before : name;
    return ++drawn->params <= FB_API_PARAMS_MAX;
}

/* Of the server, before every path. */
static bool draw_prefix(struct drawn *drawn, struct fb_span prefix)
{
    bool fits = true;
    fb_buffer_add(&drawn->route, prefix);
    fb_buffer_add(&drawn->shape, prefix);
    fb_buffer_add(&drawn->example, prefix);
    while (prefix.len != 0) {
        prefix = fb_span_from(prefix, 1);
        size_t end = fb_span_find(prefix, '/');
        fits = literal_fits(fb_span_head(prefix, end)) && fits;
        prefix = fb_span_from(prefix, end);
    }
    return fits;
}

/* False: a route cannot say it. */
static bool draw(struct drawn *drawn, const struct fb_api *api, const struct fb_api_operation *operation)
{
    struct fb_span rest = fb_span_from(operation->path, 1), before = {0, NULL};
    bool fits = draw_prefix(drawn, api->prefix);
    while (rest.len != 0) {
        struct fb_span segment = fb_span_head(rest, fb_span_find(rest, '/'));
        rest = fb_span_from(rest, segment.len + 1);
        fits = draw_segment(drawn, operation, segment, before) && fits;
        before = segment;
    }
    if (drawn->route.len == 0 || ends(operation->path, "/")) {
        fb_buffer_add_char(&drawn->route, '/');
        fb_buffer_add_char(&drawn->shape, '/');
        fb_buffer_add_char(&drawn->example, '/');
    }
    return fits;
}

/* --- Names --------------------------------------------------------------------------------------------- */

static bool note_type(struct writing *w, struct fb_span name)
{
    if (fb_map_get(&w->types, name) != NULL)
        return true;
    struct fb_span *grown = fb_arena_grow(w->arena, w->type_list, w->types_count, &w->types_capacity, sizeof *grown);
    if (grown == NULL)
        return false;
    w->type_list = grown;
    grown[w->types_count++] = name;
    return fb_map_put(&w->types, name, w->arena);
}

/* A name that is taken, with how often it was asked for. */
static void note_name(struct writing *w, struct fb_span name)
{
    unsigned *uses = fb_arena_alloc(w->arena, sizeof *uses);
    if (uses == NULL)
        return;
    *uses = 1;
    (void)fb_map_put(&w->names, name, uses);
}

/* The operation's id, or method and path; made distinct. */
static struct fb_span action_name(struct writing *w, const struct fb_api_operation *operation)
{
    struct fb_span name = operation->id;
    if (name.len == 0)
        name = fb_arena_format(w->arena, "%.*s %.*s", (int)operation->method.len, operation->method.ptr,
                               (int)operation->path.len, operation->path.ptr);
    struct fb_span distinct = name;
    unsigned *uses = fb_map_get(&w->names, name);
    while (fb_map_get(&w->names, distinct) != NULL && !w->arena->failed)
        distinct = fb_arena_format(w->arena, "%.*s-%u", (int)name.len, name.ptr, ++*uses);
    note_name(w, distinct);
    return distinct;
}

static void add_comment(struct fb_buffer *out, struct fb_span text)
{
    if (text.len == 0)
        return;
    fb_buffer_add_z(out, "// ");
    for (size_t i = 0; i < text.len && i < 110; i++)
        fb_buffer_add_char(out, (unsigned char)text.ptr[i] < 0x20 ? ' ' : text.ptr[i]);
    fb_buffer_add_char(out, '\n');
}

static bool is_open(const struct fb_api *api, const struct fb_api_operation *operation)
{
    enum fb_api_security security = operation->security != FB_API_UNSAID ? operation->security : api->security;
    return security == FB_API_OPEN;
}

static bool is_read(const struct fb_api_operation *operation)
{
    return fb_span_is(operation->method, "GET");
}

static void add_action(struct writing *w, const struct fb_api_operation *operation, const struct drawn *drawn)
{
    struct fb_buffer *out = w->schema;
    bool open = is_open(w->api, operation);
    struct fb_span type = drawn->params != 0 ? type_name(w, singular(w, drawn->word)) : FB_SPAN("Api");
    note_type(w, type);
    w->guests |= open;
    fb_buffer_add_char(out, '\n');
    add_comment(out, operation->summary);
    fb_buffer_add_format(out, "@route(\"%.*s %.*s\")\n", (int)operation->method.len, operation->method.ptr,
                         (int)drawn->route.len, drawn->route.ptr);
    if (drawn->params == 0)
        fb_buffer_add_z(out, "@resource(\"Api::api\")\n");
    else if (drawn->params > 1)
        fb_buffer_add_format(out, "@resource(\"%.*s::%.*s\")\n", (int)type.len, type.ptr, (int)drawn->id.len,
                             drawn->id.ptr);
    fb_buffer_add_z(out, "action ");
    fb_buffer_add_cedar(out, action_name(w, operation));
    fb_buffer_add_format(out, " in [%s%s] appliesTo {\n  principal: %s,\n  resource: %.*s,\n};\n",
                         is_read(operation) ? "read" : "write", open ? ", open" : "", open ? "[Guest, User]" : "User",
                         (int)type.len, type.ptr);
}

/* The first of its method and shape?  Another one would be the same route. */
static bool note_route(struct writing *w, const struct fb_api_operation *operation, const struct drawn *drawn)
{
    struct fb_span shape = fb_arena_format(w->arena, "%.*s %.*s", (int)operation->method.len, operation->method.ptr,
                                           (int)drawn->shape.len, drawn->shape.ptr);
    return fb_map_get(&w->routes, shape) == NULL && fb_map_put(&w->routes, shape, w->arena);
}

/* *example is set once, by the first operation that fits. */
static bool add_operation(struct writing *w, const struct fb_api_operation *operation, struct fb_span *example)
{
    struct drawn drawn = {.params = 0};
    fb_buffer_init(&drawn.route, &fb_heap, 16u << 10);
    fb_buffer_init(&drawn.id, &fb_heap, 16u << 10);
    fb_buffer_init(&drawn.shape, &fb_heap, 16u << 10);
    fb_buffer_init(&drawn.example, &fb_heap, 16u << 10);
    bool whole = draw(&drawn, w->api, operation) && !drawn.route.failed && !drawn.id.failed && !drawn.shape.failed
                 && !drawn.example.failed;
    bool fits = whole && !drawn.repeats && note_route(w, operation, &drawn);
    if (fits) {
        add_action(w, operation, &drawn);
        if (example->len == 0)
            *example = fb_arena_format(w->arena, "%.*s %.*s", (int)operation->method.len, operation->method.ptr,
                                       (int)drawn.example.len, drawn.example.ptr);
    } else {
        const char *why = !whole          ? "a route takes whole segments"
                          : drawn.repeats ? "a route names a parameter once"
                                          : "another operation has this route";
        struct fb_span line = fb_arena_format(w->arena, "Left out, as %s: %.*s %.*s", why,
                                              (int)operation->method.len, operation->method.ptr,
                                              (int)operation->path.len, operation->path.ptr);
        fb_buffer_add_char(w->schema, '\n');
        add_comment(w->schema, line);
    }
    fb_buffer_release(&drawn.example);
    fb_buffer_release(&drawn.shape);
    fb_buffer_release(&drawn.id);
    fb_buffer_release(&drawn.route);
    return fits;
}

/* --- The two files ---------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return fb_span_cmp(*(const struct fb_span *)a, *(const struct fb_span *)b);
}

static void add_types(struct writing *w, struct fb_buffer *out)
{
    fb_buffer_add_z(out, "// Made by `forbid init --openapi`");
    if (w->api->title.len != 0) {
        fb_buffer_add_z(out, " from: ");
        fb_buffer_add_safe(out, fb_span_head(w->api->title, 80));
    }
    fb_buffer_add_z(
        out, ".\n// One action for each operation. Types and ids are guesses from the paths: correct them where\n"
             "// they mean something else.\n\n"
             "// Clients without credentials, where an action accepts them.\n"
             "@anonymous\nentity Guest enum [\"guest\"];\n\n"
             "// Roles stand in entities.json; a token's claim can put a user in them\n"
             "// (forbid serve … --principal-parents roles:Role).\n"
             "entity Role;\nentity User in [Role];\n\n"
             "// What routes without parameters are about.\nentity Api;\n\n"
             "// Require attributes, say entity Repo = { owner: User }; and a type has its existence in the\n"
             "// store: what it does not hold is a 404.\n");
    if (w->types_count != 0)
        qsort(w->type_list, w->types_count, sizeof *w->type_list, by_text);
    for (size_t i = 0; i < w->types_count; i++)
        if (!fb_span_is(w->type_list[i], "User") && !fb_span_is(w->type_list[i], "Api"))
            fb_buffer_add_format(out, "entity %.*s;\n", (int)w->type_list[i].len, w->type_list[i].ptr);
    fb_buffer_add_z(out, "\n// Groups of actions: what reads, what changes something, what needs no credentials.\n"
                         "action read;\naction write;\naction open;\n");
}

static const char policies[] =
    "// What is permitted; all else is refused. `forbid check DIR --routes` lists the actions.\n"
    "\n"
    "@id(\"administrators-do-everything\")\n"
    "@reason(\"insufficient_role\")\n"
    "@detail(\"Only administrators do this.\")\n"
    "permit (principal in Role::\"admin\", action, resource);\n";
static const char read_policy[] =
    "\n"
    "@id(\"readers-read\")\n"
    "permit (principal in Role::\"reader\", action in Action::\"read\", resource);\n";
static const char own_policy[] =
    "\n"
    "// Users see and change themselves, where the path names them.\n"
    "@id(\"users-manage-themselves\")\n"
    "permit (principal is User, action, resource is User)\n"
    "when { resource == principal };\n";
static const char open_policy[] = "\n"
                                  "// Operations that the API's description opens to everybody.\n"
                                  "@id(\"open-to-all\")\n"
                                  "permit (principal, action in Action::\"open\", resource);\n";

/* A policy that no action could meet would be warned of at the first check. */
static bool has_line(const struct fb_buffer *text, const char *part)
{
    return text->len != 0 && memmem(text->ptr, text->len, part, strlen(part)) != NULL;
}

bool fb_init_from_api(const struct fb_api *api, struct fb_buffer *schema, struct fb_buffer *policies_text,
                      struct fb_init_counts *counts)
{
    struct fb_buffer actions;
    fb_buffer_init(&actions, &fb_heap, schema->ceiling);
    struct writing w = {.api = api, .arena = api->arena, .schema = &actions};
    fb_map_init(&w.types, w.arena);
    fb_map_init(&w.names, w.arena);
    fb_map_init(&w.routes, w.arena);
    static const struct fb_span groups[] = {FB_SPAN_INIT("read"), FB_SPAN_INIT("write"), FB_SPAN_INIT("open")};
    for (size_t i = 0; i < 3; i++)
        note_name(&w, groups[i]);
    *counts = (struct fb_init_counts){.actions = 0};
    for (size_t i = 0; i < api->count; i++) {
        if (add_operation(&w, &api->operations[i], &counts->example))
            counts->actions++;
        else
            counts->left_out++;
    }
    add_types(&w, schema);
    fb_buffer_add(schema, fb_buffer_span(&actions));
    fb_buffer_add_z(policies_text, policies);
    if (has_line(&actions, " in [read"))
        fb_buffer_add_z(policies_text, read_policy);
    if (has_line(&actions, "\n  resource: User,\n"))
        fb_buffer_add_z(policies_text, own_policy);
    if (w.guests)
        fb_buffer_add_z(policies_text, open_policy);
    bool fine = !actions.failed && !schema->failed && !policies_text->failed && !w.arena->failed;
    fb_buffer_release(&actions);
    return fine;
}
