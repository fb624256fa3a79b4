/* SPDX-License-Identifier: Apache-2.0 */
/* More than 1,000 routes: those of GitHub's API, from npm @octokit/openapi (FB_OCTOKIT may name
 * its generated/api.github.com.json), and as many made up, which need no file.  Every route is found, a second matcher
 * agrees, and a match costs what it costs among ten. */
#include "linear.h"

#include <time.h>

#define ROUTES_MAX 2000

struct table {
    struct fb_buffer text;     /* the schema */
    char *targets[ROUTES_MAX]; /* a request for each route */
    char methods[ROUTES_MAX][8];
    size_t count;
};

static void table_init(struct table *t)
{
    t->count = 0;
    fb_buffer_init(&t->text, &fb_heap, 64u << 20);
    fb_buffer_add_z(&t->text, "entity User; entity Thing;\n");
}

static void table_release(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->targets[i]);
    fb_buffer_release(&t->text);
}

/* Parameters by their place, so that templates which differ in names alone are one; `{base}...{head}` and
 * its like become one parameter. */
static void table_add(struct table *t, const char *method, struct fb_span path)
{
    char route[512] = "", resource[256] = "Thing::r", target[512] = "", quoted[600];
    unsigned n = 0;
    for (struct fb_span rest = fb_span_from(path, 1);;) {
        size_t len = fb_span_find(rest, '/');
        if (fb_span_find(fb_span_head(rest, len), '{') < len) {
            (void)sprintf(route + strlen(route), "/{p%u}", n);
            (void)sprintf(target + strlen(target), "/value-%u", n);
            (void)sprintf(resource + strlen(resource), "/{p%u}", n++);
        } else {
            (void)sprintf(route + strlen(route), "/%.*s", (int)len, rest.ptr);
            (void)sprintf(target + strlen(target), "/%.*s", (int)len, rest.ptr);
        }
        if (len == rest.len)
            break;
        rest = fb_span_from(rest, len + 1);
    }
    (void)snprintf(quoted, sizeof quoted, "\"%s %s\"", method, route);
    if (strstr(t->text.ptr, quoted) != NULL)
        return;
    fb_buffer_add_format(&t->text,
                         "@route(%s)\n@resource(\"%s\")\naction a%zu appliesTo {principal: User, resource: Thing};\n",
                         quoted, resource, t->count);
    strcpy(t->methods[t->count], method);
    t->targets[t->count] = strdup(target);
    assert_non_null(t->targets[t->count++]);
}

static const char *method_of(struct fb_span key)
{
    static const char *const names[][2] = {{"get", "GET"},       {"put", "PUT"},     {"post", "POST"},
                                           {"delete", "DELETE"}, {"patch", "PATCH"}, {"head", "HEAD"}};
    for (size_t i = 0; i < 6; i++)
        if (fb_span_is(key, names[i][0]))
            return names[i][1];
    return NULL;
}

/* The members of `paths`. */
static void read_paths(struct fb_json *json, struct table *t)
{
    assert_int_equal(fb_json_next(json), FB_JSON_OBJECT);
    while (fb_json_next(json) == FB_JSON_KEY) {
        struct fb_span path = json->string;
        assert_int_equal(fb_json_next(json), FB_JSON_OBJECT);
        while (fb_json_next(json) == FB_JSON_KEY) {
            const char *method = method_of(json->string);
            if (method != NULL)
                table_add(t, method, path);
            assert_true(fb_json_skip(json));
        }
    }
}

static bool github_file(char path[1024])
{
    return npm_file("FB_OCTOKIT", "@octokit/openapi/generated/api.github.com.json", path);
}

static void load_github(struct table *t)
{
    char file[1024];
    assert_true(github_file(file));
    struct fb_buffer text;
    struct fb_arena arena;
    struct fb_json json;
    fb_buffer_init(&text, &fb_heap, 64u << 20);
    if (fb_buffer_read_file(&text, file) != 0)
        fail_msg("cannot read %s", file);
    fb_arena_init(&arena, &fb_heap, 256u << 20);
    fb_json_init(&json, fb_buffer_span(&text), &arena, FB_JSON_LIMITS);
    assert_int_equal(fb_json_next(&json), FB_JSON_OBJECT);
    while (fb_json_next(&json) == FB_JSON_KEY) {
        if (fb_span_is(json.string, "paths"))
            read_paths(&json, t);
        else
            assert_true(fb_json_skip(&json));
    }
    assert_int_equal(json.event, FB_JSON_OBJECT_END);
    fb_arena_release(&arena);
    fb_buffer_release(&text);
}

static void load_made_up(struct table *t)
{
    static const char *const below[] = {"", "/{id}", "/{id}/parts", "/{id}/parts/{part}"};
    char path[128];
    for (int i = 0; i < 300; i++) {
        for (int j = 0; j < 4; j++) {
            (void)snprintf(path, sizeof path, "/repos/{owner}/{repo}/things-%d%s", i, below[j]);
            table_add(t, "GET", fb_span_z(path));
        }
    }
}

static void find_all(const struct routing *r, const struct table *t)
{
    static struct linear second;
    size_t ambiguous = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct fb_http_request request = request_of(t->methods[i], t->targets[i], "");
        struct fb_target target;
        struct fb_match m;
        char action[32];
        (void)snprintf(action, sizeof action, "a%zu", i);
        assert_int_equal(fb_target_read(&request, &target), FB_TARGET_OK);
        assert_int_equal(fb_routes_match(r->routes, &target, request.method, &m), FB_ROUTED);
        assert_span(fb_uid_id(m.route->action->declared->uid), action);
        if (i % 7 != 0)
            continue;
        assert_true(linear_match(r->routes, t->methods[i], t->targets[i], &second));
        assert_ptr_equal(second.route, m.route);
        ambiguous += second.torn;
    }
    assert_int_equal(ambiguous, 0);
}

/* Nanoseconds a match of `count` requests, the best of some rounds. */
static double measure(const struct routing *r, const struct fb_target *targets, const struct fb_span *methods,
                      size_t count)
{
    double best = 1e9;
    for (int round = 0; round < 15; round++) {
        struct timespec from, to;
        size_t found = 0;
        (void)clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < 2000; i++) {
            for (size_t j = 0; j < count; j++) {
                struct fb_match m;
                found += fb_routes_match(r->routes, &targets[j], methods[j], &m) == FB_ROUTED;
            }
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &to);
        assert_int_equal(found, 2000 * count);
        double ns =
            ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / (2000.0 * (double)count);
        if (ns < best)
            best = ns;
    }
    return best;
}

/* Ten of the routes spread over the table, alone and among all. */
static void compare_costs(const struct routing *all, const struct table *t)
{
    struct table ten;
    struct routing few;
    static struct fb_target targets[10];
    struct fb_span methods[10];
    table_init(&ten);
    for (size_t i = 0; i < 10; i++) {
        const struct fb_route *route = NULL;
        size_t pick = i * t->count / 10;
        for (size_t j = 0; j < fb_routes_count(all->routes) && route == NULL; j++) {
            const struct fb_route *candidate = fb_routes_at(all->routes, j);
            char action[32];
            (void)snprintf(action, sizeof action, "a%zu", pick);
            if (fb_span_is(fb_uid_id(candidate->action->declared->uid), action))
                route = candidate;
        }
        assert_non_null(route);
        table_add(&ten, t->methods[pick], route->path);
        struct fb_http_request request = request_of(t->methods[pick], t->targets[pick], "");
        assert_int_equal(fb_target_read(&request, &targets[i]), FB_TARGET_OK);
        methods[i] = request.method;
    }
    routing_expect(&few, "ten", fb_buffer_span(&ten.text));
    double with_ten = measure(&few, targets, methods, 10), with_all = measure(all, targets, methods, 10);
    print_message("# %zu routes: %.0f ns a match; 10 of them: %.0f ns; ratio %.2f\n", t->count, with_all, with_ten,
                  with_all / with_ten);
    assert_true(with_all < 2 * with_ten);
    routing_release(&few);
    table_release(&ten);
}

static void check(struct table *t)
{
    struct routing r;
    routing_expect(&r, "routes", fb_buffer_span(&t->text));
    assert_true(t->count > 1000);
    find_all(&r, t);
    compare_costs(&r, t);
    routing_release(&r);
}

static struct table table;

static void githubs_routes(void **state)
{
    (void)state;
    char path[1024];
    if (!github_file(path)) {
        print_message("# npm @octokit/openapi is not there\n");
        skip();
    }
    table_init(&table);
    load_github(&table);
    check(&table);
    table_release(&table);
}

static void made_up_routes(void **state)
{
    (void)state;
    table_init(&table);
    load_made_up(&table);
    check(&table);
    table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(githubs_routes),
        cmocka_unit_test(made_up_routes),
    };
    return cmocka_run_group_tests_name("request/github", tests, NULL, NULL);
}
