/* SPDX-License-Identifier: Apache-2.0 */
/* Answers against policies: what is reachable though refused, refused though allowed, and refusals of another kind than
 * the rule says.  What the policies forward is the API's to answer, so a 404 or 400 of it is no difference. */
#include "cli/probe.h"

#include "http/http.h"

static bool expects_success_elsewhere(const struct fb_probe *probe, const struct fb_probe_cell *cell)
{
    /* Objects of this route that the policies give to this identity: then it may call the function. */
    for (size_t t = cell->target->route->from; t < cell->target->route->end; t++) {
        const struct fb_probe_cell *other = fb_probe_cell_at(probe, t, cell->identity);
        if (other->expected.known && other->expected.forward)
            return true;
    }
    return false;
}

static void reachable(struct fb_probe *probe, struct fb_probe_cell *cell)
{
    bool nobody = probe->world.list[cell->identity].fields_count == 0;
    bool object = cell->target->kind == FB_PROBE_OWNED || cell->target->kind == FB_PROBE_SHARED;
    enum fb_probe_rule rule = cell->target->kind == FB_PROBE_ABSENT                          ? FB_PROBE_REACHABLE
                              : fb_probe_is_own(probe, cell->target, cell->identity)         ? FB_PROBE_REACHABLE
                              : object && (nobody || expects_success_elsewhere(probe, cell)) ? FB_PROBE_BROKEN_OBJECT
                              : nobody                                                       ? FB_PROBE_OPEN_FUNCTION
                                                                                             : FB_PROBE_BROKEN_FUNCTION;
    fb_probe_found(probe, rule, cell, NULL, "%u; the policies say %u%s%.*s%s", cell->status, cell->expected.status,
                   cell->expected.reason.len != 0 ? " (" : "", (int)cell->expected.reason.len, cell->expected.reason.ptr,
                   cell->expected.reason.len != 0 ? ")" : "");
}

/* The same object for another identity: then the API has it, and a 404 is a refusal. */
static bool exists(const struct fb_probe *probe, const struct fb_probe_cell *cell)
{
    for (size_t i = 0; i < probe->world.count; i++)
        if (fb_probe_is_success(fb_probe_cell_at(probe, (size_t)(cell->target - probe->targets), i)->status))
            return true;
    return false;
}

static bool same_param(const struct fb_http_challenge *challenge, const char *name, struct fb_span expected)
{
    return expected.len == 0 || fb_span_eq(fb_http_challenge_param(challenge, name), expected);
}

/* One of the challenges asks for what the policies would. */
static bool has_challenge(const struct fb_exchange *x, const struct fb_probe_expected *expected)
{
    struct fb_http_challenge challenge;
    for (size_t i = 0; i < x->response_count; i++) {
        if (!fb_span_eq_nocase(x->response[i].name, FB_SPAN("www-authenticate")))
            continue;
        struct fb_span value = x->response[i].value;
        while (fb_http_next_challenge(&value, &challenge) == FB_HTTP_PARAM)
            if (fb_span_eq_nocase(challenge.scheme, FB_SPAN("Bearer")) && fb_span_eq(fb_http_challenge_param(&challenge, "error"), expected->error) &&
                same_param(&challenge, "scope", expected->scope) && same_param(&challenge, "acr_values", expected->acr_values))
                return true;
    }
    return false;
}

static void other_refusal(struct fb_probe *probe, struct fb_probe_cell *cell)
{
    const struct fb_probe_expected *expected = &cell->expected;
    if (cell->status != expected->status) {
        fb_probe_found(probe, FB_PROBE_OTHER_STATUS, cell, NULL, "%u; the policies call for %u%s%.*s%s", cell->status, expected->status,
                       expected->reason.len != 0 ? " (" : "", (int)expected->reason.len, expected->reason.ptr, expected->reason.len != 0 ? ")" : "");
        return;
    }
    const struct fb_exchange *x = fb_probe_answer(probe, cell);
    /* That there is none at all is a rule of lint. */
    if (!expected->challenge || !fb_response_has(x, "www-authenticate") || has_challenge(x, expected))
        return;
    struct fb_span got = fb_response_field(x, "www-authenticate");
    fb_probe_found(probe, FB_PROBE_OTHER_CHALLENGE, cell, NULL, "%.*s; the policies call for %s%.*s%s%.*s%s%.*s", (int)(got.len < 200 ? got.len : 200),
                   got.ptr, expected->error.len != 0 ? "error=" : "one without error", (int)expected->error.len, expected->error.ptr, expected->scope.len != 0 ? ", scope=" : "", (int)expected->scope.len, expected->scope.ptr,
                   expected->acr_values.len != 0 ? ", acr_values=" : "", (int)expected->acr_values.len, expected->acr_values.ptr);
}

static void compare(struct fb_probe *probe, struct fb_probe_cell *cell)
{
    unsigned status = cell->status;
    if (cell->expected.forward) {
        if (status == 401 || status == 403 || status == 451 || (status == 404 && cell->target->kind != FB_PROBE_ABSENT && exists(probe, cell)))
            fb_probe_found(probe, FB_PROBE_REFUSED, cell, NULL, "%u", status);
    } else if (fb_probe_is_success(status)) {
        reachable(probe, cell);
    } else if (status < 500 && status != 429) {
        other_refusal(probe, cell);
    }
}

void fb_probe_compare(struct fb_probe *probe)
{
    for (size_t i = 0; i < probe->order_count; i++) {
        struct fb_probe_cell *cell = &probe->cells[i];
        if (cell->status != 0 && cell->expected.known)
            compare(probe, cell);
        if (cell->status >= 500 && !(cell->expected.known && cell->expected.status == cell->status))
            fb_probe_found(probe, FB_PROBE_FAULT, cell, NULL, "%u", cell->status);
        if (cell->sent && cell->status == 0)
            fb_probe_found(probe, FB_PROBE_UNANSWERED, cell, NULL, "%s", cell->why);
    }
}
