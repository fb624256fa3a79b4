/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_VALIDATE_CHECK_H
#define FB_CEDAR_VALIDATE_CHECK_H

#include "cedar/validate.h"
#include "cedar/validate_tree.h"

/* What the files of the validator share.
 *
 *   validate.c           policies, their environments, what is said of a policy as a whole
 *   validate_scope.c     the scope in an environment, and whether it fits any
 *   validate_names.c     types, actions and ids that a policy names
 *   validate_check.c     expressions: leaves, logic, the walk
 *   validate_operators.c expressions: operators
 *   validate_attributes.c  expressions: attributes and tags
 *   validate_calls.c     expressions: sets, records, extension functions
 *   validate_caps.c      capabilities: which attributes and tags are known to exist
 *   validate_level.c     how far entities are dereferenced
 *   validate_report.c    findings
 *   validate_text.c      text that looks like another one
 *   validate_types.h     types; validate_tree.h: expressions made ready */

/* A set of capabilities that an expression gives when it is true: 0, or an index + 1 into `caps`. */
typedef uint32_t fb_caps;

struct fb_cap {
    uint32_t left, right;           /* of a union: sets */
    uint32_t shape;                 /* of a single one: what may be accessed; 0: a union */
};

/* What is known of an expression. */
struct fb_answer {
    const struct fb_vtype *type;    /* NULL: unknown, which some error has explained */
    bool failed;
    fb_caps caps;
};

struct fb_finding {
    const char *code;
    struct fb_range range;
    uint32_t environments;          /* in which it was found */
    uint32_t stamp;                 /* of the last of them */
    const struct fb_schema_action *action;  /* of the first, and its types */
    const struct fb_vtype *principal, *resource;
    size_t diag;                    /* index into the list; SIZE_MAX: dropped */
};

struct fb_checker {
    struct fb_arena *arena;
    struct fb_diags *diags;
    const struct fb_schema *schema;
    struct fb_validate_options options;
    struct fb_vtypes types;
    struct fb_tree tree;
    bool strict;
    struct fb_map groups;           /* action → struct fb_map of the groups above it, where it has several */

    /* the policy */
    const struct fb_policy *policy;
    const struct fb_source *source;
    struct fb_finding *findings;
    size_t findings_count, findings_capacity;
    struct fb_vtable findings_table;
    size_t policy_errors, errors;   /* of this policy; of all */

    /* the request environment */
    const struct fb_schema_action *action;
    const struct fb_vtype *vars[4]; /* by enum fb_var */
    uint32_t stamp;
    bool keep_types;                /* leave each node its type, for the levels */

    /* capabilities */
    struct fb_cap *caps;
    size_t caps_count, caps_capacity;
    uint32_t *held;                 /* by shape: how often it is among the prior capabilities */
    uint32_t *marks;
    uint32_t held_size, mark;
    uint32_t *walk;                 /* scratch */
    size_t walk_count, walk_capacity;
};

/* --- findings (validate_report.c) --- */

/* False: this place has had it already.  The words are for the first. */
bool fb_report_new(struct fb_checker *c, const char *code, struct fb_range range);
struct fb_diag *fb_report(struct fb_checker *c, enum fb_severity severity, const char *code, struct fb_range range,
                          const char *format, ...) __attribute__((format(printf, 5, 6)));
struct fb_span fb_report_text(struct fb_checker *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A type in the diagnostics' arena. */
struct fb_span fb_report_type(struct fb_checker *c, const struct fb_vtype *type);
struct fb_span fb_report_uid(struct fb_checker *c, const struct fb_uid *uid);
/* An expression as text, short ones only; else "…". */
struct fb_span fb_report_expr(struct fb_checker *c, const struct fb_expr *expr);
void fb_report_begin(struct fb_checker *c, const struct fb_policy *policy);
/* Says where it was found of what was not found in all of so many environments, and orders by place. */
void fb_report_end(struct fb_checker *c, uint32_t environments, size_t first_diag);

/* --- capabilities (validate_caps.c) --- */
fb_caps fb_caps_one(struct fb_checker *c, uint32_t shape);
fb_caps fb_caps_union(struct fb_checker *c, fb_caps a, fb_caps b);
fb_caps fb_caps_both(struct fb_checker *c, fb_caps a, fb_caps b);
/* Adds to, takes from the prior capabilities. */
void fb_caps_hold(struct fb_checker *c, fb_caps caps);
void fb_caps_drop(struct fb_checker *c, fb_caps caps);
bool fb_caps_held(const struct fb_checker *c, uint32_t shape);
/* Of the `caps` of a chain of &&: holds them, `before` being held of the last link, and returns them. */
fb_caps fb_caps_replace(struct fb_checker *c, fb_caps before, fb_caps caps);

/* --- expressions --- */
struct fb_answer fb_check(struct fb_checker *c, uint32_t node);
/* The same, and its type must be this; unknown if it is not. */
struct fb_answer fb_check_kind(struct fb_checker *c, uint32_t node, enum fb_vkind kind);
struct fb_answer fb_check_bool(struct fb_checker *c, uint32_t node);
struct fb_answer fb_check_entity(struct fb_checker *c, uint32_t node);
/* An operand that has a type of the wrong kind: reports it, and the type is unknown then. */
struct fb_answer fb_wrong_type(struct fb_checker *c, struct fb_answer answer, uint32_t node, const char *expected,
                               const char *hint);

/* Of && with both operands checked. */
struct fb_answer fb_join_and(struct fb_checker *c, struct fb_answer left, struct fb_answer right);

struct fb_answer fb_check_not(struct fb_checker *c, const struct fb_node *node);
struct fb_answer fb_check_equal(struct fb_checker *c, const struct fb_node *node);
struct fb_answer fb_check_less(struct fb_checker *c, const struct fb_node *node);
struct fb_answer fb_check_contains(struct fb_checker *c, const struct fb_node *node);
struct fb_answer fb_check_in(struct fb_checker *c, const struct fb_node *node);
struct fb_answer fb_check_is(struct fb_checker *c, const struct fb_node *node);
struct fb_answer fb_check_attr(struct fb_checker *c, uint32_t index);
struct fb_answer fb_check_has(struct fb_checker *c, uint32_t index);
struct fb_answer fb_check_get_tag(struct fb_checker *c, uint32_t index);
struct fb_answer fb_check_has_tag(struct fb_checker *c, uint32_t index);
struct fb_answer fb_check_set(struct fb_checker *c, const struct fb_node *node);
struct fb_answer fb_check_record(struct fb_checker *c, const struct fb_node *node);
struct fb_answer fb_check_call(struct fb_checker *c, const struct fb_node *node);

/* Reports two types that may not stand together; always false. */
bool fb_incompatible(struct fb_checker *c, struct fb_range range, const struct fb_vtype *a, const struct fb_vtype *b,
                     const char *where);
/* Is the action `lower` the action `upper` or in it? */
bool fb_action_in(struct fb_checker *c, const struct fb_schema_action *lower, const struct fb_uid *upper);

/* --- the rest --- */
/* Of `principal` or `resource` in the environment; of `action`. */
struct fb_answer fb_check_scope(struct fb_checker *c, const struct fb_scope *scope, const struct fb_vtype *type);
struct fb_answer fb_check_action_scope(struct fb_checker *c);
/* Warns of a scope that no request fits; the uids are what fills its slots. */
void fb_check_application(struct fb_checker *c, const struct fb_uid *principal, const struct fb_uid *resource);
void fb_check_names(struct fb_checker *c);
void fb_check_unknown_type(struct fb_checker *c, struct fb_span name, struct fb_range range);
void fb_check_texts(struct fb_checker *c);
/* The conditions of a policy without errors, in the environment they were checked in last. */
void fb_check_levels(struct fb_checker *c, uint32_t conditions);
void fb_check_scope_level(struct fb_checker *c, const struct fb_scope *scope);

/* As a key of maps. */
static inline struct fb_span fb_uid_bytes(const struct fb_uid *uid)
{
    return fb_span((const char *)uid, fb_uid_size(uid->type_len, uid->id_len));
}

static inline struct fb_answer fb_answer(const struct fb_vtype *type)
{
    return (struct fb_answer){.type = type};
}

static inline struct fb_answer fb_failed(const struct fb_vtype *type)
{
    return (struct fb_answer){.type = type, .failed = true};
}

/* The answer of an operator that rests on another answer: it fails when that does. */
static inline struct fb_answer fb_after(struct fb_answer before, struct fb_answer answer)
{
    if (before.failed)
        return fb_failed(answer.type);
    return answer;
}

static inline bool fb_is_kind(struct fb_answer answer, enum fb_vkind kind)
{
    return answer.type != NULL && answer.type->kind == kind;
}

static inline const struct fb_vtype *fb_plain(const struct fb_checker *c, enum fb_vkind kind)
{
    return c->types.plain[kind];
}

static inline const struct fb_vtype *fb_truth(const struct fb_checker *c, bool truth)
{
    return c->types.plain[truth ? FB_V_TRUE : FB_V_FALSE];
}

#endif
