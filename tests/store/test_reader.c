/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's reader, while other processes write, remove, replace and break the store.  Time is the
 * test's own: a look is due when `now` says so. */
#include "testing.h"

#include <stdatomic.h>
#include <sys/mman.h>

struct world {
    struct place *place;
    struct fb_store_reader *reader;
    uint64_t now;
};

static struct world open_world(void **state, _Atomic uint32_t *crashes)
{
    struct world world = {.place = *state, .now = 1000};
    const struct fb_store_reader_options options = {.crashes = crashes};
    world.reader = fb_store_reader_new(world.place->dir, &options);
    assert_non_null(world.reader);
    return world;
}

/* The state of an account in a snapshot of its own; or minus the status. */
static int state_of(struct world *world, const char *name)
{
    struct fb_account account;
    enum fb_store_status status = fb_store_snapshot(world->reader, world->now);
    if (status != FB_STORE_OK)
        return -(int)status;
    enum fb_found found = fb_store_account(world->reader, uid_of(world->place, name), &account);
    fb_store_release(world->reader);
    return found == FB_BROKEN ? 99 : (int)account.state;
}

static void does(struct world *world, const char *name, enum fb_account_step step)
{
    struct account_step what = {name, step};
    assert_int_equal(elsewhere(step_account, world->place, &what), FB_STORE_OK);
}

static int put_user(struct place *place, const void *what)
{
    const struct fb_store_options options = {.write = true, .create = true};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    if (store == NULL)
        return 100;
    enum fb_store_status status = put_named(store, place, what, NULL, "Role::admin", NULL);
    fb_store_close(store);
    return (int)status;
}

static int delete_user(struct place *place, const void *what)
{
    const struct fb_store_options options = {.write = true};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    if (store == NULL)
        return 100;
    enum fb_store_status status = fb_store_delete(store, uid_of(place, what), NULL);
    fb_store_close(store);
    return (int)status;
}

static enum fb_found look_up(struct world *world, const char *name)
{
    assert_int_equal(fb_store_snapshot(world->reader, world->now), FB_STORE_OK);
    enum fb_found found = fb_store_exists(world->reader, uid_of(world->place, name));
    fb_store_release(world->reader);
    return found;
}

/* --- The next snapshot sees it ---------------------------------------------------------------------------- */

static void sees_a_change_at_the_next_snapshot(void **state)
{
    struct world world = open_world(state, NULL);
    static const struct { enum fb_account_step step; int state; } steps[] = {
        {FB_ACCOUNT_SUSPEND, FB_ACCOUNT_SUSPENDED}, {FB_ACCOUNT_RESTORE, FB_ACCOUNT_ACTIVE},
        {FB_ACCOUNT_DISABLE, FB_ACCOUNT_DISABLED}, {FB_ACCOUNT_DELETE, FB_ACCOUNT_DELETED},
        {FB_ACCOUNT_ADD, FB_ACCOUNT_ACTIVE},
    };
    does(&world, "User::other", FB_ACCOUNT_DISABLE);
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_ACTIVE);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        does(&world, "User::alice", steps[i].step);
        assert_int_equal(state_of(&world, "User::alice"), steps[i].state);  /* no time has passed */
        assert_int_equal(state_of(&world, "User::alice"), steps[i].state);  /* from the cache */
        assert_int_equal(state_of(&world, "User::other"), FB_ACCOUNT_DISABLED);
    }
    fb_store_reader_free(world.reader);
}

static void sees_the_first_account_of_all(void **state)
{
    struct world world = open_world(state, NULL);
    assert_int_equal(elsewhere(put_user, world.place, "User::alice"), FB_STORE_OK);
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_ACTIVE);       /* the table is empty */
    does(&world, "User::alice", FB_ACCOUNT_SUSPEND);
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_SUSPENDED);
    fb_store_reader_free(world.reader);
}

static void sees_entities_come_and_go(void **state)
{
    struct world world = open_world(state, NULL);
    assert_int_equal(elsewhere(put_user, world.place, "User::bob"), FB_STORE_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(look_up(&world, "User::alice"), FB_ABSENT);
        assert_int_equal(look_up(&world, "User::bob"), FB_FOUND);
        assert_int_equal(elsewhere(put_user, world.place, "User::alice"), FB_STORE_OK);
        assert_int_equal(look_up(&world, "User::alice"), FB_FOUND);
        assert_int_equal(look_up(&world, "User::alice"), FB_FOUND);
        assert_int_equal(elsewhere(delete_user, world.place, "User::alice"), FB_STORE_OK);
    }
    fb_store_reader_free(world.reader);
}

static void keeps_one_version_within_a_snapshot(void **state)
{
    struct world world = open_world(state, NULL);
    struct fb_account account;
    does(&world, "User::other", FB_ACCOUNT_DISABLE);
    assert_int_equal(fb_store_snapshot(world.reader, world.now), FB_STORE_OK);
    does(&world, "User::alice", FB_ACCOUNT_SUSPEND);
    assert_int_equal(fb_store_account(world.reader, uid_of(world.place, "User::alice"), &account), FB_ABSENT);
    assert_int_equal(fb_store_snapshot(world.reader, world.now + 1000), FB_STORE_OK);   /* the same one */
    assert_int_equal(fb_store_account(world.reader, uid_of(world.place, "User::alice"), &account), FB_ABSENT);
    fb_store_release(world.reader);
    assert_int_equal(fb_store_account(world.reader, uid_of(world.place, "User::alice"), &account), FB_BROKEN);
    assert_int_equal(fb_store_exists(world.reader, uid_of(world.place, "User::alice")), FB_BROKEN);
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_SUSPENDED);
    fb_store_reader_free(world.reader);
}

/* Another process reads with the real clock, while this one writes. */
static int wait_for_suspension(struct place *place, const void *what)
{
    const int *pipes = what;
    const struct fb_store_reader_options options = {0};
    struct fb_store_reader *reader = fb_store_reader_new(place->dir, &options);
    struct fb_account account = {0};
    char byte;
    for (int round = 0; round < 2; round++) {
        if (read(pipes[0], &byte, 1) != 1 || fb_store_snapshot(reader, fb_store_clock()) != FB_STORE_OK)
            return 50;
        (void)fb_store_account(reader, uid_of(place, "User::alice"), &account);
        fb_store_release(reader);
        if (account.state != (round == 0 ? FB_ACCOUNT_ACTIVE : FB_ACCOUNT_SUSPENDED))
            return 51 + round;
        if (write(pipes[3], "x", 1) != 1)
            return 53;
    }
    fb_store_reader_free(reader);
    return 0;
}

static void reaches_another_process(void **state)
{
    struct place *place = *state;
    int pipes[4], status;
    char byte;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(pipe(pipes + 2), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(wait_for_suspension(place, pipes));
    struct account_step add = {"User::alice", FB_ACCOUNT_ADD}, suspend = {"User::alice", FB_ACCOUNT_SUSPEND};
    assert_int_equal(step_account(place, &add), FB_STORE_OK);
    assert_int_equal(write(pipes[1], "x", 1), 1);
    assert_int_equal(read(pipes[2], &byte, 1), 1);
    assert_int_equal(step_account(place, &suspend), FB_STORE_OK);
    assert_int_equal(write(pipes[1], "x", 1), 1);
    assert_int_equal(read(pipes[2], &byte, 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (int i = 0; i < 4; i++)
        (void)close(pipes[i]);
}

/* --- Gone, and back --------------------------------------------------------------------------------------- */

enum trouble { REMOVED, MOVED_AWAY, DATA_REMOVED, LOCK_REPLACED, EMPTY_DIRECTORY, EMPTY_FILE, GARBAGE, GARBAGE_IN_PLACE,
               CUT, CUT_TO_NOTHING, A_FILE, ANOTHER_STORE, UNSEARCHABLE, TROUBLES };

static char *path_in(const struct place *place, const char *name, char path[200])
{
    (void)snprintf(path, 200, "%s/%s", place->root, name);
    return path;
}

static void write_file(const char *path, const char *mode, size_t len)
{
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    for (size_t i = 0; i < len; i++)
        (void)fputc((int)(i * 131 % 251), file);
    assert_int_equal(fclose(file), 0);
}

static int make_other_store(struct place *place, const void *what)
{
    (void)what;
    struct place other = *place;
    (void)strcpy(other.dir + strlen(other.root), "/other");
    struct account_step disable = {"User::alice", FB_ACCOUNT_DISABLE};
    return step_account(&other, &disable);
}

static void make_trouble(struct place *place, enum trouble trouble)
{
    char data[200], lock[200], aside[200];
    path_in(place, "store/data.mdb", data);
    path_in(place, "store/lock.mdb", lock);
    path_in(place, "aside", aside);
    switch (trouble) {
    case REMOVED: remove_tree(place->dir); break;
    case MOVED_AWAY: assert_int_equal(rename(place->dir, aside), 0); break;
    case DATA_REMOVED: assert_int_equal(unlink(data), 0); break;
    case LOCK_REPLACED: write_file(aside, "w", 8192); assert_int_equal(rename(aside, lock), 0); break;
    case EMPTY_DIRECTORY: assert_int_equal(rename(place->dir, aside), 0); assert_int_equal(mkdir(place->dir, 0700), 0); break;
    case EMPTY_FILE: write_file(aside, "w", 0); assert_int_equal(rename(aside, data), 0); break;
    case GARBAGE: write_file(aside, "w", 100000); assert_int_equal(rename(aside, data), 0); break;
    case GARBAGE_IN_PLACE: write_file(data, "w", 1000); break;
    case CUT: assert_int_equal(truncate(data, 3 * 4096), 0); break;
    case CUT_TO_NOTHING: assert_int_equal(truncate(data, 0), 0); break;
    case A_FILE: remove_tree(place->dir); write_file(place->dir, "w", 10); break;
    case ANOTHER_STORE:
        assert_int_equal(elsewhere(make_other_store, place, NULL), 0);
        assert_int_equal(rename(place->dir, aside), 0);
        assert_int_equal(rename(path_in(place, "other", data), place->dir), 0);
        break;
    case UNSEARCHABLE: assert_int_equal(chmod(place->dir, 0), 0); break;
    case TROUBLES: break;
    }
}

static void suffers(void **state, enum trouble trouble)
{
    struct world world = open_world(state, NULL);
    char path[200];
    does(&world, "User::alice", FB_ACCOUNT_SUSPEND);
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_SUSPENDED);
    make_trouble(world.place, trouble);
    world.now += FB_STORE_LOOK_MS;
    int seen = state_of(&world, "User::alice");
    if (trouble == ANOTHER_STORE) {         /* sound: served at once, as it is */
        assert_int_equal(seen, FB_ACCOUNT_DISABLED);
    } else if (trouble == LOCK_REPLACED) {  /* garbage in it: LMDB makes it anew, since nobody else has it */
        assert_true(seen < 0 || seen == FB_ACCOUNT_SUSPENDED);
    } else {
        assert_true(seen < 0);
        for (int i = 0; i < 5; i++) {
            assert_true(state_of(&world, "User::alice") < 0);
            world.now += 20;
        }
        struct fb_store_state told;
        fb_store_reader_state(world.reader, &told);
        assert_int_not_equal(told.status, FB_STORE_OK);
        assert_true(strlen(told.text) > 10);
    }
    /* Put right: a new store at the path, with another truth. */
    assert_true(chmod(world.place->dir, 0750) == 0 || errno == ENOENT);
    remove_tree(world.place->dir);
    remove_tree(path_in(world.place, "aside", path));
    (void)unlink(world.place->dir);
    does(&world, "User::alice", FB_ACCOUNT_DISABLE);
    world.now += FB_STORE_LOOK_MS;
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_DISABLED);
    does(&world, "User::alice", FB_ACCOUNT_DELETE);
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_DELETED);
    fb_store_reader_free(world.reader);
}

#define TROUBLE(name, trouble) static void name(void **state) { suffers(state, trouble); }
TROUBLE(survives_removal, REMOVED)
TROUBLE(survives_being_moved_away, MOVED_AWAY)
TROUBLE(survives_loss_of_the_data, DATA_REMOVED)
TROUBLE(survives_another_lock_file, LOCK_REPLACED)
TROUBLE(survives_an_empty_directory, EMPTY_DIRECTORY)
TROUBLE(survives_an_empty_file, EMPTY_FILE)
TROUBLE(survives_garbage, GARBAGE)
TROUBLE(survives_garbage_in_place, GARBAGE_IN_PLACE)
TROUBLE(survives_being_cut, CUT)
TROUBLE(survives_being_cut_to_nothing, CUT_TO_NOTHING)
TROUBLE(survives_a_file_for_a_directory, A_FILE)
TROUBLE(survives_another_store, ANOTHER_STORE)

/* Another store at the same version number: nothing that was remembered of the old one may count,
 * least of all that there was no row. */
static void forgets_the_store_that_went(void **state)
{
    struct world world = open_world(state, NULL);
    struct fb_store_state before, after;
    for (int with_accounts = 0; with_accounts < 2; with_accounts++) {
        if (with_accounts)
            does(&world, "User::other", FB_ACCOUNT_DISABLE);
        else
            assert_int_equal(elsewhere(put_user, world.place, "User::other"), FB_STORE_OK);
        world.now += FB_STORE_LOOK_MS;
        assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_ACTIVE);
        fb_store_reader_state(world.reader, &before);
        make_trouble(world.place, REMOVED);
        does(&world, "User::alice", FB_ACCOUNT_SUSPEND);
        world.now += FB_STORE_LOOK_MS;
        assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_SUSPENDED);
        fb_store_reader_state(world.reader, &after);
        assert_int_equal(before.revision, after.revision);
        assert_int_equal(before.openings + 1, after.openings);
        assert_memory_not_equal(before.identity, after.identity, sizeof before.identity);
        make_trouble(world.place, REMOVED);
    }
    fb_store_reader_free(world.reader);
}

/* A lock file made anew knows nothing of our slot: the reader must register again. */
static void registers_in_a_new_lock_file(void **state)
{
    struct world world = open_world(state, NULL);
    struct fb_store_state told;
    char path[200];
    does(&world, "User::alice", FB_ACCOUNT_ADD);
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_ACTIVE);
    assert_int_equal(unlink(path_in(world.place, "store/lock.mdb", path)), 0);
    does(&world, "User::alice", FB_ACCOUNT_SUSPEND);        /* makes another */
    world.now += FB_STORE_LOOK_MS;
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_SUSPENDED);
    fb_store_reader_state(world.reader, &told);
    assert_int_equal(told.openings, 2);
    fb_store_reader_free(world.reader);
}

/* Permissions lost for a while: as another user, since root may do anything.  The directory belongs
 * to the child, so it can take its own rights away and give them back. */
static int lose_permission(struct place *place, const void *what)
{
    (void)what;
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 50;
    struct account_step suspend = {"User::alice", FB_ACCOUNT_SUSPEND};
    struct world world = {.place = place, .now = 1000};
    const struct fb_store_reader_options options = {0};
    world.reader = fb_store_reader_new(place->dir, &options);
    pid_t writer = fork();
    if (writer == 0)
        _exit(step_account(place, &suspend));
    int status;
    if (waitpid(writer, &status, 0) != writer || status != 0 || state_of(&world, "User::alice") != FB_ACCOUNT_SUSPENDED)
        return 51;
    if (chmod(place->dir, 0) != 0)
        return 52;
    world.now += FB_STORE_LOOK_MS;
    if (state_of(&world, "User::alice") >= 0)
        return 53;
    world.now += FB_STORE_LOOK_MS;
    if (state_of(&world, "User::alice") != -(int)FB_STORE_DENIED)
        return 54;
    if (chmod(place->dir, 0750) != 0)
        return 55;
    world.now += FB_STORE_LOOK_MS;
    if (state_of(&world, "User::alice") != FB_ACCOUNT_SUSPENDED)
        return 56;
    fb_store_reader_free(world.reader);
    return 0;
}

static void survives_lost_permissions(void **state)
{
    struct place *place = *state;
    assert_int_equal(chmod(place->root, 0777), 0);
    assert_int_equal(elsewhere(lose_permission, place, NULL), 0);
}

/* Within a look's time the old state is served; that is the bound, and not longer. */
static void notices_within_its_bound(void **state)
{
    struct world world = open_world(state, NULL);
    does(&world, "User::alice", FB_ACCOUNT_SUSPEND);
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_SUSPENDED);
    make_trouble(world.place, REMOVED);
    world.now += FB_STORE_LOOK_MS - 1;
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_SUSPENDED);
    world.now += 1;
    assert_int_equal(state_of(&world, "User::alice"), -(int)FB_STORE_MISSING);
    fb_store_reader_free(world.reader);
}

static void knows_its_directory_by_any_path(void **state)
{
    struct world world = open_world(state, NULL);
    char path[200];
    does(&world, "User::alice", FB_ACCOUNT_ADD);
    assert_int_equal(symlink(world.place->dir, path_in(world.place, "link", path)), 0);
    assert_true(fb_store_reader_is(world.reader, path));
    assert_true(fb_store_reader_is(world.reader, world.place->dir));
    assert_false(fb_store_reader_is(world.reader, world.place->root));
    assert_false(fb_store_reader_is(world.reader, "/nowhere"));
    fb_store_reader_free(world.reader);
}

/* --- Workers that die ------------------------------------------------------------------------------------------ */

/* A worker that takes a snapshot and dies of it. */
static int die_young(struct place *place, const void *what)
{
    _Atomic uint32_t *const *crashes = what;
    const struct fb_store_reader_options options = {.crashes = *crashes};
    struct fb_store_reader *reader = fb_store_reader_new(place->dir, &options);
    enum fb_store_status status = fb_store_snapshot(reader, 1000);
    return status == FB_STORE_OK ? 77 : (int)status;
}

static void starts_closed_after_young_deaths(void **state)
{
    struct place *place = *state;
    _Atomic uint32_t *crashes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(crashes != MAP_FAILED);
    struct account_step add = {"User::alice", FB_ACCOUNT_ADD};
    assert_int_equal(elsewhere(step_account, place, &add), FB_STORE_OK);
    for (unsigned i = 0; i < FB_STORE_CRASHES; i++) {
        assert_int_equal(elsewhere(die_young, place, &crashes), 77);
        assert_int_equal(atomic_load(crashes), i + 1);
    }
    assert_int_equal(elsewhere(die_young, place, &crashes), FB_STORE_CLOSED);
    struct world world = open_world(state, crashes);
    for (int i = 0; i < 10; i++, world.now += FB_STORE_RETRY_MS / 11)
        assert_int_equal(state_of(&world, "User::alice"), -(int)FB_STORE_CLOSED);
    world.now += FB_STORE_RETRY_MS;         /* the one more try */
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_ACTIVE);
    assert_int_equal(atomic_load(crashes), FB_STORE_CRASHES);       /* would it die now, the next is closed again */
    world.now += FB_STORE_CALM_MS;
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_ACTIVE);
    assert_int_equal(atomic_load(crashes), 0);
    fb_store_reader_free(world.reader);
    assert_int_equal(munmap(crashes, 4096), 0);
}

static void counts_no_death_when_nothing_died(void **state)
{
    _Atomic uint32_t crashes = 0;
    struct account_step add = {"User::alice", FB_ACCOUNT_ADD};
    struct world world = open_world(state, &crashes);
    for (int i = 0; i < 20; i++, world.now += FB_STORE_LOOK_MS)     /* no store yet: nothing to die of */
        assert_int_equal(state_of(&world, "User::alice"), -(int)FB_STORE_MISSING);
    assert_int_equal(atomic_load(&crashes), 0);
    assert_int_equal(elsewhere(step_account, world.place, &add), FB_STORE_OK);
    for (int i = 0; i < 6; i++) {
        world.now += FB_STORE_LOOK_MS;
        assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_ACTIVE);
        assert_int_equal(atomic_load(&crashes), 1);
        fb_store_reader_free(world.reader);                         /* closed in order */
        assert_int_equal(atomic_load(&crashes), 0);
        world = open_world(state, &crashes);
    }
    fb_store_reader_free(world.reader);
}

/* Against the rules, but the child must not give back the slot of its parent. */
static void leaves_the_parents_reader_alone_after_a_fork(void **state)
{
    struct world world = open_world(state, NULL);
    does(&world, "User::alice", FB_ACCOUNT_ADD);
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_ACTIVE);
    world.now += FB_STORE_LOOK_MS;
    fflush(NULL);
    pid_t child = fork();
    int status;
    if (child == 0) {
        status = state_of(&world, "User::alice");
        fb_store_reader_free(world.reader);
        _exit(status == FB_ACCOUNT_ACTIVE ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    /* Our version must stay whole while others write over what is free. */
    struct fb_account account;
    assert_int_equal(fb_store_snapshot(world.reader, world.now), FB_STORE_OK);
    for (int i = 0; i < 4; i++)
        does(&world, "User::alice", i % 2 == 0 ? FB_ACCOUNT_SUSPEND : FB_ACCOUNT_DISABLE);
    assert_int_equal(fb_store_account(world.reader, uid_of(world.place, "User::alice"), &account), FB_FOUND);
    assert_int_equal(account.state, FB_ACCOUNT_ACTIVE);
    fb_store_release(world.reader);
    assert_int_equal(state_of(&world, "User::alice"), FB_ACCOUNT_DISABLED);
    fb_store_reader_free(world.reader);
}

/* --- Rows and those beside them --------------------------------------------------------------------------- */

static int put_neighbours(struct place *place, const void *what)
{
    struct fb_store *store = open_store(place->dir, true);
    char name[700];
    enum fb_store_status status = FB_STORE_OK;
    for (const char *const *at = what; *at != NULL && status == FB_STORE_OK; at++)
        status = put_named(store, place, *at, "note", "", NULL);
    strcpy(name, "User::");
    memset(name + 6, 'l', 600);
    name[606] = '\0';
    if (status == FB_STORE_OK)
        status = put_named(store, place, name, "long", "", NULL);
    fb_store_close(store);
    return (int)status;
}

/* `want`: what is found, NULL for none; `there`: it is the one that is asked for. */
static void near_is(struct world *world, const char *name, const char *want, bool there)
{
    struct fb_entity entity;
    assert_int_equal(fb_store_snapshot(world->reader, world->now), FB_STORE_OK);
    enum fb_found found = fb_store_near(world->reader, uid_of(world->place, name), &entity);
    assert_int_equal(found, there ? FB_FOUND : FB_ABSENT);
    if (want == NULL)
        assert_null(entity.uid);
    else
        assert_true(entity.uid != NULL && fb_uid_eq(entity.uid, uid_of(world->place, want)) && entity.attrs->count == 1);
    assert_int_equal(fb_store_exists(world->reader, uid_of(world->place, name)), found);
    fb_store_release(world->reader);
}

static void finds_a_row_or_one_beside_it(void **state)
{
    static const char *const rows[] = {"Doc::1", "User::b", "User::d", "User::f", "Userland::x", NULL};
    struct world world = open_world(state, NULL);
    char one[700] = "User::", other[700] = "User::", odd[700] = "None::";
    memset(one + 6, 'l', 600);
    memset(other + 6, 'm', 600);
    memset(odd + 6, 'm', 600);
    assert_int_equal(elsewhere(put_neighbours, world.place, rows), FB_STORE_OK);
    world.now += FB_STORE_LOOK_MS;
    near_is(&world, "User::b", "User::b", true);
    near_is(&world, "User::d", "User::d", true);
    near_is(&world, "User::f", "User::f", true);
    near_is(&world, "User::a", "User::b", false);
    near_is(&world, "User::c", "User::d", false);
    near_is(&world, "User::dd", "User::f", false);
    near_is(&world, "User::g", "User::f", false);
    near_is(&world, "Doc::0", "Doc::1", false);
    near_is(&world, "Doc::2", "Doc::1", false);
    near_is(&world, "Userland::x", "Userland::x", true);
    near_is(&world, "Userland::y", "Userland::x", false);
    near_is(&world, "Aaa::x", NULL, false);
    near_is(&world, "None::x", NULL, false);
    near_is(&world, "Use::r", NULL, false);
    near_is(&world, "Zzz::x", NULL, false);
    /* Under hashes. */
    near_is(&world, one, one, true);
    struct fb_entity entity;
    assert_int_equal(fb_store_snapshot(world.reader, world.now), FB_STORE_OK);
    assert_int_equal(fb_store_near(world.reader, uid_of(world.place, other), &entity), FB_ABSENT);
    assert_true(entity.uid != NULL && fb_span_is(fb_uid_type(entity.uid), "User"));
    assert_int_equal(fb_store_near(world.reader, uid_of(world.place, odd), &entity), FB_ABSENT);
    assert_null(entity.uid);
    fb_store_release(world.reader);
    assert_int_equal(fb_store_near(world.reader, uid_of(world.place, one), &entity), FB_BROKEN);
    fb_store_reader_free(world.reader);
}

static void finds_nothing_beside_in_an_empty_store(void **state)
{
    struct world world = open_world(state, NULL);
    struct fb_store *store = open_store(world.place->dir, true);
    fb_store_close(store);
    near_is(&world, "User::a", NULL, false);
    fb_store_reader_free(world.reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(sees_a_change_at_the_next_snapshot),
        in_place(sees_the_first_account_of_all),
        in_place(sees_entities_come_and_go),
        in_place(keeps_one_version_within_a_snapshot),
        in_place(reaches_another_process),
        in_place(survives_removal),
        in_place(survives_being_moved_away),
        in_place(survives_loss_of_the_data),
        in_place(survives_another_lock_file),
        in_place(survives_an_empty_directory),
        in_place(survives_an_empty_file),
        in_place(survives_garbage),
        in_place(survives_garbage_in_place),
        in_place(survives_being_cut),
        in_place(survives_being_cut_to_nothing),
        in_place(survives_a_file_for_a_directory),
        in_place(survives_another_store),
        in_place(forgets_the_store_that_went),
        in_place(registers_in_a_new_lock_file),
        in_place(survives_lost_permissions),
        in_place(notices_within_its_bound),
        in_place(knows_its_directory_by_any_path),
        in_place(starts_closed_after_young_deaths),
        in_place(counts_no_death_when_nothing_died),
        in_place(leaves_the_parents_reader_alone_after_a_fork),
        in_place(finds_a_row_or_one_beside_it),
        in_place(finds_nothing_beside_in_an_empty_store),
    };
    return cmocka_run_group_tests_name("store/reader", tests, NULL, NULL);
}
