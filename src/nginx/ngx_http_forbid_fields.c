/* SPDX-License-Identifier: Apache-2.0 */
/* The request's own header list, which proxies copy to the upstream.
 *
 * A line cannot be dropped by marking it: proxies ignore `hash == 0` on request headers, and a
 * proxy_set_header in a location drops those inherited, so the list itself is changed.  Elements
 * must not move, for r->headers_in points into the list; a part is cut in two around the element
 * instead.  Proxies take the first element of every part but the first without looking whether it
 * has one, so parts that became empty are unlinked. */
#include "nginx/ngx_http_forbid.h"

typedef bool (*field_test_t)(const ngx_table_elt_t *line);

/* Names as upstreams see them: CGI and its heirs turn `-` into `_` and upper case, others drop what
 * is no letter or digit; so all of these count as `-`. */
static bool spelt(ngx_str_t name, const char *wanted, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        u_char c = ngx_tolower(name.data[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
            c = '-';
        }
        if (c != (u_char)wanted[i]) {
            return false;
        }
    }
    return true;
}

static inline bool is_name(const ngx_table_elt_t *line, const char *wanted)
{
    size_t length = ngx_strlen(wanted);
    return line->key.len == length && spelt(line->key, wanted, length);
}

static bool mentions_forbid(ngx_str_t value)
{
    static const char word[] = "x-forbid-";
    for (size_t i = 0; i + sizeof(word) - 1 <= value.len; i++) {
        ngx_str_t at = {value.len - i, value.data + i};
        if ((value.data[i] | 0x20) == 'x' && spelt(at, word, sizeof(word) - 1)) {
            return true;
        }
    }
    return false;
}

/* By the first letter most names are told at once. */
static inline u_char first_letter(const ngx_table_elt_t *line)
{
    return line->key.len != 0 ? line->key.data[0] | 0x20 : 0;
}

static inline bool is_identity(const ngx_table_elt_t *line)
{
    static const char prefix[] = "x-forbid-";
    u_char first = first_letter(line);
    if (first == 'x') {
        return line->key.len >= sizeof(prefix) - 1 && spelt(line->key, prefix, sizeof(prefix) - 1);
    }
    /* `Connection: X-Forbid-Principal` asks the next proxy to remove the field (RFC 9110 section 7.6.1). */
    return first == 'c' && mentions_forbid(line->value) && is_name(line, "connection");
}

static bool is_override_name(const ngx_table_elt_t *line)
{
    static const char *const names[] = {"x-http-method-override", "x-http-method", "x-method-override",
                                        "x-original-url", "x-rewrite-url"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (is_name(line, names[i])) {
            return true;
        }
    }
    return false;
}

static inline bool is_override(const ngx_table_elt_t *line)
{
    u_char first = first_letter(line);
    if (first == 'x') {
        return is_override_name(line);
    }
    return first == 'u' && is_name(line, "upgrade")
           && !fb_span_eq_nocase(ngx_http_forbid_span(line->value), fb_span_z("websocket"));
}

/* Takes element `index` out of `part` (which `before` precedes, or NULL) and says where to go on. */
static ngx_list_part_t *cut(ngx_http_request_t *r, ngx_list_part_t *before, ngx_list_part_t *part, ngx_uint_t *index)
{
    ngx_list_t *list = &r->headers_in.headers;
    ngx_table_elt_t *lines = part->elts;
    ngx_uint_t at = *index;
    if (at == 0) {
        part->elts = lines + 1;
        part->nelts--;
    } else if (at == part->nelts - 1) {
        part->nelts--;
    } else {
        ngx_list_part_t *rest = ngx_palloc(r->pool, sizeof(*rest));
        if (rest == NULL) {
            return NULL;
        }
        *rest = (ngx_list_part_t){lines + at + 1, part->nelts - at - 1, part->next};
        part->nelts = at;
        part->next = rest;
        if (list->last == part) {
            list->last = rest;
        }
        *index = 0;
        return rest;
    }
    if (part->nelts == 0 && before != NULL) {
        before->next = part->next;
        if (list->last == part) {
            list->last = before;
        }
        *index = before->nelts;
        return before;
    }
    return part;
}

/* The last part may now begin in the middle of its memory: no room may be counted behind it. */
static ngx_int_t seal(ngx_http_request_t *r)
{
    ngx_list_t *list = &r->headers_in.headers;
    if (list->last->nelts != 0) {
        list->nalloc = list->last->nelts;
        return NGX_OK;
    }
    list->nalloc = 8;
    list->last->elts = ngx_palloc(r->pool, list->nalloc * list->size);
    return list->last->elts != NULL ? NGX_OK : NGX_ERROR;
}

static ngx_int_t drop(ngx_http_request_t *r, field_test_t unwanted)
{
    ngx_list_part_t *before = NULL, *part = &r->headers_in.headers.part;
    ngx_uint_t index = 0;
    bool dropped = false;
    while (part != NULL) {
        if (index >= part->nelts) {
            before = part;
            part = part->next;
            index = 0;
            continue;
        }
        ngx_table_elt_t *line = (ngx_table_elt_t *)part->elts + index;
        if (!unwanted(line)) {
            index++;
            continue;
        }
        if (line == r->headers_in.upgrade) {
            r->headers_in.upgrade = NULL;
        }
        if (line == r->headers_in.connection) {
            r->headers_in.connection = NULL;
        }
        ngx_list_part_t *next = cut(r, before, part, &index);
        if (next == NULL) {
            return NGX_ERROR;
        }
        /* Back in the part before: the loop goes on behind it. */
        if (next != part && next != before) {
            before = part;
        }
        part = next;
        dropped = true;
    }
    return dropped ? seal(r) : NGX_OK;
}

/* Nearly every request has nothing to drop, which this tells without the care that dropping takes. */
static inline bool has_any(const ngx_http_request_t *r, field_test_t unwanted)
{
    for (const ngx_list_part_t *part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        const ngx_table_elt_t *lines = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (unwanted(&lines[i])) {
                return true;
            }
        }
    }
    return false;
}

ngx_int_t ngx_http_forbid_drop_identity(ngx_http_request_t *r)
{
    return has_any(r, is_identity) ? drop(r, is_identity) : NGX_OK;
}

ngx_int_t ngx_http_forbid_drop_overrides(ngx_http_request_t *r)
{
    return has_any(r, is_override) ? drop(r, is_override) : NGX_OK;
}

/* What we tell, with nginx's hash of each name. */
enum told { PRINCIPAL, ID, SHADOW, TOLD };

static struct {
    ngx_str_t name, lowcase;
    ngx_uint_t hash;
} told[TOLD] = {
    [PRINCIPAL] = {ngx_string("X-Forbid-Principal"), ngx_string("x-forbid-principal"), 0},
    [ID] = {ngx_string("X-Forbid-Id"), ngx_string("x-forbid-id"), 0},
    [SHADOW] = {ngx_string("X-Forbid-Shadow"), ngx_string("x-forbid-shadow"), 0},
};

void ngx_http_forbid_init_fields(void)
{
    for (size_t i = 0; i < TOLD; i++) {
        told[i].hash = ngx_hash_key(told[i].lowcase.data, told[i].lowcase.len);
    }
}

static ngx_table_elt_t *add(ngx_http_request_t *r, enum told which, ngx_str_t value)
{
    ngx_list_t *list = &r->headers_in.headers;
    /* An error_page for a request line that could not be read: nginx has not made the list yet. */
    if (list->last == NULL && ngx_list_init(list, r->pool, 4, sizeof(ngx_table_elt_t)) != NGX_OK) {
        return NULL;
    }
    ngx_table_elt_t *line = ngx_list_push(list);
    if (line == NULL) {
        return NULL;
    }
    line->key = told[which].name;
    line->lowcase_key = told[which].lowcase.data;
    line->hash = told[which].hash;
    line->value = value;
    return line;
}

/* "deny 403" */
static ngx_int_t set_shadow(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    ngx_str_t text = ngx_null_string;
    text.data = ngx_pnalloc(r->pool, sizeof("deny ") + NGX_INT_T_LEN);
    if (text.data == NULL) {
        return NGX_ERROR;
    }
    text.len = (size_t)(ngx_sprintf(text.data, "deny %ui", ctx->status) - text.data);
    if (ctx->shadow_field == NULL) {
        ctx->shadow_field = add(r, SHADOW, text);
        return ctx->shadow_field != NULL ? NGX_OK : NGX_ERROR;
    }
    ctx->shadow_field->value = text;
    return NGX_OK;
}

ngx_int_t ngx_http_forbid_tell_upstream(ngx_http_request_t *r, ngx_http_forbid_ctx_t *ctx)
{
    ngx_str_t principal = ctx->decided ? ctx->principal : (ngx_str_t)ngx_string("");
    if (principal.data == NULL) {
        ngx_str_set(&principal, "");
    }
    if (ctx->principal_field == NULL) {
        ngx_str_t id = {sizeof(ctx->id), ctx->id};
        ctx->principal_field = add(r, PRINCIPAL, principal);
        if (ctx->principal_field == NULL || add(r, ID, id) == NULL) {
            return NGX_ERROR;
        }
    }
    ctx->principal_field->value = principal;
    return ctx->shadowed && ctx->denied ? set_shadow(r, ctx) : NGX_OK;
}
