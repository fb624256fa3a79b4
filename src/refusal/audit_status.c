/* SPDX-License-Identifier: Apache-2.0 */
/* The status against what the answer says of its ground, and pages for people where a program asked.
 * Read RFC 9110 sections 15.5 and 12.5.1, RFC 6750 section 3.1, RFC 9470 section 3. */
#include "refusal/audit_rules.h"

/* Any of several phrases; a list ends with NULL. */
static struct fb_span phrase(const struct fb_audited *a, const char *const *phrases)
{
    struct fb_span body = fb_span_head(a->exchange->body, 65536);
    for (; *phrases != NULL; phrases++) {
        struct fb_span run = fb_audit_run(body, *phrases);
        if (run.len != 0)
            return run;
    }
    return fb_span(NULL, 0);
}

static const char *const missing[] = {"credentials were not provided", "missing authentication token", "missing authorization", "no token provided",
    "no authorization token", "authorization header is missing", "authorization header missing", "login required", "not logged in",
    "authentication required", "must be logged in", "missing token", "no access token", "no credentials", "please log in", "please sign in", NULL};
static const char *const stale[] = {"token expired", "token is expired", "token has expired", "jwt expired", "invalid token", "token is invalid",
    "invalid signature", "jwt malformed", "token verification failed", "signature verification failed", NULL};
static const char *const malformed[] = {"malformed request", "invalid json", "validation failed", "bad request", "missing required parameter",
    "missing parameter", "unexpected token", "could not parse", "invalid_request", "schema validation", NULL};
static const char *const absent[] = {"does not exist", "no such file", "no such resource", "no such user", "no such object", "nosuchkey", "could not be found", "resource not found", "\"not_found\"", NULL};
static const char *const final_words[] = {"account is suspended", "account suspended", "account is disabled", "account disabled", "account is locked",
    "insufficient role", "requires role", "missing role", "insufficient permission", "permission denied", "not an admin", "admin only",
    "not authorized to perform", NULL};

static void on_403(const struct fb_audited *a)
{
    struct fb_span run;
    if (a->signs.signal == FB_SIGNAL_MISSING || (a->signs.signal == FB_SIGNAL_NONE && (run = phrase(a, missing)).len != 0))
        fb_audit_found(a, FB_RULE_MISSING_403, a->signs.signal == FB_SIGNAL_MISSING ? a->signs.word : run);
    else if (a->signs.signal == FB_SIGNAL_TOKEN || (a->signs.signal == FB_SIGNAL_NONE && (run = phrase(a, stale)).len != 0))
        fb_audit_found(a, FB_RULE_TOKEN_403, a->signs.signal == FB_SIGNAL_TOKEN ? a->signs.word : run);
    else if (a->signs.signal == FB_SIGNAL_WEAK)
        fb_audit_found(a, FB_RULE_STEP_UP_403, a->signs.word);
    else if (a->signs.signal == FB_SIGNAL_REQUEST || (a->signs.signal == FB_SIGNAL_NONE && (run = phrase(a, malformed)).len != 0))
        fb_audit_found(a, FB_RULE_MALFORMED_403, a->signs.signal == FB_SIGNAL_REQUEST ? a->signs.word : run);
    else if (a->signs.signal == FB_SIGNAL_NONE && (run = phrase(a, absent)).len != 0)
        fb_audit_found(a, FB_RULE_ABSENT_403, run);
    else if (a->anonymous && a->signs.signal == FB_SIGNAL_NONE)
        fb_audit_found(a, FB_RULE_ANONYMOUS_403, fb_span(NULL, 0));
}

static void on_400(const struct fb_audited *a)
{
    struct fb_span run = phrase(a, missing);
    if (a->anonymous && (a->signs.signal == FB_SIGNAL_MISSING || run.len != 0))
        fb_audit_found(a, FB_RULE_MISSING_400, run);
}

static void on_401(const struct fb_audited *a)
{
    struct fb_span run = fb_span(NULL, 0);
    if (a->signs.signal == FB_SIGNAL_SCOPE)
        fb_audit_found(a, FB_RULE_SCOPE_401, a->signs.word);
    else if (a->signs.signal == FB_SIGNAL_ACCOUNT || (a->signs.signal == FB_SIGNAL_NONE && (run = phrase(a, final_words)).len != 0))
        fb_audit_found(a, FB_RULE_FINAL_401, a->signs.signal == FB_SIGNAL_ACCOUNT ? a->signs.word : run);
}

/* `{"ok":false,"error":"missing_scope"}`: a word that is about credentials or rights. */
static void on_200(const struct fb_audited *a)
{
    switch (a->signs.signal) {
    case FB_SIGNAL_MISSING: case FB_SIGNAL_TOKEN: case FB_SIGNAL_SCOPE: case FB_SIGNAL_WEAK: case FB_SIGNAL_ACCOUNT: case FB_SIGNAL_CSRF:
        fb_audit_found(a, FB_RULE_REFUSED_200, a->signs.word);
        break;
    case FB_SIGNAL_NONE: case FB_SIGNAL_NONCE: case FB_SIGNAL_PROOF: case FB_SIGNAL_REQUEST: case FB_SIGNAL_RATE: case FB_SIGNAL_BUSY:
    case FB_SIGNAL_CERTIFICATE:
        if (fb_span_eq_nocase(a->signs.word, FB_SPAN("unauthorized")) || fb_span_eq_nocase(a->signs.word, FB_SPAN("forbidden")) ||
            fb_span_eq_nocase(a->signs.word, FB_SPAN("access_denied")))
            fb_audit_found(a, FB_RULE_REFUSED_200, a->signs.word);
        break;
    }
}

static void on_500(const struct fb_audited *a)
{
    static const char *const words[] = {"unauthorizederror", "forbiddenerror", "jwt expired", "jwt malformed", "invalid signature",
        "jsonwebtokenerror", "tokenexpirederror", "accessdeniedexception", "authenticationexception", "permissiondenied",
        "no authorization token", "invalid token", "auth_request", NULL};
    struct fb_span run = phrase(a, words);
    if (run.len != 0)
        fb_audit_found(a, FB_RULE_FAULT_500, run);
    else if (a->signs.signal == FB_SIGNAL_MISSING || a->signs.signal == FB_SIGNAL_TOKEN || a->signs.signal == FB_SIGNAL_ACCOUNT)
        fb_audit_found(a, FB_RULE_FAULT_500, a->signs.word);
}

/* IANA's registry of status codes, 4xx and 5xx. */
static bool is_registered(unsigned status)
{
    return (status >= 400 && status <= 417) || (status >= 421 && status <= 426) || status == 428 || status == 429 || status == 431 ||
           status == 451 || (status >= 500 && status <= 508) || status == 510 || status == 511;
}

static void people(const struct fb_audited *a)
{
    const struct fb_exchange *x = a->exchange;
    const struct fb_received received = {x->status, x->response, x->response_count, x->body};
    struct fb_span location = fb_response_field(x, "location"), type = fb_response_field(x, "content-type");
    bool html = fb_has_nocase(fb_span_head(type, 9), "text/html");
    if (!a->program)
        return;
    if (x->status >= 300 && x->status < 400 && fb_is_login_target(location))
        fb_audit_found(a, FB_RULE_LOGIN_REDIRECT, location);
    else if (x->status >= 200 && x->status < 300 && fb_received_login_page(&received))
        fb_audit_found(a, FB_RULE_LOGIN_200, fb_span(NULL, 0));
    else if (a->refused && fb_received_login_page(&received))
        fb_audit_found(a, FB_RULE_LOGIN_REFUSED, fb_span(NULL, 0));
    if (x->status >= 400 && html && a->wants_json)
        fb_audit_found(a, FB_RULE_HTML_BODY, type);
}

void fb_audit_status(const struct fb_audited *a)
{
    unsigned status = a->exchange->status;
    if (status == 403)
        on_403(a);
    else if (status == 401)
        on_401(a);
    else if (status == 400)
        on_400(a);
    else if (status >= 200 && status < 300)
        on_200(a);
    else if (status == 500)
        on_500(a);
    else if (status == 407 && !fb_response_has(a->exchange, "proxy-authenticate"))
        fb_audit_found(a, FB_RULE_PROXY_407, fb_span(NULL, 0));
    else if (status == 511 && !fb_has_nocase(fb_response_field(a->exchange, "content-type"), "html"))
        fb_audit_found(a, FB_RULE_NETWORK_511, fb_response_field(a->exchange, "content-type"));
    if (status >= 400 && !is_registered(status))
        fb_audit_found(a, FB_RULE_STATUS_UNKNOWN, a->exchange->phrase);
    people(a);
}
