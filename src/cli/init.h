/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_INIT_H
#define FB_CLI_INIT_H

#include "cli/cli.h"

/* `forbid init`: a policy directory to begin with.
 *
 *   cmd_init.c       options, writing files, what to do next
 *   init_files.c     the files of a small example that teaches
 *   init_openapi.c   an OpenAPI document → its operations
 *   init_schema.c    operations → a schema with a route each, and policies to begin with */

/* The example. */
extern const char fb_init_schema[], fb_init_policies[], fb_init_entities[], fb_init_tests[];
/* A first test for any API. */
extern const char fb_init_api_tests[];

/* --- OpenAPI ----------------------------------------------------------------------------------------- */

#define FB_API_PARAMS_MAX 16u   /* as many as a route may have */

enum fb_api_kind { FB_API_TEXT, FB_API_INT, FB_API_UUID };
struct fb_api_param {
    struct fb_span name;
    enum fb_api_kind kind;
    bool in_path;
};

enum fb_api_security { FB_API_UNSAID, FB_API_OPEN, FB_API_SIGNED_IN };

struct fb_api_operation {
    struct fb_span method, path;            /* "GET"; as the document writes it, `/users/{id}` */
    struct fb_span id, summary;             /* perhaps empty */
    struct fb_api_param params[FB_API_PARAMS_MAX];
    size_t params_count;
    enum fb_api_security security;
};

struct fb_api {
    struct fb_arena *arena;
    struct fb_span title, prefix;           /* prefix: the path of the first server, without a final slash */
    enum fb_api_security security;          /* of operations that do not say */
    struct fb_api_operation *operations;
    size_t count, capacity;
};

/* Reads OpenAPI 3 or Swagger 2, as JSON.  False after a diagnostic. */
bool fb_api_read(struct fb_api *api, const struct fb_source *source, struct fb_arena *arena, struct fb_diags *diags);

struct fb_init_counts {
    size_t actions, left_out;
    struct fb_span example; /* a request that the first action is about, `GET /users/1`; the API's arena */
};
/* A schema with an action for each operation whose path a route can express; the others stand in it
 * as comments.  And policies that go with it.  False without memory. */
bool fb_init_from_api(const struct fb_api *api, struct fb_buffer *schema, struct fb_buffer *policies,
                      struct fb_init_counts *counts);

#endif
