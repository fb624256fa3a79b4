/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_REFUSAL_SIGNS_H
#define FB_REFUSAL_SIGNS_H

#include "http/http.h"
#include "refusal/refusal.h"

/* What an answer says about its ground, wherever it says it.  Inside src/refusal. */

enum fb_signal {
    FB_SIGNAL_NONE, FB_SIGNAL_MISSING, FB_SIGNAL_TOKEN, FB_SIGNAL_SCOPE, FB_SIGNAL_WEAK, FB_SIGNAL_NONCE,
    FB_SIGNAL_PROOF, FB_SIGNAL_REQUEST, FB_SIGNAL_CSRF, FB_SIGNAL_RATE, FB_SIGNAL_BUSY, FB_SIGNAL_ACCOUNT,
    FB_SIGNAL_CERTIFICATE
};

struct fb_signs {
    enum fb_signal signal;
    bool standard;                  /* it stood in a challenge, not only in the body */
    bool challenged;                /* there is a challenge at all */
    bool scheme_fits;               /* one is of the scheme that the client used */
    struct fb_http_challenge challenge;     /* the one to follow */
    struct fb_span word, detail, scope, not_before;     /* of the body, unescaped */
};

/* The first field of that name (a literal in any case); the empty span. */
struct fb_span fb_received_field(const struct fb_received *seen, const char *name);
bool fb_received_has(const struct fb_received *seen, const char *name);
void fb_signs_read(const struct fb_received *seen, const struct fb_client *client, struct fb_arena *arena,
                   struct fb_signs *signs);
/* A page with a field for a password. */
bool fb_received_login_page(const struct fb_received *seen);
/* A target that looks like a sign-in: its path's words, or the parameters of an authorization request. */
bool fb_is_login_target(struct fb_span location);
/* The status of a call of gRPC, 0 to 16: in a field, or for grpc-web in a frame of trailers that is the whole body. */
bool fb_signs_grpc(const struct fb_received *seen, unsigned *code);
/* Without case. */
bool fb_has_nocase(struct fb_span text, const char *needle);
/* Is `word` among the words of `list`, which have spaces between them? */
bool fb_has_word(struct fb_span list, struct fb_span word);
/* The next word, with `*list` behind it; empty at the end. */
struct fb_span fb_next_word(struct fb_span *list);

#endif
