/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_BASE_TESTING_H
#define FB_TESTS_BASE_TESTING_H

/* What tests share: cmocka with the headers that it wants before it, spans in assertions, and an
 * allocator that counts what is out and fails when told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/span.h"

/* A macro, so that a failure names the line of the test. */
#define assert_span(span, text) assert_span_at((span), (text), __FILE__, __LINE__)

static inline void assert_span_at(struct fb_span span, const char *text, const char *file, int line)
{
    if (!fb_span_is(span, text)) {
        print_error("got      \"%.*s\"\nexpected \"%s\"\n", (int)span.len, span.len != 0 ? span.ptr : "",
                    text);
        _fail(file, line);
    }
}

/* Fails the allocation of the number `fail_at` (from 1; 0: none) and those behind it.  Every block
 * is checked to be given back with its size. */
struct failing_allocator {
    struct fb_allocator allocator;
    size_t calls, fail_at;
    size_t bytes_out, blocks_out;
};

static inline void *failing_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    struct failing_allocator *self = context;
    if (new_size == 0) {
        self->bytes_out -= old_size;
        self->blocks_out -= block != NULL;
        free(block);
        return NULL;
    }
    self->calls++;
    if (self->fail_at != 0 && self->calls >= self->fail_at)
        return NULL;
    void *moved = realloc(block, new_size);
    if (moved != NULL) {
        self->bytes_out += new_size - old_size;
        self->blocks_out += block == NULL;
    }
    return moved;
}

static inline void failing_init(struct failing_allocator *self, size_t fail_at)
{
    *self = (struct failing_allocator){.fail_at = fail_at};
    self->allocator = (struct fb_allocator){.resize = failing_resize, .context = self};
}

#endif
