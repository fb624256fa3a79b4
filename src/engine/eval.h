/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENGINE_EVAL_H
#define FB_ENGINE_EVAL_H

#include "engine/program.h"

/* Concrete evaluation: code + request → a value, or a fault.
 *
 * Functions that evaluate return true with *out set, or false: then either `cannot` is set (no
 * memory, a broken source), or `fault` says which Cedar error it was.  No text is made until
 * somebody asks for it (fb_fault_message). */

enum fb_fault_code {
    FB_FAULT_TYPE,          /* a: the value; text: what was wanted */
    FB_FAULT_OVERFLOW,      /* text: the operation; a, b: its operands (b as a, if it has one) */
    FB_FAULT_NO_ENTITY,     /* a: the uid */
    FB_FAULT_NO_ATTRIBUTE,  /* a: entity or record; name */
    FB_FAULT_NO_TAG,        /* a: entity; name */
    FB_FAULT_ARGUMENT,      /* a: a constructor's text; text: what is wrong with it */
    FB_FAULT_ARITY          /* text: the function; a: arguments given; b: arguments wanted */
};

struct fb_fault {
    enum fb_fault_code code;
    uint32_t node;          /* where */
    const char *text;
    struct fb_span name;
    struct fb_value a, b;
};

/* An entity of the request, looked up once a decision; and so, when first needed, are the ancestors
 * that it leaves open. */
struct fb_seen {
    const struct fb_uid *uid;
    const struct fb_entity *found;      /* NULL: not yet, or absent */
    bool absent;
    struct fb_entity room;              /* for it, if the request did not bring it */
    const struct fb_entity *opened;     /* NULL: not yet */
    uint32_t opened_count;              /* those that exist */
};

struct fb_eval {
    const struct fb_code *code;
    const struct fb_request *request;
    struct fb_arena *arena;
    bool cannot;
    struct fb_fault fault;
    struct fb_seen seen[3]; /* principal, action, resource: by enum fb_var */
    /* What paths led to, by fb_known_slot(); FB_PATH_NONE: nothing yet.  Fields NULL: an entity that is not there, or
     * a context that is no record. */
    uint32_t known_path[FB_PATHS_KNOWN];
    const struct fb_record *known_fields[FB_PATHS_KNOWN];
};

/* For one decision. */
void fb_eval_init(struct fb_eval *e, const struct fb_code *code, const struct fb_request *request,
                  struct fb_arena *arena);
bool fb_eval(struct fb_eval *e, uint32_t node, struct fb_value *out);

/* The fault as a sentence; empty without memory. */
struct fb_span fb_fault_message(const struct fb_eval *e);
struct fb_range fb_fault_range(const struct fb_eval *e);
/* "a long", "an entity", … */
const char *fb_kind_name(uint8_t kind);

/* --- access.c: what needs entities --------------------------------------------------------------- */

/* The entity, or NULL: absent, or broken (then e->cannot).  `room` holds it if it is none of the
 * request's own. */
const struct fb_entity *fb_find(struct fb_eval *e, const struct fb_uid *uid, struct fb_entity *room);
/* That of a variable, which is not the context. */
const struct fb_entity *fb_find_seen(struct fb_eval *e, struct fb_seen *seen);
static inline const struct fb_entity *fb_find_own(struct fb_eval *e, uint32_t var)
{
    return e->seen[var].found != NULL ? e->seen[var].found : fb_find_seen(e, &e->seen[var]);
}
/* Its attributes; NULL as above. */
const struct fb_record *fb_find_attrs(struct fb_eval *e, const struct fb_uid *uid);

/* The same, for most reads without a call: of the request's own entities once they have been found,
 * by address, which is how variables come. */
static inline const struct fb_record *fb_attrs(struct fb_eval *e, const struct fb_uid *uid)
{
    for (int i = 0; i < 3; i++)
        if (e->seen[i].uid == uid && e->seen[i].found != NULL)
            return e->seen[i].found->attrs;
    return fb_find_attrs(e, uid);
}
/* Cedar's `in` for two uids. */
enum fb_found fb_in(struct fb_eval *e, const struct fb_uid *uid, const struct fb_uid *group);

/* Field `name` of a record, or attribute of an entity, into *out; *present tells whether it is
 * there.  False: the operand has no fields, or an entity could not be read. */
bool fb_read_field(struct fb_eval *e, uint32_t operand, struct fb_value from, uint64_t symbol, struct fb_span name,
                   struct fb_value *out, bool *present);
bool fb_leaf_attr(struct fb_eval *e, uint32_t node, struct fb_value from, struct fb_value *out);
bool fb_leaf_has(struct fb_eval *e, uint32_t node, struct fb_value in, struct fb_value *out);
bool fb_leaf_path(struct fb_eval *e, uint32_t node, struct fb_value in, struct fb_value *out);
bool fb_leaf_in(struct fb_eval *e, uint32_t node, struct fb_value a, struct fb_value b, struct fb_value *out);
bool fb_leaf_tag(struct fb_eval *e, uint32_t node, struct fb_value a, struct fb_value b, struct fb_value *out);

/* --- path.c --------------------------------------------------------------------------------------- */

/* The fields of what a path leads to, looked for; NULL: there are none to be had without more ado. */
const struct fb_record *fb_path_fields(struct fb_eval *e, uint32_t path);

/* The attribute that a path of one name or more leads to; NULL likewise. */
static inline const struct fb_cell *fb_path_cell(struct fb_eval *e, uint32_t number)
{
    const struct fb_path *path = &e->code->paths[number - FB_PATH_FIRST];
    const struct fb_record *fields = e->known_path[path->slot] == path->parent ? e->known_fields[path->slot]
                                                                               : fb_path_fields(e, path->parent);
    return fields != NULL ? fb_record_find_near(fields, path->symbol, fb_span(path->name, path->name_len), path->place)
                          : NULL;
}

/* --- quick.c: conditions in their clear cases ------------------------------------------------------- */

/* 1, 0: what fb_eval() would give is true, false.  -1: not clear; fb_eval() must be asked, or e->cannot. */
int fb_quick(struct fb_eval *e, uint32_t node);

/* --- leaf.c, function.c: what needs values alone ------------------------------------------------- */

bool fb_leaf_unary(struct fb_eval *e, uint32_t node, struct fb_value a, struct fb_value *out);
bool fb_leaf_binary(struct fb_eval *e, uint32_t node, struct fb_value a, struct fb_value b, struct fb_value *out);
/* One step of a chain of + - *: *sum and the operand of node `at`; false on overflow or type. */
bool fb_leaf_sum(struct fb_eval *e, uint32_t node, enum fb_op op, bool minus, uint32_t at, struct fb_value operand,
                 int64_t *sum);
bool fb_leaf_call(struct fb_eval *e, uint32_t node, const struct fb_value *values, struct fb_value *out);
/* The kind of its value. */
uint8_t fb_function_result(uint8_t function);
bool fb_like(const struct fb_pattern *pattern, struct fb_span text);
/* IS and IS_IN's first half: is the uid of the node's type? */
static inline bool fb_leaf_is(const struct fb_node *node, const struct fb_uid *uid)
{
    return fb_uid_is(uid, node->symbol, fb_node_name(node));
}

/* --- Faults -------------------------------------------------------------------------------------- */

/* All return false. */
bool fb_fault_type(struct fb_eval *e, uint32_t node, const char *wanted, struct fb_value got);
bool fb_fault(struct fb_eval *e, uint32_t node, enum fb_fault_code code, struct fb_value a);
static inline bool fb_eval_cannot(struct fb_eval *e)
{
    e->cannot = true;
    return false;
}

#endif
