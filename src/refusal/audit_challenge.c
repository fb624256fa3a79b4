/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges: there where they must be, readable, and saying what the client needs.
 * Read RFC 9110 sections 11.2 to 11.6, RFC 6750 section 3, RFC 9470 section 3. */
#include "refusal/audit_rules.h"

static bool is_quoted_by_all(const struct fb_http_challenge *challenge, struct fb_span value)
{
    static const char *const names[] = {"realm", "scope", "error", "error_description"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct fb_span of = fb_http_challenge_param(challenge, names[i]);
        /* Between quotes, if it has any: what stands before the value in the field. */
        if (of.len != 0 && of.ptr > value.ptr && of.ptr[-1] != '"')
            return false;
    }
    return true;
}

/* IANA's registry of authentication schemes, and the two that Windows and Amazon made common. */
static bool is_registered_scheme(struct fb_span scheme)
{
    static const char *const schemes[] = {"Basic", "Bearer", "Concealed", "Digest", "DPoP", "GNAP", "HOBA", "Mutual", "Negotiate", "OAuth",
                                          "PrivateToken", "SCRAM-SHA-1", "SCRAM-SHA-256", "vapid", "NTLM", "AWS4-HMAC-SHA256"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (fb_span_eq_nocase(scheme, fb_span_z(schemes[i])))
            return true;
    return false;
}

static void one_challenge(const struct fb_audited *a, const struct fb_http_challenge *challenge, struct fb_span field)
{
    struct fb_span error = fb_http_challenge_param(challenge, "error");
    bool bearer = fb_span_eq_nocase(challenge->scheme, FB_SPAN("Bearer"));
    if (!is_registered_scheme(challenge->scheme))
        fb_audit_found(a, FB_RULE_SCHEME_UNKNOWN, field);
    if (challenge->repeated)
        fb_audit_found(a, FB_RULE_CHALLENGE_REPEATED, field);
    if (challenge->bare && !is_quoted_by_all(challenge, field))
        fb_audit_found(a, FB_RULE_CHALLENGE_UNQUOTED, field);
    if (bearer && error.len != 0 && a->anonymous)
        fb_audit_found(a, FB_RULE_ERROR_UNASKED, error);
    if (fb_span_is(error, "insufficient_scope") && fb_http_challenge_param(challenge, "scope").len == 0)
        fb_audit_found(a, FB_RULE_SCOPE_UNNAMED, field);
    if (fb_span_is(error, "insufficient_user_authentication") && fb_http_challenge_param(challenge, "acr_values").len == 0 &&
        fb_http_challenge_param(challenge, "max_age").len == 0)
        fb_audit_found(a, FB_RULE_STEP_UP_UNNAMED, field);
    if (fb_span_eq_nocase(challenge->scheme, FB_SPAN("Basic")) && a->exchange->status == 401 &&
        (fb_span_is(fb_request_field(a->exchange, "x-requested-with"), "XMLHttpRequest") ||
         fb_span_is(fb_request_field(a->exchange, "sec-fetch-mode"), "cors")))
        fb_audit_found(a, FB_RULE_BASIC_SCRIPT, field);
}

/* How many challenges a field holds. */
static size_t read_field(const struct fb_audited *a, struct fb_span field)
{
    struct fb_span rest = field;
    struct fb_http_challenge challenge;
    enum fb_http_next next;
    size_t count = 0;
    while ((next = fb_http_next_challenge(&rest, &challenge)) == FB_HTTP_PARAM) {
        count++;
        if (challenge.unparted)
            fb_audit_found(a, FB_RULE_CHALLENGE_MALFORMED, field);
        one_challenge(a, &challenge, field);
    }
    if (next == FB_HTTP_MALFORMED || count == 0)
        fb_audit_found(a, FB_RULE_CHALLENGE_MALFORMED, field);
    return count;
}

void fb_audit_challenge(const struct fb_audited *a)
{
    const struct fb_exchange *x = a->exchange;
    bool there = false, bearer_error = false, bearer = false;
    for (size_t i = 0; i < x->response_count; i++) {
        if (!fb_span_eq_nocase(x->response[i].name, FB_SPAN("www-authenticate")))
            continue;
        there = true;
        bearer |= fb_has_nocase(x->response[i].value, "bearer");
        bearer_error |= fb_has_nocase(x->response[i].value, "error=");
        if (read_field(a, x->response[i].value) > 1)
            fb_audit_found(a, FB_RULE_CHALLENGE_LIST, x->response[i].value);
    }
    if (x->status == 401 && !there)
        fb_audit_found(a, FB_RULE_CHALLENGE_MISSING, fb_span(NULL, 0));
    if (x->status == 401 && bearer && !bearer_error && a->presented == FB_PRESENTED_BEARER)
        fb_audit_found(a, FB_RULE_ERROR_UNSAID, fb_response_field(x, "www-authenticate"));
}
