/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORBID_POLICIES_H
#define FORBID_POLICIES_H

/* Policy sets: read, looked at, written, validated, formatted; templates and their links.
 * The language: https://docs.cedarpolicy.com/policies/syntax-policy.html. */

#include <forbid/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Static policies, templates and links, parsed and compiled.  Immutable; any number of threads may use one.
 * Ids are one space: no two of them have the same. */
typedef struct forbid_policies forbid_policies;

/* Parses and compiles policies in Cedar's text form.  `name` stands in errors ("policies.cedar").  With
 * `rename` policies are known by their `@id`, else by position ("policy0", …).  On FORBID_OK *policies
 * is the caller's; else it is NULL.  If `errors` is not NULL, *errors is the caller's, or NULL if there is
 * nothing to say; all faults of the text are in it. */
FORBID_API enum forbid_status forbid_policies_parse(const struct forbid_allocator *allocator, struct forbid_text name,
                                                    struct forbid_text text, int rename,
                                                    forbid_policies **policies, forbid_errors **errors);
/* The same of several texts, the files of a directory say, as one set; positions count through all of them. */
FORBID_API enum forbid_status forbid_policies_parse_all(const struct forbid_allocator *allocator,
                                                        const struct forbid_source *sources, size_t count, int rename,
                                                        forbid_policies **policies, forbid_errors **errors);
/* The same from JSON: a policy set with its ids and links, or one policy or template ("policy0").
 * https://docs.cedarpolicy.com/policies/json-format.html */
FORBID_API enum forbid_status forbid_policies_parse_json(const struct forbid_allocator *allocator,
                                                         struct forbid_text name, struct forbid_text json,
                                                         forbid_policies **policies, forbid_errors **errors);
FORBID_API void forbid_policies_free(forbid_policies *policies);

/* --- Looking at them ---------------------------------------------------------------------------------- */

enum forbid_effect { FORBID_PERMIT = 0, FORBID_FORBID = 1 };

/* A static policy or a template. */
struct forbid_policy {
    struct forbid_text id;
    enum forbid_effect effect;
    int principal_slot, resource_slot;      /* has ?principal, ?resource; with either it is a template */
    size_t annotations_count;
    struct forbid_place place;              /* in the text that was parsed, JSON too */
};

struct forbid_annotation {
    struct forbid_text key, value;          /* without a value: the empty text */
};

/* Static policies and templates, in the order of the text; links are not among them. */
FORBID_API size_t forbid_policies_count(const forbid_policies *policies);
/* Valid as long as `policies`.  Beyond the last: all zeroes. */
FORBID_API struct forbid_policy forbid_policies_at(const forbid_policies *policies, size_t index);
FORBID_API struct forbid_annotation forbid_policies_annotation(const forbid_policies *policies, size_t index,
                                                               size_t annotation);
/* The index of the static policy or template with that id, or forbid_policies_count(). */
FORBID_API size_t forbid_policies_find(const forbid_policies *policies, struct forbid_text id);

/* --- Writing them --------------------------------------------------------------------------------------- */

/* One policy, as Cedar text, or as JSON on one line.  FORBID_MISUSE beyond the last. */
FORBID_API enum forbid_status forbid_policy_to_text(const struct forbid_allocator *allocator,
                                                    const forbid_policies *policies, size_t index,
                                                    forbid_string **text);
FORBID_API enum forbid_status forbid_policy_to_json(const struct forbid_allocator *allocator,
                                                    const forbid_policies *policies, size_t index,
                                                    forbid_string **json);
/* The whole set.  Cedar's text has no place for links, so a set that has some is FORBID_INVALID; nor for ids other
 * than `@id`.  In JSON nothing is lost but parentheses and comments. */
FORBID_API enum forbid_status forbid_policies_to_text(const struct forbid_allocator *allocator,
                                                      const forbid_policies *policies, forbid_string **text,
                                                      forbid_errors **errors);
FORBID_API enum forbid_status forbid_policies_to_json(const struct forbid_allocator *allocator,
                                                      const forbid_policies *policies, forbid_string **json);

/* --- Formatting ------------------------------------------------------------------------------------------- */

struct forbid_format_options {
    size_t size;                            /* sizeof(struct forbid_format_options) */
    unsigned width, indent;                 /* columns of a line, at most 10000; spaces of a level, at most 64 */
};

/* The text in the usual layout, comments kept; what is formatted already stays as it is.  `options` NULL:
 * 80 columns, 2 spaces.  FORBID_INVALID if it does not parse. */
FORBID_API enum forbid_status forbid_format(const struct forbid_allocator *allocator, struct forbid_text name,
                                            struct forbid_text text, const struct forbid_format_options *options,
                                            forbid_string **formatted, forbid_errors **errors);

/* --- Template links ----------------------------------------------------------------------------------------- */

/* Links of the templates of a policy set, those it came with and others, which come and go while the set
 * stays as it is.  Any number of threads may use one while none changes it.  The policies must outlive it. */
typedef struct forbid_links forbid_links;

/* A value for each slot of the template. */
struct forbid_link {
    struct forbid_text template_id, id;
    struct forbid_text principal, resource; /* Cedar text: `User::"alice"`; empty: the template has no such slot */
};

/* With the links of the policies.  NULL without memory, or without policies. */
FORBID_API forbid_links *forbid_links_new(const struct forbid_allocator *allocator, const forbid_policies *policies);
/* Adds `count` links, or none of them: FORBID_INVALID with an error for each that is at fault (no such template,
 * a slot without a value, a value without a slot, an id that a policy, a template or a link has). */
FORBID_API enum forbid_status forbid_links_add(forbid_links *links, const struct forbid_link *added, size_t count,
                                               forbid_errors **errors);
/* Removes the links with these ids, or none: FORBID_INVALID if there is no such link. */
FORBID_API enum forbid_status forbid_links_remove(forbid_links *links, const struct forbid_text *ids, size_t count,
                                                  forbid_errors **errors);
FORBID_API size_t forbid_links_count(const forbid_links *links);

/* The two halves of a uid, as they are: no quotes, no escapes. */
struct forbid_uid {
    struct forbid_text type, id;
};

struct forbid_linked {
    struct forbid_text template_id, id;
    struct forbid_uid principal, resource;  /* without a type: the template has no such slot */
};

/* Links have places from 0, in no order that means anything; a place that a link has left may be empty until another
 * takes it.  Valid until `links` changes; of an empty place all zeroes. */
FORBID_API size_t forbid_links_places(const forbid_links *links);
FORBID_API struct forbid_linked forbid_links_at(const forbid_links *links, size_t place);
/* The place of the link with that id, or forbid_links_places(). */
FORBID_API size_t forbid_links_find(const forbid_links *links, struct forbid_text id);
/* As forbid_policies_to_json(), with these links. */
FORBID_API enum forbid_status forbid_links_to_json(const struct forbid_allocator *allocator, const forbid_links *links,
                                                   forbid_string **json);
FORBID_API void forbid_links_free(forbid_links *links);

/* --- Validation ------------------------------------------------------------------------------------------------ */

enum forbid_validation_mode { FORBID_STRICT = 0, FORBID_PERMISSIVE = 1 };

/* Zero it, set `size`, fill it in. */
struct forbid_validate_options {
    size_t size;                            /* sizeof(struct forbid_validate_options) */
    enum forbid_validation_mode mode;
    int check_level;                        /* may policies look only `level` entities away from the request? */
    unsigned level;
    const forbid_links *links;              /* of these policies, validated instead of their own; or NULL */
};

/* Holds policies, templates and links against a schema, as Cedar's validator does: every expression has a type in
 * every kind of request that the schema allows.  FORBID_OK: valid, perhaps with warnings in *errors ("never
 * true", characters that look like others).  FORBID_INVALID: *errors has errors.  Codes begin with
 * "validate.".  `options` NULL: strict, any level.  `allocator` also gives the working memory. */
FORBID_API enum forbid_status forbid_validate(const struct forbid_allocator *allocator,
                                              const forbid_policies *policies, const forbid_schema *schema,
                                              const struct forbid_validate_options *options, forbid_errors **errors);

#ifdef __cplusplus
}
#endif

#endif
