/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_TESTS_REQUEST_NGINX_URI_H
#define FB_TESTS_REQUEST_NGINX_URI_H

/* What nginx makes of a request line's target, as its documentation describes it: for the unit tests
 * only; the end-to-end tests play the same tables against nginx itself.  Percent-encodings are decoded
 * once, `//` becomes `/`, dot segments are resolved, `#…` is dropped, and some targets are refused. */
#include "linear.h"

struct nginx_uri {
    char raw[16384], uri[16384], args[16384];
};

static inline void nginx_pop(char *uri, size_t *n, bool *above)
{
    if (*n <= 1) {
        *above = true;
        return;
    }
    (*n)--;
    while (*n > 1 && uri[*n - 1] != '/')
        (*n)--;
}

/* Closes the segment that ends at n: resolves `.` and `..`. */
static inline void nginx_segment(char *uri, size_t *n, bool *above)
{
    size_t start = *n;
    while (start > 0 && uri[start - 1] != '/')
        start--;
    size_t len = *n - start;
    if (len == 1 && uri[start] == '.') {
        *n = start;
    } else if (len == 2 && uri[start] == '.' && uri[start + 1] == '.') {
        *n = start;
        nginx_pop(uri, n, above);
    }
}

/* False: nginx answers 400 itself. */
static inline bool nginx_read(const char *target, struct nginx_uri *out)
{
    memset(out, 0, sizeof *out);
    const char *scheme = strstr(target, "://");
    if (scheme != NULL && strcspn(target, "/?#") > (size_t)(scheme - target)) {
        target = scheme + 3 + strcspn(scheme + 3, "/?");
        if (*target == '\0')
            target = "/";
    }
    if (target[0] != '/' || strpbrk(target, " \t\r\n") != NULL)
        return false;
    strcpy(out->raw, target);
    const char *end = target + strcspn(target, "?#");
    if (*end == '?') {
        strcpy(out->args, end + 1);
        out->args[strcspn(out->args, "#")] = '\0';
    }
    size_t n = 0;
    bool above = false;
    for (const char *at = target; at < end; at++) {
        int c = (unsigned char)*at;
        if (c == '%') {
            if (end - at < 3 || linear_hex(at[1]) < 0 || linear_hex(at[2]) < 0)
                return false;
            c = linear_hex(at[1]) * 16 + linear_hex(at[2]);
            at += 2;
        }
        if (c == 0)
            return false;
        if (c == '/') {
            nginx_segment(out->uri, &n, &above);
            if (n != 0 && out->uri[n - 1] == '/')
                continue;
        }
        out->uri[n++] = (char)c;
    }
    nginx_segment(out->uri, &n, &above);
    out->uri[n] = '\0';
    return !above;
}

#endif
