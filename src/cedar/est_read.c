/* SPDX-License-Identifier: Apache-2.0 */

/* JSON → policies: one policy or template, or a whole set.
 *
 *   Policy ::= {effect, principal, action, resource, conditions: [{kind, body}], annotations?}
 *   Set    ::= {staticPolicies?: {id: Policy}, templates?: {id: Policy}, templateLinks?: [Link]}
 *   Link   ::= {templateId, newId, values: {slot: uid}}
 *
 * Which of the two it is shows by the first member.  A member that is not known is a fault, but for
 * the places where upstream passes over it: there it is a warning. */

#include "cedar/est.h"

#include <stdio.h>

/* --- faults and what is shared --- */

bool fb_est_fail_at(struct fb_est *est, struct fb_range range, const char *code, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (est->json.error == NULL && !est->parser.arena->failed)
        fb_diag_add(est->parser.diags, FB_ERROR, code, est->parser.source, range, "%s", text);
    return false;
}

bool fb_est_fail(struct fb_est *est, const char *code, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fb_est_fail_at(est, est->json.range, code, "%s", text);
}

void fb_est_ignored(struct fb_est *est)
{
    fb_diag_add(est->parser.diags, FB_WARNING, "json.ignored", est->parser.source, est->json.range,
                "this member is passed over");
}

static struct fb_span list_of(struct fb_arena *arena, const struct fb_span *known, size_t count)
{
    struct fb_buffer text;
    fb_buffer_init(&text, arena->allocator, 4096);
    for (size_t i = 0; i < count; i++)
        fb_buffer_add_format(&text, "%s`%.*s`", i == 0 ? "known are " : i + 1 == count ? " and " : ", ",
                             (int)known[i].len, known[i].ptr);
    struct fb_span copy = text.failed ? FB_SPAN("") : fb_arena_copy(arena, fb_buffer_span(&text));
    fb_buffer_release(&text);
    return copy;
}

bool fb_est_unknown(struct fb_est *est, const char *what, const struct fb_span *known, size_t count)
{
    struct fb_span name = est->json.string;
    if (est->json.error != NULL)
        return false;
    struct fb_diag *diag = fb_diag_add(est->parser.diags, FB_ERROR, "json.unknown", est->parser.source,
                                       est->json.range, "there is no %s `%.*s`", what,
                                       (int)(name.len < 100 ? name.len : 100), name.ptr);
    fb_parse_hint_near(&est->parser, diag, name, known, count, NULL);
    if (diag->hint.len == 0 && count <= 8)
        diag->hint = list_of(est->parser.diags->arena, known, count);
    return false;
}

bool fb_est_is(struct fb_est *est, enum fb_json_event event, const char *what)
{
    return est->json.event == event || fb_est_fail(est, "json.type", "expected %s", what);
}

bool fb_est_expect(struct fb_est *est, enum fb_json_event event, const char *what)
{
    fb_json_next(&est->json);
    return fb_est_is(est, event, what);
}

bool fb_est_type(struct fb_est *est, struct fb_span *type)
{
    *type = est->json.string;
    if (!fb_type_name_valid(*type))
        return fb_est_fail(est, "json.type_name", "a type's name is written as `User` or `App::User`, without white space");
    return type->len <= FB_UID_TYPE_MAX
           || fb_est_fail(est, "json.type_name", "a name of %zu bytes; at most %u are read", type->len, FB_UID_TYPE_MAX);
}

bool fb_est_uid(struct fb_est *est, const struct fb_uid **uid)
{
    *uid = fb_uid_read_json(&est->json, est->parser.arena);
    return *uid != NULL;
}

/* --- policies --- */

/* The members of a policy; each is a bit of those that were met. */
enum { EFFECT, PRINCIPAL, ACTION, RESOURCE, CONDITIONS, ANNOTATIONS, MEMBERS };
static const struct fb_span members[MEMBERS] = {
    FB_SPAN_INIT("effect"), FB_SPAN_INIT("principal"), FB_SPAN_INIT("action"),
    FB_SPAN_INIT("resource"), FB_SPAN_INIT("conditions"), FB_SPAN_INIT("annotations"),
};

static bool read_effect(struct fb_est *est, struct fb_policy *policy)
{
    if (!fb_est_expect(est, FB_JSON_STRING, "`permit` or `forbid`"))
        return false;
    policy->effect_range = est->json.range;
    policy->effect = fb_span_is(est->json.string, "permit") ? FB_PERMIT : FB_FORBID;
    static const struct fb_span known[] = {FB_SPAN_INIT("permit"), FB_SPAN_INIT("forbid")};
    return policy->effect == FB_PERMIT || fb_span_is(est->json.string, "forbid")
           || fb_est_unknown(est, "effect", known, 2);
}

/* {kind, body}, whose opening brace was taken. */
static bool read_condition(struct fb_est *est, struct fb_condition *condition)
{
    struct fb_range open = est->json.range;
    bool kind = false;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        if (fb_span_is(est->json.string, "kind")) {
            if (!fb_est_expect(est, FB_JSON_STRING, "`when` or `unless`"))
                return false;
            condition->unless = fb_span_is(est->json.string, "unless");
            static const struct fb_span known[] = {FB_SPAN_INIT("when"), FB_SPAN_INIT("unless")};
            if (!condition->unless && !fb_span_is(est->json.string, "when"))
                return fb_est_unknown(est, "kind of condition", known, 2);
            kind = true;
        } else if (fb_span_is(est->json.string, "body")) {
            fb_json_next(&est->json);
            if (!fb_est_expr(est, &condition->body))
                return false;
        } else {
            static const struct fb_span known[] = {FB_SPAN_INIT("kind"), FB_SPAN_INIT("body")};
            return fb_est_unknown(est, "member of a condition", known, 2);
        }
    }
    if (!fb_est_ended(est, FB_JSON_OBJECT_END))
        return false;
    condition->range = (struct fb_range){open.start, est->json.range.end};
    if (!kind || condition->body == NULL)
        return fb_est_fail_at(est, open, "json.missing", "a condition has a `kind` and a `body`");
    return true;
}

static bool read_conditions(struct fb_est *est, struct fb_policy *policy)
{
    struct fb_condition *list = NULL;
    size_t count = 0, capacity = 0;
    if (!fb_est_expect(est, FB_JSON_ARRAY, "an array of conditions"))
        return false;
    while (fb_json_next(&est->json) == FB_JSON_OBJECT) {
        list = fb_arena_grow(est->parser.arena, list, count, &capacity, sizeof *list);
        if (list == NULL)
            return false;
        list[count] = (struct fb_condition){.unless = false};
        if (!read_condition(est, &list[count++]))
            return false;
    }
    policy->conditions = list;
    policy->conditions_count = (uint32_t)count;
    return fb_est_is(est, FB_JSON_ARRAY_END, "a condition, an object");
}

/* An identifier, a reserved one too. */
static bool is_annotation_key(struct fb_span key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return key.len != 0;
}

bool fb_est_annotations(struct fb_est *est, const struct fb_annotation **result, uint32_t *length)
{
    struct fb_annotation *list = NULL;
    size_t count = 0, capacity = 0;
    if (!fb_est_expect(est, FB_JSON_OBJECT, "an object of annotations"))
        return false;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        struct fb_annotation annotation = {.key = est->json.string, .key_range = est->json.range};
        if (!is_annotation_key(annotation.key))
            return fb_est_fail(est, "json.annotation", "an annotation's name is an identifier");
        fb_json_next(&est->json);
        if (est->json.event != FB_JSON_NULL && !fb_est_is(est, FB_JSON_STRING, "a string or null"))
            return false;
        annotation.has_value = est->json.event == FB_JSON_STRING;
        annotation.value = annotation.has_value ? est->json.string : FB_SPAN("");
        annotation.value_range = est->json.range;
        list = fb_arena_grow(est->parser.arena, list, count, &capacity, sizeof *list);
        if (list == NULL)
            return false;
        list[count++] = annotation;
    }
    *result = list;
    *length = (uint32_t)count;
    return fb_est_ended(est, FB_JSON_OBJECT_END);
}

static bool read_member(struct fb_est *est, struct fb_policy *policy, unsigned *met)
{
    unsigned member = 0;
    while (member < MEMBERS && !fb_span_eq(est->json.string, members[member]))
        member++;
    *met |= 1u << member;
    switch (member) {
    case EFFECT: return read_effect(est, policy);
    case PRINCIPAL: return fb_est_scope(est, FB_PRINCIPAL, &policy->principal);
    case ACTION: return fb_est_scope(est, FB_ACTION, &policy->action);
    case RESOURCE: return fb_est_scope(est, FB_RESOURCE, &policy->resource);
    case CONDITIONS: return read_conditions(est, policy);
    case ANNOTATIONS: return fb_est_annotations(est, &policy->annotations, &policy->annotations_count);
    default: return fb_est_unknown(est, "member of a policy", members, MEMBERS);
    }
}

/* Behind '{' and, with `first`, behind the first key. */
static struct fb_policy *read_policy(struct fb_est *est, struct fb_range open, bool first)
{
    struct fb_policy *policy = fb_arena_alloc(est->parser.arena, sizeof *policy);
    unsigned met = 0;
    if (policy == NULL || (first && !read_member(est, policy, &met)))
        return NULL;
    while (fb_json_next(&est->json) == FB_JSON_KEY)
        if (!read_member(est, policy, &met))
            return NULL;
    if (!fb_est_ended(est, FB_JSON_OBJECT_END))
        return NULL;
    for (unsigned i = 0; i < ANNOTATIONS; i++)
        if ((met & 1u << i) == 0) {
            fb_est_fail_at(est, open, "json.missing", "the policy has no `%s`", members[i].ptr);
            return NULL;
        }
    policy->is_template = policy->principal.slot || policy->resource.slot;
    policy->source = est->parser.source;
    policy->range = (struct fb_range){open.start, est->json.range.end};
    return policy;
}

/* --- sets --- */

static bool add_policy(struct fb_est *est, struct fb_policy *policy, struct fb_span id, struct fb_range range)
{
    const char *error = policy != NULL ? fb_policy_set_add(est->set, policy, id) : NULL;
    return policy != NULL && (error == NULL || fb_est_fail_at(est, range, "policy.duplicate_id", "%s", error));
}

/* {id: policy}, all of them templates or none. */
static bool read_policies(struct fb_est *est, bool templates)
{
    if (!fb_est_expect(est, FB_JSON_OBJECT, "an object of policies by their ids"))
        return false;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        struct fb_span id = est->json.string;
        struct fb_range range = est->json.range;
        if (!fb_est_expect(est, FB_JSON_OBJECT, "a policy, an object"))
            return false;
        struct fb_policy *policy = read_policy(est, est->json.range, false);
        if (policy != NULL && policy->is_template != templates)
            return fb_est_fail_at(est, range, "json.template",
                                  templates ? "this policy has no slot, so it is no template"
                                            : "this policy has a slot, so it belongs into `templates`");
        if (!add_policy(est, policy, id, range))
            return false;
    }
    return fb_est_ended(est, FB_JSON_OBJECT_END);
}

/* As met; the links are made when all templates are known. */
struct link {
    struct fb_span template_id, id;
    struct fb_range range;
    const struct fb_uid *principal, *resource;
    bool has_template, has_id, has_values;
};

struct links {
    struct link *list;
    size_t count, capacity;
};

static bool read_values(struct fb_est *est, struct link *link)
{
    if (!fb_est_expect(est, FB_JSON_OBJECT, "an object of slots and uids"))
        return false;
    link->has_values = true;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        static const struct fb_span known[] = {FB_SPAN_INIT("?principal"), FB_SPAN_INIT("?resource")};
        bool principal = fb_span_eq(est->json.string, known[0]);
        if (!principal && !fb_span_eq(est->json.string, known[1]))
            return fb_est_unknown(est, "slot", known, 2);
        fb_json_next(&est->json);
        if (!fb_est_uid(est, principal ? &link->principal : &link->resource))
            return false;
    }
    return fb_est_ended(est, FB_JSON_OBJECT_END);
}

static bool read_link(struct fb_est *est, struct link *link)
{
    static const struct fb_span known[] = {FB_SPAN_INIT("templateId"), FB_SPAN_INIT("newId"), FB_SPAN_INIT("values")};
    link->range = est->json.range;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        bool template_id = fb_span_eq(est->json.string, known[0]);
        if (template_id || fb_span_eq(est->json.string, known[1])) {
            if (!fb_est_expect(est, FB_JSON_STRING, "an id, a string"))
                return false;
            *(template_id ? &link->template_id : &link->id) = est->json.string;
            *(template_id ? &link->has_template : &link->has_id) = true;
        } else if (fb_span_eq(est->json.string, known[2])) {
            if (!read_values(est, link))
                return false;
        } else {
            return fb_est_unknown(est, "member of a template link", known, 3);
        }
    }
    if (!fb_est_ended(est, FB_JSON_OBJECT_END))
        return false;
    return (link->has_template && link->has_id && link->has_values)
           || fb_est_fail_at(est, link->range, "json.missing", "a link has a `templateId`, a `newId` and `values`");
}

static bool read_links(struct fb_est *est, struct links *links)
{
    if (!fb_est_expect(est, FB_JSON_ARRAY, "an array of template links"))
        return false;
    while (fb_json_next(&est->json) == FB_JSON_OBJECT) {
        links->list = fb_arena_grow_alone(est->parser.arena, links->list, links->count, &links->capacity,
                                          sizeof *links->list);
        if (links->list == NULL)
            return false;
        struct link *link = &links->list[links->count++];
        *link = (struct link){.has_id = false};
        if (!read_link(est, link))
            return false;
    }
    return fb_est_is(est, FB_JSON_ARRAY_END, "a template link, an object");
}

static bool make_links(struct fb_est *est, const struct links *links)
{
    for (size_t i = 0; i < links->count; i++) {
        const struct link *link = &links->list[i];
        const char *error;
        if (fb_policy_set_link(est->set, link->template_id, link->id, link->principal, link->resource, &error) == NULL)
            return fb_est_fail_at(est, link->range, "json.link", "%s", error);
    }
    fb_arena_give_back(est->parser.arena, links->list, links->capacity * sizeof *links->list);
    return true;
}

/* Behind the first key. */
static bool read_set(struct fb_est *est)
{
    static const struct fb_span known[] = {FB_SPAN_INIT("staticPolicies"), FB_SPAN_INIT("templates"),
                                           FB_SPAN_INIT("templateLinks")};
    struct links links = {0};
    do {
        bool read = false;
        if (fb_span_eq(est->json.string, known[0]) || fb_span_eq(est->json.string, known[1]))
            read = read_policies(est, fb_span_eq(est->json.string, known[1]));
        else if (fb_span_eq(est->json.string, known[2]))
            read = read_links(est, &links);
        else
            return fb_est_unknown(est, "member of a policy set", known, 3);
        if (!read)
            return false;
    } while (fb_json_next(&est->json) == FB_JSON_KEY);
    return fb_est_ended(est, FB_JSON_OBJECT_END) && make_links(est, &links);
}

static bool read_document(struct fb_est *est)
{
    if (!fb_est_expect(est, FB_JSON_OBJECT, "a policy or a policy set, an object"))
        return false;
    struct fb_range open = est->json.range;
    if (fb_json_next(&est->json) != FB_JSON_KEY)
        return fb_est_fail(est, "json.missing",
                           "a policy set has `staticPolicies`, `templates` or `templateLinks`, a policy an `effect`");
    for (unsigned i = 0; i < MEMBERS; i++)
        if (fb_span_eq(est->json.string, members[i])) {
            struct fb_span id = fb_arena_format(est->parser.arena, "policy%u", est->set->positions);
            return add_policy(est, read_policy(est, open, true), id, open);
        }
    return read_set(est);
}

bool fb_policy_set_read_json(struct fb_policy_set *set, const struct fb_source *source, struct fb_diags *diags)
{
    size_t errors = diags->errors;
    /* A chain of operators nests two levels each; the rest is limited by its depth as it is read. */
    struct fb_json_limits limits = {
        .depth = 2 * FB_EXPR_SPINE + 4 * FB_EXPR_HEIGHT, .bytes = FB_CEDAR_TEXT_MAX, .keys = 1u << 20};
    struct fb_est est = {.parser = {.source = source, .diags = diags, .arena = set->arena, .fault_at = UINT32_MAX},
                         .set = set};
    fb_json_init(&est.json, source->text, set->arena, limits);
    if (read_document(&est) && fb_json_next(&est.json) == FB_JSON_END)
        return diags->errors == errors;
    if (est.json.error != NULL)
        fb_json_report(&est.json, source, diags);
    else if (diags->errors == errors)
        fb_diag_add(diags, FB_ERROR, "parse.memory", source, (struct fb_range){0, 0},
                    "not enough memory for the policies");
    return false;
}
