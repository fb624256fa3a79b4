/* SPDX-License-Identifier: Apache-2.0 */
/* Template links beside a policy set.  The links that there are and the program that counts them are one
 * version, made as a whole and put in the place of the last: so a change that fails changes nothing.  The
 * trees of the policies are shared, never copied. */
#include "library/library.h"

struct version {
    struct fb_root root;
    struct fb_policy_set set;           /* the policies of the set, and these links */
    struct fb_program *program;
};

struct forbid_links {
    struct fb_root root;
    const struct forbid_policies *policies;
    struct version *now;
};

/* What the next version is made of. */
struct change {
    const struct forbid_policies *policies;
    const struct fb_policy_set *before;
    const struct fb_map *removed;       /* ids, or NULL */
    const struct forbid_link *added;
    size_t added_count;
};

/* --- One link ----------------------------------------------------------------------------------------- */

static bool keep_uid(struct fb_arena *arena, const struct fb_uid *from, const struct fb_uid **to)
{
    *to = from != NULL ? fb_uid_new(arena, fb_uid_type(from), fb_uid_id(from)) : NULL;
    return from == NULL || *to != NULL;
}

static bool keep_link(struct version *made, const struct fb_link *link)
{
    const struct fb_uid *principal, *resource;
    const char *error;
    return keep_uid(&made->root.arena, link->principal, &principal)
           && keep_uid(&made->root.arena, link->resource, &resource)
           && fb_policy_set_link(&made->set, link->template_->id, link->id, principal, resource, &error) != NULL;
}

static bool read_uid(struct version *made, const struct forbid_link *link, const char *slot, struct forbid_text text,
                     const struct fb_uid **uid, struct fb_diags *diags)
{
    *uid = text.len != 0 ? fb_uid_parse(&made->root.arena, fb_span_of(text)) : NULL;
    if (text.len == 0 || *uid != NULL)
        return true;
    struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "links.uid", NULL, (struct fb_range){0, 0},
                                       "link `%.*s`: the value of %s is not an entity uid", (int)link->id.len,
                                       link->id.ptr, slot);
    diag->hint = FB_SPAN("write it as Cedar text: User::\"alice\"");
    return false;
}

/* A fault is a diagnostic, lack of memory is not. */
static bool add_link(struct version *made, const struct forbid_link *link, struct fb_diags *diags)
{
    const struct fb_uid *principal, *resource;
    const char *error = NULL;
    bool fine = read_uid(made, link, "?principal", link->principal, &principal, diags);
    fine = read_uid(made, link, "?resource", link->resource, &resource, diags) && fine;
    if (!fine
        || fb_policy_set_link(&made->set, fb_span_of(link->template_id), fb_span_of(link->id), principal, resource,
                              &error) != NULL)
        return fine;
    fb_diag_add(diags, FB_ERROR, "links.link", NULL, (struct fb_range){0, 0}, "link `%.*s` of template `%.*s`: %s",
                (int)link->id.len, link->id.ptr, (int)link->template_id.len, link->template_id.ptr, error);
    return false;
}

/* --- A version ---------------------------------------------------------------------------------------- */

/* The set begins with the policies and without a link.  What it shares is not written to: nothing is added to
 * the list of policies, and the map of links is its own. */
static void share_policies(struct version *made, const struct fb_policy_set *from)
{
    fb_policy_set_init(&made->set, &made->root.arena);
    made->set.positions = from->positions;
    made->set.policies_by_id = from->policies_by_id;
    made->set.policies = from->policies;
    made->set.count = made->set.capacity = from->count;
}

static bool fill(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const struct change *change = how;
    struct version *made = (struct version *)(void *)root;
    (void)source;
    share_policies(made, &change->policies->set);
    for (size_t i = 0; i < change->before->links_count; i++) {
        const struct fb_link *link = change->before->links[i];
        if (change->removed != NULL && fb_map_get(change->removed, link->id) != NULL)
            continue;
        if (!keep_link(made, link))
            return false;
    }
    bool fine = true;
    for (size_t i = 0; i < change->added_count && !root->arena.failed; i++)
        fine = add_link(made, &change->added[i], diags) && fine;
    if (!fine || root->arena.failed)
        return false;
    made->program = fb_program_new(&root->arena, &made->set, diags);
    return made->program != NULL;
}

static enum forbid_status apply(struct forbid_links *links, const struct change *change, forbid_errors **errors)
{
    const struct forbid_allocator memory = {links->root.allocator.resize, links->root.allocator.context};
    const struct fb_making making = {.allocator = &memory, .size = sizeof(struct version), .fill = fill, .how = change,
                                     .errors = errors};
    struct fb_root *made;
    enum forbid_status status = fb_root_make(&making, &made);
    if (status != FORBID_OK)
        return status;
    if (links->now != NULL)
        fb_root_free(&links->now->root);
    links->now = (struct version *)(void *)made;
    return FORBID_OK;
}

/* --- The interface ------------------------------------------------------------------------------------ */

forbid_links *forbid_links_new(const struct forbid_allocator *allocator, const forbid_policies *policies)
{
    const struct fb_allocator memory = fb_allocator_of(allocator);
    struct forbid_links *links = policies != NULL ? fb_root_new(&memory, sizeof *links, FB_ROOT_BYTES) : NULL;
    if (links == NULL)
        return NULL;
    links->policies = policies;
    if (apply(links, &(struct change){.policies = policies, .before = &policies->set}, NULL) == FORBID_OK)
        return links;
    fb_root_free(&links->root);
    return NULL;
}

void forbid_links_free(forbid_links *links)
{
    if (links == NULL)
        return;
    fb_root_free(&links->now->root);
    fb_root_free(&links->root);
}

enum forbid_status forbid_links_add(forbid_links *links, const struct forbid_link *added, size_t count,
                                    forbid_errors **errors)
{
    if (errors != NULL)
        *errors = NULL;
    if (links == NULL || (added == NULL && count != 0))
        return FORBID_MISUSE;
    for (size_t i = 0; i < count; i++)
        if (fb_text_bad(added[i].template_id) || fb_text_bad(added[i].id) || fb_text_bad(added[i].principal)
            || fb_text_bad(added[i].resource))
            return FORBID_MISUSE;
    const struct change change = {.policies = links->policies, .before = &links->now->set, .added = added,
                                  .added_count = count};
    return apply(links, &change, errors);
}

/* `how` is a struct removal; all that is made here is thrown away again but for what it found. */
struct removal {
    const struct forbid_text *ids;
    size_t count;
    struct forbid_links *links;
};

/* The ids as a map, those without a link reported; then the change itself, while the map is there. */
static bool remove_them(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const struct removal *removal = how;
    struct fb_map removed;
    (void)source;
    fb_map_init(&removed, &root->arena);
    bool fine = true;
    for (size_t i = 0; i < removal->count; i++) {
        struct fb_span id = fb_span_of(removal->ids[i]);
        struct fb_link *link = fb_map_get(&removal->links->now->set.links_by_id, id);
        if (link == NULL) {
            fb_diag_add(diags, FB_ERROR, "links.unknown", NULL, (struct fb_range){0, 0},
                        "there is no link with the id `%.*s`", (int)id.len, id.ptr);
            fine = false;
        } else if (!fb_map_put(&removed, id, link)) {
            return false;
        }
    }
    const struct change change = {.policies = removal->links->policies, .before = &removal->links->now->set,
                                  .removed = &removed};
    return fine && apply(removal->links, &change, NULL) == FORBID_OK;
}

enum forbid_status forbid_links_remove(forbid_links *links, const struct forbid_text *ids, size_t count,
                                       forbid_errors **errors)
{
    if (errors != NULL)
        *errors = NULL;
    if (links == NULL || (ids == NULL && count != 0))
        return FORBID_MISUSE;
    for (size_t i = 0; i < count; i++)
        if (fb_text_bad(ids[i]))
            return FORBID_MISUSE;
    const struct forbid_allocator memory = {links->root.allocator.resize, links->root.allocator.context};
    const struct removal removal = {.ids = ids, .count = count, .links = links};
    const struct fb_making making = {.allocator = &memory, .size = sizeof(struct fb_root), .fill = remove_them,
                                     .how = &removal, .errors = errors};
    struct fb_root *scratch;
    enum forbid_status status = fb_root_make(&making, &scratch);
    fb_root_free(scratch);
    return status;
}

size_t forbid_links_count(const forbid_links *links)
{
    return links != NULL ? links->now->set.links_count : 0;
}

size_t forbid_links_places(const forbid_links *links)
{
    return forbid_links_count(links);
}

static struct forbid_uid show_uid(const struct fb_uid *uid)
{
    return uid != NULL ? (struct forbid_uid){fb_text_of(fb_uid_type(uid)), fb_text_of(fb_uid_id(uid))}
                       : (struct forbid_uid){{0, NULL}, {0, NULL}};
}

struct forbid_linked forbid_links_at(const forbid_links *links, size_t place)
{
    if (place >= forbid_links_places(links))
        return (struct forbid_linked){.id = {0, NULL}};
    const struct fb_link *link = links->now->set.links[place];
    return (struct forbid_linked){.template_id = fb_text_of(link->template_->id),
                                  .id = fb_text_of(link->id),
                                  .principal = show_uid(link->principal),
                                  .resource = show_uid(link->resource)};
}

size_t forbid_links_find(const forbid_links *links, struct forbid_text id)
{
    size_t place = 0, places = forbid_links_places(links);
    while (place < places && !fb_span_eq(links->now->set.links[place]->id, fb_span_of(id)))
        place++;
    return place;
}

enum forbid_status forbid_links_to_json(const struct forbid_allocator *allocator, const forbid_links *links,
                                        forbid_string **json)
{
    return fb_set_to_json(allocator, links != NULL ? &links->now->set : NULL, json);
}

/* --- For the rest of the library ---------------------------------------------------------------------- */

bool fb_links_set(const struct forbid_links *links, struct fb_arena *arena, struct fb_policy_set *set)
{
    (void)arena;
    *set = links->now->set;
    return true;
}

const struct fb_program *fb_links_program(const struct forbid_links *links)
{
    return links->now->program;
}

bool fb_links_are_of(const struct forbid_links *links, const struct forbid_policies *policies)
{
    return links->policies == policies;
}
