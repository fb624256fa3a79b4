/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_REQUEST_LINEAR_H
#define FB_TESTS_REQUEST_LINEAR_H

/* A second matcher, made without a look at the first: what an upstream's router does.  It takes the
 * raw target, splits it at its slashes, decodes each part, and tries every route one after the other
 * by the text of its template.  Among those that fit it prefers narrower segments. */
#include "routing.h"

#define LINEAR_PARTS 80

struct linear {
    const struct fb_route *route; /* NULL: none */
    bool other_method, torn;      /* torn: two fit, and neither is the narrower everywhere */
    char params[FB_PARAMS_MAX][2048];
};

static inline int linear_hex(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 87 : c >= 'A' && c <= 'F' ? c - 55 : -1;
}

/* Decodes a part into `out`; its length, or -1. */
static inline int linear_decode(const char *from, const char *to, char *out, size_t room)
{
    size_t n = 0;
    while (from < to) {
        if (n + 1 >= room)
            return -1;
        if (*from != '%') {
            out[n++] = *from++;
            continue;
        }
        if (to - from < 3 || linear_hex(from[1]) < 0 || linear_hex(from[2]) < 0)
            return -1;
        out[n++] = (char)(linear_hex(from[1]) * 16 + linear_hex(from[2]));
        from += 3;
    }
    out[n] = '\0';
    return (int)n;
}

struct linear_path {
    char parts[LINEAR_PARTS][2048];
    size_t count;
};

/* By hand, from what the documentation says of `:int` and the others. */
static inline bool linear_is(const char *spelling, const char *s)
{
    size_t n = strlen(s);
    if (strcmp(spelling, "int") == 0)
        return n >= 1 && n <= 19 && strspn(s, "0123456789") == n && (n == 1 || s[0] != '0');
    if (strcmp(spelling, "uuid") == 0) {
        int a = 0, b = 0, c = 0, d = 0, e = 0, end = 0;
        (void)sscanf(s, "%*8[0-9a-f]%n-%*4[0-9a-f]%n-%*4[0-9a-f]%n-%*4[0-9a-f]%n-%*12[0-9a-f]%n%n", &a, &b, &c, &d, &e,
                     &end);
        return a == 8 && b == 13 && c == 18 && d == 23 && e == 36 && n == 36;
    }
    return n != 0 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && s[0] != '-' && s[n - 1] != '-'
           && strstr(s, "--") == NULL;
}

/* The rank of what the template has for a part: 0 literal … 4 rest; -1: does not fit. */
static inline int linear_rank(const char *piece, size_t len, const char *part)
{
    if (len < 2 || piece[0] != '{')
        return strlen(part) == len && memcmp(part, piece, len) == 0 ? 0 : -1;
    const char *colon = memchr(piece, ':', len);
    if (part[0] == '\0')
        return -1;
    if (colon == NULL)
        return 3;
    char spelling[8] = {0};
    memcpy(spelling, colon + 1, len - 2 - (size_t)(colon - piece));
    return !linear_is(spelling, part) ? -1 : strcmp(spelling, "slug") == 0 ? 2 : 1;
}

/* Ranks for all parts, and parameters; false when the template does not fit. */
static inline bool linear_fits(const struct fb_route *route, const struct linear_path *path, int ranks[LINEAR_PARTS],
                               char params[FB_PARAMS_MAX][2048])
{
    const char *at = route->path.ptr + 1, *end = route->path.ptr + route->path.len;
    size_t part = 0, found = 0;
    for (;;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t len = slash != NULL ? (size_t)(slash - at) : (size_t)(end - at);
        if (part == path->count)
            return false;
        if (len > 5 && memcmp(at + len - 4, "...}", 4) == 0) {
            bool tail = slash != NULL; /* the template ends in a slash */
            size_t stop = path->count - (path->parts[path->count - 1][0] == '\0');
            if (stop <= part || tail != (stop < path->count))
                return false;
            params[found][0] = '\0';
            for (; part < stop; part++) {
                ranks[part] = 4;
                strcat(params[found], path->parts[part]);
                strcat(params[found], part + 1 < stop ? "/" : "");
            }
            if (tail)
                ranks[part] = 0;
            return true;
        }
        ranks[part] = linear_rank(at, len, path->parts[part]);
        if (ranks[part] < 0)
            return false;
        if (ranks[part] > 0)
            strcpy(params[found++], path->parts[part]);
        part++;
        if (slash == NULL)
            return part == path->count;
        at = slash + 1;
    }
}

/* `&name`, `&name=…` or first in the query. */
static inline bool linear_query(const struct fb_route *route, const char *query)
{
    if (route->query.len == 0)
        return true;
    for (const char *at = query, *next; *at != '\0'; at = next) {
        next = strchr(at, '&') != NULL ? strchr(at, '&') + 1 : at + strlen(at);
        char name[256];
        if (linear_decode(at, at + strcspn(at, "&="), name, sizeof name) == (int)route->query.len
            && memcmp(name, route->query.ptr, route->query.len) == 0)
            return true;
    }
    return false;
}

static inline int linear_compare(const int *a, const int *b, size_t count, bool *torn)
{
    bool less = false, more = false;
    int first = 0;
    for (size_t i = 0; i < count; i++) {
        less |= a[i] < b[i];
        more |= a[i] > b[i];
        if (first == 0)
            first = a[i] - b[i];
    }
    *torn = less && more;
    return first;
}

/* The route for a raw origin-form target.  False: cannot be split or decoded. */
static inline bool linear_match(const struct fb_routes *routes, const char *method, const char *target,
                                struct linear *out)
{
    static struct linear_path path;
    static char params[FB_PARAMS_MAX][2048];
    int best[LINEAR_PARTS] = {0}, ranks[LINEAR_PARTS];
    static const struct fb_route *fitting[4096];
    static int all[4096][LINEAR_PARTS];
    size_t fits = 0;
    memset(out, 0, sizeof *out);
    const char *end = target + strcspn(target, "?");
    const char *query = *end == '?' ? end + 1 : "";
    path.count = 0;
    for (const char *at = target; at < end;) {
        const char *next = ++at;
        while (next < end && *next != '/')
            next++;
        if (path.count == LINEAR_PARTS || linear_decode(at, next, path.parts[path.count++], 2048) < 0)
            return false;
        at = next;
    }
    for (size_t i = 0; i < fb_routes_count(routes); i++) {
        const struct fb_route *route = fb_routes_at(routes, i);
        if (!linear_fits(route, &path, ranks, params) || !linear_query(route, query))
            continue;
        if (!fb_span_is(route->method, method)) {
            out->other_method = true;
            continue;
        }
        bool torn = false;
        ranks[path.count] = route->query.len == 0;
        memcpy(all[fits], ranks, sizeof ranks);
        fitting[fits++] = route;
        if (out->route == NULL || linear_compare(ranks, best, path.count + 1, &torn) < 0) {
            out->route = route;
            memcpy(best, ranks, sizeof best);
            memcpy(out->params, params, sizeof params);
        }
    }
    for (size_t i = 0; i < fits; i++) {
        bool torn = false;
        int order = linear_compare(all[i], best, path.count + 1, &torn);
        /* two conditions that both hold: which one the upstream looks at is its own affair */
        bool conditions = fitting[i]->query.len != 0 && out->route->query.len != 0
                          && !fb_span_eq(fitting[i]->query, out->route->query);
        out->torn |= torn || conditions || (fitting[i] != out->route && order == 0);
    }
    return true;
}

#endif
