/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENGINE_ENGINE_H
#define FB_ENGINE_ENGINE_H

#include "cedar/cedar.h"

/* engine: policies compiled, decided, evaluated with unknowns, explained.  The door of src/engine/.
 *
 * Decisions are exactly Cedar's: a policy that errs is skipped and reported, forbids beat permits,
 * nothing matching denies.  What a refusal makes of it is the guard's business.
 * Nothing here allocates from the heap while it decides: all comes from the arena given, and when
 * its ceiling is reached the call says FB_CANNOT, which a caller must treat as "no decision". */

/* --- Programs --------------------------------------------------------------------------------- */

/* Compiled policies: constants folded, sugar removed, symbols hashed, scopes indexed.  Immutable; shared by
 * forked workers and by threads. */
struct fb_program;

/* Compiles the static policies and templates of a set, and takes in its links (templates alone authorise
 * nothing).  The set, its sources and `arena` must outlive the program.  NULL without memory, or with a
 * diagnostic where a limit is passed. */
struct fb_program *fb_program_new(struct fb_arena *arena, const struct fb_policy_set *set, struct fb_diags *diags);

/* Tells that records with just these fields (fb_hash() of the names, ascending) are to be expected, entities of a type
 * or a context: policies then look for them in their places first.  While the program is made; decisions stay the
 * same. */
void fb_program_expect(struct fb_program *program, const uint64_t *symbols, uint32_t count);

/* Policies are known by their index: static policies in source order, then links in order. */
size_t fb_program_count(const struct fb_program *program);
/* Of a link its template; of one that was removed from a table NULL, and the empty id. */
const struct fb_policy *fb_program_policy(const struct fb_program *program, uint32_t index);
/* The policy's id, or the link's. */
struct fb_span fb_program_id(const struct fb_program *program, uint32_t index);

/* Bytes of what was compiled, without the trees: code and forms, the rows of static policies and their index,
 * the rows of links. */
struct fb_program_size {
    size_t code, statics, links;
    size_t forms;               /* a number: of templates, and of static policies that differ in more than entities */
};
struct fb_program_size fb_program_size(const struct fb_program *program);

/* --- Links that come and go -----------------------------------------------------------------------
 * A table of links over a program's templates and static policies, in place of the links that the
 * program was made with.  A link is a row: adding and removing one compiles nothing and touches
 * nothing of the others, whatever their number.
 *
 * One thread changes a table, while none reads it or its program.  Who must decide meanwhile keeps two
 * tables: changes the one that nobody reads, lets readers pass to it, and repeats the change in the
 * other. */
struct fb_link_table;

/* An empty one; NULL without memory.  `program` and `allocator`'s context must outlive it. */
struct fb_link_table *fb_link_table_new(const struct fb_allocator *allocator, const struct fb_program *program);
void fb_link_table_free(struct fb_link_table *table);

/* So many more links are about to be added.  Nothing depends on it but speed: many get few large pieces of memory,
 * which the kernel can map by large pages, and which single additions, that should not wait for one, do not take. */
void fb_link_table_expect(struct fb_link_table *table, size_t more);
/* Adds a link; id and uids are copied.  NULL, or a static text that says why not, and then nothing has
 * changed: fb_policy_set_link()'s reasons. */
const char *fb_link_table_add(struct fb_link_table *table, const struct fb_policy *template_, struct fb_span id,
                              const struct fb_uid *principal, const struct fb_uid *resource);
/* False: there is no link of that id. */
bool fb_link_table_remove(struct fb_link_table *table, struct fb_span id);

size_t fb_link_table_count(const struct fb_link_table *table);
/* Places of links from 0; a place that was left is taken by one that is added later. */
size_t fb_link_table_places(const struct fb_link_table *table);
/* The link at a place, valid until the table changes; false: there is none. */
bool fb_link_table_at(const struct fb_link_table *table, size_t place, struct fb_link *link);
/* Its place; fb_link_table_places() if there is none of that id. */
size_t fb_link_table_find(const struct fb_link_table *table, struct fb_span id);
/* The program with these links: link `place` is policy (number of static policies) + `place`.  The same one as
 * long as the table, whose changes it shows.  What was made of it before a change (a fb_concerned, a list's
 * plan) is no longer good. */
const struct fb_program *fb_link_table_program(const struct fb_link_table *table);

/* --- Requests and decisions -------------------------------------------------------------------- */

/* Which policies an action may concern, ascending. */
struct fb_concerned {
    const uint32_t *list;
    const struct fb_form *const *forms;         /* how each of them is compiled */
    uint8_t looked;                             /* 1 << enum fb_var whose entity some of them asks for */
    uint32_t count;
};

struct fb_request {
    const struct fb_uid *principal, *action, *resource;
    struct fb_value context;                    /* a record */
    const struct fb_entities *entities;
    const struct fb_concerned *concerned;       /* by this action, or NULL: then it is looked up */
    /* What `entities` says of principal and resource, where the caller has asked already; or NULL.  An
     * entity of another uid is not looked at. */
    const struct fb_entity *principal_entity, *resource_entity;
};

/* The same for every request with this action as long as the action's own ancestors are what
 * `entities` says.  NULL without memory, when an entity cannot be read, or when there are more than
 * FB_CONCERNED_MAX: the lists of all actions together must not outgrow the policies; or so many links that a
 * decision finds them sooner by whom they name. */
#define FB_CONCERNED_MAX 64u
const struct fb_concerned *fb_program_concerned(const struct fb_program *program, const struct fb_uid *action,
                                                const struct fb_entities *entities, struct fb_arena *arena);

/* The same, remembered for the actions that were asked for first.  For a program whose links stay, and a source that
 * goes on to say the same of actions.  One thread. */
struct fb_concern_slot {
    const struct fb_uid *action;                /* NULL: free */
    const struct fb_concerned *concerned;       /* NULL: it must be looked up each time */
};
struct fb_concerns {
    const struct fb_program *program;
    struct fb_entities entities;
    struct fb_arena *arena;
    struct fb_concern_slot *slots;
    uint32_t count;
};

/* All must outlive it.  The arena gives at most some kilobytes an action. */
void fb_concerns_init(struct fb_concerns *concerns, const struct fb_program *program,
                      const struct fb_entities *entities, struct fb_arena *arena);
/* NULL as above; valid as long as the arena. */
const struct fb_concerned *fb_concerns_of(struct fb_concerns *concerns, const struct fb_uid *action);

enum fb_status { FB_OK, FB_CANNOT };            /* CANNOT: memory, or a broken entity source */

struct fb_policy_error {
    uint32_t policy;
    struct fb_range range;                      /* of the expression that erred, in the policy's source */
    struct fb_span message;
};

/* The zero value is a deny. */
struct fb_decision {
    bool allow;
    const uint32_t *permits, *forbids;          /* satisfied ones, ascending */
    uint32_t permits_count, forbids_count;
    const struct fb_policy_error *errors;       /* by policy, ascending */
    uint32_t errors_count;
};
/* Cedar's determining policies: the forbids if there are any, else the permits. */

enum fb_status fb_decide(const struct fb_program *program, const struct fb_request *request,
                         struct fb_arena *arena, struct fb_decision *decision);

/* One expression (for `evaluate`, tests): FB_OK with a value, or with *error set. */
enum fb_status fb_evaluate(const struct fb_expr *expr, const struct fb_request *request, struct fb_arena *arena,
                           struct fb_value *value, struct fb_policy_error *error, bool *erred);

/* --- Unknowns ------------------------------------------------------------------------------------
 * Evaluation over sets of outcomes.  What is unknown may have any value of its type: an unknown
 * principal or resource is any entity of the type that its uid names (the id is ignored), in the
 * store or not; an unknown field of the context or attribute is absent, or present with any value.
 * Sound: whatever a concrete choice of the unknowns yields lies within the set that is returned.  It
 * may be too large, never too small; the argument is in unknown.c, the whole in docs/unknowns.md. */
enum { FB_CAN_TRUE = 1, FB_CAN_FALSE = 2, FB_CAN_ERR = 4 };

/* One attribute of one entity, however a policy gets at that entity; or, where `entity` is NULL, a
 * field within the context.  `path` leads through records: {"profile", "age"} is `age` of the record
 * `profile`.  Where something before the last name is absent, or no record, there is no such
 * attribute, and nothing is unknown. */
struct fb_unknown_attribute {
    const struct fb_uid *entity;
    const struct fb_span *path;
    uint32_t depth;                             /* names in `path`, at least 1 */
};

struct fb_unknowns {
    bool principal, resource;
    const struct fb_span *context;              /* names of unknown fields of the context */
    uint32_t context_count;
    const struct fb_unknown_attribute *attributes;
    uint32_t attributes_count;
};

/* What another token of the same account may differ in, together: scope, acr, amr and authTime of
 * context.token.  Its other claims describe the account and stay. */
#define FB_TOKEN_PARTS 4u
extern const struct fb_unknown_attribute fb_token_parts[FB_TOKEN_PARTS];

/* The outcomes of each policy, in program order, fb_program_count() bytes; `unknowns` may be NULL. */
enum fb_status fb_outcomes(const struct fb_program *program, const struct fb_request *request,
                           const struct fb_unknowns *unknowns, struct fb_arena *arena, const uint8_t **outcomes);

/* Could it be allowed?  Some permit can be true, and every forbid can be false.  Of the forbids, those for
 * which `skip` (fb_program_count() flags, or NULL) is set do not count. */
enum fb_status fb_could_allow(const struct fb_program *program, const struct fb_request *request,
                              const struct fb_unknowns *unknowns, const bool *skip, struct fb_arena *arena,
                              bool *could);

/* The first forbid that cannot be false and may be true; of those for which `last` (fb_program_count() flags)
 * is set the first only if there is no other. */
enum fb_status fb_hitting_forbid(const struct fb_program *program, const struct fb_request *request,
                                 const struct fb_unknowns *unknowns, const bool *last, struct fb_arena *arena,
                                 uint32_t *policy, bool *found);

/* --- Explanation ----------------------------------------------------------------------------------
 * A policy's condition as clauses: the three scope elements, then each `when` split at its top `&&`,
 * each `unless` at its top `||`. */
enum fb_clause_class {
#define FB_CLAUSE(symbol, code) FB_CLAUSE_##symbol,
#include "engine/clauses.def"
#undef FB_CLAUSE
    FB_CLAUSE_CLASSES
};
extern const char *const fb_clause_codes[FB_CLAUSE_CLASSES];

enum fb_clause_part { FB_PART_PRINCIPAL, FB_PART_ACTION, FB_PART_RESOURCE, FB_PART_WHEN, FB_PART_UNLESS };

struct fb_clause_value {
    struct fb_range range;                      /* an operand of the clause, in the policy's source */
    struct fb_value value;
};

struct fb_clause {
    enum fb_clause_part part;
    enum fb_clause_class about;
    struct fb_range range;
    uint8_t outcomes;                           /* met exactly if FB_CAN_TRUE alone */
    const struct fb_clause_value *values;       /* operands that are not constants, as they were; asked for */
    uint32_t values_count;
    struct fb_span error;                       /* why it erred, or empty; asked for */
    struct fb_range error_range;                /* which expression did */
};

struct fb_explanation {
    uint32_t policy;
    bool fits;                                  /* action and types can match */
    uint8_t outcomes;                           /* of the whole policy */
    const struct fb_clause *clauses;            /* those of scope that constrain nothing are left out */
    uint32_t clauses_count, unmet;              /* unmet: clauses that cannot be true */
    const struct fb_clause *decisive;           /* the first unmet; of a forbid without any the last of its clauses
                                                   that says most about it; NULL if none */
};

/* `values`: fill in fb_clause.values (for `why`); without it nothing but outcomes is computed. */
enum fb_status fb_explain(const struct fb_program *program, uint32_t policy, const struct fb_request *request,
                          const struct fb_unknowns *unknowns, bool values, struct fb_arena *arena,
                          struct fb_explanation *explanation);

/* The permit that fits and has the fewest unmet clauses; ties by source order.  *found false if
 * none fits. */
enum fb_status fb_nearest_permit(const struct fb_program *program, const struct fb_request *request,
                                 const struct fb_unknowns *unknowns, bool values, struct fb_arena *arena,
                                 struct fb_explanation *explanation, bool *found);

/* Why a decision is as it is.  In this order, and among equals by unmet clauses, then by source:
 *   allow   the permits that hold; forbids that err; forbids that do not hold
 *   deny    the forbids that hold or, with unknowns, may; forbids that err; permits, the nearest first
 * Of those that concern the action and the types.  `max` 0: FB_EXPLAINED.  Costs as much as evaluating every
 * clause of every candidate, so it is for who asks, not for each request. */
#define FB_EXPLAINED 8u
#define FB_EXPLAINED_MAX 64u
struct fb_explained {
    const struct fb_explanation *policies;
    uint32_t count, left_out;                   /* left_out: more of the same */
};
enum fb_status fb_explain_decision(const struct fb_program *program, const struct fb_request *request,
                                   const struct fb_unknowns *unknowns, bool allowed, uint32_t max,
                                   struct fb_arena *arena, struct fb_explained *explained);

/* Explanations as text and JSON; lists. */
#include "engine/explain.h"
#include "engine/list.h"

#endif
