/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of rows: arrays that grow without moving, and small pieces for uids and ids.  What is freed is
 * kept for the next of its size and given back with the whole. */

#include "engine/rows.h"

#define LINE ((size_t)64)
#define FIRST_BLOCK ((size_t)1024)
#define LARGEST_BLOCK ((size_t)64 << 10)
#define SMALL ((size_t)256)         /* up to here classes are 16 bytes apart, above they double */

/* Of many rows at once: what each takes, its own share of keys and of tables included, in whole large pages. */
#define EXPECTED_BYTES ((size_t)120)
#define EXPECTED_MIN ((size_t)4 << 20)
#define EXPECTED_MAX ((size_t)1 << 30)      /* rows */
#define LARGE_PAGE ((size_t)2 << 20)

struct fb_piece_block {
    struct fb_piece_block *next;
    size_t size;                    /* with this header */
};

static void *take(struct fb_rows *rows, size_t size)
{
    void *block = fb_alloc(&rows->allocator, size);
    if (block != NULL)
        rows->bytes += size;
    return block;
}

/* --- Segments ------------------------------------------------------------------------------------ */

/* Of what was expected, if it is enough. */
static char *take_expected(struct fb_rows *rows, size_t size)
{
    struct fb_pieces *pieces = &rows->pieces;
    char *block = pieces->expected;
    if (block == NULL || size > (size_t)(pieces->expected_end - block))
        return NULL;
    pieces->expected += size;
    return block;
}

/* At the start of a cache line; the byte before it says how far that is from what was allocated, 0: that was with
 * others. */
static char *take_lines(struct fb_rows *rows, size_t size)
{
    char *expected = take_expected(rows, size + LINE);
    if (expected != NULL) {
        expected[LINE - 1] = 0;
        return expected + LINE;
    }
    char *block = take(rows, size + LINE);
    if (block == NULL)
        return NULL;
    size_t shift = LINE - ((uintptr_t)block & (LINE - 1));
    block[shift - 1] = (char)shift;
    return block + shift;
}

static void give_lines(const struct fb_rows *rows, char *lines, size_t size)
{
    if (lines[-1] != 0)
        fb_free(&rows->allocator, lines - lines[-1], size + LINE);
}

/* Elements of a segment, by its place. */
static uint32_t elements(uint32_t segment, size_t size)
{
    unsigned bits = fb_segment_bits(size);
    return segment == 0 ? 16 : segment <= bits - 4 ? 8u << segment : 1u << bits;
}

/* The list of segments; old lists of an arena stay in it. */
static bool lengthen(struct fb_segments *segments, struct fb_rows *rows)
{
    uint32_t wanted = segments->capacity != 0 ? 2 * segments->capacity : 4;
    /* NOLINTBEGIN(bugprone-sizeof-expression): an array of pointers */
    char **list = take(rows, wanted * sizeof *list);
    if (list == NULL)
        return false;
    if (segments->count != 0)
        memcpy(list, segments->list, segments->count * sizeof *list);
    fb_free(&rows->allocator, segments->list, segments->capacity * sizeof *list);
    rows->bytes -= segments->capacity * sizeof *list;
    /* NOLINTEND(bugprone-sizeof-expression) */
    segments->list = list;
    segments->capacity = wanted;
    return true;
}

void *fb_segments_reach(struct fb_segments *segments, struct fb_rows *rows, uint32_t i, size_t size)
{
    unsigned bits = fb_segment_bits(size);
    uint32_t segment = i >> bits != 0 ? bits - 4 + (i >> bits) : i < 16 ? 0 : 28u - (uint32_t)__builtin_clz(i);
    if (segment < segments->count)
        return fb_segments_at(segments, i, size);
    if (segments->count == segments->capacity && !lengthen(segments, rows))
        return NULL;
    char *made = take_lines(rows, elements(segment, size) * size);
    if (made == NULL)
        return NULL;
    segments->list[segments->count++] = made;
    return fb_segments_at(segments, i, size);
}

void fb_segments_release(struct fb_segments *segments, const struct fb_rows *rows, size_t size)
{
    for (uint32_t i = 0; i < segments->count; i++)
        give_lines(rows, segments->list[i], elements(i, size) * size);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    fb_free(&rows->allocator, segments->list, segments->capacity * sizeof *segments->list);
    *segments = (struct fb_segments){0};
}

/* --- Pieces -------------------------------------------------------------------------------------- */

/* The class of a size, and the size that it gives. */
static unsigned class_of(size_t size, size_t *rounded)
{
    if (size <= SMALL) {
        unsigned class = size == 0 ? 0 : (unsigned)((size - 1) / 16);
        *rounded = (class + (size_t)1) * 16;
        return class;
    }
    unsigned class = SMALL / 16;
    for (*rounded = 2 * SMALL; *rounded < size; *rounded *= 2)
        class++;
    return class;
}

/* A block of its own for what is large, so that little is left over at the end of one. */
static char *new_block(struct fb_rows *rows, size_t room)
{
    size_t size = sizeof(struct fb_piece_block) + room;
    char *expected = take_expected(rows, (size + LINE - 1) & ~(LINE - 1));
    if (expected != NULL)
        return expected;
    struct fb_piece_block *block = take(rows, size);
    if (block == NULL)
        return NULL;
    *block = (struct fb_piece_block){rows->pieces.blocks, size};
    rows->pieces.blocks = block;
    return (char *)(block + 1);
}

void fb_rows_expect(struct fb_rows *rows, size_t more)
{
    size_t size = more < EXPECTED_MAX ? (more * EXPECTED_BYTES + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1) : 0;
    if (size < EXPECTED_MIN)
        return;
    struct fb_piece_block *block = take(rows, size);
    if (block == NULL)
        return;
    *block = (struct fb_piece_block){rows->pieces.blocks, size};
    rows->pieces.blocks = block;
    uintptr_t start = (uintptr_t)(block + 1);
    rows->pieces.expected = (char *)(block + 1) + (-start & (LINE - 1));
    rows->pieces.expected_end = (char *)block + size;
}

void *fb_piece_new(struct fb_rows *rows, size_t size)
{
    struct fb_pieces *pieces = &rows->pieces;
    size_t rounded;
    unsigned class = class_of(size, &rounded);
    void *piece = class < FB_PIECE_CLASSES ? pieces->free[class] : NULL;
    if (piece != NULL) {
        memcpy(&pieces->free[class], piece, sizeof(void *));
        return piece;
    }
    if (rounded > SMALL || class >= FB_PIECE_CLASSES)
        return new_block(rows, rounded);
    if (pieces->at == NULL || rounded > (size_t)(pieces->end - pieces->at)) {
        size_t room = pieces->blocks == NULL ? FIRST_BLOCK
                      : rows->bytes / 8 < LARGEST_BLOCK ? rows->bytes / 8 / 16 * 16 + FIRST_BLOCK : LARGEST_BLOCK;
        char *block = new_block(rows, room);
        if (block == NULL)
            return NULL;
        pieces->at = block;
        pieces->end = block + room;
    }
    piece = pieces->at;
    pieces->at += rounded;
    return piece;
}

void fb_piece_free(struct fb_rows *rows, void *piece, size_t size)
{
    size_t rounded;
    unsigned class = class_of(size, &rounded);
    if (class >= FB_PIECE_CLASSES)
        return;     /* over 1 MiB, which no uid and no id is */
    memcpy(piece, &rows->pieces.free[class], sizeof(void *));
    rows->pieces.free[class] = piece;
}

void fb_pieces_release(struct fb_rows *rows)
{
    for (struct fb_piece_block *block = rows->pieces.blocks, *next; block != NULL; block = next) {
        next = block->next;
        fb_free(&rows->allocator, block, block->size);
    }
    rows->pieces = (struct fb_pieces){0};
}
