/* SPDX-License-Identifier: Apache-2.0 */
/* Lists over a store: who is listed is worked out here by hand, and rows come and go between pages.
 *
 * Document i is owned by user i % 7, lies in folder i % 5, and is locked if i % 11 is 0.  Owners see
 * theirs; user 1 sees folder 2; nobody sees what is locked. */
#include "testing.h"

#include "guard/guard.h"

#define DOCUMENTS 400u
#define USERS 7u

static const char schema_text[] =
    "entity Folder; entity User { name: String };\n"
    "entity Doc in [Folder] { owner: User, locked: Bool };\n"
    "action see, print, audit appliesTo { principal: User, resource: Doc };\n"
    "@accounts(\"suspended\") action appeal appliesTo { principal: User, resource: Doc };\n";
static const char policies_text[] =
    "permit (principal, action == Action::\"see\", resource) when { resource.owner == principal };\n"
    "permit (principal == User::\"1\", action == Action::\"see\", resource in Folder::\"2\");\n"
    "permit (principal, action == Action::\"print\", resource == Doc::\"0007\");\n"
    "permit (principal, action == Action::\"print\", resource == Doc::\"none\");\n"
    "permit (principal, action in [Action::\"audit\", Action::\"appeal\"], resource);\n"
    "forbid (principal, action == Action::\"see\", resource) when { resource.locked };\n";

static void write_text(const char *root, const char *name, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
}

static const struct fb_uid *numbered(struct place *place, const char *type, int width, unsigned number)
{
    char id[16];
    (void)snprintf(id, sizeof id, "%0*u", width, number);
    return fb_uid_new(&place->arena, fb_span_z(type), fb_span_z(id));
}

static enum fb_store_status put_document(struct fb_store *store, struct place *place, unsigned i)
{
    const struct fb_uid *folder = numbered(place, "Folder", 1, i % 5);
    struct fb_field fields[] = {{FB_SPAN("owner"), fb_value_entity(numbered(place, "User", 1, i % USERS))},
                                {FB_SPAN("locked"), fb_value_bool(i % 11 == 0)}};
    struct fb_entity_parts parts = {
        .uid = numbered(place, "Doc", 4, i), .tags = empty_record(place), .parents = &folder, .parents_count = 1};
    if (!fb_value_record(&place->arena, fields, 2, &parts.attrs))
        return FB_STORE_FAILED;
    return fb_store_put(store, &parts, NULL);
}

static void fill_store(struct place *place)
{
    struct fb_store_error error;
    struct fb_store *store = open_store(place->dir, true);
    assert_status(fb_store_begin(store, &error), FB_STORE_OK, &error);
    for (unsigned i = 0; i < DOCUMENTS; i += 2)
        assert_int_equal(put_document(store, place, i), FB_STORE_OK);
    for (unsigned i = 0; i < USERS; i++) {
        struct fb_field name = {FB_SPAN("name"), fb_value_string(FB_SPAN("n"))};
        struct fb_entity_parts parts = {.uid = numbered(place, "User", 1, i), .tags = empty_record(place)};
        assert_true(fb_value_record(&place->arena, &name, 1, &parts.attrs));
        assert_status(fb_store_put(store, &parts, &error), FB_STORE_OK, &error);
    }
    assert_status(fb_store_commit(store, &error), FB_STORE_OK, &error);
    fb_store_close(store);
}

/* A policy directory, a store, and a guard over both. */
struct setting {
    struct place *place;
    struct fb_diags diags;
    struct fb_site site;
    struct fb_guard *guard;
    struct fb_guard_list list;
};

static struct setting open_setting(struct place *place, const char *principal, const char *resource, const char *action)
{
    struct setting s = {.place = place};
    write_text(place->root, "schema.cedarschema", schema_text);
    write_text(place->root, "all.cedar", policies_text);
    fill_store(place);
    fb_diags_init(&s.diags, &place->arena);
    s.site = (struct fb_site){.policies = fb_policies_load(&fb_heap, place->root, &s.diags),
                              .store = place->dir,
                              .store_map = (size_t)1 << 28};
    assert_non_null(s.site.policies);
    s.guard =
        fb_guard_new(&(struct fb_guard_options){.allocator = &fb_heap, .arena_bytes = (size_t)64 << 20, .tokens = 16});
    assert_non_null(s.guard);
    s.list = (struct fb_guard_list){.principal = principal != NULL ? uid_of(place, principal) : NULL,
                                    .resource = resource != NULL ? uid_of(place, resource) : NULL,
                                    .action = uid_of(place, action),
                                    .context = empty_record(place),
                                    .type = principal != NULL ? FB_SPAN("Doc") : FB_SPAN("User")};
    return s;
}

static void close_setting(struct setting *s)
{
    const struct fb_policies *policies = s->site.policies;
    fb_guard_free(s->guard);
    union {
        const struct fb_policies *from;
        struct fb_policies *to;
    } owned = {.from = policies};
    fb_policies_free(owned.to);
}

static bool sees(unsigned user, unsigned i)
{
    return i % 11 != 0 && (i % USERS == user || (user == 1 && i % 5 == 2));
}

/* In another process: the odd documents from `from` on are added, ten of them; ten even ones are deleted. */
struct change {
    unsigned from;
};

static int change_rows(struct place *place, const void *what)
{
    const struct change *change = what;
    const struct fb_store_options options = {.write = true, .unsafe = true};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    enum fb_store_status status = FB_STORE_OK;
    if (store == NULL)
        return FB_STORE_FAILED;
    for (unsigned i = 0; i < 10 && status == FB_STORE_OK; i++) {
        status = put_document(store, place, (change->from + 2 * i + 1) % DOCUMENTS);
        (void)fb_store_delete(store, numbered(place, "Doc", 4, (change->from + 2 * i) % DOCUMENTS), NULL);
    }
    fb_store_close(store);
    return (int)status;
}

/* Every document that stays is listed once, in order, whatever is added and deleted meanwhile. */
static void pages_survive_changes(void **state)
{
    struct setting s = open_setting(*state, "User::1", NULL, "Action::see");
    bool listed[DOCUMENTS] = {false}, touched[DOCUMENTS] = {false};
    unsigned last = 0, pages = 0, count = 0;
    s.list.limit = 7;
    s.list.visits = 30;
    do {
        struct fb_list_page page;
        const char *why;
        assert_int_equal(fb_guard_list(s.guard, &s.site, &s.list, &page, &why), FB_LISTED);
        assert_true(page.count <= 7 && page.visited <= 30);
        for (uint32_t i = 0; i < page.count; i++, count++) {
            unsigned number = (unsigned)strtoul(fb_uid_id(page.uids[i]).ptr, NULL, 10);
            assert_true(number < DOCUMENTS && sees(1, number) && !listed[number]);
            assert_true(count == 0 || number > last);
            listed[number] = true;
            last = number;
        }
        s.list.after = page.next != NULL ? fb_uid_new(&s.place->arena, FB_SPAN("Doc"), fb_uid_id(page.next)) : NULL;
        fb_guard_release(s.guard);
        /* Around where the list is, and so that the row at the cursor goes too. */
        struct change change = {last / 2 * 2};
        for (unsigned i = 0; i < 20 && pages < 10; i++)
            touched[(change.from + i) % DOCUMENTS] = true;
        if (pages < 10)
            assert_int_equal(elsewhere(change_rows, s.place, &change), 0);
        pages++;
    } while (s.list.after != NULL);
    print_message("# %u listed in %u pages\n", count, pages);
    assert_true(pages > 7);
    for (unsigned i = 0; i < DOCUMENTS; i += 2)
        assert_true(touched[i] || listed[i] == sees(1, i));
    close_setting(&s);
}

static uint32_t count_all(struct setting *s, struct fb_list_page *page, enum fb_guard_listed expected,
                          const char *reason)
{
    const char *why;
    uint32_t count = 0;
    s->list.after = NULL;
    do {
        assert_int_equal(fb_guard_list(s->guard, &s->site, &s->list, page, &why), expected);
        if (reason != NULL)
            assert_string_equal(why, reason);
        count += page->count;
        s->list.after =
            page->next != NULL ? fb_uid_new(&s->place->arena, fb_uid_type(page->next), fb_uid_id(page->next)) : NULL;
        fb_guard_release(s->guard);
    } while (s->list.after != NULL);
    return count;
}

/* Named, everybody; those that are named and do not exist are not there. */
static void plans_hold_over_a_store(void **state)
{
    struct setting s = open_setting(*state, "User::3", NULL, "Action::print");
    struct fb_list_page page;
    assert_int_equal(count_all(&s, &page, FB_LISTED, NULL), 0); /* 7 is odd */
    assert_int_equal(page.plan, FB_LIST_NAMED);
    struct change change = {6};
    assert_int_equal(elsewhere(change_rows, s.place, &change), 0);
    assert_int_equal(count_all(&s, &page, FB_LISTED, NULL), 1);
    assert_int_equal(page.evaluated, 1);
    s.list.action = uid_of(s.place, "Action::audit");
    assert_int_equal(count_all(&s, &page, FB_LISTED, NULL), DOCUMENTS / 2);
    assert_int_equal(page.plan, FB_LIST_EVERYBODY);
    s.list.type = FB_SPAN("Folder");
    assert_int_equal(count_all(&s, &page, FB_LISTED, NULL), 0);
    close_setting(&s);
}

static int suspend(struct place *place, const void *what)
{
    const struct fb_store_options options = {.write = true, .unsafe = true};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    const struct fb_account_change change = {.step = FB_ACCOUNT_SUSPEND, .uid = uid_of(place, what), .at = 1};
    bool changed;
    if (store == NULL)
        return FB_STORE_FAILED;
    enum fb_store_status status = fb_store_change_account(store, &change, &changed, NULL);
    fb_store_close(store);
    return (int)status;
}

/* Who is suspended may nothing, and is not among those who may; save for actions that are open to them. */
static void accounts_count(void **state)
{
    struct setting s = open_setting(*state, NULL, "Doc::0004", "Action::audit");
    struct fb_list_page page;
    assert_int_equal(count_all(&s, &page, FB_LISTED, NULL), USERS);
    assert_int_equal(elsewhere(suspend, s.place, "User::2"), FB_STORE_OK);
    assert_int_equal(count_all(&s, &page, FB_LISTED, NULL), USERS - 1);
    s.list.action = uid_of(s.place, "Action::appeal");
    assert_int_equal(count_all(&s, &page, FB_LISTED, NULL), USERS);
    s.list = (struct fb_guard_list){.principal = uid_of(s.place, "User::2"),
                                    .action = uid_of(s.place, "Action::audit"),
                                    .type = FB_SPAN("Doc"),
                                    .context = s.list.context};
    assert_int_equal(count_all(&s, &page, FB_LISTED_ACCOUNT, "suspended"), 0);
    s.list.principal = uid_of(s.place, "User::77");
    assert_int_equal(count_all(&s, &page, FB_LISTED_ACCOUNT, "unknown"), 0);
    close_setting(&s);
}

static void who_sees_a_document(void **state)
{
    struct setting s = open_setting(*state, NULL, "Doc::0012", "Action::see");
    struct fb_list_page page;
    const char *why;
    assert_int_equal(fb_guard_list(s.guard, &s.site, &s.list, &page, &why), FB_LISTED);
    assert_int_equal(page.count, 2); /* its owner, 5, and user 1 */
    assert_int_equal(page.plan, FB_LIST_NAMED);
    assert_memory_equal(fb_uid_id(page.uids[0]).ptr, "1", 1);
    assert_memory_equal(fb_uid_id(page.uids[1]).ptr, "5", 1);
    assert_int_equal(page.evaluated, 2);
    fb_guard_release(s.guard);
    close_setting(&s);
}

static void a_store_that_is_gone_is_no_empty_list(void **state)
{
    struct setting s = open_setting(*state, "User::1", NULL, "Action::see");
    struct fb_list_page page;
    const char *why;
    remove_tree(s.place->dir);
    assert_int_equal(fb_guard_list(s.guard, &s.site, &s.list, &page, &why), FB_LISTED_CANNOT);
    assert_true(why[0] != '\0' && page.count == 0);
    fb_guard_release(s.guard);
    close_setting(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(pages_survive_changes),
        in_place(plans_hold_over_a_store),
        in_place(accounts_count),
        in_place(who_sees_a_document),
        in_place(a_store_that_is_gone_is_no_empty_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
