/* SPDX-License-Identifier: Apache-2.0 */
/* Lists hold exactly whom deciding each by itself allows, whatever the policies; cursors that are read are
 * those that were printed.  The first byte says who is asked for, and how large pages are. */
#include "world.h"

static bool is_allowed(struct fb_arena *arena, const struct fb_list_query *query, const struct fb_uid *uid)
{
    struct fb_request request = *query->request;
    struct fb_decision decision;
    if (query->asked == FB_PRINCIPAL)
        request.principal = uid;
    else
        request.resource = uid;
    fuzz_must(fb_decide(query->program, &request, arena, &decision) == FB_OK, "it is decided");
    bool allow = decision.allow;
    for (uint32_t i = 0; query->strict && i < decision.errors_count; i++)
        allow = allow && fb_program_policy(query->program, decision.errors[i].policy)->effect != FB_FORBID;
    return allow;
}

static void go_on(struct fb_arena *arena, struct fb_list_query *query, const struct fb_uid *next)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 4096);
    fuzz_must(fb_list_cursor_print(&text, next), "a cursor is printed");
    query->after = fb_list_cursor_read(arena, fb_uid_type(next), fb_buffer_span(&text));
    fuzz_must(query->after != NULL && fb_uid_eq(query->after, next), "and read again");
    fb_buffer_release(&text);
}

static void compare(struct fb_arena *arena, struct fb_list_query *query, const struct world *world)
{
    bool principals = query->asked == FB_PRINCIPAL;
    bool listed[3] = {false, false, false};
    struct fb_list_page page;
    struct fb_arena scratch;
    fb_arena_init(&scratch, &fb_heap, (size_t)16 << 20);
    do {
        fuzz_must(fb_list(query, arena, &scratch, &page) == FB_OK, "a page is made");
        for (uint32_t i = 0; i < page.count; i++)
            for (size_t j = 0; j < 3; j++)
                if (fb_uid_eq(page.uids[i], principals ? world->users[j] : world->resources[j])) {
                    fuzz_must(!listed[j], "nobody is listed twice");
                    listed[j] = true;
                }
        if (page.next != NULL)
            go_on(arena, query, page.next);
    } while (page.next != NULL);
    fb_arena_release(&scratch);
    for (size_t j = 0; j < (principals ? 3 : 2); j++)
        fuzz_must(listed[j] == is_allowed(arena, query, principals ? world->users[j] : world->resources[j]),
                  "who is allowed is listed");
    fuzz_must(principals || !listed[2], "who is missing is not");
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    struct world world;
    uint8_t what = fuzz_byte(&input);
    (void)fb_list_cursor_read(arena, FB_SPAN("U"), input);
    world_init(&world, arena);
    const struct fb_policy_set *set = world_policies(arena, input);
    if (set == NULL)
        return;
    const struct fb_entity_order *order = fb_entity_order_new(arena, world.set);
    fuzz_must(order != NULL, "entities are put in order");
    struct fb_list_source source = fb_list_source_of(order);
    if ((what & 16) != 0)
        source.below = NULL;
    if ((what & 32) != 0)
        source.next = NULL;
    struct fb_list_query query = {.program = world_program(arena, set),
                                  .request = &world.request,
                                  .source = &source,
                                  .asked = (what & 1) != 0 ? FB_PRINCIPAL : FB_RESOURCE,
                                  .strict = (what & 2) != 0,
                                  .limit = 1 + (what >> 2 & 3),
                                  .visits = what >> 6};
    compare(arena, &query, &world);
}
