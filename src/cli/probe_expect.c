/* SPDX-License-Identifier: Apache-2.0 */
/* What the policies say of each cell, by the very steps of the server: who somebody is comes from the token where the
 * issuers are given, else from the principal that the file of identities names; nobody is nobody in any case. */
#include "cli/http_line.h"
#include "cli/probe.h"

#include "http/http.h"

#include <time.h>

#define DECISION_MAX ((size_t)64 << 20)

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The site's `issuers` decide about a token; an identity that neither they nor the file knows has no expectation. */
static bool is_known(const struct fb_probe *probe, const struct fb_probe_identity *who)
{
    return who->fields_count == 0 || who->principal != NULL || probe->by_token;
}

static size_t fields_of(const struct fb_probe *probe, const struct fb_probe_identity *who, struct fb_http_field *fields)
{
    size_t count = 0;
    for (size_t i = 0; i < probe->headers.count; i++)
        count += fb_http_field_read(fb_span_z(probe->headers.list[i]), &fields[count]);
    for (size_t i = 0; i < who->fields_count; i++)
        count += fb_http_field_read(fb_span_z(who->fields[i]), &fields[count]);
    fields[count++] = (struct fb_http_field){FB_SPAN("Accept"), FB_SPAN("application/json")};
    return count;
}

static void keep(const struct fb_probe *probe, struct fb_probe_cell *cell, const struct fb_answer *answer)
{
    struct fb_arena *arena = probe->arena;
    const struct fb_refusal *refusal = &answer->refusal;
    cell->expected = (struct fb_probe_expected){.known = true, .forward = answer->forward};
    if (answer->forward)
        return;
    cell->expected.status = refusal->status;
    cell->expected.challenge = refusal->challenge;
    cell->expected.error = fb_arena_copy(arena, refusal->challenge_error);
    cell->expected.scope = fb_arena_copy(arena, refusal->scope);
    cell->expected.acr_values = fb_arena_copy(arena, refusal->acr_values);
    cell->expected.reason = fb_arena_copy(arena, refusal->reason);
}

static bool expect(const struct fb_probe *probe, struct fb_guard *guard, struct fb_probe_cell *cell, int64_t now)
{
    const struct fb_probe_identity *who = &probe->world.list[cell->identity];
    struct fb_http_field fields[FB_WORDS_MAX + 16];
    struct fb_http_field_list list = {fields, fields_of(probe, who, fields)};
    struct fb_http_request http = {.host = probe->host, .tls = probe->tls, .now_ms = now, .fields = fb_http_fields_of(&list)};
    struct fb_span line = fb_arena_format(probe->arena, "%.*s %.*s", (int)cell->target->route->method.len, cell->target->route->method.ptr,
                                          (int)cell->target->path.len, cell->target->path.ptr);
    if (line.len == 0 || fb_ip_parse(FB_SPAN("127.0.0.1"), &http.peer) != NULL || fb_http_line_read(line, probe->arena, &http) != NULL)
        return line.len != 0;
    if (http.tls) {
        http.tls_version = FB_SPAN("TLSv1.3");
        http.tls_cipher = FB_SPAN("TLS_AES_128_GCM_SHA256");
    }
    struct fb_assumed assumed = {.principal = who->principal,
                                 .scopes = who->scopes, .scopes_count = who->scopes_count,
                                 .parents = who->groups, .parents_count = who->groups_count};
    struct fb_why why;
    fb_guard_why(guard, &probe->site->site, &http, who->principal != NULL && !probe->by_token ? &assumed : NULL, &why);
    keep(probe, cell, &why.answer);
    fb_guard_release(guard);
    return !probe->arena->failed;
}

bool fb_probe_identify(struct fb_probe *probe)
{
    struct fb_guard *guard = probe->by_token && probe->site != NULL ? fb_guard_new(&(struct fb_guard_options){.allocator = &fb_heap, .arena_bytes = DECISION_MAX}) : NULL;
    for (size_t i = 0; guard != NULL && i < probe->world.count; i++) {
        struct fb_probe_identity *who = &probe->world.list[i];
        struct fb_http_field fields[FB_WORDS_MAX + 16];
        struct fb_http_field_list list = {fields, fields_of(probe, who, fields)};
        struct fb_http_request http = {.method = FB_SPAN("GET"), .host = probe->host, .now_ms = now_ms(), .fields = fb_http_fields_of(&list)};
        if (who->fields_count == 0 || who->principal != NULL || fb_http_line_read(FB_SPAN("GET /"), probe->arena, &http) != NULL)
            continue;
        const struct fb_uid *uid = fb_guard_identify(guard, &probe->site->site, &http);
        if (uid != NULL)
            who->principal = fb_uid_new(probe->arena, fb_uid_type(uid), fb_uid_id(uid));
        fb_guard_release(guard);
    }
    fb_guard_free(guard);
    return !probe->arena->failed;
}

bool fb_probe_expect(struct fb_probe *probe)
{
    if (probe->site == NULL)
        return true;
    int64_t ms = now_ms();
    struct fb_guard *guard = fb_guard_new(&(struct fb_guard_options){.allocator = &fb_heap, .arena_bytes = DECISION_MAX});
    bool good = guard != NULL;
    for (size_t i = 0; good && i < probe->order_count; i++)
        if (is_known(probe, &probe->world.list[probe->cells[i].identity]))
            good = expect(probe, guard, &probe->cells[i], ms);
    fb_guard_free(guard);
    return good;
}
