/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes, as the schema wrote them. */
#include "cli/routes.h"

#include <stdlib.h>

/* Where `@resource` is left out, the action has one resource type and the route one parameter. */
void fb_cli_route_resource(struct fb_buffer *out, const struct fb_route *route)
{
    const struct fb_schema_action *action = route->action->declared;
    const struct fb_annotation *said = fb_annotation_find(action->annotations, action->annotations_count, "resource");
    if (said != NULL) {
        fb_buffer_add_safe(out, said->value);
        return;
    }
    if (action->resources_count != 0)
        fb_buffer_add(out, action->resources[0]->name);
    fb_buffer_add_z(out, "::");
    size_t open = fb_span_find(route->path, '{');
    struct fb_span rest = fb_span_from(route->path, open);
    struct fb_span parameter = fb_span_head(rest, fb_span_find(rest, '}'));
    fb_buffer_add(out, fb_span_head(parameter, fb_span_find(parameter, ':')));
    fb_buffer_add_char(out, '}');
}

struct row {
    const struct fb_route *route;
    size_t index;
};

/* By path, then in the order written: what belongs together stands together. */
static int by_path(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int c = fb_span_cmp(x->route->path, y->route->path);
    return c != 0 ? c : (x->index > y->index) - (x->index < y->index);
}

static struct row *rows_of(const struct fb_routes *routes, size_t *count)
{
    struct row *rows = calloc(fb_routes_count(routes) + 1, sizeof *rows);
    *count = 0;
    for (size_t i = 0; rows != NULL && i < fb_routes_count(routes); i++)
        if (!fb_routes_at(routes, i)->implicit)
            rows[(*count)++] = (struct row){fb_routes_at(routes, i), i};
    if (rows != NULL && *count != 0)
        qsort(rows, *count, sizeof *rows, by_path);
    return rows;
}

static size_t width_of_path(const struct fb_route *route)
{
    return fb_utf8_columns(route->path) + (route->query.len != 0 ? route->query.len + 1 : 0);
}

static void add_spaces(struct fb_buffer *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fb_buffer_add_char(out, ' ');
}

#define COLUMN_MAX 56u /* longer cells do not push the whole table to the right */

void fb_cli_routes_print(struct fb_buffer *out, const struct fb_policies *policies, bool colour)
{
    const struct fb_routes *routes = fb_policies_routes(policies);
    size_t count, method = 0, path = 0, action = 0;
    struct row *rows = rows_of(routes, &count);
    for (size_t i = 0; i < count; i++) {
        const struct fb_route *route = rows[i].route;
        size_t name = fb_uid_id(route->action->declared->uid).len;
        method = route->method.len > method ? route->method.len : method;
        path = width_of_path(route) > path && width_of_path(route) <= COLUMN_MAX ? width_of_path(route) : path;
        action = name > action && name <= COLUMN_MAX ? name : action;
    }
    for (size_t i = 0; i < count; i++) {
        const struct fb_route *route = rows[i].route;
        struct fb_span name = fb_uid_id(route->action->declared->uid);
        size_t width = width_of_path(route);
        fb_buffer_add_format(out, "%s%.*s%s", colour ? "\033[1m" : "", (int)route->method.len, route->method.ptr,
                             colour ? "\033[0m" : "");
        add_spaces(out, method - route->method.len + 2);
        fb_buffer_add_safe(out, route->path);
        if (route->query.len != 0) {
            fb_buffer_add_char(out, '?');
            fb_buffer_add_safe(out, route->query);
        }
        add_spaces(out, width < path ? path - width + 2 : 2);
        fb_buffer_add_safe(out, name);
        add_spaces(out, name.len < action ? action - name.len + 2 : 2);
        fb_cli_route_resource(out, route);
        if (route->action->anonymous != NULL)
            fb_buffer_add_z(out, colour ? "  \033[36mopen to anonymous\033[0m" : "  open to anonymous");
        if (fb_policies_secret(policies, route->action))
            fb_buffer_add_z(out, colour ? "  \033[35msecret\033[0m" : "  secret");
        fb_buffer_add_char(out, '\n');
    }
    if (count != 0)
        fb_buffer_add_char(out, '\n');
    free(rows);
}

static void add_text(struct fb_buffer *out, const char *member, struct fb_span text)
{
    fb_buffer_add_format(out, "\"%s\":", member);
    fb_buffer_add_json(out, text);
    fb_buffer_add_char(out, ',');
}

void fb_cli_routes_json(struct fb_buffer *out, const struct fb_policies *policies)
{
    const struct fb_routes *routes = fb_policies_routes(policies);
    size_t count;
    struct row *rows = rows_of(routes, &count);
    struct fb_buffer text;
    fb_buffer_init(&text, &fb_heap, 1u << 20);
    fb_buffer_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        const struct fb_route *route = rows[i].route;
        fb_buffer_add_z(out, i != 0 ? ",{" : "{");
        add_text(out, "method", route->method);
        add_text(out, "path", route->path);
        if (route->query.len != 0)
            add_text(out, "query", route->query);
        fb_buffer_clear(&text);
        fb_uid_print(&text, route->action->declared->uid);
        add_text(out, "action", fb_buffer_span(&text));
        fb_buffer_clear(&text);
        fb_cli_route_resource(&text, route);
        add_text(out, "resource", fb_buffer_span(&text));
        fb_buffer_add_format(out, "\"anonymous\":%s,\"secret\":%s}", route->action->anonymous != NULL ? "true" : "false",
                             fb_policies_secret(policies, route->action) ? "true" : "false");
    }
    fb_buffer_add_char(out, ']');
    fb_buffer_release(&text);
    free(rows);
}
