/* SPDX-License-Identifier: Apache-2.0 */

/* A schema's actions: what they apply to, their groups, and the cycles of groups. */

#include "cedar/schema_resolve.h"

/* The action that a name in `in` means: of the namespace first, then outside of all. */
struct fb_declared_action *fb_resolve_action_ref(struct fb_resolver *r, const struct fb_tree_namespace *space,
                                                 const struct fb_tree_action_ref *ref, const struct fb_uid **uid)
{
    bool plain = ref->type.len == 0 || fb_span_is(ref->type, "Action");
    struct fb_span types[2] = {plain ? fb_full_name(r, space, FB_SPAN("Action")) : ref->type, FB_SPAN("Action")};
    for (int i = 0; i < (plain ? 2 : 1); i++) {
        *uid = ref->id.len <= FB_UID_ID_MAX && types[i].len <= FB_UID_TYPE_MAX ? fb_uid_new(r->arena, types[i], ref->id)
                                                                               : NULL;
        struct fb_declared_action *action = *uid != NULL ? fb_map_get(&r->actions, fb_uid_key(*uid)) : NULL;
        if (action != NULL)
            return action;
    }
    return NULL;
}

static void report_unknown(struct fb_resolver *r, const struct fb_tree_action_ref *ref)
{
    struct fb_diag *diag = fb_resolve_fault(r, FB_ERROR, ref->range, "schema.unknown_action",
                                            "there is no action `%.*s`", (int)ref->id.len, ref->id.ptr);
    struct fb_span *ids = fb_diag_kept(r->diags, diag) ? fb_arena_array(r->arena, r->action_count, sizeof *ids) : NULL;
    if (ids == NULL)
        return;
    for (size_t i = 0; i < r->action_count; i++)
        ids[i] = fb_uid_id(r->action_list[i]->action->uid);
    struct fb_span near = fb_did_you_mean(ref->id, ids, r->action_count);
    if (near.len != 0 && !fb_span_eq(near, ref->id))
        diag->hint = fb_arena_format(r->diags->arena, "did you mean `%.*s`?", (int)near.len, near.ptr);
    else if (ref->type.len != 0 && !fb_is_action_type(ref->type))
        diag->hint = FB_SPAN("the type of actions is `Action`, with their namespace in front");
}

static void resolve_parents(struct fb_resolver *r, struct fb_declared_action *declared)
{
    const struct fb_tree_action *tree = declared->tree;
    const struct fb_uid **uids = fb_arena_array(r->arena, tree->parents_count, sizeof(const struct fb_uid *));
    struct fb_declared_action **parents = fb_arena_array(r->arena, tree->parents_count, sizeof *parents);
    struct fb_range *ranges = fb_arena_array(r->arena, tree->parents_count, sizeof *ranges);
    if (uids == NULL || parents == NULL || ranges == NULL)
        return;
    uint32_t count = 0;
    for (size_t i = 0; i < tree->parents_count; i++) {
        parents[count] = fb_resolve_action_ref(r, declared->space, &tree->parents[i], &uids[count]);
        ranges[count] = tree->parents[i].range;
        if (parents[count] != NULL)
            count++;
        else
            report_unknown(r, &tree->parents[i]);
    }
    declared->parents = parents;
    declared->parent_ranges = ranges;
    declared->action->parents = uids;
    declared->action->parents_count = count;
}

static const struct fb_entity_type **resolve_applies(struct fb_resolver *r, const struct fb_declared_action *declared,
                                                     const struct fb_tree_names *names, uint32_t *count)
{
    const struct fb_entity_type **list = fb_arena_array(r->arena, names->count, sizeof(const struct fb_entity_type *));
    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < names->count; i++) {
        const struct fb_declared_entity *entity = fb_resolve_entity(r, declared->space, &names->list[i]);
        if (entity != NULL)
            list[(*count)++] = entity->type;
    }
    return list;
}

static void resolve_context(struct fb_resolver *r, struct fb_declared_action *declared)
{
    const struct fb_tree_type *tree = declared->tree->context;
    declared->action->context = fb_empty_record();
    const struct fb_type *type = tree != NULL ? fb_resolve_type(r, declared->space, tree) : NULL;
    if (type == NULL)
        return;
    if (type->kind == FB_T_RECORD)
        declared->action->context = type;
    else
        fb_resolve_fault(r, FB_ERROR, tree->range, "schema.context",
                         "the context of an action is a record; this is none");
}

/* `action a, b …`: b shares what a has got. */
static void resolve_action(struct fb_resolver *r, struct fb_declared_action *declared,
                           const struct fb_declared_action *before)
{
    struct fb_schema_action *action = declared->action;
    if (before != NULL && before->tree == declared->tree) {
        const struct fb_schema_action *same = before->action;
        declared->parents = before->parents;
        declared->parent_ranges = before->parent_ranges;
        action->parents = same->parents;
        action->parents_count = same->parents_count;
        action->principals = same->principals;
        action->principals_count = same->principals_count;
        action->resources = same->resources;
        action->resources_count = same->resources_count;
        action->context = same->context;
        return;
    }
    resolve_parents(r, declared);
    action->principals = resolve_applies(r, declared, &declared->tree->principals, &action->principals_count);
    action->resources = resolve_applies(r, declared, &declared->tree->resources, &action->resources_count);
    resolve_context(r, declared);
}

/* --- cycles --- */

/* The path from `first` up the stack: `a` in `b` in … in `a`. */
static void report_cycle(struct fb_resolver *r, struct fb_declared_action *const *path, size_t count,
                         struct fb_range range)
{
    const size_t shown = count < 8 ? count : 8;
    struct fb_span text = FB_SPAN("");
    for (size_t i = 0; i < shown; i++) {
        struct fb_span id = fb_uid_id(path[i]->action->uid);
        text = fb_arena_format(r->diags->arena, "%.*s`%.*s` in ", (int)text.len, text.ptr != NULL ? text.ptr : "",
                               (int)id.len, id.ptr);
    }
    struct fb_span first = fb_uid_id(path[0]->action->uid);
    struct fb_diag *diag = fb_resolve_fault(r, FB_ERROR, range, "schema.action_cycle",
                                            "action groups form a cycle: %.*s%s`%.*s`", (int)text.len,
                                            text.ptr != NULL ? text.ptr : "", count > shown ? "… in " : "",
                                            (int)first.len, first.ptr);
    fb_resolve_other(r, diag, path[0]->action->range, "the cycle begins here");
}

/* Depth first, with a stack of its own: groups may be nested deeper than the machine's stack. */
static void search_cycles(struct fb_resolver *r, struct fb_declared_action **stack, struct fb_declared_action *root)
{
    size_t depth = 0;
    stack[depth++] = root;
    root->state = FB_ACTION_OPEN;
    while (depth > 0) {
        struct fb_declared_action *at = stack[depth - 1];
        if (at->next_parent == at->action->parents_count) {
            at->state = FB_ACTION_DONE;
            depth--;
            continue;
        }
        uint32_t i = at->next_parent++;
        struct fb_declared_action *parent = at->parents[i];
        if (parent->state == FB_ACTION_NEW) {
            parent->state = FB_ACTION_OPEN;
            stack[depth++] = parent;
        } else if (parent->state == FB_ACTION_OPEN) {
            size_t from = depth - 1;
            while (stack[from] != parent)
                from--;
            report_cycle(r, stack + from, depth - from, at->parent_ranges[i]);
        }
    }
}

void fb_resolve_actions(struct fb_resolver *r)
{
    for (size_t i = 0; i < r->action_count; i++)
        resolve_action(r, r->action_list[i], i > 0 ? r->action_list[i - 1] : NULL);
    if (r->extent != FB_RESOLVE_ALL)
        return;
    struct fb_declared_action **stack = fb_arena_array(r->arena, r->action_count, sizeof *stack);
    if (stack == NULL || r->arena->failed)
        return;
    for (size_t i = 0; i < r->action_count; i++)
        if (r->action_list[i]->state == FB_ACTION_NEW)
            search_cycles(r, stack, r->action_list[i]);
}
