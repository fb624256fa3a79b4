/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_IDENTITY_ISSUER_H
#define FB_IDENTITY_ISSUER_H

#include "identity/jwks.h"

/* Issuers: whose tokens are accepted, meant for which audiences, and which principals they name. */

#define FB_LEEWAY_DEFAULT 30        /* seconds of difference between clocks that exp and nbf allow */
#define FB_LEEWAY_MAX 600
#define FB_ISSUER_AUDIENCES_MAX 32
#define FB_ISSUER_PARENTS_MAX 16
#define FB_ISSUERS_MAX 64

/* Tokens bound to a key of their holder's (RFC 9449). */
enum fb_dpop {
    FB_DPOP_OFF,                    /* are refused: bearer tokens alone */
    FB_DPOP_ACCEPTED,               /* need their proofs; bearer tokens do as well */
    FB_DPOP_REQUIRED                /* and no others */
};

/* The values of claim `claim` become parents of type `type`: roles → Role::"admin". */
struct fb_issuer_parent {
    struct fb_span claim, type;
};

struct fb_issuer {
    struct fb_span url;             /* compared with `iss` byte for byte */
    struct fb_span jwks;            /* the path of its key set, for messages */
    const struct fb_span *audiences;
    size_t audiences_count;         /* at least 1; a token needs one of them */
    struct fb_span principal;       /* entity type; "User" if not given */
    uint64_t principal_hash;        /* fb_hash(principal); of issuers that have been added */
    struct fb_span claim;           /* that names the principal; "sub" if not given */
    struct fb_span prefix;          /* set before the claim's value, to keep issuers apart */
    const struct fb_issuer_parent *parents;
    size_t parents_count;
    struct fb_span realm;           /* of the challenges that ask for its tokens; empty: the location's */
    enum fb_dpop dpop;
    int64_t leeway_s;               /* FB_LEEWAY_DEFAULT from fb_issuer_parse() */
};

/* What `forbid_issuer`, a line of issuers.conf and the command's options say, word by word:
 *   URL jwks=FILE audience=NAME [audience=NAME …] [principal=User] [claim=sub]
 *   [parents=CLAIM:Type …] [prefix=TEXT] [leeway=SECONDS] [dpop=accepted|required] [realm=TEXT]
 * with the defaults filled in.  Each fault is a diagnostic "issuer.…" (without a source: the
 * caller knows the place); false if there was any.  `out` points into `words` and `arena`. */
bool fb_issuer_parse(const struct fb_span *words, size_t count, struct fb_arena *arena,
                     struct fb_issuer *out, struct fb_diags *diags);

struct fb_issuers;

/* NULL without memory. */
struct fb_issuers *fb_issuers_new(const struct fb_allocator *allocator);
/* Frees the key sets too.  NULL is fine. */
void fb_issuers_free(struct fb_issuers *issuers);

/* Adds a copy of `issuer` with its keys, which it takes in every case (they are freed on failure).
 * False, and a diagnostic, when a field is not what it must be, the URL is there already, or an
 * issuer that mints the same principal type is there and their prefixes do not keep their
 * principals apart (each needs one, and neither may start with the other). */
bool fb_issuers_add(struct fb_issuers *issuers, const struct fb_issuer *issuer, struct fb_jwks *keys,
                    struct fb_diags *diags);
/* The same with the key set read from the file issuer->jwks, resolved against the working
 * directory. */
bool fb_issuers_add_file(struct fb_issuers *issuers, const struct fb_issuer *issuer, struct fb_diags *diags);

size_t fb_issuers_count(const struct fb_issuers *issuers);
const struct fb_issuer *fb_issuers_at(const struct fb_issuers *issuers, size_t index);
const struct fb_jwks *fb_issuers_keys(const struct fb_issuers *issuers, size_t index);

#endif
