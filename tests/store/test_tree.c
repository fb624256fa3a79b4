/* SPDX-License-Identifier: Apache-2.0 */
/* The hierarchy: closures against brute force, cycles, the invariants of tree.c. */
#include "testing.h"

#include "store/layout.h"

enum { NODES = 14 };

/* A hierarchy as it should be. */
struct model {
    bool exists[NODES];
    bool parent[NODES][NODES];      /* [child][parent], of existing children */
};

static const struct fb_uid *node(struct place *place, int i)
{
    static const struct fb_uid *nodes[NODES];
    static const struct place *of;
    if (of != place) {
        for (int n = 0; n < NODES; n++) {
            char name[24];
            (void)snprintf(name, sizeof name, "%s::%d", n % 3 == 0 ? "Team" : "Group", n);
            nodes[n] = uid_of(place, name);
        }
        of = place;
    }
    return nodes[i];
}

/* Reachable over direct parents (Warshall). */
static void closure(const struct model *model, bool reach[NODES][NODES])
{
    memcpy(reach, model->parent, sizeof model->parent);
    for (int k = 0; k < NODES; k++)
        for (int i = 0; i < NODES; i++)
            for (int j = 0; j < NODES; j++)
                reach[i][j] = reach[i][j] || (reach[i][k] && reach[k][j]);
}

static bool has_child(const struct model *model, int i)
{
    bool any = false;
    for (int c = 0; c < NODES; c++)
        any |= model->parent[c][i];
    return any;
}

static size_t closed_seen, open_seen;   /* with more than one ancestor; inner, with an absent one */

static void check_entity(struct place *place, const struct model *model, bool reach[NODES][NODES], int i,
                         const struct fb_entity *entity)
{
    uint32_t parents = 0, ancestors = 0;
    for (int j = 0; j < NODES; j++) {
        parents += model->parent[i][j];
        ancestors += reach[i][j];
        assert_int_equal(fb_refs_contain(entity->parents, node(place, j)), model->parent[i][j]);
    }
    assert_int_equal(entity->parents.count, parents);
    bool whole = has_child(model, i);
    for (int j = 0; j < NODES; j++)
        whole = whole && (!reach[i][j] || model->exists[j]);
    assert_int_equal(entity->closed, whole);
    open_seen += has_child(model, i) && !entity->closed;
    if (!entity->closed)
        return;
    closed_seen += entity->ancestors.count > 1;
    assert_int_equal(entity->ancestors.count, ancestors);
    for (int j = 0; j < NODES; j++)
        assert_int_equal(fb_refs_contain(entity->ancestors, node(place, j)), reach[i][j]);
}

static enum fb_found find_in_store(const void *self, const struct fb_uid *uid, struct fb_entity *entity)
{
    union { const void *from; struct fb_store *to; } store = {.from = self};
    return fb_store_find(store.to, uid, entity);
}

/* The store against the model: rows, `in` for all pairs, counts and the way down. */
static void check_store(struct place *place, struct fb_store *store, const struct model *model)
{
    bool reach[NODES][NODES];
    closure(model, reach);
    const struct fb_entities source = {.find = find_in_store, .self = store};
    for (int i = 0; i < NODES; i++) {
        struct fb_entity entity;
        enum fb_found found = fb_store_find(store, node(place, i), &entity);
        assert_int_equal(found, model->exists[i] ? FB_FOUND : FB_ABSENT);
        if (found == FB_FOUND)
            check_entity(place, model, reach, i, &entity);
        for (int j = 0; j < NODES; j++)
            assert_int_equal(fb_entity_in(&source, node(place, i), node(place, j)) == FB_FOUND, i == j || reach[i][j]);
    }
    size_t groups = 0, inner = 0;
    for (int i = 0; i < NODES; i++) {
        groups += has_child(model, i);
        for (int j = 0; j < NODES; j++)
            inner += model->parent[i][j] && has_child(model, i);
    }
    MDB_stat stat;
    MDB_txn *txn = fb_store_read(store, NULL);
    assert_int_equal(mdb_stat(txn, store->env.tables[FB_TABLE_GROUPS], &stat), 0);
    assert_int_equal(stat.ms_entries, groups);
    assert_int_equal(mdb_stat(txn, store->env.tables[FB_TABLE_INNER], &stat), 0);
    assert_int_equal(stat.ms_entries, inner);
}

static unsigned random_state;

static int pick(int below)
{
    random_state = random_state * 1103515245u + 12345u;
    return (int)((random_state >> 16) % (unsigned)below);
}

/* One random change, to the model and to the store; the store must refuse exactly what the model
 * says is a cycle. */
static bool change_at_random(struct place *place, struct fb_store *store, struct model *model)
{
    struct model after = *model;
    bool reach[NODES][NODES], cycle = false;
    int i = pick(NODES);
    memset(after.parent[i], 0, sizeof after.parent[i]);
    if (pick(12) == 0) {
        after.exists[i] = false;
        enum fb_store_status status = fb_store_delete(store, node(place, i), NULL);
        assert_int_equal(status, model->exists[i] ? FB_STORE_OK : FB_STORE_ABSENT);
        *model = after;
        return true;
    }
    const struct fb_uid *parents[8];
    struct fb_entity_parts parts = {.uid = node(place, i), .attrs = empty_record(place), .tags = empty_record(place),
                                    .parents = parents};
    for (int n = pick(4); n > 0; n--) {
        int p = pick(NODES);
        after.parent[i][p] = true;
        parents[parts.parents_count++] = node(place, p);    /* perhaps twice */
    }
    after.exists[i] = true;
    closure(&after, reach);
    for (int n = 0; n < NODES; n++)
        cycle |= reach[n][n];
    struct fb_store_error error;
    enum fb_store_status status = fb_store_put(store, &parts, &error);
    assert_status(status, cycle ? FB_STORE_CYCLE : FB_STORE_OK, &error);
    if (!cycle)
        *model = after;
    return !cycle;
}

static void agrees_with_brute_force(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    size_t refused = 0, done = 0;
    for (unsigned seed = 1; seed <= 10; seed++) {
        struct model model = {0};
        random_state = seed;
        for (int i = 0; i < NODES; i++)
            (void)fb_store_delete(store, node(place, i), NULL);
        for (int change = 0; change < 100; change++) {
            bool taken = change_at_random(place, store, &model);
            done += taken;
            refused += !taken;
            check_store(place, store, &model);
        }
    }
    /* The test tests something: both happened, often. */
    assert_true(refused > 20 && done > 200 && closed_seen > 50 && open_seen > 50);
    fb_store_close(store);
}

static void names_the_cycle(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    struct fb_store_error error;
    static const struct { const char *name, *parents, *cycle; } puts[] = {
        {"Group::self", "Group::self", "Group::\"self\" in Group::\"self\""},
        {"Group::a", "Group::b Group::z", NULL},
        {"Group::b", "Group::c", NULL},
        {"Group::c", "Group::a", "Group::\"c\" in Group::\"a\" in Group::\"b\" in Group::\"c\""},
        {"Group::c", "Group::q", NULL},
        {"Group::b", "Group::q Group::b", "Group::\"b\" in Group::\"b\""},
        {"Group::q", "Group::b", "Group::\"q\" in Group::\"b\" in Group::\"c\" in Group::\"q\""},
    };
    for (size_t i = 0; i < sizeof puts / sizeof *puts; i++) {
        enum fb_store_status status = put_named(store, place, puts[i].name, NULL, puts[i].parents, &error);
        assert_status(status, puts[i].cycle != NULL ? FB_STORE_CYCLE : FB_STORE_OK, &error);
        if (puts[i].cycle != NULL)
            assert_non_null(strstr(error.text, puts[i].cycle));
    }
    fb_store_close(store);
}

static void names_a_long_cycle_briefly(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    struct fb_store_error error;
    char name[40], parent[40];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "Group::n%d", i);
        (void)snprintf(parent, sizeof parent, "Group::n%d", (i + 1) % 100);
        assert_status(put_named(store, place, name, NULL, parent, &error), i == 99 ? FB_STORE_CYCLE : FB_STORE_OK, &error);
    }
    assert_non_null(strstr(error.text, "Group::\"n99\" in Group::\"n0\" in Group::\"n1\""));
    assert_non_null(strstr(error.text, "… in Group::\"n99\""));
    fb_store_close(store);
}

/* Moving a group must not touch its members: the point of leaves keeping direct parents only. */
static void moves_a_group_without_its_members(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    struct fb_entity entity;
    char name[40];
    for (int i = 0; i < 500; i++) {
        (void)snprintf(name, sizeof name, "User::u%d", i);
        assert_int_equal(put_named(store, place, name, NULL, "Group::g", NULL), FB_STORE_OK);
    }
    assert_int_equal(put_named(store, place, "Group::g", NULL, "Org::one", NULL), FB_STORE_OK);
    assert_int_equal(fb_store_find(store, uid_of(place, "User::u7"), &entity), FB_FOUND);
    uint64_t before = fb_hash(fb_span((const char *)entity.uid - 64, 64));
    const char *where = (const char *)entity.uid;
    assert_int_equal(put_named(store, place, "Group::g", NULL, "Org::two", NULL), FB_STORE_OK);
    assert_int_equal(fb_store_find(store, uid_of(place, "User::u7"), &entity), FB_FOUND);
    assert_ptr_equal(entity.uid, where);        /* not even its page was copied */
    assert_int_equal(fb_hash(fb_span((const char *)entity.uid - 64, 64)), before);
    const struct fb_entities source = {.find = find_in_store, .self = store};
    assert_int_equal(fb_entity_in(&source, uid_of(place, "User::u7"), uid_of(place, "Org::two")), FB_FOUND);
    assert_int_equal(fb_entity_in(&source, uid_of(place, "User::u7"), uid_of(place, "Org::one")), FB_ABSENT);
    fb_store_close(store);
}

static void keeps_contents_when_closures_change(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    struct fb_entity entity;
    assert_int_equal(put_named(store, place, "Group::g", "kept", "Org::o", NULL), FB_STORE_OK);
    assert_int_equal(put_named(store, place, "User::u", NULL, "Group::g", NULL), FB_STORE_OK);     /* closes g */
    assert_int_equal(put_named(store, place, "Org::o", NULL, "World::w", NULL), FB_STORE_OK);      /* rewrites g */
    assert_int_equal(fb_store_find(store, uid_of(place, "Group::g"), &entity), FB_FOUND);
    assert_false(entity.closed);        /* nothing is known of World::w */
    assert_int_equal(put_named(store, place, "World::w", NULL, "", NULL), FB_STORE_OK);
    assert_int_equal(fb_store_find(store, uid_of(place, "Group::g"), &entity), FB_FOUND);
    assert_true(entity.closed);
    assert_int_equal(entity.ancestors.count, 2);
    const struct fb_cell *note = fb_record_find(entity.attrs, fb_hash(FB_SPAN("note")), FB_SPAN("note"));
    assert_non_null(note);
    assert_true(fb_span_is(fb_value_text(fb_cell_load(note)), "kept"));
    fb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(agrees_with_brute_force),
        in_place(names_the_cycle),
        in_place(names_a_long_cycle_briefly),
        in_place(moves_a_group_without_its_members),
        in_place(keeps_contents_when_closures_change),
    };
    return cmocka_run_group_tests_name("store/tree", tests, NULL, NULL);
}
