/* SPDX-License-Identifier: Apache-2.0 */
/* Routes: which one a request is for, what its resource is, what Allow says; and whether a second,
 * linear matcher agrees on tables and paths made at random. */
#include "linear.h"

static const char schema[] =
    "@anonymous entity Guest enum [\"guest\"];\n"
    "entity Role; entity Org; entity User in [Role, Org]; entity Doc in [Org]; entity Service;\n"
    "@route(\"GET /users/{id}, DELETE /users/{id}\") action user appliesTo {principal: [User, Guest], resource: "
    "User};\n"
    "@route(\"GET /users/me\") @resource(\"principal\") @accounts(\"suspended, disabled\") @disclose(\"detail\")\n"
    "action me appliesTo {principal: User, resource: User};\n"
    "@route(\"GET /users/{id:int}\") action numbered appliesTo {principal: User, resource: User};\n"
    "@route(\"PUT /users/{id:slug}\") action slug appliesTo {principal: User, resource: User};\n"
    "@route(\"GET /orgs/{org}/docs/{doc}\") @resource(\"Doc::{doc}\") @within(\"Org::{org}\")\n"
    "action doc appliesTo {principal: User, resource: Doc};\n"
    "@route(\"POST /orgs/{org}/docs/{doc}/{part:int}\") @resource(\"Doc::x-{org}/{doc}#{part}\")\n"
    "action part appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /list, POST /list, HEAD /list\") @resource(\"Service::list\")\n"
    "action list appliesTo {principal: Guest, resource: Service};\n"
    "@route(\"GET /list?export\") @resource(\"Service::export\")\n"
    "action export appliesTo {principal: User, resource: Service};\n"
    "@route(\"GET /list?summary, DELETE /list?all\") @resource(\"Service::summary\")\n"
    "action summary appliesTo {principal: User, resource: Service};\n"
    "@route(\"GET /only?x\") @resource(\"Service::only\") action only appliesTo {principal: User, resource: Service};\n"
    "@route(\"GET /f/{p...}\") action file appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /f/{p...}/\") @resource(\"Doc::{p}/\") action folder appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /a/{x}/c\") @resource(\"Doc::{x}\") action axc appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /a/b/{x}\") @resource(\"Doc::{x}\") action abx appliesTo {principal: User, resource: Doc};\n"
    "action unrouted appliesTo {principal: User, resource: Doc};\n";

static struct routing shared;

static int set_up(void **state)
{
    (void)state;
    routing_expect(&shared, "schema", FB_SPAN(schema));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    routing_release(&shared);
    return 0;
}

static enum fb_routed match(const struct routing *r, const char *method, const char *path, const char *query,
                            struct fb_target *target, struct fb_match *m)
{
    struct fb_http_request request = request_of(method, path, query);
    assert_int_equal(fb_target_read(&request, target), FB_TARGET_OK);
    return fb_routes_match(r->routes, target, request.method, m);
}

static void finds_action_and_resource(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *query, *action, *resource, *within;
    } cases[] = {
        {"GET", "/users/x", "", "user", "User::\"x\"", NULL},
        {"HEAD", "/users/x", "", "user", "User::\"x\"", NULL},
        {"DELETE", "/users/7", "", "user", "User::\"7\"", NULL},
        {"GET", "/users/7", "", "numbered", "User::\"7\"", NULL},
        {"HEAD", "/users/7", "", "numbered", "User::\"7\"", NULL},
        {"GET", "/users/07", "", "user", "User::\"07\"", NULL},
        {"PUT", "/users/a-b", "", "slug", "User::\"a-b\"", NULL},
        {"GET", "/users/me", "", "me", "Principal::\"p\"", NULL},
        {"DELETE", "/users/me", "", "user", "User::\"me\"", NULL},
        {"GET", "/orgs/o/docs/d", "", "doc", "Doc::\"d\"", "Org::\"o\""},
        {"POST", "/orgs/o/docs/d/3", "", "part", "Doc::\"x-o/d#3\"", NULL},
        {"GET", "/list", "", "list", "Service::\"list\"", NULL},
        {"GET", "/list", "exporter=1", "list", "Service::\"list\"", NULL},
        {"GET", "/list", "a&export=1", "export", "Service::\"export\"", NULL},
        {"GET", "/list", "summary", "summary", "Service::\"summary\"", NULL},
        {"HEAD", "/list", "", "list", "Service::\"list\"", NULL},
        {"HEAD", "/list", "export", "export", "Service::\"export\"", NULL},
        {"DELETE", "/list", "all", "summary", "Service::\"summary\"", NULL},
        {"GET", "/f/x", "", "file", "Doc::\"x\"", NULL},
        {"GET", "/f/x/y", "", "file", "Doc::\"x/y\"", NULL},
        {"GET", "/f/x/", "", "folder", "Doc::\"x/\"", NULL},
        {"GET", "/a/x/c", "", "axc", "Doc::\"x\"", NULL},
        {"GET", "/a/b/d", "", "abx", "Doc::\"d\"", NULL},
    };
    struct fb_arena arena;
    struct fb_buffer text;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    fb_buffer_init(&text, &fb_heap, 4096);
    const struct fb_uid *principal = fb_uid_new(&arena, FB_SPAN("Principal"), FB_SPAN("p"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fb_target target;
        struct fb_match m;
        const struct fb_uid *within = NULL;
        if (match(&shared, cases[i].method, cases[i].path, cases[i].query, &target, &m) != FB_ROUTED)
            fail_msg("%s %s does not match", cases[i].method, cases[i].path);
        assert_span(fb_uid_id(m.route->action->declared->uid), cases[i].action);
        fb_buffer_clear(&text);
        fb_uid_print(&text, fb_match_resource(&m, principal, &arena));
        assert_span(fb_buffer_span(&text), cases[i].resource);
        assert_true(fb_match_within(&m, &arena, &within));
        assert_true((within != NULL) == (cases[i].within != NULL));
        fb_buffer_clear(&text);
        if (within != NULL) {
            fb_uid_print(&text, within);
            assert_span(fb_buffer_span(&text), cases[i].within);
        }
        assert_true(fb_route_resource_is_principal(m.route) == (strcmp(cases[i].action, "me") == 0));
    }
    fb_buffer_release(&text);
    fb_arena_release(&arena);
}

static void says_nowhere_method_and_ambiguous(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *query;
        enum fb_routed routed;
        const char *allow;
    } cases[] = {
        {"GET", "/", "", FB_ROUTED_NOWHERE, NULL},
        {"GET", "/users", "", FB_ROUTED_NOWHERE, NULL},
        {"GET", "/users/", "", FB_ROUTED_NOWHERE, NULL},
        {"GET", "/users/x/", "", FB_ROUTED_NOWHERE, NULL},
        {"GET", "/f", "", FB_ROUTED_NOWHERE, NULL},
        {"GET", "/f/", "", FB_ROUTED_NOWHERE, NULL},
        {"GET", "/only", "", FB_ROUTED_NOWHERE, NULL},
        {"POST", "/only", "", FB_ROUTED_NOWHERE, NULL},
        {"POST", "/only", "x", FB_ROUTED_METHOD, "GET, HEAD"},
        {"POST", "/orgs/o/docs/d/x", "", FB_ROUTED_NOWHERE, NULL},
        {"POST", "/users/x", "", FB_ROUTED_METHOD, "DELETE, GET, HEAD, PUT"},
        {"POST", "/users/X", "", FB_ROUTED_METHOD, "DELETE, GET, HEAD"},
        {"get", "/users/x", "", FB_ROUTED_METHOD, "DELETE, GET, HEAD, PUT"},
        {"DELETE", "/list", "", FB_ROUTED_METHOD, "GET, HEAD, POST"},
        {"PUT", "/list", "all", FB_ROUTED_METHOD, "DELETE, GET, HEAD, POST"},
        {"OPTIONS", "/a/b/x", "", FB_ROUTED_METHOD, "GET, HEAD"},
        {"GET", "/list", "export&summary", FB_ROUTED_AMBIGUOUS, NULL},
        {"GET", "/list", "Export", FB_ROUTED_AMBIGUOUS, NULL},
        {"GET", "/list", "x;summary", FB_ROUTED_AMBIGUOUS, NULL},
        {"GET", "/a/b/c", "", FB_ROUTED_AMBIGUOUS, NULL},
        {"HEAD", "/a/b/c", "", FB_ROUTED_AMBIGUOUS, NULL},
    };
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fb_target target;
        struct fb_match m;
        enum fb_routed routed = match(&shared, cases[i].method, cases[i].path, cases[i].query, &target, &m);
        if (routed != cases[i].routed)
            fail_msg("%s %s?%s: %d", cases[i].method, cases[i].path, cases[i].query, (int)routed);
        if (cases[i].allow != NULL)
            assert_span(fb_routes_allow(shared.routes, &target, &arena), cases[i].allow);
    }
    fb_arena_release(&arena);
}

static const struct fb_action *action_named(struct fb_arena *arena, const char *name)
{
    return fb_routes_action(shared.routes, fb_uid_new(arena, FB_SPAN("Action"), fb_span_z(name)));
}

static void knows_actions(void **state)
{
    (void)state;
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    const struct fb_action *me = action_named(&arena, "me"), *user = action_named(&arena, "user");
    const struct fb_action *list = action_named(&arena, "list");
    assert_int_equal(me->accounts, FB_OPEN_SUSPENDED | FB_OPEN_DISABLED);
    assert_span(me->disclose, "detail");
    assert_null(me->anonymous);
    assert_int_equal(user->accounts, 0);
    assert_int_equal(user->disclose.len, 0);
    assert_span(fb_uid_type(user->anonymous), "Guest");
    assert_span(fb_uid_id(user->anonymous), "guest");
    assert_false(user->anonymous_only);
    assert_true(list->anonymous_only);
    assert_non_null(action_named(&arena, "unrouted"));
    assert_null(action_named(&arena, "unheard"));
    fb_arena_release(&arena);
}

/* --- tables at random ------------------------------------------------------------------------------- */

static uint32_t seed;

static unsigned below(unsigned n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static const char *const segments[] = {"a", "b", "7", "a-b", "{p:int}", "{p:uuid}", "{p:slug}", "{p}"};
static const char *const parts[] = {
    "a", "b", "c", "7", "07", "a-b", "-a", "A", "%61", "%37", "01234567-89ab-cdef-0123-456789abcdef", "a%20b", "0"};
static const char *const methods[] = {"GET", "POST", "HEAD"};
static const char *const queries[] = {"", "", "", "?x", "?y"};

/* A template that no other in `text` has the shape of (names apart); false: it is there already. */
static bool random_route(char *text, char *route, char *resource)
{
    const char *method = methods[below(3)];
    strcpy(route, method);
    strcat(route, " ");
    strcpy(resource, "Doc::r");
    unsigned n = 1 + below(3);
    for (unsigned i = 0; i < n; i++) {
        char piece[32];
        strcpy(piece, segments[below(8)]);
        char *name = strchr(piece, 'p');
        if (piece[0] == '{' && name != NULL) {
            *name = (char)('p' + i);
            (void)snprintf(resource + strlen(resource), 16, "/{%c}", *name);
        }
        strcat(route, "/");
        strcat(route, piece);
    }
    if (below(6) == 0) {
        strcat(route, "/{z...}");
        strcat(resource, "/{z}");
    }
    if (below(6) == 0)
        strcat(route, "/");
    strcat(route, queries[below(5)]);
    char quoted[256];
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", route);
    return strstr(text, quoted) == NULL;
}

static void random_table(char *text)
{
    strcpy(text, "entity User; entity Doc;\n");
    for (unsigned i = 0; i < 25; i++) {
        char route[128], resource[128];
        if (random_route(text, route, resource))
            (void)sprintf(text + strlen(text),
                          "@route(\"%s\")\n@resource(\"%s\")\naction a%u appliesTo {principal: User, resource: Doc};\n",
                          route, resource, i);
    }
}

static void random_target(char *target)
{
    target[0] = '\0';
    for (unsigned n = 1 + below(4); n != 0; n--) {
        strcat(target, "/");
        strcat(target, parts[below(sizeof parts / sizeof parts[0])]);
    }
    if (below(5) == 0)
        strcat(target, "/");
    static const char *const tails[] = {"", "", "?x", "?y=1", "?x&y", "?z", "?%78"};
    strcat(target, tails[below(7)]);
}

/* Of one table and one target. */
static bool compare(const struct routing *r, const char *method, const char *raw)
{
    static struct linear second;
    char path[512], query[64];
    const char *mark = raw + strcspn(raw, "?");
    struct fb_target target;
    struct fb_match m;
    assert_true(linear_decode(raw, mark, path, sizeof path) >= 0);
    strcpy(query, *mark == '?' ? mark + 1 : "");
    struct fb_http_request request = request_of(method, path, query);
    request.raw_target = fb_span_z(raw);
    assert_int_equal(fb_target_read(&request, &target), FB_TARGET_OK);
    enum fb_routed routed = fb_routes_match(r->routes, &target, request.method, &m);
    assert_true(linear_match(r->routes, method, raw, &second));
    enum fb_routed expected = second.route == NULL ? (second.other_method ? FB_ROUTED_METHOD : FB_ROUTED_NOWHERE)
                              : second.torn        ? FB_ROUTED_AMBIGUOUS
                                                   : FB_ROUTED;
    if (routed != expected || (routed == FB_ROUTED && m.route != second.route)) {
        print_error("%.*s\n", (int)r->source.text.len, r->source.text.ptr);
        fail_msg("%s %s: %d, the other says %d", method, raw, (int)routed, (int)expected);
    }
    if (routed == FB_ROUTED)
        for (size_t i = 0; i < m.params_count; i++)
            assert_span(m.params[i], second.params[i]);
    return routed == FB_ROUTED;
}

static void agrees_with_a_second_matcher(void **state)
{
    (void)state;
    static char text[16384];
    size_t matched = 0, compared = 0;
    seed = 7;
    for (int table = 0; table < 150; table++) {
        struct routing r;
        random_table(text);
        routing_expect(&r, "random", fb_span_z(text));
        for (int i = 0; i < 300; i++) {
            char raw[256];
            random_target(raw);
            matched += compare(&r, methods[below(3)], raw);
            compared++;
        }
        routing_release(&r);
    }
    print_message("# %zu of %zu random requests matched\n", matched, compared);
    assert_true(matched > compared / 20);
}

/* --- limits and memory --------------------------------------------------------------------------------------- */

static void limits_routes(void **state)
{
    (void)state;
    struct fb_buffer text;
    struct routing r;
    fb_buffer_init(&text, &fb_heap, 1 << 22);
    fb_buffer_add_z(&text, "entity User; entity Doc; @route(\"");
    for (int i = 0; i < 17000; i++)
        fb_buffer_add_format(&text, "%sPUT /%d/{id}", i == 0 ? "" : ",", i);
    fb_buffer_add_z(&text, "\") action a appliesTo {principal: User, resource: Doc};");
    routing_load(&r, "many", fb_buffer_span(&text));
    assert_non_null(r.schema);
    assert_null(r.routes);
    assert_int_equal(r.diags.count, 1);
    assert_string_equal(r.diags.list[0].code, "route.limit");
    routing_release(&r);
    fb_buffer_release(&text);
}

/* 200 routes, each of which overlaps with 200 others: the lists of rivals once took a new copy each time. */
static void crossings_take_little_memory(void **state)
{
    (void)state;
    struct fb_buffer text;
    struct routing r;
    fb_buffer_init(&text, &fb_heap, 1 << 22);
    fb_buffer_add_z(&text, "entity User; entity Doc;");
    for (int i = 0; i < 200; i++)
        fb_buffer_add_format(&text, "@route(\"PUT /{x}/b%d, PUT /c%d/{x}\") action a%d appliesTo "
                             "{principal: User, resource: Doc};", i, i, i);
    routing_load(&r, "crossing", fb_buffer_span(&text));
    assert_non_null(r.routes);
    assert_int_equal(r.diags.count + r.diags.dropped, 200 * 200);
    assert_int_equal(fb_routes_at(r.routes, 0)->rivals_count, 200);
    assert_true(r.arena.used < (size_t)16 << 20);
    routing_release(&r);
    fb_buffer_release(&text);
}

/* Whichever allocation fails: no table, no crash, nothing left behind. */
static void survives_failing_memory(void **state)
{
    (void)state;
    struct fb_routes *routes = NULL;
    for (size_t n = 1; routes == NULL; n++) {
        struct failing_allocator memory;
        struct fb_arena arena;
        struct fb_diags diags;
        failing_init(&memory, n);
        fb_arena_init(&arena, &memory.allocator, SIZE_MAX);
        fb_diags_init(&diags, &arena);
        routes = fb_routes_new(&arena, shared.schema, &diags);
        assert_true(routes != NULL || arena.failed);
        fb_arena_release(&arena);
        assert_int_equal(memory.blocks_out, 0);
        assert_true(n < 5000);
    }
    struct fb_target target;
    struct fb_match m;
    struct fb_arena none;
    const struct fb_uid *within = NULL;
    fb_arena_init(&none, &fb_heap, 0);
    assert_int_equal(match(&shared, "GET", "/orgs/o/docs/d", "", &target, &m), FB_ROUTED);
    assert_null(fb_match_resource(&m, NULL, &none));
    assert_false(fb_match_within(&m, &none, &within));
    fb_arena_clear(&none);
    assert_int_equal(fb_routes_allow(shared.routes, &target, &none).len, 0);
    fb_arena_release(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_action_and_resource),
        cmocka_unit_test(says_nowhere_method_and_ambiguous),
        cmocka_unit_test(knows_actions),
        cmocka_unit_test(agrees_with_a_second_matcher),
        cmocka_unit_test(limits_routes),
        cmocka_unit_test(crossings_take_little_memory),
        cmocka_unit_test(survives_failing_memory),
    };
    return cmocka_run_group_tests_name("request/routes", tests, set_up, tear_down);
}
