/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REQUEST_PLAN_H
#define FB_REQUEST_PLAN_H

#include "request/request.h"

/* A context type, compiled: which facts to put where.  Made once for each action, so that a request
 * neither hashes a name nor sorts a field. */

enum fb_fact {
#define FB_FACT(symbol, within, name, type, presence) FB_FACT_##symbol,
#include "request/facts.def"
#undef FB_FACT
    FB_FACT_PARAMETER,                  /* a query parameter */
    FB_FACT_FIELD,                      /* a header field */
    FB_FACT_CLAIM                       /* a further claim of the token */
};

struct fb_plan_field {
    struct fb_span name;
    uint64_t symbol;                    /* fb_hash(name) */
    enum fb_fact fact;
    enum fb_type_kind type;
    bool required;
    const struct fb_context_plan *record;
};

/* Of the context, and of each record in it. */
struct fb_context_plan {
    const struct fb_plan_field *fields; /* by (symbol, name), as records are sorted */
    /* PARAMETER, FIELD: the names as requests have them, in the order of `fields`; of header fields
     * in lower case with `-` for `_`. */
    const struct fb_span *names;
    size_t count;
};

#define FB_PLAN_FIELDS_MAX 64u

#endif
