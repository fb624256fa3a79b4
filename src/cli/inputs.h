/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_INPUTS_H
#define FB_CLI_INPUTS_H

#include "cli/cli.h"
#include "engine/engine.h"

/* What the commands of Cedar's own tool read: policies, template links, a schema, entities,
 * requests, each from a file of its own.  Every fault is a diagnostic, unreadable files too, so that
 * `--error-format json` says all of them in one form. */

struct fb_inputs_options {
    const char *policies, *policy_format, *links;
    const char *schema, *schema_format;
    const char *entities;
    const char *error_format;
    const char *policy_ids;
};

/* Option tables are put together by hand in each verb; these are the rows that they share. */
#define FB_INPUTS_OPTIONS_COUNT 8u
void fb_inputs_options(struct fb_inputs_options *options, struct fb_option rows[FB_INPUTS_OPTIONS_COUNT]);

struct fb_inputs {
    struct fb_arena arena;
    struct fb_diags diags;
    bool json;                              /* diagnostics as JSON */
    struct fb_policy_set set;
    const struct fb_schema *schema;         /* NULL: none was given */
    struct fb_value_hints hints;            /* the schema's; only if there is one */
    struct fb_entity_set *entities;
};

/* Checks the options themselves and says what is wrong; false after it has. */
bool fb_inputs_init(struct fb_inputs *inputs, struct fb_cli *cli, const struct fb_inputs_options *options);
void fb_inputs_release(struct fb_inputs *inputs);
/* Policies, links, schema and entities.  False if anything is at fault; the diagnostics are the
 * caller's to print. */
bool fb_inputs_load(struct fb_inputs *inputs, const struct fb_inputs_options *options);
/* Prints the diagnostics, if there are any. */
void fb_inputs_report(struct fb_cli *cli, const struct fb_inputs *inputs);

/* Is a format option `json`?  (fb_inputs_init has checked that it is `cedar`, `json` or not given.) */
static inline bool fb_format_is_json(const char *format)
{
    return format != NULL && strcmp(format, "json") == 0;
}
/* The policies alone, in their format, neither renamed nor linked: what translating and checking need.
 * NULL or false after a diagnostic. */
const struct fb_source *fb_inputs_policies(struct fb_inputs *inputs, const struct fb_inputs_options *options);

/* The policies with their names and links. */
bool fb_inputs_policy_set(struct fb_inputs *inputs, const struct fb_inputs_options *options);
/* The schema alone, if one is given; entities alone, from a file (NULL: only the schema's actions) or from a
 * source that came from one.  False after a diagnostic. */
bool fb_inputs_schema(struct fb_inputs *inputs, const struct fb_inputs_options *options);
bool fb_inputs_entities(struct fb_inputs *inputs, const char *path);
bool fb_inputs_entities_of(struct fb_inputs *inputs, const struct fb_source *source, const char *file);
/* write_file.c: a file written anew, or made, whole or not at all.  False after a diagnostic. */
bool fb_inputs_write(struct fb_inputs *inputs, const char *path, struct fb_span text);

/* A file as a source, in the arena; "-" or NULL is standard input.  NULL after a diagnostic. */
const struct fb_source *fb_inputs_source(struct fb_inputs *inputs, const char *path, size_t limit);
/* After `source` could not be read as JSON, or as the Cedar syntax: a text in the other form fails at its first
 * character with a message about a token, and this hint says why.  `first` is the number of diagnostics before. */
void fb_inputs_hint_form(struct fb_inputs *inputs, const struct fb_source *source, bool as_json, size_t first);
/* A diagnostic about no place in particular.  Returns false, so that a caller may return it. */
bool fb_inputs_fault(struct fb_inputs *inputs, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* actions.c: with a schema its actions and their groups are entities too, beside those of the file, which may
 * hold them.  Closes the set.  False after a diagnostic. */
bool fb_inputs_add_actions(struct fb_inputs *inputs, const char *file);

/* links.c: template links from JSON, an array of {template_id, link_id, args: {slot: uid text}}. */
bool fb_links_read(struct fb_policy_set *set, const struct fb_source *source, struct fb_diags *diags);

/* --- Requests (request_json.c) ------------------------------------------------------------------- */

/* One request of a JSON object {principal, action, resource, context}; uids as text or as
 * {type, id}, context optional, other members ignored.  False after a diagnostic.  Strings may point into
 * the source; the rest is in `arena`.  `schema` may be NULL. */
bool fb_request_read_json(const struct fb_source *source, const struct fb_schema *schema, struct fb_arena *arena,
                          struct fb_diags *diags, struct fb_request *request);
/* A context alone, for the action of that uid. */
bool fb_context_read_json(const struct fb_source *source, const struct fb_schema *schema,
                          const struct fb_uid *action, struct fb_arena *arena, struct fb_diags *diags,
                          struct fb_value *context);
/* The record without fields. */
struct fb_value fb_context_empty(void);

/* Does a request fit the schema?  False after a diagnostic; `source`, which may be NULL, is named in it. */
static inline bool fb_request_conforms(const struct fb_schema *schema, const struct fb_request *request,
                                       const struct fb_source *source, struct fb_diags *diags)
{
    return fb_conform_request(schema, request->principal, request->action, request->resource, request->context, source,
                              diags);
}
/* The context alone, as it is held against the schema even where requests are not validated (context_form.c):
 * the action is declared, and what it calls a record, a set, an entity or an extension value is one. */
bool fb_context_conforms(const struct fb_schema *schema, const struct fb_request *request,
                         const struct fb_source *source, struct fb_diags *diags);

#endif
