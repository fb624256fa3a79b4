/* SPDX-License-Identifier: Apache-2.0 */
/* A policy set becomes a program: one rule a static policy and one a link, their conditions split
 * into conjuncts.  `when { a && b }` gives a and b; `unless { a || b }` gives !a and !b, which is
 * true, false and in error exactly where !(a || b) is.  So the clauses of an explanation are the
 * very things that a decision evaluates. */

#include "engine/program.h"

const char *const fb_clause_codes[FB_CLAUSE_CLASSES] = {
#define FB_CLAUSE(symbol, code) code,
#include "engine/clauses.def"
#undef FB_CLAUSE
};

struct builder {
    struct fb_program *program;
    struct fb_compiler compiler;
    struct fb_map templates;        /* struct fb_policy * (its bytes) → struct fb_rule * */
};

/* --- Conditions -------------------------------------------------------------------------------- */

static bool add_conjunct(struct builder *b, const struct fb_expr *expr, bool unless)
{
    struct fb_program *program = b->program;
    struct fb_conjunct made = {
        .part = unless ? FB_PART_UNLESS : FB_PART_WHEN,
        .about = (uint8_t)fb_classify(expr),
        .range = expr->range,
    };
    if (!fb_compile(&b->compiler, expr, &made.node)
        || (unless && !fb_compile_not(&b->compiler, made.node, expr->range, &made.node)))
        return false;
    struct fb_conjunct *conjuncts = fb_arena_grow(program->arena, program->conjuncts, program->conjuncts_count,
                                                  &program->conjuncts_capacity, sizeof *conjuncts);
    if (conjuncts == NULL || program->conjuncts_count >= UINT32_MAX)
        return false;
    program->conjuncts = conjuncts;
    conjuncts[program->conjuncts_count++] = made;
    return true;
}

/* Splits at the top operator.  The left spine may be long, so its operands are listed first. */
static bool add_conjuncts(struct builder *b, const struct fb_expr *expr, bool unless, unsigned depth)
{
    enum fb_expr_kind splits = unless ? FB_E_OR : FB_E_AND;
    if (expr->kind != splits || depth >= FB_NODE_DEPTH)
        return add_conjunct(b, expr, unless);
    size_t count = 1;
    const struct fb_expr *at;
    for (at = expr; at->kind == splits; at = at->left)
        count++;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    const struct fb_expr **operands = fb_arena_array(b->program->arena, count, sizeof *operands);
    if (operands == NULL)
        return false;
    size_t i = count;
    for (at = expr; at->kind == splits; at = at->left)
        operands[--i] = at->right;
    operands[0] = at;
    for (i = 0; i < count; i++)
        if (!add_conjuncts(b, operands[i], unless, depth + 1))
            return false;
    return true;
}

/* --- Rules ------------------------------------------------------------------------------------- */

/* The one type that a scope lets through, if there is one: principals of others need no look. */
static void set_type(const struct fb_scope *scope, const struct fb_uid *bound, bool *typed, uint64_t *type)
{
    *typed = false;
    *type = 0;
    if (scope->op == FB_SCOPE_IS || scope->op == FB_SCOPE_IS_IN) {
        *typed = true;
        *type = fb_hash(scope->type);
    } else if (scope->op == FB_SCOPE_EQ) {
        *typed = true;
        *type = bound->type_hash;
    }
}

/* Everything of a rule but its conjuncts. */
static void bind(struct fb_rule *rule, const struct fb_policy *policy, const struct fb_link *link)
{
    const struct fb_scope *principal = &policy->principal, *resource = &policy->resource;
    rule->policy = policy;
    rule->link = link;
    rule->effect = (uint8_t)policy->effect;
    rule->principal_op = (uint8_t)principal->op;
    rule->resource_op = (uint8_t)resource->op;
    rule->principal = principal->slot && link != NULL ? link->principal : principal->uid;
    rule->resource = resource->slot && link != NULL ? link->resource : resource->uid;
    set_type(principal, rule->principal, &rule->principal_typed, &rule->principal_type);
    set_type(resource, rule->resource, &rule->resource_typed, &rule->resource_type);
}

static bool compile_conditions(struct builder *b, const struct fb_policy *policy, struct fb_rule *rule)
{
    b->compiler.source = policy->source;
    rule->conjuncts = (uint32_t)b->program->conjuncts_count;
    for (uint32_t i = 0; i < policy->conditions_count; i++)
        if (!add_conjuncts(b, policy->conditions[i].body, policy->conditions[i].unless, 0))
            return false;
    rule->conjuncts_count = (uint32_t)b->program->conjuncts_count - rule->conjuncts;
    return true;
}

/* A link's rule: the conjuncts of its template, compiled when its first link is met.  The key is the
 * template's address, byte by byte. */
static bool add_link(struct builder *b, const struct fb_link *link, struct fb_rule *rule)
{
    uintptr_t address = (uintptr_t)link->template_;
    struct fb_span key = fb_span((const char *)&address, sizeof address);
    const struct fb_rule *first = fb_map_get(&b->templates, key);
    bind(rule, link->template_, link);
    if (first != NULL) {
        rule->conjuncts = first->conjuncts;
        rule->conjuncts_count = first->conjuncts_count;
        return true;
    }
    key = fb_arena_copy(b->program->arena, key);
    return key.len != 0 && compile_conditions(b, link->template_, rule) && fb_map_put(&b->templates, key, rule);
}

static bool add_rules(struct builder *b, const struct fb_policy_set *set)
{
    struct fb_program *program = b->program;
    for (size_t i = 0; i < set->count; i++) {
        const struct fb_policy *policy = set->policies[i];
        if (policy->is_template)
            continue;
        struct fb_rule *rule = &program->rules[program->rules_count++];
        bind(rule, policy, NULL);
        if (!compile_conditions(b, policy, rule))
            return false;
    }
    for (size_t i = 0; i < set->links_count; i++)
        if (!add_link(b, set->links[i], &program->rules[program->rules_count++]))
            return false;
    return true;
}

struct fb_program *fb_program_new(struct fb_arena *arena, const struct fb_policy_set *set, struct fb_diags *diags)
{
    struct fb_program *program = fb_arena_alloc(arena, sizeof *program);
    if (program == NULL || set->count + set->links_count >= UINT32_MAX)
        return NULL;
    program->arena = arena;
    program->rules = fb_arena_array(arena, set->count + set->links_count, sizeof *program->rules);
    struct builder b = {.program = program, .compiler = {.arena = arena, .code = &program->code, .diags = diags}};
    fb_map_init(&b.templates, arena);
    if (program->rules == NULL || !add_rules(&b, set) || !fb_index_build(program))
        return NULL;
    return program;
}

size_t fb_program_count(const struct fb_program *program)
{
    return program->rules_count;
}

const struct fb_policy *fb_program_policy(const struct fb_program *program, uint32_t index)
{
    return program->rules[index].policy;
}

struct fb_span fb_program_id(const struct fb_program *program, uint32_t index)
{
    const struct fb_rule *rule = &program->rules[index];
    return rule->link != NULL ? rule->link->id : rule->policy->id;
}
