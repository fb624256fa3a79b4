/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's operations cost, printed; only that they work is asserted.  FB_SPEED_ROWS sets the
 * number of rows (20,000); FB_SPEED_PLAIN: a store without the index of lists. */
#include "testing.h"

#include <time.h>

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static size_t rows(void)
{
    const char *text = getenv("FB_SPEED_ROWS");
    return text != NULL ? (size_t)strtoul(text, NULL, 10) : 20000;
}

struct feed {
    struct place *place;
    struct fb_arena arena;
    struct fb_value attrs, tags;
    const struct fb_uid *groups[100];
    size_t at, count;
};

static const struct fb_uid *user(struct fb_arena *arena, size_t i)
{
    char id[32];
    int len = snprintf(id, sizeof id, "user-%zu", i * 7919 % 10000000);
    return fb_uid_new(arena, FB_SPAN("User"), fb_span(id, (size_t)len));
}

static bool next_entity(void *context, struct fb_entity *entity)
{
    struct feed *feed = context;
    if (feed->at == feed->count)
        return false;
    fb_arena_clear(&feed->arena);
    const struct fb_entity_parts parts = {.uid = user(&feed->arena, feed->at), .attrs = feed->attrs, .tags = feed->tags,
                                          .parents = &feed->groups[feed->at % 100], .parents_count = 1};
    feed->at++;
    fb_entity_open(fb_entity_encode(&feed->arena, &parts), entity);
    return true;
}

static int load(struct place *place, const void *what)
{
    (void)what;
    const struct fb_store_options options = {.write = true, .create = true, .unsafe = true,
                                             .plain = getenv("FB_SPEED_PLAIN") != NULL};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    struct feed feed = {.place = place, .count = rows(), .attrs = note_record(place, "someone"), .tags = empty_record(place)};
    size_t done;
    fb_arena_init(&feed.arena, &fb_heap, 1 << 20);
    for (int i = 0; i < 100; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "Group::g%d", i);
        feed.groups[i] = uid_of(place, name);
    }
    const struct fb_store_import import = {next_entity, NULL, &feed, 0};
    clock_t begun = clock();        /* of the processor: the rest is the disk's */
    if (store == NULL || fb_store_import(store, &import, &done, NULL) != FB_STORE_OK || done != rows())
        return 1;
    double took = (double)(clock() - begun) * 1e6 / CLOCKS_PER_SEC;
    printf("# import (no fsync), processor time %8.2f us a row\n", took / (double)done);
    double start = now_us();
    for (size_t i = 0; i < 100; i++) {
        const struct fb_account_change change = {.step = FB_ACCOUNT_SUSPEND, .uid = user(&place->arena, i), .at = 1};
        if (fb_store_change_account(store, &change, NULL, NULL) != FB_STORE_OK)
            return 2;
    }
    printf("# suspend + commit (no fsync)       %8.2f us\n", (now_us() - start) / 100);
    fb_store_close(store);
    fflush(stdout);
    return 0;
}

enum { ROUNDS = 200000 };

static void time_finds(struct fb_store_reader *reader, const struct fb_uid **uids, size_t count, const char *what)
{
    const struct fb_entities source = fb_store_entities(reader);
    struct fb_entity entity;
    size_t found = 0;
    double start = now_us();
    for (size_t i = 0; i < ROUNDS; i++)
        found += source.find(source.self, uids[i * 7 % count], &entity) == FB_FOUND;
    printf("# %-34s%8.1f ns (%zu%% found)\n", what, (now_us() - start) * 1e3 / ROUNDS, found * 100 / ROUNDS);
}

static void prints_what_things_cost(void **state)
{
    struct place *place = *state;
    assert_int_equal(elsewhere(load, place, NULL), 0);
    const struct fb_store_reader_options options = {0};
    struct fb_store_reader *reader = fb_store_reader_new(place->dir, &options);
    size_t count = rows();
    const struct fb_uid **uids = calloc(count, sizeof *uids), **missing = calloc(1000, sizeof *missing);
    struct fb_account account;
    for (size_t i = 0; i < count; i++)
        uids[i] = user(&place->arena, i);
    for (size_t i = 0; i < 1000; i++)
        missing[i] = user(&place->arena, count + i + 1);
    double start = now_us();
    assert_int_equal(fb_store_snapshot(reader, 0), FB_STORE_OK);
    printf("# open                              %8.1f us\n", now_us() - start);
    time_finds(reader, uids, 1, "find, one row");
    time_finds(reader, uids, 1000 < count ? 1000 : count, "find, 1,000 rows in turn");
    time_finds(reader, missing, 1000, "find, 1,000 absent rows in turn");
    time_finds(reader, uids, count, "find, all rows in turn");
    start = now_us();
    for (size_t i = 0; i < ROUNDS; i++)
        (void)fb_store_account(reader, uids[i % 1000 % count], &account);
    printf("# account, 1,000 in turn            %8.1f ns\n", (now_us() - start) * 1e3 / ROUNDS);
    fb_store_release(reader);
    start = now_us();
    for (uint64_t i = 0; i < ROUNDS; i++) {
        (void)fb_store_snapshot(reader, 1);
        fb_store_release(reader);
    }
    printf("# snapshot + release                %8.1f ns\n", (now_us() - start) * 1e3 / ROUNDS);
    start = now_us();
    for (uint64_t i = 0; i < 1000; i++) {
        (void)fb_store_snapshot(reader, 100 * (i + 1));
        fb_store_release(reader);
    }
    printf("# snapshot + release with a look    %8.1f ns\n", (now_us() - start) * 1e3 / 1000);
    fb_store_reader_free(reader);
    free(uids);
    free(missing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(prints_what_things_cost),
    };
    return cmocka_run_group_tests_name("store/speed", tests, NULL, NULL);
}
