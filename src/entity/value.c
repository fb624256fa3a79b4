/* SPDX-License-Identifier: Apache-2.0 */

/* Values: how they are made, ordered, compared and searched.  Their text is in value_text.c, their
 * JSON in value_json.c; layout.c copies them into one run of bytes. */

#include "entity/extension.h"

#include <assert.h>
#include <stdlib.h>

/* Up to so many elements or fields, looking at each beats halving. */
#define SMALL 8u

const struct fb_record fb_record_empty = {0};

void fb_cell_store(struct fb_cell *cell, struct fb_value value)
{
    *cell = (struct fb_cell){.kind = value.kind, .count = value.count};
    switch ((enum fb_kind)value.kind) {
    case FB_BOOL:
    case FB_LONG:
    case FB_DECIMAL:
    case FB_DATETIME:
    case FB_DURATION:
        cell->bits = value.number;
        break;
    case FB_STRING:
    case FB_SET:
        /* What is empty may have any pointer, so none is kept. */
        cell->bits = value.count != 0 ? (int64_t)((uintptr_t)value.text - (uintptr_t)cell) : 0;
        break;
    case FB_ENTITY:
    case FB_RECORD:
    case FB_IP:
        cell->bits = (int64_t)((uintptr_t)value.text - (uintptr_t)cell);
        break;
    }
}

static int cmp_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int cmp_ips(const struct fb_ip *a, const struct fb_ip *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    int c = memcmp(a->address, b->address, sizeof a->address);
    return c != 0 ? c : (a->prefix > b->prefix) - (a->prefix < b->prefix);
}

static int cmp_sets(struct fb_value a, struct fb_value b)
{
    if (a.count != b.count)
        return a.count < b.count ? -1 : 1;
    for (uint32_t i = 0; i < a.count; i++) {
        int c = fb_value_cmp(fb_cell_load(&a.cells[i]), fb_cell_load(&b.cells[i]));
        if (c != 0)
            return c;
    }
    return 0;
}

static struct fb_span field_name(const struct fb_record *record, uint64_t i)
{
    return fb_value_text(fb_cell_load(&fb_record_names(record)[i]));
}

static int cmp_records(const struct fb_record *a, const struct fb_record *b)
{
    if (a == b)
        return 0;
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (uint64_t i = 0; i < a->count; i++) {
        if (a->symbols[i] != b->symbols[i])
            return a->symbols[i] < b->symbols[i] ? -1 : 1;
        int c = fb_span_cmp(field_name(a, i), field_name(b, i));
        if (c == 0)
            c = fb_value_cmp(fb_cell_load(&fb_record_values(a)[i]), fb_cell_load(&fb_record_values(b)[i]));
        if (c != 0)
            return c;
    }
    return 0;
}

int fb_value_cmp(struct fb_value a, struct fb_value b)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    switch ((enum fb_kind)a.kind) {
    case FB_BOOL:
    case FB_LONG:
    case FB_DECIMAL:
    case FB_DATETIME:
    case FB_DURATION:
        return cmp_numbers(a.number, b.number);
    case FB_STRING:
        return fb_span_cmp(fb_value_text(a), fb_value_text(b));
    case FB_ENTITY:
        return fb_uid_cmp(a.uid, b.uid);
    case FB_SET:
        return cmp_sets(a, b);
    case FB_RECORD:
        return cmp_records(a.record, b.record);
    case FB_IP:
        return cmp_ips(a.ip, b.ip);
    }
    return 0;
}

static bool eq_sets(struct fb_value a, struct fb_value b)
{
    if (a.count != b.count)
        return false;
    for (uint32_t i = 0; i < a.count; i++)
        if (!fb_value_eq(fb_cell_load(&a.cells[i]), fb_cell_load(&b.cells[i])))
            return false;
    return true;
}

static bool eq_records(const struct fb_record *a, const struct fb_record *b)
{
    if (a == b)
        return true;
    if (a->count != b->count || memcmp(a->symbols, b->symbols, (size_t)a->count * sizeof a->symbols[0]) != 0)
        return false;
    for (uint64_t i = 0; i < a->count; i++)
        if (!fb_span_eq(field_name(a, i), field_name(b, i))
            || !fb_value_eq(fb_cell_load(&fb_record_values(a)[i]), fb_cell_load(&fb_record_values(b)[i])))
            return false;
    return true;
}

bool fb_value_eq(struct fb_value a, struct fb_value b)
{
    if (a.kind != b.kind)
        return false;
    switch ((enum fb_kind)a.kind) {
    case FB_BOOL:
    case FB_LONG:
    case FB_DECIMAL:
    case FB_DATETIME:
    case FB_DURATION:
        return a.number == b.number;
    case FB_STRING:
        return fb_span_eq(fb_value_text(a), fb_value_text(b));
    case FB_ENTITY:
        return fb_uid_eq(a.uid, b.uid);
    case FB_SET:
        return eq_sets(a, b);
    case FB_RECORD:
        return eq_records(a.record, b.record);
    case FB_IP:
        return fb_ip_eq(a.ip, b.ip);
    }
    return false;
}

static int by_value(const void *a, const void *b)
{
    return fb_value_cmp(*(const struct fb_value *)a, *(const struct fb_value *)b);
}

bool fb_value_set(struct fb_arena *arena, struct fb_value *values, size_t count, struct fb_value *set)
{
    *set = (struct fb_value){.kind = FB_SET};
    if (count == 0)
        return true;
    if (count > UINT32_MAX)
        return false;
    if (count > 1)
        qsort(values, count, sizeof *values, by_value);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++)
        if (!fb_value_eq(values[i], values[kept - 1]))
            values[kept++] = values[i];
    struct fb_cell *cells = fb_arena_array(arena, kept, sizeof *cells);
    if (cells == NULL)
        return false;
    for (size_t i = 0; i < kept; i++)
        fb_cell_store(&cells[i], values[i]);
    set->count = (uint32_t)kept;
    set->cells = cells;
    return true;
}

/* A field with its symbol, for sorting. */
struct keyed_field {
    uint64_t symbol;
    const struct fb_field *field;
};

static int by_symbol(const void *a, const void *b)
{
    const struct keyed_field *x = a, *y = b;
    if (x->symbol != y->symbol)
        return x->symbol < y->symbol ? -1 : 1;
    return fb_span_cmp(x->field->name, y->field->name);
}

static void store_fields(struct fb_record *record, const struct keyed_field *keyed, size_t count)
{
    record->count = count;
    struct fb_cell *values = (struct fb_cell *)(void *)(record->symbols + count), *names = values + count;
    for (size_t i = 0; i < count; i++) {
        assert(i == 0 || by_symbol(&keyed[i - 1], &keyed[i]) < 0);
        record->symbols[i] = keyed[i].symbol;
        fb_cell_store(&values[i], keyed[i].field->value);
        fb_cell_store(&names[i], fb_value_string(keyed[i].field->name));
    }
}

bool fb_value_record(struct fb_arena *arena, const struct fb_field *fields, size_t count, struct fb_value *record)
{
    struct keyed_field few[SMALL * 2], *keyed = few;
    if (count > UINT32_MAX)
        return false;
    struct fb_record *made = fb_arena_alloc(arena, fb_record_size(count));
    if (count > sizeof few / sizeof few[0])
        keyed = fb_arena_array(arena, count, sizeof *keyed);
    if (made == NULL || keyed == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        keyed[i] = (struct keyed_field){fb_hash(fields[i].name), &fields[i]};
    if (count > 1)
        qsort(keyed, count, sizeof *keyed, by_symbol);
    store_fields(made, keyed, count);
    *record = fb_value_of_record(made);
    return true;
}

uint64_t fb_record_bound(const struct fb_record *record, uint64_t symbol)
{
    uint64_t low = 0, high = record->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (record->symbols[middle] < symbol)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Most sets are small and of entities. */
static bool holds_uid(struct fb_value set, const struct fb_uid *uid)
{
    for (uint32_t i = 0; i < set.count; i++) {
        const struct fb_cell *cell = &set.cells[i];
        if (cell->kind == FB_ENTITY && fb_uid_eq(fb_cell_load(cell).uid, uid))
            return true;
    }
    return false;
}

bool fb_set_contains(struct fb_value set, struct fb_value element)
{
    uint32_t low = 0, high = set.count;
    if (high <= SMALL && element.kind == FB_ENTITY)
        return holds_uid(set, element.uid);
    if (high <= SMALL) {
        for (; low < high; low++)
            if (fb_value_eq(fb_cell_load(&set.cells[low]), element))
                return true;
        return false;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int c = fb_value_cmp(fb_cell_load(&set.cells[middle]), element);
        if (c == 0)
            return true;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
