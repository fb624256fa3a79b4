/* SPDX-License-Identifier: Apache-2.0 */
/* tests/targets/: bypass attempts, of which none may be taken for another action or resource than the
 * one that the upstream will see, and odd but legal targets, which must pass. */
#include "nginx_uri.h"

struct line {
    char method[16], target[8192], why[256], action[64], type[64], id[4096];
    long expect;
};

struct fixture {
    struct routing routing;
    struct fb_buffer schema, bypass, legal;
};
static struct fixture f;

static int set_up(void **state)
{
    (void)state;
    read_test_file(&f.schema, "targets", "schema.cedarschema");
    read_test_file(&f.bypass, "targets", "bypass.json");
    read_test_file(&f.legal, "targets", "legal.json");
    routing_expect(&f.routing, "schema.cedarschema", fb_buffer_span(&f.schema));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    routing_release(&f.routing);
    fb_buffer_release(&f.schema);
    fb_buffer_release(&f.bypass);
    fb_buffer_release(&f.legal);
    return 0;
}

static void copy(char *to, size_t room, struct fb_span from)
{
    assert_true(from.len < room);
    memcpy(to, from.ptr, from.len);
    to[from.len] = '\0';
}

/* The value behind a key, first event taken. */
static void read_member(struct fb_json *json, struct fb_span key, struct line *line)
{
    if (fb_span_is(key, "expect"))
        line->expect = (long)json->integer;
    else if (fb_span_is(key, "method"))
        copy(line->method, sizeof line->method, json->string);
    else if (fb_span_is(key, "target"))
        copy(line->target, sizeof line->target, json->string);
    else if (fb_span_is(key, "why"))
        copy(line->why, sizeof line->why, json->string);
    else if (fb_span_is(key, "expect_action"))
        copy(line->action, sizeof line->action, json->string);
    else if (fb_span_is(key, "type"))
        copy(line->type, sizeof line->type, json->string);
    else if (fb_span_is(key, "id"))
        copy(line->id, sizeof line->id, json->string);
    else
        assert_true(fb_span_is(key, "expect_resource"));
}

static bool read_line(struct fb_json *json, struct line *line)
{
    if (fb_json_next(json) != FB_JSON_OBJECT)
        return false;
    memset(line, 0, sizeof *line);
    for (int depth = 1; depth != 0;) {
        enum fb_json_event event = fb_json_next(json);
        assert_int_not_equal(event, FB_JSON_ERROR);
        if (event == FB_JSON_OBJECT_END) {
            depth--;
        } else if (event == FB_JSON_KEY) {
            struct fb_span key = json->string;
            depth += fb_json_next(json) == FB_JSON_OBJECT;
            read_member(json, key, line);
        }
    }
    return true;
}

/* Actions that tests/targets/policies.cedar forbids. */
static bool is_forbidden(struct fb_span action)
{
    return fb_span_is(action, "admin") || fb_span_is(action, "adminPage") || fb_span_is(action, "deleteUser")
           || fb_span_is(action, "exportUsers");
}

struct outcome {
    long status;
    const struct fb_route *route;
    struct fb_match match;
    const struct fb_uid *resource;
};

/* The steps of a request as far as this part goes, with the policies above in place of an engine. */
static struct outcome play(const struct line *line, const struct nginx_uri *uri, struct fb_arena *arena)
{
    struct outcome out = {.status = 400};
    struct fb_http_request request = request_of(line->method, uri->uri, uri->args);
    struct fb_target target;
    struct fb_value context;
    struct fb_span why;
    request.raw_target = fb_span_z(uri->raw);
    if (fb_target_read(&request, &target) != FB_TARGET_OK)
        return out;
    switch (fb_routes_match(f.routing.routes, &target, request.method, &out.match)) {
    case FB_ROUTED_NOWHERE: out.status = 404; return out;
    case FB_ROUTED_METHOD: out.status = 405; return out;
    case FB_ROUTED_AMBIGUOUS: return out;
    case FB_ROUTED: break;
    }
    out.route = out.match.route;
    out.resource = fb_match_resource(&out.match, NULL, arena);
    assert_non_null(out.resource);
    if (fb_context_build(out.route->action, &request, NULL, NULL, arena, &context, &why) == FB_CONTEXT_OK)
        out.status = is_forbidden(fb_uid_id(out.route->action->declared->uid)) ? 403 : 200;
    return out;
}

/* What the upstream's router makes of the raw target is what was decided. */
static void check_upstream(const struct line *line, const char *raw, const struct outcome *out)
{
    static struct linear seen;
    assert_true(linear_match(f.routing.routes, line->method, raw, &seen));
    if (seen.route != out->route || seen.torn)
        fail_msg("%s: the upstream would take another route", line->target);
    for (size_t i = 0; i < out->match.params_count; i++)
        assert_span(out->match.params[i], seen.params[i]);
}

static void check_line(const struct line *line)
{
    static struct nginx_uri uri;
    struct fb_arena arena;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    struct outcome out = {.status = 400};
    if (nginx_read(line->target, &uri)) {
        out = play(line, &uri, &arena);
        if (out.status == 200 || out.status == 403)
            check_upstream(line, uri.raw, &out);
    }
    if (out.status != line->expect)
        fail_msg("%s %s (%s): expected %ld, got %ld", line->method, line->target, line->why, line->expect, out.status);
    if (line->action[0] != '\0') {
        assert_span(fb_uid_id(out.route->action->declared->uid), line->action);
        assert_span(fb_uid_type(out.resource), line->type);
        assert_span(fb_uid_id(out.resource), line->id);
    }
    fb_arena_release(&arena);
}

static size_t check_table(const struct fb_buffer *text)
{
    static struct line line;
    struct fb_arena arena;
    struct fb_json json;
    size_t count = 0;
    fb_arena_init(&arena, &fb_heap, 1 << 24);
    fb_json_init(&json, fb_buffer_span(text), &arena, FB_JSON_LIMITS);
    assert_int_equal(fb_json_next(&json), FB_JSON_ARRAY);
    for (; read_line(&json, &line); count++)
        check_line(&line);
    assert_int_equal(json.event, FB_JSON_ARRAY_END);
    fb_arena_release(&arena);
    return count;
}

static void refuses_bypasses(void **state)
{
    (void)state;
    size_t count = check_table(&f.bypass);
    print_message("# %zu bypass attempts\n", count);
    assert_true(count >= 60);
}

static void passes_legal_targets(void **state)
{
    (void)state;
    size_t count = check_table(&f.legal);
    print_message("# %zu legal targets\n", count);
    assert_true(count >= 40);
}

/* Random bytes from what attacks are made of: whatever passes is read by the upstream as it was by us. */
static void agrees_on_random_targets(void **state)
{
    (void)state;
    static const char *const pieces[] = {"/",      "/",    "/",   "admin", "api",    "users", "me",  "files", "..",
                                         ".",      "%2e",  "%2f", "%5c",   "\\",     ";",     "%3b", "%25",   "2f",
                                         "%61",    "dmin", "%00", "?",     "export", "&",     "#",   "1",     "a",
                                         "%c3%a9", "%ff",  "//",  "+",     "%20",    "items", "=",   "%2",    "x"};
    static struct line line;
    size_t passed = 0;
    uint32_t seed = 20;
    for (int round = 0; round < 200000; round++) {
        char target[256] = "/";
        seed = seed * 1664525u + 1013904223u;
        for (unsigned n = (seed >> 20) % 9; n != 0; n--) {
            seed = seed * 1664525u + 1013904223u;
            strcat(target, pieces[(seed >> 16) % (sizeof pieces / sizeof pieces[0])]);
        }
        static struct nginx_uri uri;
        struct fb_arena arena;
        strcpy(line.target, target);
        strcpy(line.method, "GET");
        fb_arena_init(&arena, &fb_heap, 1 << 20);
        if (nginx_read(target, &uri)) {
            struct outcome out = play(&line, &uri, &arena);
            if (out.status == 200 || out.status == 403) {
                check_upstream(&line, uri.raw, &out);
                passed++;
            }
        }
        fb_arena_release(&arena);
    }
    print_message("# %zu random targets passed\n", passed);
    assert_true(passed > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bypasses),
        cmocka_unit_test(passes_legal_targets),
        cmocka_unit_test(agrees_on_random_targets),
    };
    return cmocka_run_group_tests_name("request/targets", tests, set_up, tear_down);
}
