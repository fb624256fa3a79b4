/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_IDENTITY_H
#define FB_IDENTITY_IDENTITY_H

/* identity: a credential becomes a principal.  The door of src/identity/; other parts include only
 * this.  The one part that knows OpenSSL, of which nothing shows here.
 *
 *   jwks.h    key sets (RFC 7517)             token.h   tokens checked (RFC 7515, 7519), the cache
 *   issuer.h  who mints tokens, and for whom  mint.h    development keys and tokens
 *
 *   possession.h  what a token may be bound to   proof.h  DPoP (RFC 9449)
 *
 * Order of life: nginx's master reads key sets into issuers; each worker, after the fork, makes
 * its own fb_tokens and verifies with it against those issuers, which nobody writes any more. */

#include "identity/issuer.h"
#include "identity/jwks.h"
#include "identity/mint.h"
#include "identity/proof.h"
#include "identity/token.h"

#endif
