/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid why` for people: the status first, then who asked for what, then each policy that mattered
 * with its clauses in their source and the values that decided them. */
#include "cli/routes.h"
#include "cli/why.h"

#define RED "\033[1;31m"
#define GREEN "\033[1;32m"
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

#define NEAREST_SHOWN 2u /* permits that did not apply, unless all are asked for */

static void styled(struct fb_buffer *out, bool colour, const char *style, const char *text)
{
    fb_buffer_add_z(out, colour ? style : "");
    fb_buffer_add_z(out, text);
    fb_buffer_add_z(out, colour ? PLAIN : "");
}

static void add_uid(struct fb_buffer *out, const struct fb_uid *uid)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1u << 20);
    fb_uid_print(&text, uid);
    fb_excerpt_cut(out, fb_buffer_span(&text), FB_VALUE_COLUMNS);
    fb_buffer_release(&text);
}

static void add_place(struct fb_buffer *out, bool colour, const struct fb_source *source, uint32_t offset)
{
    fb_buffer_add_z(out, colour ? DIM : "");
    fb_buffer_add_safe(out, source->name);
    struct fb_position at = fb_source_position(source, offset);
    fb_buffer_add_format(out, ":%u:%u%s", at.line, at.column, colour ? PLAIN : "");
}

/* --- What happens ------------------------------------------------------------------------------- */

static void print_asked(struct fb_buffer *out, const struct fb_why_shown *shown, bool colour)
{
    fb_buffer_add_z(out, colour ? BOLD : "");
    fb_buffer_add_safe(out, shown->http->method);
    fb_buffer_add_char(out, ' ');
    fb_buffer_add_safe(out, shown->http->raw_target);
    fb_buffer_add_z(out, colour ? PLAIN : "");
    if (shown->assumed != NULL) {
        fb_buffer_add_z(out, "  as ");
        add_uid(out, shown->assumed->principal);
        for (size_t i = 0; i < shown->assumed->parents_count; i++) {
            fb_buffer_add_z(out, i == 0 ? " in " : ", ");
            add_uid(out, shown->assumed->parents[i]);
        }
        for (size_t i = 0; i < shown->assumed->scopes_count; i++) {
            fb_buffer_add_z(out, i == 0 ? " with scope " : " ");
            fb_buffer_add_safe(out, shown->assumed->scopes[i]);
        }
    } else {
        fb_buffer_add_z(out, shown->has_token ? "  with a token" : "  without credentials");
    }
    fb_buffer_add_z(out, "\n\n");
}

static void print_status(struct fb_buffer *out, const struct fb_why_shown *shown, bool colour)
{
    const struct fb_answer *answer = &shown->why->answer;
    const struct fb_refusal *refusal = &answer->refusal;
    if (answer->forward) {
        fb_buffer_add_z(out, "  ");
        styled(out, colour, GREEN, "forwarded");
        fb_buffer_add_z(out, " to the upstream\n");
        return;
    }
    struct fb_span phrase = fb_phrase_of_status(refusal->status);
    fb_buffer_add_format(out, "  %s%u %.*s%s", colour ? RED : "", refusal->status, (int)phrase.len, phrase.ptr,
                         colour ? PLAIN : "");
    if (refusal->reason.len != 0) {
        fb_buffer_add_z(out, "  ");
        fb_buffer_add_safe(out, refusal->reason);
    }
    fb_buffer_add_char(out, '\n');
    if (refusal->detail.len != 0) {
        fb_buffer_add_z(out, "  ");
        fb_buffer_add_safe(out, refusal->detail);
        fb_buffer_add_char(out, '\n');
    }
    if (answer->fault_text.len != 0) {
        fb_buffer_add_z(out, "  for the log: ");
        fb_buffer_add_safe(out, answer->fault_text);
        fb_buffer_add_char(out, '\n');
    }
}

static void print_uid_row(struct fb_buffer *out, const char *name, const struct fb_uid *uid, bool any, bool colour)
{
    if (uid == NULL && !any)
        return;
    fb_buffer_add_format(out, "  %s%-10s%s ", colour ? DIM : "", name, colour ? PLAIN : "");
    if (any) {
        fb_buffer_add_z(out, "any ");
        fb_buffer_add_safe(out, uid != NULL ? fb_uid_type(uid) : FB_SPAN("principal"));
    } else {
        add_uid(out, uid);
    }
    fb_buffer_add_char(out, '\n');
}

static void print_facts(struct fb_buffer *out, const struct fb_why_shown *shown, bool colour)
{
    const struct fb_why *why = shown->why;
    const struct fb_route *route = why->route;
    if (route == NULL)
        return;
    const struct fb_schema_action *action = route->action->declared;
    fb_buffer_add_format(out, "\n  %s%-10s%s %.*s ", colour ? DIM : "", "route", colour ? PLAIN : "",
                         (int)route->method.len, route->method.ptr);
    fb_buffer_add_safe(out, route->path);
    fb_buffer_add_z(out, "  ");
    add_place(out, colour, action->source, route->range.start);
    fb_buffer_add_char(out, '\n');
    const struct fb_answer *answer = &why->answer;
    bool asked = why->evaluated;
    print_uid_row(out, "principal", asked ? why->request.principal : answer->principal, why->unknown_principal, colour);
    print_uid_row(out, "action", answer->action, false, colour);
    print_uid_row(out, "resource", answer->resource, false, colour);
    if (asked && why->unknown_resource && answer->resource != NULL)
        fb_buffer_add_z(out,
                        "             decided as if it could be any: the answer must not tell whether it exists\n");
    if (asked && why->request.context.kind == FB_RECORD && why->request.context.record != NULL
        && why->request.context.record->count != 0) {
        fb_buffer_add_format(out, "  %s%-10s%s ", colour ? DIM : "", "context", colour ? PLAIN : "");
        fb_value_print_cut(out, why->request.context, 3 * FB_VALUE_COLUMNS);
        fb_buffer_add_char(out, '\n');
    }
}

/* --- Policies ------------------------------------------------------------------------------------- */

static void print_policy(struct fb_buffer *out, const struct fb_why_shown *shown,
                         const struct fb_explanation *explanation, bool colour)
{
    fb_buffer_add_char(out, '\n');
    fb_explanation_print(out, fb_policies_program(shown->site->policies), explanation,
                         (struct fb_explain_style){.colour = colour, .strict = true});
}

static bool decided(const struct fb_answer *answer, uint32_t policy)
{
    for (uint32_t i = 0; i < answer->policies_count; i++)
        if (answer->policies[i] == policy)
            return true;
    return false;
}

/* Those that decided, or came nearest; of the others a few, unless all are wanted. */
static void print_policies(struct fb_buffer *out, const struct fb_why_shown *shown, bool colour)
{
    const struct fb_why *why = shown->why;
    size_t left_out = 0, nearest = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < why->policies_count; i++) {
            const struct fb_explanation *explanation = &why->policies[i];
            bool first = decided(&why->answer, explanation->policy);
            bool could = (explanation->outcomes & (FB_CAN_TRUE | FB_CAN_ERR)) != 0;
            if (first != (pass == 0))
                continue;
            bool undecided = !why->answer.forward && why->answer.policies_count == 0;
            bool wanted = first || shown->all || (undecided && (could || nearest < NEAREST_SHOWN));
            nearest += !could;
            if (wanted)
                print_policy(out, shown, explanation, colour);
            else
                left_out++;
        }
    }
    if (left_out != 0)
        fb_buffer_add_format(out, "\n  %s%zu more %s had no part in it; --all shows %s.%s\n", colour ? DIM : "",
                             left_out, left_out == 1 ? "policy" : "policies", left_out == 1 ? "it" : "them",
                             colour ? PLAIN : "");
}

/* It is there, which this client must not learn. */
static void print_hidden(struct fb_buffer *out, const struct fb_why *why)
{
    const struct fb_action *viewing = why->route->action->conceal;
    fb_buffer_add_z(out, "\n  Hidden: it is there, and this client is told that it is not, in the very words for what is not there.\n");
    if (why->concealing != NULL) {
        fb_buffer_add_z(out, "  A forbid that conceals hit it, or erred: ");
        fb_buffer_add_safe(out, *why->concealing);
        fb_buffer_add_char(out, '\n');
    } else if (viewing != NULL) {
        fb_buffer_add_z(out, "  Those may know of it who may do ");
        add_uid(out, viewing->uid);
        fb_buffer_add_z(out, " on it, which this client may not.\n");
    }
}

/* What the policies do not say themselves. */
static void print_remark(struct fb_buffer *out, const struct fb_why_shown *shown)
{
    const struct fb_why *why = shown->why;
    const struct fb_answer *answer = &why->answer;
    if (answer->forward)
        return;
    const char *remark = NULL;
    if (answer->hidden) {
        print_hidden(out, why);
        return;
    }
    if (why->route == NULL && answer->refusal.status == 404)
        remark = "No route of the schema has this path (`forbid check DIR --routes` lists them).";
    else if (answer->refusal.status == 405)
        remark = "The path has a route, with another method.";
    else if (fb_span_is(answer->refusal.challenge_error, "insufficient_scope"))
        remark = answer->refusal.scope.len != 0
                     ? "This account could be allowed: a token with exactly the scopes of the challenge is."
                     : "This account could be allowed, with a token of other scopes; which ones the policies do not name.";
    else if (fb_span_is(answer->refusal.challenge_error, "insufficient_user_authentication"))
        remark = "This account could be allowed, after a stronger or more recent sign-in.";
    else if (answer->refusal.status == 401)
        remark = "No valid credentials, and somebody could be allowed: signing in may help.";
    else if (answer->refusal.status == 403 && why->evaluated && why->unknown_principal)
        remark = "No valid credentials, and nobody could be allowed: signing in would not help.";
    else if (fb_span_is(answer->refusal.reason, "account_unknown"))
        remark = shown->site->site.store != NULL
                     ? "The principal stands neither in entities.json nor in the store."
                     : "The principal does not stand in entities.json, and no store was given (--store DIR).";
    else if (why->evaluated && why->policies_count == 0)
        remark = "No policy is about this action and these types, and what nothing permits is refused.";
    if (remark != NULL)
        fb_buffer_add_format(out, "\n  %s\n", remark);
}

static void print_response(struct fb_buffer *out, const struct fb_why_shown *shown, bool colour)
{
    const struct fb_response *response = shown->response;
    const struct fb_refusal *refusal = &shown->why->answer.refusal;
    if (response == NULL)
        return;
    struct fb_span level = fb_level_name(refusal->level), phrase = fb_phrase_of_status(response->status);
    fb_buffer_add_format(out, "\n  %sThe client sees%s (level %.*s)\n\n", colour ? BOLD : "", colour ? PLAIN : "",
                         (int)level.len, level.ptr);
    fb_buffer_add_format(out, "    HTTP/1.1 %u %.*s\n", response->status, (int)phrase.len, phrase.ptr);
    for (size_t i = 0; i < response->lines_count; i++) {
        if (response->lines[i].value.len == 0)
            continue;
        fb_buffer_add_z(out, "    ");
        fb_buffer_add_safe(out, response->lines[i].name);
        fb_buffer_add_z(out, ": ");
        fb_buffer_add_safe(out, response->lines[i].value);
        fb_buffer_add_char(out, '\n');
    }
    if (response->content_type.len != 0) {
        fb_buffer_add_z(out, "    Content-Type: ");
        fb_buffer_add_safe(out, response->content_type);
        fb_buffer_add_char(out, '\n');
    }
    fb_buffer_add_char(out, '\n');
    struct fb_span body = response->body;
    while (body.len != 0 && body.ptr[body.len - 1] == '\n')
        body.len--;
    /* Line by line, for the page that people get has many. */
    for (size_t end; body.len != 0; body = fb_span_from(body, end + 1)) {
        end = fb_span_find(body, '\n');
        fb_buffer_add_z(out, "    ");
        fb_buffer_add_safe(out, fb_span_head(body, end));
        fb_buffer_add_char(out, '\n');
    }
}

void fb_why_print(struct fb_buffer *out, const struct fb_why_shown *shown, bool colour)
{
    print_asked(out, shown, colour);
    print_status(out, shown, colour);
    print_facts(out, shown, colour);
    print_remark(out, shown);
    if (shown->why->evaluated)
        print_policies(out, shown, colour);
    print_response(out, shown, colour);
}
