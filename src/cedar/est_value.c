/* SPDX-License-Identifier: Apache-2.0 */

/* The values of JSON policies, as literals of the tree: not as values, since a set keeps its order there
 * and a constructor may still fail when the policy is evaluated.
 *
 * As in entities, an object whose only key is `__entity` or `__extn` is an escape if what it holds has
 * the shape of one, else a record. */

#include "cedar/est.h"

static bool leaf(struct fb_est *est, enum fb_expr_kind kind, struct fb_expr **expr)
{
    *expr = fb_est_new(est, kind, est->json.range);
    return fb_est_finish(est, *expr, est->json.range.start);
}

static bool read_number(struct fb_est *est, int64_t number, enum fb_expr_kind kind, const struct fb_expr **result)
{
    struct fb_expr *expr;
    if (!leaf(est, kind, &expr))
        return false;
    expr->number = number;
    *result = expr;
    return true;
}

static bool read_string(struct fb_est *est, const struct fb_expr **result)
{
    struct fb_expr *expr;
    if (!leaf(est, FB_E_STRING, &expr))
        return false;
    expr->text = est->json.string;
    *result = expr;
    return true;
}

static bool make_list(struct fb_est *est, enum fb_expr_kind kind, const struct fb_est_items *items,
                      struct fb_range open, const struct fb_expr **result)
{
    struct fb_expr *expr = fb_est_new(est, kind, open);
    if (expr == NULL)
        return false;
    expr->items = items->list;
    expr->names = kind == FB_E_RECORD ? items->names : NULL;
    expr->count = (uint32_t)items->count;
    *result = expr;
    return fb_est_finish(est, expr, open.start);
}

static bool read_set(struct fb_est *est, const struct fb_expr **result)
{
    struct fb_range open = est->json.range;
    struct fb_est_items items = {0};
    while (fb_json_next(&est->json) != FB_JSON_ARRAY_END) {
        const struct fb_expr *item = NULL;
        if (!fb_est_value(est, &item) || !fb_est_add_item(est, &items, FB_SPAN(""), item))
            return false;
    }
    return make_list(est, FB_E_SET, &items, open, result);
}

/* --- escapes --- */

static const struct fb_expr *member(const struct fb_expr *record, const char *name)
{
    for (uint32_t i = 0; record->kind == FB_E_RECORD && i < record->count; i++)
        if (fb_span_is(record->names[i], name))
            return record->items[i];
    return NULL;
}

static bool make_entity(struct fb_est *est, const struct fb_expr *type, const struct fb_expr *id, struct fb_range open,
                        const struct fb_expr **result)
{
    if (!fb_type_name_valid(type->text))
        return fb_est_fail_at(est, type->range, "json.type_name",
                              "a type's name is written as `User` or `App::User`, without white space");
    if (type->text.len > FB_UID_TYPE_MAX || id->text.len > FB_UID_ID_MAX)
        return fb_est_fail_at(est, open, "json.type_name", "an entity's type has at most %u bytes, its id %u",
                              FB_UID_TYPE_MAX, FB_UID_ID_MAX);
    struct fb_expr *expr = fb_est_new(est, FB_E_UID, open);
    if (expr == NULL)
        return false;
    expr->uid = fb_uid_new(est->parser.arena, type->text, id->text);
    *result = expr;
    return expr->uid != NULL && fb_est_finish(est, expr, open.start);
}

static bool make_call(struct fb_est *est, const struct fb_expr *fn, const struct fb_expr *arg,
                      const struct fb_expr *args, struct fb_range open, const struct fb_expr **result)
{
    enum fb_function function;
    if (!fb_est_function(fn->text, &function))
        return fb_est_fail_at(est, fn->range, "json.unknown", "there is no extension function of this name");
    struct fb_est_items items = {0};
    if (arg != NULL && !fb_est_add_item(est, &items, FB_SPAN(""), arg))
        return false;
    for (uint32_t i = 0; arg == NULL && i < args->count; i++)
        if (!fb_est_add_item(est, &items, FB_SPAN(""), args->items[i]))
            return false;
    return fb_est_call(est, function, &items, open, open.start, result);
}

/* An object with one key, which is an escape's.  *escape unset: it is a record after all. */
static bool make_escape(struct fb_est *est, struct fb_span key, const struct fb_expr *value, struct fb_range open,
                        bool *escape, const struct fb_expr **result)
{
    if (fb_span_is(key, "__expr")) {
        *escape = value->kind == FB_E_STRING;
        return *escape && fb_est_fail_at(est, open, "json.escape", "__expr is no longer part of Cedar; write the expression itself");
    }
    if (fb_span_is(key, "__entity")) {
        const struct fb_expr *type = member(value, "type"), *id = member(value, "id");
        *escape = type != NULL && id != NULL && type->kind == FB_E_STRING && id->kind == FB_E_STRING;
        return *escape && make_entity(est, type, id, open, result);
    }
    const struct fb_expr *fn = member(value, "fn"), *arg = member(value, "arg"), *args = member(value, "args");
    if (args != NULL && args->kind != FB_E_SET)
        args = NULL;
    *escape = fn != NULL && fn->kind == FB_E_STRING && (arg != NULL || args != NULL);
    return *escape && make_call(est, fn, arg, args, open, result);
}

static bool read_object(struct fb_est *est, const struct fb_expr **result)
{
    struct fb_range open = est->json.range;
    struct fb_est_items items = {0};
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        struct fb_span name = est->json.string;
        const struct fb_expr *item = NULL;
        fb_json_next(&est->json);
        if (!fb_est_value(est, &item) || !fb_est_add_item(est, &items, name, item))
            return false;
    }
    if (!fb_est_ended(est, FB_JSON_OBJECT_END))
        return false;
    bool escape = items.count == 1
                  && (fb_span_is(items.names[0], "__entity") || fb_span_is(items.names[0], "__extn")
                      || fb_span_is(items.names[0], "__expr"));
    bool made = escape && make_escape(est, items.names[0], items.list[0], open, &escape, result);
    return escape ? made : make_list(est, FB_E_RECORD, &items, open, result);
}

static bool read_value(struct fb_est *est, const struct fb_expr **expr)
{
    switch (est->json.event) {
    case FB_JSON_TRUE:
    case FB_JSON_FALSE: return read_number(est, est->json.event == FB_JSON_TRUE, FB_E_BOOL, expr);
    case FB_JSON_INTEGER: return read_number(est, est->json.integer, FB_E_LONG, expr);
    case FB_JSON_STRING: return read_string(est, expr);
    case FB_JSON_ARRAY: return read_set(est, expr);
    case FB_JSON_OBJECT: return read_object(est, expr);
    case FB_JSON_NULL: return fb_est_fail(est, "json.null", "Cedar has no null");
    case FB_JSON_NUMBER: return fb_est_fail(est, "json.number", "a Cedar number is an integer of 64 bits");
    case FB_JSON_ERROR:
    case FB_JSON_END:
    case FB_JSON_OBJECT_END:
    case FB_JSON_ARRAY_END:
    case FB_JSON_KEY: break;
    }
    return fb_est_fail(est, "json.type", "expected a value");
}

bool fb_est_value(struct fb_est *est, const struct fb_expr **expr)
{
    if (!fb_est_enter(est))
        return false;
    bool good = read_value(est, expr);
    fb_est_leave(est);
    return good;
}
