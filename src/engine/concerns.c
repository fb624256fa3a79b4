/* SPDX-License-Identifier: Apache-2.0 */
/* What actions concern, remembered: which policies an action may concern takes a look at the action's ancestors and
 * a merge of lists, and is the same for every request with that action (engine.h). */

#include "engine/engine.h"

#define SLOTS 256u              /* half of which are used: actions beyond that are looked up as ever */

void fb_concerns_init(struct fb_concerns *concerns, const struct fb_program *program,
                      const struct fb_entities *entities, struct fb_arena *arena)
{
    *concerns = (struct fb_concerns){.program = program, .entities = *entities, .arena = arena};
}

/* Its place, or the free one where it belongs. */
static struct fb_concern_slot *slot_of(const struct fb_concerns *concerns, const struct fb_uid *action)
{
    for (uint32_t at = (uint32_t)(action->hash >> 32);; at++) {
        struct fb_concern_slot *slot = &concerns->slots[at % SLOTS];
        if (slot->action == NULL || fb_uid_eq(slot->action, action))
            return slot;
    }
}

/* NULL without memory, or room. */
static const struct fb_concerned *learn(struct fb_concerns *concerns, const struct fb_uid *action)
{
    if (concerns->slots == NULL)
        concerns->slots = fb_arena_array(concerns->arena, SLOTS, sizeof *concerns->slots);
    if (concerns->slots == NULL || concerns->count == SLOTS / 2)
        return NULL;
    const struct fb_uid *copy = fb_uid_new(concerns->arena, fb_uid_type(action), fb_uid_id(action));
    if (copy == NULL)
        return NULL;
    struct fb_concern_slot *slot = slot_of(concerns, action);
    slot->concerned = fb_program_concerned(concerns->program, copy, &concerns->entities, concerns->arena);
    slot->action = copy;
    concerns->count++;
    return slot->concerned;
}

const struct fb_concerned *fb_concerns_of(struct fb_concerns *concerns, const struct fb_uid *action)
{
    if (concerns->slots != NULL) {
        const struct fb_concern_slot *slot = slot_of(concerns, action);
        if (slot->action != NULL)
            return slot->concerned;
    }
    return learn(concerns, action);
}
