/* SPDX-License-Identifier: Apache-2.0 */
/* Policy text is read, or refused with diagnostics; what was read prints as text that reads back as the same. */
#include "fuzz.h"

#include "cedar/cedar.h"

static void print_and_read(struct fb_arena *arena, const struct fb_policy *policy)
{
    struct fb_buffer text;
    struct fb_policy_set again;
    struct fb_diags diags;
    fb_buffer_init(&text, &fb_heap, (size_t)64 << 20);
    fb_policy_print(&text, policy);
    fuzz_must(!text.failed, "a policy's text is bounded");
    struct fb_source source = {FB_SPAN("printed"), fb_arena_copy(arena, fb_buffer_span(&text))};
    fb_buffer_release(&text);
    fb_diags_init(&diags, arena);
    fb_policy_set_init(&again, arena);
    fuzz_must_show(fb_policy_set_read(&again, &source, &diags), "a printed policy can be read", source.text);
    fuzz_must_show(again.count == 1 && fb_policy_eq(again.policies[0], policy), "… and is the same", source.text);
}

/* The whole set as JSON, and back. */
static void write_and_read(struct fb_arena *arena, const struct fb_policy_set *set)
{
    struct fb_buffer text;
    struct fb_policy_set again;
    struct fb_diags diags;
    fb_buffer_init(&text, &fb_heap, (size_t)64 << 20);
    fb_policy_set_write_json(&text, set);
    struct fb_source source = {FB_SPAN("written"), fb_arena_copy(arena, fb_buffer_span(&text))};
    fb_buffer_release(&text);
    fb_diags_init(&diags, arena);
    fb_policy_set_init(&again, arena);
    fuzz_must_show(fb_policy_set_read_json(&again, &source, &diags) && again.count == set->count,
                   "policies written as JSON can be read", source.text);
    for (size_t i = 0; i < set->count; i++) {
        const struct fb_policy *same = fb_policy_set_find(&again, set->policies[i]->id);
        bool list_of_one = set->policies[i]->action.op == FB_SCOPE_IN_LIST && set->policies[i]->action.count == 1;
        fuzz_must_show(same != NULL && (list_of_one || fb_policy_eq(same, set->policies[i])), "… and are the same", source.text);
    }
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_source source = {FB_SPAN("policies.cedar"), input};
    struct fb_policy_set set;
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    fb_policy_set_init(&set, arena);
    bool good = fb_policy_set_read(&set, &source, &diags);
    fuzz_must(good == (diags.errors == 0), "a fault is reported, and only a fault");
    for (size_t i = 0; i < set.count; i++) {
        fuzz_must(fb_policy_set_find(&set, set.policies[i]->id) == set.policies[i], "policies are found by their id");
        print_and_read(arena, set.policies[i]);
    }
    write_and_read(arena, &set);
    (void)fb_policy_set_rename(&set, &diags);
    fuzz_show_diags(&diags);
}
