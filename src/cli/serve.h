/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_CLI_SERVE_H
#define FB_CLI_SERVE_H

#include "cli/site.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/* `forbid serve`: nginx with the module, its configuration written for it.
 *
 *   cmd_serve.c     options, and the steps in order
 *   serve_place.c   what stands around it: address, upstream, nginx, the module, the runtime directory
 *   serve_store.c   is the store readable for the worker's user?
 *   serve_config.c  the configuration as text
 *   serve_run.c     nginx as a child: waiting until it listens, signals, cleaning up */

struct fb_serve_options {
    struct fb_site_options site;
    const char *listen, *upstream, *workers, *access_log, *nginx, *module, *user;
    struct fb_words real_ip;
    bool print_config;
};

struct fb_serve {
    struct fb_cli *cli;
    const struct fb_serve_options *options;
    const char *dir;                        /* the policy directory, as given */
    struct fb_arena arena;
    struct fb_cli_site site;
    /* the address */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } address;
    socklen_t address_len;
    const char *listen;                     /* as nginx writes it; "unix:/path" */
    const char *url;                        /* for people */
    /* the upstream */
    bool upstream_tls;
    const char *upstream_host;              /* its name without the port */
    const char *upstream_server;            /* "host:port", "unix:/path" */
    /* nginx */
    const char *nginx, *module;
    bool root;                              /* workers change to `user` */
    const char *user;
    uid_t uid;
    gid_t gid;
    const char *runtime;                    /* its directory */
    bool runtime_made;
};

/* Each says what is wrong and returns false. */
bool fb_serve_find_listen(struct fb_serve *serve);
bool fb_serve_find_upstream(struct fb_serve *serve);
bool fb_serve_find_nginx(struct fb_serve *serve);
bool fb_serve_find_user(struct fb_serve *serve);
bool fb_serve_make_runtime(struct fb_serve *serve);
void fb_serve_remove_runtime(struct fb_serve *serve);

/* The worker's user opens the store; as root, the store is given to its group first if need be. */
bool fb_serve_prove_store(struct fb_serve *serve);

/* Appends the configuration. */
bool fb_serve_config(struct fb_serve *serve, struct fb_buffer *out);

/* `nginx -t`; its output is shown if it fails. */
bool fb_serve_test(struct fb_serve *serve, const char *config);
/* Runs until it is stopped; an exit status. */
int fb_serve_run(struct fb_serve *serve, const char *config);

#endif
