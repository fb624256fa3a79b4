/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORBID_FORBID_H
#define FORBID_FORBID_H

/* libforbid: decisions by Cedar policies, in C.
 *
 *   forbid_policies   parsed and compiled policies    immutable; any number of threads may use one
 *   forbid_entities   who and what there is           immutable; likewise
 *   forbid_decider    the workspace of one thread     one call at a time
 *   forbid_errors     why a text was not accepted
 *
 * Each is made with an allocator (NULL: malloc), which must outlive it, and freed by its own free
 * function, which takes NULL too.  Policies and entities must outlive the deciders and requests that
 * use them.  No function keeps a pointer to a text that it is given, sets a global, writes to
 * standard error, jumps or aborts.  Texts are UTF-8 with their length; no terminator is needed.
 *
 * Decisions are Cedar's, exactly (language 4.5): a policy that errs is skipped and reported. */

#include <stddef.h>
#include <stdint.h>

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

/* `resize(context, NULL, 0, n)` allocates n > 0 bytes aligned for any type, `(context, p, old, n)`
 * moves, `(context, p, old, 0)` frees and returns NULL.  NULL on failure leaves the old block. */
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

/* --- Errors --------------------------------------------------------------------------------------- */

enum forbid_severity { FORBID_ERROR = 0, FORBID_WARNING = 1, FORBID_NOTE = 2 };

struct forbid_error {
    enum forbid_severity severity;
    const char *code;               /* stable: "parse.unexpected_token" */
    struct forbid_text message, hint;   /* hint may be empty */
    struct forbid_text source;      /* the name that was given with the text; empty: about no text */
    size_t start, end;              /* byte offsets into it */
    unsigned line, column;          /* of start, from 1; columns count Unicode scalars */
};

typedef struct forbid_errors forbid_errors;
FORBID_API size_t forbid_errors_count(const forbid_errors *errors);
/* Valid as long as `errors`.  Beyond the last: an error without a code. */
FORBID_API struct forbid_error forbid_errors_at(const forbid_errors *errors, size_t index);
/* All of them for people, with source lines and carets.  Valid as long as `errors`; never NULL. */
FORBID_API const char *forbid_errors_text(const forbid_errors *errors);
FORBID_API void forbid_errors_free(forbid_errors *errors);

/* --- Policies and entities ---------------------------------------------------------------------- */

typedef struct forbid_policies forbid_policies;
/* Parses and compiles policies in Cedar's text form.  `name` stands in errors ("policies.cedar").  With
 * `rename` policies are known by their `@id`, else by position ("policy0", …).  On FORBID_OK *policies
 * is the caller's; else it is NULL and *errors, if `errors` is not NULL, says why (perhaps NULL when
 * memory is short). */
FORBID_API enum forbid_status forbid_policies_parse(const struct forbid_allocator *allocator, struct forbid_text name,
                                                    struct forbid_text text, int rename,
                                                    forbid_policies **policies, forbid_errors **errors);
FORBID_API size_t forbid_policies_count(const forbid_policies *policies);
FORBID_API void forbid_policies_free(forbid_policies *policies);

typedef struct forbid_entities forbid_entities;
/* Reads Cedar's entity JSON and closes the hierarchy; a cycle is an error. */
FORBID_API enum forbid_status forbid_entities_parse(const struct forbid_allocator *allocator, struct forbid_text name,
                                                    struct forbid_text json, forbid_entities **entities,
                                                    forbid_errors **errors);
FORBID_API size_t forbid_entities_count(const forbid_entities *entities);
FORBID_API void forbid_entities_free(forbid_entities *entities);

/* --- Decisions --------------------------------------------------------------------------------------- */

/* Zero it, set `size`, fill it in. */
struct forbid_request {
    size_t size;                                    /* sizeof(struct forbid_request) */
    struct forbid_text principal, action, resource; /* Cedar text: `User::"alice"` */
    struct forbid_text context;                     /* a JSON object; empty: {} */
    const forbid_entities *entities;                /* NULL: none */
};

struct forbid_policy_error {
    struct forbid_text policy, message;
    size_t start, end;                              /* of the expression, in the policies' text */
};

/* The zero value is a deny.  Set `size` before the call. */
struct forbid_decision {
    size_t size;                                    /* sizeof(struct forbid_decision) */
    int allow;
    const struct forbid_text *reasons;              /* ids of the determining policies */
    size_t reasons_count;
    const struct forbid_policy_error *errors;       /* policies that erred */
    size_t errors_count;
};

typedef struct forbid_decider forbid_decider;
/* `memory`: bytes that one decision may take at the most; 0: 4 MiB.  NULL without memory. */
FORBID_API forbid_decider *forbid_decider_new(const struct forbid_allocator *allocator,
                                              const forbid_policies *policies, size_t memory);
FORBID_API void forbid_decider_free(forbid_decider *decider);

/* Decides.  Anything but FORBID_OK leaves a deny in *decision.  What *decision and *errors point to is
 * valid until the next call with this decider; *errors, if `errors` is not NULL, is its own and not
 * to be freed. */
FORBID_API enum forbid_status forbid_authorize(forbid_decider *decider, const struct forbid_request *request,
                                               struct forbid_decision *decision, const forbid_errors **errors);

#ifdef __cplusplus
}
#endif

#endif
