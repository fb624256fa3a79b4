/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_LIMITS_H
#define FB_TESTS_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

/* What the command is asked to do with a text; each is a bit, and a row of its own in commands[]. */
enum command {
    CHECK = 1 << 0,
    VALIDATE = 1 << 1,
    FORMAT = 1 << 2,
    TO_JSON = 1 << 3,
    AUTHORIZE = 1 << 4,
    CHECK_JSON = 1 << 5,
    TO_CEDAR = 1 << 6,
    CHECK_SCHEMA = 1 << 7,
    SCHEMA_TO_JSON = 1 << 8,
    CHECK_SCHEMA_JSON = 1 << 9,
    SCHEMA_TO_CEDAR = 1 << 10,
    CHECK_ENTITIES = 1 << 11,
    AUTHORIZE_ENTITIES = 1 << 12,
    AUTHORIZE_CONTEXT = 1 << 13,
    EVALUATE = 1 << 14,
    CHECK_EXPRESSION = 1 << 15,
};

#define POLICY (CHECK | VALIDATE | FORMAT | TO_JSON | AUTHORIZE)
#define POLICY_JSON (CHECK_JSON | TO_CEDAR)
#define SCHEMA (CHECK_SCHEMA | SCHEMA_TO_JSON)
#define SCHEMA_JSON (CHECK_SCHEMA_JSON | SCHEMA_TO_CEDAR)
#define ENTITIES (CHECK_ENTITIES | AUTHORIZE_ENTITIES)
#define CONTEXT (AUTHORIZE_CONTEXT | EVALUATE)

/* A text of head, `count` times part, middle, `count` times close, tail.  A `#` in part is the number of
 * the repetition. */
struct row {
    const char *name;
    unsigned commands;
    const char *head, *part;
    size_t count;
    const char *middle, *close, *tail;
    const char *code;   /* of the fault it must be refused with; NULL: it must be answered */
    unsigned mebibytes; /* of memory, at the peak; 0: 64 */
    bool slow;
};

extern const struct row fb_limits_rows[];
extern const size_t fb_limits_rows_count;

#endif
