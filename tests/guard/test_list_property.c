/* SPDX-License-Identifier: Apache-2.0 */
/* Lists over a directory and a store, against deciding each by itself over the two put together: random
 * hierarchies that lead from each into the other, random policies, every page size; and with changes between
 * pages, of which docs/lists.md says what they may do.
 *
 * Teams are the directory's, folders, documents and users the store's. */
#include "testing.h"

#include "guard/loaded.h"

enum { TEAMS = 6, FOLDERS = 7, DOCS = 24, USERS = 5, WORLDS = 60, QUERIES = 12, RULES = 3, IN = 3 };
enum kind { TEAM, FOLDER, DOC, USER, KINDS };
static const char *const kinds[KINDS] = {"Team", "Folder", "Doc", "User"};
static const int counts[KINDS] = {TEAMS, FOLDERS, DOCS, USERS};

struct named {
    enum kind kind;
    int number;
};

/* Groups' parents have smaller ranks, so that there is no cycle. */
struct thing {
    bool exists;
    struct named parents[IN];
    int parents_count;
    int user, team, n;          /* an owner or lead, a team, a number */
    unsigned users, groups;     /* bits: readers or mates; teams, or a user's folders */
};

struct world {
    struct place *place;
    struct thing things[KINDS][DOCS];
    bool plain;
    uint64_t seed;
};

static unsigned draw(struct world *w, unsigned below)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(w->seed >> 33) % below;
}

static void draw_thing(struct world *w, enum kind kind, int number)
{
    struct thing *thing = &w->things[kind][number];
    *thing = (struct thing){.exists = draw(w, 6) != 0, .user = (int)draw(w, USERS), .team = (int)draw(w, TEAMS),
                            .n = (int)draw(w, 5), .users = draw(w, 32) & draw(w, 32), .groups = draw(w, 64) & draw(w, 64)};
    thing->parents_count = (int)draw(w, IN + 1);
    int kept = 0;
    for (int i = 0; i < thing->parents_count; i++) {
        struct named parent = {(enum kind)draw(w, kind == DOC ? 5 : 2), (int)draw(w, TEAMS)};
        if (parent.kind > FOLDER)
            parent = (struct named){draw(w, 2) == 0 ? USER : FOLDER, (int)draw(w, USERS)};
        bool above = kind > FOLDER || 2 * parent.number + (int)parent.kind < 2 * number + (int)kind;
        if (above)
            thing->parents[kept++] = parent;
    }
    thing->parents_count = kept;
}

static const struct fb_uid *uid(struct world *w, enum kind kind, int number)
{
    char id[16];
    (void)snprintf(id, sizeof id, "%02d", number);
    return fb_uid_new(&w->place->arena, fb_span_z(kinds[kind]), fb_span_z(id));
}

static struct fb_value set_of(struct world *w, enum kind kind, unsigned bits)
{
    struct fb_value values[32], set;
    size_t count = 0;
    for (int i = 0; i < counts[kind]; i++)
        if ((bits >> i & 1) != 0)
            values[count++] = fb_value_entity(uid(w, kind, i));
    (void)fb_value_set(&w->place->arena, values, count, &set);
    return set;
}

/* The parts of an entity, with `more` parents beside its own. */
static struct fb_entity_parts parts_of(struct world *w, enum kind kind, int number, const struct fb_uid *const *more,
                                       size_t more_count)
{
    const struct thing *thing = &w->things[kind][number];
    const struct fb_uid **parents = fb_arena_array(&w->place->arena, IN + more_count, sizeof *parents);
    struct fb_entity_parts parts = {.uid = uid(w, kind, number), .tags = empty_record(w->place), .parents = parents};
    for (int i = 0; i < thing->parents_count; i++)
        parents[parts.parents_count++] = uid(w, thing->parents[i].kind, thing->parents[i].number);
    for (size_t i = 0; i < more_count; i++)
        parents[parts.parents_count++] = more[i];
    const struct fb_value user = fb_value_entity(uid(w, USER, thing->user));
    const struct fb_value users = set_of(w, USER, thing->users);
    const struct fb_field doc[] = {{FB_SPAN("owner"), user},
                                   {FB_SPAN("readers"), users},
                                   {FB_SPAN("teams"), set_of(w, TEAM, thing->groups)},
                                   {FB_SPAN("team"), fb_value_entity(uid(w, TEAM, thing->team))},
                                   {FB_SPAN("n"), fb_value_number(FB_LONG, thing->n)}};
    const struct fb_field team[] = {{FB_SPAN("lead"), user}, {FB_SPAN("mates"), users}};
    const struct fb_field person[] = {{FB_SPAN("boxes"), set_of(w, FOLDER, thing->groups)}};
    const struct fb_field *const fields[] = {team, NULL, doc, person};
    static const size_t fields_counts[] = {2, 0, 5, 1};
    (void)fb_value_record(&w->place->arena, fields[kind], fields_counts[kind], &parts.attrs);
    return parts;
}

/* --- The world at rest ---------------------------------------------------------------------------- */

static const char schema_text[] =
    "entity Team in [Team, Folder] { lead: User, mates: Set<User> };\n"
    "entity Folder in [Team, Folder];\n"
    "entity User in [Team, Folder] { boxes: Set<Folder> };\n"
    "entity Doc in [Team, Folder, User] { owner: User, readers: Set<User>, teams: Set<Team>, team: Team, n: Long };\n"
    "action see appliesTo { principal: User, resource: Doc };\n"
    "action lead appliesTo { principal: User, resource: Team };\n";

/* `@` is a number. */
static const char *const pool[] = {
    "permit (principal, action, resource in Folder::\"@\");",
    "permit (principal, action, resource in Team::\"@\");",
    "permit (principal in Team::\"@\", action, resource);",
    "permit (principal in Folder::\"@\", action == Action::\"see\", resource) unless { resource.n == 0 };",
    "permit (principal, action == Action::\"see\", resource) when { resource.owner == principal };",
    "permit (principal, action == Action::\"see\", resource) when { resource.readers.contains(principal) };",
    "permit (principal, action == Action::\"see\", resource) when { principal in resource.teams };",
    "permit (principal, action == Action::\"see\", resource) when { principal in resource.team };",
    "permit (principal, action == Action::\"see\", resource) when { resource in principal };",
    "permit (principal, action, resource) when { resource in principal.boxes };",
    "permit (principal, action == Action::\"see\", resource in Folder::\"@\") when { resource.owner == principal };",
    "permit (principal, action, resource is Doc) when { resource.team == Team::\"@\" || resource.owner == User::\"@\" };",
    "permit (principal, action == Action::\"see\", resource) when { resource in Team::\"@\" || resource.n == 3 };",
    "permit (principal, action == Action::\"lead\", resource) when { resource.lead == principal };",
    "permit (principal, action == Action::\"lead\", resource) when { resource.mates.contains(principal) };",
    "permit (principal == User::\"@\", action, resource);",
    "forbid (principal, action, resource in Folder::\"@\");",
    "forbid (principal, action == Action::\"see\", resource) when { resource.n == 1 };",
    "forbid (principal, action == Action::\"see\", resource) when { resource.n + 9223372036854775805 < 0 };",
};

static void write_text(struct world *w, const char *name, struct fb_span text)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", w->place->root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fwrite(text.ptr, 1, text.len, file) == text.len && fclose(file) == 0);
}

static void write_policies(struct world *w)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1 << 16);
    for (unsigned i = 0; i < RULES; i++) {
        const char *rule = pool[draw(w, i == 0 ? 16 : sizeof pool / sizeof *pool)];
        for (; *rule != '\0'; rule++)
            if (*rule == '@')
                fb_buffer_add_format(&text, "%02u", draw(w, USERS));
            else
                fb_buffer_add_char(&text, *rule);
        fb_buffer_add_char(&text, '\n');
    }
    write_text(w, "all.cedar", fb_buffer_span(&text));
    fb_buffer_clear(&text);
    w->things[TEAM][0].exists = true;   /* so that the type is the directory's */
    for (int i = 0; i < TEAMS; i++) {
        const struct fb_entity_parts parts = parts_of(w, TEAM, i, NULL, 0);
        struct fb_entity entity;
        if (!w->things[TEAM][i].exists)
            continue;
        fb_entity_open(fb_entity_encode(&w->place->arena, &parts), &entity);
        fb_buffer_add_char(&text, text.len == 0 ? '[' : ',');
        fb_entity_print_json(&text, &entity);
    }
    fb_buffer_add_char(&text, ']');
    write_text(w, "entities.json", fb_buffer_span(&text));
    fb_buffer_release(&text);
}

/* In another process: what the world says of a kind. */
static int write_store(struct place *place, const void *what)
{
    union { const void *from; struct world *to; } world = {.from = what};
    struct world *w = world.to;
    const struct fb_store_options options = {.write = true, .create = true, .unsafe = true, .plain = w->plain};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    enum fb_store_status status = store != NULL ? fb_store_begin(store, NULL) : FB_STORE_FAILED;
    for (int kind = FOLDER; kind < KINDS && status == FB_STORE_OK; kind++)
        for (int i = 0; i < counts[kind] && status == FB_STORE_OK; i++) {
            const struct fb_entity_parts parts = parts_of(w, (enum kind)kind, i, NULL, 0);
            struct fb_entity old;
            if (w->things[kind][i].exists)
                status = fb_store_put(store, &parts, NULL);
            else if (fb_store_find(store, parts.uid, &old) == FB_FOUND)
                status = fb_store_delete(store, parts.uid, NULL);
        }
    /* One of a type that the directory owns: nobody may see it. */
    const struct fb_entity_parts hidden = parts_of(w, TEAM, 0, NULL, 0);
    if (status == FB_STORE_OK)
        status = fb_store_put(store, &hidden, NULL);
    if (status == FB_STORE_OK)
        status = fb_store_commit(store, NULL);
    fb_store_close(store);
    return (int)status;
}

/* --- By deciding each ------------------------------------------------------------------------------ */

struct query {
    struct fb_site site;
    struct fb_guard *guard;
    struct fb_guard_list list;
    enum kind asked;
};

/* Bits of those of the kind asked for that are allowed. */
static uint32_t decide_each(struct world *w, const struct query *q)
{
    struct fb_arena *arena = &w->place->arena;
    struct fb_entity_set *set = fb_entity_set_new(arena);
    struct fb_diags diags;
    uint32_t allowed = 0;
    for (int kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < counts[kind]; i++) {
            bool principal = q->list.principal != NULL && fb_uid_eq(uid(w, (enum kind)kind, i), q->list.principal);
            const struct fb_entity_parts parts =
                parts_of(w, (enum kind)kind, i, q->list.parents, principal ? q->list.parents_count : 0);
            if (w->things[kind][i].exists || (kind == TEAM && i == 0))
                assert_true(fb_entity_set_add(set, &parts));
        }
    fb_diags_init(&diags, arena);
    assert_true(fb_entity_set_close(set, &diags));
    const struct fb_entities entities = fb_entity_set_source(set);
    for (int i = 0; i < counts[q->asked]; i++) {
        const struct fb_uid *one = uid(w, q->asked, i);
        const struct fb_request request = {.principal = q->list.principal != NULL ? q->list.principal : one,
                                           .action = q->list.action, .entities = &entities, .context = q->list.context,
                                           .resource = q->list.resource != NULL ? q->list.resource : one};
        struct fb_decision decision;
        assert_int_equal(fb_decide(q->site.policies->program, &request, arena, &decision), FB_OK);
        bool allow = decision.allow && w->things[q->asked][i].exists;
        for (uint32_t e = 0; e < decision.errors_count; e++)
            allow = allow && fb_program_policy(q->site.policies->program, decision.errors[e].policy)->effect != FB_FORBID;
        allowed |= allow ? 1u << i : 0;
    }
    return allowed;
}

/* --- By lists ---------------------------------------------------------------------------------------- */

static size_t plans[FB_LIST_SCAN + 1], listed_count, changed_count;

static int number_of(const struct fb_uid *one)
{
    struct fb_span id = fb_uid_id(one);
    assert_int_equal(id.len, 2);
    return 10 * (id.ptr[0] - '0') + (id.ptr[1] - '0');
}

/* All pages; between two, if `changes`, some of the store changes.  *always: allowed all the time, *ever: at
 * some time. */
static uint32_t list_pages(struct world *w, struct query *q, bool changes, uint32_t *always, uint32_t *ever)
{
    uint32_t listed = 0;
    int last = -1;
    q->list.after = NULL;
    *always = *ever = decide_each(w, q);
    for (;;) {
        struct fb_list_page page;
        const char *why;
        assert_int_equal(fb_guard_list(q->guard, &q->site, &q->list, &page, &why), FB_LISTED);
        assert_string_equal(why, w->plain && page.plan == FB_LIST_SCAN ? "the store has no index" : "");
        plans[page.plan]++;
        for (uint32_t i = 0; i < page.count; i++) {
            int number = number_of(page.uids[i]);
            assert_true(number > last);     /* in order, none twice */
            last = number;
            listed |= 1u << number;
        }
        q->list.after =
            page.next != NULL ? fb_uid_new(&w->place->arena, fb_uid_type(page.next), fb_uid_id(page.next)) : NULL;
        fb_guard_release(q->guard);
        if (q->list.after == NULL)
            return listed;
        if (!changes)
            continue;
        for (int i = 0; i < 3; i++) {
            enum kind kind = (enum kind)(FOLDER + draw(w, 3));
            int number = (int)draw(w, (unsigned)counts[kind]);
            bool fixed = q->list.principal != NULL && fb_uid_eq(uid(w, kind, number), q->list.principal);
            if (!fixed)
                draw_thing(w, kind, number);
        }
        assert_int_equal(elsewhere(write_store, w->place, w), FB_STORE_OK);
        uint32_t now = decide_each(w, q);
        changed_count++;
        *always &= now;
        *ever |= now;
    }
}

static void draw_query(struct world *w, struct query *q)
{
    bool principals = draw(w, 3) == 0, lead = draw(w, 3) == 0;
    enum kind resource = lead ? TEAM : DOC;
    const struct fb_uid **parents = fb_arena_array(&w->place->arena, 2, sizeof *parents);
    int user = (int)draw(w, USERS);
    w->things[USER][user].exists = true;
    for (int i = 0; i < 2; i++)
        parents[i] = uid(w, (enum kind)draw(w, 2), (int)draw(w, TEAMS));
    q->asked = principals ? USER : resource;
    q->list = (struct fb_guard_list){
        .principal = principals ? NULL : uid(w, USER, user),
        .resource = principals ? uid(w, resource, (int)draw(w, TEAMS)) : NULL,
        .action = fb_uid_new(&w->place->arena, FB_SPAN("Action"), lead ? FB_SPAN("lead") : FB_SPAN("see")),
        .type = fb_span_z(kinds[q->asked]),
        .context = empty_record(w->place),
        .parents = parents,
        .parents_count = principals ? 0 : draw(w, 3),
        .limit = 1 + draw(w, 7),
        .visits = draw(w, 2) == 0 ? 0 : 1 + draw(w, 4),
    };
}

static void lists_are_what_deciding_each_says(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->place = *state;
    for (uint64_t number = 0; number < WORLDS; number++) {
        struct fb_diags diags;
        struct query q = {.asked = DOC};
        w->seed = 1000 + number;
        w->plain = number % 5 == 4;
        for (int kind = 0; kind < KINDS; kind++)
            for (int i = 0; i < counts[kind]; i++)
                draw_thing(w, (enum kind)kind, i);
        for (int i = 0; i < USERS; i++)
            w->things[USER][i].exists = true;
        write_text(w, "schema.cedarschema", FB_SPAN(schema_text));
        write_policies(w);
        assert_int_equal(elsewhere(write_store, w->place, w), FB_STORE_OK);
        fb_diags_init(&diags, &w->place->arena);
        struct fb_policies *policies = fb_policies_load(&fb_heap, w->place->root, &diags);
        assert_non_null(policies);
        q.site = (struct fb_site){.policies = policies, .store = w->place->dir, .store_map = (size_t)1 << 26};
        q.guard = fb_guard_new(&(struct fb_guard_options){.allocator = &fb_heap, .arena_bytes = (size_t)64 << 20, .tokens = 16});
        for (int i = 0; i < QUERIES; i++) {
            uint32_t always, ever;
            draw_query(w, &q);
            uint32_t listed = list_pages(w, &q, i == QUERIES - 1, &always, &ever);
            if ((listed & always) != always || (listed & ~ever) != 0)
                print_error("world %llu, query %d: %x is listed, %x always, %x ever\n", (unsigned long long)number, i,
                            listed, always, ever);
            assert_int_equal(listed & always, always);
            assert_int_equal(listed & ~ever, 0);
            listed_count += (size_t)__builtin_popcount(listed);
        }
        fb_guard_free(q.guard);
        fb_policies_free(policies);
        remove_tree(w->place->dir);
        fb_arena_clear(&w->place->arena);
    }
    free(w);
    print_message("# %zu listed, %zu changes between pages; pages: nobody %zu, everybody %zu, named %zu, scan %zu\n",
                  listed_count, changed_count, plans[0], plans[1], plans[2], plans[3]);
    assert_true(listed_count > 1000 && changed_count > 50 && plans[FB_LIST_NAMED] > 300 && plans[FB_LIST_SCAN] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {in_place(lists_are_what_deciding_each_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
