/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_IDENTITY_FIXTURE_H
#define TEST_IDENTITY_FIXTURE_H

#include "identity/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* An issuer with one key of each algorithm, and a worker's tokens. */

#define ISSUER "https://issuer.example"
#define NOW INT64_C(1700000000000)
#define CLAIMS "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"alice\",\"exp\":1700000600}"

enum { KEYS = FB_DEV_PS256 + 1 };

struct fixture {
    struct fb_arena arena;
    struct fb_diags diags;
    struct fb_dev_key *keys[KEYS];
    struct fb_buffer jwks;          /* the set of all four */
    struct fb_issuers *issuers;
    struct fb_tokens *tokens;
    struct fb_bearer bearer;        /* of the last verify() */
};

/* Group set-up and tear-down; *state is a struct fixture. */
int set_up(void **state);
int tear_down(void **state);

/* A key set with those keys of `keys` whose bit is in `mask`. */
void jwks_of(struct fb_dev_key *const keys[KEYS], unsigned mask, struct fb_buffer *out);
/* Issuers with the one issuer ISSUER, audience "api"; fails the test on a diagnostic of an error. */
struct fb_issuers *issuers_of(struct fixture *f, struct fb_span jwks);
/* The same for an issuer that the test has written. */
struct fb_issuers *issuers_with(struct fixture *f, const struct fb_issuer *issuer, struct fb_span jwks);
struct fb_issuer plain_issuer(void);

/* A token in the fixture's arena. */
struct fb_span mint(struct fixture *f, enum fb_dev_algorithm algorithm, const char *claims);
struct fb_span sign(struct fixture *f, enum fb_dev_algorithm algorithm, const char *header, const char *claims);
enum fb_token_status verify(struct fixture *f, struct fb_span token, int64_t now);
void expect_status(enum fb_token_status got, enum fb_token_status want, const char *what, const char *detail);

#endif
