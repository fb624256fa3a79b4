/* SPDX-License-Identifier: Apache-2.0 */
/* Answers against answers, where no policy says what should be: objects of one identity that another gets (OWASP API1,
 * 2023), functions that somebody may call who should not (API5).  What is said to be for everybody is passed over, and so
 * is what a privileged identity gets. */
#include "cli/probe.h"

#include <stdlib.h>

static struct fb_span trimmed(struct fb_span body)
{
    while (body.len != 0 && strchr(" \t\r\n", body.ptr[body.len - 1]) != NULL)
        body.len--;
    while (body.len != 0 && strchr(" \t\r\n", body.ptr[0]) != NULL)
        body = fb_span_from(body, 1);
    return body;
}

/* An answer that shows nothing of an object: a list that was filtered, say. */
static bool is_empty(struct fb_span body)
{
    static const char *const nothing[] = {"", "[]", "{}", "null", "{\"items\":[]}", "{\"data\":[]}", "{\"data\":null}"};
    body = trimmed(body);
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        if (fb_span_is(body, nothing[i]))
            return true;
    return false;
}

/* Ids and times within may differ. */
static bool same_body(const struct fb_probe *probe, const struct fb_exchange *x, const struct fb_exchange *y)
{
    if (x == NULL || y == NULL)
        return false;
    return fb_span_eq(trimmed(x->body), trimmed(y->body)) ||
           fb_span_eq(fb_probe_masked(probe->arena, trimmed(x->body)), fb_probe_masked(probe->arena, trimmed(y->body)));
}

static bool is_safe(struct fb_span method)
{
    return fb_span_is(method, "GET") || fb_span_is(method, "HEAD") || fb_span_is(method, "OPTIONS");
}

/* The identity's answer for the object of this route that is not there. */
static const struct fb_exchange *answer_for_absent(const struct fb_probe *probe, const struct fb_probe_cell *cell)
{
    for (size_t t = cell->target->route->from; t < cell->target->route->end; t++)
        if (probe->targets[t].kind == FB_PROBE_ABSENT)
            return fb_probe_answer(probe, fb_probe_cell_at(probe, t, cell->identity));
    return NULL;
}

static void object(struct fb_probe *probe, struct fb_probe_cell *cell)
{
    const struct fb_probe_target *target = cell->target;
    const struct fb_exchange *x = fb_probe_answer(probe, cell);
    struct fb_probe_cell *owners = fb_probe_cell_at(probe, (size_t)(target - probe->targets), target->owner);
    struct fb_span owner = probe->world.list[target->owner].name;
    if (!is_safe(target->route->method)) {
        fb_probe_found(probe, FB_PROBE_BROKEN_OBJECT, cell, owners, "%u; it is %.*s's", cell->status, (int)owner.len, owner.ptr);
        return;
    }
    if (fb_span_is(target->route->method, "OPTIONS") || (x->body_known && is_empty(x->body)) || same_body(probe, x, answer_for_absent(probe, cell)))
        return;
    bool same = !x->body_known || owners->status == 0 || same_body(probe, x, fb_probe_answer(probe, owners));
    fb_probe_found(probe, same ? FB_PROBE_BROKEN_OBJECT : FB_PROBE_OTHER_VIEW, cell, owners, "%u with %zu bytes; it is %.*s's", cell->status, x->body.len,
                   (int)owner.len, owner.ptr);
}

/* Segments that stand for the inside of a service. */
static bool looks_privileged(struct fb_span path)
{
    static const char *const words[] = {"admin", "administration", "internal", "manage", "management", "actuator", "debug", "metrics", "system", "superuser", "backoffice"};
    while (path.len != 0) {
        struct fb_span segment = fb_span_head(path, fb_span_find(path, '/'));
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (fb_span_eq_nocase(segment, fb_span_z(words[i])))
                return true;
        path = fb_span_from(path, segment.len + 1);
    }
    return false;
}

static void function(struct fb_probe *probe, struct fb_probe_cell *cell)
{
    const struct fb_probe_route *route = cell->target->route;
    bool nobody = probe->world.list[cell->identity].fields_count == 0;
    if (route->function)
        fb_probe_found(probe, FB_PROBE_BROKEN_FUNCTION, cell, NULL, "%u; it is said to be for privileged identities", cell->status);
    else if (route->signed_in && nobody)
        fb_probe_found(probe, FB_PROBE_OPEN_FUNCTION, cell, NULL, "%u; the document says that it needs credentials", cell->status);
    else if (looks_privileged(route->path))
        fb_probe_found(probe, FB_PROBE_ADMIN_FUNCTION, cell, NULL, "%u", cell->status);
}

void fb_probe_objects(struct fb_probe *probe)
{
    for (size_t i = 0; i < probe->order_count; i++) {
        struct fb_probe_cell *cell = &probe->cells[i];
        const struct fb_probe_target *target = cell->target;
        /* Where the policies say what should be, probe_compare.c has said it. */
        if (!fb_probe_is_success(cell->status) || cell->expected.known || target->route->open || probe->world.list[cell->identity].privileged)
            continue;
        bool others = target->kind == FB_PROBE_OWNED && !fb_probe_is_own(probe, target, cell->identity);
        if (others && !target->route->function)
            object(probe, cell);
        else if (target->kind != FB_PROBE_ABSENT)
            function(probe, cell);
    }
}
