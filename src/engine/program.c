/* SPDX-License-Identifier: Apache-2.0 */
/* A policy set becomes a program: a row for each static policy and each link, over forms that hold what is
 * compiled.  Conditions are split into conjuncts: `when { a && b }` gives a and b; `unless { a || b }` gives
 * !a and !b, which is true, false and in error exactly where !(a || b) is.  So the clauses of an explanation are the
 * very things that a decision evaluates. */

#include "engine/program.h"

#include <assert.h>

const char *const fb_clause_codes[FB_CLAUSE_CLASSES] = {
#define FB_CLAUSE(symbol, code) code,
#include "engine/clauses.def"
#undef FB_CLAUSE
};

struct builder {
    struct fb_program *program;
    struct fb_compiler compiler;
    struct fb_map alike;            /* what static policies without conditions have in common → uint32_t *, a form */
    struct fb_buffer likeness;      /* scratch of that */
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
    struct fb_conjunct *conjuncts = fb_arena_grow_alone(program->arena, program->conjuncts, program->conjuncts_count,
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

/* --- Forms ------------------------------------------------------------------------------------- */

static bool compile_conditions(struct builder *b, const struct fb_policy *policy, struct fb_form *form)
{
    b->compiler.source = policy->source;
    form->conjuncts = (uint32_t)b->program->conjuncts_count;
    for (uint32_t i = 0; i < policy->conditions_count; i++)
        if (!add_conjuncts(b, policy->conditions[i].body, policy->conditions[i].unless, 0))
            return false;
    form->conjuncts_count = (uint32_t)b->program->conjuncts_count - form->conjuncts;
    return true;
}

static void read_scope(struct fb_form *form, int side, const struct fb_scope *scope)
{
    enum fb_scope_op op = scope->op;
    form->op[side] = (uint8_t)op;
    if (op == FB_SCOPE_EQ || op == FB_SCOPE_IN || op == FB_SCOPE_IS_IN)
        form->asks |= FB_ASKS_NAMES;
    if (op != FB_SCOPE_IS && op != FB_SCOPE_IS_IN)
        return;
    form->asks |= side == FB_SIDE_PRINCIPAL ? FB_ASKS_PRINCIPAL_TYPE : FB_ASKS_RESOURCE_TYPE;
    form->type[side] = fb_hash(scope->type);
    form->type_name[side] = scope->type.ptr;
    /* No uid's type is longer than a limit far below, so one that is matches none. */
    form->type_len[side] = (uint16_t)(scope->type.len < UINT16_MAX ? scope->type.len : UINT16_MAX);
}

static bool add_form(struct builder *b, const struct fb_policy *policy, uint32_t *number)
{
    struct fb_program *program = b->program;
    struct fb_form *forms = fb_arena_grow_alone(program->arena, program->forms, program->forms_count,
                                                &program->forms_capacity, sizeof *forms);
    if (forms == NULL || program->forms_count >= FB_ROW_FREE)
        return false;
    program->forms = forms;
    const struct fb_scope *scopes[2] = {&policy->principal, &policy->resource};
    struct fb_form form = {.policy = policy, .effect = (uint8_t)policy->effect};
    for (int side = 0; side < 2; side++)
        read_scope(&form, side, scopes[side]);
    if (!compile_conditions(b, policy, &form))
        return false;
    *number = (uint32_t)program->forms_count;
    forms[program->forms_count++] = form;
    return true;
}

/* A number as a value of a map. */
static uint32_t *keep_number(struct builder *b, uint32_t number)
{
    uint32_t *kept = fb_arena_alloc(b->program->arena, sizeof *kept);
    if (kept != NULL)
        *kept = number;
    return kept;
}

/* --- Static policies --------------------------------------------------------------------------- */

/* Lengths stand before texts, so that no two likenesses run into each other. */
static void describe(struct fb_buffer *out, struct fb_span text)
{
    fb_buffer_add(out, fb_span((const char *)&text.len, sizeof text.len));
    fb_buffer_add(out, text);
}

static void describe_action(struct fb_buffer *out, const struct fb_uid *uid)
{
    describe(out, fb_uid_type(uid));
    describe(out, fb_uid_id(uid));
}

/* All that decides but the entities of principal and resource. */
static struct fb_span likeness(struct builder *b, const struct fb_policy *policy)
{
    struct fb_buffer *out = &b->likeness;
    const struct fb_scope *action = &policy->action;
    const char ops[4] = {(char)policy->effect, (char)policy->principal.op, (char)action->op, (char)policy->resource.op};
    fb_buffer_clear(out);
    fb_buffer_add(out, fb_span(ops, sizeof ops));
    describe(out, policy->principal.type);
    describe(out, policy->resource.type);
    if (action->op == FB_SCOPE_EQ || action->op == FB_SCOPE_IN)
        describe_action(out, action->uid);
    for (uint32_t i = 0; action->op == FB_SCOPE_IN_LIST && i < action->count; i++)
        describe_action(out, action->list[i]);
    return out->failed ? fb_span(NULL, 0) : fb_buffer_span(out);
}

/* The form of a static policy; a new one unless there are no conditions and another is like it. */
static bool form_of(struct builder *b, const struct fb_policy *policy, uint32_t *form)
{
    if (policy->conditions_count != 0)
        return add_form(b, policy, form);
    struct fb_span key = likeness(b, policy);
    if (key.len == 0)
        return false;
    const uint32_t *known = fb_map_get(&b->alike, key);
    if (known != NULL) {
        *form = *known;
        return true;
    }
    key = fb_arena_copy(b->program->arena, key);
    uint32_t *kept = add_form(b, policy, form) ? keep_number(b, *form) : NULL;
    return key.len != 0 && kept != NULL && fb_map_put(&b->alike, key, kept);
}

struct fb_named fb_form_named(const struct fb_form *form, enum fb_side side, const struct fb_uid *value)
{
    const struct fb_scope *scope = side == FB_SIDE_PRINCIPAL ? &form->policy->principal : &form->policy->resource;
    switch ((unsigned)form->op[side]) {
    case FB_SCOPE_EQ:
        return (struct fb_named){.uid = value};
    case FB_SCOPE_IN: case FB_SCOPE_IS_IN:
        return (struct fb_named){.uid = value, .member = true};
    case FB_SCOPE_IS:
        return (struct fb_named){.type = scope->type};
    default:
        return (struct fb_named){.uid = NULL};
    }
}

static bool add_row(struct builder *b, struct fb_rows *rows, uint32_t form, const struct fb_uid *principal,
                    const struct fb_uid *resource, const void *origin)
{
    const struct fb_named names[2] = {fb_form_named(&b->program->forms[form], FB_SIDE_PRINCIPAL, principal),
                                      fb_form_named(&b->program->forms[form], FB_SIDE_RESOURCE, resource)};
    uint32_t number;
    bool shared = rows != &b->program->statics || b->program->forms[form].conjuncts_count == 0;
    return fb_rows_add(rows, form, shared, names, fb_span(NULL, 0), origin, &number);
}

/* --- Templates and links ----------------------------------------------------------------------- */

static struct fb_span address_of(const uintptr_t *address)
{
    return fb_span((const char *)address, sizeof *address);
}

uint32_t fb_program_template(const struct fb_program *program, const struct fb_policy *template_)
{
    const uintptr_t address = (uintptr_t)template_;
    const uint32_t *form = fb_map_get(&program->templates, address_of(&address));
    return form != NULL ? *form : UINT32_MAX;
}

static bool add_template(struct builder *b, const struct fb_policy *policy)
{
    uintptr_t *address = fb_arena_alloc(b->program->arena, sizeof *address);
    uint32_t form, *kept = add_form(b, policy, &form) ? keep_number(b, form) : NULL;
    if (address == NULL || kept == NULL)
        return false;
    *address = (uintptr_t)policy;
    return fb_map_put(&b->program->templates, address_of(address), kept);
}

static bool add_rules(struct builder *b, const struct fb_policy_set *set)
{
    struct fb_program *program = b->program;
    for (size_t i = 0; i < set->count; i++) {
        const struct fb_policy *policy = set->policies[i];
        uint32_t form;
        if (policy->is_template ? !add_template(b, policy)
                                : !form_of(b, policy, &form)
                                      || !add_row(b, &program->statics, form, policy->principal.uid,
                                                  policy->resource.uid, policy))
            return false;
    }
    for (size_t i = 0; i < set->links_count; i++) {
        const struct fb_link *link = set->links[i];
        const struct fb_policy *policy = link->template_;
        uint32_t form = fb_program_template(program, policy);
        if (form == UINT32_MAX
            || !add_row(b, &program->own_links, form, policy->principal.slot ? link->principal : policy->principal.uid,
                        policy->resource.slot ? link->resource : policy->resource.uid, link))
            return false;
    }
    return true;
}

/* --- Programs ---------------------------------------------------------------------------------- */

struct fb_program *fb_program_new(struct fb_arena *arena, const struct fb_policy_set *set, struct fb_diags *diags)
{
    struct fb_program *program = fb_arena_alloc(arena, sizeof *program);
    const struct fb_allocator memory = fb_arena_allocator(arena);
    if (program == NULL || set->count + set->links_count >= UINT32_MAX / 2
        || !fb_rows_init(&program->statics, &memory, false) || !fb_rows_init(&program->own_links, &memory, false))
        return NULL;
    program->arena = arena;
    program->set = set;
    program->links = &program->own_links;
    fb_map_init(&program->templates, arena);
    struct builder b = {.program = program, .compiler = {.arena = arena, .code = &program->code, .diags = diags}};
    fb_map_init(&b.alike, arena);
    fb_buffer_init(&b.likeness, &memory, SIZE_MAX / 4);
    return add_rules(&b, set) && fb_index_build(program) ? program : NULL;
}

size_t fb_program_count(const struct fb_program *program)
{
    return (size_t)program->statics.count + program->links->count;
}

const struct fb_policy *fb_program_policy(const struct fb_program *program, uint32_t index)
{
    const struct fb_row *row = fb_program_row(program, index);
    if (index < program->statics.count)
        return row->origin;
    return row->form != FB_ROW_FREE ? program->forms[row->form].policy : NULL;
}

struct fb_span fb_program_id(const struct fb_program *program, uint32_t index)
{
    const struct fb_row *row = fb_program_row(program, index);
    if (index < program->statics.count)
        return ((const struct fb_policy *)row->origin)->id;
    if (row->form == FB_ROW_FREE)
        return fb_span(NULL, 0);
    if (!program->links->ids)
        return ((const struct fb_link *)row->origin)->id;
    const struct fb_row_id *id = row->origin;
    return fb_span(id->bytes, id->len);
}

/* The type that a side lets through, if it is one alone: others need no look. */
static bool one_type(const struct fb_form *form, enum fb_side side, const struct fb_uid *uid, uint64_t *type)
{
    uint8_t op = form->op[side];
    assert(op != FB_SCOPE_EQ || uid != NULL);
    *type = op == FB_SCOPE_EQ ? uid->type_hash : form->type[side];
    return op == FB_SCOPE_EQ || op == FB_SCOPE_IS || op == FB_SCOPE_IS_IN;
}

static const struct fb_uid *bound(const struct fb_rows *rows, uint32_t at)
{
    const struct fb_key *key = fb_key_at(rows, at);
    return fb_key_is_type(key) ? NULL : key->uid;
}

struct fb_rule fb_rule_of(const struct fb_program *program, uint32_t number)
{
    const struct fb_rows *rows = number < program->statics.count ? &program->statics : program->links;
    const struct fb_row *row = fb_program_row(program, number);
    const struct fb_form *form = &program->forms[row->form];
    struct fb_rule rule = {
        .policy = number < program->statics.count ? row->origin : (const void *)form->policy,
        .effect = form->effect, .conjuncts = form->conjuncts, .conjuncts_count = form->conjuncts_count,
        .principal_op = form->op[0], .resource_op = form->op[1],
        .principal = bound(rows, row->key[0]), .resource = bound(rows, row->key[1]),
    };
    rule.principal_typed = one_type(form, FB_SIDE_PRINCIPAL, rule.principal, &rule.principal_type);
    rule.resource_typed = one_type(form, FB_SIDE_RESOURCE, rule.resource, &rule.resource_type);
    return rule;
}

struct fb_program_size fb_program_size(const struct fb_program *program)
{
    const struct fb_code *code = &program->code;
    return (struct fb_program_size){
        .code = code->nodes_capacity * sizeof *code->nodes + code->ranges_capacity * sizeof *code->ranges
                + code->lists_capacity * sizeof *code->lists + code->names_capacity * sizeof *code->names
                + program->conjuncts_capacity * sizeof *program->conjuncts
                + program->forms_capacity * sizeof *program->forms,
        .statics = program->statics.bytes + fb_index_size(&program->index)
                   + (program->statics.followers != 0 ? fb_index_size(&program->firsts) : 0),
        .links = program->links->bytes,
        .forms = program->forms_count,
    };
}
