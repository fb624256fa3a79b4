/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_ENGINE_GENERATE_H
#define FB_TESTS_ENGINE_GENERATE_H

#include "engine/engine.h"

/* Random trees, stores, contexts and policies of a small universe: users U::"0" … in groups, groups
 * G in groups, resources R in resources; attributes, tags and context fields whose names tell their usual
 * types, now and then of another type or absent.  Expressions are mostly well typed, so that they get
 * beyond their first operand. */

#define GENERATE_USERS 4
#define GENERATE_GROUPS 3
#define GENERATE_RESOURCES 3

enum generate_type {
    G_BOOL, G_LONG, G_STRING, G_USER, G_GROUP, G_SET, G_GROUPS, G_RECORD, G_DECIMAL, G_IP, G_TIME, G_SPAN,
    GENERATE_TYPES
};

struct generator {
    struct fb_arena *arena;
    uint64_t state;
};

uint64_t generate_number(struct generator *g);
/* 0 … n - 1. */
uint32_t generate_below(struct generator *g, uint32_t n);
bool generate_chance(struct generator *g, uint32_t percent);

/* While this is set all ids of a type, and all names of attributes, have one hash: fb_hash() is no secret, and its
 * collisions are easily made. */
extern bool generate_alike;
#define GENERATE_ALIKE 129
/* `different`: up to eight bytes. */
struct fb_span generate_alike_text(char text[GENERATE_ALIKE], const char *different);
const struct fb_uid *generate_uid(struct generator *g, const char *type, uint32_t id);
struct fb_value generate_value(struct generator *g, enum generate_type type);
/* The name of the attribute that is usually of that type. */
struct fb_span generate_name(enum generate_type type);
struct fb_value generate_context(struct generator *g);
struct fb_entity_set *generate_store(struct generator *g);

const struct fb_expr *generate_expr(struct generator *g, enum generate_type type, unsigned depth);
/* A policy with a random scope; with `slots`, perhaps a template. */
const struct fb_policy *generate_policy(struct generator *g, bool slots, unsigned depth);
/* Policies, and links of those that are templates. */
struct fb_policy_set *generate_policies(struct generator *g, uint32_t count, bool slots, unsigned depth);

#endif
