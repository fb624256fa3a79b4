/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_TEST_READER_H
#define FB_CLI_TEST_READER_H

#include "cli/test.h"

/* How the files of `forbid test` are read: objects by tables of their members.  A fault of shape is a diagnostic, its
 * value is passed over, and reading goes on; only text that is no JSON ends it.  A file of YAML is read as the JSON
 * that yaml.c makes of it. */

struct fb_test_reader {
    struct fb_tests *tests;
    struct fb_test_file *file;
    struct fb_json json;
};

/* Reads a member's value, none of which was taken.  False: the JSON is at fault. */
typedef bool fb_test_member_fn(struct fb_test_reader *r, void *into);
struct fb_test_member {
    const char *name;
    fb_test_member_fn *read;
};

/* An object whose first event was taken.  Members that are not in the table are faults. */
bool fb_test_object(struct fb_test_reader *r, const char *what, const struct fb_test_member *members, size_t count,
                    void *into);
/* The value whose first event was taken should be something else: says so and passes over it. */
bool fb_test_wrong(struct fb_test_reader *r, const char *should);
/* A fault at a range; the diagnostic, for its hint. */
struct fb_diag *fb_test_fault(struct fb_test_reader *r, const char *code, struct fb_range range, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A string; an empty span if it was something else, which was said. */
bool fb_test_text(struct fb_test_reader *r, struct fb_span *text, const char *should);
bool fb_test_truth(struct fb_test_reader *r, bool *truth);
/* A file, in the arena of the tests; NULL with an errno. */
const struct fb_source *fb_test_source(struct fb_tests *tests, struct fb_span path, size_t limit, int *error);
/* A string or a list of strings, at most `max`. */
bool fb_test_texts(struct fb_test_reader *r, struct fb_span *list, size_t max, size_t *count, const char *should);
/* The uid in the string that was just read; NULL after a fault. */
const struct fb_uid *fb_test_uid(struct fb_test_reader *r);

/* time, disclose, disclose_anonymous, entities, accounts: into a given. */
fb_test_member_fn fb_test_read_time, fb_test_read_disclose, fb_test_read_disclose_anonymous, fb_test_read_entities,
    fb_test_read_accounts;
/* issuer, unmatched, cors, resource: into a file. */
fb_test_member_fn fb_test_read_issuer, fb_test_read_unmatched, fb_test_read_cors, fb_test_read_resource;
/* request, as, expect: into a test. */
fb_test_member_fn fb_test_read_request, fb_test_read_as, fb_test_read_expect;

#endif
