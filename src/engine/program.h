/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENGINE_PROGRAM_H
#define FB_ENGINE_PROGRAM_H

#include "engine/rows.h"

/* What a program is made of: code, forms that use it, and rows (rows.h) that bind forms to entities.
 *
 * Code is one flat array of nodes that name each other by index; children stand before their
 * parents.  Sugar is gone:
 *
 *   op           operands                                     the AST it stands for
 *   CONST        value                                        literals; sets, records and extension
 *                                                             calls of literals
 *   VAR          arg = enum fb_var
 *   NOT NEG EMPTY  left
 *   AND OR       list(right, third)                           a whole chain, left to right
 *   SUM          list(right, third), bit 31 set: subtract     a chain of + and -
 *   MUL          list(right, third)                           a chain of *
 *   EQ … HAS_TAG left, right
 *   IF           left, right, third
 *   ATTR         left, symbol, name, third = bytes of name    right: its path
 *   HAS          left, symbol, name, third = bytes of name
 *   PATH         left, names(right, third)                    has a.b.c
 *   LIKE         left, pattern
 *   IS           left, symbol, name, third = bytes of name
 *   IS_IN        left, right, and as IS                       is T in x
 *   SET          list(right, third)
 *   RECORD       list(right, third), names(left, third)
 *   CALL         arg = enum fb_function, list(right, third)
 *
 * list(a, n) is n indices from lists[a]; names(a, n) is n names from names[a]. */

enum fb_op {
    FB_OP_CONST, FB_OP_VAR,
    FB_OP_NOT, FB_OP_NEG, FB_OP_EMPTY,
    FB_OP_AND, FB_OP_OR, FB_OP_SUM, FB_OP_MUL,
    FB_OP_EQ, FB_OP_NE, FB_OP_LT, FB_OP_LE, FB_OP_GT, FB_OP_GE,
    FB_OP_IN, FB_OP_CONTAINS, FB_OP_CONTAINS_ALL, FB_OP_CONTAINS_ANY,
    FB_OP_GET_TAG, FB_OP_HAS_TAG,
    FB_OP_IF, FB_OP_ATTR, FB_OP_HAS, FB_OP_PATH, FB_OP_LIKE, FB_OP_IS, FB_OP_IS_IN,
    FB_OP_SET, FB_OP_RECORD, FB_OP_CALL
};

#define FB_SUM_MINUS 0x80000000u
#define FB_NODES_MAX 0x40000000u    /* of one program; keeps indices clear of FB_SUM_MINUS */
/* Nesting of nodes.  The parser allows FB_CEDAR_DEPTH levels of grammar, each of which may put a
 * few operators around the next. */
#define FB_NODE_DEPTH (4 * FB_CEDAR_DEPTH)

#define FB_VARS_LOOKED(var) (0x10u << (var))

struct fb_node {
    uint8_t op;                 /* enum fb_op */
    uint8_t arg;
    uint8_t vars;               /* 1 << enum fb_var for each variable that is read below; FB_VARS_LOOKED(var) where
                                 * fields, tags or ancestors of the entity that it is are asked for */
    uint8_t reserved;
    uint32_t left, right, third;
    union {
        struct fb_value value;
        const struct fb_pattern *pattern;
        struct {
            uint64_t symbol;    /* fb_hash(name) */
            const char *name;
        };
    };
};
_Static_assert(sizeof(struct fb_node) == 32, "two nodes a cache line");

struct fb_name {
    uint64_t symbol;
    struct fb_span text;
};

/* Attributes read one after another from a variable: `resource.repo.owner`.  It stands once in a program, however
 * many policies read it, so that a decision may remember where it led (path.c). */
struct fb_path {
    uint64_t symbol;            /* of the last name */
    const char *name;
    uint32_t name_len;
    uint32_t parent;            /* the path of the names before */
    uint32_t slot;              /* where a decision remembers that one */
    uint32_t place;             /* which field of a record the last name is thought to be */
};
_Static_assert(sizeof(struct fb_path) == 32, "two paths a cache line");
#define FB_PATH_NONE 0u
#define FB_PATH_VAR 1u          /* paths of no names: 1 + enum fb_var */
#define FB_PATH_FIRST 5u        /* number of paths[0] */
#define FB_PATHS_KNOWN 12u      /* places where a decision remembers paths: one a variable, … */
static inline uint32_t fb_known_slot(uint32_t path)
{
    return path < FB_PATH_FIRST ? path - FB_PATH_VAR : FB_PATH_FIRST - 1 + path % 8;    /* … eight for the others */
}

/* Nodes and what they refer to.  Ranges stand apart: only errors and explanations read them. */
struct fb_code {
    struct fb_node *nodes;
    struct fb_range *ranges;    /* one a node: in the source of the policy that it came from */
    uint32_t *lists;
    struct fb_name *names;
    struct fb_path *paths;
    uint32_t *path_slots;       /* a hash table while paths are added: numbers */
    size_t paths_count, paths_capacity, path_slots_count;
    size_t nodes_count, nodes_capacity, ranges_capacity;
    size_t lists_count, lists_capacity;
    size_t names_count, names_capacity;
};

static inline struct fb_span fb_node_name(const struct fb_node *node)
{
    return fb_span(node->name, node->third);
}

/* One conjunct of the conditions of a policy, already negated where it came from an `unless`. */
struct fb_conjunct {
    uint32_t node;
    uint8_t part;               /* FB_PART_WHEN or FB_PART_UNLESS */
    uint8_t about;              /* enum fb_clause_class */
    struct fb_range range;
};

/* What is compiled of a policy: of a template once for all its links, of static policies without conditions
 * once for all that differ in nothing but the entities of their scopes.  By enum fb_side. */
struct fb_form {
    const struct fb_policy *policy;             /* it, or the first of those alike: its action's scope holds */
    uint64_t type[2];                           /* IS, IS_IN: the type's hash, … */
    const char *type_name[2];                   /* … and its name, */
    uint16_t type_len[2];                       /* which is that long */
    uint32_t conjuncts, conjuncts_count;
    uint8_t effect;                             /* enum fb_effect */
    uint8_t op[2];                              /* enum fb_scope_op */
    uint8_t asks;                               /* FB_ASKS_…: what a scope needs looked at */
};
#define FB_ASKS_PRINCIPAL_TYPE 1u
#define FB_ASKS_RESOURCE_TYPE 2u
#define FB_ASKS_NAMES 4u
_Static_assert(sizeof(struct fb_form) <= 64, "one cache line");
_Static_assert(FB_UID_TYPE_MAX <= UINT16_MAX, "type_len");

/* A static policy or a link as explanations and unknowns see it; put together by fb_rule_of(). */
struct fb_rule {
    uint64_t principal_type, resource_type;     /* hash of the one type that can match, if … */
    bool principal_typed, resource_typed;       /* … set */
    uint8_t effect;                             /* enum fb_effect */
    uint8_t principal_op, resource_op;          /* enum fb_scope_op */
    uint32_t conjuncts, conjuncts_count;
    const struct fb_uid *principal, *resource;  /* EQ, IN, IS_IN: bound */
    const struct fb_policy *policy;
};

/* Which rules an action may concern: see index.c. */
struct fb_bucket {
    const struct fb_uid *action;                /* NULL: free */
    uint32_t direct, direct_count;              /* rules that name this action, in entries */
    uint32_t group, group_count;                /* of those, the ones that use `in` */
};

struct fb_index {
    struct fb_bucket *buckets;
    uint32_t mask;
    uint32_t *entries;
    size_t entries_count;
    uint32_t any_count;                         /* entries[0 …): rules with any action */
    bool groups;                                /* some rule uses `action in` */
    bool merged;                                /* direct lists hold the rules with any action too */
};

/* Numbers of rules: static policies from 0, then links.  A table of links has a copy of this whose `links` is
 * its own; what is compiled is shared. */
struct fb_program {
    struct fb_arena *arena;
    const struct fb_policy_set *set;
    struct fb_code code;
    struct fb_conjunct *conjuncts;
    size_t conjuncts_count, conjuncts_capacity;
    struct fb_form *forms;
    size_t forms_count, forms_capacity;
    struct fb_map templates;                    /* struct fb_policy * (its bytes) → uint32_t *, a form */
    struct fb_rows statics;
    struct fb_index index;                      /* of static policies, by action */
    struct fb_index firsts;                     /* … of those that are the first of their group (rows.h) */
    const struct fb_rows *links;
    struct fb_rows own_links;                   /* those of the set */
};

/* The row of a rule. */
static inline const struct fb_row *fb_program_row(const struct fb_program *program, uint32_t number)
{
    return number < program->statics.count ? fb_row_at(&program->statics, number)
                                           : fb_row_at(program->links, number - program->statics.count);
}

static inline const struct fb_form *fb_program_form(const struct fb_program *program, uint32_t number)
{
    return &program->forms[fb_program_row(program, number)->form];
}

/* --- program.c --------------------------------------------------------------------------------- */

/* Not of a link that has been taken out. */
struct fb_rule fb_rule_of(const struct fb_program *program, uint32_t number);
/* The form of a template; UINT32_MAX if there is no such. */
uint32_t fb_program_template(const struct fb_program *program, const struct fb_policy *template_);
/* Whom a side of a form names, given the value of its slot. */
struct fb_named fb_form_named(const struct fb_form *form, enum fb_side side, const struct fb_uid *value);

/* --- compile.c --------------------------------------------------------------------------------- */

struct fb_compiler {
    struct fb_arena *arena;
    struct fb_code *code;
    const struct fb_source *source;             /* for diagnostics; may be NULL */
    struct fb_diags *diags;                     /* may be NULL */
};

/* The expression's node in *node.  False without memory or, with a diagnostic, beyond a limit. */
bool fb_compile(struct fb_compiler *compiler, const struct fb_expr *expr, uint32_t *node);
/* The negation of a node that has been compiled. */
bool fb_compile_not(struct fb_compiler *compiler, uint32_t operand, struct fb_range range, uint32_t *node);

/* --- path.c: paths while they are compiled ------------------------------------------------------- */

/* The path of `name` behind `parent`, added if it is new.  False without memory. */
bool fb_path_of(struct fb_compiler *compiler, uint32_t parent, uint64_t symbol, struct fb_span name, uint32_t *path);

/* --- classify.c -------------------------------------------------------------------------------- */

/* What a condition is about; what `principal in group` is about. */
enum fb_clause_class fb_classify(const struct fb_expr *expr);
enum fb_clause_class fb_classify_group(const struct fb_uid *group);

/* --- index.c ----------------------------------------------------------------------------------- */

bool fb_index_build(struct fb_program *program);
const struct fb_bucket *fb_index_find(const struct fb_index *index, const struct fb_uid *action);
size_t fb_index_size(const struct fb_index *index);

#endif
