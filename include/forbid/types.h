/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORBID_TYPES_H
#define FORBID_TYPES_H

/* What all of libforbid's interface is made of: texts, memory, statuses, errors.  forbid.h says what there is. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FORBID_API __attribute__((visibility("default")))
#else
#define FORBID_API
#endif

/* Bytes that somebody else owns. */
struct forbid_text {
    size_t len;
    const char *ptr;
};

/* Over a text that ends with a NUL; NULL gives the empty text. */
static inline struct forbid_text forbid_text_of(const char *z)
{
    struct forbid_text text;
    text.len = z != NULL ? strlen(z) : 0;
    text.ptr = z;
    return text;
}

/* A text and the name that stands for it in errors ("policies/users.cedar"). */
struct forbid_source {
    struct forbid_text name, text;
};

/* `resize(context, NULL, 0, n)` allocates n > 0 bytes aligned for any type, `(context, p, old, n)`
 * moves, `(context, p, old, 0)` frees and returns NULL.  NULL on failure leaves the old block.  Calls
 * come from the threads that call the library for the objects made with it. */
struct forbid_allocator {
    void *(*resize)(void *context, void *block, size_t old_size, size_t new_size);
    void *context;
};

enum forbid_status {
    FORBID_OK = 0,
    FORBID_INVALID,     /* a text is not what it must be: see the errors */
    FORBID_NO_MEMORY,   /* or a stated limit on memory was reached */
    FORBID_MISUSE       /* a NULL where there must be none, a struct of an unknown size */
};

/* "0.1.0" */
FORBID_API const char *forbid_version(void);

/* --- Errors -----------------------------------------------------------------------------------------
 * One list for all that a call has to say of the texts it was given, warnings included, in the order of
 * the text.  It holds copies of those texts and depends on nothing.  At most 100 are kept. */

enum forbid_severity { FORBID_ERROR = 0, FORBID_WARNING = 1, FORBID_NOTE = 2 };

/* A range of bytes of a text.  All zeroes: of no text. */
struct forbid_place {
    struct forbid_text source;          /* the name that was given with the text */
    size_t start, end;                  /* byte offsets into it; `end` is the first one behind */
    unsigned line, column;              /* of start, from 1; columns count Unicode scalars */
    unsigned end_line, end_column;      /* of end */
};

struct forbid_error {
    enum forbid_severity severity;
    const char *code;                   /* stable: "parse.unexpected_token" */
    struct forbid_text message, hint;   /* what is wrong; what to write instead, or empty */
    struct forbid_place place;
    struct forbid_text other_message;   /* of a second place ("the first one"), or empty */
    struct forbid_place other;
};

typedef struct forbid_errors forbid_errors;
FORBID_API size_t forbid_errors_count(const forbid_errors *errors);
/* Valid as long as `errors`.  Beyond the last: an error without a code. */
FORBID_API struct forbid_error forbid_errors_at(const forbid_errors *errors, size_t index);
/* All of them for people, with source lines and carets.  Ends with a NUL, lives as long as `errors`, is
 * never NULL. */
FORBID_API const char *forbid_errors_text(const forbid_errors *errors);
FORBID_API void forbid_errors_free(forbid_errors *errors);

/* --- Texts that the library makes --------------------------------------------------------------------- */

typedef struct forbid_string forbid_string;
/* Valid as long as `string`; a NUL stands behind it. */
FORBID_API struct forbid_text forbid_string_text(const forbid_string *string);
FORBID_API void forbid_string_free(forbid_string *string);

#ifdef __cplusplus
}
#endif

#endif
