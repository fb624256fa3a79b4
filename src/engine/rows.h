/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENGINE_ROWS_H
#define FB_ENGINE_ROWS_H

#include "engine/engine.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Policies as rows, and who finds them: docs/decisions/0007 has the reasons and the measured sizes.
 *
 *   row    form        which compiled policy: effect, action, operators, conditions
 *          key[2]      whom its scope names, principal and resource: a uid, a type, or key 0 for anybody
 *          origin      its policy or link
 *   key    uid, and of each side the rows that name it: a list through the rows themselves
 *
 *   uid  ──by_uid──► key ──first[side]──► row ⇄ row ⇄ row …
 *   pair ──by_pair─► row → row …
 *
 * So a row is entered and taken out in constant time, and whoever knows the keys of a request (itself, its
 * ancestors, its type, anybody) knows how many rows name them before looking at one.  A pair is found by the
 * hashes of its uids alone, before any key is read; a pair that no row names costs one cache line.  All
 * arrays grow by pieces that never move, and the hash tables by one bucket at a time (linear hashing), so that
 * no single change costs more than another by the size of the table.
 *
 * One thread writes, while nobody reads; any number read. */

/* An array that grows without moving, its pieces aligned to cache lines: 16 elements, 16, 32, 64 …, then always
 * as many as make some 64 kB, which is what the kernel hands out and clears within some twenty microseconds. */
struct fb_segments {
    char **list;
    uint32_t count, capacity;
};

/* Of elements of a size: the binary logarithm of how many a late piece has. */
static inline unsigned fb_segment_bits(size_t size)
{
    return size > 64 ? 8 : 10;
}

static inline void *fb_segments_at(const struct fb_segments *segments, uint32_t i, size_t size)
{
    unsigned bits = fb_segment_bits(size);
    if (i >> bits != 0)
        return segments->list[bits - 4 + (i >> bits)] + (i & ((1u << bits) - 1)) * size;
    if (i < 16)
        return segments->list[0] + i * size;
    unsigned top = 31u - (unsigned)__builtin_clz(i);
    return segments->list[top - 3] + (i - (1u << top)) * size;
}

enum fb_side { FB_SIDE_PRINCIPAL, FB_SIDE_RESOURCE };   /* as enum fb_var leaves out the action */

/* One cache line. */
struct fb_row {
    uint32_t form;              /* FB_ROW_FREE: none */
    uint32_t key[2];            /* by enum fb_side */
    uint32_t next_pair;         /* of the same two keys: number + 1; 0: none */
    uint32_t next[2], prev[2];  /* in the lists of the keys, likewise */
    uint32_t next_id;           /* in its bucket of ids: number + 1; of a free row the next free one */
    uint32_t place;             /* among the rows of its group: 0 is the one with the least number */
    const void *origin;         /* struct fb_policy, struct fb_link, or struct fb_row_id */
    const struct fb_uid *uid[2];        /* of the keys */
};
#define FB_ROW_FREE UINT32_MAX
_Static_assert(sizeof(struct fb_row) == 64, "a row is a cache line");

/* The id of a row that owns it. */
struct fb_row_id {
    uint32_t len;
    char bytes[];
};

struct fb_key {
    const struct fb_uid *uid;   /* of a type the type with an empty id; NULL of key 0 */
    uint64_t hash;              /* fb_side_hash() of it; odd: of a type */
    uint32_t first[2];          /* by enum fb_side: number of a row + 1; of a free key the next free one */
    uint32_t count[2];
};
_Static_assert(sizeof(struct fb_key) == 32, "two keys a cache line, none on two");

static inline bool fb_key_is_type(const struct fb_key *key)
{
    return (key->hash & 1) != 0;
}

/* What a pair is hashed from: a side that names an entity, all of a type, or anybody. */
#define FB_ANYBODY_HASH UINT64_C(0xa0761d6478bd642e)
static inline uint64_t fb_uid_side_hash(const struct fb_uid *uid)
{
    return uid->hash & ~UINT64_C(1);
}
static inline uint64_t fb_type_side_hash(uint64_t type_hash)
{
    return (type_hash ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93) | 1;
}
static inline uint64_t fb_pair_hash(uint64_t principal, uint64_t resource)
{
    uint64_t mixed = (principal ^ principal >> 32) * UINT64_C(0x9e3779b97f4a7c15) + resource;
    mixed = (mixed ^ mixed >> 31) * UINT64_C(0xc4ceb9fe1a85ec53);
    return mixed ^ mixed >> 29;
}

/* A hash table for many absent names: a bucket is one line of tags, 15 bits of each hash, and behind it the
 * entries; without the tag there, no entry is read.  Numbers are not 0. */
#define FB_TAGS 30u
struct fb_tag_line {
    uint16_t tag[FB_TAGS];      /* 0: free; those in use come first */
    uint32_t more;              /* another line: its number among `spilled` + 1 */
    uint32_t entry[FB_TAGS];
    uint32_t reserved[2];
};
_Static_assert(sizeof(struct fb_tag_line) == 192, "whole cache lines");

struct fb_tags {
    struct fb_segments lines, spilled;  /* of struct fb_tag_line */
    uint32_t count, mask;               /* of lines */
    uint32_t entries;
    uint32_t spilled_count, free_spilled;       /* free: number + 1, linked by `more` */
};

static inline uint16_t fb_tag_of(uint64_t hash)
{
    return (uint16_t)(hash >> 48 | 1);
}

static inline struct fb_tag_line *fb_tag_line_at(const struct fb_tags *tags, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & tags->mask;
    return fb_segments_at(&tags->lines, i < tags->count ? i : i & (tags->mask >> 1), sizeof(struct fb_tag_line));
}

static inline const struct fb_tag_line *fb_tag_line_more(const struct fb_tags *tags, const struct fb_tag_line *line)
{
    return line->more != 0 ? fb_segments_at(&tags->spilled, line->more - 1, sizeof *line) : NULL;
}

/* Which of the line's entries have the tag: 1 << its place. */
static inline uint32_t fb_tag_line_match(const struct fb_tag_line *line, uint16_t tag)
{
#ifdef __SSE2__
    const __m128i *four = (const __m128i *)(const void *)line, wanted = _mm_set1_epi16((short)tag);
    __m128i low = _mm_packs_epi16(_mm_cmpeq_epi16(four[0], wanted), _mm_cmpeq_epi16(four[1], wanted));
    __m128i high = _mm_packs_epi16(_mm_cmpeq_epi16(four[2], wanted), _mm_cmpeq_epi16(four[3], wanted));
    uint32_t found = (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
    return found & ((1u << FB_TAGS) - 1);
#else
    uint32_t found = 0;
    for (uint32_t i = 0; i < FB_TAGS; i++)
        found |= (uint32_t)(line->tag[i] == tag) << i;
    return found;
#endif
}

/* Buckets whose number grows one by one. */
struct fb_buckets {
    struct fb_segments heads;   /* of uint32_t */
    uint32_t count, mask;
};

static inline uint32_t *fb_bucket_at(const struct fb_buckets *buckets, uint32_t hash)
{
    uint32_t i = hash & buckets->mask;
    return fb_segments_at(&buckets->heads, i < buckets->count ? i : i & (buckets->mask >> 1), sizeof(uint32_t));
}

/* Rows that differ in nothing but whom they name: of one form, and of one type on a side that asks `==`.  To a
 * request that a row does not name they are all alike, so the first can stand for them.  Where rows come and
 * go all of them stand in a heap by number; else only the first is known. */
struct fb_group {
    uint64_t type[2];           /* by enum fb_side: the hash of the type, or 0 */
    uint32_t form;
    uint32_t next;              /* in its bucket, or of free groups: number + 1 */
    uint32_t first, count;
    struct fb_segments heap;    /* of uint32_t: numbers of rows */
};

/* Of the rows that name a busy key on one side those of one form and one type on the other: busy.c. */
struct fb_busy {
    uint64_t type;              /* of the other side; 0: anybody */
    uint32_t form, key;
    enum fb_side side;
    uint32_t next;              /* in its bucket, or of free ones: number + 1 */
    uint32_t live, size;        /* rows; numbers in the heap, of which some may have gone, but not the first */
    struct fb_segments heap;    /* of uint32_t: numbers of rows */
};

/* Small blocks of bytes, kept for reuse by their size. */
#define FB_PIECE_CLASSES 28u
struct fb_pieces {
    struct fb_piece_block *blocks;
    char *at, *end;
    char *expected, *expected_end;      /* for segments and blocks */
    void *free[FB_PIECE_CLASSES];
};

struct fb_rows {
    struct fb_allocator allocator;
    struct fb_segments rows, keys, groups, busy;
    struct fb_tags by_uid, by_pair;     /* of keys; of the first rows of each pair, number + 1 */
    struct fb_buckets by_id, by_group, by_busy;
    struct fb_pieces pieces;
    uint32_t count;             /* rows with a number, free ones too */
    uint32_t live;
    uint32_t keys_count, keys_live, types;
    uint32_t members[2];        /* rows whose scope asks `in` */
    uint32_t free_row, free_key;/* number + 1; number: key 0 is never free */
    uint32_t groups_count, free_group;          /* free: number + 1 */
    uint32_t busy_count, busy_live, free_busy;  /* likewise */
    uint32_t followers;         /* rows that are not the first of their group, where none is taken out */
    size_t bytes;               /* taken from the allocator */
    bool ids;                   /* rows own their ids and are found by them */
};

/* Whom one side of a scope names. */
struct fb_named {
    const struct fb_uid *uid;   /* NULL: a type, or anybody */
    struct fb_span type;        /* … of this name, or empty: anybody */
    bool member;                /* asks `in` */
};

bool fb_rows_init(struct fb_rows *rows, const struct fb_allocator *allocator, bool ids);
void fb_rows_release(struct fb_rows *rows);

/* Enters a row.  `shared`: others may have its form.  With `ids`, `id` and the uids are copied and `origin` is ignored; without, both must outlive the
 * rows.  False without memory: nothing has changed. */
bool fb_rows_add(struct fb_rows *rows, uint32_t form, bool shared, const struct fb_named names[2], struct fb_span id,
                 const void *origin, uint32_t *number);
/* `member` as when it was entered, by enum fb_side.  Only with `ids`. */
void fb_rows_remove(struct fb_rows *rows, uint32_t number, const bool member[2]);
/* The row of that id, with `ids`; UINT32_MAX. */
uint32_t fb_rows_find(const struct fb_rows *rows, struct fb_span id);

static inline struct fb_row *fb_row_at(const struct fb_rows *rows, uint32_t number)
{
    return fb_segments_at(&rows->rows, number, sizeof(struct fb_row));
}

static inline struct fb_key *fb_key_at(const struct fb_rows *rows, uint32_t key)
{
    return fb_segments_at(&rows->keys, key, sizeof(struct fb_key));
}

/* The key of a uid, or of its type; 0: no row names it. */
uint32_t fb_rows_key(const struct fb_rows *rows, const struct fb_uid *uid);
uint32_t fb_rows_type_key(const struct fb_rows *rows, const struct fb_uid *uid);
/* The first row that names this pair of keys, its number + 1; 0: none. */
uint32_t fb_rows_pair(const struct fb_rows *rows, const uint32_t keys[2]);

/* Buckets: of any entries that have a number, a hash, and room for the number of the next. */
typedef uint32_t *fb_next_of(const struct fb_rows *rows, uint32_t entry, uint32_t *hash);
bool fb_buckets_reach(struct fb_rows *rows, struct fb_buckets *buckets, fb_next_of *next, uint32_t wanted);
void fb_bucket_enter(const struct fb_rows *rows, struct fb_buckets *buckets, fb_next_of *next, uint32_t entry);
void fb_bucket_leave(const struct fb_rows *rows, struct fb_buckets *buckets, fb_next_of *next, uint32_t entry);

/* --- groups.c ------------------------------------------------------------------------------------ */

static inline struct fb_group *fb_group_at(const struct fb_rows *rows, uint32_t number)
{
    return fb_segments_at(&rows->groups, number, sizeof(struct fb_group));
}

/* The group of such a row, with room for one more.  False without memory. */
bool fb_group_reserve(struct fb_rows *rows, uint32_t form, const uint32_t keys[2], const bool member[2],
                      uint32_t *group);
/* Into a group that has been reserved. */
void fb_group_enter(struct fb_rows *rows, uint32_t group, uint32_t number);
/* Of rows that come and go; before the keys of the row are dropped. */
void fb_group_leave(struct fb_rows *rows, uint32_t number, const bool member[2]);
void fb_groups_release(struct fb_rows *rows);

/* --- busy.c -------------------------------------------------------------------------------------- */

static inline struct fb_busy *fb_busy_at(const struct fb_rows *rows, uint32_t number)
{
    return fb_segments_at(&rows->busy, number, sizeof(struct fb_busy));
}

static inline uint32_t fb_busy_least(const struct fb_busy *busy)
{
    return *(const uint32_t *)fb_segments_at(&busy->heap, 0, sizeof(uint32_t));
}

/* The entries of a key's side, number + 1; 0: there are none, its rows have to be walked. */
uint32_t fb_busy_first(const struct fb_rows *rows, uint32_t key, enum fb_side side);
uint32_t fb_busy_next(const struct fb_rows *rows, uint32_t at);
/* A row that is in all lists; one that is in none and whose number is free, before its keys are dropped. */
void fb_busy_enter(struct fb_rows *rows, uint32_t number);
void fb_busy_leave(struct fb_rows *rows, const struct fb_row *row);
void fb_busy_release(struct fb_rows *rows);

/* --- tags.c ------------------------------------------------------------------------------------- */

/* The hash of what an entry stands for. */
typedef uint64_t fb_hash_of(const struct fb_rows *rows, uint32_t entry);
/* Room for one more entry.  False without memory. */
bool fb_tags_reserve(struct fb_rows *rows, struct fb_tags *tags, fb_hash_of *hash_of);
/* There is room. */
void fb_tags_enter(struct fb_tags *tags, uint64_t hash, uint32_t entry);
void fb_tags_leave(struct fb_tags *tags, uint64_t hash, uint32_t entry);
/* Another entry in the place of one. */
void fb_tags_replace(struct fb_tags *tags, uint64_t hash, uint32_t entry, uint32_t by);
void fb_tags_release(struct fb_tags *tags, const struct fb_rows *rows);

/* --- segments.c ---------------------------------------------------------------------------------- */

/* So many rows more come now: they are given few large pieces of memory, if it can be had. */
void fb_rows_expect(struct fb_rows *rows, size_t more);
/* Room for element i, not cleared, so that a new piece is paid for page by page; every one below has room.  NULL
 * without memory. */
void *fb_segments_reach(struct fb_segments *segments, struct fb_rows *rows, uint32_t i, size_t size);
void fb_segments_release(struct fb_segments *segments, const struct fb_rows *rows, size_t size);
/* 8-aligned, not cleared.  NULL without memory. */
void *fb_piece_new(struct fb_rows *rows, size_t size);
void fb_piece_free(struct fb_rows *rows, void *piece, size_t size);
void fb_pieces_release(struct fb_rows *rows);

#endif
