/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORBID_SCHEMA_H
#define FORBID_SCHEMA_H

/* Schemas: which types of entities, which actions, which contexts there are.
 * The language: https://docs.cedarpolicy.com/schema/schema.html. */

#include <forbid/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A schema with its names resolved.  Immutable; any number of threads may use one. */
typedef struct forbid_schema forbid_schema;

/* Reads the Cedar syntax, or JSON.  `name` stands in errors ("app.cedarschema").  All faults of a text are
 * reported, of JSON the first one.  On FORBID_OK *schema is the caller's; else it is NULL.  If `errors` is not
 * NULL, *errors is the caller's, or NULL if there is nothing to say. */
FORBID_API enum forbid_status forbid_schema_parse(const struct forbid_allocator *allocator, struct forbid_text name,
                                                  struct forbid_text text, forbid_schema **schema,
                                                  forbid_errors **errors);
FORBID_API enum forbid_status forbid_schema_parse_json(const struct forbid_allocator *allocator,
                                                       struct forbid_text name, struct forbid_text json,
                                                       forbid_schema **schema, forbid_errors **errors);
FORBID_API void forbid_schema_free(forbid_schema *schema);

/* A schema in the other form; nothing is lost but comments and the order of attributes that JSON does not
 * keep.  With `resolved` names in the JSON are full and say whether they are entity types or common types;
 * without, they are as they were written. */
FORBID_API enum forbid_status forbid_schema_to_json(const struct forbid_allocator *allocator, struct forbid_text name,
                                                    struct forbid_text text, int resolved, forbid_string **json,
                                                    forbid_errors **errors);
FORBID_API enum forbid_status forbid_schema_to_text(const struct forbid_allocator *allocator, struct forbid_text name,
                                                    struct forbid_text json, forbid_string **text,
                                                    forbid_errors **errors);

#ifdef __cplusplus
}
#endif

#endif
