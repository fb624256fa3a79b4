/* SPDX-License-Identifier: Apache-2.0 */

/* The functions of the extension types applied to values, by name: what an `__extn` of JSON asks for.
 * Policies have the engine's own table; this one is walked once a value that is read. */

#include "entity/extension.h"

enum function {
    MAKE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE, IS_IPV4, IS_IPV6, IS_LOOPBACK, IS_MULTICAST, IS_IN_RANGE,
    OFFSET, DURATION_SINCE, TO_DATE, TO_TIME, DIVIDE
};

static const struct entry {
    struct fb_span name;
    enum function function;
    uint8_t count;
    uint8_t args[FB_EXTENSION_ARGS];
    uint8_t result;
    int64_t divisor;
} table[] = {
    {FB_SPAN_INIT("decimal"), MAKE, 1, {FB_STRING}, FB_DECIMAL, 0},
    {FB_SPAN_INIT("ip"), MAKE, 1, {FB_STRING}, FB_IP, 0},
    {FB_SPAN_INIT("datetime"), MAKE, 1, {FB_STRING}, FB_DATETIME, 0},
    {FB_SPAN_INIT("duration"), MAKE, 1, {FB_STRING}, FB_DURATION, 0},
    {FB_SPAN_INIT("lessThan"), COMPARE_LT, 2, {FB_DECIMAL, FB_DECIMAL}, FB_BOOL, 0},
    {FB_SPAN_INIT("lessThanOrEqual"), COMPARE_LE, 2, {FB_DECIMAL, FB_DECIMAL}, FB_BOOL, 0},
    {FB_SPAN_INIT("greaterThan"), COMPARE_GT, 2, {FB_DECIMAL, FB_DECIMAL}, FB_BOOL, 0},
    {FB_SPAN_INIT("greaterThanOrEqual"), COMPARE_GE, 2, {FB_DECIMAL, FB_DECIMAL}, FB_BOOL, 0},
    {FB_SPAN_INIT("isIpv4"), IS_IPV4, 1, {FB_IP}, FB_BOOL, 0},
    {FB_SPAN_INIT("isIpv6"), IS_IPV6, 1, {FB_IP}, FB_BOOL, 0},
    {FB_SPAN_INIT("isLoopback"), IS_LOOPBACK, 1, {FB_IP}, FB_BOOL, 0},
    {FB_SPAN_INIT("isMulticast"), IS_MULTICAST, 1, {FB_IP}, FB_BOOL, 0},
    {FB_SPAN_INIT("isInRange"), IS_IN_RANGE, 2, {FB_IP, FB_IP}, FB_BOOL, 0},
    {FB_SPAN_INIT("offset"), OFFSET, 2, {FB_DATETIME, FB_DURATION}, FB_DATETIME, 0},
    {FB_SPAN_INIT("durationSince"), DURATION_SINCE, 2, {FB_DATETIME, FB_DATETIME}, FB_DURATION, 0},
    {FB_SPAN_INIT("toDate"), TO_DATE, 1, {FB_DATETIME}, FB_DATETIME, 0},
    {FB_SPAN_INIT("toTime"), TO_TIME, 1, {FB_DATETIME}, FB_DURATION, 0},
    {FB_SPAN_INIT("toMilliseconds"), DIVIDE, 1, {FB_DURATION}, FB_LONG, 1},
    {FB_SPAN_INIT("toSeconds"), DIVIDE, 1, {FB_DURATION}, FB_LONG, 1000},
    {FB_SPAN_INIT("toMinutes"), DIVIDE, 1, {FB_DURATION}, FB_LONG, 60000},
    {FB_SPAN_INIT("toHours"), DIVIDE, 1, {FB_DURATION}, FB_LONG, 3600000},
    {FB_SPAN_INIT("toDays"), DIVIDE, 1, {FB_DURATION}, FB_LONG, 86400000},
};
#define ENTRIES (sizeof table / sizeof table[0])

/* The arguments as the function takes them. */
static const char *take_args(struct fb_arena *arena, const struct fb_extension_call *call, const struct entry *entry,
                             struct fb_value args[FB_EXTENSION_ARGS])
{
    if (call->count != entry->count)
        return entry->count == 1 ? "this function takes one argument" : "this function takes two arguments";
    for (uint32_t i = 0; i < entry->count; i++) {
        args[i] = call->args[i];
        if (call->typed && args[i].kind == FB_STRING && entry->args[i] != FB_STRING) {
            const char *error = fb_extension_make(arena, (enum fb_kind)entry->args[i], fb_value_text(args[i]), &args[i]);
            if (error != NULL)
                return error;
        }
        if (args[i].kind != entry->args[i])
            return entry->function == MAKE ? "this constructor takes one string"
                                           : "an argument is not of the type that this function takes";
    }
    return NULL;
}

static bool compare(enum function function, int64_t a, int64_t b)
{
    return function == COMPARE_LT ? a < b : function == COMPARE_LE ? a <= b : function == COMPARE_GT ? a > b : a >= b;
}

const char *fb_extension_call(struct fb_arena *arena, const struct fb_extension_call *call, struct fb_value *value)
{
    const struct entry *entry = NULL;
    for (size_t i = 0; i < ENTRIES && entry == NULL; i++)
        if (fb_span_eq(call->function, table[i].name))
            entry = &table[i];
    if (entry == NULL)
        return "the function of an __extn is ip, decimal, datetime, duration, or a method of these types";
    struct fb_value args[FB_EXTENSION_ARGS] = {{0}, {0}};
    const char *error = take_args(arena, call, entry, args);
    if (error != NULL)
        return error;
    int64_t number = 0, a = args[0].number, b = args[1].number;
    bool within = true;
    switch (entry->function) {
    case MAKE: return fb_extension_make(arena, (enum fb_kind)entry->result, fb_value_text(args[0]), value);
    case COMPARE_LT: case COMPARE_LE: case COMPARE_GT: case COMPARE_GE: number = compare(entry->function, a, b); break;
    case IS_IPV4: number = args[0].ip->family == 4; break;
    case IS_IPV6: number = args[0].ip->family == 6; break;
    case IS_LOOPBACK: number = fb_ip_is_loopback(args[0].ip); break;
    case IS_MULTICAST: number = fb_ip_is_multicast(args[0].ip); break;
    case IS_IN_RANGE: number = fb_ip_in_range(args[0].ip, args[1].ip); break;
    case OFFSET: within = fb_datetime_offset(a, b, &number); break;
    case DURATION_SINCE: within = fb_datetime_since(a, b, &number); break;
    case TO_DATE: within = fb_datetime_date(a, &number); break;
    case TO_TIME: number = fb_datetime_time(a); break;
    case DIVIDE: number = a / entry->divisor; break;
    }
    if (!within)
        return "the result is beyond what 64 bits of milliseconds hold";
    *value = fb_value_number((enum fb_kind)entry->result, number);
    return NULL;
}
