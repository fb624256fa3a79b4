/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORBID_LISTS_H
#define FORBID_LISTS_H

/* Which resources may this principal act on; which principals may act on this resource.
 *
 *   struct forbid_list_query query = {.size = sizeof query, .type = forbid_text_of("Photo")};
 *   query.request.size = sizeof query.request;
 *   query.request.principal = forbid_text_of("User::\"alice\"");
 *   query.request.action = forbid_text_of("Action::\"view\"");
 *   struct forbid_list_page page = {.size = sizeof page};
 *   do {
 *       if (forbid_list_resources(lister, &query, &page, NULL) != FORBID_OK)
 *           break;
 *       ... page.uids[0 .. page.count) ...
 *       query.after = page.next;
 *   } while (page.next.len != 0);
 *
 * An entity is listed exactly if it is among the lister's entities and forbid_authorize() would allow it.  The
 * policies are evaluated once with the one asked for unknown, and then only what can matter is looked at:
 * docs/lists.md says what that is. */

#include <forbid/forbid.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Entities in order, with a way down to the members of groups, and the workspace of one thread; one call at a
 * time.  Making it takes time and memory by the number of entities: make it once. */
typedef struct forbid_lister forbid_lister;
/* `memory`: bytes that a page may take at the most; 0: 64 MiB.  Policies and entities must outlive it.  NULL
 * without memory, or where `policies` or `entities` is. */
FORBID_API forbid_lister *forbid_lister_new(const struct forbid_allocator *allocator, const forbid_policies *policies,
                                            const forbid_entities *entities, size_t memory);
FORBID_API void forbid_lister_free(forbid_lister *lister);

/* Zero it, set both sizes, fill it in. */
struct forbid_list_query {
    size_t size;                        /* sizeof(struct forbid_list_query) */
    struct forbid_request request;      /* without the one asked for; `entities` is not used */
    struct forbid_text type;            /* of those asked for: `Photo` */
    struct forbid_text after;           /* a page's `next`; empty: from the first */
    size_t limit;                       /* of a page; 0: 100; 10,000 at the most */
    size_t visits;                      /* entities a page looks at; 0: 100,000 */
};

/* Set `size` before the call. */
struct forbid_list_page {
    size_t size;                        /* sizeof(struct forbid_list_page) */
    const struct forbid_text *uids;     /* Cedar text, in order of their ids */
    size_t count;                       /* perhaps less than the limit, even 0, and not the last page */
    struct forbid_text next;            /* a cursor: opaque, safe in a URL; empty: this was the last page */
    size_t visited, evaluated;          /* entities looked at; those that the policies were evaluated for */
};

/* What *page and *errors point to is valid until the next call with this lister; *errors, if `errors` is not
 * NULL, is its own and not to be freed.  Anything but FORBID_OK leaves an empty page.  FORBID_INVALID too when
 * `after` is no cursor of a list of that type.  A cursor stays good when entities come and go, also for another
 * lister: those that stay are listed once. */
FORBID_API enum forbid_status forbid_list_resources(forbid_lister *lister, const struct forbid_list_query *query,
                                                    struct forbid_list_page *page, const forbid_errors **errors);
FORBID_API enum forbid_status forbid_list_principals(forbid_lister *lister, const struct forbid_list_query *query,
                                                     struct forbid_list_page *page, const forbid_errors **errors);

#ifdef __cplusplus
}
#endif

#endif
