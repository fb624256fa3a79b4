/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_LIBRARY_LIBRARY_H
#define FB_LIBRARY_LIBRARY_H

/* library: the C interface of include/forbid/, over the engine.  The door of src/library/ for its
 * own files; nothing includes it from outside, since the module and the command link the parts.
 *
 * What a call makes is a root object: it begins with a struct fb_root, in whose arena all of it lives.
 * Every reader and every writer goes through fb_root_make(), which alone knows what becomes of the root and
 * of the diagnostics when something is wrong. */

#include "engine/engine.h"

#include <forbid/forbid.h>

#include <time.h>

#define FB_ERRORS_BYTES ((size_t)256 << 20)     /* diagnostics and copies of the texts they are about */
#define FB_ROOT_BYTES ((size_t)4 << 30)         /* of one root object; of the working memory of one call */
#define FB_STRING_BYTES ((size_t)1 << 30)

struct fb_root {
    struct fb_allocator allocator;
    struct fb_arena arena;
    size_t size;                /* of the whole object */
};

struct forbid_errors {
    struct fb_root root;
    struct fb_diags diags;
    const char *text;
};

struct forbid_string {
    struct fb_root root;
    struct fb_buffer out;       /* while it is made */
    struct fb_span text;        /* in the arena */
};

struct forbid_schema {
    struct fb_root root;
    const struct fb_schema *schema;
};

struct forbid_policies {
    struct fb_root root;
    struct fb_policy_set set;
    struct fb_program *program;
};

struct forbid_entities {
    struct fb_root root;
    struct fb_entity_set *set;
    struct timespec made;   /* tells it from one that stood at its address before */
};

/* --- root.c ---------------------------------------------------------------------------------------- */

/* A zeroed object of `size` bytes that begins with its root; NULL without memory. */
void *fb_root_new(const struct fb_allocator *allocator, size_t size, size_t ceiling);
void fb_root_free(struct fb_root *root);

/* What one call makes: `fill` makes `root` out of `source` and `how`, and says in `diags` why it could not.
 * Memory was short if it returns false without a diagnostic, or with one whose code ends in ".memory", or when
 * the root's arena has failed. */
struct fb_making {
    const struct forbid_allocator *allocator;
    size_t size;                                /* of the object; 0: something is missing, a misuse */
    struct forbid_text name, text;
    bool (*fill)(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags);
    const void *how;
    forbid_errors **errors;                     /* set to the diagnostics, warnings too; may be NULL */
};

/* *made is the object, or NULL. */
enum forbid_status fb_root_make(const struct fb_making *making, struct fb_root **made);
/* The same for a text, which `fill` writes into fb_string_buffer(); `made` may be NULL, a misuse. */
enum forbid_status fb_string_make(const struct fb_making *making, forbid_string **made);

/* FORBID_MISUSE, with *made NULL. */
static inline enum forbid_status fb_string_misuse(forbid_string **made)
{
    if (made != NULL)
        *made = NULL;
    return FORBID_MISUSE;
}

static inline struct fb_buffer *fb_string_buffer(struct fb_root *root)
{
    return &((struct forbid_string *)(void *)root)->out;
}

/* A source in `arena`; NULL without memory. */
const struct fb_source *fb_source_copy(struct fb_arena *arena, const struct fb_source *source);

/* --- errors.c -------------------------------------------------------------------------------------- */

/* Empty; NULL without memory. */
struct forbid_errors *fb_errors_new(const struct fb_allocator *allocator);
/* Makes the text for people, once the last diagnostic is in, and copies what diagnostics point to, so that they
 * depend on nothing. */
bool fb_errors_seal(struct forbid_errors *errors);
/* How a call ends: fine, or not valid if the diagnostics say so, or else without memory. */
enum forbid_status fb_errors_status(const struct forbid_errors *errors, bool fine);

/* --- request.c ------------------------------------------------------------------------------------- */

/* Of the known size, with no length without a text. */
bool fb_request_usable(const struct forbid_request *given);
/* Usable, not NULL, and its links, if it has any, are of these policies. */
bool fb_request_fits(const struct forbid_request *given, const struct forbid_policies *policies);
static inline const struct fb_program *fb_request_program(const struct forbid_request *given,
                                                          const struct forbid_policies *policies);
/* Has it a principal, an action and a resource?  What it has not is said in `diags`. */
bool fb_request_whole(const struct forbid_request *given, struct fb_diags *diags);

/* A request that was read, of which a next one may share parts. */
struct fb_request_before {
    const struct forbid_request *given;     /* NULL: none */
    struct fb_request read;                 /* what is NULL in it could not be read */
    bool context;                           /* its context could */
};
/* Reads a request as the engine has it, with what is missing left NULL, and holds a whole one against its
 * schema.  `entities` is where request->entities will point to.  False after a fault, or without memory. */
bool fb_request_read(const struct forbid_request *given, struct fb_arena *arena, struct fb_entities *entities,
                     struct fb_request *request, struct fb_diags *diags);
/* The same, taking over what is alike, to the byte, in *before, which becomes this one; its arena must be
 * `arena`. */
bool fb_request_read_next(const struct forbid_request *given, struct fb_arena *arena, struct fb_entities *entities,
                          struct fb_request_before *before, struct fb_request *request, struct fb_diags *diags);

/* --- decider.c ------------------------------------------------------------------------------------- */

struct forbid_decider {
    struct fb_allocator allocator;
    struct fb_arena arena;
    const struct forbid_policies *policies;
    struct forbid_errors *errors;       /* of the last call */
    /* What actions concern, of these entities (NULL: of none), which outlive the decider. */
    struct fb_arena concerns_arena;
    struct fb_concerns concerns;
    const struct forbid_entities *concerns_of;
    struct timespec concerns_made;  /* when that was */
    bool concerns_known;
    /* of the last batch: its answers, and the errors of its requests */
    struct fb_arena batch;
    struct forbid_errors **batch_errors;
    size_t batch_errors_count, batch_errors_capacity;
};

/* Forgets what the last call made.  False without memory. */
bool fb_decider_begin(struct forbid_decider *decider);
/* The engine's decision as texts, all but the ids of the policies in the arena. */
bool fb_decision_hand_out(struct fb_arena *arena, const struct fb_program *program, const struct fb_decision *from,
                          struct forbid_decision *to);

/* --- policies.c ------------------------------------------------------------------------------------ */

/* `set` NULL: a misuse. */
enum forbid_status fb_set_to_json(const struct forbid_allocator *allocator, const struct fb_policy_set *set,
                                  forbid_string **json);

/* --- links.c --------------------------------------------------------------------------------------- */

/* The policies with these links, as a set to be read, whose own memory is `arena`'s.  False without memory. */
bool fb_links_set(const struct forbid_links *links, struct fb_arena *arena, struct fb_policy_set *set);
const struct fb_program *fb_links_program(const struct forbid_links *links);
bool fb_links_are_of(const struct forbid_links *links, const struct forbid_policies *policies);

static inline struct fb_allocator fb_allocator_of(const struct forbid_allocator *given)
{
    return given != NULL ? (struct fb_allocator){.resize = given->resize, .context = given->context} : fb_heap;
}

static inline const struct fb_program *fb_request_program(const struct forbid_request *given,
                                                          const struct forbid_policies *policies)
{
    return given->links != NULL ? fb_links_program(given->links) : policies->program;
}

/* A length without a text: a misuse. */
static inline bool fb_text_bad(struct forbid_text text)
{
    return text.ptr == NULL && text.len != 0;
}

static inline struct fb_span fb_span_of(struct forbid_text text)
{
    return fb_span(text.ptr, text.len);
}

static inline struct forbid_text fb_text_of(struct fb_span span)
{
    return (struct forbid_text){span.len, span.ptr};
}

/* A place in a text as the interface shows it; zeroes without a source. */
struct forbid_place fb_place_of(const struct fb_source *source, struct fb_range range);

#endif
