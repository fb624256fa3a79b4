/* SPDX-License-Identifier: Apache-2.0 */
/* Actions as HTTP sees them, without their routes: `@anonymous`, `@accounts`, `@disclose`.  Routes
 * are routes.c's, contexts plan.c's. */
#include "request/action.h"

struct fb_annotated fb_action_annotated(const struct fb_schema_action *action, const char *key, struct fb_diags *diags)
{
    return (struct fb_annotated){
        .annotation = fb_annotation_find(action->annotations, action->annotations_count, key),
        .source = action->source,
        .diags = diags,
    };
}

/* --- @anonymous -------------------------------------------------------------------------------------- */

static const struct fb_annotation *anonymous_mark(const struct fb_entity_type *type)
{
    return fb_annotation_find(type->annotations, type->annotations_count, "anonymous");
}

/* A client without credentials is one principal, so the type must have exactly one. */
static void check_anonymous(const struct fb_schema *schema, struct fb_diags *diags)
{
    for (uint32_t i = 0; i < schema->types_count; i++) {
        const struct fb_entity_type *type = schema->types[i];
        const struct fb_annotation *mark = anonymous_mark(type);
        if (mark == NULL || type->enum_count == 1)
            continue;
        struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "anonymous.type", type->source, mark->key_range,
                                           "@anonymous needs an enum entity type with one id, which %.*s is not",
                                           (int)type->name.len, type->name.ptr);
        diag->hint = FB_SPAN("for instance @anonymous entity Guest enum [\"guest\"];");
    }
}

static bool set_anonymous(struct fb_action *action, struct fb_arena *arena, struct fb_diags *diags)
{
    const struct fb_schema_action *declared = action->declared;
    const struct fb_entity_type *found = NULL;
    for (uint32_t i = 0; i < declared->principals_count; i++) {
        const struct fb_entity_type *type = declared->principals[i];
        if (anonymous_mark(type) == NULL || type->enum_count != 1)
            continue;
        if (found == NULL) {
            found = type;
            continue;
        }
        struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "anonymous.two", declared->source, declared->range,
                                           "this action accepts two @anonymous types, %.*s and %.*s",
                                           (int)found->name.len, found->name.ptr, (int)type->name.len, type->name.ptr);
        diag->hint = FB_SPAN("a client without credentials can only be one of them");
    }
    if (found == NULL)
        return true;
    action->anonymous = fb_uid_new(arena, found->name, found->enum_ids[0]);
    action->anonymous_only = declared->principals_count == 1;
    return action->anonymous != NULL;
}

/* --- @accounts, @disclose ------------------------------------------------------------------------- */

static void read_accounts(struct fb_action *action, struct fb_diags *diags)
{
    static const struct fb_span words[] = {{9, "suspended"}, {8, "disabled"}};
    struct fb_annotated at = fb_action_annotated(action->declared, "accounts", diags);
    if (at.annotation == NULL || at.annotation->value.len == 0)
        return;
    struct fb_span rest = at.annotation->value, piece;
    for (bool begun = false; fb_next_piece(&rest, &begun, &piece);) {
        int which = fb_annotated_word(&at, piece, words, 2);
        if (which >= 0)
            action->accounts |= (uint8_t)(FB_OPEN_SUSPENDED << which);
    }
}

static void read_disclose(struct fb_action *action, struct fb_diags *diags)
{
    static const struct fb_span words[] = {{4, "none"}, {6, "reason"}, {6, "detail"}, {6, "policy"}};
    struct fb_annotated at = fb_action_annotated(action->declared, "disclose", diags);
    if (at.annotation == NULL || at.annotation->value.len == 0)
        return;
    int which = fb_annotated_word(&at, at.annotation->value, words, 4);
    if (which >= 0)
        action->disclose = words[which];
}

/* Most actions have one of a few contexts.  One plan for each of these stays in the processor's caches,
 * where a thousand would not. */
#define SHARED_PLANS_MAX 64u
struct shared_plans {
    const struct fb_context_plan *list[SHARED_PLANS_MAX];
    size_t count;
};

static const struct fb_context_plan *share(struct shared_plans *shared, const struct fb_context_plan *plan)
{
    for (size_t i = 0; plan != NULL && i < shared->count; i++)
        if (fb_context_plan_eq(shared->list[i], plan))
            return shared->list[i];
    if (plan != NULL && shared->count < SHARED_PLANS_MAX)
        shared->list[shared->count++] = plan;
    return plan;
}

struct fb_action *fb_actions_read(struct fb_arena *arena, const struct fb_schema *schema, struct fb_diags *diags)
{
    check_anonymous(schema, diags);
    struct fb_action *actions = fb_arena_array(arena, schema->actions_count, sizeof *actions);
    if (actions == NULL)
        return NULL;
    struct shared_plans shared = {.count = 0};
    for (uint32_t i = 0; i < schema->actions_count; i++) {
        actions[i].declared = schema->actions[i];
        actions[i].uid = schema->actions[i]->uid;
        actions[i].principals = (const struct fb_entity_type *const *)schema->actions[i]->principals;
        actions[i].principals_count = schema->actions[i]->principals_count;
        actions[i].index = i;
        read_accounts(&actions[i], diags);
        read_disclose(&actions[i], diags);
        if (!set_anonymous(&actions[i], arena, diags))
            return NULL;
        actions[i].plan = share(&shared, fb_context_plan_new(arena, schema->actions[i], &actions[i].wants, diags));
    }
    fb_conceal_read(actions, schema->actions_count, arena, diags);
    return actions;
}
