/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid advise`: whatever answers a server sends, in whatever form they were recorded, a client that follows
 * comes to an end, and what it is told is made of what was sent. */
#include "fuzz.h"

#include "refusal/refusal.h"

static void check_exchange(const struct fb_exchange *one, struct fb_span input)
{
    fuzz_must(one->at <= input.len, "an exchange has its place");
    fuzz_must(one->status == 0 || (one->status >= 100 && one->status <= 999), "a status has three digits");
    fuzz_must(one->request_count <= FB_EXCHANGE_FIELDS && one->response_count <= FB_EXCHANGE_FIELDS, "fields are limited");
    fuzz_must(one->body.len <= input.len * 2, "a body is no longer than its text");
}

/* The same answer again and again: no cure comes twice. */
static void follow(const struct fb_exchange *one, struct fb_client *client, struct fb_arena *arena)
{
    const struct fb_received received = {one->status, one->response, one->response_count, one->body};
    for (unsigned steps = 0;; steps++) {
        struct fb_advice advice;
        fb_advise(&received, client, arena, &advice);
        fuzz_must(steps <= FB_CURES + FB_WAITS_MAX, "it comes to an end");
        fuzz_must(advice.cure < FB_CURES && advice.why < FB_GROUNDS, "an advice is one of those there are");
        fuzz_must(advice.cure != FB_CURE_RETRY_NONCE || advice.nonce.len != 0, "a nonce is there");
        if (advice.cure == FB_CURE_GIVE_UP || advice.cure == FB_CURE_PROCEED || advice.cure == FB_CURE_FIX_REQUEST)
            return;
        if (advice.cure == FB_CURE_WAIT) {
            client->waits++;
            client->waited += advice.wait;
            continue;
        }
        fuzz_must((client->tried & (1u << advice.cure)) == 0, "no cure comes twice");
        client->tried |= 1u << advice.cure;
    }
}

void fuzz_one(struct fb_arena *arena, struct fb_span input)
{
    const struct fb_source source = {FB_SPAN("answer"), input};
    struct fb_exchanges exchanges;
    struct fb_diags diags;
    fb_diags_init(&diags, arena);
    fb_exchanges_init(&exchanges, arena);
    bool good = fb_exchanges_read(&exchanges, &source, &diags);
    fuzz_must(good ? exchanges.count != 0 : diags.errors != 0, "there are exchanges, or a diagnostic");
    fuzz_show_diags(&diags);
    for (size_t i = 0; i < exchanges.count && i < 16; i++) {
        check_exchange(&exchanges.list[i], input);
        for (unsigned kind = FB_PRESENTED_NONE; kind <= FB_PRESENTED_OTHER; kind++) {
            struct fb_client client = {.presented = (enum fb_presented)kind, .can_refresh = kind % 2 != 0, .scopes_known = kind == 1,
                                       .scopes = FB_SPAN("read write"), .acr = FB_SPAN("x"), .now = 1700000000,
                                       .method = exchanges.list[i].method};
            follow(&exchanges.list[i], &client, arena);
        }
    }
}
