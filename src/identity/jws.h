/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_JWS_H
#define FB_IDENTITY_JWS_H

#include "identity/token.h"

/* A JWS in compact form (RFC 7515 section 3.1), taken apart; nothing of it is proved yet. */
struct fb_jws {
    struct fb_span signed_text;     /* header, dot, payload, as they stand in the token */
    struct fb_span payload;         /* decoded */
    const unsigned char *signature; /* decoded */
    size_t signature_len;
    unsigned algorithm;             /* one of enum fb_algorithm */
    struct fb_span kid;
    bool has_kid;
};

/* GOOD, MALFORMED, ALGORITHM, BAD_SIGNATURE (longer than any) or FAILED; `detail` says what was wrong.
 * Points into `token` and `arena`. */
enum fb_token_status fb_jws_read(struct fb_span token, struct fb_arena *arena, struct fb_jws *out,
                                 const char **detail);

/* GOOD, MALFORMED or FAILED: the members of a payload, in `arena`.  `exp` may be missing: then
 * expires_ms is negative. */
enum fb_token_status fb_claims_read(struct fb_span payload, struct fb_arena *arena, struct fb_token *out,
                                    const char **detail);

/* A NumericDate (RFC 7519 section 2) as a JSON number is written, fractions cut to milliseconds.
 * False before 1970 and after 9999: seconds taken for milliseconds must not last for ages. */
bool fb_numeric_date(struct fb_span number, int64_t *ms);

#endif
