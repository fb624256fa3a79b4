/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: a list of blocks of doubling size, cut from the front.
 *
 * The ceiling counts the bytes of blocks that pieces can use, not the two words in front of each.
 * With FB_ARENA_MALLOC a block holds exactly one piece of exactly its size, so that a tool that
 * watches malloc sees every overrun; what a piece costs of the ceiling is the same. */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>

#define ALIGNMENT ((size_t)16)
#define FIRST_BLOCK ((size_t)4096)
#define FIRST_BYTES ((size_t)64)    /* of an array that grows */
#define LARGEST_BLOCK ((size_t)1 << 20)
/* Of an arena that has grown large: whole pages of the largest kind, an eighth of it, so that little stays unused. */
#define LARGE_PAGE ((size_t)2 << 20)
#define LARGE_ARENA ((size_t)4 << 20)
#ifdef FB_ARENA_MALLOC
#define GIVEN_BACK ((size_t)1)      /* whoever still reads one is caught */
#else
#define GIVEN_BACK ((size_t)1 << 20)
#endif
#define LARGEST_BLOCK_EVER ((size_t)32 << 20)

struct fb_arena_block {
    alignas(16) struct fb_arena_block *next;
    size_t size;                /* of what follows the header */
};

static char *block_start(struct fb_arena_block *block)
{
    return (char *)(block + 1);
}

void fb_arena_init(struct fb_arena *arena, const struct fb_allocator *allocator, size_t ceiling)
{
    *arena = (struct fb_arena){.allocator = allocator, .ceiling = ceiling};
}

static void free_block(struct fb_arena *arena, struct fb_arena_block *block)
{
    fb_free(arena->allocator, block, sizeof *block + block->size);
}

static void free_all_but(struct fb_arena *arena, struct fb_arena_block *keep)
{
    for (struct fb_arena_block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        if (block != keep)
            free_block(arena, block);
    }
    arena->blocks = keep;
    arena->at = arena->end = NULL;
    arena->used = 0;
    arena->failed = false;
    if (keep != NULL) {
        keep->next = NULL;
        arena->at = block_start(keep);
        arena->end = arena->at + keep->size;
        arena->used = keep->size;
    }
}

void fb_arena_release(struct fb_arena *arena)
{
    free_all_but(arena, NULL);
}

void fb_arena_clear(struct fb_arena *arena)
{
    struct fb_arena_block *largest = NULL;
#ifndef FB_ARENA_MALLOC
    /* Mostly there is one block, as after the last time. */
    if (arena->blocks != NULL && arena->blocks->next == NULL) {
        arena->at = block_start(arena->blocks);
        arena->failed = false;
        return;
    }
    for (struct fb_arena_block *block = arena->blocks; block != NULL; block = block->next) {
        if (largest == NULL || block->size > largest->size)
            largest = block;
    }
#endif
    free_all_but(arena, largest);
}

static void *fail(struct fb_arena *arena)
{
    arena->failed = true;
    return NULL;
}

/* A new first block; `size` is what it counts of the ceiling, `exact` what it holds. */
static struct fb_arena_block *add_block(struct fb_arena *arena, size_t size, size_t exact)
{
    if (exact > SIZE_MAX - sizeof(struct fb_arena_block))
        return NULL;
    struct fb_arena_block *block = fb_alloc(arena->allocator, sizeof *block + exact);
    if (block == NULL)
        return NULL;
    block->size = exact;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used += size;
    return block;
}

#ifdef FB_ARENA_MALLOC

static char *take(struct fb_arena *arena, size_t size, size_t rounded)
{
    if (rounded > arena->ceiling - arena->used)
        return fail(arena);
    struct fb_arena_block *block = add_block(arena, rounded, size);
    return block != NULL ? block_start(block) : fail(arena);
}

#else

/* The block kept by a clear, when its first piece does not fit: its room goes back to the ceiling,
 * so that a cleared arena can hold whatever a new one can. */
static void drop_untouched_block(struct fb_arena *arena)
{
    struct fb_arena_block *block = arena->blocks;
    if (block == NULL || arena->at != block_start(block))
        return;
    arena->blocks = block->next;
    arena->used -= block->size;
    arena->at = arena->end = NULL;
    free_block(arena, block);
}

static size_t next_block_size(const struct fb_arena *arena, size_t needed)
{
    size_t left = arena->ceiling - arena->used;
    size_t size = arena->blocks == NULL ? FIRST_BLOCK : 2 * arena->blocks->size;
    if (arena->blocks != NULL && arena->blocks->size >= LARGEST_BLOCK / 2)
        size = LARGEST_BLOCK;
    if (arena->used >= LARGE_ARENA) {
        size_t pages = arena->used / 8 / LARGE_PAGE;
        size = arena->used >= 8 * LARGEST_BLOCK_EVER ? LARGEST_BLOCK_EVER : pages < 2 ? 2 * LARGE_PAGE : pages * LARGE_PAGE;
        size -= sizeof(struct fb_arena_block);
    }
    if (size > left)
        size = left;
    return size > needed ? size : needed;
}

/* A block for a large piece alone, behind the newest, from which others are cut further. */
static char *take_alone(struct fb_arena *arena, size_t rounded)
{
    struct fb_arena_block *newest = arena->blocks, *block = add_block(arena, rounded, rounded);
    if (block == NULL)
        return fail(arena);
    block->next = newest->next;
    newest->next = block;
    arena->blocks = newest;
    return block_start(block);
}

/* Where the newest block has no room for the piece. */
static char *take_anew(struct fb_arena *arena, size_t rounded)
{
    drop_untouched_block(arena);
    if (rounded > arena->ceiling - arena->used)
        return fail(arena);
    if (arena->blocks != NULL && rounded >= GIVEN_BACK)
        return take_alone(arena, rounded);
    size_t block_size = next_block_size(arena, rounded);
    struct fb_arena_block *block = add_block(arena, block_size, block_size);
    if (block == NULL)
        return fail(arena);
    arena->at = block_start(block) + rounded;
    arena->end = block_start(block) + block->size;
    return block_start(block);
}

static inline char *take(struct fb_arena *arena, size_t size, size_t rounded)
{
    (void)size;
    if (arena->at == NULL || rounded > (size_t)(arena->end - arena->at))
        return take_anew(arena, rounded);
    char *piece = arena->at;
    arena->at += rounded;
    return piece;
}

#endif

void *fb_arena_room_made(struct fb_arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT)
        return fail(arena);
    size_t rounded = size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    return take(arena, size, rounded);
}

void *fb_arena_alloc(struct fb_arena *arena, size_t size)
{
    char *piece = fb_arena_room(arena, size);
    return piece != NULL ? memset(piece, 0, size) : NULL;
}

void *fb_arena_array(struct fb_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return fail(arena);
    return fb_arena_alloc(arena, count * size);
}

struct fb_span fb_arena_copy(struct fb_arena *arena, struct fb_span bytes)
{
    char *copy = fb_arena_alloc(arena, bytes.len);
    if (copy == NULL)
        return fb_span(NULL, 0);
    if (bytes.len != 0)
        memcpy(copy, bytes.ptr, bytes.len);
    return fb_span(copy, bytes.len);
}

char *fb_arena_text(struct fb_arena *arena, struct fb_span bytes)
{
    char *copy = bytes.len < SIZE_MAX ? fb_arena_alloc(arena, bytes.len + 1) : fail(arena);
    if (copy != NULL && bytes.len != 0)
        memcpy(copy, bytes.ptr, bytes.len);
    return copy;
}

struct fb_span fb_arena_vformat(struct fb_arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length >= 0 ? fb_arena_alloc(arena, (size_t)length + 1) : fail(arena);
    if (text == NULL)
        return fb_span(NULL, 0);
    (void)vsnprintf(text, (size_t)length + 1, format, args);
    return fb_span(text, (size_t)length);
}

struct fb_span fb_arena_format(struct fb_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct fb_span text = fb_arena_vformat(arena, format, args);
    va_end(args);
    return text;
}

/* A block that holds that piece alone, as the large ones do. */
void fb_arena_give_back(struct fb_arena *arena, const void *piece, size_t size)
{
    if (piece == NULL || size < GIVEN_BACK)
        return;
    /* Behind the newest, which may still be cut from. */
    for (struct fb_arena_block *block = arena->blocks; block != NULL && block->next != NULL; block = block->next) {
        struct fb_arena_block *old = block->next;
        if (block_start(old) != piece || old->size - size >= ALIGNMENT)
            continue;
        block->next = old->next;
        arena->used -= (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
        free_block(arena, old);
        return;
    }
}

static void *grow(struct fb_arena *arena, void *array, size_t count, size_t *capacity, size_t size, bool alone)
{
    assert(count <= *capacity);
    if (*capacity > SIZE_MAX / 2)
        return fail(arena);
    /* One cache line at first: most lists of a policy have one or two elements, and there are many policies. */
    size_t first = size >= FIRST_BYTES ? 1 : size <= FIRST_BYTES / 8 ? 8 : FIRST_BYTES / size;
    size_t wanted = *capacity != 0 ? 2 * *capacity : first;
    if (size != 0 && wanted > SIZE_MAX / size)
        return fail(arena);
    char *larger = fb_arena_room(arena, wanted * size);
    if (larger == NULL)
        return NULL;
    if (count != 0)
        memcpy(larger, array, count * size);
    memset(larger + count * size, 0, (wanted - count) * size);
    if (alone && count != 0)
        fb_arena_give_back(arena, array, *capacity * size);
    *capacity = wanted;
    return larger;
}

void *fb_arena_grow(struct fb_arena *arena, void *array, size_t count, size_t *capacity, size_t size)
{
    return count < *capacity ? array : grow(arena, array, count, capacity, size, false);
}

void *fb_arena_grow_alone(struct fb_arena *arena, void *array, size_t count, size_t *capacity, size_t size)
{
    return count < *capacity ? array : grow(arena, array, count, capacity, size, true);
}

static void *resize_in_arena(void *context, void *block, size_t old_size, size_t new_size)
{
    void *moved = new_size != 0 ? fb_arena_alloc(context, new_size) : NULL;
    if (moved != NULL && old_size != 0)
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
    return moved;
}

struct fb_allocator fb_arena_allocator(struct fb_arena *arena)
{
    return (struct fb_allocator){.resize = resize_in_arena, .context = arena};
}
