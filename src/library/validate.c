/* SPDX-License-Identifier: Apache-2.0 */
/* Policies held against a schema, and policies laid out anew: what is said of them without deciding. */
#include "library/library.h"

/* --- Validation --------------------------------------------------------------------------------------- */

struct validation {
    const struct fb_policy_set *set;
    const struct fb_schema *schema;
    const struct forbid_links *links;       /* instead of the set's own, or NULL */
    struct fb_validate_options options;
};

/* The root is nothing but the working memory; it is freed again. */
static bool validate(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const struct validation *validation = how;
    struct fb_policy_set set = *validation->set;
    (void)source;
    if (validation->links != NULL && !fb_links_set(validation->links, &root->arena, &set))
        return false;
    return fb_validate(&set, validation->schema, &validation->options, &root->arena, diags);
}

static bool read_options(const struct forbid_validate_options *given, const struct forbid_policies *policies,
                         struct validation *validation)
{
    if (given == NULL)
        return true;
    if (given->size != sizeof *given || (given->mode != FORBID_STRICT && given->mode != FORBID_PERMISSIVE)
        || (given->links != NULL && !fb_links_are_of(given->links, policies)))
        return false;
    validation->options = (struct fb_validate_options){
        .mode = given->mode == FORBID_PERMISSIVE ? FB_VALIDATE_PERMISSIVE : FB_VALIDATE_STRICT,
        .check_level = given->check_level != 0,
        .level = given->level,
    };
    validation->links = given->links;
    return true;
}

enum forbid_status forbid_validate(const struct forbid_allocator *allocator, const forbid_policies *policies,
                                   const forbid_schema *schema, const struct forbid_validate_options *options,
                                   forbid_errors **errors)
{
    if (errors != NULL)
        *errors = NULL;
    if (policies == NULL || schema == NULL)
        return FORBID_MISUSE;
    struct validation validation = {.set = &policies->set, .schema = schema->schema};
    if (!read_options(options, policies, &validation))
        return FORBID_MISUSE;
    const struct fb_making making = {.allocator = allocator, .size = sizeof(struct fb_root), .fill = validate,
                                     .how = &validation, .errors = errors};
    struct fb_root *scratch;
    enum forbid_status status = fb_root_make(&making, &scratch);
    fb_root_free(scratch);
    return status;
}

/* --- Formatting --------------------------------------------------------------------------------------- */

#define WIDTH_MAX 10000u
#define INDENT_MAX 64u

static bool format(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    return fb_format_policies(fb_string_buffer(root), source, how, diags);
}

enum forbid_status forbid_format(const struct forbid_allocator *allocator, struct forbid_text name,
                                 struct forbid_text text, const struct forbid_format_options *options,
                                 forbid_string **formatted, forbid_errors **errors)
{
    struct fb_format_options how = FB_FORMAT_OPTIONS;
    bool usable = options == NULL
                  || (options->size == sizeof *options && options->width <= WIDTH_MAX && options->indent <= INDENT_MAX);
    if (!usable) {
        if (errors != NULL)
            *errors = NULL;
        return fb_string_misuse(formatted);
    }
    if (options != NULL)
        how = (struct fb_format_options){.width = options->width, .indent = options->indent};
    const struct fb_making making = {.allocator = allocator, .name = name, .text = text, .fill = format, .how = &how,
                                     .errors = errors};
    return fb_string_make(&making, formatted);
}
