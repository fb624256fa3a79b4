/* SPDX-License-Identifier: Apache-2.0 */
/* Template links beside a policy set, in a table of the engine's over the program of the set.  Left to the engine:
 * which links there may be, and finding those that a request is about. */
#include "library/library.h"

struct forbid_links {
    struct fb_root root;
    const struct forbid_policies *policies;
    struct fb_link_table *table;
};

/* --- Making and freeing ------------------------------------------------------------------------------- */

static bool take_own(struct forbid_links *links)
{
    const struct fb_policy_set *set = &links->policies->set;
    links->table = fb_link_table_new(&links->root.allocator, links->policies->program);
    bool fine = links->table != NULL;
    if (fine)
        fb_link_table_expect(links->table, set->links_count);
    for (size_t i = 0; fine && i < set->links_count; i++) {
        const struct fb_link *link = set->links[i];
        fine = fb_link_table_add(links->table, link->template_, link->id, link->principal, link->resource) == NULL;
    }
    return fine;
}

forbid_links *forbid_links_new(const struct forbid_allocator *allocator, const forbid_policies *policies)
{
    const struct fb_allocator memory = fb_allocator_of(allocator);
    struct forbid_links *links = policies != NULL ? fb_root_new(&memory, sizeof *links, FB_ROOT_BYTES) : NULL;
    if (links == NULL)
        return NULL;
    links->policies = policies;
    if (take_own(links))
        return links;
    forbid_links_free(links);
    return NULL;
}

void forbid_links_free(forbid_links *links)
{
    if (links == NULL)
        return;
    fb_link_table_free(links->table);
    fb_root_free(&links->root);
}

/* --- Changes ------------------------------------------------------------------------------------------ */

/* `fill` with working memory, and errors if it makes any. */
static enum forbid_status change(struct forbid_links *links,
                                 bool (*fill)(struct fb_root *, const struct fb_source *, const void *, struct fb_diags *),
                                 const void *how, forbid_errors **errors)
{
    const struct forbid_allocator memory = {links->root.allocator.resize, links->root.allocator.context};
    const struct fb_making making = {.allocator = &memory, .size = sizeof(struct fb_root), .fill = fill, .how = how,
                                     .errors = errors};
    struct fb_root *scratch;
    enum forbid_status status = fb_root_make(&making, &scratch);
    fb_root_free(scratch);
    return status;
}

struct addition {
    struct forbid_links *links;
    const struct forbid_link *added;
    size_t count;
};

static bool read_uid(struct fb_arena *arena, const struct forbid_link *link, const char *slot, struct forbid_text text,
                     const struct fb_uid **uid, struct fb_diags *diags)
{
    *uid = text.len != 0 ? fb_uid_parse(arena, fb_span_of(text)) : NULL;
    if (text.len == 0 || *uid != NULL)
        return true;
    struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "links.uid", NULL, (struct fb_range){0, 0},
                                       "link `%.*s`: the value of %s is not an entity uid", (int)link->id.len,
                                       link->id.ptr, slot);
    diag->hint = FB_SPAN("write it as Cedar text: User::\"alice\"");
    return false;
}

static const char *no_memory = "not enough memory";

static bool add_link(const struct addition *addition, const struct forbid_link *link, struct fb_arena *arena,
                     struct fb_diags *diags)
{
    const struct fb_uid *principal, *resource;
    bool fine = read_uid(arena, link, "?principal", link->principal, &principal, diags);
    fine = read_uid(arena, link, "?resource", link->resource, &resource, diags) && fine;
    if (!fine || arena->failed)
        return false;
    const struct fb_policy *template_ =
        fb_policy_set_find(&addition->links->policies->set, fb_span_of(link->template_id));
    const char *error = template_ == NULL          ? "there is no policy of that id"
                        : !template_->is_template ? "the policy has no slot, so it cannot be linked"
                                                  : fb_link_table_add(addition->links->table, template_,
                                                                      fb_span_of(link->id), principal, resource);
    if (error == NULL)
        return true;
    fb_diag_add(diags, FB_ERROR, strncmp(error, no_memory, strlen(no_memory)) == 0 ? "links.memory" : "links.link", NULL,
                (struct fb_range){0, 0}, "link `%.*s` of template `%.*s`: %s", (int)link->id.len, link->id.ptr,
                (int)link->template_id.len, link->template_id.ptr, error);
    return false;
}

/* All or none: what went in is taken out again when something is wrong with another. */
static bool add_links(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const struct addition *addition = how;
    bool *in = fb_arena_array(&root->arena, addition->count + 1, sizeof *in);
    bool fine = in != NULL;
    (void)source;
    fb_link_table_expect(addition->links->table, addition->count);
    for (size_t i = 0; in != NULL && i < addition->count; i++) {
        in[i] = add_link(addition, &addition->added[i], &root->arena, diags);
        fine = in[i] && fine;
    }
    for (size_t i = 0; in != NULL && !fine && i < addition->count; i++)
        if (in[i])
            fb_link_table_remove(addition->links->table, fb_span_of(addition->added[i].id));
    return fine;
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
    return change(links, add_links, &(struct addition){links, added, count}, errors);
}

struct removal {
    struct forbid_links *links;
    const struct forbid_text *ids;
    size_t count;
};

/* All are looked up before the first is removed, which cannot fail. */
static bool remove_links(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    const struct removal *removal = how;
    struct fb_link_table *table = removal->links->table;
    bool fine = true;
    (void)root;
    (void)source;
    for (size_t i = 0; i < removal->count; i++) {
        struct fb_span id = fb_span_of(removal->ids[i]);
        if (fb_link_table_find(table, id) < fb_link_table_places(table))
            continue;
        fb_diag_add(diags, FB_ERROR, "links.unknown", NULL, (struct fb_range){0, 0},
                    "there is no link with the id `%.*s`", (int)id.len, id.ptr);
        fine = false;
    }
    for (size_t i = 0; fine && i < removal->count; i++)
        fb_link_table_remove(table, fb_span_of(removal->ids[i]));
    return fine;
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
    return change(links, remove_links, &(struct removal){links, ids, count}, errors);
}

/* --- Looking ------------------------------------------------------------------------------------------ */

size_t forbid_links_count(const forbid_links *links)
{
    return links != NULL ? fb_link_table_count(links->table) : 0;
}

size_t forbid_links_places(const forbid_links *links)
{
    return links != NULL ? fb_link_table_places(links->table) : 0;
}

static struct forbid_uid show_uid(const struct fb_uid *uid)
{
    return uid != NULL ? (struct forbid_uid){fb_text_of(fb_uid_type(uid)), fb_text_of(fb_uid_id(uid))}
                       : (struct forbid_uid){{0, NULL}, {0, NULL}};
}

struct forbid_linked forbid_links_at(const forbid_links *links, size_t place)
{
    struct fb_link link;
    if (links == NULL || !fb_link_table_at(links->table, place, &link))
        return (struct forbid_linked){.id = {0, NULL}};
    return (struct forbid_linked){.template_id = fb_text_of(link.template_->id),
                                  .id = fb_text_of(link.id),
                                  .principal = show_uid(link.principal),
                                  .resource = show_uid(link.resource)};
}

size_t forbid_links_find(const forbid_links *links, struct forbid_text id)
{
    return links != NULL ? fb_link_table_find(links->table, fb_span_of(id)) : 0;
}

/* --- For the rest of the library ---------------------------------------------------------------------- */

bool fb_links_set(const struct forbid_links *links, struct fb_arena *arena, struct fb_policy_set *set)
{
    size_t places = fb_link_table_places(links->table);
    struct fb_link *list = fb_arena_array(arena, places + 1, sizeof *list);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    const struct fb_link **pointers = fb_arena_array(arena, places + 1, sizeof *pointers);
    if (list == NULL || pointers == NULL)
        return false;
    *set = links->policies->set;
    set->links = pointers;
    set->links_count = 0;
    for (size_t place = 0; place < places; place++)
        if (fb_link_table_at(links->table, place, &list[place]))
            pointers[set->links_count++] = &list[place];
    return true;
}

static bool write_json(struct fb_root *root, const struct fb_source *source, const void *how, struct fb_diags *diags)
{
    struct fb_arena scratch;
    struct fb_policy_set set;
    (void)source;
    (void)diags;
    fb_arena_init(&scratch, &root->allocator, FB_ROOT_BYTES);
    bool fine = fb_links_set(how, &scratch, &set);
    if (fine)
        fb_policy_set_write_json(fb_string_buffer(root), &set);
    fb_arena_release(&scratch);
    return fine;
}

enum forbid_status forbid_links_to_json(const struct forbid_allocator *allocator, const forbid_links *links,
                                        forbid_string **json)
{
    const struct fb_making making = {.allocator = allocator, .fill = write_json, .how = links};
    return links != NULL ? fb_string_make(&making, json) : fb_string_misuse(json);
}

const struct fb_program *fb_links_program(const struct forbid_links *links)
{
    return fb_link_table_program(links->table);
}

bool fb_links_are_of(const struct forbid_links *links, const struct forbid_policies *policies)
{
    return links->policies == policies;
}
