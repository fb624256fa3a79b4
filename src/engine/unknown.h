/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_ENGINE_UNKNOWN_H
#define FB_ENGINE_UNKNOWN_H

#include "engine/decide.h"

/* Evaluation where parts of the request are unknown. */

/* What an expression may come to.  `may` joins FB_CAN_TRUE, FB_CAN_FALSE (as the values true and
 * false), FB_CAN_ERR and FB_CAN_OTHER (a value that is no bool, of which `shape` says more). */
enum { FB_CAN_OTHER = 8, FB_CAN_VALUE = FB_CAN_TRUE | FB_CAN_FALSE | FB_CAN_OTHER };

enum fb_shape {
    FB_SHAPE_KNOWN,         /* exactly `value` */
    FB_SHAPE_PRINCIPAL,     /* the unknown principal */
    FB_SHAPE_RESOURCE,      /* the unknown resource */
    FB_SHAPE_PARTLY,        /* the record `value`, some of whose fields are unknown: the context, or what
                               the first `depth` names of `via` lead to */
    FB_SHAPE_ANY            /* any value of one of `kinds` (1 << enum fb_kind; never bool) */
};

struct fb_guess {
    uint8_t may;
    uint8_t shape;
    uint16_t kinds;
    uint32_t depth;
    const struct fb_unknown_attribute *via;     /* NULL: the context itself */
    struct fb_value value;
};

struct fb_surmise {
    struct fb_eval e;       /* for what is known */
    const struct fb_unknowns *unknowns;
    uint8_t vars;           /* 1 << enum fb_var of what is unknown, wholly or in part */
    bool deep;              /* some attribute of an entity is unknown, which any node may read */
};

/* --- guess.c: sets of outcomes ---------------------------------------------------------------------- */

static inline uint16_t fb_kind_bit(unsigned kind)
{
    return (uint16_t)(1u << kind);
}

/* True or false, one does not know. */
uint8_t fb_either(void);
/* These outcomes and no other value; this value; this unknown. */
struct fb_guess fb_guess_of(uint8_t may);
struct fb_guess fb_guess_known(struct fb_value value);
struct fb_guess fb_guess_shaped(enum fb_shape shape);
struct fb_guess fb_guess_partly(struct fb_value record, const struct fb_unknown_attribute *via, uint32_t depth);
/* Some value of these kinds, or an error.  Any value at all, or an error. */
struct fb_guess fb_guess_some(uint16_t kinds);
struct fb_guess fb_guess_anything(void);
struct fb_guess fb_guess_join(struct fb_guess a, struct fb_guess b);
/* The kinds that its values may have. */
uint16_t fb_guess_kinds(const struct fb_guess *guess);
/* Has it only one value (errors apart)? */
bool fb_guess_only(const struct fb_guess *guess, struct fb_value *value);
/* What came of running an operation on known values.  False: s->e.cannot. */
bool fb_guess_settle(struct fb_surmise *s, bool done, struct fb_value value, struct fb_guess *out);

/* --- guess_ops.c ------------------------------------------------------------------------------------ */

bool fb_guess_unary(struct fb_surmise *s, uint32_t index, const struct fb_node *node, struct fb_guess *out);
bool fb_guess_binary(struct fb_surmise *s, uint32_t index, const struct fb_node *node, struct fb_guess *out);
/* The operation on two guesses that are at hand, neither of which can only err. */
bool fb_guess_pair_of(struct fb_surmise *s, uint32_t index, const struct fb_guess *a, const struct fb_guess *b,
                      struct fb_guess *out);
/* IS, and the first half of IS_IN, of what is not known. */
struct fb_guess fb_guess_is(const struct fb_surmise *s, const struct fb_node *node, const struct fb_guess *a);

/* --- unknown.c -------------------------------------------------------------------------------------- */

/* `unknowns` may be NULL: nothing is. */
void fb_surmise_init(struct fb_surmise *s, const struct fb_program *program, const struct fb_request *request,
                     const struct fb_unknowns *unknowns, struct fb_arena *arena);
/* All that the node may come to.  False: s->e.cannot. */
bool fb_guess(struct fb_surmise *s, uint32_t node, struct fb_guess *out);
/* Does the node come to one value and no error, whatever the unknowns are? */
bool fb_guess_value(struct fb_surmise *s, uint32_t node, struct fb_value *value);
/* The same as outcomes of a condition: what is no bool errs. */
bool fb_guess_condition(struct fb_surmise *s, uint32_t node, uint8_t *outcomes);

/* The outcomes of a rule's scope for one variable. */
bool fb_guess_principal(struct fb_surmise *s, const struct fb_rule *rule, uint8_t *outcomes);
bool fb_guess_resource(struct fb_surmise *s, const struct fb_rule *rule, uint8_t *outcomes);

/* outcome.c: all that a candidate, whose action matches, may come to. */
bool fb_rule_outcomes(struct fb_surmise *s, const struct fb_program *program, const struct fb_rule *rule,
                      uint8_t *outcomes);

/* Outcomes of `a && b` from those of a (so far) and of b. */
static inline uint8_t fb_outcomes_and(uint8_t a, uint8_t b)
{
    return (a & FB_CAN_TRUE) != 0 ? (uint8_t)((a & (FB_CAN_FALSE | FB_CAN_ERR)) | b) : a;
}

#ifdef FB_ENGINE_FAULTS
/* In the tests' own build: outcomes of which "true or false" loses one, to see that they notice. */
extern uint8_t fb_surmise_fault;
#endif

#endif
