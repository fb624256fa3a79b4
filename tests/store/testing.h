/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_STORE_TESTING_H
#define FB_TESTS_STORE_TESTING_H

/* What the store's tests share: a directory that goes away, uids and entities in one line, and a way
 * to do things in another process, since a process may have a store open only once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"

/* --- A directory a test ---------------------------------------------------------------------------- */
struct place {
    char root[64];          /* made, and removed with all in it */
    char dir[80];           /* root/store: not made */
    struct fb_arena arena;  /* for uids */
};

static inline int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts, (void)kind, (void)where;
    return remove(path);
}

static inline void remove_tree(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int place_open(void **state)
{
    struct place *place = malloc(sizeof *place);
    assert_non_null(place);
    strcpy(place->root, "/tmp/fb-store-XXXXXX");
    assert_non_null(mkdtemp(place->root));
    (void)snprintf(place->dir, sizeof place->dir, "%s/store", place->root);
    fb_arena_init(&place->arena, &fb_heap, (size_t)1 << 30);
    *state = place;
    return 0;
}

static inline int place_close(void **state)
{
    struct place *place = *state;
    remove_tree(place->root);
    fb_arena_release(&place->arena);
    free(place);
    return 0;
}

#define in_place(test) cmocka_unit_test_setup_teardown(test, place_open, place_close)

/* --- Words ------------------------------------------------------------------------------------------ */

/* From "User::alice": everything behind the last `::` is the id. */
static inline const struct fb_uid *uid_of(struct place *place, const char *text)
{
    const char *colons = NULL;
    for (const char *at = text; (at = strstr(at, "::")) != NULL; at += 2)
        colons = at;
    assert_non_null(colons);
    const struct fb_uid *uid = fb_uid_new(&place->arena, fb_span(text, (size_t)(colons - text)), fb_span_z(colons + 2));
    assert_non_null(uid);
    return uid;
}

static inline struct fb_value empty_record(struct place *place)
{
    struct fb_value record;
    assert_true(fb_value_record(&place->arena, NULL, 0, &record));
    return record;
}

/* {"note": "…"} */
static inline struct fb_value note_record(struct place *place, const char *note)
{
    struct fb_field *field = fb_arena_alloc(&place->arena, sizeof *field);
    struct fb_value record;
    *field = (struct fb_field){FB_SPAN("note"), fb_value_string(fb_span_z(note))};
    assert_true(fb_value_record(&place->arena, field, 1, &record));
    return record;
}

/* Puts `name` with the parents named, separated by spaces. */
static inline enum fb_store_status put_named(struct fb_store *store, struct place *place, const char *name,
                                             const char *note, const char *parents, struct fb_store_error *error)
{
    const struct fb_uid *list[64];
    char text[2048], *rest = text;
    struct fb_entity_parts parts = {.uid = uid_of(place, name), .tags = empty_record(place), .parents = list};
    parts.attrs = note != NULL ? note_record(place, note) : empty_record(place);
    assert_true(strlen(parents) < sizeof text);
    strcpy(text, parents);
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        list[parts.parents_count++] = uid_of(place, word);
    return fb_store_put(store, &parts, error);
}

static inline struct fb_store *open_store(const char *dir, bool write)
{
    struct fb_store_error error;
    const struct fb_store_options options = {.write = write, .create = write, .unsafe = true};
    struct fb_store *store = fb_store_open(dir, &options, &error);
    if (store == NULL)
        print_error("%s\n", error.text);
    assert_non_null(store);
    return store;
}

#define assert_status(got, expected, error) assert_status_at((got), (expected), (error), __FILE__, __LINE__)

static inline void assert_status_at(enum fb_store_status got, enum fb_store_status expected,
                                    const struct fb_store_error *error, const char *file, int line)
{
    if (got != expected) {
        print_error("got %s, expected %s: %s\n", fb_store_codes[got], fb_store_codes[expected],
                    error != NULL ? error->text : "");
        _fail(file, line);
    }
}

/* --- Elsewhere ---------------------------------------------------------------------------------------- */

/* In a child: a signal kills it.  cmocka's handlers would take it for a failure of the test and clean
 * up what the parent still uses. */
static inline void die_of_signals(void)
{
    static const int signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        (void)signal(signals[i], SIG_DFL);
}

/* Runs `act` in a child; its value is the child's exit status.  Assertions of cmocka must not be used
 * there: a child says what it saw by its status. */
static inline int elsewhere(int (*act)(struct place *place, const void *what), struct place *place, const void *what)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        die_of_signals();
        _exit(act(place, what));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* In a child: one step of an account's life. */
struct account_step {
    const char *name;
    enum fb_account_step step;
};

static inline int step_account(struct place *place, const void *what)
{
    const struct account_step *step = what;
    const struct fb_store_options options = {.write = true, .create = true};
    struct fb_store *store = fb_store_open(place->dir, &options, NULL);
    const struct fb_account_change change = {.step = step->step, .uid = uid_of(place, step->name), .at = 1,
                                             .reason = FB_SPAN("because"), .by = FB_SPAN("test")};
    if (store == NULL)
        return 100;
    enum fb_store_status status = fb_store_change_account(store, &change, NULL, NULL);
    fb_store_close(store);
    return (int)status;
}

#endif
