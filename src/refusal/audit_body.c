/* SPDX-License-Identifier: Apache-2.0 */
/* What a refusal gives away that is nobody's business, and whether its body is what it says it is.
 * By marks that no sentence for a client has; a miss is better here than a false alarm.
 * Read RFC 9457 sections 3.1.2 and 5, RFC 6750 section 5.3. */
#include "refusal/audit_rules.h"

#define LOOKED_AT ((size_t)256 << 10)

static const struct {
    enum fb_audit_rule rule;
    const char *mark;
} marks[] = {
    {FB_RULE_LEAK_TRACE, "Traceback (most recent call last)"},      /* Python */
    {FB_RULE_LEAK_TRACE, "\\n    at "},                             /* JavaScript, in JSON */
    {FB_RULE_LEAK_TRACE, "\n    at "},
    {FB_RULE_LEAK_TRACE, "&nbsp; &nbsp;at "},                       /* Express's page */
    {FB_RULE_LEAK_TRACE, "\tat java."},
    {FB_RULE_LEAK_TRACE, "\tat org."},
    {FB_RULE_LEAK_TRACE, "\tat com."},
    {FB_RULE_LEAK_TRACE, "\\tat "},
    {FB_RULE_LEAK_TRACE, "goroutine 1 ["},
    {FB_RULE_LEAK_TRACE, "panic: runtime error"},
    {FB_RULE_LEAK_TRACE, "#0 /"},                                   /* PHP */
    {FB_RULE_LEAK_TRACE, "   at System."},                          /* .NET */
    {FB_RULE_LEAK_SQL, "SQLSTATE["},
    {FB_RULE_LEAK_SQL, "syntax error at or near"},
    {FB_RULE_LEAK_SQL, "violates row-level security"},
    {FB_RULE_LEAK_SQL, "violates foreign key"},
    {FB_RULE_LEAK_SQL, "permission denied for table"},
    {FB_RULE_LEAK_SQL, "You have an error in your SQL"},
    {FB_RULE_LEAK_SQL, "ORA-0"},
    {FB_RULE_LEAK_SQL, "near \\\"SELECT"},
    {FB_RULE_LEAK_SQL, "sqlite3.OperationalError"},
    {FB_RULE_LEAK_SQL, "SELECT * FROM"},
    {FB_RULE_LEAK_POLICY, "permit(principal"},
    {FB_RULE_LEAK_POLICY, "permit (principal"},
    {FB_RULE_LEAK_POLICY, "permit (\\n"},
    {FB_RULE_LEAK_POLICY, "permit (\n"},
    {FB_RULE_LEAK_POLICY, "forbid(principal"},
    {FB_RULE_LEAK_POLICY, "forbid (principal"},
    {FB_RULE_LEAK_POLICY, "forbid (\\n"},
    {FB_RULE_LEAK_POLICY, "forbid (\n"},
    {FB_RULE_LEAK_POLICY, "principal =="},
    {FB_RULE_LEAK_POLICY, "resource.attr"},
    {FB_RULE_LEAK_POLICY, "request.resource.attr"},
    {FB_RULE_LEAK_POLICY, "P.attr."},
    {FB_RULE_LEAK_POLICY, "R.attr."},
    {FB_RULE_LEAK_POLICY, "input.user."},                          /* Rego */
    {FB_RULE_LEAK_POLICY, "data.authz"},
    {FB_RULE_LEAK_POLICY, "\"matchedPolicy\""},
    {FB_RULE_LEAK_POLICY, "\"evaluatedPolicies\""},
    {FB_RULE_LEAK_PATH, "/node_modules/"},
    {FB_RULE_LEAK_PATH, "/var/www/"},
    {FB_RULE_LEAK_PATH, "/usr/src/"},
    {FB_RULE_LEAK_PATH, "/usr/lib/python"},
    {FB_RULE_LEAK_PATH, " /home/"},          /* behind a blank: a page may link to /home/ */
    {FB_RULE_LEAK_PATH, "(/home/"},
    {FB_RULE_LEAK_PATH, "/app/src/"},
    {FB_RULE_LEAK_PATH, "C:\\inetpub"},
    {FB_RULE_LEAK_PATH, ".svc.cluster.local"},
    {FB_RULE_LEAK_PATH, "file:///"},
    {FB_RULE_LEAK_PATH, "ECONNREFUSED 1"},
};

static void leaks(const struct fb_audited *a, struct fb_span body)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        struct fb_span run = fb_audit_run(body, marks[i].mark);
        if (run.len != 0)
            fb_audit_found(a, marks[i].rule, run);
    }
    for (size_t i = 0; i < a->exchange->response_count; i++) {
        struct fb_span value = a->exchange->response[i].value;
        if (fb_has_nocase(value, "permission denied for table") || fb_has_nocase(value, "SQLSTATE["))
            fb_audit_found(a, FB_RULE_LEAK_SQL, value);
    }
}

/* The credentials themselves, where they are long enough to be one. */
static void repeated_credentials(const struct fb_audited *a, struct fb_span body)
{
    struct fb_span sent = fb_request_field(a->exchange, "authorization");
    struct fb_span secret = fb_span_trim(fb_span_from(sent, fb_span_find(sent, ' ')));
    if (secret.len < 8 || secret.len > 8192)
        return;
    const char *text = fb_arena_text(a->findings->arena, secret);
    if (text == NULL || memchr(text, '\0', secret.len) != NULL)
        return;
    if (fb_audit_run(body, text).len != 0)
        fb_audit_found(a, FB_RULE_LEAK_TOKEN, fb_span(NULL, 0));
    for (size_t i = 0; i < a->exchange->response_count; i++)
        if (fb_audit_run(a->exchange->response[i].value, text).len != 0)
            fb_audit_found(a, FB_RULE_LEAK_TOKEN, a->exchange->response[i].name);
}

static void version(const struct fb_audited *a)
{
    static const char *const names[] = {"server", "x-powered-by", "x-aspnet-version"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct fb_span value = fb_response_field(a->exchange, names[i]);
        size_t slash = fb_span_find(value, '/');
        if (slash + 1 < value.len && value.ptr[slash + 1] >= '0' && value.ptr[slash + 1] <= '9')
            fb_audit_found(a, FB_RULE_LEAK_VERSION, value);
    }
}

/* The `status` member of problem details. */
static void problem(const struct fb_audited *a, struct fb_span body)
{
    struct fb_json json;
    fb_json_init(&json, body, a->findings->arena, (struct fb_json_limits){.depth = 16, .bytes = LOOKED_AT, .keys = 1024});
    if (fb_json_next(&json) != FB_JSON_OBJECT)
        return;
    while (fb_json_next(&json) == FB_JSON_KEY) {
        bool status = fb_span_is(json.string, "status");
        enum fb_json_event value = fb_json_next(&json);
        if (status && (value != FB_JSON_INTEGER || json.integer != (int64_t)a->exchange->status))
            fb_audit_found(a, FB_RULE_PROBLEM_STATUS, json.string);
        if (!fb_json_skip(&json))
            return;
    }
}

void fb_audit_body(const struct fb_audited *a)
{
    struct fb_span body = fb_span_head(a->exchange->body, LOOKED_AT), type = fb_response_field(a->exchange, "content-type");
    if (a->exchange->status < 400)
        return;
    leaks(a, body);
    repeated_credentials(a, body);
    version(a);
    if (fb_has_nocase(type, "application/problem+json"))
        problem(a, body);
    struct fb_span text = fb_span_trim(body);
    if (text.len > 2 && text.ptr[0] == '{' && text.ptr[1] == '"' && !fb_has_nocase(type, "json"))
        fb_audit_found(a, FB_RULE_TYPE_WRONG, type);
}
