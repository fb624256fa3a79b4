/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_SITE_H
#define FB_CLI_SITE_H

#include "cli/cli.h"
#include "guard/guard.h"

/* What a location of the server is made of, from options: a policy directory, issuers, a store,
 * location data.  `check`, `why` and `serve` take the same options with the same meaning. */
struct fb_site_options {
    struct fb_words issuers, audiences, parents;
    const char *jwks, *principal, *claim;
    const char *store, *geo;
    const char *disclose, *disclose_anonymous;
    const struct fb_load_options *load;     /* no option: how closely the directory is looked at; NULL: as the server does */
};

#define FB_SITE_OPTIONS_COUNT 10u
void fb_site_options(struct fb_site_options *options, struct fb_option rows[FB_SITE_OPTIONS_COUNT]);

struct fb_cli_site {
    struct fb_arena arena;
    struct fb_diags diags;                  /* of loading: perhaps warnings */
    struct fb_policies *policies;
    struct fb_issuers *issuers;             /* NULL: none was given */
    struct fb_geo *geo;                     /* NULL: none was given */
    struct fb_site site;
};

/* Loads all of it.  False if anything is at fault: the diagnostics say what. */
bool fb_cli_site_open(struct fb_cli_site *site, const struct fb_site_options *options, const char *dir);
/* Does the schema have the type of a uid that an option gave?  Says so if not, with the name that is near. */
bool fb_cli_type_known(struct fb_cli *cli, const char *verb, const char *option, const struct fb_cli_site *site,
                       const struct fb_uid *uid);
/* A type of the schema's whose name is near; empty if there is none. */
struct fb_span fb_cli_near_type(const struct fb_schema *schema, struct fb_span type);
/* After a failed opening too. */
void fb_cli_site_close(struct fb_cli_site *site);

#endif
