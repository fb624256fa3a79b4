/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_TEST_H
#define FB_CLI_TEST_H

#include "cli/site.h"

#include <signal.h>

/* `forbid test`: answers that must hold, in DIR/tests, each a request that goes through the guard as a server's would.
 *
 *   cmd_test.c           options, one run after another
 *   test_files.c         the files, their settings and tests
 *   test_entities.c      … the entities that are given
 *   test_location.c      … what they say of the location
 *   test_request.c       … a test's request and who asks
 *   test_expect.c        … what it expects
 *   test_world.c         a store and an issuer for as long as tests need them
 *   test_answer.c        an answer in the form of expectations
 *   test_run.c           each test decided and compared
 *   test_report.c        text, TAP, JSON
 *   test_junit.c         JUnit's XML
 *   test_coverage.c      which policies and clauses decided anything
 *   test_coverage_print.c  … as text, JSON, lcov
 *   test_watch.c         waiting for a change
 *
 * docs/testing.md has the form of the files. */

/* --- Tests as read ------------------------------------------------------------------------------ */

enum fb_test_aspect {
#define FB_ASPECT(symbol, name, shapes, should) FB_ASPECT_##symbol,
#include "cli/aspects.def"
#undef FB_ASPECT
    FB_ASPECTS
};
extern const char *const fb_test_aspect_names[FB_ASPECTS];

struct fb_test_expect {
    enum fb_test_aspect aspect;
    struct fb_span name;                /* of a challenge's parameter, a field, a member of the body; else empty */
    struct fb_span value;               /* JSON, compact, uids and lists in one form: compared byte by byte */
    struct fb_range range;              /* where it is expected */
};

struct fb_test_account {
    const struct fb_uid *uid;
    enum fb_account_state state;
};

/* What a file says for all its tests, and a test for itself: then the test's counts, and its entities and accounts come
 * on top of the file's. */
struct fb_test_given {
    bool has_time, has_disclose, has_disclose_anonymous;
    int64_t time_ms;
    enum fb_level disclose, disclose_anonymous;
    bool stores;                        /* entities or accounts are given, if only none */
    const struct fb_entity_set *entities;   /* or NULL */
    struct fb_test_account *accounts;
    size_t accounts_count, accounts_capacity;
};

#define FB_TEST_FIELDS_MAX 64u

enum fb_test_who { FB_TEST_ANONYMOUS, FB_TEST_ASSUMED, FB_TEST_CLAIMS };

struct fb_test {
    struct fb_test_given given;         /* first: readers of its members take either */
    struct fb_span name;
    struct fb_range range;
    struct fb_http_request http;        /* its fields are made when it runs */
    struct fb_http_field *fields;       /* FB_TEST_FIELDS_MAX and one more for a token */
    size_t fields_count;
    enum fb_test_who who;
    struct fb_assumed assumed;
    struct fb_span claims;              /* the members of the object, without braces; or empty */
    bool has_iss, has_aud, has_exp;     /* claims that are not to be added */
    struct fb_test_expect *expects;
    size_t expects_count, expects_capacity;
    bool has_request, has_expect;
};

#define FB_TEST_WORDS_MAX 32u
struct fb_test_file {
    struct fb_test_given given;         /* first, too */
    const struct fb_source *source;
    struct fb_span issuer[FB_TEST_WORDS_MAX];   /* words as of --issuer, without URL, jwks and audience */
    size_t issuer_count;
    struct fb_span resource;            /* perhaps empty */
    enum fb_unmatched unmatched;
    const struct fb_cors *cors;         /* or NULL */
    struct fb_test *tests;
    size_t count, capacity;
};

struct fb_tests {
    struct fb_arena arena;
    struct fb_diags diags;              /* faults of the files */
    const struct fb_schema *schema;
    struct fb_test_file **files;
    size_t count, capacity, total;      /* total: tests of all files */
    const char **outside;               /* directories of entities that lie elsewhere, for --watch */
    size_t outside_count, outside_capacity;
};

/* Reads DIR/tests/ *.json, *.yaml and *.yml in order of their names.  False, with errors among the diagnostics; these and the tests live
 * until fb_tests_release(), which must be called in any case. */
bool fb_tests_read(struct fb_tests *tests, const char *dir, const struct fb_schema *schema);
void fb_tests_release(struct fb_tests *tests);

/* --- Running ------------------------------------------------------------------------------------ */

/* Where the tests of a file run: made anew for a test that has entities or accounts of its own. */
struct fb_test_world {
    struct fb_arena arena;
    struct fb_diags diags;
    struct fb_issuers *issuers;
    struct fb_guard *guard;
    struct fb_site site;
    char store[4096];                   /* a temporary directory, or empty */
};
struct fb_dev_key;
#define FB_TEST_ISSUER "https://issuer.test"
#define FB_TEST_AUDIENCE "test"
/* False after a diagnostic in world->diags; close it in any case.  `test` NULL: the file's own. */
bool fb_test_world_open(struct fb_test_world *world, const struct fb_cli_site *site, const struct fb_dev_key *key,
                        const struct fb_test_file *file, const struct fb_test *test);
void fb_test_world_close(struct fb_test_world *world);

struct fb_test_failure {
    const struct fb_test_expect *expect;
    struct fb_span got;                 /* JSON */
};

/* One test, decided.  Good until the next one. */
struct fb_test_outcome {
    const struct fb_test_file *file;
    const struct fb_test *test;
    const struct fb_http_request *http;
    const struct fb_why *why;
    const struct fb_response *response; /* of a refusal and a preflight */
    const struct fb_test_failure *failures;
    size_t failures_count;
};

/* What came, in the form of the expectation; in the arena. */
struct fb_span fb_test_got(const struct fb_test_expect *expect, const struct fb_test_outcome *outcome,
                           const struct fb_program *program, struct fb_arena *arena);
/* One JSON value, whose first event was taken, compact. */
bool fb_test_compact(struct fb_json *json, struct fb_buffer *out);
/* A list of strings as JSON, in order of their bytes.  Sorts it. */
void fb_test_names(struct fb_buffer *out, struct fb_span *names, size_t count);

enum fb_test_form { FB_TEST_TEXT, FB_TEST_TAP, FB_TEST_JSON };

struct fb_cover;
struct fb_test_run {
    struct fb_cli *cli;
    const struct fb_cli_site *site;
    const struct fb_tests *tests;
    const char *dir, *only;             /* only: tests whose name has this in it; or NULL */
    enum fb_test_form form;
    bool verbose, all;                  /* all: policies that had no part in a failure, too */
    const volatile sig_atomic_t *stop;  /* set by a signal */
    struct fb_cover *cover;
    size_t wanted, done, failed;
    struct fb_buffer json, junit;       /* gathered test by test; junit only if it is wanted */
    bool wants_junit;
};
/* False after it has said why the tests could not be run to their end. */
bool fb_test_run(struct fb_test_run *run);

void fb_test_report_begin(struct fb_test_run *run, size_t wanted);
void fb_test_report(struct fb_test_run *run, const struct fb_test_outcome *outcome);
void fb_test_report_end(struct fb_test_run *run);
/* expected and got, on one line */
void fb_test_difference(struct fb_buffer *out, const struct fb_test_failure *failure);
/* As JUnit's XML, which CI servers read: a test, and the whole around them. */
void fb_test_junit(struct fb_buffer *out, const struct fb_test_outcome *outcome);
void fb_test_junit_whole(struct fb_buffer *out, const struct fb_test_run *run);

/* --- Coverage ------------------------------------------------------------------------------------ */

struct fb_cover_clause {
    struct fb_range range;
    enum fb_clause_part part;
    bool counted;                       /* else it only says to which actions and types the policy applies */
    uint32_t met, unmet, decided;       /* decided: only this one was missing */
};
struct fb_cover_policy {
    uint32_t evaluated, held, decided;  /* tests in which it concerned the action; held; was among those that decided */
    struct fb_cover_clause *clauses;
    uint32_t count;
};
struct fb_cover {
    struct fb_arena arena;
    const struct fb_program *program;
    const struct fb_routes *routes;
    struct fb_cover_policy *policies;
    uint32_t *asked;                    /* of each route: tests whose request it was */
    size_t count;
};
struct fb_cover_sums {
    size_t policies, policies_decided, clauses, clauses_decided, routes, routes_asked;
};

/* False without memory; release it in any case. */
bool fb_cover_init(struct fb_cover *cover, const struct fb_policies *policies);
void fb_cover_release(struct fb_cover *cover);
/* Before the guard's release. */
bool fb_cover_note(struct fb_cover *cover, const struct fb_why *why, struct fb_arena *arena);
struct fb_cover_sums fb_cover_sums(const struct fb_cover *cover);
/* Was it met, and was it once what was missing? */
static inline bool fb_cover_whole(const struct fb_cover_clause *clause)
{
    return clause->met != 0 && clause->decided != 0;
}
/* The sums on a line; with `all` what no test decides by, too. */
void fb_cover_print(struct fb_buffer *out, const struct fb_cover *cover, bool all);
void fb_cover_print_json(struct fb_buffer *out, const struct fb_cover *cover);
void fb_cover_print_lcov(struct fb_buffer *out, const struct fb_cover *cover);

/* --- Waiting ------------------------------------------------------------------------------------- */

/* From now on *stop is set by an interrupt or SIGTERM. */
void fb_test_catch(volatile sig_atomic_t *stop);
/* What is watched: DIR, DIR/tests, and the directories of entities that lie elsewhere. */
struct fb_test_watch {
    struct fb_cli *cli;
    const char *dir;
    const char *written[3];             /* files that the command writes itself, or NULL: no change */
    int fd;                             /* -1 at first; the caller's to close */
};
/* Begins to watch, or goes on with what was added; `tests` NULL: DIR alone.  False after it has said why not. */
bool fb_test_watch(struct fb_test_watch *watch, const struct fb_tests *tests);
/* Waits until a file of policies or JSON has changed since, and then is quiet; false: stopped. */
bool fb_test_wait(struct fb_test_watch *watch, const volatile sig_atomic_t *stop);

#endif
