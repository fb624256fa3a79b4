/* SPDX-License-Identifier: Apache-2.0 */
/* Two exchanges of one route: what their difference tells a client, and what it tells about the status.
 * Exchanges are put into groups by method, host and shape of the path, so that the work is not the square of a long
 * recording; within a group the first of each kind stands for the others.
 * Read RFC 9110 sections 15.5.2, 15.5.4 and 15.5.5. */
#include "refusal/audit_rules.h"

/* Is a segment a name of one resource among many: digits, or a word with digits, or long and hexadecimal? */
static bool is_identifier(struct fb_span segment)
{
    size_t digits = 0;
    for (size_t i = 0; i < segment.len; i++)
        digits += segment.ptr[i] >= '0' && segment.ptr[i] <= '9';
    return digits != 0 && (segment.len > 2 || digits == segment.len) && !(segment.ptr[0] == 'v' && digits == segment.len - 1);
}

/* `GET https://host/users/:`, which exchanges of one route have in common. */
static struct fb_span shape_of(const struct fb_exchange *x, struct fb_arena *arena)
{
    struct fb_buffer out;
    struct fb_allocator memory = fb_arena_allocator(arena);
    struct fb_span path = fb_url_path(x->url);
    fb_buffer_init(&out, &memory, 65536);
    fb_buffer_add(&out, x->method);
    fb_buffer_add_char(&out, ' ');
    fb_buffer_add(&out, fb_span_head(x->url, path.len != 0 ? (size_t)(path.ptr - x->url.ptr) : 0));
    while (path.len != 0) {
        size_t slash = fb_span_find(path, '/');
        struct fb_span segment = fb_span_head(path, slash);
        fb_buffer_add(&out, is_identifier(segment) ? FB_SPAN(":") : segment);
        if (slash < path.len)
            fb_buffer_add_char(&out, '/');
        path = fb_span_from(path, slash + 1);
    }
    return out.failed ? fb_span(NULL, 0) : fb_buffer_span(&out);
}

struct group {
    struct group *next;             /* of another identity */
    struct fb_span credentials;     /* Authorization, or Cookie */
    const struct fb_exchange *first[4];     /* 2xx, 401, 403, 404 */
};

static int kind_of(unsigned status)
{
    return status >= 200 && status < 300 ? 0 : status == 401 ? 1 : status == 403 ? 2 : status == 404 ? 3 : -1;
}

static struct fb_span credentials_of(const struct fb_exchange *x)
{
    struct fb_span authorization = fb_request_field(x, "authorization");
    return authorization.len != 0 ? authorization : fb_request_field(x, "cookie");
}

static struct group *group_of(struct fb_map *map, struct fb_arena *arena, const struct fb_exchange *x)
{
    struct fb_span shape = shape_of(x, arena), credentials = credentials_of(x);
    struct group *head = shape.len != 0 ? fb_map_get(map, shape) : NULL;
    for (struct group *group = head; group != NULL; group = group->next)
        if (fb_span_eq(group->credentials, credentials))
            return group;
    struct group *group = shape.len != 0 ? fb_arena_alloc(arena, sizeof *group) : NULL;
    if (group == NULL)
        return NULL;
    group->credentials = credentials;
    if (head != NULL) {
        group->next = head->next;
        head->next = group;
    } else if (!fb_map_put(map, shape, group)) {
        return NULL;
    }
    return group;
}

/* A recording may end a body with a line's end. */
static struct fb_span without_end(struct fb_span body)
{
    while (body.len != 0 && (body.ptr[body.len - 1] == '\n' || body.ptr[body.len - 1] == '\r'))
        body.len--;
    return body;
}

/* Names of the fields in order, and the body without the identifiers of the path: what two 404s must share.  Fields
 * whose value is each time another are not compared by value; their length, which the body's echo changes, is not. */
static bool same_form(const struct fb_exchange *one, const struct fb_exchange *two)
{
    if (one->response_count != two->response_count)
        return false;
    for (size_t i = 0; i < one->response_count; i++)
        if (!fb_span_eq_nocase(one->response[i].name, two->response[i].name))
            return false;
    if (!one->body_known || !two->body_known)
        return true;
    struct fb_span x = without_end(one->body), y = without_end(two->body);
    size_t longer = x.len > y.len ? x.len - y.len : y.len - x.len;
    struct fb_span a = fb_url_path(one->url), b = fb_url_path(two->url);
    size_t echoed = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (longer != 0 && longer != echoed)
        return false;
    /* The same words around what may be an echo. */
    size_t head = 0, most = x.len < y.len ? x.len : y.len, tail = 0;
    while (head < most && x.ptr[head] == y.ptr[head])
        head++;
    while (tail < most - head && x.ptr[x.len - 1 - tail] == y.ptr[y.len - 1 - tail])
        tail++;
    return most - head - tail <= (a.len > b.len ? a.len : b.len);
}

/* The same target, with any credentials that got through. */
static const struct fb_exchange *succeeded(const struct group *head, struct fb_span url)
{
    for (const struct group *group = head; group != NULL; group = group->next)
        if (group->credentials.len != 0 && group->first[0] != NULL && fb_span_eq(group->first[0]->url, url))
            return group->first[0];
    return NULL;
}

static void compare(struct fb_findings *findings, struct group *group, const struct fb_exchange *x)
{
    int kind = kind_of(x->status);
    const struct fb_exchange **first = group->first;
    if (kind < 0)
        return;
    if (first[kind] == NULL)
        first[kind] = x;
    if (kind == 3 && first[3] != x && !fb_span_eq(first[3]->url, x->url) && !same_form(first[3], x))
        fb_audit_pair(findings, FB_RULE_ORACLE_FORM, x, first[3]);
    const struct fb_exchange *refused = group->credentials.len == 0 && first[1] != NULL ? first[1] : first[2];
    if ((kind != 3 && x != refused) || first[3] == NULL || refused == NULL)
        return;
    bool other_target = !fb_span_eq(first[3]->url, refused->url);
    if (other_target && refused->status == 401)
        fb_audit_pair(findings, FB_RULE_ORACLE_ANONYMOUS, x, x == refused ? first[3] : refused);
    else if (other_target && refused->status == 403)
        fb_audit_pair(findings, FB_RULE_ORACLE_STATUS, x, x == refused ? first[3] : refused);
}

void fb_audit_pairs(const struct fb_exchanges *exchanges, struct fb_findings *findings)
{
    struct fb_map map;
    fb_map_init(&map, findings->arena);
    for (size_t i = 0; i < exchanges->count; i++) {
        const struct fb_exchange *x = &exchanges->list[i];
        struct group *group = x->request_known && x->status != 0 ? group_of(&map, findings->arena, x) : NULL;
        if (group != NULL)
            compare(findings, group, x);
    }
    for (size_t i = 0; i < exchanges->count; i++) {
        const struct fb_exchange *x = &exchanges->list[i];
        if (x->status != 403 || !x->request_known || fb_exchange_presented(x) != FB_PRESENTED_NONE)
            continue;
        const struct fb_exchange *through = succeeded(fb_map_get(&map, shape_of(x, findings->arena)), x->url);
        if (through != NULL)
            fb_audit_pair(findings, FB_RULE_CURABLE_403, x, through);
    }
}
