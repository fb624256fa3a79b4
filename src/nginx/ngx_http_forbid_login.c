/* SPDX-License-Identifier: Apache-2.0 */
/* People who open a page without being signed in are sent to sign in (forbid_login), where a location asks for
 * that.  Programs never are: a redirect tells them nothing, and many would take the login page for the answer.
 * So it has to be a GET, of nobody's script, that navigates there; all else gets the 401 that it was. */
#include "nginx/ngx_http_forbid.h"

#include "http/http.h"

/* What the fields say of how the request came about. */
typedef struct {
    bool navigates, fetched;        /* Sec-Fetch-Mode: navigate; any other mode */
    bool scripted;                  /* X-Requested-With, as older scripts say */
} ngx_http_forbid_manner_t;

static void look(const ngx_table_elt_t *field, ngx_http_forbid_manner_t *manner)
{
    struct fb_span name = ngx_http_forbid_span(field->key);
    if (fb_span_eq_nocase(name, fb_span_z("sec-fetch-mode"))) {
        bool navigate = fb_span_is(ngx_http_forbid_span(field->value), "navigate");
        manner->navigates = manner->navigates || navigate;
        manner->fetched = manner->fetched || !navigate;
    } else if (fb_span_eq_nocase(name, fb_span_z("x-requested-with"))) {
        manner->scripted = true;
    }
}

/* Browsers that say nothing of Sec-Fetch-Mode are known by asking for HTML by its name. */
static bool is_navigation(ngx_http_request_t *r, const struct fb_response *response)
{
    ngx_http_forbid_manner_t manner = {false, false, false};
    for (const ngx_list_part_t *part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        const ngx_table_elt_t *fields = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            look(&fields[i], &manner);
        }
    }
    bool html = fb_span_starts(response->content_type, fb_span_z("text/html"));
    return r->method == NGX_HTTP_GET && r->headers_in.authorization == NULL && !manner.scripted && !manner.fetched
           && (manner.navigates || html);
}

/* What nobody should be sent to: a value that would end its field, and the very path that was asked for, which
 * would send people round and round. */
static bool is_unfit(ngx_http_request_t *r, struct fb_span target)
{
    struct fb_span asked = ngx_http_forbid_span(r->unparsed_uri);
    struct fb_span path = fb_span_head(target, fb_span_find(target, '?'));
    return target.len == 0 || !fb_http_is_field_value(target)
           || fb_span_eq(path, fb_span_head(asked, fb_span_find(asked, '?')));
}

bool ngx_http_forbid_login(ngx_http_request_t *r, const struct fb_refusal *refusal, struct fb_response *response)
{
    const ngx_http_forbid_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_forbid_module);
    ngx_str_t target;
    if (conf->login == NULL || refusal->status != NGX_HTTP_UNAUTHORIZED || refusal->challenge_error.len != 0
        || !is_navigation(r, response) || ngx_http_complex_value(r, conf->login, &target) != NGX_OK
        || is_unfit(r, ngx_http_forbid_span(target))) {
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < response->lines_count; i++) {
        if (!fb_span_is(response->lines[i].name, "WWW-Authenticate")) {
            response->lines[kept++] = response->lines[i];
        }
    }
    response->lines[kept++] = (struct fb_line){fb_span_z("Location"), ngx_http_forbid_span(target)};
    response->lines_count = kept;
    response->status = NGX_HTTP_MOVED_TEMPORARILY;
    return true;
}

/* Browsers take both for one. */
static bool is_slash(u_char c)
{
    return c == '/' || c == '\\';
}

/* Percent-encoded but for what RFC 3986 section 2.3 leaves unreserved, so that it is one parameter wherever it is
 * put.  The path and the query, never the host: a login page that sends people back cannot be made to send them
 * elsewhere, not by two slashes at the beginning either, which would make a host of the path and which a
 * `rewrite` may have let pass. */
ngx_str_t ngx_http_forbid_return_value(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    static const u_char hex[] = "0123456789ABCDEF";
    (void)ctx;
    ngx_str_t text = ngx_null_string;
    u_char *at = ngx_pnalloc(r->pool, 3 * r->unparsed_uri.len + 1);
    if (at == NULL) {
        return text;
    }
    text.data = at;
    size_t i = 0;
    while (i + 1 < r->unparsed_uri.len && is_slash(r->unparsed_uri.data[i]) && is_slash(r->unparsed_uri.data[i + 1])) {
        i++;
    }
    for (; i < r->unparsed_uri.len; i++) {
        u_char c = r->unparsed_uri.data[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || ngx_strchr("-._~", c) != NULL) {
            *at++ = c;
        } else {
            *at++ = '%';
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        }
    }
    text.len = (size_t)(at - text.data);
    return text;
}

char *ngx_http_forbid_set_login(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    (void)cmd;
    ngx_http_forbid_loc_conf_t *location = conf;
    ngx_str_t *args = cf->args->elts;
    if (location->login != NGX_CONF_UNSET_PTR) {
        return (char *)(uintptr_t)"is duplicate";
    }
    location->login = NULL;
    if (ngx_strcmp(args[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }
    bool rooted = args[1].data[0] == '/' || ngx_strncmp(args[1].data, "https://", 8) == 0
                  || ngx_strncmp(args[1].data, "http://", 7) == 0 || args[1].data[0] == '$';
    ngx_http_complex_value_t *value = ngx_palloc(cf->pool, sizeof(*value));
    ngx_http_compile_complex_value_t compile = {.cf = cf, .value = &args[1], .complex_value = value};
    if (value == NULL || ngx_http_compile_complex_value(&compile) != NGX_OK) {
        return NGX_CONF_ERROR;
    }
    location->login = value;
    return rooted ? NGX_CONF_OK
                  : (char *)(uintptr_t)"takes a URI or a path: https://login.example/?to=$forbid_return";
}
