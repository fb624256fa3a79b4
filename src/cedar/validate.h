/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_VALIDATE_H
#define FB_CEDAR_VALIDATE_H

#include "cedar/schema.h"

/* Policies held against a schema, before any request: what Cedar calls validation.
 *
 * Every policy and template is typechecked once per request environment (an action with a type of
 * principal and a type of resource that it applies to).  The verdicts are those of the official
 * validator of Cedar 4.13; the words are ours.  docs of the type system: RFCs 5, 20, 46, 57, 68, 76,
 * 82 of Cedar.
 *
 * Errors:   validate.unknown_entity_type      a type that the schema does not declare
 *           validate.unknown_action           an action that it does not declare
 *           validate.enum_id                  an id that an enum entity type does not list
 *           validate.type                     an operand of the wrong type
 *           validate.incompatible_types       types that may not stand together (strict mode, mostly)
 *           validate.unknown_attribute        no such attribute
 *           validate.unsafe_optional_attribute  an optional one, not guarded by `has`
 *           validate.unsafe_tag               a tag, not guarded by `hasTag`
 *           validate.no_tags                  an entity type without tags
 *           validate.arguments                a wrong number of arguments
 *           validate.literal                  a text that the constructor cannot read
 *           validate.constructor              a constructor applied to something computed (strict mode)
 *           validate.empty_set                `[]`, whose element type is unknown (strict mode)
 *           validate.level                    entities reached over more steps than the level allows
 *           validate.memory                   the scratch arena is full
 * Warnings: validate.impossible               false for every request
 *           validate.no_applicable_action     the scope fits no request
 *           validate.bidirectional, validate.mixed_script, validate.confusable
 *                                             text that may look like another one */
enum fb_validate_mode { FB_VALIDATE_STRICT, FB_VALIDATE_PERMISSIVE };

struct fb_validate_options {
    enum fb_validate_mode mode;
    bool check_level;           /* of policies without other errors */
    uint32_t level;             /* dereferences from principal, resource or context that are allowed */
    bool errors_only;           /* warnings are not reported */
};

/* True if there are no errors (warnings leave a set valid).  A finding that several environments
 * share is reported once, at its place.  `scratch` holds what the validator needs meanwhile, some
 * hundred bytes for each name of the schema and each node of the largest policy; it may be released
 * after the call.  `options` may be NULL: strict, no level. */
bool fb_validate(const struct fb_policy_set *set, const struct fb_schema *schema,
                 const struct fb_validate_options *options, struct fb_arena *scratch, struct fb_diags *diags);

#endif
