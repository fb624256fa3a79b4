/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes made from a schema: every `@route` read, given its resource, put into the trie
 * and compared with the others.  Matching is match.c's. */
#include "request/action.h"
#include "request/route.h"

/* --- one route's resource -------------------------------------------------------------------------- */

#define SHARED_TEMPLATES 64u

struct load {
    struct fb_routes *routes;
    struct fb_arena *arena;
    struct fb_diags *diags;
    bool full; /* FB_ROUTES_MAX was reported */
    /* Most routes name their resource in one of a few ways: one template for each, as with plans. */
    const struct fb_uid_template *shared[SHARED_TEMPLATES];
    size_t shared_count;
};

/* The annotations of the action at hand. */
struct at_action {
    const struct fb_action *action;
    struct fb_annotated route, resource, within;
    const struct fb_uid_template *resource_read, *within_read;
    bool resource_bad, within_bad;
};

static bool type_among(const struct fb_entity_type *type, const struct fb_entity_type **list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == type)
            return true;
    return false;
}

static void check_resource_type(struct at_action *a)
{
    const struct fb_schema_action *declared = a->action->declared;
    if (!a->resource_read->principal) {
        const struct fb_entity_type *type = a->resource_read->type;
        if (type_among(type, declared->resources, declared->resources_count))
            return;
        struct fb_diag *diag = fb_annotated_fault(
            &a->resource, fb_span_head(a->resource.annotation->value, type->name.len), "resource.type",
            "%.*s is not a resource type of this action", (int)type->name.len, type->name.ptr);
        diag->hint = FB_SPAN("name it in `appliesTo { resource: … }`, or use one that is there");
        a->resource_bad = true;
        return;
    }
    for (uint32_t i = 0; i < declared->principals_count; i++) {
        const struct fb_entity_type *type = declared->principals[i];
        if (type_among(type, declared->resources, declared->resources_count))
            continue;
        struct fb_diag *diag = fb_annotated_fault(&a->resource, a->resource.annotation->value, "resource.type",
                                                  "%.*s is a principal of this action but not a resource type of it",
                                                  (int)type->name.len, type->name.ptr);
        diag->hint = FB_SPAN("with @resource(\"principal\") every principal type has to be a resource type too");
        a->resource_bad = true;
    }
}

/* Can an entity of `type` be in one of `group`, by the schema?  Depth bounded by the number of types. */
static bool can_be_in(const struct fb_schema *schema, const struct fb_entity_type *type,
                      const struct fb_entity_type *group, uint32_t depth)
{
    if (type == group)
        return true;
    for (uint32_t i = 0; depth != 0 && i < type->parents_count; i++) {
        const struct fb_entity_type *parent = fb_schema_type(schema, type->parents[i]);
        if (parent != NULL && parent != type && can_be_in(schema, parent, group, depth - 1))
            return true;
    }
    return false;
}

static void check_within_type(const struct load *l, struct at_action *a)
{
    const struct fb_schema_action *declared = a->action->declared;
    if (a->within_read->principal) {
        (void)fb_annotated_fault(&a->within, a->within.annotation->value, "within.type",
                                 "@within needs an entity of the path, for instance \"Org::{org}\"");
        a->within_bad = true;
        return;
    }
    const struct fb_entity_type *group = a->within_read->type;
    for (uint32_t i = 0; i < declared->resources_count; i++)
        if (can_be_in(l->routes->schema, declared->resources[i], group, 16))
            return;
    struct fb_diag *diag =
        fb_annotated_fault(&a->within, fb_span_head(a->within.annotation->value, group->name.len), "within.type",
                           "no resource of this action can be in %.*s", (int)group->name.len, group->name.ptr);
    diag->hint = FB_SPAN("entity types say what they can be in: `entity Doc in [Org];`");
    a->within_bad = true;
}

static void read_templates(struct load *l, struct at_action *a)
{
    if (a->resource.annotation != NULL) {
        a->resource_read = fb_uid_template_read(&a->resource, l->routes->schema, l->arena);
        a->resource_bad = a->resource_read == NULL;
        if (!a->resource_bad)
            check_resource_type(a);
    }
    if (a->within.annotation != NULL) {
        a->within_read = fb_uid_template_read(&a->within, l->routes->schema, l->arena);
        a->within_bad = a->within_read == NULL;
        if (!a->within_bad)
            check_within_type(l, a);
    }
}

static bool bind_default(struct load *l, struct at_action *a, struct fb_route *route, bool used[FB_PARAMS_MAX])
{
    const struct fb_schema_action *declared = a->action->declared;
    if (declared->resources_count == 1 && route->params_count == 1) {
        route->resource = fb_uid_template_default(declared->resources[0], route, l->arena);
        used[0] = true;
        return route->resource != NULL;
    }
    if (declared->resources_count == 0)
        return false; /* reported with the action */
    struct fb_diag *diag = fb_diag_add(l->diags, FB_ERROR, "resource.missing", declared->source, route->range,
                                       "it cannot be told which resource this route is about");
    struct fb_span type = declared->resources[0]->name;
    if (declared->resources_count > 1)
        fb_diag_hint(l->diags, diag, "the action has %u resource types: say which, as in @resource(\"%.*s::…\")",
                     declared->resources_count, (int)type.len, type.ptr);
    else
        fb_diag_hint(l->diags, diag, "the route has %u parameters: add @resource(\"%.*s::…\")",
                     (unsigned)route->params_count, (int)type.len, type.ptr);
    return false;
}

/* An unused parameter would let clients write anything there without anybody deciding on it. */
static bool check_used(struct at_action *a, const struct fb_route *route, const bool used[FB_PARAMS_MAX])
{
    bool good = true;
    for (size_t i = 0; i < route->params_count; i++) {
        if (used[i])
            continue;
        struct fb_span name = fb_route_param(route, i)->text;
        struct fb_diag *diag = fb_annotated_fault(&a->route, name, "route.unused", "the parameter {%.*s} is not used",
                                                  (int)name.len, name.ptr);
        diag->hint = FB_SPAN("use it in @resource or @within, so that policies can tell its values apart");
        good = false;
    }
    return good;
}

static const struct fb_uid_template *share(struct load *l, const struct fb_uid_template *made)
{
    for (size_t i = 0; made != NULL && i < l->shared_count; i++)
        if (fb_uid_template_eq(l->shared[i], made))
            return l->shared[i];
    if (made != NULL && l->shared_count < SHARED_TEMPLATES)
        l->shared[l->shared_count++] = made;
    return made;
}

static bool bind(struct load *l, struct at_action *a, struct fb_route *route)
{
    bool used[FB_PARAMS_MAX] = {false};
    bool good = !a->resource_bad && !a->within_bad;
    if (a->within_read != NULL && !a->within_bad) {
        route->within = fb_uid_template_bind(a->within_read, &a->within, route, used, l->arena);
        good = good && route->within != NULL;
    }
    if (a->resource_read != NULL && !a->resource_bad) {
        route->resource = fb_uid_template_bind(a->resource_read, &a->resource, route, used, l->arena);
        good = good && route->resource != NULL;
    } else if (a->resource.annotation == NULL) {
        good = bind_default(l, a, route, used) && good;
    }
    route->resource = share(l, route->resource);
    route->within = share(l, route->within);
    return good && check_used(a, route, used);
}

/* --- the trie -------------------------------------------------------------------------------------- */

static struct fb_route_node *node_new(struct load *l, struct fb_span text)
{
    struct fb_route_node *node = fb_arena_alloc(l->arena, sizeof *node + text.len);
    if (node == NULL)
        return NULL;
    fb_bytes_copy((char *)(node + 1), text.ptr, text.len);
    node->text = fb_span((const char *)(node + 1), text.len);
    node->branches = node->first_branches;
    node->mask = sizeof node->first_branches / sizeof node->first_branches[0] - 1;
    node->ends = node->first_ends;
    node->capacity = sizeof node->first_ends / sizeof node->first_ends[0];
    return node;
}

static void put_branch(struct fb_route_branch *branches, uint32_t mask, struct fb_route_branch branch)
{
    uint32_t i = (uint32_t)branch.hash & mask;
    while (branches[i].node != NULL)
        i = (i + 1) & mask;
    branches[i] = branch;
}

/* A literal that `node` does not have yet. */
static bool add_branch(struct load *l, struct fb_route_node *node, struct fb_route_node *literal)
{
    uint32_t places = node->mask + 1;
    if (2 * (node->branches_count + 1) > places) {
        struct fb_route_branch *larger = fb_arena_array(l->arena, 2 * (size_t)places, sizeof *larger);
        if (larger == NULL)
            return false;
        for (uint32_t i = 0; i < places; i++)
            if (node->branches[i].node != NULL)
                put_branch(larger, 2 * places - 1, node->branches[i]);
        node->branches = larger;
        node->mask = 2 * places - 1;
    }
    put_branch(node->branches, node->mask, (struct fb_route_branch){fb_hash(literal->text), literal});
    node->branches_count++;
    return true;
}

static struct fb_route_node *child(struct load *l, struct fb_route_node *node, const struct fb_path_segment *segment)
{
    if (segment->kind != FB_SEGMENT_LITERAL) {
        if (node->kinds[segment->kind] == NULL)
            node->kinds[segment->kind] = node_new(l, fb_span(NULL, 0));
        return node->kinds[segment->kind];
    }
    struct fb_route_node *next = fb_route_literal(node, segment->text);
    if (next != NULL)
        return next;
    next = node_new(l, segment->text);
    return next != NULL && add_branch(l, node, next) ? next : NULL;
}

static struct fb_route_node *node_of(struct load *l, const struct fb_route *route)
{
    struct fb_route_node *node = l->routes->root;
    for (size_t i = 0; node != NULL && i < route->segments_count; i++)
        node = child(l, node, &route->segments[i]);
    return node;
}

static const struct fb_route *same_at(const struct fb_route_node *node, struct fb_span method, struct fb_span query)
{
    for (size_t i = 0; i < node->count; i++)
        if (fb_span_eq(node->ends[i].route->method, method) && fb_span_eq(node->ends[i].route->query, query))
            return node->ends[i].route;
    return NULL;
}

/* As written: `/docs/{id}?export`. */
static struct fb_span path_and_query(const struct fb_route *route)
{
    return fb_span(route->path.ptr, route->path.len + (route->query.len != 0 ? 1 + route->query.len : 0));
}

static void report_conflict(struct load *l, const struct fb_route *route, const struct fb_route *first)
{
    const struct fb_schema_action *declared = route->action->declared;
    struct fb_span here = path_and_query(route), there = path_and_query(first);
    struct fb_diag *diag = fb_diag_add(l->diags, FB_ERROR, "route.conflict", declared->source, route->range,
                                       "every request for \"%.*s %.*s\" is one for \"%.*s %.*s\" too",
                                       (int)route->method.len, route->method.ptr, (int)here.len, here.ptr,
                                       (int)first->method.len, first->method.ptr, (int)there.len, there.ptr);
    diag->hint = first->action == route->action ? FB_SPAN("one of the two is enough")
                                                : FB_SPAN("a request can only be one action");
    diag->other = first->action->declared->source;
    diag->other_range = first->range;
    diag->other_message = FB_SPAN("the other route is here");
}

static bool insert(struct load *l, struct fb_route *route)
{
    struct fb_routes *routes = l->routes;
    if (routes->count >= FB_ROUTES_MAX) {
        if (!l->full)
            (void)fb_diag_add(l->diags, FB_ERROR, "route.limit", route->action->declared->source, route->range,
                              "a table has at most %u routes, with the HEAD of every GET", FB_ROUTES_MAX);
        l->full = true;
        return true;
    }
    struct fb_route_node *node = node_of(l, route);
    if (node == NULL)
        return false;
    const struct fb_route *first = same_at(node, route->method, route->query);
    if (first != NULL) {
        report_conflict(l, route, first);
        return true;
    }
    struct fb_route_end *ends = fb_arena_grow(l->arena, node->ends, node->count, &node->capacity, sizeof *ends);
    struct fb_route **list = fb_arena_grow(l->arena, routes->list, routes->count, &routes->capacity, sizeof *list);
    if (ends == NULL || list == NULL)
        return false;
    node->ends = ends;
    node->ends[node->count++] = (struct fb_route_end){
        .method = fb_method_key(route->method), .conditional = route->query.len != 0, .route = route};
    routes->list = list;
    routes->list[routes->count++] = route;
    return true;
}

/* RFC 9110 section 9.3.2: HEAD is GET without content, so who declares GET has HEAD, under the same
 * rules, unless it is declared itself. */
static bool insert_heads(struct load *l)
{
    size_t count = l->routes->count;
    for (size_t i = 0; i < count; i++) {
        const struct fb_route *get = l->routes->list[i];
        if (!fb_span_is(get->method, "GET"))
            continue;
        const struct fb_route_node *node = node_of(l, get);
        if (node == NULL || same_at(node, FB_SPAN("HEAD"), get->query) != NULL)
            continue;
        struct fb_route *head = fb_arena_alloc(l->arena, sizeof *head);
        if (head == NULL)
            return false;
        *head = *get;
        head->method = FB_SPAN("HEAD");
        head->implicit = true;
        if (!insert(l, head))
            return false;
    }
    return true;
}

/* --- routes that cross ------------------------------------------------------------------------------ */

static bool add_rival(struct load *l, struct fb_route *route, const struct fb_route *rival)
{
    if (route->rivals_count == UINT8_MAX) {
        (void)fb_diag_add(l->diags, FB_ERROR, "route.crossings", route->action->declared->source, route->range,
                          "more than 255 routes overlap with this one");
        return true;
    }
    size_t count = route->rivals_count;
    if ((count & (count - 1)) == 0) {   /* full: it doubles, from one */
        const struct fb_route **grown = fb_arena_array(l->arena, count != 0 ? count * 2 : 1, sizeof *grown);
        if (grown == NULL)
            return false;
        if (count != 0)
            memcpy(grown, route->rivals, count * sizeof *grown);
        route->rivals = grown;
    }
    route->rivals[route->rivals_count++] = rival;
    return true;
}

static void report_crossing(struct load *l, const struct fb_route *a, const struct fb_route *b)
{
    struct fb_span there = path_and_query(a);
    struct fb_diag *diag =
        fb_diag_add(l->diags, FB_WARNING, "route.crossing", b->action->declared->source, b->range,
                    "some requests fit this route and \"%.*s %.*s\", and neither is the more specific",
                    (int)a->method.len, a->method.ptr, (int)there.len, there.ptr);
    diag->hint =
        a->query.len != 0 || b->query.len != 0
            ? FB_SPAN("such a request is refused as ambiguous; with the same path in both it would not be")
            : FB_SPAN("such a request is refused as ambiguous; spellings such as {id:int} can keep the two apart");
    diag->other = a->action->declared->source;
    diag->other_range = a->range;
    diag->other_message = FB_SPAN("the other route is here");
}

/* Each with each, since that happens once and most pairs differ in their method or first segments. */
static bool find_crossings(struct load *l)
{
    struct fb_routes *routes = l->routes;
    for (size_t i = 0; i < routes->count; i++) {
        for (size_t j = 0; j < i; j++) {
            struct fb_route *a = routes->list[j], *b = routes->list[i];
            if (!fb_span_eq(a->method, b->method) || fb_routes_relation(a, b) != FB_CROSSING)
                continue;
            if (!add_rival(l, a, b) || !add_rival(l, b, a))
                return false;
            if (!a->implicit && !b->implicit)
                report_crossing(l, a, b);
        }
    }
    return true;
}

/* --- all of them ---------------------------------------------------------------------------------- */

static bool read_routes(struct load *l, struct at_action *a)
{
    struct fb_span rest = a->route.annotation->value, piece;
    for (bool begun = false; fb_next_piece(&rest, &begun, &piece);) {
        struct fb_route *route = fb_arena_alloc(l->arena, sizeof *route);
        if (route == NULL)
            return false;
        if (!fb_route_read(&a->route, piece, l->arena, route))
            continue;
        route->action = a->action;
        /* a route without its resource is still compared with the others */
        (void)bind(l, a, route);
        if (!insert(l, route))
            return false;
    }
    return true;
}

static bool read_action(struct load *l, const struct fb_action *action)
{
    struct fb_diags *diags = l->diags;
    const struct fb_schema_action *declared = action->declared;
    struct at_action a = {
        .action = action,
        .route = fb_action_annotated(declared, "route", diags),
        .resource = fb_action_annotated(declared, "resource", diags),
        .within = fb_action_annotated(declared, "within", diags),
    };
    if (a.route.annotation == NULL) {
        const struct fb_annotation *stray = a.resource.annotation != NULL ? a.resource.annotation : a.within.annotation;
        if (stray != NULL)
            (void)fb_diag_add(diags, FB_ERROR, "route.missing", declared->source, stray->key_range,
                              "@%.*s needs a @route beside it", (int)stray->key.len, stray->key.ptr);
        return true;
    }
    if (declared->principals_count == 0 || declared->resources_count == 0) {
        struct fb_diag *diag = fb_diag_add(diags, FB_ERROR, "route.applies", declared->source, declared->range,
                                           "this action has a @route but applies to nothing");
        diag->hint = FB_SPAN("add `appliesTo { principal: …, resource: … }`");
    }
    read_templates(l, &a);
    return a.route.annotation->value.len == 0 || read_routes(l, &a);
}

/* The key of a uid's contents; the map confirms it byte by byte. */
static struct fb_span uid_key(const struct fb_uid *uid)
{
    return fb_span((const char *)uid, sizeof *uid + uid->type_len + uid->id_len);
}

static bool load_all(struct load *l)
{
    struct fb_routes *routes = l->routes;
    fb_annotations_check(routes->schema, l->diags);
    routes->actions = fb_actions_read(l->arena, routes->schema, l->diags);
    routes->root = node_new(l, fb_span(NULL, 0));
    if (routes->actions == NULL || routes->root == NULL)
        return false;
    for (uint32_t i = 0; i < routes->schema->actions_count; i++) {
        struct fb_action *action = &routes->actions[i];
        if (!fb_map_put(&routes->actions_by_uid, uid_key(action->declared->uid), action) || !read_action(l, action))
            return false;
    }
    return insert_heads(l) && find_crossings(l) && !l->arena->failed;
}

struct fb_routes *fb_routes_new(struct fb_arena *arena, const struct fb_schema *schema, struct fb_diags *diags)
{
    struct fb_routes *routes = fb_arena_alloc(arena, sizeof *routes);
    if (routes == NULL)
        return NULL;
    routes->schema = schema;
    routes->arena = arena;
    fb_map_init(&routes->actions_by_uid, arena);
    size_t before = diags->errors;
    struct load l = {.routes = routes, .arena = arena, .diags = diags};
    return load_all(&l) && diags->errors == before ? routes : NULL;
}

size_t fb_routes_count(const struct fb_routes *routes)
{
    return routes->count;
}

const struct fb_route *fb_routes_at(const struct fb_routes *routes, size_t index)
{
    return routes->list[index];
}

const struct fb_action *fb_routes_action(const struct fb_routes *routes, const struct fb_uid *uid)
{
    return fb_map_get(&routes->actions_by_uid, uid_key(uid));
}
