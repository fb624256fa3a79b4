/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_CEDAR_H
#define FB_CEDAR_CEDAR_H

/* cedar: text ↔ typed trees.  The door of src/cedar/.
 *
 *   ast.h      policies as trees, policy sets, template links
 *   schema.h   schemas with their names resolved
 *   validate.h policies held against a schema
 *   conform.h  requests and entities held against it
 *   this file  reading and printing
 *
 * Limits (a diagnostic each, never a crash): 16 MiB of text, expressions nested FB_CEDAR_DEPTH
 * deep, trees of FB_EXPR_HEIGHT with chains of FB_EXPR_SPINE operators (ast.h), names of 1 KiB,
 * `has` paths of FB_CEDAR_HAS names, 100 diagnostics. */

#include "cedar/ast.h"
#include "cedar/schema.h"
#include "cedar/conform.h"
#include "cedar/validate.h"

#define FB_CEDAR_DEPTH 128u
#define FB_CEDAR_TEXT_MAX (16u << 20)
#define FB_CEDAR_HAS 128u

/* An empty set whose nodes will live in `arena`. */
void fb_policy_set_init(struct fb_policy_set *set, struct fb_arena *arena);

/* Parses the policies of a source and appends them; ids are "policyN" by position in the set.
 * Recovers after a fault at the next policy (and within lists where it can), so that all faults of
 * a file are reported in one run.  False if any error was reported; what parsed is in the set. */
bool fb_policy_set_read(struct fb_policy_set *set, const struct fb_source *source, struct fb_diags *diags);

/* Adds a policy made by hand under an id of its own.  NULL, or a static text: why not. */
const char *fb_policy_set_add(struct fb_policy_set *set, struct fb_policy *policy, struct fb_span id);

/* Renames policies by their `@id`, as the official command does; two equal ids are a fault. */
bool fb_policy_set_rename(struct fb_policy_set *set, struct fb_diags *diags);

/* Links a template.  The slots given must be exactly the template's; the new id must be free.
 * NULL with a static text in *error otherwise. */
const struct fb_link *fb_policy_set_link(struct fb_policy_set *set, struct fb_span template_id, struct fb_span new_id,
                                         const struct fb_uid *principal, const struct fb_uid *resource,
                                         const char **error);
/* Why these values do not fit the template's slots: NULL, or a static text. */
const char *fb_policy_slots_check(const struct fb_policy *template_, const struct fb_uid *principal,
                                  const struct fb_uid *resource);
const struct fb_policy *fb_policy_set_find(const struct fb_policy_set *set, struct fb_span id);

/* One expression alone (for `evaluate` and tests). */
const struct fb_expr *fb_expr_read(struct fb_arena *arena, const struct fb_source *source, struct fb_diags *diags);

/* --- JSON policies ---
 * The form that Cedar documents for policies as JSON: https://docs.cedarpolicy.com/policies/json-format.html.
 * Nothing is lost either way, but for parentheses, quotes around names, and comments. */

/* Reads a policy set, or one policy or template alone (which is then named by its position), and adds
 * what it holds; links too.  False after the first fault, which is reported where it stands. */
bool fb_policy_set_read_json(struct fb_policy_set *set, const struct fb_source *source, struct fb_diags *diags);
/* One line each, without a newline at its end. */
void fb_expr_write_json(struct fb_buffer *out, const struct fb_expr *expr);
void fb_policy_write_json(struct fb_buffer *out, const struct fb_policy *policy);
void fb_policy_set_write_json(struct fb_buffer *out, const struct fb_policy_set *set);

/* --- text ---
 * Cedar text that parses to the same tree (parentheses only where needed). */
void fb_pattern_print(struct fb_buffer *out, const struct fb_pattern *pattern);
void fb_expr_print(struct fb_buffer *out, const struct fb_expr *expr);
void fb_policy_print(struct fb_buffer *out, const struct fb_policy *policy);

/* --- formatting ---
 * Policies laid out for people, comments kept.  What is formatted already stays as it is.  False, with
 * diagnostics and `out` as it was, when the text does not parse. */
struct fb_format_options {
    uint32_t width, indent;     /* columns */
};
#define FB_FORMAT_OPTIONS ((struct fb_format_options){.width = 80, .indent = 2})
bool fb_format_policies(struct fb_buffer *out, const struct fb_source *source, const struct fb_format_options *options,
                        struct fb_diags *diags);

#endif
