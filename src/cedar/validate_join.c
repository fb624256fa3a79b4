/* SPDX-License-Identifier: Apache-2.0 */

/* What two types have in common (their least upper bound), and types as text.
 *
 * Strict mode joins only types that differ in nothing but True and False; permissive mode also makes
 * unions of entity types and open records. */

#include "cedar/validate_types.h"

#include <stdlib.h>

/* Results are kept, since a schema's types are shared: joining two of them as trees could take a
 * million steps, and every environment would take them again. */
struct fb_vjoin {
    uint32_t a, b;
    const struct fb_vtype *joined;      /* NULL: none */
};

struct pair {
    const struct fb_vtypes *types;
    uint32_t a, b;
};

static uint64_t hash_pair(uint32_t a, uint32_t b)
{
    return fb_hash_join(a, b);
}

static uint64_t hash_of(const void *context, uint32_t index)
{
    const struct fb_vjoin *join = &((const struct pair *)context)->types->joins[index];
    return hash_pair(join->a, join->b);
}

static bool same(const void *context, uint32_t index)
{
    const struct pair *pair = context;
    const struct fb_vjoin *join = &pair->types->joins[index];
    return join->a == pair->a && join->b == pair->b;
}

static uint32_t *slot_of(struct fb_vtypes *types, const struct fb_vtype *a, const struct fb_vtype *b)
{
    const struct pair pair = {types, a->id, b->id};
    return fb_vtable_slot(&types->joins_table, types->arena, hash_pair(a->id, b->id), same, &pair, hash_of);
}

static void remember(struct fb_vtypes *types, const struct fb_vtype *a, const struct fb_vtype *b,
                     const struct fb_vtype *joined)
{
    struct fb_vjoin *joins = fb_arena_grow(types->arena, types->joins, types->joins_count, &types->joins_capacity,
                                           sizeof *joins);
    uint32_t *slot = slot_of(types, a, b);
    if (joins == NULL || slot == NULL)
        return;
    types->joins = joins;
    joins[types->joins_count++] = (struct fb_vjoin){a->id, b->id, joined};
    *slot = (uint32_t)types->joins_count;
    types->joins_table.count++;
}

/* --- records --- */

/* Of two fields of one name; false: none. */
static bool join_field(struct fb_vtypes *types, const struct fb_vfield *a, const struct fb_vfield *b,
                       struct fb_vfield *joined)
{
    if (types->strict && a->required != b->required)
        return false;
    *joined = *a;
    joined->required = a->required && b->required;
    joined->type = fb_vtype_join(types, a->type, b->type);
    return joined->type != NULL;
}

static const struct fb_vtype *join_records(struct fb_vtypes *types, const struct fb_vtype *a, const struct fb_vtype *b)
{
    if (types->strict && a->count != b->count)
        return NULL;
    struct fb_vfield *fields = fb_arena_array(types->arena, a->count, sizeof *fields);
    if (fields == NULL)
        return NULL;
    uint32_t count = 0, shared = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct fb_vfield *other = fb_vtype_field(b, a->fields[i].name, a->fields[i].hash);
        shared += other != NULL;
        if (other != NULL && join_field(types, &a->fields[i], other, &fields[count]))
            count++;
        else if (types->strict)
            return NULL;
    }
    bool whole = count == a->count && shared == b->count;
    return fb_vtype_record(types, fields, count, a->open || b->open || !whole);
}

/* --- entities --- */

static const struct fb_vtype *join_entities(struct fb_vtypes *types, const struct fb_vtype *a, const struct fb_vtype *b)
{
    if (types->strict)
        return NULL;
    uint32_t *all = fb_arena_array(types->arena, (size_t)a->count + b->count, sizeof *all);
    if (all == NULL)
        return NULL;
    uint32_t count = 0, i = 0, j = 0;
    while (i < a->count || j < b->count) {
        bool left = j == b->count || (i < a->count && a->entities[i] <= b->entities[j]);
        uint32_t next = left ? a->entities[i] : b->entities[j];
        i += i < a->count && a->entities[i] == next;
        j += j < b->count && b->entities[j] == next;
        all[count++] = next;
    }
    return fb_vtype_entities(types, all, count);
}

static const struct fb_vtype *join(struct fb_vtypes *types, const struct fb_vtype *a, const struct fb_vtype *b)
{
    if (a->kind != b->kind)
        return NULL;
    if (a->kind == FB_V_SET)
        return fb_vtype_set(types, fb_vtype_join(types, a->element, b->element));
    return a->kind == FB_V_RECORD ? join_records(types, a, b) : join_entities(types, a, b);
}

/* Recurs as deep as types nest. */
const struct fb_vtype *fb_vtype_join(struct fb_vtypes *types, const struct fb_vtype *a, const struct fb_vtype *b)
{
    if (a == b || b->kind == FB_V_NEVER)
        return a;
    if (a->kind == FB_V_NEVER)
        return b;
    if (fb_vtype_is_bool(a) && fb_vtype_is_bool(b))
        return types->plain[FB_V_BOOL];
    if (a->kind < FB_V_PLAIN || b->kind < FB_V_PLAIN)
        return NULL;
    uint32_t *slot = slot_of(types, a, b);
    if (slot == NULL)
        return NULL;
    if (*slot != 0)
        return types->joins[*slot - 1].joined;
    const struct fb_vtype *joined = join(types, a, b);
    remember(types, a, b, joined);
    return joined;
}

/* --- as text --- */

#define PRINT_FIELDS 8u
#define PRINT_BYTES 400u

static int by_name(const void *a, const void *b)
{
    return fb_span_cmp((*(const struct fb_vfield *const *)a)->name, (*(const struct fb_vfield *const *)b)->name);
}

static void print_record(const struct fb_vtypes *types, struct fb_buffer *out, const struct fb_vtype *type)
{
    const struct fb_vfield *fields[PRINT_FIELDS];
    uint32_t count = type->count < PRINT_FIELDS ? type->count : PRINT_FIELDS;
    for (uint32_t i = 0; i < count; i++)
        fields[i] = &type->fields[i];
    qsort(fields, count, sizeof(const struct fb_vfield *), by_name);
    fb_buffer_add_char(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        fb_buffer_add_z(out, i > 0 ? ", " : "");
        if (fb_identifier_valid(fields[i]->name))
            fb_buffer_add(out, fields[i]->name);
        else
            fb_buffer_add_cedar(out, fields[i]->name);
        fb_buffer_add_z(out, fields[i]->required ? ": " : "?: ");
        fb_vtype_print(types, out, fields[i]->type);
    }
    fb_buffer_add_z(out, count == 0 ? "" : type->open || count < type->count ? ", …" : "");
    fb_buffer_add_char(out, '}');
}

void fb_vtype_print(const struct fb_vtypes *types, struct fb_buffer *out, const struct fb_vtype *type)
{
    static const char *const names[FB_V_PLAIN] = {
        [FB_V_NEVER] = "nothing", [FB_V_TRUE] = "Bool", [FB_V_FALSE] = "Bool", [FB_V_BOOL] = "Bool",
        [FB_V_LONG] = "Long", [FB_V_STRING] = "String", [FB_V_DECIMAL] = "decimal", [FB_V_DATETIME] = "datetime",
        [FB_V_DURATION] = "duration", [FB_V_IP] = "ipaddr",
    };
    if (out->len > PRINT_BYTES) {
        fb_buffer_add_z(out, "…");
    } else if (type->kind < FB_V_PLAIN) {
        fb_buffer_add_z(out, names[type->kind]);
    } else if (type->kind == FB_V_SET) {
        fb_buffer_add_z(out, "Set<");
        fb_vtype_print(types, out, type->element);
        fb_buffer_add_char(out, '>');
    } else if (type->kind == FB_V_RECORD) {
        print_record(types, out, type);
    } else {
        for (uint32_t i = 0; i < type->count && i < PRINT_FIELDS; i++) {
            fb_buffer_add_z(out, i > 0 ? " or " : "");
            fb_buffer_add(out, types->entities[type->entities[i]].name);
        }
        fb_buffer_add_z(out, type->count > PRINT_FIELDS ? " or …" : "");
    }
}
