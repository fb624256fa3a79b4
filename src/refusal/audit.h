/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_AUDIT_H
#define FB_REFUSAL_AUDIT_H

#include "refusal/exchange.h"

/* audit: what is wrong with how exchanges were refused.  Each rule looks at one exchange, or at two of the same
 * route; none sends anything.
 *
 *   rules.def            the rules: code, severity, what is wrong, what to change, where it stands
 *   audit.c              the run, and what the rules share
 *   audit_status.c       the wrong status; pages for people        audit_body.c    what a body gives away
 *   audit_challenge.c    challenges                               audit_fields.c  other fields, the request
 *   audit_pairs.c        two exchanges */

struct fb_exchange;
struct fb_exchanges;

enum fb_audit_rule {
#define FB_RULE(symbol, code, severity, what, change, source) FB_RULE_##symbol,
#include "refusal/rules.def"
#undef FB_RULE
    FB_RULES
};
struct fb_audit_text {
    const char *code;
    enum fb_severity severity;
    const char *what, *change, *source;     /* "RFC 9110 section 15.5.2" */
};
const struct fb_audit_text *fb_audit_text(enum fb_audit_rule rule);

struct fb_finding {
    enum fb_audit_rule rule;
    const struct fb_exchange *exchange, *other;     /* other: NULL but where two are compared */
    struct fb_span shown;                           /* what was found, a short run of it; or empty */
};

struct fb_findings {
    struct fb_arena *arena;
    struct fb_finding *list;        /* in the order of the exchanges */
    size_t count, capacity;
    size_t errors, warnings, notes;
};

/* All findings.  Memory from the arena of `exchanges`; false without.  A rule finds a thing once an exchange. */
bool fb_audit(const struct fb_exchanges *exchanges, struct fb_findings *findings);

#endif
