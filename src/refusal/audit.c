/* SPDX-License-Identifier: Apache-2.0 */
/* The run over recorded exchanges: each is read once, and shown to the rules.  What is wrong in general stands in
 * rules.def; the rules themselves are in the files that audit.h names. */
#include "refusal/audit_rules.h"

static const struct fb_audit_text rules[] = {
#define FB_RULE(symbol, code, severity, what, change, source) {code, FB_##severity, what, change, source},
#include "refusal/rules.def"
#undef FB_RULE
};

const struct fb_audit_text *fb_audit_text(enum fb_audit_rule rule) { return &rules[rule]; }

static void add(struct fb_findings *findings, struct fb_finding finding)
{
    for (size_t i = findings->count; i != 0 && findings->list[i - 1].exchange == finding.exchange; i--)
        if (findings->list[i - 1].rule == finding.rule)
            return;
    struct fb_finding *list = fb_arena_grow(findings->arena, findings->list, findings->count, &findings->capacity, sizeof *list);
    if (list == NULL)
        return;
    findings->list = list;
    list[findings->count++] = finding;
    switch (rules[finding.rule].severity) {
    case FB_ERROR: findings->errors++; break;
    case FB_WARNING: findings->warnings++; break;
    case FB_NOTE: findings->notes++; break;
    }
}

void fb_audit_found(const struct fb_audited *audited, enum fb_audit_rule rule, struct fb_span shown)
{
    add(audited->findings, (struct fb_finding){.rule = rule, .exchange = audited->exchange, .shown = fb_span_head(shown, 120)});
}

void fb_audit_pair(struct fb_findings *findings, enum fb_audit_rule rule, const struct fb_exchange *one, const struct fb_exchange *two)
{
    add(findings, (struct fb_finding){.rule = rule, .exchange = one, .other = two});
}

struct fb_span fb_url_path(struct fb_span url)
{
    struct fb_span rest = url;
    for (size_t i = 0; i + 3 <= url.len && url.ptr[i] != '/'; i++)
        if (memcmp(url.ptr + i, "://", 3) == 0) {
            rest = fb_span_from(url, i + 3);
            rest = fb_span_from(rest, fb_span_find(rest, '/'));
            break;
        }
    size_t end = fb_span_find(rest, '?'), hash = fb_span_find(rest, '#');
    return fb_span_head(rest, end < hash ? end : hash);
}

struct fb_span fb_url_query(struct fb_span url)
{
    struct fb_span query = fb_span_from(url, fb_span_find(url, '?') + 1);
    return fb_span_head(query, fb_span_find(query, '#'));
}

struct fb_span fb_audit_run(struct fb_span text, const char *needle)
{
    size_t len = strlen(needle);
    for (size_t i = 0; i + len <= text.len; i++) {
        struct fb_span here = fb_span(text.ptr + i, len);
        if ((text.ptr[i] | 0x20) == (needle[0] | 0x20) && fb_span_eq_nocase(here, fb_span(needle, len))) {
            struct fb_span rest = fb_span_head(fb_span_from(text, i), 80);
            return fb_span_head(rest, fb_span_find(rest, '\n'));
        }
    }
    return fb_span(NULL, 0);
}

/* No navigation: it says what it is, or it names what it takes and that is no page. */
static bool is_program(const struct fb_exchange *exchange)
{
    struct fb_span accept = fb_request_field(exchange, "accept"), mode = fb_request_field(exchange, "sec-fetch-mode");
    if (!exchange->request_known)
        return false;
    if (mode.len != 0)
        return !fb_span_is(mode, "navigate");
    return !fb_has_nocase(accept, "text/html");
}

static struct fb_audited audited_of(const struct fb_exchange *exchange, struct fb_findings *findings)
{
    struct fb_audited audited = {.exchange = exchange, .findings = findings, .presented = fb_exchange_presented(exchange)};
    const struct fb_received received = {exchange->status, exchange->response, exchange->response_count, exchange->body};
    const struct fb_client client = {.presented = audited.presented};
    struct fb_span accept = fb_request_field(exchange, "accept");
    fb_signs_read(&received, &client, findings->arena, &audited.signs);
    audited.refused = (exchange->status >= 400 && exchange->status < 500) || exchange->status == 511;
    audited.anonymous = exchange->request_known && audited.presented == FB_PRESENTED_NONE &&
                        !fb_has_nocase(fb_url_query(exchange->url), "access_token=");
    audited.program = is_program(exchange);
    audited.wants_json = fb_has_nocase(accept, "json") && !fb_has_nocase(accept, "text/html");
    return audited;
}

bool fb_is_preflight(const struct fb_exchange *exchange)
{
    return fb_span_is(exchange->method, "OPTIONS") && fb_request_has(exchange, "access-control-request-method");
}

/* By exchange, those of one as they were found: a counting sort, as recordings may be long. */
static void put_in_order(const struct fb_exchanges *exchanges, struct fb_findings *findings)
{
    size_t *next = fb_arena_array(findings->arena, exchanges->count + 1, sizeof *next);
    struct fb_finding *list = fb_arena_array(findings->arena, findings->count, sizeof *list);
    if (next == NULL || list == NULL)
        return;
    for (size_t i = 0; i < findings->count; i++)
        next[findings->list[i].exchange - exchanges->list + 1]++;
    for (size_t i = 0; i < exchanges->count; i++)
        next[i + 1] += next[i];
    for (size_t i = 0; i < findings->count; i++)
        list[next[findings->list[i].exchange - exchanges->list]++] = findings->list[i];
    findings->list = list;
}

bool fb_audit(const struct fb_exchanges *exchanges, struct fb_findings *findings)
{
    *findings = (struct fb_findings){.arena = exchanges->arena};
    for (size_t i = 0; i < exchanges->count; i++) {
        if (exchanges->list[i].status == 0)
            continue;
        struct fb_audited audited = audited_of(&exchanges->list[i], findings);
        /* A preflight has no credentials and no reader: that it is refused at all is the fault. */
        if (!fb_is_preflight(audited.exchange)) {
            fb_audit_status(&audited);
            fb_audit_challenge(&audited);
            fb_audit_body(&audited);
        }
        fb_audit_fields(&audited);
    }
    fb_audit_pairs(exchanges, findings);
    put_in_order(exchanges, findings);
    return !findings->arena->failed;
}
