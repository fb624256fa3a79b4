/* SPDX-License-Identifier: Apache-2.0 */
/* What lists over a store look at: by what matches, not by what exists.  Rows are counted, times only
 * printed.  FB_LIST_ROWS sets the number of documents (5,000); FB_LIST_PLAIN=1 a store without an index,
 * where nothing is asserted but who is listed; FB_LIST_STORE=DIR one that stays, and is filled if it is not there;
 * FB_LIST_ACTION the only action that is asked for. */
#include "testing.h"

#include "guard/guard.h"

#include <time.h>

enum { MATCHES = 50, SUBFOLDERS = 5, PAGE = 10 };

static unsigned documents = 5000;
static bool plain;

static const char schema_text[] =
    "entity Folder in [Folder]; entity Team;\n"
    "entity User in [Team] { name: String, shared: Set<Doc> };\n"
    "entity Doc in [Folder] { owner: User, readers: Set<User>, team: Team, n: Long };\n"
    "action folder, owner, reader, team, either, both, shared, number appliesTo { principal: User, resource: Doc };\n";
static const char policies_text[] =
    "permit (principal, action == Action::\"folder\", resource in Folder::\"top\");\n"
    "permit (principal, action == Action::\"owner\", resource) when { resource.owner == principal };\n"
    "permit (principal, action == Action::\"reader\", resource) when { resource.readers.contains(principal) };\n"
    "permit (principal, action == Action::\"team\", resource) when { principal in resource.team };\n"
    "permit (principal, action == Action::\"either\", resource in Folder::\"top\");\n"
    "permit (principal, action == Action::\"either\", resource) when { resource.owner == principal };\n"
    "permit (principal, action == Action::\"both\", resource in Folder::\"everything\") when { resource.owner == principal };\n"
    "permit (principal, action == Action::\"shared\", resource) when { principal.shared.contains(resource) };\n"
    "permit (principal, action == Action::\"number\", resource) when { resource.n == 7 };\n";

/* Of all pages; `scanned`: all there are. */
static const struct {
    const char *action;
    enum fb_list_plan plan;
    uint32_t count, visited;
    bool scanned;
} costs[] = {
    {"folder", FB_LIST_NAMED, MATCHES, MATCHES, false},     {"owner", FB_LIST_NAMED, MATCHES, MATCHES, false},
    {"reader", FB_LIST_NAMED, MATCHES, MATCHES, false},     {"team", FB_LIST_NAMED, MATCHES, MATCHES, false},
    {"either", FB_LIST_NAMED, 2 * MATCHES - 1, 2 * MATCHES - 1, false},
    {"both", FB_LIST_NAMED, MATCHES, MATCHES, false},       {"shared", FB_LIST_NAMED, 3, 3, false},
    {"number", FB_LIST_SCAN, MATCHES, 0, true},
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void write_text(const char *root, const char *name, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
}

static const struct fb_uid *numbered(struct fb_arena *arena, const char *type, unsigned number)
{
    char id[16];
    (void)snprintf(id, sizeof id, "%07u", number);
    return fb_uid_new(arena, fb_span_z(type), fb_span_z(id));
}

/* Documents in an order that is not the store's, the first fifty in folders below `top`, each the hundredth part
 * of all one owner's. */
struct feed {
    struct fb_arena arena;
    unsigned at;
};

static struct fb_value record_of(struct feed *feed, const struct fb_field *fields, size_t count)
{
    struct fb_value record;
    (void)fb_value_record(&feed->arena, fields, count, &record);
    return record;
}

static bool encode(struct feed *feed, const char *type, const char *id, const char *parent, struct fb_value attrs,
                   struct fb_entity *entity)
{
    const struct fb_uid *above = parent != NULL ? fb_uid_new(&feed->arena, FB_SPAN("Folder"), fb_span_z(parent)) : NULL;
    if (strcmp(type, "User") == 0)
        above = numbered(&feed->arena, "Team", 0);
    const struct fb_entity_parts parts = {.uid = fb_uid_new(&feed->arena, fb_span_z(type), fb_span_z(id)), .attrs = attrs,
                                          .tags = record_of(feed, NULL, 0), .parents = &above,
                                          .parents_count = above != NULL};
    fb_entity_open(fb_entity_encode(&feed->arena, &parts), entity);
    return true;
}

static bool next_entity(void *context, struct fb_entity *entity)
{
    struct feed *feed = context;
    char id[16], parent[16] = "everything";
    unsigned at = feed->at++;
    fb_arena_clear(&feed->arena);
    if (at <= SUBFOLDERS) {
        (void)snprintf(id, sizeof id, "sub%u", at);
        return encode(feed, "Folder", at == SUBFOLDERS ? "top" : id, at == SUBFOLDERS ? "everything" : "top",
                      record_of(feed, NULL, 0), entity);
    }
    if ((at -= SUBFOLDERS + 1) == 0) {
        struct fb_value shared[3], set;
        for (unsigned i = 0; i < 3; i++)
            shared[i] = fb_value_entity(numbered(&feed->arena, "Doc", 10 * i));
        (void)fb_value_set(&feed->arena, shared, 3, &set);
        const struct fb_field fields[] = {{FB_SPAN("name"), fb_value_string(FB_SPAN("a"))}, {FB_SPAN("shared"), set}};
        return encode(feed, "User", "0000000", NULL, record_of(feed, fields, 2), entity);
    }
    if (--at >= documents)
        return false;
    unsigned number = (unsigned)((uint64_t)at * 7919 % documents), groups = documents / MATCHES;
    const struct fb_value owner = fb_value_entity(numbered(&feed->arena, "User", number % groups));
    struct fb_value readers[2] = {owner}, set;
    readers[1] = fb_value_entity(numbered(&feed->arena, "User", groups + number % groups));
    (void)fb_value_set(&feed->arena, readers, 2, &set);
    const struct fb_field fields[] = {{FB_SPAN("owner"), owner},
                                      {FB_SPAN("readers"), set},
                                      {FB_SPAN("team"), fb_value_entity(numbered(&feed->arena, "Team", number % groups))},
                                      {FB_SPAN("n"), fb_value_number(FB_LONG, number % groups == 1 ? 7 : 1)}};
    (void)snprintf(id, sizeof id, "%07u", number);
    if (number % (groups + 1) == 0 && number / (groups + 1) < MATCHES)
        (void)snprintf(parent, sizeof parent, "sub%u", number / (groups + 1) % SUBFOLDERS);
    return encode(feed, "Doc", id, parent, record_of(feed, fields, 4), entity);
}

static int fill(struct place *place, const void *what)
{
    const struct fb_store_options options = {.write = true, .create = true, .unsafe = true, .plain = plain};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    struct feed feed = {.at = 0};
    const struct fb_store_import import = {.next = next_entity, .context = &feed};
    struct fb_store_info info;
    size_t done;
    (void)what;
    fb_arena_init(&feed.arena, &fb_heap, (size_t)1 << 20);
    clock_t start = clock();        /* processor time: the rest is the disk's */
    if (store == NULL || fb_store_import(store, &import, &done, NULL) != FB_STORE_OK
        || fb_store_info(store, &info, NULL) != FB_STORE_OK)
        return 1;
    printf("# import: %.2f us of processor time a row; %.0f bytes a row\n",
           (double)(clock() - start) * 1e6 / CLOCKS_PER_SEC / (double)done, (double)info.used / (double)done);
    fflush(stdout);
    fb_store_close(store);
    return 0;
}

static void looks_at_what_matches(void **state)
{
    struct place *place = *state;
    struct fb_diags diags;
    write_text(place->root, "schema.cedarschema", schema_text);
    write_text(place->root, "all.cedar", policies_text);
    if (getenv("FB_LIST_STORE") != NULL)
        (void)snprintf(place->dir, sizeof place->dir, "%s", getenv("FB_LIST_STORE"));
    if (access(place->dir, F_OK) != 0)
        assert_int_equal(elsewhere(fill, place, NULL), 0);
    fb_diags_init(&diags, &place->arena);
    struct fb_policies *policies = fb_policies_load(&fb_heap, place->root, &diags);
    assert_non_null(policies);
    const struct fb_site site = {.policies = policies, .store = place->dir, .store_map = (size_t)4 << 30};
    struct fb_guard *guard =
        fb_guard_new(&(struct fb_guard_options){.allocator = &fb_heap, .arena_bytes = (size_t)256 << 20, .tokens = 16});
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        struct fb_guard_list list = {.principal = numbered(&place->arena, "User", 0),
                                     .action = fb_uid_new(&place->arena, FB_SPAN("Action"), fb_span_z(costs[i].action)),
                                     .type = FB_SPAN("Doc"),
                                     .context = empty_record(place),
                                     .limit = PAGE};
        struct fb_list_page page;
        const char *why, *only = getenv("FB_LIST_ACTION");
        uint32_t count = 0, visited = 0;
        if (only != NULL && strcmp(only, costs[i].action) != 0)
            continue;
        double first = 0, start = now_us();
        do {
            assert_int_equal(fb_guard_list(guard, &site, &list, &page, &why), FB_LISTED);
            first = first == 0 ? now_us() - start : first;
            count += page.count;
            visited += page.visited;
            list.after = page.next != NULL ? fb_uid_new(&place->arena, FB_SPAN("Doc"), fb_uid_id(page.next)) : NULL;
            fb_guard_release(guard);
        } while (list.after != NULL);
        print_message("# %-7s %u of %u; %u looked at; first page %.0f us, all pages %.0f us\n", costs[i].action, count,
                      documents, visited, first, now_us() - start);
        assert_int_equal(count, costs[i].count);
        assert_true(plain || page.plan == costs[i].plan);
        assert_true(plain || visited == (costs[i].scanned ? documents : costs[i].visited));
    }
    fb_guard_free(guard);
    fb_policies_free(policies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {in_place(looks_at_what_matches)};
    const char *rows = getenv("FB_LIST_ROWS");
    documents = rows != NULL ? (unsigned)strtoul(rows, NULL, 10) : documents;
    plain = getenv("FB_LIST_PLAIN") != NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
