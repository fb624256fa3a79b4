/* SPDX-License-Identifier: Apache-2.0 */
/* The refusal rule over random policies, stores and requests of a small universe.
 *
 *   1  A 403 to a client without valid credentials: no principal and no token of the universe, and no
 *      absence of credentials, is let through by the same request (or told 404, which only who could
 *      be allowed is).  All are tried.
 *   2  A 401 that nothing cures, in the same sense, is counted.  It must not occur where no policy touches the principal,
 *      the token or the resource (the resource, since what a stranger is told takes it as unknown).
 *   3  What a stranger is told is the same for every resource, there or not, save an allow and a 451.
 *   4  A suspended account is told so, whatever it asks for.
 *   5  Of a secret action a client that is signed in learns no more than it may: what is hidden from it is answered
 *      as what is not there, the rest as if nothing were secret.  What it may know is found out without the code that
 *      hides: by the same policies without `@conceal`, and by the concealing forbids alone.
 *
 * The same test must find two planted faults in the engine: unknown taken for false, and for true. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

extern uint8_t fb_surmise_fault;    /* src/engine/guess.c, built with FB_ENGINE_FAULTS */

/* Added to the schema for the fifth; %s is @conceal or nothing. */
static const char secret_schema[] =
    "@route(\"PATCH /docs/{id}\") %s action change appliesTo { principal: User, resource: Doc,\n"
    "  context: { country?: String, token?: { issuer: String, scope: Set<String> } } };\n"
    "@route(\"GET /peek/{id}\") %s action peek appliesTo { principal: User, resource: Doc,\n"
    "  context: { country?: String, token?: { issuer: String, scope: Set<String> } } };\n";

static const char schema[] =
    "@anonymous entity Guest enum [\"guest\"];\n"
    "entity Group;\nentity Folder;\n"
    "entity User in [Group] = { level: Long, dept?: String };\n"
    "entity Doc in [Folder] = { owner: User, public: Bool, weight: Long, note?: Long };\n"
    "@route(\"GET /docs/{id}\") action view appliesTo { principal: [Guest, User], resource: Doc,\n"
    "  context: { country?: String, token?: { issuer: String, scope: Set<String> } } };\n"
    "@route(\"PUT /docs/{id}\") action edit appliesTo { principal: User, resource: Doc,\n"
    "  context: { country?: String, token?: { issuer: String, scope: Set<String> } } };\n"
    "@route(\"POST /docs/{id}\") action knock appliesTo { principal: Guest, resource: Doc,\n"
    "  context: { country?: String, token?: { issuer: String, scope: Set<String> } } };\n"
    "@route(\"GET /folders/{id}\") action list appliesTo { principal: [Guest, User], resource: Folder,\n"
    "  context: { country?: String, token?: { issuer: String, scope: Set<String> } } };\n";

static const char *const lines[] = {"GET /docs/", "PUT /docs/", "POST /docs/", "GET /folders/"};
static const char *const ids[] = {"d1", "d2", "d3", "none"};
enum { LINES = 4, IDS = 4, USERS = 5, SCOPES = 4, TOKENS = USERS * SCOPES };
static const char *const users[USERS] = {"u1", "u2", "u3", "u4", "ghost"};
static const char *const scopes[SCOPES] = {"", "read", "write", "read write"};

/* --- Randomness: xorshift64*, so that a seed gives the same cases everywhere ------------------------- */
static uint64_t seed_state;

static uint32_t below(uint32_t n)
{
    seed_state ^= seed_state >> 12;
    seed_state ^= seed_state << 25;
    seed_state ^= seed_state >> 27;
    return (uint32_t)((seed_state * UINT64_C(2685821657736338717)) >> 33) % n;
}

/* --- Policies ------------------------------------------------------------------------------------------ */
enum { TOUCHES_PRINCIPAL = 1, TOUCHES_RESOURCE = 2 };

struct piece {
    const char *text;
    unsigned touches;
    bool permit_only;       /* a forbid like that does not load */
};

static const struct piece principals[] = {
    {"principal", 0, false}, {"principal", 0, false}, {"principal is User", 0, false}, {"principal is Guest", 0, false},
    {"principal == User::\"u1\"", TOUCHES_PRINCIPAL, false}, {"principal in Group::\"g1\"", TOUCHES_PRINCIPAL, false},
    {"principal is User in Group::\"g2\"", TOUCHES_PRINCIPAL, false}, {"principal == User::\"ghost\"", TOUCHES_PRINCIPAL, false}};
static const struct piece actions[] = {
    {"action", 0, false}, {"action", 0, false}, {"action == Action::\"view\"", 0, false}, {"action == Action::\"edit\"", 0, false},
    {"action in [Action::\"view\", Action::\"list\"]", 0, false}, {"action == Action::\"knock\"", 0, false}};
static const struct piece resources[] = {
    {"resource", 0, false}, {"resource", 0, false}, {"resource is Doc", 0, false}, {"resource is Folder", 0, false},
    {"resource == Doc::\"d1\"", TOUCHES_RESOURCE, false}, {"resource in Folder::\"f1\"", TOUCHES_RESOURCE, false}};
static const struct piece conditions[] = {
    {"principal is User && principal.level > 1", TOUCHES_PRINCIPAL, false},
    {"principal in Group::\"g1\"", TOUCHES_PRINCIPAL, false},
    {"principal in [Group::\"g1\", Group::\"g2\"]", TOUCHES_PRINCIPAL, false},
    {"principal == resource", TOUCHES_PRINCIPAL | TOUCHES_RESOURCE, false},
    {"resource is Doc && resource.owner == principal", TOUCHES_PRINCIPAL | TOUCHES_RESOURCE, false},
    {"principal has dept && principal.dept == \"it\"", TOUCHES_PRINCIPAL, false},
    {"principal is User && principal.level + 9223372036854775806 > 0", TOUCHES_PRINCIPAL, false},
    {"principal.dept like \"i*\"", TOUCHES_PRINCIPAL, true},
    {"resource is Doc && resource.public", TOUCHES_RESOURCE, false},
    {"resource is Doc && resource.weight < 5", TOUCHES_RESOURCE, false},
    {"resource has note && resource.note == 1", TOUCHES_RESOURCE, false},
    {"resource.note == 1", TOUCHES_RESOURCE, true},
    {"resource in Folder::\"f1\"", TOUCHES_RESOURCE, false},
    {"context has country && context.country == \"XX\"", 0, false},
    {"context has country", 0, false},
    {"context has token", TOUCHES_PRINCIPAL, false},
    {"context has token && context.token.scope.contains(\"read\")", TOUCHES_PRINCIPAL, false},
    {"context has token && context.token.scope == [\"read\", \"write\"]", TOUCHES_PRINCIPAL, false},
    {"action == Action::\"view\"", 0, false},
    {"if context has country then true else action == Action::\"edit\"", 0, false},
    {"9223372036854775807 + 1 > 0", 0, false},
    {"true", 0, false}, {"false", 0, false}, {"1 < 2 || resource is Doc", 0, false}};

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static const struct piece *pick(const struct piece *list, uint32_t count, bool permit, unsigned *touches)
{
    const struct piece *piece;
    do
        piece = &list[below(count)];
    while (piece->permit_only && !permit);
    *touches |= piece->touches;
    return piece;
}

/* One random policy; returns what it touches. */
static unsigned add_policy(struct fb_buffer *text)
{
    unsigned touches = 0;
    bool permit = below(5) < 3;
    if (!permit && below(6) == 0)
        fb_buffer_add_z(text, "@legal(\"https://law.test/\") ");
    fb_buffer_add_format(text, "%s (%s, ", permit ? "permit" : "forbid", pick(principals, COUNT(principals), permit, &touches)->text);
    fb_buffer_add_format(text, "%s, ", pick(actions, COUNT(actions), permit, &touches)->text);
    fb_buffer_add_format(text, "%s)", pick(resources, COUNT(resources), permit, &touches)->text);
    for (uint32_t n = below(3); n > 0; n--) {
        bool unless = below(4) == 0;
        fb_buffer_add_format(text, " %s { %s }", unless ? "unless" : "when",
                             pick(conditions, COUNT(conditions), permit, &touches)->text);
    }
    fb_buffer_add_z(text, ";\n");
    return touches;
}

/* --- The store ---------------------------------------------------------------------------------------- */
static void add_entities(struct fb_buffer *json)
{
    static const char *const parents[] = {"", "{\"type\":\"Group\",\"id\":\"g1\"}", "{\"type\":\"Group\",\"id\":\"g2\"}",
                                          "{\"type\":\"Group\",\"id\":\"g1\"},{\"type\":\"Group\",\"id\":\"g2\"}"};
    fb_buffer_add_char(json, '[');
    for (size_t i = 0; i < 4; i++)
        fb_buffer_add_format(json, "{\"uid\":{\"type\":\"User\",\"id\":\"u%zu\"},\"attrs\":{\"level\":%u%s},\"parents\":[%s]},", i + 1,
                             below(4), below(2) ? ",\"dept\":\"it\"" : "", parents[below(4)]);
    for (size_t i = 0; i < 3; i++)
        fb_buffer_add_format(json, "{\"uid\":{\"type\":\"Doc\",\"id\":\"d%zu\"},\"attrs\":{\"owner\":{\"__entity\":{\"type\":\"User\",\"id\":\"u%u\"}},"
                             "\"public\":%s,\"weight\":%u%s},\"parents\":[%s]}%s", i + 1, 1 + below(4), below(2) ? "true" : "false",
                             below(10), below(2) ? ",\"note\":1" : "", below(2) ? "{\"type\":\"Folder\",\"id\":\"f1\"}" : "", i < 2 ? "," : "]");
}

/* --- A case -------------------------------------------------------------------------------------------- */
struct tally {
    unsigned cases, answers[6], violations;
    unsigned secrets, hidden, alike, known, everywhere;     /* requests of the fifth, by what was right */
    unsigned refused, challenged, uncured, uncured_by_resource, uncured_untouched, tried;
    char first[4096];       /* the first violation, with its policies */
};

struct trial {
    struct world world;
    struct fb_arena keep;           /* tokens: they outlive a reload */
    struct fb_span tokens[TOKENS], bad;
    struct fb_buffer policies, entities;
    enum fb_account_state states[USERS];
    struct tally tally;
};

static void ask(struct trial *trial, const char *line, const char *id, bool country, struct fb_span credentials,
                struct fb_answer *answer)
{
    struct exchange exchange;
    char text[64];
    snprintf(text, sizeof text, "%s%s", line, id);
    exchange_init(&exchange, &trial->world, fb_span_z(text));
    if (country)
        exchange.http.country = FB_SPAN("XX");
    if (credentials.len != 0)
        exchange_field(&exchange, FB_SPAN("Authorization"), credentials);
    fb_guard_release(trial->world.guard);
    fb_guard_decide(trial->world.guard, &trial->world.site, &exchange.http, answer);
}

static void violation(struct trial *trial, const char *what, const char *line, const char *id, bool country)
{
    struct tally *tally = &trial->tally;
    if (tally->violations++ == 0)
        snprintf(tally->first, sizeof tally->first, "%s: %s%s%s\n%s%s\n", what, line, id, country ? " from XX" : "",
                 trial->policies.ptr, trial->entities.ptr);
}

/* Is anybody let through by this request?  With `or_404` it also counts to be told that there is no
 * such resource: only who could be allowed on some resource is told so. */
static bool anybody(struct trial *trial, const char *line, const char *id, bool country, bool or_404)
{
    struct fb_answer answer;
    ask(trial, line, id, country, FB_SPAN(""), &answer);
    trial->tally.tried++;
    bool helped = answer.forward;
    for (size_t i = 0; i < TOKENS && !helped; i++) {
        ask(trial, line, id, country, trial->tokens[i], &answer);
        trial->tally.tried++;
        helped = answer.forward || (or_404 && answer.refusal.status == 404);
    }
    return helped;
}

static unsigned kind_of(const struct fb_answer *answer)
{
    if (answer->forward)
        return 0;
    switch (answer->refusal.status) {
    case 401: return 1;
    case 403: return 2;
    case 404: return 3;
    case 451: return 4;
    default: return 5;
    }
}

/* A stranger on every resource of one route. */
static void try_stranger(struct trial *trial, const char *line, bool country, struct fb_span credentials, unsigned touches)
{
    unsigned told = 0;
    char reason[64] = "";
    for (size_t i = 0; i < IDS; i++) {
        struct fb_answer answer;
        ask(trial, line, ids[i], country, credentials, &answer);
        unsigned status = answer.refusal.status;
        trial->tally.answers[kind_of(&answer)]++;
        if (answer.forward || status == 451)
            continue;
        char here[64];
        snprintf(here, sizeof here, "%.*s", (int)answer.refusal.reason.len, answer.refusal.reason.ptr);
        if (told != 0 && (told != status || strcmp(here, reason) != 0))
            violation(trial, "the answer depends on the store", line, ids[i], country);
        told = status;
        strcpy(reason, here);
        if (status == 403) {
            trial->tally.refused++;
            if (anybody(trial, line, ids[i], country, true))
                violation(trial, "a 403 that a sign-in cures", line, ids[i], country);
        } else if (status == 401) {
            trial->tally.challenged++;
            if (!anybody(trial, line, ids[i], country, true)) {
                trial->tally.uncured++;
                trial->tally.uncured_by_resource += touches == TOUCHES_RESOURCE;
                if (touches == 0) {
                    trial->tally.uncured_untouched++;
                    violation(trial, "a 401 that nothing cures, and nothing touches the principal", line, ids[i], country);
                }
            }
        } else {
            violation(trial, "neither 401 nor 403", line, ids[i], country);
        }
    }
}

static void try_suspended(struct trial *trial, const char *line)
{
    for (size_t u = 0; u < 4; u++) {
        struct fb_answer answer;
        if (trial->states[u] == FB_ACCOUNT_ACTIVE || strncmp(line, "POST", 4) == 0)
            continue;
        ask(trial, line, ids[below(IDS)], false, trial->tokens[u * SCOPES], &answer);
        if (answer.forward || answer.refusal.status != 403
            || !fb_span_starts(answer.refusal.reason, FB_SPAN("account_")))
            violation(trial, "an account that is not open", line, users[u], false);
    }
}

/* --- The fifth ----------------------------------------------------------------------------------------- */

/* What a client can tell. */
struct told {
    bool forward;
    unsigned status;
    char text[192];
};

static const char *const secret_lines[] = {"PATCH /docs/", "GET /peek/", "GET /docs/", "PUT /docs/"};

static void listen(struct trial *trial, const char *line, const char *id, bool country, size_t token, struct told *told)
{
    struct fb_answer answer;
    ask(trial, line, id, country, token < TOKENS ? trial->tokens[token] : FB_SPAN(""), &answer);
    const struct fb_refusal *r = &answer.refusal;
    *told = (struct told){.forward = answer.forward, .status = answer.forward ? 0 : r->status};
    if (!answer.forward)
        snprintf(told->text, sizeof told->text, "%u %.*s|%.*s|%.*s|%.*s|%u%u|%.*s|%.*s", r->status, (int)r->reason.len, r->reason.ptr,
                 (int)r->detail.len, r->detail.ptr, (int)r->scope.len, r->scope.ptr, (int)r->acr_values.len, r->acr_values.ptr,
                 r->challenge, r->has_max_age, (int)r->blocked_by.len, r->blocked_by.ptr, (int)r->help.len, r->help.ptr);
}

static void load_as(struct trial *trial, const char *mark_change, const char *mark_peek, struct fb_span policies)
{
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 65536);
    fb_buffer_add_z(&text, schema);
    fb_buffer_add_format(&text, secret_schema, mark_change, mark_peek);
    world_write(&trial->world, "schema.cedarschema", fb_buffer_span(&text));
    world_write(&trial->world, "p.cedar", policies);
    fb_buffer_clear(&text);
    if (!world_load(&trial->world)) {
        fb_diags_print(&text, &trial->world.diags, false);
        fail_msg("%s\n%.*s", text.ptr, (int)policies.len, policies.ptr);
    }
    fb_buffer_release(&text);
}

/* A forbid that may conceal, without its annotation, on resources whose existence is ours. */
static void add_concealing(struct fb_buffer *text)
{
    unsigned touches = 0;
    fb_buffer_add_format(text, "forbid (%s, ", pick(principals, COUNT(principals), false, &touches)->text);
    fb_buffer_add_format(text, "%s, %s) ", pick(actions, COUNT(actions), false, &touches)->text,
                         below(2) ? "resource is Doc" : "resource == Doc::\"d1\"");
    fb_buffer_add_format(text, "when { %s };\n", pick(conditions, COUNT(conditions), false, &touches)->text);
}

/* A stranger is told what it is told where nothing is secret. */
static void judge_stranger(struct trial *trial, const char *line, bool country, const struct told secret[IDS], const struct told plain[IDS])
{
    for (size_t i = 0; i < IDS; i++)
        if (secret[i].forward != plain[i].forward || strcmp(secret[i].text, plain[i].text) != 0)
            violation(trial, "concealing changes what a stranger is told", line, ids[i], country);
}

/* Of one client and one line: what it is told, against what it may be told. */
static void judge(struct trial *trial, const char *line, bool country, const struct told secret[IDS], const struct told plain[IDS],
                  const bool may_know[IDS])
{
    const struct told *absent = &secret[IDS - 1];
    struct tally *tally = &trial->tally;
    for (size_t i = 0; i + 1 < IDS; i++) {
        bool same = !secret[i].forward && strcmp(secret[i].text, absent->text) == 0;
        tally->secrets++;
        if (plain[i].forward != secret[i].forward) {
            violation(trial, "concealing changes who is allowed", line, ids[i], country);
        } else if (plain[i].forward) {
            continue;
        } else if (absent->status != 404) {
            tally->everywhere += same;
            if (!same)
                violation(trial, "nobody could, and still not the same of each", line, ids[i], country);
        } else if (!may_know[i]) {
            tally->hidden++;
            if (!same)
                violation(trial, "what is hidden differs from what is not there", line, ids[i], country);
        } else {
            tally->known++;
            if (strcmp(secret[i].text, plain[i].text) != 0)
                violation(trial, "who may know is not told as if nothing were secret", line, ids[i], country);
        }
        tally->alike += same;
    }
}

static void try_secrets(struct trial *trial)
{
    enum { CLIENTS = 6, LINES_HERE = 4 };
    static struct told secret[CLIENTS][IDS], plain[CLIENTS][IDS], view, alone;
    static bool may_know[CLIENTS][IDS];
    struct fb_buffer forbids, text;
    size_t token[CLIENTS];
    unsigned which = below(LINES_HERE);
    const char *line = secret_lines[which];
    bool country = below(3) == 0;
    fb_buffer_init(&forbids, &fb_heap, 65536);
    fb_buffer_init(&text, &fb_heap, 65536);
    /* Some lines are secret by forbids alone. */
    uint32_t count = which > 1 ? 1 + below(2) : below(3);
    for (uint32_t n = 0; n < count; n++)
        add_concealing(&forbids);
    for (size_t k = 0; k < CLIENTS; k++)
        token[k] = k == 0 ? TOKENS : below(TOKENS);     /* the first shows none */
    /* Or else most of these universes would let nobody do anything. */
    fb_buffer_add_format(&trial->policies, "permit (principal is User, action, resource is Doc) when { %s };\n",
                         (const char *[]){"resource.public", "resource.weight < 5", "resource.owner == principal",
                                          "resource has note && context has token && context.token.scope.contains(\"read\")"}[below(4)]);
    /* With @conceal; without; and the concealing forbids alone. */
    fb_buffer_add(&text, fb_buffer_span(&trial->policies));
    for (struct fb_span rest = fb_buffer_span(&forbids); rest.len != 0; rest = fb_span_from(rest, fb_span_find(rest, '\n') + 1))
        fb_buffer_add_format(&text, "@conceal %.*s\n", (int)fb_span_find(rest, '\n'), rest.ptr);
    load_as(trial, "@conceal(\"view\")", "@conceal(\"peek\")", fb_buffer_span(&text));
    bool is_secret = fb_policies_secret(trial->world.policies, fb_routes_action(fb_policies_routes(trial->world.policies),
        fb_uid_new(&trial->world.arena, FB_SPAN("Action"), fb_span_z((const char *[]){"change", "peek", "view", "edit"}[which]))));
    for (size_t k = 0; k < CLIENTS; k++)
        for (size_t i = 0; i < IDS; i++)
            listen(trial, line, ids[i], country, token[k], &secret[k][i]);
    fb_buffer_clear(&text);
    fb_buffer_add(&text, fb_buffer_span(&trial->policies));
    fb_buffer_add(&text, fb_buffer_span(&forbids));
    load_as(trial, "", "", fb_buffer_span(&text));
    for (size_t k = 0; k < CLIENTS; k++)
        for (size_t i = 0; i < IDS; i++) {
            listen(trial, line, ids[i], country, token[k], &plain[k][i]);
            listen(trial, which == 0 ? "GET /docs/" : line, ids[i], country, token[k], &view);
            may_know[k][i] = which > 1 || view.forward;
        }
    fb_buffer_clear(&text);
    fb_buffer_add_z(&text, "permit (principal, action, resource);\n");
    fb_buffer_add(&text, fb_buffer_span(&forbids));
    load_as(trial, "", "", fb_buffer_span(&text));
    for (size_t k = 0; k < CLIENTS; k++)
        for (size_t i = 0; i < IDS; i++) {
            listen(trial, line, ids[i], country, token[k], &alone);
            may_know[k][i] = may_know[k][i] && alone.forward;
        }
    judge_stranger(trial, line, country, secret[0], plain[0]);
    for (size_t k = 1; k < CLIENTS && is_secret; k++)
        judge(trial, line, country, secret[k], plain[k], may_know[k]);
    world_write(&trial->world, "schema.cedarschema", FB_SPAN(schema));
    fb_buffer_release(&forbids);
    fb_buffer_release(&text);
}

static void set_accounts(struct trial *trial)
{
    char uid[32];
    for (size_t u = 0; u < 4; u++) {
        /* u1 stays active, so that somebody can always sign in. */
        enum fb_account_state want = u == 0 || below(4) != 0 ? FB_ACCOUNT_ACTIVE : FB_ACCOUNT_SUSPENDED;
        snprintf(uid, sizeof uid, "User::\"%s\"", users[u]);
        if (want != trial->states[u])
            world_account(&trial->world, want == FB_ACCOUNT_ACTIVE ? FB_ACCOUNT_RESTORE : FB_ACCOUNT_SUSPEND, uid);
        trial->states[u] = want;
    }
}

static void one_case(struct trial *trial)
{
    unsigned touches = 0;
    fb_buffer_clear(&trial->policies);
    fb_buffer_clear(&trial->entities);
    for (uint32_t n = 1 + below(6); n > 0; n--)
        touches |= add_policy(&trial->policies);
    add_entities(&trial->entities);
    world_write(&trial->world, "p.cedar", fb_buffer_span(&trial->policies));
    if (!world_load(&trial->world)) {
        struct fb_buffer text;
        fb_buffer_init(&text, &fb_heap, 65536);
        fb_diags_print(&text, &trial->world.diags, false);
        fail_msg("%s\n%s", text.ptr, trial->policies.ptr);
    }
    world_put(&trial->world, fb_buffer_span(&trial->entities));
    set_accounts(trial);
    trial->tally.cases++;
    const char *line = lines[below(LINES)];
    bool country = below(3) == 0;
    try_stranger(trial, line, country, FB_SPAN(""), touches);
    try_stranger(trial, line, country, trial->bad, touches);
    try_suspended(trial, line);
    if (trial->tally.cases % 16 == 0)
        try_secrets(trial);
}

static void init(struct trial *trial)
{
    memset(trial, 0, sizeof *trial);
    world_init(&trial->world);
    trial->world.not_validated = true;  /* what errs is half of what is tried here */
    fb_arena_init(&trial->keep, &fb_heap, 1 << 20);
    for (size_t u = 0; u < USERS; u++)
        for (size_t s = 0; s < SCOPES; s++) {
            struct fb_span claims = fb_arena_format(&trial->keep, "\"sub\":\"%s\",\"scope\":\"%s\"", users[u], scopes[s]);
            struct fb_span token = world_token(&trial->world, claims, 3600);
            trial->tokens[u * SCOPES + s] = fb_arena_format(&trial->keep, "Bearer %.*s", (int)token.len, token.ptr);
        }
    struct fb_span expired = world_token(&trial->world, FB_SPAN("\"sub\":\"u1\""), -60);
    trial->bad = fb_arena_format(&trial->keep, "Bearer %.*s", (int)expired.len, expired.ptr);
    fb_buffer_init(&trial->policies, &fb_heap, 65536);
    fb_buffer_init(&trial->entities, &fb_heap, 65536);
    world_write(&trial->world, "schema.cedarschema", FB_SPAN(schema));
}

static void release(struct trial *trial)
{
    fb_buffer_release(&trial->policies);
    fb_buffer_release(&trial->entities);
    fb_arena_release(&trial->keep);
    world_release(&trial->world);
}

static struct tally run(unsigned cases, uint8_t fault, bool stop_at_first)
{
    static struct trial trial;
    init(&trial);
    fb_surmise_fault = fault;
    for (unsigned i = 0; i < cases && !(stop_at_first && trial.tally.violations != 0); i++)
        one_case(&trial);
    fb_surmise_fault = 0;
    release(&trial);
    return trial.tally;
}

static unsigned cases_wanted(void)
{
    const char *slow = getenv("FB_SLOW");
    return slow != NULL && *slow == '1' ? 100000 : 10000;
}

static void test_holds(void **state)
{
    (void)state;
    const struct tally tally = run(cases_wanted(), 0, false);
    print_message("# %u cases, strangers' answers: %u forwarded, %u 401, %u 403, %u 404, %u 451, %u others\n", tally.cases,
                  tally.answers[0], tally.answers[1], tally.answers[2], tally.answers[3], tally.answers[4], tally.answers[5]);
    print_message("# %u 403 confirmed, trying %u requests\n", tally.refused, tally.tried);
    print_message("# of %u 401 nothing cures %u: %u where policies touch the principal, %u where they touch the resource alone, "
                  "%u where they touch neither\n", tally.challenged, tally.uncured,
                  tally.uncured - tally.uncured_by_resource - tally.uncured_untouched, tally.uncured_by_resource,
                  tally.uncured_untouched);
    print_message("# %u requests of secret actions: %u hidden, %u known, %u refused everywhere; %u as if not there\n", tally.secrets,
                  tally.hidden, tally.known, tally.everywhere, tally.alike);
    if (tally.violations != 0)
        fail_msg("%u violations; the first: %s", tally.violations, tally.first);
    /* The test has to have seen all kinds. */
    for (size_t i = 0; i < 5; i++)
        assert_true(i == 3 || tally.answers[i] > tally.cases / 1000);
    assert_true(tally.hidden > tally.cases / 20 && tally.known > tally.cases / 40 && tally.everywhere > tally.cases / 20);
}

static void test_finds_unknown_taken_for_false(void **state)
{
    (void)state;
    const struct tally tally = run(2000, FB_CAN_TRUE, true);
    print_message("# found after %u cases\n", tally.cases);
    assert_true(tally.violations != 0);
}

static void test_finds_unknown_taken_for_true(void **state)
{
    (void)state;
    const struct tally tally = run(2000, FB_CAN_FALSE, true);
    print_message("# found after %u cases\n", tally.cases);
    assert_true(tally.violations != 0);
}

int main(void)
{
    const char *seed = getenv("FB_SEED");
    seed_state = seed != NULL ? strtoull(seed, NULL, 10) : UINT64_C(20261124);
    print_message("# seed %llu (FB_SEED)\n", (unsigned long long)seed_state);
    seed_state = seed_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_holds), cmocka_unit_test(test_finds_unknown_taken_for_false),
                                       cmocka_unit_test(test_finds_unknown_taken_for_true)};
    return cmocka_run_group_tests_name("guard/property", tests, NULL, NULL);
}
