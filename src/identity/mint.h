/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_MINT_H
#define FB_IDENTITY_MINT_H

#include "base/base.h"

/* Development keys and tokens, for `forbid token` and the tests.  Production tokens come from an
 * identity provider; nothing that serves requests calls this. */

enum fb_dev_algorithm { FB_DEV_EDDSA, FB_DEV_ES256, FB_DEV_RS256, FB_DEV_PS256 };

/* "EdDSA", "ES256", "RS256", "PS256". */
bool fb_dev_algorithm(struct fb_span name, enum fb_dev_algorithm *out);

/* A private key.  Functions that return NULL or false set *error, if it is not NULL, to a static
 * text. */
struct fb_dev_key;

struct fb_dev_key *fb_dev_key_new(enum fb_dev_algorithm algorithm, const struct fb_allocator *allocator,
                                  const char **error);
/* A PEM private key.  Its type tells the algorithm; an RSA key is taken for RS256, or for PS256 if
 * `rsa_pss`.  A file that others than its owner can read is refused, as ssh does. */
struct fb_dev_key *fb_dev_key_load(const char *path, bool rsa_pss, const struct fb_allocator *allocator,
                                   const char **error);
void fb_dev_key_free(struct fb_dev_key *key);
/* Writes the PEM private key to a new file of mode 0600; an existing file is an error. */
bool fb_dev_key_save(const struct fb_dev_key *key, const char *path, const char **error);
/* Appends the JWK Set that holds the public key, with `kid` (its RFC 7638 thumbprint), `alg` and
 * `use`. */
bool fb_dev_key_jwks(const struct fb_dev_key *key, struct fb_buffer *out);

/* Appends a token.  `claims` is a JSON object and becomes the payload byte for byte; its text is
 * checked to be one. */
bool fb_token_mint(const struct fb_dev_key *key, struct fb_span claims, struct fb_buffer *out, const char **error);
/* The same under a header of the caller's, and nothing checked: for tests of bad tokens. */
bool fb_token_sign(const struct fb_dev_key *key, struct fb_span header, struct fb_span payload,
                   struct fb_buffer *out, const char **error);

#endif
