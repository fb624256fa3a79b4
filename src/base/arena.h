/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_ARENA_H
#define FB_BASE_ARENA_H

#include "base/alloc.h"
#include "base/span.h"

#include <stdarg.h>

/* Memory that is freed all at once: one arena per parse, one per load, one per worker for
 * decisions (cleared after each).
 *
 * An arena has a ceiling in bytes; an allocation beyond it, or one that the allocator refuses,
 * returns NULL and sets `failed`, which stays set until the arena is cleared, so that a long
 * series of allocations may be checked once at its end wherever NULL is harmless meanwhile.
 * Blocks are aligned to 16.  With the build option `arena_malloc` each piece is a malloc of its
 * own, so that the address sanitizer sees overruns and uses after a clear.
 * One thread at a time. */
struct fb_arena {
    struct fb_arena_block *blocks;  /* newest first */
    char *at, *end;                 /* free room in the newest block */
    size_t used, ceiling;           /* bytes handed to blocks; their limit */
    const struct fb_allocator *allocator;
    bool failed;
};

/* Takes no memory yet.  `allocator` must outlive the arena. */
void fb_arena_init(struct fb_arena *arena, const struct fb_allocator *allocator, size_t ceiling);
/* Frees all; the arena may be initialised again. */
void fb_arena_release(struct fb_arena *arena);
/* Forgets what was allocated, keeps one block for reuse, clears `failed`. */
void fb_arena_clear(struct fb_arena *arena);

/* Zeroed bytes; NULL when the ceiling or the memory is reached.  Size 0 gives a valid pointer. */
void *fb_arena_alloc(struct fb_arena *arena, size_t size);
/* The same without the zeroes, for a caller that writes every byte. */
void *fb_arena_room_made(struct fb_arena *arena, size_t size);
static inline void *fb_arena_room(struct fb_arena *arena, size_t size)
{
#ifndef FB_ARENA_MALLOC
    /* Mostly the newest block has it. */
    size_t left = (size_t)((uintptr_t)arena->end - (uintptr_t)arena->at), rounded = (size + 15) & ~(size_t)15;
    if (size != 0 && size <= SIZE_MAX - 15 && rounded <= left) {
        char *piece = arena->at;
        arena->at += rounded;
        return piece;
    }
#endif
    return fb_arena_room_made(arena, size);
}
/* count * size with the product checked. */
void *fb_arena_array(struct fb_arena *arena, size_t count, size_t size);
/* A copy of the bytes; on failure the empty span (and `failed`). */
struct fb_span fb_arena_copy(struct fb_arena *arena, struct fb_span bytes);
/* A copy with a terminating NUL; NULL on failure. */
char *fb_arena_text(struct fb_arena *arena, struct fb_span bytes);
/* printf into the arena; on failure the empty span. */
struct fb_span fb_arena_format(struct fb_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct fb_span fb_arena_vformat(struct fb_arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Room for one more element in an array that the arena holds and that doubles as it grows:
 * `array` has `count` elements of `size` bytes and room for *capacity.  Returns the array (moved
 * perhaps), or NULL, in which case the old one is still good. */
void *fb_arena_grow(struct fb_arena *arena, void *array, size_t count, size_t *capacity, size_t size);
/* The same for an array to which nobody else points, as large ones of a load: the old one is given back when it is
 * large, else its smaller forms together would be kept beside it. */
void *fb_arena_grow_alone(struct fb_arena *arena, void *array, size_t count, size_t *capacity, size_t size);

/* A piece to which nobody points any more, and the size that was asked for: the memory of a large one (over 1 MiB) is
 * free at once, a small one stays.  Who grows a large array without this keeps all its smaller forms, which together
 * are as large as itself. */
void fb_arena_give_back(struct fb_arena *arena, const void *piece, size_t size);

/* The arena as an allocator, for a buffer whose text should live in it: freeing does nothing. */
struct fb_allocator fb_arena_allocator(struct fb_arena *arena);

#endif
