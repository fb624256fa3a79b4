/* SPDX-License-Identifier: Apache-2.0 */

/* The typechecker: sets, records, and the functions and methods of the extension types. */

#include "cedar/validate_check.h"

/* --- sets --- */

static struct fb_answer refuse_empty(struct fb_checker *c, const struct fb_node *node)
{
    if (fb_report_new(c, "validate.empty_set", node->expr->range))
        fb_report(c, FB_ERROR, "validate.empty_set", node->expr->range,
                  "an empty set has no element type, and strict validation needs one")
            ->hint = FB_SPAN("whether a set is empty is asked with `.isEmpty()`");
    return fb_failed(NULL);
}

struct fb_answer fb_check_set(struct fb_checker *c, const struct fb_node *node)
{
    const struct fb_vtype *element = fb_plain(c, FB_V_NEVER), *odd = NULL;
    bool failed = false, known = true;
    for (uint32_t i = 0; i < node->b; i++) {
        struct fb_answer item = fb_check(c, c->tree.items[node->a + i]);
        failed = failed || item.failed;
        known = known && item.type != NULL;
        if (!known || odd != NULL)
            continue;
        const struct fb_vtype *joined = fb_vtype_join(&c->types, element, item.type);
        if (joined == NULL)
            odd = item.type;
        else
            element = joined;
    }
    if (known && odd != NULL)
        fb_incompatible(c, node->expr->range, element, odd, "the elements of a set");
    if (c->strict && node->b == 0)
        return refuse_empty(c, node);
    if (!known || odd != NULL)
        return fb_failed(NULL);
    return (struct fb_answer){.type = fb_vtype_set(&c->types, element), .failed = failed};
}

/* --- records --- */

#define FIELDS_ON_STACK 16u

struct fb_answer fb_check_record(struct fb_checker *c, const struct fb_node *node)
{
    struct fb_vfield few[FIELDS_ON_STACK], *fields = few;
    if (node->b > FIELDS_ON_STACK && (fields = fb_arena_array(c->arena, node->b, sizeof *fields)) == NULL)
        return fb_failed(NULL);
    bool failed = false, known = true;
    for (uint32_t i = 0; i < node->b; i++) {
        struct fb_answer item = fb_check(c, c->tree.items[node->a + i]);
        struct fb_span name = node->expr->names[i];
        failed = failed || item.failed;
        known = known && item.type != NULL;
        fields[i] = (struct fb_vfield){.name = name, .hash = fb_hash(name), .type = item.type, .required = true};
    }
    if (!known)
        return fb_failed(NULL);
    return (struct fb_answer){.type = fb_vtype_record(&c->types, fields, node->b, false), .failed = failed};
}

/* --- calls --- */

/* What a function is about: the type of its receiver, or of what it makes. */
static enum fb_vkind family_of(enum fb_function function)
{
    if (function == FB_F_DECIMAL || (function >= FB_F_DECIMAL_LT && function <= FB_F_DECIMAL_GE))
        return FB_V_DECIMAL;
    if (function == FB_F_IP || (function >= FB_F_IS_IPV4 && function <= FB_F_IS_IN_RANGE))
        return FB_V_IP;
    if (function == FB_F_DATETIME || (function >= FB_F_OFFSET && function <= FB_F_TO_TIME))
        return FB_V_DATETIME;
    return FB_V_DURATION;
}

static bool is_constructor(enum fb_function function)
{
    return !fb_functions[function].method;
}

static enum fb_vkind argument_kind(enum fb_function function, uint32_t argument)
{
    if (is_constructor(function))
        return FB_V_STRING;
    return function == FB_F_OFFSET && argument == 1 ? FB_V_DURATION : family_of(function);
}

static enum fb_vkind result_kind(enum fb_function function)
{
    static const uint8_t kinds[FB_FUNCTIONS] = {
#define FB_FUNCTION(symbol, name, method, arity, result) [FB_F_##symbol] = (result),
#include "cedar/functions.def"
#undef FB_FUNCTION
    };
    switch ((enum fb_kind)kinds[function]) {
    case FB_BOOL: return FB_V_BOOL;
    case FB_LONG: return FB_V_LONG;
    case FB_DECIMAL: return FB_V_DECIMAL;
    case FB_DATETIME: return FB_V_DATETIME;
    case FB_DURATION: return FB_V_DURATION;
    case FB_IP: return FB_V_IP;
    case FB_STRING:
    case FB_ENTITY:
    case FB_SET:
    case FB_RECORD: break;
    }
    return FB_V_STRING;
}

static const char *parse_error(enum fb_function function, struct fb_span text)
{
    int64_t number;
    struct fb_ip ip;
    if (function == FB_F_DECIMAL)
        return fb_decimal_parse(text, &number);
    if (function == FB_F_DATETIME)
        return fb_datetime_parse(text, &number);
    return function == FB_F_DURATION ? fb_duration_parse(text, &number) : fb_ip_parse(text, &ip);
}

static const char *example_of(enum fb_function function)
{
    if (function == FB_F_DECIMAL)
        return "write it like `decimal(\"12.5\")`: digits, a point, one to four digits";
    if (function == FB_F_DATETIME)
        return "write it like `datetime(\"2024-12-31\")` or `datetime(\"2024-12-31T23:59:59Z\")`";
    return function == FB_F_DURATION ? "write it like `duration(\"1d2h30m\")`"
                                     : "write it like `ip(\"192.0.2.1\")` or `ip(\"192.0.2.0/24\")`";
}

static bool arity_fits(struct fb_checker *c, const struct fb_node *node)
{
    const struct fb_function_info *info = &fb_functions[node->expr->function];
    if (node->b == info->arity)
        return true;
    uint32_t receiver = info->method ? 1 : 0;
    if (fb_report_new(c, "validate.arguments", node->expr->range))
        fb_report(c, FB_ERROR, "validate.arguments", node->expr->range,
                  "`%.*s` takes %u argument%s, and is given %u", (int)info->name.len, info->name.ptr,
                  info->arity - receiver, info->arity - receiver == 1 ? "" : "s", node->b - receiver);
    return false;
}

static bool literal_fits(struct fb_checker *c, const struct fb_node *node)
{
    enum fb_function function = node->expr->function;
    const struct fb_node *argument = node->b == 1 ? &c->tree.nodes[c->tree.items[node->a]] : NULL;
    if (!is_constructor(function) || argument == NULL || argument->kind != FB_N_STRING)
        return true;
    const char *error = parse_error(function, argument->expr->text);
    if (error == NULL)
        return true;
    if (fb_report_new(c, "validate.literal", argument->expr->range))
        fb_report(c, FB_ERROR, "validate.literal", argument->expr->range, "%s", error)->hint =
            fb_span_z(example_of(function));
    return false;
}

/* Strict mode knows every value of an extension type that a policy makes. */
static bool is_literal_call(struct fb_checker *c, const struct fb_node *node)
{
    enum fb_function function = node->expr->function;
    bool literal = true;
    for (uint32_t i = 0; i < node->b; i++)
        literal = literal && c->tree.nodes[c->tree.items[node->a + i]].kind <= FB_N_UID;
    if (literal || !c->strict || !is_constructor(function))
        return true;
    if (fb_report_new(c, "validate.constructor", node->expr->range))
        fb_report(c, FB_ERROR, "validate.constructor", node->expr->range,
                  "strict validation wants a string literal in `%.*s(…)`", (int)fb_functions[function].name.len,
                  fb_functions[function].name.ptr)
            ->hint = FB_SPAN("give the attribute this type in the schema, instead of making it from a string here");
    return false;
}

struct fb_answer fb_check_call(struct fb_checker *c, const struct fb_node *node)
{
    enum fb_function function = node->expr->function;
    bool arity = arity_fits(c, node), text = literal_fits(c, node), literal = is_literal_call(c, node);
    bool failed = !arity || !text || !literal, wrong = failed;
    for (uint32_t i = 0; i < node->b; i++) {
        uint32_t argument = c->tree.items[node->a + i];
        /* Behind a fault of the call itself only the faults within the arguments count. */
        struct fb_answer answer = wrong ? fb_check(c, argument)
                                        : fb_check_kind(c, argument, argument_kind(function, i));
        failed = failed || answer.failed;
    }
    return (struct fb_answer){.type = fb_plain(c, result_kind(function)), .failed = failed};
}
