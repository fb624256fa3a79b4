/* SPDX-License-Identifier: Apache-2.0 */
/* Stores made, opened, changed, listed, imported; and what is refused, with which words. */
#include "testing.h"

#include "store/layout.h"

#include <pwd.h>
#include <time.h>

static unsigned mode_of(const char *dir, const char *name)
{
    char path[200];
    struct stat facts;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(stat(path, &facts), 0);
    return (unsigned)(facts.st_mode & 07777u);
}

static void is_made_with_its_modes_whatever_the_umask(void **state)
{
    struct place *place = *state;
    static const mode_t masks[] = {0, 022, 077, 0777};
    for (size_t i = 0; i < 4; i++) {
        struct fb_store_error error;
        mode_t old = umask(masks[i] & 0770);
        assert_status(fb_store_create(place->dir, NULL, &error), FB_STORE_OK, &error);
        umask(old);
        assert_int_equal(mode_of(place->dir, ""), 02750);
        assert_int_equal(mode_of(place->dir, "data.mdb"), 0640);
        assert_int_equal(mode_of(place->dir, "lock.mdb"), 0660);
        assert_status(fb_store_create(place->dir, NULL, &error), FB_STORE_EXISTS, &error);
        remove_tree(place->dir);
    }
}

static void says_what_is_at_the_path(void **state)
{
    struct place *place = *state;
    struct fb_store_error error;
    const struct fb_store_options reading = {0}, writing = {.write = true}, making = {.write = true, .create = true};
    char path[200];
    assert_null(fb_store_open(place->dir, &reading, &error));
    assert_int_equal(error.status, FB_STORE_MISSING);
    assert_null(fb_store_open(place->dir, &writing, &error));
    assert_int_equal(error.status, FB_STORE_MISSING);
    assert_int_equal(mkdir(place->dir, 0700), 0);
    assert_null(fb_store_open(place->dir, &writing, &error));
    assert_int_equal(error.status, FB_STORE_MISSING);
    (void)snprintf(path, sizeof path, "%s/data.mdb", place->dir);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 3000; i++)
        (void)fputs("not a database", file);
    (void)fclose(file);
    assert_null(fb_store_open(place->dir, &making, &error));
    assert_int_equal(error.status, FB_STORE_FOREIGN);
    assert_status(fb_store_create(place->dir, NULL, &error), FB_STORE_EXISTS, &error);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);     /* must not hang */
    assert_null(fb_store_open(place->dir, &reading, &error));
    assert_int_equal(error.status, FB_STORE_FOREIGN);
    assert_int_equal(unlink(path), 0);
    struct fb_store *store = fb_store_open(place->dir, &making, &error);
    assert_non_null(store);
    fb_store_close(store);
}

/* Another program's LMDB file, and one of ours from the future. */
static void refuses_other_databases_and_versions(void **state)
{
    struct place *place = *state;
    struct fb_store_error error;
    const struct fb_store_options reading = {0};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    assert_int_equal(mkdir(place->dir, 0700), 0);
    for (int of_ours = 0; of_ours < 2; of_ours++) {
        if (of_ours == 1) {
            remove_tree(place->dir);
            fb_store_close(open_store(place->dir, true));
        }
        assert_int_equal(mdb_env_create(&env), 0);
        assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
        assert_int_equal(mdb_env_open(env, place->dir, 0, 0600), 0);
        assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
        assert_int_equal(mdb_dbi_open(txn, of_ours ? "meta" : NULL, 0, &table), 0);
        const struct fb_meta meta = {.magic = FB_META_MAGIC, .version = FB_META_VERSION + 1, .golden = fb_meta_golden()};
        MDB_val key = fb_val("store\0\0\0", 8), value = fb_val(&meta, sizeof meta);
        assert_int_equal(mdb_put(txn, table, &key, &value, 0), 0);
        assert_int_equal(mdb_txn_commit(txn), 0);
        mdb_env_close(env);
        assert_null(fb_store_open(place->dir, &reading, &error));
        assert_int_equal(error.status, FB_STORE_FOREIGN);
        assert_non_null(strstr(error.text, of_ours ? "format 3, and this forbid reads formats 1 to 2" : "not made by forbid"));
        assert_status(fb_store_create(place->dir, NULL, &error), FB_STORE_EXISTS, &error);
    }
}

static void keeps_what_was_put(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    struct fb_store_info info, again;
    struct fb_entity entity;
    assert_int_equal(put_named(store, place, "User::alice", "hello", "Role::admin Team::a Role::admin", NULL), FB_STORE_OK);
    assert_int_equal(put_named(store, place, "App::User::bob", NULL, "", NULL), FB_STORE_OK);
    assert_int_equal(fb_store_info(store, &info, NULL), FB_STORE_OK);
    fb_store_close(store);
    store = open_store(place->dir, false);
    assert_int_equal(fb_store_info(store, &again, NULL), FB_STORE_OK);
    assert_memory_equal(info.identity, again.identity, sizeof info.identity);
    assert_int_equal(again.entities, 2);
    assert_int_equal(again.revision, 3);
    assert_int_equal(fb_store_find(store, uid_of(place, "User::alice"), &entity), FB_FOUND);
    assert_int_equal(entity.parents.count, 2);
    const struct fb_cell *note = fb_record_find(entity.attrs, fb_hash(FB_SPAN("note")), FB_SPAN("note"));
    assert_true(note != NULL && fb_span_is(fb_value_text(fb_cell_load(note)), "hello"));
    assert_int_equal(fb_store_find(store, uid_of(place, "App::User::bob"), &entity), FB_FOUND);
    assert_int_equal(fb_store_find(store, uid_of(place, "User::bob"), &entity), FB_ABSENT);
    assert_int_equal(put_named(store, place, "User::bob", NULL, "", NULL), FB_STORE_REFUSED);
    fb_store_close(store);
}

static void keeps_ids_of_any_length(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    static char id[FB_UID_ID_MAX];
    static const size_t lengths[] = {0, 1, 7, 8, 490, 497, 498, 499, 500, 510, 1000, FB_UID_ID_MAX};
    memset(id, 'x', sizeof id);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            const struct fb_uid *uid = fb_uid_new(&place->arena, FB_SPAN("User"), fb_span(id, lengths[i]));
            const struct fb_entity_parts parts = {.uid = uid, .attrs = empty_record(place), .tags = empty_record(place)};
            struct fb_entity entity;
            if (round == 0)
                assert_int_equal(fb_store_put(store, &parts, NULL), FB_STORE_OK);
            assert_int_equal(fb_store_find(store, uid, &entity), FB_FOUND);
            assert_true(fb_uid_eq(entity.uid, uid));
        }
    fb_store_close(store);
}

static void undoes_a_transaction_that_failed(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    struct fb_entity entity;
    struct fb_store_error error;
    assert_int_equal(put_named(store, place, "Group::a", NULL, "Group::b", NULL), FB_STORE_OK);
    assert_int_equal(fb_store_begin(store, NULL), FB_STORE_OK);
    assert_int_equal(fb_store_begin(store, NULL), FB_STORE_FAILED);
    assert_int_equal(put_named(store, place, "User::u", NULL, "Group::a", NULL), FB_STORE_OK);
    assert_int_equal(fb_store_find(store, uid_of(place, "User::u"), &entity), FB_FOUND);
    assert_int_equal(put_named(store, place, "Group::b", NULL, "Group::a", NULL), FB_STORE_CYCLE);
    assert_int_equal(put_named(store, place, "User::v", NULL, "", NULL), FB_STORE_FAILED);
    assert_status(fb_store_commit(store, &error), FB_STORE_FAILED, &error);
    assert_int_equal(fb_store_find(store, uid_of(place, "User::u"), &entity), FB_ABSENT);
    assert_int_equal(fb_store_find(store, uid_of(place, "Group::a"), &entity), FB_FOUND);
    assert_int_equal(fb_store_begin(store, NULL), FB_STORE_OK);
    assert_int_equal(put_named(store, place, "User::u", NULL, "Group::a", NULL), FB_STORE_OK);
    assert_int_equal(fb_store_commit(store, NULL), FB_STORE_OK);
    assert_int_equal(fb_store_find(store, uid_of(place, "User::u"), &entity), FB_FOUND);
    assert_int_equal(fb_store_delete(store, uid_of(place, "User::w"), NULL), FB_STORE_ABSENT);
    fb_store_close(store);
}

struct names {
    char text[4000];
    size_t stop_after, seen;
};

static bool collect(void *context, const struct fb_entity *entity)
{
    struct names *names = context;
    struct fb_span id = fb_uid_id(entity->uid);
    (void)snprintf(names->text + strlen(names->text), sizeof names->text - strlen(names->text), "%.*s ",
                   (int)(id.len < 12 ? id.len : 12), id.ptr);
    return ++names->seen != names->stop_after;
}

static void lists_by_type_prefix_and_page(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    static const char *const names[] = {"User::anna", "User::ann", "User::bob", "Users::x", "Use::y", "User::annie",
                                        "Group::g", "User::B::z"};
    static char long_id[700];
    memset(long_id, 'a', sizeof long_id);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(put_named(store, place, names[i], NULL, "", NULL), FB_STORE_OK);
    const struct fb_entity_parts parts = {.uid = fb_uid_new(&place->arena, FB_SPAN("User"), fb_span(long_id, sizeof long_id)),
                                          .attrs = empty_record(place), .tags = empty_record(place)};
    assert_int_equal(fb_store_put(store, &parts, NULL), FB_STORE_OK);
    const struct { struct fb_store_list list; size_t stop; const char *expected; } cases[] = {
        {{.limit = 0}, 0, "g y ann anna annie bob z x aaaaaaaaaaaa "},
        {{.type = FB_SPAN("User")}, 0, "ann anna annie bob aaaaaaaaaaaa "},
        {{.type = FB_SPAN("User"), .prefix = FB_SPAN("ann")}, 0, "ann anna annie "},
        {{.type = FB_SPAN("User"), .prefix = FB_SPAN("a")}, 0, "ann anna annie aaaaaaaaaaaa "},
        {{.type = FB_SPAN("User"), .limit = 2}, 0, "ann anna "},
        {{.type = FB_SPAN("User"), .limit = 2, .after = uid_of(place, "User::anna")}, 0, "annie bob "},
        {{.type = FB_SPAN("User"), .after = uid_of(place, "User::anon")}, 0, "bob aaaaaaaaaaaa "},
        {{.type = FB_SPAN("User"), .after = parts.uid}, 0, ""},
        {{.type = FB_SPAN("Nobody")}, 0, ""},
        {{.type = FB_SPAN("User")}, 3, "ann anna annie "},
        {{.type = FB_SPAN("User::B")}, 0, "z "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct names got = {.stop_after = cases[i].stop};
        assert_int_equal(fb_store_list_entities(store, &cases[i].list, collect, &got, NULL), FB_STORE_OK);
        assert_string_equal(got.text, cases[i].expected);
    }
    fb_store_close(store);
}

/* --- Imports -------------------------------------------------------------------------------------------- */

struct feed {
    struct place *place;
    struct fb_arena arena;
    size_t at, count, cycle_at, batches;
};

static bool next_entity(void *context, struct fb_entity *entity)
{
    struct feed *feed = context;
    char id[32];
    if (feed->at == feed->count)
        return false;
    fb_arena_clear(&feed->arena);
    int len = snprintf(id, sizeof id, "u%zu", feed->at);
    const struct fb_uid *uid = fb_uid_new(&feed->arena, FB_SPAN("User"), fb_span(id, (size_t)len));
    struct fb_entity_parts parts = {.uid = uid, .attrs = empty_record(feed->place), .tags = empty_record(feed->place),
                                    .parents = &uid, .parents_count = feed->at == feed->cycle_at};
    feed->at++;
    fb_entity_open(fb_entity_encode(&feed->arena, &parts), entity);
    return true;
}

static void count_batch(void *context, size_t done)
{
    struct feed *feed = context;
    feed->batches++;
    assert_true(done <= feed->count);
}

static bool next_slowly(void *context, struct fb_entity *entity)
{
    nanosleep(&(struct timespec){.tv_nsec = (FB_STORE_TURN_MS / 2 + 10) * 1000000L}, NULL);
    return next_entity(context, entity);
}

/* A chain of 1,000 groups, its end first, held the writers' lock for two minutes. */
static void a_slow_import_lets_others_write(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    struct feed feed = {.place = place, .count = 4, .cycle_at = SIZE_MAX};
    fb_arena_init(&feed.arena, &fb_heap, 1 << 20);
    const struct fb_store_import import = {next_slowly, count_batch, &feed, 0};
    struct fb_store_error error;
    size_t done = 0;
    assert_int_equal(fb_store_import(store, &import, &done, &error), FB_STORE_OK);
    assert_int_equal(done, 4);
    assert_in_range(feed.batches, 2, 4);
    fb_arena_release(&feed.arena);
    fb_store_close(store);
}

static void imports_in_batches(void **state)
{
    struct place *place = *state;
    static const struct { size_t count, batch, cycle_at, done, batches; } cases[] = {
        {0, 10, SIZE_MAX, 0, 0}, {10, 10, SIZE_MAX, 10, 1}, {25, 10, SIZE_MAX, 25, 3}, {25, 10, 17, 10, 1},
        {2500, 0, SIZE_MAX, 2500, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fb_store *store = open_store(place->dir, true);
        struct feed feed = {.place = place, .count = cases[i].count, .cycle_at = cases[i].cycle_at};
        fb_arena_init(&feed.arena, &fb_heap, 1 << 20);
        const struct fb_store_import import = {next_entity, count_batch, &feed, cases[i].batch};
        struct fb_store_error error;
        struct fb_store_info info;
        size_t done;
        enum fb_store_status status = fb_store_import(store, &import, &done, &error);
        assert_status(status, cases[i].cycle_at != SIZE_MAX ? FB_STORE_CYCLE : FB_STORE_OK, &error);
        assert_int_equal(done, cases[i].done);
        assert_int_equal(feed.batches, cases[i].batches);
        assert_int_equal(fb_store_info(store, &info, NULL), FB_STORE_OK);
        assert_int_equal(info.entities, cases[i].done);
        fb_store_close(store);
        fb_arena_release(&feed.arena);
        remove_tree(place->dir);
    }
}

/* --- Limits of the world ------------------------------------------------------------------------------------ */

static void says_when_the_map_is_full(void **state)
{
    struct place *place = *state;
    struct fb_store_error error;
    const struct fb_store_options options = {.write = true, .create = true, .map = 256 << 10, .unsafe = true};
    struct fb_store *store = fb_store_open(place->dir, &options, &error);
    assert_non_null(store);
    enum fb_store_status status = FB_STORE_OK;
    char name[40];
    int i = 0;
    for (; status == FB_STORE_OK && i < 100000; i++) {
        (void)snprintf(name, sizeof name, "User::u%d", i);
        status = put_named(store, place, name, NULL, "", &error);
    }
    assert_status(status, FB_STORE_FULL, &error);
    assert_non_null(strstr(error.text, "map is full"));
    struct fb_entity entity;
    assert_int_equal(fb_store_find(store, uid_of(place, "User::u0"), &entity), FB_FOUND);
    assert_int_equal(fb_store_find(store, uid_of(place, name), &entity), FB_ABSENT);
    fb_store_close(store);
    store = open_store(place->dir, true);       /* a larger one cures it */
    assert_int_equal(put_named(store, place, name, NULL, "", NULL), FB_STORE_OK);
    fb_store_close(store);
}

static void refuses_too_many_parents_and_too_large_entities(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    static const struct fb_uid *parents[FB_STORE_PARENTS_MAX + 1];
    struct fb_store_error error;
    char *large = malloc(FB_ENTITY_MAX + 1);
    memset(large, 'x', FB_ENTITY_MAX);
    large[FB_ENTITY_MAX] = '\0';
    for (size_t i = 0; i <= FB_STORE_PARENTS_MAX; i++)
        parents[i] = uid_of(place, "Group::g");
    struct fb_entity_parts parts = {.uid = uid_of(place, "User::u"), .attrs = empty_record(place),
                                    .tags = empty_record(place), .parents = parents,
                                    .parents_count = FB_STORE_PARENTS_MAX + 1};
    assert_status(fb_store_put(store, &parts, &error), FB_STORE_LIMIT, &error);
    parts.parents_count--;
    assert_status(fb_store_put(store, &parts, &error), FB_STORE_OK, &error);
    parts.attrs = note_record(place, large);
    assert_status(fb_store_put(store, &parts, &error), FB_STORE_LIMIT, &error);
    large[FB_ENTITY_MAX / 2] = '\0';
    parts.attrs = note_record(place, large);
    assert_status(fb_store_put(store, &parts, &error), FB_STORE_OK, &error);
    parts.uid = fb_uid_new(&place->arena, FB_SPAN("no type"), FB_SPAN("x"));
    assert_int_not_equal(fb_store_put(store, &parts, &error), FB_STORE_OK);
    fb_store_close(store);
    free(large);
}

/* Every allocation fails once: a status each time, the store as before, no leak. */
static size_t calls, fail_at;

static void *counting_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    (void)context;
    if (new_size != 0 && ++calls == fail_at)
        return NULL;
    return fb_heap.resize(fb_heap.context, block, old_size, new_size);
}

static void survives_failing_memory(void **state)
{
    struct place *place = *state;
    static const struct fb_allocator failing = {counting_resize, NULL};
    const struct fb_store_options options = {.allocator = &failing, .write = true, .create = true, .unsafe = true};
    bool done = false;
    fb_store_close(open_store(place->dir, true));
    for (fail_at = 1; !done && fail_at < 500; fail_at++) {
        struct fb_store_error error = {0};
        calls = 0;
        struct fb_store *store = fb_store_open(place->dir, &options, &error);
        if (store == NULL) {
            assert_int_equal(error.status, FB_STORE_MEMORY);
            continue;
        }
        enum fb_store_status status = put_named(store, place, "Group::g", "x", "Org::o", &error);
        if (status == FB_STORE_OK)
            status = put_named(store, place, "User::u", "x", "Group::g", &error);
        if (status == FB_STORE_OK)
            status = put_named(store, place, "Group::g", "x", "Org::p", &error);
        if (status != FB_STORE_OK)
            assert_status(status, FB_STORE_MEMORY, &error);
        done = status == FB_STORE_OK && calls < fail_at;
        fb_store_close(store);
    }
    assert_true(done && fail_at > 3);
}

/* LMDB may leave the last pages unwritten; a file that stays short would look cut to readers. */
static void settles_the_length_of_the_file(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    char path[200];
    struct stat before, after;
    (void)snprintf(path, sizeof path, "%s/data.mdb", place->dir);
    assert_int_equal(put_named(store, place, "User::u", NULL, "", NULL), FB_STORE_OK);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(truncate(path, before.st_size - 4096), 0);
    fb_env_settle(&store->env);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_int_equal(truncate(path, before.st_size + 4096), 0);
    fb_env_settle(&store->env);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_size, before.st_size + 4096);     /* never shortened */
    fb_store_close(store);
}

/* --- Permissions: as another user, since root may do anything ------------------------------------------------ */

static int try_as_stranger(struct place *place, const void *what)
{
    const struct fb_store_options *options = what;
    struct fb_store_error error;
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 50;
    struct fb_store *store = fb_store_open(place->dir, options, &error);
    if (store != NULL)
        return 51;
    fprintf(stderr, "# %s\n", error.text);
    bool helpful = strstr(error.text, "65534") != NULL && strstr(error.text, "must allow") != NULL;
    return error.status == FB_STORE_DENIED && helpful ? 0 : 52;
}

static int read_as_stranger(struct place *place, const void *what)
{
    (void)what;
    const struct fb_store_options reading = {0};
    if (setgid(65534) != 0 || setuid(65534) != 0)
        return 50;
    struct fb_store *store = fb_store_open(place->dir, &reading, NULL);
    struct fb_entity entity;
    if (store == NULL)
        return 51;
    return fb_store_find(store, uid_of(place, "User::u"), &entity) == FB_FOUND ? 0 : 52;
}

static void lets_the_group_read_and_only_the_owner_write(void **state)
{
    struct place *place = *state;
    struct fb_store_options reading = {0}, writing = {.write = true};
    if (geteuid() != 0) {
        print_message("# only root can become another user\n");
        skip();
    }
    assert_int_equal(chmod(place->root, 0755), 0);
    const struct fb_store_options making = {.write = true, .set_group = true, .group = 65534};
    assert_int_equal(elsewhere(try_as_stranger, place, &reading), 52);      /* missing, not denied */
    assert_int_equal(fb_store_create(place->dir, &making, NULL), FB_STORE_OK);
    struct fb_store *store = open_store(place->dir, true);
    assert_int_equal(put_named(store, place, "User::u", NULL, "", NULL), FB_STORE_OK);
    fb_store_close(store);
    assert_int_equal(elsewhere(read_as_stranger, place, NULL), 0);
    assert_int_equal(elsewhere(try_as_stranger, place, &writing), 0);
    char path[200];
    static const char *const names[] = {"", "data.mdb", "lock.mdb"};
    for (size_t i = 0; i < 3; i++) {        /* each alone is enough to keep a reader out */
        (void)snprintf(path, sizeof path, "%s/%s", place->dir, names[i]);
        assert_int_equal(chown(path, 0, 0), 0);
        assert_int_equal(elsewhere(try_as_stranger, place, &reading), 0);
        assert_int_equal(chown(path, 0, 65534), 0);
        assert_int_equal(chmod(path, i == 0 ? 02750 : i == 1 ? 0640 : 0660), 0);
        assert_int_equal(elsewhere(read_as_stranger, place, NULL), 0);
    }
    /* A lost lock file comes back as readers need it. */
    assert_int_equal(unlink(path), 0);
    fb_store_close(open_store(place->dir, true));
    assert_int_equal(mode_of(place->dir, "lock.mdb"), 0660);
    assert_int_equal(elsewhere(read_as_stranger, place, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(is_made_with_its_modes_whatever_the_umask),
        in_place(says_what_is_at_the_path),
        in_place(refuses_other_databases_and_versions),
        in_place(keeps_what_was_put),
        in_place(keeps_ids_of_any_length),
        in_place(undoes_a_transaction_that_failed),
        in_place(lists_by_type_prefix_and_page),
        in_place(imports_in_batches),
        in_place(a_slow_import_lets_others_write),
        in_place(says_when_the_map_is_full),
        in_place(refuses_too_many_parents_and_too_large_entities),
        in_place(survives_failing_memory),
        in_place(settles_the_length_of_the_file),
        in_place(lets_the_group_read_and_only_the_owner_write),
    };
    return cmocka_run_group_tests_name("store/store", tests, NULL, NULL);
}
