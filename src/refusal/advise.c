/* SPDX-License-Identifier: Apache-2.0 */
/* An answer becomes the one thing that its client may do next: the rules by status, and what has been tried.
 * advise_signs.c reads the answer; the JavaScript client in clients/javascript has the same rules, and both are
 * held to tests/refusal/advise.
 * Read RFC 9110 sections 15.5 and 15.6, RFC 6750 section 3.1, RFC 9470 section 4, RFC 9449 section 9. */
#include "refusal/signs.h"

static const struct {
    struct fb_span code, sentence, source;
} grounds[] = {
#define FB_GROUND(symbol, code, sentence, source) {FB_SPAN_INIT(code), FB_SPAN_INIT(sentence), FB_SPAN_INIT(source)},
#include "refusal/grounds.def"
#undef FB_GROUND
};

struct fb_span fb_ground_code(enum fb_ground why) { return grounds[why].code; }
struct fb_span fb_ground_sentence(enum fb_ground why) { return grounds[why].sentence; }
struct fb_span fb_ground_source(enum fb_ground why) { return grounds[why].source; }

static const char *const cures[FB_CURES] = {"give_up", "proceed", "authenticate", "refresh", "request_scope",
                                            "step_up", "retry_nonce", "wait", "fix_request"};
static const char *const kinds[] = {"none", "bearer", "dpop", "basic", "session", "other"};

struct fb_span fb_cure_name(enum fb_cure cure) { return fb_span_z(cures[cure]); }

bool fb_presented_parse(struct fb_span text, enum fb_presented *presented)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (fb_span_is(text, kinds[i])) {
            *presented = (enum fb_presented)i;
            return true;
        }
    return false;
}

/* One advice in the making. */
struct work {
    const struct fb_received *seen;
    const struct fb_client *client;
    struct fb_arena *arena;
    struct fb_signs signs;
    struct fb_advice *advice;
    unsigned status;            /* gRPC's translated */
};

static void say(struct work *w, enum fb_cure cure, enum fb_ground why, bool sure)
{
    w->advice->cure = cure;
    w->advice->why = why;
    w->advice->sure = sure;
}

static bool tried(const struct work *w, enum fb_cure cure)
{
    return (w->client->tried & (1u << cure)) != 0;
}

/* --- Credentials ---------------------------------------------------------------------------------- */

/* Refresh, then sign in anew, then nothing: RFC 6750 section 3.1, RFC 9110 section 15.5.2. */
static void renew(struct work *w, enum fb_ground why, bool sure)
{
    if (w->client->can_refresh && !tried(w, FB_CURE_REFRESH) && !tried(w, FB_CURE_AUTHENTICATE))
        say(w, FB_CURE_REFRESH, why, sure);
    else if (!tried(w, FB_CURE_AUTHENTICATE))
        say(w, FB_CURE_AUTHENTICATE, why, sure);
    else
        say(w, FB_CURE_GIVE_UP, FB_GROUND_NEW_REFUSED, sure);
}

static void authenticate(struct work *w, enum fb_ground why, bool sure)
{
    if (tried(w, FB_CURE_AUTHENTICATE))
        say(w, FB_CURE_GIVE_UP, FB_GROUND_NEW_REFUSED, sure);
    else
        say(w, FB_CURE_AUTHENTICATE, why, sure);
}

/* What was named, then what is held and was not: a client that asked for the named alone would lose the rest. */
static struct fb_span joined_scope(struct work *w, struct fb_span named)
{
    struct fb_span held = w->client->scopes;
    struct fb_buffer out;
    struct fb_allocator memory = fb_arena_allocator(w->arena);
    fb_buffer_init(&out, &memory, 2 * (size_t)FB_HTTP_FIELD_MAX);
    fb_buffer_add(&out, named);
    for (struct fb_span word = fb_next_word(&held); named.len != 0 && word.len != 0; word = fb_next_word(&held))
        if (!fb_has_word(named, word)) {
            fb_buffer_add_char(&out, ' ');
            fb_buffer_add(&out, word);
        }
    return out.failed ? named : fb_buffer_span(&out);
}

static struct fb_span named_scope(const struct work *w)
{
    struct fb_span scope = fb_http_challenge_param(&w->signs.challenge, "scope");
    return scope.len != 0 ? scope : w->signs.scope;
}

/* RFC 6750 section 3.1: insufficient_scope.  A refresh gives the scopes of before (RFC 6749 section 6). */
static void ask_scope(struct work *w, bool sure)
{
    struct fb_span named = named_scope(w), rest = named, word;
    bool all_held = w->client->scopes_known && named.len != 0;
    while (all_held && (word = fb_next_word(&rest)).len != 0)
        all_held = fb_has_word(w->client->scopes, word);
    if (w->client->presented == FB_PRESENTED_NONE) {
        authenticate(w, FB_GROUND_NO_CREDENTIALS, sure);
        w->advice->scope = named;
        return;
    }
    w->advice->scope = joined_scope(w, named);
    if (tried(w, FB_CURE_REQUEST_SCOPE))
        say(w, FB_CURE_GIVE_UP, FB_GROUND_SCOPE_TRIED, sure);
    else if (all_held)
        say(w, FB_CURE_GIVE_UP, FB_GROUND_SCOPE_HELD, sure);
    else
        say(w, FB_CURE_REQUEST_SCOPE, FB_GROUND_SCOPE, sure);
}

/* RFC 9470 section 4. */
static void step_up(struct work *w, bool sure)
{
    struct fb_advice *advice = w->advice;
    const struct fb_client *client = w->client;
    advice->acr_values = fb_http_challenge_param(&w->signs.challenge, "acr_values");
    advice->has_max_age = fb_span_to_u64(fb_http_challenge_param(&w->signs.challenge, "max_age"), INT32_MAX, &advice->max_age);
    advice->scope = joined_scope(w, fb_http_challenge_param(&w->signs.challenge, "scope"));
    bool strong = advice->acr_values.len == 0 || (client->acr.len != 0 && fb_has_word(advice->acr_values, client->acr));
    bool fresh = !advice->has_max_age ||
                 (client->has_auth_time && client->now >= client->auth_time &&
                  (uint64_t)(client->now - client->auth_time) <= advice->max_age);
    bool said = advice->acr_values.len != 0 || advice->has_max_age;
    if (tried(w, FB_CURE_STEP_UP))
        say(w, FB_CURE_GIVE_UP, FB_GROUND_STEP_UP_TRIED, sure);
    else if (said && strong && fresh && advice->scope.len == 0)
        say(w, FB_CURE_GIVE_UP, FB_GROUND_STEP_UP_HELD, sure);
    else
        say(w, FB_CURE_STEP_UP, FB_GROUND_STEP_UP, sure);
}

/* RFC 9449 sections 8 and 9: no user is needed. */
static void with_nonce(struct work *w, bool sure)
{
    w->advice->nonce = fb_received_field(w->seen, "dpop-nonce");
    if (w->advice->nonce.len == 0)
        say(w, FB_CURE_GIVE_UP, FB_GROUND_NONCE_MISSING, sure);
    else if (tried(w, FB_CURE_RETRY_NONCE))
        say(w, FB_CURE_GIVE_UP, FB_GROUND_NONCE_TRIED, sure);
    else
        say(w, FB_CURE_RETRY_NONCE, FB_GROUND_NONCE, sure);
}

/* --- Time ---------------------------------------------------------------------------------------- */

/* Limits' own fields where there is no Retry-After.  A large number is a time, a small one a delay: both are in
 * use, and no delay is 30 years long. */
static bool reset_of_limit(const struct work *w, int64_t *seconds)
{
    static const char *const names[] = {"ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset", NULL};
    uint64_t value;
    for (size_t i = 0; names[i] != NULL; i++)
        if (fb_span_to_u64(fb_received_field(w->seen, names[i]), INT32_MAX, &value)) {
            int64_t reset = (int64_t)value;
            *seconds = reset < 1000000000 ? reset : reset > w->client->now ? reset - w->client->now : 0;
            return true;
        }
    return false;
}

static bool named_wait(const struct work *w, int64_t *seconds)
{
    return fb_http_read_retry_after(fb_received_field(w->seen, "retry-after"), w->client->now, seconds) ||
           reset_of_limit(w, seconds);
}

static void wait_for(struct work *w, int64_t seconds, enum fb_ground why, bool sure)
{
    const struct fb_client *client = w->client;
    uint64_t wait = seconds > 0 ? (uint64_t)seconds : 0;
    uint64_t most = client->wait_max != 0 ? client->wait_max : FB_WAIT_DEFAULT;
    w->advice->wait = wait;
    if (client->waits >= FB_WAITS_MAX || wait > most || client->waited > most - wait)
        say(w, FB_CURE_GIVE_UP, FB_GROUND_WAITED, sure);
    else
        say(w, FB_CURE_WAIT, why, sure);
}

/* By the server's time, else longer at each try. */
static void wait_named(struct work *w, enum fb_ground why)
{
    int64_t seconds;
    if (named_wait(w, &seconds))
        wait_for(w, seconds, why, true);
    else
        wait_for(w, INT64_C(1) << (w->client->waits < FB_WAITS_MAX ? w->client->waits : FB_WAITS_MAX), FB_GROUND_UNKNOWN_WAIT, false);
}

/* Where the request may have reached the API: only what may be done twice (RFC 9110 section 9.2.2). */
static void wait_if_idempotent(struct work *w)
{
    static const char *const methods[] = {"", "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (fb_span_is(w->client->method, methods[i])) {
            wait_named(w, FB_GROUND_BUSY);
            return;
        }
    say(w, FB_CURE_GIVE_UP, FB_GROUND_UNSAFE, true);
}

/* --- By what the answer says, then by its status --------------------------------------------------- */

/* What a challenge or a word settles, whichever of 400, 401, 403 it came with.  False: nothing. */
static bool by_signal(struct work *w)
{
    bool sure = w->signs.standard;
    switch (w->signs.signal) {
    case FB_SIGNAL_NONCE: with_nonce(w, sure || w->status == 400); return true;
    case FB_SIGNAL_WEAK: step_up(w, sure); return true;
    case FB_SIGNAL_SCOPE: ask_scope(w, sure); return true;
    case FB_SIGNAL_PROOF: say(w, FB_CURE_FIX_REQUEST, FB_GROUND_PROOF, sure); return true;
    case FB_SIGNAL_REQUEST: say(w, FB_CURE_FIX_REQUEST, FB_GROUND_INVALID_REQUEST, sure); return true;
    case FB_SIGNAL_CSRF: say(w, FB_CURE_FIX_REQUEST, FB_GROUND_CSRF, sure); return true;
    case FB_SIGNAL_RATE: wait_named(w, FB_GROUND_RATE); return true;
    case FB_SIGNAL_BUSY: wait_named(w, FB_GROUND_BUSY); return true;
    case FB_SIGNAL_MISSING: authenticate(w, FB_GROUND_NO_CREDENTIALS, sure); return true;
    case FB_SIGNAL_TOKEN:
        if (w->client->presented == FB_PRESENTED_NONE)
            authenticate(w, FB_GROUND_NO_CREDENTIALS, sure);
        else
            renew(w, FB_GROUND_INVALID_TOKEN, sure);
        return true;
    case FB_SIGNAL_NONE: case FB_SIGNAL_ACCOUNT: case FB_SIGNAL_CERTIFICATE: return false;
    }
    return false;
}

static void on_401(struct work *w)
{
    bool sure = w->signs.challenged;
    /* A token bound to a key, sent as if it were not (RFC 9449 section 7.2); Basic where only Bearer is taken. */
    if (w->signs.challenged && !w->signs.scheme_fits && w->signs.signal != FB_SIGNAL_NONCE)
        authenticate(w, FB_GROUND_SCHEME, true);
    else if (by_signal(w))
        return;
    else if (w->client->presented == FB_PRESENTED_NONE)
        authenticate(w, FB_GROUND_NO_CREDENTIALS, sure);
    else
        renew(w, FB_GROUND_CREDENTIALS_REFUSED, sure);
}

static void on_403(struct work *w)
{
    int64_t seconds;
    if (by_signal(w))
        return;
    if (w->signs.signal == FB_SIGNAL_ACCOUNT)
        say(w, FB_CURE_GIVE_UP, FB_GROUND_ACCOUNT, true);
    else if (w->signs.signal == FB_SIGNAL_CERTIFICATE)
        say(w, FB_CURE_GIVE_UP, FB_GROUND_CERTIFICATE, true);
    else if (fb_span_eq_nocase(fb_received_field(w->seen, "cf-mitigated"), FB_SPAN("challenge")))
        say(w, FB_CURE_GIVE_UP, FB_GROUND_PEOPLE_ONLY, false);
    else if (fb_http_read_retry_after(fb_received_field(w->seen, "retry-after"), w->client->now, &seconds))
        wait_for(w, seconds, FB_GROUND_NOT_YET, true);
    else if (fb_span_is(fb_received_field(w->seen, "x-ratelimit-remaining"), "0") && reset_of_limit(w, &seconds))
        wait_for(w, seconds, FB_GROUND_RATE, false);
    else if (w->client->presented == FB_PRESENTED_NONE && !w->client->strict && !tried(w, FB_CURE_AUTHENTICATE))
        say(w, FB_CURE_AUTHENTICATE,
            w->signs.challenged ? FB_GROUND_NO_CREDENTIALS : FB_GROUND_MAYBE_CREDENTIALS, false);
    else if (!w->client->wants_html && fb_received_login_page(w->seen))
        authenticate(w, FB_GROUND_LOGIN_PAGE, false);
    else
        say(w, FB_CURE_GIVE_UP, FB_GROUND_FORBIDDEN, true);
}

static void on_success(struct work *w)
{
    if (!w->client->wants_html && fb_received_login_page(w->seen))
        authenticate(w, FB_GROUND_LOGIN_PAGE, false);
    else
        say(w, FB_CURE_PROCEED, FB_GROUND_ACCEPTED, true);
}

static void on_redirect(struct work *w)
{
    w->advice->link = fb_received_field(w->seen, "location");
    if (!w->client->wants_html && fb_is_login_target(w->advice->link))
        authenticate(w, FB_GROUND_LOGIN_REDIRECT, false);
    else
        say(w, FB_CURE_PROCEED, FB_GROUND_REDIRECT, true);
}

/* `<uri>; rel="blocked-by"` (RFC 7725 section 4): the URI. */
static struct fb_span blocked_by(const struct work *w)
{
    for (size_t i = 0; i < w->seen->fields_count; i++) {
        struct fb_span value = w->seen->fields[i].value;
        size_t open = fb_span_find(value, '<'), close = fb_span_find(value, '>');
        if (fb_span_eq_nocase(w->seen->fields[i].name, FB_SPAN("link")) && open < close && close < value.len &&
            fb_has_nocase(fb_span_from(value, close), "blocked-by"))
            return fb_span(value.ptr + open + 1, close - open - 1);
    }
    return fb_span(NULL, 0);
}

static void on_client_error(struct work *w)
{
    int64_t seconds;
    switch (w->status) {
    case 401: on_401(w); return;
    case 403: on_403(w); return;
    case 402: say(w, FB_CURE_GIVE_UP, FB_GROUND_PAYMENT, true); return;
    case 404: case 410: say(w, FB_CURE_GIVE_UP, FB_GROUND_NOT_FOUND, true); return;
    case 405:
        w->advice->allow = fb_received_field(w->seen, "allow");
        say(w, FB_CURE_FIX_REQUEST, FB_GROUND_METHOD, true);
        return;
    case 407: authenticate(w, FB_GROUND_PROXY, true); return;
    case 408: wait_if_idempotent(w); return;
    case 409: case 412: case 428: say(w, FB_CURE_FIX_REQUEST, FB_GROUND_CONFLICT, true); return;
    case 413:
        if (named_wait(w, &seconds))
            wait_for(w, seconds, FB_GROUND_BUSY, true);
        else
            say(w, FB_CURE_FIX_REQUEST, FB_GROUND_INVALID_REQUEST, true);
        return;
    case 419: say(w, FB_CURE_FIX_REQUEST, FB_GROUND_CSRF, false); return;     /* Laravel */
    case 425: wait_named(w, FB_GROUND_BUSY); return;                           /* RFC 8470 section 5.2 */
    case 429: wait_named(w, FB_GROUND_RATE); return;
    case 440: authenticate(w, FB_GROUND_NO_CREDENTIALS, false); return;        /* IIS: the session is over */
    case 451:
        w->advice->link = blocked_by(w);
        say(w, FB_CURE_GIVE_UP, FB_GROUND_LEGAL, true);
        return;
    case 495: case 496: say(w, FB_CURE_GIVE_UP, FB_GROUND_CERTIFICATE, false); return;     /* nginx */
    case 498: renew(w, FB_GROUND_INVALID_TOKEN, false); return;                /* Esri */
    default: break;
    }
    if (!by_signal(w))
        say(w, FB_CURE_FIX_REQUEST, FB_GROUND_INVALID_REQUEST, true);
}

static void on_server_error(struct work *w)
{
    int64_t seconds;
    if (w->status == 503 || w->status == 529)
        wait_named(w, FB_GROUND_BUSY);
    else if (w->status == 511)
        say(w, FB_CURE_GIVE_UP, FB_GROUND_NETWORK, true);
    else if (w->status == 502 || w->status == 504 || named_wait(w, &seconds))
        wait_if_idempotent(w);
    else
        say(w, FB_CURE_GIVE_UP, FB_GROUND_SERVER, true);
}

/* gRPC over HTTP: the status that counts is its own. */
static unsigned status_of_grpc(const struct fb_received *seen)
{
    static const unsigned short statuses[] = {200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 405, 500, 503, 500, 401};
    unsigned code;
    return seen->status == 200 && fb_signs_grpc(seen, &code) ? statuses[code] : seen->status;
}

void fb_advise(const struct fb_received *seen, const struct fb_client *client, struct fb_arena *arena,
               struct fb_advice *advice)
{
    struct work w = {.seen = seen, .client = client, .arena = arena, .advice = advice, .status = status_of_grpc(seen)};
    memset(advice, 0, sizeof *advice);
    fb_signs_read(seen, client, arena, &w.signs);
    advice->reason = w.signs.word;
    advice->detail = w.signs.detail;
    if (w.signs.challenged) {
        advice->scheme = w.signs.challenge.scheme;
        advice->realm = fb_http_challenge_param(&w.signs.challenge, "realm");
        advice->resource_metadata = fb_http_challenge_param(&w.signs.challenge, "resource_metadata");
    }
    switch (w.status / 100) {
    case 1: case 2: on_success(&w); break;
    case 3: on_redirect(&w); break;
    case 4: on_client_error(&w); break;
    case 5: on_server_error(&w); break;
    default: say(&w, FB_CURE_GIVE_UP, FB_GROUND_UNKNOWN, true); break;
    }
}
