/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation errors: noted as they happen, put into words only when somebody reads them. */

#include "engine/eval.h"

#define MESSAGE_MAX 1024u
#define CANDIDATES_MAX 32u     /* attributes that may have been meant */

bool fb_fault(struct fb_eval *e, uint32_t node, enum fb_fault_code code, struct fb_value a)
{
    e->fault.code = code;
    e->fault.node = node;
    e->fault.a = a;
    return false;
}

bool fb_fault_type(struct fb_eval *e, uint32_t node, const char *wanted, struct fb_value got)
{
    e->fault.text = wanted;
    return fb_fault(e, node, FB_FAULT_TYPE, got);
}

const char *fb_kind_name(uint8_t kind)
{
    static const char *const names[] = {
        [FB_BOOL] = "a bool", [FB_LONG] = "a long", [FB_STRING] = "a string", [FB_ENTITY] = "an entity",
        [FB_SET] = "a set", [FB_RECORD] = "a record", [FB_DECIMAL] = "a decimal",
        [FB_DATETIME] = "a datetime", [FB_DURATION] = "a duration", [FB_IP] = "an ipaddr",
    };
    return kind < sizeof names / sizeof names[0] ? names[kind] : "a value";
}

/* fb_buffer's memory taken from an arena, so that a message needs no heap. */
static void *arena_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    if (new_size == 0)
        return NULL;
    void *moved = fb_arena_alloc(context, new_size);
    if (moved != NULL && block != NULL)
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
    return moved;
}

/* A value, unless it is too long to be helpful. */
static void add_value(struct fb_buffer *out, struct fb_value value)
{
    struct fb_allocator allocator = *out->allocator;
    struct fb_buffer text;
    fb_buffer_init(&text, &allocator, MESSAGE_MAX / 4);
    fb_value_print(&text, value);
    if (text.failed)
        fb_buffer_add_z(out, fb_kind_name(value.kind));
    else
        fb_buffer_add(out, fb_buffer_span(&text));
    fb_buffer_release(&text);
}

/* The name of an attribute or a tag, in quotes; of a long one its beginning. */
static void add_name(struct fb_buffer *out, struct fb_span name)
{
    size_t len = name.len;
    if (len > MESSAGE_MAX / 8)
        len = MESSAGE_MAX / 8;
    while (len < name.len && len > 0 && ((unsigned char)name.ptr[len] & 0xC0) == 0x80)
        len--;
    fb_buffer_add_cedar(out, fb_span_head(name, len));
    if (len < name.len)
        fb_buffer_add_z(out, "…");
}

static void add_overflow(struct fb_buffer *out, const struct fb_fault *fault)
{
    if (fault->a.kind == FB_LONG) {
        fb_buffer_add_z(out, "the result does not fit into 64 bits: ");
        add_value(out, fault->a);
        fb_buffer_add_format(out, " %s ", fault->text);
        add_value(out, fault->b);
        return;
    }
    fb_buffer_add_format(out, "`%s` leaves the range of what it makes: ", fault->text);
    add_value(out, fault->a);
    if (!fb_value_eq(fault->a, fault->b)) {
        fb_buffer_add_z(out, ", ");
        add_value(out, fault->b);
    }
}

/* The attribute of the record that was probably meant. */
static void add_meant(struct fb_buffer *out, const struct fb_record *record, struct fb_span name)
{
    struct fb_span names[CANDIDATES_MAX];
    const struct fb_cell *cells = fb_record_names(record);
    size_t count = record->count < CANDIDATES_MAX ? (size_t)record->count : CANDIDATES_MAX;
    for (size_t i = 0; i < count; i++)
        names[i] = fb_value_text(fb_cell_load(&cells[i]));
    struct fb_span meant = fb_did_you_mean(name, names, count);
    if (count == 0)
        fb_buffer_add_z(out, ", nor any other");
    if (meant.len == 0)
        return;
    fb_buffer_add_z(out, "; did you mean ");
    add_name(out, meant);
    fb_buffer_add_char(out, '?');
}

static void describe(struct fb_buffer *out, const struct fb_fault *fault)
{
    switch (fault->code) {
    case FB_FAULT_TYPE:
        fb_buffer_add_format(out, "type error: wanted %s, got %s: ", fault->text, fb_kind_name(fault->a.kind));
        add_value(out, fault->a);
        break;
    case FB_FAULT_OVERFLOW:
        add_overflow(out, fault);
        break;
    case FB_FAULT_NO_ENTITY:
        fb_buffer_add_z(out, "there is no entity ");
        add_value(out, fault->a);
        break;
    case FB_FAULT_NO_ATTRIBUTE:
    case FB_FAULT_NO_TAG:
        if (fault->a.kind == FB_ENTITY)
            add_value(out, fault->a);
        else
            fb_buffer_add_z(out, "the record");
        fb_buffer_add_z(out, fault->code == FB_FAULT_NO_TAG ? " has no tag " : " has no attribute ");
        add_name(out, fault->name);
        if (fault->code == FB_FAULT_NO_ATTRIBUTE && fault->a.kind == FB_RECORD)
            add_meant(out, fault->a.record, fault->name);
        break;
    case FB_FAULT_ARGUMENT:
        fb_buffer_add_format(out, "%s: ", fault->text);
        add_value(out, fault->a);
        break;
    case FB_FAULT_ARITY:
        fb_buffer_add_z(out, "wrong number of arguments for `");
        fb_buffer_add(out, fault->name);
        fb_buffer_add_format(out, "`: wanted %lld, got %lld (a method's receiver counts)",
                             (long long)fault->b.number, (long long)fault->a.number);
        break;
    }
}

struct fb_span fb_fault_message(const struct fb_eval *e)
{
    struct fb_allocator allocator = {arena_resize, e->arena};
    struct fb_buffer text;
    fb_buffer_init(&text, &allocator, MESSAGE_MAX);
    describe(&text, &e->fault);
    /* The arena owns the bytes, so the buffer is not released. */
    return fb_buffer_span(&text);
}

struct fb_range fb_fault_range(const struct fb_eval *e)
{
    return e->code->ranges[e->fault.node];
}
