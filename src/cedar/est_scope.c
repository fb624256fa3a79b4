/* SPDX-License-Identifier: Apache-2.0 */

/* The scope of a JSON policy, a variable at a time:
 *
 *   {op: "All"} | {op: "==", X} | {op: "in", X} | {op: "is", entity_type, in?: {X}}
 *
 * with X = `entity: {type, id}` or, but for the action, `slot: "?principal"`; for the action's `in` also
 * `entities: […]`, and no `is`. */

#include "cedar/est.h"

/* Members as they come; which of them count shows at the end, by `op`. */
struct draft {
    struct fb_span op, type;
    struct fb_range open, slot_range;
    const struct fb_uid *uid;
    const struct fb_uid **list;
    size_t count, capacity;
    bool has_op, has_type, has_entity, has_list, has_slot, has_in, slot_fits;
};

static bool read_slot(struct fb_est *est, enum fb_var var, struct draft *draft)
{
    if (!fb_est_expect(est, FB_JSON_STRING, "a slot, `?principal` or `?resource`"))
        return false;
    static const struct fb_span known[] = {FB_SPAN_INIT("?principal"), FB_SPAN_INIT("?resource")};
    draft->has_slot = true;
    draft->slot_range = est->json.range;
    draft->slot_fits = var != FB_ACTION && fb_span_eq(est->json.string, known[var == FB_PRINCIPAL ? 0 : 1]);
    return fb_span_eq(est->json.string, known[0]) || fb_span_eq(est->json.string, known[1])
           || fb_est_unknown(est, "slot", known, 2);
}

static bool read_list(struct fb_est *est, struct draft *draft)
{
    if (!fb_est_expect(est, FB_JSON_ARRAY, "an array of uids"))
        return false;
    draft->has_list = true;
    while (fb_json_next(&est->json) == FB_JSON_OBJECT) {
        draft->list = fb_arena_grow(est->parser.arena, draft->list, draft->count, &draft->capacity,
                                    sizeof(const struct fb_uid *));
        if (draft->list == NULL || !fb_est_uid(est, &draft->list[draft->count++]))
            return false;
    }
    return fb_est_is(est, FB_JSON_ARRAY_END, "a uid, an object");
}

/* `{entity}` or `{slot}` behind `in`, or null. */
static bool read_in(struct fb_est *est, enum fb_var var, struct draft *draft)
{
    fb_json_next(&est->json);
    if (est->json.event == FB_JSON_NULL)
        return true;
    struct fb_range open = est->json.range;
    if (!fb_est_is(est, FB_JSON_OBJECT, "an object with `entity` or `slot`"))
        return false;
    draft->has_in = true;
    draft->has_entity = false;
    while (fb_json_next(&est->json) == FB_JSON_KEY) {
        bool read = true;
        if (fb_span_is(est->json.string, "entity")) {
            fb_json_next(&est->json);
            draft->has_entity = true;
            read = fb_est_uid(est, &draft->uid);
        } else if (fb_span_is(est->json.string, "slot")) {
            read = read_slot(est, var, draft);
        } else {
            fb_est_ignored(est);
            read = fb_json_skip(&est->json);
        }
        if (!read)
            return false;
    }
    if (!fb_est_ended(est, FB_JSON_OBJECT_END))
        return false;
    return draft->has_entity || draft->has_slot
           || fb_est_fail_at(est, open, "json.missing", "an `entity` or a `slot` is missing here");
}

/* What `op` is, and whether there is an `entity`: on that depends what the other members mean, and they may
 * stand in front.  Faults are left to the reading itself. */
static void look_ahead(struct fb_est *est, struct draft *draft)
{
    struct fb_json ahead;
    fb_json_init(&ahead, fb_span_from(est->json.text, draft->open.start), est->parser.arena, est->json.limits);
    fb_json_next(&ahead);
    while (fb_json_next(&ahead) == FB_JSON_KEY) {
        bool op = fb_span_is(ahead.string, "op");
        draft->has_entity |= fb_span_is(ahead.string, "entity");
        fb_json_next(&ahead);
        if (op && ahead.event == FB_JSON_STRING)
            draft->op = ahead.string;
        if (!fb_json_skip(&ahead))
            return;
    }
}

static bool op_is(const struct draft *draft, const char *op)
{
    return fb_span_is(draft->op, op);
}

static bool read_op(struct fb_est *est, struct draft *draft)
{
    draft->has_op = true;
    return fb_est_expect(est, FB_JSON_STRING, "an operator, a string");
}

/* A member that the operator makes use of; others are passed over, but for `is`. */
static bool read_member(struct fb_est *est, enum fb_var var, struct draft *draft, bool *ignored)
{
    struct fb_span key = est->json.string;
    bool compares = op_is(draft, "==") || op_is(draft, "in"), is = op_is(draft, "is") && var != FB_ACTION;
    if (fb_span_is(key, "op"))
        return read_op(est, draft);
    if (compares && fb_span_is(key, "entity")) {
        fb_json_next(&est->json);
        return fb_est_uid(est, &draft->uid);
    }
    if (compares && !draft->has_entity && fb_span_is(key, "slot"))
        return read_slot(est, var, draft);
    if (op_is(draft, "in") && var == FB_ACTION && !draft->has_entity && fb_span_is(key, "entities"))
        return read_list(est, draft);
    if (is && fb_span_is(key, "in"))
        return read_in(est, var, draft);
    if (is && fb_span_is(key, "entity_type")) {
        draft->has_type = true;
        return fb_est_expect(est, FB_JSON_STRING, "a type's name") && fb_est_type(est, &draft->type);
    }
    *ignored = true;
    fb_est_ignored(est);
    return fb_json_skip(&est->json);
}

/* The entity or slot that the operator compares with. */
static bool take_entity(struct fb_est *est, enum fb_var var, const struct draft *draft, struct fb_scope *scope)
{
    if (draft->has_entity) {
        scope->uid = draft->uid;
        if (var != FB_ACTION || fb_is_action_type(fb_uid_type(draft->uid)))
            return true;
        return fb_est_fail_at(est, draft->open, "parse.action_type", "an action's type is `Action`, perhaps in a namespace");
    }
    scope->slot = draft->has_slot;
    if (!draft->has_slot)
        return fb_est_fail_at(est, draft->open, "json.missing", "an `entity` is missing here");
    if (draft->slot_fits)
        return true;
    return fb_est_fail_at(est, draft->slot_range, "parse.slot",
                          var == FB_ACTION ? "the scope of the action takes no slot"
                                           : "this slot cannot stand for this variable");
}

static bool take_list(struct fb_est *est, const struct draft *draft, struct fb_scope *scope)
{
    scope->op = FB_SCOPE_IN_LIST;
    scope->list = draft->list;
    scope->count = (uint32_t)draft->count;
    for (size_t i = 0; i < draft->count; i++)
        if (!fb_is_action_type(fb_uid_type(draft->list[i])))
            return fb_est_fail_at(est, draft->open, "parse.action_type",
                                  "an action's type is `Action`, perhaps in a namespace");
    return true;
}

static bool take(struct fb_est *est, enum fb_var var, const struct draft *draft, bool ignored, struct fb_scope *scope)
{
    if (!draft->has_op)
        return fb_est_fail_at(est, draft->open, "json.missing", "this part of the scope has no `op`");
    if (fb_span_is(draft->op, "All") || fb_span_is(draft->op, "all")) {
        scope->op = FB_SCOPE_ANY;
        return true;
    }
    if (fb_span_is(draft->op, "==") || fb_span_is(draft->op, "in")) {
        scope->op = fb_span_is(draft->op, "==") ? FB_SCOPE_EQ : FB_SCOPE_IN;
        if (scope->op == FB_SCOPE_IN && draft->has_list && !draft->has_entity)
            return take_list(est, draft, scope);
        return take_entity(est, var, draft, scope);
    }
    if (!fb_span_is(draft->op, "is") || var == FB_ACTION)
        return fb_est_fail_at(est, draft->open, "json.unknown", "there is no operator `%.*s` here",
                              (int)(draft->op.len < 40 ? draft->op.len : 40), draft->op.ptr);
    if (!draft->has_type)
        return fb_est_fail_at(est, draft->open, "json.missing", "`is` needs an `entity_type`");
    if (ignored)
        return fb_est_fail_at(est, draft->open, "json.unknown", "beside `is` there are only `entity_type` and `in`");
    scope->type = draft->type;
    scope->op = draft->has_in ? FB_SCOPE_IS_IN : FB_SCOPE_IS;
    return !draft->has_in || take_entity(est, var, draft, scope);
}

bool fb_est_scope(struct fb_est *est, enum fb_var var, struct fb_scope *scope)
{
    if (!fb_est_expect(est, FB_JSON_OBJECT, "an object with an `op`"))
        return false;
    struct draft draft = {.open = est->json.range};
    bool ignored = false;
    look_ahead(est, &draft);
    while (fb_json_next(&est->json) == FB_JSON_KEY)
        if (!read_member(est, var, &draft, &ignored))
            return false;
    if (!fb_est_ended(est, FB_JSON_OBJECT_END))
        return false;
    scope->range = (struct fb_range){draft.open.start, est->json.range.end};
    return take(est, var, &draft, ignored, scope);
}
