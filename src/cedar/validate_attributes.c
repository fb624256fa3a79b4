/* SPDX-License-Identifier: Apache-2.0 */

/* The typechecker: attributes, tags, and what shows that they exist. */

#include "cedar/validate_check.h"

/* --- the words --- */

/* Whose attribute it is. */
static struct fb_span owner_of(struct fb_checker *c, const struct fb_vtype *type, const struct fb_expr *base)
{
    if (type->kind == FB_V_ENTITY) {
        struct fb_span text = fb_report_type(c, type);
        return fb_report_text(c, "entity type `%.*s`", (int)text.len, text.ptr);
    }
    if (base->kind == FB_E_VAR && base->var == FB_CONTEXT) {
        struct fb_span text = fb_report_uid(c, c->action->uid);
        return fb_report_text(c, "context of `%.*s`", (int)text.len, text.ptr);
    }
    return FB_SPAN("record");
}

static void report_optional(struct fb_checker *c, const struct fb_expr *at, const struct fb_expr *base,
                            struct fb_span name, const struct fb_vtype *type)
{
    static const char code[] = "validate.unsafe_optional_attribute";
    if (!fb_report_new(c, code, at->mark))
        return;
    struct fb_span owner = owner_of(c, type, base), text = fb_report_expr(c, base);
    struct fb_diag *diag = fb_report(c, FB_ERROR, code, at->mark,
                                     "the attribute `%.*s` of the %.*s is optional and may be missing here",
                                     (int)name.len, name.ptr, (int)owner.len, owner.ptr);
    bool plain = fb_identifier_valid(name);
    diag->hint = fb_report_text(c, "ask first: `%.*s has %s%.*s%s && …`", (int)text.len, text.ptr, plain ? "" : "\"",
                                (int)name.len, name.ptr, plain ? "" : "\"");
}

static struct fb_span similar_field(const struct fb_vtype *record, struct fb_checker *c, struct fb_span name)
{
    struct fb_span *names = fb_arena_array(c->arena, record->count, sizeof *names);
    for (uint32_t i = 0; names != NULL && i < record->count; i++)
        names[i] = record->fields[i].name;
    return names != NULL ? fb_did_you_mean(name, names, record->count) : FB_SPAN("");
}

static struct fb_span list_fields(struct fb_checker *c, const struct fb_vtype *record)
{
    if (record->count == 0)
        return FB_SPAN("it has no attributes");
    struct fb_span text = fb_report_type(c, record);
    return fb_report_text(c, "it has %.*s", (int)text.len, text.ptr);
}

static void report_unknown(struct fb_checker *c, const struct fb_expr *at, const struct fb_expr *base,
                           struct fb_span name, const struct fb_vtype *type)
{
    static const char code[] = "validate.unknown_attribute";
    if (!fb_report_new(c, code, at->mark))
        return;
    struct fb_span owner = owner_of(c, type, base);
    const struct fb_vtype *shape = fb_vtype_shape(&c->types, type);
    struct fb_diag *diag = fb_report(c, FB_ERROR, code, at->mark, "the %.*s has no attribute `%.*s`", (int)owner.len,
                                     owner.ptr, (int)name.len, name.ptr);
    if (!fb_diag_kept(c->diags, diag))
        return;
    struct fb_span similar = shape != NULL ? similar_field(shape, c, name) : FB_SPAN("");
    if (similar.len != 0)
        diag->hint = fb_report_text(c, "did you mean `%.*s`?", (int)similar.len, similar.ptr);
    else if (shape != NULL)
        diag->hint = list_fields(c, shape);
}

/* --- . and has --- */

static const struct fb_vfield *field_of(struct fb_checker *c, const struct fb_vtype *type, struct fb_span name,
                                        uint64_t hash)
{
    const struct fb_vtype *shape = fb_vtype_shape(&c->types, type);
    return shape != NULL ? fb_vtype_field(shape, name, hash) : NULL;
}

static bool may_have(struct fb_checker *c, const struct fb_vtype *type, struct fb_span name, uint64_t hash)
{
    if (type->kind == FB_V_NEVER || (type->kind == FB_V_RECORD && type->open))
        return true;
    if (type->kind != FB_V_ENTITY)
        return field_of(c, type, name, hash) != NULL;
    for (uint32_t i = 0; i < type->count; i++)
        if (field_of(c, c->types.entities[type->entities[i]].self, name, hash) != NULL)
            return true;
    return false;
}

static bool has_attributes(struct fb_answer answer)
{
    return fb_is_kind(answer, FB_V_ENTITY) || fb_is_kind(answer, FB_V_RECORD) || fb_is_kind(answer, FB_V_NEVER);
}

static struct fb_answer check_owner(struct fb_checker *c, uint32_t node)
{
    struct fb_answer owner = fb_check(c, node);
    if (has_attributes(owner))
        return owner;
    const char *hint = NULL;
    if (fb_is_kind(owner, FB_V_SET))
        hint = "whether a set has an element is asked with `.contains(…)`";
    else if (fb_is_kind(owner, FB_V_STRING))
        hint = "whether a string contains another is asked with `like`";
    return fb_wrong_type(c, owner, node, "an entity or a record", hint);
}

struct fb_answer fb_check_attr(struct fb_checker *c, uint32_t index)
{
    const struct fb_node *node = &c->tree.nodes[index];
    struct fb_answer owner = check_owner(c, node->a);
    if (owner.type == NULL)
        return fb_failed(NULL);
    const struct fb_vfield *field = field_of(c, owner.type, node->expr->text, node->hash);
    if (field == NULL) {
        report_unknown(c, node->expr, node->expr->left, node->expr->text, owner.type);
        return fb_failed(NULL);
    }
    if (field->required || fb_caps_held(c, fb_shape_of(&c->tree, c->arena, index)))
        return fb_after(owner, fb_answer(field->type));
    report_optional(c, node->expr, node->expr->left, node->expr->text, owner.type);
    return fb_failed(field->type);
}

/* `e has name`, where `e` has this type and the capability for e.name is this shape. */
static struct fb_answer has_one(struct fb_checker *c, const struct fb_vtype *type, struct fb_span name, uint64_t hash,
                                uint32_t shape)
{
    const struct fb_vfield *field = field_of(c, type, name, hash);
    if (field == NULL)
        return fb_answer(may_have(c, type, name, hash) ? fb_plain(c, FB_V_BOOL) : fb_truth(c, false));
    /* An entity that the store does not hold has not even what is required. */
    bool sure = fb_caps_held(c, shape) || (field->required && type->kind == FB_V_RECORD);
    return (struct fb_answer){.type = sure ? fb_truth(c, true) : fb_plain(c, FB_V_BOOL),
                              .caps = fb_caps_one(c, shape)};
}

/* The type of `e.name` behind `e has name`, for the next step of a path; unknown after a fault. */
static struct fb_answer step(struct fb_checker *c, const struct fb_expr *at, const struct fb_vtype *type,
                             struct fb_span name, uint64_t hash)
{
    const struct fb_vfield *field = field_of(c, type, name, hash);
    if (field == NULL) {
        report_unknown(c, at, at->left, name, type);
        return fb_failed(NULL);
    }
    struct fb_answer answer = fb_answer(field->type);
    if (has_attributes(answer))
        return answer;
    if (fb_report_new(c, "validate.type", at->range)) {
        struct fb_span text = fb_report_type(c, field->type);
        fb_report(c, FB_ERROR, "validate.type", at->range,
                  "`%.*s` is %.*s, and only entities and records have attributes", (int)name.len, name.ptr,
                  (int)text.len, text.ptr);
    }
    return fb_failed(NULL);
}

/* `e has a.b.c` is `e has a && e.a has b && e.a.b has c`, and is checked from its start on. */
struct fb_answer fb_check_has(struct fb_checker *c, uint32_t index)
{
    const struct fb_node *node = &c->tree.nodes[index];
    const struct fb_expr *expr = node->expr;
    struct fb_answer owner = check_owner(c, node->a);
    if (owner.type == NULL)
        return fb_failed(fb_plain(c, FB_V_BOOL));
    const struct fb_vtype *type = owner.type, *truth = fb_truth(c, true);
    uint32_t shape = fb_shape_of(&c->tree, c->arena, node->a);
    fb_caps caps = 0;
    for (uint32_t i = 0; i < expr->count; i++) {
        uint64_t hash = i == 0 ? node->hash : fb_hash(expr->names[i]);
        shape = fb_shape_attr(&c->tree, c->arena, shape, expr->names[i]);
        struct fb_answer has = has_one(c, type, expr->names[i], hash, shape);
        if (has.type->kind == FB_V_FALSE)
            return fb_after(owner, fb_answer(has.type));
        caps = fb_caps_union(c, caps, has.caps);
        if (has.type->kind == FB_V_BOOL)
            truth = has.type;
        if (i + 1 == expr->count)
            break;
        struct fb_answer next = step(c, expr, type, expr->names[i], hash);
        if (next.type == NULL)
            return fb_failed(fb_plain(c, FB_V_BOOL));
        type = next.type;
    }
    return fb_after(owner, (struct fb_answer){.type = truth, .caps = caps});
}

/* --- tags --- */

/* What the tags of such entities have in common; unknown and failed: none has tags, or nothing. */
static struct fb_answer tags_of(struct fb_checker *c, const struct fb_node *node, const struct fb_vtype *type)
{
    const struct fb_vtype *tags = NULL;
    for (uint32_t i = 0; i < type->count; i++) {
        const struct fb_vtype *next = fb_ventity_tags(&c->types, type->entities[i]), *before = tags;
        if (next == NULL)
            continue;
        tags = tags != NULL ? fb_vtype_join(&c->types, tags, next) : next;
        if (tags == NULL) {
            fb_incompatible(c, node->expr->range, before, next, "the tags of these entities");
            return fb_failed(NULL);
        }
    }
    if (tags != NULL)
        return fb_answer(tags);
    if (fb_report_new(c, "validate.no_tags", node->expr->range)) {
        struct fb_span text = fb_report_type(c, type);
        fb_report(c, FB_ERROR, "validate.no_tags", node->expr->range, "the entity type `%.*s` has no tags",
                  (int)text.len, text.ptr)
            ->hint = FB_SPAN("the schema gives tags by `tags String` behind the entity's attributes");
    }
    return fb_failed(NULL);
}

static bool has_tags(struct fb_checker *c, const struct fb_vtype *type)
{
    for (uint32_t i = 0; i < type->count; i++)
        if (fb_ventity_tags(&c->types, type->entities[i]) != NULL)
            return true;
    return false;
}

static void report_tag(struct fb_checker *c, const struct fb_expr *expr)
{
    static const char code[] = "validate.unsafe_tag";
    if (!fb_report_new(c, code, expr->range))
        return;
    struct fb_span base = fb_report_expr(c, expr->left), key = fb_report_expr(c, expr->right);
    fb_report(c, FB_ERROR, code, expr->range, "the tag may be missing here")->hint =
        fb_report_text(c, "ask first: `%.*s.hasTag(%.*s) && …`", (int)base.len, base.ptr, (int)key.len, key.ptr);
}

static uint32_t tag_shape(struct fb_checker *c, const struct fb_node *node)
{
    return fb_shape_tag(&c->tree, c->arena, fb_shape_of(&c->tree, c->arena, node->a),
                        fb_shape_of(&c->tree, c->arena, node->b));
}

struct fb_answer fb_check_get_tag(struct fb_checker *c, uint32_t index)
{
    const struct fb_node *node = &c->tree.nodes[index];
    struct fb_answer owner = fb_check_entity(c, node->a), key = fb_check_kind(c, node->b, FB_V_STRING);
    if (!fb_is_kind(owner, FB_V_ENTITY))
        return fb_failed(NULL);
    if (fb_caps_held(c, tag_shape(c, node)))
        return fb_after(owner, fb_after(key, tags_of(c, node, owner.type)));
    report_tag(c, node->expr);
    return fb_failed(NULL);
}

struct fb_answer fb_check_has_tag(struct fb_checker *c, uint32_t index)
{
    const struct fb_node *node = &c->tree.nodes[index];
    struct fb_answer owner = fb_check_entity(c, node->a), key = fb_check_kind(c, node->b, FB_V_STRING);
    if (!fb_is_kind(owner, FB_V_ENTITY))
        return fb_failed(NULL);
    uint32_t shape = tag_shape(c, node);
    const struct fb_vtype *type = fb_plain(c, FB_V_BOOL);
    if (!has_tags(c, owner.type))
        type = fb_truth(c, false);
    else if (fb_caps_held(c, shape))
        type = fb_truth(c, true);
    return fb_after(owner, fb_after(key, (struct fb_answer){.type = type, .caps = fb_caps_one(c, shape)}));
}
