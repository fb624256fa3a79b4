/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the policies let, of those that directory and store hold.  What the guard refuses beside the
 * policies is refused here too: accounts that are not open, types that the action does not accept,
 * allows in which a forbid erred.  Routes and tokens have no part in it. */
#include "guard/list_source.h"

#define SCRATCH_BYTES ((size_t)4 << 20)

struct listing {
    const struct fb_guard_list *list;
    const struct fb_action *action;
    struct fb_store_reader *reader; /* NULL: no store */
    struct fb_view view;
    struct fb_entities entities;
    bool broken; /* an account could not be read */
    const char *why;
};

static bool is_open(const struct fb_action *action, enum fb_account_state state)
{
    switch (state) {
    case FB_ACCOUNT_ACTIVE: return true;
    case FB_ACCOUNT_SUSPENDED: return (action->accounts & FB_OPEN_SUSPENDED) != 0;
    case FB_ACCOUNT_DISABLED: return (action->accounts & FB_OPEN_DISABLED) != 0;
    case FB_ACCOUNT_DELETED:
    case FB_ACCOUNT_STATES: break;
    }
    return false;
}

/* May the account of this principal do anything?  *state: as what. */
static bool account_open(struct listing *l, const struct fb_uid *principal, enum fb_account_state *state)
{
    struct fb_account account = {.state = FB_ACCOUNT_ACTIVE};
    if (l->reader != NULL && fb_store_account(l->reader, principal, &account) == FB_BROKEN)
        l->broken = true;
    *state = account.state;
    return !l->broken && is_open(l->action, account.state);
}

static bool is_principal(void *context, const struct fb_entity *entity)
{
    enum fb_account_state state;
    return account_open(context, entity->uid, &state);
}

static bool accepts(const struct fb_entity_type *const *types, uint32_t count, struct fb_span type)
{
    for (uint32_t i = 0; i < count; i++)
        if (fb_span_eq(types[i]->name, type))
            return true;
    return false;
}

/* --- The list ----------------------------------------------------------------------------------------- */

static enum fb_guard_listed cannot(const char *text, const char **why)
{
    *why = text;
    return FB_LISTED_CANNOT;
}

static bool open_store(struct listing *l, struct fb_guard *guard, const struct fb_site *site, const char **why)
{
    struct fb_store_state state;
    if (site->store == NULL)
        return true;
    l->reader = fb_guard_store(guard, site);
    if (l->reader == NULL) {
        *why = "no memory for the store";
        return false;
    }
    if (fb_store_snapshot(l->reader, fb_store_clock()) == FB_STORE_OK)
        return true;
    fb_store_reader_state(l->reader, &state);
    *why = state.text;
    return false;
}

/* The principal as the request has it: its account, and the groups that a token brings.  False: there is
 * nothing to list, or *listed says that it cannot be. */
static bool admit_principal(struct listing *l, struct fb_arena *arena, enum fb_guard_listed *listed, const char **why)
{
    const struct fb_guard_list *list = l->list;
    enum fb_account_state state;
    const struct fb_entity *entity;
    *listed = FB_LISTED;
    if (!account_open(l, list->principal, &state)) {
        *listed = l->broken ? cannot("the state of an account cannot be read", why) : FB_LISTED_ACCOUNT;
        if (!l->broken)
            *why = fb_account_state_names[state];
        return false;
    }
    switch (fb_view_holds(&l->view, list->principal, &entity)) {
    case FB_FOUND: break;
    case FB_ABSENT:
        *listed = FB_LISTED_ACCOUNT;
        *why = "unknown";
        return false;
    case FB_BROKEN: *listed = cannot("the principal's entity cannot be read", why); return false;
    }
    if (list->parents_count == 0
        || fb_view_add_parents(&l->view, list->principal, list->parents, list->parents_count, arena))
        return true;
    *listed = cannot("the groups could not be added", why);
    return false;
}

static enum fb_guard_listed make_page(const struct listing *l, struct fb_guard *guard, const struct fb_list_query *query,
                                      struct fb_list_page *page, const char **why)
{
    struct fb_arena scratch;
    fb_arena_init(&scratch, guard->options.allocator, SCRATCH_BYTES);
    enum fb_status status = fb_list(query, &guard->arena, &scratch, page);
    fb_arena_release(&scratch);
    if (status != FB_OK || l->broken) {
        *page = (struct fb_list_page){.count = 0};
        return cannot("out of memory, or the store cannot be read", why);
    }
    if (page->plan == FB_LIST_SCAN && l->reader != NULL && !fb_store_reader_indexed(l->reader))
        *why = "the store has no index";
    return FB_LISTED;
}

enum fb_guard_listed fb_guard_list(struct fb_guard *guard, const struct fb_site *site, const struct fb_guard_list *list,
                                   struct fb_list_page *page, const char **why)
{
    struct listing l = {.list = list, .action = fb_routes_action(site->policies->routes, list->action)};
    struct fb_list_source source;
    enum fb_guard_listed listed;
    *page = (struct fb_list_page){.count = 0};
    *why = "";
    if (l.action == NULL)
        return cannot("the schema has no such action", why);
    if (!open_store(&l, guard, site, why))
        return FB_LISTED_CANNOT;
    fb_view_init(&l.view, site->policies, l.reader);
    l.entities = fb_view_entities(&l.view);
    const struct fb_schema_action *declared = l.action->declared;
    struct fb_span principal = list->principal != NULL ? fb_uid_type(list->principal) : list->type;
    struct fb_span resource = list->resource != NULL ? fb_uid_type(list->resource) : list->type;
    if (!accepts(declared->principals, declared->principals_count, principal)
        || !accepts(declared->resources, declared->resources_count, resource))
        return FB_LISTED;
    if (list->principal != NULL && !admit_principal(&l, &guard->arena, &listed, why))
        return listed;
    const struct fb_uid *like = fb_uid_new(&guard->arena, list->type, FB_SPAN(""));
    struct fb_held held = {.view = &l.view, .entities = &l.entities, .reader = l.reader, .type = list->type};
    if (like == NULL || !fb_held_open(&held, &guard->arena, &source))
        return cannot("out of memory", why);
    const struct fb_request request = {.principal = list->principal != NULL ? list->principal : like,
                                       .action = list->action,
                                       .entities = &l.entities,
                                       .context = list->context,
                                       .resource = list->resource != NULL ? list->resource : like};
    const struct fb_list_query query = {.program = site->policies->program,
                                        .request = &request,
                                        .source = &source,
                                        .strict = true,
                                        .after = list->after,
                                        .asked = list->principal == NULL ? FB_PRINCIPAL : FB_RESOURCE,
                                        .limit = list->limit,
                                        .visits = list->visits,
                                        .wanted = list->principal == NULL ? is_principal : NULL,
                                        .context = &l};
    return make_page(&l, guard, &query, page, why);
}
