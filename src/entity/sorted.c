/* SPDX-License-Identifier: Apache-2.0 */

/* A record's fields in the order of their names; see sorted.h. */

#include "entity/sorted.h"

#define FEW (sizeof((struct fb_by_name *)NULL)->few / sizeof(uint32_t))

static struct fb_span name_of(const struct fb_record *record, uint32_t field)
{
    return fb_value_text(fb_cell_load(&fb_record_names(record)[field]));
}

/* Sinks the field at `at` to its place in a heap of `count` fields. */
static void sink(uint32_t *fields, uint32_t at, uint32_t count, const struct fb_record *record)
{
    while (at * 2 + 1 < count) {
        uint32_t child = at * 2 + 1, moved = fields[at];
        if (child + 1 < count && fb_span_cmp(name_of(record, fields[child]), name_of(record, fields[child + 1])) < 0)
            child++;
        if (fb_span_cmp(name_of(record, moved), name_of(record, fields[child])) >= 0)
            return;
        fields[at] = fields[child];
        fields[child] = moved;
        at = child;
    }
}

/* A heap sort, since qsort has no place for the record that the indices are of. */
static void sort(uint32_t *fields, uint32_t count, const struct fb_record *record)
{
    for (uint32_t i = count / 2; i-- != 0;)
        sink(fields, i, count, record);
    for (uint32_t last = count; last-- > 1;) {
        uint32_t greatest = fields[0];
        fields[0] = fields[last];
        fields[last] = greatest;
        sink(fields, 0, last, record);
    }
}

bool fb_by_name_init(struct fb_by_name *order, const struct fb_record *record, const struct fb_allocator *allocator)
{
    order->count = (uint32_t)record->count;
    order->allocator = allocator;
    order->fields = order->few;
    if (order->count > FEW)
        order->fields = fb_alloc(allocator, order->count * sizeof *order->fields);
    if (order->fields == NULL)
        return false;
    for (uint32_t i = 0; i < order->count; i++)
        order->fields[i] = i;
    sort(order->fields, order->count, record);
    return true;
}

void fb_by_name_release(struct fb_by_name *order)
{
    if (order->fields != order->few)
        fb_free(order->allocator, order->fields, order->count * sizeof *order->fields);
}
