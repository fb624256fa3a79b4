/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_POSSESSION_H
#define FB_IDENTITY_POSSESSION_H

#include "base/base.h"

/* What a client proved to hold, beside its token: a key (DPoP, RFC 9449), a client certificate (RFC 8705).  A token
 * that is bound to either is good only with it. */

/* base64url of a SHA-256: RFC 9449 section 6.1, RFC 8705 section 3.1. */
#define FB_THUMBPRINT_LEN 43u

/* Of proofs: those of tokens. */
#define FB_DPOP_ALGS "ES256 EdDSA PS256 RS256"

struct fb_possession {
    struct fb_span key;             /* thumbprint of the key that signed a proof; empty: there was no proof */
    /* The certificate of the connection in PEM, looked at only for a token that wants one; empty: none.  NULL: none. */
    struct fb_span (*certificate)(const void *self);
    const void *self;
};

/* Does `pem` hold exactly the certificate of that thumbprint (RFC 8705 section 3.1)? */
bool fb_certificate_is(struct fb_span pem, struct fb_span thumbprint);

#endif
