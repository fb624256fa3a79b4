/* SPDX-License-Identifier: Apache-2.0 */
/* The heap as an fb_allocator, and the two calls that everybody makes. */
#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

static void *heap_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}

const struct fb_allocator fb_heap = {.resize = heap_resize, .context = NULL};

void *fb_alloc(const struct fb_allocator *allocator, size_t size)
{
    assert(size > 0);
    return allocator->resize(allocator->context, NULL, 0, size);
}

void fb_free(const struct fb_allocator *allocator, void *block, size_t size)
{
    if (block != NULL)
        (void)allocator->resize(allocator->context, block, size, 0);
}
