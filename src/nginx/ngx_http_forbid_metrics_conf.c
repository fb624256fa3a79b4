/* SPDX-License-Identifier: Apache-2.0 */
/* `forbid_metrics [ADDRESS …]`, and that it is no open door: without stated callers it must stand behind
 * listeners that only this machine reaches, or where the policies decide who comes in.  Else `nginx -t` fails.
 * What it answers is in metrics.c. */
#include "nginx/ngx_http_forbid_count.h"

/* A location that has it, looked at once all of the configuration is known. */
typedef struct {
    const ngx_http_core_srv_conf_t *server;
    const ngx_http_forbid_loc_conf_t *conf;
    ngx_str_t name;
} door_t;

static char *take_caller(ngx_conf_t *cf, ngx_array_t *callers, ngx_str_t *text)
{
    ngx_cidr_t *cidr = ngx_array_push(callers);
    if (cidr == NULL) {
        return NGX_CONF_ERROR;
    }
    ngx_int_t rc = NGX_OK;
    if (ngx_strcmp(text->data, "unix:") == 0) {
        *cidr = (ngx_cidr_t){.family = AF_UNIX};
    } else {
        rc = ngx_ptocidr(text, cidr);
    }
    if (rc == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "forbid_metrics: \"%V\" is no address: write 10.1.2.3, 10.0.0.0/8, ::1 or unix:",
                           text);
        return NGX_CONF_ERROR;
    }
    if (rc == NGX_DONE) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "forbid_metrics: bits of \"%V\" behind its mask mean nothing", text);
    }
    return NGX_CONF_OK;
}

char *ngx_http_forbid_set_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    (void)cmd;
    ngx_http_forbid_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_forbid_module);
    ngx_http_core_loc_conf_t *core = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    ngx_http_forbid_loc_conf_t *location = conf;
    ngx_str_t *args = cf->args->elts;
    if (cf->cmd_type != NGX_HTTP_LOC_CONF) {
        return (char *)(uintptr_t)"stands in a location, whose answer it is";
    }
    if (core->handler == ngx_http_forbid_metrics_handler) {
        return (char *)(uintptr_t)"is duplicate";
    }
    if (cf->args->nelts > 1) {
        location->callers = ngx_array_create(cf->pool, cf->args->nelts - 1, sizeof(ngx_cidr_t));
        if (location->callers == NULL) {
            return NGX_CONF_ERROR;
        }
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        char *rc = take_caller(cf, location->callers, &args[i]);
        if (rc != NGX_CONF_OK) {
            return rc;
        }
    }
    if (main->doors == NULL && (main->doors = ngx_array_create(cf->pool, 1, sizeof(door_t))) == NULL) {
        return NGX_CONF_ERROR;
    }
    door_t *door = ngx_array_push(main->doors);
    if (door == NULL) {
        return NGX_CONF_ERROR;
    }
    *door = (door_t){ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module), location, core->name};
    core->handler = ngx_http_forbid_metrics_handler;
    return NGX_CONF_OK;
}

static bool is_local(const struct sockaddr *address)
{
    if (address->sa_family == AF_UNIX) {
        return true;
    }
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
        return ntohl(four->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static bool listens_there(const ngx_http_conf_addr_t *address, const ngx_http_core_srv_conf_t *server)
{
    ngx_http_core_srv_conf_t *const *servers = address->servers.elts;
    for (ngx_uint_t i = 0; i < address->servers.nelts; i++) {
        if (servers[i] == server) {
            return true;
        }
    }
    return false;
}

/* The first address of the server that others reach, or NULL. */
static const ngx_http_conf_addr_t *open_address(ngx_conf_t *cf, const ngx_http_core_srv_conf_t *server)
{
    const ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    const ngx_http_conf_port_t *ports = core->ports != NULL ? core->ports->elts : NULL;
    for (ngx_uint_t i = 0; ports != NULL && i < core->ports->nelts; i++) {
        const ngx_http_conf_addr_t *addresses = ports[i].addrs.elts;
        for (ngx_uint_t k = 0; k < ports[i].addrs.nelts; k++) {
            if (!is_local(addresses[k].opt.sockaddr) && listens_there(&addresses[k], server)) {
                return &addresses[k];
            }
        }
    }
    return NULL;
}

ngx_int_t ngx_http_forbid_check_doors(ngx_conf_t *cf, const ngx_http_forbid_main_conf_t *main)
{
    const door_t *doors = main->doors != NULL ? main->doors->elts : NULL;
    for (ngx_uint_t i = 0; doors != NULL && i < main->doors->nelts; i++) {
        const ngx_http_forbid_loc_conf_t *conf = doors[i].conf;
        bool decided = conf->mode == NGX_HTTP_FORBID_ON && conf->unmatched != FB_UNMATCHED_PASS;
        const ngx_http_conf_addr_t *address = conf->callers != NULL || decided ? NULL : open_address(cf, doors[i].server);
        if (address != NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "forbid_metrics in location \"%V\" would answer anybody who reaches %V: say who may read it "
                          "(forbid_metrics 127.0.0.1 10.0.0.0/8;), or let its server listen on a loopback address or unix: alone",
                          &doors[i].name, &address->opt.addr_text);
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
