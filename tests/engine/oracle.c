/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

#include <assert.h>

typedef const struct oracle *O;
typedef const struct fb_expr *X;

static bool yes_no(bool b, struct fb_value *out)
{
    *out = fb_value_bool(b);
    return true;
}

/* --- Equality by definition ------------------------------------------------------------------- */

static bool member(struct fb_value set, struct fb_value element)
{
    bool found = false;
    for (uint32_t i = 0; i < set.count; i++)
        found |= oracle_equal(fb_cell_load(set.cells + i), element);
    return found;
}

static bool subset(struct fb_value a, struct fb_value b)
{
    bool all = true;
    for (uint32_t i = 0; i < a.count; i++)
        all &= member(b, fb_cell_load(a.cells + i));
    return all;
}

/* The field by its name alone. */
static bool field(const struct fb_record *record, struct fb_span name, struct fb_value *out)
{
    for (uint64_t i = 0; i < record->count; i++) {
        struct fb_value key = fb_cell_load(fb_record_names(record) + i);
        if (fb_span_eq(fb_value_text(key), name)) {
            *out = fb_cell_load(fb_record_values(record) + i);
            return true;
        }
    }
    return false;
}

static bool records_equal(const struct fb_record *a, const struct fb_record *b)
{
    if (a->count != b->count)
        return false;
    for (uint64_t i = 0; i < a->count; i++) {
        struct fb_value other;
        if (!field(b, fb_value_text(fb_cell_load(fb_record_names(a) + i)), &other)
            || !oracle_equal(fb_cell_load(fb_record_values(a) + i), other))
            return false;
    }
    return true;
}

static bool same_uid(const struct fb_uid *a, const struct fb_uid *b)
{
    return fb_span_eq(fb_uid_type(a), fb_uid_type(b)) && fb_span_eq(fb_uid_id(a), fb_uid_id(b));
}

bool oracle_equal(struct fb_value a, struct fb_value b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case FB_STRING: return fb_span_eq(fb_value_text(a), fb_value_text(b));
    case FB_ENTITY: return same_uid(a.uid, b.uid);
    case FB_SET: return subset(a, b) && subset(b, a);
    case FB_RECORD: return records_equal(a.record, b.record);
    case FB_IP: return a.ip->family == b.ip->family && a.ip->prefix == b.ip->prefix
                       && memcmp(a.ip->address, b.ip->address, a.ip->family == 4 ? 4 : 16) == 0;
    default: return a.number == b.number;
    }
}

/* --- Entities --------------------------------------------------------------------------------- */

static bool entity_of(O o, const struct fb_uid *uid, struct fb_entity *entity)
{
    return o->request->entities->find(o->request->entities->self, uid, entity) == FB_FOUND;
}

/* Reflexive, and otherwise up through each parent: stores have no cycles. */
static bool within(O o, const struct fb_uid *uid, const struct fb_uid *group)
{
    struct fb_entity entity;
    if (same_uid(uid, group))
        return true;
    if (!entity_of(o, uid, &entity))
        return false;
    for (uint32_t i = 0; i < entity.parents.count; i++)
        if (within(o, fb_ref_uid(entity.parents.refs + i), group))
            return true;
    return false;
}

static bool in_value(O o, struct fb_value a, struct fb_value b, struct fb_value *out)
{
    if (a.kind != FB_ENTITY)
        return false;
    if (b.kind == FB_ENTITY)
        return yes_no(within(o, a.uid, b.uid), out);
    if (b.kind != FB_SET)
        return false;
    bool entities = true, found = false;
    for (uint32_t i = 0; i < b.count; i++)
        entities &= fb_cell_load(b.cells + i).kind == FB_ENTITY;
    for (uint32_t i = 0; entities && i < b.count; i++)
        found |= within(o, a.uid, fb_cell_load(b.cells + i).uid);
    return entities && yes_no(found, out);
}

/* 1 there, 0 not, -1 it has no fields at all. */
static int look(O o, struct fb_value of, struct fb_span name, struct fb_value *out)
{
    struct fb_entity entity;
    if (of.kind == FB_RECORD)
        return field(of.record, name, out);
    if (of.kind != FB_ENTITY)
        return -1;
    return entity_of(o, of.uid, &entity) && field(entity.attrs, name, out);
}

static bool tag_value(O o, bool get, struct fb_value of, struct fb_value key, struct fb_value *out)
{
    struct fb_entity entity;
    struct fb_value found;
    if (of.kind != FB_ENTITY || key.kind != FB_STRING)
        return false;
    bool there = entity_of(o, of.uid, &entity) && field(entity.tags, fb_value_text(key), &found);
    if (!get)
        return yes_no(there, out);
    if (there)
        *out = found;
    return there;
}

/* --- like ------------------------------------------------------------------------------------- */

/* Does text match from literal i on, which stands at its start? */
static bool matches(const struct fb_pattern *p, uint32_t i, struct fb_span text)
{
    if (!fb_span_starts(text, p->literals[i]))
        return false;
    text = fb_span_from(text, p->literals[i].len);
    if (i == p->wildcards)
        return text.len == 0;
    for (size_t skip = 0; skip <= text.len; skip++)
        if (matches(p, i + 1, fb_span_from(text, skip)))
            return true;
    return false;
}

/* --- Functions -------------------------------------------------------------------------------- */

static bool call_function(O o, X x, struct fb_value *out)
{
    struct fb_value v[2] = {{0}, {0}}, extra;
    for (uint32_t i = 0; i < x->count; i++)
        if (!oracle_eval(o, x->items[i], i < 2 ? &v[i] : &extra))
            return false;
    if (x->count != fb_functions[x->function].arity)
        return false;
    uint8_t a = v[0].kind, b = v[1].kind;
    int64_t m = v[0].number, n = v[1].number, r;
    bool decimals = a == FB_DECIMAL && b == FB_DECIMAL;
    switch (x->function) {
    case FB_F_DECIMAL: return a == FB_STRING && !fb_extension_make(o->arena, FB_DECIMAL, fb_value_text(v[0]), out);
    case FB_F_IP: return a == FB_STRING && !fb_extension_make(o->arena, FB_IP, fb_value_text(v[0]), out);
    case FB_F_DATETIME: return a == FB_STRING && !fb_extension_make(o->arena, FB_DATETIME, fb_value_text(v[0]), out);
    case FB_F_DURATION: return a == FB_STRING && !fb_extension_make(o->arena, FB_DURATION, fb_value_text(v[0]), out);
    case FB_F_DECIMAL_LT: return decimals && yes_no(m < n, out);
    case FB_F_DECIMAL_LE: return decimals && yes_no(m <= n, out);
    case FB_F_DECIMAL_GT: return decimals && yes_no(m > n, out);
    case FB_F_DECIMAL_GE: return decimals && yes_no(m >= n, out);
    case FB_F_IS_IPV4: return a == FB_IP && yes_no(v[0].ip->family == 4, out);
    case FB_F_IS_IPV6: return a == FB_IP && yes_no(v[0].ip->family == 6, out);
    case FB_F_IS_LOOPBACK: return a == FB_IP && yes_no(fb_ip_is_loopback(v[0].ip), out);
    case FB_F_IS_MULTICAST: return a == FB_IP && yes_no(fb_ip_is_multicast(v[0].ip), out);
    case FB_F_IS_IN_RANGE: return a == FB_IP && b == FB_IP && yes_no(fb_ip_in_range(v[0].ip, v[1].ip), out);
    case FB_F_OFFSET:
        if (a != FB_DATETIME || b != FB_DURATION || __builtin_add_overflow(m, n, &r))
            return false;
        *out = fb_value_number(FB_DATETIME, r);
        return true;
    case FB_F_DURATION_SINCE:
        if (a != FB_DATETIME || b != FB_DATETIME || __builtin_sub_overflow(m, n, &r))
            return false;
        *out = fb_value_number(FB_DURATION, r);
        return true;
    case FB_F_TO_DATE: case FB_F_TO_TIME: {
        if (a != FB_DATETIME)
            return false;
        int64_t day = 86400000, time = (m % day + day) % day;
        if (x->function == FB_F_TO_DATE && __builtin_sub_overflow(m, time, &m))
            return false;
        *out = x->function == FB_F_TO_DATE ? fb_value_number(FB_DATETIME, m) : fb_value_number(FB_DURATION, time);
        return true;
    }
    case FB_F_TO_MILLISECONDS: case FB_F_TO_SECONDS: case FB_F_TO_MINUTES: case FB_F_TO_HOURS: case FB_F_TO_DAYS: {
        static const int64_t steps[] = {1, 1000, 60, 60, 24};
        for (int f = FB_F_TO_MILLISECONDS; f <= (int)x->function; f++)
            m /= steps[f - FB_F_TO_MILLISECONDS];
        *out = fb_value_number(FB_LONG, m);
        return a == FB_DURATION;
    }
    case FB_FUNCTIONS: break;
    }
    assert(0);
    return false;
}

/* --- Expressions ------------------------------------------------------------------------------ */

static bool truth(O o, X x, bool *b)
{
    struct fb_value v;
    bool fine = oracle_eval(o, x, &v) && v.kind == FB_BOOL;
    *b = fine && v.number;
    return fine;
}

/* left has names[0].names[1]…, as the conjunction that it stands for. */
static bool has_path(O o, struct fb_value of, const struct fb_span *names, uint32_t count, struct fb_value *out)
{
    struct fb_value next;
    int there = look(o, of, names[0], &next);
    if (there < 0)
        return false;
    if (!there || count == 1)
        return yes_no(there, out);
    return has_path(o, next, names + 1, count - 1, out);
}

static bool arithmetic(X x, struct fb_value a, struct fb_value b, struct fb_value *out)
{
    int64_t r;
    if (a.kind != FB_LONG || b.kind != FB_LONG)
        return false;
    if (x->kind == FB_E_ADD ? __builtin_add_overflow(a.number, b.number, &r)
        : x->kind == FB_E_SUB ? __builtin_sub_overflow(a.number, b.number, &r)
                              : __builtin_mul_overflow(a.number, b.number, &r))
        return false;
    *out = fb_value_number(FB_LONG, r);
    return true;
}

/* a < b or a <= b. */
static bool less(bool equal, struct fb_value a, struct fb_value b, struct fb_value *out)
{
    bool kinds = a.kind == b.kind && (a.kind == FB_LONG || a.kind == FB_DATETIME || a.kind == FB_DURATION);
    return kinds && yes_no(equal ? a.number <= b.number : a.number < b.number, out);
}

static bool binary(O o, X x, struct fb_value *out)
{
    struct fb_value a, b;
    if (!oracle_eval(o, x->left, &a) || !oracle_eval(o, x->right, &b))
        return false;
    switch ((unsigned)x->kind) {
    case FB_E_EQ: return yes_no(oracle_equal(a, b), out);
    case FB_E_NE: return yes_no(!oracle_equal(a, b), out);
    case FB_E_LT: return less(false, a, b, out);
    case FB_E_LE: return less(true, a, b, out);
    case FB_E_GT: return less(true, a, b, out) && yes_no(!out->number, out);
    case FB_E_GE: return less(false, a, b, out) && yes_no(!out->number, out);
    case FB_E_IN: return in_value(o, a, b, out);
    case FB_E_ADD: case FB_E_SUB: case FB_E_MUL: return arithmetic(x, a, b, out);
    case FB_E_CONTAINS: return a.kind == FB_SET && yes_no(member(a, b), out);
    case FB_E_CONTAINS_ALL: return a.kind == FB_SET && b.kind == FB_SET && yes_no(subset(b, a), out);
    case FB_E_CONTAINS_ANY:
        if (a.kind != FB_SET || b.kind != FB_SET)
            return false;
        for (uint32_t i = 0; i < a.count; i++)
            if (member(b, fb_cell_load(a.cells + i)))
                return yes_no(true, out);
        return yes_no(false, out);
    case FB_E_GET_TAG: return tag_value(o, true, a, b, out);
    case FB_E_HAS_TAG: return tag_value(o, false, a, b, out);
    default: assert(0); return false;
    }
}

static bool unary(O o, X x, struct fb_value *out)
{
    struct fb_value a, b;
    if (!oracle_eval(o, x->left, &a))
        return false;
    switch ((unsigned)x->kind) {
    case FB_E_NOT: return a.kind == FB_BOOL && yes_no(!a.number, out);
    case FB_E_NEG:
        *out = fb_value_number(FB_LONG, a.number == INT64_MIN ? 0 : -a.number);
        return a.kind == FB_LONG && a.number != INT64_MIN;
    case FB_E_IS_EMPTY: return a.kind == FB_SET && yes_no(a.count == 0, out);
    case FB_E_ATTR: return look(o, a, x->text, out) == 1;
    case FB_E_HAS: return has_path(o, a, x->names, x->count, out);
    case FB_E_LIKE: return a.kind == FB_STRING && yes_no(matches(x->pattern, 0, fb_value_text(a)), out);
    case FB_E_IS:
        if (a.kind != FB_ENTITY)
            return false;
        if (!fb_span_eq(fb_uid_type(a.uid), x->text))
            return yes_no(false, out);
        if (x->right == NULL)
            return yes_no(true, out);
        return oracle_eval(o, x->right, &b) && in_value(o, a, b, out);
    default: assert(0); return false;
    }
}

static bool collection(O o, X x, struct fb_value *out)
{
    struct fb_value *values = fb_arena_array(o->arena, x->count, sizeof *values);
    struct fb_field *fields = fb_arena_array(o->arena, x->count, sizeof *fields);
    for (uint32_t i = 0; i < x->count; i++) {
        if (!oracle_eval(o, x->items[i], &values[i]))
            return false;
        if (x->kind == FB_E_RECORD)
            fields[i] = (struct fb_field){x->names[i], values[i]};
    }
    bool made = x->kind == FB_E_SET ? fb_value_set(o->arena, values, x->count, out)
                                    : fb_value_record(o->arena, fields, x->count, out);
    assert(made);
    return made;
}

static bool leaf(O o, X x, struct fb_value *out)
{
    const struct fb_request *r = o->request;
    switch ((unsigned)x->kind) {
    case FB_E_BOOL: return yes_no(x->number, out);
    case FB_E_LONG: *out = fb_value_number(FB_LONG, x->number); return true;
    case FB_E_STRING: *out = fb_value_string(x->text); return true;
    case FB_E_UID: *out = fb_value_entity(x->uid); return true;
    default:
        *out = x->var == FB_CONTEXT ? r->context
               : fb_value_entity(x->var == FB_PRINCIPAL ? r->principal : x->var == FB_ACTION ? r->action : r->resource);
        return true;
    }
}

bool oracle_eval(O o, X x, struct fb_value *out)
{
    bool b;
    switch (x->kind) {
    case FB_E_BOOL: case FB_E_LONG: case FB_E_STRING: case FB_E_UID: case FB_E_VAR:
        return leaf(o, x, out);
    case FB_E_AND:
        return truth(o, x->left, &b) && (!b || truth(o, x->right, &b)) && yes_no(b, out);
    case FB_E_OR:
        return truth(o, x->left, &b) && (b || truth(o, x->right, &b)) && yes_no(b, out);
    case FB_E_IF:
        return truth(o, x->left, &b) && oracle_eval(o, b ? x->right : x->third, out);
    case FB_E_NOT: case FB_E_NEG: case FB_E_IS_EMPTY: case FB_E_ATTR: case FB_E_HAS: case FB_E_LIKE: case FB_E_IS:
        return unary(o, x, out);
    case FB_E_EQ: case FB_E_NE: case FB_E_LT: case FB_E_LE: case FB_E_GT: case FB_E_GE: case FB_E_IN:
    case FB_E_ADD: case FB_E_SUB: case FB_E_MUL: case FB_E_CONTAINS: case FB_E_CONTAINS_ALL:
    case FB_E_CONTAINS_ANY: case FB_E_GET_TAG: case FB_E_HAS_TAG:
        return binary(o, x, out);
    case FB_E_SET: case FB_E_RECORD:
        return collection(o, x, out);
    case FB_E_CALL:
        return call_function(o, x, out);
    }
    assert(0);
    return false;
}

/* --- Policies --------------------------------------------------------------------------------- */

static bool scope_holds(O o, const struct fb_scope *scope, const struct fb_uid *bound, const struct fb_uid *uid)
{
    const struct fb_uid *other = scope->slot ? bound : scope->uid;
    bool typed = fb_span_eq(fb_uid_type(uid), scope->type), any = false;
    switch (scope->op) {
    case FB_SCOPE_ANY: return true;
    case FB_SCOPE_EQ: return same_uid(uid, other);
    case FB_SCOPE_IN: return within(o, uid, other);
    case FB_SCOPE_IS: return typed;
    case FB_SCOPE_IS_IN: return typed && within(o, uid, other);
    case FB_SCOPE_IN_LIST:
        for (uint32_t i = 0; i < scope->count; i++)
            any |= within(o, uid, scope->list[i]);
        return any;
    }
    assert(0);
    return false;
}

char oracle_policy(O o, const struct fb_policy *policy, const struct fb_link *link)
{
    const struct fb_request *r = o->request;
    if (!scope_holds(o, &policy->principal, link ? link->principal : NULL, r->principal)
        || !scope_holds(o, &policy->action, NULL, r->action)
        || !scope_holds(o, &policy->resource, link ? link->resource : NULL, r->resource))
        return 'F';
    for (uint32_t i = 0; i < policy->conditions_count; i++) {
        bool b;
        if (!truth(o, policy->conditions[i].body, &b))
            return 'E';
        if (b == policy->conditions[i].unless)
            return 'F';
    }
    return 'T';
}
