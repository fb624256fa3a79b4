/* SPDX-License-Identifier: Apache-2.0 */
/* What one worker owns: the arena of decisions, the token cache, the store readers.  Made after the
 * fork; nothing of it is shared. */
#include "guard/steps.h"

#define ARENA_DEFAULT ((size_t)4 << 20)

struct fb_guard *fb_guard_new(const struct fb_guard_options *options)
{
    const struct fb_allocator *allocator = options->allocator != NULL ? options->allocator : &fb_heap;
    struct fb_guard *guard = fb_alloc(allocator, sizeof *guard);
    if (guard == NULL)
        return NULL;
    *guard = (struct fb_guard){.options = *options};
    guard->options.allocator = allocator;
    fb_arena_init(&guard->arena, allocator, options->arena_bytes != 0 ? options->arena_bytes : ARENA_DEFAULT);
    guard->tokens = fb_tokens_new(allocator, options->tokens, 0);
    if (guard->tokens == NULL) {
        fb_guard_free(guard);
        return NULL;
    }
    return guard;
}

void fb_guard_free(struct fb_guard *guard)
{
    if (guard == NULL)
        return;
    for (size_t i = 0; i < guard->stores_count; i++)
        fb_store_reader_free(guard->stores[i].reader);
    fb_guard_forget_proofs(guard);
    fb_tokens_free(guard->tokens);
    fb_arena_release(&guard->arena);
    fb_free(guard->options.allocator, guard, sizeof *guard);
}

struct fb_arena *fb_guard_arena(struct fb_guard *guard)
{
    return &guard->arena;
}

void fb_guard_release(struct fb_guard *guard)
{
    for (size_t i = 0; i < guard->stores_count; i++)
        fb_store_release(guard->stores[i].reader);
    fb_arena_clear(&guard->arena);
}

/* Two names of one directory share a reader: a process may open a store only once. */
static struct fb_store_reader *find_reader(struct fb_guard *guard, const char *dir)
{
    for (size_t i = 0; i < guard->stores_count; i++)
        if (guard->stores[i].dir == dir || strcmp(guard->stores[i].dir, dir) == 0)
            return guard->stores[i].reader;
    for (size_t i = 0; i < guard->stores_count; i++)
        if (fb_store_reader_is(guard->stores[i].reader, dir))
            return guard->stores[i].reader;
    return NULL;
}

struct fb_store_reader *fb_guard_store(struct fb_guard *guard, const struct fb_site *site)
{
    const char *dir = site->store;
    struct fb_store_reader *reader = find_reader(guard, dir);
    if (reader != NULL || guard->stores_count == FB_GUARD_STORES_MAX)
        return reader;
    const struct fb_store_reader_options options = {
        .allocator = guard->options.allocator, .map = site->store_map, .crashes = guard->options.crashes};
    reader = fb_store_reader_new(dir, &options);
    if (reader != NULL) {
        guard->stores[guard->stores_count].dir = dir;
        guard->stores[guard->stores_count++].reader = reader;
    }
    return reader;
}
