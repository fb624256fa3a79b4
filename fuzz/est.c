/* SPDX-License-Identifier: Apache-2.0 */
/* Policies as JSON: what was read writes as JSON that reads back as the same (but that `action in [a]` is written
 * as `action in a`, as the official form has it), and prints as Cedar text that does, too. */
#include "fuzz.h"

#include "cedar/cedar.h"

static bool read(struct fb_arena *arena, struct fb_policy_set *set, struct fb_span text, bool json)
{
    struct fb_source *source = fb_arena_alloc(arena, sizeof *source);
    struct fb_diags diags;
    *source = (struct fb_source){FB_SPAN("policies"), fb_arena_copy(arena, text)};
    fb_diags_init(&diags, arena);
    fb_policy_set_init(set, arena);
    bool good = json ? fb_policy_set_read_json(set, source, &diags) : fb_policy_set_read(set, source, &diags);
    fuzz_must_show(good == (diags.errors == 0), "a fault is reported, and only a fault", text);
    fuzz_show_diags(&diags);
    return good;
}

static void write(struct fb_arena *arena, const struct fb_policy_set *set)
{
    struct fb_policy_set again;
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)64 << 20);
    fb_policy_set_write_json(&out, set);
    struct fb_span text = fb_buffer_span(&out);
    fuzz_must_show(!out.failed && fuzz_is_json(text, arena), "policies write as JSON", text);
    fuzz_must_show(read(arena, &again, text, true), "written policies can be read", text);
    fuzz_must_show(again.count == set->count && again.links_count == set->links_count, "… all of them", text);
    for (size_t i = 0; i < set->count; i++) {
        const struct fb_policy *same = fb_policy_set_find(&again, set->policies[i]->id);
        bool list_of_one = set->policies[i]->action.op == FB_SCOPE_IN_LIST && set->policies[i]->action.count == 1;
        fuzz_must_show(same != NULL && (list_of_one || fb_policy_eq(same, set->policies[i])), "… as the same", text);
    }
    fb_buffer_release(&out);
}

/* Text has fewer trees than JSON: nesting has a limit, and so have a few kinds of operand. */
static void print(struct fb_arena *arena, const struct fb_policy *policy)
{
    struct fb_policy_set again;
    struct fb_buffer out;
    fb_buffer_init(&out, &fb_heap, (size_t)64 << 20);
    fb_policy_print(&out, policy);
    struct fb_span text = fb_buffer_span(&out);
    fuzz_must(!out.failed, "a policy's text is bounded");
    fuzz_must_show(read(arena, &again, text, false), "a printed policy can be read", text);
    fuzz_must_show(again.count == 1 && fb_policy_eq(again.policies[0], policy), "… and is the same", text);
    fb_buffer_release(&out);
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct fb_policy_set set;
    if (!read(arena, &set, input, true))
        return;
    write(arena, &set);
    for (size_t i = 0; i < set.count; i++)
        print(arena, set.policies[i]);
}
