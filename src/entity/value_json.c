/* SPDX-License-Identifier: Apache-2.0 */

/* Values from Cedar's JSON.
 *
 * Whether an object is a record or an escape shows at its end only, so each is read as a record, and
 * an escape is made of the fields then.  A function's arguments are kept aside in their order
 * meanwhile, since a set loses it.  What has an escape's key and not its shape stays a record, as
 * upstream has it; under a schema that wants an entity or an extension it then does not conform. */

#include "entity/json.h"

/* Levels of objects and arrays that an escape at the deepest place may have below its key: the call, its
 * arguments, a call among them. */
#define ESCAPE_LEVELS 3u

struct reader {
    struct fb_json *json;
    struct fb_arena *arena;
    const struct fb_value_hints *hints;
    unsigned slack;     /* 0, or ESCAPE_LEVELS within an escape */
};

/* `{fn, arg}` or `{fn, args}`, as met; with both, `arg` counts. */
struct call {
    struct fb_value fn, arg, args[FB_EXTENSION_ARGS];
    uint32_t args_count;    /* all of them, kept or not */
    bool has_fn, has_arg, has_args;
    bool typed;             /* the schema wants an extension here: arguments may do without escapes too */
};

/* The hint for an argument whose type is known once the function is: strings stay strings. */
static const char any_extension;

static struct fb_type_hint argument_hint(const struct call *call)
{
    struct fb_type_hint any = {.hint = FB_HINT_EXTENSION, .type = &any_extension};
    return call->typed ? any : (struct fb_type_hint){0};
}

static bool is_call(const struct call *call)
{
    return call->has_fn && (call->has_arg || call->has_args);
}

/* Whose fields an object holds. */
struct scope {
    enum { RECORD, ATTRS, TAGS } kind;
    struct fb_type_hint hint;       /* RECORD */
    struct fb_span entity_type;     /* ATTRS, TAGS */
};

struct fields {
    struct fb_field *list;
    size_t count, capacity;
};

static bool read_value(struct reader *r, struct fb_type_hint hint, unsigned depth, struct fb_value *value);

static bool fail(struct reader *r, const char *code, const char *error)
{
    if (r->json->error == NULL)
        fb_json_fail(r->json, code, error);
    return false;
}

static bool no_memory(struct reader *r)
{
    return fail(r, "json.memory", "out of memory, or more data than this reader may hold");
}

static bool too_deep(struct reader *r)
{
    return fail(r, "entity.too_deep", "sets and records are nested more than 64 deep");
}

/* A constructor applied to a string. */
static bool construct(struct reader *r, enum fb_kind kind, struct fb_span text, struct fb_value *value)
{
    const char *error = fb_extension_make(r->arena, kind, text, value);
    if (error == NULL)
        return true;
    return r->arena->failed ? no_memory(r) : fail(r, "entity.extension", error);
}

static struct fb_type_hint field_hint(const struct reader *r, const struct scope *scope, struct fb_span name)
{
    const struct fb_value_hints *hints = r->hints;
    if (hints != NULL && scope->kind == ATTRS)
        return hints->attribute(hints->schema, scope->entity_type, name);
    if (hints != NULL && scope->kind == TAGS)
        return hints->tag(hints->schema, scope->entity_type);
    if (hints != NULL && scope->hint.hint == FB_HINT_RECORD)
        return hints->field(hints->schema, scope->hint.type, name);
    return (struct fb_type_hint){0};
}

/* Behind '['.  With `call` the first elements are kept in their order too. */
static bool read_set(struct reader *r, struct fb_type_hint hint, unsigned depth, struct call *call,
                     struct fb_value *set)
{
    struct fb_type_hint element = call != NULL ? argument_hint(call) : (struct fb_type_hint){0};
    if (hint.hint == FB_HINT_SET && r->hints != NULL)
        element = r->hints->element(r->hints->schema, hint.type);
    struct fb_value *values = NULL;
    size_t count = 0, capacity = 0;
    while (fb_json_next(r->json) != FB_JSON_ARRAY_END) {
        values = fb_arena_grow(r->arena, values, count, &capacity, sizeof *values);
        if (values == NULL)
            return no_memory(r);
        if (!read_value(r, element, depth + 1, &values[count]))
            return false;
        if (call != NULL && count < sizeof call->args / sizeof call->args[0])
            call->args[count] = values[count];
        count++;
    }
    if (call != NULL)
        call->args_count = (uint32_t)count;
    return fb_value_set(r->arena, values, count, set) || no_memory(r);
}

/* A field's value, of which `call` takes what it knows. */
static bool read_call_field(struct reader *r, struct fb_span name, unsigned depth, struct call *call,
                            struct fb_value *value)
{
    bool args = fb_span_is(name, "args") && r->json->event == FB_JSON_ARRAY;
    if (args && depth + 1 <= FB_VALUE_DEPTH + r->slack) {
        call->has_args = true;
        return read_set(r, (struct fb_type_hint){0}, depth + 1, call, value);
    }
    bool arg = fb_span_is(name, "arg");
    if (!read_value(r, arg ? argument_hint(call) : (struct fb_type_hint){0}, depth + 1, value))
        return false;
    if (fb_span_is(name, "fn") && value->kind == FB_STRING) {
        call->has_fn = true;
        call->fn = *value;
    } else if (arg) {
        call->has_arg = true;
        call->arg = *value;
    }
    return true;
}

static bool is_escape(struct fb_span name)
{
    return fb_span_is(name, "__entity") || fb_span_is(name, "__extn") || fb_span_is(name, "__expr");
}

/* Behind '{', to its end.  `inner` takes the call within a first field `__extn`, `outer` the call that
 * this object itself is; either may be NULL. */
static bool read_fields(struct reader *r, const struct scope *scope, unsigned depth, struct call *outer,
                        struct call *inner, struct fields *fields)
{
    while (fb_json_next(r->json) == FB_JSON_KEY) {
        struct fb_span name = r->json->string;
        fields->list = fb_arena_grow(r->arena, fields->list, fields->count, &fields->capacity, sizeof *fields->list);
        if (fields->list == NULL)
            return no_memory(r);
        struct fb_value *value = &fields->list[fields->count].value;
        fields->list[fields->count].name = name;
        bool escape = scope->kind == RECORD && fields->count == 0 && is_escape(name), read;
        unsigned slack = r->slack;
        r->slack = escape ? ESCAPE_LEVELS : slack;
        fb_json_next(r->json);
        if (escape && fb_span_is(name, "__extn") && r->json->event == FB_JSON_OBJECT) {
            struct fields parts = {0};
            read = read_fields(r, &(struct scope){.kind = RECORD}, depth + 1, inner, NULL, &parts)
                && (fb_value_record(r->arena, parts.list, parts.count, value) || no_memory(r));
        } else if (outer != NULL) {
            read = read_call_field(r, name, depth, outer, value);
        } else {
            read = read_value(r, field_hint(r, scope, name), depth + 1, value);
        }
        r->slack = slack;
        if (!read)
            return false;
        fields->count++;
    }
    return r->json->event == FB_JSON_OBJECT_END;
}

static const struct fb_value *field_of_kind(const struct fb_field *list, size_t count, const char *name,
                                            enum fb_kind kind)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].value.kind == kind && fb_span_is(list[i].name, name))
            return &list[i].value;
    return NULL;
}

static bool make_uid(struct reader *r, struct fb_value type, struct fb_value id, struct fb_value *value)
{
    if (!fb_type_name_valid(fb_value_text(type)))
        return fail(r, "entity.type_name",
                    "an entity's type is a name such as User or App::User, without white space or a "
                    "reserved word (if, in, is, …, __cedar)");
    if (type.count > FB_UID_TYPE_MAX || id.count > FB_UID_ID_MAX)
        return fail(r, "entity.uid_too_long", "an entity's type has at most 1024 bytes, its id 65535");
    const struct fb_uid *uid = fb_uid_new(r->arena, fb_value_text(type), fb_value_text(id));
    if (uid == NULL)
        return no_memory(r);
    *value = fb_value_entity(uid);
    return true;
}

static bool make_extension(struct reader *r, const struct call *call, struct fb_value *value)
{
    struct fb_extension_call made = {.function = fb_value_text(call->fn), .typed = call->typed};
    made.count = call->has_arg ? 1 : call->args_count;
    for (uint32_t i = 0; i < made.count && i < FB_EXTENSION_ARGS; i++)
        made.args[i] = call->has_arg ? call->arg : call->args[i];
    const char *error = fb_extension_call(r->arena, &made, value);
    if (error == NULL)
        return true;
    return r->arena->failed ? no_memory(r) : fail(r, "entity.extension", error);
}

/* Levels of sets and records in a value, itself included. */
static unsigned levels_of(struct fb_value value)
{
    const struct fb_cell *cells = NULL;
    uint64_t count = 0;
    if (value.kind == FB_SET) {
        cells = value.cells;
        count = value.count;
    } else if (value.kind == FB_RECORD) {
        cells = fb_record_values(value.record);
        count = value.record->count;
    } else {
        return 0;
    }
    unsigned deepest = 0;
    for (uint64_t i = 0; i < count; i++) {
        unsigned levels = levels_of(fb_cell_load(&cells[i]));
        deepest = levels > deepest ? levels : deepest;
    }
    return deepest + 1;
}

static bool make_record(struct reader *r, const struct fields *fields, unsigned depth, struct fb_value *value)
{
    bool escape = fields->count == 1 && is_escape(fields->list[0].name);
    /* What an escape may have below its key, a record may not. */
    unsigned below = escape ? levels_of(fields->list[0].value) : 0;
    if (depth + below >= FB_VALUE_DEPTH + r->slack)
        return too_deep(r);
    return fb_value_record(r->arena, fields->list, fields->count, value) || no_memory(r);
}

/* An object whose only key is an escape's.  False with *escape unset: it is a record after all. */
static bool make_escape(struct reader *r, const struct fb_field *field, const struct call *call, bool *escape,
                        struct fb_value *value)
{
    if (fb_span_is(field->name, "__expr")) {
        *escape = field->value.kind == FB_STRING;
        return *escape && fail(r, "entity.escape", "__expr is no longer part of Cedar; write the value itself");
    }
    if (fb_span_is(field->name, "__extn")) {
        *escape = is_call(call);
        return *escape && make_extension(r, call, value);
    }
    const struct fb_cell *type = NULL, *id = NULL;
    if (field->value.kind == FB_RECORD) {
        type = fb_record_find(field->value.record, fb_hash(FB_SPAN("type")), FB_SPAN("type"));
        id = fb_record_find(field->value.record, fb_hash(FB_SPAN("id")), FB_SPAN("id"));
    }
    *escape = type != NULL && id != NULL && type->kind == FB_STRING && id->kind == FB_STRING;
    return *escape && make_uid(r, fb_cell_load(type), fb_cell_load(id), value);
}

/* Behind '{'. */
static bool read_object(struct reader *r, struct fb_type_hint hint, unsigned depth, struct fb_value *value)
{
    struct fb_range start = r->json->range;
    struct scope scope = {.kind = RECORD, .hint = hint};
    bool extension = hint.hint == FB_HINT_EXTENSION, escape = false, made = false;
    struct call outer = {.typed = true}, inner = {.typed = extension};
    struct fields fields = {0};
    if (!read_fields(r, &scope, depth, extension ? &outer : NULL, &inner, &fields))
        return false;
    struct fb_range end = r->json->range;
    r->json->range = start;     /* what is wrong now is wrong with the whole object */
    const struct fb_value *type = field_of_kind(fields.list, fields.count, "type", FB_STRING);
    const struct fb_value *id = field_of_kind(fields.list, fields.count, "id", FB_STRING);
    if (fields.count == 1 && is_escape(fields.list[0].name))
        made = make_escape(r, &fields.list[0], &inner, &escape, value);
    if (!escape && hint.hint == FB_HINT_ENTITY && type != NULL && id != NULL)
        made = make_uid(r, *type, *id, value);
    else if (!escape && extension && is_call(&outer))
        made = make_extension(r, &outer, value);
    else if (!escape)
        made = make_record(r, &fields, depth, value);
    if (made)
        r->json->range = end;
    return made;
}

/* `depth`: sets and records that are open around this value. */
static bool read_value(struct reader *r, struct fb_type_hint hint, unsigned depth, struct fb_value *value)
{
    struct fb_json *json = r->json;
    /* An object one deeper may still turn out to be an escape. */
    unsigned limit = FB_VALUE_DEPTH + r->slack + (json->event == FB_JSON_OBJECT);
    if ((json->event == FB_JSON_ARRAY || json->event == FB_JSON_OBJECT) && depth >= limit)
        return too_deep(r);
    switch (json->event) {
    case FB_JSON_TRUE:
    case FB_JSON_FALSE:
        *value = fb_value_bool(json->event == FB_JSON_TRUE);
        return true;
    case FB_JSON_INTEGER:
        *value = fb_value_number(FB_LONG, json->integer);
        return true;
    case FB_JSON_STRING:
        *value = fb_value_string(json->string);
        return hint.hint != FB_HINT_EXTENSION || hint.type == &any_extension || construct(r, hint.extension, json->string, value);
    case FB_JSON_ARRAY:
        return read_set(r, hint, depth, NULL, value);
    case FB_JSON_OBJECT:
        return read_object(r, hint, depth, value);
    case FB_JSON_NULL:
        return fail(r, "entity.null", "Cedar has no null; leave the attribute out");
    case FB_JSON_NUMBER:
        return fail(r, "entity.number", "a Cedar number is an integer of 64 bits; for fractions there is decimal");
    case FB_JSON_ERROR:
        return false;
    case FB_JSON_END:
    case FB_JSON_OBJECT_END:
    case FB_JSON_ARRAY_END:
    case FB_JSON_KEY:
        break;
    }
    return fail(r, "entity.value", "a value is expected here");
}

bool fb_value_read_json(struct fb_json *json, struct fb_arena *arena, const struct fb_value_hints *hints,
                        struct fb_type_hint hint, struct fb_value *value)
{
    struct reader r = {.json = json, .arena = arena, .hints = hints};
    return read_value(&r, hint, 0, value);
}

bool fb_fields_read_json(struct fb_json *json, struct fb_arena *arena, const struct fb_value_hints *hints,
                         enum fb_fields which, struct fb_span entity_type, struct fb_value *record)
{
    struct reader r = {.json = json, .arena = arena, .hints = hints};
    struct scope scope = {.kind = which == FB_FIELDS_ATTRS ? ATTRS : TAGS, .entity_type = entity_type};
    struct fields fields = {0};
    return read_fields(&r, &scope, 0, NULL, NULL, &fields)
        && (fb_value_record(arena, fields.list, fields.count, record) || no_memory(&r));
}
