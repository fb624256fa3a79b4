/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_AUDIT_RULES_H
#define FB_REFUSAL_AUDIT_RULES_H

#include "refusal/audit.h"
#include "refusal/signs.h"

/* What the rules share.  Inside src/refusal. */

struct fb_audited {
    const struct fb_exchange *exchange;
    struct fb_findings *findings;
    struct fb_signs signs;
    enum fb_presented presented;
    bool refused;               /* 400 to 499, and 511 */
    bool anonymous;             /* known to have had no credentials */
    bool program;               /* known to be no navigation of a browser */
    bool wants_json;            /* Accept names JSON and not HTML */
};

void fb_audit_found(const struct fb_audited *audited, enum fb_audit_rule rule, struct fb_span shown);
void fb_audit_pair(struct fb_findings *findings, enum fb_audit_rule rule, const struct fb_exchange *one, const struct fb_exchange *two);

void fb_audit_status(const struct fb_audited *audited);
void fb_audit_challenge(const struct fb_audited *audited);
void fb_audit_body(const struct fb_audited *audited);
void fb_audit_fields(const struct fb_audited *audited);
void fb_audit_pairs(const struct fb_exchanges *exchanges, struct fb_findings *findings);

/* What a script's browser asks before its request (Fetch section 4.8). */
bool fb_is_preflight(const struct fb_exchange *exchange);
/* The path of a URL, without query and fragment; and its query. */
struct fb_span fb_url_path(struct fb_span url);
struct fb_span fb_url_query(struct fb_span url);
/* Where `needle` stands in any case, with what follows up to the line's end or 80 bytes; empty if nowhere. */
struct fb_span fb_audit_run(struct fb_span text, const char *needle);

#endif
