/* SPDX-License-Identifier: Apache-2.0 */
/* Context types, checked and compiled.  What they may hold is in facts.def; building is context.c's. */
#include "request/plan.h"

#include "request/action.h"

#include <stdlib.h>

enum within { IN_CONTEXT, IN_QUERY, IN_HEADERS, IN_TLS, IN_TOKEN };
enum presence { ALWAYS, MAY_LACK };

struct fact {
    enum within within;
    struct fb_span name;
    enum fb_type_kind type;
    enum presence presence;
};
static const struct fact facts[] = {
#define FB_FACT(symbol, where, text, kind, when) {IN_##where, {sizeof(text) - 1, text}, FB_T_##kind, when},
#include "request/facts.def"
#undef FB_FACT
};
#define FACTS (sizeof facts / sizeof facts[0])

static const char *const within_names[] = {
    [IN_CONTEXT] = "context", [IN_QUERY] = "context.query", [IN_HEADERS] = "context.headers",
    [IN_TLS] = "context.tls", [IN_TOKEN] = "context.token",
};
static const char *const type_names[] = {
    [FB_T_BOOL] = "Bool",         [FB_T_LONG] = "Long",        [FB_T_STRING] = "String",   [FB_T_SET] = "Set<String>",
    [FB_T_RECORD] = "a record",   [FB_T_ENTITY] = "an entity", [FB_T_DECIMAL] = "decimal", [FB_T_DATETIME] = "datetime",
    [FB_T_DURATION] = "duration", [FB_T_IP] = "ipaddr",
};

struct planner {
    struct fb_arena *arena;
    const struct fb_schema_action *action;
    struct fb_diags *diags;
    uint8_t wants;
};

/* Actions share context types: one fault, one diagnostic.  NULL if it has been said already. */
static struct fb_diag *fault(const struct planner *p, const struct fb_attribute *a, const char *code,
                             const char *format, ...) __attribute__((format(printf, 4, 5)));

static struct fb_diag *fault(const struct planner *p, const struct fb_attribute *a, const char *code,
                             const char *format, ...)
{
    for (size_t i = 0; i < p->diags->count; i++) {
        const struct fb_diag *d = &p->diags->list[i];
        if (d->source == p->action->source && d->range.start == a->range.start && d->range.end == a->range.end
            && strcmp(d->code, code) == 0)
            return NULL;
    }
    va_list args;
    va_start(args, format);
    struct fb_span message = fb_arena_vformat(p->diags->arena, format, args);
    va_end(args);
    return fb_diag_add(p->diags, FB_ERROR, code, p->action->source, a->range, "%.*s", (int)message.len,
                       message.len != 0 ? message.ptr : "");
}

static bool is_strings(const struct fb_type *type)
{
    return type->kind == FB_T_SET && type->element->kind == FB_T_STRING;
}

static bool has_type(const struct fb_type *type, enum fb_type_kind wanted)
{
    return wanted == FB_T_SET ? is_strings(type) : type->kind == wanted;
}

/* --- one attribute ---------------------------------------------------------------------------------- */

static size_t fact_of(enum within within, struct fb_span name)
{
    size_t i = 0;
    while (i < FACTS && (facts[i].within != within || !fb_span_eq(facts[i].name, name)))
        i++;
    return i;
}

static bool unknown(const struct planner *p, enum within within, const struct fb_attribute *a)
{
    struct fb_diag *diag =
        fault(p, a, "context.unknown", "no request has %s.%.*s", within_names[within], (int)a->name.len, a->name.ptr);
    struct fb_span names[FACTS];
    size_t count = 0;
    for (size_t i = 0; i < FACTS; i++)
        if (facts[i].within == within)
            names[count++] = facts[i].name;
    struct fb_span meant = fb_did_you_mean(a->name, names, count);
    if (diag != NULL && meant.len != 0)
        fb_diag_hint(p->diags, diag, "did you mean %.*s?", (int)meant.len, meant.ptr);
    else if (diag != NULL && within == IN_CONTEXT)
        diag->hint = FB_SPAN("parameters and fields of your own belong into `query` and `headers`");
    return false;
}

static bool check_fact(const struct planner *p, const struct fact *fact, const struct fb_attribute *a)
{
    if (!has_type(a->type, fact->type)) {
        struct fb_diag *diag = fault(p, a, "context.type", "%s.%.*s cannot be of this type", within_names[fact->within],
                                     (int)a->name.len, a->name.ptr);
        if (diag != NULL)
            fb_diag_hint(p->diags, diag, "it is %s", type_names[fact->type]);
        return false;
    }
    if (a->required && fact->presence == MAY_LACK) {
        struct fb_diag *diag = fault(p, a, "context.required", "not every request has %s.%.*s",
                                     within_names[fact->within], (int)a->name.len, a->name.ptr);
        if (diag != NULL)
            fb_diag_hint(p->diags, diag, "declare it as optional: `%.*s?: …`", (int)a->name.len, a->name.ptr);
        return false;
    }
    return true;
}

/* A query parameter, a header field, a claim. */
static bool check_own(const struct planner *p, enum within within, const struct fb_attribute *a)
{
    bool claim = within == IN_TOKEN;
    if (a->type->kind != FB_T_STRING && !is_strings(a->type)
        && !(claim && (a->type->kind == FB_T_BOOL || a->type->kind == FB_T_LONG))) {
        struct fb_diag *diag = fault(p, a, "context.type", "%s.%.*s cannot be of this type", within_names[within],
                                     (int)a->name.len, a->name.ptr);
        if (diag != NULL)
            diag->hint = claim ? FB_SPAN("claims are String, Bool, Long or Set<String>")
                               : FB_SPAN("it is String, or Set<String> where it may be given several times");
        return false;
    }
    if (claim && a->required) {
        struct fb_diag *diag =
            fault(p, a, "context.required", "not every token has the claim %.*s", (int)a->name.len, a->name.ptr);
        if (diag != NULL)
            fb_diag_hint(p->diags, diag, "declare it as optional: `%.*s?: …`", (int)a->name.len, a->name.ptr);
        return false;
    }
    if (a->name.len == 0 || a->name.len > 128) {
        (void)fault(p, a, "context.name", "a name of 1 to 128 bytes is expected");
        return false;
    }
    return true;
}

static const enum fb_fact own_facts[] = {
    [IN_QUERY] = FB_FACT_PARAMETER,
    [IN_HEADERS] = FB_FACT_FIELD,
    [IN_TOKEN] = FB_FACT_CLAIM,
};

static uint8_t wanted_by(enum fb_fact fact)
{
    switch ((int)fact) {
    case FB_FACT_COUNTRY: return FB_WANTS_COUNTRY;
    case FB_FACT_ASN: return FB_WANTS_ASN;
    case FB_FACT_IP: return FB_WANTS_IP;
    case FB_FACT_TOKEN: return FB_WANTS_TOKEN;
    default: return 0;
    }
}

/* --- records -------------------------------------------------------------------------------------- */

static const struct fb_context_plan *plan_record(struct planner *p, enum within within, const struct fb_type *type);

static bool plan_field(struct planner *p, enum within within, const struct fb_attribute *a, struct fb_plan_field *field)
{
    size_t fact = fact_of(within, a->name);
    *field = (struct fb_plan_field){.name = a->name,
                                    .symbol = fb_hash(a->name),
                                    .type = a->type->kind,
                                    .required = a->required,
                                    .fact = (enum fb_fact)fact};
    if (fact == FACTS) {
        if (within == IN_CONTEXT || within == IN_TLS)
            return unknown(p, within, a);
        field->fact = own_facts[within];
        return check_own(p, within, a);
    }
    bool good = check_fact(p, &facts[fact], a);
    p->wants |= wanted_by(field->fact);
    static const enum within inner[FACTS] = {
        [FB_FACT_QUERY] = IN_QUERY, [FB_FACT_HEADERS] = IN_HEADERS, [FB_FACT_TLS] = IN_TLS, [FB_FACT_TOKEN] = IN_TOKEN};
    if (inner[fact] == IN_CONTEXT || a->type->kind != FB_T_RECORD)
        return good;
    field->record = plan_record(p, inner[fact], a->type);
    return good && field->record != NULL;
}

static int by_symbol(const void *left, const void *right)
{
    const struct fb_plan_field *a = left, *b = right;
    return a->symbol != b->symbol ? (a->symbol < b->symbol ? -1 : 1) : fb_span_cmp(a->name, b->name);
}

static struct fb_span field_name(struct fb_arena *arena, struct fb_span name)
{
    char *out = fb_arena_alloc(arena, name.len);
    for (size_t i = 0; out != NULL && i < name.len; i++) {
        char c = name.ptr[i];
        out[i] = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return out != NULL ? fb_span(out, name.len) : fb_span(NULL, 0);
}

static bool check_field_names(const struct planner *p, const struct fb_type *type, const struct fb_span *names,
                              const struct fb_plan_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct fb_attribute *a = fb_type_attribute(type, fields[i].name);
        for (size_t c = 0; c < names[i].len; c++) {
            if ((unsigned char)names[i].ptr[c] <= 0x20 || (unsigned char)names[i].ptr[c] >= 0x7f
                || memchr("\"(),/:;<=>?@[\\]{}", names[i].ptr[c], 17) != NULL) {
                (void)fault(p, a, "context.name", "this is not the name of a header field");
                return false;
            }
        }
        for (size_t j = 0; j < i; j++) {
            if (!fb_span_eq(names[i], names[j]))
                continue;
            (void)fault(p, a, "context.name", "%.*s and %.*s are the same header field", (int)fields[j].name.len,
                        fields[j].name.ptr, (int)a->name.len, a->name.ptr);
            return false;
        }
    }
    return true;
}

/* The names by which the request is searched. */
static bool set_names(struct planner *p, enum within within, const struct fb_type *type, struct fb_context_plan *plan)
{
    if (within != IN_QUERY && within != IN_HEADERS)
        return true;
    struct fb_span *names = fb_arena_array(p->arena, plan->count, sizeof *names);
    if (names == NULL)
        return false;
    for (size_t i = 0; i < plan->count; i++)
        names[i] = within == IN_QUERY ? plan->fields[i].name : field_name(p->arena, plan->fields[i].name);
    plan->names = names;
    return within == IN_QUERY || check_field_names(p, type, names, plan->fields, plan->count);
}

static const struct fb_context_plan *plan_record(struct planner *p, enum within within, const struct fb_type *type)
{
    if (type->attributes_count > FB_PLAN_FIELDS_MAX) {
        (void)fault(p, &type->attributes[FB_PLAN_FIELDS_MAX], "context.size", "%s has more than %u attributes",
                    within_names[within], FB_PLAN_FIELDS_MAX);
        return NULL;
    }
    struct fb_context_plan *plan = fb_arena_alloc(p->arena, sizeof *plan);
    struct fb_plan_field *fields = fb_arena_array(p->arena, type->attributes_count, sizeof *fields);
    if (plan == NULL || fields == NULL)
        return NULL;
    bool good = true;
    for (uint32_t i = 0; i < type->attributes_count; i++)
        good = plan_field(p, within, &type->attributes[i], &fields[i]) && good;
    if (type->attributes_count != 0)
        qsort(fields, type->attributes_count, sizeof *fields, by_symbol);
    *plan = (struct fb_context_plan){.fields = fields, .count = type->attributes_count};
    return good && set_names(p, within, type, plan) ? plan : NULL;
}

const struct fb_context_plan *fb_context_plan_new(struct fb_arena *arena, const struct fb_schema_action *action,
                                                  uint8_t *wants, struct fb_diags *diags)
{
    struct planner p = {.arena = arena, .action = action, .diags = diags};
    const struct fb_context_plan *plan = plan_record(&p, IN_CONTEXT, action->context);
    *wants = p.wants;
    return plan;
}

bool fb_context_plan_eq(const struct fb_context_plan *a, const struct fb_context_plan *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct fb_plan_field *x = &a->fields[i], *y = &b->fields[i];
        if (!fb_span_eq(x->name, y->name) || x->fact != y->fact || x->type != y->type || x->required != y->required
            || (x->record == NULL) != (y->record == NULL)
            || (x->record != NULL && !fb_context_plan_eq(x->record, y->record)))
            return false;
    }
    return true;
}
