/* SPDX-License-Identifier: Apache-2.0 */
/* `@conceal("viewUser")` on an action: who may not do the action that it names on a resource must not learn that
 * the resource exists (DESIGN §2, "Existence").  Read once all actions are, since it names one of them; by its
 * id in the same namespace, or as a whole uid, `Other::Action::"view"`.
 *
 * A promise that cannot be kept is not loaded: where a resource type requires no attributes its existence is the
 * upstream's, which answers as it likes.  What a secret action answers is src/guard/secret.c's. */
#include "request/action.h"

static const struct fb_action *find(struct fb_action *actions, uint32_t count, const struct fb_uid *uid)
{
    for (uint32_t i = 0; uid != NULL && i < count; i++)
        if (fb_uid_eq(actions[i].uid, uid))
            return &actions[i];
    return NULL;
}

static void report_unknown(const struct fb_annotated *at, const struct fb_action *actions, uint32_t count)
{
    struct fb_span name = at->annotation->value;
    struct fb_diag *diag = fb_annotated_fault(at, name, "conceal.action", "the schema has no action \"%.*s\"", (int)name.len,
                                              name.ptr);
    diag->hint = FB_SPAN("name the action that those may do who may know: its id, as in @conceal(\"viewUser\")");
    struct fb_span *names = fb_diag_kept(at->diags, diag) ? fb_arena_array(at->diags->arena, count + (size_t)1, sizeof *names) : NULL;
    if (names == NULL)
        return;
    for (uint32_t i = 0; i < count; i++)
        names[i] = fb_uid_id(actions[i].uid);
    struct fb_span meant = fb_did_you_mean(name, names, count);
    if (meant.len != 0)
        fb_diag_hint(at->diags, diag, "did you mean \"%.*s\"?", (int)meant.len, meant.ptr);
}

static bool accepts(const struct fb_action *action, const struct fb_entity_type *type)
{
    for (uint32_t i = 0; i < action->declared->resources_count; i++)
        if (action->declared->resources[i] == type)
            return true;
    return false;
}

static void check_type(const struct fb_annotated *at, const struct fb_action *viewing, const struct fb_entity_type *type)
{
    struct fb_span value = at->annotation->value;
    if (!accepts(viewing, type)) {
        struct fb_diag *diag = fb_annotated_fault(at, value, "conceal.resource", "\"%.*s\" is not about %.*s, which this action is about",
                                                  (int)value.len, value.ptr, (int)type->name.len, type->name.ptr);
        diag->other = viewing->declared->source;
        diag->other_range = viewing->declared->range;
        diag->other_message = FB_SPAN("that action is here");
        diag->hint = FB_SPAN("name an action with the same resource type in `appliesTo`");
    }
    if (!type->requires_attributes) {
        struct fb_diag *diag = fb_annotated_fault(at, value, "conceal.existence", "whether some %.*s exists is known to the upstream alone, so it "
                                                  "cannot be concealed here", (int)type->name.len, type->name.ptr);
        diag->other = type->source;
        diag->other_range = type->range;
        diag->other_message = FB_SPAN("the type requires no attributes");
        diag->hint = FB_SPAN("give the type a required attribute, and its entities to the store or entities.json; or drop @conceal");
    }
}

static void read_conceal(struct fb_action *actions, uint32_t count, struct fb_action *action, struct fb_arena *arena,
                         struct fb_diags *diags)
{
    struct fb_annotated at = fb_action_annotated(action->declared, "conceal", diags);
    if (at.annotation == NULL || at.annotation->value.len == 0)
        return;
    struct fb_span value = at.annotation->value;
    const struct fb_action *viewing = find(actions, count, fb_uid_new(arena, fb_uid_type(action->uid), value));
    if (viewing == NULL)
        viewing = find(actions, count, fb_uid_parse(arena, value));
    if (viewing == NULL) {
        report_unknown(&at, actions, count);
        return;
    }
    if (action->declared->resources_count == 0)
        fb_annotated_fault(&at, value, "conceal.resource", "this action is about no resource, so it conceals nothing")->hint =
            FB_SPAN("a group does not hand it down: write @conceal on each action that is to be secret");
    for (uint32_t i = 0; i < action->declared->resources_count; i++)
        check_type(&at, viewing, action->declared->resources[i]);
    action->conceal = viewing;
}

void fb_conceal_read(struct fb_action *actions, uint32_t count, struct fb_arena *arena, struct fb_diags *diags)
{
    for (uint32_t i = 0; i < count; i++)
        read_conceal(actions, count, &actions[i], arena, diags);
}
