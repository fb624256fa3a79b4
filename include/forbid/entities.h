/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORBID_ENTITIES_H
#define FORBID_ENTITIES_H

/* Entities: who and what there is, with attributes, tags and parents. */

#include <forbid/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable; any number of threads may use one. */
typedef struct forbid_entities forbid_entities;

/* Reads Cedar's entity JSON (https://docs.cedarpolicy.com/auth/entities-syntax.html) and closes the hierarchy;
 * a cycle is an error.  With a schema, which may be NULL and need not outlive the entities, values are read
 * by their types (`{"type": …, "id": …}` and `"10.0.0.1"` need no escapes), every entity must conform, and
 * the schema's actions are added.  `name` stands in errors.  On FORBID_OK *entities is the caller's; else it is
 * NULL.  If `errors` is not NULL, *errors is the caller's, or NULL if there is nothing to say. */
FORBID_API enum forbid_status forbid_entities_parse(const struct forbid_allocator *allocator,
                                                    const forbid_schema *schema, struct forbid_text name,
                                                    struct forbid_text json, forbid_entities **entities,
                                                    forbid_errors **errors);
FORBID_API size_t forbid_entities_count(const forbid_entities *entities);
FORBID_API void forbid_entities_free(forbid_entities *entities);

#ifdef __cplusplus
}
#endif

#endif
