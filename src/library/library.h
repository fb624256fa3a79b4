/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_LIBRARY_LIBRARY_H
#define FB_LIBRARY_LIBRARY_H

/* library: the C interface of include/forbid/, over the engine.  The door of src/library/ for its
 * own files; nothing includes it from outside, since the module and the command link the parts. */

#include "engine/engine.h"

#include <forbid/forbid.h>

#define FB_ERRORS_BYTES ((size_t)128 << 20)     /* diagnostics and a copy of the text they are about */
#define FB_ROOT_BYTES ((size_t)4 << 30)         /* of one root object */

struct forbid_errors {
    struct fb_allocator allocator;
    struct fb_arena arena;
    struct fb_diags diags;
    const char *text;
};

struct forbid_policies {
    struct fb_allocator allocator;
    struct fb_arena arena;
    struct fb_policy_set set;
    struct fb_program *program;
};

struct forbid_entities {
    struct fb_allocator allocator;
    struct fb_arena arena;
    struct fb_entity_set *set;
};

/* Empty; NULL without memory. */
struct forbid_errors *fb_errors_new(const struct fb_allocator *allocator);
/* Makes the text for people, once the last diagnostic is in. */
const char *fb_errors_seal(struct forbid_errors *errors);

static inline struct fb_allocator fb_allocator_of(const struct forbid_allocator *given)
{
    return given != NULL ? (struct fb_allocator){.resize = given->resize, .context = given->context} : fb_heap;
}

static inline struct fb_span fb_span_of(struct forbid_text text)
{
    return fb_span(text.ptr, text.len);
}

/* A source whose text is copied into `arena`; NULL without memory. */
const struct fb_source *fb_source_copy(struct fb_arena *arena, struct forbid_text name, struct forbid_text text);

#endif
