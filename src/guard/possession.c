/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that are good only with what they are bound to: a key, which a proof beside the token shows (RFC 9449), or the
 * certificate of the connection (RFC 8705).
 *
 * The token is verified first, as held with the key that the proof claims; then the proof; and last the proof is
 * remembered as used, so that strangers fill nothing. */
#include "guard/steps.h"

#define OWN_ROOM 4096u      /* proofs at a time that a guard by itself remembers: tools, tests */

bool fb_site_proves(const struct fb_site *site)
{
    size_t count = site->issuers != NULL ? fb_issuers_count(site->issuers) : 0;
    for (size_t i = 0; i < count; i++)
        if (fb_issuers_at(site->issuers, i)->dpop != FB_DPOP_OFF)
            return true;
    return false;
}

void fb_case_hold(struct fb_case *c, struct fb_span token, struct fb_span key)
{
    const struct fb_possession held = {.key = key, .certificate = c->http->certificate, .self = c->http->connection};
    c->token = fb_tokens_verify_held(c->guard->tokens, c->site->issuers, token, c->http->now_ms, &held, &c->bearer);
}

/* Is it an authority of that host?  (Which the server found in it has neither port nor a dot at its end.) */
static bool names_host(struct fb_span authority, struct fb_span host)
{
    size_t end = authority.len;
    for (size_t at = end; at > 0 && authority.ptr[at - 1] != ']'; at--)
        if (authority.ptr[at - 1] == ':')
            end = at - 1;
    struct fb_span name = fb_span_head(authority, end);
    if (name.len > host.len && name.ptr[name.len - 1] == '.')
        name = fb_span_head(name, name.len - 1);
    return fb_span_eq_nocase(name, host);
}

/* Scheme and authority of the request, as far as a proof may name them: those of the protected resource that the
 * location says it is, else what the connection and `Host` say; but not `Host` where the target names another host
 * and counts (RFC 9112 section 3.2.2). */
static struct fb_span origin_of(const struct fb_case *c)
{
    struct fb_span host = {0, NULL}, resource = c->site->resource;
    size_t colon = fb_span_find(resource, ':');
    if (resource.len != 0)
        return fb_span_head(resource, colon + 3 + fb_span_find(fb_span_from(resource, colon + 3), '/'));
    if (fb_case_field(c, "Host", &host) == 0 || (c->http->host.len != 0 && !names_host(host, c->http->host)))
        host = c->http->host;
    return fb_arena_format(c->arena, "%s://%.*s", c->http->tls ? "https" : "http", (int)host.len, host.ptr);
}

static struct fb_replays *replays_of(struct fb_guard *guard)
{
    if (guard->options.replays != NULL)
        return guard->options.replays;
    if (guard->replays == NULL) {
        guard->own_replays = fb_alloc(guard->options.allocator, fb_replays_bytes(OWN_ROOM));
        guard->replays = guard->own_replays != NULL ? fb_replays_init(guard->own_replays, OWN_ROOM) : NULL;
    }
    return guard->replays;
}

void fb_guard_forget_proofs(struct fb_guard *guard)
{
    if (guard->own_replays != NULL)
        fb_free(guard->options.allocator, guard->own_replays, fb_replays_bytes(OWN_ROOM));
    guard->own_replays = NULL;
    guard->replays = NULL;
}

static bool refuse_proof(struct fb_case *c)
{
    c->token = FB_TOKEN_BOUND;
    c->credentials = FB_CREDENTIALS_BAD;
    c->proof_refused = true;
    return true;
}

/* False: cannot.  The token is good. */
static bool check_proof(struct fb_case *c, const struct fb_proof *proof, struct fb_span token)
{
    struct fb_span target = c->http->sent_target.len != 0 ? c->http->sent_target : c->http->raw_target;
    const struct fb_proof_use use = {.method = c->http->method, .origin = origin_of(c),
                                     .path = target.len != 0 ? target : c->http->path, .token = token,
                                     .now_ms = c->http->now_ms, .leeway_ms = c->bearer.issuer->leeway_s * 1000};
    struct fb_replays *replays = replays_of(c->guard);
    const char *detail;
    enum fb_proof_status status = fb_proof_check(c->guard->tokens, proof, &use, &detail);
    if (status == FB_PROOF_FAILED || replays == NULL) {
        fb_refuse_cannot(c, "a proof could not be checked");
        return false;
    }
    if (status == FB_PROOF_BAD)
        return refuse_proof(c);
    c->answer->proof_used = c->http->proof_used;
    if (c->identifying || c->http->proof_used)
        return fb_case_take_token(c);
    switch (fb_replays_add(replays, proof, &use)) {
    case FB_REPLAY_FRESH:
        c->answer->proof_used = true;
        return fb_case_take_token(c);
    case FB_REPLAY_SEEN:
        return refuse_proof(c);
    case FB_REPLAY_FULL:
        break;
    }
    fb_refuse_cannot(c, "more proofs are in use than can be remembered");
    return false;
}

bool fb_case_verify_proved(struct fb_case *c, struct fb_span token)
{
    struct fb_span field = {0, NULL};
    struct fb_proof proof;
    const char *detail;
    /* RFC 9449 section 4.3: exactly one. */
    if (fb_case_field(c, "DPoP", &field) != 1 || !fb_proof_read(field, c->guard->options.allocator, c->arena, &proof, &detail))
        return refuse_proof(c);
    fb_case_hold(c, token, proof.key);
    bool fine = c->token == FB_TOKEN_GOOD ? check_proof(c, &proof, token) : fb_case_take_token(c);
    fb_proof_release(&proof);
    return fine;
}
