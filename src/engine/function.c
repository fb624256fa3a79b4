/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of extension functions and methods.  The number of arguments is checked when a call is
 * reached, after its arguments, as Cedar does. */

#include "engine/eval.h"

#include <assert.h>

/* The kinds that receiver and argument must have, and that of the result. */
static const struct signature {
    uint8_t receiver, argument, result;
} signatures[FB_FUNCTIONS] = {
    [FB_F_DECIMAL] = {FB_STRING, 0, FB_DECIMAL},
    [FB_F_IP] = {FB_STRING, 0, FB_IP},
    [FB_F_DATETIME] = {FB_STRING, 0, FB_DATETIME},
    [FB_F_DURATION] = {FB_STRING, 0, FB_DURATION},
    [FB_F_DECIMAL_LT] = {FB_DECIMAL, FB_DECIMAL, FB_BOOL},
    [FB_F_DECIMAL_LE] = {FB_DECIMAL, FB_DECIMAL, FB_BOOL},
    [FB_F_DECIMAL_GT] = {FB_DECIMAL, FB_DECIMAL, FB_BOOL},
    [FB_F_DECIMAL_GE] = {FB_DECIMAL, FB_DECIMAL, FB_BOOL},
    [FB_F_IS_IPV4] = {FB_IP, 0, FB_BOOL},
    [FB_F_IS_IPV6] = {FB_IP, 0, FB_BOOL},
    [FB_F_IS_LOOPBACK] = {FB_IP, 0, FB_BOOL},
    [FB_F_IS_MULTICAST] = {FB_IP, 0, FB_BOOL},
    [FB_F_IS_IN_RANGE] = {FB_IP, FB_IP, FB_BOOL},
    [FB_F_OFFSET] = {FB_DATETIME, FB_DURATION, FB_DATETIME},
    [FB_F_DURATION_SINCE] = {FB_DATETIME, FB_DATETIME, FB_DURATION},
    [FB_F_TO_DATE] = {FB_DATETIME, 0, FB_DATETIME},
    [FB_F_TO_TIME] = {FB_DATETIME, 0, FB_DURATION},
    [FB_F_TO_MILLISECONDS] = {FB_DURATION, 0, FB_LONG},
    [FB_F_TO_SECONDS] = {FB_DURATION, 0, FB_LONG},
    [FB_F_TO_MINUTES] = {FB_DURATION, 0, FB_LONG},
    [FB_F_TO_HOURS] = {FB_DURATION, 0, FB_LONG},
    [FB_F_TO_DAYS] = {FB_DURATION, 0, FB_LONG},
};

uint8_t fb_function_result(uint8_t function)
{
    return signatures[function].result;
}

static bool make(struct fb_eval *e, uint32_t index, enum fb_kind kind, struct fb_value text, struct fb_value *out)
{
    const char *wrong = fb_extension_make(e->arena, kind, fb_value_text(text), out);
    if (wrong == NULL)
        return true;
    if (e->arena->failed)
        return fb_eval_cannot(e);
    e->fault.text = wrong;
    return fb_fault(e, index, FB_FAULT_ARGUMENT, text);
}

static bool made_number(struct fb_eval *e, uint32_t index, enum fb_kind kind, bool fits, int64_t number,
                        const char *operation, const struct fb_value *values, struct fb_value *out)
{
    if (!fits) {
        e->fault.text = operation;
        e->fault.b = values[1];
        return fb_fault(e, index, FB_FAULT_OVERFLOW, values[0]);
    }
    *out = fb_value_number(kind, number);
    return true;
}

static bool is_true(bool holds, struct fb_value *out)
{
    *out = fb_value_bool(holds);
    return true;
}

static bool whole_units(int64_t milliseconds, int64_t unit, struct fb_value *out)
{
    *out = fb_value_number(FB_LONG, milliseconds / unit);
    return true;
}

/* Arguments have been counted and have the right kinds. */
static bool call(struct fb_eval *e, uint32_t index, enum fb_function function, const struct fb_value *v,
                 struct fb_value *out)
{
    int64_t number = 0;
    bool fits;
    switch (function) {
    case FB_F_DECIMAL: return make(e, index, FB_DECIMAL, v[0], out);
    case FB_F_IP: return make(e, index, FB_IP, v[0], out);
    case FB_F_DATETIME: return make(e, index, FB_DATETIME, v[0], out);
    case FB_F_DURATION: return make(e, index, FB_DURATION, v[0], out);
    case FB_F_DECIMAL_LT: return is_true(v[0].number < v[1].number, out);
    case FB_F_DECIMAL_LE: return is_true(v[0].number <= v[1].number, out);
    case FB_F_DECIMAL_GT: return is_true(v[0].number > v[1].number, out);
    case FB_F_DECIMAL_GE: return is_true(v[0].number >= v[1].number, out);
    case FB_F_IS_IPV4: return is_true(v[0].ip->family == 4, out);
    case FB_F_IS_IPV6: return is_true(v[0].ip->family == 6, out);
    case FB_F_IS_LOOPBACK: return is_true(fb_ip_is_loopback(v[0].ip), out);
    case FB_F_IS_MULTICAST: return is_true(fb_ip_is_multicast(v[0].ip), out);
    case FB_F_IS_IN_RANGE: return is_true(fb_ip_in_range(v[0].ip, v[1].ip), out);
    case FB_F_OFFSET:
        fits = fb_datetime_offset(v[0].number, v[1].number, &number);
        return made_number(e, index, FB_DATETIME, fits, number, "offset", v, out);
    case FB_F_DURATION_SINCE:
        fits = fb_datetime_since(v[0].number, v[1].number, &number);
        return made_number(e, index, FB_DURATION, fits, number, "durationSince", v, out);
    case FB_F_TO_DATE:
        fits = fb_datetime_date(v[0].number, &number);
        return made_number(e, index, FB_DATETIME, fits, number, "toDate", (struct fb_value[]){v[0], v[0]}, out);
    case FB_F_TO_TIME:
        *out = fb_value_number(FB_DURATION, fb_datetime_time(v[0].number));
        return true;
    case FB_F_TO_MILLISECONDS: return whole_units(v[0].number, 1, out);
    case FB_F_TO_SECONDS: return whole_units(v[0].number, 1000, out);
    case FB_F_TO_MINUTES: return whole_units(v[0].number, INT64_C(60) * 1000, out);
    case FB_F_TO_HOURS: return whole_units(v[0].number, INT64_C(3600) * 1000, out);
    case FB_F_TO_DAYS: return whole_units(v[0].number, INT64_C(86400) * 1000, out);
    case FB_FUNCTIONS: break;
    }
    assert(false);  /* every function is listed */
    return fb_eval_cannot(e);
}

bool fb_leaf_call(struct fb_eval *e, uint32_t index, const struct fb_value *values, struct fb_value *out)
{
    const struct fb_node *node = &e->code->nodes[index];
    const struct fb_function_info *info = &fb_functions[node->arg];
    const struct signature *wanted = &signatures[node->arg];
    if (node->third != info->arity) {
        e->fault.name = info->name;
        e->fault.b = fb_value_number(FB_LONG, info->arity);
        return fb_fault(e, index, FB_FAULT_ARITY, fb_value_number(FB_LONG, node->third));
    }
    const uint32_t *operands = e->code->lists + node->right;
    if (values[0].kind != wanted->receiver)
        return fb_fault_type(e, operands[0], fb_kind_name(wanted->receiver), values[0]);
    if (info->arity == 2 && values[1].kind != wanted->argument)
        return fb_fault_type(e, operands[1], fb_kind_name(wanted->argument), values[1]);
    return call(e, index, (enum fb_function)node->arg, values, out);
}
