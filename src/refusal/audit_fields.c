/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of refusals besides challenges: storage, time, methods, scripts of other origins; and what the request
 * itself does wrong.
 * Read RFC 9111 sections 3 and 4.2, RFC 9110 sections 10.2.3 and 15.5.6, RFC 6585, RFC 7725, RFC 6750 section 5.3. */
#include "refusal/audit_rules.h"

/* The seconds of a directive such as `max-age=60`; false where it is not there. */
static bool directive(struct fb_span control, const char *name, uint64_t *seconds)
{
    size_t len = strlen(name);
    while (control.len != 0) {
        size_t comma = fb_span_find(control, ',');
        struct fb_span one = fb_span_trim(fb_span_head(control, comma));
        control = fb_span_from(control, comma + 1);
        if (!fb_span_eq_nocase(fb_span_head(one, len), fb_span(name, len)))
            continue;
        if (one.len == len) {
            *seconds = 1;
            return true;
        }
        if (one.ptr[len] == '=' && fb_span_to_u64(fb_span_from(one, len + 1), UINT32_MAX, seconds))
            return true;
    }
    return false;
}

static void storage(const struct fb_audited *a)
{
    const struct fb_exchange *x = a->exchange;
    struct fb_span control = fb_response_field(x, "cache-control");
    int64_t expires = 0, date = 0;
    uint64_t seconds;
    bool ground = x->status == 401 || x->status == 403 || x->status == 407 || x->status == 429 || x->status == 451 || x->status == 503;
    if (!ground || fb_has_nocase(control, "no-store"))
        return;
    bool fresh = (directive(control, "max-age", &seconds) && seconds != 0) || (directive(control, "s-maxage", &seconds) && seconds != 0) ||
                 directive(control, "public", &seconds);
    if (!fresh && control.len == 0 && fb_http_read_date(fb_response_field(x, "expires"), 0, &expires))
        fresh = fb_http_read_date(fb_response_field(x, "date"), 0, &date) && expires > date;
    if (fresh)
        fb_audit_found(a, FB_RULE_CACHEABLE, control.len != 0 ? control : fb_response_field(x, "expires"));
    else if (x->status == 451 && !fb_has_nocase(control, "no-cache") && !fb_has_nocase(control, "private"))
        fb_audit_found(a, FB_RULE_STORED_BY_DEFAULT, control);
}

static void when(const struct fb_audited *a)
{
    const struct fb_exchange *x = a->exchange;
    struct fb_span after = fb_response_field(x, "retry-after");
    int64_t seconds;
    if (fb_response_has(x, "retry-after")) {
        if (!fb_http_read_retry_after(after, 0, &seconds))
            fb_audit_found(a, FB_RULE_RETRY_MALFORMED, after);
    } else if (x->status == 429) {
        fb_audit_found(a, FB_RULE_RETRY_429, fb_span(NULL, 0));
    } else if (x->status == 503) {
        fb_audit_found(a, FB_RULE_RETRY_503, fb_span(NULL, 0));
    }
}

static bool names_blocker(const struct fb_exchange *x)
{
    for (size_t i = 0; i < x->response_count; i++)
        if (fb_span_eq_nocase(x->response[i].name, FB_SPAN("link")) && fb_has_nocase(x->response[i].value, "blocked-by"))
            return true;
    return false;
}

/* A script sees of another origin's answer what that names. */
static bool is_exposed(const struct fb_exchange *x, const char *name)
{
    for (size_t i = 0; i < x->response_count; i++)
        if (fb_span_eq_nocase(x->response[i].name, FB_SPAN("access-control-expose-headers")) &&
            (fb_has_nocase(x->response[i].value, name) || fb_span_is(x->response[i].value, "*")))
            return true;
    return false;
}

static void scripts(const struct fb_audited *a)
{
    const struct fb_exchange *x = a->exchange;
    struct fb_span origin = fb_request_field(x, "origin");
    if (fb_is_preflight(x)) {
        /* That there is no such resource is no refusal. */
        if (x->status >= 300 && x->status < 500 && x->status != 404 && x->status != 410)
            fb_audit_found(a, FB_RULE_PREFLIGHT_REFUSED, x->phrase);
        return;
    }
    if (origin.len == 0 || (x->status < 400 && x->status != 0))
        return;
    /* The same origin sends Origin too, but with POST and the like only, and to the host that it names. */
    struct fb_span host = fb_request_field(x, "host");
    if (origin.len > host.len && host.len != 0 && fb_span_eq(fb_span_from(origin, origin.len - host.len), host))
        return;
    if (!fb_response_has(x, "access-control-allow-origin"))
        fb_audit_found(a, FB_RULE_CORS_UNREADABLE, origin);
    else if ((fb_response_has(x, "www-authenticate") && !is_exposed(x, "www-authenticate")) ||
             (fb_response_has(x, "retry-after") && !is_exposed(x, "retry-after")))
        fb_audit_found(a, FB_RULE_CORS_HIDDEN, fb_response_field(x, "access-control-expose-headers"));
}

/* A parameter of the query that is a credential by its name. */
static struct fb_span token_of_query(struct fb_span query)
{
    static const char *const names[] = {"access_token", "id_token", "token", "jwt", "bearer", "auth_token", "api_key", "apikey"};
    while (query.len != 0) {
        size_t end = fb_span_find(query, '&');
        struct fb_span one = fb_span_head(query, end);
        size_t equals = fb_span_find(one, '=');
        query = fb_span_from(query, end + 1);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (equals + 8 < one.len && fb_span_eq_nocase(fb_span_head(one, equals), fb_span_z(names[i])))
                return fb_span_head(one, equals);
    }
    return fb_span(NULL, 0);
}

static bool is_loopback(struct fb_span url)
{
    struct fb_span host = fb_span_from(url, 7);
    return fb_span_starts(host, FB_SPAN("127.")) || fb_span_starts(host, FB_SPAN("localhost")) || fb_span_starts(host, FB_SPAN("[::1]"));
}

static void request(const struct fb_audited *a)
{
    const struct fb_exchange *x = a->exchange;
    struct fb_span in_query = token_of_query(fb_url_query(x->url));
    size_t fields = 0;
    for (size_t i = 0; i < x->request_count; i++)
        fields += fb_span_eq_nocase(x->request[i].name, FB_SPAN("authorization"));
    if (in_query.len != 0)
        fb_audit_found(a, FB_RULE_TOKEN_IN_URL, in_query);
    if ((fields > 1 || (fields == 1 && in_query.len != 0)) && x->status != 400)
        fb_audit_found(a, FB_RULE_CREDENTIALS_TWICE, fields > 1 ? FB_SPAN("Authorization twice") : in_query);
    if (fields != 0 && fb_span_starts(x->url, FB_SPAN("http://")) && !is_loopback(x->url))
        fb_audit_found(a, FB_RULE_CLEARTEXT, fb_span_head(x->url, 80));
}

void fb_audit_fields(const struct fb_audited *a)
{
    const struct fb_exchange *x = a->exchange;
    storage(a);
    when(a);
    if (x->status == 405 && !fb_response_has(x, "allow"))
        fb_audit_found(a, FB_RULE_ALLOW_MISSING, fb_span(NULL, 0));
    if (x->status == 451 && !names_blocker(x))
        fb_audit_found(a, FB_RULE_BLOCKED_BY, fb_span(NULL, 0));
    scripts(a);
    request(a);
}
