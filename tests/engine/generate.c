/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include <assert.h>
#include <stdio.h>

typedef struct generator *G;
typedef const struct fb_expr *X;

/* splitmix64, which any seed will do for. */
uint64_t generate_number(G g)
{
    uint64_t z = g->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t generate_below(G g, uint32_t n)
{
    return (uint32_t)(generate_number(g) % n);
}

bool generate_chance(G g, uint32_t percent)
{
    return generate_below(g, 100) < percent;
}

/* --- Values ------------------------------------------------------------------------------------------ */

bool generate_alike;

struct fb_span generate_alike_text(char text[GENERATE_ALIKE], const char *different)
{
    /* Of 129 bytes these eight undo what the hash has taken in by the second word, whatever the first was. */
    static const unsigned char undo[8] = {0x78, 0x66, 0x04, 0x1e, 0x0e, 0x74, 0x43, 0x27};
    memset(text, 'x', GENERATE_ALIKE);
    memcpy(text, different, strlen(different));
    memcpy(text + 8, undo, sizeof undo);
    return fb_span(text, GENERATE_ALIKE);
}

const struct fb_uid *generate_uid(G g, const char *type, uint32_t id)
{
    char text[8], alike[GENERATE_ALIKE];
    (void)snprintf(text, sizeof text, "%u", (unsigned)id);
    return fb_uid_new(g->arena, fb_span_z(type), generate_alike ? generate_alike_text(alike, text) : fb_span_z(text));
}

struct fb_span generate_name(enum generate_type type)
{
    static const char *const names[GENERATE_TYPES] = {"b", "n", "s", "e", "h", "l", "g", "r", "d", "i", "t", "u"};
    static char alike[GENERATE_TYPES][GENERATE_ALIKE];
    return generate_alike ? generate_alike_text(alike[type], names[type]) : fb_span_z(names[type]);
}

static int64_t some_long(G g)
{
    static const int64_t longs[] = {0, 1, 2, 3, -1, INT64_MAX, INT64_MIN, INT64_MAX - 1, 4294967296};
    return longs[generate_chance(g, 80) ? generate_below(g, 5) : generate_below(g, 9)];
}

static struct fb_span some_text(G g)
{
    static const char *const texts[] = {"", "a", "b", "ab", "abab", "n", "k", "1.0"};
    return fb_span_z(texts[generate_below(g, 8)]);
}

static struct fb_value made(G g, enum fb_kind kind, const char *const *texts, uint32_t count)
{
    struct fb_value value;
    const char *wrong = fb_extension_make(g->arena, kind, fb_span_z(texts[generate_below(g, count)]), &value);
    assert(wrong == NULL);
    (void)wrong;
    return value;
}

static const char *const decimals[] = {"0.0", "1.0", "1.00", "-1.5"};
static const char *const ips[] = {"10.0.0.1", "10.0.0.0/8", "127.0.0.1", "::1", "224.0.0.9"};
static const char *const times[] = {"2024-01-01", "2024-01-01T00:00:00Z", "1969-12-31T23:59:59Z"};
static const char *const spans[] = {"0ms", "1d", "24h", "-1ms", "9223372036854775807ms"};

static struct fb_value some_set(G g, enum generate_type element)
{
    struct fb_value values[4], set;
    uint32_t count = generate_below(g, 5);
    for (uint32_t i = 0; i < count; i++)
        values[i] = generate_value(g, element);
    bool done = fb_value_set(g->arena, values, count, &set);
    assert(done);
    (void)done;
    return set;
}

/* The attributes that chance gives, of their usual types or of another. */
static struct fb_value some_record(G g, uint32_t percent, const enum generate_type *types, uint32_t count)
{
    struct fb_field *fields = fb_arena_array(g->arena, count, sizeof *fields);
    struct fb_value record;
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++)
        if (generate_chance(g, percent))
            fields[used++] = (struct fb_field){
                generate_name(types[i]),
                generate_value(g, generate_chance(g, 92) ? types[i] : (enum generate_type)generate_below(g, 4))};
    bool done = fb_value_record(g->arena, fields, used, &record);
    assert(done);
    (void)done;
    return record;
}

static const enum generate_type all_types[] = {G_BOOL, G_LONG, G_STRING, G_USER, G_GROUP, G_SET, G_GROUPS, G_RECORD,
                                               G_DECIMAL, G_IP, G_TIME, G_SPAN};

struct fb_value generate_value(G g, enum generate_type type)
{
    static const enum generate_type inner[] = {G_BOOL, G_LONG, G_USER};
    switch (type) {
    case G_BOOL: return fb_value_bool(generate_chance(g, 50));
    case G_LONG: return fb_value_number(FB_LONG, some_long(g));
    case G_STRING: return fb_value_string(some_text(g));
    case G_USER: return fb_value_entity(generate_uid(g, "U", generate_below(g, GENERATE_USERS + 1)));
    case G_GROUP: return fb_value_entity(generate_uid(g, "G", generate_below(g, GENERATE_GROUPS + 1)));
    case G_SET: return some_set(g, G_LONG);
    case G_GROUPS: return some_set(g, generate_chance(g, 70) ? G_GROUP : G_USER);
    case G_RECORD: return some_record(g, 70, inner, 3);
    case G_DECIMAL: return made(g, FB_DECIMAL, decimals, 4);
    case G_IP: return made(g, FB_IP, ips, 5);
    case G_TIME: return made(g, FB_DATETIME, times, 3);
    case G_SPAN: return made(g, FB_DURATION, spans, 5);
    case GENERATE_TYPES: break;
    }
    return fb_value_bool(false);
}

struct fb_value generate_context(G g)
{
    return some_record(g, 75, all_types, GENERATE_TYPES);
}

/* --- Stores ------------------------------------------------------------------------------------------- */

static struct fb_value some_tags(G g)
{
    static const enum generate_type types[] = {G_LONG, G_STRING};
    return some_record(g, 60, types, 2);
}

static void add_entity(G g, struct fb_entity_set *set, const char *type, uint32_t id, uint32_t same, uint32_t groups)
{
    const struct fb_uid *parents[GENERATE_RESOURCES + GENERATE_GROUPS + 2];
    struct fb_entity_parts parts = {.uid = generate_uid(g, type, id), .parents = parents,
                                    .attrs = some_record(g, 75, all_types, GENERATE_TYPES), .tags = some_tags(g)};
    /* Upwards by number, so that there is no cycle. */
    for (uint32_t i = id + 1; i < same; i++)
        if (generate_chance(g, 40))
            parents[parts.parents_count++] = generate_uid(g, type, i);
    for (uint32_t i = 0; i < groups; i++)
        if (generate_chance(g, 25))
            parents[parts.parents_count++] = generate_uid(g, "G", i);
    bool added = fb_entity_set_add(set, &parts);
    assert(added);
    (void)added;
}

struct fb_entity_set *generate_store(G g)
{
    struct fb_entity_set *set = fb_entity_set_new(g->arena);
    struct fb_diags diags;
    fb_diags_init(&diags, g->arena);
    for (uint32_t i = 0; i < GENERATE_USERS; i++)
        if (generate_chance(g, 90))
            add_entity(g, set, "U", i, 0, GENERATE_GROUPS + 1);
    for (uint32_t i = 0; i < GENERATE_GROUPS; i++)
        if (generate_chance(g, 90))
            add_entity(g, set, "G", i, GENERATE_GROUPS + 1, 0);
    for (uint32_t i = 0; i < GENERATE_RESOURCES; i++)
        add_entity(g, set, "R", i, GENERATE_RESOURCES, 0);
    for (uint32_t i = 0; i < 3; i++)
        add_entity(g, set, "Action", i, 3, 0);
    bool closed = fb_entity_set_close(set, &diags);
    assert(closed);
    (void)closed;
    return set;
}

/* --- Expressions -------------------------------------------------------------------------------------- */

static struct fb_expr *node(G g, enum fb_expr_kind kind)
{
    struct fb_expr *x = fb_arena_alloc(g->arena, sizeof *x);
    x->kind = kind;
    x->range = x->mark = (struct fb_range){0, 1};
    return x;
}

static X with(struct fb_expr *x, X left, X right, X third)
{
    x->left = left;
    x->right = right;
    x->third = third;
    return x;
}

static X items(G g, struct fb_expr *x, uint32_t count, const enum generate_type *types, unsigned depth)
{
    x->items = fb_arena_array(g->arena, count, sizeof *x->items);
    x->count = count;
    for (uint32_t i = 0; i < count; i++)
        x->items[i] = generate_expr(g, types[i], depth);
    return x;
}

static X call(G g, enum fb_function function, const enum generate_type *types, unsigned depth)
{
    struct fb_expr *x = node(g, FB_E_CALL);
    uint32_t count = fb_functions[function].arity;
    x->function = function;
    /* Now and then with one argument less or more than it should have. */
    if (generate_chance(g, 3))
        count = generate_chance(g, 50) ? count - 1 : count + 1;
    const enum generate_type given[3] = {types[0], count > 1 ? types[1] : types[0], types[0]};
    return items(g, x, count, given, depth);
}

static X construct(G g, enum fb_function function, const char *const *texts, uint32_t count, unsigned depth)
{
    if (depth > 0 && generate_chance(g, 15))
        return call(g, function, (const enum generate_type[]){G_STRING, G_STRING}, depth - 1);
    struct fb_expr *x = node(g, FB_E_CALL), *text = node(g, FB_E_STRING);
    text->text = fb_span_z(generate_chance(g, 95) ? texts[generate_below(g, count)] : "bad");
    x->function = function;
    x->count = 1;
    x->items = fb_arena_array(g->arena, 1, sizeof *x->items);
    x->items[0] = text;
    return x;
}

static X record(G g, unsigned depth)
{
    static const enum generate_type types[] = {G_BOOL, G_LONG, G_USER};
    struct fb_expr *x = node(g, FB_E_RECORD);
    uint32_t count = generate_below(g, 4);
    x->names = fb_arena_array(g->arena, 3, sizeof *x->names);
    for (uint32_t i = 0; i < 3; i++)
        x->names[i] = generate_name(types[i]);
    return items(g, x, count, types, depth);
}

static X variable(G g, enum fb_var var)
{
    struct fb_expr *x = node(g, FB_E_VAR);
    x->var = var;
    return x;
}

static X literal(G g, enum generate_type type)
{
    struct fb_expr *x;
    enum generate_type element = type == G_SET ? G_LONG : G_GROUP;
    switch (type) {
    case G_BOOL: x = node(g, FB_E_BOOL); x->number = generate_chance(g, 50); return x;
    case G_LONG: x = node(g, FB_E_LONG); x->number = some_long(g); return x;
    case G_STRING: x = node(g, FB_E_STRING); x->text = some_text(g); return x;
    case G_USER: case G_GROUP: x = node(g, FB_E_UID); x->uid = generate_value(g, type).uid; return x;
    case G_SET: case G_GROUPS:
        return items(g, node(g, FB_E_SET), generate_below(g, 3), (const enum generate_type[]){element, element}, 0);
    case G_RECORD: return record(g, 0);
    case G_DECIMAL: return construct(g, FB_F_DECIMAL, decimals, 4, 0);
    case G_IP: return construct(g, FB_F_IP, ips, 5, 0);
    case G_TIME: return construct(g, FB_F_DATETIME, times, 3, 0);
    case G_SPAN: return construct(g, FB_F_DURATION, spans, 5, 0);
    case GENERATE_TYPES: break;
    }
    return NULL;
}

/* Something with attributes. */
static X holder(G g, unsigned depth)
{
    switch (generate_below(g, depth > 0 ? 10 : 8)) {
    case 0: case 1: return variable(g, FB_PRINCIPAL);
    case 2: case 3: return variable(g, FB_RESOURCE);
    case 4: case 5: case 6: return variable(g, FB_CONTEXT);
    case 7: return variable(g, FB_ACTION);
    case 8: return generate_expr(g, G_USER, depth - 1);
    default: return generate_expr(g, G_RECORD, depth - 1);
    }
}

static X attribute(G g, enum generate_type type, unsigned depth)
{
    struct fb_expr *x = node(g, FB_E_ATTR);
    x->text = generate_name(type);
    x->left = holder(g, depth);
    return x;
}

static X has(G g, unsigned depth)
{
    struct fb_expr *x = node(g, FB_E_HAS);
    x->left = holder(g, depth);
    x->count = 1 + (generate_chance(g, 30) ? generate_below(g, 3) : 0);
    x->names = fb_arena_array(g->arena, x->count, sizeof *x->names);
    for (uint32_t i = 0; i < x->count; i++)
        x->names[i] = generate_name(i + 1 < x->count && generate_chance(g, 80)
                                        ? (generate_chance(g, 50) ? G_USER : G_RECORD)
                                        : all_types[generate_below(g, GENERATE_TYPES)]);
    return x;
}

static X like(G g, unsigned depth)
{
    struct fb_expr *x = node(g, FB_E_LIKE);
    struct fb_pattern *pattern = fb_arena_alloc(g->arena, sizeof *pattern);
    pattern->wildcards = generate_below(g, 4);
    pattern->literals = fb_arena_array(g->arena, pattern->wildcards + 1, sizeof *pattern->literals);
    for (uint32_t i = 0; i <= pattern->wildcards; i++)
        pattern->literals[i] = generate_chance(g, 50) ? some_text(g) : FB_SPAN("");
    x->left = generate_expr(g, G_STRING, depth);
    x->pattern = pattern;
    return x;
}

static X is(G g, unsigned depth)
{
    static const char *const types[] = {"U", "G", "R"};
    struct fb_expr *x = node(g, FB_E_IS);
    x->text = fb_span_z(types[generate_below(g, 3)]);
    x->left = generate_expr(g, generate_chance(g, 70) ? G_USER : G_GROUP, depth);
    if (generate_chance(g, 50))
        x->right = generate_expr(g, generate_chance(g, 50) ? G_GROUP : G_GROUPS, depth);
    return x;
}

static X pair(G g, enum fb_expr_kind kind, enum generate_type left, enum generate_type right, unsigned depth)
{
    struct fb_expr *x = node(g, kind);
    X first = generate_expr(g, left, depth);
    return with(x, first, generate_expr(g, right, depth), NULL);
}

/* A test that gives a bool. */
static X comparison(G g, unsigned depth)
{
    static const enum generate_type ordered[] = {G_LONG, G_LONG, G_LONG, G_TIME, G_SPAN, G_DECIMAL};
    static const enum generate_type decimal2[] = {G_DECIMAL, G_DECIMAL}, ip2[] = {G_IP, G_IP};
    enum generate_type one = ordered[generate_below(g, 6)], any = all_types[generate_below(g, GENERATE_TYPES)];
    switch (generate_below(g, 14)) {
    case 0: case 1:
        return pair(g, (enum fb_expr_kind)(FB_E_LT + generate_below(g, 4)), one, one, depth);
    case 2: return pair(g, FB_E_EQ, any, any, depth);
    case 3: return pair(g, FB_E_NE, any, any, depth);
    case 4: case 5: return pair(g, FB_E_IN, G_USER, generate_chance(g, 60) ? G_GROUP : G_GROUPS, depth);
    case 6: return pair(g, FB_E_CONTAINS, generate_chance(g, 50) ? G_SET : G_GROUPS,
                        generate_chance(g, 50) ? G_LONG : G_GROUP, depth);
    case 7: return pair(g, generate_chance(g, 50) ? FB_E_CONTAINS_ALL : FB_E_CONTAINS_ANY,
                        generate_chance(g, 60) ? G_SET : G_GROUPS, generate_chance(g, 60) ? G_SET : G_GROUPS, depth);
    case 8: return like(g, depth);
    case 9: return is(g, depth);
    case 10: return pair(g, FB_E_HAS_TAG, G_USER, G_STRING, depth);
    case 11: return call(g, (enum fb_function)(FB_F_DECIMAL_LT + generate_below(g, 4)), decimal2, depth);
    case 12: return call(g, (enum fb_function)(FB_F_IS_IPV4 + generate_below(g, 5)), ip2, depth);
    default: return with(node(g, FB_E_IS_EMPTY), generate_expr(g, G_SET, depth), NULL, NULL);
    }
}

/* `x has a && x.a == …`, as people write it. */
static X guarded(G g, unsigned depth)
{
    enum generate_type type = all_types[generate_below(g, GENERATE_TYPES)];
    X of = holder(g, depth > 0 ? depth - 1 : 0);
    struct fb_expr *present = node(g, FB_E_HAS), *read = node(g, FB_E_ATTR);
    present->left = read->left = of;
    present->count = 1;
    present->names = fb_arena_array(g->arena, 1, sizeof *present->names);
    present->names[0] = read->text = generate_name(type);
    X test = type == G_BOOL && generate_chance(g, 50)
                 ? read : with(node(g, generate_chance(g, 80) ? FB_E_EQ : FB_E_NE), read, generate_expr(g, type, 0), NULL);
    return with(node(g, FB_E_AND), present, test, NULL);
}

static X boolean(G g, unsigned depth)
{
    switch (generate_below(g, 11)) {
    case 10: return guarded(g, depth);
    case 0: case 1: return pair(g, FB_E_AND, G_BOOL, G_BOOL, depth);
    case 2: return pair(g, FB_E_OR, G_BOOL, G_BOOL, depth);
    case 3: return with(node(g, FB_E_NOT), generate_expr(g, G_BOOL, depth), NULL, NULL);
    case 4: case 5: return has(g, depth);
    default: return comparison(g, depth);
    }
}

static X number(G g, unsigned depth)
{
    static const enum generate_type span1[] = {G_SPAN, G_SPAN};
    switch (generate_below(g, 6)) {
    case 0: return with(node(g, FB_E_NEG), generate_expr(g, G_LONG, depth), NULL, NULL);
    case 1: return pair(g, FB_E_SUB, G_LONG, G_LONG, depth);
    case 2: return pair(g, FB_E_MUL, G_LONG, G_LONG, depth);
    case 3: return call(g, (enum fb_function)(FB_F_TO_MILLISECONDS + generate_below(g, 5)), span1, depth);
    default: return pair(g, FB_E_ADD, G_LONG, G_LONG, depth);
    }
}

static X set(G g, enum generate_type element, unsigned depth)
{
    enum generate_type types[3] = {element, element, element};
    return items(g, node(g, FB_E_SET), generate_below(g, 4), types, depth);
}

static X of_time(G g, bool span, unsigned depth)
{
    static const enum generate_type span2[] = {G_TIME, G_SPAN}, time2[] = {G_TIME, G_TIME};
    if (span)
        return call(g, generate_chance(g, 50) ? FB_F_DURATION_SINCE : FB_F_TO_TIME, time2, depth);
    return call(g, generate_chance(g, 50) ? FB_F_OFFSET : FB_F_TO_DATE, span2, depth);
}

/* What only this type has. */
static X of_type(G g, enum generate_type type, unsigned depth)
{
    switch (type) {
    case G_BOOL: return boolean(g, depth);
    case G_LONG: return number(g, depth);
    case G_SET: return set(g, G_LONG, depth);
    case G_GROUPS: return set(g, generate_chance(g, 60) ? G_GROUP : G_USER, depth);
    case G_RECORD: return generate_chance(g, 30) ? variable(g, FB_CONTEXT) : record(g, depth);
    case G_USER: return variable(g, generate_chance(g, 70) ? FB_PRINCIPAL : FB_RESOURCE);
    case G_GROUP: return generate_chance(g, 30) ? variable(g, FB_RESOURCE) : literal(g, type);
    case G_DECIMAL: return construct(g, FB_F_DECIMAL, decimals, 4, depth);
    case G_IP: return construct(g, FB_F_IP, ips, 5, depth);
    case G_TIME: case G_SPAN: return of_time(g, type == G_SPAN, depth);
    case G_STRING: case GENERATE_TYPES: break;
    }
    return literal(g, type);
}

X generate_expr(G g, enum generate_type type, unsigned depth)
{
    if (generate_chance(g, 3))
        type = all_types[generate_below(g, GENERATE_TYPES)];
    if (depth == 0)
        return type == G_USER && generate_chance(g, 60)
                   ? variable(g, generate_chance(g, 60) ? FB_PRINCIPAL : generate_chance(g, 80) ? FB_RESOURCE : FB_ACTION)
               : generate_chance(g, 50) ? literal(g, type) : attribute(g, type, 0);
    switch (generate_below(g, type == G_BOOL ? 20 : 10)) {
    case 0: return literal(g, type);
    case 1: case 2: case 3: return attribute(g, type, depth - 1);
    case 4: {
        struct fb_expr *x = node(g, FB_E_IF);
        X condition = generate_expr(g, G_BOOL, depth - 1), then = generate_expr(g, type, depth - 1);
        return with(x, condition, then, generate_expr(g, type, depth - 1));
    }
    case 5: return type == G_LONG || type == G_STRING ? pair(g, FB_E_GET_TAG, G_USER, G_STRING, depth - 1)
                                                      : of_type(g, type, depth - 1);
    default: return of_type(g, type, depth - 1);
    }
}

/* --- Policies ----------------------------------------------------------------------------------------- */

static struct fb_scope scope(G g, const char *type, bool slots, bool *is_template)
{
    static const enum fb_scope_op ops[] = {FB_SCOPE_ANY, FB_SCOPE_EQ, FB_SCOPE_IN, FB_SCOPE_IS, FB_SCOPE_IS_IN};
    struct fb_scope s = {.op = ops[generate_chance(g, 50) ? 0 : generate_below(g, 5)], .range = {0, 1}};
    s.type = fb_span_z(generate_chance(g, 80) ? type : "G");
    s.uid = generate_uid(g, generate_chance(g, 50) ? type : "G", generate_below(g, 3));
    if (slots && (s.op == FB_SCOPE_EQ || s.op == FB_SCOPE_IN || s.op == FB_SCOPE_IS_IN) && generate_chance(g, 50)) {
        s.slot = *is_template = true;
        s.uid = NULL;
    }
    return s;
}

static struct fb_scope action_scope(G g)
{
    static const enum fb_scope_op ops[] = {FB_SCOPE_ANY, FB_SCOPE_EQ, FB_SCOPE_IN, FB_SCOPE_IN_LIST};
    struct fb_scope s = {.op = ops[generate_below(g, 4)], .range = {0, 1}};
    s.uid = generate_uid(g, "Action", generate_below(g, 4));
    s.count = generate_below(g, 4);
    s.list = fb_arena_array(g->arena, s.count, sizeof *s.list);
    for (uint32_t i = 0; i < s.count; i++)
        s.list[i] = generate_uid(g, "Action", generate_below(g, 4));
    return s;
}

const struct fb_policy *generate_policy(G g, bool slots, unsigned depth)
{
    static const struct fb_source source = {{4, "none"}, {1, " "}};
    struct fb_policy *p = fb_arena_alloc(g->arena, sizeof *p);
    p->effect = generate_chance(g, 60) ? FB_PERMIT : FB_FORBID;
    p->principal = scope(g, "U", slots, &p->is_template);
    p->action = action_scope(g);
    p->resource = scope(g, "R", slots, &p->is_template);
    p->conditions_count = generate_below(g, 3);
    struct fb_condition *conditions = fb_arena_array(g->arena, 2, sizeof *conditions);
    for (uint32_t i = 0; i < p->conditions_count; i++)
        conditions[i] = (struct fb_condition){.unless = generate_chance(g, 30), .range = {0, 1},
                                              .body = generate_expr(g, G_BOOL, depth)};
    p->conditions = conditions;
    p->source = &source;
    return p;
}

static void link_some(G g, struct fb_policy_set *set, const struct fb_policy *template_)
{
    for (uint32_t i = generate_below(g, 3); i > 0; i--) {
        struct fb_link *made_link = fb_arena_alloc(g->arena, sizeof *made_link);
        made_link->template_ = template_;
        if (template_->principal.slot)
            made_link->principal = generate_uid(g, generate_chance(g, 60) ? "U" : "G", generate_below(g, 3));
        if (template_->resource.slot)
            made_link->resource = generate_uid(g, "R", generate_below(g, 3));
        set->links[set->links_count++] = made_link;
    }
}

struct fb_policy_set *generate_policies(G g, uint32_t count, bool slots, unsigned depth)
{
    struct fb_policy_set *policies = fb_arena_alloc(g->arena, sizeof *policies);
    fb_policy_set_init(policies, g->arena);
    policies->policies = fb_arena_array(g->arena, count, sizeof *policies->policies);
    policies->links = fb_arena_array(g->arena, 2 * (size_t)count, sizeof *policies->links);
    for (uint32_t i = 0; i < count; i++) {
        const struct fb_policy *policy = generate_policy(g, slots, depth);
        policies->policies[policies->count++] = policy;
        if (policy->is_template)
            link_some(g, policies, policy);
    }
    return policies;
}
