/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics handed out: a list with an arena of its own, so that it outlives what it is about. */
#include "library/library.h"

struct forbid_errors *fb_errors_new(const struct fb_allocator *allocator)
{
    struct forbid_errors *errors = fb_alloc(allocator, sizeof *errors);
    if (errors == NULL)
        return NULL;
    memset(errors, 0, sizeof *errors);
    errors->allocator = *allocator;
    fb_arena_init(&errors->arena, &errors->allocator, FB_ERRORS_BYTES);
    fb_diags_init(&errors->diags, &errors->arena);
    return errors;
}

size_t forbid_errors_count(const forbid_errors *errors)
{
    return errors != NULL ? errors->diags.count : 0;
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
    error.message = (struct forbid_text){diag->message.len, diag->message.ptr};
    error.hint = (struct forbid_text){diag->hint.len, diag->hint.ptr};
    if (diag->source != NULL) {
        struct fb_position at = fb_source_position(diag->source, diag->range.start);
        error.source = (struct forbid_text){diag->source->name.len, diag->source->name.ptr};
        error.start = diag->range.start;
        error.end = diag->range.end;
        error.line = at.line;
        error.column = at.column;
    }
    return error;
}

const char *fb_errors_seal(struct forbid_errors *errors)
{
    const struct fb_allocator memory = fb_arena_allocator(&errors->arena);
    struct fb_buffer text;
    fb_buffer_init(&text, &memory, FB_ERRORS_BYTES / 4);
    fb_diags_print(&text, &errors->diags, false);
    errors->text = text.failed ? "" : text.ptr;
    return errors->text;
}

const char *forbid_errors_text(const forbid_errors *errors)
{
    return errors != NULL && errors->text != NULL ? errors->text : "";
}

void forbid_errors_free(forbid_errors *errors)
{
    if (errors == NULL)
        return;
    fb_arena_release(&errors->arena);
    struct fb_allocator allocator = errors->allocator;
    fb_free(&allocator, errors, sizeof *errors);
}
