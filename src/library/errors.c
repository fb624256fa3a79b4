/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics handed out: a list with an arena of its own, so that it outlives what it is about. */
#include "library/library.h"

struct forbid_errors *fb_errors_new(const struct fb_allocator *allocator)
{
    struct forbid_errors *errors = fb_root_new(allocator, sizeof *errors, FB_ERRORS_BYTES);
    if (errors != NULL)
        fb_diags_init(&errors->diags, &errors->root.arena);
    return errors;
}

/* --- How a call ends ---------------------------------------------------------------------------------- */

/* Readers with working memory of their own say so in a diagnostic. */
static bool about_memory(const struct fb_diags *diags)
{
    const struct fb_span suffix = FB_SPAN(".memory");
    for (size_t i = 0; i < diags->count; i++) {
        struct fb_span code = fb_span_z(diags->list[i].code);
        if (code.len >= suffix.len && fb_span_eq(fb_span_from(code, code.len - suffix.len), suffix))
            return true;
    }
    return false;
}

enum forbid_status fb_errors_status(const struct forbid_errors *errors, bool fine)
{
    if (errors == NULL || errors->root.arena.failed)
        return FORBID_NO_MEMORY;
    if (fine)
        return FORBID_OK;
    return errors->diags.errors != 0 && !about_memory(&errors->diags) ? FORBID_INVALID : FORBID_NO_MEMORY;
}

/* --- Sealing ------------------------------------------------------------------------------------------ */

/* Texts that diagnostics point into, and their copies: a handful at the most. */
struct copies {
    struct fb_arena *arena;
    struct copy {
        const struct fb_source *from, *to;
    } *list;
    size_t count, capacity;
};

static const struct fb_source *copy_of(struct copies *copies, const struct fb_source *source)
{
    if (source == NULL)
        return NULL;
    for (size_t i = 0; i < copies->count; i++)
        if (copies->list[i].from == source)
            return copies->list[i].to;
    struct copy *list = fb_arena_grow(copies->arena, copies->list, copies->count, &copies->capacity, sizeof *list);
    const struct fb_source *copy = fb_source_copy(copies->arena, source);
    if (list == NULL || copy == NULL)
        return NULL;
    copies->list = list;
    list[copies->count++] = (struct copy){source, copy};
    return copy;
}

bool fb_errors_seal(struct forbid_errors *errors)
{
    struct copies copies = {.arena = &errors->root.arena};
    for (size_t i = 0; i < errors->diags.count; i++) {
        struct fb_diag *diag = &errors->diags.list[i];
        diag->source = copy_of(&copies, diag->source);
        diag->other = copy_of(&copies, diag->other);
        diag->hint = fb_arena_copy(copies.arena, diag->hint);
        diag->other_message = fb_arena_copy(copies.arena, diag->other_message);
    }
    const struct fb_allocator memory = fb_arena_allocator(copies.arena);
    struct fb_buffer text;
    fb_buffer_init(&text, &memory, FB_ERRORS_BYTES / 4);
    fb_diags_print(&text, &errors->diags, false);
    errors->text = text.failed ? "" : text.ptr;
    return !errors->root.arena.failed;
}

/* --- The interface ------------------------------------------------------------------------------------ */

size_t forbid_errors_count(const forbid_errors *errors)
{
    return errors != NULL ? errors->diags.count : 0;
}

struct forbid_place fb_place_of(const struct fb_source *source, struct fb_range range)
{
    struct forbid_place place;
    memset(&place, 0, sizeof place);
    if (source == NULL)
        return place;
    struct fb_position start = fb_source_position(source, range.start), end = fb_source_position(source, range.end);
    place.source = fb_text_of(source->name);
    place.start = range.start;
    place.end = range.end;
    place.line = start.line;
    place.column = start.column;
    place.end_line = end.line;
    place.end_column = end.column;
    return place;
}

struct forbid_error forbid_errors_at(const forbid_errors *errors, size_t index)
{
    struct forbid_error error;
    memset(&error, 0, sizeof error);
    if (index >= forbid_errors_count(errors))
        return error;
    const struct fb_diag *diag = &errors->diags.list[index];
    error.severity = (enum forbid_severity)diag->severity;
    error.code = diag->code;
    error.message = fb_text_of(diag->message);
    error.hint = fb_text_of(diag->hint);
    error.place = fb_place_of(diag->source, diag->range);
    error.other_message = fb_text_of(diag->other_message);
    error.other = fb_place_of(diag->other, diag->other_range);
    return error;
}

const char *forbid_errors_text(const forbid_errors *errors)
{
    return errors != NULL && errors->text != NULL ? errors->text : "";
}

void forbid_errors_free(forbid_errors *errors)
{
    if (errors != NULL)
        fb_root_free(&errors->root);
}
