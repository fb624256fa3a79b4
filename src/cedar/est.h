/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CEDAR_EST_H
#define FB_CEDAR_EST_H

#include "base/base.h"
#include "cedar/parse.h"

/* What the readers of JSON policies share.  Not for other parts.
 *
 *   est_read.c     policy sets, policies, links
 *   est_scope.c    scopes
 *   est_expr.c     expressions
 *   est_value.c    values
 *   est_write.c    the other way
 *
 * One fault ends the reading: JSON is made by programs, and what follows a fault in it means little. */

struct fb_est {
    struct fb_json json;
    struct fb_parser parser;    /* the maker of nodes: no token of it is ever read */
    struct fb_policy_set *set;
    uint32_t depth;             /* of expressions being read, but for chains to the left */
};

/* A fault at the last token, or at the given place.  Returns false. */
bool fb_est_fail(struct fb_est *est, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool fb_est_fail_at(struct fb_est *est, struct fb_range range, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A warning at the last token: this member says nothing. */
void fb_est_ignored(struct fb_est *est);
/* "there is no WHAT `NAME`", with what was perhaps meant. */
bool fb_est_unknown(struct fb_est *est, const char *what, const struct fb_span *known, size_t count);

/* The next event must be this one; else `what` is said to be expected. */
bool fb_est_expect(struct fb_est *est, enum fb_json_event event, const char *what);
/* The last event must be this one. */
bool fb_est_is(struct fb_est *est, enum fb_json_event event, const char *what);
/* Was the last event the one that ends the object or array, and no fault? */
static inline bool fb_est_ended(const struct fb_est *est, enum fb_json_event event)
{
    return est->json.event == event;
}

/* A type's name, `NS::User`, as a string that was taken. */
bool fb_est_type(struct fb_est *est, struct fb_span *type);
/* {type, id}, whose first event was taken. */
bool fb_est_uid(struct fb_est *est, const struct fb_uid **uid);
/* An object of annotations, of which nothing was taken. */
bool fb_est_annotations(struct fb_est *est, const struct fb_annotation **list, uint32_t *count);
/* The value of `principal`, `action` or `resource`; nothing of it was taken. */
bool fb_est_scope(struct fb_est *est, enum fb_var var, struct fb_scope *scope);
/* Expressions, whose first event was taken. */
bool fb_est_expr(struct fb_est *est, const struct fb_expr **expr);
bool fb_est_value(struct fb_est *est, const struct fb_expr **expr);

/* Nodes that began at `start` and end with the last event; false, reported, without memory or at a limit. */
struct fb_expr *fb_est_new(struct fb_est *est, enum fb_expr_kind kind, struct fb_range mark);
bool fb_est_finish(struct fb_est *est, struct fb_expr *expr, uint32_t start);
/* One level deeper, and back. */
bool fb_est_enter(struct fb_est *est);
static inline void fb_est_leave(struct fb_est *est)
{
    est->depth--;
}

/* Growing lists of operands, with names if it is a record's. */
struct fb_est_items {
    const struct fb_expr **list;
    struct fb_span *names;
    size_t count, capacity, names_capacity;
};
bool fb_est_add_item(struct fb_est *est, struct fb_est_items *items, struct fb_span name, const struct fb_expr *item);
/* The function or method of that name. */
bool fb_est_function(struct fb_span name, enum fb_function *function);
/* A call node of these arguments. */
bool fb_est_call(struct fb_est *est, enum fb_function function, const struct fb_est_items *items, struct fb_range mark,
                 uint32_t start, const struct fb_expr **expr);

#endif
