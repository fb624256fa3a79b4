/* SPDX-License-Identifier: Apache-2.0 */
/* The heap as an fb_allocator, and the two calls that everybody makes.  Large blocks are asked to be mapped by large
 * pages: what is read at random in many megabytes else waits for the page tables as long as for the memory. */
#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LARGE_PAGE ((size_t)2 << 20)

static void *new_large(size_t size)
{
    void *block;
    if (posix_memalign(&block, LARGE_PAGE, size) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    (void)madvise(block, size & ~(LARGE_PAGE - 1), MADV_HUGEPAGE);     /* a wish: where it is not heard nothing changes */
#endif
    return block;
}

static void *heap_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return block == NULL && new_size >= 2 * LARGE_PAGE ? new_large(new_size) : realloc(block, new_size);
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
