/* SPDX-License-Identifier: Apache-2.0 */

/* Values copied into one run of bytes; see layout.h. */

#include "entity/layout.h"

static bool measure_record(struct fb_layout_size *size, const struct fb_record *record, unsigned depth)
{
    size->aligned += fb_record_size((size_t)record->count);
    for (uint64_t i = 0; i < record->count; i++) {
        size->text += fb_record_names(record)[i].count;
        if (!fb_layout_measure(size, fb_cell_load(&fb_record_values(record)[i]), depth))
            return false;
    }
    return true;
}

static bool measure_set(struct fb_layout_size *size, struct fb_value set, unsigned depth)
{
    size->aligned += (size_t)set.count * sizeof(struct fb_cell);
    for (uint32_t i = 0; i < set.count; i++)
        if (!fb_layout_measure(size, fb_cell_load(&set.cells[i]), depth))
            return false;
    return true;
}

bool fb_layout_measure(struct fb_layout_size *size, struct fb_value value, unsigned depth)
{
    switch ((enum fb_kind)value.kind) {
    case FB_STRING:
        size->text += value.count;
        return true;
    case FB_ENTITY:
        size->aligned += fb_uid_size(value.uid->type_len, value.uid->id_len);
        return true;
    case FB_IP:
        size->aligned += sizeof(struct fb_ip);
        return true;
    case FB_SET:
        return depth != 0 && measure_set(size, value, depth - 1);
    case FB_RECORD:
        return depth != 0 && measure_record(size, value.record, depth - 1);
    case FB_BOOL:
    case FB_LONG:
    case FB_DECIMAL:
    case FB_DATETIME:
    case FB_DURATION:
        return true;
    }
    return false;
}

static void *take(struct fb_layout *layout, size_t size)
{
    void *block = layout->aligned;
    layout->aligned += size;
    return block;
}

static struct fb_value write_text(struct fb_layout *layout, struct fb_span text)
{
    char *copy = layout->text;
    if (text.len != 0)
        memcpy(copy, text.ptr, text.len);
    layout->text += text.len;
    return fb_value_string(fb_span(copy, text.len));
}

const struct fb_uid *fb_layout_uid(struct fb_layout *layout, const struct fb_uid *uid)
{
    size_t size = fb_uid_size(uid->type_len, uid->id_len);
    return memcpy(take(layout, size), uid, size);
}

static struct fb_value write_set(struct fb_layout *layout, struct fb_value set)
{
    struct fb_cell *cells = take(layout, (size_t)set.count * sizeof *cells);
    for (uint32_t i = 0; i < set.count; i++)
        fb_cell_store(&cells[i], fb_layout_value(layout, fb_cell_load(&set.cells[i])));
    set.cells = cells;
    return set;
}

static struct fb_value write_record(struct fb_layout *layout, const struct fb_record *record)
{
    size_t count = (size_t)record->count;
    struct fb_record *copy = take(layout, fb_record_size(count));
    copy->count = record->count;
    if (count != 0)
        memcpy(copy->symbols, record->symbols, count * sizeof record->symbols[0]);
    struct fb_cell *values = (struct fb_cell *)(void *)(copy->symbols + count), *names = values + count;
    for (size_t i = 0; i < count; i++) {
        fb_cell_store(&names[i], write_text(layout, fb_value_text(fb_cell_load(&fb_record_names(record)[i]))));
        fb_cell_store(&values[i], fb_layout_value(layout, fb_cell_load(&fb_record_values(record)[i])));
    }
    return fb_value_of_record(copy);
}

struct fb_value fb_layout_value(struct fb_layout *layout, struct fb_value value)
{
    switch ((enum fb_kind)value.kind) {
    case FB_STRING:
        return write_text(layout, fb_value_text(value));
    case FB_ENTITY:
        value.uid = fb_layout_uid(layout, value.uid);
        return value;
    case FB_IP:
        value.ip = memcpy(take(layout, sizeof *value.ip), value.ip, sizeof *value.ip);
        return value;
    case FB_SET:
        return write_set(layout, value);
    case FB_RECORD:
        return write_record(layout, value.record);
    case FB_BOOL:
    case FB_LONG:
    case FB_DECIMAL:
    case FB_DATETIME:
    case FB_DURATION:
        return value;
    }
    return value;
}

bool fb_value_copy(struct fb_arena *arena, struct fb_value value, struct fb_value *copy)
{
    struct fb_layout_size size = {0};
    if (!fb_layout_measure(&size, value, UINT32_MAX))
        return false;
    char *block = fb_arena_alloc(arena, size.aligned + size.text);
    if (block == NULL)
        return false;
    struct fb_layout layout = {block, block + size.aligned};
    *copy = fb_layout_value(&layout, value);
    return true;
}
