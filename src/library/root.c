/* SPDX-License-Identifier: Apache-2.0 */
/* Root objects, and the one way in which they are made: an arena of its own, filled from a text, and
 * diagnostics beside it.  What the texts mean is left to the parts below, and to the callers here. */
#include "library/library.h"

const char *forbid_version(void)
{
    return FB_VERSION;
}

void *fb_root_new(const struct fb_allocator *allocator, size_t size, size_t ceiling)
{
    struct fb_root *root = fb_alloc(allocator, size);
    if (root == NULL)
        return NULL;
    memset(root, 0, size);
    root->allocator = *allocator;
    root->size = size;
    fb_arena_init(&root->arena, &root->allocator, ceiling);
    return root;
}

void fb_root_free(struct fb_root *root)
{
    if (root == NULL)
        return;
    fb_arena_release(&root->arena);
    struct fb_allocator allocator = root->allocator;
    fb_free(&allocator, root, root->size);
}

const struct fb_source *fb_source_copy(struct fb_arena *arena, const struct fb_source *source)
{
    struct fb_source *copy = fb_arena_alloc(arena, sizeof *copy);
    if (copy == NULL)
        return NULL;
    *copy = (struct fb_source){.name = fb_arena_copy(arena, source->name), .text = fb_arena_copy(arena, source->text)};
    return arena->failed ? NULL : copy;
}

/* Hands the errors out, if there are any, or drops them: where memory was short they are about nothing else. */
static enum forbid_status finish(struct forbid_errors *found, enum forbid_status status, forbid_errors **errors)
{
    bool wanted = errors != NULL && status != FORBID_NO_MEMORY && found->diags.count != 0;
    if (wanted && !fb_errors_seal(found)) {
        status = FORBID_NO_MEMORY;
        wanted = false;
    }
    if (wanted)
        *errors = found;
    else if (found != NULL)
        fb_root_free(&found->root);
    return status;
}

enum forbid_status fb_root_make(const struct fb_making *making, struct fb_root **made)
{
    if (making->errors != NULL)
        *making->errors = NULL;
    *made = NULL;
    if (making->size == 0 || fb_text_bad(making->name) || fb_text_bad(making->text))
        return FORBID_MISUSE;
    const struct fb_allocator memory = fb_allocator_of(making->allocator);
    struct forbid_errors *found = fb_errors_new(&memory);
    struct fb_root *root = found != NULL ? fb_root_new(&memory, making->size, FB_ROOT_BYTES) : NULL;
    const struct fb_source source = {.name = fb_span_of(making->name), .text = fb_span_of(making->text)};
    bool fine = root != NULL && making->fill(root, &source, making->how, &found->diags);
    enum forbid_status status = root == NULL || root->arena.failed ? FORBID_NO_MEMORY : fb_errors_status(found, fine);
    /* The errors are made whole while what they point to is there. */
    status = finish(found, status, making->errors);
    if (status == FORBID_OK)
        *made = root;
    else
        fb_root_free(root);
    return status;
}

/* --- Texts ------------------------------------------------------------------------------------------- */

static bool fill_string(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const struct fb_making *making = how;
    struct forbid_string *string = (struct forbid_string *)(void *)root;
    fb_buffer_init(&string->out, &root->allocator, FB_STRING_BYTES);
    bool fine = making->fill(root, source, making->how, diags);
    string->text.len = string->out.len;
    if (fine && !string->out.failed)
        string->text.ptr = fb_arena_text(&root->arena, fb_buffer_span(&string->out));
    fb_buffer_release(&string->out);
    return string->text.ptr != NULL;
}

enum forbid_status fb_string_make(const struct fb_making *making, forbid_string **made)
{
    struct fb_making whole = *making;
    struct fb_root *root;
    if (made != NULL)
        *made = NULL;
    whole.size = made != NULL ? sizeof(struct forbid_string) : 0;
    whole.fill = fill_string;
    whole.how = making;
    enum forbid_status status = fb_root_make(&whole, &root);
    if (made != NULL)
        *made = (struct forbid_string *)(void *)root;
    return status;
}

struct forbid_text forbid_string_text(const forbid_string *string)
{
    return string != NULL ? fb_text_of(string->text) : (struct forbid_text){0, ""};
}

void forbid_string_free(forbid_string *string)
{
    if (string != NULL)
        fb_root_free(&string->root);
}
