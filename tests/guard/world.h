/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_GUARD_WORLD_H
#define FB_TESTS_GUARD_WORLD_H

#include "guard/guard.h"

/* A guard with everything it needs, in a temporary directory: policies, a store, an issuer whose
 * key the test holds.  Functions fail the running test when something of the world fails. */

#define WORLD_NOW INT64_C(1800000000000)    /* 2027-01-15T08:00:00Z */
#define WORLD_ISSUER "https://login.test"
#define WORLD_AUDIENCE "api"

struct world {
    char dir[64], policies_dir[128], store_dir[128];
    struct fb_arena arena;
    struct fb_diags diags;
    struct fb_policies *policies;
    struct fb_issuers *issuers;
    struct fb_dev_key *key;
    struct fb_guard *guard;
    struct fb_store *store;
    struct fb_site site;
    bool not_validated;         /* policies that may err are taken too */
};

void world_init(struct world *world);
void world_release(struct world *world);
/* Writes a file of the policy directory; an empty text removes it. */
void world_write(struct world *world, const char *name, struct fb_span text);
/* Loads the directory again; false with world->diags filled in. */
bool world_load(struct world *world);
/* Puts entities (JSON) into the store, which is made at the first use and belongs to the site then. */
void world_put(struct world *world, struct fb_span json);
void world_account(struct world *world, enum fb_account_step step, const char *uid);
/* A token of the issuer; `claims` is put behind iss, aud and exp: `"sub":"a","scope":"read"`. */
struct fb_span world_token(struct world *world, struct fb_span claims, int64_t expires_in_s);

/* A request, and the fields that it carries. */
struct exchange {
    struct fb_http_request http;
    struct fb_http_field fields[8];
    struct fb_http_field_list list;
};
/* `line` is "GET /path?query"; the path is decoded and normalised as nginx does for plain ones. */
void exchange_init(struct exchange *exchange, struct world *world, struct fb_span line);
void exchange_field(struct exchange *exchange, struct fb_span name, struct fb_span value);

#endif
