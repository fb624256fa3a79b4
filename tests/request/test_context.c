/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts: what is declared is built, and nothing else; what is missing, repeated or malformed is a 400;
 * what cannot be known is no answer at all.  And addresses. */
#include "routing.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static const char schema[] =
    "entity User; entity Doc;\n"
    "@route(\"GET /none/{id}\") action none appliesTo {principal: User, resource: Doc};\n"
    "@route(\"GET /plain/{id}\") action plain appliesTo {principal: User, resource: Doc,\n"
    "  context: {method: String, host: String, path: String, ip: ipaddr, time: datetime}};\n"
    "@route(\"GET /place/{id}\") action place appliesTo {principal: User, resource: Doc,\n"
    "  context: {country?: String, asn?: Long, ip?: ipaddr}};\n"
    "@route(\"GET /query/{id}\") action query appliesTo {principal: User, resource: Doc,\n"
    "  context: {query: {q: String, page?: String, tag: Set<String>, more?: Set<String>}}};\n"
    "@route(\"GET /headers/{id}\") action headers appliesTo {principal: User, resource: Doc,\n"
    "  context: {headers: {x_tenant: String, \"User-Agent\"?: String, \"X-List\"?: Set<String>}}};\n"
    "@route(\"GET /tls/{id}\") action tls appliesTo {principal: User, resource: Doc,\n"
    "  context: {tls?: {version: String, cipher: String, serverName?: String, clientSubject?: String}}};\n"
    "@route(\"GET /token/{id}\") action token appliesTo {principal: User, resource: Doc,\n"
    "  context: {token?: {issuer: String, audience: Set<String>, scope: Set<String>, acr?: String, amr?: Set<String>,\n"
    "                     authTime?: datetime, tenant?: String, admin?: Bool, level?: Long, roles?: Set<String>}}};\n"
    "@route(\"GET /typical/{id}\") action typical appliesTo {principal: User, resource: Doc,\n"
    "  context: {ip: ipaddr, country?: String, time: datetime, token?: {scope: Set<String>}}};\n";

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

static const struct fb_action *action_named(const char *name)
{
    const struct fb_action *action =
        fb_routes_action(shared.routes, fb_uid_new(&shared.arena, FB_SPAN("Action"), fb_span_z(name)));
    assert_non_null(action);
    return action;
}

/* A context as Cedar JSON, or "400: why", or "503: why". */
static void check_with(const char *name, const struct fb_http_request *request, const struct fb_token_facts *token,
                       const struct fb_geo *geo, const char *expected)
{
    struct fb_arena arena;
    struct fb_value context;
    struct fb_span why = {0};
    struct fb_buffer out;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    fb_buffer_init(&out, &fb_heap, 1 << 16);
    enum fb_contexted result = fb_context_build(action_named(name), request, token, geo, &arena, &context, &why);
    if (result == FB_CONTEXT_OK)
        fb_value_print_json(&out, context);
    else
        fb_buffer_add_format(&out, "%s: %.*s", result == FB_CONTEXT_BAD ? "400" : "503", (int)why.len, why.ptr);
    assert_span(fb_buffer_span(&out), expected);
    /* what was written by hand is in the order of records */
    if (result == FB_CONTEXT_OK)
        for (uint64_t i = 1; i < context.record->count; i++)
            assert_true(context.record->symbols[i - 1] < context.record->symbols[i]);
    fb_buffer_release(&out);
    fb_arena_release(&arena);
}

static struct fb_http_request request_plain(void)
{
    struct fb_http_request r = request_of("GET", "/plain/x", "");
    r.host = FB_SPAN("api.example");
    r.now_ms = 1700000000123;
    assert_null(fb_ip_parse(FB_SPAN("192.0.2.7"), &r.peer));
    return r;
}

static void builds_what_is_declared(void **state)
{
    (void)state;
    struct fb_http_request r = request_plain();
    check_with("none", &r, NULL, NULL, "{}");
    struct fb_arena arena;
    struct fb_value context;
    struct fb_span why;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    assert_int_equal(fb_context_build(action_named("plain"), &r, NULL, NULL, &arena, &context, &why), FB_CONTEXT_OK);
    assert_int_equal(context.record->count, 5);
    static const struct {
        const char *name;
        enum fb_kind kind;
    } fields[] = {
        {"method", FB_STRING}, {"host", FB_STRING}, {"path", FB_STRING}, {"ip", FB_IP}, {"time", FB_DATETIME}};
    for (size_t i = 0; i < 5; i++) {
        struct fb_span name = fb_span_z(fields[i].name);
        const struct fb_cell *cell = fb_record_find(context.record, fb_hash(name), name);
        assert_non_null(cell);
        assert_int_equal(cell->kind, fields[i].kind);
    }
    const struct fb_cell *time_cell = fb_record_find(context.record, fb_hash(FB_SPAN("time")), FB_SPAN("time"));
    assert_int_equal(time_cell->bits, 1700000000123);
    const struct fb_cell *host = fb_record_find(context.record, fb_hash(FB_SPAN("host")), FB_SPAN("host"));
    assert_span(fb_value_text(fb_cell_load(host)), "api.example");
    const struct fb_cell *ip = fb_record_find(context.record, fb_hash(FB_SPAN("ip")), FB_SPAN("ip"));
    assert_true(fb_ip_eq(fb_cell_load(ip).ip, &r.peer));
    fb_arena_release(&arena);
}

/* A server hands on a Host with bytes beyond ASCII, which are no string. */
static void refuses_a_host_that_is_not_utf8(void **state)
{
    (void)state;
    struct fb_http_request r = request_plain();
    r.host = FB_SPAN("api.ex\x88mple");
    check_with("plain", &r, NULL, NULL, "400: malformed host");
    check_with("none", &r, NULL, NULL, "{}");
    r.host = fb_span("a\0b", 3);
    check_with("plain", &r, NULL, NULL, "400: malformed host");
    r.tls = true;
    r.tls_version = r.tls_cipher = FB_SPAN("x");
    r.tls_server_name = FB_SPAN("\xff");
    check_with("tls", &r, NULL, NULL, "400: malformed server name");
    r.tls_server_name = fb_span(NULL, 0);
    r.tls_client_subject = FB_SPAN("CN=\xc3");
    check_with("tls", &r, NULL, NULL, "400: malformed client subject");
}

static void needs_an_address_where_declared(void **state)
{
    (void)state;
    struct fb_http_request r = request_plain();
    r.peer.family = 0;
    check_with("plain", &r, NULL, NULL, "503: the client has no address");
    check_with("place", &r, NULL, NULL, "{}");
}

static void reads_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *query, *expected;
    } cases[] = {
        {"q=1", "{\"query\":{\"q\":\"1\",\"tag\":[]}}"},
        {"q=", "{\"query\":{\"q\":\"\",\"tag\":[]}}"},
        {"q", "{\"query\":{\"q\":\"\",\"tag\":[]}}"},
        {"q=a+b%20c%2Bd&x=%zz", "{\"query\":{\"q\":\"a b c+d\",\"tag\":[]}}"},
        {"tag=a&q=1&tag=b&tag=a&", "{\"query\":{\"q\":\"1\",\"tag\":[\"a\",\"b\"]}}"},
        {"q=a=b", "{\"query\":{\"q\":\"a=b\",\"tag\":[]}}"},
        {"&&q=1&&", "{\"query\":{\"q\":\"1\",\"tag\":[]}}"},
        {"q=%0a", "{\"query\":{\"q\":\"\\n\",\"tag\":[]}}"},
        {"", "400: missing query parameter: q"},
        {"page=1", "400: missing query parameter: q"},
        {"q=1&q=1", "400: repeated query parameter: q"},
        {"q=1&page=1&page=2", "400: repeated query parameter: page"},
        {"q=%", "400: malformed query parameter: q"},
        {"q=%c3", "400: malformed query parameter: q"},
        {"q=%00", "400: malformed query parameter: q"},
        {"q=1&Page=2", "400: a query parameter can be read in more than one way"},
        {"q=1&page[]=2", "400: a query parameter can be read in more than one way"},
        {"q=1;page=2", "400: a query parameter can be read in more than one way"},
        {"q=1&%2570age=2", "400: a query parameter can be read in more than one way"},
        {"q=1&+page=2", "400: a query parameter can be read in more than one way"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fb_http_request r = request_of("GET", "/query/x", cases[i].query);
        check_with("query", &r, NULL, NULL, cases[i].expected);
    }
    struct fb_http_request r = request_of("GET", "/query/x", "q=1&more=2");
    struct fb_arena arena;
    struct fb_value context;
    struct fb_span why;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    assert_int_equal(fb_context_build(action_named("query"), &r, NULL, NULL, &arena, &context, &why), FB_CONTEXT_OK);
    assert_int_equal(fb_cell_load(fb_record_values(context.record)).record->count, 3);
    fb_arena_release(&arena);
}

static void limits_parameters(void **state)
{
    (void)state;
    static char query[8192];
    strcpy(query, "q=1");
    for (int i = 0; i < 600; i++)
        strcat(query, "&x=1");
    struct fb_http_request r = request_of("GET", "/query/x", query);
    check_with("query", &r, NULL, NULL, "400: a query parameter can be read in more than one way");
    strcpy(query, "q=1");
    for (int i = 0; i < 300; i++)
        (void)sprintf(query + strlen(query), "&tag=%d", i);
    r = request_of("GET", "/query/x", query);
    check_with("query", &r, NULL, NULL, "400: too many values: tag");
}

static void reads_fields(void **state)
{
    (void)state;
    static const struct fb_http_field none[] = {{{6, "Accept"}, {3, "*/*"}}};
    static const struct fb_http_field one[] = {{{6, "Accept"}, {3, "*/*"}}, {{8, "X-TENANT"}, {1, "a"}}};
    static const struct fb_http_field twice[] = {{{8, "X-Tenant"}, {1, "a"}}, {{8, "x_tenant"}, {1, "b"}}};
    static const struct fb_http_field latin[] = {{{8, "X-Tenant"}, {1, "\xe9"}}};
    static const struct fb_http_field nul[] = {{{8, "X-Tenant"}, {2, "a"}}};
    static const struct fb_http_field lists[] = {
        {{8, "x-tenant"}, {1, "a"}}, {{6, "X-List"}, {8, "b, a ,, "}}, {{6, "x-list"}, {1, "c"}}};
    static const struct {
        const struct fb_http_field *fields;
        size_t count;
        const char *expected;
    } cases[] = {
        {none, 1, "400: missing header field: x_tenant"},   {one, 2, "{\"headers\":{\"x_tenant\":\"a\"}}"},
        {twice, 2, "400: repeated header field: x_tenant"}, {latin, 1, "400: malformed header field: x-tenant"},
        {nul, 1, "400: malformed header field: x-tenant"},
    };
    struct fb_http_request r = request_of("GET", "/headers/x", "");
    check_with("headers", &r, NULL, NULL, "400: missing header field: x_tenant");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fb_http_field_list list = {cases[i].fields, cases[i].count};
        r.fields = fb_http_fields_of(&list);
        check_with("headers", &r, NULL, NULL, cases[i].expected);
    }
    struct fb_http_field_list list = {lists, 3};
    struct fb_arena arena;
    struct fb_value context;
    struct fb_span why;
    r.fields = fb_http_fields_of(&list);
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    assert_int_equal(fb_context_build(action_named("headers"), &r, NULL, NULL, &arena, &context, &why), FB_CONTEXT_OK);
    const struct fb_record *headers = fb_cell_load(fb_record_values(context.record)).record;
    const struct fb_cell *set = fb_record_find(headers, fb_hash(FB_SPAN("X-List")), FB_SPAN("X-List"));
    assert_int_equal(fb_cell_load(set).count, 3);
    assert_true(fb_set_contains(fb_cell_load(set), fb_value_string(FB_SPAN("b"))));
    fb_arena_release(&arena);
}

static void reads_tls(void **state)
{
    (void)state;
    struct fb_http_request r = request_of("GET", "/tls/x", "");
    check_with("tls", &r, NULL, NULL, "{}");
    r.tls = true;
    r.tls_version = FB_SPAN("TLSv1.3");
    r.tls_cipher = FB_SPAN("X");
    struct fb_arena arena;
    struct fb_value context;
    struct fb_span why;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    assert_int_equal(fb_context_build(action_named("tls"), &r, NULL, NULL, &arena, &context, &why), FB_CONTEXT_OK);
    assert_int_equal(fb_cell_load(fb_record_values(context.record)).record->count, 2);
    r.tls_server_name = FB_SPAN("s");
    r.tls_client_subject = FB_SPAN("CN=x");
    assert_int_equal(fb_context_build(action_named("tls"), &r, NULL, NULL, &arena, &context, &why), FB_CONTEXT_OK);
    assert_int_equal(fb_cell_load(fb_record_values(context.record)).record->count, 4);
    fb_arena_release(&arena);
}

/* --- tokens ------------------------------------------------------------------------------------------ */

static bool claim(const void *self, struct fb_span name, struct fb_arena *arena, struct fb_value *value)
{
    const char *wrong = self;
    if (fb_span_is(name, "tenant"))
        *value = wrong != NULL ? fb_value_number(FB_LONG, 1) : fb_value_string(FB_SPAN("t"));
    else if (fb_span_is(name, "admin"))
        *value = wrong != NULL ? fb_value_string(FB_SPAN("true")) : fb_value_bool(true);
    else if (fb_span_is(name, "level"))
        *value = wrong != NULL ? fb_value_bool(true) : fb_value_number(FB_LONG, 3);
    else if (fb_span_is(name, "roles")) {
        struct fb_value one = fb_value_number(FB_LONG, 1);
        if (wrong != NULL)
            return fb_value_set(arena, &one, 1, value);
        *value = fb_value_string(FB_SPAN("r"));
    } else
        return false;
    return true;
}

static const struct fb_cell *token_field(struct fb_value context, const char *name)
{
    const struct fb_record *token = fb_cell_load(fb_record_values(context.record)).record;
    return fb_record_find(token, fb_hash(fb_span_z(name)), fb_span_z(name));
}

static void reads_tokens(void **state)
{
    (void)state;
    static const struct fb_span audiences[] = {{1, "x"}}, scopes[] = {{1, "b"}, {1, "a"}, {1, "b"}},
                                amr[] = {{3, "pwd"}};
    struct fb_http_request r = request_of("GET", "/token/x", "");
    struct fb_token_facts token = {.issuer = FB_SPAN("i"), .audiences = audiences, .audiences_count = 1};
    struct fb_arena arena;
    struct fb_value context;
    struct fb_span why;
    check_with("token", &r, NULL, NULL, "{}");
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    assert_int_equal(fb_context_build(action_named("token"), &r, &token, NULL, &arena, &context, &why), FB_CONTEXT_OK);
    assert_int_equal(fb_cell_load(fb_record_values(context.record)).record->count, 3);
    assert_int_equal(token_field(context, "scope")->count, 0);

    token = (struct fb_token_facts){.issuer = FB_SPAN("i"),
                                    .audiences = audiences,
                                    .audiences_count = 1,
                                    .scopes = scopes,
                                    .scopes_count = 3,
                                    .amr = amr,
                                    .amr_count = 1,
                                    .has_amr = true,
                                    .acr = FB_SPAN("high"),
                                    .has_acr = true,
                                    .auth_time = 1700000000,
                                    .has_auth_time = true,
                                    .claim = claim};
    assert_int_equal(fb_context_build(action_named("token"), &r, &token, NULL, &arena, &context, &why), FB_CONTEXT_OK);
    assert_int_equal(fb_cell_load(fb_record_values(context.record)).record->count, 10);
    assert_int_equal(token_field(context, "scope")->count, 2);
    assert_int_equal(token_field(context, "authTime")->bits, 1700000000000);
    assert_int_equal(token_field(context, "admin")->kind, FB_BOOL);
    assert_int_equal(token_field(context, "level")->bits, 3);
    assert_int_equal(token_field(context, "roles")->kind, FB_SET);
    assert_true(fb_set_contains(fb_cell_load(token_field(context, "roles")), fb_value_string(FB_SPAN("r"))));

    token.self = "wrong kinds";
    token.auth_time = INT64_MAX;
    assert_int_equal(fb_context_build(action_named("token"), &r, &token, NULL, &arena, &context, &why), FB_CONTEXT_OK);
    assert_int_equal(fb_cell_load(fb_record_values(context.record)).record->count, 5);
    fb_arena_release(&arena);
}

/* --- location ------------------------------------------------------------------------------------------ */

static void asks_for_what_it_wants(void **state)
{
    (void)state;
    assert_int_equal(action_named("none")->wants, 0);
    assert_int_equal(action_named("place")->wants, FB_WANTS_COUNTRY | FB_WANTS_ASN | FB_WANTS_IP);
    assert_int_equal(action_named("token")->wants, FB_WANTS_TOKEN);
    struct fb_http_request r = request_plain();
    check_with("place", &r, NULL, NULL, "{\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"192.0.2.7\"}}}");
}

static void reads_addresses(void **state)
{
    (void)state;
    struct fb_ip ip;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_storage room;
    assert_int_equal(inet_pton(AF_INET, "203.0.113.9", &v4.sin_addr), 1);
    memcpy(&room, &v4, sizeof v4);
    assert_true(fb_ip_of_sockaddr((struct sockaddr *)&room, sizeof v4, &ip));
    assert_int_equal(ip.family, 4);
    assert_int_equal(ip.prefix, 32);
    assert_memory_equal(ip.address, "\xcb\x00\x71\x09\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:203.0.113.9", &v6.sin6_addr), 1);
    memcpy(&room, &v6, sizeof v6);
    struct fb_ip mapped;
    assert_true(fb_ip_of_sockaddr((struct sockaddr *)&room, sizeof v6, &mapped));
    assert_true(fb_ip_eq(&ip, &mapped));
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr), 1);
    memcpy(&room, &v6, sizeof v6);
    assert_true(fb_ip_of_sockaddr((struct sockaddr *)&room, sizeof v6, &ip));
    assert_int_equal(ip.family, 6);
    assert_int_equal(ip.prefix, 128);
    assert_memory_equal(ip.address, v6.sin6_addr.s6_addr, 16);
    memcpy(&room, &local, sizeof local);
    assert_false(fb_ip_of_sockaddr((struct sockaddr *)&room, sizeof local, &ip));
    assert_int_equal(ip.family, 0);
    memcpy(&room, &v4, sizeof v4);
    assert_false(fb_ip_of_sockaddr((struct sockaddr *)&room, 4, &ip));
    assert_false(fb_ip_of_sockaddr(NULL, 0, &ip));
}

/* --- memory and time ---------------------------------------------------------------------------------- */

static void survives_failing_memory(void **state)
{
    (void)state;
    static const struct fb_span scopes[] = {{1, "b"}, {1, "a"}};
    static const struct {
        const char *action, *query;
    } cases[] = {{"plain", ""}, {"query", "q=a+b&tag=1&tag=2"}, {"token", ""}};
    struct fb_token_facts token = {.issuer = FB_SPAN("i"), .scopes = scopes, .scopes_count = 2, .claim = claim};
    for (size_t i = 0; i < 3; i++) {
        struct fb_http_request r = request_plain();
        enum fb_contexted result = FB_CONTEXT_CANNOT;
        r.query = fb_span_z(cases[i].query);
        for (size_t ceiling = 0; result != FB_CONTEXT_OK; ceiling += 16) {
            struct fb_arena arena;
            struct fb_value context;
            struct fb_span why;
            fb_arena_init(&arena, &fb_heap, ceiling);
            result = fb_context_build(action_named(cases[i].action), &r, &token, NULL, &arena, &context, &why);
            assert_int_not_equal(result, FB_CONTEXT_BAD);
            fb_arena_release(&arena);
            assert_true(ceiling < 1 << 16);
        }
    }
}

static void builds_fast(void **state)
{
    (void)state;
    static const struct fb_span scopes[] = {{10, "users.read"}, {11, "users.write"}, {6, "openid"}};
    struct fb_http_request r = request_plain();
    struct fb_token_facts token = {.issuer = FB_SPAN("i"), .scopes = scopes, .scopes_count = 3};
    const struct fb_action *action = action_named("typical");
    struct fb_arena arena;
    double best = 1e9;
    fb_arena_init(&arena, &fb_heap, 1 << 20);
    for (int round = 0; round < 20; round++) {
        struct timespec from, to;
        (void)clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < 5000; i++) {
            struct fb_value context;
            struct fb_span why;
            assert_int_equal(fb_context_build(action, &r, &token, NULL, &arena, &context, &why), FB_CONTEXT_OK);
            fb_arena_clear(&arena);
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &to);
        double ns = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / 5000;
        best = ns < best ? ns : best;
    }
    fb_arena_release(&arena);
    print_message("# a typical context: %.0f ns\n", best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_what_is_declared),
        cmocka_unit_test(refuses_a_host_that_is_not_utf8),
        cmocka_unit_test(needs_an_address_where_declared),
        cmocka_unit_test(reads_parameters),
        cmocka_unit_test(limits_parameters),
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(reads_tls),
        cmocka_unit_test(reads_tokens),
        cmocka_unit_test(asks_for_what_it_wants),
        cmocka_unit_test(reads_addresses),
        cmocka_unit_test(survives_failing_memory),
        cmocka_unit_test(builds_fast),
    };
    return cmocka_run_group_tests_name("request/context", tests, set_up, tear_down);
}
