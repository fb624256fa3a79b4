/* SPDX-License-Identifier: Apache-2.0 */
/* The value of one expression, for a request if it asks for one. */
#include "library/library.h"

/* A variable that is used must be given; any entity does for one that is not. */
static bool fill_in(struct fb_request *request, const struct fb_expr *expr, struct fb_arena *arena,
                    struct fb_diags *diags)
{
    static const char *const names[] = {"principal", "action", "resource"};
    const struct fb_uid **uids[] = {&request->principal, &request->action, &request->resource};
    unsigned used = fb_expr_variables(expr);
    bool fine = true;
    for (unsigned i = 0; i < 3; i++) {
        if (*uids[i] != NULL)
            continue;
        if ((used & 1u << i) != 0) {
            fb_diag_add(diags, FB_ERROR, "request.missing", NULL, (struct fb_range){0, 0},
                        "the expression asks for the %s, and the request has none", names[i]);
            fine = false;
        }
        *uids[i] = fb_uid_new(arena, FB_SPAN("Nobody"), FB_SPAN(""));
        fine = fine && *uids[i] != NULL;
    }
    return fine;
}

static bool evaluate(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    static const struct forbid_request nothing = {.size = sizeof nothing};
    const struct forbid_request *given = how != NULL ? how : &nothing;
    struct fb_arena *arena = &root->arena;
    struct fb_entities entities;
    struct fb_request request;
    const struct fb_expr *expr = fb_expr_read(arena, source, diags);
    if (!fb_request_read(given, arena, &entities, &request, diags) || expr == NULL
        || !fill_in(&request, expr, arena, diags))
        return false;
    struct fb_policy_error error = {0};
    struct fb_value value;
    bool erred = false;
    if (fb_evaluate(expr, &request, arena, &value, &error, &erred) != FB_OK) {
        arena->failed = true;
        return false;
    }
    if (erred) {
        fb_diag_add(diags, FB_ERROR, "evaluate.error", source, error.range, "%.*s", (int)error.message.len,
                    error.message.ptr);
        return false;
    }
    fb_value_print_json(fb_string_buffer(root), value);
    return true;
}

enum forbid_status forbid_evaluate(const struct forbid_allocator *allocator, struct forbid_text name,
                                   struct forbid_text expression, const struct forbid_request *request,
                                   forbid_string **json, forbid_errors **errors)
{
    const struct fb_making making = {.allocator = allocator, .name = name, .text = expression, .fill = evaluate,
                                     .how = request, .errors = errors};
    if (request == NULL || fb_request_usable(request))
        return fb_string_make(&making, json);
    if (errors != NULL)
        *errors = NULL;
    return fb_string_misuse(json);
}
