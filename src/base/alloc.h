/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_ALLOC_H
#define FB_BASE_ALLOC_H

#include <stddef.h>

/* Where memory comes from.  Given at the creation of each root object and kept by it.
 *
 * `resize(context, NULL, 0, n)` allocates n > 0 bytes aligned for any type; `resize(context, p,
 * old, n)` moves; `resize(context, p, old, 0)` frees and returns NULL.  NULL on failure, in which
 * case the old block stays.  Calls come from the thread that uses the root object.  A test
 * allocator fails the Nth call, for every N. */
struct fb_allocator {
    void *(*resize)(void *context, void *block, size_t old_size, size_t new_size);
    void *context;
};

/* realloc and free. */
extern const struct fb_allocator fb_heap;

/* n bytes, or NULL.  Not cleared. */
void *fb_alloc(const struct fb_allocator *allocator, size_t size);
void fb_free(const struct fb_allocator *allocator, void *block, size_t size);

#endif
