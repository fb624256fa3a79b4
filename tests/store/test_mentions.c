/* SPDX-License-Identifier: Apache-2.0 */
/* The way back: who mentions whom, as writers keep it and readers walk it, against a model; in a store that
 * had it from the first row, and in one that was given it while others wrote. */
#include "testing.h"

#include <time.h>

enum { DOCS = 60, GROUPS = 8, USERS = 6, OPERATIONS = 400, CROWD = 1100, LONG_ID = 700 };

/* What there is; the same in the process that writes and in the one that checks. */
struct doc {
    bool exists;
    int owner;              /* -1: no such attribute */
    unsigned readers;       /* bits of users; all bits: a crowd too large to be entered */
    unsigned groups;        /* bits: its parents */
};
struct model {
    struct doc docs[DOCS];
    bool group_exists[GROUPS];
    int group_parent[GROUPS];   /* a lower number, or -1 */
};
static const unsigned crowd = ~0u;

static const struct fb_uid *made(struct place *place, const char *type, int number)
{
    char id[LONG_ID + 16];
    /* Every ninth document has an id too long for a key of its own. */
    int width = strcmp(type, "Doc") == 0 && number % 9 == 8 ? LONG_ID : 3;
    (void)snprintf(id, sizeof id, "%0*d", width, number);
    return fb_uid_new(&place->arena, fb_span_z(type), fb_span_z(id));
}

static int number_of(const struct fb_uid *uid)
{
    struct fb_span id = fb_uid_id(uid);
    int number = 0;
    for (size_t i = 0; i < id.len; i++)
        number = 10 * number + (id.ptr[i] - '0');
    return number;
}

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* The next change; *doc or *group says of what, the other is -1. */
static void change(struct model *model, uint64_t *seed, int *doc, int *group)
{
    *doc = *group = -1;
    if (draw(seed) % 6 == 0) {
        int at = *group = (int)(draw(seed) % GROUPS);
        model->group_exists[at] = draw(seed) % 4 != 0;
        model->group_parent[at] = (int)(draw(seed) % (unsigned)(at + 1)) - 1;
        return;
    }
    *doc = (int)(draw(seed) % DOCS);
    struct doc *at = &model->docs[*doc];
    at->exists = draw(seed) % 4 != 0;
    at->owner = (int)(draw(seed) % (USERS + 1)) - 1;
    at->readers = draw(seed) % 10 == 0 ? crowd : (unsigned)draw(seed) & ((1u << USERS) - 1);
    at->groups = (unsigned)(draw(seed) & draw(seed)) & ((1u << GROUPS) - 1);
}

static enum fb_store_status write_doc(struct fb_store *store, struct place *place, const struct model *model, int at)
{
    const struct doc *doc = &model->docs[at];
    const struct fb_uid *parents[GROUPS];
    struct fb_value set[CROWD + 1];
    struct fb_field fields[3];
    struct fb_entity_parts parts = {.uid = made(place, "Doc", at), .tags = empty_record(place), .parents = parents};
    if (!doc->exists) {
        enum fb_store_status status = fb_store_delete(store, parts.uid, NULL);
        return status == FB_STORE_ABSENT ? FB_STORE_OK : status;
    }
    size_t readers = 0, count = 0;
    for (int i = 0; i < (doc->readers == crowd ? CROWD : USERS); i++)
        if (doc->readers == crowd || (doc->readers >> i & 1) != 0)
            set[readers++] = fb_value_entity(made(place, "User", i));
    set[readers++] = fb_value_number(FB_LONG, 1);
    fields[count].name = FB_SPAN("readers");
    (void)fb_value_set(&place->arena, set, readers, &fields[count++].value);
    if (doc->owner >= 0)
        fields[count++] = (struct fb_field){FB_SPAN("owner"), fb_value_entity(made(place, "User", doc->owner))};
    fields[count++] = (struct fb_field){FB_SPAN("n"), fb_value_number(FB_LONG, at)};
    for (int i = 0; i < GROUPS; i++)
        if ((doc->groups >> i & 1) != 0)
            parents[parts.parents_count++] = made(place, "Group", i);
    (void)fb_value_record(&place->arena, fields, count, &parts.attrs);
    return fb_store_put(store, &parts, NULL);
}

static enum fb_store_status write_group(struct fb_store *store, struct place *place, const struct model *model, int at)
{
    const struct fb_uid *uid = made(place, "Group", at), *parent = NULL;
    if (!model->group_exists[at]) {
        enum fb_store_status status = fb_store_delete(store, uid, NULL);
        return status == FB_STORE_ABSENT ? FB_STORE_OK : status;
    }
    struct fb_entity_parts parts = {.uid = uid, .attrs = empty_record(place), .tags = empty_record(place), .parents = &parent};
    if (model->group_parent[at] >= 0)
        parent = made(place, "Group", model->group_parent[at]);
    parts.parents_count = parent != NULL;
    return fb_store_put(store, &parts, NULL);
}

/* `count` changes from the seed on. */
static int write_changes(struct fb_store *store, struct place *place, struct model *model, uint64_t *seed, int count)
{
    enum fb_store_status status = FB_STORE_OK;
    for (int i = 0; i < count && status == FB_STORE_OK; i++) {
        int doc, group;
        change(model, seed, &doc, &group);
        status = doc >= 0 ? write_doc(store, place, model, doc) : write_group(store, place, model, group);
    }
    return (int)status;
}

struct script {
    uint64_t seed;
    int count;
    bool plain;
};

static int act(struct place *place, const void *what)
{
    const struct script *script = what;
    const struct fb_store_options options = {.write = true, .create = true, .unsafe = true, .plain = script->plain};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    struct model model = {.docs = {{.exists = false}}};
    uint64_t seed = script->seed;
    if (store == NULL)
        return 100;
    int status = write_changes(store, place, &model, &seed, script->count);
    fb_store_close(store);
    return status;
}

/* --- Readers ------------------------------------------------------------------------------------------- */

static bool mentions(const struct model *model, int doc, uint64_t symbol, int target)
{
    const struct doc *at = &model->docs[doc];
    if (!at->exists)
        return false;
    if (symbol == FB_STORE_PARENT)
        return (at->groups >> target & 1) != 0;
    if (symbol == fb_hash(FB_SPAN("owner")))
        return at->owner == target;
    return at->readers == crowd || (at->readers >> target & 1) != 0;
}

/* All of the type behind `after`, in order, each once. */
static size_t walk(struct place *place, struct fb_store_reader *reader, const struct model *model, uint64_t symbol,
                   int target, const struct fb_uid *after)
{
    const struct fb_uid *of = made(place, symbol == FB_STORE_PARENT ? "Group" : "User", target), *next;
    size_t expected = 0, count = 0;
    for (int i = 0; i < DOCS; i++)
        expected += mentions(model, i, symbol, target)
                    && (after == NULL || fb_store_order(made(place, "Doc", i), after) > 0);
    for (;; after = next, count++) {
        assert_true(fb_store_reader_next(reader, symbol, of, FB_SPAN("Doc"), after, &place->arena, &next));
        if (next == NULL)
            break;
        assert_true(after == NULL || fb_store_order(next, after) > 0);
        assert_true(mentions(model, number_of(next), symbol, target));
    }
    assert_int_equal(count, expected);
    return count;
}

/* The groups directly below that have children themselves. */
struct found {
    int count;
    bool groups[GROUPS];
};

static bool note_group(void *context, const struct fb_uid *group)
{
    struct found *found = context;
    found->groups[number_of(group)] = true;
    found->count++;
    return true;
}

static bool is_parent(const struct model *model, int group)
{
    bool any = false;
    for (int i = 0; i < DOCS; i++)
        any = any || (model->docs[i].exists && (model->docs[i].groups >> group & 1) != 0);
    for (int i = 0; i < GROUPS; i++)
        any = any || (model->group_exists[i] && model->group_parent[i] == group);
    return any;
}

static void check_groups(struct place *place, struct fb_store_reader *reader, const struct model *model)
{
    for (int g = 0; g < GROUPS; g++) {
        struct found found = {.count = 0};
        const struct fb_uid *uid = made(place, "Group", g);
        assert_true(fb_store_reader_groups(reader, uid, &place->arena, note_group, &found));
        for (int i = 0; i < GROUPS; i++) {
            bool child = model->group_exists[i] && model->group_parent[i] == g && is_parent(model, i);
            assert_int_equal(found.groups[i], child);
            found.count -= child;
        }
        assert_int_equal(found.count, 0);
        assert_int_equal(fb_store_reader_mentions(reader, FB_STORE_PARENT, uid) != 0, is_parent(model, g));
    }
}

static size_t check_all(struct place *place, struct fb_store_reader *reader, const struct model *model)
{
    const uint64_t symbols[] = {FB_STORE_PARENT, fb_hash(FB_SPAN("owner")), fb_hash(FB_SPAN("readers"))};
    size_t seen = 0;
    assert_int_equal(fb_store_snapshot(reader, fb_store_clock()), FB_STORE_OK);
    assert_true(fb_store_reader_indexed(reader));
    for (size_t s = 0; s < 3; s++)
        for (int target = 0; target < (s == 0 ? GROUPS : USERS); target++) {
            seen += walk(place, reader, model, symbols[s], target, NULL);
            walk(place, reader, model, symbols[s], target, made(place, "Doc", 7 * target % DOCS));
        }
    check_groups(place, reader, model);
    /* Of other types, and of whom nobody mentions, there are none. */
    const struct fb_uid *next;
    assert_true(fb_store_reader_next(reader, symbols[0], made(place, "Group", 1), FB_SPAN("Do"), NULL, &place->arena, &next));
    assert_null(next);
    assert_true(fb_store_reader_next(reader, symbols[1], made(place, "User", 77), FB_SPAN("Doc"), NULL, &place->arena, &next));
    assert_null(next);
    fb_store_release(reader);
    return seen;
}

static void finds_who_mentions_whom(void **state)
{
    struct place *place = *state;
    struct model model = {.docs = {{.exists = false}}};
    uint64_t seed = 17;
    size_t seen = 0;
    struct fb_store_reader *reader = fb_store_reader_new(place->dir, &(struct fb_store_reader_options){.map = 1 << 28});
    for (int done = 0; done < OPERATIONS; done += 20) {
        /* The child writes from the first change on again, to what there is: a put of the same writes nothing. */
        const struct script script = {17, done + 20, false};
        assert_int_equal(elsewhere(act, place, &script), FB_STORE_OK);
        for (int i = 0, doc, group; i < 20; i++)
            change(&model, &seed, &doc, &group);
        struct timespec pause = {0, 60000000};
        if (done == 0)
            nanosleep(&pause, NULL);
        seen += check_all(place, reader, &model);
        fb_arena_clear(&place->arena);
    }
    print_message("# %zu found\n", seen);
    assert_true(seen > 2000);
    fb_store_reader_free(reader);
}

/* --- A store without it, that is given it while another process writes ------------------------------- */

enum { OTHERS = 2500 };

static int fill_plain(struct place *place, const void *what)
{
    const struct fb_store_options options = {.write = true, .create = true, .unsafe = true, .plain = true};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    enum fb_store_status status = store != NULL ? fb_store_begin(store, NULL) : FB_STORE_FAILED;
    for (int i = 0; i < OTHERS && status == FB_STORE_OK; i++) {
        const struct fb_uid *parent = made(place, "Group", 0);
        const struct fb_entity_parts parts = {.uid = made(place, "Other", i), .attrs = empty_record(place),
                                              .tags = empty_record(place), .parents = &parent, .parents_count = 1};
        status = fb_store_put(store, &parts, NULL);
    }
    if (status == FB_STORE_OK)
        status = fb_store_commit(store, NULL);
    fb_store_close(store);
    return status == FB_STORE_OK ? act(place, what) : (int)status;
}

struct pipes {
    int ask[2], answer[2];
};

/* Opens the store while it is of format 1, and makes twenty changes at each byte. */
static int write_when_asked(struct place *place, const struct pipes *pipes)
{
    const struct fb_store_options options = {.write = true, .unsafe = true};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    struct model model = {.docs = {{.exists = false}}};
    uint64_t seed = 23;
    char byte = 0;
    if (store == NULL || write(pipes->answer[1], &byte, 1) != 1)
        return 1;
    while (read(pipes->ask[0], &byte, 1) == 1)
        if (write_changes(store, place, &model, &seed, 20) != FB_STORE_OK || write(pipes->answer[1], &byte, 1) != 1)
            return 2;
    fb_store_close(store);
    return 0;
}

static int turns;

static void let_write(void *context, size_t done)
{
    const struct pipes *pipes = context;
    char byte = 1;
    (void)done;
    turns++;
    assert_int_equal(write(pipes->ask[1], &byte, 1), 1);
    assert_int_equal(read(pipes->answer[0], &byte, 1), 1);
}

static void is_given_to_an_older_store_while_others_write(void **state)
{
    struct place *place = *state;
    struct pipes pipes;
    const struct script script = {23, 100, true};
    char byte;
    int status;
    assert_int_equal(elsewhere(fill_plain, place, &script), FB_STORE_OK);
    assert_true(pipe(pipes.ask) == 0 && pipe(pipes.answer) == 0);
    fflush(NULL);
    pid_t writer = fork();
    if (writer == 0) {
        die_of_signals();
        close(pipes.ask[1]);
        _exit(write_when_asked(place, &pipes));
    }
    assert_int_equal(read(pipes.answer[0], &byte, 1), 1);
    struct fb_store *store = open_store(place->dir, true);
    struct fb_store_info info;
    struct fb_store_error error;
    assert_int_equal(fb_store_info(store, &info, NULL), FB_STORE_OK);
    assert_false(info.indexed);
    assert_status(fb_store_index(store, let_write, &pipes, &error), FB_STORE_OK, &error);
    assert_true(turns >= 3);
    let_write(&pipes, 0);
    assert_status(fb_store_index(store, let_write, &pipes, &error), FB_STORE_OK, &error);
    assert_int_equal(fb_store_info(store, &info, NULL), FB_STORE_OK);
    assert_true(info.indexed);
    fb_store_close(store);
    close(pipes.ask[1]);
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);

    /* What the writer left is the model after all of its changes; the first hundred were of another process. */
    struct model model = {.docs = {{.exists = false}}};
    uint64_t seed = 23;
    for (int i = 0, doc, group; i < (turns * 20 > 100 ? turns * 20 : 100); i++)
        change(&model, &seed, &doc, &group);
    struct fb_store_reader *reader = fb_store_reader_new(place->dir, &(struct fb_store_reader_options){.map = 1 << 28});
    if (turns * 20 >= 100)
        check_all(place, reader, &model);
    assert_int_equal(fb_store_snapshot(reader, fb_store_clock()), FB_STORE_OK);
    const struct fb_uid *after = NULL;
    size_t others = 0;
    for (;; others++) {
        assert_true(fb_store_reader_next(reader, FB_STORE_PARENT, made(place, "Group", 0), FB_SPAN("Other"), after,
                                         &place->arena, &after));
        if (after == NULL)
            break;
    }
    assert_int_equal(others, OTHERS);
    fb_store_reader_free(reader);
}

/* --- Imports, which keep mentions in memory for a while ----------------------------------------------- */

enum { IMPORTED = 3300, DIES_AT = 2500 };

struct feed {
    struct place *place;
    struct model model;
    uint64_t seed;
    int at, dies_at;
};

/* Others, and between them documents: the same ones again and again, each time changed. */
static bool next_entity(void *context, struct fb_entity *entity)
{
    struct feed *feed = context;
    struct place *place = feed->place;
    const struct fb_uid *parent = made(place, "Group", 0);
    struct fb_entity_parts parts = {.uid = made(place, "Other", feed->at), .attrs = empty_record(place),
                                    .tags = empty_record(place), .parents = &parent, .parents_count = 1};
    if (feed->at == feed->dies_at)
        _exit(7);
    if (feed->at >= IMPORTED)
        return false;
    if (feed->at++ % 3 == 0) {
        int doc = (int)(draw(&feed->seed) % DOCS);
        struct doc *at = &feed->model.docs[doc];
        *at = (struct doc){.exists = true, .owner = (int)(draw(&feed->seed) % USERS), .groups = 1};
        const struct fb_field owner = {FB_SPAN("owner"), fb_value_entity(made(place, "User", at->owner))};
        parts.uid = made(place, "Doc", doc);
        (void)fb_value_record(&place->arena, &owner, 1, &parts.attrs);
    }
    fb_entity_open(fb_entity_encode(&place->arena, &parts), entity);
    return true;
}

static int run_import(struct place *place, const void *what)
{
    const int *dies_at = what;
    const struct fb_store_options options = {.write = true, .create = true, .unsafe = true};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    struct feed feed = {.place = place, .seed = 3, .dies_at = *dies_at};
    const struct fb_store_import import = {.next = next_entity, .context = &feed, .batch = 100};
    size_t done;
    if (store == NULL || fb_store_import(store, &import, &done, NULL) != FB_STORE_OK || done != IMPORTED)
        return 1;
    fb_store_close(store);
    return 0;
}

static int run_index(struct place *place, const void *what)
{
    (void)what;
    struct fb_store *store = fb_store_open(place->dir, &(struct fb_store_options){.write = true, .unsafe = true}, NULL);
    enum fb_store_status status = store != NULL ? fb_store_index(store, NULL, NULL, NULL) : FB_STORE_FAILED;
    fb_store_close(store);
    return (int)status;
}

static void check_import(struct place *place, struct fb_store_reader *reader)
{
    struct feed feed = {.place = place, .seed = 3, .dies_at = -1};
    struct fb_entity entity;
    while (next_entity(&feed, &entity))
        continue;
    assert_int_equal(fb_store_snapshot(reader, fb_store_clock()), FB_STORE_OK);
    assert_true(fb_store_reader_indexed(reader));
    size_t docs = 0;
    for (int user = 0; user < USERS; user++)
        docs += walk(place, reader, &feed.model, fb_hash(FB_SPAN("owner")), user, NULL);
    assert_int_equal(docs, DOCS);
    assert_int_equal(walk(place, reader, &feed.model, FB_STORE_PARENT, 0, NULL), DOCS);
    assert_int_equal(fb_store_reader_mentions(reader, FB_STORE_PARENT, made(place, "Group", 0)),
                     DOCS + IMPORTED / 3 * 2);
    fb_store_release(reader);
}

static void is_whole_after_an_import(void **state)
{
    struct place *place = *state;
    const int never = -1, dies_at = DIES_AT;
    assert_int_equal(elsewhere(run_import, place, &never), 0);
    struct fb_store_reader *reader = fb_store_reader_new(place->dir, &(struct fb_store_reader_options){.map = 1 << 28});
    check_import(place, reader);
    /* One that dies leaves lists without it, and a later import does not bring it back by itself. */
    assert_int_equal(elsewhere(run_import, place, &dies_at), 7);
    assert_int_equal(fb_store_snapshot(reader, fb_store_clock()), FB_STORE_OK);
    assert_false(fb_store_reader_indexed(reader));
    fb_store_release(reader);
    assert_int_equal(elsewhere(run_import, place, &never), 0);
    assert_int_equal(elsewhere(run_index, place, NULL), 0);
    check_import(place, reader);
    fb_store_reader_free(reader);
}

static void a_plain_store_does_without(void **state)
{
    struct place *place = *state;
    const struct script script = {5, 50, true};
    assert_int_equal(elsewhere(act, place, &script), FB_STORE_OK);
    struct fb_store_reader *reader = fb_store_reader_new(place->dir, &(struct fb_store_reader_options){.map = 1 << 28});
    assert_int_equal(fb_store_snapshot(reader, fb_store_clock()), FB_STORE_OK);
    assert_false(fb_store_reader_indexed(reader));
    const struct fb_uid *next;
    assert_false(fb_store_reader_next(reader, FB_STORE_PARENT, made(place, "Group", 0), FB_SPAN("Doc"), NULL, &place->arena, &next));
    assert_null(next);
    assert_int_equal(fb_store_reader_mentions(reader, FB_STORE_PARENT, made(place, "Group", 0)), 0);
    fb_store_reader_free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(finds_who_mentions_whom),
        in_place(is_given_to_an_older_store_while_others_write),
        in_place(is_whole_after_an_import),
        in_place(a_plain_store_does_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
