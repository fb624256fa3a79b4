/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENTITY_VALUE_H
#define FB_ENTITY_VALUE_H

#include "entity/uid.h"

/* Cedar's values.
 *
 * In the hand a value is a `struct fb_value`: a kind and a number or an absolute pointer.  At rest
 * (in a set, a record, a row of the store) it is a `struct fb_cell`: the same, with the pointer
 * written as an offset from the cell's own address.  So one form serves memory and the map, a block
 * may be moved as a whole, nothing is parsed or copied to be read, and a set made during an
 * evaluation may hold a string that lives in the map.
 *
 *      cell   ┌ kind 1 │ 0 0 0 │ count 4 │ bits 8 ─────────────┐
 *             │ bool, long, decimal, datetime, duration:       the number itself
 *             │ string:    count = bytes                       bits → the bytes
 *             │ entity:                                        bits → struct fb_uid
 *             │ set:       count = elements                    bits → struct fb_cell[count]
 *             │ record:    count = fields                      bits → struct fb_record
 *             └ ip:                                            bits → struct fb_ip
 *
 * Sets are sorted by fb_value_cmp and hold no element twice; records are sorted by (symbol, name).
 * All is 8-aligned and little-endian (strings need no alignment). */

enum fb_kind {
    FB_BOOL, FB_LONG, FB_STRING, FB_ENTITY, FB_SET, FB_RECORD,
    FB_DECIMAL,     /* scaled by 10,000 */
    FB_DATETIME,    /* milliseconds since 1970-01-01T00:00:00Z */
    FB_DURATION,    /* milliseconds */
    FB_IP
};

struct fb_ip {
    uint8_t address[16];    /* network order; IPv4 in the first four, the rest zero */
    uint8_t family;         /* 4 or 6 */
    uint8_t prefix;         /* 0..32 or 0..128, as written; not applied to the address */
    uint8_t reserved[6];
};

struct fb_cell {
    uint8_t kind;
    uint8_t reserved[3];
    uint32_t count;
    int64_t bits;
};
_Static_assert(sizeof(struct fb_cell) == 16, "the format of the store");

struct fb_value {
    uint8_t kind;           /* enum fb_kind */
    uint32_t count;
    union {
        int64_t number;     /* BOOL (0, 1), LONG, DECIMAL, DATETIME, DURATION */
        const char *text;
        const struct fb_uid *uid;
        const struct fb_cell *cells;
        const struct fb_record *record;
        const struct fb_ip *ip;
    };
};

/* Fields in three columns, so that a search touches the symbols alone. */
struct fb_record {
    uint64_t count;
    uint64_t symbols[];     /* fb_hash(name), ascending; then cells[count] values, cells[count] names */
};

/* The record without fields. */
extern const struct fb_record fb_record_empty;

static inline const struct fb_cell *fb_record_values(const struct fb_record *record)
{
    return (const struct fb_cell *)(const void *)(record->symbols + record->count);
}

static inline const struct fb_cell *fb_record_names(const struct fb_record *record)
{
    return fb_record_values(record) + record->count;
}

static inline size_t fb_record_size(size_t count)
{
    return sizeof(struct fb_record) + count * (sizeof(uint64_t) + 2 * sizeof(struct fb_cell));
}

/* Cell ↔ value.  An offset may cross from one allocation into another, so it is added to the address
 * as a number.  What is empty (a string, a set) has the offset 0. */
static inline struct fb_value fb_cell_load(const struct fb_cell *cell)
{
    struct fb_value v = {.kind = cell->kind, .count = cell->count, .number = cell->bits};
    if ((1u << cell->kind) & (1u << FB_STRING | 1u << FB_ENTITY | 1u << FB_SET | 1u << FB_RECORD | 1u << FB_IP))
        /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
        v.text = (const char *)((uintptr_t)cell + (uint64_t)cell->bits);
    return v;
}

void fb_cell_store(struct fb_cell *cell, struct fb_value value);

/* Making values. */
static inline struct fb_value fb_value_bool(bool b)
{
    return (struct fb_value){.kind = FB_BOOL, .number = b};
}

static inline struct fb_value fb_value_number(enum fb_kind kind, int64_t n)
{
    return (struct fb_value){.kind = (uint8_t)kind, .number = n};
}

static inline struct fb_value fb_value_string(struct fb_span text)
{
    return (struct fb_value){.kind = FB_STRING, .count = (uint32_t)text.len, .text = text.ptr};
}

static inline struct fb_value fb_value_entity(const struct fb_uid *uid)
{
    return (struct fb_value){.kind = FB_ENTITY, .uid = uid};
}

static inline struct fb_value fb_value_of_record(const struct fb_record *record)
{
    return (struct fb_value){.kind = FB_RECORD, .record = record};
}

static inline struct fb_span fb_value_text(struct fb_value v)
{
    return fb_span(v.text, v.count);
}

/* A set of the given values in the arena, sorted, without repetitions.  `values` is reordered.
 * False without memory. */
bool fb_value_set(struct fb_arena *arena, struct fb_value *values, size_t count, struct fb_value *set);

struct fb_field {
    struct fb_span name;
    struct fb_value value;
};
/* A record of the given fields (names distinct: a repeated name is a bug), sorted.  Names and values
 * are referred to, not copied.  False without memory. */
bool fb_value_record(struct fb_arena *arena, const struct fb_field *fields, size_t count, struct fb_value *record);

static inline bool fb_record_is_named(const struct fb_record *record, uint64_t field, struct fb_span name)
{
    const struct fb_cell *cell = &fb_record_names(record)[field];
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): fb_cell_load() of a string */
    return fb_span_eq(fb_span((const char *)((uintptr_t)cell + (uint64_t)cell->bits), cell->count), name);
}

/* The first place whose symbol is not below. */
uint64_t fb_record_bound(const struct fb_record *record, uint64_t symbol);
/* Up to so many fields, looking at each beats halving. */
#define FB_RECORD_SMALL 8u

/* The field of that name: symbol = fb_hash(name).  NULL when there is none.  Fields whose names share
 * a symbol stand side by side, so the name decides among them. */
static inline const struct fb_cell *fb_record_find(const struct fb_record *record, uint64_t symbol, struct fb_span name)
{
    uint64_t count = record->count, i = 0;
    if (count <= FB_RECORD_SMALL)
        for (uint64_t at = 0; at < count; at++)     /* no branch that the processor could guess wrong */
            i += record->symbols[at] < symbol;
    else
        i = fb_record_bound(record, symbol);
    for (; i < count && record->symbols[i] == symbol; i++)
        if (fb_record_is_named(record, i, name))
            return &fb_record_values(record)[i];
    return NULL;
}

/* The same where it is thought to be field number `place`. */
static inline const struct fb_cell *fb_record_find_near(const struct fb_record *record, uint64_t symbol,
                                                        struct fb_span name, uint32_t place)
{
    if (place < record->count && record->symbols[place] == symbol && fb_record_is_named(record, place, name))
        return &fb_record_values(record)[place];
    return fb_record_find(record, symbol, name);
}

/* Cedar's `==`: kinds equal and contents equal. */
bool fb_value_eq(struct fb_value a, struct fb_value b);
/* A total order over all values (of one kind by contents; else by kind), consistent with
 * fb_value_eq; the order of sets at rest. */
int fb_value_cmp(struct fb_value a, struct fb_value b);
/* Cedar's `set.contains(x)`. */
bool fb_set_contains(struct fb_value set, struct fb_value element);

/* A deep copy in one piece that points to nothing outside of itself.  False without memory. */
bool fb_value_copy(struct fb_arena *arena, struct fb_value value, struct fb_value *copy);

/* Cedar text of the value, as the official `evaluate` prints it: `decimal("1.5")`, `[1, 2]`,
 * `{"a": true}`, … */
void fb_value_print(struct fb_buffer *out, struct fb_value value);
/* Cedar's JSON: __entity and __extn escapes. */
void fb_value_print_json(struct fb_buffer *out, struct fb_value value);

#define FB_VALUE_DEPTH 64u  /* of nested sets and records, in every reader */

#endif
