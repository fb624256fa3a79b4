/* SPDX-License-Identifier: Apache-2.0 */
/* Lists over entities in memory: a query as texts becomes the engine's, its page becomes texts. */
#include "library/library.h"

#include <forbid/lists.h>

#define MEMORY_DEFAULT ((size_t)64 << 20)
#define SCRATCH_BYTES ((size_t)4 << 20)

struct forbid_lister {
    struct fb_root root; /* its arena: the order */
    const struct forbid_policies *policies;
    const struct forbid_entities *entities;
    struct fb_entity_order *order;
    struct fb_arena page, scratch;
    struct forbid_errors *errors; /* of the last call */
};

forbid_lister *forbid_lister_new(const struct forbid_allocator *allocator, const forbid_policies *policies,
                                 const forbid_entities *entities, size_t memory)
{
    const struct fb_allocator from = fb_allocator_of(allocator);
    if (policies == NULL || entities == NULL)
        return NULL;
    struct forbid_lister *lister = fb_root_new(&from, sizeof *lister, FB_ROOT_BYTES);
    if (lister == NULL)
        return NULL;
    fb_arena_init(&lister->page, &lister->root.allocator, memory != 0 ? memory : MEMORY_DEFAULT);
    fb_arena_init(&lister->scratch, &lister->root.allocator, SCRATCH_BYTES);
    lister->policies = policies;
    lister->entities = entities;
    lister->order = fb_entity_order_new(&lister->root.arena, entities->set);
    if (lister->order != NULL)
        return lister;
    forbid_lister_free(lister);
    return NULL;
}

void forbid_lister_free(forbid_lister *lister)
{
    if (lister == NULL)
        return;
    forbid_errors_free(lister->errors);
    fb_arena_release(&lister->page);
    fb_arena_release(&lister->scratch);
    fb_root_free(&lister->root);
}

static bool fault(struct forbid_lister *lister, const char *code, const char *message, struct fb_span hint)
{
    struct fb_diag *diag =
        fb_diag_add(&lister->errors->diags, FB_ERROR, code, NULL, (struct fb_range){0, 0}, "%s", message);
    diag->hint = hint;
    return false;
}

/* The request with some entity of the type in the place of the one asked for. */
static bool read_query(struct forbid_lister *lister, const struct forbid_list_query *query, enum fb_var asked,
                       struct fb_entities *entities, struct fb_request *request, struct fb_list_query *list)
{
    struct forbid_request given = query->request;
    struct fb_diags *diags = &lister->errors->diags;
    struct fb_span type = fb_span_of(query->type);
    bool principals = asked == FB_PRINCIPAL;
    *(principals ? &given.principal : &given.resource) = (struct forbid_text){0, NULL};
    given.entities = lister->entities;
    bool fine = fb_request_read(&given, &lister->page, entities, request, diags);
    /* Only the given one and the action must be there. */
    const struct forbid_text filler = {1, "-"};
    *(principals ? &given.principal : &given.resource) = filler;
    fine = fb_request_whole(&given, diags) && fine;
    if (!fb_type_name_valid(type))
        return fault(lister, "list.type", "the type is not the name of an entity type",
                     FB_SPAN("write it as Photo, or NS::Photo"));
    const struct fb_uid *like = fb_uid_new(&lister->page, type, FB_SPAN(""));
    if (!fine || like == NULL)
        return false;
    *(principals ? &request->principal : &request->resource) = like;
    if (query->after.len != 0) {
        list->after = fb_list_cursor_read(&lister->page, type, fb_span_of(query->after));
        if (list->after == NULL && !lister->page.failed)
            return fault(lister, "list.cursor", "this is no cursor of a list of that type",
                         FB_SPAN("give a page's `next` as it is"));
    }
    return !lister->page.failed;
}

static bool hand_out(struct forbid_lister *lister, const struct fb_list_page *from, struct forbid_list_page *to)
{
    struct forbid_text *uids = fb_arena_array(&lister->page, from->count + (size_t)1, sizeof *uids);
    struct fb_buffer text;
    if (uids == NULL)
        return false;
    fb_buffer_init(&text, &lister->root.allocator, MEMORY_DEFAULT);
    for (uint32_t i = 0; i < from->count && !text.failed; i++) {
        fb_buffer_clear(&text);
        fb_uid_print(&text, from->uids[i]);
        uids[i] = fb_text_of(fb_arena_copy(&lister->page, fb_buffer_span(&text)));
    }
    bool fine = !text.failed;
    fb_buffer_clear(&text);
    if (from->next != NULL)
        fine = fb_list_cursor_print(&text, from->next) && fine;
    struct fb_span next = fb_arena_copy(&lister->page, fb_buffer_span(&text));
    fb_buffer_release(&text);
    if (!fine || lister->page.failed)
        return false;
    *to = (struct forbid_list_page){.size = sizeof *to,
                                    .uids = uids,
                                    .count = from->count,
                                    .next = fb_text_of(next),
                                    .visited = from->visited,
                                    .evaluated = from->evaluated};
    return true;
}

static enum forbid_status make_page(struct forbid_lister *lister, const struct forbid_list_query *query,
                                    enum fb_var asked, struct forbid_list_page *page)
{
    const struct fb_list_source source = fb_list_source_of(lister->order);
    struct fb_entities entities;
    struct fb_request request;
    struct fb_list_page found;
    struct fb_list_query list = {.program = fb_request_program(&query->request, lister->policies),
                                 .request = &request,
                                 .asked = asked,
                                 .source = &source,
                                 .limit = query->limit < FB_LIST_LIMIT_MAX ? (uint32_t)query->limit : FB_LIST_LIMIT_MAX,
                                 .visits = query->visits < UINT32_MAX ? (uint32_t)query->visits : UINT32_MAX};
    if (!read_query(lister, query, asked, &entities, &request, &list))
        return lister->page.failed ? FORBID_NO_MEMORY : fb_errors_status(lister->errors, false);
    bool fine = fb_list(&list, &lister->page, &lister->scratch, &found) == FB_OK && hand_out(lister, &found, page);
    return fine ? FORBID_OK : FORBID_NO_MEMORY;
}

static enum forbid_status list(struct forbid_lister *lister, const struct forbid_list_query *query, enum fb_var asked,
                               struct forbid_list_page *page, const forbid_errors **errors)
{
    if (errors != NULL)
        *errors = NULL;
    if (page == NULL || page->size != sizeof *page)
        return FORBID_MISUSE;
    /* `after` may be the last page's own cursor. */
    struct forbid_list_page made = {.size = sizeof made};
    if (lister == NULL || query == NULL || query->size != sizeof *query || fb_text_bad(query->type)
        || fb_text_bad(query->after) || !fb_request_fits(&query->request, lister->policies)) {
        *page = made;
        return FORBID_MISUSE;
    }
    struct fb_arena last = lister->page;
    fb_arena_init(&lister->page, &lister->root.allocator, last.ceiling);
    forbid_errors_free(lister->errors);
    lister->errors = fb_errors_new(&lister->root.allocator);
    enum forbid_status status = lister->errors != NULL ? make_page(lister, query, asked, &made) : FORBID_NO_MEMORY;
    if (status == FORBID_INVALID && !fb_errors_seal(lister->errors))
        status = FORBID_NO_MEMORY;
    fb_arena_release(&last);
    *page = made;
    if (status == FORBID_INVALID && errors != NULL)
        *errors = lister->errors;
    return status;
}

enum forbid_status forbid_list_resources(forbid_lister *lister, const struct forbid_list_query *query,
                                         struct forbid_list_page *page, const forbid_errors **errors)
{
    return list(lister, query, FB_RESOURCE, page, errors);
}

enum forbid_status forbid_list_principals(forbid_lister *lister, const struct forbid_list_query *query,
                                          struct forbid_list_page *page, const forbid_errors **errors)
{
    return list(lister, query, FB_PRINCIPAL, page, errors);
}
