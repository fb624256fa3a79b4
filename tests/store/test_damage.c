/* SPDX-License-Identifier: Apache-2.0 */
/* Damage within a file that is otherwise sound, and the alignment that reading in place relies on. */
#include "testing.h"

#include "store/layout.h"

enum { USERS = 400 };

static const struct fb_uid *user(struct place *place, int i)
{
    char name[40];
    (void)snprintf(name, sizeof name, "User::user%d", i);
    return uid_of(place, name);
}

static int fill(struct place *place, const void *what)
{
    (void)what;
    struct fb_store_error error = {0};
    const struct fb_store_options options = {.write = true, .create = true, .unsafe = true};
    struct fb_store *store = fb_store_open(place->dir, &options, &error);
    bool fine = store != NULL && fb_store_begin(store, &error) == FB_STORE_OK;
    for (int i = 0; fine && i < USERS; i++) {
        const struct fb_uid *parent = uid_of(place, "Group::members");
        const struct fb_entity_parts parts = {.uid = user(place, i), .attrs = note_record(place, "a member of long standing"),
                                              .tags = empty_record(place), .parents = &parent, .parents_count = 1};
        const struct fb_account_change suspend = {.step = FB_ACCOUNT_SUSPEND, .uid = parts.uid, .reason = FB_SPAN("spam")};
        fine = fb_store_put(store, &parts, &error) == FB_STORE_OK
            && fb_store_change_account(store, &suspend, NULL, &error) == FB_STORE_OK;
    }
    fine = fine && fb_store_commit(store, &error) == FB_STORE_OK;
    if (!fine)
        fprintf(stderr, "# %s\n", error.text);
    fb_store_close(store);
    return fine ? 0 : 1;
}

struct counts {
    uint32_t found, absent, broken, wrong, refused;
};

/* Reads everything through a worker's reader, twice (the second time by the cache). */
static int read_all(struct place *place, const void *what)
{
    struct counts *const *counts_at = what;
    struct counts *counts = *counts_at;
    const struct fb_store_reader_options options = {0};
    struct fb_store_reader *reader = fb_store_reader_new(place->dir, &options);
    if (fb_store_snapshot(reader, 1) != FB_STORE_OK) {
        counts->refused++;
        return 0;
    }
    const struct fb_entities source = fb_store_entities(reader);
    for (int i = 0; i < 2 * USERS; i++) {
        const struct fb_uid *uid = user(place, i % USERS);
        struct fb_entity entity;
        struct fb_account account;
        enum fb_found found = source.find(source.self, uid, &entity);
        counts->found += found == FB_FOUND;
        counts->broken += found == FB_BROKEN;
        counts->absent += found == FB_ABSENT;
        if (found == FB_FOUND && (!fb_uid_eq(entity.uid, uid) || entity.parents.count != 1 || entity.attrs->count != 1))
            counts->wrong++;
        found = fb_store_account(reader, uid, &account);
        counts->broken += found == FB_BROKEN;
        counts->absent += found == FB_ABSENT;
        if (found == FB_FOUND && account.state != FB_ACCOUNT_SUSPENDED)
            counts->wrong++;
    }
    fb_store_reader_free(reader);
    return 0;
}

/* Flips bits in what rows hold: the bytes of `needle` and those around it, wherever it stands. */
static int damage_rows(struct place *place, unsigned seed, const char *needle, size_t around)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/data.mdb", place->dir);
    int fd = open(path, O_RDWR), hits = 0;
    struct stat facts;
    assert_true(fd >= 0 && fstat(fd, &facts) == 0);
    size_t len = (size_t)facts.st_size;
    char *bytes = malloc(len);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, len, 0), (ssize_t)len);
    for (size_t at = 8192; at + around < len; at++) {
        if (memcmp(bytes + at, needle, strlen(needle)) != 0)
            continue;
        seed = seed * 1103515245u + 12345u;
        size_t byte = at + (seed >> 16) % around;
        if ((seed >> 8) % 4 == 0) {
            bytes[byte] = (char)(bytes[byte] ^ (1 << (seed >> 28) % 8));
            hits++;
        }
    }
    assert_int_equal(pwrite(fd, bytes, len, 0), (ssize_t)len);
    (void)close(fd);
    free(bytes);
    return hits;
}

static void never_believes_a_damaged_row(void **state)
{
    struct place *place = *state;
    static const struct { const char *needle; size_t around; } kinds[] = {
        {"a member of long", 25}, {"FBE1", 64}, {"FBA1", 48}, {"spam", 4}, {"members", 7},
    };
    for (unsigned seed = 1; seed <= 3; seed++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            struct counts counts = {0}, *shared = &counts;
            assert_int_equal(elsewhere(fill, place, NULL), 0);
            int hits = damage_rows(place, seed, kinds[k].needle, kinds[k].around);
            assert_true(hits > USERS / 10);
            assert_int_equal(read_all(place, &shared), 0);
            assert_int_equal(counts.wrong, 0);
            assert_int_equal(counts.absent, 0);
            assert_true(counts.broken >= (uint32_t)hits);
            assert_true(counts.found > 0);
            remove_tree(place->dir);
        }
}

/* Anything, anywhere: a child reads what is left.  It may die of it (LMDB trusts its pages; that is
 * what the counter of young deaths is for) but it must not hang or believe a wrong row. */
static void survives_or_dies_of_damaged_pages(void **state)
{
    struct place *place = *state;
    unsigned died = 0, refused = 0;
    struct counts *counts = NULL;
    char path[200];
    (void)snprintf(path, sizeof path, "%s/data.mdb", place->dir);
    for (unsigned seed = 1; seed <= 40; seed++) {
        struct counts empty = {0};
        assert_int_equal(elsewhere(fill, place, NULL), 0);
        struct stat facts;
        int fd = open(path, O_RDWR);
        assert_true(fd >= 0 && fstat(fd, &facts) == 0);
        unsigned random = seed;
        for (int i = 0; i < 16; i++) {
            random = random * 1103515245u + 12345u;
            off_t page = (off_t)((random >> 12) % (unsigned)(facts.st_size / 4096));
            char garbage[64];
            memset(garbage, (int)(random & 0xff), sizeof garbage);
            assert_int_equal(pwrite(fd, garbage, sizeof garbage, page * 4096 + (off_t)((random >> 8) % 8) * 500), sizeof garbage);
        }
        (void)close(fd);
        counts = &empty;
        fflush(NULL);
        int pipes[2], status;
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
            die_of_signals();
            (void)dup2(open("/dev/null", O_WRONLY), 2);
            alarm(20);
            (void)read_all(place, &counts);
            (void)!write(pipes[1], counts, sizeof *counts);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_false(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
        if (status == 0) {
            assert_int_equal(read(pipes[0], &empty, sizeof empty), sizeof empty);
            assert_int_equal(empty.wrong, 0);
            refused += empty.refused;
        } else {
            died++;
        }
        (void)close(pipes[0]);
        (void)close(pipes[1]);
        remove_tree(place->dir);
    }
    print_message("# of 40 damaged files %u were refused, %u killed their reader\n", refused, died);
}

/* --- Alignment ------------------------------------------------------------------------------------------- */

static unsigned random_state = 1;

static unsigned pick(unsigned below)
{
    random_state = random_state * 1103515245u + 12345u;
    return (random_state >> 16) % below;
}

struct check {
    size_t seen;
};

static bool is_aligned(void *context, const struct fb_entity *entity)
{
    struct check *check = context;
    check->seen++;
    assert_true(fb_aligned(entity->uid) && fb_aligned(entity->attrs) && fb_aligned(entity->tags));
    return true;
}

/* One random change.  A failed delete (nothing there) leaves the transaction for abort alone, so
 * deletes go outside of one. */
static void change_at_random(struct place *place, struct fb_store *store, const char *text, size_t len)
{
    char name[400];
    assert_true(snprintf(name, sizeof name, "User::%u%.*s", pick(600), (int)pick(pick(4) == 0 ? 300 : 8), text) > 0);
    const struct fb_uid *uid = uid_of(place, name);
    struct fb_entity_parts parts = {.uid = uid, .attrs = empty_record(place), .tags = empty_record(place)};
    if (pick(3) != 0)
        parts.attrs = note_record(place, text + len - pick(pick(5) == 0 ? (unsigned)len : 200));
    if (pick(4) == 0)
        (void)fb_store_delete(store, uid, NULL);
    else
        assert_int_equal(fb_store_put(store, &parts, NULL), FB_STORE_OK);
    const struct fb_account_change change = {.step = FB_ACCOUNT_SUSPEND, .uid = uid, .at = 1,
                                             .reason = fb_span(text, pick(300))};
    if (pick(2) == 0)
        assert_int_equal(fb_store_change_account(store, &change, NULL, NULL), FB_STORE_OK);
}

static bool is_account_aligned(void *context, const struct fb_account *account)
{
    struct check *check = context;
    check->seen++;
    assert_true(fb_aligned(account->uid));
    return true;
}

/* Rows of all sizes put, grown, shrunk and deleted, so that pages split, merge and move nodes.  A row
 * that is not aligned fails the list as damaged. */
static void keeps_rows_aligned(void **state)
{
    struct place *place = *state;
    struct fb_store *store = open_store(place->dir, true);
    const struct fb_store_list all = {.limit = 0};
    static char text[9000];
    struct check check = {0};
    memset(text, 'x', sizeof text - 1);
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 100; i++)
            change_at_random(place, store, text, sizeof text - 1);
        assert_int_equal(fb_store_list_entities(store, &all, is_aligned, &check, NULL), FB_STORE_OK);
        assert_int_equal(fb_store_list_accounts(store, &all, is_account_aligned, &check, NULL), FB_STORE_OK);
    }
    assert_true(check.seen > 40 * 500);
    fb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(never_believes_a_damaged_row),
        in_place(survives_or_dies_of_damaged_pages),
        in_place(keeps_rows_aligned),
    };
    return cmocka_run_group_tests_name("store/damage", tests, NULL, NULL);
}
